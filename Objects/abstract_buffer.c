/* The buffer protocol: acquiring and releasing buffers, and copying between memory layouts. */
#include "Python.h"

int PyObject_CheckBuffer(PyObject *op)
{
    PyBufferProcs *m = Py_TYPE(op)->tp_as_buffer;
    return m != NULL && m->bf_getbuffer != NULL;
}

int PyObject_GetBuffer(PyObject *op, Py_buffer *view, int flags)
{
    if (!PyObject_CheckBuffer(op)) {
        PyErr_Format(PyExc_TypeError, "a bytes-like object is required, not '%.100s'", Py_TYPE(op)->tp_name);
        return -1;
    }
    return Py_TYPE(op)->tp_as_buffer->bf_getbuffer(op, view, flags);
}

void PyBuffer_Release(Py_buffer *view)
{
    PyObject *op = view->obj;
    if (op == NULL)
        return;
    PyBufferProcs *m = Py_TYPE(op)->tp_as_buffer;
    if (m != NULL && m->bf_releasebuffer != NULL)
        m->bf_releasebuffer(op, view);
    view->obj = NULL;
    Py_DECREF(op);
}

int PyBuffer_FillInfo(Py_buffer *view, PyObject *op, void *buf, Py_ssize_t len, int readonly, int flags)
{
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
        return -1;
    }
    if ((flags & PyBUF_WRITABLE) && readonly) {
        PyErr_SetString(PyExc_BufferError, "Object is not writable.");
        return -1;
    }
    view->obj = Py_XNewRef(op);
    view->buf = buf;
    view->len = len;
    view->readonly = readonly;
    view->itemsize = 1;
    view->format = (flags & PyBUF_FORMAT) ? "B" : NULL;
    view->ndim = 1;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &view->len : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

/* ---- Contiguity ---- */

/* Do the strides run through memory without gaps, from the last dimension to the first (C) or the other way? */
static int is_contiguous_in(const Py_buffer *view, int fortran)
{
    if (view->len == 0)
        return 1;
    if (view->strides == NULL) {
        if (!fortran || view->ndim <= 1)
            return 1;
        /* a C array is a Fortran one too if at most one dimension is longer than 1 */
        int wide = 0;
        for (int i = 0; i < view->ndim; i++)
            wide += view->shape != NULL && view->shape[i] > 1;
        return wide <= 1;
    }
    Py_ssize_t expected = view->itemsize;
    for (int k = 0; k < view->ndim; k++) {
        int i = fortran ? k : view->ndim - 1 - k;
        if (view->shape[i] > 1 && view->strides[i] != expected)
            return 0;
        expected *= view->shape[i];
    }
    return 1;
}

int PyBuffer_IsContiguous(const Py_buffer *view, char order)
{
    if (view->suboffsets != NULL)
        return 0;
    switch (order) {
    case 'C':
        return is_contiguous_in(view, 0);
    case 'F':
        return is_contiguous_in(view, 1);
    case 'A':
        return is_contiguous_in(view, 0) || is_contiguous_in(view, 1);
    default:
        return 0;
    }
}

void PyBuffer_FillContiguousStrides(int ndim, Py_ssize_t *shape, Py_ssize_t *strides, int itemsize, char order)
{
    Py_ssize_t stride = itemsize;
    for (int k = 0; k < ndim; k++) {
        int i = order == 'F' ? k : ndim - 1 - k;
        strides[i] = stride;
        stride *= shape[i];
    }
}

void *PyBuffer_GetPointer(const Py_buffer *view, const Py_ssize_t *indices)
{
    char *p = view->buf;
    for (int i = 0; i < view->ndim; i++) {
        p += view->strides[i] * indices[i];
        if (view->suboffsets != NULL && view->suboffsets[i] >= 0)
            p = *(char **)p + view->suboffsets[i];
    }
    return p;
}

Py_ssize_t PyBuffer_SizeFromFormat(const char *format)
{
    PyObject *module = PyImport_ImportModule("struct"), *size = NULL;
    Py_ssize_t n = -1;
    if (module == NULL)
        return -1;
    size = PyObject_CallMethod(module, "calcsize", "s", format);
    if (size != NULL)
        n = PyLong_AsSsize_t(size);
    Py_XDECREF(size);
    Py_DECREF(module);
    return n;
}

/* ---- Copies ---- */

/* Moves index to the next element, in C or Fortran order. */
static void next_index(int ndim, Py_ssize_t *index, const Py_ssize_t *shape, int fortran)
{
    for (int k = 0; k < ndim; k++) {
        int i = fortran ? k : ndim - 1 - k;
        if (++index[i] < shape[i])
            return;
        index[i] = 0;
    }
}

/* Copies up to len bytes between view and flat memory that is in the given order. */
static int copy_elements(const Py_buffer *view, char *flat, Py_ssize_t len, char order, int to_view)
{
    if (len > view->len)
        len = view->len;
    if (PyBuffer_IsContiguous(view, order)) {
        if (to_view)
            memcpy(view->buf, flat, (size_t)len);
        else
            memcpy(flat, view->buf, (size_t)len);
        return 0;
    }
    int ndim = view->ndim;
    Py_ssize_t *index = PyMem_Calloc((size_t)ndim * 2, sizeof(Py_ssize_t));
    if (index == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    /* strides may be missing: then the memory is in C order */
    Py_buffer local = *view;
    if (local.strides == NULL) {
        local.strides = index + ndim;
        PyBuffer_FillContiguousStrides(ndim, local.shape, local.strides, (int)local.itemsize, 'C');
    }
    for (Py_ssize_t n = len / view->itemsize; n > 0; n--) {
        char *p = PyBuffer_GetPointer(&local, index);
        if (to_view)
            memcpy(p, flat, (size_t)view->itemsize);
        else
            memcpy(flat, p, (size_t)view->itemsize);
        flat += view->itemsize;
        next_index(ndim, index, view->shape, order == 'F');
    }
    PyMem_Free(index);
    return 0;
}

/* 'A' stands for Fortran order if that is how the memory lies, else C. */
static char resolve_order(const Py_buffer *view, char order)
{
    if (order != 'A')
        return order;
    return view->suboffsets == NULL && is_contiguous_in(view, 1) && !is_contiguous_in(view, 0) ? 'F' : 'C';
}

int PyBuffer_FromContiguous(const Py_buffer *view, const void *buf, Py_ssize_t len, char order)
{
    return copy_elements(view, (char *)buf, len, resolve_order(view, order), 1);
}

int PyBuffer_ToContiguous(void *buf, const Py_buffer *view, Py_ssize_t len, char order)
{
    if (len != view->len) {
        PyErr_SetString(PyExc_ValueError, "PyBuffer_ToContiguous: len != view->len");
        return -1;
    }
    return copy_elements(view, buf, len, resolve_order(view, order), 0);
}

int PyObject_CopyData(PyObject *dest, PyObject *src)
{
    if (!PyObject_CheckBuffer(dest) || !PyObject_CheckBuffer(src)) {
        PyErr_SetString(PyExc_TypeError, "both destination and source must be bytes-like objects");
        return -1;
    }
    Py_buffer to, from;
    if (PyObject_GetBuffer(dest, &to, PyBUF_FULL) < 0)
        return -1;
    if (PyObject_GetBuffer(src, &from, PyBUF_FULL_RO) < 0) {
        PyBuffer_Release(&to);
        return -1;
    }
    int result = -1;
    char *flat = NULL;
    if (to.len < from.len)
        PyErr_SetString(PyExc_BufferError, "destination is too small to receive data from source");
    else if ((flat = PyMem_Malloc((size_t)from.len + 1)) == NULL)
        PyErr_NoMemory();
    else if (PyBuffer_ToContiguous(flat, &from, from.len, 'C') == 0)
        result = PyBuffer_FromContiguous(&to, flat, from.len, 'C');
    PyMem_Free(flat);
    PyBuffer_Release(&to);
    PyBuffer_Release(&from);
    return result;
}

/* ---- The interface of Python 2 ---- */

/* The memory is only as safe as the caller's reference to op. */
static int old_buffer(PyObject *op, void **buffer, Py_ssize_t *len, int flags, const char *message)
{
    if (op == NULL || buffer == NULL || len == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_buffer view;
    if (!PyObject_CheckBuffer(op) || PyObject_GetBuffer(op, &view, flags) < 0) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    *buffer = view.buf;
    *len = view.len;
    PyBuffer_Release(&view);
    return 0;
}

int PyObject_CheckReadBuffer(PyObject *op)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(op))
        return 0;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return 0;
    }
    PyBuffer_Release(&view);
    return 1;
}

int PyObject_AsReadBuffer(PyObject *op, const void **buffer, Py_ssize_t *len)
{
    return old_buffer(op, (void **)buffer, len, PyBUF_SIMPLE, "expected an object with a buffer interface");
}

int PyObject_AsCharBuffer(PyObject *op, const char **buffer, Py_ssize_t *len)
{
    return old_buffer(op, (void **)buffer, len, PyBUF_SIMPLE, "expected an object with a buffer interface");
}

int PyObject_AsWriteBuffer(PyObject *op, void **buffer, Py_ssize_t *len)
{
    return old_buffer(op, buffer, len, PyBUF_WRITABLE, "expected a writable bytes-like object");
}
