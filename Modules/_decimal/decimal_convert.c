/* To and from Python's other numbers, strings and tuples. */
#include "decimal.h"

#include <math.h>
#include <stdlib.h>

/* ---- Integers ---- */

int convert_from_long(number_t *r, PyObject *op)
{
    int overflow;
    long small = PyLong_AsLongAndOverflow(op, &overflow);
    if (overflow == 0) {
        if (small == -1 && PyErr_Occurred())
            return -1;
        mpz_set_si(r->c, small);
    } else {
        size_t n = _PyLong_NumBits(op) / 8 + 2;
        unsigned char *bytes = PyMem_Malloc(n);
        if (bytes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (_PyLong_AsByteArray((PyLongObject *)op, bytes, n, 1, 1) < 0) {
            PyMem_Free(bytes);
            return -1;
        }
        if (overflow < 0) {
            /* the magnitude out of the two's complement */
            unsigned carry = 1;
            for (size_t i = 0; i < n; i++) {
                carry += (unsigned char)~bytes[i];
                bytes[i] = (unsigned char)carry;
                carry >>= 8;
            }
        }
        mpz_import(r->c, n, -1, 1, 0, 0, bytes);
        if (overflow < 0)
            mpz_neg(r->c, r->c);
        PyMem_Free(bytes);
    }
    r->flags = mpz_sgn(r->c) < 0 ? NUMBER_NEGATIVE : 0;
    mpz_abs(r->c, r->c);
    r->exp = 0;
    number_count(r);
    return 0;
}

/* A Python int with this magnitude and sign. */
static PyObject *long_from_mpz(const __mpz_struct *c, int negative)
{
    if (mpz_fits_slong_p(c))
        return PyLong_FromLong(negative ? -mpz_get_si(c) : mpz_get_si(c));
    size_t n = mpz_sizeinbase(c, 256), count;
    unsigned char *bytes = PyMem_Malloc(n);
    if (bytes == NULL)
        return PyErr_NoMemory();
    mpz_export(bytes, &count, -1, 1, 0, 0, c);
    PyObject *magnitude = _PyLong_FromByteArray(bytes, count, 1, 0), *result;
    PyMem_Free(bytes);
    if (magnitude == NULL || !negative)
        return magnitude;
    result = PyNumber_Negative(magnitude);
    Py_DECREF(magnitude);
    return result;
}

/* Raises for what has no value as an int. */
static int check_finite(const number_t *a, const char *what)
{
    if (!number_is_special(a))
        return 0;
    if (number_is_nan(a))
        PyErr_Format(PyExc_ValueError, "cannot convert NaN to %s", what);
    else
        PyErr_Format(PyExc_OverflowError, "cannot convert Infinity to %s", what);
    return -1;
}

/* The coefficient of a without its fraction, with the exponent 0. */
static void truncate_number(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    mpz_set(r->c, a->c);
    if (a->exp < 0)
        (void)number_drop_digits(r->c, -a->exp, ROUND_DOWN, 0);
    if (a->exp > 0)
        (void)number_scale_up(r->c, a->exp, status);
}

PyObject *convert_to_long(const number_t *a)
{
    uint32_t status = 0;
    PyObject *result = NULL;
    number_t r;
    if (check_finite(a, "integer") < 0)
        return NULL;
    number_init(&r);
    number_call_unary(truncate_number, &r, a, NULL, &status);
    if (status & STATUS_MEMORY)
        PyErr_NoMemory();
    else
        result = long_from_mpz(r.c, number_is_negative(a));
    number_clear(&r);
    return result;
}

/* a as a reduced fraction top / bottom. */
static void reduce_number(number_t *top, number_t *bottom, const number_t *a, const number_t *unused,
                          const settings_t *s, uint32_t *status)
{
    mpz_t common;
    mpz_init(common);
    mpz_set(top->c, a->c);
    mpz_set_ui(bottom->c, 1);
    if ((a->exp >= 0 || mpz_sgn(a->c) == 0 ? number_scale_up(top->c, a->exp, status)
                                           : number_scale_up(bottom->c, -a->exp, status)) == 0) {
        mpz_gcd(common, top->c, bottom->c);
        mpz_divexact(top->c, top->c, common);
        mpz_divexact(bottom->c, bottom->c, common);
    }
    mpz_clear(common);
}

PyObject *decimal_as_integer_ratio(PyObject *op, PyObject *unused)
{
    number_t a, top, bottom;
    uint32_t status = 0;
    decimal_view(&a, op);
    if (check_finite(&a, "integer ratio") < 0)
        return NULL;
    PyObject *result = NULL, *numerator = NULL, *denominator = NULL;
    number_init(&top);
    number_init(&bottom);
    number_call_pair(reduce_number, &top, &bottom, &a, NULL, NULL, &status);
    if (status & STATUS_MEMORY)
        PyErr_NoMemory();
    else if ((numerator = long_from_mpz(top.c, number_is_negative(&a))) != NULL &&
             (denominator = long_from_mpz(bottom.c, 0)) != NULL)
        result = PyTuple_Pack(2, numerator, denominator);
    Py_XDECREF(numerator);
    Py_XDECREF(denominator);
    number_clear(&top);
    number_clear(&bottom);
    return result;
}

/* ---- Operands ---- */

int operand_set(operand_t *operand, PyObject *op)
{
    operand->is_own = 0;
    if (IS_DECIMAL(op)) {
        decimal_view(&operand->n, op);
        return 1;
    }
    if (!PyLong_Check(op))
        return 0;
    number_init(&operand->n);
    operand->is_own = 1;
    return convert_from_long(&operand->n, op) < 0 ? (operand_clear(operand), -1) : 1;
}

int operand_need(operand_t *operand, PyObject *op)
{
    int found = operand_set(operand, op);
    if (found == 0)
        PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported", Py_TYPE(op)->tp_name);
    return found > 0 ? 0 : -1;
}

void operand_clear(operand_t *operand)
{
    if (operand->is_own)
        number_clear(&operand->n);
    operand->is_own = 0;
}

/* ---- Floats ---- */

void convert_from_double(number_t *r, double value)
{
    unsigned sign = signbit(value) ? NUMBER_NEGATIVE : 0;
    if (isnan(value) || isinf(value)) {
        number_set_special(r, (isnan(value) ? NUMBER_NAN : NUMBER_INFINITE) | sign);
        return;
    }
    int exponent;
    double mantissa = frexp(fabs(value), &exponent);
    mpz_set_d(r->c, ldexp(mantissa, 53));
    exponent -= 53;
    r->exp = 0;
    r->flags = sign;
    if (mpz_sgn(r->c) != 0 && exponent < 0) {
        /* 2^-n = 5^n 10^-n, for what is left after reducing */
        unsigned long twos = mpz_scan1(r->c, 0),
                      cut = twos < (unsigned long)-exponent ? twos : (unsigned long)-exponent;
        mpz_t fives;
        mpz_tdiv_q_2exp(r->c, r->c, cut);
        mpz_init(fives);
        mpz_ui_pow_ui(fives, 5, (unsigned long)-exponent - cut);
        mpz_mul(r->c, r->c, fives);
        mpz_clear(fives);
        r->exp = -(int64_t)((unsigned long)-exponent - cut);
    } else if (mpz_sgn(r->c) != 0)
        mpz_mul_2exp(r->c, r->c, (mp_bitcnt_t)exponent);
    number_count(r);
}

/* ---- The two ways to a Decimal ---- */

/* What a conversion that must be exact results in. r is cleared. */
static PyObject *exact_result(PyTypeObject *type, number_t *r, PyObject *context, uint32_t status)
{
    PyObject *result = NULL;
    number_finalize_in_place(r, &settings_widest, &status);
    if (status & (STATUS_INEXACT | STATUS_ROUNDED | STATUS_CLAMPED | STATUS_OVERFLOW | STATUS_UNDERFLOW))
        number_set_invalid(r, STATUS_INVALID, &status);
    if (context_add_status(context, status & (STATUS_ERRORS | STATUS_FLOAT)) == 0)
        result = decimal_new(type, r);
    number_clear(r);
    return result;
}

/* What one that is rounded results in. r is cleared. */
static PyObject *rounded_result(number_t *r, PyObject *context, uint32_t status)
{
    settings_t s;
    context_get_settings(context, &s);
    if (number_is_nan(r) && mpz_sgn(r->c) != 0 && r->digits > s.prec - s.clamp)
        number_set_invalid(r, STATUS_CONVERSION_SYNTAX, &status);
    number_finalize_in_place(r, &s, &status);
    return decimal_result(r, context, status);
}

/* ---- Strings ---- */

/* Reads a str; unless it is strict, blanks around it and underscores do not count. -1 with an exception. */
static int parse_str(number_t *r, PyObject *value, int is_strict, uint32_t *status)
{
    PyObject *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(value);
    Py_ssize_t n;
    const char *text = ascii != NULL ? PyUnicode_AsUTF8AndSize(ascii, &n) : NULL;
    char *clean = text != NULL ? PyMem_Malloc((size_t)n + 1) : NULL;
    if (clean == NULL) {
        if (text != NULL)
            PyErr_NoMemory();
        Py_XDECREF(ascii);
        return -1;
    }
    while (!is_strict && n > 0 && Py_ISSPACE(text[n - 1]))
        n--;
    while (!is_strict && n > 0 && Py_ISSPACE(*text)) {
        text++;
        n--;
    }
    size_t used = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (text[i] != '_' || is_strict)
            clean[used++] = text[i];
    clean[used] = '\0';
    number_parse(r, clean, used, status);
    PyMem_Free(clean);
    Py_DECREF(ascii);
    return 0;
}

/* ---- Tuples ---- */

/* The third part: an exponent, or the letter of a special number. -1 with an exception. */
static int parse_exponent(PyObject *part, int64_t *exp, unsigned *special)
{
    *exp = 0;
    *special = 0;
    if (PyUnicode_Check(part)) {
        if (PyUnicode_EqualToUTF8(part, "F"))
            *special = NUMBER_INFINITE;
        else if (PyUnicode_EqualToUTF8(part, "n"))
            *special = NUMBER_NAN;
        else if (PyUnicode_EqualToUTF8(part, "N"))
            *special = NUMBER_SNAN;
        else {
            PyErr_SetString(PyExc_ValueError,
                            "string argument in the third position must be 'F', 'n' or 'N'");
            return -1;
        }
        return 0;
    }
    if (!PyLong_Check(part)) {
        PyErr_SetString(PyExc_ValueError, "exponent must be an integer");
        return -1;
    }
    Py_ssize_t n = PyLong_AsSsize_t(part);
    if (n == -1 && PyErr_Occurred())
        return -1;
    const Py_ssize_t bound = 4000000000000000000; /* sums with it must fit */
    *exp = n > bound ? bound : n < -bound ? -bound : n;
    return 0;
}

/* The second part: a tuple or list of digits. -1 with an exception. */
static int parse_digits(number_t *r, PyObject *part)
{
    PyObject *list = PyTuple_Check(part) || PyList_Check(part) ? PySequence_Tuple(part) : NULL;
    if (list == NULL && PyErr_Occurred())
        return -1;
    Py_ssize_t n = list != NULL ? PyTuple_GET_SIZE(list) : -1;
    char *digits = n >= 0 ? PyMem_Malloc((size_t)n + 2) : NULL;
    if (n >= 0 && digits == NULL) {
        PyErr_NoMemory();
        Py_DECREF(list);
        return -1;
    }
    int good = n >= 0;
    for (Py_ssize_t i = 0; good && i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(list, i);
        long digit = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (digit == -1 && PyErr_Occurred())
            PyErr_Clear();
        good = digit >= 0 && digit <= 9;
        digits[i] = (char)('0' + digit);
    }
    if (good) {
        if (n == 0)
            digits[n++] = '0';
        digits[n] = '\0';
        uint32_t status = 0;
        number_read_digits(r, digits, (size_t)n, &status);
        if (status != 0) {
            PyErr_NoMemory();
            good = 0;
        }
    } else
        PyErr_SetString(PyExc_ValueError, "coefficient must be a tuple of digits");
    PyMem_Free(digits);
    Py_XDECREF(list);
    return good ? 0 : -1;
}

static int parse_tuple(number_t *r, PyObject *value)
{
    PyObject *tuple = PySequence_Tuple(value);
    unsigned special;
    int failed = -1;
    long sign;
    if (tuple == NULL)
        return -1;
    if (PyTuple_GET_SIZE(tuple) != 3) {
        PyErr_SetString(PyExc_ValueError, "argument must be a sequence of length 3");
        goto done;
    }
    sign = PyLong_Check(PyTuple_GET_ITEM(tuple, 0)) ? PyLong_AsLong(PyTuple_GET_ITEM(tuple, 0)) : -1;
    if (sign == -1 && PyErr_Occurred())
        PyErr_Clear();
    if (sign != 0 && sign != 1) {
        PyErr_SetString(PyExc_ValueError, "sign must be an integer with the value 0 or 1");
        goto done;
    }
    if (parse_exponent(PyTuple_GET_ITEM(tuple, 2), &r->exp, &special) < 0)
        goto done;
    if (special != NUMBER_INFINITE && parse_digits(r, PyTuple_GET_ITEM(tuple, 1)) < 0)
        goto done;
    r->flags = special | (sign ? NUMBER_NEGATIVE : 0);
    failed = 0;
done:
    Py_DECREF(tuple);
    return failed;
}

/* ---- All of them ---- */

/* Reads anything but a Decimal. -1 with an exception. */
static int read_value(number_t *r, PyObject *value, int is_strict, uint32_t *status)
{
    if (PyUnicode_Check(value))
        return parse_str(r, value, is_strict, status);
    if (PyLong_Check(value))
        return convert_from_long(r, value);
    if (PyTuple_Check(value) || PyList_Check(value))
        return parse_tuple(r, value);
    if (PyFloat_Check(value)) {
        *status |= STATUS_FLOAT;
        convert_from_double(r, PyFloat_AS_DOUBLE(value));
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported", Py_TYPE(value)->tp_name);
    return -1;
}

/* Is value an int or the text of one or of a plain fraction, with few digits? Then *n is it. */
static int is_simple(PyObject *value, small_t *n)
{
    if (value_is_int(value)) {
        small_set_integer(n, value_get_int(value));
        return 1;
    }
    return PyUnicode_CheckExact(value) && PyUnicode_IS_ASCII(value)
           && small_parse(n, (const char *)PyUnicode_1BYTE_DATA(value), (size_t)PyUnicode_GET_LENGTH(value));
}

PyObject *convert_exact(PyTypeObject *type, PyObject *value, PyObject *context)
{
    number_t r;
    uint32_t status = 0;
    if (value != NULL && IS_DECIMAL(value)) {
        if (type == &decimal_type && Py_IS_TYPE(value, &decimal_type))
            return Py_NewRef(value);
        decimal_view(&r, value);
        return decimal_new(type, &r);
    }
    small_t small;
    if (type == &decimal_type && value != NULL && is_simple(value, &small))
        return decimal_new_small(&small);
    number_init(&r);
    if (value != NULL && read_value(&r, value, 0, &status) < 0) {
        number_clear(&r);
        return NULL;
    }
    return exact_result(type, &r, context, status);
}

PyObject *convert_rounded(PyObject *value, PyObject *context)
{
    number_t r, view;
    uint32_t status = 0;
    number_init(&r);
    if (value != NULL && IS_DECIMAL(value)) {
        decimal_view(&view, value);
        number_copy(&r, &view, &status);
    } else if (value != NULL && read_value(&r, value, 1, &status) < 0) {
        number_clear(&r);
        return NULL;
    }
    return rounded_result(&r, context, status);
}

PyObject *convert_float(PyTypeObject *type, PyObject *value, PyObject *context)
{
    number_t r;
    int failed = 0;
    number_init(&r);
    if (PyLong_Check(value))
        failed = convert_from_long(&r, value) < 0;
    else if (PyFloat_Check(value))
        convert_from_double(&r, PyFloat_AS_DOUBLE(value));
    else {
        PyErr_SetString(PyExc_TypeError, "argument must be int or float");
        failed = 1;
    }
    if (failed) {
        number_clear(&r);
        return NULL;
    }
    if (context != NULL)
        return rounded_result(&r, context, 0);
    PyObject *result = decimal_new(&decimal_type, &r);
    number_clear(&r);
    if (result != NULL && type != &decimal_type)
        Py_SETREF(result, PyObject_CallOneArg((PyObject *)type, result));
    return result;
}

PyObject *decimal_as_tuple(PyObject *op, PyObject *unused)
{
    number_t a;
    decimal_view(&a, op);
    PyObject *exponent, *digits = NULL;
    char *text = NULL;
    if (number_is_special(&a))
        exponent = PyUnicode_FromString(number_is_infinite(&a) ? "F" : a.flags & NUMBER_SNAN ? "N" : "n");
    else
        exponent = PyLong_FromLongLong(a.exp);
    if (number_is_nan(&a) && mpz_sgn(a.c) == 0)
        digits = PyTuple_New(0);
    else if ((text = malloc(mpz_sizeinbase(a.c, 10) + 2)) == NULL || number_write_digits(text, &a) < 0)
        PyErr_NoMemory();
    else {
        Py_ssize_t n = (Py_ssize_t)strlen(text);
        digits = PyTuple_New(n);
        for (Py_ssize_t i = 0; digits != NULL && i < n; i++)
            PyTuple_SET_ITEM(digits, i, PyLong_FromLong(text[i] - '0')); /* small ones: never fails */
    }
    free(text);
    if (exponent == NULL || digits == NULL) {
        Py_XDECREF(exponent);
        Py_XDECREF(digits);
        return NULL;
    }
    return PyObject_CallFunction(decimal_tuple_class, "iNN", number_is_negative(&a) != 0, digits, exponent);
}
