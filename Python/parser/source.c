/* Decodes source text: byte order mark, coding cookie, validity. Everything comes out as UTF-8. */
#include "parse.h"

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\014';
}

/* Finds a cookie (PEP 263) in one line, [s, end). Returns its length and start, or 0. *blank: the line allows one on the next line. */
static int find_cookie(const char *s, const char *end, const char **name, int *blank)
{
    const char *t = s;
    while (t < end && is_space(*t))
        t++;
    *blank = t == end || *t == '#';
    if (t == end || *t != '#')
        return 0;
    for (; t + 6 < end; t++) {
        if (memcmp(t, "coding", 6) != 0)
            continue;
        const char *v = t + 6;
        if (*v != ':' && *v != '=')
            continue;
        do
            v++;
        while (v < end && (*v == ' ' || *v == '\t'));
        const char *first = v;
        while (v < end && (isalnum((unsigned char)*v) || *v == '-' || *v == '_' || *v == '.'))
            v++;
        if (v > first) {
            *name = first;
            return (int)(v - first);
        }
    }
    return 0;
}

/* The usual spellings of two codecs have one name. */
static void normalize(const char *name, int n, char *out, int room)
{
    char low[16];
    int k = 0;
    for (; k < 12 && k < n; k++)
        low[k] = name[k] == '_' ? '-' : (char)tolower((unsigned char)name[k]);
    low[k] = '\0';
    if (strcmp(low, "utf-8") == 0 || strncmp(low, "utf-8-", 6) == 0)
        snprintf(out, (size_t)room, "utf-8");
    else if (strcmp(low, "latin-1") == 0 || strcmp(low, "iso-8859-1") == 0 || strcmp(low, "iso-latin-1") == 0 ||
             strncmp(low, "latin-1-", 8) == 0 || strncmp(low, "iso-8859-1-", 11) == 0 || strncmp(low, "iso-latin-1-", 12) == 0)
        snprintf(out, (size_t)room, "iso-8859-1");
    else
        snprintf(out, (size_t)room, "%.*s", n, name);
}

static PyObject *fail_at_start(PyObject *filename, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    PyObject *args = message == NULL ? NULL : Py_BuildValue("(O(OiiO))", message, filename, 0, -1, Py_None);
    if (args != NULL)
        PyErr_SetObject(PyExc_SyntaxError, args);
    Py_XDECREF(args);
    Py_XDECREF(message);
    return NULL;
}

/* Length of the UTF-8 sequence at s, 0 if it is none. */
static int sequence_length(const unsigned char *s, const unsigned char *end)
{
    int n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    if (n == 0 || n > end - s)
        return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] >= 0x90))
        return 0;
    return n;
}

/* Offset of the first byte that is not UTF-8, or size. */
static Py_ssize_t find_invalid(const char *source, Py_ssize_t size)
{
    const unsigned char *s = (const unsigned char *)source, *end = s + size;
    while (s < end) {
        if (end - s >= 8) {
            uint64_t word;
            memcpy(&word, s, 8);
            if ((word & 0x8080808080808080u) == 0) {
                s += 8;
                continue;
            }
        }
        int n = sequence_length(s, end);
        if (n == 0)
            break;
        s += n;
    }
    return (const char *)s - source;
}

static PyObject *fail_invalid(const char *source, Py_ssize_t at, PyObject *filename)
{
    int lineno = 1;
    for (Py_ssize_t i = 0; i < at; i++)
        lineno += source[i] == '\n';
    PyErr_Format(PyExc_SyntaxError,
                 "Non-UTF-8 code starting with '\\x%.2x' in file %U on line %i, but no encoding declared; "
                 "see https://peps.python.org/pep-0263/ for details", (unsigned char)source[at], filename, lineno);
    return NULL;
}

/* Another codec: text, then UTF-8. Problems in a file that is run have no place. */
static PyObject *decode_with(const char *source, Py_ssize_t size, const char *codec, PyObject *filename, int from_file)
{
    PyObject *text = PyUnicode_Decode(source, size, codec, NULL);
    if (text == NULL) {
        if (from_file && (PyErr_ExceptionMatches(PyExc_LookupError) || PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)))
            return PyErr_Format(PyExc_SyntaxError, "encoding problem: %s", codec);
        if (PyErr_ExceptionMatches(PyExc_LookupError) && !PyErr_ExceptionMatches(PyExc_KeyError) &&
            !PyErr_ExceptionMatches(PyExc_IndexError)) {
            PyErr_Clear();
            return fail_at_start(filename, "unknown encoding: %s", codec);
        }
        if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyObject *type, *error, *trace;
            PyErr_Fetch(&type, &error, &trace);
            PyErr_NormalizeException(&type, &error, &trace);
            fail_at_start(filename, "%S", error);
            Py_XDECREF(type);
            Py_XDECREF(error);
            Py_XDECREF(trace);
        }
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsUTF8String(text);
    Py_DECREF(text);
    return bytes;
}

/* Finds out the codec and strips the byte order mark. Returns 0, or -1 with SyntaxError set. */
static int find_codec(const char **source, Py_ssize_t *size, PyObject *filename, int from_file, char *codec, int room)
{
    int bom = *size >= 3 && memcmp(*source, "\xEF\xBB\xBF", 3) == 0, n = 0;
    snprintf(codec, (size_t)room, "utf-8");
    if (bom) {
        *source += 3;
        *size -= 3;
    }
    const char *s = *source, *end = s + *size, *name = NULL;
    for (int line = 0; line < 2 && n == 0 && s < end; line++) {
        const char *e = s;
        int blank;
        while (e < end && *e != '\n' && *e != '\r')
            e++;
        n = find_cookie(s, e, &name, &blank);
        if (!blank)
            break;
        s = e < end && *e == '\r' && e + 1 < end && e[1] == '\n' ? e + 2 : e + 1;
    }
    if (n == 0)
        return 0;
    normalize(name, n, codec, room);
    if (bom && strcmp(codec, "utf-8") != 0) {
        if (from_file)
            PyErr_Format(PyExc_SyntaxError, "encoding problem: %s with BOM", codec);
        else
            fail_at_start(filename, "encoding problem: %s with BOM", codec);
        return -1;
    }
    return 0;
}

PyObject *parser_decode_bytes(const char *source, Py_ssize_t size, PyObject *filename)
{
    char codec[64];
    if (find_codec(&source, &size, filename, 0, codec, sizeof codec) < 0)
        return NULL;
    if (strcmp(codec, "utf-8") == 0)
        return PyBytes_FromStringAndSize(source, size);
    return decode_with(source, size, codec, filename, 0);
}

PyObject *parser_decode_source(const char *source, Py_ssize_t size, PyObject *filename, int ignore_cookie, PyObject **encoding)
{
    char codec[64] = "utf-8";
    PyObject *result;
    if (!ignore_cookie && find_codec(&source, &size, filename, 1, codec, sizeof codec) < 0)
        return NULL;
    if (strcmp(codec, "utf-8") == 0) {
        Py_ssize_t bad = find_invalid(source, size);
        result = bad == size ? PyBytes_FromStringAndSize(source, size) : fail_invalid(source, bad, filename);
    }
    else
        result = decode_with(source, size, codec, filename, 1);
    if (result != NULL && encoding != NULL) {
        *encoding = PyUnicode_FromString(codec);
        if (*encoding == NULL)
            Py_CLEAR(result);
    }
    return result;
}

PyObject *parser_source_line(const char *utf8, Py_ssize_t size, int lineno)
{
    const char *s = utf8, *end = utf8 + size;
    for (int i = 1; i < lineno && s != NULL; i++) {
        s = memchr(s, '\n', (size_t)(end - s));
        if (s != NULL)
            s++;
    }
    if (s == NULL || s >= end)
        return PyUnicode_FromString("");
    const char *e = memchr(s, '\n', (size_t)(end - s));
    return PyUnicode_DecodeUTF8(s, (e != NULL ? e + 1 : end) - s, "replace");
}
