/* Operators of arrays: + * [] and assignment. */
#include "array_internal.h"

Py_ssize_t array_length(PyObject *op)
{
    return size_of(as_array(op));
}

PyObject *array_concat(PyObject *op, PyObject *other)
{
    if (!array_check(other)) {
        PyErr_Format(PyExc_TypeError, "can only append array (not \"%.200s\") to array", Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (as_array(op)->ob_descr != as_array(other)->ob_descr) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *result = array_copy(op, NULL);
    if (result != NULL && array_extend_array(as_array(result), other) < 0)
        Py_CLEAR(result);
    return result;
}

PyObject *array_inplace_concat(PyObject *op, PyObject *other)
{
    if (!array_check(other)) {
        PyErr_Format(PyExc_TypeError, "can only extend array with array (not \"%.200s\")", Py_TYPE(other)->tp_name);
        return NULL;
    }
    return array_extend_array(as_array(op), other) < 0 ? NULL : Py_NewRef(op);
}

/* a becomes count copies of itself. */
static int repeat_locked(arrayobject *a, Py_ssize_t count)
{
    Py_ssize_t n = size_of(a), size = a->ob_descr->itemsize;
    if (count < 0)
        count = 0;
    if (n == 0 || count == 1)
        return 0;
    if (count > 0 && n > PY_SSIZE_T_MAX / count / size) {
        PyErr_NoMemory();
        return -1;
    }
    if (array_resize_locked(a, n * count) < 0)
        return -1;
    for (Py_ssize_t done = n * size, total = n * count * size; done < total;) {
        Py_ssize_t chunk = done < total - done ? done : total - done;
        memcpy(a->ob_item + done, a->ob_item, (size_t)chunk);
        done += chunk;
    }
    return 0;
}

PyObject *array_inplace_repeat(PyObject *op, Py_ssize_t count)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = repeat_locked(as_array(op), count);
    Py_END_CRITICAL_SECTION();
    return failed < 0 ? NULL : Py_NewRef(op);
}

PyObject *array_repeat(PyObject *op, Py_ssize_t count)
{
    PyObject *copy = array_copy(op, NULL), *result = NULL;
    if (copy != NULL)
        result = array_inplace_repeat(copy, count);
    Py_XDECREF(copy);
    return result;
}

PyObject *array_subscript(PyObject *op, PyObject *key)
{
    arrayobject *a = as_array(op);
    PyObject *result;
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return array_item(op, i < 0 ? i + size_of(a) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PySlice_AdjustIndices(size_of(a), &start, &stop, step);
    result = array_copy_locked(a, start, step, n);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int set_item(arrayobject *a, Py_ssize_t i, PyObject *value)
{
    char packed[8];
    int result = -1;
    if (value != NULL && array_pack_item(a->ob_descr, value, packed) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    if (i < 0)
        i += size_of(a);
    if (i < 0 || i >= size_of(a))
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
    else if (value == NULL)
        result = array_splice_locked(a, i, i + 1, NULL, 0);
    else {
        memcpy(a->ob_item + i * a->ob_descr->itemsize, packed, (size_t)a->ob_descr->itemsize);
        result = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

int array_ass_item(PyObject *op, Py_ssize_t i, PyObject *value)
{
    if (i < 0) {
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    return set_item(as_array(op), i, value);
}

static int delete_extended_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t size = a->ob_descr->itemsize, total = size_of(a);
    if (n == 0)
        return 0;
    if (a->ob_exports > 0) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    Py_ssize_t to = start;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t from = start + i * step + 1, end = i + 1 < n ? from + step - 1 : total;
        memmove(a->ob_item + to * size, a->ob_item + from * size, (size_t)((end - from) * size));
        to += end - from;
    }
    return array_resize_locked(a, total - n);
}

/* values: NULL or a private array of the same kind. */
static int set_slice_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step, PyObject *values)
{
    Py_ssize_t count = PySlice_AdjustIndices(size_of(a), &start, &stop, step), size = a->ob_descr->itemsize;
    Py_ssize_t n = values == NULL ? 0 : size_of(as_array(values));
    const char *data = values == NULL ? NULL : as_array(values)->ob_item;
    if ((step > 0 && stop < start) || (step < 0 && stop > start))
        stop = start;
    if (a->ob_exports > 0 && n != count) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step == 1)
        return array_splice_locked(a, start, stop, data, n);
    if (n == 0)
        return delete_extended_locked(a, start, step, count);
    if (n != count) {
        PyErr_Format(PyExc_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", n, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++, start += step)
        memcpy(a->ob_item + start * size, data + i * size, (size_t)size);
    return 0;
}

int array_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    arrayobject *a = as_array(op);
    Py_ssize_t start, stop, step;
    PyObject *copy = NULL;
    int result;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return -1;
        return set_item(a, i, value);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return -1;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return -1;
    if (value != NULL && !array_check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (value != NULL && as_array(value)->ob_descr != a->ob_descr) {
        PyErr_BadArgument();
        return -1;
    }
    if (value != NULL && (copy = array_copy(value, NULL)) == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = set_slice_locked(a, start, stop, step, copy);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(copy);
    return result;
}
