/* tee: several iterators over one source. What has been read lies in a chain of blocks; each tee holds the block that it
 * reads from, so that blocks behind the slowest one go away by themselves. */
#include "itertools.h"

#include <stddef.h>

#define BLOCK_ITEMS 57

typedef struct {
    PyObject_HEAD
    PyObject *it;                       /* [const] the source */
    int count;                          /* [lock] items filled in */
    int running;                        /* [lock] the source is being asked */
    PyObject *next;                     /* [lock] the block behind, or NULL */
    PyObject *values[BLOCK_ITEMS];      /* [lock] */
} TeeDataObject;

typedef struct {
    PyObject_HEAD
    PyObject *data;                     /* [lock] the block */
    int index;                          /* [lock] next item in it */
    PyObject *weakrefs;
} TeeObject;

/* ---- Blocks ---- */

static PyObject *data_make(PyObject *it)
{
    TeeDataObject *d = PyObject_GC_New(TeeDataObject, &tee_data_type);
    if (d == NULL)
        return NULL;
    d->running = 0;
    d->count = 0;
    d->next = NULL;
    d->it = Py_NewRef(it);
    PyObject_GC_Track(d);
    return (PyObject *)d;
}

/* The block behind a full one: a new reference. */
static PyObject *data_next_block(TeeDataObject *d)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(d);
    if (d->next == NULL)
        d->next = data_make(d->it);
    result = Py_XNewRef(d->next);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *data_get_locked(TeeDataObject *d, int i)
{
    if (i < d->count)
        return Py_NewRef(d->values[i]);
    if (d->running) {
        PyErr_SetString(PyExc_RuntimeError, "cannot re-enter the tee iterator");
        return NULL;
    }
    if (d->it == NULL || d->count >= BLOCK_ITEMS)   /* cleared by the collector, or a state made up by hand */
        return NULL;
    d->running = 1;
    PyObject *item = next_of(d->it);
    d->running = 0;
    if (item == NULL)
        return NULL;
    d->values[d->count++] = Py_NewRef(item);
    return item;
}

static PyObject *data_get(TeeDataObject *d, int i)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(d);
    result = data_get_locked(d, i);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int data_traverse(PyObject *op, visitproc visit, void *arg)
{
    TeeDataObject *d = (TeeDataObject *)op;
    Py_VISIT(d->it);
    for (int i = 0; i < d->count; i++)
        Py_VISIT(d->values[i]);
    Py_VISIT(d->next);
    return 0;
}

static int data_clear(PyObject *op)
{
    TeeDataObject *d = (TeeDataObject *)op;
    Py_CLEAR(d->it);
    int n = d->count;
    d->count = 0;
    for (int i = 0; i < n; i++)
        Py_CLEAR(d->values[i]);
    /* A long chain whose blocks nobody else holds is taken apart here, not by recursion. */
    PyObject *next = d->next;
    d->next = NULL;
    while (next != NULL && Py_TYPE(next) == &tee_data_type && module_object_is_unique(next)) {
        PyObject *after = ((TeeDataObject *)next)->next;
        ((TeeDataObject *)next)->next = NULL;
        Py_SETREF(next, after);
    }
    Py_XDECREF(next);
    return 0;
}

static void data_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    (void)data_clear(op);
    PyObject_GC_Del(op);
}

static PyObject *data_reduce_locked(PyObject *op, PyObject *unused)
{
    TeeDataObject *d = (TeeDataObject *)op;
    PyObject *values = PyList_New(d->count);
    if (values == NULL)
        return NULL;
    for (int i = 0; i < d->count; i++)
        PyList_SET_ITEM(values, i, Py_NewRef(d->values[i]));
    return Py_BuildValue("O(ONO)", Py_TYPE(op), d->it, values, d->next != NULL ? d->next : Py_None);
}
LOCKED_METHOD(data_reduce)

static PyObject *data_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *it, *values, *next;
    if (!PyArg_ParseTuple(args, "OO!O", &it, &PyList_Type, &values, &next))
        return NULL;
    values = PyList_AsTuple(values);
    if (values == NULL)
        return NULL;
    TeeDataObject *d = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(values);
    int full = n == BLOCK_ITEMS;
    if (n > BLOCK_ITEMS || !(next == Py_None || (full && Py_TYPE(next) == &tee_data_type))) {
        PyErr_SetString(PyExc_ValueError, "Invalid arguments");
        goto done;
    }
    d = (TeeDataObject *)data_make(it);
    if (d == NULL)
        goto done;
    for (int i = 0; i < n; i++)
        d->values[i] = Py_NewRef(PyTuple_GET_ITEM(values, i));
    d->count = (int)n;
    if (next != Py_None)
        d->next = Py_NewRef(next);
done:
    Py_DECREF(values);
    return (PyObject *)d;
}

static PyMethodDef data_methods[] = {
    {"__reduce__", data_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

PyTypeObject tee_data_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools._tee_dataobject",
    .tp_basicsize = sizeof(TeeDataObject),
    .tp_dealloc = data_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "teedataobject(iterable, values, next, /)\n--\n\nItems that a tee has read and that are still wanted.",
    .tp_traverse = data_traverse,
    .tp_clear = data_clear,
    .tp_methods = data_methods,
    .tp_new = data_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- The iterators ---- */

/* Steals data. */
static PyObject *tee_make(PyObject *data, int index)
{
    TeeObject *t = data == NULL ? NULL : PyObject_GC_New(TeeObject, &tee_type);
    if (t == NULL) {
        Py_XDECREF(data);
        return NULL;
    }
    t->data = data;
    t->index = index;
    t->weakrefs = NULL;
    PyObject_GC_Track(t);
    return (PyObject *)t;
}

static PyObject *tee_copy_locked(PyObject *op, PyObject *unused)
{
    TeeObject *t = (TeeObject *)op;
    return tee_make(Py_NewRef(t->data), t->index);
}
LOCKED_METHOD(tee_copy)

static PyObject *tee_from_iterable(PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable), *result;
    if (it == NULL)
        return NULL;
    if (PyObject_TypeCheck(it, &tee_type))
        result = tee_copy(it, NULL);
    else
        result = tee_make(data_make(it), 0);
    Py_DECREF(it);
    return result;
}

static PyObject *tee_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *iterable;
    if (!PyArg_UnpackTuple(args, "_tee", 1, 1, &iterable))
        return NULL;
    return tee_from_iterable(iterable);
}

static PyObject *tee_step(PyObject *op)
{
    TeeObject *t = (TeeObject *)op;
    if (t->index >= BLOCK_ITEMS) {
        PyObject *next = data_next_block((TeeDataObject *)t->data);
        if (next == NULL)
            return NULL;
        PyObject *old = t->data;
        t->data = next;
        t->index = 0;
        Py_DECREF(old);
    }
    PyObject *data = Py_NewRef(t->data);
    int i = t->index;
    PyObject *item = data_get((TeeDataObject *)data, i);
    if (item != NULL && t->data == data && t->index == i)
        t->index++;
    Py_DECREF(data);
    return item;
}
LOCKED_NEXT(tee)

static int tee_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((TeeObject *)op)->data);
    return 0;
}

static int tee_clear(PyObject *op)
{
    TeeObject *t = (TeeObject *)op;
    if (_PyObject_HAS_WEAKREFS(t->weakrefs))
        PyObject_ClearWeakRefs(op);
    Py_CLEAR(t->data);
    return 0;
}

static void tee_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    (void)tee_clear(op);
    PyObject_GC_Del(op);
}

static PyObject *tee_reduce_locked(PyObject *op, PyObject *unused)
{
    TeeObject *t = (TeeObject *)op;
    return Py_BuildValue("O(())(Oi)", Py_TYPE(op), t->data, t->index);
}
LOCKED_METHOD(tee_reduce)

static PyObject *tee_setstate_locked(PyObject *op, PyObject *state)
{
    TeeObject *t = (TeeObject *)op;
    PyObject *data;
    int index;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O!i", &tee_data_type, &data, &index))
        return NULL;
    if (index < 0 || index > BLOCK_ITEMS) {
        PyErr_SetString(PyExc_ValueError, "Index out of range");
        return NULL;
    }
    Py_INCREF(data);
    Py_XSETREF(t->data, data);
    t->index = index;
    Py_RETURN_NONE;
}
LOCKED_METHOD(tee_setstate)

static PyMethodDef tee_methods[] = {
    {"__copy__", tee_copy, METH_NOARGS, "Returns an independent iterator."},
    {"__reduce__", tee_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", tee_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject tee_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools._tee",
    .tp_basicsize = sizeof(TeeObject),
    .tp_dealloc = tee_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "_tee(iterable, /)\n--\n\nAn iterator that can be copied.",
    .tp_traverse = tee_traverse,
    .tp_clear = tee_clear,
    .tp_weaklistoffset = offsetof(TeeObject, weakrefs),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = tee_next,
    .tp_methods = tee_methods,
    .tp_new = tee_new,
    .tp_free = PyObject_GC_Del,
};

PyObject *itertools_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = 2;
    if (!_PyArg_CheckPositional("tee", nargs, 1, 2))
        return NULL;
    if (nargs == 2) {
        PyObject *index = PyNumber_Index(args[1]);
        if (index == NULL)
            return NULL;
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred())
            return NULL;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "n must be >= 0");
        return NULL;
    }
    PyObject *result = PyTuple_New(n), *it = NULL, *copy_func = NULL;
    if (result == NULL || n == 0)
        return result;
    it = PyObject_GetIter(args[0]);
    if (it == NULL)
        goto error;
    copy_func = PyObject_GetAttrString(it, "__copy__");
    if (copy_func == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            goto error;
        PyErr_Clear();
        Py_SETREF(it, tee_from_iterable(it));
        if (it == NULL)
            goto error;
        copy_func = PyObject_GetAttrString(it, "__copy__");
        if (copy_func == NULL)
            goto error;
    }
    PyTuple_SET_ITEM(result, 0, it);
    it = NULL;
    for (Py_ssize_t i = 1; i < n; i++) {
        PyObject *copy = PyObject_CallNoArgs(copy_func);
        if (copy == NULL)
            goto error;
        PyTuple_SET_ITEM(result, i, copy);
    }
    Py_DECREF(copy_func);
    return result;
error:
    Py_XDECREF(it);
    Py_XDECREF(copy_func);
    Py_DECREF(result);
    return NULL;
}
