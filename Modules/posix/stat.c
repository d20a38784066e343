/* stat() and statvfs(). */
#include "posix.h"
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include "structseq.h"

static PyStructSequence_Field stat_fields[] = {
    {"st_mode", "protection bits"}, {"st_ino", "inode"}, {"st_dev", "device"}, {"st_nlink", "number of hard links"},
    {"st_uid", "user ID of owner"}, {"st_gid", "group ID of owner"}, {"st_size", "total size, in bytes"},
    {NULL, "integer time of last access"}, {NULL, "integer time of last modification"},
    {NULL, "integer time of last change"}, {"st_atime", "time of last access"},
    {"st_mtime", "time of last modification"}, {"st_ctime", "time of last change"},
    {"st_atime_ns", "time of last access in nanoseconds"}, {"st_mtime_ns", "time of last modification in nanoseconds"},
    {"st_ctime_ns", "time of last change in nanoseconds"}, {"st_blksize", "blocksize for filesystem I/O"},
    {"st_blocks", "number of blocks allocated"}, {"st_rdev", "device type (if inode device)"}, {NULL, NULL},
};
static PyStructSequence_Desc stat_desc = {"os.stat_result", "What stat(), fstat() and lstat() found.", stat_fields, 10};
static PyStructSequence_Field statvfs_fields[] = {
    {"f_bsize", NULL}, {"f_frsize", NULL}, {"f_blocks", NULL}, {"f_bfree", NULL}, {"f_bavail", NULL},
    {"f_files", NULL}, {"f_ffree", NULL}, {"f_favail", NULL}, {"f_flag", NULL}, {"f_namemax", NULL},
    {"f_fsid", NULL}, {NULL, NULL},
};
static PyStructSequence_Desc statvfs_desc = {
    "os.statvfs_result", "What statvfs() and fstatvfs() found.", statvfs_fields, 10};
static PyTypeObject *stat_type, *statvfs_type;      /* [const after the module is made] */
static newfunc sequence_new;

/* A result made from ten values takes the times as numbers from the whole seconds. */
static PyObject *stat_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *result = sequence_new(type, args, kwargs);
    if (result == NULL)
        return NULL;
    for (int i = 7; i <= 9; i++)
        if (PyStructSequence_GET_ITEM(result, i + 3) == Py_None)
            PyStructSequence_SET_ITEM(result, i + 3, Py_NewRef(PyStructSequence_GET_ITEM(result, i)));
    return result;
}

int posix_stat_types(PyObject *module)
{
    if (stat_type == NULL) {
        for (int i = 7; i <= 9; i++)
            stat_fields[i].name = (char *)PyStructSequence_UnnamedField;
        stat_type = PyStructSequence_NewType(&stat_desc);
        statvfs_type = PyStructSequence_NewType(&statvfs_desc);
        if (stat_type == NULL || statvfs_type == NULL)
            return -1;
        sequence_new = stat_type->tp_new;
        stat_type->tp_new = stat_new;
    }
    return PyModule_AddObjectRef(module, "stat_result", (PyObject *)stat_type) < 0
                   || PyModule_AddObjectRef(module, "statvfs_result", (PyObject *)statvfs_type) < 0
               ? -1
               : 0;
}

static PyObject *ns_make(struct timespec ts)
{
    long long ns;
    if (!__builtin_mul_overflow((long long)ts.tv_sec, 1000000000LL, &ns)
        && !__builtin_add_overflow(ns, (long long)ts.tv_nsec, &ns))
        return PyLong_FromLongLong(ns);
    PyObject *seconds = PyLong_FromLongLong(ts.tv_sec), *billion = PyLong_FromLong(1000000000),
             *rest = PyLong_FromLong(ts.tv_nsec), *product = NULL, *sum = NULL;
    if (seconds != NULL && billion != NULL && rest != NULL)
        product = PyNumber_Multiply(seconds, billion);
    if (product != NULL)
        sum = PyNumber_Add(product, rest);
    Py_XDECREF(seconds);
    Py_XDECREF(billion);
    Py_XDECREF(rest);
    Py_XDECREF(product);
    return sum;
}

PyObject *posix_stat_make(const struct stat *st)
{
    PyObject *result = PyStructSequence_New(stat_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyLong_FromUnsignedLong(st->st_mode));
    PyStructSequence_SET_ITEM(result, 1, PyLong_FromUnsignedLongLong(st->st_ino));
    PyStructSequence_SET_ITEM(result, 2, PyLong_FromUnsignedLongLong(st->st_dev));
    PyStructSequence_SET_ITEM(result, 3, PyLong_FromUnsignedLong(st->st_nlink));
    PyStructSequence_SET_ITEM(result, 4, PyLong_FromUnsignedLong(st->st_uid));
    PyStructSequence_SET_ITEM(result, 5, PyLong_FromUnsignedLong(st->st_gid));
    PyStructSequence_SET_ITEM(result, 6, PyLong_FromLongLong(st->st_size));
    const struct timespec times[3] = {st->st_atim, st->st_mtim, st->st_ctim};
    for (int i = 0; i < 3; i++) {
        PyStructSequence_SET_ITEM(result, 7 + i, PyLong_FromLongLong(times[i].tv_sec));
        PyStructSequence_SET_ITEM(result, 10 + i, PyFloat_FromDouble(times[i].tv_sec + 1e-9 * times[i].tv_nsec));
        PyStructSequence_SET_ITEM(result, 13 + i, ns_make(times[i]));
    }
    PyStructSequence_SET_ITEM(result, 16, PyLong_FromLong(st->st_blksize));
    PyStructSequence_SET_ITEM(result, 17, PyLong_FromLong(st->st_blocks));
    PyStructSequence_SET_ITEM(result, 18, PyLong_FromUnsignedLongLong(st->st_rdev));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *stat_path(struct posix_path *path, int dir_fd, int follow)
{
    if (path->fd != -1 && dir_fd != AT_FDCWD) {
        PyErr_Format(PyExc_ValueError, "%s: can't specify dir_fd without matching path", path->function);
        return NULL;
    }
    if (path->fd != -1 && !follow) {
        PyErr_Format(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together", path->function);
        return NULL;
    }
    struct stat st;
    int rc;
    if (path->fd != -1)
        DETACHED(rc, fstat(path->fd, &st));
    else
        DETACHED(rc, fstatat(dir_fd, path->text, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    return rc != 0 ? posix_path_error(path) : posix_stat_make(&st);
}

static PyObject *os_stat(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "dir_fd", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("stat", "path", 0, 1);
    int dir_fd = AT_FDCWD, follow = 1;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$O&p:stat", names, posix_path_convert, &path,
                                    posix_dir_fd_convert, &dir_fd, &follow))
        result = stat_path(&path, dir_fd, follow);
    posix_path_clear(&path);
    return result;
}

static PyObject *os_lstat(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("lstat", "path", 0, 0);
    int dir_fd = AT_FDCWD;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$O&:lstat", names, posix_path_convert, &path,
                                    posix_dir_fd_convert, &dir_fd))
        result = stat_path(&path, dir_fd, 0);
    posix_path_clear(&path);
    return result;
}

static PyObject *os_fstat(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    int fd, rc;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:fstat", names, &fd))
        return NULL;
    for (;;) {
        struct stat st;
        DETACHED(rc, fstat(fd, &st));
        if (rc == 0)
            return posix_stat_make(&st);
        int again = posix_interrupted();
        if (again <= 0)
            return again < 0 ? NULL : posix_error();
    }
}

static PyObject *statvfs_make(const struct statvfs *st)
{
    PyObject *result = PyStructSequence_New(statvfs_type);
    if (result == NULL)
        return NULL;
    const unsigned long values[11] = {st->f_bsize, st->f_frsize, st->f_blocks, st->f_bfree, st->f_bavail, st->f_files,
                                      st->f_ffree, st->f_favail, st->f_flag, st->f_namemax, st->f_fsid};
    for (int i = 0; i < 11; i++)
        PyStructSequence_SET_ITEM(result, i, PyLong_FromUnsignedLong(values[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *os_statvfs(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct posix_path path = POSIX_PATH("statvfs", "path", 0, 1);
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&:statvfs", names, posix_path_convert, &path)) {
        struct statvfs st;
        int rc;
        DETACHED(rc, path.fd != -1 ? fstatvfs(path.fd, &st) : statvfs(path.text, &st));
        result = rc != 0 ? posix_path_error(&path) : statvfs_make(&st);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_fstatvfs(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg), rc;
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    struct statvfs st;
    DETACHED(rc, fstatvfs(fd, &st));
    return rc != 0 ? posix_error() : statvfs_make(&st);
}

static PyObject *os_major(PyObject *module, PyObject *arg)
{
    unsigned long long device = PyLong_AsUnsignedLongLong(arg);
    return device == (unsigned long long)-1 && PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(major(device));
}

static PyObject *os_minor(PyObject *module, PyObject *arg)
{
    unsigned long long device = PyLong_AsUnsignedLongLong(arg);
    return device == (unsigned long long)-1 && PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(minor(device));
}

static PyObject *os_makedev(PyObject *module, PyObject *args)
{
    int a, b;
    if (!PyArg_ParseTuple(args, "ii:makedev", &a, &b))
        return NULL;
    return PyLong_FromUnsignedLongLong(makedev(a, b));
}

PyMethodDef posix_stat_methods[] = {
    KEYWORDS("stat", os_stat, "stat($module, /, path, *, dir_fd=None, follow_symlinks=True)\n--\n\nFacts about a file."),
    KEYWORDS("lstat", os_lstat, "lstat($module, /, path, *, dir_fd=None)\n--\n\nstat() that does not follow a symbolic link."),
    KEYWORDS("fstat", os_fstat, "fstat($module, /, fd)\n--\n\nstat() of an open file."),
    KEYWORDS("statvfs", os_statvfs, "statvfs($module, /, path)\n--\n\nFacts about a file system."),
    {"fstatvfs", os_fstatvfs, METH_O, "fstatvfs($module, fd, /)\n--\n\nstatvfs() of an open file."},
    {"major", os_major, METH_O, "major($module, device, /)\n--\n\nThe major number of a device."},
    {"minor", os_minor, METH_O, "minor($module, device, /)\n--\n\nThe minor number of a device."},
    {"makedev", os_makedev, METH_VARARGS, "makedev($module, major, minor, /)\n--\n\nA device from its two numbers."},
    {NULL},
};
