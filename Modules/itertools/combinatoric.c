/* product, permutations, combinations, combinations_with_replacement.
 *
 * Each keeps the tuple it gave last, and makes the next one from it: in place if nobody has kept it, else from a copy. */
#include "itertools.h"

typedef struct {
    PyObject_HEAD
    PyObject *pool;         /* [const] tuple of items; product: tuple of such tuples */
    Py_ssize_t *indices;    /* [lock] into the pool; the array is const. product, combinations: r of them */
    Py_ssize_t *cycles;     /* [lock] permutations only: r counters */
    PyObject *result;       /* [lock] the last tuple; NULL before the first */
    Py_ssize_t r;           /* [const] length of a result */
    int stopped;            /* [lock] */
} ComboObject;

static void combo_dealloc(PyObject *op)
{
    ComboObject *c = (ComboObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(c->pool);
    Py_XDECREF(c->result);
    PyMem_Free(c->indices);
    PyMem_Free(c->cycles);
    Py_TYPE(op)->tp_free(op);
}

static int combo_traverse(PyObject *op, visitproc visit, void *arg)
{
    ComboObject *c = (ComboObject *)op;
    Py_VISIT(c->pool);
    Py_VISIT(c->result);
    return 0;
}

/* An object with room for `count` indices and `cycles` cycles. Steals pool, on failure too. */
static ComboObject *combo_make(PyTypeObject *type, PyObject *pool, Py_ssize_t r, Py_ssize_t count, Py_ssize_t cycles)
{
    ComboObject *c = (ComboObject *)type->tp_alloc(type, 0);
    if (c == NULL) {
        Py_DECREF(pool);
        return NULL;
    }
    c->pool = pool;
    c->r = r;
    c->indices = PyMem_Calloc((size_t)count + 1, sizeof(Py_ssize_t));
    if (cycles > 0)
        c->cycles = PyMem_Calloc((size_t)cycles, sizeof(Py_ssize_t));
    if (c->indices == NULL || (cycles > 0 && c->cycles == NULL)) {
        Py_DECREF(c);
        PyErr_NoMemory();
        return NULL;
    }
    return c;
}

/* Makes c->result a tuple that may be changed. 0 or -1. */
static int result_prepare(ComboObject *c)
{
    if (module_object_is_unique(c->result))
        return 0;
    PyObject *copy = PyTuple_New(c->r);
    if (copy == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < c->r; i++)
        PyTuple_SET_ITEM(copy, i, Py_NewRef(PyTuple_GET_ITEM(c->result, i)));
    Py_SETREF(c->result, copy);
    return 0;
}

/* result[i] = item. The pool holds the old item too, so dropping it here runs no code. */
static void result_set(ComboObject *c, Py_ssize_t i, PyObject *item)
{
    PyObject *old = PyTuple_GET_ITEM(c->result, i);
    Py_INCREF(item);
    PyTuple_SET_ITEM(c->result, i, item);
    Py_DECREF(old);
}

static PyObject *result_give(ComboObject *c)
{
    module_tuple_refilled(c->result);
    return Py_NewRef(c->result);
}

/* The tuple that the indices stand for. */
static PyObject *result_from_indices(ComboObject *c)
{
    PyObject *result = PyTuple_New(c->r);
    if (result != NULL)
        for (Py_ssize_t i = 0; i < c->r; i++)
            PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(c->pool, c->indices[i])));
    return result;
}

static PyObject *tuple_of_ints(const Py_ssize_t *values, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value = PyLong_FromSsize_t(values[i]);
        if (value == NULL) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, value);
    }
    return tuple;
}

static int check_state(PyObject *state, Py_ssize_t n)
{
    if (PyTuple_Check(state) && PyTuple_GET_SIZE(state) == n)
        return 0;
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return -1;
}

/* state[i] brought between low and high. 0 or -1. */
static int state_index(PyObject *state, Py_ssize_t i, Py_ssize_t low, Py_ssize_t high, Py_ssize_t *out)
{
    Py_ssize_t n = PyLong_AsSsize_t(PyTuple_GET_ITEM(state, i));
    if (n == -1 && PyErr_Occurred())
        return -1;
    *out = n < low ? low : n > high ? high : n;
    return 0;
}

/* __reduce__ of the three that have a pool and r. */
static PyObject *combo_reduce_locked(PyObject *op, PyObject *unused)
{
    ComboObject *c = (ComboObject *)op;
    if (c->result == NULL)
        return Py_BuildValue("O(On)", Py_TYPE(op), c->pool, c->r);
    if (c->stopped)
        return Py_BuildValue("O(()n)", Py_TYPE(op), c->r);
    int permutes = PyObject_TypeCheck(op, &permutations_type);
    PyObject *indices = tuple_of_ints(c->indices, permutes ? PyTuple_GET_SIZE(c->pool) : c->r);
    if (indices == NULL)
        return NULL;
    if (!permutes)
        return Py_BuildValue("O(On)N", Py_TYPE(op), c->pool, c->r, indices);
    PyObject *cycles = tuple_of_ints(c->cycles, c->r);
    if (cycles == NULL) {
        Py_DECREF(indices);
        return NULL;
    }
    return Py_BuildValue("O(On)(NN)", Py_TYPE(op), c->pool, c->r, indices, cycles);
}
LOCKED_METHOD(combo_reduce)

static size_t object_size(PyObject *op)
{
    return (size_t)Py_TYPE(op)->tp_basicsize;
}

static PyObject *combo_sizeof(PyObject *op, PyObject *unused)
{
    ComboObject *c = (ComboObject *)op;
    Py_ssize_t n = c->r;
    if (PyObject_TypeCheck(op, &permutations_type))
        n += PyTuple_GET_SIZE(c->pool);
    return PyLong_FromSize_t(object_size(op) + (size_t)n * sizeof(Py_ssize_t));
}

#define COMBO_TYPE(type_name, type_new, type_next, type_methods, doc) \
    PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = "itertools." type_name, \
    .tp_basicsize = sizeof(ComboObject), \
    .tp_dealloc = combo_dealloc, \
    .tp_getattro = PyObject_GenericGetAttr, \
    .tp_flags = ITERATOR_FLAGS, \
    .tp_doc = doc, \
    .tp_traverse = combo_traverse, \
    .tp_iter = PyObject_SelfIter, \
    .tp_iternext = type_next, \
    .tp_methods = type_methods, \
    .tp_new = type_new, \
    .tp_free = PyObject_GC_Del,

/* ---- product ---- */

/* repeat= of product(), or -1 with an exception. */
static Py_ssize_t get_repeat(PyObject *kwargs)
{
    static char *keywords[] = {"repeat", NULL};
    Py_ssize_t repeat = 1;
    if (kwargs == NULL)
        return 1;
    PyObject *none = PyTuple_New(0);
    if (none == NULL)
        return -1;
    int ok = PyArg_ParseTupleAndKeywords(none, kwargs, "|n:product", keywords, &repeat);
    Py_DECREF(none);
    if (!ok)
        return -1;
    if (repeat < 0)
        PyErr_SetString(PyExc_ValueError, "repeat argument cannot be negative");
    return repeat < 0 ? -1 : repeat;
}

static PyObject *product_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t repeat = get_repeat(kwargs), given = repeat == 0 ? 0 : PyTuple_GET_SIZE(args), n;
    if (repeat < 0)
        return NULL;
    if (__builtin_mul_overflow(given, repeat, &n) || (size_t)n > PY_SSIZE_T_MAX / sizeof(Py_ssize_t) - 1) {
        PyErr_SetString(PyExc_OverflowError, "repeat argument too large");
        return NULL;
    }
    PyObject *pools = PyTuple_New(n);
    if (pools == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *pool = i < given ? PySequence_Tuple(PyTuple_GET_ITEM(args, i))
                                   : Py_NewRef(PyTuple_GET_ITEM(pools, i - given));
        if (pool == NULL) {
            Py_DECREF(pools);
            return NULL;
        }
        PyTuple_SET_ITEM(pools, i, pool);
    }
    return (PyObject *)combo_make(type, pools, n, n, 0);
}

static PyObject *product_first(ComboObject *c)
{
    PyObject *result = PyTuple_New(c->r);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < c->r; i++) {
        PyObject *pool = PyTuple_GET_ITEM(c->pool, i);
        if (PyTuple_GET_SIZE(pool) <= c->indices[i]) {
            c->stopped = 1;
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(pool, c->indices[i])));
    }
    return result;
}

/* Like an odometer: the last index that can still move on does, those behind it start again. */
static PyObject *product_step(PyObject *op)
{
    ComboObject *c = (ComboObject *)op;
    if (c->stopped)
        return NULL;
    if (c->result == NULL) {
        c->result = product_first(c);
        return Py_XNewRef(c->result);
    }
    Py_ssize_t i = c->r - 1;
    while (i >= 0 && c->indices[i] + 1 >= PyTuple_GET_SIZE(PyTuple_GET_ITEM(c->pool, i)))
        i--;
    if (i < 0) {
        c->stopped = 1;
        return NULL;
    }
    if (result_prepare(c) < 0)
        return NULL;
    c->indices[i]++;
    for (Py_ssize_t k = i + 1; k < c->r; k++)
        c->indices[k] = 0;
    for (; i < c->r; i++)
        result_set(c, i, PyTuple_GET_ITEM(PyTuple_GET_ITEM(c->pool, i), c->indices[i]));
    return result_give(c);
}
LOCKED_NEXT(product)

static PyObject *product_reduce_locked(PyObject *op, PyObject *unused)
{
    ComboObject *c = (ComboObject *)op;
    if (c->stopped)
        return Py_BuildValue("O(())", Py_TYPE(op));
    if (c->result == NULL)
        return Py_BuildValue("OO", Py_TYPE(op), c->pool);
    PyObject *indices = tuple_of_ints(c->indices, c->r);
    return indices == NULL ? NULL : Py_BuildValue("OON", Py_TYPE(op), c->pool, indices);
}
LOCKED_METHOD(product_reduce)

static PyObject *product_setstate_locked(PyObject *op, PyObject *state)
{
    ComboObject *c = (ComboObject *)op;
    if (check_state(state, c->r) < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < c->r; i++) {
        Py_ssize_t n = PyTuple_GET_SIZE(PyTuple_GET_ITEM(c->pool, i));
        if (n == 0) {
            c->stopped = 1;
            Py_RETURN_NONE;
        }
        if (state_index(state, i, 0, n - 1, &c->indices[i]) < 0)
            return NULL;
    }
    PyObject *result = product_first(c);
    if (result == NULL)
        return NULL;
    Py_XSETREF(c->result, result);
    Py_RETURN_NONE;
}
LOCKED_METHOD(product_setstate)

static PyMethodDef product_methods[] = {
    {"__reduce__", product_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", product_setstate, METH_O, setstate_doc},
    {"__sizeof__", combo_sizeof, METH_NOARGS, sizeof_doc},
    {NULL},
};

PyTypeObject product_type = {COMBO_TYPE(
    "product", product_new, product_next, product_methods,
    "product(*iterables, repeat=1) --> product object\n\n"
    "All tuples with one item of each iterable, as nested for-loops would give them.\n"
    "repeat=n uses the same iterables n times.")};

/* ---- combinations ---- */

/* The arguments (iterable, r) with r checked; the pool is a new reference. NULL with an exception. */
static PyObject *parse_pool_and_r(PyObject *args, PyObject *kwargs, const char *format, Py_ssize_t *r)
{
    static char *keywords[] = {"iterable", "r", NULL};
    PyObject *iterable, *pool;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &iterable, r))
        return NULL;
    pool = PySequence_Tuple(iterable);
    if (pool == NULL)
        return NULL;
    if (*r < 0) {
        PyErr_SetString(PyExc_ValueError, "r must be non-negative");
        Py_DECREF(pool);
        return NULL;
    }
    return pool;
}

static PyObject *combinations_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t r;
    PyObject *pool = parse_pool_and_r(args, kwargs, "On:combinations", &r);
    if (pool == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(pool);
    ComboObject *c = combo_make(type, pool, r, r > n ? 0 : r, 0);
    if (c == NULL)
        return NULL;
    c->stopped = r > n;
    for (Py_ssize_t i = 0; i < r && r <= n; i++)
        c->indices[i] = i;
    return (PyObject *)c;
}

/* The rightmost index that can still grow does; those behind it follow it closely. */
static PyObject *combinations_step(PyObject *op)
{
    ComboObject *c = (ComboObject *)op;
    if (c->stopped)
        return NULL;
    if (c->result == NULL) {
        c->result = result_from_indices(c);
        return Py_XNewRef(c->result);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool), r = c->r, i = r - 1;
    while (i >= 0 && c->indices[i] >= i + n - r)
        i--;
    if (i < 0) {
        c->stopped = 1;
        return NULL;
    }
    if (result_prepare(c) < 0)
        return NULL;
    c->indices[i]++;
    for (Py_ssize_t k = i + 1; k < r; k++)
        c->indices[k] = c->indices[k - 1] + 1;
    for (; i < r; i++)
        result_set(c, i, PyTuple_GET_ITEM(c->pool, c->indices[i]));
    return result_give(c);
}
LOCKED_NEXT(combinations)

static PyObject *combinations_setstate_locked(PyObject *op, PyObject *state)
{
    ComboObject *c = (ComboObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool);
    if (check_state(state, c->r) < 0)
        return NULL;
    if (c->r > n)
        Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < c->r; i++)
        if (state_index(state, i, 0, i + n - c->r, &c->indices[i]) < 0)
            return NULL;
    PyObject *result = result_from_indices(c);
    if (result == NULL)
        return NULL;
    Py_XSETREF(c->result, result);
    Py_RETURN_NONE;
}
LOCKED_METHOD(combinations_setstate)

static PyMethodDef combinations_methods[] = {
    {"__reduce__", combo_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", combinations_setstate, METH_O, setstate_doc},
    {"__sizeof__", combo_sizeof, METH_NOARGS, sizeof_doc},
    {NULL},
};

PyTypeObject combinations_type = {COMBO_TYPE(
    "combinations", combinations_new, combinations_next, combinations_methods,
    "combinations(iterable, r)\n--\n\nThe selections of r items, each in the order of the iterable.")};

/* ---- combinations_with_replacement ---- */

static PyObject *cwr_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t r;
    PyObject *pool = parse_pool_and_r(args, kwargs, "On:combinations_with_replacement", &r);
    if (pool == NULL)
        return NULL;
    if ((size_t)r > PY_SSIZE_T_MAX / sizeof(Py_ssize_t) - 1) {
        Py_DECREF(pool);
        return PyErr_NoMemory();
    }
    int stopped = PyTuple_GET_SIZE(pool) == 0 && r > 0;
    ComboObject *c = combo_make(type, pool, r, r, 0);
    if (c != NULL)
        c->stopped = stopped;
    return (PyObject *)c;
}

/* The rightmost index below the last item grows; those behind it take its value. */
static PyObject *cwr_step(PyObject *op)
{
    ComboObject *c = (ComboObject *)op;
    if (c->stopped)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool), r = c->r, i = r - 1;
    if (c->result == NULL) {
        c->result = result_from_indices(c);
        return Py_XNewRef(c->result);
    }
    while (i >= 0 && c->indices[i] >= n - 1)
        i--;
    if (i < 0) {
        c->stopped = 1;
        return NULL;
    }
    if (result_prepare(c) < 0)
        return NULL;
    Py_ssize_t index = c->indices[i] + 1;
    for (; i < r; i++) {
        c->indices[i] = index;
        result_set(c, i, PyTuple_GET_ITEM(c->pool, index));
    }
    return result_give(c);
}
LOCKED_NEXT(cwr)

static PyObject *cwr_setstate_locked(PyObject *op, PyObject *state)
{
    ComboObject *c = (ComboObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool);
    if (check_state(state, c->r) < 0)
        return NULL;
    if (n == 0 && c->r > 0)
        Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < c->r; i++)
        if (state_index(state, i, 0, n - 1, &c->indices[i]) < 0)
            return NULL;
    PyObject *result = result_from_indices(c);
    if (result == NULL)
        return NULL;
    Py_XSETREF(c->result, result);
    Py_RETURN_NONE;
}
LOCKED_METHOD(cwr_setstate)

static PyMethodDef cwr_methods[] = {
    {"__reduce__", combo_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", cwr_setstate, METH_O, setstate_doc},
    {"__sizeof__", combo_sizeof, METH_NOARGS, sizeof_doc},
    {NULL},
};

PyTypeObject cwr_type = {COMBO_TYPE(
    "combinations_with_replacement", cwr_new, cwr_next, cwr_methods,
    "combinations_with_replacement(iterable, r)\n--\n\n"
    "The selections of r items in the order of the iterable, where an item may come several times.")};

/* ---- permutations ---- */

static PyObject *permutations_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"iterable", "r", NULL};
    PyObject *iterable, *robj = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:permutations", keywords, &iterable, &robj))
        return NULL;
    PyObject *pool = PySequence_Tuple(iterable);
    if (pool == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(pool), r = n;
    if (robj != Py_None) {
        if (!PyLong_Check(robj)) {
            PyErr_SetString(PyExc_TypeError, "Expected int as r");
            r = -1;
        }
        else {
            r = PyLong_AsSsize_t(robj);
            if (r < 0 && !PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "r must be non-negative");
        }
    }
    if (r < 0) {
        Py_DECREF(pool);
        return NULL;
    }
    ComboObject *c = combo_make(type, pool, r, n, r > n ? 0 : r);
    if (c == NULL)
        return NULL;
    c->stopped = r > n;
    for (Py_ssize_t i = 0; i < n; i++)
        c->indices[i] = i;
    for (Py_ssize_t i = 0; i < r && r <= n; i++)
        c->cycles[i] = n - i;
    return (PyObject *)c;
}

/* Place i has cycles[i] more items to try; when it has had them all, its first one is put back at the end. */
static PyObject *permutations_step(PyObject *op)
{
    ComboObject *c = (ComboObject *)op;
    if (c->stopped)
        return NULL;
    if (c->result == NULL) {
        c->result = result_from_indices(c);
        return Py_XNewRef(c->result);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool), r = c->r;
    if (n == 0) {
        c->stopped = 1;
        return NULL;
    }
    if (result_prepare(c) < 0)
        return NULL;
    for (Py_ssize_t i = r - 1; i >= 0; i--) {
        if (--c->cycles[i] == 0) {
            Py_ssize_t index = c->indices[i];
            memmove(&c->indices[i], &c->indices[i + 1], (size_t)(n - 1 - i) * sizeof(Py_ssize_t));
            c->indices[n - 1] = index;
            c->cycles[i] = n - i;
        }
        else {
            Py_ssize_t j = c->cycles[i], index = c->indices[i];
            c->indices[i] = c->indices[n - j];
            c->indices[n - j] = index;
            for (Py_ssize_t k = i; k < r; k++)
                result_set(c, k, PyTuple_GET_ITEM(c->pool, c->indices[k]));
            return result_give(c);
        }
    }
    c->stopped = 1;
    return NULL;
}
LOCKED_NEXT(permutations)

static PyObject *permutations_setstate_locked(PyObject *op, PyObject *state)
{
    ComboObject *c = (ComboObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool), r = c->r;
    PyObject *indices, *cycles;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O!O!", &PyTuple_Type, &indices, &PyTuple_Type, &cycles))
        return NULL;
    if (check_state(indices, n) < 0 || check_state(cycles, r) < 0)
        return NULL;
    if (r > n)
        Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < n; i++)
        if (state_index(indices, i, 0, n - 1, &c->indices[i]) < 0)
            return NULL;
    for (Py_ssize_t i = 0; i < r; i++)
        if (state_index(cycles, i, 1, n - i, &c->cycles[i]) < 0)
            return NULL;
    PyObject *result = result_from_indices(c);
    if (result == NULL)
        return NULL;
    Py_XSETREF(c->result, result);
    Py_RETURN_NONE;
}
LOCKED_METHOD(permutations_setstate)

static PyMethodDef permutations_methods[] = {
    {"__reduce__", combo_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", permutations_setstate, METH_O, setstate_doc},
    {"__sizeof__", combo_sizeof, METH_NOARGS, sizeof_doc},
    {NULL},
};

PyTypeObject permutations_type = {COMBO_TYPE(
    "permutations", permutations_new, permutations_next, permutations_methods,
    "permutations(iterable, r=None)\n--\n\nThe arrangements of r of the items (of all, if r is None).")};
