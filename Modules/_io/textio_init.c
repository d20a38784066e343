/* TextIOWrapper: construction and reconfigure(). */
#include "io_internal.h"

/* ---- arguments ---- */

const char *text_static_newline(const char *newline)
{
    static const char *const legal[] = { "", "\n", "\r", "\r\n" };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(legal); i++)
        if (strcmp(newline, legal[i]) == 0)
            return legal[i];
    return NULL;
}

static int check_str_or_none(const char *name, PyObject *arg)
{
    if (arg == Py_None || PyUnicode_Check(arg))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s must be str or None, not %.50s", name, Py_TYPE(arg)->tp_name);
    return -1;
}

/* A str argument as a C string, or NULL for None. `name` is for messages such as "open() argument 'newline'".
 * 0, or -1 with an exception set. */
static int str_or_none(const char *name, PyObject *arg, const char **result)
{
    *result = NULL;
    if (arg == Py_None)
        return 0;
    if (check_str_or_none(name, arg) < 0)
        return -1;
    Py_ssize_t len;
    *result = PyUnicode_AsUTF8AndSize(arg, &len);
    if (*result == NULL)
        return -1;
    if (strlen(*result) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    return 0;
}

/* The newline argument as a static string, NULL for None. */
static int newline_from_arg(const char *name, PyObject *arg, const char **newline)
{
    const char *given;
    if (str_or_none(name, arg, &given) < 0)
        return -1;
    *newline = given == NULL ? NULL : text_static_newline(given);
    if (given != NULL && *newline == NULL) {
        PyErr_Format(PyExc_ValueError, "illegal newline value: %s", given);
        return -1;
    }
    return 0;
}

static void set_newline(io_text *self, const char *newline)
{
    self->readnl = newline;
    self->readuniversal = newline == NULL || *newline == 0;
    self->readtranslate = newline == NULL;
    self->writetranslate = newline == NULL || *newline != 0;
    /* os.linesep is '\n' here. */
    self->writenl = newline != NULL && *newline == '\r' ? newline : NULL;
}

/* ---- __init__ ---- */

/* Behind the start of the stream the encoder must write no byte order mark. */
static int fix_encoder(io_text *self, PyObject *buffer)
{
    if (!self->seekable || self->encoder_codec != TEXT_CODEC_OBJECT)
        return 0;
    PyObject *position = PyObject_CallMethodNoArgs(buffer, io_str.tell);
    if (position == NULL)
        return -1;
    int at_start = PyObject_RichCompareBool(position, io_str.zero, Py_EQ);
    Py_DECREF(position);
    if (at_start < 0)
        return -1;
    return at_start ? 0 : text_encoder_start(self, false);
}

/* The exact FileIO under an exact buffered object: a new reference; else NULL, with an exception set or not. */
static PyObject *plain_raw_of(PyObject *buffer)
{
    if (!buffered_is_exact(buffer))
        return NULL;
    PyObject *raw = PyObject_GetAttr(buffer, io_str.raw);
    if (raw != NULL && !Py_IS_TYPE(raw, &io_FileIO_type))
        Py_CLEAR(raw);
    return raw;
}

/* In development mode an unknown error handler is reported at once, not when it is needed. */
static int check_error_handler(PyObject *errors)
{
    if (io_sys_flag("dev_mode") <= 0)
        return 0;
    const char *name = PyUnicode_AsUTF8(errors);
    PyObject *handler = name != NULL ? PyCodec_LookupError(name) : NULL;
    Py_XDECREF(handler);
    return handler != NULL ? 0 : -1;
}

/* The attributes of these names are read without the lock. */
static void set_flags(io_text *self, int line_buffering, int write_through)
{
    __atomic_store_n(&self->line_buffering, (char)(line_buffering != 0), __ATOMIC_RELAXED);
    __atomic_store_n(&self->write_through, (char)(write_through != 0), __ATOMIC_RELAXED);
}

/* __init__ with converted arguments. */
static int set_up(io_text *self, PyObject *buffer, PyObject *encoding, PyObject *errors, const char *newline,
                  bool line_buffering, bool write_through)
{
    PyObject *raw = NULL, *read1;
    int result = -1;

    /* Another __init__ may have finished since ours began: ok and buffer change together. */
    PyObject *old_buffer = self->buffer, *old_raw = self->raw;
    self->ok = self->detached = 0;
    self->buffer = self->raw = NULL;
    self->n_pending = 0;
    self->chunk_size = IO_DEFAULT_BUFFER_SIZE;
    self->bytes_per_char = 0.0;
    set_flags(self, line_buffering, write_through);
    set_newline(self, newline);
    text_drop_decoded(self);
    Py_XDECREF(old_buffer);
    Py_XDECREF(old_raw);

    PyObject *name = text_encoding_name(encoding);
    if (name == NULL)
        return -1;
    if (check_error_handler(errors) < 0 || text_set_codecs(self, buffer, name, errors) < 0)
        goto done;
    raw = plain_raw_of(buffer);
    if (raw == NULL && PyErr_Occurred())
        goto done;
    int seekable = io_call_bool(buffer, io_str.seekable);
    if (seekable < 0)
        goto done;
    self->seekable = self->telling = (char)seekable;
    int found = io_lookup_attr(buffer, io_str.read1, &read1);
    if (found < 0)
        goto done;
    Py_XDECREF(read1);
    self->has_read1 = (char)found;
    if (fix_encoder(self, buffer) < 0)
        goto done;
    if (self->buffer != NULL) {
        /* Another thread was here meanwhile. */
        PyErr_SetString(PyExc_RuntimeError, "TextIOWrapper initialised twice at once");
        goto done;
    }
    self->buffer = Py_NewRef(buffer);
    self->raw = raw;
    raw = NULL;
    self->ok = 1;
    result = 0;
done:
    Py_XDECREF(raw);
    Py_DECREF(name);
    return result;
}

int textio_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "buffer", "encoding", "errors", "newline", "line_buffering", "write_through", NULL };
    io_text *self = (io_text *)op;
    PyObject *buffer, *encoding = Py_None, *errors = Py_None, *newline_arg = Py_None;
    int line_buffering = 0, write_through = 0, result;
    const char *newline, *unused;

    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|OOOpp:TextIOWrapper", keywords, &buffer, &encoding, &errors,
                                     &newline_arg, &line_buffering, &write_through))
        return -1;
    if (str_or_none("TextIOWrapper() argument 'encoding'", encoding, &unused) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->ok = self->detached = 0;
    Py_END_CRITICAL_SECTION();
    if (encoding == Py_None && io_sys_flag("warn_default_encoding") &&
        PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", 1) < 0)
        return -1;
    if (newline_from_arg("TextIOWrapper() argument 'newline'", newline_arg, &newline) < 0 ||
        str_or_none("TextIOWrapper() argument 'errors'", errors, &unused) < 0)
        return -1;
    if (errors == Py_None)
        errors = io_str.strict;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = set_up(self, buffer, encoding, errors, newline, line_buffering, write_through);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- reconfigure() ---- */

/* An optional truth value, given as an int. */
static int optional_bool(PyObject *arg, char *value)
{
    if (arg == Py_None)
        return 0;
    long number = PyLong_AsLong(arg);
    if (number == -1 && PyErr_Occurred())
        return -1;
    *value = number != 0;
    return 0;
}

static int change_codecs(io_text *self, PyObject *encoding, PyObject *errors)
{
    PyObject *name;
    /* The references first: looking up a name may run code. */
    PyObject *buffer = Py_NewRef(self->buffer);
    if (encoding == Py_None) {
        name = Py_NewRef(self->encoding);
        errors = Py_NewRef(errors == Py_None ? self->errors : errors);
    }
    else {
        errors = Py_NewRef(errors == Py_None ? io_str.strict : errors);
        name = text_encoding_name(encoding);
    }
    if (name == NULL) {
        Py_DECREF(errors);
        Py_DECREF(buffer);
        return -1;
    }
    int result = text_set_codecs(self, buffer, name, errors);
    if (!result)
        result = fix_encoder(self, buffer);
    Py_DECREF(errors);
    Py_DECREF(buffer);
    Py_DECREF(name);
    return result;
}

static int reconfigure(io_text *self, PyObject *encoding, PyObject *errors, PyObject *newline_arg,
                       PyObject *line_buffering_arg, PyObject *write_through_arg)
{
    const char *newline = NULL;
    char line_buffering = self->line_buffering, write_through = self->write_through;
    bool change = encoding != Py_None || errors != Py_None || newline_arg != NULL;

    if (text_check_attached(self) < 0)
        return -1;
    if (self->decoder.codec != TEXT_CODEC_NONE && change && self->decoded != NULL) {
        io_unsupported("It is not possible to set the encoding or newline of stream after the first read");
        return -1;
    }
    if (check_str_or_none("reconfigure() argument 'encoding'", encoding) < 0 ||
        check_str_or_none("reconfigure() argument 'errors'", errors) < 0 ||
        (newline_arg != NULL && newline_from_arg("reconfigure() argument 'newline'", newline_arg, &newline) < 0) ||
        optional_bool(line_buffering_arg, &line_buffering) < 0 || optional_bool(write_through_arg, &write_through) < 0)
        return -1;

    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, io_str.flush);
    if (flushed == NULL)
        return -1;
    Py_DECREF(flushed);
    if (text_check_attached(self) < 0)
        return -1;
    self->bytes_per_char = 0.0;
    if (newline_arg != NULL)
        set_newline(self, newline);
    if (change && change_codecs(self, encoding, errors) < 0)
        return -1;
    set_flags(self, line_buffering, write_through);
    return 0;
}

PyObject *textio_reconfigure(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "encoding", "errors", "newline", "line_buffering", "write_through", NULL };
    PyObject *encoding = Py_None, *errors = Py_None, *newline = NULL;
    PyObject *line_buffering = Py_None, *write_through = Py_None;
    int failed;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|$OOOOO:reconfigure", keywords, &encoding, &errors, &newline,
                                     &line_buffering, &write_through))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = reconfigure((io_text *)op, encoding, errors, newline, line_buffering, write_through);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}
