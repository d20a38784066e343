/* _testcapi: types written in C, and what belongs to types and code. */
#include "testcapi.h"
#include "structmember.h"
#include <stddef.h>

static PyObject *testcapi_type_get_version(PyObject *module, PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a type");
        return NULL;
    }
    return PyLong_FromUnsignedLong(((PyTypeObject *)type)->tp_version_tag);
}

static PyObject *testcapi_code_newempty(PyObject *module, PyObject *args)
{
    const char *file, *function;
    int line;
    if (!PyArg_ParseTuple(args, "ssi:code_newempty", &file, &function, &line))
        return NULL;
    return (PyObject *)PyCode_NewEmpty(file, function, line);
}

/* ---- Types that hold one object: set at creation, constant after that ---- */

typedef struct {
    PyObject_HEAD
    PyObject *held;
} holder_t;

static PyObject *holder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *held;
    if (!PyArg_UnpackTuple(args, type->tp_name, 1, 1, &held))
        return NULL;
    holder_t *self = (holder_t *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->held = Py_NewRef(held);
    return (PyObject *)self;
}

static int holder_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((holder_t *)op)->held);
    return 0;
}

static int holder_clear(PyObject *op)
{
    Py_CLEAR(((holder_t *)op)->held);
    return 0;
}

static void holder_dealloc(PyObject *op)
{
    if (PyObject_IS_GC(op))
        PyObject_GC_UnTrack(op);
    holder_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *holder_get(PyObject *op)
{
    return Py_NewRef(((holder_t *)op)->held);
}

static PyAsyncMethods await_async = {.am_await = holder_get};

static PyTypeObject await_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.awaitType",
    .tp_basicsize = sizeof(holder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "awaitType(iterator): awaiting it iterates over that.",
    .tp_as_async = &await_async,
    .tp_new = holder_new,
    .tp_traverse = holder_traverse,
    .tp_clear = holder_clear,
    .tp_dealloc = holder_dealloc,
};

static PyObject *alias_mro_entries(PyObject *self, PyObject *bases)
{
    return PyTuple_Pack(1, ((holder_t *)self)->held);
}

static PyMethodDef alias_methods[] = {
    {"__mro_entries__", alias_mro_entries, METH_O, NULL},
    {NULL},
};

static PyTypeObject alias_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.GenericAlias",
    .tp_basicsize = sizeof(holder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "GenericAlias(base): stands for base among the bases of a class.",
    .tp_methods = alias_methods,
    .tp_new = holder_new,
    .tp_traverse = holder_traverse,
    .tp_clear = holder_clear,
    .tp_dealloc = holder_dealloc,
};

static PyObject *generic_class_getitem(PyObject *type, PyObject *item)
{
    return PyObject_CallOneArg((PyObject *)&alias_type, item);
}

static PyMethodDef generic_methods[] = {
    {"__class_getitem__", generic_class_getitem, METH_O | METH_CLASS, NULL},
    {NULL},
};

static PyTypeObject generic_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.Generic",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Subscripts with a GenericAlias.",
    .tp_methods = generic_methods,
    .tp_new = PyType_GenericNew,
};

static PyTypeObject container_no_gc_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.ContainerNoGC",
    .tp_basicsize = sizeof(holder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "ContainerNoGC(value): a container that the collector does not know.",
    .tp_new = holder_new,
    .tp_dealloc = holder_dealloc,
    .tp_members = (PyMemberDef[]){
        {"value", T_OBJECT, offsetof(holder_t, held), READONLY, NULL},
        {NULL},
    },
};

static PyMethodDef types_methods[] = {
    {"type_get_version", testcapi_type_get_version, METH_O, NULL},
    {"code_newempty", testcapi_code_newempty, METH_VARARGS, NULL},
    {NULL},
};

int testcapi_add_types(PyObject *module)
{
    PyTypeObject *const types[] = {&await_type, &alias_type, &generic_type, &container_no_gc_type};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    }
    return PyModule_AddFunctions(module, types_methods);
}
