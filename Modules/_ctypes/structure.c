/* Structures and unions: their two metaclasses and base classes.
 *
 * _fields_ may be set once, in the class body or later. The layout is worked out beforehand (layout.c); then the info
 * is published, which of several threads only one can do, and that one adds the field attributes. */
#include "ctypes.h"

/* ---- The metaclasses ---- */

static enum ctypes_kind kind_of(PyTypeObject *type)
{
    return PyType_IsSubtype(Py_TYPE(type), &ctypes_union_meta) ? KIND_UNION : KIND_STRUCTURE;
}

static int add_attributes(PyTypeObject *type, PyObject *descriptors)
{
    PyObject *name, *descr;
    Py_ssize_t position = 0;
    while (PyDict_Next(descriptors, &position, &name, &descr))
        if (ctypes_class_set_attribute(type, name, descr) < 0)
            return -1;
    return 0;
}

static int set_fields(PyTypeObject *type, PyObject *fields)
{
    ctypes_info *current = ctypes_info_find(type), *info;
    ctypes_info *base = type->tp_base != NULL ? ctypes_info_finish(type->tp_base) : NULL;
    PyObject *descriptors = PyDict_New();
    int result = -1;
    if (descriptors == NULL)
        return -1;
    if (current == NULL) {
        PyErr_SetString(PyExc_TypeError, "ctypes state is not initialized");
        goto done;
    }
    if (current->own_fields) {
        PyErr_SetString(PyExc_AttributeError, "_fields_ is final");
        goto done;
    }
    info = ctypes_layout(type, base, fields, kind_of(type), descriptors);
    if (info == NULL)
        goto done;
    if (!ctypes_info_publish(type, current, info)) {
        ctypes_info_free(info);
        PyErr_SetString(PyExc_AttributeError, "_fields_ is final");
        goto done;
    }
    result = add_attributes(type, descriptors);
done:
    Py_DECREF(descriptors);
    return result;
}

/* A class without fields of its own is laid out as its base; fields may follow. */
static int inherit_layout(PyTypeObject *type)
{
    ctypes_info *base = type->tp_base != NULL ? ctypes_info_finish(type->tp_base) : NULL;
    ctypes_info *info = ctypes_layout_inherited(base, kind_of(type));
    if (info != NULL && ctypes_info_publish(type, NULL, info))
        return 0;
    ctypes_info_free(info);
    return -1;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwargs), *fields = NULL, *abstract = NULL;
    if (type == NULL)
        return NULL;
    PyObject *dict = PyObject_GetAttrString(type, "__dict__");
    int result = dict != NULL ? PyMapping_GetOptionalItemString(dict, "_abstract_", &abstract) : -1;
    if (result == 0 && (result = inherit_layout((PyTypeObject *)type)) == 0
        && (result = PyMapping_GetOptionalItemString(dict, "_fields_", &fields)) > 0)
        result = PyObject_SetAttrString(type, "_fields_", fields);      /* the metaclass may have a say */
    Py_XDECREF(fields);
    Py_XDECREF(abstract);
    Py_XDECREF(dict);
    if (result < 0)
        Py_CLEAR(type);
    return type;
}

static int meta_setattro(PyObject *type, PyObject *name, PyObject *value)
{
    bool is_fields = PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "_fields_");
    ctypes_info *info = ctypes_info_of_class(type);
    if (is_fields && value == NULL && info != NULL && info->own_fields) {
        PyErr_SetString(PyExc_AttributeError, "_fields_ is final");
        return -1;
    }
    if (is_fields && value != NULL && PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE)
        && set_fields((PyTypeObject *)type, value) < 0)
        return -1;
    return PyType_Type.tp_setattro(type, name, value);
}

#define META(name_, doc_) { \
    PyVarObject_HEAD_INIT(NULL, 0) \
    .tp_name = name_, \
    .tp_basicsize = sizeof(ctypes_class), \
    .tp_dealloc = ctypes_class_dealloc, \
    .tp_as_sequence = &ctypes_class_as_sequence, \
    .tp_setattro = meta_setattro, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, \
    .tp_doc = doc_, \
    .tp_traverse = ctypes_class_traverse, \
    .tp_clear = ctypes_class_clear, \
    .tp_methods = ctypes_class_methods, \
    .tp_base = &PyType_Type, \
    .tp_new = meta_new, \
}

PyTypeObject ctypes_structure_meta = META("_ctypes.PyCStructType", "The class of structure types of C.");
PyTypeObject ctypes_union_meta = META("_ctypes.UnionType", "The class of union types of C.");

/* ---- Making objects ---- */

/* Gives the positional arguments to the fields in their order, those of the bases first. */
static int init_positional(PyObject *op, PyObject *args, PyObject *kwargs)
{
    const ctypes_info *info = ctypes_info_find(Py_TYPE(op));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (i >= info->length) {
            PyErr_SetString(PyExc_TypeError, "too many initializers");
            return -1;
        }
        PyObject *name = info->members[i].name;
        int given = kwargs != NULL ? PyDict_Contains(kwargs, name) : 0;
        if (given > 0)
            PyErr_Format(PyExc_TypeError, "duplicate values for field %R", name);
        if (given != 0 || PyObject_SetAttr(op, name, PyTuple_GET_ITEM(args, i)) < 0)
            return -1;
    }
    return 0;
}

static int structure_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (init_positional(op, args, kwargs) < 0)
        return -1;
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &name, &value))
        if (PyObject_SetAttr(op, name, value) < 0)
            return -1;
    return 0;
}

#define BASE_CLASS(name_, meta_, doc_) { \
    PyVarObject_HEAD_INIT(&meta_, 0) \
    .tp_name = name_, \
    .tp_basicsize = sizeof(ctypes_data), \
    .tp_dealloc = ctypes_data_dealloc, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, \
    .tp_doc = doc_, \
    .tp_traverse = ctypes_data_traverse, \
    .tp_clear = ctypes_data_clear, \
    .tp_base = &ctypes_data_type, \
    .tp_init = structure_init, \
    .tp_new = ctypes_data_new, \
}

PyTypeObject ctypes_structure_type = BASE_CLASS("_ctypes.Structure", ctypes_structure_meta, "A structure of C.");
PyTypeObject ctypes_union_type = BASE_CLASS("_ctypes.Union", ctypes_union_meta, "A union of C.");
