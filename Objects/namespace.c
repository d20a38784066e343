/* types.SimpleNamespace: an object that only has attributes. */
#include "Python.h"

#include "instance.h"
#include "memory.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    PyObject *dict;
} namespace_object;

static PyObject *namespace_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && (((namespace_object *)self)->dict = PyDict_New()) == NULL)
        Py_CLEAR(self);
    return self;
}

/* The attributes: a new reference. */
static PyObject *get_dict(PyObject *self) { return instance_get_dict(self); }

static int namespace_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_Format(PyExc_TypeError, "no positional arguments expected");
        return -1;
    }
    if (kwds == NULL)
        return 0;
    if (!PyArg_ValidateKeywordArguments(kwds))
        return -1;
    PyObject *dict = get_dict(self);
    int result = dict != NULL ? PyDict_Update(dict, kwds) : -1;
    Py_XDECREF(dict);
    return result;
}

static void namespace_dealloc(PyObject *self)
{
    object_untrack(self);
    Py_CLEAR(((namespace_object *)self)->dict);
    Py_TYPE(self)->tp_free(self);
}

static int namespace_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((namespace_object *)self)->dict);
    return 0;
}

static int namespace_clear(PyObject *self)
{
    PyObject *dict = __atomic_exchange_n(&((namespace_object *)self)->dict, NULL, __ATOMIC_ACQ_REL);
    Py_XDECREF(dict);
    return 0;
}

/* name(a=1, b=2) */
static PyObject *show_items(PyObject *self, const char *name)
{
    PyObject *dict = get_dict(self), *parts = PyList_New(0), *separator = NULL, *joined = NULL, *result = NULL;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    int failed = dict == NULL || parts == NULL;
    while (!failed && dict_next_ref(dict, &position, &key, &value, NULL)) {
        if (PyUnicode_Check(key) && PyUnicode_GET_LENGTH(key) > 0) {
            PyObject *part = PyUnicode_FromFormat("%S=%R", key, value);
            failed = part == NULL || PyList_Append(parts, part) < 0;
            Py_XDECREF(part);
        }
        Py_DECREF(key);
        Py_DECREF(value);
    }
    if (!failed && (separator = PyUnicode_FromString(", ")) != NULL && (joined = PyUnicode_Join(separator, parts)) != NULL)
        result = PyUnicode_FromFormat("%s(%U)", name, joined);
    Py_XDECREF(dict);
    Py_XDECREF(parts);
    Py_XDECREF(separator);
    Py_XDECREF(joined);
    return result;
}

static PyObject *namespace_repr(PyObject *self)
{
    const char *name = Py_IS_TYPE(self, &_PyNamespace_Type) ? "namespace" : Py_TYPE(self)->tp_name;
    int inside = Py_ReprEnter(self);
    if (inside != 0)
        return inside > 0 ? PyUnicode_FromFormat("%s(...)", name) : NULL;
    PyObject *result = show_items(self, name);
    Py_ReprLeave(self);
    return result;
}

static PyObject *namespace_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(a, &_PyNamespace_Type) || !PyObject_TypeCheck(b, &_PyNamespace_Type))
        return Py_NotImplemented;
    PyObject *x = get_dict(a), *y = get_dict(b);
    PyObject *result = x != NULL && y != NULL ? PyObject_RichCompare(x, y, op) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *namespace_reduce(PyObject *self, PyObject *unused)
{
    PyObject *dict = get_dict(self), *args = PyTuple_New(0);
    PyObject *result = dict != NULL && args != NULL ? PyTuple_Pack(3, Py_TYPE(self), args, dict) : NULL;
    Py_XDECREF(dict);
    Py_XDECREF(args);
    return result;
}

static PyMethodDef namespace_methods[] = {
    {"__reduce__", namespace_reduce, METH_NOARGS, "What pickle needs to rebuild the object."}, {NULL, NULL, 0, NULL}
};
static PyMemberDef namespace_members[] = {
    {"__dict__", T_OBJECT, offsetof(namespace_object, dict), READONLY | _Py_MEMBER_LOCK_FREE, NULL}, {NULL, 0, 0, 0, NULL}
};

PyObject *_PyNamespace_New(PyObject *kwds)
{
    PyObject *self = namespace_new(&_PyNamespace_Type, NULL, NULL);
    if (self != NULL && kwds != NULL && PyDict_Update(((namespace_object *)self)->dict, kwds) < 0)
        Py_CLEAR(self);
    return self;
}

PyTypeObject _PyNamespace_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.SimpleNamespace",
    .tp_basicsize = sizeof(namespace_object),
    .tp_dealloc = namespace_dealloc,
    .tp_repr = namespace_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "SimpleNamespace(**kwargs)\n--\n\nAn object with the attributes given.",
    .tp_traverse = namespace_traverse,
    .tp_clear = namespace_clear,
    .tp_richcompare = namespace_richcompare,
    .tp_methods = namespace_methods,
    .tp_members = namespace_members,
    .tp_dictoffset = offsetof(namespace_object, dict),
    .tp_init = namespace_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = namespace_new,
    .tp_free = PyObject_GC_Del,
};
