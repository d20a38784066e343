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

/* The same where func is in no window: its slot reference is released on failure, too. */
frame_t *call_push_held(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args, Py_ssize_t nargs, PyObject *kwnames);

/* Pops the current activation: lets the frame object take over if somebody holds it, releases the window and func. Keeps the error indicator. */
void call_pop_slow(PyThreadState *ts, frame_t *f);
void call_pop_raising(PyThreadState *ts, frame_t *f);
/* Closes the newest chunk; the caller has put stack_top back already. */
void call_close_chunk(PyThreadState *ts, stack_chunk_t *chunk);
/* Releases all slots of f's window: temporaries from the top down, then locals and cells upwards. */
void call_release_window(frame_t *f);

#define CALL_KIND (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)

/* A function written in C whose arguments, all of them positional, fit its kind.
 * Returns  1, *result is what it returned; 0: not such a function, nothing has been called */
static inline Py_ALWAYS_INLINE int call_c_quick(PyObject *callee, PyObject **args, Py_ssize_t nargs, PyObject **result)
{
    PyMethodDef *def;
    PyObject *self;
    if (heap_type(callee) == &PyCFunction_Type) {
        def = ((PyCFunctionObject *)callee)->m_ml;
        self = PyCFunction_GET_SELF(callee);
    }
    else if (heap_type(callee) == &PyMethodDescr_Type && nargs > 0 && Py_IS_TYPE(args[0], PyDescr_TYPE(callee))) {
        def = ((PyMethodDescrObject *)callee)->d_method;
        self = args[0];
        args++;
        nargs--;
    }
    else
        return 0;
    void (*function)(void) = (void (*)(void))def->ml_meth;
    int kind = def->ml_flags & CALL_KIND;
    if (kind == METH_FASTCALL)
        *result = ((PyCFunctionFast)function)(self, args, nargs);
    else if (kind == METH_O && nargs == 1)
        *result = ((PyCFunction)function)(self, args[0]);
    else if (kind == METH_NOARGS && nargs == 0)
        *result = ((PyCFunction)function)(self, NULL);
    else if (kind == (METH_FASTCALL | METH_KEYWORDS))
        *result = ((PyCFunctionFastWithKeywords)function)(self, args, nargs, NULL);
    else
        return 0;
    return 1;
}
/* The call of callee returned NULL: sees to it that an exception is set. */
void call_check_exception(PyThreadState *ts, PyObject *callee);

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

/* A record f above the current one for func, whose arguments stand in window. Makes it current. */
static inline Py_ALWAYS_INLINE void call_fill_record(PyThreadState *ts, frame_t *f, PyFunctionObject *func, PyCodeObject *code,
                                                     PyObject **window, Py_ssize_t nargs)
{
    ts->py_recursion_remaining--;
    f->slots = window;
    f->pc = code->co_instructions;
    f->code = code;
    f->func = func;
    f->globals = func->func_globals;
    f->builtins = func->func_builtins;
    f->locals = NULL;
    f->previous = ts->frame;
    f->frame_object = NULL;
    f->stack_base = ts->stack_top;
    f->chunk_to_free = NULL;
    f->flags = 0;
    for (PyObject **p = window + nargs, **end = window + code->co_temp_base; p < end; p++)
        *p = NULL;
    ts->frame = f;
}

/* The usual case where the window does not start in the caller's: as many positional arguments as parameters, which are copied to the top
 * of the stack.  NULL: it is not so; nothing has changed, no exception is set. */
static inline Py_ALWAYS_INLINE frame_t *call_push_copies(PyThreadState *ts, PyFunctionObject *func, PyObject *const *args, Py_ssize_t nargs)
{
    PyCodeObject *code = (PyCodeObject *)__atomic_load_n(&func->func_code, __ATOMIC_ACQUIRE);
    frame_t *current = ts->frame, *f = current != NULL ? current->next : NULL;
    PyObject **window = ts->stack_top, **top = window + code->co_nslots;
    if (Py_UNLIKELY(code->co_fast_argcount != nargs || f == NULL || top > ts->stack_limit || ts->py_recursion_remaining <= 0))
        return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++)
        window[i] = slot_copy(args[i]);
    call_fill_record(ts, f, func, code, window, nargs);
    ts->stack_top = top;
    return f;
}

/* The usual case: as many positional arguments as parameters, on the thread's stack. NULL: it is not so; nothing has changed, no exception
 * is set. */
static inline Py_ALWAYS_INLINE frame_t *call_push_quick(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args,
                                                        Py_ssize_t nargs, PyObject *kwnames)
{
    PyCodeObject *code = (PyCodeObject *)__atomic_load_n(&func->func_code, __ATOMIC_ACQUIRE);
    frame_t *f = caller->next;
    PyObject **top = args + code->co_nslots;
    if (Py_UNLIKELY(code->co_fast_argcount != nargs || kwnames != NULL || f == NULL || (caller->flags & FRAME_GENERATOR)
                    || top > ts->stack_limit || ts->py_recursion_remaining <= 0))
        return NULL;
    call_fill_record(ts, f, func, code, args, nargs);
    if (top > ts->stack_top)
        ts->stack_top = top;
    return f;
}

static inline Py_ALWAYS_INLINE frame_t *call_push(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args,
                                                  Py_ssize_t nargs, PyObject *kwnames)
{
    frame_t *f = call_push_quick(ts, caller, func, args, nargs, kwnames);
    return Py_LIKELY(f != NULL) ? f : call_push_general(ts, caller, func, args, nargs, kwnames);
}

#endif /* BRAID_CALLS_H */
