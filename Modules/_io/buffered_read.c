/* Reading from a buffered stream. Every method holds the object's lock for its whole length. */
#include "buffered_internal.h"

/* ---- helpers; the lock is held ---- */

/* Makes the object ready to read: what was written goes out first. */
static int start_reading(io_buffered *self)
{
    return self->writable && buffered_dirty(self) > 0 ? buffered_flush_dirty(self) : 0;
}

/* Reads into the empty buffer. A count, -1, or IO_WOULD_BLOCK. */
static Py_ssize_t refill(io_buffered *self)
{
    buffered_drop_readahead(self);
    Py_ssize_t got = buffered_raw_read(self, self->buf, self->size);
    if (got > 0)
        self->rend = got;
    return got;
}

/* Moves up to len bytes out of the buffer. */
static Py_ssize_t take(io_buffered *self, char *target, Py_ssize_t len)
{
    Py_ssize_t have = buffered_readahead(self);
    if (len > have)
        len = have;
    if (len > 0) {
        memcpy(target, self->buf + self->rpos, (size_t)len);
        self->rpos += len;
    }
    return len;
}

static PyObject *take_bytes(io_buffered *self, Py_ssize_t len)
{
    PyObject *result = PyBytes_FromStringAndSize(self->buf + self->rpos, len);
    if (result != NULL)
        self->rpos += len;
    return result;
}

/* ---- read() ---- */

/* Reads until the end by raw.read(), for a raw stream without readall(). */
static PyObject *read_rest_in_chunks(io_buffered *self, PyObject *head)
{
    PyObject *chunks = PyList_New(0), *result = NULL;
    if (chunks == NULL || (head != NULL && PyList_Append(chunks, head) < 0))
        goto done;
    for (;;) {
        PyObject *chunk = PyObject_CallMethodNoArgs(self->raw, io_str.read);
        if (chunk == NULL)
            goto done;
        if (chunk != Py_None && !PyBytes_Check(chunk)) {
            Py_DECREF(chunk);
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            goto done;
        }
        if (chunk == Py_None || PyBytes_GET_SIZE(chunk) == 0) {
            if (PyList_GET_SIZE(chunks) == 0) {
                result = chunk;
                goto done;
            }
            Py_DECREF(chunk);
            break;
        }
        int failed = PyList_Append(chunks, chunk);
        Py_DECREF(chunk);
        if (failed)
            goto done;
    }
    result = PyObject_CallMethod(io_str.empty_bytes, "join", "O", chunks);
done:
    Py_XDECREF(chunks);
    return result;
}

static PyObject *read_all(io_buffered *self)
{
    PyObject *head = NULL, *rest = NULL, *readall = NULL, *result = NULL;
    if (start_reading(self) < 0)
        return NULL;
    if (buffered_readahead(self) > 0) {
        head = take_bytes(self, buffered_readahead(self));
        if (head == NULL)
            return NULL;
    }
    buffered_drop_readahead(self);
    self->raw_pos = -1;

    if (self->plain && io_method_is_plain(self->raw, io_str.readall))
        rest = fileio_readall(self->raw);
    else {
        int found = io_lookup_attr(self->raw, io_str.readall, &readall);
        if (found < 0)
            goto done;
        if (!found) {
            result = read_rest_in_chunks(self, head);
            goto done;
        }
        rest = PyObject_CallNoArgs(readall);
    }
    if (rest == NULL)
        goto done;
    if (rest != Py_None && !PyBytes_Check(rest)) {
        PyErr_SetString(PyExc_TypeError, "readall() should return bytes");
        goto done;
    }
    if (head == NULL)
        result = Py_NewRef(rest);
    else {
        if (rest != Py_None)
            PyBytes_Concat(&head, rest);
        result = Py_XNewRef(head);
    }
done:
    Py_XDECREF(readall);
    Py_XDECREF(rest);
    Py_XDECREF(head);
    return result;
}

/* More than is in the buffer: whole blocks go straight into the result, the rest through the buffer. */
static PyObject *read_long(io_buffered *self, Py_ssize_t n)
{
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (result == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(result);
    Py_ssize_t done = take(self, out, n), got = 0;
    buffered_drop_readahead(self);
    while (done < n) {
        Py_ssize_t blocks = (n - done) - (n - done) % self->size;
        if (blocks > 0)
            got = buffered_raw_read(self, out + done, blocks);
        else
            got = refill(self);
        if (got <= 0)
            break;
        done += blocks > 0 ? got : take(self, out + done, n - done);
    }
    if (got == -1 || (got == IO_WOULD_BLOCK && done == 0)) {
        Py_DECREF(result);
        if (got == -1)
            return NULL;
        Py_RETURN_NONE;
    }
    if (done < n)
        _PyBytes_Resize(&result, done);
    return result;
}

PyObject *buffered_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_buffered *self = (io_buffered *)op;
    Py_ssize_t n = -1;
    PyObject *result = NULL;
    if (io_check_nargs("read", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &n) < 0))
        return NULL;
    if (buffered_check_init(self) < 0)
        return NULL;
    if (n < -1) {
        PyErr_SetString(PyExc_ValueError, "read length must be non-negative or -1");
        return NULL;
    }
    if (buffered_enter(self) < 0)
        return NULL;
    if (buffered_check_open(self, "read of closed file") < 0)
        goto done;
    if (n == -1)
        result = read_all(self);
    else if (n <= buffered_readahead(self))
        result = take_bytes(self, n);
    else if (start_reading(self) == 0)
        result = read_long(self, n);
done:
    io_lock_leave(&self->lock);
    return result;
}

/* ---- read1() and peek() ---- */

static PyObject *read1_holding_lock(io_buffered *self, Py_ssize_t n)
{
    if (n < 0)
        n = self->size;
    if (n == 0)
        return Py_NewRef(io_str.empty_bytes);
    Py_ssize_t have = buffered_readahead(self);
    if (have > 0)
        return take_bytes(self, n < have ? n : have);
    if (start_reading(self) < 0)
        return NULL;
    buffered_drop_readahead(self);
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (result == NULL)
        return NULL;
    Py_ssize_t got = buffered_raw_read(self, PyBytes_AS_STRING(result), n);
    if (got == -1) {
        Py_DECREF(result);
        return NULL;
    }
    if (got == IO_WOULD_BLOCK)
        got = 0;
    if (got < n)
        _PyBytes_Resize(&result, got);
    return result;
}

PyObject *buffered_read1_size(io_buffered *self, Py_ssize_t n)
{
    PyObject *result = NULL;
    if (buffered_enter(self) < 0)
        return NULL;
    if (buffered_check_open(self, "read of closed file") == 0)
        result = read1_holding_lock(self, n);
    io_lock_leave(&self->lock);
    return result;
}

PyObject *buffered_read1(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (io_check_nargs("read1", nargs, 0, 1) < 0 || (nargs == 1 && io_size(args[0], &n) < 0))
        return NULL;
    return buffered_read1_size((io_buffered *)op, n);
}

PyObject *buffered_peek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_buffered *self = (io_buffered *)op;
    Py_ssize_t unused_size = 0;
    PyObject *result = NULL;
    if (io_check_nargs("peek", nargs, 0, 1) < 0 || (nargs == 1 && io_size(args[0], &unused_size) < 0))
        return NULL;
    if (buffered_enter(self) < 0)
        return NULL;
    if (buffered_check_open(self, "peek of closed file") < 0 || start_reading(self) < 0)
        goto done;
    if (buffered_readahead(self) == 0 && refill(self) == -1)
        goto done;
    result = PyBytes_FromStringAndSize(self->buf + self->rpos, buffered_readahead(self));
done:
    io_lock_leave(&self->lock);
    return result;
}

/* ---- readinto() ---- */

/* A count, -1, or IO_WOULD_BLOCK when there is nothing at all. */
static Py_ssize_t read_into_memory(io_buffered *self, char *out, Py_ssize_t len, bool once)
{
    Py_ssize_t done = take(self, out, len);
    if (done == len)
        return done;
    if (start_reading(self) < 0)
        return -1;
    buffered_drop_readahead(self);
    while (done < len) {
        Py_ssize_t got;
        if (len - done > self->size) {
            got = buffered_raw_read(self, out + done, len - done);
            if (got > 0)
                done += got;
        }
        else {
            /* With some data in hand, readinto1() does not wait for more. */
            if (once && done > 0)
                break;
            got = refill(self);
            if (got > 0)
                done += take(self, out + done, len - done);
        }
        if (got == -1)
            return -1;
        if (got == IO_WOULD_BLOCK && done == 0)
            return IO_WOULD_BLOCK;
        if (got <= 0 || once)
            break;
    }
    return done;
}

static PyObject *readinto(PyObject *op, PyObject *target, const char *name, bool once)
{
    io_buffered *self = (io_buffered *)op;
    Py_buffer view;
    if (io_writable_buffer(name, target, &view) < 0)
        return NULL;
    if (buffered_enter(self) < 0) {
        PyBuffer_Release(&view);
        return NULL;
    }
    Py_ssize_t got = -1;
    if (buffered_check_open(self, "readinto of closed file") == 0)
        got = read_into_memory(self, view.buf, view.len, once);
    io_lock_leave(&self->lock);
    PyBuffer_Release(&view);
    if (got == IO_WOULD_BLOCK)
        Py_RETURN_NONE;
    return got < 0 ? NULL : PyLong_FromSsize_t(got);
}

PyObject *buffered_readinto(PyObject *op, PyObject *target)
{
    return readinto(op, target, "readinto", false);
}

PyObject *buffered_readinto1(PyObject *op, PyObject *target)
{
    return readinto(op, target, "readinto1", true);
}

/* ---- readline() ---- */

/* Appends the buffer's next len bytes to *line, which may be NULL yet. */
static int extend_line(io_buffered *self, PyObject **line, Py_ssize_t len)
{
    if (*line == NULL) {
        *line = take_bytes(self, len);
        return *line == NULL ? -1 : 0;
    }
    Py_ssize_t old_len = PyBytes_GET_SIZE(*line);
    if (len > PY_SSIZE_T_MAX - old_len) {
        PyErr_SetString(PyExc_OverflowError, "line is too long");
        return -1;
    }
    if (old_len > 1) {
        if (_PyBytes_Resize(line, old_len + len) < 0)
            return -1;
    }
    else {
        /* Bytes as short as that may be cached objects, which cannot be resized. */
        PyObject *longer = PyBytes_FromStringAndSize(NULL, old_len + len);
        if (longer == NULL)
            return -1;
        memcpy(PyBytes_AS_STRING(longer), PyBytes_AS_STRING(*line), (size_t)old_len);
        Py_SETREF(*line, longer);
    }
    take(self, PyBytes_AS_STRING(*line) + old_len, len);
    return 0;
}

static PyObject *readline_holding_lock(io_buffered *self, Py_ssize_t limit)
{
    PyObject *line = NULL;
    Py_ssize_t got = 0;
    if (buffered_check_open(self, "readline of closed file") < 0 || start_reading(self) < 0)
        return NULL;
    while (limit != 0) {
        Py_ssize_t have = buffered_readahead(self);
        if (limit >= 0 && have > limit)
            have = limit;
        if (have > 0) {
            const char *start = self->buf + self->rpos;
            const char *newline = memchr(start, '\n', (size_t)have);
            if (newline != NULL)
                have = newline - start + 1;
            if (extend_line(self, &line, have) < 0)
                goto failed;
            if (newline != NULL)
                break;
            if (limit > 0)
                limit -= have;
            continue;
        }
        got = refill(self);
        if (got == -1)
            goto failed;
        if (got <= 0)
            break;
    }
    return line != NULL ? line : Py_NewRef(io_str.empty_bytes);
failed:
    Py_XDECREF(line);
    return NULL;
}

static PyObject *read_line(io_buffered *self, Py_ssize_t limit)
{
    if (buffered_enter(self) < 0)
        return NULL;
    PyObject *line = readline_holding_lock(self, limit);
    io_lock_leave(&self->lock);
    return line;
}

PyObject *buffered_readline(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (io_check_nargs("readline", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &limit) < 0))
        return NULL;
    return read_line((io_buffered *)op, limit);
}

PyObject *buffered_iternext(PyObject *op)
{
    PyObject *line;
    if (buffered_is_exact(op))
        line = read_line((io_buffered *)op, -1);
    else {
        line = PyObject_CallMethodNoArgs(op, io_str.readline);
        if (line != NULL && !PyBytes_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned a bytes object, not '%.200s'",
                         Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line != NULL && PyBytes_GET_SIZE(line) == 0)
        Py_CLEAR(line);
    return line;
}
