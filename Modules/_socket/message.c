/* sendmsg, recvmsg and ancillary data. */
#include "socket.h"

#define SOCKLEN_LIMIT ((size_t)INT_MAX)

/* ---- Sizes of ancillary data ---- */

/* The size of an item with so many bytes of data, and with the padding behind it; 0: out of range. */
static size_t item_size(size_t length)
{
    return length <= SOCKLEN_LIMIT - CMSG_LEN(0) ? CMSG_LEN(length) : 0;
}

static size_t item_space(size_t length)
{
    /* The padding may need room too. */
    return length <= SOCKLEN_LIMIT - CMSG_SPACE(1) ? CMSG_SPACE(length) : 0;
}

static PyObject *size_ask(PyObject *arg, size_t (*size)(size_t), const char *name)
{
    Py_ssize_t length = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (length == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C ssize_t");
        return NULL;
    }
    size_t result = length >= 0 ? size((size_t)length) : 0;
    if (result != 0)
        return PyLong_FromSize_t(result);
    PyErr_Format(PyExc_OverflowError, "%s() argument out of range", name);
    return NULL;
}

static PyObject *cmsg_len(PyObject *module, PyObject *arg) { return size_ask(arg, item_size, "CMSG_LEN"); }
static PyObject *cmsg_space(PyObject *module, PyObject *arg) { return size_ask(arg, item_space, "CMSG_SPACE"); }

/* ---- Buffers ---- */

/* The buffers of a message. */
struct pieces {
    Py_buffer *buffers;
    struct iovec *iov;
    Py_ssize_t count;
};

static void pieces_clear(struct pieces *p)
{
    for (Py_ssize_t i = 0; i < p->count; i++)
        PyBuffer_Release(&p->buffers[i]);
    PyMem_Free(p->buffers);
    PyMem_Free(p->iov);
}

/* Gets the buffers of all items; writable or not as the format says. 0, or -1 with an exception; clear in any case. */
static int pieces_fill(struct pieces *p, PyObject *items, const char *format, const char *not_iterable)
{
    int rc = -1;
    PyObject *all = PySequence_Fast(items, not_iterable);
    if (all == NULL)
        return -1;
    /* A list could change while buffers are asked for. */
    PyObject *fixed = PySequence_Tuple(all);
    Py_DECREF(all);
    if (fixed == NULL)
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(fixed);
    p->buffers = PyMem_New(Py_buffer, (size_t)count + 1);
    p->iov = PyMem_New(struct iovec, (size_t)count + 1);
    if (p->buffers == NULL || p->iov == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (; p->count < count; p->count++) {
        Py_buffer *b = &p->buffers[p->count];
        if (!PyArg_Parse(PyTuple_GET_ITEM(fixed, p->count), format, b))
            goto done;
        p->iov[p->count] = (struct iovec){b->buf, (size_t)b->len};
    }
    rc = 0;
done:
    Py_DECREF(fixed);
    return rc;
}

/* ---- Sending ---- */

static ssize_t send_attempt(int fd, void *arg)
{
    struct { struct msghdr *message; int flags; } *sending = arg;
    return sendmsg(fd, sending->message, sending->flags);
}

static PyObject *send_message(PyObject *op, struct msghdr *message, int flags)
{
    struct { struct msghdr *message; int flags; } sending = {message, flags};
    socket_limit limit = socket_limit_start(op);
    ssize_t n = socket_call(op, 1, &limit, send_attempt, &sending);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

/* One item of ancillary data that was given. */
struct ancillary {
    int level, type;
    Py_buffer data;
};

static void ancillary_clear(struct ancillary *items, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        PyBuffer_Release(&items[i].data);
    PyMem_Free(items);
}

/* Builds the control data of a message out of the items. 0, or -1 with an exception. The caller frees msg_control. */
static int build_control(struct msghdr *message, const struct ancillary *items, Py_ssize_t count)
{
    size_t total = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        size_t length = (size_t)items[i].data.len, space = item_space(length);
        if (space == 0) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return -1;
        }
        if (total + space > SOCKLEN_LIMIT) {
            PyErr_SetString(PyExc_OSError, "too much ancillary data");
            return -1;
        }
        total += space;
    }
    if (total == 0)
        return 0;
    char *control = PyMem_Calloc(1, total);
    if (control == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    message->msg_control = control;
    message->msg_controllen = total;
    for (Py_ssize_t i = 0; i < count; i++) {
        struct cmsghdr *item = (struct cmsghdr *)control;
        size_t length = (size_t)items[i].data.len;
        item->cmsg_level = items[i].level;
        item->cmsg_type = items[i].type;
        item->cmsg_len = CMSG_LEN(length);
        if (length > 0)
            memcpy(CMSG_DATA(item), items[i].data.buf, length);
        control += CMSG_SPACE(length);
    }
    return 0;
}

/* (level, type, data) items; 0, or -1 with an exception. */
static int parse_ancillary(PyObject *given, struct ancillary **items, Py_ssize_t *count)
{
    int rc = -1;
    PyObject *all = PySequence_Fast(given, "sendmsg() argument 2 must be an iterable");
    PyObject *fixed = all != NULL ? PySequence_Tuple(all) : NULL;
    Py_XDECREF(all);
    if (fixed == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(fixed);
    *items = PyMem_New(struct ancillary, (size_t)n + 1);
    if (*items == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (; *count < n; (*count)++) {
        struct ancillary *item = &(*items)[*count];
        if (!PyArg_Parse(PyTuple_GET_ITEM(fixed, *count), "(iiy*):[sendmsg() ancillary data items]", &item->level,
                         &item->type, &item->data))
            goto done;
    }
    rc = 0;
done:
    Py_DECREF(fixed);
    return rc;
}

PyObject *socket_sendmsg(PyObject *op, PyObject *args)
{
    PyObject *data, *control = NULL, *address = NULL, *result = NULL;
    int flags = 0;
    struct pieces pieces = {0};
    struct ancillary *items = NULL;
    Py_ssize_t item_count = 0;
    socket_address a;
    struct msghdr message = {0};
    if (!PyArg_ParseTuple(args, "O|OiO:sendmsg", &data, &control, &flags, &address))
        return NULL;
    if (address != NULL && address != Py_None) {
        if (socket_address_parse(op, address, "sendmsg", &a, &message.msg_namelen) < 0
            || PySys_Audit("socket.sendmsg", "OO", op, address) < 0)
            return NULL;
        message.msg_name = &a;
    }
    else if (PySys_Audit("socket.sendmsg", "OO", op, Py_None) < 0) {
        return NULL;
    }
    if (pieces_fill(&pieces, data, "y*;sendmsg() argument 1 must be an iterable of bytes-like objects",
                    "sendmsg() argument 1 must be an iterable") < 0
        || (control != NULL && parse_ancillary(control, &items, &item_count) < 0)
        || build_control(&message, items, item_count) < 0)
        goto done;
    message.msg_iov = pieces.iov;
    message.msg_iovlen = (size_t)pieces.count;
    result = send_message(op, &message, flags);
done:
    PyMem_Free(message.msg_control);
    ancillary_clear(items, item_count);
    pieces_clear(&pieces);
    return result;
}

/* The control data of a request to the kernel's cryptography. 0, or -1 with an exception. */
static int build_cipher_control(struct msghdr *message, int operation, const Py_buffer *iv, int associated)
{
    struct ancillary items[3];
    Py_ssize_t count = 0;
    struct af_alg_iv *vector = NULL;
    uint32_t length = (uint32_t)associated;
    items[count++] = (struct ancillary){SOL_ALG, ALG_SET_OP, {.buf = &operation, .len = sizeof operation}};
    if (iv->buf != NULL) {
        size_t size = sizeof *vector + (size_t)iv->len;
        vector = PyMem_Malloc(size);
        if (vector == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        vector->ivlen = (uint32_t)iv->len;
        memcpy(vector->iv, iv->buf, (size_t)iv->len);
        items[count++] = (struct ancillary){SOL_ALG, ALG_SET_IV, {.buf = vector, .len = (Py_ssize_t)size}};
    }
    if (associated >= 0)
        items[count++] = (struct ancillary){SOL_ALG, ALG_SET_AEAD_ASSOCLEN, {.buf = &length, .len = sizeof length}};
    int rc = build_control(message, items, count);
    PyMem_Free(vector);
    return rc;
}

PyObject *socket_sendmsg_afalg(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", "op", "iv", "assoclen", "flags", NULL};
    PyObject *data = NULL, *length = NULL, *result = NULL;
    Py_buffer iv = {0};
    int operation = -1, flags = 0, associated = -1;
    struct pieces pieces = {0};
    struct msghdr message = {0};
    if (socket_family(op) != AF_ALG) {
        PyErr_SetString(PyExc_OSError, "algset is only supported for AF_ALG");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$iy*O!i:sendmsg_afalg", names, &data, &operation, &iv,
                                     &PyLong_Type, &length, &flags))
        return NULL;
    if (operation < 0) {
        PyErr_SetString(PyExc_TypeError, "Invalid or missing argument 'op'");
        goto done;
    }
    if (length != NULL) {
        associated = _PyLong_AsInt(length);
        if (associated == -1 && PyErr_Occurred())
            goto done;
        if (associated < 0) {
            PyErr_SetString(PyExc_TypeError, "assoclen must be positive");
            goto done;
        }
    }
    if ((data != NULL && data != Py_None
         && pieces_fill(&pieces, data, "y*;sendmsg_afalg() argument 1 must be an iterable of bytes-like objects",
                        "sendmsg_afalg() argument 1 must be an iterable") < 0)
        || build_cipher_control(&message, operation, &iv, associated) < 0)
        goto done;
    message.msg_iov = pieces.iov;
    message.msg_iovlen = (size_t)pieces.count;
    result = send_message(op, &message, flags);
done:
    PyMem_Free(message.msg_control);
    pieces_clear(&pieces);
    PyBuffer_Release(&iv);
    return result;
}

/* ---- Receiving ---- */

struct receiving {
    struct msghdr message;
    struct msghdr request;      /* what message is set to before each try */
    int flags;
};

static ssize_t receive_attempt(int fd, void *arg)
{
    struct receiving *r = arg;
    r->message = r->request;
    return recvmsg(fd, &r->message, r->flags);
}

/* How many bytes of data of the item are there, in what was received? -1: not even its head. *cut: not all of them. */
static Py_ssize_t item_length(const struct msghdr *message, const struct cmsghdr *item, int *cut)
{
    size_t start = (size_t)((const char *)item - (const char *)message->msg_control);
    size_t end = start + CMSG_LEN(0);
    *cut = 1;
    if (item->cmsg_len < CMSG_LEN(0) || end > message->msg_controllen)
        return -1;
    size_t length = item->cmsg_len - CMSG_LEN(0), room = message->msg_controllen - end;
    *cut = length > room;
    return (Py_ssize_t)(length < room ? length : room);
}

/* Descriptors that came with a message that nobody will see. */
static void close_received(struct msghdr *message)
{
    int cut;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL; item = CMSG_NXTHDR(message, item)) {
        Py_ssize_t length = item_length(message, item, &cut);
        if (length < 0)
            return;
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
            continue;
        for (Py_ssize_t i = 0; i + (Py_ssize_t)sizeof(int) <= length; i += (Py_ssize_t)sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(item) + i, sizeof fd);
            close(fd);
        }
    }
}

static PyObject *make_ancillary(struct msghdr *message)
{
    PyObject *list = PyList_New(0);
    if (message->msg_controllen == 0)
        return list;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); list != NULL && item != NULL;
         item = CMSG_NXTHDR(message, item)) {
        int cut;
        Py_ssize_t length = item_length(message, item, &cut);
        if (cut
            && PyErr_WarnEx(PyExc_RuntimeWarning, "received malformed or improperly-truncated ancillary data", 1) < 0) {
            Py_CLEAR(list);
            break;
        }
        if (length < 0)
            break;
        PyObject *entry = Py_BuildValue("iiy#", item->cmsg_level, item->cmsg_type, (char *)CMSG_DATA(item), length);
        if (entry == NULL || PyList_Append(list, entry) < 0)
            Py_CLEAR(list);
        Py_XDECREF(entry);
        if (cut)
            break;
    }
    return list;
}

/* Receives into the buffers. Returns (make_data(count, arg), ancillary data, flags, address). */
static PyObject *receive_message(PyObject *op, struct iovec *iov, Py_ssize_t iov_count, Py_ssize_t control_size, int flags,
                                 PyObject *(*make_data)(ssize_t count, void *arg), void *arg)
{
    PyObject *result = NULL, *data = NULL, *ancillary = NULL, *peer = NULL;
    socket_address a;
    struct receiving r = {.flags = flags};
    if (control_size < 0 || (size_t)control_size > SOCKLEN_LIMIT) {
        PyErr_SetString(PyExc_ValueError, "invalid ancillary data buffer length");
        return NULL;
    }
    memset(&a, 0, sizeof a);
    r.request = (struct msghdr){.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = iov, .msg_iovlen = (size_t)iov_count};
    if (control_size > 0) {
        r.request.msg_control = PyMem_Malloc((size_t)control_size);
        r.request.msg_controllen = (size_t)control_size;
        if (r.request.msg_control == NULL)
            return PyErr_NoMemory();
    }
    socket_limit limit = socket_limit_start(op);
    ssize_t n = socket_call(op, 0, &limit, receive_attempt, &r);
    if (n < 0)
        goto done;
    data = make_data(n, arg);
    ancillary = make_ancillary(&r.message);
    peer = socket_address_make(socket_fd(op), &a, r.message.msg_namelen, socket_proto(op));
    if (data != NULL && ancillary != NULL && peer != NULL)
        result = Py_BuildValue("OOiO", data, ancillary, r.message.msg_flags, peer);
    if (result == NULL)
        close_received(&r.message);
done:
    PyMem_Free(r.request.msg_control);
    Py_XDECREF(data);
    Py_XDECREF(ancillary);
    Py_XDECREF(peer);
    return result;
}

/* Takes the bytes object that was received into, cut to what there is. */
static PyObject *make_bytes(ssize_t count, void *arg)
{
    PyObject **bytes = arg, *result;
    if (count != PyBytes_GET_SIZE(*bytes) && _PyBytes_Resize(bytes, count) < 0)
        return NULL;
    result = *bytes;
    *bytes = NULL;
    return result;
}

static PyObject *make_count(ssize_t count, void *arg) { return PyLong_FromSsize_t(count); }

PyObject *socket_recvmsg(PyObject *op, PyObject *args)
{
    Py_ssize_t size, control_size = 0;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|ni:recvmsg", &size, &control_size, &flags))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffer size in recvmsg()");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL)
        return NULL;
    struct iovec iov = {PyBytes_AS_STRING(bytes), (size_t)size};
    PyObject *result = receive_message(op, &iov, 1, control_size, flags, make_bytes, &bytes);
    Py_XDECREF(bytes);
    return result;
}

PyObject *socket_recvmsg_into(PyObject *op, PyObject *args)
{
    PyObject *buffers, *result = NULL;
    Py_ssize_t control_size = 0;
    int flags = 0;
    struct pieces pieces = {0};
    if (!PyArg_ParseTuple(args, "O|ni:recvmsg_into", &buffers, &control_size, &flags))
        return NULL;
    if (pieces_fill(&pieces, buffers, "w*;recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers",
                    "recvmsg_into() argument 1 must be an iterable") == 0)
        result = receive_message(op, pieces.iov, pieces.count, control_size, flags, make_count, NULL);
    pieces_clear(&pieces);
    return result;
}

PyMethodDef socket_message_functions[] = {
    {"CMSG_LEN", cmsg_len, METH_O,
     "CMSG_LEN(length) -> control message length\n\nThe size of an ancillary data item, without padding behind it."},
    {"CMSG_SPACE", cmsg_space, METH_O,
     "CMSG_SPACE(length) -> buffer size\n\nThe room that an ancillary data item needs, with its padding."},
    {NULL},
};
