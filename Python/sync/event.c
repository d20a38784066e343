/* Events, recursive mutexes and once, on the parking lot. */
#include "lock.h"
#include "atomics.h"

/* ---- Events ---- */

enum { EVENT_SET = 1, EVENT_PARKED = 2 };

void event_set(event_t *e)
{
    if (atomic_exchange_u8(&e->state, EVENT_SET) == EVENT_PARKED)
        parking_lot_unpark_all(&e->state);
}

int event_wait(event_t *e, int64_t timeout_ns, int flags)
{
    int64_t deadline = timeout_ns < 0 ? -1 : sync_now_ns() + timeout_ns;
    for (;;) {
        uint8_t state = atomic_load_acquire_u8(&e->state);
        if (state == EVENT_SET)
            return 1;
        if (state == 0 && !atomic_cas_u8(&e->state, &state, EVENT_PARKED))
            continue;
        if (timeout_ns >= 0) {
            timeout_ns = deadline - sync_now_ns();
            if (timeout_ns <= 0)
                return event_is_set(e);
        }
        uint8_t expected = EVENT_PARKED;
        park_result_t result = parking_lot_park(&e->state, &expected, 1, timeout_ns, NULL, flags);
        if (result == PARK_TIMEOUT)
            return event_is_set(e);
        if (result == PARK_INTERRUPTED)
            return -1;
    }
}

/* ---- Recursive mutexes ---- */

/* The address of a thread-local variable: unique among running threads. */
static BRAID_TLS char identity;

uint64_t sync_thread_identity(void) { return (uint64_t)(uintptr_t)&identity; }

lock_result_t recursive_mutex_lock_timed(recursive_mutex_t *m, int64_t timeout_ns, int flags)
{
    uint64_t me = sync_thread_identity();
    if (atomic_load_relaxed_u64(&m->owner) == me) {
        m->level++;
        return LOCK_ACQUIRED;
    }
    if (!_PyMutex_TryLockFast(&m->mutex)) {
        lock_result_t result = mutex_lock_timed(&m->mutex, timeout_ns, flags);
        if (result != LOCK_ACQUIRED)
            return result;
    }
    atomic_store_relaxed_u64(&m->owner, me);
    return LOCK_ACQUIRED;
}

void recursive_mutex_lock(recursive_mutex_t *m) { recursive_mutex_lock_timed(m, -1, PARK_DETACH); }

int recursive_mutex_unlock(recursive_mutex_t *m)
{
    if (!recursive_mutex_is_mine(m))
        return -1;
    if (m->level > 0) {
        m->level--;
        return 0;
    }
    atomic_store_relaxed_u64(&m->owner, 0);
    PyMutex_Unlock(&m->mutex);
    return 0;
}

/* ---- Once ---- */

enum { ONCE_RUNNING = 1, ONCE_PARKED = 2, ONCE_DONE = 4 };

int once_call_slow(once_t *o, int (*func)(void *), void *arg)
{
    for (;;) {
        uint8_t state = atomic_load_acquire_u8(&o->state);
        if (state == ONCE_DONE)
            return 0;
        if (state == 0) {
            if (!atomic_cas_u8(&o->state, &state, ONCE_RUNNING))
                continue;
            int result = func(arg);
            uint8_t old = atomic_exchange_u8(&o->state, result == 0 ? ONCE_DONE : 0);
            if (old & ONCE_PARKED)
                parking_lot_unpark_all(&o->state);
            return result;
        }
        if (state == ONCE_RUNNING && !atomic_cas_u8(&o->state, &state, ONCE_RUNNING | ONCE_PARKED))
            continue;
        uint8_t expected = ONCE_RUNNING | ONCE_PARKED;
        parking_lot_park(&o->state, &expected, 1, -1, NULL, PARK_DETACH);
    }
}
