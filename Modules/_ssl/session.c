/* SSLSession: what a connection leaves behind for a later one to resume. */
#include "ssl.h"

#define SELF(op) ((ssl_session *)(op))

/* The session of a connection; takes over the reference. */
static PyObject *make(SSL_SESSION *session, ssl_context *context)
{
    ssl_session *self = (ssl_session *)ssl_session_type.tp_alloc(&ssl_session_type, 0);
    if (self == NULL) {
        SSL_SESSION_free(session);
        return NULL;
    }
    self->session = session;
    self->context = (ssl_context *)Py_NewRef((PyObject *)context);
    return (PyObject *)self;
}

PyObject *ssl_session_get(PyObject *op, void *unused)
{
    ssl_connection *connection = (ssl_connection *)op;
    SSL_SESSION *copy = NULL;
    ssl_connection_lock(connection);
    SSL_SESSION *session = SSL_get0_session(connection->ssl);
    /* A copy, since OpenSSL goes on changing it. */
    if (session != NULL)
        copy = SSL_SESSION_dup(session);
    int none = session == NULL;
    ssl_context *context = (ssl_context *)Py_NewRef((PyObject *)connection->context);
    ssl_connection_unlock(connection);
    PyObject *result = none ? Py_NewRef(Py_None) : copy != NULL ? make(copy, context) : SSL_RAISE(NULL);
    Py_DECREF((PyObject *)context);
    return result;
}

int ssl_session_set(PyObject *op, PyObject *value, void *unused)
{
    ssl_connection *connection = (ssl_connection *)op;
    if (value == NULL || !Py_IS_TYPE(value, &ssl_session_type)) {
        PyErr_SetString(PyExc_TypeError, "Value is not a SSLSession.");
        return -1;
    }
    ssl_session *session = SELF(value);
    const char *wrong = NULL;
    int ok = 0;
    ssl_connection_lock(connection);
    if (connection->context->ctx != session->context->ctx)
        wrong = "Session refers to a different SSLContext.";
    else if (connection->server_side)
        wrong = "Cannot set session for server-side SSLSocket.";
    else if (SSL_is_init_finished(connection->ssl))
        wrong = "Cannot set session after handshake.";
    else {
        SSL_SESSION *copy = SSL_SESSION_dup(session->session);
        ok = copy != NULL && SSL_set_session(connection->ssl, copy);
        SSL_SESSION_free(copy);
    }
    ssl_connection_unlock(connection);
    if (wrong != NULL)
        PyErr_SetString(PyExc_ValueError, wrong);
    else if (!ok)
        SSL_RAISE(NULL);
    return ok ? 0 : -1;
}

static int session_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)SELF(op)->context);
    return 0;
}

static void session_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF((PyObject *)SELF(op)->context);
    SSL_SESSION_free(SELF(op)->session);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *session_compare(PyObject *a, PyObject *b, int operation)
{
    if (!Py_IS_TYPE(a, &ssl_session_type) || !Py_IS_TYPE(b, &ssl_session_type) || (operation != Py_EQ && operation != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    unsigned a_size, b_size;
    const unsigned char *a_id = SSL_SESSION_get_id(SELF(a)->session, &a_size);
    const unsigned char *b_id = SSL_SESSION_get_id(SELF(b)->session, &b_size);
    int same = a == b || (a_size == b_size && memcmp(a_id, b_id, a_size) == 0);
    return PyBool_FromLong(same == (operation == Py_EQ));
}

static PyObject *get_time(PyObject *op, void *unused) { return PyLong_FromLong(SSL_SESSION_get_time(SELF(op)->session)); }
static PyObject *get_timeout(PyObject *op, void *unused)
{
    return PyLong_FromLong(SSL_SESSION_get_timeout(SELF(op)->session));
}
static PyObject *get_lifetime(PyObject *op, void *unused)
{
    return PyLong_FromUnsignedLong(SSL_SESSION_get_ticket_lifetime_hint(SELF(op)->session));
}
static PyObject *get_id(PyObject *op, void *unused)
{
    unsigned size;
    const unsigned char *id = SSL_SESSION_get_id(SELF(op)->session, &size);
    return PyBytes_FromStringAndSize((const char *)id, size);
}
static PyObject *get_has_ticket(PyObject *op, void *unused)
{
    return PyBool_FromLong(SSL_SESSION_has_ticket(SELF(op)->session));
}

static PyGetSetDef getset[] = {
    {"has_ticket", get_has_ticket, NULL, "Does it hold a ticket of the server?", NULL},
    {"id", get_id, NULL, "Its identifier.", NULL},
    {"ticket_lifetime_hint", get_lifetime, NULL, "For how many seconds the server means to accept the ticket.", NULL},
    {"time", get_time, NULL, "When it was made, in seconds since 1970.", NULL},
    {"timeout", get_timeout, NULL, "For how many seconds it can be resumed.", NULL},
    {NULL},
};

PyTypeObject ssl_session_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ssl.SSLSession",
    .tp_basicsize = sizeof(ssl_session),
    .tp_dealloc = session_dealloc,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = session_traverse,
    .tp_richcompare = session_compare,
    .tp_getset = getset,
};
