/* The _posixsubprocess module: fork and exec in one step, for subprocess. */
#include "module.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything the child needs, made before fork(): after it nothing may allocate (unless preexec_fn is given). */
struct plan {
    char **programs, **argv, **envp;
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    int close_fds, restore_signals, new_session, umask;
    int set_group, set_groups, set_user;
    int new_process_group;
    gid_t group;
    uid_t user;
    gid_t *groups;
    size_t group_count;
    int *keep;
    size_t keep_count;
    PyObject *preexec_fn;       /* or None; borrowed */
};

/* A tuple or list of path-like things (paths) or bytes as C strings; owners holds them. NULL on error. */
static char **strings_make(PyObject *sequence, PyObject **owners, const char *what)
{
    PyObject *items = PySequence_Fast(sequence, what);
    if (items == NULL)
        return NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items);
    char **result = PyMem_New(char *, n + 1);
    *owners = PyTuple_New(n);
    if (result == NULL || *owners == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *bytes;
        if (i >= PySequence_Fast_GET_SIZE(items)) {
            PyErr_SetString(PyExc_RuntimeError, "args changed during iteration");
            goto failed;
        }
        PyObject *item = PySequence_GetItem(items, i);      /* a list may lose it to another thread, or while it is converted */
        int converted = item != NULL && PyUnicode_FSConverter(item, &bytes);
        Py_XDECREF(item);
        if (!converted)
            goto failed;
        PyTuple_SET_ITEM(*owners, i, bytes);
        result[i] = PyBytes_AS_STRING(bytes);
    }
    result[n] = NULL;
    Py_DECREF(items);
    return result;
failed:
    Py_DECREF(items);
    PyMem_Free(result);
    return NULL;
}

/* A sorted tuple of descriptors. */
static int keep_make(PyObject *tuple, struct plan *plan)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    plan->keep = PyMem_New(int, n + 1);
    if (plan->keep == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    long last = -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (fd < 0 || fd <= last || fd > INT_MAX) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            return -1;
        }
        plan->keep[i] = (int)fd;
        last = fd;
    }
    plan->keep_count = (size_t)n;
    return 0;
}

static int groups_make(PyObject *list, struct plan *plan)
{
    if (list == Py_None)
        return 0;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a list");
        return -1;
    }
    PyObject *items = PySequence_Tuple(list);
    if (items == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    int result = -1;
    if (n > 65536) {
        PyErr_SetString(PyExc_ValueError, "too many groups");
        goto done;
    }
    plan->groups = PyMem_New(gid_t, n + 1);
    if (plan->groups == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        long value = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (value < 0 || value >= (long)UINT_MAX) {
            PyErr_Clear();
            PyErr_SetString(PyLong_Check(item) ? PyExc_ValueError : PyExc_TypeError,
                            PyLong_Check(item) ? "invalid group id" : "group id must be integer");
            goto done;
        }
        plan->groups[i] = (gid_t)value;
    }
    plan->group_count = (size_t)n;
    plan->set_groups = 1;
    result = 0;
done:
    Py_DECREF(items);
    return result;
}

/* A user's or group's number, -1 for the one there is. what: "uid", "gid". */
static int id_make(PyObject *arg, unsigned *id, int *set, const char *what)
{
    if (arg == Py_None)
        return 0;
    int overflow;
    long value = PyLong_AsLongAndOverflow(arg, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return -1;
    if (overflow != 0 || value < -1 || value > (long)UINT_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is %s", what,
                     overflow > 0 || (overflow == 0 && value > 0) ? "greater than maximum" : "less than minimum");
        return -1;
    }
    *id = (unsigned)value;
    *set = 1;
    return 0;
}

/* ---- in the child: async-signal-safe from here on ---- */

static int is_kept(const struct plan *plan, int fd)
{
    size_t low = 0, high = plan->keep_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (plan->keep[middle] == fd)
            return 1;
        if (plan->keep[middle] < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void close_others(const struct plan *plan)
{
    int start = 3;
    for (size_t i = 0; i < plan->keep_count; i++) {
        int fd = plan->keep[i];
        if (fd < start)
            continue;
        if (fd > start && close_range((unsigned)start, (unsigned)fd - 1, 0) != 0)
            break;
        start = fd + 1;
    }
    if (close_range((unsigned)start, ~0u, 0) == 0)
        return;
    long limit = sysconf(_SC_OPEN_MAX);         /* an old kernel: one by one */
    for (int fd = start; fd < (limit > 0 ? limit : 256); fd++)
        if (!is_kept(plan, fd))
            close(fd);
}

static int make_inheritable(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

/* Makes fd the descriptor target. */
static int place(int fd, int target)
{
    if (fd == target)
        return make_inheritable(fd);
    return fd != -1 && dup2(fd, target) < 0 ? -1 : 0;
}

static int set_up_streams(struct plan *p)
{
    for (size_t i = 0; i < p->keep_count; i++)
        if (p->keep[i] != p->errpipe_write && make_inheritable(p->keep[i]) < 0)
            return -1;
    if (p->p2cwrite != -1)
        close(p->p2cwrite);
    if (p->c2pread != -1)
        close(p->c2pread);
    if (p->errread != -1)
        close(p->errread);
    close(p->errpipe_read);
    /* A descriptor below the place of an earlier one would be overwritten: move it away. */
    if (p->c2pwrite == 0 && (p->c2pwrite = fcntl(0, F_DUPFD_CLOEXEC, 3)) < 0)
        return -1;
    while (p->errwrite == 0 || p->errwrite == 1)
        if ((p->errwrite = fcntl(p->errwrite, F_DUPFD_CLOEXEC, 3)) < 0)
            return -1;
    return place(p->p2cread, 0) < 0 || place(p->c2pwrite, 1) < 0 || place(p->errwrite, 2) < 0 ? -1 : 0;
}

static int set_up_ids(const struct plan *p)
{
    if (p->umask >= 0)
        umask((mode_t)p->umask);
    if (p->restore_signals) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
    }
    if (p->new_session && setsid() < 0)
        return -1;
    if (p->new_process_group >= 0 && setpgid(0, p->new_process_group) < 0)
        return -1;
    if (p->set_groups && setgroups(p->group_count, p->groups) < 0)
        return -1;
    if (p->set_group && setregid(p->group, p->group) < 0)
        return -1;
    if (p->set_user && setreuid(p->user, p->user) < 0)
        return -1;
    return 0;
}

static void tell(int fd, const char *text)
{
    ssize_t ignored = write(fd, text, strlen(text));
    (void)ignored;
}

/* Tells the parent through the pipe "kind:errno in hex:message", which subprocess takes apart, and exits. */
static void __attribute__((noreturn)) give_up(const struct plan *p, int code, const char *message)
{
    if (code != 0) {
        char number[sizeof code * 2 + 1], *at = number + sizeof number - 1;
        *at = 0;
        for (unsigned rest = (unsigned)code; rest != 0; rest >>= 4)
            *--at = "0123456789ABCDEF"[rest & 15];
        tell(p->errpipe_write, "OSError:");
        tell(p->errpipe_write, at);
        tell(p->errpipe_write, ":");
        tell(p->errpipe_write, message);
    }
    else {
        tell(p->errpipe_write, "SubprocessError:0:");
        tell(p->errpipe_write, message);
    }
    _exit(255);
}

static void __attribute__((noreturn)) child(struct plan *p)
{
    if (set_up_streams(p) < 0)
        give_up(p, errno, "noexec");
    if (p->cwd != NULL && chdir(p->cwd) < 0)
        give_up(p, errno, "noexec");
    if (set_up_ids(p) < 0)
        give_up(p, errno, "noexec");
    if (p->preexec_fn != Py_None) {
        PyObject *result = PyObject_CallNoArgs(p->preexec_fn);
        if (result == NULL)
            give_up(p, 0, "Exception occurred in preexec_fn.");
    }
    if (p->close_fds)
        close_others(p);
    int code = 0;
    for (char **program = p->programs; *program != NULL; program++) {
        if (p->envp != NULL)
            execve(*program, p->argv, p->envp);
        else
            execv(*program, p->argv);
        if (errno != ENOENT && errno != ENOTDIR && code == 0)
            code = errno;
    }
    give_up(p, code != 0 ? code : errno, "");
}

/* ---- the parent ---- */

static PyObject *fork_exec(PyObject *module, PyObject *args)
{
    PyObject *argv, *programs, *keep, *cwd, *env, *group, *groups, *user;
    PyObject *argv_owners = NULL, *program_owners = NULL, *env_owners = NULL, *cwd_bytes = NULL, *result = NULL;
    struct plan p = {.new_process_group = -1};
    int allow_vfork;
    if (!PyArg_ParseTuple(args, "OOpO!OOiiiiiiiippiOOOiOp:fork_exec", &argv, &programs, &p.close_fds, &PyTuple_Type,
                          &keep, &cwd, &env, &p.p2cread, &p.p2cwrite, &p.c2pread, &p.c2pwrite, &p.errread,
                          &p.errwrite, &p.errpipe_read, &p.errpipe_write, &p.restore_signals, &p.new_session,
                          &p.new_process_group, &group, &groups, &user, &p.umask, &p.preexec_fn, &allow_vfork))
        return NULL;
    if (p.close_fds && p.errpipe_write < 3) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return NULL;
    }
    if (keep_make(keep, &p) < 0 || groups_make(groups, &p) < 0
        || id_make(group, &p.group, &p.set_group, "gid") < 0 || id_make(user, &p.user, &p.set_user, "uid") < 0)
        goto done;
    p.programs = strings_make(programs, &program_owners, "executable_list must be a sequence");
    if (p.programs == NULL)
        goto done;
    p.argv = argv != Py_None ? strings_make(argv, &argv_owners, "argv must be a tuple") : NULL;
    if (p.argv == NULL && argv != Py_None)
        goto done;
    if (env != Py_None && (p.envp = strings_make(env, &env_owners, "env must be a sequence")) == NULL)
        goto done;
    if (cwd != Py_None) {
        if (!PyUnicode_FSConverter(cwd, &cwd_bytes))
            goto done;
        p.cwd = PyBytes_AS_STRING(cwd_bytes);
    }
    /* Without preexec_fn the child runs no Python: other threads and hooks need not be told, signals are blocked
     * until the handlers of this process can do no harm in the child. */
    int with_hooks = p.preexec_fn != Py_None;
    sigset_t all, old;
    sigfillset(&all);
    if (with_hooks)
        PyOS_BeforeFork();
    pthread_sigmask(SIG_BLOCK, &all, &old);
    pid_t pid = fork();
    if (pid == 0) {
        if (with_hooks) {
            PyOS_AfterFork_Child();
        }
        else {
            struct sigaction action;
            for (int i = 1; i < NSIG; i++)
                if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
                    signal(i, SIG_DFL);
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        child(&p);
    }
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (with_hooks)
        PyOS_AfterFork_Parent();
    errno = saved;
    result = pid < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(pid);
done:
    PyMem_Free(p.programs);
    PyMem_Free(p.argv);
    PyMem_Free(p.envp);
    PyMem_Free(p.keep);
    PyMem_Free(p.groups);
    Py_XDECREF(program_owners);
    Py_XDECREF(argv_owners);
    Py_XDECREF(env_owners);
    Py_XDECREF(cwd_bytes);
    return result;
}

static PyMethodDef subprocess_methods[] = {
    {"fork_exec", fork_exec, METH_VARARGS, "Starts a program in a new process; for subprocess only."},
    {NULL},
};

static PyModuleDef_Slot subprocess_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef subprocess_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_posixsubprocess",
    .m_doc = "What subprocess needs of the system.",
    .m_methods = subprocess_methods,
    .m_slots = subprocess_slots,
};

PyMODINIT_FUNC PyInit__posixsubprocess(void)
{
    return PyModuleDef_Init(&subprocess_module);
}
