/* Iterators over deques. The lock of the deque protects the state of its iterators too. */
#include "collections.h"

typedef struct {
    PyObject_HEAD
    DequeObject *deque;     /* [const] */
    Py_ssize_t left;        /* [lock of the deque; atomic] items still to give */
    size_t state;           /* [lock of the deque] the deque's, as it has to be */
} DequeIterObject;

static PyObject *make(PyTypeObject *type, PyObject *deque, Py_ssize_t skip)
{
    DequeIterObject *it = PyObject_GC_New(DequeIterObject, type);
    if (it == NULL)
        return NULL;
    it->deque = (DequeObject *)Py_NewRef(deque);
    Py_BEGIN_CRITICAL_SECTION(deque);
    it->left = it->deque->size;
    it->state = it->deque->state;
    Py_END_CRITICAL_SECTION();
    if (skip > 0)
        it->left = skip < it->left ? it->left - skip : 0;
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

PyObject *deque_iter_new(PyObject *deque)
{
    return make(&deque_iter_type, deque, 0);
}

PyObject *deque_reversed(PyObject *deque, PyObject *unused)
{
    return make(&deque_reverse_iter_type, deque, 0);
}

static PyObject *iter_new_from(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *deque;
    Py_ssize_t skip = 0;
    if (!PyArg_ParseTuple(args, "O!|n", &deque_type, &deque, &skip))
        return NULL;
    return make(type, deque, skip);
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF((PyObject *)((DequeIterObject *)op)->deque);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)((DequeIterObject *)op)->deque);
    return 0;
}

/* The length hint reads it without the lock. */
static void set_left(DequeIterObject *it, Py_ssize_t left) { __atomic_store_n(&it->left, left, __ATOMIC_RELAXED); }

static PyObject *next_item(PyObject *op, int reversed)
{
    DequeIterObject *it = (DequeIterObject *)op;
    DequeObject *d = it->deque;
    PyObject *item = NULL;
    int changed;
    Py_BEGIN_CRITICAL_SECTION(d);
    changed = d->state != it->state;
    if (reversed && it->left == 0)
        changed = 0;                /* an exhausted reverse iterator does not look any more */
    if (changed) {
        set_left(it, 0);
    }
    else if (it->left > 0) {
        Py_ssize_t i = reversed ? it->left - 1 : d->size - it->left;
        item = Py_NewRef(*deque_place(d, i));
        set_left(it, it->left - 1);
    }
    Py_END_CRITICAL_SECTION();
    if (changed)
        PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
    return item;
}

static PyObject *iter_next(PyObject *op)
{
    return next_item(op, 0);
}

static PyObject *reverse_iter_next(PyObject *op)
{
    return next_item(op, 1);
}

static Py_ssize_t items_left(DequeIterObject *it)
{
    return __atomic_load_n(&it->left, __ATOMIC_RELAXED);
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    return PyLong_FromSsize_t(items_left((DequeIterObject *)op));
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    DequeIterObject *it = (DequeIterObject *)op;
    Py_ssize_t given;
    Py_BEGIN_CRITICAL_SECTION(it->deque);
    given = it->deque->size - items_left(it);
    Py_END_CRITICAL_SECTION();
    return Py_BuildValue("O(On)", Py_TYPE(op), it->deque, given);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS, "Return state information for pickling."},
    {NULL},
};

#define ITER_TYPE(name, next) \
    PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = "_collections." name, \
    .tp_basicsize = sizeof(DequeIterObject), \
    .tp_dealloc = iter_dealloc, \
    .tp_getattro = PyObject_GenericGetAttr, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, \
    .tp_traverse = iter_traverse, \
    .tp_iter = PyObject_SelfIter, \
    .tp_iternext = next, \
    .tp_methods = iter_methods, \
    .tp_new = iter_new_from,

PyTypeObject deque_iter_type = {ITER_TYPE("_deque_iterator", iter_next)};
PyTypeObject deque_reverse_iter_type = {ITER_TYPE("_deque_reverse_iterator", reverse_iter_next)};
