/* Tracebacks of traced blocks: each stored once, files by their text.
 *
 * A store only grows. Entries hang in fixed tables of chains; a new one is put in front by compare-and-swap, so that adding and looking
 * need no lock. A store lives as long as somebody counts it: the tracer for the traces that there are, and who turns traces into Python
 * objects. It belongs to no thread. */
#ifndef BRAID_BLOCK_TRACEBACKS_H
#define BRAID_BLOCK_TRACEBACKS_H

#include "block_trace.h"

typedef struct traced_file traced_file_t;
typedef struct traceback_store traceback_store_t;

typedef struct {
    const traced_file_t *file;          /* NULL: unknown */
    int line;
} traced_place_t;

/* [const] once it is in a store */
typedef struct block_traceback {
    struct block_traceback *next;       /* in its chain */
    uint64_t hash;
    int total;                          /* frames that there were; at most BLOCK_TRACE_MAX_FRAMES */
    int count;                          /* of these stored, the innermost; at least one */
    traced_place_t places[];
} block_traceback_t;

/* NULL: out of memory, without an exception. */
traceback_store_t *traceback_store_new(void);
traceback_store_t *traceback_store_take(traceback_store_t *store);
void traceback_store_drop(traceback_store_t *store);

/* The traceback of these places, of `total` there were; count 0: unknown.  NULL: out of memory, without an exception.  Escapes never */
const block_traceback_t *traceback_store_add(traceback_store_t *store, const block_trace_place_t *places, int count, int total);

/* Bytes in all stores that there are. */
size_t traceback_stores_bytes(void);

/* A tuple of (file, line). The caller counts the store. */
PyObject *block_traceback_as_tuple(const block_traceback_t *traceback);

#endif /* BRAID_BLOCK_TRACEBACKS_H */
