/* The inside of tuple: building from arrays, hashing, the iterator. */
#ifndef BRAID_TUPLE_H
#define BRAID_TUPLE_H

#include "Python.h"

/* The empty tuple: static, immortal. */
extern struct tuple_empty_object { PyVarObject head; PyObject *no_item[1]; } tuple_empty_object;
static inline PyObject *tuple_empty(void) { return (PyObject *)&tuple_empty_object; }

/* A tuple of n uninitialised items, not yet tracked by the collector; n > 0. */
PyTupleObject *tuple_alloc(Py_ssize_t n);
/* A tuple of n items.  Steals the references, on failure too. */
PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n);
/* The same without stealing. */
PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n);
/* (a, b), new reference; does not steal. */
PyObject *tuple_pair(PyObject *a, PyObject *b);
Py_hash_t tuple_hash_items(PyObject *const *items, Py_ssize_t n);

/* it_index is -1 after the end. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t it_index;        /* [atomic] */
    PyTupleObject *it_seq;      /* [const] */
} PyTupleIterObject;

/* The next item as a new reference; NULL without exception at the end.  Escapes at the end, by dropping the tuple. */
/* The end: lets go of the tuple, if nobody else can be reading it. */
void tuple_iter_finish(PyTupleIterObject *it);
static inline Py_ALWAYS_INLINE PyObject *tuple_iter_next(PyTupleIterObject *it)
{
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i >= 0 && i < PyTuple_GET_SIZE(it->it_seq)) {
        __atomic_store_n(&it->it_index, i + 1, __ATOMIC_RELAXED);
        return Py_NewRef(PyTuple_GET_ITEM(it->it_seq, i));
    }
    tuple_iter_finish(it);
    return NULL;
}

#endif /* BRAID_TUPLE_H */
