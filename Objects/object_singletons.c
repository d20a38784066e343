/* None, NotImplemented and Ellipsis. */
#include "Python.h"

#include "unicode.h"

/* PyObject_HEAD_INIT ends with the comma that a containing initialiser wants. */
#define SINGLETON(type) \
    {0, OBJECT_PUBLISHED | OBJECT_IMMORTAL, {0}, 0, SHARED_PINNED | SHARED_MERGED, 0, (type)}

static void never_dealloc(PyObject *op)
{
    (void)op;
    Py_FatalError("deallocating a singleton");
}

/* T() gives the one object of the type. */
static PyObject *no_arguments(PyObject *singleton, const char *name, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwds != NULL && PyDict_GET_SIZE(kwds) != 0)) {
        PyErr_Format(PyExc_TypeError, "%s takes no arguments", name);
        return NULL;
    }
    return singleton;
}

/* ---- None ---- */

static PyObject *none_repr(PyObject *op) { return Py_NewRef(STR(word_none)); }
static int none_bool(PyObject *op) { return 0; }
static PyObject *none_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return no_arguments(Py_None, "NoneType", args, kwds);
}
static Py_hash_t none_hash(PyObject *op) { return 0xFCA86420; }

static PyNumberMethods none_as_number = {.nb_bool = none_bool};

PyTypeObject _PyNone_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "NoneType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = never_dealloc,
    .tp_repr = none_repr,
    .tp_as_number = &none_as_number,
    .tp_hash = none_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = none_new,
};
PyObject _Py_NoneStruct = SINGLETON(&_PyNone_Type);

/* ---- NotImplemented ---- */

static PyObject *not_implemented_repr(PyObject *op) { return PyUnicode_FromString("NotImplemented"); }
static int not_implemented_bool(PyObject *op)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "NotImplemented should not be used in a boolean context", 1) < 0)
        return -1;
    return 1;
}
static PyObject *not_implemented_reduce(PyObject *op, PyObject *unused) { return PyUnicode_FromString("NotImplemented"); }
static PyObject *not_implemented_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return no_arguments(Py_NotImplemented, "NotImplementedType", args, kwds);
}

static PyNumberMethods not_implemented_as_number = {.nb_bool = not_implemented_bool};
static PyMethodDef not_implemented_methods[] = {
    {"__reduce__", not_implemented_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}
};

PyTypeObject _PyNotImplemented_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "NotImplementedType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = never_dealloc,
    .tp_repr = not_implemented_repr,
    .tp_as_number = &not_implemented_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = not_implemented_methods,
    .tp_new = not_implemented_new,
};
PyObject _Py_NotImplementedStruct = SINGLETON(&_PyNotImplemented_Type);

/* ---- Ellipsis ---- */

static PyObject *ellipsis_repr(PyObject *op) { return PyUnicode_FromString("Ellipsis"); }
static PyObject *ellipsis_reduce(PyObject *op, PyObject *unused) { return PyUnicode_FromString("Ellipsis"); }
static PyObject *ellipsis_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return no_arguments(Py_Ellipsis, "EllipsisType", args, kwds);
}

static PyMethodDef ellipsis_methods[] = {{"__reduce__", ellipsis_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

PyTypeObject PyEllipsis_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "ellipsis",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = never_dealloc,
    .tp_repr = ellipsis_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = ellipsis_methods,
    .tp_new = ellipsis_new,
};
PyObject _Py_EllipsisObject = SINGLETON(&PyEllipsis_Type);
