/* Attributes of any object: PyObject_GetAttr and its family, and the generic look-up behind object.__getattribute__. */
#include "Python.h"

#include "instance.h"
#include "type.h"
#include "type_slots.h"
#include "unicode.h"

/* ---- Errors ---- */

/* Tells the AttributeError that is set what was looked for and where, unless it knows. */
static void add_error_context(PyObject *name, PyObject *op)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyAttributeErrorObject *error = (PyAttributeErrorObject *)exception;
    if (exception != NULL && PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_AttributeError) && error->name == NULL
        && error->obj == NULL
        && (PyObject_SetAttr(exception, STR(name), name) < 0 || PyObject_SetAttr(exception, STR(obj), op) < 0))
        PyErr_Clear();
    PyErr_SetRaisedException(exception);
}

PyObject *object_attribute_error(PyObject *op, PyObject *name)
{
    PyErr_Format(PyExc_AttributeError, "'%.50s' object has no attribute '%U'", Py_TYPE(op)->tp_name, name);
    add_error_context(name, op);
    return NULL;
}

static int bad_name(PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return -1;
}

/* ---- Generic look-up ---- */

static int get_own(PyObject *op, PyObject *name, PyObject *dict, PyObject **result)
{
    if (dict != NULL)
        return PyDict_GetItemRef(dict, name, result);
    return instance_get_attr(op, name, result);
}

/* Does the look-up of name in op surely run no code?  (An instance that has inline attributes now has always had them.) */
static int has_quiet_attributes(PyObject *op, PyObject *name)
{
    return value_is_heap(op) && PyUnicode_CheckExact(name) && (instance_shape(op) & SHAPE_ID_TAG);
}

PyObject *object_generic_getattr(PyObject *op, PyObject *name, PyObject *dict, int suppress)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descr, *result;
    if (!PyUnicode_Check(name)) {
        bad_name(name);
        return NULL;
    }
    if (Py_UNLIKELY(!PyType_HasFeature(type, Py_TPFLAGS_READY)) && PyType_Ready(type) < 0)
        return NULL;
    /* What the class has is a plain function, or nothing: no reference to it is taken. */
    if (dict == NULL && type_lookup_cached_racy(type, name, &descr, NULL)
        && (descr == NULL || heap_is_type(descr, &PyFunction_Type))) {
        if (instance_get_attr(op, name, &result) != 0) {
            descr = NULL;
            goto done;
        }
        type = Py_TYPE(op);         /* if code has run, the class there was may be gone */
        if (descr == NULL && has_quiet_attributes(op, name))
            return suppress ? NULL : object_attribute_error(op, name);
        /* the look-up may have run code */
        if (type_lookup_cached_racy(type, name, &descr, NULL)) {
            if (descr == NULL)
                return suppress ? NULL : object_attribute_error(op, name);
            if (heap_is_type(descr, &PyFunction_Type) && object_is_deferred(descr))
                return PyMethod_New(descr, op);
        }
    }
    if (type_lookup_ref(type, name, &descr, NULL) < 0)
        return NULL;
    descrgetfunc get = descr != NULL ? Py_TYPE(descr)->tp_descr_get : NULL;
    if (get != NULL && descr_is_data(descr)) {
        result = get(descr, op, (PyObject *)type);
        goto done;
    }
    if (get_own(op, name, dict, &result) != 0)
        goto done;
    if (get != NULL) {
        result = get(descr, op, (PyObject *)Py_TYPE(op));       /* not `type`: code may have run */
        goto done;
    }
    if (descr != NULL)
        return descr;
    return suppress ? NULL : object_attribute_error(op, name);
done:
    Py_XDECREF(descr);
    if (result == NULL && suppress && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear();
    return result;
}

PyObject *PyObject_GenericGetAttr(PyObject *op, PyObject *name) { return object_generic_getattr(op, name, NULL, 0); }

static int nothing_to_set(PyObject *op, PyObject *name, PyObject *value, PyObject *descr)
{
    if (descr != NULL)
        PyErr_Format(PyExc_AttributeError, "'%.50s' object attribute '%U' is read-only", Py_TYPE(op)->tp_name, name);
    else
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(op)->tp_name, name);
    return -1;
}

int object_generic_setattr(PyObject *op, PyObject *name, PyObject *value, PyObject *dict)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descr;
    int result;
    if (!PyUnicode_Check(name))
        return bad_name(name);
    if (Py_UNLIKELY(!PyType_HasFeature(type, Py_TPFLAGS_READY)) && PyType_Ready(type) < 0)
        return -1;
    if (type_lookup_ref(type, name, &descr, NULL) < 0)
        return -1;
    if (descr != NULL && descr_is_data(descr))
        result = Py_TYPE(descr)->tp_descr_set(descr, op, value);
    else if (dict != NULL) {
        result = value != NULL ? PyDict_SetItem(dict, name, value) : PyDict_DelItem(dict, name);
        if (result < 0 && value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            result = nothing_to_set(op, name, value, NULL);
        }
    }
    else {
        result = value_is_heap(op) ? instance_set_attr(op, name, value) : 1;
        if (result > 0)
            result = nothing_to_set(op, name, value, Py_TYPE(op)->tp_dictoffset == 0 ? descr : NULL);
    }
    Py_XDECREF(descr);
    return result;
}

int PyObject_GenericSetAttr(PyObject *op, PyObject *name, PyObject *value)
{
    return object_generic_setattr(op, name, value, NULL);
}

/* The names that CPython's own sources use. */
PyAPI_FUNC(PyObject *) _PyObject_GenericGetAttrWithDict(PyObject *op, PyObject *name, PyObject *dict, int suppress)
{
    return object_generic_getattr(op, name, dict, suppress);
}
PyAPI_FUNC(int) _PyObject_GenericSetAttrWithDict(PyObject *op, PyObject *name, PyObject *value, PyObject *dict)
{
    return object_generic_setattr(op, name, value, dict);
}

/* ---- __dict__ ---- */

PyObject **_PyObject_GetDictPtr(PyObject *op)
{
    return value_is_heap(op) ? instance_dict_pointer_materialised(op) : NULL;
}

PyObject *PyObject_GenericGetDict(PyObject *op, void *context)
{
    return instance_get_dict(op);
}

int PyObject_GenericSetDict(PyObject *op, PyObject *value, void *context)
{
    if (instance_dict_pointer(op) == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    return instance_set_dict(op, value);
}

/* ---- Getting ---- */

static PyObject *get_attr(PyObject *op, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *result = NULL;
    if (!PyUnicode_Check(name)) {
        bad_name(name);
        return NULL;
    }
    if (type->tp_getattro != NULL)
        result = type->tp_getattro(op, name);
    else if (type->tp_getattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text != NULL)
            result = type->tp_getattr(op, (char *)text);
    }
    else
        return object_attribute_error(op, name);
    return result;
}

PyObject *PyObject_GetAttr(PyObject *op, PyObject *name)
{
    PyObject *result = get_attr(op, name);
    if (Py_UNLIKELY(result == NULL) && PyErr_ExceptionMatches(PyExc_AttributeError))
        add_error_context(name, op);
    return result;
}

int PyObject_GetOptionalAttr(PyObject *op, PyObject *name, PyObject **result)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!PyUnicode_Check(name)) {
        *result = NULL;
        return bad_name(name);
    }
    if (type->tp_getattro == PyObject_GenericGetAttr) {
        *result = object_generic_getattr(op, name, NULL, 1);
        return *result != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
    }
    if (type->tp_getattro == PyType_Type.tp_getattro) {
        *result = type_get_attr(op, name, 1);
        if (*result == NULL && !PyErr_Occurred())
            return 0;
    }
    else
        *result = get_attr(op, name);
    if (*result != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

int _PyObject_LookupAttr(PyObject *op, PyObject *name, PyObject **result)
{
    return PyObject_GetOptionalAttr(op, name, result);
}

PyObject *PyObject_GetAttrString(PyObject *op, const char *name)
{
    if (Py_TYPE(op)->tp_getattro == NULL && Py_TYPE(op)->tp_getattr != NULL)
        return Py_TYPE(op)->tp_getattr(op, (char *)name);
    PyObject *str = PyUnicode_InternFromString(name);
    PyObject *result = str != NULL ? PyObject_GetAttr(op, str) : NULL;
    Py_XDECREF(str);
    return result;
}

int PyObject_GetOptionalAttrString(PyObject *op, const char *name, PyObject **result)
{
    PyObject *str = PyUnicode_InternFromString(name);
    if (str == NULL) {
        *result = NULL;
        return -1;
    }
    int found = PyObject_GetOptionalAttr(op, str, result);
    Py_DECREF(str);
    return found;
}

int PyObject_HasAttrWithError(PyObject *op, PyObject *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttr(op, name, &value);
    Py_XDECREF(value);
    return found;
}

int PyObject_HasAttr(PyObject *op, PyObject *name)
{
    int found = PyObject_HasAttrWithError(op, name);
    if (found < 0)
        PyErr_Clear();
    return found > 0;
}

int PyObject_HasAttrString(PyObject *op, const char *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttrString(op, name, &value);
    Py_XDECREF(value);
    if (found < 0)
        PyErr_Clear();
    return found > 0;
}

/* ---- Setting ---- */

int PyObject_SetAttr(PyObject *op, PyObject *name, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!PyUnicode_Check(name))
        return bad_name(name);
    Py_INCREF(name);
    if (PyUnicode_CheckExact(name) && !unicode_is_interned(name))
        PyUnicode_InternInPlace(&name);
    int result = -1;
    if (type->tp_setattro != NULL)
        result = type->tp_setattro(op, name, value);
    else if (type->tp_setattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text != NULL)
            result = type->tp_setattr(op, (char *)text, value);
    }
    else
        PyErr_Format(PyExc_TypeError,
                     type->tp_getattr == NULL && type->tp_getattro == NULL
                         ? "'%.100s' object has no attributes (%s .%U)"
                         : "'%.100s' object has only read-only attributes (%s .%U)",
                     type->tp_name, value == NULL ? "del" : "assign to", name);
    Py_DECREF(name);
    return result;
}

int PyObject_SetAttrString(PyObject *op, const char *name, PyObject *value)
{
    if (Py_TYPE(op)->tp_setattro == NULL && Py_TYPE(op)->tp_setattr != NULL)
        return Py_TYPE(op)->tp_setattr(op, (char *)name, value);
    PyObject *str = PyUnicode_InternFromString(name);
    int result = str != NULL ? PyObject_SetAttr(op, str, value) : -1;
    Py_XDECREF(str);
    return result;
}

/* ---- Small ones ---- */

PyObject *object_get_builtin(PyObject *name)
{
    PyObject *builtins = PyEval_GetBuiltins(), *value = NULL;
    if (builtins != NULL && PyDict_GetItemRef(builtins, name, &value) == 0)
        PyErr_SetObject(PyExc_AttributeError, name);
    return value;
}

int PyCallable_Check(PyObject *op) { return op != NULL && Py_TYPE(op)->tp_call != NULL; }

PyObject *PyObject_SelfIter(PyObject *op) { return Py_NewRef(op); }

PyObject *_PyObject_NextNotImplemented(PyObject *op)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(op)->tp_name);
    return NULL;
}
