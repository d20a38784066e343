/* The iterator protocol. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/call.h"
#include "internal/gil.h"
#include "internal/well_known_strings.h"

int PyIter_Check(PyObject *op)
{
    iternextfunc next = Py_TYPE(op)->tp_iternext;
    return next != NULL && next != &_PyObject_NextNotImplemented;
}

int PyAIter_Check(PyObject *op)
{
    PyAsyncMethods *m = Py_TYPE(op)->tp_as_async;
    return m != NULL && m->am_anext != NULL && m->am_anext != (unaryfunc)&_PyObject_NextNotImplemented;
}

PyObject *PyObject_GetIter(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_iter == NULL) {
        if (PySequence_Check(op))
            return PySeqIter_New(op);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", type->tp_name);
        return NULL;
    }
    PyObject *iter = type->tp_iter(op);
    if (iter != NULL && !PyIter_Check(iter)) {
        PyErr_Format(PyExc_TypeError, "iter() returned non-iterator of type '%.100s'", Py_TYPE(iter)->tp_name);
        Py_CLEAR(iter);
    }
    return iter;
}

PyObject *PyObject_GetAIter(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_async == NULL || type->tp_as_async->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterable", type->tp_name);
        return NULL;
    }
    PyObject *iter = type->tp_as_async->am_aiter(op);
    if (iter != NULL && !PyAIter_Check(iter)) {
        PyErr_Format(PyExc_TypeError, "aiter() returned not an async iterator of type '%.100s'",
                     Py_TYPE(iter)->tp_name);
        Py_CLEAR(iter);
    }
    return iter;
}

int iter_clear_stop(void)
{
    if (!PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return -1;
    PyErr_Clear();
    return 0;
}

int call_loop_breaker(PyThreadState *ts)
{
    if (!gil_is_enabled())
        return thread_handle_breaker(ts);
    return __atomic_load_n(&ts->breaker, __ATOMIC_RELAXED) & BREAKER_SIGNALS ? PyErr_CheckSignals() : 0;
}

PyObject *PyIter_Next(PyObject *iter)
{
    PyObject *item = call_iternext(iter);
    if (item == NULL)
        (void)iter_clear_stop();
    return item;
}

int PyIter_NextItem(PyObject *iter, PyObject **item)
{
    iternextfunc next = Py_TYPE(iter)->tp_iternext;
    if (next == NULL) {
        *item = NULL;
        PyErr_Format(PyExc_TypeError, "expected an iterator, got '%.200s'", Py_TYPE(iter)->tp_name);
        return -1;
    }
    *item = call_iternext(iter);
    return *item != NULL ? 1 : iter_clear_stop();
}

PySendResult PyIter_Send(PyObject *iter, PyObject *value, PyObject **result)
{
    PyAsyncMethods *m = Py_TYPE(iter)->tp_as_async;
    if (m != NULL && m->am_send != NULL)
        return m->am_send(iter, value, result);
    if (value == Py_None && PyIter_Check(iter)) {
        *result = Py_TYPE(iter)->tp_iternext(iter);
    }
    else {
        *result = PyObject_CallMethodOneArg(iter, STR(send), value);
    }
    if (*result != NULL)
        return PYGEN_NEXT;
    return _PyGen_FetchStopIterationValue(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}
