/* The posix module: what its parts offer, put together. */
#include "posix.h"

/* What os.py asks when it works out supports_dir_fd, supports_fd and supports_follow_symlinks. */
static const char *const have_functions[] = {
    "HAVE_EVENTFD", "HAVE_FACCESSAT", "HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHMODAT", "HAVE_FCHOWN", "HAVE_FCHOWNAT",
    "HAVE_FEXECVE", "HAVE_FDOPENDIR", "HAVE_FPATHCONF", "HAVE_FSTATAT", "HAVE_FSTATVFS", "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS", "HAVE_FUTIMES", "HAVE_FUTIMESAT", "HAVE_LINKAT", "HAVE_LCHOWN", "HAVE_LSTAT", "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT", "HAVE_MKFIFOAT", "HAVE_MKNODAT", "HAVE_OPENAT", "HAVE_READLINKAT",
    "HAVE_RENAMEAT", "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT",
};

extern char **environ;

static PyObject *environ_make(void)
{
    PyObject *result = PyDict_New();
    for (char **entry = environ; result != NULL && entry != NULL && *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals == NULL)
            continue;
        PyObject *name = PyBytes_FromStringAndSize(*entry, equals - *entry);
        PyObject *value = PyBytes_FromString(equals + 1);
        if (name == NULL || value == NULL || PyDict_SetDefault(result, name, value) == NULL)
            Py_CLEAR(result);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return result;
}

static PyObject *have_functions_make(void)
{
    PyObject *result = PyList_New(0);
    for (size_t i = 0; result != NULL && i < Py_ARRAY_LENGTH(have_functions); i++) {
        PyObject *name = PyUnicode_InternFromString(have_functions[i]);
        if (name == NULL || PyList_Append(result, name) < 0)
            Py_CLEAR(result);
        Py_XDECREF(name);
    }
    return result;
}

static int add_new(PyObject *module, const char *name, PyObject *value)
{
    int rc = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return rc;
}

static int posix_exec(PyObject *module)
{
    PyMethodDef *const tables[] = {
        posix_stat_methods, posix_directory_methods, posix_file_methods, posix_descriptor_methods,
        posix_process_methods, posix_exec_methods, posix_system_methods, posix_xattr_methods,
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            return -1;
    if (PyType_Ready(&posix_direntry_type) < 0 || PyType_Ready(&posix_scandir_type) < 0
        || posix_stat_types(module) < 0 || posix_process_types(module) < 0 || posix_system_types(module) < 0
        || posix_add_constants(module) < 0)
        return -1;
    if (PyModule_AddObjectRef(module, "DirEntry", (PyObject *)&posix_direntry_type) < 0
        || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0
        || add_new(module, "environ", environ_make()) < 0
        || add_new(module, "_have_functions", have_functions_make()) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot posix_slots[] = {
    {Py_mod_exec, (void *)posix_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef posix_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "posix",
    .m_doc = "The calls of the operating system; use them through the module os.",
    .m_slots = posix_slots,
};

PyMODINIT_FUNC PyInit_posix(void)
{
    return PyModuleDef_Init(&posix_module);
}
