/* paramflags: which arguments of a foreign function go in and which come out, their names and defaults. */
#include "ctypes.h"

enum { FLAG_IN = 1, FLAG_OUT = 2, FLAG_LCID = 4, FLAG_MASK = 7 };

/* One item of paramflags; borrowed. */
typedef struct {
    int flag;
    PyObject *name, *value;             /* or NULL */
} parameter;

static int parse(PyObject *item, parameter *p)
{
    *p = (parameter){0};
    if (!PyTuple_Check(item) || !PyArg_ParseTuple(item, "i|OO", &p->flag, &p->name, &p->value)
        || (p->name != NULL && p->name != Py_None && !PyUnicode_Check(p->name))) {
        PyErr_SetString(PyExc_TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples");
        return -1;
    }
    if (p->name == Py_None)
        p->name = NULL;
    return 0;
}

/* Can a function write to where an argument of this type points? */
static int check_output(PyObject *type, Py_ssize_t index)
{
    ctypes_info *info = ctypes_info_of_class(type);
    if (info != NULL
        && (info->kind == KIND_POINTER || info->kind == KIND_ARRAY
            || (info->kind == KIND_SIMPLE && strchr("PzZ", info->access.code->code) != NULL)))
        return 0;
    PyErr_Format(PyExc_TypeError, "'out' parameter %zd must be a pointer type, not %s", index,
                 PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : Py_TYPE(type)->tp_name);
    return -1;
}

int ctypes_paramflags_check(PyTypeObject *type, PyObject *paramflags)
{
    PyObject *argtypes = ctypes_info_find(type)->argtypes;
    if (paramflags == NULL || paramflags == Py_None || argtypes == NULL)
        return 0;
    if (!PyTuple_Check(paramflags)) {
        PyErr_SetString(PyExc_TypeError, "paramflags must be a tuple or None");
        return -1;
    }
    if (PyTuple_GET_SIZE(paramflags) != PyTuple_GET_SIZE(argtypes)) {
        PyErr_SetString(PyExc_ValueError, "paramflags must have the same length as argtypes");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(paramflags); i++) {
        parameter p;
        if (parse(PyTuple_GET_ITEM(paramflags, i), &p) < 0)
            return -1;
        switch (p.flag & FLAG_MASK) {
        case 0: case FLAG_IN: case FLAG_IN | FLAG_OUT: case FLAG_IN | FLAG_LCID:
            break;
        case FLAG_OUT:
            if (check_output(PyTuple_GET_ITEM(argtypes, i), i + 1) < 0)
                return -1;
            break;
        default:
            PyErr_Format(PyExc_TypeError, "paramflag value %d not supported", p.flag);
            return -1;
        }
    }
    return 0;
}

/* An argument that the caller gives: the next positional one, by name, or the default. A new reference. */
static PyObject *input(const parameter *p, PyObject *args, PyObject *kwargs, Py_ssize_t *given)
{
    PyObject *value = NULL;
    if (*given < PyTuple_GET_SIZE(args))
        return Py_NewRef(PyTuple_GET_ITEM(args, (*given)++));
    int found = kwargs != NULL && p->name != NULL ? PyDict_GetItemRef(kwargs, p->name, &value) : 0;
    if (found != 0) {
        (*given)++;
        return value;
    }
    if (p->value != NULL)
        return Py_NewRef(p->value);
    if (p->name != NULL)
        PyErr_Format(PyExc_TypeError, "required argument '%S' missing", p->name);
    else
        PyErr_SetString(PyExc_TypeError, "not enough arguments");
    return NULL;
}

/* Something for the function to write to. A new reference. */
static PyObject *output(const parameter *p, PyObject *type)
{
    if (p->value != NULL)
        return Py_NewRef(p->value);
    ctypes_info *info = ctypes_info_of_class(type);
    if (info != NULL && info->kind == KIND_ARRAY)
        return PyObject_CallNoArgs(type);
    if (info != NULL && info->kind == KIND_POINTER && info->item != NULL)
        return PyObject_CallNoArgs((PyObject *)info->item);
    PyErr_Format(PyExc_TypeError, "%s 'out' parameter must be passed as default value",
                 PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : Py_TYPE(type)->tp_name);
    return NULL;
}

/* The arguments of the call by the paramflags; NULL with an exception. */
static PyObject *collect(ctypes_prepared *prepared, PyObject *argtypes, PyObject *paramflags, PyObject *args,
                         PyObject *kwargs, Py_ssize_t *given)
{
    Py_ssize_t count = PyTuple_GET_SIZE(argtypes);
    PyObject *all = PyTuple_New(count);
    for (Py_ssize_t i = 0; all != NULL && i < count; i++) {
        parameter p = {0};
        PyObject *value = NULL, *type = PyTuple_GET_ITEM(argtypes, i);
        int mode = parse(PyTuple_GET_ITEM(paramflags, i), &p) == 0 ? p.flag & FLAG_MASK : -1;
        if (mode == (FLAG_IN | FLAG_LCID))
            value = p.value != NULL ? Py_NewRef(p.value) : PyLong_FromLong(0);
        else if (mode == FLAG_OUT)
            value = output(&p, type);
        else if (mode >= 0)
            value = input(&p, args, kwargs, given);
        if (value == NULL) {
            Py_CLEAR(all);
            break;
        }
        if (mode & FLAG_OUT) {
            unsigned bit = i < 32 ? 1u << i : 0;
            *(mode & FLAG_IN ? &prepared->inouts : &prepared->outs) |= bit;
            prepared->result_count += bit != 0;
        }
        PyTuple_SET_ITEM(all, i, value);
    }
    return all;
}

int ctypes_prototype_prepare(ctypes_prepared *prepared, PyObject *argtypes, PyObject *paramflags, PyObject *args,
                             PyObject *kwargs)
{
    *prepared = (ctypes_prepared){0};
    if (argtypes == NULL || paramflags == NULL || PyTuple_GET_SIZE(argtypes) == 0
        || PyTuple_GET_SIZE(argtypes) != PyTuple_GET_SIZE(paramflags)) {
        prepared->args = Py_NewRef(args);
        return 0;
    }
    Py_ssize_t given = 0, actual = PyTuple_GET_SIZE(args) + (kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0);
    prepared->args = collect(prepared, argtypes, paramflags, args, kwargs, &given);
    if (prepared->args == NULL)
        return -1;
    if (given == actual)
        return 0;
    PyErr_Format(PyExc_TypeError, "call takes exactly %zd arguments (%zd given)", given, actual);
    Py_CLEAR(prepared->args);
    return -1;
}

PyObject *ctypes_prototype_result(const ctypes_prepared *prepared, PyObject *result)
{
    if (result == NULL || prepared->result_count == 0)
        return result;
    Py_DECREF(result);
    PyObject *tuple = prepared->result_count > 1 ? PyTuple_New(prepared->result_count) : NULL;
    if (prepared->result_count > 1 && tuple == NULL)
        return NULL;
    Py_ssize_t filled = 0;
    for (Py_ssize_t i = 0; i < 32 && i < PyTuple_GET_SIZE(prepared->args); i++) {
        PyObject *value = PyTuple_GET_ITEM(prepared->args, i);
        if (prepared->inouts >> i & 1)
            Py_INCREF(value);
        else if (!(prepared->outs >> i & 1))
            continue;
        else if ((value = PyObject_CallMethod(value, "__ctypes_from_outparam__", NULL)) == NULL) {
            Py_XDECREF(tuple);
            return NULL;
        }
        if (tuple == NULL)
            return value;
        PyTuple_SET_ITEM(tuple, filled++, value);
    }
    return tuple;
}
