/* Iterators that combine neighbouring items or several iterables: accumulate, chain, pairwise, zip_longest. */
#include "itertools.h"

/* ---- accumulate ---- */

typedef struct {
    PyObject_HEAD
    PyObject *it;           /* [const] */
    PyObject *binop;        /* [const] NULL: addition */
    PyObject *total;        /* [lock] NULL before the first item */
    PyObject *initial;      /* [lock] Py_None once it has been given */
} AccumulateObject;

static PyObject *accumulate_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"iterable", "func", "initial", NULL};
    PyObject *iterable, *binop = Py_None, *initial = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$O:accumulate", keywords, &iterable, &binop, &initial))
        return NULL;
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL)
        return NULL;
    AccumulateObject *a = (AccumulateObject *)type->tp_alloc(type, 0);
    if (a == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    a->it = it;
    a->binop = binop == Py_None ? NULL : Py_NewRef(binop);
    a->initial = Py_NewRef(initial);
    return (PyObject *)a;
}

static void accumulate_dealloc(PyObject *op)
{
    AccumulateObject *a = (AccumulateObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(a->binop);
    Py_XDECREF(a->total);
    Py_XDECREF(a->it);
    Py_XDECREF(a->initial);
    Py_TYPE(op)->tp_free(op);
}

static int accumulate_traverse(PyObject *op, visitproc visit, void *arg)
{
    AccumulateObject *a = (AccumulateObject *)op;
    Py_VISIT(a->binop);
    Py_VISIT(a->it);
    Py_VISIT(a->total);
    Py_VISIT(a->initial);
    return 0;
}

static PyObject *accumulate_step(PyObject *op)
{
    AccumulateObject *a = (AccumulateObject *)op;
    if (a->initial != Py_None) {
        PyObject *first = a->initial;
        a->initial = Py_NewRef(Py_None);
        Py_XSETREF(a->total, first);
        return Py_NewRef(a->total);
    }
    PyObject *item = next_of(a->it), *sum;
    if (item == NULL)
        return NULL;
    if (a->total == NULL) {
        a->total = Py_NewRef(item);
        return item;
    }
    PyObject *total = Py_NewRef(a->total);
    if (a->binop == NULL)
        sum = PyNumber_Add(total, item);
    else
        sum = PyObject_CallFunctionObjArgs(a->binop, total, item, NULL);
    Py_DECREF(total);
    Py_DECREF(item);
    if (sum == NULL)
        return NULL;
    Py_INCREF(sum);
    Py_XSETREF(a->total, sum);
    return sum;
}
LOCKED_NEXT(accumulate)

static PyObject *accumulate_reduce_locked(PyObject *op, PyObject *unused)
{
    AccumulateObject *a = (AccumulateObject *)op;
    PyObject *binop = a->binop == NULL ? Py_None : a->binop;
    if (a->initial != Py_None) {
        PyObject *it = PyObject_CallFunction((PyObject *)&chain_type, "(O)O", a->initial, a->it);
        return it == NULL ? NULL : Py_BuildValue("O(NO)O", Py_TYPE(op), it, binop, Py_None);
    }
    if (a->total == Py_None) {
        /* None as a state would mean that there is none: start from [None], and drop the first result */
        PyObject *it = PyObject_CallFunction((PyObject *)&chain_type, "(O)O", a->total, a->it);
        if (it == NULL)
            return NULL;
        it = PyObject_CallFunction((PyObject *)Py_TYPE(op), "NO", it, binop);
        return it == NULL ? NULL : Py_BuildValue("O(NiO)", &islice_type, it, 1, Py_None);
    }
    return Py_BuildValue("O(OO)O", Py_TYPE(op), a->it, binop, a->total == NULL ? Py_None : a->total);
}
LOCKED_METHOD(accumulate_reduce)

static PyObject *accumulate_setstate_locked(PyObject *op, PyObject *state)
{
    AccumulateObject *a = (AccumulateObject *)op;
    Py_INCREF(state);
    Py_XSETREF(a->total, state);
    Py_RETURN_NONE;
}
LOCKED_METHOD(accumulate_setstate)

static PyMethodDef accumulate_methods[] = {
    {"__reduce__", accumulate_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", accumulate_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject accumulate_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.accumulate",
    .tp_basicsize = sizeof(AccumulateObject),
    .tp_dealloc = accumulate_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "accumulate(iterable, func=None, *, initial=None)\n--\n\n"
              "Running totals: each item added (or joined by func) to all before it.",
    .tp_traverse = accumulate_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = accumulate_next,
    .tp_methods = accumulate_methods,
    .tp_new = accumulate_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- chain ---- */

typedef struct {
    PyObject_HEAD
    PyObject *source;       /* [lock] iterator over iterables; NULL once exhausted */
    PyObject *active;       /* [lock] iterator over the present one, or NULL */
} ChainObject;

/* Steals source. */
static PyObject *chain_make(PyTypeObject *type, PyObject *source)
{
    ChainObject *c = source == NULL ? NULL : (ChainObject *)type->tp_alloc(type, 0);
    if (c == NULL) {
        Py_XDECREF(source);
        return NULL;
    }
    c->source = source;
    return (PyObject *)c;
}

static PyObject *chain_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!no_keywords(type, &chain_type, "chain", kwargs))
        return NULL;
    return chain_make(type, PyObject_GetIter(args));
}

static PyObject *chain_from_iterable(PyObject *type, PyObject *iterable)
{
    return chain_make((PyTypeObject *)type, PyObject_GetIter(iterable));
}

static void chain_dealloc(PyObject *op)
{
    ChainObject *c = (ChainObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(c->active);
    Py_XDECREF(c->source);
    Py_TYPE(op)->tp_free(op);
}

static int chain_traverse(PyObject *op, visitproc visit, void *arg)
{
    ChainObject *c = (ChainObject *)op;
    Py_VISIT(c->active);
    Py_VISIT(c->source);
    return 0;
}

static PyObject *chain_step(PyObject *op)
{
    ChainObject *c = (ChainObject *)op;
    while (c->source != NULL) {
        if (c->active == NULL) {
            PyObject *source = Py_NewRef(c->source), *iterable = next_of(source);
            Py_DECREF(source);
            if (iterable == NULL) {
                Py_CLEAR(c->source);
                return NULL;
            }
            PyObject *active = PyObject_GetIter(iterable);
            Py_DECREF(iterable);
            if (active == NULL) {
                Py_CLEAR(c->source);
                return NULL;
            }
            Py_XSETREF(c->active, active);
        }
        PyObject *active = Py_NewRef(c->active), *item = next_of(active);
        if (item != NULL) {
            Py_DECREF(active);
            return item;
        }
        int failed = check_end() < 0;
        if (!failed && c->active == active)
            Py_CLEAR(c->active);
        Py_DECREF(active);
        if (failed)
            return NULL;
    }
    return NULL;
}
LOCKED_NEXT(chain)

static PyObject *chain_reduce_locked(PyObject *op, PyObject *unused)
{
    ChainObject *c = (ChainObject *)op;
    if (c->source == NULL)
        return Py_BuildValue("O()", Py_TYPE(op));
    if (c->active != NULL)
        return Py_BuildValue("O()(OO)", Py_TYPE(op), c->source, c->active);
    return Py_BuildValue("O()(O)", Py_TYPE(op), c->source);
}
LOCKED_METHOD(chain_reduce)

static PyObject *chain_setstate_locked(PyObject *op, PyObject *state)
{
    ChainObject *c = (ChainObject *)op;
    PyObject *source, *active = NULL;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O|O", &source, &active))
        return NULL;
    if (!PyIter_Check(source) || (active != NULL && !PyIter_Check(active))) {
        PyErr_SetString(PyExc_TypeError, "Arguments must be iterators.");
        return NULL;
    }
    Py_INCREF(source);
    Py_XINCREF(active);
    Py_XSETREF(c->source, source);
    Py_XSETREF(c->active, active);
    Py_RETURN_NONE;
}
LOCKED_METHOD(chain_setstate)

static PyMethodDef chain_methods[] = {
    {"from_iterable", chain_from_iterable, METH_O | METH_CLASS,
     "from_iterable($type, iterable, /)\n--\n\nA chain of the iterables that the one argument gives, taken one by one."},
    {"__reduce__", chain_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", chain_setstate, METH_O, setstate_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

PyTypeObject chain_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.chain",
    .tp_basicsize = sizeof(ChainObject),
    .tp_dealloc = chain_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "chain(*iterables) --> chain object\n\nThe items of the first iterable, then those of the next, and so on.",
    .tp_traverse = chain_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = chain_next,
    .tp_methods = chain_methods,
    .tp_new = chain_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- pairwise ---- */

typedef struct {
    PyObject_HEAD
    PyObject *it;           /* [lock] NULL once exhausted */
    PyObject *old;          /* [lock] the item before, or NULL */
} PairwiseObject;

static PyObject *pairwise_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *iterable;
    if (!no_keywords(type, &pairwise_type, "pairwise", kwargs) || !PyArg_UnpackTuple(args, "pairwise", 1, 1, &iterable))
        return NULL;
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL)
        return NULL;
    PairwiseObject *p = (PairwiseObject *)type->tp_alloc(type, 0);
    if (p == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    p->it = it;
    return (PyObject *)p;
}

static void pairwise_dealloc(PyObject *op)
{
    PairwiseObject *p = (PairwiseObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(p->it);
    Py_XDECREF(p->old);
    Py_TYPE(op)->tp_free(op);
}

static int pairwise_traverse(PyObject *op, visitproc visit, void *arg)
{
    PairwiseObject *p = (PairwiseObject *)op;
    Py_VISIT(p->it);
    Py_VISIT(p->old);
    return 0;
}

static PyObject *pairwise_step(PyObject *op)
{
    PairwiseObject *p = (PairwiseObject *)op;
    if (p->it == NULL)
        return NULL;
    PyObject *it = Py_NewRef(p->it), *old = Py_XNewRef(p->old), *item = NULL, *result = NULL;
    if (old == NULL) {
        old = next_of(it);
        if (old != NULL) {
            Py_INCREF(old);
            Py_XSETREF(p->old, old);
        }
        if (old == NULL || p->it == NULL) {     /* a callback may have used this very iterator up */
            if (old == NULL)
                Py_CLEAR(p->it);
            goto done;
        }
    }
    item = next_of(it);
    if (item == NULL) {
        Py_CLEAR(p->it);
        Py_CLEAR(p->old);
        goto done;
    }
    result = PyTuple_Pack(2, old, item);
    Py_INCREF(item);
    Py_XSETREF(p->old, item);
done:
    Py_DECREF(it);
    Py_XDECREF(old);
    Py_XDECREF(item);
    return result;
}
LOCKED_NEXT(pairwise)

PyTypeObject pairwise_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.pairwise",
    .tp_basicsize = sizeof(PairwiseObject),
    .tp_dealloc = pairwise_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "pairwise(iterable, /)\n--\n\nPairs of neighbours: s -> (s0,s1), (s1,s2), (s2,s3), ...",
    .tp_traverse = pairwise_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = pairwise_next,
    .tp_new = pairwise_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- zip_longest ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t size;        /* [const] */
    Py_ssize_t active;      /* [lock] iterators that have not ended */
    PyObject **iters;       /* [lock] NULL for those that have ended; the array is const */
    PyObject *fill;         /* [lock] */
} ZipLongestObject;

/* The value of fillvalue=, borrowed; Py_None if absent; NULL with an exception for other keywords. */
static PyObject *get_fillvalue(PyObject *kwargs)
{
    PyObject *fill = Py_None;
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)
        return fill;
    fill = NULL;
    if (PyDict_GET_SIZE(kwargs) == 1) {
        PyObject *key = PyUnicode_FromString("fillvalue");
        if (key == NULL)
            return NULL;
        fill = PyDict_GetItemWithError(kwargs, key);        /* the call's own dict keeps it alive */
        Py_DECREF(key);
    }
    if (fill == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "zip_longest() got an unexpected keyword argument");
    return fill;
}

static PyObject *zip_longest_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *fill = get_fillvalue(kwargs);
    if (fill == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    ZipLongestObject *z = NULL;
    PyObject **iters = PyMem_Calloc((size_t)n + 1, sizeof(PyObject *));
    if (iters == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++)
        if ((iters[i] = PyObject_GetIter(PyTuple_GET_ITEM(args, i))) == NULL)
            goto failed;
    z = (ZipLongestObject *)type->tp_alloc(type, 0);
    if (z == NULL)
        goto failed;
    z->fill = Py_NewRef(fill);
    z->iters = iters;
    z->size = z->active = n;
    return (PyObject *)z;

failed:
    for (Py_ssize_t i = 0; i < n; i++)
        Py_XDECREF(iters[i]);
    PyMem_Free(iters);
    return NULL;
}

static void zip_longest_dealloc(PyObject *op)
{
    ZipLongestObject *z = (ZipLongestObject *)op;
    PyObject_GC_UnTrack(op);
    for (Py_ssize_t i = 0; i < z->size; i++)
        Py_XDECREF(z->iters[i]);
    PyMem_Free(z->iters);
    Py_XDECREF(z->fill);
    Py_TYPE(op)->tp_free(op);
}

static int zip_longest_traverse(PyObject *op, visitproc visit, void *arg)
{
    ZipLongestObject *z = (ZipLongestObject *)op;
    for (Py_ssize_t i = 0; i < z->size; i++)
        Py_VISIT(z->iters[i]);
    Py_VISIT(z->fill);
    return 0;
}

/* The next item of iterator i, or the fill value. NULL: an exception, or all have ended. */
static PyObject *zip_longest_item(ZipLongestObject *z, Py_ssize_t i)
{
    if (z->iters[i] == NULL)
        return Py_NewRef(z->fill);
    PyObject *it = Py_NewRef(z->iters[i]), *item = next_of(it);
    if (item == NULL) {
        int failed = check_end() < 0;
        if (z->iters[i] == it) {
            z->active--;
            if (!failed && z->active > 0)
                Py_CLEAR(z->iters[i]);
        }
        if (failed || z->active <= 0)
            z->active = 0;
        else
            item = Py_NewRef(z->fill);
    }
    Py_DECREF(it);
    return item;
}

static PyObject *zip_longest_step(PyObject *op)
{
    ZipLongestObject *z = (ZipLongestObject *)op;
    if (z->active == 0)
        return NULL;
    PyObject *result = PyTuple_New(z->size);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < z->size; i++) {
        PyObject *item = zip_longest_item(z, i);
        if (item == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, i, item);
    }
    return result;
}
LOCKED_NEXT(zip_longest)

/* Iterators that have ended are replaced by empty tuples. */
static PyObject *zip_longest_reduce_locked(PyObject *op, PyObject *unused)
{
    ZipLongestObject *z = (ZipLongestObject *)op;
    PyObject *args = PyTuple_New(z->size);
    if (args == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < z->size; i++) {
        PyObject *item = z->iters[i] != NULL ? Py_NewRef(z->iters[i]) : PyTuple_New(0);
        if (item == NULL) {
            Py_DECREF(args);
            return NULL;
        }
        PyTuple_SET_ITEM(args, i, item);
    }
    return Py_BuildValue("ONO", Py_TYPE(op), args, z->fill);
}
LOCKED_METHOD(zip_longest_reduce)

static PyObject *zip_longest_setstate_locked(PyObject *op, PyObject *state)
{
    ZipLongestObject *z = (ZipLongestObject *)op;
    Py_INCREF(state);
    Py_XSETREF(z->fill, state);
    Py_RETURN_NONE;
}
LOCKED_METHOD(zip_longest_setstate)

static PyMethodDef zip_longest_methods[] = {
    {"__reduce__", zip_longest_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", zip_longest_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject zip_longest_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.zip_longest",
    .tp_basicsize = sizeof(ZipLongestObject),
    .tp_dealloc = zip_longest_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "zip_longest(iter1 [,iter2 [...]], [fillvalue=None]) --> zip_longest object\n\n"
              "Like zip(), but goes on to the end of the longest; fillvalue stands for missing items.",
    .tp_traverse = zip_longest_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = zip_longest_next,
    .tp_methods = zip_longest_methods,
    .tp_new = zip_longest_new,
    .tp_free = PyObject_GC_Del,
};
