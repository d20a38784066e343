/* Paths, descriptors and ids as arguments of the posix module. */
#include "posix.h"

/* -1 with TypeError, or, for what a later version will refuse, with DeprecationWarning: 0 unless that is an error. */
static int wrong_type(struct posix_path *path, PyObject *arg, int deprecated)
{
    const char *accepted = path->allow_fd && path->nullable ? "string, bytes, os.PathLike, integer or None"
                           : path->allow_fd                 ? "string, bytes, os.PathLike or integer"
                           : path->nullable                 ? "string, bytes, os.PathLike or None"
                                                            : "string, bytes or os.PathLike";
    const char *function = path->function != NULL ? path->function : "", *colon = function[0] != 0 ? ": " : "";
    const char *argument = path->argument != NULL ? path->argument : "path";
    if (deprecated)
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "%s%s%s should be %s, not %.200s", function, colon,
                                argument, accepted, Py_TYPE(arg)->tp_name);
    PyErr_Format(PyExc_TypeError, "%s%s%s should be %s, not %.200s", function, colon, argument, accepted,
                 Py_TYPE(arg)->tp_name);
    return -1;
}

static int fd_from_index(PyObject *arg, int *fd)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL)
        return 0;
    int overflow;
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred())
        return 0;
    if (overflow > 0 || value > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "fd is greater than maximum");
        return 0;
    }
    if (overflow < 0 || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "fd is less than minimum");
        return 0;
    }
    *fd = (int)value;
    return 1;
}

/* The result of __fspath__ (a reference), or NULL without an exception if arg has none. */
static PyObject *fspath_call(PyObject *arg)
{
    PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(arg), "__fspath__");
    if (method == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_Clear();
        return NULL;
    }
    Py_DECREF(method);
    return PyOS_FSPath(arg);
}

int posix_path_convert(PyObject *arg, void *address)
{
    struct posix_path *path = address;
    PyObject *object = Py_NewRef(arg), *bytes = NULL;
    if (arg == Py_None && path->nullable) {
        path->object = object;
        return 1;
    }
    if (!PyUnicode_Check(arg) && !PyBytes_Check(arg)) {
        PyObject *text = NULL;
        if (!(path->allow_fd && PyIndex_Check(arg))) {
            text = fspath_call(arg);
            if (text == NULL) {
                if (PyErr_Occurred() || wrong_type(path, arg, PyObject_CheckBuffer(arg)) < 0)
                    goto failed;
                bytes = PyBytes_FromObject(arg);
                if (bytes == NULL)
                    goto failed;
            }
            else
                Py_SETREF(object, text);
        }
        else {
            if (!fd_from_index(arg, &path->fd))
                goto failed;
            path->object = object;
            return 1;
        }
    }
    if (bytes != NULL)
        path->given_bytes = 1;
    else if (PyUnicode_Check(object)) {
        bytes = PyUnicode_EncodeFSDefault(object);
        if (bytes == NULL)
            goto failed;
    }
    else {
        bytes = Py_NewRef(object);
        path->given_bytes = 1;
    }
    if (strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_Format(PyExc_ValueError, "%s%sembedded null character in %s", path->function ? path->function : "",
                     path->function ? ": " : "", path->argument ? path->argument : "path");
        goto failed;
    }
    path->object = object;
    path->bytes = bytes;
    path->text = PyBytes_AS_STRING(bytes);
    return 1;
failed:
    Py_DECREF(object);
    Py_XDECREF(bytes);
    return 0;
}

void posix_path_clear(struct posix_path *path)
{
    Py_CLEAR(path->object);
    Py_CLEAR(path->bytes);
    path->text = NULL;
}

PyObject *posix_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

PyObject *posix_path_error(struct posix_path *path)
{
    if (path->object == NULL || path->object == Py_None)
        return posix_error();
    return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path->object);
}

PyObject *posix_path_error2(struct posix_path *path, struct posix_path *path2)
{
    return PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, path->object, path2->object);
}

int posix_dir_fd_convert(PyObject *arg, void *address)
{
    int *fd = address;
    if (arg == Py_None) {
        *fd = AT_FDCWD;
        return 1;
    }
    if (PyIndex_Check(arg))
        return fd_from_index(arg, fd);
    PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s", Py_TYPE(arg)->tp_name);
    return 0;
}

int posix_fd_convert(PyObject *arg, void *address)
{
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0)
        return 0;
    *(int *)address = fd;
    return 1;
}

static int id_convert(PyObject *arg, unsigned *id, const char *what)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", what, Py_TYPE(arg)->tp_name);
        return 0;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && !overflow && PyErr_Occurred())
        return 0;
    /* -1 stands for "unchanged"; as an unsigned number it is no id. */
    if (overflow < 0 || (!overflow && value < -1)) {
        PyErr_Format(PyExc_OverflowError, "%s is less than minimum", what);
        return 0;
    }
    if (overflow > 0 || value >= (long long)UINT_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", what);
        return 0;
    }
    *id = (unsigned)value;
    return 1;
}

int posix_uid_convert(PyObject *arg, void *uid) { return id_convert(arg, uid, "uid"); }
int posix_gid_convert(PyObject *arg, void *gid) { return id_convert(arg, gid, "gid"); }

int posix_off_convert(PyObject *arg, void *address)
{
    long long value = PyLong_AsLongLong(arg);
    if (value == -1 && PyErr_Occurred())
        return 0;
    *(off_t *)address = value;
    return 1;
}

PyObject *posix_name_make(const char *text, Py_ssize_t size, int as_bytes)
{
    return as_bytes ? PyBytes_FromStringAndSize(text, size) : PyUnicode_DecodeFSDefaultAndSize(text, size);
}

int posix_interrupted(void)
{
    if (errno != EINTR)
        return 0;
    return PyErr_CheckSignals() < 0 ? -1 : 1;
}
