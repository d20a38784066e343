/* Adding entries to the tables of dict, for Objects/dict_*.c. */
#ifndef BRAID_DICT_INSERT_H
#define BRAID_DICT_INSERT_H

#include "dict.h"

static inline Py_ALWAYS_INLINE void dict_index_put(PyDictKeysObject *keys, size_t slot, Py_ssize_t entry)
{
    /* Pairs with dict_index_get. */
    if (Py_LIKELY(keys->log2_width == 0))
        __atomic_store_n(dict_keys_index(keys) + slot, (int8_t)entry, __ATOMIC_RELEASE);
    else if (keys->log2_width == 1)
        __atomic_store_n((int16_t *)(void *)dict_keys_index(keys) + slot, (int16_t)entry, __ATOMIC_RELEASE);
    else if (keys->log2_width == 2)
        __atomic_store_n((int32_t *)(void *)dict_keys_index(keys) + slot, (int32_t)entry, __ATOMIC_RELEASE);
    else
        __atomic_store_n((int64_t *)(void *)dict_keys_index(keys) + slot, (int64_t)entry, __ATOMIC_RELEASE);
}

/* The first slot on the way of hash that holds no entry. */
static inline size_t dict_free_slot(const PyDictKeysObject *keys, Py_hash_t hash)
{
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    while (dict_index_get(keys, slot) >= 0) {
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    return slot;
}

/* Replaces a full table by one with room for another entry. 0, or -1 without exception. */
int dict_make_room_locked(PyDictObject *self);

/* dict_insert_new_locked; slot: what dict_free_slot would give, or -1 if that is not known. */
static inline Py_ALWAYS_INLINE int dict_insert_at_locked(PyDictObject *self, PyObject *key, Py_hash_t hash, PyObject *value,
                                                         Py_ssize_t slot)
{
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t i = keys->count;
    if (Py_UNLIKELY(i >= keys->capacity)) {
        if (dict_make_room_locked(self) < 0)
            return -1;
        keys = self->ma_keys;
        i = keys->count;
        slot = -1;
    }
    if (slot < 0)
        slot = (Py_ssize_t)dict_free_slot(keys, hash);
    dict_entry *entry = &keys->entries[i];
    dict_touch_locked(self);
    if (dict_is_open(self)) {
        object_publish(key);
        object_publish(value);
    }
    __atomic_store_n(&entry->hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->key, key, __ATOMIC_RELEASE);
    __atomic_store_n(&entry->value, value, __ATOMIC_RELEASE);
    __atomic_store_n(&keys->count, i + 1, __ATOMIC_RELEASE);
    keys->top = i + 1;
    dict_index_put(keys, (size_t)slot, i);
    dict_set_used(self, self->ma_used + 1);
    return 0;
}

#endif /* BRAID_DICT_INSERT_H */
