/* count, cycle, repeat. */
#include "itertools.h"

#include <stddef.h>

/* ---- count ---- */

/* While step is 1 and the value fits, cnt counts; cnt == PY_SSIZE_T_MAX: long_cnt does. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t cnt;             /* [lock] */
    PyObject *long_cnt;         /* [lock] the next value, or NULL for PY_SSIZE_T_MAX */
    PyObject *long_step;        /* [const] */
} CountObject;

static PyObject *count_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"start", "step", NULL};
    PyObject *start = NULL, *step = NULL;
    Py_ssize_t cnt = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:count", keywords, &start, &step))
        return NULL;
    if ((start != NULL && !PyNumber_Check(start)) || (step != NULL && !PyNumber_Check(step))) {
        PyErr_SetString(PyExc_TypeError, "a number is required");
        return NULL;
    }
    int fast = (start == NULL || PyLong_Check(start)) && (step == NULL || PyLong_Check(step));
    if (start != NULL && fast) {
        cnt = PyLong_AsSsize_t(start);
        if (cnt == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            fast = 0;
        }
    }
    if (fast && step != NULL) {
        fast = PyLong_AsLong(step) == 1;
        PyErr_Clear();
    }
    PyObject *long_cnt = NULL, *long_step = step == NULL ? PyLong_FromLong(1) : Py_NewRef(step);
    if (long_step == NULL)
        return NULL;
    if (!fast) {
        cnt = PY_SSIZE_T_MAX;
        long_cnt = start == NULL ? PyLong_FromLong(0) : Py_NewRef(start);
    }
    CountObject *c = NULL;
    if (fast || long_cnt != NULL)
        c = (CountObject *)type->tp_alloc(type, 0);
    if (c == NULL) {
        Py_DECREF(long_step);
        Py_XDECREF(long_cnt);
        return NULL;
    }
    c->cnt = cnt;
    c->long_cnt = long_cnt;
    c->long_step = long_step;
    return (PyObject *)c;
}

static void count_dealloc(PyObject *op)
{
    CountObject *c = (CountObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(c->long_cnt);
    Py_XDECREF(c->long_step);
    Py_TYPE(op)->tp_free(op);
}

static int count_traverse(PyObject *op, visitproc visit, void *arg)
{
    CountObject *c = (CountObject *)op;
    Py_VISIT(c->long_cnt);
    Py_VISIT(c->long_step);
    return 0;
}

static PyObject *count_long_step(CountObject *c)
{
    PyObject *now = c->long_cnt != NULL ? Py_NewRef(c->long_cnt) : PyLong_FromSsize_t(PY_SSIZE_T_MAX);
    if (now == NULL)
        return NULL;
    PyObject *next = PyNumber_Add(now, c->long_step);
    if (next == NULL) {
        Py_DECREF(now);
        return NULL;
    }
    Py_XSETREF(c->long_cnt, next);
    return now;
}

static PyObject *count_step(PyObject *op)
{
    CountObject *c = (CountObject *)op;
    if (c->cnt == PY_SSIZE_T_MAX)
        return count_long_step(c);
    return PyLong_FromSsize_t(c->cnt++);
}
LOCKED_NEXT(count)

static PyObject *count_repr_locked(PyObject *op, PyObject *unused)
{
    CountObject *c = (CountObject *)op;
    const char *dot = strrchr(Py_TYPE(op)->tp_name, '.'), *name = dot == NULL ? Py_TYPE(op)->tp_name : dot + 1;
    if (c->long_cnt == NULL)
        return PyUnicode_FromFormat("%s(%zd)", name, c->cnt);
    PyObject *now = Py_NewRef(c->long_cnt), *result;
    int by_one = PyLong_Check(c->long_step) && PyLong_AsLong(c->long_step) == 1;
    PyErr_Clear();
    if (by_one)
        result = PyUnicode_FromFormat("%s(%R)", name, now);
    else
        result = PyUnicode_FromFormat("%s(%R, %R)", name, now, c->long_step);
    Py_DECREF(now);
    return result;
}
LOCKED_METHOD(count_repr)

static PyObject *count_tp_repr(PyObject *op)
{
    return count_repr(op, NULL);
}

static PyObject *count_reduce_locked(PyObject *op, PyObject *unused)
{
    CountObject *c = (CountObject *)op;
    if (c->cnt != PY_SSIZE_T_MAX)
        return Py_BuildValue("O(n)", Py_TYPE(op), c->cnt);
    if (c->long_cnt == NULL)
        return Py_BuildValue("O(nO)", Py_TYPE(op), c->cnt, c->long_step);
    return Py_BuildValue("O(OO)", Py_TYPE(op), c->long_cnt, c->long_step);
}
LOCKED_METHOD(count_reduce)

static PyMethodDef count_methods[] = {
    {"__reduce__", count_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

PyTypeObject count_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.count",
    .tp_basicsize = sizeof(CountObject),
    .tp_dealloc = count_dealloc,
    .tp_repr = count_tp_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "count(start=0, step=1)\n--\n\nThe numbers start, start + step, start + 2 * step, ... without end.",
    .tp_traverse = count_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = count_next,
    .tp_methods = count_methods,
    .tp_new = count_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- cycle ---- */

typedef struct {
    PyObject_HEAD
    PyObject *it;           /* [lock] NULL once exhausted */
    PyObject *saved;        /* [lock] list of what it gave; pickling may show it to others */
    Py_ssize_t index;       /* [lock] next one of saved */
    int first_pass;         /* [lock] the items of `it` are in `saved` already */
} CycleObject;

static PyObject *cycle_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *iterable, *it, *saved;
    if (!no_keywords(type, &cycle_type, "cycle", kwargs) || !PyArg_UnpackTuple(args, "cycle", 1, 1, &iterable))
        return NULL;
    it = PyObject_GetIter(iterable);
    if (it == NULL)
        return NULL;
    saved = PyList_New(0);
    CycleObject *c = saved == NULL ? NULL : (CycleObject *)type->tp_alloc(type, 0);
    if (c == NULL) {
        Py_DECREF(it);
        Py_XDECREF(saved);
        return NULL;
    }
    c->it = it;
    c->saved = saved;
    return (PyObject *)c;
}

static void cycle_dealloc(PyObject *op)
{
    CycleObject *c = (CycleObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(c->it);
    Py_XDECREF(c->saved);
    Py_TYPE(op)->tp_free(op);
}

static int cycle_traverse(PyObject *op, visitproc visit, void *arg)
{
    CycleObject *c = (CycleObject *)op;
    Py_VISIT(c->it);
    Py_VISIT(c->saved);
    return 0;
}

static PyObject *cycle_step(PyObject *op)
{
    CycleObject *c = (CycleObject *)op;
    if (c->it != NULL) {
        PyObject *it = Py_NewRef(c->it), *item = next_of(it);
        if (item != NULL) {
            Py_DECREF(it);
            if (!c->first_pass) {
                PyObject *saved = Py_NewRef(c->saved);
                if (PyList_Append(saved, item) < 0)
                    Py_CLEAR(item);
                Py_DECREF(saved);
            }
            return item;
        }
        int failed = check_end() < 0;
        if (!failed && c->it == it)
            Py_CLEAR(c->it);
        Py_DECREF(it);
        if (failed)
            return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(c->saved);
    if (n == 0)
        return NULL;
    if (c->index >= n)
        c->index = 0;
    PyObject *saved = Py_NewRef(c->saved), *item = PyList_GetItemRef(saved, c->index);
    Py_DECREF(saved);
    if (item != NULL && ++c->index >= n)
        c->index = 0;
    return item;
}
LOCKED_NEXT(cycle)

static PyObject *cycle_reduce_locked(PyObject *op, PyObject *unused)
{
    CycleObject *c = (CycleObject *)op;
    if (c->it != NULL)
        return Py_BuildValue("O(O)(OO)", Py_TYPE(op), c->it, c->saved, c->first_pass ? Py_True : Py_False);
    PyObject *saved = Py_NewRef(c->saved), *it = PyObject_GetIter(saved), *result = NULL;
    if (it != NULL && c->index != 0) {
        PyObject *r = PyObject_CallMethod(it, "__setstate__", "n", c->index);
        if (r == NULL)
            Py_CLEAR(it);
        Py_XDECREF(r);
    }
    if (it != NULL)
        result = Py_BuildValue("O(N)(OO)", Py_TYPE(op), it, saved, Py_True);
    Py_DECREF(saved);
    return result;
}
LOCKED_METHOD(cycle_reduce)

static PyObject *cycle_setstate_locked(PyObject *op, PyObject *state)
{
    CycleObject *c = (CycleObject *)op;
    PyObject *saved;
    int first_pass;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O!i", &PyList_Type, &saved, &first_pass))
        return NULL;
    Py_INCREF(saved);
    Py_XSETREF(c->saved, saved);
    c->first_pass = first_pass != 0;
    c->index = 0;
    Py_RETURN_NONE;
}
LOCKED_METHOD(cycle_setstate)

static PyMethodDef cycle_methods[] = {
    {"__reduce__", cycle_reduce, METH_NOARGS, reduce_doc},
    {"__setstate__", cycle_setstate, METH_O, setstate_doc},
    {NULL},
};

PyTypeObject cycle_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.cycle",
    .tp_basicsize = sizeof(CycleObject),
    .tp_dealloc = cycle_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "cycle(iterable, /)\n--\n\nThe items of the iterable, then the same again and again.",
    .tp_traverse = cycle_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = cycle_next,
    .tp_methods = cycle_methods,
    .tp_new = cycle_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- repeat ---- */

typedef struct {
    PyObject_HEAD
    PyObject *element;      /* [const] */
    Py_ssize_t cnt;         /* [atomic] how often yet; -1: without end */
} RepeatObject;

static PyObject *repeat_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"object", "times", NULL};
    PyObject *element;
    Py_ssize_t cnt = -1, given = PyTuple_GET_SIZE(args) + (kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|n:repeat", keywords, &element, &cnt))
        return NULL;
    if (given == 2 && cnt < 0)
        cnt = 0;
    RepeatObject *r = (RepeatObject *)type->tp_alloc(type, 0);
    if (r == NULL)
        return NULL;
    r->element = Py_NewRef(element);
    r->cnt = cnt;
    return (PyObject *)r;
}

static void repeat_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((RepeatObject *)op)->element);
    Py_TYPE(op)->tp_free(op);
}

static int repeat_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((RepeatObject *)op)->element);
    return 0;
}

static PyObject *repeat_next(PyObject *op)
{
    RepeatObject *r = (RepeatObject *)op;
    Py_ssize_t n = __atomic_load_n(&r->cnt, __ATOMIC_RELAXED);
    if (n >= 0) {
        do {
            if (n == 0)
                return NULL;
        } while (!__atomic_compare_exchange_n(&r->cnt, &n, n - 1, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    }
    return Py_NewRef(r->element);
}

static PyObject *repeat_repr(PyObject *op)
{
    RepeatObject *r = (RepeatObject *)op;
    const char *dot = strrchr(Py_TYPE(op)->tp_name, '.'), *name = dot == NULL ? Py_TYPE(op)->tp_name : dot + 1;
    Py_ssize_t n = __atomic_load_n(&r->cnt, __ATOMIC_RELAXED);
    if (n == -1)
        return PyUnicode_FromFormat("%s(%R)", name, r->element);
    return PyUnicode_FromFormat("%s(%R, %zd)", name, r->element, n);
}

static PyObject *repeat_length_hint(PyObject *op, PyObject *unused)
{
    Py_ssize_t n = __atomic_load_n(&((RepeatObject *)op)->cnt, __ATOMIC_RELAXED);
    if (n == -1) {
        PyErr_SetString(PyExc_TypeError, "len() of unsized object");
        return NULL;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *repeat_reduce(PyObject *op, PyObject *unused)
{
    RepeatObject *r = (RepeatObject *)op;
    Py_ssize_t n = __atomic_load_n(&r->cnt, __ATOMIC_RELAXED);
    if (n >= 0)
        return Py_BuildValue("O(On)", Py_TYPE(op), r->element, n);
    return Py_BuildValue("O(O)", Py_TYPE(op), r->element);
}

static PyMethodDef repeat_methods[] = {
    {"__length_hint__", repeat_length_hint, METH_NOARGS, length_hint_doc},
    {"__reduce__", repeat_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

PyTypeObject repeat_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "itertools.repeat",
    .tp_basicsize = sizeof(RepeatObject),
    .tp_dealloc = repeat_dealloc,
    .tp_repr = repeat_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = ITERATOR_FLAGS,
    .tp_doc = "repeat(object [,times]) -> the object, as often as times says, or without end",
    .tp_traverse = repeat_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = repeat_next,
    .tp_methods = repeat_methods,
    .tp_new = repeat_new,
    .tp_free = PyObject_GC_Del,
};
