/* Saving other objects: what their methods, or registered functions, tell about making them again. */
#include "pickle_internal.h"

/* The parts of a reduce value, borrowed from it; NULL: absent. */
typedef struct {
    PyObject *callable, *args, *state, *items, *pairs, *setter;
} parts_t;

static int fail(const char *text)
{
    PyErr_SetString(pickle_state.pickling_error, text);
    return -1;
}

static int fail_type(const char *format, PyObject *op)
{
    PyErr_Format(pickle_state.pickling_error, format, Py_TYPE(op)->tp_name);
    return -1;
}

static int take_apart(PyObject *value, parts_t *parts)
{
    PyObject **fields[] = {&parts->callable, &parts->args, &parts->state, &parts->items, &parts->pairs, &parts->setter};
    Py_ssize_t n = PyTuple_GET_SIZE(value);
    if (n < 2 || n > 6)
        return fail("tuple returned by __reduce__ must contain 2 through 6 elements");
    for (Py_ssize_t i = 0; i < 6; i++)
        *fields[i] = i < n && (i < 2 || PyTuple_GET_ITEM(value, i) != Py_None) ? PyTuple_GET_ITEM(value, i) : NULL;
    if (!PyCallable_Check(parts->callable))
        return fail("first item of the tuple returned by __reduce__ must be callable");
    if (!PyTuple_Check(parts->args))
        return fail("second item of the tuple returned by __reduce__ must be a tuple");
    if (parts->items != NULL && !PyIter_Check(parts->items))
        return fail_type("fourth element of the tuple returned by __reduce__ must be an iterator, not %s", parts->items);
    if (parts->pairs != NULL && !PyIter_Check(parts->pairs))
        return fail_type("fifth element of the tuple returned by __reduce__ must be an iterator, not %s", parts->pairs);
    if (parts->setter != NULL && !PyCallable_Check(parts->setter))
        return fail_type("sixth element of the tuple returned by __reduce__ must be a function, not %s", parts->setter);
    return 0;
}

/* ---- Making the object ---- */

enum { PLAIN, NEWOBJ, NEWOBJ_EX };

/* Is the callable copyreg.__newobj__ or __newobj_ex__, by its name? -1 with an exception. */
static int kind_of(pickler_t *p, PyObject *callable)
{
    PyObject *name;
    int kind = PLAIN;
    if (p->protocol < 2)
        return PLAIN;
    if (PyObject_GetOptionalAttrString(callable, "__name__", &name) < 0)
        return -1;
    if (name != NULL && PyUnicode_Check(name))
        kind = _PyUnicode_EqualToASCIIString(name, "__newobj__")      ? NEWOBJ
               : _PyUnicode_EqualToASCIIString(name, "__newobj_ex__") ? NEWOBJ_EX
                                                                      : PLAIN;
    Py_XDECREF(name);
    return kind;
}

static int save_call(pickler_t *p, PyObject *callable, PyObject *args)
{
    return save(p, callable) < 0 || save(p, args) < 0 ? -1 : out_op(p, OP_REDUCE);
}

/* cls.__new__(cls, *args, **kwargs) as a partial, for protocols without NEWOBJ_EX. */
static PyObject *make_partial(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    PyObject *new = PyObject_GetAttrString(cls, "__new__"), *head = NULL, *all = NULL, *result = NULL;
    if (new == NULL)
        return NULL;
    head = PyTuple_Pack(2, new, cls);
    if (head != NULL)
        all = PySequence_Concat(head, args);
    if (all != NULL)
        result = PyObject_Call(pickle_state.partial, all, kwargs);
    Py_XDECREF(all);
    Py_XDECREF(head);
    Py_DECREF(new);
    return result;
}

static int save_newobj_ex(pickler_t *p, PyObject *arguments)
{
    if (PyTuple_GET_SIZE(arguments) != 3) {
        PyErr_Format(pickle_state.pickling_error, "length of the NEWOBJ_EX argument tuple must be exactly 3, not %zd",
                     PyTuple_GET_SIZE(arguments));
        return -1;
    }
    PyObject *cls = PyTuple_GET_ITEM(arguments, 0), *args = PyTuple_GET_ITEM(arguments, 1),
             *kwargs = PyTuple_GET_ITEM(arguments, 2);
    if (!PyType_Check(cls))
        return fail_type("first item from NEWOBJ_EX argument tuple must be a class, not %.200s", cls);
    if (!PyTuple_Check(args))
        return fail_type("second item from NEWOBJ_EX argument tuple must be a tuple, not %.200s", args);
    if (!PyDict_Check(kwargs))
        return fail_type("third item from NEWOBJ_EX argument tuple must be a dict, not %.200s", kwargs);
    if (p->protocol >= 4)
        return save(p, cls) < 0 || save(p, args) < 0 || save(p, kwargs) < 0 ? -1 : out_op(p, OP_NEWOBJ_EX);
    PyObject *partial = make_partial(cls, args, kwargs), *empty = partial == NULL ? NULL : PyTuple_New(0);
    int failed = empty == NULL ? -1 : save_call(p, partial, empty);
    Py_XDECREF(partial);
    Py_XDECREF(empty);
    return failed;
}

static int save_newobj(pickler_t *p, PyObject *arguments, PyObject *op)
{
    if (PyTuple_GET_SIZE(arguments) < 1)
        return fail("__newobj__ arglist is empty");
    PyObject *cls = PyTuple_GET_ITEM(arguments, 0);
    if (!PyType_Check(cls))
        return fail("args[0] from __newobj__ args is not a type");
    if (op != NULL) {
        PyObject *actual = PyObject_GetAttrString(op, "__class__");
        if (actual == NULL)
            return -1;
        int same = actual == cls;
        Py_DECREF(actual);
        if (!same)
            return fail("args[0] from __newobj__ args has the wrong class");
    }
    if (save(p, cls) < 0)
        return -1;
    PyObject *rest = PyTuple_GetSlice(arguments, 1, PyTuple_GET_SIZE(arguments));
    if (rest == NULL)
        return -1;
    int failed = save(p, rest);
    Py_DECREF(rest);
    return failed ? -1 : out_op(p, OP_NEWOBJ);
}

/* ---- Filling it ---- */

static int save_state(pickler_t *p, const parts_t *parts, PyObject *op)
{
    if (parts->state == NULL)
        return 0;
    if (parts->setter == NULL)
        return save(p, parts->state) < 0 ? -1 : out_op(p, OP_BUILD);
    /* setter(op, state), the result of which is dropped */
    if (op == NULL)
        return fail("a state setter needs an object");
    if (save(p, parts->setter) < 0 || save(p, op) < 0 || save(p, parts->state) < 0)
        return -1;
    return out_op(p, OP_TUPLE2) < 0 || out_op(p, OP_REDUCE) < 0 || out_op(p, OP_POP) < 0 ? -1 : 0;
}

static int save_parts(pickler_t *p, const parts_t *parts, PyObject *op)
{
    int kind = kind_of(p, parts->callable), failed;
    if (kind < 0)
        return -1;
    failed = kind == NEWOBJ      ? save_newobj(p, parts->args, op)
             : kind == NEWOBJ_EX ? save_newobj_ex(p, parts->args)
                                 : save_call(p, parts->callable, parts->args);
    if (failed)
        return -1;
    if (op != NULL) {
        Py_ssize_t index = memo_find(&p->memo, op);
        /* an object that its own arguments contain: it has been saved meanwhile */
        if (index >= 0)
            return out_op(p, OP_POP) < 0 ? -1 : save_from_memo(p, index);
        if (save_memoize(p, op) < 0)
            return -1;
    }
    if (parts->items != NULL && save_items(p, parts->items) < 0)
        return -1;
    if (parts->pairs != NULL && save_pairs(p, parts->pairs) < 0)
        return -1;
    return save_state(p, parts, op);
}

int save_reduce(pickler_t *p, PyObject *value, PyObject *op)
{
    parts_t parts;
    return take_apart(value, &parts) < 0 ? -1 : save_parts(p, &parts, op);
}

/* ---- Which method ---- */

/* The function that the pickler's or copyreg's table has for a type: 1, 0, -1. */
static int find_registered(pickler_t *p, PyObject *type, PyObject **function)
{
    *function = NULL;
    if (p->dispatch_table == NULL)
        return PyDict_GetItemRef(pickle_state.dispatch_table, type, function);
    PyObject *table = Py_NewRef(p->dispatch_table);
    *function = PyObject_GetItem(table, type);
    Py_DECREF(table);
    if (*function != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_KeyError))
        return -1;
    PyErr_Clear();
    return 0;
}

/* The result of __reduce_ex__ or __reduce__. */
static PyObject *call_reduce(pickler_t *p, PyObject *op)
{
    PyObject *method, *result;
    if (PyObject_GetOptionalAttrString(op, "__reduce_ex__", &method) < 0)
        return NULL;
    if (method != NULL) {
        PyObject *protocol = PyLong_FromLong(p->protocol);
        result = PyObject_CallOneArg(method, protocol);
        Py_DECREF(method);
        return result;
    }
    if (PyObject_GetOptionalAttrString(op, "__reduce__", &method) < 0)
        return NULL;
    if (method == NULL) {
        PyErr_Format(pickle_state.pickling_error, "can't pickle '%.200s' object: %R", Py_TYPE(op)->tp_name, op);
        return NULL;
    }
    result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return result;
}

static int save_reduced_steal(pickler_t *p, PyObject *value, PyObject *op)
{
    int failed;
    if (value == NULL)
        return -1;
    if (PyUnicode_Check(value))
        failed = save_global(p, op, value);
    else if (PyTuple_Check(value))
        failed = save_reduce(p, value, op);
    else
        failed = fail("__reduce__ must return a string or tuple");
    Py_DECREF(value);
    return failed;
}

int save_by_methods(pickler_t *p, PyObject *op)
{
    PyObject *type = (PyObject *)Py_TYPE(op), *function;
    if (p->reducer_override != NULL) {
        PyObject *value = PyObject_CallOneArg(p->reducer_override, op);
        if (value != Py_NotImplemented)
            return save_reduced_steal(p, value, op);
    }
    if (type == (PyObject *)&PyType_Type)
        return save_type(p, op);
    if (type == (PyObject *)&PyFunction_Type)
        return save_global(p, op, NULL);
    int found = find_registered(p, type, &function);
    if (found < 0)
        return -1;
    if (found) {
        PyObject *value = PyObject_CallOneArg(function, op);
        Py_DECREF(function);
        return save_reduced_steal(p, value, op);
    }
    if (PyType_IsSubtype((PyTypeObject *)type, &PyType_Type))
        return save_global(p, op, NULL);
    return save_reduced_steal(p, call_reduce(p, op), op);
}
