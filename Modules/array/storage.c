/* Storage of arrays: size, splicing, single items, copies. */
#include "array_internal.h"

int array_resize_locked(arrayobject *a, Py_ssize_t n)
{
    Py_ssize_t old = size_of(a);
    if (a->ob_exports > 0 && n != old) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (a->allocated >= n && old < n + 16 && a->ob_item != NULL) {
        set_size(a, n);
        return 0;
    }
    if (n == 0) {
        PyMem_Free(a->ob_item);
        a->ob_item = NULL;
        a->allocated = 0;
        set_size(a, 0);
        return 0;
    }
    /* room for some more: appending costs constant time */
    Py_ssize_t room = n;
    if (n > old && old > 0) {
        Py_ssize_t extra = (n >> 4) + (old < 8 ? 3 : 7);
        room = n <= PY_SSIZE_T_MAX - extra ? n + extra : n;
    }
    if (room > PY_SSIZE_T_MAX / a->ob_descr->itemsize) {
        PyErr_NoMemory();
        return -1;
    }
    char *items = PyMem_Realloc(a->ob_item, (size_t)room * (size_t)a->ob_descr->itemsize);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    a->ob_item = items;
    a->allocated = room;
    set_size(a, n);
    return 0;
}

PyObject *array_new_array(PyTypeObject *type, Py_ssize_t n, const descr_t *d)
{
    if (n > PY_SSIZE_T_MAX / d->itemsize)
        return PyErr_NoMemory();
    arrayobject *a = (arrayobject *)type->tp_alloc(type, 0);
    if (a == NULL)
        return NULL;
    a->ob_descr = d;
    if (n > 0) {
        a->ob_item = PyMem_Malloc((size_t)(n * d->itemsize));
        if (a->ob_item == NULL) {
            Py_DECREF(a);
            return PyErr_NoMemory();
        }
        a->allocated = n;
        set_size(a, n);
    }
    return (PyObject *)a;
}

/* [lo, hi) is replaced by n items from data, which is not inside a. */
int array_splice_locked(arrayobject *a, Py_ssize_t lo, Py_ssize_t hi, const char *data, Py_ssize_t n)
{
    Py_ssize_t old = size_of(a), growth = n - (hi - lo), size = a->ob_descr->itemsize;
    if (growth < 0) {
        if (a->ob_exports > 0) {
            PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
            return -1;
        }
        memmove(a->ob_item + (lo + n) * size, a->ob_item + hi * size, (size_t)((old - hi) * size));
        if (array_resize_locked(a, old + growth) < 0) {
            PyErr_Clear();      /* the block stays larger than needed */
            set_size(a, old + growth);
        }
    }
    else if (growth > 0) {
        if (old > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (array_resize_locked(a, old + growth) < 0)
            return -1;
        memmove(a->ob_item + (lo + n) * size, a->ob_item + hi * size, (size_t)((old - hi) * size));
    }
    if (n > 0)
        memcpy(a->ob_item + lo * size, data, (size_t)(n * size));
    return 0;
}

void array_dealloc(PyObject *op)
{
    arrayobject *a = as_array(op);
    if (_PyObject_HAS_WEAKREFS(a->weakreflist))
        PyObject_ClearWeakRefs(op);
    PyMem_Free(a->ob_item);
    Py_TYPE(op)->tp_free(op);
}

/* The item as an object, or NULL without exception: out of range. */
PyObject *array_item_or_null(arrayobject *a, Py_ssize_t i)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(a);
    if (i >= 0 && i < size_of(a))
        result = array_load_item(a->ob_descr, a->ob_item + i * a->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *array_item(PyObject *op, Py_ssize_t i)
{
    PyObject *result = array_item_or_null(as_array(op), i);
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_IndexError, "array index out of range");
    return result;
}

int array_insert_item(arrayobject *a, Py_ssize_t where, PyObject *value)
{
    char packed[8];
    int result;
    if (array_pack_item(a->ob_descr, value, packed) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    if (where < 0)
        where = where + n < 0 ? 0 : where + n;
    if (where > n)
        where = n;
    result = array_splice_locked(a, where, where, packed, 1);
    Py_END_CRITICAL_SECTION();
    return result;
}

int array_append_item(arrayobject *a, PyObject *value)
{
    return array_insert_item(a, PY_SSIZE_T_MAX, value);
}

/* A copy of [start, start + step, ...), n items, as a new array. */
PyObject *array_copy_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t size = a->ob_descr->itemsize;
    PyObject *result = array_new_array(&array_type, n < 0 ? 0 : n, a->ob_descr);
    if (result == NULL || n <= 0)
        return result;
    char *to = as_array(result)->ob_item;
    if (step == 1)
        memcpy(to, a->ob_item + start * size, (size_t)(n * size));
    else
        for (Py_ssize_t i = 0; i < n; i++, start += step, to += size)
            memcpy(to, a->ob_item + start * size, (size_t)size);
    return result;
}

PyObject *array_copy(PyObject *op, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = array_copy_locked(as_array(op), 0, 1, size_of(as_array(op)));
    Py_END_CRITICAL_SECTION();
    return result;
}
