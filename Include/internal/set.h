/* The inside of set and frozenset: open addressing, entries {key, hash}.
 *
 *      set -> table -> id | mask | fill | entries[mask + 1]
 *
 * key is NULL (never used), SET_DUMMY (removed) or a member.  Within a table an entry serves one key only.  The writer stores
 * the hash, then the key (release); a reader loads the key (acquire), then the hash.
 * Readers take no lock (gate, table (acquire), key, hash); writers hold the object's lock; a replaced table is retired.  A
 * frozenset does not change once it is full. */
#ifndef BRAID_SET_H
#define BRAID_SET_H

#include "Python.h"
#include "container.h"

typedef struct {
    PyObject *key;              /* [lock] */
    Py_hash_t hash;             /* [lock] */
} set_entry;

struct set_table {
    uint64_t id;                /* [const] never reused */
    size_t mask;                /* [const] */
    size_t fill;                /* [lock] entries that are not NULL */
    uint64_t is_static;         /* [const] the shared table of empty sets */
    /* the entries follow */
};
static inline Py_ALWAYS_INLINE set_entry *set_entries(const struct set_table *table) { return (set_entry *)(table + 1); }

extern PyObject set_dummy_object;
#define SET_DUMMY (&set_dummy_object)
static inline int set_is_member(PyObject *key) { return key != NULL && key != SET_DUMMY; }

/* 1, 0, or -1 with an exception.  Escapes by __eq__ */
int set_contains_known_hash(PySetObject *self, PyObject *key, Py_hash_t hash);
/* Adds key.  Steals key, on failure too.  0 or -1.  Escapes by __eq__ */
int set_add_steal(PySetObject *self, PyObject *key, Py_hash_t hash);
/* Removes key: 1 (its reference in *removed), 0: absent, -1: exception.  Escapes by __eq__ */
int set_remove_known_hash(PySetObject *self, PyObject *key, Py_hash_t hash, PyObject **removed);

/* References to all members at one moment. */
struct set_snapshot {
    Py_ssize_t count;
    set_entry *entries;
    set_entry room[8];
};
/* 0, or -1 with MemoryError.  Locks self.  Escapes never */
int set_snapshot_take(PySetObject *self, struct set_snapshot *snapshot);
void set_snapshot_free(struct set_snapshot *snapshot);

/* The next member at or after *pos as a new reference; 1, or 0 at the end.  Lock-free.  Never escapes */
int set_next_ref(PySetObject *self, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash);

/* A new set or frozenset of that type (exact or subclass), with the members of iterable (may be NULL). */
PyObject *set_make(PyTypeObject *type, PyObject *iterable);
/* set |= iterable: 0 or -1. */
int set_update(PySetObject *self, PyObject *iterable);
/* For {a, b, ...}: a new set with those of n slot references whose comparison runs no code, in order up to the first other one; what was
 * moved becomes NULL in items. The caller adds the rest.  NULL with MemoryError.  Escapes never */
PyObject *set_take_items(PyObject **items, Py_ssize_t n);
/* A set from n items on the stack; borrows. */
PyObject *set_from_array(PyObject *const *items, Py_ssize_t n);

/* ---- For the files of set ---- */

extern struct set_static_table { struct set_table table; set_entry entries[1]; } set_empty_table;
/* Shared; has room for nothing. */
#define SET_EMPTY_TABLE (&set_empty_table.table)

/* A table of the next power of two above n; NULL without exception. */
struct set_table *set_table_alloc(size_t n);
size_t set_table_bytes(const struct set_table *table);
/* Frees a table that was taken out of self. */
void set_retire_table_locked(PySetObject *self, struct set_table *table);
/* Installs such a table in place of the old one. 0, or -1 without exception. */
int set_resize_locked(PySetObject *self, size_t n);
/* Adds a key known to be absent; steals it on success.  0 or -1 without exception. */
int set_insert_new_locked(PySetObject *self, PyObject *key, Py_hash_t hash);
/* Puts a key known to be absent into a table that nobody reads yet. */
void set_table_insert_clean(struct set_table *table, PyObject *key, Py_hash_t hash);
/* Like dict_find_and_lock: the entry's number, -1 absent, -2 exception (not locked). */
Py_ssize_t set_find_and_lock(PySetObject *self, PyObject *key, Py_hash_t hash, int *locked);
static inline void set_set_used(PySetObject *self, Py_ssize_t used)
{
    __atomic_store_n(&self->hash, -1, __ATOMIC_RELAXED);       /* of a frozenset that somebody hashed before it was full */
    __atomic_store_n(&self->used, used, __ATOMIC_RELEASE);
}
/* A new, empty set of that type. */
PySetObject *set_alloc(PyTypeObject *type);
void set_dealloc(PyObject *self);
int set_traverse(PyObject *self, visitproc visit, void *arg);
int set_tp_clear(PyObject *self);
/* self gets what the private `other` holds, which is empty afterwards. */
void set_take_contents(PySetObject *self, PySetObject *other);
int set_clear(PySetObject *self);
PyObject *set_copy(PySetObject *self, PyTypeObject *type);
/* key itself, or if key is an unhashable set, a frozenset of its members.  *hash is -1 with an exception. New reference. */
PyObject *set_key_for_lookup(PyObject *key, Py_hash_t *hash);

PyObject *set_union(PySetObject *self, PyObject *other);
PyObject *set_intersection(PySetObject *self, PyObject *other);
PyObject *set_difference(PySetObject *self, PyObject *other);
PyObject *set_symmetric_difference(PySetObject *self, PyObject *other);
int set_difference_update(PySetObject *self, PyObject *other);
int set_intersection_update(PySetObject *self, PyObject *other);
int set_symmetric_difference_update(PySetObject *self, PyObject *other);
int set_is_subset(PySetObject *self, PyObject *other);      /* 1, 0, -1 */
int set_is_superset(PySetObject *self, PyObject *other);
int set_is_disjoint(PySetObject *self, PyObject *other);
PyObject *set_richcompare(PyObject *a, PyObject *b, int op);
PyObject *set_iter(PyObject *self);

typedef struct {
    PyObject_HEAD
    PySetObject *si_set;        /* [const] */
    Py_ssize_t si_used;         /* [atomic] -1 after the end */
    Py_ssize_t si_pos;          /* [atomic] */
    Py_ssize_t si_left;         /* [atomic] */
} PySetIterObject;
/* 1; 0 at the end; -1: RuntimeError. */
int set_iter_next_ref(PySetIterObject *it, PyObject **key);

#endif /* BRAID_SET_H */
