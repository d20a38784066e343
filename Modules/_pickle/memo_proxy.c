/* What the attribute `memo` of picklers and unpicklers gives: an object that stands for the memo and can be copied, cleared, and
 * assigned to the memo of another one. It holds its owner until it dies (without tp_clear: the owner breaks a cycle), and has
 * nothing of its own to lock. */
#include "pickle_internal.h"

typedef struct {
    PyObject_HEAD
    PyObject *owner;                    /* [const] counted */
    const memo_proxy_kind *kind;        /* [const] */
} proxy_t;

static PyObject *proxy_clear_memo(PyObject *op, PyObject *unused)
{
    proxy_t *self = (proxy_t *)op;
    return self->kind->clear(self->owner);
}

static PyObject *proxy_copy(PyObject *op, PyObject *unused)
{
    proxy_t *self = (proxy_t *)op;
    return self->kind->copy(self->owner);
}

static PyObject *proxy_reduce(PyObject *op, PyObject *unused)
{
    PyObject *contents = proxy_copy(op, NULL);
    return contents == NULL ? NULL : Py_BuildValue("(O(N))", &PyDict_Type, contents);
}

static int proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((proxy_t *)op)->owner);
    return 0;
}

static void proxy_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((proxy_t *)op)->owner);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef proxy_methods[] = {
    {"clear", proxy_clear_memo, METH_NOARGS, "clear($self, /)\n--\n\nRemoves all entries."},
    {"copy", proxy_copy, METH_NOARGS, "copy($self, /)\n--\n\nThe memo as a dict."},
    {"__reduce__", proxy_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nPickled as a dict."},
    {NULL, NULL, 0, NULL},
};

#define PROXY_TYPE(name) { \
        PyVarObject_HEAD_INIT(NULL, 0) \
        .tp_name = (name), \
        .tp_basicsize = sizeof(proxy_t), \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, \
        .tp_hash = PyObject_HashNotImplemented, \
        .tp_methods = proxy_methods, \
        .tp_traverse = proxy_traverse, \
        .tp_dealloc = proxy_dealloc, \
    }
PyTypeObject pickler_memo_type = PROXY_TYPE("_pickle.PicklerMemoProxy");
PyTypeObject unpickler_memo_type = PROXY_TYPE("_pickle.UnpicklerMemoProxy");

PyObject *memo_proxy_new(PyTypeObject *type, const memo_proxy_kind *kind, PyObject *owner)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL) {
        ((proxy_t *)op)->owner = Py_NewRef(owner);
        ((proxy_t *)op)->kind = kind;
    }
    return op;
}

PyObject *memo_proxy_contents(PyTypeObject *type, PyObject *value)
{
    if (value == NULL)
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
    else if (Py_TYPE(value) == type)
        return proxy_copy(value, NULL);
    else if (PyDict_Check(value))
        return PyDict_Copy(value);
    else {
        const char *name = strchr(type->tp_name, '.') + 1;
        PyErr_Format(PyExc_TypeError, "'memo' attribute must be %s %s object or dict, not %.200s", *name == 'U' ? "an" : "a", name,
                     Py_TYPE(value)->tp_name);
    }
    return NULL;
}

int memo_proxy_init(void)
{
    return PyType_Ready(&pickler_memo_type) < 0 || PyType_Ready(&unpickler_memo_type) < 0 ? -1 : 0;
}
