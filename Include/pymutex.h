/* PyMutex: a lock of one byte. {0} is unlocked; it needs no finalisation and may be moved while unlocked.
 *
 *      bits:  1 locked,  2 threads are parked (they sit in the parking lot, keyed by the byte's address),
 *             4 locked by a leaf section, that may overlook parked threads: who parks looks again after a while
 *
 * A thread that has to wait is detached meanwhile: locking is a point where references held only through borrowed pointers
 * may die, and where enclosing critical sections are suspended.  A waiter that has waited for 1 ms is handed the lock. */
#ifndef Py_PYMUTEX_H
#define Py_PYMUTEX_H

enum { _PyMutex_LOCKED = 1, _PyMutex_PARKED = 2, _PyMutex_BRIEF = 4 };

PyAPI_FUNC(void) _PyMutex_LockSlow(PyMutex *m);
PyAPI_FUNC(void) _PyMutex_UnlockSlow(PyMutex *m);

static inline Py_ALWAYS_INLINE int _PyMutex_TryLockFast(PyMutex *m)
{
    uint8_t expected = 0;
    return __atomic_compare_exchange_n(&m->bits, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static inline Py_ALWAYS_INLINE void _PyMutex_LockInline(PyMutex *m)
{
    if (Py_UNLIKELY(!_PyMutex_TryLockFast(m)))
        _PyMutex_LockSlow(m);
}
static inline Py_ALWAYS_INLINE void _PyMutex_UnlockInline(PyMutex *m)
{
    uint8_t expected = 1;
    if (Py_UNLIKELY(!__atomic_compare_exchange_n(&m->bits, &expected, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
        _PyMutex_UnlockSlow(m);
}
static inline int _PyMutex_IsLockedInline(PyMutex *m)
{
    return (__atomic_load_n(&m->bits, __ATOMIC_RELAXED) & 1) != 0;
}

/* The same as functions, for who looks them up by name. */
PyAPI_FUNC(void) PyMutex_Lock(PyMutex *m);
PyAPI_FUNC(void) PyMutex_Unlock(PyMutex *m);
PyAPI_FUNC(int) PyMutex_IsLocked(PyMutex *m);
#define PyMutex_Lock _PyMutex_LockInline
#define PyMutex_Unlock _PyMutex_UnlockInline
#define PyMutex_IsLocked _PyMutex_IsLockedInline

#endif /* Py_PYMUTEX_H */
