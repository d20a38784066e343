/* The global lock: a mutex and two conditions, with a timed wait and a forced switch. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "gil.h"
#include "atomics.h"
#include "stop_world.h"

#include <pthread.h>
#include <time.h>

#ifdef Py_GIL_DISABLED
int runtime_gil_enabled;
static int from_start, forbidden;       /* [const] */
#endif

static struct {
    pthread_mutex_t lock;
    pthread_cond_t freed, taken;
    int locked;                         /* [lock] */
    int waiting;                        /* [lock] threads in gil_take */
    uint64_t switches;                  /* [lock] changes of hands */
    PyThreadState *holder, *last_holder;    /* [lock] */
    uint64_t interval_us;               /* [atomic] */
} gil = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, .interval_us = 5000};

void gil_configure(int enabled)
{
#ifdef Py_GIL_DISABLED
    runtime_gil_enabled = from_start = enabled;
#else
    (void)enabled;
#endif
}

void gil_forbid(void)
{
#ifdef Py_GIL_DISABLED
    forbidden = 1;
#endif
}

int gil_shares_tid(void)
{
#ifdef Py_GIL_DISABLED
    return from_start;
#else
    return 1;
#endif
}

int gil_enable_at_runtime(PyThreadState *ts)
{
#ifdef Py_GIL_DISABLED
    if (forbidden || gil_is_enabled())
        return 0;
    int changed = 0;
    stop_world_begin(ts);
    if (!gil_is_enabled()) {
        pthread_mutex_lock(&gil.lock);
        gil.locked = 1;
        gil.holder = gil.last_holder = ts;
        pthread_mutex_unlock(&gil.lock);
        ts->holds_gil = 1;
        __atomic_store_n(&runtime_gil_enabled, 1, __ATOMIC_RELEASE);    /* pairs with gil_is_enabled of who attaches */
        changed = 1;
    }
    stop_world_end(ts);
    return changed;
#else
    (void)ts;
    return 0;
#endif
}

/* Waits for `freed`, at most one switch interval. Returns 1 if the time is over. */
static int wait_interval(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + (atomic_load_relaxed_u64(&gil.interval_us) % 1000000) * 1000;
    until.tv_sec += (time_t)(atomic_load_relaxed_u64(&gil.interval_us) / 1000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return pthread_cond_clockwait(&gil.freed, &gil.lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT;
}

void gil_take(PyThreadState *ts)
{
    int saved_errno = errno;
    pthread_mutex_lock(&gil.lock);
    gil.waiting++;
    while (gil.locked) {
        uint64_t switches = gil.switches;
        if (wait_interval() && gil.locked && gil.switches == switches && gil.holder != NULL)
            thread_set_breaker(gil.holder, BREAKER_GIL_DROP);
    }
    gil.waiting--;
    gil.locked = 1;
    gil.holder = ts;
    if (gil.last_holder != ts) {
        gil.last_holder = ts;
        gil.switches++;
        pthread_cond_broadcast(&gil.taken);
    }
    ts->gil_switches++;
    atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_GIL_DROP);    /* meant for an earlier turn */
    pthread_mutex_unlock(&gil.lock);
    ts->holds_gil = 1;
    errno = saved_errno;
}

void gil_release(PyThreadState *ts)
{
    int saved_errno = errno;
    pthread_mutex_lock(&gil.lock);
    ts->holds_gil = 0;
    gil.locked = 0;
    gil.holder = NULL;
    pthread_cond_signal(&gil.freed);
    if (atomic_load_relaxed_u32(&ts->breaker) & BREAKER_GIL_DROP) {
        /* Asked to let somebody else run: see to it that somebody does. */
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_GIL_DROP);
        while (gil.waiting > 0 && gil.last_holder == ts)
            pthread_cond_wait(&gil.taken, &gil.lock);
    }
    pthread_mutex_unlock(&gil.lock);
    errno = saved_errno;
}

void gil_yield(PyThreadState *ts)
{
    if (!ts->holds_gil)
        return;
    thread_detach_brief(ts);
    thread_attach(ts);
}

void gil_set_switch_interval(uint64_t microseconds)
{
    atomic_store_relaxed_u64(&gil.interval_us, microseconds > 0 ? microseconds : 1);
}

uint64_t gil_get_switch_interval(void) { return atomic_load_relaxed_u64(&gil.interval_us); }

void _PyEval_SetSwitchInterval(unsigned long microseconds) { gil_set_switch_interval(microseconds); }
unsigned long _PyEval_GetSwitchInterval(void) { return (unsigned long)gil_get_switch_interval(); }

void gil_after_fork(PyThreadState *ts)
{
    pthread_mutex_init(&gil.lock, NULL);
    pthread_cond_init(&gil.freed, NULL);
    pthread_cond_init(&gil.taken, NULL);
    gil.waiting = 0;
    gil.locked = ts->holds_gil;
    gil.holder = ts->holds_gil ? ts : NULL;
    gil.last_holder = ts;
}
