/* The sequence protocol. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/list.h"

static PyObject *null_error(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

static Py_COLD PyObject *type_error(const char *format, PyObject *op)
{
    PyErr_Format(PyExc_TypeError, format, Py_TYPE(op)->tp_name);
    return NULL;
}

static inline PySequenceMethods *methods(PyObject *op)
{
    return Py_TYPE(op)->tp_as_sequence;
}

static inline int has_mapping_item(PyObject *op)
{
    PyMappingMethods *m = Py_TYPE(op)->tp_as_mapping;
    return m != NULL && m->mp_subscript != NULL;
}

int PySequence_Check(PyObject *op)
{
    if (PyDict_Check(op))
        return 0;
    return methods(op) != NULL && methods(op)->sq_item != NULL;
}

#undef PySequence_Length
Py_ssize_t PySequence_Size(PyObject *op)
{
    if (op == NULL) {
        null_error();
        return -1;
    }
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_length != NULL)
        return m->sq_length(op);
    PyMappingMethods *mm = Py_TYPE(op)->tp_as_mapping;
    type_error(mm != NULL && mm->mp_length != NULL ? "%.200s is not a sequence" : "object of type '%.200s' has no len()",
               op);
    return -1;
}

Py_ssize_t PySequence_Length(PyObject *op)
{
    return PySequence_Size(op);
}

/* ---- Concatenation and repetition ---- */

static PyObject *concat_by_add(PyObject *a, PyObject *b, size_t inplace)
{
    if (PySequence_Check(a) && PySequence_Check(b)) {
        PyObject *result = Py_NotImplemented;
        PyNumberMethods *m = Py_TYPE(a)->tp_as_number;
        if (inplace && m != NULL && m->nb_inplace_add != NULL)
            result = m->nb_inplace_add(a, b);
        if (result == Py_NotImplemented)
            result = number_binary_slots(a, b, NUMBER_SLOT(nb_add));
        if (result != Py_NotImplemented)
            return result;
    }
    return type_error("'%.200s' object can't be concatenated", a);
}

PyObject *PySequence_Concat(PyObject *a, PyObject *b)
{
    if (a == NULL || b == NULL)
        return null_error();
    PySequenceMethods *m = methods(a);
    if (m != NULL && m->sq_concat != NULL)
        return m->sq_concat(a, b);
    return concat_by_add(a, b, 0);
}

PyObject *PySequence_InPlaceConcat(PyObject *a, PyObject *b)
{
    if (a == NULL || b == NULL)
        return null_error();
    PySequenceMethods *m = methods(a);
    if (m != NULL && m->sq_inplace_concat != NULL)
        return m->sq_inplace_concat(a, b);
    if (m != NULL && m->sq_concat != NULL)
        return m->sq_concat(a, b);
    return concat_by_add(a, b, 1);
}

static PyObject *repeat_by_multiply(PyObject *op, Py_ssize_t count, int inplace)
{
    if (PySequence_Check(op)) {
        PyObject *n = PyLong_FromSsize_t(count);
        if (n == NULL)
            return NULL;
        PyObject *result = Py_NotImplemented;
        PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
        if (inplace && m != NULL && m->nb_inplace_multiply != NULL)
            result = m->nb_inplace_multiply(op, n);
        if (result == Py_NotImplemented)
            result = number_binary_slots(op, n, NUMBER_SLOT(nb_multiply));
        Py_DECREF(n);
        if (result != Py_NotImplemented)
            return result;
    }
    return type_error("'%.200s' object can't be repeated", op);
}

PyObject *PySequence_Repeat(PyObject *op, Py_ssize_t count)
{
    if (op == NULL)
        return null_error();
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_repeat != NULL)
        return m->sq_repeat(op, count);
    return repeat_by_multiply(op, count, 0);
}

PyObject *PySequence_InPlaceRepeat(PyObject *op, Py_ssize_t count)
{
    if (op == NULL)
        return null_error();
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_inplace_repeat != NULL)
        return m->sq_inplace_repeat(op, count);
    if (m != NULL && m->sq_repeat != NULL)
        return m->sq_repeat(op, count);
    return repeat_by_multiply(op, count, 1);
}

/* ---- Items ---- */

/* Adds the length to a negative index, if the type has one. 0 or -1. */
static int fix_negative(PyObject *op, PySequenceMethods *m, Py_ssize_t *i)
{
    if (*i < 0 && m->sq_length != NULL) {
        Py_ssize_t n = m->sq_length(op);
        if (n < 0)
            return -1;
        *i += n;
    }
    return 0;
}

PyObject *PySequence_GetItem(PyObject *op, Py_ssize_t i)
{
    if (op == NULL)
        return null_error();
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_item != NULL) {
        if (fix_negative(op, m, &i) < 0)
            return NULL;
        return m->sq_item(op, i);
    }
    return type_error(has_mapping_item(op) ? "%.200s is not a sequence" : "'%.200s' object does not support indexing",
                      op);
}

static int assign_item(PyObject *op, Py_ssize_t i, PyObject *value, const char *message)
{
    if (op == NULL) {
        null_error();
        return -1;
    }
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_ass_item != NULL) {
        if (fix_negative(op, m, &i) < 0)
            return -1;
        return m->sq_ass_item(op, i, value);
    }
    PyMappingMethods *mm = Py_TYPE(op)->tp_as_mapping;
    type_error(mm != NULL && mm->mp_ass_subscript != NULL ? "%.200s is not a sequence" : message, op);
    return -1;
}

int PySequence_SetItem(PyObject *op, Py_ssize_t i, PyObject *value)
{
    return assign_item(op, i, value, "'%.200s' object does not support item assignment");
}

int PySequence_DelItem(PyObject *op, Py_ssize_t i)
{
    return assign_item(op, i, NULL, "'%.200s' object doesn't support item deletion");
}

PyObject *PySequence_GetSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi)
{
    if (op == NULL)
        return null_error();
    if (!has_mapping_item(op))
        return type_error("'%.200s' object is unsliceable", op);
    PyObject *slice = _PySlice_FromIndices(lo, hi);
    if (slice == NULL)
        return NULL;
    PyObject *result = Py_TYPE(op)->tp_as_mapping->mp_subscript(op, slice);
    Py_DECREF(slice);
    return result;
}

static int assign_slice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, PyObject *value, const char *message)
{
    if (op == NULL) {
        null_error();
        return -1;
    }
    PyMappingMethods *m = Py_TYPE(op)->tp_as_mapping;
    if (m == NULL || m->mp_ass_subscript == NULL) {
        type_error(message, op);
        return -1;
    }
    PyObject *slice = _PySlice_FromIndices(lo, hi);
    if (slice == NULL)
        return -1;
    int result = m->mp_ass_subscript(op, slice, value);
    Py_DECREF(slice);
    return result;
}

int PySequence_SetSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, PyObject *value)
{
    return assign_slice(op, lo, hi, value, "'%.200s' object doesn't support slice assignment");
}

int PySequence_DelSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi)
{
    return assign_slice(op, lo, hi, NULL, "'%.200s' object doesn't support slice deletion");
}

/* ---- Conversions ---- */

PyObject *PySequence_Tuple(PyObject *op)
{
    if (op == NULL)
        return null_error();
    if (PyTuple_CheckExact(op))
        return Py_NewRef(op);
    if (PyList_CheckExact(op))
        return PyList_AsTuple(op);
    /* A list of our own that nobody else sees, then its items moved into a tuple. */
    PyObject *list = PySequence_List(op);
    if (list == NULL)
        return NULL;
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

PyObject *PySequence_List(PyObject *op)
{
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    PyObject *none = _PyList_Extend((PyListObject *)list, op);
    if (none == NULL) {
        Py_DECREF(list);
        return NULL;
    }
    Py_DECREF(none);
    return list;
}

PyObject *PySequence_Fast(PyObject *op, const char *message)
{
    if (op == NULL)
        return null_error();
    if (PyList_CheckExact(op) || PyTuple_CheckExact(op))
        return Py_NewRef(op);
    PyObject *list;
    if (list_from_shared(op, &list) != 0)
        return list;
    PyObject *iter = PyObject_GetIter(op);
    if (iter == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, message);
        return NULL;
    }
    list = PySequence_List(iter);
    Py_DECREF(iter);
    return list;
}

/* ---- Searching ---- */

Py_ssize_t _PySequence_IterSearch(PyObject *op, PyObject *value, int operation)
{
    if (op == NULL || value == NULL) {
        null_error();
        return -1;
    }
    PyObject *iter = PyObject_GetIter(op);
    if (iter == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            type_error("argument of type '%.200s' is not iterable", op);
        return -1;
    }
    Py_ssize_t n = 0, result = -1;
    int wrapped = 0;        /* in an index search the position no longer fits */
    for (;;) {
        PyObject *item = PyIter_Next(iter);
        if (item == NULL) {
            if (PyErr_Occurred())
                break;
            if (operation == PY_ITERSEARCH_INDEX)
                PyErr_SetString(PyExc_ValueError, "sequence.index(x): x not in sequence");
            else
                result = operation == PY_ITERSEARCH_COUNT ? n : 0;
            break;
        }
        int equal = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (equal < 0)
            break;
        if (equal && operation == PY_ITERSEARCH_CONTAINS) {
            result = 1;
            break;
        }
        if (equal && operation == PY_ITERSEARCH_INDEX) {
            if (wrapped)
                PyErr_SetString(PyExc_OverflowError, "index exceeds C integer size");
            else
                result = n;
            break;
        }
        if (operation == PY_ITERSEARCH_INDEX || equal) {
            if (n == PY_SSIZE_T_MAX) {
                if (operation == PY_ITERSEARCH_COUNT) {
                    PyErr_SetString(PyExc_OverflowError, "count exceeds C integer size");
                    break;
                }
                wrapped = 1;
                n = 0;
            }
            else {
                n++;
            }
        }
    }
    Py_DECREF(iter);
    return result;
}

Py_ssize_t PySequence_Count(PyObject *op, PyObject *value)
{
    return _PySequence_IterSearch(op, value, PY_ITERSEARCH_COUNT);
}

Py_ssize_t PySequence_Index(PyObject *op, PyObject *value)
{
    return _PySequence_IterSearch(op, value, PY_ITERSEARCH_INDEX);
}

int PySequence_Contains(PyObject *op, PyObject *value)
{
    PySequenceMethods *m = methods(op);
    if (m != NULL && m->sq_contains != NULL)
        return m->sq_contains(op, value);
    return (int)_PySequence_IterSearch(op, value, PY_ITERSEARCH_CONTAINS);
}

int PySequence_In(PyObject *op, PyObject *value)
{
    return PySequence_Contains(op, value);
}

/* ---- char ** vectors ---- */

void _Py_FreeCharPArray(char *const array[])
{
    for (Py_ssize_t i = 0; array[i] != NULL; i++)
        PyMem_Free(array[i]);
    PyMem_Free((void *)array);
}

char *const *_PySequence_BytesToCharpArray(PyObject *op)
{
    PyObject *tuple = PySequence_Tuple(op);
    if (tuple == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    char **array = PyMem_Calloc((size_t)n + 1, sizeof(char *));
    if (array == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        char *text;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(tuple, i), &text, &length) < 0
            || (array[i] = PyMem_Malloc((size_t)length + 1)) == NULL) {
            if (!PyErr_Occurred())
                PyErr_NoMemory();
            _Py_FreeCharPArray(array);
            array = NULL;
            goto done;
        }
        memcpy(array[i], text, (size_t)length + 1);
    }
done:
    Py_DECREF(tuple);
    return array;
}
