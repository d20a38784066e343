/* StringIO: a text stream in memory. */
#include "io_internal.h"
#include "text_search.h"

typedef struct {
    IO_OBJECT_HEAD
    /* All [lock]. The text is stored in the narrowest kind that it ever needed. */
    void *data;
    Py_ssize_t room, len, pos;    /* in characters; pos may lie behind len */
    int kind;
    char ok, closed;
    char universal, translated;   /* newline is '' or None; is None */
    newline_state newlines;
    const char *readnl, *writenl; /* static strings; writenl NULL: '\n' is written as it is */
    PyObject *newline_arg;        /* str or None: the argument, for pickling */
} io_stringio;

static int check_usable_locked(io_stringio *self)
{
    if (self->ok && !self->closed)
        return 0;
    PyErr_SetString(PyExc_ValueError,
                    !self->ok ? "I/O operation on uninitialized object" : "I/O operation on closed file");
    return -1;
}

/* ---- storage; the object's lock is held, nothing here runs Python code ---- */

/* Makes room for `len` characters of `kind`. */
static int reserve_locked(io_stringio *self, Py_ssize_t len, int kind)
{
    if (kind < self->kind)
        kind = self->kind;
    if (len <= self->room && kind == self->kind)
        return 0;
    Py_ssize_t room = self->room;
    if (len > room) {
        if (len > (PY_SSIZE_T_MAX - 16) / 5) {
            PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
            return -1;
        }
        room = len + (len >> 3) + 16;
    }
    if (kind == self->kind) {
        void *data = PyMem_Realloc(self->data, (size_t)room * (size_t)kind);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->data = data;
        self->room = room;
        return 0;
    }
    void *data = PyMem_Malloc((size_t)room * (size_t)kind);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->len; i++)
        PyUnicode_WRITE(kind, data, i, PyUnicode_READ(self->kind, self->data, i));
    PyMem_Free(self->data);
    self->data = data;
    self->room = room;
    self->kind = kind;
    return 0;
}

/* Writes text at pos as it is. */
static int put_locked(io_stringio *self, PyObject *text)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    if (len == 0)
        return 0;
    if (self->pos > PY_SSIZE_T_MAX - len) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        return -1;
    }
    int kind = PyUnicode_KIND(text);
    Py_ssize_t end = self->pos + len;
    if (reserve_locked(self, end, kind) < 0)
        return -1;
    char *target = self->data;
    size_t width = (size_t)self->kind;
    if (self->pos > self->len)
        memset(target + (size_t)self->len * width, 0, (size_t)(self->pos - self->len) * width);
    const void *source = PyUnicode_DATA(text);
    if (kind == self->kind)
        memcpy(target + (size_t)self->pos * width, source, (size_t)len * width);
    else {
        for (Py_ssize_t i = 0; i < len; i++)
            PyUnicode_WRITE(self->kind, target, self->pos + i, PyUnicode_READ(kind, source, i));
    }
    self->pos = end;
    if (end > self->len)
        self->len = end;
    return 0;
}

static PyObject *text_locked(io_stringio *self, Py_ssize_t start, Py_ssize_t len)
{
    if (len <= 0)
        return Py_NewRef(io_str.empty);
    return PyUnicode_FromKindAndData(self->kind, (char *)self->data + (size_t)start * (size_t)self->kind, len);
}

/* text with '\n' replaced by the stream's line end. A new reference. */
static PyObject *with_line_ends(io_stringio *self, PyObject *text)
{
    if (self->writenl == NULL ||
        text_find_char(PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text), '\n') < 0)
        return Py_NewRef(text);
    PyObject *newline = PyUnicode_FromString(self->writenl);
    PyObject *result = newline == NULL ? NULL : PyUnicode_Replace(text, io_str.newline, newline, -1);
    Py_XDECREF(newline);
    return result;
}

/* Translates line ends and writes. */
static int write_locked(io_stringio *self, PyObject *text)
{
    text = self->universal ? newline_translate_steal(&self->newlines, Py_NewRef(text), true) : Py_NewRef(text);
    if (text == NULL)
        return -1;
    PyObject *translated = with_line_ends(self, text);
    Py_DECREF(text);
    if (translated == NULL)
        return -1;
    int failed = put_locked(self, translated);
    Py_DECREF(translated);
    return failed;
}

static PyObject *read_line_locked(io_stringio *self, Py_ssize_t limit)
{
    if (self->pos >= self->len)
        return Py_NewRef(io_str.empty);
    Py_ssize_t end = self->len;
    if (limit >= 0 && limit < end - self->pos)
        end = self->pos + limit;
    Py_ssize_t line_end = text_find_line_end(self->translated, self->universal, self->readnl, self->kind,
                                             self->data, self->pos, end);
    if (line_end < 0)
        line_end = end;
    PyObject *line = text_locked(self, self->pos, line_end - self->pos);
    if (line != NULL)
        self->pos = line_end;
    return line;
}

/* ---- methods ---- */

static PyObject *stringio_getvalue(PyObject *op, PyObject *unused)
{
    io_stringio *self = (io_stringio *)op;
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_usable_locked(self) == 0)
        result = text_locked(self, 0, self->len);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *stringio_tell(PyObject *op, PyObject *unused)
{
    io_stringio *self = (io_stringio *)op;
    Py_ssize_t pos = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_usable_locked(self) == 0)
        pos = self->pos;
    Py_END_CRITICAL_SECTION();
    return pos < 0 ? NULL : PyLong_FromSsize_t(pos);
}

static PyObject *stringio_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_stringio *self = (io_stringio *)op;
    Py_ssize_t n = -1;
    PyObject *result = NULL;
    if (io_check_nargs("read", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &n) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_usable_locked(self) == 0) {
        Py_ssize_t rest = self->pos < self->len ? self->len - self->pos : 0;
        if (n < 0 || n > rest)
            n = rest;
        result = text_locked(self, self->pos, n);
        if (result != NULL)
            self->pos += n;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *read_line(PyObject *op, Py_ssize_t limit)
{
    PyObject *line = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_usable_locked((io_stringio *)op) == 0)
        line = read_line_locked((io_stringio *)op, limit);
    Py_END_CRITICAL_SECTION();
    return line;
}

static PyObject *stringio_readline(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (io_check_nargs("readline", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &limit) < 0))
        return NULL;
    return read_line(op, limit);
}

static PyObject *stringio_iternext(PyObject *op)
{
    PyObject *line;
    if (Py_IS_TYPE(op, &io_StringIO_type))
        line = read_line(op, -1);
    else {
        /* readline() may be a subclass's. */
        line = PyObject_CallMethodNoArgs(op, io_str.readline);
        if (line != NULL && !PyUnicode_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'",
                         Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0)
        Py_CLEAR(line);
    return line;
}

static PyObject *stringio_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_stringio *self = (io_stringio *)op;
    Py_ssize_t size = 0;
    bool here = nargs == 0 || args[0] == Py_None, ok = false;
    if (io_check_nargs("truncate", nargs, 0, 1) < 0 || (!here && io_size_or_none(args[0], &size) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (check_usable_locked(self) == 0) {
        if (here)
            size = self->pos;
        ok = size >= 0;
        if (!ok)
            PyErr_Format(PyExc_ValueError, "Negative size value %zd", size);
        else if (size < self->len)
            self->len = size;
    }
    Py_END_CRITICAL_SECTION();
    return ok ? PyLong_FromSsize_t(size) : NULL;
}

static Py_ssize_t seek_locked(io_stringio *self, Py_ssize_t pos, int whence)
{
    if (check_usable_locked(self) < 0)
        return -1;
    if (whence < 0 || whence > 2) {
        PyErr_Format(PyExc_ValueError, "Invalid whence (%i, should be 0, 1 or 2)", whence);
        return -1;
    }
    if (pos < 0 && whence == 0) {
        PyErr_Format(PyExc_ValueError, "Negative seek position %zd", pos);
        return -1;
    }
    if (whence != 0 && pos != 0) {
        PyErr_SetString(PyExc_OSError, "Can't do nonzero cur-relative seeks");
        return -1;
    }
    if (whence == 0)
        self->pos = pos;
    else if (whence == 2)
        self->pos = self->len;
    return self->pos;
}

static PyObject *stringio_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    if (io_check_nargs("seek", nargs, 1, 2) < 0)
        return NULL;
    PyObject *index = PyNumber_Index(args[0]);
    if (index == NULL)
        return NULL;
    Py_ssize_t pos = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if ((pos == -1 && PyErr_Occurred()) || (nargs == 2 && io_int(args[1], &whence) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    pos = seek_locked((io_stringio *)op, pos, whence);
    Py_END_CRITICAL_SECTION();
    return pos < 0 ? NULL : PyLong_FromSsize_t(pos);
}

static PyObject *stringio_write(PyObject *op, PyObject *text)
{
    io_stringio *self = (io_stringio *)op;
    int failed = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (!self->ok)
        check_usable_locked(self);
    else if (!PyUnicode_Check(text))
        PyErr_Format(PyExc_TypeError, "string argument expected, got '%s'", Py_TYPE(text)->tp_name);
    else if (check_usable_locked(self) == 0)
        failed = write_locked(self, text);
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *stringio_close(PyObject *op, PyObject *unused)
{
    io_stringio *self = (io_stringio *)op;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->closed = 1;
    PyMem_Free(self->data);
    self->data = NULL;
    self->room = self->len = 0;
    self->kind = 1;
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

/* 0 if usable, or -1 with ValueError set. */
static int check_usable(PyObject *op)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = check_usable_locked((io_stringio *)op);
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyObject *stringio_true(PyObject *op, PyObject *unused)
{
    if (check_usable(op) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    io_stringio *self = (io_stringio *)op;
    int closed = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->ok || check_usable_locked(self) == 0)
        closed = self->closed;
    Py_END_CRITICAL_SECTION();
    return closed < 0 ? NULL : PyBool_FromLong(closed);
}

static PyObject *line_buffering_get(PyObject *op, void *unused)
{
    if (check_usable(op) < 0)
        return NULL;
    Py_RETURN_FALSE;
}

static PyObject *newlines_get(PyObject *op, void *unused)
{
    io_stringio *self = (io_stringio *)op;
    int failed;
    unsigned seen = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = check_usable_locked(self);
    if (self->universal)
        seen = self->newlines.seen;
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : newline_seen_value(seen);
}

/* ---- construction and pickling ---- */

static PyObject *stringio_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    io_stringio *self = (io_stringio *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->kind = 1;
    return (PyObject *)self;
}

/* The newline argument as a static string, NULL for None. 0, or -1 with an exception set. */
static int newline_from_arg(PyObject *arg, const char **newline)
{
    *newline = NULL;
    if (arg == Py_None)
        return 0;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "newline must be str or None, not %.200s", Py_TYPE(arg)->tp_name);
        return -1;
    }
    const char *utf8 = PyUnicode_AsUTF8(arg);
    if (utf8 == NULL)
        return -1;
    *newline = text_static_newline(utf8);
    if (*newline == NULL || (Py_ssize_t)strlen(utf8) != PyUnicode_GET_LENGTH(arg)) {
        PyErr_Format(PyExc_ValueError, "illegal newline value: %R", arg);
        return -1;
    }
    return 0;
}

/* Makes the stream new with the given contents, not translated if `verbatim`. */
static int set_up(io_stringio *self, PyObject *initial, PyObject *newline_arg, bool verbatim)
{
    const char *newline;
    if (newline_from_arg(newline_arg, &newline) < 0)
        return -1;
    if (initial != Py_None && !PyUnicode_Check(initial)) {
        PyErr_Format(PyExc_TypeError, "initial_value must be str or None, not %.200s", Py_TYPE(initial)->tp_name);
        return -1;
    }
    int failed = 0;
    PyObject *old_arg;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    old_arg = self->newline_arg;
    self->newline_arg = Py_NewRef(newline_arg);
    self->universal = newline == NULL || *newline == 0;
    self->translated = newline == NULL;
    self->readnl = newline;
    self->writenl = newline != NULL && *newline == '\r' ? newline : NULL;
    memset(&self->newlines, 0, sizeof(self->newlines));
    self->newlines.translate = self->translated;
    PyMem_Free(self->data);
    self->data = NULL;
    self->kind = 1;
    self->room = self->len = self->pos = 0;
    self->closed = 0;
    if (initial != Py_None)
        failed = verbatim ? put_locked(self, initial) : write_locked(self, initial);
    self->pos = 0;
    self->ok = !failed;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_arg);
    return failed;
}

static int stringio_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "initial_value", "newline", NULL };
    PyObject *initial = Py_None, *newline = io_str.newline;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO:StringIO", keywords, &initial, &newline))
        return -1;
    return set_up((io_stringio *)op, initial, newline, false);
}

static PyObject *stringio_getstate(PyObject *op, PyObject *unused)
{
    io_stringio *self = (io_stringio *)op;
    PyObject *value = stringio_getvalue(op, NULL);
    if (value == NULL)
        return NULL;
    PyObject *own = __atomic_load_n(&self->dict, __ATOMIC_ACQUIRE);     /* once it is there, it stays */
    PyObject *dict = own == NULL ? Py_NewRef(Py_None) : PyDict_Copy(own);
    PyObject *newline;
    Py_ssize_t pos;
    Py_BEGIN_CRITICAL_SECTION(op);
    newline = Py_XNewRef(self->newline_arg);
    pos = self->pos;
    Py_END_CRITICAL_SECTION();
    if (dict == NULL || newline == NULL) {
        Py_DECREF(value);
        Py_XDECREF(newline);
        Py_XDECREF(dict);
        return NULL;
    }
    return Py_BuildValue("(NNnN)", value, newline, pos, dict);
}

static PyObject *stringio_setstate(PyObject *op, PyObject *state)
{
    io_stringio *self = (io_stringio *)op;
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = self->closed ? check_usable_locked(self) : 0;
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 4) {
        PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 4-tuple, got %.200s",
                     Py_TYPE(op)->tp_name, Py_TYPE(state)->tp_name);
        return NULL;
    }
    /* The text was translated when it was first written. */
    if (set_up(self, PyTuple_GET_ITEM(state, 0), PyTuple_GET_ITEM(state, 1), true) < 0)
        return NULL;
    PyObject *pos_obj = PyTuple_GET_ITEM(state, 2), *dict = PyTuple_GET_ITEM(state, 3);
    if (!PyLong_Check(pos_obj)) {
        PyErr_Format(PyExc_TypeError, "third item of state must be an integer, got %.200s",
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
            PyErr_Format(PyExc_TypeError, "fourth item of state should be a dict, got a %.200s",
                         Py_TYPE(dict)->tp_name);
            return NULL;
        }
        PyObject *own = PyObject_GenericGetDict(op, NULL);
        failed = own == NULL ? -1 : PyDict_Update(own, dict);
        Py_XDECREF(own);
        if (failed)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static int stringio_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((io_stringio *)op)->dict);
    return 0;
}

static int stringio_clear(PyObject *op)
{
    iobase_clear_dict(op);
    return 0;
}

static void stringio_dealloc(PyObject *op)
{
    io_stringio *self = (io_stringio *)op;
    PyObject_GC_UnTrack(op);
    self->ok = 0;
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    PyMem_Free(self->data);
    Py_CLEAR(self->newline_arg);
    iobase_clear_dict(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef stringio_methods[] = {
    { "close", stringio_close, METH_NOARGS, PyDoc_STR("close($self, /)\n--\n\nForget the contents.") },
    { "getvalue", stringio_getvalue, METH_NOARGS, PyDoc_STR("getvalue($self, /)\n--\n\nReturn all of the text.") },
    { "read", IO_METHOD(stringio_read), METH_FASTCALL,
      PyDoc_STR("read($self, size=-1, /)\n--\n\nReturn up to size characters; all if size is negative.") },
    { "readline", IO_METHOD(stringio_readline), METH_FASTCALL,
      PyDoc_STR("readline($self, size=-1, /)\n--\n\nReturn the next line, or at most size characters of it.") },
    { "tell", stringio_tell, METH_NOARGS, PyDoc_STR("tell($self, /)\n--\n\nReturn the position, in characters.") },
    { "truncate", IO_METHOD(stringio_truncate), METH_FASTCALL,
      PyDoc_STR("truncate($self, pos=None, /)\n--\n\nCut the text to pos characters, by default the position.") },
    { "seek", IO_METHOD(stringio_seek), METH_FASTCALL,
      PyDoc_STR("seek($self, pos, whence=0, /)\n--\n\nMove to a new position and return it.\n\n"
                "From the current position (1) and the end (2) only by 0.") },
    { "write", stringio_write, METH_O,
      PyDoc_STR("write($self, s, /)\n--\n\nWrite a string at the position and return its length.") },
    { "seekable", stringio_true, METH_NOARGS, PyDoc_STR("seekable($self, /)\n--\n\nReturn True.") },
    { "readable", stringio_true, METH_NOARGS, PyDoc_STR("readable($self, /)\n--\n\nReturn True.") },
    { "writable", stringio_true, METH_NOARGS, PyDoc_STR("writable($self, /)\n--\n\nReturn True.") },
    { "__getstate__", stringio_getstate, METH_NOARGS, NULL },
    { "__setstate__", stringio_setstate, METH_O, NULL },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef stringio_getset[] = {
    { "closed", closed_get, NULL, NULL, NULL },
    { "newlines", newlines_get, NULL, NULL, NULL },
    { "line_buffering", line_buffering_get, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_StringIO_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.StringIO",
    .tp_basicsize = sizeof(io_stringio),
    .tp_base = &io_TextIOBase_type,
    .tp_dealloc = stringio_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("StringIO(initial_value='', newline='\\n')\n--\n\nA text stream in memory.\n\n"
                        "newline means the same as for TextIOWrapper, but None keeps '\\n' when writing."),
    .tp_traverse = stringio_traverse,
    .tp_clear = stringio_clear,
    .tp_weaklistoffset = offsetof(io_stringio, weakreflist),
    .tp_iternext = stringio_iternext,
    .tp_methods = stringio_methods,
    .tp_getset = stringio_getset,
    .tp_dictoffset = offsetof(io_stringio, dict),
    .tp_init = stringio_init,
    .tp_new = stringio_new,
};
