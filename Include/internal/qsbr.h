/* Delayed frees (QSBR): memory that a thread without a reference may still be reading is handed back after every attached
 * thread has passed a quiescent point.
 *
 * One epoch E for the process.  A thread's word holds the epoch that it last reported, 0 while it is detached.
 * Retired blocks gather in the thread's open batch; a batch is closed at 256 blocks or 64 KiB, its goal is
 * fetch_add(E) + 1 (an RMW: finding 14), and it is reclaimed once every attached thread's word has reached the goal.
 * Quiescent points are safe points, attach and detach: there no pointer without a reference is held.
 * While the process is alone (runtime_multi == 0) nothing is ever delayed. */
#ifndef BRAID_QSBR_H
#define BRAID_QSBR_H

#include "Python.h"
#include "refcount.h"

struct qsbr_thread;

extern uint64_t qsbr_epoch;     /* [atomic] E */

typedef void (*qsbr_free_func)(void *ptr);

/* Hands ptr to free_func after a grace period (at once while alone).
 * bytes    how much memory hangs on it: bounds what is delayed
 * free_func runs on any attached thread, must not escape or retire.  Escapes never */
void qsbr_retire(void *ptr, size_t bytes, qsbr_free_func free_func);

/* Frees an items array, keys table or cache record that was taken out of a container.
 * container_is_private   the caller owns the container, and saw it unpublished under its lock (finding 1); such memory,
 *                        and any while alone, is freed with mi_free at once; else it is retired */
void memory_retire_or_free(int container_is_private, void *ptr, size_t bytes);
/* For the argument above. The caller holds the container's lock. */
static inline int object_is_private(PyObject *container)
{
    return object_is_mine(container) && !object_is_published(container);
}

/* The current thread passes a quiescent point: called at safe points (cheap if E has not changed). */
void qsbr_report(void);
/* On attach, before any shared pointer is read / on detach. Called by memory_thread_attach and _detach. */
void qsbr_online(struct qsbr_thread *self);
void qsbr_offline(struct qsbr_thread *self);
/* Closes the open batch and reclaims what can be reclaimed. */
void qsbr_poll(void);
/* The thread, at a quiescent point, leaves for good: closes its batch, leaves what must wait to whoever polls next. */
void qsbr_exit(struct qsbr_thread *self);
/* In a pause: frees everything that waits, on all slots. */
void qsbr_reclaim_all_stopped(void);
/* After fork, in the child: all other slots count as offline. */
void qsbr_after_fork(uint16_t own_slot);

struct qsbr_thread *qsbr_thread_of(uint16_t slot);

struct qsbr_stats {
    uint64_t retired, reclaimed;        /* blocks, counted when their batch is closed */
    uint64_t waiting;                   /* blocks in closed batches */
    size_t waiting_bytes;               /* in open and closed batches of living threads; a snapshot */
    uint64_t epoch;
};
void qsbr_get_stats(struct qsbr_stats *stats);

#endif /* BRAID_QSBR_H */
