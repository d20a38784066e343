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
#define mi_malloc_aligned(n, alignment) aligned_alloc(alignment, ((n) + (alignment) - 1) & ~((size_t)(alignment) - 1))
#else
#include <mimalloc.h>
#endif

#endif /* BRAID_ALLOCATOR_H */
