/* The interpreter loop and what it calls out of line. */
#ifndef BRAID_VM_H
#define BRAID_VM_H

#include "frame.h"

/* Runs the activation f, pushed by the caller with FRAME_ENTRY, to its end.
 * throwing: an exception is set, to be raised at f's instruction (generator.throw).
 * Returns the value returned or yielded (new reference), or NULL. */
PyObject *vm_run(PyThreadState *ts, frame_t *f, int throwing);

/* exec-like call: runs code with the given namespaces (builtins are taken from globals). */
PyObject *vm_eval_code(PyObject *code, PyObject *globals, PyObject *locals, PyObject *closure);

/* Lists a code object on stderr. */
void vm_dump_code(PyCodeObject *code);

/* Fills the hooks of lower layers. Once, at start-up. */
void vm_init(void);

#endif /* BRAID_VM_H */
