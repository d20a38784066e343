/* The global lock, for the build with it and for PYTHONGIL=1.
 *
 * A waiter that has waited for the switch interval while the lock did not change hands sets BREAKER_GIL_DROP in the holder's breaker; the holder releases the
 * lock at its next safe point and waits until another thread has taken it, so that a busy thread cannot grab it back.
 * With the GIL on from start-up runtime_multi stays 0 and all threads share tid 1. Turned on later (an extension that is not prepared), it only
 * serialises: counts and locks stay those of many threads. */
#ifndef BRAID_GIL_H
#define BRAID_GIL_H

#include "thread_state.h"

#ifdef Py_GIL_DISABLED
extern int runtime_gil_enabled;         /* [atomic] decided before the first thread state is made; 0 -> 1 once, in a pause */
static inline int gil_is_enabled(void) { return __atomic_load_n(&runtime_gil_enabled, __ATOMIC_ACQUIRE); }
#else
static inline int gil_is_enabled(void) { return 1; }
#endif

/* Before thread_init_main: on from the start, or off. Without effect in the GIL build. */
void gil_configure(int enabled);
/* PYTHONGIL=0: gil_enable_at_runtime does nothing. */
void gil_forbid(void);
/* Turns the GIL on in the running process; the caller holds it afterwards. Returns 1 if it was turned on by this call, 0 if it was on or is
 * forbidden.  Locks: stops the world */
int gil_enable_at_runtime(PyThreadState *ts);

/* On from start-up: all threads are one to the reference counts. */
int gil_shares_tid(void);

/* Takes the lock for a thread that is about to attach / releases it after detaching. */
void gil_take(PyThreadState *ts);
void gil_release(PyThreadState *ts);
/* At a safe point, on BREAKER_GIL_DROP: detaches, lets another thread in, attaches. */
void gil_yield(PyThreadState *ts);

void gil_set_switch_interval(uint64_t microseconds);    /* > 0 */
uint64_t gil_get_switch_interval(void);
void gil_after_fork(PyThreadState *ts);

/* sys.getswitchinterval() and friends of the C API */
PyAPI_FUNC(void) _PyEval_SetSwitchInterval(unsigned long microseconds);
PyAPI_FUNC(unsigned long) _PyEval_GetSwitchInterval(void);

#endif /* BRAID_GIL_H */
