/* collections.OrderedDict: a dict (which is ordered already) whose order can be changed, and matters for equality.
 *
 * move_to_end appends a second entry for the key and retires the first, or puts it in a gap kept in front of the table
 * (dict_move_entry_locked), so both directions take constant time on average. */
#include "dict.h"
#include "tuple.h"

struct _odictobject {
    PyDictObject od_dict;
    PyObject *od_inst_dict;         /* instance __dict__ */
    PyObject *od_weakreflist;
};

/* ---- Construction and update ---- */

static PyObject *odict_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyODictObject *self = (PyODictObject *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->od_dict.ma_keys = DICT_EMPTY_KEYS;
    return (PyObject *)self;
}

PyObject *PyODict_New(void)
{
    return odict_new(&PyODict_Type, NULL, NULL);
}

int PyODict_SetItem(PyObject *self, PyObject *key, PyObject *value)
{
    return PyDict_SetItem(self, key, value);
}

int PyODict_DelItem(PyObject *self, PyObject *key)
{
    return PyDict_DelItem(self, key);
}

/* self[key] = value for a pair of any iterable kind. */
static int set_pair(PyObject *self, PyObject *pair)
{
    PyObject *items = PySequence_Tuple(pair);
    if (items == NULL)
        return -1;
    int result = -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    if (n < 2)
        PyErr_Format(PyExc_ValueError, "need more than %zd value%s to unpack", n, n == 1 ? "" : "s");
    else if (n > 2)
        PyErr_SetString(PyExc_ValueError, "too many values to unpack (expected 2)");
    else
        result = PyObject_SetItem(self, PyTuple_GET_ITEM(items, 0), PyTuple_GET_ITEM(items, 1));
    Py_DECREF(items);
    return result;
}

static int update_from_pairs(PyObject *self, PyObject *pairs)
{
    PyObject *pair, *iterator = PyObject_GetIter(pairs);
    int result = 0;
    if (iterator == NULL)
        return -1;
    while (result == 0 && (pair = PyIter_Next(iterator)) != NULL) {
        result = set_pair(self, pair);
        Py_DECREF(pair);
    }
    Py_DECREF(iterator);
    return result == 0 && PyErr_Occurred() ? -1 : result;
}

static int update_from_keys(PyObject *self, PyObject *other, PyObject *keys)
{
    PyObject *key, *iterator = PyObject_GetIter(keys);
    int result = 0;
    if (iterator == NULL)
        return -1;
    while (result == 0 && (key = PyIter_Next(iterator)) != NULL) {
        PyObject *value = PyObject_GetItem(other, key);
        result = value == NULL ? -1 : PyObject_SetItem(self, key, value);
        Py_XDECREF(value);
        Py_DECREF(key);
    }
    Py_DECREF(iterator);
    return result == 0 && PyErr_Occurred() ? -1 : result;
}

static int update_from_dict(PyObject *self, PyObject *dict)
{
    struct dict_snapshot snapshot;
    int result = 0;
    if (dict_snapshot_take(dict, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
        result = PyObject_SetItem(self, snapshot.pairs[2 * i], snapshot.pairs[2 * i + 1]);
    dict_snapshot_free(&snapshot);
    return result;
}

/* As MutableMapping.update does for one argument. */
static int update_from(PyObject *self, PyObject *other)
{
    if (PyDict_CheckExact(other) || PyODict_CheckExact(other))
        return update_from_dict(self, other);
    for (int i = 0; i < 2; i++) {
        PyObject *method;
        if (_PyObject_LookupAttr(other, i == 0 ? STR(keys) : STR(items), &method) < 0)
            return -1;
        if (method == NULL)
            continue;
        PyObject *result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (result == NULL)
            return -1;
        int failed = i == 0 ? update_from_keys(self, other, result) : update_from_pairs(self, result);
        Py_DECREF(result);
        return failed;
    }
    return update_from_pairs(self, other);
}

static int update_with(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) == 1 && update_from(self, PyTuple_GET_ITEM(args, 0)) < 0)
        return -1;
    if (kwds == NULL)
        return 0;
    return PyArg_ValidateKeywordArguments(kwds) ? update_from_dict(self, kwds) : -1;
}

static int odict_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 arguments, got %zd", PyTuple_GET_SIZE(args));
        return -1;
    }
    return update_with(self, args, kwds);
}

static PyObject *odict_update(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_Format(PyExc_TypeError, "update() takes at most 1 positional argument (%zd given)", PyTuple_GET_SIZE(args));
        return NULL;
    }
    if (update_with(self, args, kwds) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Arguments: one or two of them, by position or name ---- */

/* Unpacks into arg[2]; absent ones stay NULL. */
#define ARGUMENTS(function, required, ...) \
    static const char *const names[] = {__VA_ARGS__, NULL}; \
    static _PyArg_Parser parser = {.keywords = names, .fname = function}; \
    PyObject *room[2] = {NULL, NULL}, *arg[2] = {NULL, NULL}; \
    int most = (int)Py_ARRAY_LENGTH(names) - 1; \
    PyObject *const *given = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, required, most, 0, room); \
    if (given == NULL) \
        return NULL; \
    for (Py_ssize_t i = 0, n = given == args ? nargs : most; i < n; i++) \
        arg[i] = given[i]

/* ---- Methods ---- */

static PyObject *odict_fromkeys(PyObject *cls, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    ARGUMENTS("fromkeys", 1, "iterable", "value");
    return _PyDict_FromKeys(cls, arg[0], arg[1] != NULL ? arg[1] : Py_None);
}

static PyObject *odict_setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    ARGUMENTS("setdefault", 1, "key", "default");
    PyObject *value, *default_value = arg[1] != NULL ? arg[1] : Py_None;
    if (PyODict_CheckExact(self)) {
        PyDict_SetDefaultRef(self, arg[0], default_value, &value);
        return value;
    }
    int found = PySequence_Contains(self, arg[0]);
    if (found != 0)
        return found < 0 ? NULL : PyObject_GetItem(self, arg[0]);
    return PyObject_SetItem(self, arg[0], default_value) < 0 ? NULL : Py_NewRef(default_value);
}

static PyObject *odict_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    ARGUMENTS("pop", 1, "key", "default");
    PyObject *value;
    Py_hash_t hash = container_key_hash(arg[0]);
    if (hash == -1)
        return NULL;
    int found = dict_pop_known_hash(self, arg[0], hash, &value);
    if (found != 0)
        return value;
    if (arg[1] != NULL)
        return Py_NewRef(arg[1]);
    dict_set_key_error(arg[0]);
    return NULL;
}

static PyObject *odict_popitem(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    ARGUMENTS("popitem", 0, "last");
    int last = arg[0] == NULL ? 1 : PyObject_IsTrue(arg[0]);
    return last < 0 ? NULL : dict_pop_end((PyDictObject *)self, last, "dictionary is empty");
}

static PyObject *odict_move_to_end(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    ARGUMENTS("move_to_end", 1, "key", "last");
    PyDictObject *self = (PyDictObject *)op;
    int locked, last = arg[1] == NULL ? 1 : PyObject_IsTrue(arg[1]);
    Py_hash_t hash = last < 0 ? -1 : container_key_hash(arg[0]);
    if (hash == -1)
        return NULL;
    Py_ssize_t i = dict_find_and_lock(self, arg[0], hash, &locked);
    if (i == -2)
        return NULL;
    int failed = i >= 0 && dict_move_entry_locked(self, i, last) < 0;
    container_unlock(self, locked);
    if (failed)
        return PyErr_NoMemory();
    if (i < 0) {
        dict_set_key_error(arg[0]);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *odict_clear(PyObject *self, PyObject *unused)
{
    PyDict_Clear(self);
    Py_RETURN_NONE;
}

static PyObject *odict_copy(PyObject *self, PyObject *unused)
{
    if (PyODict_CheckExact(self)) {
        PyObject *copy = PyODict_New();
        if (copy != NULL && dict_merge(copy, self, 1) < 0)
            Py_CLEAR(copy);
        return copy;
    }
    PyObject *copy = PyObject_CallNoArgs((PyObject *)Py_TYPE(self));
    PyObject *keys = copy != NULL ? PyDict_Keys(self) : NULL;
    if (keys == NULL || update_from_keys(copy, self, keys) < 0)
        Py_CLEAR(copy);
    Py_XDECREF(keys);
    return copy;
}

static PyObject *odict_reduce(PyObject *self, PyObject *unused)
{
    PyObject *items = NULL, *iterator = NULL, *result = NULL, *state = _PyObject_GetState(self);
    if (state == NULL)
        return NULL;
    items = PyObject_CallMethodNoArgs(self, STR(items));
    if (items != NULL)
        iterator = PyObject_GetIter(items);
    if (iterator != NULL)
        result = PyTuple_Pack(5, Py_TYPE(self), tuple_empty(), state, Py_None, iterator);
    Py_XDECREF(iterator);
    Py_XDECREF(items);
    Py_DECREF(state);
    return result;
}

static PyObject *odict_sizeof(PyObject *self, PyObject *unused)
{
    return PyLong_FromSsize_t(_PyDict_SizeOf((PyDictObject *)self));
}

/* ---- Operators ---- */

static PyObject *odict_or(PyObject *a, PyObject *b)
{
    if (!PyDict_Check(a) || !PyDict_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *type = (PyObject *)(PyODict_Check(a) ? Py_TYPE(a) : Py_TYPE(b));
    PyObject *result = PyObject_CallOneArg(type, a);
    if (result != NULL && update_from(result, b) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *odict_ior(PyObject *self, PyObject *other)
{
    return update_from(self, other) < 0 ? NULL : Py_NewRef(self);
}

/* Are the keys the same in the same order? */
static int same_order(PyObject *a, PyObject *b)
{
    struct dict_snapshot left, right;
    if (dict_snapshot_take(a, &left) < 0)
        return -1;
    if (dict_snapshot_take(b, &right) < 0) {
        dict_snapshot_free(&left);
        return -1;
    }
    int equal = left.count == right.count;
    for (Py_ssize_t i = 0; equal == 1 && i < left.count; i++)
        equal = PyObject_RichCompareBool(left.pairs[2 * i], right.pairs[2 * i], Py_EQ);
    dict_snapshot_free(&left);
    dict_snapshot_free(&right);
    return equal;
}

static PyObject *odict_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyODict_Check(a) || !PyDict_Check(b) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    int equal = dict_equal(a, b);
    if (equal == 1 && PyODict_Check(b))
        equal = same_order(a, b);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *odict_repr(PyObject *self)
{
    PyObject *result = NULL, *items = NULL;
    const char *name = Py_TYPE(self)->tp_name, *dot = strrchr(name, '.');
    if (dot != NULL)
        name = dot + 1;
    if (PyODict_SIZE(self) == 0)
        return PyUnicode_FromFormat("%s()", name);
    int recursion = Py_ReprEnter(self);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromString("...") : NULL;
    if (PyODict_CheckExact(self))
        items = PyDict_Items(self);
    else {
        PyObject *view = PyObject_CallMethodNoArgs(self, STR(items));
        if (view != NULL) {
            items = PySequence_List(view);
            Py_DECREF(view);
        }
    }
    if (items != NULL)
        result = PyUnicode_FromFormat("%s(%R)", name, items);
    Py_XDECREF(items);
    Py_ReprLeave(self);
    return result;
}

/* ---- Iterator ---- */

/* What the table looked like; any structural change shows in one of the fields. */
struct order_state {
    uint64_t id;
    Py_ssize_t count, gap, used;
};

typedef struct {
    PyDictIterObject base;          /* di_dict, di_place */
    enum dict_iter_kind kind;       /* [const] */
    int reversed;                   /* [const] */
    struct order_state state;       /* [const] */
} odict_iter;

static struct order_state order_state_of(PyDictObject *self)
{
    int locked = dict_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    struct order_state state = {keys->id, keys->count, keys->gap, self->ma_used};
    container_unlock(self, locked);
    return state;
}

static PyObject *odict_iter_new(PyObject *dict, enum dict_iter_kind kind, int reversed)
{
    odict_iter *it = PyObject_GC_New(odict_iter, &PyODictIter_Type);
    if (it == NULL)
        return NULL;
    it->base.di_dict = (PyDictObject *)Py_NewRef(dict);
    it->kind = kind;
    it->reversed = reversed;
    it->state = order_state_of(it->base.di_dict);
    it->base.di_used = it->state.used;
    it->base.di_place = dict_place_make(reversed ? it->state.count - 1 : 0, 0);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static void iter_finish(odict_iter *it)
{
    __atomic_store_n(&it->base.di_place, dict_place_make(-1, 0), __ATOMIC_RELAXED);
    if (!runtime_is_multi()) {      /* nobody else can be reading di_dict */
        PyDictObject *dict = it->base.di_dict;
        it->base.di_dict = NULL;
        Py_XDECREF(dict);
    }
}

static PyObject *odict_iter_next(PyObject *op)
{
    odict_iter *it = (odict_iter *)op;
    Py_ssize_t pos = dict_place_pos(__atomic_load_n(&it->base.di_place, __ATOMIC_RELAXED));
    PyObject *key = NULL, *value = NULL;
    if (pos < 0)
        return NULL;
    struct order_state now = order_state_of(it->base.di_dict);
    if (memcmp(&now, &it->state, sizeof(now)) != 0) {
        iter_finish(it);
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
        return NULL;
    }
    PyObject *dict = (PyObject *)it->base.di_dict;
    PyObject **want_key = it->kind != DICT_ITER_VALUES ? &key : NULL;
    PyObject **want_value = it->kind != DICT_ITER_KEYS ? &value : NULL;
    int found = it->reversed ? dict_previous_ref(dict, &pos, want_key, want_value)
                             : dict_next_ref(dict, &pos, want_key, want_value, NULL);
    if (!found) {
        iter_finish(it);
        return NULL;
    }
    __atomic_store_n(&it->base.di_place, dict_place_make(pos, 0), __ATOMIC_RELAXED);
    if (it->kind == DICT_ITER_KEYS)
        return key;
    if (it->kind == DICT_ITER_VALUES)
        return value;
    PyObject *pair[2] = {key, value};
    return tuple_from_array_steal(pair, 2);
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((odict_iter *)op)->base.di_dict);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((odict_iter *)op)->base.di_dict);
    return 0;
}

/* iter(list of what is left); the iterator itself does not move. */
static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    odict_iter *it = (odict_iter *)op;
    PyObject *list = NULL, *function = container_get_builtin("iter");
    if (function == NULL)
        return NULL;
    Py_ssize_t pos = dict_place_pos(__atomic_load_n(&it->base.di_place, __ATOMIC_RELAXED));
    if (pos < 0)
        list = PyList_New(0);
    else {
        odict_iter *copy = (odict_iter *)odict_iter_new((PyObject *)it->base.di_dict, it->kind, it->reversed);
        if (copy != NULL) {
            copy->base.di_place = dict_place_make(pos, 0);
            copy->state = it->state;
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
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyODictIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "odict_iterator",
    .tp_basicsize = sizeof(odict_iter),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = odict_iter_next,
    .tp_methods = iter_methods,
};

/* ---- Views ---- */

#define VIEW(Name, name, KIND) \
    static PyObject *name##_iter(PyObject *view) \
    { \
        PyDictObject *dict = ((PyDictViewObject *)view)->dv_dict; \
        return odict_iter_new((PyObject *)dict, KIND, 0); \
    } \
    static PyObject *name##_reversed(PyObject *view, PyObject *unused) \
    { \
        PyDictObject *dict = ((PyDictViewObject *)view)->dv_dict; \
        return odict_iter_new((PyObject *)dict, KIND, 1); \
    } \
    static PyMethodDef name##_methods[] = { \
        {"__reversed__", name##_reversed, METH_NOARGS, NULL}, \
        {NULL, NULL, 0, NULL}, \
    }; \
    PyTypeObject PyODict##Name##_Type = { \
        PyVarObject_HEAD_INIT(&PyType_Type, 0) \
        .tp_name = "odict_" #name, \
        .tp_iter = name##_iter, \
        .tp_methods = name##_methods, \
        .tp_base = &PyDict##Name##_Type, \
    }; \
    static PyObject *odict_##name(PyObject *self, PyObject *unused) \
    { \
        return _PyDictView_New(self, &PyODict##Name##_Type); \
    }

VIEW(Keys, keys, DICT_ITER_KEYS)
VIEW(Values, values, DICT_ITER_VALUES)
VIEW(Items, items, DICT_ITER_ITEMS)

static PyObject *odict_tp_iter(PyObject *self)
{
    return odict_iter_new(self, DICT_ITER_KEYS, 0);
}

static PyObject *odict_reversed(PyObject *self, PyObject *unused)
{
    return odict_iter_new(self, DICT_ITER_KEYS, 1);
}

/* ---- The type ---- */

static void odict_dealloc(PyObject *op)
{
    PyODictObject *self = (PyODictObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->od_weakreflist))
        PyObject_ClearWeakRefs(op);
    Py_CLEAR(self->od_inst_dict);
    dict_dealloc(op);
}

static int odict_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyODictObject *)op)->od_inst_dict);
    return dict_traverse(op, visit, arg);
}

static int odict_tp_clear(PyObject *op)
{
    Py_CLEAR(((PyODictObject *)op)->od_inst_dict);
    return dict_tp_clear(op);
}

static PyGetSetDef odict_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define WITH_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef odict_methods[] = {
    {"fromkeys", _PyCFunction_CAST(odict_fromkeys), WITH_KEYWORDS | METH_CLASS,
     "fromkeys($type, /, iterable, value=None)\n--\n\n"
     "Make an ordered dict with the keys of an iterable, all with the same value."},
    {"__sizeof__", odict_sizeof, METH_NOARGS, ""},
    {"__reduce__", odict_reduce, METH_NOARGS, "State for pickling."},
    {"setdefault", _PyCFunction_CAST(odict_setdefault), WITH_KEYWORDS,
     "setdefault($self, /, key, default=None)\n--\n\n"
     "Return the value under key; if there is none, store default and return it."},
    {"pop", _PyCFunction_CAST(odict_pop), WITH_KEYWORDS,
     "pop($self, /, key, default=<unrepresentable>)\n--\n\n"
     "Remove the item with that key and return its value.\n\n"
     "If there is none, return default if it is given, else raise KeyError."},
    {"popitem", _PyCFunction_CAST(odict_popitem), WITH_KEYWORDS,
     "popitem($self, /, last=True)\n--\n\n"
     "Remove the last item (or the first, if last is false) and return it as (key, value)."},
    {"keys", odict_keys, METH_NOARGS, ""},
    {"values", odict_values, METH_NOARGS, ""},
    {"items", odict_items, METH_NOARGS, ""},
    {"update", _PyCFunction_CAST(odict_update), METH_VARARGS | METH_KEYWORDS,
     "Store the items of a mapping, or of an iterable of pairs, then the keyword arguments."},
    {"clear", odict_clear, METH_NOARGS, "Remove all items."},
    {"copy", odict_copy, METH_NOARGS, "Return an ordered dict with the same items."},
    {"__reversed__", odict_reversed, METH_NOARGS, "Return an iterator over the keys, last one first."},
    {"move_to_end", _PyCFunction_CAST(odict_move_to_end), WITH_KEYWORDS,
     "move_to_end($self, /, key, last=True)\n--\n\n"
     "Make the item with that key the last one (or the first, if last is false); KeyError if there is none."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods odict_as_number = {
    .nb_or = odict_or,
    .nb_inplace_or = odict_ior,
};

/* Assignment is dict's own; the slot is there so that the subclass has the method in its own dict. */
static PyMappingMethods odict_as_mapping = {
    .mp_ass_subscript = dict_ass_subscript,
};

PyTypeObject PyODict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "collections.OrderedDict",
    .tp_basicsize = sizeof(PyODictObject),
    .tp_dealloc = odict_dealloc,
    .tp_repr = odict_repr,
    .tp_as_number = &odict_as_number,
    .tp_as_mapping = &odict_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DICT_SUBCLASS,
    .tp_doc = "A dict whose order can be changed, and counts when two of them are compared.",
    .tp_traverse = odict_traverse,
    .tp_clear = odict_tp_clear,
    .tp_richcompare = odict_richcompare,
    .tp_weaklistoffset = offsetof(PyODictObject, od_weakreflist),
    .tp_iter = odict_tp_iter,
    .tp_methods = odict_methods,
    .tp_getset = odict_getset,
    .tp_base = &PyDict_Type,
    .tp_dictoffset = offsetof(PyODictObject, od_inst_dict),
    .tp_init = odict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = odict_new,
    .tp_free = PyObject_GC_Del,
};
