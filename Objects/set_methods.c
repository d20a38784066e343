/* What Python code sees of set and frozenset: methods, operators, iterator, the type objects, and the C API. */
#include "set.h"
#include "object_gc_inline.h"

#define SELF ((PySetObject *)self)

/* ---- Construction ---- */

static PyObject *set_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return (PyObject *)set_alloc(type);
}

static int set_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    if (!_PyArg_NoKeywords("set", kwds) || !PyArg_UnpackTuple(args, "set", 0, 1, &iterable))
        return -1;
    if (PySet_GET_SIZE(self) > 0)
        set_clear(SELF);
    __atomic_store_n(&SELF->hash, -1, __ATOMIC_RELAXED);
    return iterable == NULL ? 0 : set_update(SELF, iterable);
}

static PyObject *set_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("set", kwnames) || !_PyArg_CheckPositional("set", nargs, 0, 1))
        return NULL;
    return set_make((PyTypeObject *)type, nargs > 0 ? args[0] : NULL);
}

static PyObject *frozenset_make(PyTypeObject *type, PyObject *iterable)
{
    if (type == &PyFrozenSet_Type && iterable != NULL && PyFrozenSet_CheckExact(iterable))
        return Py_NewRef(iterable);
    return set_make(type, iterable);
}

static PyObject *frozenset_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    if ((type == &PyFrozenSet_Type || type->tp_init == PyFrozenSet_Type.tp_init) && !_PyArg_NoKeywords("frozenset", kwds))
        return NULL;
    if (!PyArg_UnpackTuple(args, type->tp_name, 0, 1, &iterable))
        return NULL;
    return frozenset_make(type, iterable);
}

static PyObject *frozenset_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("frozenset", kwnames) || !_PyArg_CheckPositional("frozenset", nargs, 0, 1))
        return NULL;
    return frozenset_make((PyTypeObject *)type, nargs > 0 ? args[0] : NULL);
}

/* ---- Single members ---- */

static PyObject *none_or_error(int result)
{
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *bool_or_error(int result)
{
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *set_method_add(PyObject *self, PyObject *key)
{
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? NULL : none_or_error(set_add_steal(SELF, Py_NewRef(key), hash));
}

static int set_contains(PyObject *self, PyObject *key)
{
    Py_hash_t hash = container_key_hash(key);
    if (Py_LIKELY(hash != -1))
        return set_contains_known_hash(SELF, key, hash);
    if (!PySet_Check(key))
        return -1;
    PyObject *stand_in = set_key_for_lookup(key, &hash);
    if (stand_in == NULL)
        return -1;
    int found = set_contains_known_hash(SELF, stand_in, hash);
    Py_DECREF(stand_in);
    return found;
}

static PyObject *set_method_contains(PyObject *self, PyObject *key)
{
    return bool_or_error(set_contains(self, key));
}

/* 1 removed, 0 absent, -1 exception. */
static int discard(PyObject *self, PyObject *key)
{
    Py_hash_t hash;
    PyObject *removed = NULL, *stand_in = set_key_for_lookup(key, &hash);
    if (stand_in == NULL)
        return -1;
    int found = set_remove_known_hash(SELF, stand_in, hash, &removed);
    Py_DECREF(stand_in);
    Py_XDECREF(removed);
    return found;
}

static PyObject *set_method_discard(PyObject *self, PyObject *key)
{
    return none_or_error(discard(self, key));
}

static PyObject *set_method_remove(PyObject *self, PyObject *key)
{
    int found = discard(self, key);
    if (found > 0)
        Py_RETURN_NONE;
    if (found == 0) {
        PyObject *args = PyTuple_Pack(1, key);
        if (args != NULL) {
            PyErr_SetObject(PyExc_KeyError, args);
            Py_DECREF(args);
        }
    }
    return NULL;
}

static PyObject *pop(PySetObject *self)
{
    PyObject *key = NULL;
    int locked = container_lock(self);
    struct set_table *table = self->table;
    if (self->used > 0) {
        size_t i = self->finger & table->mask;
        while (!set_is_member(set_entries(table)[i].key))
            i = (i + 1) & table->mask;
        key = set_entries(table)[i].key;
        __atomic_store_n(&set_entries(table)[i].key, SET_DUMMY, __ATOMIC_RELEASE);
        set_set_used(self, self->used - 1);
        self->finger = i + 1;
    }
    container_unlock(self, locked);
    if (key == NULL)
        PyErr_SetString(PyExc_KeyError, "pop from an empty set");
    return key;
}

static PyObject *set_method_pop(PyObject *self, PyObject *unused)
{
    return pop(SELF);
}

static PyObject *set_method_clear(PyObject *self, PyObject *unused)
{
    return none_or_error(set_clear(SELF));
}

/* ---- Methods with any number of iterables ---- */

static PyObject *plain_copy(PyObject *self)
{
    return set_copy(SELF, PySet_Check(self) ? &PySet_Type : &PyFrozenSet_Type);
}

static PyObject *set_method_copy(PyObject *self, PyObject *unused)
{
    return plain_copy(self);
}

static PyObject *frozenset_method_copy(PyObject *self, PyObject *unused)
{
    return PyFrozenSet_CheckExact(self) ? Py_NewRef(self) : plain_copy(self);
}

static PyObject *set_method_update(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (set_update(SELF, args[i]) < 0)
            return NULL;
    Py_RETURN_NONE;
}

static PyObject *set_method_union(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *result = plain_copy(self);
    for (Py_ssize_t i = 0; i < nargs && result != NULL; i++)
        if (args[i] != self && set_update((PySetObject *)result, args[i]) < 0)
            Py_CLEAR(result);
    return result;
}

typedef PyObject *(*binary_operation)(PySetObject *self, PyObject *other);

static PyObject *apply_all(PyObject *self, PyObject *const *args, Py_ssize_t nargs, binary_operation operation)
{
    if (nargs == 0)
        return frozenset_method_copy(self, NULL);
    PyObject *result = Py_NewRef(self);
    for (Py_ssize_t i = 0; i < nargs && result != NULL; i++) {
        PyObject *next = operation((PySetObject *)result, args[i]);
        Py_DECREF(result);
        result = next;
    }
    return result;
}

static PyObject *set_method_intersection(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0)
        return set_intersection(SELF, self);        /* a copy even of a frozenset */
    return apply_all(self, args, nargs, set_intersection);
}

static PyObject *set_method_difference(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return apply_all(self, args, nargs, set_difference);
}

static PyObject *set_method_intersection_update(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *result = apply_all(self, args, nargs, set_intersection);
    if (result == NULL)
        return NULL;
    if (result != self && nargs > 0)
        set_take_contents(SELF, (PySetObject *)result);
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyObject *set_method_difference_update(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (set_difference_update(SELF, args[i]) < 0)
            return NULL;
    Py_RETURN_NONE;
}

static PyObject *set_method_symmetric_difference(PyObject *self, PyObject *other)
{
    return set_symmetric_difference(SELF, other);
}

static PyObject *set_method_symmetric_difference_update(PyObject *self, PyObject *other)
{
    return none_or_error(set_symmetric_difference_update(SELF, other));
}

static PyObject *set_method_isdisjoint(PyObject *self, PyObject *other)
{
    return bool_or_error(set_is_disjoint(SELF, other));
}

static PyObject *set_method_issubset(PyObject *self, PyObject *other)
{
    return bool_or_error(set_is_subset(SELF, other));
}

static PyObject *set_method_issuperset(PyObject *self, PyObject *other)
{
    return bool_or_error(set_is_superset(SELF, other));
}

static PyObject *set_method_sizeof(PyObject *self, PyObject *unused)
{
    int locked = container_lock(self);
    size_t bytes = (size_t)Py_TYPE(self)->tp_basicsize + set_table_bytes(SELF->table);
    container_unlock(self, locked);
    return PyLong_FromSize_t(bytes);
}

static PyObject *set_method_reduce(PyObject *self, PyObject *unused)
{
    PyObject *state, *list = PySequence_List(self);
    if (list == NULL)
        return NULL;
    state = _PyObject_GetState(self);
    if (state == NULL) {
        Py_DECREF(list);
        return NULL;
    }
    return Py_BuildValue("O(N)N", Py_TYPE(self), list, state);
}

/* ---- Operators ---- */

static Py_ssize_t set_length(PyObject *self)
{
    return PySet_GET_SIZE(self);
}

static PyObject *operator(PyObject *a, PyObject *b, binary_operation operation)
{
    if (!PyAnySet_Check(a) || !PyAnySet_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return operation((PySetObject *)a, b);
}

static PyObject *set_or(PyObject *a, PyObject *b) { return operator(a, b, set_union); }
static PyObject *set_and(PyObject *a, PyObject *b) { return operator(a, b, set_intersection); }
static PyObject *set_sub(PyObject *a, PyObject *b) { return operator(a, b, set_difference); }
/* The result is of a's kind, the members may come from either. */
static PyObject *set_xor(PyObject *a, PyObject *b)
{
    if (!PyAnySet_Check(a) || !PyAnySet_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return set_symmetric_difference((PySetObject *)a, b);
}

static PyObject *inplace(PyObject *self, PyObject *other, int (*operation)(PySetObject *, PyObject *))
{
    if (!PyAnySet_Check(other))
        Py_RETURN_NOTIMPLEMENTED;
    return operation(SELF, other) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *set_ior(PyObject *a, PyObject *b) { return inplace(a, b, set_update); }
static PyObject *set_iand(PyObject *a, PyObject *b) { return inplace(a, b, set_intersection_update); }
static PyObject *set_isub(PyObject *a, PyObject *b) { return inplace(a, b, set_difference_update); }
static PyObject *set_ixor(PyObject *a, PyObject *b) { return inplace(a, b, set_symmetric_difference_update); }

static PyObject *set_repr(PyObject *self)
{
    PyObject *result = NULL, *list = NULL, *text = NULL;
    const char *name = Py_TYPE(self)->tp_name;
    int recursion = Py_ReprEnter(self);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromFormat("%s(...)", name) : NULL;
    if (PySet_GET_SIZE(self) == 0) {
        result = PyUnicode_FromFormat("%s()", name);
        goto done;
    }
    list = PySequence_List(self);
    if (list == NULL || (text = PyObject_Repr(list)) == NULL)
        goto done;
    PyObject *inner = PyUnicode_Substring(text, 1, PyUnicode_GET_LENGTH(text) - 1);
    if (inner == NULL)
        goto done;
    result = PySet_CheckExact(self) ? PyUnicode_FromFormat("{%U}", inner) : PyUnicode_FromFormat("%s({%U})", name, inner);
    Py_DECREF(inner);
done:
    Py_XDECREF(text);
    Py_XDECREF(list);
    Py_ReprLeave(self);
    return result;
}

/* The hash that collections.abc.Set._hash computes from its members' hashes: independent of their order. Under the lock, and forgotten when
 * a member is added: gc.get_objects() shows frozensets that are being filled. */
static Py_hash_t frozenset_hash(PyObject *self)
{
    Py_hash_t cached = __atomic_load_n(&SELF->hash, __ATOMIC_RELAXED);
    if (cached != -1)
        return cached;
    int locked = container_lock(self);
    uint64_t hash = 1927868237u * ((uint64_t)SELF->used + 1);
    struct set_table *table = SELF->table;
    for (size_t i = 0; i <= table->mask; i++)
        if (set_is_member(set_entries(table)[i].key)) {
            uint64_t h = (uint64_t)set_entries(table)[i].hash;
            hash ^= (h ^ (h << 16) ^ 89869747u) * 3644798167u;
        }
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash * 69069u + 907133923u;
    if (hash == (uint64_t)-1)
        hash = 590923713u;
    __atomic_store_n(&SELF->hash, (Py_hash_t)hash, __ATOMIC_RELAXED);
    container_unlock(self, locked);
    return (Py_hash_t)hash;
}

/* ---- Iterator ---- */

/* si_pos is -1 after the end; si_used is -1 after a change of size was noticed. */
PyObject *set_iter(PyObject *self)
{
    PySetIterObject *it = PyObject_GC_New(PySetIterObject, &PySetIter_Type);
    if (it == NULL)
        return NULL;
    it->si_set = (PySetObject *)Py_NewRef(self);
    it->si_used = it->si_left = PySet_GET_SIZE(self);
    it->si_pos = 0;
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

int set_iter_next_ref(PySetIterObject *it, PyObject **key)
{
    Py_ssize_t pos = __atomic_load_n(&it->si_pos, __ATOMIC_RELAXED);
    if (pos < 0)
        return 0;
    if (__atomic_load_n(&it->si_used, __ATOMIC_RELAXED) != PySet_GET_SIZE(it->si_set)) {
        __atomic_store_n(&it->si_used, -1, __ATOMIC_RELAXED);
        PyErr_SetString(PyExc_RuntimeError, "Set changed size during iteration");
        return -1;
    }
    if (!set_next_ref(it->si_set, &pos, key, NULL)) {
        __atomic_store_n(&it->si_pos, -1, __ATOMIC_RELAXED);
        /* While there is one thread, nobody else can be reading si_set. */
        if (!runtime_is_multi()) {
            PySetObject *set = it->si_set;
            it->si_set = NULL;
            Py_XDECREF(set);
        }
        return 0;
    }
    __atomic_store_n(&it->si_pos, pos, __ATOMIC_RELAXED);
    __atomic_store_n(&it->si_left, __atomic_load_n(&it->si_left, __ATOMIC_RELAXED) - 1, __ATOMIC_RELAXED);
    return 1;
}

static PyObject *iter_next(PyObject *op)
{
    PyObject *key;
    return set_iter_next_ref((PySetIterObject *)op, &key) > 0 ? key : NULL;
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((PySetIterObject *)op)->si_set);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PySetIterObject *)op)->si_set);
    return 0;
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    PySetIterObject *it = (PySetIterObject *)op;
    Py_ssize_t left = 0;
    if (__atomic_load_n(&it->si_pos, __ATOMIC_RELAXED) >= 0
        && __atomic_load_n(&it->si_used, __ATOMIC_RELAXED) == PySet_GET_SIZE(it->si_set))
        left = __atomic_load_n(&it->si_left, __ATOMIC_RELAXED);
    return PyLong_FromSsize_t(left);
}

/* iter(list of what is left); the iterator itself does not move. */
static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    PySetIterObject *it = (PySetIterObject *)op;
    PyObject *list = NULL, *function = container_get_builtin("iter");
    if (function == NULL)
        return NULL;
    Py_ssize_t pos = __atomic_load_n(&it->si_pos, __ATOMIC_RELAXED);
    if (pos < 0)
        list = PyList_New(0);
    else {
        PySetIterObject *copy = (PySetIterObject *)set_iter((PyObject *)it->si_set);
        if (copy != NULL) {
            copy->si_pos = pos;
            copy->si_used = __atomic_load_n(&it->si_used, __ATOMIC_RELAXED);
            list = PySequence_List((PyObject *)copy);
            Py_DECREF(copy);
        }
    }
    if (list == NULL) {
        Py_DECREF(function);
        return NULL;
    }
    return Py_BuildValue("N(N)", function, list);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PySetIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "set_iterator",
    .tp_basicsize = sizeof(PySetIterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/* ---- Types ---- */

#define DOC_CONTAINS "Is the object a member?"
#define DOC_DIFFERENCE "Return the members that are in none of the iterables."
#define DOC_INTERSECTION "Return the members that are in all of the iterables."
#define DOC_ISDISJOINT "Return whether the set and an iterable have no member in common."
#define DOC_ISSUBSET "Return whether all members are in the iterable."
#define DOC_ISSUPERSET "Return whether all of the iterable's items are members."
#define DOC_REDUCE "State for pickling."
#define DOC_SYMMETRIC "Return what is either a member or in the iterable, but not both."
#define DOC_UNION "Return the members together with the items of all iterables."

#define COMMON_METHODS \
    {"__contains__", set_method_contains, METH_O | METH_COEXIST, DOC_CONTAINS}, \
    {"__reduce__", set_method_reduce, METH_NOARGS, DOC_REDUCE}, \
    {"__sizeof__", set_method_sizeof, METH_NOARGS, "Return the memory used, in bytes."}, \
    {"difference", _PyCFunction_CAST(set_method_difference), METH_FASTCALL, DOC_DIFFERENCE}, \
    {"intersection", _PyCFunction_CAST(set_method_intersection), METH_FASTCALL, DOC_INTERSECTION}, \
    {"isdisjoint", set_method_isdisjoint, METH_O, DOC_ISDISJOINT}, \
    {"issubset", set_method_issubset, METH_O, DOC_ISSUBSET}, \
    {"issuperset", set_method_issuperset, METH_O, DOC_ISSUPERSET}, \
    {"symmetric_difference", set_method_symmetric_difference, METH_O, DOC_SYMMETRIC}, \
    {"union", _PyCFunction_CAST(set_method_union), METH_FASTCALL, DOC_UNION}, \
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Make a generic alias (PEP 585)."}

static PyMethodDef set_methods[] = {
    COMMON_METHODS,
    {"add", set_method_add, METH_O, "Make an object a member; nothing happens if it is one."},
    {"clear", set_method_clear, METH_NOARGS, "Remove all members."},
    {"copy", set_method_copy, METH_NOARGS, "Return a new set with the same members."},
    {"discard", set_method_discard, METH_O, "Remove a member; nothing happens if it is none."},
    {"difference_update", _PyCFunction_CAST(set_method_difference_update), METH_FASTCALL,
     "Remove the items of all iterables."},
    {"intersection_update", _PyCFunction_CAST(set_method_intersection_update), METH_FASTCALL,
     "Keep only the members that are in all of the iterables."},
    {"pop", set_method_pop, METH_NOARGS, "Remove some member and return it; KeyError if there is none."},
    {"remove", set_method_remove, METH_O, "Remove a member; KeyError if it is none."},
    {"symmetric_difference_update", set_method_symmetric_difference_update, METH_O,
     "Remove the items that are members, and add those that are not."},
    {"update", _PyCFunction_CAST(set_method_update), METH_FASTCALL, "Add the items of all iterables."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef frozenset_methods[] = {
    COMMON_METHODS,
    {"copy", frozenset_method_copy, METH_NOARGS, "Return the set itself, or an equal frozenset for a subclass."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods set_as_sequence = {
    .sq_length = set_length,
    .sq_contains = set_contains,
};

static PyNumberMethods set_as_number = {
    .nb_subtract = set_sub,
    .nb_and = set_and,
    .nb_xor = set_xor,
    .nb_or = set_or,
    .nb_inplace_subtract = set_isub,
    .nb_inplace_and = set_iand,
    .nb_inplace_xor = set_ixor,
    .nb_inplace_or = set_ior,
};

static PyNumberMethods frozenset_as_number = {
    .nb_subtract = set_sub,
    .nb_and = set_and,
    .nb_xor = set_xor,
    .nb_or = set_or,
};

PyTypeObject PySet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "set",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &set_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "set() -> an empty set\nset(iterable) -> a set of the iterable's items\n\n"
              "An unordered collection of distinct hashable objects.",
    .tp_traverse = set_traverse,
    .tp_clear = set_tp_clear,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = set_iter,
    .tp_methods = set_methods,
    .tp_init = set_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = set_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = set_vectorcall,
};

PyTypeObject PyFrozenSet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "frozenset",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &frozenset_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_hash = frozenset_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "frozenset() -> an empty frozenset\nfrozenset(iterable) -> a frozenset of the iterable's items\n\n"
              "An unordered collection of distinct hashable objects that does not change.",
    .tp_traverse = set_traverse,
    .tp_clear = set_tp_clear,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = set_iter,
    .tp_methods = frozenset_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = frozenset_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = frozenset_vectorcall,
};

/* ---- C API ---- */

PyObject *PySet_New(PyObject *iterable) { return set_make(&PySet_Type, iterable); }
PyObject *PyFrozenSet_New(PyObject *iterable) { return set_make(&PyFrozenSet_Type, iterable); }

static int bad_call(void)
{
    PyErr_BadInternalCall();
    return -1;
}

int PySet_Add(PyObject *self, PyObject *key)
{
    if (!PySet_Check(self) && !PyFrozenSet_Check(self))
        return bad_call();
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : set_add_steal(SELF, Py_NewRef(key), hash);
}

int PySet_Contains(PyObject *self, PyObject *key)
{
    if (!PyAnySet_Check(self))
        return bad_call();
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : set_contains_known_hash(SELF, key, hash);
}

int PySet_Discard(PyObject *self, PyObject *key)
{
    PyObject *removed = NULL;
    if (!PySet_Check(self))
        return bad_call();
    Py_hash_t hash = container_key_hash(key);
    int found = hash == -1 ? -1 : set_remove_known_hash(SELF, key, hash, &removed);
    Py_XDECREF(removed);
    return found;
}

PyObject *PySet_Pop(PyObject *self)
{
    if (!PySet_Check(self)) {
        bad_call();
        return NULL;
    }
    return pop(SELF);
}

int PySet_Clear(PyObject *self)
{
    return PySet_Check(self) ? set_clear(SELF) : bad_call();
}

Py_ssize_t PySet_Size(PyObject *self)
{
    return PyAnySet_Check(self) ? PySet_GET_SIZE(self) : bad_call();
}

int _PySet_Update(PyObject *self, PyObject *iterable)
{
    return PySet_Check(self) ? set_update(SELF, iterable) : bad_call();
}
