/* The lock of a buffered stream: it knows its owner, so that a signal handler or a raw stream written in
 * Python that comes back into the object gets an exception and not a deadlock. */
#include "io_internal.h"
#include "internal/lock.h"
#include "internal/wait_circle.h"

#include <pthread.h>
#include <time.h>

/* Counts forks as seen by this process. A lock last entered in an earlier generation may be held by a thread
 * that does not exist here; the first to enter it in the child makes it new. */
static unsigned fork_generation = 1;
static PyMutex renew_mutex;

/* Threads that have such a lock and wait for another. */
WAIT_CIRCLE(waits)

static void after_fork_in_child(void)
{
    memset(&renew_mutex, 0, sizeof(renew_mutex));
    __atomic_add_fetch(&fork_generation, 1, __ATOMIC_RELEASE);   /* pairs with renew_after_fork */
}

int io_lock_setup(void)
{
    static bool done;
    if (!done && pthread_atfork(NULL, NULL, after_fork_in_child) != 0) {
        PyErr_SetString(PyExc_RuntimeError, "_io cannot register its fork handler");
        return -1;
    }
    done = true;
    return 0;
}

static unsigned long owner_of(io_lock *lock)
{
    return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
}

static void set_owner(io_lock *lock, unsigned long owner)
{
    __atomic_store_n(&lock->owner, owner, __ATOMIC_RELAXED);
}

static void make_unlocked(io_lock *lock)
{
    memset(&lock->mutex, 0, sizeof(lock->mutex));
    set_owner(lock, 0);
}

void io_lock_init(io_lock *lock)
{
    make_unlocked(lock);
    lock->generation = __atomic_load_n(&fork_generation, __ATOMIC_RELAXED);
}

/* In a forked child, the first entry resets the lock: only the thread that forked exists, and the caller has
 * made sure that it is not the owner. */
static void renew_after_fork(io_lock *lock, unsigned generation)
{
    PyMutex_Lock(&renew_mutex);
    if (__atomic_load_n(&lock->generation, __ATOMIC_RELAXED) != generation) {
        make_unlocked(lock);
        __atomic_store_n(&lock->generation, generation, __ATOMIC_RELEASE);   /* pairs with io_lock_enter */
    }
    PyMutex_Unlock(&renew_mutex);
}

/* At shutdown a daemon thread may hold the lock and never run again: ask for a second, then give up. 1, or -1 with RuntimeError */
static int wait_at_shutdown(io_lock *lock, PyObject *self)
{
    for (int tries = 0; tries < 1000; tries++) {
        if (mutex_try_lock(&lock->mutex))
            return 1;
        struct timespec pause = { 0, 1000000 };
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&pause, NULL);
        Py_END_ALLOW_THREADS
    }
    PyErr_Format(PyExc_RuntimeError, "could not acquire lock for %s at interpreter shutdown, possibly due to daemon threads",
                 Py_TYPE(self)->tp_name);
    return -1;
}

/* 1: locked; 0: it would never be. */
static int wait_unless_circle(io_lock *lock)
{
    struct circle_note note;
    if (!wait_circle_enter(&waits, &note, &lock->owner))
        return 0;
    PyMutex_Lock(&lock->mutex);
    wait_circle_leave(&waits, &note);
    return 1;
}

static int raise_reentrant(PyObject *self)
{
    PyErr_Format(PyExc_RuntimeError, "reentrant call inside %R", self);
    return -1;
}

int io_lock_enter_unless_circle(io_lock *lock, PyObject *self)
{
    unsigned long me = PyThread_get_thread_ident();
    if (owner_of(lock) == me)
        return raise_reentrant(self);
    unsigned generation = __atomic_load_n(&fork_generation, __ATOMIC_RELAXED);
    if (__atomic_load_n(&lock->generation, __ATOMIC_ACQUIRE) != generation)
        renew_after_fork(lock, generation);
    int entered = 1;
    if (Py_UNLIKELY(!mutex_try_lock(&lock->mutex)))
        entered = Py_IsFinalizing() ? wait_at_shutdown(lock, self) : wait_unless_circle(lock);
    if (entered > 0)
        set_owner(lock, me);
    return entered;
}

int io_lock_enter(io_lock *lock, PyObject *self)
{
    int entered = io_lock_enter_unless_circle(lock, self);
    return entered > 0 ? 0 : entered < 0 ? -1 : raise_reentrant(self);
}

bool io_lock_is_mine(io_lock *lock)
{
    return owner_of(lock) == PyThread_get_thread_ident();
}

void io_lock_leave(io_lock *lock)
{
    set_owner(lock, 0);
    PyMutex_Unlock(&lock->mutex);
}
