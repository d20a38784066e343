/* classmethod and staticmethod, for caches of the interpreter loop. */
#ifndef BRAID_WRAPPERS_H
#define BRAID_WRAPPERS_H

#include "Python.h"

/* What the exact classmethod or staticmethod at descr wraps, to be given to slot_try_incref before the next safe point; NULL for anything
 * else.  *is_class: the callable is passed the class first. */
PyObject *wrapper_callable_racy(PyObject *descr, int *is_class);

#endif /* BRAID_WRAPPERS_H */
