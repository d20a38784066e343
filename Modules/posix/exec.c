/* Running other programs: execv, execve, posix_spawn, system. */
#include "posix.h"
#include <sched.h>
#include <signal.h>
#include <spawn.h>

extern char **environ;

/* An array of C strings that ends with NULL. */
struct strings {
    char **items;
    PyObject *owners;           /* list of bytes objects that hold the text; counted */
};

static void strings_clear(struct strings *strings)
{
    PyMem_Free(strings->items);
    Py_CLEAR(strings->owners);
    strings->items = NULL;
}

/* A list that gc.get_objects does not find. */
static PyObject *hidden_list(void)
{
    PyObject *list = PyList_New(0);
    if (list != NULL)
        PyObject_GC_UnTrack(list);
    return list;
}

static int strings_index(struct strings *strings)
{
    Py_ssize_t n = PyList_GET_SIZE(strings->owners);
    strings->items = PyMem_New(char *, n + 1);
    if (strings->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        strings->items[i] = PyBytes_AS_STRING(PyList_GET_ITEM(strings->owners, i));
    strings->items[n] = NULL;
    return 0;
}

static int strings_from_args(struct strings *strings, PyObject *args, const char *name)
{
    if (!PyList_Check(args) && !PyTuple_Check(args)) {
        PyErr_Format(PyExc_TypeError,
                     strcmp(name, "execv") == 0 ? "%s() arg 2 must be a tuple or list" : "%s: argv must be a tuple or list",
                     name);
        return -1;
    }
    PyObject *items = PySequence_Tuple(args);
    if (items == NULL)
        return -1;
    int result = -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    if (n < 1) {
        PyErr_Format(PyExc_ValueError,
                     strcmp(name, "execv") == 0 ? "%s() arg 2 must not be empty" : "%s: argv must not be empty", name);
        goto done;
    }
    strings->owners = hidden_list();
    if (strings->owners == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *bytes;
        if (!PyUnicode_FSConverter(PyTuple_GET_ITEM(items, i), &bytes))
            goto done;
        int rc = PyList_Append(strings->owners, bytes);
        Py_DECREF(bytes);
        if (rc < 0)
            goto done;
    }
    if (strings->items == NULL && PyBytes_GET_SIZE(PyList_GET_ITEM(strings->owners, 0)) == 0) {
        PyErr_Format(PyExc_ValueError,
                     strcmp(name, "execv") == 0 ? "%s() arg 2 first element cannot be empty"
                                                : "%s: argv first element cannot be empty", name);
        goto done;
    }
    result = strings_index(strings);
done:
    Py_DECREF(items);
    return result;
}

static int strings_from_environment(struct strings *strings, PyObject *mapping)
{
    PyObject *items = PyMapping_Items(mapping);
    if (items == NULL)
        return -1;
    PyObject_GC_UnTrack(items);         /* not to be found by gc.get_objects */
    int result = -1;
    strings->owners = hidden_list();
    Py_ssize_t n = PyList_GET_SIZE(items);
    for (Py_ssize_t i = 0; strings->owners != NULL && i < n; i++) {
        PyObject *pair = PyList_GET_ITEM(items, i), *name = NULL, *value = NULL;
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "env.items() must yield pairs");
            goto done;
        }
        if (!PyUnicode_FSConverter(PyTuple_GET_ITEM(pair, 0), &name))
            goto done;
        if (!PyUnicode_FSConverter(PyTuple_GET_ITEM(pair, 1), &value)) {
            Py_DECREF(name);
            goto done;
        }
        int rc = -1;
        if (PyBytes_GET_SIZE(name) == 0 || strchr(PyBytes_AS_STRING(name) + 1, '=') != NULL) {
            PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
        }
        else {
            PyObject *entry = PyBytes_FromFormat("%s=%s", PyBytes_AS_STRING(name), PyBytes_AS_STRING(value));
            rc = entry != NULL ? PyList_Append(strings->owners, entry) : -1;
            Py_XDECREF(entry);
        }
        Py_DECREF(name);
        Py_DECREF(value);
        if (rc < 0)
            goto done;
    }
    if (strings->owners != NULL)
        result = strings_index(strings);
done:
    Py_DECREF(items);
    return result;
}

static PyObject *os_execv(PyObject *module, PyObject *args)
{
    struct posix_path path = POSIX_PATH("execv", "path", 0, 0);
    struct strings argv = {0};
    PyObject *list;
    if (PyArg_ParseTuple(args, "O&O:execv", posix_path_convert, &path, &list)
        && strings_from_args(&argv, list, "execv") == 0
        && PySys_Audit("os.exec", "OOO", path.object, list, Py_None) == 0) {
        execv(path.text, argv.items);
        posix_path_error(&path);
    }
    strings_clear(&argv);
    posix_path_clear(&path);
    return NULL;
}

static PyObject *os_execve(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "argv", "env", NULL};
    struct posix_path path = POSIX_PATH("execve", "path", 0, 1);
    struct strings argv = {0}, envp = {0};
    PyObject *list, *env;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&OO:execve", names, posix_path_convert, &path, &list, &env)
        && strings_from_args(&argv, list, "execve") == 0) {
        if (!PyMapping_Check(env))
            PyErr_SetString(PyExc_TypeError, "execve: environment must be a mapping object");
        else if (strings_from_environment(&envp, env) == 0
                 && PySys_Audit("os.exec", "OOO", path.object, list, env) == 0) {
            if (path.fd != -1)
                fexecve(path.fd, argv.items, envp.items);
            else
                execve(path.text, argv.items, envp.items);
            posix_path_error(&path);
        }
    }
    strings_clear(&argv);
    strings_clear(&envp);
    posix_path_clear(&path);
    return NULL;
}

/* ---- posix_spawn ---- */

static int sigset_get(PyObject *iterable, sigset_t *set)
{
    sigemptyset(set);
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL)
        return -1;
    while ((item = PyIter_Next(iterator)) != NULL) {
        int signum = _PyLong_AsInt(item);
        Py_DECREF(item);
        if (signum == -1 && PyErr_Occurred())
            break;
        if (signum <= 0 || signum >= NSIG) {
            PyErr_Format(PyExc_ValueError, "signal number %d out of range [1; %i]", signum, NSIG - 1);
            break;
        }
        sigaddset(set, signum);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

/* keep collects the bytes objects that the actions point into. */
static int action_add(posix_spawn_file_actions_t *actions, PyObject *action, PyObject *keep)
{
    if (!PyTuple_Check(action) || PyTuple_GET_SIZE(action) == 0) {
        PyErr_SetString(PyExc_TypeError, "Each file_actions element must be a non-empty tuple");
        return -1;
    }
    long tag = PyLong_AsLong(PyTuple_GET_ITEM(action, 0));
    if (tag == -1 && PyErr_Occurred())
        return -1;
    int error = 0;
    PyObject *tag_object;
    if (tag == 0) {
        int fd, flags;
        PyObject *path;
        unsigned long mode;
        if (!PyArg_ParseTuple(action, "OiO&ik;A open file_action tuple must have 5 elements", &tag_object, &fd,
                              PyUnicode_FSConverter, &path, &flags, &mode))
            return -1;
        int rc = PyList_Append(keep, path);
        if (rc == 0)
            error = posix_spawn_file_actions_addopen(actions, fd, PyBytes_AS_STRING(path), flags, (mode_t)mode);
        Py_DECREF(path);
        if (rc < 0)
            return -1;
    }
    else if (tag == 1) {
        int fd;
        if (!PyArg_ParseTuple(action, "Oi;A close file_action tuple must have 2 elements", &tag_object, &fd))
            return -1;
        error = posix_spawn_file_actions_addclose(actions, fd);
    }
    else if (tag == 2) {
        int fd, fd2;
        if (!PyArg_ParseTuple(action, "Oii;A dup2 file_action tuple must have 3 elements", &tag_object, &fd, &fd2))
            return -1;
        error = posix_spawn_file_actions_adddup2(actions, fd, fd2);
    }
    else {
        PyErr_SetString(PyExc_TypeError, "Unknown file_actions identifier");
        return -1;
    }
    if (error) {
        errno = error;
        posix_error();
        return -1;
    }
    return 0;
}

struct spawn_options {
    PyObject *file_actions, *setpgroup, *setsigmask, *setsigdef, *scheduler;
    int resetids, setsid;
};

static int attributes_fill(posix_spawnattr_t *attributes, const struct spawn_options *options, const char *name)
{
    short flags = 0;
    sigset_t set;
    if (options->setpgroup != NULL) {
        int group = _PyLong_AsInt(options->setpgroup);
        if (group == -1 && PyErr_Occurred())
            return -1;
        posix_spawnattr_setpgroup(attributes, group);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if (options->resetids)
        flags |= POSIX_SPAWN_RESETIDS;
    if (options->setsid)
        flags |= POSIX_SPAWN_SETSID;
    if (options->setsigmask != NULL) {
        if (sigset_get(options->setsigmask, &set) < 0)
            return -1;
        posix_spawnattr_setsigmask(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (options->setsigdef != NULL) {
        if (sigset_get(options->setsigdef, &set) < 0)
            return -1;
        posix_spawnattr_setsigdefault(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    if (options->scheduler != NULL) {
        PyObject *policy, *param;
        if (!PyTuple_Check(options->scheduler)) {
            PyErr_SetString(PyExc_TypeError, "A scheduler tuple must have two elements");
            return -1;
        }
        if (!PyArg_ParseTuple(options->scheduler, "OO;A scheduler tuple must have two elements", &policy, &param))
            return -1;
        if (policy != Py_None) {
            int number = _PyLong_AsInt(policy);
            if (number == -1 && PyErr_Occurred())
                return -1;
            posix_spawnattr_setschedpolicy(attributes, number);
            flags |= POSIX_SPAWN_SETSCHEDULER;
        }
        PyObject *priority = PyObject_GetAttrString(param, "sched_priority");
        if (priority == NULL)
            return -1;
        struct sched_param native = {.sched_priority = _PyLong_AsInt(priority)};
        Py_DECREF(priority);
        if (native.sched_priority == -1 && PyErr_Occurred())
            return -1;
        posix_spawnattr_setschedparam(attributes, &native);
        flags |= POSIX_SPAWN_SETSCHEDPARAM;
    }
    posix_spawnattr_setflags(attributes, flags);
    return 0;
}

static int actions_fill(posix_spawn_file_actions_t *actions, PyObject *given, PyObject *keep)
{
    PyObject *fast = PySequence_Fast(given, "file_actions must be a sequence or None");
    /* A list could change while paths are converted, or under another thread. */
    PyObject *items = fast != NULL ? PySequence_Tuple(fast) : NULL;
    Py_XDECREF(fast);
    if (items == NULL)
        return -1;
    int rc = 0;
    for (Py_ssize_t i = 0; rc == 0 && i < PyTuple_GET_SIZE(items); i++)
        rc = action_add(actions, PyTuple_GET_ITEM(items, i), keep);
    Py_DECREF(items);
    return rc;
}

static PyObject *spawn_common(PyObject *args, PyObject *kwargs, const char *name, int search)
{
    static char *names[] = {"", "", "", "file_actions", "setpgroup", "resetids", "setsid", "setsigmask", "setsigdef",
                            "scheduler", NULL};
    struct posix_path path = POSIX_PATH(name, "path", 0, 0);
    struct spawn_options options = {0};
    struct strings argv = {0}, envp = {0};
    PyObject *list, *env, *result = NULL, *keep = PyList_New(0);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (keep == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs,
                                        search ? "O&OO|$OOiiOOO:posix_spawnp" : "O&OO|$OOiiOOO:posix_spawn", names,
                                        posix_path_convert, &path, &list, &env, &options.file_actions,
                                        &options.setpgroup, &options.resetids, &options.setsid, &options.setsigmask,
                                        &options.setsigdef, &options.scheduler))
        goto done;
    if (!PyMapping_Check(env) && env != Py_None) {
        PyErr_Format(PyExc_TypeError, "%s: environment must be a mapping object or None", name);
        goto done;
    }
    if (strings_from_args(&argv, list, name) < 0 || (env != Py_None && strings_from_environment(&envp, env) < 0))
        goto done;
    if (options.file_actions != NULL && options.file_actions != Py_None
        && actions_fill(&actions, options.file_actions, keep) < 0)
        goto done;
    if (attributes_fill(&attributes, &options, name) < 0
        || PySys_Audit("os.posix_spawn", "OOO", path.object, list, env) < 0)
        goto done;
    pid_t pid;
    int error = (search ? posix_spawnp : posix_spawn)(&pid, path.text, &actions, &attributes, argv.items,
                                                      env != Py_None ? envp.items : environ);
    errno = error;
    result = error ? posix_path_error(&path) : PyLong_FromLong(pid);
done:
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    Py_XDECREF(keep);
    strings_clear(&argv);
    strings_clear(&envp);
    posix_path_clear(&path);
    return result;
}

static PyObject *os_posix_spawn(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return spawn_common(args, kwargs, "posix_spawn", 0);
}
static PyObject *os_posix_spawnp(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return spawn_common(args, kwargs, "posix_spawnp", 1);
}

static PyObject *os_system(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"command", NULL};
    PyObject *command;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:system", names, PyUnicode_FSConverter, &command))
        return NULL;
    int status = -1;
    const char *text = PyBytes_AS_STRING(command);
    int refused = PySys_Audit("os.system", "(O)", command) < 0;
    if (!refused)
        DETACHED(status, system(text));
    Py_DECREF(command);
    return refused ? NULL : PyLong_FromLong(status);
}

PyMethodDef posix_exec_methods[] = {
    {"execv", os_execv, METH_VARARGS, "execv($module, path, argv, /)\n--\n\nRuns a program in place of this one."},
    KEYWORDS("execve", os_execve, "execve($module, /, path, argv, env)\n--\n\nexecv() with an environment."),
    KEYWORDS("posix_spawn", os_posix_spawn, "Starts a program in a new process."),
    KEYWORDS("posix_spawnp", os_posix_spawnp, "posix_spawn() that searches PATH."),
    KEYWORDS("system", os_system, "system($module, /, command)\n--\n\nRuns a command in a shell."),
    {NULL},
};
