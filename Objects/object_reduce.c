/* object.__reduce_ex__ and __getstate__: how pickle and copy see any object. */
#include "Python.h"

#include "instance.h"
#include "type.h"
#include "unicode.h"

/* ---- State ---- */

/* The names of the __slots__ of a class and its bases: a list, or None. Cached by copyreg in the class. */
static PyObject *slot_names(PyTypeObject *type)
{
    PyObject *names = NULL;
    if (type->tp_dict != NULL && dict_get_str_ref(type->tp_dict, STR(__slotnames__), &names) != 0) {
        if (names != NULL && names != Py_None && !PyList_Check(names)) {
            PyErr_Format(PyExc_TypeError, "%.200s.__slotnames__ should be a list or None, not %.200s", type->tp_name,
                         Py_TYPE(names)->tp_name);
            Py_CLEAR(names);
        }
        return names;
    }
    PyObject *copyreg = PyImport_ImportModule("copyreg");
    if (copyreg == NULL)
        return NULL;
    names = PyObject_CallMethod(copyreg, "_slotnames", "O", type);
    Py_DECREF(copyreg);
    if (names != NULL && names != Py_None && !PyList_Check(names)) {
        PyErr_SetString(PyExc_TypeError, "copyreg._slotnames didn't return a list or None");
        Py_CLEAR(names);
    }
    return names;
}

/* A class written in C with data that nobody can see cannot be copied by its attributes. */
static int has_hidden_state(PyTypeObject *type, PyObject *names)
{
    Py_ssize_t size = names != NULL && names != Py_None ? PyList_GET_SIZE(names) * (Py_ssize_t)sizeof(PyObject *) : 0;
    size += sizeof(PyObject);
    if (type->tp_dictoffset != 0)
        size += sizeof(PyObject *);
    if (type->tp_weaklistoffset > 0)
        size += sizeof(PyObject *);
    return type->tp_basicsize > size;
}

/* {name: value} of the slots that are set. NULL with an exception, or an empty dict. */
static PyObject *slot_values(PyObject *op, PyObject *names)
{
    PyObject *values = PyDict_New();
    for (Py_ssize_t i = 0; values != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GetItemRef(names, i), *value;
        if (name == NULL) {         /* __slotnames__ is anybody's to change */
            PyErr_Clear();
            break;
        }
        int found = PyObject_GetOptionalAttr(op, name, &value);
        if (found > 0) {
            found = PyDict_SetItem(values, name, value);
            Py_DECREF(value);
        }
        Py_DECREF(name);
        if (found < 0)
            Py_CLEAR(values);
    }
    return values;
}

/* required: what cannot be seen is an error. */
static PyObject *default_state(PyObject *op, int required)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *state, *names, *values;
    if (required && type->tp_itemsize != 0) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
        return NULL;
    }
    if (type->tp_dictoffset == 0 || value_is_immediate(op) || instance_is_empty(op))
        state = Py_None;
    else if (type_has_inline_attrs(type))
        state = instance_copy_attrs(op);
    else
        state = instance_get_dict(op);
    if (state != NULL && PyType_Check(op))      /* a class's own dict changes through the class only: caches depend on that */
        Py_SETREF(state, PyDict_Copy(state));
    if (state == NULL)
        return NULL;
    names = slot_names(type);
    if (names == NULL)
        goto error;
    if (required && has_hidden_state(type, names)) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
        goto error;
    }
    if (names != Py_None && PyList_GET_SIZE(names) > 0) {
        values = slot_values(op, names);
        if (values == NULL)
            goto error;
        if (PyDict_GET_SIZE(values) > 0) {
            PyObject *pair = PyTuple_Pack(2, state, values);
            Py_DECREF(state);
            state = pair;
        }
        Py_DECREF(values);
    }
    Py_DECREF(names);
    return state;
error:
    Py_XDECREF(names);
    Py_DECREF(state);
    return NULL;
}

PyObject *object_getstate(PyObject *op, PyObject *unused) { return default_state(op, 0); }

/* state by __getstate__, default or not. */
static PyObject *get_state(PyObject *op, int required)
{
    PyObject *getstate = PyObject_GetAttr(op, STR(__getstate__)), *state;
    if (getstate == NULL)
        return NULL;
    if (PyCFunction_Check(getstate) && PyCFunction_GET_SELF(getstate) == op
        && PyCFunction_GET_FUNCTION(getstate) == object_getstate)
        state = default_state(op, required);
    else
        state = PyObject_CallNoArgs(getstate);
    Py_DECREF(getstate);
    return state;
}

PyObject *_PyObject_GetState(PyObject *op) { return get_state(op, 0); }

/* ---- Arguments for __new__ ---- */

/* 0, with *args and *kwargs new references or NULL; or -1. */
static int new_arguments(PyObject *op, PyObject **args, PyObject **kwargs)
{
    PyObject *method, *pair;
    *args = *kwargs = NULL;
    method = type_lookup_special(op, STR(__getnewargs_ex__));
    if (method == NULL && PyErr_Occurred())
        return -1;
    if (method != NULL) {
        pair = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (pair == NULL)
            return -1;
        if (!PyTuple_Check(pair))
            PyErr_Format(PyExc_TypeError, "__getnewargs_ex__ should return a tuple, not '%.200s'", Py_TYPE(pair)->tp_name);
        else if (PyTuple_GET_SIZE(pair) != 2)
            PyErr_Format(PyExc_ValueError, "__getnewargs_ex__ should return a tuple of length 2, not %zd", PyTuple_GET_SIZE(pair));
        else if (!PyTuple_Check(PyTuple_GET_ITEM(pair, 0)))
            PyErr_Format(PyExc_TypeError, "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 0))->tp_name);
        else if (!PyDict_Check(PyTuple_GET_ITEM(pair, 1)))
            PyErr_Format(PyExc_TypeError, "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 1))->tp_name);
        else {
            *args = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
            *kwargs = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        }
        Py_DECREF(pair);
        return *args != NULL ? 0 : -1;
    }
    method = type_lookup_special(op, STR(__getnewargs__));
    if (method == NULL)
        return PyErr_Occurred() ? -1 : 0;
    *args = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (*args == NULL)
        return -1;
    if (!PyTuple_Check(*args)) {
        PyErr_Format(PyExc_TypeError, "__getnewargs__ should return a tuple, not '%.200s'", Py_TYPE(*args)->tp_name);
        Py_CLEAR(*args);
        return -1;
    }
    return 0;
}

/* ---- Protocols 2 to 4 ---- */

/* Iterators over what a list or dict contains, or None. */
static int item_iterators(PyObject *op, PyObject **list_items, PyObject **dict_items)
{
    *list_items = *dict_items = NULL;
    *list_items = PyList_Check(op) ? PyObject_GetIter(op) : Py_None;
    if (*list_items == NULL)
        return -1;
    if (!PyDict_Check(op)) {
        *dict_items = Py_None;
        return 0;
    }
    PyObject *items = PyObject_CallMethodNoArgs(op, STR(items));
    *dict_items = items != NULL ? PyObject_GetIter(items) : NULL;
    Py_XDECREF(items);
    if (*dict_items == NULL) {
        Py_CLEAR(*list_items);
        return -1;
    }
    return 0;
}

/* copyreg.__newobj__(cls, *args), or __newobj_ex__(cls, args, kwargs). */
static PyObject *call_description(PyObject *copyreg, PyObject *op, PyObject *args, PyObject *kwargs, PyObject **new_args)
{
    PyObject *cls = (PyObject *)Py_TYPE(op);
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        Py_ssize_t n = args != NULL ? PyTuple_GET_SIZE(args) : 0;
        *new_args = PyTuple_New(n + 1);
        if (*new_args == NULL)
            return NULL;
        PyTuple_SET_ITEM(*new_args, 0, Py_NewRef(cls));
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(*new_args, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        return PyObject_GetAttrString(copyreg, "__newobj__");
    }
    *new_args = PyTuple_Pack(3, cls, args, kwargs);
    return *new_args != NULL ? PyObject_GetAttrString(copyreg, "__newobj_ex__") : NULL;
}

static PyObject *reduce_new(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *args = NULL, *kwargs = NULL, *copyreg = NULL, *func = NULL, *new_args = NULL, *state = NULL, *result = NULL;
    PyObject *list_items, *dict_items;
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
        return NULL;
    }
    if (new_arguments(op, &args, &kwargs) < 0)
        return NULL;
    copyreg = PyImport_ImportModule("copyreg");
    if (copyreg == NULL)
        goto done;
    func = call_description(copyreg, op, args, kwargs, &new_args);
    if (func == NULL)
        goto done;
    state = get_state(op, args == NULL && !PyList_Check(op) && !PyDict_Check(op));
    if (state == NULL || item_iterators(op, &list_items, &dict_items) < 0)
        goto done;
    result = PyTuple_Pack(5, func, new_args, state, list_items, dict_items);
    Py_DECREF(list_items);
    Py_DECREF(dict_items);
done:
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(copyreg);
    Py_XDECREF(func);
    Py_XDECREF(new_args);
    Py_XDECREF(state);
    return result;
}

static PyObject *common_reduce(PyObject *op, int protocol)
{
    if (protocol >= 2)
        return reduce_new(op);
    PyObject *copyreg = PyImport_ImportModule("copyreg");
    PyObject *result = copyreg != NULL ? PyObject_CallMethod(copyreg, "_reduce_ex", "Oi", op, protocol) : NULL;
    Py_XDECREF(copyreg);
    return result;
}

PyObject *object_reduce(PyObject *op, PyObject *unused) { return common_reduce(op, 0); }

PyObject *object_reduce_ex(PyObject *op, PyObject *arg)
{
    long protocol = PyLong_AsLong(arg);
    if (protocol == -1 && PyErr_Occurred())
        return NULL;
    PyObject *reduce, *class_reduce = NULL, *own = NULL, *result = NULL;
    int found = PyObject_GetOptionalAttr(op, STR(__reduce__), &reduce);
    if (found < 0)
        return NULL;
    if (found) {
        /* a class with a __reduce__ of its own is asked that way */
        class_reduce = PyObject_GetAttr((PyObject *)Py_TYPE(op), STR(__reduce__));
        if (class_reduce == NULL || PyDict_GetItemRef(PyBaseObject_Type.tp_dict, STR(__reduce__), &own) < 0)
            goto done;
        if (class_reduce != own) {
            result = PyObject_CallNoArgs(reduce);
            goto done;
        }
    }
    result = common_reduce(op, (int)protocol);
done:
    Py_XDECREF(reduce);
    Py_XDECREF(class_reduce);
    Py_XDECREF(own);
    return result;
}
