/* The cycle collector.
 *
 * One collection:
 *   pause 1   serve all merge queues, reclaim all limbo; walk all pages: candidates are live, tracked slots whose
 *             total count is not 0.  scratch = counted references; subtract every counted edge between candidates (trial
 *             deletion); what keeps a count, is immortal or frozen, is named by a frame slot while DEFERRED, or is the type
 *             of an allocated slot that is no candidate, is a root; what is not reached from roots is garbage.  Garbage becomes
 *             ownerless with one more reference, the collector's.  Weak references to it are cleared; callbacks to be
 *             made are collected.
 *   running   weakref callbacks, then finalisers.
 *   pause 2   (if code has run) the trial again: what has come back to life is let go.
 *   running   tp_clear of the rest, then the collector's references are dropped.
 *
 * DEFERRED garbage (classes, functions, code) is cleared, but its memory is kept until a later trial finds that nothing
 * reaches it any more, not even an uncounted edge or the type pointer of an allocated slot (finding 8).
 *
 * A collection is due when the number of objects on pages has grown by max(20 * threshold0, 3/4 of what was live) since the
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
/* At interpreter exit: a collection that leaves memory alone where nobody notices.  Escapes */
void collector_finalize(void);
/* In the child of a fork. */
void collector_after_fork(struct _ts *ts);
/* -X gcstats: prints pauses and counts to stderr. */
void collector_print_stats(void);

/* ---- Between collector.c, collector_trial.c and gc_module.c ---- */

struct object_vector {
    PyObject **items;
    size_t count, capacity;
};
/* 0, or -1 when out of memory. */
int object_vector_push(struct object_vector *v, PyObject *op);
void object_vector_free(struct object_vector *v);

struct trial {
    struct object_vector stack;         /* reached, not traversed yet */
    struct object_vector garbage;       /* result; borrowed */
    struct object_vector legacy;        /* unreachable, but with tp_del: left alone */
    struct object_vector released;      /* cleared DEFERRED objects that nothing reaches any more */
    size_t candidates;
    int recheck;                        /* only what is SLOT_GARBAGE already can be garbage */
    int any_legacy;                     /* some candidate's type has tp_del */
    int any_cleared;                    /* there are objects that an earlier collection has cleared */
    int failed;                         /* out of memory: nothing is garbage */
};
/* In a pause: fills garbage and legacy, leaves no marks. With failed set, garbage is to be ignored. */
void collector_run_trial_stopped(struct trial *t);

/* In a pause: one more reference to a live object. */
void object_incref_stopped(PyObject *op);
/* In a pause: may others get to see this slot's object? (live, tracked, not dying, not garbage) */
int collector_is_visible_stopped(PyObject *op, uint8_t state);

struct collector_state {
    int enabled;                        /* [atomic] */
    int debug;                          /* [atomic] */
    int thresholds[3];                  /* [atomic] */
    int64_t growth;                     /* [atomic] since the last collection */
    int64_t due_at;                     /* [atomic] */
    uint8_t busy;                       /* [atomic] a collection is under way */
    uint16_t busy_slot;                 /* [busy] in which thread */
    int64_t live;                       /* candidates of the last collection */
    struct { uint64_t collections, collected, uncollectable; } generations[3];
    uint64_t pauses, pause_total_ns, pause_longest_ns;
    uint32_t pause_histogram[40];       /* by log2 of microseconds */
    PyObject *garbage, *callbacks;      /* gc.garbage, gc.callbacks: lists made by the module, or NULL */
};
extern struct collector_state collector;

#define GC_DEBUG_STATS 1
#define GC_DEBUG_COLLECTABLE 2
#define GC_DEBUG_UNCOLLECTABLE 4
#define GC_DEBUG_SAVEALL 32
#define GC_DEBUG_LEAK (GC_DEBUG_COLLECTABLE | GC_DEBUG_UNCOLLECTABLE | GC_DEBUG_SAVEALL)

#endif /* BRAID_COLLECTOR_H */
