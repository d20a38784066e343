/* The _md5 module: The hash MD5, computed by OpenSSL. */
#include "pyconfig.h"
#ifdef HAVE_OPENSSL
#include "evp_hash.h"

EVP_HASH(md5, "_md5.md5")

static PyMethodDef md5_methods[] = {
    EVP_HASH_ROW(md5),
    {NULL},
};

static int md5_exec(PyObject *module)
{
    if (PyType_Ready(&md5_type) < 0 || PyModule_AddObjectRef(module, "MD5Type", (PyObject *)&md5_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot md5_slots[] = {
    {Py_mod_exec, (void *)md5_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef md5_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_md5",
    .m_doc = "The hash MD5: see the module hashlib.",
    .m_methods = md5_methods,
    .m_slots = md5_slots,
};

PyMODINIT_FUNC PyInit__md5(void)
{
    return PyModuleDef_Init(&md5_module);
}
#endif
