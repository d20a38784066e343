/* bytearray objects: storage, the C API, indexing, operators.
 *
 * All fields are read and written under the object's lock (a critical section), but for the size, which len() reads
 * atomically. Functions with _locked in their name want the lock held and do not escape. */
#include "bytes.h"
#include "bytearray.h"
#include "interpreter.h"

char _PyByteArray_empty_string[] = "";

/* ---- Storage ---- */

static PyByteArrayObject *as_array(PyObject *op)
{
    return (PyByteArrayObject *)op;
}

static void set_size(PyByteArrayObject *self, Py_ssize_t size)
{
    __atomic_store_n(&self->ob_base.ob_size, size, __ATOMIC_RELAXED);
}

static int refuse_if_exported(PyByteArrayObject *self)
{
    if (self->ob_exports == 0)
        return 0;
    PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
    return -1;
}

int bytearray_resize_locked(PyObject *op, Py_ssize_t size)
{
    PyByteArrayObject *self = as_array(op);
    Py_ssize_t old = Py_SIZE(self), offset = self->ob_start == NULL ? 0 : self->ob_start - self->ob_bytes, alloc;
    if (size == old)
        return 0;
    if (refuse_if_exported(self) < 0)
        return -1;
    if (size < 0 || size > PY_SSIZE_T_MAX - 64) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->ob_alloc > 0 && size < self->ob_alloc - offset) {
        /* fits; give much unused memory back */
        if (size >= self->ob_alloc / 2 || self->ob_alloc < 64) {
            set_size(self, size);
            self->ob_start[size] = 0;
            return 0;
        }
        alloc = size + 1;
    }
    else
        alloc = size <= self->ob_alloc + (self->ob_alloc >> 3) && size <= PY_SSIZE_T_MAX / 2
                    ? size + (size >> 3) + (size < 9 ? 3 : 6) : size + 1;
    char *block;
    Py_ssize_t kept = old < size ? old : size;
    if (offset > 0) {
        block = PyMem_Malloc((size_t)alloc);
        if (block != NULL) {
            memcpy(block, self->ob_start, (size_t)kept);
            PyMem_Free(self->ob_bytes);
        }
    }
    else
        block = PyMem_Realloc(self->ob_bytes, (size_t)alloc);
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    block[size] = 0;
    self->ob_bytes = self->ob_start = block;
    __atomic_store_n(&self->ob_alloc, alloc, __ATOMIC_RELAXED);     /* read without the lock by __alloc__() */
    set_size(self, size);
    return 0;
}

int bytearray_splice_locked(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, const char *data, Py_ssize_t n)
{
    PyByteArrayObject *self = as_array(op);
    Py_ssize_t size = Py_SIZE(self), growth = n - (hi - lo);
    if (growth < 0) {
        if (refuse_if_exported(self) < 0)
            return -1;
        if (lo == 0) {
            /* the front goes by moving the start: popping from the left is cheap */
            self->ob_start -= growth;
            set_size(self, size + growth);
            if (Py_SIZE(self) == 0 || self->ob_start - self->ob_bytes > self->ob_alloc / 2) {
                memmove(self->ob_bytes, self->ob_start, (size_t)Py_SIZE(self) + 1);
                self->ob_start = self->ob_bytes;
            }
        }
        else {
            memmove(self->ob_start + lo + n, self->ob_start + hi, (size_t)(size - hi));
            if (bytearray_resize_locked(op, size + growth) < 0) {
                /* only memory for a smaller block was missing: keep the old one */
                PyErr_Clear();
                set_size(self, size + growth);
                self->ob_start[size + growth] = 0;
            }
        }
    }
    else if (growth > 0) {
        if (size > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (bytearray_resize_locked(op, size + growth) < 0)
            return -1;
        memmove(self->ob_start + lo + n, self->ob_start + hi, (size_t)(size - hi));
    }
    if (n > 0)
        memcpy(self->ob_start + lo, data, (size_t)n);
    return 0;
}

void bytearray_dealloc(PyObject *op)
{
    PyByteArrayObject *self = as_array(op);
    if (self->ob_exports > 0) {
        PyErr_SetString(PyExc_SystemError, "deallocated bytearray object has exported buffers");
        PyErr_Print();
    }
    PyMem_Free(self->ob_bytes);
    Py_TYPE(op)->tp_free(op);
}

/* ---- The C API ---- */

PyObject *PyByteArray_FromStringAndSize(const char *text, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
        return NULL;
    }
    if (size == PY_SSIZE_T_MAX)
        return PyErr_NoMemory();
    PyByteArrayObject *self = PyObject_New(PyByteArrayObject, &PyByteArray_Type);
    if (self == NULL)
        return NULL;
    self->ob_bytes = NULL;
    self->ob_alloc = 0;
    self->ob_exports = 0;
    self->ob_base.ob_size = 0;
    if (size > 0) {
        self->ob_bytes = PyMem_Malloc((size_t)size + 1);
        if (self->ob_bytes == NULL) {
            self->ob_start = NULL;
            Py_DECREF(self);
            return PyErr_NoMemory();
        }
        if (text != NULL)
            memcpy(self->ob_bytes, text, (size_t)size);
        self->ob_bytes[size] = 0;
        self->ob_alloc = size + 1;
        self->ob_base.ob_size = size;
    }
    self->ob_start = self->ob_bytes;
    return (PyObject *)self;
}

PyObject *PyByteArray_FromObject(PyObject *op)
{
    return PyObject_CallOneArg((PyObject *)&PyByteArray_Type, op);
}

Py_ssize_t PyByteArray_Size(PyObject *op)
{
    return PyByteArray_GET_SIZE(op);
}

char *PyByteArray_AsString(PyObject *op)
{
    return PyByteArray_AS_STRING(op);
}

int PyByteArray_Resize(PyObject *op, Py_ssize_t size)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = bytearray_resize_locked(op, size);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Buffers ---- */

int bytearray_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    PyByteArrayObject *self = as_array(op);
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "bytearray_getbuffer: view==NULL argument is obsolete");
        return -1;
    }
    int locked = leaf_lock_mutex(&op->hdr_mutex);
    /* cannot fail: writable, and no memory is needed */
    (void)PyBuffer_FillInfo(view, op, PyByteArray_AS_STRING(op), Py_SIZE(self), 0, flags);
    self->ob_exports++;
    leaf_unlock_mutex(&op->hdr_mutex, locked);
    return 0;
}

void bytearray_releasebuffer(PyObject *op, Py_buffer *view)
{
    int locked = leaf_lock_mutex(&op->hdr_mutex);
    as_array(op)->ob_exports--;
    leaf_unlock_mutex(&op->hdr_mutex, locked);
}

/* ---- Operators ---- */

Py_ssize_t bytearray_length(PyObject *op)
{
    return PyByteArray_GET_SIZE(op);
}

PyObject *PyByteArray_Concat(PyObject *a, PyObject *b)
{
    Py_buffer va = {.obj = NULL}, vb = {.obj = NULL};
    PyObject *result = NULL;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0 || PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0)
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
    else if (va.len > PY_SSIZE_T_MAX - vb.len)
        PyErr_NoMemory();
    else if ((result = PyByteArray_FromStringAndSize(NULL, va.len + vb.len)) != NULL && va.len + vb.len > 0) {
        Py_BEGIN_CRITICAL_SECTION2(a, b);
        memcpy(as_array(result)->ob_start, va.buf, (size_t)va.len);
        memcpy(as_array(result)->ob_start + va.len, vb.buf, (size_t)vb.len);
        Py_END_CRITICAL_SECTION2();
    }
    if (va.obj != NULL)
        PyBuffer_Release(&va);
    if (vb.obj != NULL)
        PyBuffer_Release(&vb);
    return result;
}

PyObject *bytearray_inplace_concat(PyObject *op, PyObject *other)
{
    Py_buffer view;
    int failed;
    if (PyObject_GetBuffer(other, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(other)->tp_name, Py_TYPE(op)->tp_name);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION2(op, PyByteArray_Check(other) ? other : op);
    Py_ssize_t size = PyByteArray_GET_SIZE(op);
    failed = bytearray_splice_locked(op, size, size, view.buf, view.len);
    Py_END_CRITICAL_SECTION2();
    PyBuffer_Release(&view);
    return failed ? NULL : Py_NewRef(op);
}

PyObject *bytearray_repeat(PyObject *op, Py_ssize_t count)
{
    PyObject *result = NULL;
    if (count < 0)
        count = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PyByteArray_GET_SIZE(op);
    if (n > 0 && count > PY_SSIZE_T_MAX / n)
        PyErr_NoMemory();
    else if ((result = PyByteArray_FromStringAndSize(NULL, n * count)) != NULL && n * count > 0) {
        memcpy(as_array(result)->ob_start, as_array(op)->ob_start, (size_t)n);
        bytes_repeat_data(as_array(result)->ob_start, n, n * count);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *bytearray_inplace_repeat(PyObject *op, Py_ssize_t count)
{
    int failed = 0;
    if (count < 0)
        count = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PyByteArray_GET_SIZE(op);
    if (n > 0 && count > PY_SSIZE_T_MAX / n) {
        PyErr_NoMemory();
        failed = 1;
    }
    else {
        failed = bytearray_resize_locked(op, n * count);
        if (!failed && n > 0 && count > 1)
            bytes_repeat_data(as_array(op)->ob_start, n, n * count);
    }
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : Py_NewRef(op);
}

PyObject *bytearray_item(PyObject *op, Py_ssize_t i)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (i >= 0 && i < PyByteArray_GET_SIZE(op))
        result = value_from_int((unsigned char)as_array(op)->ob_start[i]);
    Py_END_CRITICAL_SECTION();
    if (result == NULL)
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
    return result;
}

static PyObject *slice_locked(PyObject *op, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    const char *s = PyByteArray_AS_STRING(op);
    if (n <= 0)
        return PyByteArray_FromStringAndSize(NULL, 0);
    if (step == 1)
        return PyByteArray_FromStringAndSize(s + start, n);
    PyObject *result = PyByteArray_FromStringAndSize(NULL, n);
    if (result == NULL)
        return NULL;
    char *p = as_array(result)->ob_start;
    for (Py_ssize_t i = 0; i < n; i++, start += step)
        p[i] = s[start];
    return result;
}

PyObject *bytearray_subscript(PyObject *op, PyObject *key)
{
    PyObject *result;
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        Py_BEGIN_CRITICAL_SECTION(op);
        Py_ssize_t n = PyByteArray_GET_SIZE(op);
        if (i < 0)
            i += n;
        result = i >= 0 && i < n ? value_from_int((unsigned char)as_array(op)->ob_start[i]) : NULL;
        Py_END_CRITICAL_SECTION();
        if (result == NULL)
            PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        return result;
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PySlice_AdjustIndices(PyByteArray_GET_SIZE(op), &start, &stop, step);
    result = slice_locked(op, start, step, n);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Assignment ---- */

/* self[i] = value, or del self[i]; adjust: negative indices count from the end. */
static int set_index(PyObject *op, Py_ssize_t i, PyObject *value, int adjust)
{
    int byte = 0, result = -1;
    if (value != NULL && bytes_byte_value(value, "byte must be in range(0, 256)", &byte) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PyByteArray_GET_SIZE(op);
    if (adjust && i < 0)
        i += n;
    if (i < 0 || i >= n)
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
    else if (value == NULL)
        result = bytearray_splice_locked(op, i, i + 1, NULL, 0);
    else {
        as_array(op)->ob_start[i] = (char)byte;
        result = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

int bytearray_ass_item(PyObject *op, Py_ssize_t i, PyObject *value)
{
    return set_index(op, i, value, 0);
}

/* Removes n items that are step apart from start on; step may be negative. */
static int delete_extended_locked(PyObject *op, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    PyByteArrayObject *self = as_array(op);
    Py_ssize_t size = Py_SIZE(self);
    if (n == 0)
        return 0;
    if (refuse_if_exported(self) < 0)
        return -1;
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    char *p = self->ob_start;
    Py_ssize_t to = start;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t from = start + i * step + 1, end = i + 1 < n ? from + step - 1 : size;
        memmove(p + to, p + from, (size_t)(end - from));
        to += end - from;
    }
    return bytearray_resize_locked(op, size - n);
}

/* The slice is replaced by data. Indices are as given: they are adjusted here, under the lock. */
static int assign_slice_locked(PyObject *op, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step, const char *data,
                               Py_ssize_t n)
{
    Py_ssize_t count = PySlice_AdjustIndices(PyByteArray_GET_SIZE(op), &start, &stop, step);
    if ((step < 0 && start < stop) || (step > 0 && start > stop))
        stop = start;
    if (step == 1)
        return bytearray_splice_locked(op, start, stop, data, n);
    if (n == 0)
        return delete_extended_locked(op, start, step, count);
    if (n != count) {
        PyErr_Format(PyExc_ValueError, "attempt to assign bytes of size %zd to extended slice of size %zd", n, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++, start += step)
        as_array(op)->ob_start[start] = data[i];
    return 0;
}

static int set_slice(PyObject *op, PyObject *slice, PyObject *values)
{
    Py_ssize_t start, stop, step, n = 0;
    PyObject *copy = NULL;
    const char *data = NULL;
    Py_buffer view = {.obj = NULL};
    int result;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return -1;
    if (values != NULL && values != op && PyByteArray_CheckExact(values) == 0 && PyBytes_CheckExact(values)) {
        data = PyBytes_AS_STRING(values);
        n = PyBytes_GET_SIZE(values);
    }
    else if (values != NULL && values != op && PyByteArray_Check(values)) {
        /* the export keeps the other array from moving while we are waiting for our lock */
        if (PyObject_GetBuffer(values, &view, PyBUF_SIMPLE) < 0)
            return -1;
        data = view.buf;
        n = view.len;
    }
    else if (values != NULL) {
        if (value_is_immediate(values) || PyNumber_Check(values) || PyUnicode_Check(values)) {
            PyErr_SetString(PyExc_TypeError,
                            "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
            return -1;
        }
        copy = PyByteArray_FromObject(values);
        if (copy == NULL)
            return -1;
        data = PyByteArray_AS_STRING(copy);
        n = PyByteArray_GET_SIZE(copy);
    }
    Py_BEGIN_CRITICAL_SECTION2(op, view.obj != NULL ? values : op);
    result = assign_slice_locked(op, start, stop, step, data, n);
    Py_END_CRITICAL_SECTION2();
    if (view.obj != NULL)
        PyBuffer_Release(&view);
    Py_XDECREF(copy);
    return result;
}

int bytearray_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return -1;
        return set_index(op, i, value, 1);
    }
    if (PySlice_Check(key))
        return set_slice(op, key, value);
    PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return -1;
}

/* ---- Comparison ---- */

PyObject *bytearray_richcompare(PyObject *a, PyObject *b, int op)
{
    Py_buffer va, vb;
    if (value_is_immediate(a) || value_is_immediate(b) || !PyObject_CheckBuffer(a) || !PyObject_CheckBuffer(b)) {
        if (Py_BytesWarningFlag && (op == Py_EQ || op == Py_NE) && (PyUnicode_Check(a) || PyUnicode_Check(b))
            && bytes_warning("Comparison between bytearray and string") < 0)
            return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        PyBuffer_Release(&va);
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION2(a, PyByteArray_Check(b) ? b : a);
    result = bytes_compare_data(va.buf, va.len, vb.buf, vb.len, op);
    Py_END_CRITICAL_SECTION2();
    PyBuffer_Release(&va);
    PyBuffer_Release(&vb);
    return result;
}
