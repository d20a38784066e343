/* _testcapi: threads made by C code, sub-interpreters, signals in time, tracing in C.
 *
 * There is at most one temporary thread; `temporary` is under its mutex. */
#include "testcapi.h"
#include <signal.h>

/* ---- A thread that Python does not know ---- */

typedef struct {
    PyThread_type_lock started, finished;       /* each held until that has happened */
    PyObject *callback;
} temporary_t;

static PyMutex temporary_mutex;
static temporary_t temporary;

static void temporary_main(void *argument)
{
    temporary_t *self = argument;
    PyThread_release_lock(self->started);
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *result = PyObject_CallNoArgs(self->callback);
    if (result == NULL)
        PyErr_Print();
    Py_XDECREF(result);
    Py_CLEAR(self->callback);
    PyGILState_Release(state);
    PyThread_release_lock(self->finished);
}

static void free_locks(temporary_t *self)
{
    if (self->started != NULL)
        PyThread_free_lock(self->started);
    if (self->finished != NULL)
        PyThread_free_lock(self->finished);
    self->started = self->finished = NULL;
}

/* Waits until the temporary thread has finished. The caller holds the mutex. */
static void join_temporary_locked(void)
{
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(temporary.finished, WAIT_LOCK);
    Py_END_ALLOW_THREADS
    PyThread_release_lock(temporary.finished);
    free_locks(&temporary);
}

/* call_in_temporary_c_thread(callback, wait=True) */
static PyObject *testcapi_call_in_thread(PyObject *module, PyObject *args)
{
    PyObject *callback, *result = NULL;
    int wait = 1;
    if (!PyArg_ParseTuple(args, "O|i", &callback, &wait))
        return NULL;
    PyMutex_Lock(&temporary_mutex);
    if (temporary.finished != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "test bug: temporary thread already active");
        goto done;
    }
    temporary.started = PyThread_allocate_lock();
    temporary.finished = PyThread_allocate_lock();
    if (temporary.started == NULL || temporary.finished == NULL) {
        free_locks(&temporary);
        PyErr_NoMemory();
        goto done;
    }
    temporary.callback = Py_NewRef(callback);
    PyThread_acquire_lock(temporary.started, WAIT_LOCK);
    PyThread_acquire_lock(temporary.finished, WAIT_LOCK);
    if (PyThread_start_new_thread(temporary_main, &temporary) == PYTHREAD_INVALID_THREAD_ID) {
        Py_CLEAR(temporary.callback);
        PyThread_release_lock(temporary.started);
        PyThread_release_lock(temporary.finished);
        free_locks(&temporary);
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        goto done;
    }
    PyThread_acquire_lock(temporary.started, WAIT_LOCK);
    PyThread_release_lock(temporary.started);
    if (wait)
        join_temporary_locked();
    result = Py_NewRef(Py_None);
done:
    PyMutex_Unlock(&temporary_mutex);
    return result;
}

static PyObject *testcapi_join_thread(PyObject *module, PyObject *unused)
{
    PyMutex_Lock(&temporary_mutex);
    int active = temporary.finished != NULL;
    if (active)
        join_temporary_locked();
    PyMutex_Unlock(&temporary_mutex);
    if (!active) {
        PyErr_SetString(PyExc_RuntimeError, "test bug: no temporary thread to join");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- Signals ---- */

/* A SIGINT that arrives just before something is sent into a generator. */
static PyObject *testcapi_sigint_then_send(PyObject *module, PyObject *args)
{
    PyObject *generator;
    if (!PyArg_ParseTuple(args, "O!:raise_SIGINT_then_send_None", &PyGen_Type, &generator))
        return NULL;
    raise(SIGINT);
    return PyObject_CallMethod(generator, "send", "O", Py_None);
}

/* ---- Tracing in C ---- */

static int record_event(PyObject *events, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *event = Py_BuildValue("iiO", what, PyFrame_GetLineNumber(frame), arg != NULL ? arg : Py_None);
    int status = event != NULL ? PyList_Append(events, event) : -1;
    Py_XDECREF(event);
    return status;
}

static PyObject *testcapi_settrace_to_record(PyObject *module, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a list");
        return NULL;
    }
    PyEval_SetTrace(record_event, list);
    Py_RETURN_NONE;
}

static int raise_error(PyObject *list, PyFrameObject *frame, int what, PyObject *arg)
{
    int status = record_event(list, frame, what, arg);
    if (status == 0)
        PyErr_SetString(PyExc_Exception, "an error from the trace function");
    return -1;
}

static PyObject *testcapi_settrace_to_error(PyObject *module, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a list");
        return NULL;
    }
    PyEval_SetTrace(raise_error, list);
    Py_RETURN_NONE;
}

static PyMethodDef threads_methods[] = {
    {"call_in_temporary_c_thread", testcapi_call_in_thread, METH_VARARGS, NULL},
    {"join_temporary_c_thread", testcapi_join_thread, METH_NOARGS, NULL},
    {"raise_SIGINT_then_send_None", testcapi_sigint_then_send, METH_VARARGS, NULL},
    {"settrace_to_record", testcapi_settrace_to_record, METH_O, NULL},
    {"settrace_to_error", testcapi_settrace_to_error, METH_O, NULL},
    {NULL},
};

int testcapi_add_threads(PyObject *module)
{
    return PyModule_AddFunctions(module, threads_methods);
}
