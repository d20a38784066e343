/* The stack of an unpickler, its marks, and its memo. */
#include "pickle_internal.h"

/* ---- Stack ---- */

int stack_underflow(unpickler_t *u)
{
    PyErr_SetString(pickle_state.unpickling_error, u->mark_count > 0 ? "unexpected MARK found" : "unpickling stack underflow");
    return -1;
}

static void *grow(void *array, Py_ssize_t *size, size_t item)
{
    Py_ssize_t bigger = *size == 0 ? 32 : *size * 2;
    void *grown = bigger > PY_SSIZE_T_MAX / 16 ? NULL : PyMem_Realloc(array, (size_t)bigger * item);
    if (grown == NULL)
        PyErr_NoMemory();
    else
        *size = bigger;
    return grown;
}

int stack_push_steal(unpickler_t *u, PyObject *op)
{
    if (op == NULL)
        return -1;
    if (u->depth == u->stack_size) {
        PyObject **stack = grow(u->stack, &u->stack_size, sizeof(PyObject *));
        if (stack == NULL) {
            Py_DECREF(op);
            return -1;
        }
        u->stack = stack;
    }
    u->stack[u->depth++] = op;
    return 0;
}

PyObject *stack_pop(unpickler_t *u)
{
    if (u->depth <= u->fence) {
        stack_underflow(u);
        return NULL;
    }
    return u->stack[--u->depth];
}

int stack_mark(unpickler_t *u)
{
    if (u->mark_count == u->mark_size) {
        Py_ssize_t *marks = grow(u->marks, &u->mark_size, sizeof(Py_ssize_t));
        if (marks == NULL)
            return -1;
        u->marks = marks;
    }
    u->marks[u->mark_count++] = u->fence = u->depth;
    return 0;
}

Py_ssize_t stack_take_mark(unpickler_t *u)
{
    if (u->mark_count < 1) {
        PyErr_SetString(pickle_state.unpickling_error, "could not find MARK");
        return -1;
    }
    Py_ssize_t depth = u->marks[--u->mark_count];
    u->fence = u->mark_count > 0 ? u->marks[u->mark_count - 1] : 0;
    return depth;
}

PyObject *stack_take_tuple(unpickler_t *u, Py_ssize_t from)
{
    if (from < u->fence) {
        stack_underflow(u);
        return NULL;
    }
    PyObject *tuple = PyTuple_New(u->depth - from);
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t i = from; i < u->depth; i++)
        PyTuple_SET_ITEM(tuple, i - from, u->stack[i]);
    u->depth = from;
    return tuple;
}

PyObject *stack_take_list(unpickler_t *u, Py_ssize_t from)
{
    PyObject *list = PyList_New(u->depth - from);
    if (list == NULL)
        return NULL;
    for (Py_ssize_t i = from; i < u->depth; i++)
        PyList_SET_ITEM(list, i - from, u->stack[i]);
    u->depth = from;
    return list;
}

void stack_drop(unpickler_t *u, Py_ssize_t depth)
{
    while (u->depth > depth)
        Py_DECREF(u->stack[--u->depth]);
}

void stack_clear(unpickler_t *u)
{
    stack_drop(u, 0);
    u->mark_count = 0;
    u->fence = 0;
}

/* ---- Memo: an array, and a dict for indices that would leave most of the array empty ---- */

PyObject *load_memo_get(unpickler_t *u, size_t index)
{
    PyObject *value = NULL;
    if (index < u->memo_size && u->memo[index] != NULL)
        return Py_NewRef(u->memo[index]);
    if (u->far_memo != NULL) {
        PyObject *key = PyLong_FromSize_t(index);
        if (key == NULL || PyDict_GetItemRef(u->far_memo, key, &value) < 0) {
            Py_XDECREF(key);
            return NULL;
        }
        Py_DECREF(key);
    }
    if (value == NULL)
        PyErr_Format(pickle_state.unpickling_error, "Memo value not found at index %ld", (long)index);
    return value;
}

static int put_far(unpickler_t *u, size_t index, PyObject *op)
{
    if (u->far_memo == NULL && (u->far_memo = PyDict_New()) == NULL)
        return -1;
    PyObject *key = PyLong_FromSize_t(index);
    if (key == NULL)
        return -1;
    int failed = PyDict_SetItem(u->far_memo, key, op);
    Py_DECREF(key);
    return failed;
}

int load_memo_put(unpickler_t *u, size_t index, PyObject *op)
{
    if (index >= u->memo_size) {
        if (index > 4096 && index / 8 > u->memo_used)
            return put_far(u, index, op);
        size_t size = index * 2 + 32;
        PyObject **memo = PyMem_Realloc(u->memo, size * sizeof(PyObject *));
        if (memo == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memset(memo + u->memo_size, 0, (size - u->memo_size) * sizeof(PyObject *));
        u->memo = memo;
        u->memo_size = size;
    }
    PyObject *old = u->memo[index];
    u->memo[index] = Py_NewRef(op);
    if (old == NULL)
        u->memo_used++;
    else
        Py_DECREF(old);
    return 0;
}

void load_memo_clear(unpickler_t *u)
{
    PyObject **memo = u->memo, *far = u->far_memo;
    size_t size = u->memo_size;
    u->memo = NULL;
    u->far_memo = NULL;
    u->memo_size = u->memo_used = 0;
    for (size_t i = 0; i < size; i++)
        Py_XDECREF(memo[i]);
    PyMem_Free(memo);
    Py_XDECREF(far);
}

PyObject *load_memo_copy(unpickler_t *u)
{
    PyObject *dict = u->far_memo == NULL ? PyDict_New() : PyDict_Copy(u->far_memo);
    for (size_t i = 0; dict != NULL && i < u->memo_size; i++) {
        PyObject *key, *value = Py_XNewRef(u->memo[i]);
        if (value == NULL)
            continue;
        key = PyLong_FromSize_t(i);
        if (key == NULL || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_DECREF(value);
    }
    return dict;
}
