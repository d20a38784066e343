/* The arena: chunks of memory and references with one common end. */
#include "arena.h"

#define ARENA_CHUNK (256 * 1024 - 64)

struct arena_chunk {
    struct arena_chunk *older;
    size_t padding;             /* keeps the data 16-aligned */
    char data[];
};

arena *arena_new(void)
{
    arena *a = PyMem_Calloc(1, sizeof(arena));
    if (a == NULL)
        PyErr_NoMemory();
    return a;
}

void *arena_alloc_slow(arena *a, size_t size)
{
    /* the first chunk is small: most sources are (eval, f-strings, the prompt) */
    size_t room = a->chunks == NULL ? 8 * 1024 - 64 : ARENA_CHUNK;
    int own = size > room / 4;
    if (size > PY_SSIZE_T_MAX / 2) {
        PyErr_NoMemory();
        return NULL;
    }
    struct arena_chunk *chunk = PyMem_Malloc(sizeof *chunk + (own ? size : room));
    if (chunk == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (own && a->chunks != NULL) {             /* a big block leaves the current chunk in use */
        chunk->older = a->chunks->older;
        a->chunks->older = chunk;
        return chunk->data;
    }
    chunk->older = a->chunks;
    a->chunks = chunk;
    a->next = chunk->data + size;
    a->limit = chunk->data + (own ? size : room);
    return chunk->data;
}

int arena_keep_steal(arena *a, PyObject *object)
{
    if (object == NULL)
        return -1;
    if (a->objects_used == a->objects_room) {
        Py_ssize_t room = a->objects_room * 2 + 64;
        PyObject **bigger = PyMem_Realloc(a->objects, (size_t)room * sizeof(PyObject *));
        if (bigger == NULL) {
            Py_DECREF(object);
            PyErr_NoMemory();
            return -1;
        }
        a->objects = bigger;
        a->objects_room = room;
    }
    a->objects[a->objects_used++] = object;
    return 0;
}

void arena_free(arena *a)
{
    if (a == NULL)
        return;
    while (a->objects_used > 0)
        Py_DECREF(a->objects[--a->objects_used]);
    PyMem_Free(a->objects);
    while (a->chunks != NULL) {
        struct arena_chunk *older = a->chunks->older;
        PyMem_Free(a->chunks);
        a->chunks = older;
    }
    PyMem_Free(a);
}
