/* Between the files of the module sys. */
#ifndef BRAID_SYS_INTERNAL_H
#define BRAID_SYS_INTERNAL_H

#include "Python.h"
#include "interpreter.h"

#define SYS_METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), PyDoc_STR(doc)}

extern PyMethodDef sys_function_methods[];      /* sys_functions.c */
extern PyMethodDef sys_thread_methods[];        /* sys_threads.c: frames, recursion, switching, hooks of coroutines */
extern PyMethodDef sys_hook_methods[];          /* sys_hooks.c: displayhook, excepthook, breakpointhook ... */
extern PyMethodDef sys_trace_methods[];         /* sys_trace.c */
extern PyMethodDef sys_audit_methods[];         /* sys_audit.c */

/* Makes the type of get_asyncgen_hooks(). 0 or -1. */
int sys_threads_init(void);
/* Adds flags, version_info, hash_info, ... (sys_info.c). 0 or -1. */
int sys_add_info(PyObject *dict);
/* dict[name] = value.  Steals value; NULL: an exception is set.  0 or -1 */
int sys_set_steal(PyObject *dict, const char *name, PyObject *value);

/* What sys has by that name: a new reference, or NULL without an exception; one that is raised stays. PySys_GetObject borrows from a dict
 * that other threads change: a program may replace sys.stdout while others print. */
PyObject *sys_object_ref(const char *name);

/* error_display.c */
int error_display_init(void);
PyObject *error_display_unraisable(PyObject *module, PyObject *args);

#endif /* BRAID_SYS_INTERNAL_H */
