/* The _sha256 module: The hashes SHA-224 and SHA-256, computed by OpenSSL. */
#include "pyconfig.h"
#ifdef HAVE_OPENSSL
#include "evp_hash.h"

EVP_HASH(sha224, "_sha256.sha224")
EVP_HASH(sha256, "_sha256.sha256")

static PyMethodDef sha256_methods[] = {
    EVP_HASH_ROW(sha224),
    EVP_HASH_ROW(sha256),
    {NULL},
};

static int sha256_exec(PyObject *module)
{
    if (PyType_Ready(&sha224_type) < 0 || PyModule_AddObjectRef(module, "SHA224Type", (PyObject *)&sha224_type) < 0)
        return -1;
    if (PyType_Ready(&sha256_type) < 0 || PyModule_AddObjectRef(module, "SHA256Type", (PyObject *)&sha256_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot sha256_slots[] = {
    {Py_mod_exec, (void *)sha256_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef sha256_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha256",
    .m_doc = "The hashes SHA-224 and SHA-256: see the module hashlib.",
    .m_methods = sha256_methods,
    .m_slots = sha256_slots,
};

PyMODINIT_FUNC PyInit__sha256(void)
{
    return PyModuleDef_Init(&sha256_module);
}
#endif
