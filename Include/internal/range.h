/* Layouts of range and of its iterators.
 *
 * A range is immutable.  One whose items are all immediate ints, which is nearly every one, has `is_small` set and
 * start, end and step in C integers, where end = start + length * step, so that an iterator is exhausted exactly when
 * next == end.  The start, stop and step that the program sees are in the three objects.
 *
 * The state of a small iterator is the single word `next`.  It is read and written with relaxed atomics, so a race
 * between two threads can hand out an item twice but can never leave the range.  Iterators that another thread can
 * plainly see (not owned or published) step by compare-and-swap and hand out each item once. */
#ifndef BRAID_INTERNAL_RANGE_H
#define BRAID_INTERNAL_RANGE_H

#include "Python.h"

#include "internal/abstract.h"

typedef struct {
    PyObject_HEAD
    PyObject *start, *stop, *step, *length;     /* [const] exact ints */
    int64_t c_start, c_end, c_step;             /* [const] valid if is_small */
    int is_small;
} RangeObject;

typedef struct {
    PyObject_HEAD
    int64_t next;       /* [atomic] value of the next item; == end: exhausted */
    int64_t end;        /* [const] start + length * step */
    int64_t step;       /* [const] never 0 */
    int64_t start;      /* [const] for __reduce__ and __setstate__ */
} RangeIterObject;

/* Takes the next item. Returns 1, or 0 when exhausted. Never escapes. For iterators that this thread alone uses, or
 * where a repeated item under a race does no harm. */
static inline Py_ALWAYS_INLINE int range_iter_step(RangeIterObject *it, int64_t *value)
{
    int64_t v = __atomic_load_n(&it->next, __ATOMIC_RELAXED);
    if (v == it->end)
        return 0;
    __atomic_store_n(&it->next, v + it->step, __ATOMIC_RELAXED);
    *value = v;
    return 1;
}
/* The same, each item once among all threads that use this form. */
static inline int range_iter_step_shared(RangeIterObject *it, int64_t *value)
{
    int64_t v = __atomic_load_n(&it->next, __ATOMIC_RELAXED);
    do {
        if (v == it->end)
            return 0;
    } while (!__atomic_compare_exchange_n(&it->next, &v, v + it->step, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *value = v;
    return 1;
}
/* May this thread use range_iter_step on it? */
static inline Py_ALWAYS_INLINE int range_iter_is_private(RangeIterObject *it)
{
    return iter_is_private((PyObject *)it);
}

/* Sets *start, *end, *step of a small range; returns 0 if op is not an exact range of that kind. */
static inline int range_get_small(PyObject *op, int64_t *start, int64_t *end, int64_t *step)
{
    if (!heap_is_type(op, &PyRange_Type) || !((RangeObject *)op)->is_small)
        return 0;
    *start = ((RangeObject *)op)->c_start;
    *end = ((RangeObject *)op)->c_end;
    *step = ((RangeObject *)op)->c_step;
    return 1;
}

/* A fresh range_iterator; start, end and step as above, every item an immediate int. */
PyObject *range_iter_new(int64_t start, int64_t end, int64_t step);
/* range(start, stop, step) from C integers. */
PyObject *range_new_from_ints(int64_t start, int64_t stop, int64_t step);

#endif /* BRAID_INTERNAL_RANGE_H */
