/* Names: of hosts, services and protocols. All look-ups use the reentrant functions of the C library. */
#include "socket.h"
#include <arpa/inet.h>

/* ---- Hosts ---- */

static PyObject *gethostname_(PyObject *module, PyObject *unused)
{
    char name[1024];
    if (PySys_Audit("socket.gethostname", NULL) < 0)
        return NULL;
    int rc = gethostname(name, sizeof name - 1);
    name[sizeof name - 1] = 0;
    return rc < 0 ? socket_error() : PyUnicode_DecodeFSDefault(name);
}

static PyObject *sethostname_(PyObject *module, PyObject *args)
{
    PyObject *name;
    int rc;
    if (!PyArg_ParseTuple(args, "O&:sethostname", PyUnicode_FSConverter, &name))
        return NULL;
    rc = PySys_Audit("socket.sethostname", "(O)", name);
    PyObject *result = rc < 0 ? NULL
                              : socket_none(sethostname(PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name)));
    Py_DECREF(name);
    return result;
}

/* The only argument of a function: a host name. */
static int parse_host(PyObject *arg, const char *function, socket_host *host)
{
    if (!PyUnicode_Check(arg) && !PyBytes_Check(arg) && !PyByteArray_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 1 must be str, bytes or bytearray, not %s", function,
                     arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return -1;
    }
    return socket_host_convert(arg, host) ? 0 : -1;
}

static PyObject *gethostbyname_(PyObject *module, PyObject *arg)
{
    socket_host host = {NULL, NULL};
    socket_address a;
    char text[INET_ADDRSTRLEN];
    PyObject *result = NULL;
    if (parse_host(arg, "gethostbyname", &host) < 0)
        return NULL;
    if (PySys_Audit("socket.gethostbyname", "O", arg) == 0 && socket_host_parse(host.text, AF_INET, &a) == 0)
        result = PyUnicode_FromString(inet_ntop(AF_INET, &a.in.sin_addr, text, sizeof text));
    Py_DECREF(host.owner);
    return result;
}

static PyObject *set_herror(int code)
{
    PyObject *value = Py_BuildValue("(is)", code, hstrerror(code));
    if (value != NULL)
        PyErr_SetObject(socket_herror, value);
    Py_XDECREF(value);
    return NULL;
}

/* A list of the addresses that follow each other in a NULL-ended array. */
static PyObject *list_addresses(const struct hostent *found)
{
    PyObject *list = PyList_New(0);
    for (char **at = found->h_addr_list; list != NULL && at != NULL && *at != NULL; at++) {
        char text[INET6_ADDRSTRLEN];
        PyObject *item = PyUnicode_FromString(inet_ntop(found->h_addrtype, *at, text, sizeof text));
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *list_aliases(const struct hostent *found)
{
    PyObject *list = PyList_New(0);
    for (char **at = found->h_aliases; list != NULL && at != NULL && *at != NULL; at++) {
        PyObject *item = PyUnicode_FromString(*at);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* (name, aliases, addresses) of what was found. */
static PyObject *make_host(const struct hostent *found, int family)
{
    if (found->h_addrtype != family) {
        errno = EAFNOSUPPORT;
        return socket_error();
    }
    PyObject *name = PyUnicode_DecodeFSDefault(found->h_name), *aliases = list_aliases(found);
    PyObject *addresses = list_addresses(found), *result = NULL;
    if (name != NULL && aliases != NULL && addresses != NULL)
        result = PyTuple_Pack(3, name, aliases, addresses);
    Py_XDECREF(name);
    Py_XDECREF(aliases);
    Py_XDECREF(addresses);
    return result;
}

/* Looks the host up by the address, or by the name if one is given. */
static PyObject *find_host(const char *name, const socket_address *a)
{
    size_t size = 16384;
    char *buffer = NULL;
    struct hostent space, *found = NULL;
    int rc, code = 0, family = a->any.sa_family;
    const void *address = family == AF_INET ? (const void *)&a->in.sin_addr : &a->in6.sin6_addr;
    socklen_t length = family == AF_INET ? sizeof a->in.sin_addr : sizeof a->in6.sin6_addr;
    if (family != AF_INET && family != AF_INET6) {
        PyErr_SetString(PyExc_OSError, "unsupported address family");
        return NULL;
    }
    do {
        char *larger = PyMem_RawRealloc(buffer, size);
        if (larger == NULL) {
            PyMem_RawFree(buffer);
            return PyErr_NoMemory();
        }
        buffer = larger;
        Py_BEGIN_ALLOW_THREADS
        rc = name != NULL ? gethostbyname_r(name, &space, buffer, size, &found, &code)
                          : gethostbyaddr_r(address, length, family, &space, buffer, size, &found, &code);
        Py_END_ALLOW_THREADS
        size *= 2;
    } while (rc == ERANGE && size <= 1 << 20);
    PyObject *result = found != NULL ? make_host(found, family) : set_herror(code);
    PyMem_RawFree(buffer);
    return result;
}

static PyObject *gethostbyname_ex_(PyObject *module, PyObject *arg)
{
    socket_host host = {NULL, NULL};
    socket_address a;
    PyObject *result = NULL;
    if (parse_host(arg, "gethostbyname_ex", &host) < 0)
        return NULL;
    if (PySys_Audit("socket.gethostbyname", "O", arg) == 0 && socket_host_parse(host.text, AF_INET, &a) == 0)
        result = find_host(host.text, &a);
    Py_DECREF(host.owner);
    return result;
}

static PyObject *gethostbyaddr_(PyObject *module, PyObject *arg)
{
    socket_host host = {NULL, NULL};
    socket_address a;
    PyObject *result = NULL;
    if (parse_host(arg, "gethostbyaddr", &host) < 0)
        return NULL;
    if (PySys_Audit("socket.gethostbyaddr", "O", arg) == 0 && socket_host_parse(host.text, AF_UNSPEC, &a) == 0)
        result = find_host(NULL, &a);
    Py_DECREF(host.owner);
    return result;
}

/* ---- Services and protocols ---- */

static PyObject *getservbyname_(PyObject *module, PyObject *args)
{
    const char *name, *proto = NULL;
    char buffer[4096];
    struct servent space, *found = NULL;
    if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &proto)
        || PySys_Audit("socket.getservbyname", "ss", name, proto) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    getservbyname_r(name, proto, &space, buffer, sizeof buffer, &found);
    Py_END_ALLOW_THREADS
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "service/proto not found");
        return NULL;
    }
    return PyLong_FromLong(ntohs((uint16_t)found->s_port));
}

static PyObject *getservbyport_(PyObject *module, PyObject *args)
{
    int port;
    const char *proto = NULL;
    char buffer[4096];
    struct servent space, *found = NULL;
    if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &proto))
        return NULL;
    if (port < 0 || port > 0xffff) {
        PyErr_SetString(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
        return NULL;
    }
    if (PySys_Audit("socket.getservbyport", "is", port, proto) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    getservbyport_r(htons((uint16_t)port), proto, &space, buffer, sizeof buffer, &found);
    Py_END_ALLOW_THREADS
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "port/proto not found");
        return NULL;
    }
    return PyUnicode_FromString(found->s_name);
}

static PyObject *getprotobyname_(PyObject *module, PyObject *args)
{
    const char *name;
    char buffer[4096];
    struct protoent space, *found = NULL;
    if (!PyArg_ParseTuple(args, "s:getprotobyname", &name))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    getprotobyname_r(name, &space, buffer, sizeof buffer, &found);
    Py_END_ALLOW_THREADS
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "protocol not found");
        return NULL;
    }
    return PyLong_FromLong(found->p_proto);
}

/* ---- getaddrinfo and getnameinfo ---- */

/* The bytes of a host or service argument; counted; NULL with or (None) without an exception. */
static PyObject *name_bytes(PyObject *arg, const char *encoding)
{
    if (arg == Py_None)
        return NULL;
    if (PyBytes_Check(arg))
        return Py_NewRef(arg);
    return PyUnicode_AsEncodedString(arg, encoding, NULL);
}

static PyObject *make_info(const struct addrinfo *info)
{
    socket_address a;
    memset(&a, 0, sizeof a);
    memcpy(&a, info->ai_addr, info->ai_addrlen <= sizeof a ? info->ai_addrlen : sizeof a);
    PyObject *address = socket_address_make(-1, &a, info->ai_addrlen, info->ai_protocol);
    return address == NULL ? NULL
                           : Py_BuildValue("iiisN", info->ai_family, info->ai_socktype, info->ai_protocol,
                                           info->ai_canonname != NULL ? info->ai_canonname : "", address);
}

/* A service: number, name or None. The text is in *bytes. 0, or -1 with an exception. */
static int service_bytes(PyObject *service, PyObject **bytes)
{
    *bytes = NULL;
    if (PyLong_CheckExact(service)) {
        long number = PyLong_AsLong(service);
        if (number == -1 && PyErr_Occurred())
            return -1;
        *bytes = PyBytes_FromFormat("%ld", number);
    }
    else if (service == Py_None || PyUnicode_Check(service) || PyBytes_Check(service)) {
        *bytes = name_bytes(service, "utf-8");
    }
    else {
        PyErr_SetString(PyExc_OSError, "Int or String expected");
        return -1;
    }
    return *bytes != NULL || service == Py_None ? 0 : -1;
}

static PyObject *getaddrinfo_(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"host", "port", "family", "type", "proto", "flags", NULL};
    PyObject *host, *service, *host_bytes = NULL, *port_bytes = NULL, *result = NULL;
    struct addrinfo hints = {0}, *found = NULL;
    int code;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|iiii:getaddrinfo", names, &host, &service, &hints.ai_family,
                                     &hints.ai_socktype, &hints.ai_protocol, &hints.ai_flags))
        return NULL;
    if (host != Py_None && !PyUnicode_Check(host) && !PyBytes_Check(host)) {
        PyErr_SetString(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
        return NULL;
    }
    host_bytes = name_bytes(host, "idna");
    if ((host_bytes == NULL && host != Py_None) || service_bytes(service, &port_bytes) < 0
        || PySys_Audit("socket.getaddrinfo", "OOiii", host, service, hints.ai_family, hints.ai_socktype,
                       hints.ai_protocol) < 0)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    code = getaddrinfo(host_bytes != NULL ? PyBytes_AS_STRING(host_bytes) : NULL,
                       port_bytes != NULL ? PyBytes_AS_STRING(port_bytes) : NULL, &hints, &found);
    Py_END_ALLOW_THREADS
    if (code != 0) {
        found = NULL;
        socket_set_gaierror(code);
        goto done;
    }
    result = PyList_New(0);
    for (const struct addrinfo *info = found; result != NULL && info != NULL; info = info->ai_next) {
        PyObject *item = make_info(info);
        if (item == NULL || PyList_Append(result, item) < 0)
            Py_CLEAR(result);
        Py_XDECREF(item);
    }
done:
    if (found != NULL)
        freeaddrinfo(found);
    Py_XDECREF(host_bytes);
    Py_XDECREF(port_bytes);
    return result;
}

/* Finishes the numeric address that was found for getnameinfo. 0, or -1 with an exception. */
static int complete_address(const struct addrinfo *found, PyObject *given, unsigned flowinfo, unsigned scope,
                            socket_address *a)
{
    if (found->ai_next != NULL) {
        PyErr_SetString(PyExc_OSError, "sockaddr resolved to multiple addresses");
        return -1;
    }
    memset(a, 0, sizeof *a);
    memcpy(a, found->ai_addr, found->ai_addrlen);
    if (found->ai_family == AF_INET && PyTuple_GET_SIZE(given) != 2) {
        PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
        return -1;
    }
    if (found->ai_family == AF_INET6) {
        a->in6.sin6_flowinfo = htonl(flowinfo);
        a->in6.sin6_scope_id = scope;
    }
    return 0;
}

static PyObject *getnameinfo_(PyObject *module, PyObject *args)
{
    PyObject *given, *result = NULL;
    const char *host;
    int port, flags, code;
    unsigned flowinfo = 0, scope = 0;
    char port_text[16], name[NI_MAXHOST], service[NI_MAXSERV];
    socket_address a;
    if (!PyArg_ParseTuple(args, "Oi:getnameinfo", &given, &flags))
        return NULL;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(given, "si|II;getnameinfo(): illegal sockaddr argument", &host, &port, &flowinfo, &scope))
        return NULL;
    if (flowinfo > 0xfffff) {
        PyErr_SetString(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
        return NULL;
    }
    if (PySys_Audit("socket.getnameinfo", "(O)", given) < 0)
        return NULL;
    PyOS_snprintf(port_text, sizeof port_text, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    Py_BEGIN_ALLOW_THREADS
    code = getaddrinfo(host, port_text, &hints, &found);
    Py_END_ALLOW_THREADS
    if (code != 0)
        return socket_set_gaierror(code);
    if (complete_address(found, given, flowinfo, scope, &a) == 0) {
        Py_BEGIN_ALLOW_THREADS
        code = getnameinfo(&a.any, found->ai_addrlen, name, sizeof name, service, sizeof service, flags);
        Py_END_ALLOW_THREADS
        if (code != 0)
            socket_set_gaierror(code);
        else {
            PyObject *text = PyUnicode_DecodeFSDefault(name);
            result = text != NULL ? Py_BuildValue("Ns", text, service) : NULL;
        }
    }
    freeaddrinfo(found);
    return result;
}

PyMethodDef socket_resolve_methods[] = {
    {"gethostname", gethostname_, METH_NOARGS, "gethostname() -> string\n\nThe name of this computer."},
    {"sethostname", sethostname_, METH_VARARGS, "sethostname(name)\n\nChanges the name of this computer."},
    {"gethostbyname", gethostbyname_, METH_O, "gethostbyname(host) -> address\n\nThe IPv4 address of a host, as text."},
    {"gethostbyname_ex", gethostbyname_ex_, METH_O,
     "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nThe names and IPv4 addresses of a host."},
    {"gethostbyaddr", gethostbyaddr_, METH_O,
     "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nThe names and addresses of the host with an address."},
    {"getservbyname", getservbyname_, METH_VARARGS,
     "getservbyname(servicename[, protocolname]) -> integer\n\nThe port of a service."},
    {"getservbyport", getservbyport_, METH_VARARGS,
     "getservbyport(port[, protocolname]) -> string\n\nThe service of a port."},
    {"getprotobyname", getprotobyname_, METH_VARARGS, "getprotobyname(name) -> integer\n\nThe number of a protocol."},
    MODULE_METHOD("getaddrinfo", getaddrinfo_, METH_VARARGS | METH_KEYWORDS,
                  "getaddrinfo(host, port [, family, type, proto, flags])\n"
                  "    -> list of (family, type, proto, canonname, sockaddr)\n\nThe addresses of a host and a service."),
    {"getnameinfo", getnameinfo_, METH_VARARGS,
     "getnameinfo(sockaddr, flags) --> (host, port)\n\nThe names of a host and a service that belong to an address."},
    {NULL},
};
