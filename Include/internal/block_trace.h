/* Tracing of memory blocks: who allocated what is allocated now (the module tracemalloc).
 *
 * While tracing is off nobody pays for it but where an allocator is asked anyway whether it is hooked:
 *
 *      object pages        start() takes the current page of every class from every heap, in a pause. Then each allocation and each
 *                          free of an object misses its inline path and gets to the slow ones, which ask block_trace_is_on()
 *      PyMem_*, PyObject_Malloc    the word that says that an allocator has been set has a second bit (raw_memory.c)
 *      tables of containers        block_malloc and its kin below, the same word
 *
 * Where a block is taken:     int outermost = block_trace_enter();
 *                             p = ...;                                  what it takes inside is not traced: it belongs to p
 *                             if (outermost) block_trace_leave(p, size) it may fail, then p goes back and the caller gets NULL
 * Where one is given back:    block_trace_forget(p)                     before the memory can be anybody else's
 *
 * Of a block we keep its size and its traceback: the frames of the thread that took it, each a file and a line. Tracebacks and names of
 * files are stored once, in text of our own: the thread may be detached and must not touch counts.
 *
 * Threads: the traces are spread over shards by address, each under a mutex of its own, held for one look-up or insertion, frames
 * included. Under it nothing escapes, no other lock is taken, no safe point is reached. Tracebacks and file names are in tables that
 * only grow, without a lock; they go when all traces go, with all shards locked, or when the last reader of the old ones has finished.
 * The switch is thrown in a pause; threads that are detached then look at it again under the lock of their shard. */
#ifndef BRAID_BLOCK_TRACE_H
#define BRAID_BLOCK_TRACE_H

#include "memory.h"

#define BLOCK_TRACE_MAX_FRAMES 65535

static inline Py_ALWAYS_INLINE int block_trace_is_on(void)
{
    return (__atomic_load_n(&memory_hooked, __ATOMIC_RELAXED) & MEMORY_HOOK_TRACE) != 0;
}

/* ---- For allocators. None of these escapes; any thread, attached or not. ---- */

/* Is the block that this thread is about to take to be traced? Then until block_trace_leave its other blocks are not. */
int block_trace_enter(void);
/* Traces the block; NULL: there is none.  Returns 0, or -1: no memory for the trace. */
int block_trace_leave(void *block, size_t size);
void block_trace_forget(void *block);
/* object_pages.c, in the pause in which tracing begins: from then on both inline paths of object_pages.h miss. */
void object_pages_leave_fast_path_stopped(void);
/* resize(context, block, size), with the trace moved along. */
void *block_trace_realloc(void *(*resize)(void *context, void *block, size_t size), void *context, void *block, size_t size);

/* Blocks of containers: mimalloc's, traced. */
void *block_malloc_traced(size_t size);
void *block_zalloc_traced(size_t size);
void *block_realloc_traced(void *block, size_t size);
void block_free_traced(void *block);

/* ---- For the module ---- */

/* The calling thread is attached.  -1 with MemoryError.  Both stop the world. */
int block_trace_start(int max_frames);
void block_trace_stop(void);
void block_trace_clear(void);
void block_trace_get_totals(size_t *now, size_t *peak);
void block_trace_reset_peak(void);
/* Bytes that the traces themselves take. */
size_t block_trace_own_bytes(void);
int block_trace_max_frames(void);
/* List of (domain, size, traceback, total number of frames), a traceback being a tuple of (file, line), the innermost frame first. */
PyObject *block_trace_list(void);
/* A traceback, or None if the block is not traced. */
PyObject *block_trace_find(unsigned domain, uintptr_t block);

/* ---- For fork: between the two nobody is inside ---- */

void block_trace_before_fork(void);
void block_trace_after_fork(void);

/* ---- What this layer needs from the one that knows frames (Python/vm/allocation_frames.c) ---- */

typedef struct {
    PyObject *file;             /* str, borrowed from a code object that runs */
    int line;
} block_trace_place_t;

/* Writes up to `room` frames of the calling thread, the innermost first, and returns how many there are. Set at start-up. The
 * thread may be detached; allocates at most from PyMem, never escapes. */
extern int (*block_trace_walk)(block_trace_place_t *places, int room);

/* Sets it. */
void allocation_frames_init(void);

/* A tuple of (file, line), the innermost frame first; None if the block is not traced. For tests. */
PyAPI_FUNC(PyObject *) _PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t ptr);

#endif /* BRAID_BLOCK_TRACE_H */
