/* bytes objects: making, comparing, hashing, slicing; the C API. */
#include "bytes.h"
#include "interpreter.h"
#include "object_malloc.h"
#include "stable_buffer.h"

/* ---- Static objects ---- */

#define HEAD(size) .ob_base = PyVarObject_HEAD_INIT(&PyBytes_Type, size) .ob_shash = -1
#define ONE(c) [c] = {.ob_base = {PyObject_HEAD_INIT(&PyBytes_Type) 1}, .ob_shash = -1, .ob_sval = {(char)(c)}}
#define FOUR(c) ONE(c), ONE((c) + 1), ONE((c) + 2), ONE((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

struct bytes_char bytes_chars[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};
struct bytes_char bytes_empty_object = {.ob_base = {PyObject_HEAD_INIT(&PyBytes_Type) 0}, .ob_shash = -1};

#define BASIC_SIZE ((Py_ssize_t)offsetof(PyBytesObject, ob_sval) + 1)

/* ---- Making ---- */

static inline Py_ALWAYS_INLINE PyObject *alloc(Py_ssize_t size)
{
    if (Py_UNLIKELY(size > PY_SSIZE_T_MAX - BASIC_SIZE)) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too large");
        return NULL;
    }
    PyBytesObject *op = object_malloc((size_t)(BASIC_SIZE + size));
    if (Py_UNLIKELY(op == NULL))
        return PyErr_NoMemory();
    object_header_init((PyObject *)op, &PyBytes_Type, 0);
    op->ob_base.ob_size = size;
    op->ob_shash = -1;
    op->ob_sval[size] = 0;
    return (PyObject *)op;
}

PyObject *PyBytes_FromStringAndSize(const char *text, Py_ssize_t size)
{
    if (Py_UNLIKELY(size <= 1)) {
        if (size < 0) {
            PyErr_SetString(PyExc_SystemError, "Negative size passed to PyBytes_FromStringAndSize");
            return NULL;
        }
        if (size == 0)
            return bytes_empty();
        if (text != NULL)
            return bytes_from_char((unsigned char)text[0]);
    }
    PyObject *op = alloc(size);
    if (op != NULL && text != NULL)
        object_copy_bytes(PyBytes_AS_STRING(op), text, (size_t)size);
    return op;
}

PyObject *PyBytes_FromString(const char *text)
{
    size_t size = strlen(text);
    if (size > (size_t)(PY_SSIZE_T_MAX - BASIC_SIZE)) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too long");
        return NULL;
    }
    return PyBytes_FromStringAndSize(text, (Py_ssize_t)size);
}

int _PyBytes_Resize(PyObject **pop, Py_ssize_t size)
{
    PyObject *op = *pop, *result;
    if (!PyBytes_Check(op) || size < 0) {
        *pop = NULL;
        Py_XDECREF(op);
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t old_size = PyBytes_GET_SIZE(op);
    if (old_size == size)
        return 0;
    if (size > 0 && size <= PY_SSIZE_T_MAX - BASIC_SIZE && PyBytes_CheckExact(op) && object_is_unique(op)) {
        PyBytesObject *b = PyObject_Realloc(op, (size_t)(BASIC_SIZE + size));
        if (b == NULL) {
            *pop = NULL;
            Py_DECREF(op);
            PyErr_NoMemory();
            return -1;
        }
        ((PyVarObject *)b)->ob_size = size;
        b->ob_sval[size] = 0;
        b->ob_shash = -1;
        *pop = (PyObject *)b;
        return 0;
    }
    result = PyBytes_FromStringAndSize(NULL, size);
    if (result != NULL && size > 0)
        memcpy(PyBytes_AS_STRING(result), PyBytes_AS_STRING(op), (size_t)(size < old_size ? size : old_size));
    *pop = result;
    Py_DECREF(op);
    return result == NULL ? -1 : 0;
}

/* ---- Reading ---- */

Py_ssize_t PyBytes_Size(PyObject *op)
{
    if (!PyBytes_Check(op)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(op)->tp_name);
        return -1;
    }
    return PyBytes_GET_SIZE(op);
}

char *PyBytes_AsString(PyObject *op)
{
    if (!PyBytes_Check(op)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(op)->tp_name);
        return NULL;
    }
    return PyBytes_AS_STRING(op);
}

int PyBytes_AsStringAndSize(PyObject *op, char **text, Py_ssize_t *size)
{
    if (text == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyBytes_Check(op)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(op)->tp_name);
        return -1;
    }
    *text = PyBytes_AS_STRING(op);
    if (size != NULL)
        *size = PyBytes_GET_SIZE(op);
    else if (strlen(*text) != (size_t)PyBytes_GET_SIZE(op)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return -1;
    }
    return 0;
}

/* ---- Comparing and hashing ---- */

int bytes_warning(const char *text)
{
    if (!Py_BytesWarningFlag)
        return 0;
    return PyErr_WarnEx(PyExc_BytesWarning, text, 1);
}

PyObject *bytes_compare_data(const char *a, Py_ssize_t an, const char *b, Py_ssize_t bn, int op)
{
    if ((op == Py_EQ || op == Py_NE) && an != bn)
        return op == Py_NE ? Py_True : Py_False;
    Py_ssize_t shorter = an < bn ? an : bn;
    int c = shorter == 0 ? 0 : memcmp(a, b, (size_t)shorter);
    if (c == 0)
        c = an < bn ? -1 : an > bn;
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

/* bytes == str and bytes == int warn under -b. */
static int warn_comparison(PyObject *a, PyObject *b, int op)
{
    if (!Py_BytesWarningFlag || (op != Py_EQ && op != Py_NE))
        return 0;
    if (PyUnicode_Check(a) || PyUnicode_Check(b))
        return bytes_warning("Comparison between bytes and string");
    if (PyLong_Check(a) || PyLong_Check(b))
        return bytes_warning("Comparison between bytes and int");
    return 0;
}

static PyObject *bytes_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyBytes_Check(a) || !PyBytes_Check(b)) {
        if (warn_comparison(a, b, op) < 0)
            return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (a == b)
        return op == Py_EQ || op == Py_LE || op == Py_GE ? Py_True : Py_False;
    return bytes_compare_data(PyBytes_AS_STRING(a), PyBytes_GET_SIZE(a), PyBytes_AS_STRING(b), PyBytes_GET_SIZE(b), op);
}

static Py_hash_t bytes_hash(PyObject *self)
{
    PyBytesObject *b = (PyBytesObject *)self;
    Py_hash_t hash = __atomic_load_n(&b->ob_shash, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = _Py_HashBytes(b->ob_sval, PyBytes_GET_SIZE(self));
        __atomic_store_n(&b->ob_shash, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* ---- repr ---- */

static Py_ssize_t repr_width(unsigned char c, char quote)
{
    if (c == (unsigned char)quote || c == '\\' || c == '\t' || c == '\n' || c == '\r')
        return 2;
    return c < ' ' || c >= 0x7f ? 4 : 1;
}

static Py_UCS1 *repr_byte(Py_UCS1 *p, unsigned char c, char quote)
{
    switch (repr_width(c, quote)) {
    case 1:
        *p++ = c;
        break;
    case 2:
        *p++ = '\\';
        *p++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        break;
    default:
        *p++ = '\\';
        *p++ = 'x';
        *p++ = (Py_UCS1)Py_hexdigits[c >> 4];
        *p++ = (Py_UCS1)Py_hexdigits[c & 15];
    }
    return p;
}

PyObject *bytes_repr_data(const char *s, Py_ssize_t n, int smartquotes, const char *prefix, const char *suffix)
{
    char quote = '\'', escaped;
    size_t before = strlen(prefix), after = strlen(suffix);
    if (smartquotes && n > 0 && memchr(s, '\'', (size_t)n) != NULL && memchr(s, '"', (size_t)n) == NULL)
        quote = '"';
    escaped = prefix[0] == 0 ? quote : '\'';
    Py_ssize_t size = (Py_ssize_t)(before + after) + 3;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t width = repr_width((unsigned char)s[i], escaped);
        if (size > PY_SSIZE_T_MAX - width) {
            PyErr_SetString(PyExc_OverflowError, "bytes object is too large to make repr");
            return NULL;
        }
        size += width;
    }
    PyObject *result = PyUnicode_New(size, 127);
    if (result == NULL)
        return NULL;
    Py_UCS1 *p = PyUnicode_1BYTE_DATA(result);
    memcpy(p, prefix, before);
    p += before;
    *p++ = 'b';
    *p++ = (Py_UCS1)quote;
    for (Py_ssize_t i = 0; i < n; i++)
        p = repr_byte(p, (unsigned char)s[i], escaped);
    *p++ = (Py_UCS1)quote;
    memcpy(p, suffix, after);
    return result;
}

PyObject *PyBytes_Repr(PyObject *op, int smartquotes)
{
    return bytes_repr_data(PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op), smartquotes, "", "");
}

PyObject *bytes_tp_repr(PyObject *self)
{
    return PyBytes_Repr(self, 1);
}

static PyObject *bytes_str(PyObject *self)
{
    if (bytes_warning("str() on a bytes instance") < 0)
        return NULL;
    return PyBytes_Repr(self, 1);
}

/* ---- Sequence operations ---- */

static Py_ssize_t bytes_length(PyObject *self)
{
    return PyBytes_GET_SIZE(self);
}

/* Both exact bytes that are not empty. */
static PyObject *concat_exact(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyBytes_GET_SIZE(a), m = PyBytes_GET_SIZE(b);
    if (n > PY_SSIZE_T_MAX - m)
        return PyErr_NoMemory();
    PyObject *result = alloc(n + m);
    if (result != NULL) {
        object_copy_bytes(PyBytes_AS_STRING(result), PyBytes_AS_STRING(a), (size_t)n);
        object_copy_bytes(PyBytes_AS_STRING(result) + n, PyBytes_AS_STRING(b), (size_t)m);
    }
    return result;
}

static PyObject *bytes_concat(PyObject *a, PyObject *b)
{
    if (PyBytes_CheckExact(a) && PyBytes_CheckExact(b) && PyBytes_GET_SIZE(a) > 0 && PyBytes_GET_SIZE(b) > 0)
        return concat_exact(a, b);
    Py_buffer va = {.obj = NULL}, vb = {.obj = NULL};
    PyObject *result = NULL;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0 || PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
        goto done;
    }
    if (va.len == 0 && PyBytes_CheckExact(b))
        result = Py_NewRef(b);
    else if (vb.len == 0 && PyBytes_CheckExact(a))
        result = Py_NewRef(a);
    else if (va.len > PY_SSIZE_T_MAX - vb.len)
        PyErr_NoMemory();
    else if ((result = PyBytes_FromStringAndSize(NULL, va.len + vb.len)) != NULL && va.len + vb.len > 0) {
        if (va.len + vb.len == 1) {
            char c = va.len ? *(char *)va.buf : *(char *)vb.buf;
            Py_SETREF(result, bytes_from_char((unsigned char)c));
            goto done;
        }
        stable_buffer_read(PyBytes_AS_STRING(result), &va);
        stable_buffer_read(PyBytes_AS_STRING(result) + va.len, &vb);
    }
done:
    if (va.obj != NULL)
        PyBuffer_Release(&va);
    if (vb.obj != NULL)
        PyBuffer_Release(&vb);
    return result;
}

void PyBytes_Concat(PyObject **left, PyObject *right)
{
    PyObject *old = *left;
    if (old == NULL)
        return;
    if (right == NULL) {
        *left = NULL;
        Py_DECREF(old);
        return;
    }
    if (PyBytes_CheckExact(old) && object_is_unique(old)) {
        Py_buffer view;
        Py_ssize_t size = PyBytes_GET_SIZE(old);
        if (PyObject_GetBuffer(right, &view, PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(right)->tp_name,
                         Py_TYPE(old)->tp_name);
            Py_CLEAR(*left);
            return;
        }
        if (size > PY_SSIZE_T_MAX - view.len) {
            PyErr_NoMemory();
            Py_CLEAR(*left);
        }
        /* getting the buffer may have run code, but nobody else can have found old */
        else if (_PyBytes_Resize(left, size + view.len) == 0)
            stable_buffer_read(PyBytes_AS_STRING(*left) + size, &view);
        PyBuffer_Release(&view);
        return;
    }
    *left = bytes_concat(old, right);
    Py_DECREF(old);
}

void PyBytes_ConcatAndDel(PyObject **left, PyObject *right)
{
    PyBytes_Concat(left, right);
    Py_XDECREF(right);
}

void bytes_repeat_data(char *p, Py_ssize_t n, Py_ssize_t total)
{
    if (total == 0)
        return;
    if (n == 1) {
        memset(p, p[0], (size_t)total);
        return;
    }
    for (Py_ssize_t done = n; done < total;) {
        Py_ssize_t chunk = done < total - done ? done : total - done;
        memcpy(p + done, p, (size_t)chunk);
        done += chunk;
    }
}

static PyObject *bytes_repeat(PyObject *self, Py_ssize_t count)
{
    Py_ssize_t n = PyBytes_GET_SIZE(self);
    if (count < 0)
        count = 0;
    if (n > 0 && count > PY_SSIZE_T_MAX / n) {
        PyErr_SetString(PyExc_OverflowError, "repeated bytes are too long");
        return NULL;
    }
    if (n * count == n && PyBytes_CheckExact(self))
        return Py_NewRef(self);
    if (n * count <= 1)
        return PyBytes_FromStringAndSize(PyBytes_AS_STRING(self), n * count);
    PyObject *result = PyBytes_FromStringAndSize(NULL, n * count);
    if (result == NULL)
        return NULL;
    memcpy(PyBytes_AS_STRING(result), PyBytes_AS_STRING(self), (size_t)n);
    bytes_repeat_data(PyBytes_AS_STRING(result), n, n * count);
    return result;
}

static PyObject *bytes_item(PyObject *self, Py_ssize_t i)
{
    if (i < 0 || i >= PyBytes_GET_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    return value_from_int((unsigned char)PyBytes_AS_STRING(self)[i]);
}

static PyObject *bytes_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return bytes_item(self, i < 0 ? i + PyBytes_GET_SIZE(self) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError, "byte indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    const char *s = PyBytes_AS_STRING(self);
    Py_ssize_t n = PySlice_AdjustIndices(PyBytes_GET_SIZE(self), &start, &stop, step);
    if (n <= 0)
        return bytes_empty();
    if (step == 1) {
        if (n == PyBytes_GET_SIZE(self) && PyBytes_CheckExact(self))
            return Py_NewRef(self);
        return PyBytes_FromStringAndSize(s + start, n);
    }
    if (n == 1)
        return bytes_from_char((unsigned char)s[start]);
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (result == NULL)
        return NULL;
    char *p = PyBytes_AS_STRING(result);
    for (Py_ssize_t i = 0; i < n; i++, start += step)
        p[i] = s[start];
    return result;
}

static int bytes_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, self, PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self), 1, flags);
}

static PyObject *bytes_mod(PyObject *a, PyObject *b)
{
    if (!PyBytes_Check(a))
        Py_RETURN_NOTIMPLEMENTED;
    return _PyBytes_FormatEx(PyBytes_AS_STRING(a), PyBytes_GET_SIZE(a), b, 0);
}

static PyObject *bytes_getnewargs(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("(y#)", PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self));
}

/* bytes(obj) asks for this first. */
static PyObject *bytes_dunder_bytes(PyObject *self, PyObject *unused)
{
    return PyBytes_CheckExact(self) ? Py_NewRef(self)
                                    : PyBytes_FromStringAndSize(PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self));
}

static PyObject *bytes_fromhex(PyObject *type, PyObject *text)
{
    PyObject *result = _PyBytes_FromHex(text, 0);
    if (result != NULL && type != (PyObject *)&PyBytes_Type)
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    return result;
}

static void bytes_dealloc(PyObject *self)
{
    if (Py_LIKELY(heap_type(self) == &PyBytes_Type))
        object_free(self);
    else
        Py_TYPE(self)->tp_free(self);
}

/* ---- The type ---- */

#define NOARGS(name) {#name, bytes_like_##name, METH_NOARGS, bytes_doc_##name},
#define ONEARG(name) {#name, bytes_like_##name, METH_O, bytes_doc_##name},
#define FASTCALL(name) {#name, _PyCFunction_CAST(bytes_like_##name), METH_FASTCALL, bytes_doc_##name},
#define KEYWORDS(name) {#name, _PyCFunction_CAST(bytes_like_##name), METH_FASTCALL | METH_KEYWORDS, bytes_doc_##name},

static PyMethodDef bytes_methods[] = {
    BYTES_METHODS(NOARGS, ONEARG, FASTCALL, KEYWORDS)
    {"decode", _PyCFunction_CAST(bytes_decode), METH_FASTCALL | METH_KEYWORDS, bytes_doc_decode},
    {"fromhex", bytes_fromhex, METH_O | METH_CLASS, bytes_doc_fromhex},
    {"maketrans", _PyCFunction_CAST(bytes_maketrans), METH_FASTCALL | METH_STATIC, bytes_doc_maketrans},
    {"__getnewargs__", bytes_getnewargs, METH_NOARGS, NULL},
    {"__bytes__", bytes_dunder_bytes, METH_NOARGS, "__bytes__($self, /)\n--\n\nThe value as exact bytes."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods bytes_as_number = {.nb_remainder = bytes_mod};
static PySequenceMethods bytes_as_sequence = {
    .sq_length = bytes_length,
    .sq_concat = bytes_concat,
    .sq_repeat = bytes_repeat,
    .sq_item = bytes_item,
    .sq_contains = bytes_like_contains,
};
static PyMappingMethods bytes_as_mapping = {.mp_length = bytes_length, .mp_subscript = bytes_subscript};
static PyBufferProcs bytes_as_buffer = {.bf_getbuffer = bytes_getbuffer};

PyTypeObject PyBytes_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytes",
    .tp_doc = "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n"
              "bytes(bytes_or_buffer) -> immutable copy\nbytes(int) -> zero bytes of that number\n"
              "bytes() -> empty bytes",
    .tp_basicsize = BASIC_SIZE,
    .tp_itemsize = 1,
    .tp_dealloc = bytes_dealloc,
    .tp_repr = bytes_tp_repr,
    .tp_str = bytes_str,
    .tp_hash = bytes_hash,
    .tp_as_number = &bytes_as_number,
    .tp_as_sequence = &bytes_as_sequence,
    .tp_as_mapping = &bytes_as_mapping,
    .tp_as_buffer = &bytes_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_BYTES_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_richcompare = bytes_richcompare,
    .tp_iter = bytes_tp_iter,
    .tp_methods = bytes_methods,
    .tp_new = bytes_tp_new,
    .tp_free = PyObject_Free,
};
