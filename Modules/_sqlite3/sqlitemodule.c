/* The _sqlite3 module itself. */
#include "sqlite_internal.h"

static PyObject *sqlite_connect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *factory = NULL, *given = PyTuple_GET_SIZE(args) > 5 ? PyTuple_GET_ITEM(args, 5) : NULL, *result;
    if (given != NULL)
        factory = Py_NewRef(given);
    else if (kwargs != NULL && PyDict_GetItemStringRef(kwargs, "factory", &factory) < 0)
        return NULL;
    result = PyObject_Call(factory != NULL ? factory : (PyObject *)&connection_type, args, kwargs);
    Py_XDECREF(factory);
    return result;
}

static PyObject *sqlite_complete_statement(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"statement", NULL};
    const char *statement;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s:complete_statement", keywords, &statement))
        return NULL;
    return PyBool_FromLong(sqlite3_complete(statement));
}

static PyObject *sqlite_enable_shared_cache(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"do_enable", NULL};
    int enable;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:enable_shared_cache", keywords, &enable))
        return NULL;
    if (sqlite3_enable_shared_cache(enable) != SQLITE_OK)
        return error_set(E_OperationalError, "Changing the shared_cache flag failed");
    Py_RETURN_NONE;
}

static PyObject *sqlite_enable_callback_tracebacks(PyObject *module, PyObject *arg)
{
    int enable = _PyLong_AsInt(arg);
    if (enable == -1 && PyErr_Occurred())
        return NULL;
    __atomic_store_n(&callback_tracebacks, enable, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyMethodDef sqlite_functions[] = {
    MODULE_METHOD(
        "connect", sqlite_connect, METH_VARARGS | METH_KEYWORDS,
        "connect($module, /, database, timeout=5.0, detect_types=0,\n        isolation_level='', "
        "check_same_thread=True,\n"
        "        factory=ConnectionType, cached_statements=128, uri=False)\n--\n\nOpens a database."),
    MODULE_METHOD("complete_statement", sqlite_complete_statement, METH_VARARGS | METH_KEYWORDS,
                  "complete_statement($module, /, statement)\n--\n\nDoes the text contain a complete "
                  "statement of SQL?"),
    MODULE_METHOD("enable_shared_cache", sqlite_enable_shared_cache, METH_VARARGS | METH_KEYWORDS,
                  "enable_shared_cache($module, /, do_enable)\n--\n\nLets connections of the process share "
                  "their caches."),
    {"enable_callback_tracebacks", sqlite_enable_callback_tracebacks, METH_O,
     "enable_callback_tracebacks($module, enable, /)\n--\n\nAre exceptions in callbacks reported?"},
    {NULL, NULL, 0, NULL},
};

/* How far the library can be shared by threads, as DB-API counts that. */
static int threadsafety(void)
{
    switch (sqlite3_threadsafe()) {
    case 0:
        return 0;
    case 1:
        return 3;
    default:
        return 1;
    }
}

static const struct {
    const char *name;
    PyTypeObject *type;
} types[] = {
    {"Connection", &connection_type},
    {"Cursor", &cursor_type},
    {"Row", &row_type},
    {"Blob", &blob_type},
    {NULL, NULL},
};

static int sqlite_exec(PyObject *module)
{
    if (sqlite3_initialize() != SQLITE_OK) {
        PyErr_SetString(PyExc_ImportError, "SQLite cannot be initialised");
        return -1;
    }
    if (PyType_Ready(&statement_type) < 0)
        return -1;
    for (int i = 0; types[i].name != NULL; i++)
        if (PyType_Ready(types[i].type) < 0 ||
            PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0)
            return -1;
    return error_add_to_module(module) < 0 || adapt_add_to_module(module) < 0 ||
                   PyModule_AddFunctions(module, adapt_functions) < 0 ||
                   PyModule_AddIntConstant(module, "PARSE_DECLTYPES", PARSE_DECLTYPES) < 0 ||
                   PyModule_AddIntConstant(module, "PARSE_COLNAMES", PARSE_COLNAMES) < 0 ||
                   PyModule_AddIntConstant(module, "threadsafety", threadsafety()) < 0 ||
                   PyModule_AddStringConstant(module, "version", "2.6.0") < 0 ||
                   PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot sqlite_slots[] = {
    {Py_mod_exec, (void *)sqlite_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef sqlite_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sqlite3",
    .m_methods = sqlite_functions,
    .m_slots = sqlite_slots,
};

PyMODINIT_FUNC PyInit__sqlite3(void)
{
    return PyModuleDef_Init(&sqlite_module);
}
