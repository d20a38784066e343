/* The operations as methods of contexts. Operands may be ints. Many are rows of operations.def. */
#include "decimal.h"

#define PARAMETERS PyObject *op, PyObject *const *args, Py_ssize_t nargs

static int check_count(Py_ssize_t nargs, Py_ssize_t wanted)
{
    if (nargs == wanted)
        return 0;
    PyErr_Format(PyExc_TypeError, "function takes exactly %zd argument%s (%zd given)", wanted,
                 wanted == 1 ? "" : "s", nargs);
    return -1;
}

/* Both operands; nothing is to be cleared after -1. */
static int get_two(PyObject *const *args, Py_ssize_t nargs, operand_t *x, operand_t *y)
{
    if (check_count(nargs, 2) < 0 || operand_need(x, args[0]) < 0)
        return -1;
    if (operand_need(y, args[1]) == 0)
        return 0;
    operand_clear(x);
    return -1;
}

static PyObject *call_unary(PyObject *op, PyObject *arg, number_unary *function)
{
    operand_t x;
    number_t r;
    settings_t s;
    uint32_t status = 0;
    if (operand_need(&x, arg) < 0)
        return NULL;
    context_get_settings(op, &s);
    number_init(&r);
    number_call_unary(function, &r, &x.n, &s, &status);
    PyObject *result = decimal_result(&r, op, status);
    operand_clear(&x);
    return result;
}

static PyObject *call_binary(PARAMETERS, number_binary *function)
{
    operand_t x, y;
    number_t r;
    settings_t s;
    uint32_t status = 0;
    if (get_two(args, nargs, &x, &y) < 0)
        return NULL;
    context_get_settings(op, &s);
    number_init(&r);
    number_call_binary(function, &r, &x.n, &y.n, &s, &status);
    PyObject *result = decimal_result(&r, op, status);
    operand_clear(&x);
    operand_clear(&y);
    return result;
}

#define UNARY(name, function, text) \
    static PyObject *context_##name(PyObject *op, PyObject *arg) { return call_unary(op, arg, function); }
#define BINARY(name, function, text) \
    static PyObject *context_##name(PARAMETERS) { return call_binary(op, args, nargs, function); }
#define SETTINGS_TEST(name, expression, text) \
    static PyObject *context_##name(PyObject *op, PyObject *arg) \
    { \
        operand_t x; \
        settings_t s; \
        if (operand_need(&x, arg) < 0) \
            return NULL; \
        context_get_settings(op, &s); \
        number_t a = x.n; \
        int answer = (expression); \
        operand_clear(&x); \
        return PyBool_FromLong(answer); \
    }
#define TEST(name, expression, text) SETTINGS_TEST(name, ((void)s, expression), text)
#include "operations.def"

/* The operators, and rounding, as methods. */
#define UNARY(name, function) \
    static PyObject *context_##name(PyObject *op, PyObject *arg) { return call_unary(op, arg, function); }
#define BINARY(name, function) \
    static PyObject *context_##name(PARAMETERS) { return call_binary(op, args, nargs, function); }
UNARY(abs, number_abs)
UNARY(plus, number_plus)
UNARY(minus, number_minus)
UNARY(to_integral_value, number_to_integral)
UNARY(to_integral_exact, number_to_integral_exact)
BINARY(add, number_add)
BINARY(subtract, number_sub)
BINARY(multiply, number_mul)
BINARY(divide, number_div)
BINARY(divide_int, number_div_integer)
BINARY(remainder, number_rem)
BINARY(quantize, number_quantize)
#undef UNARY
#undef BINARY

static PyObject *context_divmod(PARAMETERS)
{
    operand_t x, y;
    if (get_two(args, nargs, &x, &y) < 0)
        return NULL;
    PyObject *result = decimal_divmod_in(&x.n, &y.n, op);
    operand_clear(&x);
    operand_clear(&y);
    return result;
}

static PyObject *context_power(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"a", "b", "modulo", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "OO|O"};
    PyObject *a, *b, *modulus = Py_None, *result = NULL;
    operand_t x = {.is_own = 0}, y = {.is_own = 0}, m = {.is_own = 0};
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &a, &b, &modulus))
        return NULL;
    if (operand_need(&x, a) == 0 && operand_need(&y, b) == 0 && (modulus == Py_None || operand_need(&m, modulus) == 0))
        result = decimal_power_in(&x.n, &y.n, modulus != Py_None ? &m.n : NULL, op);
    operand_clear(&x);
    operand_clear(&y);
    operand_clear(&m);
    return result;
}

static PyObject *context_fma(PARAMETERS)
{
    operand_t x = {.is_own = 0}, y = {.is_own = 0}, z = {.is_own = 0};
    PyObject *result = NULL;
    number_t r;
    settings_t s;
    uint32_t status = 0;
    if (check_count(nargs, 3) < 0)
        return NULL;
    if (operand_need(&x, args[0]) == 0 && operand_need(&y, args[1]) == 0 && operand_need(&z, args[2]) == 0) {
        context_get_settings(op, &s);
        number_init(&r);
        number_call_ternary(number_fma, &r, &x.n, &y.n, &z.n, &s, &status);
        result = decimal_result(&r, op, status);
    }
    operand_clear(&x);
    operand_clear(&y);
    operand_clear(&z);
    return result;
}

/* ---- What decimals do without a context ---- */

/* Makes the operand a Decimal and calls its method with the other arguments. */
static PyObject *delegate(PARAMETERS, Py_ssize_t count, const char *method)
{
    operand_t x, y = {.is_own = 0};
    PyObject *self, *result = NULL;
    if (check_count(nargs, count) < 0 || operand_need(&x, args[0]) < 0)
        return NULL;
    if (count > 1 && operand_need(&y, args[1]) < 0) {
        operand_clear(&x);
        return NULL;
    }
    self = decimal_new(&decimal_type, &x.n);
    if (self != NULL)
        result = count > 1 ? PyObject_CallMethod(self, method, "O", args[1]) : PyObject_CallMethod(self, method, NULL);
    Py_XDECREF(self);
    operand_clear(&x);
    operand_clear(&y);
    return result;
}

static PyObject *context_compare_total(PARAMETERS) { return delegate(op, args, nargs, 2, "compare_total"); }
static PyObject *context_compare_total_mag(PARAMETERS) { return delegate(op, args, nargs, 2, "compare_total_mag"); }
static PyObject *context_copy_sign(PARAMETERS) { return delegate(op, args, nargs, 2, "copy_sign"); }
static PyObject *context_same_quantum(PARAMETERS) { return delegate(op, args, nargs, 2, "same_quantum"); }
static PyObject *context_copy_abs(PARAMETERS) { return delegate(op, args, nargs, 1, "copy_abs"); }
static PyObject *context_copy_negate(PARAMETERS) { return delegate(op, args, nargs, 1, "copy_negate"); }
static PyObject *context_copy_decimal(PARAMETERS) { return delegate(op, args, nargs, 1, "canonical"); }

static PyObject *context_radix(PyObject *op, PyObject *unused)
{
    return PyObject_CallFunction((PyObject *)&decimal_type, "i", 10);
}

static PyObject *need_decimal(PyObject *arg, PyObject *result)
{
    if (IS_DECIMAL(arg))
        return Py_NewRef(result);
    PyErr_SetString(PyExc_TypeError, "argument must be a Decimal");
    return NULL;
}

static PyObject *context_canonical(PyObject *op, PyObject *arg) { return need_decimal(arg, arg); }
static PyObject *context_is_canonical(PyObject *op, PyObject *arg) { return need_decimal(arg, Py_True); }

static PyObject *context_number_class(PyObject *op, PyObject *arg)
{
    operand_t x;
    settings_t s;
    if (operand_need(&x, arg) < 0)
        return NULL;
    context_get_settings(op, &s);
    PyObject *name = PyUnicode_FromString(number_class(&x.n, &s));
    operand_clear(&x);
    return name;
}

/* ---- Text and conversions ---- */

static PyObject *to_text(PyObject *op, PyObject *arg, int engineering)
{
    operand_t x;
    PyObject *number, *result = NULL;
    if (operand_need(&x, arg) < 0)
        return NULL;
    number = decimal_new(&decimal_type, &x.n);
    if (number != NULL)
        result = decimal_to_str(number, op, engineering);
    Py_XDECREF(number);
    operand_clear(&x);
    return result;
}

static PyObject *context_to_sci_string(PyObject *op, PyObject *arg) { return to_text(op, arg, 0); }
static PyObject *context_to_eng_string(PyObject *op, PyObject *arg) { return to_text(op, arg, 1); }

static PyObject *context_create_decimal(PyObject *op, PyObject *args)
{
    PyObject *value = NULL;
    return PyArg_ParseTuple(args, "|O", &value) ? convert_rounded(value, op) : NULL;
}

static PyObject *context_apply(PyObject *op, PyObject *arg)
{
    return IS_DECIMAL(arg) || PyLong_Check(arg) ? convert_rounded(arg, op) : context_plus(op, arg);
}

static PyObject *context_create_decimal_from_float(PyObject *op, PyObject *value)
{
    return convert_float(&decimal_type, value, op);
}

/* ---- The context itself ---- */

static PyObject *context_etiny(PyObject *op, PyObject *unused)
{
    settings_t s;
    context_get_settings(op, &s);
    return PyLong_FromLongLong(settings_etiny(&s));
}

static PyObject *context_etop(PyObject *op, PyObject *unused)
{
    settings_t s;
    context_get_settings(op, &s);
    return PyLong_FromLongLong(settings_etop(&s));
}

static PyObject *context_clear_flags(PyObject *op, PyObject *unused)
{
    signals_set(((context_t *)op)->flags, 0);
    Py_RETURN_NONE;
}

static PyObject *context_clear_traps(PyObject *op, PyObject *unused)
{
    signals_set(((context_t *)op)->traps, 0);
    Py_RETURN_NONE;
}

/* ---- The table ---- */

#define ONE(name, text) {#name, context_##name, METH_O, #name "($self, x, /)\n--\n\n" text},
#define ONE_FAST(name, text) MODULE_METHOD(#name, context_##name, METH_FASTCALL, #name "($self, x, /)\n--\n\n" text),
#define TWO(name, text) MODULE_METHOD(#name, context_##name, METH_FASTCALL, #name "($self, x, y, /)\n--\n\n" text),
#define NONE(name, function, text) {#name, function, METH_NOARGS, #name "($self, /)\n--\n\n" text},
#define UNARY(name, function, text) ONE(name, text)
#define BINARY(name, function, text) TWO(name, text)
#define TEST(name, expression, text) ONE(name, text)
#define SETTINGS_TEST(name, expression, text) ONE(name, text)

PyMethodDef context_methods[] = {
#include "operations.def"
    ONE(abs, "The absolute value.")
    ONE(plus, "The number, rounded.")
    ONE(minus, "The negative, rounded.")
    ONE(to_integral_value, "Rounded to an integer.")
    {"to_integral", context_to_integral_value, METH_O, "to_integral($self, x, /)\n--\n\nRounded to an integer."},
    ONE(to_integral_exact, "Rounded to an integer; tells whether that was needed.")
    TWO(add, "The sum.")
    TWO(subtract, "The difference.")
    TWO(multiply, "The product.")
    TWO(divide, "The quotient.")
    TWO(divide_int, "The integer part of the quotient.")
    TWO(remainder, "What integer division leaves.")
    TWO(divmod, "Integer quotient and remainder.")
    TWO(quantize, "x with the exponent of y.")
    MODULE_METHOD("power", context_power, METH_FASTCALL | METH_KEYWORDS,
                  "power($self, /, a, b, modulo=None)\n--\n\na ** b, or that modulo a third number."),
    MODULE_METHOD("fma", context_fma, METH_FASTCALL, "fma($self, x, y, z, /)\n--\n\nx * y + z, rounded once."),
    TWO(compare_total, "-1, 0 or 1 by the order of all representations.")
    TWO(compare_total_mag, "The same without signs.")
    TWO(copy_sign, "x with the sign of y.")
    TWO(same_quantum, "Have both the same exponent?")
    ONE_FAST(copy_abs, "x with a positive sign.")
    ONE_FAST(copy_negate, "x with the other sign.")
    ONE_FAST(copy_decimal, "x as a Decimal.")
    ONE(canonical, "x itself.")
    ONE(is_canonical, "True.")
    ONE(number_class, "The name of the class of such numbers.")
    ONE(to_sci_string, "Text in scientific notation.")
    ONE(to_eng_string, "Text whose exponent is a multiple of three.")
    {"create_decimal", context_create_decimal, METH_VARARGS,
     "create_decimal($self, num=\"0\", /)\n--\n\nA Decimal of a number, str or tuple, rounded."},
    {"create_decimal_from_float", context_create_decimal_from_float, METH_O,
     "create_decimal_from_float($self, f, /)\n--\n\nA Decimal of a float, rounded."},
    NONE(Etiny, context_etiny, "The least exponent.")
    NONE(Etop, context_etop, "The greatest exponent of a number with all its digits.")
    NONE(radix, context_radix, "10.")
    NONE(clear_flags, context_clear_flags, "Resets all flags.")
    NONE(clear_traps, context_clear_traps, "Resets all traps.")
    NONE(copy, context_copy, "A copy.")
    {"__copy__", context_copy, METH_NOARGS, NULL},
    {"__reduce__", context_reduce, METH_NOARGS, NULL},
    {"_apply", context_apply, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
