/* sys.stdin, sys.stdout and sys.stderr. */
#include "config.h"
#include "lifecycle.h"
#include "well_known_strings.h"

#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_open(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0;
}

/* Files of the C or a coerced locale may hold bytes of any encoding. */
static const char *default_errors(void)
{
    if (startup.stdio_errors != NULL)
        return startup.stdio_errors;
    const char *locale = setlocale(LC_CTYPE, NULL);
    int c_like = locale != NULL && (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0 || strcmp(locale, "C.UTF-8") == 0
                                    || strcmp(locale, "C.utf8") == 0 || strcmp(locale, "UTF-8") == 0);
    return c_like || runtime_interp.config.utf8_mode ? "surrogateescape" : "strict";
}

static int set_string(PyObject *op, const char *attribute, const char *text)
{
    PyObject *str = PyUnicode_FromString(text);
    int status = str != NULL ? PyObject_SetAttrString(op, attribute, str) : -1;
    Py_XDECREF(str);
    return status;
}

/* The text stream over fd; None if the descriptor is closed. */
static PyObject *open_stream(PyObject *io, int fd, int writing, const char *name, const char *encoding, const char *errors)
{
    PyObject *buffer = NULL, *raw = NULL, *answer = NULL, *stream = NULL, *type = NULL, *args = NULL, *kwargs = NULL;
    if (!is_open(fd))
        return Py_NewRef(Py_None);
    int buffered = runtime_interp.config.buffered_stdio;
    buffer = PyObject_CallMethod(io, "open", "isiOOOO", fd, writing ? "wb" : "rb", !buffered && writing ? 0 : -1, Py_None, Py_None,
                                 Py_None, Py_False);
    if (buffer == NULL)
        goto done;
    raw = !buffered && writing ? Py_NewRef(buffer) : PyObject_GetAttrString(buffer, "raw");
    if (raw == NULL || set_string(raw, "name", name) < 0)
        goto done;
    answer = PyObject_CallMethodNoArgs(raw, STR(isatty));
    int tty = answer != NULL ? PyObject_IsTrue(answer) : -1;
    if (tty < 0)
        goto done;
    int write_through = !buffered && writing, line_buffering = write_through ? 0 : tty || runtime_interp.config.interactive;
    if (writing && fd == 2)
        line_buffering = 1;
    type = PyObject_GetAttrString(io, "TextIOWrapper");
    args = Py_BuildValue("(Osss)", buffer, encoding, errors, "\n");
    kwargs = Py_BuildValue("{s:O,s:O}", "line_buffering", line_buffering ? Py_True : Py_False, "write_through",
                           write_through ? Py_True : Py_False);
    if (type != NULL && args != NULL && kwargs != NULL)
        stream = PyObject_Call(type, args, kwargs);
    if (stream != NULL && set_string(stream, "mode", writing ? "w" : "r") < 0)
        Py_CLEAR(stream);
done:
    Py_XDECREF(buffer);
    Py_XDECREF(raw);
    Py_XDECREF(answer);
    Py_XDECREF(type);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (stream == NULL && PyErr_ExceptionMatches(PyExc_OSError)) {
        PyErr_Clear();          /* closed meanwhile, or a directory */
        return Py_NewRef(Py_None);
    }
    return stream;
}

/* The name that the codec of PYTHONIOENCODING has itself, a new str, or NULL with an exception; NULL without one if nobody asked. */
static PyObject *wanted_encoding(void)
{
    if (startup.stdio_encoding == NULL)
        return NULL;
    PyObject *codec = _PyCodec_Lookup(startup.stdio_encoding);
    PyObject *name = codec != NULL ? PyObject_GetAttrString(codec, "name") : NULL;
    Py_XDECREF(codec);
    return name;
}

int lifecycle_open_streams(void)
{
    static const struct { int fd, writing; const char *name, *attribute, *original; } table[] = {
        {0, 0, "<stdin>", "stdin", "__stdin__"},
        {1, 1, "<stdout>", "stdout", "__stdout__"},
        {2, 1, "<stderr>", "stderr", "__stderr__"},
    };
    struct stat st;
    if (fstat(0, &st) == 0 && S_ISDIR(st.st_mode)) {
        fputs("Python: <stdin> is a directory, cannot continue\n", stderr);
        exit(1);
    }
    PyObject *io = PyImport_ImportModule("io");
    if (io == NULL)
        return -1;
    PyObject *open = PyObject_GetAttr(io, STR(open));
    int status = open != NULL ? PyDict_SetItem(runtime_interp.builtins, STR(open), open) : -1;
    Py_XDECREF(open);
    PyObject *wanted = wanted_encoding();
    const char *encoding = wanted != NULL ? PyUnicode_AsUTF8(wanted) : startup.locale_encoding;
    if (encoding == NULL || PyErr_Occurred())
        status = -1;
    for (size_t i = 0; status == 0 && i < Py_ARRAY_LENGTH(table); i++) {
        PyObject *stream = open_stream(io, table[i].fd, table[i].writing, table[i].name, encoding,
                                       table[i].fd == 2 ? "backslashreplace" : default_errors());
        if (stream == NULL || PySys_SetObject(table[i].attribute, stream) < 0 || PySys_SetObject(table[i].original, stream) < 0)
            status = -1;
        Py_XDECREF(stream);
    }
    Py_XDECREF(wanted);
    Py_DECREF(io);
    return status;
}

static int is_closed(PyObject *file)
{
    PyObject *value = PyObject_GetAttr(file, STR(closed));
    int closed = value != NULL ? PyObject_IsTrue(value) : -1;
    if (closed < 0) {
        PyErr_Clear();
        closed = 0;
    }
    Py_XDECREF(value);
    return closed;
}

int lifecycle_flush_streams(void)
{
    static const char *const names[] = {"stdout", "stderr"};
    int status = 0;
    for (int i = 0; i < 2; i++) {
        PyObject *file = NULL;
        if (PySys_GetOptionalAttrString(names[i], &file) < 0)
            PyErr_Clear();
        if (file != NULL && file != Py_None && !is_closed(file)) {
            PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
            if (result == NULL) {
                if (i == 0)
                    PyErr_WriteUnraisable(file);
                else
                    PyErr_Clear();
                status = -1;
            }
            Py_XDECREF(result);
        }
        Py_XDECREF(file);
    }
    return status;
}
