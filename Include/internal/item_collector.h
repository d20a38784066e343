/* Pieces that a split finds, collected before the list of them is made: on the C stack while they are few.
 *
 *      item_collector_t c;
 *      item_collector_init(&c);
 *      int rc = item_collector_add(&c, item) ...
 *      return item_collector_finish(&c, rc == 0, reverse);     always, also after a failure
 *
 * Belongs to one thread; nothing here escapes as long as the items are strings. */
#ifndef BRAID_ITEM_COLLECTOR_H
#define BRAID_ITEM_COLLECTOR_H

#include "Python.h"
#include "list.h"

typedef struct {
    PyObject **items;
    Py_ssize_t n, size;
    PyObject *inline_items[32];
} item_collector_t;

static inline void item_collector_init(item_collector_t *c)
{
    c->items = c->inline_items;
    c->n = 0;
    c->size = Py_ARRAY_LENGTH(c->inline_items);
}

/* Doubles the room: 0, or -1 with MemoryError. */
int item_collector_grow(item_collector_t *c);

/* Steals item, which may be NULL with an exception set. 0 or -1. */
static inline Py_ALWAYS_INLINE int item_collector_add(item_collector_t *c, PyObject *item)
{
    if (Py_UNLIKELY(item == NULL))
        return -1;
    if (Py_UNLIKELY(c->n == c->size) && item_collector_grow(c) < 0) {
        Py_DECREF(item);
        return -1;
    }
    c->items[c->n++] = item;
    return 0;
}

/* The list of what was collected, or NULL if ok is false. */
PyObject *item_collector_finish(item_collector_t *c, int ok, int reverse);

#endif /* BRAID_ITEM_COLLECTOR_H */
