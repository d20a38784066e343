/* _RawIOBase: read() and readall() of an unbuffered stream, from its readinto(). */
#include "io_internal.h"

static PyObject *raw_read(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (io_check_nargs("read", nargs, 0, 1) < 0)
        return NULL;
    if (nargs == 1 && io_size(args[0], &n) < 0)
        return NULL;
    if (n < 0)
        return PyObject_CallMethodNoArgs(self, io_str.readall);

    PyObject *result = NULL;
    PyObject *space = PyByteArray_FromStringAndSize(NULL, n);
    if (space == NULL)
        return NULL;
    memset(PyByteArray_AS_STRING(space), 0, (size_t)n);     /* readinto() may look at it */
    PyObject *count = PyObject_CallMethodOneArg(self, io_str.readinto, space);
    if (count == NULL || count == Py_None) {
        Py_DECREF(space);
        return count;
    }
    Py_ssize_t got = PyNumber_AsSsize_t(count, PyExc_ValueError);
    Py_DECREF(count);
    if (got != -1 || !PyErr_Occurred()) {
        /* readinto() may have resized the bytearray, may have kept it, and may report nonsense. */
        Py_BEGIN_CRITICAL_SECTION(space);
        if (got < 0 || got > PyByteArray_GET_SIZE(space))
            PyErr_Format(PyExc_ValueError, "readinto returned %zd outside buffer size %zd", got,
                         PyByteArray_GET_SIZE(space));
        else
            result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(space), got);
        Py_END_CRITICAL_SECTION();
    }
    Py_DECREF(space);
    return result;
}

static PyObject *raw_readall(PyObject *self, PyObject *unused)
{
    PyObject *chunks = PyList_New(0), *result = NULL;
    if (chunks == NULL)
        return NULL;
    for (;;) {
        PyObject *chunk = PyObject_CallMethod(self, "read", "i", IO_DEFAULT_BUFFER_SIZE);
        if (chunk == NULL) {
            if (io_trap_eintr())
                continue;
            goto done;
        }
        if (chunk == Py_None) {
            if (PyList_GET_SIZE(chunks) == 0) {
                result = chunk;
                goto done;
            }
            Py_DECREF(chunk);
            break;
        }
        if (!PyBytes_Check(chunk)) {
            Py_DECREF(chunk);
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            goto done;
        }
        bool end = PyBytes_GET_SIZE(chunk) == 0;
        int failed = end ? 0 : PyList_Append(chunks, chunk);
        Py_DECREF(chunk);
        if (failed)
            goto done;
        if (end)
            break;
    }
    result = PyObject_CallMethod(io_str.empty_bytes, "join", "O", chunks);
done:
    Py_DECREF(chunks);
    return result;
}

static PyObject *not_implemented(PyObject *self, PyObject *args)
{
    PyErr_SetNone(PyExc_NotImplementedError);
    return NULL;
}

static PyMethodDef raw_methods[] = {
    { "read", IO_METHOD(raw_read), METH_FASTCALL,
      PyDoc_STR("read($self, size=-1, /)\n--\n\nRead at most size bytes with one call of readinto(); "
                "everything if size is negative.") },
    { "readall", raw_readall, METH_NOARGS,
      PyDoc_STR("readall($self, /)\n--\n\nRead until the end of the file, with as many calls as it takes.") },
    { "readinto", not_implemented, METH_VARARGS, NULL },
    { "write", not_implemented, METH_VARARGS, NULL },
    { NULL, NULL, 0, NULL },
};

PyTypeObject io_RawIOBase_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io._RawIOBase",
    .tp_basicsize = sizeof(io_base),
    .tp_base = &io_IOBase_type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("The base class of unbuffered byte streams."),
    .tp_methods = raw_methods,
};
