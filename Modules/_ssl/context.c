/* _SSLContext: the settings of connections.
 *
 * OpenSSL marks the methods for one version as deprecated; Python still offers them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ssl.h"

#define SELF(op) ((ssl_context *)(op))

enum { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED };
enum { PROTO_MINIMUM_SUPPORTED = -2, PROTO_MAXIMUM_SUPPORTED = -1 };

#define NO_VERSION_OPTIONS \
    (SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3)

static int warn_deprecated(const char *what) { return PyErr_WarnFormat(PyExc_DeprecationWarning, 2, "%s deprecated", what); }

/* ---- Verification of the peer ---- */

/* Caller holds the lock. */
static void set_verification_locked(ssl_context *self, int mode)
{
    int flags = mode == CERT_NONE ? SSL_VERIFY_NONE
                : mode == CERT_OPTIONAL ? SSL_VERIFY_PEER
                                        : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(self->ctx, flags, NULL);
}

static int verification_locked(ssl_context *self)
{
    int flags = SSL_CTX_get_verify_mode(self->ctx);
    return !(flags & SSL_VERIFY_PEER) ? CERT_NONE : flags & SSL_VERIFY_FAIL_IF_NO_PEER_CERT ? CERT_REQUIRED : CERT_OPTIONAL;
}

static PyObject *get_verify_mode(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int mode = verification_locked(SELF(op));
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromLong(mode);
}

static int set_verify_mode(PyObject *op, PyObject *value, void *unused)
{
    int mode;
    if (!PyArg_Parse(value, "i", &mode))
        return -1;
    if (mode < CERT_NONE || mode > CERT_REQUIRED) {
        PyErr_SetString(PyExc_ValueError, "invalid value for verify_mode");
        return -1;
    }
    ssl_lock_acquire(&SELF(op)->lock);
    int refused = mode == CERT_NONE && SELF(op)->check_hostname;
    if (!refused)
        set_verification_locked(SELF(op), mode);
    ssl_lock_release(&SELF(op)->lock);
    if (refused)
        PyErr_SetString(PyExc_ValueError, "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
    return refused ? -1 : 0;
}

static PyObject *get_check_hostname(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int check = SELF(op)->check_hostname;
    ssl_lock_release(&SELF(op)->lock);
    return PyBool_FromLong(check);
}

static int set_check_hostname(PyObject *op, PyObject *value, void *unused)
{
    int check;
    if (!PyArg_Parse(value, "p", &check))
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    if (check && verification_locked(SELF(op)) == CERT_NONE)
        set_verification_locked(SELF(op), CERT_REQUIRED);
    SELF(op)->check_hostname = check;
    ssl_lock_release(&SELF(op)->lock);
    return 0;
}

static PyObject *get_host_flags(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    unsigned flags = SELF(op)->hostflags;
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromUnsignedLong(flags);
}

static int set_host_flags(PyObject *op, PyObject *value, void *unused)
{
    unsigned flags;
    if (!PyArg_Parse(value, "I", &flags))
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    SELF(op)->hostflags = flags;
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(SELF(op)->ctx), flags);
    ssl_lock_release(&SELF(op)->lock);
    return 0;
}

static PyObject *get_verify_flags(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    unsigned long flags = X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(SELF(op)->ctx));
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromUnsignedLong(flags);
}

static int set_verify_flags(PyObject *op, PyObject *value, void *unused)
{
    unsigned long flags;
    if (!PyArg_Parse(value, "k", &flags))
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(SELF(op)->ctx);
    unsigned long old = X509_VERIFY_PARAM_get_flags(param);
    int ok = (!(old & ~flags) || X509_VERIFY_PARAM_clear_flags(param, old & ~flags))
             && (!(flags & ~old) || X509_VERIFY_PARAM_set_flags(param, flags & ~old));
    ssl_lock_release(&SELF(op)->lock);
    if (!ok)
        SSL_RAISE(NULL);
    return ok ? 0 : -1;
}

/* ---- Versions ---- */

static int library_version(int version, int lowest)
{
    return version == PROTO_MINIMUM_SUPPORTED ? (lowest ? 0 : TLS1_VERSION)
           : version == PROTO_MAXIMUM_SUPPORTED ? (lowest ? TLS1_3_VERSION : 0)
                                                : version;
}

/* Checks a version that was given. 0, or -1 with an exception. */
static int check_version(ssl_context *self, int version)
{
    if (self->protocol != PROTOCOL_TLS && self->protocol != PROTOCOL_TLS_CLIENT && self->protocol != PROTOCOL_TLS_SERVER) {
        PyErr_SetString(PyExc_ValueError,
                        "The context's protocol doesn't support modification of highest and lowest version.");
        return -1;
    }
    switch (version) {
    case SSL3_VERSION:
        return warn_deprecated("ssl.TLSVersion.SSLv3 is");
    case TLS1_VERSION:
        return warn_deprecated("ssl.TLSVersion.TLSv1 is");
    case TLS1_1_VERSION:
        return warn_deprecated("ssl.TLSVersion.TLSv1_1 is");
    case PROTO_MINIMUM_SUPPORTED:
    case PROTO_MAXIMUM_SUPPORTED:
    case TLS1_2_VERSION:
    case TLS1_3_VERSION:
        return 0;
    default:
        PyErr_Format(PyExc_ValueError, "Unsupported TLS/SSL version 0x%x", version);
        return -1;
    }
}

static int set_version(PyObject *op, PyObject *value, int lowest)
{
    int version;
    if (!PyArg_Parse(value, "i", &version) || check_version(SELF(op), version) < 0)
        return -1;
    int wanted = library_version(version, lowest);
    ssl_lock_acquire(&SELF(op)->lock);
    int ok = lowest ? SSL_CTX_set_min_proto_version(SELF(op)->ctx, wanted)
                    : SSL_CTX_set_max_proto_version(SELF(op)->ctx, wanted);
    ssl_lock_release(&SELF(op)->lock);
    if (!ok)
        PyErr_Format(PyExc_ValueError, "Unsupported protocol version 0x%x", wanted);
    return ok ? 0 : -1;
}

static int set_minimum_version(PyObject *op, PyObject *value, void *unused) { return set_version(op, value, 1); }
static int set_maximum_version(PyObject *op, PyObject *value, void *unused) { return set_version(op, value, 0); }

static PyObject *get_minimum_version(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int version = (int)SSL_CTX_get_min_proto_version(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromLong(version == 0 ? PROTO_MINIMUM_SUPPORTED : version);
}

static PyObject *get_maximum_version(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int version = (int)SSL_CTX_get_max_proto_version(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromLong(version == 0 ? PROTO_MAXIMUM_SUPPORTED : version);
}

/* ---- Options ---- */

static PyObject *get_options(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    uint64_t options = SSL_CTX_get_options(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromUnsignedLongLong(options);
}

static int set_options(PyObject *op, PyObject *value, void *unused)
{
    unsigned long long options;
    PyObject *number = value != NULL ? PyNumber_Index(value) : NULL;
    if (number == NULL)
        return -1;
    int rc = PyArg_Parse(number, "K", &options) ? 0 : -1;
    Py_DECREF(number);
    if (rc < 0)
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    uint64_t old = SSL_CTX_get_options(SELF(op)->ctx), set = options & ~old, clear = old & ~options;
    ssl_lock_release(&SELF(op)->lock);
    if (set & NO_VERSION_OPTIONS && warn_deprecated("ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are") < 0)
        return -1;
    ssl_lock_acquire(&SELF(op)->lock);
    SSL_CTX_clear_options(SELF(op)->ctx, clear);
    SSL_CTX_set_options(SELF(op)->ctx, set);
    ssl_lock_release(&SELF(op)->lock);
    return 0;
}

static PyObject *get_num_tickets(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    size_t number = SSL_CTX_get_num_tickets(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromSize_t(number);
}

static int set_num_tickets(PyObject *op, PyObject *value, void *unused)
{
    long number;
    if (!PyArg_Parse(value, "l", &number))
        return -1;
    if (number < 0 || SELF(op)->protocol != PROTOCOL_TLS_SERVER) {
        PyErr_SetString(PyExc_ValueError, number < 0 ? "value must be non-negative" : "SSLContext is not a server context.");
        return -1;
    }
    ssl_lock_acquire(&SELF(op)->lock);
    int ok = SSL_CTX_set_num_tickets(SELF(op)->ctx, (size_t)number);
    ssl_lock_release(&SELF(op)->lock);
    if (!ok)
        PyErr_SetString(PyExc_ValueError, "failed to set num tickets.");
    return ok ? 0 : -1;
}

static PyObject *get_security_level(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int level = SSL_CTX_get_security_level(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    return PyLong_FromLong(level);
}

static PyObject *get_post_handshake_auth(PyObject *op, void *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    int on = SELF(op)->post_handshake_auth;
    ssl_lock_release(&SELF(op)->lock);
    return PyBool_FromLong(on);
}

static int set_post_handshake_auth(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(value);
    if (on < 0)
        return -1;
    /* It takes effect when a connection is made. */
    ssl_lock_acquire(&SELF(op)->lock);
    SELF(op)->post_handshake_auth = on;
    ssl_lock_release(&SELF(op)->lock);
    return 0;
}

static PyObject *get_protocol(PyObject *op, void *unused) { return PyLong_FromLong(SELF(op)->protocol); }

/* ---- Ciphers and protocols ---- */

static PyObject *context_set_ciphers(PyObject *op, PyObject *args)
{
    const char *list;
    if (!PyArg_Parse(args, "s;set_ciphers() argument must be str", &list)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "set_ciphers() argument must be str, not %.50s", Py_TYPE(args)->tp_name);
        return NULL;
    }
    ssl_lock_acquire(&SELF(op)->lock);
    int ok = SSL_CTX_set_cipher_list(SELF(op)->ctx, list);
    ERR_clear_error();
    ssl_lock_release(&SELF(op)->lock);
    if (ok)
        Py_RETURN_NONE;
    PyErr_SetString(ssl_error_class, "No cipher can be selected.");
    return NULL;
}

static const char *lower_name(int nid) { return nid != NID_undef ? OBJ_nid2ln(nid) : NULL; }

static PyObject *describe_cipher(const SSL_CIPHER *cipher)
{
    char description[512];
    int algorithm_bits, strength = SSL_CIPHER_get_bits(cipher, &algorithm_bits);
    if (SSL_CIPHER_description(cipher, description, sizeof description) == NULL)
        description[0] = 0;
    description[strcspn(description, "\n")] = 0;
    return Py_BuildValue("{sksssssssisisOszszszsz}", "id", (unsigned long)SSL_CIPHER_get_id(cipher), "name",
                         SSL_CIPHER_get_name(cipher), "protocol", SSL_CIPHER_get_version(cipher), "description",
                         description, "strength_bits", strength, "alg_bits", algorithm_bits, "aead",
                         SSL_CIPHER_is_aead(cipher) ? Py_True : Py_False, "symmetric",
                         lower_name(SSL_CIPHER_get_cipher_nid(cipher)), "digest",
                         lower_name(SSL_CIPHER_get_digest_nid(cipher)), "kea", lower_name(SSL_CIPHER_get_kx_nid(cipher)),
                         "auth", lower_name(SSL_CIPHER_get_auth_nid(cipher)));
}

static PyObject *context_get_ciphers(PyObject *op, PyObject *unused)
{
    ssl_lock_acquire(&SELF(op)->lock);
    SSL *ssl = SSL_new(SELF(op)->ctx);
    ssl_lock_release(&SELF(op)->lock);
    if (ssl == NULL)
        return SSL_RAISE(NULL);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_SSL_CIPHER_num(ciphers); i++) {
        PyObject *item = describe_cipher(sk_SSL_CIPHER_value(ciphers, i));
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    SSL_free(ssl);
    return list;
}

static PyObject *context_set_alpn_protocols(PyObject *op, PyObject *arg)
{
    Py_buffer view;
    ssl_context *self = SELF(op);
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    unsigned char *copy = view.len <= UINT_MAX ? PyMem_RawMalloc((size_t)view.len + 1) : NULL;
    if (copy == NULL) {
        if (view.len > UINT_MAX)
            PyErr_Format(PyExc_OverflowError, "protocols longer than %u bytes", UINT_MAX);
        else
            PyErr_NoMemory();
        PyBuffer_Release(&view);
        return NULL;
    }
    memcpy(copy, view.buf, (size_t)view.len);
    ssl_lock_acquire(&self->lock);
    unsigned char *old = self->alpn;
    self->alpn = copy;
    self->alpn_size = (unsigned)view.len;
    int failed = SSL_CTX_set_alpn_protos(self->ctx, copy, self->alpn_size);     /* 0 is success, unlike elsewhere */
    SSL_CTX_set_alpn_select_cb(self->ctx, ssl_callbacks_select_alpn, self);
    ssl_lock_release(&self->lock);
    PyMem_RawFree(old);
    PyBuffer_Release(&view);
    return failed ? PyErr_NoMemory() : Py_NewRef(Py_None);
}

/* ---- Connections ---- */

static PyObject *context_wrap_socket(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sock", "server_side", "server_hostname", "owner", "session", NULL};
    PyObject *socket, *hostname = Py_None, *owner = Py_None, *session = Py_None;
    int server_side;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!i|O$OO:_wrap_socket", names, ssl_socket_class, &socket, &server_side,
                                     &hostname, &owner, &session))
        return NULL;
    return ssl_connection_new(SELF(op), socket, server_side != 0, hostname, owner, session, NULL, NULL);
}

static PyObject *context_wrap_bio(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"incoming", "outgoing", "server_side", "server_hostname", "owner", "session", NULL};
    PyObject *incoming, *outgoing, *hostname = Py_None, *owner = Py_None, *session = Py_None;
    int server_side;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!i|O$OO:_wrap_bio", names, &ssl_memory_type, &incoming,
                                     &ssl_memory_type, &outgoing, &server_side, &hostname, &owner, &session))
        return NULL;
    return ssl_connection_new(SELF(op), NULL, server_side != 0, hostname, owner, session, (ssl_memory *)incoming,
                              (ssl_memory *)outgoing);
}

static PyObject *context_session_stats(PyObject *op, PyObject *unused)
{
    SSL_CTX *ctx = SELF(op)->ctx;
    long values[11];
    ssl_lock_acquire(&SELF(op)->lock);
    values[0] = SSL_CTX_sess_number(ctx);
    values[1] = SSL_CTX_sess_connect(ctx);
    values[2] = SSL_CTX_sess_connect_good(ctx);
    values[3] = SSL_CTX_sess_connect_renegotiate(ctx);
    values[4] = SSL_CTX_sess_accept(ctx);
    values[5] = SSL_CTX_sess_accept_good(ctx);
    values[6] = SSL_CTX_sess_accept_renegotiate(ctx);
    values[7] = SSL_CTX_sess_hits(ctx);
    values[8] = SSL_CTX_sess_misses(ctx);
    values[9] = SSL_CTX_sess_timeouts(ctx);
    values[10] = SSL_CTX_sess_cache_full(ctx);
    ssl_lock_release(&SELF(op)->lock);
    return Py_BuildValue("{slslslslslslslslslslsl}", "number", values[0], "connect", values[1], "connect_good", values[2],
                         "connect_renegotiate", values[3], "accept", values[4], "accept_good", values[5],
                         "accept_renegotiate", values[6], "hits", values[7], "misses", values[8], "timeouts", values[9],
                         "cache_full", values[10]);
}

/* ---- Life ---- */

/* OpenSSL's method for a protocol. NULL with an exception. */
static const SSL_METHOD *find_method(int protocol)
{
    const char *deprecated = NULL;
    const SSL_METHOD *method = TLS_method();
    switch (protocol) {
    case PROTOCOL_TLS:
        deprecated = "ssl.PROTOCOL_TLS is";
        break;
    case PROTOCOL_TLSV1:
        deprecated = "ssl.PROTOCOL_TLSv1 is";
        method = TLSv1_method();
        break;
    case PROTOCOL_TLSV1_1:
        deprecated = "ssl.PROTOCOL_TLSv1_1 is";
        method = TLSv1_1_method();
        break;
    case PROTOCOL_TLSV1_2:
        deprecated = "ssl.PROTOCOL_TLSv1_2 is";
        method = TLSv1_2_method();
        break;
    case PROTOCOL_TLS_CLIENT:
        method = TLS_client_method();
        break;
    case PROTOCOL_TLS_SERVER:
        method = TLS_server_method();
        break;
    default:
        PyErr_Format(PyExc_ValueError, "invalid or unsupported protocol version %i", protocol);
        return NULL;
    }
    return deprecated != NULL && warn_deprecated(deprecated) < 0 ? NULL : method;
}

static void set_defaults(ssl_context *self)
{
    SSL_CTX *ctx = self->ctx;
    if (self->protocol == PROTOCOL_TLS_CLIENT) {
        self->check_hostname = 1;
        set_verification_locked(self, CERT_REQUIRED);
    }
    else {
        set_verification_locked(self, CERT_NONE);
    }
    SSL_CTX_set_options(ctx, (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3
                                 | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_SINGLE_DH_USE
                                 | SSL_OP_SINGLE_ECDH_USE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"Python", sizeof "Python");
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    self->hostflags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(param, self->hostflags);
}

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int protocol;
    if (!PyArg_ParseTuple(args, "i:_SSLContext", &protocol))
        return NULL;
    const SSL_METHOD *method = find_method(protocol);
    if (method == NULL)
        return NULL;
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (ctx == NULL)
        return SSL_RAISE(NULL);
    ssl_context *self = (ssl_context *)type->tp_alloc(type, 0);
    if (self == NULL) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    self->ctx = ctx;
    self->protocol = protocol;
    set_defaults(self);
    return (PyObject *)self;
}

static int context_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(SELF(op)->sni_callback);
    Py_VISIT(SELF(op)->message_callback);
    return 0;
}

static int context_clear(PyObject *op)
{
    Py_CLEAR(SELF(op)->sni_callback);
    Py_CLEAR(SELF(op)->message_callback);
    return 0;
}

static void context_dealloc(PyObject *op)
{
    ssl_context *self = SELF(op);
    PyObject_GC_UnTrack(op);
    context_clear(op);
    SSL_CTX_free(self->ctx);
    BIO_free_all(self->keylog);
    Py_XDECREF(self->keylog_filename);
    PyMem_RawFree(self->alpn);
    Py_TYPE(op)->tp_free(op);
}

/* ---- The type ---- */

static PyMethodDef methods[] = {
    MODULE_METHOD("_wrap_socket", context_wrap_socket, METH_VARARGS | METH_KEYWORDS,
                  "_wrap_socket($self, /, sock, server_side, server_hostname=None, *,\n             owner=None, session=None)\n--\n\n"
                  "A connection on a socket."),
    MODULE_METHOD("_wrap_bio", context_wrap_bio, METH_VARARGS | METH_KEYWORDS,
                  "_wrap_bio($self, /, incoming, outgoing, server_side,\n          server_hostname=None, *, owner=None, session=None)\n"
                  "--\n\nA connection on memory."),
    {"set_ciphers", context_set_ciphers, METH_O, "set_ciphers($self, cipherlist, /)\n--\n\nChooses the ciphers that may be used."},
    {"get_ciphers", context_get_ciphers, METH_NOARGS, "get_ciphers($self, /)\n--\n\nThe ciphers that may be used, as dicts."},
    {"_set_alpn_protocols", context_set_alpn_protocols, METH_O, "_set_alpn_protocols($self, protos, /)\n--\n\n"},
    {"session_stats", context_session_stats, METH_NOARGS, "session_stats($self, /)\n--\n\nCounts of sessions, as a dict."},
    MODULE_METHOD("load_cert_chain", ssl_load_cert_chain, METH_VARARGS | METH_KEYWORDS,
                  "load_cert_chain($self, /, certfile, keyfile=None, password=None)\n--\n\nLoads the own certificate and key."),
    MODULE_METHOD("load_verify_locations", ssl_load_verify_locations, METH_VARARGS | METH_KEYWORDS,
                  "load_verify_locations($self, /, cafile=None, capath=None, cadata=None)\n--\n\n"
                  "Loads certificates of authorities to trust."),
    MODULE_METHOD("get_ca_certs", ssl_get_ca_certs, METH_VARARGS | METH_KEYWORDS,
                  "get_ca_certs($self, /, binary_form=False)\n--\n\nThe certificates of authorities that are trusted."),
    {"load_dh_params", ssl_load_dh_params, METH_O, "load_dh_params($self, path, /)\n--\n\n"},
    {"set_ecdh_curve", ssl_set_ecdh_curve, METH_O, "set_ecdh_curve($self, name, /)\n--\n\n"},
    {"cert_store_stats", ssl_cert_store_stats, METH_NOARGS, "cert_store_stats($self, /)\n--\n\nHow much was loaded, as a dict."},
    {"set_default_verify_paths", ssl_set_default_verify_paths, METH_NOARGS, "set_default_verify_paths($self, /)\n--\n\n"},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"protocol", get_protocol, NULL, NULL, NULL},
    {"verify_mode", get_verify_mode, set_verify_mode, NULL, NULL},
    {"verify_flags", get_verify_flags, set_verify_flags, NULL, NULL},
    {"check_hostname", get_check_hostname, set_check_hostname, NULL, NULL},
    {"_host_flags", get_host_flags, set_host_flags, NULL, NULL},
    {"minimum_version", get_minimum_version, set_minimum_version, NULL, NULL},
    {"maximum_version", get_maximum_version, set_maximum_version, NULL, NULL},
    {"options", get_options, set_options, NULL, NULL},
    {"num_tickets", get_num_tickets, set_num_tickets, "How many session tickets a server sends with TLS 1.3.", NULL},
    {"security_level", get_security_level, NULL, "The security level of OpenSSL.", NULL},
    {"post_handshake_auth", get_post_handshake_auth, set_post_handshake_auth, NULL, NULL},
    {"sni_callback", ssl_callbacks_get_sni, ssl_callbacks_set_sni,
     "Called on servers with the name that a client asks for: (connection, name, context).", NULL},
    {"_msg_callback", ssl_callbacks_get_message, ssl_callbacks_set_message, NULL, NULL},
    {"keylog_filename", ssl_callbacks_get_keylog, ssl_callbacks_set_keylog, NULL, NULL},
    {NULL},
};

PyTypeObject ssl_context_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ssl._SSLContext",
    .tp_basicsize = sizeof(ssl_context),
    .tp_dealloc = context_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = context_traverse,
    .tp_clear = context_clear,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_new = context_new,
};
