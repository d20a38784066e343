/* Functions on files by name. */
#include "posix.h"
#include <math.h>
#include <stdio.h>
#include <sys/sysmacros.h>

/* ---- one path and dir_fd ---- */

#define DONE_PATH(path, rc) ((rc) < 0 ? posix_path_error(&(path)) : Py_NewRef(Py_None))

static PyObject *os_mkdir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "mode", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("mkdir", "path", 0, 0);
    int mode = 0777, dir_fd = AT_FDCWD, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|i$O&:mkdir", names, posix_path_convert, &path, &mode,
                                    posix_dir_fd_convert, &dir_fd)
        && PySys_Audit("os.mkdir", "Oii", path.object, mode, dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        DETACHED(rc, mkdirat(dir_fd, path.text, (mode_t)mode));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *unlink_common(PyObject *args, PyObject *kwargs, const char *format, const char *name, int flag)
{
    static char *names[] = {"path", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH(name, "path", 0, 0);
    int dir_fd = AT_FDCWD, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, format, names, posix_path_convert, &path, posix_dir_fd_convert,
                                    &dir_fd)
        && PySys_Audit(flag ? "os.rmdir" : "os.remove", "Oi", path.object, dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        DETACHED(rc, unlinkat(dir_fd, path.text, flag));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_rmdir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return unlink_common(args, kwargs, "O&|$O&:rmdir", "rmdir", AT_REMOVEDIR);
}
static PyObject *os_unlink(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return unlink_common(args, kwargs, "O&|$O&:unlink", "unlink", 0);
}
static PyObject *os_remove(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return unlink_common(args, kwargs, "O&|$O&:remove", "remove", 0);
}

static PyObject *os_mkfifo(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "mode", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("mkfifo", "path", 0, 0);
    int mode = 0666, dir_fd = AT_FDCWD, rc, again;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|i$O&:mkfifo", names, posix_path_convert, &path, &mode,
                                    posix_dir_fd_convert, &dir_fd)) {
        do {
            DETACHED(rc, mkfifoat(dir_fd, path.text, (mode_t)mode));
            again = rc < 0 ? posix_interrupted() : 0;
        } while (again > 0);
        if (again == 0)
            result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_mknod(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "mode", "device", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("mknod", "path", 0, 0);
    int mode = 0600, dir_fd = AT_FDCWD, rc;
    unsigned long long device = 0;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|iK$O&:mknod", names, posix_path_convert, &path, &mode, &device,
                                    posix_dir_fd_convert, &dir_fd)) {
        DETACHED(rc, mknodat(dir_fd, path.text, (mode_t)mode, (dev_t)device));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_readlink(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("readlink", "path", 0, 0);
    int dir_fd = AT_FDCWD;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$O&:readlink", names, posix_path_convert, &path,
                                    posix_dir_fd_convert, &dir_fd)) {
        char buffer[PATH_MAX + 1];
        ssize_t size;
        DETACHED(size, readlinkat(dir_fd, path.text, buffer, PATH_MAX));
        result = size < 0 ? posix_path_error(&path) : posix_name_make(buffer, size, path.given_bytes);
    }
    posix_path_clear(&path);
    return result;
}

static int refuse_fd_and_links(struct posix_path *path, int dir_fd, int follow)
{
    const char *what = path->fd == -1 ? NULL : dir_fd != AT_FDCWD ? "can't specify dir_fd without matching path"
                                             : !follow            ? "cannot use fd and follow_symlinks together"
                                                                  : NULL;
    if (what == NULL)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s: %s", path->function, what);
    return -1;
}

static PyObject *os_chmod(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "mode", "dir_fd", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("chmod", "path", 0, 1);
    int mode, dir_fd = AT_FDCWD, follow = 1, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&i|$O&p:chmod", names, posix_path_convert, &path, &mode,
                                    posix_dir_fd_convert, &dir_fd, &follow)
        && refuse_fd_and_links(&path, dir_fd, 1) == 0
        && PySys_Audit("os.chmod", "Oii", path.object, mode, dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        if (!follow) {
            PyErr_SetString(PyExc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
        }
        else {
            DETACHED(rc, path.fd != -1 ? fchmod(path.fd, (mode_t)mode) : fchmodat(dir_fd, path.text, (mode_t)mode, 0));
            result = DONE_PATH(path, rc);
        }
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_chown(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "uid", "gid", "dir_fd", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("chown", "path", 0, 1);
    int dir_fd = AT_FDCWD, follow = 1, rc;
    uid_t uid;
    gid_t gid;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&O&|$O&p:chown", names, posix_path_convert, &path,
                                    posix_uid_convert, &uid, posix_gid_convert, &gid, posix_dir_fd_convert, &dir_fd,
                                    &follow)
        && refuse_fd_and_links(&path, dir_fd, follow) == 0
        && PySys_Audit("os.chown", "OIIi", path.object, uid, gid, dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        DETACHED(rc, path.fd != -1 ? fchown(path.fd, uid, gid)
                                   : fchownat(dir_fd, path.text, uid, gid, follow ? 0 : AT_SYMLINK_NOFOLLOW));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_lchown(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "uid", "gid", NULL};
    struct posix_path path = POSIX_PATH("lchown", "path", 0, 0);
    uid_t uid;
    gid_t gid;
    int rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&O&:lchown", names, posix_path_convert, &path,
                                    posix_uid_convert, &uid, posix_gid_convert, &gid)) {
        DETACHED(rc, lchown(path.text, uid, gid));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_chroot(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct posix_path path = POSIX_PATH("chroot", "path", 0, 0);
    int rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&:chroot", names, posix_path_convert, &path)) {
        DETACHED(rc, chroot(path.text));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_truncate(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "length", NULL};
    struct posix_path path = POSIX_PATH("truncate", "path", 0, 1);
    off_t length;
    int rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&:truncate", names, posix_path_convert, &path,
                                    posix_off_convert, &length)
        && PySys_Audit("os.truncate", "On", path.object, (Py_ssize_t)length) == 0) {
        DETACHED(rc, path.fd != -1 ? ftruncate(path.fd, length) : truncate(path.text, length));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_access(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "mode", "dir_fd", "effective_ids", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("access", "path", 0, 0);
    int mode, dir_fd = AT_FDCWD, effective = 0, follow = 1, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&i|$O&pp:access", names, posix_path_convert, &path, &mode,
                                    posix_dir_fd_convert, &dir_fd, &effective, &follow)) {
        DETACHED(rc, faccessat(dir_fd, path.text, mode,
                               (effective ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW)));
        result = PyBool_FromLong(rc == 0);
    }
    posix_path_clear(&path);
    return result;
}

/* ---- two paths ---- */

static PyObject *rename_common(PyObject *args, PyObject *kwargs, const char *format, const char *name)
{
    static char *names[] = {"src", "dst", "src_dir_fd", "dst_dir_fd", NULL};
    struct posix_path src = POSIX_PATH(name, "src", 0, 0), dst = POSIX_PATH(name, "dst", 0, 0);
    int src_fd = AT_FDCWD, dst_fd = AT_FDCWD, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, format, names, posix_path_convert, &src, posix_path_convert, &dst,
                                    posix_dir_fd_convert, &src_fd, posix_dir_fd_convert, &dst_fd)
        && PySys_Audit("os.rename", "OOii", src.object, dst.object, src_fd == AT_FDCWD ? -1 : src_fd,
                       dst_fd == AT_FDCWD ? -1 : dst_fd) == 0) {
        DETACHED(rc, renameat(src_fd, src.text, dst_fd, dst.text));
        result = rc < 0 ? posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    posix_path_clear(&src);
    posix_path_clear(&dst);
    return result;
}

static PyObject *os_rename(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return rename_common(args, kwargs, "O&O&|$O&O&:rename", "rename");
}
static PyObject *os_replace(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return rename_common(args, kwargs, "O&O&|$O&O&:replace", "replace");
}

static PyObject *os_link(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"src", "dst", "src_dir_fd", "dst_dir_fd", "follow_symlinks", NULL};
    struct posix_path src = POSIX_PATH("link", "src", 0, 0), dst = POSIX_PATH("link", "dst", 0, 0);
    int src_fd = AT_FDCWD, dst_fd = AT_FDCWD, follow = 1, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&|$O&O&p:link", names, posix_path_convert, &src,
                                    posix_path_convert, &dst, posix_dir_fd_convert, &src_fd, posix_dir_fd_convert,
                                    &dst_fd, &follow)
        && PySys_Audit("os.link", "OOii", src.object, dst.object, src_fd == AT_FDCWD ? -1 : src_fd,
                       dst_fd == AT_FDCWD ? -1 : dst_fd) == 0) {
        if (src_fd != AT_FDCWD || dst_fd != AT_FDCWD || !follow)
            DETACHED(rc, linkat(src_fd, src.text, dst_fd, dst.text, follow ? AT_SYMLINK_FOLLOW : 0));
        else
            DETACHED(rc, link(src.text, dst.text));
        result = rc < 0 ? posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    posix_path_clear(&src);
    posix_path_clear(&dst);
    return result;
}

static PyObject *os_symlink(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"src", "dst", "target_is_directory", "dir_fd", NULL};
    struct posix_path src = POSIX_PATH("symlink", "src", 0, 0), dst = POSIX_PATH("symlink", "dst", 0, 0);
    int is_directory = 0, dir_fd = AT_FDCWD, rc;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&|p$O&:symlink", names, posix_path_convert, &src,
                                    posix_path_convert, &dst, &is_directory, posix_dir_fd_convert, &dir_fd)
        && PySys_Audit("os.symlink", "OOi", src.object, dst.object, dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        DETACHED(rc, symlinkat(src.text, dir_fd, dst.text));
        result = rc < 0 ? posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    posix_path_clear(&src);
    posix_path_clear(&dst);
    return result;
}

/* ---- utime ---- */

static int timespec_from_seconds(PyObject *arg, struct timespec *ts)
{
    if (!PyFloat_Check(arg)) {
        long long seconds = PyLong_AsLongLong(arg);
        if (seconds == -1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError))
                PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *ts = (struct timespec){seconds, 0};
        return 0;
    }
    double value = PyFloat_AsDouble(arg), whole, part = modf(value, &whole);
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    long nanoseconds = (long)floor(part * 1e9);
    if (nanoseconds < 0) {
        nanoseconds += 1000000000;
        whole -= 1;
    }
    if (!(whole >= -0x1p63 && whole < 0x1p63)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    *ts = (struct timespec){(time_t)whole, nanoseconds};
    return 0;
}

static int timespec_from_ns(PyObject *arg, struct timespec *ts)
{
    PyObject *billion = PyLong_FromLong(1000000000);
    PyObject *parts = billion != NULL ? PyNumber_Divmod(arg, billion) : NULL;
    Py_XDECREF(billion);
    if (parts == NULL)
        return -1;
    int result = -1;
    if (!PyTuple_Check(parts) || PyTuple_GET_SIZE(parts) != 2) {
        PyErr_Format(PyExc_TypeError, "%.200s.__divmod__() must return a 2-tuple, not %.200s",
                     Py_TYPE(arg)->tp_name, Py_TYPE(parts)->tp_name);
    }
    else {
        ts->tv_sec = PyLong_AsLong(PyTuple_GET_ITEM(parts, 0));
        if (ts->tv_sec != -1 || !PyErr_Occurred()) {
            ts->tv_nsec = PyLong_AsLong(PyTuple_GET_ITEM(parts, 1));
            if (ts->tv_nsec != -1 || !PyErr_Occurred())
                result = 0;
        }
    }
    Py_DECREF(parts);
    return result;
}

static int utime_times(PyObject *times, PyObject *ns, struct timespec ts[2])
{
    if (times != Py_None && ns != NULL) {
        PyErr_SetString(PyExc_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
        return -1;
    }
    ts[0] = ts[1] = (struct timespec){0, UTIME_NOW};
    PyObject *pair = ns != NULL ? ns : times;
    if (pair == Py_None && ns == NULL)
        return 0;
    if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, ns != NULL ? "utime: 'ns' must be a tuple of two ints"
                                                    : "utime: 'times' must be either a tuple of two ints or None");
        return -1;
    }
    for (int i = 0; i < 2; i++)
        if ((ns != NULL ? timespec_from_ns : timespec_from_seconds)(PyTuple_GET_ITEM(pair, i), &ts[i]) < 0)
            return -1;
    return 0;
}

static PyObject *os_utime(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "times", "ns", "dir_fd", "follow_symlinks", NULL};
    struct posix_path path = POSIX_PATH("utime", "path", 0, 1);
    PyObject *times = Py_None, *ns = NULL, *result = NULL;
    int dir_fd = AT_FDCWD, follow = 1, rc;
    struct timespec ts[2];
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&|O$OO&p:utime", names, posix_path_convert, &path, &times, &ns,
                                    posix_dir_fd_convert, &dir_fd, &follow)
        && utime_times(times, ns, ts) == 0 && refuse_fd_and_links(&path, dir_fd, follow) == 0
        && PySys_Audit("os.utime", "OOOi", path.object, times, ns != NULL ? ns : Py_None,
                       dir_fd == AT_FDCWD ? -1 : dir_fd) == 0) {
        DETACHED(rc, path.fd != -1 ? futimens(path.fd, ts)
                                   : utimensat(dir_fd, path.text, ts, follow ? 0 : AT_SYMLINK_NOFOLLOW));
        result = DONE_PATH(path, rc);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_fspath(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    PyObject *path;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O:fspath", names, &path) ? PyOS_FSPath(path) : NULL;
}

PyMethodDef posix_file_methods[] = {
    KEYWORDS("mkdir", os_mkdir, "mkdir($module, /, path, mode=511, *, dir_fd=None)\n--\n\nMakes a directory."),
    KEYWORDS("rmdir", os_rmdir, "rmdir($module, /, path, *, dir_fd=None)\n--\n\nRemoves an empty directory."),
    KEYWORDS("unlink", os_unlink, "unlink($module, /, path, *, dir_fd=None)\n--\n\nRemoves a file."),
    KEYWORDS("remove", os_remove, "remove($module, /, path, *, dir_fd=None)\n--\n\nRemoves a file."),
    KEYWORDS("mkfifo", os_mkfifo, "mkfifo($module, /, path, mode=438, *, dir_fd=None)\n--\n\nMakes a named pipe."),
    KEYWORDS("mknod", os_mknod, "mknod($module, /, path, mode=384, device=0, *, dir_fd=None)\n--\n\nMakes a special file."),
    KEYWORDS("readlink", os_readlink, "readlink($module, /, path, *, dir_fd=None)\n--\n\nThe target of a symbolic link."),
    KEYWORDS("chmod", os_chmod,
             "chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)\n--\n\nSets the access rights of a file."),
    KEYWORDS("chown", os_chown,
             "chown($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)\n--\n\nSets the owner of a file."),
    KEYWORDS("lchown", os_lchown, "lchown($module, /, path, uid, gid)\n--\n\nchown() of a link itself."),
    KEYWORDS("chroot", os_chroot, "chroot($module, /, path)\n--\n\nChanges the root directory."),
    KEYWORDS("truncate", os_truncate, "truncate($module, /, path, length)\n--\n\nSets the size of a file."),
    KEYWORDS("access", os_access, "access($module, /, path, mode, *, dir_fd=None, effective_ids=False, "
                                  "follow_symlinks=True)\n--\n\nMay this process use the file so?"),
    KEYWORDS("rename", os_rename, "rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRenames a file."),
    KEYWORDS("replace", os_replace, "replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRenames a "
                                    "file over another."),
    KEYWORDS("link", os_link, "link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)\n"
                              "--\n\nGives a file another name."),
    KEYWORDS("symlink", os_symlink, "symlink($module, /, src, dst, target_is_directory=False, *, dir_fd=None)\n--\n\n"
                                    "Makes a symbolic link."),
    KEYWORDS("utime", os_utime, "Sets the times of access and modification of a file."),
    KEYWORDS("fspath", os_fspath, "fspath($module, /, path)\n--\n\nThe text of a path-like object."),
    {NULL},
};
