/* Conversions: byte order, addresses as text, names of network interfaces. */
#include "socket.h"
#include <arpa/inet.h>
#include <net/if.h>

/* ---- Byte order ---- */

/* An int of 16 bits; -1 with an exception. */
static int get_16(PyObject *args, const char *name)
{
    char format[16];
    int value;
    PyOS_snprintf(format, sizeof format, "i:%s", name);
    if (!PyArg_ParseTuple(args, format, &value))
        return -1;
    if (value < 0) {
        PyErr_Format(PyExc_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer", name);
        return -1;
    }
    if (value > 0xffff) {
        PyErr_Format(PyExc_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer", name);
        return -1;
    }
    return value;
}

/* An int of 32 bits; -1 with an exception. */
static int64_t get_32(PyObject *arg)
{
    if (!PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(arg)->tp_name);
        return -1;
    }
    unsigned long value = PyLong_AsUnsignedLong(arg);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return -1;
    if (value > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int larger than 32 bits");
        return -1;
    }
    return (int64_t)value;
}

static PyObject *ntohs_(PyObject *module, PyObject *args)
{
    int value = get_16(args, "ntohs");
    return value < 0 ? NULL : PyLong_FromLong(ntohs((uint16_t)value));
}

static PyObject *htons_(PyObject *module, PyObject *args)
{
    int value = get_16(args, "htons");
    return value < 0 ? NULL : PyLong_FromLong(htons((uint16_t)value));
}

/* The two directions are the same change. */
static PyObject *swap_32(PyObject *module, PyObject *arg)
{
    int64_t value = get_32(arg);
    return value < 0 ? NULL : PyLong_FromUnsignedLong(htonl((uint32_t)value));
}

/* ---- Addresses as text ---- */

static PyObject *inet_aton_(PyObject *module, PyObject *args)
{
    const char *text;
    struct in_addr address;
    if (!PyArg_ParseTuple(args, "s:inet_aton", &text))
        return NULL;
    if (inet_aton(text, &address) == 0) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_aton");
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)&address, sizeof address);
}

static PyObject *inet_ntoa_(PyObject *module, PyObject *args)
{
    Py_buffer packed;
    char text[INET_ADDRSTRLEN];
    if (!PyArg_ParseTuple(args, "y*:inet_ntoa", &packed))
        return NULL;
    PyObject *result = NULL;
    if (packed.len != sizeof(struct in_addr))
        PyErr_SetString(PyExc_OSError, "packed IP wrong length for inet_ntoa");
    else
        result = PyUnicode_FromString(inet_ntop(AF_INET, packed.buf, text, sizeof text));
    PyBuffer_Release(&packed);
    return result;
}

static PyObject *inet_pton_(PyObject *module, PyObject *args)
{
    int family;
    const char *text;
    char packed[sizeof(struct in6_addr)];
    if (!PyArg_ParseTuple(args, "is:inet_pton", &family, &text))
        return NULL;
    int rc = inet_pton(family, text, packed);
    if (rc < 0)
        return socket_error();
    if (rc == 0) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_pton");
        return NULL;
    }
    return PyBytes_FromStringAndSize(packed, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
}

static PyObject *inet_ntop_(PyObject *module, PyObject *args)
{
    int family;
    Py_buffer packed;
    char text[INET6_ADDRSTRLEN];
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "iy*:inet_ntop", &family, &packed))
        return NULL;
    if (family != AF_INET && family != AF_INET6)
        PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
    else if ((size_t)packed.len != (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
        PyErr_SetString(PyExc_ValueError, "invalid length of packed IP address string");
    else
        result = PyUnicode_FromString(inet_ntop(family, packed.buf, text, sizeof text));
    PyBuffer_Release(&packed);
    return result;
}

/* ---- Interfaces ---- */

static PyObject *if_nameindex_(PyObject *module, PyObject *unused)
{
    struct if_nameindex *all = if_nameindex();
    if (all == NULL)
        return socket_error();
    PyObject *list = PyList_New(0);
    for (struct if_nameindex *at = all; list != NULL && at->if_index != 0; at++) {
        PyObject *name = PyUnicode_DecodeFSDefault(at->if_name);
        PyObject *item = name != NULL ? Py_BuildValue("IN", at->if_index, name) : NULL;
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    if_freenameindex(all);
    return list;
}

static PyObject *if_nametoindex_(PyObject *module, PyObject *args)
{
    PyObject *name;
    if (!PyArg_ParseTuple(args, "O&:if_nametoindex", PyUnicode_FSConverter, &name))
        return NULL;
    unsigned index = if_nametoindex(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    if (index == 0) {
        PyErr_SetString(PyExc_OSError, "no interface with this name");
        return NULL;
    }
    return PyLong_FromUnsignedLong(index);
}

static PyObject *if_indextoname_(PyObject *module, PyObject *arg)
{
    char name[IF_NAMESIZE + 1];
    unsigned long index = PyLong_AsUnsignedLong(arg);
    if (index == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    if (index > UINT_MAX || if_indextoname((unsigned)index, name) == NULL) {
        if (index > UINT_MAX)
            errno = ENXIO;
        return socket_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

PyMethodDef socket_convert_methods[] = {
    {"ntohs", ntohs_, METH_VARARGS, "ntohs(integer) -> integer\n\nA 16-bit integer from network to host byte order."},
    {"htons", htons_, METH_VARARGS, "htons(integer) -> integer\n\nA 16-bit integer from host to network byte order."},
    {"ntohl", swap_32, METH_O, "ntohl(integer) -> integer\n\nA 32-bit integer from network to host byte order."},
    {"htonl", swap_32, METH_O, "htonl(integer) -> integer\n\nA 32-bit integer from host to network byte order."},
    {"inet_aton", inet_aton_, METH_VARARGS,
     "inet_aton(string) -> bytes giving packed 32-bit IP representation\n\nPacks an IPv4 address given as text."},
    {"inet_ntoa", inet_ntoa_, METH_VARARGS,
     "inet_ntoa(packed_ip) -> ip_address_string\n\nThe text of a packed IPv4 address."},
    {"inet_pton", inet_pton_, METH_VARARGS,
     "inet_pton(af, ip) -> packed IP address string\n\nPacks an address of that family given as text."},
    {"inet_ntop", inet_ntop_, METH_VARARGS,
     "inet_ntop(af, packed_ip) -> string formatted IP address\n\nThe text of a packed address of that family."},
    {"if_nameindex", if_nameindex_, METH_NOARGS,
     "if_nameindex()\n\nA list of the network interfaces: (index, name)."},
    {"if_nametoindex", if_nametoindex_, METH_VARARGS, "if_nametoindex(if_name)\n\nThe index of an interface."},
    {"if_indextoname", if_indextoname_, METH_O, "if_indextoname(if_index)\n\nThe name of an interface."},
    {NULL},
};
