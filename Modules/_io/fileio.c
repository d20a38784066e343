/* FileIO: a file descriptor as a raw stream. */
#include "io_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux transfers at most this much in one call. */
#define TRANSFER_MAX ((Py_ssize_t)0x7ffff000)
#define FIRST_READALL_SIZE 8192
/* From this size on readall() grows its buffer by an eighth and not by doubling. */
#define SLOW_GROWTH_SIZE 65536

typedef struct {
    IO_OBJECT_HEAD
    int fd;                  /* [lock] -1: closed or not opened */
    /* [atomic] fixed by __init__, which may be called again: io_flag reads them */
    char created, readable, writable, appending, closefd;
    char finalizing;         /* [atomic] */
    signed char seekable;    /* [atomic] -1: not known yet */
    unsigned blksize;        /* [atomic] */
} io_fileio;

/* ---- the descriptor ---- */

static int current_fd(io_fileio *self)
{
    return __atomic_load_n(&self->fd, __ATOMIC_ACQUIRE);      /* pairs with fileio_init */
}

static int get_seekable(io_fileio *self)
{
    return __atomic_load_n(&self->seekable, __ATOMIC_RELAXED);
}

static void set_seekable(io_fileio *self, int seekable)
{
    __atomic_store_n(&self->seekable, (signed char)seekable, __ATOMIC_RELAXED);
}

bool fileio_is_closed(PyObject *op)
{
    return current_fd((io_fileio *)op) < 0;
}

/* The descriptor, or -1 with ValueError set. */
static int open_fd(io_fileio *self)
{
    int fd = current_fd(self);
    if (fd < 0)
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    return fd;
}

static PyObject *wrong_mode(const char *action)
{
    PyErr_Format(io_unsupported_operation, "File not open for %s", action);
    return NULL;
}

/* Takes the descriptor out of self, for good; -1 when another thread was first. */
static int take_fd(io_fileio *self)
{
    return __atomic_exchange_n(&self->fd, -1, __ATOMIC_ACQ_REL);
}

static int close_fd(io_fileio *self)
{
    int fd = take_fd(self);
    if (fd < 0)
        return 0;
    int failed, code;
    Py_BEGIN_ALLOW_THREADS
    failed = close(fd);
    code = errno;
    Py_END_ALLOW_THREADS
    if (failed < 0) {
        errno = code;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

/* ---- opening ---- */

static PyObject *fileio_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    io_fileio *self = (io_fileio *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->fd = -1;
        self->seekable = -1;
        self->closefd = 1;
    }
    return (PyObject *)self;
}

/* Sets the access fields from a mode string. Returns open() flags, or -1 with ValueError set. */
static int parse_mode(io_fileio *self, const char *mode)
{
    int kinds = 0, plus = 0, flags = 0;
    bool readable = false, writable = false, created = false, appending = false;

    for (const char *c = mode; *c != 0; c++) {
        switch (*c) {
        case 'x':
            kinds++;
            created = writable = true;
            flags |= O_EXCL | O_CREAT;
            break;
        case 'r':
            kinds++;
            readable = true;
            break;
        case 'w':
            kinds++;
            writable = true;
            flags |= O_CREAT | O_TRUNC;
            break;
        case 'a':
            kinds++;
            appending = writable = true;
            flags |= O_APPEND | O_CREAT;
            break;
        case 'b':
            break;
        case '+':
            plus++;
            break;
        default:
            PyErr_Format(PyExc_ValueError, "invalid mode: %.200s", mode);
            return -1;
        }
        if (kinds > 1 || plus > 1)
            break;
    }
    if (kinds != 1 || plus > 1) {
        PyErr_SetString(PyExc_ValueError,
                        "Must have exactly one of create/read/write/append mode and at most one plus");
        return -1;
    }
    if (plus)
        readable = writable = true;
    io_flag_set(&self->created, created);
    io_flag_set(&self->readable, readable);
    io_flag_set(&self->writable, writable);
    io_flag_set(&self->appending, appending);
    flags |= readable && writable ? O_RDWR : (readable ? O_RDONLY : O_WRONLY);
    return flags | O_CLOEXEC;
}

/* Calls opener(name, flags). Returns a descriptor, or -1 with an exception set. */
static int open_by_opener(PyObject *opener, PyObject *name, int flags)
{
    PyObject *result = PyObject_CallFunction(opener, "Oi", name, flags);
    if (result == NULL)
        return -1;
    if (!PyLong_Check(result)) {
        Py_DECREF(result);
        PyErr_SetString(PyExc_TypeError, "expected integer from opener");
        return -1;
    }
    int fd = -1;
    int failed = io_int(result, &fd);
    Py_DECREF(result);
    if (failed)
        return -1;
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "opener returned %d", fd);
        return -1;
    }
    int fd_flags = fcntl(fd, F_GETFD);
    if (fd_flags < 0 || fcntl(fd, F_SETFD, fd_flags | FD_CLOEXEC) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        close(fd);
        return -1;
    }
    return fd;
}

static int open_by_name(PyObject *name, int flags)
{
    PyObject *path;
    if (!PyUnicode_FSConverter(name, &path))
        return -1;
    int fd, code = 0;
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        fd = open(PyBytes_AS_STRING(path), flags, 0666);
        code = errno;
        Py_END_ALLOW_THREADS
        if (fd >= 0 || code != EINTR)
            break;
        if (PyErr_CheckSignals() < 0) {
            Py_DECREF(path);
            return -1;
        }
    }
    Py_DECREF(path);
    if (fd < 0) {
        errno = code;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, name);
    }
    return fd;
}

/* Checks what was opened. 0, or -1 with an exception set. */
static int examine_fd(io_fileio *self, int fd, PyObject *name)
{
    struct stat status;
    int failed, code;
    Py_BEGIN_ALLOW_THREADS
    failed = fstat(fd, &status);
    code = errno;
    Py_END_ALLOW_THREADS
    unsigned blksize = IO_DEFAULT_BUFFER_SIZE;
    if (!failed && !S_ISDIR(status.st_mode) && status.st_blksize > 1)
        blksize = (unsigned)status.st_blksize;
    __atomic_store_n(&self->blksize, blksize, __ATOMIC_RELAXED);
    if (failed < 0) {
        /* Only a bad descriptor is certain to be of no use. */
        if (code != EBADF)
            return 0;
        errno = code;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, name);
        return -1;
    }
    return 0;
}

/* Finds out whether `file` is a descriptor. 1: *fd is set; 0: it is a name; -1: an exception is set. */
static int descriptor_given(PyObject *file, int *fd)
{
    if (!PyLong_Check(file))
        return 0;
    int overflow;
    long value = PyLong_AsLongAndOverflow(file, &overflow);
    if (overflow != 0 || value > INT_MAX || value < INT_MIN)
        return 0;
    if (value < 0) {
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
        return -1;
    }
    *fd = (int)value;
    return 1;
}

static int fileio_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "file", "mode", "closefd", "opener", NULL };
    io_fileio *self = (io_fileio *)op;
    PyObject *name, *opener = Py_None;
    const char *mode = "r";
    int closefd = 1, fd = -1;

    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|spO:FileIO", keywords, &name, &mode, &closefd, &opener))
        return -1;
    /* A second __init__ first lets go of the old file. */
    if (current_fd(self) >= 0) {
        if (!io_flag(&self->closefd))
            take_fd(self);
        else if (close_fd(self) < 0)
            return -1;
    }
    int given = descriptor_given(name, &fd);
    if (given < 0)
        return -1;
    int flags = parse_mode(self, mode);
    if (flags < 0)
        return -1;
    io_flag_set(&self->closefd, closefd != 0);
    set_seekable(self, -1);
    if (PySys_Audit("open", "Osi", name, mode, flags) < 0)
        return -1;

    if (!given) {
        if (!closefd) {
            PyErr_SetString(PyExc_ValueError, "Cannot use closefd=False with file name");
            return -1;
        }
        fd = opener == Py_None ? open_by_name(name, flags) : open_by_opener(opener, name, flags);
        if (fd < 0)
            return -1;
    }
    if (examine_fd(self, fd, name) < 0 || PyObject_SetAttr(op, io_str.name, name) < 0)
        goto failed;
    if (io_flag(&self->appending)) {
        /* So that tell() tells the truth from the start; a pipe has no end to go to. */
        if (lseek(fd, 0, SEEK_END) < 0 && errno != ESPIPE) {
            PyErr_SetFromErrno(PyExc_OSError);
            goto failed;
        }
    }
    int none = -1;
    if (__atomic_compare_exchange_n(&self->fd, &none, fd, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "another call of FileIO.__init__() has opened a file meanwhile");
failed:
    if (!given)
        close(fd);
    return -1;
}

/* ---- reading and writing ---- */

Py_ssize_t fileio_readinto(PyObject *op, char *buf, Py_ssize_t len)
{
    io_fileio *self = (io_fileio *)op;
    if (open_fd(self) < 0)
        return -1;
    if (!io_flag(&self->readable)) {
        wrong_mode("reading");
        return -1;
    }
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    for (;;) {
        ssize_t got;
        int fd = current_fd(self), code;
        Py_BEGIN_ALLOW_THREADS
        got = read(fd, buf, (size_t)len);
        code = errno;
        Py_END_ALLOW_THREADS
        if (got >= 0)
            return got;
        if (code == EAGAIN)
            return IO_WOULD_BLOCK;
        if (code != EINTR) {
            errno = code;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
}

Py_ssize_t fileio_write(PyObject *op, const char *buf, Py_ssize_t len)
{
    io_fileio *self = (io_fileio *)op;
    if (open_fd(self) < 0)
        return -1;
    if (!io_flag(&self->writable)) {
        wrong_mode("writing");
        return -1;
    }
    if (len > TRANSFER_MAX)
        len = TRANSFER_MAX;
    for (;;) {
        ssize_t written;
        int fd = current_fd(self), code;
        Py_BEGIN_ALLOW_THREADS
        written = write(fd, buf, (size_t)len);
        code = errno;
        Py_END_ALLOW_THREADS
        if (written >= 0)
            return written;
        if (code == EAGAIN)
            return IO_WOULD_BLOCK;
        if (code != EINTR) {
            errno = code;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
}

/* The int that a method returns for a count of bytes, None when the call would have blocked. */
static PyObject *count_object(Py_ssize_t count)
{
    if (count == IO_WOULD_BLOCK)
        Py_RETURN_NONE;
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *fileio_readinto_method(PyObject *op, PyObject *target)
{
    Py_buffer view;
    if (io_writable_buffer("readinto", target, &view) < 0)
        return NULL;
    Py_ssize_t got = fileio_readinto(op, view.buf, view.len);
    PyBuffer_Release(&view);
    return count_object(got);
}

static PyObject *fileio_write_method(PyObject *op, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_ssize_t written = fileio_write(op, view.buf, view.len);
    PyBuffer_Release(&view);
    return count_object(written);
}

/* How much room readall() starts with: the rest of the file and one byte, so that the end is noticed. */
static size_t expected_rest(int fd)
{
    struct stat status;
    off_t position;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    position = lseek(fd, 0, SEEK_CUR);
    failed = fstat(fd, &status);
    Py_END_ALLOW_THREADS
    if (failed == 0 && position >= 0 && status.st_size >= position &&
        status.st_size - position < PY_SSIZE_T_MAX)
        return (size_t)(status.st_size - position) + 1;
    return FIRST_READALL_SIZE;
}

PyObject *fileio_readall(PyObject *op)
{
    io_fileio *self = (io_fileio *)op;
    int fd = open_fd(self);
    if (fd < 0)
        return NULL;
    size_t room = expected_rest(fd);
    size_t used = 0;
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (result == NULL)
        return NULL;
    bool readable = io_flag(&self->readable);
    for (;;) {
        if (used >= room) {
            size_t more = room > SLOW_GROWTH_SIZE ? room >> 3 : room + 256;
            if (more < FIRST_READALL_SIZE)
                more = FIRST_READALL_SIZE;
            if (room + more > PY_SSIZE_T_MAX) {
                Py_DECREF(result);
                PyErr_SetString(PyExc_OverflowError, "unbounded read returned more bytes than a Python bytes object "
                                                     "can hold");
                return NULL;
            }
            room += more;
            if (_PyBytes_Resize(&result, (Py_ssize_t)room) < 0)
                return NULL;
        }
        Py_ssize_t got;
        if (readable)
            got = fileio_readinto(op, PyBytes_AS_STRING(result) + used, (Py_ssize_t)(room - used));
        else {
            /* As the system call would answer. */
            errno = EBADF;
            PyErr_SetFromErrno(PyExc_OSError);
            got = -1;
        }
        if (got == 0)
            break;
        if (got == IO_WOULD_BLOCK) {
            if (used > 0)
                break;
            Py_DECREF(result);
            Py_RETURN_NONE;
        }
        if (got < 0) {
            Py_DECREF(result);
            return NULL;
        }
        used += (size_t)got;
    }
    if (used < room && _PyBytes_Resize(&result, (Py_ssize_t)used) < 0)
        return NULL;
    return result;
}

static PyObject *fileio_readall_method(PyObject *op, PyObject *unused)
{
    return fileio_readall(op);
}

static PyObject *fileio_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = -1;
    if (io_check_nargs("read", nargs, 0, 1) < 0 || (nargs == 1 && io_size_or_none(args[0], &size) < 0))
        return NULL;
    if (open_fd((io_fileio *)op) < 0)
        return NULL;
    if (!io_flag(&((io_fileio *)op)->readable))
        return wrong_mode("reading");
    if (size < 0)
        return fileio_readall(op);
    if (size > TRANSFER_MAX)
        size = TRANSFER_MAX;
    PyObject *result = PyBytes_FromStringAndSize(NULL, size);
    if (result == NULL)
        return NULL;
    Py_ssize_t got = fileio_readinto(op, PyBytes_AS_STRING(result), size);
    if (got < 0) {
        Py_DECREF(result);
        return count_object(got);
    }
    if (got < size)
        _PyBytes_Resize(&result, got);
    return result;
}

/* ---- position and size ---- */

off_t fileio_seek(PyObject *op, off_t target, int whence)
{
    io_fileio *self = (io_fileio *)op;
    if (open_fd(self) < 0)
        return -1;
    int fd = current_fd(self), code;
    off_t position;
    Py_BEGIN_ALLOW_THREADS
    position = lseek(fd, target, whence);
    code = errno;
    Py_END_ALLOW_THREADS
    if (get_seekable(self) < 0)
        set_seekable(self, position >= 0);
    if (position < 0) {
        errno = code;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return position;
}

static PyObject *seek_result(PyObject *op, off_t target, int whence)
{
    off_t position = fileio_seek(op, target, whence);
    return position < 0 ? NULL : PyLong_FromLongLong(position);
}

static PyObject *fileio_seek_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    if (io_check_nargs("seek", nargs, 1, 2) < 0 || (nargs == 2 && io_int(args[1], &whence) < 0))
        return NULL;
    if (open_fd((io_fileio *)op) < 0)
        return NULL;
    PyObject *index = PyNumber_Index(args[0]);
    if (index == NULL)
        return NULL;
    long target = PyLong_AsLong(index);
    Py_DECREF(index);
    if (target == -1 && PyErr_Occurred())
        return NULL;
    return seek_result(op, target, whence);
}

static PyObject *fileio_tell(PyObject *op, PyObject *unused)
{
    return seek_result(op, 0, SEEK_CUR);
}

static PyObject *fileio_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    io_fileio *self = (io_fileio *)op;
    if (io_check_nargs("truncate", nargs, 0, 1) < 0)
        return NULL;
    int fd = open_fd(self);
    if (fd < 0)
        return NULL;
    if (!io_flag(&self->writable))
        return wrong_mode("writing");

    PyObject *size = nargs == 0 || args[0] == Py_None ? fileio_tell(op, NULL) : Py_NewRef(args[0]);
    if (size == NULL)
        return NULL;
    Py_ssize_t length = PyNumber_AsSsize_t(size, PyExc_OverflowError);
    if (length == -1 && PyErr_Occurred()) {
        Py_DECREF(size);
        return NULL;
    }
    int failed, code;
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    failed = ftruncate(fd, length);
    code = errno;
    Py_END_ALLOW_THREADS
    if (failed != 0) {
        Py_DECREF(size);
        errno = code;
        PyErr_SetFromErrno(PyExc_OSError);
        return NULL;
    }
    return size;
}

/* ---- closing ---- */

static PyObject *fileio_dealloc_warn(PyObject *op, PyObject *source)
{
    io_fileio *self = (io_fileio *)op;
    if (current_fd(self) >= 0 && io_flag(&self->closefd)) {
        io_saved_error saved;
        io_error_save(&saved);
        if (PyErr_ResourceWarning(source, 1, "unclosed file %R", source) < 0) {
            /* An error here has nowhere to go. */
            if (PyErr_ExceptionMatches(PyExc_Warning))
                PyErr_WriteUnraisable(op);
            else
                PyErr_Clear();
        }
        io_error_restore(&saved);
    }
    Py_RETURN_NONE;
}

static PyObject *fileio_close(PyObject *op, PyObject *unused)
{
    io_fileio *self = (io_fileio *)op;
    io_saved_error saved = { NULL, NULL, NULL };
    PyObject *result = PyObject_CallMethodOneArg((PyObject *)&io_RawIOBase_type, io_str.close, op);
    if (result == NULL)
        io_error_save(&saved);
    if (!io_flag(&self->closefd)) {
        take_fd(self);
        io_error_chain(&saved);
        return result;
    }
    if (io_flag(&self->finalizing))
        Py_XDECREF(fileio_dealloc_warn(op, op));
    int failed = close_fd(self);
    io_error_chain(&saved);
    if (failed < 0)
        Py_CLEAR(result);
    return result;
}

static int fileio_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((io_fileio *)op)->dict);
    return 0;
}

static int fileio_clear(PyObject *op)
{
    iobase_clear_dict(op);
    return 0;
}

static void fileio_dealloc(PyObject *op)
{
    io_fileio *self = (io_fileio *)op;
    io_flag_set(&self->finalizing, 1);
    if (iobase_finalize(op) < 0)
        return;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    iobase_clear_dict(op);
    Py_TYPE(op)->tp_free(op);
}

/* ---- questions ---- */

static PyObject *fileio_readable(PyObject *op, PyObject *unused)
{
    return open_fd((io_fileio *)op) < 0 ? NULL : PyBool_FromLong(io_flag(&((io_fileio *)op)->readable));
}

static PyObject *fileio_writable(PyObject *op, PyObject *unused)
{
    return open_fd((io_fileio *)op) < 0 ? NULL : PyBool_FromLong(io_flag(&((io_fileio *)op)->writable));
}

static PyObject *fileio_seekable(PyObject *op, PyObject *unused)
{
    io_fileio *self = (io_fileio *)op;
    if (open_fd(self) < 0)
        return NULL;
    if (get_seekable(self) < 0 && fileio_seek(op, 0, SEEK_CUR) < 0)
        PyErr_Clear();
    return PyBool_FromLong(get_seekable(self) > 0);
}

static PyObject *fileio_fileno(PyObject *op, PyObject *unused)
{
    int fd = open_fd((io_fileio *)op);
    return fd < 0 ? NULL : PyLong_FromLong(fd);
}

static PyObject *fileio_isatty(PyObject *op, PyObject *unused)
{
    int fd = open_fd((io_fileio *)op);
    if (fd < 0)
        return NULL;
    int answer;
    Py_BEGIN_ALLOW_THREADS
    answer = isatty(fd);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(answer);
}

static const char *mode_string(const io_fileio *self)
{
    if (io_flag(&self->created))
        return io_flag(&self->readable) ? "xb+" : "xb";
    if (io_flag(&self->appending))
        return io_flag(&self->readable) ? "ab+" : "ab";
    if (io_flag(&self->readable))
        return io_flag(&self->writable) ? "rb+" : "rb";
    return "wb";
}

static PyObject *fileio_repr(PyObject *op)
{
    io_fileio *self = (io_fileio *)op;
    int fd = current_fd(self);
    if (fd < 0)
        return PyUnicode_FromString("<_io.FileIO [closed]>");
    PyObject *name, *result = NULL;
    if (io_lookup_attr(op, io_str.name, &name) < 0)
        return NULL;
    const char *closefd = io_flag(&self->closefd) ? "True" : "False";
    if (name == NULL)
        return PyUnicode_FromFormat("<_io.FileIO fd=%d mode='%s' closefd=%s>", fd, mode_string(self), closefd);
    int entered = Py_ReprEnter(op);
    if (entered == 0) {
        result = PyUnicode_FromFormat("<_io.FileIO name=%R mode='%s' closefd=%s>", name, mode_string(self), closefd);
        Py_ReprLeave(op);
    }
    else if (entered > 0)
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(op)->tp_name);
    Py_DECREF(name);
    return result;
}

static PyObject *closed_get(PyObject *op, void *unused)
{
    return PyBool_FromLong(fileio_is_closed(op));
}

static PyObject *closefd_get(PyObject *op, void *unused)
{
    return PyBool_FromLong(io_flag(&((io_fileio *)op)->closefd));
}

static PyObject *mode_get(PyObject *op, void *unused)
{
    return PyUnicode_FromString(mode_string((io_fileio *)op));
}

static PyMethodDef fileio_methods[] = {
    { "read", IO_METHOD(fileio_read), METH_FASTCALL,
      PyDoc_STR("read($self, size=-1, /)\n--\n\nRead at most size bytes with one system call; "
                "everything if size is missing or negative.\n\nNone if there is no data in non-blocking mode.") },
    { "readall", fileio_readall_method, METH_NOARGS,
      PyDoc_STR("readall($self, /)\n--\n\nRead everything up to the end of the file.") },
    { "readinto", fileio_readinto_method, METH_O,
      PyDoc_STR("readinto($self, buffer, /)\n--\n\nRead into a writable buffer; return the number of bytes.") },
    { "write", fileio_write_method, METH_O,
      PyDoc_STR("write($self, b, /)\n--\n\nWrite with one system call; return the number of bytes written, "
                "which may be less than given.") },
    { "seek", IO_METHOD(fileio_seek_method), METH_FASTCALL,
      PyDoc_STR("seek($self, pos, whence=0, /)\n--\n\nMove to a new position and return it.") },
    { "tell", fileio_tell, METH_NOARGS, PyDoc_STR("tell($self, /)\n--\n\nReturn the position in the file.") },
    { "truncate", IO_METHOD(fileio_truncate), METH_FASTCALL,
      PyDoc_STR("truncate($self, size=None, /)\n--\n\nMake the file size bytes long, by default up to the current "
                "position; return the size.") },
    { "close", fileio_close, METH_NOARGS,
      PyDoc_STR("close($self, /)\n--\n\nClose the file; the descriptor stays open if closefd was false.") },
    { "seekable", fileio_seekable, METH_NOARGS,
      PyDoc_STR("seekable($self, /)\n--\n\nTell whether the file has a position that can be changed.") },
    { "readable", fileio_readable, METH_NOARGS,
      PyDoc_STR("readable($self, /)\n--\n\nTell whether the file was opened for reading.") },
    { "writable", fileio_writable, METH_NOARGS,
      PyDoc_STR("writable($self, /)\n--\n\nTell whether the file was opened for writing.") },
    { "fileno", fileio_fileno, METH_NOARGS, PyDoc_STR("fileno($self, /)\n--\n\nReturn the file descriptor.") },
    { "isatty", fileio_isatty, METH_NOARGS,
      PyDoc_STR("isatty($self, /)\n--\n\nTell whether the descriptor is a terminal.") },
    { "_dealloc_warn", fileio_dealloc_warn, METH_O, NULL },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef fileio_getset[] = {
    { "closed", closed_get, NULL, PyDoc_STR("True if the file is closed"), NULL },
    { "closefd", closefd_get, NULL, PyDoc_STR("True if close() closes the descriptor."), NULL },
    { "mode", mode_get, NULL, PyDoc_STR("The mode the file was opened in, as a string."), NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyMemberDef fileio_members[] = {
    { "_blksize", T_UINT, offsetof(io_fileio, blksize), 0, NULL },
    { "_finalizing", T_BOOL, offsetof(io_fileio, finalizing), 0, NULL },
    { NULL, 0, 0, 0, NULL },
};

PyTypeObject io_FileIO_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.FileIO",
    .tp_basicsize = sizeof(io_fileio),
    .tp_base = &io_RawIOBase_type,
    .tp_dealloc = fileio_dealloc,
    .tp_repr = fileio_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("FileIO(file, mode='r', closefd=True, opener=None)\n--\n\n"
                        "Open a file, given by name or descriptor, as an unbuffered byte stream.\n\n"
                        "mode is one of 'r', 'w', 'x' and 'a', with a '+' for both reading and writing.\n"
                        "opener(name, flags) may open the file instead of the system."),
    .tp_traverse = fileio_traverse,
    .tp_clear = fileio_clear,
    .tp_weaklistoffset = offsetof(io_fileio, weakreflist),
    .tp_methods = fileio_methods,
    .tp_members = fileio_members,
    .tp_getset = fileio_getset,
    .tp_dictoffset = offsetof(io_fileio, dict),
    .tp_init = fileio_init,
    .tp_new = fileio_new,
};
