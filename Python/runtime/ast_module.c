/* The _ast module: the node classes and the flags of compile(). */
#include <Python.h>

#include "../parser/ast_types.h"
#include "parser.h"

static int ast_exec(PyObject *module)
{
    if (ast_types_init() < 0)
        return -1;
    for (int code = AST_node; code < AST_CODE_COUNT; code++)
        if (PyModule_AddObjectRef(module, ast_classes[code].name, ast_class_objects[code]) < 0)
            return -1;
    if (PyModule_AddIntConstant(module, "PyCF_ALLOW_TOP_LEVEL_AWAIT", PyCF_ALLOW_TOP_LEVEL_AWAIT) < 0 ||
        PyModule_AddIntConstant(module, "PyCF_ONLY_AST", PyCF_ONLY_AST) < 0 ||
        PyModule_AddIntConstant(module, "PyCF_TYPE_COMMENTS", PyCF_TYPE_COMMENTS) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)ast_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ast",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__ast(void)
{
    return PyModuleDef_Init(&definition);
}
