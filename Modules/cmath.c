/* The cmath module: functions of complex numbers, as the C library computes them; what C reports by flags are exceptions here. */
#include "module.h"
#include <complex.h>
#undef I

typedef double complex number_t;

/* C11's CMPLX, which the headers do not offer to every compiler: x + y * I would lose signs of zeros and infinities. */
static number_t make_number(double real, double imag)
{
    union { double part[2]; number_t number; } u = {{real, imag}};
    return u.number;
}

/* What a function may do wrong. */
enum { FINE, DOMAIN, RANGE };

static PyObject *raise_error(int error)
{
    if (error == DOMAIN)
        PyErr_SetString(PyExc_ValueError, "math domain error");
    else
        PyErr_SetString(PyExc_OverflowError, "math range error");
    return NULL;
}

/* 0, or -1 with an exception. */
static int get_argument(PyObject *op, number_t *z)
{
    Py_complex c = PyComplex_AsCComplex(op);
    *z = make_number(c.real, c.imag);
    return c.real == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *to_object(number_t z) { return PyComplex_FromDoubles(creal(z), cimag(z)); }
static int is_finite(number_t z) { return isfinite(creal(z)) && isfinite(cimag(z)); }
static int is_infinite(number_t z) { return isinf(creal(z)) || isinf(cimag(z)); }

/* Where the C library and C's standard differ in what they leave of an unknown. */
static number_t acosh_of(number_t z)
{
    return creal(z) == 0.0 && isnan(cimag(z)) ? make_number(Py_NAN, Py_NAN) : cacosh(z);
}
#define cacosh acosh_of

static number_t tanh_of(number_t z)
{
    return creal(z) == 0.0 && isnan(cimag(z)) ? make_number(Py_NAN, Py_NAN) : ctanh(z);
}
#define ctanh tanh_of
/* tan(z) = -i tanh(iz) */
static number_t tan_of(number_t z)
{
    return isnan(creal(z)) && cimag(z) == 0.0 ? make_number(Py_NAN, Py_NAN) : ctan(z);
}
#define ctan tan_of

/* ---- Where functions are not defined ---- */

static int never(number_t z) { return 0; }
static int at_zero(number_t z) { return creal(z) == 0.0 && cimag(z) == 0.0; }
static int at_one(number_t z) { return fabs(creal(z)) == 1.0 && cimag(z) == 0.0; }
static int at_i(number_t z) { return creal(z) == 0.0 && fabs(cimag(z)) == 1.0; }
/* No direction: cosh, sinh; with the parts exchanged: cos, sin. */
static int no_angle(number_t z) { return isinf(cimag(z)) && !isnan(creal(z)); }
static int no_angle_real(number_t z) { return isinf(creal(z)) && !isnan(cimag(z)); }
static int no_angle_exp(number_t z) { return no_angle(z) && !(isinf(creal(z)) && creal(z) < 0); }
static int no_angle_tanh(number_t z) { return isinf(cimag(z)) && isfinite(creal(z)); }
static int no_angle_tan(number_t z) { return isinf(creal(z)) && isfinite(cimag(z)); }

#define FUNCTION(name, undefined) \
    static PyObject *cmath_##name(PyObject *module, PyObject *arg) \
    { \
        number_t z; \
        if (get_argument(arg, &z) < 0) \
            return NULL; \
        if (undefined(z)) \
            return raise_error(DOMAIN); \
        number_t r = c##name(z); \
        if (is_finite(z) && is_infinite(r)) \
            return raise_error(RANGE); \
        return to_object(r); \
    }

FUNCTION(acos, never)
FUNCTION(acosh, never)
FUNCTION(asin, never)
FUNCTION(asinh, never)
FUNCTION(atan, at_i)
FUNCTION(atanh, at_one)
FUNCTION(cos, no_angle_real)
FUNCTION(cosh, no_angle)
FUNCTION(exp, no_angle_exp)
FUNCTION(sin, no_angle_real)
FUNCTION(sinh, no_angle)
FUNCTION(sqrt, never)
FUNCTION(tan, no_angle_tan)
FUNCTION(tanh, no_angle_tanh)

static PyObject *cmath_log10(PyObject *module, PyObject *arg)
{
    number_t z;
    if (get_argument(arg, &z) < 0)
        return NULL;
    if (at_zero(z))
        return raise_error(DOMAIN);
    const double ln10 = 2.302585092994045684017991454684;
    number_t r = clog(z);
    return PyComplex_FromDoubles(creal(r) / ln10, cimag(r) / ln10);
}

static PyObject *cmath_log(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    number_t z, base = 0;
    if (!_PyArg_CheckPositional("log", nargs, 1, 2) || get_argument(args[0], &z) < 0)
        return NULL;
    if (nargs == 2 && get_argument(args[1], &base) < 0)
        return NULL;
    if (at_zero(nargs == 2 ? base : z))
        return raise_error(DOMAIN);
    z = clog(z);
    if (nargs == 1)
        return to_object(z);
    base = clog(base);
    errno = 0;
    Py_complex r = _Py_c_quot((Py_complex){creal(z), cimag(z)}, (Py_complex){creal(base), cimag(base)});
    return errno == EDOM ? raise_error(DOMAIN) : PyComplex_FromCComplex(r);
}

/* ---- Polar coordinates ---- */

static PyObject *cmath_phase(PyObject *module, PyObject *arg)
{
    number_t z;
    return get_argument(arg, &z) < 0 ? NULL : PyFloat_FromDouble(atan2(cimag(z), creal(z)));
}

static PyObject *cmath_polar(PyObject *module, PyObject *arg)
{
    number_t z;
    if (get_argument(arg, &z) < 0)
        return NULL;
    double size = hypot(creal(z), cimag(z));
    if (isinf(size) && is_finite(z))
        return raise_error(RANGE);
    return Py_BuildValue("(dd)", size, atan2(cimag(z), creal(z)));
}

static PyObject *cmath_rect(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("rect", nargs, 2, 2))
        return NULL;
    double r = PyFloat_AsDouble(args[0]);
    if (r == -1.0 && PyErr_Occurred())
        return NULL;
    double phi = PyFloat_AsDouble(args[1]);
    if (phi == -1.0 && PyErr_Occurred())
        return NULL;
    if (isinf(phi) && r != 0.0 && !isnan(r))
        return raise_error(DOMAIN);
    if (phi == 0.0)
        return PyComplex_FromDoubles(r, isfinite(r) ? r * phi : copysign(0.0, isnan(r) ? phi : phi * copysign(1.0, r)));
    if (!isfinite(phi)) {
        if (r == 0.0)
            return PyComplex_FromDoubles(0.0, 0.0);
        return PyComplex_FromDoubles(isinf(r) ? Py_INFINITY : Py_NAN, Py_NAN);
    }
    return PyComplex_FromDoubles(r * cos(phi), r * sin(phi));
}

/* ---- Predicates ---- */

static PyObject *cmath_isfinite(PyObject *module, PyObject *arg)
{
    number_t z;
    return get_argument(arg, &z) < 0 ? NULL : PyBool_FromLong(is_finite(z));
}

static PyObject *cmath_isinf(PyObject *module, PyObject *arg)
{
    number_t z;
    return get_argument(arg, &z) < 0 ? NULL : PyBool_FromLong(is_infinite(z));
}

static PyObject *cmath_isnan(PyObject *module, PyObject *arg)
{
    number_t z;
    return get_argument(arg, &z) < 0 ? NULL : PyBool_FromLong(isnan(creal(z)) || isnan(cimag(z)));
}

static double size_of(Py_complex c) { return hypot(c.real, c.imag); }

static PyObject *cmath_isclose(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"a", "b", "rel_tol", "abs_tol", NULL};
    static _PyArg_Parser parser = {.format = "DD|$dd:isclose", .keywords = keywords};
    Py_complex a, b;
    double rel_tol = 1e-9, abs_tol = 0.0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &a, &b, &rel_tol, &abs_tol))
        return NULL;
    if (rel_tol < 0.0 || abs_tol < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a.real == b.real && a.imag == b.imag)
        return PyBool_FromLong(1);
    if (isinf(a.real) || isinf(a.imag) || isinf(b.real) || isinf(b.imag))
        return PyBool_FromLong(0);
    double difference = size_of(_Py_c_diff(a, b));
    return PyBool_FromLong(difference <= rel_tol * size_of(b) || difference <= rel_tol * size_of(a)
                           || difference <= abs_tol);
}

/* ---- The module ---- */

#define ONE(name, doc) {#name, cmath_##name, METH_O, #name "($module, z, /)\n--\n\n" doc}

static PyMethodDef cmath_methods[] = {
    ONE(acos, "The arc cosine of z."),
    ONE(acosh, "The inverse hyperbolic cosine of z."),
    ONE(asin, "The arc sine of z."),
    ONE(asinh, "The inverse hyperbolic sine of z."),
    ONE(atan, "The arc tangent of z."),
    ONE(atanh, "The inverse hyperbolic tangent of z."),
    ONE(cos, "The cosine of z."),
    ONE(cosh, "The hyperbolic cosine of z."),
    ONE(exp, "e to the power of z."),
    MODULE_METHOD("isclose", cmath_isclose, METH_FASTCALL | METH_KEYWORDS,
                  "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
                  "Whether a and b differ by no more than a part rel_tol of the larger one, or by abs_tol."),
    ONE(isfinite, "Whether both parts of z are finite."),
    ONE(isinf, "Whether a part of z is an infinity."),
    ONE(isnan, "Whether a part of z is a NaN."),
    MODULE_METHOD("log", cmath_log, METH_FASTCALL,
                  "log(z[, base]) -> the logarithm of z to the given base.\n\nWithout a base, the natural logarithm."),
    ONE(log10, "The logarithm of z to the base of 10."),
    ONE(phase, "The angle of z, from -pi to pi."),
    ONE(polar, "Distance of z from 0, and angle."),
    MODULE_METHOD("rect", cmath_rect, METH_FASTCALL,
                  "rect($module, r, phi, /)\n--\n\nThe number at a distance from 0 and an angle."),
    ONE(sin, "The sine of z."),
    ONE(sinh, "The hyperbolic sine of z."),
    ONE(sqrt, "The square root of z."),
    ONE(tan, "The tangent of z."),
    ONE(tanh, "The hyperbolic tangent of z."),
    {NULL},
};

static int add_steal(PyObject *module, const char *name, PyObject *value)
{
    int rc = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return rc;
}

static int cmath_exec(PyObject *module)
{
    if (add_steal(module, "pi", PyFloat_FromDouble(Py_MATH_PI)) < 0
        || add_steal(module, "e", PyFloat_FromDouble(Py_MATH_E)) < 0
        || add_steal(module, "tau", PyFloat_FromDouble((double)Py_MATH_TAU)) < 0
        || add_steal(module, "inf", PyFloat_FromDouble(Py_INFINITY)) < 0
        || add_steal(module, "infj", PyComplex_FromDoubles(0.0, Py_INFINITY)) < 0
        || add_steal(module, "nan", PyFloat_FromDouble(Py_NAN)) < 0
        || add_steal(module, "nanj", PyComplex_FromDoubles(0.0, Py_NAN)) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot cmath_slots[] = {
    {Py_mod_exec, (void *)cmath_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef cmath_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cmath",
    .m_doc = "Mathematical functions of complex numbers.",
    .m_methods = cmath_methods,
    .m_slots = cmath_slots,
};

PyMODINIT_FUNC PyInit_cmath(void)
{
    return PyModuleDef_Init(&cmath_module);
}
