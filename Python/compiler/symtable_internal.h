/* Between the two walks of the symbol table. */
#ifndef BRAID_SYMTABLE_INTERNAL_H
#define BRAID_SYMTABLE_INTERNAL_H

#include "symtable.h"

/* Decides the scope of every name. Returns 1, or 0 with an exception set. */
int symtable_analyze(symtable_t *st);
/* symbols[name] = flags: 1, or 0 with an exception set. */
int symtable_set_flags(PyObject *symbols, PyObject *name, long flags);

#endif /* BRAID_SYMTABLE_INTERNAL_H */
