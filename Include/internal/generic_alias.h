/* Shared by list[int] and int | str: type parameters. */
#ifndef BRAID_GENERIC_ALIAS_H
#define BRAID_GENERIC_ALIAS_H

#include "Python.h"

/* The type variables in args: a new tuple. */
PyObject *generic_make_parameters(PyObject *args);
/* args with parameters replaced by item (one, or a tuple of them): a new tuple. */
PyObject *generic_substitute(PyObject *self, PyObject *args, PyObject *parameters, PyObject *item);
/* How an argument is shown: a new str. */
PyObject *generic_show_item(PyObject *item);

#endif /* BRAID_GENERIC_ALIAS_H */
