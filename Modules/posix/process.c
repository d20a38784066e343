/* Processes: fork, wait, signals, ids, groups, scheduling. */
#include "posix.h"
#include <grp.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "structseq.h"

/* Python/runtime/fork_hooks.c */
int fork_register_hooks(PyObject *before, PyObject *after_in_child, PyObject *after_in_parent);

static PyObject *none_or_error(int rc) { return rc < 0 ? posix_error() : Py_NewRef(Py_None); }

/* ---- fork ---- */

static PyObject *os_fork(PyObject *module, PyObject *unused)
{
    if (PySys_Audit("os.fork", NULL) < 0)
        return NULL;
    PyOS_BeforeFork();
    pid_t pid = fork();
    int saved = errno;
    if (pid == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    errno = saved;
    return pid < 0 ? posix_error() : PyLong_FromLong(pid);
}

static PyObject *os_forkpty(PyObject *module, PyObject *unused)
{
    if (PySys_Audit("os.forkpty", NULL) < 0)
        return NULL;
    int master = -1;
    PyOS_BeforeFork();
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    int saved = errno;
    if (pid == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    errno = saved;
    return pid < 0 ? posix_error() : Py_BuildValue("(ii)", (int)pid, master);
}

static PyObject *os_register_at_fork(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"before", "after_in_child", "after_in_parent", NULL};
    PyObject *hooks[3] = {NULL, NULL, NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOO:register_at_fork", names, &hooks[0], &hooks[1], &hooks[2]))
        return NULL;
    if (hooks[0] == NULL && hooks[1] == NULL && hooks[2] == NULL) {
        PyErr_SetString(PyExc_TypeError, "At least one argument is required.");
        return NULL;
    }
    for (int i = 0; i < 3; i++)
        if (hooks[i] != NULL && !PyCallable_Check(hooks[i])) {
            PyErr_Format(PyExc_TypeError, "'%.200s' must be callable, not %.200s", names[i],
                         Py_TYPE(hooks[i])->tp_name);
            return NULL;
        }
    return fork_register_hooks(hooks[0], hooks[1], hooks[2]) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *os__exit(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"status", NULL};
    int status;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:_exit", names, &status))
        return NULL;
    _exit(status);
}

static PyObject *os_abort(PyObject *module, PyObject *unused)
{
    abort();
}

/* ---- wait ---- */

static PyStructSequence_Field waitid_fields[] = {
    {"si_pid", NULL}, {"si_uid", NULL}, {"si_signo", NULL}, {"si_status", NULL}, {"si_code", NULL}, {NULL, NULL},
};
static PyStructSequence_Desc waitid_desc = {"posix.waitid_result", "What waitid() found.", waitid_fields, 5};
static PyStructSequence_Field sched_param_fields[] = {{"sched_priority", "the scheduling priority"}, {NULL, NULL}};
static PyStructSequence_Desc sched_param_desc = {"posix.sched_param", "The parameter of a scheduling policy.",
                                                 sched_param_fields, 1};
static PyTypeObject *waitid_type, *sched_param_type;        /* [const after the module is made] */

static PyObject *sched_param_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sched_priority", NULL};
    PyObject *priority;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:sched_param", names, &priority))
        return NULL;
    PyObject *result = PyStructSequence_New(type);
    if (result != NULL)
        PyStructSequence_SET_ITEM(result, 0, Py_NewRef(priority));
    return result;
}

static PyObject *sched_param_reduce(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("(O(O))", (PyObject *)Py_TYPE(self), PyStructSequence_GET_ITEM(self, 0));
}

static PyMethodDef sched_param_reduce_def = {"__reduce__", sched_param_reduce, METH_NOARGS, NULL};

int posix_process_types(PyObject *module)
{
    if (waitid_type == NULL) {
        waitid_type = PyStructSequence_NewType(&waitid_desc);
        sched_param_type = PyStructSequence_NewType(&sched_param_desc);
        if (waitid_type == NULL || sched_param_type == NULL)
            return -1;
        sched_param_type->tp_new = sched_param_new;
        PyObject *reduce = PyDescr_NewMethod(sched_param_type, &sched_param_reduce_def);
        int rc = reduce != NULL ? PyObject_SetAttrString((PyObject *)sched_param_type, "__reduce__", reduce) : -1;
        Py_XDECREF(reduce);
        if (rc < 0)
            PyErr_Clear();      /* the type is fixed: pickling falls back on the sequence */
    }
    return PyModule_AddObjectRef(module, "waitid_result", (PyObject *)waitid_type) < 0
                   || PyModule_AddObjectRef(module, "sched_param", (PyObject *)sched_param_type) < 0
               ? -1
               : 0;
}

static PyObject *rusage_make(const struct rusage *ru)
{
    PyObject *resource = PyImport_ImportModule("resource");
    if (resource == NULL)
        return NULL;
    PyObject *type = PyObject_GetAttrString(resource, "struct_rusage");
    Py_DECREF(resource);
    if (type == NULL)
        return NULL;
    PyObject *result = PyStructSequence_New((PyTypeObject *)type);
    Py_DECREF(type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyFloat_FromDouble(ru->ru_utime.tv_sec + ru->ru_utime.tv_usec * 1e-6));
    PyStructSequence_SET_ITEM(result, 1, PyFloat_FromDouble(ru->ru_stime.tv_sec + ru->ru_stime.tv_usec * 1e-6));
    const long values[] = {ru->ru_maxrss, ru->ru_ixrss, ru->ru_idrss, ru->ru_isrss, ru->ru_minflt, ru->ru_majflt,
                           ru->ru_nswap, ru->ru_inblock, ru->ru_oublock, ru->ru_msgsnd, ru->ru_msgrcv,
                           ru->ru_nsignals, ru->ru_nvcsw, ru->ru_nivcsw};
    for (int i = 0; i < 14; i++)
        PyStructSequence_SET_ITEM(result, 2 + i, PyLong_FromLong(values[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *wait_common(pid_t pid, int options, int with_usage)
{
    pid_t found;
    int status = 0, failed;
    struct rusage usage = {0};
    do {
        DETACHED(found, wait4(pid, &status, options, with_usage ? &usage : NULL));
        failed = found < 0 ? posix_interrupted() : 0;
    } while (failed > 0);
    if (found < 0)
        return failed < 0 ? NULL : posix_error();
    if (!with_usage)
        return Py_BuildValue("(ii)", (int)found, status);
    PyObject *ru = rusage_make(&usage);
    return ru != NULL ? Py_BuildValue("(iiN)", (int)found, status, ru) : NULL;
}

static PyObject *os_wait(PyObject *module, PyObject *unused) { return wait_common(-1, 0, 0); }

static PyObject *os_waitpid(PyObject *module, PyObject *args)
{
    int pid, options;
    return PyArg_ParseTuple(args, "ii:waitpid", &pid, &options) ? wait_common(pid, options, 0) : NULL;
}

static PyObject *os_wait3(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"options", NULL};
    int options;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "i:wait3", names, &options) ? wait_common(-1, options, 1) : NULL;
}

static PyObject *os_wait4(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pid", "options", NULL};
    int pid, options;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "ii:wait4", names, &pid, &options) ? wait_common(pid, options, 1)
                                                                                        : NULL;
}

static PyObject *os_waitid(PyObject *module, PyObject *args)
{
    int type, id, options, rc, failed;
    if (!PyArg_ParseTuple(args, "iii:waitid", &type, &id, &options))
        return NULL;
    siginfo_t info = {0};
    do {
        DETACHED(rc, waitid((idtype_t)type, (id_t)id, &info, options));
        failed = rc < 0 ? posix_interrupted() : 0;
    } while (failed > 0);
    if (rc < 0)
        return failed < 0 ? NULL : posix_error();
    if (info.si_pid == 0)
        Py_RETURN_NONE;
    PyObject *result = PyStructSequence_New(waitid_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyLong_FromLong(info.si_pid));
    PyStructSequence_SET_ITEM(result, 1, PyLong_FromUnsignedLong(info.si_uid));
    PyStructSequence_SET_ITEM(result, 2, PyLong_FromLong(info.si_signo));
    PyStructSequence_SET_ITEM(result, 3, PyLong_FromLong(info.si_status));
    PyStructSequence_SET_ITEM(result, 4, PyLong_FromLong(info.si_code));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static int status_get(PyObject *args, PyObject *kwargs, const char *format, int *status)
{
    static char *names[] = {"status", NULL};
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, names, status) ? 0 : -1;
}

#define STATUS(NAME, MAKE) \
    static PyObject *os_##NAME(PyObject *module, PyObject *args, PyObject *kwargs) \
    { \
        int status; \
        return status_get(args, kwargs, "i:" #NAME, &status) < 0 ? NULL : MAKE(NAME(status)); \
    }
STATUS(WCOREDUMP, PyBool_FromLong)
STATUS(WIFCONTINUED, PyBool_FromLong)
STATUS(WIFSTOPPED, PyBool_FromLong)
STATUS(WIFSIGNALED, PyBool_FromLong)
STATUS(WIFEXITED, PyBool_FromLong)
STATUS(WEXITSTATUS, PyLong_FromLong)
STATUS(WTERMSIG, PyLong_FromLong)
STATUS(WSTOPSIG, PyLong_FromLong)

static PyObject *os_waitstatus_to_exitcode(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int status;
    if (status_get(args, kwargs, "i:waitstatus_to_exitcode", &status) < 0)
        return NULL;
    if (WIFEXITED(status))
        return PyLong_FromLong(WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return PyLong_FromLong(-WTERMSIG(status));
    if (WIFSTOPPED(status))
        PyErr_Format(PyExc_ValueError, "process stopped by delivery of signal %i", WSTOPSIG(status));
    else
        PyErr_Format(PyExc_ValueError, "invalid wait status: %i", status);
    return NULL;
}

/* ---- signals ---- */

static PyObject *os_kill(PyObject *module, PyObject *args)
{
    int pid, signum;
    if (!PyArg_ParseTuple(args, "ii:kill", &pid, &signum) || PySys_Audit("os.kill", "ii", pid, signum) < 0)
        return NULL;
    if (kill(pid, signum) < 0)
        return posix_error();
    return PyErr_CheckSignals() < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *os_killpg(PyObject *module, PyObject *args)
{
    int group, signum;
    if (!PyArg_ParseTuple(args, "ii:killpg", &group, &signum) || PySys_Audit("os.killpg", "ii", group, signum) < 0)
        return NULL;
    if (killpg(group, signum) < 0)
        return posix_error();
    return PyErr_CheckSignals() < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *os_pidfd_open(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pid", "flags", NULL};
    int pid;
    unsigned flags = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|I:pidfd_open", names, &pid, &flags))
        return NULL;
    int fd = (int)syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

/* ---- ids ---- */

#define ID(NAME) \
    static PyObject *os_##NAME(PyObject *module, PyObject *unused) { return PyLong_FromUnsignedLong((unsigned)NAME()); }
ID(getpid)
ID(getppid)
ID(getuid)
ID(geteuid)
ID(getgid)
ID(getegid)
ID(getpgrp)

#define SET_ID(NAME, TYPE, CONVERT) \
    static PyObject *os_##NAME(PyObject *module, PyObject *arg) \
    { \
        TYPE id; \
        return CONVERT(arg, &id) ? none_or_error(NAME(id)) : NULL; \
    }
SET_ID(setuid, uid_t, posix_uid_convert)
SET_ID(seteuid, uid_t, posix_uid_convert)
SET_ID(setgid, gid_t, posix_gid_convert)
SET_ID(setegid, gid_t, posix_gid_convert)

static PyObject *os_setreuid(PyObject *module, PyObject *args)
{
    uid_t a, b;
    return PyArg_ParseTuple(args, "O&O&:setreuid", posix_uid_convert, &a, posix_uid_convert, &b)
               ? none_or_error(setreuid(a, b)) : NULL;
}
static PyObject *os_setregid(PyObject *module, PyObject *args)
{
    gid_t a, b;
    return PyArg_ParseTuple(args, "O&O&:setregid", posix_gid_convert, &a, posix_gid_convert, &b)
               ? none_or_error(setregid(a, b)) : NULL;
}
static PyObject *os_setresuid(PyObject *module, PyObject *args)
{
    uid_t a, b, c;
    return PyArg_ParseTuple(args, "O&O&O&:setresuid", posix_uid_convert, &a, posix_uid_convert, &b, posix_uid_convert, &c)
               ? none_or_error(setresuid(a, b, c)) : NULL;
}
static PyObject *os_setresgid(PyObject *module, PyObject *args)
{
    gid_t a, b, c;
    return PyArg_ParseTuple(args, "O&O&O&:setresgid", posix_gid_convert, &a, posix_gid_convert, &b, posix_gid_convert, &c)
               ? none_or_error(setresgid(a, b, c)) : NULL;
}

static PyObject *os_getresuid(PyObject *module, PyObject *unused)
{
    uid_t a, b, c;
    return getresuid(&a, &b, &c) < 0 ? posix_error() : Py_BuildValue("(III)", a, b, c);
}
static PyObject *os_getresgid(PyObject *module, PyObject *unused)
{
    gid_t a, b, c;
    return getresgid(&a, &b, &c) < 0 ? posix_error() : Py_BuildValue("(III)", a, b, c);
}

static PyObject *os_getpgid(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pid", NULL};
    int pid;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:getpgid", names, &pid))
        return NULL;
    pid_t group = getpgid(pid);
    return group < 0 ? posix_error() : PyLong_FromLong(group);
}

static PyObject *os_getsid(PyObject *module, PyObject *arg)
{
    int pid = _PyLong_AsInt(arg);
    if (pid == -1 && PyErr_Occurred())
        return NULL;
    pid_t session = getsid(pid);
    return session < 0 ? posix_error() : PyLong_FromLong(session);
}

static PyObject *os_setsid(PyObject *module, PyObject *unused) { return none_or_error(setsid() < 0 ? -1 : 0); }
static PyObject *os_setpgrp(PyObject *module, PyObject *unused) { return none_or_error(setpgrp()); }

static PyObject *os_setpgid(PyObject *module, PyObject *args)
{
    int pid, group;
    return PyArg_ParseTuple(args, "ii:setpgid", &pid, &group) ? none_or_error(setpgid(pid, group)) : NULL;
}

static PyObject *groups_make(const gid_t *groups, int n)
{
    PyObject *result = PyList_New(n);
    for (int i = 0; result != NULL && i < n; i++) {
        PyObject *item = PyLong_FromUnsignedLong(groups[i]);
        if (item == NULL)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *os_getgroups(PyObject *module, PyObject *unused)
{
    int n = getgroups(0, NULL);
    if (n < 0)
        return posix_error();
    gid_t *groups = PyMem_New(gid_t, n + 1);
    if (groups == NULL)
        return PyErr_NoMemory();
    n = getgroups(n, groups);
    PyObject *result = n < 0 ? posix_error() : groups_make(groups, n);
    PyMem_Free(groups);
    return result;
}

static PyObject *os_setgroups(PyObject *module, PyObject *arg)
{
    if (!PySequence_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a sequence");
        return NULL;
    }
    PyObject *items = PySequence_Tuple(arg), *result = NULL;
    if (items == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    gid_t groups[65536 / sizeof(gid_t)];
    if (n > (Py_ssize_t)Py_ARRAY_LENGTH(groups)) {
        PyErr_SetString(PyExc_ValueError, "too many groups");
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!posix_gid_convert(PyTuple_GET_ITEM(items, i), &groups[i]))
            goto done;
    result = none_or_error(setgroups((size_t)n, groups));
done:
    Py_DECREF(items);
    return result;
}

static PyObject *os_getgrouplist(PyObject *module, PyObject *args)
{
    const char *user;
    gid_t group;
    if (!PyArg_ParseTuple(args, "sO&:getgrouplist", &user, posix_gid_convert, &group))
        return NULL;
    int n = 64;
    for (;;) {
        gid_t *groups = PyMem_New(gid_t, n);
        if (groups == NULL)
            return PyErr_NoMemory();
        int room = n;
        if (getgrouplist(user, group, groups, &n) >= 0) {
            PyObject *result = groups_make(groups, n);
            PyMem_Free(groups);
            return result;
        }
        PyMem_Free(groups);
        if (n <= room)
            n = room * 2;
    }
}

static PyObject *os_initgroups(PyObject *module, PyObject *args)
{
    PyObject *user;
    gid_t group;
    if (!PyArg_ParseTuple(args, "O&O&:initgroups", PyUnicode_FSConverter, &user, posix_gid_convert, &group))
        return NULL;
    int rc = initgroups(PyBytes_AS_STRING(user), group);
    Py_DECREF(user);
    return none_or_error(rc);
}

static PyObject *os_getlogin(PyObject *module, PyObject *unused)
{
    char name[256];
    int error = getlogin_r(name, sizeof name);
    if (error) {
        errno = error;
        return posix_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

/* ---- scheduling ---- */

static PyObject *os_nice(PyObject *module, PyObject *arg)
{
    int increment = _PyLong_AsInt(arg);
    if (increment == -1 && PyErr_Occurred())
        return NULL;
    errno = 0;
    int value = nice(increment);
    return value == -1 && errno != 0 ? posix_error() : PyLong_FromLong(value);
}

static PyObject *os_getpriority(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"which", "who", NULL};
    int which, who;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ii:getpriority", names, &which, &who))
        return NULL;
    errno = 0;
    int value = getpriority(which, (id_t)who);
    return value == -1 && errno != 0 ? posix_error() : PyLong_FromLong(value);
}

static PyObject *os_setpriority(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"which", "who", "priority", NULL};
    int which, who, priority;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:setpriority", names, &which, &who, &priority))
        return NULL;
    return none_or_error(setpriority(which, (id_t)who, priority));
}

static PyObject *os_sched_yield(PyObject *module, PyObject *unused)
{
    int rc;
    DETACHED(rc, sched_yield());
    return none_or_error(rc);
}

#define SCHED_LIMIT(NAME) \
    static PyObject *os_##NAME(PyObject *module, PyObject *args, PyObject *kwargs) \
    { \
        static char *names[] = {"policy", NULL}; \
        int policy; \
        if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:" #NAME, names, &policy)) \
            return NULL; \
        int value = NAME(policy); \
        return value < 0 ? posix_error() : PyLong_FromLong(value); \
    }
SCHED_LIMIT(sched_get_priority_max)
SCHED_LIMIT(sched_get_priority_min)

static int sched_param_convert(PyObject *arg, void *address)
{
    struct sched_param *param = address;
    if (!Py_IS_TYPE(arg, sched_param_type)) {
        PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
        return 0;
    }
    long priority = PyLong_AsLong(PyStructSequence_GET_ITEM(arg, 0));
    if (priority == -1 && PyErr_Occurred())
        return 0;
    if (priority > INT_MAX || priority < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "sched_priority out of range");
        return 0;
    }
    param->sched_priority = (int)priority;
    return 1;
}

static PyObject *os_sched_getscheduler(PyObject *module, PyObject *arg)
{
    int pid = _PyLong_AsInt(arg);
    if (pid == -1 && PyErr_Occurred())
        return NULL;
    int policy = sched_getscheduler(pid);
    return policy < 0 ? posix_error() : PyLong_FromLong(policy);
}

static PyObject *os_sched_setscheduler(PyObject *module, PyObject *args)
{
    int pid, policy;
    struct sched_param param = {0};
    if (!PyArg_ParseTuple(args, "iiO&:sched_setscheduler", &pid, &policy, sched_param_convert, &param))
        return NULL;
    return none_or_error(sched_setscheduler(pid, policy, &param) < 0 ? -1 : 0);
}

static PyObject *os_sched_getparam(PyObject *module, PyObject *arg)
{
    int pid = _PyLong_AsInt(arg);
    if (pid == -1 && PyErr_Occurred())
        return NULL;
    struct sched_param param;
    if (sched_getparam(pid, &param) < 0)
        return posix_error();
    PyObject *result = PyStructSequence_New(sched_param_type);
    PyObject *priority = PyLong_FromLong(param.sched_priority);
    if (result == NULL || priority == NULL) {
        Py_XDECREF(result);
        Py_XDECREF(priority);
        return NULL;
    }
    PyStructSequence_SET_ITEM(result, 0, priority);
    return result;
}

static PyObject *os_sched_setparam(PyObject *module, PyObject *args)
{
    int pid;
    struct sched_param param = {0};
    if (!PyArg_ParseTuple(args, "iO&:sched_setparam", &pid, sched_param_convert, &param))
        return NULL;
    return none_or_error(sched_setparam(pid, &param));
}

static PyObject *os_sched_rr_get_interval(PyObject *module, PyObject *arg)
{
    int pid = _PyLong_AsInt(arg);
    if (pid == -1 && PyErr_Occurred())
        return NULL;
    struct timespec interval;
    if (sched_rr_get_interval(pid, &interval) < 0)
        return posix_error();
    return PyFloat_FromDouble(interval.tv_sec + 1e-9 * interval.tv_nsec);
}

static PyObject *os_sched_getaffinity(PyObject *module, PyObject *arg)
{
    int pid = _PyLong_AsInt(arg);
    if (pid == -1 && PyErr_Occurred())
        return NULL;
    for (int n = 1024; n <= 1 << 20; n *= 2) {
        cpu_set_t *mask = CPU_ALLOC(n);
        if (mask == NULL)
            return PyErr_NoMemory();
        size_t size = CPU_ALLOC_SIZE(n);
        if (sched_getaffinity(pid, size, mask) < 0) {
            CPU_FREE(mask);
            if (errno == EINVAL)
                continue;
            return posix_error();
        }
        PyObject *result = PySet_New(NULL);
        for (int i = 0; result != NULL && i < n; i++) {
            if (!CPU_ISSET_S(i, size, mask))
                continue;
            PyObject *item = PyLong_FromLong(i);
            if (item == NULL || PySet_Add(result, item) < 0)
                Py_CLEAR(result);
            Py_XDECREF(item);
        }
        CPU_FREE(mask);
        return result;
    }
    return PyErr_NoMemory();
}

static PyObject *os_sched_setaffinity(PyObject *module, PyObject *args)
{
    int pid;
    PyObject *cpus;
    if (!PyArg_ParseTuple(args, "iO:sched_setaffinity", &pid, &cpus))
        return NULL;
    PyObject *iterator = PyObject_GetIter(cpus), *item;
    if (iterator == NULL)
        return NULL;
    enum { LIMIT = 1 << 16 };
    cpu_set_t *mask = CPU_ALLOC(LIMIT);
    PyObject *result = NULL;
    size_t size = CPU_ALLOC_SIZE(LIMIT);
    if (mask == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    CPU_ZERO_S(size, mask);
    while ((item = PyIter_Next(iterator)) != NULL) {
        if (!PyLong_Check(item)) {
            PyErr_Format(PyExc_TypeError, "expected an iterator of ints, but iterator yielded %R",
                         (PyObject *)Py_TYPE(item));
            Py_DECREF(item);
            goto done;
        }
        long cpu = PyLong_AsLong(item);
        Py_DECREF(item);
        if (cpu < 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "negative CPU number");
            goto done;
        }
        if (cpu > INT_MAX - 1) {
            PyErr_SetString(PyExc_OverflowError, "CPU number too large");
            goto done;
        }
        if (cpu >= LIMIT) {
            errno = EINVAL;
            posix_error();
            goto done;
        }
        CPU_SET_S(cpu, size, mask);
    }
    if (!PyErr_Occurred())
        result = none_or_error(sched_setaffinity(pid, size, mask));
done:
    if (mask != NULL)
        CPU_FREE(mask);
    Py_DECREF(iterator);
    return result;
}

#define NOARGS(name, doc) {#name, os_##name, METH_NOARGS, #name "($module, /)\n--\n\n" doc}
#define ONE(name, arg, doc) {#name, os_##name, METH_O, #name "($module, " arg ", /)\n--\n\n" doc}
#define SOME(name, args, doc) {#name, os_##name, METH_VARARGS, #name "($module, " args ", /)\n--\n\n" doc}
#define NAMED(name, args, doc) KEYWORDS(#name, os_##name, #name "($module, /, " args ")\n--\n\n" doc)

PyMethodDef posix_process_methods[] = {
    NOARGS(fork, "Makes a copy of this process: 0 in the copy, its id here."),
    NOARGS(forkpty, "fork() with a new terminal for the copy."),
    KEYWORDS("register_at_fork", os_register_at_fork, "Registers functions that run around fork()."),
    NAMED(_exit, "status", "Ends the process at once."),
    NOARGS(abort, "Kills the process with SIGABRT."),
    NOARGS(wait, "Waits for any child: (id, status)."),
    SOME(waitpid, "pid, options", "Waits for a child: (id, status)."),
    NAMED(wait3, "options", "Waits for any child: (id, status, usage)."),
    NAMED(wait4, "pid, options", "Waits for a child: (id, status, usage)."),
    SOME(waitid, "idtype, id, options", "Waits for a change of a child."),
    NAMED(WCOREDUMP, "status", "Was a core dumped?"),
    NAMED(WIFCONTINUED, "status", "Was the process continued?"),
    NAMED(WIFSTOPPED, "status", "Was the process stopped?"),
    NAMED(WIFSIGNALED, "status", "Was the process killed by a signal?"),
    NAMED(WIFEXITED, "status", "Did the process exit?"),
    NAMED(WEXITSTATUS, "status", "The exit value."),
    NAMED(WTERMSIG, "status", "The signal that killed the process."),
    NAMED(WSTOPSIG, "status", "The signal that stopped the process."),
    NAMED(waitstatus_to_exitcode, "status", "The exit value, or minus the signal."),
    SOME(kill, "pid, signal", "Sends a signal to a process."),
    SOME(killpg, "pgid, signal", "Sends a signal to a group of processes."),
    NAMED(pidfd_open, "pid, flags=0", "A descriptor of a process."),
    NOARGS(getpid, "This process's id."),
    NOARGS(getppid, "The parent's id."),
    NOARGS(getuid, "The real user."),
    NOARGS(geteuid, "The effective user."),
    NOARGS(getgid, "The real group."),
    NOARGS(getegid, "The effective group."),
    NOARGS(getpgrp, "This process's process group."),
    ONE(setuid, "uid", "Sets the user."),
    ONE(seteuid, "euid", "Sets the effective user."),
    ONE(setgid, "gid", "Sets the group."),
    ONE(setegid, "egid", "Sets the effective group."),
    SOME(setreuid, "ruid, euid", "Sets the real and effective user."),
    SOME(setregid, "rgid, egid", "Sets the real and effective group."),
    SOME(setresuid, "ruid, euid, suid", "Sets the real, effective and saved user."),
    SOME(setresgid, "rgid, egid, sgid", "Sets the real, effective and saved group."),
    NOARGS(getresuid, "The real, effective and saved user."),
    NOARGS(getresgid, "The real, effective and saved group."),
    NAMED(getpgid, "pid", "The process group of a process."),
    ONE(getsid, "pid", "The session of a process."),
    NOARGS(setsid, "Starts a new session."),
    NOARGS(setpgrp, "Starts a new process group."),
    SOME(setpgid, "pid, pgrp", "Puts a process into a group."),
    NOARGS(getgroups, "The further groups of this process."),
    ONE(setgroups, "groups", "Sets the further groups of this process."),
    SOME(getgrouplist, "user, group", "The groups of a user."),
    SOME(initgroups, "username, gid", "Sets the further groups to those of a user."),
    NOARGS(getlogin, "The name of the user logged in."),
    ONE(nice, "increment", "Makes this process nicer; returns the new niceness."),
    NAMED(getpriority, "which, who", "A scheduling priority."),
    NAMED(setpriority, "which, who, priority", "Sets a scheduling priority."),
    NOARGS(sched_yield, "Lets others run."),
    NAMED(sched_get_priority_max, "policy", "The greatest priority of a policy."),
    NAMED(sched_get_priority_min, "policy", "The least priority of a policy."),
    ONE(sched_getscheduler, "pid", "The scheduling policy of a process."),
    SOME(sched_setscheduler, "pid, policy, param", "Sets the scheduling policy of a process."),
    ONE(sched_getparam, "pid", "The scheduling parameters of a process."),
    SOME(sched_setparam, "pid, param", "Sets the scheduling parameters of a process."),
    ONE(sched_rr_get_interval, "pid", "The round-robin slice of a process in seconds."),
    ONE(sched_getaffinity, "pid", "The processors that a process may use."),
    SOME(sched_setaffinity, "pid, mask", "Sets the processors that a process may use."),
    {NULL},
};
