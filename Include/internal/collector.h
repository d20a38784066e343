/* The cycle collector.
 *
 * One collection:
 *   pause 1   serve all merge queues, reclaim all limbo; walk all pages: candidates are live, tracked slots whose
 *             total count is not 0.  scratch = counted references; subtract every counted edge between candidates (trial
 *             deletion); what keeps a count, is immortal, or is named by a frame slot while DEFERRED, is a root; all that
 *             is not reached from roots is garbage.  Garbage becomes ownerless with one more reference, the
 *             collector's.  Weak references to it are cleared; callbacks to be made are collected.
 *   running   weakref callbacks, then finalisers.
 *   pause 2   (if code has run) the same trial inside the garbage: what has come back to life is let go.
 *   running   tp_clear of the rest, then the collector's references are dropped.
 * A dead heap type is cleared, but its memory is released by a later collection whose walk finds no slot naming it.
 *
 * A collection is due when the number of objects on pages has grown by max(threshold0 * threshold1, live / 2) since the
 * last one: the cost stays proportional to allocation.  Allocation only notes that; it runs at the next safe point. */
#ifndef BRAID_COLLECTOR_H
#define BRAID_COLLECTOR_H

#include "Python.h"
#include "thread_state.h"

/* Visits every DEFERRED object named by a slot of any thread's frames (running or not; suspended generators are traversed
 * as objects). Filled by the VM; the world is stopped. */
extern int (*collector_visit_frame_roots)(visitproc visit, void *arg);

/* At a safe point, on BREAKER_COLLECT: collects if that is due and enabled.  Escapes */
void collector_run_pending(struct _ts *ts);
/* Collects now; `generation` is only reported. Returns the number of unreachable objects found; 0 if one is under way.
 * Escapes */
Py_ssize_t collector_collect(int generation);
/* Told by heaps, in batches: objects on pages grew by delta. Sets BREAKER_COLLECT when due.  Escapes never */
void collector_note_growth(int64_t delta);
/* At interpreter exit: a last collection; and frees what the collector keeps. */
void collector_finalize(void);
/* -X gcstats: prints pauses and counts to stderr. */
void collector_print_stats(void);

/* ---- Weak references, for the pause (Objects/weakref.c) ---- */

/* Clears all weak references to op. Those that have a callback and are not SLOT_GARBAGE themselves are handed to
 * `due` with one reference taken (merged in place).  Escapes never */
void weakref_clear_target_stopped(PyObject *op, int (*due)(PyWeakReference *ref, void *arg), void *arg);
/* Calls ref's callback, if it still has one; errors are reported as unraisable.  Escapes */
void weakref_call_callback(PyWeakReference *ref);

#endif /* BRAID_COLLECTOR_H */
