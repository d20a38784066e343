/* Methods of bytes and bytearray that search, split, join and replace. See bytes.h for their rules. */
#include "bytes.h"
#include "item_collector.h"
#include "stable_buffer.h"

/* ---- Arguments ---- */

int bytes_slice_index(PyObject *op, Py_ssize_t *index)
{
    if (op == Py_None)
        return 0;
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
        return -1;
    }
    *index = PyNumber_AsSsize_t(op, NULL);
    return *index == -1 && PyErr_Occurred() ? -1 : 0;
}

/* What find() and its like look for: bytes or one byte. */
typedef struct {
    const char *sub;
    Py_ssize_t m;
    Py_ssize_t start, end;
    char byte;
    int has_buffer;
    Py_buffer view;
} needle_t;

static void needle_fini(needle_t *needle)
{
    if (needle->has_buffer)
        PyBuffer_Release(&needle->view);
}

static int needle_bounds(needle_t *needle, PyObject *const *args, Py_ssize_t nargs)
{
    needle->start = 0;
    needle->end = PY_SSIZE_T_MAX;
    if (nargs > 1 && bytes_slice_index(args[1], &needle->start) < 0)
        return -1;
    return nargs > 2 && bytes_slice_index(args[2], &needle->end) < 0 ? -1 : 0;
}

static int check_count(const char *name, Py_ssize_t nargs)
{
    if (nargs >= 1 && nargs <= 3)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes at %s %d argument%s (%zd given)", name, nargs < 1 ? "least" : "most",
                 nargs < 1 ? 1 : 3, nargs < 1 ? "" : "s", nargs);
    return -1;
}

static int needle_init(needle_t *needle, const char *name, PyObject *const *args, Py_ssize_t nargs)
{
    needle->has_buffer = 0;
    if (check_count(name, nargs) < 0 || needle_bounds(needle, args, nargs) < 0)
        return -1;
    PyObject *arg = args[0];
    if (PyBytes_CheckExact(arg)) {
        needle->sub = PyBytes_AS_STRING(arg);
        needle->m = PyBytes_GET_SIZE(arg);
        return 0;
    }
    if (!value_is_immediate(arg) && PyObject_CheckBuffer(arg)) {
        if (stable_buffer_get(arg, &needle->view) < 0)
            return -1;
        needle->has_buffer = 1;
        needle->sub = needle->view.buf;
        needle->m = needle->view.len;
        return 0;
    }
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or bytes-like object, not '%.200s'",
                     Py_TYPE(arg)->tp_name);
        return -1;
    }
    int value;
    if (bytes_byte_value(arg, "byte must be in range(0, 256)", &value) < 0)
        return -1;
    needle->byte = (char)value;
    needle->sub = &needle->byte;
    needle->m = 1;
    return 0;
}

static void clip(Py_ssize_t n, Py_ssize_t *start, Py_ssize_t *end)
{
    if (*end > n)
        *end = n;
    else if (*end < 0)
        *end = *end + n < 0 ? 0 : *end + n;
    if (*start < 0)
        *start = *start + n < 0 ? 0 : *start + n;
}

/* ---- find, count ---- */

/* -1: absent, -2: failed */
static Py_ssize_t search(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t nargs, int backwards)
{
    needle_t needle;
    Py_ssize_t n, result = -1;
    if (needle_init(&needle, name, args, nargs) < 0)
        return -2;
    const char *s = bytes_like_data(self, &n);
    clip(n, &needle.start, &needle.end);
    if (needle.start <= needle.end) {
        result = (backwards ? bytes_rfind_data : bytes_find_data)(s + needle.start, needle.end - needle.start,
                                                                  needle.sub, needle.m);
        if (result >= 0)
            result += needle.start;
    }
    needle_fini(&needle);
    return result;
}

static PyObject *found(Py_ssize_t i, int must)
{
    if (i == -2)
        return NULL;
    if (i == -1 && must) {
        PyErr_SetString(PyExc_ValueError, "subsection not found");
        return NULL;
    }
    return PyLong_FromSsize_t(i);
}

PyObject *bytes_like_find(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found(search(self, "find", args, nargs, 0), 0);
}

PyObject *bytes_like_rfind(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found(search(self, "rfind", args, nargs, 1), 0);
}

PyObject *bytes_like_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found(search(self, "index", args, nargs, 0), 1);
}

PyObject *bytes_like_rindex(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return found(search(self, "rindex", args, nargs, 1), 1);
}

PyObject *bytes_like_count(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    needle_t needle;
    Py_ssize_t n, result = 0;
    if (needle_init(&needle, "count", args, nargs) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    clip(n, &needle.start, &needle.end);
    if (needle.start <= needle.end)
        result = bytes_count_data(s + needle.start, needle.end - needle.start, needle.sub, needle.m, PY_SSIZE_T_MAX);
    needle_fini(&needle);
    return PyLong_FromSsize_t(result);
}

int bytes_like_contains(PyObject *self, PyObject *item)
{
    Py_ssize_t n;
    if (PyIndex_Check(item)) {
        Py_ssize_t value = PyNumber_AsSsize_t(item, NULL);
        if (value == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError))
                return -1;
            PyErr_Clear();
        }
        else {
            if (value < 0 || value > 255) {
                PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
                return -1;
            }
            const char *s = bytes_like_data(self, &n);
            return n > 0 && memchr(s, (int)value, (size_t)n) != NULL;
        }
    }
    Py_buffer view;
    if (stable_buffer_get(item, &view) < 0)
        return -1;
    const char *s = bytes_like_data(self, &n);
    int result = bytes_find_data(s, n, view.buf, view.len) >= 0;
    PyBuffer_Release(&view);
    return result;
}

/* ---- startswith, endswith ---- */

/* Does self[start:end] start or end with affix? -1 with an exception. */
static int has_affix(PyObject *self, PyObject *affix, Py_ssize_t start, Py_ssize_t end, int at_end)
{
    Py_buffer view;
    Py_ssize_t n;
    if (stable_buffer_get(affix, &view) < 0)
        return -1;
    const char *s = bytes_like_data(self, &n);
    clip(n, &start, &end);
    int result = 0;
    if (start <= n && end - start >= view.len && view.len >= 0)
        result = memcmp(at_end ? s + end - view.len : s + start, view.buf, (size_t)view.len) == 0;
    PyBuffer_Release(&view);
    return result;
}

static PyObject *affix_method(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t nargs, int at_end)
{
    needle_t bounds;
    int result = 0;
    if (check_count(name, nargs) < 0 || needle_bounds(&bounds, args, nargs) < 0)
        return NULL;
    if (PyTuple_Check(args[0])) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[0]) && result == 0; i++)
            result = has_affix(self, PyTuple_GET_ITEM(args[0], i), bounds.start, bounds.end, at_end);
    }
    else {
        result = has_affix(self, args[0], bounds.start, bounds.end, at_end);
        if (result < 0 && PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s first arg must be bytes or a tuple of bytes, not %s", name,
                         Py_TYPE(args[0])->tp_name);
    }
    return result < 0 ? NULL : result ? Py_True : Py_False;
}

PyObject *bytes_like_startswith(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return affix_method(self, "startswith", args, nargs, 0);
}

PyObject *bytes_like_endswith(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return affix_method(self, "endswith", args, nargs, 1);
}

/* self itself, if nothing changed and it is an exact bytes; else a copy of [start, end). */
static PyObject *part(PyObject *self, const char *s, Py_ssize_t n, Py_ssize_t start, Py_ssize_t end)
{
    if (start == 0 && end == n && PyBytes_CheckExact(self))
        return Py_NewRef(self);
    return bytes_like_new(self, s + start, end - start);
}

static PyObject *remove_affix(PyObject *self, PyObject *affix, int at_end)
{
    Py_buffer view;
    Py_ssize_t n;
    if (stable_buffer_get(affix, &view) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    Py_ssize_t m = view.len;
    if (m == 0 || m > n || memcmp(at_end ? s + n - m : s, view.buf, (size_t)m) != 0)
        m = 0;
    PyObject *result = at_end ? part(self, s, n, 0, n - m) : part(self, s, n, m, n);
    PyBuffer_Release(&view);
    return result;
}

PyObject *bytes_like_removeprefix(PyObject *self, PyObject *prefix)
{
    return remove_affix(self, prefix, 0);
}

PyObject *bytes_like_removesuffix(PyObject *self, PyObject *suffix)
{
    return remove_affix(self, suffix, 1);
}

/* ---- strip ---- */

static PyObject *strip(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t nargs, int left, int right)
{
    unsigned char drop[256] = {0};
    Py_ssize_t n, start = 0;
    if (!_PyArg_CheckPositional(name, nargs, 0, 1))
        return NULL;
    if (nargs == 0 || args[0] == Py_None)
        drop[' '] = drop['\t'] = drop['\n'] = drop['\r'] = drop['\f'] = drop['\v'] = 1;
    else {
        Py_buffer view;
        if (stable_buffer_get(args[0], &view) < 0)
            return NULL;
        for (Py_ssize_t i = 0; i < view.len; i++)
            drop[((unsigned char *)view.buf)[i]] = 1;
        PyBuffer_Release(&view);
    }
    const char *s = bytes_like_data(self, &n);
    Py_ssize_t end = n;
    while (left && start < end && drop[(unsigned char)s[start]])
        start++;
    while (right && start < end && drop[(unsigned char)s[end - 1]])
        end--;
    return part(self, s, n, start, end);
}

PyObject *bytes_like_strip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip(self, "strip", args, nargs, 1, 1);
}

PyObject *bytes_like_lstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip(self, "lstrip", args, nargs, 1, 0);
}

PyObject *bytes_like_rstrip(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return strip(self, "rstrip", args, nargs, 0, 1);
}

/* ---- split ---- */

/* Adds self[start:end] to the parts; never escapes. */
static inline int add_part(item_collector_t *parts, PyObject *self, const char *s, Py_ssize_t n, Py_ssize_t start,
                           Py_ssize_t end)
{
    return item_collector_add(parts, part(self, s, n, start, end));
}

static int split_blanks(item_collector_t *parts, PyObject *self, const char *s, Py_ssize_t n, Py_ssize_t max)
{
    Py_ssize_t i = 0;
    for (;;) {
        while (i < n && Py_ISSPACE(s[i]))
            i++;
        if (i >= n)
            return 0;
        Py_ssize_t start = i;
        if (max-- <= 0)
            return add_part(parts, self, s, n, start, n);
        while (i < n && !Py_ISSPACE(s[i]))
            i++;
        if (add_part(parts, self, s, n, start, i) < 0)
            return -1;
    }
}

static int rsplit_blanks(item_collector_t *parts, PyObject *self, const char *s, Py_ssize_t n, Py_ssize_t max)
{
    Py_ssize_t i = n;
    for (;;) {
        while (i > 0 && Py_ISSPACE(s[i - 1]))
            i--;
        if (i <= 0)
            return 0;
        Py_ssize_t end = i;
        if (max-- <= 0)
            return add_part(parts, self, s, n, 0, end);
        while (i > 0 && !Py_ISSPACE(s[i - 1]))
            i--;
        if (add_part(parts, self, s, n, i, end) < 0)
            return -1;
    }
}

/* An exact bytes at single bytes. */
static int split_at_byte(item_collector_t *parts, PyObject *self, char sep, Py_ssize_t max)
{
    const char *start = PyBytes_AS_STRING(self), *end = start + PyBytes_GET_SIZE(self), *at;
    if (max <= 0 || (at = memchr(start, sep, (size_t)(end - start))) == NULL)
        return item_collector_add(parts, Py_NewRef(self));
    do {
        if (item_collector_add(parts, PyBytes_FromStringAndSize(start, at - start)) < 0)
            return -1;
        start = at + 1;
    } while (--max > 0 && (at = memchr(start, sep, (size_t)(end - start))) != NULL);
    return item_collector_add(parts, PyBytes_FromStringAndSize(start, end - start));
}

static int split_at(item_collector_t *parts, PyObject *self, const char *s, Py_ssize_t n, const char *sep, Py_ssize_t m,
                    Py_ssize_t max)
{
    if (m == 1 && PyBytes_CheckExact(self))
        return split_at_byte(parts, self, *sep, max);
    Py_ssize_t start = 0;
    while (max-- > 0) {
        Py_ssize_t i = bytes_find_data(s + start, n - start, sep, m);
        if (i < 0)
            break;
        if (add_part(parts, self, s, n, start, start + i) < 0)
            return -1;
        start += i + m;
    }
    return add_part(parts, self, s, n, start, n);
}

static int rsplit_at(item_collector_t *parts, PyObject *self, const char *s, Py_ssize_t n, const char *sep, Py_ssize_t m,
                     Py_ssize_t max)
{
    Py_ssize_t end = n;
    while (max-- > 0) {
        Py_ssize_t i = bytes_rfind_data(s, end, sep, m);
        if (i < 0)
            break;
        if (add_part(parts, self, s, n, i + m, end) < 0)
            return -1;
        end = i;
    }
    return add_part(parts, self, s, n, 0, end);
}

static PyObject *split(PyObject *self, struct _PyArg_Parser *parser, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames, int backwards)
{
    PyObject *separator = Py_None, *list = NULL;
    Py_ssize_t max = -1, n;
    Py_buffer view = {.obj = NULL};
    int failed;
    if (nargs == 1 && kwnames == NULL)
        separator = args[0];
    else if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, parser, &separator, &max))
        return NULL;
    if (max < 0)
        max = PY_SSIZE_T_MAX;
    if (separator != Py_None) {
        if (stable_buffer_get(separator, &view) < 0)
            return NULL;
        if (view.len == 0) {
            PyErr_SetString(PyExc_ValueError, "empty separator");
            goto done;
        }
    }
    item_collector_t parts;
    item_collector_init(&parts);
    const char *s = bytes_like_data(self, &n);
    if (separator == Py_None)
        failed = (backwards ? rsplit_blanks : split_blanks)(&parts, self, s, n, max);
    else
        failed = (backwards ? rsplit_at : split_at)(&parts, self, s, n, view.buf, view.len, max);
    list = item_collector_finish(&parts, !failed, backwards);
done:
    PyBuffer_Release(&view);
    return list;
}

static const char *const split_keywords[] = {"sep", "maxsplit", NULL};

PyObject *bytes_like_split(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static _PyArg_Parser parser = {.format = "|On:split", .keywords = split_keywords};
    return split(self, &parser, args, nargs, kwnames, 0);
}

PyObject *bytes_like_rsplit(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static _PyArg_Parser parser = {.format = "|On:rsplit", .keywords = split_keywords};
    return split(self, &parser, args, nargs, kwnames, 1);
}

PyObject *bytes_like_splitlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"keepends", NULL};
    static _PyArg_Parser parser = {.format = "|p:splitlines", .keywords = keywords};
    int keepends = 0;
    Py_ssize_t n, i = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &keepends))
        return NULL;
    item_collector_t parts;
    item_collector_init(&parts);
    int failed = 0;
    const char *s = bytes_like_data(self, &n);
    while (i < n && !failed) {
        Py_ssize_t start = i, end;
        while (i < n && s[i] != '\n' && s[i] != '\r')
            i++;
        end = i;
        if (i < n) {
            i += s[i] == '\r' && i + 1 < n && s[i + 1] == '\n' ? 2 : 1;
            if (keepends)
                end = i;
        }
        failed = add_part(&parts, self, s, n, start, end) < 0;
    }
    return item_collector_finish(&parts, !failed, 0);
}

static PyObject *partition(PyObject *self, PyObject *separator, int backwards)
{
    Py_buffer view;
    Py_ssize_t n;
    PyObject *a = NULL, *b = NULL, *c = NULL, *result = NULL;
    if (stable_buffer_get(separator, &view) < 0)
        return NULL;
    if (view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        goto done;
    }
    const char *s = bytes_like_data(self, &n);
    Py_ssize_t m = view.len, i = (backwards ? bytes_rfind_data : bytes_find_data)(s, n, view.buf, m);
    if (i >= 0) {
        a = bytes_like_new(self, s, i);
        b = PyBytes_Check(self) ? Py_NewRef(separator) : bytes_like_new(self, view.buf, m);
        c = bytes_like_new(self, s + i + m, n - i - m);
    }
    else {
        PyObject *whole = part(self, s, n, 0, n);
        PyObject *nothing = bytes_like_new(self, NULL, 0);
        a = backwards ? nothing : whole;
        b = bytes_like_new(self, NULL, 0);
        c = backwards ? whole : nothing;
    }
    if (a != NULL && b != NULL && c != NULL)
        result = PyTuple_Pack(3, a, b, c);
done:
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(c);
    PyBuffer_Release(&view);
    return result;
}

PyObject *bytes_like_partition(PyObject *self, PyObject *separator)
{
    return partition(self, separator, 0);
}

PyObject *bytes_like_rpartition(PyObject *self, PyObject *separator)
{
    return partition(self, separator, 1);
}

/* ---- replace ---- */

/* The result of length n + count * (to - from). Goes over s and from twice: nobody changes them. */
static PyObject *replace_data(PyObject *self, const char *s, Py_ssize_t n, const char *from, Py_ssize_t m, const char *to,
                              Py_ssize_t k, Py_ssize_t max)
{
    Py_ssize_t count = bytes_count_data(s, n, from, m, max);
    if (count == 0)
        return part(self, s, n, 0, n);
    if (k > m && k - m > (PY_SSIZE_T_MAX - n) / count) {
        PyErr_SetString(PyExc_OverflowError, "replace bytes is too long");
        return NULL;
    }
    PyObject *result = bytes_like_new(self, NULL, n + count * (k - m));
    if (result == NULL || n + count * (k - m) == 0)
        return result;
    char *p = bytes_like_fill(result);
    Py_ssize_t pos = 0;
    for (Py_ssize_t c = 0; c < count; c++) {
        /* an empty `from` matches before each byte */
        Py_ssize_t keep = m == 0 ? (c > 0) : bytes_find_data(s + pos, n - pos, from, m);
        memcpy(p, s + pos, (size_t)keep);
        p += keep;
        memcpy(p, to, (size_t)k);
        p += k;
        pos += keep + m;
    }
    memcpy(p, s + pos, (size_t)(n - pos));
    return result;
}

PyObject *bytes_like_replace(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer own = {.obj = NULL}, from = {.obj = NULL}, to = {.obj = NULL};
    Py_ssize_t max = -1;
    PyObject *result = NULL;
    if (!_PyArg_CheckPositional("replace", nargs, 2, 3))
        return NULL;
    if (stable_buffer_get(args[0], &from) < 0 || stable_buffer_get(args[1], &to) < 0)
        goto done;
    if (nargs == 3) {
        PyObject *index = PyNumber_Index(args[2]);
        max = index == NULL ? -1 : PyLong_AsSsize_t(index);
        Py_XDECREF(index);
        if (max == -1 && PyErr_Occurred())
            goto done;
    }
    if (stable_buffer_get(self, &own) == 0)
        result = replace_data(self, own.buf, own.len, from.buf, from.len, to.buf, to.len, max < 0 ? PY_SSIZE_T_MAX : max);
done:
    PyBuffer_Release(&own);
    PyBuffer_Release(&to);
    PyBuffer_Release(&from);
    return result;
}

/* ---- join ---- */

enum { JOIN_INLINE = 10 };

/* items is a tuple. */
static PyObject *join_items(PyObject *self, PyObject *items)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items), total = 0, held = 0;
    Py_buffer room[JOIN_INLINE], *views = room, own;
    PyObject *result = NULL;
    own.obj = NULL;
    if (count == 0)
        return bytes_like_new(self, NULL, 0);
    if (count == 1 && PyBytes_Check(self) && PyBytes_CheckExact(PyTuple_GET_ITEM(items, 0)))
        return Py_NewRef(PyTuple_GET_ITEM(items, 0));
    if (count > JOIN_INLINE && (views = PyMem_New(Py_buffer, count)) == NULL)
        return PyErr_NoMemory();
    for (; held < count; held++) {
        PyObject *item = PyTuple_GET_ITEM(items, held);
        if (PyBytes_CheckExact(item)) {
            /* the tuple keeps it alive */
            views[held] = (Py_buffer){.buf = PyBytes_AS_STRING(item), .len = PyBytes_GET_SIZE(item)};
        }
        else if (PyObject_GetBuffer(item, &views[held], PyBUF_SIMPLE) < 0) {
            if (PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_Format(PyExc_TypeError, "sequence item %zd: expected a bytes-like object, %.80s found", held,
                             Py_TYPE(item)->tp_name);
            goto done;
        }
        if (views[held].len > PY_SSIZE_T_MAX - total) {
            held++;
            PyErr_SetString(PyExc_OverflowError, "join() result is too long");
            goto done;
        }
        total += views[held].len;
    }
    /* copying the items may let go of self's lock */
    if (stable_buffer_get(self, &own) < 0)
        goto done;
    Py_ssize_t n = own.len;
    if (n > 0 && count - 1 > (PY_SSIZE_T_MAX - total) / n) {
        PyErr_SetString(PyExc_OverflowError, "join() result is too long");
        goto done;
    }
    total += n * (count - 1);
    result = bytes_like_new(self, NULL, total);
    if (result == NULL || total == 0)
        goto done;
    char *p = bytes_like_fill(result);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0 && n > 0) {
            memcpy(p, own.buf, (size_t)n);
            p += n;
        }
        stable_buffer_read(p, &views[i]);
        p += views[i].len;
    }
done:
    for (Py_ssize_t i = 0; i < held; i++)
        if (views[i].obj != NULL)
            PyBuffer_Release(&views[i]);
    if (own.obj != NULL)
        PyBuffer_Release(&own);
    if (views != room)
        PyMem_Free(views);
    return result;
}

PyObject *bytes_like_join(PyObject *self, PyObject *iterable)
{
    PyObject *items;
    /* a private snapshot: other threads may change a list while we look at it twice */
    if (PyTuple_CheckExact(iterable))
        items = Py_NewRef(iterable);
    else {
        items = PySequence_Tuple(iterable);
        if (items == NULL) {
            if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == NULL
                && !PySequence_Check(iterable))
                PyErr_SetString(PyExc_TypeError, "can only join an iterable");
            return NULL;
        }
    }
    PyObject *result = join_items(self, items);
    Py_DECREF(items);
    return result;
}

PyObject *_PyBytes_Join(PyObject *separator, PyObject *iterable)
{
    return bytes_like_join(separator, iterable);
}
