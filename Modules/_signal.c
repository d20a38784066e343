/* The _signal module: Python functions as signal handlers. A signal is only noted when it arrives; the main thread
 * runs its handler at its next safe point (PyErr_CheckSignals). */
#include "module.h"
#include "deadlock.h"
#include "fork_mutex.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "structseq.h"

/* Of the interpreter's core (thread_state.h). */
void pending_set_signal(void);
int thread_is_main(void);

static struct {
    atomic_int tripped;             /* set by the C handler */
    PyObject *func;                 /* [lock] SIG_DFL, SIG_IGN, a callable, or NULL: not set from Python */
} handlers[NSIG];
static atomic_int any_tripped;
static PyMutex handlers_lock;
FORK_MUTEX(handlers_lock)
static atomic_int wakeup_fd = -1;
static atomic_int wakeup_warn = 1;
static PyObject *default_handler, *ignore_handler, *int_handler;    /* [const after the module is made] */
static PyObject *itimer_error;

/* ---- arrival ---- */

static atomic_int wakeup_error;         /* errno of a write to wakeup_fd that failed, for the main thread to report; 0: none */

static void report_wakeup_error(int error)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    errno = error;
    PyErr_SetFromErrno(PyExc_OSError);
    PySys_WriteStderr("Exception ignored when trying to write to the signal wakeup fd:\n");
    PyErr_WriteUnraisable(NULL);
    PyErr_Restore(type, value, traceback);
}

/* Async-signal-safe. */
static void trip(int signum)
{
    atomic_store(&handlers[signum].tripped, 1);
    atomic_store(&any_tripped, 1);
    pending_set_signal();
    int fd = atomic_load(&wakeup_fd);
    if (fd != -1) {
        unsigned char byte = (unsigned char)signum;
        if (write(fd, &byte, 1) < 0) {
            int warn = atomic_load(&wakeup_warn);
            if (warn || (errno != EAGAIN && errno != EWOULDBLOCK)) {
                atomic_store(&wakeup_error, errno);
                atomic_store(&any_tripped, 1);      /* again: the main thread may have looked meanwhile */
                pending_set_signal();
            }
        }
    }
}

static void on_signal(int signum)
{
    int saved = errno;
    trip(signum);
    errno = saved;
}

static PyObject *handler_get(int signum)
{
    PyMutex_Lock(&handlers_lock);
    PyObject *func = handlers[signum].func;
    Py_XINCREF(func);
    PyMutex_Unlock(&handlers_lock);
    return func;
}

/* Returns the one before (a reference). */
static PyObject *handler_set(int signum, PyObject *func)
{
    object_publish(func);
    Py_INCREF(func);
    PyMutex_Lock(&handlers_lock);
    PyObject *old = handlers[signum].func;
    handlers[signum].func = func;
    PyMutex_Unlock(&handlers_lock);
    return old;
}

static int run_handler(int signum)
{
    PyObject *func = handler_get(signum);
    if (func == NULL || func == Py_None || func == default_handler || func == ignore_handler) {
        /* Changed between arrival and now by another handler: nothing sensible is left to call. */
        Py_XDECREF(func);
        return 0;
    }
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(PyThreadState_Get());
    PyObject *result = PyObject_CallFunction(func, "iO", signum, frame != NULL ? frame : Py_None);
    Py_XDECREF(frame);
    Py_DECREF(func);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int PyErr_CheckSignals(void)
{
    if (!atomic_load_explicit(&any_tripped, memory_order_relaxed) || !thread_is_main())
        return 0;
    atomic_store(&any_tripped, 0);
    int error = atomic_exchange(&wakeup_error, 0);
    if (error != 0)
        report_wakeup_error(error);
    for (int i = 1; i < NSIG; i++) {
        if (!atomic_exchange(&handlers[i].tripped, 0))
            continue;
        if (run_handler(i) < 0) {
            /* The rest waits for the next safe point. */
            atomic_store(&any_tripped, 1);
            pending_set_signal();
            return -1;
        }
    }
    return 0;
}

int signal_has_python_handlers(void)
{
    int found = 0;
    PyMutex_Lock(&handlers_lock);
    for (int i = 1; i < NSIG; i++) {
        PyObject *func = handlers[i].func;
        found |= func != NULL && func != Py_None && func != default_handler && func != ignore_handler && func != int_handler;
    }
    PyMutex_Unlock(&handlers_lock);
    return found;
}

int PyErr_SetInterruptEx(int signum)
{
    if (signum < 1 || signum >= NSIG)
        return -1;
    PyObject *func = handler_get(signum);
    if (func != NULL && func != default_handler && func != ignore_handler && func != Py_None)
        trip(signum);
    Py_XDECREF(func);
    return 0;
}

void PyErr_SetInterrupt(void) { PyErr_SetInterruptEx(SIGINT); }

int PyOS_InterruptOccurred(void)
{
    return thread_is_main() && atomic_exchange(&handlers[SIGINT].tripped, 0);
}

int PySignal_SetWakeupFd(int fd) { return atomic_exchange(&wakeup_fd, fd < 0 ? -1 : fd); }

/* ---- handlers ---- */

static int check_signum(int signum)
{
    if (signum >= 1 && signum < NSIG)
        return 0;
    PyErr_SetString(PyExc_ValueError, "signal number out of range");
    return -1;
}

static PyObject *signal_default_int_handler(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

static int install(int signum, void (*func)(int))
{
    struct sigaction action = {.sa_handler = func};
    sigemptyset(&action.sa_mask);
    /* No SA_RESTART: blocking calls return EINTR, run the handlers, and go on. */
    action.sa_flags = func == on_signal ? SA_ONSTACK : 0;
    return sigaction(signum, &action, NULL);
}

static PyObject *signal_signal(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "signal expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    int signum = _PyLong_AsInt(args[0]);
    if (signum == -1 && PyErr_Occurred())
        return NULL;
    if (!thread_is_main()) {
        PyErr_SetString(PyExc_ValueError, "signal only works in main thread of the main interpreter");
        return NULL;
    }
    if (check_signum(signum) < 0)
        return NULL;
    PyObject *func = args[1];
    void (*native)(int);
    int is_default = PyObject_RichCompareBool(func, default_handler, Py_EQ);
    int is_ignore = PyObject_RichCompareBool(func, ignore_handler, Py_EQ);
    if (PyCallable_Check(func)) {
        native = on_signal;
        PyErr_Clear();
    }
    else if (is_default < 0 || is_ignore < 0) {
        return NULL;
    }
    else if (is_ignore) {
        native = SIG_IGN;
        func = ignore_handler;
    }
    else if (is_default) {
        native = SIG_DFL;
        func = default_handler;
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
        return NULL;
    }
    if (PyErr_CheckSignals() < 0)
        return NULL;
    if (install(signum, native) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *old = handler_set(signum, func);
    return old != NULL ? old : Py_NewRef(Py_None);
}

static PyObject *signal_getsignal(PyObject *module, PyObject *arg)
{
    int signum = _PyLong_AsInt(arg);
    if ((signum == -1 && PyErr_Occurred()) || check_signum(signum) < 0)
        return NULL;
    PyObject *func = handler_get(signum);
    return func != NULL ? func : Py_NewRef(Py_None);
}

static PyObject *signal_siginterrupt(PyObject *module, PyObject *args)
{
    int signum, flag;
    if (!PyArg_ParseTuple(args, "ii:siginterrupt", &signum, &flag) || check_signum(signum) < 0)
        return NULL;
    struct sigaction action;
    if (sigaction(signum, NULL, &action) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    action.sa_flags = flag ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    if (sigaction(signum, &action, NULL) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *signal_set_wakeup_fd(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "warn_on_full_buffer", NULL};
    int fd, warn = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|$p:set_wakeup_fd", names, &fd, &warn))
        return NULL;
    if (!thread_is_main()) {
        PyErr_SetString(PyExc_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
        return NULL;
    }
    if (fd != -1) {
        int blocking = -1;
        if (fd < 0 || fcntl(fd, F_GETFL) < 0) {
            if (fd < 0)
                errno = EBADF;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        blocking = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
        if (blocking) {
            PyErr_Format(PyExc_ValueError, "the fd %i must be in non-blocking mode", fd);
            return NULL;
        }
    }
    atomic_store(&wakeup_warn, warn);
    return PyLong_FromLong(atomic_exchange(&wakeup_fd, fd));
}

static PyObject *signal_alarm(PyObject *module, PyObject *arg)
{
    int seconds = _PyLong_AsInt(arg);
    if (seconds == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong((long)alarm((unsigned)seconds));
}

static PyObject *signal_pause(PyObject *module, PyObject *unused)
{
    Py_BEGIN_ALLOW_THREADS
    (void)pause();
    Py_END_ALLOW_THREADS
    if (PyErr_CheckSignals() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *signal_raise_signal(PyObject *module, PyObject *arg)
{
    int signum = _PyLong_AsInt(arg);
    if (signum == -1 && PyErr_Occurred())
        return NULL;
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = raise(signum);
    Py_END_ALLOW_THREADS
    if (rc != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (PyErr_CheckSignals() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *signal_strsignal(PyObject *module, PyObject *arg)
{
    int signum = _PyLong_AsInt(arg);
    if ((signum == -1 && PyErr_Occurred()) || check_signum(signum) < 0)
        return NULL;
    errno = 0;
    const char *text = strsignal(signum);
    if (errno || text == NULL || strstr(text, "Unknown signal") != NULL)
        Py_RETURN_NONE;
    return PyUnicode_FromString(text);
}

static PyObject *signal_pthread_kill(PyObject *module, PyObject *args)
{
    unsigned long thread;
    int signum;
    if (!PyArg_ParseTuple(args, "ki:pthread_kill", &thread, &signum))
        return NULL;
    if (PySys_Audit("signal.pthread_kill", "ki", thread, signum) < 0)
        return NULL;
    int error = pthread_kill((pthread_t)thread, signum);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals() < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *signal_pidfd_send_signal(PyObject *module, PyObject *args)
{
    int pidfd, signum;
    unsigned flags = 0;
    PyObject *info = Py_None;
    if (!PyArg_ParseTuple(args, "ii|OI:pidfd_send_signal", &pidfd, &signum, &info, &flags))
        return NULL;
    if (info != Py_None) {
        PyErr_SetString(PyExc_TypeError, "siginfo must be None");
        return NULL;
    }
    if (syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, flags) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

/* ---- sets ---- */

static int sigset_get(PyObject *iterable, sigset_t *set)
{
    sigemptyset(set);
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL)
        return -1;
    int result = 0;
    while (result == 0 && (item = PyIter_Next(iterator)) != NULL) {
        int overflow;
        long signum = PyLong_AsLongAndOverflow(item, &overflow);
        Py_DECREF(item);
        if (signum == -1 && PyErr_Occurred())
            result = -1;
        else if (overflow || signum <= 0 || signum >= NSIG) {
            if (overflow)
                PyErr_Format(PyExc_ValueError, "signal number out of range [1; %i]", NSIG - 1);
            else
                PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", signum, NSIG - 1);
            result = -1;
        }
        else
            sigaddset(set, (int)signum);        /* those the C library keeps for itself are left out silently */
    }
    Py_DECREF(iterator);
    return result == 0 && PyErr_Occurred() ? -1 : result;
}

static PyObject *sigset_make(sigset_t *set)
{
    PyObject *result = PySet_New(NULL);
    for (int i = 1; result != NULL && i < NSIG; i++) {
        if (sigismember(set, i) != 1)
            continue;
        PyObject *number = PyLong_FromLong(i);
        if (number == NULL || PySet_Add(result, number) < 0)
            Py_CLEAR(result);
        Py_XDECREF(number);
    }
    return result;
}

static PyObject *signal_pthread_sigmask(PyObject *module, PyObject *args)
{
    int how;
    PyObject *mask;
    sigset_t set, old;
    if (!PyArg_ParseTuple(args, "iO:pthread_sigmask", &how, &mask) || sigset_get(mask, &set) < 0)
        return NULL;
    int error = pthread_sigmask(how, &set, &old);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals() < 0)
        return NULL;
    return sigset_make(&old);
}

static PyObject *signal_sigpending(PyObject *module, PyObject *unused)
{
    sigset_t set;
    return sigpending(&set) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : sigset_make(&set);
}

static PyObject *signal_valid_signals(PyObject *module, PyObject *unused)
{
    sigset_t set;
    sigfillset(&set);
    return sigset_make(&set);
}

static PyObject *signal_sigwait(PyObject *module, PyObject *arg)
{
    sigset_t set;
    int signum, error;
    if (sigset_get(arg, &set) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    error = sigwait(&set, &signum);
    Py_END_ALLOW_THREADS
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(signum);
}

static PyStructSequence_Field siginfo_fields[] = {
    {"si_signo", "signal number"}, {"si_code", "signal code"}, {"si_errno", "errno of the signal"},
    {"si_pid", "sending process"}, {"si_uid", "user of the sending process"}, {"si_status", "exit value or signal"},
    {"si_band", "band event of SIGPOLL"}, {NULL, NULL},
};
static PyStructSequence_Desc siginfo_desc = {
    "signal.struct_siginfo", "What sigwaitinfo() and sigtimedwait() found.", siginfo_fields, 7};
static PyTypeObject *siginfo_type;

static PyObject *siginfo_make(siginfo_t *info)
{
    PyObject *result = PyStructSequence_New(siginfo_type);
    if (result == NULL)
        return NULL;
    long values[] = {info->si_signo, info->si_code, info->si_errno, info->si_pid, info->si_uid, info->si_status,
                     info->si_band};
    for (int i = 0; i < 7; i++)
        PyStructSequence_SET_ITEM(result, i, i == 4 ? PyLong_FromUnsignedLong(info->si_uid) : PyLong_FromLong(values[i]));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* timeout_ns < 0: for ever. */
static PyObject *wait_info(sigset_t *set, int64_t timeout_ns)
{
    int64_t end = timeout_ns >= 0 ? now_ns() + timeout_ns : -1;
    for (;;) {
        siginfo_t info;
        int rc;
        struct timespec left = {timeout_ns / 1000000000, timeout_ns % 1000000000};
        Py_BEGIN_ALLOW_THREADS
        rc = timeout_ns >= 0 ? sigtimedwait(set, &info, &left) : sigwaitinfo(set, &info);
        Py_END_ALLOW_THREADS
        if (rc >= 0)
            return siginfo_make(&info);
        if (errno == EAGAIN)
            Py_RETURN_NONE;
        if (errno != EINTR)
            return PyErr_SetFromErrno(PyExc_OSError);
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if (end >= 0) {
            timeout_ns = end - now_ns();
            if (timeout_ns < 0)
                Py_RETURN_NONE;
        }
    }
}

static PyObject *signal_sigwaitinfo(PyObject *module, PyObject *arg)
{
    sigset_t set;
    return sigset_get(arg, &set) < 0 ? NULL : wait_info(&set, -1);
}

static PyObject *signal_sigtimedwait(PyObject *module, PyObject *args)
{
    PyObject *arg;
    double timeout;
    sigset_t set;
    if (!PyArg_ParseTuple(args, "Od:sigtimedwait", &arg, &timeout))
        return NULL;
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    if (!(timeout < 9e9)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return NULL;
    }
    return sigset_get(arg, &set) < 0 ? NULL : wait_info(&set, (int64_t)(timeout * 1e9 + 0.5));
}

/* ---- interval timers ---- */

static int timeval_get(PyObject *arg, struct timeval *tv)
{
    double value = PyFloat_AsDouble(arg);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    if (!(value < 9e18 && value > -9e18)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    tv->tv_sec = (time_t)value;
    double micro = (value - (double)tv->tv_sec) * 1e6;
    tv->tv_usec = (suseconds_t)micro;
    if ((double)tv->tv_usec < micro)
        tv->tv_usec++;
    if (tv->tv_usec >= 1000000) {
        tv->tv_usec -= 1000000;
        tv->tv_sec++;
    }
    return 0;
}

static PyObject *itimer_make(struct itimerval *timer)
{
    return Py_BuildValue("(dd)", timer->it_value.tv_sec + timer->it_value.tv_usec * 1e-6,
                         timer->it_interval.tv_sec + timer->it_interval.tv_usec * 1e-6);
}

static PyObject *signal_setitimer(PyObject *module, PyObject *args)
{
    int which;
    PyObject *seconds, *interval = NULL;
    struct itimerval timer = {0}, old;
    if (!PyArg_ParseTuple(args, "iO|O:setitimer", &which, &seconds, &interval))
        return NULL;
    if (timeval_get(seconds, &timer.it_value) < 0)
        return NULL;
    if (interval != NULL && timeval_get(interval, &timer.it_interval) < 0)
        return NULL;
    if (setitimer(which, &timer, &old) != 0)
        return PyErr_SetFromErrno(itimer_error);
    return itimer_make(&old);
}

static PyObject *signal_getitimer(PyObject *module, PyObject *arg)
{
    int which = _PyLong_AsInt(arg);
    if (which == -1 && PyErr_Occurred())
        return NULL;
    struct itimerval timer;
    if (getitimer(which, &timer) != 0)
        return PyErr_SetFromErrno(itimer_error);
    return itimer_make(&timer);
}

/* ---- the module ---- */

static PyMethodDef signal_methods[] = {
    MODULE_METHOD("default_int_handler", signal_default_int_handler, METH_FASTCALL,
                  "default_int_handler($module, signalnum, frame, /)\n--\n\nRaises KeyboardInterrupt."),
    MODULE_METHOD("signal", signal_signal, METH_FASTCALL,
                  "signal($module, signalnum, handler, /)\n--\n\nSets the handler of a signal; returns the one before."),
    {"getsignal", signal_getsignal, METH_O,
     "getsignal($module, signalnum, /)\n--\n\nThe handler of a signal, or None if it was not set from Python."},
    {"siginterrupt", signal_siginterrupt, METH_VARARGS,
     "siginterrupt($module, signalnum, flag, /)\n--\n\nWill the signal interrupt system calls?"},
    MODULE_METHOD("set_wakeup_fd", signal_set_wakeup_fd, METH_VARARGS | METH_KEYWORDS,
                  "Sets the descriptor that gets a byte for each signal; returns the one before."),
    {"alarm", signal_alarm, METH_O, "alarm($module, seconds, /)\n--\n\nAsks for SIGALRM after some seconds."},
    {"pause", signal_pause, METH_NOARGS, "pause($module, /)\n--\n\nWaits for a signal."},
    {"raise_signal", signal_raise_signal, METH_O, "raise_signal($module, signalnum, /)\n--\n\nSends this process a signal."},
    {"strsignal", signal_strsignal, METH_O, "strsignal($module, signalnum, /)\n--\n\nThe system's text for a signal."},
    {"pthread_kill", signal_pthread_kill, METH_VARARGS,
     "pthread_kill($module, thread_id, signalnum, /)\n--\n\nSends a signal to a thread."},
    {"pidfd_send_signal", signal_pidfd_send_signal, METH_VARARGS,
     "pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)\n--\n\nSends a signal to a process by descriptor."},
    {"pthread_sigmask", signal_pthread_sigmask, METH_VARARGS,
     "pthread_sigmask($module, how, mask, /)\n--\n\nChanges the signals blocked in this thread; returns the set before."},
    {"sigpending", signal_sigpending, METH_NOARGS, "sigpending($module, /)\n--\n\nThe signals that wait for delivery."},
    {"valid_signals", signal_valid_signals, METH_NOARGS, "valid_signals($module, /)\n--\n\nAll signal numbers."},
    {"sigwait", signal_sigwait, METH_O, "sigwait($module, sigset, /)\n--\n\nWaits for one of the signals; returns it."},
    {"sigwaitinfo", signal_sigwaitinfo, METH_O,
     "sigwaitinfo($module, sigset, /)\n--\n\nWaits for one of the signals; returns what is known of it."},
    {"sigtimedwait", signal_sigtimedwait, METH_VARARGS,
     "sigtimedwait($module, sigset, timeout, /)\n--\n\nsigwaitinfo() for a limited time; None when it is over."},
    {"setitimer", signal_setitimer, METH_VARARGS,
     "setitimer($module, which, seconds, interval=0.0, /)\n--\n\nStarts an interval timer; returns the setting before."},
    {"getitimer", signal_getitimer, METH_O, "getitimer($module, which, /)\n--\n\nThe setting of an interval timer."},
    {NULL},
};

static const struct { const char *name; int value; } signal_constants[] = {
#define INT(name) {#name, name},
    INT(SIGHUP) INT(SIGINT) INT(SIGQUIT) INT(SIGILL) INT(SIGTRAP) INT(SIGIOT) INT(SIGABRT) INT(SIGFPE) INT(SIGKILL)
    INT(SIGBUS) INT(SIGSEGV) INT(SIGSYS) INT(SIGPIPE) INT(SIGALRM) INT(SIGTERM) INT(SIGUSR1) INT(SIGUSR2)
    INT(SIGCLD) INT(SIGCHLD) INT(SIGPWR) INT(SIGIO) INT(SIGURG) INT(SIGWINCH) INT(SIGPOLL) INT(SIGSTOP) INT(SIGTSTP)
    INT(SIGCONT) INT(SIGTTIN) INT(SIGTTOU) INT(SIGVTALRM) INT(SIGPROF) INT(SIGXCPU) INT(SIGXFSZ) INT(SIGSTKFLT)
    INT(SIG_BLOCK) INT(SIG_UNBLOCK) INT(SIG_SETMASK) INT(ITIMER_REAL) INT(ITIMER_VIRTUAL) INT(ITIMER_PROF) INT(NSIG)
    {"SIG_DFL", 0}, {"SIG_IGN", 1},
#undef INT
};

/* Handlers that were there before us are known as SIG_DFL, SIG_IGN or None; SIGINT gets ours if it was the default. */
static int note_handlers(void)
{
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        PyObject *func = Py_None;
        if (sigaction(i, NULL, &action) == 0) {
            if (action.sa_handler == SIG_DFL)
                func = default_handler;
            else if (action.sa_handler == SIG_IGN)
                func = ignore_handler;
        }
        if (sigaction(i, NULL, &action) == 0 && handlers[i].func == NULL)
            handlers[i].func = Py_NewRef(func);
    }
    if (handlers[SIGINT].func == default_handler) {
        Py_XDECREF(handler_set(SIGINT, int_handler));
        if (install(SIGINT, on_signal) < 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
    }
    return 0;
}

/* In the child of a fork: what has come before was for the parent, whose handlers it calls. */
static void forget_signals(void)
{
    atomic_store(&any_tripped, 0);
    atomic_store(&wakeup_error, 0);
    for (int i = 1; i < NSIG; i++)
        atomic_store(&handlers[i].tripped, 0);
}

static int signal_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(signal_constants); i++)
        if (PyModule_AddIntConstant(module, signal_constants[i].name, signal_constants[i].value) < 0)
            return -1;
    if (PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0
        || PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0)
        return -1;
    if (default_handler == NULL) {
        if (pthread_atfork(NULL, NULL, forget_signals) != 0) {
            PyErr_SetString(PyExc_RuntimeError, "_signal cannot register its fork handler");
            return -1;
        }
        default_handler = PyLong_FromLong(0);
        ignore_handler = PyLong_FromLong(1);
        itimer_error = PyErr_NewException("signal.itimer_error", PyExc_OSError, NULL);
        siginfo_type = PyStructSequence_NewType(&siginfo_desc);
        int_handler = PyObject_GetAttrString(module, "default_int_handler");
        if (itimer_error == NULL || siginfo_type == NULL || int_handler == NULL || note_handlers() < 0)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "ItimerError", itimer_error) < 0
        || PyModule_AddObjectRef(module, "default_int_handler", int_handler) < 0
        || PyModule_AddObjectRef(module, "struct_siginfo", (PyObject *)siginfo_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot signal_slots[] = {
    {Py_mod_exec, (void *)signal_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef signal_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_signal",
    .m_doc = "Signals and their handlers.",
    .m_methods = signal_methods,
    .m_slots = signal_slots,
};

PyMODINIT_FUNC PyInit__signal(void)
{
    return PyModuleDef_Init(&signal_module);
}
