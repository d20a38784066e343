/* Promotion: objects that several threads count all the time become DEFERRED, so that frames do not count them at all and C code counts
 * them in tables of its thread (refcount.c).
 *
 * Every PROMOTE_INTERVAL-th count on an object of another owner is a sample.  An object with many samples is put on a list, with a
 * reference, and the thread's next safe point stops the world and promotes what is on the list:
 *      on a page (containers, instances, functions ...)    DEFERRED: the collector frees it, once nothing refers to it
 *      exact str, bytes, int, float, object                   IMMORTAL, as long as there are few of them: a bounded leak
 *      anything else                                       stays as it is
 * References in windows were counted and are not any more: they are subtracted, each of them, or the object would live for ever. The
 * rules of frame.h see to it that at a safe point every slot reference is where the walk finds it.
 *
 * Pauses are spaced so that they take a small part of the time, however large the heap. */
#ifndef BRAID_PROMOTE_H
#define BRAID_PROMOTE_H

#include "thread_state.h"

/* A bit of ts->breaker beside those of thread_state.h: objects wait to be promoted. */
enum { BREAKER_PROMOTE = 2048 };

#define PROMOTE_INTERVAL 61     /* odd and prime: not in step with loops of the program */

/* op, alive and not DEFERRED, has been counted by a thread that does not own it. Any place; sets the breaker at most.  Escapes never */
void promote_sample(PyObject *op);
/* At a safe point of ts, on BREAKER_PROMOTE.  Escapes (finalisers of objects queued by others) */
void promote_run(PyThreadState *ts);

/* Calls visit for every reference held by a window, or as the function of an activation, of any thread or generator. Filled by the VM; the
 * world is stopped. */
extern void (*promote_walk_slots)(visitproc visit, void *arg);

#endif /* BRAID_PROMOTE_H */
