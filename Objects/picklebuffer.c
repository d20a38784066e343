/* PickleBuffer objects: they keep a buffer of another object until they are released. `view` is read and changed inside
 * critical sections on the object; consumers take buffers of their own from the wrapped object. */
#include "Python.h"

#include "picklebufobject.h"

typedef struct {
    PyObject_HEAD
    Py_buffer view;             /* [lock] obj NULL: released */
    PyObject *weakreflist;
} PickleBufferObject;

static int fail_if_not(PyObject *op)
{
    if (PyPickleBuffer_Check(op))
        return 0;
    PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found", Py_TYPE(op)->tp_name);
    return -1;
}

static PyObject *fail_released(void)
{
    PyErr_SetString(PyExc_ValueError, "operation forbidden on released PickleBuffer object");
    return NULL;
}

/* The wrapped object, a new reference, or NULL with ValueError. */
static PyObject *get_base(PickleBufferObject *self)
{
    PyObject *base;
    Py_BEGIN_CRITICAL_SECTION(self);
    base = Py_XNewRef(self->view.obj);
    Py_END_CRITICAL_SECTION();
    return base == NULL ? fail_released() : base;
}

/* ---- C API ---- */

PyObject *PyPickleBuffer_FromObject(PyObject *base)
{
    PickleBufferObject *self = (PickleBufferObject *)PyPickleBuffer_Type.tp_alloc(&PyPickleBuffer_Type, 0);
    if (self == NULL)
        return NULL;
    if (PyObject_GetBuffer(base, &self->view, PyBUF_FULL_RO) < 0) {
        self->view.obj = NULL;
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

const Py_buffer *PyPickleBuffer_GetBuffer(PyObject *op)
{
    if (fail_if_not(op) < 0)
        return NULL;
    PickleBufferObject *self = (PickleBufferObject *)op;
    if (self->view.obj == NULL) {
        fail_released();
        return NULL;
    }
    return &self->view;
}

int PyPickleBuffer_Release(PyObject *op)
{
    if (fail_if_not(op) < 0)
        return -1;
    PickleBufferObject *self = (PickleBufferObject *)op;
    Py_buffer view;
    Py_BEGIN_CRITICAL_SECTION(self);
    view = self->view;
    self->view.obj = NULL;
    Py_END_CRITICAL_SECTION();
    if (view.obj != NULL)
        PyBuffer_Release(&view);
    return 0;
}

/* ---- The type ---- */

static PyObject *buffer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *base;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:PickleBuffer", keywords, &base))
        return NULL;
    return PyPickleBuffer_FromObject(base);
}

static int buffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PickleBufferObject *)op)->view.obj);
    return 0;
}

static int buffer_clear(PyObject *op)
{
    return PyPickleBuffer_Release(op);
}

static void buffer_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(((PickleBufferObject *)op)->weakreflist))
        PyObject_ClearWeakRefs(op);
    PyPickleBuffer_Release(op);
    Py_TYPE(op)->tp_free(op);
}

/* A buffer of the wrapped object: this one may be released before it. */
static int buffer_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    PyObject *base = get_base((PickleBufferObject *)op);
    if (base == NULL) {
        view->obj = NULL;
        return -1;
    }
    int failed = PyObject_GetBuffer(base, view, flags);
    Py_DECREF(base);
    return failed;
}

/* Never called, since buffers belong to the wrapped object; tells that they are to be released. */
static void buffer_releasebuffer(PyObject *op, Py_buffer *view)
{
}

static PyBufferProcs buffer_as_buffer = {buffer_getbuffer, buffer_releasebuffer};

/* A one-dimensional memoryview of the bytes. */
static PyObject *buffer_raw(PyObject *op, PyObject *unused)
{
    PyObject *base = get_base((PickleBufferObject *)op);
    if (base == NULL)
        return NULL;
    PyMemoryViewObject *m = (PyMemoryViewObject *)PyMemoryView_FromObject(base);
    Py_DECREF(base);
    if (m == NULL)
        return NULL;
    if (!PyBuffer_IsContiguous(&m->view, 'A')) {
        PyErr_SetString(PyExc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
        Py_DECREF(m);
        return NULL;
    }
    m->flags = (m->flags & ~(_Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_PIL)) | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    m->view.format = "B";
    m->view.itemsize = 1;
    m->view.ndim = 1;
    m->view.shape = &m->view.len;
    m->view.strides = &m->view.itemsize;
    m->view.suboffsets = NULL;
    return (PyObject *)m;
}

static PyObject *buffer_release(PyObject *op, PyObject *unused)
{
    if (PyPickleBuffer_Release(op) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef buffer_methods[] = {
    {"raw", buffer_raw, METH_NOARGS,
     "raw($self, /)\n--\n\nA one-dimensional memoryview of the bytes; BufferError if they are not contiguous."},
    {"release", buffer_release, METH_NOARGS, "release($self, /)\n--\n\nLets go of the buffer."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyPickleBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "pickle.PickleBuffer",
    .tp_basicsize = sizeof(PickleBufferObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A buffer that pickle may transmit out of band.",
    .tp_weaklistoffset = offsetof(PickleBufferObject, weakreflist),
    .tp_as_buffer = &buffer_as_buffer,
    .tp_methods = buffer_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = buffer_new,
    .tp_traverse = buffer_traverse,
    .tp_clear = buffer_clear,
    .tp_dealloc = buffer_dealloc,
};
