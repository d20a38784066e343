/* MemoryBIO: bytes in memory that a connection receives from, or sends to, instead of a socket. OpenSSL keeps them; the
 * lock is taken by connections as well. */
#include "ssl.h"

#define SELF(op) ((ssl_memory *)(op))

static PyObject *memory_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":MemoryBIO", names))
        return NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return SSL_RAISE("failed to allocate BIO");
    /* Empty means that there may be more, until write_eof(). */
    BIO_set_retry_read(bio);
    BIO_set_mem_eof_return(bio, -1);
    ssl_memory *self = (ssl_memory *)type->tp_alloc(type, 0);
    if (self == NULL) {
        BIO_free(bio);
        return NULL;
    }
    self->bio = bio;
    return (PyObject *)self;
}

static void memory_dealloc(PyObject *op)
{
    BIO_free(SELF(op)->bio);
    Py_TYPE(op)->tp_free(op);
}

static size_t pending(ssl_memory *self)
{
    ssl_lock_acquire(&self->lock);
    size_t size = BIO_ctrl_pending(self->bio);
    ssl_lock_release(&self->lock);
    return size;
}

static PyObject *memory_read(PyObject *op, PyObject *args)
{
    ssl_memory *self = SELF(op);
    int size = -1;
    if (!PyArg_ParseTuple(args, "|i:read", &size))
        return NULL;
    size_t available = pending(self), wanted = size < 0 || (size_t)size > available ? available : (size_t)size;
    if (wanted > INT_MAX)
        wanted = INT_MAX;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)wanted);
    if (bytes == NULL || wanted == 0)
        return bytes;
    ssl_lock_acquire(&self->lock);
    int n = BIO_read(self->bio, PyBytes_AS_STRING(bytes), (int)wanted);
    ssl_lock_release(&self->lock);
    /* Another thread may have been faster. */
    if (n < (int)wanted)
        _PyBytes_Resize(&bytes, n < 0 ? 0 : n);
    return bytes;
}

static PyObject *memory_write(PyObject *op, PyObject *arg)
{
    ssl_memory *self = SELF(op);
    Py_buffer data;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (data.len > INT_MAX) {
        PyErr_Format(PyExc_OverflowError, "string longer than %d bytes", INT_MAX);
        goto done;
    }
    ssl_lock_acquire(&self->lock);
    int eof = self->eof, n = eof || data.len == 0 ? 0 : BIO_write(self->bio, data.buf, (int)data.len);
    ssl_lock_release(&self->lock);
    if (eof)
        PyErr_SetString(ssl_error_class, "cannot write() after write_eof()");
    else
        result = n < 0 ? SSL_RAISE(NULL) : PyLong_FromLong(n);
done:
    PyBuffer_Release(&data);
    return result;
}

static PyObject *memory_write_eof(PyObject *op, PyObject *unused)
{
    ssl_memory *self = SELF(op);
    ssl_lock_acquire(&self->lock);
    self->eof = 1;
    BIO_clear_retry_flags(self->bio);
    BIO_set_mem_eof_return(self->bio, 0);
    ssl_lock_release(&self->lock);
    Py_RETURN_NONE;
}

static PyObject *get_pending(PyObject *op, void *unused) { return PyLong_FromSize_t(pending(SELF(op))); }

static PyObject *get_eof(PyObject *op, void *unused)
{
    ssl_memory *self = SELF(op);
    ssl_lock_acquire(&self->lock);
    int at_end = self->eof && BIO_ctrl_pending(self->bio) == 0;
    ssl_lock_release(&self->lock);
    return PyBool_FromLong(at_end);
}

static PyMethodDef methods[] = {
    {"read", memory_read, METH_VARARGS, "read($self, size=-1, /)\n--\n\nTakes out size bytes, or all."},
    {"write", memory_write, METH_O, "write($self, b, /)\n--\n\nPuts bytes in; how many."},
    {"write_eof", memory_write_eof, METH_NOARGS, "write_eof($self, /)\n--\n\nTells that no more will come."},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"pending", get_pending, NULL, "The number of bytes inside.", NULL},
    {"eof", get_eof, NULL, "Is it empty, with no more to come?", NULL},
    {NULL},
};

PyTypeObject ssl_memory_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ssl.MemoryBIO",
    .tp_basicsize = sizeof(ssl_memory),
    .tp_dealloc = memory_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Bytes in memory that a connection works on.",
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_new = memory_new,
};
