/* Searching in arrays and comparing them: by value, which may run code; items are fetched one at a time. */
#include "array_internal.h"

/* The first position from start on (up to stop) of an item equal to value; -1 absent, -2 failed. */
static Py_ssize_t find(arrayobject *a, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    for (Py_ssize_t i = start; i < stop; i++) {
        PyObject *item = array_item_or_null(a, i);
        if (item == NULL)
            return PyErr_Occurred() ? -2 : -1;
        int equal = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (equal != 0)
            return equal < 0 ? -2 : i;
    }
    return -1;
}

int array_contains(PyObject *op, PyObject *value)
{
    Py_ssize_t i = find(as_array(op), value, 0, PY_SSIZE_T_MAX);
    return i == -2 ? -1 : i >= 0;
}

static int slice_index(PyObject *op, Py_ssize_t *index)
{
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or have an __index__ method");
        return -1;
    }
    *index = PyNumber_AsSsize_t(op, NULL);
    return *index == -1 && PyErr_Occurred() ? -1 : 0;
}

PyObject *array_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "index expected at %s %d argument%s, got %zd", nargs < 1 ? "least" : "most",
                     nargs < 1 ? 1 : 3, nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    if ((nargs > 1 && slice_index(args[1], &start) < 0) || (nargs > 2 && slice_index(args[2], &stop) < 0))
        return NULL;
    Py_ssize_t n = size_of(as_array(op));
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop += n;
    Py_ssize_t i = find(as_array(op), args[0], start, stop);
    if (i == -1)
        PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

PyObject *array_count(PyObject *op, PyObject *value)
{
    Py_ssize_t count = 0, i = -1;
    while ((i = find(as_array(op), value, i + 1, PY_SSIZE_T_MAX)) >= 0)
        count++;
    return i == -2 ? NULL : PyLong_FromSsize_t(count);
}

PyObject *array_remove(PyObject *op, PyObject *value)
{
    int failed = 0;
    Py_ssize_t i = find(as_array(op), value, 0, PY_SSIZE_T_MAX);
    if (i == -2)
        return NULL;
    if (i == -1) {
        PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    if (i < size_of(as_array(op)))
        failed = array_splice_locked(as_array(op), i, i + 1, NULL, 0);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* Both have the same integer type: compared in C. Items are integers of at most 64 bits. */
static int compare_items(const descr_t *d, const char *p, const char *q)
{
#define ORDER(type) ({ type x = ARRAY_LOAD(type), y; memcpy(&y, q, sizeof(y)); x < y ? -1 : x > y; })
    switch (d->typecode) {
    case 'b': return ORDER(signed char);
    case 'B': return ORDER(unsigned char);
    case 'h': return ORDER(short);
    case 'H': return ORDER(unsigned short);
    case 'i': return ORDER(int);
    case 'I': return ORDER(unsigned int);
    case 'l': return ORDER(long);
    case 'L': return ORDER(unsigned long);
    case 'q': return ORDER(long long);
    case 'Q': return ORDER(unsigned long long);
    default: return ORDER(wchar_t);
    }
}

/* order by size if all common items are equal */
static PyObject *by_length(Py_ssize_t n, Py_ssize_t m, int op)
{
    Py_RETURN_RICHCOMPARE(n, m, op);
}

static PyObject *compare_same(arrayobject *a, arrayobject *b, int op)
{
    Py_ssize_t n, m, i = 0, size = a->ob_descr->itemsize;
    int order = 0;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    n = size_of(a);
    m = size_of(b);
    for (; i < n && i < m && order == 0; i++)
        order = compare_items(a->ob_descr, a->ob_item + i * size, b->ob_item + i * size);
    Py_END_CRITICAL_SECTION2();
    return order == 0 ? by_length(n, m, op) : by_length(order, 0, op);
}

PyObject *array_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!array_check(v) || !array_check(w))
        Py_RETURN_NOTIMPLEMENTED;
    arrayobject *a = as_array(v), *b = as_array(w);
    if ((op == Py_EQ || op == Py_NE) && size_of(a) != size_of(b))
        return PyBool_FromLong(op == Py_NE);
    char code = a->ob_descr->typecode;
    if (a->ob_descr == b->ob_descr && code != 'f' && code != 'd')
        return compare_same(a, b, op);
    for (Py_ssize_t i = 0;; i++) {
        PyObject *x = array_item_or_null(a, i), *y = x == NULL ? NULL : array_item_or_null(b, i);
        if (y == NULL) {
            Py_XDECREF(x);
            return PyErr_Occurred() ? NULL : by_length(size_of(a), size_of(b), op);
        }
        int equal = PyObject_RichCompareBool(x, y, Py_EQ);
        PyObject *result = NULL;
        if (equal == 0)
            result = op == Py_EQ ? Py_NewRef(Py_False) : op == Py_NE ? Py_NewRef(Py_True) : PyObject_RichCompare(x, y, op);
        Py_DECREF(x);
        Py_DECREF(y);
        if (equal <= 0)
            return result;
    }
}
