/* The _ctypes module: its types, functions and constants. What is made by the first import stays for the process. */
#include "ctypes.h"
#include <dlfcn.h>

PyObject *ctypes_argument_error;

static int add_types(PyObject *module)
{
    static PyTypeObject *const metas[] = {&ctypes_simple_meta, &ctypes_pointer_meta, &ctypes_array_meta,
                                          &ctypes_structure_meta, &ctypes_union_meta, &ctypes_function_meta,
                                          &ctypes_data_type, &ctypes_field_type, &ctypes_parameter_type,
                                          &ctypes_callback_type, &ctypes_signature_type};
    static PyTypeObject *const types[] = {&ctypes_structure_type, &ctypes_union_type,  &ctypes_pointer_type,
                                          &ctypes_array_type,     &ctypes_simple_type, &ctypes_function_type};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(metas); i++)
        if (PyType_Ready(metas[i]) < 0)
            return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return 0;
}

static int add_constants(PyObject *module)
{
    static const struct { const char *name; long value; } constants[] = {
        {"FUNCFLAG_CDECL", FUNCFLAG_CDECL}, {"FUNCFLAG_PYTHONAPI", FUNCFLAG_PYTHONAPI},
        {"FUNCFLAG_USE_ERRNO", FUNCFLAG_USE_ERRNO}, {"FUNCFLAG_USE_LASTERROR", FUNCFLAG_USE_LASTERROR},
        {"RTLD_LOCAL", RTLD_LOCAL}, {"RTLD_GLOBAL", RTLD_GLOBAL}, {"CTYPES_MAX_ARGCOUNT", CTYPES_MAX_ARGUMENTS},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return PyModule_AddStringConstant(module, "__version__", "1.1.0");
}

/* A process-wide object, made once. */
static int make_once(PyObject **place, PyObject *fresh)
{
    PyObject *expected = NULL;
    if (fresh != NULL && !__atomic_compare_exchange_n(place, &expected, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        Py_DECREF(fresh);
    return fresh != NULL ? 0 : -1;
}

/* libffi gets its memory for closures ready at the first one, without a lock; imports have one. */
static void warm_closures(void)
{
    void *code, *closure = ffi_closure_alloc(sizeof(ffi_closure), &code);
    if (closure != NULL)
        ffi_closure_free(closure);
}

static int ctypes_exec(PyObject *module)
{
    warm_closures();
    if (make_once(&ctypes_pointer_cache, PyDict_New()) < 0
        || make_once(&ctypes_argument_error, PyErr_NewException("ctypes.ArgumentError", NULL, NULL)) < 0
        || PyModule_AddObjectRef(module, "_pointer_type_cache", ctypes_pointer_cache) < 0
        || PyModule_AddObjectRef(module, "ArgumentError", ctypes_argument_error) < 0 || add_types(module) < 0
        || PyModule_AddFunctions(module, ctypes_call_functions) < 0 || ctypes_functions_init(module) < 0)
        return -1;
    return add_constants(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)ctypes_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ctypes",
    .m_doc = "Types and functions of C: see the module ctypes.",
    .m_methods = ctypes_functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__ctypes(void)
{
    return PyModuleDef_Init(&definition);
}
