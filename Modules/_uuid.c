/* The _uuid module: UUIDs of the time, made by libuuid, whose daemon keeps processes from making the same. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <uuid/uuid.h>

static PyObject *uuid_time_safe(PyObject *module, PyObject *unused)
{
    uuid_t uuid;
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = uuid_generate_time_safe(uuid);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("y#i", (const char *)uuid, (Py_ssize_t)sizeof uuid, rc);
}

static PyMethodDef uuid_methods[] = {
    {"generate_time_safe", uuid_time_safe, METH_NOARGS,
     "generate_time_safe($module, /)\n--\n\n(16 bytes, 0 if no other process can have made the same, else -1)."},
    {NULL},
};

static int uuid_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "has_uuid_generate_time_safe", 1);
}

static PyModuleDef_Slot uuid_slots[] = {
    {Py_mod_exec, (void *)uuid_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef uuid_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_uuid",
    .m_doc = "UUIDs of the time: see the module uuid.",
    .m_methods = uuid_methods,
    .m_slots = uuid_slots,
};

PyMODINIT_FUNC PyInit__uuid(void)
{
    return PyModuleDef_Init(&uuid_module);
}
