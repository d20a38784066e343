/* BytesIO: a byte stream in memory. */
#include "io_internal.h"

/* `exports` is the number of buffers handed out by getbuffer(), or BUF_SHARED: `buf` is then an ordinary bytes
 * object that others may hold, and is copied before it is changed. Otherwise buf is this object's alone and may
 * be longer than the contents. */
#define BUF_SHARED (-1)

typedef struct {
    IO_OBJECT_HEAD
    PyObject *buf;            /* [lock] bytes; NULL once closed */
    Py_ssize_t pos, size;     /* [lock] size: length of the contents; pos may lie behind it */
    Py_ssize_t exports;       /* [lock] */
} io_bytesio;

/* The object whose buffer getbuffer() puts a memoryview on. */
typedef struct {
    PyObject_HEAD
    io_bytesio *source;
} io_bytesio_buffer;

/* Functions named ..._locked run in the object's critical section; none of them runs Python code. */

static int check_open_locked(io_bytesio *self)
{
    if (self->buf != NULL)
        return 0;
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    return -1;
}

static int check_no_exports_locked(io_bytesio *self)
{
    if (self->exports <= 0)
        return 0;
    PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
    return -1;
}

static Py_ssize_t rest_locked(io_bytesio *self)
{
    return self->pos < self->size ? self->size - self->pos : 0;
}

/* Makes buf this object's own, with room for `room` bytes at least. */
static int unshare_locked(io_bytesio *self, Py_ssize_t room)
{
    PyObject *fresh = PyBytes_FromStringAndSize(NULL, room);
    if (fresh == NULL)
        return -1;
    memcpy(PyBytes_AS_STRING(fresh), PyBytes_AS_STRING(self->buf), (size_t)(room < self->size ? room : self->size));
    Py_SETREF(self->buf, fresh);
    self->exports = 0;
    return 0;
}

/* Makes room for `size` bytes. The contents' length stays. */
static int reserve_locked(io_bytesio *self, Py_ssize_t size)
{
    Py_ssize_t room = PyBytes_GET_SIZE(self->buf);
    if (self->exports != BUF_SHARED && size <= room && size >= room / 2)
        return 0;
    Py_ssize_t wanted = size;
    if (size > room) {
        if (size > PY_SSIZE_T_MAX - (size >> 3) - 64) {
            PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
            return -1;
        }
        wanted = size + (size >> 3) + (size < 9 ? 3 : 6);
    }
    if (wanted < 2)
        wanted = 2;   /* empty and one-byte strings may be cached objects */
    if (self->exports == BUF_SHARED)
        return unshare_locked(self, wanted);
    if (_PyBytes_Resize(&self->buf, wanted) == 0)
        return 0;
    /* The bytes are gone with the failed resize. */
    self->buf = Py_NewRef(io_str.empty_bytes);
    self->exports = BUF_SHARED;
    self->size = self->pos = 0;
    return -1;
}

static int write_locked(io_bytesio *self, const char *data, Py_ssize_t len)
{
    if (check_open_locked(self) < 0 || check_no_exports_locked(self) < 0)
        return -1;
    if (len == 0)
        return 0;
    if (self->pos > PY_SSIZE_T_MAX - len) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        return -1;
    }
    Py_ssize_t end = self->pos + len;
    if (self->exports == BUF_SHARED || end > PyBytes_GET_SIZE(self->buf)) {
        if (reserve_locked(self, end > self->size ? end : self->size) < 0)
            return -1;
    }
    char *contents = PyBytes_AS_STRING(self->buf);
    if (self->pos > self->size)
        memset(contents + self->size, 0, (size_t)(self->pos - self->size));
    memcpy(contents + self->pos, data, (size_t)len);
    self->pos = end;
    if (self->size < end)
        self->size = end;
    return 0;
}

/* Moves pos over n bytes and returns them. */
static PyObject *take_locked(io_bytesio *self, Py_ssize_t n)
{
    PyObject *result;
    if (n > 1 && n == PyBytes_GET_SIZE(self->buf) && self->pos == 0 && self->exports <= 0) {
        /* All of it: share instead of copying. */
        result = Py_NewRef(self->buf);
        self->exports = BUF_SHARED;
    }
    else
        result = n == 0 ? Py_NewRef(io_str.empty_bytes)
                        : PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf) + self->pos, n);
    if (result != NULL)
        self->pos += n;
    return result;
}

/* The length of the line at pos, at most limit if that is not negative. */
static Py_ssize_t line_length_locked(io_bytesio *self, Py_ssize_t limit)
{
    Py_ssize_t rest = rest_locked(self);
    if (rest == 0)
        return 0;
    const char *start = PyBytes_AS_STRING(self->buf) + self->pos;
    const char *newline = memchr(start, '\n', (size_t)rest);
    Py_ssize_t n = newline != NULL ? newline - start + 1 : rest;
    return limit >= 0 && n > limit ? limit : n;
}

/* ---- questions ---- */

/* 0 if open, or -1 with ValueError set. Only a first answer for what the locked part asks again. */
static int check_open(PyObject *op)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = check_open_locked((io_bytesio *)op);
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyObject *bytesio_true(PyObject *op, PyObject *unused)
{
    if (check_open(op) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *bytesio_isatty(PyObject *op, PyObject *unused)
{
    if (check_open(op) < 0)
        return NULL;
    Py_RETURN_FALSE;
}

static PyObject *bytesio_flush(PyObject *op, PyObject *unused)
{
    if (check_open(op) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    bool closed;
    Py_BEGIN_CRITICAL_SECTION(op);
    closed = ((io_bytesio *)op)->buf == NULL;
    Py_END_CRITICAL_SECTION();
    return PyBool_FromLong(closed);
}

static PyObject *bytesio_tell(PyObject *op, PyObject *unused)
{
    Py_ssize_t pos = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked((io_bytesio *)op) == 0)
        pos = ((io_bytesio *)op)->pos;
    Py_END_CRITICAL_SECTION();
    return pos < 0 ? NULL : PyLong_FromSsize_t(pos);
}

/* ---- contents as a whole ---- */

static PyObject *getvalue_locked(io_bytesio *self)
{
    if (check_open_locked(self) < 0)
        return NULL;
    if (self->size <= 1 || self->exports > 0)
        return PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf), self->size);
    if (self->size != PyBytes_GET_SIZE(self->buf)) {
        if (self->exports == BUF_SHARED) {
            if (unshare_locked(self, self->size) < 0)
                return NULL;
        }
        else if (_PyBytes_Resize(&self->buf, self->size) < 0) {
            self->buf = Py_NewRef(io_str.empty_bytes);
            self->size = self->pos = 0;
            self->exports = BUF_SHARED;
            return NULL;
        }
    }
    self->exports = BUF_SHARED;
    return Py_NewRef(self->buf);
}

static PyObject *bytesio_getvalue(PyObject *op, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = getvalue_locked((io_bytesio *)op);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *bytesio_getbuffer(PyObject *op, PyObject *unused)
{
    if (check_open(op) < 0)
        return NULL;
    io_bytesio_buffer *buffer =
        (io_bytesio_buffer *)io_BytesIOBuffer_type.tp_alloc(&io_BytesIOBuffer_type, 0);
    if (buffer == NULL)
        return NULL;
    buffer->source = (io_bytesio *)Py_NewRef(op);
    PyObject *view = PyMemoryView_FromObject((PyObject *)buffer);
    Py_DECREF((PyObject *)buffer);
    return view;
}

/* ---- reading ---- */

static PyObject *bytesio_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_bytesio *self = (io_bytesio *)op;
    Py_ssize_t n = -1;
    PyObject *result = NULL;
    if (io_check_nargs("read", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &n) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked(self) == 0) {
        Py_ssize_t rest = rest_locked(self);
        result = take_locked(self, n < 0 || n > rest ? rest : n);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *bytesio_read1(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (io_check_nargs("read1", nargs, 0, 1) < 0)
        return NULL;
    return bytesio_read(op, args, nargs);
}

static PyObject *read_line(PyObject *op, Py_ssize_t limit)
{
    io_bytesio *self = (io_bytesio *)op;
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked(self) == 0)
        result = take_locked(self, line_length_locked(self, limit));
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *bytesio_readline(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (io_check_nargs("readline", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &limit) < 0))
        return NULL;
    return read_line(op, limit);
}

static PyObject *bytesio_iternext(PyObject *op)
{
    PyObject *line = read_line(op, -1);
    if (line != NULL && PyBytes_GET_SIZE(line) == 0)
        Py_CLEAR(line);
    return line;
}

static PyObject *bytesio_readlines(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t hint = 0, total = 0;
    if (io_check_nargs("readlines", nargs, 0, 1) < 0 || check_open(op) < 0)
        return NULL;
    if (nargs == 1 && args[0] != Py_None) {
        if (!PyIndex_Check(args[0])) {
            PyErr_Format(PyExc_TypeError, "integer argument expected, got '%s'", Py_TYPE(args[0])->tp_name);
            return NULL;
        }
        if (io_size(args[0], &hint) < 0)
            return NULL;
    }
    PyObject *result = PyList_New(0);
    if (result == NULL)
        return NULL;
    for (;;) {
        PyObject *line = read_line(op, -1);
        if (line == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        Py_ssize_t n = PyBytes_GET_SIZE(line);
        int failed = n > 0 ? PyList_Append(result, line) : 0;
        Py_DECREF(line);
        if (failed) {
            Py_DECREF(result);
            return NULL;
        }
        total += n;
        if (n == 0 || (hint > 0 && total >= hint))
            return result;
    }
}

static PyObject *bytesio_readinto(PyObject *op, PyObject *target)
{
    io_bytesio *self = (io_bytesio *)op;
    Py_buffer view;
    Py_ssize_t n = -1;
    if (io_writable_buffer("readinto", target, &view) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked(self) == 0) {
        n = rest_locked(self);
        if (n > view.len)
            n = view.len;
        /* The target may be this object's own buffer. */
        if (n > 0)
            memmove(view.buf, PyBytes_AS_STRING(self->buf) + self->pos, (size_t)n);
        self->pos += n;
    }
    Py_END_CRITICAL_SECTION();
    PyBuffer_Release(&view);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

/* ---- writing ---- */

/* Returns the number of bytes written, or -1. */
static Py_ssize_t write_object(PyObject *op, PyObject *data)
{
    Py_buffer view;
    int exported;
    if (check_open(op) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    exported = check_no_exports_locked((io_bytesio *)op);
    Py_END_CRITICAL_SECTION();
    if (exported < 0 || PyObject_GetBuffer(data, &view, PyBUF_CONTIG_RO) < 0)
        return -1;
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = write_locked((io_bytesio *)op, view.buf, view.len);
    Py_END_CRITICAL_SECTION();
    Py_ssize_t len = view.len;
    PyBuffer_Release(&view);
    return failed < 0 ? -1 : len;
}

static PyObject *bytesio_write(PyObject *op, PyObject *data)
{
    Py_ssize_t n = write_object(op, data);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *bytesio_writelines(PyObject *op, PyObject *lines)
{
    if (check_open(op) < 0)
        return NULL;
    PyObject *iterator = PyObject_GetIter(lines), *line;
    if (iterator == NULL)
        return NULL;
    while ((line = PyIter_Next(iterator)) != NULL) {
        Py_ssize_t n = write_object(op, line);
        Py_DECREF(line);
        if (n < 0)
            break;
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static int truncate_locked(io_bytesio *self, Py_ssize_t size)
{
    if (size >= self->size)
        return 0;
    if (reserve_locked(self, size) < 0)
        return -1;
    self->size = size;
    return 0;
}

static PyObject *bytesio_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_bytesio *self = (io_bytesio *)op;
    Py_ssize_t size = 0;
    int failed = -1;
    bool here = nargs == 0 || args[0] == Py_None;
    if (io_check_nargs("truncate", nargs, 0, 1) < 0 || (!here && io_size_or_none(args[0], &size) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked(self) == 0 && check_no_exports_locked(self) == 0) {
        if (here)
            size = self->pos;
        if (size < 0)
            PyErr_Format(PyExc_ValueError, "negative size value %zd", size);
        else
            failed = truncate_locked(self, size);
    }
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : PyLong_FromSsize_t(size);
}

static Py_ssize_t seek_locked(io_bytesio *self, Py_ssize_t pos, int whence)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (pos < 0 && whence == 0) {
        PyErr_Format(PyExc_ValueError, "negative seek value %zd", pos);
        return -1;
    }
    if (whence < 0 || whence > 2) {
        PyErr_Format(PyExc_ValueError, "invalid whence (%i, should be 0, 1 or 2)", whence);
        return -1;
    }
    Py_ssize_t base = whence == 0 ? 0 : (whence == 1 ? self->pos : self->size);
    if (pos > PY_SSIZE_T_MAX - base) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        return -1;
    }
    pos += base;
    self->pos = pos < 0 ? 0 : pos;
    return self->pos;
}

static PyObject *bytesio_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t pos;
    int whence = 0;
    if (io_check_nargs("seek", nargs, 1, 2) < 0)
        return NULL;
    PyObject *index = PyNumber_Index(args[0]);
    if (index == NULL)
        return NULL;
    pos = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if ((pos == -1 && PyErr_Occurred()) || (nargs == 2 && io_int(args[1], &whence) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    pos = seek_locked((io_bytesio *)op, pos, whence);
    Py_END_CRITICAL_SECTION();
    return pos < 0 ? NULL : PyLong_FromSsize_t(pos);
}

static PyObject *bytesio_close(PyObject *op, PyObject *unused)
{
    io_bytesio *self = (io_bytesio *)op;
    PyObject *old = NULL;
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = check_no_exports_locked(self);
    if (!failed) {
        old = self->buf;
        self->buf = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- pickling ---- */

static PyObject *bytesio_getstate(PyObject *op, PyObject *unused)
{
    io_bytesio *self = (io_bytesio *)op;
    PyObject *value = NULL;
    Py_ssize_t pos = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_open_locked(self) == 0) {
        value = getvalue_locked(self);
        pos = self->pos;
    }
    Py_END_CRITICAL_SECTION();
    if (value == NULL)
        return NULL;
    PyObject *own = __atomic_load_n(&self->dict, __ATOMIC_ACQUIRE);     /* once it is there, it stays */
    PyObject *dict = own == NULL ? Py_NewRef(Py_None) : PyDict_Copy(own);
    if (dict == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    return Py_BuildValue("(NnN)", value, pos, dict);
}

/* Puts the dict part of a pickle's state into the instance's dict. */
static int merge_dict(PyObject *op, PyObject *dict)
{
    PyObject *own = PyObject_GenericGetDict(op, NULL);
    if (own == NULL)
        return -1;
    int failed = PyDict_Update(own, dict);
    Py_DECREF(own);
    return failed;
}

static PyObject *bytesio_setstate(PyObject *op, PyObject *state)
{
    io_bytesio *self = (io_bytesio *)op;
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 3) {
        PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 3-tuple, got %.200s",
                     Py_TYPE(op)->tp_name, Py_TYPE(state)->tp_name);
        return NULL;
    }
    int exported;
    Py_BEGIN_CRITICAL_SECTION(op);
    exported = check_no_exports_locked(self);
    if (!exported && self->buf != NULL)
        self->size = self->pos = 0;
    Py_END_CRITICAL_SECTION();
    if (exported < 0 || write_object(op, PyTuple_GET_ITEM(state, 0)) < 0)
        return NULL;

    PyObject *pos_obj = PyTuple_GET_ITEM(state, 1), *dict = PyTuple_GET_ITEM(state, 2);
    if (!PyLong_Check(pos_obj)) {
        PyErr_Format(PyExc_TypeError, "second item of state must be an integer, not %.200s",
                     Py_TYPE(pos_obj)->tp_name);
        return NULL;
    }
    Py_ssize_t pos = PyLong_AsSsize_t(pos_obj);
    if (pos == -1 && PyErr_Occurred())
        return NULL;
    if (pos < 0) {
        PyErr_SetString(PyExc_ValueError, "position value cannot be negative");
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    self->pos = pos;
    Py_END_CRITICAL_SECTION();
    if (dict != Py_None) {
        if (!PyDict_Check(dict)) {
            PyErr_Format(PyExc_TypeError, "third item of state should be a dict, got a %.200s",
                         Py_TYPE(dict)->tp_name);
            return NULL;
        }
        if (merge_dict(op, dict) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static PyObject *bytesio_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    io_bytesio *self = (io_bytesio *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->buf = Py_NewRef(io_str.empty_bytes);
        self->exports = BUF_SHARED;
    }
    return (PyObject *)self;
}

static int bytesio_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "initial_bytes", NULL };
    io_bytesio *self = (io_bytesio *)op;
    PyObject *initial = Py_None, *contents;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|O:BytesIO", keywords, &initial))
        return -1;
    if (initial == Py_None)
        contents = Py_NewRef(io_str.empty_bytes);
    else if (PyBytes_CheckExact(initial))
        contents = Py_NewRef(initial);
    else {
        Py_buffer view;
        if (PyObject_GetBuffer(initial, &view, PyBUF_CONTIG_RO) < 0)
            return -1;
        contents = PyBytes_FromStringAndSize(view.buf, view.len);
        PyBuffer_Release(&view);
        if (contents == NULL)
            return -1;
    }
    PyObject *old = contents;
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = check_no_exports_locked(self);
    if (!failed) {
        old = self->buf;
        self->buf = contents;
        self->size = PyBytes_GET_SIZE(contents);
        self->pos = 0;
        self->exports = BUF_SHARED;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return failed;
}

static PyObject *bytesio_sizeof(PyObject *op, PyObject *unused)
{
    io_bytesio *self = (io_bytesio *)op;
    Py_ssize_t size = Py_TYPE(op)->tp_basicsize;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->buf != NULL && (self->exports != BUF_SHARED || object_is_unique(self->buf)))
        size += PyBytes_GET_SIZE(self->buf) + Py_TYPE(self->buf)->tp_basicsize;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(size);
}

static int bytesio_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((io_bytesio *)op)->dict);
    return 0;
}

static int bytesio_clear(PyObject *op)
{
    iobase_clear_dict(op);
    return 0;
}

static void bytesio_dealloc(PyObject *op)
{
    io_bytesio *self = (io_bytesio *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    Py_CLEAR(self->buf);
    iobase_clear_dict(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef bytesio_methods[] = {
    { "readable", bytesio_true, METH_NOARGS, PyDoc_STR("readable($self, /)\n--\n\nReturn True.") },
    { "seekable", bytesio_true, METH_NOARGS, PyDoc_STR("seekable($self, /)\n--\n\nReturn True.") },
    { "writable", bytesio_true, METH_NOARGS, PyDoc_STR("writable($self, /)\n--\n\nReturn True.") },
    { "close", bytesio_close, METH_NOARGS, PyDoc_STR("close($self, /)\n--\n\nForget the contents.") },
    { "flush", bytesio_flush, METH_NOARGS, PyDoc_STR("flush($self, /)\n--\n\nDo nothing.") },
    { "isatty", bytesio_isatty, METH_NOARGS, PyDoc_STR("isatty($self, /)\n--\n\nReturn False.") },
    { "tell", bytesio_tell, METH_NOARGS, PyDoc_STR("tell($self, /)\n--\n\nReturn the position, in bytes.") },
    { "write", bytesio_write, METH_O,
      PyDoc_STR("write($self, b, /)\n--\n\nWrite bytes at the position and return how many they are.") },
    { "writelines", bytesio_writelines, METH_O,
      PyDoc_STR("writelines($self, lines, /)\n--\n\nWrite each of an iterable of bytes-like objects.") },
    { "read", IO_METHOD(bytesio_read), METH_FASTCALL,
      PyDoc_STR("read($self, size=-1, /)\n--\n\nReturn up to size bytes from the position on; all if negative.") },
    { "read1", IO_METHOD(bytesio_read1), METH_FASTCALL,
      PyDoc_STR("read1($self, size=-1, /)\n--\n\nThe same as read().") },
    { "readline", IO_METHOD(bytesio_readline), METH_FASTCALL,
      PyDoc_STR("readline($self, size=-1, /)\n--\n\nReturn the next line, or at most size bytes of it.") },
    { "readlines", IO_METHOD(bytesio_readlines), METH_FASTCALL,
      PyDoc_STR("readlines($self, size=None, /)\n--\n\nReturn a list of lines, of about size bytes in all.") },
    { "readinto", bytesio_readinto, METH_O,
      PyDoc_STR("readinto($self, buffer, /)\n--\n\nFill a writable buffer; return the number of bytes.") },
    { "seek", IO_METHOD(bytesio_seek), METH_FASTCALL,
      PyDoc_STR("seek($self, pos, whence=0, /)\n--\n\nMove to a new position and return it.") },
    { "truncate", IO_METHOD(bytesio_truncate), METH_FASTCALL,
      PyDoc_STR("truncate($self, size=None, /)\n--\n\nCut the contents to size bytes, by default the position.") },
    { "getvalue", bytesio_getvalue, METH_NOARGS,
      PyDoc_STR("getvalue($self, /)\n--\n\nReturn all of the contents as bytes.") },
    { "getbuffer", bytesio_getbuffer, METH_NOARGS,
      PyDoc_STR("getbuffer($self, /)\n--\n\nReturn a writable view of the contents, without copying.") },
    { "__getstate__", bytesio_getstate, METH_NOARGS, NULL },
    { "__setstate__", bytesio_setstate, METH_O, NULL },
    { "__sizeof__", bytesio_sizeof, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef bytesio_getset[] = {
    { "closed", closed_get, NULL, PyDoc_STR("True once the stream is closed."), NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_BytesIO_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.BytesIO",
    .tp_basicsize = sizeof(io_bytesio),
    .tp_base = &io_BufferedIOBase_type,
    .tp_dealloc = bytesio_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("BytesIO(initial_bytes=b'')\n--\n\nA byte stream in memory."),
    .tp_traverse = bytesio_traverse,
    .tp_clear = bytesio_clear,
    .tp_weaklistoffset = offsetof(io_bytesio, weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytesio_iternext,
    .tp_methods = bytesio_methods,
    .tp_getset = bytesio_getset,
    .tp_dictoffset = offsetof(io_bytesio, dict),
    .tp_init = bytesio_init,
    .tp_new = bytesio_new,
};

/* ---- the exporter behind getbuffer() ---- */

static int buffer_get(PyObject *op, Py_buffer *view, int flags)
{
    io_bytesio *source = ((io_bytesio_buffer *)op)->source;
    int failed = 0;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)source);
    if (check_open_locked(source) < 0)
        failed = -1;
    else if (source->exports == BUF_SHARED)
        failed = unshare_locked(source, source->size > 2 ? source->size : 2);
    if (!failed)
        failed = PyBuffer_FillInfo(view, op, PyBytes_AS_STRING(source->buf), source->size, 0, flags);
    if (!failed)
        source->exports++;
    Py_END_CRITICAL_SECTION();
    return failed;
}

static void buffer_release(PyObject *op, Py_buffer *view)
{
    io_bytesio *source = ((io_bytesio_buffer *)op)->source;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)source);
    source->exports--;
    Py_END_CRITICAL_SECTION();
}

static int buffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((io_bytesio_buffer *)op)->source);
    return 0;
}

static void buffer_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF((PyObject *)((io_bytesio_buffer *)op)->source);
    Py_TYPE(op)->tp_free(op);
}

static PyBufferProcs buffer_procs = { buffer_get, buffer_release };

PyTypeObject io_BytesIOBuffer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io._BytesIOBuffer",
    .tp_basicsize = sizeof(io_bytesio_buffer),
    .tp_dealloc = buffer_dealloc,
    .tp_as_buffer = &buffer_procs,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = buffer_traverse,
};
