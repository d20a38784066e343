/* The _posixshmem module: named shared memory. */
#include "module.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

static PyObject *shm_open_(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "flags", "mode", NULL};
    PyObject *path;
    int flags, mode = 0777, fd;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Ui|i:shm_open", names, &path, &flags, &mode))
        return NULL;
    const char *name = PyUnicode_AsUTF8(path);
    if (name == NULL)
        return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        fd = shm_open(name, flags, (mode_t)mode);
        Py_END_ALLOW_THREADS
    } while (fd < 0 && errno == EINTR && PyErr_CheckSignals() == 0);
    if (fd >= 0)
        return PyLong_FromLong(fd);
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
}

static PyObject *shm_unlink_(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    PyObject *path;
    int rc;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:shm_unlink", names, &path))
        return NULL;
    const char *name = PyUnicode_AsUTF8(path);
    if (name == NULL)
        return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        rc = shm_unlink(name);
        Py_END_ALLOW_THREADS
    } while (rc < 0 && errno == EINTR && PyErr_CheckSignals() == 0);
    if (rc == 0)
        Py_RETURN_NONE;
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
}

static PyMethodDef posixshmem_methods[] = {
    MODULE_METHOD("shm_open", shm_open_, METH_VARARGS | METH_KEYWORDS,
                  "shm_open($module, /, path, flags, mode=511)\n--\n\n"
                  "Opens the shared memory of that name; its file descriptor."),
    MODULE_METHOD("shm_unlink", shm_unlink_, METH_VARARGS | METH_KEYWORDS,
                  "shm_unlink($module, /, path)\n--\n\n"
                  "Removes the name; the memory goes when nobody has it mapped any more."),
    {NULL},
};

static PyModuleDef_Slot posixshmem_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef posixshmem_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_posixshmem",
    .m_doc = "Named shared memory of POSIX.",
    .m_methods = posixshmem_methods,
    .m_slots = posixshmem_slots,
};

PyMODINIT_FUNC PyInit__posixshmem(void)
{
    return PyModuleDef_Init(&posixshmem_module);
}
