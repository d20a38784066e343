/* The tables of dict: making, growing and changing them under the dict's lock; snapshots and lock-free walking. */
#include "dict.h"
#include "memory.h"
#include "../Python/memory/allocator.h"
#include "object_gc_inline.h"

/* An index slot that is EMPTY, and no room for entries. */
struct dict_static_keys dict_empty_keys = {
    .keys = {.id = 1, .entries = NULL, .log2_size = 0, .log2_width = 0, .is_static = 1},
    .index = {DICT_EMPTY, DICT_EMPTY, DICT_EMPTY, DICT_EMPTY, DICT_EMPTY, DICT_EMPTY, DICT_EMPTY, DICT_EMPTY},
};

#define MIN_LOG2_SIZE 3
#define MAX_LOG2_SIZE 40

/* Entries that an index of 2^log2 slots serves: two thirds of it. */
static inline Py_ssize_t usable_entries(int log2) { return (Py_ssize_t)((((size_t)1 << log2) << 1) / 3); }

static inline void index_put(PyDictKeysObject *keys, size_t slot, Py_ssize_t entry)
{
    /* Pairs with dict_index_get. */
    switch (keys->log2_width) {
    case 0: __atomic_store_n(dict_keys_index(keys) + slot, (int8_t)entry, __ATOMIC_RELEASE); break;
    case 1: __atomic_store_n((int16_t *)(void *)dict_keys_index(keys) + slot, (int16_t)entry, __ATOMIC_RELEASE); break;
    case 2: __atomic_store_n((int32_t *)(void *)dict_keys_index(keys) + slot, (int32_t)entry, __ATOMIC_RELEASE); break;
    default: __atomic_store_n((int64_t *)(void *)dict_keys_index(keys) + slot, (int64_t)entry, __ATOMIC_RELEASE); break;
    }
}
static size_t index_bytes(int log2_size, int log2_width)
{
    return (((size_t)1 << (log2_size + log2_width)) + 7) & ~(size_t)7;
}

PyDictKeysObject *dict_keys_alloc(Py_ssize_t n, Py_ssize_t gap)
{
    int log2 = MIN_LOG2_SIZE;
    while (usable_entries(log2) < n + gap)
        if (++log2 > MAX_LOG2_SIZE)
            return NULL;
    Py_ssize_t capacity = usable_entries(log2);
    int width = log2 < 8 ? 0 : log2 < 16 ? 1 : log2 < 32 ? 2 : 3;
    size_t index = index_bytes(log2, width);
    PyDictKeysObject *keys = mi_malloc(sizeof(PyDictKeysObject) + index + (size_t)capacity * sizeof(dict_entry));
    if (keys == NULL)
        return NULL;
    keys->id = container_next_id();
    keys->entries = (dict_entry *)(void *)(dict_keys_index(keys) + index);
    keys->log2_size = (uint8_t)log2;
    keys->log2_width = (uint8_t)width;
    keys->is_static = 0;
    keys->capacity = capacity;
    keys->count = keys->first = keys->top = keys->gap = gap;
    memset(dict_keys_index(keys), 0xFF, index);
    if (gap > 0)
        memset(keys->entries, 0, (size_t)gap * sizeof(dict_entry));
    return keys;
}

size_t dict_keys_bytes(const PyDictKeysObject *keys)
{
    if (keys->is_static)
        return 0;
    return sizeof(PyDictKeysObject) + index_bytes(keys->log2_size, keys->log2_width)
           + (size_t)keys->capacity * sizeof(dict_entry);
}

void dict_retire_keys_locked(PyDictObject *self, PyDictKeysObject *keys)
{
    if (!keys->is_static)
        memory_retire_or_free(object_is_private((PyObject *)self), keys, dict_keys_bytes(keys));
}

/* ---- Probing under the lock ---- */

/* The first slot on the way of hash that holds no entry. */
static inline size_t free_slot(const PyDictKeysObject *keys, Py_hash_t hash)
{
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    while (dict_index_get(keys, slot) >= 0) {
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    return slot;
}

/* The slot that holds that entry. */
static size_t slot_of_entry(const PyDictKeysObject *keys, Py_hash_t hash, Py_ssize_t entry)
{
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    while (dict_index_get(keys, slot) != entry) {
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    return slot;
}

/* ---- Changing ---- */

static inline void set_first(PyDictKeysObject *keys, Py_ssize_t first)
{
    __atomic_store_n(&keys->first, first, __ATOMIC_RELAXED);
}

int dict_resize_locked(PyDictObject *self, Py_ssize_t n, Py_ssize_t gap)
{
    PyDictKeysObject *old = self->ma_keys, *keys = dict_keys_alloc(n, gap);
    if (keys == NULL)
        return -1;
    Py_ssize_t to = gap;
    for (Py_ssize_t i = old->first; i < old->top; i++) {
        dict_entry *from = &old->entries[i];
        if (from->value == NULL)
            continue;
        keys->entries[to] = *from;
        index_put(keys, free_slot(keys, from->hash), to);
        to++;
    }
    keys->count = keys->top = to;
    dict_touch_locked(self);
    __atomic_store_n(&self->ma_keys, keys, __ATOMIC_RELEASE);       /* pairs with the readers' acquire */
    dict_retire_keys_locked(self, old);
    return 0;
}

/* Room for one more entry behind the last. */
static int make_room(PyDictObject *self)
{
    PyDictKeysObject *keys = self->ma_keys;
    if (keys->count < keys->capacity)
        return 0;
    Py_ssize_t used = self->ma_used;
    if (used > PY_SSIZE_T_MAX / 64)
        return -1;
    /* A full table doubles; one with many dead entries keeps its size, or shrinks. */
    return dict_resize_locked(self, used * 2, 0);
}

int dict_insert_new_locked(PyDictObject *self, PyObject *key, Py_hash_t hash, PyObject *value)
{
    if (make_room(self) < 0)
        return -1;
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t i = keys->count;
    dict_entry *entry = &keys->entries[i];
    dict_touch_locked(self);
    object_publish(key);
    object_publish(value);
    __atomic_store_n(&entry->hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->key, key, __ATOMIC_RELEASE);
    __atomic_store_n(&entry->value, value, __ATOMIC_RELEASE);
    __atomic_store_n(&keys->count, i + 1, __ATOMIC_RELEASE);
    keys->top = i + 1;
    index_put(keys, free_slot(keys, hash), i);
    dict_set_used(self, self->ma_used + 1);
    return 0;
}

void dict_remove_entry_locked(PyDictObject *self, Py_ssize_t i, PyObject **key, PyObject **value)
{
    PyDictKeysObject *keys = self->ma_keys;
    dict_entry *entry = &keys->entries[i];
    dict_touch_locked(self);
    *key = entry->key;
    *value = entry->value;
    index_put(keys, slot_of_entry(keys, entry->hash, i), DICT_DUMMY);
    __atomic_store_n(&entry->value, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&entry->key, NULL, __ATOMIC_RELEASE);
    dict_set_used(self, self->ma_used - 1);
    if (i == keys->first)
        set_first(keys, i + 1);
    if (i + 1 == keys->top)
        keys->top = i;
    if (self->ma_used == 0) {
        set_first(keys, keys->count);
        keys->top = keys->count;
    }
}

Py_ssize_t dict_first_entry_locked(PyDictObject *self)
{
    PyDictKeysObject *keys = self->ma_keys;
    for (Py_ssize_t i = keys->first; i < keys->top; i++)
        if (keys->entries[i].value != NULL) {
            set_first(keys, i);
            return i;
        }
    return -1;
}

Py_ssize_t dict_last_entry_locked(PyDictObject *self)
{
    PyDictKeysObject *keys = self->ma_keys;
    for (; keys->top > keys->first; keys->top--)
        if (keys->entries[keys->top - 1].value != NULL)
            return keys->top - 1;
    return -1;
}

int dict_move_entry_locked(PyDictObject *self, Py_ssize_t i, int last)
{
    if (i == (last ? dict_last_entry_locked(self) : dict_first_entry_locked(self)))
        return 0;
    PyDictKeysObject *keys = self->ma_keys;
    Py_hash_t hash = keys->entries[i].hash;
    PyObject *key = keys->entries[i].key;
    Py_ssize_t used = self->ma_used;
    if (last ? keys->count == keys->capacity : keys->gap == 0) {
        if (dict_resize_locked(self, used + used / 2 + 8, last ? 0 : used / 2 + 4) < 0)
            return -1;
        keys = self->ma_keys;
        for (i = keys->first; keys->entries[i].key != key; i++)
            ;
    }
    dict_touch_locked(self);
    Py_ssize_t to = last ? keys->count : keys->gap - 1;
    dict_entry *from = &keys->entries[i], *entry = &keys->entries[to];
    __atomic_store_n(&entry->hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->key, key, __ATOMIC_RELEASE);
    __atomic_store_n(&entry->value, from->value, __ATOMIC_RELEASE);
    if (last) {
        keys->top = to + 1;
        __atomic_store_n(&keys->count, to + 1, __ATOMIC_RELEASE);
    }
    index_put(keys, slot_of_entry(keys, hash, i), to);
    __atomic_store_n(&from->value, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&from->key, NULL, __ATOMIC_RELEASE);
    if (last && i == keys->first)
        set_first(keys, i + 1);
    if (!last) {
        keys->gap = to;
        set_first(keys, to);
        if (i + 1 == keys->top)
            keys->top = i;
    }
    return 0;
}

PyDictKeysObject *dict_keys_clone_locked(PyDictObject *self)
{
    PyDictKeysObject *old = self->ma_keys;
    if (self->ma_used == 0)
        return DICT_EMPTY_KEYS;
    size_t bytes = dict_keys_bytes(old), head = (size_t)((char *)old->entries - (char *)old);
    PyDictKeysObject *keys = mi_malloc(bytes);
    if (keys == NULL)
        return NULL;
    memcpy(keys, old, head + (size_t)old->count * sizeof(dict_entry));
    keys->id = container_next_id();
    keys->entries = (dict_entry *)(void *)((char *)keys + head);
    for (Py_ssize_t i = keys->first; i < keys->top; i++) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        Py_INCREF(entry->key);
        Py_INCREF(entry->value);
    }
    return keys;
}

/* ---- Snapshots ---- */

int dict_snapshot_take(PyObject *op, struct dict_snapshot *snapshot)
{
    PyDictObject *self = (PyDictObject *)op;
    int locked = container_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t used = self->ma_used, n = 0;
    snapshot->pairs = snapshot->room;
    snapshot->hashes = snapshot->hash_room;
    if (used > 8) {
        snapshot->pairs = mi_malloc((size_t)used * (2 * sizeof(PyObject *) + sizeof(Py_hash_t)));
        snapshot->hashes = (Py_hash_t *)(void *)(snapshot->pairs + 2 * used);
    }
    if (snapshot->pairs != NULL)
        for (Py_ssize_t i = keys->first; i < keys->top; i++) {
            dict_entry *entry = &keys->entries[i];
            if (entry->value == NULL)
                continue;
            snapshot->pairs[2 * n] = Py_NewRef(entry->key);
            snapshot->pairs[2 * n + 1] = Py_NewRef(entry->value);
            snapshot->hashes[n++] = entry->hash;
        }
    container_unlock(self, locked);
    snapshot->count = n;
    if (snapshot->pairs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void dict_snapshot_free(struct dict_snapshot *snapshot)
{
    for (Py_ssize_t i = 0; i < 2 * snapshot->count; i++)
        Py_DECREF(snapshot->pairs[i]);
    if (snapshot->pairs != snapshot->room)
        mi_free(snapshot->pairs);
}

/* ---- Walking without the lock ---- */

/* References to entry's key and value (as asked for). 1; 0: the entry is dead; -1: look again under the lock. */
static inline int entry_refs(dict_entry *entry, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    PyObject *k = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
    PyObject *v = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
    if (k == NULL || v == NULL)
        return 0;
    if (key != NULL && !object_try_incref(k))
        return -1;
    if (value != NULL && !object_try_incref(v)) {
        if (key != NULL)
            Py_DECREF(k);
        return -1;
    }
    if (key != NULL)
        *key = k;
    if (value != NULL)
        *value = v;
    if (hash != NULL)
        *hash = __atomic_load_n(&entry->hash, __ATOMIC_RELAXED);
    return 1;
}

static int next_locking(PyDictObject *self, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash, int step)
{
    int found = 0;
    int locked = container_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t i = *pos;
    if (step < 0 && i >= keys->count)
        i = keys->count - 1;
    for (; i >= 0 && i < keys->count && !found; i += step) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        found = 1;
        if (key != NULL)
            *key = Py_NewRef(entry->key);
        if (value != NULL)
            *value = Py_NewRef(entry->value);
        if (hash != NULL)
            *hash = entry->hash;
    }
    *pos = i;
    container_unlock(self, locked);
    return found;
}

int dict_next_ref(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    PyDictObject *self = (PyDictObject *)op;
    container_pass_gate(self);
    PyDictKeysObject *keys = __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE);
    Py_ssize_t n = __atomic_load_n(&keys->count, __ATOMIC_ACQUIRE), i = *pos;
    if (i < 0)
        return 0;
    Py_ssize_t first = __atomic_load_n(&keys->first, __ATOMIC_RELAXED);
    if (i < first)
        i = first;
    for (; i < n; i++) {
        int found = entry_refs(&keys->entries[i], key, value, hash);
        if (found < 0) {
            *pos = i;
            return next_locking(self, pos, key, value, hash, 1);
        }
        if (found) {
            *pos = i + 1;
            return 1;
        }
    }
    *pos = i;
    return 0;
}

int dict_previous_ref(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    PyDictObject *self = (PyDictObject *)op;
    container_pass_gate(self);
    PyDictKeysObject *keys = __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE);
    Py_ssize_t n = __atomic_load_n(&keys->count, __ATOMIC_ACQUIRE), i = *pos;
    for (i = i < n ? i : n - 1; i >= 0; i--) {
        int found = entry_refs(&keys->entries[i], key, value, NULL);
        if (found < 0) {
            *pos = i;
            return next_locking(self, pos, key, value, NULL, -1);
        }
        if (found) {
            *pos = i - 1;
            return 1;
        }
    }
    *pos = i;
    return 0;
}

/* The caller holds a critical section on op or is alone with it. */
int _PyDict_Next(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    if (!PyDict_Check(op))
        return 0;
    PyDictKeysObject *keys = ((PyDictObject *)op)->ma_keys;
    Py_ssize_t i = *pos;
    if (i < 0)
        return 0;
    if (i < keys->first)
        i = keys->first;
    for (; i < keys->top; i++) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        *pos = i + 1;
        if (key != NULL)
            *key = entry->key;
        if (value != NULL)
            *value = entry->value;
        if (hash != NULL)
            *hash = entry->hash;
        return 1;
    }
    return 0;
}

int PyDict_Next(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    return _PyDict_Next(op, pos, key, value, NULL);
}

/* ---- Life ---- */

static PyDictKeysObject *keys_for(Py_ssize_t n)
{
    return n > 0 ? dict_keys_alloc(n, 0) : DICT_EMPTY_KEYS;
}

PyObject *_PyDict_NewPresized(Py_ssize_t min_used)
{
    PyDictKeysObject *keys = keys_for(min_used);
    PyDictObject *self = keys != NULL ? PyObject_GC_New(PyDictObject, &PyDict_Type) : NULL;
    if (self == NULL) {
        if (keys == NULL)
            PyErr_NoMemory();
        else if (!keys->is_static)
            mi_free(keys);
        return NULL;
    }
    self->ma_used = 0;
    self->ma_keys_version = 0;
    self->ma_keys = keys;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *PyDict_New(void)
{
    return _PyDict_NewPresized(0);
}

static void drop_entries(PyDictKeysObject *keys)
{
    for (Py_ssize_t i = keys->first; i < keys->top; i++) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        Py_DECREF(entry->key);
        Py_DECREF(entry->value);
    }
}

void PyDict_Clear(PyObject *op)
{
    if (!PyDict_Check(op))
        return;
    PyDictObject *self = (PyDictObject *)op;
    int locked = container_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    int is_private = object_is_private(op);
    dict_touch_locked(self);
    dict_set_used(self, 0);
    __atomic_store_n(&self->ma_keys, DICT_EMPTY_KEYS, __ATOMIC_RELEASE);
    container_unlock(self, locked);
    if (!keys->is_static) {
        drop_entries(keys);
        memory_retire_or_free(is_private, keys, dict_keys_bytes(keys));
    }
}

int dict_tp_clear(PyObject *self)
{
    PyDict_Clear(self);
    return 0;
}

int dict_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyDictKeysObject *keys = ((PyDictObject *)op)->ma_keys;
    if (keys == NULL)           /* allocated, not yet through dict.__new__ */
        return 0;
    for (Py_ssize_t i = keys->first; i < keys->top; i++) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        Py_VISIT(entry->key);
        Py_VISIT(entry->value);
    }
    return 0;
}

/* A published dict keeps its table until its own memory is handed back (rule 2.4). */
void dict_dealloc(PyObject *op)
{
    PyDictObject *self = (PyDictObject *)op;
    PyObject_GC_UnTrack(op);
    PyDictKeysObject *keys = self->ma_keys;
    if (keys != NULL && !keys->is_static) {
        if (self->ma_used != 0)
            drop_entries(keys);
        memory_retire_or_free(!object_is_published(op), keys, dict_keys_bytes(keys));
    }
    Py_TYPE(op)->tp_free(op);
}
