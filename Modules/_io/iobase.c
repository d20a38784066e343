/* _IOBase: what every stream has, built from the few methods a concrete class defines. */
#include "io_internal.h"

/* ---- closing and finalisation ---- */

/* close() of the base class leaves a mark in the instance's dict. */
static int marked_closed(PyObject *self)
{
    PyObject *mark;
    int found = io_lookup_attr(self, io_str.__IOBase_closed, &mark);
    Py_XDECREF(mark);
    return found;
}

static PyObject *closed_get(PyObject *self, void *unused)
{
    int closed = marked_closed(self);
    return closed < 0 ? NULL : PyBool_FromLong(closed);
}

static PyObject *iobase_flush(PyObject *self, PyObject *unused)
{
    int closed = marked_closed(self);
    if (closed < 0)
        return NULL;
    if (closed) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *iobase_close(PyObject *self, PyObject *unused)
{
    int closed = marked_closed(self);
    if (closed < 0)
        return NULL;
    if (closed)
        Py_RETURN_NONE;

    io_saved_error saved;
    PyObject *flushed = PyObject_CallMethodNoArgs(self, io_str.flush);
    io_error_save(&saved);
    int marked = PyObject_SetAttr(self, io_str.__IOBase_closed, Py_True);
    io_error_chain(&saved);
    if (marked < 0)
        Py_CLEAR(flushed);
    return flushed;
}

void iobase_tp_finalize(PyObject *self)
{
    io_saved_error saved;
    io_error_save(&saved);

    /* An object that cannot tell is in no state to be closed. */
    PyObject *value;
    int closed = -1;
    if (io_lookup_attr(self, io_str.closed, &value) > 0) {
        closed = PyObject_IsTrue(value);
        Py_DECREF(value);
    }
    if (closed < 0)
        PyErr_Clear();
    if (closed == 0) {
        /* close() knows by this that nobody closed the stream, and warns. */
        if (PyObject_SetAttr(self, io_str._finalizing, Py_True) < 0)
            PyErr_Clear();
        PyObject *result = PyObject_CallMethodNoArgs(self, io_str.close);
        if (result != NULL)
            Py_DECREF(result);
        else if (io_sys_flag("dev_mode"))
            PyErr_WriteUnraisable(self);
        else
            PyErr_Clear();
    }
    io_error_restore(&saved);
}

int iobase_finalize(PyObject *self)
{
    if (PyObject_GC_IsFinalized(self))
        return 0;
    if (PyObject_CallFinalizerFromDealloc(self) == 0)
        return 0;
    /* Resurrected. The dealloc of a heap subclass drops the type's reference when we return; make it up. */
    if (PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE))
        Py_INCREF((PyObject *)Py_TYPE(self));
    return -1;
}

void iobase_clear_dict(PyObject *self)
{
    Py_CLEAR(((io_base *)self)->dict);
}

static int iobase_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((io_base *)self)->dict);
    return 0;
}

static int iobase_clear(PyObject *self)
{
    iobase_clear_dict(self);
    return 0;
}

static void iobase_dealloc(PyObject *self)
{
    if (iobase_finalize(self) < 0)
        return;
    PyObject_GC_UnTrack(self);
    if (_PyObject_HAS_WEAKREFS(((io_base *)self)->weakreflist))
        PyObject_ClearWeakRefs(self);
    iobase_clear_dict(self);
    Py_TYPE(self)->tp_free(self);
}

/* ---- answers that subclasses override ---- */

static PyObject *iobase_seek(PyObject *self, PyObject *args)
{
    return io_unsupported("seek");
}

static PyObject *iobase_truncate(PyObject *self, PyObject *args)
{
    return io_unsupported("truncate");
}

static PyObject *iobase_fileno(PyObject *self, PyObject *unused)
{
    return io_unsupported("fileno");
}

static PyObject *iobase_tell(PyObject *self, PyObject *unused)
{
    PyObject *one = PyLong_FromLong(1);
    if (one == NULL)
        return NULL;
    PyObject *result = PyObject_CallMethodObjArgs(self, io_str.seek, io_str.zero, one, NULL);
    Py_DECREF(one);
    return result;
}

static PyObject *iobase_false(PyObject *self, PyObject *unused)
{
    Py_RETURN_FALSE;
}

static PyObject *iobase_isatty(PyObject *self, PyObject *unused)
{
    if (io_check_closed(self) < 0)
        return NULL;
    Py_RETURN_FALSE;
}

static PyObject *checkClosed(PyObject *self, PyObject *args)
{
    if (io_check_closed(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *checkReadable(PyObject *self, PyObject *args)
{
    if (io_check_readable(self) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *checkWritable(PyObject *self, PyObject *args)
{
    if (io_check_writable(self) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *checkSeekable(PyObject *self, PyObject *args)
{
    if (io_check_seekable(self) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

/* ---- context manager and iteration ---- */

static PyObject *iobase_enter(PyObject *self, PyObject *unused)
{
    if (io_check_closed(self) < 0)
        return NULL;
    return Py_NewRef(self);
}

static PyObject *iobase_exit(PyObject *self, PyObject *args)
{
    return PyObject_CallMethodNoArgs(self, io_str.close);
}

static PyObject *iobase_iter(PyObject *self)
{
    return iobase_enter(self, NULL);
}

static PyObject *iobase_iternext(PyObject *self)
{
    PyObject *line = PyObject_CallMethodNoArgs(self, io_str.readline);
    if (line == NULL)
        return NULL;
    Py_ssize_t size = PyObject_Size(line);
    if (size <= 0) {
        /* Empty: the end; or an exception is set. */
        Py_CLEAR(line);
    }
    return line;
}

/* How many bytes of the current line a look at peek() promises; 1 when nothing is known. -1 on failure. */
static Py_ssize_t peeked_line_length(PyObject *self, PyObject *peek, Py_ssize_t limit)
{
    PyObject *one = PyLong_FromLong(1);
    if (one == NULL)
        return -1;
    PyObject *ahead;
    do
        ahead = PyObject_CallOneArg(peek, one);
    while (ahead == NULL && io_trap_eintr());
    Py_DECREF(one);
    if (ahead == NULL)
        return -1;

    Py_ssize_t wanted = 1;
    if (!PyBytes_Check(ahead)) {
        PyErr_Format(PyExc_OSError, "peek() should have returned a bytes object, not '%.200s'",
                     Py_TYPE(ahead)->tp_name);
        wanted = -1;
    }
    else if (PyBytes_GET_SIZE(ahead) > 0) {
        const char *data = PyBytes_AS_STRING(ahead);
        Py_ssize_t size = PyBytes_GET_SIZE(ahead);
        if (limit >= 0 && size > limit)
            size = limit;
        const char *newline = size > 0 ? memchr(data, '\n', (size_t)size) : NULL;
        wanted = newline != NULL ? newline - data + 1 : size;
    }
    Py_DECREF(ahead);
    return wanted;
}

static PyObject *iobase_readline(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (io_check_nargs("readline", nargs, 0, 1) < 0)
        return NULL;
    if (nargs == 1 && io_size_or_none(args[0], &limit) < 0)
        return NULL;

    PyObject *peek, *result = NULL, *part = NULL;
    PyObject *line = PyByteArray_FromStringAndSize(NULL, 0);
    if (line == NULL)
        return NULL;
    if (io_lookup_attr(self, io_str.peek, &peek) < 0)
        goto done;
    while (limit < 0 || PyByteArray_GET_SIZE(line) < limit) {
        Py_ssize_t wanted = 1;
        if (peek != NULL) {
            wanted = peeked_line_length(self, peek, limit < 0 ? -1 : limit - PyByteArray_GET_SIZE(line));
            if (wanted < 0)
                goto done;
        }
        part = PyObject_CallMethod(self, "read", "n", wanted);
        if (part == NULL) {
            if (io_trap_eintr())
                continue;
            goto done;
        }
        if (!PyBytes_Check(part)) {
            PyErr_Format(PyExc_OSError, "read() should have returned a bytes object, not '%.200s'",
                         Py_TYPE(part)->tp_name);
            goto done;
        }
        Py_ssize_t size = PyBytes_GET_SIZE(part), old_size = PyByteArray_GET_SIZE(line);
        if (size == 0)
            break;
        if (size > PY_SSIZE_T_MAX - old_size) {
            PyErr_NoMemory();
            goto done;
        }
        if (PyByteArray_Resize(line, old_size + size) < 0)
            goto done;
        memcpy(PyByteArray_AS_STRING(line) + old_size, PyBytes_AS_STRING(part), (size_t)size);
        bool complete = PyBytes_AS_STRING(part)[size - 1] == '\n';
        Py_CLEAR(part);
        if (complete)
            break;
    }
    result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(line), PyByteArray_GET_SIZE(line));
done:
    Py_XDECREF(part);
    Py_XDECREF(peek);
    Py_DECREF(line);
    return result;
}

static PyObject *iobase_readlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t hint = -1, total = 0;
    if (io_check_nargs("readlines", nargs, 0, 1) < 0)
        return NULL;
    if (nargs == 1 && io_size_or_none(args[0], &hint) < 0)
        return NULL;

    PyObject *result = PyList_New(0), *iterator = NULL, *line = NULL;
    if (result == NULL)
        return NULL;
    iterator = PyObject_GetIter(self);
    if (iterator == NULL)
        goto failed;
    while ((line = PyIter_Next(iterator)) != NULL) {
        if (PyList_Append(result, line) < 0)
            goto failed;
        Py_ssize_t size = hint > 0 ? PyObject_Size(line) : 0;
        Py_CLEAR(line);
        if (size < 0)
            goto failed;
        if (hint > 0 && size > hint - total)
            break;
        total += size;
    }
    if (PyErr_Occurred())
        goto failed;
    Py_DECREF(iterator);
    return result;
failed:
    Py_XDECREF(line);
    Py_XDECREF(iterator);
    Py_DECREF(result);
    return NULL;
}

static PyObject *iobase_writelines(PyObject *self, PyObject *lines)
{
    if (io_check_closed(self) < 0)
        return NULL;
    PyObject *iterator = PyObject_GetIter(lines), *line;
    if (iterator == NULL)
        return NULL;
    while ((line = PyIter_Next(iterator)) != NULL) {
        PyObject *written;
        do
            written = PyObject_CallMethodOneArg(self, io_str.write, line);
        while (written == NULL && io_trap_eintr());
        Py_DECREF(line);
        if (written == NULL)
            break;
        Py_DECREF(written);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef iobase_methods[] = {
    { "seek", iobase_seek, METH_VARARGS,
      PyDoc_STR("seek($self, offset, whence=os.SEEK_SET, /)\n--\n\n"
                "Move the stream to the given byte offset and return the new absolute position.\n\n"
                "whence says what offset counts from: 0 the start, 1 the current position, 2 the end.") },
    { "tell", iobase_tell, METH_NOARGS,
      PyDoc_STR("tell($self, /)\n--\n\nReturn the current position of the stream.") },
    { "truncate", iobase_truncate, METH_VARARGS,
      PyDoc_STR("Cut or extend the file to the given size, by default the current position.\n\n"
                "Returns the new size.") },
    { "flush", iobase_flush, METH_NOARGS,
      PyDoc_STR("flush($self, /)\n--\n\nWrite out what is buffered, if anything.") },
    { "close", iobase_close, METH_NOARGS,
      PyDoc_STR("close($self, /)\n--\n\nFlush and close the stream; closing it again does nothing.") },
    { "seekable", iobase_false, METH_NOARGS,
      PyDoc_STR("seekable($self, /)\n--\n\nTell whether seek(), tell() and truncate() work.") },
    { "readable", iobase_false, METH_NOARGS,
      PyDoc_STR("readable($self, /)\n--\n\nTell whether the stream can be read.") },
    { "writable", iobase_false, METH_NOARGS,
      PyDoc_STR("writable($self, /)\n--\n\nTell whether the stream can be written.") },
    { "_checkClosed", checkClosed, METH_VARARGS, NULL },
    { "_checkSeekable", checkSeekable, METH_VARARGS, NULL },
    { "_checkReadable", checkReadable, METH_VARARGS, NULL },
    { "_checkWritable", checkWritable, METH_VARARGS, NULL },
    { "fileno", iobase_fileno, METH_NOARGS,
      PyDoc_STR("fileno($self, /)\n--\n\nReturn the file descriptor under the stream; an OSError if there is none.") },
    { "isatty", iobase_isatty, METH_NOARGS,
      PyDoc_STR("isatty($self, /)\n--\n\nTell whether the stream is a terminal.") },
    { "__enter__", iobase_enter, METH_NOARGS, NULL },
    { "__exit__", iobase_exit, METH_VARARGS, NULL },
    { "readline", IO_METHOD(iobase_readline), METH_FASTCALL,
      PyDoc_STR("readline($self, size=-1, /)\n--\n\n"
                "Read and return one line, at most size bytes of it if size is given.") },
    { "readlines", IO_METHOD(iobase_readlines), METH_FASTCALL,
      PyDoc_STR("readlines($self, hint=-1, /)\n--\n\n"
                "Return a list of the lines; stop once they are longer than hint together, if hint is given.") },
    { "writelines", iobase_writelines, METH_O,
      PyDoc_STR("writelines($self, lines, /)\n--\n\nWrite each of the lines; no line ends are added.") },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef iobase_getset[] = {
    { "__dict__", PyObject_GenericGetDict, NULL, NULL, NULL },
    { "closed", closed_get, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_IOBase_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io._IOBase",
    .tp_basicsize = sizeof(io_base),
    .tp_dealloc = iobase_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("The base class of all streams.\n\n"
                        "A stream is an iterator over its lines and a context manager that closes it."),
    .tp_traverse = iobase_traverse,
    .tp_clear = iobase_clear,
    .tp_weaklistoffset = offsetof(io_base, weakreflist),
    .tp_iter = iobase_iter,
    .tp_iternext = iobase_iternext,
    .tp_methods = iobase_methods,
    .tp_getset = iobase_getset,
    .tp_dictoffset = offsetof(io_base, dict),
    .tp_new = PyType_GenericNew,
    .tp_finalize = iobase_tp_finalize,
};
