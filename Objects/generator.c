/* Generators and coroutines: their methods and types. (Activations: Python/vm/generator_frames.c; async generators: async_generator.c.) */
#include "Python.h"

#include "generator_frames.h"
#include "generator_methods.h"
#include "memory.h"
#include "structmember.h"
#include "thread_state.h"
#include "well_known_strings.h"

#define GEN(op) ((PyGenObject *)(op))

/* ---- StopIteration ---- */

int _PyGen_SetStopIterationValue(PyObject *value)
{
    if (value == NULL || (!PyTuple_Check(value) && !PyExceptionInstance_Check(value))) {
        PyErr_SetObject(PyExc_StopIteration, value);        /* the constructor takes it as its argument */
        return -1;
    }
    PyObject *exception = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (exception == NULL)
        return -1;
    PyErr_SetObject(PyExc_StopIteration, exception);
    Py_DECREF(exception);
    return -1;
}

int generator_fetch_stop_value(PyObject **value)
{
    *value = NULL;
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *exception = PyErr_GetRaisedException();
        *value = PyObject_GetAttr(exception, STR(value));
        Py_DECREF(exception);
        return *value != NULL ? 0 : -1;
    }
    if (PyErr_Occurred())
        return -1;
    *value = Py_None;
    return 0;
}

int _PyGen_FetchStopIterationValue(PyObject **value) { return generator_fetch_stop_value(value); }

PyObject *generator_result_to_object(PyGenObject *gen, PySendResult status, PyObject *result, int none_is_plain)
{
    if (status == PYGEN_NEXT || status == PYGEN_ERROR)
        return result;
    if (PyAsyncGen_CheckExact(gen))
        PyErr_SetNone(PyExc_StopAsyncIteration);
    else if (result != Py_None)
        _PyGen_SetStopIterationValue(result);
    else if (!none_is_plain)
        PyErr_SetNone(PyExc_StopIteration);
    Py_DECREF(result);
    return NULL;
}

/* ---- send, throw, close ---- */

static PySendResult gen_am_send(PyObject *op, PyObject *arg, PyObject **result)
{
    return generator_step(GEN(op), arg, result, 0);
}

PyObject *generator_send(PyObject *op, PyObject *arg)
{
    PyObject *result;
    PySendResult status = generator_step(GEN(op), arg, &result, 0);
    return generator_result_to_object(GEN(op), status, result, 0);
}

static PyObject *gen_iternext(PyObject *op) { return generator_next(GEN(op)); }

/* Raises the exception that is set inside the generator. */
static PyObject *throw_current(PyGenObject *gen, int closing)
{
    PyObject *result;
    PySendResult status = generator_step(gen, NULL, &result, closing);
    return generator_result_to_object(gen, status, result, 0);
}

/* The error indicator from throw()'s arguments: 0, or -1 with TypeError (nothing is thrown then). */
static int set_thrown(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (traceback == Py_None)
        traceback = NULL;
    else if (traceback != NULL && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
        return -1;
    }
    type = Py_NewRef(type);
    Py_XINCREF(value);
    Py_XINCREF(traceback);
    if (PyExceptionClass_Check(type))
        PyErr_NormalizeException(&type, &value, &traceback);
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
            goto fail;
        }
        Py_XSETREF(value, type);
        type = Py_NewRef((PyObject *)Py_TYPE(value));
        if (traceback == NULL)
            traceback = PyException_GetTraceback(value);
    }
    else {
        PyErr_Format(PyExc_TypeError, "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        goto fail;
    }
    PyErr_Restore(type, value, traceback);
    return 0;
fail:
    Py_DECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return -1;
}

/* Closes a sub-iterator: 0, or -1 with its exception. */
static int close_delegate(PyObject *delegate)
{
    PyObject *close = NULL, *result;
    if (PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate))
        result = generator_close(delegate, NULL);
    else {
        if (PyObject_GetOptionalAttr(delegate, STR(close), &close) < 0)
            PyErr_WriteUnraisable(delegate);
        if (close == NULL)
            return 0;
        result = PyObject_CallNoArgs(close);
        Py_DECREF(close);
    }
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}

PyObject *generator_throw(PyGenObject *gen, int close_on_exit, PyObject *type, PyObject *value, PyObject *traceback)
{
    PyObject *delegate = generator_delegate(gen), *result = NULL;
    if (delegate == NULL)
        return set_thrown(type, value, traceback) < 0 ? NULL : throw_current(gen, 0);

    if (close_on_exit && PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit)) {
        if (!generator_enter_delegate(gen)) {
            Py_DECREF(delegate);
            return NULL;
        }
        int status = close_delegate(delegate);
        generator_leave_delegate(gen);
        Py_DECREF(delegate);
        if (status < 0)
            return throw_current(gen, 0);
        return set_thrown(type, value, traceback) < 0 ? NULL : throw_current(gen, 0);
    }
    if (PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate)) {
        if (!generator_enter_delegate(gen)) {
            Py_DECREF(delegate);
            return NULL;
        }
        result = generator_throw(GEN(delegate), close_on_exit, type, value, traceback);
        generator_leave_delegate(gen);
    }
    else {
        PyObject *throw_method = NULL;
        if (PyObject_GetOptionalAttr(delegate, STR(throw), &throw_method) < 0) {
            Py_DECREF(delegate);
            return NULL;
        }
        if (throw_method == NULL) {
            Py_DECREF(delegate);
            return set_thrown(type, value, traceback) < 0 ? NULL : throw_current(gen, 0);
        }
        if (generator_enter_delegate(gen)) {
            result = PyObject_CallFunctionObjArgs(throw_method, type, value, traceback, NULL);
            generator_leave_delegate(gen);
        }
        Py_DECREF(throw_method);
    }
    Py_DECREF(delegate);
    if (result != NULL)
        return result;
    /* the sub-iterator is through: its value is the value of the yield from, or its exception is raised there */
    PyObject *stop_value;
    if (generator_fetch_stop_value(&stop_value) < 0)
        return throw_current(gen, 0);
    PyObject *step = generator_finish_delegate(gen, stop_value);
    Py_DECREF(stop_value);
    return step;
}

/* throw(type[, value[, traceback]]) */
PyObject *generator_throw_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("throw", nargs, 1, 3))
        return NULL;
    return generator_throw(GEN(op), 1, args[0], nargs > 1 ? args[1] : NULL, nargs > 2 ? args[2] : NULL);
}

PyObject *generator_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyGenObject *gen = GEN(op);
    PyObject *result;
    uint8_t state = GEN_CREATED;
    /* one that never ran is simply marked done */
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_CREATED
        && __atomic_compare_exchange_n(&gen->gi_state, &state, GEN_RUNNING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        generator_discard(gen);
        return Py_None;
    }
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_DONE)
        return Py_None;
    PyObject *delegate = generator_delegate(gen);
    int status = 0;
    if (delegate != NULL) {
        if (!generator_enter_delegate(gen)) {
            Py_DECREF(delegate);
            return NULL;
        }
        status = close_delegate(delegate);
        generator_leave_delegate(gen);
        Py_DECREF(delegate);
    }
    if (status == 0)
        PyErr_SetNone(PyExc_GeneratorExit);
    PySendResult step = generator_step(gen, NULL, &result, 1);
    if (step == PYGEN_NEXT) {
        Py_DECREF(result);
        PyErr_SetString(PyExc_RuntimeError, PyCoro_CheckExact(gen)       ? "coroutine ignored GeneratorExit"
                                            : PyAsyncGen_CheckExact(gen) ? "async generator ignored GeneratorExit"
                                                                         : "generator ignored GeneratorExit");
        return NULL;
    }
    if (step == PYGEN_RETURN) {
        Py_DECREF(result);
        return Py_None;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear();
        return Py_None;
    }
    return NULL;
}

/* ---- Life ---- */

void _PyGen_Finalize(PyObject *op)
{
    PyGenObject *gen = GEN(op);
    uint8_t state = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE);
    if (state == GEN_DONE)
        return;
    PyObject *saved = PyErr_GetRaisedException();
    if (PyAsyncGen_CheckExact(op)) {
        PyObject *finalizer = gen->gi_origin_or_hooks;
        if (finalizer != NULL && !gen->ag_closed) {
            PyObject *result = PyObject_CallOneArg(finalizer, op);
            if (result == NULL)
                PyErr_WriteUnraisable(op);
            Py_XDECREF(result);
            PyErr_SetRaisedException(saved);
            return;
        }
    }
    if (PyCoro_CheckExact(op) && state == GEN_CREATED)
        _PyErr_WarnUnawaitedCoroutine(op);
    PyObject *result = generator_close(op, NULL);
    if (result == NULL) {
        if (PyErr_Occurred())
            PyErr_WriteUnraisable(op);
    }
    else
        Py_DECREF(result);
    PyErr_SetRaisedException(saved);
}

void generator_dealloc(PyObject *op)
{
    PyGenObject *gen = GEN(op);
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(gen->gi_weakreflist))
        PyObject_ClearWeakRefs(op);
    PyObject_GC_Track(op);
    if (PyObject_CallFinalizerFromDealloc(op))
        return;         /* resurrected */
    PyObject_GC_UnTrack(op);
    generator_discard(gen);
    Py_CLEAR(gen->gi_origin_or_hooks);
    Py_CLEAR(gen->gi_code);
    Py_CLEAR(gen->gi_name);
    Py_CLEAR(gen->gi_qualname);
    PyObject_GC_Del(op);
}

int generator_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyGenObject *gen = GEN(op);
    Py_VISIT((PyObject *)gen->gi_code);
    Py_VISIT(gen->gi_origin_or_hooks);
    Py_VISIT(gen->gi_exc_state.exc_value);
    if (gen->gi_state == GEN_CREATED || gen->gi_state == GEN_SUSPENDED)
        return generator_visit_window(gen, visit, arg);
    return 0;
}

static PyObject *gen_repr(PyObject *op)
{
    const char *kind = PyCoro_CheckExact(op) ? "coroutine" : PyAsyncGen_CheckExact(op) ? "async_generator" : "generator";
    PyObject *name = generator_get_qualname(op, NULL), *text = PyUnicode_FromFormat("<%s object %S at %p>", kind, name, op);
    Py_DECREF(name);
    return text;
}

PyObject *generator_repr(PyObject *op) { return gen_repr(op); }

/* ---- Attributes (shared by all three types) ---- */

PyObject *generator_get_name(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *name;
    Py_BEGIN_CRITICAL_SECTION(op);
    name = Py_NewRef(GEN(op)->gi_name);
    Py_END_CRITICAL_SECTION();
    return name;
}

PyObject *generator_get_qualname(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *name;
    Py_BEGIN_CRITICAL_SECTION(op);
    name = Py_NewRef(GEN(op)->gi_qualname);
    Py_END_CRITICAL_SECTION();
    return name;
}

static int set_string(PyObject *op, PyObject **field, PyObject *value, const char *attribute)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be set to a string object", attribute);
        return -1;
    }
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = *field;
    *field = Py_NewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(old);
    return 0;
}

int generator_set_name(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    return set_string(op, &GEN(op)->gi_name, value, "__name__");
}

int generator_set_qualname(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    return set_string(op, &GEN(op)->gi_qualname, value, "__qualname__");
}

PyObject *generator_get_delegate(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *delegate = generator_delegate_seen(GEN(op));
    return delegate != NULL ? delegate : Py_None;
}

PyObject *generator_get_running(PyObject *op, void *Py_UNUSED(c))
{
    return PyBool_FromLong(__atomic_load_n(&GEN(op)->gi_state, __ATOMIC_ACQUIRE) == GEN_RUNNING);
}

PyObject *generator_get_suspended(PyObject *op, void *Py_UNUSED(c))
{
    return PyBool_FromLong(__atomic_load_n(&GEN(op)->gi_state, __ATOMIC_ACQUIRE) == GEN_SUSPENDED);
}

PyObject *generator_get_frame(PyObject *op, void *Py_UNUSED(c))
{
    PyGenObject *gen = GEN(op);
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_DONE)
        Py_RETURN_NONE;
    PyObject *frame = generator_frame_ref(gen);
    return frame != NULL || PyErr_Occurred() ? frame : Py_NewRef(Py_None);
}

PyObject *generator_get_code(PyObject *op, void *Py_UNUSED(c))
{
    const char *name = PyCoro_CheckExact(op) ? "cr_code" : PyAsyncGen_CheckExact(op) ? "ag_code" : "gi_code";
    if (PySys_Audit("object.__getattr__", "Os", op, name) < 0)
        return NULL;
    return Py_NewRef((PyObject *)GEN(op)->gi_code);
}

PyObject *PyGen_GetCode(PyGenObject *gen) { return Py_NewRef((PyObject *)gen->gi_code); }

static PyGetSetDef gen_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the generator", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the generator", NULL},
    {"gi_yieldfrom", generator_get_delegate, NULL, "object being iterated by yield from, or None", NULL},
    {"gi_running", generator_get_running, NULL, NULL, NULL},
    {"gi_frame", generator_get_frame, NULL, NULL, NULL},
    {"gi_suspended", generator_get_suspended, NULL, NULL, NULL},
    {"gi_code", generator_get_code, NULL, NULL, NULL},
    {NULL},
};

#define SEND_DOC "send(value, /)\n--\n\nResume with value as the result of the yield; returns the next value yielded."
#define THROW_DOC \
    "throw(value)\nthrow(type[, value[, traceback]])\n\nRaise an exception where the object is suspended; returns the next value yielded."
#define CLOSE_DOC "close()\n--\n\nRaise GeneratorExit where the object is suspended."

static PyMethodDef gen_methods[] = {
    {"send", generator_send, METH_O, SEND_DOC},
    {"throw", (PyCFunction)(void (*)(void))generator_throw_method, METH_FASTCALL, THROW_DOC},
    {"close", generator_close, METH_NOARGS, CLOSE_DOC},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

static PyAsyncMethods gen_async = {.am_send = gen_am_send};

PyTypeObject PyGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "generator",
    .tp_basicsize = offsetof(PyGenObject, gi_window),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc,
    .tp_as_async = &gen_async,
    .tp_repr = gen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = gen_iternext,
    .tp_methods = gen_methods,
    .tp_getset = gen_getset,
    .tp_finalize = _PyGen_Finalize,
};

/* ---- Coroutines ---- */

typedef struct {
    PyObject_HEAD
    PyObject *coroutine;
} coroutine_wrapper_t;

static PyObject *coro_await(PyObject *op)
{
    coroutine_wrapper_t *wrapper = PyObject_GC_New(coroutine_wrapper_t, &_PyCoroWrapper_Type);
    if (wrapper == NULL)
        return NULL;
    wrapper->coroutine = Py_NewRef(op);
    PyObject_GC_Track(wrapper);
    return (PyObject *)wrapper;
}

static PyObject *coro_get_origin(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *origin = GEN(op)->gi_origin_or_hooks;
    return Py_NewRef(origin != NULL ? origin : Py_None);
}

static PyGetSetDef coro_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the coroutine", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the coroutine", NULL},
    {"cr_await", generator_get_delegate, NULL, "object being awaited on, or None", NULL},
    {"cr_running", generator_get_running, NULL, NULL, NULL},
    {"cr_frame", generator_get_frame, NULL, NULL, NULL},
    {"cr_suspended", generator_get_suspended, NULL, NULL, NULL},
    {"cr_code", generator_get_code, NULL, NULL, NULL},
    {"cr_origin", coro_get_origin, NULL, NULL, NULL},
    {NULL},
};

#define CORO_SEND_DOC "send(value, /)\n--\n\nPut value into coroutine as the result of what it awaits; returns what it yields next."
#define CORO_THROW_DOC \
    "throw(value)\nthrow(type[, value[, traceback]])\n\nRaise an exception in coroutine, where it is suspended; returns what it yields next."
#define CORO_CLOSE_DOC "close()\n--\n\nRaise GeneratorExit inside coroutine, where it is suspended."

static PyMethodDef coro_methods[] = {
    {"send", generator_send, METH_O, CORO_SEND_DOC},
    {"throw", (PyCFunction)(void (*)(void))generator_throw_method, METH_FASTCALL, CORO_THROW_DOC},
    {"close", generator_close, METH_NOARGS, CORO_CLOSE_DOC},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

static PyAsyncMethods coro_async = {.am_await = coro_await, .am_send = gen_am_send};

PyTypeObject PyCoro_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine",
    .tp_basicsize = offsetof(PyGenObject, gi_window),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc,
    .tp_as_async = &coro_async,
    .tp_repr = gen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_methods = coro_methods,
    .tp_getset = coro_getset,
    .tp_finalize = _PyGen_Finalize,
};

static PyObject *wrapper_send(PyObject *op, PyObject *arg) { return generator_send(((coroutine_wrapper_t *)op)->coroutine, arg); }
static PyObject *wrapper_iternext(PyObject *op) { return gen_iternext(((coroutine_wrapper_t *)op)->coroutine); }
static PyObject *wrapper_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return generator_throw_method(((coroutine_wrapper_t *)op)->coroutine, args, nargs);
}
static PyObject *wrapper_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return generator_close(((coroutine_wrapper_t *)op)->coroutine, NULL);
}

static void wrapper_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((coroutine_wrapper_t *)op)->coroutine);
    PyObject_GC_Del(op);
}

static int wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((coroutine_wrapper_t *)op)->coroutine);
    return 0;
}

static PyMethodDef wrapper_methods[] = {
    {"send", wrapper_send, METH_O, CORO_SEND_DOC},
    {"throw", (PyCFunction)(void (*)(void))wrapper_throw, METH_FASTCALL, CORO_THROW_DOC},
    {"close", wrapper_close, METH_NOARGS, CORO_CLOSE_DOC},
    {NULL},
};

PyTypeObject _PyCoroWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine_wrapper",
    .tp_basicsize = sizeof(coroutine_wrapper_t),
    .tp_dealloc = wrapper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "The iterator that a coroutine's __await__ returns.",
    .tp_traverse = wrapper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = wrapper_iternext,
    .tp_methods = wrapper_methods,
};

/* ---- Awaiting ---- */

PyObject *coroutine_get_awaitable(PyObject *op)
{
    if (PyCoro_CheckExact(op) || (PyGen_CheckExact(op) && (GEN(op)->gi_code->co_flags & CO_ITERABLE_COROUTINE)))
        return Py_NewRef(op);
    PyAsyncMethods *methods = Py_TYPE(op)->tp_as_async;
    if (methods == NULL || methods->am_await == NULL) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression", Py_TYPE(op)->tp_name);
        return NULL;
    }
    PyObject *iterator = methods->am_await(op);
    if (iterator == NULL)
        return NULL;
    if (PyCoro_CheckExact(iterator)
        || (PyGen_CheckExact(iterator) && (GEN(iterator)->gi_code->co_flags & CO_ITERABLE_COROUTINE))) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(iterator);
    }
    else if (!PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'", Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    return iterator;
}

/* A tuple of (filename, line, function) of the innermost depth frames. */
static PyObject *coroutine_origin(PyThreadState *ts, int depth)
{
    frame_t *f = frame_first_complete(ts->frame);
    int n = 0;
    for (frame_t *g = f; g != NULL && n < depth; g = frame_first_complete(g->previous))
        n++;
    PyObject *origin = PyTuple_New(n);
    for (int i = 0; i < n && origin != NULL; i++, f = frame_first_complete(f->previous)) {
        PyObject *entry = Py_BuildValue("OiO", f->code->co_filename, frame_line_number(f), f->code->co_name);
        if (entry == NULL)
            Py_CLEAR(origin);
        else
            PyTuple_SET_ITEM(origin, i, entry);
    }
    return origin;
}

int generator_set_origin(PyThreadState *ts, PyGenObject *gen)
{
    int depth = ts->coroutine_origin_tracking_depth;
    if (depth <= 0)
        return 0;
    frame_t *running = ts->frame;           /* the coroutine's own, not started: its caller made it */
    ts->frame = running->previous;
    gen->gi_origin_or_hooks = coroutine_origin(ts, depth);
    ts->frame = running;
    return gen->gi_origin_or_hooks != NULL ? 0 : -1;
}
