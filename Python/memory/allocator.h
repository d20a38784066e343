/* The allocator underneath: mimalloc; the C library's under a sanitizer, which has to see every block. */
#ifndef BRAID_ALLOCATOR_H
#define BRAID_ALLOCATOR_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BRAID_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BRAID_SANITIZED 1
#endif
#endif

#ifdef BRAID_SANITIZED
#include <malloc.h>
#include <stdlib.h>
#define mi_malloc(n) malloc(n)
#define mi_zalloc(n) calloc(1, n)
#define mi_calloc(n, size) calloc(n, size)
#define mi_realloc(p, n) realloc(p, n)
#define mi_free(p) free(p)
#define mi_usable_size(p) malloc_usable_size(p)
#define mi_option_set_default(option, value) ((void)0)
#define mi_malloc_aligned(n, alignment) aligned_alloc(alignment, ((n) + (alignment) - 1) & ~((size_t)(alignment) - 1))
#else
#include <mimalloc.h>
#endif

#include "block_trace.h"

/* Blocks that the library may ask for by way of tracemalloc: tables of containers. What belongs to the machinery comes from mi_malloc. */
static inline void *block_malloc(size_t size)
{
    return Py_UNLIKELY(block_trace_is_on()) ? block_malloc_traced(size) : mi_malloc(size);
}
static inline void *block_zalloc(size_t size)
{
    return Py_UNLIKELY(block_trace_is_on()) ? block_zalloc_traced(size) : mi_zalloc(size);
}
static inline void *block_realloc(void *block, size_t size)
{
    return Py_UNLIKELY(block_trace_is_on()) ? block_realloc_traced(block, size) : mi_realloc(block, size);
}
static inline void block_free(void *block)
{
    if (Py_UNLIKELY(block_trace_is_on()))
        block_free_traced(block);
    else
        mi_free(block);
}

#endif /* BRAID_ALLOCATOR_H */
