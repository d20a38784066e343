/* The _sha3 module: the hashes SHA-3 and SHAKE, computed by OpenSSL. */
#include "pyconfig.h"
#ifdef HAVE_OPENSSL
#include "evp_hash.h"

/* More could not be written out in hexadecimal digits on all systems. */
#define EXTENDED_LIMIT (1UL << 29)

enum { STATE_BITS = 1600 };

static long rate_bits(PyObject *op) { return 8L * EVP_MD_CTX_get_block_size(((hash_t *)op)->context); }

static int is_extendable(PyObject *op)
{
    return (EVP_MD_get_flags(EVP_MD_CTX_get0_md(((hash_t *)op)->context)) & EVP_MD_FLAG_XOF) != 0;
}

static PyObject *get_rate_bits(PyObject *op, void *unused) { return PyLong_FromLong(rate_bits(op)); }
static PyObject *get_capacity_bits(PyObject *op, void *unused) { return PyLong_FromLong(STATE_BITS - rate_bits(op)); }

/* The bits behind the data that tell the two families of hashes apart, with the first bit of the padding. */
static PyObject *get_suffix(PyObject *op, void *unused)
{
    return PyBytes_FromStringAndSize(is_extendable(op) ? "\x1f" : "\x06", 1);
}

static PyGetSetDef sha3_getset[] = {
    {"block_size", hash_get_block_size, NULL, "The size of the blocks that the algorithm works on, in bytes.", NULL},
    {"digest_size", hash_get_digest_size, NULL, "The size of the hash in bytes; 0: as asked for.", NULL},
    {"name", hash_get_name, NULL, "The name of the algorithm.", NULL},
    {"_capacity_bits", get_capacity_bits, NULL, NULL, NULL},
    {"_rate_bits", get_rate_bits, NULL, NULL, NULL},
    {"_suffix", get_suffix, NULL, NULL, NULL},
    {NULL},
};

static int get_length(PyObject *arg, size_t *length)
{
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    if (_PyLong_Sign(arg) < 0) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return -1;
    }
    *length = PyLong_AsUnsignedLong(arg);
    if (*length == (size_t)-1 && PyErr_Occurred())
        return -1;
    if (*length >= EXTENDED_LIMIT) {
        PyErr_SetString(PyExc_ValueError, "length is too large");
        return -1;
    }
    return 0;
}

static PyObject *shake_digest(PyObject *op, PyObject *arg)
{
    size_t length;
    return get_length(arg, &length) < 0 ? NULL : hash_extend(op, length);
}

static PyObject *shake_hexdigest(PyObject *op, PyObject *arg)
{
    size_t length;
    return get_length(arg, &length) < 0 ? NULL : hash_extend_hexadecimal(op, length);
}

static PyMethodDef shake_methods[] = {
    {"copy", hash_copy, METH_NOARGS, "copy($self, /)\n--\n\nA hash object that has been fed with the same data."},
    {"digest", shake_digest, METH_O, "digest($self, length, /)\n--\n\nSo many bytes of the hash of the data so far."},
    {"hexdigest", shake_hexdigest, METH_O,
     "hexdigest($self, length, /)\n--\n\nSo many bytes of the hash of the data so far, in hexadecimal digits."},
    {"update", hash_update, METH_O, "update($self, data, /)\n--\n\nFeeds more data to the hash."},
    {NULL},
};

static PyObject *sha3_make(PyTypeObject *type, const char *name, const EVP_MD *algorithm, const char *format,
                           PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "usedforsecurity", NULL};
    PyObject *data = NULL;
    int for_security = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &data, &for_security))
        return NULL;
    return hash_start(type, name, algorithm, data, for_security);
}

/* SHA3(python's name, OpenSSL's function, table of methods) */
#define SHA3(name_, algorithm, methods) \
    static PyObject *new_##name_(PyTypeObject *type, PyObject *args, PyObject *kwargs) \
    { \
        return sha3_make(type, #name_, algorithm(), "|O$p:" #name_, args, kwargs); \
    } \
    static PyTypeObject name_##_type = { \
        PyVarObject_HEAD_INIT(NULL, 0) \
        .tp_name = "_sha3." #name_, \
        .tp_basicsize = sizeof(hash_t), \
        .tp_flags = Py_TPFLAGS_DEFAULT, \
        .tp_doc = #name_ "(data=b'', /, *, usedforsecurity=True)\n--\n\nA new " #name_ " hash object.", \
        .tp_dealloc = hash_dealloc, \
        .tp_methods = methods, \
        .tp_getset = sha3_getset, \
        .tp_new = new_##name_, \
    };

SHA3(sha3_224, EVP_sha3_224, hash_methods)
SHA3(sha3_256, EVP_sha3_256, hash_methods)
SHA3(sha3_384, EVP_sha3_384, hash_methods)
SHA3(sha3_512, EVP_sha3_512, hash_methods)
SHA3(shake_128, EVP_shake128, shake_methods)
SHA3(shake_256, EVP_shake256, shake_methods)

static int sha3_exec(PyObject *module)
{
    PyTypeObject *const types[] = {&sha3_224_type, &sha3_256_type, &sha3_384_type,
                                   &sha3_512_type, &shake_128_type, &shake_256_type};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return PyModule_AddStringConstant(module, "implementation", "OpenSSL");
}

static PyModuleDef_Slot sha3_slots[] = {
    {Py_mod_exec, (void *)sha3_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef sha3_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha3",
    .m_doc = "The hashes SHA-3 and SHAKE: see the module hashlib.",
    .m_slots = sha3_slots,
};

PyMODINIT_FUNC PyInit__sha3(void)
{
    return PyModuleDef_Init(&sha3_module);
}
#else
/* A file must define something. */
typedef int no_openssl;
#endif
