/* The builtin types enumerate and reversed. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/call.h"
#include "internal/well_known_strings.h"

/* ---- enumerate ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;       /* [atomic] number of the next item; PY_SSIZE_T_MAX: long_index counts */
    PyObject *iter;         /* [const] */
    PyObject *result;       /* [owner] a pair that is filled again if nobody has kept it */
    PyObject *long_index;   /* [lock] the next number, once it does not fit; or NULL */
} EnumObject;

static PyObject *enum_new(PyTypeObject *type, PyObject *iterable, PyObject *start)
{
    Py_ssize_t index = 0;
    PyObject *long_index = NULL, *iter = NULL, *pair = NULL;
    EnumObject *en = NULL;
    if (start != NULL) {
        start = PyNumber_Index(start);
        if (start == NULL)
            return NULL;
        index = PyLong_AsSsize_t(start);
        if (index == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            index = PY_SSIZE_T_MAX;
            long_index = start;
        }
        else {
            Py_DECREF(start);
        }
    }
    /* All that runs code comes first: gc.get_objects() shows the new object. */
    if ((iter = PyObject_GetIter(iterable)) != NULL && (pair = PyTuple_Pack(2, Py_None, Py_None)) != NULL)
        en = (EnumObject *)type->tp_alloc(type, 0);
    if (en == NULL) {
        Py_XDECREF(long_index);
        Py_XDECREF(iter);
        Py_XDECREF(pair);
        return NULL;
    }
    en->index = index;
    en->long_index = long_index;
    en->iter = iter;
    en->result = pair;
    return (PyObject *)en;
}

/* enumerate(iterable, start=0), with the arguments of any call. */
static PyObject *enum_bind(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                           PyObject *kwnames)
{
    static const char *const keywords[] = {"iterable", "start", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "enumerate"};
    PyObject *buf[2];
    args = _PyArg_UnpackKeywords(args, nargs, kwargs, kwnames, &parser, 1, 2, 0, buf);
    if (args == NULL)
        return NULL;
    Py_ssize_t given = nargs + (kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0)
                       + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    return enum_new(type, args[0], given > 1 ? args[1] : NULL);
}

static PyObject *enum_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return enum_bind(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL);
}

static PyObject *enum_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    return enum_bind((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf), NULL, kwnames);
}

static void enum_dealloc(PyObject *op)
{
    EnumObject *en = (EnumObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(en->iter);
    Py_XDECREF(en->result);
    Py_XDECREF(en->long_index);
    Py_TYPE(op)->tp_free(op);
}

static int enum_traverse(PyObject *op, visitproc visit, void *arg)
{
    EnumObject *en = (EnumObject *)op;
    Py_VISIT(en->iter);
    Py_VISIT(en->result);
    Py_VISIT(en->long_index);
    return 0;
}

/* The number of the item that comes now: a new reference. */
static PyObject *next_long_number(EnumObject *en)
{
    PyObject *now, *next = NULL;
    Py_BEGIN_CRITICAL_SECTION(en);
    now = en->long_index != NULL ? en->long_index : PyLong_FromSsize_t(PY_SSIZE_T_MAX);
    if (now != NULL)
        next = PyNumber_Add(now, value_from_int(1));
    en->long_index = next != NULL ? next : now;
    Py_END_CRITICAL_SECTION();
    if (next == NULL)
        return NULL;
    return now;
}

static PyObject *next_number(EnumObject *en)
{
    Py_ssize_t n = __atomic_load_n(&en->index, __ATOMIC_RELAXED);
    if (iter_is_private((PyObject *)en)) {
        if (n == PY_SSIZE_T_MAX)
            return next_long_number(en);
        __atomic_store_n(&en->index, n + 1, __ATOMIC_RELAXED);
    }
    else {
        do {
            if (n == PY_SSIZE_T_MAX)
                return next_long_number(en);
        } while (!__atomic_compare_exchange_n(&en->index, &n, n + 1, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    }
    return PyLong_FromSsize_t(n);
}

int enum_next_pair(PyObject *op, PyObject **number, PyObject **item)
{
    EnumObject *en = (EnumObject *)op;
    *item = call_iternext(en->iter);
    if (*item == NULL)
        return 0;
    *number = next_number(en);
    if (*number == NULL)
        Py_CLEAR(*item);
    return *number != NULL;
}

static PyObject *enum_next(PyObject *op)
{
    EnumObject *en = (EnumObject *)op;
    PyObject *item, *number;
    if (!enum_next_pair(op, &number, &item))
        return NULL;
    PyObject *result = iter_is_mine(op) ? en->result : NULL;
    if (result != NULL && object_is_unique(result)) {
        PyObject *old_number = PyTuple_GET_ITEM(result, 0), *old_item = PyTuple_GET_ITEM(result, 1);
        Py_INCREF(result);
        ((PyTupleObject *)result)->ob_item[0] = number;
        ((PyTupleObject *)result)->ob_item[1] = item;
        Py_DECREF(old_number);
        Py_DECREF(old_item);
        if (!PyObject_GC_IsTracked(result))
            PyObject_GC_Track(result);
        return result;
    }
    result = PyTuple_New(2);
    if (result == NULL) {
        Py_DECREF(number);
        Py_DECREF(item);
        return NULL;
    }
    PyTuple_SET_ITEM(result, 0, number);
    PyTuple_SET_ITEM(result, 1, item);
    return result;
}

static PyObject *enum_reduce(PyObject *op, PyObject *unused)
{
    EnumObject *en = (EnumObject *)op;
    PyObject *number;
    Py_BEGIN_CRITICAL_SECTION(op);
    number = Py_XNewRef(en->long_index);
    Py_END_CRITICAL_SECTION();
    if (number == NULL)
        number = PyLong_FromSsize_t(__atomic_load_n(&en->index, __ATOMIC_RELAXED));
    if (number == NULL)
        return NULL;
    return Py_BuildValue("O(ON)", Py_TYPE(op), en->iter, number);
}

static PyMethodDef enum_methods[] = {
    {"__reduce__", enum_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

PyTypeObject PyEnum_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "enumerate",
    .tp_basicsize = sizeof(EnumObject),
    .tp_dealloc = enum_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "enumerate(iterable, start=0)\n--\n\n"
              "Pairs of a count, from start on, and the items of the iterable.",
    .tp_traverse = enum_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = enum_next,
    .tp_methods = enum_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = enum_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = enum_vectorcall,
};

/* ---- reversed ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;       /* [lock] next one, going down; -1 when exhausted */
    PyObject *seq;          /* [lock] NULL once exhausted */
} ReversedObject;

static PyObject *reversed_make(PyTypeObject *type, PyObject *seq)
{
    PyObject *method = _PyObject_LookupSpecial(seq, STR(__reversed__));
    if (method == Py_None) {
        Py_DECREF(method);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible", Py_TYPE(seq)->tp_name);
        return NULL;
    }
    if (method != NULL) {
        PyObject *result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        return result;
    }
    if (PyErr_Occurred())
        return NULL;
    if (!PySequence_Check(seq)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible", Py_TYPE(seq)->tp_name);
        return NULL;
    }
    Py_ssize_t n = PySequence_Size(seq);
    if (n == -1)
        return NULL;
    ReversedObject *ro = (ReversedObject *)type->tp_alloc(type, 0);
    if (ro == NULL)
        return NULL;
    ro->index = n - 1;
    ro->seq = Py_NewRef(seq);
    return (PyObject *)ro;
}

static PyObject *reversed_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *seq;
    if ((type == &PyReversed_Type || type->tp_init == PyReversed_Type.tp_init) && !_PyArg_NoKeywords("reversed", kwargs))
        return NULL;
    if (!PyArg_UnpackTuple(args, "reversed", 1, 1, &seq))
        return NULL;
    return reversed_make(type, seq);
}

static PyObject *reversed_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("reversed", kwnames) || !_PyArg_CheckPositional("reversed", PyVectorcall_NARGS(nargsf), 1, 1))
        return NULL;
    return reversed_make((PyTypeObject *)type, args[0]);
}

static void reversed_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((ReversedObject *)op)->seq);
    Py_TYPE(op)->tp_free(op);
}

static int reversed_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((ReversedObject *)op)->seq);
    return 0;
}

static PyObject *reversed_next(PyObject *op)
{
    ReversedObject *ro = (ReversedObject *)op;
    PyObject *seq, *item = NULL, *ended = NULL;
    Py_ssize_t index;
    Py_BEGIN_CRITICAL_SECTION(op);
    seq = Py_XNewRef(ro->seq);
    index = ro->index;
    if (index >= 0)
        ro->index--;
    Py_END_CRITICAL_SECTION();
    if (seq != NULL && index >= 0)
        item = PySequence_GetItem(seq, index);
    if (item == NULL) {
        if (PyErr_Occurred() && (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)))
            PyErr_Clear();
        Py_BEGIN_CRITICAL_SECTION(op);
        ro->index = -1;
        ended = ro->seq;
        ro->seq = NULL;
        Py_END_CRITICAL_SECTION();
        Py_XDECREF(ended);
    }
    Py_XDECREF(seq);
    return item;
}

static PyObject *reversed_state(PyObject *op, Py_ssize_t *index)
{
    ReversedObject *ro = (ReversedObject *)op;
    PyObject *seq;
    Py_BEGIN_CRITICAL_SECTION(op);
    seq = Py_XNewRef(ro->seq);
    *index = ro->index;
    Py_END_CRITICAL_SECTION();
    return seq;
}

static PyObject *reversed_length_hint(PyObject *op, PyObject *unused)
{
    Py_ssize_t index;
    PyObject *seq = reversed_state(op, &index);
    if (seq == NULL)
        return PyLong_FromLong(0);
    Py_ssize_t size = PySequence_Size(seq);
    Py_DECREF(seq);
    if (size == -1)
        return NULL;
    return PyLong_FromSsize_t(size < index + 1 ? 0 : index + 1);
}

static PyObject *reversed_reduce(PyObject *op, PyObject *unused)
{
    Py_ssize_t index;
    PyObject *seq = reversed_state(op, &index);
    if (seq == NULL)
        return Py_BuildValue("O(())", Py_TYPE(op));
    return Py_BuildValue("O(N)n", Py_TYPE(op), seq, index);
}

static PyObject *reversed_setstate(PyObject *op, PyObject *state)
{
    ReversedObject *ro = (ReversedObject *)op;
    Py_ssize_t index = PyLong_AsSsize_t(state), seq_index;
    if (index == -1 && PyErr_Occurred())
        return NULL;
    PyObject *seq = reversed_state(op, &seq_index);
    if (seq != NULL) {
        Py_ssize_t n = PySequence_Size(seq);
        Py_DECREF(seq);
        if (n < 0)
            return NULL;
        if (index < -1)
            index = -1;
        else if (index > n - 1)
            index = n - 1;
        Py_BEGIN_CRITICAL_SECTION(op);
        ro->index = index;
        Py_END_CRITICAL_SECTION();
    }
    Py_RETURN_NONE;
}

static PyMethodDef reversed_methods[] = {
    {"__length_hint__", reversed_length_hint, METH_NOARGS, "Private method returning an estimate of len(list(it))."},
    {"__reduce__", reversed_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__setstate__", reversed_setstate, METH_O, "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyReversed_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "reversed",
    .tp_basicsize = sizeof(ReversedObject),
    .tp_dealloc = reversed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "reversed(sequence, /)\n--\n\nAn iterator over the items of a sequence, last first.",
    .tp_traverse = reversed_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reversed_next,
    .tp_methods = reversed_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = reversed_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = reversed_vectorcall,
};
