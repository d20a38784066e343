/* Weak references: what the rest of the interpreter needs beyond the C API.
 *
 * The references to one object form a list that starts at its tp_weaklistoffset: the plain reference without callback
 * first, the plain proxy without callback next, then the others, newest first.  The list, wr_callback and wr_object of
 * its members change under a leaf lock chosen by the target's address.  wr_object is read without it: the target is
 * PUBLISHED, so that its memory outlives the reader's look (finding 11); the reader then tries to take a reference.
 * Weak reference objects are born PUBLISHED: one that dies is still walked over until it has unlinked itself. */
#ifndef BRAID_WEAKREF_H
#define BRAID_WEAKREF_H

#include "Python.h"

/* A new reference to the target, or NULL without an exception if it is gone.  Escapes never */
static inline PyObject *weakref_target(PyObject *ref)
{
    PyObject *target = __atomic_load_n(&((PyWeakReference *)ref)->wr_object, __ATOMIC_ACQUIRE);
    return target != Py_None && object_try_incref(target) ? target : NULL;
}

/* Finds or makes a weak reference of exactly this kind. callback may be NULL.
 * Returns  a new reference, or NULL with an exception */
PyObject *weakref_new(PyTypeObject *type, PyObject *target, PyObject *callback);
/* List of new references to target's weak references. */
PyObject *weakref_list(PyObject *target);
Py_ssize_t weakref_count(PyObject *target);

/* Shared by the types of weakref.c and weakref_proxy.c. */
void weakref_dealloc(PyObject *op);
int weakref_traverse(PyObject *op, visitproc visit, void *arg);
int weakref_clear(PyObject *op);

/* In a pause: clears all weak references to op. Those with a callback that are not SLOT_GARBAGE themselves go to `due`,
 * with one reference taken.  Escapes never */
void weakref_clear_target_stopped(PyObject *op, int (*due)(PyObject *ref, void *arg), void *arg);
/* In a pause: ref, which is garbage itself, lets go of its target, so that its callback is never made.  Escapes never */
void weakref_disarm_stopped(PyObject *ref);
/* Calls ref's callback, if it still has one; errors are reported as unraisable.  Escapes */
void weakref_call_callback(PyObject *ref);
void weakref_after_fork(void);

#endif /* BRAID_WEAKREF_H */
