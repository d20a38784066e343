/* The `select` module: select() and poll objects. */
#include "Python.h"

#include <poll.h>
#include <sys/select.h>
#include <time.h>

#include "module.h"
#include "structmember.h"

/* ---- Time-outs ---- */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds of a time-out in units of `unit` nanoseconds; -1: for ever. 0 or -1 with an exception. */
static int read_timeout(PyObject *op, double unit, int64_t *ns)
{
    if (op == Py_None) {
        *ns = -1;
        return 0;
    }
    double value = PyFloat_AsDouble(op);
    if (value == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_TypeError, "timeout must be a real number or None");
        }
        return -1;
    }
    if (isnan(value) || value * unit > 9e18) {
        PyErr_SetString(PyExc_OverflowError, "timeout is too large");
        return -1;
    }
    *ns = value < 0 ? -1 : (int64_t)ceil(value * unit);
    return 0;
}

/* ---- select ---- */

typedef struct {
    PyObject *items;            /* tuple of what was given */
    int *fds;
    fd_set set;
} select_list_t;

static int read_list(select_list_t *l, PyObject *sequence, int *highest)
{
    FD_ZERO(&l->set);
    PyObject *list = PySequence_Fast(sequence, "arguments 1-3 must be sequences");
    if (list == NULL)
        return -1;
    l->items = PySequence_Tuple(list);
    Py_DECREF(list);
    if (l->items == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(l->items);
    l->fds = PyMem_New(int, n + 1);
    if (l->fds == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        int fd = PyObject_AsFileDescriptor(PyTuple_GET_ITEM(l->items, i));
        if (fd < 0)
            return -1;
        if (fd >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError, "filedescriptor out of range in select()");
            return -1;
        }
        l->fds[i] = fd;
        FD_SET(fd, &l->set);
        if (fd > *highest)
            *highest = fd;
    }
    return 0;
}

static PyObject *ready_items(const select_list_t *l, const fd_set *ready)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(l->items); i++)
        if (FD_ISSET(l->fds[i], ready) && PyList_Append(list, PyTuple_GET_ITEM(l->items, i)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *select_select(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    select_list_t lists[3] = {{0}};
    fd_set ready[3];
    PyObject *result = NULL;
    int highest = -1, n;
    int64_t timeout = -1, deadline;
    if (!_PyArg_CheckPositional("select", nargs, 3, 4) || (nargs > 3 && read_timeout(args[3], 1e9, &timeout) < 0))
        return NULL;
    if (nargs > 3 && args[3] != Py_None && timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    for (int k = 0; k < 3; k++)
        if (read_list(&lists[k], args[k], &highest) < 0)
            goto done;
    deadline = timeout >= 0 ? now_ns() + timeout : 0;
    for (;;) {
        struct timespec left = {timeout / 1000000000, timeout % 1000000000};
        for (int k = 0; k < 3; k++)
            ready[k] = lists[k].set;
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = pselect(highest + 1, &ready[0], &ready[1], &ready[2], timeout >= 0 ? &left : NULL, NULL);
        Py_END_ALLOW_THREADS
        if (n >= 0 || errno != EINTR)
            break;
        if (PyErr_CheckSignals() < 0)
            goto done;
        if (timeout >= 0 && (timeout = deadline - now_ns()) < 0)
            timeout = 0;
    }
    if (n < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        goto done;
    }
    PyObject *r = ready_items(&lists[0], &ready[0]), *w = ready_items(&lists[1], &ready[1]), *x = ready_items(&lists[2], &ready[2]);
    if (r != NULL && w != NULL && x != NULL)
        result = PyTuple_Pack(3, r, w, x);
    Py_XDECREF(r);
    Py_XDECREF(w);
    Py_XDECREF(x);
done:
    for (int k = 0; k < 3; k++) {
        Py_XDECREF(lists[k].items);
        PyMem_Free(lists[k].fds);
    }
    return result;
}

/* ---- poll ---- */

typedef struct {
    PyObject_HEAD
    PyObject *registered;       /* [const] dict descriptor -> events */
    int running;                /* [lock] */
} poll_t;

static PyTypeObject poll_type;

static int poll_store(poll_t *self, PyObject *file, unsigned events, int must_exist)
{
    int fd = PyObject_AsFileDescriptor(file), status = -1;
    if (fd < 0)
        return -1;
    PyObject *key = PyLong_FromLong(fd), *value = PyLong_FromUnsignedLong(events);
    if (key != NULL && value != NULL) {
        int known = must_exist ? PyDict_Contains(self->registered, key) : 1;
        if (known == 0) {
            errno = ENOENT;
            PyErr_SetFromErrno(PyExc_OSError);
        }
        else if (known > 0)
            status = PyDict_SetItem(self->registered, key, value);
    }
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

static PyObject *poll_register(PyObject *op, PyObject *args)
{
    PyObject *file;
    unsigned short events = POLLIN | POLLPRI | POLLOUT;
    if (!PyArg_ParseTuple(args, "O|H:register", &file, &events) || poll_store((poll_t *)op, file, events, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *poll_modify(PyObject *op, PyObject *args)
{
    PyObject *file;
    unsigned short events;
    if (!PyArg_ParseTuple(args, "OH:modify", &file, &events) || poll_store((poll_t *)op, file, events, 1) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *poll_unregister(PyObject *op, PyObject *file)
{
    int fd = PyObject_AsFileDescriptor(file);
    PyObject *key = fd >= 0 ? PyLong_FromLong(fd) : NULL;
    int status = key != NULL ? PyDict_DelItem(((poll_t *)op)->registered, key) : -1;
    Py_XDECREF(key);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

static struct pollfd *poll_array(poll_t *self, Py_ssize_t *count)
{
    PyObject *items = PyDict_Items(self->registered);
    if (items == NULL)
        return NULL;
    Py_ssize_t n = PyList_GET_SIZE(items);
    struct pollfd *fds = PyMem_New(struct pollfd, n + 1);
    for (Py_ssize_t i = 0; fds != NULL && i < n; i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        fds[i].fd = (int)PyLong_AsLong(PyTuple_GET_ITEM(item, 0));
        fds[i].events = (short)PyLong_AsLong(PyTuple_GET_ITEM(item, 1));
        fds[i].revents = 0;
    }
    Py_DECREF(items);
    if (fds == NULL)
        PyErr_NoMemory();
    *count = n;
    return fds;
}

static PyObject *poll_poll(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    int64_t timeout = -1, deadline;
    Py_ssize_t count;
    int n;
    if (!_PyArg_CheckPositional("poll", nargs, 0, 1) || (nargs > 0 && read_timeout(args[0], 1e6, &timeout) < 0))
        return NULL;
    int busy;
    Py_BEGIN_CRITICAL_SECTION(op);
    busy = ((poll_t *)op)->running;
    ((poll_t *)op)->running = 1;
    Py_END_CRITICAL_SECTION();
    if (busy) {
        PyErr_SetString(PyExc_RuntimeError, "concurrent poll() invocation");
        return NULL;
    }
    PyObject *result = NULL;
    struct pollfd *fds = poll_array((poll_t *)op, &count);
    if (fds == NULL)
        goto done;
    deadline = timeout >= 0 ? now_ns() + timeout : 0;
    for (;;) {
        struct timespec left = {timeout / 1000000000, timeout % 1000000000};
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = ppoll(fds, (nfds_t)count, timeout >= 0 ? &left : NULL, NULL);
        Py_END_ALLOW_THREADS
        if (n >= 0 || errno != EINTR)
            break;
        if (PyErr_CheckSignals() < 0)
            goto done;
        if (timeout >= 0 && (timeout = deadline - now_ns()) < 0)
            timeout = 0;
    }
    if (n < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        goto done;
    }
    result = PyList_New(0);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        if (fds[i].revents == 0)
            continue;
        PyObject *pair = Py_BuildValue("(ii)", fds[i].fd, (int)(unsigned short)fds[i].revents);
        if (pair == NULL || PyList_Append(result, pair) < 0)
            Py_CLEAR(result);
        Py_XDECREF(pair);
    }
done:
    PyMem_Free(fds);
    Py_BEGIN_CRITICAL_SECTION(op);
    ((poll_t *)op)->running = 0;
    Py_END_CRITICAL_SECTION();
    return result;
}

static void poll_dealloc(PyObject *op)
{
    Py_XDECREF(((poll_t *)op)->registered);
    PyObject_Free(op);
}

static PyMethodDef poll_methods[] = {
    {"register", poll_register, METH_VARARGS, "register(fd, eventmask=POLLIN | POLLPRI | POLLOUT)\n\nWatch a descriptor."},
    {"modify", poll_modify, METH_VARARGS, "modify(fd, eventmask)\n\nWatch a registered descriptor for other events."},
    {"unregister", poll_unregister, METH_O, "unregister(fd)\n\nNo longer watch a descriptor."},
    MODULE_METHOD("poll", poll_poll, METH_FASTCALL, "poll(timeout=None) -> list of (fd, events)\n\nWait; timeout in milliseconds."),
    {NULL},
};

static PyTypeObject poll_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "select.poll",
    .tp_basicsize = sizeof(poll_t),
    .tp_dealloc = poll_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = poll_methods,
};

static PyObject *select_poll(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    poll_t *self = PyObject_New(poll_t, &poll_type);
    if (self == NULL)
        return NULL;
    self->running = 0;
    self->registered = PyDict_New();
    if (self->registered == NULL) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    MODULE_METHOD("select", select_select, METH_FASTCALL,
                  "select($module, rlist, wlist, xlist, timeout=None, /)\n--\n\nWait until some descriptors are ready; three lists of those that are."),
    {"poll", select_poll, METH_NOARGS, "poll($module, /)\n--\n\nA new object to watch descriptors with."},
    {NULL},
};

static int exec(PyObject *module)
{
    const struct { const char *name; int value; } constants[] = {
        {"POLLIN", POLLIN},     {"POLLPRI", POLLPRI},       {"POLLOUT", POLLOUT},       {"POLLERR", POLLERR},       {"POLLHUP", POLLHUP},
        {"POLLNVAL", POLLNVAL}, {"POLLRDNORM", POLLRDNORM}, {"POLLRDBAND", POLLRDBAND}, {"POLLWRNORM", POLLWRNORM},
        {"POLLWRBAND", POLLWRBAND}, {"POLLMSG", 0x400},     {"POLLRDHUP", 0x2000},      {"PIPE_BUF", 4096},
    };
    if (PyType_Ready(&poll_type) < 0 || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, MODULE_SLOTS_COMMON, {0, NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "select", .m_doc = "Waiting for descriptors to become ready.",
                                 .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit_select(void);
PyMODINIT_FUNC PyInit_select(void) { return PyModuleDef_Init(&def); }
