/* The _sha1 module: The hash SHA-1, computed by OpenSSL. */
#include "pyconfig.h"
#ifdef HAVE_OPENSSL
#include "evp_hash.h"

EVP_HASH(sha1, "_sha1.sha1")

static PyMethodDef sha1_methods[] = {
    EVP_HASH_ROW(sha1),
    {NULL},
};

static int sha1_exec(PyObject *module)
{
    if (PyType_Ready(&sha1_type) < 0 || PyModule_AddObjectRef(module, "SHA1Type", (PyObject *)&sha1_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot sha1_slots[] = {
    {Py_mod_exec, (void *)sha1_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef sha1_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha1",
    .m_doc = "The hash SHA-1: see the module hashlib.",
    .m_methods = sha1_methods,
    .m_slots = sha1_slots,
};

PyMODINIT_FUNC PyInit__sha1(void)
{
    return PyModuleDef_Init(&sha1_module);
}
#endif
