/* The lock objects of _thread: lock and RLock. Both are a PyMutex that any thread may unlock. */
#include "atomics.h"
#include "deadlock.h"
#include "refcount.h"
#include "lock.h"
#include "refcount.h"
#include "thread_module.h"

typedef struct {
    PyObject_HEAD
    PyObject *weakrefs;
    PyMutex mutex;
    uint8_t sentinel;           /* [atomic] NO_SENTINEL, or how it is with the thread that it stands for */
    uint64_t taker;             /* [atomic] number of the thread that took it last */
} lock_object;

/* The lock that stands for a thread is taken by the thread, and released when it ends. From then on locked() says no, though threads that join
 * take it for a moment each: threading asserts at exit that the main thread's lock is free behind the release, which may have handed it over.
 * Only who has taken it itself is told so: join() asks, interrupted by a signal, and gives it back. */
enum { NO_SENTINEL, SENTINEL_ALIVE, SENTINEL_ENDED };

typedef struct {
    PyObject_HEAD
    PyObject *weakrefs;
    PyMutex mutex;
    unsigned long owner;        /* [atomic] identity of the thread that holds it; 0: none */
    unsigned long count;        /* [owner; atomic] repr reads it */
} rlock_object;

/* ---- Waiting ---- */

/* A number of seconds in nanoseconds, rounded up. 0, or -1 with an exception. */
static int seconds_as_ns(PyObject *seconds, int64_t *ns)
{
    if (PyFloat_Check(seconds)) {
        double d = PyFloat_AsDouble(seconds);
        if (isnan(d)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        d = ceil(d * 1e9);
        if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *ns = (int64_t)d;
        return 0;
    }
    long long s = PyLong_AsLongLong(seconds);
    if (s == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return -1;
        PyErr_Clear();
        s = LLONG_MAX;
    }
    if (s > INT64_MAX / 1000000000 || s < INT64_MIN / 1000000000) {
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
        return -1;
    }
    *ns = s * 1000000000;
    return 0;
}

/* acquire(blocking=True, timeout=-1): *ns < 0 for ever, 0 not at all. */
static int parse_acquire(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, int64_t *ns)
{
    PyObject *values[2] = {NULL, NULL};
    Py_ssize_t given = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    *ns = -1;
    if (given == 0)
        return 0;
    if (given > 2) {
        PyErr_Format(PyExc_TypeError, "acquire() takes at most 2 arguments (%zd given)", given);
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        values[i] = args[i];
    for (Py_ssize_t i = 0; i < given - nargs; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        int which = PyUnicode_EqualToUTF8(name, "blocking") ? 0 : PyUnicode_EqualToUTF8(name, "timeout") ? 1 : -1;
        if (which < 0) {
            PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for acquire()", name);
            return -1;
        }
        if (values[which] != NULL) {
            PyErr_Format(PyExc_TypeError, "argument for acquire() given by name ('%U') and position (%d)", name, which + 1);
            return -1;
        }
        values[which] = args[nargs + i];
    }
    int blocking = 1;
    if (values[0] != NULL) {
        long n = PyLong_AsLong(values[0]);
        if (n == -1 && PyErr_Occurred())
            return -1;
        blocking = n != 0;
    }
    int64_t timeout = -1000000000;
    if (values[1] != NULL && seconds_as_ns(values[1], &timeout) < 0)
        return -1;
    int has_timeout = timeout != -1000000000;
    if (!blocking && has_timeout) {
        PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
        return -1;
    }
    if (timeout < 0 && has_timeout) {
        PyErr_SetString(PyExc_ValueError, "timeout value must be positive");
        return -1;
    }
    *ns = !blocking ? 0 : has_timeout ? timeout : -1;
    return 0;
}

enum { WAIT_FLAGS = PARK_DETACH | PARK_SERVE | PARK_INTERRUPTIBLE };

/* Waits, running signal handlers in between. LOCK_INTERRUPTED: a handler has raised. */
static lock_result_t wait_for(PyMutex *m, int64_t ns)
{
    int64_t deadline = ns > 0 ? sync_now_ns() + ns : -1;
    if (ns > 0 && deadline < 0)
        deadline = -1, ns = -1;
    for (;;) {
        lock_result_t result = mutex_lock_timed(m, ns, WAIT_FLAGS);
        if (result != LOCK_INTERRUPTED)
            return result;
        if (Py_MakePendingCalls() < 0)
            return LOCK_INTERRUPTED;
        if (deadline >= 0) {
            ns = deadline - sync_now_ns();
            if (ns <= 0)
                return mutex_try_lock(m) ? LOCK_ACQUIRED : LOCK_FAILED;
        }
    }
}

/* The same without a limit of time; w says for what. */
static lock_result_t wait_for_ever(struct deadlock_wait *w, PyMutex *m, int flags)
{
    lock_result_t result;
    for (;;) {
        deadlock_wait_begin(w);
        result = mutex_lock_timed(m, deadlock_time_to_look(w), flags);
        int failed = result == LOCK_FAILED ? deadlock_look(w) : result == LOCK_INTERRUPTED ? deadlock_verdict(w) : 0;
        deadlock_wait_end(w);
        if (failed)
            return LOCK_INTERRUPTED;
        if (result == LOCK_ACQUIRED || (result == LOCK_INTERRUPTED && Py_MakePendingCalls() < 0))
            return result;
    }
}

/* ---- lock ---- */

static PyObject *lock_taken(lock_object *self)
{
    atomic_store_relaxed_u64(&self->taker, thread_current()->id);
    Py_RETURN_TRUE;
}

static PyObject *lock_wait(lock_object *self, int64_t ns)
{
    struct deadlock_wait w = {.lock = (PyObject *)self, .mutex = &self->mutex, .taker = &self->taker, .can_raise = 1,
                              .kind = __atomic_load_n(&self->sentinel, __ATOMIC_RELAXED) ? DEADLOCK_BY_OWNER : DEADLOCK_BY_ANYBODY};
    lock_result_t result = ns >= 0 ? wait_for(&self->mutex, ns) : wait_for_ever(&w, &self->mutex, WAIT_FLAGS);
    return result == LOCK_ACQUIRED ? lock_taken(self) : result == LOCK_INTERRUPTED ? NULL : Py_NewRef(Py_False);
}

static PyObject *lock_acquire(lock_object *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    int64_t ns;
    if (parse_acquire(args, nargs, kwnames, &ns) < 0)
        return NULL;
    if (_PyMutex_TryLockFast(&self->mutex))
        return lock_taken(self);
    if (ns == 0)
        return mutex_try_lock(&self->mutex) ? lock_taken(self) : Py_NewRef(Py_False);
    return lock_wait(self, ns);
}

static PyObject *lock_enter(lock_object *self, PyObject *ignored)
{
    (void)ignored;
    return _PyMutex_TryLockFast(&self->mutex) ? lock_taken(self) : lock_wait(self, -1);
}

static void end_sentinel(lock_object *self)
{
    atomic_store_relaxed_u64(&self->taker, 0);
    __atomic_store_n(&self->sentinel, SENTINEL_ENDED, __ATOMIC_RELEASE);
}

static int lock_unlock(lock_object *self)
{
    uint8_t locked = 1;
    if (Py_UNLIKELY(__atomic_load_n(&self->sentinel, __ATOMIC_RELAXED)))
        end_sentinel(self);
    if (__atomic_compare_exchange_n(&self->mutex.bits, &locked, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
        || mutex_try_unlock(&self->mutex))
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
    return -1;
}

static PyObject *lock_release(lock_object *self, PyObject *ignored)
{
    (void)ignored;
    if (lock_unlock(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lock_exit(lock_object *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)args;
    (void)nargs;
    return lock_release(self, NULL);
}

static int has_ended(lock_object *self)
{
    return __atomic_load_n(&self->sentinel, __ATOMIC_ACQUIRE) == SENTINEL_ENDED;       /* pairs with lock_unlock */
}

static int is_locked(lock_object *self)
{
    return PyMutex_IsLocked(&self->mutex)
        && (!has_ended(self) || __atomic_load_n(&self->taker, __ATOMIC_RELAXED) == thread_current()->id);
}

static PyObject *lock_locked(lock_object *self, PyObject *ignored)
{
    (void)ignored;
    return PyBool_FromLong(is_locked(self));
}

static PyObject *lock_at_fork_reinit(lock_object *self, PyObject *ignored)
{
    (void)ignored;
    mutex_reset(&self->mutex);
    if (self->sentinel)
        __atomic_store_n(&self->sentinel, SENTINEL_ALIVE, __ATOMIC_RELEASE);
    Py_RETURN_NONE;
}

static PyObject *lock_repr(lock_object *self)
{
    return PyUnicode_FromFormat("<%s %s object at %p>", is_locked(self) ? "locked" : "unlocked",
                                Py_TYPE(self)->tp_name, self);
}

static int lock_traverse(PyObject *self, visitproc visit, void *arg)
{
    (void)self;
    (void)visit;
    (void)arg;
    return 0;
}

static void lock_dealloc(lock_object *self)
{
    PyObject_GC_UnTrack(self);
    if (_PyObject_HAS_WEAKREFS(self->weakrefs))
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_TYPE(self)->tp_free(self);
}

PyObject *thread_lock_new(void)
{
    lock_object *self = (lock_object *)thread_lock_type.tp_alloc(&thread_lock_type, 0);
    if (self != NULL) {
        self->weakrefs = NULL;
        self->mutex.bits = 0;
        self->sentinel = NO_SENTINEL;
        self->taker = 0;
    }
    return (PyObject *)self;
}

PyObject *thread_lock_new_sentinel(void)
{
    PyObject *self = thread_lock_new();
    if (self != NULL) {
        ((lock_object *)self)->sentinel = SENTINEL_ALIVE;
        /* Without an owner from the start: who drops it at the very end of a thread posts no request. Nobody else knows it yet. */
        object_publish(self);
        object_merge_stopped(self, 0);
    }
    return self;
}

void thread_lock_end_sentinel(void *lock)
{
    lock_object *self = lock;
    end_sentinel(self);
    mutex_try_unlock(&self->mutex);
    /* Weak references might have callbacks to run: then the lock lives for ever. */
    if (atomic_load_relaxed_ptr(&self->weakrefs) == NULL)
        Py_DECREF(self);
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), (doc)}
#define ACQUIRE_DOC \
    PyDoc_STR("acquire(blocking=True, timeout=-1) -> bool\n\nTakes the lock; waits for it unless blocking is false, at most timeout " \
              "seconds.\nTells whether the lock was taken.")
#define RELEASE_DOC PyDoc_STR("release()\n\nGives the lock back; another thread that waits for it may go on.")

static PyMethodDef lock_methods[] = {
    METHOD("acquire", lock_acquire, METH_FASTCALL | METH_KEYWORDS, ACQUIRE_DOC),
    METHOD("acquire_lock", lock_acquire, METH_FASTCALL | METH_KEYWORDS, ACQUIRE_DOC),
    METHOD("release", lock_release, METH_NOARGS, RELEASE_DOC),
    METHOD("release_lock", lock_release, METH_NOARGS, RELEASE_DOC),
    METHOD("locked", lock_locked, METH_NOARGS, PyDoc_STR("locked() -> bool\n\nIs the lock taken?")),
    METHOD("locked_lock", lock_locked, METH_NOARGS, PyDoc_STR("locked_lock() -> bool\n\nOlder name of locked().")),
    METHOD("__enter__", lock_enter, METH_NOARGS, PyDoc_STR("Takes the lock.")),
    METHOD("__exit__", lock_exit, METH_FASTCALL, PyDoc_STR("Gives the lock back.")),
    METHOD("_at_fork_reinit", lock_at_fork_reinit, METH_NOARGS, PyDoc_STR("Unlocks it in the child of a fork.")),
    {NULL, NULL, 0, NULL},
};

PyTypeObject thread_lock_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_thread.lock",
    .tp_basicsize = sizeof(lock_object),
    .tp_weaklistoffset = offsetof(lock_object, weakrefs),
    /* Of the collector's kind, as in CPython, though it refers to nothing: so a contended lock can be promoted. */
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .tp_traverse = lock_traverse,
    .tp_free = PyObject_GC_Del,
    .tp_doc = PyDoc_STR("A lock: at most one thread has it. Any thread may release it. allocate_lock() makes one."),
    .tp_dealloc = (destructor)lock_dealloc,
    .tp_repr = (reprfunc)lock_repr,
    .tp_methods = lock_methods,
};

/* ---- RLock ---- */

static int rlock_is_mine(rlock_object *self)
{
    return __atomic_load_n(&self->owner, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

static unsigned long rlock_count(rlock_object *self) { return __atomic_load_n(&self->count, __ATOMIC_RELAXED); }
static void rlock_set_count(rlock_object *self, unsigned long count) { __atomic_store_n(&self->count, count, __ATOMIC_RELAXED); }

static void rlock_own(rlock_object *self, unsigned long count)
{
    rlock_set_count(self, count);
    __atomic_store_n(&self->owner, PyThread_get_thread_ident(), __ATOMIC_RELAXED);
}

static lock_result_t rlock_wait_for_ever(rlock_object *self, int flags)
{
    struct deadlock_wait w = {.lock = (PyObject *)self, .mutex = &self->mutex, .kind = DEADLOCK_BY_OWNER, .owner = &self->owner,
                              .can_raise = (flags & PARK_INTERRUPTIBLE) != 0};
    return wait_for_ever(&w, &self->mutex, flags);
}

/* 1 taken, 0 not, -1 exception. */
static int rlock_take(rlock_object *self, int64_t ns)
{
    if (rlock_is_mine(self)) {
        if (rlock_count(self) == ULONG_MAX) {
            PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
            return -1;
        }
        rlock_set_count(self, rlock_count(self) + 1);
        return 1;
    }
    if (!_PyMutex_TryLockFast(&self->mutex)) {
        lock_result_t result = ns == 0 ? (mutex_try_lock(&self->mutex) ? LOCK_ACQUIRED : LOCK_FAILED)
                               : ns < 0 ? rlock_wait_for_ever(self, WAIT_FLAGS) : wait_for(&self->mutex, ns);
        if (result != LOCK_ACQUIRED)
            return result == LOCK_INTERRUPTED ? -1 : 0;
    }
    rlock_own(self, 1);
    return 1;
}

static PyObject *rlock_acquire(rlock_object *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    int64_t ns;
    if (parse_acquire(args, nargs, kwnames, &ns) < 0)
        return NULL;
    int taken = rlock_take(self, ns);
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

static PyObject *rlock_enter(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    int taken = rlock_take(self, -1);
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

/* 1; 0 with RuntimeError: _at_fork_reinit() of another thread has reset the lock meanwhile. */
static int rlock_unlock(rlock_object *self)
{
    uint8_t locked = _PyMutex_LOCKED;
    if (Py_LIKELY(__atomic_compare_exchange_n(&self->mutex.bits, &locked, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        || mutex_try_unlock(&self->mutex))
        return 1;
    PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
    return 0;
}

static PyObject *rlock_release(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    unsigned long count = rlock_is_mine(self) ? rlock_count(self) : 0;     /* 0, too: another thread is resetting it */
    if (count == 0) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    unsigned long left = count - 1;
    rlock_set_count(self, left);
    if (left == 0) {
        __atomic_store_n(&self->owner, 0, __ATOMIC_RELAXED);
        if (!rlock_unlock(self))
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *rlock_exit(rlock_object *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)args;
    (void)nargs;
    return rlock_release(self, NULL);
}

static PyObject *rlock_acquire_restore(rlock_object *self, PyObject *args)
{
    unsigned long count, owner;
    if (!PyArg_ParseTuple(args, "(kk):_acquire_restore", &count, &owner))
        return NULL;
    if (!_PyMutex_TryLockFast(&self->mutex))
        rlock_wait_for_ever(self, PARK_DETACH | PARK_SERVE);
    rlock_set_count(self, count);
    __atomic_store_n(&self->owner, owner, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *rlock_release_save(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    if (!rlock_is_mine(self)) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    PyObject *saved = Py_BuildValue("kk", rlock_count(self), __atomic_load_n(&self->owner, __ATOMIC_RELAXED));
    if (saved == NULL)
        return NULL;
    rlock_set_count(self, 0);
    __atomic_store_n(&self->owner, 0, __ATOMIC_RELAXED);
    if (!rlock_unlock(self))
        Py_CLEAR(saved);
    return saved;
}

static PyObject *rlock_is_owned(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    return PyBool_FromLong(rlock_is_mine(self));
}

static PyObject *rlock_recursion_count(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLong(rlock_is_mine(self) ? rlock_count(self) : 0);
}

static PyObject *rlock_at_fork_reinit(rlock_object *self, PyObject *ignored)
{
    (void)ignored;
    mutex_reset(&self->mutex);
    rlock_set_count(self, 0);
    __atomic_store_n(&self->owner, 0, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *rlock_repr(rlock_object *self)
{
    unsigned long owner = __atomic_load_n(&self->owner, __ATOMIC_RELAXED);
    return PyUnicode_FromFormat("<%s %s object owner=%ld count=%lu at %p>", owner != 0 ? "locked" : "unlocked",
                                Py_TYPE(self)->tp_name, (long)owner, rlock_count(self), self);
}

static void rlock_dealloc(rlock_object *self)
{
    PyObject_GC_UnTrack(self);
    if (_PyObject_HAS_WEAKREFS(self->weakrefs))
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *rlock_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)args;
    (void)kwds;
    rlock_object *self = (rlock_object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->weakrefs = NULL;
        self->mutex.bits = 0;
        self->owner = self->count = 0;
    }
    return (PyObject *)self;
}

static PyMethodDef rlock_methods[] = {
    METHOD("acquire", rlock_acquire, METH_FASTCALL | METH_KEYWORDS, ACQUIRE_DOC),
    METHOD("release", rlock_release, METH_NOARGS, RELEASE_DOC),
    METHOD("_is_owned", rlock_is_owned, METH_NOARGS, PyDoc_STR("_is_owned() -> bool\n\nDoes the calling thread have the lock?")),
    METHOD("_recursion_count", rlock_recursion_count, METH_NOARGS,
           PyDoc_STR("_recursion_count() -> int\n\nHow often the calling thread has taken the lock.")),
    METHOD("_acquire_restore", rlock_acquire_restore, METH_VARARGS,
           PyDoc_STR("_acquire_restore(state)\n\nTakes the lock and puts back what _release_save returned.")),
    METHOD("_release_save", rlock_release_save, METH_NOARGS,
           PyDoc_STR("_release_save() -> tuple\n\nGives the lock back however often it was taken.")),
    METHOD("__enter__", rlock_enter, METH_NOARGS, PyDoc_STR("Takes the lock.")),
    METHOD("__exit__", rlock_exit, METH_FASTCALL, PyDoc_STR("Gives the lock back.")),
    METHOD("_at_fork_reinit", rlock_at_fork_reinit, METH_NOARGS, PyDoc_STR("Unlocks it in the child of a fork.")),
    {NULL, NULL, 0, NULL},
};

PyTypeObject thread_rlock_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_thread.RLock",
    .tp_basicsize = sizeof(rlock_object),
    .tp_weaklistoffset = offsetof(rlock_object, weakrefs),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .tp_traverse = lock_traverse,
    .tp_free = PyObject_GC_Del,
    .tp_doc = PyDoc_STR("A lock that its owner may take again."),
    .tp_dealloc = (destructor)rlock_dealloc,
    .tp_repr = (reprfunc)rlock_repr,
    .tp_methods = rlock_methods,
    .tp_new = rlock_new,
};
