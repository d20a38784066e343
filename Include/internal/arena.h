/* Arena: memory with one common end of life, for the syntax tree and what hangs on it.
 *
 * Everything allocated from an arena is freed at once by arena_free, without visiting it. References that nodes hold
 * (constants, identifiers) are owned by the arena, so nodes themselves are never finalised.
 * An arena belongs to one thread at a time; no function takes a lock. */
#ifndef BRAID_INTERNAL_ARENA_H
#define BRAID_INTERNAL_ARENA_H

#include <Python.h>

typedef struct arena arena;
struct arena_chunk;

struct arena {
    char *next, *limit;             /* [owner] free room of the newest chunk */
    struct arena_chunk *chunks;     /* [owner] newest first */
    PyObject **objects;             /* [owner] references given back at the end */
    Py_ssize_t objects_used, objects_room;
};

/* Returns  a new arena, or NULL with MemoryError set */
arena *arena_new(void);

/* Frees the memory and drops the references. NULL is allowed.
 * Escapes  yes, by dropping references */
void arena_free(arena *a);

void *arena_alloc_slow(arena *a, size_t size);

/* Makes the arena hold a reference until its end.
 * Steals   object, on failure too; NULL is allowed and fails
 * Returns  0, or -1 with an exception set */
int arena_keep_steal(arena *a, PyObject *object);

/* Returns  size bytes, 8-aligned and not cleared, or NULL with MemoryError set */
static inline void *arena_alloc(arena *a, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (size <= (size_t)(a->limit - a->next)) {
        void *p = a->next;
        a->next += size;
        return p;
    }
    return arena_alloc_slow(a, size);
}

#endif
