/* Built-in functions over iterables: all, any, len, iter, next, max, min, sum, sorted, aiter, anext. */
#include "Python.h"

#include "builtins.h"
#include "call.h"
#include "list.h"
#include "well_known_strings.h"

typedef int (*visit_item)(PyObject *item, void *arg);

static inline Py_ALWAYS_INLINE int for_each_of_list(PyListObject *list, visit_item visit, void *arg)
{
    PyObject *item;
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && (item = list_read_item_ref(list, i)) != NULL; i++) {
        status = visit(item, arg);
        Py_DECREF(item);
    }
    return status;
}

static inline Py_ALWAYS_INLINE int for_each_by_iterator(PyObject *iterable, visit_item visit, void *arg)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL)
        return -1;
    int status = 0;
    while (status == 0 && (item = call_iternext(iterator)) != NULL) {
        status = visit(item, arg);
        Py_DECREF(item);
    }
    Py_DECREF(iterator);
    if (status == 0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration))
            return -1;
        PyErr_Clear();
    }
    return status;
}

/* Calls visit for each item until it returns nonzero (1: stop). 0 or 1, or -1 with an exception. What other threads change
 * meanwhile in a list, dict or set is not seen. */
static inline Py_ALWAYS_INLINE int for_each(PyObject *iterable, visit_item visit, void *arg)
{
    PyObject *list;
    if (list_from_shared(iterable, &list) < 0)
        return -1;
    if (list == NULL && PyList_CheckExact(iterable))
        list = Py_NewRef(iterable);
    int status = list != NULL ? for_each_of_list((PyListObject *)list, visit, arg) : for_each_by_iterator(iterable, visit, arg);
    Py_XDECREF(list);
    return status;
}

static int visit_false(PyObject *item, void *Py_UNUSED(arg))
{
    int truth = PyObject_IsTrue(item);
    return truth < 0 ? -1 : !truth;
}

static int visit_true(PyObject *item, void *Py_UNUSED(arg)) { return PyObject_IsTrue(item); }

static PyObject *builtin_all(PyObject *Py_UNUSED(module), PyObject *iterable)
{
    int found = for_each(iterable, visit_false, NULL);
    return found < 0 ? NULL : PyBool_FromLong(!found);
}

static PyObject *builtin_any(PyObject *Py_UNUSED(module), PyObject *iterable)
{
    int found = for_each(iterable, visit_true, NULL);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *builtin_len(PyObject *Py_UNUSED(module), PyObject *op)
{
    Py_ssize_t n = PyObject_Size(op);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

/* ---- iter, next ---- */

static PyObject *builtin_iter(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("iter", nargs, 1, 2))
        return NULL;
    if (nargs == 1)
        return PyObject_GetIter(args[0]);
    if (!PyCallable_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "iter(v, w): v must be callable");
        return NULL;
    }
    return PyCallIter_New(args[0], args[1]);
}

static PyObject *builtin_next(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("next", nargs, 1, 2))
        return NULL;
    PyObject *iterator = args[0];
    if (!PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator", Py_TYPE(iterator)->tp_name);
        return NULL;
    }
    PyObject *item = Py_TYPE(iterator)->tp_iternext(iterator);
    if (item != NULL)
        return item;
    if (nargs > 1) {
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration))
                return NULL;
            PyErr_Clear();
        }
        return Py_NewRef(args[1]);
    }
    if (!PyErr_Occurred())
        PyErr_SetNone(PyExc_StopIteration);
    return NULL;
}

static PyObject *builtin_aiter(PyObject *Py_UNUSED(module), PyObject *op) { return PyObject_GetAIter(op); }

static PyObject *builtin_anext(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("anext", nargs, 1, 2))
        return NULL;
    PyAsyncMethods *methods = Py_TYPE(args[0])->tp_as_async;
    if (methods == NULL || methods->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator", Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    PyObject *awaitable = methods->am_anext(args[0]);
    if (awaitable == NULL || nargs == 1)
        return awaitable;
    PyObject *result = PyAnextAwaitable_New(awaitable, args[1]);
    Py_DECREF(awaitable);
    return result;
}

/* ---- max, min ---- */

typedef struct {
    PyObject *key;              /* or NULL */
    int op;                     /* Py_GT for max */
    PyObject *best, *best_key;  /* owned, or NULL so far; without a key only best is used */
} extreme_t;

static inline Py_ALWAYS_INLINE int visit_extreme(PyObject *item, void *arg)
{
    extreme_t *e = arg;
    if (e->best != NULL) {
        int better = PyObject_RichCompareBool(item, e->best, e->op);
        if (better <= 0)
            return better;
    }
    Py_XSETREF(e->best, Py_NewRef(item));
    return 0;
}

static int visit_extreme_by_key(PyObject *item, void *arg)
{
    extreme_t *e = arg;
    PyObject *key = PyObject_CallOneArg(e->key, item);
    if (key == NULL)
        return -1;
    if (e->best != NULL) {
        int better = PyObject_RichCompareBool(key, e->best_key, e->op);
        if (better <= 0) {
            Py_DECREF(key);
            return better;
        }
    }
    Py_XSETREF(e->best, Py_NewRef(item));
    Py_XSETREF(e->best_key, key);
    return 0;
}

static PyObject *extreme(const char *name, int op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    extreme_t e = {.op = op};
    PyObject *fallback = NULL;
    int status = 0;
    for (Py_ssize_t i = 0; kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i), *value = args[nargs + i];
        if (PyUnicode_CompareWithASCIIString(keyword, "key") == 0)
            e.key = value == Py_None ? NULL : value;
        else if (PyUnicode_CompareWithASCIIString(keyword, "default") == 0)
            fallback = value;
        else {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name, keyword);
            return NULL;
        }
    }
    if (nargs == 0) {
        PyErr_Format(PyExc_TypeError, "%s expected at least 1 argument, got 0", name);
        return NULL;
    }
    if (nargs > 1) {
        if (fallback != NULL) {
            PyErr_Format(PyExc_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
            return NULL;
        }
        for (Py_ssize_t i = 0; i < nargs && status == 0; i++)
            status = e.key != NULL ? visit_extreme_by_key(args[i], &e) : visit_extreme(args[i], &e);
    }
    else
        status = e.key != NULL ? for_each(args[0], visit_extreme_by_key, &e) : for_each(args[0], visit_extreme, &e);
    Py_XDECREF(e.best_key);
    if (status < 0) {
        Py_XDECREF(e.best);
        return NULL;
    }
    if (e.best != NULL)
        return e.best;
    if (fallback != NULL)
        return Py_NewRef(fallback);
    PyErr_Format(PyExc_ValueError, "%s() arg is an empty sequence", name);
    return NULL;
}

static PyObject *builtin_max(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return extreme("max", Py_GT, args, nargs, kwnames);
}

static PyObject *builtin_min(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return extreme("min", Py_LT, args, nargs, kwnames);
}

/* ---- sum ---- */

/* Adds while everything is an immediate int, then while floats, then whatever it is. */
typedef struct {
    PyObject *total;            /* owned */
} sum_t;

static inline Py_ALWAYS_INLINE int visit_sum(PyObject *item, void *arg)
{
    sum_t *s = arg;
    PyObject *total = s->total;
    if (value_both_ints(total, item)) {
        int64_t word;
        if (!__builtin_add_overflow((int64_t)total, (int64_t)item - 3, &word)) {
            s->total = (PyObject *)word;
            return 0;
        }
    }
    else if (value_is_float(total)) {
        double x = value_get_float(total), y;
        if (value_is_float(item))
            y = value_get_float(item);
        else if (value_is_int(item) && value_get_int(item) == (int64_t)(double)value_get_int(item))
            y = (double)value_get_int(item);
        else
            goto general;
        PyObject *word = value_encode_float(x + y);
        if (value_is_float(word)) {
            s->total = word;
            return 0;
        }
    }
general:
    s->total = PyNumber_Add(total, item);
    Py_DECREF(total);
    return s->total != NULL ? 0 : -1;
}

static PyObject *builtin_sum(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"", "start", NULL};
    static _PyArg_Parser parser = {.format = "O|O:sum", .keywords = keywords};
    PyObject *iterable, *start = NULL;
    if (Py_LIKELY(nargs == 1 && kwnames == NULL))
        iterable = args[0];
    else if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &iterable, &start))
        return NULL;
    if (start != NULL) {
        const char *advice = PyUnicode_Check(start)     ? "sum() can't sum strings [use ''.join(seq) instead]"
                             : PyBytes_Check(start)     ? "sum() can't sum bytes [use b''.join(seq) instead]"
                             : PyByteArray_Check(start) ? "sum() can't sum bytearray [use b''.join(seq) instead]"
                                                        : NULL;
        if (advice != NULL) {
            PyErr_SetString(PyExc_TypeError, advice);
            return NULL;
        }
    }
    sum_t s = {start != NULL ? Py_NewRef(start) : value_from_int(0)};
    if (for_each(iterable, visit_sum, &s) < 0)
        Py_CLEAR(s.total);
    return s.total;
}

/* ---- sorted ---- */

static PyObject *builtin_sorted(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (!_PyArg_CheckPositional("sorted", nargs, 1, 1))
        return NULL;
    PyObject *list = PySequence_List(args[0]);
    if (list == NULL)
        return NULL;
    PyObject *sort = PyObject_GetAttr(list, STR(sort)), *result = NULL;
    if (sort != NULL)
        result = PyObject_Vectorcall(sort, args + 1, 0, kwnames);
    Py_XDECREF(sort);
    if (result == NULL) {
        Py_DECREF(list);
        return NULL;
    }
    Py_DECREF(result);
    return list;
}

PyMethodDef builtin_sequence_methods[] = {
    {"aiter", builtin_aiter, METH_O, "aiter($module, async_iterable, /)\n--\n\nReturn an AsyncIterator for an AsyncIterable object."},
    {"all", builtin_all, METH_O, "all($module, iterable, /)\n--\n\nTrue if no item is false (also if there is none)."},
    {"anext", (PyCFunction)(void (*)(void))builtin_anext, METH_FASTCALL,
     "anext($module, aiterator, default=<unrepresentable>, /)\n--\n\nReturn an awaitable of the next item of an async iterator."},
    {"any", builtin_any, METH_O, "any($module, iterable, /)\n--\n\nTrue if some item is true."},
    {"iter", (PyCFunction)(void (*)(void))builtin_iter, METH_FASTCALL,
     "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator\n\nGet an iterator; the second form calls until the sentinel comes."},
    {"len", builtin_len, METH_O, "len($module, obj, /)\n--\n\nReturn the number of items in a container."},
    {"max", (PyCFunction)(void (*)(void))builtin_max, METH_FASTCALL | METH_KEYWORDS,
     "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nThe largest item."},
    {"min", (PyCFunction)(void (*)(void))builtin_min, METH_FASTCALL | METH_KEYWORDS,
     "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nThe smallest item."},
    {"next", (PyCFunction)(void (*)(void))builtin_next, METH_FASTCALL,
     "next(iterator[, default])\n\nReturn the next item; at the end the default, if given, instead of StopIteration."},
    {"sorted", (PyCFunction)(void (*)(void))builtin_sorted, METH_FASTCALL | METH_KEYWORDS,
     "sorted($module, iterable, /, *, key=None, reverse=False)\n--\n\nReturn a new sorted list of all items."},
    {"sum", (PyCFunction)(void (*)(void))builtin_sum, METH_FASTCALL | METH_KEYWORDS,
     "sum($module, iterable, /, start=0)\n--\n\nReturn start plus the sum of the items."},
    {NULL},
};
