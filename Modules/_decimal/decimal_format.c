/* __format__: the mini-language for decimals, with the separators of the locale if asked. */
#include "decimal.h"

#include <limits.h>
#include <locale.h>
#include <stdlib.h>

typedef struct {
    Py_UCS4 fill;
    char align; /* < > ^ = or z: zeros between sign and digits */
    char sign;  /* - + or space */
    char type;  /* lower case; 0: none given */
    int capitals, positive_zero, is_percent;
    Py_ssize_t width, precision; /* precision -1: none given */
    PyObject *point, *separator; /* str; separator of groups, empty: no groups */
    char grouping[16]; /* sizes of groups from the right, the last one for all that follow; ends with 0 or
                          CHAR_MAX */
} spec_t;

static void spec_clear(spec_t *spec)
{
    Py_XDECREF(spec->point);
    Py_XDECREF(spec->separator);
}

static int bad_format(void)
{
    PyErr_SetString(PyExc_ValueError, "invalid format string");
    return -1;
}

/* ---- Reading the specification ---- */

/* Reads a number at *i; too great ones are an error. */
static int parse_number(PyObject *text, Py_ssize_t *i, Py_ssize_t *n)
{
    const Py_ssize_t bound = 1000000000;
    *n = 0;
    for (; *i < PyUnicode_GET_LENGTH(text); ++*i) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, *i);
        if (c < '0' || c > '9')
            break;
        if (*n > bound) {
            PyErr_SetString(PyExc_ValueError, "format specification exceeds internal limits of _decimal");
            return -1;
        }
        *n = *n * 10 + (Py_ssize_t)(c - '0');
    }
    return 0;
}

/* The character at i, or 0 at the end. */
static Py_UCS4 peek(PyObject *text, Py_ssize_t i)
{
    return i < PyUnicode_GET_LENGTH(text) ? PyUnicode_READ_CHAR(text, i) : 0;
}

static int is_align(Py_UCS4 c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

/* Reads the specification; *is_local and *has_commas tell about separators. */
static int parse_spec(spec_t *spec, PyObject *text, int *is_local, int *has_commas)
{
    Py_ssize_t i = 0;
    int has_align = 0;
    if (is_align(peek(text, 1))) {
        spec->fill = peek(text, 0);
        spec->align = (char)peek(text, 1);
        has_align = 1;
        i = 2;
    } else if (is_align(peek(text, 0))) {
        spec->align = (char)peek(text, 0);
        has_align = 1;
        i = 1;
    }
    Py_UCS4 c = peek(text, i);
    if (c == '+' || c == '-' || c == ' ') {
        spec->sign = (char)c;
        i++;
    }
    if (peek(text, i) == 'z') {
        spec->positive_zero = 1;
        i++;
    }
    if (peek(text, i) == '0') {
        if (has_align)
            return bad_format();
        spec->align = 'z';
        spec->fill = '0';
        i++;
    }
    if (parse_number(text, &i, &spec->width) < 0)
        return -1;
    if (peek(text, i) == ',') {
        *has_commas = 1;
        i++;
    }
    if (peek(text, i) == '.') {
        Py_ssize_t start = ++i;
        if (parse_number(text, &i, &spec->precision) < 0)
            return -1;
        if (i == start)
            return bad_format();
    }
    c = peek(text, i);
    if (c != 0) {
        if (c >= 128 || strchr("eEfFgGn%", (int)c) == NULL)
            return bad_format();
        i++;
        spec->capitals = c == 'E' || c == 'F' || c == 'G';
        spec->type = (char)(spec->capitals ? c - 'A' + 'a' : c);
    }
    if (i < PyUnicode_GET_LENGTH(text))
        return bad_format();
    *is_local = spec->type == 'n';
    return *is_local && *has_commas ? bad_format() : 0;
}

/* ---- Separators ---- */

/* The separators of the locale. The C library's text may be overwritten by other threads: it is copied at
 * once, which no lock could make safe against foreign code. */
static int use_locale(spec_t *spec)
{
    const struct lconv *local = localeconv();
    char point[32], separator[32];
    snprintf(point, sizeof(point), "%s", local->decimal_point);
    snprintf(separator, sizeof(separator), "%s", local->thousands_sep);
    snprintf(spec->grouping, sizeof(spec->grouping), "%s", local->grouping);
    Py_XSETREF(spec->point, PyUnicode_DecodeLocale(point, "surrogateescape"));
    Py_XSETREF(spec->separator, PyUnicode_DecodeLocale(separator, "surrogateescape"));
    return spec->point == NULL || spec->separator == NULL ? -1 : 0;
}

/* A str of the dict, if it is there: replaces *field. */
static int override_text(PyObject *dict, const char *name, PyObject **field)
{
    PyObject *value = NULL;
    if (PyDict_GetItemStringRef(dict, name, &value) < 0)
        return -1;
    if (value == NULL)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_ValueError, "format override values must be strings");
        Py_DECREF(value);
        return -1;
    }
    Py_XSETREF(*field, value);
    return 0;
}

static int override(spec_t *spec, PyObject *dict)
{
    PyObject *grouping = NULL;
    int failed = 0;
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "optional argument must be a dict");
        return -1;
    }
    if (override_text(dict, "decimal_point", &spec->point) < 0 ||
        override_text(dict, "thousands_sep", &spec->separator) < 0 ||
        override_text(dict, "grouping", &grouping) < 0) {
        Py_XDECREF(grouping);
        return -1;
    }
    if (grouping != NULL) {
        Py_ssize_t n = PyUnicode_GET_LENGTH(grouping);
        failed = n >= (Py_ssize_t)sizeof(spec->grouping);
        memset(spec->grouping, 0, sizeof(spec->grouping));
        for (Py_ssize_t i = 0; !failed && i < n; i++) {
            Py_UCS4 c = PyUnicode_READ_CHAR(grouping, i);
            failed = c > CHAR_MAX;
            spec->grouping[i] = (char)c;
        }
        Py_DECREF(grouping);
    }
    if (failed || PyUnicode_GET_LENGTH(spec->point) != 1 || PyUnicode_GET_LENGTH(spec->separator) > 1) {
        PyErr_SetString(PyExc_ValueError, "invalid override dict");
        return -1;
    }
    return 0;
}

static int get_spec(spec_t *spec, PyObject *text, PyObject *dict)
{
    int is_local = 0, has_commas = 0;
    *spec = (spec_t){.fill = ' ', .align = '>', .sign = '-', .precision = -1};
    if (parse_spec(spec, text, &is_local, &has_commas) < 0)
        return -1;
    spec->point = PyUnicode_FromString(".");
    spec->separator = PyUnicode_FromString(has_commas ? "," : "");
    if (has_commas)
        spec->grouping[0] = 3;
    if (spec->point == NULL || spec->separator == NULL || (is_local && use_locale(spec) < 0) ||
        (dict != NULL && override(spec, dict) < 0)) {
        spec_clear(spec);
        return -1;
    }
    if (is_local)
        spec->type = 'g';
    if (spec->type == '%') {
        spec->is_percent = 1;
        spec->type = 'f';
    }
    return 0;
}

/* ---- Rounding to the precision ---- */

/* Rounds to so many digits. */
static void round_digits(number_t *r, int64_t digits, int rounding)
{
    settings_t s = settings_widest;
    uint32_t ignored = 0;
    s.prec = digits;
    s.rounding = rounding;
    s.emin = NUMBER_MIN_EMIN;
    number_finalize_in_place(r, &s, &ignored);
}

/* 0, or -1 with an exception. */
static int round_value(number_t *r, const spec_t *spec, int rounding)
{
    uint32_t status = 0;
    if (spec->is_percent)
        r->exp += 2;
    if (spec->type == 'f' && (spec->precision >= 0 || r->exp > 0)) {
        settings_t s = settings_widest;
        number_t a;
        s.rounding = rounding;
        number_init(&a);
        number_call_rescale(&a, r, spec->precision >= 0 ? -spec->precision : 0, &s, &status);
        number_clear(r);
        *r = a;
    } else if (spec->precision >= 0 && spec->type == 'e' && !number_is_zero(r)) {
        round_digits(r, spec->precision + 1, rounding);
        int64_t missing = spec->precision + 1 - r->digits;
        if (missing > 0 && number_scale_up(r->c, missing, &status) == 0) {
            r->exp -= missing;
            r->digits += missing;
        }
    } else if (spec->precision >= 0 && (spec->type == 'g' || spec->type == 0))
        round_digits(r, spec->precision > 0 ? spec->precision : 1, rounding);
    if (status & (STATUS_MEMORY | STATUS_INVALID)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* ---- Text ---- */

/* Where the point stands among the digits. */
static int64_t point_place(const number_t *a, const spec_t *spec)
{
    int64_t left = a->exp + a->digits;
    if (spec->type == 'e')
        return number_is_zero(a) && spec->precision >= 0 ? 1 - spec->precision : 1;
    if (spec->type == 'f' || (a->exp <= 0 && left > -6))
        return left;
    return 1;
}

/* The digits before the point, and what comes after them: fraction (without the point), exponent, percent
 * sign. All ASCII, to be freed with free. 0, or -1 with an exception. */
static int split_digits(const number_t *a, const spec_t *spec, char **whole, char **fraction, char *tail)
{
    int64_t n = a->digits, left = a->exp + n, point = point_place(a, spec);
    int64_t zeros_before = point < 0 ? -point : 0, zeros_after = point > n ? point - n : 0,
            cut = point < 0   ? 0
                  : point > n ? n
                              : point;
    char *digits = malloc(mpz_sizeinbase(a->c, 10) + 2);
    *whole = malloc((size_t)(cut + zeros_after) + 2);
    *fraction = malloc((size_t)(zeros_before + n - cut) + 1);
    if (digits == NULL || *whole == NULL || *fraction == NULL || number_write_digits(digits, a) < 0) {
        free(digits);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(*whole, digits, (size_t)cut);
    memset(*whole + cut, '0', (size_t)zeros_after);
    (*whole)[cut + zeros_after] = '\0';
    if (cut + zeros_after == 0)
        strcpy(*whole, "0");
    memset(*fraction, '0', (size_t)zeros_before);
    memcpy(*fraction + zeros_before, digits + cut, (size_t)(n - cut));
    (*fraction)[zeros_before + n - cut] = '\0';
    free(digits);
    tail[0] = '\0';
    if (left != point || spec->type == 'e')
        sprintf(tail, "%c%+lld", spec->capitals ? 'E' : 'e', (long long)(left - point));
    if (spec->is_percent)
        strcat(tail, "%");
    return 0;
}

/* The digits before the point in groups, with zeros in front up to the width. A new str. */
static PyObject *group_digits(const char *digits, Py_ssize_t width, const spec_t *spec)
{
    Py_ssize_t n = (Py_ssize_t)strlen(digits), gap = PyUnicode_GET_LENGTH(spec->separator), room, at;
    const char *group = spec->grouping;
    if (width < 1)
        width = 1;
    room = 2 * (n > width ? n : width) + 4;
    Py_UCS4 *out = PyMem_Malloc((size_t)room * sizeof(Py_UCS4));
    if (out == NULL)
        return PyErr_NoMemory();
    at = room;
    int has_groups = gap > 0 && *group != 0 && *group != CHAR_MAX;
    Py_ssize_t in_group = has_groups ? *group : -1;
    while (n > 0 || width > 0) {
        if (in_group == 0) {
            out[--at] = PyUnicode_READ_CHAR(spec->separator, 0);
            width--;
            /* the last size goes on, unless no more groups are wanted */
            if (group[1] == CHAR_MAX)
                in_group = -1;
            else {
                group += group[1] != 0;
                in_group = *group;
            }
        }
        out[--at] = n > 0 ? (Py_UCS4)digits[--n] : '0';
        width--;
        in_group -= in_group > 0;
    }
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, out + at, room - at);
    PyMem_Free(out);
    return text;
}

/* Fills the text up to the width. body is stolen and may be NULL. */
static PyObject *align_steal(const char *sign, PyObject *body, const spec_t *spec, char align)
{
    if (body == NULL)
        return NULL;
    Py_ssize_t missing = spec->width - (Py_ssize_t)strlen(sign) - PyUnicode_GET_LENGTH(body);
    Py_ssize_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    PyObject *result = NULL, *fill = NULL, *before = NULL, *after = NULL;
    if (missing <= 0)
        result = PyUnicode_FromFormat("%s%U", sign, body);
    else if ((fill = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, &spec->fill, 1)) != NULL) {
        before = PySequence_Repeat(fill, left);
        after = PySequence_Repeat(fill, missing - left);
        if (before != NULL && after != NULL)
            result = align == '=' || align == 'z'
                         ? PyUnicode_FromFormat("%s%U%U", sign, before, body)
                         : PyUnicode_FromFormat("%U%s%U%U", before, sign, body, after);
    }
    Py_XDECREF(fill);
    Py_XDECREF(before);
    Py_XDECREF(after);
    Py_DECREF(body);
    return result;
}

static const char *sign_text(const number_t *a, const spec_t *spec)
{
    if (number_is_negative(a) && !(spec->positive_zero && number_is_zero(a)))
        return "-";
    return spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
}

static PyObject *format_special(const number_t *a, spec_t *spec)
{
    char *text = number_to_text(a, 0, 1);
    if (text == NULL)
        return PyErr_NoMemory();
    PyObject *body = PyUnicode_FromFormat("%s%s", text + (*text == '-'), spec->is_percent ? "%" : "");
    number_text_free(text);
    if (spec->align == 'z') {
        spec->align = '>';
        spec->fill = ' ';
    }
    return align_steal(sign_text(a, spec), body, spec, spec->align);
}

static PyObject *format_finite(const number_t *a, const spec_t *spec)
{
    char *whole = NULL, *fraction = NULL, tail[32];
    const char *sign = sign_text(a, spec);
    PyObject *body = NULL, *groups = NULL;
    if (split_digits(a, spec, &whole, &fraction, tail) == 0) {
        int has_fraction = *fraction != '\0';
        Py_ssize_t rest = (Py_ssize_t)(strlen(sign) + strlen(fraction) + strlen(tail)) +
                          (has_fraction ? PyUnicode_GET_LENGTH(spec->point) : 0);
        groups = group_digits(whole, spec->align == 'z' ? spec->width - rest : 0, spec);
        if (groups != NULL && has_fraction)
            body = PyUnicode_FromFormat("%U%U%s%s", groups, spec->point, fraction, tail);
        else if (groups != NULL)
            body = PyUnicode_FromFormat("%U%s", groups, tail);
    }
    free(whole);
    free(fraction);
    Py_XDECREF(groups);
    return align_steal(sign, body, spec, spec->align);
}

PyObject *decimal_format(PyObject *op, PyObject *args)
{
    PyObject *text, *dict = NULL, *context, *result = NULL;
    spec_t spec;
    settings_t s;
    number_t a, r;
    uint32_t status = 0;
    if (!PyArg_ParseTuple(args, "O|O", &text, &dict))
        return NULL;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "format arg must be str");
        return NULL;
    }
    if ((context = context_current()) == NULL)
        return NULL;
    context_get_settings(context, &s);
    Py_DECREF(context);
    if (get_spec(&spec, text, dict) < 0)
        return NULL;
    if (spec.type == 0)
        spec.capitals = s.capitals;
    decimal_view(&a, op);
    number_init(&r);
    number_copy(&r, &a, &status);
    if (status & STATUS_MEMORY)
        PyErr_NoMemory();
    else if (number_is_special(&r))
        result = format_special(&r, &spec);
    else if (round_value(&r, &spec, s.rounding) == 0)
        result = format_finite(&r, &spec);
    number_clear(&r);
    spec_clear(&spec);
    return result;
}
