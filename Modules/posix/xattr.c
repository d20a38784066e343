/* Extended attributes of files. */
#include "posix.h"
#include <linux/limits.h>
#include <sys/xattr.h>

static int refuse(struct posix_path *path, int follow)
{
    if (path->fd == -1 || follow)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together", path->function);
    return -1;
}

static PyObject *os_getxattr(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "attribute", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("getxattr", "path", 0, 1), name = POSIX_PATH("getxattr", "attribute", 0, 0);
    int follow = 1;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&|$p:getxattr", names, posix_path_convert, &path,
                                     posix_path_convert, &name, &follow)
        || refuse(&path, follow) < 0 || PySys_Audit("os.getxattr", "OO", path.object, name.object) < 0)
        goto done;
    for (size_t size = 128; result == NULL; size = XATTR_SIZE_MAX) {
        result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
        if (result == NULL)
            break;
        ssize_t n;
        char *buffer = PyBytes_AS_STRING(result);
        DETACHED(n, path.fd != -1 ? fgetxattr(path.fd, name.text, buffer, size)
                    : follow      ? getxattr(path.text, name.text, buffer, size)
                                  : lgetxattr(path.text, name.text, buffer, size));
        if (n >= 0) {
            _PyBytes_Resize(&result, n);
            break;
        }
        int saved = errno;
        Py_CLEAR(result);
        errno = saved;
        if (errno != ERANGE || size == XATTR_SIZE_MAX) {
            posix_path_error(&path);
            break;
        }
    }
done:
    posix_path_clear(&path);
    posix_path_clear(&name);
    return result;
}

static PyObject *os_setxattr(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "attribute", "value", "flags", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("setxattr", "path", 0, 1), name = POSIX_PATH("setxattr", "attribute", 0, 0);
    Py_buffer value = {0};
    int flags = 0, follow = 1, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&y*|i$p:setxattr", names, posix_path_convert, &path,
                                    posix_path_convert, &name, &value, &flags, &follow)
        && refuse(&path, follow) == 0
        && PySys_Audit("os.setxattr", "OOy#i", path.object, name.object, value.buf, value.len, flags) == 0) {
        size_t size = (size_t)value.len;
        DETACHED(rc, path.fd != -1 ? fsetxattr(path.fd, name.text, value.buf, size, flags)
                     : follow      ? setxattr(path.text, name.text, value.buf, size, flags)
                                   : lsetxattr(path.text, name.text, value.buf, size, flags));
        result = rc < 0 ? posix_path_error(&path) : Py_NewRef(Py_None);
    }
    if (value.obj != NULL)
        PyBuffer_Release(&value);
    posix_path_clear(&path);
    posix_path_clear(&name);
    return result;
}

static PyObject *os_removexattr(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "attribute", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("removexattr", "path", 0, 1),
                      name = POSIX_PATH("removexattr", "attribute", 0, 0);
    int follow = 1, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&|$p:removexattr", names, posix_path_convert, &path,
                                    posix_path_convert, &name, &follow)
        && refuse(&path, follow) == 0
        && PySys_Audit("os.removexattr", "OO", path.object, name.object) == 0) {
        DETACHED(rc, path.fd != -1 ? fremovexattr(path.fd, name.text)
                     : follow      ? removexattr(path.text, name.text)
                                   : lremovexattr(path.text, name.text));
        result = rc < 0 ? posix_path_error(&path) : Py_NewRef(Py_None);
    }
    posix_path_clear(&path);
    posix_path_clear(&name);
    return result;
}

static PyObject *names_make(const char *buffer, ssize_t size)
{
    PyObject *result = PyList_New(0);
    for (const char *p = buffer; result != NULL && p < buffer + size; p += strlen(p) + 1) {
        PyObject *name = PyUnicode_DecodeFSDefault(p);
        if (name == NULL || PyList_Append(result, name) < 0)
            Py_CLEAR(result);
        Py_XDECREF(name);
    }
    return result;
}

static PyObject *os_listxattr(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("listxattr", "path", 1, 1);
    int follow = 1;
    PyObject *result = NULL;
    char *buffer = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&$p:listxattr", names, posix_path_convert, &path, &follow)
        || refuse(&path, follow) < 0
        || PySys_Audit("os.listxattr", "O", path.object != NULL ? path.object : Py_None) < 0)
        goto done;
    buffer = PyMem_Malloc(XATTR_LIST_MAX);
    if (buffer == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    ssize_t n;
    const char *text = path.text != NULL ? path.text : ".";
    DETACHED(n, path.fd != -1 ? flistxattr(path.fd, buffer, XATTR_LIST_MAX)
                : follow      ? listxattr(text, buffer, XATTR_LIST_MAX)
                              : llistxattr(text, buffer, XATTR_LIST_MAX));
    result = n < 0 ? posix_path_error(&path) : names_make(buffer, n);
done:
    PyMem_Free(buffer);
    posix_path_clear(&path);
    return result;
}

PyMethodDef posix_xattr_methods[] = {
    KEYWORDS("getxattr", os_getxattr,
             "getxattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nAn extended attribute."),
    KEYWORDS("setxattr", os_setxattr, "setxattr($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)\n"
                                      "--\n\nSets an extended attribute."),
    KEYWORDS("removexattr", os_removexattr,
             "removexattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nRemoves an extended attribute."),
    KEYWORDS("listxattr", os_listxattr,
             "listxattr($module, /, path=None, *, follow_symlinks=True)\n--\n\nThe names of the extended attributes."),
    {NULL},
};
