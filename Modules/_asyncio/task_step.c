/* Running the coroutine of a task, from one await to the next. */
#include "asyncio.h"

/* What the loop calls for a step. */
typedef struct {
    PyObject_HEAD
    PyObject *task;                     /* [const] counted */
    PyObject *exception;                /* [const] counted, or NULL */
} step_object;

#define STEP(op) ((step_object *)(op))

static PyObject *wake_up(PyObject *task, PyObject *future);
static PyObject *step(PyObject *task, PyObject *exception);

/* ---- Scheduling ---- */

int asyncio_task_schedule(PyObject *task, PyObject *exception)
{
    step_object *callback = PyObject_GC_New(step_object, &asyncio_step_type);
    if (callback == NULL)
        return -1;
    callback->task = Py_NewRef(task);
    callback->exception = Py_XNewRef(exception);
    PyObject_GC_Track((PyObject *)callback);
    PyObject *loop = asyncio_field_get(task, &FUTURE(task)->loop);
    PyObject *context = asyncio_field_get(task, &TASK(task)->context);
    int rc = loop != NULL ? asyncio_call_soon(loop, (PyObject *)callback, NULL, context) : -1;
    if (loop == NULL)
        PyErr_SetString(PyExc_RuntimeError, "Future object is not initialized.");
    Py_XDECREF(loop);
    Py_XDECREF(context);
    Py_DECREF((PyObject *)callback);
    return rc;
}

static PyObject *schedule(PyObject *task, PyObject *exception)
{
    return asyncio_task_schedule(task, exception) < 0 ? NULL : Py_NewRef(Py_None);
}

/* The next step will raise RuntimeError in the coroutine. */
static PyObject *schedule_error(PyObject *task, const char *format, PyObject *a, PyObject *b)
{
    PyObject *message = PyUnicode_FromFormat(format, a, b);
    PyObject *exception = message != NULL ? PyObject_CallOneArg(PyExc_RuntimeError, message) : NULL;
    PyObject *result = exception != NULL ? schedule(task, exception) : NULL;
    Py_XDECREF(exception);
    Py_XDECREF(message);
    return result;
}

/* ---- What the coroutine handed out ---- */

/* The task waits for the future; should it be cancelled, the future is. */
static PyObject *wait_for(PyObject *task, PyObject *future)
{
    task_object *self = TASK(task);
    asyncio_field_set_steal(task, &self->waiter, Py_NewRef(future));
    if (!asyncio_flag_get(task, &self->must_cancel))
        Py_RETURN_NONE;
    PyObject *message = asyncio_field_get(task, &self->future.cancel_message);
    PyObject *method = PyObject_GetAttrString(future, "cancel"), *args = PyTuple_New(0);
    PyObject *keywords = Py_BuildValue("{sO}", "msg", message != NULL ? message : Py_None);
    PyObject *answer = method != NULL && args != NULL && keywords != NULL ? PyObject_Call(method, args, keywords) : NULL;
    int cancelled = answer != NULL ? PyObject_IsTrue(answer) : -1;
    if (cancelled > 0)
        asyncio_flag_exchange(task, &self->must_cancel, 0);
    Py_XDECREF(answer);
    Py_XDECREF(keywords);
    Py_XDECREF(args);
    Py_XDECREF(method);
    Py_XDECREF(message);
    return cancelled < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef wake_up_method = {"task_wakeup", wake_up, METH_O, NULL};

/* The callback for a future; the context as keywords. */
static PyObject *add_wake_up(PyObject *task, PyObject *future, int plain)
{
    PyObject *callback = PyCFunction_New(&wake_up_method, task), *result = NULL;
    PyObject *context = asyncio_field_get(task, &TASK(task)->context);
    if (callback != NULL && plain) {
        result = asyncio_future_add_callback(future, callback, context);
    }
    else if (callback != NULL) {
        PyObject *method = PyObject_GetAttrString(future, "add_done_callback"), *args = PyTuple_Pack(1, callback);
        PyObject *keywords = Py_BuildValue("{sO}", "context", context != NULL ? context : Py_None);
        if (method != NULL && args != NULL && keywords != NULL)
            result = PyObject_Call(method, args, keywords);
        Py_XDECREF(method);
        Py_XDECREF(args);
        Py_XDECREF(keywords);
    }
    Py_XDECREF(callback);
    Py_XDECREF(context);
    return result;
}

static int same_loop(PyObject *task, PyObject *loop)
{
    PyObject *own = asyncio_field_get(task, &FUTURE(task)->loop);
    Py_XDECREF(own);
    return own == loop;
}

static PyObject *wait_for_plain(PyObject *task, PyObject *future)
{
    PyObject *loop = asyncio_field_get(future, &FUTURE(future)->loop);
    int same = same_loop(task, loop);
    Py_XDECREF(loop);
    if (!same)
        return schedule_error(task, "Task %R got Future %R attached to a different loop", task, future);
    if (!asyncio_flag_exchange(future, &FUTURE(future)->blocking, 0))
        return schedule_error(task, "yield was used instead of yield from in task %R with %R", task, future);
    PyObject *added = add_wake_up(task, future, 1);
    Py_XDECREF(added);
    return added != NULL ? wait_for(task, future) : NULL;
}

/* The loop of something like a future: a new reference, or NULL with an exception. */
static PyObject *loop_of(PyObject *future)
{
    PyObject *method = NULL;
    if (asyncio_lookup(future, "get_loop", &method) < 0)
        return NULL;
    if (method == NULL)
        return PyObject_GetAttrString(future, "_loop");
    PyObject *loop = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return loop;
}

/* Of another class, which says that it behaves like a future. blocking: that attribute. */
static PyObject *wait_for_other(PyObject *task, PyObject *future, PyObject *blocking)
{
    int is_blocking = PyObject_IsTrue(blocking);
    PyObject *loop = is_blocking >= 0 ? loop_of(future) : NULL;
    if (loop == NULL)
        return NULL;
    int same = same_loop(task, loop);
    Py_DECREF(loop);
    if (!same)
        return schedule_error(task, "Task %R got Future %R attached to a different loop", task, future);
    if (!is_blocking)
        return schedule_error(task, "yield was used instead of yield from in task %R with %R", task, future);
    if (PyObject_SetAttrString(future, "_asyncio_future_blocking", Py_False) < 0)
        return NULL;
    PyObject *added = add_wake_up(task, future, 0);
    Py_XDECREF(added);
    return added != NULL ? wait_for(task, future) : NULL;
}

/* The coroutine has handed out something to wait for. */
static PyObject *handle_yield(PyObject *task, PyObject *yielded)
{
    PyObject *blocking = NULL;
    if (yielded == task)
        return schedule_error(task, "Task cannot await on itself: %R", task, NULL);
    if (asyncio_is_plain(yielded))
        return wait_for_plain(task, yielded);
    if (yielded == Py_None)
        return schedule(task, NULL);
    if (asyncio_lookup(yielded, "_asyncio_future_blocking", &blocking) < 0)
        return NULL;
    PyObject *result;
    if (blocking != NULL && blocking != Py_None)
        result = wait_for_other(task, yielded, blocking);
    else if (PyGen_CheckExact(yielded))
        result = schedule_error(task, "yield was used instead of yield from for generator in task %R with %R", task, yielded);
    else
        result = schedule_error(task, "Task got bad yield: %R", yielded, NULL);
    Py_XDECREF(blocking);
    return result;
}

/* ---- One step ---- */

/* Takes the request to cancel the task back; 1 if there was one. */
static int take_must_cancel(PyObject *task) { return asyncio_flag_exchange(task, &TASK(task)->must_cancel, 0); }

/* The coroutine has returned. */
static PyObject *handle_return(PyObject *task, PyObject *value)
{
    if (!take_must_cancel(task))
        return asyncio_future_set_result(task, value);
    PyObject *message = asyncio_field_get(task, &FUTURE(task)->cancel_message);
    PyObject *result = asyncio_future_cancel(task, message != NULL ? message : Py_None);
    Py_XDECREF(message);
    return result;
}

/* The coroutine has raised; the exception is set. */
static PyObject *handle_error(PyObject *task)
{
    PyObject *exception = PyErr_GetRaisedException(), *result;
    PyObject *cancelled = asyncio_import_borrowed(&asyncio_cancelled_error);
    if (cancelled == NULL) {
        Py_DECREF(exception);
        return NULL;
    }
    if (PyErr_GivenExceptionMatches(exception, cancelled)) {
        asyncio_field_set_steal(task, &FUTURE(task)->cancelled_error, exception);
        return asyncio_future_cancel(task, Py_None);
    }
    result = asyncio_future_set_exception(task, exception);
    if (result != NULL
        && (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt)
            || PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))) {
        /* These end the loop as well. */
        Py_CLEAR(result);
        PyErr_SetRaisedException(exception);
        return NULL;
    }
    Py_DECREF(exception);
    return result;
}

/* Lets the coroutine go on. */
static PySendResult resume(PyObject *coroutine, PyObject *exception, PyObject **value)
{
    if (exception == NULL)
        return PyIter_Send(coroutine, Py_None, value);
    *value = PyObject_CallMethod(coroutine, "throw", "O", exception);
    if (*value != NULL)
        return PYGEN_NEXT;
    return _PyGen_FetchStopIterationValue(value) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

/* A request to cancel the task becomes the exception to raise, unless that is one already. Steals exception. */
static int replace_by_cancellation(PyObject *task, PyObject **exception)
{
    if (!take_must_cancel(task))
        return 0;
    PyObject *cancelled = asyncio_import_borrowed(&asyncio_cancelled_error);
    if (cancelled == NULL)
        return -1;
    if (*exception != NULL && PyErr_GivenExceptionMatches(*exception, cancelled))
        return 0;
    Py_XSETREF(*exception, asyncio_future_make_cancelled_error(task));
    return *exception != NULL ? 0 : -1;
}

/* A step inside the loop. Steals exception. */
static PyObject *step_inside_steal(PyObject *task, PyObject *exception)
{
    PyObject *value = NULL, *result = NULL, *coroutine = NULL;
    if (asyncio_flag_get(task, &FUTURE(task)->state) != PENDING) {
        PyObject *type = asyncio_import_borrowed(&asyncio_invalid_state_error);
        if (type != NULL)
            PyErr_Format(type, "__step(): already done: %R %R", task, exception != NULL ? exception : Py_None);
        goto done;
    }
    if (replace_by_cancellation(task, &exception) < 0)
        goto done;
    asyncio_field_set_steal(task, &TASK(task)->waiter, NULL);
    coroutine = asyncio_field_get(task, &TASK(task)->coroutine);
    if (coroutine == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Task object");
        goto done;
    }
    switch (resume(coroutine, exception, &value)) {
    case PYGEN_NEXT:
        result = handle_yield(task, value);
        break;
    case PYGEN_RETURN:
        result = handle_return(task, value);
        break;
    default:
        result = handle_error(task);
    }
done:
    Py_XDECREF(value);
    Py_XDECREF(coroutine);
    Py_XDECREF(exception);
    return result;
}

static PyObject *step(PyObject *task, PyObject *exception)
{
    PyObject *loop = asyncio_field_get(task, &FUTURE(task)->loop), *result = NULL;
    if (loop == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Future object is not initialized.");
        return NULL;
    }
    if (asyncio_enter_task(loop, task) == 0) {
        result = step_inside_steal(task, Py_XNewRef(exception));
        PyObject *raised = result == NULL ? PyErr_GetRaisedException() : NULL;
        if (asyncio_leave_task(loop, task) < 0) {
            Py_CLEAR(result);
            Py_XDECREF(raised);
        }
        else if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    Py_DECREF(loop);
    return result;
}

/* What the task waited for has ended. */
static PyObject *wake_up(PyObject *task, PyObject *future)
{
    PyObject *value = asyncio_is_plain(future) ? asyncio_future_result(future) : PyObject_CallMethod(future, "result", NULL);
    if (value != NULL) {
        Py_DECREF(value);
        return step(task, NULL);
    }
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *result = step(task, exception);
    Py_DECREF(exception);
    return result;
}

/* ---- The type of the callbacks ---- */

static PyObject *step_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) > 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_SetString(PyExc_TypeError, "function takes no arguments");
        return NULL;
    }
    return step(STEP(op)->task, STEP(op)->exception);
}

static int step_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(STEP(op)->task);
    Py_VISIT(STEP(op)->exception);
    return 0;
}

static void step_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(STEP(op)->task);
    Py_XDECREF(STEP(op)->exception);
    PyObject_GC_Del(op);
}

static PyObject *step_get_self(PyObject *op, void *unused) { return Py_NewRef(STEP(op)->task); }

static PyGetSetDef step_getset[] = {{"__self__", step_get_self, NULL, NULL, NULL}, {NULL}};

PyTypeObject asyncio_step_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "TaskStepMethWrapper",
    .tp_basicsize = sizeof(step_object),
    .tp_dealloc = step_dealloc,
    .tp_call = step_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = step_traverse,
    .tp_getset = step_getset,
};
