/* The tables of dict: making, growing and changing them under the dict's lock; snapshots and lock-free walking. */
#include "dict_insert.h"
#include "frame.h"
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

static inline size_t index_bytes(int log2_size, int log2_width)
{
    return (((size_t)1 << (log2_size + log2_width)) + 7) & ~(size_t)7;
}

static inline Py_ALWAYS_INLINE void keys_init(PyDictKeysObject *keys, int log2, int width, size_t index, Py_ssize_t capacity)
{
    keys->id = container_next_id();
    keys->entries = (dict_entry *)(void *)(dict_keys_index(keys) + index);
    keys->log2_size = (uint8_t)log2;
    keys->log2_width = (uint8_t)width;
    keys->is_static = 0;
    keys->capacity = capacity;
    memset(dict_keys_index(keys), 0xFF, index);
}

/* The smallest table. */
static inline Py_ALWAYS_INLINE PyDictKeysObject *keys_alloc_small(void)
{
    const Py_ssize_t capacity = usable_entries(MIN_LOG2_SIZE);
    const size_t index = index_bytes(MIN_LOG2_SIZE, 0);
    PyDictKeysObject *keys = block_malloc(sizeof(PyDictKeysObject) + index + (size_t)capacity * sizeof(dict_entry));
    if (Py_LIKELY(keys != NULL)) {
        keys_init(keys, MIN_LOG2_SIZE, 0, index, capacity);
        keys->count = keys->first = keys->top = keys->gap = 0;
    }
    return keys;
}

PyDictKeysObject *dict_keys_alloc(Py_ssize_t n, Py_ssize_t gap)
{
    if (gap == 0 && n <= usable_entries(MIN_LOG2_SIZE))
        return keys_alloc_small();
    int log2 = MIN_LOG2_SIZE;
    while (usable_entries(log2) < n + gap)
        if (++log2 > MAX_LOG2_SIZE)
            return NULL;
    Py_ssize_t capacity = usable_entries(log2);
    int width = log2 < 8 ? 0 : log2 < 16 ? 1 : log2 < 32 ? 2 : 3;
    size_t index = index_bytes(log2, width);
    PyDictKeysObject *keys = block_malloc(sizeof(PyDictKeysObject) + index + (size_t)capacity * sizeof(dict_entry));
    if (keys == NULL)
        return NULL;
    keys_init(keys, log2, width, index, capacity);
    keys->count = keys->first = keys->top = keys->gap = gap;
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
        memory_retire_or_free(dict_is_closed(self), keys, dict_keys_bytes(keys));
}

/* ---- The gate ---- */

void dict_publish_entries(PyDictKeysObject *keys)
{
    for (Py_ssize_t i = keys->first; i < keys->top; i++) {
        dict_entry *entry = &keys->entries[i];
        if (entry->value == NULL)
            continue;
        object_publish(entry->key);
        object_publish(entry->value);
    }
}

void dict_open_locked(PyDictObject *self)
{
    if (self->ma_keys != NULL)          /* NULL: allocated, not yet through dict.__new__ */
        dict_publish_entries(self->ma_keys);
    object_publish((PyObject *)self);
    if (self->ma_keys_version == 0)
        __atomic_store_n(&self->ma_keys_version, DICT_OPEN, __ATOMIC_RELEASE);      /* pairs with dict_is_open */
}

/* ---- Probing under the lock ---- */

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
        dict_index_put(keys, dict_free_slot(keys, from->hash), to);
        to++;
    }
    keys->count = keys->top = to;
    dict_touch_locked(self);
    __atomic_store_n(&self->ma_keys, keys, __ATOMIC_RELEASE);       /* pairs with the readers' acquire */
    dict_retire_keys_locked(self, old);
    return 0;
}

int dict_make_room_locked(PyDictObject *self)
{
    Py_ssize_t used = self->ma_used;
    if (used > PY_SSIZE_T_MAX / 64)
        return -1;
    /* A full table doubles; one with many dead entries keeps its size, or shrinks. */
    return dict_resize_locked(self, used * 2, 0);
}

int dict_insert_new_locked(PyDictObject *self, PyObject *key, Py_hash_t hash, PyObject *value)
{
    return dict_insert_at_locked(self, key, hash, value, -1);
}

void dict_remove_entry_locked(PyDictObject *self, Py_ssize_t i, PyObject **key, PyObject **value)
{
    PyDictKeysObject *keys = self->ma_keys;
    dict_entry *entry = &keys->entries[i];
    dict_touch_locked(self);
    *key = entry->key;
    *value = entry->value;
    dict_index_put(keys, slot_of_entry(keys, entry->hash, i), DICT_DUMMY);
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
    dict_index_put(keys, slot_of_entry(keys, hash, i), to);
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
    PyDictKeysObject *keys = block_malloc(bytes);
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
    int locked = dict_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t used = self->ma_used, n = 0;
    snapshot->pairs = snapshot->room;
    snapshot->hashes = snapshot->hash_room;
    if (used > 8) {
        snapshot->pairs = block_malloc((size_t)used * (2 * sizeof(PyObject *) + sizeof(Py_hash_t)));
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
        block_free(snapshot->pairs);
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
    int locked = dict_lock(self);
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
    dict_pass_gate(self);
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
    dict_pass_gate(self);
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

int dict_next_borrowed(PyDictObject *self, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    PyDictKeysObject *keys = self->ma_keys;
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

/* The caller holds a critical section on op or is alone with it; a table that it reads without either is at least not freed at once. */
int _PyDict_Next(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    if (!PyDict_Check(op))
        return 0;
    dict_pass_gate((PyDictObject *)op);
    return dict_next_borrowed((PyDictObject *)op, pos, key, value, hash);
}

int PyDict_Next(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    return _PyDict_Next(op, pos, key, value, NULL);
}

/* ---- Life ---- */

/* Takes over keys if it succeeds. */
static inline Py_ALWAYS_INLINE PyObject *new_with_keys(PyDictKeysObject *keys)
{
    PyDictObject *self = (PyDictObject *)object_new_gc_tracked(&PyDict_Type, sizeof(PyDictObject));
    if (Py_UNLIKELY(self == NULL))
        return NULL;
    self->ma_used = 0;
    self->ma_keys_version = 0;
    self->ma_keys = keys;
    return (PyObject *)self;
}

PyObject *PyDict_New(void) { return new_with_keys(DICT_EMPTY_KEYS); }

PyObject *_PyDict_NewPresized(Py_ssize_t min_used)
{
    if (min_used <= 0)
        return PyDict_New();
    PyDictKeysObject *keys = dict_keys_alloc(min_used, 0);
    if (keys == NULL)
        return PyErr_NoMemory();
    PyObject *self = new_with_keys(keys);
    if (self == NULL)
        block_free(keys);
    return self;
}

PyDictObject *dict_new_unseen(Py_ssize_t n)
{
    PyObject *self = _PyDict_NewPresized(n);
    if (self != NULL)
        object_untrack(self);
    return (PyDictObject *)self;
}

/* Appends the pair, if key is of a kind whose comparison runs no code, and new. */
static inline Py_ALWAYS_INLINE int take_pair(PyDictKeysObject *keys, PyObject *key, PyObject *value)
{
    Py_hash_t hash;
    if (PyUnicode_CheckExact(key))
        hash = unicode_hash(key);
    else if (value_is_int(key))
        hash = container_key_hash(key);
    else
        return 0;
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    for (;;) {
        Py_ssize_t i = dict_index_get(keys, slot);
        if (i == DICT_EMPTY)
            break;
        if (keys->entries[i].hash == hash && container_equal_racy(keys->entries[i].key, key) != 0)
            return 0;
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    Py_ssize_t i = keys->count;
    dict_entry *entry = &keys->entries[i];
    entry->hash = hash;
    entry->key = slot_to_owned(key);
    entry->value = slot_to_owned(value);
    keys->count = keys->top = i + 1;
    dict_index_put(keys, slot, i);
    return 1;
}

Py_ssize_t dict_take_pairs(PyObject *op, PyObject **pairs, Py_ssize_t n)
{
    PyDictObject *self = (PyDictObject *)op;
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t i = 0;
    for (; i < n && keys->count < keys->capacity && take_pair(keys, pairs[2 * i], pairs[2 * i + 1]); i++)
        pairs[2 * i] = pairs[2 * i + 1] = NULL;
    self->ma_used = i;
    return i;
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
    int locked = dict_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    int is_private = dict_is_closed(self);
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

/* An open dict keeps its table until its own memory is handed back (rule 2.4). */
void dict_dealloc(PyObject *op)
{
    PyDictObject *self = (PyDictObject *)op;
    PyObject_GC_UnTrack(op);
    PyDictKeysObject *keys = self->ma_keys;
    if (keys != NULL && !keys->is_static) {
        if (self->ma_used != 0)
            drop_entries(keys);
        if (Py_LIKELY(!dict_is_open(self) || !runtime_is_multi()))
            block_free(keys);
        else
            memory_retire_or_free(0, keys, dict_keys_bytes(keys));
    }
    if (Py_LIKELY(heap_type(op) == &PyDict_Type))
        object_free_gc(op);
    else
        Py_TYPE(op)->tp_free(op);
}
