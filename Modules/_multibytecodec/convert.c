/* Converting whole strings, with error handlers. */
#include "multibyte.h"

/* ---- Encoding ---- */

typedef struct { unsigned char *data; Py_ssize_t used, size; } bytes_t;

static int put(bytes_t *b, const void *data, Py_ssize_t n)
{
    if (b->size - b->used < n) {
        Py_ssize_t size = (b->used + n) * 2 + 32;
        unsigned char *grown = PyMem_Realloc(b->data, (size_t)size);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        b->data = grown;
        b->size = size;
    }
    memcpy(b->data + b->used, data, (size_t)n);
    b->used += n;
    return 0;
}

/* What the handler gives for an exception: *replacement (str, or bytes where they are allowed), and where to go on. */
static int call_handler(PyObject *exc, const char *errors, int bytes_allowed, Py_ssize_t length, PyObject **replacement, Py_ssize_t *position)
{
    PyObject *handler = PyCodec_LookupError(errors), *answer;
    if (handler == NULL)
        return -1;
    answer = PyObject_CallOneArg(handler, exc);
    Py_DECREF(handler);
    if (answer == NULL)
        return -1;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2 || !PyLong_Check(PyTuple_GET_ITEM(answer, 1))
        || !(PyUnicode_Check(PyTuple_GET_ITEM(answer, 0)) || (bytes_allowed && PyBytes_Check(PyTuple_GET_ITEM(answer, 0))))) {
        PyErr_SetString(PyExc_TypeError, bytes_allowed ? "encoding error handler must return (str, int) tuple"
                                                       : "decoding error handler must return (str, int) tuple");
        Py_DECREF(answer);
        return -1;
    }
    *position = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
    if (*position < 0 && !PyErr_Occurred())
        *position += length;
    if (*position < 0 || *position > length) {
        PyErr_Clear();
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", *position);
        Py_DECREF(answer);
        return -1;
    }
    *replacement = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    Py_DECREF(answer);
    return 0;
}

/* Characters from *i on that cannot be encoded. */
static int handle_unencodable(const charset_t *c, multibyte_state_t *state, PyObject *str, Py_ssize_t *i, Py_ssize_t end, const char *errors, bytes_t *out)
{
    unsigned char question[LONGEST_SEQUENCE] = "?";
    if (strcmp(errors, "ignore") == 0 || strcmp(errors, "replace") == 0) {
        *i = end;
        return errors[0] == 'i' ? 0 : put(out, question, c->flags == CHARSET_STATEFUL ? stateful_encode(c, state, '?', question) : 1);
    }
    PyObject *exc = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", c->name, str, *i, end, "illegal multibyte sequence"),
             *replacement = NULL;
    if (exc == NULL)
        return -1;
    int failed = -1;
    if (strcmp(errors, "strict") == 0)
        PyErr_SetObject(PyExc_UnicodeEncodeError, exc);
    else if (call_handler(exc, errors, 1, PyUnicode_GET_LENGTH(str), &replacement, i) == 0) {
        if (PyUnicode_Check(replacement))
            Py_SETREF(replacement, multibyte_encode(c, state, replacement, "strict", 0, NULL));
        if (replacement != NULL)
            failed = put(out, PyBytes_AS_STRING(replacement), PyBytes_GET_SIZE(replacement));
    }
    Py_XDECREF(replacement);
    Py_DECREF(exc);
    return failed;
}

PyObject *multibyte_encode(const charset_t *c, multibyte_state_t *shared_state, PyObject *str, const char *errors, int final, Py_ssize_t *consumed)
{
    bytes_t out = {NULL, 0, 0};
    Py_ssize_t i = 0;
    PyObject *result = NULL;
    multibyte_state_t state = *shared_state;
    while (i < PyUnicode_GET_LENGTH(str)) {
        unsigned char bytes[LONGEST_SEQUENCE];
        int used = 1, n = c->flags == CHARSET_STATEFUL ? stateful_encode(c, &state, PyUnicode_READ_CHAR(str, i), bytes)
                                                       : charset_encode(c, str, i, final, bytes, &used);
        if (n == TOO_SHORT)
            break;
        if (n == ILLEGAL) {
            if (handle_unencodable(c, &state, str, &i, i + 1, errors, &out) < 0)
                goto done;
            continue;
        }
        if (put(&out, bytes, n) < 0)
            goto done;
        i += used;
    }
    if (final && c->flags == CHARSET_STATEFUL) {
        unsigned char bytes[LONGEST_SEQUENCE];
        if (put(&out, bytes, stateful_reset(c, &state, bytes)) < 0)
            goto done;
    }
    if (consumed != NULL)
        *consumed = i;
    *shared_state = state;
    result = PyBytes_FromStringAndSize((char *)out.data, out.used);
done:
    PyMem_Free(out.data);
    return result;
}

/* ---- Decoding ---- */

typedef struct { Py_UCS4 *data; Py_ssize_t used, size; } text_t;

static int put_char(text_t *t, Py_UCS4 c)
{
    if (t->used == t->size) {
        Py_ssize_t size = t->size * 2 + 64;
        Py_UCS4 *grown = size > PY_SSIZE_T_MAX / 8 ? NULL : PyMem_Realloc(t->data, (size_t)size * sizeof(Py_UCS4));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        t->data = grown;
        t->size = size;
    }
    t->data[t->used++] = c;
    return 0;
}

/* Bytes from *i to end that cannot be decoded. */
static int handle_undecodable(const charset_t *c, const char *data, Py_ssize_t n, Py_ssize_t *i, Py_ssize_t end, const char *reason,
                              const char *errors, text_t *out)
{
    if (strcmp(errors, "ignore") == 0 || strcmp(errors, "replace") == 0) {
        *i = end;
        return errors[0] == 'i' ? 0 : put_char(out, Py_UNICODE_REPLACEMENT_CHARACTER);
    }
    PyObject *exc = PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", c->name, data, n, *i, end, reason), *replacement = NULL;
    if (exc == NULL)
        return -1;
    int failed = -1;
    if (strcmp(errors, "strict") == 0)
        PyErr_SetObject(PyExc_UnicodeDecodeError, exc);
    else if (call_handler(exc, errors, 0, n, &replacement, i) == 0) {
        failed = 0;
        for (Py_ssize_t k = 0; k < PyUnicode_GET_LENGTH(replacement) && !failed; k++)
            failed = put_char(out, PyUnicode_READ_CHAR(replacement, k));
    }
    Py_XDECREF(replacement);
    Py_DECREF(exc);
    return failed;
}

PyObject *multibyte_decode(const charset_t *c, multibyte_state_t *shared_state, const char *data, Py_ssize_t n, const char *errors,
                           int final, Py_ssize_t *consumed)
{
    text_t out = {NULL, 0, 0};
    Py_ssize_t i = 0;
    PyObject *result = NULL;
    multibyte_state_t state = *shared_state;
    while (i < n) {
        Py_UCS4 chars[2];
        const unsigned char *p = (const unsigned char *)data + i;
        int used = c->flags == CHARSET_STATEFUL ? stateful_decode(c, &state, p, n - i, chars) : charset_decode(c, p, n - i, chars);
        if (used == TOO_SHORT && !final)
            break;
        if (used <= 0) {
            int failed = used == TOO_SHORT
                             ? handle_undecodable(c, data, n, &i, n, "incomplete multibyte sequence", errors, &out)
                             : handle_undecodable(c, data, n, &i, i - used, "illegal multibyte sequence", errors, &out);
            if (failed < 0)
                goto done;
            continue;
        }
        if ((chars[0] != NO_CHARACTER && put_char(&out, chars[0]) < 0) || (chars[1] != 0 && put_char(&out, chars[1]) < 0))
            goto done;
        i += used;
    }
    if (consumed != NULL)
        *consumed = i;
    *shared_state = state;
    result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, out.data, out.used);
done:
    PyMem_Free(out.data);
    return result;
}
