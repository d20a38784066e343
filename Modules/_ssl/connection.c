/* _SSLSocket: a connection, its life and what it tells about itself. */
#include "ssl.h"

#define SELF(op) ((ssl_connection *)(op))

/* ---- Locks ---- */

/* Memory is locked in the order of addresses, since connections may share it crosswise. */
static void lock_memory(ssl_connection *self, ssl_memory **first, ssl_memory **second)
{
    *first = self->incoming < self->outgoing ? self->incoming : self->outgoing;
    *second = self->incoming < self->outgoing ? self->outgoing : self->incoming;
}

void ssl_connection_lock(ssl_connection *self)
{
    ssl_memory *first, *second;
    ssl_lock_acquire(&self->lock);
    if (self->incoming == NULL)
        return;
    lock_memory(self, &first, &second);
    ssl_lock_acquire(&first->lock);
    ssl_lock_acquire(&second->lock);
}

void ssl_connection_unlock(ssl_connection *self)
{
    ssl_memory *first, *second;
    if (self->incoming != NULL) {
        lock_memory(self, &first, &second);
        ssl_lock_release(&second->lock);
        ssl_lock_release(&first->lock);
    }
    ssl_lock_release(&self->lock);
}

/* ---- Life ---- */

/* The object behind a weak reference, counted; NULL if it is gone, or there was none. */
static PyObject *weak_get(PyObject *weak)
{
    PyObject *target = NULL;
    if (weak != NULL && PyWeakref_GetRef(weak, &target) < 0)
        PyErr_Clear();
    return target;
}

PyObject *ssl_connection_socket(ssl_connection *self, int line)
{
    if (self->socket == NULL)
        return Py_NewRef(Py_None);
    PyObject *socket = weak_get(self->socket);
    return socket != NULL ? socket : ssl_raise_queued("Underlying socket connection gone", line);
}

/* Tells OpenSSL whom to ask for, and whose certificate to accept. 0, or -1 with an exception. */
static int set_hostname(ssl_connection *self, PyObject *hostname)
{
    char *text = NULL;
    int ok = 1;
    if (!PyArg_Parse(hostname, "es", "ascii", &text))
        return -1;
    if (text[0] == 0 || text[0] == '.') {
        PyErr_SetString(PyExc_ValueError, "server_hostname cannot be an empty string or start with a leading dot.");
        PyMem_Free(text);
        return -1;
    }
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(text);
    if (ip == NULL)
        ERR_clear_error();
    self->hostname = PyUnicode_FromString(text);
    if (self->hostname == NULL)
        ok = -1;
    else if (ip == NULL)
        ok = SSL_set_tlsext_host_name(self->ssl, text);
    if (ok > 0 && self->context->check_hostname) {
        X509_VERIFY_PARAM *param = SSL_get0_param(self->ssl);
        ok = ip == NULL ? X509_VERIFY_PARAM_set1_host(param, text, strlen(text))
                        : X509_VERIFY_PARAM_set1_ip(param, ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
    }
    if (ok == 0)
        SSL_RAISE(NULL);
    ASN1_OCTET_STRING_free(ip);
    PyMem_Free(text);
    return ok > 0 ? 0 : -1;
}

/* Gives OpenSSL the socket or the memory. 0, or -1 with an exception. */
static int set_bio(ssl_connection *self, PyObject *socket)
{
    if (socket == NULL) {
        /* SSL_free will drop these references. */
        BIO_up_ref(self->incoming->bio);
        BIO_up_ref(self->outgoing->bio);
        SSL_set_bio(self->ssl, self->incoming->bio, self->outgoing->bio);
        return 0;
    }
    int fd = PyObject_AsFileDescriptor(socket);
    BIO *bio = fd >= 0 ? ssl_socket_bio_new(fd) : NULL;
    if (bio == NULL) {
        if (fd >= 0)
            SSL_RAISE(NULL);
        return -1;
    }
    SSL_set_bio(self->ssl, bio, bio);
    self->socket = PyWeakref_NewRef(socket, NULL);
    return self->socket != NULL ? 0 : -1;
}

/* Authentication of the client after the handshake, as the context has it. */
static void set_later_authentication(ssl_connection *self)
{
    if (!self->context->post_handshake_auth)
        return;
    if (!self->server_side) {
        SSL_set_post_handshake_auth(self->ssl, 1);
        return;
    }
    int mode = SSL_get_verify_mode(self->ssl);
    if (mode & SSL_VERIFY_PEER)
        SSL_set_verify(self->ssl, mode | SSL_VERIFY_POST_HANDSHAKE, SSL_get_verify_callback(self->ssl));
}

static int check_side(const ssl_context *context, int server_side)
{
    if (context->protocol == PROTOCOL_TLS_CLIENT && server_side)
        SSL_RAISE("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context");
    else if (context->protocol == PROTOCOL_TLS_SERVER && !server_side)
        SSL_RAISE("Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
    else
        return 0;
    return -1;
}

/* The part of the making that reads the context. 0, or -1 with an exception. Caller holds the context's lock. */
static int start_locked(ssl_connection *self, PyObject *socket, PyObject *hostname)
{
    self->ssl = SSL_new(self->context->ctx);
    if (self->ssl == NULL) {
        SSL_RAISE(NULL);
        return -1;
    }
    SSL_set_app_data(self->ssl, self);
    if (set_bio(self, socket) < 0)
        return -1;
    /* Not SSL_MODE_ENABLE_PARTIAL_WRITE: programs expect a socket that waits to send all at once. */
    SSL_set_mode(self->ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    set_later_authentication(self);
    if (hostname != Py_None && set_hostname(self, hostname) < 0)
        return -1;
    if (self->server_side)
        SSL_set_accept_state(self->ssl);
    else
        SSL_set_connect_state(self->ssl);
    return 0;
}

PyObject *ssl_connection_new(ssl_context *context, PyObject *socket, int server_side, PyObject *hostname, PyObject *owner,
                             PyObject *session, ssl_memory *incoming, ssl_memory *outgoing)
{
    if (check_side(context, server_side) < 0)
        return NULL;
    ssl_connection *self = (ssl_connection *)ssl_connection_type.tp_alloc(&ssl_connection_type, 0);
    if (self == NULL)
        return NULL;
    PyObject_GC_UnTrack(self);          /* until it is complete */
    self->server_side = server_side;
    self->context = (ssl_context *)Py_NewRef((PyObject *)context);
    self->incoming = (ssl_memory *)Py_XNewRef((PyObject *)incoming);
    self->outgoing = (ssl_memory *)Py_XNewRef((PyObject *)outgoing);
    ERR_clear_error();
    ssl_lock_acquire(&context->lock);
    int rc = start_locked(self, socket, hostname);
    ssl_lock_release(&context->lock);
    if (rc == 0 && owner != Py_None) {
        self->owner = PyWeakref_NewRef(owner, NULL);
        rc = self->owner != NULL ? 0 : -1;
    }
    if (rc == 0 && session != Py_None)
        rc = ssl_session_set((PyObject *)self, session, NULL);
    if (rc == 0)
        PyObject_GC_Track(self);
    else
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int connection_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)SELF(op)->context);
    Py_VISIT(SELF(op)->raised);
    return 0;
}

static void connection_dealloc(PyObject *op)
{
    ssl_connection *self = SELF(op);
    PyObject_GC_UnTrack(op);
    SSL_free(self->ssl);
    Py_XDECREF((PyObject *)self->context);
    Py_XDECREF(self->socket);
    Py_XDECREF(self->owner);
    Py_XDECREF(self->hostname);
    Py_XDECREF(self->raised);
    Py_XDECREF((PyObject *)self->incoming);
    Py_XDECREF((PyObject *)self->outgoing);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Certificates of the peer ---- */

static PyObject *connection_getpeercert(PyObject *op, PyObject *args)
{
    ssl_connection *self = SELF(op);
    int binary = 0;
    if (!PyArg_ParseTuple(args, "|p:getpeercert", &binary))
        return NULL;
    ssl_connection_lock(self);
    int finished = SSL_is_init_finished(self->ssl), verified = SSL_get_verify_mode(self->ssl) & SSL_VERIFY_PEER;
    X509 *certificate = finished ? SSL_get1_peer_certificate(self->ssl) : NULL;
    ssl_connection_unlock(self);
    if (!finished) {
        PyErr_SetString(PyExc_ValueError, "handshake not done yet");
        return NULL;
    }
    if (certificate == NULL)
        Py_RETURN_NONE;
    PyObject *result = binary ? ssl_certificate_der(certificate) : verified ? ssl_certificate_decode(certificate) : PyDict_New();
    X509_free(certificate);
    return result;
}

/* A copy of a chain whose certificates stay when the connection goes on; NULL: none. */
static PyObject *list_chain(STACK_OF(X509) *chain)
{
    if (chain == NULL)
        Py_RETURN_NONE;
    PyObject *list = ssl_certificate_list(chain);
    sk_X509_pop_free(chain, X509_free);
    return list;
}

static PyObject *connection_get_verified_chain(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    STACK_OF(X509) *chain = SSL_get0_verified_chain(SELF(op)->ssl), *copy = chain != NULL ? X509_chain_up_ref(chain) : NULL;
    ssl_connection_unlock(SELF(op));
    return list_chain(copy);
}

static PyObject *connection_get_unverified_chain(PyObject *op, PyObject *unused)
{
    ssl_connection *self = SELF(op);
    ssl_connection_lock(self);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(self->ssl), *copy = chain != NULL ? X509_chain_up_ref(chain) : NULL;
    /* OpenSSL leaves the client's own certificate out on servers. */
    X509 *own = copy != NULL && self->server_side ? SSL_get1_peer_certificate(self->ssl) : NULL;
    if (own != NULL && !sk_X509_insert(copy, own, 0))
        X509_free(own);
    ssl_connection_unlock(self);
    return list_chain(copy);
}

/* ---- What was agreed on ---- */

static PyObject *cipher_make(const SSL_CIPHER *cipher)
{
    if (cipher == NULL)
        Py_RETURN_NONE;
    return Py_BuildValue("szi", SSL_CIPHER_get_name(cipher), SSL_CIPHER_get_version(cipher),
                         SSL_CIPHER_get_bits(cipher, NULL));
}

static PyObject *connection_cipher(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    const SSL_CIPHER *cipher = SSL_get_current_cipher(SELF(op)->ssl);       /* static data of the library */
    ssl_connection_unlock(SELF(op));
    return cipher_make(cipher);
}

static PyObject *connection_shared_ciphers(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(SELF(op)->ssl);
    STACK_OF(SSL_CIPHER) *copy = ciphers != NULL ? sk_SSL_CIPHER_dup(ciphers) : NULL;
    ssl_connection_unlock(SELF(op));
    if (copy == NULL)
        Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_SSL_CIPHER_num(copy); i++) {
        PyObject *item = cipher_make(sk_SSL_CIPHER_value(copy, i));
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    sk_SSL_CIPHER_free(copy);
    return list;
}

static PyObject *connection_version(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    const char *version = SSL_is_init_finished(SELF(op)->ssl) ? SSL_get_version(SELF(op)->ssl) : NULL;
    ssl_connection_unlock(SELF(op));
    return Py_BuildValue("z", version);
}

static PyObject *connection_compression(PyObject *op, PyObject *unused)
{
    ssl_connection_lock(SELF(op));
    const COMP_METHOD *method = SSL_get_current_compression(SELF(op)->ssl);
    ssl_connection_unlock(SELF(op));
    int type = method != NULL ? COMP_get_type(method) : NID_undef;
    return Py_BuildValue("z", type != NID_undef ? OBJ_nid2sn(type) : NULL);
}

static PyObject *connection_selected_alpn_protocol(PyObject *op, PyObject *unused)
{
    const unsigned char *name;
    unsigned size;
    ssl_connection_lock(SELF(op));
    SSL_get0_alpn_selected(SELF(op)->ssl, &name, &size);
    PyObject *result = name != NULL ? PyUnicode_FromStringAndSize((const char *)name, size) : Py_NewRef(Py_None);
    ssl_connection_unlock(SELF(op));
    return result;
}

static PyObject *connection_get_channel_binding(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"cb_type", NULL};
    const char *type = "tls-unique";
    char message[EVP_MAX_MD_SIZE];
    ssl_connection *self = SELF(op);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|s:get_channel_binding", names, &type))
        return NULL;
    if (strcmp(type, "tls-unique") != 0) {
        PyErr_Format(PyExc_ValueError, "'%s' channel binding type not implemented", type);
        return NULL;
    }
    /* The first Finished message of the last handshake: the client's, unless a session was resumed. */
    ssl_connection_lock(self);
    size_t size = SSL_session_reused(self->ssl) ^ !self->server_side
                      ? SSL_get_finished(self->ssl, message, sizeof message)
                      : SSL_get_peer_finished(self->ssl, message, sizeof message);
    ssl_connection_unlock(self);
    if (size == 0)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(message, (Py_ssize_t)size);
}

/* ---- Attributes ---- */

static PyObject *get_context(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    PyObject *context = Py_NewRef((PyObject *)SELF(op)->context);
    ssl_lock_release(&SELF(op)->lock);
    return context;
}

/* The server may decide on another context by the name that the client asks for. */
static int set_context(PyObject *op, PyObject *value, void *unused)
{
    ssl_connection *self = SELF(op);
    if (value == NULL || !PyObject_TypeCheck(value, &ssl_context_type)) {
        PyErr_SetString(PyExc_TypeError, "The value must be a SSLContext");
        return -1;
    }
    ssl_context *context = (ssl_context *)Py_NewRef(value);
    ssl_connection_lock(self);
    ssl_context *old = self->context;
    self->context = context;
    SSL_set_SSL_CTX(self->ssl, context->ctx);
    ssl_callbacks_follow(self);
    ssl_connection_unlock(self);
    Py_DECREF((PyObject *)old);
    return 0;
}

static PyObject *get_server_side(PyObject *op, void *unused) { return PyBool_FromLong(SELF(op)->server_side); }

static PyObject *get_server_hostname(PyObject *op, void *unused)
{
    return Py_NewRef(SELF(op)->hostname != NULL ? SELF(op)->hostname : Py_None);
}

static PyObject *get_owner(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    PyObject *weak = Py_XNewRef(SELF(op)->owner);
    ssl_lock_release(&SELF(op)->lock);
    PyObject *owner = weak_get(weak);
    Py_XDECREF(weak);
    return owner != NULL ? owner : Py_NewRef(Py_None);
}

static int set_owner(PyObject *op, PyObject *value, void *unused)
{
    PyObject *weak = PyWeakref_NewRef(value != NULL ? value : Py_None, NULL);
    if (weak == NULL)
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    PyObject *old = SELF(op)->owner;
    SELF(op)->owner = weak;
    ssl_lock_release(&SELF(op)->lock);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_session_reused(PyObject *op, void *unused)
{
    ssl_connection_lock(SELF(op));
    int reused = SSL_session_reused(SELF(op)->ssl);
    ssl_connection_unlock(SELF(op));
    return PyBool_FromLong(reused);
}

/* ---- The type ---- */

static PyMethodDef methods[] = {
    {"do_handshake", ssl_do_handshake, METH_NOARGS, "do_handshake($self, /)\n--\n\nNegotiates with the peer."},
    {"write", ssl_write, METH_O, "write($self, b, /)\n--\n\nSends bytes; how many."},
    {"read", ssl_read, METH_VARARGS, "read(size, [buffer])\n\nReceives at most size bytes; with a buffer, into it."},
    {"pending", ssl_pending, METH_NOARGS, "pending($self, /)\n--\n\nHow many bytes can be read at once."},
    {"shutdown", ssl_shutdown, METH_NOARGS,
     "shutdown($self, /)\n--\n\nEnds the use of TLS with the peer; returns the socket below."},
    {"verify_client_post_handshake", ssl_verify_client_post_handshake, METH_NOARGS,
     "verify_client_post_handshake($self, /)\n--\n\nAsks the client for its certificate."},
    {"getpeercert", connection_getpeercert, METH_VARARGS,
     "getpeercert($self, der=False, /)\n--\n\nThe certificate of the peer: a dict (empty if it was not verified), or bytes."},
    {"get_verified_chain", connection_get_verified_chain, METH_NOARGS, "get_verified_chain($self, /)\n--\n\n"},
    {"get_unverified_chain", connection_get_unverified_chain, METH_NOARGS, "get_unverified_chain($self, /)\n--\n\n"},
    {"cipher", connection_cipher, METH_NOARGS, "cipher($self, /)\n--\n\n(name, protocol, bits) of the cipher in use."},
    {"shared_ciphers", connection_shared_ciphers, METH_NOARGS, "shared_ciphers($self, /)\n--\n\n"},
    {"version", connection_version, METH_NOARGS, "version($self, /)\n--\n\nThe protocol agreed on."},
    {"compression", connection_compression, METH_NOARGS, "compression($self, /)\n--\n\n"},
    {"selected_alpn_protocol", connection_selected_alpn_protocol, METH_NOARGS, "selected_alpn_protocol($self, /)\n--\n\n"},
    MODULE_METHOD("get_channel_binding", connection_get_channel_binding, METH_VARARGS | METH_KEYWORDS,
                  "get_channel_binding($self, /, cb_type='tls-unique')\n--\n\nBytes that only the two ends know."),
    {NULL},
};

static PyGetSetDef getset[] = {
    {"context", get_context, set_context, "The context of the connection.", NULL},
    {"server_side", get_server_side, NULL, "Is this the server's end?", NULL},
    {"server_hostname", get_server_hostname, NULL, "The name of the server that was asked for.", NULL},
    {"owner", get_owner, set_owner, "The object that callbacks are given.", NULL},
    {"session", ssl_session_get, ssl_session_set, "The session of the connection.", NULL},
    {"session_reused", get_session_reused, NULL, "Was a session resumed?", NULL},
    {NULL},
};

PyTypeObject ssl_connection_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ssl._SSLSocket",
    .tp_basicsize = sizeof(ssl_connection),
    .tp_dealloc = connection_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = connection_traverse,
    .tp_methods = methods,
    .tp_getset = getset,
};
