/* Buffered streams: construction, the calls of the raw stream, positions, flushing and closing.
 * Reading is in buffered_read.c, writing in buffered_write.c, the types are in buffered_types.c. */
#include "buffered_internal.h"

#include <errno.h>
#include <unistd.h>

/* ---- state checks ---- */

int buffered_check_init(io_buffered *self)
{
    if (io_flag(&self->ok))
        return 0;
    PyErr_SetString(PyExc_ValueError,
                    io_flag(&self->detached) ? "raw stream has been detached" : "I/O operation on uninitialized object");
    return -1;
}

int buffered_is_closed(io_buffered *self)
{
    if (self->buf == NULL)
        return 1;
    return self->plain ? fileio_is_closed(self->raw) : io_is_closed(self->raw);
}

int buffered_check_open(io_buffered *self, const char *message)
{
    int closed = buffered_is_closed(self);
    if (closed > 0)
        PyErr_SetString(PyExc_ValueError, message);
    return closed == 0 ? 0 : -1;
}

PyObject *buffered_raw_ref(io_buffered *self)
{
    PyObject *raw;
    if (buffered_check_init(self) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    raw = Py_XNewRef(self->raw);
    Py_END_CRITICAL_SECTION();
    /* Another thread may have detached since the check. */
    if (raw == NULL)
        PyErr_SetString(PyExc_ValueError, "raw stream has been detached");
    return raw;
}

int buffered_enter(io_buffered *self)
{
    if (buffered_check_init(self) < 0 || io_lock_enter(&self->lock, (PyObject *)self) < 0)
        return -1;
    if (buffered_check_init(self) == 0)
        return 0;
    io_lock_leave(&self->lock);
    return -1;
}

/* ---- construction ---- */

PyObject *buffered_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    io_buffered *self = (io_buffered *)type->tp_alloc(type, 0);
    if (self != NULL) {
        io_lock_init(&self->lock);
        self->raw_pos = -1;
    }
    return (PyObject *)self;
}

int buffered_setup(io_buffered *self, PyObject *raw, Py_ssize_t size, bool readable, bool writable)
{
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError, "buffer size must be strictly positive");
        return -1;
    }
    char *buf = PyMem_Malloc((size_t)size);
    if (buf == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (io_lock_enter(&self->lock, (PyObject *)self) < 0) {
        PyMem_Free(buf);
        return -1;
    }
    PyObject *old_raw;
    char *old_buf = self->buf;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    old_raw = self->raw;
    self->raw = Py_NewRef(raw);
    Py_END_CRITICAL_SECTION();
    buffered_set_buffer(self, buf, size);
    self->readable = readable;
    self->writable = writable;
    io_flag_set(&self->detached, 0);
    self->plain = buffered_is_exact((PyObject *)self) && Py_IS_TYPE(raw, &io_FileIO_type);
    buffered_drop_readahead(self);
    buffered_drop_dirty(self);
    self->raw_pos = -1;
    /* A stream without a position is fine. */
    if (buffered_raw_tell(self) < 0)
        PyErr_Clear();
    io_flag_set(&self->ok, 1);
    io_lock_leave(&self->lock);
    Py_XDECREF(old_raw);
    PyMem_Free(old_buf);
    return 0;
}

/* ---- calls of the raw stream; the lock is held ---- */

/* Raises OSError(message) from the current exception. */
static void fail_from_cause(const char *message)
{
    io_saved_error cause, error;
    io_error_save(&cause);
    PyErr_NormalizeException(&cause.type, &cause.value, &cause.traceback);
    if (cause.traceback != NULL)
        PyException_SetTraceback(cause.value, cause.traceback);
    PyErr_SetString(PyExc_OSError, message);
    io_error_save(&error);
    PyErr_NormalizeException(&error.type, &error.value, &error.traceback);
    PyException_SetContext(error.value, Py_NewRef(cause.value));
    PyException_SetCause(error.value, Py_NewRef(cause.value));
    Py_XDECREF(cause.type);
    Py_XDECREF(cause.value);
    Py_XDECREF(cause.traceback);
    io_error_restore(&error);
}

/* The count that raw readinto() or write() returned. Steals result. */
static Py_ssize_t count_from_result(PyObject *result, const char *method, Py_ssize_t len)
{
    char message[48];
    if (result == Py_None) {
        Py_DECREF(result);
        return IO_WOULD_BLOCK;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (count == -1 && PyErr_Occurred()) {
        PyOS_snprintf(message, sizeof(message), "raw %s failed", method);
        fail_from_cause(message);
        return -1;
    }
    if (count < 0 || count > len) {
        PyErr_Format(PyExc_OSError, "raw %s returned invalid length %zd (should have been between 0 and %zd)", method,
                     count, len);
        return -1;
    }
    return count;
}

/* Calls raw.<method>(memoryview(memory)). The object under the view outlives the call, whatever the raw
 * stream keeps of it. */
static PyObject *call_with_view(PyObject *raw, PyObject *method, PyObject *memory)
{
    PyObject *view = PyMemoryView_FromObject(memory), *result;
    if (view == NULL)
        return NULL;
    do
        result = PyObject_CallMethodOneArg(raw, method, view);
    while (result == NULL && io_trap_eintr());
    Py_DECREF(view);
    return result;
}

/* readinto() of a raw stream that is not FileIO, by way of a bytearray. */
static Py_ssize_t foreign_readinto(PyObject *raw, char *start, Py_ssize_t len)
{
    PyObject *space = PyByteArray_FromStringAndSize(NULL, len);
    if (space == NULL)
        return -1;
    memset(PyByteArray_AS_STRING(space), 0, (size_t)len);
    PyObject *result = call_with_view(raw, io_str.readinto, space);
    Py_ssize_t got = -1;
    if (result != NULL)
        got = count_from_result(result, "readinto()", len);
    if (got > 0) {
        bool shrunk;
        Py_BEGIN_CRITICAL_SECTION(space);
        shrunk = PyByteArray_GET_SIZE(space) < got;
        if (!shrunk)
            memcpy(start, PyByteArray_AS_STRING(space), (size_t)got);
        Py_END_CRITICAL_SECTION();
        if (shrunk) {
            PyErr_SetString(PyExc_BufferError, "raw readinto() resized its buffer");
            got = -1;
        }
    }
    Py_DECREF(space);
    return got;
}

Py_ssize_t buffered_raw_read(io_buffered *self, char *start, Py_ssize_t len)
{
    Py_ssize_t got;
    if (self->plain && io_method_is_plain(self->raw, io_str.readinto))
        got = fileio_readinto(self->raw, start, len);
    else
        got = foreign_readinto(self->raw, start, len);
    if (got > 0 && self->raw_pos >= 0)
        self->raw_pos += got;
    return got;
}

Py_ssize_t buffered_raw_write(io_buffered *self, const char *start, Py_ssize_t len)
{
    Py_ssize_t written = -1;
    if (self->plain && io_method_is_plain(self->raw, io_str.write))
        written = fileio_write(self->raw, start, len);
    else {
        PyObject *data = PyBytes_FromStringAndSize(start, len);
        PyObject *result = data == NULL ? NULL : call_with_view(self->raw, io_str.write, data);
        Py_XDECREF(data);
        if (result != NULL)
            written = count_from_result(result, "write()", len);
    }
    if (written > 0 && self->raw_pos >= 0)
        self->raw_pos += written;
    return written;
}

/* Stores the position that raw tell() or seek() returned. Steals result; it may be NULL. */
static off_t position_from_result(io_buffered *self, PyObject *result)
{
    if (result == NULL)
        return -1;
    Py_ssize_t position = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (position < 0) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %zd", position);
        return -1;
    }
    self->raw_pos = position;
    return position;
}

off_t buffered_raw_tell(io_buffered *self)
{
    if (self->plain && io_method_is_plain(self->raw, io_str.tell)) {
        off_t position = fileio_seek(self->raw, 0, SEEK_CUR);
        if (position >= 0)
            self->raw_pos = position;
        return position;
    }
    return position_from_result(self, PyObject_CallMethodNoArgs(self->raw, io_str.tell));
}

off_t buffered_raw_seek(io_buffered *self, off_t target, int whence)
{
    if (self->plain && io_method_is_plain(self->raw, io_str.seek)) {
        off_t position = fileio_seek(self->raw, target, whence);
        if (position >= 0)
            self->raw_pos = position;
        return position;
    }
    return position_from_result(self, PyObject_CallMethod(self->raw, "seek", "Li", (long long)target, whence));
}

/* ---- flushing ---- */

void buffered_set_blocking_error(Py_ssize_t written)
{
    PyObject *error = PyObject_CallFunction(PyExc_BlockingIOError, "isn", EAGAIN,
                                            "write could not complete without blocking", written);
    if (error != NULL) {
        PyErr_SetObject(PyExc_BlockingIOError, error);
        Py_DECREF(error);
    }
}

int buffered_flush_dirty(io_buffered *self)
{
    while (self->wpos < self->wend) {
        Py_ssize_t written = buffered_raw_write(self, self->buf + self->wpos, buffered_dirty(self));
        if (written == IO_WOULD_BLOCK)
            buffered_set_blocking_error(0);
        if (written < 0)
            return -1;
        self->wpos += written;
        /* A write that a signal cut short succeeds: let the handler run. */
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
    buffered_drop_dirty(self);
    return 0;
}

int buffered_flush_and_rewind(io_buffered *self)
{
    if (buffered_flush_dirty(self) < 0)
        return -1;
    if (self->readable && self->writable) {
        off_t ahead = buffered_readahead(self);
        if (ahead != 0 && buffered_raw_seek(self, -ahead, SEEK_CUR) < 0)
            return -1;
        buffered_drop_readahead(self);
    }
    return 0;
}

PyObject *buffered_flush(PyObject *op, PyObject *unused)
{
    io_buffered *self = (io_buffered *)op;
    if (buffered_enter(self) < 0)
        return NULL;
    int failed = buffered_check_open(self, "flush of closed file");
    if (!failed)
        failed = buffered_flush_and_rewind(self);
    io_lock_leave(&self->lock);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* flush() of a reader: nothing of ours, but the raw stream may have something. */
PyObject *buffered_flush_raw(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.flush);
}

/* ---- position ---- */

PyObject *buffered_tell(PyObject *op, PyObject *unused)
{
    io_buffered *self = (io_buffered *)op;
    if (buffered_enter(self) < 0)
        return NULL;
    off_t position = buffered_raw_tell(self);
    if (position >= 0)
        position += buffered_dirty(self) - buffered_readahead(self);
    io_lock_leave(&self->lock);
    return position < 0 && PyErr_Occurred() ? NULL : PyLong_FromLongLong(position);
}

/* Moves within the bytes already read, if target lies there. 1: done, *result set; 0: no; -1: exception. */
static int seek_within_buffer(io_buffered *self, off_t target, int whence, off_t *result)
{
    if (!self->readable || whence > SEEK_CUR || buffered_dirty(self) > 0 || self->rend == 0)
        return 0;
    off_t end = self->raw_pos >= 0 ? self->raw_pos : buffered_raw_tell(self);
    if (end < 0)
        return -1;
    off_t here = end - buffered_readahead(self);
    off_t distance;
    if (whence == SEEK_CUR)
        distance = target;
    else if (target < 0)
        return 0;
    else
        distance = target - here;
    if (distance < -self->rpos || distance > buffered_readahead(self))
        return 0;
    self->rpos += distance;
    *result = here + distance;
    return 1;
}

/* The part of seek() under the lock. The new position, or -1. */
static off_t seek_holding_lock(io_buffered *self, PyObject *target_obj, int whence)
{
    if (buffered_check_open(self, "seek of closed file") < 0)
        return -1;
    if (!(self->plain && io_method_is_plain(self->raw, io_str.seekable) &&
          io_method_is_plain(self->raw, io_str.seek) && self->raw_pos >= 0) &&
        io_check_seekable(self->raw) < 0)
        return -1;
    off_t target = PyNumber_AsSsize_t(target_obj, PyExc_ValueError);
    if (target == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "cannot fit '%.200s' into an offset-sized integer",
                         Py_TYPE(target_obj)->tp_name);
        }
        return -1;
    }
    off_t result;
    int inside = seek_within_buffer(self, target, whence, &result);
    if (inside != 0)
        return inside < 0 ? -1 : result;

    if (self->writable && buffered_flush_dirty(self) < 0)
        return -1;
    /* The raw stream is ahead of us by what is in the buffer. */
    if (whence == SEEK_CUR && __builtin_sub_overflow(target, (off_t)buffered_readahead(self), &target)) {
        PyErr_SetString(PyExc_OverflowError, "seek position out of range");
        return -1;
    }
    result = buffered_raw_seek(self, target, whence);
    if (result >= 0 && self->readable)
        buffered_drop_readahead(self);
    return result;
}

PyObject *buffered_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_buffered *self = (io_buffered *)op;
    int whence = 0;
    if (io_check_nargs("seek", nargs, 1, 2) < 0 || (nargs == 2 && io_int(args[1], &whence) < 0))
        return NULL;
    if (buffered_check_init(self) < 0)
        return NULL;
    if (whence < 0 || (whence > 2
#ifdef SEEK_HOLE
                       && whence != SEEK_HOLE
#endif
#ifdef SEEK_DATA
                       && whence != SEEK_DATA
#endif
                       )) {
        PyErr_Format(PyExc_ValueError, "whence value %d unsupported", whence);
        return NULL;
    }
    if (buffered_enter(self) < 0)
        return NULL;
    off_t position = seek_holding_lock(self, args[0], whence);
    io_lock_leave(&self->lock);
    return position < 0 ? NULL : PyLong_FromLongLong(position);
}

PyObject *buffered_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_buffered *self = (io_buffered *)op;
    if (io_check_nargs("truncate", nargs, 0, 1) < 0 || buffered_enter(self) < 0)
        return NULL;
    PyObject *result = NULL;
    if (buffered_check_open(self, "truncate of closed file") < 0)
        goto done;
    if (!self->writable) {
        io_unsupported("truncate");
        goto done;
    }
    if (buffered_flush_and_rewind(self) < 0)
        goto done;
    result = PyObject_CallMethodOneArg(self->raw, io_str.truncate, nargs == 1 ? args[0] : Py_None);
    if (result != NULL && buffered_raw_tell(self) < 0)
        PyErr_Clear();
done:
    io_lock_leave(&self->lock);
    return result;
}

/* ---- closing ---- */

PyObject *buffered_dealloc_warn(PyObject *op, PyObject *source)
{
    io_buffered *self = (io_buffered *)op;
    if (io_flag(&self->ok)) {
        PyObject *raw = buffered_raw_ref(self);
        PyObject *result = raw == NULL ? NULL : PyObject_CallMethodOneArg(raw, io_str._dealloc_warn, source);
        if (result == NULL)
            PyErr_Clear();
        Py_XDECREF(result);
        Py_XDECREF(raw);
    }
    Py_RETURN_NONE;
}

PyObject *buffered_close(PyObject *op, PyObject *unused)
{
    io_buffered *self = (io_buffered *)op;
    PyObject *result = NULL;
    io_saved_error saved = { NULL, NULL, NULL };

    if (buffered_enter(self) < 0)
        return NULL;
    int closed = io_is_closed(self->raw);
    io_lock_leave(&self->lock);
    if (closed < 0)
        return NULL;
    if (closed > 0)
        Py_RETURN_NONE;
    if (io_flag(&self->finalizing))
        Py_XDECREF(buffered_dealloc_warn(op, op));

    /* flush() may be a subclass's; it takes the lock itself. */
    PyObject *flushed = PyObject_CallMethodNoArgs(op, io_str.flush);
    if (flushed == NULL)
        io_error_save(&saved);
    Py_XDECREF(flushed);

    if (buffered_enter(self) == 0) {
        result = PyObject_CallMethodNoArgs(self->raw, io_str.close);
        PyMem_Free(self->buf);
        buffered_set_buffer(self, NULL, self->size);
        buffered_drop_readahead(self);
        buffered_drop_dirty(self);
        io_lock_leave(&self->lock);
    }
    if (saved.type != NULL)
        Py_CLEAR(result);
    io_error_chain(&saved);
    return result;
}

PyObject *buffered_detach(PyObject *op, PyObject *unused)
{
    io_buffered *self = (io_buffered *)op;
    if (buffered_check_init(self) < 0)
        return NULL;
    PyObject *flushed = PyObject_CallMethodNoArgs(op, io_str.flush);
    if (flushed == NULL)
        return NULL;
    Py_DECREF(flushed);
    if (buffered_enter(self) < 0)
        return NULL;
    PyObject *raw;
    Py_BEGIN_CRITICAL_SECTION(op);
    raw = self->raw;
    self->raw = NULL;
    Py_END_CRITICAL_SECTION();
    io_flag_set(&self->detached, 1);
    io_flag_set(&self->ok, 0);
    io_lock_leave(&self->lock);
    return raw;
}

int buffered_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((io_buffered *)op)->raw);
    Py_VISIT(((io_buffered *)op)->dict);
    return 0;
}

int buffered_clear(PyObject *op)
{
    io_buffered *self = (io_buffered *)op;
    io_flag_set(&self->ok, 0);
    Py_CLEAR(self->raw);
    iobase_clear_dict(op);
    return 0;
}

void buffered_dealloc(PyObject *op)
{
    io_buffered *self = (io_buffered *)op;
    io_flag_set(&self->finalizing, 1);
    if (iobase_finalize(op) < 0)
        return;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    buffered_clear(op);
    PyMem_Free(self->buf);
    self->buf = NULL;
    Py_TYPE(op)->tp_free(op);
}
