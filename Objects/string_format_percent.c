/* The % operator: parsing conversions and fetching their arguments (for str and bytes), formatting numbers, and str's own
 * loop. */
#include <Python.h>
#include "string_format.h"
#include "unicode.h"

/* ---- Arguments ---- */

void percent_args_init(percent_args_t *a, PyObject *operand, int is_bytes)
{
    *a = (percent_args_t){.is_bytes = is_bytes, .count = -1};
    if (PyTuple_Check(operand)) {
        a->tuple = operand;
        a->count = PyTuple_GET_SIZE(operand);
    }
    else
        a->single = operand;
    if (PyMapping_Check(operand) && !PyTuple_Check(operand) && !PyUnicode_Check(operand)
        && !(is_bytes && (PyBytes_Check(operand) || PyObject_TypeCheck(operand, &PyByteArray_Type))))
        a->mapping = operand;
}

void percent_args_fini(percent_args_t *a)
{
    Py_CLEAR(a->looked_up);
}

/* The next argument (borrowed), or NULL with TypeError. */
static PyObject *next_argument(percent_args_t *a)
{
    if (a->count == -1) {
        a->count = -2;
        return a->single;
    }
    if (a->count >= 0 && a->index < a->count)
        return PyTuple_GET_ITEM(a->tuple, a->index++);
    PyErr_SetString(PyExc_TypeError, "not enough arguments for format string");
    return NULL;
}

int percent_args_done(percent_args_t *a)
{
    int left = a->count == -1 || (a->count >= 0 && a->index < a->count);
    if (!left || a->mapping != NULL)
        return 0;
    PyErr_Format(PyExc_TypeError, "not all arguments converted during %s formatting",
                 a->is_bytes ? "bytes" : "string");
    return -1;
}

/* ---- Parsing ---- */

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t length, pos;
} cursor_t;

static Py_UCS4 peek(const cursor_t *c)
{
    return PyUnicode_READ(c->kind, c->data, c->pos);
}

/* Reads the next character; -1 with ValueError at the end. */
static int advance(cursor_t *c, Py_UCS4 *ch)
{
    if (c->pos >= c->length) {
        PyErr_SetString(PyExc_ValueError, "incomplete format");
        return -1;
    }
    *ch = PyUnicode_READ(c->kind, c->data, c->pos++);
    return 0;
}

/* "(key)": the cursor is behind the parenthesis. The value becomes the single argument. */
static int look_up_key(percent_args_t *a, cursor_t *c)
{
    if (a->mapping == NULL) {
        PyErr_SetString(PyExc_TypeError, "format requires a mapping");
        return -1;
    }
    Py_ssize_t start = c->pos;
    int depth = 1;
    while (depth > 0 && c->pos < c->length) {
        Py_UCS4 ch = peek(c);
        depth += ch == '(' ? 1 : ch == ')' ? -1 : 0;
        c->pos++;
    }
    if (depth > 0) {
        PyErr_SetString(PyExc_ValueError, "incomplete format key");
        return -1;
    }
    Py_ssize_t n = c->pos - 1 - start;
    const char *text = (const char *)c->data + start * c->kind;
    PyObject *key = a->is_bytes ? PyBytes_FromStringAndSize(text, n) : PyUnicode_FromKindAndData(c->kind, text, n);
    if (key == NULL)
        return -1;
    PyObject *value = PyObject_GetItem(a->mapping, key);
    Py_DECREF(key);
    if (value == NULL)
        return -1;
    Py_XSETREF(a->looked_up, value);
    a->single = value;
    a->tuple = NULL;
    a->count = -1;
    return 0;
}

/* A number, or '*' for the next argument. first is the character just read; *next the one after. */
static int parse_size(percent_args_t *a, cursor_t *c, Py_UCS4 first, const char *too_big, Py_ssize_t max, int is_width,
                      percent_conversion_t *conv, Py_ssize_t *size, Py_UCS4 *next)
{
    if (first == '*') {
        PyObject *arg = next_argument(a);
        if (arg == NULL)
            return -1;
        if (!PyLong_Check(arg)) {
            PyErr_SetString(PyExc_TypeError, "* wants int");
            return -1;
        }
        *size = is_width ? PyLong_AsSsize_t(arg) : _PyLong_AsInt(arg);
        if (*size == -1 && PyErr_Occurred())
            return -1;
        if (*size < 0) {
            if (is_width)
                conv->flags |= PERCENT_LEFT;
            *size = is_width ? -*size : 0;
        }
        return advance(c, next);
    }
    *next = first;
    if (first < '0' || first > '9')
        return 0;
    Py_ssize_t value = (Py_ssize_t)(first - '0');
    for (;;) {
        if (advance(c, next) < 0)
            return -1;
        if (*next < '0' || *next > '9')
            break;
        if (value > (max - (Py_ssize_t)(*next - '0')) / 10) {
            PyErr_SetString(PyExc_ValueError, too_big);
            return -1;
        }
        value = value * 10 + (Py_ssize_t)(*next - '0');
    }
    *size = value;
    return 0;
}

static int flag_of(Py_UCS4 ch)
{
    switch (ch) {
    case '-': return PERCENT_LEFT;
    case '+': return PERCENT_SIGN;
    case ' ': return PERCENT_BLANK;
    case '#': return PERCENT_ALT;
    case '0': return PERCENT_ZERO;
    default: return 0;
    }
}

int percent_parse(percent_args_t *a, int kind, const void *data, Py_ssize_t length, Py_ssize_t *pos,
                  percent_conversion_t *conv, PyObject **value)
{
    cursor_t c = {kind, data, length, *pos};
    Py_UCS4 ch;
    *conv = (percent_conversion_t){.width = -1, .precision = -1};
    *value = NULL;
    if (c.pos < length && peek(&c) == '%') {
        conv->type = '%';
        *pos = c.pos + 1;
        return 0;
    }
    if (c.pos < length && peek(&c) == '(') {
        c.pos++;
        if (look_up_key(a, &c) < 0)
            return -1;
    }
    do {
        if (advance(&c, &ch) < 0)
            return -1;
        conv->flags |= flag_of(ch);
    } while (flag_of(ch));
    if (parse_size(a, &c, ch, "width too big", PY_SSIZE_T_MAX, 1, conv, &conv->width, &ch) < 0)
        return -1;
    if (ch == '.') {
        conv->precision = 0;
        if (advance(&c, &ch) < 0
            || parse_size(a, &c, ch, a->is_bytes ? "prec too big" : "precision too big", INT_MAX, 0, conv,
                          &conv->precision, &ch) < 0)
            return -1;
    }
    if (ch == 'h' || ch == 'l' || ch == 'L')
        if (advance(&c, &ch) < 0)
            return -1;
    conv->type = ch;
    conv->index = c.pos - 1;
    *pos = c.pos;
    *value = next_argument(a);
    if (*value == NULL)
        return -1;
    if (ch == '%') {            /* "%5%" takes an argument and then fails */
        percent_unsupported(conv);
        return -1;
    }
    return 0;
}

void percent_unsupported(const percent_conversion_t *conv)
{
    PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd",
                 31 <= conv->type && conv->type <= 126 ? (int)conv->type : '?', (int)conv->type, conv->index);
}

/* ---- Numbers ---- */

static PyObject *wrong_number(const percent_conversion_t *conv, PyObject *value)
{
    int integer = conv->type == 'o' || conv->type == 'x' || conv->type == 'X';
    PyErr_Format(PyExc_TypeError, "%%%c format: %s is required, not %.200s", (int)conv->type,
                 integer ? "an integer" : "a real number", Py_TYPE(value)->tp_name);
    return NULL;
}

/* value as an int (new reference). */
static PyObject *integer_of(const percent_conversion_t *conv, PyObject *value)
{
    if (PyLong_Check(value))
        return Py_NewRef(value);
    if (!PyNumber_Check(value))
        return wrong_number(conv, value);
    int integer = conv->type == 'o' || conv->type == 'x' || conv->type == 'X';
    PyObject *result = integer ? PyNumber_Index(value) : PyNumber_Long(value);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_TypeError))
        return wrong_number(conv, value);
    return result;
}

/* Digits with prefix (when asked for) and sign, and at least `precision` digits. */
static PyObject *arrange_integer(const percent_conversion_t *conv, PyObject *text)
{
    const char *digits = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    int negative = digits[0] == '-', prefixed = conv->type == 'o' || conv->type == 'x' || conv->type == 'X';
    digits += negative + 2 * prefixed;
    n -= negative + 2 * prefixed;
    Py_ssize_t zeros = conv->precision > n ? conv->precision - n : 0;
    char prefix[4] = "";
    if (prefixed && (conv->flags & PERCENT_ALT))
        snprintf(prefix, sizeof(prefix), "0%c", (char)conv->type);
    const char *sign = negative ? "-" : conv->flags & PERCENT_SIGN ? "+" : conv->flags & PERCENT_BLANK ? " " : "";
    unicode_writer_t w;
    unicode_writer_init(&w);
    Py_ssize_t first = (Py_ssize_t)strlen(sign);
    if (unicode_writer_write_ascii(&w, sign, -1) < 0 || unicode_writer_write_ascii(&w, prefix, -1) < 0
        || unicode_writer_fill(&w, '0', zeros) < 0 || unicode_writer_write_ascii(&w, digits, n) < 0) {
        unicode_writer_dealloc(&w);
        return NULL;
    }
    if (conv->type == 'X')
        for (Py_ssize_t i = first; i < w.pos; i++)
            ((char *)w.data)[i] = (char)toupper(((unsigned char *)w.data)[i]);
    return unicode_writer_finish(&w);
}

static PyObject *format_real(const percent_conversion_t *conv, PyObject *value)
{
    double x = PyFloat_AsDouble(value);
    if (x == -1.0 && PyErr_Occurred())
        return NULL;
    int precision = conv->precision < 0 ? 6 : (int)conv->precision;
    char *text = PyOS_double_to_string(x, (char)conv->type, precision, conv->flags & PERCENT_ALT ? Py_DTSF_ALT : 0, NULL);
    if (text == NULL)
        return NULL;
    const char *sign = text[0] == '-' ? "" : conv->flags & PERCENT_SIGN ? "+" : conv->flags & PERCENT_BLANK ? " " : "";
    PyObject *result = PyUnicode_FromFormat("%s%s", sign, text);
    PyMem_Free(text);
    return result;
}

PyObject *percent_format_number(const percent_conversion_t *conv, PyObject *value)
{
    switch (conv->type) {
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return format_real(conv, value);
    default:
        break;
    }
    PyObject *number = integer_of(conv, value);
    if (number == NULL)
        return NULL;
    PyObject *text = _PyLong_Format(number, conv->type == 'o' ? 8 : conv->type == 'x' || conv->type == 'X' ? 16 : 10);
    Py_DECREF(number);
    if (text == NULL)
        return NULL;
    PyObject *result = arrange_integer(conv, text);
    Py_DECREF(text);
    return result;
}

void percent_pad(const percent_conversion_t *conv, const char *text, Py_ssize_t length, int numeric, Py_ssize_t *before,
                 Py_ssize_t *prefix, Py_ssize_t *zeros, Py_ssize_t *after)
{
    Py_ssize_t padding = conv->width > length ? conv->width - length : 0;
    *before = *prefix = *zeros = *after = 0;
    if (conv->flags & PERCENT_LEFT)
        *after = padding;
    else if (!numeric || !(conv->flags & PERCENT_ZERO))
        *before = padding;
    else {
        *zeros = padding;
        if (length > 0 && (text[0] == '-' || text[0] == '+' || text[0] == ' '))
            *prefix = 1;
        if ((conv->flags & PERCENT_ALT) && (conv->type == 'o' || conv->type == 'x' || conv->type == 'X'))
            *prefix += 2;
    }
}

/* ---- str ---- */

static int write_number(unicode_writer_t *w, const percent_conversion_t *conv, PyObject *value)
{
    PyObject *text = percent_format_number(conv, value);
    if (text == NULL)
        return -1;
    Py_ssize_t before, prefix, zeros, after, n = PyUnicode_GET_LENGTH(text);
    const char *data = PyUnicode_DATA(text);
    percent_pad(conv, data, n, 1, &before, &prefix, &zeros, &after);
    int rc = -1;
    if (unicode_writer_fill(w, ' ', before) == 0 && unicode_writer_write_ascii(w, data, prefix) == 0
        && unicode_writer_fill(w, '0', zeros) == 0 && unicode_writer_write_ascii(w, data + prefix, n - prefix) == 0)
        rc = unicode_writer_fill(w, ' ', after);
    Py_DECREF(text);
    return rc;
}

static int write_text(unicode_writer_t *w, const percent_conversion_t *conv, PyObject *text)
{
    if (text == NULL)
        return -1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    if (conv->precision >= 0 && conv->precision < n)
        n = conv->precision;
    Py_ssize_t padding = conv->width > n ? conv->width - n : 0;
    Py_ssize_t before = conv->flags & PERCENT_LEFT ? 0 : padding;
    int rc = -1;
    if (unicode_writer_fill(w, ' ', before) == 0 && unicode_writer_write_substring(w, text, 0, n) == 0)
        rc = unicode_writer_fill(w, ' ', padding - before);
    Py_DECREF(text);
    return rc;
}

/* The one-character string that %c makes of value. */
static PyObject *character_of(PyObject *value)
{
    if (PyUnicode_Check(value)) {
        if (PyUnicode_GET_LENGTH(value) == 1)
            return unicode_from_char(PyUnicode_READ_CHAR(value, 0));
        PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    PyObject *number = PyLong_Check(value) ? Py_NewRef(value) : PyNumber_Index(value);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    int overflow;
    long ch = PyLong_AsLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow || ch < 0 || ch > 0x10ffff) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return NULL;
    }
    return unicode_from_char((Py_UCS4)ch);
}

/* The common %d of a small int and %s of a str, without width and flags. 1 done, 0 not this case, -1 error. */
static int write_simple(unicode_writer_t *w, const percent_conversion_t *conv, PyObject *value)
{
    if (conv->width >= 0 || conv->precision >= 0 || conv->flags != 0)
        return 0;
    if (conv->type == 's' || (conv->type == 'd' && PyLong_CheckExact(value)))
        return unicode_writer_write_object_str(w, value) < 0 ? -1 : 1;
    return 0;
}

static int write_conversion(unicode_writer_t *w, const percent_conversion_t *conv, PyObject *value)
{
    int done = write_simple(w, conv, value);
    if (done != 0)
        return done < 0 ? -1 : 0;
    percent_conversion_t plain;
    switch (conv->type) {
    case 's':
        return write_text(w, conv, PyObject_Str(value));
    case 'r':
        return write_text(w, conv, PyObject_Repr(value));
    case 'a':
        return write_text(w, conv, PyObject_ASCII(value));
    case 'c':
        plain = *conv;
        plain.precision = -1;
        return write_text(w, &plain, character_of(value));
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return write_number(w, conv, value);
    default:
        percent_unsupported(conv);
        return -1;
    }
}

PyObject *PyUnicode_Format(PyObject *format, PyObject *operand)
{
    if (format == NULL || operand == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyUnicode_Check(format)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(format)->tp_name);
        return NULL;
    }
    int kind = PyUnicode_KIND(format);
    const void *data = PyUnicode_DATA(format);
    Py_ssize_t n = PyUnicode_GET_LENGTH(format), pos = 0;
    percent_args_t args;
    unicode_writer_t w;
    percent_args_init(&args, operand, 0);
    unicode_writer_init_sized(&w, n + 100);
    PyObject *result = NULL;
    while (pos < n) {
        Py_ssize_t run = unicode_find_char(kind, (const char *)data + pos * kind, n - pos, '%');
        Py_ssize_t end = run < 0 ? n : pos + run;
        if (unicode_writer_write_substring(&w, format, pos, end) < 0)
            goto done;
        if (end == n)
            break;
        pos = end + 1;
        percent_conversion_t conv;
        PyObject *value;
        if (percent_parse(&args, kind, data, n, &pos, &conv, &value) < 0)
            goto done;
        if (value == NULL) {
            if (unicode_writer_write_char(&w, '%') < 0)
                goto done;
        }
        else if (write_conversion(&w, &conv, value) < 0)
            goto done;
    }
    if (percent_args_done(&args) == 0)
        result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    percent_args_fini(&args);
    return result;
}
