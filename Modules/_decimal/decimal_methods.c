/* The methods of decimals. Most are rows of operations.def. */
#include "decimal.h"

#define KEYWORD_PARAMETERS PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames

/* ---- Operations in a context: the last argument, which may be given by name ---- */

static PyObject *call_unary(KEYWORD_PARAMETERS, number_unary *function)
{
    static const char *const keywords[] = {"context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "|O"};
    PyObject *context = Py_None, *result;
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    context_get_settings(context, &s);
    decimal_view(&a, op);
    number_init(&r);
    number_call_unary(function, &r, &a, &s, &status);
    result = decimal_result(&r, context, status);
    Py_DECREF(context);
    return result;
}

/* The other operand and the context, a new reference. -1 with an exception. */
static int parse_other(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, operand_t *other,
                       PyObject **context)
{
    static const char *const keywords[] = {"other", "context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|O"};
    PyObject *value;
    *context = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &value, context) ||
        (*context = context_or_current(*context)) == NULL)
        return -1;
    if (operand_need(other, value) == 0)
        return 0;
    Py_DECREF(*context);
    return -1;
}

static PyObject *call_binary(KEYWORD_PARAMETERS, number_binary *function)
{
    PyObject *context, *result;
    operand_t other;
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (parse_other(args, nargs, kwnames, &other, &context) < 0)
        return NULL;
    context_get_settings(context, &s);
    decimal_view(&a, op);
    number_init(&r);
    number_call_binary(function, &r, &a, &other.n, &s, &status);
    result = decimal_result(&r, context, status);
    operand_clear(&other);
    Py_DECREF(context);
    return result;
}

/* The settings of an optional context. -1 with an exception. */
static int parse_settings(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, settings_t *s)
{
    static const char *const keywords[] = {"context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "|O"};
    PyObject *context = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &context) ||
        (context = context_or_current(context)) == NULL)
        return -1;
    context_get_settings(context, s);
    Py_DECREF(context);
    return 0;
}

#define UNARY(name, function, text) \
    static PyObject *method_##name(KEYWORD_PARAMETERS) \
    { \
        return call_unary(op, args, nargs, kwnames, function); \
    }
#define BINARY(name, function, text) \
    static PyObject *method_##name(KEYWORD_PARAMETERS) \
    { \
        return call_binary(op, args, nargs, kwnames, function); \
    }
#define TEST(name, expression, text) \
    static PyObject *method_##name(PyObject *op, PyObject *unused) \
    { \
        number_t a; \
        decimal_view(&a, op); \
        return PyBool_FromLong(expression); \
    }
#define SETTINGS_TEST(name, expression, text) \
    static PyObject *method_##name(KEYWORD_PARAMETERS) \
    { \
        number_t a; \
        settings_t s; \
        if (parse_settings(args, nargs, kwnames, &s) < 0) \
            return NULL; \
        decimal_view(&a, op); \
        return PyBool_FromLong(expression); \
    }
#include "operations.def"

/* ---- Others with another operand ---- */

static PyObject *call_compare_total(KEYWORD_PARAMETERS, int magnitude)
{
    PyObject *context, *result;
    operand_t other;
    number_t a, r;
    if (parse_other(args, nargs, kwnames, &other, &context) < 0)
        return NULL;
    decimal_view(&a, op);
    int order = number_cmp_total(&a, &other.n, magnitude);
    number_init(&r);
    number_set_small(&r, order != 0, 0, order < 0 ? NUMBER_NEGATIVE : 0);
    result = decimal_result(&r, context, 0);
    operand_clear(&other);
    Py_DECREF(context);
    return result;
}

static PyObject *method_compare_total(KEYWORD_PARAMETERS)
{
    return call_compare_total(op, args, nargs, kwnames, 0);
}
static PyObject *method_compare_total_mag(KEYWORD_PARAMETERS)
{
    return call_compare_total(op, args, nargs, kwnames, 1);
}

/* The number with other flags. */
static PyObject *with_sign(PyObject *op, unsigned keep, unsigned flip)
{
    number_t a;
    decimal_view(&a, op);
    a.flags = (a.flags & keep) ^ flip;
    return decimal_new(&decimal_type, &a);
}

static PyObject *method_copy_sign(KEYWORD_PARAMETERS)
{
    PyObject *context, *result;
    operand_t other;
    if (parse_other(args, nargs, kwnames, &other, &context) < 0)
        return NULL;
    result = with_sign(op, ~(unsigned)NUMBER_NEGATIVE, other.n.flags & NUMBER_NEGATIVE);
    operand_clear(&other);
    Py_DECREF(context);
    return result;
}

static int is_same_quantum(const number_t *a, const number_t *b)
{
    if (number_is_special(a) || number_is_special(b))
        return (number_is_nan(a) && number_is_nan(b)) || (number_is_infinite(a) && number_is_infinite(b));
    return a->exp == b->exp;
}

static PyObject *method_same_quantum(KEYWORD_PARAMETERS)
{
    PyObject *context;
    operand_t other;
    number_t a;
    if (parse_other(args, nargs, kwnames, &other, &context) < 0)
        return NULL;
    decimal_view(&a, op);
    int same = is_same_quantum(&a, &other.n);
    operand_clear(&other);
    Py_DECREF(context);
    return PyBool_FromLong(same);
}

static PyObject *method_fma(KEYWORD_PARAMETERS)
{
    static const char *const keywords[] = {"other", "third", "context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "OO|O"};
    PyObject *other, *third, *context = Py_None, *result = NULL;
    operand_t x = {.is_own = 0}, y = {.is_own = 0};
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &other, &third, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    if (operand_need(&x, other) == 0 && operand_need(&y, third) == 0) {
        context_get_settings(context, &s);
        decimal_view(&a, op);
        number_init(&r);
        number_call_ternary(number_fma, &r, &a, &x.n, &y.n, &s, &status);
        result = decimal_result(&r, context, status);
    }
    operand_clear(&x);
    operand_clear(&y);
    Py_DECREF(context);
    return result;
}

/* ---- With a rounding mode ---- */

/* Takes the settings, with the rounding mode if one is given. -1 with an exception. */
static int get_rounded_settings(PyObject *context, PyObject *rounding, settings_t *s)
{
    context_get_settings(context, s);
    if (rounding != Py_None)
        s->rounding = context_find_rounding(rounding);
    return s->rounding < 0 ? -1 : 0;
}

static PyObject *method_quantize(KEYWORD_PARAMETERS)
{
    static const char *const keywords[] = {"exp", "rounding", "context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|OO"};
    PyObject *unit, *rounding = Py_None, *context = Py_None, *result = NULL;
    operand_t x;
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &unit, &rounding, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    int failed = get_rounded_settings(context, rounding, &s) < 0;
    if (!failed && IS_DECIMAL(unit) && !decimal_is_special(unit) && !decimal_is_special(op))
        result = decimal_rescale_in(op, ((decimal_t *)unit)->exp, &s, context);
    else if (!failed && operand_need(&x, unit) == 0) {
        decimal_view(&a, op);
        number_init(&r);
        number_call_binary(number_quantize, &r, &a, &x.n, &s, &status);
        result = decimal_result(&r, context, status);
        operand_clear(&x);
    }
    Py_DECREF(context);
    return result;
}

static PyObject *call_to_integral(KEYWORD_PARAMETERS, number_unary *function)
{
    static const char *const keywords[] = {"rounding", "context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "|OO"};
    PyObject *rounding = Py_None, *context = Py_None, *result = NULL;
    number_t a, r;
    settings_t s;
    uint32_t status = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &rounding, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    if (get_rounded_settings(context, rounding, &s) == 0) {
        decimal_view(&a, op);
        number_init(&r);
        number_call_unary(function, &r, &a, &s, &status);
        result = decimal_result(&r, context, status);
    }
    Py_DECREF(context);
    return result;
}

static PyObject *method_to_integral_value(KEYWORD_PARAMETERS)
{
    return call_to_integral(op, args, nargs, kwnames, number_to_integral);
}

static PyObject *method_to_integral_exact(KEYWORD_PARAMETERS)
{
    return call_to_integral(op, args, nargs, kwnames, number_to_integral_exact);
}

/* ---- Without any ---- */

static PyObject *method_number_class(KEYWORD_PARAMETERS)
{
    number_t a;
    settings_t s;
    if (parse_settings(args, nargs, kwnames, &s) < 0)
        return NULL;
    decimal_view(&a, op);
    return PyUnicode_FromString(number_class(&a, &s));
}

static PyObject *method_to_eng_string(KEYWORD_PARAMETERS)
{
    static const char *const keywords[] = {"context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "|O"};
    PyObject *context = Py_None, *result;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    result = decimal_to_str(op, context, 1);
    Py_DECREF(context);
    return result;
}

static PyObject *method_adjusted(PyObject *op, PyObject *unused)
{
    number_t a;
    decimal_view(&a, op);
    return PyLong_FromLongLong(number_is_special(&a) ? 0 : number_adjusted(&a));
}

static PyObject *method_self(PyObject *op, PyObject *unused)
{
    return Py_NewRef(op);
}
static PyObject *method_is_canonical(PyObject *op, PyObject *unused)
{
    Py_RETURN_TRUE;
}
static PyObject *method_copy_abs(PyObject *op, PyObject *unused)
{
    return with_sign(op, ~(unsigned)NUMBER_NEGATIVE, 0);
}
static PyObject *method_copy_negate(PyObject *op, PyObject *unused)
{
    return with_sign(op, ~0u, NUMBER_NEGATIVE);
}

static PyObject *method_radix(PyObject *op, PyObject *unused)
{
    number_t ten;
    number_init(&ten);
    number_set_small(&ten, 10, 0, 0);
    PyObject *result = decimal_new(&decimal_type, &ten);
    number_clear(&ten);
    return result;
}

static PyObject *method_from_float(PyObject *type, PyObject *value)
{
    return convert_float((PyTypeObject *)type, value, NULL);
}

static PyObject *method_reduce(PyObject *op, PyObject *unused)
{
    PyObject *text = PyObject_Str(op);
    return text != NULL ? Py_BuildValue("O(N)", Py_TYPE(op), text) : NULL;
}

static PyObject *method_sizeof(PyObject *op, PyObject *unused)
{
    decimal_t *d = (decimal_t *)op;
    size_t size = (size_t)Py_TYPE(op)->tp_basicsize;
    if (d->limbs != d->own)
        size += (size_t)d->size * sizeof(mp_limb_t);
    return PyLong_FromSize_t(size);
}

/* ---- The table ---- */

#define UNARY(name, function, text) \
    MODULE_METHOD(#name, method_##name, METH_FASTCALL | METH_KEYWORDS, \
                  #name "($self, /, context=None)\n--\n\n" text),
#define BINARY(name, function, text) \
    MODULE_METHOD(#name, method_##name, METH_FASTCALL | METH_KEYWORDS, \
                  #name "($self, /, other, context=None)\n--\n\n" text),
#define TEST(name, expression, text) {#name, method_##name, METH_NOARGS, #name "($self, /)\n--\n\n" text},
#define SETTINGS_TEST(name, expression, text) UNARY(name, , text)

PyMethodDef decimal_methods[] = {
#include "operations.def"
#define KEYWORDS(name, function, signature, text) \
    MODULE_METHOD(#name, function, METH_FASTCALL | METH_KEYWORDS, \
                  #name "($self, /, " signature ")\n--\n\n" text)
    KEYWORDS(compare_total, method_compare_total, "other, context=None",
             "-1, 0 or 1 by the order of all representations."),
    KEYWORDS(compare_total_mag, method_compare_total_mag, "other, context=None", "The same without signs."),
    KEYWORDS(copy_sign, method_copy_sign, "other, context=None", "With the sign of the other one."),
    KEYWORDS(same_quantum, method_same_quantum, "other, context=None", "Have both the same exponent?"),
    KEYWORDS(fma, method_fma, "other, third, context=None", "self * other + third, rounded once."),
    KEYWORDS(quantize, method_quantize, "exp, rounding=None, context=None",
             "Rounded so that it has the exponent of the other."),
    KEYWORDS(to_integral, method_to_integral_value, "rounding=None, context=None", "Rounded to an integer."),
    KEYWORDS(to_integral_value, method_to_integral_value, "rounding=None, context=None",
             "Rounded to an integer."),
    KEYWORDS(to_integral_exact, method_to_integral_exact, "rounding=None, context=None",
             "Rounded to an integer; tells whether that was needed."),
    KEYWORDS(number_class, method_number_class, "context=None", "The name of the class of such numbers."),
    KEYWORDS(to_eng_string, method_to_eng_string, "context=None",
             "Text whose exponent is a multiple of three."),
#undef KEYWORDS
    {"adjusted", method_adjusted, METH_NOARGS,
     "adjusted($self, /)\n--\n\nThe exponent of the first digit; 0 for special numbers."},
    {"as_integer_ratio", decimal_as_integer_ratio, METH_NOARGS,
     "as_integer_ratio($self, /)\n--\n\nTwo ints in lowest terms."},
    {"as_tuple", decimal_as_tuple, METH_NOARGS, "as_tuple($self, /)\n--\n\nSign, digits and exponent."},
    {"canonical", method_self, METH_NOARGS, "canonical($self, /)\n--\n\nThe number itself."},
    {"conjugate", method_self, METH_NOARGS, "conjugate($self, /)\n--\n\nThe number itself."},
    {"copy_abs", method_copy_abs, METH_NOARGS, "copy_abs($self, /)\n--\n\nWith a positive sign."},
    {"copy_negate", method_copy_negate, METH_NOARGS, "copy_negate($self, /)\n--\n\nWith the other sign."},
    {"is_canonical", method_is_canonical, METH_NOARGS, "is_canonical($self, /)\n--\n\nTrue."},
    {"radix", method_radix, METH_NOARGS, "radix($self, /)\n--\n\n10."},
    {"from_float", method_from_float, METH_O | METH_CLASS,
     "from_float($type, f, /)\n--\n\nThe exact value of a float or int."},
    {"__format__", decimal_format, METH_VARARGS, NULL},
    {"__reduce__", method_reduce, METH_NOARGS, NULL},
    {"__copy__", method_self, METH_NOARGS, NULL},
    {"__deepcopy__", method_self, METH_O, NULL},
    {"__round__", (PyCFunction)(void (*)(void))decimal_round, METH_FASTCALL, NULL},
    {"__ceil__", decimal_ceil, METH_NOARGS, NULL},
    {"__floor__", decimal_floor, METH_NOARGS, NULL},
    {"__trunc__", decimal_trunc, METH_NOARGS, NULL},
    {"__complex__", decimal_complex, METH_NOARGS, NULL},
    {"__sizeof__", method_sizeof, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
