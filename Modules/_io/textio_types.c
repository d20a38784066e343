/* TextIOWrapper: its methods and attributes, each a shell around the work in the other textio_*.c files. */
#include "io_internal.h"

/* ---- state checks ---- */

int text_check_attached(io_text *self)
{
    if (self->ok)
        return 0;
    PyErr_SetString(PyExc_ValueError, self->detached ? "underlying buffer has been detached"
                                                     : "I/O operation on uninitialized object");
    return -1;
}

int text_check_open(io_text *self)
{
    int closed;
    if (!Py_IS_TYPE((PyObject *)self, &io_TextIOWrapper_type))
        return io_check_closed((PyObject *)self);
    if (self->raw != NULL)
        closed = fileio_is_closed(self->raw);
    else {
        PyObject *buffer = Py_XNewRef(self->buffer);
        if (buffer == NULL) {       /* detached by another thread while the section was suspended */
            PyErr_SetString(PyExc_ValueError, "underlying buffer has been detached");
            return -1;
        }
        closed = io_is_closed(buffer);
        Py_DECREF(buffer);
        if (closed == 0 && text_check_attached(self) < 0)
            return -1;
    }
    if (closed > 0)
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    return closed == 0 ? 0 : -1;
}

/* A new reference to the buffer of an attached stream; takes the critical section itself. */
static PyObject *buffer_ref(PyObject *op)
{
    PyObject *buffer = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached((io_text *)op) == 0)
        buffer = Py_NewRef(((io_text *)op)->buffer);
    Py_END_CRITICAL_SECTION();
    return buffer;
}

/* ---- reading and writing ---- */

static PyObject *textio_write(PyObject *op, PyObject *text)
{
    int failed;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "write() argument must be str, not %.50s",
                     text == Py_None ? "None" : Py_TYPE(text)->tp_name);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = text_write((io_text *)op, text);
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *textio_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    PyObject *result;
    if (io_check_nargs("read", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &n) < 0))
        return NULL;
    if (n >= 0) {
        Py_BEGIN_CRITICAL_SECTION(op);
        result = text_quick_read((io_text *)op, n);
        Py_END_CRITICAL_SECTION();
        if (result != NULL || PyErr_Occurred())
            return result;
    }
    int begun = text_begin_reading((io_text *)op);
    if (begun < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = text_read((io_text *)op, n);
    Py_END_CRITICAL_SECTION();
    text_end_reading((io_text *)op, begun);
    return result;
}

/* A line that needs the stream. */
static PyObject *slow_line(PyObject *op, Py_ssize_t limit)
{
    PyObject *line = NULL;
    int begun = text_begin_reading((io_text *)op);
    if (begun < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached((io_text *)op) == 0)
        line = text_readline((io_text *)op, limit);
    Py_END_CRITICAL_SECTION();
    text_end_reading((io_text *)op, begun);
    return line;
}

static PyObject *textio_readline(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    PyObject *line = NULL;
    if (io_check_nargs("readline", nargs, 0, 1) < 0 || (nargs == 1 && io_size(args[0], &limit) < 0))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached((io_text *)op) == 0 && limit < 0)
        line = text_quick_line((io_text *)op);
    Py_END_CRITICAL_SECTION();
    return line != NULL || PyErr_Occurred() ? line : slow_line(op, limit < 0 ? -1 : limit);
}

static PyObject *textio_iternext(PyObject *op)
{
    io_text *self = (io_text *)op;
    PyObject *line = NULL;
    int exact = Py_IS_TYPE(op, &io_TextIOWrapper_type), failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = text_check_attached(self);
    if (!failed) {
        self->telling = 0;
        if (exact)
            line = text_quick_line(self);
    }
    Py_END_CRITICAL_SECTION();
    if (line != NULL || failed || PyErr_Occurred())
        return line;
    if (exact)
        line = slow_line(op, -1);
    else {
        line = PyObject_CallMethodNoArgs(op, io_str.readline);
        if (line != NULL && !PyUnicode_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'",
                         Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0) {
        /* The end: tell() works again. */
        PyObject *input;
        Py_CLEAR(line);
        Py_BEGIN_CRITICAL_SECTION(op);
        input = self->snapshot_input;
        self->snapshot_input = NULL;
        self->telling = self->seekable;
        Py_END_CRITICAL_SECTION();
        Py_XDECREF(input);
    }
    return line;
}

/* Where a stream cannot be positioned, the methods say so without waiting for a reader. */
static int begin_moving(PyObject *op)
{
    int seekable;
    Py_BEGIN_CRITICAL_SECTION(op);
    seekable = ((io_text *)op)->ok && ((io_text *)op)->seekable;
    Py_END_CRITICAL_SECTION();
    return seekable ? text_begin_reading((io_text *)op) : 0;
}

static PyObject *textio_tell(PyObject *op, PyObject *unused)
{
    PyObject *result;
    int begun = begin_moving(op);
    if (begun < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = text_tell((io_text *)op);
    Py_END_CRITICAL_SECTION();
    text_end_reading((io_text *)op, begun);
    return result;
}

static PyObject *textio_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    PyObject *result;
    if (io_check_nargs("seek", nargs, 1, 2) < 0 || (nargs == 2 && io_int(args[1], &whence) < 0))
        return NULL;
    int begun = begin_moving(op);
    if (begun < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = text_seek((io_text *)op, args[0], whence);
    Py_END_CRITICAL_SECTION();
    text_end_reading((io_text *)op, begun);
    return result;
}

static PyObject *textio_flush(PyObject *op, PyObject *unused)
{
    io_text *self = (io_text *)op;
    PyObject *buffer = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached(self) == 0 && text_check_open(self) == 0) {
        self->telling = self->seekable;
        if (text_write_pending(self) == 0 && text_check_attached(self) == 0)
            buffer = Py_NewRef(self->buffer);
    }
    Py_END_CRITICAL_SECTION();
    if (buffer == NULL)
        return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(buffer, io_str.flush);
    Py_DECREF(buffer);
    return result;
}

/* self.flush(); 0 or -1 */
static int flush_by_method(PyObject *op)
{
    PyObject *flushed = PyObject_CallMethodNoArgs(op, io_str.flush);
    Py_XDECREF(flushed);
    return flushed == NULL ? -1 : 0;
}

static PyObject *textio_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (io_check_nargs("truncate", nargs, 0, 1) < 0)
        return NULL;
    PyObject *buffer = buffer_ref(op), *result = NULL;
    if (buffer == NULL)
        return NULL;
    if (flush_by_method(op) == 0)
        result = PyObject_CallMethodOneArg(buffer, io_str.truncate, nargs == 1 ? args[0] : Py_None);
    Py_DECREF(buffer);
    return result;
}

/* ---- closing ---- */

static PyObject *textio_detach(PyObject *op, PyObject *unused)
{
    io_text *self = (io_text *)op;
    PyObject *buffer = buffer_ref(op), *raw = NULL;
    if (buffer == NULL)
        return NULL;
    Py_DECREF(buffer);
    if (flush_by_method(op) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    buffer = self->buffer;
    raw = self->raw;
    self->buffer = self->raw = NULL;
    self->detached = 1;
    self->ok = 0;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(raw);
    if (buffer == NULL)         /* another thread was faster */
        PyErr_SetString(PyExc_ValueError, "underlying buffer has been detached");
    return buffer;
}

static PyObject *textio_close(PyObject *op, PyObject *unused)
{
    io_text *self = (io_text *)op;
    io_saved_error saved = { NULL, NULL, NULL };
    PyObject *buffer = buffer_ref(op);
    if (buffer == NULL)
        return NULL;
    int closed = io_is_closed(buffer);
    if (closed != 0) {
        Py_DECREF(buffer);
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (io_flag(&self->finalizing)) {
        PyObject *warned = PyObject_CallMethodOneArg(buffer, io_str._dealloc_warn, op);
        if (warned == NULL)
            PyErr_Clear();
        Py_XDECREF(warned);
    }
    if (flush_by_method(op) < 0)
        io_error_save(&saved);
    PyObject *result = PyObject_CallMethodNoArgs(buffer, io_str.close);
    if (saved.type != NULL)
        Py_CLEAR(result);
    io_error_chain(&saved);
    Py_DECREF(buffer);
    return result;
}

/* ---- passed on to the buffer ---- */

static PyObject *forward(PyObject *op, PyObject *name)
{
    PyObject *buffer = buffer_ref(op);
    PyObject *result = buffer == NULL ? NULL : PyObject_CallMethodNoArgs(buffer, name);
    Py_XDECREF(buffer);
    return result;
}

static PyObject *forward_attribute(PyObject *op, PyObject *name)
{
    PyObject *buffer = buffer_ref(op);
    PyObject *result = buffer == NULL ? NULL : io_forward_attribute(buffer, name);
    Py_XDECREF(buffer);
    return result;
}

static PyObject *textio_fileno(PyObject *op, PyObject *unused)
{
    return forward(op, io_str.fileno);
}

static PyObject *textio_seekable(PyObject *op, PyObject *unused)
{
    return forward(op, io_str.seekable);
}

static PyObject *textio_readable(PyObject *op, PyObject *unused)
{
    return forward(op, io_str.readable);
}

static PyObject *textio_writable(PyObject *op, PyObject *unused)
{
    return forward(op, io_str.writable);
}

static PyObject *textio_isatty(PyObject *op, PyObject *unused)
{
    return forward(op, io_str.isatty);
}

static PyObject *name_get(PyObject *op, void *unused)
{
    return forward_attribute(op, io_str.name);
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    return forward_attribute(op, io_str.closed);
}

/* ---- attributes ---- */

static PyObject *newlines_get(PyObject *op, void *unused)
{
    io_text *self = (io_text *)op;
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached(self) == 0)
        result = text_decoder_newlines(&self->decoder);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *errors_get(PyObject *op, void *unused)
{
    io_text *self = (io_text *)op;
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->ok || self->detached)
        result = Py_XNewRef(self->errors);
    Py_END_CRITICAL_SECTION();
    if (result == NULL)
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
    return result;
}

/* `buffer` and `encoding` read as None where they are not set. */
static PyObject *field_get(PyObject *op, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *buffer_get(PyObject *op, void *unused)
{
    return field_get(op, &((io_text *)op)->buffer);
}

static PyObject *encoding_get(PyObject *op, void *unused)
{
    return field_get(op, &((io_text *)op)->encoding);
}

static int readonly_set(PyObject *op, PyObject *value, void *unused)
{
    PyErr_SetString(PyExc_AttributeError, "readonly attribute");
    return -1;
}

/* text_check_attached for callers that are not in the critical section. */
static int check_attached_now(PyObject *op)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = text_check_attached((io_text *)op);
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyObject *chunk_size_get(PyObject *op, void *unused)
{
    Py_ssize_t size = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (text_check_attached((io_text *)op) == 0)
        size = ((io_text *)op)->chunk_size;
    Py_END_CRITICAL_SECTION();
    return size < 0 ? NULL : PyLong_FromSsize_t(size);
}

static int chunk_size_set(PyObject *op, PyObject *value, void *unused)
{
    if (check_attached_now(op) < 0)
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    Py_ssize_t size = PyNumber_AsSsize_t(value, PyExc_ValueError);
    if (size == -1 && PyErr_Occurred())
        return -1;
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError, "a strictly positive integer is required");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    ((io_text *)op)->chunk_size = size;
    Py_END_CRITICAL_SECTION();
    return 0;
}

/* Appends " <label>=<repr of attribute name>" to the text. Steals text. */
static PyObject *append_attribute_steal(PyObject *text, PyObject *op, PyObject *name, const char *label)
{
    PyObject *value, *result;
    if (text == NULL)
        return NULL;
    if (io_lookup_attr(op, name, &value) < 0) {
        /* Detached: there is no name any more. */
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            Py_DECREF(text);
            return NULL;
        }
        PyErr_Clear();
    }
    if (value == NULL)
        return text;
    result = PyUnicode_FromFormat("%U %s=%R", text, label, value);
    Py_DECREF(value);
    Py_DECREF(text);
    return result;
}

static PyObject *textio_repr(PyObject *op)
{
    io_text *self = (io_text *)op;
    int unusable = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (!self->ok && !self->detached)
        unusable = text_check_attached(self);
    Py_END_CRITICAL_SECTION();
    if (unusable)
        return NULL;
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        if (entered > 0)
            PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(op)->tp_name);
        return NULL;
    }
    PyObject *text = PyUnicode_FromString("<_io.TextIOWrapper"), *result = NULL;
    text = append_attribute_steal(text, op, io_str.name, "name");
    text = append_attribute_steal(text, op, io_str.mode, "mode");
    if (text != NULL) {
        PyObject *encoding = encoding_get(op, NULL);
        result = PyUnicode_FromFormat("%U encoding=%R>", text, encoding);
        Py_DECREF(encoding);
        Py_DECREF(text);
    }
    Py_ReprLeave(op);
    return result;
}

/* ---- the type ---- */

static int textio_traverse(PyObject *op, visitproc visit, void *arg)
{
    io_text *self = (io_text *)op;
    Py_VISIT(self->buffer);
    Py_VISIT(self->raw);
    Py_VISIT(self->encoding);
    Py_VISIT(self->errors);
    Py_VISIT(self->encoder);
    Py_VISIT(self->decoder.object);
    Py_VISIT(self->decoded);
    Py_VISIT(self->snapshot_input);
    Py_VISIT(self->dict);
    return 0;
}

static int textio_clear(PyObject *op)
{
    io_text *self = (io_text *)op;
    self->ok = 0;
    Py_CLEAR(self->buffer);
    Py_CLEAR(self->raw);
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->errors);
    self->encoder_codec = self->decoder.codec = TEXT_CODEC_NONE;
    Py_CLEAR(self->encoder);
    Py_CLEAR(self->decoder.object);
    Py_CLEAR(self->decoded);
    Py_CLEAR(self->snapshot_input);
    iobase_clear_dict(op);
    return 0;
}

static void textio_dealloc(PyObject *op)
{
    io_text *self = (io_text *)op;
    io_flag_set(&self->finalizing, 1);
    if (iobase_finalize(op) < 0)
        return;
    PyObject_GC_UnTrack(op);
    self->ok = 0;
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    textio_clear(op);
    PyMem_Free(self->pending);
    self->pending = NULL;
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef textio_methods[] = {
    { "detach", textio_detach, METH_NOARGS, PyDoc_STR("detach($self, /)\n--\n\n") },
    { "reconfigure", IO_METHOD(textio_reconfigure), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("reconfigure($self, /, *, encoding=None, errors=None, newline=None,\n"
                "            line_buffering=None, write_through=None)\n--\n\n"
                "Change the settings given; flushes the stream first.") },
    { "write", textio_write, METH_O, PyDoc_STR("write($self, text, /)\n--\n\n") },
    { "read", IO_METHOD(textio_read), METH_FASTCALL, PyDoc_STR("read($self, size=-1, /)\n--\n\n") },
    { "readline", IO_METHOD(textio_readline), METH_FASTCALL, PyDoc_STR("readline($self, size=-1, /)\n--\n\n") },
    { "flush", textio_flush, METH_NOARGS, PyDoc_STR("flush($self, /)\n--\n\n") },
    { "close", textio_close, METH_NOARGS, PyDoc_STR("close($self, /)\n--\n\n") },
    { "fileno", textio_fileno, METH_NOARGS, PyDoc_STR("fileno($self, /)\n--\n\n") },
    { "seekable", textio_seekable, METH_NOARGS, PyDoc_STR("seekable($self, /)\n--\n\n") },
    { "readable", textio_readable, METH_NOARGS, PyDoc_STR("readable($self, /)\n--\n\n") },
    { "writable", textio_writable, METH_NOARGS, PyDoc_STR("writable($self, /)\n--\n\n") },
    { "isatty", textio_isatty, METH_NOARGS, PyDoc_STR("isatty($self, /)\n--\n\n") },
    { "seek", IO_METHOD(textio_seek), METH_FASTCALL,
      PyDoc_STR("seek($self, cookie, whence=os.SEEK_SET, /)\n--\n\n"
                "Go to a position that tell() returned, to the start (0) or to the end (0, 2).") },
    { "tell", textio_tell, METH_NOARGS,
      PyDoc_STR("tell($self, /)\n--\n\nReturn the position, as a number that means something to seek() only.") },
    { "truncate", IO_METHOD(textio_truncate), METH_FASTCALL, PyDoc_STR("truncate($self, pos=None, /)\n--\n\n") },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef textio_members[] = {
    { "line_buffering", T_BOOL, offsetof(io_text, line_buffering), READONLY, NULL },
    { "write_through", T_BOOL, offsetof(io_text, write_through), READONLY, NULL },
    { "_finalizing", T_BOOL, offsetof(io_text, finalizing), 0, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyGetSetDef textio_getset[] = {
    { "encoding", encoding_get, readonly_set, NULL, NULL },
    { "buffer", buffer_get, readonly_set, NULL, NULL },
    { "name", name_get, NULL, NULL, NULL },
    { "closed", closed_get, NULL, NULL, NULL },
    { "newlines", newlines_get, NULL, NULL, NULL },
    { "errors", errors_get, NULL, NULL, NULL },
    { "_CHUNK_SIZE", chunk_size_get, chunk_size_set, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_TextIOWrapper_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.TextIOWrapper",
    .tp_basicsize = sizeof(io_text),
    .tp_base = &io_TextIOBase_type,
    .tp_dealloc = textio_dealloc,
    .tp_repr = textio_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n"
                        "              line_buffering=False, write_through=False)\n--\n\n"
                        "Text on top of a buffered byte stream.\n\n"
                        "newline: None takes '\\n', '\\r' and '\\r\\n' for line ends and returns each as '\\n'; ''\n"
                        "takes the same but returns them as they are; else it is the only line end. When writing,\n"
                        "None and '' and '\\n' leave '\\n' alone, the others replace it.\n"
                        "line_buffering: flush after text with a line end.  write_through: keep nothing back."),
    .tp_traverse = textio_traverse,
    .tp_clear = textio_clear,
    .tp_weaklistoffset = offsetof(io_text, weakreflist),
    .tp_iternext = textio_iternext,
    .tp_methods = textio_methods,
    .tp_members = textio_members,
    .tp_getset = textio_getset,
    .tp_dictoffset = offsetof(io_text, dict),
    .tp_init = textio_init,
    .tp_new = PyType_GenericNew,
};
