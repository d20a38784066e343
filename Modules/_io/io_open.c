/* The functions open(), open_code() and text_encoding(). */
#include "io_internal.h"

typedef struct {
    bool creating, reading, writing, appending, updating, text, binary;
    char raw[8];    /* the mode for FileIO */
} open_mode;

/* ---- checking the arguments ---- */

static int parse_mode(const char *mode, open_mode *result)
{
    char seen[128] = { 0 };
    memset(result, 0, sizeof(*result));
    for (const char *c = mode; *c != 0; c++) {
        bool *flag = NULL;
        switch (*c) {
        case 'x': flag = &result->creating; break;
        case 'r': flag = &result->reading; break;
        case 'w': flag = &result->writing; break;
        case 'a': flag = &result->appending; break;
        case '+': flag = &result->updating; break;
        case 't': flag = &result->text; break;
        case 'b': flag = &result->binary; break;
        }
        if (flag == NULL || seen[(unsigned char)*c]) {
            PyErr_Format(PyExc_ValueError, "invalid mode: '%s'", mode);
            return -1;
        }
        *flag = true;
        seen[(unsigned char)*c] = 1;
    }
    char *out = result->raw;
    if (result->creating)
        *out++ = 'x';
    if (result->reading)
        *out++ = 'r';
    if (result->writing)
        *out++ = 'w';
    if (result->appending)
        *out++ = 'a';
    if (result->updating)
        *out++ = '+';
    *out = 0;
    return 0;
}

/* Raises ValueError for arguments that contradict each other. */
static int check_combination(const open_mode *mode, PyObject *encoding, PyObject *errors, PyObject *newline)
{
    const char *message = NULL;
    if (mode->text && mode->binary)
        message = "can't have text and binary mode at once";
    else if (mode->creating + mode->reading + mode->writing + mode->appending > 1)
        message = "must have exactly one of create/read/write/append mode";
    else if (mode->binary && encoding != Py_None)
        message = "binary mode doesn't take an encoding argument";
    else if (mode->binary && errors != Py_None)
        message = "binary mode doesn't take an errors argument";
    else if (mode->binary && newline != Py_None)
        message = "binary mode doesn't take a newline argument";
    if (message == NULL)
        return 0;
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static int check_str_or_none(const char *name, PyObject *arg)
{
    if (arg == Py_None || PyUnicode_Check(arg))
        return 0;
    PyErr_Format(PyExc_TypeError, "open() argument '%s' must be str or None, not %.50s", name, Py_TYPE(arg)->tp_name);
    return -1;
}

/* ---- open() ---- */

/* Closes the stream after a failure to build something on top of it, whose exception stays. */
static void close_after_failure(PyObject *stream)
{
    io_saved_error saved;
    io_error_save(&saved);
    PyObject *closed = PyObject_CallMethodNoArgs(stream, io_str.close);
    io_error_chain(&saved);
    Py_XDECREF(closed);
}

/* The size of the buffer, and whether the text layer is to flush after lines. */
static int choose_buffering(PyObject *raw, Py_ssize_t *buffering, bool *line_buffering)
{
    int is_tty = io_call_bool(raw, io_str.isatty);
    if (is_tty < 0)
        return -1;
    *line_buffering = *buffering == 1 || (is_tty && *buffering < 0);
    if (*line_buffering || *buffering < 0) {
        PyObject *size = PyObject_GetAttr(raw, io_str._blksize);
        if (size == NULL)
            return -1;
        *buffering = PyLong_AsSsize_t(size);
        Py_DECREF(size);
        if (*buffering == -1 && PyErr_Occurred())
            return -1;
    }
    if (*buffering < 0) {
        PyErr_SetString(PyExc_ValueError, "invalid buffering size");
        return -1;
    }
    return 0;
}

/* Builds the layers over a descriptor or path. */
static PyObject *open_stream(PyObject *path, const open_mode *mode, const char *mode_text, Py_ssize_t buffering,
                             PyObject *encoding, PyObject *errors, PyObject *newline, PyObject *closefd, PyObject *opener)
{
    PyObject *result = NULL, *layer;
    bool line_buffering;

    result = PyObject_CallFunction((PyObject *)&io_FileIO_type, "OsOO", path, mode->raw, closefd, opener);
    if (result == NULL)
        return NULL;
    if (choose_buffering(result, &buffering, &line_buffering) < 0)
        goto failed;
    if (buffering == 0) {
        if (mode->binary)
            return result;
        PyErr_SetString(PyExc_ValueError, "can't have unbuffered text I/O");
        goto failed;
    }
    PyTypeObject *type = mode->updating ? &io_BufferedRandom_type
                         : mode->reading ? &io_BufferedReader_type
                                         : &io_BufferedWriter_type;
    layer = PyObject_CallFunction((PyObject *)type, "On", result, buffering);
    if (layer == NULL)
        goto failed;
    Py_SETREF(result, layer);
    if (mode->binary)
        return result;

    layer = PyObject_CallFunction((PyObject *)&io_TextIOWrapper_type, "OOOOO", result, encoding, errors, newline,
                                  line_buffering ? Py_True : Py_False);
    if (layer == NULL)
        goto failed;
    Py_SETREF(result, layer);
    PyObject *mode_obj = PyUnicode_FromString(mode_text);
    if (mode_obj == NULL || PyObject_SetAttr(result, io_str.mode, mode_obj) < 0) {
        Py_XDECREF(mode_obj);
        goto failed;
    }
    Py_DECREF(mode_obj);
    return result;
failed:
    close_after_failure(result);
    Py_DECREF(result);
    return NULL;
}

/* The mode as a C string, or NULL with an exception set. */
static const char *mode_argument(PyObject *mode)
{
    Py_ssize_t len;
    if (!PyUnicode_Check(mode)) {
        PyErr_Format(PyExc_TypeError, "open() argument 'mode' must be str, not %.50s",
                     mode == Py_None ? "None" : Py_TYPE(mode)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(mode, &len);
    if (text != NULL && strlen(text) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

PyObject *io_open(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "file", "mode", "buffering", "encoding", "errors", "newline", "closefd", "opener", NULL };
    PyObject *file, *encoding = Py_None, *errors = Py_None, *newline = Py_None, *opener = Py_None;
    PyObject *mode_obj = NULL;
    const char *mode_text = "r";
    int buffering = -1, closefd = 1;
    open_mode mode;

    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|OiOOOpO:open", keywords, &file, &mode_obj, &buffering, &encoding,
                                     &errors, &newline, &closefd, &opener))
        return NULL;
    if (check_str_or_none("encoding", encoding) < 0 || check_str_or_none("errors", errors) < 0 ||
        check_str_or_none("newline", newline) < 0)
        return NULL;
    if (mode_obj != NULL && (mode_text = mode_argument(mode_obj)) == NULL)
        return NULL;
    PyObject *path = PyNumber_Check(file) ? Py_NewRef(file) : PyOS_FSPath(file), *result = NULL;
    if (path == NULL)
        return NULL;
    if (!PyUnicode_Check(path) && !PyBytes_Check(path) && !PyNumber_Check(path)) {
        PyErr_Format(PyExc_TypeError, "invalid file: %R", file);
        goto done;
    }
    if (parse_mode(mode_text, &mode) < 0 || check_combination(&mode, encoding, errors, newline) < 0)
        goto done;
    if (mode.binary && buffering == 1) {
        if (PyErr_WarnEx(PyExc_RuntimeWarning,
                         "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be "
                         "used", 1) < 0)
            goto done;
    }
    result = open_stream(path, &mode, mode_text, buffering, encoding, errors, newline, closefd ? Py_True : Py_False,
                         opener);
done:
    Py_DECREF(path);
    return result;
}

/* ---- open_code() and text_encoding() ---- */

PyObject *io_open_code(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "path", NULL };
    PyObject *path;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O:open_code", keywords, &path))
        return NULL;
    if (!PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "open_code() argument 'path' must be str, not %.50s",
                     path == Py_None ? "None" : Py_TYPE(path)->tp_name);
        return NULL;
    }
    return PyFile_OpenCodeObject(path);
}

PyObject *io_text_encoding(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int stacklevel = 2;
    if (io_check_nargs("text_encoding", nargs, 1, 2) < 0 || (nargs == 2 && io_int(args[1], &stacklevel) < 0))
        return NULL;
    if (args[0] != Py_None)
        return Py_NewRef(args[0]);
    if (io_sys_flag("warn_default_encoding") &&
        PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", stacklevel) < 0)
        return NULL;
    return PyUnicode_FromString(io_sys_flag("utf8_mode") > 0 ? "utf-8" : "locale");
}
