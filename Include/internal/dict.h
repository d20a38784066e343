/* The inside of dict: an insertion-ordered compact hash table.
 *
 *      dict -> ma_keys -> header | index: 2^n slots of 1, 2, 4 or 8 bytes | entries {hash, key, value}
 *
 * An index slot is EMPTY (-1), DUMMY (-2) or the number of an entry.  Entries are appended; one is never used for a second
 * key.  Removing an item turns its index slot into DUMMY and nulls value, then key.
 *
 * Readers (no lock): gate, ma_keys (acquire), index slot (acquire), key, hash, value (acquire), try_incref on the value. A key's
 * payload is read (exact str only) or compared only after it was seen with a value, so it was alive since the last quiescent
 * point.  A slot that leads to a dead entry, or a failed try_incref: take the lock and look again.
 * Writers: under the object's lock; entry first, then the index slot (release).  A replaced table is retired.  Displaced
 * references are dropped after unlocking.
 * An __eq__ in Python is called without the lock; afterwards the *current* table's id (never reused) is compared with the
 * one remembered, and the search starts anew if they differ.
 *
 * Keys version: for caches of globals and builtins.  It is never reused, and changes (first to 0: none) before a key is added
 * or removed or the table is replaced; overwriting a value leaves it.  A dict that has a version is open, so no gate is
 * needed by who has compared it.  While the version holds, the address of a value slot stays valid and the same key's.
 *
 * Gate: that of list (list.h), with the same rules: born closed; who is not the owner opens it first (dict_lock, PyDict_Next, too).  The
 * word of the keys version says: 0 closed, DICT_OPEN open without a version, else the version of an open dict.  Dicts of types are open from
 * the start (type_ready): caches point into them without counting.  Who fills a fresh dict without its lock uses dict_new_unseen.
 * Caches that read an instance's dict without a reference to it (instance_dict_read_hint_racy) look at the gate too: a dict whose
 * owner is the reader is alive, an open one keeps its table while readers may be in it. */
#ifndef BRAID_DICT_H
#define BRAID_DICT_H

#include "Python.h"
#include "container.h"

typedef struct {
    Py_hash_t hash;             /* [const] once the index shows the entry */
    PyObject *key;              /* [lock] NULL after removal */
    PyObject *value;            /* [lock] NULL after removal */
} dict_entry;

struct _dictkeysobject {
    uint64_t id;                /* [const] never reused */
    dict_entry *entries;        /* [const] behind the index */
    uint8_t log2_size;          /* [const] of the index */
    uint8_t log2_width;         /* [const] bytes of an index slot: 1 << log2_width */
    uint8_t is_static;          /* [const] the shared table of empty dicts */
    Py_ssize_t capacity;        /* [const] number of entries there is room for */
    Py_ssize_t count;           /* [atomic; written under the lock] entries used so far, dead ones too */
    Py_ssize_t first, top;      /* [lock; first: atomic] live entries are within first..top-1 */
    Py_ssize_t gap;             /* [lock] entries below were never used */
    /* the index follows */
};
#define DICT_EMPTY (-1)
#define DICT_DUMMY (-2)

#define DICT_PERTURB_SHIFT 5

static inline int8_t *dict_keys_index(const PyDictKeysObject *keys) { return (int8_t *)(keys + 1); }
static inline size_t dict_keys_mask(const PyDictKeysObject *keys) { return ((size_t)1 << keys->log2_size) - 1; }
/* An index slot: EMPTY, DUMMY or the number of an entry (whose fields are then visible). */
static inline Py_ALWAYS_INLINE Py_ssize_t dict_index_get(const PyDictKeysObject *keys, size_t slot)
{
    if (Py_LIKELY(keys->log2_width == 0))
        return __atomic_load_n(dict_keys_index(keys) + slot, __ATOMIC_ACQUIRE);
    if (keys->log2_width == 1)
        return __atomic_load_n((const int16_t *)(const void *)dict_keys_index(keys) + slot, __ATOMIC_ACQUIRE);
    if (keys->log2_width == 2)
        return __atomic_load_n((const int32_t *)(const void *)dict_keys_index(keys) + slot, __ATOMIC_ACQUIRE);
    return (Py_ssize_t)__atomic_load_n((const int64_t *)(const void *)dict_keys_index(keys) + slot, __ATOMIC_ACQUIRE);
}

/* ---- The gate ---- */

#define DICT_OPEN 1u            /* in ma_keys_version; no version has this number */

static inline Py_ALWAYS_INLINE int dict_is_open(PyDictObject *self)
{
    return __atomic_load_n(&self->ma_keys_version, __ATOMIC_ACQUIRE) != 0;      /* pairs with dict_open_locked */
}
/* May this thread read self without its lock? */
static inline Py_ALWAYS_INLINE int dict_may_read(PyDictObject *self)
{
    return object_is_mine((PyObject *)self) || dict_is_open(self);
}
/* self is the calling thread's own, and nobody else reads it without its lock. */
static inline Py_ALWAYS_INLINE int dict_is_closed(PyDictObject *self)
{
    return object_is_mine((PyObject *)self) && !dict_is_open(self);
}
/* Publishes keys and values and opens the dict.  Locks: caller holds self's lock.  Escapes never */
void dict_open_locked(PyDictObject *self);
/* Takes self's lock, for container_unlock(self, locked); who is not the owner opens the dict, also in a critical section (see list_lock). */
static inline Py_ALWAYS_INLINE int dict_lock(PyDictObject *self)
{
    int locked = container_lock(self);
    if (runtime_is_multi() && Py_UNLIKELY(!dict_may_read(self)))
        dict_open_locked(self);
    return locked;
}
static inline Py_ALWAYS_INLINE void dict_pass_gate(PyDictObject *self)
{
    if (Py_UNLIKELY(!dict_may_read(self)))
        container_unlock(self, dict_lock(self));
}

/* ---- Reading ---- */

/* The value of key as a new reference.
 * Returns  1; 0: absent, *result NULL; -1: exception, *result NULL
 * Escapes  by __eq__; not if key and the keys of equal hash are exact str or small ints */
int dict_lookup_ref(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **result);
/* The same for an exact str, identity first. */
int dict_get_str_ref(PyObject *dict, PyObject *name, PyObject **result);
/* The same for any key: hashes it. */
int dict_get_ref(PyObject *dict, PyObject *key, PyObject **result);

/* ---- Caches of global names ---- */

static inline Py_ALWAYS_INLINE uint64_t dict_version_racy(PyObject *dict)
{
    return __atomic_load_n(&((PyDictObject *)dict)->ma_keys_version, __ATOMIC_ACQUIRE);
}
/* Assigns a version if there is none (opens dict).  Never 0 or DICT_OPEN. */
uint64_t dict_keys_version(PyObject *dict);
/* Address of the value of an exact, interned str, or NULL; valid while the version is what it was before the call. */
PyObject **dict_value_slot(PyObject *dict, PyObject *name);
/* Both at once, under the lock: the way to fill a cache.  *slot is NULL if name is no key: the version then vouches for its
 * absence.  Returns 0; -1: dict cannot be cached for this name (a key of another type with the same hash).  Never escapes. */
int dict_cache_slot(PyObject *dict, PyObject *name, uint64_t *version, PyObject ***slot);
/* The value in a slot as a new reference, after the version was compared; NULL: look it up the slow way. */
static inline Py_ALWAYS_INLINE PyObject *dict_slot_read_ref(PyObject **slot)
{
    PyObject *value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);      /* pairs with dict_put */
    if (Py_LIKELY(value != NULL) && Py_LIKELY(object_try_incref(value)))
        return value;
    return NULL;
}

/* ---- Writing ---- */

/* dict[key] = value; key stays the caller's.
 * Steals   value, on failure too
 * Escapes  by __eq__, and by dropping the old value */
int dict_set_steal(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value);
/* The same for an exact str. */
int dict_set_str_steal(PyObject *dict, PyObject *name, PyObject *value);
/* A new dict of n pairs; later keys win.  Borrows. stride: distance between keys and values in words. */
PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_stride, PyObject *const *values,
                          Py_ssize_t value_stride, Py_ssize_t n);
/* An empty dict with room for n entries that is not tracked: nobody else can find it.  The caller may fill it without its lock
 * (dict_insert_new_locked), also after waiting for locks of others, and calls object_track.  NULL with MemoryError. */
PyDictObject *dict_new_unseen(Py_ssize_t n);
/* For {key: value, ...}: moves slot references to the keys and values of n pairs (key, value, key, ...) into a dict that was just made
 * with room for them, as long as that runs no code and no key comes twice; what was moved becomes NULL in pairs.
 * Returns  the number of pairs moved; the caller stores the rest with dict_set_steal
 * Escapes  never */
Py_ssize_t dict_take_pairs(PyObject *dict, PyObject **pairs, Py_ssize_t n);
/* For f(**mapping): like _PyDict_MergeEx(dict, other, 2). */
int dict_merge_unique(PyObject *dict, PyObject *other);
/* Stores a value where readers can see it.  Locks: caller holds self's lock (dict_lock) */
static inline void dict_put(PyDictObject *self, PyObject **slot, PyObject *value)
{
    if (dict_is_open(self))
        object_publish(value);
    __atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

/* Sets KeyError(key), also if key is a tuple. */
void dict_set_key_error(PyObject *key);

/* ---- Whole-table access ---- */

/* References to all keys and values at one moment: pairs[2*i], pairs[2*i+1]; hashes may be asked for too.
 * Returns  the number of items, or -1 with MemoryError.  Locks dict.  Escapes never */
struct dict_snapshot {
    Py_ssize_t count;
    PyObject **pairs;
    Py_hash_t *hashes;
    PyObject *room[16];
    Py_hash_t hash_room[8];
};
int dict_snapshot_take(PyObject *dict, struct dict_snapshot *snapshot);
void dict_snapshot_free(struct dict_snapshot *snapshot);

/* The next live item at or after *pos as new references (either pointer may be NULL); advances *pos.  1, or 0 at the end.
 * Lock-free; sees an item that is there all the time exactly once as long as the table is not replaced.  Never escapes. */
int dict_next_ref(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash);
/* The same downwards, from *pos. */
int dict_previous_ref(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value);
/* PyDict_Next without the gate: for who has opened the dict, or walks it while everything else stands still. */
int dict_next_borrowed(PyDictObject *self, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash);

/* ---- For the files of dict ---- */

extern struct dict_static_keys { PyDictKeysObject keys; int8_t index[8]; } dict_empty_keys;
#define DICT_EMPTY_KEYS (&dict_empty_keys.keys)

/* A fresh table for n entries with `gap` unused ones in front; NULL without exception. */
PyDictKeysObject *dict_keys_alloc(Py_ssize_t n, Py_ssize_t gap);
size_t dict_keys_bytes(const PyDictKeysObject *keys);
/* Replaces the table by one with room for n live entries in all, of which `gap` in front.  0, or -1 without exception. */
int dict_resize_locked(PyDictObject *self, Py_ssize_t n, Py_ssize_t gap);
void dict_retire_keys_locked(PyDictObject *self, PyDictKeysObject *keys);
/* Forgets the keys version. */
static inline void dict_touch_locked(PyDictObject *self)
{
    if (self->ma_keys_version > DICT_OPEN)
        __atomic_store_n(&self->ma_keys_version, DICT_OPEN, __ATOMIC_RELEASE);
}
static inline void dict_set_used(PyDictObject *self, Py_ssize_t used)
{
    __atomic_store_n(&self->ma_used, used, __ATOMIC_RELEASE);
}
/* Appends an item whose key is known to be absent.  Steals both on success.  0, or -1 without exception. */
int dict_insert_new_locked(PyDictObject *self, PyObject *key, Py_hash_t hash, PyObject *value);
/* Removes entry i; the references go to *key and *value. */
void dict_remove_entry_locked(PyDictObject *self, Py_ssize_t i, PyObject **key, PyObject **value);
/* Moves entry i behind (last) or before all others.  0, or -1 without exception. */
int dict_move_entry_locked(PyDictObject *self, Py_ssize_t i, int last);
/* First or last live entry, or -1. */
Py_ssize_t dict_first_entry_locked(PyDictObject *self);
Py_ssize_t dict_last_entry_locked(PyDictObject *self);

/* Publishes what a table holds. */
void dict_publish_entries(PyDictKeysObject *keys);
/* A copy of the table (counting the references), or NULL without exception. Locks: caller holds self's lock. */
PyDictKeysObject *dict_keys_clone_locked(PyDictObject *self);

/* Finds key and returns with self locked (*locked is for container_unlock).
 * Returns  the entry's number; -1: absent; -2: exception, and self is not locked
 * Escapes  by __eq__, before it locks for the last time */
Py_ssize_t dict_find_and_lock(PyDictObject *self, PyObject *key, Py_hash_t hash, int *locked);
/* 1: removed, *value (may be NULL) is the reference; 0: absent; -1: exception. */
int dict_pop_known_hash(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **value);
/* (key, value) of the last or first item, removed; NULL with KeyError(message). */
PyObject *dict_pop_end(PyDictObject *self, int last, const char *message);
/* dict(...), update(...). */
int dict_update_common(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, const char *name);
int dict_merge(PyObject *dict, PyObject *other, int override);
PyObject *dict_new_of_type(PyTypeObject *type, PyObject *args, PyObject *kwds);
void dict_dealloc(PyObject *self);
int dict_traverse(PyObject *self, visitproc visit, void *arg);
int dict_tp_clear(PyObject *self);
PyObject *dict_richcompare(PyObject *a, PyObject *b, int op);
int dict_equal(PyObject *a, PyObject *b);
PyObject *dict_repr(PyObject *self);
PyObject *dict_iter(PyObject *self);
PyObject *dict_reversed(PyObject *self, PyObject *unused);
PyObject *dict_subscript(PyObject *self, PyObject *key);
int dict_ass_subscript(PyObject *self, PyObject *key, PyObject *value);
PyObject *dict_method_keys(PyObject *self, PyObject *unused);
PyObject *dict_method_values(PyObject *self, PyObject *unused);
PyObject *dict_method_items(PyObject *self, PyObject *unused);

/* ---- Views and iterators ---- */

typedef struct {
    PyObject_HEAD
    PyDictObject *dv_dict;      /* [const] or NULL after tp_clear */
} PyDictViewObject;

enum dict_iter_kind { DICT_ITER_KEYS, DICT_ITER_VALUES, DICT_ITER_ITEMS };

/* The place of an iterator: the next entry (-1 after the end) and the number of items to come, in one word, so that threads which
 * share the iterator find two that belong together; otherwise they would see keys change that nobody changes. A number that does not
 * fit is DICT_PLACE_MANY for good. */
#define DICT_PLACE_SHIFT 28
#define DICT_PLACE_MANY (((Py_ssize_t)1 << DICT_PLACE_SHIFT) - 1)
static inline uint64_t dict_place_make(Py_ssize_t pos, Py_ssize_t left)
{
    return (uint64_t)(pos + 1) << DICT_PLACE_SHIFT | (uint64_t)(left < DICT_PLACE_MANY ? left : DICT_PLACE_MANY);
}
static inline Py_ssize_t dict_place_pos(uint64_t place) { return (Py_ssize_t)(place >> DICT_PLACE_SHIFT) - 1; }
static inline Py_ssize_t dict_place_left(uint64_t place) { return (Py_ssize_t)place & DICT_PLACE_MANY; }

typedef struct {
    PyObject_HEAD
    PyDictObject *di_dict;      /* [const] stays until the iterator dies, unless nobody else can be using it */
    Py_ssize_t di_used;         /* [atomic] size at the start; -1 after a change of size was noticed */
    uint64_t di_place;          /* [atomic] dict_place_make() */
} PyDictIterObject;

/* Type of the iterator: kind and direction. */
PyObject *dict_iter_new(PyDictObject *dict, PyTypeObject *type);
/* The next key and value (new references; either pointer may be NULL).
 * Returns  1; 0 at the end; -1: RuntimeError
 * Escapes  at the end only (may drop the dict) */
int dict_iter_next_pair(PyDictIterObject *it, PyObject **key, PyObject **value);

/* What a types.MappingProxyType shows (Objects/descr_proxy.c), or op itself. Lives as long as op. */
PyObject *dict_behind_proxies_borrowed(PyObject *op);

#endif /* BRAID_DICT_H */
