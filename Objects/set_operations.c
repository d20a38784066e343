/* Set algebra: union, intersection, difference, comparison; building sets from any iterable. */
#include "set.h"
#include "dict.h"
#include "list.h"

/* A hashable stand-in: a set as a key is looked up by the frozenset of its members. */
PyObject *set_key_for_lookup(PyObject *key, Py_hash_t *hash)
{
    *hash = container_key_hash(key);
    if (*hash != -1)
        return Py_NewRef(key);
    if (!PySet_Check(key) || !PyErr_ExceptionMatches(PyExc_TypeError))
        return NULL;
    PyErr_Clear();
    PyObject *frozen = set_copy((PySetObject *)key, &PyFrozenSet_Type);
    if (frozen != NULL && (*hash = PyObject_Hash(frozen)) == -1)
        Py_CLEAR(frozen);
    return frozen;
}

/* ---- Filling ---- */

static int add_key(PySetObject *self, PyObject *key)
{
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : set_add_steal(self, Py_NewRef(key), hash);
}

static int update_from_set(PySetObject *self, PySetObject *other)
{
    struct set_snapshot snapshot;
    int result = 0;
    if (set_snapshot_take(other, &snapshot) < 0)
        return -1;
    if (snapshot.count > PySet_GET_SIZE(self)) {      /* grow once */
        int locked = container_lock(self);
        size_t want = (size_t)(self->used + snapshot.count);
        if (want * 5 >= self->table->mask * 3)
            result = set_resize_locked(self, want * 2);
        container_unlock(self, locked);
        if (result < 0)
            PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
        result = set_add_steal(self, Py_NewRef(snapshot.entries[i].key), snapshot.entries[i].hash);
    set_snapshot_free(&snapshot);
    return result;
}

static int update_from_dict(PySetObject *self, PyObject *dict)
{
    struct dict_snapshot snapshot;
    int result = 0;
    if (dict_snapshot_take(dict, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
        result = set_add_steal(self, Py_NewRef(snapshot.pairs[2 * i]), snapshot.hashes[i]);
    dict_snapshot_free(&snapshot);
    return result;
}

/* A list that no other thread changes; comparisons may. */
static int update_from_list(PySetObject *self, PyListObject *list)
{
    PyObject *key;
    for (Py_ssize_t i = 0; (key = list_read_item_ref(list, i)) != NULL; i++) {
        Py_hash_t hash = container_key_hash(key);
        if (hash == -1) {
            Py_DECREF(key);
            return -1;
        }
        if (set_add_steal(self, key, hash) < 0)
            return -1;
    }
    return 0;
}

int set_update(PySetObject *self, PyObject *iterable)
{
    if (PyAnySet_Check(iterable))
        return (PySetObject *)iterable == self ? 0 : update_from_set(self, (PySetObject *)iterable);
    if (PyDict_CheckExact(iterable))
        return update_from_dict(self, iterable);
    if (PyList_CheckExact(iterable) && !runtime_is_multi())
        return update_from_list(self, (PyListObject *)iterable);
    PyObject *key, *list, *iterator = NULL;
    if (list_from_shared(iterable, &list) >= 0)
        iterator = PyObject_GetIter(list != NULL ? list : iterable);
    Py_XDECREF(list);
    if (iterator == NULL)
        return -1;
    int result = 0;
    while (result == 0 && (key = PyIter_Next(iterator)) != NULL) {
        Py_hash_t hash = container_key_hash(key);
        if (hash == -1) {
            Py_DECREF(key);
            result = -1;
        }
        else
            result = set_add_steal(self, key, hash);
    }
    Py_DECREF(iterator);
    return result == 0 && PyErr_Occurred() ? -1 : result;
}

PyObject *set_make(PyTypeObject *type, PyObject *iterable)
{
    if (iterable != NULL && PyAnySet_CheckExact(iterable))
        return set_copy((PySetObject *)iterable, type);
    PySetObject *self = set_alloc(type);
    if (self != NULL && iterable != NULL && set_update(self, iterable) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *set_from_array(PyObject *const *items, Py_ssize_t n)
{
    PySetObject *self = set_alloc(&PySet_Type);
    for (Py_ssize_t i = 0; i < n && self != NULL; i++)
        if (add_key(self, items[i]) < 0)
            Py_CLEAR(self);
    return (PyObject *)self;
}

/* set or frozenset, whatever subclass self is of. */
static PyTypeObject *base_type(PySetObject *self)
{
    return PySet_Check(self) ? &PySet_Type : &PyFrozenSet_Type;
}

/* ---- Walking over any iterable with hashes ---- */

/* What to do with each key; returns 0 to go on, 1 to stop, -1 with an exception.  key is borrowed. */
typedef int (*visit_key)(void *context, PyObject *key, Py_hash_t hash);

static int for_each_key(PyObject *iterable, visit_key visit, void *context)
{
    int result = 0;
    if (PyAnySet_Check(iterable)) {
        struct set_snapshot snapshot;
        if (set_snapshot_take((PySetObject *)iterable, &snapshot) < 0)
            return -1;
        for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
            result = visit(context, snapshot.entries[i].key, snapshot.entries[i].hash);
        set_snapshot_free(&snapshot);
        return result;
    }
    if (PyDict_CheckExact(iterable)) {
        struct dict_snapshot snapshot;
        if (dict_snapshot_take(iterable, &snapshot) < 0)
            return -1;
        for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
            result = visit(context, snapshot.pairs[2 * i], snapshot.hashes[i]);
        dict_snapshot_free(&snapshot);
        return result;
    }
    PyObject *key, *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL)
        return -1;
    while (result == 0 && (key = PyIter_Next(iterator)) != NULL) {
        Py_hash_t hash = container_key_hash(key);
        result = hash == -1 ? -1 : visit(context, key, hash);
        Py_DECREF(key);
    }
    Py_DECREF(iterator);
    return result == 0 && PyErr_Occurred() ? -1 : result;
}

/* A set and where its results go. */
struct operands {
    PySetObject *left;          /* looked into */
    PySetObject *result;
    PyObject *other;
};

/* ---- Operations ---- */

PyObject *set_union(PySetObject *self, PyObject *other)
{
    PyObject *result = set_copy(self, base_type(self));
    if (result != NULL && set_update((PySetObject *)result, other) < 0)
        Py_CLEAR(result);
    return result;
}

static int keep_if_in_left(void *context, PyObject *key, Py_hash_t hash)
{
    struct operands *o = context;
    int found = set_contains_known_hash(o->left, key, hash);
    return found > 0 ? set_add_steal(o->result, Py_NewRef(key), hash) : found;
}

PyObject *set_intersection(PySetObject *self, PyObject *other)
{
    if ((PyObject *)self == other)
        return set_copy(self, base_type(self));
    struct operands o = {self, set_alloc(base_type(self)), other};
    if (o.result == NULL)
        return NULL;
    if (PyAnySet_Check(other) && PySet_GET_SIZE(other) > PySet_GET_SIZE(self)) {
        o.left = (PySetObject *)other;
        other = (PyObject *)self;
    }
    if (for_each_key(other, keep_if_in_left, &o) < 0)
        Py_CLEAR(o.result);
    return (PyObject *)o.result;
}

int set_intersection_update(PySetObject *self, PyObject *other)
{
    PyObject *result = set_intersection(self, other);
    if (result == NULL)
        return -1;
    set_take_contents(self, (PySetObject *)result);
    Py_DECREF(result);
    return 0;
}

static int remove_from_result(void *context, PyObject *key, Py_hash_t hash)
{
    struct operands *o = context;
    PyObject *removed = NULL;
    int found = set_remove_known_hash(o->result, key, hash, &removed);
    Py_XDECREF(removed);
    return found < 0 ? -1 : 0;
}

int set_difference_update(PySetObject *self, PyObject *other)
{
    if ((PyObject *)self == other)
        return set_clear(self);
    struct operands o = {NULL, self, other};
    return for_each_key(other, remove_from_result, &o) < 0 ? -1 : 0;
}

static int keep_if_not_in_other(void *context, PyObject *key, Py_hash_t hash)
{
    struct operands *o = context;
    int found = PyDict_CheckExact(o->other) ? _PyDict_Contains_KnownHash(o->other, key, hash)
                                            : set_contains_known_hash((PySetObject *)o->other, key, hash);
    if (found != 0)
        return found < 0 ? -1 : 0;
    return set_add_steal(o->result, Py_NewRef(key), hash);
}

PyObject *set_difference(PySetObject *self, PyObject *other)
{
    int searchable = PyAnySet_Check(other) || PyDict_CheckExact(other);
    /* Taking a few keys out of a copy is less work than looking all of ours up. */
    if (!searchable || (PySet_GET_SIZE(self) >> 2) > PyObject_Size(other)) {
        PyObject *result = set_copy(self, base_type(self));
        if (result != NULL && set_difference_update((PySetObject *)result, other) < 0)
            Py_CLEAR(result);
        return result;
    }
    struct operands o = {self, set_alloc(base_type(self)), other};
    if (o.result != NULL && for_each_key((PyObject *)self, keep_if_not_in_other, &o) < 0)
        Py_CLEAR(o.result);
    return (PyObject *)o.result;
}

static int toggle_in_result(void *context, PyObject *key, Py_hash_t hash)
{
    struct operands *o = context;
    PyObject *removed = NULL;
    int found = set_remove_known_hash(o->result, key, hash, &removed);
    Py_XDECREF(removed);
    if (found != 0)
        return found < 0 ? -1 : 0;
    return set_add_steal(o->result, Py_NewRef(key), hash);
}

int set_symmetric_difference_update(PySetObject *self, PyObject *other)
{
    if ((PyObject *)self == other)
        return set_clear(self);
    struct operands o = {NULL, self, other};
    if (PyAnySet_Check(other) || PyDict_CheckExact(other))
        return for_each_key(other, toggle_in_result, &o) < 0 ? -1 : 0;
    /* An iterable may name a key twice. */
    PyObject *once = set_make(base_type(self), other);
    if (once == NULL)
        return -1;
    int result = for_each_key(once, toggle_in_result, &o);
    Py_DECREF(once);
    return result < 0 ? -1 : 0;
}

PyObject *set_symmetric_difference(PySetObject *self, PyObject *other)
{
    PyObject *result = set_make(base_type(self), other);
    if (result != NULL && set_symmetric_difference_update((PySetObject *)result, (PyObject *)self) < 0)
        Py_CLEAR(result);
    return result;
}

/* ---- Relations ---- */

static int stop_if_not_in_left(void *context, PyObject *key, Py_hash_t hash)
{
    int found = set_contains_known_hash(((struct operands *)context)->left, key, hash);
    return found < 0 ? -1 : !found;
}

static int stop_if_in_left(void *context, PyObject *key, Py_hash_t hash)
{
    return set_contains_known_hash(((struct operands *)context)->left, key, hash);
}

int set_is_superset(PySetObject *self, PyObject *other)
{
    if (PyAnySet_Check(other) && PySet_GET_SIZE(other) > PySet_GET_SIZE(self))
        return 0;
    struct operands o = {self, NULL, other};
    int stopped = for_each_key(other, stop_if_not_in_left, &o);
    return stopped < 0 ? -1 : !stopped;
}

int set_is_subset(PySetObject *self, PyObject *other)
{
    if (PyAnySet_Check(other))
        return set_is_superset((PySetObject *)other, (PyObject *)self);
    PyObject *common = set_intersection(self, other);
    if (common == NULL)
        return -1;
    int result = PySet_GET_SIZE(common) == PySet_GET_SIZE(self);
    Py_DECREF(common);
    return result;
}

int set_is_disjoint(PySetObject *self, PyObject *other)
{
    if ((PyObject *)self == other)
        return PySet_GET_SIZE(self) == 0;
    if (PyAnySet_CheckExact(other) && PySet_GET_SIZE(other) > PySet_GET_SIZE(self)) {
        PyObject *swap = other;
        other = (PyObject *)self;
        self = (PySetObject *)swap;
    }
    struct operands o = {self, NULL, other};
    int stopped = for_each_key(other, stop_if_in_left, &o);
    return stopped < 0 ? -1 : !stopped;
}

static int equal_sets(PySetObject *a, PySetObject *b)
{
    if (PySet_GET_SIZE(a) != PySet_GET_SIZE(b))
        return 0;
    Py_hash_t left = __atomic_load_n(&a->hash, __ATOMIC_RELAXED), right = __atomic_load_n(&b->hash, __ATOMIC_RELAXED);
    if (left != -1 && right != -1 && left != right)
        return 0;
    return set_is_subset(a, (PyObject *)b);
}

PyObject *set_richcompare(PyObject *a, PyObject *b, int op)
{
    int result = 0;
    if (!PyAnySet_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PySetObject *left = (PySetObject *)a, *right = (PySetObject *)b;
    switch (op) {
    case Py_EQ:
    case Py_NE:
        result = equal_sets(left, right);
        if (op == Py_NE && result >= 0)
            result = !result;
        break;
    case Py_LE: result = set_is_subset(left, b); break;
    case Py_GE: result = set_is_superset(left, b); break;
    case Py_LT: result = PySet_GET_SIZE(left) < PySet_GET_SIZE(right) ? set_is_subset(left, b) : 0; break;
    case Py_GT: result = PySet_GET_SIZE(left) > PySet_GET_SIZE(right) ? set_is_superset(left, b) : 0; break;
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}
