/* Arrays made and extended from iterables, bytes and text. */
#include "array_internal.h"

/* Appends the items of another array of the same kind. */
int array_extend_array(arrayobject *a, PyObject *other)
{
    PyObject *copy = NULL;
    int result;
    if (a->ob_descr != as_array(other)->ob_descr) {
        PyErr_SetString(PyExc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    if (other != (PyObject *)a && size_of(as_array(other)) == 0)
        return 0;
    copy = array_copy(other, NULL);
    if (copy == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    result = array_splice_locked(a, n, n, as_array(copy)->ob_item, size_of(as_array(copy)));
    Py_END_CRITICAL_SECTION();
    Py_DECREF(copy);
    return result;
}

static int extend_iterable(arrayobject *a, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL)
        return -1;
    while ((item = PyIter_Next(iterator)) != NULL) {
        int failed = array_append_item(a, item);
        Py_DECREF(item);
        if (failed < 0)
            break;
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *array_extend(PyObject *op, PyObject *iterable)
{
    int failed = array_check(iterable) ? array_extend_array(as_array(op), iterable) : extend_iterable(as_array(op), iterable);
    if (failed < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int append_bytes(arrayobject *a, const char *data, Py_ssize_t length)
{
    Py_ssize_t size = a->ob_descr->itemsize;
    int result;
    if (length % size != 0) {
        PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    result = array_splice_locked(a, n, n, data, length / size);
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *array_frombytes(PyObject *op, PyObject *source)
{
    Py_buffer view;
    int failed = -1;
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.itemsize != 1)
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
    else
        failed = append_bytes(as_array(op), view.buf, view.len);
    PyBuffer_Release(&view);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *array_fromlist(PyObject *op, PyObject *list)
{
    arrayobject *a = as_array(op);
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return NULL;
    }
    /* converted as a whole first: on an error nothing has been added */
    Py_ssize_t n = PyList_GET_SIZE(list), size = a->ob_descr->itemsize;
    PyObject *fresh = array_new_array(&array_type, n, a->ob_descr);
    if (fresh == NULL)
        return NULL;
    int failed = 0;
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        PyObject *item = PyList_GetItemRef(list, i);
        if (item == NULL || PyList_GET_SIZE(list) != n) {
            PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
            failed = 1;
        }
        else
            failed = array_pack_item(a->ob_descr, item, as_array(fresh)->ob_item + i * size) < 0;
        Py_XDECREF(item);
    }
    if (!failed)
        failed = array_extend_array(a, fresh) < 0;
    Py_DECREF(fresh);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static int append_text(arrayobject *a, PyObject *text)
{
    Py_ssize_t n;
    wchar_t *wide = PyUnicode_AsWideCharString(text, &n);
    if (wide == NULL)
        return -1;
    int result = append_bytes(a, (const char *)wide, n * (Py_ssize_t)sizeof(wchar_t));
    PyMem_Free(wide);
    return result;
}

PyObject *array_fromunicode(PyObject *op, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "fromunicode() argument must be str, not %.200s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    if (as_array(op)->ob_descr->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError, "fromunicode() may only be called on unicode type arrays");
        return NULL;
    }
    if (append_text(as_array(op), text) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Construction ---- */

/* The items of a list or tuple: memory for all of them at once. */
static int fill_from_sequence(arrayobject *a, PyObject *sequence)
{
    PyObject *items = PySequence_Tuple(sequence), *fresh = NULL;
    int result = -1;
    if (items == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items), size = a->ob_descr->itemsize;
    fresh = array_new_array(&array_type, n, a->ob_descr);
    if (fresh == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++)
        if (array_pack_item(a->ob_descr, PyTuple_GET_ITEM(items, i), as_array(fresh)->ob_item + i * size) < 0)
            goto done;
    result = array_extend_array(a, fresh);
done:
    Py_DECREF(items);
    Py_XDECREF(fresh);
    return result;
}

int array_fill(arrayobject *a, PyObject *initial)
{
    char typecode = a->ob_descr->typecode;
    if (PyUnicode_Check(initial)) {
        if (typecode != 'u') {
            PyErr_Format(PyExc_TypeError, "cannot use a str to initialize an array with typecode '%c'", typecode);
            return -1;
        }
        return append_text(a, initial);
    }
    if (array_check(initial)) {
        if (as_array(initial)->ob_descr->typecode == 'u' && typecode != 'u') {
            PyErr_Format(PyExc_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'",
                         typecode);
            return -1;
        }
        if (as_array(initial)->ob_descr == a->ob_descr)
            return array_extend_array(a, initial);
        return extend_iterable(a, initial);
    }
    if (PyBytes_Check(initial) || PyByteArray_Check(initial)) {
        PyObject *result = array_frombytes((PyObject *)a, initial);
        Py_XDECREF(result);
        return result == NULL ? -1 : 0;
    }
    if (PyList_CheckExact(initial) || PyTuple_CheckExact(initial))
        return fill_from_sequence(a, initial);
    return extend_iterable(a, initial);
}

PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int typecode;
    PyObject *initial = NULL;
    if ((type == &array_type || type->tp_init == array_type.tp_init) && kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "array.array() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "C|O:array", &typecode, &initial))
        return NULL;
    if (PySys_Audit("array.__new__", "CO", typecode, initial ? initial : Py_None) < 0)
        return NULL;
    const descr_t *d = array_find_descr(typecode);
    if (d == NULL) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
        return NULL;
    }
    PyObject *self = array_new_array(type, 0, d);
    if (self != NULL && initial != NULL && array_fill(as_array(self), initial) < 0)
        Py_CLEAR(self);
    return self;
}
