/* Tasks: futures that end with what a coroutine returns. How the coroutine runs is in task_step.c. */
#include "asyncio.h"

static asyncio_import is_coroutine = {"asyncio.coroutines", "iscoroutine", NULL};
static asyncio_import task_repr = {"asyncio.base_tasks", "_task_repr", NULL};
static asyncio_import task_get_stack = {"asyncio.base_tasks", "_task_get_stack", NULL};
static asyncio_import task_print_stack = {"asyncio.base_tasks", "_task_print_stack", NULL};

/* ---- Making one ---- */

static int check_coroutine(PyObject *coroutine)
{
    if (PyCoro_CheckExact(coroutine))
        return 0;
    PyObject *answer = asyncio_import_call(&is_coroutine, "(O)", coroutine);
    int is = answer != NULL ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (is == 0)
        PyErr_Format(PyExc_TypeError, "a coroutine was expected, got %R", coroutine);
    return is > 0 ? 0 : -1;
}

/* The name given, as str, or the next number. */
static PyObject *make_name(PyObject *name)
{
    static unsigned long long number;           /* [atomic] */
    if (name == NULL || name == Py_None)
        return PyUnicode_FromFormat("Task-%llu", __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    return PyUnicode_CheckExact(name) ? Py_NewRef(name) : PyObject_Str(name);
}

static int task_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"coro", "loop", "name", "context", NULL};
    task_object *self = TASK(op);
    PyObject *coroutine, *loop = NULL, *name = NULL, *context = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOO:Task", names, &coroutine, &loop, &name, &context)
        || asyncio_future_init(op, loop) < 0)
        return -1;
    if (check_coroutine(coroutine) < 0) {
        asyncio_flag_exchange(op, &self->log_destroy_pending, 0);
        return -1;
    }
    context = context != Py_None ? Py_NewRef(context) : PyContext_CopyCurrent();
    name = context != NULL ? make_name(name) : NULL;
    if (name == NULL) {
        Py_XDECREF(context);
        return -1;
    }
    asyncio_field_set_steal(op, &self->context, context);
    asyncio_field_set_steal(op, &self->waiter, NULL);
    asyncio_field_set_steal(op, &self->coroutine, Py_NewRef(coroutine));
    asyncio_field_set_steal(op, &self->name, name);
    Py_BEGIN_CRITICAL_SECTION(op);
    self->must_cancel = 0;
    self->log_destroy_pending = 1;
    self->cancel_requests = 0;
    Py_END_CRITICAL_SECTION();
    return asyncio_task_schedule(op, NULL) < 0 ? -1 : asyncio_register_task(op);
}

/* ---- Cancelling ---- */

/* Asks what the task waits for to be cancelled: 1 if that did, 0 if not, -1 with an exception. */
static int cancel_waiter(PyObject *waiter, PyObject *message)
{
    static PyObject *name;                      /* [atomic] interned, the same each time */
    PyObject *method = __atomic_load_n(&name, __ATOMIC_ACQUIRE);
    if (method == NULL) {
        method = PyUnicode_InternFromString("cancel");
        if (method == NULL)
            return -1;
        __atomic_store_n(&name, method, __ATOMIC_RELEASE);
    }
    PyObject *keywords = Py_BuildValue("{sO}", "msg", message), *args = PyTuple_New(0);
    PyObject *function = PyObject_GetAttr(waiter, method), *answer = NULL;
    if (keywords != NULL && args != NULL && function != NULL)
        answer = PyObject_Call(function, args, keywords);
    int cancelled = answer != NULL ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    Py_XDECREF(function);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    return cancelled;
}

static PyObject *task_cancel(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", NULL};
    task_object *self = TASK(op);
    PyObject *message = Py_None, *waiter, *old_message;
    int pending;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", names, &message))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->future.log_traceback = 0;
    pending = self->future.state == PENDING;
    if (pending)
        self->cancel_requests++;
    waiter = pending ? Py_XNewRef(self->waiter) : NULL;
    Py_END_CRITICAL_SECTION();
    if (!pending)
        Py_RETURN_FALSE;
    int cancelled = waiter != NULL ? cancel_waiter(waiter, message) : 0;
    Py_XDECREF(waiter);
    if (cancelled != 0)
        return cancelled > 0 ? Py_NewRef(Py_True) : NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->must_cancel = 1;
    old_message = self->future.cancel_message;
    self->future.cancel_message = Py_NewRef(message);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_message);
    Py_RETURN_TRUE;
}

static PyObject *task_cancelling(PyObject *op, PyObject *unused)
{
    int requests;
    Py_BEGIN_CRITICAL_SECTION(op);
    requests = TASK(op)->cancel_requests;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromLong(requests);
}

static PyObject *task_uncancel(PyObject *op, PyObject *unused)
{
    int requests;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (TASK(op)->cancel_requests > 0)
        TASK(op)->cancel_requests--;
    requests = TASK(op)->cancel_requests;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromLong(requests);
}

/* ---- Questions ---- */

static PyObject *get_or_none(PyObject *op, PyObject **field)
{
    PyObject *value = asyncio_field_get(op, field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *task_get_coro(PyObject *op, PyObject *unused) { return get_or_none(op, &TASK(op)->coroutine); }
static PyObject *task_get_name(PyObject *op, PyObject *unused) { return get_or_none(op, &TASK(op)->name); }

static PyObject *task_set_name(PyObject *op, PyObject *value)
{
    PyObject *name = PyUnicode_CheckExact(value) ? Py_NewRef(value) : PyObject_Str(value);
    if (name == NULL)
        return NULL;
    asyncio_field_set_steal(op, &TASK(op)->name, name);
    Py_RETURN_NONE;
}

static PyObject *task_get_stack_(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", NULL};
    PyObject *limit = Py_None;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|$O:get_stack", names, &limit)
               ? asyncio_import_call(&task_get_stack, "OO", op, limit) : NULL;
}

static PyObject *task_print_stack_(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", "file", NULL};
    PyObject *limit = Py_None, *file = Py_None;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|$OO:print_stack", names, &limit, &file)
               ? asyncio_import_call(&task_print_stack, "OOO", op, limit, file) : NULL;
}

static PyObject *refuse_result(PyObject *op, PyObject *unused)
{
    PyErr_SetString(PyExc_RuntimeError, "Task does not support set_result operation");
    return NULL;
}

static PyObject *refuse_exception(PyObject *op, PyObject *unused)
{
    PyErr_SetString(PyExc_RuntimeError, "Task does not support set_exception operation");
    return NULL;
}

static PyObject *get_coro(PyObject *op, void *unused) { return task_get_coro(op, NULL); }
static PyObject *get_waiter(PyObject *op, void *unused) { return get_or_none(op, &TASK(op)->waiter); }
static PyObject *get_must_cancel(PyObject *op, void *unused)
{
    return PyBool_FromLong(asyncio_flag_get(op, &TASK(op)->must_cancel));
}
static PyObject *get_log_destroy_pending(PyObject *op, void *unused)
{
    return PyBool_FromLong(asyncio_flag_get(op, &TASK(op)->log_destroy_pending));
}

static int set_log_destroy_pending(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(value);
    if (on >= 0)
        asyncio_flag_exchange(op, &TASK(op)->log_destroy_pending, on);
    return on < 0 ? -1 : 0;
}

static PyObject *task_repr_(PyObject *op)
{
    return asyncio_future_check(op) < 0 ? NULL : asyncio_import_call(&task_repr, "(O)", op);
}

/* ---- Life ---- */

/* Tells the loop that nobody will ever run the rest. */
static void report_pending(PyObject *op, PyObject *loop)
{
    PyObject *stack = asyncio_field_get(op, &TASK(op)->future.source_traceback);
    PyObject *details = Py_BuildValue("{sOss}", "task", op, "message", "Task was destroyed but it is pending!");
    if (details != NULL && stack != NULL && PyDict_SetItemString(details, "source_traceback", stack) < 0)
        Py_CLEAR(details);
    PyObject *result = details != NULL ? PyObject_CallMethod(loop, "call_exception_handler", "O", details) : NULL;
    if (result == NULL)
        PyErr_WriteUnraisable(op);
    Py_XDECREF(result);
    Py_XDECREF(details);
    Py_XDECREF(stack);
}

static void task_finalize(PyObject *op)
{
    task_object *self = TASK(op);
    PyObject *loop = asyncio_field_get(op, &self->future.loop);
    if (loop != NULL && asyncio_flag_get(op, &self->future.state) == PENDING
        && asyncio_flag_get(op, &self->log_destroy_pending)) {
        PyObject *pending = PyErr_GetRaisedException();
        report_pending(op, loop);
        PyErr_SetRaisedException(pending);
    }
    Py_XDECREF(loop);
    asyncio_future_finalize(op);
}

static int task_traverse(PyObject *op, visitproc visit, void *arg)
{
    task_object *self = TASK(op);
    Py_VISIT(self->coroutine);
    Py_VISIT(self->context);
    Py_VISIT(self->waiter);
    return asyncio_future_traverse(op, visit, arg);
}

static int task_clear(PyObject *op)
{
    task_object *self = TASK(op);
    PyObject **const fields[] = {&self->coroutine, &self->context, &self->waiter, &self->name};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fields); i++)
        asyncio_field_set_steal(op, fields[i], NULL);
    return asyncio_future_clear(op);
}

static void task_dealloc(PyObject *op) { asyncio_dealloc(op, task_clear); }

static PyMethodDef methods[] = {
    MODULE_METHOD("cancel", task_cancel, METH_VARARGS | METH_KEYWORDS,
                  "cancel($self, /, msg=None)\n--\n\nAsks the task to end: its coroutine will get a CancelledError where it waits."),
    {"cancelling", task_cancelling, METH_NOARGS, "cancelling($self, /)\n--\n\nHow many requests to cancel it are open."},
    {"uncancel", task_uncancel, METH_NOARGS, "uncancel($self, /)\n--\n\nTakes a request to cancel it back; how many are left."},
    {"get_coro", task_get_coro, METH_NOARGS, "get_coro($self, /)\n--\n\nIts coroutine."},
    {"get_name", task_get_name, METH_NOARGS, "get_name($self, /)\n--\n\nIts name."},
    {"set_name", task_set_name, METH_O, "set_name($self, value, /)\n--\n\nNames it."},
    MODULE_METHOD("get_stack", task_get_stack_, METH_VARARGS | METH_KEYWORDS,
                  "get_stack($self, /, *, limit=None)\n--\n\nThe frames of its coroutine."),
    MODULE_METHOD("print_stack", task_print_stack_, METH_VARARGS | METH_KEYWORDS,
                  "print_stack($self, /, *, limit=None, file=None)\n--\n\nPrints the frames of its coroutine."),
    {"set_result", refuse_result, METH_O, "set_result($self, result, /)\n--\n\n"},
    {"set_exception", refuse_exception, METH_O, "set_exception($self, exception, /)\n--\n\n"},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"_coro", get_coro, NULL, NULL, NULL},
    {"_fut_waiter", get_waiter, NULL, NULL, NULL},
    {"_must_cancel", get_must_cancel, NULL, NULL, NULL},
    {"_log_destroy_pending", get_log_destroy_pending, set_log_destroy_pending, NULL, NULL},
    {NULL},
};

PyTypeObject asyncio_task_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_asyncio.Task",
    .tp_basicsize = sizeof(task_object),
    .tp_dealloc = task_dealloc,
    .tp_repr = task_repr_,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Task(coro, *, loop=None, name=None, context=None)\n--\n\nA coroutine that runs in an event loop.",
    .tp_traverse = task_traverse,
    .tp_clear = task_clear,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_init = task_init,
    .tp_new = PyType_GenericNew,
    .tp_finalize = task_finalize,
};
