/* BufferedRWPair: a reader and a writer over two raw streams, joined into one object. */
#include "buffered_internal.h"

typedef struct {
    IO_OBJECT_HEAD
    PyObject *reader, *writer;    /* [lock] */
} io_pair;

static int pair_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    io_pair *self = (io_pair *)op;
    PyObject *reader, *writer;
    Py_ssize_t size = IO_DEFAULT_BUFFER_SIZE;
    if (kwds != NULL && PyDict_GET_SIZE(kwds) > 0 && Py_TYPE(op)->tp_init == io_BufferedRWPair_type.tp_init) {
        PyErr_SetString(PyExc_TypeError, "BufferedRWPair() takes no keyword arguments");
        return -1;
    }
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (io_check_nargs("BufferedRWPair", nargs, 2, 3) < 0)
        return -1;
    reader = PyTuple_GET_ITEM(args, 0);
    writer = PyTuple_GET_ITEM(args, 1);
    if (nargs == 3 && io_size(PyTuple_GET_ITEM(args, 2), &size) < 0)
        return -1;
    if (io_check_readable(reader) < 0 || io_check_writable(writer) < 0)
        return -1;

    PyObject *new_reader = PyObject_CallFunction((PyObject *)&io_BufferedReader_type, "On", reader, size);
    if (new_reader == NULL)
        return -1;
    PyObject *new_writer = PyObject_CallFunction((PyObject *)&io_BufferedWriter_type, "On", writer, size);
    if (new_writer == NULL) {
        Py_DECREF(new_reader);
        return -1;
    }
    PyObject *old_reader, *old_writer;
    Py_BEGIN_CRITICAL_SECTION(op);
    old_reader = self->reader;
    old_writer = self->writer;
    self->reader = new_reader;
    self->writer = new_writer;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_reader);
    Py_XDECREF(old_writer);
    return 0;
}

/* A new reference to one half, or NULL with ValueError set. */
static PyObject *half(PyObject *op, PyObject **place)
{
    PyObject *stream;
    Py_BEGIN_CRITICAL_SECTION(op);
    stream = Py_XNewRef(*place);
    Py_END_CRITICAL_SECTION();
    if (stream == NULL)
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
    return stream;
}

static PyObject *forward(PyObject *op, PyObject **place, PyObject *name, PyObject *args)
{
    PyObject *stream = half(op, place);
    if (stream == NULL)
        return NULL;
    PyObject *method = PyObject_GetAttr(stream, name), *result = NULL;
    if (method != NULL) {
        result = args == NULL ? PyObject_CallNoArgs(method) : PyObject_CallObject(method, args);
        Py_DECREF(method);
    }
    Py_DECREF(stream);
    return result;
}

#define FORWARD(method, place)                                                                                 \
    static PyObject *pair_##method(PyObject *op, PyObject *args)                                               \
    {                                                                                                          \
        return forward(op, &((io_pair *)op)->place, io_str.method, args);                                      \
    }
FORWARD(read, reader)
FORWARD(peek, reader)
FORWARD(read1, reader)
FORWARD(readinto, reader)
FORWARD(readinto1, reader)
FORWARD(readable, reader)
FORWARD(write, writer)
FORWARD(flush, writer)
FORWARD(writable, writer)

static PyObject *pair_isatty(PyObject *op, PyObject *unused)
{
    io_pair *self = (io_pair *)op;
    PyObject *answer = forward(op, &self->writer, io_str.isatty, NULL);
    if (answer != Py_False)
        return answer;
    Py_DECREF(answer);
    return forward(op, &self->reader, io_str.isatty, NULL);
}

static PyObject *pair_close(PyObject *op, PyObject *unused)
{
    io_pair *self = (io_pair *)op;
    io_saved_error saved = { NULL, NULL, NULL };
    PyObject *result = forward(op, &self->writer, io_str.close, NULL);
    if (result == NULL)
        io_error_save(&saved);
    else
        Py_DECREF(result);
    result = forward(op, &self->reader, io_str.close, NULL);
    if (saved.type != NULL)
        Py_CLEAR(result);
    io_error_chain(&saved);
    return result;
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    PyObject *writer = half(op, &((io_pair *)op)->writer);
    if (writer == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the BufferedRWPair object is being garbage-collected");
        return NULL;
    }
    PyObject *closed = io_forward_attribute(writer, io_str.closed);
    Py_DECREF(writer);
    return closed;
}

static int pair_traverse(PyObject *op, visitproc visit, void *arg)
{
    io_pair *self = (io_pair *)op;
    Py_VISIT(self->dict);
    Py_VISIT(self->reader);
    Py_VISIT(self->writer);
    return 0;
}

static int pair_clear(PyObject *op)
{
    io_pair *self = (io_pair *)op;
    Py_CLEAR(self->reader);
    Py_CLEAR(self->writer);
    iobase_clear_dict(op);
    return 0;
}

/* The two halves close their streams themselves. */
static void pair_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(((io_pair *)op)->weakreflist))
        PyObject_ClearWeakRefs(op);
    pair_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef pair_methods[] = {
    { "read", pair_read, METH_VARARGS, NULL },
    { "peek", pair_peek, METH_VARARGS, NULL },
    { "read1", pair_read1, METH_VARARGS, NULL },
    { "readinto", pair_readinto, METH_VARARGS, NULL },
    { "readinto1", pair_readinto1, METH_VARARGS, NULL },
    { "write", pair_write, METH_VARARGS, NULL },
    { "flush", pair_flush, METH_NOARGS, NULL },
    { "readable", pair_readable, METH_NOARGS, NULL },
    { "writable", pair_writable, METH_NOARGS, NULL },
    { "close", pair_close, METH_NOARGS, NULL },
    { "isatty", pair_isatty, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef pair_getset[] = {
    { "closed", closed_get, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_BufferedRWPair_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.BufferedRWPair",
    .tp_basicsize = sizeof(io_pair),
    .tp_base = &io_BufferedIOBase_type,
    .tp_dealloc = pair_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\n"
                        "One stream made of a readable and a writable raw stream, such as the ends of two pipes."),
    .tp_traverse = pair_traverse,
    .tp_clear = pair_clear,
    .tp_weaklistoffset = offsetof(io_pair, weakreflist),
    .tp_methods = pair_methods,
    .tp_getset = pair_getset,
    .tp_dictoffset = offsetof(io_pair, dict),
    .tp_init = pair_init,
    .tp_new = PyType_GenericNew,
};
