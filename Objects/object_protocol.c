/* repr, str, comparison, hash, truth, dir of any object; None, NotImplemented and Ellipsis are in object_singletons.c. */
#include "Python.h"

#include "call.h"
#include "memory.h"
#include "thread_state.h"
#include "type.h"
#include "unicode.h"

/* ---- Text ---- */

PyObject *PyObject_Repr(PyObject *op)
{
    if (op == NULL)
        return PyUnicode_FromString("<NULL>");
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_repr == NULL)
        return PyUnicode_FromFormat("<%s object at %p>", type->tp_name, op);
    if (call_enter_as(" while getting the repr of an object"))
        return NULL;
    PyObject *result = type->tp_repr(op);
    call_leave();
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__repr__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyObject_Str(PyObject *op)
{
    if (op == NULL)
        return PyUnicode_FromString("<NULL>");
    if (PyUnicode_CheckExact(op))
        return Py_NewRef(op);
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_str == NULL)
        return PyObject_Repr(op);
    if (call_enter_as(" while getting the str of an object"))
        return NULL;
    PyObject *result = type->tp_str(op);
    call_leave();
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__str__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyObject_ASCII(PyObject *op)
{
    PyObject *repr = PyObject_Repr(op);
    if (repr == NULL || PyUnicode_IS_ASCII(repr))
        return repr;
    PyObject *bytes = PyUnicode_AsEncodedString(repr, "ascii", "backslashreplace");
    Py_DECREF(repr);
    if (bytes == NULL)
        return NULL;
    PyObject *result = PyUnicode_DecodeASCII(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "strict");
    Py_DECREF(bytes);
    return result;
}

PyObject *PyObject_Bytes(PyObject *op)
{
    if (op == NULL)
        return PyBytes_FromString("<NULL>");
    if (PyBytes_CheckExact(op))
        return Py_NewRef(op);
    PyObject *func = type_lookup_special(op, STR(__bytes__));
    if (func == NULL)
        return PyErr_Occurred() ? NULL : PyBytes_FromObject(op);
    PyObject *result = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (result != NULL && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

int PyObject_Print(PyObject *op, FILE *file, int flags)
{
    int result = 0;
    if (PyErr_CheckSignals())
        return -1;
    clearerr(file);
    PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(op) : PyObject_Repr(op);
    PyObject *bytes = text != NULL ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    if (bytes == NULL)
        result = -1;
    else
        fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), file);
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    if (result == 0 && ferror(file)) {
        PyErr_SetFromErrno(PyExc_OSError);
        clearerr(file);
        result = -1;
    }
    return result;
}

/* ---- Recursion in repr ---- */

/* The thread's objects whose repr is under way: a list in its dict. New reference, or NULL (without exception: no thread state). */
static PyObject *repr_list(int make)
{
    PyObject *dict = PyThreadState_GetDict(), *list = NULL;
    if (dict == NULL)
        return NULL;
    PyObject *key = PyUnicode_InternFromString("Py_Repr");
    if (key == NULL)
        return NULL;
    if (PyDict_GetItemRef(dict, key, &list) == 0 && make) {
        list = PyList_New(0);
        if (list != NULL && PyDict_SetItem(dict, key, list) < 0)
            Py_CLEAR(list);
    }
    Py_DECREF(key);
    return list;
}

int Py_ReprEnter(PyObject *op)
{
    PyObject *list = repr_list(1);
    if (list == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = 0;
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0 && result == 0; i--)
        result = PyList_GET_ITEM(list, i) == op;
    if (result == 0)
        result = PyList_Append(list, op);
    Py_DECREF(list);
    return result;
}

void Py_ReprLeave(PyObject *op)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *list = repr_list(0);
    if (list != NULL && PyList_Check(list))
        for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--)
            if (PyList_GET_ITEM(list, i) == op) {
                PyList_SetSlice(list, i, i + 1, NULL);
                break;
            }
    Py_XDECREF(list);
    PyErr_Restore(type, value, traceback);
}

/* ---- Comparison ---- */

static const int swapped[] = {Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE};
static const char *const symbols[] = {"<", "<=", "==", "!=", ">", ">="};

static PyObject *compare(PyObject *a, PyObject *b, int op)
{
    PyTypeObject *ta = Py_TYPE(a), *tb = Py_TYPE(b);
    richcmpfunc function;
    PyObject *result;
    int tried_b = 0;
    if (ta != tb && tb->tp_richcompare != NULL && PyType_IsSubtype(tb, ta)) {
        tried_b = 1;
        result = tb->tp_richcompare(b, a, swapped[op]);
        if (result != Py_NotImplemented)
            return result;
    }
    /* Each class is asked for anew: what has been called may have given an object another, and the one it had may be gone. */
    if ((function = Py_TYPE(a)->tp_richcompare) != NULL) {
        result = function(a, b, op);
        if (result != Py_NotImplemented)
            return result;
    }
    if (!tried_b && (function = Py_TYPE(b)->tp_richcompare) != NULL) {
        result = function(b, a, swapped[op]);
        if (result != Py_NotImplemented)
            return result;
    }
    if (op == Py_EQ)
        return PyBool_FromLong(a == b);
    if (op == Py_NE)
        return PyBool_FromLong(a != b);
    PyErr_Format(PyExc_TypeError, "'%s' not supported between instances of '%.100s' and '%.100s'", symbols[op],
                 Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    return NULL;
}

PyObject *PyObject_RichCompare(PyObject *a, PyObject *b, int op)
{
    if (a == NULL || b == NULL) {
        if (!PyErr_Occurred())
            PyErr_BadInternalCall();
        return NULL;
    }
    if (call_enter_as(" in comparison"))
        return NULL;
    PyObject *result = compare(a, b, op);
    call_leave();
    return result;
}

/* The words of two immediate ints are in the order of the ints. */
static inline int compare_words(intptr_t a, intptr_t b, int op)
{
    switch (op) {
    case Py_LT: return a < b;
    case Py_LE: return a <= b;
    case Py_EQ: return a == b;
    case Py_NE: return a != b;
    case Py_GT: return a > b;
    default: return a >= b;
    }
}

int PyObject_RichCompareBool(PyObject *a, PyObject *b, int op)
{
    if (value_both_ints(a, b))
        return compare_words((intptr_t)a, (intptr_t)b, op);
    if (op == Py_EQ || op == Py_NE) {
        if (a == b)
            return op == Py_EQ;
        if (heap_is_type(a, &PyUnicode_Type) && heap_is_type(b, &PyUnicode_Type))
            return unicode_equal(a, b) == (op == Py_EQ);
    }
    PyObject *result = PyObject_RichCompare(a, b, op);
    if (result == NULL)
        return -1;
    int truth = PyBool_Check(result) ? result == Py_True : PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

/* ---- Hash ---- */

Py_hash_t PyObject_HashNotImplemented(PyObject *op)
{
    PyErr_Format(PyExc_TypeError, "unhashable type: '%.200s'", Py_TYPE(op)->tp_name);
    return -1;
}

Py_hash_t PyObject_Hash(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_hash != NULL)
        return type->tp_hash(op);
    if (!PyType_HasFeature(type, Py_TPFLAGS_READY)) {
        if (PyType_Ready(type) < 0)
            return -1;
        if (type->tp_hash != NULL)
            return type->tp_hash(op);
    }
    return PyObject_HashNotImplemented(op);
}

/* ---- Truth ---- */

int PyObject_IsTrue(PyObject *op)
{
    Py_ssize_t result;
    if (op == Py_True)
        return 1;
    if (op == Py_False || op == Py_None)
        return 0;
    if (value_is_int(op))
        return value_get_int(op) != 0;
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_number != NULL && type->tp_as_number->nb_bool != NULL)
        result = type->tp_as_number->nb_bool(op);
    else if (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL)
        result = type->tp_as_mapping->mp_length(op);
    else if (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL)
        result = type->tp_as_sequence->sq_length(op);
    else
        return 1;
    return result > 0 ? 1 : (int)result;
}

int PyObject_Not(PyObject *op)
{
    int result = PyObject_IsTrue(op);
    return result < 0 ? result : !result;
}

/* ---- dir ---- */

static PyObject *dir_of_locals(void)
{
    PyObject *locals = PyEval_GetLocals();
    if (locals == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    PyObject *names = PyMapping_Keys(locals);
    if (names == NULL)
        return NULL;
    if (!PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError, "dir(): expected keys() of locals to be a list, not '%.200s'", Py_TYPE(names)->tp_name);
        Py_CLEAR(names);
    }
    return names;
}

PyObject *PyObject_Dir(PyObject *op)
{
    PyObject *names;
    if (op == NULL)
        names = dir_of_locals();
    else {
        PyObject *func = type_lookup_special(op, STR(__dir__));
        if (func == NULL) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "object does not provide __dir__");
            return NULL;
        }
        PyObject *result = PyObject_CallNoArgs(func);
        Py_DECREF(func);
        if (result == NULL)
            return NULL;
        names = PySequence_List(result);
        Py_DECREF(result);
    }
    if (names != NULL && PyList_Sort(names) < 0)
        Py_CLEAR(names);
    return names;
}
