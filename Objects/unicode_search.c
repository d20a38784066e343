/* Searching in strings: find, rfind, count, tail matches.
 *
 * One-byte strings use the C library's memchr and memmem (which is linear in the worst case).  For wider ones memmem looks
 * at the bytes; a hit that is not aligned to a character is skipped, and if there are many of them a plain scan takes over. */
#define _GNU_SOURCE
#include <Python.h>
#include "unicode.h"

/* ---- Single characters ---- */

static Py_ssize_t find_char_2(const Py_UCS2 *s, Py_ssize_t n, Py_UCS4 ch)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (s[i] == ch)
            return i;
    return -1;
}

Py_ssize_t unicode_find_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1) {
        const char *p = ch < 256 && n > 0 ? memchr(data, (int)ch, (size_t)n) : NULL;
        return p == NULL ? -1 : p - (const char *)data;
    }
    if (kind == 2)
        return find_char_2(data, n, ch);
    const wchar_t *p = n > 0 ? wmemchr(data, (wchar_t)ch, (size_t)n) : NULL;
    return p == NULL ? -1 : p - (const wchar_t *)data;
}

Py_ssize_t unicode_rfind_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1) {
        const char *p = ch < 256 && n > 0 ? memrchr(data, (int)ch, (size_t)n) : NULL;
        return p == NULL ? -1 : p - (const char *)data;
    }
    for (Py_ssize_t i = n - 1; i >= 0; i--)
        if (PyUnicode_READ(kind, data, i) == ch)
            return i;
    return -1;
}

/* ---- Substrings ---- */

static Py_ssize_t find_plain(int kind, const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m, Py_ssize_t i)
{
    Py_UCS4 first = PyUnicode_READ(kind, sub, 0), last = PyUnicode_READ(kind, sub, m - 1);
    while (i <= n - m) {
        Py_ssize_t skip = unicode_find_char(kind, s + i * kind, n - m + 1 - i, first);
        if (skip < 0)
            return -1;
        i += skip;
        if (PyUnicode_READ(kind, s, i + m - 1) == last && memcmp(s + i * kind, sub, (size_t)(m * kind)) == 0)
            return i;
        i++;
    }
    return -1;
}

static Py_ssize_t find_wide(int kind, const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m)
{
    enum { PATIENCE = 8 };
    size_t size = (size_t)n * (size_t)kind, from = 0;
    for (int misses = 0; misses < PATIENCE; misses++) {
        const char *p = memmem(s + from, size - from, sub, (size_t)(m * kind));
        if (p == NULL)
            return -1;
        size_t at = (size_t)(p - s);
        if (at % (size_t)kind == 0)
            return (Py_ssize_t)(at / (size_t)kind);
        from = at + 1;
    }
    return find_plain(kind, s, n, sub, m, (Py_ssize_t)(from / (size_t)kind));
}

/* 2 <= m < n, and n is small: memmem would take longer to begin than this takes. */
static Py_ssize_t find_in_short(const char *data, Py_ssize_t n, const char *sub, Py_ssize_t m)
{
    char first = sub[0], last = sub[m - 1];
    for (Py_ssize_t i = 0; i <= n - m; i++)
        if (data[i] == first && data[i + m - 1] == last && memcmp(data + i + 1, sub + 1, (size_t)(m - 2)) == 0)
            return i;
    return -1;
}

Py_ssize_t unicode_find_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m)
{
    if (m > n)
        return -1;
    if (m == 0)
        return 0;
    if (m == 1)
        return unicode_find_char(kind, data, n, PyUnicode_READ(kind, sub, 0));
    if (m == n)
        return memcmp(data, sub, (size_t)(m * kind)) == 0 ? 0 : -1;
    if (kind != 1)
        return find_wide(kind, data, n, sub, m);
    if (n <= 48)
        return find_in_short(data, n, sub, m);
    const char *p = memmem(data, (size_t)n, sub, (size_t)m);
    return p == NULL ? -1 : p - (const char *)data;
}

Py_ssize_t unicode_rfind_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m)
{
    if (m > n)
        return -1;
    if (m == 0)
        return n;
    const char *s = data;
    Py_UCS4 first = PyUnicode_READ(kind, sub, 0), last = PyUnicode_READ(kind, sub, m - 1);
    Py_ssize_t limit = n - m + 1;
    while (limit > 0) {
        Py_ssize_t i = unicode_rfind_char(kind, s, limit, first);
        if (i < 0)
            return -1;
        if (PyUnicode_READ(kind, s, i + m - 1) == last && memcmp(s + i * kind, sub, (size_t)(m * kind)) == 0)
            return i;
        limit = i;
    }
    return -1;
}

Py_ssize_t unicode_count_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m,
                              Py_ssize_t maxcount)
{
    if (m == 0)
        return n < maxcount ? n + 1 : maxcount;
    const char *s = data;
    Py_ssize_t count = 0;
    if (m == 1 && kind == 1) {
        char ch = *(const char *)sub;
        if (maxcount == PY_SSIZE_T_MAX) {
            for (Py_ssize_t i = 0; i < n; i++)
                count += s[i] == ch;
            return count;
        }
    }
    while (count < maxcount) {
        Py_ssize_t i = unicode_find_data(kind, s, n, sub, m);
        if (i < 0)
            break;
        count++;
        s += (i + m) * kind;
        n -= i + m;
    }
    return count;
}

/* ---- The C API ---- */

static void adjust_indices(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t length)
{
    if (*end > length)
        *end = length;
    else if (*end < 0)
        *end = Py_MAX(*end + length, 0);
    if (*start < 0)
        *start = Py_MAX(*start + length, 0);
}

/* Data of sub in the given kind: its own or a copy in *to_free. NULL with MemoryError. */
static const void *data_as_kind(PyObject *sub, int kind, void **to_free)
{
    *to_free = NULL;
    if (PyUnicode_KIND(sub) == (enum PyUnicode_Kind)kind)
        return PyUnicode_DATA(sub);
    Py_ssize_t m = PyUnicode_GET_LENGTH(sub);
    void *copy = PyMem_Malloc((size_t)(m + 1) * (size_t)kind);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    unicode_convert(kind, copy, PyUnicode_KIND(sub), PyUnicode_DATA(sub), m);
    *to_free = copy;
    return copy;
}

/* Index, -1: not found, -2: MemoryError. Both str. */
static Py_ssize_t find_slice(PyObject *str, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(str), m = PyUnicode_GET_LENGTH(sub);
    int kind = PyUnicode_KIND(str);
    adjust_indices(&start, &end, length);
    if (end - start < m || (int)PyUnicode_KIND(sub) > kind)
        return -1;
    if (m == 0)
        return direction > 0 ? start : end;
    const char *data = (char *)PyUnicode_DATA(str) + start * kind;
    if (m == 1) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(sub, 0);
        Py_ssize_t i = direction > 0 ? unicode_find_char(kind, data, end - start, ch)
                                     : unicode_rfind_char(kind, data, end - start, ch);
        return i < 0 ? -1 : start + i;
    }
    void *to_free;
    const void *sub_data = data_as_kind(sub, kind, &to_free);
    if (sub_data == NULL)
        return -2;
    Py_ssize_t i = direction > 0 ? unicode_find_data(kind, data, end - start, sub_data, m)
                                 : unicode_rfind_data(kind, data, end - start, sub_data, m);
    PyMem_Free(to_free);
    return i < 0 ? -1 : start + i;
}

static int check_str(PyObject *obj)
{
    if (PyUnicode_Check(obj))
        return 0;
    PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(obj)->tp_name);
    return -1;
}

Py_ssize_t PyUnicode_Find(PyObject *str, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    if (check_str(str) < 0 || check_str(sub) < 0)
        return -2;
    return find_slice(str, sub, start, end, direction);
}

Py_ssize_t PyUnicode_FindChar(PyObject *str, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end, int direction)
{
    if (start < 0 || end < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -2;
    }
    end = Py_MIN(end, PyUnicode_GET_LENGTH(str));
    if (start >= end)
        return -1;
    int kind = PyUnicode_KIND(str);
    const char *data = (char *)PyUnicode_DATA(str) + start * kind;
    Py_ssize_t i = direction > 0 ? unicode_find_char(kind, data, end - start, ch)
                                 : unicode_rfind_char(kind, data, end - start, ch);
    return i < 0 ? -1 : start + i;
}

Py_ssize_t PyUnicode_Count(PyObject *str, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    if (check_str(str) < 0 || check_str(sub) < 0)
        return -1;
    int kind = PyUnicode_KIND(str);
    adjust_indices(&start, &end, PyUnicode_GET_LENGTH(str));
    if (end - start < PyUnicode_GET_LENGTH(sub) || (int)PyUnicode_KIND(sub) > kind)
        return 0;
    void *to_free;
    const void *sub_data = data_as_kind(sub, kind, &to_free);
    if (sub_data == NULL)
        return -1;
    Py_ssize_t count = unicode_count_data(kind, (char *)PyUnicode_DATA(str) + start * kind, end - start, sub_data,
                                          PyUnicode_GET_LENGTH(sub), PY_SSIZE_T_MAX);
    PyMem_Free(to_free);
    return count;
}

int PyUnicode_Contains(PyObject *str, PyObject *sub)
{
    if (!PyUnicode_Check(sub)) {
        PyErr_Format(PyExc_TypeError, "'in <string>' requires string as left operand, not %.100s",
                     Py_TYPE(sub)->tp_name);
        return -1;
    }
    if (check_str(str) < 0)
        return -1;
    Py_ssize_t i = find_slice(str, sub, 0, PY_SSIZE_T_MAX, 1);
    return i == -2 ? -1 : i >= 0;
}

static int equal_at(PyObject *str, Py_ssize_t at, PyObject *sub)
{
    int kind = PyUnicode_KIND(str), sub_kind = PyUnicode_KIND(sub);
    Py_ssize_t m = PyUnicode_GET_LENGTH(sub);
    const char *data = (char *)PyUnicode_DATA(str) + at * kind;
    const void *sub_data = PyUnicode_DATA(sub);
    if (kind == sub_kind)
        return memcmp(data, sub_data, (size_t)(m * kind)) == 0;
    for (Py_ssize_t i = 0; i < m; i++)
        if (PyUnicode_READ(kind, data, i) != PyUnicode_READ(sub_kind, sub_data, i))
            return 0;
    return 1;
}

Py_ssize_t PyUnicode_Tailmatch(PyObject *str, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    if (check_str(str) < 0 || check_str(sub) < 0)
        return -1;
    adjust_indices(&start, &end, PyUnicode_GET_LENGTH(str));
    Py_ssize_t m = PyUnicode_GET_LENGTH(sub);
    if (end - start < m || start > PyUnicode_GET_LENGTH(str))
        return 0;
    if (m == 0)
        return 1;
    if (PyUnicode_KIND(sub) > PyUnicode_KIND(str))
        return 0;
    return equal_at(str, direction > 0 ? end - m : start, sub);
}
