/* memoryview objects: managed buffers, making and releasing views, exporting them, the C API. */
#include "memoryview.h"

/* ---- Managed buffers ---- */

static _PyManagedBufferObject *mbuf_new(void)
{
    _PyManagedBufferObject *mbuf = PyObject_GC_New(_PyManagedBufferObject, &_PyManagedBuffer_Type);
    if (mbuf == NULL)
        return NULL;
    mbuf->flags = 0;
    mbuf->exports = 0;
    memset(&mbuf->master, 0, sizeof(mbuf->master));
    PyObject_GC_Track(mbuf);
    return mbuf;
}

static void mbuf_release(_PyManagedBufferObject *mbuf)
{
    int first;
    LEAF_SECTION_BEGIN(mbuf);
    first = !(mbuf->flags & _Py_MANAGED_BUFFER_RELEASED);
    __atomic_store_n(&mbuf->flags, mbuf->flags | _Py_MANAGED_BUFFER_RELEASED, __ATOMIC_RELAXED);
    LEAF_SECTION_END();
    if (first)
        PyBuffer_Release(&mbuf->master);
}

static void mbuf_dealloc(PyObject *op)
{
    _PyManagedBufferObject *mbuf = (_PyManagedBufferObject *)op;
    PyObject_GC_UnTrack(op);
    mbuf_release(mbuf);
    if (mbuf->flags & _Py_MANAGED_BUFFER_FREE_FORMAT)
        PyMem_Free(mbuf->master.format);
    PyObject_GC_Del(op);
}

static int mbuf_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((_PyManagedBufferObject *)op)->master.obj);
    return 0;
}

static int mbuf_clear(PyObject *op)
{
    mbuf_release((_PyManagedBufferObject *)op);
    return 0;
}

PyTypeObject _PyManagedBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "managedbuffer",
    .tp_basicsize = sizeof(_PyManagedBufferObject),
    .tp_dealloc = mbuf_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = mbuf_traverse,
    .tp_clear = mbuf_clear,
};

/* ---- Making views ---- */

void memoryview_init_flags(PyMemoryViewObject *self)
{
    const Py_buffer *view = &self->view;
    int flags = 0;
    if (view->ndim == 0)
        flags = _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    else if (view->ndim == 1) {
        if (view->shape[0] == 1 || view->strides[0] == view->itemsize)
            flags = _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    }
    else {
        if (PyBuffer_IsContiguous(view, 'C'))
            flags |= _Py_MEMORYVIEW_C;
        if (PyBuffer_IsContiguous(view, 'F'))
            flags |= _Py_MEMORYVIEW_FORTRAN;
    }
    if (view->suboffsets != NULL) {
        flags |= _Py_MEMORYVIEW_PIL;
        flags &= ~(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN);
    }
    self->flags = flags;
}

/* Shape and strides of dst, in its own array, from src. */
static void copy_dimensions(Py_buffer *dst, const Py_buffer *src)
{
    if (dst->ndim == 0) {
        dst->shape = dst->strides = dst->suboffsets = NULL;
        return;
    }
    if (src->shape == NULL) {
        dst->shape[0] = src->ndim == 1 && src->itemsize > 0 ? src->len / src->itemsize : src->len;
        dst->strides[0] = dst->itemsize;
        dst->suboffsets = NULL;
        return;
    }
    for (int i = 0; i < dst->ndim; i++)
        dst->shape[i] = src->shape[i];
    if (src->strides != NULL)
        memcpy(dst->strides, src->strides, (size_t)dst->ndim * sizeof(Py_ssize_t));
    else
        PyBuffer_FillContiguousStrides(dst->ndim, dst->shape, dst->strides, (int)dst->itemsize, 'C');
    if (src->suboffsets != NULL)
        memcpy(dst->suboffsets, src->suboffsets, (size_t)dst->ndim * sizeof(Py_ssize_t));
    else
        dst->suboffsets = NULL;
}

/* A view with room for ndim dimensions; those of src are copied if ndim is its number. */
static PyMemoryViewObject *view_new(_PyManagedBufferObject *mbuf, const Py_buffer *src, int ndim)
{
    if (ndim > PyBUF_MAX_NDIM) {
        PyErr_SetString(PyExc_ValueError, "memoryview: number of dimensions must not exceed 64");
        return NULL;
    }
    PyMemoryViewObject *self = PyObject_GC_NewVar(PyMemoryViewObject, &PyMemoryView_Type, 3 * ndim);
    if (self == NULL)
        return NULL;
    int released;
    self->mbuf = NULL;
    self->hash = -1;
    self->flags = 0;
    self->exports = 0;
    self->weakreflist = NULL;
    memset(self->ob_array, 0, 3 * (size_t)ndim * sizeof(Py_ssize_t));
    self->view = *src;
    self->view.obj = mbuf->master.obj;
    self->view.ndim = ndim;
    self->view.internal = NULL;
    if (self->view.format == NULL)
        self->view.format = "B";
    self->view.shape = self->ob_array;
    self->view.strides = self->ob_array + ndim;
    self->view.suboffsets = self->ob_array + 2 * ndim;
    if (ndim == src->ndim || src->shape == NULL)
        copy_dimensions(&self->view, src);
    LEAF_SECTION_BEGIN(mbuf);
    released = mbuf->flags & _Py_MANAGED_BUFFER_RELEASED;
    if (!released)
        mbuf->exports++;
    LEAF_SECTION_END();
    if (released) {
        self->flags = _Py_MEMORYVIEW_RELEASED;
        Py_DECREF(self);
        memoryview_released_error();
        return NULL;
    }
    self->mbuf = (_PyManagedBufferObject *)Py_NewRef(mbuf);
    memoryview_init_flags(self);
    PyObject_GC_Track(self);
    return self;
}

PyMemoryViewObject *memoryview_derive(PyMemoryViewObject *self, const Py_buffer *src, int ndim)
{
    return view_new(self->mbuf, src, ndim);
}

/* ---- Releasing ---- */

int memoryview_is_released(PyMemoryViewObject *self)
{
    return (memoryview_flags(self) & _Py_MEMORYVIEW_RELEASED)
           || (__atomic_load_n(&self->mbuf->flags, __ATOMIC_RELAXED) & _Py_MANAGED_BUFFER_RELEASED);
}

int memoryview_released_error(void)
{
    PyErr_SetString(PyExc_ValueError, "operation forbidden on released memoryview object");
    return -1;
}

int memoryview_acquire(PyMemoryViewObject *self)
{
    int released;
    LEAF_SECTION_BEGIN(self);
    released = memoryview_is_released(self);
    if (!released)
        self->exports++;
    LEAF_SECTION_END();
    return released ? memoryview_released_error() : 0;
}

void memoryview_drop(PyMemoryViewObject *self)
{
    LEAF_SECTION_BEGIN(self);
    self->exports--;
    LEAF_SECTION_END();
}

int memoryview_release(PyMemoryViewObject *self)
{
    Py_ssize_t exports = 0;
    int mine = 0, last = 0;
    LEAF_SECTION_BEGIN(self);
    if (!(self->flags & _Py_MEMORYVIEW_RELEASED)) {
        exports = self->exports;
        if (exports == 0) {
            __atomic_store_n(&self->flags, self->flags | _Py_MEMORYVIEW_RELEASED, __ATOMIC_RELAXED);
            mine = 1;
        }
    }
    LEAF_SECTION_END();
    if (mine) {
        LEAF_SECTION_BEGIN(self->mbuf);
        last = --self->mbuf->exports == 0;
        LEAF_SECTION_END();
        if (last)
            mbuf_release(self->mbuf);
        return 0;
    }
    if (exports > 0) {
        PyErr_Format(PyExc_BufferError, "memoryview has %zd exported buffer%s", exports, exports == 1 ? "" : "s");
        return -1;
    }
    return 0;
}

void memoryview_dealloc(PyObject *op)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    if (self->mbuf != NULL) {
        self->exports = 0;
        (void)memoryview_release(self);
        Py_DECREF(self->mbuf);
    }
    PyObject_GC_Del(op);
}

int memoryview_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyMemoryViewObject *)op)->mbuf);
    return 0;
}

/* The reference to mbuf stays until dealloc: other threads may look at it without a lock. */
int memoryview_clear(PyObject *op)
{
    if (memoryview_release((PyMemoryViewObject *)op) < 0)
        PyErr_Clear();
    return 0;
}

/* ---- Exporting ---- */

static int refuse(const char *text)
{
    PyErr_SetString(PyExc_BufferError, text);
    return -1;
}

/* What of self's description the flags want; 0 or -1 with BufferError. */
static int fit_request(PyMemoryViewObject *self, Py_buffer *view, int flags)
{
    int is_c = memoryview_flags(self) & _Py_MEMORYVIEW_C, is_fortran = memoryview_flags(self) & _Py_MEMORYVIEW_FORTRAN;
    if ((flags & PyBUF_WRITABLE) && view->readonly)
        return refuse("memoryview: underlying buffer is not writable");
    if (!(flags & PyBUF_FORMAT))
        view->format = NULL;
    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !is_c)
        return refuse("memoryview: underlying buffer is not C-contiguous");
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !is_fortran)
        return refuse("memoryview: underlying buffer is not Fortran contiguous");
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS && !is_c && !is_fortran)
        return refuse("memoryview: underlying buffer is not contiguous");
    if ((flags & PyBUF_INDIRECT) != PyBUF_INDIRECT && (memoryview_flags(self) & _Py_MEMORYVIEW_PIL))
        return refuse("memoryview: underlying buffer requires suboffsets");
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES) {
        if (!is_c)
            return refuse("memoryview: underlying buffer is not C-contiguous");
        view->strides = NULL;
    }
    if ((flags & PyBUF_ND) != PyBUF_ND) {
        if (view->format != NULL)
            return refuse("memoryview: cannot cast to unsigned bytes if the format flag is present");
        view->ndim = 1;
        view->shape = NULL;
    }
    return 0;
}

int memoryview_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)op;
    if (memoryview_acquire(self) < 0)
        return -1;
    *view = self->view;
    view->obj = NULL;
    if (fit_request(self, view, flags) < 0) {
        memoryview_drop(self);
        return -1;
    }
    view->obj = Py_NewRef(op);
    return 0;
}

void memoryview_releasebuffer(PyObject *op, Py_buffer *view)
{
    memoryview_drop((PyMemoryViewObject *)op);
}

/* ---- The C API ---- */

/* A view of the whole managed buffer; consumes the reference to it. */
static PyObject *whole_view(_PyManagedBufferObject *mbuf)
{
    PyObject *result = (PyObject *)view_new(mbuf, &mbuf->master, mbuf->master.ndim);
    Py_DECREF(mbuf);
    return result;
}

PyObject *PyMemoryView_FromObject(PyObject *op)
{
    if (PyMemoryView_Check(op)) {
        PyMemoryViewObject *self = (PyMemoryViewObject *)op;
        if (memoryview_acquire(self) < 0)
            return NULL;
        PyObject *result = (PyObject *)memoryview_derive(self, &self->view, self->view.ndim);
        memoryview_drop(self);
        return result;
    }
    if (value_is_immediate(op) || !PyObject_CheckBuffer(op)) {
        PyErr_Format(PyExc_TypeError, "memoryview: a bytes-like object is required, not '%.200s'",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    _PyManagedBufferObject *mbuf = mbuf_new();
    if (mbuf == NULL)
        return NULL;
    if (PyObject_GetBuffer(op, &mbuf->master, PyBUF_FULL_RO) < 0) {
        mbuf->master.obj = NULL;
        Py_DECREF(mbuf);
        return NULL;
    }
    return whole_view(mbuf);
}

PyObject *PyMemoryView_FromMemory(char *mem, Py_ssize_t size, int flags)
{
    _PyManagedBufferObject *mbuf = mbuf_new();
    if (mbuf == NULL)
        return NULL;
    (void)PyBuffer_FillInfo(&mbuf->master, NULL, mem, size, flags != PyBUF_WRITE, PyBUF_FULL_RO);
    return whole_view(mbuf);
}

PyObject *PyMemoryView_FromBuffer(const Py_buffer *info)
{
    if (info->buf == NULL) {
        PyErr_SetString(PyExc_ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
        return NULL;
    }
    _PyManagedBufferObject *mbuf = mbuf_new();
    if (mbuf == NULL)
        return NULL;
    mbuf->master = *info;
    mbuf->master.obj = NULL;
    return whole_view(mbuf);
}

/* A view of a contiguous copy of src's content, with src's shape and format. */
static PyObject *contiguous_copy(const Py_buffer *src, char order)
{
    Py_ssize_t strides[PyBUF_MAX_NDIM];
    _PyManagedBufferObject *mbuf = NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, src->len);
    if (bytes == NULL)
        return NULL;
    if (src->len > 0 && PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), src, src->len, order) < 0)
        goto done;
    mbuf = mbuf_new();
    if (mbuf == NULL || PyObject_GetBuffer(bytes, &mbuf->master, PyBUF_FULL_RO) < 0)
        goto done;
    const char *format = src->format == NULL ? "B" : src->format;
    size_t room = strlen(format) + 1;
    char *copy = PyMem_Malloc(room);
    if (copy == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    memcpy(copy, format, room);
    mbuf->master.format = copy;
    mbuf->flags |= _Py_MANAGED_BUFFER_FREE_FORMAT;
    Py_buffer description = mbuf->master;
    description.itemsize = src->itemsize;
    description.ndim = src->ndim;
    description.shape = src->shape;
    description.strides = src->shape == NULL ? NULL : strides;
    description.suboffsets = NULL;
    if (src->shape != NULL)
        PyBuffer_FillContiguousStrides(src->ndim, src->shape, strides, (int)src->itemsize, order == 'F' ? 'F' : 'C');
    PyObject *result = (PyObject *)view_new(mbuf, &description, src->ndim);
    Py_DECREF(bytes);
    Py_DECREF(mbuf);
    return result;
done:
    Py_DECREF(bytes);
    Py_XDECREF(mbuf);
    return NULL;
}

PyObject *PyMemoryView_GetContiguous(PyObject *op, int flags, char order)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)PyMemoryView_FromObject(op);
    PyObject *result = NULL;
    if (self == NULL)
        return NULL;
    const Py_buffer *view = &self->view;
    if (flags == PyBUF_WRITE && view->readonly) {
        refuse("underlying buffer is not writable");
        goto done;
    }
    if (PyBuffer_IsContiguous(view, order))
        return (PyObject *)self;
    if (flags == PyBUF_WRITE)
        refuse("writable contiguous buffer requested for a non-contiguous object.");
    else
        result = contiguous_copy(view, order);
done:
    Py_DECREF(self);
    return result;
}

/* ---- Iteration ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;           /* [atomic] */
    Py_ssize_t length;          /* [const] when the iteration began */
    PyObject *view;             /* [const] counted */
} view_iter_t;

PyObject *memoryview_iter(PyObject *op)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)op;
    if (memoryview_acquire(self) < 0)
        return NULL;
    int ndim = self->view.ndim;
    Py_ssize_t length = ndim > 0 ? self->view.shape[0] : 0;
    char format = ndim == 1 ? memoryview_item_format(&self->view) : 'B';
    memoryview_drop(self);
    if (ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (ndim != 1) {
        PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    if (format == 0)
        return NULL;
    view_iter_t *it = PyObject_GC_New(view_iter_t, &memoryview_iterator_type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->length = length;
    it->view = Py_NewRef(op);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static PyObject *iter_next(PyObject *op)
{
    view_iter_t *it = (view_iter_t *)op;
    Py_ssize_t i = __atomic_load_n(&it->index, __ATOMIC_RELAXED);
    if (i >= it->length)
        return NULL;
    __atomic_store_n(&it->index, i + 1, __ATOMIC_RELAXED);
    return memoryview_item(it->view, i);
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(((view_iter_t *)op)->view);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((view_iter_t *)op)->view);
    return 0;
}

PyTypeObject memoryview_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "memory_iterator",
    .tp_basicsize = sizeof(view_iter_t),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
};
