/* _testbuffer.ndarray: an exporter of every kind of buffer that the protocol knows, for tests.
 *
 * An array is a stack of buffers. Each is either made from Python objects or taken from another exporter. The top one is
 * what the array shows and exports; one below it goes away with its last export.
 *
 * Threads: the stack, the counts in its buffers and the suboffsets of a buffer are under the array's critical section.
 * Whoever reads a buffer pins it and copies its Py_buffer while it holds that lock; the arrays that a Py_buffer points to
 * do not change. The items themselves are as unprotected as those of any writable buffer. */
#include "testbuffer.h"

#include <string.h>

typedef struct Buffer {
    struct Buffer *below;   /* [lock] */
    Py_ssize_t exports;     /* [lock] */
    Py_ssize_t pins;        /* [lock] the stack's own, one per export, one per reader */
    int flags;              /* [lock] */
    Py_ssize_t offset;      /* [const] of the first item in the items, -1 where they belong to another exporter */
    char *items;            /* [const] or NULL */
    char *table;            /* [const] the pointers to the rows, or NULL */
    char *format;           /* [const] own copy, or NULL */
    Py_ssize_t *arrays;     /* [const] shape, strides and suboffsets, or NULL where they are the exporter's */
    Py_buffer view;         /* [const], but for the suboffsets */
    Py_buffer below_view;   /* [const] what was taken from the exporter; its obj is NULL if nothing was */
    int redirected;         /* [const] the exporter below was asked for a view, whoever answered */
} Buffer;

typedef struct {
    PyObject_HEAD
    int flags;              /* [const] */
    Buffer *top;            /* [lock] never NULL once the array is made */
} NDArray;

/* What the constructor and push are given. */
typedef struct {
    PyObject *items, *shape, *strides;
    Py_ssize_t offset;
    const char *format;
    int flags, getbuf;
} Request;

enum { GETBUF_NOT_GIVEN = 0x10000 };

/* Making and freeing buffers */

static void buffer_free(Buffer *buffer)
{
    if (buffer->redirected)
        PyBuffer_Release(&buffer->below_view);
    PyMem_Free(buffer->items);
    PyMem_Free(buffer->table);
    PyMem_Free(buffer->format);
    PyMem_Free(buffer->arrays);
    PyMem_Free(buffer);
}

static Buffer *buffer_alloc(void)
{
    Buffer *buffer = PyMem_Calloc(1, sizeof *buffer);
    if (buffer == NULL)
        PyErr_NoMemory();
    else
        buffer->pins = 1;
    return buffer;
}

/* Gives the buffer arrays of its own for the given number of dimensions, room for suboffsets included. */
static int own_arrays(Buffer *buffer, int ndim)
{
    buffer->arrays = PyMem_Calloc(3 * (size_t)ndim + 1, sizeof(Py_ssize_t));
    if (buffer->arrays == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    buffer->view.ndim = ndim;
    buffer->view.shape = ndim > 0 ? buffer->arrays : NULL;
    buffer->view.strides = ndim > 0 ? buffer->arrays + ndim : NULL;
    return 0;
}

/* Brings the flags that report facts up to date. */
static void set_fact_flags(Buffer *buffer)
{
    buffer->flags &= ~(ND_C | ND_FORTRAN | ND_SCALAR | ND_PIL);
    if (buffer->view.ndim == 0)
        buffer->flags |= ND_SCALAR;
    if (buffer->view.suboffsets != NULL)
        buffer->flags |= ND_PIL;
    if (PyBuffer_IsContiguous(&buffer->view, 'C'))
        buffer->flags |= ND_C;
    if (PyBuffer_IsContiguous(&buffer->view, 'F'))
        buffer->flags |= ND_FORTRAN;
}

static int sizes_from_sequence(PyObject *sequence, const char *name, int is_shape, Py_ssize_t *sizes, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (item == NULL)
            return -1;
        if (!PyLong_Check(item)) {
            PyErr_Format(PyExc_ValueError, "elements of %s must be integers", name);
            Py_DECREF(item);
            return -1;
        }
        sizes[i] = PyLong_AsSsize_t(item);
        Py_DECREF(item);
        if (sizes[i] == -1 && PyErr_Occurred())
            return -1;
        if (is_shape && sizes[i] < 0) {
            PyErr_SetString(PyExc_ValueError, "elements of shape must be integers >= 0");
            return -1;
        }
    }
    return 0;
}

/* The length of a list or tuple of sizes, or -1 with an exception. */
static Py_ssize_t sequence_ndim(PyObject *sequence, const char *name)
{
    if (!PyList_Check(sequence) && !PyTuple_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "%s must be a list or a tuple", name);
        return -1;
    }
    Py_ssize_t ndim = PySequence_Size(sequence);
    if (ndim > ND_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "ndim must not exceed %d", ND_MAX_NDIM);
        return -1;
    }
    return ndim;
}

/* Sets shape and strides and, from them, the length. */
static int set_structure(Buffer *buffer, const Request *request)
{
    Py_ssize_t ndim = sequence_ndim(request->shape, "shape");
    if (ndim < 0 || own_arrays(buffer, (int)ndim) < 0)
        return -1;
    Py_buffer *view = &buffer->view;
    Py_ssize_t *shape = buffer->arrays, *strides = buffer->arrays + ndim;
    if (sizes_from_sequence(request->shape, "shape", 1, shape, ndim) < 0)
        return -1;
    Py_ssize_t length = view->itemsize;
    for (Py_ssize_t i = 0; i < ndim; i++) {
        if (__builtin_mul_overflow(length, shape[i], &length)) {
            PyErr_SetString(PyExc_ValueError, "shape is too large");
            return -1;
        }
    }
    view->len = length;
    if (request->strides != NULL && request->strides != Py_None) {
        Py_ssize_t count = sequence_ndim(request->strides, "strides");
        if (count < 0)
            return -1;
        if (count > 0) {
            if (request->flags & ND_FORTRAN) {
                PyErr_SetString(PyExc_TypeError, "ND_FORTRAN cannot be used together with strides");
                return -1;
            }
            if (count != ndim) {
                PyErr_SetString(PyExc_ValueError, "len(shape) != len(strides)");
                return -1;
            }
            return sizes_from_sequence(request->strides, "strides", 0, strides, ndim);
        }
    }
    PyBuffer_FillContiguousStrides((int)ndim, shape, strides, (int)view->itemsize,
                                   request->flags & ND_FORTRAN ? 'F' : 'C');
    return 0;
}

/* Do all items lie within the memory? */
static int check_structure(const Py_buffer *view, Py_ssize_t offset, Py_ssize_t memory)
{
    Py_ssize_t end;
    if (offset < 0 || __builtin_add_overflow(offset, view->itemsize, &end) || end > memory) {
        PyErr_SetString(PyExc_ValueError, "offset out of bounds");
        return -1;
    }
    if (offset % view->itemsize != 0) {
        PyErr_SetString(PyExc_ValueError, "offset must be a multiple of itemsize");
        return -1;
    }
    Py_ssize_t lowest = offset, highest = end;
    int empty = 0, overflow = 0;
    for (int i = 0; i < view->ndim; i++) {
        if (view->strides[i] % view->itemsize != 0) {
            PyErr_SetString(PyExc_ValueError, "strides must be a multiple of itemsize");
            return -1;
        }
        if (view->shape[i] == 0) {
            empty = 1;
            continue;
        }
        Py_ssize_t span;
        Py_ssize_t *bound = view->strides[i] < 0 ? &lowest : &highest;
        overflow |= __builtin_mul_overflow(view->strides[i], view->shape[i] - 1, &span);
        overflow |= __builtin_add_overflow(*bound, span, bound);
    }
    if (!empty && (overflow || lowest < 0 || highest > memory)) {
        PyErr_SetString(PyExc_ValueError, "invalid combination of buffer, shape and strides");
        return -1;
    }
    return 0;
}

/* Packs all items into memory of their own. Returns its size, or -1. */
static Py_ssize_t pack_items(Buffer *buffer, const Request *request)
{
    Py_ssize_t itemsize = buffer->view.itemsize, count = 1;
    PyObject *items = NULL, *pack = NULL;
    Py_ssize_t members = -1, size = -1;
    if (buffer->view.ndim > 0) {
        if (!PyList_Check(request->items) && !PyTuple_Check(request->items)) {
            PyErr_SetString(PyExc_TypeError, "items must be a list or a tuple");
            return -1;
        }
        /* A copy: packing runs Python, which may change the list. */
        items = PySequence_Tuple(request->items);
        if (items == NULL)
            return -1;
        count = PyTuple_GET_SIZE(items);
        if (count == 0) {
            PyErr_SetString(PyExc_ValueError, "initializer list or tuple must not be empty");
            goto done;
        }
    }
    if (count > PY_SSIZE_T_MAX / itemsize || (buffer->items = PyMem_Malloc((size_t)(count * itemsize))) == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    members = testbuffer_format_members(buffer->format, itemsize);
    pack = members >= 0 ? testbuffer_struct_function("pack") : NULL;
    if (pack == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = items != NULL ? PyTuple_GET_ITEM(items, i) : request->items;
        if (testbuffer_pack_item(pack, buffer->format, members, item, buffer->items + i * itemsize, itemsize) < 0)
            goto done;
    }
    size = count * itemsize;
done:
    Py_XDECREF(items);
    Py_XDECREF(pack);
    return size;
}

/* Puts a table of pointers to the rows in front: the first dimension then steps through the table. */
static int add_row_table(Buffer *buffer)
{
    Py_buffer *view = &buffer->view;
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "ndim = 0 cannot be used in conjunction with ND_PIL");
        return -1;
    }
    Py_ssize_t rows = view->shape[0], stride = view->strides[0], reach = 0;
    if (rows >= PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(char *) ||
        (buffer->table = PyMem_Calloc((size_t)rows + 1, sizeof(char *))) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    /* Pointers lead to the lowest address of a row; the suboffset goes from there to its first item. */
    for (int i = 1; i < view->ndim && view->shape[i] != 0; i++)
        if (view->strides[i] < 0)
            reach -= view->strides[i] * (view->shape[i] - 1);
    char **table = (char **)buffer->table;
    for (Py_ssize_t i = 0; i < rows && view->len > 0; i++)
        table[stride < 0 ? rows - 1 - i : i] = (char *)view->buf + i * stride - reach;
    view->buf = stride < 0 && rows > 0 ? table + rows - 1 : table;
    view->strides[0] = stride < 0 ? -(Py_ssize_t)sizeof(char *) : (Py_ssize_t)sizeof(char *);
    view->suboffsets = buffer->arrays + 2 * view->ndim;
    view->suboffsets[0] = reach;
    for (int i = 1; i < view->ndim; i++)
        view->suboffsets[i] = -1;
    return 0;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy == NULL)
        PyErr_NoMemory();
    else
        memcpy(copy, text, size);
    return copy;
}

/* A buffer made from Python objects. */
static Buffer *buffer_from_items(const Request *request)
{
    Buffer *buffer = buffer_alloc();
    if (buffer == NULL)
        return NULL;
    Py_buffer *view = &buffer->view;
    Py_ssize_t memory;
    buffer->flags = request->flags;
    buffer->offset = request->offset;
    if ((buffer->format = copy_text(request->format != NULL ? request->format : "B")) == NULL)
        goto failed;
    view->format = buffer->format;
    view->readonly = !(request->flags & ND_WRITABLE);
    view->itemsize = testbuffer_format_size(buffer->format);
    if (view->itemsize <= 0 || view->itemsize > INT_MAX) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, view->itemsize == 0 ? "itemsize must not be zero" : "itemsize is too large");
        goto failed;
    }
    if (set_structure(buffer, request) < 0 || (memory = pack_items(buffer, request)) < 0 ||
        check_structure(view, request->offset, memory) < 0)
        goto failed;
    view->buf = buffer->items + request->offset;
    if ((request->flags & ND_PIL) && add_row_table(buffer) < 0)
        goto failed;
    set_fact_flags(buffer);
    return buffer;
failed:
    buffer_free(buffer);
    return NULL;
}

/* A buffer taken from another exporter. */
static Buffer *buffer_from_exporter(PyObject *exporter, int flags, int getbuf)
{
    Buffer *buffer = buffer_alloc();
    if (buffer == NULL)
        return NULL;
    buffer->offset = -1;
    buffer->flags = flags;
    if (PyObject_GetBuffer(exporter, &buffer->below_view, getbuf) < 0) {
        buffer_free(buffer);
        return NULL;
    }
    buffer->redirected = 1;
    buffer->view = buffer->below_view;
    set_fact_flags(buffer);
    return buffer;
}

/* Arrays */

static int is_consumer(const Buffer *buffer) { return buffer->redirected; }

/* The top buffer, kept alive until it is unpinned, and its view as it is now. */
static Buffer *pin(NDArray *self, Py_buffer *view)
{
    Buffer *buffer;
    Py_BEGIN_CRITICAL_SECTION(self);
    buffer = self->top;
    buffer->pins++;
    *view = buffer->view;
    Py_END_CRITICAL_SECTION();
    return buffer;
}

static void unpin(NDArray *self, Buffer *buffer)
{
    int last;
    Py_BEGIN_CRITICAL_SECTION(self);
    last = --buffer->pins == 0;
    Py_END_CRITICAL_SECTION();
    if (last)
        buffer_free(buffer);
}

static NDArray *array_with(Buffer *buffer, int flags)
{
    if (buffer == NULL)
        return NULL;
    NDArray *self = PyObject_New(NDArray, &testbuffer_ndarray_type);
    if (self == NULL) {
        buffer_free(buffer);
        return NULL;
    }
    self->flags = flags;
    self->top = buffer;
    return self;
}

static PyObject *ndarray_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"obj", "shape", "strides", "offset", "format", "flags", "getbuf", NULL};
    Request r = {.getbuf = GETBUF_NOT_GIVEN};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOnsii", names, &r.items, &r.shape, &r.strides, &r.offset,
                                     &r.format, &r.flags, &r.getbuf))
        return NULL;
    if (PyObject_CheckBuffer(r.items) && r.shape == NULL) {
        int allowed = ND_REDIRECT | ND_GETBUF_FAIL | ND_GETBUF_UNDEFINED;
        if (r.strides != NULL || r.offset != 0 || r.format != NULL || (r.flags & ~allowed)) {
            PyErr_SetString(PyExc_TypeError, "construction from exporter object only takes 'obj', 'getbuf' and 'flags' "
                                             "arguments");
            return NULL;
        }
        int getbuf = r.getbuf == GETBUF_NOT_GIVEN ? PyBUF_FULL_RO : r.getbuf;
        return (PyObject *)array_with(buffer_from_exporter(r.items, r.flags, getbuf), r.flags);
    }
    if (r.getbuf != GETBUF_NOT_GIVEN) {
        PyErr_SetString(PyExc_TypeError, "getbuf argument only valid for construction from exporter object");
        return NULL;
    }
    if (r.shape == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "shape is a required argument when constructing from list, tuple or scalar");
        return NULL;
    }
    int flags = r.flags;
    r.flags &= ~ND_VAREXPORT;
    return (PyObject *)array_with(buffer_from_items(&r), flags);
}

static void ndarray_dealloc(PyObject *op)
{
    NDArray *self = (NDArray *)op;
    for (Buffer *buffer = self->top; buffer != NULL;) {
        Buffer *below = buffer->below;
        if (--buffer->pins == 0)
            buffer_free(buffer);
        buffer = below;
    }
    PyObject_Free(self);
}

static PyObject *ndarray_push(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"items", "shape", "strides", "offset", "format", "flags", NULL};
    NDArray *self = (NDArray *)op;
    Request r = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Onsi", names, &r.items, &r.shape, &r.strides, &r.offset,
                                     &r.format, &r.flags))
        return NULL;
    if (r.flags & ND_VAREXPORT) {
        PyErr_SetString(PyExc_ValueError, "ND_VAREXPORT flag can only be used during object creation");
        return NULL;
    }
    Py_buffer view;
    Buffer *top = pin(self, &view);
    int consumer = is_consumer(top);
    unpin(self, top);
    if (consumer) {
        PyErr_SetString(PyExc_BufferError, "structure of re-exporting object is immutable");
        return NULL;
    }
    Buffer *buffer = buffer_from_items(&r);
    if (buffer == NULL)
        return NULL;
    int allowed;
    Py_BEGIN_CRITICAL_SECTION(self);
    allowed = (self->flags & ND_VAREXPORT) || self->top->exports == 0;
    if (allowed) {
        buffer->below = self->top;
        self->top = buffer;
    }
    Py_END_CRITICAL_SECTION();
    if (!allowed) {
        buffer_free(buffer);
        PyErr_SetString(PyExc_BufferError, "cannot change structure");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *ndarray_pop(PyObject *op, PyObject *ignored)
{
    NDArray *self = (NDArray *)op;
    Buffer *gone = NULL;
    const char *refused = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    Buffer *top = self->top;
    if (is_consumer(top))
        refused = "structure of re-exporting object is immutable";
    else if (top->exports > 0)
        refused = "cannot change structure";
    else if (top->below == NULL)
        refused = "list only has a single base";
    else {
        self->top = top->below;
        top->below = NULL;
        if (--top->pins == 0)
            gone = top;
    }
    Py_END_CRITICAL_SECTION();
    if (gone != NULL)
        buffer_free(gone);
    if (refused != NULL) {
        PyErr_SetString(PyExc_BufferError, refused);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* The buffer protocol */

/* Leaves in a complete view what was asked for. Returns NULL, or why that cannot be. */
static const char *narrow_view(Py_buffer *view, int contiguity, int flags)
{
#define ASKS(flag) ((flags & (flag)) == (flag))
    if (ASKS(PyBUF_WRITABLE) && view->readonly)
        return "ndarray is not writable";
    if (ASKS(PyBUF_FORMAT) && (view->format == NULL || !ASKS(PyBUF_ND)))
        return view->format == NULL ? "ndarray has no format" : "ndarray: cannot cast to unsigned bytes if the format "
                                                                "flag is present";
    if (ASKS(PyBUF_ND) && view->ndim > 0 && view->shape == NULL)
        return "ndarray has no shape";
    if (ASKS(PyBUF_STRIDES) && view->ndim > 0 && view->strides == NULL)
        return "ndarray has no strides";
    if (ASKS(PyBUF_C_CONTIGUOUS) && !(contiguity & ND_C))
        return "ndarray is not C-contiguous";
    if (ASKS(PyBUF_F_CONTIGUOUS) && !(contiguity & ND_FORTRAN))
        return "ndarray is not Fortran contiguous";
    if (ASKS(PyBUF_ANY_CONTIGUOUS) && !(contiguity & (ND_C | ND_FORTRAN)))
        return "ndarray is not contiguous";
    if (!ASKS(PyBUF_INDIRECT) && view->suboffsets != NULL)
        return "ndarray cannot be represented without suboffsets";
    if (!ASKS(PyBUF_STRIDES) && !(contiguity & ND_C))
        return "ndarray is not C-contiguous";
    if (!ASKS(PyBUF_FORMAT))
        view->format = NULL;
    if (!ASKS(PyBUF_STRIDES))
        view->strides = NULL;
    if (!ASKS(PyBUF_ND)) {
        view->shape = NULL;
        view->ndim = 1;
    }
    return NULL;
#undef ASKS
}

static int ndarray_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    NDArray *self = (NDArray *)op;
    Py_buffer whole;
    Buffer *buffer = pin(self, &whole);
    int status = -1;
    const char *refused = NULL;
    view->obj = NULL;
    if (buffer->flags & ND_GETBUF_FAIL) {
        PyErr_SetString(PyExc_BufferError, "ND_GETBUF_FAIL: forced test exception");
        if (buffer->flags & ND_GETBUF_UNDEFINED)
            view->obj = Py_None;
    }
    else if ((buffer->flags & ND_REDIRECT) && is_consumer(buffer) && whole.obj != NULL)
        status = PyObject_GetBuffer(whole.obj, view, flags);
    else if ((refused = narrow_view(&whole, buffer->flags, flags)) != NULL)
        PyErr_SetString(PyExc_BufferError, refused);
    else {
        Py_BEGIN_CRITICAL_SECTION(self);
        buffer->exports++;
        buffer->pins++;
        Py_END_CRITICAL_SECTION();
        *view = whole;
        view->internal = buffer;
        view->obj = Py_NewRef(op);
        status = 0;
    }
    unpin(self, buffer);
    return status;
}

/* Takes a buffer that is not the top one out of the stack, as its last export has ended. */
static void unlink_locked(NDArray *self, Buffer *buffer)
{
    for (Buffer **link = &self->top->below; *link != NULL; link = &(*link)->below) {
        if (*link == buffer) {
            *link = buffer->below;
            buffer->below = NULL;
            buffer->pins--;
            return;
        }
    }
}

static void ndarray_releasebuffer(PyObject *op, Py_buffer *view)
{
    NDArray *self = (NDArray *)op;
    Buffer *buffer = view->internal;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (--buffer->exports == 0 && buffer != self->top)
        unlink_locked(self, buffer);
    Py_END_CRITICAL_SECTION();
    unpin(self, buffer);
}

/* Indexing and slicing */

/* A new array over the same items, with arrays of its own that can still be changed. */
static NDArray *array_over(NDArray *self)
{
    Buffer *buffer = buffer_from_exporter((PyObject *)self, ND_OWN_ARRAYS, PyBUF_FULL_RO);
    if (buffer == NULL)
        return NULL;
    const Py_buffer *below = &buffer->below_view;
    int ndim = below->ndim;
    if (own_arrays(buffer, ndim) < 0) {
        buffer_free(buffer);
        return NULL;
    }
    if (ndim > 0) {
        size_t size = (size_t)ndim * sizeof(Py_ssize_t);
        memcpy(buffer->view.shape, below->shape, size);
        memcpy(buffer->view.strides, below->strides, size);
        if (below->suboffsets != NULL) {
            buffer->view.suboffsets = buffer->arrays + 2 * ndim;
            memcpy(buffer->view.suboffsets, below->suboffsets, size);
        }
    }
    return array_with(buffer, ND_OWN_ARRAYS);
}

static void update_length(Py_buffer *view)
{
    view->len = view->itemsize;
    for (int i = 0; i < view->ndim; i++)
        view->len *= view->shape[i];
}

static int slice_dimension(Py_buffer *view, PyObject *slice, int dim)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return -1;
    Py_ssize_t count = PySlice_AdjustIndices(view->shape[dim], &start, &stop, step);
    /* The start is added where the address of this dimension begins: behind the last pointer that was followed. */
    int last = dim - 1;
    while (last >= 0 && (view->suboffsets == NULL || view->suboffsets[last] < 0))
        last--;
    if (last < 0)
        view->buf = (char *)view->buf + view->strides[dim] * start;
    else
        view->suboffsets[last] += view->strides[dim] * start;
    view->shape[dim] = count;
    if (count > 1) /* else it is never stepped, and the product might be too large */
        view->strides[dim] *= step;
    else if (__builtin_mul_overflow(view->strides[dim], step, &step) == 0)
        view->strides[dim] = step;
    return 0;
}

static NDArray *slice_array(NDArray *self, PyObject *const *slices, Py_ssize_t count)
{
    NDArray *result = array_over(self);
    if (result == NULL)
        return NULL;
    Py_buffer *view = &result->top->view;
    if (count > view->ndim) {
        PyErr_SetString(PyExc_TypeError, "too many indices");
        Py_DECREF(result);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (slice_dimension(view, slices[i], (int)i) < 0) {
            Py_DECREF(result);
            return NULL;
        }
    }
    update_length(view);
    set_fact_flags(result->top);
    return result;
}

/* The place of an index in the first dimension, or NULL with an exception. */
static char *index_address(const Py_buffer *view, Py_ssize_t index)
{
    Layout layout;
    if (testbuffer_layout(&layout, view) < 0)
        return NULL;
    if (layout.ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of scalar");
        return NULL;
    }
    if (index < 0)
        index += layout.shape[0];
    if (index < 0 || index >= layout.shape[0]) {
        PyErr_SetString(PyExc_IndexError, "index out of bounds");
        return NULL;
    }
    return testbuffer_step_into(&layout, 0, view->buf, index);
}

/* The sub-array at an index. */
static NDArray *subarray(NDArray *self, Py_ssize_t index)
{
    NDArray *result = array_over(self);
    if (result == NULL)
        return NULL;
    Py_buffer *view = &result->top->view;
    char *address = index_address(view, index);
    if (address == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    view->buf = address;
    view->ndim--;
    view->shape++;
    view->strides++;
    if (view->suboffsets != NULL) {
        view->suboffsets++;
        int i = 0;
        while (i < view->ndim && view->suboffsets[i] < 0)
            i++;
        if (i == view->ndim)
            view->suboffsets = NULL;
    }
    update_length(view);
    set_fact_flags(result->top);
    return result;
}

static PyObject *ndarray_item(PyObject *op, Py_ssize_t index)
{
    NDArray *self = (NDArray *)op;
    Py_buffer view;
    Buffer *buffer = pin(self, &view);
    PyObject *result = NULL;
    if (view.ndim > 1)
        result = (PyObject *)subarray(self, index);
    else {
        char *address = index_address(&view, index);
        if (address != NULL)
            result = testbuffer_unpack(view.format, address, view.itemsize);
    }
    unpin(self, buffer);
    return result;
}

/* If key stands for slices: how many, and where they are. 0 if not. */
static Py_ssize_t key_slices(PyObject **key, PyObject ***slices)
{
    if (PySlice_Check(*key)) {
        *slices = key;
        return 1;
    }
    if (!PyTuple_Check(*key))
        return 0;
    Py_ssize_t count = PyTuple_GET_SIZE(*key);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!PySlice_Check(PyTuple_GET_ITEM(*key, i)))
            return 0;
    *slices = &PyTuple_GET_ITEM(*key, 0);
    return count;
}

static void bad_key(PyObject *key)
{
    if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) > 0)
        key = PyTuple_GET_ITEM(key, 0);
    PyErr_Format(PyExc_TypeError, "cannot index memory using \"%.200s\"", Py_TYPE(key)->tp_name);
}

static int is_scalar_key(PyObject *key) { return key == Py_Ellipsis || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0); }

static PyObject *ndarray_subscript(PyObject *op, PyObject *key)
{
    NDArray *self = (NDArray *)op;
    PyObject **slices;
    Py_ssize_t count;
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_OverflowError);
        return index == -1 && PyErr_Occurred() ? NULL : ndarray_item(op, index);
    }
    if (key == Py_Ellipsis)
        return Py_NewRef(op);
    if (is_scalar_key(key)) {
        Py_buffer view;
        Buffer *buffer = pin(self, &view);
        PyObject *result = NULL;
        if (view.ndim == 0)
            result = testbuffer_unpack(view.format, view.buf, view.itemsize);
        else
            PyErr_SetString(PyExc_TypeError, "cannot index memory using an empty tuple");
        unpin(self, buffer);
        return result;
    }
    if ((count = key_slices(&key, &slices)) > 0)
        return (PyObject *)slice_array(self, slices, count);
    bad_key(key);
    return NULL;
}

static int same_structure(const Py_buffer *a, const Py_buffer *b)
{
    const char *left = a->format != NULL ? a->format : "B", *right = b->format != NULL ? b->format : "B";
    if (strcmp(left + (*left == '@'), right + (*right == '@')) != 0 || a->itemsize != b->itemsize || a->ndim != b->ndim)
        return 0;
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i])
            return 0;
        if (a->shape[i] == 0)
            break;
    }
    return 1;
}

/* Copies the items of another exporter into those of target, which no one else has yet. */
static int assign_items(NDArray *target, PyObject *value)
{
    Py_buffer source;
    if (PyObject_GetBuffer(value, &source, PyBUF_FULL_RO) < 0)
        return -1;
    int status = -1;
    Layout to, from;
    const Py_buffer *view = &target->top->view;
    char *spare = NULL;
    if (!same_structure(view, &source))
        PyErr_SetString(PyExc_ValueError, "ndarray assignment: lvalue and rvalue have different structures");
    else if (testbuffer_layout(&to, view) == 0 && testbuffer_layout(&from, &source) == 0) {
        Py_ssize_t row = to.itemsize * (to.ndim > 0 ? to.shape[to.ndim - 1] : 1);
        if (view->len == 0)
            status = 0;
        else if ((spare = PyMem_Malloc((size_t)row)) == NULL)
            PyErr_NoMemory();
        else {
            testbuffer_copy_rows(&to, &from, 0, view->buf, source.buf, spare);
            status = 0;
        }
    }
    PyMem_Free(spare);
    PyBuffer_Release(&source);
    return status;
}

static int assign_to(NDArray *target, PyObject *value)
{
    int status = target != NULL ? assign_items(target, value) : -1;
    Py_XDECREF(target);
    return status;
}

static int assign_pinned(NDArray *self, const Py_buffer *view, PyObject *key, PyObject *value)
{
    PyObject **slices;
    Py_ssize_t count;
    if (view->readonly) {
        PyErr_SetString(PyExc_TypeError, "ndarray is not writable");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "ndarray data cannot be deleted");
        return -1;
    }
    if (is_scalar_key(key)) {
        if (view->ndim == 0)
            return testbuffer_pack_one(view->format, value, view->buf, view->itemsize);
        if (key == Py_Ellipsis)
            return assign_to(array_over(self), value);
        PyErr_SetString(PyExc_TypeError, "cannot index memory using an empty tuple");
        return -1;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_OverflowError);
        if (index == -1 && PyErr_Occurred())
            return -1;
        if (view->ndim > 1)
            return assign_to(subarray(self, index), value);
        char *address = index_address(view, index);
        return address != NULL ? testbuffer_pack_one(view->format, value, address, view->itemsize) : -1;
    }
    if ((count = key_slices(&key, &slices)) > 0)
        return assign_to(slice_array(self, slices, count), value);
    bad_key(key);
    return -1;
}

static int ndarray_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    NDArray *self = (NDArray *)op;
    Py_buffer view;
    Buffer *buffer = pin(self, &view);
    int status = assign_pinned(self, &view, key, value);
    unpin(self, buffer);
    return status;
}

/* Methods */

static PyObject *list_from(const Layout *layout, const char *format, char *base, int dim)
{
    if (dim == layout->ndim)
        return testbuffer_unpack(format, base, layout->itemsize);
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < layout->shape[dim]; i++) {
        PyObject *item = list_from(layout, format, testbuffer_step_into(layout, dim, base, i), dim + 1);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *ndarray_tolist(PyObject *op, PyObject *ignored)
{
    NDArray *self = (NDArray *)op;
    Py_buffer view;
    Layout layout;
    Buffer *buffer = pin(self, &view);
    PyObject *result = NULL;
    if (view.format == NULL || (view.shape == NULL && view.ndim > 0))
        PyErr_SetString(PyExc_ValueError, "ndarray: tolist() requires format and shape");
    else if (testbuffer_layout(&layout, &view) == 0)
        result = list_from(&layout, view.format, view.buf, 0);
    unpin(self, buffer);
    return result;
}

static PyObject *ndarray_tobytes(PyObject *op, PyObject *ignored)
{
    Py_buffer view;
    Buffer *buffer = pin((NDArray *)op, &view);
    PyObject *result = testbuffer_view_to_bytes(&view);
    unpin((NDArray *)op, buffer);
    return result;
}

static PyObject *ndarray_add_suboffsets(PyObject *op, PyObject *ignored)
{
    NDArray *self = (NDArray *)op;
    const char *refused = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    Buffer *buffer = self->top;
    if (buffer->view.suboffsets != NULL)
        refused = "cannot add suboffsets to PIL-style array";
    else if (buffer->view.strides == NULL || buffer->arrays == NULL)
        refused = "cannot add suboffsets to array without strides";
    else {
        /* The end of the arrays is free for them, wherever the shape starts in a sub-array. */
        Py_ssize_t *suboffsets = buffer->view.strides + buffer->view.ndim;
        for (int i = 0; i < buffer->view.ndim; i++)
            suboffsets[i] = -1;
        buffer->view.suboffsets = suboffsets;
        buffer->flags &= ~(ND_C | ND_FORTRAN);
    }
    Py_END_CRITICAL_SECTION();
    if (refused != NULL) {
        PyErr_SetString(PyExc_TypeError, refused);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* A memoryview that knows no owner. The buffer under it can therefore never be freed: its pin is kept for good. */
static PyObject *ndarray_memoryview_from_buffer(PyObject *op, PyObject *ignored)
{
    NDArray *self = (NDArray *)op;
    Py_buffer view;
    Buffer *buffer = pin(self, &view);
    PyObject *result = NULL;
    PyObject *below = is_consumer(buffer) ? view.obj : NULL;
    int nested = 0;
    if (below != NULL && Py_IS_TYPE(below, &testbuffer_ndarray_type)) {
        Py_buffer unused;
        Buffer *other = pin((NDArray *)below, &unused);
        nested = is_consumer(other);
        unpin((NDArray *)below, other);
    }
    if (nested)
        PyErr_SetString(PyExc_TypeError, "memoryview_from_buffer(): cannot look through two re-exporting arrays");
    else if (view.format != NULL && strlen(view.format) > 128)
        PyErr_SetString(PyExc_TypeError, "memoryview_from_buffer(): format is limited to 128 characters");
    else
        result = PyMemoryView_FromBuffer(&view);
    if (result == NULL)
        unpin(self, buffer);
    return result;
}

static Py_hash_t ndarray_hash(PyObject *op)
{
    Py_buffer view;
    Buffer *buffer = pin((NDArray *)op, &view);
    Py_hash_t hash = -1;
    if (!view.readonly)
        PyErr_SetString(PyExc_ValueError, "cannot hash writable ndarray object");
    else {
        PyObject *bytes = testbuffer_view_to_bytes(&view);
        hash = bytes != NULL ? PyObject_Hash(bytes) : -1;
        Py_XDECREF(bytes);
    }
    unpin((NDArray *)op, buffer);
    return hash;
}

static PyMethodDef ndarray_methods[] = {
    {"tolist", ndarray_tolist, METH_NOARGS, "The items as nested lists."},
    {"tobytes", ndarray_tobytes, METH_NOARGS, "The items in C order, as bytes."},
    {"push", (PyCFunction)(void (*)(void))ndarray_push, METH_VARARGS | METH_KEYWORDS, "Puts another buffer on top."},
    {"pop", ndarray_pop, METH_NOARGS, "Removes the buffer on top."},
    {"add_suboffsets", ndarray_add_suboffsets, METH_NOARGS, "Adds suboffsets that lead nowhere."},
    {"memoryview_from_buffer", ndarray_memoryview_from_buffer, METH_NOARGS, "A memoryview without an owner."},
    {NULL},
};

/* Attributes */

typedef enum {
    GET_FLAGS,
    GET_OFFSET,
    GET_NDIM,
    GET_ITEMSIZE,
    GET_NBYTES,
    GET_READONLY,
    GET_FORMAT,
    GET_SHAPE,
    GET_STRIDES,
    GET_SUBOFFSETS,
    GET_C,
    GET_F,
    GET_ANY,
    GET_OBJ,
} Field;

static PyObject *tuple_of_sizes(const Py_ssize_t *sizes, int count)
{
    PyObject *tuple = PyTuple_New(sizes != NULL ? count : 0);
    for (Py_ssize_t i = 0; tuple != NULL && sizes != NULL && i < count; i++) {
        PyObject *size = PyLong_FromSsize_t(sizes[i]);
        if (size == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, size);
    }
    return tuple;
}

static PyObject *field_value(const Buffer *buffer, const Py_buffer *view, Field field)
{
    PyObject *obj = is_consumer(buffer) ? view->obj : NULL;
    switch (field) {
    case GET_FLAGS: return PyLong_FromLong(buffer->flags);
    case GET_OFFSET: return PyLong_FromSsize_t(buffer->offset);
    case GET_NDIM: return PyLong_FromLong(view->ndim);
    case GET_ITEMSIZE: return PyLong_FromSsize_t(view->itemsize);
    case GET_NBYTES: return PyLong_FromSsize_t(view->len);
    case GET_READONLY: return PyBool_FromLong(view->readonly);
    case GET_FORMAT: return PyUnicode_FromString(view->format != NULL ? view->format : "");
    case GET_SHAPE: return tuple_of_sizes(view->shape, view->ndim);
    case GET_STRIDES: return tuple_of_sizes(view->strides, view->ndim);
    case GET_SUBOFFSETS: return tuple_of_sizes(view->suboffsets, view->ndim);
    case GET_C: return PyBool_FromLong(PyBuffer_IsContiguous(view, 'C'));
    case GET_F: return PyBool_FromLong(PyBuffer_IsContiguous(view, 'F'));
    case GET_ANY: return PyBool_FromLong(PyBuffer_IsContiguous(view, 'A'));
    case GET_OBJ: return Py_NewRef(obj != NULL ? obj : Py_None);
    }
    Py_UNREACHABLE();
}

static PyObject *ndarray_get(PyObject *op, void *field)
{
    Py_buffer view;
    Buffer *buffer = pin((NDArray *)op, &view);
    PyObject *value = field_value(buffer, &view, (Field)(intptr_t)field);
    unpin((NDArray *)op, buffer);
    return value;
}

#define ATTRIBUTE(name, field) {name, ndarray_get, NULL, NULL, (void *)(intptr_t)(field)}
static PyGetSetDef ndarray_attributes[] = {
    ATTRIBUTE("flags", GET_FLAGS),
    ATTRIBUTE("offset", GET_OFFSET),
    ATTRIBUTE("ndim", GET_NDIM),
    ATTRIBUTE("itemsize", GET_ITEMSIZE),
    ATTRIBUTE("nbytes", GET_NBYTES),
    ATTRIBUTE("readonly", GET_READONLY),
    ATTRIBUTE("format", GET_FORMAT),
    ATTRIBUTE("shape", GET_SHAPE),
    ATTRIBUTE("strides", GET_STRIDES),
    ATTRIBUTE("suboffsets", GET_SUBOFFSETS),
    ATTRIBUTE("c_contiguous", GET_C),
    ATTRIBUTE("f_contiguous", GET_F),
    ATTRIBUTE("contiguous", GET_ANY),
    ATTRIBUTE("obj", GET_OBJ),
    {NULL},
};

int testbuffer_ndarray_contiguous(PyObject *ndarray, char order)
{
    Py_buffer view;
    Buffer *buffer = pin((NDArray *)ndarray, &view);
    int result = PyBuffer_IsContiguous(&view, order);
    unpin((NDArray *)ndarray, buffer);
    return result;
}

static PyBufferProcs ndarray_buffer = {ndarray_getbuffer, ndarray_releasebuffer};
static PySequenceMethods ndarray_sequence = {.sq_item = ndarray_item};
static PyMappingMethods ndarray_mapping = {
    .mp_subscript = ndarray_subscript,
    .mp_ass_subscript = ndarray_ass_subscript,
};

PyTypeObject testbuffer_ndarray_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "ndarray",
    .tp_basicsize = sizeof(NDArray),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = ndarray_new,
    .tp_dealloc = ndarray_dealloc,
    .tp_hash = ndarray_hash,
    .tp_as_buffer = &ndarray_buffer,
    .tp_as_sequence = &ndarray_sequence,
    .tp_as_mapping = &ndarray_mapping,
    .tp_methods = ndarray_methods,
    .tp_getset = ndarray_attributes,
};
