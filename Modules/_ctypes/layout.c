/* The layout of structures and unions: where each field lies, by the rules of the C compiler.
 *
 * All is worked out in an info and a dict that nobody else sees; structure.c publishes both. */
#include "ctypes.h"

/* What is being laid out. */
typedef struct {
    ctypes_info *info;
    const ctypes_info *base;            /* of the base class, or NULL */
    PyObject *descriptors;              /* borrowed: name -> field */
    PyObject *format;                   /* owned str, or NULL: not expressible */
    bool is_union, from_top;             /* from_top: bit fields start at the highest bit */
    Py_ssize_t pack;                    /* 0: natural alignment */
    Py_ssize_t size, align;
    Py_ssize_t offset;                  /* of the next field */
    Py_ssize_t unit_bits;               /* of the storage of the open bit field; 0: none is open */
    Py_ssize_t bits;                    /* used of it */
} layout;

/* One item of _fields_. */
typedef struct {
    PyObject *name, *type;              /* borrowed from the pair */
    int bits;                           /* 0: not a bit field */
} declaration;

/* ---- Reading _fields_ ---- */

static int parse_declaration(PyTypeObject *owner, PyObject *pair, Py_ssize_t index, declaration *d)
{
    *d = (declaration){0};
    if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "UO|i", &d->name, &d->type, &d->bits)) {
        PyErr_SetString(PyExc_TypeError, "'_fields_' must be a sequence of (name, C type) pairs");
        return -1;
    }
    if (d->type == (PyObject *)owner) {
        PyErr_SetString(PyExc_AttributeError, "Structure or union cannot contain itself");
        return -1;
    }
    ctypes_info *info = ctypes_info_of_class(d->type) != NULL ? ctypes_info_finish((PyTypeObject *)d->type) : NULL;
    if (info == NULL) {
        PyErr_Format(PyExc_TypeError, "second item in _fields_ tuple (index %zd) must be a C type", index);
        return -1;
    }
    if (PyTuple_GET_SIZE(pair) < 3)
        return 0;
    if (info->kind != KIND_SIMPLE || !ctypes_code_is_integer(info->access.code)) {
        PyErr_Format(PyExc_TypeError, "bit fields not allowed for type %s", ((PyTypeObject *)d->type)->tp_name);
        return -1;
    }
    if (d->bits <= 0 || d->bits > info->size * 8) {
        PyErr_SetString(PyExc_ValueError, "number of bits invalid for bit field");
        return -1;
    }
    return 0;
}

/* _pack_: 0 if there is none; -1 with an exception. */
static Py_ssize_t pack_of(PyTypeObject *type)
{
    PyObject *value;
    int found = ctypes_find_attribute((PyObject *)type, "_pack_", &value);
    if (found <= 0)
        return found;
    int pack = PyLong_AsInt(value);
    Py_DECREF(value);
    if (pack >= 0)
        return pack;
    if (PyErr_Occurred()
        && !(PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_OverflowError)))
        return -1;
    PyErr_Clear();
    PyErr_SetString(PyExc_ValueError, "_pack_ must be a non-negative integer");
    return -1;
}

/* ---- Placing ---- */

static void overflow(void) { PyErr_SetString(PyExc_OverflowError, "structure too large"); }

/* Aligns and advances: 0, or -1 with an exception. */
static int place_whole(layout *l, const ctypes_info *field)
{
    Py_ssize_t align = l->pack != 0 && l->pack < field->align ? l->pack : field->align;
    Py_ssize_t gap = (align - l->offset % align) % align;
    if (field->size > PY_SSIZE_T_MAX - l->offset - gap - 64) {
        overflow();
        return -1;
    }
    l->offset += gap + field->size;
    if (align > l->align)
        l->align = align;
    return 0;
}

/* Finds room for a bit field: in the open storage, in a wider one at the same place, or in a new one. A narrow type in
 * wider storage takes the slot of its own size there that holds its bits. */
static int place_bits(layout *l, const ctypes_info *field, int bits, ctypes_access *access, Py_ssize_t *offset)
{
    Py_ssize_t own_bits = field->size * 8, position = l->bits;
    if (position / own_bits != (position + bits - 1) / own_bits)
        position = (position + own_bits - 1) / own_bits * own_bits;
    if (l->unit_bits != 0 && own_bits > l->unit_bits && l->bits + bits <= own_bits) {
        l->offset += field->size - l->unit_bits / 8;
        l->unit_bits = own_bits;
    }
    else if (l->unit_bits == 0 || position + bits > l->unit_bits) {
        if (place_whole(l, field) < 0)
            return -1;
        l->unit_bits = own_bits;
        position = 0;
    }
    *offset = l->offset - l->unit_bits / 8 + position / own_bits * field->size;
    access->bit_count = (uint8_t)bits;
    /* The other byte order counts from the top. */
    Py_ssize_t from_slot = position % own_bits;
    access->bit_start = (uint8_t)(l->from_top ? own_bits - from_slot - bits : from_slot);
    l->bits = position + bits;
    return 0;
}

/* How the field is read: text for arrays of characters, what its type says otherwise. */
static ctypes_access access_of(const ctypes_info *field)
{
    ctypes_access access = {.size = field->size};
    if (field->kind == KIND_SIMPLE)
        access.swapped = field->access.swapped;
    if (field->kind == KIND_ARRAY) {
        const ctypes_info *item = ctypes_info_find(field->item);
        if (item->kind == KIND_SIMPLE && item->access.code->kind == CODE_CHAR)
            access.code = &ctypes_code_chars;
        else if (item->kind == KIND_SIMPLE && item->access.code->kind == CODE_WCHAR)
            access.code = &ctypes_code_wchars;
    }
    return access;
}

/* "(2,3)<i:name:" behind the format so far. */
static int extend_format(layout *l, const ctypes_info *field, PyObject *name)
{
    if (l->format == NULL)
        return 0;
    PyObject *shape = PyUnicode_FromString(field->ndim > 0 ? "(" : "");
    for (int i = 0; shape != NULL && i < field->ndim; i++)
        Py_SETREF(shape, PyUnicode_FromFormat(i + 1 < field->ndim ? "%U%zd," : "%U%zd)", shape, field->shape[i]));
    if (shape != NULL)
        Py_SETREF(l->format, PyUnicode_FromFormat("%U%U%s:%U:", l->format, shape,
                                                  field->format != NULL ? field->format : "B", name));
    int result = shape != NULL && l->format != NULL ? 0 : -1;
    Py_XDECREF(shape);
    return result;
}

static int add_field(layout *l, PyTypeObject *owner, PyObject *pair, Py_ssize_t index)
{
    declaration d;
    if (parse_declaration(owner, pair, index, &d) < 0)
        return -1;
    PyTypeObject *type = (PyTypeObject *)d.type;
    ctypes_info *field = ctypes_info_find(type);
    ctypes_access access = access_of(field);
    if (l->is_union)
        l->offset = l->unit_bits = l->bits = 0;
    Py_ssize_t offset;
    if (d.bits != 0) {
        access.code = field->access.code;
        if (place_bits(l, field, d.bits, &access, &offset) < 0)
            return -1;
        l->info->has_odd_layout = true;
    }
    else {
        l->unit_bits = l->bits = 0;
        if (place_whole(l, field) < 0)
            return -1;
        offset = l->offset - field->size;
    }
    if (l->offset > l->size)
        l->size = l->offset;
    l->info->has_pointers |= field->has_pointers;
    l->info->has_odd_layout |= field->has_odd_layout;
    l->info->members[l->info->length++] =
        (ctypes_member){.name = Py_NewRef(d.name), .type = (PyTypeObject *)Py_NewRef(type), .offset = offset};
    if (extend_format(l, field, d.name) < 0)
        return -1;
    PyObject *descr = ctypes_field_new(owner, type, offset, l->info->length - 1, &access);
    int result = descr != NULL ? PyDict_SetItem(l->descriptors, d.name, descr) : -1;
    Py_XDECREF(descr);
    return result;
}

/* ---- Anonymous members ---- */

/* What a sequence, perhaps a list that other threads change, holds at one moment. */
static PyObject *own_tuple(PyObject *sequence, const char *message)
{
    PyObject *fast = PySequence_Fast(sequence, message), *tuple = fast != NULL ? PySequence_Tuple(fast) : NULL;
    Py_XDECREF(fast);
    return tuple;
}

/* The fields of an anonymous member become attributes of the structure. */
static int add_inner(layout *l, PyTypeObject *owner, ctypes_field *outer)
{
    PyObject *fields = PyObject_GetAttrString((PyObject *)outer->type, "_fields_"), *list;
    list = fields != NULL ? own_tuple(fields, "_fields_ must be a sequence") : NULL;
    Py_XDECREF(fields);
    if (list == NULL)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(list); i++) {
        PyObject *pair = Py_NewRef(PyTuple_GET_ITEM(list, i)), *name, *type, *copy = NULL, *descr = NULL;
        int bits;
        result = -1;
        if (PyArg_ParseTuple(pair, "UO|i", &name, &type, &bits)
            && (descr = PyObject_GetAttr((PyObject *)outer->type, name)) != NULL) {
            ctypes_field *inner = (ctypes_field *)descr;
            if (!Py_IS_TYPE(descr, &ctypes_field_type))
                PyErr_SetString(PyExc_TypeError, "unexpected type");
            else
                copy = ctypes_field_new(owner, inner->type, inner->offset + outer->offset, inner->index + outer->index,
                                        &inner->access);
            if (copy != NULL)           /* what is anonymous itself passes its members on, not its name */
                result = inner->anonymous ? add_inner(l, owner, (ctypes_field *)copy)
                                          : PyDict_SetItem(l->descriptors, name, copy);
        }
        Py_XDECREF(copy);
        Py_XDECREF(descr);
        Py_DECREF(pair);
    }
    Py_DECREF(list);
    return result;
}

static int add_anonymous(layout *l, PyTypeObject *type)
{
    PyObject *names, *list;
    int found = ctypes_find_attribute((PyObject *)type, "_anonymous_", &names), result = 0;
    if (found <= 0)
        return found;
    list = own_tuple(names, "_anonymous_ must be a sequence");
    Py_DECREF(names);
    if (list == NULL)
        return -1;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(list); i++) {
        PyObject *name = Py_NewRef(PyTuple_GET_ITEM(list, i)), *descr = NULL;
        found = PyDict_GetItemRef(l->descriptors, name, &descr);
        if (found == 0)
            descr = PyObject_GetAttr((PyObject *)type, name);
        result = -1;
        if (descr != NULL && !Py_IS_TYPE(descr, &ctypes_field_type))
            PyErr_Format(PyExc_AttributeError, "'%S' is specified in _anonymous_ but not in _fields_", name);
        else if (descr != NULL) {
            if (found > 0)
                ((ctypes_field *)descr)->anonymous = true;      /* nobody else has it yet */
            result = add_inner(l, type, (ctypes_field *)descr);
        }
        Py_XDECREF(descr);
        Py_DECREF(name);
    }
    Py_DECREF(list);
    return result;
}

/* ---- All together ---- */

/* What the base class has comes first. */
static int start(layout *l, Py_ssize_t count)
{
    const ctypes_info *base = l->base;
    Py_ssize_t inherited = base != NULL ? base->length : 0;
    if (count > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(ctypes_member) - inherited
        || (l->info->members = PyMem_Calloc((size_t)(inherited + count) + 1, sizeof(ctypes_member))) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    l->align = 1;
    if (base != NULL) {
        for (; l->info->length < inherited; l->info->length++) {
            l->info->members[l->info->length] = base->members[l->info->length];
            Py_INCREF(base->members[l->info->length].name);
            Py_INCREF(base->members[l->info->length].type);
        }
        l->size = l->offset = base->size;
        l->align = base->align;
        l->info->has_pointers = base->has_pointers;
        l->info->has_odd_layout = base->has_odd_layout;
    }
    l->info->has_odd_layout |= l->is_union || l->pack != 0;
    if (!l->is_union && l->pack == 0 && (l->format = PyUnicode_FromString("T{")) == NULL)
        return -1;
    return 0;
}

static int finish(layout *l)
{
    Py_ssize_t rest = l->size % l->align;
    l->info->size = rest != 0 ? l->size + (l->align - rest) : l->size;
    l->info->align = l->align;
    l->info->own_fields = true;
    const char *format = l->format != NULL ? PyUnicode_AsUTF8(l->format) : "B";
    if (format == NULL)
        return -1;
    l->info->format = ctypes_format_join(format, l->format != NULL ? "}" : "");
    return l->info->format != NULL ? ctypes_ffi_describe(l->info) : -1;
}

ctypes_info *ctypes_layout(PyTypeObject *type, const ctypes_info *base, PyObject *fields, enum ctypes_kind kind,
                           PyObject *descriptors)
{
    layout l = {.base = base, .descriptors = descriptors, .is_union = kind == KIND_UNION};
    PyObject *list = NULL, *swapped;
    int done = 0, found = ctypes_find_attribute((PyObject *)type, "_swappedbytes_", &swapped);
    if (found < 0 || (l.pack = pack_of(type)) < 0)
        goto done;
    l.from_top = (found > 0) == (bool)PY_LITTLE_ENDIAN;
    if (!PySequence_Check(fields)) {
        PyErr_SetString(PyExc_TypeError, "'_fields_' must be a sequence of pairs");
        goto done;
    }
    list = PySequence_Tuple(fields);
    l.info = list != NULL ? ctypes_info_new(kind) : NULL;
    if (l.info == NULL || start(&l, PyTuple_GET_SIZE(list)) < 0)
        goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list); i++)
        if (add_field(&l, type, PyTuple_GET_ITEM(list, i), i) < 0)
            goto done;
    done = add_anonymous(&l, type) == 0 && finish(&l) == 0;
done:
    if (found > 0)
        Py_DECREF(swapped);
    Py_XDECREF(list);
    Py_XDECREF(l.format);
    if (!done) {
        ctypes_info_free(l.info);
        l.info = NULL;
    }
    return l.info;
}

ctypes_info *ctypes_layout_inherited(const ctypes_info *base, enum ctypes_kind kind)
{
    layout l = {.base = base, .is_union = kind == KIND_UNION, .info = ctypes_info_new(kind)};
    if (l.info == NULL)
        return NULL;
    int done = start(&l, 0) == 0;
    Py_XDECREF(l.format);
    l.info->size = l.size;
    l.info->align = l.align;
    if (done && base != NULL && base->format != NULL)
        done = (l.info->format = ctypes_format_join(base->format, "")) != NULL;
    if (done && ctypes_ffi_describe(l.info) == 0)
        return l.info;
    ctypes_info_free(l.info);
    return NULL;
}
