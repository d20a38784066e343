/* What the parts of the _socket module share.
 *
 * A socket object has no lock. Its descriptor and its time limit are single words that are read and written atomically;
 * every operation reads them once and works on what it has read. Closing exchanges the descriptor for -1, so that of
 * several threads one closes it. That an operation of another thread may then hit a descriptor that is closed, or used
 * anew, is the program's matter, as with plain descriptors. Family, type and protocol are words of the same kind, since
 * __init__ may be called again. */
#ifndef BRAID_SOCKET_H
#define BRAID_SOCKET_H

#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>

#ifndef AF_QIPCRTR
#define AF_QIPCRTR 42
#endif

typedef struct {
    PyObject_HEAD
    int fd;                     /* [atomic] -1: closed */
    int family, type, proto;    /* [atomic] */
    int64_t timeout;            /* [atomic] ns; -1: none, 0: does not block */
} socket_object;

extern PyTypeObject socket_type;
extern PyObject *socket_herror, *socket_gaierror;       /* set once, by the first import */

#define SOCKET_LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define SOCKET_STORE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
static inline int socket_fd(PyObject *op) { return SOCKET_LOAD(((socket_object *)op)->fd); }
static inline int socket_family(PyObject *op) { return SOCKET_LOAD(((socket_object *)op)->family); }
static inline int socket_proto(PyObject *op) { return SOCKET_LOAD(((socket_object *)op)->proto); }

/* The exception for errno; NULL. */
static inline PyObject *socket_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }
/* None, or the exception for errno if rc < 0. */
static inline PyObject *socket_none(int rc) { return rc < 0 ? socket_error() : Py_NewRef(Py_None); }

/* ---- socket_object.c ---- */

/* One try of an operation; runs detached. A count or 0; below 0: see errno. */
typedef ssize_t socket_attempt(int fd, void *arg);

/* When an operation that began now is to give up. */
typedef struct {
    int64_t timeout;            /* as in the object, when the operation began */
    int64_t end;                /* of the monotonic clock, if timeout > 0 */
} socket_limit;
socket_limit socket_limit_start(PyObject *op);

/* Repeats attempt(fd, arg) until it succeeds, fails or limit is reached, waiting for the socket to be readable or (writing)
 * writable. Returns  what attempt returned, or -1 with an exception
 * Escapes  signal handlers */
ssize_t socket_call(PyObject *op, int writing, const socket_limit *limit, socket_attempt *attempt, void *arg);

/* A new object of that descriptor, which it owns (and closes on failure). */
PyObject *socket_make(PyTypeObject *type, int fd, int family, int kind, int proto);
extern PyMethodDef socket_module_object_methods[];      /* get- and setdefaulttimeout */

/* ---- address.c ---- */

typedef union {
    struct sockaddr any;
    struct sockaddr_storage storage;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_nl nl;
    struct sockaddr_ll ll;
    struct sockaddr_can can;
    struct sockaddr_alg alg;
    struct sockaddr_vm vm;
    struct sockaddr_tipc tipc;
    struct sockaddr_qrtr qrtr;
} socket_address;

/* Reads address as one for the socket; function is for messages. Returns 0 or -1 with an exception. May block (names are
 * looked up). */
int socket_address_parse(PyObject *op, PyObject *address, const char *function, socket_address *a, socklen_t *size);
/* The Python form; None for size 0. fd is of the socket, to look up interface names. */
PyObject *socket_address_make(int fd, const socket_address *a, socklen_t size, int proto);
/* The address of a host name, without port. 0 or -1 with an exception. */
int socket_host_parse(const char *name, int family, socket_address *a);

/* A host name as an argument, for "O&": str (IDNA), bytes or bytearray. */
typedef struct {
    PyObject *owner;            /* keeps text alive; counted */
    const char *text;
} socket_host;
int socket_host_convert(PyObject *arg, void *host);
/* Sets gaierror; NULL. */
PyObject *socket_set_gaierror(int code);

/* ---- transfer.c, message.c, options.c, resolve.c, convert.c, constants.c ---- */

extern PyMethodDef socket_resolve_methods[], socket_convert_methods[], socket_message_functions[];
int socket_add_constants(PyObject *module);

/* ---- Methods and slots of the type, for socket_type.c ---- */

typedef PyObject *socket_method(PyObject *op, PyObject *args);
typedef PyObject *socket_keyword_method(PyObject *op, PyObject *args, PyObject *kwargs);
socket_method socket_accept, socket_bind, socket_close, socket_connect, socket_connect_ex, socket_detach,
    socket_fileno, socket_getblocking, socket_getpeername, socket_getsockname, socket_getsockopt, socket_gettimeout,
    socket_listen, socket_recv, socket_recvfrom, socket_recvmsg, socket_recvmsg_into, socket_send, socket_sendall,
    socket_sendmsg, socket_sendto, socket_setblocking, socket_setsockopt, socket_settimeout, socket_shutdown;
socket_keyword_method socket_recv_into, socket_recvfrom_into, socket_sendmsg_afalg;
PyObject *socket_new(PyTypeObject *type, PyObject *args, PyObject *kwargs), *socket_repr(PyObject *op);
int socket_init(PyObject *op, PyObject *args, PyObject *kwargs);
void socket_finalize(PyObject *op), socket_dealloc(PyObject *op);

#endif /* BRAID_SOCKET_H */
