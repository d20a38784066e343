/* Whole dicts: copying, merging, comparing, building from other data. */
#include "dict.h"
#include "list.h"
#include "set.h"
#include "../Python/memory/allocator.h"

/* A dict or OrderedDict, or a subclass that iterates as dict does: its table may be read directly. */
static int is_plain_mapping(PyObject *op)
{
    return PyDict_Check(op) && (PyDict_CheckExact(op) || PyODict_CheckExact(op) || Py_TYPE(op)->tp_iter == dict_iter);
}

/* ---- Copying ---- */

/* Gives the empty dict self a copy of other's table. 1: done; 0: not possible this way; -1: MemoryError. */
static int adopt_copy(PyDictObject *self, PyDictObject *other)
{
    PyDictKeysObject *keys = NULL;
    Py_ssize_t used;
    int result = 0;
    int locked = dict_lock(other);
    used = other->ma_used;
    if (used * 2 >= other->ma_keys->count) {            /* few dead entries: worth keeping the layout */
        keys = dict_keys_clone_locked(other);
        result = keys == NULL ? -1 : 1;
    }
    container_unlock(other, locked);
    if (result <= 0) {
        if (result < 0)
            PyErr_NoMemory();
        return result;
    }
    locked = dict_lock(self);
    PyDictKeysObject *old = self->ma_keys;
    if (self->ma_used == 0) {
        dict_touch_locked(self);
        if (dict_is_open(self))
            dict_publish_entries(keys);         /* other may be closed */
        __atomic_store_n(&self->ma_keys, keys, __ATOMIC_RELEASE);
        dict_set_used(self, used);
        dict_retire_keys_locked(self, old);
        keys = NULL;
    }
    container_unlock(self, locked);
    if (keys == NULL)
        return 1;
    /* Somebody has filled self meanwhile. */
    for (Py_ssize_t i = keys->first; i < keys->top; i++)
        if (keys->entries[i].value != NULL) {
            Py_DECREF(keys->entries[i].key);
            Py_DECREF(keys->entries[i].value);
        }
    if (!keys->is_static)
        block_free(keys);
    return 0;
}

/* ---- Merging ---- */

/* Stores one pair as `override` says: 1 replace, 0 keep, 2 duplicates are KeyError. */
static int merge_pair(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value, int override)
{
    if (override != 1) {
        int there = _PyDict_Contains_KnownHash(dict, key, hash);
        if (there < 0)
            return -1;
        if (there) {
            if (override == 0)
                return 0;
            dict_set_key_error(key);
            return -1;
        }
    }
    return dict_set_steal(dict, key, hash, Py_NewRef(value));
}

/* Room for that many more items, so that merging grows the table once at most. */
static int reserve(PyDictObject *self, Py_ssize_t more)
{
    int result = 0;
    int locked = dict_lock(self);
    Py_ssize_t free_entries = self->ma_keys->capacity - self->ma_keys->count;
    if (free_entries < more && more > self->ma_used / 2)
        result = dict_resize_locked(self, self->ma_used + more, 0);
    container_unlock(self, locked);
    if (result < 0)
        PyErr_NoMemory();
    return result;
}

static int merge_live(PyObject *dict, PyObject *other, int override)
{
    PyObject *key, *value;
    Py_hash_t hash;
    Py_ssize_t pos = 0, used = PyDict_GET_SIZE(other);
    while (dict_next_ref(other, &pos, &key, &value, &hash)) {
        int result = merge_pair(dict, key, hash, value, override);
        Py_DECREF(key);
        Py_DECREF(value);
        if (result < 0)
            return -1;
        if (used != PyDict_GET_SIZE(other)) {
            PyErr_SetString(PyExc_RuntimeError, "dict mutated during update");
            return -1;
        }
    }
    return 0;
}

static int merge_plain(PyObject *dict, PyObject *other, int override)
{
    Py_ssize_t more = PyDict_GET_SIZE(other);
    if (other == dict || more == 0)
        return 0;
    if (PyDict_GET_SIZE(dict) == 0) {
        int done = adopt_copy((PyDictObject *)dict, (PyDictObject *)other);
        if (done != 0)
            return done < 0 ? -1 : 0;
    }
    if (reserve((PyDictObject *)dict, more) < 0)
        return -1;
    if (!runtime_is_multi() || object_is_private(other))
        return merge_live(dict, other, override);
    struct dict_snapshot snapshot;
    int result = 0;
    if (dict_snapshot_take(other, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
        result = merge_pair(dict, snapshot.pairs[2 * i], snapshot.hashes[i], snapshot.pairs[2 * i + 1], override);
    dict_snapshot_free(&snapshot);
    return result;
}

static int merge_mapping(PyObject *dict, PyObject *other, int override)
{
    PyObject *key, *iterator = NULL, *keys = PyMapping_Keys(other);
    int result = -1;
    if (keys == NULL || (iterator = PyObject_GetIter(keys)) == NULL)
        goto done;
    while ((key = PyIter_Next(iterator)) != NULL) {
        int failed = 1;
        Py_hash_t hash = container_key_hash(key);
        int there = hash == -1 ? -1 : override == 1 ? 0 : _PyDict_Contains_KnownHash(dict, key, hash);
        if (there > 0) {
            if (override == 2)
                dict_set_key_error(key);
            failed = override == 2;
        }
        else if (there == 0) {
            PyObject *value = PyObject_GetItem(other, key);
            failed = value == NULL || dict_set_steal(dict, key, hash, value) < 0;
        }
        Py_DECREF(key);
        if (failed)
            goto done;
    }
    result = PyErr_Occurred() ? -1 : 0;
done:
    Py_XDECREF(iterator);
    Py_XDECREF(keys);
    return result;
}

int dict_merge(PyObject *dict, PyObject *other, int override)
{
    if (dict == NULL || !PyDict_Check(dict) || other == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *behind = dict_behind_proxies_borrowed(other);     /* a class's __dict__ is taken as it is at one moment, too */
    if (behind != other && !PyDict_CheckExact(behind))
        behind = other;
    return is_plain_mapping(behind) ? merge_plain(dict, behind, override) : merge_mapping(dict, other, override);
}

int PyDict_Merge(PyObject *dict, PyObject *other, int override) { return dict_merge(dict, other, override != 0); }
int PyDict_Update(PyObject *dict, PyObject *other) { return dict_merge(dict, other, 1); }
int _PyDict_MergeEx(PyObject *dict, PyObject *other, int override) { return dict_merge(dict, other, override); }
int dict_merge_unique(PyObject *dict, PyObject *other) { return dict_merge(dict, other, 2); }

int PyDict_MergeFromSeq2(PyObject *dict, PyObject *seq2, int override)
{
    PyObject *item, *pair = NULL, *iterator = PyObject_GetIter(seq2);
    int result = -1;
    if (iterator == NULL)
        return -1;
    for (Py_ssize_t i = 0; (item = PyIter_Next(iterator)) != NULL; i++) {
        pair = PySequence_Tuple(item);
        Py_DECREF(item);
        if (pair == NULL) {
            if (PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_Format(PyExc_TypeError, "cannot convert dictionary update sequence element #%zd to a sequence", i);
            goto done;
        }
        if (PyTuple_GET_SIZE(pair) != 2) {
            PyErr_Format(PyExc_ValueError, "dictionary update sequence element #%zd has length %zd; 2 is required", i,
                         PyTuple_GET_SIZE(pair));
            goto done;
        }
        PyObject *key = PyTuple_GET_ITEM(pair, 0);
        Py_hash_t hash = container_key_hash(key);
        if (hash == -1 || merge_pair(dict, key, hash, PyTuple_GET_ITEM(pair, 1), override != 0) < 0)
            goto done;
        Py_CLEAR(pair);
    }
    result = PyErr_Occurred() ? -1 : 0;
done:
    Py_XDECREF(pair);
    Py_DECREF(iterator);
    return result;
}

/* ---- Making ---- */

PyObject *PyDict_Copy(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *copy = PyDict_New();
    if (copy != NULL && merge_plain(copy, op, 1) < 0)
        Py_CLEAR(copy);
    return copy;
}

PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_stride, PyObject *const *values, Py_ssize_t value_stride,
                          Py_ssize_t n)
{
    PyObject *dict = _PyDict_NewPresized(n);
    for (Py_ssize_t i = 0; i < n && dict != NULL; i++) {
        PyObject *key = keys[i * key_stride];
        Py_hash_t hash = container_key_hash(key);
        if (hash == -1 || dict_set_steal(dict, key, hash, Py_NewRef(values[i * value_stride])) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}

/* The keys of a dict or set come with their hashes. */
static int from_hashed_keys(PyObject *dict, PyObject *iterable, PyObject *value)
{
    Py_ssize_t position = 0;
    PyObject *key;
    Py_hash_t hash;
    int is_dict = PyDict_CheckExact(iterable), result = 0;
    if (reserve((PyDictObject *)dict, is_dict ? PyDict_GET_SIZE(iterable) : PySet_GET_SIZE(iterable)) < 0)
        return -1;
    while (result == 0 && (is_dict ? dict_next_ref(iterable, &position, &key, NULL, &hash)
                                   : set_next_ref((PySetObject *)iterable, &position, &key, &hash))) {
        result = _PyDict_SetItem_KnownHash(dict, key, value, hash);
        Py_DECREF(key);
    }
    return result;
}

PyObject *_PyDict_FromKeys(PyObject *cls, PyObject *iterable, PyObject *value)
{
    PyObject *key, *iterator = NULL, *dict = PyObject_CallNoArgs(cls);
    if (dict == NULL)
        return NULL;
    int exact = PyDict_CheckExact(dict);
    if (exact && !runtime_is_multi() && (PyDict_CheckExact(iterable) || PyAnySet_CheckExact(iterable))) {
        if (from_hashed_keys(dict, iterable, value) < 0)
            goto failed;
        return dict;
    }
    PyObject *list;
    if (list_from_shared(iterable, &list) >= 0)
        iterator = PyObject_GetIter(list != NULL ? list : iterable);
    Py_XDECREF(list);
    if (iterator == NULL)
        goto failed;
    while ((key = PyIter_Next(iterator)) != NULL) {
        int result = exact ? PyDict_SetItem(dict, key, value) : PyObject_SetItem(dict, key, value);
        Py_DECREF(key);
        if (result < 0)
            goto failed;
    }
    if (PyErr_Occurred())
        goto failed;
    Py_DECREF(iterator);
    return dict;
failed:
    Py_XDECREF(iterator);
    Py_DECREF(dict);
    return NULL;
}

/* ---- Comparing ---- */

/* Does b hold an equal value under that key? */
static int has_equal_item(PyObject *b, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyObject *other;
    int equal = dict_lookup_ref(b, key, hash, &other);
    if (equal <= 0)
        return equal;
    equal = container_equal_racy(value, other);
    if (equal < 0)
        equal = PyObject_RichCompareBool(value, other, Py_EQ);
    Py_DECREF(other);
    return equal;
}

int dict_equal(PyObject *a, PyObject *b)
{
    int equal = 1;
    if (PyDict_GET_SIZE(a) != PyDict_GET_SIZE(b))
        return 0;
    if (!runtime_is_multi() || object_is_private(a)) {
        PyObject *key, *value;
        Py_hash_t hash;
        Py_ssize_t pos = 0;
        while (equal == 1 && dict_next_ref(a, &pos, &key, &value, &hash)) {
            equal = has_equal_item(b, key, hash, value);
            Py_DECREF(key);
            Py_DECREF(value);
        }
        return equal;
    }
    struct dict_snapshot snapshot;
    if (dict_snapshot_take(a, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && equal == 1; i++)
        equal = has_equal_item(b, snapshot.pairs[2 * i], snapshot.hashes[i], snapshot.pairs[2 * i + 1]);
    dict_snapshot_free(&snapshot);
    return equal;
}

PyObject *dict_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyDict_Check(a) || !PyDict_Check(b) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    int equal = dict_equal(a, b);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

/* ---- Small services ---- */

PyObject *PyDict_Keys(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    struct dict_snapshot snapshot;
    if (dict_snapshot_take(op, &snapshot) < 0)
        return NULL;
    PyObject *list = PyList_New(snapshot.count);
    for (Py_ssize_t i = 0; list != NULL && i < snapshot.count; i++)
        PyList_SET_ITEM(list, i, Py_NewRef(snapshot.pairs[2 * i]));
    dict_snapshot_free(&snapshot);
    return list;
}

PyObject *PyDict_Values(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    struct dict_snapshot snapshot;
    if (dict_snapshot_take(op, &snapshot) < 0)
        return NULL;
    PyObject *list = PyList_New(snapshot.count);
    for (Py_ssize_t i = 0; list != NULL && i < snapshot.count; i++)
        PyList_SET_ITEM(list, i, Py_NewRef(snapshot.pairs[2 * i + 1]));
    dict_snapshot_free(&snapshot);
    return list;
}

PyObject *PyDict_Items(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    struct dict_snapshot snapshot;
    if (dict_snapshot_take(op, &snapshot) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < snapshot.count; i++) {
        PyObject *pair = _PyTuple_FromArray(&snapshot.pairs[2 * i], 2);
        if (pair == NULL || list_append_steal((PyListObject *)list, pair) < 0)
            Py_CLEAR(list);
    }
    dict_snapshot_free(&snapshot);
    return list;
}

int _PyDict_HasOnlyStringKeys(PyObject *dict)
{
    PyObject *key;
    Py_ssize_t pos = 0;
    int only = 1;
    while (only && dict_next_ref(dict, &pos, &key, NULL, NULL)) {
        only = PyUnicode_Check(key);
        Py_DECREF(key);
    }
    return only;
}

Py_ssize_t _PyDict_SizeOf(PyDictObject *self)
{
    int locked = dict_lock(self);
    size_t bytes = (size_t)Py_TYPE(self)->tp_basicsize + dict_keys_bytes(self->ma_keys);
    container_unlock(self, locked);
    return (Py_ssize_t)bytes;
}

int _PyDict_ContainsId(PyObject *dict, struct _Py_Identifier *id)
{
    PyObject *key = _PyUnicode_FromId(id);
    return key == NULL ? -1 : PyDict_Contains(dict, key);
}

void _PyDict_MaybeUntrack(PyObject *dict)
{
}

void _PyDict_DebugMallocStats(FILE *out)
{
    fputs("dict: no free list\n", out);
}
