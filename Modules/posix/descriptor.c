/* Functions on file descriptors. */
#include "posix.h"
#include <pty.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <termios.h>
#include <utmp.h>

static PyObject *none_or_error(int rc) { return rc < 0 ? posix_error() : Py_NewRef(Py_None); }

/* Repeats expression (detached) while it is interrupted. Leaves -1 in rc, and async_failed set if a handler raised. */
#define RETRIED(rc, async_failed, expression) \
    do { \
        DETACHED(rc, expression); \
        (async_failed) = (rc) < 0 ? posix_interrupted() : 0; \
    } while ((async_failed) > 0)

static PyObject *os_open(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "flags", "mode", "dir_fd", NULL};
    struct posix_path path = POSIX_PATH("open", "path", 0, 0);
    int flags, mode = 0777, dir_fd = AT_FDCWD, fd, failed;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&i|i$O&:open", names, posix_path_convert, &path, &flags, &mode,
                                    posix_dir_fd_convert, &dir_fd)
        && PySys_Audit("open", "OOi", path.object, Py_None, flags | O_CLOEXEC) == 0) {
        RETRIED(fd, failed, openat(dir_fd, path.text, flags | O_CLOEXEC, (mode_t)mode));
        if (failed == 0)
            result = fd < 0 ? posix_path_error(&path) : PyLong_FromLong(fd);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_close(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    int fd, rc;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:close", names, &fd))
        return NULL;
    /* Never repeated: after EINTR the descriptor is gone on Linux. */
    DETACHED(rc, close(fd));
    return none_or_error(rc);
}

static PyObject *os_closerange(PyObject *module, PyObject *args)
{
    int low, high;
    if (!PyArg_ParseTuple(args, "ii:closerange", &low, &high))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    if (low < 0)
        low = 0;
    if (high > low && close_range((unsigned)low, (unsigned)high - 1, 0) != 0)
        for (int i = low; i < high; i++)
            close(i);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *os_dup(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    int copy;
    DETACHED(copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return copy < 0 ? posix_error() : PyLong_FromLong(copy);
}

static PyObject *os_dup2(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "fd2", "inheritable", NULL};
    int fd, fd2, inheritable = 1, rc;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ii|p:dup2", names, &fd, &fd2, &inheritable))
        return NULL;
    if (fd < 0 || fd2 < 0) {
        errno = EBADF;
        return posix_error();
    }
    if (inheritable || fd == fd2)
        DETACHED(rc, dup2(fd, fd2));
    else
        DETACHED(rc, dup3(fd, fd2, O_CLOEXEC));
    if (rc >= 0 && fd == fd2 && !inheritable && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        rc = -1;
    return rc < 0 ? posix_error() : PyLong_FromLong(rc);
}

/* ---- reading and writing ---- */

static PyObject *read_result(PyObject *bytes, ssize_t size, int failed)
{
    if (size < 0) {
        Py_DECREF(bytes);
        return failed < 0 ? NULL : posix_error();
    }
    if (size != PyBytes_GET_SIZE(bytes))
        _PyBytes_Resize(&bytes, size);
    return bytes;
}

static PyObject *os_read(PyObject *module, PyObject *args)
{
    int fd, failed;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "in:read", &fd, &length))
        return NULL;
    if (length < 0) {
        errno = EINVAL;
        return posix_error();
    }
    if (length > 0x7ffff000)
        length = 0x7ffff000;        /* the kernel reads no more at once */
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes == NULL)
        return NULL;
    ssize_t size;
    char *buffer = PyBytes_AS_STRING(bytes);
    RETRIED(size, failed, read(fd, buffer, (size_t)length));
    return read_result(bytes, size, failed);
}

static PyObject *os_pread(PyObject *module, PyObject *args)
{
    int fd, failed;
    Py_ssize_t length;
    off_t offset;
    if (!PyArg_ParseTuple(args, "inO&:pread", &fd, &length, posix_off_convert, &offset))
        return NULL;
    if (length < 0) {
        errno = EINVAL;
        return posix_error();
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes == NULL)
        return NULL;
    ssize_t size;
    char *buffer = PyBytes_AS_STRING(bytes);
    RETRIED(size, failed, pread(fd, buffer, (size_t)length, offset));
    return read_result(bytes, size, failed);
}

static PyObject *size_or_error(ssize_t size, int failed)
{
    return failed < 0 ? NULL : size < 0 ? posix_error() : PyLong_FromSsize_t(size);
}

static PyObject *os_write(PyObject *module, PyObject *args)
{
    int fd, failed;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "iy*:write", &fd, &data))
        return NULL;
    ssize_t size;
    size_t length = data.len > 0x7ffff000 ? 0x7ffff000 : (size_t)data.len;
    RETRIED(size, failed, write(fd, data.buf, length));
    PyObject *result = size_or_error(size, failed);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *os_pwrite(PyObject *module, PyObject *args)
{
    int fd, failed;
    Py_buffer data;
    off_t offset;
    if (!PyArg_ParseTuple(args, "iy*O&:pwrite", &fd, &data, posix_off_convert, &offset))
        return NULL;
    ssize_t size;
    RETRIED(size, failed, pwrite(fd, data.buf, (size_t)data.len, offset));
    PyObject *result = size_or_error(size, failed);
    PyBuffer_Release(&data);
    return result;
}

struct vector {
    struct iovec *parts;
    Py_buffer *buffers;
    Py_ssize_t count;           /* buffers held */
};

static void vector_clear(struct vector *vector)
{
    for (Py_ssize_t i = 0; i < vector->count; i++)
        PyBuffer_Release(&vector->buffers[i]);
    PyMem_Free(vector->parts);
    PyMem_Free(vector->buffers);
    *vector = (struct vector){0};
}

static int vector_fill(struct vector *vector, PyObject *sequence, int flags, const char *name)
{
    *vector = (struct vector){0};
    if (!PySequence_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "%s() arg 2 must be a sequence", name);
        return -1;
    }
    PyObject *items = PySequence_Tuple(sequence);
    if (items == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    vector->parts = PyMem_New(struct iovec, n + 1);
    vector->buffers = PyMem_New(Py_buffer, n + 1);
    int result = 0;
    if (vector->parts == NULL || vector->buffers == NULL) {
        PyErr_NoMemory();
        result = -1;
    }
    for (Py_ssize_t i = 0; result == 0 && i < n; i++) {
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(items, i), &vector->buffers[i], flags) < 0) {
            result = -1;
            break;
        }
        vector->parts[i] = (struct iovec){vector->buffers[i].buf, (size_t)vector->buffers[i].len};
        vector->count++;
    }
    Py_DECREF(items);
    if (result < 0)
        vector_clear(vector);
    return result;
}

static PyObject *vector_call(PyObject *args, const char *format, const char *name, int write, int positioned)
{
    int fd, flags = 0, failed;
    PyObject *sequence;
    off_t offset = -1;
    struct vector vector;
    int ok = positioned ? PyArg_ParseTuple(args, format, &fd, &sequence, posix_off_convert, &offset, &flags)
                        : PyArg_ParseTuple(args, format, &fd, &sequence);
    if (!ok || vector_fill(&vector, sequence, write ? PyBUF_SIMPLE : PyBUF_WRITABLE, name) < 0)
        return NULL;
    ssize_t size;
    int n = vector.count > INT_MAX ? INT_MAX : (int)vector.count;
    if (!positioned)
        RETRIED(size, failed, write ? writev(fd, vector.parts, n) : readv(fd, vector.parts, n));
    else
        RETRIED(size, failed, write ? pwritev2(fd, vector.parts, n, offset, flags)
                                    : preadv2(fd, vector.parts, n, offset, flags));
    PyObject *result = size_or_error(size, failed);
    vector_clear(&vector);
    return result;
}

static PyObject *os_readv(PyObject *module, PyObject *args) { return vector_call(args, "iO:readv", "readv", 0, 0); }
static PyObject *os_writev(PyObject *module, PyObject *args) { return vector_call(args, "iO:writev", "writev", 1, 0); }
static PyObject *os_preadv(PyObject *module, PyObject *args)
{
    return vector_call(args, "iOO&|i:preadv", "preadv", 0, 1);
}
static PyObject *os_pwritev(PyObject *module, PyObject *args)
{
    return vector_call(args, "iOO&|i:pwritev", "pwritev", 1, 1);
}

static PyObject *os_lseek(PyObject *module, PyObject *args)
{
    int fd, how;
    off_t position, result;
    if (!PyArg_ParseTuple(args, "iO&i:lseek", &fd, posix_off_convert, &position, &how))
        return NULL;
    DETACHED(result, lseek(fd, position, how));
    return result < 0 ? posix_error() : PyLong_FromLongLong(result);
}

static PyObject *os_sendfile(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"out_fd", "in_fd", "offset", "count", NULL};
    int out, in, failed;
    PyObject *start;
    Py_ssize_t count;
    off_t offset = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iiOn:sendfile", names, &out, &in, &start, &count)
        || (start != Py_None && !posix_off_convert(start, &offset)))
        return NULL;
    ssize_t size;
    RETRIED(size, failed, sendfile(out, in, start != Py_None ? &offset : NULL, (size_t)count));
    return size_or_error(size, failed);
}

static int offset_or_none(PyObject *arg, off64_t *storage, off64_t **result)
{
    if (arg == Py_None) {
        *result = NULL;
        return 0;
    }
    off_t value;
    if (!posix_off_convert(arg, &value))
        return -1;
    *storage = value;
    *result = storage;
    return 0;
}

static PyObject *copy_common(PyObject *args, PyObject *kwargs, int use_splice)
{
    static char *names[] = {"src", "dst", "count", "offset_src", "offset_dst", NULL};
    static char *splice_names[] = {"src", "dst", "count", "offset_src", "offset_dst", "flags", NULL};
    int src, dst, failed;
    unsigned flags = 0;
    Py_ssize_t count;
    PyObject *from = Py_None, *to = Py_None;
    off64_t from_value, to_value, *from_offset, *to_offset;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, use_splice ? "iin|OOI:splice" : "iin|OO:copy_file_range",
                                     use_splice ? splice_names : names, &src, &dst, &count, &from, &to, &flags)
        || offset_or_none(from, &from_value, &from_offset) < 0 || offset_or_none(to, &to_value, &to_offset) < 0)
        return NULL;
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "negative value for 'count' not allowed");
        return NULL;
    }
    ssize_t size;
    RETRIED(size, failed, use_splice ? splice(src, from_offset, dst, to_offset, (size_t)count, flags)
                                     : copy_file_range(src, from_offset, dst, to_offset, (size_t)count, 0));
    return size_or_error(size, failed);
}

static PyObject *os_copy_file_range(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return copy_common(args, kwargs, 0);
}
static PyObject *os_splice(PyObject *module, PyObject *args, PyObject *kwargs) { return copy_common(args, kwargs, 1); }

/* ---- facts and settings ---- */

static PyObject *fd_call(PyObject *args, PyObject *kwargs, const char *format, int (*function)(int))
{
    static char *names[] = {"fd", NULL};
    int fd, rc, failed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, posix_fd_convert, &fd))
        return NULL;
    RETRIED(rc, failed, function(fd));
    return failed < 0 ? NULL : none_or_error(rc);
}
static PyObject *os_fsync(PyObject *m, PyObject *a, PyObject *k) { return fd_call(a, k, "O&:fsync", fsync); }
static PyObject *os_fdatasync(PyObject *m, PyObject *a, PyObject *k) { return fd_call(a, k, "O&:fdatasync", fdatasync); }

static PyObject *os_sync(PyObject *module, PyObject *unused)
{
    Py_BEGIN_ALLOW_THREADS
    sync();
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *os_ftruncate(PyObject *module, PyObject *args)
{
    int fd, rc, failed;
    off_t length;
    if (!PyArg_ParseTuple(args, "iO&:ftruncate", &fd, posix_off_convert, &length)
        || PySys_Audit("os.truncate", "in", fd, (Py_ssize_t)length) < 0)
        return NULL;
    RETRIED(rc, failed, ftruncate(fd, length));
    return failed < 0 ? NULL : none_or_error(rc);
}

static PyObject *os_fchmod(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "mode", NULL};
    int fd, mode, rc, failed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ii:fchmod", names, &fd, &mode)
        || PySys_Audit("os.chmod", "iii", fd, mode, -1) < 0)
        return NULL;
    RETRIED(rc, failed, fchmod(fd, (mode_t)mode));
    return failed < 0 ? NULL : none_or_error(rc);
}

static PyObject *os_fchown(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "uid", "gid", NULL};
    int fd, rc, failed;
    uid_t uid;
    gid_t gid;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iO&O&:fchown", names, &fd, posix_uid_convert, &uid,
                                     posix_gid_convert, &gid))
        return NULL;
    RETRIED(rc, failed, fchown(fd, uid, gid));
    return failed < 0 ? NULL : none_or_error(rc);
}

static PyObject *os_isatty(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    return fd == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(isatty(fd));
}

static PyObject *os_ttyname(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    char name[PATH_MAX];
    int error = ttyname_r(fd, name, sizeof name);
    if (error) {
        errno = error;
        return posix_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *os_get_inheritable(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? posix_error() : PyBool_FromLong(!(flags & FD_CLOEXEC));
}

static PyObject *os_set_inheritable(PyObject *module, PyObject *args)
{
    int fd, inheritable;
    if (!PyArg_ParseTuple(args, "ii:set_inheritable", &fd, &inheritable))
        return NULL;
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0)
        flags = fcntl(fd, F_SETFD, inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC);
    return none_or_error(flags);
}

static PyObject *os_get_blocking(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? posix_error() : PyBool_FromLong(!(flags & O_NONBLOCK));
}

static PyObject *os_set_blocking(PyObject *module, PyObject *args)
{
    int fd, blocking;
    if (!PyArg_ParseTuple(args, "ip:set_blocking", &fd, &blocking))
        return NULL;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        flags = fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
    return none_or_error(flags);
}

static PyObject *os_lockf(PyObject *module, PyObject *args)
{
    int fd, command, rc;
    off_t length;
    if (!PyArg_ParseTuple(args, "iiO&:lockf", &fd, &command, posix_off_convert, &length)
        || PySys_Audit("os.lockf", "iiL", fd, command, (long long)length) < 0)
        return NULL;
    DETACHED(rc, lockf(fd, command, length));
    return none_or_error(rc);
}

static PyObject *os_posix_fallocate(PyObject *module, PyObject *args)
{
    int fd, error;
    off_t offset, length;
    if (!PyArg_ParseTuple(args, "iO&O&:posix_fallocate", &fd, posix_off_convert, &offset, posix_off_convert, &length))
        return NULL;
    DETACHED(error, posix_fallocate(fd, offset, length));
    errno = error;
    return error ? posix_error() : Py_NewRef(Py_None);
}

static PyObject *os_posix_fadvise(PyObject *module, PyObject *args)
{
    int fd, advice, error;
    off_t offset, length;
    if (!PyArg_ParseTuple(args, "iO&O&i:posix_fadvise", &fd, posix_off_convert, &offset, posix_off_convert, &length,
                          &advice))
        return NULL;
    DETACHED(error, posix_fadvise(fd, offset, length, advice));
    errno = error;
    return error ? posix_error() : Py_NewRef(Py_None);
}

/* ---- pipes, terminals, special descriptors ---- */

static PyObject *pair_or_error(int rc, const int fds[2])
{
    return rc < 0 ? posix_error() : Py_BuildValue("(ii)", fds[0], fds[1]);
}

static PyObject *os_pipe(PyObject *module, PyObject *unused)
{
    int fds[2], rc = pipe2(fds, O_CLOEXEC);
    return pair_or_error(rc, fds);
}

static PyObject *os_pipe2(PyObject *module, PyObject *arg)
{
    int flags = _PyLong_AsInt(arg), fds[2];
    if (flags == -1 && PyErr_Occurred())
        return NULL;
    int rc = pipe2(fds, flags);
    return pair_or_error(rc, fds);
}

static PyObject *os_openpty(PyObject *module, PyObject *unused)
{
    int fds[2], rc = openpty(&fds[0], &fds[1], NULL, NULL, NULL);
    if (rc == 0) {
        fcntl(fds[0], F_SETFD, FD_CLOEXEC);
        fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    }
    return pair_or_error(rc, fds);
}

static PyObject *os_login_tty(PyObject *module, PyObject *arg)
{
    int fd = PyObject_AsFileDescriptor(arg);
    return fd < 0 ? NULL : none_or_error(login_tty(fd));
}

static PyObject *os_tcgetpgrp(PyObject *module, PyObject *arg)
{
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    pid_t group = tcgetpgrp(fd);
    return group < 0 ? posix_error() : PyLong_FromLong(group);
}

static PyObject *os_tcsetpgrp(PyObject *module, PyObject *args)
{
    int fd, group;
    if (!PyArg_ParseTuple(args, "ii:tcsetpgrp", &fd, &group))
        return NULL;
    return none_or_error(tcsetpgrp(fd, group));
}

static PyObject *os_memfd_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "flags", NULL};
    PyObject *name;
    unsigned flags = MFD_CLOEXEC;
    int fd;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|I:memfd_create", names, PyUnicode_FSConverter, &name, &flags))
        return NULL;
    const char *text = PyBytes_AS_STRING(name);
    DETACHED(fd, memfd_create(text, flags));
    Py_DECREF(name);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

static PyObject *os_eventfd(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"initval", "flags", NULL};
    unsigned value;
    int flags = EFD_CLOEXEC;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "I|i:eventfd", names, &value, &flags))
        return NULL;
    int fd = eventfd(value, flags);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

static PyObject *os_eventfd_read(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    int fd, rc;
    eventfd_t value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:eventfd_read", names, posix_fd_convert, &fd))
        return NULL;
    DETACHED(rc, eventfd_read(fd, &value));
    return rc < 0 ? posix_error() : PyLong_FromUnsignedLongLong(value);
}

static PyObject *os_eventfd_write(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "value", NULL};
    int fd, rc;
    unsigned long long value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&K:eventfd_write", names, posix_fd_convert, &fd, &value))
        return NULL;
    DETACHED(rc, eventfd_write(fd, value));
    return none_or_error(rc);
}

PyMethodDef posix_descriptor_methods[] = {
    KEYWORDS("open", os_open, "open($module, /, path, flags, mode=511, *, dir_fd=None)\n--\n\nOpens a file; its descriptor."),
    KEYWORDS("close", os_close, "close($module, /, fd)\n--\n\nCloses a descriptor."),
    {"closerange", os_closerange, METH_VARARGS, "closerange($module, fd_low, fd_high, /)\n--\n\nCloses a range."},
    {"dup", os_dup, METH_O, "dup($module, fd, /)\n--\n\nAnother descriptor of the same file."},
    KEYWORDS("dup2", os_dup2, "dup2($module, /, fd, fd2, inheritable=True)\n--\n\nMakes fd2 a descriptor of the same file."),
    {"read", os_read, METH_VARARGS, "read($module, fd, length, /)\n--\n\nReads at most length bytes."},
    {"pread", os_pread, METH_VARARGS, "pread($module, fd, length, offset, /)\n--\n\nReads at a position."},
    {"write", os_write, METH_VARARGS, "write($module, fd, data, /)\n--\n\nWrites; returns the number of bytes written."},
    {"pwrite", os_pwrite, METH_VARARGS, "pwrite($module, fd, data, offset, /)\n--\n\nWrites at a position."},
    {"readv", os_readv, METH_VARARGS, "readv($module, fd, buffers, /)\n--\n\nReads into several buffers."},
    {"writev", os_writev, METH_VARARGS, "writev($module, fd, buffers, /)\n--\n\nWrites several buffers."},
    {"preadv", os_preadv, METH_VARARGS, "preadv($module, fd, buffers, offset, flags=0, /)\n--\n\nreadv() at a position."},
    {"pwritev", os_pwritev, METH_VARARGS, "pwritev($module, fd, buffers, offset, flags=0, /)\n--\n\nwritev() at a position."},
    {"lseek", os_lseek, METH_VARARGS, "lseek($module, fd, position, how, /)\n--\n\nMoves the position."},
    KEYWORDS("sendfile", os_sendfile, "Copies between descriptors in the kernel."),
    KEYWORDS("copy_file_range", os_copy_file_range, "Copies between files in the kernel."),
    KEYWORDS("splice", os_splice, "Moves bytes between a pipe and a descriptor."),
    KEYWORDS("fsync", os_fsync, "fsync($module, /, fd)\n--\n\nForces a file to disk."),
    KEYWORDS("fdatasync", os_fdatasync, "fdatasync($module, /, fd)\n--\n\nForces a file's data to disk."),
    {"sync", os_sync, METH_NOARGS, "sync($module, /)\n--\n\nForces everything to disk."},
    {"ftruncate", os_ftruncate, METH_VARARGS, "ftruncate($module, fd, length, /)\n--\n\nSets the size of an open file."},
    KEYWORDS("fchmod", os_fchmod, "fchmod($module, /, fd, mode)\n--\n\nchmod() of an open file."),
    KEYWORDS("fchown", os_fchown, "fchown($module, /, fd, uid, gid)\n--\n\nchown() of an open file."),
    {"isatty", os_isatty, METH_O, "isatty($module, fd, /)\n--\n\nIs it a terminal?"},
    {"ttyname", os_ttyname, METH_O, "ttyname($module, fd, /)\n--\n\nThe name of a terminal."},
    {"get_inheritable", os_get_inheritable, METH_O, "get_inheritable($module, fd, /)\n--\n\nWill new programs have it?"},
    {"set_inheritable", os_set_inheritable, METH_VARARGS,
     "set_inheritable($module, fd, inheritable, /)\n--\n\nSets whether new programs have it."},
    {"get_blocking", os_get_blocking, METH_O, "get_blocking($module, fd, /)\n--\n\nDo reads wait?"},
    {"set_blocking", os_set_blocking, METH_VARARGS, "set_blocking($module, fd, blocking, /)\n--\n\nSets whether reads wait."},
    {"lockf", os_lockf, METH_VARARGS, "lockf($module, fd, command, length, /)\n--\n\nLocks part of a file."},
    {"posix_fallocate", os_posix_fallocate, METH_VARARGS,
     "posix_fallocate($module, fd, offset, length, /)\n--\n\nReserves room on disk."},
    {"posix_fadvise", os_posix_fadvise, METH_VARARGS,
     "posix_fadvise($module, fd, offset, length, advice, /)\n--\n\nTells the kernel how a file will be used."},
    {"pipe", os_pipe, METH_NOARGS, "pipe($module, /)\n--\n\nMakes a pipe: (reading end, writing end)."},
    {"pipe2", os_pipe2, METH_O, "pipe2($module, flags, /)\n--\n\npipe() with flags."},
    {"openpty", os_openpty, METH_NOARGS, "openpty($module, /)\n--\n\nMakes a pseudo-terminal: (master, slave)."},
    {"login_tty", os_login_tty, METH_O, "login_tty($module, fd, /)\n--\n\nMakes a terminal that of this session."},
    {"tcgetpgrp", os_tcgetpgrp, METH_O, "tcgetpgrp($module, fd, /)\n--\n\nThe foreground group of a terminal."},
    {"tcsetpgrp", os_tcsetpgrp, METH_VARARGS, "tcsetpgrp($module, fd, pgid, /)\n--\n\nSets the foreground group."},
    KEYWORDS("memfd_create", os_memfd_create, "A file that lives in memory."),
    KEYWORDS("eventfd", os_eventfd, "A descriptor that counts events."),
    KEYWORDS("eventfd_read", os_eventfd_read, "eventfd_read($module, /, fd)\n--\n\nTakes the count."),
    KEYWORDS("eventfd_write", os_eventfd_write, "eventfd_write($module, /, fd, value)\n--\n\nAdds to the count."),
    {NULL},
};
