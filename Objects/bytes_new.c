/* Making bytes from other objects: bytes(...), PyBytes_FromObject, fromhex. */
#include "bytes.h"
#include "type.h"
#include "unicode.h"

int bytes_byte_value(PyObject *op, const char *range_message, int *value)
{
    Py_ssize_t n;
    if (value_is_int(op))
        n = value_get_int(op) >> 8 == 0 ? (Py_ssize_t)value_get_int(op) : -1;
    else {
        n = PyNumber_AsSsize_t(op, NULL);
        if (n == -1 && PyErr_Occurred())
            return -1;
    }
    if (n < 0 || n > 255) {
        PyErr_SetString(PyExc_ValueError, range_message);
        return -1;
    }
    *value = (int)n;
    return 0;
}

static const char bytes_range[] = "bytes must be in range(0, 256)";

/* The bytes of a bytearray are those of one moment; of other buffers each byte is, at best. */
static PyObject *from_bytearray(PyObject *op)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(op), PyByteArray_GET_SIZE(op));
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *from_buffer(PyObject *op)
{
    Py_buffer view;
    if (PyByteArray_CheckExact(op))
        return from_bytearray(op);
    if (PyObject_GetBuffer(op, &view, PyBUF_FULL_RO) < 0)
        return NULL;
    PyObject *result = PyBytes_FromStringAndSize(NULL, view.len);
    if (result != NULL && view.len > 0) {
        if (PyBuffer_ToContiguous(PyBytes_AS_STRING(result), &view, view.len, 'C') < 0)
            Py_CLEAR(result);
    }
    PyBuffer_Release(&view);
    /* one byte: the static object */
    if (result != NULL && PyBytes_GET_SIZE(result) == 1)
        Py_SETREF(result, bytes_from_char((unsigned char)PyBytes_AS_STRING(result)[0]));
    return result;
}

/* Grows *buffer to take one more byte. */
static int reserve(char **buffer, Py_ssize_t *capacity, Py_ssize_t used)
{
    if (used < *capacity)
        return 0;
    if (*capacity > PY_SSIZE_T_MAX / 2) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = *capacity < 16 ? 32 : *capacity + (*capacity >> 1);
    char *grown = PyMem_Realloc(*buffer, (size_t)size);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *buffer = grown;
    *capacity = size;
    return 0;
}

static PyObject *from_iterator(PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item, *result = NULL;
    char *buffer = NULL;
    Py_ssize_t used = 0, capacity = 0;
    if (iterator == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes", Py_TYPE(iterable)->tp_name);
        return NULL;
    }
    Py_ssize_t hint = PyObject_LengthHint(iterable, 64);
    if (hint < 0)
        goto done;
    if (hint > 0 && hint < ((Py_ssize_t)1 << 40)) {
        buffer = PyMem_Malloc((size_t)hint);
        if (buffer == NULL) {
            PyErr_NoMemory();
            goto done;
        }
        capacity = hint;
    }
    else if (hint > 0) {
        PyErr_NoMemory();
        goto done;
    }
    while ((item = PyIter_Next(iterator)) != NULL) {
        int value, failed = bytes_byte_value(item, bytes_range, &value);
        Py_DECREF(item);
        if (failed || reserve(&buffer, &capacity, used) < 0)
            goto done;
        buffer[used++] = (char)value;
    }
    if (!PyErr_Occurred())
        result = PyBytes_FromStringAndSize(buffer, used);
done:
    PyMem_Free(buffer);
    Py_DECREF(iterator);
    return result;
}

PyObject *PyBytes_FromObject(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_CheckExact(op))
        return Py_NewRef(op);
    if (PyObject_CheckBuffer(op))
        return from_buffer(op);
    if (!PyUnicode_Check(op))
        return from_iterator(op);
    PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes", Py_TYPE(op)->tp_name);
    return NULL;
}

static PyObject *zeros(Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    if (size <= 1)
        return PyBytes_FromStringAndSize("", size);
    PyObject *result = PyBytes_FromStringAndSize(NULL, size);
    if (result != NULL)
        memset(PyBytes_AS_STRING(result), 0, (size_t)size);
    return result;
}

/* bytes(source) without encoding. */
static PyObject *from_source(PyObject *source)
{
    if (PyBytes_CheckExact(source))
        return Py_NewRef(source);
    if (!value_is_immediate(source) && !PyUnicode_CheckExact(source)) {
        PyObject *method = type_lookup_special(source, STR(__bytes__));
        if (method != NULL) {
            PyObject *result = PyObject_CallNoArgs(method);
            Py_DECREF(method);
            if (result != NULL && !PyBytes_Check(result)) {
                PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)",
                             Py_TYPE(result)->tp_name);
                Py_CLEAR(result);
            }
            return result;
        }
        if (PyErr_Occurred())
            return NULL;
    }
    if (PyUnicode_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
        return NULL;
    }
    if (PyIndex_Check(source)) {
        Py_ssize_t size = PyNumber_AsSsize_t(source, PyExc_OverflowError);
        if (size != -1 || !PyErr_Occurred())
            return zeros(size);
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return NULL;
        PyErr_Clear();
    }
    return PyBytes_FromObject(source);
}

static PyObject *new_bytes(PyObject *source, const char *encoding, const char *errors)
{
    if (source == NULL) {
        if (encoding == NULL && errors == NULL)
            return bytes_empty();
        PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                          : "errors without a string argument");
        return NULL;
    }
    if (encoding != NULL) {
        if (PyUnicode_Check(source))
            return PyUnicode_AsEncodedString(source, encoding, errors);
        PyErr_SetString(PyExc_TypeError, "encoding without a string argument");
        return NULL;
    }
    if (errors != NULL) {
        PyErr_SetString(PyExc_TypeError, PyUnicode_Check(source) ? "string argument without an encoding"
                                                                 : "errors without a string argument");
        return NULL;
    }
    return from_source(source);
}

PyObject *bytes_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "encoding", "errors", NULL};
    PyObject *source = NULL, *value, *result;
    const char *encoding = NULL, *errors = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oss:bytes", keywords, &source, &encoding, &errors))
        return NULL;
    value = new_bytes(source, encoding, errors);
    if (value == NULL || type == &PyBytes_Type)
        return value;
    Py_ssize_t n = PyBytes_GET_SIZE(value);
    result = type->tp_alloc(type, n);
    if (result != NULL) {
        ((PyBytesObject *)result)->ob_shash = -1;
        memcpy(PyBytes_AS_STRING(result), PyBytes_AS_STRING(value), (size_t)n + 1);
    }
    Py_DECREF(value);
    return result;
}

static int hex_digit(Py_UCS4 c)
{
    return c >= '0' && c <= '9' ? (int)(c - '0') : c >= 'a' && c <= 'f' ? (int)(c - 'a' + 10)
           : c >= 'A' && c <= 'F' ? (int)(c - 'A' + 10) : -1;
}

PyObject *_PyBytes_FromHex(PyObject *text, int use_bytearray)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "fromhex() argument must be str, not %.200s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), used = 0, i = 0;
    PyObject *result = NULL;
    char *out = PyMem_Malloc((size_t)(n / 2 + 1));
    if (out == NULL)
        return PyErr_NoMemory();
    while (i < n) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 128 && Py_ISSPACE(c)) {
            i++;
            continue;
        }
        int high = hex_digit(c), low = -1;
        if (high >= 0) {
            i++;
            low = i < n ? hex_digit(PyUnicode_READ(kind, data, i)) : -1;
        }
        if (low < 0) {
            PyErr_Format(PyExc_ValueError, "non-hexadecimal number found in fromhex() arg at position %zd", i);
            goto done;
        }
        out[used++] = (char)(high << 4 | low);
        i++;
    }
    result = use_bytearray ? PyByteArray_FromStringAndSize(out, used) : PyBytes_FromStringAndSize(out, used);
done:
    PyMem_Free(out);
    return result;
}
