/* The _testcapi module: the C API as extension modules use it, for tests written in Python.
 *
 * The names are those that CPython's test suite calls. What makes no sense for this interpreter is absent. */
#include "testcapi.h"

static int (*const areas[])(PyObject *module) = {
#define AREA(name) testcapi_add_##name,
#include "areas.def"
#undef AREA
};

static struct PyModuleDef testcapi_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testcapi",
    .m_doc = "Functions that exercise the C API, for tests.",
    .m_size = -1,
};

/* In a single phase, unlike our other modules: tests rely on there being one module object per process. */
PyMODINIT_FUNC PyInit__testcapi(void)
{
    PyObject *module = PyModule_Create(&testcapi_module);
    if (module == NULL)
        return NULL;
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    for (size_t i = 0; i < Py_ARRAY_LENGTH(areas); i++) {
        if (areas[i](module) < 0) {
            Py_DECREF(module);
            return NULL;
        }
    }
    return module;
}
