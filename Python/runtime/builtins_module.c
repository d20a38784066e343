/* The module `builtins`: functions, types, exceptions, constants. */
#include "Python.h"

#include "builtins.h"
#include "interpreter.h"
#include "module.h"

static struct PyModuleDef builtins_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "builtins",
    .m_doc = "Built-in functions, types, exceptions, and other objects.\n\n"
             "This module provides direct access to all 'built-in'\nidentifiers of Python; for example, builtins.len is\n"
             "the full name for the built-in function len().\n\n"
             "This module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\n"
             "objects with the same name as a builtin.",
    .m_size = -1,
};

static const struct { const char *name; PyTypeObject *type; } types[] = {
    {"bool", &PyBool_Type}, {"bytearray", &PyByteArray_Type}, {"bytes", &PyBytes_Type}, {"classmethod", &PyClassMethod_Type},
    {"complex", &PyComplex_Type}, {"dict", &PyDict_Type}, {"enumerate", &PyEnum_Type}, {"filter", &PyFilter_Type},
    {"float", &PyFloat_Type}, {"frozenset", &PyFrozenSet_Type}, {"int", &PyLong_Type}, {"list", &PyList_Type},
    {"map", &PyMap_Type}, {"memoryview", &PyMemoryView_Type}, {"object", &PyBaseObject_Type}, {"property", &PyProperty_Type},
    {"range", &PyRange_Type}, {"reversed", &PyReversed_Type}, {"set", &PySet_Type}, {"slice", &PySlice_Type},
    {"staticmethod", &PyStaticMethod_Type}, {"str", &PyUnicode_Type}, {"super", &PySuper_Type}, {"tuple", &PyTuple_Type},
    {"type", &PyType_Type}, {"zip", &PyZip_Type},
};

static int add_constants(PyObject *module)
{
    const struct { const char *name; PyObject *value; } constants[] = {
        {"None", Py_None}, {"Ellipsis", Py_Ellipsis}, {"NotImplemented", Py_NotImplemented}, {"False", Py_False}, {"True", Py_True},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddObjectRef(module, constants[i].name, constants[i].value) < 0)
            return -1;
    PyObject *debug = PyBool_FromLong(interpreter_get_main()->config.optimization_level == 0);
    return PyModule_AddObjectRef(module, "__debug__", debug);
}

PyObject *builtins_create(void)
{
    PyMethodDef *tables[] = {builtin_compile_methods, builtin_numeric_methods, builtin_sequence_methods, builtin_object_methods,
                             builtin_io_methods};
    PyObject *module = PyModule_Create(&builtins_def);
    if (module == NULL)
        return NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            goto fail;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0)
            goto fail;
    if (add_constants(module) < 0 || exceptions_add_to(module) < 0)
        goto fail;
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
    return module;
fail:
    Py_DECREF(module);
    return NULL;
}
