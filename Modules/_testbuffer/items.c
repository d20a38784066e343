/* _testbuffer: the items of a buffer, between Python objects, nested places in memory and flat memory.
 *
 * Threads: nothing here has state; the caller sees to it that the memory stays. */
#include "testbuffer.h"

#include <string.h>

/* Layouts */

int testbuffer_layout(Layout *layout, const Py_buffer *view)
{
    if (view->ndim > ND_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "ndim must not exceed %d", ND_MAX_NDIM);
        return -1;
    }
    layout->ndim = view->ndim;
    layout->itemsize = view->itemsize;
    layout->suboffsets = view->suboffsets;
    if (view->shape == NULL && view->ndim > 0) {
        layout->ndim = 1;
        layout->itemsize = 1;
        layout->shape[0] = view->len;
        layout->strides[0] = 1;
        return 0;
    }
    Py_ssize_t step = view->itemsize;
    for (int i = view->ndim - 1; i >= 0; i--) {
        layout->shape[i] = view->shape[i];
        layout->strides[i] = view->strides != NULL ? view->strides[i] : step;
        step *= view->shape[i];
    }
    return 0;
}

/* The address of the sub-array at an index of dimension dim. */
char *testbuffer_step_into(const Layout *layout, int dim, char *base, Py_ssize_t index)
{
    base += layout->strides[dim] * index;
    if (layout->suboffsets != NULL && layout->suboffsets[dim] >= 0)
        base = *(char **)base + layout->suboffsets[dim];
    return base;
}

/* Copies the items between their places and flat memory in C order. Returns the end of what was used of flat.
 */
static char *copy_items(const Layout *layout, int dim, char *base, char *flat, int gather)
{
    if (dim == layout->ndim) {
        memcpy(gather ? flat : base, gather ? base : flat, (size_t)layout->itemsize);
        return flat + layout->itemsize;
    }
    for (Py_ssize_t i = 0; i < layout->shape[dim]; i++)
        flat = copy_items(layout, dim + 1, testbuffer_step_into(layout, dim, base, i), flat, gather);
    return flat;
}

/* Copies between arrays of one structure, row by row as nested lists would be assigned. What overlaps within
 * a row is safe, as a row goes by way of the spare memory, which has room for one. */
void testbuffer_copy_rows(const Layout *to, const Layout *from, int dim, char *target, char *source,
                          char *spare)
{
    if (dim >= to->ndim - 1) {
        copy_items(from, dim, source, spare, 1);
        copy_items(to, dim, target, spare, 0);
        return;
    }
    for (Py_ssize_t i = 0; i < to->shape[dim]; i++)
        testbuffer_copy_rows(to, from, dim + 1, testbuffer_step_into(to, dim, target, i),
                             testbuffer_step_into(from, dim, source, i), spare);
}

PyObject *testbuffer_view_to_bytes(const Py_buffer *view)
{
    Layout layout;
    if (testbuffer_layout(&layout, view) < 0)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view->len);
    if (bytes != NULL)
        copy_items(&layout, 0, view->buf, PyBytes_AS_STRING(bytes), 1);
    return bytes;
}

/* Items */

PyObject *testbuffer_struct_function(const char *name)
{
    PyObject *module = PyImport_ImportModule("struct");
    PyObject *function = module != NULL ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return function;
}

static PyObject *unpack_all(const char *format, const void *data, Py_ssize_t itemsize)
{
    PyObject *unpack = testbuffer_struct_function("unpack");
    PyObject *values =
        unpack != NULL ? PyObject_CallFunction(unpack, "sy#", format != NULL ? format : "B", data, itemsize)
                       : NULL;
    Py_XDECREF(unpack);
    return values;
}

PyObject *testbuffer_unpack(const char *format, const void *data, Py_ssize_t itemsize)
{
    PyObject *values = unpack_all(format, data, itemsize);
    if (values == NULL || PyTuple_GET_SIZE(values) != 1)
        return values;
    PyObject *value = Py_NewRef(PyTuple_GET_ITEM(values, 0));
    Py_DECREF(values);
    return value;
}

Py_ssize_t testbuffer_format_size(const char *format)
{
    PyObject *calcsize = testbuffer_struct_function("calcsize");
    PyObject *size = calcsize != NULL ? PyObject_CallFunction(calcsize, "s", format) : NULL;
    Py_ssize_t result = size != NULL ? PyLong_AsSsize_t(size) : -1;
    Py_XDECREF(calcsize);
    Py_XDECREF(size);
    return result;
}

/* How many values one item has. */
Py_ssize_t testbuffer_format_members(const char *format, Py_ssize_t itemsize)
{
    char *zeros = PyMem_Calloc(1, (size_t)itemsize);
    if (zeros == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *values = unpack_all(format, zeros, itemsize);
    PyMem_Free(zeros);
    if (values == NULL)
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(values);
    Py_DECREF(values);
    return count;
}

/* Packs one item to where data points. */
int testbuffer_pack_item(PyObject *pack, const char *format, Py_ssize_t members, PyObject *item, char *data,
                         Py_ssize_t itemsize)
{
    PyObject *values = NULL, *arguments = NULL, *head = NULL, *packed = NULL;
    int status = -1;
    if (members == 1 && (PyLong_Check(item) || PyFloat_Check(item) || PyBytes_Check(item)))
        values = PyTuple_Pack(1, item);
    else if (PyTuple_Check(item) || PyList_Check(item))
        values = PySequence_Tuple(item);
    else
        PyErr_SetString(PyExc_ValueError, "mismatch between initializer element and format string");
    if (values == NULL)
        goto done;
    if (PyTuple_GET_SIZE(values) != members) {
        PyErr_SetString(PyExc_ValueError, "mismatch between initializer element and format string");
        goto done;
    }
    head = Py_BuildValue("(s)", format);
    arguments = head != NULL ? PySequence_Concat(head, values) : NULL;
    packed = arguments != NULL ? PyObject_Call(pack, arguments, NULL) : NULL;
    if (packed == NULL)
        goto done;
    if (!PyBytes_Check(packed) || PyBytes_GET_SIZE(packed) != itemsize) {
        PyErr_SetString(PyExc_ValueError, "packed item has an unexpected size");
        goto done;
    }
    memcpy(data, PyBytes_AS_STRING(packed), (size_t)itemsize);
    status = 0;
done:
    Py_XDECREF(values);
    Py_XDECREF(head);
    Py_XDECREF(arguments);
    Py_XDECREF(packed);
    return status;
}

int testbuffer_pack_one(const char *format, PyObject *item, char *data, Py_ssize_t itemsize)
{
    if (format == NULL)
        format = "B";
    Py_ssize_t members = testbuffer_format_members(format, itemsize);
    PyObject *pack = members >= 0 ? testbuffer_struct_function("pack") : NULL;
    int status = pack != NULL ? testbuffer_pack_item(pack, format, members, item, data, itemsize) : -1;
    Py_XDECREF(pack);
    return status;
}
