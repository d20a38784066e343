/* The events of trace and profile functions (trace.h). */
#include "Python.h"

#include "calls.h"
#include "positions.h"
#include "trace.h"
#include "trace_lines.h"

/* ---- Sending events ---- */

static BRAID_TLS frame_t *event_frame;

frame_t *trace_event_frame(void) { return event_frame; }

/* Calls a trace or profile function of this thread, untraced itself. 0, or -1 with an exception set. */
static int send(PyThreadState *ts, Py_tracefunc func, PyObject *self, frame_t *f, int what, PyObject *arg)
{
    if (func == NULL || ts->tracing != 0)
        return 0;
    PyFrameObject *object = frame_get_object(f);
    if (object == NULL)
        return -1;
    Py_INCREF((PyObject *)object);
    Py_XINCREF(self);
    int what_before = ts->tracing_what;
    frame_t *frame_before = event_frame;
    ts->tracing_what = what;
    event_frame = f;
    PyThreadState_EnterTracing(ts);
    int status = func(self, object, what, arg);
    PyThreadState_LeaveTracing(ts);
    ts->tracing_what = what_before;
    event_frame = frame_before;
    Py_XDECREF(self);
    Py_DECREF((PyObject *)object);
    return status < 0 ? -1 : 0;
}

static int send_to_tracer(PyThreadState *ts, frame_t *f, int what, PyObject *arg)
{
    return send(ts, ts->c_tracefunc, ts->c_traceobj, f, what, arg);
}

static int send_to_profiler(PyThreadState *ts, frame_t *f, int what, PyObject *arg)
{
    return send(ts, ts->c_profilefunc, ts->c_profileobj, f, what, arg);
}

/* Sends to both. */
static int send_to_both(PyThreadState *ts, frame_t *f, int what, PyObject *arg)
{
    int status = send_to_tracer(ts, f, what, arg);
    return status == 0 ? send_to_profiler(ts, f, what, arg) : status;
}

/* Sends while an exception may be set: it stays, unless the function raises another. */
static int send_protected(PyThreadState *ts, int (*sender)(PyThreadState *, frame_t *, int, PyObject *), frame_t *f, int what,
                          PyObject *arg)
{
    PyObject *exception = PyErr_GetRaisedException();
    int status = sender(ts, f, what, arg);
    if (status == 0)
        PyErr_SetRaisedException(exception);
    else
        Py_XDECREF(exception);
    return status;
}

/* ---- Lines ---- */

/* Written once, they live as long as the code object. */
const int *trace_lines_or_null(PyCodeObject *code)
{
    int *lines = __atomic_load_n(&code->co_traced_lines, __ATOMIC_ACQUIRE);     /* pairs with the exchange below */
    if (lines != NULL)
        return lines;
    lines = PyMem_New(int, (size_t)code->co_ninstructions + 1);
    if (lines == NULL)
        return NULL;
    for (uint32_t i = 0; i < code->co_ninstructions; i++)
        lines[i] = -1;
    positions_reader_t r;
    positions_reader_init(&r, code);
    while (positions_reader_next(&r))
        for (uint32_t i = r.start_word; i < r.end_word && i < code->co_ninstructions; i++)
            lines[i] = r.position.line;
    int *expected = NULL;
    if (!__atomic_compare_exchange_n(&code->co_traced_lines, &expected, lines, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        PyMem_Free(lines);
        return expected;
    }
    return lines;
}

const int *trace_lines_of(PyCodeObject *code)
{
    const int *lines = trace_lines_or_null(code);
    if (lines == NULL)
        PyErr_NoMemory();
    return lines;
}

/* The instructions that come before a function's first line: its call event is sent behind them. */
static int in_prologue(instruction_t word)
{
    unsigned op = instruction_op(word);
    return op == OP_MAKE_CELL || op == OP_COPY_FREE_VARS || op == OP_RETURN_GENERATOR;
}

/* Is there no instruction of the frame that has run, or only such? */
int trace_nothing_run(frame_t *f)
{
    return f->pc <= f->code->co_instructions || in_prologue(f->pc[-1]);
}

/* ---- Events of instructions ---- */

static int send_call(PyThreadState *ts, frame_t *f)
{
    PyFrameObject *object = frame_get_object(f);
    if (object == NULL)
        return -1;
    if (trace_nothing_run(f))
        __atomic_store_n(&object->f_lineno, f->code->co_firstlineno, __ATOMIC_RELAXED);
    Py_INCREF((PyObject *)object);
    int status = send_protected(ts, send_to_tracer, f, PyTrace_CALL, NULL);
    if (status == 0)
        status = send_protected(ts, send_to_profiler, f, PyTrace_CALL, NULL);
    __atomic_store_n(&object->f_lineno, 0, __ATOMIC_RELAXED);
    Py_DECREF((PyObject *)object);
    return status;
}

/* Sends line and opcode events for the instruction before f->pc; previous: the word that ran before, -1 for none. */
static int send_line_and_opcode(PyThreadState *ts, frame_t *f, int64_t previous)
{
    const int *lines = trace_lines_of(f->code);
    if (lines == NULL)
        return -1;
    PyFrameObject *object = frame_get_object(f);
    if (object == NULL)
        return -1;
    int64_t word = f->pc - f->code->co_instructions - 1;
    int line = lines[word];
    if (line >= 0 && __atomic_load_n(&object->f_trace_lines, __ATOMIC_RELAXED)) {
        int moved = line != (previous < 0 ? -1 : lines[previous]);
        if ((moved || (word < previous && instruction_op(f->pc[-1]) != OP_SEND))
            && send_to_tracer(ts, f, PyTrace_LINE, NULL) < 0)
            return -1;
    }
    if (__atomic_load_n(&object->f_trace_opcodes, __ATOMIC_RELAXED) && f->frame_object == object)
        return send_to_tracer(ts, f, PyTrace_OPCODE, NULL);
    return 0;
}

trace_result_t trace_before(PyThreadState *ts, frame_t *f, instruction_t **pc)
{
    instruction_t *at = *pc;
    if (!(f->flags & FRAME_TRACED)) {
        if (in_prologue(*at))
            return TRACE_GO;
        f->pc = at;
        f->flags |= FRAME_TRACED;
        if (send_call(ts, f) < 0)
            return TRACE_LEAVE;
    }
    int64_t previous = trace_nothing_run(f) ? -1 : f->pc - f->code->co_instructions - 1;
    f->pc = at + 1;
    if (ts->use_tracing && ts->c_tracefunc != NULL && send_line_and_opcode(ts, f, previous) < 0)
        return TRACE_ERROR;
    *pc = f->pc - 1;
    return TRACE_GO;
}

int trace_enter_throwing(PyThreadState *ts, frame_t *f)
{
    f->flags |= FRAME_TRACED;
    return send_call(ts, f);
}

int trace_return(PyThreadState *ts, frame_t *f, PyObject *value)
{
    if (!ts->use_tracing)
        return 0;
    Py_INCREF(value);
    int status = send_to_both(ts, f, PyTrace_RETURN, value);
    Py_DECREF(value);
    return status;
}

void trace_unwind(PyThreadState *ts, frame_t *f)
{
    if (!ts->use_tracing || !(f->flags & FRAME_TRACED))
        return;
    if (send_protected(ts, send_to_tracer, f, PyTrace_RETURN, NULL) == 0)
        send_protected(ts, send_to_profiler, f, PyTrace_RETURN, NULL);
}

void trace_exception(PyThreadState *ts, frame_t *f)
{
    if (!ts->use_tracing || ts->c_tracefunc == NULL)
        return;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *arg = PyTuple_Pack(3, (PyObject *)Py_TYPE(exception), exception, traceback != NULL ? traceback : Py_None);
    Py_XDECREF(traceback);
    if (arg == NULL)
        PyErr_Clear();
    if (arg == NULL || send_to_tracer(ts, f, PyTrace_EXCEPTION, arg) == 0)
        PyErr_SetRaisedException(exception);
    else
        Py_DECREF(exception);
    Py_XDECREF(arg);
}

int trace_stop_iteration(PyThreadState *ts, frame_t *f, PyObject *value)
{
    if (!ts->use_tracing || ts->c_tracefunc == NULL)
        return 0;
    PyObject *exception = value == Py_None ? PyObject_CallNoArgs(PyExc_StopIteration) : PyObject_CallOneArg(PyExc_StopIteration, value);
    PyObject *arg = exception != NULL ? PyTuple_Pack(3, PyExc_StopIteration, exception, Py_None) : NULL;
    int status = arg != NULL ? send_to_tracer(ts, f, PyTrace_EXCEPTION, arg) : -1;
    Py_XDECREF(exception);
    Py_XDECREF(arg);
    return status;
}

/* ---- Calls of C functions ---- */

/* What the events of a call name: a C function, or a C method bound to self. NULL without an exception: not of that kind. */
static PyObject *c_function_called(PyObject *callee, PyObject *self)
{
    if (!value_is_heap(callee) || callee == NULL)
        return NULL;
    if (PyCFunction_Check(callee))
        return Py_NewRef(callee);
    if (Py_IS_TYPE(callee, &PyMethodDescr_Type) && self != NULL) {
        PyObject *bound = Py_TYPE(callee)->tp_descr_get(callee, self, (PyObject *)Py_TYPE(self));
        if (bound == NULL)
            PyErr_Clear();      /* self is of another type: the call will say so */
        return bound;
    }
    return NULL;
}

/* The events behind a call; takes over both. */
static PyObject *finish_c_call(PyThreadState *ts, frame_t *f, PyObject *function, PyObject *result)
{
    if (ts->use_tracing) {
        if (result == NULL)
            send_protected(ts, send_to_profiler, f, PyTrace_C_EXCEPTION, function);
        else if (send_to_profiler(ts, f, PyTrace_C_RETURN, function) < 0)
            Py_CLEAR(result);
    }
    Py_DECREF(function);
    return result;
}

PyObject *trace_call_native(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *function = ts->use_tracing && ts->c_profilefunc != NULL
                             ? c_function_called(f->slots[base], nargs > 0 ? args[0] : NULL)
                             : NULL;
    if (function == NULL)
        return call_native(ts, f, base, args, nargs, kwnames);
    if (send_to_profiler(ts, f, PyTrace_C_CALL, function) < 0) {
        Py_DECREF(function);
        slot_clear(f->slots, base);
        Py_ssize_t total = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
        for (Py_ssize_t i = 0; i < total; i++)
            slot_clear(args, (unsigned)i);
        return NULL;
    }
    return finish_c_call(ts, f, function, call_native(ts, f, base, args, nargs, kwnames));
}

PyObject *trace_call_object(PyThreadState *ts, frame_t *f, PyObject *callee, PyObject *args, PyObject *kwargs)
{
    PyObject *function = ts->use_tracing && ts->c_profilefunc != NULL
                             ? c_function_called(callee, PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL)
                             : NULL;
    if (function == NULL)
        return PyObject_Call(callee, args, kwargs);
    if (send_to_profiler(ts, f, PyTrace_C_CALL, function) < 0) {
        Py_DECREF(function);
        return NULL;
    }
    return finish_c_call(ts, f, function, PyObject_Call(callee, args, kwargs));
}

void trace_mark_running(PyThreadState *ts)
{
    for (frame_t *f = ts->frame; f != NULL; f = f->previous)
        f->flags |= FRAME_TRACED;
}
