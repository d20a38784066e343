/* Hash objects on OpenSSL's EVP, for the modules _md5, _sha1, _sha256, _sha512, _sha3 and _hashlib: a file that defines
 * such types includes this once.
 *
 * The mutex of an object guards its context. Other threads go on while much data is hashed: the thread then detaches
 * with the mutex held, which nobody who holds it waits for. */
#ifndef BRAID_EVP_HASH_H
#define BRAID_EVP_HASH_H

#include "evp_support.h"

typedef struct {
    PyObject_HEAD
    PyMutex mutex;
    EVP_MD_CTX *context;        /* [lock] */
    const char *name;           /* [const] */
} hash_t;

/* Below this size, detaching costs more than it gives. */
enum { HASH_SMALL = 2048 };

static hash_t *hash_new(PyTypeObject *type, const char *name)
{
    hash_t *self = PyObject_New(hash_t, type);
    if (self == NULL)
        return NULL;
    memset(&self->mutex, 0, sizeof self->mutex);
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
    if (evp_get_buffer(data, &view) < 0)
        return -1;
    PyMutex_Lock(&self->mutex);
    if (view.len < HASH_SMALL)
        ok = EVP_DigestUpdate(self->context, view.buf, (size_t)view.len);
    else {
        Py_BEGIN_ALLOW_THREADS
        ok = EVP_DigestUpdate(self->context, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&self->mutex);
    PyBuffer_Release(&view);
    if (!ok)
        evp_error(PyExc_ValueError);
    return ok ? 0 : -1;
}

static PyObject *hash_update(PyObject *self, PyObject *data)
{
    if (hash_feed((hash_t *)self, data) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* A copy of what the object has been fed with, or NULL with an exception. */
static EVP_MD_CTX *hash_copy_context(hash_t *self)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyMutex_Lock(&self->mutex);
    int ok = EVP_MD_CTX_copy_ex(copy, self->context);
    PyMutex_Unlock(&self->mutex);
    if (ok)
        return copy;
    EVP_MD_CTX_free(copy);
    evp_error(PyExc_ValueError);
    return NULL;
}

static PyObject *hash_copy(PyObject *op, PyObject *unused)
{
    EVP_MD_CTX *context = hash_copy_context((hash_t *)op);
    hash_t *copy = context != NULL ? PyObject_New(hash_t, Py_TYPE(op)) : NULL;
    if (copy == NULL) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    memset(&copy->mutex, 0, sizeof copy->mutex);
    copy->name = ((hash_t *)op)->name;
    copy->context = context;
    return (PyObject *)copy;
}

/* The number of bytes, or -1 with an exception. The object itself may go on. */
static int hash_finish(PyObject *op, unsigned char *digest)
{
    unsigned size = 0;
    EVP_MD_CTX *copy = hash_copy_context((hash_t *)op);
    if (copy == NULL)
        return -1;
    int ok = EVP_DigestFinal_ex(copy, digest, &size);
    EVP_MD_CTX_free(copy);
    if (!ok)
        evp_error(PyExc_ValueError);
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
    int size = hash_finish(self, digest);
    return size < 0 ? NULL : evp_hexadecimal(digest, size);
}

/* So many bytes of the hash of an algorithm whose output has no fixed size. */
static inline PyObject *hash_extend(PyObject *op, size_t size)
{
    PyObject *digest = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    EVP_MD_CTX *copy = digest != NULL ? hash_copy_context((hash_t *)op) : NULL;
    if (copy == NULL) {
        Py_XDECREF(digest);
        return NULL;
    }
    int ok = size == 0 || EVP_DigestFinalXOF(copy, (unsigned char *)PyBytes_AS_STRING(digest), size);
    EVP_MD_CTX_free(copy);
    if (!ok) {
        Py_DECREF(digest);
        return evp_error(PyExc_ValueError);
    }
    return digest;
}

static inline PyObject *hash_extend_hexadecimal(PyObject *op, size_t size)
{
    PyObject *digest = hash_extend(op, size);
    if (digest == NULL)
        return NULL;
    PyObject *text = evp_hexadecimal((unsigned char *)PyBytes_AS_STRING(digest), PyBytes_GET_SIZE(digest));
    Py_DECREF(digest);
    return text;
}

static PyObject *hash_get_digest_size(PyObject *op, void *unused)
{
    const EVP_MD *algorithm = EVP_MD_CTX_get0_md(((hash_t *)op)->context);
    return PyLong_FromLong(EVP_MD_get_flags(algorithm) & EVP_MD_FLAG_XOF ? 0 : EVP_MD_get_size(algorithm));
}

static PyObject *hash_get_block_size(PyObject *op, void *unused)
{
    return PyLong_FromLong(EVP_MD_CTX_get_block_size(((hash_t *)op)->context));
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

static PyGetSetDef hash_getset[] __attribute__((unused)) = {
    {"digest_size", hash_get_digest_size, NULL, "The size of the hash in bytes.", NULL},
    {"block_size", hash_get_block_size, NULL, "The size of the blocks that the algorithm works on, in bytes.", NULL},
    {"name", hash_get_name, NULL, "The name of the algorithm.", NULL},
    {NULL},
};

/* data: NULL, or what to feed at once. */
static PyObject *hash_start(PyTypeObject *type, const char *name, const EVP_MD *algorithm, PyObject *data,
                            int for_security)
{
    hash_t *self = hash_new(type, name);
    if (self == NULL)
        return NULL;
    if (!for_security)
        EVP_MD_CTX_set_flags(self->context, EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
    if (!EVP_DigestInit_ex(self->context, algorithm, NULL)) {
        Py_DECREF(self);
        return evp_error(PyExc_ValueError);
    }
    if (data != NULL && hash_feed(self, data) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static inline PyObject *hash_make(PyTypeObject *type, const char *name, const EVP_MD *algorithm, const char *format,
                                  PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"string", "usedforsecurity", NULL};
    PyObject *data = NULL;
    int for_security = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &data, &for_security))
        return NULL;
    return hash_start(type, name, algorithm, data, for_security);
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
