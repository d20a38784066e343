/* Stream readers and writers: an incremental codec over a binary file. `pending` is read and changed inside critical
 * sections. */
#include "multibyte.h"

typedef struct {
    PyObject_HEAD
    charset_t *charset;         /* [const] */
    PyObject *errors;           /* [lock] str */
    PyObject *pending;          /* [lock] reader: bytes; writer: str; or NULL */
    PyObject *stream;           /* [const] counted */
    multibyte_state_t state;    /* [lock] */
} stream_t;

static PyObject *stream_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"stream", "errors", NULL};
    const char *errors = "strict";
    PyObject *stream;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|s:StreamReaderWriter", keywords, &stream, &errors))
        return NULL;
    charset_t *charset = codec_of_class(type);
    PyObject *text = charset != NULL ? PyUnicode_FromString(errors) : NULL;
    stream_t *self = text != NULL ? (stream_t *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(text);
        return NULL;
    }
    self->stream = Py_NewRef(stream);
    self->errors = text;
    self->charset = charset;
    return (PyObject *)self;
}

static int stream_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return 0;
}

static int stream_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((stream_t *)op)->stream);
    return 0;
}

static void stream_dealloc(PyObject *op)
{
    stream_t *self = (stream_t *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->errors);
    Py_XDECREF(self->pending);
    Py_XDECREF(self->stream);
    Py_TYPE(op)->tp_free(op);
}

static multibyte_state_t get_state(stream_t *self)
{
    multibyte_state_t state;
    Py_BEGIN_CRITICAL_SECTION(self);
    state = self->state;
    Py_END_CRITICAL_SECTION();
    return state;
}

static void set_state(stream_t *self, multibyte_state_t state)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    self->state = state;
    Py_END_CRITICAL_SECTION();
}

/* Exchanges the pending data; the old one, or NULL. */
static PyObject *exchange_pending(stream_t *self, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->pending;
    self->pending = value;
    Py_END_CRITICAL_SECTION();
    return old;
}

static PyObject *errors_ref(stream_t *self)
{
    PyObject *errors;
    Py_BEGIN_CRITICAL_SECTION(self);
    errors = Py_NewRef(self->errors);
    Py_END_CRITICAL_SECTION();
    return errors;
}

static PyObject *stream_get_errors(PyObject *op, void *unused)
{
    return errors_ref((stream_t *)op);
}

static int stream_set_errors(PyObject *op, PyObject *value, void *unused)
{
    return set_errors_attribute(op, &((stream_t *)op)->errors, value);
}

static PyGetSetDef stream_getset[] = {
    {"errors", stream_get_errors, stream_set_errors, "how to treat errors", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef stream_members[] = {
    {"stream", T_OBJECT, offsetof(stream_t, stream), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* ---- Reading ---- */

/* Decodes pending bytes and data (stolen). */
static PyObject *decode_more_steal(stream_t *self, PyObject *data, int final)
{
    PyObject *pending = exchange_pending(self, NULL), *errors = errors_ref(self), *result = NULL;
    const char *errors_name = PyUnicode_AsUTF8(errors);
    multibyte_state_t state = get_state(self);
    Py_ssize_t consumed = 0;
    if (pending != NULL) {
        PyBytes_Concat(&pending, data);
        Py_SETREF(data, pending);
    }
    if (data != NULL && errors_name != NULL)
        result = multibyte_decode(self->charset, &state, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), errors_name, final, &consumed);
    set_state(self, state);
    if (result != NULL && consumed < PyBytes_GET_SIZE(data)) {
        PyObject *rest = PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + consumed, PyBytes_GET_SIZE(data) - consumed);
        if (rest == NULL)
            Py_CLEAR(result);
        Py_XDECREF(exchange_pending(self, rest));
    }
    Py_XDECREF(data);
    Py_DECREF(errors);
    return result;
}

/* Calls a method of the stream until something can be decoded, or the end. size < 0: all at once. */
static PyObject *read_text(stream_t *self, const char *method, Py_ssize_t size)
{
    if (size == 0)
        return PyUnicode_New(0, 0);
    for (;;) {
        PyObject *data = size < 0 ? PyObject_CallMethod(self->stream, method, NULL)
                                  : PyObject_CallMethod(self->stream, method, "n", size), *text;
        if (data == NULL)
            return NULL;
        if (!PyBytes_Check(data)) {
            PyErr_Format(PyExc_TypeError, "stream function returned a non-bytes object (%.100s)", Py_TYPE(data)->tp_name);
            Py_DECREF(data);
            return NULL;
        }
        int at_end = PyBytes_GET_SIZE(data) == 0 || size < 0;
        text = decode_more_steal(self, data, at_end);
        if (text == NULL || PyUnicode_GET_LENGTH(text) > 0 || at_end)
            return text;
        Py_DECREF(text);
        size = 1;       /* the rest of the first character */
    }
}

/* The argument size: None or an int. */
static int get_size(PyObject *args, Py_ssize_t *size)
{
    PyObject *arg = Py_None;
    *size = -1;
    if (!PyArg_UnpackTuple(args, "read", 0, 1, &arg))
        return -1;
    if (arg == Py_None)
        return 0;
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "arg 1 must be an integer");
        return -1;
    }
    *size = PyLong_AsSsize_t(arg);
    return *size == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *reader_read(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    return get_size(args, &size) < 0 ? NULL : read_text((stream_t *)op, "read", size);
}

static PyObject *reader_readline(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    return get_size(args, &size) < 0 ? NULL : read_text((stream_t *)op, "readline", size);
}

static PyObject *reader_readlines(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    PyObject *text = get_size(args, &size) < 0 ? NULL : read_text((stream_t *)op, "read", size), *lines;
    if (text == NULL)
        return NULL;
    lines = PyUnicode_Splitlines(text, 1);
    Py_DECREF(text);
    return lines;
}

static PyObject *reader_reset(PyObject *op, PyObject *unused)
{
    Py_XDECREF(exchange_pending((stream_t *)op, NULL));
    set_state((stream_t *)op, (multibyte_state_t){0});
    Py_RETURN_NONE;
}

static PyMethodDef reader_methods[] = {
    {"read", reader_read, METH_VARARGS, "read($self, sizeobj=None, /)\n--\n\n"},
    {"readline", reader_readline, METH_VARARGS, "readline($self, sizeobj=None, /)\n--\n\n"},
    {"readlines", reader_readlines, METH_VARARGS, "readlines($self, sizehintobj=None, /)\n--\n\n"},
    {"reset", reader_reset, METH_NOARGS, "reset($self, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject stream_reader_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multibytecodec.MultibyteStreamReader",
    .tp_basicsize = sizeof(stream_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_methods = reader_methods,
    .tp_members = stream_members,
    .tp_getset = stream_getset,
    .tp_init = stream_init,
    .tp_new = stream_new,
    .tp_traverse = stream_traverse,
    .tp_dealloc = stream_dealloc,
};

/* ---- Writing ---- */

/* Encodes pending text and more, and writes the bytes. */
static int write_text(stream_t *self, PyObject *text, int final)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "couldn't convert the object to str.");
        return -1;
    }
    PyObject *pending = exchange_pending(self, NULL), *errors = errors_ref(self), *bytes = NULL, *written = NULL;
    const char *errors_name = PyUnicode_AsUTF8(errors);
    multibyte_state_t state = get_state(self);
    Py_ssize_t consumed = 0;
    PyObject *all = pending == NULL ? Py_NewRef(text) : PyUnicode_Concat(pending, text);
    Py_XDECREF(pending);
    if (all != NULL && errors_name != NULL)
        bytes = multibyte_encode(self->charset, &state, all, errors_name, final, &consumed);
    set_state(self, state);
    if (bytes != NULL && consumed < PyUnicode_GET_LENGTH(all))
        Py_XDECREF(exchange_pending(self, PyUnicode_Substring(all, consumed, PyUnicode_GET_LENGTH(all))));
    if (bytes != NULL && !PyErr_Occurred())
        written = PyObject_CallMethod(self->stream, "write", "O", bytes);
    Py_XDECREF(all);
    Py_XDECREF(bytes);
    Py_DECREF(errors);
    Py_XDECREF(written);
    return written == NULL ? -1 : 0;
}

static PyObject *writer_write(PyObject *op, PyObject *text)
{
    if (write_text((stream_t *)op, text, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *writer_writelines(PyObject *op, PyObject *lines)
{
    PyObject *iterator, *line;
    int more;
    if (!PySequence_Check(lines)) {
        PyErr_SetString(PyExc_TypeError, "arg must be a sequence object");
        return NULL;
    }
    iterator = PyObject_GetIter(lines);
    if (iterator == NULL)
        return NULL;
    while ((more = PyIter_NextItem(iterator, &line)) > 0) {
        int failed = write_text((stream_t *)op, line, 0);
        Py_DECREF(line);
        if (failed) {
            more = -1;
            break;
        }
    }
    Py_DECREF(iterator);
    if (more < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *writer_reset(PyObject *op, PyObject *unused)
{
    PyObject *empty = PyUnicode_New(0, 0);
    int pending;
    Py_BEGIN_CRITICAL_SECTION(op);
    pending = ((stream_t *)op)->pending != NULL || ((stream_t *)op)->state.g0 != 0 || ((stream_t *)op)->state.shifted;
    Py_END_CRITICAL_SECTION();
    int failed = empty == NULL || (pending && write_text((stream_t *)op, empty, 1) < 0);
    Py_XDECREF(empty);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef writer_methods[] = {
    {"write", writer_write, METH_O, "write($self, strobj, /)\n--\n\n"},
    {"writelines", writer_writelines, METH_O, "writelines($self, lines, /)\n--\n\n"},
    {"reset", writer_reset, METH_NOARGS, "reset($self, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject stream_writer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multibytecodec.MultibyteStreamWriter",
    .tp_basicsize = sizeof(stream_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_methods = writer_methods,
    .tp_members = stream_members,
    .tp_getset = stream_getset,
    .tp_init = stream_init,
    .tp_new = stream_new,
    .tp_traverse = stream_traverse,
    .tp_dealloc = stream_dealloc,
};
