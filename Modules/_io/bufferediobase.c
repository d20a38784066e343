/* _BufferedIOBase: the interface of buffered byte streams, with readinto() in terms of read(). */
#include "io_internal.h"

/* readinto() by way of read() or read1(). */
static PyObject *readinto_by(PyObject *self, PyObject *target, const char *caller, PyObject *method)
{
    Py_buffer view;
    if (io_writable_buffer(caller, target, &view) < 0)
        return NULL;
    PyObject *result = NULL, *data = NULL;
    PyObject *size = PyLong_FromSsize_t(view.len);
    if (size == NULL)
        goto done;
    data = PyObject_CallMethodOneArg(self, method, size);
    if (data == NULL)
        goto done;
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "read() should return bytes");
        goto done;
    }
    Py_ssize_t got = PyBytes_GET_SIZE(data);
    if (got > view.len) {
        PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned",
                     view.len, got);
        goto done;
    }
    if (got > 0)
        memcpy(view.buf, PyBytes_AS_STRING(data), (size_t)got);
    result = PyLong_FromSsize_t(got);
done:
    Py_XDECREF(data);
    Py_XDECREF(size);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *base_readinto(PyObject *self, PyObject *target)
{
    return readinto_by(self, target, "readinto", io_str.read);
}

static PyObject *base_readinto1(PyObject *self, PyObject *target)
{
    return readinto_by(self, target, "readinto1", io_str.read1);
}

static PyObject *base_detach(PyObject *self, PyObject *unused)
{
    return io_unsupported("detach");
}

static PyObject *base_read(PyObject *self, PyObject *args)
{
    return io_unsupported("read");
}

static PyObject *base_read1(PyObject *self, PyObject *args)
{
    return io_unsupported("read1");
}

static PyObject *base_write(PyObject *self, PyObject *args)
{
    return io_unsupported("write");
}

static PyMethodDef base_methods[] = {
    { "detach", base_detach, METH_NOARGS,
      PyDoc_STR("detach($self, /)\n--\n\nSeparate the raw stream from the buffer and return it; "
                "the buffer is of no use any more.") },
    { "read", base_read, METH_VARARGS,
      PyDoc_STR("Read and return up to n bytes; until the end of the file if n is missing or negative.\n\n"
                "An empty bytes object means the end of the file; None that a non-blocking stream has no data.") },
    { "read1", base_read1, METH_VARARGS,
      PyDoc_STR("Read and return up to n bytes, with at most one call of the raw stream's read().") },
    { "readinto", base_readinto, METH_O, PyDoc_STR("readinto($self, buffer, /)\n--\n\n") },
    { "readinto1", base_readinto1, METH_O, PyDoc_STR("readinto1($self, buffer, /)\n--\n\n") },
    { "write", base_write, METH_VARARGS,
      PyDoc_STR("Write the bytes given and return how many they are.") },
    { NULL, NULL, 0, NULL },
};

PyTypeObject io_BufferedIOBase_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io._BufferedIOBase",
    .tp_basicsize = sizeof(io_base),
    .tp_base = &io_IOBase_type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("The base class of buffered byte streams.\n\n"
                        "Unlike raw streams these read and write all that was asked for where they can."),
    .tp_methods = base_methods,
};
