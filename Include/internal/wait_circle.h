/* Waits that would never end: threads that hold a lock each and wait for the next one's, in a circle.
 *
 * For locks that stay held while Python code runs (of a stream whose buffer is written in Python, of a database in a callback), so that no
 * order of locking can be kept.  Who has such a lock and wants another notes that first; whoever would close a circle sees all of it, since the
 * others have noted before what they wait for, and became owners before that.  A note that outlives its wait leads to its own thread and
 * proves nothing.
 *
 * Locks   the circle's mutex, a leaf: nothing is locked or called while it is held.
 * fork    the notes of threads that do not exist in the child are forgotten. */
#ifndef BRAID_WAIT_CIRCLE_H
#define BRAID_WAIT_CIRCLE_H

#include "Python.h"

#include "fork_mutex.h"

#include <unistd.h>

/* On the stack of the thread that waits. */
struct circle_note {
    unsigned long thread;
    const unsigned long *owner;         /* of the lock that it waits for: a thread identifier, [atomic] */
    struct circle_note *next;
};

struct wait_circle {
    PyMutex mutex;
    pid_t process;                      /* [mutex] that the notes are of */
    struct circle_note *notes;          /* [mutex] */
};

/* Defines one at file scope. */
#define WAIT_CIRCLE(name)           \
    static struct wait_circle name; \
    __attribute__((constructor)) static void name##_is_reset_by_fork(void) { fork_register_mutex(&name.mutex); }

/* Does who has the lock wait for `me`, in the end? Caller holds the mutex. */
static inline int wait_circle_is_closed(const struct wait_circle *circle, const unsigned long *owner, unsigned long me)
{
    for (int steps = 0; steps < 1000; steps++) {
        unsigned long thread = __atomic_load_n(owner, __ATOMIC_RELAXED);
        if (thread == me)
            return 1;
        const struct circle_note *note = circle->notes;
        while (note != NULL && note->thread != thread)
            note = note->next;
        if (note == NULL)
            return 0;
        owner = note->owner;
    }
    return 0;
}

/* Notes that this thread, which holds a lock already, is about to wait for the one with that owner.
 * Returns  1: wait_circle_leave is to follow the wait; 0: the wait would never end, nothing is noted */
static inline int wait_circle_enter(struct wait_circle *circle, struct circle_note *note, const unsigned long *owner)
{
    *note = (struct circle_note){.thread = PyThread_get_thread_ident(), .owner = owner};
    PyMutex_Lock(&circle->mutex);
    if (circle->process != getpid()) {
        circle->process = getpid();
        circle->notes = NULL;
    }
    int is_closed = wait_circle_is_closed(circle, owner, note->thread);
    if (!is_closed) {
        note->next = circle->notes;
        circle->notes = note;
    }
    PyMutex_Unlock(&circle->mutex);
    return !is_closed;
}

static inline void wait_circle_leave(struct wait_circle *circle, struct circle_note *note)
{
    PyMutex_Lock(&circle->mutex);
    /* A signal handler may have forked during the wait: then the notes are of threads that are no more. */
    struct circle_note **link = circle->process == getpid() ? &circle->notes : NULL;
    while (link != NULL && *link != NULL && *link != note)
        link = &(*link)->next;
    if (link != NULL && *link != NULL)
        *link = note->next;
    PyMutex_Unlock(&circle->mutex);
}

#endif /* BRAID_WAIT_CIRCLE_H */
