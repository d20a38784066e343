/* Iterators of arrays. */
#include "array_internal.h"

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;               /* [lock] of the next item */
    PyObject *array;                /* [lock] counted; NULL: exhausted */
} iterobject;

PyObject *array_iter(PyObject *op)
{
    iterobject *it = PyObject_GC_New(iterobject, &array_iter_type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->array = Py_NewRef(op);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((iterobject *)op)->array);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((iterobject *)op)->array);
    return 0;
}

static PyObject *iter_next(PyObject *op)
{
    iterobject *it = (iterobject *)op;
    PyObject *array, *result, *ended = NULL;
    Py_ssize_t i;
    Py_BEGIN_CRITICAL_SECTION(op);
    array = Py_XNewRef(it->array);
    i = array != NULL ? it->index++ : 0;
    Py_END_CRITICAL_SECTION();
    if (array == NULL)
        return NULL;
    result = array_item_or_null(as_array(array), i);
    if (result == NULL && !PyErr_Occurred()) {
        Py_BEGIN_CRITICAL_SECTION(op);
        ended = it->array;
        it->array = NULL;
        Py_END_CRITICAL_SECTION();
    }
    Py_DECREF(array);
    Py_XDECREF(ended);
    return result;
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    iterobject *it = (iterobject *)op;
    PyObject *array, *builtins = PyEval_GetBuiltins(), *function = NULL;
    if (builtins != NULL)
        function = PyMapping_GetItemString(builtins, "iter");
    if (function == NULL)
        return NULL;
    Py_ssize_t i;
    Py_BEGIN_CRITICAL_SECTION(op);
    array = Py_XNewRef(it->array);
    i = it->index;
    Py_END_CRITICAL_SECTION();
    if (array == NULL)
        return Py_BuildValue("N(())", function);
    return Py_BuildValue("N(N)n", function, array, i);
}

static PyObject *iter_setstate(PyObject *op, PyObject *state)
{
    iterobject *it = (iterobject *)op;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (it->array != NULL) {
        Py_ssize_t n = size_of(as_array(it->array));
        it->index = i < 0 ? 0 : i > n ? n : i;
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject array_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "array.arrayiterator",
    .tp_basicsize = sizeof(iterobject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};
