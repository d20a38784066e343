/* tuple: storage, hash, comparison, the type object. */
#include "tuple.h"
#include "abstract.h"
#include "call.h"
#include "container.h"
#include "unicode_writer.h"
#include "object_gc_inline.h"

struct tuple_empty_object tuple_empty_object = {
    .head = {{0, OBJECT_PUBLISHED | OBJECT_IMMORTAL, {0}, 0, SHARED_PINNED | SHARED_MERGED, 0, &PyTuple_Type}, 0},
};

/* ---- Making tuples ---- */

static inline Py_ALWAYS_INLINE PyTupleObject *alloc_tuple(Py_ssize_t n, uint8_t state)
{
    if (Py_UNLIKELY((size_t)n > ((size_t)PY_SSIZE_T_MAX - sizeof(PyTupleObject)) / sizeof(PyObject *))) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *op = object_page_alloc(offsetof(PyTupleObject, ob_item) + (size_t)n * sizeof(PyObject *));
    if (Py_UNLIKELY(op == NULL)) {
        PyErr_NoMemory();
        return NULL;
    }
    object_header_init(op, &PyTuple_Type, OBJECT_ON_PAGE);
    object_state_set(op, state);
    ((PyVarObject *)op)->ob_size = n;
    return (PyTupleObject *)op;
}

PyTupleObject *tuple_alloc(Py_ssize_t n) { return alloc_tuple(n, SLOT_LIVE); }

/* The items must be in place before anything can escape: the next safe point may be a collection. */
static PyTupleObject *alloc_tracked(Py_ssize_t n) { return alloc_tuple(n, SLOT_LIVE | SLOT_TRACKED); }

PyObject *PyTuple_New(Py_ssize_t n)
{
    if (n == 0)
        return tuple_empty();
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyTupleObject *self = tuple_alloc(n);
    if (self == NULL)
        return NULL;
    memset(self->ob_item, 0, (size_t)n * sizeof(PyObject *));
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0)
        return tuple_empty();
    PyTupleObject *self = alloc_tracked(n);
    if (self == NULL) {
        for (Py_ssize_t i = 0; i < n; i++)
            Py_DECREF(items[i]);
        return NULL;
    }
    memcpy(self->ob_item, items, (size_t)n * sizeof(PyObject *));
    return (PyObject *)self;
}

PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0)
        return tuple_empty();
    PyTupleObject *self = alloc_tracked(n);
    if (self == NULL)
        return NULL;
    container_copy_refs(self->ob_item, items, n);
    return (PyObject *)self;
}

PyObject *_PyTuple_FromArray(PyObject *const *items, Py_ssize_t n)
{
    return tuple_from_array(items, n);
}

PyObject *_PyTuple_FromArraySteal(PyObject *const *items, Py_ssize_t n)
{
    return tuple_from_array_steal(items, n);
}

PyObject *tuple_pair(PyObject *a, PyObject *b)
{
    PyTupleObject *self = alloc_tracked(2);
    if (self == NULL)
        return NULL;
    self->ob_item[0] = Py_NewRef(a);
    self->ob_item[1] = Py_NewRef(b);
    return (PyObject *)self;
}

PyObject *PyTuple_Pack(Py_ssize_t n, ...)
{
    if (n == 0)
        return tuple_empty();
    PyTupleObject *self = alloc_tracked(n);
    if (self == NULL)
        return NULL;
    va_list va;
    va_start(va, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = va_arg(va, PyObject *);
        self->ob_item[i] = Py_NewRef(item);
    }
    va_end(va);
    return (PyObject *)self;
}

/* ---- C API ---- */

Py_ssize_t PyTuple_Size(PyObject *op)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyTuple_GET_SIZE(op);
}

PyObject *PyTuple_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if ((size_t)i >= (size_t)PyTuple_GET_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return PyTuple_GET_ITEM(op, i);
}

int PyTuple_SetItem(PyObject *op, Py_ssize_t i, PyObject *item)
{
    /* Freshly made and filled by its maker: nobody else holds a reference. */
    if (!PyTuple_Check(op) || Py_REFCNT(op) != 1) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)i >= (size_t)PyTuple_GET_SIZE(op)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError, "tuple assignment index out of range");
        return -1;
    }
    PyObject *old = PyTuple_GET_ITEM(op, i);
    PyTuple_SET_ITEM(op, i, item);
    Py_XDECREF(old);
    return 0;
}

PyObject *PyTuple_GetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high)
{
    if (op == NULL || !PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(op);
    if (low < 0)
        low = 0;
    if (high > n)
        high = n;
    if (high < low)
        high = low;
    if (low == 0 && high == n && PyTuple_CheckExact(op))
        return Py_NewRef(op);
    return tuple_from_array(((PyTupleObject *)op)->ob_item + low, high - low);
}

int _PyTuple_Resize(PyObject **where, Py_ssize_t size)
{
    PyTupleObject *old = (PyTupleObject *)*where;
    if (old == NULL || !PyTuple_CheckExact((PyObject *)old) || size < 0
        || (PyTuple_GET_SIZE(old) != 0 && Py_REFCNT(old) != 1)) {
        *where = NULL;
        Py_XDECREF(old);
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(old);
    if (n == size)
        return 0;
    /* A new object in every case: somebody may hold a stale pointer to the old one (finding 12). */
    PyObject *fresh = PyTuple_New(size);
    *where = fresh;
    if (fresh != NULL) {
        for (Py_ssize_t i = 0; i < n && i < size; i++)
            PyTuple_SET_ITEM(fresh, i, Py_XNewRef(old->ob_item[i]));
    }
    Py_DECREF(old);
    return fresh != NULL ? 0 : -1;
}

void _PyTuple_MaybeUntrack(PyObject *op)
{
}

void _PyTuple_DebugMallocStats(FILE *out)
{
    fputs("tuple: no free list\n", out);
}

/* ---- Life ---- */

static void tuple_dealloc(PyObject *op)
{
    PyTupleObject *self = (PyTupleObject *)op;
    PyObject_GC_UnTrack(op);
    container_drop_refs(self->ob_item, PyTuple_GET_SIZE(self));
    if (Py_LIKELY(heap_type(op) == &PyTuple_Type))
        object_free_gc(op);
    else
        Py_TYPE(op)->tp_free(op);
}

static int tuple_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyTupleObject *self = (PyTupleObject *)op;
    for (Py_ssize_t i = PyTuple_GET_SIZE(self); i-- > 0;)
        Py_VISIT(self->ob_item[i]);
    return 0;
}

static PyObject *tuple_from_iterable(PyObject *iterable)
{
    return iterable == NULL ? tuple_empty() : PySequence_Tuple(iterable);
}

static PyObject *tuple_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    if (type == &PyTuple_Type || type->tp_init == PyTuple_Type.tp_init)
        if (!_PyArg_NoKeywords("tuple", kwds))
            return NULL;
    if (!PyArg_UnpackTuple(args, "tuple", 0, 1, &iterable))
        return NULL;
    PyObject *items = tuple_from_iterable(iterable);
    if (items == NULL || type == &PyTuple_Type)
        return items;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *self = type->tp_alloc(type, n);
    if (self != NULL)
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(self, i, Py_NewRef(PyTuple_GET_ITEM(items, i)));
    Py_DECREF(items);
    return self;
}

static PyObject *tuple_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("tuple", kwnames) || !_PyArg_CheckPositional("tuple", nargs, 0, 1))
        return NULL;
    return tuple_from_iterable(nargs > 0 ? args[0] : NULL);
}

/* ---- Hash and comparison ---- */

#define PRIME_1 0x9E3779B185EBCA87ull
#define PRIME_2 0xC2B2AE3D27D4EB4Full
#define PRIME_5 0x27D4EB2F165667C5ull

/* One lane of xxHash64 over the items' hashes, with a shorter ending. */
Py_hash_t tuple_hash_items(PyObject *const *items, Py_ssize_t n)
{
    uint64_t acc = PRIME_5;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_hash_t lane = container_key_hash(items[i]);
        if (lane == -1)
            return -1;
        acc += (uint64_t)lane * PRIME_2;
        acc = (acc << 31) | (acc >> 33);
        acc *= PRIME_1;
    }
    acc += (uint64_t)n ^ (PRIME_5 ^ 3527539u);
    return acc == (uint64_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

static Py_hash_t tuple_hash(PyObject *self)
{
    if (call_check_stack(" while hashing a tuple"))
        return -1;
    return tuple_hash_items(((PyTupleObject *)self)->ob_item, PyTuple_GET_SIZE(self));
}

static PyObject *tuple_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyTuple_Check(a) || !PyTuple_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t left = PyTuple_GET_SIZE(a), right = PyTuple_GET_SIZE(b), i;
    for (i = 0; i < left && i < right; i++) {
        PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
        int equal = container_equal_racy(x, y);
        if (equal < 0)
            equal = PyObject_RichCompareBool(x, y, Py_EQ);
        if (equal < 0)
            return NULL;
        if (!equal)
            break;
    }
    if (i >= left || i >= right)
        Py_RETURN_RICHCOMPARE(left, right, op);
    if (op == Py_EQ)
        Py_RETURN_FALSE;
    if (op == Py_NE)
        Py_RETURN_TRUE;
    return PyObject_RichCompare(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), op);
}

/* ---- Sequence ---- */

static Py_ssize_t tuple_length(PyObject *self)
{
    return PyTuple_GET_SIZE(self);
}

static PyObject *tuple_item(PyObject *self, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)PyTuple_GET_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(self, i));
}

static PyObject *tuple_concat(PyObject *a, PyObject *b)
{
    if (PyTuple_GET_SIZE(a) == 0 && PyTuple_CheckExact(b))
        return Py_NewRef(b);
    if (!PyTuple_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate tuple (not \"%.200s\") to tuple", Py_TYPE(b)->tp_name);
        return NULL;
    }
    Py_ssize_t left = PyTuple_GET_SIZE(a), right = PyTuple_GET_SIZE(b);
    if (right == 0 && PyTuple_CheckExact(a))
        return Py_NewRef(a);
    if (left + right == 0)
        return tuple_empty();
    PyTupleObject *self = tuple_alloc(left + right);
    if (self == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < left; i++)
        self->ob_item[i] = Py_NewRef(PyTuple_GET_ITEM(a, i));
    for (Py_ssize_t i = 0; i < right; i++)
        self->ob_item[left + i] = Py_NewRef(PyTuple_GET_ITEM(b, i));
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *tuple_repeat(PyObject *op, Py_ssize_t times)
{
    Py_ssize_t n = PyTuple_GET_SIZE(op);
    if ((n == 0 || times == 1) && PyTuple_CheckExact(op))
        return Py_NewRef(op);
    if (n == 0 || times <= 0)
        return tuple_empty();
    if (n > PY_SSIZE_T_MAX / times)
        return PyErr_NoMemory();
    PyTupleObject *self = tuple_alloc(n * times);
    if (self == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(op, i);
        if (value_is_heap(item))
            object_incref_many(item, times);
        for (Py_ssize_t j = i; j < n * times; j += n)
            self->ob_item[j] = item;
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int tuple_contains(PyObject *self, PyObject *value)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(self, i);
        int equal = container_equal_racy(item, value);
        if (equal < 0)
            equal = PyObject_RichCompareBool(item, value, Py_EQ);
        if (equal != 0)
            return equal;
    }
    return 0;
}

static PyObject *tuple_subscript(PyObject *self, PyObject *index)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self), i, stop, step;
    if (PyIndex_Check(index)) {
        i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return tuple_item(self, i < 0 ? i + n : i);
    }
    if (!PySlice_Check(index)) {
        PyErr_Format(PyExc_TypeError, "tuple indices must be integers or slices, not %.200s", Py_TYPE(index)->tp_name);
        return NULL;
    }
    if (PySlice_Unpack(index, &i, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices(n, &i, &stop, step);
    if (count <= 0)
        return tuple_empty();
    if (i == 0 && step == 1 && count == n && PyTuple_CheckExact(self))
        return Py_NewRef(self);
    PyTupleObject *result = tuple_alloc(count);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t j = 0; j < count; j++, i += step)
        result->ob_item[j] = Py_NewRef(PyTuple_GET_ITEM(self, i));
    PyObject_GC_Track(result);
    return (PyObject *)result;
}

/* ---- Methods ---- */

static PyObject *tuple_method_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, n = PyTuple_GET_SIZE(self);
    if (!_PyArg_CheckPositional("index", nargs, 1, 3))
        return NULL;
    if (nargs >= 2 && !_PyEval_SliceIndexNotNone(args[1], &start))
        return NULL;
    if (nargs >= 3 && !_PyEval_SliceIndexNotNone(args[2], &stop))
        return NULL;
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop += n;
    for (Py_ssize_t i = start; i < stop && i < n; i++) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(self, i), args[0], Py_EQ);
        if (equal != 0)
            return equal < 0 ? NULL : PyLong_FromSsize_t(i);
    }
    PyErr_SetString(PyExc_ValueError, "tuple.index(x): x not in tuple");
    return NULL;
}

static PyObject *tuple_method_count(PyObject *self, PyObject *value)
{
    Py_ssize_t count = 0, n = PyTuple_GET_SIZE(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(self, i), value, Py_EQ);
        if (equal < 0)
            return NULL;
        count += equal;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *tuple_method_getnewargs(PyObject *self, PyObject *unused)
{
    PyObject *plain = tuple_from_array(((PyTupleObject *)self)->ob_item, PyTuple_GET_SIZE(self));
    if (plain == NULL)
        return NULL;
    PyObject *result = tuple_from_array_steal(&plain, 1);
    return result;
}

static PyObject *repr_items(PyObject *self, Py_ssize_t n)
{
    unicode_writer_t writer;
    unicode_writer_init(&writer);
    if (unicode_writer_write_char(&writer, '(') < 0)
        goto failed;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i > 0 && unicode_writer_write_ascii(&writer, ", ", 2) < 0)
            goto failed;
        if (unicode_writer_write_object_repr(&writer, PyTuple_GET_ITEM(self, i)) < 0)
            goto failed;
    }
    if (unicode_writer_write_ascii(&writer, n > 1 ? ")" : ",)", -1) < 0)
        goto failed;
    return unicode_writer_finish(&writer);
failed:
    unicode_writer_dealloc(&writer);
    return NULL;
}

static PyObject *tuple_repr(PyObject *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self);
    if (n == 0)
        return PyUnicode_FromString("()");
    int recursion = Py_ReprEnter(self);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromString("(...)") : NULL;
    PyObject *result = repr_items(self, n);
    Py_ReprLeave(self);
    return result;
}

/* ---- Iterator ---- */

static PyObject *tuple_iter(PyObject *self)
{
    PyTupleIterObject *it = PyObject_GC_New(PyTupleIterObject, &PyTupleIter_Type);
    if (it == NULL)
        return NULL;
    it->it_index = 0;
    it->it_seq = (PyTupleObject *)Py_NewRef(self);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

void tuple_iter_finish(PyTupleIterObject *it)
{
    __atomic_store_n(&it->it_index, -1, __ATOMIC_RELAXED);
    if (!runtime_is_multi()) {
        PyTupleObject *tuple = it->it_seq;
        it->it_seq = (PyTupleObject *)tuple_empty();
        Py_DECREF(tuple);
    }
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(((PyTupleIterObject *)op)->it_seq);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyTupleIterObject *)op)->it_seq);
    return 0;
}

static PyObject *iter_tp_next(PyObject *op)
{
    return tuple_iter_next((PyTupleIterObject *)op);
}

static Py_ssize_t iter_index(PyTupleIterObject *it)
{
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    return i > PyTuple_GET_SIZE(it->it_seq) ? PyTuple_GET_SIZE(it->it_seq) : i;
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    PyTupleIterObject *it = (PyTupleIterObject *)op;
    Py_ssize_t i = iter_index(it);
    return PyLong_FromSsize_t(i < 0 ? 0 : PyTuple_GET_SIZE(it->it_seq) - i);
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    PyTupleIterObject *it = (PyTupleIterObject *)op;
    PyObject *function = container_get_builtin("iter");
    if (function == NULL)
        return NULL;
    Py_ssize_t i = iter_index(it);
    if (i < 0)
        return Py_BuildValue("N(())", function);
    return Py_BuildValue("N(O)n", function, it->it_seq, i);
}

static PyObject *iter_setstate(PyObject *op, PyObject *state)
{
    PyTupleIterObject *it = (PyTupleIterObject *)op;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    if (iter_index(it) >= 0) {
        if (i < 0)
            i = 0;
        if (i > PyTuple_GET_SIZE(it->it_seq))
            i = PyTuple_GET_SIZE(it->it_seq);
        __atomic_store_n(&it->it_index, i, __ATOMIC_RELAXED);
    }
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyTupleIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "tuple_iterator",
    .tp_basicsize = sizeof(PyTupleIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_tp_next,
    .tp_methods = iter_methods,
};

/* ---- The type ---- */

static const char tuple_doc[] =
"tuple(iterable=(), /)\n--\n\n"
"An immutable sequence of objects; without an argument, the empty one.\n\n"
"A tuple given as the argument is returned itself.";

static PyMethodDef tuple_methods[] = {
    {"__getnewargs__", tuple_method_getnewargs, METH_NOARGS, "__getnewargs__($self, /)\n--\n\n"},
    {"index", _PyCFunction_CAST(tuple_method_index), METH_FASTCALL,
     "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
     "Return the first index whose item equals value; ValueError if there is none."},
    {"count", tuple_method_count, METH_O, "count($self, value, /)\n--\n\nReturn how many items equal value."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Make a generic alias (PEP 585)."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods tuple_as_sequence = {
    .sq_length = tuple_length,
    .sq_concat = tuple_concat,
    .sq_repeat = tuple_repeat,
    .sq_item = tuple_item,
    .sq_contains = tuple_contains,
};

static PyMappingMethods tuple_as_mapping = {
    .mp_length = tuple_length,
    .mp_subscript = tuple_subscript,
};

PyTypeObject PyTuple_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "tuple",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = tuple_dealloc,
    .tp_repr = tuple_repr,
    .tp_as_sequence = &tuple_as_sequence,
    .tp_as_mapping = &tuple_as_mapping,
    .tp_hash = tuple_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TUPLE_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = tuple_doc,
    .tp_traverse = tuple_traverse,
    .tp_richcompare = tuple_richcompare,
    .tp_iter = tuple_iter,
    .tp_methods = tuple_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = tuple_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = tuple_vectorcall,
};
