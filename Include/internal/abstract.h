/* The slot dispatch behind the operators, for the interpreter loop and for slot wrappers. */
#ifndef BRAID_INTERNAL_ABSTRACT_H
#define BRAID_INTERNAL_ABSTRACT_H

#include "Python.h"

/* Binary operators, by the offset of their slot in PyNumberMethods. */
#define NUMBER_SLOT(name) offsetof(PyNumberMethods, name)

/* a OP b through the number slots alone. Returns a new reference, Py_NotImplemented, or NULL with an exception. */
PyObject *number_binary_slots(PyObject *a, PyObject *b, size_t slot);

/* `for` and unpacking: the item, or NULL; a StopIteration is cleared. */
static inline PyObject *iter_next(PyObject *iter)
{
    return PyIter_Next(iter);
}

/* Does this thread own the object? A field that is only touched while this is true belongs to one thread: the answer
 * changes from true to false at most once, and never while this thread runs. */
static inline Py_ALWAYS_INLINE int iter_is_mine(PyObject *op)
{
    return object_is_mine(op);
}
/* Is it most likely that no other thread uses the object? For choosing between a plain and an atomic step where a race
 * costs a repeated item and nothing worse. */
static inline Py_ALWAYS_INLINE int iter_is_private(PyObject *op)
{
    return object_is_mine(op) && !(object_flags(op) & OBJECT_PUBLISHED);
}
/* Adds 1 to a counter of such an object; returns the old value. */
static inline Py_ssize_t iter_count_step(PyObject *op, Py_ssize_t *counter)
{
    if (iter_is_private(op)) {
        Py_ssize_t n = __atomic_load_n(counter, __ATOMIC_RELAXED);
        __atomic_store_n(counter, n + 1, __ATOMIC_RELAXED);
        return n;
    }
    return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* A step of an exact enumerate object / zip of two iterators, without the tuple.
 * Returns  1, two new references; 0 at the end or with an exception set; zip_next_pair: -1 if it has not two iterators */
int enum_next_pair(PyObject *op, PyObject **number, PyObject **item);
int zip_next_pair(PyObject *op, PyObject **first, PyObject **second);

/* Moves a StopIteration out of the way: 0 if it was one (now cleared) or nothing was set; -1 for other exceptions. */
int iter_clear_stop(void);

#endif /* BRAID_INTERNAL_ABSTRACT_H */
