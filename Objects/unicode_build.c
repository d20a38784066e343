/* Building strings from strings: concatenation, in-place appending, joining, repeating, slicing. */
#include <Python.h>
#include "object_malloc.h"
#include "unicode.h"

static int too_long(void)
{
    PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
    return -1;
}

PyObject *unicode_concat(PyObject *left, PyObject *right)
{
    Py_ssize_t left_len = PyUnicode_GET_LENGTH(left), right_len = PyUnicode_GET_LENGTH(right);
    if (left_len == 0)
        return PyUnicode_FromObject(right);
    if (right_len == 0)
        return PyUnicode_FromObject(left);
    if (left_len > PY_SSIZE_T_MAX - right_len) {
        too_long();
        return NULL;
    }
    Py_UCS4 maxchar = Py_MAX(PyUnicode_MAX_CHAR_VALUE(left), PyUnicode_MAX_CHAR_VALUE(right));
    PyObject *str = unicode_alloc(left_len + right_len, maxchar);
    if (str == NULL)
        return NULL;
    int kind = PyUnicode_KIND(str);
    char *data = PyUnicode_DATA(str);
    unicode_convert(kind, data, PyUnicode_KIND(left), PyUnicode_DATA(left), left_len);
    unicode_convert(kind, data + left_len * kind, PyUnicode_KIND(right), PyUnicode_DATA(right), right_len);
    return str;
}

PyObject *PyUnicode_Concat(PyObject *left, PyObject *right)
{
    if (!PyUnicode_Check(left)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(left)->tp_name);
        return NULL;
    }
    if (!PyUnicode_Check(right)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate str (not \"%.200s\") to str",
                     Py_TYPE(right)->tp_name);
        return NULL;
    }
    return unicode_concat(left, right);
}

PyObject *unicode_concat_steal(PyObject *left, PyObject *right)
{
    Py_ssize_t left_len = PyUnicode_GET_LENGTH(left), right_len = PyUnicode_GET_LENGTH(right);
    if (right_len == 0 && PyUnicode_CheckExact(left))
        return left;
    if (left_len > 0 && left != right && PyUnicode_CheckExact(left) && object_is_unique(left)
        && PyUnicode_KIND(right) <= PyUnicode_KIND(left)
        && (PyUnicode_IS_ASCII(right) || !PyUnicode_IS_ASCII(left)) && left_len <= PY_SSIZE_T_MAX - right_len) {
        PyObject *str = left;
        if (PyUnicode_Resize(&str, left_len + right_len) < 0) {
            Py_DECREF(left);
            return NULL;
        }
        int kind = PyUnicode_KIND(str);
        unicode_convert(kind, (char *)PyUnicode_DATA(str) + left_len * kind, PyUnicode_KIND(right),
                        PyUnicode_DATA(right), right_len);
        return str;
    }
    PyObject *str = unicode_concat(left, right);
    Py_DECREF(left);
    return str;
}

void PyUnicode_Append(PyObject **p, PyObject *right)
{
    PyObject *left = *p;
    if (left == NULL || right == NULL || !PyUnicode_Check(left) || !PyUnicode_Check(right)) {
        if (left == NULL) {
            if (!PyErr_Occurred())
                PyErr_BadInternalCall();
            return;
        }
        if (right != NULL || !PyErr_Occurred())
            PyErr_BadInternalCall();
        Py_CLEAR(*p);
        return;
    }
    *p = unicode_concat_steal(left, right);
}

void PyUnicode_AppendAndDel(PyObject **p, PyObject *right)
{
    PyUnicode_Append(p, right);
    Py_XDECREF(right);
}

/* ---- Joining ---- */

/* The items one after the other, separated by sep_len ASCII characters; total: length of the result. All are ASCII. */
static inline PyObject *join_ascii(PyObject *const *items, Py_ssize_t n, const char *sep, Py_ssize_t sep_len,
                                   Py_ssize_t total)
{
    PyObject *str = unicode_alloc(total, 127);
    if (str == NULL)
        return NULL;
    char *to = (char *)((PyASCIIObject *)str + 1);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (sep_len == 1 && i > 0)
            *to++ = *sep;
        else if (sep_len > 1 && i > 0) {
            object_copy_bytes(to, sep, (size_t)sep_len);
            to += sep_len;
        }
        Py_ssize_t length = PyUnicode_GET_LENGTH(items[i]);
        object_copy_bytes(to, PyUnicode_DATA(items[i]), (size_t)length);
        to += length;
    }
    return str;
}

PyObject *unicode_join_array(PyObject *const *items, Py_ssize_t n)
{
    Py_UCS4 maxchar = 127;
    Py_ssize_t length = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = items[i];
        if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found", i,
                         Py_TYPE(item)->tp_name);
            return NULL;
        }
        Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(item);
        maxchar = Py_MAX(maxchar, max);
        if (length > PY_SSIZE_T_MAX - PyUnicode_GET_LENGTH(item)) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long for a Python string");
            return NULL;
        }
        length += PyUnicode_GET_LENGTH(item);
    }
    if (n == 1)
        return PyUnicode_FromObject(items[0]);
    if (Py_LIKELY(maxchar == 127))
        return length == 0 ? unicode_empty() : join_ascii(items, n, NULL, 0, length);
    PyObject *str = PyUnicode_New(length, maxchar);
    if (str == NULL || length == 0)
        return str;
    int kind = PyUnicode_KIND(str);
    char *data = PyUnicode_DATA(str);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t item_len = PyUnicode_GET_LENGTH(items[i]);
        unicode_convert(kind, data, PyUnicode_KIND(items[i]), PyUnicode_DATA(items[i]), item_len);
        data += item_len * kind;
    }
    return str;
}

/* Length of the joined string and its width; -1 with an exception set. */
static Py_ssize_t measure_join(PyObject *separator, PyObject *const *items, Py_ssize_t n, Py_UCS4 *maxchar)
{
    Py_ssize_t sep_len = PyUnicode_GET_LENGTH(separator), length = 0;
    *maxchar = PyUnicode_MAX_CHAR_VALUE(separator);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = items[i];
        if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found", i,
                         Py_TYPE(item)->tp_name);
            return -1;
        }
        Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(item);
        *maxchar = Py_MAX(*maxchar, max);
        Py_ssize_t add = PyUnicode_GET_LENGTH(item);
        if (add > PY_SSIZE_T_MAX - sep_len || length > PY_SSIZE_T_MAX - sep_len - add) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long for a Python string");
            return -1;
        }
        length += add + (i > 0 ? sep_len : 0);
    }
    return length;
}

PyObject *_PyUnicode_JoinArray(PyObject *separator, PyObject *const *items, Py_ssize_t n)
{
    if (n == 0)
        return unicode_empty();
    if (n == 1 && PyUnicode_CheckExact(items[0]))
        return Py_NewRef(items[0]);
    if (separator == NULL)
        separator = unicode_latin1(' ');
    else if (!PyUnicode_Check(separator)) {
        PyErr_Format(PyExc_TypeError, "separator: expected str instance, %.80s found", Py_TYPE(separator)->tp_name);
        return NULL;
    }
    Py_UCS4 maxchar;
    Py_ssize_t length = measure_join(separator, items, n, &maxchar);
    if (length < 0)
        return NULL;
    if (maxchar == 127 && length > 0)
        return join_ascii(items, n, PyUnicode_DATA(separator), PyUnicode_GET_LENGTH(separator), length);
    PyObject *str = PyUnicode_New(length, n == 1 ? PyUnicode_MAX_CHAR_VALUE(items[0]) : maxchar);
    if (str == NULL || length == 0)
        return str;
    int kind = PyUnicode_KIND(str), sep_kind = PyUnicode_KIND(separator);
    char *data = PyUnicode_DATA(str);
    const void *sep_data = PyUnicode_DATA(separator);
    Py_ssize_t sep_len = PyUnicode_GET_LENGTH(separator);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i > 0 && sep_len > 0) {
            if (sep_len == 1 && kind == 1)
                *data = *(const char *)sep_data;
            else
                unicode_convert(kind, data, sep_kind, sep_data, sep_len);
            data += sep_len * kind;
        }
        Py_ssize_t item_len = PyUnicode_GET_LENGTH(items[i]);
        unicode_convert(kind, data, PyUnicode_KIND(items[i]), PyUnicode_DATA(items[i]), item_len);
        data += item_len * kind;
    }
    return str;
}

PyObject *PyUnicode_Join(PyObject *separator, PyObject *seq)
{
    if (PyTuple_CheckExact(seq))
        return _PyUnicode_JoinArray(separator, &PyTuple_GET_ITEM(seq, 0), PyTuple_GET_SIZE(seq));
    PyObject *fast = PySequence_Fast(seq, "can only join an iterable");
    if (fast == NULL)
        return NULL;
    PyObject *str;
    /* Joining runs no code of others: a list that is being changed by other threads is seen in one state. */
    Py_BEGIN_CRITICAL_SECTION(fast);
    str = _PyUnicode_JoinArray(separator, PySequence_Fast_ITEMS(fast), PySequence_Fast_GET_SIZE(fast));
    Py_END_CRITICAL_SECTION();
    Py_DECREF(fast);
    return str;
}

/* ---- Repeating ---- */

PyObject *unicode_repeat(PyObject *self, Py_ssize_t n)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(self);
    if (n < 1 || length == 0)
        return unicode_empty();
    if (n == 1)
        return PyUnicode_FromObject(self);
    if (length > PY_SSIZE_T_MAX / n) {
        PyErr_SetString(PyExc_OverflowError, "repeated string is too long");
        return NULL;
    }
    PyObject *str = PyUnicode_New(length * n, PyUnicode_MAX_CHAR_VALUE(self));
    if (str == NULL)
        return NULL;
    int kind = PyUnicode_KIND(str);
    char *data = PyUnicode_DATA(str);
    size_t total = (size_t)(length * n) * (size_t)kind, done = (size_t)length * (size_t)kind;
    if (length == 1 && kind == 1) {
        memset(data, PyUnicode_1BYTE_DATA(self)[0], total);
        return str;
    }
    memcpy(data, PyUnicode_DATA(self), done);
    while (done < total) {
        size_t step = Py_MIN(done, total - done);
        memcpy(data + done, data, step);
        done += step;
    }
    return str;
}

/* ---- Slicing ---- */

PyObject *unicode_get_slice(PyObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    if (n <= 0)
        return unicode_empty();
    if (step == 1)
        return PyUnicode_Substring(self, start, start + n);
    int kind = PyUnicode_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_UCS4 maxchar = 127;
    if (!PyUnicode_IS_ASCII(self)) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 ch = PyUnicode_READ(kind, data, start + i * step);
            maxchar = Py_MAX(maxchar, ch);
        }
    }
    if (n == 1)
        return unicode_get_item(self, start);
    PyObject *str = unicode_alloc(n, maxchar);
    if (str == NULL)
        return NULL;
    int to_kind = PyUnicode_KIND(str);
    void *to = PyUnicode_DATA(str);
    if (kind == 1) {
        const Py_UCS1 *from = (const Py_UCS1 *)data + start;
        for (Py_ssize_t i = 0; i < n; i++, from += step)
            ((Py_UCS1 *)to)[i] = *from;
        return str;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyUnicode_WRITE(to_kind, to, i, PyUnicode_READ(kind, data, start + i * step));
    return str;
}
