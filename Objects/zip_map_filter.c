/* The builtin types zip, map and filter. None of them has state of its own beyond the iterators it reads, which makes
 * them safe to share without a lock; zip's result tuple belongs to the thread that owns the zip object. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/call.h"
#include "internal/tuple.h"

/* A tuple of iterators over the n arguments. */
static PyObject *tuple_of_iterators(PyObject *const *args, Py_ssize_t n)
{
    PyObject *iters = PyTuple_New(n);
    if (iters == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *iter = PyObject_GetIter(args[i]);
        if (iter == NULL) {
            Py_DECREF(iters);
            return NULL;
        }
        PyTuple_SET_ITEM(iters, i, iter);
    }
    return iters;
}

static inline PyObject *next_of(PyObject *iter)
{
    return call_iternext(iter);
}

/* ---- zip ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t size;        /* [const] */
    PyObject *iters;        /* [const] tuple */
    PyObject *result;       /* [owner] a tuple that is filled again if nobody has kept it */
    int strict;             /* [atomic] */
} ZipObject;

static PyObject *zip_make(PyTypeObject *type, PyObject *const *args, Py_ssize_t n, int strict)
{
    PyObject *result = NULL, *iters = tuple_of_iterators(args, n);
    if (iters == NULL)
        return NULL;
    ZipObject *z = NULL;
    result = PyTuple_New(n);
    if (result != NULL) {
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(result, i, Py_NewRef(Py_None));
        z = (ZipObject *)type->tp_alloc(type, 0);
    }
    if (z == NULL) {
        Py_DECREF(iters);
        Py_XDECREF(result);
        return NULL;
    }
    z->size = n;
    z->iters = iters;
    z->result = result;
    z->strict = strict;
    return (PyObject *)z;
}

static PyObject *zip_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int strict = 0;
    if (kwargs != NULL) {
        static char *keywords[] = {"strict", NULL};
        PyObject *none = PyTuple_New(0);
        if (none == NULL)
            return NULL;
        int ok = PyArg_ParseTupleAndKeywords(none, kwargs, "|$p:zip", keywords, &strict);
        Py_DECREF(none);
        if (!ok)
            return NULL;
    }
    return zip_make(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), strict);
}

static PyObject *zip_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)
        return zip_make((PyTypeObject *)type, args, n, 0);
    static const char *const keywords[] = {"strict", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "zip"};
    PyObject *buf[1], *const *values = _PyArg_UnpackKeywords(args + n, 0, NULL, kwnames, &parser, 0, 0, 0, buf);
    if (values == NULL)
        return NULL;
    int strict = values[0] == NULL ? 0 : PyObject_IsTrue(values[0]);
    return strict < 0 ? NULL : zip_make((PyTypeObject *)type, args, n, strict);
}

static void zip_dealloc(PyObject *op)
{
    ZipObject *z = (ZipObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(z->iters);
    Py_XDECREF(z->result);
    Py_TYPE(op)->tp_free(op);
}

static int zip_traverse(PyObject *op, visitproc visit, void *arg)
{
    ZipObject *z = (ZipObject *)op;
    Py_VISIT(z->iters);
    Py_VISIT(z->result);
    return 0;
}

/* Iterator i has ended: with strict, all must end together. Returns NULL, with or without an exception. */
static PyObject *zip_ended(ZipObject *z, Py_ssize_t i)
{
    if (!__atomic_load_n(&z->strict, __ATOMIC_RELAXED))
        return NULL;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration))
            return NULL;
        PyErr_Clear();
    }
    if (i > 0) {
        const char *plural = i == 1 ? " " : "s 1-";
        return PyErr_Format(PyExc_ValueError, "zip() argument %zd is shorter than argument%s%zd", i + 1, plural, i);
    }
    for (i = 1; i < z->size; i++) {
        PyObject *item = next_of(PyTuple_GET_ITEM(z->iters, i));
        if (item != NULL) {
            Py_DECREF(item);
            const char *plural = i == 1 ? " " : "s 1-";
            return PyErr_Format(PyExc_ValueError, "zip() argument %zd is longer than argument%s%zd", i + 1, plural, i);
        }
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration))
                return NULL;
            PyErr_Clear();
        }
    }
    return NULL;
}

int zip_next_pair(PyObject *op, PyObject **first, PyObject **second)
{
    ZipObject *z = (ZipObject *)op;
    if (z->size != 2)
        return -1;
    *first = next_of(PyTuple_GET_ITEM(z->iters, 0));
    if (*first == NULL) {
        zip_ended(z, 0);
        return 0;
    }
    *second = next_of(PyTuple_GET_ITEM(z->iters, 1));
    if (*second == NULL) {
        Py_DECREF(*first);
        zip_ended(z, 1);
        return 0;
    }
    return 1;
}

/* Puts the items, which are stolen, into the tuple of the last step. It must be unique, so no code runs from that test to the last store. */
static PyObject *refill(PyObject *result, PyObject **items, Py_ssize_t n)
{
    Py_INCREF(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *old = PyTuple_GET_ITEM(result, i);
        ((PyTupleObject *)result)->ob_item[i] = items[i];
        items[i] = old;
    }
    if (!PyObject_GC_IsTracked(result))
        PyObject_GC_Track(result);
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(items[i]);
    return result;
}

/* Any number of iterables. */
static PyObject *next_of_many(ZipObject *z)
{
    PyObject *result = PyTuple_New(z->size);
    for (Py_ssize_t i = 0; result != NULL && i < z->size; i++) {
        PyObject *item = next_of(PyTuple_GET_ITEM(z->iters, i));
        if (item == NULL) {
            Py_DECREF(result);
            return zip_ended(z, i);
        }
        PyTuple_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *zip_next(PyObject *op)
{
    enum { FEW = 8 };
    ZipObject *z = (ZipObject *)op;
    PyObject *items[FEW];
    Py_ssize_t n = z->size;
    if (n == 0)
        return NULL;
    if (n > FEW)
        return next_of_many(z);
    for (Py_ssize_t i = 0; i < n; i++) {
        items[i] = next_of(PyTuple_GET_ITEM(z->iters, i));
        if (items[i] == NULL) {
            for (Py_ssize_t k = 0; k < i; k++)
                Py_DECREF(items[k]);
            return zip_ended(z, i);
        }
    }
    PyObject *result = iter_is_mine(op) ? z->result : NULL;
    if (result != NULL && object_is_unique(result))
        return refill(result, items, n);
    return tuple_from_array_steal(items, n);
}

static PyObject *zip_reduce(PyObject *op, PyObject *unused)
{
    ZipObject *z = (ZipObject *)op;
    if (__atomic_load_n(&z->strict, __ATOMIC_RELAXED))
        return PyTuple_Pack(3, Py_TYPE(op), z->iters, Py_True);
    return PyTuple_Pack(2, Py_TYPE(op), z->iters);
}

static PyObject *zip_setstate(PyObject *op, PyObject *state)
{
    int strict = PyObject_IsTrue(state);
    if (strict < 0)
        return NULL;
    __atomic_store_n(&((ZipObject *)op)->strict, strict, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyMethodDef zip_methods[] = {
    {"__reduce__", zip_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__setstate__", zip_setstate, METH_O, "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyZip_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "zip",
    .tp_basicsize = sizeof(ZipObject),
    .tp_dealloc = zip_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "zip(*iterables, strict=False) --> tuples of one item from each iterable\n\n"
              "It ends with the shortest iterable; if strict is true, a shorter one is a ValueError.\n\n"
              ">>> list(zip('ab', range(3), strict=False))\n[('a', 0), ('b', 1)]",
    .tp_traverse = zip_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = zip_next,
    .tp_methods = zip_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = zip_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = zip_vectorcall,
};

/* ---- map ---- */

typedef struct {
    PyObject_HEAD
    PyObject *iters;        /* [const] tuple, not empty */
    PyObject *func;         /* [const] */
} MapObject;

static PyObject *map_make(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 2) {
        PyErr_SetString(PyExc_TypeError, "map() must have at least two arguments.");
        return NULL;
    }
    PyObject *iters = tuple_of_iterators(args + 1, nargs - 1);
    if (iters == NULL)
        return NULL;
    MapObject *m = (MapObject *)type->tp_alloc(type, 0);
    if (m == NULL) {
        Py_DECREF(iters);
        return NULL;
    }
    m->iters = iters;
    m->func = Py_NewRef(args[0]);
    return (PyObject *)m;
}

static PyObject *map_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if ((type == &PyMap_Type || type->tp_init == PyMap_Type.tp_init) && !_PyArg_NoKeywords("map", kwargs))
        return NULL;
    return map_make(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
}

static PyObject *map_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("map", kwnames))
        return NULL;
    return map_make((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static void map_dealloc(PyObject *op)
{
    MapObject *m = (MapObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(m->iters);
    Py_XDECREF(m->func);
    Py_TYPE(op)->tp_free(op);
}

static int map_traverse(PyObject *op, visitproc visit, void *arg)
{
    MapObject *m = (MapObject *)op;
    Py_VISIT(m->iters);
    Py_VISIT(m->func);
    return 0;
}

#define SMALL_STACK 5

static PyObject *map_next(PyObject *op)
{
    MapObject *m = (MapObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(m->iters), got = 0;
    PyObject *small[SMALL_STACK + 1], **stack = small + 1, *result = NULL;     /* room for the callee's args[-1] */
    if (n > SMALL_STACK) {
        stack = PyMem_Malloc((size_t)(n + 1) * sizeof(PyObject *));
        if (stack == NULL)
            return PyErr_NoMemory();
        stack++;
    }
    for (; got < n; got++) {
        stack[got] = next_of(PyTuple_GET_ITEM(m->iters, got));
        if (stack[got] == NULL)
            goto done;
    }
    stack[-1] = NULL;
    result = call_vectorcall(m->func, stack, (size_t)n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
done:
    for (Py_ssize_t i = 0; i < got; i++)
        Py_DECREF(stack[i]);
    if (stack != small + 1)
        PyMem_Free(stack - 1);
    return result;
}

static PyObject *map_reduce(PyObject *op, PyObject *unused)
{
    MapObject *m = (MapObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(m->iters);
    PyObject *args = PyTuple_New(n + 1);
    if (args == NULL)
        return NULL;
    PyTuple_SET_ITEM(args, 0, Py_NewRef(m->func));
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(args, i + 1, Py_NewRef(PyTuple_GET_ITEM(m->iters, i)));
    return Py_BuildValue("ON", Py_TYPE(op), args);
}

static PyMethodDef map_methods[] = {
    {"__reduce__", map_reduce, METH_NOARGS, "Return state information for pickling."},
    {NULL},
};

PyTypeObject PyMap_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "map",
    .tp_basicsize = sizeof(MapObject),
    .tp_dealloc = map_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "map(func, *iterables) --> map object\n\n"
              "Calls func with one item of each iterable at a time, until the shortest ends.",
    .tp_traverse = map_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = map_next,
    .tp_methods = map_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = map_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = map_vectorcall,
};

/* ---- filter ---- */

typedef struct {
    PyObject_HEAD
    PyObject *func;         /* [const] */
    PyObject *iter;         /* [const] */
} FilterObject;

static PyObject *filter_make(PyTypeObject *type, PyObject *func, PyObject *iterable)
{
    PyObject *iter = PyObject_GetIter(iterable);
    if (iter == NULL)
        return NULL;
    FilterObject *f = (FilterObject *)type->tp_alloc(type, 0);
    if (f == NULL) {
        Py_DECREF(iter);
        return NULL;
    }
    f->func = Py_NewRef(func);
    f->iter = iter;
    return (PyObject *)f;
}

static PyObject *filter_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *func, *iterable;
    if ((type == &PyFilter_Type || type->tp_init == PyFilter_Type.tp_init) && !_PyArg_NoKeywords("filter", kwargs))
        return NULL;
    if (!PyArg_UnpackTuple(args, "filter", 2, 2, &func, &iterable))
        return NULL;
    return filter_make(type, func, iterable);
}

static PyObject *filter_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("filter", kwnames) || !_PyArg_CheckPositional("filter", PyVectorcall_NARGS(nargsf), 2, 2))
        return NULL;
    return filter_make((PyTypeObject *)type, args[0], args[1]);
}

static void filter_dealloc(PyObject *op)
{
    FilterObject *f = (FilterObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(f->func);
    Py_XDECREF(f->iter);
    Py_TYPE(op)->tp_free(op);
}

static int filter_traverse(PyObject *op, visitproc visit, void *arg)
{
    FilterObject *f = (FilterObject *)op;
    Py_VISIT(f->func);
    Py_VISIT(f->iter);
    return 0;
}

static PyObject *filter_next(PyObject *op)
{
    FilterObject *f = (FilterObject *)op;
    int by_truth = f->func == Py_None || f->func == (PyObject *)&PyBool_Type;
    for (;;) {
        PyObject *item = next_of(f->iter);
        if (item == NULL)
            return NULL;
        int ok;
        if (by_truth) {
            ok = PyObject_IsTrue(item);
        }
        else {
            PyObject *answer = PyObject_CallOneArg(f->func, item);
            if (answer == NULL) {
                Py_DECREF(item);
                return NULL;
            }
            ok = PyObject_IsTrue(answer);
            Py_DECREF(answer);
        }
        if (ok > 0)
            return item;
        Py_DECREF(item);
        if (ok < 0)
            return NULL;
    }
}

static PyObject *filter_reduce(PyObject *op, PyObject *unused)
{
    FilterObject *f = (FilterObject *)op;
    return Py_BuildValue("O(OO)", Py_TYPE(op), f->func, f->iter);
}

static PyMethodDef filter_methods[] = {
    {"__reduce__", filter_reduce, METH_NOARGS, "Return state information for pickling."},
    {NULL},
};

PyTypeObject PyFilter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "filter",
    .tp_basicsize = sizeof(FilterObject),
    .tp_dealloc = filter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "filter(function or None, iterable) --> filter object\n\n"
              "The items for which function(item) is true; with None, the true items.",
    .tp_traverse = filter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = filter_next,
    .tp_methods = filter_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = filter_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = filter_vectorcall,
};
