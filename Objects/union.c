/* types.UnionType: int | str. */
#include "Python.h"

#include "generic_alias.h"
#include "memory.h"
#include "type.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    PyObject *args;             /* [const] a tuple */
    PyObject *parameters;       /* [atomic] a tuple, made on demand */
} union_object;

#define ARGS(op) (((union_object *)(op))->args)

PyObject *_Py_union_args(PyObject *self) { return ARGS(self); }

/* ---- Making ---- */

static int is_unionable(PyObject *op)
{
    return op == Py_None || PyType_Check(op) || _PyGenericAlias_Check(op) || _PyUnion_Check(op);
}

/* Are they the same member? 1, 0, -1. */
static int is_same(PyObject *a, PyObject *b)
{
    if (_PyGenericAlias_Check(a) && _PyGenericAlias_Check(b))
        return PyObject_RichCompareBool(a, b, Py_EQ);
    return a == b;
}

static int add_member(PyObject *list, PyObject *op)
{
    if (op == Py_None)
        op = (PyObject *)&_PyNone_Type;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *member = PyList_GetItemRef(list, i);      /* comparing runs code, and gc.get_objects() shows the list */
        int same = member != NULL ? is_same(member, op) : -1;
        Py_XDECREF(member);
        if (same != 0)
            return same < 0 ? -1 : 0;
    }
    return PyList_Append(list, op);
}

static int add_members(PyObject *list, PyObject *op)
{
    if (!_PyUnion_Check(op))
        return add_member(list, op);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ARGS(op)); i++)
        if (add_member(list, PyTuple_GET_ITEM(ARGS(op), i)) < 0)
            return -1;
    return 0;
}

PyObject *_Py_union_type_or(PyObject *a, PyObject *b)
{
    if (!is_unionable(a) || !is_unionable(b))
        return Py_NotImplemented;
    PyObject *list = PyList_New(0), *tuple = NULL, *result = NULL;
    if (list == NULL || add_members(list, a) < 0 || add_members(list, b) < 0 || (tuple = PyList_AsTuple(list)) == NULL)
        goto done;
    if (PyTuple_GET_SIZE(tuple) == 1)
        result = Py_NewRef(PyTuple_GET_ITEM(tuple, 0));
    else {
        union_object *self = (union_object *)object_new_gc(&_PyUnion_Type, sizeof(*self));
        if (self != NULL) {
            self->args = Py_NewRef(tuple);
            self->parameters = NULL;
            object_track((PyObject *)self);
        }
        result = (PyObject *)self;
    }
done:
    Py_XDECREF(list);
    Py_XDECREF(tuple);
    return result;
}

static void union_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_XDECREF(ARGS(op));
    Py_XDECREF(((union_object *)op)->parameters);
    object_free_gc(op);
}

static int union_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(ARGS(op));
    Py_VISIT(((union_object *)op)->parameters);
    return 0;
}

/* ---- Comparison, text ---- */

static Py_hash_t union_hash(PyObject *op)
{
    PyObject *set = PyFrozenSet_New(ARGS(op));
    if (set == NULL)
        return -1;
    Py_hash_t hash = PyObject_Hash(set);
    Py_DECREF(set);
    return hash;
}

static PyObject *union_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !_PyUnion_Check(b))
        return Py_NotImplemented;
    PyObject *x = PySet_New(ARGS(a)), *y = x != NULL ? PySet_New(ARGS(b)) : NULL;
    PyObject *result = y != NULL ? PyObject_RichCompare(x, y, op) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *union_repr(PyObject *op)
{
    PyObject *parts = PyList_New(0), *separator = NULL, *result = NULL;
    int failed = parts == NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ARGS(op)) && !failed; i++) {
        PyObject *item = PyTuple_GET_ITEM(ARGS(op), i);
        PyObject *part = item == (PyObject *)&_PyNone_Type ? PyUnicode_FromString("None") : generic_show_item(item);
        failed = part == NULL || PyList_Append(parts, part) < 0;
        Py_XDECREF(part);
    }
    if (!failed && (separator = PyUnicode_FromString(" | ")) != NULL)
        result = PyUnicode_Join(separator, parts);
    Py_XDECREF(parts);
    Py_XDECREF(separator);
    return result;
}

/* ---- isinstance, issubclass ---- */

static PyObject *union_instancecheck(PyObject *op, PyObject *instance)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ARGS(op)); i++) {
        PyObject *arg = PyTuple_GET_ITEM(ARGS(op), i);
        int result = PyObject_IsInstance(instance, arg);
        if (result != 0)
            return result < 0 ? NULL : Py_True;
    }
    return Py_False;
}

static PyObject *union_subclasscheck(PyObject *op, PyObject *cls)
{
    if (!PyType_Check(cls)) {
        PyErr_SetString(PyExc_TypeError, "issubclass() arg 1 must be a class");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ARGS(op)); i++) {
        int result = PyObject_IsSubclass(cls, PyTuple_GET_ITEM(ARGS(op), i));
        if (result != 0)
            return result < 0 ? NULL : Py_True;
    }
    return Py_False;
}

static PyMethodDef union_methods[] = {
    {"__instancecheck__", union_instancecheck, METH_O, NULL},
    {"__subclasscheck__", union_subclasscheck, METH_O, NULL},
    {NULL, NULL, 0, NULL}
};

/* ---- Type parameters ---- */

static PyObject *get_parameters_borrowed(PyObject *op)
{
    union_object *self = (union_object *)op;
    PyObject *found = __atomic_load_n(&self->parameters, __ATOMIC_ACQUIRE), *none = NULL;
    if (found != NULL)
        return found;
    PyObject *made = generic_make_parameters(self->args);
    if (made == NULL)
        return NULL;
    object_publish(made);
    if (__atomic_compare_exchange_n(&self->parameters, &none, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    Py_DECREF(made);
    return none;
}

static PyObject *get_parameters(PyObject *op, void *closure)
{
    PyObject *parameters = get_parameters_borrowed(op);
    return Py_XNewRef(parameters);
}

static PyObject *union_getitem(PyObject *op, PyObject *item)
{
    PyObject *parameters = get_parameters_borrowed(op);
    PyObject *args = parameters != NULL ? generic_substitute(op, ARGS(op), parameters, item) : NULL;
    if (args == NULL)
        return NULL;
    PyObject *result = PyTuple_GET_SIZE(args) > 0 ? Py_NewRef(PyTuple_GET_ITEM(args, 0)) : Py_None;
    for (Py_ssize_t i = 1; result != NULL && i < PyTuple_GET_SIZE(args); i++)
        Py_SETREF(result, PyNumber_Or(result, PyTuple_GET_ITEM(args, i)));
    Py_DECREF(args);
    return result;
}

/* __module__ is the class's. */
static PyObject *union_getattro(PyObject *op, PyObject *name)
{
    if (PyUnicode_Check(name) && unicode_equal(name, STR(__module__)))
        return PyObject_GetAttr((PyObject *)Py_TYPE(op), name);
    return PyObject_GenericGetAttr(op, name);
}

static PyMemberDef union_members[] = {
    {"__args__", T_OBJECT, offsetof(union_object, args), READONLY | _Py_MEMBER_LOCK_FREE, NULL}, {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef union_getset[] = {
    {"__parameters__", get_parameters, NULL, "The type variables.", NULL}, {NULL, NULL, NULL, NULL, NULL}
};
static PyNumberMethods union_as_number = {.nb_or = _Py_union_type_or};
static PyMappingMethods union_as_mapping = {.mp_subscript = union_getitem};

PyTypeObject _PyUnion_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.UnionType",
    .tp_basicsize = sizeof(union_object),
    .tp_dealloc = union_dealloc,
    .tp_repr = union_repr,
    .tp_as_number = &union_as_number,
    .tp_as_mapping = &union_as_mapping,
    .tp_hash = union_hash,
    .tp_getattro = union_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A union of types, as int | str.",
    .tp_traverse = union_traverse,
    .tp_richcompare = union_richcompare,
    .tp_methods = union_methods,
    .tp_members = union_members,
    .tp_getset = union_getset,
};
