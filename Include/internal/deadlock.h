/* Telling a deadlock from a wait.
 *
 * A thread that begins to wait without a limit for what only another thread's Python code can give it says so in a record on its stack
 * (struct deadlock_wait), which its thread state points to (private_sync). Nothing is written anywhere else, and nothing at all where no wait begins.
 *
 *      record: "waits for this lock"  -->  who may release it
 *        BY_OWNER     an RLock, or the lock that join waits for: its owner alone
 *        BY_ANYBODY   a Lock, a queue: every thread that runs; `taker`, if it is known, is who took the lock last
 *
 * Who has waited for a second looks (deadlock_look): with the world stopped it reads the records of all threads whose wait is certain, because
 * they are still queued in the parking lot. A cycle of threads each of which waits for the next is a deadlock if all its edges are BY_OWNER; with
 * others in it, only if every thread of the process is known and waits, and no signal handler written in Python could run.
 * A thread that waits for a lock which it took last itself (Condition.wait, Event.wait) waits to be told something: it is in no cycle.
 *
 * Of a crowd that waits, few have to look: a picture in which a wait was seen and that showed no cycle has looked for that wait, too. What
 * completes a cycle later is a wait that begins later.
 *
 * The main thread looks again every few seconds, since a cycle with edges BY_ANYBODY can be completed by what happens elsewhere. */
#ifndef BRAID_DEADLOCK_H
#define BRAID_DEADLOCK_H

#include "Python.h"

typedef enum { DEADLOCK_BY_OWNER, DEADLOCK_BY_ANYBODY } deadlock_kind_t;

/* [owner] but where marked; others read it while the world is stopped. */
struct deadlock_wait {
    PyObject *lock;                     /* kept alive by the waiter */
    const PyMutex *mutex;               /* what the thread is parked on, or NULL: then `over` tells the end of the wait */
    deadlock_kind_t kind;
    const unsigned long *owner;         /* [atomic] identity of the owner, or NULL: */
    const uint64_t *taker;              /* [atomic] number of the thread that took it last (PyThreadState.id), or NULL */
    uint32_t over;                      /* [atomic] somebody has ended the wait */
    int can_raise;                      /* the waiter raises what it finds in `verdict` */
    int64_t begun;                      /* ns: with the thread, tells this wait from all others */
    int looks;                          /* times looked */
    int looking;                        /* attached, about to wait again */
    int reported;                       /* [stopped] */
    uint64_t pictured;                  /* [stopped; owner reads] number of the last picture that saw it wait for certain */
    PyObject *verdict;                  /* [stopped] text of the exception to be raised, counted */
    struct deadlock_wait *previous;
};

typedef enum { DEADLOCK_OFF, DEADLOCK_REPORT, DEADLOCK_RAISE } deadlock_mode_t;
void deadlock_configure(deadlock_mode_t mode);      /* at start-up */

/* The calling thread, attached, is about to wait; and does not wait any more. Waits nest (signal handlers, finalisers). */
void deadlock_wait_begin(struct deadlock_wait *w);
void deadlock_wait_end(struct deadlock_wait *w);
/* For how long to wait before the next look, in ns; -1: for ever. */
int64_t deadlock_time_to_look(const struct deadlock_wait *w);
/* Looks. Returns 0 to go on waiting, -1 with RuntimeError (only if can_raise).  Escapes never */
int deadlock_look(struct deadlock_wait *w);
/* After the wait was interrupted: -1 with RuntimeError if the thread was chosen to end a deadlock. */
int deadlock_verdict(struct deadlock_wait *w);

/* Thread i waits for thread next[i], or for none (-1). Sets cycle_of[i] to the number, from 1, of the cycle that i is a member of, or 0.
 * Returns the number of cycles. */
int deadlock_find_cycles(const int *next, int n, int *cycle_of);

/* Modules/_signal.c: could a signal make the main thread run Python code, other than to raise KeyboardInterrupt? */
int signal_has_python_handlers(void);

#endif /* BRAID_DEADLOCK_H */
