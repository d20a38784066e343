/* The machine and the process's surroundings: uname, times, sysconf, environment, random bytes, terminal size. */
#include "posix.h"
#include "fork_mutex.h"
#include <langinfo.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include "structseq.h"

static PyStructSequence_Field uname_fields[] = {
    {"sysname", "operating system name"}, {"nodename", "name of machine on network (implementation-defined)"},
    {"release", "operating system release"}, {"version", "operating system version"},
    {"machine", "hardware identifier"}, {NULL, NULL},
};
static PyStructSequence_Desc uname_desc = {"posix.uname_result", "What uname() found.", uname_fields, 5};
static PyStructSequence_Field times_fields[] = {
    {"user", "user time"}, {"system", "system time"}, {"children_user", "user time of children"},
    {"children_system", "system time of children"}, {"elapsed", "elapsed time since an arbitrary point in the past"},
    {NULL, NULL},
};
static PyStructSequence_Desc times_desc = {"posix.times_result", "What times() found.", times_fields, 5};
static PyStructSequence_Field terminal_fields[] = {
    {"columns", "width of the terminal window in characters"}, {"lines", "height of the terminal window in characters"},
    {NULL, NULL},
};
static PyStructSequence_Desc terminal_desc = {"os.terminal_size", "(columns, lines) of a terminal.", terminal_fields, 2};
static PyTypeObject *uname_type, *times_type, *terminal_type;       /* [const after the module is made] */

int posix_system_types(PyObject *module)
{
    if (uname_type == NULL) {
        uname_type = PyStructSequence_NewType(&uname_desc);
        times_type = PyStructSequence_NewType(&times_desc);
        terminal_type = PyStructSequence_NewType(&terminal_desc);
        if (uname_type == NULL || times_type == NULL || terminal_type == NULL)
            return -1;
    }
    return PyModule_AddObjectRef(module, "uname_result", (PyObject *)uname_type) < 0
                   || PyModule_AddObjectRef(module, "times_result", (PyObject *)times_type) < 0
                   || PyModule_AddObjectRef(module, "terminal_size", (PyObject *)terminal_type) < 0
               ? -1
               : 0;
}

static PyObject *none_or_error(int rc) { return rc < 0 ? posix_error() : Py_NewRef(Py_None); }

static PyObject *os_uname(PyObject *module, PyObject *unused)
{
    struct utsname u;
    if (uname(&u) < 0)
        return posix_error();
    PyObject *result = PyStructSequence_New(uname_type);
    if (result == NULL)
        return NULL;
    const char *const texts[5] = {u.sysname, u.nodename, u.release, u.version, u.machine};
    for (int i = 0; i < 5; i++)
        PyStructSequence_SET_ITEM(result, i, PyUnicode_DecodeFSDefault(texts[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *os_times(PyObject *module, PyObject *unused)
{
    struct tms t;
    errno = 0;
    clock_t elapsed = times(&t);
    if (elapsed == (clock_t)-1 && errno != 0)
        return posix_error();
    PyObject *result = PyStructSequence_New(times_type);
    if (result == NULL)
        return NULL;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    const clock_t values[5] = {t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed};
    for (int i = 0; i < 5; i++)
        PyStructSequence_SET_ITEM(result, i, PyFloat_FromDouble((double)values[i] / ticks));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *os_get_terminal_size(PyObject *module, PyObject *args)
{
    int fd = STDOUT_FILENO;
    if (!PyArg_ParseTuple(args, "|i:get_terminal_size", &fd))
        return NULL;
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0)
        return posix_error();
    PyObject *result = PyStructSequence_New(terminal_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyLong_FromLong(w.ws_col));
    PyStructSequence_SET_ITEM(result, 1, PyLong_FromLong(w.ws_row));
    return result;
}

/* ---- sysconf and so on ---- */

/* A name (looked up in the module's table) or a number. */
static int conf_name(PyObject *module, const char *table_name, PyObject *arg, int *value)
{
    if (PyLong_Check(arg)) {
        *value = _PyLong_AsInt(arg);
        return *value == -1 && PyErr_Occurred() ? -1 : 0;
    }
    if (!PyUnicode_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "configuration names must be strings or integers");
        return -1;
    }
    PyObject *table = PyObject_GetAttrString(module, table_name);
    if (table == NULL)
        return -1;
    PyObject *number = PyObject_GetItem(table, arg);
    Py_DECREF(table);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_SetString(PyExc_ValueError, "unrecognized configuration name");
        return -1;
    }
    *value = _PyLong_AsInt(number);
    Py_DECREF(number);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *os_sysconf(PyObject *module, PyObject *arg)
{
    int name;
    if (conf_name(module, "sysconf_names", arg, &name) < 0)
        return NULL;
    errno = 0;
    long value = sysconf(name);
    return value == -1 && errno != 0 ? posix_error() : PyLong_FromLong(value);
}

static PyObject *os_confstr(PyObject *module, PyObject *arg)
{
    int name;
    if (conf_name(module, "confstr_names", arg, &name) < 0)
        return NULL;
    errno = 0;
    size_t size = confstr(name, NULL, 0);
    if (size == 0)
        return errno != 0 ? posix_error() : Py_NewRef(Py_None);
    char *buffer = PyMem_Malloc(size);
    if (buffer == NULL)
        return PyErr_NoMemory();
    size = confstr(name, buffer, size);
    PyObject *result = PyUnicode_DecodeFSDefaultAndSize(buffer, size > 0 ? (Py_ssize_t)size - 1 : 0);
    PyMem_Free(buffer);
    return result;
}

static PyObject *os_pathconf(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "name", NULL};
    struct posix_path path = POSIX_PATH("pathconf", "path", 0, 1);
    PyObject *arg, *result = NULL;
    int name;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O&O:pathconf", names, posix_path_convert, &path, &arg)
        && conf_name(module, "pathconf_names", arg, &name) == 0) {
        errno = 0;
        long value = path.fd != -1 ? fpathconf(path.fd, name) : pathconf(path.text, name);
        result = value == -1 && errno != 0 ? posix_path_error(&path) : PyLong_FromLong(value);
    }
    posix_path_clear(&path);
    return result;
}

static PyObject *os_fpathconf(PyObject *module, PyObject *args)
{
    int fd, name;
    PyObject *arg;
    if (!PyArg_ParseTuple(args, "O&O:fpathconf", posix_fd_convert, &fd, &arg)
        || conf_name(module, "pathconf_names", arg, &name) < 0)
        return NULL;
    errno = 0;
    long value = fpathconf(fd, name);
    return value == -1 && errno != 0 ? posix_error() : PyLong_FromLong(value);
}

static PyObject *os_cpu_count(PyObject *module, PyObject *unused)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n >= 1 ? PyLong_FromLong(n) : Py_NewRef(Py_None);
}

static PyObject *os_getloadavg(PyObject *module, PyObject *unused)
{
    double load[3];
    if (getloadavg(load, 3) != 3) {
        PyErr_SetString(PyExc_OSError, "Load averages are unobtainable");
        return NULL;
    }
    return Py_BuildValue("(ddd)", load[0], load[1], load[2]);
}

/* ---- environment ---- */

static PyMutex environment_lock;       /* setenv() and unsetenv() are not safe against each other in older C libraries */
FORK_MUTEX(environment_lock)

static PyObject *os_putenv(PyObject *module, PyObject *args)
{
    PyObject *name, *value;
    if (!PyArg_ParseTuple(args, "O&O&:putenv", PyUnicode_FSConverter, &name, PyUnicode_FSConverter, &value))
        return NULL;
    PyObject *result = NULL;
    if (PySys_Audit("os.putenv", "OO", name, value) < 0)
        goto done;
    if (strchr(PyBytes_AS_STRING(name), '=') != NULL) {
        PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
        goto done;
    }
    PyMutex_Lock(&environment_lock);
    int rc = setenv(PyBytes_AS_STRING(name), PyBytes_AS_STRING(value), 1);
    PyMutex_Unlock(&environment_lock);
    result = none_or_error(rc);
done:
    Py_DECREF(name);
    Py_DECREF(value);
    return result;
}

static PyObject *os_unsetenv(PyObject *module, PyObject *arg)
{
    PyObject *name;
    if (!PyUnicode_FSConverter(arg, &name))
        return NULL;
    PyObject *result = NULL;
    if (PySys_Audit("os.unsetenv", "(O)", name) == 0) {
        PyMutex_Lock(&environment_lock);
        int rc = unsetenv(PyBytes_AS_STRING(name));
        PyMutex_Unlock(&environment_lock);
        result = none_or_error(rc);
    }
    Py_DECREF(name);
    return result;
}

/* ---- random bytes ---- */

static PyObject *random_make(Py_ssize_t size, unsigned flags, int whole)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL)
        return NULL;
    char *buffer = PyBytes_AS_STRING(bytes);
    Py_ssize_t done = 0;
    do {
        ssize_t n;
        DETACHED(n, getrandom(buffer + done, (size_t)(size - done), flags));
        if (n < 0) {
            int again = posix_interrupted();
            if (again > 0)
                continue;
            if (again == 0)
                posix_error();
            Py_DECREF(bytes);
            return NULL;
        }
        done += n;
        if (!whole)
            break;
    } while (done < size);
    if (done != size)
        _PyBytes_Resize(&bytes, done);
    return bytes;
}

static PyObject *os_urandom(PyObject *module, PyObject *arg)
{
    Py_ssize_t size = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred())
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative argument not allowed");
        return NULL;
    }
    return random_make(size, 0, 1);
}

static PyObject *os_getrandom(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"size", "flags", NULL};
    Py_ssize_t size;
    int flags = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n|i:getrandom", names, &size, &flags))
        return NULL;
    if (size < 0) {
        errno = EINVAL;
        return posix_error();
    }
    return random_make(size, (unsigned)flags, 0);
}

/* ---- the rest ---- */

static PyObject *os_strerror(PyObject *module, PyObject *arg)
{
    int code = _PyLong_AsInt(arg);
    if (code == -1 && PyErr_Occurred())
        return NULL;
    return PyUnicode_DecodeLocale(strerror(code), "surrogateescape");
}

static PyObject *os_umask(PyObject *module, PyObject *arg)
{
    int mask = _PyLong_AsInt(arg);
    if (mask == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong((long)umask((mode_t)mask));
}

static PyObject *os_ctermid(PyObject *module, PyObject *unused)
{
    char name[L_ctermid];
    return ctermid(name) == NULL ? posix_error() : PyUnicode_DecodeFSDefault(name);
}

static PyObject *os_device_encoding(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", NULL};
    int fd;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:device_encoding", names, &fd))
        return NULL;
    if (!isatty(fd))
        Py_RETURN_NONE;
    const char *codeset = nl_langinfo(CODESET);
    return PyUnicode_FromString(codeset[0] != 0 ? codeset : "UTF-8");
}

PyMethodDef posix_system_methods[] = {
    {"uname", os_uname, METH_NOARGS, "uname($module, /)\n--\n\nThe operating system and the machine."},
    {"times", os_times, METH_NOARGS, "times($module, /)\n--\n\nThe processor times of this process and its children."},
    {"get_terminal_size", os_get_terminal_size, METH_VARARGS, "Columns and lines of a terminal."},
    {"sysconf", os_sysconf, METH_O, "sysconf($module, name, /)\n--\n\nA setting of the system."},
    {"confstr", os_confstr, METH_O, "confstr($module, name, /)\n--\n\nA setting of the system that is text."},
    KEYWORDS("pathconf", os_pathconf, "pathconf($module, /, path, name)\n--\n\nA limit that applies to a file."),
    {"fpathconf", os_fpathconf, METH_VARARGS, "fpathconf($module, fd, name, /)\n--\n\npathconf() of an open file."},
    {"cpu_count", os_cpu_count, METH_NOARGS, "cpu_count($module, /)\n--\n\nThe number of processors."},
    {"getloadavg", os_getloadavg, METH_NOARGS, "getloadavg($module, /)\n--\n\nLoad over 1, 5 and 15 minutes."},
    {"putenv", os_putenv, METH_VARARGS, "putenv($module, name, value, /)\n--\n\nSets an environment variable."},
    {"unsetenv", os_unsetenv, METH_O, "unsetenv($module, name, /)\n--\n\nRemoves an environment variable."},
    {"urandom", os_urandom, METH_O, "urandom($module, size, /)\n--\n\nRandom bytes fit for secrets."},
    KEYWORDS("getrandom", os_getrandom, "getrandom($module, /, size, flags=0)\n--\n\nRandom bytes of the kernel."),
    {"strerror", os_strerror, METH_O, "strerror($module, code, /)\n--\n\nThe text of an error number."},
    {"umask", os_umask, METH_O, "umask($module, mask, /)\n--\n\nSets the mask of new files; returns the one before."},
    {"ctermid", os_ctermid, METH_NOARGS, "ctermid($module, /)\n--\n\nThe name of the controlling terminal."},
    KEYWORDS("device_encoding", os_device_encoding, "device_encoding($module, /, fd)\n--\n\nThe encoding of a terminal."),
    {NULL},
};
