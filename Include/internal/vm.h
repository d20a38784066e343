/* The interpreter loop and what it calls out of line. */
#ifndef BRAID_VM_H
#define BRAID_VM_H

#include "frame.h"

/* Runs the activation f, pushed by the caller with FRAME_ENTRY, to its end.
 * throwing: an exception is set, to be raised at f's instruction (generator.throw).
 * Returns the value returned or yielded (new reference), or NULL. */
static inline PyObject *vm_run(PyThreadState *ts, frame_t *f, int throwing);

/* exec-like call: runs code with the given namespaces (builtins are taken from globals). */
PyObject *vm_eval_code(PyObject *code, PyObject *globals, PyObject *locals, PyObject *closure);

/* Lists a code object on stderr. */
void vm_dump_code(PyCodeObject *code);

/* The two loops: one for threads without and one for threads with a trace or profile function.  Either may stop at a safe
 * point of ts->frame and ask for the other by returning VM_SWITCH; vm_run_switched goes on from there. */
#define VM_SWITCH ((PyObject *)-8)
PyObject *vm_loop(PyThreadState *ts, frame_t *f, int throwing);
PyObject *vm_loop_traced(PyThreadState *ts, frame_t *f, int throwing);
PyObject *vm_run_switched(PyThreadState *ts);

static inline PyObject *vm_run(PyThreadState *ts, frame_t *f, int throwing)
{
    PyObject *result = vm_loop(ts, f, throwing);
    return Py_LIKELY(result != VM_SWITCH) ? result : vm_run_switched(ts);
}

/* Fills the hooks of lower layers. Once, at start-up. */
void vm_init(void);

#endif /* BRAID_VM_H */
