/* The slow paths of PyMutex: spinning, parking, handing over. */
#include "lock.h"
#include "atomics.h"
#include "gil.h"

#include <sched.h>
#include <unistd.h>

#undef PyMutex_Lock
#undef PyMutex_Unlock
#undef PyMutex_IsLocked

enum { LOCKED = _PyMutex_LOCKED, PARKED = _PyMutex_PARKED, BRIEF = _PyMutex_BRIEF };

#define FAIR_AFTER_NS 1000000       /* a waiter of this age is handed the lock */
#define SPIN_NS 100000              /* a waiter of this age parks */
#define SOON_NS 100000              /* a lock that was in use all the time so long ago still is */
#define AT_ONCE_NS 5000             /* who meets a leaf section of one lock again so soon has found one in use all the time */

#define PAUSE_NS 1000               /* the first pause of a waiter, each further one is twice as long */
#define LONG_PAUSE_NS 32000         /* the longest; also the turn of each thread at a lock, or a word, that is used all the time */
enum { LOOKS = 8 };
#define NAP_NS 200000               /* who parks for a BRIEF lock may be overlooked, and then sleeps for so long */

/* Spinning helps only while the holder runs on another processor. */
static int may_spin(void)
{
    static int processors;
    int n = atomic_load_relaxed_int(&processors);
    if (n == 0) {
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
        atomic_store_relaxed_int(&processors, n > 0 ? n : 1);
    }
    return n > 1 && !gil_is_enabled();
}

/* The lock that this thread has last found in use all the time, and when it got it; that of a leaf section that it has last met, and when. */
static BRAID_TLS struct {
    const PyMutex *mutex;
    int64_t since;
} busy_lock, met_leaf;

static void hint_for(int64_t ns)
{
    int64_t end = sync_now_ns() + ns;
    do {
        for (int i = 0; i < 8; i++)
            atomic_spin_hint();
    } while (sync_now_ns() < end);
}

enum { LOOKS_FREE, LOOKS_HELD, LOOKS_BUSY };

/* The lock was taken a moment ago. Is its holder through with it? If it has come free and is taken again at once, it is used all the time. */
static int watch(PyMutex *m)
{
    int free = 0;
    for (int i = 0; i < LOOKS; i++) {
        for (int k = 0; k < 2; k++)
            atomic_spin_hint();
        if (!(atomic_load_relaxed_u8(&m->bits) & LOCKED))
            free = 1;
        else if (free)
            return LOOKS_BUSY;
    }
    return free ? LOOKS_FREE : LOOKS_HELD;
}

static int take_if_free(PyMutex *m)
{
    uint8_t bits = 0;
    return atomic_load_relaxed_u8(&m->bits) == 0 && atomic_cas_u8(&m->bits, &bits, LOCKED);
}

/* The pause is over: it is this thread's turn, at the first occasion. */
static int take_at_first_occasion(PyMutex *m)
{
    for (int i = 0; i < LOOKS; i++) {
        if (take_if_free(m))
            return 1;
        atomic_spin_hint();
    }
    return 0;
}

/* Keeps away from a lock. In a long pause the thread is detached: what other threads free meanwhile need not wait for it. */
static void pause_for(int64_t ns, PyThreadState *ts, int flags)
{
    int detach = ts != NULL && ns >= LONG_PAUSE_NS, saved_errno = errno;
    if (detach)
        thread_detach_brief(ts);
    hint_for(ns);
    sched_yield();          /* the holder may need this processor */
    if (detach && (flags & PARK_KEEP_SUSPENDED))
        thread_attach_suspended(ts);
    else if (detach)
        thread_attach(ts);
    errno = saved_errno;
}

void sync_back_off(void)
{
    if (may_spin())
        pause_for(LONG_PAUSE_NS, thread_current(), 0);
}

/* Waits for m, that is taken, without parking: 1 if it is ours, 0 if it is time to park.
 * Threads that use a lock all the time get on best if each has it for many turns before its cache line, and those of what it guards, go to
 * the other: who finds such a lock keeps away from it for much longer than a turn takes. A lock that is held for a while, and then left
 * alone for a while, is looked at soon again. */
static int spin(PyMutex *m, uint8_t bits, int64_t now, PyThreadState *ts, int flags)
{
    int busy = busy_lock.mutex == m && now - busy_lock.since < SOON_NS;
    if (bits & BRIEF) {     /* held for so short a time that it looks free most of the time */
        busy |= met_leaf.mutex == m && now - met_leaf.since < AT_ONCE_NS;
        met_leaf.mutex = m;
        met_leaf.since = now;
    }
    int64_t until = now + SPIN_NS, pause = PAUSE_NS;
    for (;;) {
        int looks = busy ? LOOKS_BUSY : watch(m);
        if (looks == LOOKS_FREE && take_if_free(m))
            return 1;
        busy = looks == LOOKS_BUSY;
        if (busy)
            pause = LONG_PAUSE_NS;
        pause_for(pause, ts, flags);
        now = sync_now_ns();
        if (take_at_first_occasion(m)) {
            busy_lock.mutex = busy ? m : NULL;
            busy_lock.since = now;
            return 1;
        }
        if (now >= until || (atomic_load_relaxed_u8(&m->bits) & PARKED))
            return 0;
        if (ts != NULL && (atomic_load_relaxed_u32(&ts->breaker) & BREAKER_STOP_WORLD))
            return 0;           /* parked, it keeps nobody waiting */
        pause = pause < LONG_PAUSE_NS ? 2 * pause : pause;
    }
}

lock_result_t mutex_lock_timed(PyMutex *m, int64_t timeout_ns, int flags)
{
    uint8_t bits = atomic_load_relaxed_u8(&m->bits);
    if (!(bits & LOCKED) && atomic_cas_u8(&m->bits, &bits, bits | LOCKED))
        return LOCK_ACQUIRED;
    if (timeout_ns == 0) {
        while (!(bits & LOCKED))
            if (atomic_cas_u8(&m->bits, &bits, bits | LOCKED))
                return LOCK_ACQUIRED;
        return LOCK_FAILED;
    }
    int64_t now = sync_now_ns();
    int64_t deadline = timeout_ns < 0 || timeout_ns > INT64_MAX - now ? -1 : now + timeout_ns;
    PyThreadState *ts = flags & PARK_DETACH ? thread_current() : NULL;
    struct lock_wait me = {.mutex = m, .fair_at = now + FAIR_AFTER_NS};
    if (may_spin() && !(bits & PARKED) && spin(m, bits, now, ts, flags))
        return LOCK_ACQUIRED;
    for (;;) {
        bits = atomic_load_relaxed_u8(&m->bits);
        if (!(bits & LOCKED)) {
            if (atomic_cas_u8(&m->bits, &bits, bits | LOCKED))
                return LOCK_ACQUIRED;
            continue;
        }
        if (timeout_ns > 0 && deadline >= 0) {
            timeout_ns = deadline - sync_now_ns();
            if (timeout_ns <= 0)
                return LOCK_FAILED;
        }
        if (!(bits & PARKED) && !atomic_cas_u8(&m->bits, &bits, bits | PARKED))
            continue;
        uint8_t expected = bits | PARKED;
        int naps = (bits & BRIEF) && (timeout_ns < 0 || timeout_ns > NAP_NS);
        if (ts != NULL) {
            me.previous = ts->lock_waits;
            ts->lock_waits = &me;
        }
        park_result_t result = parking_lot_park(&m->bits, &expected, 1, naps ? NAP_NS : timeout_ns, &me, flags);
        if (ts != NULL)
            ts->lock_waits = me.previous;
        if (result == PARK_OK) {
            if (atomic_load_acquire_u32(&me.handed_over))   /* pairs with hand_over */
                return LOCK_ACQUIRED;
        }
        else if (result == PARK_INTERRUPTED)
            return LOCK_INTERRUPTED;
        else if (result == PARK_TIMEOUT && !naps)
            return LOCK_FAILED;
    }
}

/* Under the bucket's lock: nobody can begin to park, so PARKED is exact afterwards. */
static void hand_over(void *context, void *arg, int more_waiters)
{
    PyMutex *m = context;
    struct lock_wait *w = arg;
    uint8_t bits = more_waiters ? PARKED : 0;
    if (w != NULL && sync_now_ns() >= w->fair_at) {
        atomic_store_release_u32(&w->handed_over, 1);
        bits |= LOCKED;
    }
    atomic_store_release_u8(&m->bits, bits);
}

int mutex_try_unlock(PyMutex *m)
{
    uint8_t bits = atomic_load_relaxed_u8(&m->bits);
    for (;;) {
        if (!(bits & LOCKED))
            return 0;
        if (bits & PARKED) {
            parking_lot_unpark(&m->bits, hand_over, m);
            return 1;
        }
        if (atomic_cas_u8(&m->bits, &bits, 0))
            return 1;
    }
}

void mutex_waits_abandon(struct lock_wait *wait)
{
    for (; wait != NULL; wait = wait->previous)
        /* Perhaps it was only woken, to take the mutex itself: then the next of those who wait has to be, as an unlocking does. */
        if (atomic_load_acquire_u32(&wait->handed_over) || mutex_lock_timed(wait->mutex, 0, 0) == LOCK_ACQUIRED)
            mutex_try_unlock(wait->mutex);
}

void _PyMutex_LockSlow(PyMutex *m) { mutex_lock_timed(m, -1, PARK_DETACH); }

void _PyMutex_UnlockSlow(PyMutex *m)
{
    if (!mutex_try_unlock(m))
        Py_FatalError("unlocking a PyMutex that is not locked");
}

PyAPI_FUNC(void) PyMutex_Lock(PyMutex *m) { _PyMutex_LockInline(m); }
PyAPI_FUNC(void) PyMutex_Unlock(PyMutex *m) { _PyMutex_UnlockInline(m); }
PyAPI_FUNC(int) PyMutex_IsLocked(PyMutex *m) { return _PyMutex_IsLockedInline(m); }
