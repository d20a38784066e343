/* Calls of the register machine: pushing and popping activations, calling C, binding arguments. */
#ifndef BRAID_CALLS_H
#define BRAID_CALLS_H

#include "function.h"
#include "thread_state.h"
#include "vm_slow.h"

/* Pushes an activation of func with arguments args[0..nargs) (slot references, moved) and keyword values behind them.
 * caller: the activation that calls, or NULL when called from C.  Where args lie in the caller's temporaries on the thread's stack, the
 * new window starts at them; otherwise they are moved to the top of the stack.
 * func: the slot reference moves into the record on success; on failure the caller keeps it.
 * Returns the record, made current, pc at the first instruction; or NULL with an exception set, the arguments released. */
frame_t *call_push_general(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args, Py_ssize_t nargs,
                           PyObject *kwnames);

/* Pops the current activation: lets the frame object take over if somebody holds it, releases the window and func. Keeps the error indicator. */
void call_pop_slow(PyThreadState *ts, frame_t *f);
void call_pop_raising(PyThreadState *ts, frame_t *f);
/* Closes the newest chunk; the caller has put stack_top back already. */
void call_close_chunk(PyThreadState *ts, stack_chunk_t *chunk);
/* Releases all slots of f's window: temporaries from the top down, then locals and cells upwards. */
void call_release_window(frame_t *f);

/* Calls any callable with the temporaries base, args.. of frame f, which are released. New reference or NULL. */
PyObject *call_native(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames);

/* A call of a class whose instances are made by object.__new__ and initialised by a Python __init__: makes the instance and pushes the activation
 * of __init__ (FRAME_INIT).  Without an __init__: the instance is in the place of the class already.  Returns 1, then 2, 0 if the class is not of that kind (nothing has changed), -1 with an exception set. */
int call_class(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames, frame_t **inner);
/* The end of such an activation: checks that value (taken over) is None. The instance, owned, or NULL with TypeError. */
PyObject *call_class_result(PyObject *self, PyObject *value);

/* CALL_EX. *inner: the activation pushed for a Python function (the result comes later), or NULL. */
PyObject *call_ex(PyThreadState *ts, frame_t *f, const instruction_t *at, frame_t **inner);

/* The record above the current one. NULL with MemoryError. */
frame_t *frame_record_grow(PyThreadState *ts);
static inline frame_t *frame_record_next(PyThreadState *ts)
{
    frame_t *current = ts->frame;
    frame_t *next = current != NULL ? current->next : (frame_t *)ts->freelists[0];
    return Py_LIKELY(next != NULL) ? next : frame_record_grow(ts);
}

/* Raises RecursionError "maximum recursion depth exceeded" + where; the instance is made in room kept for that. Returns -1. */
int call_recursion_error(PyThreadState *ts, const char *where);

/* Calls of classes that return the argument itself, or its type: type(x), int(5), str('x') ...; NULL: not such a call.  Borrowed. */
static inline Py_ALWAYS_INLINE PyObject *call_class_identity(PyObject *callee, PyObject *arg)
{
    if (callee == (PyObject *)&PyType_Type)
        return (PyObject *)Py_TYPE(arg);
    if (callee == (PyObject *)&PyLong_Type)
        return value_is_int(arg) ? arg : NULL;
    if (callee == (PyObject *)&PyFloat_Type)
        return value_is_float(arg) ? arg : NULL;
    if (callee == (PyObject *)&PyUnicode_Type)
        return heap_is_type(arg, &PyUnicode_Type) ? arg : NULL;
    if (callee == (PyObject *)&PyTuple_Type)
        return heap_is_type(arg, &PyTuple_Type) ? arg : NULL;
    return NULL;
}

/* The usual case: as many positional arguments as parameters, on the thread's stack. */
static inline Py_ALWAYS_INLINE frame_t *call_push(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args,
                                                  Py_ssize_t nargs, PyObject *kwnames)
{
    PyCodeObject *code = (PyCodeObject *)__atomic_load_n(&func->func_code, __ATOMIC_ACQUIRE);
    frame_t *f = caller->next;
    PyObject **top = args + code->co_nslots;
    if (Py_UNLIKELY(code->co_fast_argcount != nargs || kwnames != NULL || f == NULL || (caller->flags & FRAME_GENERATOR)
                    || top > ts->stack_limit || ts->py_recursion_remaining <= 0))
        return call_push_general(ts, caller, func, args, nargs, kwnames);
    ts->py_recursion_remaining--;
    f->slots = args;
    f->pc = code->co_instructions;
    f->code = code;
    f->func = func;
    f->globals = func->func_globals;
    f->builtins = func->func_builtins;
    f->locals = NULL;
    f->previous = caller;
    f->frame_object = NULL;
    f->stack_base = ts->stack_top;
    f->chunk_to_free = NULL;
    f->flags = 0;
    if (top > ts->stack_top)
        ts->stack_top = top;
    for (PyObject **p = args + nargs, **end = args + code->co_temp_base; p < end; p++)
        *p = NULL;
    ts->frame = f;
    return f;
}

#endif /* BRAID_CALLS_H */
