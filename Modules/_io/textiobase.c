/* _TextIOBase: the interface of text streams. */
#include "io_internal.h"

static PyObject *base_detach(PyObject *self, PyObject *args)
{
    return io_unsupported("detach");
}

static PyObject *base_read(PyObject *self, PyObject *args)
{
    return io_unsupported("read");
}

static PyObject *base_readline(PyObject *self, PyObject *args)
{
    return io_unsupported("readline");
}

static PyObject *base_write(PyObject *self, PyObject *args)
{
    return io_unsupported("write");
}

static PyObject *none_get(PyObject *self, void *unused)
{
    Py_RETURN_NONE;
}

static PyMethodDef base_methods[] = {
    { "detach", base_detach, METH_NOARGS, PyDoc_STR("Separate the underlying buffer and return it.") },
    { "read", base_read, METH_VARARGS, PyDoc_STR("Read and return up to n characters; all if n is negative.") },
    { "readline", base_readline, METH_VARARGS,
      PyDoc_STR("Read and return the text up to the next line end; an empty string at the end of the file.") },
    { "write", base_write, METH_VARARGS, PyDoc_STR("Write the string and return its length.") },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef base_getset[] = {
    { "encoding", none_get, NULL, PyDoc_STR("Name of the stream's encoding."), NULL },
    { "newlines", none_get, NULL, PyDoc_STR("The line ends seen so far: None, a string or a tuple."), NULL },
    { "errors", none_get, NULL, PyDoc_STR("How encoding and decoding errors are handled."), NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_TextIOBase_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io._TextIOBase",
    .tp_basicsize = sizeof(io_base),
    .tp_base = &io_IOBase_type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("The base class of text streams."),
    .tp_methods = base_methods,
    .tp_getset = base_getset,
};
