/* Writing to a buffered stream. */
#include "buffered_internal.h"

/* Appends to the dirty bytes; there is room. */
static void put(io_buffered *self, const char *data, Py_ssize_t len)
{
    if (len > 0) {
        memcpy(self->buf + self->wend, data, (size_t)len);
        self->wend += len;
    }
}

/* The raw stream takes nothing more just now: buffers what fits.
 * Returns  len if all did, else -1 with BlockingIOError telling how much of the call's data was taken;
 *          `before` bytes of it were written already */
static Py_ssize_t put_what_fits(io_buffered *self, const char *data, Py_ssize_t len, Py_ssize_t before)
{
    Py_ssize_t dirty = buffered_dirty(self);
    memmove(self->buf, self->buf + self->wpos, (size_t)dirty);
    self->wpos = 0;
    self->wend = dirty;
    Py_ssize_t room = self->size - dirty;
    if (len <= room) {
        put(self, data, len);
        return before + len;
    }
    put(self, data, room);
    buffered_set_blocking_error(before + room);
    return -1;
}

static Py_ssize_t write_holding_lock(io_buffered *self, const char *data, Py_ssize_t len)
{
    if (buffered_check_open(self, "write to closed file") < 0)
        return -1;
    /* What was read ahead is no longer ahead once something is written. */
    if (self->rend > 0) {
        Py_ssize_t ahead = buffered_readahead(self);
        if (ahead > 0 && buffered_raw_seek(self, -(off_t)ahead, SEEK_CUR) < 0)
            return -1;
        buffered_drop_readahead(self);
    }
    if (len <= self->size - self->wend) {
        put(self, data, len);
        return len;
    }
    if (buffered_flush_dirty(self) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_BlockingIOError))
            return -1;
        PyErr_Clear();
        return put_what_fits(self, data, len, 0);
    }
    Py_ssize_t written = 0;
    while (len - written > self->size) {
        Py_ssize_t n = buffered_raw_write(self, data + written, len - written);
        if (n == -1)
            return -1;
        if (n == IO_WOULD_BLOCK)
            return put_what_fits(self, data + written, len - written, written);
        written += n;
        /* A write that a signal cut short succeeds: let the handler run. */
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
    put(self, data + written, len - written);
    return len;
}

Py_ssize_t buffered_write_memory(io_buffered *self, const char *data, Py_ssize_t len)
{
    if (buffered_enter(self) < 0)
        return -1;
    Py_ssize_t written = write_holding_lock(self, data, len);
    io_lock_leave(&self->lock);
    return written;
}

PyObject *buffered_write(PyObject *op, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_ssize_t written = buffered_write_memory((io_buffered *)op, view.buf, view.len);
    PyBuffer_Release(&view);
    return written < 0 ? NULL : PyLong_FromSsize_t(written);
}
