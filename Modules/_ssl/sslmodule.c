/* The _ssl module. */
#include "ssl.h"

PyTypeObject *ssl_socket_class;

/* The class of sockets that can be wrapped. 0, or -1 with an exception. */
static int find_socket_class(void)
{
    if (ssl_socket_class != NULL)
        return 0;
    PyObject *module = PyImport_ImportModule("_socket");
    ssl_socket_class = module != NULL ? (PyTypeObject *)PyObject_GetAttrString(module, "socket") : NULL;
    Py_XDECREF(module);
    return ssl_socket_class != NULL ? 0 : -1;
}

static int ssl_exec(PyObject *module)
{
    PyTypeObject *const types[] = {&ssl_context_type, &ssl_connection_type, &ssl_memory_type, &ssl_session_type,
                                   &ssl_certificate_type};
    if (find_socket_class() < 0 || ssl_error_init(module) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return ssl_add_constants(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)ssl_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ssl",
    .m_doc = "TLS by OpenSSL: see the module ssl.",
    .m_methods = ssl_functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__ssl(void)
{
    return PyModuleDef_Init(&definition);
}
