/* The global lock: a mutex and three conditions, with a timed wait and a forced switch.
 *
 * Who waits asks the holder to drop the lock when a switch interval has passed without a change of hands. A thread whose last turn was short
 * and ended of its own accord, as that of a thread which mostly waits for input does, comes before those that would hold the lock for as long
 * as they may, and asks after a fraction of the interval: it does not queue behind a crowd of busy threads each time. Every few
 * such turns one of the others is served, so none starves. */
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
    pthread_cond_t freed[2], taken;     /* freed[1]: for threads with short turns */
    int locked;                         /* [lock] */
    int waiting[2];                     /* [lock] threads in gil_take */
    int short_turns;                    /* [lock] given in a row while others waited */
    uint64_t switches;                  /* [lock] changes of hands */
    PyThreadState *holder, *last_holder;    /* [lock] */
    uint64_t interval_us;               /* [atomic] */
} gil = {PTHREAD_MUTEX_INITIALIZER, {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER}, PTHREAD_COND_INITIALIZER, .interval_us = 5000};

#define SHORT_TURNS_MAX 8       /* in a row */
#define SHORT_FRACTION 5        /* a turn is short, and is waited for, below this part of the switch interval */

/* The thread's last turn, or the one that it has. */
static BRAID_TLS struct {
    int64_t begin;              /* ns */
    int was_short;
} turn;

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

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits for its turn, at most one switch interval or, if its turns are short, a part of it. Returns 1 if the time is over. */
static int wait_interval(int is_short)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t us = atomic_load_relaxed_u64(&gil.interval_us) / (is_short ? SHORT_FRACTION : 1);
    uint64_t ns = (uint64_t)until.tv_nsec + us % 1000000 * 1000;
    until.tv_sec += (time_t)(us / 1000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return pthread_cond_clockwait(&gil.freed[is_short], &gil.lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT;
}

/* Wakes who is next. */
static void wake_next_locked(void)
{
    int is_short = gil.waiting[1] > 0 && (gil.waiting[0] == 0 || gil.short_turns < SHORT_TURNS_MAX);
    pthread_cond_signal(&gil.freed[is_short]);
}

void gil_take(PyThreadState *ts)
{
    int saved_errno = errno;
    pthread_mutex_lock(&gil.lock);
    int is_short = turn.was_short;
    gil.waiting[is_short]++;
    while (gil.locked) {
        uint64_t switches = gil.switches;
        if (wait_interval(is_short) && gil.locked && gil.switches == switches && gil.holder != NULL)
            thread_set_breaker(gil.holder, BREAKER_GIL_DROP);
    }
    gil.waiting[is_short]--;
    gil.short_turns = is_short && gil.waiting[0] > 0 ? gil.short_turns + 1 : 0;
    gil.locked = 1;
    turn.begin = now_ns();
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
    int64_t length = now_ns() - turn.begin;
    pthread_mutex_lock(&gil.lock);
    ts->holds_gil = 0;
    gil.locked = 0;
    gil.holder = NULL;
    wake_next_locked();
    int asked = (atomic_load_relaxed_u32(&ts->breaker) & BREAKER_GIL_DROP) != 0;
    turn.was_short = !asked && length < (int64_t)atomic_load_relaxed_u64(&gil.interval_us) * 1000 / SHORT_FRACTION;
    if (asked) {
        /* Asked to let somebody else run: see to it that somebody does. */
        atomic_fetch_and_u32(&ts->breaker, ~(uint32_t)BREAKER_GIL_DROP);
        while (gil.waiting[0] + gil.waiting[1] > 0 && gil.last_holder == ts)
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
    pthread_cond_init(&gil.freed[0], NULL);
    pthread_cond_init(&gil.freed[1], NULL);
    pthread_cond_init(&gil.taken, NULL);
    gil.waiting[0] = gil.waiting[1] = 0;
    gil.locked = ts->holds_gil;
    gil.holder = ts->holds_gil ? ts : NULL;
    gil.last_holder = ts;
}
