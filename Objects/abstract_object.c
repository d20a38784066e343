/* Operations on any object: length, subscripts, formatting, isinstance and issubclass. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/call.h"
#include "internal/method_ref.h"
#include "internal/string_format.h"
#include "internal/type.h"
#include "internal/well_known_strings.h"

static PyObject *null_error(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

PyObject *PyObject_Type(PyObject *op)
{
    if (op == NULL)
        return null_error();
    return Py_NewRef(Py_TYPE(op));
}

/* ---- Length ---- */

#undef PyObject_Length
Py_ssize_t PyObject_Size(PyObject *op)
{
    if (op == NULL) {
        null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(op)->tp_as_sequence;
    if (m != NULL && m->sq_length != NULL)
        return m->sq_length(op);
    return PyMapping_Size(op);
}

Py_ssize_t PyObject_Length(PyObject *op)
{
    return PyObject_Size(op);
}

int _PyObject_HasLen(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL)
           || (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL);
}

Py_ssize_t PyObject_LengthHint(PyObject *op, Py_ssize_t fallback)
{
    if (_PyObject_HasLen(op)) {
        Py_ssize_t n = PyObject_Size(op);
        if (n >= 0)
            return n;
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        PyErr_Clear();
    }
    PyObject *hint = _PyObject_LookupSpecial(op, STR(__length_hint__));
    if (hint == NULL)
        return PyErr_Occurred() ? -1 : fallback;
    PyObject *result = PyObject_CallNoArgs(hint);
    Py_DECREF(hint);
    if (result == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        PyErr_Clear();
        return fallback;
    }
    Py_ssize_t n = fallback;
    if (result == Py_NotImplemented)
        ;
    else if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__length_hint__ must be an integer, not %.100s", Py_TYPE(result)->tp_name);
        n = -1;
    }
    else {
        n = PyLong_AsSsize_t(result);
        if (n < 0 && !PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "__length_hint__() should return >= 0");
            n = -1;
        }
    }
    Py_DECREF(result);
    return n;
}

/* ---- Subscripts ---- */

/* C[key] for a class without __getitem__ on its metaclass. */
static PyObject *class_getitem(PyObject *cls, PyObject *key)
{
    if (cls == (PyObject *)&PyType_Type)        /* type itself has no __class_getitem__, but type[int] works */
        return Py_GenericAlias(cls, key);
    PyObject *method;
    if (PyObject_GetOptionalAttr(cls, STR(__class_getitem__), &method) < 0)
        return NULL;
    if (method != NULL && method != Py_None) {
        PyObject *result = PyObject_CallOneArg(method, key);
        Py_DECREF(method);
        return result;
    }
    Py_XDECREF(method);
    PyErr_Format(PyExc_TypeError, "type '%.200s' is not subscriptable", ((PyTypeObject *)cls)->tp_name);
    return NULL;
}

PyObject *PyObject_GetItem(PyObject *op, PyObject *key)
{
    if (op == NULL || key == NULL)
        return null_error();
    PyTypeObject *type = Py_TYPE(op);
    PyMappingMethods *m = type->tp_as_mapping;
    if (m != NULL && m->mp_subscript != NULL)
        return m->mp_subscript(op, key);
    PySequenceMethods *s = type->tp_as_sequence;
    if (s != NULL && s->sq_item != NULL) {
        if (PyIndex_Check(key)) {
            Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
            if (i == -1 && PyErr_Occurred())
                return NULL;
            return PySequence_GetItem(op, i);
        }
        PyErr_Format(PyExc_TypeError, "sequence index must be integer, not '%.200s'", Py_TYPE(key)->tp_name);
        return NULL;
    }
    if (PyType_Check(op))
        return class_getitem(op, key);
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not subscriptable", type->tp_name);
    return NULL;
}

/* value NULL deletes. */
static int assign_item(PyObject *op, PyObject *key, PyObject *value)
{
    if (op == NULL || key == NULL) {
        null_error();
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    PyMappingMethods *m = type->tp_as_mapping;
    if (m != NULL && m->mp_ass_subscript != NULL)
        return m->mp_ass_subscript(op, key, value);
    PySequenceMethods *s = type->tp_as_sequence;
    if (s != NULL) {
        if (PyIndex_Check(key)) {
            Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
            if (i == -1 && PyErr_Occurred())
                return -1;
            return value != NULL ? PySequence_SetItem(op, i, value) : PySequence_DelItem(op, i);
        }
        if (s->sq_ass_item != NULL) {
            PyErr_Format(PyExc_TypeError, "sequence index must be integer, not '%.200s'", Py_TYPE(key)->tp_name);
            return -1;
        }
    }
    PyErr_Format(PyExc_TypeError,
                 value != NULL ? "'%.200s' object does not support item assignment"
                               : "'%.200s' object does not support item deletion",
                 type->tp_name);
    return -1;
}

int PyObject_SetItem(PyObject *op, PyObject *key, PyObject *value)
{
    if (value == NULL) {
        null_error();
        return -1;
    }
    return assign_item(op, key, value);
}

int PyObject_DelItem(PyObject *op, PyObject *key)
{
    return assign_item(op, key, NULL);
}

int PyObject_DelItemString(PyObject *op, const char *key)
{
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL)
        return -1;
    int result = assign_item(op, str, NULL);
    Py_DECREF(str);
    return result;
}

/* ---- Formatting ---- */

PyObject *PyObject_Format(PyObject *op, PyObject *format_spec)
{
    if (format_spec != NULL && !PyUnicode_Check(format_spec)) {
        PyErr_Format(PyExc_SystemError, "Format specifier must be a string, not %.200s", Py_TYPE(format_spec)->tp_name);
        return NULL;
    }
    if (format_spec == NULL || PyUnicode_GET_LENGTH(format_spec) == 0) {
        if (PyUnicode_CheckExact(op))
            return Py_NewRef(op);
        if (PyLong_CheckExact(op))
            return PyObject_Str(op);
    }
    else if (PyLong_CheckExact(op))
        return format_int(op, format_spec);
    else if (PyFloat_CheckExact(op))
        return format_float(op, format_spec);
    else if (PyUnicode_CheckExact(op))
        return format_str(op, format_spec);
    PyObject *empty = NULL, *result = NULL, *method = _PyObject_LookupSpecial(op, STR(__format__));
    if (method == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __format__", Py_TYPE(op)->tp_name);
        return NULL;
    }
    if (format_spec == NULL)
        format_spec = empty = PyUnicode_New(0, 0);
    if (format_spec != NULL)
        result = PyObject_CallOneArg(method, format_spec);
    Py_DECREF(method);
    Py_XDECREF(empty);
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__format__ must return a str, not %.200s", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

/* ---- isinstance, issubclass ---- */

/* cls.__bases__ if that is a tuple, else NULL without an exception. */
static PyObject *get_bases(PyObject *cls)
{
    PyObject *bases;
    if (PyObject_GetOptionalAttr(cls, STR(__bases__), &bases) < 0)
        return NULL;
    if (bases != NULL && !PyTuple_Check(bases))
        Py_CLEAR(bases);
    return bases;
}

/* Walks the __bases__ of something that is not a real class. */
static int abstract_issubclass(PyObject *derived, PyObject *cls)
{
    PyObject *bases = NULL;
    int result = 0;
    for (;;) {
        if (derived == cls) {
            result = 1;
            break;
        }
        Py_XSETREF(bases, get_bases(derived));      /* the old tuple has kept derived alive until here */
        if (bases == NULL) {
            result = PyErr_Occurred() ? -1 : 0;
            break;
        }
        Py_ssize_t n = PyTuple_GET_SIZE(bases);
        if (n == 1) {
            derived = PyTuple_GET_ITEM(bases, 0);
            continue;
        }
        for (Py_ssize_t i = 0; i < n && result == 0; i++) {
            if (Py_EnterRecursiveCall(" in __issubclass__") < 0) {
                result = -1;
                break;
            }
            result = abstract_issubclass(PyTuple_GET_ITEM(bases, i), cls);
            Py_LeaveRecursiveCall();
        }
        break;
    }
    Py_XDECREF(bases);
    return result;
}

/* 1 if cls looks like a class; otherwise 0 with TypeError(message). */
static int check_class(PyObject *cls, const char *message)
{
    PyObject *bases = get_bases(cls);
    if (bases == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, message);
        return 0;
    }
    Py_DECREF(bases);
    return 1;
}

/* Is op.__class__ its type for sure, because it is what class object has? */
static int has_plain_class(PyObject *op)
{
    PyObject *own, *plain;
    if (Py_TYPE(op)->tp_getattro != PyObject_GenericGetAttr || !type_lookup_cached_racy(Py_TYPE(op), STR(__class__), &own, NULL))
        return 0;
    if (type_lookup_cached_racy(&PyBaseObject_Type, STR(__class__), &plain, NULL))
        return own == plain;
    if (type_lookup_ref(&PyBaseObject_Type, STR(__class__), &plain, NULL) > 0)      /* cached from now on */
        Py_DECREF(plain);
    return 0;
}

static int real_isinstance(PyObject *op, PyObject *cls)
{
    PyObject *icls;
    if (PyType_Check(cls)) {
        int result = PyObject_TypeCheck(op, (PyTypeObject *)cls);
        if (result || has_plain_class(op))
            return result;
        /* a proxy may claim another class */
        if (PyObject_GetOptionalAttr(op, STR(__class__), &icls) < 0)
            return -1;
        if (icls != NULL && icls != (PyObject *)Py_TYPE(op) && PyType_Check(icls))
            result = PyType_IsSubtype((PyTypeObject *)icls, (PyTypeObject *)cls);
        Py_XDECREF(icls);
        return result;
    }
    if (!check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union"))
        return -1;
    if (PyObject_GetOptionalAttr(op, STR(__class__), &icls) < 0)
        return -1;
    int result = icls == NULL ? 0 : abstract_issubclass(icls, cls);
    Py_XDECREF(icls);
    return result;
}

static int real_issubclass(PyObject *derived, PyObject *cls)
{
    if (PyType_Check(cls) && PyType_Check(derived))
        return PyType_IsSubtype((PyTypeObject *)derived, (PyTypeObject *)cls);
    if (!check_class(derived, "issubclass() arg 1 must be a class"))
        return -1;
    if (!_PyUnion_Check(cls) && !check_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, or a union"))
        return -1;
    return abstract_issubclass(derived, cls);
}

int _PyObject_RealIsInstance(PyObject *op, PyObject *cls) { return real_isinstance(op, cls); }
int _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls) { return real_issubclass(derived, cls); }

/* Calls the hook found on cls's type, and drops it. */
static int call_check_hook(struct method_ref *hook, PyObject *cls, PyObject *arg, const char *where)
{
    if (Py_EnterRecursiveCall(where) < 0) {
        method_ref_drop(hook);
        return -1;
    }
    PyObject *args[] = {cls, arg}, *answer = method_ref_call(hook, args, 2);
    Py_LeaveRecursiveCall();
    if (answer == NULL)
        return -1;
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

typedef int (*class_check)(PyObject *, PyObject *);

static int check_any(PyObject *arg, PyObject *classes, class_check check, const char *where)
{
    int result = 0;
    if (call_enter_as(where) < 0)
        return -1;
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(classes); i < n && result == 0; i++)
        result = check(arg, PyTuple_GET_ITEM(classes, i));
    call_leave();
    return result;
}

static int check_with_hook(PyObject *arg, PyObject *cls, PyObject *hook_name, class_check real, const char *where)
{
    struct method_ref hook;
    int found = method_ref_take(cls, hook_name, &hook);
    if (found != 0)
        return found < 0 ? -1 : call_check_hook(&hook, cls, arg, where);
    return real(arg, cls);
}

int PyObject_IsInstance(PyObject *op, PyObject *cls)
{
    if (Py_IS_TYPE(op, (PyTypeObject *)cls))
        return 1;
    if (PyType_CheckExact(cls))
        return real_isinstance(op, cls);
    if (PyTuple_Check(cls))
        return check_any(op, cls, PyObject_IsInstance, " in __instancecheck__");
    return check_with_hook(op, cls, STR(__instancecheck__), real_isinstance, " in __instancecheck__");
}

int PyObject_IsSubclass(PyObject *derived, PyObject *cls)
{
    if (PyType_CheckExact(cls)) {
        if (derived == cls)
            return 1;
        return real_issubclass(derived, cls);
    }
    if (PyTuple_Check(cls))
        return check_any(derived, cls, PyObject_IsSubclass, " in __subclasscheck__");
    return check_with_hook(derived, cls, STR(__subclasscheck__), real_issubclass, " in __subclasscheck__");
}
