/* mappingproxy: a read-only view of a mapping. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    PyObject *mapping;          /* [const] */
} proxy_object;

#define MAPPING(op) (((proxy_object *)(op))->mapping)

PyObject *dict_behind_proxies_borrowed(PyObject *op)
{
    while (value_is_heap(op) && heap_is_type(op, &PyDictProxy_Type))
        op = MAPPING(op);
    return op;
}

/* Behind all proxies of proxies. */
static PyObject *innermost(PyObject *op)
{
    do
        op = MAPPING(op);
    while (Py_IS_TYPE(op, &PyDictProxy_Type));
    return op;
}

PyObject *PyDictProxy_New(PyObject *mapping)
{
    if (!PyMapping_Check(mapping) || PyList_Check(mapping) || PyTuple_Check(mapping)) {
        PyErr_Format(PyExc_TypeError, "mappingproxy() argument must be a mapping, not %s", Py_TYPE(mapping)->tp_name);
        return NULL;
    }
    proxy_object *proxy = (proxy_object *)object_new_gc(&PyDictProxy_Type, sizeof(*proxy));
    if (proxy == NULL)
        return NULL;
    proxy->mapping = Py_NewRef(mapping);
    object_track((PyObject *)proxy);
    return (PyObject *)proxy;
}

static PyObject *proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"mapping", NULL};
    PyObject *mapping;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O:mappingproxy", names, &mapping))
        return NULL;
    return PyDictProxy_New(mapping);
}

static void proxy_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_DECREF(MAPPING(op));
    object_free_gc(op);
}

static int proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(MAPPING(op));
    return 0;
}

static Py_ssize_t proxy_len(PyObject *op) { return PyObject_Size(innermost(op)); }
static PyObject *proxy_getitem(PyObject *op, PyObject *key) { return PyObject_GetItem(innermost(op), key); }
static int proxy_contains(PyObject *op, PyObject *key)
{
    PyObject *mapping = innermost(op);
    return PyDict_CheckExact(mapping) ? PyDict_Contains(mapping, key) : PySequence_Contains(mapping, key);
}
static PyObject *proxy_iter(PyObject *op) { return PyObject_GetIter(innermost(op)); }
static PyObject *proxy_str(PyObject *op) { return PyObject_Str(innermost(op)); }
static PyObject *proxy_repr(PyObject *op) { return PyUnicode_FromFormat("mappingproxy(%R)", MAPPING(op)); }

/* What stands for the mapping behind op before `other`, whose methods may be in Python, and keep or change what they get: of a dict a copy. */
static PyObject *shown_to(PyObject *op, PyObject *other)
{
    PyObject *mapping = innermost(op);
    return PyDict_CheckExact(mapping) && !PyDict_CheckExact(other) ? PyDict_Copy(mapping) : Py_NewRef(mapping);
}

static PyObject *proxy_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *mapping = shown_to(a, b);
    PyObject *result = mapping != NULL ? PyObject_RichCompare(mapping, b, op) : NULL;
    Py_XDECREF(mapping);
    return result;
}

static PyObject *proxy_or(PyObject *a, PyObject *b)
{
    PyObject *left = Py_IS_TYPE(a, &PyDictProxy_Type) ? shown_to(a, b) : Py_NewRef(a);
    PyObject *right = Py_IS_TYPE(b, &PyDictProxy_Type) ? shown_to(b, a) : Py_NewRef(b);
    PyObject *result = left != NULL && right != NULL ? PyNumber_Or(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *proxy_ior(PyObject *a, PyObject *b)
{
    PyErr_Format(PyExc_TypeError, "'|=' is not supported by %s; use '|' instead", Py_TYPE(a)->tp_name);
    return NULL;
}

static PyObject *proxy_get(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "get expected at %s %d argument%s, got %zd", nargs < 1 ? "least" : "most",
                     nargs < 1 ? 1 : 2, nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    return PyObject_CallMethodObjArgs(innermost(op), STR(get), args[0], nargs == 2 ? args[1] : Py_None, NULL);
}
static PyObject *proxy_keys(PyObject *op, PyObject *unused) { return PyObject_CallMethodNoArgs(innermost(op), STR(keys)); }
static PyObject *proxy_values(PyObject *op, PyObject *unused) { return PyObject_CallMethodNoArgs(innermost(op), STR(values)); }
static PyObject *proxy_items(PyObject *op, PyObject *unused) { return PyObject_CallMethodNoArgs(innermost(op), STR(items)); }
static PyObject *proxy_copy(PyObject *op, PyObject *unused) { return PyObject_CallMethodNoArgs(innermost(op), STR(copy)); }
static PyObject *proxy_reversed(PyObject *op, PyObject *unused)
{
    return PyObject_CallMethodNoArgs(innermost(op), STR(__reversed__));
}

static PyMethodDef proxy_methods[] = {
    {"get", _PyCFunction_CAST(proxy_get), METH_FASTCALL, "get($self, key, default=None, /)\n--\n\nThe value of key, or default."},
    {"keys", proxy_keys, METH_NOARGS, "A view of the keys."},
    {"values", proxy_values, METH_NOARGS, "A view of the values."},
    {"items", proxy_items, METH_NOARGS, "A view of the pairs."},
    {"copy", proxy_copy, METH_NOARGS, "A shallow copy of the mapping."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {"__reversed__", proxy_reversed, METH_NOARGS, "reversed(self)"},
    {NULL, NULL, 0, NULL}
};

static PyNumberMethods proxy_as_number = {.nb_or = proxy_or, .nb_inplace_or = proxy_ior};
static PySequenceMethods proxy_as_sequence = {.sq_contains = proxy_contains};
static PyMappingMethods proxy_as_mapping = {.mp_length = proxy_len, .mp_subscript = proxy_getitem};

PyTypeObject PyDictProxy_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "mappingproxy",
    .tp_basicsize = sizeof(proxy_object),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_as_number,
    .tp_as_sequence = &proxy_as_sequence,
    .tp_as_mapping = &proxy_as_mapping,
    .tp_str = proxy_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_doc = "mappingproxy(mapping)\n--\n\nA read-only view of a mapping.",
    .tp_traverse = proxy_traverse,
    .tp_richcompare = proxy_richcompare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_new = proxy_new,
};
