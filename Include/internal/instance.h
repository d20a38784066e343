/* Attributes of instances: inline slots described by a shape (shape.h), or a dict.
 *
 * Mode.  hdr_shape != 0: the attributes are in the inline slots; the dict pointer is NULL.  hdr_shape == 0: *dict mode*: they are in
 * the dict at tp_dictoffset, which is made when the first one is stored.  The mode changes once, from inline to dict, when
 * somebody asks for __dict__ (also vars(), C code with _PyObject_GetDictPtr), when an attribute finds no room, or when
 * its name is not an exact, interned str.  copy and pickle take the state without changing the mode.
 *
 * Dict mode is not slow: instances that gained their attributes in the same order have them at the same entry numbers of their
 * dicts, so a cache keeps (type version, entry number) as a *hint*: instance_dict_read_hint checks it by the entry's key.
 *
 * Slots: NULL unset or deleted; SHAPE_TOMBSTONE in an instance that has gone to dict mode; else a counted, published
 * reference.
 *   read        shape, slot (acquire), try_incref.  No gate is needed: a slot is never replaced as memory, and its content is published.
 *   overwrite   CAS(slot, old, new) without a lock; whoever meets NULL or TOMBSTONE takes the lock (finding 9).
 *   add, delete under the object's lock; slot first, then hdr_shape (release).
 *   to dict     under the lock: hdr_shape = 0, each slot is exchanged for TOMBSTONE and its content moved to a fresh dict, last
 *               the dict pointer.  Who finds shape 0 and no dict takes the lock and looks again (instance_get_attr does). */
#ifndef BRAID_INSTANCE_H
#define BRAID_INSTANCE_H

#include "dict.h"
#include "shape.h"

/* op is a heap object. 0 for what has no inline attributes. */
static inline Py_ALWAYS_INLINE uint32_t instance_shape(PyObject *op)
{
    return __atomic_load_n(&op->hdr_shape, __ATOMIC_ACQUIRE);       /* pairs with instance_set_attr */
}

static inline Py_ALWAYS_INLINE PyObject **instance_slot(PyObject *op, uint32_t offset)
{
    return (PyObject **)((char *)op + offset);
}

/* The end of instance_overwrite_slot if another thread writes to the slot as well; value has been counted for it. */
int instance_overwrite_contended(PyObject *op, uint32_t offset, PyObject *value, PyObject **old);

/* Overwrites a bound slot of an instance whose shape has been compared.
 * value    stays the caller's; the slot takes a reference of its own
 * Returns  1, *old is the reference displaced; 0: the slot is unset or dead, nothing was changed: take the slow path
 * Escapes  never; may wait (detached) for other writers */
static inline Py_ALWAYS_INLINE int instance_overwrite_slot(PyObject *op, uint32_t offset, PyObject *value, PyObject **old)
{
    PyObject **slot = instance_slot(op, offset);
    PyObject *found = __atomic_load_n(slot, __ATOMIC_RELAXED);
    if (Py_UNLIKELY(found == NULL || found == SHAPE_TOMBSTONE))
        return 0;
    object_publish(value);
    Py_INCREF(value);
    if (!runtime_is_multi()) {
        *slot = value;
        *old = found;
        return 1;
    }
    PyObject *expected = found;
    if (Py_UNLIKELY(!__atomic_compare_exchange_n(slot, &expected, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
        return instance_overwrite_contended(op, offset, value, old);
    *old = found;
    return 1;
}

/* Adds an attribute to an instance of shape `from`: it goes to offset, the first slot behind those in use, and the shape becomes `to`.
 * Returns  1; 0: op has another shape by now, nothing was changed
 * Escapes  never; may wait for op's lock */
int instance_add_slot(PyObject *op, uint32_t from, uint32_t offset, uint32_t to, PyObject *value);

/* ---- Attributes by name; name is an exact str (need not be interned) ---- */

/* The instance's own attribute as a new reference; no descriptors, no class.
 * Returns  1; 0: absent, *result NULL; -1: exception
 * Escapes  by __eq__ of foreign keys in dict mode only */
int instance_get_attr(PyObject *op, PyObject *name, PyObject **result);
/* Sets it; value NULL deletes.
 * Returns  0; 1: nothing there to delete, or op can have no attributes (no exception set); -1: exception
 * Escapes  by dropping the old value */
int instance_set_attr(PyObject *op, PyObject *name, PyObject *value);

/* ---- __dict__ ---- */

/* Address of the dict pointer, or NULL if op has none (no mode change: may be NULL with attributes inline). */
PyObject **instance_dict_pointer(PyObject *op);
/* Address of the dict pointer; an op with inline attributes goes to dict mode first. NULL: none, or MemoryError is set. */
PyObject **instance_dict_pointer_materialised(PyObject *op);
/* The instance's dict as a new reference, made if need be: op is in dict mode afterwards.
 * Returns  NULL with AttributeError if op can have none */
PyObject *instance_get_dict(PyObject *op);
/* The dict if there is one already: new reference, or NULL without exception. Does not change the mode. */
PyObject *instance_peek_dict(PyObject *op);
/* Replaces the dict (a dict or NULL; checked by the caller). 0 or -1. */
int instance_set_dict(PyObject *op, PyObject *dict);
/* A new dict with the instance's present attributes; the mode stays. NULL with MemoryError. */
PyObject *instance_copy_attrs(PyObject *op);
/* No attributes at this moment? */
int instance_is_empty(PyObject *op);
/* Moves inline attributes to a dict.  0, or -1 with MemoryError (op is unchanged). */
int instance_to_dict_mode(PyObject *op);

/* ---- Dict mode with hints, for caches ---- */

/* Entry number of an interned name in op's dict, or -1 (no dict, no such key, not cacheable). */
int64_t instance_dict_hint(PyObject *op, PyObject *name);
/* The value if entry `hint` of op's dict is name's, else NULL: borrowed, good for a try_incref before the next safe point.
 * dict_offset: the type's tp_dictoffset, > 0. */
static inline Py_ALWAYS_INLINE PyObject *instance_dict_read_hint_racy(PyObject *op, uint32_t dict_offset, PyObject *name,
                                                                      uint32_t hint)
{
    PyDictObject *dict = (PyDictObject *)__atomic_load_n(instance_slot(op, dict_offset), __ATOMIC_ACQUIRE);
    if (dict == NULL || Py_UNLIKELY(!dict_may_read(dict)))
        return NULL;
    PyDictKeysObject *keys = __atomic_load_n(&dict->ma_keys, __ATOMIC_ACQUIRE);
    if ((Py_ssize_t)hint >= __atomic_load_n(&keys->count, __ATOMIC_ACQUIRE))
        return NULL;
    dict_entry *entry = &keys->entries[hint];
    if (__atomic_load_n(&entry->key, __ATOMIC_ACQUIRE) != name)
        return NULL;
    return __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
}

/* ---- Life ---- */

/* tp_traverse and tp_clear of the attributes (slots and dict); used by the types' own functions. */
int instance_traverse_attrs(PyObject *op, visitproc visit, void *arg);
void instance_clear_attrs(PyObject *op);

#endif /* BRAID_INSTANCE_H */
