/* The types BufferedReader, BufferedWriter and BufferedRandom: constructors, method tables, and what is
 * simply passed on to the raw stream. */
#include "buffered_internal.h"

/* ---- constructors ---- */

static int reader_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "raw", "buffer_size", NULL };
    io_buffered *self = (io_buffered *)op;
    PyObject *raw;
    Py_ssize_t size = IO_DEFAULT_BUFFER_SIZE;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|n:BufferedReader", keywords, &raw, &size))
        return -1;
    io_flag_set(&self->ok, 0);
    io_flag_set(&self->detached, 0);
    if (io_check_readable(raw) < 0)
        return -1;
    return buffered_setup(self, raw, size, true, false);
}

static int writer_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "raw", "buffer_size", NULL };
    io_buffered *self = (io_buffered *)op;
    PyObject *raw;
    Py_ssize_t size = IO_DEFAULT_BUFFER_SIZE;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|n:BufferedWriter", keywords, &raw, &size))
        return -1;
    io_flag_set(&self->ok, 0);
    io_flag_set(&self->detached, 0);
    if (io_check_writable(raw) < 0)
        return -1;
    return buffered_setup(self, raw, size, false, true);
}

static int random_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "raw", "buffer_size", NULL };
    io_buffered *self = (io_buffered *)op;
    PyObject *raw;
    Py_ssize_t size = IO_DEFAULT_BUFFER_SIZE;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|n:BufferedRandom", keywords, &raw, &size))
        return -1;
    io_flag_set(&self->ok, 0);
    io_flag_set(&self->detached, 0);
    if (io_check_seekable(raw) < 0 || io_check_readable(raw) < 0 || io_check_writable(raw) < 0)
        return -1;
    return buffered_setup(self, raw, size, true, true);
}

/* ---- passed on to the raw stream ---- */

PyObject *buffered_forward(io_buffered *self, PyObject *name)
{
    PyObject *raw = buffered_raw_ref(self);
    if (raw == NULL)
        return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(raw, name);
    Py_DECREF(raw);
    return result;
}

static PyObject *forward_attribute(PyObject *op, PyObject *name)
{
    PyObject *raw = buffered_raw_ref((io_buffered *)op);
    if (raw == NULL)
        return NULL;
    PyObject *result = io_forward_attribute(raw, name);
    Py_DECREF(raw);
    return result;
}

static PyObject *seekable_method(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.seekable);
}

static PyObject *readable_method(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.readable);
}

static PyObject *writable_method(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.writable);
}

static PyObject *fileno_method(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.fileno);
}

static PyObject *isatty_method(PyObject *op, PyObject *unused)
{
    return buffered_forward((io_buffered *)op, io_str.isatty);
}

static PyObject *name_get(PyObject *op, void *unused)
{
    return forward_attribute(op, io_str.name);
}

static PyObject *mode_get(PyObject *op, void *unused)
{
    return forward_attribute(op, io_str.mode);
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    return forward_attribute(op, io_str.closed);
}

/* ---- the rest of the interface ---- */

static PyObject *sizeof_method(PyObject *op, PyObject *unused)
{
    io_buffered *self = (io_buffered *)op;
    const char *buf = __atomic_load_n(&self->buf, __ATOMIC_RELAXED);
    Py_ssize_t size = __atomic_load_n(&self->size, __ATOMIC_RELAXED);
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + (buf != NULL ? size : 0));
}

static PyObject *buffered_repr(PyObject *op)
{
    const char *type_name = Py_TYPE(op)->tp_name;
    PyObject *name, *result = NULL;
    if (io_lookup_attr(op, io_str.name, &name) < 0) {
        /* Detached or never initialised. */
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return NULL;
        PyErr_Clear();
    }
    if (name == NULL)
        return PyUnicode_FromFormat("<%s>", type_name);
    int entered = Py_ReprEnter(op);
    if (entered == 0) {
        result = PyUnicode_FromFormat("<%s name=%R>", type_name, name);
        Py_ReprLeave(op);
    }
    else if (entered > 0)
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type_name);
    Py_DECREF(name);
    return result;
}

#define COMMON_METHODS                                                                                         \
    { "detach", buffered_detach, METH_NOARGS, NULL },                                                          \
    { "close", buffered_close, METH_NOARGS, NULL },                                                            \
    { "seekable", seekable_method, METH_NOARGS, NULL },                                                        \
    { "fileno", fileno_method, METH_NOARGS, NULL },                                                            \
    { "isatty", isatty_method, METH_NOARGS, NULL },                                                            \
    { "_dealloc_warn", buffered_dealloc_warn, METH_O, NULL },                                                  \
    { "tell", buffered_tell, METH_NOARGS, NULL },                                                              \
    { "seek", IO_METHOD(buffered_seek), METH_FASTCALL,                                                         \
      PyDoc_STR("seek($self, target, whence=0, /)\n--\n\n") },                                                 \
    { "truncate", IO_METHOD(buffered_truncate), METH_FASTCALL,                                                 \
      PyDoc_STR("truncate($self, pos=None, /)\n--\n\n") },                                                     \
    { "__sizeof__", sizeof_method, METH_NOARGS, NULL }

#define READ_METHODS                                                                                           \
    { "readable", readable_method, METH_NOARGS, NULL },                                                        \
    { "read", IO_METHOD(buffered_read), METH_FASTCALL, PyDoc_STR("read($self, size=-1, /)\n--\n\n") },         \
    { "peek", IO_METHOD(buffered_peek), METH_FASTCALL, PyDoc_STR("peek($self, size=0, /)\n--\n\n") },          \
    { "read1", IO_METHOD(buffered_read1), METH_FASTCALL, PyDoc_STR("read1($self, size=-1, /)\n--\n\n") },      \
    { "readinto", buffered_readinto, METH_O, PyDoc_STR("readinto($self, buffer, /)\n--\n\n") },                \
    { "readinto1", buffered_readinto1, METH_O, PyDoc_STR("readinto1($self, buffer, /)\n--\n\n") },             \
    { "readline", IO_METHOD(buffered_readline), METH_FASTCALL, PyDoc_STR("readline($self, size=-1, /)\n--\n\n") }

#define WRITE_METHODS                                                                                          \
    { "writable", writable_method, METH_NOARGS, NULL },                                                        \
    { "write", buffered_write, METH_O, PyDoc_STR("write($self, buffer, /)\n--\n\n") }

static PyMethodDef reader_methods[] = {
    COMMON_METHODS,
    READ_METHODS,
    { "flush", buffered_flush_raw, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyMethodDef writer_methods[] = {
    COMMON_METHODS,
    WRITE_METHODS,
    { "flush", buffered_flush, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyMethodDef random_methods[] = {
    COMMON_METHODS,
    READ_METHODS,
    WRITE_METHODS,
    { "flush", buffered_flush, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

/* `raw` is a reference that detach() takes away, so reading it needs the object's lock. */
static PyObject *raw_get(PyObject *op, void *unused)
{
    PyObject *raw;
    Py_BEGIN_CRITICAL_SECTION(op);
    raw = Py_XNewRef(((io_buffered *)op)->raw);
    Py_END_CRITICAL_SECTION();
    return raw != NULL ? raw : Py_NewRef(Py_None);
}

static int raw_set(PyObject *op, PyObject *value, void *unused)
{
    PyErr_SetString(PyExc_AttributeError, "readonly attribute");
    return -1;
}

static PyMemberDef buffered_members[] = {
    { "_finalizing", T_BOOL, offsetof(io_buffered, finalizing), 0, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyGetSetDef buffered_getset[] = {
    { "raw", raw_get, raw_set, NULL, NULL },
    { "closed", closed_get, NULL, NULL, NULL },
    { "name", name_get, NULL, NULL, NULL },
    { "mode", mode_get, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_BufferedReader_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.BufferedReader",
    .tp_basicsize = sizeof(io_buffered),
    .tp_base = &io_BufferedIOBase_type,
    .tp_dealloc = buffered_dealloc,
    .tp_repr = buffered_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
                        "Reads a raw stream ahead into a buffer."),
    .tp_traverse = buffered_traverse,
    .tp_clear = buffered_clear,
    .tp_weaklistoffset = offsetof(io_buffered, weakreflist),
    .tp_iternext = buffered_iternext,
    .tp_methods = reader_methods,
    .tp_members = buffered_members,
    .tp_getset = buffered_getset,
    .tp_dictoffset = offsetof(io_buffered, dict),
    .tp_init = reader_init,
    .tp_new = buffered_new,
};

PyTypeObject io_BufferedWriter_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.BufferedWriter",
    .tp_basicsize = sizeof(io_buffered),
    .tp_base = &io_BufferedIOBase_type,
    .tp_dealloc = buffered_dealloc,
    .tp_repr = buffered_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
                        "Collects what is written and passes it to a raw stream in larger pieces."),
    .tp_traverse = buffered_traverse,
    .tp_clear = buffered_clear,
    .tp_weaklistoffset = offsetof(io_buffered, weakreflist),
    .tp_methods = writer_methods,
    .tp_members = buffered_members,
    .tp_getset = buffered_getset,
    .tp_dictoffset = offsetof(io_buffered, dict),
    .tp_init = writer_init,
    .tp_new = buffered_new,
};

PyTypeObject io_BufferedRandom_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.BufferedRandom",
    .tp_basicsize = sizeof(io_buffered),
    .tp_base = &io_BufferedIOBase_type,
    .tp_dealloc = buffered_dealloc,
    .tp_repr = buffered_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
                        "Reads and writes a seekable raw stream by way of a buffer."),
    .tp_traverse = buffered_traverse,
    .tp_clear = buffered_clear,
    .tp_weaklistoffset = offsetof(io_buffered, weakreflist),
    .tp_iternext = buffered_iternext,
    .tp_methods = random_methods,
    .tp_members = buffered_members,
    .tp_getset = buffered_getset,
    .tp_dictoffset = offsetof(io_buffered, dict),
    .tp_init = random_init,
    .tp_new = buffered_new,
};
