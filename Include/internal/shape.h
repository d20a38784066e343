/* Shapes: which attributes the inline slots of an instance hold.
 *
 *      instance   header: hdr_shape = id     base C struct | __slots__ | weaklist | dict | slot 0 | slot 1 | ...
 *                                                                                        ^ type->tp_inline_offset
 *      shape      id, type, names[0..count), capacity (slots allocated), transitions by name
 *
 * A class's *root* shape describes a fresh instance: no attributes yet, `capacity` slots allocated.  Adding an attribute
 * leads along a transition to the shape with one name more; that attribute lives in slot count-1 for good.  Deleting
 * one stores NULL and keeps the shape; the slot is never used for another name.  An id implies the type, the names and
 * the capacity.
 *
 * Ids are unique in the process and never reused; SHAPE_ID_TAG is set in all of them (so that none is mistaken for a
 * list's shift counter).  An instance with hdr_shape 0 is in *dict mode*: its attributes are in its dict, if it has any.
 *
 * A class starts with a provisional root of generous capacity; after a few instances a root of the capacity that they
 * needed takes its place, and one that is larger again when later instances spill (an instance that spills goes to dict mode).
 *
 * Shapes are immutable but for their transitions, which are only ever added; they live as long as their type's memory.
 * Names are interned (immortal) strings, compared by identity. */
#ifndef BRAID_SHAPE_H
#define BRAID_SHAPE_H

#include "Python.h"

#define SHAPE_ID_TAG 0x80000000u
#define SHAPE_MAX_SLOTS 64
/* Content of a slot of an instance that has gone to dict mode. Neither a pointer nor a number: skipped by Py_INCREF, Py_VISIT. */
#define SHAPE_TOMBSTONE ((PyObject *)(uintptr_t)12)

typedef struct shape shape_t;
struct shape {
    uint32_t id;                /* [stopped] changes when the tree is renumbered */
    uint16_t count;             /* [const] names, so slots in use */
    uint16_t capacity;          /* [const] slots allocated in an instance */
    uint32_t inline_offset;     /* [const] the type's tp_inline_offset */
    uint8_t provisional;        /* [const] instances of this root are counted, to learn their size */
    uint64_t filter;            /* [const] bit set of the names' hashes: a miss is mostly seen here */
    PyTypeObject *type;         /* [const] uncounted */
    PyObject **names;           /* [const] names[0..count); the array may be shared with other shapes */
    shape_t *parent;            /* [const] the shape without the last name; NULL for a root */
    shape_t *children;          /* [atomic; added to under the shape lock] */
    shape_t *sibling;           /* [const] next child of parent */
    struct shape_names *store;  /* [lock] the array's header */
    shape_t *all_next;          /* [lock] all shapes of the type */
};

#define SHAPE_PAGE_BITS 12
#define SHAPE_INDEX_LIMIT (1u << 28)
extern shape_t **shape_table[SHAPE_INDEX_LIMIT >> SHAPE_PAGE_BITS];

/* id is that of an object at hand (its type is alive), not 0. */
static inline Py_ALWAYS_INLINE shape_t *shape_from_id(uint32_t id)
{
    uint32_t index = id & ~SHAPE_ID_TAG;
    shape_t **page = __atomic_load_n(&shape_table[index >> SHAPE_PAGE_BITS], __ATOMIC_ACQUIRE);     /* pairs with shape_new */
    return __atomic_load_n(&page[index & ((1u << SHAPE_PAGE_BITS) - 1)], __ATOMIC_ACQUIRE);
}

static inline Py_ALWAYS_INLINE uint64_t shape_filter_bit(PyObject *name)
{
    return (uint64_t)1 << (((uintptr_t)name >> 4 ^ (uintptr_t)name >> 10) & 63);
}
int shape_find_slow(const shape_t *shape, PyObject *name);
/* Slot of an interned name, or -1.  Lock-free, never escapes. */
static inline Py_ALWAYS_INLINE int shape_find(const shape_t *shape, PyObject *name)
{
    return shape->filter & shape_filter_bit(name) ? shape_find_slow(shape, name) : -1;
}
static inline Py_ALWAYS_INLINE uint32_t shape_slot_offset(const shape_t *shape, int slot)
{
    return shape->inline_offset + 8u * (uint32_t)slot;
}

/* The shape with one name more: found, or made.
 * name     interned, not in shape
 * Returns  NULL if there is no room (count == capacity; the class then gets a larger root), or shape may not grow (too many
 *          shapes, no memory): the instance has to go to dict mode
 * Locks    the shape lock, a leaf.  Escapes never; may detach while it waits */
shape_t *shape_transition(shape_t *shape, PyObject *name);
/* The same if the transition exists already, else NULL. Lock-free. */
shape_t *shape_transition_peek(const shape_t *shape, PyObject *name);

/* Gives a class its first root; capacity 0: instances have no inline attributes.  0 or -1 without exception. */
int shape_root_init(PyTypeObject *type, uint32_t inline_offset);
/* The root of a fresh instance; NULL: no inline attributes.  Counts the instances of a provisional root. */
static inline Py_ALWAYS_INLINE shape_t *shape_root(PyTypeObject *type)
{
    uint32_t id = __atomic_load_n(&type->tp_root_shape, __ATOMIC_ACQUIRE);
    return Py_LIKELY(id != 0) ? shape_from_id(id) : NULL;
}
void shape_note_instance(shape_t *root);
/* A shape of `type` with the same names and capacity as `shape` (of a class with the same layout), or NULL. */
shape_t *shape_translate(shape_t *shape, PyTypeObject *type);

/* Tells fork about the shape lock. */
void shape_init_lock(void);
/* Frees all shapes of a type whose memory is about to be released. */
void shape_free_all(PyTypeObject *type);

/* Does any shape of type know this name?  name NULL: does it have any shape that an instance may have? */
int shape_tree_has_name(PyTypeObject *type, PyObject *name);
/* Gives all shapes of the type new ids, so that no cache matches them any more. The same pause must then replace hdr_shape of
 * every instance by shape_from_id(hdr_shape)->id (old ids still lead to the shape).  0, or -1 if ids have run out */
int shape_tree_renumber_stopped(PyTypeObject *type);

#endif /* BRAID_SHAPE_H */
