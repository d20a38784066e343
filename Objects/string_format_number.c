/* Formatting numbers by a format specification: signs, prefixes, grouping, padding. */
#include <locale.h>
#include <Python.h>
#include "decimal_text.h"
#include "string_format.h"
#include "unicode.h"

/* A number in parts: sign, prefix, digits before the point, point, rest (with the exponent; or a character, for 'c'). */
typedef struct {
    int negative;
    const char *prefix;
    const char *digits;
    Py_ssize_t n_digits;
    int has_point;
    const char *rest;
    Py_ssize_t n_rest;
    Py_UCS4 character;          /* for 'c': stands in place of rest; n_rest is 1 */
    int is_character;
} number_t;

typedef struct {
    PyObject *point;            /* counted; NULL: '.' */
    PyObject *separator;        /* counted; NULL: none or one ASCII character in `plain` */
    Py_UCS4 plain;
    const char *grouping;       /* as in localeconv */
} number_locale_t;

static int locale_init(number_locale_t *l, const format_spec_t *f)
{
    *l = (number_locale_t){.grouping = ""};
    if (f->type == 'n') {
        struct lconv *lc = localeconv();
        l->point = PyUnicode_DecodeLocale(lc->decimal_point, "surrogateescape");
        l->separator = PyUnicode_DecodeLocale(lc->thousands_sep, "surrogateescape");
        l->grouping = lc->grouping;
        if (l->point == NULL || l->separator == NULL)
            return -1;
    }
    else if (f->thousands != 0) {
        l->plain = f->thousands;
        l->grouping = f->type == 'b' || f->type == 'o' || f->type == 'x' || f->type == 'X' ? "\4" : "\3";
    }
    return 0;
}

static void locale_fini(number_locale_t *l)
{
    Py_CLEAR(l->point);
    Py_CLEAR(l->separator);
}

static Py_ssize_t separator_length(const number_locale_t *l)
{
    return l->separator != NULL ? PyUnicode_GET_LENGTH(l->separator) : l->plain != 0;
}

/* Size of the group after one of the given index (0: the rightmost group); 0: no more groups. */
static Py_ssize_t group_size(const char *grouping, Py_ssize_t index)
{
    Py_ssize_t previous = 0;
    for (Py_ssize_t i = 0;; i++) {
        char size = *grouping;
        if (size == 0)
            return previous;        /* the last one repeats */
        if (size == CHAR_MAX || size < 0)
            return 0;
        if (i == index)
            return size;
        previous = size;
        grouping++;
    }
}

/* Groups of digits from the right, so that at least min_width characters come out, zeros in front.
 * sizes[] (from the right, each with its number of leading zeros) is not kept: the layout is computed twice.
 * Returns the width; calls emit for each piece from the LEFT if w is not NULL. */
typedef struct { Py_ssize_t chars, zeros; } group_t;

static Py_ssize_t layout_groups(const number_locale_t *l, Py_ssize_t n_digits, Py_ssize_t min_width, group_t **groups,
                                Py_ssize_t *n_groups)
{
    Py_ssize_t remaining = n_digits, width = 0, count = 0, size = 16, sep = separator_length(l);
    group_t *list = PyMem_Malloc((size_t)size * sizeof(group_t));
    while (list != NULL) {
        Py_ssize_t full = group_size(l->grouping, count);
        Py_ssize_t want = Py_MAX(Py_MAX(remaining, min_width), 1);
        Py_ssize_t length = full > 0 ? Py_MIN(full, want) : want;
        group_t g = {.chars = Py_MAX(0, Py_MIN(remaining, length)), .zeros = Py_MAX(0, length - remaining)};
        if (count == size) {
            group_t *bigger = PyMem_Realloc(list, (size_t)(size *= 2) * sizeof(group_t));
            if (bigger == NULL) {
                PyMem_Free(list);
                list = NULL;
                break;
            }
            list = bigger;
        }
        width += (count > 0 ? sep : 0) + g.chars + g.zeros;
        list[count++] = g;
        remaining -= g.chars;
        min_width -= length;
        if ((remaining <= 0 && min_width <= 0) || full == 0)
            break;
        min_width -= sep;
    }
    if (list == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *groups = list;
    *n_groups = count;
    return width;
}

static int write_groups(unicode_writer_t *w, const number_locale_t *l, const char *digits, const group_t *groups,
                        Py_ssize_t n_groups)
{
    for (Py_ssize_t i = n_groups - 1; i >= 0; i--) {
        if (unicode_writer_fill(w, '0', groups[i].zeros) < 0
            || unicode_writer_write_ascii(w, digits, groups[i].chars) < 0)
            return -1;
        digits += groups[i].chars;
        if (i == 0)
            break;
        int rc = l->separator != NULL ? unicode_writer_write_str(w, l->separator)
                 : l->plain != 0 ? unicode_writer_write_char(w, l->plain) : 0;
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int write_number(unicode_writer_t *w, const number_t *n, const format_spec_t *f, const number_locale_t *l)
{
    Py_UCS4 sign = n->negative ? '-' : f->sign == '+' ? '+' : f->sign == ' ' ? ' ' : 0;
    Py_ssize_t prefix_len = (Py_ssize_t)strlen(n->prefix);
    Py_ssize_t point_len = !n->has_point ? 0 : l->point != NULL ? PyUnicode_GET_LENGTH(l->point) : 1;
    Py_ssize_t other = (sign != 0) + prefix_len + point_len + n->n_rest, grouped = 0, n_groups = 0;
    Py_ssize_t min_width = f->fill == '0' && f->align == '=' ? f->width - other : 0;
    group_t *groups = NULL;
    int rc = -1;
    if (n->n_digits > 0) {
        grouped = layout_groups(l, n->n_digits, min_width, &groups, &n_groups);
        if (grouped < 0)
            return -1;
    }
    Py_ssize_t padding = f->width > other + grouped ? f->width - other - grouped : 0;
    Py_ssize_t left = f->align == '>' ? padding : f->align == '^' ? padding / 2 : 0;
    Py_ssize_t middle = f->align == '=' ? padding : 0;
    if (unicode_writer_fill(w, f->fill, left) < 0 || (sign != 0 && unicode_writer_write_char(w, sign) < 0)
        || unicode_writer_write_ascii(w, n->prefix, prefix_len) < 0 || unicode_writer_fill(w, f->fill, middle) < 0
        || write_groups(w, l, n->digits, groups, n_groups) < 0)
        goto done;
    if (n->has_point
        && (l->point != NULL ? unicode_writer_write_str(w, l->point) : unicode_writer_write_char(w, '.')) < 0)
        goto done;
    if (n->is_character ? unicode_writer_write_char(w, n->character) < 0
                        : unicode_writer_write_ascii(w, n->rest, n->n_rest) < 0)
        goto done;
    rc = unicode_writer_fill(w, f->fill, padding - left - middle);
done:
    PyMem_Free(groups);
    return rc;
}

/* ---- int ---- */

static int spec_error(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

static int check_int_spec(const format_spec_t *f)
{
    if (f->precision != -1)
        return spec_error("Precision not allowed in integer format specifier");
    if (f->no_neg_zero)
        return spec_error("Negative zero coercion (z) not allowed in integer format specifier");
    if (f->type == 'c' && f->sign != 0)
        return spec_error("Sign not allowed with integer format specifier 'c'");
    if (f->type == 'c' && f->alternate)
        return spec_error("Alternate form (#) not allowed with integer format specifier 'c'");
    return 0;
}

/* Digits of n in a base of 2, 8, 10 or 16, right-aligned before end; returns the first. */
static char *small_digits(uint64_t n, unsigned base, char *end)
{
    if (base == 10)
        return decimal_write(end, n);
    do {
        *--end = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    return end;
}

static int write_character(unicode_writer_t *w, PyObject *obj, const format_spec_t *f)
{
    int overflow;
    long ch = PyLong_AsLongAndOverflow(obj, &overflow);
    if (ch == -1 && PyErr_Occurred())
        return -1;
    if (overflow || ch < 0 || ch > 0x10ffff) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return -1;
    }
    number_locale_t l = {.grouping = ""};
    number_t n = {.prefix = "", .n_rest = 1, .character = (Py_UCS4)ch, .is_character = 1};
    return write_number(w, &n, f, &l);
}

/* A small int in decimal without grouping: sign, digits, and padding on the sides that f->align names. */
static int write_plain_decimal(unicode_writer_t *w, int64_t value, const format_spec_t *f)
{
    char buffer[24], *end = buffer + sizeof(buffer);
    char *start = decimal_write(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    Py_UCS4 sign = value < 0 ? '-' : f->sign == '+' ? '+' : f->sign == ' ' ? ' ' : 0;
    Py_ssize_t n = end - start, padding = f->width - n - (sign != 0);
    if (padding < 0)
        padding = 0;
    Py_ssize_t left = f->align == '>' ? padding : f->align == '^' ? padding / 2 : 0, middle = f->align == '=' ? padding : 0;
    if ((left != 0 && unicode_writer_fill(w, f->fill, left) < 0)
        || (sign != 0 && unicode_writer_write_char(w, sign) < 0)
        || (middle != 0 && unicode_writer_fill(w, f->fill, middle) < 0) || unicode_writer_write_ascii(w, start, n) < 0)
        return -1;
    return unicode_writer_fill(w, f->fill, padding - left - middle);
}

static int write_integer(unicode_writer_t *w, PyObject *obj, const format_spec_t *f)
{
    if (f->type == 'd' && value_is_int(obj) && f->thousands == 0 && f->precision == -1 && !f->no_neg_zero)
        return write_plain_decimal(w, value_get_int(obj), f);
    if (check_int_spec(f) < 0)
        return -1;
    if (f->type == 'c')
        return write_character(w, obj, f);
    unsigned base = f->type == 'b' ? 2 : f->type == 'o' ? 8 : f->type == 'x' || f->type == 'X' ? 16 : 10;
    number_t n = {.prefix = ""};
    char small[80];
    PyObject *text = NULL;
    if (value_is_int(obj)) {
        int64_t value = value_get_int(obj);
        n.negative = value < 0;
        char *end = small + sizeof(small);
        n.digits = small_digits(n.negative ? 0 - (uint64_t)value : (uint64_t)value, base, end);
        n.n_digits = end - n.digits;
    }
    else {
        text = _PyLong_Format(obj, (int)base);
        if (text == NULL)
            return -1;
        n.digits = PyUnicode_DATA(text);
        n.n_digits = PyUnicode_GET_LENGTH(text);
        n.negative = n.digits[0] == '-';
        Py_ssize_t skip = n.negative + (base == 10 ? 0 : 2);
        n.digits += skip;
        n.n_digits -= skip;
    }
    if (f->alternate && base != 10)
        n.prefix = f->type == 'b' ? "0b" : f->type == 'o' ? "0o" : f->type == 'x' ? "0x" : "0X";
    char *upper = NULL;
    number_locale_t l = {0};
    int rc = -1;
    if (f->type == 'X') {
        upper = PyMem_Malloc((size_t)n.n_digits);
        if (upper == NULL) {
            PyErr_NoMemory();
            goto done;
        }
        for (Py_ssize_t i = 0; i < n.n_digits; i++)
            upper[i] = (char)toupper((unsigned char)n.digits[i]);
        n.digits = upper;
    }
    if (locale_init(&l, f) == 0)
        rc = write_number(w, &n, f, &l);
done:
    locale_fini(&l);
    PyMem_Free(upper);
    Py_XDECREF(text);
    return rc;
}

static int write_real(unicode_writer_t *w, double value, const format_spec_t *f);

int format_int_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end)
{
    if (start == end)
        return unicode_writer_write_object_str(w, obj);
    format_spec_t f;
    if (format_spec_parse(obj, spec, start, end, &f, 'd', '>') < 0)
        return -1;
    switch (f.type) {
    case 'b': case 'c': case 'd': case 'o': case 'x': case 'X': case 'n':
        return write_integer(w, obj, &f);
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case '%': {
        double value = PyLong_AsDouble(obj);
        if (value == -1.0 && PyErr_Occurred())
            return -1;
        return write_real(w, value, &f);
    }
    default:
        format_unknown_code(f.type, obj);
        return -1;
    }
}

/* ---- float ---- */

/* Splits what PyOS_double_to_string made. */
static void split_real(const char *text, number_t *n)
{
    *n = (number_t){.prefix = "", .negative = text[0] == '-'};
    text += n->negative;
    n->digits = text;
    while (*text >= '0' && *text <= '9')
        text++;
    n->n_digits = text - n->digits;
    n->has_point = *text == '.';
    n->rest = text + n->has_point;
    n->n_rest = (Py_ssize_t)strlen(n->rest);
}

/* The conversion for PyOS_double_to_string: its type, precision and flags. -1 with an exception. */
static int choose_conversion(const format_spec_t *f, int flags, char *type, int *precision, int default_precision)
{
    if (f->precision > INT_MAX)
        return spec_error("precision too big");
    *precision = (int)f->precision;
    *type = (char)f->type;
    if (f->alternate)
        flags |= Py_DTSF_ALT;
    if (f->no_neg_zero)
        flags |= Py_DTSF_NO_NEG_0;
    if (f->type == '\0') {
        *type = 'r';
        default_precision = 0;
    }
    if (f->type == 'n')
        *type = 'g';
    if (f->type == '%')
        *type = 'f';
    if (*precision < 0)
        *precision = default_precision;
    else if (*type == 'r')
        *type = 'g';
    return flags;
}

static int write_real(unicode_writer_t *w, double value, const format_spec_t *f)
{
    char type;
    int precision, flags = choose_conversion(f, f->type == '\0' ? Py_DTSF_ADD_DOT_0 : 0, &type, &precision, 6);
    if (flags < 0)
        return -1;
    char *text = PyOS_double_to_string(f->type == '%' ? value * 100 : value, type, precision, flags, NULL);
    if (text == NULL)
        return -1;
    char *with_percent = NULL;
    number_locale_t l = {0};
    int rc = -1;
    number_t n;
    split_real(text, &n);
    if (f->type == '%') {
        with_percent = PyMem_Malloc((size_t)n.n_rest + 1);
        if (with_percent == NULL) {
            PyErr_NoMemory();
            goto done;
        }
        memcpy(with_percent, n.rest, (size_t)n.n_rest);
        with_percent[n.n_rest++] = '%';
        n.rest = with_percent;
    }
    if (locale_init(&l, f) == 0)
        rc = write_number(w, &n, f, &l);
done:
    locale_fini(&l);
    PyMem_Free(with_percent);
    PyMem_Free(text);
    return rc;
}

int format_float_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end)
{
    if (start == end)
        return unicode_writer_write_object_str(w, obj);
    format_spec_t f;
    if (format_spec_parse(obj, spec, start, end, &f, '\0', '>') < 0)
        return -1;
    switch (f.type) {
    case '\0': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n': case '%': {
        double value = PyFloat_AsDouble(obj);
        if (value == -1.0 && PyErr_Occurred())
            return -1;
        return write_real(w, value, &f);
    }
    default:
        format_unknown_code(f.type, obj);
        return -1;
    }
}

/* ---- complex ---- */

/* Both parts without padding; the default type adds parentheses, and leaves out a real part of +0. */
static int write_parts(unicode_writer_t *w, Py_complex c, const format_spec_t *f)
{
    char type, *real = NULL, *imag = NULL;
    int precision, rc = -1;
    int flags = choose_conversion(f, 0, &type, &precision, 6);
    if (flags < 0)
        return -1;
    int is_default = f->type == '\0';
    int skip_real = is_default && c.real == 0.0 && copysign(1.0, c.real) == 1.0, parens = is_default && !skip_real;
    number_locale_t l = {0};
    format_spec_t plain = *f, signed_imag;
    plain.fill = '\0';
    plain.align = '<';
    plain.width = -1;
    signed_imag = plain;
    if (!skip_real)
        signed_imag.sign = '+';
    number_t n;
    real = PyOS_double_to_string(c.real, type, precision, flags, NULL);
    imag = PyOS_double_to_string(c.imag, type, precision, flags, NULL);
    if (real == NULL || imag == NULL || locale_init(&l, f) < 0)
        goto done;
    if (parens && unicode_writer_write_char(w, '(') < 0)
        goto done;
    if (!skip_real) {
        split_real(real, &n);
        if (write_number(w, &n, &plain, &l) < 0)
            goto done;
    }
    split_real(imag, &n);
    if (write_number(w, &n, &signed_imag, &l) < 0 || unicode_writer_write_char(w, 'j') < 0)
        goto done;
    rc = parens ? unicode_writer_write_char(w, ')') : 0;
done:
    locale_fini(&l);
    PyMem_Free(real);
    PyMem_Free(imag);
    return rc;
}

int format_complex_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end)
{
    if (start == end)
        return unicode_writer_write_object_str(w, obj);
    format_spec_t f;
    if (format_spec_parse(obj, spec, start, end, &f, '\0', '>') < 0)
        return -1;
    switch (f.type) {
    case '\0': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n':
        break;
    default:
        format_unknown_code(f.type, obj);
        return -1;
    }
    if (f.fill == '0')
        return spec_error("Zero padding is not allowed in complex format specifier");
    if (f.align == '=')
        return spec_error("'=' alignment flag is not allowed in complex format specifier");
    Py_complex c = PyComplex_AsCComplex(obj);
    if (c.real == -1.0 && PyErr_Occurred())
        return -1;
    unicode_writer_t parts;
    unicode_writer_init(&parts);
    if (write_parts(&parts, c, &f) < 0) {
        unicode_writer_dealloc(&parts);
        return -1;
    }
    PyObject *text = unicode_writer_finish(&parts);
    if (text == NULL)
        return -1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), padding = f.width > n ? f.width - n : 0;
    Py_ssize_t left = f.align == '>' ? padding : f.align == '^' ? padding / 2 : 0;
    int rc = -1;
    if (unicode_writer_fill(w, f.fill, left) == 0 && unicode_writer_write_str(w, text) == 0)
        rc = unicode_writer_fill(w, f.fill, padding - left);
    Py_DECREF(text);
    return rc;
}
