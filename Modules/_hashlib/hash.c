/* Hash objects for all algorithms of OpenSSL: HASH, HASHXOF and their constructors. */
#include "hashlib.h"
#include "../evp_hash.h"

/* Those that have a constructor of their own: CONSTRUCTOR(name) */
#define CONSTRUCTORS \
    CONSTRUCTOR(md5) CONSTRUCTOR(sha1) CONSTRUCTOR(sha224) CONSTRUCTOR(sha256) CONSTRUCTOR(sha384) CONSTRUCTOR(sha512) \
    CONSTRUCTOR(sha3_224) CONSTRUCTOR(sha3_256) CONSTRUCTOR(sha3_384) CONSTRUCTOR(sha3_512) CONSTRUCTOR(shake_128) \
    CONSTRUCTOR(shake_256)

static PyObject *hash_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s %s object @ %p>", ((hash_t *)op)->name, Py_TYPE(op)->tp_name, (void *)op);
}

static PyObject *xof_digest(PyObject *op, PyObject *args, PyObject *kwargs, const char *format,
                            PyObject *(*extend)(PyObject *, size_t))
{
    static char *names[] = {"length", NULL};
    Py_ssize_t length;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &length))
        return NULL;
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return NULL;
    }
    return extend(op, (size_t)length);
}

static PyObject *xof_bytes(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return xof_digest(op, args, kwargs, "n:digest", hash_extend);
}

static PyObject *xof_text(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return xof_digest(op, args, kwargs, "n:hexdigest", hash_extend_hexadecimal);
}

static PyMethodDef xof_methods[] = {
    MODULE_METHOD("digest", xof_bytes, METH_VARARGS | METH_KEYWORDS,
                  "digest($self, /, length)\n--\n\nSo many bytes of the hash of the data so far."),
    MODULE_METHOD("hexdigest", xof_text, METH_VARARGS | METH_KEYWORDS,
                  "hexdigest($self, /, length)\n--\n\nSo many bytes of the hash of the data so far, in hexadecimal digits."),
    {NULL},
};

PyTypeObject hashlib_hash_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_hashlib.HASH",
    .tp_basicsize = sizeof(hash_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "HASH(name, string=b'')\n--\n\nThe hash of the data that it has been fed with.",
    .tp_dealloc = hash_dealloc,
    .tp_repr = hash_repr,
    .tp_methods = hash_methods,
    .tp_getset = hash_getset,
};

PyTypeObject hashlib_xof_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_hashlib.HASHXOF",
    .tp_base = &hashlib_hash_type,
    .tp_basicsize = sizeof(hash_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "HASHXOF(name, string=b'')\n--\n\nThe hash, of any length, of the data that it has been fed with.",
    .tp_dealloc = hash_dealloc,
    .tp_methods = xof_methods,
};

/* A new object. data: NULL or what to feed at once. */
static PyObject *make(const char *name, PyObject *data, int for_security)
{
    EVP_MD *algorithm = hashlib_algorithm_by_name(name);
    if (algorithm == NULL)
        return NULL;
    int extendable = (EVP_MD_get_flags(algorithm) & EVP_MD_FLAG_XOF) != 0;
    PyObject *hash = hash_start(extendable ? &hashlib_xof_type : &hashlib_hash_type, hashlib_algorithm_name(algorithm),
                                algorithm, data, for_security);
    EVP_MD_free(algorithm);
    return hash;
}

static PyObject *new_(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "string", "usedforsecurity", NULL};
    PyObject *name, *data = NULL;
    int for_security = 1;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$p:new", names, &name, &data, &for_security))
        return NULL;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    if (text == NULL || strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_TypeError, "name must be a string");
        return NULL;
    }
    return make(text, data, for_security);
}

static PyObject *make_from(const char *name, const char *format, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"string", "usedforsecurity", NULL};
    PyObject *data = NULL;
    int for_security = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &data, &for_security))
        return NULL;
    return make(name, data, for_security);
}

#define CONSTRUCTOR(name) \
    static PyObject *openssl_##name(PyObject *module, PyObject *args, PyObject *kwargs) \
    { \
        return make_from(#name, "|O$p:openssl_" #name, args, kwargs); \
    }
CONSTRUCTORS
#undef CONSTRUCTOR

PyMethodDef hashlib_hash_functions[] = {
    MODULE_METHOD("new", new_, METH_VARARGS | METH_KEYWORDS,
                  "new($module, /, name, string=b'', *, usedforsecurity=True)\n--\n\n"
                  "A new hash object of the algorithm with that name, fed with string."),
#define CONSTRUCTOR(name) \
    MODULE_METHOD("openssl_" #name, openssl_##name, METH_VARARGS | METH_KEYWORDS, \
                  "openssl_" #name "($module, /, string=b'', *, usedforsecurity=True)\n--\n\nA new " #name " hash object."),
    CONSTRUCTORS
#undef CONSTRUCTOR
    {NULL},
};

PyObject *hashlib_constructors_make(PyObject *module)
{
    PyObject *dict = PyDict_New();
    for (PyMethodDef *row = hashlib_hash_functions; dict != NULL && row->ml_name != NULL; row++) {
        if (strncmp(row->ml_name, "openssl_", 8) != 0)
            continue;
        PyObject *function = PyObject_GetAttrString(module, row->ml_name);
        PyObject *name = PyUnicode_FromString(row->ml_name + 8);
        if (function == NULL || name == NULL || PyDict_SetItem(dict, function, name) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(function);
        Py_XDECREF(name);
    }
    return dict;
}
