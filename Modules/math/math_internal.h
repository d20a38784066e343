/* What the files of the math module share. */
#ifndef BRAID_MATH_INTERNAL_H
#define BRAID_MATH_INTERNAL_H

#include "module.h"

/* value = op as a double; 0, or -1 with an exception */
static inline int math_argument(PyObject *op, double *value)
{
    *value = PyFloat_AsDouble(op);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}
static inline PyObject *math_domain_error(void)
{
    PyErr_SetString(PyExc_ValueError, "math domain error");
    return NULL;
}
static inline PyObject *math_range_error(void)
{
    PyErr_SetString(PyExc_OverflowError, "math range error");
    return NULL;
}

/* integers.c */
PyObject *math_gcd(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *math_lcm(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *math_factorial(PyObject *module, PyObject *x);
PyObject *math_isqrt(PyObject *module, PyObject *x);
PyObject *math_perm(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *math_comb(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* sums.c */
PyObject *math_fsum(PyObject *module, PyObject *iterable);
PyObject *math_prod(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *math_hypot(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *math_dist(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif /* BRAID_MATH_INTERNAL_H */
