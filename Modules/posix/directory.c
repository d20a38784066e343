/* Directories: listdir, scandir and DirEntry, getcwd, chdir. */
#include "posix.h"
#include <dirent.h>
#include "structmember.h"

static int is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/* Opens path (a name, or a descriptor that stays open). NULL with errno. */
static DIR *directory_open(struct posix_path *path)
{
    DIR *dir;
    if (path->fd == -1) {
        DETACHED(dir, opendir(path->text != NULL ? path->text : "."));
        return dir;
    }
    int fd = fcntl(path->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    DETACHED(dir, fdopendir(fd));
    if (dir == NULL) {
        int saved = errno;
        close(fd);
        errno = saved;
        return NULL;
    }
    rewinddir(dir);
    return dir;
}

static void directory_close(DIR *dir, int rewind)
{
    Py_BEGIN_ALLOW_THREADS
    if (rewind)
        rewinddir(dir);
    closedir(dir);
    Py_END_ALLOW_THREADS
}

static PyObject *os_listdir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct posix_path path = POSIX_PATH("listdir", "path", 1, 1);
    PyObject *result = NULL;
    DIR *dir = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&:listdir", names, posix_path_convert, &path)
        || PySys_Audit("os.listdir", "O", path.object != NULL ? path.object : Py_None) < 0)
        goto done;
    dir = directory_open(&path);
    if (dir == NULL) {
        posix_path_error(&path);
        goto done;
    }
    result = PyList_New(0);
    while (result != NULL) {
        struct dirent *entry;
        errno = 0;
        DETACHED(entry, readdir(dir));
        if (entry == NULL) {
            if (errno != 0) {
                posix_path_error(&path);
                Py_CLEAR(result);
            }
            break;
        }
        if (is_dot(entry->d_name))
            continue;
        PyObject *name = posix_name_make(entry->d_name, (Py_ssize_t)strlen(entry->d_name), path.given_bytes);
        if (name == NULL || PyList_Append(result, name) < 0)
            Py_CLEAR(result);
        Py_XDECREF(name);
    }
done:
    if (dir != NULL)
        directory_close(dir, path.fd != -1);
    posix_path_clear(&path);
    return result;
}

/* ---- DirEntry ---- */

/* Results of stat() are remembered; racing threads may both ask the system. */
struct direntry {
    PyObject_HEAD
    PyObject *name, *path;              /* [const] */
    PyObject *stat, *lstat;             /* [lock] or NULL */
    ino_t inode;                        /* [const] */
    int dir_fd;                         /* [const] or -1: path is a full path */
    unsigned char type;                 /* [const] DT_... */
};

static PyObject *direntry_fetch(struct direntry *self, int follow)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(self->dir_fd != -1 ? self->name : self->path, &bytes))
        return NULL;
    struct stat st;
    int rc;
    DETACHED(rc, fstatat(self->dir_fd != -1 ? self->dir_fd : AT_FDCWD, PyBytes_AS_STRING(bytes), &st,
                         follow ? 0 : AT_SYMLINK_NOFOLLOW));
    Py_DECREF(bytes);
    if (rc != 0)
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, self->path);
    return posix_stat_make(&st);
}

static PyObject *direntry_get_stat(struct direntry *self, int follow)
{
    /* What is no link has one answer for both. */
    PyObject **cache = !follow || (self->type != DT_LNK && self->type != DT_UNKNOWN) ? &self->lstat : &self->stat;
    PyObject *result, *displaced = NULL;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    result = Py_XNewRef(*cache);
    Py_END_CRITICAL_SECTION();
    if (result != NULL)
        return result;
    result = direntry_fetch(self, cache == &self->stat);
    if (result == NULL)
        return NULL;
    object_publish(result);
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    displaced = *cache;
    *cache = Py_NewRef(result);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(displaced);
    return result;
}

static int follow_get(PyObject *args, PyObject *kwargs, const char *format, int *follow)
{
    static char *names[] = {"follow_symlinks", NULL};
    *follow = 1;
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, names, follow) ? 0 : -1;
}

static PyObject *direntry_stat(PyObject *op, PyObject *args, PyObject *kwargs)
{
    int follow;
    if (follow_get(args, kwargs, "|$p:stat", &follow) < 0)
        return NULL;
    return direntry_get_stat((struct direntry *)op, follow);
}

/* 1, 0 or -1. */
static int direntry_test(struct direntry *self, int follow, mode_t wanted)
{
    if (self->type != DT_UNKNOWN && !(follow && self->type == DT_LNK))
        return (wanted == S_IFDIR && self->type == DT_DIR) || (wanted == S_IFREG && self->type == DT_REG)
               || (wanted == S_IFLNK && self->type == DT_LNK);
    PyObject *st = direntry_get_stat(self, follow);
    if (st == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_FileNotFoundError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    unsigned long mode = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(st, 0));
    Py_DECREF(st);
    return (mode & S_IFMT) == wanted;
}

static PyObject *direntry_test_result(int rc) { return rc < 0 ? NULL : PyBool_FromLong(rc); }

static PyObject *direntry_is_dir(PyObject *op, PyObject *args, PyObject *kwargs)
{
    int follow;
    if (follow_get(args, kwargs, "|$p:is_dir", &follow) < 0)
        return NULL;
    return direntry_test_result(direntry_test((struct direntry *)op, follow, S_IFDIR));
}

static PyObject *direntry_is_file(PyObject *op, PyObject *args, PyObject *kwargs)
{
    int follow;
    if (follow_get(args, kwargs, "|$p:is_file", &follow) < 0)
        return NULL;
    return direntry_test_result(direntry_test((struct direntry *)op, follow, S_IFREG));
}

static PyObject *direntry_is_symlink(PyObject *op, PyObject *unused)
{
    return direntry_test_result(direntry_test((struct direntry *)op, 0, S_IFLNK));
}

static PyObject *direntry_inode(PyObject *op, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(((struct direntry *)op)->inode);
}

static PyObject *direntry_fspath(PyObject *op, PyObject *unused) { return Py_NewRef(((struct direntry *)op)->path); }

static PyObject *direntry_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<DirEntry %R>", ((struct direntry *)op)->name);
}

static void direntry_dealloc(PyObject *op)
{
    struct direntry *self = (struct direntry *)op;
    Py_XDECREF(self->name);
    Py_XDECREF(self->path);
    Py_XDECREF(self->stat);
    Py_XDECREF(self->lstat);
    Py_TYPE(op)->tp_free(op);
}

static PyMemberDef direntry_members[] = {
    {"name", T_OBJECT_EX, offsetof(struct direntry, name), READONLY, "the entry's name"},
    {"path", T_OBJECT_EX, offsetof(struct direntry, path), READONLY, "the entry's path"},
    {NULL},
};

static PyMethodDef direntry_methods[] = {
    KEYWORDS("is_dir", direntry_is_dir, "is_dir($self, /, *, follow_symlinks=True)\n--\n\nIs it a directory?"),
    KEYWORDS("is_file", direntry_is_file, "is_file($self, /, *, follow_symlinks=True)\n--\n\nIs it a regular file?"),
    {"is_symlink", direntry_is_symlink, METH_NOARGS, "is_symlink($self, /)\n--\n\nIs it a symbolic link?"},
    KEYWORDS("stat", direntry_stat, "stat($self, /, *, follow_symlinks=True)\n--\n\nFacts about the entry, remembered."),
    {"inode", direntry_inode, METH_NOARGS, "inode($self, /)\n--\n\nThe entry's inode number."},
    {"__fspath__", direntry_fspath, METH_NOARGS, "__fspath__($self, /)\n--\n\nThe entry's path."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "DirEntry[str] and so on."},
    {NULL},
};

PyTypeObject posix_direntry_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "posix.DirEntry",
    .tp_basicsize = sizeof(struct direntry),
    .tp_dealloc = direntry_dealloc,
    .tp_repr = direntry_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = direntry_methods,
    .tp_members = direntry_members,
};

/* ---- scandir ---- */

struct scandir {
    PyObject_HEAD
    struct posix_path path;             /* [const] */
    DIR *dir;                           /* [lock] or NULL: closed */
};

static PyObject *direntry_new(struct scandir *scan, const char *name, ino_t inode, unsigned char type)
{
    struct direntry *self = (struct direntry *)PyType_GenericAlloc(&posix_direntry_type, 0);
    if (self == NULL)
        return NULL;
    size_t length = strlen(name);
    self->inode = inode;
    self->type = type;
    self->dir_fd = scan->path.fd;
    self->name = posix_name_make(name, (Py_ssize_t)length, scan->path.given_bytes);
    if (self->name == NULL)
        goto failed;
    if (scan->path.fd != -1) {
        self->path = Py_NewRef(self->name);
        return (PyObject *)self;
    }
    const char *base = scan->path.text != NULL ? scan->path.text : ".";
    size_t base_length = strlen(base);
    char *joined = PyMem_Malloc(base_length + length + 2);
    if (joined == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    memcpy(joined, base, base_length);
    if (base_length > 0 && base[base_length - 1] != '/')
        joined[base_length++] = '/';
    memcpy(joined + base_length, name, length);
    self->path = posix_name_make(joined, (Py_ssize_t)(base_length + length), scan->path.given_bytes);
    PyMem_Free(joined);
    if (self->path == NULL)
        goto failed;
    return (PyObject *)self;
failed:
    Py_DECREF((PyObject *)self);
    return NULL;
}

static void scandir_close_dir(struct scandir *self)
{
    DIR *dir;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    dir = self->dir;
    self->dir = NULL;
    Py_END_CRITICAL_SECTION();
    if (dir != NULL)
        directory_close(dir, self->path.fd != -1);
}

/* The next entry, copied out. 1, 0 at the end, -1 with errno. The stream belongs to this thread meanwhile: it is taken
 * out of the object while other threads may run. */
static int scandir_read(struct scandir *self, char name[256 * 4], ino_t *inode, unsigned char *type)
{
    int result = 0;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    struct dirent *entry;
    do {
        errno = 0;
        entry = self->dir != NULL ? readdir(self->dir) : NULL;
    } while (entry != NULL && is_dot(entry->d_name));
    if (entry != NULL) {
        snprintf(name, 256 * 4, "%s", entry->d_name);
        *inode = entry->d_ino;
        *type = entry->d_type;
        result = 1;
    }
    else if (errno != 0) {
        result = -1;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *scandir_next(PyObject *op)
{
    struct scandir *self = (struct scandir *)op;
    char name[256 * 4];
    ino_t inode = 0;
    unsigned char type = 0;
    int rc = scandir_read(self, name, &inode, &type);
    if (rc > 0) {
        PyObject *entry = direntry_new(self, name, inode, type);
        if (entry != NULL)
            return entry;
    }
    else if (rc < 0) {
        posix_path_error(&self->path);
    }
    scandir_close_dir(self);
    return NULL;
}

static PyObject *scandir_close(PyObject *op, PyObject *unused)
{
    scandir_close_dir((struct scandir *)op);
    Py_RETURN_NONE;
}

static PyObject *scandir_enter(PyObject *op, PyObject *unused) { return Py_NewRef(op); }

static PyObject *scandir_exit(PyObject *op, PyObject *args)
{
    scandir_close_dir((struct scandir *)op);
    Py_RETURN_NONE;
}

static void scandir_finalize(PyObject *op)
{
    struct scandir *self = (struct scandir *)op;
    if (self->dir == NULL)
        return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_ResourceWarning(op, 1, "unclosed scandir iterator %R", op) < 0
        && PyErr_ExceptionMatches(PyExc_Warning))
        PyErr_WriteUnraisable(op);
    scandir_close_dir(self);
    PyErr_Restore(type, value, traceback);
}

static void scandir_dealloc(PyObject *op)
{
    if (PyObject_CallFinalizerFromDealloc(op) < 0)
        return;
    posix_path_clear(&((struct scandir *)op)->path);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef scandir_methods[] = {
    {"__enter__", scandir_enter, METH_NOARGS, NULL},
    {"__exit__", scandir_exit, METH_VARARGS, NULL},
    {"close", scandir_close, METH_NOARGS, "Ends the iteration."},
    {NULL},
};

PyTypeObject posix_scandir_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "posix.ScandirIterator",
    .tp_basicsize = sizeof(struct scandir),
    .tp_dealloc = scandir_dealloc,
    .tp_finalize = scandir_finalize,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = scandir_next,
    .tp_methods = scandir_methods,
};

static PyObject *os_scandir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct posix_path path = POSIX_PATH("scandir", "path", 1, 1);
    struct scandir *self = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&:scandir", names, posix_path_convert, &path)
        || PySys_Audit("os.scandir", "O", path.object != NULL ? path.object : Py_None) < 0)
        goto failed;
    self = (struct scandir *)PyType_GenericAlloc(&posix_scandir_type, 0);
    if (self == NULL)
        goto failed;
    self->dir = directory_open(&path);
    if (self->dir == NULL) {
        posix_path_error(&path);
        goto failed;
    }
    self->path = path;
    return (PyObject *)self;
failed:
    if (self != NULL)
        Py_DECREF((PyObject *)self);
    posix_path_clear(&path);
    return NULL;
}

/* ---- the working directory ---- */

static PyObject *cwd_make(int as_bytes)
{
    char *text;
    DETACHED(text, getcwd(NULL, 0));
    if (text == NULL)
        return posix_error();
    PyObject *result = posix_name_make(text, (Py_ssize_t)strlen(text), as_bytes);
    free(text);
    return result;
}

static PyObject *os_getcwd(PyObject *module, PyObject *unused) { return cwd_make(0); }
static PyObject *os_getcwdb(PyObject *module, PyObject *unused) { return cwd_make(1); }

static PyObject *os_chdir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct posix_path path = POSIX_PATH("chdir", "path", 0, 1);
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&:chdir", names, posix_path_convert, &path)
        && PySys_Audit("os.chdir", "O", path.object) == 0) {
        int rc;
        DETACHED(rc, path.fd != -1 ? fchdir(path.fd) : chdir(path.text));
        result = rc != 0 ? posix_path_error(&path) : Py_NewRef(Py_None);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_fchdir(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    int fd, rc;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:fchdir", names, posix_fd_convert, &fd)
        || PySys_Audit("os.chdir", "(i)", fd) < 0)
        return NULL;
    DETACHED(rc, fchdir(fd));
    return rc != 0 ? posix_error() : Py_NewRef(Py_None);
}

PyMethodDef posix_directory_methods[] = {
    KEYWORDS("listdir", os_listdir, "listdir($module, /, path=None)\n--\n\nThe names in a directory."),
    KEYWORDS("scandir", os_scandir, "scandir($module, /, path=None)\n--\n\nAn iterator of the entries of a directory."),
    {"getcwd", os_getcwd, METH_NOARGS, "getcwd($module, /)\n--\n\nThe working directory."},
    {"getcwdb", os_getcwdb, METH_NOARGS, "getcwdb($module, /)\n--\n\nThe working directory as bytes."},
    KEYWORDS("chdir", os_chdir, "chdir($module, /, path)\n--\n\nChanges the working directory."),
    KEYWORDS("fchdir", os_fchdir, "fchdir($module, /, fd)\n--\n\nChanges the working directory to an open one."),
    {NULL},
};
