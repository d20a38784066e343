/* math: functions of integers. */
#include "math_internal.h"

static PyObject *fold(PyObject *const *args, Py_ssize_t nargs, long start, PyObject *(*combine)(PyObject *, PyObject *))
{
    PyObject *result = PyLong_FromLong(start);
    for (Py_ssize_t i = 0; i < nargs && result != NULL; i++) {
        PyObject *x = PyNumber_Index(args[i]);
        if (x == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        Py_SETREF(result, combine(result, x));
        Py_DECREF(x);
    }
    return result;
}

PyObject *math_gcd(PyObject *module, PyObject *const *args, Py_ssize_t nargs) { return fold(args, nargs, 0, _PyLong_GCD); }
PyObject *math_lcm(PyObject *module, PyObject *const *args, Py_ssize_t nargs) { return fold(args, nargs, 1, _PyLong_LCM); }

PyObject *math_factorial(PyObject *module, PyObject *x)
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(x, &overflow);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (overflow > 0) {
        PyErr_Format(PyExc_OverflowError, "factorial() argument should not exceed %ld", LONG_MAX);
        return NULL;
    }
    if (overflow < 0 || n < 0) {
        PyErr_SetString(PyExc_ValueError, "factorial() not defined for negative values");
        return NULL;
    }
    return _PyLong_Factorial((unsigned long)n);
}

PyObject *math_isqrt(PyObject *module, PyObject *x)
{
    PyObject *n = PyNumber_Index(x), *result = NULL;
    if (n == NULL)
        return NULL;
    if (_PyLong_Sign(n) < 0)
        PyErr_SetString(PyExc_ValueError, "isqrt() argument must be nonnegative");
    else
        result = _PyLong_SquareRoot(n);
    Py_DECREF(n);
    return result;
}

/* n and k as non-negative ints. 0 or -1. */
static int two_counts(PyObject *const *args, PyObject **n, PyObject **k)
{
    *k = NULL;
    *n = PyNumber_Index(args[0]);
    if (*n != NULL)
        *k = PyNumber_Index(args[1]);
    if (*k != NULL && (_PyLong_Sign(*n) < 0 || _PyLong_Sign(*k) < 0)) {
        PyErr_Format(PyExc_ValueError, "%c must be a non-negative integer", _PyLong_Sign(*n) < 0 ? 'n' : 'k');
        Py_CLEAR(*k);
    }
    if (*k != NULL)
        return 0;
    Py_CLEAR(*n);
    return -1;
}

PyObject *math_perm(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *n, *k, *result = NULL;
    if (!_PyArg_CheckPositional("perm", nargs, 1, 2))
        return NULL;
    if (nargs == 1 || args[1] == Py_None)
        return math_factorial(module, args[0]);
    if (two_counts(args, &n, &k) < 0)
        return NULL;
    int less = PyObject_RichCompareBool(n, k, Py_LT), overflow;
    long count = PyLong_AsLongAndOverflow(k, &overflow);
    if (less > 0)
        result = PyLong_FromLong(0);
    else if (overflow > 0)
        PyErr_Format(PyExc_OverflowError, "k must not exceed %lld", LLONG_MAX);
    else if (less == 0)
        result = _PyLong_Permutations(n, (unsigned long)count);
    Py_DECREF(n);
    Py_DECREF(k);
    return result;
}

PyObject *math_comb(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *n, *k, *rest = NULL, *result = NULL;
    if (!_PyArg_CheckPositional("comb", nargs, 2, 2) || two_counts(args, &n, &k) < 0)
        return NULL;
    rest = PyNumber_Subtract(n, k);
    if (rest == NULL)
        goto done;
    if (_PyLong_Sign(rest) < 0) {
        result = PyLong_FromLong(0);
        goto done;
    }
    int less = PyObject_RichCompareBool(rest, k, Py_LT), overflow;
    if (less < 0)
        goto done;
    long count = PyLong_AsLongAndOverflow(less ? rest : k, &overflow);
    if (overflow)
        PyErr_Format(PyExc_OverflowError, "min(n - k, k) must not exceed %lld", LLONG_MAX);
    else
        result = _PyLong_Binomial(n, (unsigned long)count);
done:
    Py_DECREF(n);
    Py_DECREF(k);
    Py_XDECREF(rest);
    return result;
}
