/* The `_posixsubprocess` module: fork_exec, which the subprocess module builds on. */
#include "Python.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module.h"

/* What the child needs, prepared before the fork: between fork and exec it may call async-signal-safe functions only. */
typedef struct {
    char *const *executables;
    char *const *argv;
    char *const *envp;              /* or NULL: the parent's */
    const char *cwd;                /* or NULL */
    int close_fds;
    const int *keep;                /* sorted descriptors to stay open */
    Py_ssize_t nkeep;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    int restore_signals, call_setsid;
    pid_t process_group;
    int set_gid, set_uid, set_groups;
    gid_t gid;
    uid_t uid;
    gid_t *groups;
    size_t ngroups;
    int umask;
    PyObject *preexec_fn;           /* or None */
} child_t;

/* ---- The child ---- */

/* Tells the parent what failed: "ExceptionName:hex errno:what". */
static void report(int fd, const char *what)
{
    char text[64], hex[16];
    int code = errno, n = 0;
    if (what != NULL && strcmp(what, "preexec") == 0) {
        if (write(fd, "SubprocessError:0:Exception occurred in preexec_fn.", 51) < 0)
            return;
        return;
    }
    memcpy(text, "OSError:", 8);
    size_t size = 8;
    do
        hex[n++] = "0123456789ABCDEF"[code & 15];
    while ((code >>= 4) != 0);
    while (n > 0)
        text[size++] = hex[--n];
    text[size++] = ':';
    for (; what != NULL && *what != '\0' && size < sizeof(text); what++)
        text[size++] = *what;
    if (write(fd, text, size) < 0)
        return;
}

static int is_kept(const child_t *c, int fd)
{
    for (Py_ssize_t i = 0; i < c->nkeep; i++)
        if (c->keep[i] == fd)
            return 1;
    return 0;
}

static void close_others(const child_t *c)
{
    long limit = sysconf(_SC_OPEN_MAX);
    int from = 3;
    if (limit < 0 || limit > 65536)
        limit = 65536;
    /* ranges between the kept ones, by one system call each where the kernel has it */
    for (Py_ssize_t i = 0; i <= c->nkeep; i++) {
        int to = i < c->nkeep ? c->keep[i] - 1 : INT_MAX;
        if (from <= to && close_range((unsigned)from, (unsigned)to, 0) < 0) {
            for (int fd = 3; fd < limit; fd++)
                if (!is_kept(c, fd))
                    close(fd);
            return;
        }
        if (i < c->nkeep && c->keep[i] + 1 > from)
            from = c->keep[i] + 1;
    }
}

static int set_inheritable(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

/* Descriptor `from` becomes standard stream `to`. */
static int place(int from, int to)
{
    if (from < 0)
        return 0;
    return from == to ? set_inheritable(from) : dup2(from, to) < 0 ? -1 : 0;
}

static _Noreturn void run_child(child_t *c)
{
    const char *what = "";
    int saved = 0;
    for (Py_ssize_t i = 0; i < c->nkeep; i++)
        if (c->keep[i] != c->errpipe_write && set_inheritable(c->keep[i]) < 0)
            goto failed;
    if (c->p2cwrite >= 0)
        close(c->p2cwrite);
    if (c->c2pread >= 0)
        close(c->c2pread);
    if (c->errread >= 0)
        close(c->errread);
    close(c->errpipe_read);
    /* the pipes' ends must not be overwritten while they are put in place */
    if (c->c2pwrite == 0 && (c->c2pwrite = dup(c->c2pwrite)) < 0)
        goto failed;
    while (c->errwrite == 0 || c->errwrite == 1)
        if ((c->errwrite = dup(c->errwrite)) < 0)
            goto failed;
    if (place(c->p2cread, 0) < 0 || place(c->c2pwrite, 1) < 0 || place(c->errwrite, 2) < 0)
        goto failed;
    if (c->cwd != NULL && chdir(c->cwd) < 0) {
        what = "noexec:chdir";
        goto failed;
    }
    if (c->umask >= 0)
        umask((mode_t)c->umask);
    if (c->restore_signals) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
    }
    if (c->call_setsid)
        setsid();
    if (c->process_group >= 0 && setpgid(0, c->process_group) < 0)
        goto failed;
    if (c->set_groups && setgroups(c->ngroups, c->groups) < 0)
        goto failed;
    if (c->set_gid && setregid(c->gid, c->gid) < 0)
        goto failed;
    if (c->set_uid && setreuid(c->uid, c->uid) < 0)
        goto failed;
    if (c->preexec_fn != Py_None) {
        PyObject *result = PyObject_CallNoArgs(c->preexec_fn);
        if (result == NULL) {
            what = "preexec";
            goto failed;
        }
    }
    if (c->close_fds)
        close_others(c);
    for (int i = 0; c->executables[i] != NULL; i++) {
        if (c->envp != NULL)
            execve(c->executables[i], c->argv, c->envp);
        else
            execv(c->executables[i], c->argv);
        if (errno != ENOENT && errno != ENOTDIR && saved == 0)
            saved = errno;
    }
    if (saved != 0)
        errno = saved;
    what = "";
failed:
    if (strncmp(what, "noexec:", 7) == 0)
        what = "noexec";
    report(c->errpipe_write, what);
    _exit(255);
}

/* ---- The parent ---- */

/* A NULL-terminated array of strings of a sequence of paths; *owner keeps them. NULL with an exception. */
static char **string_array(PyObject *sequence, PyObject **owner)
{
    *owner = NULL;
    PyObject *items = PySequence_Tuple(sequence);
    if (items == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *encoded = PyTuple_New(n);
    char **array = PyMem_New(char *, n + 1);
    if (encoded == NULL || array == NULL)
        goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *bytes;
        if (!PyUnicode_FSConverter(PyTuple_GET_ITEM(items, i), &bytes))
            goto fail;
        PyTuple_SET_ITEM(encoded, i, bytes);
        array[i] = PyBytes_AS_STRING(bytes);
    }
    array[n] = NULL;
    Py_DECREF(items);
    *owner = encoded;
    return array;
fail:
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    Py_DECREF(items);
    Py_XDECREF(encoded);
    PyMem_Free(array);
    return NULL;
}

/* Ascending, not negative. */
static int *descriptor_array(PyObject *tuple, Py_ssize_t *count)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    int *array = PyMem_New(int, n + 1), previous = -1;
    if (array == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (fd < 0 || fd <= previous || fd > INT_MAX) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            PyMem_Free(array);
            return NULL;
        }
        array[i] = previous = (int)fd;
    }
    *count = n;
    return array;
}

static int read_groups(child_t *c, PyObject *groups)
{
    if (groups == Py_None)
        return 0;
    PyObject *items = PySequence_Tuple(groups);
    if (items == NULL)
        return -1;
    c->ngroups = (size_t)PyTuple_GET_SIZE(items);
    c->groups = PyMem_New(gid_t, c->ngroups + 1);
    for (size_t i = 0; c->groups != NULL && i < c->ngroups; i++) {
        long id = PyLong_AsLong(PyTuple_GET_ITEM(items, (Py_ssize_t)i));
        if (id < 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "invalid group id");
            Py_DECREF(items);
            return -1;
        }
        c->groups[i] = (gid_t)id;
    }
    Py_DECREF(items);
    if (c->groups == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    c->set_groups = 1;
    return 0;
}

static int read_id(PyObject *op, int *is_set, unsigned *id)
{
    if (op == Py_None)
        return 0;
    long value = PyLong_AsLong(op);
    if (value < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "invalid user or group id");
        return -1;
    }
    *is_set = 1;
    *id = (unsigned)value;
    return 0;
}

static PyObject *fork_exec(PyObject *Py_UNUSED(module), PyObject *args)
{
    child_t c = {0};
    PyObject *arguments, *executables, *keep, *cwd, *environment, *gid, *groups, *uid, *preexec_fn;
    PyObject *own_args = NULL, *own_executables = NULL, *own_env = NULL, *own_cwd = NULL, *result = NULL;
    char **argv = NULL, **paths = NULL, **envp = NULL;
    int *kept = NULL, allow_vfork;
    if (!PyArg_ParseTuple(args, "OOpO!OOiiiiiiiippiOOOiOp:fork_exec", &arguments, &executables, &c.close_fds, &PyTuple_Type, &keep,
                          &cwd, &environment, &c.p2cread, &c.p2cwrite, &c.c2pread, &c.c2pwrite, &c.errread, &c.errwrite,
                          &c.errpipe_read, &c.errpipe_write, &c.restore_signals, &c.call_setsid, &c.process_group, &gid,
                          &groups, &uid, &c.umask, &preexec_fn, &allow_vfork))
        return NULL;
    if (c.close_fds && c.errpipe_write < 3) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return NULL;
    }
    c.preexec_fn = preexec_fn;
    kept = descriptor_array(keep, &c.nkeep);
    c.keep = kept;
    if (kept == NULL || (paths = string_array(executables, &own_executables)) == NULL
        || (argv = string_array(arguments, &own_args)) == NULL
        || (environment != Py_None && (envp = string_array(environment, &own_env)) == NULL)
        || (cwd != Py_None && !PyUnicode_FSConverter(cwd, &own_cwd)) || read_groups(&c, groups) < 0
        || read_id(gid, &c.set_gid, &c.gid) < 0 || read_id(uid, &c.set_uid, &c.uid) < 0)
        goto done;
    c.executables = paths;
    c.argv = argv;
    c.envp = envp;
    c.cwd = own_cwd != NULL ? PyBytes_AS_STRING(own_cwd) : NULL;
    int runs_python = preexec_fn != Py_None;
    if (runs_python)
        PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        if (runs_python)
            PyOS_AfterFork_Child();
        run_child(&c);
    }
    int saved = errno;
    if (runs_python)
        PyOS_AfterFork_Parent();
    errno = saved;
    result = pid < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(pid);
done:
    PyMem_Free(kept);
    PyMem_Free(paths);
    PyMem_Free(argv);
    PyMem_Free(envp);
    PyMem_Free(c.groups);
    Py_XDECREF(own_args);
    Py_XDECREF(own_executables);
    Py_XDECREF(own_env);
    Py_XDECREF(own_cwd);
    return result;
}

static PyMethodDef methods[] = {
    {"fork_exec", fork_exec, METH_VARARGS,
     "fork_exec(args, executable_list, close_fds, pass_fds, cwd, env,\n          p2cread, p2cwrite, c2pread, c2pwrite,\n"
     "          errread, errwrite, errpipe_read, errpipe_write,\n          restore_signals, call_setsid, pgid_to_set,\n"
     "          gid, groups_list, uid, umask, preexec_fn, allow_vfork)\n\n"
     "Fork and run a program in the child; errors before it runs are written to errpipe_write. Returns the child's pid."},
    {NULL},
};

static PyModuleDef_Slot slots[] = {MODULE_SLOTS_COMMON, {0, NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "_posixsubprocess", .m_doc = "Starting programs.",
                                 .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit__posixsubprocess(void);
PyMODINIT_FUNC PyInit__posixsubprocess(void) { return PyModuleDef_Init(&def); }
