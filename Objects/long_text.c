/* int: text. */
#include "long.h"
#include "decimal_text.h"
#include "unicode.h"

int long_max_str_digits = LONG_MAX_STR_DIGITS_DEFAULT;

static int max_digits(void) { return __atomic_load_n(&long_max_str_digits, __ATOMIC_RELAXED); }

/* ---- To text ---- */

#define PAIRS(ten) ten "0" ten "1" ten "2" ten "3" ten "4" ten "5" ten "6" ten "7" ten "8" ten "9"
const char decimal_pairs[201] = PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5") PAIRS("6") PAIRS("7")
    PAIRS("8") PAIRS("9");

static int too_many_digits(void)
{
    PyErr_Format(PyExc_ValueError,
                 "Exceeds the limit (%d digits) for integer string conversion; "
                 "use sys.set_int_max_str_digits() to increase the limit",
                 max_digits());
    return -1;
}

/* A str of n characters; *text is where they go. */
static PyObject *new_text(size_t n, char **text)
{
    PyObject *str = unicode_alloc((Py_ssize_t)n, 127);
    if (str != NULL)
        *text = (char *)PyUnicode_1BYTE_DATA(str);
    return str;
}

/* n in decimal, in place. */
static PyObject *small_to_decimal(int64_t n)
{
    uint64_t value = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (n >= 0 && n < 10)
        return unicode_latin1((unsigned char)('0' + n));
    unsigned digits = decimal_digits(value);
    char *text;
    PyObject *str = new_text(digits + (n < 0), &text);
    if (str == NULL)
        return NULL;
    if (n < 0)
        *text++ = '-';
    decimal_write(text + digits, value);
    return str;
}

static PyObject *small_to_text(int64_t n, unsigned base, const char *prefix)
{
    if (base == 10)
        return small_to_decimal(n);
    char buffer[72], *end = buffer + sizeof(buffer), *p = end;
    uint64_t value = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    *--p = prefix[1];
    *--p = prefix[0];
    if (n < 0)
        *--p = '-';
    char *text;
    PyObject *str = new_text((size_t)(end - p), &text);
    if (str != NULL)
        memcpy(text, p, (size_t)(end - p));
    return str;
}

typedef struct {
    mpz_srcptr n;
    char *buffer;
    int base;
} text_work_t;

static void compute_text(void *data)
{
    text_work_t *d = data;
    mpz_get_str(d->buffer, d->base, d->n);
}

static PyObject *to_text(PyObject *op, int base, const char *prefix)
{
    int64_t n;
    if (long_get_int64(op, &n))
        return small_to_text(n, (unsigned)base, prefix);
    long_view_t v;
    mpz_t room;
    long_view(op, &v);
    mpz_srcptr z = long_view_mpz(&v, room);
    int limit = base == 10 ? max_digits() : 0;
    /* At least (bits - 1) * log10(2) digits: refuse the clear cases before the work. */
    if (limit > 0 && (double)(_PyLong_NumBits(op) - 1) * 0.30102999566 > (double)limit + 1) {
        too_many_digits();
        return NULL;
    }
    size_t size = mpz_sizeinbase(z, base) + 2;
    char *buffer = PyMem_Malloc(size);
    text_work_t work = {z, buffer, base};
    if (buffer == NULL || long_guarded((size_t)v.size, compute_text, &work) < 0) {
        PyMem_Free(buffer);
        return PyErr_NoMemory();
    }
    size_t length = strlen(buffer), digits = length - (size_t)v.negative, prefix_length = strlen(prefix);
    PyObject *str = NULL;
    char *text;
    if (limit > 0 && digits > (size_t)limit)
        too_many_digits();
    else if ((str = new_text(length + prefix_length, &text)) != NULL) {
        if (v.negative)
            *text++ = '-';
        memcpy(text, prefix, prefix_length);
        memcpy(text + prefix_length, buffer + v.negative, digits);
    }
    PyMem_Free(buffer);
    return str;
}

PyObject *long_repr(PyObject *op) { return to_text(op, 10, ""); }

PyObject *_PyLong_Format(PyObject *op, int base)
{
    if (!PyLong_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return to_text(op, base, base == 2 ? "0b" : base == 8 ? "0o" : base == 16 ? "0x" : "");
}

/* ---- From text ---- */

typedef enum { PARSE_OK, PARSE_INVALID, PARSE_FAILED } parse_status_t;

static int digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

typedef struct {
    mp_limb_t *limbs;
    mp_size_t size;             /* the result */
    const unsigned char *digits;
    size_t count;
    int base;
} digits_work_t;

static void compute_limbs(void *data)
{
    digits_work_t *d = data;
    d->size = mpn_set_str(d->limbs, d->digits, d->count, d->base);
}

/* The digits of text[0:n], some of them underscores, count of them real. */
static PyObject *convert_digits(const char *text, Py_ssize_t n, Py_ssize_t count, int base, int negative)
{
    if (count <= 18 && base <= 10) {
        int64_t value = 0;
        for (Py_ssize_t i = 0; i < n; i++)
            if (text[i] != '_')
                value = value * base + (text[i] - '0');
        return PyLong_FromLong(negative ? -value : value);
    }
    int bits_per_digit = 64 - __builtin_clzll((unsigned)base - 1);
    unsigned char *digits = PyMem_Malloc((size_t)count);
    PyLongObject *x = NULL;
    PyObject *result = NULL;
    if (digits == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t k = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (text[i] != '_' && (k > 0 || text[i] != '0'))
            digits[k++] = (unsigned char)digit_value((unsigned char)text[i]);
    if (k == 0) {
        result = value_from_int(0);
        goto done;
    }
    x = long_alloc((mp_size_t)((size_t)k / 64 * (size_t)bits_per_digit + (size_t)bits_per_digit + 2));
    if (x == NULL)
        goto done;
    digits_work_t work = {(mp_limb_t *)x->ob_limb, 0, digits, (size_t)k, base};
    if (long_guarded((size_t)k / 8, compute_limbs, &work) < 0)
        Py_DECREF(x);
    else
        result = long_normalise(x, work.size, negative);
done:
    PyMem_Free(digits);
    return result;
}

/* Blanks, sign, prefix, digits, blanks.  *end: behind what was understood. */
static parse_status_t parse(const char *text, const char **end, int base, PyObject **result)
{
    const char *p = text;
    int negative = 0, detect = base == 0;
    *result = NULL;
    *end = text;
    while (Py_ISSPACE((unsigned char)*p))
        p++;
    if (*p == '+' || *p == '-')
        negative = *p++ == '-';
    int marker = p[0] == '0' ? p[1] | 0x20 : 0;
    int marked = marker == 'x' ? 16 : marker == 'o' ? 8 : marker == 'b' ? 2 : 0;
    int zeros_only = 0;
    if (detect) {
        base = marked ? marked : 10;
        zeros_only = !marked && p[0] == '0';
    }
    if (marked != 0 && marked == base) {
        p += 2;
        if (*p == '_')
            p++;
    }
    const char *first = p;
    Py_ssize_t count = 0;
    int previous_underscore = *p == '_';
    if (previous_underscore)
        return PARSE_INVALID;
    for (;; p++) {
        if (*p == '_') {
            if (previous_underscore)
                return PARSE_INVALID;
            previous_underscore = 1;
            continue;
        }
        if (digit_value((unsigned char)*p) >= base)
            break;
        previous_underscore = 0;
        count++;
    }
    *end = p;
    if (count == 0 || previous_underscore)
        return PARSE_INVALID;
    int limit = (base & (base - 1)) != 0 ? max_digits() : 0;
    if (limit > 0 && count > limit) {
        PyErr_Format(PyExc_ValueError,
                     "Exceeds the limit (%d digits) for integer string conversion: value has %zd digits; "
                     "use sys.set_int_max_str_digits() to increase the limit",
                     limit, count);
        return PARSE_FAILED;
    }
    *result = convert_digits(first, p - first, count, base, negative);
    if (*result == NULL)
        return PARSE_FAILED;
    if (zeros_only && !long_is_zero(*result)) {     /* "07" */
        Py_CLEAR(*result);
        return PARSE_INVALID;
    }
    while (Py_ISSPACE((unsigned char)*p))
        p++;
    *end = p;
    return PARSE_OK;
}

void long_invalid_literal(PyObject *text, int base)
{
    PyErr_Format(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base, text);
}

static int check_base(int base)
{
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError, "int() arg 2 must be >= 2 and <= 36");
        return -1;
    }
    return 0;
}

PyObject *PyLong_FromString(const char *text, char **end, int base)
{
    const char *stop;
    PyObject *result;
    if (check_base(base) < 0)
        return NULL;
    parse_status_t status = parse(text, &stop, base, &result);
    if (end != NULL)
        *end = (char *)stop;
    if (status == PARSE_OK && (end != NULL || *stop == '\0'))
        return result;
    Py_CLEAR(result);
    if (status != PARSE_FAILED) {
        size_t length = strlen(text);
        PyObject *shown = PyUnicode_FromStringAndSize(text, (Py_ssize_t)Py_MIN(length, 200));
        if (shown != NULL) {
            long_invalid_literal(shown, base);
            Py_DECREF(shown);
        }
    }
    return NULL;
}

PyObject *_PyLong_FromBytes(const char *text, Py_ssize_t length, int base)
{
    const char *stop;
    PyObject *result;
    if (check_base(base) < 0)
        return NULL;
    parse_status_t status = parse(text, &stop, base, &result);
    if (status == PARSE_OK && stop == text + length)
        return result;
    Py_CLEAR(result);
    if (status != PARSE_FAILED) {
        PyObject *shown = PyBytes_FromStringAndSize(text, Py_MIN(length, 200));
        if (shown != NULL) {
            long_invalid_literal(shown, base);
            Py_DECREF(shown);
        }
    }
    return NULL;
}

PyObject *PyLong_FromUnicodeObject(PyObject *str, int base)
{
    const char *stop;
    PyObject *result = NULL, *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(str);
    if (ascii == NULL)
        return NULL;
    if (check_base(base) == 0) {
        const char *text = (const char *)PyUnicode_1BYTE_DATA(ascii);
        parse_status_t status = parse(text, &stop, base, &result);
        if (status != PARSE_OK || stop != text + PyUnicode_GET_LENGTH(ascii)) {
            Py_CLEAR(result);
            if (status != PARSE_FAILED)
                long_invalid_literal(str, base);
        }
    }
    Py_DECREF(ascii);
    return result;
}
