/* Iterators over the sequence protocol, over calls of a function, and the awaitable of anext() with a default. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/generator.h"

/* (name, (arg,), index) with a builtin of that name; index < 0: without it. Steals arg. */
static PyObject *reduce_builtin_steal(const char *name, PyObject *arg, Py_ssize_t index)
{
    PyObject *func = arg == NULL ? NULL : PyMapping_GetItemString(PyEval_GetBuiltins(), name);
    if (func == NULL) {
        Py_XDECREF(arg);
        return NULL;
    }
    return index < 0 ? Py_BuildValue("N(N)", func, arg) : Py_BuildValue("N(N)n", func, arg, index);
}

/* ---- Sequence protocol ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;       /* [lock] next one; an item is claimed by moving it on */
    PyObject *seq;          /* [lock] NULL once exhausted */
} SeqIterObject;

PyObject *PySeqIter_New(PyObject *seq)
{
    if (!PySequence_Check(seq)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    SeqIterObject *it = PyObject_GC_New(SeqIterObject, &PySeqIter_Type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->seq = Py_NewRef(seq);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static void seqiter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((SeqIterObject *)op)->seq);
    PyObject_GC_Del(op);
}

static int seqiter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((SeqIterObject *)op)->seq);
    return 0;
}

/* A new reference to the sequence and the claimed index; NULL if exhausted. */
static PyObject *claim_item(SeqIterObject *it, Py_ssize_t *index)
{
    PyObject *seq;
    Py_BEGIN_CRITICAL_SECTION(it);
    seq = Py_XNewRef(it->seq);
    *index = it->index;
    if (seq != NULL && *index < PY_SSIZE_T_MAX)
        it->index++;
    Py_END_CRITICAL_SECTION();
    return seq;
}

/* The claimed item could not be had: the iterator ends, or stays where it was. */
static void unclaim_item(SeqIterObject *it, Py_ssize_t index, int exhausted)
{
    PyObject *seq = NULL;
    Py_BEGIN_CRITICAL_SECTION(it);
    if (exhausted) {
        seq = it->seq;
        it->seq = NULL;
    }
    else if (it->index == index + 1) {
        it->index = index;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(seq);
}

static PyObject *seqiter_next(PyObject *op)
{
    SeqIterObject *it = (SeqIterObject *)op;
    Py_ssize_t index;
    PyObject *seq = claim_item(it, &index);
    if (seq == NULL)
        return NULL;
    PyObject *item = NULL;
    if (index == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iter index too large");
        goto done;
    }
    item = PySequence_GetItem(seq, index);
    if (item == NULL) {
        int exhausted = PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration);
        if (exhausted)
            PyErr_Clear();
        unclaim_item(it, index, exhausted);
    }
done:
    Py_DECREF(seq);
    return item;
}

/* A snapshot of the state; the sequence is a new reference or NULL. */
static PyObject *seqiter_state(PyObject *op, Py_ssize_t *index)
{
    SeqIterObject *it = (SeqIterObject *)op;
    PyObject *seq;
    Py_BEGIN_CRITICAL_SECTION(op);
    seq = Py_XNewRef(it->seq);
    *index = it->index;
    Py_END_CRITICAL_SECTION();
    return seq;
}

static PyObject *seqiter_length_hint(PyObject *op, PyObject *unused)
{
    Py_ssize_t index, n = 0;
    PyObject *seq = seqiter_state(op, &index);
    if (seq != NULL) {
        if (!_PyObject_HasLen(seq)) {
            Py_DECREF(seq);
            Py_RETURN_NOTIMPLEMENTED;
        }
        n = PySequence_Size(seq);
        Py_DECREF(seq);
        if (n == -1)
            return NULL;
        n = n > index ? n - index : 0;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *seqiter_reduce(PyObject *op, PyObject *unused)
{
    Py_ssize_t index;
    PyObject *seq = seqiter_state(op, &index);
    if (seq == NULL)
        return reduce_builtin_steal("iter", PyTuple_New(0), -1);
    return reduce_builtin_steal("iter", seq, index);
}

static PyObject *seqiter_setstate(PyObject *op, PyObject *state)
{
    SeqIterObject *it = (SeqIterObject *)op;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (it->seq != NULL)
        it->index = index < 0 ? 0 : index;
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyMethodDef seqiter_methods[] = {
    {"__length_hint__", seqiter_length_hint, METH_NOARGS, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", seqiter_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__setstate__", seqiter_setstate, METH_O, "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PySeqIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "iterator",
    .tp_basicsize = sizeof(SeqIterObject),
    .tp_dealloc = seqiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = seqiter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = seqiter_next,
    .tp_methods = seqiter_methods,
};

/* ---- Calls until a sentinel ---- */

typedef struct {
    PyObject_HEAD
    PyObject *callable;     /* [lock] NULL once exhausted, like sentinel */
    PyObject *sentinel;
} CallIterObject;

PyObject *PyCallIter_New(PyObject *callable, PyObject *sentinel)
{
    CallIterObject *it = PyObject_GC_New(CallIterObject, &PyCallIter_Type);
    if (it == NULL)
        return NULL;
    it->callable = Py_NewRef(callable);
    it->sentinel = Py_NewRef(sentinel);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static void calliter_dealloc(PyObject *op)
{
    CallIterObject *it = (CallIterObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(it->callable);
    Py_XDECREF(it->sentinel);
    PyObject_GC_Del(op);
}

static int calliter_traverse(PyObject *op, visitproc visit, void *arg)
{
    CallIterObject *it = (CallIterObject *)op;
    Py_VISIT(it->callable);
    Py_VISIT(it->sentinel);
    return 0;
}

/* New references to both, or NULLs. */
static int calliter_state(PyObject *op, PyObject **callable, PyObject **sentinel)
{
    CallIterObject *it = (CallIterObject *)op;
    Py_BEGIN_CRITICAL_SECTION(op);
    *callable = Py_XNewRef(it->callable);
    *sentinel = Py_XNewRef(it->sentinel);
    Py_END_CRITICAL_SECTION();
    return *callable != NULL;
}

static void calliter_end(PyObject *op)
{
    CallIterObject *it = (CallIterObject *)op;
    PyObject *callable, *sentinel;
    Py_BEGIN_CRITICAL_SECTION(op);
    callable = it->callable;
    sentinel = it->sentinel;
    it->callable = NULL;
    __atomic_store_n(&it->sentinel, NULL, __ATOMIC_RELAXED);     /* calliter_next looks without the lock */
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(callable);
    Py_XDECREF(sentinel);
}

static PyObject *calliter_next(PyObject *op)
{
    PyObject *callable, *sentinel;
    if (!calliter_state(op, &callable, &sentinel))
        return NULL;
    PyObject *result = PyObject_CallNoArgs(callable);
    if (result != NULL) {
        /* the call itself may have exhausted the iterator */
        int ended = __atomic_load_n(&((CallIterObject *)op)->sentinel, __ATOMIC_RELAXED) == NULL;
        int equal = ended ? 1 : PyObject_RichCompareBool(sentinel, result, Py_EQ);
        if (equal != 0) {
            Py_CLEAR(result);
            if (equal > 0)
                calliter_end(op);
        }
    }
    else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        calliter_end(op);
    }
    Py_DECREF(callable);
    Py_DECREF(sentinel);
    return result;
}

static PyObject *calliter_reduce(PyObject *op, PyObject *unused)
{
    PyObject *callable, *sentinel;
    if (!calliter_state(op, &callable, &sentinel))
        return reduce_builtin_steal("iter", PyTuple_New(0), -1);
    PyObject *func = PyMapping_GetItemString(PyEval_GetBuiltins(), "iter");
    if (func == NULL) {
        Py_DECREF(callable);
        Py_DECREF(sentinel);
        return NULL;
    }
    return Py_BuildValue("N(NN)", func, callable, sentinel);
}

static PyMethodDef calliter_methods[] = {
    {"__reduce__", calliter_reduce, METH_NOARGS, "Return state information for pickling."},
    {NULL},
};

PyTypeObject PyCallIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "callable_iterator",
    .tp_basicsize = sizeof(CallIterObject),
    .tp_dealloc = calliter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = calliter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = calliter_next,
    .tp_methods = calliter_methods,
};

/* ---- anext(iterator, default) ---- */

typedef struct {
    PyObject_HEAD
    PyObject *wrapped;          /* [const] the awaitable of __anext__ */
    PyObject *default_value;    /* [const] */
} AnextAwaitableObject;

PyObject *PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value)
{
    AnextAwaitableObject *op = PyObject_GC_New(AnextAwaitableObject, &_PyAnextAwaitable_Type);
    if (op == NULL)
        return NULL;
    op->wrapped = Py_NewRef(awaitable);
    op->default_value = Py_NewRef(default_value);
    PyObject_GC_Track(op);
    return (PyObject *)op;
}

static void anext_dealloc(PyObject *op)
{
    AnextAwaitableObject *a = (AnextAwaitableObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(a->wrapped);
    Py_XDECREF(a->default_value);
    PyObject_GC_Del(op);
}

static int anext_traverse(PyObject *op, visitproc visit, void *arg)
{
    AnextAwaitableObject *a = (AnextAwaitableObject *)op;
    Py_VISIT(a->wrapped);
    Py_VISIT(a->default_value);
    return 0;
}

/* The iterator that drives the wrapped awaitable. */
static PyObject *anext_iter(AnextAwaitableObject *a)
{
    PyObject *awaitable = coroutine_get_awaitable(a->wrapped);
    if (awaitable == NULL)
        return NULL;
    if (!PyIter_Check(awaitable)) {
        /* a coroutine: its own __await__ gives the iterator */
        PyAsyncMethods *m = Py_TYPE(awaitable)->tp_as_async;
        PyObject *iter = NULL;
        if (m != NULL && m->am_await != NULL)
            iter = m->am_await(awaitable);
        if (iter != NULL && !PyIter_Check(iter)) {
            PyErr_SetString(PyExc_TypeError, "__await__ must return an iterable");
            Py_CLEAR(iter);
        }
        Py_DECREF(awaitable);
        awaitable = iter;
    }
    return awaitable;
}

/* StopAsyncIteration becomes StopIteration(default). */
static PyObject *anext_finish(AnextAwaitableObject *a, PyObject *result)
{
    if (result == NULL && PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        _PyGen_SetStopIterationValue(a->default_value);
    }
    return result;
}

static PyObject *anext_next(PyObject *op)
{
    AnextAwaitableObject *a = (AnextAwaitableObject *)op;
    PyObject *iter = anext_iter(a);
    if (iter == NULL)
        return NULL;
    PyObject *result = Py_TYPE(iter)->tp_iternext(iter);
    Py_DECREF(iter);
    return anext_finish(a, result);
}

static PyObject *anext_method(PyObject *op, const char *name, PyObject *args)
{
    AnextAwaitableObject *a = (AnextAwaitableObject *)op;
    PyObject *iter = anext_iter(a), *result = NULL;
    if (iter == NULL)
        return NULL;
    PyObject *method = PyObject_GetAttrString(iter, name);
    Py_DECREF(iter);
    if (method != NULL) {
        result = PyObject_CallObject(method, args);
        Py_DECREF(method);
    }
    return anext_finish(a, result);
}

static PyObject *anext_send(PyObject *op, PyObject *arg)
{
    PyObject *args = PyTuple_Pack(1, arg);
    if (args == NULL)
        return NULL;
    PyObject *result = anext_method(op, "send", args);
    Py_DECREF(args);
    return result;
}

static PyObject *anext_throw(PyObject *op, PyObject *args)
{
    return anext_method(op, "throw", args);
}

static PyObject *anext_close(PyObject *op, PyObject *unused)
{
    return anext_method(op, "close", NULL);
}

static PyMethodDef anext_methods[] = {
    {"send", anext_send, METH_O, "send(arg) -> send 'arg' into the wrapped iterator,\nreturn next yielded value."},
    {"throw", anext_throw, METH_VARARGS,
     "throw(typ[,val[,tb]]) -> raise exception in the wrapped iterator,\nreturn next yielded value."},
    {"close", anext_close, METH_NOARGS, "close() -> raise GeneratorExit inside the wrapped iterator."},
    {NULL},
};

static PyAsyncMethods anext_as_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAnextAwaitable_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "anext_awaitable",
    .tp_basicsize = sizeof(AnextAwaitableObject),
    .tp_dealloc = anext_dealloc,
    .tp_as_async = &anext_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = anext_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = anext_next,
    .tp_methods = anext_methods,
};
