/* Loading globals and instances. */
#include "pickle_internal.h"

static int fail(const char *text)
{
    PyErr_SetString(pickle_state.unpickling_error, text);
    return -1;
}

/* ---- Globals ---- */

static PyObject *find_class(unpickler_t *u, PyObject *module, PyObject *name)
{
    if (Py_TYPE(u) == &unpickler_type)
        return unpickler_find_class(u, module, name);
    return PyObject_CallMethod((PyObject *)u, "find_class", "OO", module, name);
}

/* Two lines with the names. */
static PyObject *find_class_by_lines(unpickler_t *u)
{
    PyObject *module = NULL, *name = NULL, *result = NULL;
    char *line;
    Py_ssize_t n;
    if (in_read_line(u, 2, &line, &n) == 0)
        module = PyUnicode_DecodeUTF8(line, n - 1, "strict");
    if (module != NULL && in_read_line(u, 2, &line, &n) == 0)
        name = PyUnicode_DecodeUTF8(line, n - 1, "strict");
    if (name != NULL)
        result = find_class(u, module, name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

LOADER(load_global)
{
    return stack_push_steal(u, find_class_by_lines(u));
}

LOADER(load_stack_global)
{
    PyObject *name = stack_pop(u), *module = name == NULL ? NULL : stack_pop(u), *result = NULL;
    if (module != NULL) {
        if (PyUnicode_CheckExact(module) && PyUnicode_CheckExact(name))
            result = find_class(u, module, name);
        else
            fail("STACK_GLOBAL requires str");
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    return stack_push_steal(u, result);
}

/* The (module, name) pair registered for an extension code, a new reference. */
static PyObject *registered_pair(PyObject *code)
{
    PyObject *pair;
    int found = PyDict_GetItemRef(pickle_state.inverted_registry, code, &pair);
    if (found == 0)
        PyErr_Format(PyExc_ValueError, "unregistered extension code %ld", PyLong_AsLong(code));
    if (found <= 0)
        return NULL;
    if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 && PyUnicode_Check(PyTuple_GET_ITEM(pair, 0))
        && PyUnicode_Check(PyTuple_GET_ITEM(pair, 1)))
        return pair;
    PyErr_Format(PyExc_ValueError, "_inverted_registry[%ld] isn't a 2-tuple of strings", PyLong_AsLong(code));
    Py_DECREF(pair);
    return NULL;
}

LOADER(load_extension)
{
    uint64_t n;
    PyObject *code, *value, *pair;
    if (in_read_number(u, argument, &n) < 0)
        return -1;
    if (n == 0 || n > INT32_MAX)
        return fail("EXT specifies code <= 0");
    code = PyLong_FromLong((long)n);
    int found = PyDict_GetItemRef(pickle_state.extension_cache, code, &value);
    if (found != 0)
        return found < 0 ? -1 : stack_push_steal(u, value);
    pair = registered_pair(code);
    if (pair == NULL)
        return -1;
    value = find_class(u, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    Py_DECREF(pair);
    if (value != NULL && PyDict_SetItem(pickle_state.extension_cache, code, value) < 0)
        Py_CLEAR(value);
    return stack_push_steal(u, value);
}

/* ---- Instances ---- */

/* Protocol 0 and 1: a class without arguments is not called. Steals args. */
static PyObject *instantiate(PyObject *cls, PyObject *args)
{
    PyObject *result = NULL;
    if (PyTuple_GET_SIZE(args) == 0 && PyType_Check(cls)) {
        int has = PyObject_HasAttrWithError(cls, (result = PyUnicode_InternFromString("__getinitargs__")));
        Py_CLEAR(result);
        if (has == 0)
            result = PyObject_CallMethod(cls, "__new__", "O", cls);
        else if (has > 0)
            result = PyObject_CallObject(cls, args);
    }
    else
        result = PyObject_CallObject(cls, args);
    Py_DECREF(args);
    return result;
}

LOADER(load_obj)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    if (u->depth - depth < 1)
        return stack_underflow(u);
    PyObject *args = stack_take_tuple(u, depth + 1);
    if (args == NULL)
        return -1;
    PyObject *cls = stack_pop(u);
    if (cls == NULL) {
        Py_DECREF(args);
        return -1;
    }
    PyObject *result = instantiate(cls, args);
    Py_DECREF(cls);
    return stack_push_steal(u, result);
}

LOADER(load_inst)
{
    Py_ssize_t depth = stack_take_mark(u);
    if (depth < 0)
        return -1;
    PyObject *cls = find_class_by_lines(u), *args = cls == NULL ? NULL : stack_take_tuple(u, depth), *result = NULL;
    if (args != NULL)
        result = instantiate(cls, args);
    Py_XDECREF(cls);
    return stack_push_steal(u, result);
}

static PyObject *make_new(PyObject *cls, PyObject *args, PyObject *kwargs, const char *opcode)
{
    if (!PyType_Check(cls))
        PyErr_Format(pickle_state.unpickling_error, "%s class argument must be a type, not %.200s", opcode,
                     Py_TYPE(cls)->tp_name);
    else if (((PyTypeObject *)cls)->tp_new == NULL)
        PyErr_Format(pickle_state.unpickling_error, "%s class argument '%.200s' doesn't have __new__", opcode,
                     ((PyTypeObject *)cls)->tp_name);
    else if (!PyTuple_Check(args))
        PyErr_Format(pickle_state.unpickling_error, "%s args argument must be a tuple, not %.200s", opcode,
                     Py_TYPE(args)->tp_name);
    else if (kwargs != NULL && !PyDict_Check(kwargs))
        PyErr_Format(pickle_state.unpickling_error, "%s kwargs argument must be a dict, not %.200s", opcode,
                     Py_TYPE(kwargs)->tp_name);
    else
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, args, kwargs);
    return NULL;
}

/* NEWOBJ; with keyword arguments: NEWOBJ_EX. */
LOADER(load_newobj)
{
    PyObject *kwargs = NULL, *args = NULL, *cls = NULL, *result = NULL;
    if ((!argument || (kwargs = stack_pop(u)) != NULL) && (args = stack_pop(u)) != NULL && (cls = stack_pop(u)) != NULL)
        result = make_new(cls, args, kwargs, argument ? "NEWOBJ_EX" : "NEWOBJ");
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(cls);
    return stack_push_steal(u, result);
}

LOADER(load_reduce)
{
    PyObject *args = stack_pop(u), *function = args == NULL ? NULL : stack_pop(u), *result = NULL;
    if (function != NULL)
        result = PyObject_CallObject(function, args);
    Py_XDECREF(args);
    Py_XDECREF(function);
    return stack_push_steal(u, result);
}

/* ---- State ---- */

/* Items into instance.__dict__, with their names interned. */
static int update_dict(PyObject *instance, PyObject *state)
{
    PyObject *dict, *items;
    int failed = 0;
    if (!PyDict_Check(state))
        return fail("state is not a dictionary");
    dict = PyObject_GetAttrString(instance, "__dict__");
    if (dict == NULL)
        return -1;
    items = PyDict_Items(state);
    if (items != NULL)
        PyObject_GC_UnTrack(items);     /* not to be found by gc.get_objects, as below */
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items) && !failed; i++) {
        PyObject *key = Py_NewRef(PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0));
        if (PyUnicode_CheckExact(key))
            PyUnicode_InternInPlace(&key);
        failed = PyObject_SetItem(dict, key, PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1)) < 0;
        Py_DECREF(key);
    }
    if (items == NULL)
        failed = 1;
    Py_XDECREF(items);
    Py_DECREF(dict);
    return failed ? -1 : 0;
}

static int set_attributes(PyObject *instance, PyObject *state)
{
    PyObject *items;
    int failed = 0;
    if (!PyDict_Check(state))
        return fail("slot state is not a dictionary");
    items = PyDict_Items(state);
    if (items == NULL)
        return -1;
    PyObject_GC_UnTrack(items);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && !failed; i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        failed = PyObject_SetAttr(instance, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1)) < 0;
    }
    Py_DECREF(items);
    return failed ? -1 : 0;
}

static int build(PyObject *instance, PyObject *state)
{
    PyObject *setstate, *result, *slots = NULL;
    if (PyObject_GetOptionalAttrString(instance, "__setstate__", &setstate) < 0)
        return -1;
    if (setstate != NULL) {
        result = PyObject_CallOneArg(setstate, state);
        Py_DECREF(setstate);
        Py_XDECREF(result);
        return result == NULL ? -1 : 0;
    }
    if (PyTuple_Check(state) && PyTuple_GET_SIZE(state) == 2) {
        slots = PyTuple_GET_ITEM(state, 1);
        state = PyTuple_GET_ITEM(state, 0);
    }
    if (state != Py_None && update_dict(instance, state) < 0)
        return -1;
    return slots != NULL ? set_attributes(instance, slots) : 0;
}

LOADER(load_build)
{
    if (u->depth - 2 < u->fence)
        return stack_underflow(u);
    PyObject *state = stack_pop(u), *instance = Py_NewRef(u->stack[u->depth - 1]);
    int failed = build(instance, state);
    Py_DECREF(state);
    Py_DECREF(instance);
    return failed;
}
