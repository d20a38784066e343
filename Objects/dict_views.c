/* dict.keys(), dict.values(), dict.items(): live views, with set operations for keys and items. */
#include "dict.h"
#include "set.h"
#include "object_gc_inline.h"

static PyDictObject *dict_of(PyObject *view)
{
    return ((PyDictViewObject *)view)->dv_dict;
}

PyObject *_PyDictView_New(PyObject *dict, PyTypeObject *type)
{
    if (dict == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%s() requires a dict argument, not '%s'", type->tp_name, Py_TYPE(dict)->tp_name);
        return NULL;
    }
    PyDictViewObject *view = PyObject_GC_New(PyDictViewObject, type);
    if (view == NULL)
        return NULL;
    view->dv_dict = (PyDictObject *)Py_NewRef(dict);
    PyObject_GC_Track(view);
    return (PyObject *)view;
}

PyObject *dict_method_keys(PyObject *self, PyObject *unused) { return _PyDictView_New(self, &PyDictKeys_Type); }
PyObject *dict_method_values(PyObject *self, PyObject *unused) { return _PyDictView_New(self, &PyDictValues_Type); }
PyObject *dict_method_items(PyObject *self, PyObject *unused) { return _PyDictView_New(self, &PyDictItems_Type); }

static void view_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(dict_of(op));
    PyObject_GC_Del(op);
}

static int view_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(dict_of(op));
    return 0;
}

static Py_ssize_t view_length(PyObject *op)
{
    return dict_of(op) != NULL ? PyDict_GET_SIZE(dict_of(op)) : 0;
}

static PyObject *view_mapping(PyObject *op, void *unused)
{
    return PyDictProxy_New((PyObject *)dict_of(op));
}

static PyGetSetDef view_getset[] = {
    {"mapping", view_mapping, NULL, "the dict of this view, read-only", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyObject *view_repr(PyObject *op)
{
    int recursion = Py_ReprEnter(op);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromString("...") : NULL;
    PyObject *result = NULL, *list = PySequence_List(op);
    if (list != NULL) {
        result = PyUnicode_FromFormat("%s(%R)", Py_TYPE(op)->tp_name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(op);
    return result;
}

/* ---- Membership ---- */

static int keys_contains(PyObject *op, PyObject *key)
{
    return dict_of(op) == NULL ? 0 : PyDict_Contains((PyObject *)dict_of(op), key);
}

static int items_contains(PyObject *op, PyObject *item)
{
    PyObject *value;
    if (dict_of(op) == NULL || !PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2)
        return 0;
    int found = dict_get_ref((PyObject *)dict_of(op), PyTuple_GET_ITEM(item, 0), &value);
    if (found <= 0)
        return found;
    found = PyObject_RichCompareBool(value, PyTuple_GET_ITEM(item, 1), Py_EQ);
    Py_DECREF(value);
    return found;
}

/* ---- Set comparisons ---- */

static int all_contained_in(PyObject *a, PyObject *b)
{
    PyObject *item, *iterator = PyObject_GetIter(a);
    int ok = 1;
    if (iterator == NULL)
        return -1;
    while (ok == 1 && (item = PyIter_Next(iterator)) != NULL) {
        ok = PySequence_Contains(b, item);
        Py_DECREF(item);
    }
    Py_DECREF(iterator);
    return ok == 1 && PyErr_Occurred() ? -1 : ok;
}

static PyObject *view_richcompare(PyObject *a, PyObject *b, int op)
{
    int ok = 0;
    if (!PyAnySet_Check(b) && !PyDictViewSet_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t left = PyObject_Size(a), right = left < 0 ? -1 : PyObject_Size(b);
    if (right < 0)
        return NULL;
    switch (op) {
    case Py_EQ:
    case Py_NE:
        ok = left == right ? all_contained_in(a, b) : 0;
        if (op == Py_NE && ok >= 0)
            ok = !ok;
        break;
    case Py_LT: ok = left < right ? all_contained_in(a, b) : 0; break;
    case Py_LE: ok = left <= right ? all_contained_in(a, b) : 0; break;
    case Py_GT: ok = left > right ? all_contained_in(b, a) : 0; break;
    case Py_GE: ok = left >= right ? all_contained_in(b, a) : 0; break;
    }
    return ok < 0 ? NULL : PyBool_FromLong(ok);
}

/* ---- Set operations: the results are sets ---- */

static PyObject *view_subtract(PyObject *a, PyObject *b)
{
    PyObject *result = PySet_New(a);
    if (result != NULL && set_difference_update((PySetObject *)result, b) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *view_or(PyObject *a, PyObject *b)
{
    PyObject *result = PySet_New(a);
    if (result != NULL && set_update((PySetObject *)result, b) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *view_xor(PyObject *a, PyObject *b)
{
    PyObject *result = PySet_New(a);
    if (result != NULL && set_symmetric_difference_update((PySetObject *)result, b) < 0)
        Py_CLEAR(result);
    return result;
}

/* The items of one that the other contains; `other` may be any iterable. */
PyObject *_PyDictView_Intersect(PyObject *self, PyObject *other)
{
    /* Walk the smaller of two views. */
    if (PyDictViewSet_Check(other) && view_length(other) > view_length(self)) {
        PyObject *swap = other;
        other = self;
        self = swap;
    }
    /* A set that is the larger one answers faster for us. */
    if (PySet_CheckExact(other) && view_length(self) <= PySet_GET_SIZE(other)) {
        PyObject *result = set_intersection((PySetObject *)other, self);
        return result;
    }
    PyObject *key, *iterator = NULL, *result = PySet_New(NULL);
    int is_keys = PyDictKeys_Check(self);
    if (result == NULL || (iterator = PyObject_GetIter(other)) == NULL)
        goto failed;
    while ((key = PyIter_Next(iterator)) != NULL) {
        int found = is_keys ? keys_contains(self, key) : items_contains(self, key);
        if (found > 0)
            found = PySet_Add(result, key);
        Py_DECREF(key);
        if (found < 0)
            goto failed;
    }
    if (PyErr_Occurred())
        goto failed;
    Py_DECREF(iterator);
    return result;
failed:
    Py_XDECREF(iterator);
    Py_XDECREF(result);
    return NULL;
}

/* As binary operators: the view may be on the right. */
static PyObject *view_and(PyObject *a, PyObject *b)
{
    if (PyDictViewSet_Check(a))
        return _PyDictView_Intersect(a, b);
    return _PyDictView_Intersect(b, a);
}

static PyObject *view_isdisjoint(PyObject *self, PyObject *other)
{
    if (self == other)
        return PyBool_FromLong(view_length(self) == 0);
    if (PyAnySet_CheckExact(other) || PyDictViewSet_Check(other)) {
        Py_ssize_t n = PyObject_Size(other);
        if (n < 0)
            return NULL;
        if (n > view_length(self)) {
            PyObject *swap = other;
            other = self;
            self = swap;
        }
    }
    PyObject *item, *iterator = PyObject_GetIter(other);
    if (iterator == NULL)
        return NULL;
    int found = 0;
    while (found == 0 && (item = PyIter_Next(iterator)) != NULL) {
        found = PySequence_Contains(self, item);
        Py_DECREF(item);
    }
    Py_DECREF(iterator);
    if (found < 0 || (found == 0 && PyErr_Occurred()))
        return NULL;
    return PyBool_FromLong(!found);
}

/* ---- Iteration ---- */

static PyObject *keys_iter(PyObject *op) { return dict_iter_new(dict_of(op), &PyDictIterKey_Type); }
static PyObject *values_iter(PyObject *op) { return dict_iter_new(dict_of(op), &PyDictIterValue_Type); }
static PyObject *items_iter(PyObject *op) { return dict_iter_new(dict_of(op), &PyDictIterItem_Type); }
static PyObject *keys_reversed(PyObject *op, PyObject *unused) { return dict_iter_new(dict_of(op), &PyDictRevIterKey_Type); }
static PyObject *values_reversed(PyObject *op, PyObject *unused) { return dict_iter_new(dict_of(op), &PyDictRevIterValue_Type); }
static PyObject *items_reversed(PyObject *op, PyObject *unused) { return dict_iter_new(dict_of(op), &PyDictRevIterItem_Type); }

/* ---- Types ---- */

#define DISJOINT_DOC "Return whether the view and an iterable have no element in common."

static PyMethodDef keys_methods[] = {
    {"isdisjoint", view_isdisjoint, METH_O, DISJOINT_DOC},
    {"__reversed__", keys_reversed, METH_NOARGS, "Return an iterator over the keys, last one first."},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef items_methods[] = {
    {"isdisjoint", view_isdisjoint, METH_O, DISJOINT_DOC},
    {"__reversed__", items_reversed, METH_NOARGS, "Return an iterator over the items, last one first."},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef values_methods[] = {
    {"__reversed__", values_reversed, METH_NOARGS, "Return an iterator over the values, last one first."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods view_as_number = {
    .nb_subtract = view_subtract,
    .nb_and = view_and,
    .nb_xor = view_xor,
    .nb_or = view_or,
};
static PySequenceMethods keys_as_sequence = {.sq_length = view_length, .sq_contains = keys_contains};
static PySequenceMethods items_as_sequence = {.sq_length = view_length, .sq_contains = items_contains};
static PySequenceMethods values_as_sequence = {.sq_length = view_length};

PyTypeObject PyDictKeys_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "dict_keys",
    .tp_basicsize = sizeof(PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_number = &view_as_number,
    .tp_as_sequence = &keys_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_richcompare = view_richcompare,
    .tp_iter = keys_iter,
    .tp_methods = keys_methods,
    .tp_getset = view_getset,
};

PyTypeObject PyDictItems_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "dict_items",
    .tp_basicsize = sizeof(PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_number = &view_as_number,
    .tp_as_sequence = &items_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_richcompare = view_richcompare,
    .tp_iter = items_iter,
    .tp_methods = items_methods,
    .tp_getset = view_getset,
};

PyTypeObject PyDictValues_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "dict_values",
    .tp_basicsize = sizeof(PyDictViewObject),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_sequence = &values_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = view_traverse,
    .tp_iter = values_iter,
    .tp_methods = values_methods,
    .tp_getset = view_getset,
};
