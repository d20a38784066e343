/* Asynchronous generators (PEP 525): the awaitables of asend, athrow, aclose and __anext__. */
#include "Python.h"

#include "generator_methods.h"
#include "memory.h"
#include "structmember.h"
#include "thread_state.h"
#include "well_known_strings.h"

#define GEN(op) ((PyGenObject *)(op))

/* A value on its way out of an async generator, told apart from what it awaits. */
typedef struct {
    PyObject_HEAD
    PyObject *value;
} wrapped_value_t;

typedef enum { AWAITABLE_INIT, AWAITABLE_ITERATING, AWAITABLE_CLOSED } awaitable_state_t;

/* asend() and __anext__(): one step of the generator, as an iterator. */
typedef struct {
    PyObject_HEAD
    PyGenObject *generator;
    PyObject *send_value;       /* NULL for __anext__ */
    awaitable_state_t state;    /* [atomic] */
} asend_t;

/* athrow() and aclose(). */
typedef struct {
    PyObject_HEAD
    PyGenObject *generator;
    PyObject *args;             /* of throw; NULL for aclose */
    awaitable_state_t state;    /* [atomic] */
} athrow_t;

/* The flags of the generator and the states of its awaitables are atomic: threads may share them. Steps exclude each other by the
 * state of the generator itself. */
#define GET(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define SET(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

/* ---- Wrapped values ---- */

PyObject *async_gen_wrap_value(PyObject *value)
{
    wrapped_value_t *wrapped = PyObject_GC_New(wrapped_value_t, &_PyAsyncGenWrappedValue_Type);
    if (wrapped == NULL)
        return NULL;
    wrapped->value = Py_NewRef(value);
    PyObject_GC_Track(wrapped);
    return (PyObject *)wrapped;
}

static void wrapped_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((wrapped_value_t *)op)->value);
    PyObject_GC_Del(op);
}

static int wrapped_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((wrapped_value_t *)op)->value);
    return 0;
}

PyTypeObject _PyAsyncGenWrappedValue_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_wrapped_value",
    .tp_basicsize = sizeof(wrapped_value_t),
    .tp_dealloc = wrapped_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = wrapped_traverse,
};

/* ---- Steps ---- */

/* What a step of the generator gave, seen from the awaitable: an awaited thing's yield goes on to the event loop, a wrapped
 * value ends the await with StopIteration(value). Steals result. */
static PyObject *unwrap(PyGenObject *gen, PyObject *result)
{
    if (result == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetNone(PyExc_StopAsyncIteration);
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit))
            SET(gen->ag_closed, 1);
        SET(gen->ag_running_async, 0);
        return NULL;
    }
    if (Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        SET(gen->ag_running_async, 0);
        _PyGen_SetStopIterationValue(((wrapped_value_t *)result)->value);
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

/* First use of an async generator: tells the event loop's hooks. 0 or -1. */
static int init_hooks(PyGenObject *gen)
{
    PyThreadState *ts = thread_current();
    if (GET(gen->ag_hooks_inited) || __atomic_exchange_n(&gen->ag_hooks_inited, 1, __ATOMIC_RELAXED))
        return 0;
    gen->gi_origin_or_hooks = Py_XNewRef(ts->async_gen_finalizer);     /* read by the finaliser alone */
    PyObject *first = ts->async_gen_firstiter;
    if (first == NULL)
        return 0;
    Py_INCREF(first);
    PyObject *result = PyObject_CallOneArg(first, (PyObject *)gen);
    Py_DECREF(first);
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}

static int reused(const char *what)
{
    PyErr_Format(PyExc_RuntimeError, "cannot reuse already awaited %s", what);
    return -1;
}

/* ---- asend ---- */

static PyObject *asend_send(PyObject *op, PyObject *arg)
{
    asend_t *self = (asend_t *)op;
    if (GET(self->state) == AWAITABLE_CLOSED) {
        reused("__anext__()/asend()");
        return NULL;
    }
    if (GET(self->state) == AWAITABLE_INIT) {
        if (GET(self->generator->ag_running_async)) {
            PyErr_SetString(PyExc_RuntimeError, "anext(): asynchronous generator is already running");
            return NULL;
        }
        if (arg == NULL || arg == Py_None)
            arg = self->send_value != NULL ? self->send_value : Py_None;
        SET(self->state, AWAITABLE_ITERATING);
    }
    SET(self->generator->ag_running_async, 1);
    PyObject *result = unwrap(self->generator, generator_send((PyObject *)self->generator, arg));
    if (result == NULL)
        SET(self->state, AWAITABLE_CLOSED);
    return result;
}

static PyObject *asend_iternext(PyObject *op) { return asend_send(op, Py_None); }

static PyObject *asend_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    asend_t *self = (asend_t *)op;
    if (GET(self->state) == AWAITABLE_CLOSED) {
        reused("__anext__()/asend()");
        return NULL;
    }
    PyObject *result = unwrap(self->generator, generator_throw_method((PyObject *)self->generator, args, nargs));
    if (result == NULL)
        SET(self->state, AWAITABLE_CLOSED);
    return result;
}

static PyObject *asend_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    SET(((asend_t *)op)->state, AWAITABLE_CLOSED);
    Py_RETURN_NONE;
}

static void asend_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((asend_t *)op)->generator);
    Py_CLEAR(((asend_t *)op)->send_value);
    PyObject_GC_Del(op);
}

static int asend_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)((asend_t *)op)->generator);
    Py_VISIT(((asend_t *)op)->send_value);
    return 0;
}

#define AWAITABLE_METHODS(prefix) \
    { \
        {"send", prefix##_send, METH_O, "Go on with value as the result of what was awaited."}, \
        {"throw", (PyCFunction)(void (*)(void))prefix##_throw, METH_FASTCALL, "Raise an exception where it waits."}, \
        {"close", prefix##_close, METH_NOARGS, "Give up."}, \
        {NULL}, \
    }

static PyMethodDef asend_methods[] = AWAITABLE_METHODS(asend);
static PyAsyncMethods asend_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenASend_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_asend",
    .tp_basicsize = sizeof(asend_t),
    .tp_dealloc = asend_dealloc,
    .tp_as_async = &asend_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = asend_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = asend_iternext,
    .tp_methods = asend_methods,
};

static PyObject *asend_new(PyGenObject *gen, PyObject *value)
{
    asend_t *self = PyObject_GC_New(asend_t, &_PyAsyncGenASend_Type);
    if (self == NULL)
        return NULL;
    self->generator = (PyGenObject *)Py_NewRef((PyObject *)gen);
    self->send_value = Py_XNewRef(value);
    self->state = AWAITABLE_INIT;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* ---- athrow, aclose ---- */

static PyObject *athrow_first_step(athrow_t *self)
{
    PyGenObject *gen = self->generator;
    if (self->args == NULL)
        return generator_throw(gen, 0, PyExc_GeneratorExit, NULL, NULL);
    PyObject *type, *value = NULL, *traceback = NULL;
    if (!PyArg_UnpackTuple(self->args, "athrow", 1, 3, &type, &value, &traceback))
        return NULL;
    return generator_throw(gen, 0, type, value, traceback);
}

/* The end of aclose(): what counts as a clean end becomes StopIteration. */
static PyObject *aclose_check(athrow_t *self, PyObject *result)
{
    PyGenObject *gen = self->generator;
    if (result != NULL && Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        Py_DECREF(result);
        SET(gen->ag_running_async, 0);
        SET(self->state, AWAITABLE_CLOSED);
        PyErr_SetString(PyExc_RuntimeError, "async generator ignored GeneratorExit");
        return NULL;
    }
    if (result == NULL) {
        SET(gen->ag_running_async, 0);
        SET(self->state, AWAITABLE_CLOSED);
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            PyErr_Clear();
            PyErr_SetNone(PyExc_StopIteration);
        }
    }
    return result;
}

static PyObject *athrow_send(PyObject *op, PyObject *arg)
{
    athrow_t *self = (athrow_t *)op;
    PyGenObject *gen = self->generator;
    PyObject *result;
    if (GET(self->state) == AWAITABLE_CLOSED) {
        reused("aclose()/athrow()");
        return NULL;
    }
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_DONE) {
        SET(self->state, AWAITABLE_CLOSED);
        PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    }
    if (GET(self->state) == AWAITABLE_INIT) {
        if (GET(gen->ag_running_async)) {
            SET(self->state, AWAITABLE_CLOSED);
            PyErr_SetString(PyExc_RuntimeError, self->args == NULL ? "aclose(): asynchronous generator is already running"
                                                                   : "athrow(): asynchronous generator is already running");
            return NULL;
        }
        if (GET(gen->ag_closed)) {
            SET(self->state, AWAITABLE_CLOSED);
            PyErr_SetNone(PyExc_StopAsyncIteration);
            return NULL;
        }
        if (arg != Py_None) {
            PyErr_SetString(PyExc_RuntimeError, "can't send non-None value to a just-started coroutine");
            return NULL;
        }
        SET(self->state, AWAITABLE_ITERATING);
        SET(gen->ag_running_async, 1);
        if (self->args == NULL)
            SET(gen->ag_closed, 1);
        result = athrow_first_step(self);
    }
    else
        result = generator_send((PyObject *)gen, arg);
    if (self->args == NULL)
        return aclose_check(self, result);
    result = unwrap(gen, result);
    if (result == NULL)
        SET(self->state, AWAITABLE_CLOSED);
    return result;
}

static PyObject *athrow_iternext(PyObject *op) { return athrow_send(op, Py_None); }

static PyObject *athrow_throw(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    athrow_t *self = (athrow_t *)op;
    if (GET(self->state) == AWAITABLE_CLOSED) {
        reused("aclose()/athrow()");
        return NULL;
    }
    PyObject *result = generator_throw_method((PyObject *)self->generator, args, nargs);
    if (self->args == NULL)
        return aclose_check(self, result);
    return unwrap(self->generator, result);
}

static PyObject *athrow_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    SET(((athrow_t *)op)->state, AWAITABLE_CLOSED);
    Py_RETURN_NONE;
}

static void athrow_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((athrow_t *)op)->generator);
    Py_CLEAR(((athrow_t *)op)->args);
    PyObject_GC_Del(op);
}

static int athrow_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)((athrow_t *)op)->generator);
    Py_VISIT(((athrow_t *)op)->args);
    return 0;
}

static PyMethodDef athrow_methods[] = AWAITABLE_METHODS(athrow);
static PyAsyncMethods athrow_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenAThrow_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_athrow",
    .tp_basicsize = sizeof(athrow_t),
    .tp_dealloc = athrow_dealloc,
    .tp_as_async = &athrow_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = athrow_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = athrow_iternext,
    .tp_methods = athrow_methods,
};

static PyObject *athrow_new(PyGenObject *gen, PyObject *args)
{
    athrow_t *self = PyObject_GC_New(athrow_t, &_PyAsyncGenAThrow_Type);
    if (self == NULL)
        return NULL;
    self->generator = (PyGenObject *)Py_NewRef((PyObject *)gen);
    self->args = Py_XNewRef(args);
    self->state = AWAITABLE_INIT;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* ---- The generator ---- */

static PyObject *agen_anext(PyObject *op) { return init_hooks(GEN(op)) < 0 ? NULL : asend_new(GEN(op), NULL); }
static PyObject *agen_asend(PyObject *op, PyObject *value) { return init_hooks(GEN(op)) < 0 ? NULL : asend_new(GEN(op), value); }
static PyObject *agen_athrow(PyObject *op, PyObject *args) { return init_hooks(GEN(op)) < 0 ? NULL : athrow_new(GEN(op), args); }
static PyObject *agen_aclose(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return init_hooks(GEN(op)) < 0 ? NULL : athrow_new(GEN(op), NULL);
}

static PyObject *agen_get_running(PyObject *op, void *Py_UNUSED(c)) { return PyBool_FromLong(GET(GEN(op)->ag_running_async)); }

static PyGetSetDef agen_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the async generator", NULL},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the async generator", NULL},
    {"ag_await", generator_get_delegate, NULL, "object being awaited on, or None", NULL},
    {"ag_running", agen_get_running, NULL, NULL, NULL},
    {"ag_frame", generator_get_frame, NULL, NULL, NULL},
    {"ag_code", generator_get_code, NULL, NULL, NULL},
    {"ag_suspended", generator_get_suspended, NULL, NULL, NULL},
    {NULL},
};

static PyMethodDef agen_methods[] = {
    {"asend", agen_asend, METH_O, "asend(value, /)\n--\n\nAwaitable: resume with value; its result is the next value yielded."},
    {"athrow", agen_athrow, METH_VARARGS, "athrow(type[, value[, traceback]])\n\nAwaitable: raise an exception in the generator."},
    {"aclose", agen_aclose, METH_NOARGS, "aclose()\n--\n\nAwaitable: raise GeneratorExit in the generator."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

static PyAsyncMethods agen_async = {.am_aiter = PyObject_SelfIter, .am_anext = agen_anext};

PyTypeObject PyAsyncGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator",
    .tp_basicsize = offsetof(PyGenObject, gi_window),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc,
    .tp_as_async = &agen_async,
    .tp_repr = generator_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_methods = agen_methods,
    .tp_getset = agen_getset,
    .tp_finalize = _PyGen_Finalize,
};

/* ---- async for ---- */

PyObject *coroutine_get_anext(PyObject *aiter)
{
    if (PyAsyncGen_CheckExact(aiter))
        return agen_anext(aiter);
    PyAsyncMethods *methods = Py_TYPE(aiter)->tp_as_async;
    if (methods == NULL || methods->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError, "'async for' requires an iterator with __anext__ method, got %.100s",
                     Py_TYPE(aiter)->tp_name);
        return NULL;
    }
    PyObject *next = methods->am_anext(aiter);
    if (next == NULL)
        return NULL;
    PyObject *awaitable = coroutine_get_awaitable(next);
    if (awaitable == NULL)
        _PyErr_FormatFromCause(PyExc_TypeError, "'async for' received an invalid object from __anext__: %.100s", Py_TYPE(next)->tp_name);
    Py_DECREF(next);
    return awaitable;
}
