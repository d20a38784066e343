/* The socket type: making and closing sockets, their time limit, and the calls that tie them to addresses. */
#include "socket.h"
#include <math.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#define NS 1000000000LL

static int64_t default_timeout = -1;            /* [atomic] */

/* ---- Time limits ---- */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

/* Seconds or None; 0, or -1 with an exception. */
static int parse_timeout(PyObject *arg, int64_t *ns)
{
    *ns = -1;
    if (arg == Py_None)
        return 0;
    if (PyFloat_Check(arg)) {
        double seconds = PyFloat_AsDouble(arg);
        if (isnan(seconds)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        /* Away from zero: a limit that is not 0 does not become 0. */
        double rounded = seconds < 0 ? floor(seconds * 1e9) : ceil(seconds * 1e9);
        if (!(rounded > -0x1p63 && rounded < 0x1p63)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            return -1;
        }
        *ns = (int64_t)rounded;
    }
    else {
        long long seconds = PyLong_AsLongLong(arg);
        if (seconds == -1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError))
                PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            return -1;
        }
        if (__builtin_mul_overflow(seconds, NS, ns)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
            return -1;
        }
    }
    if (*ns < 0) {
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
        return -1;
    }
    return 0;
}

static PyObject *timeout_make(int64_t ns)
{
    if (ns < 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble((double)ns / 1e9);
}

socket_limit socket_limit_start(PyObject *op)
{
    socket_limit limit = {SOCKET_LOAD(((socket_object *)op)->timeout), 0};
    if (limit.timeout > 0 && __builtin_add_overflow(now_ns(), limit.timeout, &limit.end))
        limit.end = INT64_MAX;
    return limit;
}

/* What try_until answers besides 0 and errno values. */
enum { RAISED = -1, TIMED_OUT = INT_MAX };

/* Waits until fd is ready or the time is over: 0, TIMED_OUT, RAISED or an errno. */
static int wait_until(int fd, int writing, const socket_limit *limit)
{
    struct pollfd wanted = {.fd = fd, .events = writing ? POLLOUT : POLLIN};
    for (;;) {
        int64_t left = limit->timeout > 0 ? limit->end - now_ns() : 0;
        int n;
        if (left < 0)
            return TIMED_OUT;
        struct timespec wait = {left / NS, left % NS};
        Py_BEGIN_ALLOW_THREADS
        n = ppoll(&wanted, 1, limit->timeout > 0 ? &wait : NULL, NULL);
        Py_END_ALLOW_THREADS
        if (n > 0)
            return 0;
        if (n == 0)
            return TIMED_OUT;
        if (errno != EINTR)
            return errno;
        if (PyErr_CheckSignals() < 0)
            return RAISED;
    }
}

/* As socket_call; 0 with *result, RAISED, TIMED_OUT or an errno. wait_first: also without a time limit. */
static int try_until(PyObject *op, int writing, int wait_first, const socket_limit *limit, socket_attempt *attempt, void *arg,
                     ssize_t *result)
{
    for (;;) {
        int fd = socket_fd(op);     /* asked anew: after close() in another thread the number may be another socket's */
        /* A descriptor that others made blocking again must not defeat the limit: so wait, then try. */
        if ((limit->timeout > 0 || wait_first) && fd >= 0) {
            int code = wait_until(fd, writing, limit);
            if (code != 0)
                return code;
            if (socket_fd(op) != fd)
                return EBADF;
        }
        for (;;) {
            Py_BEGIN_ALLOW_THREADS
            *result = attempt(fd, arg);
            Py_END_ALLOW_THREADS
            if (*result >= 0)
                return 0;
            if (errno != EINTR)
                break;
            if (PyErr_CheckSignals() < 0)
                return RAISED;
            if (socket_fd(op) != fd)
                return EBADF;
        }
        if (limit->timeout <= 0 || (errno != EWOULDBLOCK && errno != EAGAIN))
            return errno;
    }
}

/* The exception for what try_until answered. */
static void raise_code(int code)
{
    if (code == TIMED_OUT)
        PyErr_SetString(PyExc_TimeoutError, "timed out");
    else if (code != RAISED) {
        errno = code;
        socket_error();
    }
}

ssize_t socket_call(PyObject *op, int writing, const socket_limit *limit, socket_attempt *attempt, void *arg)
{
    ssize_t result;
    int code = try_until(op, writing, 0, limit, attempt, arg, &result);
    if (code == 0)
        return result;
    raise_code(code);
    return -1;
}

static int set_blocking(int fd, int block)
{
    int on = !block, rc;
    Py_BEGIN_ALLOW_THREADS
    rc = ioctl(fd, FIONBIO, &on);
    Py_END_ALLOW_THREADS
    if (rc < 0)
        socket_error();
    return rc;
}

static PyObject *set_timeout(PyObject *op, int64_t ns)
{
    SOCKET_STORE(((socket_object *)op)->timeout, ns);
    return set_blocking(socket_fd(op), ns < 0) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *socket_settimeout(PyObject *op, PyObject *arg)
{
    int64_t ns;
    return parse_timeout(arg, &ns) < 0 ? NULL : set_timeout(op, ns);
}

PyObject *socket_gettimeout(PyObject *op, PyObject *unused)
{
    return timeout_make(SOCKET_LOAD(((socket_object *)op)->timeout));
}

PyObject *socket_setblocking(PyObject *op, PyObject *arg)
{
    long block = PyLong_AsLong(arg);
    return block == -1 && PyErr_Occurred() ? NULL : set_timeout(op, block ? -1 : 0);
}

PyObject *socket_getblocking(PyObject *op, PyObject *unused)
{
    return PyBool_FromLong(SOCKET_LOAD(((socket_object *)op)->timeout) != 0);
}

static PyObject *getdefaulttimeout(PyObject *module, PyObject *unused)
{
    return timeout_make(SOCKET_LOAD(default_timeout));
}

static PyObject *setdefaulttimeout(PyObject *module, PyObject *arg)
{
    int64_t ns;
    if (parse_timeout(arg, &ns) < 0)
        return NULL;
    SOCKET_STORE(default_timeout, ns);
    Py_RETURN_NONE;
}

/* ---- Life ---- */

static int close_fd(int fd)
{
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = close(fd);
    Py_END_ALLOW_THREADS
    return rc;
}

/* Fills an object that has no descriptor yet (or gives up an old one). Takes fd over if it succeeds. */
static int fill(socket_object *self, int fd, int family, int type, int proto)
{
    int64_t timeout = type & SOCK_NONBLOCK ? 0 : SOCKET_LOAD(default_timeout);
    if (timeout >= 0 && !(type & SOCK_NONBLOCK) && set_blocking(fd, 0) < 0)
        return -1;
    SOCKET_STORE(self->family, family);
    SOCKET_STORE(self->type, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
    SOCKET_STORE(self->proto, proto);
    SOCKET_STORE(self->timeout, timeout);
    int old = __atomic_exchange_n(&self->fd, fd, __ATOMIC_RELAXED);
    if (old >= 0 && old != fd)
        close_fd(old);
    return 0;
}

PyObject *socket_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    socket_object *self = (socket_object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->fd = -1;
        self->timeout = -1;
    }
    return (PyObject *)self;
}

PyObject *socket_make(PyTypeObject *type, int fd, int family, int kind, int proto)
{
    PyObject *op = socket_new(type, NULL, NULL);
    if (op == NULL || fill((socket_object *)op, fd, family, kind, proto) < 0) {
        Py_CLEAR(op);
        close_fd(fd);
    }
    return op;
}

/* What is not given (-1) of a socket that exists is asked from it. 0, or -1 with an exception. */
static int ask_kind(int fd, int *family, int *type, int *proto)
{
    socket_address a;
    socklen_t size = sizeof a;
    memset(&a, 0, sizeof a);
    if (getsockname(fd, &a.any, &size) < 0) {
        if (*family == -1 || errno == EBADF || errno == ENOTSOCK)
            goto failed;
    }
    else if (*family == -1) {
        *family = a.any.sa_family;
    }
    size = sizeof *type;
    if (*type == -1 && getsockopt(fd, SOL_SOCKET, SO_TYPE, type, &size) < 0)
        goto failed;
    size = sizeof *proto;
    if (*proto == -1 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, proto, &size) < 0)
        goto failed;
    return 0;
failed:
    socket_error();
    return -1;
}

int socket_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"family", "type", "proto", "fileno", NULL};
    int family = -1, type = -1, proto = -1, fd;
    PyObject *fileno = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiO:socket", names, &family, &type, &proto, &fileno)
        || PySys_Audit("socket.__new__", "Oiii", op, family, type, proto) < 0)
        return -1;
    if (fileno != NULL && fileno != Py_None) {
        fd = _PyLong_AsInt(fileno);
        if (fd == -1 && PyErr_Occurred())
            return -1;
        if (fd < 0) {
            PyErr_SetString(PyExc_ValueError, "negative file descriptor");
            return -1;
        }
        if (ask_kind(fd, &family, &type, &proto) < 0)
            return -1;
        return fill((socket_object *)op, fd, family, type, proto);
    }
    family = family == -1 ? AF_INET : family;
    type = type == -1 ? SOCK_STREAM : type;
    proto = proto == -1 ? 0 : proto;
    Py_BEGIN_ALLOW_THREADS
    fd = socket(family, type | SOCK_CLOEXEC, proto);
    Py_END_ALLOW_THREADS
    if (fd < 0) {
        socket_error();
        return -1;
    }
    if (fill((socket_object *)op, fd, family, type, proto) < 0) {
        close_fd(fd);
        return -1;
    }
    return 0;
}

void socket_finalize(PyObject *op)
{
    socket_object *self = (socket_object *)op;
    if (socket_fd(op) < 0)
        return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_ResourceWarning(op, 1, "unclosed %R", op) < 0 && PyErr_ExceptionMatches(PyExc_Warning))
        PyErr_WriteUnraisable(op);
    /* Only now: the warning shows the descriptor. */
    int fd = __atomic_exchange_n(&self->fd, -1, __ATOMIC_RELAXED);
    if (fd >= 0)
        close_fd(fd);
    PyErr_Restore(type, value, traceback);
}

void socket_dealloc(PyObject *op)
{
    if (PyObject_CallFinalizerFromDealloc(op) < 0)
        return;
    PyTypeObject *type = Py_TYPE(op);
    type->tp_free(op);
}

PyObject *socket_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<socket object, fd=%d, family=%d, type=%d, proto=%d>", socket_fd(op), socket_family(op),
                                SOCKET_LOAD(((socket_object *)op)->type), socket_proto(op));
}

PyObject *socket_close(PyObject *op, PyObject *unused)
{
    int fd = __atomic_exchange_n(&((socket_object *)op)->fd, -1, __ATOMIC_RELAXED);
    /* The peer may have reset the connection already: closed it is. */
    if (fd >= 0 && close_fd(fd) < 0 && errno != ECONNRESET)
        return socket_error();
    Py_RETURN_NONE;
}

PyObject *socket_detach(PyObject *op, PyObject *unused)
{
    return PyLong_FromLong(__atomic_exchange_n(&((socket_object *)op)->fd, -1, __ATOMIC_RELAXED));
}

PyObject *socket_fileno(PyObject *op, PyObject *unused) { return PyLong_FromLong(socket_fd(op)); }

/* ---- Addresses and connections ---- */

PyObject *socket_bind(PyObject *op, PyObject *arg)
{
    socket_address a;
    socklen_t size;
    int rc, fd;
    if (socket_address_parse(op, arg, "bind", &a, &size) < 0 || PySys_Audit("socket.bind", "OO", op, arg) < 0)
        return NULL;
    fd = socket_fd(op);         /* after all that runs code */
    Py_BEGIN_ALLOW_THREADS
    rc = bind(fd, &a.any, size);
    Py_END_ALLOW_THREADS
    return socket_none(rc);
}

PyObject *socket_listen(PyObject *op, PyObject *args)
{
    int backlog = SOMAXCONN < 128 ? SOMAXCONN : 128, rc, fd;
    if (!PyArg_ParseTuple(args, "|i:listen", &backlog))
        return NULL;
    fd = socket_fd(op);
    Py_BEGIN_ALLOW_THREADS
    rc = listen(fd, backlog < 0 ? 0 : backlog);
    Py_END_ALLOW_THREADS
    return socket_none(rc);
}

struct accepting {
    socket_address address;
    socklen_t size;
};

static ssize_t accept_attempt(int fd, void *arg)
{
    struct accepting *a = arg;
    a->size = sizeof a->address;
    return accept4(fd, &a->address.any, &a->size, SOCK_CLOEXEC);
}

PyObject *socket_accept(PyObject *op, PyObject *unused)
{
    struct accepting a;
    memset(&a, 0, sizeof a);
    socket_limit limit = socket_limit_start(op);
    int fd = (int)socket_call(op, 0, &limit, accept_attempt, &a);
    if (fd < 0)
        return NULL;
    PyObject *address = socket_address_make(fd, &a.address, a.size, socket_proto(op));
    PyObject *result = address != NULL ? Py_BuildValue("iN", fd, address) : NULL;
    if (result == NULL)
        close_fd(fd);
    return result;
}

/* A connection was begun and has come about, or failed. */
static ssize_t connected_attempt(int fd, void *arg)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
        return -1;
    errno = code;
    return code == 0 || code == EISCONN ? 0 : -1;
}

/* 0, RAISED, TIMED_OUT or an errno. */
static int connect_address(PyObject *op, const socket_address *a, socklen_t size)
{
    int fd = socket_fd(op), rc;
    socket_limit limit = socket_limit_start(op);
    Py_BEGIN_ALLOW_THREADS
    rc = connect(fd, &a->any, size);
    Py_END_ALLOW_THREADS
    if (rc == 0)
        return 0;
    int code = errno;
    /* Interrupted, it goes on by itself, as one that was begun without blocking. */
    if (code == EINTR && PyErr_CheckSignals() < 0)
        return RAISED;
    if (code == EINTR ? limit.timeout == 0 : code != EINPROGRESS || limit.timeout <= 0)
        return code;
    ssize_t unused;
    return try_until(op, 1, 1, &limit, connected_attempt, NULL, &unused);
}

PyObject *socket_connect(PyObject *op, PyObject *arg)
{
    socket_address a;
    socklen_t size;
    if (socket_address_parse(op, arg, "connect", &a, &size) < 0 || PySys_Audit("socket.connect", "OO", op, arg) < 0)
        return NULL;
    int code = connect_address(op, &a, size);
    if (code == 0)
        Py_RETURN_NONE;
    raise_code(code);
    return NULL;
}

PyObject *socket_connect_ex(PyObject *op, PyObject *arg)
{
    socket_address a;
    socklen_t size;
    if (socket_address_parse(op, arg, "connect_ex", &a, &size) < 0 || PySys_Audit("socket.connect", "OO", op, arg) < 0)
        return NULL;
    int code = connect_address(op, &a, size);
    return code == RAISED ? NULL : PyLong_FromLong(code == TIMED_OUT ? EWOULDBLOCK : code);
}

static PyObject *ask_address(PyObject *op, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    socket_address a;
    socklen_t size = sizeof a;
    int fd = socket_fd(op), rc;
    memset(&a, 0, sizeof a);
    Py_BEGIN_ALLOW_THREADS
    rc = ask(fd, &a.any, &size);
    Py_END_ALLOW_THREADS
    return rc < 0 ? socket_error() : socket_address_make(fd, &a, size, socket_proto(op));
}

static int ask_own(int fd, struct sockaddr *a, socklen_t *size) { return getsockname(fd, a, size); }
static int ask_peer(int fd, struct sockaddr *a, socklen_t *size) { return getpeername(fd, a, size); }

PyObject *socket_getsockname(PyObject *op, PyObject *unused) { return ask_address(op, ask_own); }
PyObject *socket_getpeername(PyObject *op, PyObject *unused) { return ask_address(op, ask_peer); }

PyObject *socket_shutdown(PyObject *op, PyObject *arg)
{
    int how = _PyLong_AsInt(arg), rc, fd;
    if (how == -1 && PyErr_Occurred())
        return NULL;
    fd = socket_fd(op);
    Py_BEGIN_ALLOW_THREADS
    rc = shutdown(fd, how);
    Py_END_ALLOW_THREADS
    return socket_none(rc);
}

PyMethodDef socket_module_object_methods[] = {
    {"getdefaulttimeout", getdefaulttimeout, METH_NOARGS,
     "getdefaulttimeout() -> timeout\n\nThe time limit of new sockets in seconds; None: none."},
    {"setdefaulttimeout", setdefaulttimeout, METH_O,
     "setdefaulttimeout(timeout)\n\nSets the time limit of new sockets in seconds; None: none."},
    {NULL},
};
