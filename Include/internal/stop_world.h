/* Stopping the world: all threads but the caller are parked at a safe point or kept from attaching.
 *
 *      stop_world_begin(ts);
 *      ...                         touches other threads' frames, counts, caches; no lock that a stopped thread may hold, no code that escapes
 *      stop_world_end(ts);
 *
 * The caller's critical sections stay as they are; stopped threads have suspended theirs.  Pauses nest in one thread. */
#ifndef BRAID_STOP_WORLD_H
#define BRAID_STOP_WORLD_H

#include "thread_state.h"

/* ts: the caller's state if it is attached, else NULL. Waits while another thread has the world stopped (detached meanwhile: a safe point). */
void stop_world_begin(PyThreadState *ts);
void stop_world_end(PyThreadState *ts);
/* Is the world stopped by this thread? For asserts of *_stopped functions. */
int world_is_stopped(void);

/* Called by threads on their way in and out (thread_state.c). */
extern int stop_world_requested;        /* [atomic] */
/* Waits until the slot of ts is not SUSPENDED and no stop is requested. */
void stop_world_wait(PyThreadState *ts);
/* A thread has left ATTACHED while a stop is requested: the requester should look again. */
void stop_world_notify(void);
/* Is the calling thread the one that stops the world? */
int stop_world_is_mine(void);

/* Rule 2.6. Before a second thread can run: sets runtime_multi. ts: the caller's attached state, or NULL for a thread from outside. */
void runtime_become_multi(PyThreadState *ts);
/* At a safe point of ts: clears runtime_multi if ts is the only thread left. */
void runtime_try_become_alone(PyThreadState *ts);

struct pause_stats {
    uint64_t count;
    uint64_t total_ns, longest_ns, last_ns;             /* from the world being stopped to its being resumed */
    uint64_t total_stop_ns, longest_stop_ns;            /* from the request to the world being stopped */
};
void stop_world_get_stats(struct pause_stats *stats);
void stop_world_after_fork(void);

#endif /* BRAID_STOP_WORLD_H */
