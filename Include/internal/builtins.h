/* The built-in functions: what builtins_*.c share. */
#ifndef BRAID_BUILTINS_H
#define BRAID_BUILTINS_H

#include "Python.h"

/* builtins_class.c */
PyObject *builtin_build_class(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* builtins_compile.c */
extern PyMethodDef builtin_compile_methods[];      /* compile, eval, exec */
/* builtins_numeric.c: abs, bin, chr, divmod, hash, hex, oct, ord, pow, round, sum, ... */
extern PyMethodDef builtin_numeric_methods[];
/* builtins_sequence.c: all, any, len, max, min, sorted, iter, next, aiter, anext ... */
extern PyMethodDef builtin_sequence_methods[];
/* builtins_object.c: callable, dir, getattr, id, isinstance, vars, ... */
extern PyMethodDef builtin_object_methods[];
/* builtins_io.c: print, input, open is _io's */
extern PyMethodDef builtin_io_methods[];

/* Makes the module `builtins` with all its names. New reference, or NULL. */
PyObject *builtins_create(void);

/* Parses and compiles source text. source: NUL-terminated UTF-8 or as its cookie says.
 * start: Py_file_input, Py_eval_input, Py_single_input. Returns a code object (or an _ast object with PyCF_ONLY_AST). */
PyObject *compile_source(const char *source, Py_ssize_t size, PyObject *filename, int start, PyCompilerFlags *flags, int optimize);

/* The text of a str, bytes or buffer argument `what` of a function; sets PyCF_IGNORE_COOKIE in *flags for a str.
 * *owner keeps it alive (new reference). NULL: TypeError, SyntaxError, ... is set, *owner is NULL. */
const char *builtins_source_text(PyObject *source, const char *function, const char *what, int *flags, Py_ssize_t *size,
                                 PyObject **owner);

#endif /* BRAID_BUILTINS_H */
