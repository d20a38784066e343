/* The input of an unpickler: a buffer, or a file of which chunks are read. With peek() a chunk is looked at first and
 * read when it has been consumed, so that the file ends up right behind the pickle. */
#include "pickle_internal.h"

enum { PEEK_SIZE = 128 * 1024 };

int in_truncated(void)
{
    PyErr_SetString(pickle_state.unpickling_error, "pickle data was truncated");
    return -1;
}

/* Makes `data` (stolen; NULL: an exception is set) the chunk. */
static int set_chunk_steal(unpickler_t *u, PyObject *data, const char *method, int peeked)
{
    if (data == NULL)
        return -1;
    if (!PyBytes_Check(data)) {
        PyErr_Format(PyExc_ValueError, "%s() returned non-bytes object (%R)", method, Py_TYPE(data));
        Py_DECREF(data);
        return -1;
    }
    Py_XSETREF(u->chunk, data);
    u->in = PyBytes_AS_STRING(data);
    u->in_length = PyBytes_GET_SIZE(data);
    u->in_position = 0;
    u->peeked = peeked;
    return 0;
}

/* Tells the file what has been consumed of a chunk that was only looked at. */
static int consume(unpickler_t *u)
{
    if (!u->peeked || u->in_position == 0) {
        u->peeked = 0;
        return 0;
    }
    u->peeked = 0;
    PyObject *data = PyObject_CallFunction(u->read, "n", u->in_position);
    Py_XDECREF(data);
    return data == NULL ? -1 : 0;
}

/* Looks ahead. 1: there are n bytes; 0: there are not, or the file has no peek(); -1. */
static int try_peek(unpickler_t *u, Py_ssize_t n)
{
    if (u->peek == NULL)
        return 0;
    PyObject *data = PyObject_CallFunction(u->peek, "i", PEEK_SIZE);
    if (data == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_NotImplementedError))
            return -1;
        PyErr_Clear();
        Py_CLEAR(u->peek);
        return 0;
    }
    if (set_chunk_steal(u, data, "peek", 1) < 0)
        return -1;
    if (u->in_length >= n)
        return 1;
    u->peeked = 0;      /* to be read after all */
    return 0;
}

static int read_chunk(unpickler_t *u, Py_ssize_t n)
{
    if (consume(u) < 0)
        return -1;
    int enough = try_peek(u, n);
    if (enough != 0)
        return enough < 0 ? -1 : 0;
    return set_chunk_steal(u, PyObject_CallFunction(u->read, "n", n), "read", 0);
}

int in_read(unpickler_t *u, Py_ssize_t n, const char **data)
{
    if (n > u->in_length - u->in_position) {
        /* bytes left over that cannot be read again belong to a frame that is too short */
        if (u->read == NULL || (!u->peeked && u->in_position < u->in_length))
            return in_truncated();
        if (read_chunk(u, n) < 0)
            return -1;
        if (u->in_length < n)
            return in_truncated();
    }
    *data = u->in + u->in_position;
    u->in_position += n;
    return 0;
}

/* Calls readinto() with a view of space; the number it returns, or -1. */
static Py_ssize_t call_readinto(unpickler_t *u, PyObject *space)
{
    PyObject *view = PyMemoryView_FromObject(space), *result = NULL, *released;
    Py_ssize_t got = -1;
    if (view != NULL)
        result = PyObject_CallOneArg(u->readinto, view);
    if (result != NULL) {
        released = PyObject_CallMethod(view, "release", NULL);
        if (released != NULL)
            got = PyLong_AsSsize_t(result);
        if (got < 0 && !PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "readinto() returned negative size");
        Py_XDECREF(released);
    }
    Py_XDECREF(result);
    Py_XDECREF(view);
    return got;
}

/* Fills `to` by readinto(). The file gets a view of a bytearray, for it may keep what it gets. */
static int read_directly(unpickler_t *u, char *to, Py_ssize_t n)
{
    PyObject *space = PyByteArray_FromStringAndSize(NULL, n);
    if (space == NULL)
        return -1;
    memset(PyByteArray_AS_STRING(space), 0, (size_t)n);
    Py_ssize_t got = call_readinto(u, space), size;
    int failed = got < 0 ? -1 : got < n ? in_truncated() : 0;
    if (failed == 0) {
        Py_BEGIN_CRITICAL_SECTION(space);
        size = PyByteArray_GET_SIZE(space);
        if (size >= n)
            memcpy(to, PyByteArray_AS_STRING(space), (size_t)n);
        Py_END_CRITICAL_SECTION();
        if (size < n) {
            PyErr_SetString(PyExc_BufferError, "readinto() resized its buffer");
            failed = -1;
        }
    }
    Py_DECREF(space);
    return failed;
}

int in_read_into(unpickler_t *u, char *to, Py_ssize_t n)
{
    Py_ssize_t there = u->in_length - u->in_position;
    const char *data;
    if (n > there && u->readinto != NULL) {
        memcpy(to, u->in + u->in_position, (size_t)there);
        u->in_position += there;
        if (consume(u) < 0)
            return -1;
        u->in_position = u->in_length = 0;
        return read_directly(u, to + there, n - there);
    }
    if (in_read(u, n, &data) < 0)
        return -1;
    memcpy(to, data, (size_t)n);
    return 0;
}

int in_read_line(unpickler_t *u, Py_ssize_t least, char **line, Py_ssize_t *n)
{
    const char *start = u->in + u->in_position, *end = NULL;
    if (u->in_position < u->in_length)
        end = memchr(start, '\n', (size_t)(u->in_length - u->in_position));
    if (end == NULL) {
        if (u->read == NULL || (!u->peeked && u->in_position < u->in_length))
            return in_truncated();
        if (consume(u) < 0 || set_chunk_steal(u, PyObject_CallNoArgs(u->readline), "readline", 0) < 0)
            return -1;
        start = u->in;
        if (u->in_length == 0 || u->in[u->in_length - 1] != '\n')
            return in_truncated();
        end = u->in + u->in_length - 1;
    }
    *n = end - start + 1;
    if (*n >= u->line_size) {
        char *grown = PyMem_Realloc(u->line, (size_t)(*n * 2 + 64));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        u->line = grown;
        u->line_size = *n * 2 + 64;
    }
    memcpy(u->line, start, (size_t)*n);
    u->line[*n] = 0;
    u->in_position = end + 1 - u->in;
    *line = u->line;
    return *n < least ? in_truncated() : 0;
}

int in_read_number(unpickler_t *u, int width, uint64_t *n)
{
    const char *data;
    if (in_read(u, width, &data) < 0)
        return -1;
    *n = 0;
    for (int i = 0; i < width; i++)
        *n |= (uint64_t)(unsigned char)data[i] << 8 * i;
    return 0;
}

int in_finish(unpickler_t *u)
{
    return consume(u);
}

void in_clear(unpickler_t *u)
{
    PyObject *chunk = u->chunk;
    Py_buffer view = u->view;
    u->chunk = NULL;
    u->view.obj = NULL;
    u->in = NULL;
    u->in_length = u->in_position = 0;
    u->peeked = 0;
    Py_XDECREF(chunk);
    if (view.obj != NULL)
        PyBuffer_Release(&view);
}
