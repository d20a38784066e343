/* What the parts of the _ssl module share.
 *
 * OpenSSL's objects may be used by one thread at a time. Each connection and each context has a lock for that, which is
 * held
 * only while OpenSSL works, never while a connection waits for its peer: OpenSSL always finds a socket that does not
 * block (socket_bio.c), and waiting is done outside, so that one thread can read while another writes. The lock knows its
 * owner, because OpenSSL calls Python, whose callbacks may use the same object again.
 * Beside it a connection has a second lock that a writer holds until its record is out, for OpenSSL wants a write that was
 * interrupted to be repeated before another. It is taken first. */
#ifndef BRAID_SSL_H
#define BRAID_SSL_H

#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* ---- Locks ---- */

typedef struct {
    PyMutex mutex;
    unsigned long owner;        /* [atomic] thread identifier; 0: free */
    int depth;                  /* [lock] */
} ssl_lock;

static inline void ssl_lock_acquire(ssl_lock *lock)
{
    unsigned long me = PyThread_get_thread_ident();
    /* Only this thread can have stored its own identifier. */
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != me) {
        PyMutex_Lock(&lock->mutex);
        __atomic_store_n(&lock->owner, me, __ATOMIC_RELAXED);
    }
    lock->depth++;
}

static inline void ssl_lock_release(ssl_lock *lock)
{
    if (--lock->depth > 0)
        return;
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    PyMutex_Unlock(&lock->mutex);
}

/* ---- Objects ---- */

/* The protocols of contexts, as Python numbers them. */
enum { PROTOCOL_TLS = 2, PROTOCOL_TLSV1, PROTOCOL_TLSV1_1, PROTOCOL_TLSV1_2, PROTOCOL_TLS_CLIENT = 16, PROTOCOL_TLS_SERVER };

typedef struct {
    PyObject_HEAD
    ssl_lock lock;
    SSL_CTX *ctx;                       /* [const]; what it holds: [lock] */
    int protocol;                       /* [const] */
    int check_hostname;                 /* [lock] */
    int post_handshake_auth;            /* [lock] */
    unsigned hostflags;                 /* [lock] */
    unsigned char *alpn;                /* [lock] the protocols that a server knows, as sent */
    unsigned alpn_size;                 /* [lock] */
    PyObject *sni_callback;             /* [lock] or NULL; counted, as the next ones */
    PyObject *message_callback;         /* [lock] or NULL */
    PyObject *keylog_filename;          /* [lock] or NULL */
    BIO *keylog;                        /* [lock] or NULL */
} ssl_context;

typedef struct {
    PyObject_HEAD
    ssl_lock lock;
    BIO *bio;                           /* [const]; what it holds: [lock] */
    int eof;                            /* [lock] */
} ssl_memory;

typedef struct {
    PyObject_HEAD
    ssl_lock lock;
    ssl_lock write_lock;
    SSL *ssl;                           /* [const]; what it holds: [lock] */
    PyObject *socket;                   /* [const] weak reference, or NULL: works on memory */
    PyObject *hostname;                 /* [const] str, or NULL */
    ssl_memory *incoming, *outgoing;    /* [const] counted, or NULL: works on a socket */
    int server_side;                    /* [const] */
    ssl_context *context;               /* [lock] counted, as the next ones */
    PyObject *owner;                    /* [lock] weak reference, or NULL */
    PyObject *raised;                   /* [lock] an exception of a callback, or NULL */
    int shutdown_seen_zero;             /* [lock] */
} ssl_connection;

typedef struct {
    PyObject_HEAD
    SSL_SESSION *session;               /* [const] */
    ssl_context *context;               /* [const] counted */
} ssl_session;

extern PyTypeObject ssl_context_type, ssl_connection_type, ssl_session_type, ssl_memory_type, ssl_certificate_type;
extern PyTypeObject *ssl_socket_class;          /* _socket.socket; set once, by the first import, as the next ones */
extern PyObject *ssl_error_class, *ssl_zero_return_class, *ssl_want_read_class, *ssl_want_write_class;
extern PyObject *ssl_syscall_class, *ssl_eof_class, *ssl_verification_class;

/* ---- error.c ---- */

/* What went wrong in a call on a connection; to be taken right after it, before anything else is called. */
typedef struct {
    int code;                   /* SSL_ERROR_* */
    int number;                 /* errno */
    unsigned long queued;       /* the last error of OpenSSL's queue, or 0 */
    int result;                 /* of the call */
} ssl_failure;
ssl_failure ssl_failure_take(const SSL *ssl, int result);

/* Raises what went wrong; NULL. self: the connection, for the reasons of a verification that failed. */
PyObject *ssl_raise(ssl_connection *self, const ssl_failure *failure, int line);
/* Raises SSLError for the last error in OpenSSL's queue, or with this message; NULL. */
PyObject *ssl_raise_queued(const char *message, int line);
/* The same after a function that opens files: OSError if the system refused. */
PyObject *ssl_raise_file(int number, int line);
int ssl_error_init(PyObject *module);

#define SSL_RAISE(message) ssl_raise_queued((message), __LINE__)

/* ---- The others ---- */

/* callbacks.c */
PyObject *ssl_callbacks_get_sni(PyObject *op, void *closure), *ssl_callbacks_get_message(PyObject *op, void *closure);
PyObject *ssl_callbacks_get_keylog(PyObject *op, void *closure);
int ssl_callbacks_set_sni(PyObject *op, PyObject *callback, void *closure);
int ssl_callbacks_set_message(PyObject *op, PyObject *callback, void *closure);
int ssl_callbacks_set_keylog(PyObject *op, PyObject *filename, void *closure);
/* After the context of a connection was changed. Caller holds the connection's lock. */
void ssl_callbacks_follow(ssl_connection *self);
/* Finds a protocol that both sides know, on a server; a callback of OpenSSL. */
int ssl_callbacks_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in,
                              unsigned in_size, void *arg);
/* A password for OpenSSL: given, or asked from Python. */
typedef struct {
    PyObject *callable;         /* or NULL; borrowed */
    PyObject *bytes;            /* or NULL; counted */
    int failed;                 /* an exception is set */
} ssl_password;
int ssl_callbacks_password(char *buffer, int room, int writing, void *password);
/* Sets bytes from an object. 0, or -1 with an exception. */
int ssl_password_set(ssl_password *password, PyObject *value, const char *wrong_type);

/* certificate.c */
PyObject *ssl_certificate_decode(X509 *certificate), *ssl_certificate_der(X509 *certificate);
PyObject *ssl_certificate_list(STACK_OF(X509) *chain);          /* of Certificate objects */

/* session.c */
PyObject *ssl_session_get(PyObject *connection, void *closure);
int ssl_session_set(PyObject *connection, PyObject *session, void *closure);

/* connection.c */
PyObject *ssl_connection_new(ssl_context *context, PyObject *socket, int server_side, PyObject *hostname, PyObject *owner,
                             PyObject *session, ssl_memory *incoming, ssl_memory *outgoing);
/* The locks of a connection and of the memory that it works on. */
void ssl_connection_lock(ssl_connection *self), ssl_connection_unlock(ssl_connection *self);
/* The socket, a new reference; None for memory. NULL with an exception if it is gone. */
PyObject *ssl_connection_socket(ssl_connection *self, int line);

/* socket_bio.c: a BIO on the descriptor, which never blocks. */
BIO *ssl_socket_bio_new(int fd);

/* context_load.c, transfer.c, functions.c */
typedef PyObject *ssl_method(PyObject *op, PyObject *args);
typedef PyObject *ssl_keyword_method(PyObject *op, PyObject *args, PyObject *kwargs);
ssl_method ssl_load_dh_params, ssl_set_ecdh_curve, ssl_cert_store_stats, ssl_set_default_verify_paths;
ssl_keyword_method ssl_load_cert_chain, ssl_load_verify_locations, ssl_get_ca_certs;
ssl_method ssl_do_handshake, ssl_read, ssl_write, ssl_shutdown, ssl_pending, ssl_verify_client_post_handshake;
extern PyMethodDef ssl_functions[];
int ssl_add_constants(PyObject *module);

#endif /* BRAID_SSL_H */
