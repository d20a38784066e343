/* PyObject_Malloc and PyObject_Free inline, for the files of types without GC that are made and freed all the time (str, bytes,
 * int).  Included after Python.h, by .c files only.
 *
 *      object_malloc(size)     size > 0 and not above PY_SSIZE_T_MAX; NULL without an exception
 *      object_free(op)         ends tp_dealloc of an exact instance: the memory of a dead object that object_malloc gave
 *      object_copy_bytes       memcpy for the short pieces that most strings are */
#ifndef BRAID_OBJECT_MALLOC_H
#define BRAID_OBJECT_MALLOC_H

#include "../Python/memory/allocator.h"
#include "memory.h"

static inline Py_ALWAYS_INLINE void *object_malloc(size_t size)
{
    return Py_LIKELY(!__atomic_load_n(&memory_hooked, __ATOMIC_RELAXED)) ? mi_malloc(size) : PyObject_Malloc(size);
}

static inline Py_ALWAYS_INLINE void object_free(PyObject *op)
{
    /* Nobody else can be looking at it: free at once. PyObject_Free knows what to do with the others. */
    if (Py_LIKELY((!(op->hdr_flags & OBJECT_PUBLISHED) || !runtime_is_multi())
                  && !__atomic_load_n(&memory_hooked, __ATOMIC_RELAXED)))
        mi_free(op);
    else
        PyObject_Free(op);
}

static inline Py_ALWAYS_INLINE void object_copy_bytes(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (n > 16)
        memcpy(t, f, n);
    else if (n >= 8) {          /* two words that may overlap; likewise below */
        uint64_t a, b;
        memcpy(&a, f, 8);
        memcpy(&b, f + n - 8, 8);
        memcpy(t, &a, 8);
        memcpy(t + n - 8, &b, 8);
    }
    else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, f, 4);
        memcpy(&b, f + n - 4, 4);
        memcpy(t, &a, 4);
        memcpy(t + n - 4, &b, 4);
    }
    else if (n != 0) {
        t[0] = f[0];
        t[n >> 1] = f[n >> 1];
        t[n - 1] = f[n - 1];
    }
}

#endif /* BRAID_OBJECT_MALLOC_H */
