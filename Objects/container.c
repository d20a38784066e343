/* What list, dict and set share: the gate's slow half, never-reused ids, equality of referenced keys. */
#include "container.h"

#define ID_BLOCK 1024

void container_open_gate(PyObject *op)
{
    int locked = container_lock(op);
    object_publish(op);
    container_unlock(op, locked);
}

uint64_t container_next_id(void)
{
    static uint64_t blocks;                     /* [atomic] */
    static BRAID_TLS uint64_t next, end;        /* this thread's block */
    if (next == end) {
        next = __atomic_add_fetch(&blocks, ID_BLOCK, __ATOMIC_RELAXED);
        end = next + ID_BLOCK;
    }
    return next++;
}

/* Exact ints and floats, on the heap or not: comparing them runs no code. */
static int is_plain_number(PyObject *op)
{
    return PyLong_CheckExact(op) || PyFloat_CheckExact(op);
}

static int tuples_equal_known(PyObject *a, PyObject *b, int depth);

static int equal_known(PyObject *a, PyObject *b, int depth)
{
    int known = container_equal_racy(a, b);
    if (known >= 0)
        return known;
    if (PyTuple_CheckExact(a) && PyTuple_CheckExact(b))
        return depth > 0 ? tuples_equal_known(a, b, depth) : -1;
    if (is_plain_number(a) && is_plain_number(b)) {
        PyObject *result = PyObject_RichCompare(a, b, Py_EQ);
        if (result == NULL) {
            PyErr_Clear();
            return -1;
        }
        Py_DECREF(result);
        return result == Py_True;
    }
    return -1;
}

static int tuples_equal_known(PyObject *a, PyObject *b, int depth)
{
    Py_ssize_t n = PyTuple_GET_SIZE(a);
    if (n != PyTuple_GET_SIZE(b))
        return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        int known = equal_known(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), depth - 1);
        if (known != 1)
            return known;
    }
    return 1;
}

int container_equal_known(PyObject *a, PyObject *b)
{
    return equal_known(a, b, 3);
}

PyObject *container_get_builtin(const char *name)
{
    PyObject *builtins = PyEval_GetBuiltins(), *result = NULL;
    if (builtins != NULL && PyDict_Check(builtins)) {
        if (PyDict_GetItemStringRef(builtins, name, &result) < 0)
            return NULL;
    }
    else if (builtins != NULL)
        return PyMapping_GetItemString(builtins, name);
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_AttributeError, name);
    return result;
}
