/* The _testimportmultiple module: three modules of single-phase initialisation in one shared object, for test_imp. */
#include "module.h"

#define MODULE(name) \
    static PyModuleDef name##_definition = {PyModuleDef_HEAD_INIT, .m_name = #name, .m_doc = "One of several.", .m_size = -1}; \
    PyMODINIT_FUNC PyInit_##name(void); \
    PyMODINIT_FUNC PyInit_##name(void) \
    { \
        PyObject *module = PyModule_Create(&name##_definition); \
        return module; \
    }

MODULE(_testimportmultiple)
MODULE(_testimportmultiple_foo)
MODULE(_testimportmultiple_bar)
