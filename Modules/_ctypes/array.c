/* Arrays: _ctypes.Array, its metaclass, and the classes that `type * length` makes.
 *
 * Locks: the table of array classes belongs to the class of the items and is a dict; its slot is filled under the lock
 * of that class. Entries are weak references: an array class may go when nobody uses it, and is then made again. */
#include "ctypes.h"

/* ---- Text in arrays ---- */

static PyObject *get_char_value(PyObject *op, void *unused)
{
    ctypes_access access = {.code = &ctypes_code_chars, .size = ctypes_size(op)};
    return ctypes_code_get(&access, ctypes_address(op));
}

static int no_delete(PyObject *value, PyObject *exception, const char *message)
{
    if (value == NULL)
        PyErr_SetString(exception, message);
    return value == NULL ? -1 : 0;
}

static int set_char_value(PyObject *op, PyObject *value, void *unused)
{
    if (no_delete(value, PyExc_TypeError, "can't delete attribute") < 0)
        return -1;
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "bytes expected instead of %s instance", Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(value), room = ctypes_size(op);
    if (size > room) {
        PyErr_SetString(PyExc_ValueError, "byte string too long");
        return -1;
    }
    memcpy(ctypes_address(op), PyBytes_AS_STRING(value), (size_t)(size < room ? size + 1 : size));
    return 0;
}

static PyObject *get_char_raw(PyObject *op, void *unused)
{
    Py_ssize_t size = ctypes_size(op);
    return PyBytes_FromStringAndSize(ctypes_address(op), size);
}

static int set_char_raw(PyObject *op, PyObject *value, void *unused)
{
    Py_buffer view;
    if (no_delete(value, PyExc_AttributeError, "cannot delete attribute") < 0
        || PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int fits = view.len <= ctypes_size(op);
    if (fits)
        memmove(ctypes_address(op), view.buf, (size_t)view.len);
    else
        PyErr_SetString(PyExc_ValueError, "byte string too long");
    PyBuffer_Release(&view);
    return fits ? 0 : -1;
}

static PyObject *get_wide_value(PyObject *op, void *unused)
{
    ctypes_access access = {.code = &ctypes_code_wchars, .size = ctypes_size(op)};
    return ctypes_code_get(&access, ctypes_address(op));
}

static int set_wide_value(PyObject *op, PyObject *value, void *unused)
{
    if (no_delete(value, PyExc_TypeError, "can't delete attribute") < 0)
        return -1;
    ctypes_access access = {.code = &ctypes_code_wchars, .size = ctypes_size(op)};
    if (PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value) > access.size / (Py_ssize_t)sizeof(wchar_t)) {
        PyErr_SetString(PyExc_ValueError, "string too long");
        return -1;
    }
    PyObject *keep = ctypes_code_set(&access, ctypes_address(op), value);
    Py_XDECREF(keep);
    return keep != NULL ? 0 : -1;
}

static PyGetSetDef char_getset[] = {
    {"raw", get_char_raw, set_char_raw, "All bytes.", NULL},
    {"value", get_char_value, set_char_value, "The bytes up to the first zero.", NULL},
    {NULL},
};
static PyGetSetDef wide_getset[] = {
    {"value", get_wide_value, set_wide_value, "The text up to the first zero.", NULL},
    {NULL},
};

/* The attributes of arrays of characters. */
static int add_text_attributes(PyTypeObject *type, const ctypes_info *item)
{
    if (item->kind != KIND_SIMPLE)
        return 0;
    PyGetSetDef *table = item->access.code->kind == CODE_CHAR    ? char_getset
                         : item->access.code->kind == CODE_WCHAR ? wide_getset
                                                                 : NULL;
    for (; table != NULL && table->name != NULL; table++) {
        PyObject *descr = PyDescr_NewGetSet(type, table), *name = PyUnicode_InternFromString(table->name);
        int failed = descr == NULL || name == NULL || ctypes_class_set_attribute(type, name, descr) < 0;
        Py_XDECREF(descr);
        Py_XDECREF(name);
        if (failed)
            return -1;
    }
    return 0;
}

/* ---- The metaclass ---- */

/* The attribute _length_: -1 with an exception. */
static Py_ssize_t length_of(PyObject *type)
{
    PyObject *value;
    int found = ctypes_find_attribute(type, "_length_", &value);
    if (found <= 0) {
        if (found == 0)
            PyErr_SetString(PyExc_AttributeError, "class must define a '_length_' attribute");
        return -1;
    }
    Py_ssize_t length = -1;
    if (!PyLong_Check(value))
        PyErr_SetString(PyExc_TypeError, "The '_length_' attribute must be an integer");
    else if (_PyLong_Sign(value) < 0)
        PyErr_SetString(PyExc_ValueError, "The '_length_' attribute must not be negative");
    else if ((length = PyLong_AsSsize_t(value)) == -1 && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_OverflowError, "The '_length_' attribute is too large");
    }
    Py_DECREF(value);
    return length;
}

static ctypes_info *describe(PyObject *item_type, Py_ssize_t length)
{
    ctypes_info *item = ctypes_info_of_class(item_type) != NULL ? ctypes_info_finish((PyTypeObject *)item_type) : NULL;
    if (item == NULL) {
        PyErr_SetString(PyExc_TypeError, "_type_ must have storage info");
        return NULL;
    }
    if (item->size != 0 && length > PY_SSIZE_T_MAX / item->size) {
        PyErr_SetString(PyExc_OverflowError, "array too large");
        return NULL;
    }
    ctypes_info *info = ctypes_info_new(KIND_ARRAY);
    if (info == NULL)
        return NULL;
    info->length = length;
    info->size = length * item->size;
    info->align = item->align;
    info->item = (PyTypeObject *)Py_NewRef(item_type);
    info->has_pointers = item->has_pointers;
    info->has_odd_layout = item->has_odd_layout;
    info->ndim = item->ndim + 1;
    info->format = ctypes_format_join(item->format != NULL ? item->format : "B", "");
    info->shape = PyMem_New(Py_ssize_t, (size_t)info->ndim);
    if (info->format != NULL && info->shape != NULL) {
        info->shape[0] = length;
        if (item->ndim > 0)
            memcpy(info->shape + 1, item->shape, sizeof(Py_ssize_t) * (size_t)item->ndim);
        if (ctypes_ffi_describe(info) == 0)
            return info;
    }
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    ctypes_info_free(info);
    return NULL;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwargs), *item = NULL;
    if (type == NULL)
        return type;
    ctypes_info *info = NULL;
    Py_ssize_t length = length_of(type);
    if (length >= 0) {
        int found = ctypes_find_attribute(type, "_type_", &item);
        if (found > 0)
            info = describe(item, length);
        else if (found == 0)
            PyErr_SetString(PyExc_AttributeError, "class must define a '_type_' attribute");
    }
    if (info == NULL || !ctypes_info_publish((PyTypeObject *)type, NULL, info)) {
        ctypes_info_free(info);
        Py_CLEAR(type);
    }
    else if (add_text_attributes((PyTypeObject *)type, ctypes_info_of_class(item)) < 0)
        Py_CLEAR(type);
    Py_XDECREF(item);
    return type;
}

PyTypeObject ctypes_array_meta = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.PyCArrayType",
    .tp_basicsize = sizeof(ctypes_class),
    .tp_dealloc = ctypes_class_dealloc,
    .tp_as_sequence = &ctypes_class_as_sequence,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The class of array types of C.",
    .tp_traverse = ctypes_class_traverse,
    .tp_clear = ctypes_class_clear,
    .tp_methods = ctypes_class_methods,
    .tp_base = &PyType_Type,
    .tp_new = meta_new,
};

/* ---- type * length ---- */

static PyObject *make_class(PyObject *item, Py_ssize_t length)
{
    PyObject *name = PyUnicode_FromFormat("%.200s_Array_%zd", ((PyTypeObject *)item)->tp_name, length);
    PyObject *namespace = Py_BuildValue("{s:n,s:O}", "_length_", length, "_type_", item), *type = NULL;
    if (name != NULL && namespace != NULL)
        type = PyObject_CallFunction((PyObject *)&ctypes_array_meta, "O(O)O", name, &ctypes_array_type, namespace);
    Py_XDECREF(name);
    Py_XDECREF(namespace);
    return type;
}

/* The table of array classes of this item type, a new reference. */
static PyObject *table_of(ctypes_class *item)
{
    PyObject *fresh = PyDict_New(), *table;
    if (fresh == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(item);
    if (item->arrays == NULL) {
        item->arrays = fresh;
        fresh = NULL;
    }
    table = Py_NewRef(item->arrays);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(fresh);
    return table;
}

/* The living class under this key: 1; 0 if there is none. */
static int find_class(PyObject *table, PyObject *key, PyObject **type)
{
    PyObject *ref;
    *type = NULL;
    int found = PyDict_GetItemRef(table, key, &ref);
    if (found <= 0)
        return found;
    found = PyWeakref_GetRef(ref, type);
    Py_DECREF(ref);
    return found;
}

/* Puts the class into the table, unless another thread's is there already. Steals type; the one to use. */
static PyObject *settle(PyObject *table, PyObject *key, PyObject *type)
{
    PyObject *ref = PyWeakref_NewRef(type, NULL), *winner = NULL, *other;
    int found = -1;
    if (ref != NULL && PyDict_SetDefaultRef(table, key, ref, &winner) >= 0 && winner == ref)
        found = 0;
    else if (ref != NULL && winner != NULL) {
        found = find_class(table, key, &other);
        if (found > 0)
            Py_SETREF(type, other);
        else if (found == 0)            /* a dead one */
            found = PyDict_SetItem(table, key, ref);
    }
    Py_XDECREF(ref);
    Py_XDECREF(winner);
    if (found < 0)
        Py_CLEAR(type);
    return type;
}

PyObject *ctypes_array_class(PyObject *item, Py_ssize_t length)
{
    if (length < 0) {
        PyErr_Format(PyExc_ValueError, "Array length must be >= 0, not %zd", length);
        return NULL;
    }
    if (ctypes_info_of_class(item) == NULL) {
        PyErr_SetString(PyExc_TypeError, "_type_ must have storage info");
        return NULL;
    }
    PyObject *table = table_of((ctypes_class *)item), *key = PyLong_FromSsize_t(length), *type = NULL;
    if (table != NULL && key != NULL && find_class(table, key, &type) == 0 && (type = make_class(item, length)) != NULL)
        type = settle(table, key, type);
    Py_XDECREF(table);
    Py_XDECREF(key);
    return type;
}

/* ---- Items ---- */

static PyObject *gather_bytes(const char *first, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, count);
    for (Py_ssize_t i = 0; bytes != NULL && i < count; i++)
        PyBytes_AS_STRING(bytes)[i] = first[start + i * step];
    return bytes;
}

static PyObject *gather_text(const wchar_t *first, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count)
{
    if (step == 1)
        return ctypes_text(first + start, count);
    wchar_t *copy = PyMem_New(wchar_t, count > 0 ? (size_t)count : 1);
    if (copy == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++)
        copy[i] = first[start + i * step];
    PyObject *text = PyUnicode_FromWideChar(copy, count);
    PyMem_Free(copy);
    return text;
}

PyObject *ctypes_items(PyObject *op, PyTypeObject *item, char *first, Py_ssize_t start, Py_ssize_t step,
                       Py_ssize_t count)
{
    ctypes_info *info = ctypes_info_find(item);
    if (info->kind == KIND_SIMPLE && info->access.code->kind == CODE_CHAR)
        return gather_bytes(first, start, step, count);
    if (info->kind == KIND_SIMPLE && info->access.code->kind == CODE_WCHAR)
        return gather_text((wchar_t *)first, start, step, count);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0, index = start; list != NULL && i < count; i++, index += step) {
        PyObject *value = ctypes_get(item, NULL, op, index, first + index * info->size);
        if (value == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, value);
    }
    return list;
}

static bool is_index(PyObject *op, Py_ssize_t index)
{
    if (index >= 0 && index < ctypes_as_data(op)->length)
        return true;
    PyErr_SetString(PyExc_IndexError, "invalid index");
    return false;
}

static PyObject *get_item(PyObject *op, Py_ssize_t index)
{
    if (!is_index(op, index))
        return NULL;
    PyTypeObject *item = ctypes_info_find(Py_TYPE(op))->item;
    return ctypes_get(item, NULL, op, index, ctypes_address(op) + index * ctypes_info_find(item)->size);
}

static int set_item(PyObject *op, Py_ssize_t index, PyObject *value)
{
    if (no_delete(value, PyExc_TypeError, "Array does not support item deletion") < 0 || !is_index(op, index))
        return -1;
    PyTypeObject *item = ctypes_info_find(Py_TYPE(op))->item;
    return ctypes_set(item, NULL, op, value, index, ctypes_address(op) + index * ctypes_info_find(item)->size);
}

/* An integer key as an index from the start: 0, or -1 with an exception. */
static int index_of(PyObject *op, PyObject *key, Py_ssize_t *index)
{
    *index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (*index == -1 && PyErr_Occurred())
        return -1;
    if (*index < 0)
        *index += ctypes_as_data(op)->length;
    return 0;
}

static PyObject *subscript(PyObject *op, PyObject *key)
{
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(key))
        return index_of(op, key, &start) < 0 ? NULL : get_item(op, start);
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "indices must be integers");
        return NULL;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices(ctypes_as_data(op)->length, &start, &stop, step);
    return ctypes_items(op, ctypes_info_find(Py_TYPE(op))->item, ctypes_address(op), start, step, count);
}

static int set_slice(PyObject *op, PyObject *key, PyObject *value)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return -1;
    Py_ssize_t count = PySlice_AdjustIndices(ctypes_as_data(op)->length, &start, &stop, step);
    Py_ssize_t given = PySequence_Size(value);
    if (given < 0)
        return -1;
    if (given != count) {
        PyErr_SetString(PyExc_ValueError, "Can only assign sequence of same size");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++, start += step) {
        PyObject *item = PySequence_GetItem(value, i);
        int result = item != NULL ? set_item(op, start, item) : -1;
        Py_XDECREF(item);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int set_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    Py_ssize_t index;
    if (no_delete(value, PyExc_TypeError, "Array does not support item deletion") < 0)
        return -1;
    if (PyIndex_Check(key))
        return index_of(op, key, &index) < 0 ? -1 : set_item(op, index, value);
    if (PySlice_Check(key))
        return set_slice(op, key, value);
    PyErr_SetString(PyExc_TypeError, "indices must be integer");
    return -1;
}

static Py_ssize_t array_length(PyObject *op) { return ctypes_as_data(op)->length; }

static int array_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (PySequence_SetItem(op, i, PyTuple_GET_ITEM(args, i)) < 0)
            return -1;
    return 0;
}

static PySequenceMethods array_as_sequence = {.sq_length = array_length, .sq_item = get_item, .sq_ass_item = set_item};
static PyMappingMethods array_as_mapping = {
    .mp_length = array_length, .mp_subscript = subscript, .mp_ass_subscript = set_subscript
};

static PyMethodDef array_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "A generic alias of the class."},
    {NULL},
};

PyTypeObject ctypes_array_type = {
    PyVarObject_HEAD_INIT(&ctypes_array_meta, 0)
    .tp_name = "_ctypes.Array",
    .tp_basicsize = sizeof(ctypes_data),
    .tp_dealloc = ctypes_data_dealloc,
    .tp_as_sequence = &array_as_sequence,
    .tp_as_mapping = &array_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "An array of C.",
    .tp_traverse = ctypes_data_traverse,
    .tp_clear = ctypes_data_clear,
    .tp_methods = array_methods,
    .tp_base = &ctypes_data_type,
    .tp_init = array_init,
    .tp_new = ctypes_data_new,
};
