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
    if (Py_UNLIKELY(!object_may_read(op))
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
