/* What list, dict and set have in common: the short lock, the gate, hashing and comparing keys.
 *
 * Leaf lock.  The locked cores of containers never escape, take no other lock and reach no safe point, so their lock
 * needs no record: `locked = container_lock(op); ... container_unlock(op, locked);`.  While there is one thread (or the
 * GIL is on) both are a test of one word.
 *
 * Gate of set (rule 1 of Doc/concurrency.md; list.h has that of list and dict).  It is read without the lock only if ours or
 * published.  Who finds the gate closed takes the lock and publishes the set (container_open_gate): it is open for good. */
#ifndef BRAID_CONTAINER_H
#define BRAID_CONTAINER_H

#include "Python.h"
#include "qsbr.h"
#include "refcount.h"
#include "unicode.h"

#ifndef BRAID_HAVE_OBJECT_LOCK
/* Waits (detaching the thread) if the lock is taken. */
static inline Py_ALWAYS_INLINE int container_lock(void *op)
{
    if (Py_LIKELY(!runtime_is_multi()))
        return 0;
    PyMutex_Lock(&((PyObject *)op)->hdr_mutex);
    return 1;
}
static inline Py_ALWAYS_INLINE void container_unlock(void *op, int locked)
{
    if (Py_UNLIKELY(locked))
        PyMutex_Unlock(&((PyObject *)op)->hdr_mutex);
}
#endif

/* After this, the container may be read without its lock.  Never fails or escapes. May wait for the lock: pointers that
 * were loaded without a reference are dead afterwards. */
void container_open_gate(PyObject *op);

static inline Py_ALWAYS_INLINE void container_pass_gate(void *op)
{
    if (Py_UNLIKELY(!object_may_read((PyObject *)op)))
        container_open_gate((PyObject *)op);
}

/* ---- Arrays of references ---- */

/* Are all four immediates? (NULL is not.) */
static inline Py_ALWAYS_INLINE int container_four_immediates(PyObject *const *items)
{
    uintptr_t borrow = ((value_word(items[0]) & TAG_MASK) - 1) | ((value_word(items[1]) & TAG_MASK) - 1)
                       | ((value_word(items[2]) & TAG_MASK) - 1) | ((value_word(items[3]) & TAG_MASK) - 1);
    return (intptr_t)borrow >= 0;
}
/* Copies n references (also NULL), which the new owner holds, too. */
static inline void container_copy_refs(PyObject **to, PyObject *const *from, Py_ssize_t n)
{
    Py_ssize_t i = 0;
    for (; i + 4 <= n; i += 4) {
        memcpy(to + i, from + i, 4 * sizeof(PyObject *));
        if (!container_four_immediates(from + i))
            for (int k = 0; k < 4; k++)
                Py_XINCREF(to[i + k]);
    }
    for (; i < n; i++)
        to[i] = Py_XNewRef(from[i]);
}
/* Drops n references (also NULL), the last one first. Escapes. */
static inline void container_drop_refs(PyObject *const *items, Py_ssize_t n)
{
    for (; n >= 4; n -= 4)
        if (!container_four_immediates(items + n - 4))
            for (int k = 1; k <= 4; k++)
                Py_XDECREF(items[n - k]);
    while (n-- > 0)
        Py_XDECREF(items[n]);
}

/* A number that no other caller in this process ever gets; not 0. */
uint64_t container_next_id(void);

/* The hash of a key. Returns -1 with an exception set ("unhashable type").  Escapes unless key is an exact str or a
 * small int. */
static inline Py_ALWAYS_INLINE Py_hash_t container_key_hash(PyObject *key)
{
    if (value_is_int(key)) {
        int64_t n = value_get_int(key);
        if (Py_LIKELY((uint64_t)n + (((uint64_t)1 << 61) - 2) <= 2 * (((uint64_t)1 << 61) - 2)))
            return n == -1 ? -2 : (Py_hash_t)n;
    }
    else if (PyUnicode_CheckExact(key))
        return unicode_hash(key);
    return PyObject_Hash(key);
}

/* Equality of two keys as far as it is known without running code: 1 equal, 0 different, -1 unknown.  Reads only what
 * stays intact in delayed memory: neither needs to be referenced (rule 2.4). */
static inline Py_ALWAYS_INLINE int container_equal_racy(PyObject *a, PyObject *b)
{
    if (a == b)
        return 1;
    if (value_is_immediate(a) && value_is_immediate(b))
        return value_is_int(a) == value_is_int(b) ? 0 : -1;
    if (PyUnicode_CheckExact(a)) {
        if (PyUnicode_CheckExact(b))
            return unicode_equal(a, b);
        if (value_is_immediate(b))
            return 0;
    }
    else if (value_is_immediate(a) && PyUnicode_CheckExact(b))
        return 0;
    return -1;
}
/* The same for two objects that are both referenced; knows exact tuples and heap numbers too.  Never escapes or fails. */
int container_equal_known(PyObject *a, PyObject *b);

/* An attribute of the builtins namespace ("iter", for pickling iterators); new reference, or NULL with AttributeError. */
PyObject *container_get_builtin(const char *name);

#endif /* BRAID_CONTAINER_H */
