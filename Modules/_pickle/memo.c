/* The memo of a pickler: open addressing by the object's address. */
#include "pickle_internal.h"

static size_t slot_of(const memo_t *memo, PyObject *key)
{
    size_t mask = memo->size - 1, i = ((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15u >> 24;
    for (i &= mask; memo->table[i].key != NULL && memo->table[i].key != key; i = (i + 1) & mask)
        ;
    return i;
}

Py_ssize_t memo_find(const memo_t *memo, PyObject *key)
{
    if (memo->used == 0)
        return -1;
    struct memo_entry *entry = &memo->table[slot_of(memo, key)];
    return entry->key == NULL ? -1 : entry->index;
}

static int grow(memo_t *memo)
{
    memo_t bigger = {.size = memo->size == 0 ? 32 : memo->size * 4, .used = memo->used};
    bigger.table = PyMem_Calloc(bigger.size, sizeof(struct memo_entry));
    if (bigger.table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < memo->size; i++)
        if (memo->table[i].key != NULL)
            bigger.table[slot_of(&bigger, memo->table[i].key)] = memo->table[i];
    PyMem_Free(memo->table);
    *memo = bigger;
    return 0;
}

int memo_add(memo_t *memo, PyObject *key, Py_ssize_t index)
{
    if (memo->used * 3 >= memo->size * 2 && grow(memo) < 0)
        return -1;
    struct memo_entry *entry = &memo->table[slot_of(memo, key)];
    if (entry->key == NULL) {
        entry->key = Py_NewRef(key);
        memo->used++;
    }
    entry->index = index;
    return 0;
}

void memo_clear(memo_t *memo)
{
    memo_t old = *memo;
    *memo = (memo_t){NULL, 0, 0};
    for (size_t i = 0; i < old.size; i++)
        Py_XDECREF(old.table[i].key);
    PyMem_Free(old.table);
}
