/* Stopping the world, and the step between one thread and many. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "stop_world.h"
#include "atomics.h"
#include "gil.h"
#include "interpreter.h"
#include "lock.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

int stop_world_requested;

static PyMutex right_to_stop;               /* held during the pause */
static uint64_t requester;                  /* [atomic] identity of who holds it, once the request is out */
static int depth;                           /* [requester] */
static int64_t requested_at, stopped_at;    /* [requester] */

/* Both conditions go with `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t look_again = PTHREAD_COND_INITIALIZER;    /* for the requester */
static pthread_cond_t resumed = PTHREAD_COND_INITIALIZER;       /* for stopped threads */
static int something_left;                  /* [lock] a thread has left ATTACHED since the requester looked */

static struct pause_stats stats;            /* [right_to_stop] */

int stop_world_is_mine(void) { return atomic_load_relaxed_u64(&requester) == sync_thread_identity(); }

int world_is_stopped(void) { return stop_world_is_mine(); }

void stop_world_notify(void)
{
    pthread_mutex_lock(&lock);
    something_left = 1;
    pthread_cond_signal(&look_again);
    pthread_mutex_unlock(&lock);
}

void stop_world_wait(PyThreadState *ts)
{
    pthread_mutex_lock(&lock);
    while (!stop_world_is_mine()
           && (atomic_load_relaxed_int(&stop_world_requested) || slot_get_state(ts->slot) == SLOT_SUSPENDED))
        pthread_cond_wait(&resumed, &lock);
    pthread_mutex_unlock(&lock);
    if (slot_get_state(ts->slot) == SLOT_BORROWED)
        sched_yield();
}

/* Suspends who can be suspended, nudges the others. Returns how many are still on the way. */
static int suspend_others(PyThreadState *self)
{
    int running = 0;
    thread_list_lock();
    for (PyThreadState *ts = thread_first(); ts != NULL; ts = ts->next) {
        if (ts == self)
            continue;
        switch (slot_get_state(ts->slot)) {
        case SLOT_VACANT:
        case SLOT_SUSPENDED:
            break;
        case SLOT_DETACHED:
            if (!slot_change_state(ts->slot, SLOT_DETACHED, SLOT_SUSPENDED))
                running++;
            break;
        case SLOT_ATTACHED:
            thread_set_breaker(ts, BREAKER_STOP_WORLD);
            running++;
            break;
        case SLOT_BORROWED:
            running++;
            break;
        }
    }
    thread_list_unlock();
    return running;
}

void stop_world_begin(PyThreadState *ts)
{
    if (stop_world_is_mine()) {
        depth++;
        return;
    }
    int64_t now = sync_now_ns();
    mutex_lock_timed(&right_to_stop, -1, PARK_DETACH);
    requested_at = now;
    depth = 1;
    thread_list_lock();         /* a new thread sees the request or is seen by suspend_others */
    atomic_store_relaxed_u64(&requester, sync_thread_identity());
    atomic_store_seq_cst_int(&stop_world_requested, 1);
    thread_list_unlock();
    atomic_fence_seq_cst();     /* pairs with the fence of a thread that attaches */
    while (suspend_others(ts) > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_mutex_lock(&lock);
        if (!something_left)
            pthread_cond_clockwait(&look_again, &lock, CLOCK_MONOTONIC, &until);
        something_left = 0;
        pthread_mutex_unlock(&lock);
    }
    stopped_at = sync_now_ns();
}

static void count_pause(void)
{
    uint64_t pause = (uint64_t)(sync_now_ns() - stopped_at), stop = (uint64_t)(stopped_at - requested_at);
    stats.count++;
    stats.total_ns += pause;
    stats.last_ns = pause;
    stats.total_stop_ns += stop;
    if (pause > stats.longest_ns)
        stats.longest_ns = pause;
    if (stop > stats.longest_stop_ns)
        stats.longest_stop_ns = stop;
}

void stop_world_end(PyThreadState *ts)
{
    assert(stop_world_is_mine());
    if (--depth > 0)
        return;
    count_pause();
    pthread_mutex_lock(&lock);
    thread_list_lock();
    atomic_store_seq_cst_int(&stop_world_requested, 0);
    atomic_store_relaxed_u64(&requester, 0);
    for (PyThreadState *t = thread_first(); t != NULL; t = t->next)
        if (t != ts)
            slot_change_state(t->slot, SLOT_SUSPENDED, SLOT_DETACHED);
    thread_list_unlock();
    pthread_cond_broadcast(&resumed);
    pthread_mutex_unlock(&lock);
    PyMutex_Unlock(&right_to_stop);
}

void stop_world_get_stats(struct pause_stats *result)
{
    mutex_lock_timed(&right_to_stop, -1, PARK_DETACH);
    *result = stats;
    PyMutex_Unlock(&right_to_stop);
}

void stop_world_after_fork(void)
{
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&look_again, NULL);
    pthread_cond_init(&resumed, NULL);
    mutex_reset(&right_to_stop);
    stop_world_requested = 0;
    requester = 0;
    depth = 0;
    something_left = 0;
}

/* ---- Alone or not (2.6) ---- */

void runtime_become_multi(PyThreadState *ts)
{
#ifdef Py_GIL_DISABLED
    if (atomic_load_relaxed_int(&runtime_multi) || gil_shares_tid())
        return;
    stop_world_begin(ts);
    /* Stopped threads have suspended their sections. Ours: what was elided is locked from now on. */
    if (ts != NULL)
        critical_section_suspend_all(ts);
    atomic_store_seq_cst_int(&runtime_multi, 1);
    stop_world_end(ts);
    if (ts != NULL)
        critical_section_resume_top(ts);
#else
    (void)ts;
#endif
}

void runtime_try_become_alone(PyThreadState *ts)
{
#ifdef Py_GIL_DISABLED
    if (!atomic_load_relaxed_int(&runtime_multi))
        return;
    /* A thread that comes now waits for the lock, and looks at runtime_multi after it. */
    thread_list_lock();
    if (thread_first() == ts && ts->next == NULL && !stop_world_is_mine())
        atomic_store_seq_cst_int(&runtime_multi, 0);
    thread_list_unlock();
#else
    (void)ts;
#endif
}
