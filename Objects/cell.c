/* Cells: variables shared between nested functions. */
#include "Python.h"

#include "memory.h"
#include "object_gc_inline.h"

PyObject *PyCell_New(PyObject *value)
{
    PyCellObject *cell = PyObject_GC_New(PyCellObject, &PyCell_Type);
    if (cell == NULL)
        return NULL;
    if (value != NULL) {
        Py_INCREF(value);
        object_publish(value);
    }
    cell->ob_ref = value;
    PyObject_GC_Track(cell);
    return (PyObject *)cell;
}

PyObject *cell_get_ref(PyCellObject *cell)
{
    for (;;) {
        PyObject *value = __atomic_load_n(&cell->ob_ref, __ATOMIC_ACQUIRE);     /* pairs with cell_swap_steal */
        if (value == NULL || object_try_incref(value))
            return value;
        /* it died after we loaded it, so the cell holds something else by now */
    }
}

PyObject *cell_swap_steal(PyCellObject *cell, PyObject *value)
{
    if (value != NULL)
        object_publish(value);
    if (runtime_is_multi())
        return __atomic_exchange_n(&cell->ob_ref, value, __ATOMIC_ACQ_REL);
    PyObject *old = cell->ob_ref;
    cell->ob_ref = value;
    return old;
}

PyObject *PyCell_Get(PyObject *op)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return cell_get_ref((PyCellObject *)op);
}

int PyCell_Set(PyObject *op, PyObject *value)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_XDECREF(cell_swap_steal((PyCellObject *)op, Py_XNewRef(value)));
    return 0;
}

static PyObject *cell_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    (void)type;
    if (!_PyArg_NoKeywords("cell", kwargs) || !PyArg_UnpackTuple(args, "cell", 0, 1, &value))
        return NULL;
    return PyCell_New(value);
}

static void cell_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((PyCellObject *)op)->ob_ref);
    PyObject_GC_Del(op);
}

static int cell_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyCellObject *)op)->ob_ref);
    return 0;
}

static int cell_clear(PyObject *op)
{
    Py_XDECREF(cell_swap_steal((PyCellObject *)op, NULL));
    return 0;
}

static PyObject *cell_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyCell_Check(a) || !PyCell_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *x = cell_get_ref((PyCellObject *)a), *y = cell_get_ref((PyCellObject *)b), *result = NULL;
    if (x != NULL && y != NULL)
        result = PyObject_RichCompare(x, y, op);
    else {
        int has_x = x != NULL, has_y = y != NULL, truth = 0;
        switch (op) {
        case Py_EQ: truth = has_x == has_y; break;
        case Py_NE: truth = has_x != has_y; break;
        case Py_LT: truth = has_x < has_y; break;
        case Py_LE: truth = has_x <= has_y; break;
        case Py_GT: truth = has_x > has_y; break;
        case Py_GE: truth = has_x >= has_y; break;
        }
        result = PyBool_FromLong(truth);
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *cell_repr(PyObject *op)
{
    PyObject *value = cell_get_ref((PyCellObject *)op);
    if (value == NULL)
        return PyUnicode_FromFormat("<cell at %p: empty>", op);
    PyObject *text = PyUnicode_FromFormat("<cell at %p: %.80s object at %p>", op, Py_TYPE(value)->tp_name, value);
    Py_DECREF(value);
    return text;
}

static PyObject *get_contents(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *value = cell_get_ref((PyCellObject *)op);
    if (value == NULL)
        PyErr_SetString(PyExc_ValueError, "Cell is empty");
    return value;
}

static int set_contents(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return PyCell_Set(op, value);
}

static PyGetSetDef cell_getset[] = {
    {"cell_contents", get_contents, set_contents, "The value in the cell; ValueError if it is empty.", NULL},
    {NULL},
};

PyTypeObject PyCell_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "cell",
    .tp_basicsize = sizeof(PyCellObject),
    .tp_dealloc = cell_dealloc,
    .tp_repr = cell_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "cell([contents])\n--\n\nCreate a cell holding contents, or an empty one.",
    .tp_traverse = cell_traverse,
    .tp_clear = cell_clear,
    .tp_richcompare = cell_richcompare,
    .tp_getset = cell_getset,
    .tp_new = cell_new,
};
