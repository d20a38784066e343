/* The _multiprocessing module: SemLock, a semaphore or recursive lock that processes share.
 *
 * The semaphore is the system's. Beside it an object knows how often this process has acquired it, and the thread that
 * did so last; two words that are changed atomically. The thread is stored before the count is raised, and the count is
 * lowered before the semaphore is released: so whoever holds a recursive lock finds its own number there, and nobody
 * else does. */
#include "module.h"
#include "structmember.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum { RECURSIVE_MUTEX, SEMAPHORE };

typedef struct {
    PyObject_HEAD
    sem_t *handle;              /* [const] */
    int kind, maxvalue;         /* [const] */
    char *name;                 /* [const] or NULL */
    unsigned long last_thread;  /* [atomic] */
    int count;                  /* [atomic] acquisitions less releases */
} semlock_object;

static PyTypeObject semlock_type;

/* ---- Who holds it ---- */

static int get_count(semlock_object *self) { return __atomic_load_n(&self->count, __ATOMIC_ACQUIRE); }

static int is_mine(semlock_object *self)
{
    /* The load of count pairs with the increment in note_acquired. */
    return get_count(self) > 0 && __atomic_load_n(&self->last_thread, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

static void note_acquired(semlock_object *self)
{
    __atomic_store_n(&self->last_thread, PyThread_get_thread_ident(), __ATOMIC_RELAXED);
    __atomic_fetch_add(&self->count, 1, __ATOMIC_RELEASE);
}

/* ---- Acquire and release ---- */

/* Waits for the semaphore; 1 if acquired, 0 if not, -1 with an exception. */
static int wait_for(sem_t *handle, const struct timespec *deadline)
{
    int rc;
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        rc = deadline != NULL ? sem_clockwait(handle, CLOCK_MONOTONIC, deadline) : sem_wait(handle);
        Py_END_ALLOW_THREADS
        if (rc == 0)
            return 1;
        if (errno == ETIMEDOUT)
            return 0;
        if (errno != EINTR) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
}

/* timeout in seconds, from now on; negative: now. */
static void set_deadline(struct timespec *deadline, double timeout)
{
    clock_gettime(CLOCK_MONOTONIC, deadline);
    if (!(timeout > 0))
        return;
    /* Longer ones would overflow, and are for ever. */
    double seconds = timeout < 1e9 ? timeout : 1e9;
    long whole = (long)seconds, rest = (long)((seconds - (double)whole) * 1e9 + 0.5);
    deadline->tv_sec += whole;
    deadline->tv_nsec += rest;
    deadline->tv_sec += deadline->tv_nsec / 1000000000;
    deadline->tv_nsec %= 1000000000;
}

static PyObject *acquire(semlock_object *self, int block, PyObject *timeout)
{
    struct timespec deadline;
    if (self->kind == RECURSIVE_MUTEX && is_mine(self)) {
        __atomic_fetch_add(&self->count, 1, __ATOMIC_RELAXED);
        Py_RETURN_TRUE;
    }
    if (timeout != Py_None) {
        double seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1.0 && PyErr_Occurred())
            return NULL;
        set_deadline(&deadline, seconds);
    }
    int got;
    do
        got = sem_trywait(self->handle);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN)
        return PyErr_SetFromErrno(PyExc_OSError);
    got = got == 0;
    if (!got && block)
        got = wait_for(self->handle, timeout != Py_None ? &deadline : NULL);
    if (got > 0)
        note_acquired(self);
    return got < 0 ? NULL : PyBool_FromLong(got);
}

static PyObject *semlock_acquire(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"block", "timeout", NULL};
    int block = 1;
    PyObject *timeout = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iO:acquire", names, &block, &timeout))
        return NULL;
    return acquire((semlock_object *)op, block, timeout);
}

/* May the semaphore be released? Its value must stay within the limit. 0, or -1 with an exception. */
static int check_value(semlock_object *self)
{
    int value;
    if (sem_getvalue(self->handle, &value) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (value >= self->maxvalue) {
        PyErr_SetString(PyExc_ValueError, "semaphore or lock released too many times");
        return -1;
    }
    return 0;
}

static PyObject *semlock_release(PyObject *op, PyObject *unused)
{
    semlock_object *self = (semlock_object *)op;
    if (self->kind == RECURSIVE_MUTEX) {
        if (!is_mine(self)) {
            PyErr_SetString(PyExc_AssertionError, "attempt to release recursive lock not owned by thread");
            return NULL;
        }
        if (get_count(self) > 1) {
            __atomic_fetch_sub(&self->count, 1, __ATOMIC_RELAXED);
            Py_RETURN_NONE;
        }
    }
    else if (check_value(self) < 0) {
        return NULL;
    }
    __atomic_fetch_sub(&self->count, 1, __ATOMIC_RELAXED);
    if (sem_post(self->handle) < 0) {
        __atomic_fetch_add(&self->count, 1, __ATOMIC_RELAXED);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *semlock_enter(PyObject *op, PyObject *unused) { return acquire((semlock_object *)op, 1, Py_None); }

static PyObject *semlock_exit(PyObject *op, PyObject *args)
{
    PyObject *type, *value, *traceback;
    return PyArg_UnpackTuple(args, "__exit__", 0, 3, &type, &value, &traceback) ? semlock_release(op, NULL) : NULL;
}

/* ---- Questions ---- */

static PyObject *semlock_count(PyObject *op, PyObject *unused) { return PyLong_FromLong(get_count((semlock_object *)op)); }

static PyObject *semlock_is_mine(PyObject *op, PyObject *unused)
{
    return PyBool_FromLong(is_mine((semlock_object *)op));
}

static PyObject *semlock_get_value(PyObject *op, PyObject *unused)
{
    int value;
    if (sem_getvalue(((semlock_object *)op)->handle, &value) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromLong(value < 0 ? 0 : value);
}

static PyObject *semlock_is_zero(PyObject *op, PyObject *unused)
{
    int value;
    if (sem_getvalue(((semlock_object *)op)->handle, &value) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyBool_FromLong(value <= 0);
}

static PyObject *semlock_after_fork(PyObject *op, PyObject *unused)
{
    __atomic_store_n(&((semlock_object *)op)->count, 0, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

/* ---- Life ---- */

/* An object of an open semaphore. name: NULL, or PyMem_Malloc'ed; taken over if it succeeds. */
static PyObject *make(PyTypeObject *type, sem_t *handle, int kind, int maxvalue, char *name)
{
    semlock_object *self = (semlock_object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->handle = handle;
        self->kind = kind;
        self->maxvalue = maxvalue;
        self->name = name;
    }
    return (PyObject *)self;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy == NULL)
        PyErr_NoMemory();
    else
        memcpy(copy, text, size);
    return copy;
}

static PyObject *semlock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"kind", "value", "maxvalue", "name", "unlink", NULL};
    int kind, value, maxvalue, unlink;
    const char *name;
    char *copy = NULL;
    PyObject *self = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iiisp:SemLock", names, &kind, &value, &maxvalue, &name, &unlink))
        return NULL;
    if (kind != RECURSIVE_MUTEX && kind != SEMAPHORE) {
        PyErr_SetString(PyExc_ValueError, "unrecognized kind");
        return NULL;
    }
    sem_t *handle = sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)value);
    if (handle == SEM_FAILED)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (unlink ? sem_unlink(name) < 0 : (copy = copy_text(name)) == NULL) {
        if (unlink)
            PyErr_SetFromErrno(PyExc_OSError);
    }
    else {
        self = make(type, handle, kind, maxvalue, copy);
    }
    if (self == NULL) {
        sem_close(handle);
        if (!unlink)
            sem_unlink(name);
        PyMem_Free(copy);
    }
    return self;
}

/* In another process: by its name, or the handle that was inherited by fork. */
static PyObject *semlock_rebuild(PyObject *type, PyObject *args)
{
    unsigned long long number;
    int kind, maxvalue;
    const char *name;
    char *copy = NULL;
    if (!PyArg_ParseTuple(args, "Kiiz:_rebuild", &number, &kind, &maxvalue, &name))
        return NULL;
    sem_t *handle = (sem_t *)(uintptr_t)number;
    if (name != NULL) {
        handle = sem_open(name, 0);
        if (handle == SEM_FAILED)
            return PyErr_SetFromErrno(PyExc_OSError);
        copy = copy_text(name);
    }
    PyObject *self = name == NULL || copy != NULL ? make((PyTypeObject *)type, handle, kind, maxvalue, copy) : NULL;
    if (self == NULL) {
        PyMem_Free(copy);
        if (name != NULL)
            sem_close(handle);
    }
    return self;
}

static void semlock_dealloc(PyObject *op)
{
    semlock_object *self = (semlock_object *)op;
    if (self->handle != NULL)
        sem_close(self->handle);
    PyMem_Free(self->name);
    Py_TYPE(op)->tp_free(op);
}

/* ---- The type and the module ---- */

static PyObject *get_handle(PyObject *op, void *unused)
{
    return PyLong_FromUnsignedLongLong((uintptr_t)((semlock_object *)op)->handle);
}

static PyGetSetDef semlock_getset[] = {{"handle", get_handle, NULL, NULL, NULL}, {NULL}};

static PyMemberDef semlock_members[] = {
    {"kind", T_INT, offsetof(semlock_object, kind), READONLY, NULL},
    {"maxvalue", T_INT, offsetof(semlock_object, maxvalue), READONLY, NULL},
    {"name", T_STRING, offsetof(semlock_object, name), READONLY, NULL},
    {NULL},
};

static PyMethodDef semlock_methods[] = {
    MODULE_METHOD("acquire", semlock_acquire, METH_VARARGS | METH_KEYWORDS,
                  "acquire($self, /, block=True, timeout=None)\n--\n\nAcquires it; returns whether it did."),
    {"release", semlock_release, METH_NOARGS, "release($self, /)\n--\n\nReleases it."},
    {"__enter__", semlock_enter, METH_NOARGS, "__enter__($self, /)\n--\n\nAcquires it."},
    {"__exit__", semlock_exit, METH_VARARGS,
     "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)\n--\n\nReleases it."},
    {"_count", semlock_count, METH_NOARGS,
     "_count($self, /)\n--\n\nHow often this process has acquired it without releasing it."},
    {"_is_mine", semlock_is_mine, METH_NOARGS, "_is_mine($self, /)\n--\n\nDoes this thread hold it?"},
    {"_get_value", semlock_get_value, METH_NOARGS, "_get_value($self, /)\n--\n\nThe value of the semaphore."},
    {"_is_zero", semlock_is_zero, METH_NOARGS, "_is_zero($self, /)\n--\n\nWould acquiring it block?"},
    {"_after_fork", semlock_after_fork, METH_NOARGS,
     "_after_fork($self, /)\n--\n\nForgets what the parent process acquired."},
    {"_rebuild", semlock_rebuild, METH_VARARGS | METH_CLASS,
     "_rebuild($type, handle, kind, maxvalue, name, /)\n--\n\nThe object in another process."},
    {NULL},
};

static PyTypeObject semlock_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multiprocessing.SemLock",
    .tp_basicsize = sizeof(semlock_object),
    .tp_dealloc = semlock_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "SemLock(kind, value, maxvalue, name, unlink)\n--\n\nA semaphore, or recursive lock, between processes.",
    .tp_methods = semlock_methods,
    .tp_members = semlock_members,
    .tp_getset = semlock_getset,
    .tp_new = semlock_new,
};

static PyObject *sem_unlink_(PyObject *module, PyObject *args)
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s:sem_unlink", &name))
        return NULL;
    return sem_unlink(name) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static PyMethodDef multiprocessing_methods[] = {
    {"sem_unlink", sem_unlink_, METH_VARARGS, "sem_unlink($module, name, /)\n--\n\nRemoves the name of a semaphore."},
    {NULL},
};

static int multiprocessing_exec(PyObject *module)
{
    if (PyModule_AddType(module, &semlock_type) < 0)
        return -1;
    PyObject *limit = PyLong_FromLong(SEM_VALUE_MAX);
    PyObject *flags = Py_BuildValue("{s:i,s:i}", "HAVE_SEM_OPEN", 1, "HAVE_SEM_TIMEDWAIT", 1);
    int rc = limit == NULL || flags == NULL || PyDict_SetItemString(semlock_type.tp_dict, "SEM_VALUE_MAX", limit) < 0
                     || PyModule_AddObjectRef(module, "flags", flags) < 0
                 ? -1
                 : 0;
    PyType_Modified(&semlock_type);
    Py_XDECREF(limit);
    Py_XDECREF(flags);
    return rc;
}

static PyModuleDef_Slot multiprocessing_slots[] = {
    {Py_mod_exec, (void *)multiprocessing_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef multiprocessing_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_multiprocessing",
    .m_doc = "Locks between processes, for the package multiprocessing.",
    .m_methods = multiprocessing_methods,
    .m_slots = multiprocessing_slots,
};

PyMODINIT_FUNC PyInit__multiprocessing(void)
{
    return PyModuleDef_Init(&multiprocessing_module);
}
