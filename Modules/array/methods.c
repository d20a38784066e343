/* Methods of arrays, and arrays as buffers. */
#include "array_internal.h"

/* ---- Buffers ---- */

int array_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    arrayobject *a = as_array(op);
    static char empty[8];
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "array_buffer_getbuf: view==NULL argument is obsolete");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    view->buf = a->ob_item == NULL ? empty : a->ob_item;
    view->len = size_of(a) * a->ob_descr->itemsize;
    view->itemsize = a->ob_descr->itemsize;
    a->ob_exports++;
    Py_END_CRITICAL_SECTION();
    view->obj = Py_NewRef(op);
    view->readonly = 0;
    view->ndim = 1;
    view->suboffsets = NULL;
    /* the length in items is fixed while there are exports */
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &((PyVarObject *)op)->ob_size : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)a->ob_descr->format : NULL;
    view->internal = NULL;
    return 0;
}

void array_releasebuffer(PyObject *op, Py_buffer *view)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    as_array(op)->ob_exports--;
    Py_END_CRITICAL_SECTION();
}

/* ---- Methods ---- */

PyObject *array_append(PyObject *op, PyObject *value)
{
    if (array_append_item(as_array(op), value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *array_insert(PyObject *op, PyObject *args)
{
    Py_ssize_t where;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "nO:insert", &where, &value) || array_insert_item(as_array(op), where, value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *array_pop(PyObject *op, PyObject *args)
{
    arrayobject *a = as_array(op);
    Py_ssize_t i = -1;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "|n:pop", &i))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = size_of(a);
    if (i < 0)
        i += n;
    if (n == 0)
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
    else if (i < 0 || i >= n)
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
    else {
        result = array_load_item(a->ob_descr, a->ob_item + i * a->ob_descr->itemsize);
        if (result != NULL && array_splice_locked(a, i, i + 1, NULL, 0) < 0)
            Py_CLEAR(result);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *array_reverse(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t size = a->ob_descr->itemsize, n = size_of(a);
    char saved[8], *p = a->ob_item, *q = n > 0 ? a->ob_item + (n - 1) * size : p;
    for (; p < q; p += size, q -= size) {
        memcpy(saved, p, (size_t)size);
        memcpy(p, q, (size_t)size);
        memcpy(q, saved, (size_t)size);
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static void swap_bytes(char *p, Py_ssize_t n, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < n; i++, p += size)
        for (Py_ssize_t j = 0; j < size / 2; j++) {
            char c = p[j];
            p[j] = p[size - 1 - j];
            p[size - 1 - j] = c;
        }
}

PyObject *array_byteswap(PyObject *op, PyObject *unused)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    swap_bytes(as_array(op)->ob_item, size_of(as_array(op)), as_array(op)->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

PyObject *array_buffer_info(PyObject *op, PyObject *unused)
{
    void *p;
    Py_ssize_t n;
    Py_BEGIN_CRITICAL_SECTION(op);
    p = as_array(op)->ob_item;
    n = size_of(as_array(op));
    Py_END_CRITICAL_SECTION();
    return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(p), n);
}

PyObject *array_tolist(PyObject *op, PyObject *unused)
{
    PyObject *copy = array_copy(op, NULL), *list = NULL;
    if (copy == NULL)
        return NULL;
    Py_ssize_t n = size_of(as_array(copy));
    const descr_t *d = as_array(copy)->ob_descr;
    const char *p = as_array(copy)->ob_item;
    list = PyList_New(n);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++, p += d->itemsize) {
        PyObject *item = array_load_item(d, p);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    Py_DECREF(copy);
    return list;
}

PyObject *array_tobytes(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = PyBytes_FromStringAndSize(a->ob_item, size_of(a) * a->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *to_text(PyObject *op)
{
    PyObject *copy = array_copy(op, NULL), *result = NULL;
    if (copy != NULL)
        result = PyUnicode_FromWideChar((wchar_t *)as_array(copy)->ob_item, size_of(as_array(copy)));
    Py_XDECREF(copy);
    return result;
}

PyObject *array_tounicode(PyObject *op, PyObject *unused)
{
    if (as_array(op)->ob_descr->typecode == 'u')
        return to_text(op);
    PyErr_SetString(PyExc_ValueError, "tounicode() may only be called on unicode type arrays");
    return NULL;
}

PyObject *array_fromfile(PyObject *op, PyObject *args)
{
    PyObject *file, *data, *result;
    Py_ssize_t n, size = as_array(op)->ob_descr->itemsize;
    if (!PyArg_ParseTuple(args, "On:fromfile", &file, &n))
        return NULL;
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    if (n > PY_SSIZE_T_MAX / size)
        return PyErr_NoMemory();
    data = PyObject_CallMethod(file, "read", "n", n * size);
    if (data == NULL)
        return NULL;
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
        Py_DECREF(data);
        return NULL;
    }
    int too_short = PyBytes_GET_SIZE(data) != n * size;
    result = array_frombytes(op, data);
    Py_DECREF(data);
    if (result != NULL && too_short) {
        PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
        Py_CLEAR(result);
    }
    return result;
}

enum { FILE_BLOCK = 64 * 1024 };

PyObject *array_tofile(PyObject *op, PyObject *file)
{
    PyObject *all = array_tobytes(op, NULL);
    if (all == NULL)
        return NULL;
    Py_ssize_t n = PyBytes_GET_SIZE(all);
    for (Py_ssize_t at = 0; at < n; at += FILE_BLOCK) {
        PyObject *result = NULL, *block = PyBytes_FromStringAndSize(PyBytes_AS_STRING(all) + at,
                                                                    n - at < FILE_BLOCK ? n - at : FILE_BLOCK);
        if (block != NULL)
            result = PyObject_CallMethod(file, "write", "O", block);
        Py_XDECREF(block);
        if (result == NULL) {
            Py_DECREF(all);
            return NULL;
        }
        Py_DECREF(result);
    }
    Py_DECREF(all);
    Py_RETURN_NONE;
}

PyObject *array_repr(PyObject *op)
{
    PyObject *values, *result = NULL, *name;
    char typecode = as_array(op)->ob_descr->typecode;
    name = PyType_GetName(Py_TYPE(op));
    if (name == NULL)
        return NULL;
    if (size_of(as_array(op)) == 0)
        result = PyUnicode_FromFormat("%U('%c')", name, typecode);
    else {
        values = typecode == 'u' ? to_text(op) : array_tolist(op, NULL);
        if (values != NULL)
            result = PyUnicode_FromFormat("%U('%c', %R)", name, typecode, values);
        Py_XDECREF(values);
    }
    Py_DECREF(name);
    return result;
}

PyObject *array_sizeof(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    Py_ssize_t allocated;
    Py_BEGIN_CRITICAL_SECTION(op);
    allocated = a->allocated;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + allocated * a->ob_descr->itemsize);
}

PyObject *array_get_typecode(PyObject *op, void *unused)
{
    return PyUnicode_FromFormat("%c", as_array(op)->ob_descr->typecode);
}

PyObject *array_get_itemsize(PyObject *op, void *unused)
{
    return PyLong_FromLong(as_array(op)->ob_descr->itemsize);
}
