/* Taking strings apart: split, rsplit, splitlines, partition, strip. */
#include <Python.h>
#include "unicode.h"
#include "item_collector.h"
#include "unicode_data.h"

/* ---- Collecting pieces ---- */

static inline int collect_slice(item_collector_t *c, PyObject *str, Py_ssize_t start, Py_ssize_t end)
{
    return item_collector_add(c, PyUnicode_Substring(str, start, end));
}

/* The same for a part of an ASCII string that is not the whole. */
static inline int collect_ascii(item_collector_t *c, const char *start, const char *end)
{
    return item_collector_add(c, _PyUnicode_FromASCII(start, end - start));
}

/* ---- split ---- */

static inline int is_space_at(int kind, const void *data, Py_ssize_t i)
{
    return unicode_is_space(PyUnicode_READ(kind, data, i));
}

/* kind is a constant where this is inlined. */
static inline Py_ALWAYS_INLINE int split_whitespace_kind(item_collector_t *c, PyObject *str, Py_ssize_t maxsplit,
                                                         const int kind)
{
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), i = 0;
    for (;;) {
        while (i < n && is_space_at(kind, data, i))
            i++;
        if (i == n)
            return 0;
        Py_ssize_t start = i;
        if (maxsplit-- <= 0)        /* the rest keeps its trailing blanks */
            return collect_slice(c, str, start, n);
        while (i < n && !is_space_at(kind, data, i))
            i++;
        if (collect_slice(c, str, start, i) < 0)
            return -1;
    }
}

static int split_whitespace_ascii(item_collector_t *c, PyObject *str, Py_ssize_t maxsplit)
{
    const unsigned char *data = PyUnicode_DATA(str), *at = data, *end = data + PyUnicode_GET_LENGTH(str);
    for (;;) {
        while (at < end && _Py_ascii_whitespace[*at])
            at++;
        if (at == end)
            return 0;
        const unsigned char *start = at;
        if (maxsplit-- <= 0)        /* the rest keeps its trailing blanks */
            at = end;
        else
            while (at < end && !_Py_ascii_whitespace[*at])
                at++;
        if (start == data && at == end)
            return item_collector_add(c, PyUnicode_FromObject(str));
        if (collect_ascii(c, (const char *)start, (const char *)at) < 0)
            return -1;
    }
}

static int split_whitespace(item_collector_t *c, PyObject *str, Py_ssize_t maxsplit)
{
    if (PyUnicode_IS_ASCII(str))
        return split_whitespace_ascii(c, str, maxsplit);
    switch (PyUnicode_KIND(str)) {
    case 1: return split_whitespace_kind(c, str, maxsplit, 1);
    case 2: return split_whitespace_kind(c, str, maxsplit, 2);
    default: return split_whitespace_kind(c, str, maxsplit, 4);
    }
}

static int rsplit_whitespace(item_collector_t *c, PyObject *str, Py_ssize_t maxsplit)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t i = PyUnicode_GET_LENGTH(str);
    for (;;) {
        while (i > 0 && is_space_at(kind, data, i - 1))
            i--;
        if (i == 0)
            return 0;
        Py_ssize_t end = i;
        if (maxsplit-- <= 0)
            return collect_slice(c, str, 0, end);
        while (i > 0 && !is_space_at(kind, data, i - 1))
            i--;
        if (collect_slice(c, str, i, end) < 0)
            return -1;
    }
}

/* The string itself if exact, for results that are the whole. */
static int collect_whole(item_collector_t *c, PyObject *str)
{
    return item_collector_add(c, PyUnicode_FromObject(str));
}

/* Both of ASCII, the separator one character: what most programs split. */
static int split_ascii_char(item_collector_t *c, PyObject *str, char sep, Py_ssize_t maxsplit)
{
    const char *start = PyUnicode_DATA(str), *end = start + PyUnicode_GET_LENGTH(str), *at;
    if (maxsplit <= 0 || (at = memchr(start, sep, (size_t)(end - start))) == NULL)
        return collect_whole(c, str);
    do {
        if (collect_ascii(c, start, at) < 0)
            return -1;
        start = at + 1;
    } while (--maxsplit > 0 && (at = memchr(start, sep, (size_t)(end - start))) != NULL);
    return collect_ascii(c, start, end);
}

static int split_separator(item_collector_t *c, PyObject *str, PyObject *sep, Py_ssize_t maxsplit, int reverse)
{
    if (!reverse && PyUnicode_IS_ASCII(str) && PyUnicode_IS_ASCII(sep) && PyUnicode_GET_LENGTH(sep) == 1)
        return split_ascii_char(c, str, *(const char *)PyUnicode_DATA(sep), maxsplit);
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(str), m = PyUnicode_GET_LENGTH(sep);
    int kind = PyUnicode_KIND(str);
    if ((int)PyUnicode_KIND(sep) > kind)
        return collect_whole(c, str);
    const char *data = PyUnicode_DATA(str);
    void *copy = NULL;
    const void *sep_data = PyUnicode_DATA(sep);
    if ((int)PyUnicode_KIND(sep) != kind) {
        sep_data = copy = PyMem_Malloc((size_t)(m + 1) * (size_t)kind);
        if (copy == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        unicode_convert(kind, copy, PyUnicode_KIND(sep), PyUnicode_DATA(sep), m);
    }
    int rc = 0;
    for (; maxsplit > 0 && rc == 0; maxsplit--) {
        Py_ssize_t at = reverse ? unicode_rfind_data(kind, data, end, sep_data, m)
                                : unicode_find_data(kind, data + start * kind, end - start, sep_data, m);
        if (at < 0)
            break;
        if (reverse) {
            rc = collect_slice(c, str, at + m, end);
            end = at;
        }
        else {
            rc = collect_slice(c, str, start, start + at);
            start += at + m;
        }
    }
    if (rc == 0)
        rc = collect_slice(c, str, start, end);
    PyMem_Free(copy);
    return rc;
}

static PyObject *split(PyObject *str, PyObject *sep, Py_ssize_t maxsplit, int reverse)
{
    if (maxsplit < 0)
        maxsplit = PY_SSIZE_T_MAX;
    if (sep != NULL && PyUnicode_GET_LENGTH(sep) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    item_collector_t c;
    item_collector_init(&c);
    int rc;
    if (sep != NULL)
        rc = split_separator(&c, str, sep, maxsplit, reverse);
    else
        rc = reverse ? rsplit_whitespace(&c, str, maxsplit) : split_whitespace(&c, str, maxsplit);
    return item_collector_finish(&c, rc == 0, reverse);
}

static int check_operands(PyObject *str, PyObject *sep)
{
    PyObject *wrong = !PyUnicode_Check(str) ? str : sep != NULL && !PyUnicode_Check(sep) ? sep : NULL;
    if (wrong == NULL)
        return 0;
    PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(wrong)->tp_name);
    return -1;
}

PyObject *PyUnicode_Split(PyObject *str, PyObject *sep, Py_ssize_t maxsplit)
{
    return check_operands(str, sep) < 0 ? NULL : split(str, sep, maxsplit, 0);
}

PyObject *PyUnicode_RSplit(PyObject *str, PyObject *sep, Py_ssize_t maxsplit)
{
    return check_operands(str, sep) < 0 ? NULL : split(str, sep, maxsplit, 1);
}

PyObject *PyUnicode_Splitlines(PyObject *str, int keepends)
{
    if (check_operands(str, NULL) < 0)
        return NULL;
    int kind = PyUnicode_KIND(str), rc = 0;
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), i = 0;
    item_collector_t c;
    item_collector_init(&c);
    while (i < n && rc == 0) {
        Py_ssize_t start = i;
        while (i < n && !Py_UNICODE_ISLINEBREAK(PyUnicode_READ(kind, data, i)))
            i++;
        Py_ssize_t end = i;
        if (i < n) {
            int crlf = PyUnicode_READ(kind, data, i) == '\r' && i + 1 < n && PyUnicode_READ(kind, data, i + 1) == '\n';
            i += 1 + crlf;
            if (keepends)
                end = i;
        }
        rc = start == 0 && end == n ? collect_whole(&c, str) : collect_slice(&c, str, start, end);
    }
    return item_collector_finish(&c, rc == 0, 0);
}

/* ---- partition ---- */

static PyObject *partition(PyObject *str, PyObject *sep, int reverse)
{
    if (check_operands(str, sep) < 0)
        return NULL;
    Py_ssize_t m = PyUnicode_GET_LENGTH(sep), n = PyUnicode_GET_LENGTH(str);
    if (m == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    Py_ssize_t at = PyUnicode_Find(str, sep, 0, n, reverse ? -1 : 1);
    if (at == -2)
        return NULL;
    PyObject *parts[3] = {NULL, NULL, NULL}, *result = NULL;
    if (at < 0) {
        parts[reverse ? 2 : 0] = PyUnicode_FromObject(str);
        parts[1] = unicode_empty();
        parts[reverse ? 0 : 2] = unicode_empty();
    }
    else {
        parts[0] = PyUnicode_Substring(str, 0, at);
        parts[1] = Py_NewRef(sep);
        parts[2] = PyUnicode_Substring(str, at + m, n);
    }
    if (parts[0] != NULL && parts[2] != NULL)
        result = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(parts[i]);
    return result;
}

PyObject *PyUnicode_Partition(PyObject *str, PyObject *sep)
{
    return partition(str, sep, 0);
}

PyObject *PyUnicode_RPartition(PyObject *str, PyObject *sep)
{
    return partition(str, sep, 1);
}

/* ---- strip ---- */

/* The blanks among the ASCII characters, as a set of 128 bits. */
static const uint64_t ascii_blanks[2] = {0x00000001f0003e00u, 0};

/* striptype: 0 left, 1 right, 2 both. */
static PyObject *strip_ascii(PyObject *self, int striptype, const uint64_t set[2])
{
    const unsigned char *data = PyUnicode_DATA(self);
    Py_ssize_t start = 0, length = PyUnicode_GET_LENGTH(self), end = length;
#define IN_SET(c) (set[(c) >> 6] >> ((c) & 63) & 1)
    if (striptype != 1)
        while (start < end && IN_SET(data[start]))
            start++;
    if (striptype != 0)
        while (end > start && IN_SET(data[end - 1]))
            end--;
#undef IN_SET
    if (end - start == length)
        return PyUnicode_FromObject(self);
    return _PyUnicode_FromASCII((const char *)data + start, end - start);
}

PyObject *_PyUnicode_XStrip(PyObject *self, int striptype, PyObject *chars)
{
    if (PyUnicode_IS_ASCII(self) && (chars == NULL || PyUnicode_IS_ASCII(chars))) {
        if (chars == NULL)
            return strip_ascii(self, striptype, ascii_blanks);
        uint64_t set[2] = {0, 0};
        const unsigned char *c = PyUnicode_DATA(chars);
        for (Py_ssize_t i = PyUnicode_GET_LENGTH(chars); i > 0; i--, c++)
            set[*c >> 6] |= (uint64_t)1 << (*c & 63);
        return strip_ascii(self, striptype, set);
    }
    int kind = PyUnicode_KIND(self), set_kind = chars == NULL ? 1 : (int)PyUnicode_KIND(chars);
    const void *data = PyUnicode_DATA(self), *set = chars == NULL ? NULL : PyUnicode_DATA(chars);
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(self), set_len = chars == NULL ? 0 : PyUnicode_GET_LENGTH(chars);
#define STRIPPED(i) \
    (chars == NULL ? is_space_at(kind, data, (i)) \
                   : unicode_find_char(set_kind, set, set_len, PyUnicode_READ(kind, data, (i))) >= 0)
    if (striptype != 1)
        while (start < end && STRIPPED(start))
            start++;
    if (striptype != 0)
        while (end > start && STRIPPED(end - 1))
            end--;
#undef STRIPPED
    return PyUnicode_Substring(self, start, end);
}
