/* Threads as the interpreter sees them: thread states, slots (thread indices), attach and detach, safe points, stop-the-world.
 *
 * A *slot* is a thread index 1..65535 that outlives threads; `hdr_tid` of an object names the slot that owns it.  The table never
 * moves.  A slot's state is one word, changed by CAS (acquire in, release out); only attached threads touch counts:
 *
 *      VACANT -> ATTACHED <-> DETACHED          the thread itself
 *      VACANT/DETACHED <-> BORROWED             whoever merges queued objects on the owner's behalf
 *      DETACHED/ATTACHED(at a safe point) -> SUSPENDED -> DETACHED     stop-the-world
 *
 * With the GIL on from start-up, all threads share slot 1's tid for reference counts (and attach takes the GIL), so that no count is
 * ever shared; each thread still has its own slot for its state.
 *
 * The eval breaker is one word per thread, tested at every safe point (loop back-edges, calls of Python code); anything that
 * wants the thread's attention sets a bit in it. */
#include "../Python.h"      /* before the guard: Python.h itself comes here, half-way, for the inline critical sections */

#ifndef BRAID_THREAD_STATE_H
#define BRAID_THREAD_STATE_H

enum {
    BREAKER_GIL_DROP = 1,       /* another thread waits for the global lock */
    BREAKER_STOP_WORLD = 2,     /* a pause is requested: park at this safe point */
    BREAKER_MERGE = 4,          /* merge requests are queued for this thread's slot */
    BREAKER_COLLECT = 8,        /* a collection is due */
    BREAKER_SIGNALS = 16,       /* a signal arrived (main thread) */
    BREAKER_PENDING = 32,       /* Py_AddPendingCall (main thread) */
    BREAKER_ASYNC_EXC = 64,     /* PyThreadState_SetAsyncExc */
    BREAKER_QSBR = 128,         /* report a quiescent state soon: much delayed memory waits */
    BREAKER_FLIP = 256,         /* this thread may be alone again: see whether locks can be elided (2.6) */
    BREAKER_EXIT = 512,         /* the interpreter is going down: daemon threads hang here */
};

typedef enum { SLOT_VACANT, SLOT_ATTACHED, SLOT_DETACHED, SLOT_BORROWED, SLOT_SUSPENDED } slot_state_t;

struct frame;                   /* Include/internal/frame.h: an activation record of the register machine */

/* The exception being handled in a frame or generator, linked to the one around it. */
typedef struct _err_stackitem {
    PyObject *exc_value;        /* [owner] counted, or NULL */
    struct _err_stackitem *previous_item;
} _PyErr_StackItem;

/* [owner] unless marked otherwise */
struct _ts {
    struct _ts *prev, *next;            /* [lock: interpreter's thread list] */
    struct _is *interp;

    uint16_t tid;                       /* slot index for reference counts (1 for all under the GIL) */
    uint16_t slot;                      /* own slot index */
    uint32_t breaker;                   /* [atomic] BREAKER_* bits */

    /* C stack */
    char *c_stack_limit;                /* lowest address that C recursion may use */
    char *c_stack_soft_limit;           /* a little above: RecursionError is raised here */

    /* Python stack (Python/vm/stack.c) */
    struct frame *frame;                /* innermost activation */
    PyObject **stack_top;               /* first free word of the current chunk */
    PyObject **stack_limit;
    struct stack_chunk *stack_chunk;
    int py_recursion_remaining;         /* frames until RecursionError */
    int py_recursion_limit;
    int c_recursion_depth;

    /* exceptions */
    PyObject *curexc_type;              /* the error indicator; three fields, as extensions know them */
    PyObject *curexc_value;
    PyObject *curexc_traceback;
    _PyErr_StackItem *exc_info;         /* innermost exception being handled */
    _PyErr_StackItem exc_state;
    PyObject *async_exc;                /* [atomic] */

    /* tracing */
    int tracing;                        /* > 0: inside a trace or profile function */
    int tracing_what;
    int use_tracing;                    /* a trace or profile function is set: run the traced loop */
    Py_tracefunc c_profilefunc;
    Py_tracefunc c_tracefunc;
    PyObject *c_profileobj;
    PyObject *c_traceobj;

    PyObject *dict;                     /* PyThreadState_GetDict */
    PyObject *context;                  /* contextvars */
    uint64_t context_ver;
    PyObject *async_gen_firstiter;
    PyObject *async_gen_finalizer;
    int coroutine_origin_tracking_depth;

    int gilstate_counter;               /* PyGILState_Ensure nesting */
    unsigned long thread_id;            /* [atomic] pthread_self */
    unsigned long native_thread_id;     /* [atomic] */
    uint64_t id;
    int is_main;
    int daemon;
    int finalizing;
    void (*on_delete)(void *);
    void *on_delete_data;

    struct PyCriticalSection *critical_sections;    /* innermost (critical_section_inline.h) */
    struct lock_wait *lock_waits;       /* locks that it waits for, innermost first (lock.h) */

    /* memory (Python/memory) */
    struct thread_heap *heap;           /* object pages owned by this thread's slot */
    struct qsbr_thread *qsbr;           /* delayed memory of this thread */
    uint64_t qsbr_seen;                 /* [atomic] epoch last reported; offline = UINT64_MAX */
    int dealloc_depth;                  /* nesting of _Py_Dealloc */
    PyObject *dealloc_current;          /* PUBLISHED object being torn down: its memory is retired, not freed */
    int64_t alloc_since_gc;             /* containers allocated minus freed since last reported to the collector */

    void *private_sync;                 /* Python/sync: free for its use */
    uint32_t gil_switches;              /* [lock: GIL] how often this thread has taken the global lock */
    uint8_t holds_gil;
    uint8_t bound;                      /* the pthread that runs it has it as its own for PyGILState_* */
    PyObject *local_keys;               /* dict: what threading.local objects hold for this thread, or NULL */
    void *freelists[16];                /* small per-thread caches by their owners (floats none; frames, generators ...) */
    struct method_cache *type_cache;    /* per-thread method cache, if Objects/type_cache.c wants one */
};

/* The attached thread's state; NULL while detached. */
PyAPI_DATA(BRAID_TLS PyThreadState *) _Py_tstate;
static inline Py_ALWAYS_INLINE PyThreadState *thread_current(void) { return _Py_tstate; }

/* [atomic] Several threads may touch objects at the same time: count, lock and free accordingly. Always 0 with the GIL on from
 * start-up. It changes by rule 2.6 only: while all other threads are stopped or detached, the changer at a safe point. */
PyAPI_DATA(int) runtime_multi;

/* ---- Attach and detach (Python/runtime/thread_state.c) ---- */

/* Makes ts, detached until now, the current thread's. Waits for the GIL if it is on, and for the end of a pause. Resumes critical
 * sections. A daemon thread that comes here after finalisation has begun never returns. Keeps errno.
 * Escapes never */
void thread_attach(PyThreadState *ts);
/* The opposite, around calls that block. Suspends critical sections; serves what other threads have queued.
 * Keeps errno.  Escapes (finalisers of objects queued by others) */
void thread_detach(PyThreadState *ts);
/* The same for a wait on a lock: queued objects stay queued until the next safe point.  Escapes never */
void thread_detach_brief(PyThreadState *ts);
/* Attaches without taking critical sections up again: critical_section_resume_top does that later. */
void thread_attach_suspended(PyThreadState *ts);

/* Have other threads queued something for the (just detached) thread? And: does it, attached.  The second escapes. */
int thread_has_requests(PyThreadState *ts);
void thread_serve_requests(PyThreadState *ts);

/* ---- Safe points ---- */

/* Does what the breaker's bits ask for: park for a pause, give up the GIL, run pending calls and signal handlers, collect ...
 * Returns  0, or -1 with an exception set (by a handler, or sent to this thread)
 * Escapes */
int thread_handle_breaker(PyThreadState *ts);
static inline Py_ALWAYS_INLINE int thread_safe_point(PyThreadState *ts)
{
    if (Py_LIKELY(__atomic_load_n(&ts->breaker, __ATOMIC_RELAXED) == 0))
        return 0;
    return thread_handle_breaker(ts);
}
static inline void thread_set_breaker(PyThreadState *ts, uint32_t bits)
{
    if ((__atomic_load_n(&ts->breaker, __ATOMIC_RELAXED) & bits) != bits)
        __atomic_fetch_or(&ts->breaker, bits, __ATOMIC_SEQ_CST);
}
/* Sets bits in the breakers of all threads. Any thread; not from signal handlers. */
void thread_set_breaker_all(uint32_t bits);

/* ---- Slots (Python/runtime/thread_slots.c); slot_borrow, slot_return and slot_set_breaker: memory.h ---- */

/* Takes a vacant slot, its state becomes DETACHED (SUSPENDED during a pause). Returns the thread state that lives on it, whose fields but
 * `slot` are stale; NULL when out of slots or memory.  Locks: thread list */
PyThreadState *slot_take(void);
/* The slot, VACANT by now, may be taken again.  Locks: thread list */
void slot_give_back(uint16_t slot);
slot_state_t slot_get_state(uint16_t slot);
/* CAS, acquire and release. */
int slot_change_state(uint16_t slot, slot_state_t from, slot_state_t to);
/* After fork, in the child: all but `own` are vacant. */
void slots_after_fork(uint16_t own);

/* ---- The list of threads ---- */

/* Held for short: nothing that blocks, allocates or runs code. It is never held across a safe point. */
void thread_list_lock(void);
void thread_list_unlock(void);
/* for (ts = thread_first(); ts != NULL; ts = ts->next), under the lock: also with the world stopped, for threads that have
 * detached for the last time leave the list during a pause. */
PyThreadState *thread_first(void);
int thread_count(void);         /* [atomic] thread states that exist */

/* Allocates the state of the main thread, attaches it. Called once at start-up, after the GIL has been decided.
 * NULL: out of memory. */
PyThreadState *thread_init_main(void);
/* True in the thread that may run signal handlers and pending calls. */
int thread_is_main(void);
/* From now on other threads hang at their next attach or safe point. The caller is attached. */
void thread_begin_finalization(void);
/* Fills in c_stack_limit for the calling pthread. */
void thread_find_c_stack(PyThreadState *ts);
/* Drops everything of the threads other than the caller, after fork and at exit.  Escapes */
void thread_delete_others(PyThreadState *keep, int leak_references);

/* The state that PyGILState_* uses on this pthread. */
PyThreadState *gilstate_get_bound(void);
void gilstate_set_bound(PyThreadState *ts);
/* In the child of a fork: ts is the only one. The states of the others are leaked. */
void thread_list_after_fork(PyThreadState *ts);

/* ---- Pending work of the main thread (Python/runtime/pending.c) ---- */

/* A signal has arrived: PyErr_CheckSignals will run in the main thread. Async-signal-safe. */
void pending_set_signal(void);
/* Runs pending calls: 0, or -1 with an exception. */
int pending_run(PyThreadState *ts);
void pending_after_fork(void);

/* ---- Threads of our own (Python/runtime/thread_module.c) ---- */

/* Drops the thread's copies of the dicts of threading.local objects.  Escapes */
void thread_local_clear(PyThreadState *ts);
/* Joins (waits for) all non-daemon threads: threading._shutdown. Called before finalisation. */
void thread_module_shutdown(void);

/* ---- fork (Python/runtime/fork.c) ---- */

/* Stops the world / resumes it / makes the child whole. Called by PyOS_BeforeFork and so on. */
void fork_prepare(PyThreadState *ts);
void fork_parent(PyThreadState *ts);
void fork_child(PyThreadState *ts);
/* A plain mutex to be unlocked in the child of a fork. */
void fork_register_mutex(PyMutex *m);

#endif /* BRAID_THREAD_STATE_H */
