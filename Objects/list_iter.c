/* The iterators of list, forwards and backwards. */
#include "list.h"
#include "object_gc_inline.h"

static PyObject *iter_new(PyTypeObject *type, PyObject *list, Py_ssize_t index)
{
    PyListIterObject *it = PyObject_GC_New(PyListIterObject, type);
    if (it == NULL)
        return NULL;
    it->it_index = index;
    it->it_seq = (PyListObject *)Py_NewRef(list);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

PyObject *list_iter(PyObject *self)
{
    return iter_new(&PyListIter_Type, self, 0);
}

PyObject *list_reversed(PyObject *self, PyObject *unused)
{
    return iter_new(&PyListRevIter_Type, self, PyList_GET_SIZE(self) - 1);
}

void list_iter_finish(PyListIterObject *it)
{
    __atomic_store_n(&it->it_index, -1, __ATOMIC_RELAXED);
    /* While there is one thread, nobody else can be reading it_seq. */
    if (!runtime_is_multi()) {
        PyListObject *list = it->it_seq;
        it->it_seq = NULL;
        Py_XDECREF(list);
    }
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((PyListIterObject *)op)->it_seq);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyListIterObject *)op)->it_seq);
    return 0;
}

static PyObject *iter_tp_next(PyObject *op)
{
    return list_iter_next((PyListIterObject *)op);
}

static PyObject *rev_iter_next(PyObject *op)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    PyObject *item = i >= 0 ? list_read_item_ref(it->it_seq, i) : NULL;
    if (item != NULL)
        __atomic_store_n(&it->it_index, i - 1, __ATOMIC_RELAXED);
    else
        list_iter_finish(it);
    return item;
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED), left = 0;
    if (i >= 0) {
        left = PyList_GET_SIZE(it->it_seq) - i;
        if (left < 0)
            left = 0;
    }
    return PyLong_FromSsize_t(left);
}

static PyObject *rev_iter_length_hint(PyObject *op, PyObject *unused)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i < 0 || PyList_GET_SIZE(it->it_seq) < i + 1)
        i = -1;
    return PyLong_FromSsize_t(i + 1);
}

static PyObject *reduce_as(PyObject *op, const char *name)
{
    PyListIterObject *it = (PyListIterObject *)op;
    PyObject *function = container_get_builtin(name);
    if (function == NULL)
        return NULL;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i >= 0)
        return Py_BuildValue("N(O)n", function, it->it_seq, i);
    PyObject *empty = PyList_New(0);
    if (empty == NULL) {
        Py_DECREF(function);
        return NULL;
    }
    return Py_BuildValue("N(N)", function, empty);
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    return reduce_as(op, "iter");
}

static PyObject *rev_iter_reduce(PyObject *op, PyObject *unused)
{
    return reduce_as(op, "reversed");
}

static PyObject *set_state(PyObject *op, PyObject *state, Py_ssize_t lowest, int clip_high)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    if (__atomic_load_n(&it->it_index, __ATOMIC_RELAXED) >= 0) {
        if (i < lowest)
            i = lowest;
        if (clip_high && i > PyList_GET_SIZE(it->it_seq) - 1)
            i = PyList_GET_SIZE(it->it_seq) - 1;
        __atomic_store_n(&it->it_index, i, __ATOMIC_RELAXED);
    }
    Py_RETURN_NONE;
}

static PyObject *iter_setstate(PyObject *op, PyObject *state)
{
    return set_state(op, state, 0, 0);
}

static PyObject *rev_iter_setstate(PyObject *op, PyObject *state)
{
    return set_state(op, state, -1, 1);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef rev_iter_methods[] = {
    {"__length_hint__", rev_iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", rev_iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", rev_iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyListIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "list_iterator",
    .tp_basicsize = sizeof(PyListIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_tp_next,
    .tp_methods = iter_methods,
};

PyTypeObject PyListRevIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "list_reverseiterator",
    .tp_basicsize = sizeof(PyListIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = rev_iter_next,
    .tp_methods = rev_iter_methods,
};
