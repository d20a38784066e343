/* _tuplegetter: the descriptor of a field of a named tuple. */
#include "collections.h"

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;       /* [const] */
    PyObject *doc;          /* [lock] */
} TupleGetterObject;

static PyObject *tuplegetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t index;
    PyObject *doc;
    if (!_PyArg_NoKeywords("_tuplegetter", kwargs) || !PyArg_ParseTuple(args, "nO:_tuplegetter", &index, &doc))
        return NULL;
    TupleGetterObject *t = (TupleGetterObject *)type->tp_alloc(type, 0);
    if (t == NULL)
        return NULL;
    t->index = index;
    t->doc = Py_NewRef(doc);
    return (PyObject *)t;
}

static PyObject *tuplegetter_get(PyObject *op, PyObject *obj, PyObject *type)
{
    Py_ssize_t i = ((TupleGetterObject *)op)->index;
    if (obj == NULL)
        return Py_NewRef(op);
    if (!PyTuple_Check(obj)) {
        if (obj == Py_None)
            return Py_NewRef(op);
        PyErr_Format(PyExc_TypeError, "descriptor for index '%zd' for tuple subclasses doesn't apply to '%s' object", i,
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    if (i < 0 || i >= PyTuple_GET_SIZE(obj)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(obj, i));
}

static int tuplegetter_set(PyObject *op, PyObject *obj, PyObject *value)
{
    PyErr_SetString(PyExc_AttributeError, value == NULL ? "can't delete attribute" : "can't set attribute");
    return -1;
}

static PyObject *get_doc(PyObject *op, void *closure)
{
    PyObject *doc;
    Py_BEGIN_CRITICAL_SECTION(op);
    doc = Py_XNewRef(((TupleGetterObject *)op)->doc);
    Py_END_CRITICAL_SECTION();
    return doc == NULL ? Py_NewRef(Py_None) : doc;
}

static int set_doc(PyObject *op, PyObject *value, void *closure)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = ((TupleGetterObject *)op)->doc;
    ((TupleGetterObject *)op)->doc = Py_XNewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyObject *tuplegetter_reduce(PyObject *op, PyObject *unused)
{
    return Py_BuildValue("O(nN)", Py_TYPE(op), ((TupleGetterObject *)op)->index, get_doc(op, NULL));
}

static PyObject *tuplegetter_repr(PyObject *op)
{
    PyObject *doc = get_doc(op, NULL);
    const char *dot = strrchr(Py_TYPE(op)->tp_name, '.');
    PyObject *result = PyUnicode_FromFormat("%s(%zd, %R)", dot == NULL ? Py_TYPE(op)->tp_name : dot + 1,
                                            ((TupleGetterObject *)op)->index, doc);
    Py_DECREF(doc);
    return result;
}

static void tuplegetter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((TupleGetterObject *)op)->doc);
    Py_TYPE(op)->tp_free(op);
}

static int tuplegetter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((TupleGetterObject *)op)->doc);
    return 0;
}

static int tuplegetter_clear(PyObject *op)
{
    Py_CLEAR(((TupleGetterObject *)op)->doc);
    return 0;
}

static PyMethodDef tuplegetter_methods[] = {
    {"__reduce__", tuplegetter_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef tuplegetter_getset[] = {
    {"__doc__", get_doc, set_doc, NULL, NULL},
    {NULL},
};

PyTypeObject tuplegetter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_collections._tuplegetter",
    .tp_basicsize = sizeof(TupleGetterObject),
    .tp_dealloc = tuplegetter_dealloc,
    .tp_repr = tuplegetter_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = tuplegetter_traverse,
    .tp_clear = tuplegetter_clear,
    .tp_methods = tuplegetter_methods,
    .tp_getset = tuplegetter_getset,
    .tp_descr_get = tuplegetter_get,
    .tp_descr_set = tuplegetter_set,
    .tp_new = tuplegetter_new,
    .tp_free = PyObject_GC_Del,
};
