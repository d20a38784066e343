/* The inside of list.
 *
 *      list -> ob_item ->  [ capacity | item 0 | item 1 | ... | NULL ... ]
 *                                     ^ ob_item points here
 *
 * Readers (no lock): gate, ob_size, ob_item (acquire), its own capacity, item (acquire), try_incref.  Slots at and above
 * ob_size are NULL in every array, also in the retired ones; a reader that meets NULL takes the lock and looks again.
 * Writers: under the object's lock.  Shifts inside an array are word-wise stores between two increments of the shift
 * counter (hdr_shape, odd while shifting).  References that a writer displaces are handed back and dropped after unlocking.
 *
 * Gate.  A list is born closed: its owner alone reads it without the lock.  What a closed list holds need not be published,
 * so that items and arrays that its owner takes out are freed at once.  Any other thread, reader or writer, takes the lock
 * and first of all opens the list (list_lock does both): it publishes every item, then sets LIST_OPEN (release) for good.
 * In an open list an item is published, then stored with release, and a replaced array is retired.
 *   - The owner's lock-free read against an opener who then takes the item out: the item was published before, so its
 *     memory outlasts the read.  Only openers and the owner itself take items out.
 *   - LIST_OPEN says more than PUBLISHED: a list stored in a published place stays closed until another thread comes for
 *     it there.  So publishing a list never walks its items, and nested lists open one by one.  LIST_OPEN implies PUBLISHED.
 *   - A list without an owner (merged, DEFERRED) is nobody's own: whoever reads it next opens it.  A thread that inherits the
 *     owner's slot has become the owner by the slot's CAS.
 *   - Other ways to a list or an item of a closed one count references under the lock or in a pause (snapshots, slices,
 *     gc.get_referents), publish (weak references, gc.get_objects), or go through the gate at each step (iterators).
 *   - While there is one thread, it stores into lists that it does not own without opening them: nobody else can read.
 *   - list.sort takes the items out of reach meanwhile, and publishes them when the list has been opened under it.
 *   - A list that is made while another one's lock is waited for is tracked (gc.get_objects finds it) only when it is complete.
 * Opening costs one look at each item, once: far less than what a collection spends on the list. */
#ifndef BRAID_LIST_H
#define BRAID_LIST_H

#include "Python.h"
#include "container.h"

static inline Py_ALWAYS_INLINE size_t list_items_capacity(PyObject *const *items) { return ((const size_t *)items)[-1]; }

/* In the shift counter's word (hdr_shape). */
#define LIST_OPEN 0x40000000u

static inline Py_ALWAYS_INLINE int list_is_open(PyListObject *self)
{
    return (__atomic_load_n(&self->ob_base.ob_base.hdr_shape, __ATOMIC_ACQUIRE) & LIST_OPEN) != 0;    /* pairs with list_open_locked */
}
/* The gate: may this thread read self without its lock? */
static inline Py_ALWAYS_INLINE int list_may_read(PyListObject *self)
{
    return object_is_mine((PyObject *)self) || list_is_open(self);
}
/* self is the calling thread's own, and nobody else reads it without its lock. */
static inline Py_ALWAYS_INLINE int list_is_closed(PyListObject *self)
{
    return object_is_mine((PyObject *)self) && !list_is_open(self);
}
/* Publishes the items and opens the list.  Locks: caller holds self's lock.  Escapes never */
void list_open_locked(PyListObject *self);
/* Takes self's lock, for container_unlock(self, locked); who is not the owner opens the list.  Not `locked`, which is 0 also for who is
 * in a critical section on self already, but whether there are threads decides. */
static inline Py_ALWAYS_INLINE int list_lock(PyListObject *self)
{
    int locked = container_lock(self);
    if (runtime_is_multi() && Py_UNLIKELY(!list_may_read(self)))
        list_open_locked(self);
    return locked;
}

/* The slow half of list_read_item_ref: under the lock. */
PyObject *list_read_item_locking(PyListObject *self, Py_ssize_t i);

/* Item i (not negative) as a new reference; NULL without exception if there is none.  Never escapes. */
static inline Py_ALWAYS_INLINE PyObject *list_read_item_ref(PyListObject *self, Py_ssize_t i)
{
    if (Py_LIKELY(list_may_read(self))) {
        if ((size_t)i >= (size_t)__atomic_load_n(&self->ob_base.ob_size, __ATOMIC_ACQUIRE))
            return NULL;
        PyObject **items = __atomic_load_n(&self->ob_item, __ATOMIC_ACQUIRE);
        if (Py_LIKELY((size_t)i < list_items_capacity(items))) {
            PyObject *item = __atomic_load_n(&items[i], __ATOMIC_ACQUIRE);  /* pairs with list_put */
            if (Py_LIKELY(item != NULL && object_try_incref(item)))
                return item;
        }
    }
    return list_read_item_locking(self, i);
}

int list_append_steal_slow(PyListObject *self, PyObject *item);

/* Appends item.
 * Steals   item, on failure too
 * Returns  0, or -1 with MemoryError
 * Locks    self
 * Escapes  never (on failure item is dropped) */
static inline Py_ALWAYS_INLINE int list_append_steal(PyListObject *self, PyObject *item)
{
    if (Py_LIKELY(!runtime_is_multi())) {
        Py_ssize_t n = self->ob_base.ob_size;
        if (Py_LIKELY(n < self->allocated)) {
            if (list_is_open(self))
                object_publish(item);
            __atomic_store_n(&self->ob_item[n], item, __ATOMIC_RELEASE);
            __atomic_store_n(&self->ob_base.ob_size, n + 1, __ATOMIC_RELEASE);
            return 0;
        }
    }
    return list_append_steal_slow(self, item);
}

int list_store_item_slow(PyListObject *self, Py_ssize_t i, PyObject *value);

/* self[i] = value; i is not negative.
 * Steals   value, on failure too
 * Returns  0, or -1 with IndexError
 * Locks    self
 * Escapes  by dropping the old item */
static inline Py_ALWAYS_INLINE int list_store_item(PyListObject *self, Py_ssize_t i, PyObject *value)
{
    if (Py_LIKELY(!runtime_is_multi()) && Py_LIKELY((size_t)i < (size_t)self->ob_base.ob_size)) {
        PyObject *old = self->ob_item[i];
        if (list_is_open(self))
            object_publish(value);
        __atomic_store_n(&self->ob_item[i], value, __ATOMIC_RELEASE);
        Py_XDECREF(old);
        return 0;
    }
    return list_store_item_slow(self, i, value);
}

/* A tracked, closed list of n > 0 items that are undefined: the caller stores them at once, before anything can escape. */
PyListObject *list_new_to_fill(Py_ssize_t n);
/* An empty list that is not tracked: nobody else can find it.  The caller fills it without a lock, which it may do after waiting for
 * locks of others, and calls object_track. */
PyListObject *list_new_unseen(void);
/* A list of n items. Steals the references in items, on failure too. */
PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n);
/* The same without stealing. */
PyObject *list_from_array(PyObject *const *items, Py_ssize_t n);

/* An array of new references to all items at one moment, for whoever runs code while it walks them.
 * Returns  the number of items; *items is freed with list_snapshot_free (also drops the references), may be `room` (of
 *          room_size words) if they fit there; -1 with MemoryError
 * Locks    self.  Escapes never */
Py_ssize_t list_snapshot(PyListObject *self, PyObject **room, Py_ssize_t room_size, PyObject ***items);
void list_snapshot_free(PyObject **room, PyObject **items, Py_ssize_t n);

/* Appends n items at once.  Steals the references, on failure too. */
int list_extend_array_steal(PyListObject *self, PyObject *const *items, Py_ssize_t n);
/* list.extend(iterable): 0 or -1. */
int list_extend(PyListObject *self, PyObject *iterable);
/* While there are threads: what a list, dict, set or dict view (also of a subclass that does not redefine iteration) holds at one moment, for
 * functions that walk an iterable as a whole.  1; 0 with *list NULL: iterate as usual; -1 with an exception. */
int list_from_shared(PyObject *iterable, PyObject **list);
/* Removes and returns item i (negative counts from the end); NULL with IndexError. */
PyObject *list_pop_item(PyListObject *self, Py_ssize_t i);
PyObject *list_concat(PyListObject *a, PyListObject *b);
PyObject *list_repeat(PyListObject *self, Py_ssize_t n);
/* self[start:start+n*step:step] in a new list; the bounds are fitted to the length at that moment. */
PyObject *list_get_slice(PyListObject *self, Py_ssize_t low, Py_ssize_t high);
/* list.sort with key (NULL or a callable).  Returns 0 or -1.  Escapes */
int list_sort(PyListObject *self, PyObject *keyfunc, int reverse);
/* Stable sort of keys[0..n), moving values (NULL or an array of n) along.
 * Returns  0, or -1 with an exception; then the arrays hold a permutation of what they held.  Escapes */
int list_sort_array(PyObject **keys, PyObject **values, Py_ssize_t n);

/* ---- For the files of list ---- */

/* A new items array with `used` slots left to the caller to fill, the rest NULL. NULL without exception. */
PyObject **list_items_alloc(size_t capacity, size_t used);
size_t list_items_bytes(PyObject *const *items);
/* The array of a list without items: shared, capacity 0. */
extern struct list_empty_items { size_t capacity; PyObject *end[1]; } list_empty_items;
#define LIST_NO_ITEMS (list_empty_items.end)

/* Frees an array that was taken out of self. Locks: caller holds self's lock. */
void list_retire_items_locked(PyListObject *self, PyObject **items);
/* Makes room for `capacity` items, keeping what is there. 0, or -1 without exception and self unchanged. */
int list_reserve_locked(PyListObject *self, Py_ssize_t capacity);
/* Appends item (the reference is stolen on success only). 0 or -1 without exception. */
int list_append_locked(PyListObject *self, PyObject *item);
/* Replaces items [low, high) by n new ones whose references are stolen on success; the displaced references are stored in
 * displaced[0..high-low).  Returns 0, or -1 without exception and self unchanged. */
int list_splice_locked(PyListObject *self, Py_ssize_t low, Py_ssize_t high, PyObject *const *fresh, Py_ssize_t n,
                       PyObject **displaced);
/* Stores item in a slot that readers can see.  Locks: caller holds self's lock (list_lock) */
static inline void list_put(PyListObject *self, PyObject **slot, PyObject *item)
{
    if (list_is_open(self))
        object_publish(item);
    __atomic_store_n(slot, item, __ATOMIC_RELEASE);     /* pairs with list_read_item_ref */
}
static inline void list_set_size(PyListObject *self, Py_ssize_t n)
{
    __atomic_store_n(&self->ob_base.ob_size, n, __ATOMIC_RELEASE);
}
/* The next state of the shift counter, which never looks like a shape id; LIST_OPEN stays. */
static inline uint32_t list_shifted(uint32_t word) { return ((word + 1) & (LIST_OPEN - 1)) | (word & LIST_OPEN); }
static inline void list_begin_shift(PyListObject *self)
{
    uint32_t *counter = &self->ob_base.ob_base.hdr_shape;
    __atomic_store_n(counter, list_shifted(*counter), __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}
static inline void list_end_shift(PyListObject *self)
{
    uint32_t *counter = &self->ob_base.ob_base.hdr_shape;
    __atomic_store_n(counter, list_shifted(*counter), __ATOMIC_RELEASE);
}
static inline uint32_t list_shift_counter(PyListObject *self)
{
    return __atomic_load_n(&self->ob_base.ob_base.hdr_shape, __ATOMIC_ACQUIRE);
}

PyObject *list_method_sort(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *list_iter(PyObject *self);
PyObject *list_reversed(PyObject *self, PyObject *unused);
PyObject *list_subscript(PyObject *self, PyObject *index);
int list_ass_subscript(PyObject *self, PyObject *index, PyObject *value);
int list_contains(PyObject *self, PyObject *value);
PyObject *list_richcompare(PyObject *a, PyObject *b, int op);
int list_tp_clear(PyObject *self);
void list_dealloc(PyObject *self);
PyObject *list_item(PyObject *self, Py_ssize_t i);
int list_ass_item(PyObject *self, Py_ssize_t i, PyObject *value);
PyObject *list_method_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *list_method_count(PyObject *self, PyObject *value);
PyObject *list_method_remove(PyObject *self, PyObject *value);

/* ---- Iterators ---- */

/* it_index is -1 after the end.  it_seq stays until the iterator dies, unless nobody else can be using the iterator. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t it_index;        /* [atomic] */
    PyListObject *it_seq;       /* [const] or NULL */
} PyListIterObject;

/* Marks the end. */
void list_iter_finish(PyListIterObject *it);

/* The next item as a new reference; NULL without exception at the end.  Two threads that share an iterator may get the same
 * item.  Escapes at the end only (may drop the list). */
static inline Py_ALWAYS_INLINE PyObject *list_iter_next(PyListIterObject *it)
{
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i < 0)
        return NULL;
    PyObject *item = list_read_item_ref(it->it_seq, i);
    if (Py_LIKELY(item != NULL))
        __atomic_store_n(&it->it_index, i + 1, __ATOMIC_RELAXED);
    else
        list_iter_finish(it);
    return item;
}

#endif /* BRAID_LIST_H */
