/* Rows whose columns have names. A row never changes. */
#include "sqlite_internal.h"

typedef struct {
    PyObject_HEAD
    PyObject *data; /* [const] tuple */
    PyObject *description;        /* [const] of the cursor: tuple of tuples, or None */
} row_t;

#define ROW(op) ((row_t *)(op))

static PyObject *row_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *cursor, *data;
    if (type == &row_type && kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Row() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "Row", 2, 2, &cursor, &data) ||
        !PyArg_ParseTuple(args, "O!O!:Row", &cursor_type, &cursor, &PyTuple_Type, &data))
        return NULL;
    PyObject *op = type->tp_alloc(type, 0);
    if (op == NULL)
        return NULL;
    ROW(op)->data = Py_NewRef(data);
    ROW(op)->description = field_get(cursor, &((cursor_t *)cursor)->description);
    return op;
}

/* How many columns have names. */
static Py_ssize_t count_names(row_t *self)
{
    return self->description != NULL && PyTuple_Check(self->description) ? PyTuple_GET_SIZE(self->description)
                                                                         : 0;
}

static PyObject *get_name(row_t *self, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(PyTuple_GET_ITEM(self->description, i), 0);
}

static unsigned fold(unsigned c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Are two names the same, if the case of ASCII letters does not count? 1, 0, or -1 with an exception. */
static int same_name(PyObject *a, PyObject *b)
{
    if (a == b)
        return 1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(a);
    if (n != PyUnicode_GET_LENGTH(b))
        return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (fold(PyUnicode_READ_CHAR(a, i)) != fold(PyUnicode_READ_CHAR(b, i)))
            return 0;
    return 1;
}

static PyObject *item_by_name(row_t *self, PyObject *name)
{
    Py_ssize_t n = Py_MIN(count_names(self), PyTuple_GET_SIZE(self->data));
    for (Py_ssize_t i = 0; i < n; i++)
        if (same_name(name, get_name(self, i)))
            return Py_NewRef(PyTuple_GET_ITEM(self->data, i));
    PyErr_SetString(PyExc_IndexError, "No item with that key");
    return NULL;
}

static PyObject *row_item(PyObject *op, Py_ssize_t i)
{
    PyObject *data = ROW(op)->data;
    if (i >= 0 && i < PyTuple_GET_SIZE(data))
        return Py_NewRef(PyTuple_GET_ITEM(data, i));
    PyErr_SetString(PyExc_IndexError, "tuple index out of range");
    return NULL;
}

static Py_ssize_t row_length(PyObject *op)
{
    return PyTuple_GET_SIZE(ROW(op)->data);
}

static PyObject *row_subscript(PyObject *op, PyObject *key)
{
    if (PyLong_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return row_item(op, i < 0 ? i + row_length(op) : i);
    }
    if (PyUnicode_Check(key))
        return item_by_name(ROW(op), key);
    if (PySlice_Check(key))
        return PyObject_GetItem(ROW(op)->data, key);
    PyErr_SetString(PyExc_IndexError, "Index must be int or string");
    return NULL;
}

static PyObject *row_keys(PyObject *op, PyObject *unused)
{
    Py_ssize_t n = count_names(ROW(op));
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++)
        PyList_SET_ITEM(list, i, Py_NewRef(get_name(ROW(op), i)));
    return list;
}

static PyObject *row_iter(PyObject *op)
{
    return PyObject_GetIter(ROW(op)->data);
}

static Py_hash_t row_hash(PyObject *op)
{
    Py_hash_t a = PyObject_Hash(ROW(op)->description), b = a != -1 ? PyObject_Hash(ROW(op)->data) : -1;
    if (a == -1 || b == -1)
        return -1;
    return (a ^ b) == -1 ? -2 : a ^ b;
}

static PyObject *row_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(b, &row_type))
        Py_RETURN_NOTIMPLEMENTED;
    int same = PyObject_RichCompareBool(ROW(a)->description, ROW(b)->description, Py_EQ);
    if (same < 0)
        return NULL;
    return same ? PyObject_RichCompare(ROW(a)->data, ROW(b)->data, op) : PyBool_FromLong(op == Py_NE);
}

static int row_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(ROW(op)->data);
    Py_VISIT(ROW(op)->description);
    return 0;
}

static int row_clear(PyObject *op)
{
    /* No cycle can consist of rows and tuples only, so that these fields stay [const]. */
    return 0;
}

static void row_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(ROW(op)->data);
    Py_XDECREF(ROW(op)->description);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef row_methods[] = {
    {"keys", row_keys, METH_NOARGS, "keys($self, /)\n--\n\nA list of the columns' names."},
    {NULL, NULL, 0, NULL},
};

static PyMappingMethods row_mapping = {.mp_length = row_length, .mp_subscript = row_subscript};
static PySequenceMethods row_sequence = {.sq_length = row_length, .sq_item = row_item};

PyTypeObject row_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.Row",
    .tp_basicsize = sizeof(row_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A row whose columns have names.",
    .tp_as_mapping = &row_mapping,
    .tp_as_sequence = &row_sequence,
    .tp_methods = row_methods,
    .tp_hash = row_hash,
    .tp_richcompare = row_richcompare,
    .tp_iter = row_iter,
    .tp_new = row_new,
    .tp_traverse = row_traverse,
    .tp_clear = row_clear,
    .tp_dealloc = row_dealloc,
};
