/* Options of sockets. */
#include "socket.h"

#define ROOM 1024

PyObject *socket_getsockopt(PyObject *op, PyObject *args)
{
    int level, option, room = 0, rc, fd = socket_fd(op);
    if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &option, &room))
        return NULL;
    if (room == 0) {
        union { int number; uint64_t wide; } value = {0};
        int wide = socket_family(op) == AF_VSOCK;
        socklen_t size = wide ? sizeof value.wide : sizeof value.number;
        rc = getsockopt(fd, level, option, &value, &size);
        if (rc < 0)
            return socket_error();
        return wide ? PyLong_FromUnsignedLongLong(value.wide) : PyLong_FromLong(value.number);
    }
    if (room < 0 || room > ROOM) {
        PyErr_SetString(PyExc_OSError, "getsockopt buflen out of range");
        return NULL;
    }
    char value[ROOM];
    socklen_t size = (socklen_t)room;
    rc = getsockopt(fd, level, option, value, &size);
    return rc < 0 ? socket_error() : PyBytes_FromStringAndSize(value, size);
}

PyObject *socket_setsockopt(PyObject *op, PyObject *args)
{
    int level, option, number, fd = socket_fd(op);
    PyObject *none;
    unsigned size;
    unsigned long long wide;
    if (socket_family(op) == AF_VSOCK) {
        if (PyArg_ParseTuple(args, "iiK:setsockopt", &level, &option, &wide))
            return socket_none(setsockopt(fd, level, option, &wide, sizeof wide));
        PyErr_Clear();
    }
    if (PyArg_ParseTuple(args, "iii:setsockopt", &level, &option, &number))
        return socket_none(setsockopt(fd, level, option, &number, sizeof number));
    PyErr_Clear();
    if (PyArg_ParseTuple(args, "iiO!I:setsockopt", &level, &option, Py_TYPE(Py_None), &none, &size))
        return socket_none(setsockopt(fd, level, option, NULL, size));
    PyErr_Clear();
    Py_buffer value;
    if (!PyArg_ParseTuple(args, "iiy*:setsockopt", &level, &option, &value))
        return NULL;
    PyObject *result = NULL;
    if (value.len > INT_MAX)
        PyErr_Format(PyExc_OverflowError, "socket option is larger than %i bytes", INT_MAX);
    else
        result = socket_none(setsockopt(fd, level, option, value.buf, (socklen_t)value.len));
    PyBuffer_Release(&value);
    return result;
}
