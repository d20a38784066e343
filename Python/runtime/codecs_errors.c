/* The standard error handlers of codecs, as functions of an exception that return (replacement, position). */
#include <Python.h>
#include <strings.h>
#include "unicode.h"
#include "unicode_writer.h"
#include "codec_handlers.h"

const char *Py_hexdigits = "0123456789abcdef";

/* What a handler needs of any of the three exceptions. */
typedef struct {
    enum { KIND_ENCODE, KIND_DECODE, KIND_TRANSLATE } kind;
    PyObject *object;           /* counted: str, or bytes for KIND_DECODE */
    Py_ssize_t start, end;
} failure_t;

static void failure_fini(failure_t *f)
{
    Py_CLEAR(f->object);
}

static PyObject *wrong_type(PyObject *exc)
{
    PyErr_Format(PyExc_TypeError, "don't know how to handle %.200s in error callback", Py_TYPE(exc)->tp_name);
    return NULL;
}

static int failure_init(failure_t *f, PyObject *exc)
{
    *f = (failure_t){0};
    int rc;
    if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_UnicodeEncodeError)) {
        f->kind = KIND_ENCODE;
        rc = PyUnicodeEncodeError_GetStart(exc, &f->start) | PyUnicodeEncodeError_GetEnd(exc, &f->end);
        f->object = rc == 0 ? PyUnicodeEncodeError_GetObject(exc) : NULL;
    }
    else if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        f->kind = KIND_DECODE;
        rc = PyUnicodeDecodeError_GetStart(exc, &f->start) | PyUnicodeDecodeError_GetEnd(exc, &f->end);
        f->object = rc == 0 ? PyUnicodeDecodeError_GetObject(exc) : NULL;
    }
    else if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_UnicodeTranslateError)) {
        f->kind = KIND_TRANSLATE;
        rc = PyUnicodeTranslateError_GetStart(exc, &f->start) | PyUnicodeTranslateError_GetEnd(exc, &f->end);
        f->object = rc == 0 ? PyUnicodeTranslateError_GetObject(exc) : NULL;
    }
    else {
        wrong_type(exc);
        return -1;
    }
    return f->object == NULL ? -1 : 0;
}

/* (replacement, position); steals the replacement. */
static PyObject *answer(PyObject *replacement, Py_ssize_t position)
{
    return replacement == NULL ? NULL : Py_BuildValue("(Nn)", replacement, position);
}

static PyObject *repeat_char(Py_UCS4 ch, Py_ssize_t n)
{
    PyObject *one = unicode_from_char(ch);
    if (one == NULL)
        return NULL;
    PyObject *many = unicode_repeat(one, n);
    Py_DECREF(one);
    return many;
}

PyObject *PyCodec_StrictErrors(PyObject *exc)
{
    if (PyExceptionInstance_Check(exc))
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    else
        PyErr_SetString(PyExc_TypeError, "codec must pass exception instance");
    return NULL;
}

PyObject *PyCodec_IgnoreErrors(PyObject *exc)
{
    failure_t f;
    if (failure_init(&f, exc) < 0)
        return NULL;
    failure_fini(&f);
    return answer(unicode_empty(), f.end);
}

PyObject *PyCodec_ReplaceErrors(PyObject *exc)
{
    failure_t f;
    if (failure_init(&f, exc) < 0)
        return NULL;
    failure_fini(&f);
    return answer(repeat_char(f.kind == KIND_ENCODE ? '?' : 0xFFFD, f.kind == KIND_DECODE ? 1 : f.end - f.start), f.end);
}

static int write_backslash(unicode_writer_t *w, Py_UCS4 ch)
{
    char text[16];
    snprintf(text, sizeof(text), ch < 0x100 ? "\\x%02x" : ch < 0x10000 ? "\\u%04x" : "\\U%08x", ch);
    return unicode_writer_write_ascii(w, text, -1);
}

static int write_reference(unicode_writer_t *w, Py_UCS4 ch)
{
    char text[16];
    snprintf(text, sizeof(text), "&#%u;", ch);
    return unicode_writer_write_ascii(w, text, -1);
}

static int write_name(unicode_writer_t *w, Py_UCS4 ch)
{
    char name[256];
    if (unicode_name_hooks.get_name == NULL || !unicode_name_hooks.get_name(ch, name, sizeof(name)))
        return write_backslash(w, ch);
    if (unicode_writer_write_ascii(w, "\\N{", 3) < 0 || unicode_writer_write_ascii(w, name, -1) < 0)
        return -1;
    return unicode_writer_write_char(w, '}');
}

/* The characters (or bytes) of the failure, each written by write. */
static PyObject *escape_each(PyObject *exc, int only_encode, int (*write)(unicode_writer_t *, Py_UCS4))
{
    failure_t f;
    if (failure_init(&f, exc) < 0)
        return NULL;
    PyObject *result = NULL;
    unicode_writer_t w;
    unicode_writer_init(&w);
    if (only_encode && f.kind != KIND_ENCODE) {
        wrong_type(exc);
        goto done;
    }
    for (Py_ssize_t i = f.start; i < f.end; i++) {
        Py_UCS4 ch = f.kind == KIND_DECODE ? (unsigned char)PyBytes_AS_STRING(f.object)[i]
                                           : PyUnicode_READ_CHAR(f.object, i);
        if (write(&w, ch) < 0)
            goto done;
    }
    result = answer(unicode_writer_finish(&w), f.end);
done:
    unicode_writer_dealloc(&w);
    failure_fini(&f);
    return result;
}

PyObject *PyCodec_XMLCharRefReplaceErrors(PyObject *exc)
{
    return escape_each(exc, 1, write_reference);
}

PyObject *PyCodec_BackslashReplaceErrors(PyObject *exc)
{
    return escape_each(exc, 0, write_backslash);
}

PyObject *PyCodec_NameReplaceErrors(PyObject *exc)
{
    if (unicode_name_hooks.get_name == NULL) {
        PyObject *module = PyImport_ImportModule("unicodedata");
        if (module == NULL)
            return NULL;
        Py_DECREF(module);
    }
    return escape_each(exc, 1, write_name);
}

/* ---- surrogatepass ---- */

enum { ENCODING_UNKNOWN, ENCODING_UTF8, ENCODING_UTF16, ENCODING_UTF32 };

/* Which UTF a codec name means, and its byte order. */
static int utf_of(const char *name, int *big)
{
    *big = PY_BIG_ENDIAN;
    if (strncasecmp(name, "utf", 3) != 0)
        return ENCODING_UNKNOWN;
    name += 3;
    if (*name == '-' || *name == '_')
        name++;
    int which = strncmp(name, "16", 2) == 0 ? ENCODING_UTF16 : strncmp(name, "32", 2) == 0 ? ENCODING_UTF32
                : *name == '8' ? ENCODING_UTF8 : ENCODING_UNKNOWN;
    if (which == ENCODING_UNKNOWN)
        return which;
    name += which == ENCODING_UTF8 ? 1 : 2;
    if (*name == '\0')
        return which;
    if (which == ENCODING_UTF8)
        return ENCODING_UNKNOWN;
    if (*name == '-' || *name == '_')
        name++;
    if (strcasecmp(name, "le") != 0 && strcasecmp(name, "be") != 0)
        return ENCODING_UNKNOWN;
    *big = tolower((unsigned char)name[0]) == 'b';
    return which;
}

static int encoding_of(PyObject *exc, int kind, int *which, int *big)
{
    PyObject *name = kind == KIND_ENCODE ? PyUnicodeEncodeError_GetEncoding(exc) : PyUnicodeDecodeError_GetEncoding(exc);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    if (text != NULL)
        *which = utf_of(text, big);
    Py_XDECREF(name);
    return text == NULL ? -1 : 0;
}

static size_t put_surrogate(unsigned char *out, Py_UCS4 ch, int which, int big)
{
    if (which == ENCODING_UTF8) {
        out[0] = (unsigned char)(0xE0 | ch >> 12);
        out[1] = (unsigned char)(0x80 | ((ch >> 6) & 0x3F));
        out[2] = (unsigned char)(0x80 | (ch & 0x3F));
        return 3;
    }
    int width = which == ENCODING_UTF16 ? 2 : 4;
    for (int i = 0; i < width; i++)
        out[i] = (unsigned char)(ch >> (8 * (big ? width - 1 - i : i)));
    return (size_t)width;
}

/* The surrogate at p, or 0; *width: bytes it takes. */
static Py_UCS4 get_surrogate(const unsigned char *p, Py_ssize_t have, int which, int big, Py_ssize_t *width)
{
    Py_UCS4 ch = 0;
    *width = which == ENCODING_UTF8 ? 3 : which == ENCODING_UTF16 ? 2 : 4;
    if (have < *width)
        return 0;
    if (which == ENCODING_UTF8) {
        if ((p[0] & 0xF0) != 0xE0 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        ch = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    else
        for (Py_ssize_t i = 0; i < *width; i++)
            ch = ch << 8 | p[big ? i : *width - 1 - i];
    return Py_UNICODE_IS_SURROGATE(ch) ? ch : 0;
}

static PyObject *pass_encode(PyObject *exc, const failure_t *f, int which, int big)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 4 * (f->end - f->start));
    if (bytes == NULL)
        return NULL;
    size_t n = 0;
    for (Py_ssize_t i = f->start; i < f->end; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(f->object, i);
        if (!Py_UNICODE_IS_SURROGATE(ch)) {
            Py_DECREF(bytes);
            return PyCodec_StrictErrors(exc);
        }
        n += put_surrogate((unsigned char *)PyBytes_AS_STRING(bytes) + n, ch, which, big);
    }
    if (_PyBytes_Resize(&bytes, (Py_ssize_t)n) < 0)
        return NULL;
    return answer(bytes, f->end);
}

static PyObject *surrogate_pass(PyObject *Py_UNUSED(self), PyObject *exc)
{
    failure_t f;
    int which = ENCODING_UNKNOWN, big = 0;
    if (failure_init(&f, exc) < 0)
        return NULL;
    PyObject *result = NULL;
    if (f.kind == KIND_TRANSLATE)
        wrong_type(exc);
    else if (encoding_of(exc, f.kind, &which, &big) < 0)
        result = NULL;
    else if (which == ENCODING_UNKNOWN)
        result = PyCodec_StrictErrors(exc);
    else if (f.kind == KIND_ENCODE)
        result = pass_encode(exc, &f, which, big);
    else {
        Py_ssize_t width;
        Py_UCS4 ch = get_surrogate((unsigned char *)PyBytes_AS_STRING(f.object) + f.start,
                                   PyBytes_GET_SIZE(f.object) - f.start, which, big, &width);
        result = ch == 0 ? PyCodec_StrictErrors(exc) : answer(unicode_from_char(ch), f.start + width);
    }
    failure_fini(&f);
    return result;
}

/* ---- surrogateescape ---- */

static PyObject *escape_encode(PyObject *exc, const failure_t *f)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, f->end - f->start);
    if (bytes == NULL)
        return NULL;
    for (Py_ssize_t i = f->start; i < f->end; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(f->object, i);
        if (ch < 0xDC80 || ch > 0xDCFF) {
            Py_DECREF(bytes);
            return PyCodec_StrictErrors(exc);
        }
        PyBytes_AS_STRING(bytes)[i - f->start] = (char)(ch - 0xDC00);
    }
    return answer(bytes, f->end);
}

static PyObject *surrogate_escape(PyObject *Py_UNUSED(self), PyObject *exc)
{
    failure_t f;
    if (failure_init(&f, exc) < 0)
        return NULL;
    PyObject *result = NULL;
    if (f.kind == KIND_TRANSLATE)
        wrong_type(exc);
    else if (f.kind == KIND_ENCODE)
        result = escape_encode(exc, &f);
    else {
        const unsigned char *p = (unsigned char *)PyBytes_AS_STRING(f.object) + f.start;
        Py_UCS2 text[4];
        Py_ssize_t n = 0;
        while (n < 4 && n < f.end - f.start && p[n] >= 128) {
            text[n] = (Py_UCS2)(0xDC00 + p[n]);
            n++;
        }
        result = n == 0 ? PyCodec_StrictErrors(exc)
                        : answer(PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, text, n), f.start + n);
    }
    failure_fini(&f);
    return result;
}

/* ---- As Python functions ---- */

static PyObject *strict_errors(PyObject *Py_UNUSED(self), PyObject *exc) { return PyCodec_StrictErrors(exc); }
static PyObject *ignore_errors(PyObject *Py_UNUSED(self), PyObject *exc) { return PyCodec_IgnoreErrors(exc); }
static PyObject *replace_errors(PyObject *Py_UNUSED(self), PyObject *exc) { return PyCodec_ReplaceErrors(exc); }
static PyObject *xml_errors(PyObject *Py_UNUSED(self), PyObject *exc) { return PyCodec_XMLCharRefReplaceErrors(exc); }
static PyObject *backslash_errors(PyObject *Py_UNUSED(self), PyObject *exc)
{
    return PyCodec_BackslashReplaceErrors(exc);
}
static PyObject *name_errors(PyObject *Py_UNUSED(self), PyObject *exc) { return PyCodec_NameReplaceErrors(exc); }

static struct {
    const char *name;
    PyMethodDef def;
} handler_table[] = {
    {"strict", {"strict_errors", strict_errors, METH_O, "Raises the exception."}},
    {"ignore", {"ignore_errors", ignore_errors, METH_O, "Leaves out what cannot be converted."}},
    {"replace", {"replace_errors", replace_errors, METH_O, "Puts '?' or U+FFFD in its place."}},
    {"xmlcharrefreplace", {"xmlcharrefreplace_errors", xml_errors, METH_O, "Puts XML references in its place."}},
    {"backslashreplace", {"backslashreplace_errors", backslash_errors, METH_O, "Puts backslash escapes in its place."}},
    {"namereplace", {"namereplace_errors", name_errors, METH_O, "Puts \\N{...} escapes in its place."}},
    {"surrogatepass", {"surrogatepass", surrogate_pass, METH_O, "Lets surrogates through in UTF codecs."}},
    {"surrogateescape", {"surrogateescape", surrogate_escape, METH_O, "Bytes become lone surrogates, and back."}},
};

int codec_handlers_add(PyObject *handlers)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(handler_table); i++) {
        PyObject *function = PyCFunction_NewEx(&handler_table[i].def, NULL, NULL);
        int rc = function == NULL ? -1 : PyDict_SetItemString(handlers, handler_table[i].name, function);
        Py_XDECREF(function);
        if (rc < 0)
            return -1;
    }
    return 0;
}
