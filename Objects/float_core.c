/* float: making, conversion, arithmetic, comparison, hash. */
#include "float_internal.h"
#include "long.h"

/* ---- Making floats ---- */

PyObject *(PyFloat_FromDouble)(double d)
{
    PyObject *word = value_encode_float(d);
    if (value_is_float(word))
        return word;
    PyFloatObject *x = PyObject_New(PyFloatObject, &PyFloat_Type);
    if (x != NULL)
        x->ob_fval = d;
    return (PyObject *)x;
}

double PyFloat_GetMax(void) { return __DBL_MAX__; }
double PyFloat_GetMin(void) { return __DBL_MIN__; }

/* ---- Conversion ---- */

int float_convert(PyObject *op, double *value)
{
    if (PyFloat_Check(op)) {
        *value = PyFloat_AS_DOUBLE(op);
        return 1;
    }
    if (!PyLong_Check(op))
        return 0;
    *value = PyLong_AsDouble(op);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 1;
}

/* Sets x and y, or returns NotImplemented or NULL from the function: not for use elsewhere. */
#define CONVERT(op, variable) \
    double variable; \
    if (value_is_float(op)) \
        variable = value_get_float(op); \
    else { \
        int variable##_rc = float_convert(op, &variable); \
        if (variable##_rc <= 0) \
            return variable##_rc == 0 ? Py_NotImplemented : NULL; \
    }

double PyFloat_AsDouble(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadArgument();
        return -1.0;
    }
    if (PyFloat_Check(op))
        return PyFloat_AS_DOUBLE(op);
    if (value_is_int(op))
        return (double)value_get_int(op);
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    if (m == NULL || m->nb_float == NULL) {
        if (m != NULL && m->nb_index != NULL) {
            PyObject *index = _PyNumber_Index(op);
            if (index == NULL)
                return -1.0;
            double value = PyLong_AsDouble(index);
            Py_DECREF(index);
            return value;
        }
        PyErr_Format(PyExc_TypeError, "must be real number, not %.50s", Py_TYPE(op)->tp_name);
        return -1.0;
    }
    PyObject *result = m->nb_float(op);
    if (result == NULL)
        return -1.0;
    if (!PyFloat_CheckExact(result)) {
        if (!PyFloat_Check(result)) {
            PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(op)->tp_name,
                         Py_TYPE(result)->tp_name);
            Py_DECREF(result);
            return -1.0;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance "
                             "of a strict subclass of float is deprecated, and may not be supported in a future "
                             "version of Python.",
                             Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name)) {
            Py_DECREF(result);
            return -1.0;
        }
    }
    double value = PyFloat_AS_DOUBLE(result);
    Py_DECREF(result);
    return value;
}

/* ---- Arithmetic ---- */

static PyObject *float_add(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyFloat_FromDouble(x + y);
}

static PyObject *float_subtract(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyFloat_FromDouble(x - y);
}

static PyObject *float_multiply(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyFloat_FromDouble(x * y);
}

static PyObject *divide_by_zero(const char *text)
{
    PyErr_SetString(PyExc_ZeroDivisionError, text);
    return NULL;
}

static PyObject *float_true_divide(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    if (y == 0.0)
        return divide_by_zero("float division by zero");
    return PyFloat_FromDouble(x / y);
}

/* The rest has the sign of b; a zero too. */
double float_remainder(double a, double b)
{
    double r = fmod(a, b);
    if (r == 0.0)
        return copysign(0.0, b);
    return (b < 0) != (r < 0) ? r + b : r;
}

double float_floor_divide(double a, double b)
{
    double r = fmod(a, b), q = (a - r) / b;
    if (r != 0.0 && (b < 0) != (r < 0))
        q -= 1.0;
    if (q == 0.0)
        return copysign(0.0, a / b);
    double f = floor(q);
    return q - f > 0.5 ? f + 1.0 : f;
}

static PyObject *float_floor_div(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    if (y == 0.0)
        return divide_by_zero("float floor division by zero");
    return PyFloat_FromDouble(float_floor_divide(x, y));
}

static PyObject *float_mod(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    if (y == 0.0)
        return divide_by_zero("float modulo");
    return PyFloat_FromDouble(float_remainder(x, y));
}

static PyObject *float_divmod(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    if (y == 0.0)
        return divide_by_zero("float divmod()");
    return Py_BuildValue("(dd)", float_floor_divide(x, y), float_remainder(x, y));
}

static int is_odd(double y) { return fmod(fabs(y), 2.0) == 1.0; }

/* x ** y where it is not what C's pow says on every system, or not a number at all. */
static PyObject *power_special(double x, double y, int *done)
{
    *done = 1;
    if (y == 0)
        return PyFloat_FromDouble(1.0);
    if (isnan(x))
        return PyFloat_FromDouble(x);
    if (isnan(y))
        return PyFloat_FromDouble(x == 1.0 ? 1.0 : y);
    if (isinf(y)) {
        double size = fabs(x);
        if (size == 1.0)
            return PyFloat_FromDouble(1.0);
        return PyFloat_FromDouble((y > 0) == (size > 1.0) ? Py_INFINITY : 0.0);
    }
    if (isinf(x))
        return PyFloat_FromDouble(y > 0 ? (is_odd(y) ? x : fabs(x)) : is_odd(y) ? copysign(0.0, x) : 0.0);
    if (x == 0.0) {
        if (y < 0)
            return divide_by_zero("0.0 cannot be raised to a negative power");
        return PyFloat_FromDouble(is_odd(y) ? x : 0.0);
    }
    *done = 0;
    return NULL;
}

PyObject *float_from_power(double x, double y)
{
    int done;
    PyObject *special = power_special(x, y, &done);
    if (done)
        return special;
    double result = pow(x, y);
    if (isinf(result)) {
        errno = ERANGE;
        return PyErr_SetFromErrno(PyExc_OverflowError);
    }
    return PyFloat_FromDouble(result);
}

static PyObject *float_pow(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
        return NULL;
    }
    CONVERT(a, x)
    CONVERT(b, y)
    if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y)) {
        PyObject *base = PyComplex_FromDoubles(x, 0.0), *exponent = PyComplex_FromDoubles(y, 0.0), *result = NULL;
        if (base != NULL && exponent != NULL)
            result = PyComplex_Type.tp_as_number->nb_power(base, exponent, Py_None);
        Py_XDECREF(base);
        Py_XDECREF(exponent);
        return result;
    }
    return float_from_power(x, y);
}

static PyObject *float_neg(PyObject *op) { return PyFloat_FromDouble(-PyFloat_AS_DOUBLE(op)); }
static PyObject *float_abs(PyObject *op) { return PyFloat_FromDouble(fabs(PyFloat_AS_DOUBLE(op))); }
static int float_bool(PyObject *op) { return PyFloat_AS_DOUBLE(op) != 0.0; }
static PyObject *float_int(PyObject *op) { return PyLong_FromDouble(PyFloat_AS_DOUBLE(op)); }

static PyObject *float_float(PyObject *op)
{
    return PyFloat_CheckExact(op) ? Py_NewRef(op) : PyFloat_FromDouble(PyFloat_AS_DOUBLE(op));
}

PyNumberMethods float_as_number = {
    .nb_add = float_add,
    .nb_subtract = float_subtract,
    .nb_multiply = float_multiply,
    .nb_remainder = float_mod,
    .nb_divmod = float_divmod,
    .nb_power = float_pow,
    .nb_negative = float_neg,
    .nb_positive = float_float,
    .nb_absolute = float_abs,
    .nb_bool = float_bool,
    .nb_int = float_int,
    .nb_float = float_float,
    .nb_floor_divide = float_floor_div,
    .nb_true_divide = float_true_divide,
};

/* ---- Comparison and hash ---- */

int float_compare_long(double a, PyObject *b, int *unordered)
{
    *unordered = isnan(a);
    if (*unordered)
        return 0;
    int64_t n;
    if (isinf(a))
        return a > 0 ? 1 : -1;
    if (long_get_int64(b, &n)) {
        if (n <= (int64_t)1 << 53 && n >= -((int64_t)1 << 53))
            return (a > (double)n) - (a < (double)n);
        if (a >= 9223372036854775808.0 || a < -9223372036854775808.0)
            return a > 0 ? 1 : -1;
        int64_t whole = (int64_t)a;         /* towards zero */
        if (whole != n)
            return whole > n ? 1 : -1;
        double rest = a - (double)whole;
        return (rest > 0) - (rest < 0);
    }
    /* |b| >= 2^63: a has no fraction if it is that large. */
    long_view_t v;
    mpz_t room;
    long_view(b, &v);
    int order = mpz_cmp_d(long_view_mpz(&v, room), a);
    return order < 0 ? 1 : order > 0 ? -1 : 0;
}

PyObject *float_richcompare(PyObject *a, PyObject *b, int op)
{
    double x = PyFloat_AS_DOUBLE(a);
    if (PyFloat_Check(b)) {
        double y = PyFloat_AS_DOUBLE(b);
        switch (op) {
        case Py_EQ: return PyBool_FromLong(x == y);
        case Py_NE: return PyBool_FromLong(x != y);
        case Py_LT: return PyBool_FromLong(x < y);
        case Py_LE: return PyBool_FromLong(x <= y);
        case Py_GT: return PyBool_FromLong(x > y);
        default: return PyBool_FromLong(x >= y);
        }
    }
    if (!PyLong_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    int unordered, order = float_compare_long(x, b, &unordered);
    if (unordered)
        return PyBool_FromLong(op == Py_NE);
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

/* The value modulo 2^61 - 1, so that equal numbers of all types have equal hashes. */
Py_hash_t _Py_HashDouble(PyObject *inst, double value)
{
    if (!isfinite(value))
        return isinf(value) ? (value > 0 ? _PyHASH_INF : -_PyHASH_INF) : _Py_HashPointer(inst);
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value) {
        Py_hash_t n = (Py_hash_t)value;
        return n == -1 ? -2 : n;
    }
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(value), &exponent), 53);
    exponent = (exponent - 53) % _PyHASH_BITS;
    if (exponent < 0)
        exponent += _PyHASH_BITS;
    /* Multiplying by 2^e modulo 2^61 - 1 is a rotation of 61 bits. */
    uint64_t x = ((mantissa << exponent) & _PyHASH_MODULUS) | (mantissa >> (_PyHASH_BITS - exponent));
    if (x == _PyHASH_MODULUS)
        x = 0;
    Py_hash_t hash = value < 0 ? -(Py_hash_t)x : (Py_hash_t)x;
    return hash == -1 ? -2 : hash;
}
