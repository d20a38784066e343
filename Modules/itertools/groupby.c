/* groupby and its groups. A group reads through its groupby, whose lock protects the state of both. */
#include "itertools.h"

typedef struct {
    PyObject_HEAD
    PyObject *it;               /* [const] */
    PyObject *key_func;         /* [const] or Py_None */
    PyObject *target_key;       /* [lock] key of the group given out last, or NULL */
    PyObject *current_key;      /* [lock] key of the item read last, or NULL */
    PyObject *current_value;    /* [lock] the item read last, if nobody has got it yet */
    const void *current_group;  /* [lock] the group that may still read; an address to compare, no reference */
} GroupbyObject;

typedef struct {
    PyObject_HEAD
    PyObject *parent;           /* [const] the groupby */
    PyObject *target_key;       /* [const] */
} GrouperObject;

static PyObject *grouper_make(GroupbyObject *parent, PyObject *key);

static PyObject *groupby_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"iterable", "key", NULL};
    PyObject *iterable, *key_func = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:groupby", keywords, &iterable, &key_func))
        return NULL;
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL)
        return NULL;
    GroupbyObject *g = (GroupbyObject *)type->tp_alloc(type, 0);
    if (g == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    g->it = it;
    g->key_func = Py_NewRef(key_func);
    return (PyObject *)g;
}

static void groupby_dealloc(PyObject *op)
{
    GroupbyObject *g = (GroupbyObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(g->it);
    Py_XDECREF(g->key_func);
    Py_XDECREF(g->target_key);
    Py_XDECREF(g->current_key);
    Py_XDECREF(g->current_value);
    Py_TYPE(op)->tp_free(op);
}

static int groupby_traverse(PyObject *op, visitproc visit, void *arg)
{
    GroupbyObject *g = (GroupbyObject *)op;
    Py_VISIT(g->it);
    Py_VISIT(g->key_func);
    Py_VISIT(g->target_key);
    Py_VISIT(g->current_key);
    Py_VISIT(g->current_value);
    return 0;
}

/* Reads one item and its key. 0, or -1 at the end or with an exception. */
static int read_item(GroupbyObject *g)
{
    PyObject *value = next_of(g->it), *key;
    if (value == NULL)
        return -1;
    key = g->key_func == Py_None ? Py_NewRef(value) : PyObject_CallOneArg(g->key_func, value);
    if (key == NULL) {
        Py_DECREF(value);
        return -1;
    }
    PyObject *old_value = g->current_value, *old_key = g->current_key;
    g->current_value = value;
    g->current_key = key;
    Py_XDECREF(old_value);
    Py_XDECREF(old_key);
    return 0;
}

/* a == b for keys that a callback may replace meanwhile. */
static int keys_equal(PyObject *a, PyObject *b)
{
    Py_INCREF(a);
    Py_INCREF(b);
    int equal = PyObject_RichCompareBool(a, b, Py_EQ);
    Py_DECREF(a);
    Py_DECREF(b);
    return equal;
}

static PyObject *groupby_step(PyObject *op)
{
    GroupbyObject *g = (GroupbyObject *)op;
    g->current_group = NULL;
    /* skip the rest of the last group */
    PyObject *key;
    for (;;) {
        key = Py_XNewRef(g->current_key);
        if (key != NULL) {
            int same = g->target_key == NULL ? 0 : keys_equal(g->target_key, key);
            if (same == 0)
                break;
            Py_DECREF(key);
            if (same < 0)
                return NULL;
        }
        if (read_item(g) < 0)
            return NULL;
    }
    Py_INCREF(key);
    Py_XSETREF(g->target_key, key);
    PyObject *group = grouper_make(g, key);
    if (group == NULL) {
        Py_DECREF(key);
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, key, group);
    Py_DECREF(key);
    Py_DECREF(group);
    return result;
}
LOCKED_NEXT(groupby)

static PyObject *groupby_reduce_locked(PyObject *op, PyObject *unused)
{
    GroupbyObject *g = (GroupbyObject *)op;
    if (g->target_key != NULL && g->current_key != NULL && g->current_value != NULL)
        return Py_BuildValue("O(OO)(OOO)", Py_TYPE(op), g->it, g->key_func, g->current_value, g->target_key,
                             g->current_key);
    return Py_BuildValue("O(OO)", Py_TYPE(op), g->it, g->key_func);
}
LOCKED_METHOD(groupby_reduce)

static PyObject *groupby_setstate_locked(PyObject *op, PyObject *state)
{
    GroupbyObject *g = (GroupbyObject *)op;
    PyObject *value, *target, *current;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "OOO", &value, &target, &current))
        return NULL;
    Py_INCREF(value);
    Py_XSETREF(g->current_value, value);
    Py_INCREF(target);
    Py_XSETREF(g->target_key, target);
    Py_INCREF(current);
    Py_XSETREF(g->current_key, current);
    Py_RETURN_NONE;
}
LOCKED_METHOD(groupby_setstate)

static PyMethodDef groupby_methods[] = {
    {"__reduce__", groupby_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", groupby_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject groupby_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.groupby",
    .tp_basicsize = sizeof(GroupbyObject),
    .tp_dealloc = groupby_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "groupby(iterable, key=None)\n--\n\n"
              "Pairs (key, group): runs of neighbouring items with the same key.\n\n"
              "key is a function of an item; without it the item is its own key.",
    .tp_traverse = groupby_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = groupby_next,
    .tp_methods = groupby_methods,
    .tp_new = groupby_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- Groups ---- */

static PyObject *grouper_make(GroupbyObject *parent, PyObject *key)
{
    GrouperObject *g = PyObject_GC_New(GrouperObject, &grouper_type);
    if (g == NULL)
        return NULL;
    g->parent = Py_NewRef((PyObject *)parent);
    g->target_key = Py_NewRef(key);
    parent->current_group = g;
    PyObject_GC_Track(g);
    return (PyObject *)g;
}

static PyObject *grouper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *parent, *key, *result;
    if (!PyArg_ParseTuple(args, "O!O", &groupby_type, &parent, &key))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(parent);
    result = grouper_make((GroupbyObject *)parent, key);
    Py_END_CRITICAL_SECTION();
    return result;
}

static void grouper_dealloc(PyObject *op)
{
    GrouperObject *g = (GrouperObject *)op;
    PyObject_GC_UnTrack(op);
    Py_DECREF(g->parent);
    Py_DECREF(g->target_key);
    PyObject_GC_Del(op);
}

static int grouper_traverse(PyObject *op, visitproc visit, void *arg)
{
    GrouperObject *g = (GrouperObject *)op;
    Py_VISIT(g->parent);
    Py_VISIT(g->target_key);
    return 0;
}

/* The parent's lock is held. */
static PyObject *grouper_step(GrouperObject *self)
{
    GroupbyObject *g = (GroupbyObject *)self->parent;
    if (g->current_group != self)
        return NULL;
    if (g->current_value == NULL && read_item(g) < 0)
        return NULL;
    if (g->current_key == NULL)
        return NULL;
    int same = keys_equal(self->target_key, g->current_key);
    if (same <= 0)
        return NULL;
    PyObject *value = g->current_value;
    g->current_value = NULL;
    Py_CLEAR(g->current_key);
    return value;
}

static PyObject *grouper_next(PyObject *op)
{
    GrouperObject *self = (GrouperObject *)op;
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self->parent);
    result = grouper_step(self);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *grouper_reduce(PyObject *op, PyObject *unused)
{
    GrouperObject *self = (GrouperObject *)op;
    int live;
    Py_BEGIN_CRITICAL_SECTION(self->parent);
    live = ((GroupbyObject *)self->parent)->current_group == self;
    Py_END_CRITICAL_SECTION();
    if (live)
        return Py_BuildValue("O(OO)", Py_TYPE(op), self->parent, self->target_key);
    PyObject *iter = PyMapping_GetItemString(PyEval_GetBuiltins(), "iter");
    return iter == NULL ? NULL : Py_BuildValue("N(())", iter);
}

static PyMethodDef grouper_methods[] = {
    {"__reduce__", grouper_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

PyTypeObject grouper_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools._grouper",
    .tp_basicsize = sizeof(GrouperObject),
    .tp_dealloc = grouper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = grouper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = grouper_next,
    .tp_methods = grouper_methods,
    .tp_new = grouper_new,
    .tp_free = PyObject_GC_Del,
};
