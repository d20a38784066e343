/* The spwd module: the shadow passwords of the system. */
#include "module.h"
#include "fork_mutex.h"
#include <errno.h>
#include <shadow.h>
#include "structseq.h"

/* The old names of the first two are attributes without a place in the sequence. */
static PyStructSequence_Field shadow_fields[] = {
    {"sp_namp", "login name"}, {"sp_pwdp", "encrypted password"}, {"sp_lstchg", "date of last change"},
    {"sp_min", "min #days between changes"}, {"sp_max", "max #days between changes"},
    {"sp_warn", "#days before pw expires to warn user about it"}, {"sp_inact", "#days after pw expires until account is disabled"},
    {"sp_expire", "#days since 1970-01-01 when account expires"}, {"sp_flag", "reserved"},
    {"sp_nam", "login name; deprecated"}, {"sp_pwd", "encrypted password; deprecated"}, {NULL},
};
static PyStructSequence_Desc shadow_desc = {"spwd.struct_spwd", "A shadow password.", shadow_fields, 9};
static PyTypeObject *shadow_type;       /* [const after the module is made] */
static PyMutex all_lock;                /* getspent() has one position for the whole process */
FORK_MUTEX(all_lock)

static PyObject *shadow_make(const struct spwd *s)
{
    PyObject *result = PyStructSequence_New(shadow_type);
    if (result == NULL)
        return NULL;
    const char *const texts[] = {s->sp_namp, s->sp_pwdp};
    for (int i = 0; i < 2; i++) {
        PyStructSequence_SET_ITEM(result, i, PyUnicode_DecodeFSDefault(texts[i]));
        PyStructSequence_SET_ITEM(result, 9 + i, PyUnicode_DecodeFSDefault(texts[i]));
    }
    const long numbers[] = {s->sp_lstchg, s->sp_min, s->sp_max, s->sp_warn, s->sp_inact, s->sp_expire, (long)s->sp_flag};
    for (int i = 0; i < 7; i++)
        PyStructSequence_SET_ITEM(result, 2 + i, PyLong_FromLong(numbers[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *spwd_getspnam(PyObject *module, PyObject *arg)
{
    PyObject *bytes, *result = NULL;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "getspnam() argument must be str, not %.50s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!PyUnicode_FSConverter(arg, &bytes))
        return NULL;
    int error = ERANGE;
    for (size_t room = 1024; result == NULL && error == ERANGE && room <= (1 << 24); room *= 2) {
        char *buffer = PyMem_Malloc(room);
        if (buffer == NULL) {
            PyErr_NoMemory();
            break;
        }
        struct spwd entry, *found = NULL;
        Py_BEGIN_ALLOW_THREADS
        error = getspnam_r(PyBytes_AS_STRING(bytes), &entry, buffer, room, &found);
        Py_END_ALLOW_THREADS
        if (found != NULL)
            result = shadow_make(found);
        PyMem_Free(buffer);
    }
    if (result == NULL && !PyErr_Occurred()) {
        errno = error;
        if (error != 0 && error != ENOENT)
            PyErr_SetFromErrno(PyExc_OSError);
        else
            PyErr_SetString(PyExc_KeyError, "getspnam(): name not found");
    }
    Py_DECREF(bytes);
    return result;
}

static PyObject *spwd_getspall(PyObject *module, PyObject *unused)
{
    PyObject *result = PyList_New(0);
    if (result == NULL)
        return NULL;
    PyMutex_Lock(&all_lock);
    setspent();
    struct spwd *entry;
    while (result != NULL && (entry = getspent()) != NULL) {
        PyObject *item = shadow_make(entry);
        if (item == NULL || PyList_Append(result, item) < 0)
            Py_CLEAR(result);
        Py_XDECREF(item);
    }
    endspent();
    PyMutex_Unlock(&all_lock);
    return result;
}

static PyMethodDef spwd_methods[] = {
    {"getspnam", spwd_getspnam, METH_O, "getspnam($module, arg, /)\n--\n\nThe shadow password of a user."},
    {"getspall", spwd_getspall, METH_NOARGS, "getspall($module, /)\n--\n\nAll shadow passwords, in any order."},
    {NULL},
};

static int spwd_exec(PyObject *module)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "'spwd' is deprecated and slated for removal in Python 3.13", 6) < 0)
        return -1;
    if (shadow_type == NULL && (shadow_type = PyStructSequence_NewType(&shadow_desc)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "struct_spwd", (PyObject *)shadow_type);
}

static PyModuleDef_Slot spwd_slots[] = {
    {Py_mod_exec, (void *)spwd_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef spwd_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "spwd",
    .m_doc = "The shadow passwords of the system; only root may read them.",
    .m_methods = spwd_methods,
    .m_slots = spwd_slots,
};

PyMODINIT_FUNC PyInit_spwd(void)
{
    return PyModuleDef_Init(&spwd_module);
}
