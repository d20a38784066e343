/* The _testbuffer module: its functions, the exporter of constant memory, and the constants.
 *
 * Threads: nothing here has state; the module is made once. */
#include "testbuffer.h"

#include <string.h>

/* staticarray: an exporter whose memory belongs to no one. */

typedef struct {
    PyObject_HEAD
    int legacy; /* [const] views name no exporter */
} StaticArray;

static PyObject *staticarray_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"legacy_mode", NULL};
    int legacy = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p", names, &legacy))
        return NULL;
    StaticArray *self = PyObject_New(StaticArray, type);
    if (self != NULL)
        self->legacy = legacy;
    return (PyObject *)self;
}

static int staticarray_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    static char items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static Py_ssize_t shape[] = {sizeof items}, strides[] = {1};
    *view = (Py_buffer){
        .buf = items,
        .obj = ((StaticArray *)op)->legacy ? NULL : Py_NewRef(op),
        .len = sizeof items,
        .itemsize = 1,
        .readonly = 1,
        .ndim = 1,
        .format = "B",
        .shape = shape,
        .strides = strides,
    };
    return 0;
}

static PyBufferProcs staticarray_buffer = {staticarray_getbuffer, NULL};

static void staticarray_dealloc(PyObject *op) { PyObject_Free(op); }

PyTypeObject testbuffer_staticarray_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "staticarray",
    .tp_basicsize = sizeof(StaticArray),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = staticarray_new,
    .tp_dealloc = staticarray_dealloc,
    .tp_as_buffer = &staticarray_buffer,
};

/* Functions */

char testbuffer_order(PyObject *object)
{
    if (!PyUnicode_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "order must be a string");
        return 0;
    }
    PyObject *text = PyUnicode_AsASCIIString(object);
    if (text == NULL)
        return 0;
    char order = PyBytes_GET_SIZE(text) == 1 ? PyBytes_AS_STRING(text)[0] : 0;
    Py_DECREF(text);
    if (order == 'C' || order == 'F' || order == 'A')
        return order;
    PyErr_SetString(PyExc_ValueError, "invalid order, must be C, F or A");
    return 0;
}

static PyObject *get_sizeof_void_p(PyObject *module, PyObject *ignored) { return PyLong_FromSize_t(sizeof(void *)); }

static PyObject *slice_indices(PyObject *module, PyObject *args)
{
    PyObject *slice;
    Py_ssize_t length, start, stop, step;
    if (!PyArg_ParseTuple(args, "On:slice_indices", &slice, &length))
        return NULL;
    if (!PySlice_Check(slice)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be a slice object");
        return NULL;
    }
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices(length, &start, &stop, step);
    return Py_BuildValue("(nnnn)", start, stop, step, count);
}

/* Reads as many indices as the view has dimensions, each in range. */
static int read_indices(PyObject *sequence, const Py_buffer *view, Py_ssize_t *indices)
{
    if (PySequence_Size(sequence) != view->ndim) {
        PyErr_SetString(PyExc_ValueError, "get_pointer(): len(seq) != ndim");
        return -1;
    }
    for (int i = 0; i < view->ndim; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (item == NULL)
            return -1;
        indices[i] = PyLong_AsSsize_t(item);
        Py_DECREF(item);
        if (indices[i] == -1 && PyErr_Occurred())
            return -1;
        if (indices[i] < 0 || indices[i] >= view->shape[i]) {
            PyErr_Format(PyExc_ValueError, "get_pointer(): index %zd is out of bounds", indices[i]);
            return -1;
        }
    }
    return 0;
}

static PyObject *get_pointer(PyObject *module, PyObject *args)
{
    PyObject *exporter, *sequence, *result = NULL;
    Py_ssize_t indices[ND_MAX_NDIM];
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO:get_pointer", &exporter, &sequence) ||
        PyObject_GetBuffer(exporter, &view, PyBUF_FULL_RO) < 0)
        return NULL;
    if (view.ndim > ND_MAX_NDIM)
        PyErr_Format(PyExc_ValueError, "get_pointer(): ndim > %d", ND_MAX_NDIM);
    else if (!PyList_Check(sequence) && !PyTuple_Check(sequence))
        PyErr_SetString(PyExc_TypeError, "seq must be a list or a tuple");
    else if (read_indices(sequence, &view, indices) == 0)
        result = testbuffer_unpack(view.format, PyBuffer_GetPointer(&view, indices), view.itemsize);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *get_contiguous(PyObject *module, PyObject *args)
{
    PyObject *exporter, *type, *order_name;
    if (!PyArg_ParseTuple(args, "OOO:get_contiguous", &exporter, &type, &order_name))
        return NULL;
    if (!PyLong_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "buffertype must be PyBUF_READ or PyBUF_WRITE");
        return NULL;
    }
    long buffer_type = PyLong_AsLong(type);
    if (buffer_type == -1 && PyErr_Occurred())
        return NULL;
    if (buffer_type != PyBUF_READ && buffer_type != PyBUF_WRITE) {
        PyErr_SetString(PyExc_ValueError, "invalid buffer type");
        return NULL;
    }
    char order = testbuffer_order(order_name);
    return order != 0 ? PyMemoryView_GetContiguous(exporter, (int)buffer_type, order) : NULL;
}

static PyObject *py_buffer_to_contiguous(PyObject *module, PyObject *args)
{
    PyObject *exporter, *order_name, *result = NULL;
    int flags;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OOi:py_buffer_to_contiguous", &exporter, &order_name, &flags))
        return NULL;
    char order = testbuffer_order(order_name);
    if (order == 0 || PyObject_GetBuffer(exporter, &view, flags) < 0)
        return NULL;
    result = PyBytes_FromStringAndSize(NULL, view.len);
    if (result != NULL && PyBuffer_ToContiguous(PyBytes_AS_STRING(result), &view, view.len, order) < 0)
        Py_CLEAR(result);
    PyBuffer_Release(&view);
    return result;
}

static const char *format_of(const Py_buffer *view)
{
    const char *format = view->format != NULL ? view->format : "B";
    return format + (*format == '@');
}

/* Are the two contiguous, of one structure and with the same bytes in the same order? */
static int same_contiguous(const Py_buffer *a, const Py_buffer *b)
{
    if (!PyBuffer_IsContiguous(a, 'A') || !PyBuffer_IsContiguous(b, 'A') || a->len != b->len ||
        a->itemsize != b->itemsize || a->ndim != b->ndim || strcmp(format_of(a), format_of(b)) != 0)
        return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i])
            return 0;
    if (a->len == 0)
        return 1;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] > 1 && a->strides[i] != b->strides[i])
            return 0;
    return memcmp(a->buf, b->buf, (size_t)a->len) == 0;
}

static PyObject *cmp_contig(PyObject *module, PyObject *args)
{
    PyObject *first, *second;
    Py_buffer a, b;
    if (!PyArg_ParseTuple(args, "OO:cmp_contig", &first, &second))
        return NULL;
    if (PyObject_GetBuffer(first, &a, PyBUF_FULL_RO) < 0) {
        PyErr_SetString(PyExc_TypeError, "cmp_contig: first argument does not implement the buffer protocol");
        return NULL;
    }
    if (PyObject_GetBuffer(second, &b, PyBUF_FULL_RO) < 0) {
        PyErr_SetString(PyExc_TypeError, "cmp_contig: second argument does not implement the buffer protocol");
        PyBuffer_Release(&a);
        return NULL;
    }
    int same = same_contiguous(&a, &b);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    return PyBool_FromLong(same);
}

static PyObject *is_contiguous(PyObject *module, PyObject *args)
{
    PyObject *exporter, *order_name;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO:is_contiguous", &exporter, &order_name))
        return NULL;
    char order = testbuffer_order(order_name);
    if (order == 0)
        return NULL;
    if (Py_IS_TYPE(exporter, &testbuffer_ndarray_type))
        return PyBool_FromLong(testbuffer_ndarray_contiguous(exporter, order));
    if (PyObject_GetBuffer(exporter, &view, PyBUF_FULL_RO) < 0)
        return NULL;
    int result = PyBuffer_IsContiguous(&view, order);
    PyBuffer_Release(&view);
    return PyBool_FromLong(result);
}

static PyMethodDef functions[] = {
    {"get_sizeof_void_p", get_sizeof_void_p, METH_NOARGS, "The size of a pointer."},
    {"slice_indices", slice_indices, METH_VARARGS, "(start, stop, step, count) of a slice of something of a length."},
    {"get_pointer", get_pointer, METH_VARARGS, "The item that PyBuffer_GetPointer() finds."},
    {"get_contiguous", get_contiguous, METH_VARARGS, "PyMemoryView_GetContiguous()."},
    {"py_buffer_to_contiguous", py_buffer_to_contiguous, METH_VARARGS, "PyBuffer_ToContiguous()."},
    {"cmp_contig", cmp_contig, METH_VARARGS, "Are two contiguous buffers the same?"},
    {"is_contiguous", is_contiguous, METH_VARARGS, "PyBuffer_IsContiguous()."},
    {NULL},
};

static const struct {
    const char *name;
    int value;
} constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(ND_MAX_NDIM), CONSTANT(ND_VAREXPORT), CONSTANT(ND_WRITABLE), CONSTANT(ND_FORTRAN), CONSTANT(ND_SCALAR),
    CONSTANT(ND_PIL), CONSTANT(ND_GETBUF_FAIL), CONSTANT(ND_GETBUF_UNDEFINED), CONSTANT(ND_REDIRECT),
    CONSTANT(PyBUF_SIMPLE), CONSTANT(PyBUF_WRITABLE), CONSTANT(PyBUF_FORMAT), CONSTANT(PyBUF_ND),
    CONSTANT(PyBUF_STRIDES), CONSTANT(PyBUF_INDIRECT), CONSTANT(PyBUF_C_CONTIGUOUS), CONSTANT(PyBUF_F_CONTIGUOUS),
    CONSTANT(PyBUF_ANY_CONTIGUOUS), CONSTANT(PyBUF_FULL), CONSTANT(PyBUF_FULL_RO), CONSTANT(PyBUF_RECORDS),
    CONSTANT(PyBUF_RECORDS_RO), CONSTANT(PyBUF_STRIDED), CONSTANT(PyBUF_STRIDED_RO), CONSTANT(PyBUF_CONTIG),
    CONSTANT(PyBUF_CONTIG_RO), CONSTANT(PyBUF_READ), CONSTANT(PyBUF_WRITE),
#undef CONSTANT
};

static struct PyModuleDef testbuffer_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testbuffer",
    .m_doc = "Exporters of every kind of buffer, for tests.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__testbuffer(void)
{
    PyObject *module = PyModule_Create(&testbuffer_module);
    if (module == NULL)
        return NULL;
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    if (PyModule_AddType(module, &testbuffer_ndarray_type) < 0 ||
        PyModule_AddType(module, &testbuffer_staticarray_type) < 0)
        goto failed;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            goto failed;
    return module;
failed:
    Py_DECREF(module);
    return NULL;
}
