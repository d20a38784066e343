/* The fcntl module: fcntl(), ioctl() and file locks. */
#include "module.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROOM 1024

static int fd_convert(PyObject *arg, void *address)
{
    int fd = PyObject_AsFileDescriptor(arg);
    *(int *)address = fd;
    return fd >= 0;
}

/* Runs expression detached until it is not interrupted; NULL-ready: rc < 0 has an exception set. */
#define RETRIED(rc, expression) \
    do { \
        Py_BEGIN_ALLOW_THREADS \
        (rc) = (expression); \
        Py_END_ALLOW_THREADS \
    } while ((rc) < 0 && errno == EINTR && PyErr_CheckSignals() == 0); \
    if ((rc) < 0 && !PyErr_Occurred()) \
        PyErr_SetFromErrno(PyExc_OSError)

static PyObject *fcntl_fcntl(PyObject *module, PyObject *args)
{
    int fd, code, rc;
    PyObject *arg = NULL;
    if (!PyArg_ParseTuple(args, "O&i|O:fcntl", fd_convert, &fd, &code, &arg)
        || PySys_Audit("fcntl.fcntl", "iiO", fd, code, arg != NULL ? arg : Py_None) < 0)
        return NULL;
    if (arg == NULL || PyLong_Check(arg)) {
        unsigned long value = arg != NULL ? PyLong_AsUnsignedLongMask(arg) : 0;
        if (value == (unsigned long)-1 && PyErr_Occurred())
            return NULL;
        RETRIED(rc, fcntl(fd, code, value));
        return rc < 0 ? NULL : PyLong_FromLong(rc);
    }
    Py_buffer data;
    if (!PyArg_Parse(arg, "s*", &data)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer", Py_TYPE(arg)->tp_name);
        }
        return NULL;
    }
    char buffer[ROOM + 1];
    if (data.len > ROOM) {
        PyErr_SetString(PyExc_ValueError, "fcntl string arg too long");
        PyBuffer_Release(&data);
        return NULL;
    }
    Py_ssize_t size = data.len;
    memcpy(buffer, data.buf, (size_t)size);
    buffer[size] = 0;
    PyBuffer_Release(&data);
    RETRIED(rc, fcntl(fd, code, buffer));
    return rc < 0 ? NULL : PyBytes_FromStringAndSize(buffer, size);
}

static PyObject *fcntl_ioctl(PyObject *module, PyObject *args)
{
    int fd, mutate = 1, rc;
    unsigned code;
    PyObject *arg = NULL;
    if (!PyArg_ParseTuple(args, "O&I|Op:ioctl", fd_convert, &fd, &code, &arg, &mutate)
        || PySys_Audit("fcntl.ioctl", "iIO", fd, code, arg != NULL ? arg : Py_None) < 0)
        return NULL;
    if (arg == NULL || PyLong_Check(arg)) {
        int value = arg != NULL ? (int)PyLong_AsUnsignedLongMask(arg) : 0;
        if (value == -1 && PyErr_Occurred())
            return NULL;
        RETRIED(rc, ioctl(fd, code, value));
        return rc < 0 ? NULL : PyLong_FromLong(rc);
    }
    Py_buffer data;
    char buffer[ROOM + 1];
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &data, PyBUF_WRITABLE) == 0) {
        char *place = data.buf;
        Py_ssize_t size = data.len;
        int copied = size <= ROOM;
        if (copied) {
            memcpy(buffer, data.buf, (size_t)size);
            buffer[size] = 0;
            place = buffer;
        }
        else if (!mutate) {
            PyErr_SetString(PyExc_ValueError, "ioctl string arg too long");
            PyBuffer_Release(&data);
            return NULL;
        }
        RETRIED(rc, ioctl(fd, code, place));
        if (rc >= 0 && mutate && copied)
            memcpy(data.buf, buffer, (size_t)size);
        if (rc >= 0)
            result = mutate ? PyLong_FromLong(rc) : PyBytes_FromStringAndSize(buffer, size);
        PyBuffer_Release(&data);
        return result;
    }
    PyErr_Clear();
    if (!PyArg_Parse(arg, "s*:ioctl", &data)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "ioctl requires a file or file descriptor, an integer and optionally an "
                                         "integer or buffer argument");
        return NULL;
    }
    if (data.len > ROOM) {
        PyErr_SetString(PyExc_ValueError, "ioctl string arg too long");
    }
    else {
        memcpy(buffer, data.buf, (size_t)data.len);
        buffer[data.len] = 0;
        RETRIED(rc, ioctl(fd, code, buffer));
        if (rc >= 0)
            result = PyBytes_FromStringAndSize(buffer, data.len);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *fcntl_flock(PyObject *module, PyObject *args)
{
    int fd, operation, rc;
    if (!PyArg_ParseTuple(args, "O&i:flock", fd_convert, &fd, &operation)
        || PySys_Audit("fcntl.flock", "ii", fd, operation) < 0)
        return NULL;
    RETRIED(rc, flock(fd, operation));
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *fcntl_lockf(PyObject *module, PyObject *args)
{
    int fd, operation, whence = 0, rc;
    PyObject *length = NULL, *start = NULL;
    struct flock lock = {0};
    if (!PyArg_ParseTuple(args, "O&i|OOi:lockf", fd_convert, &fd, &operation, &length, &start, &whence)
        || PySys_Audit("fcntl.lockf", "iiOOi", fd, operation, length ? length : Py_None, start ? start : Py_None,
                       whence) < 0)
        return NULL;
    if (operation == LOCK_UN)
        lock.l_type = F_UNLCK;
    else if (operation & LOCK_SH)
        lock.l_type = F_RDLCK;
    else if (operation & LOCK_EX)
        lock.l_type = F_WRLCK;
    else {
        PyErr_SetString(PyExc_ValueError, "unrecognized lockf argument");
        return NULL;
    }
    if (start != NULL && (lock.l_start = PyLong_AsLongLong(start), PyErr_Occurred()))
        return NULL;
    if (length != NULL && (lock.l_len = PyLong_AsLongLong(length), PyErr_Occurred()))
        return NULL;
    lock.l_whence = (short)whence;
    RETRIED(rc, fcntl(fd, operation & LOCK_NB ? F_SETLK : F_SETLKW, &lock));
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef fcntl_methods[] = {
    {"fcntl", fcntl_fcntl, METH_VARARGS, "fcntl($module, fd, cmd, arg=0, /)\n--\n\nOperates on a descriptor."},
    {"ioctl", fcntl_ioctl, METH_VARARGS,
     "ioctl($module, fd, request, arg=0, mutate_flag=True, /)\n--\n\nOperates on a device."},
    {"flock", fcntl_flock, METH_VARARGS, "flock($module, fd, operation, /)\n--\n\nLocks a whole file."},
    {"lockf", fcntl_lockf, METH_VARARGS, "lockf($module, fd, cmd, len=0, start=0, whence=0, /)\n--\n\nLocks part of a file."},
    {NULL},
};

static const struct { const char *name; unsigned value; } fcntl_constants[] = {
#define CONSTANT(name) {#name, (unsigned)name},
#include "fcntl_constants.def"
#undef CONSTANT
};

static int fcntl_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fcntl_constants); i++)
        if (PyModule_AddIntConstant(module, fcntl_constants[i].name, (long)(int)fcntl_constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot fcntl_slots[] = {
    {Py_mod_exec, (void *)fcntl_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef fcntl_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fcntl",
    .m_doc = "Operations on file descriptors: fcntl(), ioctl() and locks.",
    .m_methods = fcntl_methods,
    .m_slots = fcntl_slots,
};

PyMODINIT_FUNC PyInit_fcntl(void)
{
    return PyModuleDef_Init(&fcntl_module);
}
