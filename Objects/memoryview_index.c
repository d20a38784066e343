/* Indexing of memoryviews: items, slices, assignment, tolist. */
#include "memoryview.h"

static PyMemoryViewObject *as_view(PyObject *op)
{
    return (PyMemoryViewObject *)op;
}

static char *follow(char *p, const Py_buffer *view, int dim)
{
    if (view->suboffsets != NULL && view->suboffsets[dim] >= 0)
        return *(char **)p + view->suboffsets[dim];
    return p;
}

/* Moves p by an index in one dimension; NULL with IndexError. */
static char *step_to(char *p, const Py_buffer *view, int dim, Py_ssize_t index)
{
    Py_ssize_t n = view->shape[dim];
    if (index < 0)
        index += n;
    if (index < 0 || index >= n) {
        PyErr_Format(PyExc_IndexError, "index out of bounds on dimension %d", dim + 1);
        return NULL;
    }
    return follow(p + view->strides[dim] * index, view, dim);
}

static PyObject *load(PyMemoryViewObject *self, const char *item, char format)
{
    PyObject *result = NULL;
    int released;
    LEAF_SECTION_BEGIN(self);
    released = memoryview_is_released(self);
    if (!released)
        result = memoryview_unpack(item, format);
    LEAF_SECTION_END();
    if (released)
        memoryview_released_error();
    return result;
}

static int store(PyMemoryViewObject *self, char *item, PyObject *value, char format)
{
    char buffer[16];
    int released;
    if (memoryview_pack(buffer, value, format) < 0)
        return -1;
    LEAF_SECTION_BEGIN(self);
    released = memoryview_is_released(self);
    if (!released)
        memcpy(item, buffer, (size_t)memoryview_native_size(format));
    LEAF_SECTION_END();
    return released ? memoryview_released_error() : 0;
}

/* A released view must say so before its description is looked at. */
static int check(PyMemoryViewObject *self)
{
    return memoryview_is_released(self) ? memoryview_released_error() : 0;
}

PyObject *memoryview_item(PyObject *op, Py_ssize_t index)
{
    PyMemoryViewObject *self = as_view(op);
    const Py_buffer *view = &self->view;
    if (check(self) < 0)
        return NULL;
    char format = memoryview_item_format(view);
    if (format == 0)
        return NULL;
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (view->ndim > 1) {
        PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    /* the suboffset is followed in the released memory of a racing thread at worst if there is one: keep the view */
    if (view->suboffsets == NULL) {
        char *item = step_to(view->buf, view, 0, index);
        return item == NULL ? NULL : load(self, item, format);
    }
    if (memoryview_acquire(self) < 0)
        return NULL;
    char *item = step_to(view->buf, view, 0, index);
    PyObject *result = item == NULL ? NULL : memoryview_unpack(item, format);
    memoryview_drop(self);
    return result;
}

/* ---- Tuples as keys ---- */

static int all_items(PyObject *key, int (*test)(PyObject *))
{
    if (!PyTuple_Check(key))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++)
        if (!test(PyTuple_GET_ITEM(key, i)))
            return 0;
    return 1;
}

static int is_slice(PyObject *op)
{
    return PySlice_Check(op);
}

static int is_multiindex(PyObject *key)
{
    return all_items(key, PyIndex_Check);
}

static int is_multislice(PyObject *key)
{
    return PyTuple_Check(key) && PyTuple_GET_SIZE(key) > 0 && all_items(key, is_slice);
}

/* The indices of a tuple, one for each dimension of view. Converting them may release the view. */
static int indices_of_tuple(const Py_buffer *view, PyObject *key, Py_ssize_t *indices)
{
    Py_ssize_t n = PyTuple_GET_SIZE(key);
    if (n > view->ndim) {
        PyErr_Format(PyExc_TypeError, "cannot index %zd-dimension view with %zd-element tuple", (Py_ssize_t)view->ndim,
                     n);
        return -1;
    }
    if (n < view->ndim) {
        PyErr_SetString(PyExc_NotImplementedError, "sub-views are not implemented");
        return -1;
    }
    for (Py_ssize_t dim = 0; dim < n; dim++) {
        indices[dim] = PyNumber_AsSsize_t(PyTuple_GET_ITEM(key, dim), PyExc_IndexError);
        if (indices[dim] == -1 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* The item at the indices; self is acquired. */
static char *item_at(const Py_buffer *view, const Py_ssize_t *indices)
{
    char *p = view->buf;
    for (int dim = 0; dim < view->ndim && p != NULL; dim++)
        p = step_to(p, view, dim, indices[dim]);
    return p;
}

static PyObject *load_at_tuple(PyMemoryViewObject *self, PyObject *key)
{
    Py_ssize_t indices[PyBUF_MAX_NDIM];
    char format = memoryview_item_format(&self->view);
    if (format == 0 || indices_of_tuple(&self->view, key, indices) < 0 || memoryview_acquire(self) < 0)
        return NULL;
    char *item = item_at(&self->view, indices);
    PyObject *result = item == NULL ? NULL : memoryview_unpack(item, format);
    memoryview_drop(self);
    return result;
}

static int store_at_tuple(PyMemoryViewObject *self, PyObject *key, PyObject *value)
{
    Py_ssize_t indices[PyBUF_MAX_NDIM];
    char format = memoryview_item_format(&self->view);
    if (format == 0 || indices_of_tuple(&self->view, key, indices) < 0 || memoryview_acquire(self) < 0)
        return -1;
    char *item = item_at(&self->view, indices);
    memoryview_drop(self);
    return item == NULL ? -1 : store(self, item, value, format);
}

/* ---- Slices ---- */

/* Narrows the first dimension of view to the unpacked slice. */
static void narrow(Py_buffer *view, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    Py_ssize_t n = PySlice_AdjustIndices(view->shape[0], &start, &stop, step);
    /* A suboffset of this dimension is added to the pointer that is found there, so it stays. */
    view->buf = (char *)view->buf + view->strides[0] * start;
    view->shape[0] = n;
    view->strides[0] *= step;
    view->len = view->itemsize;
    for (int i = 0; i < view->ndim; i++)
        view->len *= view->shape[i];
}

/* Unpacking runs no code. */
static int is_plain_slice(const PySliceObject *slice)
{
    PyObject *const bounds[] = {slice->start, slice->stop, slice->step};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(bounds); i++)
        if (bounds[i] != Py_None && !PyLong_CheckExact(bounds[i]))
            return 0;
    return 1;
}

static PyObject *slice_view(PyMemoryViewObject *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    PyMemoryViewObject *result = NULL;
    PyObject *held = NULL;
    if (!is_plain_slice((PySliceObject *)slice)) {
        /* __index__() may release self: it does not matter then. What gc.get_objects() may show is not changed any more. */
        held = PyMemoryView_FromObject((PyObject *)self);
        if (held == NULL)
            return NULL;
        self = as_view(held);
    }
    if (PySlice_Unpack(slice, &start, &stop, &step) == 0 && memoryview_acquire(self) == 0) {
        result = memoryview_derive(self, &self->view, self->view.ndim);
        if (result != NULL) {
            narrow(&result->view, start, stop, step);
            memoryview_init_flags(result);
        }
        memoryview_drop(self);
    }
    Py_XDECREF(held);
    return (PyObject *)result;
}

PyObject *memoryview_subscript(PyObject *op, PyObject *key)
{
    PyMemoryViewObject *self = as_view(op);
    if (check(self) < 0)
        return NULL;
    if (self->view.ndim == 0) {
        if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)
            return load_at_tuple(self, key);
        if (key == Py_Ellipsis)
            return Py_NewRef(op);
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred())
            return NULL;
        return memoryview_item(op, index);
    }
    if (PySlice_Check(key))
        return slice_view(self, key);
    if (is_multiindex(key))
        return load_at_tuple(self, key);
    if (is_multislice(key))
        PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional slicing is not implemented");
    else
        PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return NULL;
}

/* ---- Slice assignment ---- */

static int same_structure(const Py_buffer *dest, const Py_buffer *src, Py_ssize_t src_items)
{
    const char *a = dest->format, *b = src->format == NULL ? "B" : src->format;
    a += a[0] == '@';
    b += b[0] == '@';
    if (strcmp(a, b) == 0 && dest->itemsize == src->itemsize && src->ndim == 1 && dest->shape[0] == src_items)
        return 1;
    PyErr_SetString(PyExc_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
    return 0;
}

/* Copies n items; the memory may overlap. */
static int copy_items(const Py_buffer *dest, const Py_buffer *src, Py_ssize_t n)
{
    size_t itemsize = (size_t)dest->itemsize;
    Py_ssize_t src_stride = src->shape != NULL && src->strides != NULL ? src->strides[0] : src->itemsize;
    Py_buffer from = *src;
    from.strides = &src_stride;
    if (n == 0)
        return 0;
    if (dest->suboffsets == NULL && src->suboffsets == NULL && dest->strides[0] == dest->itemsize
        && src_stride == src->itemsize) {
        memmove(dest->buf, src->buf, (size_t)n * itemsize);
        return 0;
    }
    char *temporary = PyMem_Malloc((size_t)n * itemsize);
    if (temporary == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        memcpy(temporary + (size_t)i * itemsize, follow((char *)from.buf + i * src_stride, &from, 0), itemsize);
    for (Py_ssize_t i = 0; i < n; i++)
        memcpy(follow((char *)dest->buf + i * dest->strides[0], dest, 0), temporary + (size_t)i * itemsize, itemsize);
    PyMem_Free(temporary);
    return 0;
}

static int assign_slice(PyMemoryViewObject *self, PyObject *slice, PyObject *value)
{
    Py_buffer src;
    Py_ssize_t shape, stride, start, stop, step;
    int result = -1;
    if (PyObject_GetBuffer(value, &src, PyBUF_FULL_RO) < 0)
        return -1;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0 || memoryview_acquire(self) < 0)
        goto done;
    Py_buffer dest = self->view;
    shape = dest.shape[0];
    stride = dest.strides[0];
    dest.shape = &shape;
    dest.strides = &stride;
    narrow(&dest, start, stop, step);
    Py_ssize_t items = src.shape != NULL ? (src.ndim > 0 ? src.shape[0] : 1) : src.len / src.itemsize;
    if (same_structure(&dest, &src, items))
        result = copy_items(&dest, &src, items);
    memoryview_drop(self);
done:
    PyBuffer_Release(&src);
    return result;
}

int memoryview_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    PyMemoryViewObject *self = as_view(op);
    const Py_buffer *view = &self->view;
    if (check(self) < 0)
        return -1;
    char format = memoryview_item_format(view);
    if (format == 0)
        return -1;
    if (view->readonly || value == NULL) {
        PyErr_SetString(PyExc_TypeError, view->readonly ? "cannot modify read-only memory" : "cannot delete memory");
        return -1;
    }
    if (view->ndim == 0) {
        if (key == Py_Ellipsis || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0))
            return store(self, view->buf, value, format);
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return -1;
    }
    if (PyIndex_Check(key)) {
        if (view->ndim > 1) {
            PyErr_SetString(PyExc_NotImplementedError, "sub-views are not implemented");
            return -1;
        }
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred())
            return -1;
        if (view->suboffsets == NULL) {
            char *item = step_to(view->buf, view, 0, index);
            return item == NULL ? -1 : store(self, item, value, format);
        }
        if (memoryview_acquire(self) < 0)
            return -1;
        char *item = step_to(view->buf, view, 0, index);
        memoryview_drop(self);
        return item == NULL ? -1 : store(self, item, value, format);
    }
    if (PySlice_Check(key) && view->ndim == 1)
        return assign_slice(self, key, value);
    if (is_multiindex(key))
        return store_at_tuple(self, key, value);
    if (PySlice_Check(key) || is_multislice(key))
        PyErr_SetString(PyExc_NotImplementedError,
                        "memoryview slice assignments are currently restricted to ndim = 1");
    else
        PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return -1;
}

/* ---- tolist ---- */

static PyObject *list_of(const Py_buffer *view, char *p, int dim, char format)
{
    if (dim == view->ndim)
        return memoryview_unpack(p, format);
    Py_ssize_t n = view->shape[dim];
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyObject *item = list_of(view, follow(p + i * view->strides[dim], view, dim), dim + 1, format);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

PyObject *memoryview_tolist(PyObject *op, PyObject *unused)
{
    PyMemoryViewObject *self = as_view(op);
    if (memoryview_acquire(self) < 0)
        return NULL;
    char format = memoryview_item_format(&self->view);
    PyObject *result = format == 0 ? NULL : list_of(&self->view, self->view.buf, 0, format);
    memoryview_drop(self);
    return result;
}
