/* The pwd module: the users of the system. */
#include "module.h"
#include "fork_mutex.h"
#include <errno.h>
#include <pwd.h>
#include "structseq.h"

static PyStructSequence_Field passwd_fields[] = {
    {"pw_name", "user name"}, {"pw_passwd", "password"}, {"pw_uid", "user id"}, {"pw_gid", "group id"},
    {"pw_gecos", "real name"}, {"pw_dir", "home directory"}, {"pw_shell", "shell program"}, {NULL, NULL},
};
static PyStructSequence_Desc passwd_desc = {"pwd.struct_passwd", "A user of the system.", passwd_fields, 7};
static PyTypeObject *passwd_type;       /* [const after the module is made] */
static PyMutex all_lock;                /* getpwent() has one position for the whole process */
FORK_MUTEX(all_lock)

static PyObject *text_make(const char *text)
{
    return text != NULL ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None);
}

static PyObject *passwd_make(const struct passwd *p)
{
    PyObject *result = PyStructSequence_New(passwd_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, text_make(p->pw_name));
    PyStructSequence_SET_ITEM(result, 1, text_make(p->pw_passwd));
    PyStructSequence_SET_ITEM(result, 2, PyLong_FromUnsignedLong(p->pw_uid));
    PyStructSequence_SET_ITEM(result, 3, PyLong_FromUnsignedLong(p->pw_gid));
    PyStructSequence_SET_ITEM(result, 4, text_make(p->pw_gecos));
    PyStructSequence_SET_ITEM(result, 5, text_make(p->pw_dir));
    PyStructSequence_SET_ITEM(result, 6, text_make(p->pw_shell));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

/* By name, or by uid if name is NULL. NULL without an exception if there is none. */
static PyObject *look_up(const char *name, uid_t uid)
{
    for (size_t room = 1024; ; room *= 2) {
        char *buffer = PyMem_Malloc(room);
        if (buffer == NULL)
            return PyErr_NoMemory();
        struct passwd entry, *found = NULL;
        int error;
        Py_BEGIN_ALLOW_THREADS
        error = name != NULL ? getpwnam_r(name, &entry, buffer, room, &found) : getpwuid_r(uid, &entry, buffer, room, &found);
        Py_END_ALLOW_THREADS
        PyObject *result = found != NULL ? passwd_make(found) : NULL;
        PyMem_Free(buffer);
        if (found != NULL || error != ERANGE || room > (1 << 24))
            return result;
    }
}

static PyObject *pwd_getpwuid(PyObject *module, PyObject *arg)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL)
        return NULL;
    int overflow;
    long uid = PyLong_AsLongAndOverflow(index, &overflow);
    PyObject *result = NULL;
    if (!overflow && uid >= -1 && uid < 0xffffffffL)
        result = look_up(NULL, (uid_t)uid);
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found: %S", index);
    Py_DECREF(index);
    return result;
}

static PyObject *pwd_getpwnam(PyObject *module, PyObject *arg)
{
    PyObject *bytes;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "getpwnam() argument must be str, not %.50s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!PyUnicode_FSConverter(arg, &bytes))
        return NULL;
    PyObject *result = look_up(PyBytes_AS_STRING(bytes), 0);
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_KeyError, "getpwnam(): name not found: %R", arg);
    Py_DECREF(bytes);
    return result;
}

static PyObject *pwd_getpwall(PyObject *module, PyObject *unused)
{
    PyObject *result = PyList_New(0);
    if (result == NULL)
        return NULL;
    PyMutex_Lock(&all_lock);
    setpwent();
    struct passwd *entry;
    while (result != NULL && (entry = getpwent()) != NULL) {
        PyObject *item = passwd_make(entry);
        if (item == NULL || PyList_Append(result, item) < 0)
            Py_CLEAR(result);
        Py_XDECREF(item);
    }
    endpwent();
    PyMutex_Unlock(&all_lock);
    return result;
}

static PyMethodDef pwd_methods[] = {
    {"getpwuid", pwd_getpwuid, METH_O, "getpwuid($module, uidobj, /)\n--\n\nThe user of a number."},
    {"getpwnam", pwd_getpwnam, METH_O, "getpwnam($module, name, /)\n--\n\nThe user of a name."},
    {"getpwall", pwd_getpwall, METH_NOARGS, "getpwall($module, /)\n--\n\nAll users, in any order."},
    {NULL},
};

static int pwd_exec(PyObject *module)
{
    if (passwd_type == NULL && (passwd_type = PyStructSequence_NewType(&passwd_desc)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "struct_passwd", (PyObject *)passwd_type);
}

static PyModuleDef_Slot pwd_slots[] = {
    {Py_mod_exec, (void *)pwd_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef pwd_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pwd",
    .m_doc = "The users of the system.",
    .m_methods = pwd_methods,
    .m_slots = pwd_slots,
};

PyMODINIT_FUNC PyInit_pwd(void)
{
    return PyModuleDef_Init(&pwd_module);
}
