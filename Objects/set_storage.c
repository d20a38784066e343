/* The tables of set and frozenset: look-up without a lock, changes under it, snapshots. */
#include "set.h"
#include "frame.h"
#include "memory.h"
#include "../Python/memory/allocator.h"
#include "object_gc_inline.h"

/* SET_DUMMY: stands in a table where a member was removed. */
PyObject set_dummy_object = {
    0, OBJECT_PUBLISHED | OBJECT_IMMORTAL, {0}, 0, SHARED_PINNED | SHARED_MERGED, 0, &PyBaseObject_Type,
};
struct set_static_table set_empty_table = {.table = {.id = 2, .mask = 0, .fill = 0, .is_static = 1}};

#define MIN_SIZE 8
#define PERTURB_SHIFT 5
#define LINEAR_PROBES 9

/* Entries are never reused for another key within a table: a removed member stays DUMMY until the table is replaced.
 *
 * The way of a hash through a table: a run of neighbours, then a jump that takes in more bits of the hash. */
struct probe {
    size_t mask, perturb, head, slot, end;
};
static inline Py_ALWAYS_INLINE void probe_run(struct probe *p, size_t head)
{
    p->slot = p->head = head;
    p->end = head + LINEAR_PROBES <= p->mask ? head + LINEAR_PROBES : head;
}
static inline Py_ALWAYS_INLINE void probe_start(struct probe *p, size_t mask, Py_hash_t hash)
{
    p->mask = mask;
    p->perturb = (size_t)hash;
    probe_run(p, (size_t)hash & mask);
}
static inline Py_ALWAYS_INLINE void probe_next(struct probe *p)
{
    if (p->slot < p->end) {
        p->slot++;
        return;
    }
    p->perturb >>= PERTURB_SHIFT;
    probe_run(p, (p->head * 5 + 1 + p->perturb) & p->mask);
}

/* ---- Tables ---- */

struct set_table *set_table_alloc(size_t n)
{
    size_t size = MIN_SIZE;
    if (n > ((size_t)1 << 56))
        return NULL;
    while (size <= n)
        size <<= 1;
    struct set_table *table;
    if (size == MIN_SIZE) {
        table = block_malloc(sizeof(struct set_table) + MIN_SIZE * sizeof(set_entry));
        if (table == NULL)
            return NULL;
        for (int i = 0; i < MIN_SIZE; i++)      /* a hash without a key is not looked at */
            set_entries(table)[i].key = NULL;
        table->fill = table->is_static = 0;
    }
    else {
        table = block_zalloc(sizeof(struct set_table) + size * sizeof(set_entry));
        if (table == NULL)
            return NULL;
    }
    table->id = container_next_id();
    table->mask = size - 1;
    return table;
}

size_t set_table_bytes(const struct set_table *table)
{
    return table->is_static ? 0 : sizeof(struct set_table) + (table->mask + 1) * sizeof(set_entry);
}

void set_retire_table_locked(PySetObject *self, struct set_table *table)
{
    if (!table->is_static)
        memory_retire_or_free(object_is_private((PyObject *)self), table, set_table_bytes(table));
}

void set_table_insert_clean(struct set_table *table, PyObject *key, Py_hash_t hash)
{
    struct probe p;
    probe_start(&p, table->mask, hash);
    while (set_entries(table)[p.slot].key != NULL)
        probe_next(&p);
    set_entries(table)[p.slot].key = key;
    set_entries(table)[p.slot].hash = hash;
    table->fill++;
}

int set_resize_locked(PySetObject *self, size_t n)
{
    struct set_table *old = self->table, *table = set_table_alloc(n);
    if (table == NULL)
        return -1;
    for (size_t i = 0; i <= old->mask; i++)
        if (set_is_member(set_entries(old)[i].key))
            set_table_insert_clean(table, set_entries(old)[i].key, set_entries(old)[i].hash);
    __atomic_store_n(&self->table, table, __ATOMIC_RELEASE);        /* pairs with the readers' acquire */
    set_retire_table_locked(self, old);
    return 0;
}

/* slot is free, and the first one that is on the way of hash; < 0: not known. */
static int insert_at(PySetObject *self, PyObject *key, Py_hash_t hash, Py_ssize_t slot)
{
    struct set_table *table = self->table;
    if (table->fill >= table->mask) {       /* the shared empty table, or growing has failed before */
        if (set_resize_locked(self, (size_t)self->used * 2) < 0)
            return -1;
        table = self->table;
        slot = -1;
    }
    if (slot < 0) {
        struct probe p;
        probe_start(&p, table->mask, hash);
        while (set_entries(table)[p.slot].key != NULL)
            probe_next(&p);
        slot = (Py_ssize_t)p.slot;
    }
    object_publish(key);
    __atomic_store_n(&set_entries(table)[slot].hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&set_entries(table)[slot].key, key, __ATOMIC_RELEASE);     /* pairs with lookup_racy */
    table->fill++;
    size_t used = (size_t)self->used + 1;
    set_set_used(self, (Py_ssize_t)used);
    if (table->fill * 5 >= table->mask * 3)
        set_resize_locked(self, used > 50000 ? used * 2 : used * 4);
    return 0;
}

int set_insert_new_locked(PySetObject *self, PyObject *key, Py_hash_t hash)
{
    return insert_at(self, key, hash, -1);
}

/* ---- Look-up ---- */

enum { ABSENT = 0, FOUND = 1, FAILED = -1, UNSURE = -2 };

/* Compares candidate with key by code that may run Python. UNSURE: start anew. */
static Py_NO_INLINE int compare_escaping(PySetObject *self, uint64_t id, size_t slot, PyObject *candidate, PyObject *key)
{
    if (!object_try_incref(candidate))
        return UNSURE;
    int outcome = container_equal_known(candidate, key);
    if (outcome < 0)
        outcome = PyObject_RichCompareBool(candidate, key, Py_EQ);
    if (outcome >= 0) {
        struct set_table *table = __atomic_load_n(&self->table, __ATOMIC_ACQUIRE);
        if (table->id != id || (outcome && __atomic_load_n(&set_entries(table)[slot].key, __ATOMIC_ACQUIRE) != candidate))
            outcome = UNSURE;
    }
    Py_DECREF(candidate);
    return outcome;
}

static inline Py_ALWAYS_INLINE int lookup_racy(PySetObject *self, PyObject *key, Py_hash_t hash)
{
    container_pass_gate(self);
    struct set_table *table = __atomic_load_n(&self->table, __ATOMIC_ACQUIRE);
    struct probe p;
    for (probe_start(&p, table->mask, hash);; probe_next(&p)) {
        PyObject *candidate = __atomic_load_n(&set_entries(table)[p.slot].key, __ATOMIC_ACQUIRE);
        if (candidate == NULL)
            return ABSENT;
        if (candidate == key)
            return FOUND;
        if (__atomic_load_n(&set_entries(table)[p.slot].hash, __ATOMIC_RELAXED) != hash || candidate == SET_DUMMY)
            continue;
        int equal = container_equal_racy(candidate, key);
        if (equal > 0)
            return FOUND;
        if (equal < 0) {
            uint64_t id = table->id;
            int outcome = compare_escaping(self, id, p.slot, candidate, key);
            if (outcome != ABSENT)
                return outcome;
            table = __atomic_load_n(&self->table, __ATOMIC_ACQUIRE);
            if (table->id != id)
                return UNSURE;
        }
    }
}

/* set_find_and_lock; *free_slot is where an absent key would go. */
static inline Py_ALWAYS_INLINE Py_ssize_t find_and_lock(PySetObject *self, PyObject *key, Py_hash_t hash, int *locked,
                                                        Py_ssize_t *free_slot)
{
    int patience = 100;     /* with an __eq__ that adds members each time */
restart:
    *locked = container_lock(self);
    struct set_table *table = self->table;
    uint64_t id = table->id;
    size_t fill = table->fill;
    struct probe p;
    for (probe_start(&p, table->mask, hash);; probe_next(&p)) {
        PyObject *candidate = set_entries(table)[p.slot].key;
        if (candidate == NULL) {
            *free_slot = (Py_ssize_t)p.slot;
            return -1;
        }
        if (candidate == key)
            return (Py_ssize_t)p.slot;
        if (set_entries(table)[p.slot].hash != hash || candidate == SET_DUMMY)
            continue;
        int equal = container_equal_racy(candidate, key);
        if (equal < 0)
            equal = container_equal_known(candidate, key);
        if (equal > 0)
            return (Py_ssize_t)p.slot;
        if (equal == 0)
            continue;
        Py_INCREF(candidate);
        container_unlock(self, *locked);
        equal = PyObject_RichCompareBool(candidate, key, Py_EQ);
        Py_DECREF(candidate);       /* not under the lock: it may serve another thread's queue, which runs finalisers */
        if (equal < 0)
            return -2;
        *locked = container_lock(self);
        table = self->table;
        if (table->id != id || set_entries(table)[p.slot].key != candidate || (table->fill != fill && patience-- > 0)) {
            container_unlock(self, *locked);
            goto restart;
        }
        if (equal)
            return (Py_ssize_t)p.slot;
    }
}

Py_ssize_t set_find_and_lock(PySetObject *self, PyObject *key, Py_hash_t hash, int *locked)
{
    Py_ssize_t slot;
    return find_and_lock(self, key, hash, locked, &slot);
}

int set_contains_known_hash(PySetObject *self, PyObject *key, Py_hash_t hash)
{
    int outcome = lookup_racy(self, key, hash);
    if (Py_LIKELY(outcome != UNSURE))
        return outcome;
    int locked;
    Py_ssize_t i = set_find_and_lock(self, key, hash, &locked);
    if (i == -2)
        return -1;
    container_unlock(self, locked);
    return i >= 0;
}

/* ---- Adding and removing ---- */

/* Threads that add to one set what is there already need not take turns. Is key there, as far as can be said without running code?
 * self is published: no gate to pass. */
static Py_NO_INLINE int is_there_already(PySetObject *self, PyObject *key, Py_hash_t hash)
{
    struct set_table *table = __atomic_load_n(&self->table, __ATOMIC_ACQUIRE);
    struct probe p;
    for (probe_start(&p, table->mask, hash);; probe_next(&p)) {
        PyObject *candidate = __atomic_load_n(&set_entries(table)[p.slot].key, __ATOMIC_ACQUIRE);  /* pairs with insert_at */
        if (candidate == NULL || candidate == key)
            return candidate != NULL;
        if (__atomic_load_n(&set_entries(table)[p.slot].hash, __ATOMIC_RELAXED) == hash && candidate != SET_DUMMY)
            return container_equal_racy(candidate, key) > 0;
    }
}

int set_add_steal(PySetObject *self, PyObject *key, Py_hash_t hash)
{
    if (runtime_is_multi() && object_is_published((PyObject *)self) && is_there_already(self, key, hash)) {
        Py_DECREF(key);
        return 0;
    }
    int locked, result = 0;
    Py_ssize_t slot = -1, i = find_and_lock(self, key, hash, &locked, &slot);
    if (i == -1) {
        result = insert_at(self, key, hash, slot);
        container_unlock(self, locked);
        if (result == 0)
            return 0;
        PyErr_NoMemory();
    }
    else if (i >= 0)
        container_unlock(self, locked);
    else
        result = -1;
    Py_DECREF(key);
    return result;
}

int set_remove_known_hash(PySetObject *self, PyObject *key, Py_hash_t hash, PyObject **removed)
{
    int locked;
    Py_ssize_t i = set_find_and_lock(self, key, hash, &locked);
    if (i == -2)
        return -1;
    if (i >= 0) {
        *removed = set_entries(self->table)[i].key;
        __atomic_store_n(&set_entries(self->table)[i].key, SET_DUMMY, __ATOMIC_RELEASE);
        set_set_used(self, self->used - 1);
    }
    container_unlock(self, locked);
    return i >= 0;
}

/* ---- Whole sets ---- */

int set_snapshot_take(PySetObject *self, struct set_snapshot *snapshot)
{
    Py_ssize_t n = 0;
    int locked = container_lock(self);
    struct set_table *table = self->table;
    snapshot->entries = snapshot->room;
    if (self->used > 8)
        snapshot->entries = block_malloc((size_t)self->used * sizeof(set_entry));
    if (snapshot->entries != NULL && self->used > 0)
        for (size_t i = 0; i <= table->mask; i++)
            if (set_is_member(set_entries(table)[i].key)) {
                Py_INCREF(set_entries(table)[i].key);
                snapshot->entries[n++] = set_entries(table)[i];
            }
    container_unlock(self, locked);
    snapshot->count = n;
    if (snapshot->entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void set_snapshot_free(struct set_snapshot *snapshot)
{
    for (Py_ssize_t i = 0; i < snapshot->count; i++)
        Py_DECREF(snapshot->entries[i].key);
    if (snapshot->entries != snapshot->room)
        block_free(snapshot->entries);
}

int set_next_ref(PySetObject *self, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash)
{
    container_pass_gate(self);
    struct set_table *table = __atomic_load_n(&self->table, __ATOMIC_ACQUIRE);
    for (size_t i = (size_t)*pos; i <= table->mask; i++) {
        PyObject *candidate = __atomic_load_n(&set_entries(table)[i].key, __ATOMIC_ACQUIRE);
        if (!set_is_member(candidate))
            continue;
        if (!object_try_incref(candidate))
            continue;                   /* dead: it was removed just now */
        if (hash != NULL)
            *hash = __atomic_load_n(&set_entries(table)[i].hash, __ATOMIC_RELAXED);
        *key = candidate;
        *pos = (Py_ssize_t)i + 1;
        return 1;
    }
    *pos = (Py_ssize_t)table->mask + 1;
    return 0;
}

/* The caller holds a critical section on op or is alone with it. */
int _PySet_NextEntry(PyObject *op, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash)
{
    if (!PyAnySet_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    struct set_table *table = ((PySetObject *)op)->table;
    for (size_t i = (size_t)*pos; i <= table->mask; i++)
        if (set_is_member(set_entries(table)[i].key)) {
            *key = set_entries(table)[i].key;
            *hash = set_entries(table)[i].hash;
            *pos = (Py_ssize_t)i + 1;
            return 1;
        }
    return 0;
}

/* Drops the `used` members of a table that is reached by nobody else. */
static void drop_table(struct set_table *table, Py_ssize_t used)
{
    for (size_t i = 0; used > 0 && i <= table->mask; i++) {
        PyObject *key = set_entries(table)[i].key;
        if (set_is_member(key)) {
            used--;
            Py_DECREF(key);
        }
    }
}

/* Installs table (with `used` members) and drops what was there. */
static void replace_contents(PySetObject *self, struct set_table *table, Py_ssize_t used)
{
    int locked = container_lock(self);
    struct set_table *old = self->table;
    Py_ssize_t old_used = self->used;
    int is_private = object_is_private((PyObject *)self);
    __atomic_store_n(&self->table, table, __ATOMIC_RELEASE);
    set_set_used(self, used);
    container_unlock(self, locked);
    if (!old->is_static) {
        drop_table(old, old_used);
        memory_retire_or_free(is_private, old, set_table_bytes(old));
    }
}

int set_clear(PySetObject *self)
{
    replace_contents(self, SET_EMPTY_TABLE, 0);
    return 0;
}

void set_take_contents(PySetObject *self, PySetObject *other)
{
    int locked = container_lock(other);
    struct set_table *table = other->table;
    Py_ssize_t used = other->used;
    if (!object_is_private((PyObject *)other))
        object_publish((PyObject *)self);       /* who reads other without a lock may be in the table still: then self retires it */
    __atomic_store_n(&other->table, SET_EMPTY_TABLE, __ATOMIC_RELEASE);
    set_set_used(other, 0);
    container_unlock(other, locked);
    replace_contents(self, table, used);
}

void set_dealloc(PyObject *op)
{
    PySetObject *self = (PySetObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    if (self->table != NULL && !self->table->is_static) {
        if (self->used > 0)
            drop_table(self->table, self->used);
        block_free(self->table);
    }
    if (Py_LIKELY(heap_type(op) == &PySet_Type || heap_type(op) == &PyFrozenSet_Type))
        object_free_gc(op);
    else
        Py_TYPE(op)->tp_free(op);
}

int set_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct set_table *table = ((PySetObject *)op)->table;
    if (table == NULL)
        return 0;
    for (size_t i = 0; i <= table->mask; i++)
        if (set_is_member(set_entries(table)[i].key))
            Py_VISIT(set_entries(table)[i].key);
    return 0;
}

int set_tp_clear(PyObject *self)
{
    return set_clear((PySetObject *)self);
}

/* ---- Making sets ---- */

PySetObject *set_alloc(PyTypeObject *type)
{
    PySetObject *self;
    if (type == &PySet_Type || type == &PyFrozenSet_Type) {
        self = (PySetObject *)object_new_gc_tracked(type, sizeof(PySetObject));
        if (self == NULL)
            return NULL;
        self->used = 0;
        self->finger = 0;
        self->weakreflist = NULL;
        self->table = SET_EMPTY_TABLE;
        self->hash = -1;
        return self;
    }
    self = (PySetObject *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->table = SET_EMPTY_TABLE;
        self->hash = -1;
    }
    return self;
}

/* Puts key into a fresh table, if it is of a kind whose comparison runs no code. 1; 0: not of such a kind, or equal to a member. */
static inline Py_ALWAYS_INLINE int take_item(struct set_table *table, PyObject *key)
{
    Py_hash_t hash;
    if (PyUnicode_CheckExact(key))
        hash = unicode_hash(key);
    else if (value_is_int(key))
        hash = container_key_hash(key);
    else
        return 0;
    struct probe p;
    set_entry *entry;
    for (probe_start(&p, table->mask, hash); (entry = &set_entries(table)[p.slot])->key != NULL; probe_next(&p))
        if (entry->hash == hash && container_equal_racy(entry->key, key) != 0)
            return 0;
    object_publish(key);
    entry->key = slot_to_owned(key);
    entry->hash = hash;
    table->fill++;
    return 1;
}

PyObject *set_take_items(PyObject **items, Py_ssize_t n)
{
    PySetObject *self = set_alloc(&PySet_Type);
    if (self == NULL || n * 5 >= (MIN_SIZE - 1) * 3)        /* it would grow on the way: as if one by one */
        return (PyObject *)self;
    struct set_table *table = set_table_alloc((size_t)n);
    if (table == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    Py_ssize_t i = 0;
    for (; i < n && take_item(table, items[i]); i++)
        items[i] = NULL;
    self->table = table;
    self->used = i;
    return (PyObject *)self;
}

/* Copies all entries of a table without removed ones into one of the same size, as they stand. */
static void clone_entries(struct set_table *to, const struct set_table *from)
{
    memcpy(set_entries(to), set_entries(from), (from->mask + 1) * sizeof(set_entry));
    to->fill = from->fill;
    for (size_t i = 0; i <= from->mask; i++)
        Py_XINCREF(set_entries(to)[i].key);
}

/* A fresh set adopts a copy of other's table, or its members are put into a new one. */
PyObject *set_copy(PySetObject *other, PyTypeObject *type)
{
    PySetObject *self = set_alloc(type);
    if (self == NULL)
        return NULL;
    int locked = container_lock(other), failed = 0;
    struct set_table *from = other->table, *table = SET_EMPTY_TABLE;
    Py_ssize_t used = other->used;
    if (used > 0) {
        table = set_table_alloc(used < 5 ? 5 : (size_t)used * 2);
        failed = table == NULL;
        int is_clone = !failed && table->mask == from->mask && from->fill == (size_t)used;
        if (is_clone)
            clone_entries(table, from);
        for (size_t i = 0; !failed && !is_clone && i <= from->mask; i++)
            if (set_is_member(set_entries(from)[i].key)) {
                Py_INCREF(set_entries(from)[i].key);
                object_publish(set_entries(from)[i].key);
                set_table_insert_clean(table, set_entries(from)[i].key, set_entries(from)[i].hash);
            }
    }
    container_unlock(other, locked);
    if (failed) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    replace_contents(self, table, used);        /* somebody may have found it while other's lock was waited for */
    return (PyObject *)self;
}
