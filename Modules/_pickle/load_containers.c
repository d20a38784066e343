/* Loading tuples, lists, dicts and sets, and the opcodes that move items on the stack. */
#include "pickle_internal.h"

static int fail(const char *text)
{
    PyErr_SetString(pickle_state.unpickling_error, text);
    return -1;
}

/* ---- The stack ---- */

LOADER(load_mark)
{
    return stack_mark(u);
}

LOADER(load_pop)
{
    /* a mark is an item, too */
    if (u->mark_count > 0 && u->marks[u->mark_count - 1] == u->depth) {
        stack_take_mark(u);
        return 0;
    }
    PyObject *op = stack_pop(u);
    if (op == NULL)
        return -1;
    Py_DECREF(op);
    return 0;
}

LOADER(load_pop_mark)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    stack_drop(u, depth);
    return 0;
}

LOADER(load_dup)
{
    if (u->depth <= u->fence)
        return stack_underflow(u);
    return stack_push_steal(u, Py_NewRef(u->stack[u->depth - 1]));
}

/* ---- Tuples and lists ---- */

LOADER(load_counted_tuple)
{
    if (u->depth - argument < u->fence)
        return stack_underflow(u);
    return stack_push_steal(u, stack_take_tuple(u, u->depth - argument));
}

LOADER(load_tuple)
{
    Py_ssize_t depth = stack_take_mark(u);
    return depth < 0 ? -1 : stack_push_steal(u, stack_take_tuple(u, depth));
}

LOADER(load_empty_list)
{
    return stack_push_steal(u, PyList_New(0));
}

LOADER(load_list)
{
    Py_ssize_t depth = stack_take_mark(u);
    return depth < 0 ? -1 : stack_push_steal(u, stack_take_list(u, depth));
}

/* Calls target.name(item) for all items from `from` on, taking them off the stack. */
static int call_for_items(unpickler_t *u, PyObject *method, Py_ssize_t from)
{
    for (Py_ssize_t i = from; i < u->depth; i++) {
        PyObject *result = PyObject_CallOneArg(method, u->stack[i]);
        if (result == NULL)
            return -1;
        Py_DECREF(result);
    }
    stack_drop(u, from);
    return 0;
}

/* The items from `from` on go to the list (or what is like one) below them. */
static int append(unpickler_t *u, Py_ssize_t from)
{
    PyObject *target, *items, *method, *result;
    if (from > u->depth || from <= u->fence)
        return stack_underflow(u);
    if (from == u->depth)
        return 0;
    target = u->stack[from - 1];
    if (PyList_CheckExact(target)) {
        if (u->depth - from == 1) {
            PyObject *item = u->stack[--u->depth];
            int failed = PyList_Append(target, item);
            Py_DECREF(item);
            return failed;
        }
        items = stack_take_list(u, from);
        if (items == NULL)
            return -1;
        int failed = PyList_SetSlice(target, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, items);
        Py_DECREF(items);
        return failed;
    }
    if (PyObject_GetOptionalAttrString(target, "extend", &method) < 0)
        return -1;
    if (method == NULL) {
        method = PyObject_GetAttrString(target, "append");
        if (method == NULL)
            return -1;
        int failed = call_for_items(u, method, from);
        Py_DECREF(method);
        return failed;
    }
    items = stack_take_list(u, from);
    result = items == NULL ? NULL : PyObject_CallOneArg(method, items);
    Py_XDECREF(items);
    Py_DECREF(method);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

LOADER(load_append)
{
    return u->depth - 1 <= u->fence ? stack_underflow(u) : append(u, u->depth - 1);
}

LOADER(load_appends)
{
    Py_ssize_t depth = stack_take_mark(u);
    return depth < 0 ? -1 : append(u, depth);
}

/* ---- Dicts ---- */

LOADER(load_empty_dict)
{
    return stack_push_steal(u, PyDict_New());
}

/* Puts the pairs from `from` on into target. */
static int set_pairs(unpickler_t *u, PyObject *target, Py_ssize_t from)
{
    int exact = PyDict_CheckExact(target);
    for (Py_ssize_t i = from; i + 1 < u->depth; i += 2) {
        PyObject *key = u->stack[i], *value = u->stack[i + 1];
        if ((exact ? PyDict_SetItem(target, key, value) : PyObject_SetItem(target, key, value)) < 0)
            return -1;
    }
    return 0;
}

LOADER(load_dict)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    if ((u->depth - depth) % 2 != 0)
        return fail("odd number of items for DICT");
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return -1;
    if (set_pairs(u, dict, depth) < 0) {
        Py_DECREF(dict);
        return -1;
    }
    stack_drop(u, depth);
    return stack_push_steal(u, dict);
}

static int set_items(unpickler_t *u, Py_ssize_t from)
{
    if (from > u->depth || from <= u->fence)
        return stack_underflow(u);
    if ((u->depth - from) % 2 != 0)
        return fail("odd number of items for SETITEMS");
    int failed = set_pairs(u, u->stack[from - 1], from);
    stack_drop(u, from);
    return failed;
}

LOADER(load_setitem)
{
    return set_items(u, u->depth - 2);
}

LOADER(load_setitems)
{
    Py_ssize_t depth = stack_take_mark(u);
    return depth < 0 ? -1 : set_items(u, depth);
}

/* ---- Sets ---- */

LOADER(load_empty_set)
{
    return stack_push_steal(u, PySet_New(NULL));
}

LOADER(load_frozenset)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    PyObject *items = stack_take_tuple(u, depth), *set = items == NULL ? NULL : PyFrozenSet_New(items);
    Py_XDECREF(items);
    return stack_push_steal(u, set);
}

LOADER(load_additems)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    if (depth > u->depth || depth <= u->fence)
        return stack_underflow(u);
    if (depth == u->depth)
        return 0;
    PyObject *target = u->stack[depth - 1];
    if (PySet_CheckExact(target)) {
        for (Py_ssize_t i = depth; i < u->depth; i++)
            if (PySet_Add(target, u->stack[i]) < 0)
                return -1;
        stack_drop(u, depth);
        return 0;
    }
    PyObject *method = PyObject_GetAttrString(target, "add");
    if (method == NULL)
        return -1;
    int failed = call_for_items(u, method, depth);
    Py_DECREF(method);
    return failed;
}
