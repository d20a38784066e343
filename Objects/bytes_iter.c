/* The iterators of bytes and bytearray. */
#include "bytes.h"
#include "container.h"

/* The position is atomic: two threads that race for the last item may both get it, never anything beyond the end. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t index;           /* [atomic] -1: exhausted */
    PyObject *seq;              /* [const] counted; while there is one thread, let go of at the end */
} bytes_iter_t;

static PyObject *iter_new(PyTypeObject *type, PyObject *seq)
{
    bytes_iter_t *it = PyObject_GC_New(bytes_iter_t, type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->seq = Py_NewRef(seq);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

PyObject *bytes_tp_iter(PyObject *self)
{
    return iter_new(PyBytes_Check(self) ? &PyBytesIter_Type : &PyByteArrayIter_Type, self);
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((bytes_iter_t *)op)->seq);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((bytes_iter_t *)op)->seq);
    return 0;
}

static Py_ssize_t position(bytes_iter_t *it)
{
    return __atomic_load_n(&it->index, __ATOMIC_RELAXED);
}

static void set_position(bytes_iter_t *it, Py_ssize_t index)
{
    __atomic_store_n(&it->index, index, __ATOMIC_RELAXED);
}

static PyObject *finish(bytes_iter_t *it)
{
    set_position(it, -1);
    if (!runtime_is_multi()) {
        PyObject *seq = it->seq;
        it->seq = bytes_empty();
        Py_DECREF(seq);
    }
    return NULL;
}

static PyObject *bytes_iter_next(PyObject *op)
{
    bytes_iter_t *it = (bytes_iter_t *)op;
    Py_ssize_t i = position(it);
    if (i < 0)
        return NULL;
    if (i >= PyBytes_GET_SIZE(it->seq))
        return finish(it);
    set_position(it, i + 1);
    return value_from_int((unsigned char)PyBytes_AS_STRING(it->seq)[i]);
}

static PyObject *bytearray_iter_next(PyObject *op)
{
    bytes_iter_t *it = (bytes_iter_t *)op;
    PyObject *result = NULL;
    if (position(it) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(it->seq);
    Py_ssize_t i = position(it);
    if (i >= 0 && i < PyByteArray_GET_SIZE(it->seq)) {
        result = value_from_int((unsigned char)PyByteArray_AS_STRING(it->seq)[i]);
        set_position(it, i + 1);
    }
    Py_END_CRITICAL_SECTION();
    return result != NULL ? result : finish(it);
}

static Py_ssize_t length_of(PyObject *seq)
{
    return PyBytes_Check(seq) ? PyBytes_GET_SIZE(seq) : PyByteArray_GET_SIZE(seq);
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    bytes_iter_t *it = (bytes_iter_t *)op;
    Py_ssize_t i = position(it), n = length_of(it->seq);
    return PyLong_FromSsize_t(i < 0 || i > n ? 0 : n - i);
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    bytes_iter_t *it = (bytes_iter_t *)op;
    PyObject *builtins = PyEval_GetBuiltins(), *iter = NULL;
    if (builtins == NULL)
        return NULL;
    iter = PyMapping_GetItemString(builtins, "iter");
    if (iter == NULL)
        return NULL;
    Py_ssize_t i = position(it);
    if (i < 0)
        return Py_BuildValue("N(())", iter);
    return Py_BuildValue("N(O)n", iter, it->seq, i);
}

static PyObject *iter_setstate(PyObject *op, PyObject *state)
{
    bytes_iter_t *it = (bytes_iter_t *)op;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    if (position(it) >= 0)
        set_position(it, i < 0 ? 0 : i > length_of(it->seq) ? length_of(it->seq) : i);
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyBytesIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytes_iterator",
    .tp_basicsize = sizeof(bytes_iter_t),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytes_iter_next,
    .tp_methods = iter_methods,
};

PyTypeObject PyByteArrayIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytearray_iterator",
    .tp_basicsize = sizeof(bytes_iter_t),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytearray_iter_next,
    .tp_methods = iter_methods,
};
