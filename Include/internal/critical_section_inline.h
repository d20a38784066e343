/* Critical sections, inside the interpreter: the inline paths, leaf sections, suspension.
 *
 * A section is pushed on the thread's list even when it locks nothing (rule 2.6), so that the step from one thread to many can take the
 * locks: that step is "suspend my sections, set runtime_multi, resume the top one".
 *
 *      CS_HELD        its mutexes are locked
 *      CS_ELIDED      counts as held: nothing was locked since there was one thread
 *      CS_SUSPENDED   was released by a detach; taken up again when it is the top one and the thread attaches, or when it
 *                     becomes the top one
 *      CS_EMPTY       nothing to lock (the section around it holds the mutex already)
 *
 * Leaf sections (container_lock, LEAF_SECTION_BEGIN) contain no safe point and take no other lock: they leave no record.
 * A thread that waits for one has its recorded sections suspended until the leaf section ends.
 * The mutex of a leaf section says BRIEF: a plain store unlocks it unless somebody is seen to have parked. Who parks between that look and
 * the store goes unseen: nobody parks for a BRIEF mutex but for a short time. */
#ifndef BRAID_CRITICAL_SECTION_INLINE_H
#define BRAID_CRITICAL_SECTION_INLINE_H

#include "thread_state.h"

enum { CS_ELIDED, CS_HELD, CS_SUSPENDED, CS_EMPTY };     /* the first two: in force */

/* The mutexes could not be had at once, or the innermost section holds one of them. */
PyAPI_FUNC(void) critical_section_begin_slow(PyCriticalSection *c);
/* Ends a section of which something is to be unlocked, or makes the one around it hold again. */
PyAPI_FUNC(void) critical_section_end_slow(PyCriticalSection *c);
/* Releases all that the thread's sections hold. Before detaching, and for the step to many threads. */
void critical_section_suspend_all(PyThreadState *ts);
/* Takes the innermost section's locks again, if it is suspended. */
void critical_section_resume_top(PyThreadState *ts);
/* True if a section of the current thread holds m (or would, if locks were not elided). For asserts. */
int critical_section_holds(PyMutex *m);

static inline Py_ALWAYS_INLINE PyMutex *object_mutex(PyObject *op)
{
    return value_is_heap(op) ? &op->hdr_mutex : NULL;
}

#ifdef Py_GIL_DISABLED

static inline Py_ALWAYS_INLINE void critical_section_begin_mutex(PyCriticalSection *c, PyMutex *m)
{
    PyThreadState *ts = thread_current();
    c->_cs_mutex = m;
    c->_cs_mutex2 = NULL;
    if (Py_LIKELY(!__atomic_load_n(&runtime_multi, __ATOMIC_RELAXED)))
        c->_cs_state = CS_ELIDED;
    else if (Py_LIKELY(m != NULL && _PyMutex_TryLockFast(m)))
        c->_cs_state = CS_HELD;
    else {
        critical_section_begin_slow(c);
        return;
    }
    c->_cs_previous = ts->critical_sections;
    ts->critical_sections = c;
}
static inline Py_ALWAYS_INLINE void critical_section_begin(PyCriticalSection *c, PyObject *op)
{
    critical_section_begin_mutex(c, object_mutex(op));
}
static inline void critical_section_begin_mutex2(PyCriticalSection *c, PyMutex *a, PyMutex *b)
{
    if (a == NULL || b == NULL || a == b) {
        critical_section_begin_mutex(c, a != NULL ? a : b);
        return;
    }
    PyThreadState *ts = thread_current();
    c->_cs_mutex = a < b ? a : b;
    c->_cs_mutex2 = a < b ? b : a;
    if (Py_LIKELY(!__atomic_load_n(&runtime_multi, __ATOMIC_RELAXED))) {
        c->_cs_state = CS_ELIDED;
        c->_cs_previous = ts->critical_sections;
        ts->critical_sections = c;
    }
    else
        critical_section_begin_slow(c);
}
static inline void critical_section_begin2(PyCriticalSection *c, PyObject *a, PyObject *b)
{
    critical_section_begin_mutex2(c, object_mutex(a), object_mutex(b));
}
static inline Py_ALWAYS_INLINE void critical_section_end(PyCriticalSection *c)
{
    PyCriticalSection *previous = c->_cs_previous;
    if (Py_LIKELY(c->_cs_state == CS_ELIDED && (previous == NULL || previous->_cs_state <= CS_HELD)))
        thread_current()->critical_sections = previous;
    else
        critical_section_end_slow(c);
}

#endif /* Py_GIL_DISABLED */

/* ---- Leaf sections ---- */

/* Returns what container_unlock wants to know: bit 0 locked, bit 1 suspended sections are to be resumed, bit 2 BRIEF. */
int leaf_lock_object_slow(PyMutex *m);
void leaf_unlock_slow(PyMutex *m, int locked);
enum { LEAF_BRIEF = _PyMutex_LOCKED | _PyMutex_BRIEF };       /* both as the answer and in the mutex */

#define BRAID_HAVE_OBJECT_LOCK 1

/* Locks a heap object for a few instructions: no safe point, no other lock, no code that escapes until container_unlock. Before it
 * begins the thread may have been detached: pointers without a reference are dead. */
static inline Py_ALWAYS_INLINE int leaf_lock_mutex(PyMutex *m)
{
#ifdef Py_GIL_DISABLED
    if (Py_LIKELY(!__atomic_load_n(&runtime_multi, __ATOMIC_RELAXED)))
        return 0;
    uint8_t expected = 0;
    if (Py_LIKELY(__atomic_compare_exchange_n(&m->bits, &expected, LEAF_BRIEF, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
        return LEAF_BRIEF;
    return leaf_lock_object_slow(m);
#else
    (void)m;
    return 0;
#endif
}
static inline Py_ALWAYS_INLINE void leaf_unlock_mutex(PyMutex *m, int locked)
{
#ifdef Py_GIL_DISABLED
    if (Py_LIKELY(locked == LEAF_BRIEF && __atomic_load_n(&m->bits, __ATOMIC_RELAXED) == LEAF_BRIEF))
        __atomic_store_n(&m->bits, 0, __ATOMIC_RELEASE);
    else if (Py_UNLIKELY(locked))
        leaf_unlock_slow(m, locked);
#else
    (void)m;
    (void)locked;
#endif
}
static inline Py_ALWAYS_INLINE int container_lock(void *op) { return leaf_lock_mutex(&((PyObject *)op)->hdr_mutex); }
static inline Py_ALWAYS_INLINE void container_unlock(void *op, int locked)
{
    leaf_unlock_mutex(&((PyObject *)op)->hdr_mutex, locked);
}

/* LEAF_SECTION_BEGIN(op); ... LEAF_SECTION_END(); op is a heap object. */
#define LEAF_SECTION_BEGIN(op) { PyMutex *_leaf_mutex = &_PyObject_CAST(op)->hdr_mutex; int _leaf_locked = leaf_lock_mutex(_leaf_mutex);
#define LEAF_SECTION_END() leaf_unlock_mutex(_leaf_mutex, _leaf_locked); }

#endif /* BRAID_CRITICAL_SECTION_INLINE_H */
