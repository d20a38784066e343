/* The math module: functions of floats, and the table of all. */
#include <float.h>
#include "math_internal.h"

/* ---- Results: infinities and NaNs that come from nowhere are errors ---- */

/* r = f(x): what f does where it is not finite. */
enum { POLE, OVERFLOWS };

static PyObject *finish_1(double x, double r, int infinite)
{
    if (isnan(r) && !isnan(x))
        return math_domain_error();
    if (isinf(r) && isfinite(x))
        return infinite == OVERFLOWS ? math_range_error() : math_domain_error();
    return PyFloat_FromDouble(r);
}

#define FUNCTION_1(name, expression, infinite) \
    static PyObject *math_##name(PyObject *module, PyObject *arg) \
    { \
        double x; \
        if (math_argument(arg, &x) < 0) \
            return NULL; \
        return finish_1(x, (expression), infinite); \
    }

FUNCTION_1(acos, acos(x), POLE)
FUNCTION_1(acosh, acosh(x), POLE)
FUNCTION_1(asin, asin(x), POLE)
FUNCTION_1(asinh, asinh(x), POLE)
FUNCTION_1(atan, atan(x), POLE)
FUNCTION_1(atanh, atanh(x), POLE)
FUNCTION_1(cbrt, cbrt(x), POLE)
FUNCTION_1(cos, cos(x), POLE)
FUNCTION_1(cosh, cosh(x), OVERFLOWS)
FUNCTION_1(erf, erf(x), POLE)
FUNCTION_1(erfc, erfc(x), POLE)
FUNCTION_1(exp, exp(x), OVERFLOWS)
FUNCTION_1(exp2, exp2(x), OVERFLOWS)
FUNCTION_1(expm1, expm1(x), OVERFLOWS)
FUNCTION_1(fabs, fabs(x), POLE)
FUNCTION_1(log1p, x == 0.0 ? x : log1p(x), POLE)
FUNCTION_1(sin, sin(x), POLE)
FUNCTION_1(sinh, sinh(x), OVERFLOWS)
FUNCTION_1(sqrt, sqrt(x), POLE)
FUNCTION_1(tan, tan(x), POLE)
FUNCTION_1(tanh, tanh(x), POLE)

#define PLAIN_1(name, type, expression) \
    static PyObject *math_##name(PyObject *module, PyObject *arg) \
    { \
        double x; \
        if (math_argument(arg, &x) < 0) \
            return NULL; \
        return type(expression); \
    }

PLAIN_1(degrees, PyFloat_FromDouble, x * (180.0 / Py_MATH_PI))
PLAIN_1(radians, PyFloat_FromDouble, x * (Py_MATH_PI / 180.0))
PLAIN_1(isfinite, PyBool_FromLong, isfinite(x) != 0)
PLAIN_1(isinf, PyBool_FromLong, isinf(x) != 0)
PLAIN_1(isnan, PyBool_FromLong, isnan(x) != 0)

/* ---- Functions of two numbers ---- */

static int two_arguments(const char *name, PyObject *const *args, Py_ssize_t nargs, double *x, double *y)
{
    if (!_PyArg_CheckPositional(name, nargs, 2, 2))
        return -1;
    return math_argument(args[0], x) < 0 || math_argument(args[1], y) < 0 ? -1 : 0;
}

static PyObject *finish_2(double x, double y, double r)
{
    if (isnan(r) && !isnan(x) && !isnan(y))
        return math_domain_error();
    if (isinf(r) && isfinite(x) && isfinite(y))
        return math_range_error();
    return PyFloat_FromDouble(r);
}

#define FUNCTION_2(name, expression) \
    static PyObject *math_##name(PyObject *module, PyObject *const *args, Py_ssize_t nargs) \
    { \
        double x, y; \
        if (two_arguments(#name, args, nargs, &x, &y) < 0) \
            return NULL; \
        return finish_2(x, y, (expression)); \
    }

FUNCTION_2(atan2, atan2(x, y))
FUNCTION_2(copysign, copysign(x, y))
FUNCTION_2(fmod, isinf(y) && isfinite(x) ? x : fmod(x, y))
FUNCTION_2(remainder, remainder(x, y))

static PyObject *math_nextafter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    double x, y;
    if (two_arguments("nextafter", args, nargs, &x, &y) < 0)
        return NULL;
    return PyFloat_FromDouble(x == y ? y : nextafter(x, y));
}

static double power_with_infinity(double x, double y)
{
    if (isnan(x))
        return y == 0.0 ? 1.0 : x;
    if (isnan(y))
        return x == 1.0 ? 1.0 : y;
    if (isinf(x)) {
        int odd = isfinite(y) && fmod(fabs(y), 2.0) == 1.0;
        if (y == 0.0)
            return 1.0;
        return y > 0.0 ? (odd ? x : fabs(x)) : odd ? copysign(0.0, x) : 0.0;
    }
    if (fabs(x) == 1.0)
        return 1.0;
    return (y > 0.0) == (fabs(x) > 1.0) ? Py_INFINITY : 0.0;
}

static PyObject *math_pow(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    double x, y;
    if (two_arguments("pow", args, nargs, &x, &y) < 0)
        return NULL;
    if (!isfinite(x) || !isfinite(y))
        return PyFloat_FromDouble(power_with_infinity(x, y));
    double r = pow(x, y);
    if (isnan(r) || (isinf(r) && x == 0.0))
        return math_domain_error();
    return isinf(r) ? math_range_error() : PyFloat_FromDouble(r);
}

/* ---- Whole numbers ---- */

/* x.method(), or NULL without exception. */
static PyObject *call_special(PyObject *x, const char *name)
{
    PyObject *str = PyUnicode_InternFromString(name), *result = NULL;
    if (str == NULL)
        return NULL;
    PyObject *method = _PyObject_LookupSpecial(x, str);
    Py_DECREF(str);
    if (method != NULL) {
        result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
    }
    return result;
}

static PyObject *to_integer(PyObject *arg, const char *name, double (*convert)(double))
{
    double x;
    if (!PyFloat_CheckExact(arg)) {
        PyObject *result = call_special(arg, name);
        if (result != NULL || PyErr_Occurred())
            return result;
    }
    return math_argument(arg, &x) < 0 ? NULL : PyLong_FromDouble(convert(x));
}

static PyObject *math_ceil(PyObject *module, PyObject *x) { return to_integer(x, "__ceil__", ceil); }
static PyObject *math_floor(PyObject *module, PyObject *x) { return to_integer(x, "__floor__", floor); }

static PyObject *math_trunc(PyObject *module, PyObject *x)
{
    if (PyFloat_CheckExact(x))
        return PyLong_FromDouble(PyFloat_AS_DOUBLE(x));
    PyObject *result = call_special(x, "__trunc__");
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __trunc__ method", Py_TYPE(x)->tp_name);
    return result;
}

/* ---- Logarithms: of ints of any size ---- */

static PyObject *logarithm(PyObject *arg, double (*log_of)(double))
{
    double x;
    if (!PyLong_Check(arg)) {
        if (math_argument(arg, &x) < 0)
            return NULL;
    }
    else {
        if (_PyLong_Sign(arg) <= 0)
            return math_domain_error();
        x = PyLong_AsDouble(arg);
        if (x == -1.0 && PyErr_Occurred()) {
            Py_ssize_t e;
            if (!PyErr_ExceptionMatches(PyExc_OverflowError))
                return NULL;
            PyErr_Clear();
            x = _PyLong_Frexp((PyLongObject *)arg, &e);
            if (x == -1.0 && PyErr_Occurred())
                return NULL;
            return PyFloat_FromDouble(log_of(x) + log_of(2.0) * (double)e);
        }
    }
    if (isnan(x) || (isinf(x) && x > 0))
        return PyFloat_FromDouble(x);
    return x > 0 ? PyFloat_FromDouble(log_of(x)) : math_domain_error();
}

static PyObject *math_log(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("log", nargs, 1, 2))
        return NULL;
    PyObject *numerator = logarithm(args[0], log);
    if (numerator == NULL || nargs == 1)
        return numerator;
    PyObject *denominator = logarithm(args[1], log), *result = NULL;
    if (denominator != NULL) {
        result = PyNumber_TrueDivide(numerator, denominator);
        Py_DECREF(denominator);
    }
    Py_DECREF(numerator);
    return result;
}

static PyObject *math_log2(PyObject *module, PyObject *x) { return logarithm(x, log2); }
static PyObject *math_log10(PyObject *module, PyObject *x) { return logarithm(x, log10); }

/* ---- Gamma ---- */

static const double factorials[] = {
    1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0, 362880.0, 3628800.0, 39916800.0, 479001600.0,
    6227020800.0, 87178291200.0, 1307674368000.0, 20922789888000.0, 355687428096000.0, 6402373705728000.0,
    121645100408832000.0, 2432902008176640000.0, 51090942171709440000.0, 1124000727777607680000.0,
};

static PyObject *math_gamma(PyObject *module, PyObject *arg)
{
    double x;
    if (math_argument(arg, &x) < 0)
        return NULL;
    if (!isfinite(x))
        return isnan(x) || x > 0 ? PyFloat_FromDouble(x) : math_domain_error();
    if (x == 0.0 || (x < 0.0 && x == floor(x)))
        return math_domain_error();
    if (x == floor(x) && x <= (double)Py_ARRAY_LENGTH(factorials))
        return PyFloat_FromDouble(factorials[(int)x - 1]);
    double r = (double)tgammal((long double)x);
    return isinf(r) ? math_range_error() : PyFloat_FromDouble(r);
}

static PyObject *math_lgamma(PyObject *module, PyObject *arg)
{
    double x;
    int sign;
    if (math_argument(arg, &x) < 0)
        return NULL;
    if (!isfinite(x))
        return PyFloat_FromDouble(isnan(x) ? x : Py_INFINITY);
    if (x == floor(x) && x <= 2.0)
        return x <= 0.0 ? math_domain_error() : PyFloat_FromDouble(0.0);
    double r = (double)lgammal_r((long double)x, &sign);
    return isinf(r) ? math_range_error() : PyFloat_FromDouble(r);
}

/* ---- Parts of floats ---- */

static PyObject *math_frexp(PyObject *module, PyObject *arg)
{
    double x;
    int e = 0;
    if (math_argument(arg, &x) < 0)
        return NULL;
    if (isfinite(x) && x != 0.0)
        x = frexp(x, &e);
    return Py_BuildValue("(di)", x, e);
}

static PyObject *math_ldexp(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    double x, r;
    int overflow;
    if (!_PyArg_CheckPositional("ldexp", nargs, 2, 2) || math_argument(args[0], &x) < 0)
        return NULL;
    if (!PyLong_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "Expected an int as second argument to ldexp.");
        return NULL;
    }
    long e = PyLong_AsLongAndOverflow(args[1], &overflow);
    if (x == 0.0 || !isfinite(x))
        return PyFloat_FromDouble(x);
    if (overflow > 0 || e > INT_MAX)
        return math_range_error();
    r = overflow < 0 || e < INT_MIN ? copysign(0.0, x) : ldexp(x, (int)e);
    return isinf(r) ? math_range_error() : PyFloat_FromDouble(r);
}

static PyObject *math_modf(PyObject *module, PyObject *arg)
{
    double x, whole;
    if (math_argument(arg, &x) < 0)
        return NULL;
    if (isinf(x))
        return Py_BuildValue("(dd)", copysign(0.0, x), x);
    double fraction = modf(x, &whole);
    return Py_BuildValue("(dd)", isnan(x) ? x : fraction, isnan(x) ? x : whole);
}

static PyObject *math_ulp(PyObject *module, PyObject *arg)
{
    double x;
    if (math_argument(arg, &x) < 0)
        return NULL;
    if (isnan(x))
        return PyFloat_FromDouble(x);
    x = fabs(x);
    if (isinf(x))
        return PyFloat_FromDouble(x);
    double next = nextafter(x, Py_INFINITY);
    return PyFloat_FromDouble(isinf(next) ? x - nextafter(x, -Py_INFINITY) : next - x);
}

static PyObject *math_isclose(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"a", "b", "rel_tol", "abs_tol", NULL};
    static _PyArg_Parser parser = {.format = "dd|$dd:isclose", .keywords = keywords};
    double a, b, rel_tol = 1e-9, abs_tol = 0.0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &a, &b, &rel_tol, &abs_tol))
        return NULL;
    if (rel_tol < 0.0 || abs_tol < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a == b)
        return PyBool_FromLong(1);
    if (isinf(a) || isinf(b))
        return PyBool_FromLong(0);
    double difference = fabs(b - a);
    return PyBool_FromLong(difference <= fabs(rel_tol * b) || difference <= fabs(rel_tol * a) || difference <= abs_tol);
}

/* ---- The module ---- */

#define ONE(name, doc) MODULE_METHOD(#name, math_##name, METH_O, #name "($module, x, /)\n--\n\n" doc)
#define TWO(name, doc) MODULE_METHOD(#name, math_##name, METH_FASTCALL, #name "($module, x, y, /)\n--\n\n" doc)

static PyMethodDef math_methods[] = {
    ONE(acos, "The arc cosine of x, in radians from 0 to pi."),
    ONE(acosh, "The inverse hyperbolic cosine of x."),
    ONE(asin, "The arc sine of x, in radians from -pi/2 to pi/2."),
    ONE(asinh, "The inverse hyperbolic sine of x."),
    ONE(atan, "The arc tangent of x, in radians from -pi/2 to pi/2."),
    MODULE_METHOD("atan2", math_atan2, METH_FASTCALL,
                  "atan2($module, y, x, /)\n--\n\nThe angle of the point (x, y), in radians; the signs say the quadrant."),
    ONE(atanh, "The inverse hyperbolic tangent of x."),
    ONE(cbrt, "The cube root of x."),
    ONE(ceil, "The least integer that is not smaller than x."),
    TWO(copysign, "A float with the size of x and the sign of y.\n\ncopysign(1.0, -0.0) is -1.0."),
    ONE(cos, "The cosine of x radians."),
    ONE(cosh, "The hyperbolic cosine of x."),
    ONE(degrees, "The angle of x radians in degrees."),
    MODULE_METHOD("dist", math_dist, METH_FASTCALL,
                  "dist($module, p, q, /)\n--\n\nThe Euclidean distance of the points p and q, sequences of coordinates."),
    ONE(erf, "The error function at x."),
    ONE(erfc, "The complementary error function at x."),
    ONE(exp, "e to the power of x."),
    ONE(exp2, "2 to the power of x."),
    ONE(expm1, "exp(x)-1, precise also for small x."),
    ONE(fabs, "The absolute value of x as a float."),
    ONE(factorial, "n!, for an int n that is not negative."),
    ONE(floor, "The greatest integer that is not larger than x."),
    TWO(fmod, "The rest of x / y as C computes it: with the sign of x. x % y has the sign of y."),
    ONE(frexp, "The pair (m, e) with x == m * 2**e and m 0 or 0.5 <= abs(m) < 1."),
    MODULE_METHOD("fsum", math_fsum, METH_O,
                  "fsum($module, seq, /)\n--\n\nThe exact sum of the floats in an iterable, rounded once."),
    ONE(gamma, "The gamma function at x."),
    MODULE_METHOD("gcd", math_gcd, METH_FASTCALL, "gcd($module, *integers)\n--\n\nThe greatest common divisor."),
    MODULE_METHOD("hypot", math_hypot, METH_FASTCALL,
                  "hypot(*coordinates) -> value\n\nThe distance of a point from the origin.\n\n"
                  ">>> hypot(3.0, 4.0)\n5.0"),
    MODULE_METHOD("isclose", math_isclose, METH_FASTCALL | METH_KEYWORDS,
                  "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
                  "Whether a and b differ by no more than a part rel_tol of the larger one, or by abs_tol."),
    ONE(isfinite, "Whether x is neither an infinity nor a NaN."),
    ONE(isinf, "Whether x is an infinity."),
    ONE(isnan, "Whether x is a NaN."),
    MODULE_METHOD("isqrt", math_isqrt, METH_O, "isqrt($module, n, /)\n--\n\nThe square root of an int, rounded down."),
    MODULE_METHOD("lcm", math_lcm, METH_FASTCALL, "lcm($module, *integers)\n--\n\nThe least common multiple."),
    MODULE_METHOD("ldexp", math_ldexp, METH_FASTCALL, "ldexp($module, x, i, /)\n--\n\nx * 2**i: undoes frexp."),
    ONE(lgamma, "The natural logarithm of the absolute value of the gamma function at x."),
    MODULE_METHOD("log", math_log, METH_FASTCALL,
                  "log(x, [base=math.e])\nThe logarithm of x: the natural one, or to a given base."),
    ONE(log10, "The logarithm of x to the base of 10."),
    ONE(log1p, "The natural logarithm of 1+x, precise also for small x."),
    ONE(log2, "The logarithm of x to the base of 2."),
    ONE(modf, "The fraction and the whole part of x, as floats with the sign of x."),
    TWO(nextafter, "The float next to x on the way to y."),
    TWO(pow, "x to the power of y, as floats."),
    MODULE_METHOD("prod", math_prod, METH_FASTCALL | METH_KEYWORDS,
                  "prod($module, iterable, /, *, start=1)\n--\n\nThe product of start and all items of an iterable."),
    ONE(radians, "The angle of x degrees in radians."),
    TWO(remainder, "x - n*y for the integer n nearest to x/y; of two, the even one."),
    ONE(sin, "The sine of x radians."),
    ONE(sinh, "The hyperbolic sine of x."),
    ONE(sqrt, "The square root of x."),
    ONE(tan, "The tangent of x radians."),
    ONE(tanh, "The hyperbolic tangent of x."),
    ONE(trunc, "x without its fraction: x.__trunc__()."),
    ONE(ulp, "The value of the least significant bit of the float x."),
    MODULE_METHOD("perm", math_perm, METH_FASTCALL,
                  "perm($module, n, k=None, /)\n--\n\nHow many ways there are to choose k of n items in order: n! / (n - k)!."),
    MODULE_METHOD("comb", math_comb, METH_FASTCALL,
                  "comb($module, n, k, /)\n--\n\nHow many ways there are to choose k of n items: n! / (k! * (n - k)!)."),
    {NULL},
};

static int math_exec(PyObject *module)
{
    static const struct { const char *name; double value; } constants[] = {
        {"pi", Py_MATH_PI}, {"e", Py_MATH_E}, {"tau", (double)Py_MATH_TAU},
        {"inf", __builtin_inf()}, {"nan", __builtin_nan("")},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        PyObject *value = PyFloat_FromDouble(constants[i].value);
        int rc = PyModule_AddObjectRef(module, constants[i].name, value);
        Py_XDECREF(value);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static PyModuleDef_Slot math_slots[] = {
    {Py_mod_exec, (void *)math_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef math_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "math",
    .m_doc = "The mathematical functions of the C standard, and some of integers.",
    .m_methods = math_methods,
    .m_slots = math_slots,
};

PyMODINIT_FUNC PyInit_math(void)
{
    return PyModuleDef_Init(&math_module);
}
