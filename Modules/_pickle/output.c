/* The output of a pickler: a buffer, frames in it (protocol 4), and the file. */
#include "pickle_internal.h"

enum { FRAME_HEADER = 9, FRAME_MIN = 4, FRAME_TARGET = 64 * 1024 };

static void put_number(char *to, uint64_t n, int width)
{
    for (int i = 0; i < width; i++)
        to[i] = (char)(n >> 8 * i);
}

static int reserve(pickler_t *p, Py_ssize_t n)
{
    if (p->out_size - p->out_length >= n)
        return 0;
    if (n > PY_SSIZE_T_MAX / 2 - p->out_length) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = (p->out_length + n) / 2 * 3 + 128;
    char *out = PyMem_Realloc(p->out, (size_t)size);
    if (out == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    p->out = out;
    p->out_size = size;
    return 0;
}

/* Room for n bytes, within a frame if there are frames. */
static int prepare(pickler_t *p, Py_ssize_t n)
{
    if (!p->framing || p->frame_start >= 0)
        return reserve(p, n);
    if (reserve(p, n + FRAME_HEADER) < 0)
        return -1;
    p->frame_start = p->out_length;
    p->out_length += FRAME_HEADER;
    return 0;
}

int out_write(pickler_t *p, const void *data, Py_ssize_t n)
{
    if (prepare(p, n) < 0)
        return -1;
    memcpy(p->out + p->out_length, data, (size_t)n);
    p->out_length += n;
    return 0;
}

int out_op(pickler_t *p, int opcode)
{
    if (prepare(p, 1) < 0)
        return -1;
    p->out[p->out_length++] = (char)opcode;
    return 0;
}

int out_op_number(pickler_t *p, int opcode, uint64_t n, int width)
{
    if (prepare(p, 1 + width) < 0)
        return -1;
    p->out[p->out_length] = (char)opcode;
    put_number(p->out + p->out_length + 1, n, width);
    p->out_length += 1 + width;
    return 0;
}

int out_commit_frame(pickler_t *p)
{
    if (!p->framing || p->frame_start < 0)
        return 0;
    char *header = p->out + p->frame_start;
    Py_ssize_t length = p->out_length - p->frame_start - FRAME_HEADER;
    if (length >= FRAME_MIN) {
        header[0] = (char)OP_FRAME;
        put_number(header + 1, (uint64_t)length, 8);
    }
    else {
        memmove(header, header + FRAME_HEADER, (size_t)length);
        p->out_length -= FRAME_HEADER;
    }
    p->frame_start = -1;
    return 0;
}

static int write_object_steal(pickler_t *p, PyObject *data)
{
    if (data == NULL)
        return -1;
    PyObject *result = PyObject_CallOneArg(p->write, data);
    Py_DECREF(data);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int out_flush(pickler_t *p)
{
    PyObject *data = PyBytes_FromStringAndSize(p->out, p->out_length);
    p->out_length = 0;
    p->frame_start = -1;
    return write_object_steal(p, data);
}

int out_boundary(pickler_t *p)
{
    if (!p->framing || p->frame_start < 0 || p->out_length - p->frame_start - FRAME_HEADER < FRAME_TARGET)
        return 0;
    if (out_commit_frame(p) < 0)
        return -1;
    return p->write == NULL ? 0 : out_flush(p);
}

int out_large(pickler_t *p, const char *header, Py_ssize_t header_size, const char *data, Py_ssize_t n, PyObject *payload)
{
    int framing = p->framing, failed;
    if (n < FRAME_TARGET)
        return out_write(p, header, header_size) < 0 ? -1 : out_write(p, data, n);
    if (out_commit_frame(p) < 0)
        return -1;
    p->framing = 0;
    failed = out_write(p, header, header_size);
    if (failed == 0 && p->write != NULL) {
        failed = out_flush(p);
        if (failed == 0)
            failed = write_object_steal(p, payload != NULL ? Py_NewRef(payload) : PyBytes_FromStringAndSize(data, n));
    }
    else if (failed == 0)
        failed = out_write(p, data, n);
    p->framing = framing;
    return failed;
}
