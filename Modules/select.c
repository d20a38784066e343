/* The select module: select(), poll objects and epoll objects. */
#include "module.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include "structmember.h"

#define NS 1000000000LL

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS + now.tv_nsec;
}

/* A time limit in units of unit_ns; None or NULL: none (-1). 0, or -1 with an exception. */
static int timeout_get(PyObject *arg, int64_t unit_ns, int64_t *ns)
{
    *ns = -1;
    if (arg == NULL || arg == Py_None)
        return 0;
    if (!PyFloat_Check(arg) && !PyIndex_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, unit_ns == NS ? "timeout must be a float or None"
                                                       : "timeout must be an integer or None");
        return -1;
    }
    double value = PyFloat_Check(arg) ? PyFloat_AsDouble(arg) : (double)PyLong_AsLongLong(arg);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    value = value < 0 ? floor(value * (double)unit_ns) : ceil(value * (double)unit_ns);    /* away from 0, which does not wait */
    if (!(value > -0x1p62 && value < 0x1p62)) {
        PyErr_SetString(PyExc_OverflowError, "timeout is too large");
        return -1;
    }
    *ns = value < 0 ? -2 : (int64_t)value;
    return 0;
}

static PyObject *pair_make(PyObject *first, PyObject *second)
{
    PyObject *pair = first != NULL && second != NULL ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

/* ---- select ---- */

struct waiters {
    PyObject *items;        /* a list that only we know; counted */
    int *fds;
    fd_set set;
};

static void waiters_clear(struct waiters *w)
{
    Py_CLEAR(w->items);
    PyMem_Free(w->fds);
}

static int waiters_fill(struct waiters *w, PyObject *sequence, int *highest)
{
    FD_ZERO(&w->set);
    PyObject *fast = PySequence_Fast(sequence, "arguments 1-3 must be sequences");
    if (fast == NULL)
        return -1;
    w->items = PyList_New(0);
    if (w->items != NULL)
        PyObject_GC_UnTrack(w->items);          /* not to be found by gc.get_objects */
    /* fileno() may shorten the list. */
    while (w->items != NULL) {
        Py_ssize_t i = PyList_GET_SIZE(w->items);
        if (i >= PySequence_Fast_GET_SIZE(fast))
            break;
        PyObject *item = PySequence_GetItem(fast, i);
        int fd = item != NULL ? PyObject_AsFileDescriptor(item) : -1;
        if (fd < 0 || fd >= FD_SETSIZE) {
            if (fd >= 0)
                PyErr_SetString(PyExc_ValueError, "filedescriptor out of range in select()");
            Py_CLEAR(w->items);
        }
        else if (PyList_Append(w->items, item) < 0) {
            Py_CLEAR(w->items);
        }
        else {
            int *fds = PyMem_Realloc(w->fds, (size_t)(i + 1) * sizeof *fds);
            if (fds == NULL) {
                PyErr_NoMemory();
                Py_CLEAR(w->items);
            }
            else {
                w->fds = fds;
                fds[i] = fd;
                FD_SET(fd, &w->set);
                if (fd > *highest)
                    *highest = fd;
            }
        }
        Py_XDECREF(item);
    }
    Py_DECREF(fast);
    return w->items != NULL ? 0 : -1;
}

static PyObject *waiters_ready(const struct waiters *w, const fd_set *ready)
{
    PyObject *result = PyList_New(0);
    for (Py_ssize_t i = 0; result != NULL && i < PyList_GET_SIZE(w->items); i++)
        if (FD_ISSET(w->fds[i], ready) && PyList_Append(result, PyList_GET_ITEM(w->items, i)) < 0)
            Py_CLEAR(result);
    return result;
}

static PyObject *select_select(PyObject *module, PyObject *args)
{
    PyObject *given[3], *limit = Py_None, *result = NULL;
    struct waiters w[3] = {{0}};
    int64_t timeout;
    int highest = -1, n;
    if (!PyArg_UnpackTuple(args, "select", 3, 4, &given[0], &given[1], &given[2], &limit)
        || timeout_get(limit, NS, &timeout) < 0)
        return NULL;
    if (timeout == -2) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    for (int i = 0; i < 3; i++)
        if (waiters_fill(&w[i], given[i], &highest) < 0)
            goto done;
    int64_t end = timeout >= 0 ? now_ns() + timeout : 0;
    fd_set ready[3];
    for (;;) {
        for (int i = 0; i < 3; i++)
            ready[i] = w[i].set;
        struct timeval tv = {timeout / NS, (timeout % NS + 999) / 1000};
        if (tv.tv_usec >= 1000000) {
            tv.tv_sec++;
            tv.tv_usec = 0;
        }
        Py_BEGIN_ALLOW_THREADS
        n = select(highest + 1, &ready[0], &ready[1], &ready[2], timeout >= 0 ? &tv : NULL);
        Py_END_ALLOW_THREADS
        if (n >= 0)
            break;
        if (errno != EINTR) {
            PyErr_SetFromErrno(PyExc_OSError);
            goto done;
        }
        if (PyErr_CheckSignals() < 0)
            goto done;
        if (timeout >= 0 && (timeout = end - now_ns()) < 0) {
            n = 0;
            break;
        }
    }
    if (n == 0)
        for (int i = 0; i < 3; i++)
            FD_ZERO(&ready[i]);
    PyObject *lists[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3; i++)
        lists[i] = waiters_ready(&w[i], &ready[i]);
    if (lists[0] != NULL && lists[1] != NULL && lists[2] != NULL)
        result = PyTuple_Pack(3, lists[0], lists[1], lists[2]);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(lists[i]);
done:
    for (int i = 0; i < 3; i++)
        waiters_clear(&w[i]);
    return result;
}

/* ---- poll ---- */

struct poll {
    PyObject_HEAD
    struct pollfd *fds;         /* [lock] in order of registration */
    size_t count, room;         /* [lock] */
    int polling;                /* [lock] */
};

static int mask_get(PyObject *arg, unsigned short *mask)
{
    unsigned long value = PyLong_AsUnsignedLong(arg);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError) && PyObject_RichCompareBool(arg, Py_False, Py_LT) == 1) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "value must be positive");
        }
        return -1;
    }
    if (value > USHRT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large for C unsigned short");
        return -1;
    }
    *mask = (unsigned short)value;
    return 0;
}

/* Caller holds the lock. */
static struct pollfd *poll_find_locked(struct poll *self, int fd)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->fds[i].fd == fd)
            return &self->fds[i];
    return NULL;
}

/* 1 if done, 0 if absent (and not added), -1 without memory. Caller holds the lock. */
static int poll_set_locked(struct poll *self, int fd, unsigned short mask, int add)
{
    struct pollfd *found = poll_find_locked(self, fd);
    if (found == NULL) {
        if (!add)
            return 0;
        if (self->count == self->room) {
            size_t room = self->room * 2 + 8;
            struct pollfd *fds = PyMem_Realloc(self->fds, room * sizeof *fds);
            if (fds == NULL)
                return -1;
            self->fds = fds;
            self->room = room;
        }
        found = &self->fds[self->count++];
        found->fd = fd;
    }
    found->events = (short)mask;
    found->revents = 0;
    return 1;
}

static PyObject *poll_register(PyObject *op, PyObject *args)
{
    PyObject *file, *events = NULL;
    unsigned short mask = POLLIN | POLLPRI | POLLOUT;
    if (!PyArg_UnpackTuple(args, "register", 1, 2, &file, &events))
        return NULL;
    int fd = PyObject_AsFileDescriptor(file), rc;
    if (fd < 0 || (events != NULL && mask_get(events, &mask) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = poll_set_locked((struct poll *)op, fd, mask, 1);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? PyErr_NoMemory() : Py_NewRef(Py_None);
}

static PyObject *poll_modify(PyObject *op, PyObject *args)
{
    PyObject *file, *events;
    unsigned short mask;
    if (!PyArg_UnpackTuple(args, "modify", 2, 2, &file, &events))
        return NULL;
    int fd = PyObject_AsFileDescriptor(file), rc;
    if (fd < 0 || mask_get(events, &mask) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = poll_set_locked((struct poll *)op, fd, mask, 0);
    Py_END_CRITICAL_SECTION();
    if (rc == 0) {
        errno = ENOENT;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *poll_unregister(PyObject *op, PyObject *file)
{
    struct poll *self = (struct poll *)op;
    int fd = PyObject_AsFileDescriptor(file), found = 0;
    if (fd < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    struct pollfd *at = poll_find_locked(self, fd);
    if (at != NULL) {
        memmove(at, at + 1, (size_t)(self->fds + self->count - (at + 1)) * sizeof *at);
        self->count--;
        found = 1;
    }
    Py_END_CRITICAL_SECTION();
    if (!found) {
        PyObject *key = PyLong_FromLong(fd);
        if (key != NULL)
            PyErr_SetObject(PyExc_KeyError, key);
        Py_XDECREF(key);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *poll_results(const struct pollfd *fds, size_t count)
{
    PyObject *result = PyList_New(0);
    for (size_t i = 0; result != NULL && i < count; i++) {
        if (fds[i].revents == 0)
            continue;
        PyObject *pair = pair_make(PyLong_FromLong(fds[i].fd), PyLong_FromLong((unsigned short)fds[i].revents));
        if (pair == NULL || PyList_Append(result, pair) < 0)
            Py_CLEAR(result);
        Py_XDECREF(pair);
    }
    return result;
}

/* Waits on a copy of the table: others may change the object meanwhile. */
static PyObject *poll_wait(struct pollfd *fds, size_t count, int64_t timeout)
{
    int64_t end = timeout >= 0 ? now_ns() + timeout : 0;
    for (;;) {
        int n;
        struct timespec ts = {timeout / NS, timeout % NS};
        Py_BEGIN_ALLOW_THREADS
        n = ppoll(fds, count, timeout >= 0 ? &ts : NULL, NULL);
        Py_END_ALLOW_THREADS
        if (n >= 0)
            return poll_results(fds, n > 0 ? count : 0);
        if (errno != EINTR)
            return PyErr_SetFromErrno(PyExc_OSError);
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if (timeout >= 0 && (timeout = end - now_ns()) < 0)
            return PyList_New(0);
    }
}

static PyObject *poll_poll(PyObject *op, PyObject *args)
{
    struct poll *self = (struct poll *)op;
    PyObject *limit = NULL, *result = NULL;
    int64_t timeout;
    if (!PyArg_UnpackTuple(args, "poll", 0, 1, &limit) || timeout_get(limit, 1000000, &timeout) < 0)
        return NULL;
    if (timeout > (int64_t)INT_MAX * 1000000) {
        PyErr_SetString(PyExc_OverflowError, "timeout is too large");
        return NULL;
    }
    int busy;
    size_t count = 0;
    struct pollfd *copy = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    busy = self->polling;
    if (!busy) {
        count = self->count;
        copy = PyMem_Malloc((count + 1) * sizeof *copy);
        if (copy != NULL) {
            if (count > 0)
                memcpy(copy, self->fds, count * sizeof *copy);
            self->polling = 1;
        }
    }
    Py_END_CRITICAL_SECTION();
    if (busy) {
        PyErr_SetString(PyExc_RuntimeError, "concurrent poll() invocation");
        return NULL;
    }
    if (copy == NULL)
        return PyErr_NoMemory();
    result = poll_wait(copy, count, timeout);
    Py_BEGIN_CRITICAL_SECTION(op);
    self->polling = 0;
    Py_END_CRITICAL_SECTION();
    PyMem_Free(copy);
    return result;
}

static void poll_dealloc(PyObject *op)
{
    PyMem_Free(((struct poll *)op)->fds);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef poll_methods[] = {
    {"register", poll_register, METH_VARARGS, "register($self, fd, eventmask=7, /)\n--\n\nAdds a descriptor."},
    {"modify", poll_modify, METH_VARARGS, "modify($self, fd, eventmask, /)\n--\n\nChanges the events waited for."},
    {"unregister", poll_unregister, METH_O, "unregister($self, fd, /)\n--\n\nRemoves a descriptor."},
    {"poll", poll_poll, METH_VARARGS, "poll($self, timeout=None, /)\n--\n\nWaits; the (descriptor, events) that are ready."},
    {NULL},
};

static PyTypeObject poll_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "select.poll",
    .tp_basicsize = sizeof(struct poll),
    .tp_dealloc = poll_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = poll_methods,
};

static PyObject *select_poll(PyObject *module, PyObject *unused) { return PyType_GenericAlloc(&poll_type, 0); }

/* ---- epoll ---- */

struct epoll {
    PyObject_HEAD
    int fd;                     /* [atomic] -1: closed */
};

static int epoll_fd(PyObject *op)
{
    int fd = __atomic_load_n(&((struct epoll *)op)->fd, __ATOMIC_RELAXED);
    if (fd < 0)
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed epoll object");
    return fd;
}

static PyObject *epoll_make(PyTypeObject *type, int fd)
{
    struct epoll *self = (struct epoll *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->fd = fd >= 0 ? fd : epoll_create1(EPOLL_CLOEXEC);
    if (self->fd < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *epoll_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sizehint", "flags", NULL};
    int hint = -1, flags = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ii:epoll", names, &hint, &flags))
        return NULL;
    if (hint == 0 || hint < -1) {
        PyErr_SetString(PyExc_ValueError, "sizehint must be positive or -1");
        return NULL;
    }
    if (flags & ~EPOLL_CLOEXEC) {
        PyErr_SetString(PyExc_OSError, "invalid flags");
        return NULL;
    }
    return epoll_make(type, -1);
}

static PyObject *epoll_fromfd(PyObject *type, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    return fd == -1 && PyErr_Occurred() ? NULL : epoll_make((PyTypeObject *)type, fd);
}

static int epoll_shut(PyObject *op)
{
    int fd = __atomic_exchange_n(&((struct epoll *)op)->fd, -1, __ATOMIC_RELAXED), rc = 0;
    if (fd >= 0) {
        Py_BEGIN_ALLOW_THREADS
        rc = close(fd);
        Py_END_ALLOW_THREADS
    }
    return rc;
}

static PyObject *epoll_close(PyObject *op, PyObject *unused)
{
    return epoll_shut(op) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static void epoll_dealloc(PyObject *op)
{
    epoll_shut(op);
    PyTypeObject *type = Py_TYPE(op);
    type->tp_free(op);
}

static PyObject *epoll_control(PyObject *op, int operation, PyObject *file, unsigned events)
{
    int epfd = epoll_fd(op), rc;
    if (epfd < 0)
        return NULL;
    int fd = PyObject_AsFileDescriptor(file);
    if (fd < 0 || (epfd = epoll_fd(op)) < 0)        /* fileno() of a file in Python may have closed it */
        return NULL;
    struct epoll_event event = {.events = events};
    event.data.fd = fd;
    Py_BEGIN_ALLOW_THREADS
    rc = epoll_ctl(epfd, operation, fd, &event);
    Py_END_ALLOW_THREADS
    return rc < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static PyObject *epoll_register(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "eventmask", NULL};
    PyObject *file;
    unsigned events = EPOLLIN | EPOLLPRI | EPOLLOUT;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O|I:register", names, &file, &events)
               ? epoll_control(op, EPOLL_CTL_ADD, file, events) : NULL;
}

static PyObject *epoll_modify(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "eventmask", NULL};
    PyObject *file;
    unsigned events;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "OI:modify", names, &file, &events)
               ? epoll_control(op, EPOLL_CTL_MOD, file, events) : NULL;
}

static PyObject *epoll_unregister(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    PyObject *file;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O:unregister", names, &file)
               ? epoll_control(op, EPOLL_CTL_DEL, file, 0) : NULL;
}

static PyObject *epoll_poll(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"timeout", "maxevents", NULL};
    PyObject *limit = NULL, *result = NULL;
    int room = -1, n = 0, fd = epoll_fd(op);
    int64_t timeout;
    if (fd < 0 || !PyArg_ParseTupleAndKeywords(args, kwargs, "|Oi:poll", names, &limit, &room)
        || timeout_get(limit, NS, &timeout) < 0 || (fd = epoll_fd(op)) < 0)      /* again: the arguments may have run code */
        return NULL;
    if (timeout > (int64_t)INT_MAX * 1000000) {
        PyErr_SetString(PyExc_OverflowError, "timeout is too large");
        return NULL;
    }
    if (room == -1)
        room = FD_SETSIZE - 1;
    else if (room < 1) {
        PyErr_Format(PyExc_ValueError, "maxevents must be greater than 0, got %d", room);
        return NULL;
    }
    struct epoll_event *events = PyMem_New(struct epoll_event, room);
    if (events == NULL)
        return PyErr_NoMemory();
    int64_t end = timeout >= 0 ? now_ns() + timeout : 0;
    for (;;) {
        int ms = timeout >= 0 ? (int)((timeout + 999999) / 1000000) : -1;
        Py_BEGIN_ALLOW_THREADS
        n = epoll_wait(fd, events, room, ms);
        Py_END_ALLOW_THREADS
        if (n >= 0)
            break;
        if (errno != EINTR) {
            PyErr_SetFromErrno(PyExc_OSError);
            goto done;
        }
        if (PyErr_CheckSignals() < 0)
            goto done;
        if (timeout >= 0 && (timeout = end - now_ns()) < 0) {
            n = 0;
            break;
        }
    }
    result = PyList_New(0);
    for (int i = 0; result != NULL && i < n; i++) {
        PyObject *pair = pair_make(PyLong_FromLong(events[i].data.fd), PyLong_FromUnsignedLong(events[i].events));
        if (pair == NULL || PyList_Append(result, pair) < 0)
            Py_CLEAR(result);
        Py_XDECREF(pair);
    }
done:
    PyMem_Free(events);
    return result;
}

static PyObject *epoll_fileno(PyObject *op, PyObject *unused)
{
    int fd = epoll_fd(op);
    return fd < 0 ? NULL : PyLong_FromLong(fd);
}

static PyObject *epoll_enter(PyObject *op, PyObject *unused) { return epoll_fd(op) < 0 ? NULL : Py_NewRef(op); }

static PyObject *epoll_exit(PyObject *op, PyObject *args) { return epoll_close(op, NULL); }

static PyObject *epoll_get_closed(PyObject *op, void *closure)
{
    return PyBool_FromLong(__atomic_load_n(&((struct epoll *)op)->fd, __ATOMIC_RELAXED) < 0);
}

static PyGetSetDef epoll_getset[] = {{"closed", epoll_get_closed, NULL, "Is it closed?", NULL}, {NULL}};

static PyMethodDef epoll_methods[] = {
    {"fromfd", epoll_fromfd, METH_O | METH_CLASS, "fromfd($type, fd, /)\n--\n\nAn epoll object of a descriptor."},
    {"close", epoll_close, METH_NOARGS, "close($self, /)\n--\n\nCloses it."},
    {"fileno", epoll_fileno, METH_NOARGS, "fileno($self, /)\n--\n\nIts descriptor."},
    MODULE_METHOD("register", epoll_register, METH_VARARGS | METH_KEYWORDS, "Adds a descriptor."),
    MODULE_METHOD("modify", epoll_modify, METH_VARARGS | METH_KEYWORDS, "Changes the events waited for."),
    MODULE_METHOD("unregister", epoll_unregister, METH_VARARGS | METH_KEYWORDS, "Removes a descriptor."),
    MODULE_METHOD("poll", epoll_poll, METH_VARARGS | METH_KEYWORDS, "Waits; the (descriptor, events) that are ready."),
    {"__enter__", epoll_enter, METH_NOARGS, NULL},
    {"__exit__", epoll_exit, METH_VARARGS, NULL},
    {NULL},
};

static PyTypeObject epoll_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "select.epoll",
    .tp_basicsize = sizeof(struct epoll),
    .tp_dealloc = epoll_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = epoll_methods,
    .tp_getset = epoll_getset,
    .tp_new = epoll_new,
    .tp_doc = "Waits for many descriptors at once.",
};

/* ---- the module ---- */

static PyMethodDef select_methods[] = {
    {"select", select_select, METH_VARARGS,
     "select($module, rlist, wlist, xlist, timeout=None, /)\n--\n\nWaits for files; three lists of those ready."},
    {"poll", select_poll, METH_NOARGS, "poll($module, /)\n--\n\nA new object that waits for descriptors."},
    {NULL},
};

static int select_exec(PyObject *module)
{
    static const struct { const char *name; unsigned value; } constants[] = {
#define INT(name) {#name, (unsigned)name},
        INT(PIPE_BUF) INT(POLLIN) INT(POLLPRI) INT(POLLOUT) INT(POLLERR) INT(POLLHUP) INT(POLLNVAL) INT(POLLRDNORM)
        INT(POLLRDBAND) INT(POLLWRNORM) INT(POLLWRBAND) INT(POLLMSG) INT(POLLRDHUP) INT(EPOLLIN) INT(EPOLLOUT)
        INT(EPOLLPRI) INT(EPOLLERR) INT(EPOLLHUP) INT(EPOLLRDHUP) INT(EPOLLET) INT(EPOLLONESHOT) INT(EPOLLEXCLUSIVE)
        INT(EPOLLRDNORM) INT(EPOLLRDBAND) INT(EPOLLWRNORM) INT(EPOLLWRBAND) INT(EPOLLMSG) INT(EPOLL_CLOEXEC)
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, (long)constants[i].value) < 0)
            return -1;
    if (PyType_Ready(&poll_type) < 0 || PyModule_AddType(module, &epoll_type) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "error", PyExc_OSError);
}

static PyModuleDef_Slot select_slots[] = {
    {Py_mod_exec, (void *)select_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef select_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "select",
    .m_doc = "Waiting for several files at once.",
    .m_methods = select_methods,
    .m_slots = select_slots,
};

PyMODINIT_FUNC PyInit_select(void)
{
    return PyModuleDef_Init(&select_module);
}
