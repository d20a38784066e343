/* Calling objects, from inside the interpreter.
 *
 * Every call of a C function goes through call_check_result: a result without exception, or an exception without
 * result; anything else becomes a SystemError. */
#ifndef BRAID_INTERNAL_CALL_H
#define BRAID_INTERNAL_CALL_H

#include "Python.h"

#include "internal/thread_state.h"

/* callable may be NULL (then where names the place). Steals result; returns it, or NULL with an exception set. */
PyObject *call_check_result_slow(PyObject *callable, PyObject *result, const char *where);

static inline PyObject *call_check_result(PyObject *callable, PyObject *result, const char *where)
{
    if (Py_LIKELY((result != NULL) == (thread_current()->curexc_type == NULL)))
        return result;
    return call_check_result_slow(callable, result, where);
}

/* Py_EnterRecursiveCall, inline; where ends the message. 0, or -1 with RecursionError. */
static inline Py_ALWAYS_INLINE int call_enter_as(const char *where)
{
    PyThreadState *ts = thread_current();
    if (Py_UNLIKELY((char *)__builtin_frame_address(0) < ts->c_stack_soft_limit || ts->py_recursion_remaining <= 0))
        return Py_EnterRecursiveCall(where);
    ts->py_recursion_remaining--;
    return 0;
}
/* The same for calls; Py_LeaveRecursiveCall, inline. */
static inline Py_ALWAYS_INLINE int call_enter(void)
{
    return call_enter_as(" while calling a Python object");
}
static inline Py_ALWAYS_INLINE void call_leave(void) { thread_current()->py_recursion_remaining++; }

/* For slots that end up in themselves without a call in between (iterators over iterators, hashes of tuples of tuples): is there
 * room on the C stack?  0, or -1 with RecursionError. */
static inline Py_ALWAYS_INLINE int call_check_stack(const char *where)
{
    if (Py_LIKELY((char *)__builtin_frame_address(0) >= thread_current()->c_stack_soft_limit))
        return 0;
    return Py_EnterRecursiveCall(where);
}

/* Something asks for this thread in the middle of a loop in C. With the global lock on such a loop stays one step for other threads, as
 * programs written for it expect: then signals only are heard.  0, or -1 with an exception.  Escapes */
Py_COLD int call_loop_breaker(PyThreadState *ts);

/* The next item of an iterator, for loops in C and from within other iterators. A safe point: a loop in C over an endless iterator
 * in C neither keeps a pause waiting nor stays deaf to signals.
 * Returns  a new reference; NULL: with an exception, or at the end (StopIteration may then be set).
 * Escapes */
static inline Py_ALWAYS_INLINE PyObject *call_iternext(PyObject *iter)
{
    PyThreadState *ts = thread_current();
    if (call_check_stack(" while calling a Python object")
        || (Py_UNLIKELY(__atomic_load_n(&ts->breaker, __ATOMIC_RELAXED) != 0) && call_loop_breaker(ts)))
        return NULL;
    return Py_TYPE(iter)->tp_iternext(iter);
}

/* Calls by tp_call, building the tuple and dict; keywords is a tuple of names (values follow the arguments), a dict,
 * or NULL. */
PyObject *call_tp_call(PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords);

/* The hot path of all calls from C. Same meaning as PyObject_Vectorcall. */
static inline PyObject *call_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    vectorcallfunc f = _PyVectorcall_FunctionInline(callable);
    if (Py_UNLIKELY(f == NULL))
        return call_tp_call(callable, args, PyVectorcall_NARGS(nargsf), kwnames);
    return call_check_result(callable, f(callable, args, nargsf, kwnames), NULL);
}

/* Spreads a dict of keyword arguments behind the positional ones.
 * Returns  a new array with room for args[-1]; *kwnames is a new tuple; freed with call_stack_free. NULL: exception
 * Escapes  never (keys are checked to be str: TypeError "keywords must be strings") */
PyObject *const *call_stack_from_dict(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                                      PyObject **kwnames);
void call_stack_free(PyObject *const *stack, Py_ssize_t nargs, PyObject *kwnames);
/* A new dict from values and their names. */
PyObject *call_stack_as_dict(PyObject *const *values, PyObject *kwnames);

#endif /* BRAID_INTERNAL_CALL_H */
