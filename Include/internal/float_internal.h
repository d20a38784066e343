/* The inside of float. */
#ifndef BRAID_FLOAT_H
#define BRAID_FLOAT_H

#include "Python.h"

/* ---- Digits (Python/runtime/dtoa.c) ---- */

/* Decimal digits of a finite, non-negative value: 0.d1d2d3... * 10^point; no trailing zeros unless asked for. */
#define FLOAT_SHORTEST_DIGITS 20
/* The shortest digits that read back as value, closest to it.  Returns their number (zero: 1). */
int float_shortest_digits(double value, char digits[FLOAT_SHORTEST_DIGITS], int *point);

/* strtod of the C locale. */
double float_strtod(const char *text, char **end);

/* ---- Operations ---- */

/* value = op as a double if op is a float or an int.
 * Returns  1; 0: another type; -1 exception (an int too large) */
int float_convert(PyObject *op, double *value);
PyObject *float_power(double base, double exponent);
PyObject *float_from_power(double base, double exponent);
double float_floor_divide(double a, double b);
double float_remainder(double a, double b);
/* Exact comparison of a double with an int. NaN: *unordered = 1.  Returns -1, 0, 1 */
int float_compare_long(double a, PyObject *b, int *unordered);
PyObject *float_richcompare(PyObject *a, PyObject *b, int op);
/* value rounded to ndigits decimal digits, ties to even: a new float */
PyObject *float_round_digits(double value, int ndigits);

/* ---- Text ---- */

PyObject *float_repr(PyObject *op);
/* The float that text (a str, bytes, or buffer) says; PyFloat_FromString without the type checks. */
PyObject *float_parse(const char *text, Py_ssize_t length, PyObject *shown);

extern PyMethodDef float_methods[];
PyObject *float_hex(PyObject *self, PyObject *unused);
PyObject *float_fromhex(PyObject *type, PyObject *text);

#endif /* BRAID_FLOAT_H */
