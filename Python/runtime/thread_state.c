/* Thread states: making and ending them, attach and detach, safe points. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "collector.h"
#include "promote.h"
#include "frame.h"
#include "gil.h"
#include "interpreter.h"
#include "lock.h"
#include "memory.h"
#include "merge_posts.h"
#include "atomics.h"
#include "stop_world.h"
#include "thread_end.h"
#include "trace.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

BRAID_TLS PyThreadState *_Py_tstate;
/* The state that PyGILState_* uses on this pthread, attached or not. */
static BRAID_TLS PyThreadState *bound_state;

/* ---- The list ---- */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

void thread_list_lock(void) { pthread_mutex_lock(&list_lock); }
void thread_list_unlock(void) { pthread_mutex_unlock(&list_lock); }
PyThreadState *thread_first(void) { return runtime_interp.threads; }
int thread_count(void) { return atomic_load_relaxed_int(&runtime_interp.thread_count); }

static void list_add(PyThreadState *ts)
{
    ts->prev = NULL;
    ts->next = runtime_interp.threads;
    if (ts->next != NULL)
        ts->next->prev = ts;
    runtime_interp.threads = ts;
    atomic_store_relaxed_int(&runtime_interp.thread_count, runtime_interp.thread_count + 1);
}

static void list_remove(PyThreadState *ts)
{
    if (ts->prev != NULL)
        ts->prev->next = ts->next;
    else
        runtime_interp.threads = ts->next;
    if (ts->next != NULL)
        ts->next->prev = ts->prev;
    ts->prev = ts->next = NULL;
    atomic_store_relaxed_int(&runtime_interp.thread_count, runtime_interp.thread_count - 1);
}

void thread_set_breaker_all(uint32_t bits)
{
    thread_list_lock();
    for (PyThreadState *ts = runtime_interp.threads; ts != NULL; ts = ts->next)
        thread_set_breaker(ts, bits);
    thread_list_unlock();
}

/* ---- Attach and detach ---- */

/* Other threads end here once the interpreter is going down. What they have is never freed. */
static void hang_if_finalizing(PyThreadState *ts)
{
    if (Py_LIKELY(!runtime_is_finalizing()) || atomic_load_relaxed_ptr(&runtime_interp.finalizing_thread) == ts)
        return;
    if (ts->holds_gil)
        gil_release(ts);
    mutex_waits_abandon(ts->lock_waits);
    for (;;)
        pause();
}

static void enter(PyThreadState *ts)
{
    for (;;) {
        hang_if_finalizing(ts);
        if (gil_is_enabled() && !ts->holds_gil)
            gil_take(ts);
        if (slot_change_state(ts->slot, SLOT_DETACHED, SLOT_ATTACHED)) {
            atomic_fence_seq_cst();     /* pairs with stop_world_begin: it sees us attached, or we see the request */
            int may_run = !atomic_load_relaxed_int(&stop_world_requested) || stop_world_is_mine();
            if (Py_LIKELY(may_run && (!gil_is_enabled() || ts->holds_gil) && !runtime_is_finalizing()))
                break;
            if (may_run && runtime_is_finalizing() && runtime_interp.finalizing_thread == ts)
                break;
            slot_change_state(ts->slot, SLOT_ATTACHED, SLOT_DETACHED);
            if (!may_run)
                stop_world_notify();
        }
        if (ts->holds_gil)
            gil_release(ts);
        stop_world_wait(ts);
    }
    _Py_tstate = ts;
#ifdef Py_GIL_DISABLED
    _Py_current_tid = ts->tid;
#endif
    if (memory_thread_attach(ts) < 0)
        Py_FatalError("out of memory while attaching a thread");
}

static void leave(PyThreadState *ts, slot_state_t to, int serve)
{
    for (;;) {
        if (ts->critical_sections != NULL)
            critical_section_suspend_all(ts);
        memory_thread_detach(ts);
        _Py_tstate = NULL;
#ifdef Py_GIL_DISABLED
        _Py_current_tid = 0;
#endif
        slot_change_state(ts->slot, SLOT_ATTACHED, to);
        atomic_fence_seq_cst();         /* pairs with merge_post and stop_world_begin */
        if (Py_UNLIKELY(atomic_load_relaxed_int(&stop_world_requested)))
            stop_world_notify();
        if (!serve || Py_LIKELY(!merge_pending(ts->slot)))
            break;
        enter(ts);
        memory_serve_merge_requests(ts);
    }
    if (ts->holds_gil)
        gil_release(ts);
}

static void bind(PyThreadState *ts)
{
    __atomic_store_n(&ts->thread_id, (unsigned long)pthread_self(), __ATOMIC_RELAXED);      /* it is in the list already */
    __atomic_store_n(&ts->native_thread_id, (unsigned long)syscall(SYS_gettid), __ATOMIC_RELAXED);
    thread_find_c_stack(ts);
    ts->bound = 1;
    if (bound_state == NULL)
        bound_state = ts;
}

void thread_attach_suspended(PyThreadState *ts)
{
    int saved_errno = errno;
    int begins = !ts->bound;
    if (Py_UNLIKELY(begins))
        bind(ts);
    enter(ts);
    if (Py_UNLIKELY(begins) && merge_pending(ts->slot))
        thread_set_breaker(ts, BREAKER_MERGE);      /* meant for an earlier thread of the slot */
    errno = saved_errno;
}

void thread_attach(PyThreadState *ts)
{
    thread_attach_suspended(ts);
    if (ts->critical_sections != NULL) {
        int saved_errno = errno;
        critical_section_resume_top(ts);
        errno = saved_errno;
    }
}

void thread_detach(PyThreadState *ts)
{
    int saved_errno = errno;
    leave(ts, SLOT_DETACHED, 1);
    errno = saved_errno;
}

void thread_detach_brief(PyThreadState *ts)
{
    int saved_errno = errno;
    leave(ts, SLOT_DETACHED, 0);
    errno = saved_errno;
}

int thread_has_requests(PyThreadState *ts) { return merge_pending(ts->slot); }
void thread_serve_requests(PyThreadState *ts) { memory_serve_merge_requests(ts); }

/* ThreadSanitizer keeps the calls that are open, and where they are more than 65536, its next allocation or report fails a check of its own
 * and may hang: the smallest calls that recur take some hundred bytes. */
#ifdef __SANITIZE_THREAD__
enum { C_STACK_MOST = 3 * 1024 * 1024 };
#else
#define C_STACK_MOST SIZE_MAX
#endif

void thread_find_c_stack(PyThreadState *ts)
{
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0, guard = 0;
    char here, *own;
    if (pythread_get_stack(&own, &size))        /* the question below takes memory, a thread's first */
        lowest = own;
    else if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &lowest, &size) != 0)
            size = 0;
        pthread_attr_getguardsize(&attributes, &guard);
        pthread_attr_destroy(&attributes);
        if (size != 0)
            pythread_note_stack((char *)lowest + guard, size);
    }
    if (size == 0 || &here < (char *)lowest || &here > (char *)lowest + size) {
        size = 512 * 1024;          /* a stack of its own (a coroutine library): assume that much is left */
        lowest = (void *)((uintptr_t)&here - size);
        guard = 0;
    }
    if (size > C_STACK_MOST) {
        lowest = (char *)lowest + (size - C_STACK_MOST);
        size = C_STACK_MOST;
    }
    /* What C code that does not ask may use, and what raising RecursionError and its handlers may use. */
    size_t reserve = size / 16 < 96 * 1024 ? size / 16 : 96 * 1024;
    ts->c_stack_limit = (char *)lowest + guard + reserve;
    ts->c_stack_soft_limit = ts->c_stack_limit + 2 * reserve;
}

/* ---- Beginning ---- */

static void state_init(PyThreadState *ts)
{
    uint16_t slot = ts->slot;
    struct thread_heap *heap = ts->heap;        /* they belong to the slot */
    struct qsbr_thread *qsbr = ts->qsbr;
    /* The breaker is written by others at any time. */
    size_t after = offsetof(struct _ts, breaker) + sizeof(ts->breaker);
    memset(ts, 0, offsetof(struct _ts, breaker));
    memset((char *)ts + after, 0, sizeof(*ts) - after);
    atomic_store_relaxed_u32(&ts->breaker, 0);
    ts->slot = slot;
    ts->heap = heap;
    ts->qsbr = qsbr;
    ts->tid = gil_shares_tid() ? 1 : slot;
    ts->interp = &runtime_interp;
    ts->exc_info = &ts->exc_state;
    ts->py_recursion_limit = ts->py_recursion_remaining = runtime_interp.recursion_limit;
    ts->context_ver = 1;
    ts->gilstate_counter = 1;
}

static PyThreadState *state_new(void)
{
    thread_list_lock();
    PyThreadState *ts = slot_take();
    if (ts == NULL) {
        thread_list_unlock();
        return NULL;
    }
    state_init(ts);
    ts->id = ++runtime_interp.next_thread_id;
    list_add(ts);
    int alone = runtime_interp.thread_count == 1;
    int failed = frame_stack_init(ts) < 0;      /* under the lock: no pause that looks at stacks stops a thread from outside */
    thread_list_unlock();
    if (failed) {
        PyThreadState_Delete(ts);
        return NULL;
    }
    if (!alone)
        runtime_become_multi(thread_current());
    return ts;
}

PyThreadState *PyThreadState_New(PyInterpreterState *interp)
{
    (void)interp;
    return state_new();
}

PyThreadState *thread_init_main(void)
{
    if (runtime_interp.recursion_limit == 0)
        runtime_interp.recursion_limit = 1000;
    PyThreadState *ts = state_new();
    if (ts == NULL)
        return NULL;
    ts->is_main = 1;
    atomic_store_release_ptr(&runtime_interp.main_thread, ts);
    thread_attach(ts);
    return ts;
}

int thread_is_main(void)
{
    return thread_current() != NULL && thread_current() == atomic_load_relaxed_ptr(&runtime_interp.main_thread);
}

/* ---- End ---- */

static void clear(PyThreadState *ts)
{
    Py_CLEAR(ts->curexc_type);
    Py_CLEAR(ts->curexc_value);
    Py_CLEAR(ts->curexc_traceback);
    Py_CLEAR(ts->exc_state.exc_value);
    PyObject *async = atomic_exchange_ptr(&ts->async_exc, NULL);
    Py_XDECREF(async);
    ts->c_profilefunc = ts->c_tracefunc = NULL;
    ts->use_tracing = 0;
    Py_CLEAR(ts->c_profileobj);
    Py_CLEAR(ts->c_traceobj);
    Py_CLEAR(ts->async_gen_firstiter);
    Py_CLEAR(ts->async_gen_finalizer);
    thread_local_clear(ts);
    Py_CLEAR(ts->dict);
    Py_CLEAR(ts->context);
}

static void announce_end(PyThreadState *ts)
{
    void (*f)(void *) = ts->on_delete;
    ts->on_delete = NULL;
    if (f != NULL)
        f(ts->on_delete_data);
}

void PyThreadState_Clear(PyThreadState *ts)
{
    clear(ts);
    announce_end(ts);
}

/* The slot is VACANT: nobody else looks at ts any more but to set bits in its breaker. */
static void state_free(PyThreadState *ts)
{
    if (bound_state == ts)
        bound_state = NULL;
    PyThreadState *last = NULL;
    thread_list_lock();
    frame_stack_fini(ts);       /* under the lock: the collector may be looking at the stacks of all in the list */
    list_remove(ts);
    slot_give_back(ts->slot);
    if (runtime_interp.thread_count == 1)
        last = runtime_interp.threads;
    if (last != NULL)
        thread_set_breaker(last, BREAKER_FLIP);
    thread_list_unlock();
}

void PyThreadState_Delete(PyThreadState *ts)
{
    if (ts == thread_current())
        Py_FatalError("the thread state is still current");
    while (!slot_change_state(ts->slot, SLOT_DETACHED, SLOT_VACANT)) {
        /* Suspended: it must not change during the pause. The caller may be the one who pauses, or detached. */
        if (stop_world_is_mine() && slot_change_state(ts->slot, SLOT_SUSPENDED, SLOT_VACANT))
            break;
        PyThreadState *self = thread_current();
        if (self != NULL)
            thread_detach_brief(self);
        stop_world_wait(ts);
        if (self != NULL)
            thread_attach(self);
    }
    state_free(ts);
}

/* Have finalisers put something into the state that is being cleared? */
static int has_leftovers(PyThreadState *ts)
{
    return ts->local_keys != NULL || ts->dict != NULL || ts->context != NULL || ts->curexc_type != NULL || ts->c_profileobj != NULL
           || ts->c_traceobj != NULL || ts->async_gen_firstiter != NULL || ts->async_gen_finalizer != NULL
           || __atomic_load_n(&ts->async_exc, __ATOMIC_RELAXED) != NULL;
}

/* Finalisers that make something anew each time are not followed for ever. */
#define LAST_ROUNDS 10

void thread_end_current(PyThreadState *ts)
{
    assert(ts == thread_current() && ts->critical_sections == NULL);
    for (int rounds = 0;;) {
        do
            clear(ts);
        while (has_leftovers(ts) && rounds++ < LAST_ROUNDS);
        memory_thread_exit(ts);
        if (has_leftovers(ts) && rounds++ < LAST_ROUNDS)
            continue;
        slot_set_leaving(ts->slot, 1);
        if (!merge_pending(ts->slot))   /* it has the fence */
            break;
        slot_set_leaving(ts->slot, 0);
    }
    announce_end(ts);
    memory_thread_leave(ts);
    leave(ts, SLOT_VACANT, 0);
    state_free(ts);
}

void PyThreadState_DeleteCurrent(void)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL)
        Py_FatalError("no current thread state");
    thread_end_current(ts);
}

void thread_delete_others(PyThreadState *keep, int leak_references)
{
    for (;;) {
        thread_list_lock();
        PyThreadState *ts = runtime_interp.threads;
        while (ts != NULL && ts == keep)
            ts = ts->next;
        if (ts != NULL)
            list_remove(ts);
        thread_list_unlock();
        if (ts == NULL)
            return;
        if (!leak_references)
            PyThreadState_Clear(ts);
    }
}

void thread_begin_finalization(void)
{
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    atomic_store_release_ptr(&runtime_interp.finalizing_thread, ts);
    atomic_store_seq_cst_int(&runtime_interp.finalizing, 1);
    stop_world_end(ts);
}

/* ---- Safe points ---- */

static int raise_async(PyThreadState *ts)
{
    PyObject *exc = atomic_exchange_ptr(&ts->async_exc, NULL);
    if (exc == NULL)
        return 0;
    PyErr_SetNone(exc);
    Py_DECREF(exc);
    return -1;
}

int thread_handle_breaker(PyThreadState *ts)
{
    uint32_t bits = atomic_load_acquire_u32(&ts->breaker);
    /* Cleared before it is acted upon: what comes meanwhile sets the bit again. GIL_DROP is cleared by the release. */
    uint32_t once = bits & ~(uint32_t)(BREAKER_GIL_DROP | BREAKER_PENDING | BREAKER_SIGNALS | BREAKER_ASYNC_EXC | BREAKER_COLLECT
                                      | BREAKER_TRACE | BREAKER_POSTS);
    if (once)
        atomic_fetch_and_u32(&ts->breaker, ~once);
    if (Py_UNLIKELY(runtime_is_finalizing()) && runtime_interp.finalizing_thread != ts) {
        thread_detach_brief(ts);
        thread_attach(ts);          /* never returns */
    }
    if (bits & BREAKER_STOP_WORLD) {
        thread_detach_brief(ts);
        thread_attach(ts);
    }
    if (bits & BREAKER_GIL_DROP)
        gil_yield(ts);
    if (bits & BREAKER_FLIP)
        runtime_try_become_alone(ts);
    qsbr_report();
    if (bits & BREAKER_QSBR)
        qsbr_poll();
    if (bits & BREAKER_PROMOTE)
        promote_run(ts);
    if ((bits & BREAKER_POSTS) && !merge_posts_count())
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_POSTS);
    if (bits & BREAKER_MERGE)
        memory_serve_merge_requests(ts);
    /* From here on each may raise; the rest stays set for the next safe point. */
    if (bits & BREAKER_SIGNALS) {
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_SIGNALS);
        if (thread_is_main() && PyErr_CheckSignals() < 0)
            return -1;
    }
    if (bits & BREAKER_PENDING) {
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_PENDING);
        if (thread_is_main() && pending_run(ts) < 0)
            return -1;
    }
    if (bits & BREAKER_COLLECT) {
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_COLLECT);
        collector_run_pending(ts);
    }
    if (bits & BREAKER_ASYNC_EXC) {
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_ASYNC_EXC);
        return raise_async(ts);
    }
    return 0;
}

/* ---- The C API ---- */

PyThreadState *PyThreadState_Get(void)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL)
        Py_FatalError("the function must be called with the GIL held, after Python initialization and before Python "
                      "finalization, but the GIL is released (the current Python thread state is NULL)");
    return ts;
}

PyThreadState *_PyThreadState_UncheckedGet(void) { return thread_current(); }
PyThreadState *PyThreadState_GetUnchecked(void) { return thread_current(); }

PyThreadState *PyThreadState_Swap(PyThreadState *ts)
{
    PyThreadState *old = thread_current();
    if (old == ts)
        return old;
    if (old != NULL)
        thread_detach(old);
    if (ts != NULL)
        thread_attach(ts);
    return old;
}

PyThreadState *PyThreadState_Next(PyThreadState *ts) { return ts->next; }

PyObject *_PyThreadState_GetDict(PyThreadState *ts)
{
    if (ts->dict == NULL) {
        ts->dict = PyDict_New();
        if (ts->dict == NULL)
            PyErr_Clear();
    }
    return ts->dict;
}

PyObject *PyThreadState_GetDict(void)
{
    PyThreadState *ts = thread_current();
    return ts == NULL ? NULL : _PyThreadState_GetDict(ts);
}

PyInterpreterState *PyThreadState_GetInterpreter(PyThreadState *ts) { return ts->interp; }

uint64_t PyThreadState_GetID(PyThreadState *ts) { return ts->id; }

struct _frame *PyThreadState_GetFrame(PyThreadState *ts)
{
    if (ts == thread_current())
        return frame_current_object(ts);
    stop_world_begin(thread_current());
    frame_t *f = frame_first_complete(ts->frame);
    PyFrameObject *object = f != NULL ? frame_get_object(f) : NULL;
    Py_XINCREF(object);
    stop_world_end(thread_current());
    return object;
}

void PyThreadState_EnterTracing(PyThreadState *ts)
{
    ts->tracing++;
    thread_update_tracing(ts);
}

void PyThreadState_LeaveTracing(PyThreadState *ts)
{
    ts->tracing--;
    thread_update_tracing(ts);
}

int PyThreadState_SetAsyncExc(unsigned long thread_id, PyObject *exc)
{
    if (thread_id == 0)         /* of a thread that has not begun */
        return 0;
    Py_XINCREF(exc);
    if (exc != NULL)
        object_publish(exc);
    int found = 0;
    PyObject *old = exc;
    thread_list_lock();
    for (PyThreadState *ts = runtime_interp.threads; ts != NULL; ts = ts->next) {
        if (__atomic_load_n(&ts->thread_id, __ATOMIC_RELAXED) == thread_id) {
            found = 1;
            old = atomic_exchange_ptr(&ts->async_exc, exc);
            thread_set_breaker(ts, BREAKER_ASYNC_EXC);
            break;
        }
    }
    thread_list_unlock();
    Py_XDECREF(old);
    return found;
}

PyThreadState *PyEval_SaveThread(void)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL)
        Py_FatalError("the thread is not attached");
    thread_detach(ts);
    return ts;
}

void PyEval_RestoreThread(PyThreadState *ts)
{
    if (ts == NULL)
        Py_FatalError("NULL thread state");
    thread_attach(ts);
}

void PyEval_AcquireThread(PyThreadState *ts) { PyEval_RestoreThread(ts); }

void PyEval_ReleaseThread(PyThreadState *ts)
{
    if (ts != thread_current())
        Py_FatalError("wrong thread state");
    thread_detach(ts);
}

void PyEval_AcquireLock(void)
{
    if (bound_state == NULL)
        Py_FatalError("the thread has no state");
    thread_attach(bound_state);
}

void PyEval_ReleaseLock(void)
{
    if (thread_current() != NULL)
        thread_detach(thread_current());
}

void PyEval_InitThreads(void) {}
int PyEval_ThreadsInitialized(void) { return 1; }

/* ---- PyGILState_* (Python/runtime/gilstate.c) ---- */

PyThreadState *gilstate_get_bound(void) { return bound_state; }
void gilstate_set_bound(PyThreadState *ts) { bound_state = ts; }

/* ---- fork ---- */

void thread_list_after_fork(PyThreadState *ts)
{
    pthread_mutex_init(&list_lock, NULL);
    for (PyThreadState *other = runtime_interp.threads, *next; other != NULL; other = next) {
        next = other->next;
        if (other == ts)
            continue;
        mutex_waits_abandon(other->lock_waits);
        list_remove(other);
    }
    ts->native_thread_id = (unsigned long)syscall(SYS_gettid);
    ts->is_main = 1;
    runtime_interp.main_thread = ts;
}
