/* The grp module: the groups of the system. */
#include "module.h"
#include "fork_mutex.h"
#include <errno.h>
#include <grp.h>
#include "structseq.h"

static PyStructSequence_Field group_fields[] = {
    {"gr_name", "group name"}, {"gr_passwd", "password"}, {"gr_gid", "group id"}, {"gr_mem", "group members"}, {NULL},
};
static PyStructSequence_Desc group_desc = {"grp.struct_group", "A group of the system.", group_fields, 4};
static PyTypeObject *group_type;        /* [const after the module is made] */
static PyMutex all_lock;                /* getgrent() has one position for the whole process */
FORK_MUTEX(all_lock)

static PyObject *members_make(char **members)
{
    PyObject *result = PyList_New(0);
    for (; result != NULL && *members != NULL; members++) {
        PyObject *name = PyUnicode_DecodeFSDefault(*members);
        if (name == NULL || PyList_Append(result, name) < 0)
            Py_CLEAR(result);
        Py_XDECREF(name);
    }
    return result;
}

static PyObject *group_make(const struct group *g)
{
    PyObject *result = PyStructSequence_New(group_type);
    if (result == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(result, 0, PyUnicode_DecodeFSDefault(g->gr_name));
    PyStructSequence_SET_ITEM(result, 1,
                              g->gr_passwd != NULL ? PyUnicode_DecodeFSDefault(g->gr_passwd) : Py_NewRef(Py_None));
    PyStructSequence_SET_ITEM(result, 2, PyLong_FromUnsignedLong(g->gr_gid));
    PyStructSequence_SET_ITEM(result, 3, members_make(g->gr_mem));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

/* By name, or by gid if name is NULL. NULL without an exception if there is none. */
static PyObject *look_up(const char *name, gid_t gid)
{
    for (size_t room = 1024; ; room *= 2) {
        char *buffer = PyMem_Malloc(room);
        if (buffer == NULL)
            return PyErr_NoMemory();
        struct group entry, *found = NULL;
        int error;
        Py_BEGIN_ALLOW_THREADS
        error = name != NULL ? getgrnam_r(name, &entry, buffer, room, &found) : getgrgid_r(gid, &entry, buffer, room, &found);
        Py_END_ALLOW_THREADS
        PyObject *result = found != NULL ? group_make(found) : NULL;
        PyMem_Free(buffer);
        if (found != NULL || error != ERANGE || room > (1 << 24))
            return result;
    }
}

/* A group number; -1 is one too. 0, or -1 with an exception. */
static int gid_get(PyObject *arg, gid_t *gid)
{
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "gid should be integer, not %.200s", Py_TYPE(arg)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL)
        return -1;
    int overflow;
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow < 0 || (!overflow && value < -1)) {
        PyErr_SetString(PyExc_OverflowError, "gid is less than minimum");
        return -1;
    }
    if (overflow > 0 || value > (long)(gid_t)-1) {
        PyErr_SetString(PyExc_OverflowError, "gid is greater than maximum");
        return -1;
    }
    *gid = (gid_t)value;
    return 0;
}

static PyObject *grp_getgrgid(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"id", NULL};
    PyObject *id;
    gid_t gid;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:getgrgid", keywords, &id) || gid_get(id, &gid) < 0)
        return NULL;
    PyObject *result = look_up(NULL, gid);
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_KeyError, "getgrgid(): gid not found: %S", id);
    return result;
}

static PyObject *grp_getgrnam(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", NULL};
    PyObject *name, *bytes;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:getgrnam", keywords, &name))
        return NULL;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "getgrnam() argument 'name' must be str, not %.50s", Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (!PyUnicode_FSConverter(name, &bytes))
        return NULL;
    PyObject *result = look_up(PyBytes_AS_STRING(bytes), 0);
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_KeyError, "getgrnam(): name not found: %R", name);
    Py_DECREF(bytes);
    return result;
}

static PyObject *grp_getgrall(PyObject *module, PyObject *unused)
{
    PyObject *result = PyList_New(0);
    if (result == NULL)
        return NULL;
    PyMutex_Lock(&all_lock);
    setgrent();
    struct group *entry;
    while (result != NULL && (entry = getgrent()) != NULL) {
        PyObject *item = group_make(entry);
        if (item == NULL || PyList_Append(result, item) < 0)
            Py_CLEAR(result);
        Py_XDECREF(item);
    }
    endgrent();
    PyMutex_Unlock(&all_lock);
    return result;
}

static PyMethodDef grp_methods[] = {
    MODULE_METHOD("getgrgid", grp_getgrgid, METH_VARARGS | METH_KEYWORDS,
                  "getgrgid($module, /, id)\n--\n\nThe group of a number."),
    MODULE_METHOD("getgrnam", grp_getgrnam, METH_VARARGS | METH_KEYWORDS,
                  "getgrnam($module, /, name)\n--\n\nThe group of a name."),
    {"getgrall", grp_getgrall, METH_NOARGS, "getgrall($module, /)\n--\n\nAll groups, in any order."},
    {NULL},
};

static int grp_exec(PyObject *module)
{
    if (group_type == NULL && (group_type = PyStructSequence_NewType(&group_desc)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "struct_group", (PyObject *)group_type);
}

static PyModuleDef_Slot grp_slots[] = {
    {Py_mod_exec, (void *)grp_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef grp_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "grp",
    .m_doc = "The groups of the system.",
    .m_methods = grp_methods,
    .m_slots = grp_slots,
};

PyMODINIT_FUNC PyInit_grp(void)
{
    return PyModuleDef_Init(&grp_module);
}
