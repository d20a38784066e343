/* The type defaultdict. */
#include "collections.h"

typedef struct {
    PyDictObject dict;
    PyObject *default_factory;      /* [lock] or NULL */
} DefaultDictObject;

/* A new reference; Py_None if there is none. */
static PyObject *get_factory(PyObject *op)
{
    PyObject *factory;
    Py_BEGIN_CRITICAL_SECTION(op);
    factory = Py_XNewRef(((DefaultDictObject *)op)->default_factory);
    Py_END_CRITICAL_SECTION();
    return factory == NULL ? Py_NewRef(Py_None) : factory;
}

/* Takes over value, which may be NULL. */
static void set_factory(PyObject *op, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = ((DefaultDictObject *)op)->default_factory;
    ((DefaultDictObject *)op)->default_factory = value;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

/* Unless a subclass has a __setitem__ of its own, threads that miss the same key at once all get the one value that is
 * stored. */
static PyObject *defaultdict_missing(PyObject *op, PyObject *key)
{
    PyObject *factory = get_factory(op), *value, *stored = NULL;
    if (factory == Py_None) {
        Py_DECREF(factory);
        PyObject *args = PyTuple_Pack(1, key);
        if (args != NULL) {
            PyErr_SetObject(PyExc_KeyError, args);
            Py_DECREF(args);
        }
        return NULL;
    }
    value = PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    if (value == NULL)
        return NULL;
    if (Py_TYPE(op)->tp_as_mapping->mp_ass_subscript == PyDict_Type.tp_as_mapping->mp_ass_subscript) {
        if (PyDict_SetDefaultRef(op, key, value, &stored) < 0)
            stored = NULL;
        Py_DECREF(value);
        return stored;
    }
    if (PyObject_SetItem(op, key, value) < 0) {
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

/* type(op)(factory of op, contents) */
static PyObject *like(PyObject *op, PyObject *contents)
{
    PyObject *factory = get_factory(op);
    PyObject *result = PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(op), factory, contents, NULL);
    Py_DECREF(factory);
    return result;
}

static PyObject *defaultdict_copy(PyObject *op, PyObject *unused)
{
    return like(op, op);
}

static PyObject *defaultdict_reduce(PyObject *op, PyObject *unused)
{
    PyObject *factory = get_factory(op), *args, *items, *iter;
    args = factory == Py_None ? PyTuple_New(0) : PyTuple_Pack(1, factory);
    Py_DECREF(factory);
    if (args == NULL)
        return NULL;
    items = PyObject_CallMethod(op, "items", NULL);
    iter = items == NULL ? NULL : PyObject_GetIter(items);
    Py_XDECREF(items);
    if (iter == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    return Py_BuildValue("ONOON", Py_TYPE(op), args, Py_None, Py_None, iter);
}

static PyObject *defaultdict_or(PyObject *a, PyObject *b)
{
    PyObject *self = PyObject_TypeCheck(a, &defaultdict_type) ? a : b, *other = self == a ? b : a;
    if (!PyDict_Check(other))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = like(self, a);
    if (result != NULL && PyDict_Update(result, b) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *factory_repr(PyObject *factory)
{
    if (factory == Py_None)
        return PyUnicode_FromString("None");
    int entered = Py_ReprEnter(factory);
    if (entered != 0)
        return entered < 0 ? NULL : PyUnicode_FromString("...");
    PyObject *text = PyObject_Repr(factory);
    Py_ReprLeave(factory);
    return text;
}

static PyObject *defaultdict_repr(PyObject *op)
{
    PyObject *contents = PyDict_Type.tp_repr(op), *factory, *text, *result = NULL;
    if (contents == NULL)
        return NULL;
    factory = get_factory(op);
    text = factory_repr(factory);
    Py_DECREF(factory);
    const char *dot = strrchr(Py_TYPE(op)->tp_name, '.');
    if (text != NULL)
        result = PyUnicode_FromFormat("%s(%U, %U)", dot == NULL ? Py_TYPE(op)->tp_name : dot + 1, text, contents);
    Py_DECREF(contents);
    Py_XDECREF(text);
    return result;
}

static int defaultdict_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *factory = NULL, *rest;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 0) {
        factory = PyTuple_GET_ITEM(args, 0);
        if (factory != Py_None && !PyCallable_Check(factory)) {
            PyErr_SetString(PyExc_TypeError, "first argument must be callable or None");
            return -1;
        }
    }
    rest = PyTuple_GetSlice(args, n > 0 ? 1 : 0, n);
    if (rest == NULL)
        return -1;
    set_factory(op, factory == Py_None ? NULL : Py_XNewRef(factory));
    int result = PyDict_Type.tp_init(op, rest, kwargs);
    Py_DECREF(rest);
    return result;
}

static PyObject *factory_getter(PyObject *op, void *closure)
{
    return get_factory(op);
}

static int factory_setter(PyObject *op, PyObject *value, void *closure)
{
    set_factory(op, value == Py_None ? NULL : Py_XNewRef(value));
    return 0;
}

static void defaultdict_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((DefaultDictObject *)op)->default_factory);
    PyDict_Type.tp_dealloc(op);
}

static int defaultdict_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((DefaultDictObject *)op)->default_factory);
    return PyDict_Type.tp_traverse(op, visit, arg);
}

static int defaultdict_clear(PyObject *op)
{
    Py_CLEAR(((DefaultDictObject *)op)->default_factory);
    return PyDict_Type.tp_clear(op);
}

static PyMethodDef defaultdict_methods[] = {
    {"__missing__", defaultdict_missing, METH_O,
     "__missing__(key) # called by __getitem__ for a missing key:\n"
     "without a default_factory it raises KeyError(key); else it stores the factory's value and returns it."},
    {"copy", defaultdict_copy, METH_NOARGS, "D.copy() -> a shallow copy of D."},
    {"__copy__", defaultdict_copy, METH_NOARGS, "D.copy() -> a shallow copy of D."},
    {"__reduce__", defaultdict_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyGetSetDef defaultdict_getset[] = {
    {"default_factory", factory_getter, factory_setter, "Factory for default value called by __missing__().", NULL},
    {NULL},
};

static PyNumberMethods defaultdict_as_number = {.nb_or = defaultdict_or};

PyTypeObject defaultdict_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "collections.defaultdict",
    .tp_basicsize = sizeof(DefaultDictObject),
    .tp_dealloc = defaultdict_dealloc,
    .tp_repr = defaultdict_repr,
    .tp_as_number = &defaultdict_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n"
              "A dict in which looking up a missing key calls the factory for a value and stores it.\n"
              "All other arguments are those of dict.",
    .tp_traverse = defaultdict_traverse,
    .tp_clear = defaultdict_clear,
    .tp_methods = defaultdict_methods,
    .tp_getset = defaultdict_getset,
    .tp_init = defaultdict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};
