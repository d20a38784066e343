/* What Python code sees of memoryview: cast, copies, comparison, hash, attributes, the type object. */
#include "memoryview.h"
#include "bytes.h"

static PyMemoryViewObject *as_view(PyObject *op)
{
    return (PyMemoryViewObject *)op;
}

static PyObject *memory_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"object", NULL};
    PyObject *object;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:memoryview", keywords, &object))
        return NULL;
    return PyMemoryView_FromObject(object);
}

/* ---- cast ---- */

static int is_byte_format(char format)
{
    return format == 'b' || format == 'B' || format == 'c';
}

static int refuse(PyObject *type, const char *text)
{
    PyErr_SetString(type, text);
    return -1;
}

/* Makes view one-dimensional in the given format. */
static int cast_to_1d(PyMemoryViewObject *result, const char *text)
{
    Py_buffer *view = &result->view;
    /* from: 0 if it is no native format of one character; such items can be seen as bytes too. */
    char from = memoryview_native_format(view->format), to = memoryview_native_format(text);
    if (to == 0)
        return refuse(PyExc_ValueError, "memoryview: destination format must be a native single character format "
                                        "prefixed with an optional '@'");
    if (!is_byte_format(from) && !is_byte_format(to))
        return refuse(PyExc_TypeError, "memoryview: cannot cast between two non-byte formats");
    Py_ssize_t itemsize = memoryview_native_size(to);
    if (view->len % itemsize != 0)
        return refuse(PyExc_TypeError, "memoryview: length is not a multiple of itemsize");
    view->format = (char *)memoryview_static_format(text);
    view->itemsize = itemsize;
    view->ndim = 1;
    view->shape[0] = view->len / itemsize;
    view->strides[0] = itemsize;
    view->suboffsets = NULL;
    return 0;
}

/* Gives a one-dimensional view the shape, a list or tuple of which items has the elements. */
static int cast_to_nd(PyMemoryViewObject *result, PyObject *items)
{
    Py_buffer *view = &result->view;
    Py_ssize_t product = 1;
    int ndim = (int)PyTuple_GET_SIZE(items);
    for (int i = 0; i < ndim; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (!PyLong_Check(item))
            return refuse(PyExc_TypeError, "memoryview.cast(): elements of shape must be integers");
        Py_ssize_t n = PyLong_AsSsize_t(item);
        if (n == -1 && PyErr_Occurred())
            return -1;
        if (n <= 0)
            return refuse(PyExc_ValueError, "memoryview.cast(): elements of shape must be integers > 0");
        if (n > PY_SSIZE_T_MAX / product)
            return refuse(PyExc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
        product *= n;
        view->shape[i] = n;
    }
    if (product > PY_SSIZE_T_MAX / view->itemsize)
        return refuse(PyExc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
    if (product * view->itemsize != view->len)
        return refuse(PyExc_TypeError, "memoryview: product(shape) * itemsize != buffer size");
    view->ndim = ndim;
    if (ndim == 0)
        view->shape = view->strides = NULL;
    else
        PyBuffer_FillContiguousStrides(ndim, view->shape, view->strides, (int)view->itemsize, 'C');
    return 0;
}

static int has_zeros(const Py_buffer *view)
{
    for (int i = 0; i < view->ndim; i++)
        if (view->shape[i] == 0 || view->strides[i] == 0)
            return 1;
    return 0;
}

/* items: the shape as a tuple, or NULL. self is acquired. */
static PyObject *cast(PyMemoryViewObject *self, const char *format, PyObject *items)
{
    Py_ssize_t ndim = items == NULL ? 1 : PyTuple_GET_SIZE(items);
    if (!(memoryview_flags(self) & _Py_MEMORYVIEW_C)) {
        refuse(PyExc_TypeError, "memoryview: casts are restricted to C-contiguous views");
        return NULL;
    }
    if ((items != NULL || self->view.ndim != 1) && has_zeros(&self->view)) {
        refuse(PyExc_TypeError, "memoryview: cannot cast view with zeros in shape or strides");
        return NULL;
    }
    if (ndim > PyBUF_MAX_NDIM) {
        refuse(PyExc_ValueError, "memoryview: number of dimensions must not exceed 64");
        return NULL;
    }
    if (items != NULL && self->view.ndim != 1 && ndim != 1) {
        refuse(PyExc_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
        return NULL;
    }
    PyMemoryViewObject *result = memoryview_derive(self, &self->view, ndim < self->view.ndim ? self->view.ndim
                                                                      : ndim == 0 ? 1 : (int)ndim);
    if (result == NULL)
        return NULL;
    result->view.suboffsets = NULL;
    if (cast_to_1d(result, format) < 0 || (items != NULL && cast_to_nd(result, items) < 0)) {
        Py_DECREF(result);
        return NULL;
    }
    memoryview_init_flags(result);
    return (PyObject *)result;
}

static PyObject *memory_cast(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"format", "shape", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "cast"};
    PyObject *room[2], *shape = NULL, *items = NULL;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 1, 2, 0, room);
    if (args == NULL)
        return NULL;
    if (!PyUnicode_Check(args[0])) {
        _PyArg_BadArgument("cast", "argument 'format'", "str", args[0]);
        return NULL;
    }
    if (nargs > 1 || (kwnames != NULL && args[1] != NULL))
        shape = args[1];
    if (memoryview_acquire(as_view(op)) < 0)
        return NULL;
    PyObject *result = NULL;
    if (shape != NULL && !PyList_Check(shape) && !PyTuple_Check(shape))
        refuse(PyExc_TypeError, "shape must be a list or a tuple");
    else if (shape == NULL || (items = PySequence_Tuple(shape)) != NULL) {
        const char *format = PyUnicode_AsUTF8(args[0]);
        if (format != NULL)
            result = cast(as_view(op), format, items);
    }
    Py_XDECREF(items);
    memoryview_drop(as_view(op));
    return result;
}

static PyObject *memory_toreadonly(PyObject *op, PyObject *unused)
{
    PyMemoryViewObject *self = as_view(op);
    if (memoryview_acquire(self) < 0)
        return NULL;
    PyMemoryViewObject *result = memoryview_derive(self, &self->view, self->view.ndim);
    if (result != NULL)
        result->view.readonly = 1;
    memoryview_drop(self);
    return (PyObject *)result;
}

/* ---- Copies ---- */

static PyObject *memory_tobytes(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"order", NULL};
    static _PyArg_Parser parser = {.format = "|O:tobytes", .keywords = keywords};
    PyObject *arg = Py_None;
    const char *order = NULL;
    char letter = 'C';
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &arg))
        return NULL;
    if (arg != Py_None && !PyUnicode_Check(arg)) {
        _PyArg_BadArgument("tobytes", "argument 'order'", "str or None", arg);
        return NULL;
    }
    if (arg != Py_None && (order = PyUnicode_AsUTF8(arg)) == NULL)
        return NULL;
    if (order != NULL) {
        if (strcmp(order, "C") != 0 && strcmp(order, "F") != 0 && strcmp(order, "A") != 0) {
            PyErr_SetString(PyExc_ValueError, "order must be 'C', 'F' or 'A'");
            return NULL;
        }
        letter = order[0];
    }
    PyMemoryViewObject *self = as_view(op);
    if (memoryview_acquire(self) < 0)
        return NULL;
    PyObject *result = PyBytes_FromStringAndSize(NULL, self->view.len);
    if (result != NULL && self->view.len > 0
        && PyBuffer_ToContiguous(PyBytes_AS_STRING(result), &self->view, self->view.len, letter) < 0)
        Py_CLEAR(result);
    memoryview_drop(self);
    return result;
}

static PyObject *memory_hex(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyMemoryViewObject *self = as_view(op);
    int separator, group;
    PyObject *result = NULL;
    if (memoryview_is_released(self)) {
        memoryview_released_error();
        return NULL;
    }
    if (bytes_hex_arguments(args, nargs, kwnames, &separator, &group) < 0 || memoryview_acquire(self) < 0)
        return NULL;
    if (memoryview_flags(self) & _Py_MEMORYVIEW_C)
        result = bytes_hex_data(self->view.buf, self->view.len, separator, group);
    else {
        PyObject *bytes = memory_tobytes(op, NULL, 0, NULL);
        if (bytes != NULL)
            result = bytes_hex_data(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), separator, group);
        Py_XDECREF(bytes);
    }
    memoryview_drop(self);
    return result;
}

/* ---- Comparison and hash ---- */

static PyObject *memory_richcompare(PyObject *v, PyObject *w, int op)
{
    if (op != Py_EQ && op != Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    Py_buffer vb, wb;
    int equal;
    if (memoryview_is_released(as_view(v)) || (PyMemoryView_Check(w) && memoryview_is_released(as_view(w))))
        equal = v == w;
    else {
        if (PyObject_GetBuffer(v, &vb, PyBUF_FULL_RO) < 0)
            return NULL;
        if (value_is_immediate(w) || PyObject_GetBuffer(w, &wb, PyBUF_FULL_RO) < 0) {
            PyErr_Clear();
            PyBuffer_Release(&vb);
            Py_RETURN_NOTIMPLEMENTED;
        }
        equal = memoryview_equal(&vb, &wb);
        PyBuffer_Release(&vb);
        PyBuffer_Release(&wb);
        if (equal < 0)
            return NULL;
    }
    return equal == (op == Py_EQ) ? Py_True : Py_False;
}

static Py_hash_t hash_acquired(PyMemoryViewObject *self)
{
    const Py_buffer *view = &self->view;
    char format = memoryview_native_format(view->format);
    if (!view->readonly)
        return refuse(PyExc_ValueError, "cannot hash writable memoryview object");
    if (!is_byte_format(format))
        return refuse(PyExc_ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
    if (view->obj != NULL && PyObject_Hash(view->obj) == -1)
        return -1;
    if (memoryview_flags(self) & _Py_MEMORYVIEW_C)
        return _Py_HashBytes(view->buf, view->len);
    char *flat = PyMem_Malloc((size_t)view->len + 1);
    Py_hash_t hash = -1;
    if (flat == NULL)
        PyErr_NoMemory();
    else if (PyBuffer_ToContiguous(flat, view, view->len, 'C') == 0)
        hash = _Py_HashBytes(flat, view->len);
    PyMem_Free(flat);
    return hash;
}

static Py_hash_t memory_hash(PyObject *op)
{
    PyMemoryViewObject *self = as_view(op);
    Py_hash_t hash = __atomic_load_n(&self->hash, __ATOMIC_RELAXED);
    if (hash != -1)
        return hash;
    if (memoryview_acquire(self) < 0)
        return -1;
    hash = hash_acquired(self);
    memoryview_drop(self);
    if (hash != -1)
        __atomic_store_n(&self->hash, hash, __ATOMIC_RELAXED);
    return hash;
}

static PyObject *memory_repr(PyObject *op)
{
    return PyUnicode_FromFormat(memoryview_flags(as_view(op)) & _Py_MEMORYVIEW_RELEASED ? "<released memory at %p>"
                                                                             : "<memory at %p>", op);
}

static Py_ssize_t memory_length(PyObject *op)
{
    PyMemoryViewObject *self = as_view(op);
    if (memoryview_is_released(self))
        return memoryview_released_error();
    return self->view.ndim == 0 ? 1 : self->view.shape[0];
}

/* ---- Contexts ---- */

static PyObject *memory_release(PyObject *op, PyObject *unused)
{
    if (memoryview_release(as_view(op)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *memory_enter(PyObject *op, PyObject *unused)
{
    if (memoryview_is_released(as_view(op))) {
        memoryview_released_error();
        return NULL;
    }
    return Py_NewRef(op);
}

static PyObject *memory_exit(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return memory_release(op, NULL);
}

/* ---- Attributes ---- */

/* Everything but obj lies in the view itself and outlives the release; it is only forbidden to look then. */
#define CHECKED_GETTER(name, expression) \
    static PyObject *get_##name(PyObject *op, void *unused) \
    { \
        PyMemoryViewObject *self = as_view(op); \
        if (memoryview_is_released(self)) { \
            memoryview_released_error(); \
            return NULL; \
        } \
        return expression; \
    }

static PyObject *words(const Py_ssize_t *values, int n)
{
    PyObject *tuple = PyTuple_New(values == NULL ? 0 : n);
    for (int i = 0; values != NULL && i < n && tuple != NULL; i++) {
        PyObject *word = PyLong_FromSsize_t(values[i]);
        if (word == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, word);
    }
    return tuple;
}

CHECKED_GETTER(nbytes, PyLong_FromSsize_t(self->view.len))
CHECKED_GETTER(readonly, PyBool_FromLong(self->view.readonly))
CHECKED_GETTER(itemsize, PyLong_FromSsize_t(self->view.itemsize))
CHECKED_GETTER(format, PyUnicode_FromString(self->view.format))
CHECKED_GETTER(ndim, PyLong_FromLong(self->view.ndim))
CHECKED_GETTER(shape, words(self->view.shape, self->view.ndim))
CHECKED_GETTER(strides, words(self->view.strides, self->view.ndim))
CHECKED_GETTER(suboffsets, words(self->view.suboffsets, self->view.ndim))
CHECKED_GETTER(c_contiguous, PyBool_FromLong(memoryview_flags(self) & _Py_MEMORYVIEW_C))
CHECKED_GETTER(f_contiguous, PyBool_FromLong(memoryview_flags(self) & _Py_MEMORYVIEW_FORTRAN))
CHECKED_GETTER(contiguous, PyBool_FromLong(memoryview_flags(self) & (_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN)))

static PyObject *get_obj(PyObject *op, void *unused)
{
    PyMemoryViewObject *self = as_view(op);
    if (memoryview_acquire(self) < 0)
        return NULL;
    PyObject *result = self->view.obj == NULL ? Py_None : Py_NewRef(self->view.obj);
    memoryview_drop(self);
    return result;
}

static PyGetSetDef memory_getset[] = {
    {"obj", get_obj, NULL, "The object whose memory this is.", NULL},
    {"nbytes", get_nbytes, NULL, "Size in bytes: the product of the shape times the size of an item.", NULL},
    {"readonly", get_readonly, NULL, "Whether the memory may only be read.", NULL},
    {"itemsize", get_itemsize, NULL, "Size of an item in bytes.", NULL},
    {"format", get_format, NULL, "Format of an item, in the notation of the struct module.", NULL},
    {"ndim", get_ndim, NULL, "Number of dimensions.", NULL},
    {"shape", get_shape, NULL, "Number of items in each dimension.", NULL},
    {"strides", get_strides, NULL, "Distance in bytes between items, for each dimension.", NULL},
    {"suboffsets", get_suboffsets, NULL, "For arrays of pointers (in the style of PIL) only.", NULL},
    {"c_contiguous", get_c_contiguous, NULL, "Whether the memory is contiguous in C's order.", NULL},
    {"f_contiguous", get_f_contiguous, NULL, "Whether the memory is contiguous in Fortran's order.", NULL},
    {"contiguous", get_contiguous, NULL, "Whether the memory is contiguous.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- The type ---- */

static PyMethodDef memory_methods[] = {
    {"release", memory_release, METH_NOARGS, "release($self, /)\n--\n\nLet go of the memory."},
    {"tobytes", _PyCFunction_CAST(memory_tobytes), METH_FASTCALL | METH_KEYWORDS,
     "tobytes($self, /, order='C')\n--\n\nA copy as bytes, in the order 'C', 'F', or 'A' (as it is)."},
    {"hex", _PyCFunction_CAST(memory_hex), METH_FASTCALL | METH_KEYWORDS, bytes_doc_hex},
    {"tolist", memoryview_tolist, METH_NOARGS, "tolist($self, /)\n--\n\nThe items as a list, or a list of lists."},
    {"cast", _PyCFunction_CAST(memory_cast), METH_FASTCALL | METH_KEYWORDS,
     "cast($self, /, format, shape=<unrepresentable>)\n--\n\nA view of the same memory with another format or shape."},
    {"toreadonly", memory_toreadonly, METH_NOARGS, "toreadonly($self, /)\n--\n\nA view that may only be read."},
    {"__enter__", memory_enter, METH_NOARGS, NULL},
    {"__exit__", _PyCFunction_CAST(memory_exit), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods memory_as_sequence = {.sq_length = memory_length, .sq_item = memoryview_item};
static PyMappingMethods memory_as_mapping = {
    .mp_length = memory_length,
    .mp_subscript = memoryview_subscript,
    .mp_ass_subscript = memoryview_ass_subscript,
};
static PyBufferProcs memory_as_buffer = {
    .bf_getbuffer = memoryview_getbuffer,
    .bf_releasebuffer = memoryview_releasebuffer,
};

PyTypeObject PyMemoryView_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "memoryview",
    .tp_doc = "memoryview(object)\n--\n\nA view of the memory of an object that has the buffer interface.",
    .tp_basicsize = offsetof(PyMemoryViewObject, ob_array),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = memoryview_dealloc,
    .tp_repr = memory_repr,
    .tp_hash = memory_hash,
    .tp_as_sequence = &memory_as_sequence,
    .tp_as_mapping = &memory_as_mapping,
    .tp_as_buffer = &memory_as_buffer,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_traverse = memoryview_traverse,
    .tp_clear = memoryview_clear,
    .tp_richcompare = memory_richcompare,
    .tp_weaklistoffset = offsetof(PyMemoryViewObject, weakreflist),
    .tp_iter = memoryview_iter,
    .tp_methods = memory_methods,
    .tp_getset = memory_getset,
    .tp_new = memory_new,
};
