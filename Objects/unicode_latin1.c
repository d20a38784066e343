/* The one-byte codecs: ASCII and Latin-1. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

PyObject *PyUnicode_DecodeLatin1(const char *s, Py_ssize_t size, const char *Py_UNUSED(errors))
{
    return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, s, size);
}

PyObject *PyUnicode_DecodeASCII(const char *s, Py_ssize_t size, const char *errors)
{
    Py_ssize_t prefix = unicode_ascii_prefix((const unsigned char *)s, size);
    if (prefix == size)
        return _PyUnicode_FromASCII(s, size);
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "ascii", errors, s, size);
    unicode_writer_init_sized(&w, size);
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    while (pos < d.end - d.start) {
        Py_ssize_t run = unicode_ascii_prefix((const unsigned char *)d.start + pos, d.end - d.start - pos);
        if (run > 0) {
            if (unicode_writer_write_ascii(&w, d.start + pos, run) < 0)
                goto done;
            pos += run;
            continue;
        }
        pos = unicode_decoder_error(&d, &w, pos, pos + 1, "ordinal not in range(128)");
        if (pos < 0)
            goto done;
    }
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

/* ---- Encoding ---- */

/* Replacement text that a handler gave; limit as in encode. */
static int write_replacement(byte_writer_t *w, unicode_encoder_t *e, PyObject *replacement, Py_UCS4 limit,
                             Py_ssize_t from, Py_ssize_t to, const char *reason)
{
    if (PyBytes_Check(replacement))
        return byte_writer_write(w, PyBytes_AS_STRING(replacement), PyBytes_GET_SIZE(replacement));
    Py_ssize_t n = PyUnicode_GET_LENGTH(replacement);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(replacement, i);
        if (ch >= limit) {
            unicode_encoder_raise(e, from, to, reason);
            return -1;
        }
        if (byte_writer_write_byte(w, (unsigned char)ch) < 0)
            return -1;
    }
    return 0;
}

/* Writes what "backslashreplace" or "xmlcharrefreplace" make of ch. */
static int write_escape(byte_writer_t *w, enum unicode_error_handler handler, Py_UCS4 ch)
{
    char text[16];
    int n;
    if (handler == UNICODE_ERROR_XMLCHARREFREPLACE)
        n = snprintf(text, sizeof(text), "&#%u;", ch);
    else
        n = snprintf(text, sizeof(text), ch < 0x100 ? "\\x%02x" : ch < 0x10000 ? "\\u%04x" : "\\U%08x", ch);
    return byte_writer_write(w, text, n);
}

/* Handles the run [i, end) of characters that do not fit; returns where to go on, or -1. */
static Py_ssize_t encode_error(unicode_encoder_t *e, byte_writer_t *w, Py_ssize_t i, Py_ssize_t end, Py_UCS4 limit,
                               const char *reason)
{
    if (e->handler == UNICODE_ERROR_UNKNOWN)
        e->handler = unicode_error_handler_of(e->errors);
    Py_ssize_t from = i, next;
    switch (e->handler) {
    case UNICODE_ERROR_IGNORE:
        return end;
    case UNICODE_ERROR_REPLACE:
        for (; i < end; i++)
            if (byte_writer_write_byte(w, '?') < 0)
                return -1;
        return end;
    case UNICODE_ERROR_BACKSLASHREPLACE: case UNICODE_ERROR_XMLCHARREFREPLACE:
        for (; i < end; i++)
            if (write_escape(w, e->handler, PyUnicode_READ_CHAR(e->str, i)) < 0)
                return -1;
        return end;
    case UNICODE_ERROR_SURROGATEESCAPE:
        for (; i < end; i++) {
            Py_UCS4 ch = PyUnicode_READ_CHAR(e->str, i);
            if (ch < 0xDC80 || ch > 0xDCFF)
                break;
            if (byte_writer_write_byte(w, (unsigned char)(ch & 0xff)) < 0)
                return -1;
        }
        if (i > from)
            return i;
        break;
    default:
        break;
    }
    PyObject *replacement = unicode_encoder_error(e, from, end, reason, &next);
    if (replacement == NULL)
        return -1;
    int rc = write_replacement(w, e, replacement, limit, from, end, reason);
    Py_DECREF(replacement);
    return rc < 0 ? -1 : next;
}

/* Characters below limit (128 or 256) are bytes. */
static PyObject *encode(PyObject *str, const char *errors, Py_UCS4 limit)
{
    const char *reason = limit == 128 ? "ordinal not in range(128)" : "ordinal not in range(256)";
    unicode_encoder_t e;
    byte_writer_t w;
    unicode_encoder_init(&e, limit == 128 ? "ascii" : "latin-1", errors, str);
    byte_writer_init(&w);
    PyObject *result = NULL;
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), i = 0;
    if (byte_writer_prepare(&w, n) < 0)
        goto done;
    while (i < n) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch < limit) {
            if (byte_writer_write_byte(&w, (unsigned char)ch) < 0)
                goto done;
            i++;
            continue;
        }
        Py_ssize_t end = i + 1;
        while (end < n && PyUnicode_READ(kind, data, end) >= limit)
            end++;
        i = encode_error(&e, &w, i, end, limit, reason);
        if (i < 0)
            goto done;
    }
    result = byte_writer_finish(&w);
done:
    byte_writer_dealloc(&w);
    unicode_encoder_fini(&e);
    return result;
}

PyObject *_PyUnicode_AsLatin1String(PyObject *str, const char *errors)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_KIND(str) == PyUnicode_1BYTE_KIND)
        return PyBytes_FromStringAndSize(PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
    return encode(str, errors, 256);
}

PyObject *PyUnicode_AsLatin1String(PyObject *str)
{
    return _PyUnicode_AsLatin1String(str, NULL);
}

PyObject *_PyUnicode_AsASCIIString(PyObject *str, const char *errors)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(str))
        return PyBytes_FromStringAndSize(PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
    return encode(str, errors, 128);
}

PyObject *PyUnicode_AsASCIIString(PyObject *str)
{
    return _PyUnicode_AsASCIIString(str, NULL);
}
