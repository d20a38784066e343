/* Parsing format specifications, and formatting strings by them. */
#include <Python.h>
#include "string_format.h"
#include "unicode.h"

static int is_alignment(Py_UCS4 ch)
{
    return ch == '<' || ch == '>' || ch == '=' || ch == '^';
}

/* Decimal digits from *pos on. Returns how many, or -1 if the number is too big. */
static inline Py_ssize_t read_number(int kind, const void *data, Py_ssize_t *pos, Py_ssize_t end, Py_ssize_t *number)
{
    Py_ssize_t value = 0, start = *pos;
    for (; *pos < end; (*pos)++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, *pos);
        int digit = ch - '0' < 10 ? (int)(ch - '0') : ch < 128 ? -1 : Py_UNICODE_TODECIMAL(ch);
        if (digit < 0)
            break;
        if (value > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_SetString(PyExc_ValueError, "Too many decimal digits in format string");
            return -1;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return *pos - start;
}

void format_unknown_code(Py_UCS4 code, PyObject *obj)
{
    if (code > 32 && code < 128)
        PyErr_Format(PyExc_ValueError, "Unknown format code '%c' for object of type '%.200s'", (int)code,
                     Py_TYPE(obj)->tp_name);
    else
        PyErr_Format(PyExc_ValueError, "Unknown format code '\\x%x' for object of type '%.200s'", (unsigned)code,
                     Py_TYPE(obj)->tp_name);
}

/* May this type be written with separators? */
static int check_separators(const format_spec_t *f)
{
    switch (f->type) {
    case 'd': case 'e': case 'f': case 'g': case 'E': case 'G': case '%': case 'F': case '\0':
        return 0;
    case 'b': case 'o': case 'x': case 'X':
        if (f->thousands == '_')
            return 0;
        break;
    default:
        break;
    }
    if (f->type > 32 && f->type < 128)
        PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '%c'.", (int)f->thousands, (int)f->type);
    else
        PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '\\x%x'.", (int)f->thousands, (unsigned)f->type);
    return -1;
}

static inline int parse_separators(int kind, const void *data, Py_ssize_t *pos, Py_ssize_t end, format_spec_t *f)
{
    int both = 0;
    if (*pos < end && PyUnicode_READ(kind, data, *pos) == ',') {
        f->thousands = ',';
        (*pos)++;
    }
    if (*pos < end && PyUnicode_READ(kind, data, *pos) == '_') {
        both = f->thousands != 0;
        f->thousands = '_';
        (*pos)++;
    }
    if (*pos < end && PyUnicode_READ(kind, data, *pos) == ',' && f->thousands == '_')
        both = 1;
    if (both)
        PyErr_SetString(PyExc_ValueError, "Cannot specify both ',' and '_'.");
    return both ? -1 : 0;
}

/* kind is a constant where this is inlined. */
static inline Py_ALWAYS_INLINE int parse_kind(PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end,
                                              format_spec_t *f, Py_UCS4 default_type, Py_UCS4 default_align,
                                              const int kind)
{
    const void *data = PyUnicode_DATA(spec);
#define CHAR_AT(i) PyUnicode_READ(kind, data, (i))
    Py_ssize_t pos = start;
    int fill_specified = 0;
    *f = (format_spec_t){.fill = ' ', .align = default_align, .width = -1, .precision = -1, .type = default_type};
    if (end - pos >= 2 && is_alignment(CHAR_AT(pos + 1))) {
        f->align = CHAR_AT(pos + 1);
        f->fill = CHAR_AT(pos);
        f->align_specified = fill_specified = 1;
        pos += 2;
    }
    else if (end - pos >= 1 && is_alignment(CHAR_AT(pos))) {
        f->align = CHAR_AT(pos++);
        f->align_specified = 1;
    }
    if (pos < end && (CHAR_AT(pos) == '+' || CHAR_AT(pos) == '-' || CHAR_AT(pos) == ' '))
        f->sign = CHAR_AT(pos++);
    if (pos < end && CHAR_AT(pos) == 'z') {
        f->no_neg_zero = 1;
        pos++;
    }
    if (pos < end && CHAR_AT(pos) == '#') {
        f->alternate = 1;
        pos++;
    }
    if (!fill_specified && pos < end && CHAR_AT(pos) == '0') {
        f->fill = '0';
        if (!f->align_specified && default_align == '>')
            f->align = '=';
        pos++;
    }
    Py_ssize_t digits = read_number(kind, data, &pos, end, &f->width);
    if (digits < 0)
        return -1;
    if (digits == 0)
        f->width = -1;
    if (parse_separators(kind, data, &pos, end, f) < 0)
        return -1;
    if (pos < end && CHAR_AT(pos) == '.') {
        pos++;
        digits = read_number(kind, data, &pos, end, &f->precision);
        if (digits < 0)
            return -1;
        if (digits == 0) {
            PyErr_SetString(PyExc_ValueError, "Format specifier missing precision");
            return -1;
        }
    }
    if (end - pos > 1) {
        PyObject *text = PyUnicode_Substring(spec, start, end);
        if (text != NULL)
            PyErr_Format(PyExc_ValueError, "Invalid format specifier '%U' for object of type '%.200s'", text,
                         Py_TYPE(obj)->tp_name);
        Py_XDECREF(text);
        return -1;
    }
    if (end - pos == 1)
        f->type = CHAR_AT(pos);
    return f->thousands != 0 ? check_separators(f) : 0;
#undef CHAR_AT
}

int format_spec_parse(PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end, format_spec_t *f,
                      Py_UCS4 default_type, Py_UCS4 default_align)
{
    if (Py_LIKELY(PyUnicode_KIND(spec) == 1))
        return parse_kind(obj, spec, start, end, f, default_type, default_align, 1);
    return parse_kind(obj, spec, start, end, f, default_type, default_align, (int)PyUnicode_KIND(spec));
}

/* ---- Strings ---- */

static int check_string_spec(PyObject *obj, const format_spec_t *f)
{
    if (f->type != 's') {
        format_unknown_code(f->type, obj);
        return -1;
    }
    const char *what = NULL;
    if (f->sign == ' ')
        what = "Space not allowed in string format specifier";
    else if (f->sign != 0)
        what = "Sign not allowed in string format specifier";
    else if (f->no_neg_zero)
        what = "Negative zero coercion (z) not allowed in string format specifier";
    else if (f->alternate)
        what = "Alternate form (#) not allowed in string format specifier";
    else if (f->align == '=')
        what = "'=' alignment not allowed in string format specifier";
    if (what != NULL)
        PyErr_SetString(PyExc_ValueError, what);
    return what == NULL ? 0 : -1;
}

int format_str_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end)
{
    if (start == end)
        return unicode_writer_write_object_str(w, obj);
    format_spec_t f;
    if (format_spec_parse(obj, spec, start, end, &f, 's', '<') < 0 || check_string_spec(obj, &f) < 0)
        return -1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(obj);
    if (f.precision >= 0 && f.precision < n)
        n = f.precision;
    Py_ssize_t padding = f.width > n ? f.width - n : 0;
    Py_ssize_t left = f.align == '>' ? padding : f.align == '^' ? padding / 2 : 0;
    if (unicode_writer_fill(w, f.fill, left) < 0 || unicode_writer_write_substring(w, obj, 0, n) < 0)
        return -1;
    return unicode_writer_fill(w, f.fill, padding - left);
}

/* ---- Whole results ---- */

typedef int (*format_write_t)(unicode_writer_t *, PyObject *, PyObject *, Py_ssize_t, Py_ssize_t);

static PyObject *format_whole(PyObject *obj, PyObject *spec, format_write_t write)
{
    if (PyUnicode_GET_LENGTH(spec) == 0)
        return PyObject_Str(obj);
    unicode_writer_t w;
    unicode_writer_init(&w);
    if (write(&w, obj, spec, 0, PyUnicode_GET_LENGTH(spec)) < 0) {
        unicode_writer_dealloc(&w);
        return NULL;
    }
    return unicode_writer_finish(&w);
}

PyObject *format_str(PyObject *obj, PyObject *spec) { return format_whole(obj, spec, format_str_write); }
PyObject *format_int(PyObject *obj, PyObject *spec) { return format_whole(obj, spec, format_int_write); }
PyObject *format_float(PyObject *obj, PyObject *spec) { return format_whole(obj, spec, format_float_write); }
PyObject *format_complex(PyObject *obj, PyObject *spec) { return format_whole(obj, spec, format_complex_write); }

/* ---- f-strings ---- */

PyObject *unicode_format_value(PyObject *value, int conversion, PyObject *spec)
{
    PyObject *converted = NULL, *result;
    switch (conversion) {
    case 's': converted = PyObject_Str(value); break;
    case 'r': converted = PyObject_Repr(value); break;
    case 'a': converted = PyObject_ASCII(value); break;
    default:
        if (spec == NULL && PyUnicode_CheckExact(value))
            return Py_NewRef(value);
        return PyObject_Format(value, spec);
    }
    if (converted == NULL)
        return NULL;
    if (spec == NULL && PyUnicode_CheckExact(converted))
        return converted;
    result = PyObject_Format(converted, spec);
    Py_DECREF(converted);
    return result;
}
