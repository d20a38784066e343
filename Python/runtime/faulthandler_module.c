/* The `faulthandler` module: tracebacks when the process is about to die, hangs, or is asked by a signal.
 *
 * What signal handlers read is stored before the handler is installed and left alone while it is: handlers take no lock.
 * state_lock orders the functions that install and remove them; nothing escapes while it is held. */
#include "Python.h"

#include "fork_mutex.h"
#include "interpreter.h"
#include "module.h"
#include "sys_internal.h"
#include "traceback_dump.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static PyMutex state_lock;
FORK_MUTEX(state_lock)

/* ---- Where to write ---- */

/* The descriptor of file: NULL or None: sys.stderr; an int; or an object with fileno().
 * *keep: a reference to the object to be kept while the descriptor is used, or NULL. -1 with an exception. */
static int descriptor_get(PyObject *file, PyObject **keep)
{
    *keep = NULL;
    int from_sys = file == NULL || file == Py_None;
    if (from_sys) {
        file = sys_object_ref("stderr");
        if (file == NULL || file == Py_None) {
            PyErr_SetString(PyExc_RuntimeError, file == NULL ? "unable to get sys.stderr" : "sys.stderr is None");
            Py_XDECREF(file);
            return -1;
        }
    }
    else if (PyLong_Check(file)) {
        int fd = _PyLong_AsInt(file);
        if (fd < 0 && !PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "file is not a valid file descripter");
        return fd < 0 ? -1 : fd;
    }
    else {
        Py_INCREF(file);
    }
    PyObject *number = PyObject_CallMethod(file, "fileno", NULL);
    int fd = -1;
    if (number != NULL && PyLong_Check(number))
        fd = _PyLong_AsInt(number);
    if (number != NULL && fd < 0) {
        PyErr_Clear();
        PyErr_SetString(PyExc_RuntimeError, "file.fileno() is not a valid file descriptor");
    }
    Py_XDECREF(number);
    if (fd < 0) {
        Py_DECREF(file);
        return -1;
    }
    PyObject *flushed = PyObject_CallMethod(file, "flush", NULL);
    if (flushed == NULL)
        PyErr_Clear();
    Py_XDECREF(flushed);
    object_publish(file);
    *keep = file;
    return fd;
}

/* ---- Fatal signals ---- */

struct fatal_signal {
    int number;
    const char *name;
    struct sigaction previous;          /* [state_lock; handler] */
};
static struct fatal_signal fatal_signals[] = {
    {SIGBUS, "Bus error", {}}, {SIGILL, "Illegal instruction", {}}, {SIGFPE, "Floating point exception", {}},
    {SIGABRT, "Aborted", {}}, {SIGSEGV, "Segmentation fault", {}},
};
static struct {
    int enabled;                        /* [state_lock; atomic read] */
    int fd, all_threads;                /* [state_lock; handler] */
    PyObject *file;                     /* [state_lock] counted, or NULL */
} fatal;

static void dump(int fd, int all_threads)
{
    PyThreadState *ts = gilstate_get_bound();
    if (all_threads)
        traceback_dump_threads(fd, ts);
    else
        traceback_dump(fd, ts);
}

static void on_fatal_signal(int number)
{
    int saved = errno, fd = fatal.fd;
    struct fatal_signal *s = fatal_signals;
    while (s->number != number && s < &fatal_signals[Py_ARRAY_LENGTH(fatal_signals) - 1])
        s++;
    /* First of all: a fault in here ends the process. */
    sigaction(number, &s->previous, NULL);
    traceback_dump_text(fd, "Fatal Python error: ");
    traceback_dump_text(fd, s->name);
    traceback_dump_text(fd, "\n\n");
    dump(fd, fatal.all_threads);
    traceback_dump_extension_modules(fd);
    errno = saved;
    raise(number);
}

static int enable_locked(void)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fatal_signals); i++) {
        struct sigaction action = {.sa_handler = on_fatal_signal, .sa_flags = SA_NODEFER | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        if (sigaction(fatal_signals[i].number, &action, &fatal_signals[i].previous) < 0)
            return -1;
    }
    return 0;
}

static void disable_locked(void)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fatal_signals); i++)
        sigaction(fatal_signals[i].number, &fatal_signals[i].previous, NULL);
}

static pthread_key_t handler_stack;     /* what each thread has got, to be freed */
static pthread_once_t handler_stack_once = PTHREAD_ONCE_INIT;
static int handler_stack_failed;

/* The thread ends. */
static void free_handler_stack(void *memory)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    if (sigaltstack(&none, NULL) == 0)
        PyMem_RawFree(memory);
}

static void make_handler_stack_key(void) { handler_stack_failed = pthread_key_create(&handler_stack, free_handler_stack); }

/* A stack for handlers, in case that the thread's own has run out. The thread keeps it: it may be in a handler at any time. */
static int ensure_handler_stack(void)
{
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE))
        return 0;
    pthread_once(&handler_stack_once, make_handler_stack_key);
    stack = (stack_t){.ss_size = 64 * 1024, .ss_flags = 0};
    if (handler_stack_failed || (stack.ss_sp = PyMem_RawMalloc(stack.ss_size)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (sigaltstack(&stack, NULL) < 0)
        PyMem_RawFree(stack.ss_sp);
    else
        pthread_setspecific(handler_stack, stack.ss_sp);
    return 0;
}

static PyObject *faulthandler_enable(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "all_threads", NULL};
    PyObject *file = NULL, *keep;
    int all_threads = 1, failed = 0, error = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Op:enable", keywords, &file, &all_threads))
        return NULL;
    int fd = descriptor_get(file, &keep);
    if (fd < 0)
        return NULL;
    if (ensure_handler_stack() < 0) {
        Py_XDECREF(keep);
        return NULL;
    }
    PyMutex_Lock(&state_lock);
    PyObject *old = fatal.file;
    fatal.file = keep;
    fatal.fd = fd;
    fatal.all_threads = all_threads;
    if (!fatal.enabled) {
        failed = enable_locked() < 0;
        error = errno;
        __atomic_store_n(&fatal.enabled, !failed, __ATOMIC_RELAXED);
    }
    PyMutex_Unlock(&state_lock);
    Py_XDECREF(old);
    errno = error;
    return failed ? PyErr_SetFromErrno(PyExc_RuntimeError) : Py_NewRef(Py_None);
}

static PyObject *faulthandler_disable(PyObject *module, PyObject *unused)
{
    PyMutex_Lock(&state_lock);
    int was_enabled = fatal.enabled;
    PyObject *old = fatal.file;
    if (was_enabled)
        disable_locked();
    __atomic_store_n(&fatal.enabled, 0, __ATOMIC_RELAXED);
    fatal.file = NULL;
    PyMutex_Unlock(&state_lock);
    Py_XDECREF(old);
    return PyBool_FromLong(was_enabled);
}

static PyObject *faulthandler_is_enabled(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(__atomic_load_n(&fatal.enabled, __ATOMIC_RELAXED));
}

/* ---- Now ---- */

static PyObject *faulthandler_dump_traceback(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "all_threads", NULL};
    PyObject *file = NULL, *keep;
    int all_threads = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Op:dump_traceback", keywords, &file, &all_threads))
        return NULL;
    int fd = descriptor_get(file, &keep);
    if (fd < 0)
        return NULL;
    if (all_threads)
        traceback_dump_threads(fd, thread_current());
    else
        traceback_dump(fd, thread_current());
    Py_XDECREF(keep);
    Py_RETURN_NONE;
}

/* ---- Later ---- */

/* The thread that waits. It is none of the interpreter's: it neither attaches nor handles signals. */
struct watchdog {
    pthread_t thread;
    pid_t process;                      /* a fork leaves the thread behind */
    pthread_mutex_t mutex;
    pthread_cond_t cancelled_changed;
    int cancelled;                      /* [mutex] */
    int64_t interval_ns;
    int repeat, exit, fd;
    char header[64];
    PyObject *file;                     /* counted, or NULL */
};
static struct watchdog *watchdog;       /* [state_lock] */

/* 1: cancelled. */
static int watchdog_wait(struct watchdog *w, struct timespec *until)
{
    int64_t ns = until->tv_nsec + w->interval_ns % 1000000000;
    until->tv_sec += w->interval_ns / 1000000000 + ns / 1000000000;
    until->tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&w->mutex);
    int rc = 0;
    while (!w->cancelled && rc == 0)
        rc = pthread_cond_timedwait(&w->cancelled_changed, &w->mutex, until);
    int cancelled = w->cancelled;
    pthread_mutex_unlock(&w->mutex);
    return cancelled;
}

static void *watchdog_run(void *arg)
{
    struct watchdog *w = arg;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    do {
        if (watchdog_wait(w, &until))
            break;
        traceback_dump_text(w->fd, w->header);
        traceback_dump_threads(w->fd, NULL);
        if (w->exit)
            _exit(1);
    } while (w->repeat);
    return NULL;
}

/* Takes w over, which may be NULL; waits until its thread has ended.  Escapes (drops the file) */
static void watchdog_end(struct watchdog *w)
{
    if (w == NULL)
        return;
    if (w->process == getpid()) {
        pthread_mutex_lock(&w->mutex);
        w->cancelled = 1;
        pthread_cond_signal(&w->cancelled_changed);
        pthread_mutex_unlock(&w->mutex);
        Py_BEGIN_ALLOW_THREADS
        pthread_join(w->thread, NULL);
        Py_END_ALLOW_THREADS
        pthread_cond_destroy(&w->cancelled_changed);
        pthread_mutex_destroy(&w->mutex);
    }
    Py_XDECREF(w->file);
    PyMem_RawFree(w);
}

static struct watchdog *watchdog_replace(struct watchdog *w)
{
    PyMutex_Lock(&state_lock);
    struct watchdog *old = watchdog;
    watchdog = w;
    PyMutex_Unlock(&state_lock);
    return old;
}

/* 0, or -1 with an exception. */
static int watchdog_start(struct watchdog *w)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->cancelled_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    w->process = getpid();
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&w->thread, NULL, watchdog_run, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "unable to start watchdog thread");
    return -1;
}

static void format_header(char *header, size_t room, int64_t ns)
{
    long long us = ns / 1000, s = us / 1000000;
    int n = snprintf(header, room, "Timeout (%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    if (us % 1000000 != 0)
        n += snprintf(header + n, room - (size_t)n, ".%06lld", us % 1000000);
    snprintf(header + n, room - (size_t)n, ")!\n");
}

static PyObject *faulthandler_dump_traceback_later(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timeout", "repeat", "file", "exit", NULL};
    PyObject *timeout, *file = NULL, *keep;
    int repeat = 0, exit = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|iOi:dump_traceback_later", keywords, &timeout, &repeat, &file, &exit))
        return NULL;
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred())
        return NULL;
    if (!(seconds > 0)) {
        PyErr_SetString(PyExc_ValueError, seconds != seconds ? "Invalid value NaN (not a number)"
                                                             : "timeout must be greater than 0");
        return NULL;
    }
    if (seconds >= 9.2e9) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return NULL;
    }
    int fd = descriptor_get(file, &keep);
    if (fd < 0)
        return NULL;
    struct watchdog *w = PyMem_RawCalloc(1, sizeof *w);
    if (w == NULL) {
        Py_XDECREF(keep);
        return PyErr_NoMemory();
    }
    w->interval_ns = (int64_t)(seconds * 1e9);
    w->repeat = repeat;
    w->exit = exit;
    w->fd = fd;
    w->file = keep;
    format_header(w->header, sizeof w->header, w->interval_ns);
    watchdog_end(watchdog_replace(NULL));
    if (watchdog_start(w) < 0) {
        Py_XDECREF(keep);
        PyMem_RawFree(w);
        return NULL;
    }
    watchdog_end(watchdog_replace(w));
    Py_RETURN_NONE;
}

static PyObject *faulthandler_cancel_dump_traceback_later(PyObject *module, PyObject *unused)
{
    watchdog_end(watchdog_replace(NULL));
    Py_RETURN_NONE;
}

/* ---- On request ---- */

static struct user_signal {
    int enabled;                        /* [state_lock; handler] */
    int fd, all_threads, chain;         /* [state_lock; handler] */
    struct sigaction previous;          /* [state_lock; handler] */
    PyObject *file;                     /* [state_lock] counted, or NULL */
} user_signals[NSIG];

static void on_user_signal(int number);

static int user_signal_install(struct user_signal *user, int number, struct sigaction *previous)
{
    struct sigaction action = {.sa_handler = on_user_signal};
    sigemptyset(&action.sa_mask);
    /* Chained, the handler before runs while this one does; otherwise system calls go on as if nothing had happened. */
    action.sa_flags = SA_ONSTACK | (user->chain ? SA_NODEFER : SA_RESTART);
    return sigaction(number, &action, previous);
}

static void on_user_signal(int number)
{
    struct user_signal *user = &user_signals[number];
    int saved = errno;
    dump(__atomic_load_n(&user->fd, __ATOMIC_RELAXED), __atomic_load_n(&user->all_threads, __ATOMIC_RELAXED));
    if (__atomic_load_n(&user->chain, __ATOMIC_RELAXED)) {
        sigaction(number, &user->previous, NULL);
        errno = saved;
        raise(number);
        saved = errno;
        if (__atomic_load_n(&user->enabled, __ATOMIC_RELAXED))      /* the handler before may have called unregister() */
            user_signal_install(user, number, NULL);
    }
    errno = saved;
}

static int check_user_signal(int number)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fatal_signals); i++)
        if (fatal_signals[i].number == number) {
            PyErr_Format(PyExc_RuntimeError, "signal %i cannot be registered, use enable() instead", number);
            return -1;
        }
    if (number >= 1 && number < NSIG)
        return 0;
    PyErr_SetString(PyExc_ValueError, "signal number out of range");
    return -1;
}

static PyObject *faulthandler_register(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"signum", "file", "all_threads", "chain", NULL};
    PyObject *file = NULL, *keep;
    int number, all_threads = 1, chain = 0, failed = 0, error = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|Opp:register", keywords, &number, &file, &all_threads, &chain)
        || check_user_signal(number) < 0)
        return NULL;
    int fd = descriptor_get(file, &keep);
    if (fd < 0)
        return NULL;
    if (ensure_handler_stack() < 0) {
        Py_XDECREF(keep);
        return NULL;
    }
    struct user_signal *user = &user_signals[number];
    PyMutex_Lock(&state_lock);
    PyObject *old = user->file;
    user->file = keep;
    __atomic_store_n(&user->fd, fd, __ATOMIC_RELAXED);
    __atomic_store_n(&user->all_threads, all_threads, __ATOMIC_RELAXED);
    __atomic_store_n(&user->chain, chain, __ATOMIC_RELAXED);
    if (!user->enabled) {
        failed = user_signal_install(user, number, &user->previous) < 0;
        error = errno;
        __atomic_store_n(&user->enabled, !failed, __ATOMIC_RELAXED);
    }
    PyMutex_Unlock(&state_lock);
    Py_XDECREF(old);
    errno = error;
    return failed ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static PyObject *faulthandler_unregister(PyObject *module, PyObject *arg)
{
    int number = _PyLong_AsInt(arg);
    if ((number == -1 && PyErr_Occurred()) || check_user_signal(number) < 0)
        return NULL;
    struct user_signal *user = &user_signals[number];
    PyMutex_Lock(&state_lock);
    int was_enabled = user->enabled;
    PyObject *old = user->file;
    if (was_enabled)
        sigaction(number, &user->previous, NULL);
    __atomic_store_n(&user->enabled, 0, __ATOMIC_RELAXED);
    user->file = NULL;
    PyMutex_Unlock(&state_lock);
    Py_XDECREF(old);
    return PyBool_FromLong(was_enabled);
}

/* ---- Faults on purpose, for tests ---- */

static PyObject *faulthandler_read_null(PyObject *module, PyObject *unused)
{
    static volatile int *volatile nowhere;
    return PyLong_FromLong(*nowhere);
}

static void fall(int number)
{
    for (int i = 0; i < 2; i++)
        raise(number);
}

static PyObject *faulthandler_sigsegv(PyObject *module, PyObject *args)
{
    int detached = 0;
    if (!PyArg_ParseTuple(args, "|i:_sigsegv", &detached))
        return NULL;
    if (detached) {
        Py_BEGIN_ALLOW_THREADS
        fall(SIGSEGV);
        Py_END_ALLOW_THREADS
    }
    else
        fall(SIGSEGV);
    Py_RETURN_NONE;
}

static PyObject *faulthandler_sigabrt(PyObject *module, PyObject *unused) { abort(); }

static PyObject *faulthandler_sigfpe(PyObject *module, PyObject *unused)
{
    fall(SIGFPE);
    Py_RETURN_NONE;
}

static void *fail_in_thread(void *arg)
{
    traceback_dump_fatal_error("faulthandler_fatal_error_thread", "in new thread");
}

static PyObject *faulthandler_fatal_error_c_thread(PyObject *module, PyObject *unused)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, fail_in_thread, NULL);
    if (rc != 0) {
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_join(thread, NULL);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static __attribute__((noinline)) int descend(volatile char *above)
{
    volatile char block[4096];
    block[0] = *above;
    return descend(block) + block[0];
}
#pragma GCC diagnostic pop

static PyObject *faulthandler_stack_overflow(PyObject *module, PyObject *unused)
{
    volatile char start = 1;
    return PyLong_FromLong(descend(&start));
}

/* ---- The module ---- */

static PyMethodDef faulthandler_methods[] = {
    MODULE_METHOD("enable", faulthandler_enable, METH_VARARGS | METH_KEYWORDS,
                  "enable(file=sys.stderr, all_threads=True): writes a traceback when a fatal signal arrives."),
    {"disable", faulthandler_disable, METH_NOARGS, "disable(): undoes enable(); was it enabled?"},
    {"is_enabled", faulthandler_is_enabled, METH_NOARGS, "is_enabled(): has enable() been called?"},
    MODULE_METHOD("dump_traceback", faulthandler_dump_traceback, METH_VARARGS | METH_KEYWORDS,
                  "dump_traceback(file=sys.stderr, all_threads=True): writes the traceback of this or of all threads."),
    MODULE_METHOD("dump_traceback_later", faulthandler_dump_traceback_later, METH_VARARGS | METH_KEYWORDS,
                  "dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False):\n"
                  "writes the tracebacks of all threads after timeout seconds, or every timeout seconds."),
    {"cancel_dump_traceback_later", faulthandler_cancel_dump_traceback_later, METH_NOARGS,
     "cancel_dump_traceback_later(): undoes dump_traceback_later()."},
    MODULE_METHOD("register", faulthandler_register, METH_VARARGS | METH_KEYWORDS,
                  "register(signum, file=sys.stderr, all_threads=True, chain=False):\n"
                  "writes a traceback when the signal arrives; then calls the handler before, if chain is true."),
    {"unregister", faulthandler_unregister, METH_O, "unregister(signum): undoes register(); was it registered?"},
    {"_read_null", faulthandler_read_null, METH_NOARGS, "_read_null(): reads from address 0."},
    {"_sigsegv", faulthandler_sigsegv, METH_VARARGS, "_sigsegv(detached=False): raises SIGSEGV."},
    {"_sigabrt", faulthandler_sigabrt, METH_NOARGS, "_sigabrt(): raises SIGABRT."},
    {"_sigfpe", faulthandler_sigfpe, METH_NOARGS, "_sigfpe(): raises SIGFPE."},
    {"_fatal_error_c_thread", faulthandler_fatal_error_c_thread, METH_NOARGS,
     "_fatal_error_c_thread(): a fatal error in a thread that the interpreter does not know."},
    {"_stack_overflow", faulthandler_stack_overflow, METH_NOARGS, "_stack_overflow(): recursion in C without end."},
    {NULL},
};

static PyModuleDef_Slot faulthandler_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef faulthandler_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "faulthandler",
    .m_doc = "Tracebacks when the process is about to die, hangs, or is asked by a signal.",
    .m_methods = faulthandler_methods,
    .m_slots = faulthandler_slots,
};

PyMODINIT_FUNC PyInit_faulthandler(void)
{
    return PyModuleDef_Init(&faulthandler_module);
}
