/* OpenSSL calling Python: by the name a client asks for, for each message, to log keys, for passwords.
 *
 * OpenSSL runs detached. A callback attaches, may find its connection or context locked by its own thread, and leaves an
 * exception in the connection, whose method raises it. */
#include "ssl.h"

#define CONTEXT(op) ((ssl_context *)(op))

static int check_callable(PyObject *callback)
{
    if (callback == NULL || callback == Py_None || PyCallable_Check(callback))
        return 0;
    PyErr_SetString(PyExc_TypeError, "not a callable object");
    return -1;
}

/* Exchanges a callback or name of a context for a new one (NULL or None: none). */
static void exchange(ssl_context *self, PyObject **field, PyObject *value)
{
    PyObject *new = value != NULL && value != Py_None ? Py_NewRef(value) : NULL;
    ssl_lock_acquire(&self->lock);
    PyObject *old = *field;
    *field = new;
    ssl_lock_release(&self->lock);
    Py_XDECREF(old);
}

/* A new reference, or NULL if there is none. */
static PyObject *take(ssl_context *self, PyObject **field)
{
    ssl_lock_acquire(&self->lock);
    PyObject *value = Py_XNewRef(*field);
    ssl_lock_release(&self->lock);
    return value;
}

static PyObject *take_or_none(PyObject *op, PyObject **field)
{
    PyObject *value = take(CONTEXT(op), field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

/* Keeps the exception that is set for the method of the connection; further ones are dropped. */
static void keep_exception(ssl_connection *connection)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (connection->raised == NULL)
        connection->raised = exception;
    else
        Py_XDECREF(exception);
}

/* The object that stands for the connection in Python; a new reference, or NULL with an exception. */
static PyObject *represent(ssl_connection *connection)
{
    PyObject *weak = connection->owner != NULL ? connection->owner : connection->socket, *target = NULL;
    if (weak == NULL)
        return Py_NewRef((PyObject *)connection);
    if (PyWeakref_GetRef(weak, &target) == 0)
        PyErr_SetString(ssl_error_class, "the socket is gone");
    return target;
}

/* ---- The name that a client asks for ---- */

/* Calls back; the alert to send, or -1: none. */
static int call_sni(ssl_connection *connection, PyObject *callback, const char *name)
{
    PyObject *self = represent(connection), *text = NULL, *result = NULL;
    int alert = SSL_AD_HANDSHAKE_FAILURE;
    if (self == NULL) {
        PyErr_Clear();
        return SSL_AD_INTERNAL_ERROR;
    }
    text = name != NULL ? PyUnicode_FromString(name) : Py_NewRef(Py_None);
    if (text == NULL) {
        PyErr_WriteUnraisable((PyObject *)connection->context);
        alert = SSL_AD_INTERNAL_ERROR;
        goto done;
    }
    PyObject *context = Py_NewRef((PyObject *)connection->context);
    result = PyObject_CallFunctionObjArgs(callback, self, text, context, NULL);
    Py_DECREF(context);
    if (result == NULL) {
        PyErr_WriteUnraisable(callback);
    }
    else if (result == Py_None) {
        alert = -1;
    }
    else {
        alert = _PyLong_AsInt(result);
        if (alert == -1 && PyErr_Occurred()) {
            PyErr_WriteUnraisable(result);
            alert = SSL_AD_INTERNAL_ERROR;
        }
    }
done:
    Py_XDECREF(result);
    Py_XDECREF(text);
    Py_DECREF(self);
    return alert;
}

/* arg is the context that the function was set for, which may be dead: OpenSSL comes back to the first context of a connection
 * when the client has to send its hello again, and the connection has been given another one by then. So it is only compared. */
static int sni_callback(SSL *ssl, int *alert, void *arg)
{
    PyGILState_STATE state = PyGILState_Ensure();
    ssl_connection *connection = SSL_get_app_data(ssl);
    ssl_context *context = connection->context;
    int answer = -1;
    PyObject *callback = arg == context ? take(context, &context->sni_callback) : NULL;
    if (callback != NULL)
        answer = call_sni(connection, callback, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    Py_XDECREF(callback);
    PyGILState_Release(state);
    if (answer == -1)
        return SSL_TLSEXT_ERR_OK;
    *alert = answer;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

PyObject *ssl_callbacks_get_sni(PyObject *op, void *unused) { return take_or_none(op, &CONTEXT(op)->sni_callback); }

int ssl_callbacks_set_sni(PyObject *op, PyObject *callback, void *unused)
{
    ssl_context *self = CONTEXT(op);
    if (self->protocol == PROTOCOL_TLS_CLIENT) {
        PyErr_SetString(PyExc_ValueError, "sni_callback cannot be set on TLS_CLIENT context");
        return -1;
    }
    if (check_callable(callback) < 0)
        return -1;
    exchange(self, &self->sni_callback, callback);
    ssl_lock_acquire(&self->lock);
    int (*function)(SSL *, int *, void *) = self->sni_callback != NULL ? sni_callback : NULL;
    SSL_CTX_set_tlsext_servername_callback(self->ctx, function);
    SSL_CTX_set_tlsext_servername_arg(self->ctx, self);
    ssl_lock_release(&self->lock);
    return 0;
}

/* Finds the first protocol of ours among the client's; what is handed out lies in the client's list, which stays while
 * ours may be replaced. Both are sequences of a size and so many bytes. Caller holds the lock. */
static int select_protocol_locked(ssl_context *self, const unsigned char *in, unsigned in_size, const unsigned char **out,
                                  unsigned char *out_size)
{
    for (unsigned i = 0; i + 1 + (i < self->alpn_size ? self->alpn[i] : 0) <= self->alpn_size; i += 1u + self->alpn[i])
        for (unsigned j = 0; j < in_size && j + 1 + in[j] <= in_size; j += 1u + in[j])
            if (in[j] == self->alpn[i] && memcmp(&in[j + 1], &self->alpn[i + 1], in[j]) == 0) {
                *out = &in[j + 1];
                *out_size = in[j];
                return 1;
            }
    return 0;
}

int ssl_callbacks_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in,
                              unsigned in_size, void *arg)
{
    ssl_context *self = arg;
    PyGILState_STATE state = PyGILState_Ensure();
    ssl_lock_acquire(&self->lock);
    int found = select_protocol_locked(self, in, in_size, out, out_size);
    ssl_lock_release(&self->lock);
    PyGILState_Release(state);
    return found ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* ---- Messages ---- */

/* The type of a message, as ssl.py numbers them. */
static int message_type(int version, int content, const unsigned char *data, size_t size)
{
    switch (content) {
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        return SSL3_MT_CHANGE_CIPHER_SPEC;
    case SSL3_RT_ALERT:
        return size > 1 ? data[1] : -1;
    case SSL3_RT_HANDSHAKE:
        return size > 0 ? data[0] : -1;
    case SSL3_RT_HEADER:
        return size > 0 ? data[0] : -1;
    case SSL3_RT_INNER_CONTENT_TYPE:
        return size > 0 ? data[0] : -1;
    default:
        return -1;
    }
}

static void message_callback(int writing, int version, int content, const void *data, size_t size, SSL *ssl, void *arg)
{
    PyGILState_STATE state = PyGILState_Ensure();
    ssl_connection *connection = SSL_get_app_data(ssl);
    ssl_context *context = connection->context;
    PyObject *callback = take(context, &context->message_callback), *self = NULL, *result = NULL;
    if (callback != NULL && connection->raised == NULL) {
        self = represent(connection);
        result = self != NULL ? PyObject_CallFunction(callback, "Osiiiy#", self, writing ? "write" : "read", version, content,
                                                      message_type(version, content, data, size), (const char *)data,
                                                      (Py_ssize_t)size)
                              : NULL;
        if (result == NULL)
            keep_exception(connection);
    }
    Py_XDECREF(result);
    Py_XDECREF(self);
    Py_XDECREF(callback);
    PyGILState_Release(state);
}

PyObject *ssl_callbacks_get_message(PyObject *op, void *unused)
{
    return take_or_none(op, &CONTEXT(op)->message_callback);
}

int ssl_callbacks_set_message(PyObject *op, PyObject *callback, void *unused)
{
    ssl_context *self = CONTEXT(op);
    if (check_callable(callback) < 0)
        return -1;
    exchange(self, &self->message_callback, callback);
    ssl_lock_acquire(&self->lock);
    SSL_CTX_set_msg_callback(self->ctx, self->message_callback != NULL ? message_callback : NULL);
    ssl_lock_release(&self->lock);
    return 0;
}

void ssl_callbacks_follow(ssl_connection *self)
{
    ssl_lock_acquire(&self->context->lock);
    SSL_set_msg_callback(self->ssl, self->context->message_callback != NULL ? message_callback : NULL);
    ssl_lock_release(&self->context->lock);
}

/* ---- Keys ---- */

/* Appends a line to the file. The BIO is the context's, and its lock keeps lines apart. */
static void keylog_callback(const SSL *ssl, const char *line)
{
    PyGILState_STATE state = PyGILState_Ensure();
    ssl_connection *connection = SSL_get_app_data(ssl);
    ssl_context *context = connection->context;
    ssl_lock_acquire(&context->lock);
    int failed = 0;
    if (context->keylog != NULL)
        failed = BIO_printf(context->keylog, "%s\n", line) < 0 || BIO_flush(context->keylog) < 0;
    PyObject *filename = Py_XNewRef(context->keylog_filename);
    ssl_lock_release(&context->lock);
    if (failed) {
        errno = EPIPE;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, filename);
        keep_exception(connection);
    }
    Py_XDECREF(filename);
    PyGILState_Release(state);
}

PyObject *ssl_callbacks_get_keylog(PyObject *op, void *unused) { return take_or_none(op, &CONTEXT(op)->keylog_filename); }

/* A file to which lines are appended, or NULL with an exception. */
static BIO *open_keylog(PyObject *filename)
{
    PyObject *path;
    int number = 0;
    if (!PyUnicode_FSConverter(filename, &path))
        return NULL;
    BIO *bio;
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    bio = BIO_new_file(PyBytes_AS_STRING(path), "a");
    number = errno;
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (bio == NULL) {
        ssl_raise_file(number, __LINE__);
        return NULL;
    }
    /* A comment for those who find the file. */
    if (BIO_tell(bio) == 0) {
        BIO_puts(bio, "# TLS secrets log file, generated by OpenSSL / Python\n");
        (void)BIO_flush(bio);
    }
    return bio;
}

int ssl_callbacks_set_keylog(PyObject *op, PyObject *filename, void *unused)
{
    ssl_context *self = CONTEXT(op);
    BIO *bio = NULL;
    int none = filename == NULL || filename == Py_None;
    if (!none && (bio = open_keylog(filename)) == NULL)
        return -1;
    exchange(self, &self->keylog_filename, filename);
    ssl_lock_acquire(&self->lock);
    BIO *old = self->keylog;
    self->keylog = bio;
    SSL_CTX_set_keylog_callback(self->ctx, none ? NULL : keylog_callback);
    ssl_lock_release(&self->lock);
    BIO_free_all(old);
    return 0;
}

/* ---- Passwords ---- */

int ssl_password_set(ssl_password *password, PyObject *value, const char *wrong_type)
{
    Py_CLEAR(password->bytes);
    if (PyUnicode_Check(value))
        password->bytes = PyUnicode_AsUTF8String(value);
    else if (PyBytes_Check(value) || PyByteArray_Check(value))
        password->bytes = PyBytes_FromObject(value);
    else
        PyErr_SetString(PyExc_TypeError, wrong_type);
    if (password->bytes != NULL && PyBytes_GET_SIZE(password->bytes) > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "password cannot be longer than %d bytes", INT_MAX);
        Py_CLEAR(password->bytes);
    }
    return password->bytes != NULL ? 0 : -1;
}

/* The password is in the buffer: its size, or -1. */
static int fill_password(ssl_password *password, char *buffer, int room)
{
    if (password->callable != NULL) {
        PyObject *value = PyObject_CallNoArgs(password->callable);
        int rc = value != NULL ? ssl_password_set(password, value, "password callback must return a string") : -1;
        Py_XDECREF(value);
        if (rc < 0)
            return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(password->bytes);
    if (size > room) {
        PyErr_Format(PyExc_ValueError, "password cannot be longer than %d bytes", room);
        return -1;
    }
    memcpy(buffer, PyBytes_AS_STRING(password->bytes), (size_t)size);
    return (int)size;
}

int ssl_callbacks_password(char *buffer, int room, int writing, void *arg)
{
    ssl_password *password = arg;
    PyGILState_STATE state = PyGILState_Ensure();
    int size = password->failed ? -1 : fill_password(password, buffer, room);
    if (size < 0)
        password->failed = 1;
    PyGILState_Release(state);
    return size;
}
