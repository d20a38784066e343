/* range objects and their iterators. Layouts and the fast path: Include/internal/range.h. */
#include "Python.h"

#include "internal/range.h"

/* ---- Lengths ---- */

/* Number of items of range(start, stop, step) in C integers; always fits. */
static uint64_t small_length(int64_t start, int64_t stop, int64_t step)
{
    if (step > 0 && start < stop)
        return 1 + ((uint64_t)stop - 1 - (uint64_t)start) / (uint64_t)step;
    if (step < 0 && start > stop)
        return 1 + ((uint64_t)start - 1 - (uint64_t)stop) / (0 - (uint64_t)step);
    return 0;
}

/* The same for ints of any size: a new int, or NULL. */
static PyObject *long_length(PyObject *start, PyObject *stop, PyObject *step)
{
    PyObject *zero = value_from_int(0), *one = value_from_int(1);
    PyObject *lo, *hi, *diff = NULL, *quotient = NULL, *result = NULL, *stride = NULL;
    int up = PyObject_RichCompareBool(step, zero, Py_GT);
    if (up < 0)
        return NULL;
    lo = up ? start : stop;
    hi = up ? stop : start;
    int empty = PyObject_RichCompareBool(lo, hi, Py_GE);
    if (empty != 0)
        return empty < 0 ? NULL : zero;
    stride = up ? Py_NewRef(step) : PyNumber_Negative(step);
    if (stride == NULL)
        return NULL;
    diff = PyNumber_Subtract(hi, lo);
    if (diff != NULL)
        Py_SETREF(diff, PyNumber_Subtract(diff, one));
    if (diff != NULL)
        quotient = PyNumber_FloorDivide(diff, stride);
    if (quotient != NULL)
        result = PyNumber_Add(quotient, one);
    Py_DECREF(stride);
    Py_XDECREF(diff);
    Py_XDECREF(quotient);
    return result;
}

/* ---- Making ranges ---- */

/* Steals the three exact ints, on failure too. */
static PyObject *make_range(PyTypeObject *type, PyObject *start, PyObject *stop, PyObject *step)
{
    PyObject *length = NULL;
    RangeObject *r = NULL;
    int small = value_is_int(start) && value_is_int(stop) && value_is_int(step);
    if (small)
        length = PyLong_FromUnsignedLongLong(
            small_length(value_get_int(start), value_get_int(stop), value_get_int(step)));
    else
        length = long_length(start, stop, step);
    if (length != NULL)
        r = PyObject_New(RangeObject, type);
    if (r == NULL) {
        Py_DECREF(start);
        Py_DECREF(stop);
        Py_DECREF(step);
        Py_XDECREF(length);
        return NULL;
    }
    r->start = start;
    r->stop = stop;
    r->step = step;
    r->length = length;
    r->is_small = small && value_is_int(length);
    r->c_start = r->c_end = r->c_step = 0;
    if (r->is_small) {
        r->c_start = value_get_int(start);
        r->c_step = value_get_int(step);
        r->c_end = r->c_start + value_get_int(length) * r->c_step;      /* within one step of stop: fits */
    }
    return (PyObject *)r;
}

PyObject *range_new_from_ints(int64_t start, int64_t stop, int64_t step)
{
    PyObject *a = PyLong_FromLongLong(start), *b = PyLong_FromLongLong(stop), *c = PyLong_FromLongLong(step);
    if (a == NULL || b == NULL || c == NULL) {
        Py_XDECREF(a);
        Py_XDECREF(b);
        Py_XDECREF(c);
        return NULL;
    }
    return make_range(&PyRange_Type, a, b, c);
}

static PyObject *range_from_array(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL;
    switch (nargs) {
    case 0:
        PyErr_SetString(PyExc_TypeError, "range expected at least 1 argument, got 0");
        return NULL;
    case 1:
        start = value_from_int(0);
        step = value_from_int(1);
        stop = PyNumber_Index(args[0]);
        return stop == NULL ? NULL : make_range(type, start, stop, step);
    case 2:
    case 3:
        start = PyNumber_Index(args[0]);
        if (start == NULL)
            return NULL;
        stop = PyNumber_Index(args[1]);
        if (stop == NULL)
            break;
        step = nargs == 3 ? PyNumber_Index(args[2]) : value_from_int(1);
        if (step == NULL)
            break;
        if (_PyLong_Sign(step) == 0) {
            PyErr_SetString(PyExc_ValueError, "range() arg 3 must not be zero");
            break;
        }
        return make_range(type, start, stop, step);
    default:
        PyErr_Format(PyExc_TypeError, "range expected at most 3 arguments, got %zd", nargs);
        return NULL;
    }
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    return NULL;
}

static PyObject *range_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!_PyArg_NoKeywords("range", kwargs))
        return NULL;
    return range_from_array(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
}

static PyObject *range_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("range", kwnames))
        return NULL;
    return range_from_array((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static void range_dealloc(PyObject *op)
{
    RangeObject *r = (RangeObject *)op;
    Py_DECREF(r->start);
    Py_DECREF(r->stop);
    Py_DECREF(r->step);
    Py_DECREF(r->length);
    PyObject_Free(r);
}

/* ---- As a sequence ---- */

static Py_ssize_t range_length(PyObject *op)
{
    return PyLong_AsSsize_t(((RangeObject *)op)->length);
}

/* start + i * step, not checked against the length. */
static PyObject *item_at(RangeObject *r, PyObject *i)
{
    PyObject *offset = PyNumber_Multiply(i, r->step);
    if (offset == NULL)
        return NULL;
    PyObject *result = PyNumber_Add(r->start, offset);
    Py_DECREF(offset);
    return result;
}

static PyObject *index_error(void)
{
    PyErr_SetString(PyExc_IndexError, "range object index out of range");
    return NULL;
}

/* The item at an exact or inexact int i, counted from the end if negative. */
static PyObject *range_get(RangeObject *r, PyObject *i)
{
    if (r->is_small && value_is_int(i)) {
        int64_t k = value_get_int(i), n = value_get_int(r->length);
        if (k < 0)
            k += n;
        if (k < 0 || k >= n)
            return index_error();
        return value_from_int(r->c_start + k * r->c_step);
    }
    PyObject *index = _PyLong_Sign(i) < 0 ? PyNumber_Add(i, r->length) : Py_NewRef(i), *result = NULL;
    if (index == NULL)
        return NULL;
    int outside = _PyLong_Sign(index) < 0;
    if (!outside)
        outside = PyObject_RichCompareBool(index, r->length, Py_GE);
    if (outside == 0)
        result = item_at(r, index);
    else if (outside > 0)
        index_error();
    Py_DECREF(index);
    return result;
}

static PyObject *range_item(PyObject *op, Py_ssize_t i)
{
    RangeObject *r = (RangeObject *)op;
    if (i < 0)
        return index_error();       /* the caller has added the length already */
    PyObject *index = PyLong_FromSsize_t(i);
    if (index == NULL)
        return NULL;
    PyObject *result = range_get(r, index);
    Py_DECREF(index);
    return result;
}

static PyObject *range_slice(RangeObject *r, PyObject *slice)
{
    PyObject *start, *stop, *step, *a = NULL, *b = NULL, *c = NULL;
    if (_PySlice_GetLongIndices((PySliceObject *)slice, r->length, &start, &stop, &step) < 0)
        return NULL;
    c = PyNumber_Multiply(r->step, step);
    if (c != NULL)
        a = item_at(r, start);
    if (a != NULL)
        b = item_at(r, stop);
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_DECREF(step);
    if (b == NULL) {
        Py_XDECREF(a);
        Py_XDECREF(c);
        return NULL;
    }
    return make_range(Py_TYPE(r), a, b, c);
}

static PyObject *range_subscript(PyObject *op, PyObject *key)
{
    RangeObject *r = (RangeObject *)op;
    if (value_is_int(key))
        return range_get(r, key);
    if (PyIndex_Check(key)) {
        PyObject *index = PyNumber_Index(key);
        if (index == NULL)
            return NULL;
        PyObject *result = range_get(r, index);
        Py_DECREF(index);
        return result;
    }
    if (PySlice_Check(key))
        return range_slice(r, key);
    PyErr_Format(PyExc_TypeError, "range indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return NULL;
}

static int range_bool(PyObject *op)
{
    return _PyLong_Sign(((RangeObject *)op)->length) != 0;
}

/* ---- Membership ---- */

/* Is the int (or bool) value an item? */
static int contains_int(RangeObject *r, PyObject *value)
{
    if (r->is_small && value_is_int(value)) {
        int64_t v = value_get_int(value);
        if (r->c_step > 0 ? v < r->c_start || v >= r->c_end : v > r->c_start || v <= r->c_end)
            return 0;
        return (v - r->c_start) % r->c_step == 0;
    }
    int up = _PyLong_Sign(r->step) > 0;
    int inside = PyObject_RichCompareBool(up ? r->start : value, up ? value : r->start, Py_LE);
    if (inside <= 0)
        return inside;
    inside = PyObject_RichCompareBool(up ? value : r->stop, up ? r->stop : value, Py_LT);
    if (inside <= 0)
        return inside;
    PyObject *offset = PyNumber_Subtract(value, r->start);
    if (offset == NULL)
        return -1;
    PyObject *rest = PyNumber_Remainder(offset, r->step);
    Py_DECREF(offset);
    if (rest == NULL)
        return -1;
    int result = _PyLong_Sign(rest) == 0;
    Py_DECREF(rest);
    return result;
}

static int has_int_equality(PyObject *value)
{
    return PyLong_CheckExact(value) || PyBool_Check(value);
}

static int range_contains(PyObject *op, PyObject *value)
{
    if (has_int_equality(value))
        return contains_int((RangeObject *)op, value);
    return (int)_PySequence_IterSearch(op, value, PY_ITERSEARCH_CONTAINS);
}

static PyObject *range_count(PyObject *op, PyObject *value)
{
    if (has_int_equality(value)) {
        int found = contains_int((RangeObject *)op, value);
        return found < 0 ? NULL : PyLong_FromLong(found);
    }
    Py_ssize_t n = _PySequence_IterSearch(op, value, PY_ITERSEARCH_COUNT);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *range_index(PyObject *op, PyObject *value)
{
    RangeObject *r = (RangeObject *)op;
    if (!has_int_equality(value)) {
        Py_ssize_t i = _PySequence_IterSearch(op, value, PY_ITERSEARCH_INDEX);
        return i < 0 ? NULL : PyLong_FromSsize_t(i);
    }
    int found = contains_int(r, value);
    if (found < 0)
        return NULL;
    if (!found) {
        PyErr_Format(PyExc_ValueError, "%R is not in range", value);
        return NULL;
    }
    PyObject *offset = PyNumber_Subtract(value, r->start);
    if (offset == NULL)
        return NULL;
    PyObject *result = PyNumber_FloorDivide(offset, r->step);
    Py_DECREF(offset);
    return result;
}

/* ---- Comparison ---- */

/* Two ranges are equal if they have the same items: same length, start (unless empty), step (if longer than 1). */
static int ranges_equal(RangeObject *a, RangeObject *b)
{
    if (a == b)
        return 1;
    int same = PyObject_RichCompareBool(a->length, b->length, Py_EQ);
    if (same <= 0 || _PyLong_Sign(a->length) == 0)
        return same;
    same = PyObject_RichCompareBool(a->start, b->start, Py_EQ);
    if (same <= 0)
        return same;
    int single = PyObject_RichCompareBool(a->length, value_from_int(1), Py_EQ);
    if (single != 0)
        return single;
    return PyObject_RichCompareBool(a->step, b->step, Py_EQ);
}

static PyObject *range_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyRange_Check(b) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    int same = ranges_equal((RangeObject *)a, (RangeObject *)b);
    return same < 0 ? NULL : PyBool_FromLong(op == Py_EQ ? same : !same);
}

static Py_hash_t range_hash(PyObject *op)
{
    RangeObject *r = (RangeObject *)op;
    int empty = _PyLong_Sign(r->length) == 0;
    int single = PyObject_RichCompareBool(r->length, value_from_int(1), Py_EQ);
    if (single < 0)
        return -1;
    PyObject *key = PyTuple_Pack(3, r->length, empty ? Py_None : r->start, empty || single ? Py_None : r->step);
    if (key == NULL)
        return -1;
    Py_hash_t h = PyObject_Hash(key);
    Py_DECREF(key);
    return h;
}

/* ---- Other methods ---- */

static PyObject *range_repr(PyObject *op)
{
    RangeObject *r = (RangeObject *)op;
    if (PyLong_AsLong(r->step) == 1)
        return PyUnicode_FromFormat("range(%R, %R)", r->start, r->stop);
    PyErr_Clear();          /* a huge step */
    return PyUnicode_FromFormat("range(%R, %R, %R)", r->start, r->stop, r->step);
}

static PyObject *range_reduce(PyObject *op, PyObject *unused)
{
    RangeObject *r = (RangeObject *)op;
    return Py_BuildValue("(O(OOO))", Py_TYPE(op), r->start, r->stop, r->step);
}

static PyObject *range_get_field(PyObject *op, void *offset)
{
    return Py_NewRef(*(PyObject **)((char *)op + (size_t)offset));
}

static PyObject *range_iter(PyObject *op);
static PyObject *range_reversed(PyObject *op, PyObject *unused);

static PyMethodDef range_methods[] = {
    {"__reversed__", range_reversed, METH_NOARGS, "Return a reverse iterator."},
    {"__reduce__", range_reduce, METH_NOARGS, NULL},
    {"count", range_count, METH_O, "rangeobject.count(value) -> integer\nthe number of items equal to value"},
    {"index", range_index, METH_O,
     "rangeobject.index(value) -> integer\nthe position of value.\nRaises ValueError if it is not an item."},
    {NULL},
};

static PyGetSetDef range_getset[] = {
    {"start", range_get_field, NULL, NULL, (void *)offsetof(RangeObject, start)},
    {"stop", range_get_field, NULL, NULL, (void *)offsetof(RangeObject, stop)},
    {"step", range_get_field, NULL, NULL, (void *)offsetof(RangeObject, step)},
    {NULL},
};

static PyNumberMethods range_as_number = {.nb_bool = range_bool};
static PySequenceMethods range_as_sequence = {
    .sq_length = range_length,
    .sq_item = range_item,
    .sq_contains = range_contains,
};
static PyMappingMethods range_as_mapping = {.mp_length = range_length, .mp_subscript = range_subscript};

PyTypeObject PyRange_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "range",
    .tp_basicsize = sizeof(RangeObject),
    .tp_dealloc = range_dealloc,
    .tp_repr = range_repr,
    .tp_as_number = &range_as_number,
    .tp_as_sequence = &range_as_sequence,
    .tp_as_mapping = &range_as_mapping,
    .tp_hash = range_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n"
              "The integers from start (0 if absent) up to, but without, stop, step apart.\n"
              "With a negative step they go downwards.",
    .tp_richcompare = range_richcompare,
    .tp_iter = range_iter,
    .tp_methods = range_methods,
    .tp_getset = range_getset,
    .tp_new = range_new,
    .tp_vectorcall = range_vectorcall,
};

/* ---- The iterator of a small range ---- */

PyObject *range_iter_new(int64_t start, int64_t end, int64_t step)
{
    RangeIterObject *it = PyObject_New(RangeIterObject, &PyRangeIter_Type);
    if (it == NULL)
        return NULL;
    it->start = it->next = start;
    it->end = end;
    it->step = step;
    return (PyObject *)it;
}

static PyObject *rangeiter_next(PyObject *op)
{
    RangeIterObject *it = (RangeIterObject *)op;
    int64_t v;
    int more = range_iter_is_private(it) ? range_iter_step(it, &v) : range_iter_step_shared(it, &v);
    return more ? value_from_int(v) : NULL;
}

/* Items left, for a given next item. */
static int64_t items_left(RangeIterObject *it, int64_t next)
{
    return (it->end - next) / it->step;
}

static PyObject *rangeiter_length_hint(PyObject *op, PyObject *unused)
{
    RangeIterObject *it = (RangeIterObject *)op;
    return PyLong_FromLongLong(items_left(it, __atomic_load_n(&it->next, __ATOMIC_RELAXED)));
}

/* (iter, (range,), index). Steals range and index, either of which may be NULL with an exception set. */
static PyObject *reduce_steal(PyObject *range, PyObject *index)
{
    PyObject *iter = NULL;
    if (range != NULL && index != NULL)
        iter = PyMapping_GetItemString(PyEval_GetBuiltins(), "iter");
    if (iter == NULL) {
        Py_XDECREF(range);
        Py_XDECREF(index);
        return NULL;
    }
    return Py_BuildValue("N(N)N", iter, range, index);
}

static PyObject *rangeiter_reduce(PyObject *op, PyObject *unused)
{
    RangeIterObject *it = (RangeIterObject *)op;
    int64_t next = __atomic_load_n(&it->next, __ATOMIC_RELAXED);
    return reduce_steal(range_new_from_ints(it->start, it->end, it->step),
                        PyLong_FromLongLong((next - it->start) / it->step));
}

static PyObject *rangeiter_setstate(PyObject *op, PyObject *state)
{
    RangeIterObject *it = (RangeIterObject *)op;
    long long index = PyLong_AsLongLong(state);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    int64_t length = items_left(it, it->start);
    if (index < 0)
        index = 0;
    else if (index > length)
        index = length;
    __atomic_store_n(&it->next, it->start + index * it->step, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static void rangeiter_dealloc(PyObject *op)
{
    PyObject_Free(op);
}

static PyMethodDef rangeiter_methods[] = {
    {"__length_hint__", rangeiter_length_hint, METH_NOARGS, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", rangeiter_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__setstate__", rangeiter_setstate, METH_O, "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "range_iterator",
    .tp_basicsize = sizeof(RangeIterObject),
    .tp_dealloc = rangeiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = rangeiter_next,
    .tp_methods = rangeiter_methods,
};

/* ---- The iterator of any other range ---- */

typedef struct {
    PyObject_HEAD
    PyObject *index;                    /* [lock] items handed out so far */
    PyObject *start, *step, *length;    /* [const] exact ints */
} LongRangeIterObject;

/* Steals start and step, on failure too; takes a new reference to length. */
static PyObject *long_iter_new(PyObject *start, PyObject *step, PyObject *length)
{
    LongRangeIterObject *it = NULL;
    if (start != NULL && step != NULL)
        it = PyObject_New(LongRangeIterObject, &PyLongRangeIter_Type);
    if (it == NULL) {
        Py_XDECREF(start);
        Py_XDECREF(step);
        return NULL;
    }
    it->index = value_from_int(0);
    it->start = start;
    it->step = step;
    it->length = Py_NewRef(length);
    return (PyObject *)it;
}

static PyObject *longiter_item(LongRangeIterObject *it, PyObject *index)
{
    PyObject *offset = PyNumber_Multiply(index, it->step);
    if (offset == NULL)
        return NULL;
    PyObject *result = PyNumber_Add(it->start, offset);
    Py_DECREF(offset);
    return result;
}

/* Arithmetic on exact ints runs no Python code, so all of it may be done under the lock. */
static PyObject *longiter_next(PyObject *op)
{
    LongRangeIterObject *it = (LongRangeIterObject *)op;
    PyObject *result = NULL, *next = NULL, *old = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (PyObject_RichCompareBool(it->index, it->length, Py_LT) == 1) {
        next = PyNumber_Add(it->index, value_from_int(1));
        if (next != NULL)
            result = longiter_item(it, it->index);
        if (result != NULL) {
            old = it->index;
            it->index = next;
            next = NULL;
        }
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    Py_XDECREF(next);
    return result;
}

static PyObject *longiter_index(LongRangeIterObject *it)
{
    PyObject *index;
    Py_BEGIN_CRITICAL_SECTION(it);
    index = Py_NewRef(it->index);
    Py_END_CRITICAL_SECTION();
    return index;
}

static PyObject *longiter_length_hint(PyObject *op, PyObject *unused)
{
    LongRangeIterObject *it = (LongRangeIterObject *)op;
    PyObject *index = longiter_index(it);
    PyObject *result = PyNumber_Subtract(it->length, index);
    Py_DECREF(index);
    return result;
}

static PyObject *longiter_reduce(PyObject *op, PyObject *unused)
{
    LongRangeIterObject *it = (LongRangeIterObject *)op;
    PyObject *stop = longiter_item(it, it->length), *range = NULL;
    if (stop == NULL)
        return NULL;
    range = make_range(&PyRange_Type, Py_NewRef(it->start), stop, Py_NewRef(it->step));
    return reduce_steal(range, longiter_index(it));
}

static PyObject *longiter_setstate(PyObject *op, PyObject *state)
{
    LongRangeIterObject *it = (LongRangeIterObject *)op;
    if (!PyLong_CheckExact(state)) {
        PyErr_Format(PyExc_TypeError, "state must be an int, not %.200s", Py_TYPE(state)->tp_name);
        return NULL;
    }
    PyObject *index = Py_NewRef(state), *old;
    if (_PyLong_Sign(index) < 0) {
        Py_SETREF(index, value_from_int(0));
    }
    else {
        int beyond = PyObject_RichCompareBool(it->length, index, Py_LT);
        if (beyond < 0) {
            Py_DECREF(index);
            return NULL;
        }
        if (beyond)
            Py_SETREF(index, Py_NewRef(it->length));
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    old = it->index;
    it->index = index;
    Py_END_CRITICAL_SECTION();
    Py_DECREF(old);
    Py_RETURN_NONE;
}

static void longiter_dealloc(PyObject *op)
{
    LongRangeIterObject *it = (LongRangeIterObject *)op;
    Py_DECREF(it->index);
    Py_DECREF(it->start);
    Py_DECREF(it->step);
    Py_DECREF(it->length);
    PyObject_Free(it);
}

static PyMethodDef longiter_methods[] = {
    {"__length_hint__", longiter_length_hint, METH_NOARGS, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", longiter_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__setstate__", longiter_setstate, METH_O, "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyLongRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "longrange_iterator",
    .tp_basicsize = sizeof(LongRangeIterObject),
    .tp_dealloc = longiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = longiter_next,
    .tp_methods = longiter_methods,
};

/* ---- iter() and reversed() ---- */

static PyObject *range_iter(PyObject *op)
{
    RangeObject *r = (RangeObject *)op;
    if (r->is_small)
        return range_iter_new(r->c_start, r->c_end, r->c_step);
    return long_iter_new(Py_NewRef(r->start), Py_NewRef(r->step), r->length);
}

static PyObject *range_reversed(PyObject *op, PyObject *unused)
{
    RangeObject *r = (RangeObject *)op;
    if (r->is_small)
        return range_iter_new(r->c_end - r->c_step, r->c_start - r->c_step, -r->c_step);
    PyObject *last = PyNumber_Subtract(r->length, value_from_int(1)), *start = NULL, *step = NULL;
    if (last == NULL)
        return NULL;
    start = item_at(r, last);
    Py_DECREF(last);
    if (start != NULL)
        step = PyNumber_Negative(r->step);
    return long_iter_new(start, step, r->length);
}
