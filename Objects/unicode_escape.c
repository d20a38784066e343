/* The escape codecs: unicode_escape, raw_unicode_escape, and backslash escapes in bytes. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

struct unicode_name_hooks unicode_name_hooks;

static int hex_value(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \N{...} needs the names of the unicodedata module, which is loaded at the first use. */
static int load_names(void)
{
    if (unicode_name_hooks.get_code == NULL) {
        PyObject *module = PyImport_ImportModule("unicodedata");
        Py_XDECREF(module);
    }
    if (unicode_name_hooks.get_code != NULL)
        return 0;
    PyErr_SetString(PyExc_UnicodeError, "\\N escapes not supported (can't load unicodedata module)");
    return -1;
}

/* The outcome of one escape: a character, or an error over [backslash, to). */
typedef struct {
    Py_UCS4 ch;
    const char *reason;         /* NULL: ch is right */
    Py_ssize_t to;              /* behind the escape, or the end of the error */
    int incomplete;             /* the input ends within the escape */
} escape_t;

/* \xXX, \uXXXX, \UXXXXXXXX: pos is at the first digit. */
static void parse_hex(const char *s, Py_ssize_t size, Py_ssize_t pos, int digits, escape_t *e)
{
    Py_UCS4 ch = 0;
    for (int i = 0; i < digits; i++, pos++) {
        int value = pos < size ? hex_value((unsigned char)s[pos]) : -1;
        if (value < 0) {
            e->reason = digits == 2 ? "truncated \\xXX escape"
                        : digits == 4 ? "truncated \\uXXXX escape" : "truncated \\UXXXXXXXX escape";
            e->incomplete = pos >= size;
            e->to = pos;
            return;
        }
        ch = ch << 4 | (Py_UCS4)value;
    }
    e->ch = ch;
    e->to = pos;
    if (ch > 0x10ffff)
        e->reason = "illegal Unicode character";
}

/* \N{name}: pos is behind the N. Returns -1 with an exception. */
static int parse_name(const char *s, Py_ssize_t size, Py_ssize_t pos, escape_t *e)
{
    e->reason = "malformed \\N character escape";
    e->to = pos;
    if (pos >= size) {
        e->incomplete = 1;
        return 0;
    }
    if (s[pos] != '{')
        return 0;
    Py_ssize_t start = ++pos;
    while (pos < size && s[pos] != '}')
        pos++;
    e->to = pos;
    if (pos >= size) {
        e->incomplete = 1;
        return 0;
    }
    if (pos == start)
        return 0;
    if (load_names() < 0)
        return -1;
    e->to = pos + 1;
    if (pos - start < INT_MAX && unicode_name_hooks.get_code(s + start, (int)(pos - start), &e->ch))
        e->reason = NULL;
    else
        e->reason = "unknown Unicode character name";
    return 0;
}

/* The escape whose backslash is at pos. *unknown: set if the backslash stands for itself. -1 with an exception. */
static int parse_escape(const char *s, Py_ssize_t size, Py_ssize_t pos, escape_t *e, int *unknown)
{
    *e = (escape_t){.to = pos + 2};
    *unknown = 0;
    if (pos + 1 >= size) {
        e->reason = "\\ at end of string";
        e->incomplete = 1;
        e->to = size;
        return 0;
    }
    unsigned char c = (unsigned char)s[pos + 1];
    switch (c) {
    case '\\': case '\'': case '"': e->ch = c; return 0;
    case 'b': e->ch = '\b'; return 0;
    case 'f': e->ch = '\f'; return 0;
    case 't': e->ch = '\t'; return 0;
    case 'n': e->ch = '\n'; return 0;
    case 'r': e->ch = '\r'; return 0;
    case 'v': e->ch = '\v'; return 0;
    case 'a': e->ch = '\a'; return 0;
    case 'x': parse_hex(s, size, pos + 2, 2, e); return 0;
    case 'u': parse_hex(s, size, pos + 2, 4, e); return 0;
    case 'U': parse_hex(s, size, pos + 2, 8, e); return 0;
    case 'N': return parse_name(s, size, pos + 2, e);
    default: break;
    }
    if (c < '0' || c > '7') {
        *unknown = 1;
        e->ch = c;
        return 0;
    }
    Py_ssize_t i = pos + 1, end = Py_MIN(pos + 4, size);
    while (i < end && s[i] >= '0' && s[i] <= '7')
        e->ch = e->ch << 3 | (Py_UCS4)(s[i++] - '0');
    e->to = i;
    /* A larger octal number works, but is reported like an unknown escape. */
    if (e->ch > 0377)
        *unknown = 2;
    return 0;
}

/* The first escape that means nothing. */
struct invalid_escape {
    const char *place;          /* behind the backslash, in the original input; NULL: none, or an error handler has replaced that */
    char text[4];               /* as much of it as warnings show */
};

static PyObject *decode_escapes(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed,
                                struct invalid_escape *invalid)
{
    *invalid = (struct invalid_escape){NULL, ""};
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "unicodeescape", errors, s, size);
    unicode_writer_init_sized(&w, size);
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    while (pos < d.end - d.start) {
        const char *start = d.start + pos;
        const char *backslash = memchr(start, '\\', (size_t)(d.end - start));
        const char *stop = backslash == NULL ? d.end : backslash;
        if (stop > start) {
            if (unicode_writer_write_latin1(&w, start, stop - start) < 0)
                goto done;
            pos = stop - d.start;
            continue;
        }
        if (pos + 1 < d.end - d.start && start[1] == '\n') {
            pos += 2;
            continue;
        }
        escape_t e;
        int unknown;
        if (parse_escape(d.start, d.end - d.start, pos, &e, &unknown) < 0)
            goto done;
        if (e.reason != NULL) {
            if (e.incomplete && consumed != NULL)
                break;
            pos = unicode_decoder_error(&d, &w, pos, e.to, e.reason);
            if (pos < 0)
                goto done;
            continue;
        }
        if (unknown && invalid->text[0] == '\0') {
            invalid->place = d.input == NULL ? start + 1 : NULL;
            memcpy(invalid->text, start + 1, (size_t)Py_MIN(3, d.end - start - 1));
        }
        if (unknown == 1 && unicode_writer_write_char(&w, '\\') < 0)
            goto done;
        if (unicode_writer_write_char(&w, e.ch) < 0)
            goto done;
        pos = e.to;
    }
    if (consumed != NULL)
        *consumed = pos;
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

PyObject *_PyUnicode_DecodeUnicodeEscapeInternal(const char *s, Py_ssize_t size, const char *errors,
                                                 Py_ssize_t *consumed, const char **first_invalid)
{
    struct invalid_escape invalid;
    PyObject *str = decode_escapes(s, size, errors, consumed, &invalid);
    if (first_invalid != NULL)
        *first_invalid = invalid.place;
    return str;
}

/* text: what is behind the backslash. 0, or -1 if the warning is an error. */
static int warn_invalid(const char *text)
{
    unsigned char c = (unsigned char)*text;
    return '4' <= c && c <= '7'
               ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", text)
               : PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", c);
}

PyObject *_PyUnicode_DecodeUnicodeEscapeStateful(const char *s, Py_ssize_t size, const char *errors,
                                                 Py_ssize_t *consumed)
{
    struct invalid_escape invalid;
    PyObject *str = decode_escapes(s, size, errors, consumed, &invalid);
    if (str != NULL && invalid.text[0] != '\0' && warn_invalid(invalid.text) < 0)
        Py_CLEAR(str);
    return str;
}

PyObject *PyUnicode_DecodeUnicodeEscape(const char *s, Py_ssize_t size, const char *errors)
{
    return _PyUnicode_DecodeUnicodeEscapeStateful(s, size, errors, NULL);
}

static void write_hex(byte_writer_t *w, char letter, int digits, Py_UCS4 ch)
{
    w->data[w->length++] = '\\';
    w->data[w->length++] = letter;
    for (int i = digits - 1; i >= 0; i--)
        w->data[w->length++] = Py_hexdigits[(ch >> (4 * i)) & 15];
}

PyObject *PyUnicode_AsUnicodeEscapeString(PyObject *str)
{
    if (str == NULL || !PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    byte_writer_t w;
    byte_writer_init(&w);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(str); i++) {
        if (byte_writer_prepare(&w, 10) < 0) {
            byte_writer_dealloc(&w);
            return NULL;
        }
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        const char *simple = ch == '\\' ? "\\\\" : ch == '\n' ? "\\n" : ch == '\t' ? "\\t" : ch == '\r' ? "\\r" : NULL;
        if (simple != NULL) {
            memcpy(w.data + w.length, simple, 2);
            w.length += 2;
        }
        else if (ch >= ' ' && ch < 0x7f)
            w.data[w.length++] = (char)ch;
        else if (ch < 0x100)
            write_hex(&w, 'x', 2, ch);
        else if (ch < 0x10000)
            write_hex(&w, 'u', 4, ch);
        else
            write_hex(&w, 'U', 8, ch);
    }
    return byte_writer_finish(&w);
}

/* ---- raw_unicode_escape: Latin-1 with \uXXXX and \UXXXXXXXX ---- */

PyObject *_PyUnicode_DecodeRawUnicodeEscapeStateful(const char *s, Py_ssize_t size, const char *errors,
                                                    Py_ssize_t *consumed)
{
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "rawunicodeescape", errors, s, size);
    unicode_writer_init_sized(&w, size);
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    while (pos < d.end - d.start) {
        Py_ssize_t n = d.end - d.start;
        unsigned char c = (unsigned char)d.start[pos];
        if (c != '\\' || (pos + 1 >= n && consumed == NULL)) {
            if (unicode_writer_write_char(&w, c) < 0)
                goto done;
            pos++;
            continue;
        }
        if (pos + 1 >= n)
            break;
        char letter = d.start[pos + 1];
        if (letter != 'u' && letter != 'U') {
            if (unicode_writer_write_char(&w, '\\') < 0
                || unicode_writer_write_char(&w, (unsigned char)letter) < 0)
                goto done;
            pos += 2;
            continue;
        }
        escape_t e = {.to = pos + 2};
        parse_hex(d.start, n, pos + 2, letter == 'u' ? 4 : 8, &e);
        if (e.reason == NULL) {
            if (unicode_writer_write_char(&w, e.ch) < 0)
                goto done;
            pos = e.to;
            continue;
        }
        if (e.incomplete && consumed != NULL)
            break;
        if (e.ch > 0x10ffff)
            e.reason = "\\Uxxxxxxxx out of range";
        pos = unicode_decoder_error(&d, &w, pos, e.to, e.reason);
        if (pos < 0)
            goto done;
    }
    if (consumed != NULL)
        *consumed = pos;
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

PyObject *PyUnicode_DecodeRawUnicodeEscape(const char *s, Py_ssize_t size, const char *errors)
{
    return _PyUnicode_DecodeRawUnicodeEscapeStateful(s, size, errors, NULL);
}

PyObject *PyUnicode_AsRawUnicodeEscapeString(PyObject *str)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_KIND(str) == PyUnicode_1BYTE_KIND)
        return PyBytes_FromStringAndSize(PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
    byte_writer_t w;
    byte_writer_init(&w);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(str); i++) {
        if (byte_writer_prepare(&w, 10) < 0) {
            byte_writer_dealloc(&w);
            return NULL;
        }
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        if (ch < 0x100)
            w.data[w.length++] = (char)ch;
        else if (ch < 0x10000)
            write_hex(&w, 'u', 4, ch);
        else
            write_hex(&w, 'U', 8, ch);
    }
    return byte_writer_finish(&w);
}

/* ---- Escapes in bytes ---- */

/* \xXX in bytes: pos is at the backslash. Returns where to go on, or -1. */
static Py_ssize_t bytes_hex_escape(byte_writer_t *w, const char *s, Py_ssize_t size, Py_ssize_t pos, const char *errors)
{
    if (pos + 3 < size) {
        int high = hex_value((unsigned char)s[pos + 2]), low = hex_value((unsigned char)s[pos + 3]);
        if (high >= 0 && low >= 0)
            return byte_writer_write_byte(w, (unsigned char)(high << 4 | low)) < 0 ? -1 : pos + 4;
    }
    if (errors == NULL || strcmp(errors, "strict") == 0) {
        PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd", pos);
        return -1;
    }
    if (strcmp(errors, "replace") == 0) {
        if (byte_writer_write_byte(w, '?') < 0)
            return -1;
    }
    else if (strcmp(errors, "ignore") != 0) {
        PyErr_Format(PyExc_ValueError, "decoding error; unknown error handling code: %.400s", errors);
        return -1;
    }
    return pos + 2 < size && hex_value((unsigned char)s[pos + 2]) >= 0 ? pos + 3 : pos + 2;
}

PyObject *unicode_escape_decode_bytes(const char *s, Py_ssize_t size, const char *errors, const char **first_invalid)
{
    static const char letters[] = "\\\\''\"\"b\bf\ft\tn\nr\rv\va\a";
    byte_writer_t w;
    byte_writer_init(&w);
    if (first_invalid != NULL)
        *first_invalid = NULL;
    Py_ssize_t pos = 0;
    while (pos < size) {
        const char *backslash = memchr(s + pos, '\\', (size_t)(size - pos));
        Py_ssize_t stop = backslash == NULL ? size : backslash - s;
        if (byte_writer_write(&w, s + pos, stop - pos) < 0)
            goto failed;
        pos = stop;
        if (pos == size)
            break;
        if (pos + 1 == size) {
            PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
            goto failed;
        }
        unsigned char c = (unsigned char)s[pos + 1];
        int rc = 0;
        const char *known = NULL;
        for (const char *p = letters; *p != '\0'; p += 2)
            if ((unsigned char)*p == c)
                known = p;
        if (known != NULL) {
            rc = byte_writer_write_byte(&w, (unsigned char)known[1]);
            pos += 2;
        }
        else if (c == '\n')
            pos += 2;
        else if (c >= '0' && c <= '7') {
            unsigned value = 0;
            Py_ssize_t end = Py_MIN(pos + 4, size), i = pos + 1;
            while (i < end && s[i] >= '0' && s[i] <= '7')
                value = value << 3 | (unsigned)(s[i++] - '0');
            if (value > 0377 && first_invalid != NULL && *first_invalid == NULL)
                *first_invalid = s + pos + 1;
            rc = byte_writer_write_byte(&w, (unsigned char)value);
            pos = i;
        }
        else if (c == 'x') {
            pos = bytes_hex_escape(&w, s, size, pos, errors);
            rc = pos < 0 ? -1 : 0;
        }
        else {
            if (first_invalid != NULL && *first_invalid == NULL)
                *first_invalid = s + pos + 1;
            rc = byte_writer_write(&w, s + pos, 2);
            pos += 2;
        }
        if (rc < 0)
            goto failed;
    }
    return byte_writer_finish(&w);
failed:
    byte_writer_dealloc(&w);
    return NULL;
}

/* CPython's names of the same: used by Python/parser and by extensions. */
PyObject *PyBytes_DecodeEscape(const char *s, Py_ssize_t len, const char *errors, Py_ssize_t Py_UNUSED(unicode),
                               const char *Py_UNUSED(recode_encoding))
{
    const char *first_invalid;
    PyObject *bytes = unicode_escape_decode_bytes(s, len, errors, &first_invalid);
    if (bytes != NULL && first_invalid != NULL && warn_invalid(first_invalid) < 0)
        Py_CLEAR(bytes);
    return bytes;
}
