/* Critical sections: what is not inline.
 *
 * Who waits for a lock here has released all locks of its own sections: no cycle of waiting threads can arise.  A leaf section that waits must
 * not take its thread's sections up again before it ends, for the same reason. */
#include "atomics.h"
#include "lock.h"

static void unlock_section(PyCriticalSection *c)
{
    if (c->_cs_mutex2 != NULL)
        PyMutex_Unlock(c->_cs_mutex2);
    if (c->_cs_mutex != NULL)
        PyMutex_Unlock(c->_cs_mutex);
}

void critical_section_suspend_all(PyThreadState *ts)
{
    for (PyCriticalSection *c = ts->critical_sections; c != NULL; c = c->_cs_previous) {
        if (c->_cs_state == CS_SUSPENDED)
            break;          /* those around it are suspended as well */
        if (c->_cs_state == CS_HELD)
            unlock_section(c);
        if (c->_cs_state != CS_EMPTY)
            c->_cs_state = CS_SUSPENDED;
    }
}

/* Locks m while the thread's sections are suspended, and leaves them so. */
static void lock_suspended(PyMutex *m)
{
    if (!_PyMutex_TryLockFast(m))
        mutex_lock_timed(m, -1, PARK_DETACH | PARK_KEEP_SUSPENDED);
}

static void take(PyCriticalSection *c)
{
    if (!atomic_load_relaxed_int(&runtime_multi)) {
        c->_cs_state = CS_ELIDED;
        return;
    }
    for (;;) {
        if (c->_cs_mutex != NULL)
            lock_suspended(c->_cs_mutex);
        if (c->_cs_mutex2 == NULL || _PyMutex_TryLockFast(c->_cs_mutex2))
            break;
        /* Not while the first is held: lock_suspended detaches. The second first then; whoever has both goes on. */
        if (c->_cs_mutex != NULL)
            PyMutex_Unlock(c->_cs_mutex);
        lock_suspended(c->_cs_mutex2);
        if (c->_cs_mutex == NULL || _PyMutex_TryLockFast(c->_cs_mutex))
            break;
        PyMutex_Unlock(c->_cs_mutex2);
    }
    c->_cs_state = CS_HELD;
}

void critical_section_resume_top(PyThreadState *ts)
{
    PyCriticalSection *c = ts->critical_sections;
    while (c != NULL && c->_cs_state == CS_EMPTY)
        c = c->_cs_previous;
    if (c != NULL && c->_cs_state == CS_SUSPENDED)
        take(c);
}

static int try_section(PyCriticalSection *c)
{
    if (c->_cs_mutex != NULL && !_PyMutex_TryLockFast(c->_cs_mutex))
        return 0;
    if (c->_cs_mutex2 != NULL && !_PyMutex_TryLockFast(c->_cs_mutex2)) {
        if (c->_cs_mutex != NULL)
            PyMutex_Unlock(c->_cs_mutex);
        return 0;
    }
    return 1;
}

/* The innermost section that is about a lock. */
static PyCriticalSection *top_of(PyThreadState *ts)
{
    PyCriticalSection *top = ts->critical_sections;
    while (top != NULL && top->_cs_state == CS_EMPTY)
        top = top->_cs_previous;
    return top;
}

static int names(const PyCriticalSection *top, const PyMutex *m)
{
    return top->_cs_mutex == m || top->_cs_mutex2 == m;
}

/* Everything that c wants is what the innermost section has? */
static int is_contained(PyCriticalSection *c, PyCriticalSection *top)
{
    if (c->_cs_mutex == NULL && c->_cs_mutex2 == NULL)
        return 1;
    if (top == NULL || top->_cs_state != CS_HELD)
        return 0;
    return names(top, c->_cs_mutex) && (c->_cs_mutex2 == NULL || names(top, c->_cs_mutex2));
}

void critical_section_begin_slow(PyCriticalSection *c)
{
    PyThreadState *ts = thread_current();
    if (is_contained(c, top_of(ts)))
        c->_cs_state = CS_EMPTY;
    else if (try_section(c))
        c->_cs_state = CS_HELD;
    else {
        critical_section_suspend_all(ts);
        take(c);
    }
    c->_cs_previous = ts->critical_sections;
    ts->critical_sections = c;
}

void critical_section_end_slow(PyCriticalSection *c)
{
    PyThreadState *ts = thread_current();
    assert(ts->critical_sections == c && c->_cs_state != CS_SUSPENDED);
    ts->critical_sections = c->_cs_previous;
    if (c->_cs_state == CS_HELD)
        unlock_section(c);
    critical_section_resume_top(ts);
}

int critical_section_holds(PyMutex *m)
{
    for (PyCriticalSection *c = thread_current()->critical_sections; c != NULL; c = c->_cs_previous)
        if (c->_cs_state <= CS_HELD && names(c, m))
            return 1;
    return 0;
}

/* ---- Leaf sections ---- */

int leaf_lock_object_slow(PyMutex *m)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL) {
        mutex_lock_timed(m, -1, 0);
        return 1;
    }
    if (critical_section_holds(m))
        return 0;
    if (_PyMutex_TryLockFast(m))
        return 1;
    critical_section_suspend_all(ts);
    lock_suspended(m);
    return 3;
}

void leaf_unlock_slow(PyMutex *m, int locked)
{
    PyMutex_Unlock(m);
    if (locked & 2)
        critical_section_resume_top(thread_current());
}

/* ---- The C API ---- */

PyAPI_FUNC(void) PyCriticalSection_BeginMutex(PyCriticalSection *c, PyMutex *m)
{
#ifdef Py_GIL_DISABLED
    critical_section_begin_mutex(c, m);
#else
    (void)c;
    (void)m;
#endif
}

PyAPI_FUNC(void) PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op)
{
    PyCriticalSection_BeginMutex(c, object_mutex(op));
}

PyAPI_FUNC(void) PyCriticalSection_End(PyCriticalSection *c)
{
#ifdef Py_GIL_DISABLED
    critical_section_end(c);
#else
    (void)c;
#endif
}

PyAPI_FUNC(void) PyCriticalSection2_BeginMutex(PyCriticalSection2 *c, PyMutex *m1, PyMutex *m2)
{
#ifdef Py_GIL_DISABLED
    critical_section_begin_mutex2(&c->_cs_base, m1, m2);
#else
    (void)c;
    (void)m1;
    (void)m2;
#endif
}

PyAPI_FUNC(void) PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b)
{
    PyCriticalSection2_BeginMutex(c, object_mutex(a), object_mutex(b));
}

PyAPI_FUNC(void) PyCriticalSection2_End(PyCriticalSection2 *c) { PyCriticalSection_End(&c->_cs_base); }
