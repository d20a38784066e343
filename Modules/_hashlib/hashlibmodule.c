/* The _hashlib module: hashes, HMAC and key derivation by OpenSSL. */
#include "hashlib.h"
#include <openssl/crypto.h>

PyObject *hashlib_unsupported, *hashlib_constructors;

static PyObject *get_fips_mode(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(EVP_default_properties_is_fips_enabled(NULL));
}

/* Takes a time that depends on the lengths alone. */
static int same_bytes(const void *a, Py_ssize_t a_size, const void *b, Py_ssize_t b_size)
{
    int same_size = a_size == b_size;
    return CRYPTO_memcmp(same_size ? a : b, b, (size_t)b_size) == 0 && same_size;
}

static PyObject *compare_digest(PyObject *module, PyObject *args)
{
    PyObject *a, *b, *result = NULL;
    Py_buffer left, right;
    if (!PyArg_UnpackTuple(args, "compare_digest", 2, 2, &a, &b))
        return NULL;
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (PyUnicode_IS_ASCII(a) && PyUnicode_IS_ASCII(b))
            return PyBool_FromLong(same_bytes(PyUnicode_DATA(a), PyUnicode_GET_LENGTH(a), PyUnicode_DATA(b),
                                              PyUnicode_GET_LENGTH(b)));
        PyErr_SetString(PyExc_TypeError, "comparing strings with non-ASCII characters is not supported");
        return NULL;
    }
    if (!PyObject_CheckBuffer(a) && !PyObject_CheckBuffer(b)) {
        PyErr_Format(PyExc_TypeError, "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (PyObject_GetBuffer(a, &left, PyBUF_SIMPLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(b, &right, PyBUF_SIMPLE) == 0) {
        if (left.ndim > 1 || right.ndim > 1)
            PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        else
            result = PyBool_FromLong(same_bytes(left.buf, left.len, right.buf, right.len));
        PyBuffer_Release(&right);
    }
    PyBuffer_Release(&left);
    return result;
}

static PyMethodDef functions[] = {
    {"compare_digest", compare_digest, METH_VARARGS,
     "compare_digest($module, a, b, /)\n--\n\n"
     "Compares two ASCII strings or bytes-like objects in a time that does not tell where they differ."},
    {"get_fips_mode", get_fips_mode, METH_NOARGS,
     "get_fips_mode($module, /)\n--\n\nDoes OpenSSL offer algorithms approved by FIPS 140 only? 0: no."},
    {NULL},
};

/* What the first import makes and later ones find. 0, or -1 with an exception. */
static int make_globals(PyObject *module)
{
    if (hashlib_unsupported == NULL) {
        hashlib_unsupported = PyErr_NewException("_hashlib.UnsupportedDigestmodError", PyExc_ValueError, NULL);
        if (hashlib_unsupported == NULL)
            return -1;
    }
    if (hashlib_constructors == NULL)
        hashlib_constructors = hashlib_constructors_make(module);
    return hashlib_constructors != NULL ? 0 : -1;
}

static int hashlib_exec(PyObject *module)
{
    PyMethodDef *const tables[] = {hashlib_hash_functions, hashlib_hmac_functions, hashlib_derive_functions};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            return -1;
    if (make_globals(module) < 0 || PyModule_AddType(module, &hashlib_hash_type) < 0
        || PyModule_AddType(module, &hashlib_xof_type) < 0 || PyModule_AddType(module, &hashlib_hmac_type) < 0
        || PyModule_AddObjectRef(module, "UnsupportedDigestmodError", hashlib_unsupported) < 0)
        return -1;
    PyObject *names = hashlib_algorithm_names(), *view = PyDictProxy_New(hashlib_constructors);
    int rc = names == NULL || view == NULL || PyModule_AddObjectRef(module, "openssl_md_meth_names", names) < 0
                     || PyModule_AddObjectRef(module, "_constructors", view) < 0
                 ? -1
                 : 0;
    Py_XDECREF(names);
    Py_XDECREF(view);
    return rc;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)hashlib_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_hashlib",
    .m_doc = "Hash functions of OpenSSL: see the modules hashlib and hmac.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__hashlib(void)
{
    return PyModuleDef_Init(&definition);
}
