/* Python functions: how a call binds its arguments to a window. */
#ifndef BRAID_FUNCTION_H
#define BRAID_FUNCTION_H

#include "frame.h"

/* Makes a function; all references borrowed.  deferred: uncounted by frames (module-level functions, methods). */
PyObject *function_new(PyCodeObject *code, PyObject *globals, PyObject *builtins, PyObject *qualname, int deferred);

/* Fills window[0 .. co_temp_base) from slot references args[0..nargs) and the keyword values behind them (kwnames: tuple of str or NULL).
 * Consumes the arguments, on failure too; args may overlap the window (bind in place).
 * code: func's code as the caller read it once; another thread may have replaced it since.
 * Returns 0, or -1 with TypeError; then the window holds nothing. */
int function_bind(PyThreadState *ts, PyFunctionObject *func, PyCodeObject *code, PyObject **args, Py_ssize_t nargs, PyObject *kwnames,
                  PyObject **window);

PyObject *function_vectorcall(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames);

#endif /* BRAID_FUNCTION_H */
