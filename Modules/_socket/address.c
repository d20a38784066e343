/* Socket addresses: from the forms that Python uses to those of the system, and back. */
#include "socket.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/ioctl.h>

#define FLOWINFO_MAX 0xfffffu

/* ---- Hosts ---- */

PyObject *socket_set_gaierror(int code)
{
    if (code == EAI_SYSTEM)
        return socket_error();
    PyObject *value = Py_BuildValue("(is)", code, gai_strerror(code));
    if (value != NULL)
        PyErr_SetObject(socket_gaierror, value);
    Py_XDECREF(value);
    return NULL;
}

int socket_host_convert(PyObject *arg, void *address)
{
    socket_host *host = address;
    if (arg == NULL) {
        Py_CLEAR(host->owner);
        return 1;
    }
    Py_ssize_t size;
    if (PyBytes_Check(arg)) {
        host->owner = Py_NewRef(arg);
    }
    else if (PyByteArray_Check(arg)) {
        host->owner = PyBytes_FromObject(arg);
    }
    else if (PyUnicode_Check(arg)) {
        /* Most names are ASCII, and those are themselves in IDNA. */
        int plain = PyUnicode_IS_ASCII(arg);
        host->owner = PyUnicode_AsEncodedString(arg, plain ? "ascii" : "idna", NULL);
        if (host->owner == NULL) {
            PyErr_SetString(PyExc_TypeError, "encoding of hostname failed");
            return 0;
        }
    }
    else {
        PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s", Py_TYPE(arg)->tp_name);
        return 0;
    }
    if (host->owner == NULL)
        return 0;
    host->text = PyBytes_AS_STRING(host->owner);
    size = PyBytes_GET_SIZE(host->owner);
    if (strlen(host->text) != (size_t)size) {
        PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
        Py_CLEAR(host->owner);
        return 0;
    }
    return Py_CLEANUP_SUPPORTED;
}

/* The only address that getaddrinfo knows for the wildcard ("") of the family. */
static int parse_wildcard(int family, socket_address *a)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int code, rc = -1;
    Py_BEGIN_ALLOW_THREADS
    code = getaddrinfo(NULL, "0", &hints, &found);
    Py_END_ALLOW_THREADS
    if (code != 0) {
        socket_set_gaierror(code);
        return -1;
    }
    if (found->ai_next != NULL) {
        PyErr_SetString(PyExc_OSError, "wildcard resolved to multiple address");
    }
    else {
        memcpy(a, found->ai_addr, found->ai_addrlen);
        rc = 0;
    }
    freeaddrinfo(found);
    return rc;
}

int socket_host_parse(const char *name, int family, socket_address *a)
{
    memset(a, 0, sizeof *a);
    if (name[0] == 0)
        return parse_wildcard(family, a);
    if (strcmp(name, "255.255.255.255") == 0 || strcmp(name, "<broadcast>") == 0) {
        if (family != AF_INET && family != AF_UNSPEC) {
            PyErr_SetString(PyExc_OSError, "address family mismatched");
            return -1;
        }
        a->in.sin_family = AF_INET;
        a->in.sin_addr.s_addr = INADDR_BROADCAST;
        return 0;
    }
    if ((family == AF_INET || family == AF_UNSPEC) && inet_pton(AF_INET, name, &a->in.sin_addr) > 0) {
        a->in.sin_family = AF_INET;
        return 0;
    }
    if ((family == AF_INET6 || family == AF_UNSPEC) && inet_pton(AF_INET6, name, &a->in6.sin6_addr) > 0) {
        a->in6.sin6_family = AF_INET6;
        return 0;
    }
    struct addrinfo hints = {.ai_family = family}, *found = NULL;
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = getaddrinfo(name, NULL, &hints, &found);
    Py_END_ALLOW_THREADS
    if (code != 0) {
        socket_set_gaierror(code);
        return -1;
    }
    memset(a, 0, sizeof *a);
    memcpy(a, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

/* ---- From Python ---- */

static int need_tuple(PyObject *address, const char *function, const char *family)
{
    if (PyTuple_Check(address))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", function, family,
                 Py_TYPE(address)->tp_name);
    return -1;
}

/* After a failed PyArg_ParseTuple: the int that was too big was the port. */
static int port_overflow(const char *function)
{
    if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", function);
    return -1;
}

static int port_check(int port, const char *function)
{
    if (port >= 0 && port <= 0xffff)
        return 0;
    PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", function);
    return -1;
}

static int flowinfo_check(unsigned flowinfo, const char *function)
{
    if (flowinfo <= FLOWINFO_MAX)
        return 0;
    PyErr_Format(PyExc_OverflowError, "%s(): flowinfo must be 0-1048575.", function);
    return -1;
}

static int parse_inet(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    socket_host host = {NULL, NULL};
    int port, rc = -1;
    if (need_tuple(address, function, "AF_INET") < 0)
        return -1;
    if (!PyArg_ParseTuple(address, "O&i;AF_INET address must be a pair (host, port)", socket_host_convert, &host,
                          &port))
        return port_overflow(function);
    if (port_check(port, function) == 0 && socket_host_parse(host.text, AF_INET, a) == 0) {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons((uint16_t)port);
        *size = sizeof a->in;
        rc = 0;
    }
    Py_XDECREF(host.owner);
    return rc;
}

static int parse_inet6(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    socket_host host = {NULL, NULL};
    int port, rc = -1;
    unsigned flowinfo = 0, scope = 0;
    if (need_tuple(address, function, "AF_INET6") < 0)
        return -1;
    if (!PyArg_ParseTuple(address, "O&i|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])",
                          socket_host_convert, &host, &port, &flowinfo, &scope))
        return port_overflow(function);
    if (port_check(port, function) == 0 && flowinfo_check(flowinfo, function) == 0
        && socket_host_parse(host.text, AF_INET6, a) == 0) {
        a->in6.sin6_family = AF_INET6;
        a->in6.sin6_port = htons((uint16_t)port);
        a->in6.sin6_flowinfo = htonl(flowinfo);
        a->in6.sin6_scope_id = scope;
        *size = sizeof a->in6;
        rc = 0;
    }
    Py_XDECREF(host.owner);
    return rc;
}

static int parse_unix(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    Py_buffer path = {0};
    int rc = -1;
    PyObject *bytes = PyUnicode_Check(address) ? PyUnicode_EncodeFSDefault(address) : Py_NewRef(address);
    if (bytes == NULL || PyObject_GetBuffer(bytes, &path, PyBUF_SIMPLE) < 0)
        goto done;
    /* A name that begins with a null byte is not in the file system, and all its bytes count; others end with one. */
    int named = path.len > 0 && *(char *)path.buf != 0;
    if ((size_t)path.len > sizeof a->un.sun_path - (size_t)(named || path.len == 0)) {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
        goto done;
    }
    a->un.sun_family = AF_UNIX;
    memcpy(a->un.sun_path, path.buf, (size_t)path.len);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)path.len + (size_t)(path.len > 0 && named));
    rc = 0;
done:
    PyBuffer_Release(&path);
    Py_XDECREF(bytes);
    return rc;
}

static int parse_netlink(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    unsigned pid, groups;
    if (need_tuple(address, function, "AF_NETLINK") < 0
        || !PyArg_ParseTuple(address, "II;AF_NETLINK address must be a pair (pid, groups)", &pid, &groups))
        return -1;
    a->nl.nl_family = AF_NETLINK;
    a->nl.nl_pid = pid;
    a->nl.nl_groups = groups;
    *size = sizeof a->nl;
    return 0;
}

static int parse_qipcrtr(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    unsigned node, port;
    if (need_tuple(address, function, "AF_QIPCRTR") < 0 || !PyArg_ParseTuple(address, "II:getsockaddrarg", &node, &port))
        return -1;
    a->qrtr.sq_family = AF_QIPCRTR;
    a->qrtr.sq_node = node;
    a->qrtr.sq_port = port;
    *size = sizeof a->qrtr;
    return 0;
}

static int parse_vsock(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    unsigned cid, port;
    if (need_tuple(address, function, "AF_VSOCK") < 0 || !PyArg_ParseTuple(address, "II:getsockaddrarg", &cid, &port))
        return -1;
    a->vm.svm_family = AF_VSOCK;
    a->vm.svm_cid = cid;
    a->vm.svm_port = port;
    *size = sizeof a->vm;
    return 0;
}

/* The index of an interface; 0 for no name. -1 with an exception. */
static int interface_index(int fd, const char *name, int *index)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) {
        PyErr_SetString(PyExc_OSError, "AF_CAN interface name too long");
        return -1;
    }
    *index = 0;
    if (name[0] == 0)
        return 0;
    memcpy(request.ifr_name, name, strlen(name));
    if (ioctl(fd, SIOCGIFINDEX, &request) < 0) {
        socket_error();
        return -1;
    }
    *index = request.ifr_ifindex;
    return 0;
}

static int parse_packet(int fd, PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    const char *name;
    int proto, type = 0, hardware = 0, index, rc = -1;
    Py_buffer link = {0};
    if (need_tuple(address, function, "AF_PACKET") < 0)
        return -1;
    if (!PyArg_ParseTuple(address,
                          "si|iiy*;AF_PACKET address must be a tuple of two to five elements", &name, &proto, &type,
                          &hardware, &link)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_Format(PyExc_OverflowError, "%s(): address argument out of range", function);
        return -1;
    }
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (ioctl(fd, SIOCGIFINDEX, &request) < 0) {
        socket_error();
        goto done;
    }
    index = request.ifr_ifindex;
    if (link.buf != NULL && link.len > 8) {
        PyErr_SetString(PyExc_ValueError, "Hardware address must be 8 bytes or less");
        goto done;
    }
    if (proto < 0 || proto > 0xffff) {
        PyErr_Format(PyExc_OverflowError, "%s(): proto argument must be 0-65535.", function);
        goto done;
    }
    a->ll.sll_family = AF_PACKET;
    a->ll.sll_protocol = htons((uint16_t)proto);
    a->ll.sll_ifindex = index;
    a->ll.sll_pkttype = (unsigned char)type;
    a->ll.sll_hatype = (unsigned short)hardware;
    if (link.buf != NULL) {
        memcpy(a->ll.sll_addr, link.buf, (size_t)link.len);
        a->ll.sll_halen = (unsigned char)link.len;
    }
    *size = sizeof a->ll;
    rc = 0;
done:
    PyBuffer_Release(&link);
    return rc;
}

static int parse_can(PyObject *op, PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    PyObject *name;
    int proto = socket_proto(op), index, ok;
    unsigned long receive = 0, send = 0;
    unsigned long long name64 = 0;
    unsigned group = 0, host = 0;
    if (proto != CAN_RAW && proto != CAN_BCM && proto != CAN_ISOTP && proto != CAN_J1939) {
        PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol", function);
        return -1;
    }
    if (need_tuple(address, function, "AF_CAN") < 0)
        return -1;
    if (proto == CAN_ISOTP)
        ok = PyArg_ParseTuple(address, "O&kk;AF_CAN address must be a tuple (interface, rx_addr, tx_addr)",
                              PyUnicode_FSConverter, &name, &receive, &send);
    else if (proto == CAN_J1939)
        ok = PyArg_ParseTuple(address, "O&KIB;AF_CAN address must be a tuple (interface, name, pgn, addr)",
                              PyUnicode_FSConverter, &name, &name64, &group, &host);
    else
        ok = PyArg_ParseTuple(address, "O&;AF_CAN address must be a tuple (interface, )", PyUnicode_FSConverter, &name);
    if (!ok)
        return -1;
    ok = interface_index(socket_fd(op), PyBytes_AS_STRING(name), &index) == 0;
    Py_DECREF(name);
    if (!ok)
        return -1;
    a->can.can_family = AF_CAN;
    a->can.can_ifindex = index;
    if (proto == CAN_ISOTP) {
        a->can.can_addr.tp.rx_id = (canid_t)receive;
        a->can.can_addr.tp.tx_id = (canid_t)send;
    }
    else if (proto == CAN_J1939) {
        a->can.can_addr.j1939.name = name64;
        a->can.can_addr.j1939.pgn = group;
        a->can.can_addr.j1939.addr = (uint8_t)host;
    }
    *size = sizeof a->can;
    return 0;
}

static int parse_tipc(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    unsigned kind, v1, v2, v3, scope = TIPC_CLUSTER_SCOPE;
    if (need_tuple(address, function, "AF_TIPC") < 0
        || !PyArg_ParseTuple(address, "IIII|I;AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])", &kind,
                             &v1, &v2, &v3, &scope))
        return -1;
    a->tipc.family = AF_TIPC;
    a->tipc.scope = (signed char)scope;
    if (kind == TIPC_ADDR_NAMESEQ) {
        a->tipc.addrtype = TIPC_ADDR_NAMESEQ;
        a->tipc.addr.nameseq.type = v1;
        a->tipc.addr.nameseq.lower = v2;
        a->tipc.addr.nameseq.upper = v3;
    }
    else if (kind == TIPC_ADDR_NAME) {
        a->tipc.addrtype = TIPC_ADDR_NAME;
        a->tipc.addr.name.name.type = v1;
        a->tipc.addr.name.name.instance = v2;
    }
    else if (kind == TIPC_ADDR_ID) {
        a->tipc.addrtype = TIPC_ADDR_ID;
        a->tipc.addr.id.node = v1;
        a->tipc.addr.id.ref = v2;
    }
    else {
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return -1;
    }
    *size = sizeof a->tipc;
    return 0;
}

static int parse_alg(PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    const char *type, *name;
    unsigned feature = 0, mask = 0;
    if (need_tuple(address, function, "AF_ALG") < 0
        || !PyArg_ParseTuple(address, "ss|HH;AF_ALG address must be a tuple (type, name[, feat[, mask]])", &type, &name,
                             &feature, &mask))
        return -1;
    /* The kernel accepts a name that fills its field without a null byte behind it. */
    if (strlen(type) >= sizeof a->alg.salg_type) {
        PyErr_SetString(PyExc_ValueError, "AF_ALG type too long.");
        return -1;
    }
    if (strlen(name) >= sizeof a->alg.salg_name) {
        PyErr_SetString(PyExc_ValueError, "AF_ALG name too long.");
        return -1;
    }
    a->alg.salg_family = AF_ALG;
    memcpy(a->alg.salg_type, type, strlen(type));
    memcpy(a->alg.salg_name, name, strlen(name));
    a->alg.salg_feat = feature;
    a->alg.salg_mask = mask;
    *size = sizeof a->alg;
    return 0;
}

int socket_address_parse(PyObject *op, PyObject *address, const char *function, socket_address *a, socklen_t *size)
{
    memset(a, 0, sizeof *a);
    switch (socket_family(op)) {
    case AF_INET:
    case AF_RDS:
        return parse_inet(address, function, a, size);
    case AF_INET6:
        return parse_inet6(address, function, a, size);
    case AF_UNIX:
        return parse_unix(address, function, a, size);
    case AF_NETLINK:
        return parse_netlink(address, function, a, size);
    case AF_PACKET:
        return parse_packet(socket_fd(op), address, function, a, size);
    case AF_CAN:
        return parse_can(op, address, function, a, size);
    case AF_VSOCK:
        return parse_vsock(address, function, a, size);
    case AF_TIPC:
        return parse_tipc(address, function, a, size);
    case AF_ALG:
        return parse_alg(address, function, a, size);
    case AF_QIPCRTR:
        return parse_qipcrtr(address, function, a, size);
    default:
        PyErr_Format(PyExc_OSError, "%s(): bad family", function);
        return -1;
    }
}

/* ---- To Python ---- */

static PyObject *make_unix(const struct sockaddr_un *a, socklen_t size)
{
    Py_ssize_t length = (Py_ssize_t)size - (Py_ssize_t)offsetof(struct sockaddr_un, sun_path);
    if (length <= 0)
        return PyUnicode_FromString("");
    if (a->sun_path[0] == 0)
        return PyBytes_FromStringAndSize(a->sun_path, length);
    return PyUnicode_DecodeFSDefaultAndSize(a->sun_path, (Py_ssize_t)strnlen(a->sun_path, (size_t)length));
}

static const char *interface_name(int fd, int index, struct ifreq *request)
{
    memset(request, 0, sizeof *request);
    request->ifr_ifindex = index;
    return index != 0 && ioctl(fd, SIOCGIFNAME, request) == 0 ? request->ifr_name : "";
}

static PyObject *make_packet(int fd, const struct sockaddr_ll *a)
{
    struct ifreq request;
    int length = a->sll_halen < sizeof a->sll_addr ? a->sll_halen : (int)sizeof a->sll_addr;
    return Py_BuildValue("siiiy#", interface_name(fd, a->sll_ifindex, &request), ntohs(a->sll_protocol), a->sll_pkttype,
                         a->sll_hatype, (const char *)a->sll_addr, (Py_ssize_t)length);
}

static PyObject *make_can(int fd, const struct sockaddr_can *a, int proto)
{
    struct ifreq request;
    PyObject *name = PyUnicode_DecodeFSDefault(interface_name(fd, a->can_ifindex, &request));
    if (name == NULL)
        return NULL;
    if (proto == CAN_ISOTP)
        return Py_BuildValue("Nkk", name, (unsigned long)a->can_addr.tp.rx_id, (unsigned long)a->can_addr.tp.tx_id);
    if (proto == CAN_J1939)
        return Py_BuildValue("NKII", name, (unsigned long long)a->can_addr.j1939.name, (unsigned)a->can_addr.j1939.pgn,
                             (unsigned)a->can_addr.j1939.addr);
    return Py_BuildValue("(N)", name);
}

static PyObject *make_tipc(const struct sockaddr_tipc *a)
{
    switch (a->addrtype) {
    case TIPC_ADDR_NAMESEQ:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.nameseq.type, a->addr.nameseq.lower, a->addr.nameseq.upper,
                             (unsigned)a->scope);
    case TIPC_ADDR_NAME:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.name.name.type, a->addr.name.name.instance,
                             a->addr.name.name.instance, (unsigned)a->scope);
    case TIPC_ADDR_ID:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.id.node, a->addr.id.ref, 0, (unsigned)a->scope);
    default:
        PyErr_SetString(PyExc_ValueError, "Invalid address type");
        return NULL;
    }
}

static PyObject *make_alg(const struct sockaddr_alg *a)
{
    const char *type = (const char *)a->salg_type, *name = (const char *)a->salg_name;
    return Py_BuildValue("s#s#HH", type, (Py_ssize_t)strnlen(type, sizeof a->salg_type), name,
                         (Py_ssize_t)strnlen(name, sizeof a->salg_name), a->salg_feat, a->salg_mask);
}

PyObject *socket_address_make(int fd, const socket_address *a, socklen_t size, int proto)
{
    char text[INET6_ADDRSTRLEN];
    if (size == 0)
        Py_RETURN_NONE;
    switch (a->any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text);
        return Py_BuildValue("si", text, ntohs(a->in.sin_port));
    case AF_INET6:
        inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text);
        return Py_BuildValue("siII", text, ntohs(a->in6.sin6_port), ntohl(a->in6.sin6_flowinfo), a->in6.sin6_scope_id);
    case AF_UNIX:
        return make_unix(&a->un, size);
    case AF_NETLINK:
        return Py_BuildValue("II", a->nl.nl_pid, a->nl.nl_groups);
    case AF_PACKET:
        return make_packet(fd, &a->ll);
    case AF_CAN:
        return make_can(fd, &a->can, proto);
    case AF_VSOCK:
        return Py_BuildValue("II", a->vm.svm_cid, a->vm.svm_port);
    case AF_TIPC:
        return make_tipc(&a->tipc);
    case AF_ALG:
        return make_alg(&a->alg);
    case AF_QIPCRTR:
        return Py_BuildValue("II", a->qrtr.sq_node, a->qrtr.sq_port);
    default:
        return Py_BuildValue("iy#", a->any.sa_family, a->any.sa_data,
                             (Py_ssize_t)size - (Py_ssize_t)offsetof(struct sockaddr, sa_data));
    }
}
