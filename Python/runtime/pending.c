/* Calls that any thread, or a signal handler's C code, leaves for the main thread. */
#include "interpreter.h"
#include "lock.h"
#include "atomics.h"

#define CAPACITY Py_ARRAY_LENGTH(runtime_interp.pending.calls)

void pending_set_signal(void)
{
    PyThreadState *ts = atomic_load_acquire_ptr(&runtime_interp.main_thread);
    if (ts != NULL)
        thread_set_breaker(ts, BREAKER_SIGNALS);
}

int Py_AddPendingCall(int (*func)(void *), void *arg)
{
    int result = -1;
    mutex_lock_timed(&runtime_interp.pending.mutex, -1, 0);     /* the caller may have no thread state */
    if (runtime_interp.pending.count < CAPACITY) {
        unsigned i = (runtime_interp.pending.first + runtime_interp.pending.count) % CAPACITY;
        runtime_interp.pending.calls[i] = (struct pending_call){func, arg};
        runtime_interp.pending.count++;         /* the last: a fork may find a thread without a state here */
        result = 0;
    }
    PyMutex_Unlock(&runtime_interp.pending.mutex);
    PyThreadState *main_thread = atomic_load_acquire_ptr(&runtime_interp.main_thread);
    if (main_thread != NULL)
        thread_set_breaker(main_thread, BREAKER_PENDING);
    return result;
}

static int take(struct pending_call *call)
{
    int found = 0;
    mutex_lock_timed(&runtime_interp.pending.mutex, -1, 0);
    if (runtime_interp.pending.count > 0) {
        *call = runtime_interp.pending.calls[runtime_interp.pending.first];
        runtime_interp.pending.first = (runtime_interp.pending.first + 1) % CAPACITY;
        runtime_interp.pending.count--;
        found = 1;
    }
    PyMutex_Unlock(&runtime_interp.pending.mutex);
    return found;
}

int pending_run(PyThreadState *ts)
{
    if (runtime_interp.pending.running)
        return 0;
    runtime_interp.pending.running = 1;
    int result = 0;
    struct pending_call call;
    /* Calls added by calls wait for the next time. */
    unsigned i = 0;
    for (; i < CAPACITY && result == 0 && take(&call); i++)
        result = call.func(call.arg);
    runtime_interp.pending.running = 0;
    if (result != 0 || i == CAPACITY)       /* a safe point within a call has cleared the bit */
        thread_set_breaker(ts, BREAKER_PENDING);
    return result != 0 ? -1 : 0;
}

int Py_MakePendingCalls(void)
{
    if (!thread_is_main())
        return 0;
    if (PyErr_CheckSignals() < 0)
        return -1;
    return pending_run(thread_current());
}

void pending_after_fork(void)
{
    mutex_reset(&runtime_interp.pending.mutex);
    runtime_interp.pending.running = 0;
    if (runtime_interp.pending.count > 0)       /* the main thread may be another one now */
        thread_set_breaker(runtime_interp.main_thread, BREAKER_PENDING);
}
