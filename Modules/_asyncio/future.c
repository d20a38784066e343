/* Futures: results that are not there yet. */
#include "asyncio.h"

static asyncio_import extract_stack = {"asyncio.format_helpers", "extract_stack", NULL};
static asyncio_import future_repr = {"asyncio.base_futures", "_future_repr", NULL};

/* ---- Making one ---- */

int asyncio_future_check(PyObject *op)
{
    PyObject *loop = asyncio_field_get(op, &FUTURE(op)->loop);
    if (loop == NULL)
        PyErr_SetString(PyExc_RuntimeError, "Future object is not initialized.");
    Py_XDECREF(loop);
    return loop != NULL ? 0 : -1;
}

enum { CLEARED_COUNT = 8 };

/* Empties the fields; old: what was in them. */
static void take_fields_locked(future_object *self, PyObject *old[CLEARED_COUNT])
{
    PyObject **const fields[CLEARED_COUNT] = {
        &self->loop,      &self->callbacks,        &self->result,         &self->exception,
        &self->traceback, &self->source_traceback, &self->cancel_message, &self->cancelled_error,
    };
    for (size_t i = 0; i < CLEARED_COUNT; i++) {
        old[i] = *fields[i];
        *fields[i] = NULL;
    }
}

int asyncio_future_init(PyObject *op, PyObject *loop)
{
    future_object *self = FUTURE(op);
    loop = loop != NULL && loop != Py_None ? Py_NewRef(loop) : asyncio_event_loop();
    if (loop == NULL)
        return -1;
    PyObject *answer = PyObject_CallMethod(loop, "get_debug", NULL);
    int debug = answer != NULL ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    PyObject *stack = debug > 0 && !_Py_IsFinalizing() ? asyncio_import_call(&extract_stack, NULL) : NULL;
    if (debug < 0 || (stack == NULL && PyErr_Occurred())) {
        Py_DECREF(loop);
        return -1;
    }
    /* What an earlier life has left goes in one step with the change to pending, and is dropped afterwards. */
    PyObject *old[CLEARED_COUNT];
    Py_BEGIN_CRITICAL_SECTION(op);
    take_fields_locked(self, old);
    self->state = PENDING;
    self->log_traceback = 0;
    self->blocking = 0;
    self->loop = loop;
    self->source_traceback = stack;
    Py_END_CRITICAL_SECTION();
    for (size_t i = 0; i < CLEARED_COUNT; i++)
        Py_XDECREF(old[i]);
    return 0;
}

static int future_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"loop", NULL};
    PyObject *loop = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|$O:Future", names, &loop) ? asyncio_future_init(op, loop) : -1;
}

/* ---- Callbacks ---- */

int asyncio_call_soon(PyObject *loop, PyObject *callback, PyObject *argument, PyObject *context)
{
    static PyObject *name, *keywords;           /* [atomic] "call_soon", ("context",) */
    PyObject *method = __atomic_load_n(&name, __ATOMIC_ACQUIRE), *names = __atomic_load_n(&keywords, __ATOMIC_ACQUIRE);
    if (method == NULL || names == NULL) {
        /* Interned text is the same each time; that two threads make the tuple leaves one of them unused. */
        method = PyUnicode_InternFromString("call_soon");
        names = Py_BuildValue("(N)", PyUnicode_InternFromString("context"));
        if (method == NULL || names == NULL)
            return -1;
        __atomic_store_n(&keywords, names, __ATOMIC_RELEASE);
        __atomic_store_n(&name, method, __ATOMIC_RELEASE);
    }
    PyObject *args[4] = {loop, callback};
    size_t count = 2;
    if (argument != NULL)
        args[count++] = argument;
    if (context != NULL)
        args[count] = context;
    PyObject *handle = PyObject_VectorcallMethod(method, args, count | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                                 context != NULL ? names : NULL);
    Py_XDECREF(handle);
    return handle != NULL ? 0 : -1;
}

/* Lets the loop call the callbacks of a future that has ended. Steals callbacks. 0, or -1 with an exception. */
static int schedule_steal(PyObject *op, PyObject *callbacks)
{
    int rc = 0;
    PyObject *loop = callbacks != NULL ? asyncio_field_get(op, &FUTURE(op)->loop) : NULL;
    for (Py_ssize_t i = 0; loop != NULL && rc == 0 && i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *entry = PyList_GetItemRef(callbacks, i);
        rc = entry != NULL ? asyncio_call_soon(loop, PyTuple_GET_ITEM(entry, 0), op, PyTuple_GET_ITEM(entry, 1)) : -1;
        Py_XDECREF(entry);
    }
    Py_XDECREF(loop);
    Py_XDECREF(callbacks);
    return rc;
}

/* Appends if it is pending: 1. 0: it has ended; -1 without memory. */
static int append_callback(PyObject *op, PyObject *entry)
{
    future_object *self = FUTURE(op);
    int rc = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->state == PENDING) {
        if (self->callbacks == NULL && (self->callbacks = PyList_New(0)) != NULL)
            PyObject_GC_UnTrack(self->callbacks);       /* not to be found by gc.get_objects: so nobody else changes or locks it */
        rc = self->callbacks != NULL && PyList_Append(self->callbacks, entry) == 0 ? 1 : -1;
    }
    Py_END_CRITICAL_SECTION();
    return rc;
}

PyObject *asyncio_future_add_callback(PyObject *op, PyObject *callback, PyObject *context)
{
    PyObject *loop = asyncio_field_get(op, &FUTURE(op)->loop), *entry = NULL, *result = NULL;
    if (loop == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Future object");
        return NULL;
    }
    context = context != NULL ? Py_NewRef(context) : PyContext_CopyCurrent();
    entry = context != NULL ? PyTuple_Pack(2, callback, context) : NULL;
    int appended = entry != NULL ? append_callback(op, entry) : -1;
    if (appended > 0 || (appended == 0 && asyncio_call_soon(loop, callback, op, context) == 0))
        result = Py_NewRef(Py_None);
    Py_XDECREF(entry);
    Py_XDECREF(context);
    Py_DECREF(loop);
    return result;
}

static PyObject *future_add_done_callback(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "context", NULL};
    PyObject *callback, *context = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:add_done_callback", names, &callback, &context)
               ? asyncio_future_add_callback(op, callback, context) : NULL;
}

/* A list of the callbacks at the moment, or NULL: with an exception if that failed. */
static PyObject *copy_callbacks(PyObject *op)
{
    PyObject *copy = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    PyObject *list = FUTURE(op)->callbacks;
    if (list != NULL)
        copy = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    Py_END_CRITICAL_SECTION();
    return copy;
}

/* Removes that very entry if it is still there; 1 if so. */
static int remove_entry(PyObject *op, PyObject *entry)
{
    int removed = 0;
    Py_BEGIN_CRITICAL_SECTION(op);
    PyObject *list = FUTURE(op)->callbacks;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++)
        if (PyList_GET_ITEM(list, i) == entry) {
            removed = PyList_SetSlice(list, i, i + 1, NULL) == 0 ? 1 : -1;
            break;
        }
    Py_END_CRITICAL_SECTION();
    return removed;
}

static PyObject *future_remove_done_callback(PyObject *op, PyObject *callback)
{
    if (asyncio_future_check(op) < 0)
        return NULL;
    PyObject *copy = copy_callbacks(op);
    if (copy == NULL)
        return PyErr_Occurred() ? NULL : PyLong_FromLong(0);
    PyObject_GC_UnTrack(copy);          /* not to be found by gc.get_objects */
    long count = 0;
    /* Comparing may call Python, which may change the callbacks. */
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(copy); i++) {
        PyObject *entry = PyList_GET_ITEM(copy, i);
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(entry, 0), callback, Py_EQ);
        int removed = same > 0 ? remove_entry(op, entry) : same;
        if (removed < 0) {
            Py_DECREF(copy);
            return NULL;
        }
        count += removed;
    }
    Py_DECREF(copy);
    return PyLong_FromLong(count);
}

/* ---- Ending ---- */

/* From pending to another state; 1, with the callbacks, or 0 if it has ended before. */
static int end(PyObject *op, enum future_state state, PyObject *result, PyObject *exception, PyObject *traceback,
               PyObject *message, PyObject **callbacks)
{
    future_object *self = FUTURE(op);
    int pending;
    PyObject *old_message = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    pending = self->state == PENDING;
    if (pending) {
        self->state = (unsigned char)state;
        self->result = Py_XNewRef(result);
        self->exception = Py_XNewRef(exception);
        self->traceback = Py_XNewRef(traceback);
        if (state == CANCELLED) {
            old_message = self->cancel_message;
            self->cancel_message = Py_XNewRef(message);
        }
        self->log_traceback = exception != NULL;
        *callbacks = self->callbacks;
        self->callbacks = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_message);
    return pending;
}

PyObject *asyncio_future_set_result(PyObject *op, PyObject *result)
{
    PyObject *callbacks = NULL;
    if (asyncio_future_check(op) < 0)
        return NULL;
    if (!end(op, FINISHED, result, NULL, NULL, NULL, &callbacks))
        return asyncio_invalid_state("invalid state");
    return schedule_steal(op, callbacks) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *asyncio_future_set_exception(PyObject *op, PyObject *arg)
{
    PyObject *callbacks = NULL, *exception;
    if (asyncio_future_check(op) < 0)
        return NULL;
    if (asyncio_flag_get(op, &FUTURE(op)->state) != PENDING)
        return asyncio_invalid_state("invalid state");
    exception = PyExceptionClass_Check(arg) ? PyObject_CallNoArgs(arg) : Py_NewRef(arg);
    if (exception == NULL)
        return NULL;
    if (!PyExceptionInstance_Check(exception) || PyErr_GivenExceptionMatches(exception, PyExc_StopIteration)) {
        PyErr_SetString(PyExc_TypeError, !PyExceptionInstance_Check(exception)
                                             ? "invalid exception object"
                                             : "StopIteration interacts badly with generators and cannot be raised into a Future");
        Py_DECREF(exception);
        return NULL;
    }
    PyObject *traceback = PyException_GetTraceback(exception);
    int ended = end(op, FINISHED, NULL, exception, traceback, NULL, &callbacks);
    Py_XDECREF(traceback);
    Py_DECREF(exception);
    if (!ended)
        return asyncio_invalid_state("invalid state");
    return schedule_steal(op, callbacks) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *asyncio_future_cancel(PyObject *op, PyObject *message)
{
    PyObject *callbacks = NULL;
    asyncio_flag_exchange(op, &FUTURE(op)->log_traceback, 0);
    if (!end(op, CANCELLED, NULL, NULL, NULL, message, &callbacks))
        Py_RETURN_FALSE;
    return schedule_steal(op, callbacks) < 0 ? NULL : Py_NewRef(Py_True);
}

static PyObject *future_set_result(PyObject *op, PyObject *result) { return asyncio_future_set_result(op, result); }
static PyObject *future_set_exception(PyObject *op, PyObject *arg) { return asyncio_future_set_exception(op, arg); }

static PyObject *future_cancel(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", NULL};
    PyObject *message = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", names, &message) || asyncio_future_check(op) < 0)
        return NULL;
    return asyncio_future_cancel(op, message);
}

/* ---- Outcome ---- */

PyObject *asyncio_future_make_cancelled_error(PyObject *op)
{
    PyObject *error = asyncio_field_take(op, &FUTURE(op)->cancelled_error);
    if (error != NULL)
        return error;
    PyObject *message = asyncio_field_get(op, &FUTURE(op)->cancel_message);
    error = message == NULL || message == Py_None ? asyncio_import_call(&asyncio_cancelled_error, NULL)
                                                  : asyncio_import_call(&asyncio_cancelled_error, "(O)", message);
    Py_XDECREF(message);
    return error;
}

static void raise_cancelled(PyObject *op)
{
    PyObject *error = asyncio_future_make_cancelled_error(op);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
}

/* What it ended with: a new reference to the result or (1) the exception, whose traceback is then in *traceback. NULL
 * with an exception if it has not ended, with that message, or was cancelled. */
static PyObject *outcome(PyObject *op, const char *pending, int *failed, PyObject **traceback)
{
    future_object *self = FUTURE(op);
    PyObject *loop = asyncio_field_get(op, &self->loop), *value = NULL;
    Py_XDECREF(loop);
    *traceback = NULL;
    *failed = 0;
    if (loop == NULL)
        return asyncio_invalid_state("Future object is not initialized.");
    int state;
    Py_BEGIN_CRITICAL_SECTION(op);
    state = self->state;
    *failed = self->exception != NULL;
    *traceback = Py_XNewRef(self->traceback);
    if (state == FINISHED) {
        self->log_traceback = 0;
        value = Py_XNewRef(*failed ? self->exception : self->result);
    }
    Py_END_CRITICAL_SECTION();
    if (state == PENDING)
        asyncio_invalid_state(pending);
    else if (state == CANCELLED)
        raise_cancelled(op);
    else if (value == NULL)
        value = Py_NewRef(Py_None);     /* cleared by the collector */
    if (value == NULL)
        Py_CLEAR(*traceback);
    return value;
}

PyObject *asyncio_future_result(PyObject *op)
{
    int failed;
    PyObject *traceback, *value = outcome(op, "Result is not set.", &failed, &traceback);
    if (value == NULL || !failed) {
        Py_XDECREF(traceback);
        return value;
    }
    /* Each raising starts with the traceback that it had when it was set. */
    if (PyException_SetTraceback(value, traceback != NULL ? traceback : Py_None) < 0)
        PyErr_Clear();
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(value)), value, traceback);
    return NULL;
}

static PyObject *future_result(PyObject *op, PyObject *unused) { return asyncio_future_result(op); }

static PyObject *future_exception(PyObject *op, PyObject *unused)
{
    int failed;
    PyObject *traceback, *value = outcome(op, "Exception is not set.", &failed, &traceback);
    Py_XDECREF(traceback);
    if (value == NULL || failed)
        return value;
    Py_DECREF(value);
    Py_RETURN_NONE;
}

static PyObject *future_cancelled(PyObject *op, PyObject *unused)
{
    return PyBool_FromLong(asyncio_flag_get(op, &FUTURE(op)->state) == CANCELLED);
}

static PyObject *future_done(PyObject *op, PyObject *unused)
{
    PyObject *loop = asyncio_field_get(op, &FUTURE(op)->loop);
    int done = loop != NULL && asyncio_flag_get(op, &FUTURE(op)->state) != PENDING;
    Py_XDECREF(loop);
    return PyBool_FromLong(done);
}

static PyObject *future_get_loop(PyObject *op, PyObject *unused)
{
    return asyncio_future_check(op) < 0 ? NULL : asyncio_field_get(op, &FUTURE(op)->loop);
}

static PyObject *future_make_cancelled_error(PyObject *op, PyObject *unused)
{
    return asyncio_future_make_cancelled_error(op);
}

/* ---- Attributes ---- */

static PyObject *get_or_none(PyObject *op, PyObject **field)
{
    if (asyncio_future_check(op) < 0)
        return NULL;
    PyObject *value = asyncio_field_get(op, field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *get_loop(PyObject *op, void *unused)
{
    PyObject *loop = asyncio_field_get(op, &FUTURE(op)->loop);
    return loop != NULL ? loop : Py_NewRef(Py_None);
}
static PyObject *get_result(PyObject *op, void *unused) { return get_or_none(op, &FUTURE(op)->result); }
static PyObject *get_exception(PyObject *op, void *unused) { return get_or_none(op, &FUTURE(op)->exception); }
static PyObject *get_source_traceback(PyObject *op, void *unused) { return get_or_none(op, &FUTURE(op)->source_traceback); }
static PyObject *get_cancel_message(PyObject *op, void *unused)
{
    PyObject *message = asyncio_field_get(op, &FUTURE(op)->cancel_message);
    return message != NULL ? message : Py_NewRef(Py_None);
}

static int set_cancel_message(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    asyncio_field_set_steal(op, &FUTURE(op)->cancel_message, Py_NewRef(value));
    return 0;
}

static PyObject *get_state(PyObject *op, void *unused)
{
    static const char *const names[] = {"PENDING", "CANCELLED", "FINISHED"};
    return asyncio_future_check(op) < 0 ? NULL
                                        : PyUnicode_InternFromString(names[asyncio_flag_get(op, &FUTURE(op)->state)]);
}

static PyObject *get_callbacks(PyObject *op, void *unused)
{
    if (asyncio_future_check(op) < 0)
        return NULL;
    PyObject *list = copy_callbacks(op);
    if (list != NULL && PyList_GET_SIZE(list) == 0)
        Py_CLEAR(list);
    return list != NULL || PyErr_Occurred() ? list : Py_NewRef(Py_None);
}

static PyObject *get_blocking(PyObject *op, void *unused)
{
    return asyncio_future_check(op) < 0 ? NULL : PyBool_FromLong(asyncio_flag_get(op, &FUTURE(op)->blocking));
}

static int set_blocking(PyObject *op, PyObject *value, void *unused)
{
    if (asyncio_future_check(op) < 0)
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(value);
    if (on >= 0)
        asyncio_flag_exchange(op, &FUTURE(op)->blocking, on);
    return on < 0 ? -1 : 0;
}

static PyObject *get_log_traceback(PyObject *op, void *unused)
{
    return asyncio_future_check(op) < 0 ? NULL : PyBool_FromLong(asyncio_flag_get(op, &FUTURE(op)->log_traceback));
}

static int set_log_traceback(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(value);
    if (on > 0)
        PyErr_SetString(PyExc_ValueError, "_log_traceback can only be set to False");
    if (on != 0)
        return -1;
    asyncio_flag_exchange(op, &FUTURE(op)->log_traceback, 0);
    return 0;
}

/* ---- Life ---- */

static PyObject *future_repr_(PyObject *op)
{
    return asyncio_future_check(op) < 0 ? NULL : asyncio_import_call(&future_repr, "(O)", op);
}

/* Tells the loop that the exception was never looked at. */
static void report(PyObject *op, PyObject *loop, PyObject *exception)
{
    PyObject *stack = asyncio_field_get(op, &FUTURE(op)->source_traceback);
    const char *type = strrchr(Py_TYPE(op)->tp_name, '.');
    PyObject *message = PyUnicode_FromFormat("%s exception was never retrieved", type != NULL ? type + 1 : Py_TYPE(op)->tp_name);
    PyObject *details = message != NULL ? Py_BuildValue("{sOsOsO}", "message", message, "exception", exception, "future", op)
                                        : NULL;
    if (details != NULL && stack != NULL && PyDict_SetItemString(details, "source_traceback", stack) < 0)
        Py_CLEAR(details);
    PyObject *result = details != NULL ? PyObject_CallMethod(loop, "call_exception_handler", "O", details) : NULL;
    if (result == NULL)
        PyErr_WriteUnraisable(loop);
    Py_XDECREF(result);
    Py_XDECREF(details);
    Py_XDECREF(message);
    Py_XDECREF(stack);
}

void asyncio_future_finalize(PyObject *op)
{
    future_object *self = FUTURE(op);
    if (!asyncio_flag_exchange(op, &self->log_traceback, 0))
        return;
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *loop = asyncio_field_get(op, &self->loop), *exception = asyncio_field_get(op, &self->exception);
    if (loop != NULL && exception != NULL)
        report(op, loop, exception);
    Py_XDECREF(loop);
    Py_XDECREF(exception);
    PyErr_SetRaisedException(pending);
}

int asyncio_future_traverse(PyObject *op, visitproc visit, void *arg)
{
    future_object *self = FUTURE(op);
    /* The list is not tracked: what it holds is the future's. */
    int stopped = self->callbacks != NULL ? PyList_Type.tp_traverse(self->callbacks, visit, arg) : 0;
    if (stopped)
        return stopped;
    Py_VISIT(self->loop);
    Py_VISIT(self->result);
    Py_VISIT(self->exception);
    Py_VISIT(self->traceback);
    Py_VISIT(self->source_traceback);
    Py_VISIT(self->cancel_message);
    Py_VISIT(self->cancelled_error);
    Py_VISIT(self->dict);
    return 0;
}

int asyncio_future_clear(PyObject *op)
{
    future_object *self = FUTURE(op);
    PyObject *old[CLEARED_COUNT];
    Py_BEGIN_CRITICAL_SECTION(op);
    take_fields_locked(self, old);
    Py_END_CRITICAL_SECTION();
    for (size_t i = 0; i < CLEARED_COUNT; i++)
        Py_XDECREF(old[i]);
    return 0;
}

void asyncio_dealloc(PyObject *op, inquiry clear)
{
    if (PyObject_CallFinalizerFromDealloc(op) < 0)
        return;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(FUTURE(op)->weaklist))
        PyObject_ClearWeakRefs(op);
    clear(op);
    Py_CLEAR(FUTURE(op)->dict);
    Py_TYPE(op)->tp_free(op);
}

static void future_dealloc(PyObject *op) { asyncio_dealloc(op, asyncio_future_clear); }

/* ---- The type ---- */

PyMethodDef asyncio_future_methods[] = {
    {"result", future_result, METH_NOARGS, "result($self, /)\n--\n\nThe result; raises the exception if there is one."},
    {"exception", future_exception, METH_NOARGS, "exception($self, /)\n--\n\nThe exception, or None."},
    {"set_result", future_set_result, METH_O, "set_result($self, result, /)\n--\n\nEnds the future with a result."},
    {"set_exception", future_set_exception, METH_O,
     "set_exception($self, exception, /)\n--\n\nEnds the future with an exception."},
    MODULE_METHOD("add_done_callback", future_add_done_callback, METH_VARARGS | METH_KEYWORDS,
                  "add_done_callback($self, fn, /, *, context=<unrepresentable>)\n--\n\n"
                  "Has fn called with the future once that has ended."),
    {"remove_done_callback", future_remove_done_callback, METH_O,
     "remove_done_callback($self, fn, /)\n--\n\nTakes a callback back; how often it was there."},
    MODULE_METHOD("cancel", future_cancel, METH_VARARGS | METH_KEYWORDS,
                  "cancel($self, /, msg=None)\n--\n\nCancels the future unless it has ended; returns whether it did."),
    {"cancelled", future_cancelled, METH_NOARGS, "cancelled($self, /)\n--\n\nWas it cancelled?"},
    {"done", future_done, METH_NOARGS, "done($self, /)\n--\n\nHas it ended?"},
    {"get_loop", future_get_loop, METH_NOARGS, "get_loop($self, /)\n--\n\nIts event loop."},
    {"_make_cancelled_error", future_make_cancelled_error, METH_NOARGS,
     "_make_cancelled_error($self, /)\n--\n\nThe exception to raise if it was cancelled."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

PyGetSetDef asyncio_future_getset[] = {
    {"_state", get_state, NULL, NULL, NULL},
    {"_asyncio_future_blocking", get_blocking, set_blocking, NULL, NULL},
    {"_loop", get_loop, NULL, NULL, NULL},
    {"_callbacks", get_callbacks, NULL, NULL, NULL},
    {"_result", get_result, NULL, NULL, NULL},
    {"_exception", get_exception, NULL, NULL, NULL},
    {"_log_traceback", get_log_traceback, set_log_traceback, NULL, NULL},
    {"_source_traceback", get_source_traceback, NULL, NULL, NULL},
    {"_cancel_message", get_cancel_message, set_cancel_message, NULL, NULL},
    {NULL},
};

static PyAsyncMethods as_async = {.am_await = asyncio_future_iter};

PyTypeObject asyncio_future_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_asyncio.Future",
    .tp_basicsize = sizeof(future_object),
    .tp_dealloc = future_dealloc,
    .tp_as_async = &as_async,
    .tp_repr = future_repr_,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Future(*, loop=None)\n--\n\nA result that is not there yet, and can be awaited.",
    .tp_traverse = asyncio_future_traverse,
    .tp_clear = asyncio_future_clear,
    .tp_weaklistoffset = offsetof(future_object, weaklist),
    .tp_iter = asyncio_future_iter,
    .tp_methods = asyncio_future_methods,
    .tp_getset = asyncio_future_getset,
    .tp_dictoffset = offsetof(future_object, dict),
    .tp_init = future_init,
    .tp_new = PyType_GenericNew,
    .tp_finalize = asyncio_future_finalize,
};
