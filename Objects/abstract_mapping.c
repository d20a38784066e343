/* The mapping protocol. */
#include "Python.h"

static PyObject *null_error(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

int PyMapping_Check(PyObject *op)
{
    return op != NULL && Py_TYPE(op)->tp_as_mapping != NULL && Py_TYPE(op)->tp_as_mapping->mp_subscript != NULL;
}

#undef PyMapping_Length
Py_ssize_t PyMapping_Size(PyObject *op)
{
    if (op == NULL) {
        null_error();
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    PyMappingMethods *m = type->tp_as_mapping;
    if (m != NULL && m->mp_length != NULL)
        return m->mp_length(op);
    PySequenceMethods *s = type->tp_as_sequence;
    PyErr_Format(PyExc_TypeError,
                 s != NULL && s->sq_length != NULL ? "%.200s is not a mapping" : "object of type '%.200s' has no len()",
                 type->tp_name);
    return -1;
}

Py_ssize_t PyMapping_Length(PyObject *op)
{
    return PyMapping_Size(op);
}

/* ---- Items ---- */

PyObject *PyMapping_GetItemString(PyObject *op, const char *key)
{
    if (op == NULL || key == NULL)
        return null_error();
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL)
        return NULL;
    PyObject *result = PyObject_GetItem(op, str);
    Py_DECREF(str);
    return result;
}

int PyMapping_SetItemString(PyObject *op, const char *key, PyObject *value)
{
    if (op == NULL || key == NULL) {
        null_error();
        return -1;
    }
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL)
        return -1;
    int result = PyObject_SetItem(op, str, value);
    Py_DECREF(str);
    return result;
}

int PyMapping_GetOptionalItem(PyObject *op, PyObject *key, PyObject **result)
{
    if (PyDict_CheckExact(op))
        return PyDict_GetItemRef(op, key, result);
    *result = PyObject_GetItem(op, key);
    if (*result != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_KeyError))
        return -1;
    PyErr_Clear();
    return 0;
}

int PyMapping_GetOptionalItemString(PyObject *op, const char *key, PyObject **result)
{
    *result = NULL;
    if (key == NULL) {
        null_error();
        return -1;
    }
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL)
        return -1;
    int found = PyMapping_GetOptionalItem(op, str, result);
    Py_DECREF(str);
    return found;
}

int PyMapping_HasKeyWithError(PyObject *op, PyObject *key)
{
    PyObject *value;
    int found = PyMapping_GetOptionalItem(op, key, &value);
    Py_XDECREF(value);
    return found;
}

int PyMapping_HasKeyStringWithError(PyObject *op, const char *key)
{
    PyObject *value;
    int found = PyMapping_GetOptionalItemString(op, key, &value);
    Py_XDECREF(value);
    return found;
}

/* Every exception means "no", as the old interface has it. */
int PyMapping_HasKey(PyObject *op, PyObject *key)
{
    PyObject *value = PyObject_GetItem(op, key);
    if (value == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(value);
    return 1;
}

int PyMapping_HasKeyString(PyObject *op, const char *key)
{
    PyObject *value = PyMapping_GetItemString(op, key);
    if (value == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(value);
    return 1;
}

/* ---- Views as lists ---- */

/* Nobody else has the list: the one that the iterator fills can be found meanwhile by gc.get_objects. */
static PyObject *method_as_list(PyObject *op, const char *method)
{
    PyObject *view = PyObject_CallMethod(op, method, NULL), *result = NULL;
    if (view == NULL)
        return NULL;
    PyObject *iter = PyObject_GetIter(view);
    if (iter != NULL) {
        PyObject *filled = PySequence_List(iter);
        Py_DECREF(iter);
        result = filled != NULL ? PyList_GetSlice(filled, 0, PY_SSIZE_T_MAX) : NULL;
        Py_XDECREF(filled);
    }
    else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%.200s.%s() returned a non-iterable (type %.200s)", Py_TYPE(op)->tp_name, method,
                     Py_TYPE(view)->tp_name);
    }
    Py_DECREF(view);
    return result;
}

PyObject *PyMapping_Keys(PyObject *op)
{
    if (op == NULL)
        return null_error();
    return PyDict_CheckExact(op) ? PyDict_Keys(op) : method_as_list(op, "keys");
}

PyObject *PyMapping_Items(PyObject *op)
{
    if (op == NULL)
        return null_error();
    return PyDict_CheckExact(op) ? PyDict_Items(op) : method_as_list(op, "items");
}

PyObject *PyMapping_Values(PyObject *op)
{
    if (op == NULL)
        return null_error();
    return PyDict_CheckExact(op) ? PyDict_Values(op) : method_as_list(op, "values");
}
