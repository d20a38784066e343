/* Trace and profile functions (sys.settrace, sys.setprofile): the events, as the traced loop sends them.
 *
 * A thread with a function of either kind, outside such a function, has use_tracing and BREAKER_TRACE set
 * (thread_update_tracing) and runs vm_loop_traced.  Before each instruction that loop calls trace_before, which sends
 *      call        once per activation (FRAME_TRACED), and at each resumption of a generator
 *      line        where the line differs from that of the instruction run before in this frame, or a jump went backwards
 *      opcode      if the frame asks for it
 * return, exception and the events of C functions are sent from where they happen.  A generator's activation loses FRAME_TRACED when
 * it is resumed; the activations that run when tracing begins get it then, since they have been called already.
 *
 * All of it belongs to the thread that runs; the functions may do anything, so every function here escapes.  A frame's pc names the
 * instruction *behind* the one that is about to run during a line event; a debugger may set it to another place (f_lineno). */
#ifndef BRAID_TRACE_H
#define BRAID_TRACE_H

#include "frame.h"
#include "thread_state.h"

/* A bit of ts->breaker beside those of thread_state.h: set as long as use_tracing is, so that the loop goes over to the traced one. */
enum { BREAKER_TRACE = 1024 };

/* Brings use_tracing and the bit up to date after a change of `tracing` or of the functions. ts is the caller's.  Escapes never */
static inline void thread_update_tracing(PyThreadState *ts)
{
    int traced = ts->tracing == 0 && (ts->c_tracefunc != NULL || ts->c_profilefunc != NULL);
    if (traced == ts->use_tracing)
        return;
    ts->use_tracing = traced;
    if (traced)
        thread_set_breaker(ts, BREAKER_TRACE);
    else
        __atomic_fetch_and(&ts->breaker, ~(uint32_t)BREAKER_TRACE, __ATOMIC_RELAXED);
}

typedef enum {
    TRACE_GO,           /* run the instruction at *pc, which may have changed */
    TRACE_ERROR,        /* an exception is set, raised by the instruction before f->pc */
    TRACE_LEAVE,        /* an exception is set that leaves the frame, whatever handlers it has */
} trace_result_t;

/* The instruction at *pc is about to run; f->pc is still behind the one that ran before. */
trace_result_t trace_before(PyThreadState *ts, frame_t *f, instruction_t **pc);
/* An exception is about to be thrown into f (generator.throw). 0, or -1: another one leaves the frame. */
int trace_enter_throwing(PyThreadState *ts, frame_t *f);
/* The frame returns or yields value (borrowed).  0, or -1: the exception leaves the frame. */
int trace_return(PyThreadState *ts, frame_t *f, PyObject *value);
/* The exception that is set has been raised in f or has come to it from a frame it called. It may be replaced by another. */
void trace_exception(PyThreadState *ts, frame_t *f);
/* A generator that f resumed has returned value (borrowed), without the exception that a trace function would see.
 * 0, or -1 with an exception set. */
int trace_stop_iteration(PyThreadState *ts, frame_t *f, PyObject *value);
/* The exception that is set leaves f. It may be replaced by another. */
void trace_unwind(PyThreadState *ts, frame_t *f);
/* call_native with the events of C functions. */
PyObject *trace_call_native(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames);
/* The same for a call with tuple and dict (or NULL). */
PyObject *trace_call_object(PyThreadState *ts, frame_t *f, PyObject *callee, PyObject *args, PyObject *kwargs);

/* The activation whose event this thread's trace function is handling, or NULL. */
frame_t *trace_event_frame(void);
/* f_lineno = value: the frame of a line event goes on at another line. 0, or -1 with ValueError, ... set. */
int trace_jump(PyFrameObject *object, PyObject *value);

/* The line of each instruction word, -1 where unknown; lives as long as the code. NULL with MemoryError. */
const int *trace_lines_of(PyCodeObject *code);

/* The activations that run now have been called before tracing began. */
void trace_mark_running(PyThreadState *ts);

#endif /* BRAID_TRACE_H */
