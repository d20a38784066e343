/* Python file objects from C, and the writer that stands in for stderr during start-up. */
#include "Python.h"
#include "well_known_strings.h"

#include <unistd.h>

const char *Py_FileSystemDefaultEncoding = "utf-8";
const char *Py_FileSystemDefaultEncodeErrors = "surrogateescape";
int Py_HasFileSystemDefaultEncoding = 1;
int Py_UTF8Mode;

PyObject *PyFile_FromFd(int fd, const char *name, const char *mode, int buffering, const char *encoding, const char *errors,
                        const char *newline, int closefd)
{
    (void)name;
    PyObject *open = _PyImport_GetModuleAttrString("_io", "open"), *file = NULL;
    if (open != NULL)
        file = PyObject_CallFunction(open, "isisssO", fd, mode, buffering, encoding, errors, newline, closefd ? Py_True : Py_False);
    Py_XDECREF(open);
    return file;
}

/* n > 0: at most n characters; n < 0: EOFError at the end, the newline is stripped. */
PyObject *PyFile_GetLine(PyObject *file, int n)
{
    PyObject *line = n <= 0 ? PyObject_CallMethodNoArgs(file, STR(readline)) : PyObject_CallMethod(file, "readline", "i", n);
    if (line == NULL)
        return NULL;
    int is_bytes = PyBytes_Check(line);
    if (!is_bytes && !PyUnicode_Check(line)) {
        PyErr_SetString(PyExc_TypeError, "object.readline() returned non-string");
        Py_DECREF(line);
        return NULL;
    }
    Py_ssize_t size = is_bytes ? PyBytes_GET_SIZE(line) : PyUnicode_GET_LENGTH(line);
    if (n >= 0)
        return line;
    if (size == 0) {
        PyErr_SetString(PyExc_EOFError, "EOF when reading a line");
        Py_CLEAR(line);
    }
    else if (is_bytes && PyBytes_AS_STRING(line)[size - 1] == '\n')
        Py_SETREF(line, PyBytes_FromStringAndSize(PyBytes_AS_STRING(line), size - 1));
    else if (!is_bytes && PyUnicode_READ_CHAR(line, size - 1) == '\n')
        Py_SETREF(line, PyUnicode_Substring(line, 0, size - 1));
    return line;
}

int PyFile_WriteObject(PyObject *value, PyObject *file, int flags)
{
    if (file == NULL) {
        PyErr_SetString(PyExc_TypeError, "writeobject with NULL file");
        return -1;
    }
    PyObject *writer = PyObject_GetAttr(file, STR(write)), *text = NULL, *result = NULL;
    if (writer != NULL)
        text = flags & Py_PRINT_RAW ? PyObject_Str(value) : PyObject_Repr(value);
    if (text != NULL)
        result = PyObject_CallOneArg(writer, text);
    Py_XDECREF(writer);
    Py_XDECREF(text);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int PyFile_WriteString(const char *text, PyObject *file)
{
    if (file == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "null file for PyFile_WriteString");
        return -1;
    }
    if (PyErr_Occurred())
        return -1;
    PyObject *str = PyUnicode_FromString(text);
    int status = str != NULL ? PyFile_WriteObject(str, file, Py_PRINT_RAW) : -1;
    Py_XDECREF(str);
    return status;
}

int PyObject_AsFileDescriptor(PyObject *file)
{
    int fd;
    if (PyLong_Check(file))
        fd = PyLong_AsInt(file);
    else {
        PyObject *method = NULL;
        if (PyObject_GetOptionalAttr(file, STR(fileno), &method) < 0)
            return -1;
        if (method == NULL) {
            PyErr_SetString(PyExc_TypeError, "argument must be an int, or have a fileno() method.");
            return -1;
        }
        PyObject *number = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (number == NULL)
            return -1;
        if (!PyLong_Check(number)) {
            PyErr_SetString(PyExc_TypeError, "fileno() returned a non-integer");
            Py_DECREF(number);
            return -1;
        }
        fd = PyLong_AsInt(number);
        Py_DECREF(number);
    }
    if (fd == -1 && PyErr_Occurred())
        return -1;
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "file descriptor cannot be a negative integer (%i)", fd);
        return -1;
    }
    return fd;
}

int _PyLong_FileDescriptor_Converter(PyObject *op, void *fd)
{
    int value = PyObject_AsFileDescriptor(op);
    if (value == -1)
        return 0;
    *(int *)fd = value;
    return 1;
}

char *Py_UniversalNewlineFgets(char *buf, int size, FILE *file, PyObject *fobj)
{
    if (fobj != NULL) {
        errno = ENXIO;
        return NULL;
    }
    char *p = buf;
    int c = EOF;
    while (--size > 0 && (c = getc(file)) != EOF) {
        if (c == '\r') {
            int next = getc(file);
            if (next != '\n' && next != EOF)
                ungetc(next, file);
            c = '\n';
        }
        *p++ = (char)c;
        if (c == '\n')
            break;
    }
    *p = 0;
    return p == buf ? NULL : buf;
}

/* ---- Opening code ---- */

static Py_OpenCodeHookFunction open_code_hook;      /* [const] set before start-up */
static void *open_code_data;

int PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void *user_data)
{
    if (open_code_hook != NULL) {
        if (Py_IsInitialized())
            PyErr_SetString(PyExc_SystemError, "failed to change existing open_code hook");
        return -1;
    }
    open_code_hook = hook;
    open_code_data = user_data;
    return 0;
}

PyObject *PyFile_OpenCodeObject(PyObject *path)
{
    if (!PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "'path' must be 'str', not '%.200s'", Py_TYPE(path)->tp_name);
        return NULL;
    }
    if (open_code_hook != NULL)
        return open_code_hook(path, open_code_data);
    PyObject *open = _PyImport_GetModuleAttrString("_io", "open"), *file = NULL;
    if (open != NULL)
        file = PyObject_CallFunction(open, "Os", path, "rb");
    Py_XDECREF(open);
    return file;
}

PyObject *PyFile_OpenCode(const char *utf8path)
{
    PyObject *path = PyUnicode_FromString(utf8path);
    PyObject *file = path != NULL ? PyFile_OpenCodeObject(path) : NULL;
    Py_XDECREF(path);
    return file;
}

/* ---- The writer for start-up ---- */

typedef struct {
    PyObject_HEAD
    int fd;
} std_printer_t;

PyObject *PyFile_NewStdPrinter(int fd)
{
    if (fd != 1 && fd != 2) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyType_Ready(&PyStdPrinter_Type) < 0)
        return NULL;
    std_printer_t *self = PyObject_New(std_printer_t, &PyStdPrinter_Type);
    if (self != NULL)
        self->fd = fd;
    return (PyObject *)self;
}

static PyObject *printer_write(PyObject *self, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "write() argument must be str");
        return NULL;
    }
    PyObject *bytes = _PyUnicode_AsUTF8String(text, "backslashreplace");
    if (bytes == NULL)
        return NULL;
    const char *p = PyBytes_AS_STRING(bytes);
    Py_ssize_t left = PyBytes_GET_SIZE(bytes);
    while (left > 0) {
        ssize_t n = write(((std_printer_t *)self)->fd, p, (size_t)left);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0) {
            p += n;
            left -= n;
        }
    }
    Py_DECREF(bytes);
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *printer_fileno(PyObject *self, PyObject *unused) { return PyLong_FromLong(((std_printer_t *)self)->fd); }
static PyObject *printer_isatty(PyObject *self, PyObject *unused) { return PyBool_FromLong(isatty(((std_printer_t *)self)->fd)); }
static PyObject *printer_nothing(PyObject *self, PyObject *unused) { Py_RETURN_NONE; }
static PyObject *get_encoding(PyObject *self, void *closure) { return PyUnicode_FromString("utf-8"); }
static PyObject *get_mode(PyObject *self, void *closure) { return PyUnicode_FromString("w"); }
static PyObject *get_closed(PyObject *self, void *closure) { Py_RETURN_FALSE; }

static PyMethodDef printer_methods[] = {
    {"close", printer_nothing, METH_NOARGS, NULL},
    {"flush", printer_nothing, METH_NOARGS, NULL},
    {"fileno", printer_fileno, METH_NOARGS, NULL},
    {"isatty", printer_isatty, METH_NOARGS, NULL},
    {"write", printer_write, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef printer_getset[] = {
    {"closed", get_closed, NULL, "always False", NULL},
    {"encoding", get_encoding, NULL, "utf-8", NULL},
    {"mode", get_mode, NULL, "w", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject PyStdPrinter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "stderrprinter",
    .tp_basicsize = sizeof(std_printer_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = PyDoc_STR("Writes text to standard error before the io module is there."),
    .tp_methods = printer_methods,
    .tp_getset = printer_getset,
};
