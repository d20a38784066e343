/* Pointers: _Pointer, its metaclass, POINTER() and pointer(). */
#include "ctypes.h"

PyObject *ctypes_pointer_cache;

/* ---- The metaclass ---- */

static int check_target(PyObject *target)
{
    if (!PyType_Check(target))
        PyErr_SetString(PyExc_TypeError, "_type_ must be a type");
    else if (ctypes_info_of_class(target) == NULL)
        PyErr_SetString(PyExc_TypeError, "_type_ must have storage info");
    else
        return 0;
    return -1;
}

/* "&" and the format of what it points to, with the shape of an array. */
static char *format_of(const ctypes_info *target)
{
    char *format = ctypes_format_join("&", target->format != NULL ? target->format : "B"), *longer;
    if (format == NULL || target->ndim == 0)
        return format;
    PyObject *shape = PyUnicode_FromString("(");
    for (int i = 0; shape != NULL && i < target->ndim; i++)
        Py_SETREF(shape, PyUnicode_FromFormat(i > 0 ? "%U,%zd" : "%U%zd", shape, target->shape[i]));
    if (shape != NULL)
        Py_SETREF(shape, PyUnicode_FromFormat("&%U)", shape));
    const char *prefix = shape != NULL ? PyUnicode_AsUTF8(shape) : NULL;
    longer = prefix != NULL ? ctypes_format_join(prefix, format + 1) : NULL;
    Py_XDECREF(shape);
    PyMem_Free(format);
    return longer;
}

/* The info of a pointer to target, or to something yet unknown (NULL). */
static ctypes_info *describe(PyObject *target)
{
    ctypes_info *info = ctypes_info_new(KIND_POINTER);
    if (info == NULL)
        return NULL;
    info->size = sizeof(void *);
    info->align = _Alignof(void *);
    info->length = 1;
    info->has_pointers = true;
    if (target != NULL) {
        info->item = (PyTypeObject *)Py_NewRef(target);
        info->format = format_of(ctypes_info_of_class(target));
        if (info->format == NULL) {
            ctypes_info_free(info);
            return NULL;
        }
    }
    return info;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwargs), *target = NULL;
    if (type == NULL)
        return NULL;
    /* A subclass does not take over what its base points to. */
    PyObject *dict = PyObject_GetAttrString(type, "__dict__");
    int found = dict != NULL ? PyMapping_GetOptionalItemString(dict, "_type_", &target) : -1;
    ctypes_info *info = NULL;
    Py_XDECREF(dict);
    if (found == 0 || (found > 0 && check_target(target) == 0))
        info = describe(target);
    Py_XDECREF(target);
    if (info == NULL || !ctypes_info_publish((PyTypeObject *)type, NULL, info)) {
        ctypes_info_free(info);
        Py_CLEAR(type);
    }
    return type;
}

static PyObject *set_type(PyObject *type, PyObject *target)
{
    ctypes_info *old = ctypes_info_of_class(type);
    if (check_target(target) < 0)
        return NULL;
    ctypes_info *info = describe(target);
    if (info == NULL)
        return NULL;
    /* The last of several threads wins, as with an attribute. Whoever sets the attribute looks once more, so that it ends as the
     * target that instances are made with. */
    while (!ctypes_info_publish((PyTypeObject *)type, old, info))
        old = ctypes_info_of_class(type);
    do {
        target = (PyObject *)ctypes_info_of_class(type)->item;
        if (PyObject_SetAttrString(type, "_type_", target) < 0)
            return NULL;
    } while ((PyObject *)ctypes_info_of_class(type)->item != target);
    return Py_NewRef(Py_None);
}

PyObject *ctypes_pointer_from_param(PyTypeObject *type, const ctypes_info *info, PyObject *value)
{
    if (info->item == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot create instance: has no _type_");
        return NULL;
    }
    int fits = PyObject_IsInstance(value, (PyObject *)info->item);
    if (fits > 0)
        return ctypes_byref(value, 0);
    ctypes_info *given = fits == 0 && ctypes_is_data(value) ? ctypes_info_find(Py_TYPE(value)) : NULL;
    if (given == NULL || (given->kind != KIND_ARRAY && given->kind != KIND_POINTER) || given->item == NULL)
        return NULL;
    fits = PyObject_IsSubclass((PyObject *)given->item, (PyObject *)info->item);
    return fits > 0 ? Py_NewRef(value) : NULL;
}

static PyMethodDef meta_methods[] = {
    CTYPES_CLASS_METHODS,
    {"set_type", set_type, METH_O, "Says what pointers of this class point to."},
    {NULL},
};

PyTypeObject ctypes_pointer_meta = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.PyCPointerType",
    .tp_basicsize = sizeof(ctypes_class),
    .tp_dealloc = ctypes_class_dealloc,
    .tp_as_sequence = &ctypes_class_as_sequence,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The class of pointer types of C.",
    .tp_traverse = ctypes_class_traverse,
    .tp_clear = ctypes_class_clear,
    .tp_methods = meta_methods,
    .tp_base = &PyType_Type,
    .tp_new = meta_new,
};

/* ---- _Pointer ---- */

static PyObject *pointer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ctypes_info *info = ctypes_info_find(type);
    if (info == NULL || info->item == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot create instance: has no _type_");
        return NULL;
    }
    return ctypes_data_new(type, args, kwargs);
}

/* The address it holds; NULL with an exception. */
static char *target_address(PyObject *op)
{
    char *address;
    memcpy(&address, ctypes_address(op), sizeof(address));
    if (address == NULL)
        PyErr_SetString(PyExc_ValueError, "NULL pointer access");
    return address;
}

/* What it points to: borrowed from the class. NULL with an exception if that is not known. */
static PyTypeObject *item_of(PyObject *op)
{
    PyTypeObject *item = ctypes_info_find(Py_TYPE(op))->item;
    if (item == NULL)
        PyErr_SetString(PyExc_TypeError, "Pointer class has no _type_");
    return item;
}

static PyObject *get_contents(PyObject *op, void *unused)
{
    char *address = target_address(op);
    PyTypeObject *item = address != NULL ? item_of(op) : NULL;
    return item != NULL ? ctypes_data_in(item, op, 0, address) : NULL;
}

static int set_contents(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "Pointer does not support item deletion");
        return -1;
    }
    PyTypeObject *item = item_of(op);
    if (item == NULL)
        return -1;
    int fits = PyObject_IsInstance(value, (PyObject *)item);
    if (fits < 0)
        return -1;
    if (!fits || !ctypes_is_data(value)) {
        PyErr_Format(PyExc_TypeError, "expected %s instead of %s", item->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    return ctypes_point_to(op, value);
}

static int pointer_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    if (!PyArg_UnpackTuple(args, "POINTER", 0, 1, &value))
        return -1;
    return value != NULL ? set_contents(op, value, NULL) : 0;
}

static PyObject *get_item(PyObject *op, Py_ssize_t index)
{
    char *address = target_address(op);
    PyTypeObject *item = address != NULL ? item_of(op) : NULL;
    if (item == NULL)
        return NULL;
    Py_ssize_t size = ctypes_info_find(item)->size;
    return ctypes_get(item, NULL, op, index, address + (size_t)index * (size_t)size);
}

static int set_item(PyObject *op, Py_ssize_t index, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "Pointer does not support item deletion");
        return -1;
    }
    char *address = target_address(op);
    PyTypeObject *item = address != NULL ? item_of(op) : NULL;
    if (item == NULL)
        return -1;
    Py_ssize_t size = ctypes_info_find(item)->size;
    return ctypes_set(item, NULL, op, value, index, address + (size_t)index * (size_t)size);
}

/* Bounds of a slice of something without a length. 0, or -1 with an exception. */
static int slice_bounds(PyObject *slice, Py_ssize_t *start, Py_ssize_t *step, Py_ssize_t *count)
{
    PySliceObject *s = (PySliceObject *)slice;
    Py_ssize_t stop = 0;
    *start = 0;
    *step = s->step == Py_None ? 1 : PyNumber_AsSsize_t(s->step, PyExc_ValueError);
    if (*step == -1 && PyErr_Occurred())
        return -1;
    if (*step == 0)
        PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
    else if (s->start == Py_None && *step < 0)
        PyErr_SetString(PyExc_ValueError, "slice start is required for step < 0");
    else if (s->start != Py_None && (*start = PyNumber_AsSsize_t(s->start, PyExc_ValueError)) == -1 && PyErr_Occurred())
        return -1;
    else if (s->stop == Py_None)
        PyErr_SetString(PyExc_ValueError, "slice stop is required");
    else
        stop = PyNumber_AsSsize_t(s->stop, PyExc_ValueError);
    if (PyErr_Occurred())
        return -1;
    if (*step > 0 ? stop <= *start : stop >= *start)
        *count = 0;
    else if (*step > 0)
        *count = (stop - *start - 1) / *step + 1;
    else
        *count = (stop - *start + 1) / *step + 1;
    return 0;
}

static PyObject *subscript(PyObject *op, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        return index == -1 && PyErr_Occurred() ? NULL : get_item(op, index);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "Pointer indices must be integer");
        return NULL;
    }
    Py_ssize_t start, step, count;
    if (slice_bounds(key, &start, &step, &count) < 0)
        return NULL;
    char *address = target_address(op);
    PyTypeObject *item = address != NULL ? item_of(op) : NULL;
    return item != NULL ? ctypes_items(op, item, address, start, step, count) : NULL;
}

static int pointer_bool(PyObject *op)
{
    void *address;
    memcpy(&address, ctypes_address(op), sizeof(address));
    return address != NULL;
}

static PyNumberMethods pointer_as_number = {.nb_bool = pointer_bool};
static PySequenceMethods pointer_as_sequence = {.sq_item = get_item, .sq_ass_item = set_item};
static PyMappingMethods pointer_as_mapping = {.mp_subscript = subscript};

static PyGetSetDef pointer_getset[] = {
    {"contents", get_contents, set_contents, "The object that it points to.", NULL},
    {NULL},
};

PyTypeObject ctypes_pointer_type = {
    PyVarObject_HEAD_INIT(&ctypes_pointer_meta, 0)
    .tp_name = "_ctypes._Pointer",
    .tp_basicsize = sizeof(ctypes_data),
    .tp_dealloc = ctypes_data_dealloc,
    .tp_as_number = &pointer_as_number,
    .tp_as_sequence = &pointer_as_sequence,
    .tp_as_mapping = &pointer_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A pointer of C.",
    .tp_traverse = ctypes_data_traverse,
    .tp_clear = ctypes_data_clear,
    .tp_getset = pointer_getset,
    .tp_base = &ctypes_data_type,
    .tp_init = pointer_init,
    .tp_new = pointer_new,
};

/* ---- POINTER() and pointer() ---- */

static PyObject *make_class(const char *name, PyObject *target)
{
    PyObject *namespace = PyDict_New(), *full = PyUnicode_FromFormat("LP_%s", name), *type = NULL;
    if (namespace != NULL && full != NULL
        && (target == NULL || PyDict_SetItemString(namespace, "_type_", target) == 0))
        type = PyObject_CallFunction((PyObject *)&ctypes_pointer_meta, "O(O)O", full, &ctypes_pointer_type, namespace);
    Py_XDECREF(namespace);
    Py_XDECREF(full);
    return type;
}

PyObject *ctypes_pointer_class(PyObject *item)
{
    PyObject *found, *fresh = NULL, *key = NULL;
    int status = PyDict_GetItemRef(ctypes_pointer_cache, item, &found);
    if (status != 0)
        return status > 0 ? found : NULL;
    if (PyUnicode_CheckExact(item)) {
        /* A class of its own for each call, to be completed later; it is found again by its identity. */
        const char *name = PyUnicode_AsUTF8(item);
        fresh = name != NULL ? make_class(name, NULL) : NULL;
        key = fresh != NULL ? PyLong_FromVoidPtr(fresh) : NULL;
    }
    else if (PyType_Check(item)) {
        fresh = make_class(((PyTypeObject *)item)->tp_name, item);
        key = Py_NewRef(item);
    }
    else
        PyErr_SetString(PyExc_TypeError, "must be a ctypes type");
    found = NULL;
    /* Of several threads that made one, the first wins. */
    if (fresh != NULL && key != NULL)
        (void)PyDict_SetDefaultRef(ctypes_pointer_cache, key, fresh, &found);
    Py_XDECREF(fresh);
    Py_XDECREF(key);
    return found;
}

PyObject *ctypes_pointer_to(PyObject *op)
{
    PyObject *type = ctypes_pointer_class((PyObject *)Py_TYPE(op)), *pointer = NULL;
    if (type != NULL)
        pointer = PyObject_CallOneArg(type, op);
    Py_XDECREF(type);
    return pointer;
}
