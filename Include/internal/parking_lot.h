/* The parking lot: threads wait for a word of memory to change, keyed by its address, so that a lock needs two bits only.
 *
 * Waiters hang in the buckets of a hash table, in order of arrival.  parking_lot_park checks the word under the bucket's lock before it
 * queues the caller; who changes the word unparks afterwards: no wake-up is lost. */
#ifndef BRAID_PARKING_LOT_H
#define BRAID_PARKING_LOT_H

#include "Python.h"

typedef enum {
    PARK_OK,            /* woken by parking_lot_unpark* */
    PARK_AGAIN,         /* the word did not have the expected value, or other threads' requests came first: look again */
    PARK_TIMEOUT,
    PARK_INTERRUPTED,   /* a signal handler ran on this thread */
} park_result_t;

enum {
    PARK_DETACH = 1,            /* detach the thread while it waits, if it is attached */
    PARK_KEEP_SUSPENDED = 2,    /* with PARK_DETACH: attach without resuming critical sections */
    PARK_INTERRUPTIBLE = 4,     /* come back with PARK_INTERRUPTED on a signal */
    PARK_SERVE = 8,             /* with PARK_DETACH: a long wait; serves other threads' requests, then PARK_AGAIN (escapes) */
};

/* Waits while the `size` (1, 4 or 8) bytes at address equal those at expected.
 * timeout_ns   < 0: none; 0: do not wait
 * arg          handed to the function of the thread that unparks
 * Escapes  with PARK_SERVE only */
park_result_t parking_lot_park(const void *address, const void *expected, size_t size, int64_t timeout_ns, void *arg, int flags);

/* Called under the bucket's lock, before the waiter runs: changes the word. arg is the waiter's, NULL if there was none. */
typedef void (*parking_lot_func)(void *context, void *arg, int more_waiters);

/* Wakes the first waiter, if there is one; calls func in any case. */
void parking_lot_unpark(const void *address, parking_lot_func func, void *context);
void parking_lot_unpark_all(const void *address);

/* Does somebody who handed in arg wait at address, not woken yet? */
int parking_lot_is_queued(const void *address, const void *arg);
/* Makes that waiter, if there is one, come back with PARK_INTERRUPTED, with PARK_INTERRUPTIBLE or not. Returns 1 if there was. */
int parking_lot_interrupt(const void *address, const void *arg);

/* In the child of a fork: nobody waits. */
void parking_lot_after_fork(void);

/* Monotonic clock, nanoseconds. */
int64_t sync_now_ns(void);

#endif /* BRAID_PARKING_LOT_H */
