/* Methods of str: arguments are bound here, the work is done by the files of the operations. */
#include <Python.h>
#include "string_format.h"
#include "unicode.h"
#include "unicode_methods.h"
#include "unicode_writer.h"

/* ---- find and its relatives: sub[, start[, end]] ---- */

static int count_error(const char *name, const char *bound, int limit, Py_ssize_t given)
{
    PyErr_Format(PyExc_TypeError, "%s() takes %s %d argument%s (%zd given)", name, bound, limit,
                 limit == 1 ? "" : "s", given);
    return -1;
}

static int parse_range(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *start, Py_ssize_t *end)
{
    *start = 0;
    *end = PY_SSIZE_T_MAX;
    if (nargs < 1)
        return count_error(name, "at least", 1, nargs);
    if (nargs > 3)
        return count_error(name, "at most", 3, nargs);
    if (nargs >= 2 && !_PyEval_SliceIndex(args[1], start))
        return -1;
    if (nargs >= 3 && !_PyEval_SliceIndex(args[2], end))
        return -1;
    return 0;
}

static int check_str(PyObject *obj)
{
    if (PyUnicode_Check(obj))
        return 0;
    PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(obj)->tp_name);
    return -1;
}

/* -2 with an exception. */
static Py_ssize_t find(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end;
    if (parse_range(name, args, nargs, &start, &end) < 0 || check_str(args[0]) < 0)
        return -2;
    return PyUnicode_Find(self, args[0], start, end, direction);
}

PyObject *unicode_find(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t at = find("find", self, args, nargs, 1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

PyObject *unicode_rfind(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t at = find("rfind", self, args, nargs, -1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

static PyObject *found_or_error(Py_ssize_t at)
{
    if (at >= 0)
        return PyLong_FromSsize_t(at);
    if (at == -1)
        PyErr_SetString(PyExc_ValueError, "substring not found");
    return NULL;
}

PyObject *unicode_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found_or_error(find("index", self, args, nargs, 1));
}

PyObject *unicode_rindex(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found_or_error(find("rindex", self, args, nargs, -1));
}

PyObject *unicode_count(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start, end;
    if (parse_range("count", args, nargs, &start, &end) < 0 || check_str(args[0]) < 0)
        return NULL;
    Py_ssize_t count = PyUnicode_Count(self, args[0], start, end);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *tail_match(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end, match = 0;
    if (parse_range(name, args, nargs, &start, &end) < 0)
        return NULL;
    PyObject *sub = args[0];
    if (PyUnicode_Check(sub))
        match = PyUnicode_Tailmatch(self, sub, start, end, direction);
    else if (PyTuple_Check(sub)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sub) && match == 0; i++) {
            PyObject *item = PyTuple_GET_ITEM(sub, i);
            if (!PyUnicode_Check(item)) {
                PyErr_Format(PyExc_TypeError, "tuple for %s must only contain str, not %.100s", name,
                             Py_TYPE(item)->tp_name);
                return NULL;
            }
            match = PyUnicode_Tailmatch(self, item, start, end, direction);
        }
    }
    else {
        PyErr_Format(PyExc_TypeError, "%s first arg must be str or a tuple of str, not %.100s", name,
                     Py_TYPE(sub)->tp_name);
        return NULL;
    }
    return match < 0 ? NULL : match ? Py_True : Py_False;
}

PyObject *unicode_startswith(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return tail_match("startswith", self, args, nargs, -1);
}

PyObject *unicode_endswith(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return tail_match("endswith", self, args, nargs, 1);
}

/* ---- strip ---- */

static PyObject *strip(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int type)
{
    if (!_PyArg_CheckPositional(name, nargs, 0, 1))
        return NULL;
    if (nargs == 0 || args[0] == Py_None)
        return _PyUnicode_XStrip(self, type, NULL);
    if (PyUnicode_Check(args[0]))
        return _PyUnicode_XStrip(self, type, args[0]);
    PyErr_Format(PyExc_TypeError, "%s arg must be None or str", name);
    return NULL;
}

PyObject *unicode_lstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip("lstrip", self, args, nargs, 0);
}

PyObject *unicode_rstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip("rstrip", self, args, nargs, 1);
}

PyObject *unicode_strip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip("strip", self, args, nargs, 2);
}

/* ---- split ---- */

/* Argument i of what _PyArg_UnpackKeywords has returned; NULL: not given. Without keywords that is the caller's array. */
static PyObject *argument(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, int i)
{
    return kwnames != NULL || i < nargs ? args[i] : NULL;
}

static PyObject *split(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                       _PyArg_Parser *parser, PyObject *(*work)(PyObject *, PyObject *, Py_ssize_t))
{
    PyObject *bound[2];
    Py_ssize_t maxsplit = -1;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, parser, 0, 2, 0, bound);
    if (args == NULL)
        return NULL;
    PyObject *sep = argument(args, nargs, kwnames, 0), *most = argument(args, nargs, kwnames, 1);
    if (most != NULL) {
        maxsplit = PyNumber_AsSsize_t(most, PyExc_OverflowError);
        if (maxsplit == -1 && PyErr_Occurred())
            return NULL;
    }
    if (sep == NULL || sep == Py_None)
        return work(self, NULL, maxsplit);
    if (PyUnicode_Check(sep))
        return work(self, sep, maxsplit);
    PyErr_Format(PyExc_TypeError, "must be str or None, not %.100s", Py_TYPE(sep)->tp_name);
    return NULL;
}

PyObject *unicode_split(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"sep", "maxsplit", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "split"};
    return split(self, args, nargs, kwnames, &parser, PyUnicode_Split);
}

PyObject *unicode_rsplit(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"sep", "maxsplit", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "rsplit"};
    return split(self, args, nargs, kwnames, &parser, PyUnicode_RSplit);
}

/* An int argument of C's width. */
static int as_int(PyObject *arg, int *result)
{
    long value = PyLong_AsLong(arg);
    if (value == -1 && PyErr_Occurred())
        return -1;
    if (value > INT_MAX || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    *result = (int)value;
    return 0;
}

PyObject *unicode_splitlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"keepends", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "splitlines"};
    PyObject *bound[1];
    int keepends = 0;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 1, 0, bound);
    if (args == NULL || (argument(args, nargs, kwnames, 0) != NULL && as_int(args[0], &keepends) < 0))
        return NULL;
    return PyUnicode_Splitlines(self, keepends);
}

PyObject *unicode_partition(PyObject *self, PyObject *sep) { return PyUnicode_Partition(self, sep); }
PyObject *unicode_rpartition(PyObject *self, PyObject *sep) { return PyUnicode_RPartition(self, sep); }
PyObject *unicode_join(PyObject *self, PyObject *iterable) { return PyUnicode_Join(self, iterable); }

static PyObject *remove_affix(const char *name, PyObject *self, PyObject *affix, int direction)
{
    if (!PyUnicode_Check(affix)) {
        _PyArg_BadArgument(name, "argument", "str", affix);
        return NULL;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(self), m = PyUnicode_GET_LENGTH(affix);
    if (PyUnicode_Tailmatch(self, affix, 0, PY_SSIZE_T_MAX, direction) == 1)
        return direction < 0 ? PyUnicode_Substring(self, m, n) : PyUnicode_Substring(self, 0, n - m);
    return PyUnicode_FromObject(self);
}

PyObject *unicode_removeprefix(PyObject *self, PyObject *prefix)
{
    return remove_affix("removeprefix", self, prefix, -1);
}

PyObject *unicode_removesuffix(PyObject *self, PyObject *suffix)
{
    return remove_affix("removesuffix", self, suffix, 1);
}

PyObject *unicode_replace(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t count = -1;
    if (!_PyArg_CheckPositional("replace", nargs, 2, 3))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("replace", i == 0 ? "argument 1" : "argument 2", "str", args[i]);
            return NULL;
        }
    }
    if (nargs == 3) {
        count = PyNumber_AsSsize_t(args[2], PyExc_OverflowError);
        if (count == -1 && PyErr_Occurred())
            return NULL;
    }
    return PyUnicode_Replace(self, args[0], args[1], count);
}

/* ---- Padding ---- */

static PyObject *pad(PyObject *self, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill)
{
    left = Py_MAX(left, 0);
    right = Py_MAX(right, 0);
    if (left == 0 && right == 0)
        return PyUnicode_FromObject(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (left > PY_SSIZE_T_MAX - n || right > PY_SSIZE_T_MAX - (left + n)) {
        PyErr_SetString(PyExc_OverflowError, "padded string is too long");
        return NULL;
    }
    Py_UCS4 maxchar = PyUnicode_MAX_CHAR_VALUE(self);
    PyObject *str = PyUnicode_New(left + n + right, Py_MAX(maxchar, fill));
    if (str == NULL)
        return NULL;
    if (left > 0)
        PyUnicode_Fill(str, 0, left, fill);
    if (right > 0)
        PyUnicode_Fill(str, left + n, right, fill);
    _PyUnicode_FastCopyCharacters(str, left, self, 0, n);
    return str;
}

/* width[, fillchar] */
static int parse_padding(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *width, Py_UCS4 *fill)
{
    *fill = ' ';
    if (!_PyArg_CheckPositional(name, nargs, 1, 2))
        return -1;
    *width = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
    if (*width == -1 && PyErr_Occurred())
        return -1;
    if (nargs < 2)
        return 0;
    if (!PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "The fill character must be a unicode character, not %.100s",
                     Py_TYPE(args[1])->tp_name);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(args[1]) != 1) {
        PyErr_SetString(PyExc_TypeError, "The fill character must be exactly one character long");
        return -1;
    }
    *fill = PyUnicode_READ_CHAR(args[1], 0);
    return 0;
}

PyObject *unicode_center(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width;
    Py_UCS4 fill;
    if (parse_padding("center", args, nargs, &width, &fill) < 0)
        return NULL;
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (width <= n)
        return PyUnicode_FromObject(self);
    Py_ssize_t margin = width - n, left = margin / 2 + (margin & width & 1);
    return pad(self, left, margin - left, fill);
}

PyObject *unicode_ljust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width;
    Py_UCS4 fill;
    if (parse_padding("ljust", args, nargs, &width, &fill) < 0)
        return NULL;
    return pad(self, 0, width <= PyUnicode_GET_LENGTH(self) ? 0 : width - PyUnicode_GET_LENGTH(self), fill);
}

PyObject *unicode_rjust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width;
    Py_UCS4 fill;
    if (parse_padding("rjust", args, nargs, &width, &fill) < 0)
        return NULL;
    return pad(self, width <= PyUnicode_GET_LENGTH(self) ? 0 : width - PyUnicode_GET_LENGTH(self), 0, fill);
}

PyObject *unicode_zfill(PyObject *self, PyObject *arg)
{
    Py_ssize_t width = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (width == -1 && PyErr_Occurred())
        return NULL;
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (n >= width)
        return PyUnicode_FromObject(self);
    PyObject *str = pad(self, width - n, 0, '0');
    if (str == NULL || n == 0)
        return str;
    int kind = PyUnicode_KIND(str);
    void *data = PyUnicode_DATA(str);
    Py_UCS4 first = PyUnicode_READ(kind, data, width - n);
    if (first == '+' || first == '-') {
        PyUnicode_WRITE(kind, data, 0, first);
        PyUnicode_WRITE(kind, data, width - n, '0');
    }
    return str;
}

/* Length with tabs expanded, or -1 if it is too long. */
static Py_ssize_t expanded_length(int kind, const void *data, Py_ssize_t n, int tabsize)
{
    Py_ssize_t length = 0, column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        Py_ssize_t step = ch != '\t' ? 1 : tabsize > 0 ? tabsize - column % tabsize : 0;
        if (length > PY_SSIZE_T_MAX - step)
            return -1;
        length += step;
        column = ch == '\n' || ch == '\r' ? 0 : column + step;
    }
    return length;
}

PyObject *unicode_expandtabs(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"tabsize", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "expandtabs"};
    PyObject *bound[1];
    int tabsize = 8;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 1, 0, bound);
    if (args == NULL || (argument(args, nargs, kwnames, 0) != NULL && as_int(args[0], &tabsize) < 0))
        return NULL;
    int kind = PyUnicode_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (unicode_find_char(kind, data, n, '\t') < 0)
        return PyUnicode_FromObject(self);
    Py_ssize_t length = expanded_length(kind, data, n, tabsize);
    if (length < 0) {
        PyErr_SetString(PyExc_OverflowError, "new string is too long");
        return NULL;
    }
    PyObject *str = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(self));
    if (str == NULL || length == 0)
        return str;
    void *to = PyUnicode_DATA(str);
    Py_ssize_t at = 0, column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch != '\t') {
            PyUnicode_WRITE(kind, to, at++, ch);
            column = ch == '\n' || ch == '\r' ? 0 : column + 1;
        }
        else if (tabsize > 0) {
            Py_ssize_t step = tabsize - column % tabsize;
            column += step;
            while (step-- > 0)
                PyUnicode_WRITE(kind, to, at++, ' ');
        }
    }
    return str;
}

/* ---- encode ---- */

/* A str argument without zero characters as UTF-8. */
static const char *as_c_string(const char *function, const char *display, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument(function, display, "str", arg);
        return NULL;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(arg, &length);
    if (text != NULL && strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

PyObject *unicode_encode(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"encoding", "errors", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "encode"};
    PyObject *bound[2];
    const char *encoding = NULL, *errors = NULL;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 2, 0, bound);
    if (args == NULL)
        return NULL;
    if (argument(args, nargs, kwnames, 0) != NULL
        && (encoding = as_c_string("encode", "argument 'encoding'", args[0])) == NULL)
        return NULL;
    if (argument(args, nargs, kwnames, 1) != NULL
        && (errors = as_c_string("encode", "argument 'errors'", args[1])) == NULL)
        return NULL;
    return PyUnicode_AsEncodedString(self, encoding, errors);
}

/* ---- Special methods ---- */

PyObject *unicode_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *copy = _PyUnicode_Copy(self);
    if (copy == NULL)
        return NULL;
    PyObject *result = PyTuple_Pack(1, copy);
    Py_DECREF(copy);
    return result;
}

PyObject *unicode_sizeof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyASCIIObject *str = (PyASCIIObject *)self;
    Py_ssize_t data = (str->length + 1) * str->state.kind, size;
    if (str->state.compact && str->state.ascii)
        size = (Py_ssize_t)sizeof(PyASCIIObject) + data;
    else if (str->state.compact)
        size = (Py_ssize_t)sizeof(PyCompactUnicodeObject) + data;
    else
        size = Py_TYPE(self)->tp_basicsize + data;
    if (!str->state.ascii && __atomic_load_n(&((PyCompactUnicodeObject *)self)->utf8, __ATOMIC_ACQUIRE) != NULL)
        size += __atomic_load_n(&((PyCompactUnicodeObject *)self)->utf8_length, __ATOMIC_RELAXED) + 1;
    return PyLong_FromSsize_t(size);
}

PyObject *unicode_format_dunder(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    return format_str(self, spec);
}

PyObject *unicode_format_map(PyObject *self, PyObject *mapping)
{
    return format_markup(self, NULL, -1, mapping);
}

PyObject *unicode_format_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *kwargs = NULL, *result = NULL;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        kwargs = PyDict_New();
        if (kwargs == NULL)
            return NULL;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0)
                goto done;
    }
    result = format_markup(self, args, nargs, kwargs);
done:
    Py_XDECREF(kwargs);
    return result;
}
