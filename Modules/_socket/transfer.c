/* Sending and receiving: send, sendall, sendto, recv, recvfrom and the forms that fill a buffer. */
#include "socket.h"

struct transfer {
    void *data;
    size_t size;
    int flags;
    socket_address *address;            /* or NULL */
    socklen_t address_size;
};

/* ---- Receiving ---- */

static ssize_t receive_attempt(int fd, void *arg)
{
    struct transfer *t = arg;
    t->address_size = sizeof *t->address;
    return recvfrom(fd, t->data, t->size, t->flags, (struct sockaddr *)t->address,
                    t->address != NULL ? &t->address_size : NULL);
}

/* Receives into data; a count or -1 with an exception. peer: where to put the sender's address, or NULL. */
static Py_ssize_t receive(PyObject *op, void *data, Py_ssize_t size, int flags, PyObject **peer)
{
    socket_address a;
    struct transfer t = {data, (size_t)size, flags, peer != NULL ? &a : NULL, 0};
    if (peer != NULL)
        memset(&a, 0, sizeof a);
    socket_limit limit = socket_limit_start(op);
    ssize_t n = socket_call(op, 0, &limit, receive_attempt, &t);
    if (n < 0 || peer == NULL)
        return n;
    *peer = socket_address_make(socket_fd(op), &a, t.address_size, socket_proto(op));
    return *peer != NULL ? n : -1;
}

/* As bytes. */
static PyObject *receive_bytes(PyObject *op, Py_ssize_t size, int flags, PyObject **peer)
{
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    if (data == NULL)
        return NULL;
    Py_ssize_t n = receive(op, PyBytes_AS_STRING(data), size, flags, peer);
    if (n < 0)
        Py_CLEAR(data);
    else if (n != size && _PyBytes_Resize(&data, n) < 0 && peer != NULL)
        Py_CLEAR(*peer);
    return data;
}

PyObject *socket_recv(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recv", &size, &flags))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv");
        return NULL;
    }
    return receive_bytes(op, size, flags, NULL);
}

PyObject *socket_recvfrom(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recvfrom", &size, &flags))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recvfrom");
        return NULL;
    }
    PyObject *peer = NULL, *data = receive_bytes(op, size, flags, &peer);
    return data != NULL ? Py_BuildValue("NN", data, peer) : NULL;
}

PyObject *socket_recv_into(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"buffer", "nbytes", "flags", NULL};
    Py_buffer buffer;
    Py_ssize_t size = 0, n = -1;
    int flags = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "w*|ni:recv_into", names, &buffer, &size, &flags))
        return NULL;
    if (size < 0)
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv_into");
    else if (size > buffer.len)
        PyErr_SetString(PyExc_ValueError, "buffer too small for requested bytes");
    else
        n = receive(op, buffer.buf, size > 0 ? size : buffer.len, flags, NULL);
    PyBuffer_Release(&buffer);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

PyObject *socket_recvfrom_into(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"buffer", "nbytes", "flags", NULL};
    Py_buffer buffer;
    Py_ssize_t size = 0, n = -1;
    int flags = 0;
    PyObject *peer = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "w*|ni:recvfrom_into", names, &buffer, &size, &flags))
        return NULL;
    if (size < 0)
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recvfrom_into");
    else if (size > buffer.len)
        PyErr_SetString(PyExc_ValueError, "nbytes is greater than the length of the buffer");
    else
        n = receive(op, buffer.buf, size > 0 ? size : buffer.len, flags, &peer);
    PyBuffer_Release(&buffer);
    return n < 0 ? NULL : Py_BuildValue("nN", n, peer);
}

/* ---- Sending ---- */

static ssize_t send_attempt(int fd, void *arg)
{
    struct transfer *t = arg;
    return sendto(fd, t->data, t->size, t->flags, (struct sockaddr *)t->address, t->address_size);
}

PyObject *socket_send(PyObject *op, PyObject *args)
{
    Py_buffer data;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "y*|i:send", &data, &flags))
        return NULL;
    struct transfer t = {data.buf, (size_t)data.len, flags, NULL, 0};
    socket_limit limit = socket_limit_start(op);
    ssize_t n = socket_call(op, 1, &limit, send_attempt, &t);
    PyBuffer_Release(&data);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

PyObject *socket_sendall(PyObject *op, PyObject *args)
{
    Py_buffer data;
    int flags = 0;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*|i:sendall", &data, &flags))
        return NULL;
    struct transfer t = {data.buf, (size_t)data.len, flags, NULL, 0};
    socket_limit limit = socket_limit_start(op);         /* for all parts together */
    do {
        ssize_t n = socket_call(op, 1, &limit, send_attempt, &t);
        if (n < 0)
            goto done;
        t.data = (char *)t.data + n;
        t.size -= (size_t)n;
        /* Without this a signal could not stop a long sequence of successful parts. */
        if (PyErr_CheckSignals() < 0)
            goto done;
    } while (t.size > 0);
    result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&data);
    return result;
}

PyObject *socket_sendto(PyObject *op, PyObject *args)
{
    Py_buffer data;
    int flags = 0;
    PyObject *address, *result = NULL;
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    socket_address a;
    if (given < 2 || given > 3) {
        PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", given);
        return NULL;
    }
    if (given == 2 ? !PyArg_ParseTuple(args, "y*O:sendto", &data, &address)
                   : !PyArg_ParseTuple(args, "y*iO:sendto", &data, &flags, &address))
        return NULL;
    struct transfer t = {data.buf, (size_t)data.len, flags, &a, 0};
    if (socket_address_parse(op, address, "sendto", &a, &t.address_size) == 0
        && PySys_Audit("socket.sendto", "OO", op, address) == 0) {
        socket_limit limit = socket_limit_start(op);
        ssize_t n = socket_call(op, 1, &limit, send_attempt, &t);
        if (n >= 0)
            result = PyLong_FromSsize_t(n);
    }
    PyBuffer_Release(&data);
    return result;
}
