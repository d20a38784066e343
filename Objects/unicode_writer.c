/* The string writer: a buffer of code points that grows and widens. */
#include <Python.h>
#include "decimal_text.h"
#include "object_malloc.h"
#include "unicode.h"
#include "unicode_writer.h"

void unicode_writer_init(unicode_writer_t *w)
{
    w->data = w->inline_data.bytes;
    w->pos = 0;
    w->size = sizeof(w->inline_data);
    w->maxchar = 255;
    w->kind = 1;
    w->non_ascii = 0;
}

void unicode_writer_init_sized(unicode_writer_t *w, Py_ssize_t expected)
{
    unicode_writer_init(w);
    if (expected > w->size) {
        void *data = PyMem_Malloc((size_t)expected);
        if (data != NULL) {
            w->data = data;
            w->size = expected;
        }
    }
}

static void release(unicode_writer_t *w)
{
    if (w->data != w->inline_data.bytes)
        PyMem_Free(w->data);
}

int unicode_writer_grow(unicode_writer_t *w, Py_ssize_t extra, Py_UCS4 maxchar)
{
    int kind = Py_MAX(w->kind, maxchar < 256 ? 1 : maxchar < 65536 ? 2 : 4);
    if (extra < 0 || extra > PY_SSIZE_T_MAX / 8 - w->pos) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = w->size;
    if (w->pos + extra > size)
        size = w->pos + extra + (w->pos + extra) / 2;
    if (kind == w->kind && w->data != w->inline_data.bytes) {
        void *data = PyMem_Realloc(w->data, (size_t)size * (size_t)kind);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        w->data = data;
    }
    else {
        void *data = PyMem_Malloc((size_t)size * (size_t)kind);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        unicode_convert(kind, data, w->kind, w->data, w->pos);
        release(w);
        w->data = data;
    }
    w->size = size;
    w->kind = kind;
    w->maxchar = kind == 1 ? 255 : kind == 2 ? 65535 : 0x10ffff;
    return 0;
}

int unicode_writer_write_data(unicode_writer_t *w, int kind, const void *data, Py_ssize_t n)
{
    if (n == 0)
        return 0;
    if (unicode_writer_prepare(w, n, unicode_max_char(kind, data, n)) < 0)
        return -1;
    unicode_convert(w->kind, (char *)w->data + w->pos * w->kind, kind, data, n);
    w->pos += n;
    return 0;
}

int unicode_writer_write_ascii(unicode_writer_t *w, const char *text, Py_ssize_t length)
{
    if (length < 0)
        length = (Py_ssize_t)strlen(text);
    if (Py_UNLIKELY(length > w->size - w->pos) && unicode_writer_grow(w, length, 127) < 0)
        return -1;
    if (Py_LIKELY(w->kind == 1))
        object_copy_bytes((char *)w->data + w->pos, text, (size_t)length);
    else
        unicode_convert(w->kind, (char *)w->data + w->pos * w->kind, 1, text, length);
    w->pos += length;
    return 0;
}

int unicode_writer_write_substring(unicode_writer_t *w, PyObject *str, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t n = end - start;
    if (n <= 0)
        return 0;
    if (Py_LIKELY(PyUnicode_IS_ASCII(str)))
        return unicode_writer_write_ascii(w, (const char *)PyUnicode_1BYTE_DATA(str) + start, n);
    /* The width of the whole string is a cheap upper bound; finish narrows what turns out too wide. */
    if (unicode_writer_prepare(w, n, _PyUnicode_FindMaxChar(str, start, end)) < 0)
        return -1;
    int kind = PyUnicode_KIND(str);
    unicode_convert(w->kind, (char *)w->data + w->pos * w->kind, kind, (char *)PyUnicode_DATA(str) + start * kind, n);
    w->pos += n;
    return 0;
}

int unicode_writer_write_str(unicode_writer_t *w, PyObject *str)
{
    return unicode_writer_write_substring(w, str, 0, PyUnicode_GET_LENGTH(str));
}

int unicode_writer_fill(unicode_writer_t *w, Py_UCS4 ch, Py_ssize_t n)
{
    if (n <= 0)
        return 0;
    if (unicode_writer_prepare(w, n, ch) < 0)
        return -1;
    if (w->kind == 1)
        memset((Py_UCS1 *)w->data + w->pos, (int)ch, (size_t)n);
    else
        for (Py_ssize_t i = 0; i < n; i++)
            PyUnicode_WRITE(w->kind, w->data, w->pos + i, ch);
    w->pos += n;
    return 0;
}

int unicode_writer_write_latin1(unicode_writer_t *w, const char *text, Py_ssize_t length)
{
    return unicode_writer_write_data(w, 1, text, length);
}

static int write_steal(unicode_writer_t *w, PyObject *str)
{
    if (str == NULL)
        return -1;
    int rc = unicode_writer_write_str(w, str);
    Py_DECREF(str);
    return rc;
}

int unicode_writer_write_object_str(unicode_writer_t *w, PyObject *obj)
{
    if (PyUnicode_CheckExact(obj))
        return unicode_writer_write_str(w, obj);
    if (value_is_int(obj)) {
        char buffer[24], *end = buffer + sizeof(buffer);
        int64_t n = value_get_int(obj);
        char *start = decimal_write(end, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
        if (n < 0)
            *--start = '-';
        return unicode_writer_write_ascii(w, start, end - start);
    }
    return write_steal(w, PyObject_Str(obj));
}

int unicode_writer_write_object_repr(unicode_writer_t *w, PyObject *obj)
{
    return write_steal(w, PyObject_Repr(obj));
}

PyObject *unicode_writer_finish(unicode_writer_t *w)
{
    PyObject *str;
    if (w->kind == 1 && !w->non_ascii)
        str = _PyUnicode_FromASCII(w->data, w->pos);
    else
        str = PyUnicode_FromKindAndData(w->kind, w->data, w->pos);
    release(w);
    unicode_writer_init(w);
    return str;
}

void unicode_writer_dealloc(unicode_writer_t *w)
{
    release(w);
    unicode_writer_init(w);
}
