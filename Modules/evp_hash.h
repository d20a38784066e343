/* Hash objects on OpenSSL's EVP, for the modules _md5, _sha1, _sha256 and _sha512: each includes this once and
 * defines its constructors with EVP_HASH. */
#ifndef BRAID_EVP_HASH_H
#define BRAID_EVP_HASH_H

#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <openssl/evp.h>

typedef struct {
    PyObject_HEAD
    EVP_MD_CTX *context;        /* [lock] */
    const char *name;           /* [const] */
} hash_t;

static PyObject *hash_error(void)
{
    PyErr_SetString(PyExc_ValueError, "the OpenSSL library cannot compute this hash");
    return NULL;
}

static hash_t *hash_new(PyTypeObject *type, const char *name)
{
    hash_t *self = PyObject_New(hash_t, type);
    if (self == NULL)
        return NULL;
    self->name = name;
    self->context = EVP_MD_CTX_new();
    if (self->context == NULL) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    return self;
}

static void hash_dealloc(PyObject *op)
{
    EVP_MD_CTX_free(((hash_t *)op)->context);
    PyObject_Free(op);
}

/* data: anything with a buffer of one dimension. */
static int hash_feed(hash_t *self, PyObject *data)
{
    Py_buffer view;
    int ok;
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return -1;
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
        return -1;
    }
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return -1;
    if (view.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(&view);
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    ok = EVP_DigestUpdate(self->context, view.buf, (size_t)view.len);
    Py_END_CRITICAL_SECTION();
    PyBuffer_Release(&view);
    if (!ok)
        hash_error();
    return ok ? 0 : -1;
}

static PyObject *hash_update(PyObject *self, PyObject *data)
{
    if (hash_feed((hash_t *)self, data) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *hash_copy(PyObject *op, PyObject *unused)
{
    hash_t *self = (hash_t *)op;
    int ok;
    hash_t *copy = hash_new(Py_TYPE(op), self->name);
    if (copy == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    ok = EVP_MD_CTX_copy_ex(copy->context, self->context);
    Py_END_CRITICAL_SECTION();
    if (ok)
        return (PyObject *)copy;
    Py_DECREF(copy);
    return hash_error();
}

/* The number of bytes, or -1 with an exception. The context itself may go on. */
static int hash_finish(PyObject *op, unsigned char *digest)
{
    unsigned size = 0;
    hash_t *copy = (hash_t *)hash_copy(op, NULL);
    if (copy == NULL)
        return -1;
    int ok = EVP_DigestFinal_ex(copy->context, digest, &size);
    Py_DECREF(copy);
    if (!ok)
        hash_error();
    return ok ? (int)size : -1;
}

static PyObject *hash_digest(PyObject *self, PyObject *unused)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    int size = hash_finish(self, digest);
    return size < 0 ? NULL : PyBytes_FromStringAndSize((char *)digest, size);
}

static PyObject *hash_hexdigest(PyObject *self, PyObject *unused)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE];
    int size = hash_finish(self, digest);
    for (int i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return size < 0 ? NULL : PyUnicode_FromStringAndSize(text, 2 * size);
}

static PyObject *hash_get_digest_size(PyObject *op, void *unused)
{
    return PyLong_FromLong(EVP_MD_CTX_size(((hash_t *)op)->context));
}

static PyObject *hash_get_block_size(PyObject *op, void *unused)
{
    return PyLong_FromLong(EVP_MD_CTX_block_size(((hash_t *)op)->context));
}

static PyObject *hash_get_name(PyObject *op, void *unused)
{
    return PyUnicode_FromString(((hash_t *)op)->name);
}

static PyMethodDef hash_methods[] = {
    {"copy", hash_copy, METH_NOARGS, "copy($self, /)\n--\n\nA hash object that has been fed with the same data."},
    {"digest", hash_digest, METH_NOARGS, "digest($self, /)\n--\n\nThe hash of the data so far, as bytes."},
    {"hexdigest", hash_hexdigest, METH_NOARGS,
     "hexdigest($self, /)\n--\n\nThe hash of the data so far, in hexadecimal digits."},
    {"update", hash_update, METH_O, "update($self, obj, /)\n--\n\nFeeds more data to the hash."},
    {NULL},
};

static PyGetSetDef hash_getset[] = {
    {"digest_size", hash_get_digest_size, NULL, "The size of the hash in bytes.", NULL},
    {"block_size", hash_get_block_size, NULL, "The size of the blocks that the algorithm works on, in bytes.", NULL},
    {"name", hash_get_name, NULL, "The name of the algorithm.", NULL},
    {NULL},
};

static PyObject *hash_make(PyTypeObject *type, const char *name, const EVP_MD *algorithm, const char *format,
                           PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"string", "usedforsecurity", NULL};
    PyObject *data = NULL;
    int for_security = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &data, &for_security))
        return NULL;
    hash_t *self = hash_new(type, name);
    if (self == NULL)
        return NULL;
    if (!for_security)
        EVP_MD_CTX_set_flags(self->context, EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
    if (!EVP_DigestInit_ex(self->context, algorithm, NULL)) {
        Py_DECREF(self);
        return hash_error();
    }
    if (data != NULL && hash_feed(self, data) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* EVP_HASH(sha512, "_sha512.sha512") defines the type sha512_type and the function make_sha512. */
#define EVP_HASH(algorithm, full_name) \
    static PyTypeObject algorithm##_type = { \
        PyVarObject_HEAD_INIT(NULL, 0) \
        .tp_name = full_name, \
        .tp_basicsize = sizeof(hash_t), \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, \
        .tp_dealloc = hash_dealloc, \
        .tp_methods = hash_methods, \
        .tp_getset = hash_getset, \
    }; \
    static PyObject *make_##algorithm(PyObject *module, PyObject *args, PyObject *kwargs) \
    { \
        return hash_make(&algorithm##_type, #algorithm, EVP_##algorithm(), "|O$p:" #algorithm, args, kwargs); \
    }

#define EVP_HASH_ROW(algorithm) \
    MODULE_METHOD(#algorithm, make_##algorithm, METH_VARARGS | METH_KEYWORDS, \
                  #algorithm "($module, /, string=b'', *, usedforsecurity=True)\n--\n\nA new " #algorithm " hash object.")

#endif /* BRAID_EVP_HASH_H */
