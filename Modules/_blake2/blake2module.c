/* The _blake2 module: hash objects of BLAKE2b and BLAKE2s.
 *
 * The mutex of an object guards its state. Other threads go on while much data is hashed: the thread then detaches with
 * the mutex held, which nobody who holds it waits for. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include "blake2.h"
#include <string.h>

typedef struct {
    PyObject_HEAD
    PyMutex mutex;
    struct blake2_state state;          /* [lock] */
} hash_object;

/* Below this size, detaching costs more than it gives. */
enum { SMALL = 2048 };

static PyTypeObject blake2b_type, blake2s_type;

static const struct blake2_variant *variant_of(PyTypeObject *type)
{
    return type == &blake2b_type ? &blake2b_variant : &blake2s_variant;
}

/* ---- Data ---- */

static int get_buffer(PyObject *data, Py_buffer *view)
{
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return -1;
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
        return -1;
    }
    if (PyObject_GetBuffer(data, view, PyBUF_SIMPLE) < 0)
        return -1;
    if (view->ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

static int feed(hash_object *self, PyObject *data)
{
    Py_buffer view;
    const struct blake2_variant *variant = variant_of(Py_TYPE((PyObject *)self));
    if (get_buffer(data, &view) < 0)
        return -1;
    PyMutex_Lock(&self->mutex);
    if (view.len < SMALL)
        variant->feed(&self->state, view.buf, (size_t)view.len);
    else {
        Py_BEGIN_ALLOW_THREADS
        variant->feed(&self->state, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&self->mutex);
    PyBuffer_Release(&view);
    return 0;
}

static hash_object *new_object(PyTypeObject *type)
{
    hash_object *self = PyObject_New(hash_object, type);
    if (self != NULL)
        memset(&self->mutex, 0, sizeof self->mutex);
    return self;
}

/* ---- Parameters ---- */

/* The fields of the parameters that are small numbers. */
static int check_range(long value, long low, long high, const char *name, const char *unit)
{
    if (value >= low && value <= high)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s must be between %ld and %ld%s", name, low, high, unit);
    return -1;
}

/* Copies an optional salt, key or personal text. */
static int copy_text(unsigned char *to, const Py_buffer *from, size_t limit, const char *name)
{
    if ((size_t)from->len > limit) {
        PyErr_Format(PyExc_ValueError, "maximum %s length is %zu bytes", name, limit);
        return -1;
    }
    if (from->len > 0)
        memcpy(to, from->buf, (size_t)from->len);
    return 0;
}

/* A number that must not be negative; NULL: leave *number alone. 0, or -1 with an exception. */
static int get_unsigned(PyObject *arg, uint64_t *number)
{
    if (arg == NULL)
        return 0;
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    if (_PyLong_Sign(arg) < 0) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return -1;
    }
    *number = PyLong_AsUnsignedLongLong(arg);
    return *number == UINT64_MAX && PyErr_Occurred() ? -1 : 0;
}

static int get_limited(PyObject *arg, uint64_t limit, const char *name, uint64_t *number)
{
    if (get_unsigned(arg, number) < 0)
        return -1;
    if (*number <= limit)
        return 0;
    PyErr_Format(PyExc_OverflowError, "%s is too large", name);
    return -1;
}

/* The arguments of the constructors that are not data. */
struct arguments {
    PyObject *data;                     /* or NULL */
    Py_buffer key, salt, person;
    int digest_size, fanout, depth, node_depth, inner_size, last_node;
    PyObject *leaf_size, *node_offset;  /* or NULL */
};

static int fill_parameters(struct blake2_parameters *p, const struct arguments *a, const struct blake2_variant *variant)
{
    uint64_t leaf_size = 0;
    memset(p, 0, sizeof *p);
    if (check_range(a->digest_size, 1, (long)variant->digest_max, "digest_size", " bytes") < 0
        || copy_text(p->salt, &a->salt, variant->salt_size, "salt") < 0
        || copy_text(p->person, &a->person, variant->salt_size, "person") < 0
        || check_range(a->fanout, 0, 255, "fanout", "") < 0 || check_range(a->depth, 1, 255, "depth", "") < 0
        || get_limited(a->leaf_size, UINT32_MAX, "leaf_size", &leaf_size) < 0
        || get_limited(a->node_offset, variant->node_offset_max, "node_offset", &p->node_offset) < 0
        || check_range(a->node_depth, 0, 255, "node_depth", "") < 0)
        return -1;
    if (a->inner_size < 0 || (size_t)a->inner_size > variant->digest_max) {
        PyErr_Format(PyExc_ValueError, "inner_size must be between 0 and is %zu", variant->digest_max);
        return -1;
    }
    if (copy_text(p->key, &a->key, variant->key_max, "key") < 0)
        return -1;
    p->digest_size = (size_t)a->digest_size;
    p->key_size = (size_t)a->key.len;
    p->fanout = (unsigned)a->fanout;
    p->depth = (unsigned)a->depth;
    p->leaf_size = (uint32_t)leaf_size;
    p->node_depth = (unsigned)a->node_depth;
    p->inner_size = (unsigned)a->inner_size;
    p->last_node = a->last_node;
    return 0;
}

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs, const char *format)
{
    static char *names[] = {"", "digest_size", "key", "salt", "person", "fanout", "depth", "leaf_size", "node_offset",
                            "node_depth", "inner_size", "last_node", "usedforsecurity", NULL};
    const struct blake2_variant *variant = variant_of(type);
    struct arguments a = {.digest_size = (int)variant->digest_max, .fanout = 1, .depth = 1};
    struct blake2_parameters p;
    hash_object *self = NULL;
    int for_security;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &a.data, &a.digest_size, &a.key, &a.salt, &a.person,
                                     &a.fanout, &a.depth, &a.leaf_size, &a.node_offset, &a.node_depth, &a.inner_size,
                                     &a.last_node, &for_security))
        return NULL;
    if (fill_parameters(&p, &a, variant) == 0 && (self = new_object(type)) != NULL) {
        variant->start(&self->state, &p);
        if (a.data != NULL && feed(self, a.data) < 0)
            Py_CLEAR(self);
    }
    memset(&p, 0, sizeof p);
    PyBuffer_Release(&a.key);
    PyBuffer_Release(&a.salt);
    PyBuffer_Release(&a.person);
    return (PyObject *)self;
}

static PyObject *blake2b_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return make(type, args, kwargs, "|O$iy*y*y*iiOOiipp:blake2b");
}

static PyObject *blake2s_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return make(type, args, kwargs, "|O$iy*y*y*iiOOiipp:blake2s");
}

/* ---- Methods ---- */

static struct blake2_state copy_state(PyObject *op)
{
    hash_object *self = (hash_object *)op;
    PyMutex_Lock(&self->mutex);
    struct blake2_state state = self->state;
    PyMutex_Unlock(&self->mutex);
    return state;
}

static PyObject *hash_update(PyObject *op, PyObject *data)
{
    return feed((hash_object *)op, data) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *hash_copy(PyObject *op, PyObject *unused)
{
    hash_object *copy = new_object(Py_TYPE(op));
    if (copy != NULL)
        copy->state = copy_state(op);
    return (PyObject *)copy;
}

static PyObject *hash_digest(PyObject *op, PyObject *unused)
{
    unsigned char digest[BLAKE2_DIGEST_MAX];
    struct blake2_state state = copy_state(op);
    variant_of(Py_TYPE(op))->finish(&state, digest);
    return PyBytes_FromStringAndSize((char *)digest, (Py_ssize_t)state.digest_size);
}

static PyObject *hash_hexdigest(PyObject *op, PyObject *unused)
{
    PyObject *digest = hash_digest(op, NULL);
    PyObject *text = digest != NULL ? PyObject_CallMethod(digest, "hex", NULL) : NULL;
    Py_XDECREF(digest);
    return text;
}

static void hash_dealloc(PyObject *op)
{
    PyObject_Free(op);
}

static PyObject *get_name(PyObject *op, void *unused) { return PyUnicode_FromString(variant_of(Py_TYPE(op))->name); }

static PyObject *get_block_size(PyObject *op, void *unused)
{
    return PyLong_FromSize_t(variant_of(Py_TYPE(op))->block_size);
}

static PyObject *get_digest_size(PyObject *op, void *unused)
{
    return PyLong_FromSize_t(((hash_object *)op)->state.digest_size);       /* [const] */
}

static PyMethodDef hash_methods[] = {
    {"copy", hash_copy, METH_NOARGS, "copy($self, /)\n--\n\nA hash object that has been fed with the same data."},
    {"digest", hash_digest, METH_NOARGS, "digest($self, /)\n--\n\nThe hash of the data so far, as bytes."},
    {"hexdigest", hash_hexdigest, METH_NOARGS,
     "hexdigest($self, /)\n--\n\nThe hash of the data so far, in hexadecimal digits."},
    {"update", hash_update, METH_O, "update($self, data, /)\n--\n\nFeeds more data to the hash."},
    {NULL},
};

static PyGetSetDef hash_getset[] = {
    {"name", get_name, NULL, "The name of the algorithm.", NULL},
    {"block_size", get_block_size, NULL, "The size of the blocks that the algorithm works on, in bytes.", NULL},
    {"digest_size", get_digest_size, NULL, "The size of the hash in bytes.", NULL},
    {NULL},
};

#define TYPE(name_) \
    static PyTypeObject name_##_type = { \
        PyVarObject_HEAD_INIT(NULL, 0) \
        .tp_name = "_blake2." #name_, \
        .tp_basicsize = sizeof(hash_object), \
        .tp_dealloc = hash_dealloc, \
        .tp_flags = Py_TPFLAGS_DEFAULT, \
        .tp_doc = #name_ "(data=b'', /, *, digest_size=_blake2." #name_ ".MAX_DIGEST_SIZE,\n" \
                  "        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n" \
                  "        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n" \
                  "        usedforsecurity=True)\n--\n\nA new " #name_ " hash object.", \
        .tp_methods = hash_methods, \
        .tp_getset = hash_getset, \
        .tp_new = name_##_new, \
    };
TYPE(blake2b)
TYPE(blake2s)

/* ---- The module ---- */

/* Adds a limit to the type and, with the prefix, to the module. */
static int add_limit(PyObject *module, PyTypeObject *type, const char *prefix, const char *name, size_t limit)
{
    char full[64];
    PyOS_snprintf(full, sizeof full, "%s_%s", prefix, name);
    PyObject *value = PyLong_FromSize_t(limit);
    int rc = value == NULL || PyModule_AddObjectRef(module, full, value) < 0
                     || PyDict_SetItemString(type->tp_dict, name, value) < 0
                 ? -1
                 : 0;
    Py_XDECREF(value);
    return rc;
}

static int add_type(PyObject *module, PyTypeObject *type, const char *prefix)
{
    const struct blake2_variant *variant = variant_of(type);
    if (PyModule_AddType(module, type) < 0 || add_limit(module, type, prefix, "SALT_SIZE", variant->salt_size) < 0
        || add_limit(module, type, prefix, "PERSON_SIZE", variant->salt_size) < 0
        || add_limit(module, type, prefix, "MAX_KEY_SIZE", variant->key_max) < 0
        || add_limit(module, type, prefix, "MAX_DIGEST_SIZE", variant->digest_max) < 0)
        return -1;
    PyType_Modified(type);
    return 0;
}

static int blake2_exec(PyObject *module)
{
    return add_type(module, &blake2b_type, "BLAKE2B") < 0 ? -1 : add_type(module, &blake2s_type, "BLAKE2S");
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)blake2_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_blake2",
    .m_doc = "The hashes BLAKE2b and BLAKE2s: see the module hashlib.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__blake2(void)
{
    return PyModuleDef_Init(&definition);
}
