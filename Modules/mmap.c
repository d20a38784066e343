/* The mmap module: files and memory of the system as mutable sequences of bytes.
 *
 * Everything about a map may change (resize, close), so it is only touched inside critical sections on the object,
 * which nothing in them suspends: arguments are converted before, and results are made of what was copied. Functions
 * with _locked in their name want the lock held. While there are exported buffers a map neither moves nor goes. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY };

typedef struct {
    PyObject_HEAD
    char *data;                 /* [lock] NULL: closed */
    Py_ssize_t size, pos;       /* [lock] pos may be beyond size after a resize */
    off_t offset;               /* [const] of the file */
    Py_ssize_t exports;         /* [lock] */
    int fd;                     /* [lock] or -1 */
    int access, flags;          /* [const] */
    PyObject *weaklist;
} mmap_object;

#define SELF(op) ((mmap_object *)(op))

/* ---- Checks ---- */

static int check_open_locked(mmap_object *self)
{
    if (self->data != NULL)
        return 0;
    PyErr_SetString(PyExc_ValueError, "mmap closed or invalid");
    return -1;
}

static int check_writable(mmap_object *self)
{
    if (self->access != ACCESS_READ)
        return 0;
    PyErr_SetString(PyExc_TypeError, "mmap can't modify a readonly memory map.");
    return -1;
}

/* For methods that convert arguments first: a closed map is reported before a wrong argument. */
static int check_open(PyObject *op)
{
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = check_open_locked(SELF(op));
    Py_END_CRITICAL_SECTION();
    return rc;
}

static Py_ssize_t remaining_locked(mmap_object *self) { return self->pos < self->size ? self->size - self->pos : 0; }

/* ---- Reading and writing at the position ---- */

/* At most so many bytes; below 0: all. */
static PyObject *read_locked(mmap_object *self, Py_ssize_t size)
{
    if (check_open_locked(self) < 0)
        return NULL;
    Py_ssize_t left = remaining_locked(self);
    if (size < 0 || size > left)
        size = left;
    PyObject *bytes = PyBytes_FromStringAndSize(size > 0 ? self->data + self->pos : NULL, size);
    if (bytes != NULL)
        self->pos += size;
    return bytes;
}

static PyObject *mmap_read(PyObject *op, PyObject *args)
{
    PyObject *arg = Py_None, *result;
    Py_ssize_t size = -1;
    if (check_open(op) < 0 || !PyArg_UnpackTuple(args, "read", 0, 1, &arg))
        return NULL;
    if (arg != Py_None) {
        if (!PyIndex_Check(arg)) {
            PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(arg)->tp_name);
            return NULL;
        }
        size = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred())
            return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    result = read_locked(SELF(op), size);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *readline_locked(mmap_object *self)
{
    if (check_open_locked(self) < 0)
        return NULL;
    Py_ssize_t size = remaining_locked(self);
    const char *start = self->data + self->pos, *end = size > 0 ? memchr(start, '\n', (size_t)size) : NULL;
    return read_locked(self, end != NULL ? end - start + 1 : size);
}

static PyObject *mmap_readline(PyObject *op, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = readline_locked(SELF(op));
    Py_END_CRITICAL_SECTION();
    return result;
}

/* A byte, or -1 with an exception. */
static int read_byte_locked(mmap_object *self)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (remaining_locked(self) > 0)
        return (unsigned char)self->data[self->pos++];
    PyErr_SetString(PyExc_ValueError, "read byte out of range");
    return -1;
}

static PyObject *mmap_read_byte(PyObject *op, PyObject *unused)
{
    int byte;
    Py_BEGIN_CRITICAL_SECTION(op);
    byte = read_byte_locked(SELF(op));
    Py_END_CRITICAL_SECTION();
    return byte < 0 ? NULL : PyLong_FromLong(byte);
}

static int write_locked(mmap_object *self, const void *data, Py_ssize_t size, const char *out_of_range)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (size > remaining_locked(self)) {
        PyErr_SetString(PyExc_ValueError, out_of_range);
        return -1;
    }
    /* It may be a buffer of this very map. */
    if (size > 0)
        memmove(self->data + self->pos, data, (size_t)size);
    self->pos += size;
    return 0;
}

static PyObject *mmap_write(PyObject *op, PyObject *args)
{
    Py_buffer data;
    int rc;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "y*:write", &data))
        return NULL;
    Py_ssize_t size = data.len;
    if (check_writable(SELF(op)) < 0)
        rc = -1;
    else {
        Py_BEGIN_CRITICAL_SECTION(op);
        rc = write_locked(SELF(op), data.buf, size, "data out of range");
        Py_END_CRITICAL_SECTION();
    }
    PyBuffer_Release(&data);
    return rc < 0 ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *mmap_write_byte(PyObject *op, PyObject *args)
{
    unsigned char byte;
    int rc;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "b:write_byte", &byte) || check_writable(SELF(op)) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = write_locked(SELF(op), &byte, 1, "write byte out of range");
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *mmap_tell(PyObject *op, PyObject *unused)
{
    Py_ssize_t pos;
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = check_open_locked(SELF(op));
    pos = SELF(op)->pos;
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : PyLong_FromSsize_t(pos);
}

static int seek_locked(mmap_object *self, Py_ssize_t distance, int whence)
{
    Py_ssize_t start = whence == 0 ? 0 : whence == 1 ? self->pos : self->size, to;
    if (check_open_locked(self) < 0)
        return -1;
    if (whence < 0 || whence > 2) {
        PyErr_SetString(PyExc_ValueError, "unknown seek type");
        return -1;
    }
    if (__builtin_add_overflow(start, distance, &to) || to < 0 || to > self->size) {
        PyErr_SetString(PyExc_ValueError, "seek out of range");
        return -1;
    }
    self->pos = to;
    return 0;
}

static PyObject *mmap_seek(PyObject *op, PyObject *args)
{
    Py_ssize_t distance;
    int whence = 0, rc;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "n|i:seek", &distance, &whence))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = seek_locked(SELF(op), distance, whence);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- Searching and moving ---- */

static Py_ssize_t clip(Py_ssize_t index, Py_ssize_t size)
{
    if (index < 0)
        index = index < -size ? 0 : index + size;
    return index > size ? size : index;
}

/* The last place of a text in data, or NULL. */
static const char *find_last(const char *data, size_t size, const char *text, size_t length)
{
    if (length == 0)
        return data + size;
    for (size_t at = size; at >= length; at--) {
        const char *place = data + at - length;
        if (*place == *text && memcmp(place, text, length) == 0)
            return place;
    }
    return NULL;
}

/* The index of a text, -1 if it is not there, -2 with an exception. given: the bounds that were
 * given, or NULL; start and end are their values. */
static Py_ssize_t find_locked(mmap_object *self, const Py_buffer *text, PyObject *const *given, Py_ssize_t start,
                              Py_ssize_t end, int backwards)
{
    if (check_open_locked(self) < 0)
        return -2;
    start = clip(given[0] != NULL ? start : self->pos, self->size);
    end = clip(given[1] != NULL ? end : self->size, self->size);
    if (end < start)
        return text->len == 0 && !backwards ? start : -1;
    const char *from = self->data + start;
    size_t size = (size_t)(end - start);
    const char *found = backwards ? find_last(from, size, text->buf, (size_t)text->len)
                        : text->len == 0 ? from
                                         : memmem(from, size, text->buf, (size_t)text->len);
    return found != NULL ? found - self->data : -1;
}

static PyObject *find(PyObject *op, PyObject *args, const char *format, int backwards)
{
    Py_buffer text;
    PyObject *given[2] = {NULL, NULL};
    Py_ssize_t bounds[2] = {0, 0}, found = -2;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, format, &text, &given[0], &given[1]))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (given[i] == NULL)
            continue;
        bounds[i] = PyNumber_AsSsize_t(given[i], PyExc_OverflowError);
        if (bounds[i] == -1 && PyErr_Occurred())
            goto done;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    found = find_locked(SELF(op), &text, given, bounds[0], bounds[1], backwards);
    Py_END_CRITICAL_SECTION();
done:
    PyBuffer_Release(&text);
    return found == -2 ? NULL : PyLong_FromSsize_t(found);
}

static PyObject *mmap_find(PyObject *op, PyObject *args) { return find(op, args, "y*|OO:find", 0); }
static PyObject *mmap_rfind(PyObject *op, PyObject *args) { return find(op, args, "y*|OO:rfind", 1); }

static int move_locked(mmap_object *self, Py_ssize_t to, Py_ssize_t from, Py_ssize_t count)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (to < 0 || from < 0 || count < 0 || self->size - to < count || self->size - from < count) {
        PyErr_SetString(PyExc_ValueError, "source, destination, or count out of range");
        return -1;
    }
    memmove(self->data + to, self->data + from, (size_t)count);
    return 0;
}

static PyObject *mmap_move(PyObject *op, PyObject *args)
{
    Py_ssize_t to, from, count;
    int rc;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "nnn:move", &to, &from, &count) || check_writable(SELF(op)) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = move_locked(SELF(op), to, from, count);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- As a sequence ---- */

static Py_ssize_t mmap_length(PyObject *op)
{
    Py_ssize_t size;
    Py_BEGIN_CRITICAL_SECTION(op);
    size = check_open_locked(SELF(op)) < 0 ? -1 : SELF(op)->size;
    Py_END_CRITICAL_SECTION();
    return size;
}

/* The address of a byte, or NULL with an exception. */
static char *byte_locked(mmap_object *self, Py_ssize_t index)
{
    if (check_open_locked(self) < 0)
        return NULL;
    if (index >= 0 && index < self->size)
        return self->data + index;
    PyErr_SetString(PyExc_IndexError, "mmap index out of range");
    return NULL;
}

/* A byte as an int, for subscripts; -1 with an exception. */
static int get_byte(PyObject *op, Py_ssize_t index, int from_end)
{
    int byte = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    const char *place = byte_locked(SELF(op), from_end ? index + SELF(op)->size : index);
    if (place != NULL)
        byte = (unsigned char)*place;
    Py_END_CRITICAL_SECTION();
    return byte;
}

/* For iteration: items are bytes then. */
static PyObject *mmap_item(PyObject *op, Py_ssize_t index)
{
    int byte = get_byte(op, index, 0);
    char text = (char)byte;
    return byte < 0 ? NULL : PyBytes_FromStringAndSize(&text, 1);
}

struct slice {
    Py_ssize_t start, stop, step, count;
};

static PyObject *get_slice_locked(mmap_object *self, struct slice s)
{
    if (check_open_locked(self) < 0)
        return NULL;
    s.count = PySlice_AdjustIndices(self->size, &s.start, &s.stop, s.step);
    if (s.step == 1)
        return PyBytes_FromStringAndSize(s.count > 0 ? self->data + s.start : NULL, s.count);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, s.count);
    for (Py_ssize_t i = 0; bytes != NULL && i < s.count; i++)
        PyBytes_AS_STRING(bytes)[i] = self->data[s.start + i * s.step];
    return bytes;
}

static PyObject *mmap_subscript(PyObject *op, PyObject *key)
{
    PyObject *result;
    if (check_open(op) < 0)
        return NULL;
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred())
            return NULL;
        int byte = get_byte(op, index, index < 0);
        return byte < 0 ? NULL : PyLong_FromLong(byte);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "mmap indices must be integers");
        return NULL;
    }
    struct slice s = {0};
    if (PySlice_Unpack(key, &s.start, &s.stop, &s.step) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = get_slice_locked(SELF(op), s);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int set_byte(PyObject *op, PyObject *key, PyObject *value)
{
    int rc = -1;
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    /* A wrong index is reported before a wrong value. */
    if ((index == -1 && PyErr_Occurred()) || get_byte(op, index, index < 0) < 0)
        return -1;
    if (value == NULL || !PyIndex_Check(value)) {
        PyErr_SetString(PyExc_TypeError, value == NULL ? "mmap doesn't support item deletion"
                                                       : "mmap item value must be an int");
        return -1;
    }
    Py_ssize_t byte = PyNumber_AsSsize_t(value, PyExc_TypeError);
    if (byte == -1 && PyErr_Occurred())
        return -1;
    if (byte < 0 || byte > 255) {
        PyErr_SetString(PyExc_ValueError, "mmap item value must be in range(0, 256)");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    char *place = byte_locked(SELF(op), index < 0 ? index + SELF(op)->size : index);
    if (place != NULL) {
        *place = (char)byte;
        rc = 0;
    }
    Py_END_CRITICAL_SECTION();
    return rc;
}

static int set_slice_locked(mmap_object *self, struct slice s, const Py_buffer *value)
{
    if (check_open_locked(self) < 0)
        return -1;
    s.count = PySlice_AdjustIndices(self->size, &s.start, &s.stop, s.step);
    if (value->len != s.count) {
        PyErr_SetString(PyExc_IndexError, "mmap slice assignment is wrong size");
        return -1;
    }
    if (s.step == 1 && s.count > 0)
        memmove(self->data + s.start, value->buf, (size_t)s.count);
    for (Py_ssize_t i = 0; s.step != 1 && i < s.count; i++)
        self->data[s.start + i * s.step] = ((const char *)value->buf)[i];
    return 0;
}

static int mmap_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    struct slice s = {0};
    Py_buffer buffer;
    int rc;
    if (check_open(op) < 0 || check_writable(SELF(op)) < 0)
        return -1;
    if (PyIndex_Check(key))
        return set_byte(op, key, value);
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "mmap indices must be integer");
        return -1;
    }
    if (PySlice_Unpack(key, &s.start, &s.stop, &s.step) < 0)
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "mmap object doesn't support slice deletion");
        return -1;
    }
    if (PyObject_GetBuffer(value, &buffer, PyBUF_SIMPLE) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = set_slice_locked(SELF(op), s, &buffer);
    Py_END_CRITICAL_SECTION();
    PyBuffer_Release(&buffer);
    return rc;
}

static int mmap_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    mmap_object *self = SELF(op);
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = check_open_locked(self);
    if (rc == 0)
        rc = PyBuffer_FillInfo(view, op, self->data, self->size, self->access == ACCESS_READ, flags);
    if (rc == 0)
        self->exports++;
    Py_END_CRITICAL_SECTION();
    return rc;
}

static void mmap_releasebuffer(PyObject *op, Py_buffer *view)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    SELF(op)->exports--;
    Py_END_CRITICAL_SECTION();
}

/* ---- The file behind it ---- */

static PyObject *mmap_size(PyObject *op, PyObject *unused)
{
    struct stat st;
    int rc, open;
    Py_BEGIN_CRITICAL_SECTION(op);
    open = check_open_locked(SELF(op)) == 0;
    rc = open ? fstat(SELF(op)->fd, &st) : -1;
    Py_END_CRITICAL_SECTION();
    if (!open)
        return NULL;
    return rc < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLongLong(st.st_size);
}

static PyObject *mmap_flush(PyObject *op, PyObject *args)
{
    mmap_object *self = SELF(op);
    Py_ssize_t offset = 0, size;
    char *data;
    int rc;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = check_open_locked(self);
    data = self->data;
    size = self->size;
    Py_END_CRITICAL_SECTION();
    Py_ssize_t limit = size;
    if (rc < 0 || !PyArg_ParseTuple(args, "|nn:flush", &offset, &size))
        return NULL;
    if (size < 0 || offset < 0 || limit - offset < size) {
        PyErr_SetString(PyExc_ValueError, "flush values out of range");
        return NULL;
    }
    if (self->access == ACCESS_READ || self->access == ACCESS_COPY)
        Py_RETURN_NONE;
    /* Should others close the map meanwhile, this at worst writes back something else. */
    Py_BEGIN_ALLOW_THREADS
    rc = msync(data + offset, (size_t)size, MS_SYNC);
    Py_END_ALLOW_THREADS
    return rc < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static int advise_locked(mmap_object *self, int advice, Py_ssize_t start, int has_length, Py_ssize_t length)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (start < 0 || start >= self->size) {
        PyErr_SetString(PyExc_ValueError, "madvise start out of bounds");
        return -1;
    }
    if (!has_length)
        length = self->size;
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "madvise length invalid");
        return -1;
    }
    if (length > PY_SSIZE_T_MAX - start) {
        PyErr_SetString(PyExc_OverflowError, "madvise length too large");
        return -1;
    }
    if (start + length > self->size)
        length = self->size - start;
    if (madvise(self->data + start, (size_t)length, advice) == 0)
        return 0;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static PyObject *mmap_madvise(PyObject *op, PyObject *args)
{
    int advice, rc;
    Py_ssize_t start = 0, length = 0;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "i|nn:madvise", &advice, &start, &length))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = advise_locked(SELF(op), advice, start, PyTuple_GET_SIZE(args) > 2, length);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static Py_ssize_t pages(Py_ssize_t size)
{
    Py_ssize_t page = sysconf(_SC_PAGESIZE);
    return size / page + (size % page != 0);
}

static int resize_locked(mmap_object *self, Py_ssize_t size)
{
    if (check_open_locked(self) < 0)
        return -1;
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "mmap can't resize with extant buffers exported.");
        return -1;
    }
    if (self->access != ACCESS_DEFAULT && self->access != ACCESS_WRITE) {
        PyErr_SetString(PyExc_TypeError, "mmap can't resize a readonly or copy-on-write memory map.");
        return -1;
    }
    if (size < 0 || size > PY_SSIZE_T_MAX - self->offset) {
        PyErr_SetString(PyExc_ValueError, "new size out of range");
        return -1;
    }
    /* Nothing would stand behind the new pages: touching them would kill the process. */
    if (self->fd < 0 && !(self->flags & MAP_PRIVATE) && pages(size) > pages(self->size)) {
        PyErr_SetString(PyExc_ValueError, "mmap: can't expand a shared anonymous mapping on Linux");
        return -1;
    }
    void *data = MAP_FAILED;
    if (size == 0)
        errno = EINVAL;         /* mremap would say so, but when the file is cut already */
    else if (self->fd < 0 || ftruncate(self->fd, self->offset + size) == 0)
        data = mremap(self->data, (size_t)self->size, (size_t)size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    self->data = data;
    self->size = size;
    return 0;
}

static PyObject *mmap_resize(PyObject *op, PyObject *args)
{
    Py_ssize_t size;
    int rc;
    if (check_open(op) < 0 || !PyArg_ParseTuple(args, "n:resize", &size))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    rc = resize_locked(SELF(op), size);
    Py_END_CRITICAL_SECTION();
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- Life ---- */

static PyObject *mmap_close(PyObject *op, PyObject *unused)
{
    mmap_object *self = SELF(op);
    int busy, fd = -1;
    char *data = NULL;
    Py_ssize_t size = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    busy = self->exports > 0;
    if (!busy) {
        fd = self->fd;
        data = self->data;
        size = self->size;
        self->fd = -1;
        self->data = NULL;
    }
    Py_END_CRITICAL_SECTION();
    if (busy) {
        PyErr_SetString(PyExc_BufferError, "cannot close exported pointers exist");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    if (fd >= 0)
        close(fd);
    if (data != NULL)
        munmap(data, (size_t)size);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *mmap_enter(PyObject *op, PyObject *unused) { return check_open(op) < 0 ? NULL : Py_NewRef(op); }
static PyObject *mmap_exit(PyObject *op, PyObject *args) { return mmap_close(op, NULL); }

static PyObject *get_closed(PyObject *op, void *unused)
{
    int closed;
    Py_BEGIN_CRITICAL_SECTION(op);
    closed = SELF(op)->data == NULL;
    Py_END_CRITICAL_SECTION();
    return PyBool_FromLong(closed);
}

static PyObject *mmap_repr(PyObject *op)
{
    static const char *const names[] = {"ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY"};
    mmap_object *self = SELF(op);
    int closed;
    Py_ssize_t size, pos;
    Py_BEGIN_CRITICAL_SECTION(op);
    closed = self->data == NULL;
    size = self->size;
    pos = self->pos;
    Py_END_CRITICAL_SECTION();
    if (closed)
        return PyUnicode_FromFormat("<%s closed=True>", Py_TYPE(op)->tp_name);
    return PyUnicode_FromFormat("<%s closed=False, access=%s, length=%zd, pos=%zd, offset=%lld>", Py_TYPE(op)->tp_name,
                                names[self->access], size, pos, (long long)self->offset);
}

static void mmap_dealloc(PyObject *op)
{
    mmap_object *self = SELF(op);
    if (self->fd >= 0)
        close(self->fd);
    if (self->data != NULL)
        munmap(self->data, (size_t)self->size);
    if (_PyObject_HAS_WEAKREFS(self->weaklist))
        PyObject_ClearWeakRefs(op);
    Py_TYPE(op)->tp_free(op);
}

struct request {
    int fd, flags, prot, access;
    Py_ssize_t size;
    long long offset;
};

/* Settles flags, protection and access. 0, or -1 with an exception. */
static int settle_access(struct request *r)
{
    if (r->access != ACCESS_DEFAULT && (r->flags != MAP_SHARED || r->prot != (PROT_WRITE | PROT_READ))) {
        PyErr_SetString(PyExc_ValueError, "mmap can't specify both access and flags, prot.");
        return -1;
    }
    switch (r->access) {
    case ACCESS_READ:
        r->flags = MAP_SHARED;
        r->prot = PROT_READ;
        return 0;
    case ACCESS_WRITE:
        return 0;
    case ACCESS_COPY:
        r->flags = MAP_PRIVATE;
        return 0;
    case ACCESS_DEFAULT:
        if (!(r->prot & PROT_WRITE))
            r->access = ACCESS_READ;
        else if (!(r->prot & PROT_READ))
            r->access = ACCESS_WRITE;
        return 0;
    default:
        PyErr_SetString(PyExc_ValueError, "mmap invalid access parameter.");
        return -1;
    }
}

/* Settles the size by that of the file. 0, or -1 with an exception. */
static int settle_size(struct request *r)
{
    struct stat st;
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = fstat(r->fd, &st);
    Py_END_ALLOW_THREADS
    if (rc < 0 || !S_ISREG(st.st_mode))
        return 0;           /* mmap itself tells what is wrong, if anything */
    const char *wrong = NULL;
    if (r->size == 0) {
        if (st.st_size == 0)
            wrong = "cannot mmap an empty file";
        else if (r->offset >= st.st_size)
            wrong = "mmap offset is greater than file size";
        else
            r->size = st.st_size - r->offset;
    }
    else if (r->offset > st.st_size || st.st_size - r->offset < r->size) {
        wrong = "mmap length is greater than file size";
    }
    if (wrong != NULL)
        PyErr_SetString(PyExc_ValueError, wrong);
    return wrong != NULL ? -1 : 0;
}

static PyObject *mmap_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fileno", "length", "flags", "prot", "access", "offset", NULL};
    struct request r = {.flags = MAP_SHARED, .prot = PROT_WRITE | PROT_READ, .access = ACCESS_DEFAULT};
    long offset = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "in|iiil", names, &r.fd, &r.size, &r.flags, &r.prot, &r.access,
                                     &offset))
        return NULL;
    r.offset = offset;
    if (r.size < 0 || r.offset < 0) {
        PyErr_SetString(PyExc_OverflowError, r.size < 0 ? "memory mapped length must be positive"
                                                        : "memory mapped offset must be positive");
        return NULL;
    }
    if (settle_access(&r) < 0 || PySys_Audit("mmap.__new__", "iniL", r.fd, r.size, r.access, r.offset) < 0
        || (r.fd != -1 && settle_size(&r) < 0))
        return NULL;
    mmap_object *self = (mmap_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->fd = -1;
    self->size = r.size;
    self->offset = r.offset;
    self->access = r.access;
    if (r.fd == -1) {
        r.flags |= MAP_ANONYMOUS;
    }
    else {
        self->fd = fcntl(r.fd, F_DUPFD_CLOEXEC, 0);
        if (self->fd < 0)
            goto failed;
    }
    self->flags = r.flags;
    void *data;
    Py_BEGIN_ALLOW_THREADS
    data = mmap(NULL, (size_t)r.size, r.prot, r.flags, self->fd, (off_t)r.offset);
    Py_END_ALLOW_THREADS
    if (data != MAP_FAILED) {
        self->data = data;
        return (PyObject *)self;
    }
failed:
    PyErr_SetFromErrno(PyExc_OSError);
    Py_DECREF((PyObject *)self);
    return NULL;
}

/* ---- The type and the module ---- */

static PyMethodDef mmap_methods[] = {
    {"close", mmap_close, METH_NOARGS, "Removes the map."},
    {"find", mmap_find, METH_VARARGS, "find(sub[, start[, end]]): the first place of sub, from the position on; -1: none."},
    {"flush", mmap_flush, METH_VARARGS, "flush([offset[, size]]): writes changes back to the file."},
    {"madvise", mmap_madvise, METH_VARARGS, "madvise(option[, start[, length]]): tells the system how it will be used."},
    {"move", mmap_move, METH_VARARGS, "move(dest, src, count): copies bytes within the map."},
    {"read", mmap_read, METH_VARARGS, "read([n]): the next n bytes, or all that are left."},
    {"read_byte", mmap_read_byte, METH_NOARGS, "The next byte, as an int."},
    {"readline", mmap_readline, METH_NOARGS, "The rest of the line, with its end."},
    {"resize", mmap_resize, METH_VARARGS, "resize(newsize): changes the size of the map and of the file."},
    {"rfind", mmap_rfind, METH_VARARGS, "rfind(sub[, start[, end]]): the last place of sub; -1: none."},
    {"seek", mmap_seek, METH_VARARGS, "seek(pos[, whence]): sets the position."},
    {"size", mmap_size, METH_NOARGS, "The size of the file."},
    {"tell", mmap_tell, METH_NOARGS, "The position."},
    {"write", mmap_write, METH_VARARGS, "write(bytes): writes at the position; how many bytes."},
    {"write_byte", mmap_write_byte, METH_VARARGS, "write_byte(byte): writes an int at the position."},
    {"__enter__", mmap_enter, METH_NOARGS, NULL},
    {"__exit__", mmap_exit, METH_VARARGS, NULL},
    {NULL},
};

static PyGetSetDef mmap_getset[] = {{"closed", get_closed, NULL, NULL, NULL}, {NULL}};
static PySequenceMethods mmap_sequence = {.sq_length = mmap_length, .sq_item = mmap_item};
static PyMappingMethods mmap_mapping = {mmap_length, mmap_subscript, mmap_ass_subscript};
static PyBufferProcs mmap_buffer = {mmap_getbuffer, mmap_releasebuffer};

static PyTypeObject mmap_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "mmap.mmap",
    .tp_basicsize = sizeof(mmap_object),
    .tp_dealloc = mmap_dealloc,
    .tp_repr = mmap_repr,
    .tp_as_sequence = &mmap_sequence,
    .tp_as_mapping = &mmap_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &mmap_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "mmap(fileno, length[, flags[, prot[, access[, offset]]]])\n\n"
              "The bytes of a file, or of memory (fileno -1), which can be read and changed in place.\n"
              "length 0: the whole file. MAP_PRIVATE in flags: changes are not written to the file.",
    .tp_weaklistoffset = offsetof(mmap_object, weaklist),
    .tp_methods = mmap_methods,
    .tp_getset = mmap_getset,
    .tp_new = mmap_new,
};

static int mmap_exec(PyObject *module)
{
    static const struct { const char *name; long value; } constants[] = {
#define INT(name) {#name, name},
        INT(ACCESS_COPY) INT(ACCESS_DEFAULT) INT(ACCESS_READ) INT(ACCESS_WRITE) INT(MADV_DODUMP) INT(MADV_DOFORK)
        INT(MADV_DONTDUMP) INT(MADV_DONTFORK) INT(MADV_DONTNEED) INT(MADV_FREE) INT(MADV_HUGEPAGE) INT(MADV_HWPOISON)
        INT(MADV_MERGEABLE) INT(MADV_NOHUGEPAGE) INT(MADV_NORMAL) INT(MADV_RANDOM) INT(MADV_REMOVE)
        INT(MADV_SEQUENTIAL) INT(MADV_UNMERGEABLE) INT(MADV_WILLNEED) INT(MAP_ANON) INT(MAP_ANONYMOUS)
        INT(MAP_DENYWRITE) INT(MAP_EXECUTABLE) INT(MAP_POPULATE) INT(MAP_PRIVATE) INT(MAP_SHARED) INT(MAP_STACK)
        INT(PROT_EXEC) INT(PROT_READ) INT(PROT_WRITE)
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    long page = sysconf(_SC_PAGESIZE);
    if (PyModule_AddIntConstant(module, "PAGESIZE", page) < 0
        || PyModule_AddIntConstant(module, "ALLOCATIONGRANULARITY", page) < 0
        || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0)
        return -1;
    return PyModule_AddType(module, &mmap_type);
}

static PyModuleDef_Slot mmap_slots[] = {
    {Py_mod_exec, (void *)mmap_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef mmap_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmap",
    .m_doc = "Files and memory of the system, mapped.",
    .m_slots = mmap_slots,
};

PyMODINIT_FUNC PyInit_mmap(void)
{
    return PyModuleDef_Init(&mmap_module);
}
