/* The socket type: the table of its methods and its slots. */
#include "socket.h"
#include <structmember.h>

static PyMethodDef methods[] = {
    {"_accept", socket_accept, METH_NOARGS,
     "_accept() -> (integer, address info)\n\nWaits for a connection; its new descriptor and the address of the peer."},
    {"bind", socket_bind, METH_O, "bind(address)\n\nGives the socket a local address."},
    {"close", socket_close, METH_NOARGS, "close()\n\nCloses the socket; no operation works on it afterwards."},
    {"connect", socket_connect, METH_O, "connect(address)\n\nConnects to the address."},
    {"connect_ex", socket_connect_ex, METH_O,
     "connect_ex(address) -> errno\n\nLike connect(), but an error of the system is returned as its number; 0: none."},
    {"detach", socket_detach, METH_NOARGS,
     "detach()\n\nGives the descriptor up without closing it, and returns it. The object counts as closed."},
    {"fileno", socket_fileno, METH_NOARGS, "fileno() -> integer\n\nThe descriptor; -1 once closed."},
    {"getblocking", socket_getblocking, METH_NOARGS, "getblocking()\n\nDo operations wait?"},
    {"getpeername", socket_getpeername, METH_NOARGS, "getpeername() -> address info\n\nThe address of the other end."},
    {"getsockname", socket_getsockname, METH_NOARGS, "getsockname() -> address info\n\nThe address of this end."},
    {"getsockopt", socket_getsockopt, METH_VARARGS,
     "getsockopt(level, option[, buffersize]) -> value\n\nThe value of an option: an int, or bytes if buffersize is given."},
    {"gettimeout", socket_gettimeout, METH_NOARGS,
     "gettimeout() -> timeout\n\nFor how many seconds operations wait; None: without limit."},
    {"listen", socket_listen, METH_VARARGS,
     "listen([backlog])\n\nAccepts connections from now on; backlog of them may wait to be accepted."},
    {"recv", socket_recv, METH_VARARGS,
     "recv(buffersize[, flags]) -> data\n\nReceives at most buffersize bytes; no bytes: the other end has closed."},
    MODULE_METHOD("recv_into", socket_recv_into, METH_VARARGS | METH_KEYWORDS,
                  "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nReceives into a buffer, at most nbytes bytes."),
    {"recvfrom", socket_recvfrom, METH_VARARGS,
     "recvfrom(buffersize[, flags]) -> (data, address info)\n\nLike recv(), with the address of the sender."},
    MODULE_METHOD("recvfrom_into", socket_recvfrom_into, METH_VARARGS | METH_KEYWORDS,
                  "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\n"
                  "Like recv_into(), with the address of the sender."),
    {"recvmsg", socket_recvmsg, METH_VARARGS,
     "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\n"
     "Receives data and ancillary data; the latter as a list of (level, type, data)."},
    {"recvmsg_into", socket_recvmsg_into, METH_VARARGS,
     "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\n"
     "Like recvmsg(), into one buffer after the other."},
    {"send", socket_send, METH_VARARGS,
     "send(data[, flags]) -> count\n\nSends data, perhaps not all; returns how many bytes."},
    {"sendall", socket_sendall, METH_VARARGS, "sendall(data[, flags])\n\nSends all of data."},
    {"sendmsg", socket_sendmsg, METH_VARARGS,
     "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\n"
     "Sends the buffers as one message, with ancillary data given as (level, type, data) items."},
    MODULE_METHOD("sendmsg_afalg", socket_sendmsg_afalg, METH_VARARGS | METH_KEYWORDS,
                  "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\n"
                  "Sends to the kernel's cryptography: operation, initialisation vector and data."),
    {"sendto", socket_sendto, METH_VARARGS, "sendto(data[, flags], address) -> count\n\nLike send(), to an address."},
    {"setblocking", socket_setblocking, METH_O, "setblocking(flag)\n\nLets operations wait without limit, or not at all."},
    {"setsockopt", socket_setsockopt, METH_VARARGS,
     "setsockopt(level, option, value: int)\n"
     "setsockopt(level, option, value: buffer)\n"
     "setsockopt(level, option, None, optlen: int)\n\nSets an option."},
    {"settimeout", socket_settimeout, METH_O,
     "settimeout(timeout)\n\nLets operations wait for so many seconds, or, with None, without limit."},
    {"shutdown", socket_shutdown, METH_O,
     "shutdown(flag)\n\nShuts down reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR)."},
    {NULL},
};

static PyMemberDef members[] = {
    {"family", T_INT, offsetof(socket_object, family), READONLY, "the socket family"},
    {"type", T_INT, offsetof(socket_object, type), READONLY, "the socket type"},
    {"proto", T_INT, offsetof(socket_object, proto), READONLY, "the socket protocol"},
    {NULL},
};

static PyObject *timeout_get(PyObject *op, void *closure) { return socket_gettimeout(op, NULL); }
static PyGetSetDef getset[] = {{"timeout", timeout_get, NULL, "the socket timeout", NULL}, {NULL}};

PyTypeObject socket_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_socket.socket",
    .tp_basicsize = sizeof(socket_object),
    .tp_dealloc = socket_dealloc,
    .tp_repr = socket_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\n"
              "socket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\n"
              "An end of a connection, or a place to receive messages. With fileno, the object of a socket that exists;\n"
              "what is not given of the rest is found out.",
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = getset,
    .tp_init = socket_init,
    .tp_new = socket_new,
    .tp_finalize = socket_finalize,
};
