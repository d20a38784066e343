/* Decimals as numbers: the operators, and conversions to int, float and complex. */
#include "decimal.h"

/* ---- Operators ---- */

/* A small operation is done: what it returns. */
static PyObject *small_result(const small_t *r, PyObject *context, uint32_t status)
{
    return status == 0 || context_add_status(context, status) == 0 ? decimal_new_small(r) : NULL;
}

static PyObject *unary_operator(PyObject *op, number_unary *function)
{
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    PyObject *context = context_current(), *result;
    if (context == NULL)
        return NULL;
    context_get_settings(context, &s);
    decimal_view(&a, op);
    number_init(&r);
    number_call_unary(function, &r, &a, &s, &status);
    result = decimal_result(&r, context, status);
    Py_DECREF(context);
    return result;
}

/* Both operands; 1, 0 (NotImplemented) or -1. Nothing is to be cleared unless 1. */
static int get_operands(operand_t *x, operand_t *y, PyObject *a, PyObject *b)
{
    int found = operand_set(x, a);
    if (found <= 0)
        return found;
    found = operand_set(y, b);
    if (found <= 0)
        operand_clear(x);
    return found;
}

static PyObject *general_operator(PyObject *a, PyObject *b, number_binary *function)
{
    operand_t x, y;
    number_t r;
    settings_t s;
    uint32_t status = 0;
    int found = get_operands(&x, &y, a, b);
    if (found < 0)
        return NULL;
    if (found == 0)
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *context = context_current(), *result = NULL;
    if (context != NULL) {
        context_get_settings(context, &s);
        number_init(&r);
        number_call_binary(function, &r, &x.n, &y.n, &s, &status);
        result = decimal_result(&r, context, status);
        Py_DECREF(context);
    }
    operand_clear(&x);
    operand_clear(&y);
    return result;
}

static inline PyObject *binary_operator(PyObject *a, PyObject *b, small_binary *function, number_binary *general)
{
    small_t x, y, r;
    settings_t s;
    uint32_t status = 0;
    if (!decimal_get_small(&x, a) || !decimal_get_small(&y, b))
        return general_operator(a, b, general);
    PyObject *context = context_current(), *result;
    if (context == NULL)
        return NULL;
    context_get_settings(context, &s);
    result = function(&r, &x, &y, &s, &status) ? small_result(&r, context, status) : general_operator(a, b, general);
    Py_DECREF(context);
    return result;
}

#define BINARY(name, small, general) \
    static PyObject *decimal_##name(PyObject *a, PyObject *b) { return binary_operator(a, b, small, general); }
#define UNARY(name, function) \
    static PyObject *decimal_##name(PyObject *op) { return unary_operator(op, function); }

BINARY(add, small_add, number_add)
BINARY(subtract, small_sub, number_sub)
BINARY(multiply, small_mul, number_mul)
BINARY(divide, small_div, number_div)
BINARY(divide_integer, small_div_integer, number_div_integer)
BINARY(remainder, small_rem, number_rem)
UNARY(positive, number_plus)
UNARY(absolute, number_abs)

static PyObject *decimal_negative(PyObject *op)
{
    small_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (!decimal_get_small(&a, op))
        return unary_operator(op, number_minus);
    PyObject *context = context_current(), *result;
    if (context == NULL)
        return NULL;
    context_get_settings(context, &s);
    result = small_minus(&r, &a, &s, &status) ? small_result(&r, context, status) : unary_operator(op, number_minus);
    Py_DECREF(context);
    return result;
}

static PyObject *decimal_divmod(PyObject *a, PyObject *b)
{
    operand_t x, y;
    int found = get_operands(&x, &y, a, b);
    if (found < 0)
        return NULL;
    if (found == 0)
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *context = context_current(), *result = NULL;
    if (context != NULL)
        result = decimal_divmod_in(&x.n, &y.n, context);
    Py_XDECREF(context);
    operand_clear(&x);
    operand_clear(&y);
    return result;
}

PyObject *decimal_divmod_in(const number_t *a, const number_t *b, PyObject *context)
{
    number_t q, r;
    settings_t s;
    uint32_t status = 0;
    PyObject *quotient = NULL, *rest = NULL, *result = NULL;
    context_get_settings(context, &s);
    number_init(&q);
    number_init(&r);
    number_call_pair(number_divmod, &q, &r, a, b, &s, &status);
    if (context_add_status(context, status) == 0) {
        quotient = decimal_new(&decimal_type, &q);
        rest = decimal_new(&decimal_type, &r);
    }
    if (quotient != NULL && rest != NULL)
        result = PyTuple_Pack(2, quotient, rest);
    Py_XDECREF(quotient);
    Py_XDECREF(rest);
    number_clear(&q);
    number_clear(&r);
    return result;
}

PyObject *decimal_power_in(const number_t *a, const number_t *b, const number_t *modulus, PyObject *context)
{
    number_t r;
    settings_t s;
    uint32_t status = 0;
    context_get_settings(context, &s);
    number_init(&r);
    if (modulus != NULL)
        number_call_ternary(number_powmod, &r, a, b, modulus, &s, &status);
    else
        number_call_binary(number_pow, &r, a, b, &s, &status);
    return decimal_result(&r, context, status);
}

static PyObject *decimal_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    operand_t x, y, m = {.is_own = 0};
    int found = get_operands(&x, &y, a, b);
    if (found < 0)
        return NULL;
    if (found == 0)
        Py_RETURN_NOTIMPLEMENTED;
    if (modulus != Py_None)
        found = operand_set(&m, modulus);
    PyObject *context = found > 0 ? context_current() : NULL, *result = NULL;
    if (context != NULL)
        result = decimal_power_in(&x.n, &y.n, modulus != Py_None ? &m.n : NULL, context);
    else if (found == 0)
        result = Py_NewRef(Py_NotImplemented);
    Py_XDECREF(context);
    operand_clear(&x);
    operand_clear(&y);
    operand_clear(&m);
    return result;
}

static int decimal_bool(PyObject *op)
{
    number_t a;
    decimal_view(&a, op);
    return !number_is_zero(&a);
}

/* ---- Conversions ---- */

/* Rounded to an int. */
static PyObject *to_int(PyObject *op, int rounding)
{
    number_t a, r;
    settings_t s = settings_widest;
    uint32_t status = 0;
    s.rounding = rounding;
    decimal_view(&a, op);
    number_init(&r);
    number_call_unary(number_to_integral, &r, &a, &s, &status);
    PyObject *result = convert_to_long(number_is_special(&a) ? &a : &r);
    number_clear(&r);
    return result;
}

static PyObject *decimal_int(PyObject *op)
{
    return to_int(op, ROUND_DOWN);
}
PyObject *decimal_trunc(PyObject *op, PyObject *unused)
{
    return to_int(op, ROUND_DOWN);
}
PyObject *decimal_floor(PyObject *op, PyObject *unused)
{
    return to_int(op, ROUND_FLOOR);
}
PyObject *decimal_ceil(PyObject *op, PyObject *unused)
{
    return to_int(op, ROUND_CEILING);
}

static PyObject *decimal_float(PyObject *op)
{
    number_t a;
    decimal_view(&a, op);
    if (a.flags & NUMBER_SNAN) {
        PyErr_SetString(PyExc_ValueError, "cannot convert signaling NaN to float");
        return NULL;
    }
    if (number_is_nan(&a))
        return PyFloat_FromDouble(number_is_negative(&a) ? -Py_NAN : Py_NAN);
    char *text = number_to_text(&a, 0, 1);
    if (text == NULL)
        return PyErr_NoMemory();
    double value = PyOS_string_to_double(text, NULL, NULL);
    number_text_free(text);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

PyObject *decimal_complex(PyObject *op, PyObject *unused)
{
    PyObject *value = decimal_float(op), *result;
    if (value == NULL)
        return NULL;
    result = PyComplex_FromDoubles(PyFloat_AS_DOUBLE(value), 0.0);
    Py_DECREF(value);
    return result;
}

PyObject *decimal_rescale_in(PyObject *op, int64_t exp, const settings_t *s, PyObject *context)
{
    number_t a, unit, r;
    small_t x, y;
    uint32_t status = 0;
    if (decimal_get_small(&x, op) && small_rescale(&y, &x, exp, s, &status))
        return small_result(&y, context, status);
    decimal_view(&a, op);
    number_init(&unit);
    number_init(&r);
    number_set_small(&unit, 1, exp, 0);
    number_call_binary(number_quantize, &r, &a, &unit, s, &status);
    number_clear(&unit);
    return decimal_result(&r, context, status);
}

PyObject *decimal_round(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *places = NULL;
    if (!_PyArg_ParseStack(args, nargs, "|O", &places))
        return NULL;
    if (places == NULL)
        return to_int(op, ROUND_HALF_EVEN);
    if (!PyLong_Check(places)) {
        PyErr_SetString(PyExc_TypeError, "optional arg must be an integer");
        return NULL;
    }
    Py_ssize_t n = PyLong_AsSsize_t(places);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    settings_t s;
    PyObject *context = context_current(), *result;
    if (context == NULL)
        return NULL;
    context_get_settings(context, &s);
    result = decimal_rescale_in(op, n == PY_SSIZE_T_MIN ? PY_SSIZE_T_MAX : -n, &s, context);
    Py_DECREF(context);
    return result;
}

PyNumberMethods decimal_number = {
    .nb_add = decimal_add,
    .nb_subtract = decimal_subtract,
    .nb_multiply = decimal_multiply,
    .nb_remainder = decimal_remainder,
    .nb_divmod = decimal_divmod,
    .nb_power = decimal_power,
    .nb_negative = decimal_negative,
    .nb_positive = decimal_positive,
    .nb_absolute = decimal_absolute,
    .nb_bool = decimal_bool,
    .nb_int = decimal_int,
    .nb_float = decimal_float,
    .nb_floor_divide = decimal_divide_integer,
    .nb_true_divide = decimal_divide,
};
