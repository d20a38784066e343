/* types.GenericAlias: list[int]. */
#include "Python.h"

#include "generic_alias.h"
#include "memory.h"
#include "tuple.h"
#include "type.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    PyObject *origin;           /* [const] */
    PyObject *args;             /* [const] a tuple */
    PyObject *parameters;       /* [atomic] a tuple, made on demand */
    PyObject *weaklist;
    bool starred;               /* [const] *tuple[int] */
    vectorcallfunc vectorcall;
} alias_object;

#define ALIAS(op) ((alias_object *)(op))

/* ---- Type parameters ---- */

static int list_contains_identity(PyObject *list, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (PyList_GET_ITEM(list, i) == item)
            return 1;
    return 0;
}

static int append_new(PyObject *list, PyObject *item)
{
    return list_contains_identity(list, item) ? 0 : PyList_Append(list, item);
}

/* item.__parameters__ if that is a tuple, else NULL; -1 in *failed. */
static PyObject *parameters_of(PyObject *item, int *failed)
{
    PyObject *parameters;
    *failed = PyObject_GetOptionalAttr(item, STR(__parameters__), &parameters) < 0;
    if (parameters != NULL && !PyTuple_Check(parameters))
        Py_CLEAR(parameters);
    return parameters;
}

PyObject *generic_make_parameters(PyObject *args)
{
    PyObject *list = PyList_New(0), *result = NULL;
    int failed = list == NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args) && !failed; i++) {
        PyObject *item = PyTuple_GET_ITEM(args, i), *subst;
        if (PyType_Check(item))         /* the attribute of a class would be the descriptor */
            continue;
        failed = PyObject_GetOptionalAttr(item, STR(__typing_subst__), &subst) < 0;
        if (failed)
            break;
        if (subst != NULL) {
            Py_DECREF(subst);
            failed = append_new(list, item) < 0;
            continue;
        }
        PyObject *inner = parameters_of(item, &failed);
        for (Py_ssize_t j = 0; inner != NULL && j < PyTuple_GET_SIZE(inner) && !failed; j++)
            failed = append_new(list, PyTuple_GET_ITEM(inner, j)) < 0;
        Py_XDECREF(inner);
    }
    if (!failed)
        result = PyList_AsTuple(list);
    Py_XDECREF(list);
    return result;
}

static Py_ssize_t index_of(PyObject *tuple, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (PyTuple_GET_ITEM(tuple, i) == item)
            return i;
    return -1;
}

static int extend(PyObject *list, PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (PyList_Append(list, PyTuple_GET_ITEM(tuple, i)) < 0)
            return -1;
    return 0;
}

/* obj with the parameters that occur in it replaced: obj[...], or obj itself. */
static PyObject *substitute_inside(PyObject *obj, PyObject *parameters, PyObject *values)
{
    int failed;
    PyObject *inner = parameters_of(obj, &failed), *list, *tuple, *result = NULL;
    if (failed)
        return NULL;
    if (inner == NULL || PyTuple_GET_SIZE(inner) == 0) {
        Py_XDECREF(inner);
        return Py_NewRef(obj);
    }
    list = PyList_New(0);
    failed = list == NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(inner) && !failed; i++) {
        PyObject *item = PyTuple_GET_ITEM(inner, i);
        Py_ssize_t at = index_of(parameters, item);
        if (at >= 0) {
            PyObject *value = PyTuple_GET_ITEM(values, at);
            if (Py_TYPE(PyTuple_GET_ITEM(parameters, at))->tp_iter != NULL && PyTuple_Check(value)) {
                failed = extend(list, value) < 0;       /* a TypeVarTuple */
                continue;
            }
            item = value;
        }
        failed = PyList_Append(list, item) < 0;
    }
    if (!failed && (tuple = PyList_AsTuple(list)) != NULL) {
        result = PyObject_GetItem(obj, tuple);
        Py_DECREF(tuple);
    }
    Py_XDECREF(list);
    Py_DECREF(inner);
    return result;
}

/* The items to put in, as a tuple, with *tuple[int, str] spread out. */
static PyObject *unpack_items(PyObject *item)
{
    PyObject *list = PyList_New(0), *result = NULL;
    int is_tuple = PyTuple_Check(item), failed = list == NULL;
    Py_ssize_t n = is_tuple ? PyTuple_GET_SIZE(item) : 1;
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        PyObject *one = is_tuple ? PyTuple_GET_ITEM(item, i) : item, *inner = NULL;
        if (!PyType_Check(one)) {
            failed = PyObject_GetOptionalAttr(one, STR(__typing_unpacked_tuple_args__), &inner) < 0;
            if (failed)
                break;
        }
        if (inner != NULL && PyTuple_Check(inner)
            && !(PyTuple_GET_SIZE(inner) > 0 && PyTuple_GET_ITEM(inner, PyTuple_GET_SIZE(inner) - 1) == Py_Ellipsis))
            failed = extend(list, inner) < 0;
        else
            failed = PyList_Append(list, one) < 0;
        Py_XDECREF(inner);
    }
    if (!failed)
        result = PyList_AsTuple(list);
    Py_XDECREF(list);
    return result;
}

/* Lets every parameter see and change the items (TypeVarTuple, ParamSpec). Steals items. */
static PyObject *prepare_items_steal(PyObject *self, PyObject *parameters, PyObject *items)
{
    for (Py_ssize_t i = 0; items != NULL && i < PyTuple_GET_SIZE(parameters); i++) {
        PyObject *prepare;
        if (PyObject_GetOptionalAttr(PyTuple_GET_ITEM(parameters, i), STR(__typing_prepare_subst__), &prepare) < 0) {
            Py_CLEAR(items);
            break;
        }
        if (prepare == NULL || prepare == Py_None) {
            Py_XDECREF(prepare);
            continue;
        }
        PyObject *changed = PyObject_CallFunctionObjArgs(prepare, self, items, NULL);
        Py_DECREF(prepare);
        Py_SETREF(items, changed);
        if (items != NULL && !PyTuple_Check(items))
            Py_SETREF(items, PyTuple_Pack(1, items));
    }
    return items;
}

/* Appends what becomes of one argument. */
static int substitute_one(PyObject *list, PyObject *arg, PyObject *parameters, PyObject *values)
{
    PyObject *flag, *subst, *result;
    if (PyType_Check(arg))
        return PyList_Append(list, arg);
    if (PyObject_GetOptionalAttr(arg, STR(__typing_is_unpacked_typevartuple__), &flag) < 0)
        return -1;
    int unpack = flag != NULL ? PyObject_IsTrue(flag) : 0;
    Py_XDECREF(flag);
    if (unpack < 0 || PyObject_GetOptionalAttr(arg, STR(__typing_subst__), &subst) < 0)
        return -1;
    if (subst != NULL) {
        Py_ssize_t at = index_of(parameters, arg);
        result = at >= 0 ? PyObject_CallOneArg(subst, PyTuple_GET_ITEM(values, at)) : Py_NewRef(arg);
        Py_DECREF(subst);
    }
    else
        result = substitute_inside(arg, parameters, values);
    if (result == NULL)
        return -1;
    int failed = unpack && PyTuple_Check(result) ? extend(list, result) : PyList_Append(list, result);
    Py_DECREF(result);
    return failed;
}

PyObject *generic_substitute(PyObject *self, PyObject *args, PyObject *parameters, PyObject *item)
{
    Py_ssize_t n = PyTuple_GET_SIZE(parameters);
    if (n == 0) {
        PyErr_Format(PyExc_TypeError, "%R is not a generic class", self);
        return NULL;
    }
    PyObject *values = unpack_items(item), *list, *result = NULL;
    if (values != NULL)
        values = prepare_items_steal(self, parameters, values);
    if (values == NULL)
        return NULL;
    if (PyTuple_GET_SIZE(values) != n) {
        PyErr_Format(PyExc_TypeError, "Too %s arguments for %R; actual %zd, expected %zd",
                     PyTuple_GET_SIZE(values) > n ? "many" : "few", self, PyTuple_GET_SIZE(values), n);
        Py_DECREF(values);
        return NULL;
    }
    list = PyList_New(0);
    int failed = list == NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args) && !failed; i++)
        failed = substitute_one(list, PyTuple_GET_ITEM(args, i), parameters, values) < 0;
    if (!failed)
        result = PyList_AsTuple(list);
    Py_XDECREF(list);
    Py_DECREF(values);
    return result;
}

/* ---- Text ---- */

static PyObject *qualified_name(PyObject *item)
{
    PyObject *qualname = NULL, *module = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(item, STR(__qualname__), &qualname) < 0)
        return NULL;
    if (qualname == NULL || PyObject_GetOptionalAttr(item, STR(__module__), &module) < 0)
        goto done;
    if (module == NULL || module == Py_None)
        goto done;
    if (PyUnicode_Check(module) && unicode_equal(module, STR(builtins)))
        result = PyObject_Str(qualname);
    else
        result = PyUnicode_FromFormat("%S.%S", module, qualname);
done:
    Py_XDECREF(qualname);
    Py_XDECREF(module);
    if (result == NULL && !PyErr_Occurred())
        result = PyObject_Repr(item);
    return result;
}

PyObject *generic_show_item(PyObject *item)
{
    if (item == Py_Ellipsis)
        return PyUnicode_FromString("...");
    int generic = PyObject_HasAttrWithError(item, STR(__origin__));
    if (generic > 0)
        generic = PyObject_HasAttrWithError(item, STR(__args__));
    if (generic < 0)
        return NULL;
    return generic ? PyObject_Repr(item) : qualified_name(item);
}

static PyObject *alias_repr(PyObject *op)
{
    PyObject *parts = PyList_New(0), *separator = NULL, *joined = NULL, *origin = NULL, *result = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(ALIAS(op)->args);
    int failed = parts == NULL;
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        PyObject *part = generic_show_item(PyTuple_GET_ITEM(ALIAS(op)->args, i));
        failed = part == NULL || PyList_Append(parts, part) < 0;
        Py_XDECREF(part);
    }
    if (!failed && (origin = generic_show_item(ALIAS(op)->origin)) != NULL
        && (separator = PyUnicode_FromString(", ")) != NULL && (joined = PyUnicode_Join(separator, parts)) != NULL)
        result = PyUnicode_FromFormat(n == 0 ? "%s%U[()%U]" : "%s%U[%U]", ALIAS(op)->starred ? "*" : "", origin, joined);
    Py_XDECREF(parts);
    Py_XDECREF(separator);
    Py_XDECREF(joined);
    Py_XDECREF(origin);
    return result;
}

/* ---- Making and calling ---- */

static PyObject *alias_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *result = PyObject_Vectorcall(ALIAS(op)->origin, args, nargsf, kwnames);
    if (result != NULL && PyObject_SetAttr(result, STR(__orig_class__), op) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError) && !PyErr_ExceptionMatches(PyExc_TypeError))
            Py_CLEAR(result);
        else
            PyErr_Clear();
    }
    return result;
}

/* args is a tuple or one argument. */
static PyObject *alias_make(PyTypeObject *type, PyObject *origin, PyObject *args, int starred)
{
    args = PyTuple_Check(args) ? Py_NewRef(args) : PyTuple_Pack(1, args);
    alias_object *self = args != NULL ? (alias_object *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(args);
        return NULL;
    }
    self->origin = Py_NewRef(origin);
    self->args = args;
    self->starred = starred;
    self->vectorcall = alias_vectorcall;
    return (PyObject *)self;
}

PyObject *Py_GenericAlias(PyObject *origin, PyObject *args) { return alias_make(&Py_GenericAliasType, origin, args, 0); }

static PyObject *alias_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *origin, *items;
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "GenericAlias() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "GenericAlias", 2, 2, &origin, &items))
        return NULL;
    return alias_make(type, origin, items, 0);
}

static void alias_dealloc(PyObject *op)
{
    object_untrack(op);
    if (_PyObject_HAS_WEAKREFS(ALIAS(op)->weaklist))
        PyObject_ClearWeakRefs(op);
    Py_XDECREF(ALIAS(op)->origin);
    Py_XDECREF(ALIAS(op)->args);
    Py_XDECREF(ALIAS(op)->parameters);
    Py_TYPE(op)->tp_free(op);
}

static int alias_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(ALIAS(op)->origin);
    Py_VISIT(ALIAS(op)->args);
    Py_VISIT(ALIAS(op)->parameters);
    return 0;
}

/* ---- Attributes ---- */

/* All others are those of the origin. */
static const char *const own_names[] = {
    "__class__", "__origin__", "__args__", "__unpacked__", "__parameters__", "__typing_unpacked_tuple_args__",
    "__mro_entries__", "__reduce_ex__", "__reduce__", "__copy__", "__deepcopy__", NULL,
};

static PyObject *alias_getattro(PyObject *op, PyObject *name)
{
    if (PyUnicode_Check(name)) {
        int own = 0;
        for (const char *const *p = own_names; *p != NULL && !own; p++)
            own = PyUnicode_CompareWithASCIIString(name, *p) == 0;
        if (!own)
            return PyObject_GetAttr(ALIAS(op)->origin, name);
    }
    return PyObject_GenericGetAttr(op, name);
}

/* Borrowed. */
static PyObject *get_parameters_borrowed(PyObject *op)
{
    PyObject *found = __atomic_load_n(&ALIAS(op)->parameters, __ATOMIC_ACQUIRE), *none = NULL;
    if (found != NULL)
        return found;
    PyObject *made = generic_make_parameters(ALIAS(op)->args);
    if (made == NULL)
        return NULL;
    object_publish(made);
    if (__atomic_compare_exchange_n(&ALIAS(op)->parameters, &none, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    Py_DECREF(made);
    return none;
}

static PyObject *get_parameters(PyObject *op, void *closure)
{
    PyObject *parameters = get_parameters_borrowed(op);
    return Py_XNewRef(parameters);
}

static PyObject *get_unpacked_args(PyObject *op, void *closure)
{
    if (ALIAS(op)->starred && ALIAS(op)->origin == (PyObject *)&PyTuple_Type)
        return Py_NewRef(ALIAS(op)->args);
    return Py_None;
}

static PyObject *alias_getitem(PyObject *op, PyObject *item)
{
    PyObject *parameters = get_parameters_borrowed(op);
    PyObject *args = parameters != NULL ? generic_substitute(op, ALIAS(op)->args, parameters, item) : NULL;
    if (args == NULL)
        return NULL;
    PyObject *result = alias_make(&Py_GenericAliasType, ALIAS(op)->origin, args, ALIAS(op)->starred);
    Py_DECREF(args);
    return result;
}

/* ---- Comparison, methods ---- */

static Py_hash_t alias_hash(PyObject *op)
{
    Py_hash_t x = PyObject_Hash(ALIAS(op)->origin), y;
    if (x == -1 || (y = PyObject_Hash(ALIAS(op)->args)) == -1)
        return -1;
    x ^= y;
    return x == -1 ? -2 : x;
}

static PyObject *alias_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !_PyGenericAlias_Check(a) || !_PyGenericAlias_Check(b))
        return Py_NotImplemented;
    int equal = ALIAS(a)->starred == ALIAS(b)->starred;
    if (equal)
        equal = PyObject_RichCompareBool(ALIAS(a)->origin, ALIAS(b)->origin, Py_EQ);
    if (equal > 0)
        equal = PyObject_RichCompareBool(ALIAS(a)->args, ALIAS(b)->args, Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *alias_mro_entries(PyObject *op, PyObject *bases) { return PyTuple_Pack(1, ALIAS(op)->origin); }

static PyObject *alias_check(const char *message)
{
    PyErr_SetString(PyExc_TypeError, message);
    return NULL;
}
static PyObject *alias_instancecheck(PyObject *op, PyObject *arg)
{
    return alias_check("isinstance() argument 2 cannot be a parameterized generic");
}
static PyObject *alias_subclasscheck(PyObject *op, PyObject *arg)
{
    return alias_check("issubclass() argument 2 cannot be a parameterized generic");
}

static PyObject *alias_reduce(PyObject *op, PyObject *unused)
{
    if (!ALIAS(op)->starred)
        return Py_BuildValue("O(OO)", Py_TYPE(op), ALIAS(op)->origin, ALIAS(op)->args);
    PyObject *plain = Py_GenericAlias(ALIAS(op)->origin, ALIAS(op)->args);
    PyObject *iter = plain != NULL ? PyObject_GetIter(plain) : NULL;
    Py_XDECREF(plain);
    PyObject *next = iter != NULL ? object_get_builtin(STR(next)) : NULL;
    if (next == NULL) {
        Py_XDECREF(iter);
        return NULL;
    }
    return Py_BuildValue("N(N)", next, iter);
}

static PyObject *alias_dir(PyObject *op, PyObject *unused)
{
    PyObject *dir = PyObject_Dir(ALIAS(op)->origin);
    for (const char *const *p = own_names; dir != NULL && *p != NULL; p++) {
        PyObject *name = PyUnicode_FromString(*p);
        int found = name != NULL ? PySequence_Contains(dir, name) : -1;
        if (found < 0 || (found == 0 && PyList_Append(dir, name) < 0))
            Py_CLEAR(dir);
        Py_XDECREF(name);
    }
    return dir;
}

static PyMethodDef alias_methods[] = {
    {"__mro_entries__", alias_mro_entries, METH_O, NULL},
    {"__instancecheck__", alias_instancecheck, METH_O, NULL},
    {"__subclasscheck__", alias_subclasscheck, METH_O, NULL},
    {"__reduce__", alias_reduce, METH_NOARGS, NULL},
    {"__dir__", alias_dir, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}
};
static PyMemberDef alias_members[] = {
    {"__origin__", T_OBJECT, offsetof(alias_object, origin), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__args__", T_OBJECT, offsetof(alias_object, args), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__unpacked__", T_BOOL, offsetof(alias_object, starred), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef alias_getset[] = {
    {"__parameters__", get_parameters, NULL, "The type variables.", NULL},
    {"__typing_unpacked_tuple_args__", get_unpacked_args, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

/* ---- *tuple[int]: an iterator over the one starred form ---- */

typedef struct {
    PyObject_HEAD
    PyObject *alias;            /* [atomic] NULL when it has been handed out */
} alias_iter;

static PyObject *alias_get_iter(PyObject *op)
{
    alias_iter *it = (alias_iter *)object_new_gc(&_Py_GenericAliasIterType, sizeof(*it));
    if (it == NULL)
        return NULL;
    it->alias = Py_NewRef(op);
    object_track((PyObject *)it);
    return (PyObject *)it;
}

static PyObject *iter_next(PyObject *op)
{
    PyObject *alias = __atomic_exchange_n(&((alias_iter *)op)->alias, NULL, __ATOMIC_ACQ_REL);
    if (alias == NULL)
        return NULL;
    PyObject *result = alias_make(&Py_GenericAliasType, ALIAS(alias)->origin, ALIAS(alias)->args, 1);
    Py_DECREF(alias);
    return result;
}

static void iter_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_XDECREF(((alias_iter *)op)->alias);
    object_free_gc(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((alias_iter *)op)->alias);
    return 0;
}

static int iter_clear(PyObject *op)
{
    PyObject *alias = __atomic_exchange_n(&((alias_iter *)op)->alias, NULL, __ATOMIC_ACQ_REL);
    Py_XDECREF(alias);
    return 0;
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    PyObject *iter = object_get_builtin(STR(iter));
    PyObject *alias = ((alias_iter *)op)->alias;
    if (iter == NULL)
        return NULL;
    return alias != NULL ? Py_BuildValue("N(O)", iter, alias) : Py_BuildValue("N(())", iter);
}

static PyMethodDef iter_methods[] = {{"__reduce__", iter_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

PyTypeObject _Py_GenericAliasIterType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "generic_alias_iterator",
    .tp_basicsize = sizeof(alias_iter),
    .tp_dealloc = iter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_clear = iter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

static PyMappingMethods alias_as_mapping = {.mp_subscript = alias_getitem};
static PyNumberMethods alias_as_number = {.nb_or = _Py_union_type_or};

PyTypeObject Py_GenericAliasType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.GenericAlias",
    .tp_basicsize = sizeof(alias_object),
    .tp_dealloc = alias_dealloc,
    .tp_vectorcall_offset = offsetof(alias_object, vectorcall),
    .tp_repr = alias_repr,
    .tp_as_number = &alias_as_number,
    .tp_as_mapping = &alias_as_mapping,
    .tp_hash = alias_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = alias_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "GenericAlias(origin, args, /)\n--\n\nA class with arguments for its type parameters, as list[int].",
    .tp_traverse = alias_traverse,
    .tp_richcompare = alias_richcompare,
    .tp_weaklistoffset = offsetof(alias_object, weaklist),
    .tp_iter = alias_get_iter,
    .tp_methods = alias_methods,
    .tp_members = alias_members,
    .tp_getset = alias_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = alias_new,
    .tp_free = PyObject_GC_Del,
};
