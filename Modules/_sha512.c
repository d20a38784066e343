/* The _sha512 module: The hashes SHA-384 and SHA-512, computed by OpenSSL. */
#include "pyconfig.h"
#ifdef HAVE_OPENSSL
#include "evp_hash.h"

EVP_HASH(sha384, "_sha512.sha384")
EVP_HASH(sha512, "_sha512.sha512")

static PyMethodDef sha512_methods[] = {
    EVP_HASH_ROW(sha384),
    EVP_HASH_ROW(sha512),
    {NULL},
};

static int sha512_exec(PyObject *module)
{
    if (PyType_Ready(&sha384_type) < 0 || PyModule_AddObjectRef(module, "SHA384Type", (PyObject *)&sha384_type) < 0)
        return -1;
    if (PyType_Ready(&sha512_type) < 0 || PyModule_AddObjectRef(module, "SHA512Type", (PyObject *)&sha512_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot sha512_slots[] = {
    {Py_mod_exec, (void *)sha512_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef sha512_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha512",
    .m_doc = "The hashes SHA-384 and SHA-512: see the module hashlib.",
    .m_methods = sha512_methods,
    .m_slots = sha512_slots,
};

PyMODINIT_FUNC PyInit__sha512(void)
{
    return PyModuleDef_Init(&sha512_module);
}
#endif
