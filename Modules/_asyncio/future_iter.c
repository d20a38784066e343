/* Awaiting a future: an iterator that hands the future out once, and then has its result. */
#include "asyncio.h"

typedef struct {
    PyObject_HEAD
    PyObject *future;                   /* [lock] counted, or NULL: used up */
} iter_object;

#define SELF(op) ((iter_object *)(op))

PyObject *asyncio_future_iter(PyObject *op)
{
    if (asyncio_future_check(op) < 0)
        return NULL;
    iter_object *self = PyObject_GC_New(iter_object, &asyncio_iter_type);
    if (self == NULL)
        return NULL;
    self->future = Py_NewRef(op);
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(SELF(op)->future);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(SELF(op)->future);
    return 0;
}

static int iter_clear(PyObject *op)
{
    Py_CLEAR(SELF(op)->future);
    return 0;
}

static PySendResult iter_send(PyObject *op, PyObject *unused, PyObject **result)
{
    PyObject *future = asyncio_field_get(op, &SELF(op)->future);
    *result = NULL;
    if (future == NULL) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    int pending, blocking;
    Py_BEGIN_CRITICAL_SECTION(future);
    pending = FUTURE(future)->state == PENDING;
    blocking = FUTURE(future)->blocking;
    if (pending)
        FUTURE(future)->blocking = 1;
    Py_END_CRITICAL_SECTION();
    if (pending && !blocking) {
        *result = future;
        return PYGEN_NEXT;
    }
    if (pending)
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
    else {
        asyncio_field_set_steal(op, &SELF(op)->future, NULL);
        *result = asyncio_future_result(future);
    }
    Py_DECREF(future);
    return *result != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *iter_next(PyObject *op)
{
    PyObject *result;
    switch (iter_send(op, Py_None, &result)) {
    case PYGEN_NEXT:
        return result;
    case PYGEN_RETURN:
        if (result != Py_None)
            _PyGen_SetStopIterationValue(result);
        else
            PyErr_SetNone(PyExc_StopIteration);
        Py_DECREF(result);
        return NULL;
    default:
        return NULL;
    }
}

static PyObject *iter_send_method(PyObject *op, PyObject *unused)
{
    PyObject *result = iter_next(op);
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetNone(PyExc_StopIteration);
    return result;
}

static PyObject *iter_throw(PyObject *op, PyObject *args)
{
    PyObject *type, *value = NULL, *traceback = NULL;
    if (!PyArg_UnpackTuple(args, "throw", 1, 3, &type, &value, &traceback))
        return NULL;
    if (traceback == Py_None)
        traceback = NULL;
    else if (traceback != NULL && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback");
        return NULL;
    }
    if (PyExceptionInstance_Check(type) && value != NULL && value != Py_None) {
        PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
        return NULL;
    }
    if (!PyExceptionInstance_Check(type) && !PyExceptionClass_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "exceptions must be classes deriving BaseException or instances of such a class");
        return NULL;
    }
    asyncio_field_set_steal(op, &SELF(op)->future, NULL);
    PyObject *exception = type;
    if (PyExceptionInstance_Check(type)) {
        type = (PyObject *)Py_TYPE(exception);
        value = exception;
        if (traceback == NULL)
            traceback = PyException_GetTraceback(exception);
        else
            Py_INCREF(traceback);
    }
    else {
        Py_XINCREF(traceback);
    }
    PyErr_Restore(Py_NewRef(type), Py_XNewRef(value), traceback);
    return NULL;
}

static PyObject *iter_close(PyObject *op, PyObject *unused)
{
    asyncio_field_set_steal(op, &SELF(op)->future, NULL);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"send", iter_send_method, METH_O, NULL},
    {"throw", iter_throw, METH_VARARGS, NULL},
    {"close", iter_close, METH_NOARGS, NULL},
    {NULL},
};

static PyAsyncMethods as_async = {.am_send = iter_send};

PyTypeObject asyncio_iter_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_asyncio.FutureIter",
    .tp_basicsize = sizeof(iter_object),
    .tp_dealloc = iter_dealloc,
    .tp_as_async = &as_async,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iter_traverse,
    .tp_clear = iter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = methods,
};
