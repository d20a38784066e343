/* The list of pieces that a split has found. */
#include "item_collector.h"

int item_collector_grow(item_collector_t *c)
{
    Py_ssize_t size = c->size * 2;
    PyObject **items = c->items == c->inline_items ? PyMem_Malloc((size_t)size * sizeof(*items))
                                                   : PyMem_Realloc(c->items, (size_t)size * sizeof(*items));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (c->items == c->inline_items)
        memcpy(items, c->inline_items, sizeof(c->inline_items));
    c->items = items;
    c->size = size;
    return 0;
}

PyObject *item_collector_finish(item_collector_t *c, int ok, int reverse)
{
    PyObject *list = NULL;
    if (reverse)
        for (Py_ssize_t i = 0, j = c->n - 1; i < j; i++, j--) {
            PyObject *item = c->items[i];
            c->items[i] = c->items[j];
            c->items[j] = item;
        }
    if (ok)
        list = list_from_array_steal(c->items, c->n);
    else
        for (Py_ssize_t i = 0; i < c->n; i++)
            Py_DECREF(c->items[i]);
    if (c->items != c->inline_items)
        PyMem_Free(c->items);
    return list;
}
