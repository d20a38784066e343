/* Iterators that select from or map over another one, item by item:
 * compress, dropwhile, filterfalse, islice, starmap, takewhile. */
#include "itertools.h"

/* ---- Pairs: a first object and an iterator, neither of which ever changes ---- */

typedef struct {
    PyObject_HEAD
    PyObject *first;        /* [const] function, or the data of compress */
    PyObject *it;           /* [const] */
    int flag;               /* [atomic] dropwhile: dropping is over; takewhile: ended */
} PairObject;

/* Steals it, on failure too. */
static PyObject *pair_make(PyTypeObject *type, PyObject *first, PyObject *it)
{
    PairObject *p = it == NULL ? NULL : (PairObject *)type->tp_alloc(type, 0);
    if (p == NULL) {
        Py_XDECREF(it);
        return NULL;
    }
    p->first = Py_NewRef(first);
    p->it = it;
    return (PyObject *)p;
}

/* type(func, iterable) */
static PyObject *pair_new(PyTypeObject *type, PyTypeObject *exact, const char *name, PyObject *args, PyObject *kwargs)
{
    PyObject *func, *iterable;
    if (!no_keywords(type, exact, name, kwargs) || !PyArg_UnpackTuple(args, name, 2, 2, &func, &iterable))
        return NULL;
    return pair_make(type, func, PyObject_GetIter(iterable));
}

static void pair_dealloc(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(p->first);
    Py_XDECREF(p->it);
    Py_TYPE(op)->tp_free(op);
}

static int pair_traverse(PyObject *op, visitproc visit, void *arg)
{
    PairObject *p = (PairObject *)op;
    Py_VISIT(p->first);
    Py_VISIT(p->it);
    return 0;
}

static PyObject *pair_reduce(PyObject *op, PyObject *unused)
{
    PairObject *p = (PairObject *)op;
    return Py_BuildValue("O(OO)", Py_TYPE(op), p->first, p->it);
}

static PyObject *pair_reduce_flag(PyObject *op, PyObject *unused)
{
    PairObject *p = (PairObject *)op;
    return Py_BuildValue("O(OO)i", Py_TYPE(op), p->first, p->it, __atomic_load_n(&p->flag, __ATOMIC_RELAXED));
}

static PyObject *pair_setstate(PyObject *op, PyObject *state)
{
    int flag = PyObject_IsTrue(state);
    if (flag < 0)
        return NULL;
    __atomic_store_n(&((PairObject *)op)->flag, flag, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

/* Truth of first(item), -1 for an exception. */
static int call_predicate(PairObject *p, PyObject *item)
{
    PyObject *answer = PyObject_CallOneArg(p->first, item);
    if (answer == NULL)
        return -1;
    int truth = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return truth;
}

static PyMethodDef pair_methods[] = {
    {"__reduce__", pair_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

static PyMethodDef pair_flag_methods[] = {
    {"__reduce__", pair_reduce_flag, METH_NOARGS, reduce_doc},
    {"__setstate__", pair_setstate, METH_O, setstate_doc},
    {NULL},
};

#define PAIR_TYPE(type_name, type_new, type_next, type_methods, doc) \
    PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = "itertools." type_name, \
    .tp_basicsize = sizeof(PairObject), \
    .tp_dealloc = pair_dealloc, \
    .tp_getattro = PyObject_GenericGetAttr, \
    .tp_flags = ITERATOR_FLAGS, \
    .tp_doc = doc, \
    .tp_traverse = pair_traverse, \
    .tp_iter = PyObject_SelfIter, \
    .tp_iternext = type_next, \
    .tp_methods = type_methods, \
    .tp_new = type_new, \
    .tp_free = PyObject_GC_Del,

/* ---- compress ---- */

static PyObject *compress_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "selectors", NULL};
    PyObject *data, *selectors;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:compress", keywords, &data, &selectors))
        return NULL;
    data = PyObject_GetIter(data);
    if (data == NULL)
        return NULL;
    PyObject *result = pair_make(type, data, PyObject_GetIter(selectors));
    Py_DECREF(data);
    return result;
}

static PyObject *compress_next(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    for (;;) {
        PyObject *datum = next_of(p->first);
        if (datum == NULL)
            return NULL;
        PyObject *selector = next_of(p->it);
        if (selector == NULL) {
            Py_DECREF(datum);
            return NULL;
        }
        int truth = PyObject_IsTrue(selector);
        Py_DECREF(selector);
        if (truth > 0)
            return datum;
        Py_DECREF(datum);
        if (truth < 0)
            return NULL;
    }
}

PyTypeObject compress_type = {PAIR_TYPE(
    "compress", compress_new, compress_next, pair_methods,
    "compress(data, selectors)\n--\n\nThe items of data whose partner in selectors is true.")};

/* ---- filterfalse ---- */

static PyObject *filterfalse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return pair_new(type, &filterfalse_type, "filterfalse", args, kwargs);
}

static PyObject *filterfalse_next(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    int by_truth = p->first == Py_None || p->first == (PyObject *)&PyBool_Type;
    for (;;) {
        PyObject *item = next_of(p->it);
        if (item == NULL)
            return NULL;
        int truth = by_truth ? PyObject_IsTrue(item) : call_predicate(p, item);
        if (truth == 0)
            return item;
        Py_DECREF(item);
        if (truth < 0)
            return NULL;
    }
}

PyTypeObject filterfalse_type = {PAIR_TYPE(
    "filterfalse", filterfalse_new, filterfalse_next, pair_methods,
    "filterfalse(function, iterable, /)\n--\n\nThe items for which function(item) is false; with None, the false ones.")};

/* ---- starmap ---- */

static PyObject *starmap_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return pair_new(type, &starmap_type, "starmap", args, kwargs);
}

static PyObject *starmap_next(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    PyObject *args = next_of(p->it);
    if (args == NULL)
        return NULL;
    if (!PyTuple_CheckExact(args)) {
        PyObject *tuple = PySequence_Tuple(args);
        Py_DECREF(args);
        if (tuple == NULL)
            return NULL;
        args = tuple;
    }
    PyObject *result = PyObject_Call(p->first, args, NULL);
    Py_DECREF(args);
    return result;
}

PyTypeObject starmap_type = {PAIR_TYPE(
    "starmap", starmap_new, starmap_next, pair_methods,
    "starmap(function, iterable, /)\n--\n\nfunction(*args) for each args in the iterable.")};

/* ---- dropwhile ---- */

static PyObject *dropwhile_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return pair_new(type, &dropwhile_type, "dropwhile", args, kwargs);
}

static PyObject *dropwhile_next(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    for (;;) {
        PyObject *item = next_of(p->it);
        if (item == NULL || __atomic_load_n(&p->flag, __ATOMIC_RELAXED))
            return item;
        int truth = call_predicate(p, item);
        if (truth == 0) {
            __atomic_store_n(&p->flag, 1, __ATOMIC_RELAXED);
            return item;
        }
        Py_DECREF(item);
        if (truth < 0)
            return NULL;
    }
}

PyTypeObject dropwhile_type = {PAIR_TYPE(
    "dropwhile", dropwhile_new, dropwhile_next, pair_flag_methods,
    "dropwhile(predicate, iterable, /)\n--\n\nSkips items while the predicate is true of them, then gives all others.")};

/* ---- takewhile ---- */

static PyObject *takewhile_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return pair_new(type, &takewhile_type, "takewhile", args, kwargs);
}

static PyObject *takewhile_next(PyObject *op)
{
    PairObject *p = (PairObject *)op;
    if (__atomic_load_n(&p->flag, __ATOMIC_RELAXED))
        return NULL;
    PyObject *item = next_of(p->it);
    if (item == NULL)
        return NULL;
    int truth = call_predicate(p, item);
    if (truth > 0)
        return item;
    Py_DECREF(item);
    if (truth == 0)
        __atomic_store_n(&p->flag, 1, __ATOMIC_RELAXED);
    return NULL;
}

PyTypeObject takewhile_type = {PAIR_TYPE(
    "takewhile", takewhile_new, takewhile_next, pair_flag_methods,
    "takewhile(predicate, iterable, /)\n--\n\nThe items before the first of which the predicate is false.")};

/* ---- islice ---- */

typedef struct {
    PyObject_HEAD
    PyObject *it;           /* [lock] NULL once exhausted */
    Py_ssize_t next;        /* [lock] position of the next item to give */
    Py_ssize_t stop;        /* [const] -1: none */
    Py_ssize_t step;        /* [const] */
    Py_ssize_t cnt;         /* [lock] items taken from it */
} IsliceObject;

/* A bound that is None (*out unchanged) or a non-negative index. 0 or -1 (no exception set for a bad value). */
static int islice_bound(PyObject *arg, Py_ssize_t *out)
{
    if (arg == Py_None)
        return 0;
    Py_ssize_t n = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (n == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return -1;
    }
    if (n < 0)
        return -1;
    *out = n;
    return 0;
}

static PyObject *islice_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *seq, *a1 = NULL, *a2 = NULL, *a3 = NULL;
    Py_ssize_t start = 0, stop = -1, step = 1;
    if (!no_keywords(type, &islice_type, "islice", kwargs)
        || !PyArg_UnpackTuple(args, "islice", 2, 4, &seq, &a1, &a2, &a3))
        return NULL;
    if (PyTuple_GET_SIZE(args) == 2) {
        if (islice_bound(a1, &stop) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
            return NULL;
        }
    }
    else {
        if (islice_bound(a2, &stop) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
            return NULL;
        }
        if (islice_bound(a1, &start) < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
            return NULL;
        }
    }
    if (a3 != NULL && (islice_bound(a3, &step) < 0 || step < 1)) {
        PyErr_SetString(PyExc_ValueError, "Step for islice() must be a positive integer or None.");
        return NULL;
    }
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL)
        return NULL;
    IsliceObject *s = (IsliceObject *)type->tp_alloc(type, 0);
    if (s == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    s->it = it;
    s->next = start;
    s->stop = stop;
    s->step = step;
    return (PyObject *)s;
}

static void islice_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((IsliceObject *)op)->it);
    Py_TYPE(op)->tp_free(op);
}

static int islice_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((IsliceObject *)op)->it);
    return 0;
}

static PyObject *islice_step(PyObject *op)
{
    IsliceObject *s = (IsliceObject *)op;
    if (s->it == NULL)
        return NULL;
    PyObject *it = Py_NewRef(s->it), *item = NULL;
    while (s->cnt < s->next) {
        item = next_of(it);
        if (item == NULL)
            goto empty;
        s->cnt++;
        Py_CLEAR(item);
    }
    if (s->stop != -1 && s->cnt >= s->stop)
        goto empty;
    item = next_of(it);
    if (item == NULL)
        goto empty;
    s->cnt++;
    Py_ssize_t next;
    if (__builtin_add_overflow(s->next, s->step, &next) || (s->stop != -1 && next > s->stop))
        next = s->stop;
    s->next = next;
    Py_DECREF(it);
    return item;
empty:
    Py_CLEAR(s->it);
    Py_DECREF(it);
    return NULL;
}
LOCKED_NEXT(islice)

static PyObject *islice_reduce_locked(PyObject *op, PyObject *unused)
{
    IsliceObject *s = (IsliceObject *)op;
    if (s->it == NULL) {
        PyObject *empty = PyTuple_New(0), *it = empty == NULL ? NULL : PyObject_GetIter(empty);
        Py_XDECREF(empty);
        return it == NULL ? NULL : Py_BuildValue("O(Nn)n", Py_TYPE(op), it, (Py_ssize_t)0, (Py_ssize_t)0);
    }
    PyObject *stop = s->stop == -1 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(s->stop);
    if (stop == NULL)
        return NULL;
    return Py_BuildValue("O(OnNn)n", Py_TYPE(op), s->it, s->next, stop, s->step, s->cnt);
}
LOCKED_METHOD(islice_reduce)

static PyObject *islice_setstate_locked(PyObject *op, PyObject *state)
{
    Py_ssize_t cnt = PyLong_AsSsize_t(state);
    if (cnt == -1 && PyErr_Occurred())
        return NULL;
    ((IsliceObject *)op)->cnt = cnt;
    Py_RETURN_NONE;
}
LOCKED_METHOD(islice_setstate)

static PyMethodDef islice_methods[] = {
    {"__reduce__", islice_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", islice_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject islice_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.islice",
    .tp_basicsize = sizeof(IsliceObject),
    .tp_dealloc = islice_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\n"
              "The items that a slice of a list of them would have.",
    .tp_traverse = islice_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = islice_next,
    .tp_methods = islice_methods,
    .tp_new = islice_new,
    .tp_free = PyObject_GC_Del,
};
