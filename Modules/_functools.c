/* The _functools module: partial, reduce, cmp_to_key, and the wrapper of lru_cache. */
#include "Python.h"

#include <stddef.h>

#include "internal/module.h"
#include "structmember.h"

/* ---- partial ---- */

/* func, args and keywords change only in __setstate__. What it displaces is kept until the object dies, so that calls
 * may read the fields without a lock or a reference. */
typedef struct {
    PyObject_HEAD
    PyObject *func;             /* [atomic] */
    PyObject *args;             /* [atomic] tuple */
    PyObject *keywords;         /* [atomic] dict, which the program can reach and change */
    PyObject *dict;             /* __dict__ */
    PyObject *weakrefs;
    vectorcallfunc vectorcall;  /* [const] */
    PyObject *displaced;        /* [lock] list, or NULL */
} PartialObject;

static PyTypeObject partial_type;

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

static PyObject *partial_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames);
static PyObject *partial_call(PyObject *op, PyObject *args, PyObject *kwargs);

/* The concatenation of a tuple and the items of another from `first` on. */
static PyObject *join_tuples(PyObject *head, PyObject *tail, Py_ssize_t first)
{
    Py_ssize_t n = PyTuple_GET_SIZE(head), m = PyTuple_GET_SIZE(tail) - first;
    PyObject *result = PyTuple_New(n + m);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(head, i)));
    for (Py_ssize_t i = 0; i < m; i++)
        PyTuple_SET_ITEM(result, n + i, Py_NewRef(PyTuple_GET_ITEM(tail, first + i)));
    return result;
}

/* A new dict: base with the entries of more on top; either may be NULL. */
static PyObject *join_dicts(PyObject *base, PyObject *more)
{
    PyObject *result = base == NULL ? PyDict_New() : PyDict_Copy(base);
    if (result != NULL && more != NULL && PyDict_Update(result, more) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *partial_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "type 'partial' takes at least one argument");
        return NULL;
    }
    PyObject *func = PyTuple_GET_ITEM(args, 0), *head = NULL, *base = NULL;
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    /* a partial of a plain partial calls the inner function directly */
    if (Py_TYPE(func)->tp_call == partial_call && LOAD(((PartialObject *)func)->dict) == NULL) {
        PartialObject *inner = (PartialObject *)func;
        head = LOAD(inner->args);
        base = LOAD(inner->keywords);
        func = LOAD(inner->func);
    }
    PyObject *arguments = head == NULL ? PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX) : join_tuples(head, args, 1);
    PyObject *keywords = arguments != NULL ? join_dicts(base, kwargs) : NULL;
    PartialObject *p = keywords != NULL ? (PartialObject *)type->tp_alloc(type, 0) : NULL;
    if (p == NULL) {
        Py_XDECREF(arguments);
        Py_XDECREF(keywords);
        return NULL;
    }
    p->vectorcall = partial_vectorcall;
    p->func = Py_NewRef(func);
    p->args = arguments;
    p->keywords = keywords;
    return (PyObject *)p;
}

static int partial_clear(PyObject *op)
{
    PartialObject *p = (PartialObject *)op;
    Py_CLEAR(p->func);
    Py_CLEAR(p->args);
    Py_CLEAR(p->keywords);
    Py_CLEAR(p->dict);
    Py_CLEAR(p->displaced);
    return 0;
}

static void partial_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(((PartialObject *)op)->weakrefs))
        PyObject_ClearWeakRefs(op);
    (void)partial_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static int partial_traverse(PyObject *op, visitproc visit, void *arg)
{
    PartialObject *p = (PartialObject *)op;
    Py_VISIT(p->func);
    Py_VISIT(p->args);
    Py_VISIT(p->keywords);
    Py_VISIT(p->dict);
    Py_VISIT(p->displaced);
    return 0;
}

#define SMALL_STACK 8

static PyObject *partial_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PartialObject *p = (PartialObject *)op;
    PyObject *func = LOAD(p->func), *head = LOAD(p->args), *keywords = LOAD(p->keywords);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), nhead;
    if (call_check_stack(" while calling a Python object"))
        return NULL;
    if (func == NULL || head == NULL || keywords == NULL) {
        PyErr_SetString(PyExc_TypeError, "partial object is being torn down");
        return NULL;
    }
    if (PyDict_GET_SIZE(keywords) > 0) {
        PyObject *tail = PyTuple_New(nargs), *more = NULL, *result = NULL;
        if (tail == NULL)
            return NULL;
        for (Py_ssize_t i = 0; i < nargs; i++)
            PyTuple_SET_ITEM(tail, i, Py_NewRef(args[i]));
        if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
            more = PyDict_New();
            for (Py_ssize_t i = 0; more != NULL && i < PyTuple_GET_SIZE(kwnames); i++)
                if (PyDict_SetItem(more, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0)
                    Py_CLEAR(more);
        }
        if (!PyErr_Occurred())
            result = partial_call(op, tail, more);
        Py_DECREF(tail);
        Py_XDECREF(more);
        return result;
    }
    nhead = PyTuple_GET_SIZE(head);
    if (nhead == 0)
        return PyObject_Vectorcall(func, args, nargsf, kwnames);
    if (nhead == 1 && (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET)) {
        PyObject **stack = (PyObject **)args - 1, *saved = stack[0];
        stack[0] = PyTuple_GET_ITEM(head, 0);
        PyObject *result = PyObject_Vectorcall(func, stack, (size_t)nargs + 1, kwnames);
        stack[0] = saved;
        return result;
    }
    Py_ssize_t total = nargs + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    PyObject *small[SMALL_STACK + 1], **stack = small + 1;     /* room for args[-1] */
    if (nhead + total > SMALL_STACK) {
        stack = PyMem_Malloc((size_t)(nhead + total + 1) * sizeof(PyObject *));
        if (stack == NULL)
            return PyErr_NoMemory();
        stack++;
    }
    for (Py_ssize_t i = 0; i < nhead; i++)
        stack[i] = PyTuple_GET_ITEM(head, i);
    if (total > 0)
        memcpy(stack + nhead, args, (size_t)total * sizeof(PyObject *));
    stack[-1] = NULL;
    PyObject *result =
        PyObject_Vectorcall(func, stack, (size_t)(nhead + nargs) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    if (stack != small + 1)
        PyMem_Free(stack - 1);
    return result;
}

static PyObject *partial_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PartialObject *p = (PartialObject *)op;
    PyObject *func = LOAD(p->func), *head = LOAD(p->args), *keywords = LOAD(p->keywords);
    if (func == NULL || head == NULL || keywords == NULL) {
        PyErr_SetString(PyExc_TypeError, "partial object is being torn down");
        return NULL;
    }
    PyObject *all = join_tuples(head, args, 0), *names = NULL, *result = NULL;
    if (all == NULL)
        return NULL;
    if (PyDict_GET_SIZE(keywords) > 0)
        names = join_dicts(keywords, kwargs);
    else
        names = Py_XNewRef(kwargs);
    if (names != NULL || !PyErr_Occurred())
        result = PyObject_Call(func, all, names);
    Py_DECREF(all);
    Py_XDECREF(names);
    return result;
}

/* text + ", <prefix><repr of value>". Steals text. */
static PyObject *repr_append_steal(PyObject *text, PyObject *key, PyObject *value)
{
    PyObject *result = key == NULL ? PyUnicode_FromFormat("%U, %R", text, value)
                                   : PyUnicode_FromFormat("%U, %S=%R", text, key, value);
    Py_DECREF(text);
    return result;
}

static PyObject *partial_repr(PyObject *op)
{
    PartialObject *p = (PartialObject *)op;
    int entered = Py_ReprEnter(op);
    if (entered != 0)
        return entered < 0 ? NULL : PyUnicode_FromString("...");
    PyObject *args = LOAD(p->args), *keywords = PyDict_Copy(LOAD(p->keywords)), *text = NULL, *result = NULL;
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    if (keywords != NULL)
        text = PyUnicode_New(0, 0);
    for (Py_ssize_t i = 0; text != NULL && i < PyTuple_GET_SIZE(args); i++)
        text = repr_append_steal(text, NULL, PyTuple_GET_ITEM(args, i));
    while (text != NULL && PyDict_Next(keywords, &pos, &key, &value))
        text = repr_append_steal(text, key, value);
    if (text != NULL)
        result = PyUnicode_FromFormat("%s(%R%U)", Py_TYPE(op)->tp_name, LOAD(p->func), text);
    Py_XDECREF(text);
    Py_XDECREF(keywords);
    Py_ReprLeave(op);
    return result;
}

static PyObject *partial_reduce(PyObject *op, PyObject *unused)
{
    PartialObject *p = (PartialObject *)op;
    PyObject *dict;
    Py_BEGIN_CRITICAL_SECTION(op);
    dict = Py_NewRef(p->dict == NULL ? Py_None : p->dict);
    Py_END_CRITICAL_SECTION();
    return Py_BuildValue("O(O)(OOON)", Py_TYPE(op), LOAD(p->func), LOAD(p->func), LOAD(p->args), LOAD(p->keywords),
                         dict);
}

/* field = value (stolen); the old value goes onto the list. */
static void displace(PyObject *list, PyObject **field, PyObject *value)
{
    PyObject *old = *field;
    STORE(*field, value);
    if (old != NULL) {
        if (PyList_Append(list, old) == 0)
            Py_DECREF(old);
        else
            PyErr_Clear();      /* out of memory: the old value leaks, rather than vanish under a caller */
    }
}

static PyObject *partial_setstate(PyObject *op, PyObject *state)
{
    PartialObject *p = (PartialObject *)op;
    PyObject *func, *args, *keywords, *dict, *old_dict;
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != 4)
        goto invalid;
    func = PyTuple_GET_ITEM(state, 0);
    args = PyTuple_GET_ITEM(state, 1);
    keywords = PyTuple_GET_ITEM(state, 2);
    dict = PyTuple_GET_ITEM(state, 3);
    if (!PyCallable_Check(func) || !PyTuple_Check(args) || (keywords != Py_None && !PyDict_Check(keywords)))
        goto invalid;
    args = PyTuple_CheckExact(args) ? Py_NewRef(args) : PySequence_Tuple(args);
    if (args == NULL)
        return NULL;
    if (keywords == Py_None)
        keywords = PyDict_New();
    else if (!PyDict_CheckExact(keywords))
        keywords = PyDict_Copy(keywords);
    else
        Py_INCREF(keywords);
    PyObject *list = keywords == NULL ? NULL : PyList_New(0);
    if (list == NULL) {
        Py_DECREF(args);
        Py_XDECREF(keywords);
        return NULL;
    }
    Py_INCREF(func);
    dict = dict == Py_None ? NULL : Py_NewRef(dict);
    Py_BEGIN_CRITICAL_SECTION(op);
    if (p->displaced == NULL)
        p->displaced = Py_NewRef(list);
    displace(p->displaced, &p->func, func);
    displace(p->displaced, &p->args, args);
    displace(p->displaced, &p->keywords, keywords);
    old_dict = p->dict;
    STORE(p->dict, dict);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_dict);
    Py_DECREF(list);
    Py_RETURN_NONE;
invalid:
    PyErr_SetString(PyExc_TypeError, "invalid partial state");
    return NULL;
}

static PyObject *partial_get(PyObject *op, void *offset)
{
    PyObject *value = LOAD(*(PyObject **)((char *)op + (size_t)offset));
    return Py_NewRef(value == NULL ? Py_None : value);
}

static PyMethodDef partial_methods[] = {
    {"__reduce__", partial_reduce, METH_NOARGS, NULL},
    {"__setstate__", partial_setstate, METH_O, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyGetSetDef partial_getset[] = {
    {"func", partial_get, NULL, "function object to use in future partial calls",
     (void *)offsetof(PartialObject, func)},
    {"args", partial_get, NULL, "tuple of arguments to future partial calls", (void *)offsetof(PartialObject, args)},
    {"keywords", partial_get, NULL, "dictionary of keyword arguments to future partial calls",
     (void *)offsetof(PartialObject, keywords)},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyTypeObject partial_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "functools.partial",
    .tp_basicsize = sizeof(PartialObject),
    .tp_dealloc = partial_dealloc,
    .tp_vectorcall_offset = offsetof(PartialObject, vectorcall),
    .tp_repr = partial_repr,
    .tp_call = partial_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "partial(func, *args, **keywords) - a function that calls func with these arguments in front\n"
              "    of its own, and these keywords unless it is given others.\n",
    .tp_traverse = partial_traverse,
    .tp_clear = partial_clear,
    .tp_weaklistoffset = offsetof(PartialObject, weakrefs),
    .tp_methods = partial_methods,
    .tp_getset = partial_getset,
    .tp_dictoffset = offsetof(PartialObject, dict),
    .tp_new = partial_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- cmp_to_key ---- */

typedef struct {
    PyObject_HEAD
    PyObject *cmp;              /* [const] */
    PyObject *object;           /* [lock] NULL for the factory itself */
} KeyObject;

static PyTypeObject key_type;

static PyObject *key_make(PyObject *cmp, PyObject *object)
{
    KeyObject *k = PyObject_GC_New(KeyObject, &key_type);
    if (k == NULL)
        return NULL;
    k->cmp = Py_NewRef(cmp);
    k->object = Py_XNewRef(object);
    PyObject_GC_Track(k);
    return (PyObject *)k;
}

static void key_dealloc(PyObject *op)
{
    KeyObject *k = (KeyObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(k->cmp);
    Py_XDECREF(k->object);
    PyObject_GC_Del(op);
}

static int key_traverse(PyObject *op, visitproc visit, void *arg)
{
    KeyObject *k = (KeyObject *)op;
    Py_VISIT(k->cmp);
    Py_VISIT(k->object);
    return 0;
}

static int key_clear(PyObject *op)
{
    Py_CLEAR(((KeyObject *)op)->object);
    return 0;
}

static PyObject *key_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", NULL};
    PyObject *object;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:K", keywords, &object))
        return NULL;
    return key_make(((KeyObject *)op)->cmp, object);
}

/* K's object as a new reference, or NULL. */
static PyObject *key_object(PyObject *op)
{
    PyObject *object;
    Py_BEGIN_CRITICAL_SECTION(op);
    object = Py_XNewRef(((KeyObject *)op)->object);
    Py_END_CRITICAL_SECTION();
    return object;
}

static PyObject *key_richcompare(PyObject *a, PyObject *b, int op)
{
    if (Py_TYPE(b) != &key_type) {
        PyErr_SetString(PyExc_TypeError, "other argument must be K instance");
        return NULL;
    }
    PyObject *args[3] = {NULL, key_object(a), key_object(b)}, *result = NULL;
    if (args[1] == NULL || args[2] == NULL) {
        PyErr_SetString(PyExc_AttributeError, "object");
        goto done;
    }
    PyObject *order = PyObject_Vectorcall(((KeyObject *)a)->cmp, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (order == NULL)
        goto done;
    PyObject *zero = PyLong_FromLong(0);
    if (zero != NULL) {
        result = PyObject_RichCompare(order, zero, op);
        Py_DECREF(zero);
    }
    Py_DECREF(order);
done:
    Py_XDECREF(args[1]);
    Py_XDECREF(args[2]);
    return result;
}

static PyObject *key_get_obj(PyObject *op, void *closure)
{
    PyObject *object = key_object(op);
    return object == NULL ? Py_NewRef(Py_None) : object;
}

static int key_set_obj(PyObject *op, PyObject *value, void *closure)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = ((KeyObject *)op)->object;
    ((KeyObject *)op)->object = Py_XNewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyGetSetDef key_getset[] = {
    {"obj", key_get_obj, key_set_obj, "Value wrapped by a key function.", NULL},
    {NULL},
};

static PyTypeObject key_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "functools.KeyWrapper",
    .tp_basicsize = sizeof(KeyObject),
    .tp_dealloc = key_dealloc,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_call = key_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = key_traverse,
    .tp_clear = key_clear,
    .tp_richcompare = key_richcompare,
    .tp_getset = key_getset,
};

static PyObject *functools_cmp_to_key(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"mycmp", NULL};
    PyObject *cmp;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:cmp_to_key", keywords, &cmp))
        return NULL;
    return key_make(cmp, NULL);
}

/* ---- reduce ---- */

static PyObject *functools_reduce(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("reduce", nargs, 2, 3))
        return NULL;
    PyObject *func = args[0], *it = PyObject_GetIter(args[1]), *result = NULL;
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "reduce() arg 2 must support iteration");
        return NULL;
    }
    if (nargs == 3)
        result = Py_NewRef(args[2]);
    for (;;) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            if (PyErr_Occurred())
                Py_CLEAR(result);
            else if (result == NULL)
                PyErr_SetString(PyExc_TypeError, "reduce() of empty iterable with no initial value");
            break;
        }
        if (result == NULL) {
            result = item;
            continue;
        }
        PyObject *stack[3] = {NULL, result, item};
        PyObject *next = PyObject_Vectorcall(func, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(item);
        Py_DECREF(result);
        result = next;
        if (result == NULL)
            break;
    }
    Py_DECREF(it);
    return result;
}

/* ---- The module ---- */

extern PyTypeObject lru_cache_type, lru_link_type, lru_key_type;

static int functools_exec(PyObject *module)
{
    if (PyType_Ready(&key_type) < 0 || PyType_Ready(&lru_link_type) < 0 || PyType_Ready(&lru_key_type) < 0)
        return -1;
    if (PyModule_AddType(module, &partial_type) < 0 || PyModule_AddType(module, &lru_cache_type) < 0)
        return -1;
    return 0;
}

static PyMethodDef functools_methods[] = {
    MODULE_METHOD("reduce", functools_reduce, METH_FASTCALL,
                  "reduce(function, iterable[, initial]) -> value\n\n"
                  "Joins the items from left to right: function(function(a, b), c) and so on.\n"
                  "initial stands before the first item, and is the result for an empty iterable."),
    MODULE_METHOD("cmp_to_key", functools_cmp_to_key, METH_VARARGS | METH_KEYWORDS,
                  "cmp_to_key($module, /, mycmp)\n--\n\n"
                  "A key function from one that compares two arguments and returns a negative, zero or positive number."),
    {NULL},
};

static PyModuleDef_Slot functools_slots[] = {
    {Py_mod_exec, (void *)functools_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef functools_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_functools",
    .m_doc = "Functions that work on functions.",
    .m_methods = functools_methods,
    .m_slots = functools_slots,
};

PyMODINIT_FUNC PyInit__functools(void)
{
    return PyModuleDef_Init(&functools_module);
}
