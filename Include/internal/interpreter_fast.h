/* Fast paths of the interpreter loop over containers and iterators: results are slot references. */
#ifndef BRAID_INTERPRETER_FAST_H
#define BRAID_INTERPRETER_FAST_H

#include "frame.h"
#include "list.h"
#include "range.h"
#include "tuple.h"

/* list[index] for a non-negative index in range, read without a lock; NULL: take the general path. */
static inline Py_ALWAYS_INLINE PyObject *list_read_item_slot(PyObject *op, int64_t index)
{
    PyListObject *list = (PyListObject *)op;
    if (Py_UNLIKELY(!list_may_read(list))
        || (size_t)index >= (size_t)__atomic_load_n(&list->ob_base.ob_size, __ATOMIC_ACQUIRE))
        return NULL;
    PyObject **items = __atomic_load_n(&list->ob_item, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY((size_t)index >= list_items_capacity(items)))
        return NULL;
    PyObject *item = __atomic_load_n(&items[index], __ATOMIC_ACQUIRE);      /* pairs with list_put */
    return item != NULL && slot_try_incref(item) ? item : NULL;
}

/* One step of an iterator that no other thread uses; NULL: the general path (also at the end). */
static inline Py_ALWAYS_INLINE PyObject *list_iterator_step_slot(PyObject *op)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i < 0)
        return NULL;
    PyObject *item = list_read_item_slot((PyObject *)it->it_seq, i);
    if (Py_LIKELY(item != NULL))
        __atomic_store_n(&it->it_index, i + 1, __ATOMIC_RELAXED);
    return item;
}

/* list[index], a tuple of n items, taken apart: to[0..n) get its items as slot references, and no reference to the tuple is taken.
 * One of our own is alive (2.2).  Of another thread's tuple the items are taken if they are immediates: they stay what they are
 * until its memory is handed back, which an open list's item waits for (2.4).  1; 0: nothing was done. */
static inline Py_ALWAYS_INLINE int list_unpack_item(PyListObject *list, Py_ssize_t index, unsigned n, PyObject **to)
{
    if (Py_UNLIKELY(!list_may_read(list)) || (size_t)index >= (size_t)__atomic_load_n(&list->ob_base.ob_size, __ATOMIC_ACQUIRE))
        return 0;
    PyObject **items = __atomic_load_n(&list->ob_item, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY((size_t)index >= list_items_capacity(items)))
        return 0;
    PyObject *tuple = __atomic_load_n(&items[index], __ATOMIC_ACQUIRE);     /* pairs with list_put */
    if (tuple == NULL || !heap_is_type(tuple, &PyTuple_Type) || PyTuple_GET_SIZE(tuple) != (Py_ssize_t)n)
        return 0;
    if (!object_is_mine(tuple))
        for (unsigned i = 0; i < n; i++)
            if (value_is_heap(PyTuple_GET_ITEM(tuple, i)))
                return 0;
    for (unsigned i = 0; i < n; i++)
        to[i] = slot_copy(PyTuple_GET_ITEM(tuple, i));
    return 1;
}

/* One step of an iterator that no other thread uses, with the item taken apart as above. */
static inline Py_ALWAYS_INLINE int list_iterator_unpack_step(PyObject *op, unsigned n, PyObject **to)
{
    PyListIterObject *it = (PyListIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i < 0 || !list_unpack_item(it->it_seq, i, n, to))
        return 0;
    __atomic_store_n(&it->it_index, i + 1, __ATOMIC_RELAXED);
    return 1;
}

static inline Py_ALWAYS_INLINE PyObject *tuple_iterator_step_slot(PyObject *op)
{
    PyTupleIterObject *it = (PyTupleIterObject *)op;
    Py_ssize_t i = __atomic_load_n(&it->it_index, __ATOMIC_RELAXED);
    if (i < 0 || i >= PyTuple_GET_SIZE(it->it_seq))
        return NULL;
    __atomic_store_n(&it->it_index, i + 1, __ATOMIC_RELAXED);
    return slot_copy(PyTuple_GET_ITEM(it->it_seq, i));
}

#endif /* BRAID_INTERPRETER_FAST_H */
