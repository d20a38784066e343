/* Locks and what is built from the parking lot beyond PyMutex: timed locking, events, recursive mutexes, once. */
#ifndef BRAID_LOCK_H
#define BRAID_LOCK_H

#include "parking_lot.h"

typedef enum { LOCK_FAILED, LOCK_ACQUIRED, LOCK_INTERRUPTED } lock_result_t;

/* Locks m, waiting at most timeout_ns (< 0: for ever; 0: not at all). flags: PARK_*. Without PARK_INTERRUPTIBLE, signals are ignored. */
lock_result_t mutex_lock_timed(PyMutex *m, int64_t timeout_ns, int flags);
static inline int mutex_try_lock(PyMutex *m)
{
    return _PyMutex_TryLockFast(m) || mutex_lock_timed(m, 0, 0) == LOCK_ACQUIRED;
}
/* Unlocks m unless it is unlocked. Returns 1 if it was locked. */
int mutex_try_unlock(PyMutex *m);
/* A thread's wait for a mutex. While it is still detached it may be handed the mutex: if it then never attaches again (fork, the end of the
 * interpreter), mutex_waits_abandon gives back what it has. */
struct lock_wait {
    PyMutex *mutex;
    int64_t fair_at;                /* handed over from then on */
    uint32_t handed_over;           /* [atomic] */
    struct lock_wait *previous;
};
void mutex_waits_abandon(struct lock_wait *wait);

/* Another thread has changed a word under this one's compare-and-exchange: keeps away from it for so long that the other gets on, as from
 * a lock that is in use all the time. Threads that write to one word at the same time wait for its cache line at every turn. The
 * caller is attached; it is detached while it waits, so that what other threads free meanwhile need not wait for it.
 * Escapes never */
Py_COLD void sync_back_off(void);

/* In the child of a fork. */
static inline void mutex_reset(PyMutex *m) { __atomic_store_n(&m->bits, 0, __ATOMIC_RELAXED); }

/* ---- Events: set once, never cleared ---- */

typedef struct event {
    uint8_t state;      /* [atomic] 0, 1 set, 2 threads are parked */
} event_t;

void event_set(event_t *e);
static inline int event_is_set(event_t *e) { return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == 1; }
/* 1 set, 0 timed out, -1 interrupted (PARK_INTERRUPTIBLE). */
int event_wait(event_t *e, int64_t timeout_ns, int flags);

/* ---- Recursive mutexes ---- */

typedef struct recursive_mutex {
    PyMutex mutex;
    uint64_t owner;     /* [atomic] identity of the thread, 0: none */
    size_t level;       /* [owner] times locked again */
} recursive_mutex_t;

/* An identity of the running pthread: not 0, cheap. */
uint64_t sync_thread_identity(void);
/* The stack of the calling thread, if it was started by PyThread_start_new_thread and an earlier one of its size has told what
 * pthread_getattr_np knows; else 0. */
int pythread_get_stack(char **lowest, size_t *size);
void pythread_note_stack(const char *lowest, size_t size);
static inline int recursive_mutex_is_mine(recursive_mutex_t *m)
{
    return __atomic_load_n(&m->owner, __ATOMIC_RELAXED) == sync_thread_identity();
}
void recursive_mutex_lock(recursive_mutex_t *m);
lock_result_t recursive_mutex_lock_timed(recursive_mutex_t *m, int64_t timeout_ns, int flags);
/* 0, or -1 if it is not the caller's. */
int recursive_mutex_unlock(recursive_mutex_t *m);

/* ---- Once ---- */

typedef struct once {
    uint8_t state;      /* [atomic] 0, 1 running, 2 threads are parked, 4 done */
} once_t;

int once_call_slow(once_t *o, int (*func)(void *), void *arg);
/* Runs func unless it has succeeded before; others wait meanwhile. func returns 0, or -1: then the next caller tries again.
 * Escapes if func does */
static inline int once_call(once_t *o, int (*func)(void *), void *arg)
{
    if (Py_LIKELY(__atomic_load_n(&o->state, __ATOMIC_ACQUIRE) == 4))
        return 0;
    return once_call_slow(o, func, arg);
}

#endif /* BRAID_LOCK_H */
