/* HMAC objects. The mutex of an object guards its context, as in evp_hash.h.
 *
 * OpenSSL marks its HMAC functions as deprecated; they remain the only ones whose contexts are cheap to copy. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hashlib.h"
#include <openssl/hmac.h>

enum { HASH_SMALL = 2048 };             /* as in evp_hash.h */

typedef struct {
    PyObject_HEAD
    PyMutex mutex;
    HMAC_CTX *context;          /* [lock] */
} hmac_t;

static const char *algorithm_name(PyObject *op)
{
    return hashlib_algorithm_name(HMAC_CTX_get_md(((hmac_t *)op)->context));
}

static hmac_t *hmac_new(void)
{
    hmac_t *self = PyObject_New(hmac_t, &hashlib_hmac_type);
    if (self == NULL)
        return NULL;
    memset(&self->mutex, 0, sizeof self->mutex);
    self->context = HMAC_CTX_new();
    if (self->context == NULL) {
        Py_DECREF((PyObject *)self);
        PyErr_NoMemory();
        return NULL;
    }
    return self;
}

static void hmac_dealloc(PyObject *op)
{
    HMAC_CTX_free(((hmac_t *)op)->context);
    PyObject_Free(op);
}

static int feed(hmac_t *self, PyObject *data)
{
    Py_buffer view;
    int ok;
    if (evp_get_buffer(data, &view) < 0)
        return -1;
    PyMutex_Lock(&self->mutex);
    if (view.len < HASH_SMALL)
        ok = HMAC_Update(self->context, view.buf, (size_t)view.len);
    else {
        Py_BEGIN_ALLOW_THREADS
        ok = HMAC_Update(self->context, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&self->mutex);
    PyBuffer_Release(&view);
    if (!ok)
        evp_error(PyExc_ValueError);
    return ok ? 0 : -1;
}

static PyObject *hmac_update(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", NULL};
    PyObject *data;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:update", names, &data) || feed((hmac_t *)op, data) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *hmac_copy(PyObject *op, PyObject *unused)
{
    hmac_t *self = (hmac_t *)op, *copy = hmac_new();
    if (copy == NULL)
        return NULL;
    PyMutex_Lock(&self->mutex);
    int ok = HMAC_CTX_copy(copy->context, self->context);
    PyMutex_Unlock(&self->mutex);
    if (ok)
        return (PyObject *)copy;
    Py_DECREF((PyObject *)copy);
    return evp_error(PyExc_ValueError);
}

/* The number of bytes, or -1 with an exception. The object itself may go on. */
static int finish(PyObject *op, unsigned char *digest)
{
    unsigned size = EVP_MAX_MD_SIZE;
    hmac_t *copy = (hmac_t *)hmac_copy(op, NULL);
    if (copy == NULL)
        return -1;
    int ok = HMAC_Final(copy->context, digest, &size);
    Py_DECREF((PyObject *)copy);
    if (!ok)
        evp_error(PyExc_ValueError);
    return ok ? (int)size : -1;
}

static PyObject *hmac_digest(PyObject *op, PyObject *unused)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    int size = finish(op, digest);
    return size < 0 ? NULL : PyBytes_FromStringAndSize((char *)digest, size);
}

static PyObject *hmac_hexdigest(PyObject *op, PyObject *unused)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    int size = finish(op, digest);
    return size < 0 ? NULL : evp_hexadecimal(digest, size);
}

static PyObject *hmac_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s HMAC object @ %p>", algorithm_name(op), (void *)op);
}

static PyObject *get_digest_size(PyObject *op, void *unused)
{
    return PyLong_FromSize_t(HMAC_size(((hmac_t *)op)->context));
}

static PyObject *get_block_size(PyObject *op, void *unused)
{
    return PyLong_FromLong(EVP_MD_get_block_size(HMAC_CTX_get_md(((hmac_t *)op)->context)));
}

static PyObject *get_name(PyObject *op, void *unused) { return PyUnicode_FromFormat("hmac-%s", algorithm_name(op)); }

static PyMethodDef methods[] = {
    {"copy", hmac_copy, METH_NOARGS, "copy($self, /)\n--\n\nAn object that has been fed with the same data."},
    {"digest", hmac_digest, METH_NOARGS, "digest($self, /)\n--\n\nThe code of the data so far, as bytes."},
    {"hexdigest", hmac_hexdigest, METH_NOARGS,
     "hexdigest($self, /)\n--\n\nThe code of the data so far, in hexadecimal digits."},
    MODULE_METHOD("update", hmac_update, METH_VARARGS | METH_KEYWORDS,
                  "update($self, /, msg)\n--\n\nFeeds more data to it."),
    {NULL},
};

static PyGetSetDef getset[] = {
    {"digest_size", get_digest_size, NULL, "The size of the code in bytes.", NULL},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on, in bytes.", NULL},
    {"name", get_name, NULL, "The name of the algorithm, with hmac- before it.", NULL},
    {NULL},
};

PyTypeObject hashlib_hmac_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_hashlib.HMAC",
    .tp_basicsize = sizeof(hmac_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "The authentication code, with a key, of the data that it has been fed with.",
    .tp_dealloc = hmac_dealloc,
    .tp_repr = hmac_repr,
    .tp_methods = methods,
    .tp_getset = getset,
};

static int check_key(const Py_buffer *key)
{
    if (key->len <= INT_MAX)
        return 0;
    PyErr_SetString(PyExc_OverflowError, "key is too long.");
    return -1;
}

static PyObject *new_(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"key", "msg", "digestmod", NULL};
    Py_buffer key;
    PyObject *data = NULL, *digestmod = NULL;
    hmac_t *self = NULL;
    EVP_MD *algorithm = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|OO:hmac_new", names, &key, &data, &digestmod))
        return NULL;
    if (digestmod == NULL) {
        PyErr_SetString(PyExc_TypeError, "Missing required parameter 'digestmod'.");
        goto done;
    }
    if (check_key(&key) < 0 || (algorithm = hashlib_algorithm_by_object(digestmod)) == NULL || (self = hmac_new()) == NULL)
        goto done;
    /* No key at all would mean the previous one. */
    if (!HMAC_Init_ex(self->context, key.buf != NULL ? key.buf : "", (int)key.len, algorithm, NULL)) {
        Py_CLEAR(self);
        evp_error(PyExc_ValueError);
    }
    else if (data != NULL && data != Py_None && feed(self, data) < 0) {
        Py_CLEAR(self);
    }
done:
    EVP_MD_free(algorithm);
    PyBuffer_Release(&key);
    return (PyObject *)self;
}

static PyObject *digest(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"key", "msg", "digest", NULL};
    Py_buffer key, data;
    PyObject *digestmod, *result = NULL;
    unsigned char code[EVP_MAX_MD_SIZE], *made = NULL;
    unsigned size = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*y*O:hmac_digest", names, &key, &data, &digestmod))
        return NULL;
    EVP_MD *algorithm = check_key(&key) == 0 ? hashlib_algorithm_by_object(digestmod) : NULL;
    if (algorithm != NULL) {
        Py_BEGIN_ALLOW_THREADS
        made = HMAC(algorithm, key.buf != NULL ? key.buf : "", (int)key.len, data.buf, (size_t)data.len, code, &size);
        Py_END_ALLOW_THREADS
        result = made != NULL ? PyBytes_FromStringAndSize((char *)code, size) : evp_error(PyExc_ValueError);
    }
    EVP_MD_free(algorithm);
    PyBuffer_Release(&key);
    PyBuffer_Release(&data);
    return result;
}

PyMethodDef hashlib_hmac_functions[] = {
    MODULE_METHOD("hmac_new", new_, METH_VARARGS | METH_KEYWORDS,
                  "hmac_new($module, /, key, msg=b'', digestmod=None)\n--\n\nA new HMAC object, fed with msg."),
    MODULE_METHOD("hmac_digest", digest, METH_VARARGS | METH_KEYWORDS,
                  "hmac_digest($module, /, key, msg, digest)\n--\n\nThe authentication code of msg, as bytes."),
    {NULL},
};
