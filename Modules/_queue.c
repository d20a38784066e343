/* The _queue module: SimpleQueue, an unbounded queue of objects between threads.
 *
 * Items sit in a ring under a mutex.  Nothing is allocated from Python or released while it is held, so put() may be
 * called from finalisers and signal handlers that interrupt any other method.
 * A thread that waits has a record on its own stack, in a list under the same mutex; put() takes the first record out
 * of the list and wakes its thread, which then looks into the ring like everybody else. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include "deadlock.h"
#include <limits.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

typedef struct waiter {
    struct waiter *next, **link;        /* [lock] link NULL: not in the list (any more) */
    PyThread_type_lock lock;            /* released to wake the thread */
    pid_t process;                      /* threads of the process before a fork are gone */
    struct deadlock_wait wait;
} waiter_t;

typedef struct {
    PyObject_HEAD
    PyMutex mutex;
    PyObject **ring;                    /* [lock] */
    size_t first, count, capacity;      /* [lock] capacity: 0 or a power of two */
    waiter_t *waiters, **waiters_end;   /* [lock] */
    PyObject *weaklist;
} queue_t;

static PyObject *empty_exception;       /* queue.Empty */

enum { SMALL = 8, LARGE = 1024 };

/* ---- Under the mutex; none of these escapes ---- */

static int grow_locked(queue_t *self)
{
    size_t capacity = self->capacity == 0 ? SMALL : 2 * self->capacity;
    if (capacity > PY_SSIZE_T_MAX / sizeof(PyObject *))
        return -1;
    PyObject **ring = PyMem_RawMalloc(capacity * sizeof(PyObject *));
    if (ring == NULL)
        return -1;
    for (size_t i = 0; i < self->count; i++)
        ring[i] = self->ring[(self->first + i) & (self->capacity - 1)];
    PyMem_RawFree(self->ring);
    self->ring = ring;
    self->capacity = capacity;
    self->first = 0;
    return 0;
}

/* NULL without an exception: empty. */
static PyObject *take_locked(queue_t *self)
{
    if (self->count == 0)
        return NULL;
    PyObject *item = self->ring[self->first];
    self->first = (self->first + 1) & (self->capacity - 1);
    self->count--;
    if (self->count == 0 && self->capacity > LARGE) {
        PyMem_RawFree(self->ring);
        self->ring = NULL;
        self->capacity = self->first = 0;
    }
    return item;
}

static void unlink_locked(queue_t *self, waiter_t *w)
{
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    else
        self->waiters_end = w->link;
    w->link = NULL;
}

static void wake_one_locked(queue_t *self)
{
    pid_t process = self->waiters != NULL ? getpid() : 0;
    while (self->waiters != NULL) {
        waiter_t *w = self->waiters;
        unlink_locked(self, w);
        if (w->process == process) {
            __atomic_store_n(&w->wait.over, 1, __ATOMIC_RELAXED);
            PyThread_release_lock(w->lock);
            return;
        }
    }
}

/* ---- Methods ---- */

static PyObject *put(queue_t *self, PyObject *item)
{
    int failed = 0;
    Py_INCREF(item);
    PyMutex_Lock(&self->mutex);
    if (self->count == self->capacity)
        failed = grow_locked(self);
    if (!failed) {
        self->ring[(self->first + self->count) & (self->capacity - 1)] = item;
        self->count++;
        wake_one_locked(self);
    }
    PyMutex_Unlock(&self->mutex);
    if (failed) {
        Py_DECREF(item);
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

static const char *const put_keywords[] = {"item", "block", "timeout", NULL};

static PyObject *queue_put(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static _PyArg_Parser parser = {.keywords = put_keywords, .fname = "put"};
    PyObject *buffer[3];
    if (nargs == 1 && names == NULL)
        return put((queue_t *)self, args[0]);
    args = _PyArg_UnpackKeywords(args, nargs, NULL, names, &parser, 1, 3, 0, buffer);
    return args == NULL ? NULL : put((queue_t *)self, args[0]);
}

static PyObject *queue_put_nowait(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"item", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "put_nowait"};
    PyObject *buffer[1];
    args = _PyArg_UnpackKeywords(args, nargs, NULL, names, &parser, 1, 1, 0, buffer);
    return args == NULL ? NULL : put((queue_t *)self, args[0]);
}

/* Microseconds of the monotonic clock. */
static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Seconds to microseconds, rounded up; -1 with an exception. */
static long long get_timeout(PyObject *op)
{
    long long us;
    if (PyFloat_Check(op)) {
        double seconds = PyFloat_AsDouble(op);
        if (isnan(seconds)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        if (fabs(seconds) >= 9.2e9)
            goto too_large;
        us = (long long)ceil(seconds * 1e6);
        if (seconds < 0)
            us = -1;
    }
    else {
        PyObject *number = PyNumber_Index(op);
        if (number == NULL)
            return -1;
        int overflow;
        long long seconds = PyLong_AsLongLongAndOverflow(number, &overflow);
        Py_DECREF(number);
        if (overflow || seconds > LLONG_MAX / 1000000000 || seconds < LLONG_MIN / 1000000000)
            goto too_large;
        us = seconds * 1000000;
    }
    if (us < 0) {
        PyErr_SetString(PyExc_ValueError, "'timeout' must be a non-negative number");
        return -1;
    }
    if (us > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return -1;
    }
    return us;

too_large:
    PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
    return -1;
}

/* Waits until there is an item, or until the end of the wait.
 * us < 0: for ever.
 * Returns  the item; NULL with an exception (a signal handler's, or memory); NULL without one after us microseconds */
static PyObject *wait_for_item(queue_t *self, long long us)
{
    PyObject *item = NULL;
    long long end = us < 0 ? 0 : now() + us;
    waiter_t w = {.process = getpid(), .wait = {.lock = (PyObject *)self, .kind = DEADLOCK_BY_ANYBODY}};
    w.lock = PyThread_allocate_lock();
    if (w.lock == NULL) {
        PyErr_SetString(PyExc_MemoryError, "can't allocate lock");
        return NULL;
    }
    PyThread_acquire_lock(w.lock, WAIT_LOCK);
    for (;;) {
        PyLockStatus status;
        long long part = us;
        w.wait.over = 0;
        PyMutex_Lock(&self->mutex);
        item = take_locked(self);
        if (item == NULL) {
            w.next = NULL;
            w.link = self->waiters_end;
            *self->waiters_end = &w;
            self->waiters_end = &w.next;
        }
        PyMutex_Unlock(&self->mutex);
        if (item != NULL)
            break;

        if (us < 0) {
            deadlock_wait_begin(&w.wait);
            part = deadlock_time_to_look(&w.wait) / 1000;
        }
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(w.lock, us < 0 && part == 0 ? -1 : part, 1);
        Py_END_ALLOW_THREADS
        if (us < 0) {
            if (status == PY_LOCK_FAILURE)
                deadlock_look(&w.wait);         /* which does not raise here */
            deadlock_wait_end(&w.wait);
        }

        /* Whoever took the record out of the list has released the lock before it gave up the mutex. */
        PyMutex_Lock(&self->mutex);
        if (w.link != NULL)
            unlink_locked(self, &w);
        else if (status != PY_LOCK_ACQUIRED)
            PyThread_acquire_lock(w.lock, NOWAIT_LOCK);
        item = take_locked(self);
        PyMutex_Unlock(&self->mutex);
        if (item != NULL)
            break;
        if (status == PY_LOCK_INTR && Py_MakePendingCalls() < 0)
            break;
        if (us >= 0) {
            us = end - now();
            if (us <= 0)
                break;
        }
    }
    PyThread_free_lock(w.lock);
    return item;
}

static PyObject *get(queue_t *self, int block, PyObject *timeout)
{
    long long us = -1;
    if (block && timeout != Py_None && (us = get_timeout(timeout)) < 0)
        return NULL;
    PyMutex_Lock(&self->mutex);
    PyObject *item = take_locked(self);
    PyMutex_Unlock(&self->mutex);
    if (item == NULL && block && us != 0)
        item = wait_for_item(self, us);
    if (item == NULL && !PyErr_Occurred())
        PyErr_SetNone(empty_exception);
    return item;
}

static PyObject *queue_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    static const char *const keywords[] = {"block", "timeout", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "get"};
    PyObject *buffer[2] = {NULL};
    if (nargs == 0 && names == NULL)
        return get((queue_t *)self, 1, Py_None);
    args = _PyArg_UnpackKeywords(args, nargs, NULL, names, &parser, 0, 2, 0, buffer);
    if (args == NULL)
        return NULL;
    int block = args[0] == NULL ? 1 : PyObject_IsTrue(args[0]);
    if (block < 0)
        return NULL;
    PyObject *timeout = Py_None;
    if (nargs >= 2 || (names != NULL && args[1] != NULL))
        timeout = args[1];
    return get((queue_t *)self, block, timeout);
}

static PyObject *queue_get_nowait(PyObject *self, PyObject *unused)
{
    return get((queue_t *)self, 0, Py_None);
}

static Py_ssize_t queue_length(queue_t *self)
{
    PyMutex_Lock(&self->mutex);
    size_t n = self->count;
    PyMutex_Unlock(&self->mutex);
    return (Py_ssize_t)n;
}

static PyObject *queue_empty(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(queue_length((queue_t *)self) == 0);
}

static PyObject *queue_qsize(PyObject *self, PyObject *unused)
{
    return PyLong_FromSsize_t(queue_length((queue_t *)self));
}

/* ---- The type ---- */

static PyObject *queue_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) > 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_Format(PyExc_TypeError, "%s() takes no arguments", "SimpleQueue");
        return NULL;
    }
    queue_t *self = (queue_t *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->waiters_end = &self->waiters;
    return (PyObject *)self;
}

static int queue_traverse(PyObject *op, visitproc visit, void *arg)
{
    queue_t *self = (queue_t *)op;
    for (size_t i = 0; i < self->count; i++)
        Py_VISIT(self->ring[(self->first + i) & (self->capacity - 1)]);
    return 0;
}

static int queue_clear(PyObject *op)
{
    queue_t *self = (queue_t *)op;
    for (;;) {
        PyMutex_Lock(&self->mutex);
        PyObject *item = take_locked(self);
        PyMutex_Unlock(&self->mutex);
        if (item == NULL)
            return 0;
        Py_DECREF(item);
    }
}

static void queue_dealloc(PyObject *op)
{
    queue_t *self = (queue_t *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weaklist))
        PyObject_ClearWeakRefs(op);
    queue_clear(op);
    PyMem_RawFree(self->ring);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef queue_methods[] = {
    {"empty", queue_empty, METH_NOARGS, "empty($self, /)\n--\n\nIs the queue empty (at this moment)?"},
    MODULE_METHOD("get", queue_get, METH_FASTCALL | METH_KEYWORDS,
                  "get($self, /, block=True, timeout=None)\n--\n\nRemoves and returns the oldest item.\n\n"
                  "If there is none: waits for one if block is true, timeout seconds at most if that is not None;\n"
                  "raises Empty if none has come."),
    {"get_nowait", queue_get_nowait, METH_NOARGS,
     "get_nowait($self, /)\n--\n\nRemoves and returns the oldest item, or raises Empty."},
    MODULE_METHOD("put", queue_put, METH_FASTCALL | METH_KEYWORDS,
                  "put($self, /, item, block=True, timeout=None)\n--\n\nAdds item to the queue.\n\n"
                  "It never waits; block and timeout are there for the sake of queue.Queue."),
    MODULE_METHOD("put_nowait", queue_put_nowait, METH_FASTCALL | METH_KEYWORDS,
                  "put_nowait($self, /, item)\n--\n\nAdds item to the queue."),
    {"qsize", queue_qsize, METH_NOARGS, "qsize($self, /)\n--\n\nThe number of items (at this moment)."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

static PyTypeObject queue_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_queue.SimpleQueue",
    .tp_basicsize = sizeof(queue_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "SimpleQueue()\n--\n\nAn unbounded first-in, first-out queue for threads.",
    .tp_weaklistoffset = offsetof(queue_t, weaklist),
    .tp_methods = queue_methods,
    .tp_new = queue_new,
    .tp_traverse = queue_traverse,
    .tp_clear = queue_clear,
    .tp_dealloc = queue_dealloc,
};

static int queue_exec(PyObject *module)
{
    if (empty_exception == NULL) {
        empty_exception = PyErr_NewExceptionWithDoc(
            "_queue.Empty", "Raised by get() and get_nowait() if there is no item.", NULL, NULL);
        if (empty_exception == NULL)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "Empty", empty_exception) < 0)
        return -1;
    return PyModule_AddType(module, &queue_type);
}

static PyModuleDef_Slot queue_slots[] = {
    {Py_mod_exec, (void *)queue_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef queue_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_queue",
    .m_doc = "SimpleQueue: see the module queue.",
    .m_slots = queue_slots,
};

PyMODINIT_FUNC PyInit__queue(void)
{
    return PyModuleDef_Init(&queue_module);
}
