/* Generators, coroutines and async generators: one layout, with the activation record and the window inside.
 *
 * Threads: whoever runs, closes or throws into a generator first claims it by CAS on gi_state (CREATED or SUSPENDED -> RUNNING); another
 * thread, or the generator itself, gets ValueError "generator already executing". */
#ifndef BRAID_GENERATOR_H
#define BRAID_GENERATOR_H

#include "frame.h"

typedef enum { GEN_CREATED, GEN_SUSPENDED, GEN_RUNNING, GEN_DONE } gen_state_t;

struct _PyGenObject {
    PyObject_VAR_HEAD
    PyObject *gi_weakreflist;
    PyObject *gi_name, *gi_qualname;
    PyCodeObject *gi_code;      /* counted */
    _PyErr_StackItem gi_exc_state;
    PyObject *gi_origin_or_hooks;   /* coroutines: cr_origin; async generators: finaliser */
    uint8_t gi_state;           /* [atomic] gen_state_t */
    char ag_hooks_inited, ag_closed, ag_running_async;
    frame_t gi_frame;
    PyObject *gi_window[];      /* co_nslots slots */
};

/* Moves the window of frame f (its arguments bound) into a new generator, coroutine or async generator by the flags of its code.
 * Returns a new reference, or NULL. */
PyObject *generator_new(PyThreadState *ts, frame_t *f);

/* One step: sends arg (borrowed; NULL: throw the exception that is set).  *result is a new reference. */
PySendResult generator_resume(PyGenObject *gen, PyObject *arg, PyObject **result);

/* The sub-iterator of a suspended `yield from` or `await`: new reference, or NULL without an exception. For who resumes gen next: another
 * thread's next() fails meanwhile. */
PyObject *generator_delegate(PyGenObject *gen);
/* The same for who only looks, in a pause: nobody's next() fails for it. */
PyObject *generator_delegate_seen(PyGenObject *gen);

/* GET_AWAITABLE, GET_YIELD_FROM_ITER, GET_ANEXT, ASYNC_GEN_WRAP.  New references. */
PyObject *coroutine_get_awaitable(PyObject *op);
PyObject *coroutine_get_anext(PyObject *aiter);
PyObject *async_gen_wrap_value(PyObject *value);

/* Converts a StopIteration raised inside (PEP 479). */
void generator_convert_stop_iteration(PyGenObject *gen);

/* Iteration through SEND: StopIteration value of the exception that is set, which is cleared.  0, or -1 if another exception is set. */
int generator_fetch_stop_value(PyObject **value);

#endif /* BRAID_GENERATOR_H */
