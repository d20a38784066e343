/* The syslog module: messages to the system's log.
 *
 * The C library keeps the pointer to the program's name that openlog() got, and reads it under a lock of its own; so a
 * name may be freed once openlog() or closelog() has replaced it. log_lock makes "replace, then free" one step. */
#include "module.h"
#include "fork_mutex.h"
#include <string.h>
#include <syslog.h>

static PyMutex log_lock;
FORK_MUTEX(log_lock)
static char *log_name;          /* [log_lock] what the C library holds */
static int log_open;            /* [log_lock] */

/* The last part of sys.argv[0], or None: a new reference. NULL with an exception. */
static PyObject *name_from_argv(void)
{
    PyObject *argv, *script = NULL;
    if (PySys_GetOptionalAttrString("argv", &argv) < 0)
        return NULL;
    if (argv != NULL && PyList_Check(argv))
        script = PySequence_GetItem(argv, 0);
    Py_XDECREF(argv);
    if (script == NULL) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    PyObject *result = NULL;
    if (PyUnicode_Check(script) && PyUnicode_GetLength(script) > 0) {
        Py_ssize_t size = PyUnicode_GetLength(script);
        Py_ssize_t slash = PyUnicode_FindChar(script, '/', 0, size, -1);
        result = slash == -2 ? NULL : PyUnicode_Substring(script, slash + 1, size);
    }
    else {
        result = Py_NewRef(Py_None);
    }
    Py_DECREF(script);
    return result;
}

/* name: a str, None, or NULL for the program's. 0, or -1 with an exception. */
static int open_log(PyObject *name, long options, long facility)
{
    PyObject *own = name != NULL ? Py_NewRef(name) : name_from_argv();
    if (own == NULL)
        return -1;
    char *copy = NULL;
    int result = -1;
    if (own != Py_None) {
        const char *text = PyUnicode_AsUTF8(own);
        if (text == NULL)
            goto done;
        copy = PyMem_RawMalloc(strlen(text) + 1);
        if (copy == NULL) {
            PyErr_NoMemory();
            goto done;
        }
        strcpy(copy, text);
    }
    if (PySys_Audit("syslog.openlog", "Oll", own, options, facility) < 0)
        goto done;
    PyMutex_Lock(&log_lock);
    openlog(copy, (int)options, (int)facility);
    char *old = log_name;
    log_name = copy;
    copy = old;
    log_open = 1;
    PyMutex_Unlock(&log_lock);
    result = 0;
done:
    PyMem_RawFree(copy);
    Py_DECREF(own);
    return result;
}

static PyObject *syslog_openlog(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"ident", "logoption", "facility", NULL};
    PyObject *name = NULL;
    long options = 0, facility = LOG_USER;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Ull:openlog", keywords, &name, &options, &facility)
        || open_log(name, options, facility) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *syslog_syslog(PyObject *module, PyObject *args)
{
    int priority = LOG_INFO;
    PyObject *message;
    if (!PyArg_ParseTuple(args, "U;[priority,] message string", &message)) {
        PyErr_Clear();
        if (!PyArg_ParseTuple(args, "iU;[priority,] message string", &priority, &message))
            return NULL;
    }
    const char *text = PyUnicode_AsUTF8(message);
    if (text == NULL || PySys_Audit("syslog.syslog", "is", priority, text) < 0)
        return NULL;
    PyMutex_Lock(&log_lock);
    int open = log_open;
    PyMutex_Unlock(&log_lock);
    if (!open && open_log(NULL, 0, LOG_USER) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    syslog(priority, "%s", text);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *syslog_closelog(PyObject *module, PyObject *unused)
{
    if (PySys_Audit("syslog.closelog", NULL) < 0)
        return NULL;
    PyMutex_Lock(&log_lock);
    char *old = log_name;
    if (log_open)
        closelog();
    log_name = NULL;
    log_open = 0;
    PyMutex_Unlock(&log_lock);
    PyMem_RawFree(old);
    Py_RETURN_NONE;
}

static PyObject *syslog_setlogmask(PyObject *module, PyObject *arg)
{
    long mask = PyLong_AsLong(arg);
    if ((mask == -1 && PyErr_Occurred()) || PySys_Audit("syslog.setlogmask", "l", mask) < 0)
        return NULL;
    return PyLong_FromLong(setlogmask((int)mask));
}

/* 1 << number, or 1 with all below; numbers are taken modulo the width of int. */
static PyObject *mask_make(PyObject *arg, int all_below)
{
    long priority = PyLong_AsLong(arg);
    if (priority == -1 && PyErr_Occurred())
        return NULL;
    unsigned shift = (unsigned)priority & 31;
    unsigned bit = 1u << shift;
    return PyLong_FromLong((int)(all_below ? bit | (bit - 1) : bit));
}

static PyObject *syslog_log_mask(PyObject *module, PyObject *arg) { return mask_make(arg, 0); }
static PyObject *syslog_log_upto(PyObject *module, PyObject *arg) { return mask_make(arg, 1); }

static PyMethodDef syslog_methods[] = {
    MODULE_METHOD("openlog", syslog_openlog, METH_VARARGS | METH_KEYWORDS,
                  "openlog(ident=the program, logoption=0, facility=LOG_USER): sets what later messages carry."),
    {"closelog", syslog_closelog, METH_NOARGS, "closelog(): forgets what openlog() set."},
    {"syslog", syslog_syslog, METH_VARARGS, "syslog([priority=LOG_INFO,] message): sends a message to the log."},
    {"setlogmask", syslog_setlogmask, METH_O, "setlogmask(mask): sets which priorities are sent; returns the mask before."},
    {"LOG_MASK", syslog_log_mask, METH_O, "LOG_MASK(priority): the mask of one priority."},
    {"LOG_UPTO", syslog_log_upto, METH_O, "LOG_UPTO(priority): the mask of a priority and all that are more urgent."},
    {NULL},
};

static int syslog_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
#define INT(name) {#name, name},
        INT(LOG_EMERG) INT(LOG_ALERT) INT(LOG_CRIT) INT(LOG_ERR) INT(LOG_WARNING) INT(LOG_NOTICE) INT(LOG_INFO)
        INT(LOG_DEBUG) INT(LOG_PID) INT(LOG_CONS) INT(LOG_NDELAY) INT(LOG_ODELAY) INT(LOG_NOWAIT) INT(LOG_PERROR)
        INT(LOG_KERN) INT(LOG_USER) INT(LOG_MAIL) INT(LOG_DAEMON) INT(LOG_AUTH) INT(LOG_AUTHPRIV) INT(LOG_LPR)
        INT(LOG_NEWS) INT(LOG_UUCP) INT(LOG_CRON) INT(LOG_SYSLOG) INT(LOG_LOCAL0) INT(LOG_LOCAL1) INT(LOG_LOCAL2)
        INT(LOG_LOCAL3) INT(LOG_LOCAL4) INT(LOG_LOCAL5) INT(LOG_LOCAL6) INT(LOG_LOCAL7)
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot syslog_slots[] = {
    {Py_mod_exec, (void *)syslog_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef syslog_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "syslog",
    .m_doc = "Messages to the system's log.",
    .m_methods = syslog_methods,
    .m_slots = syslog_slots,
};

PyMODINIT_FUNC PyInit_syslog(void)
{
    return PyModuleDef_Init(&syslog_module);
}
