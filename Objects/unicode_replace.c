/* str.replace. */
#include <Python.h>
#include "unicode.h"

/* gcc vectorizes loops from -O3 on only; clang does so anyway. */
#ifdef __clang__
#define VECTORIZED
#else
#define VECTORIZED __attribute__((optimize("O3")))
#endif

/* Every `from` becomes `to`, both of one byte. */
static VECTORIZED void replace_bytes(Py_UCS1 *out, const Py_UCS1 *data, Py_ssize_t n, Py_UCS1 from, Py_UCS1 to)
{
    for (Py_ssize_t i = 0; i < n; i++)
        out[i] = data[i] == from ? to : data[i];
}

/* from and to have the same length, which fits in place: copies and patches. */
static PyObject *replace_same_length(PyObject *self, int kind, const void *from, Py_ssize_t m, const void *to,
                                     Py_ssize_t first, Py_ssize_t maxcount)
{
    if (kind == 1 && m == 1 && maxcount >= PyUnicode_GET_LENGTH(self)) {
        PyObject *result = unicode_alloc(PyUnicode_GET_LENGTH(self), PyUnicode_MAX_CHAR_VALUE(self));
        if (result != NULL)
            replace_bytes(PyUnicode_1BYTE_DATA(result), PyUnicode_1BYTE_DATA(self), PyUnicode_GET_LENGTH(self),
                          *(const Py_UCS1 *)from, *(const Py_UCS1 *)to);
        return result;
    }
    PyObject *str = _PyUnicode_Copy(self);
    if (str == NULL)
        return NULL;
    char *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), at = first;
    while (maxcount-- > 0) {
        memcpy(data + at * kind, to, (size_t)(m * kind));
        at += m;
        Py_ssize_t next = unicode_find_data(kind, data + at * kind, n - at, from, m);
        if (next < 0)
            break;
        at += next;
    }
    return str;
}

static char *append(char *out, int kind, const void *data, Py_ssize_t n)
{
    memcpy(out, data, (size_t)(n * kind));
    return out + n * kind;
}

/* The general case, all of one kind; count replacements. m == 0 inserts before each character and at the end. */
static void replace_into(char *out, int kind, const char *data, Py_ssize_t n, const void *from, Py_ssize_t m,
                         const void *to, Py_ssize_t to_len, Py_ssize_t count)
{
    if (m == 0) {
        out = append(out, kind, to, to_len);
        for (Py_ssize_t i = 1; i < count; i++) {
            out = append(out, kind, data, 1);
            out = append(out, kind, to, to_len);
            data += kind;
            n--;
        }
        append(out, kind, data, n);
        return;
    }
    while (count-- > 0) {
        Py_ssize_t at = unicode_find_data(kind, data, n, from, m);
        out = append(out, kind, data, at);
        out = append(out, kind, to, to_len);
        data += (at + m) * kind;
        n -= at + m;
    }
    append(out, kind, data, n);
}

/* Data of str in the given kind: its own, or a copy in *to_free. */
static const void *data_as_kind(PyObject *str, int kind, void **to_free)
{
    *to_free = NULL;
    if ((int)PyUnicode_KIND(str) == kind)
        return PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    void *copy = PyMem_Malloc((size_t)(n + 1) * (size_t)kind);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    unicode_convert(kind, copy, PyUnicode_KIND(str), PyUnicode_DATA(str), n);
    *to_free = copy;
    return copy;
}

/* One ASCII character by an ASCII string in one that is ASCII too; no limit. */
static PyObject *replace_ascii_char(PyObject *self, char from, const char *to, Py_ssize_t to_len)
{
    const char *data = PyUnicode_DATA(self), *at;
    Py_ssize_t n = PyUnicode_GET_LENGTH(self), count = 1;
    const char *first = memchr(data, from, (size_t)n), *end = data + n;
    if (first == NULL)
        return PyUnicode_FromObject(self);
    if (to_len == 1) {
        PyObject *str = unicode_alloc(n, 127);
        if (str != NULL)
            replace_bytes(PyUnicode_DATA(str), (const Py_UCS1 *)data, n, (Py_UCS1)from, (Py_UCS1)to[0]);
        return str;
    }
    for (at = first; (at = memchr(at + 1, from, (size_t)(end - at - 1))) != NULL;)
        count++;
    if (to_len > 1 && count > (PY_SSIZE_T_MAX - n) / (to_len - 1)) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        return NULL;
    }
    Py_ssize_t length = n + count * (to_len - 1);
    if (length == 0)
        return unicode_empty();
    PyObject *str = unicode_alloc(length, 127);
    if (str == NULL)
        return NULL;
    char *out = PyUnicode_DATA(str);
    for (at = first; at != NULL; at = memchr(data, from, (size_t)(end - data))) {
        memcpy(out, data, (size_t)(at - data));
        out += at - data;
        memcpy(out, to, (size_t)to_len);
        out += to_len;
        data = at + 1;
    }
    memcpy(out, data, (size_t)(end - data));
    return str;
}

static PyObject *replace(PyObject *self, PyObject *from, PyObject *to, Py_ssize_t maxcount)
{
    if (maxcount == PY_SSIZE_T_MAX && PyUnicode_GET_LENGTH(from) == 1 && PyUnicode_IS_ASCII(self) && PyUnicode_IS_ASCII(from)
        && PyUnicode_IS_ASCII(to))
        return replace_ascii_char(self, *(const char *)PyUnicode_DATA(from), PyUnicode_DATA(to), PyUnicode_GET_LENGTH(to));
    Py_ssize_t n = PyUnicode_GET_LENGTH(self), m = PyUnicode_GET_LENGTH(from), to_len = PyUnicode_GET_LENGTH(to);
    int self_kind = PyUnicode_KIND(self), to_kind = PyUnicode_KIND(to), kind = Py_MAX(self_kind, to_kind);
    void *self_copy = NULL, *from_copy = NULL, *to_copy = NULL, *from_narrow = NULL;
    PyObject *result = NULL;
    const void *from_self = data_as_kind(from, self_kind, &from_narrow);
    if (from_self == NULL)
        return NULL;
    Py_ssize_t first = m == 0 ? 0 : unicode_find_data(self_kind, PyUnicode_DATA(self), n, from_self, m);
    if (first < 0) {
        result = PyUnicode_FromObject(self);
        goto done;
    }
    const void *to_data = data_as_kind(to, kind, &to_copy);
    if (to_data == NULL)
        goto done;
    if (m == to_len && m > 0 && kind == self_kind
        && PyUnicode_MAX_CHAR_VALUE(from) < 128 && PyUnicode_MAX_CHAR_VALUE(to) < 128) {
        result = replace_same_length(self, kind, from_self, m, to_data, first, maxcount);
        goto done;
    }
    Py_ssize_t count = unicode_count_data(self_kind, PyUnicode_DATA(self), n, from_self, m, maxcount);
    if (to_len > m && count > (PY_SSIZE_T_MAX - n) / (to_len - m)) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        goto done;
    }
    Py_ssize_t length = n + count * (to_len - m);
    if (length == 0) {
        result = unicode_empty();
        goto done;
    }
    const void *data = data_as_kind(self, kind, &self_copy);
    const void *from_data = data_as_kind(from, kind, &from_copy);
    if (data == NULL || from_data == NULL)
        goto done;
    /* The widest characters may be among those that go: then the result is made in a buffer and narrowed. */
    int exact = PyUnicode_MAX_CHAR_VALUE(from) < 128
                || PyUnicode_MAX_CHAR_VALUE(from) < PyUnicode_MAX_CHAR_VALUE(self)
                || PyUnicode_MAX_CHAR_VALUE(to) >= PyUnicode_MAX_CHAR_VALUE(self);
    if (exact) {
        Py_UCS4 maxchar = PyUnicode_MAX_CHAR_VALUE(self);
        result = unicode_alloc(length, Py_MAX(maxchar, PyUnicode_MAX_CHAR_VALUE(to)));
        if (result != NULL)
            replace_into(PyUnicode_DATA(result), kind, data, n, from_data, m, to_data, to_len, count);
        goto done;
    }
    char *buffer = length > PY_SSIZE_T_MAX / kind ? NULL : PyMem_Malloc((size_t)(length * kind));
    if (buffer == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    replace_into(buffer, kind, data, n, from_data, m, to_data, to_len, count);
    result = PyUnicode_FromKindAndData(kind, buffer, length);
    PyMem_Free(buffer);
done:
    PyMem_Free(self_copy);
    PyMem_Free(from_copy);
    PyMem_Free(to_copy);
    PyMem_Free(from_narrow);
    return result;
}

PyObject *PyUnicode_Replace(PyObject *self, PyObject *from, PyObject *to, Py_ssize_t maxcount)
{
    PyObject *wrong = !PyUnicode_Check(self) ? self : !PyUnicode_Check(from) ? from : !PyUnicode_Check(to) ? to : NULL;
    if (wrong != NULL) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(wrong)->tp_name);
        return NULL;
    }
    if (maxcount < 0)
        maxcount = PY_SSIZE_T_MAX;
    Py_ssize_t n = PyUnicode_GET_LENGTH(self), m = PyUnicode_GET_LENGTH(from);
    if (maxcount == 0 || from == to || m > n || PyUnicode_KIND(from) > PyUnicode_KIND(self)
        || (m == 0 && PyUnicode_GET_LENGTH(to) == 0))
        return PyUnicode_FromObject(self);
    return replace(self, from, to, maxcount);
}
