/* What Python code sees of bytearray: construction, methods, the type object. */
#include "bytes.h"
#include "bytearray.h"
#include "stable_buffer.h"
#include "unicode.h"

static const char byte_range[] = "byte must be in range(0, 256)";

static PyByteArrayObject *as_array(PyObject *op)
{
    return (PyByteArrayObject *)op;
}

/* ---- Construction ---- */

static int append_byte(PyObject *op, int byte)
{
    char c = (char)byte;
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PyByteArray_GET_SIZE(op);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "cannot add more objects to bytearray");
        result = -1;
    }
    else
        result = bytearray_splice_locked(op, n, n, &c, 1);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* self's content becomes that of the buffer, which is not self's. */
static int fill_from_buffer(PyObject *op, PyObject *source)
{
    Py_buffer view;
    int result = -1;
    if (PyObject_GetBuffer(source, &view, PyBUF_FULL_RO) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION2(op, PyByteArray_Check(source) ? source : op);
    if (bytearray_resize_locked(op, view.len) == 0)
        result = view.len == 0 ? 0 : PyBuffer_ToContiguous(as_array(op)->ob_start, &view, view.len, 'C');
    Py_END_CRITICAL_SECTION2();
    PyBuffer_Release(&view);
    return result;
}

static int fill_zeros(PyObject *op, Py_ssize_t size)
{
    int result;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    result = bytearray_resize_locked(op, size);
    if (result == 0 && size > 0)
        memset(as_array(op)->ob_start, 0, (size_t)size);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* The message is for an object that is no iterable. */
static PyObject *iterator_over(PyObject *iterable, const char *not_iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL && PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, not_iterable, Py_TYPE(iterable)->tp_name);
    return iterator;
}

/* Appends what an iterator yields. */
static int append_all(PyObject *self, PyObject *iterator)
{
    PyObject *item;
    while ((item = PyIter_Next(iterator)) != NULL) {
        int byte, failed = bytes_byte_value(item, byte_range, &byte);
        Py_DECREF(item);
        if (failed || append_byte(self, byte) < 0)
            return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int fill_from(PyObject *self, PyObject *source)
{
    if (PyIndex_Check(source)) {
        Py_ssize_t size = PyNumber_AsSsize_t(source, PyExc_OverflowError);
        if (size != -1 || !PyErr_Occurred())
            return fill_zeros(self, size);
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        PyErr_Clear();
    }
    if (PyObject_CheckBuffer(source) && source != self)
        return fill_from_buffer(self, source);
    PyObject *iterator = iterator_over(source, "cannot convert '%.200s' object to bytearray");
    if (iterator == NULL)
        return -1;
    int result = append_all(self, iterator);
    Py_DECREF(iterator);
    return result;
}

static int bytearray_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "encoding", "errors", NULL};
    PyObject *source = NULL;
    const char *encoding = NULL, *errors = NULL;
    if (PyByteArray_GET_SIZE(self) != 0 && PyByteArray_Resize(self, 0) < 0)
        return -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oss:bytearray", keywords, &source, &encoding, &errors))
        return -1;
    if (source == NULL) {
        if (encoding == NULL && errors == NULL)
            return 0;
        PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                          : "errors without a string argument");
        return -1;
    }
    if (PyUnicode_Check(source)) {
        if (encoding == NULL) {
            PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
            return -1;
        }
        PyObject *bytes = PyUnicode_AsEncodedString(source, encoding, errors);
        if (bytes == NULL)
            return -1;
        int result = fill_from_buffer(self, bytes);
        Py_DECREF(bytes);
        return result;
    }
    if (encoding != NULL || errors != NULL) {
        PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                          : "errors without a string argument");
        return -1;
    }
    return fill_from(self, source);
}

/* ---- repr ---- */

/* self's content at one moment, as bytes. */
static PyObject *bytes_of(PyObject *self)
{
    PyObject *copy;
    Py_BEGIN_CRITICAL_SECTION(self);
    copy = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self));
    Py_END_CRITICAL_SECTION();
    return copy;
}

static PyObject *bytearray_repr(PyObject *self)
{
    /* of a copy: its content is measured first */
    PyObject *name = PyType_GetName(Py_TYPE(self)), *copy = name != NULL ? bytes_of(self) : NULL, *result = NULL;
    if (copy == NULL) {
        Py_XDECREF(name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8(name), *s = PyBytes_AS_STRING(copy);
    Py_ssize_t n = PyBytes_GET_SIZE(copy);
    if (text != NULL && PyUnicode_IS_ASCII(name)) {
        size_t room = strlen(text) + 2;
        char *prefix = PyMem_Malloc(room);
        if (prefix == NULL)
            PyErr_NoMemory();
        else {
            snprintf(prefix, room, "%s(", text);
            result = bytes_repr_data(s, n, 1, prefix, ")");
            PyMem_Free(prefix);
        }
    }
    else if (text != NULL) {
        PyObject *inner = bytes_repr_data(s, n, 1, "", "");
        if (inner != NULL)
            result = PyUnicode_FromFormat("%U(%U)", name, inner);
        Py_XDECREF(inner);
    }
    Py_DECREF(copy);
    Py_DECREF(name);
    return result;
}

static PyObject *bytearray_str(PyObject *self)
{
    if (bytes_warning("str() on a bytearray instance") < 0)
        return NULL;
    return bytearray_repr(self);
}

static PyObject *bytearray_mod(PyObject *a, PyObject *b)
{
    Py_buffer view;
    if (!PyByteArray_Check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (stable_buffer_get(a, &view) < 0)
        return NULL;
    PyObject *result = _PyBytes_FormatEx(view.buf, view.len, b, 1);
    PyBuffer_Release(&view);
    return result;
}

static int bytearray_contains(PyObject *self, PyObject *item)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = bytes_like_contains(self, item);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Methods that change self ---- */

static PyObject *bytearray_append(PyObject *self, PyObject *item)
{
    int byte;
    if (bytes_byte_value(item, byte_range, &byte) < 0 || append_byte(self, byte) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *bytearray_copy(PyObject *self, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = PyByteArray_FromStringAndSize(PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self));
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *bytearray_extend(PyObject *self, PyObject *iterable)
{
    PyObject *bytes = NULL, *result;
    if (value_is_immediate(iterable) || !PyObject_CheckBuffer(iterable)) {
        PyObject *iterator = iterator_over(iterable, "can't extend bytearray with %.100s");
        if (iterator == NULL)
            return NULL;
        /* only to see it fail; the bytes are collected first, so that self changes as a whole or not at all */
        if (PyObject_LengthHint(iterable, 0) >= 0)
            bytes = PyByteArray_FromStringAndSize(NULL, 0);
        if (bytes != NULL && append_all(bytes, iterator) < 0)
            Py_CLEAR(bytes);
        Py_DECREF(iterator);
        if (bytes == NULL)
            return NULL;
        iterable = bytes;
    }
    else if (iterable == self) {
        /* its own buffer would block the resize */
        iterable = bytes = bytearray_copy(self, NULL);
        if (bytes == NULL)
            return NULL;
    }
    result = bytearray_inplace_concat(self, iterable);
    Py_XDECREF(bytes);
    if (result == NULL)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static int index_argument(PyObject *arg, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(arg);
    *value = index == NULL ? -1 : PyLong_AsSsize_t(index);
    Py_XDECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *bytearray_insert(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i;
    int byte, failed;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2) || index_argument(args[0], &i) < 0
        || bytes_byte_value(args[1], byte_range, &byte) < 0)
        return NULL;
    char c = (char)byte;
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (i < 0)
        i = i + n < 0 ? 0 : i + n;
    if (i > n)
        i = n;
    failed = bytearray_splice_locked(self, i, i, &c, 1);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *bytearray_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i = -1;
    PyObject *result = NULL;
    if (!_PyArg_CheckPositional("pop", nargs, 0, 1) || (nargs > 0 && index_argument(args[0], &i) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (i < 0)
        i += n;
    if (n == 0)
        PyErr_SetString(PyExc_IndexError, "pop from empty bytearray");
    else if (i < 0 || i >= n)
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
    else {
        unsigned char byte = (unsigned char)as_array(self)->ob_start[i];
        if (bytearray_splice_locked(self, i, i + 1, NULL, 0) == 0)
            result = value_from_int(byte);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *bytearray_remove(PyObject *self, PyObject *item)
{
    int byte, failed = -1;
    if (bytes_byte_value(item, byte_range, &byte) < 0)
        return NULL;
    char c = (char)byte;
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_ssize_t n = PyByteArray_GET_SIZE(self), i = bytes_find_data(PyByteArray_AS_STRING(self), n, &c, 1);
    if (i < 0)
        PyErr_SetString(PyExc_ValueError, "value not found in bytearray");
    else
        failed = bytearray_splice_locked(self, i, i + 1, NULL, 0);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *bytearray_reverse(PyObject *self, PyObject *unused)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    char *p = as_array(self)->ob_start;
    for (Py_ssize_t i = 0; i < n / 2; i++) {
        char c = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = c;
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *bytearray_clear(PyObject *self, PyObject *unused)
{
    if (PyByteArray_Resize(self, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Methods shared with bytes ---- */

#define LOCK_NOARGS(name) \
    static PyObject *bytearray_##name(PyObject *self, PyObject *unused) \
    { \
        PyObject *result; \
        Py_BEGIN_CRITICAL_SECTION(self); \
        result = bytes_like_##name(self, unused); \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }
#define LOCK_FASTCALL(name) \
    static PyObject *bytearray_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs) \
    { \
        PyObject *result; \
        Py_BEGIN_CRITICAL_SECTION(self); \
        result = bytes_like_##name(self, args, nargs); \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }
#define LOCK_KEYWORDS(name) \
    static PyObject *bytearray_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) \
    { \
        PyObject *result; \
        Py_BEGIN_CRITICAL_SECTION(self); \
        result = bytes_like_##name(self, args, nargs, kwnames); \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }
BYTES_METHODS(LOCK_NOARGS, LOCK_NOARGS, LOCK_FASTCALL, LOCK_KEYWORDS)

static PyObject *bytearray_decode(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    /* decoding may call error handlers: work on a copy */
    PyObject *copy = bytes_of(self);
    if (copy == NULL)
        return NULL;
    PyObject *result = bytes_decode(copy, args, nargs, kwnames);
    Py_DECREF(copy);
    return result;
}

static PyObject *bytearray_fromhex(PyObject *type, PyObject *text)
{
    PyObject *result = _PyBytes_FromHex(text, type == (PyObject *)&PyByteArray_Type);
    if (result != NULL && type != (PyObject *)&PyByteArray_Type)
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    return result;
}

/* ---- Pickling, sizes ---- */

static PyObject *reduce(PyObject *self, long protocol)
{
    PyObject *state = _PyObject_GetState(self), *data = state != NULL ? bytes_of(self) : NULL, *result = NULL;
    if (state == NULL)
        return NULL;
    if (data != NULL && protocol < 3)
        Py_SETREF(data, PyUnicode_DecodeLatin1(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), NULL));
    if (data != NULL && PyObject_Size(data) == 0)
        result = Py_BuildValue("(O()O)", Py_TYPE(self), state);
    else if (data != NULL && protocol < 3)
        result = Py_BuildValue("(O(Os)O)", Py_TYPE(self), data, "latin-1", state);
    else if (data != NULL)
        result = Py_BuildValue("(O(O)O)", Py_TYPE(self), data, state);
    Py_XDECREF(data);
    Py_DECREF(state);
    return result;
}

static PyObject *bytearray_reduce(PyObject *self, PyObject *unused)
{
    return reduce(self, 2);
}

static PyObject *bytearray_reduce_ex(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    long protocol = 0;
    if (!_PyArg_CheckPositional("__reduce_ex__", nargs, 0, 1))
        return NULL;
    if (nargs == 1) {
        protocol = PyLong_AsLong(args[0]);
        if (protocol == -1 && PyErr_Occurred())
            return NULL;
    }
    return reduce(self, protocol);
}

static PyObject *bytearray_alloc(PyObject *self, PyObject *unused)
{
    return PyLong_FromSsize_t(__atomic_load_n(&as_array(self)->ob_alloc, __ATOMIC_RELAXED));
}

static PyObject *bytearray_sizeof(PyObject *self, PyObject *unused)
{
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize
                              + __atomic_load_n(&as_array(self)->ob_alloc, __ATOMIC_RELAXED));
}

/* ---- The type ---- */

#define NOARGS(name) {#name, bytearray_##name, METH_NOARGS, bytes_doc_##name},
#define ONEARG(name) {#name, bytearray_##name, METH_O, bytes_doc_##name},
#define FASTCALL(name) {#name, _PyCFunction_CAST(bytearray_##name), METH_FASTCALL, bytes_doc_##name},
#define KEYWORDS(name) {#name, _PyCFunction_CAST(bytearray_##name), METH_FASTCALL | METH_KEYWORDS, bytes_doc_##name},

static PyMethodDef bytearray_methods[] = {
    BYTES_METHODS(NOARGS, ONEARG, FASTCALL, KEYWORDS)
    {"decode", _PyCFunction_CAST(bytearray_decode), METH_FASTCALL | METH_KEYWORDS, bytes_doc_decode},
    {"fromhex", bytearray_fromhex, METH_O | METH_CLASS, bytes_doc_fromhex},
    {"maketrans", _PyCFunction_CAST(bytes_maketrans), METH_FASTCALL | METH_STATIC, bytes_doc_maketrans},
    {"append", bytearray_append, METH_O, "append($self, item, /)\n--\n\nAdd one byte at the end."},
    {"extend", bytearray_extend, METH_O,
     "extend($self, iterable_of_ints, /)\n--\n\nAdd the bytes of an iterable or buffer at the end."},
    {"insert", _PyCFunction_CAST(bytearray_insert), METH_FASTCALL,
     "insert($self, index, item, /)\n--\n\nPut one byte before the index."},
    {"pop", _PyCFunction_CAST(bytearray_pop), METH_FASTCALL,
     "pop($self, index=-1, /)\n--\n\nRemove the byte at the index and return it."},
    {"remove", bytearray_remove, METH_O, "remove($self, value, /)\n--\n\nRemove the first byte with this value."},
    {"reverse", bytearray_reverse, METH_NOARGS, "reverse($self, /)\n--\n\nReverse the order of the bytes in place."},
    {"clear", bytearray_clear, METH_NOARGS, "clear($self, /)\n--\n\nRemove all bytes."},
    {"copy", bytearray_copy, METH_NOARGS, "copy($self, /)\n--\n\nA copy."},
    {"__alloc__", bytearray_alloc, METH_NOARGS, "B.__alloc__() -> int\n\nNumber of bytes of memory held."},
    {"__reduce__", bytearray_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nState for pickling."},
    {"__reduce_ex__", _PyCFunction_CAST(bytearray_reduce_ex), METH_FASTCALL,
     "__reduce_ex__($self, proto=0, /)\n--\n\nState for pickling."},
    {"__sizeof__", bytearray_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods bytearray_as_number = {.nb_remainder = bytearray_mod};
static PySequenceMethods bytearray_as_sequence = {
    .sq_length = bytearray_length,
    .sq_concat = PyByteArray_Concat,
    .sq_repeat = bytearray_repeat,
    .sq_item = bytearray_item,
    .sq_ass_item = bytearray_ass_item,
    .sq_contains = bytearray_contains,
    .sq_inplace_concat = bytearray_inplace_concat,
    .sq_inplace_repeat = bytearray_inplace_repeat,
};
static PyMappingMethods bytearray_as_mapping = {
    .mp_length = bytearray_length,
    .mp_subscript = bytearray_subscript,
    .mp_ass_subscript = bytearray_ass_subscript,
};
static PyBufferProcs bytearray_as_buffer = {
    .bf_getbuffer = bytearray_getbuffer,
    .bf_releasebuffer = bytearray_releasebuffer,
};

PyTypeObject PyByteArray_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytearray",
    .tp_doc = "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n"
              "bytearray(bytes_or_buffer) -> mutable copy\nbytearray(int) -> zero bytes of that number\n"
              "bytearray() -> empty bytearray",
    .tp_basicsize = sizeof(PyByteArrayObject),
    .tp_dealloc = bytearray_dealloc,
    .tp_repr = bytearray_repr,
    .tp_str = bytearray_str,
    .tp_as_number = &bytearray_as_number,
    .tp_as_sequence = &bytearray_as_sequence,
    .tp_as_mapping = &bytearray_as_mapping,
    .tp_as_buffer = &bytearray_as_buffer,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_richcompare = bytearray_richcompare,
    .tp_iter = bytes_tp_iter,
    .tp_methods = bytearray_methods,
    .tp_init = bytearray_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_Free,
};
