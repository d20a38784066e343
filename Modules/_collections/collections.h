/* What the files of the _collections module share. */
#ifndef BRAID_COLLECTIONS_H
#define BRAID_COLLECTIONS_H

#include "Python.h"

#include "internal/module.h"

extern PyTypeObject deque_type, deque_iter_type, deque_reverse_iter_type, defaultdict_type, tuplegetter_type;

PyObject *collections_count_elements(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* A deque is a ring of `capacity` (a power of two) places. Everything in it is read and written under its lock. */
typedef struct {
    PyObject_HEAD
    PyObject **ring;        /* [lock] */
    Py_ssize_t capacity;    /* [lock] 0 or a power of two */
    Py_ssize_t head;        /* [lock] place of the first item */
    Py_ssize_t size;        /* [lock] */
    Py_ssize_t maxlen;      /* [lock] -1: none; changed by __init__ alone */
    size_t state;           /* [lock] grows with every change of the order or number of items */
    PyObject *weakrefs;
} DequeObject;

/* The item at 0 <= i < size, borrowed. The lock is held. */
static inline PyObject **deque_place(DequeObject *d, Py_ssize_t i)
{
    return &d->ring[(size_t)(d->head + i) & (size_t)(d->capacity - 1)];
}

/* len() reads it without the lock. */
static inline void deque_set_size(DequeObject *d, Py_ssize_t size) { __atomic_store_n(&d->size, size, __ATOMIC_RELAXED); }

PyObject *deque_iter_new(PyObject *deque);
PyObject *deque_reversed(PyObject *deque, PyObject *unused);

#endif /* BRAID_COLLECTIONS_H */
