/* Reference counts: what lies beyond the inline functions of object.h.  The rules are section 2.2 of
 * Doc/concurrency.md; every function of Python/memory/refcount.c is one row of its table.
 *
 *      hdr_shared:   31            2 1     0
 *                   [signed count | state ]       INIT 0, DEAD 1, QUEUED 2, MERGED 3
 *
 * tid==me implies alive.  |count| >= 2^28 is pinned: no operation changes it any more. */
#ifndef BRAID_REFCOUNT_H
#define BRAID_REFCOUNT_H

#include "Python.h"

#define SHARED_PIN_LIMIT ((int64_t)1 << 28)
/* Added to the count of DEFERRED objects, so that no drop ever reaches zero. */
#define DEFERRED_BIAS ((int64_t)1 << 26)

static inline Py_ALWAYS_INLINE int32_t shared_count(uint32_t shared) { return (int32_t)shared >> 2; }
static inline Py_ALWAYS_INLINE int shared_is_pinned(uint32_t shared)
{
    return (uint32_t)(shared + (1u << 30)) >> 31 != 0;      /* outside [-2^28, 2^28) */
}

PyAPI_DATA(int) runtime_multi;       /* thread_state.h */
static inline Py_ALWAYS_INLINE int runtime_is_multi(void)
{
#ifdef Py_GIL_DISABLED
    return __atomic_load_n(&runtime_multi, __ATOMIC_RELAXED);
#else
    return 0;
#endif
}

/* Adds n >= 0 references at once, as for [x] * n. A count that would pass the limit is pinned. */
void object_incref_many(PyObject *op, Py_ssize_t n);

/* ---- Merge requests (2.3) ---- */

/* Serves the requests queued for a slot.
 * The caller is attached on `slot`, or has it BORROWED. Objects found dead go to *dead_out (to be handed to
 * merge_bury_dead after a borrower has let go).  Escapes never */
struct dead_list {
    PyObject **items;
    uint32_t count, capacity;
    PyObject *room[8];
};
void merge_serve(uint16_t slot, struct dead_list *dead);
/* Deallocates what merge_serve found dead.  Escapes */
void merge_bury_dead(struct dead_list *dead);
/* seq_cst fence, then: is anything queued for this slot, or put off by its thread?  For who leaves it. */
int merge_pending(uint16_t slot);
/* Queues op, whose state the caller has just made QUEUED (so that the request owns one reference), with its owner;
 * serves at once if the owner is away.  Others' objects that it finds dead die at the caller's next safe point.  Escapes only if op dies */
void merge_post(PyObject *op, uint16_t owner);
struct merge_queue *merge_queue_new(void);
/* After fork, in the child: locks of all queues are free. */
void merge_after_fork(void);
/* In a pause: serves every slot's queue. */
void merge_serve_all_stopped(struct dead_list *dead);

/* In a pause: makes op ownerless, with its total count plus `extra` in the shared word. */
void object_merge_stopped(PyObject *op, int extra);
/* In a pause: references held on op, without the bias of DEFERRED; a huge number if it is pinned or immortal; 0 if it is
 * dead or dying. */
int64_t object_count_stopped(PyObject *op);
/* Its deallocation is under way or waits. (A DEFERRED object with count 0 is alive.) */
int object_is_dying_stopped(PyObject *op);
/* In a pause: what threads have noted for DEFERRED objects goes to the objects.  merge_serve_all_stopped does that too. */
void refcount_flush_deferred_stopped(void);
/* From now on, the calling thread counts DEFERRED objects directly (on = 1) / in its table again. */
void refcount_set_direct(int on);
/* In a pause: makes a live object DEFERRED / makes a DEFERRED one count normally again. */
void object_set_deferred_stopped(PyObject *op);
void object_clear_deferred_stopped(PyObject *op);

/* Runs what the trashcan holds. Called when a thread's outermost deallocation ends, and before the thread leaves. */
void dealloc_flush_trashcan(void);

#endif /* BRAID_REFCOUNT_H */
