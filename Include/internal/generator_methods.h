/* What generators, coroutines and async generators share. */
#ifndef BRAID_GENERATOR_METHODS_H
#define BRAID_GENERATOR_METHODS_H

#include "generator_frames.h"

/* The object protocol's form of a step: the value yielded, or NULL with StopIteration(result) (none_is_plain: NULL without an exception for
 * a plain end) or StopAsyncIteration set. Steals result. */
PyObject *generator_result_to_object(PyGenObject *gen, PySendResult status, PyObject *result, int none_is_plain);

PyObject *generator_send(PyObject *op, PyObject *arg);
PyObject *generator_throw(PyGenObject *gen, int close_on_exit, PyObject *type, PyObject *value, PyObject *traceback);
PyObject *generator_throw_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *generator_close(PyObject *op, PyObject *ignored);

/* While an exception is thrown into the delegate of a suspended yield from, the generator counts as running, and its frame is seen
 * below those of the delegate.  enter: 1, or 0 with an exception set.  Every enter that succeeded is followed by a leave. */
int generator_enter_delegate(PyGenObject *gen);
void generator_leave_delegate(PyGenObject *gen);

/* The delegate of a suspended yield from has ended with value: drops it and goes on behind the SEND loop. */
PyObject *generator_finish_delegate(PyGenObject *gen, PyObject *value);

/* Releases what a generator holds that will not run (again); the state becomes DONE.  The caller has claimed it or is its last holder. */
void generator_discard(PyGenObject *gen);
/* Visits the window: counted references for the collector's subtraction, uncounted ones only when it marks. */
int generator_visit_window(PyGenObject *gen, visitproc visit, void *arg);

void generator_dealloc(PyObject *op);
int generator_traverse(PyObject *op, visitproc visit, void *arg);
PyObject *generator_repr(PyObject *op);

PyObject *generator_get_name(PyObject *op, void *c);
PyObject *generator_get_qualname(PyObject *op, void *c);
int generator_set_name(PyObject *op, PyObject *value, void *c);
int generator_set_qualname(PyObject *op, PyObject *value, void *c);
PyObject *generator_get_delegate(PyObject *op, void *c);
PyObject *generator_get_running(PyObject *op, void *c);
PyObject *generator_get_suspended(PyObject *op, void *c);
PyObject *generator_get_frame(PyObject *op, void *c);
PyObject *generator_get_code(PyObject *op, void *c);

/* The frame object: new reference; NULL without an exception when the generator is done.  May stop the world */
PyObject *generator_frame_ref(PyGenObject *gen);

#endif /* BRAID_GENERATOR_METHODS_H */
