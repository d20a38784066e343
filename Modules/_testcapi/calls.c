/* _testcapi: calling conventions and vectorcall. */
#include "testcapi.h"
#include <stddef.h>
#include <string.h>

/* ---- One function per calling convention: each returns what it was given ---- */

/* What stands for self in a result: None where a static method has none. */
static PyObject *self_or_none(PyObject *self)
{
    return self != NULL ? self : Py_None;
}

static PyObject *tuple_from(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *meth_varargs(PyObject *self, PyObject *args)
{
    return Py_BuildValue("OO", self_or_none(self), args);
}

static PyObject *meth_varargs_keywords(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return Py_BuildValue("OOO", self_or_none(self), args, kwargs != NULL ? kwargs : Py_None);
}

static PyObject *meth_o(PyObject *self, PyObject *arg)
{
    return Py_BuildValue("OO", self_or_none(self), arg);
}

static PyObject *meth_noargs(PyObject *self, PyObject *unused)
{
    return Py_NewRef(self_or_none(self));
}

static PyObject *meth_fastcall(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return Py_BuildValue("ON", self_or_none(self), tuple_from(args, count));
}

static PyObject *meth_fastcall_keywords(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *positional = NULL, *keywords = NULL, *result = NULL;
    positional = tuple_from(args, count);
    if (positional == NULL)
        goto done;
    keywords = PyDict_New();
    if (keywords == NULL)
        goto done;
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
            goto done;
    }
    result = PyTuple_Pack(3, self_or_none(self), positional, keywords);
done:
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

#define CONVENTIONS(flag) \
    {"meth_varargs", meth_varargs, METH_VARARGS | (flag), NULL}, \
    MODULE_METHOD("meth_varargs_keywords", meth_varargs_keywords, METH_VARARGS | METH_KEYWORDS | (flag), NULL), \
    {"meth_o", meth_o, METH_O | (flag), NULL}, \
    {"meth_noargs", meth_noargs, METH_NOARGS | (flag), NULL}, \
    MODULE_METHOD("meth_fastcall", meth_fastcall, METH_FASTCALL | (flag), NULL), \
    MODULE_METHOD("meth_fastcall_keywords", meth_fastcall_keywords, METH_FASTCALL | METH_KEYWORDS | (flag), NULL), \
    {NULL}

static PyMethodDef module_conventions[] = {CONVENTIONS(0)};
static PyMethodDef class_conventions[] = {CONVENTIONS(METH_CLASS)};
static PyMethodDef static_conventions[] = {CONVENTIONS(METH_STATIC)};

static PyTypeObject meth_instance_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethInstance",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = module_conventions,
    .tp_doc = "Methods of instances in all calling conventions.",
};

static PyTypeObject meth_class_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethClass",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = class_conventions,
    .tp_doc = "Class methods in all calling conventions.",
};

static PyTypeObject meth_static_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethStatic",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = static_conventions,
    .tp_doc = "Static methods in all calling conventions.",
};

/* ---- Types with a vectorcall function, that bind like functions ---- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
} method_descriptor_t;

/* Were any arguments passed, and is the callable of the base type's own layout? */
static PyObject *base_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_RETURN_TRUE;
}

static PyObject *other_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_RETURN_FALSE;
}

static PyObject *base_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    method_descriptor_t *self = (method_descriptor_t *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->vectorcall = base_vectorcall;
    return (PyObject *)self;
}

static PyObject *bind(PyObject *func, PyObject *obj, PyObject *type)
{
    return obj == NULL || obj == Py_None ? Py_NewRef(func) : PyMethod_New(func, obj);
}

static PyObject *return_args(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return Py_NewRef(args);
}

static PyTypeObject descriptor_base_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethodDescriptorBase",
    .tp_basicsize = sizeof(method_descriptor_t),
    .tp_new = base_new,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(method_descriptor_t, vectorcall),
    .tp_descr_get = bind,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_HAVE_VECTORCALL,
};

static PyTypeObject descriptor_derived_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethodDescriptorDerived",
    .tp_basicsize = sizeof(method_descriptor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

static PyTypeObject descriptor_nop_get_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethodDescriptorNopGet",
    .tp_basicsize = sizeof(method_descriptor_t),
    .tp_call = return_args,
    .tp_descr_get = bind,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

typedef struct {
    method_descriptor_t base;
    vectorcallfunc vectorcall;
} method_descriptor2_t;

static PyObject *descriptor2_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    method_descriptor2_t *self = (method_descriptor2_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->base.vectorcall = base_vectorcall;
    self->vectorcall = other_vectorcall;
    return (PyObject *)self;
}

static PyTypeObject descriptor2_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.MethodDescriptor2",
    .tp_basicsize = sizeof(method_descriptor2_t),
    .tp_new = descriptor2_new,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(method_descriptor2_t, vectorcall),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
};

/* ---- Calls from C ---- */

/* The items of a tuple, or none for None. 0, or -1 with an exception set. */
static int items_of(PyObject *tuple, PyObject *const **items, Py_ssize_t *count)
{
    *items = NULL;
    *count = 0;
    if (tuple == Py_None)
        return 0;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "args must be None or a tuple");
        return -1;
    }
    *items = &PyTuple_GET_ITEM(tuple, 0);
    *count = PyTuple_GET_SIZE(tuple);
    return 0;
}

static PyObject *testcapi_fastcall(PyObject *module, PyObject *args)
{
    PyObject *callable, *tuple, *const *items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OO", &callable, &tuple) || items_of(tuple, &items, &count) < 0)
        return NULL;
    return PyObject_Vectorcall(callable, items, count, NULL);
}

static PyObject *testcapi_fastcalldict(PyObject *module, PyObject *args)
{
    PyObject *callable, *tuple, *keywords, *const *items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &tuple, &keywords) || items_of(tuple, &items, &count) < 0)
        return NULL;
    if (keywords == Py_None) {
        keywords = NULL;
    } else if (!PyDict_Check(keywords)) {
        PyErr_SetString(PyExc_TypeError, "kwargs must be None or a dict");
        return NULL;
    }
    return PyObject_VectorcallDict(callable, items, count, keywords);
}

/* The last len(names) items of the tuple are the values of the keywords. */
static PyObject *testcapi_vectorcall(PyObject *module, PyObject *args)
{
    PyObject *callable, *tuple, *names, *const *items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &tuple, &names) || items_of(tuple, &items, &count) < 0)
        return NULL;
    if (names == Py_None) {
        names = NULL;
    } else if (!PyTuple_Check(names)) {
        PyErr_SetString(PyExc_TypeError, "kwnames must be None or a tuple");
        return NULL;
    } else {
        if (count < PyTuple_GET_SIZE(names)) {
            PyErr_SetString(PyExc_ValueError, "kwnames longer than args");
            return NULL;
        }
        count -= PyTuple_GET_SIZE(names);
    }
    return PyObject_Vectorcall(callable, items, count, names);
}

static PyObject *testcapi_pyvectorcall_call(PyObject *module, PyObject *args)
{
    PyObject *callable, *tuple, *keywords = NULL;
    if (!PyArg_ParseTuple(args, "OO!|O!", &callable, &PyTuple_Type, &tuple, &PyDict_Type, &keywords))
        return NULL;
    return PyVectorcall_Call(callable, tuple, keywords);
}

static PyObject *created_function(PyObject *self, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyMethodDef created_definition = {"create_cfunction", created_function, METH_NOARGS, NULL};

static PyObject *testcapi_create_cfunction(PyObject *module, PyObject *unused)
{
    return PyCFunction_NewEx(&created_definition, module, NULL);
}

/* A __get__ that calls the class while the descriptor may vanish from it. */
static PyObject *testcapi_bad_get(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_Format(PyExc_TypeError, "bad_get requires exactly 3 arguments, got %zd", count);
        return NULL;
    }
    PyObject *instance = PyObject_CallNoArgs(args[2]);
    if (instance == NULL)
        return NULL;
    Py_DECREF(instance);
    return PyObject_Repr(args[0]);
}

static PyMethodDef calls_methods[] = {
    {"pyobject_fastcall", testcapi_fastcall, METH_VARARGS, NULL},
    {"pyobject_fastcalldict", testcapi_fastcalldict, METH_VARARGS, NULL},
    {"pyobject_vectorcall", testcapi_vectorcall, METH_VARARGS, NULL},
    {"pyvectorcall_call", testcapi_pyvectorcall_call, METH_VARARGS, NULL},
    {"create_cfunction", testcapi_create_cfunction, METH_NOARGS, NULL},
    MODULE_METHOD("bad_get", testcapi_bad_get, METH_FASTCALL, NULL),
    {NULL},
};

int testcapi_add_calls(PyObject *module)
{
    descriptor_derived_type.tp_base = &descriptor_base_type;
    descriptor_nop_get_type.tp_base = &descriptor_base_type;
    descriptor2_type.tp_base = &descriptor_base_type;
    PyTypeObject *const types[] = {&meth_instance_type, &meth_class_type, &meth_static_type, &descriptor_base_type,
                                   &descriptor_derived_type, &descriptor_nop_get_type, &descriptor2_type};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    }
    if (PyModule_AddFunctions(module, module_conventions) < 0)
        return -1;
    return PyModule_AddFunctions(module, calls_methods);
}
