/* Activations of generators: made, entered, left. (The objects and their methods: Objects/generator.c.) */
#include "Python.h"

#include "call.h"
#include "calls.h"
#include "generator.h"
#include "collector.h"
#include "generator_frames.h"
#include "generator_methods.h"
#include "memory.h"
#include "method_ref.h"
#include "stop_world.h"
#include "thread_state.h"
#include "vm.h"

PyObject *generator_new(PyThreadState *ts, frame_t *f)
{
    PyCodeObject *code = f->code;
    PyTypeObject *type = code->co_flags & CO_COROUTINE          ? &PyCoro_Type
                         : code->co_flags & CO_ASYNC_GENERATOR ? &PyAsyncGen_Type
                                                               : &PyGen_Type;
    PyGenObject *gen = PyObject_GC_NewVar(PyGenObject, type, code->co_nslots);
    if (gen == NULL)
        return NULL;
    gen->gi_weakreflist = NULL;
    gen->gi_name = published_field_ref(&f->func->func_name);
    gen->gi_qualname = published_field_ref(&f->func->func_qualname);
    gen->gi_code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    gen->gi_exc_state.exc_value = NULL;
    gen->gi_exc_state.previous_item = NULL;
    gen->gi_origin_or_hooks = NULL;
    gen->ag_hooks_inited = gen->ag_closed = gen->ag_running_async = 0;
    gen->gi_state = GEN_CREATED;
    for (int i = 0; i < code->co_nslots; i++) {
        gen->gi_window[i] = f->slots[i];
        f->slots[i] = NULL;
    }
    frame_t *own = &gen->gi_frame;
    *own = *f;
    own->slots = gen->gi_window;
    own->func = (PyFunctionObject *)slot_copy((PyObject *)f->func);
    own->locals = Py_XNewRef(f->locals);        /* a module compiled with top-level await */
    own->previous = NULL;
    own->next = NULL;
    own->chunk_to_free = NULL;
    own->flags = FRAME_GENERATOR | (f->flags & FRAME_LOCALS_IS_GLOBALS);
    if (f->frame_object != NULL) {
        /* somebody has looked at the frame already (a trace function): it goes on as the generator's */
        __atomic_store_n(&f->frame_object->f_frame, own, __ATOMIC_RELEASE);
        f->frame_object = NULL;
    }
    if (type == &PyCoro_Type && generator_set_origin(ts, gen) < 0) {
        PyObject_GC_Track(gen);
        Py_DECREF(gen);
        return NULL;
    }
    PyObject_GC_Track(gen);
    return (PyObject *)gen;
}

/* CREATED or SUSPENDED -> RUNNING by one thread. */
static inline Py_ALWAYS_INLINE int claim(PyGenObject *gen, uint8_t *before)
{
    uint8_t state = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE);
    do {
        if (state != GEN_CREATED && state != GEN_SUSPENDED)
            return 0;
        if (!runtime_is_multi()) {
            gen->gi_state = GEN_RUNNING;
            break;
        }
    } while (!__atomic_compare_exchange_n(&gen->gi_state, &state, GEN_RUNNING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    *before = state;
    return 1;
}

/* Links the claimed generator on top of the thread's activations. */
static inline Py_ALWAYS_INLINE frame_t *link_frame(PyThreadState *ts, PyGenObject *gen)
{
    frame_t *f = &gen->gi_frame;
    frame_t *next = frame_record_next(ts);
    if (next == NULL)
        return NULL;
    f->next = next;
    f->previous = ts->frame;
    f->stack_base = ts->stack_top;
    ts->py_recursion_remaining--;
    ts->frame = f;
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
    return f;
}

static inline Py_ALWAYS_INLINE void unlink_frame(PyThreadState *ts, PyGenObject *gen)
{
    frame_t *f = &gen->gi_frame;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    ts->frame = f->previous;
    f->previous = NULL;
    ts->stack_top = f->stack_base;
    ts->py_recursion_remaining++;
}

/* Hands the value sent to the YIELD_VALUE that the generator stopped at. */
static inline Py_ALWAYS_INLINE void deliver(frame_t *f, PyObject *value)
{
    const instruction_t *yield = f->pc - 1;
    slot_store(f->slots, AT_A(yield), slot_copy(value));
}

frame_t *generator_enter(PyThreadState *ts, PyGenObject *gen, PyObject *value)
{
    uint8_t before;
    if (ts->py_recursion_remaining <= 0)
        return NULL;
    uint8_t state = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE);
    if (state == GEN_CREATED && value != Py_None)
        return NULL;
    if (!claim(gen, &before))
        return NULL;
    if (before == GEN_CREATED && value != Py_None) {
        __atomic_store_n(&gen->gi_state, GEN_CREATED, __ATOMIC_RELEASE);
        return NULL;
    }
    frame_t *f = link_frame(ts, gen);
    if (f == NULL) {
        PyErr_Clear();
        __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
        return NULL;
    }
    if (before == GEN_SUSPENDED)
        deliver(f, value);
    return f;
}

/* `yield from` is a loop: SEND receiver, r -> end; YIELD_VALUE r, v, C=1+receiver; JUMP_BACK. From the JUMP_BACK behind a yield: the SEND, or
 * NULL. */
static const instruction_t *send_of_delegation(const instruction_t *jump)
{
    if ((*jump & 0xffff) != OP_JUMP_BACK)
        return NULL;
    const instruction_t *send = jump + 1 + AT_X(jump);
    return (*send & 0xffff) == OP_SEND ? send : NULL;
}

frame_t *generator_enter_delegates(PyThreadState *ts, frame_t *f)
{
    for (;;) {
        const instruction_t *send = send_of_delegation(f->pc);
        if (send == NULL)
            return f;
        PyObject *receiver = f->slots[AT_A(send)];
        if (!heap_is_type(receiver, &PyGen_Type) && !heap_is_type(receiver, &PyCoro_Type))
            return f;
        frame_t *inner = generator_enter(ts, (PyGenObject *)receiver, f->slots[AT_B(send)]);
        if (inner == NULL)
            return f;
        f->pc = (instruction_t *)send + 2;
        inner->flags &= (uint8_t)~(FRAME_ENTRY | FRAME_TRACED);
        inner->result_slot = (uint16_t)AT_B(send);
        f = inner;
    }
}

static PyGenObject *generator_of(frame_t *f) { return (PyGenObject *)((char *)f - offsetof(PyGenObject, gi_frame)); }

/* The collector and promotions look at no window that is FRAME_CLEARED or on nobody's stack: what is in this one gets counted before that. */
static void count_window(frame_t *f)
{
    int n = f->flags & FRAME_CLEARED ? 0 : f->code->co_nslots;
    for (int i = 0; i < n; i++)
        if (f->slots[i] != NULL)
            f->slots[i] = slot_to_owned(f->slots[i]);
    f->func = (PyFunctionObject *)slot_to_owned((PyObject *)f->func);
}

static void release_counted(PyObject **slot)
{
    PyObject *value = *slot;
    *slot = NULL;
    Py_XDECREF(value);
}

/* The generator is done, and its values go; those behind count_window.  Finalisers, and other threads, may ask for its frame meanwhile: the
 * object that is made then takes over as well, and nothing runs between the last of them and GEN_DONE. */
static void close_counted(PyThreadState *ts, PyGenObject *gen)
{
    frame_t *f = &gen->gi_frame;
    int n = f->flags & FRAME_CLEARED ? 0 : f->code->co_nslots, base = f->code->co_temp_base;
    f->flags |= FRAME_CLEARED;
    for (int i = n; i-- > base;)
        release_counted(&f->slots[i]);
    for (int i = 0; i < Py_MIN(n, base); i++)
        release_counted(&f->slots[i]);
    while (f->frame_object != NULL)
        frame_take_over(ts, f);
    PyObject *func = (PyObject *)f->func, *locals = f->locals, *handled = gen->gi_exc_state.exc_value;
    f->func = NULL;
    f->locals = NULL;
    gen->gi_exc_state.exc_value = NULL;
    __atomic_store_n(&gen->gi_state, GEN_DONE, __ATOMIC_RELEASE);
    Py_XDECREF(locals);
    Py_XDECREF(handled);
    Py_XDECREF(func);
}

static void finish(PyThreadState *ts, frame_t *f)
{
    while (f->frame_object != NULL)     /* dropping one may run code that asks for another */
        frame_take_over(ts, f);
    count_window(f);
    unlink_frame(ts, generator_of(f));  /* finalisers of the values do not find it on the stack */
    close_counted(ts, generator_of(f));
}

/* How the generator that this thread left last was left. Its own state says nothing any more: another thread may have run it since. */
static BRAID_TLS gen_state_t state_left_in;

void generator_leave(PyThreadState *ts, frame_t *f, gen_state_t state)
{
    if (state == GEN_DONE)
        finish(ts, f);          /* may run other generators */
    else {
        PyGenObject *gen = generator_of(f);
        unlink_frame(ts, gen);
        __atomic_store_n(&gen->gi_state, GEN_SUSPENDED, __ATOMIC_RELEASE);
    }
    state_left_in = state;
}

void generator_leave_raising(PyThreadState *ts, frame_t *f)
{
    generator_convert_stop_iteration(generator_of(f));
    PyObject *exception = PyErr_GetRaisedException();
    finish(ts, f);
    PyErr_SetRaisedException(exception);
}

static PySendResult already_running(PyGenObject *gen)
{
    const char *what = PyCoro_CheckExact(gen)       ? "coroutine already executing"
                       : PyAsyncGen_CheckExact(gen) ? "async generator already executing"
                                                    : "generator already executing";
    PyErr_SetString(PyExc_ValueError, what);
    return PYGEN_ERROR;
}

/* The generator is done: what a further step gives. */
static PySendResult step_when_done(PyGenObject *gen, int closing, PyObject *arg, PyObject **result)
{
    if (PyCoro_CheckExact(gen) && !closing) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    if (arg == NULL)
        return PYGEN_ERROR;         /* the exception thrown goes on */
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

/* Sets an exception as if it was raised here: what is being handled becomes its context. */
static void set_context(PyObject *exception_steal)
{
    PyErr_SetObject((PyObject *)Py_TYPE(exception_steal), exception_steal);
    Py_DECREF(exception_steal);
}

static inline PySendResult run_linked(PyThreadState *ts, frame_t *f, int throwing, PyObject **result)
{
    f->flags = (uint8_t)((f->flags & ~FRAME_TRACED) | FRAME_ENTRY);
    *result = vm_run(ts, f, throwing);
    if (*result == NULL)
        return PYGEN_ERROR;
    return state_left_in == GEN_DONE ? PYGEN_RETURN : PYGEN_NEXT;
}

/* Runs a claimed generator up to its next yield or end. sent: delivered to the yield it stopped at, if any. */
static inline PySendResult run_claimed(PyThreadState *ts, PyGenObject *gen, uint8_t before, PyObject *sent, int throwing,
                                       PyObject **result)
{
    *result = NULL;
    frame_t *f = link_frame(ts, gen);
    if (f == NULL) {
        __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
        return PYGEN_ERROR;
    }
    if (sent != NULL && before == GEN_SUSPENDED)
        deliver(f, sent);
    if (throwing && gen->gi_exc_state.exc_value != NULL && gen->gi_exc_state.exc_value != Py_None)
        set_context(PyErr_GetRaisedException());
    return run_linked(ts, f, throwing, result);
}

PySendResult generator_step(PyGenObject *gen, PyObject *arg, PyObject **result, int closing)
{
    PyThreadState *ts = thread_current();
    uint8_t before;
    *result = NULL;
    uint8_t state = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE);
    if (state == GEN_CREATED && arg != NULL && arg != Py_None) {
        PyErr_Format(PyExc_TypeError, "can't send non-None value to a just-started %s",
                     PyCoro_CheckExact(gen)       ? "coroutine"
                     : PyAsyncGen_CheckExact(gen) ? "async generator"
                                                  : "generator");
        return PYGEN_ERROR;
    }
    if (state == GEN_DONE)
        return step_when_done(gen, closing, arg, result);
    if (arg == NULL) {
        PyObject *exception = PyErr_GetRaisedException();
        if (call_enter() < 0) {
            Py_XDECREF(exception);
            return PYGEN_ERROR;
        }
        PyErr_SetRaisedException(exception);
    }
    else if (call_enter() < 0)
        return PYGEN_ERROR;
    PySendResult status = PYGEN_ERROR;
    if (!claim(gen, &before)) {
        status = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_DONE ? step_when_done(gen, closing, arg, result)
                                                                              : already_running(gen);
        goto done;
    }
    status = run_claimed(ts, gen, before, arg, arg == NULL, result);
done:
    call_leave();
    return status;
}

/* next() of a generator. NULL without an exception: it has returned None. */
PyObject *generator_next(PyGenObject *gen)
{
    PyObject *result;
    uint8_t before;
    PySendResult status;
    if (Py_LIKELY(__atomic_load_n(&gen->gi_state, __ATOMIC_RELAXED) == GEN_SUSPENDED) && call_enter() == 0) {
        if (Py_LIKELY(claim(gen, &before))) {
            status = run_claimed(thread_current(), gen, before, Py_None, 0, &result);
            call_leave();
            return Py_LIKELY(status == PYGEN_NEXT) ? result : generator_result_to_object(gen, status, result, 1);
        }
        call_leave();
    }
    status = generator_step(gen, Py_None, &result, 0);
    return generator_result_to_object(gen, status, result, 1);
}

PySendResult generator_resume(PyGenObject *gen, PyObject *arg, PyObject **result)
{
    return generator_step(gen, arg, result, 0);
}

static int is_on_stack(PyThreadState *ts, frame_t *sought)
{
    frame_t *f = ts->frame;
    while (f != NULL && f != sought)
        f = f->previous;
    return f != NULL;
}

/* Until look_end nobody resumes a generator. Beside other threads it is looked at in a pause: a claim would make their next() fail.
 * (That it is not published says nothing: they may have it from a tuple.)
 * Returns  what look_end wants */
static int look_begin(PyThreadState *ts)
{
    int pause = runtime_is_multi();
    if (pause)
        stop_world_begin(ts);
    return pause;
}

static void look_end(PyThreadState *ts, int pause)
{
    if (pause)
        stop_world_end(ts);
}

PyObject *generator_frame_ref(PyGenObject *gen)
{
    PyThreadState *ts = thread_current();
    if (is_on_stack(ts, &gen->gi_frame))
        return Py_XNewRef((PyObject *)frame_get_object(&gen->gi_frame));
    int pause = look_begin(ts);
    PyObject *frame = NULL;
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) != GEN_DONE)
        frame = Py_XNewRef((PyObject *)frame_get_object(&gen->gi_frame));
    look_end(ts, pause);
    return frame;
}

/* Of a suspended generator that nobody resumes meanwhile. */
static PyObject *delegate_ref(PyGenObject *gen)
{
    const instruction_t *yield = gen->gi_frame.pc - 1;
    return (*yield & 0xffff) == OP_YIELD_VALUE && AT_C(yield) != 0 ? Py_XNewRef(gen->gi_frame.slots[AT_C(yield) - 1]) : NULL;
}

PyObject *generator_delegate_seen(PyGenObject *gen)
{
    PyThreadState *ts = thread_current();
    int pause = look_begin(ts);
    PyObject *delegate = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_SUSPENDED ? delegate_ref(gen) : NULL;
    look_end(ts, pause);
    return delegate;
}

PyObject *generator_delegate(PyGenObject *gen)
{
    uint8_t before;
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) != GEN_SUSPENDED || !claim(gen, &before))
        return NULL;
    PyObject *delegate = before == GEN_SUSPENDED ? delegate_ref(gen) : NULL;
    __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
    return delegate;
}

static void replace_with_runtime_error(const char *message)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyErr_SetString(PyExc_RuntimeError, message);
    PyObject *error = PyErr_GetRaisedException();
    if (error != NULL && cause != NULL) {
        PyException_SetCause(error, Py_NewRef(cause));
        PyException_SetContext(error, cause);
    }
    else
        Py_XDECREF(cause);
    PyErr_SetRaisedException(error);
}

void generator_convert_stop_iteration(PyGenObject *gen)
{
    if (PyErr_ExceptionMatches(PyExc_StopIteration))
        replace_with_runtime_error(PyCoro_CheckExact(gen)       ? "coroutine raised StopIteration"
                                   : PyAsyncGen_CheckExact(gen) ? "async generator raised StopIteration"
                                                                : "generator raised StopIteration");
    else if (PyAsyncGen_CheckExact(gen) && PyErr_ExceptionMatches(PyExc_StopAsyncIteration))
        replace_with_runtime_error("async generator raised StopAsyncIteration");
}

int generator_enter_delegate(PyGenObject *gen)
{
    uint8_t before;
    if (Py_EnterRecursiveCall(" while calling a Python object"))
        return 0;
    if (!claim(gen, &before))
        already_running(gen);
    else if (link_frame(thread_current(), gen) != NULL)
        return 1;
    else
        __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
    Py_LeaveRecursiveCall();
    return 0;
}

void generator_leave_delegate(PyGenObject *gen)
{
    unlink_frame(thread_current(), gen);
    __atomic_store_n(&gen->gi_state, GEN_SUSPENDED, __ATOMIC_RELEASE);
    Py_LeaveRecursiveCall();
}

PyObject *generator_finish_delegate(PyGenObject *gen, PyObject *value)
{
    uint8_t before;
    PyObject *result;
    if (!claim(gen, &before)) {
        already_running(gen);
        return NULL;
    }
    /* The target of the SEND is where the value is wanted, in its B. */
    frame_t *f = &gen->gi_frame;
    const instruction_t *send = send_of_delegation(f->pc);
    if (send == NULL) {
        __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
        PyErr_SetString(PyExc_SystemError, "a yield from is not compiled as a SEND loop");
        return NULL;
    }
    f->pc = (instruction_t *)send + 2 + (int16_t)AT_C(send);
    if ((f = link_frame(thread_current(), gen)) == NULL) {
        __atomic_store_n(&gen->gi_state, before, __ATOMIC_RELEASE);
        return NULL;
    }
    /* Not before it is on the stack, where the collector sees its window: what is dropped may run code. */
    slot_store(f->slots, AT_B(send), slot_copy(value));
    slot_clear(f->slots, AT_A(send));
    PySendResult status = run_linked(thread_current(), f, 0, &result);
    return generator_result_to_object(gen, status, result, 0);
}

void generator_discard(PyGenObject *gen)
{
    frame_t *f = &gen->gi_frame;
    if (__atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_DONE)
        return;
    while (f->frame_object != NULL)
        frame_take_over(thread_current(), f);
    count_window(f);
    close_counted(thread_current(), gen);
}

/* A reference of a suspended window: one that is not counted is no edge to the collector's subtraction, only to its marking. */
static int visit_slot(PyObject *op, visitproc visit, void *arg)
{
    if (op == NULL || value_is_immediate(op) || (visit == _PyGC_VisitSubtract && object_is_deferred(op)))
        return 0;
    return visit(op, arg);
}

int generator_visit_window(PyGenObject *gen, visitproc visit, void *arg)
{
    frame_t *f = &gen->gi_frame;
    int n = f->code->co_nslots;
    if (f->flags & FRAME_CLEARED)
        return 0;
    for (int i = 0; i < n; i++) {
        int status = visit_slot(f->slots[i], visit, arg);
        if (status != 0)
            return status;
    }
    Py_VISIT(f->locals);
    return visit_slot((PyObject *)f->func, visit, arg);
}
