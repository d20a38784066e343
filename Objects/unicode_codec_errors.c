/* Errors of the built-in codecs: known handlers done in place, others called; and the byte writer. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

enum unicode_error_handler unicode_error_handler_of(const char *errors)
{
    static const struct { const char *name; enum unicode_error_handler handler; } table[] = {
        {"strict", UNICODE_ERROR_STRICT},
        {"surrogateescape", UNICODE_ERROR_SURROGATEESCAPE},
        {"replace", UNICODE_ERROR_REPLACE},
        {"ignore", UNICODE_ERROR_IGNORE},
        {"backslashreplace", UNICODE_ERROR_BACKSLASHREPLACE},
        {"surrogatepass", UNICODE_ERROR_SURROGATEPASS},
        {"xmlcharrefreplace", UNICODE_ERROR_XMLCHARREFREPLACE},
    };
    if (errors == NULL)
        return UNICODE_ERROR_STRICT;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(table); i++)
        if (strcmp(errors, table[i].name) == 0)
            return table[i].handler;
    return UNICODE_ERROR_OTHER;
}

/* ---- Decoding ---- */

void unicode_decoder_init(unicode_decoder_t *d, const char *encoding, const char *errors, const char *s,
                          Py_ssize_t size)
{
    *d = (unicode_decoder_t){.encoding = encoding, .errors = errors, .start = s, .end = s + size};
}

void unicode_decoder_fini(unicode_decoder_t *d)
{
    Py_CLEAR(d->callback);
    Py_CLEAR(d->exception);
    Py_CLEAR(d->input);
}

/* The exception that describes the error, made new or adjusted. */
static int make_decode_exception(unicode_decoder_t *d, Py_ssize_t from, Py_ssize_t to, const char *reason)
{
    if (d->exception == NULL) {
        d->exception = PyUnicodeDecodeError_Create(d->encoding, d->start, d->end - d->start, from, to, reason);
        return d->exception == NULL ? -1 : 0;
    }
    if (PyUnicodeDecodeError_SetStart(d->exception, from) < 0 || PyUnicodeDecodeError_SetEnd(d->exception, to) < 0
        || PyUnicodeDecodeError_SetReason(d->exception, reason) < 0)
        return -1;
    return 0;
}

/* Calls a registered handler; it may put another object in place of the input. */
static Py_ssize_t call_decode_handler(unicode_decoder_t *d, unicode_writer_t *w, Py_ssize_t from, Py_ssize_t to,
                                      const char *reason)
{
    Py_ssize_t next = -1;
    PyObject *answer = NULL, *input = NULL;
    if (d->callback == NULL && (d->callback = PyCodec_LookupError(d->errors)) == NULL)
        goto done;
    if (make_decode_exception(d, from, to, reason) < 0)
        goto done;
    answer = PyObject_CallOneArg(d->callback, d->exception);
    if (answer == NULL)
        goto done;
    PyObject *text;
    Py_ssize_t position;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(answer, 0))
        || !PyLong_Check(PyTuple_GET_ITEM(answer, 1))) {
        PyErr_SetString(PyExc_TypeError, "decoding error handler must return (str, int) tuple");
        goto done;
    }
    text = PyTuple_GET_ITEM(answer, 0);
    position = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
    if (position == -1 && PyErr_Occurred())
        goto done;
    input = PyUnicodeDecodeError_GetObject(d->exception);
    if (input == NULL)
        goto done;
    if (!PyBytes_Check(input)) {
        PyErr_SetString(PyExc_TypeError, "exception attribute object must be bytes");
        goto done;
    }
    d->start = PyBytes_AS_STRING(input);
    d->end = d->start + PyBytes_GET_SIZE(input);
    Py_XSETREF(d->input, Py_NewRef(input));
    Py_ssize_t size = d->end - d->start;
    if (position < 0)
        position += size;
    if (position < 0 || position > size) {
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", position);
        goto done;
    }
    if (unicode_writer_write_str(w, text) == 0)
        next = position;
done:
    Py_XDECREF(input);
    Py_XDECREF(answer);
    return next;
}

static int write_backslashes(unicode_writer_t *w, const char *s, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        char text[8];
        snprintf(text, sizeof(text), "\\x%02x", (unsigned char)s[i]);
        if (unicode_writer_write_ascii(w, text, 4) < 0)
            return -1;
    }
    return 0;
}

Py_ssize_t unicode_decoder_error(unicode_decoder_t *d, unicode_writer_t *w, Py_ssize_t from, Py_ssize_t to,
                                 const char *reason)
{
    if (d->handler == UNICODE_ERROR_UNKNOWN)
        d->handler = unicode_error_handler_of(d->errors);
    switch (d->handler) {
    case UNICODE_ERROR_STRICT:
        if (make_decode_exception(d, from, to, reason) == 0)
            PyCodec_StrictErrors(d->exception);
        return -1;
    case UNICODE_ERROR_IGNORE:
        return to;
    case UNICODE_ERROR_REPLACE:
        return unicode_writer_write_char(w, 0xFFFD) < 0 ? -1 : to;
    case UNICODE_ERROR_BACKSLASHREPLACE:
        return write_backslashes(w, d->start, from, to) < 0 ? -1 : to;
    case UNICODE_ERROR_SURROGATEESCAPE: {
        Py_ssize_t i = from;
        while (i < to && i < from + 4 && (unsigned char)d->start[i] >= 128) {
            if (unicode_writer_write_char(w, 0xDC00 + (unsigned char)d->start[i]) < 0)
                return -1;
            i++;
        }
        if (i > from)
            return i;
        return call_decode_handler(d, w, from, to, reason);
    }
    default:
        return call_decode_handler(d, w, from, to, reason);
    }
}

/* ---- Encoding ---- */

void unicode_encoder_init(unicode_encoder_t *e, const char *encoding, const char *errors, PyObject *str)
{
    *e = (unicode_encoder_t){.encoding = encoding, .errors = errors, .str = str};
}

void unicode_encoder_fini(unicode_encoder_t *e)
{
    Py_CLEAR(e->callback);
    Py_CLEAR(e->exception);
}

static int make_encode_exception(unicode_encoder_t *e, Py_ssize_t from, Py_ssize_t to, const char *reason)
{
    if (e->exception == NULL) {
        e->exception = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", e->encoding, e->str, from, to,
                                             reason);
        return e->exception == NULL ? -1 : 0;
    }
    if (PyUnicodeEncodeError_SetStart(e->exception, from) < 0 || PyUnicodeEncodeError_SetEnd(e->exception, to) < 0
        || PyUnicodeEncodeError_SetReason(e->exception, reason) < 0)
        return -1;
    return 0;
}

void unicode_encoder_raise(unicode_encoder_t *e, Py_ssize_t from, Py_ssize_t to, const char *reason)
{
    if (make_encode_exception(e, from, to, reason) == 0)
        PyCodec_StrictErrors(e->exception);
}

PyObject *unicode_encoder_error(unicode_encoder_t *e, Py_ssize_t from, Py_ssize_t to, const char *reason,
                                Py_ssize_t *next)
{
    PyObject *answer = NULL, *result = NULL;
    if (e->handler == UNICODE_ERROR_UNKNOWN)
        e->handler = unicode_error_handler_of(e->errors);
    if (e->handler == UNICODE_ERROR_STRICT) {
        unicode_encoder_raise(e, from, to, reason);
        return NULL;
    }
    if (e->callback == NULL && (e->callback = PyCodec_LookupError(e->errors)) == NULL)
        return NULL;
    if (make_encode_exception(e, from, to, reason) < 0)
        return NULL;
    answer = PyObject_CallOneArg(e->callback, e->exception);
    if (answer == NULL)
        return NULL;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2
        || !(PyUnicode_Check(PyTuple_GET_ITEM(answer, 0)) || PyBytes_Check(PyTuple_GET_ITEM(answer, 0)))
        || !PyLong_Check(PyTuple_GET_ITEM(answer, 1))) {
        PyErr_SetString(PyExc_TypeError, "encoding error handler must return (str/bytes, int) tuple");
        goto done;
    }
    Py_ssize_t position = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
    if (position == -1 && PyErr_Occurred())
        goto done;
    Py_ssize_t length = PyUnicode_GET_LENGTH(e->str);
    if (position < 0)
        position += length;
    if (position < 0 || position > length) {
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", position);
        goto done;
    }
    *next = position;
    result = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
done:
    Py_DECREF(answer);
    return result;
}

/* ---- Bytes ---- */

void byte_writer_init(byte_writer_t *w)
{
    w->data = w->inline_data;
    w->length = 0;
    w->size = sizeof(w->inline_data);
}

int byte_writer_grow(byte_writer_t *w, Py_ssize_t extra)
{
    if (extra > PY_SSIZE_T_MAX / 2 - w->length) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = w->length + extra;
    size += size / 2;
    char *data = w->data == w->inline_data ? PyMem_Malloc((size_t)size) : PyMem_Realloc(w->data, (size_t)size);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (w->data == w->inline_data)
        memcpy(data, w->inline_data, (size_t)w->length);
    w->data = data;
    w->size = size;
    return 0;
}

int byte_writer_write(byte_writer_t *w, const void *data, Py_ssize_t n)
{
    if (byte_writer_prepare(w, n) < 0)
        return -1;
    memcpy(w->data + w->length, data, (size_t)n);
    w->length += n;
    return 0;
}

PyObject *byte_writer_finish(byte_writer_t *w)
{
    PyObject *bytes = PyBytes_FromStringAndSize(w->data, w->length);
    byte_writer_dealloc(w);
    return bytes;
}

void byte_writer_dealloc(byte_writer_t *w)
{
    if (w->data != w->inline_data)
        PyMem_Free(w->data);
    byte_writer_init(w);
}
