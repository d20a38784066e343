/* Conversion between doubles and text: grammar and layout. The digits come from dtoa.c and from the C library, whose printf and
 * strtod are exact. */
#include "float_internal.h"

/* ---- From text ---- */

static int match(const char *text, const char *word)
{
    int n = 0;
    while (word[n] != '\0' && (text[n] | 0x20) == word[n])
        n++;
    return word[n] == '\0' ? n : 0;
}

double _Py_parse_inf_or_nan(const char *text, char **end)
{
    const char *p = text;
    int negative = *p == '-', n;
    double value;
    p += *p == '-' || *p == '+';
    if ((n = match(p, "infinity")) != 0 || (n = match(p, "inf")) != 0)
        value = Py_INFINITY;
    else if ((n = match(p, "nan")) != 0)
        value = Py_NAN;
    else {
        *end = (char *)text;
        return -1.0;
    }
    *end = (char *)p + n;
    return negative ? -value : value;
}

/* Behind [sign] digits [. digits] [e [sign] digits], or NULL if that is not there. */
static const char *skip_decimal(const char *p)
{
    int digits = 0;
    p += *p == '-' || *p == '+';
    for (; Py_ISDIGIT((unsigned char)*p); p++)
        digits = 1;
    if (*p == '.')
        for (p++; Py_ISDIGIT((unsigned char)*p); p++)
            digits = 1;
    if (!digits)
        return NULL;
    if (*p == 'e' || *p == 'E') {
        const char *q = p + 1;
        q += *q == '-' || *q == '+';
        if (Py_ISDIGIT((unsigned char)*q)) {
            while (Py_ISDIGIT((unsigned char)*q))
                q++;
            p = q;
        }
    }
    return p;
}

/* *overflow: the value is too large for a double. */
static double parse(const char *text, char **end, int *overflow)
{
    const char *stop = skip_decimal(text);
    *overflow = 0;
    if (stop == NULL)
        return _Py_parse_inf_or_nan(text, end);
    int sign = *text == '-' || *text == '+';
    double value;
    if (text[sign] == '0' && (text[sign + 1] | 0x20) == 'x')        /* strtod would read hexadecimal */
        value = *text == '-' ? -0.0 : 0.0;
    else
        value = float_strtod(text, end);
    *end = (char *)stop;
    *overflow = isinf(value);
    return value;
}

double PyOS_string_to_double(const char *text, char **end, PyObject *overflow_exception)
{
    char *stop;
    int overflow;
    double value = -1.0, x = parse(text, &stop, &overflow);
    if (stop == text || (end == NULL && *stop != '\0'))
        PyErr_Format(PyExc_ValueError, "could not convert string to float: '%.200s'", text);
    else if (overflow && overflow_exception != NULL)
        PyErr_Format(overflow_exception, "value too large to convert to float: '%.200s'", text);
    else
        value = x;
    if (end != NULL)
        *end = stop;
    return value;
}

PyObject *_Py_string_to_number_with_underscores(const char *text, Py_ssize_t length, const char *what, PyObject *obj,
                                                void *arg, PyObject *(*convert)(const char *, Py_ssize_t, void *))
{
    if (strchr(text, '_') == NULL)
        return convert(text, length, arg);
    char *copy = PyMem_Malloc((size_t)length + 1), *out = copy, previous = '\0';
    if (copy == NULL)
        return PyErr_NoMemory();
    const char *p = text, *last = text + length;
    for (; *p != '\0'; p++) {
        if (*p == '_' ? !Py_ISDIGIT((unsigned char)previous) : previous == '_' && !Py_ISDIGIT((unsigned char)*p))
            goto invalid;
        if (*p != '_')
            *out++ = *p;
        previous = *p;
    }
    if (previous == '_' || p != last)
        goto invalid;
    *out = '\0';
    PyObject *result = convert(copy, out - copy, arg);
    PyMem_Free(copy);
    return result;
invalid:
    PyMem_Free(copy);
    PyErr_Format(PyExc_ValueError, "could not convert string to %s: %R", what, obj);
    return NULL;
}

/* ---- To text ---- */

/* Digits and the place of the point (value = 0.digits * 10^point) from what printf made in any locale. */
typedef struct {
    char *digits;
    Py_ssize_t count;
    Py_ssize_t point;
} decimal_t;

/* No double has more digits than this, nor more of them behind the point: the rest are zeros. */
#define MAX_USEFUL_PRECISION 1100

/* printf of value (not negative) with a precision: 'e' or 'f'.  0, or -1 with MemoryError.  d->digits: PyMem */
static int print_digits(double value, char conversion, int precision, decimal_t *d)
{
    const char *format = conversion == 'e' ? "%.*e" : "%.*f";
    precision = Py_MIN(precision, MAX_USEFUL_PRECISION);
    char small[128];
    int n = snprintf(small, sizeof(small), format, precision, value);
    char *text = n < 0 ? NULL : PyMem_Malloc((size_t)n + 1);
    if (text == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if ((size_t)n < sizeof(small))
        memcpy(text, small, (size_t)n + 1);
    else
        snprintf(text, (size_t)n + 1, format, precision, value);
    d->digits = text;
    d->count = 0;
    char *p = text;
    for (; *p != '\0' && *p != 'e'; p++)
        if (Py_ISDIGIT((unsigned char)*p))
            d->digits[d->count++] = *p;
    d->point = *p == 'e' ? strtol(p + 1, NULL, 10) + 1 : d->count - precision;
    return 0;
}

static void drop_trailing_zeros(decimal_t *d)
{
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
}

/* Digits of a finite value for format g: at most precision of them, no trailing zeros. */
static int general_digits(double value, int precision, decimal_t *d)
{
    if (print_digits(value, 'e', precision - 1, d) < 0)
        return -1;
    drop_trailing_zeros(d);
    return 0;
}

static int shortest_digits(double value, decimal_t *d)
{
    int point;
    d->digits = PyMem_Malloc(FLOAT_SHORTEST_DIGITS);
    if (d->digits == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    d->count = float_shortest_digits(value, d->digits, &point);
    d->point = point;
    return 0;
}

/* How the digits are laid out. */
typedef struct {
    int exponent;               /* show one */
    Py_ssize_t fraction;        /* digits after the point at least, filled with zeros */
    int keep_point;             /* even if nothing follows it */
    int add_dot_0;
    int upper;
} layout_t;

/* Digits first..last-1 of d, zeros outside. */
static char *put_digits(char *out, const decimal_t *d, Py_ssize_t first, Py_ssize_t last)
{
    for (Py_ssize_t i = first; i < last; i++)
        *out++ = i >= 0 && i < d->count ? d->digits[i] : '0';
    return out;
}

static char *lay_out(const decimal_t *d, const layout_t *l, char sign)
{
    Py_ssize_t point = l->exponent ? 1 : d->point;              /* digits before the point */
    Py_ssize_t fraction = Py_MAX(l->fraction, d->count - point);
    if (fraction < 0)
        fraction = 0;
    if (fraction == 0 && l->add_dot_0 && !l->exponent)
        fraction = 1;
    Py_ssize_t before = Py_MAX(point, 1);
    char *text = PyMem_Malloc((size_t)(before + fraction) + 16), *out = text;
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (sign != 0)
        *out++ = sign;
    out = put_digits(out, d, point - before, point);
    if (fraction > 0 || l->keep_point) {
        *out++ = '.';
        out = put_digits(out, d, point, point + fraction);
    }
    if (l->exponent)
        out += sprintf(out, "%c%+.02d", l->upper ? 'E' : 'e', (int)d->point - 1);
    *out = '\0';
    return text;
}

static char *special_text(double value, int negative, int flags, int upper)
{
    char *text = PyMem_Malloc(8);
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    const char *word = isnan(value) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf";
    const char *sign = isnan(value) ? "" : negative ? "-" : "";
    snprintf(text, 8, "%s%s", *sign == '\0' && (flags & Py_DTSF_SIGN) ? "+" : sign, word);
    return text;
}

static int is_zero(const decimal_t *d)
{
    for (Py_ssize_t i = 0; i < d->count; i++)
        if (d->digits[i] != '0')
            return 0;
    return 1;
}

/* ---- Format f of ordinary numbers, in integers ---- */

#define FIXED_PRECISION_MAX 15

/* value * 10^precision, rounded half to even: value (not negative) is m / 2^shift, so all of it is exact.  1; 0: too large, or too small to
 * bother. */
static int scale_exactly(double value, int precision, uint64_t *result)
{
    uint64_t bits, power = 1;
    memcpy(&bits, &value, sizeof(bits));
    int shift = 1075 - (int)(bits >> 52);
    if (precision > FIXED_PRECISION_MAX || (bits != 0 && (shift <= 0 || shift > 120)))
        return 0;
    if (bits == 0) {
        *result = 0;
        return 1;
    }
    for (int i = 0; i < precision; i++)
        power *= 10;
    unsigned __int128 one = 1, scaled = (unsigned __int128)((bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52) * power;
    unsigned __int128 quotient = scaled >> shift, rest = scaled & ((one << shift) - 1), half = one << (shift - 1);
    quotient += rest > half || (rest == half && (quotient & 1));
    if (quotient >> 63 != 0)
        return 0;
    *result = (uint64_t)quotient;
    return 1;
}

/* Format f of a finite value. 1; 0: not done; -1: MemoryError. */
static int fixed_text(double value, int precision, int flags, char **text)
{
    char buffer[2 * FIXED_PRECISION_MAX + 16], *end = buffer + sizeof(buffer), *p = end;
    uint64_t n;
    if (!scale_exactly(fabs(value), precision, &n))
        return 0;
    int negative = signbit(value) && !((flags & Py_DTSF_NO_NEG_0) && n == 0);
    *--p = '\0';
    for (int i = 0; i < precision; i++, n /= 10)
        *--p = (char)('0' + n % 10);
    if (precision > 0 || (flags & Py_DTSF_ALT))
        *--p = '.';
    do
        *--p = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    if (negative || (flags & Py_DTSF_SIGN))
        *--p = negative ? '-' : '+';
    *text = PyMem_Malloc((size_t)(end - p));
    if (*text == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(*text, p, (size_t)(end - p));
    return 1;
}

char *PyOS_double_to_string(double value, char format_code, int precision, int flags, int *type)
{
    int upper = format_code == 'E' || format_code == 'F' || format_code == 'G', rc;
    char code = (char)(upper ? format_code + ('a' - 'A') : format_code);
    layout_t layout = {.upper = upper, .keep_point = (flags & Py_DTSF_ALT) != 0,
                       .add_dot_0 = (flags & Py_DTSF_ADD_DOT_0) != 0};
    if (type != NULL)
        *type = isnan(value) ? Py_DTST_NAN : isinf(value) ? Py_DTST_INFINITE : Py_DTST_FINITE;
    if (!strchr("efgr", code) || code == '\0' || (code == 'r' && precision != 0) || precision < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    int negative = signbit(value) != 0;
    if (!isfinite(value))
        return special_text(value, negative, flags, upper);
    if (code == 'f') {
        char *text = NULL;
        if ((rc = fixed_text(value, precision, flags, &text)) != 0)
            return text;
    }
    decimal_t d;
    double magnitude = fabs(value);
    if (code == 'r')
        rc = shortest_digits(magnitude, &d);
    else if (code == 'g') {
        if (precision == 0)
            precision = 1;
        rc = general_digits(magnitude, precision, &d);
    }
    else {
        rc = print_digits(magnitude, code, precision, &d);
        layout.exponent = code == 'e';
        layout.fraction = precision;
    }
    if (rc < 0)
        return NULL;
    if (code == 'r' || code == 'g') {
        /* The exponent of the first digit decides. With add_dot_0, 1e16 must not come out as 10000000000000000.0. */
        Py_ssize_t limit = code == 'r' ? 16 : precision;
        layout.exponent = d.point <= -4 || d.point > limit - (code == 'g' && layout.add_dot_0);
        if (code == 'g' && (flags & Py_DTSF_ALT))
            layout.fraction = precision - (layout.exponent ? 1 : d.point);
    }
    if (negative && (flags & Py_DTSF_NO_NEG_0) && is_zero(&d))
        negative = 0;
    char *text = lay_out(&d, &layout, negative ? '-' : (flags & Py_DTSF_SIGN) ? '+' : '\0');
    PyMem_Free(d.digits);
    return text;
}
