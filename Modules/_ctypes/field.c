/* Fields: the descriptors by which attributes of a structure or union reach its memory. They never change. */
#include "ctypes.h"

#define FIELD(op) ((ctypes_field *)(op))

PyObject *ctypes_field_new(PyTypeObject *owner, PyTypeObject *type, Py_ssize_t offset, Py_ssize_t index,
                           const ctypes_access *access)
{
    ctypes_field *self = PyObject_GC_New(ctypes_field, &ctypes_field_type);
    if (self == NULL)
        return NULL;
    self->owner = (PyTypeObject *)Py_NewRef(owner);
    self->type = (PyTypeObject *)Py_NewRef(type);
    self->offset = offset;
    self->index = index;
    self->access = self->read_access = *access;
    const ctypes_info *info = ctypes_info_find(type);
    if (access->code == NULL && info->direct)
        self->read_access = info->access;
    self->anonymous = false;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int field_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)FIELD(op)->owner);
    Py_VISIT((PyObject *)FIELD(op)->type);
    return 0;
}

static void field_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(FIELD(op)->owner);
    Py_DECREF(FIELD(op)->type);
    PyObject_GC_Del(op);
}

/* The memory of the field in an object: NULL with an exception. */
static char *address_in(ctypes_field *self, PyObject *owner)
{
    if (PyObject_TypeCheck(owner, self->owner))
        return ctypes_address(owner) + self->offset;
    if (!ctypes_is_data(owner))
        PyErr_SetString(PyExc_TypeError, "not a ctype instance");
    else
        PyErr_Format(PyExc_TypeError, "'%.200s' objects do not have this field of '%.200s'", Py_TYPE(owner)->tp_name,
                     self->owner->tp_name);
    return NULL;
}

static PyObject *field_get(PyObject *op, PyObject *owner, PyObject *type)
{
    ctypes_field *self = FIELD(op);
    if (owner == NULL)
        return Py_NewRef(op);
    char *address = address_in(self, owner);
    return address != NULL ? ctypes_get(self->type, &self->read_access, owner, self->index, address) : NULL;
}

static int field_set(PyObject *op, PyObject *owner, PyObject *value)
{
    ctypes_field *self = FIELD(op);
    char *address = address_in(self, owner);
    if (address == NULL)
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    return ctypes_set(self->type, &self->access, owner, value, self->index, address);
}

static PyObject *field_repr(PyObject *op)
{
    ctypes_field *self = FIELD(op);
    const char *name = self->type->tp_name;
    if (self->access.bit_count != 0)
        return PyUnicode_FromFormat("<Field type=%s, ofs=%zd:%d, bits=%d>", name, self->offset,
                                    (int)self->access.bit_start, (int)self->access.bit_count);
    return PyUnicode_FromFormat("<Field type=%s, ofs=%zd, size=%zd>", name, self->offset, self->access.size);
}

static PyObject *get_offset(PyObject *op, void *unused) { return PyLong_FromSsize_t(FIELD(op)->offset); }

static PyObject *get_size(PyObject *op, void *unused)
{
    const ctypes_access *access = &FIELD(op)->access;
    if (access->bit_count != 0)
        return PyLong_FromLong((long)access->bit_count << 16 | access->bit_start);
    return PyLong_FromSsize_t(access->size);
}

static PyGetSetDef field_getset[] = {
    {"offset", get_offset, NULL, "Where it lies, in bytes.", NULL},
    {"size", get_size, NULL, "How many bytes it has; of a bit field: bits << 16 | first bit.", NULL},
    {NULL},
};

PyTypeObject ctypes_field_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.CField",
    .tp_basicsize = sizeof(ctypes_field),
    .tp_dealloc = field_dealloc,
    .tp_repr = field_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A member of a structure or union.",
    .tp_traverse = field_traverse,
    .tp_getset = field_getset,
    .tp_descr_get = field_get,
    .tp_descr_set = field_set,
};
