/* Out-of-line instructions of yield from, await and async for. */
#include "Python.h"

#include "generator.h"
#include "thread_state.h"
#include "trace.h"
#include "vm_slow.h"

int vm_get_yield_from_iter(frame_t *f, const instruction_t *at)
{
    PyObject *iterable = operand_read(f, AT_B(at));
    PyObject *iterator = NULL;
    if (iterable == NULL)
        return -1;
    if (PyCoro_CheckExact(iterable)) {
        if (f->code->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))
            iterator = Py_NewRef(iterable);
        else
            PyErr_SetString(PyExc_TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
    }
    else if (PyGen_CheckExact(iterable))
        iterator = Py_NewRef(iterable);
    else
        iterator = PyObject_GetIter(iterable);
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), iterator);
}

int vm_get_awaitable(frame_t *f, const instruction_t *at)
{
    PyObject *op = operand_read(f, AT_B(at));
    PyObject *iterator = NULL;
    if (op == NULL)
        return -1;
    iterator = coroutine_get_awaitable(op);
    if (iterator == NULL && AT_C(at) != 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyAsyncMethods *methods = Py_TYPE(op)->tp_as_async;
        if (methods == NULL || methods->am_await == NULL)
            PyErr_Format(PyExc_TypeError,
                         AT_C(at) == 1 ? "'async with' received an object from __aenter__ that does not implement __await__: %.100s"
                                       : "'async with' received an object from __aexit__ that does not implement __await__: %.100s",
                         Py_TYPE(op)->tp_name);
    }
    if (iterator != NULL && PyCoro_CheckExact(iterator)) {
        PyObject *delegate = generator_delegate((PyGenObject *)iterator);
        if (delegate != NULL) {
            Py_DECREF(delegate);
            Py_CLEAR(iterator);
            PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        }
    }
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), iterator);
}

int vm_get_aiter(frame_t *f, const instruction_t *at)
{
    PyObject *op = operand_read(f, AT_B(at));
    PyObject *iterator = NULL;
    if (op == NULL)
        return -1;
    PyAsyncMethods *methods = Py_TYPE(op)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL)
        PyErr_Format(PyExc_TypeError, "'async for' requires an object with __aiter__ method, got %.100s", Py_TYPE(op)->tp_name);
    else {
        iterator = methods->am_aiter(op);
        methods = iterator != NULL ? Py_TYPE(iterator)->tp_as_async : NULL;
        if (iterator != NULL && (methods == NULL || methods->am_anext == NULL)) {
            PyErr_Format(PyExc_TypeError,
                         "'async for' received an object from __aiter__ that does not implement __anext__: %.100s",
                         Py_TYPE(iterator)->tp_name);
            Py_CLEAR(iterator);
        }
    }
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), iterator);
}

int vm_get_anext(frame_t *f, const instruction_t *at)
{
    return result_store(f, AT_A(at), coroutine_get_anext(f->slots[AT_B(at)]));
}

int vm_async_gen_wrap(frame_t *f, const instruction_t *at)
{
    PyObject *value = operand_read(f, AT_B(at));
    PyObject *wrapped = value != NULL ? async_gen_wrap_value(value) : NULL;
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), wrapped);
}

int vm_send(frame_t *f, const instruction_t *at)
{
    unsigned a = AT_A(at), b = AT_B(at);
    PyObject *receiver = f->slots[a];
    PyObject *value = slot_to_owned(f->slots[b]), *result = NULL;
    f->slots[b] = NULL;
    PySendResult status;
    PyThreadState *ts = thread_current();
    PyTypeObject *type = Py_TYPE(receiver);
    /* a trace function wants to see the exception by which an iterator returns */
    int without_exception = type->tp_as_async != NULL && type->tp_as_async->am_send != NULL
                            && (Py_LIKELY(!ts->use_tracing) || type == &PyGen_Type || type == &PyCoro_Type);
    if (value == Py_None && PyIter_Check(receiver) && !without_exception) {
        result = type->tp_iternext(receiver);
        if (result == NULL && ts->use_tracing && PyErr_ExceptionMatches(PyExc_StopIteration))
            trace_exception(ts, f);
        if (result != NULL)
            status = PYGEN_NEXT;
        else
            status = generator_fetch_stop_value(&result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
    }
    else
        status = PyIter_Send(receiver, value, &result);
    Py_DECREF(value);
    if (status == PYGEN_ERROR)
        return -1;
    slot_store(f->slots, b, owned_to_slot(result));
    if (status == PYGEN_NEXT)
        return 1;
    slot_clear(f->slots, a);
    return 0;
}

int vm_end_async_for(frame_t *f, const instruction_t *at)
{
    PyObject *exception = f->slots[AT_B(at)];
    if (PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration)) {
        slot_clear(f->slots, AT_B(at));
        slot_clear(f->slots, AT_A(at));
        return 1;
    }
    f->slots[AT_B(at)] = NULL;
    PyErr_SetRaisedException(slot_to_owned(exception));
    return 0;
}
