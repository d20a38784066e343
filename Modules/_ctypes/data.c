/* Data objects: their memory, what they keep alive, and how parts of them are read and written.
 *
 * Locks: objects and blocks under the object's lock; address and size are read without it (ctypes.h says why that is
 * safe). Writing an address and keeping what it refers to is one step under the lock of the outermost object. */
#include "ctypes.h"

#define SELF(op) ((ctypes_data *)(op))

/* ---- Memory ---- */

static ctypes_block *block_new(size_t capacity)
{
    ctypes_block *block = capacity < PY_SSIZE_T_MAX ? PyMem_Calloc(1, sizeof(*block) + capacity) : NULL;
    if (block == NULL)
        PyErr_NoMemory();
    else
        block->capacity = capacity;
    return block;
}

/* Zeroed memory of the size that the class says. 0, or -1 with an exception. */
static int own_memory(ctypes_data *self, Py_ssize_t size)
{
    self->owns_memory = true;
    self->size = size;
    if ((size_t)size <= sizeof(self->value)) {
        self->address = self->value;
        return 0;
    }
    self->blocks = block_new((size_t)size);
    if (self->blocks == NULL)
        return -1;
    self->address = self->blocks->bytes;
    return 0;
}

static int resize_locked(ctypes_data *self, Py_ssize_t size)
{
    size_t capacity = self->blocks != NULL ? self->blocks->capacity : sizeof(self->value);
    if ((size_t)size > capacity) {
        /* More than asked for, so that growing step by step keeps few old blocks. */
        size_t room = capacity + capacity / 2 > (size_t)size ? capacity + capacity / 2 : (size_t)size;
        ctypes_block *block = block_new(room);
        if (block == NULL)
            return -1;
        memcpy(block->bytes, self->address, (size_t)self->size);
        block->next = self->blocks;
        self->blocks = block;
        __atomic_store_n(&self->address, block->bytes, __ATOMIC_RELEASE);   /* pairs with ctypes_address */
    }
    else if (size > self->size)
        memset(self->address + self->size, 0, (size_t)(size - self->size));
    __atomic_store_n(&self->size, size, __ATOMIC_RELEASE);                  /* pairs with ctypes_size */
    return 0;
}

int ctypes_data_resize(PyObject *op, Py_ssize_t size)
{
    ctypes_data *self = SELF(op);
    ctypes_info *info = ctypes_info_find(Py_TYPE(op));
    if (size < info->size) {
        PyErr_Format(PyExc_ValueError, "minimum size is %zd", info->size);
        return -1;
    }
    if (!self->owns_memory) {
        PyErr_SetString(PyExc_ValueError, "Memory cannot be resized because this object doesn't own it");
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = resize_locked(self, size);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Life ---- */

/* An object without memory. The class has to be concrete. */
static PyObject *allocate(PyTypeObject *type, ctypes_info **info)
{
    *info = ctypes_info_finish(type);
    if (*info == NULL || !(*info)->makes_data) {
        PyErr_SetString(PyExc_TypeError, "abstract class");
        return NULL;
    }
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL)
        SELF(op)->length = (*info)->length;
    return op;
}

PyObject *ctypes_data_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ctypes_info *info;
    PyObject *op = allocate(type, &info);
    if (op != NULL && own_memory(SELF(op), info->size) < 0)
        Py_CLEAR(op);
    return op;
}

PyObject *ctypes_data_in(PyTypeObject *type, PyObject *base, Py_ssize_t index, char *address)
{
    ctypes_info *info;
    PyObject *op = allocate(type, &info);
    if (op == NULL)
        return NULL;
    if (base != NULL) {
        SELF(op)->address = address;
        SELF(op)->size = info->size;
        SELF(op)->base = Py_NewRef(base);
        SELF(op)->index = index;
    }
    else if (own_memory(SELF(op), info->size) == 0)
        memcpy(SELF(op)->address, address, (size_t)info->size);
    else
        Py_CLEAR(op);
    return op;
}

PyObject *ctypes_data_at(PyTypeObject *type, char *address)
{
    ctypes_info *info;
    if (PySys_Audit("ctypes.cdata", "n", (Py_ssize_t)address) < 0)
        return NULL;
    PyObject *op = allocate(type, &info);
    if (op != NULL) {
        SELF(op)->address = address;
        SELF(op)->size = info->size;
    }
    return op;
}

int ctypes_data_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(SELF(op)->objects);
    Py_VISIT(SELF(op)->base);
    Py_VISIT(SELF(op)->memory);
    Py_VISIT(SELF(op)->classes);
    return 0;
}

int ctypes_data_clear(PyObject *op)
{
    Py_CLEAR(SELF(op)->objects);
    return 0;
}

void ctypes_data_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(SELF(op)->objects);
    Py_CLEAR(SELF(op)->base);
    Py_CLEAR(SELF(op)->memory);
    Py_CLEAR(SELF(op)->classes);
    for (ctypes_block *block = SELF(op)->blocks, *next; block != NULL; block = next) {
        next = block->next;
        PyMem_Free(block);
    }
    Py_TYPE(op)->tp_free(op);
}

/* ---- What must live ---- */

/* The object whose memory it is in the end. Bases are constant, and each keeps its own alive. */
static PyObject *outermost(PyObject *op)
{
    while (SELF(op)->base != NULL)
        op = SELF(op)->base;
    return op;
}

/* The path from the outermost object to part index of op: "2:0:1f", the innermost first. */
static PyObject *key_of(PyObject *op, Py_ssize_t index)
{
    PyObject *key = PyUnicode_FromFormat("%x", (int)index);
    for (; key != NULL && SELF(op)->base != NULL; op = SELF(op)->base)
        Py_SETREF(key, PyUnicode_FromFormat("%U:%x", key, (int)SELF(op)->index));
    return key;
}

/* The dict of an object with parts, made when it is first needed; None for a single value that keeps nothing. */
static PyObject *kept_by(PyObject *root)
{
    PyObject *kept, *fresh = NULL;
    if (SELF(root)->length != 0 && (fresh = PyDict_New()) == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(root);
    if (SELF(root)->objects == NULL) {
        SELF(root)->objects = fresh != NULL ? fresh : Py_NewRef(Py_None);
        fresh = NULL;
    }
    kept = Py_NewRef(SELF(root)->objects);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(fresh);
    return kept;
}

PyObject *ctypes_kept(PyObject *op) { return kept_by(outermost(op)); }

int ctypes_keep(PyObject *op, Py_ssize_t index, PyObject *keep)
{
    if (keep == Py_None) {
        Py_DECREF(keep);
        return 0;
    }
    PyObject *root = outermost(op), *kept = kept_by(root), *old = NULL, *key;
    int result = -1;
    if (kept == NULL)
        goto done;
    if (!PyDict_CheckExact(kept)) {
        Py_BEGIN_CRITICAL_SECTION(root);
        old = SELF(root)->objects;
        SELF(root)->objects = keep;
        Py_END_CRITICAL_SECTION();
        keep = NULL;
        result = 0;
        goto done;
    }
    key = key_of(op, index);
    if (key != NULL)
        result = PyDict_SetItem(kept, key, keep);
    Py_XDECREF(key);
done:
    Py_XDECREF(kept);
    Py_XDECREF(keep);
    Py_XDECREF(old);
    return result;
}

int ctypes_share_kept(PyObject *to, PyObject *from)
{
    PyObject *kept = ctypes_kept(from), *old;
    if (kept == NULL)
        return -1;
    /* Source and result share one dict: what is stored through either stays alive for both. */
    if (PyDict_CheckExact(kept)) {
        PyObject *key = PyLong_FromVoidPtr(from);
        int failed = key == NULL || PyDict_SetItem(kept, key, from) < 0;
        Py_XDECREF(key);
        if (failed) {
            Py_DECREF(kept);
            return -1;
        }
    }
    Py_BEGIN_CRITICAL_SECTION(to);
    old = SELF(to)->objects;
    SELF(to)->objects = kept;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

/* ---- Reading and writing ---- */

/* Does the memory hold the address of something that the outermost object keeps alive? */
static bool refers(const ctypes_access *access)
{
    int kind = access->code->kind;
    return kind == CODE_STRING || kind == CODE_WSTRING || kind == CODE_OBJECT;
}

/* A string must not be replaced while it is copied. (References to objects are safe to take without the lock.) */
static PyObject *get_locked_string(const ctypes_access *access, PyObject *owner, char *address)
{
    PyObject *root = outermost(owner), *value;
    Py_BEGIN_CRITICAL_SECTION(root);
    value = ctypes_code_get(access, address);
    Py_END_CRITICAL_SECTION();
    return value;
}

PyObject *ctypes_get(PyTypeObject *type, const ctypes_access *access, PyObject *owner, Py_ssize_t index, char *address)
{
    if (access == NULL || access->code == NULL) {
        ctypes_info *info = ctypes_info_find(type);
        if (!info->direct)
            return ctypes_data_in(type, owner, index, address);
        access = &info->access;
    }
    return refers(access) && access->code->kind != CODE_OBJECT ? get_locked_string(access, owner, address)
                                                               : ctypes_code_get(access, address);
}

static PyObject *incompatible(PyObject *value, PyTypeObject *type)
{
    PyErr_Format(PyExc_TypeError, "incompatible types, %s instance instead of %s instance", Py_TYPE(value)->tp_name,
                 type->tp_name);
    return NULL;
}

static bool ends_with(PyObject *key, PyObject *end)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(key), m = PyUnicode_GET_LENGTH(end);
    const char *p = PyUnicode_DATA(key);
    return n >= m && memcmp(p + n - m, PyUnicode_DATA(end), (size_t)m) == 0 && (n == m || p[n - m - 1] == ':');
}

/* What the dict of an outermost object has for its part at path, for the parts of that, and for what that is part of. Caller holds kept's
 * lock, and nobody else finds the result.  Takes a look at each entry: paths do not say how deep they go. */
static PyObject *part_of_kept_locked(PyObject *kept, PyObject *path)
{
    PyObject *result = PyDict_New(), *key, *item;
    Py_ssize_t i = 0;
    if (result == NULL)
        return NULL;
    PyObject_GC_UnTrack(result);
    while (PyDict_Next(kept, &i, &key, &item))
        /* `_objects` shows the dict: there may be other keys in it */
        if (PyUnicode_CheckExact(key) && PyUnicode_IS_COMPACT_ASCII(key) && (ends_with(key, path) || ends_with(path, key))
            && PyDict_SetItem(result, key, item) < 0) {
            Py_DECREF(result);
            return NULL;
        }
    PyObject_GC_Track(result);
    return result;
}

/* Copies the memory of value. Returns  what it refers to, as it is at that moment: later stores into value go to its own dict; or NULL */
static PyObject *copy_data(PyObject *value, char *address, size_t size)
{
    PyObject *root = outermost(value), *kept = ctypes_kept(value), *path = NULL, *copy = NULL;
    if (kept == NULL || (value != root && (path = key_of(SELF(value)->base, SELF(value)->index)) == NULL)) {
        Py_XDECREF(kept);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION2(root, PyDict_CheckExact(kept) ? kept : root);
    memmove(address, ctypes_address(value), size);
    copy = !PyDict_CheckExact(kept) ? Py_NewRef(SELF(root)->objects)
           : path == NULL           ? PyDict_Copy(kept)
                                    : part_of_kept_locked(kept, path);
    Py_END_CRITICAL_SECTION2();
    Py_XDECREF(path);
    Py_DECREF(kept);
    return copy;
}

/* Stores a data object. What to keep, as ctypes_code_set. */
static PyObject *store_data(PyTypeObject *type, ctypes_info *info, PyObject *value, char *address)
{
    int is_instance = PyObject_IsInstance(value, (PyObject *)type);
    if (is_instance < 0)
        return NULL;
    if (is_instance) {
        return copy_data(value, address, (size_t)info->size);
    }
    ctypes_info *given = ctypes_info_find(Py_TYPE(value));
    if (info->kind != KIND_POINTER || given->kind != KIND_ARRAY || info->item == NULL)
        return incompatible(value, type);
    int fits = PyObject_IsSubclass((PyObject *)given->item, (PyObject *)info->item);
    if (fits <= 0)
        return fits < 0 ? NULL : incompatible(value, type);
    /* An array decays to a pointer to its first item. */
    char *first = ctypes_address(value);
    memcpy(address, &first, sizeof(first));
    PyObject *kept = ctypes_kept(value);
    PyObject *keep = kept != NULL ? PyTuple_Pack(2, kept, value) : NULL;
    Py_XDECREF(kept);
    return keep;
}

/* The exception of making an object from a tuple says of which class. */
static void name_class(PyTypeObject *type)
{
    PyObject *exc = PyErr_GetRaisedException();
    const char *name = PyExceptionClass_Name((PyObject *)Py_TYPE(exc));
    const char *dot = strrchr(name, '.');
    PyErr_Format(PyExc_RuntimeError, "(%s) %s: %S", type->tp_name, dot != NULL ? dot + 1 : name, exc);
    Py_DECREF(exc);
}

static PyObject *store(PyTypeObject *type, const ctypes_access *access, PyObject *value, char *address)
{
    ctypes_info *info = ctypes_info_find(type);
    if (access != NULL && access->code != NULL && (access->bit_count == 0 || !ctypes_is_data(value)))
        return ctypes_code_set(access, address, value);
    if (ctypes_is_data(value)) {
        if (access == NULL || access->bit_count == 0)
            return store_data(type, info, value, address);
        /* A bit field takes the number out of an object of its type. */
        int is_instance = PyObject_IsInstance(value, (PyObject *)type);
        if (is_instance <= 0)
            return is_instance < 0 ? NULL : incompatible(value, type);
        PyObject *number = ctypes_code_get(&info->access, ctypes_address(value));
        PyObject *keep = number != NULL ? ctypes_code_set(access, address, number) : NULL;
        Py_XDECREF(number);
        return keep;
    }
    if (info->kind == KIND_SIMPLE)
        return ctypes_code_set(&info->access, address, value);
    if (PyTuple_Check(value)) {
        PyObject *op = PyObject_CallObject((PyObject *)type, value), *keep = NULL;
        if (op == NULL)
            name_class(type);
        else if (!ctypes_is_data(op))
            PyErr_Format(PyExc_TypeError, "expected %s instance, got %s", type->tp_name, Py_TYPE(op)->tp_name);
        else
            keep = store_data(type, info, op, address);
        Py_XDECREF(op);
        return keep;
    }
    if (info->kind == KIND_POINTER && value == Py_None) {
        memset(address, 0, sizeof(void *));
        return Py_NewRef(Py_None);
    }
    PyErr_Format(PyExc_TypeError, "expected %s instance, got %s", type->tp_name, Py_TYPE(value)->tp_name);
    return NULL;
}

int ctypes_set(PyTypeObject *type, const ctypes_access *access, PyObject *owner, PyObject *value, Py_ssize_t index,
               char *address)
{
    int result;
    bool has_access = access != NULL && access->code != NULL;
    if (has_access ? !refers(access) : !ctypes_info_find(type)->has_pointers) {
        PyObject *keep = store(type, access, value, address);
        return keep != NULL ? ctypes_keep(owner, index, keep) : -1;
    }
    /* What the memory refers to and what is kept change together: else one of two writers would leave the address of
     * the one and what the other one kept. */
    PyObject *root = outermost(owner);
    Py_BEGIN_CRITICAL_SECTION(root);
    PyObject *keep = store(type, access, value, address);
    result = keep != NULL ? ctypes_keep(owner, index, keep) : -1;
    Py_END_CRITICAL_SECTION();
    return result;
}

int ctypes_point_to(PyObject *op, PyObject *target)
{
    char *address = ctypes_address(target);
    PyObject *root = outermost(op), *kept = ctypes_kept(target);
    int result;
    if (kept == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(root);
    memcpy(ctypes_address(op), &address, sizeof(address));
    result = ctypes_keep(op, 1, Py_NewRef(target)) < 0 ? -1 : ctypes_keep(op, 0, Py_NewRef(kept));
    Py_END_CRITICAL_SECTION();
    Py_DECREF(kept);
    return result;
}

/* ---- The buffer protocol ---- */

/* The class of op, which lives as long as op from now on, whatever class op is given: a view shows format and shape of the one that it was
 * made for.  `classes` is a chain of tuples (class, rest or None), which nobody can change.  NULL with MemoryError */
static PyTypeObject *remember_class_borrowed(PyObject *op)
{
    PyObject *type = Py_NewRef((PyObject *)Py_TYPE(op)), *link;
    Py_BEGIN_CRITICAL_SECTION(op);
    link = SELF(op)->classes;
    while (link != NULL && link != Py_None && PyTuple_GET_ITEM(link, 0) != type)
        link = PyTuple_GET_ITEM(link, 1);
    if (link == NULL || link == Py_None) {
        link = PyTuple_Pack(2, type, SELF(op)->classes != NULL ? SELF(op)->classes : Py_None);
        if (link != NULL)
            Py_XSETREF(SELF(op)->classes, link);
    }
    Py_END_CRITICAL_SECTION();
    Py_DECREF(type);
    return link != NULL ? (PyTypeObject *)type : NULL;
}

static int get_buffer(PyObject *op, Py_buffer *view, int flags)
{
    PyTypeObject *type = remember_class_borrowed(op);
    if (type == NULL)
        return -1;
    ctypes_info *info = ctypes_info_find(type), *item = info;
    while (item->kind == KIND_ARRAY)
        item = ctypes_info_find(item->item);
    view->len = ctypes_size(op);
    view->buf = ctypes_address(op);
    view->obj = Py_NewRef(op);
    view->readonly = 0;
    view->format = info->format != NULL ? info->format : "B";
    view->ndim = info->ndim;
    view->shape = info->shape;
    view->itemsize = item->size;
    view->strides = NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

static PyBufferProcs data_as_buffer = {.bf_getbuffer = get_buffer};

/* ---- Pickling ---- */

static PyObject *reduce(PyObject *op, PyObject *unused)
{
    ctypes_info *info = ctypes_info_find(Py_TYPE(op));
    PyObject *module = NULL, *unpickle = NULL, *dict = NULL, *result = NULL;
    if (info->has_pointers) {
        PyErr_SetString(PyExc_ValueError, "ctypes objects containing pointers cannot be pickled");
        return NULL;
    }
    dict = PyObject_GetAttrString(op, "__dict__");
    module = dict != NULL ? PyImport_ImportModule("_ctypes") : NULL;
    unpickle = module != NULL ? PyObject_GetAttrString(module, "_unpickle") : NULL;
    if (unpickle != NULL) {
        Py_ssize_t size = ctypes_size(op);
        PyObject *bytes = PyBytes_FromStringAndSize(ctypes_address(op), size);
        if (bytes != NULL)
            result = Py_BuildValue("O(O(ON))", unpickle, Py_TYPE(op), dict, bytes);
    }
    Py_XDECREF(dict);
    Py_XDECREF(module);
    Py_XDECREF(unpickle);
    return result;
}

static PyObject *set_state(PyObject *op, PyObject *args)
{
    PyObject *state, *dict, *updated = NULL;
    const char *bytes;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "O!s#", &PyDict_Type, &state, &bytes, &size))
        return NULL;
    Py_ssize_t room = ctypes_size(op);
    memmove(ctypes_address(op), bytes, (size_t)(size < room ? size : room));
    dict = PyObject_GetAttrString(op, "__dict__");
    if (dict == NULL)
        return NULL;
    if (!PyDict_Check(dict))
        PyErr_Format(PyExc_TypeError, "%.200s.__dict__ must be a dictionary, not %.200s", Py_TYPE(op)->tp_name,
                     Py_TYPE(dict)->tp_name);
    else if (PyDict_Update(dict, state) == 0)
        updated = Py_NewRef(Py_None);
    Py_DECREF(dict);
    return updated;
}

/* ---- The type ---- */

PyObject *ctypes_from_outparam(PyObject *op, PyObject *unused)
{
    ctypes_info *info = ctypes_info_find(Py_TYPE(op));
    return info->direct ? ctypes_code_get(&info->access, ctypes_address(op)) : Py_NewRef(op);
}

static Py_hash_t no_hash(PyObject *op)
{
    PyErr_SetString(PyExc_TypeError, "unhashable type");
    return -1;
}

static PyObject *get_objects(PyObject *op, void *unused)
{
    PyObject *objects;
    Py_BEGIN_CRITICAL_SECTION(op);
    objects = Py_XNewRef(SELF(op)->objects);
    Py_END_CRITICAL_SECTION();
    return objects != NULL ? objects : Py_NewRef(Py_None);
}

static PyObject *get_base(PyObject *op, void *unused)
{
    return Py_NewRef(SELF(op)->base != NULL ? SELF(op)->base : Py_None);
}

static PyObject *get_needs_free(PyObject *op, void *unused) { return PyLong_FromLong(SELF(op)->owns_memory); }

static PyObject *get_class(PyObject *op, void *unused) { return Py_NewRef((PyObject *)Py_TYPE(op)); }

/* An object may become one of another class if its memory means the same there. */
static int set_class(PyObject *op, PyObject *value, void *unused)
{
    ctypes_info *old = ctypes_info_find(Py_TYPE(op));
    ctypes_info *info = value != NULL && PyType_Check(value) ? ctypes_info_finish((PyTypeObject *)value) : NULL;
    if (value != NULL && PyType_Check(value)
        && (info == NULL || info->kind != old->kind || info->size != old->size || info->length != old->length
            || info->item != old->item || info->access.code != old->access.code)) {
        PyErr_Format(PyExc_TypeError, "__class__ assignment: memory of '%.200s' differs from that of '%.200s'",
                     ((PyTypeObject *)value)->tp_name, Py_TYPE(op)->tp_name);
        return -1;
    }
    if (info != NULL && remember_class_borrowed(op) == NULL)
        return -1;
    PyObject *descr = PyDict_GetItemString(PyBaseObject_Type.tp_dict, "__class__");
    return Py_TYPE(descr)->tp_descr_set(descr, op, value);
}

static PyGetSetDef data_getset[] = {
    {"__class__", get_class, set_class, "The class of the object.", NULL},
    {"_b_base_", get_base, NULL, "The object in whose memory it lies, or None.", NULL},
    {"_b_needsfree_", get_needs_free, NULL, "1 if the memory is its own, else 0.", NULL},
    {"_objects", get_objects, NULL, "What has to live as long as the object. Not to be changed.", NULL},
    {NULL},
};

static PyMethodDef data_methods[] = {
    {"__ctypes_from_outparam__", ctypes_from_outparam, METH_NOARGS, "What a function with this output returns."},
    {"__reduce__", reduce, METH_NOARGS, "For pickling: the class, the attributes and the bytes."},
    {"__setstate__", set_state, METH_VARARGS, "For unpickling: takes attributes and bytes."},
    {NULL},
};

PyTypeObject ctypes_data_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes._CData",
    .tp_basicsize = sizeof(ctypes_data),
    .tp_dealloc = ctypes_data_dealloc,
    .tp_hash = no_hash,
    .tp_as_buffer = &data_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "What all data types of C have in common.",
    .tp_traverse = ctypes_data_traverse,
    .tp_clear = ctypes_data_clear,
    .tp_methods = data_methods,
    .tp_getset = data_getset,
};
