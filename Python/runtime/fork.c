/* fork: the child has one thread, and every lock of the interpreter is in a known state (2.7). */
#include "fork_mutex.h"
#include "block_trace.h"
#include "gil.h"
#include "importer.h"
#include "interpreter.h"
#include "lock.h"
#include "memory.h"
#include "atomics.h"
#include "stop_world.h"
#include "type.h"

#define MAX_MUTEXES 128

static PyMutex *mutexes[MAX_MUTEXES];
static uint32_t mutex_count;            /* [atomic] */

void fork_register_mutex(PyMutex *m)
{
    uint32_t n = atomic_load_relaxed_u32(&mutex_count);
    for (uint32_t i = 0; i < n && i < MAX_MUTEXES; i++)
        if (atomic_load_acquire_ptr(&mutexes[i]) == m)
            return;
    uint32_t i = atomic_fetch_add_u32(&mutex_count, 1);
    if (i < MAX_MUTEXES)
        atomic_store_release_ptr(&mutexes[i], m);
}

void fork_prepare(PyThreadState *ts)
{
    types_lock();           /* the child would go on in the middle of another thread's change */
    stop_world_begin(ts);
    thread_list_lock();
    block_trace_before_fork();
}

void fork_parent(PyThreadState *ts)
{
    block_trace_after_fork();
    thread_list_unlock();
    stop_world_end(ts);
    types_unlock();
}

void fork_child(PyThreadState *ts)
{
    block_trace_after_fork();
    parking_lot_after_fork();
    stop_world_after_fork();
    thread_list_after_fork(ts);
    slots_after_fork(ts->slot);
    gil_after_fork(ts);
    for (uint32_t i = 0; i < mutex_count && i < MAX_MUTEXES; i++)
        if (mutexes[i] != NULL)
            mutex_reset(mutexes[i]);
    types_after_fork();
    pending_after_fork();
#ifdef Py_GIL_DISABLED
    /* One thread, stopped nowhere. Sections that are locked know it. */
    atomic_store_relaxed_int(&runtime_multi, 0);
#endif
    memory_after_fork(ts);
}

/* Calls the functions of a list; errors are reported, not raised. */
static void run_hooks(PyObject **field, int backwards)
{
    PyObject *list = interpreter_get(field);
    if (list == NULL)
        return;
    PyObject *items = PySequence_Tuple(list);
    Py_DECREF(list);
    if (items == NULL) {
        PyErr_WriteUnraisable(NULL);
        return;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *func = PyTuple_GET_ITEM(items, backwards ? n - 1 - i : i);
        PyObject *result = PyObject_CallNoArgs(func);
        if (result == NULL)
            PyErr_WriteUnraisable(func);
        Py_XDECREF(result);
    }
    Py_DECREF(items);
}

void PyOS_BeforeFork(void)
{
    run_hooks(&runtime_interp.before_forkers, 1);
    import_lock_before_fork();
    fork_prepare(PyThreadState_Get());
}

void PyOS_AfterFork_Parent(void)
{
    fork_parent(PyThreadState_Get());
    import_lock_after_fork();
    run_hooks(&runtime_interp.after_forkers_parent, 0);
}

void PyOS_AfterFork_Child(void)
{
    fork_child(PyThreadState_Get());
    import_lock_after_fork();
    run_hooks(&runtime_interp.after_forkers_child, 0);
}

void PyOS_AfterFork(void) { PyOS_AfterFork_Child(); }
