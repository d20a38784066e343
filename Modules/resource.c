/* The resource module: limits and use of resources. */
#include "module.h"
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>
#include "structseq.h"

static PyStructSequence_Field rusage_fields[] = {
    {"ru_utime", "user time used"}, {"ru_stime", "system time used"}, {"ru_maxrss", "max. resident set size"},
    {"ru_ixrss", "shared memory size"}, {"ru_idrss", "unshared data size"}, {"ru_isrss", "unshared stack size"},
    {"ru_minflt", "page faults not requiring I/O"}, {"ru_majflt", "page faults requiring I/O"},
    {"ru_nswap", "number of swap outs"}, {"ru_inblock", "block input operations"},
    {"ru_oublock", "block output operations"}, {"ru_msgsnd", "IPC messages sent"},
    {"ru_msgrcv", "IPC messages received"}, {"ru_nsignals", "signals received"},
    {"ru_nvcsw", "voluntary context switches"}, {"ru_nivcsw", "involuntary context switches"}, {NULL, NULL},
};
static PyStructSequence_Desc rusage_desc = {"resource.struct_rusage", "What getrusage() found.", rusage_fields, 16};
static PyTypeObject *rusage_type;       /* [const after the module is made] */

static PyObject *resource_getrusage(PyObject *module, PyObject *arg)
{
    int who = _PyLong_AsInt(arg);
    struct rusage ru;
    if (who == -1 && PyErr_Occurred())
        return NULL;
    if (getrusage(who, &ru) < 0) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "invalid who parameter");
            return NULL;
        }
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *result = PyStructSequence_New(rusage_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyFloat_FromDouble(ru.ru_utime.tv_sec + ru.ru_utime.tv_usec * 1e-6));
    PyStructSequence_SET_ITEM(result, 1, PyFloat_FromDouble(ru.ru_stime.tv_sec + ru.ru_stime.tv_usec * 1e-6));
    const long values[] = {ru.ru_maxrss, ru.ru_ixrss, ru.ru_idrss, ru.ru_isrss, ru.ru_minflt, ru.ru_majflt,
                           ru.ru_nswap, ru.ru_inblock, ru.ru_oublock, ru.ru_msgsnd, ru.ru_msgrcv, ru.ru_nsignals,
                           ru.ru_nvcsw, ru.ru_nivcsw};
    for (int i = 0; i < 14; i++)
        PyStructSequence_SET_ITEM(result, 2 + i, PyLong_FromLong(values[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static int limits_get(PyObject *pair, struct rlimit *limits)
{
    PyObject *tuple = PySequence_Tuple(pair);
    if (tuple == NULL)
        return -1;
    int result = -1;
    if (PyTuple_GET_SIZE(tuple) != 2) {
        PyErr_SetString(PyExc_ValueError, "expected a tuple of 2 integers");
        goto done;
    }
    long long soft = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, 0));
    if (soft == -1 && PyErr_Occurred())
        goto done;
    long long hard = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, 1));
    if (hard == -1 && PyErr_Occurred())
        goto done;
    *limits = (struct rlimit){(rlim_t)soft, (rlim_t)hard};
    result = 0;
done:
    Py_DECREF(tuple);
    return result;
}

static PyObject *limits_make(const struct rlimit *limits)
{
    return Py_BuildValue("(LL)", (long long)limits->rlim_cur, (long long)limits->rlim_max);
}

static int kind_check(int kind)
{
    if (kind >= 0 && kind < RLIM_NLIMITS)
        return 0;
    PyErr_SetString(PyExc_ValueError, "invalid resource specified");
    return -1;
}

static PyObject *limit_error(void)
{
    if (errno == EINVAL)
        PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
    else if (errno == EPERM)
        PyErr_SetString(PyExc_ValueError, "not allowed to raise maximum limit");
    else
        PyErr_SetFromErrno(PyExc_OSError);
    return NULL;
}

static PyObject *resource_getrlimit(PyObject *module, PyObject *arg)
{
    int kind = _PyLong_AsInt(arg);
    struct rlimit limits;
    if ((kind == -1 && PyErr_Occurred()) || kind_check(kind) < 0)
        return NULL;
    return getrlimit(kind, &limits) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : limits_make(&limits);
}

static PyObject *resource_setrlimit(PyObject *module, PyObject *args)
{
    int kind;
    PyObject *pair;
    struct rlimit limits;
    if (!PyArg_ParseTuple(args, "iO:setrlimit", &kind, &pair) || kind_check(kind) < 0
        || PySys_Audit("resource.setrlimit", "iO", kind, pair) < 0 || limits_get(pair, &limits) < 0)
        return NULL;
    return setrlimit(kind, &limits) < 0 ? limit_error() : Py_NewRef(Py_None);
}

static PyObject *resource_prlimit(PyObject *module, PyObject *args)
{
    int pid, kind;
    PyObject *pair = Py_None;
    struct rlimit limits, old;
    if (!PyArg_ParseTuple(args, "ii|O:prlimit", &pid, &kind, &pair) || kind_check(kind) < 0
        || PySys_Audit("resource.prlimit", "iiO", pid, kind, pair) < 0
        || (pair != Py_None && limits_get(pair, &limits) < 0))
        return NULL;
    if (prlimit(pid, kind, pair != Py_None ? &limits : NULL, &old) < 0) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
            return NULL;
        }
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return limits_make(&old);
}

static PyObject *resource_getpagesize(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(sysconf(_SC_PAGESIZE));
}

static PyMethodDef resource_methods[] = {
    {"getrusage", resource_getrusage, METH_O, "getrusage($module, who, /)\n--\n\nWhat a process has used."},
    {"getrlimit", resource_getrlimit, METH_O, "getrlimit($module, resource, /)\n--\n\nThe (soft, hard) limit."},
    {"setrlimit", resource_setrlimit, METH_VARARGS, "setrlimit($module, resource, limits, /)\n--\n\nSets a limit."},
    {"prlimit", resource_prlimit, METH_VARARGS,
     "prlimit($module, pid, resource, limits=None, /)\n--\n\nThe limit of another process; sets it if given."},
    {"getpagesize", resource_getpagesize, METH_NOARGS, "getpagesize($module, /)\n--\n\nThe size of a page of memory."},
    {NULL},
};

static int resource_exec(PyObject *module)
{
    static const struct { const char *name; long value; } constants[] = {
#define INT(name) {#name, (long)name},
        INT(RLIMIT_CPU) INT(RLIMIT_FSIZE) INT(RLIMIT_DATA) INT(RLIMIT_STACK) INT(RLIMIT_CORE) INT(RLIMIT_NOFILE)
        INT(RLIMIT_OFILE) INT(RLIMIT_AS) INT(RLIMIT_RSS) INT(RLIMIT_NPROC) INT(RLIMIT_MEMLOCK) INT(RLIMIT_MSGQUEUE)
        INT(RLIMIT_NICE) INT(RLIMIT_RTPRIO) INT(RLIMIT_RTTIME) INT(RLIMIT_SIGPENDING) INT(RUSAGE_SELF)
        INT(RUSAGE_CHILDREN) INT(RUSAGE_THREAD) INT(RLIM_INFINITY)
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    if (rusage_type == NULL && (rusage_type = PyStructSequence_NewType(&rusage_desc)) == NULL)
        return -1;
    if (PyModule_AddObjectRef(module, "struct_rusage", (PyObject *)rusage_type) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "error", PyExc_OSError);
}

static PyModuleDef_Slot resource_slots[] = {
    {Py_mod_exec, (void *)resource_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef resource_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "resource",
    .m_doc = "Limits and use of the system's resources.",
    .m_methods = resource_methods,
    .m_slots = resource_slots,
};

PyMODINIT_FUNC PyInit_resource(void)
{
    return PyModuleDef_Init(&resource_module);
}
