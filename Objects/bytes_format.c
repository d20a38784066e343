/* Formatting: the % operator of bytes and bytearray, and PyBytes_FromFormat. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1     /* strchrnul */
#endif
#include "bytes.h"
#include "string_format.h"
#include "type.h"
#include "unicode.h"
#include "unicode_codec.h"

/* ---- A growing result ---- */

typedef struct {
    char *data;
    Py_ssize_t used, size;
} output_t;

static char *output_reserve(output_t *out, Py_ssize_t extra)
{
    if (extra > out->size - out->used) {
        if (extra > PY_SSIZE_T_MAX - out->used - 64) {
            PyErr_NoMemory();
            return NULL;
        }
        Py_ssize_t size = out->used + extra;
        size = size <= PY_SSIZE_T_MAX / 2 ? size + size / 2 + 64 : size;
        char *grown = PyMem_Realloc(out->data, (size_t)size);
        if (grown == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        out->data = grown;
        out->size = size;
    }
    return out->data + out->used;
}

static int output_write(output_t *out, const char *text, Py_ssize_t n)
{
    if (n <= 0)
        return 0;
    char *p = output_reserve(out, n);
    if (p == NULL)
        return -1;
    memcpy(p, text, (size_t)n);
    out->used += n;
    return 0;
}

static int output_fill(output_t *out, char c, Py_ssize_t n)
{
    if (n <= 0)
        return 0;
    char *p = output_reserve(out, n);
    if (p == NULL)
        return -1;
    memset(p, c, (size_t)n);
    out->used += n;
    return 0;
}

/* ---- % ---- */

static int write_padded(output_t *out, const percent_conversion_t *conv, const char *text, Py_ssize_t n, int numeric)
{
    Py_ssize_t before, prefix, zeros, after;
    percent_pad(conv, text, n, numeric, &before, &prefix, &zeros, &after);
    if (output_fill(out, ' ', before) < 0 || output_write(out, text, prefix) < 0 || output_fill(out, '0', zeros) < 0
        || output_write(out, text + prefix, n - prefix) < 0)
        return -1;
    return output_fill(out, ' ', after);
}

static int write_number(output_t *out, const percent_conversion_t *conv, PyObject *value)
{
    PyObject *text = percent_format_number(conv, value);
    if (text == NULL)
        return -1;
    int result = write_padded(out, conv, (const char *)PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text), 1);
    Py_DECREF(text);
    return result;
}

static int write_text(output_t *out, const percent_conversion_t *conv, const char *text, Py_ssize_t n)
{
    if (conv->precision >= 0 && n > conv->precision)
        n = conv->precision;
    return write_padded(out, conv, text, n, 0);
}

/* %c: an int in range(256), or one byte. */
static int write_char(output_t *out, const percent_conversion_t *conv, PyObject *value)
{
    char c;
    if (PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 1)
        c = PyBytes_AS_STRING(value)[0];
    else if (PyByteArray_Check(value) && PyByteArray_GET_SIZE(value) == 1) {
        Py_BEGIN_CRITICAL_SECTION(value);
        c = PyByteArray_AS_STRING(value)[0];
        Py_END_CRITICAL_SECTION();
    }
    else {
        int overflow;
        long n = 0;
        /* an object that is no integer must not give a TypeError of its own */
        if (!PyIndex_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "%c requires an integer in range(256) or a single byte");
            return -1;
        }
        PyObject *index = PyNumber_Index(value);
        if (index == NULL)
            return -1;
        n = PyLong_AsLongAndOverflow(index, &overflow);
        Py_DECREF(index);
        if (overflow || n < 0 || n > 255) {
            PyErr_SetString(PyExc_OverflowError, "%c arg not in range(256)");
            return -1;
        }
        c = (char)n;
    }
    return write_padded(out, conv, &c, 1, 0);
}

/* %a and %r: the ASCII repr. */
static int write_repr(output_t *out, const percent_conversion_t *conv, PyObject *value)
{
    PyObject *text = PyObject_ASCII(value);
    if (text == NULL)
        return -1;
    int result = write_text(out, conv, (const char *)PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text));
    Py_DECREF(text);
    return result;
}

/* %b and %s: anything with a buffer, or with __bytes__. */
static int write_bytes(output_t *out, const percent_conversion_t *conv, PyObject *value)
{
    if (PyBytes_CheckExact(value))
        return write_text(out, conv, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    if (PyObject_CheckBuffer(value) && !PyBytes_Check(value)) {
        Py_buffer view;
        if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0)
            return -1;
        char *flat = PyMem_Malloc((size_t)view.len + 1);
        int result = -1;
        if (flat == NULL)
            PyErr_NoMemory();
        else if (PyBuffer_ToContiguous(flat, &view, view.len, 'C') == 0)
            result = write_text(out, conv, flat, view.len);
        PyMem_Free(flat);
        PyBuffer_Release(&view);
        return result;
    }
    PyObject *method = value_is_immediate(value) ? NULL : type_lookup_special(value, STR(__bytes__));
    if (method == NULL) {
        if (PyErr_Occurred())
            return -1;
        PyErr_Format(PyExc_TypeError,
                     "%%b requires a bytes-like object, or an object that implements __bytes__, not '%.100s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *bytes = PyObject_CallNoArgs(method);
    int result = -1;
    Py_DECREF(method);
    if (bytes == NULL)
        return -1;
    if (PyBytes_Check(bytes))
        result = write_text(out, conv, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    else
        PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(bytes)->tp_name);
    Py_DECREF(bytes);
    return result;
}

static int write_conversion(output_t *out, const percent_conversion_t *conv, PyObject *value)
{
    switch (conv->type) {
    case '%':
        return output_write(out, "%", 1);
    case 'd': case 'i': case 'u': case 'o': case 'x': case 'X':
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        return write_number(out, conv, value);
    case 'c':
        return write_char(out, conv, value);
    case 'r': case 'a':
        return write_repr(out, conv, value);
    case 's': case 'b':
        return write_bytes(out, conv, value);
    default:
        percent_unsupported(conv);
        return -1;
    }
}

PyObject *_PyBytes_FormatEx(const char *format, Py_ssize_t size, PyObject *args, int use_bytearray)
{
    output_t out = {0};
    percent_args_t arguments;
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    percent_args_init(&arguments, args, 1);
    while (pos < size) {
        const char *mark = memchr(format + pos, '%', (size_t)(size - pos));
        Py_ssize_t plain = mark == NULL ? size - pos : mark - (format + pos);
        if (output_write(&out, format + pos, plain) < 0)
            goto done;
        pos += plain;
        if (mark == NULL)
            break;
        percent_conversion_t conv;
        PyObject *value;
        pos++;
        if (percent_parse(&arguments, PyUnicode_1BYTE_KIND, format, size, &pos, &conv, &value) < 0
            || write_conversion(&out, &conv, value) < 0)
            goto done;
    }
    if (percent_args_done(&arguments) == 0)
        result = use_bytearray ? PyByteArray_FromStringAndSize(out.data, out.used)
                               : PyBytes_FromStringAndSize(out.data, out.used);
done:
    percent_args_fini(&arguments);
    PyMem_Free(out.data);
    return result;
}

/* ---- PyBytes_FromFormat ---- */

enum { LENGTH_INT, LENGTH_LONG, LENGTH_SIZE };

static int format_integer(output_t *out, char type, int length, va_list *va)
{
    char text[64];
    if (type == 'd' || type == 'i') {
        long value = length == LENGTH_LONG ? va_arg(*va, long)
                     : length == LENGTH_SIZE ? (long)va_arg(*va, Py_ssize_t) : va_arg(*va, int);
        snprintf(text, sizeof(text), "%ld", value);
    }
    else {
        unsigned long value = length == LENGTH_LONG ? va_arg(*va, unsigned long)
                              : length == LENGTH_SIZE ? va_arg(*va, size_t) : va_arg(*va, unsigned int);
        snprintf(text, sizeof(text), type == 'x' ? "%lx" : "%lu", value);
    }
    return output_write(out, text, (Py_ssize_t)strlen(text));
}

/* One conversion; *f is behind the '%' and moves behind the type. Returns 1 if the rest is to be copied as it is. */
static int format_one(output_t *out, const char **f, va_list *va)
{
    const char *p = *f;
    int length = LENGTH_INT, precision = 0;
    while (Py_ISDIGIT(*p))
        p++;
    if (*p == '.') {
        p++;
        while (Py_ISDIGIT(*p)) {
            if (precision < INT_MAX / 10 - 1)
                precision = precision * 10 + (*p - '0');
            p++;
        }
    }
    while (*p != 0 && *p != '%' && !Py_ISALPHA(*p))
        p++;
    if (*p == 'l' && (p[1] == 'd' || p[1] == 'u')) {
        length = LENGTH_LONG;
        p++;
    }
    else if (*p == 'z' && (p[1] == 'd' || p[1] == 'u')) {
        length = LENGTH_SIZE;
        p++;
    }
    char type = *p;
    *f = p + 1;
    switch (type) {
    case 'c': {
        int c = va_arg(*va, int);
        if (c < 0 || c > 255) {
            PyErr_SetString(PyExc_OverflowError, "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]");
            return -1;
        }
        char byte = (char)c;
        return output_write(out, &byte, 1);
    }
    case 'd': case 'u': case 'i': case 'x':
        return format_integer(out, type, length, va);
    case 's': {
        const char *text = va_arg(*va, const char *);
        size_t n = precision > 0 ? strnlen(text, (size_t)precision) : strlen(text);
        return output_write(out, text, (Py_ssize_t)n);
    }
    case 'p': {
        char text[32];
        snprintf(text, sizeof(text), "0x%lx", (unsigned long)va_arg(*va, void *));
        return output_write(out, text, (Py_ssize_t)strlen(text));
    }
    case '%':
        return output_write(out, "%", 1);
    default:
        return 1;
    }
}

PyObject *PyBytes_FromFormatV(const char *format, va_list va_arg_list)
{
    output_t out = {0};
    PyObject *result = NULL;
    const char *f = format;
    va_list va;
    va_copy(va, va_arg_list);
    while (*f != 0) {
        const char *mark = strchrnul(f, '%');
        if (output_write(&out, f, mark - f) < 0)
            goto done;
        if (*mark == 0)
            break;
        f = mark + 1;
        int status = format_one(&out, &f, &va);
        if (status < 0)
            goto done;
        if (status > 0) {
            if (output_write(&out, mark, (Py_ssize_t)strlen(mark)) < 0)
                goto done;
            break;
        }
    }
    result = PyBytes_FromStringAndSize(out.data, out.used);
done:
    va_end(va);
    PyMem_Free(out.data);
    return result;
}

PyObject *PyBytes_FromFormat(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = PyBytes_FromFormatV(format, va);
    va_end(va);
    return result;
}
