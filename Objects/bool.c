/* bool: a subclass of int with two immortal instances. */
#include "long.h"
#include "unicode.h"

PyLongObject _Py_FalseStruct = {
    PyVarObject_HEAD_INIT(&PyBool_Type, 0)
    .ob_limb = {0},
};
PyLongObject _Py_TrueStruct = {
    PyVarObject_HEAD_INIT(&PyBool_Type, 1)
    .ob_limb = {1},
};

PyObject *(PyBool_FromLong)(long n) { return n != 0 ? Py_True : Py_False; }

static PyObject *bool_repr(PyObject *op) { return op == Py_True ? unicode_intern_ascii("True", 4) : unicode_intern_ascii("False", 5); }

static PyObject *from_object(PyObject *x)
{
    int truth = PyObject_IsTrue(x);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyObject *bool_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *x = Py_False;
    if (!_PyArg_NoKeywords("bool", kwds) || !PyArg_UnpackTuple(args, "bool", 0, 1, &x))
        return NULL;
    return from_object(x);
}

static PyObject *bool_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("bool", kwnames) || !_PyArg_CheckPositional("bool", nargs, 0, 1))
        return NULL;
    return nargs == 0 ? Py_False : from_object(args[0]);
}

/* &, |, ^ of two bools are bools; anything else is left to int. */
static PyObject *bool_and(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b))
        return long_and(a, b);
    return PyBool_FromLong((a == Py_True) & (b == Py_True));
}

static PyObject *bool_or(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b))
        return long_or(a, b);
    return PyBool_FromLong((a == Py_True) | (b == Py_True));
}

static PyObject *bool_xor(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b))
        return long_xor(a, b);
    return PyBool_FromLong(a != b);
}

static void bool_dealloc(PyObject *op) { Py_FatalError("a bool is being deallocated"); }

static PyNumberMethods bool_as_number = {
    .nb_and = bool_and,
    .nb_xor = bool_xor,
    .nb_or = bool_or,
};

PyTypeObject PyBool_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bool",
    .tp_doc = "bool(x) -> bool\n\n"
              "True if x counts as true, else False.\n"
              "True and False are the only instances; bool is a subclass of int and cannot be subclassed itself.",
    .tp_basicsize = offsetof(PyLongObject, ob_limb),
    .tp_itemsize = sizeof(mp_limb_t),
    .tp_dealloc = bool_dealloc,
    .tp_repr = bool_repr,
    .tp_as_number = &bool_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_base = &PyLong_Type,
    .tp_new = bool_new,
    .tp_vectorcall = bool_vectorcall,
};
