/* What a connection does with its peer: handshake, read, write, shutdown. */
#include "ssl.h"
#include "../_socket/socket.h"
#include <poll.h>
#include <time.h>

#define SELF(op) ((ssl_connection *)(op))
#define NS 1000000000LL

/* ---- Waiting ---- */

/* For how long an operation that begins now may wait, and on what. */
struct patience {
    PyObject *socket;           /* counted; None: there is none */
    int64_t timeout;            /* ns; -1: without limit, 0: does not wait */
    int64_t end;                /* of the monotonic clock */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

/* 0, or -1 with an exception. The caller drops socket. */
static int patience_start(struct patience *p, ssl_connection *self, int line)
{
    p->socket = ssl_connection_socket(self, line);
    if (p->socket == NULL)
        return -1;
    p->timeout = p->socket != Py_None ? SOCKET_LOAD(((socket_object *)p->socket)->timeout) : 0;
    if (p->timeout > 0 && __builtin_add_overflow(now_ns(), p->timeout, &p->end))
        p->end = INT64_MAX;
    return 0;
}

enum waited { READY, NOT_WAITING, TOO_LATE, CLOSED, RAISED };

/* Waits until the socket is ready for what OpenSSL wants. */
static enum waited wait_for(const struct patience *p, int want)
{
    if (p->timeout == 0)
        return NOT_WAITING;
    struct pollfd wanted = {.fd = socket_fd(p->socket), .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
    if (wanted.fd < 0)
        return CLOSED;
    for (;;) {
        int n;
        int64_t left = p->timeout > 0 ? p->end - now_ns() : 0;
        if (left < 0)
            return TOO_LATE;
        struct timespec ts = {left / NS, left % NS};
        Py_BEGIN_ALLOW_THREADS
        n = ppoll(&wanted, 1, p->timeout > 0 ? &ts : NULL, NULL);
        Py_END_ALLOW_THREADS
        if (n > 0)
            return READY;
        if (n == 0)
            return TOO_LATE;
        if (errno != EINTR) {
            socket_error();
            return RAISED;
        }
        if (PyErr_CheckSignals() < 0)
            return RAISED;
    }
}

/* ---- Running OpenSSL ---- */

struct transfer {
    void *data;
    size_t size, done;
};

/* A call of OpenSSL; its result is > 0 if it succeeded. Runs detached, with the connection locked. */
typedef int operation(SSL *ssl, struct transfer *t);

/* Calls it once. 1: done; 0: see *failure; -1: a callback raised. */
static int run_once(ssl_connection *self, operation *call, struct transfer *t, ssl_failure *failure)
{
    int result;
    ssl_connection_lock(self);
    Py_BEGIN_ALLOW_THREADS
    ERR_clear_error();
    errno = 0;
    result = call(self->ssl, t);
    *failure = result > 0 ? (ssl_failure){0} : ssl_failure_take(self->ssl, result);
    Py_END_ALLOW_THREADS
    PyObject *raised = self->raised;
    self->raised = NULL;
    ssl_connection_unlock(self);
    if (raised == NULL)
        return result > 0;
    PyErr_SetRaisedException(raised);
    return -1;
}

/* Calls it until it succeeds or fails, as long as the socket may wait; late: the message for too long. writing: other
 * writers wait until it is done. 1: done; 0: see *failure, of which WANT_READ and WANT_WRITE mean that the socket does
 * not wait; -1 with an exception. */
static int run(ssl_connection *self, const struct patience *p, operation *call, struct transfer *t, int writing,
               const char *late, ssl_failure *failure)
{
    enum waited waited = READY;
    int result;
    if (writing)
        ssl_lock_acquire(&self->write_lock);
    do {
        result = run_once(self, call, t, failure);
        if (result != 0 || (failure->code != SSL_ERROR_WANT_READ && failure->code != SSL_ERROR_WANT_WRITE))
            break;
        waited = wait_for(p, failure->code);
    } while (waited == READY);
    if (writing)
        ssl_lock_release(&self->write_lock);
    if (waited == TOO_LATE)
        PyErr_SetString(PyExc_TimeoutError, late);
    else if (waited == CLOSED)
        PyErr_SetString(ssl_error_class, "Underlying socket has been closed.");
    if (waited == TOO_LATE || waited == CLOSED || waited == RAISED || (result >= 0 && PyErr_CheckSignals() < 0))
        return -1;
    return result;
}

/* ---- Handshake ---- */

static int handshake(SSL *ssl, struct transfer *unused) { return SSL_do_handshake(ssl); }

PyObject *ssl_do_handshake(PyObject *op, PyObject *unused)
{
    struct patience p;
    ssl_failure failure;
    if (patience_start(&p, SELF(op), __LINE__) < 0)
        return NULL;
    int rc = run(SELF(op), &p, handshake, NULL, 0, "_ssl.c: The handshake operation timed out", &failure);
    Py_DECREF(p.socket);
    return rc > 0 ? Py_NewRef(Py_None) : rc == 0 ? ssl_raise(SELF(op), &failure, __LINE__) : NULL;
}

static int later_authentication(SSL *ssl, struct transfer *unused) { return SSL_verify_client_post_handshake(ssl); }

PyObject *ssl_verify_client_post_handshake(PyObject *op, PyObject *unused)
{
    ssl_failure failure;
    int rc = run_once(SELF(op), later_authentication, NULL, &failure);
    return rc > 0 ? Py_NewRef(Py_None) : rc == 0 ? ssl_raise(SELF(op), &failure, __LINE__) : NULL;
}

/* ---- Read and write ---- */

static int write_some(SSL *ssl, struct transfer *t) { return SSL_write_ex(ssl, t->data, t->size, &t->done); }
static int read_some(SSL *ssl, struct transfer *t) { return SSL_read_ex(ssl, t->data, t->size, &t->done); }

PyObject *ssl_write(PyObject *op, PyObject *arg)
{
    Py_buffer data;
    struct patience p;
    ssl_failure failure;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (patience_start(&p, SELF(op), __LINE__) == 0) {
        struct transfer t = {data.buf, (size_t)data.len, 0};
        int rc = run(SELF(op), &p, write_some, &t, 1, "The write operation timed out", &failure);
        if (rc >= 0)
            result = rc > 0 ? PyLong_FromSize_t(t.done) : ssl_raise(SELF(op), &failure, __LINE__);
        Py_DECREF(p.socket);
    }
    PyBuffer_Release(&data);
    return result;
}

/* The peer has ended the connection properly. */
static int at_end(ssl_connection *self, const ssl_failure *failure)
{
    if (failure->code != SSL_ERROR_ZERO_RETURN)
        return 0;
    ssl_connection_lock(self);
    int received = SSL_get_shutdown(self->ssl) == SSL_RECEIVED_SHUTDOWN;
    ssl_connection_unlock(self);
    return received;
}

/* Reads into data. The number of bytes, or -1 with an exception. */
static Py_ssize_t read_into(ssl_connection *self, void *data, Py_ssize_t size)
{
    struct patience p;
    ssl_failure failure;
    if (patience_start(&p, self, __LINE__) < 0)
        return -1;
    struct transfer t = {data, (size_t)size, 0};
    int rc = size == 0 ? 1 : run(self, &p, read_some, &t, 0, "The read operation timed out", &failure);
    Py_DECREF(p.socket);
    if (rc != 0)
        return rc > 0 ? (Py_ssize_t)t.done : -1;
    if (at_end(self, &failure))
        return 0;
    ssl_raise(self, &failure, __LINE__);
    return -1;
}

static PyObject *read_bytes(ssl_connection *self, Py_ssize_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL)
        return NULL;
    Py_ssize_t n = read_into(self, PyBytes_AS_STRING(bytes), size);
    if (n < 0)
        Py_CLEAR(bytes);
    else if (n != size)
        _PyBytes_Resize(&bytes, n);
    return bytes;
}

PyObject *ssl_read(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    Py_buffer buffer = {0};
    if (!PyArg_ParseTuple(args, "n|w*:read", &size, &buffer))
        return NULL;
    int given = PyTuple_GET_SIZE(args) > 1;
    if (!given && size < 0) {
        PyErr_SetString(PyExc_ValueError, "size should not be negative");
        return NULL;
    }
    if (!given)
        return read_bytes(SELF(op), size);
    if (size <= 0 || size > buffer.len)
        size = buffer.len;
    Py_ssize_t n = read_into(SELF(op), buffer.buf, size);
    PyBuffer_Release(&buffer);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

PyObject *ssl_pending(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    int size = SSL_pending(SELF(op)->ssl);
    ssl_connection_unlock(SELF(op));
    return PyLong_FromLong(size);
}

/* ---- Shutdown ---- */

/* The first call sends our word; a second one waits for the peer's, unless we have been here before. */
static int shut(SSL *ssl, struct transfer *unused)
{
    ssl_connection *self = SSL_get_app_data(ssl);
    for (int zeros = 0;;) {
        /* What the peer sends after its word is not for us. */
        if (self->shutdown_seen_zero)
            SSL_set_read_ahead(ssl, 0);
        int result = SSL_shutdown(ssl);
        if (result != 0)
            return result;
        self->shutdown_seen_zero = 1;
        if (++zeros > 1)
            return 1;
    }
}

PyObject *ssl_shutdown(PyObject *op, PyObject *unused)
{
    ssl_connection *self = SELF(op);
    struct patience p;
    ssl_failure failure;
    if (patience_start(&p, self, __LINE__) < 0)
        return NULL;
    PyObject *socket = p.socket;
    if (socket != Py_None && socket_fd(socket) < 0) {
        ssl_raise_queued("Underlying socket connection gone", __LINE__);
        Py_DECREF(socket);
        return NULL;
    }
    int rc = run(self, &p, shut, NULL, 0, "The read operation timed out", &failure);
    if (rc > 0)
        return socket;
    if (rc == 0)
        ssl_raise(self, &failure, __LINE__);
    Py_DECREF(socket);
    return NULL;
}
