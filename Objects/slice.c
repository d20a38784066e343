/* Slice objects and the arithmetic of slice bounds. */
#include "Python.h"

#include "internal/abstract.h"
#include "object_gc_inline.h"

PyObject *PySlice_New(PyObject *start, PyObject *stop, PyObject *step)
{
    PySliceObject *self = PyObject_GC_New(PySliceObject, &PySlice_Type);
    if (self == NULL)
        return NULL;
    self->start = Py_NewRef(start == NULL ? Py_None : start);
    self->stop = Py_NewRef(stop == NULL ? Py_None : stop);
    self->step = Py_NewRef(step == NULL ? Py_None : step);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *_PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop)
{
    PyObject *lo = PyLong_FromSsize_t(start), *hi = PyLong_FromSsize_t(stop), *result = NULL;
    if (lo != NULL && hi != NULL)
        result = PySlice_New(lo, hi, NULL);
    Py_XDECREF(lo);
    Py_XDECREF(hi);
    return result;
}

/* ---- Bounds as C integers ---- */

int _PyEval_SliceIndexNotNone(PyObject *op, Py_ssize_t *index)
{
    if (value_is_int(op)) {
        *index = (Py_ssize_t)value_get_int(op);
        return 1;
    }
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or have an __index__ method");
        return 0;
    }
    Py_ssize_t i = PyNumber_AsSsize_t(op, NULL);
    if (i == -1 && PyErr_Occurred())
        return 0;
    *index = i;
    return 1;
}

int _PyEval_SliceIndex(PyObject *op, Py_ssize_t *index)
{
    if (op == Py_None)
        return 1;
    if (value_is_int(op)) {
        *index = (Py_ssize_t)value_get_int(op);
        return 1;
    }
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or None or have an __index__ method");
        return 0;
    }
    return _PyEval_SliceIndexNotNone(op, index);
}

int PySlice_Unpack(PyObject *slice, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *self = (PySliceObject *)slice;
    *step = 1;
    if (!_PyEval_SliceIndex(self->step, step))
        return -1;
    if (*step == 0) {
        PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
        return -1;
    }
    if (*step < -PY_SSIZE_T_MAX)
        *step = -PY_SSIZE_T_MAX;        /* so that it can be negated */
    *start = *step < 0 ? PY_SSIZE_T_MAX : 0;
    *stop = *step < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
    if (!_PyEval_SliceIndex(self->start, start) || !_PyEval_SliceIndex(self->stop, stop))
        return -1;
    return 0;
}

/* A bound made to lie in the sequence, or just before or behind it. */
static inline Py_ssize_t fit_bound(Py_ssize_t bound, Py_ssize_t length, Py_ssize_t step)
{
    if (bound < 0) {
        bound += length;
        if (bound < 0)
            bound = step < 0 ? -1 : 0;
    }
    else if (bound >= length) {
        bound = step < 0 ? length - 1 : length;
    }
    return bound;
}

Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step)
{
    assert(step != 0 && step >= -PY_SSIZE_T_MAX);
    *start = fit_bound(*start, length, step);
    *stop = fit_bound(*stop, length, step);
    if (step < 0)
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

#undef PySlice_GetIndicesEx
int PySlice_GetIndicesEx(PyObject *slice, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step,
                         Py_ssize_t *slicelength)
{
    *slicelength = 0;
    if (PySlice_Unpack(slice, start, stop, step) < 0)
        return -1;
    *slicelength = PySlice_AdjustIndices(length, start, stop, *step);
    return 0;
}

/* The old form: bounds must be exact ints, and may lie outside. */
int PySlice_GetIndices(PyObject *slice, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *self = (PySliceObject *)slice;
    if (self->step == Py_None)
        *step = 1;
    else if (!PyLong_Check(self->step))
        return -1;
    else
        *step = PyLong_AsSsize_t(self->step);
    if (self->start == Py_None)
        *start = *step < 0 ? length - 1 : 0;
    else if (!PyLong_Check(self->start))
        return -1;
    else {
        *start = PyLong_AsSsize_t(self->start);
        if (*start < 0)
            *start += length;
    }
    if (self->stop == Py_None)
        *stop = *step < 0 ? -1 : length;
    else if (!PyLong_Check(self->stop))
        return -1;
    else {
        *stop = PyLong_AsSsize_t(self->stop);
        if (*stop < 0)
            *stop += length;
    }
    if (*stop > length || *start >= length || *step == 0)
        return -1;
    return 0;
}

/* ---- Bounds of any size ---- */

static PyObject *index_of_bound(PyObject *bound)
{
    if (PyIndex_Check(bound))
        return PyNumber_Index(bound);
    PyErr_SetString(PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
    return NULL;
}

/* bound fitted between lower and upper; negative ones count from length. None gives `absent`. A new reference. */
static PyObject *fit_long_bound(PyObject *bound, PyObject *length, PyObject *lower, PyObject *upper, PyObject *absent)
{
    if (bound == Py_None)
        return Py_NewRef(absent);
    PyObject *value = index_of_bound(bound);
    if (value == NULL)
        return NULL;
    if (_PyLong_Sign(value) < 0) {
        Py_SETREF(value, PyNumber_Add(value, length));
        if (value == NULL)
            return NULL;
        int low = PyObject_RichCompareBool(value, lower, Py_LT);
        if (low < 0)
            Py_CLEAR(value);
        else if (low)
            Py_SETREF(value, Py_NewRef(lower));
        return value;
    }
    int high = PyObject_RichCompareBool(value, upper, Py_GT);
    if (high < 0)
        Py_CLEAR(value);
    else if (high)
        Py_SETREF(value, Py_NewRef(upper));
    return value;
}

int _PySlice_GetLongIndices(PySliceObject *self, PyObject *length, PyObject **start_out, PyObject **stop_out,
                            PyObject **step_out)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL, *lower = NULL, *upper = NULL;
    int backwards = 0;
    if (self->step == Py_None) {
        step = PyLong_FromLong(1);
    }
    else {
        step = index_of_bound(self->step);
        if (step == NULL)
            goto error;
        int sign = _PyLong_Sign(step);
        if (sign == 0) {
            PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
            goto error;
        }
        backwards = sign < 0;
    }
    if (backwards) {
        lower = PyLong_FromLong(-1);
        upper = lower == NULL ? NULL : PyNumber_Add(length, lower);
    }
    else {
        lower = PyLong_FromLong(0);
        upper = Py_NewRef(length);
    }
    if (step == NULL || lower == NULL || upper == NULL)
        goto error;
    start = fit_long_bound(self->start, length, lower, upper, backwards ? upper : lower);
    if (start == NULL)
        goto error;
    stop = fit_long_bound(self->stop, length, lower, upper, backwards ? lower : upper);
    if (stop == NULL)
        goto error;
    Py_DECREF(lower);
    Py_DECREF(upper);
    *start_out = start;
    *stop_out = stop;
    *step_out = step;
    return 0;
error:
    *start_out = *stop_out = *step_out = NULL;
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    Py_XDECREF(lower);
    Py_XDECREF(upper);
    return -1;
}

/* ---- The type ---- */

static void slice_dealloc(PyObject *op)
{
    PySliceObject *self = (PySliceObject *)op;
    PyObject_GC_UnTrack(op);
    Py_DECREF(self->step);
    Py_DECREF(self->start);
    Py_DECREF(self->stop);
    PyObject_GC_Del(op);
}

static int slice_traverse(PyObject *op, visitproc visit, void *arg)
{
    PySliceObject *self = (PySliceObject *)op;
    Py_VISIT(self->start);
    Py_VISIT(self->stop);
    Py_VISIT(self->step);
    return 0;
}

static PyObject *slice_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL;
    if (!_PyArg_NoKeywords("slice", kwargs) || !PyArg_UnpackTuple(args, "slice", 1, 3, &start, &stop, &step))
        return NULL;
    if (stop == NULL)
        return PySlice_New(NULL, start, NULL);
    return PySlice_New(start, stop, step);
}

static PyObject *slice_repr(PyObject *op)
{
    PySliceObject *self = (PySliceObject *)op;
    return PyUnicode_FromFormat("slice(%R, %R, %R)", self->start, self->stop, self->step);
}

static PyObject *slice_indices(PyObject *op, PyObject *arg)
{
    PyObject *length = PyNumber_Index(arg), *start, *stop, *step;
    if (length == NULL)
        return NULL;
    if (_PyLong_Sign(length) < 0) {
        PyErr_SetString(PyExc_ValueError, "length should not be negative");
        Py_DECREF(length);
        return NULL;
    }
    int r = _PySlice_GetLongIndices((PySliceObject *)op, length, &start, &stop, &step);
    Py_DECREF(length);
    return r < 0 ? NULL : Py_BuildValue("(NNN)", start, stop, step);
}

static PyObject *slice_reduce(PyObject *op, PyObject *unused)
{
    PySliceObject *self = (PySliceObject *)op;
    return Py_BuildValue("O(OOO)", Py_TYPE(op), self->start, self->stop, self->step);
}

static PyObject *slice_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PySlice_Check(a) || !PySlice_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (a == b)
        return PyBool_FromLong(op == Py_EQ || op == Py_LE || op == Py_GE);
    PySliceObject *x = (PySliceObject *)a, *y = (PySliceObject *)b;
    PyObject *left = PyTuple_Pack(3, x->start, x->stop, x->step), *right = NULL, *result = NULL;
    if (left != NULL)
        right = PyTuple_Pack(3, y->start, y->stop, y->step);
    if (right != NULL)
        result = PyObject_RichCompare(left, right, op);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyMethodDef slice_methods[] = {
    {"indices", slice_indices, METH_O,
     "S.indices(len) -> (start, stop, stride)\n\n"
     "The start and stop indices and the stride of the extended slice S for a\nsequence of length len; "
     "bounds outside it are clipped as in slicing."},
    {"__reduce__", slice_reduce, METH_NOARGS, "Return state information for pickling."},
    {NULL},
};

/* Members start, stop and step: read-only, never replaced. */
static PyObject *slice_get(PyObject *op, void *offset)
{
    return Py_NewRef(*(PyObject **)((char *)op + (size_t)offset));
}

static PyGetSetDef slice_getset[] = {
    {"start", slice_get, NULL, NULL, (void *)offsetof(PySliceObject, start)},
    {"stop", slice_get, NULL, NULL, (void *)offsetof(PySliceObject, stop)},
    {"step", slice_get, NULL, NULL, (void *)offsetof(PySliceObject, step)},
    {NULL},
};

PyTypeObject PySlice_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "slice",
    .tp_basicsize = sizeof(PySliceObject),
    .tp_dealloc = slice_dealloc,
    .tp_repr = slice_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "slice(stop)\nslice(start, stop[, step])\n\n"
              "A set of bounds for extended slicing, as in a[0:10:2].",
    .tp_traverse = slice_traverse,
    .tp_richcompare = slice_richcompare,
    .tp_methods = slice_methods,
    .tp_getset = slice_getset,
    .tp_new = slice_new,
};
