/* The compiler: tree -> code object. */
#ifndef BRAID_COMPILER_H
#define BRAID_COMPILER_H

#include "ast.h"

/* Compiles a tree.
 * flags     PyCF_ and CO_FUTURE_ bits in force; the tree's own __future__ imports are added, and written back to *flags
 * optimize  0, 1 (no asserts), 2 (no documentation strings); -1: as the interpreter was started
 * Returns   a new code object, or NULL with SyntaxError, ... set */
PyObject *compile_tree(mod_ty tree, PyObject *filename, int *flags, int optimize, arena *a);

/* -X no_debug_ranges: code objects keep lines, but no columns. [const] set when the command line is read */
extern int compile_without_columns;

/* Adds the CO_FUTURE_ bits of the tree's __future__ imports to *flags. 1, or 0 with SyntaxError set. */
int compile_read_features(mod_ty tree, PyObject *filename, int *flags);

#endif /* BRAID_COMPILER_H */
