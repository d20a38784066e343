/* The _socket module: its exceptions and the functions on bare descriptors. */
#include "socket.h"
#include <fcntl.h>

PyObject *socket_herror, *socket_gaierror;

/* A descriptor given as an int; -1 with an exception. */
static int get_fd(PyObject *arg)
{
    return _PyLong_AsInt(arg);
}

static PyObject *close_(PyObject *module, PyObject *arg)
{
    int fd = get_fd(arg), rc;
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = close(fd);
    Py_END_ALLOW_THREADS
    return rc < 0 && errno != ECONNRESET ? socket_error() : Py_NewRef(Py_None);
}

static PyObject *dup_(PyObject *module, PyObject *arg)
{
    int fd = get_fd(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? socket_error() : PyLong_FromLong(fd);
}

static PyObject *socketpair_(PyObject *module, PyObject *args)
{
    int fds[2], rc, family = AF_UNIX, type = SOCK_STREAM, proto = 0;
    if (!PyArg_ParseTuple(args, "|iii:socketpair", &family, &type, &proto))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = socketpair(family, type | SOCK_CLOEXEC, proto, fds);
    Py_END_ALLOW_THREADS
    if (rc < 0)
        return socket_error();
    PyObject *first = socket_make(&socket_type, fds[0], family, type, proto), *second = NULL, *result = NULL;
    if (first == NULL)
        close(fds[1]);
    else
        second = socket_make(&socket_type, fds[1], family, type, proto);
    if (second != NULL)
        result = PyTuple_Pack(2, first, second);
    Py_XDECREF(first);
    Py_XDECREF(second);
    return result;
}

static PyMethodDef methods[] = {
    {"close", close_, METH_O, "close(integer) -> None\n\nCloses the descriptor of a socket."},
    {"dup", dup_, METH_O, "dup(integer) -> integer\n\nAnother descriptor, not inherited, of the same socket."},
    {"socketpair", socketpair_, METH_VARARGS,
     "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nTwo sockets connected to each other."},
    {NULL},
};

static PyObject *new_error(const char *name, const char *doc)
{
    return PyErr_NewExceptionWithDoc(name, doc, PyExc_OSError, NULL);
}

static int socket_exec(PyObject *module)
{
    PyMethodDef *const tables[] = {socket_resolve_methods, socket_convert_methods, socket_message_functions,
                                   socket_module_object_methods};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            return -1;
    if (socket_herror == NULL)
        socket_herror = new_error("socket.herror", "A host was not found.");
    if (socket_gaierror == NULL)
        socket_gaierror = new_error("socket.gaierror", "An address could not be resolved.");
    if (socket_herror == NULL || socket_gaierror == NULL)
        return -1;
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0
        || PyModule_AddObjectRef(module, "herror", socket_herror) < 0
        || PyModule_AddObjectRef(module, "gaierror", socket_gaierror) < 0
        || PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) < 0
        || PyModule_AddType(module, &socket_type) < 0
        || PyModule_AddObjectRef(module, "SocketType", (PyObject *)&socket_type) < 0
        || PyModule_AddObjectRef(module, "has_ipv6", Py_True) < 0)
        return -1;
    return socket_add_constants(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)socket_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "The sockets of the operating system.\n\nSee the socket module for documentation.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__socket(void)
{
    return PyModuleDef_Init(&definition);
}
