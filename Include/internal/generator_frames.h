/* Entering and leaving the activations of generators. */
#ifndef BRAID_GENERATOR_FRAMES_H
#define BRAID_GENERATOR_FRAMES_H

#include "generator.h"

/* Claims a generator and links its record on top of the thread's, for the loop to go on in; sends value (borrowed).
 * Returns NULL, without an exception, if that is not possible (running, done, too deep, ...): take the general path. */
frame_t *generator_enter(PyThreadState *ts, PyGenObject *gen, PyObject *value);

/* f is a generator that is about to go on behind its yield. Enters whatever it delegates to by `yield from` or `await`: returns the innermost
 * activation that could be entered, f itself if there is none. A signal that came before is raised there, where the wait is. */
frame_t *generator_enter_delegates(PyThreadState *ts, frame_t *f);

/* Unlinks the current activation f: suspended (pc behind the yield), or done (the window is released). */
void generator_leave(PyThreadState *ts, frame_t *f, gen_state_t state);
/* The same for an exception that leaves the generator (PEP 479 applied). */
void generator_leave_raising(PyThreadState *ts, frame_t *f);

/* generator_resume; closing: a coroutine that is done may be closed again without an error. */
PySendResult generator_step(PyGenObject *gen, PyObject *arg, PyObject **result, int closing);
/* next() of a generator from C: a new reference; NULL without an exception: it has returned None. */
PyObject *generator_next(PyGenObject *gen);

/* Records where a coroutine was made, if sys.set_coroutine_origin_tracking_depth asks for it. 0 or -1. */
int generator_set_origin(PyThreadState *ts, PyGenObject *gen);

/* Calls visit for every slot reference of any thread's stack and activations and of all generators; what it returns is not
 * looked at. World stopped. */
void frame_walk_slots_stopped(visitproc visit, void *arg);

#endif /* BRAID_GENERATOR_FRAMES_H */
