/* float: text, decimal and hexadecimal; rounding to decimal digits. */
#include "float_internal.h"
#include "long.h"
#include "stable_buffer.h"
#include "unicode.h"

/* ---- To text ---- */

PyObject *float_repr(PyObject *op)
{
    double value = PyFloat_AS_DOUBLE(op);
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL)
        return NULL;
    PyObject *str = PyUnicode_FromStringAndSize(text, (Py_ssize_t)strlen(text));
    PyMem_Free(text);
    return str;
}

/* ---- From text ---- */

static PyObject *convert(const char *text, Py_ssize_t length, void *shown)
{
    char *end;
    double value = PyOS_string_to_double(text, &end, NULL);
    if (end != text + length || length == 0) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "could not convert string to float: %R", (PyObject *)shown);
        return NULL;
    }
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

PyObject *float_parse(const char *text, Py_ssize_t length, PyObject *shown)
{
    const char *last = text + length;
    while (text < last && Py_ISSPACE((unsigned char)*text))
        text++;
    while (text < last && Py_ISSPACE((unsigned char)last[-1]))
        last--;
    /* Parsers want a terminated string: text goes on with blanks, or ends. */
    if (*last == '\0')
        return _Py_string_to_number_with_underscores(text, last - text, "float", shown, shown, convert);
    char small[128], *copy = small;
    Py_ssize_t n = last - text;
    if ((size_t)n >= sizeof(small)) {
        copy = PyMem_Malloc((size_t)n + 1);
        if (copy == NULL)
            return PyErr_NoMemory();
    }
    memcpy(copy, text, (size_t)n);
    copy[n] = '\0';
    PyObject *result = _Py_string_to_number_with_underscores(copy, n, "float", shown, shown, convert);
    if (copy != small)
        PyMem_Free(copy);
    return result;
}

PyObject *PyFloat_FromString(PyObject *op)
{
    Py_buffer view;
    PyObject *copy = NULL, *result = NULL;
    if (PyUnicode_Check(op)) {
        copy = _PyUnicode_TransformDecimalAndSpaceToASCII(op);
        if (copy != NULL)
            result = float_parse((const char *)PyUnicode_1BYTE_DATA(copy), PyUnicode_GET_LENGTH(copy), op);
        Py_XDECREF(copy);
        return result;
    }
    if (PyBytes_Check(op))
        return float_parse(PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op), op);
    if (!PyObject_CheckBuffer(op)) {
        PyErr_Format(PyExc_TypeError, "float() argument must be a string or a real number, not '%.200s'",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    copy = stable_buffer_copy(&view);
    if (copy != NULL) {
        result = float_parse(PyBytes_AS_STRING(copy), PyBytes_GET_SIZE(copy), op);
        Py_DECREF(copy);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- Rounding to decimal digits ---- */

/* value rounded to a multiple of 10**places (places > 0), as decimal text. */
static void round_before_point(double value, int places, char *text, size_t size)
{
    char probe[40];
    snprintf(probe, sizeof(probe), "%.17e", fabs(value));
    int digits = atoi(strchr(probe, 'e') + 1) + 1 - places;     /* to keep */
    if (digits > 0)
        snprintf(text, size, "%.*e", digits - 1, value);
    else {
        char half[16];
        snprintf(half, sizeof(half), "5e%d", places - 1);
        int up = digits == 0 && fabs(value) > float_strtod(half, NULL);
        snprintf(text, size, up ? "%s1e%d" : "%s0", signbit(value) ? "-" : "", places);
    }
}

PyObject *float_round_digits(double value, int ndigits)
{
    char text[800];
    if (ndigits >= 0)
        snprintf(text, sizeof(text), "%.*f", ndigits, value);
    else
        round_before_point(value, -ndigits, text, sizeof(text));
    for (char *p = text; *p != '\0'; p++)       /* the locale's point */
        if (!Py_ISDIGIT((unsigned char)*p) && *p != '-' && *p != '+' && *p != 'e')
            *p = '.';
    double result = float_strtod(text, NULL);
    if (isinf(result)) {
        PyErr_SetString(PyExc_OverflowError, "rounded value too large to represent");
        return NULL;
    }
    return PyFloat_FromDouble(result);
}

/* ---- Hexadecimal ---- */

PyObject *float_hex(PyObject *self, PyObject *unused)
{
    double value = PyFloat_AS_DOUBLE(self);
    if (!isfinite(value))
        return float_repr(self);
    uint64_t bits;
    memcpy(&bits, &value, 8);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    const char *sign = bits >> 63 ? "-" : "";
    if (value == 0)
        return PyUnicode_FromFormat("%s0x0.0p+0", sign);
    char text[40];
    snprintf(text, sizeof(text), "%s0x%d.%013llxp%+d", sign, exponent != 0, (unsigned long long)fraction,
             exponent != 0 ? exponent - 1023 : -1022);
    return PyUnicode_FromString(text);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

typedef enum { HEX_OK, HEX_INVALID, HEX_OVERFLOW } hex_status_t;

/* [sign] [0x] digits [. digits] [p exponent]; the rounding is to the nearest, ties to even. */
static hex_status_t parse_hex(const char *s, const char **end, double *value)
{
    int negative = *s == '-', sticky = 0, any = 0, seen_point = 0;
    s += *s == '-' || *s == '+';
    if (s[0] == '0' && (s[1] | 0x20) == 'x')
        s += 2;
    uint64_t mantissa = 0;          /* up to 60 bits of it */
    int64_t exponent = 0;
    for (;; s++) {
        if (*s == '.' && !seen_point) {
            seen_point = 1;
            continue;
        }
        int digit = hex_value(*s);
        if (digit < 0)
            break;
        any = 1;
        if (mantissa >> 56 == 0) {
            mantissa = mantissa << 4 | (uint64_t)digit;
            exponent -= seen_point ? 4 : 0;
        }
        else {
            sticky |= digit != 0;
            exponent += seen_point ? 0 : 4;
        }
    }
    *end = s;
    if (!any)
        return HEX_INVALID;
    if ((*s | 0x20) == 'p') {
        char *stop;
        if (!Py_ISDIGIT((unsigned char)s[1]) && !((s[1] == '-' || s[1] == '+') && Py_ISDIGIT((unsigned char)s[2])))
            return HEX_INVALID;
        long e = strtol(s + 1, &stop, 10);          /* saturates */
        exponent += e > LONG_MAX / 2 ? LONG_MAX / 2 : e < LONG_MIN / 2 ? LONG_MIN / 2 : e;
        *end = stop;
    }
    *value = negative ? -0.0 : 0.0;
    if (mantissa == 0)
        return HEX_OK;
    int length = 64 - __builtin_clzll(mantissa);
    int64_t top = exponent + length;                /* value < 2^top */
    if (top > 1024)
        return HEX_OVERFLOW;
    if (top < -1074)
        return HEX_OK;
    int64_t drop = Py_MAX(length - 53, -1074 - exponent);
    if (drop > 0) {
        uint64_t half = (uint64_t)1 << (drop - 1), low = mantissa & ((half << 1) - 1);
        mantissa = drop > 63 ? 0 : mantissa >> drop;
        if (low > half || (low == half && (sticky || (mantissa & 1))))
            mantissa++;
        exponent += drop;
    }
    double x = ldexp((double)mantissa, (int)exponent);
    if (isinf(x))
        return HEX_OVERFLOW;
    *value = negative ? -x : x;
    return HEX_OK;
}

PyObject *float_fromhex(PyObject *type, PyObject *str)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(str, &length);
    if (text == NULL)
        return NULL;
    const char *last = text + length, *end;
    while (Py_ISSPACE((unsigned char)*text))
        text++;
    char *special_end;
    hex_status_t status = HEX_OK;
    double value = _Py_parse_inf_or_nan(text, &special_end);
    end = special_end;
    if (end == text)
        status = parse_hex(text, &end, &value);
    if (status == HEX_OVERFLOW) {
        PyErr_SetString(PyExc_OverflowError, "hexadecimal value too large to represent as a float");
        return NULL;
    }
    while (Py_ISSPACE((unsigned char)*end))
        end++;
    if (status == HEX_INVALID || end != last) {
        PyErr_SetString(PyExc_ValueError, "invalid hexadecimal floating-point string");
        return NULL;
    }
    PyObject *result = PyFloat_FromDouble(value);
    if (result != NULL && type != (PyObject *)&PyFloat_Type)
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    return result;
}
