/* JSON strings: reading one out of a document, and quoting a str. */
#include "json_internal.h"

/* ---- Reading ---- */

PyObject *json_decode_error(const char *message, PyObject *document, Py_ssize_t position)
{
    PyObject *type = _PyImport_GetModuleAttrString("json.decoder", "JSONDecodeError");
    if (type == NULL)
        return NULL;
    PyObject *exc = PyObject_CallFunction(type, "sOn", message, document, position);
    if (exc != NULL) {
        PyErr_SetObject(type, exc);
        Py_DECREF(exc);
    }
    Py_DECREF(type);
    return NULL;
}

static int hex_digit(Py_UCS4 c)
{
    return c - '0' < 10u ? (int)(c - '0') : (c | 32) - 'a' < 6u ? (int)((c | 32) - 'a' + 10) : -1;
}

/* The four hexadecimal digits at i, or -1. */
static int read_hex4(int kind, const void *data, Py_ssize_t i, Py_ssize_t length)
{
    int value = 0;
    if (length - i < 4)
        return -1;
    for (Py_ssize_t k = i; k < i + 4; k++) {
        int digit = hex_digit(PyUnicode_READ(kind, data, k));
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* One escape; *i: behind the backslash, then behind the escape. 0, or -1 with an exception. */
static int read_escape(PyObject *document, text_t *text, Py_ssize_t *i, Py_ssize_t start)
{
    int kind = PyUnicode_KIND(document);
    const void *data = PyUnicode_DATA(document);
    Py_ssize_t n = PyUnicode_GET_LENGTH(document);
    if (*i == n) {
        json_decode_error("Unterminated string starting at", document, start - 1);
        return -1;
    }
    Py_UCS4 c = PyUnicode_READ(kind, data, *i);
    ++*i;
    switch (c) {
    case '"': case '\\': case '/': break;
    case 'b': c = '\b'; break;
    case 'f': c = '\f'; break;
    case 'n': c = '\n'; break;
    case 'r': c = '\r'; break;
    case 't': c = '\t'; break;
    case 'u': {
        int unit = read_hex4(kind, data, *i, n);
        if (unit < 0) {
            json_decode_error("Invalid \\uXXXX escape", document, *i - 1);
            return -1;
        }
        c = (Py_UCS4)unit;
        *i += 4;
        if (Py_UNICODE_IS_HIGH_SURROGATE(c) && n - *i >= 2 && PyUnicode_READ(kind, data, *i) == '\\'
            && PyUnicode_READ(kind, data, *i + 1) == 'u') {
            int low = read_hex4(kind, data, *i + 2, n);
            if (low < 0) {
                json_decode_error("Invalid \\uXXXX escape", document, *i + 1);
                return -1;
            }
            if (Py_UNICODE_IS_LOW_SURROGATE(low)) {
                c = Py_UNICODE_JOIN_SURROGATES(c, low);
                *i += 6;
            }
        }
        break;
    }
    default:
        json_decode_error("Invalid \\escape", document, *i - 2);
        return -1;
    }
    if (text_reserve(text, 1, c) < 0)
        return -1;
    text_put(text, c);
    return 0;
}

PyObject *json_scan_string(PyObject *document, Py_ssize_t start, int strict, Py_ssize_t *end)
{
    int kind = PyUnicode_KIND(document);
    const void *data = PyUnicode_DATA(document);
    Py_ssize_t n = PyUnicode_GET_LENGTH(document), i = start;
    text_t text = {0};
    if (start < 0 || start > n) {
        PyErr_SetString(PyExc_ValueError, "end is out of bounds");
        return NULL;
    }
    for (;;) {
        Py_ssize_t plain = i;
        Py_UCS4 c = 0;
        for (; i < n; i++) {
            c = PyUnicode_READ(kind, data, i);
            if (c == '"' || c == '\\' || (c < 0x20 && strict))
                break;
        }
        if (i == n) {
            json_decode_error("Unterminated string starting at", document, start - 1);
            break;
        }
        if (c < 0x20) {
            json_decode_error("Invalid control character at", document, i);
            break;
        }
        if (c == '"' && text.length == 0) {
            *end = i + 1;
            text_free(&text);
            return PyUnicode_Substring(document, plain, i);
        }
        if (text_add_slice(&text, document, plain, i) < 0)
            break;
        i++;
        if (c == '"') {
            *end = i;
            return text_finish(&text);
        }
        if (read_escape(document, &text, &i, start) < 0)
            break;
    }
    text_free(&text);
    return NULL;
}

PyObject *json_scanstring(PyObject *module, PyObject *args)
{
    PyObject *document, *str, *result;
    Py_ssize_t end;
    int strict = 1;
    if (!PyArg_ParseTuple(args, "On|p:scanstring", &document, &end, &strict))
        return NULL;
    if (!PyUnicode_Check(document)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(document)->tp_name);
        return NULL;
    }
    str = json_scan_string(document, end, strict, &end);
    if (str == NULL)
        return NULL;
    result = Py_BuildValue("(On)", str, end);
    Py_DECREF(str);
    return result;
}

/* ---- Quoting ---- */

/* The letter of a two-character escape, or 0. */
static char short_escape(Py_UCS4 c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

static inline int needs_escape(Py_UCS4 c, int ascii)
{
    return c < 0x20 || c == '"' || c == '\\' || (ascii && c > 0x7e);
}

static void put_unit(text_t *text, Py_UCS4 unit)
{
    static const char digits[] = "0123456789abcdef";
    text_put(text, '\\');
    text_put(text, 'u');
    for (int shift = 12; shift >= 0; shift -= 4)
        text_put(text, (Py_UCS4)digits[unit >> shift & 15]);
}

static int put_escape(text_t *text, Py_UCS4 c)
{
    char letter = short_escape(c);
    if (text_reserve(text, 12, 127) < 0)
        return -1;
    if (letter != 0) {
        text_put(text, '\\');
        text_put(text, (Py_UCS4)letter);
    }
    else if (c >= 0x10000) {
        put_unit(text, Py_UNICODE_HIGH_SURROGATE(c));
        put_unit(text, Py_UNICODE_LOW_SURROGATE(c));
    }
    else
        put_unit(text, c);
    return 0;
}

int json_quote(text_t *text, PyObject *str, int ascii)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), i = 0;
    if (text_add_ascii(text, "\"", 1) < 0)
        return -1;
    for (;;) {
        Py_ssize_t plain = i;
        Py_UCS4 widest = 0;
        while (i < n && !needs_escape(PyUnicode_READ(kind, data, i), ascii))
            widest |= PyUnicode_READ(kind, data, i++);
        if (text_reserve(text, i - plain + 1, widest) < 0)
            return -1;
        for (Py_ssize_t k = plain; k < i; k++)
            text_put(text, PyUnicode_READ(kind, data, k));
        if (i == n)
            break;
        if (put_escape(text, PyUnicode_READ(kind, data, i++)) < 0)
            return -1;
    }
    text_put(text, '"');
    return 0;
}

static PyObject *quote(PyObject *arg, int ascii)
{
    text_t text = {0};
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (json_quote(&text, arg, ascii) < 0) {
        text_free(&text);
        return NULL;
    }
    return text_finish(&text);
}

PyObject *json_encode_basestring(PyObject *module, PyObject *arg)
{
    return quote(arg, 0);
}

PyObject *json_encode_basestring_ascii(PyObject *module, PyObject *arg)
{
    return quote(arg, 1);
}
