/* What the memory layer offers to the layer below it (threads) and to everybody: life of a thread in the memory system,
 * plain allocation, and small helpers. */
#ifndef BRAID_MEMORY_H
#define BRAID_MEMORY_H

#include "Python.h"
#include "object_pages.h"
#include "qsbr.h"
#include "refcount.h"
#include "thread_state.h"

/* Before the first allocation of a second thread: how the allocator is to treat them. */
void memory_setup(void);
/* Zeroed memory for what lives as long as the process, from no thread's heap of mimalloc: one block that stays would keep all of a segment
 * there when its thread has ended.  NULL when out of memory.  Any thread; escapes never */
void *memory_alloc_for_ever(size_t size);
void memory_raw_after_fork(void);

/* ---- Called by thread slots (Python/sync, Python/runtime) ---- */

/* After ts->slot has become ATTACHED: gives the thread its slot's heap and brings it online for QSBR; from here on it may
 * touch objects. ts->slot is 1..65535.  Returns 0, or -1 when out of memory.  Escapes never */
int memory_thread_attach(struct _ts *ts);
/* Before the slot's state leaves ATTACHED: offline. The thread must not touch an object afterwards.  Escapes never.
 * The caller then stores the state, and goes back (CAS, memory_thread_attach, memory_serve_merge_requests) if
 * merge_pending(slot) says that a request slipped in (2.3). */
void memory_thread_detach(struct _ts *ts);
/* Before the last detach of a thread that ends: flushes the trashcan, serves merge requests, leaves its delayed
 * memory to others.  Escapes */
void memory_thread_exit(struct _ts *ts);
/* At a safe point, on BREAKER_MERGE.  Escapes */
void memory_serve_merge_requests(struct _ts *ts);
/* At a safe point, on BREAKER_QSBR (or always: it is cheap). */
static inline void memory_report_quiescent(void) { qsbr_report(); }
/* fork, in the child: every other slot's queue, limbo and pages go to the surviving thread. */
void memory_after_fork(struct _ts *ts);

/* ---- What this layer needs from thread slots: Python/sync defines them ---- */

/* Claims a slot whose thread is away: CAS VACANT/DETACHED -> BORROWED. Returns 1 and the state before, or 0. */
int slot_borrow(uint16_t slot, slot_state_t *previous);
/* Gives it back: stores `previous` (release). */
void slot_return(uint16_t slot, slot_state_t previous);
/* Higher slots than this are vacant, and so is this one. */
uint32_t slots_limit(void);
/* Sets BREAKER_* bits of the thread on a slot, if there is one. */
void slot_set_breaker(uint16_t slot, uint32_t bits);

/* A lock for a few instructions: under it no reference is dropped, no other lock taken, and no safe point reached. */
struct leaf_lock {
    uint8_t taken;
};
void leaf_lock_wait(struct leaf_lock *lock);
static inline void leaf_lock_acquire(struct leaf_lock *lock)
{
    if (Py_UNLIKELY(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)))
        leaf_lock_wait(lock);
}
static inline void leaf_lock_release(struct leaf_lock *lock) { __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE); }

/* Nested deallocations beyond this wait in the trashcan, so that long chains do not overflow the C stack. */
#define DEALLOC_DEPTH_MAX 40

/* [atomic] What stands between the library's allocator and who asks it, as bits; 0 most of the time. */
enum {
    MEMORY_HOOK_ALLOCATOR = 1,      /* an extension has set an allocator of its own (PyMem_SetAllocator) */
    MEMORY_HOOK_TRACE = 2,          /* blocks are traced (block_trace.h): changes in a pause */
};
extern int memory_hooked;

/* True if fn is part of Braid itself, not of an extension module. */
int memory_is_own_code(const void *fn);

/* ---- Finalisers ---- */

/* [atomic] tp_finalize, or NULL: a class may lose its __del__ at any time. Read once, then called. */
static inline destructor type_finalizer(PyTypeObject *type) { return __atomic_load_n(&type->tp_finalize, __ATOMIC_ACQUIRE); }

#endif /* BRAID_MEMORY_H */
