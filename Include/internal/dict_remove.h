/* Removing an entry of a dict on a condition. */
#ifndef BRAID_DICT_REMOVE_H
#define BRAID_DICT_REMOVE_H

#include "Python.h"

/* Removes the entry of key if may_go(value) says so: asked once the entry is found, under the dict's lock, so it neither escapes nor waits.
 * Returns  1: removed; 0: no such key, or it stays; -1 with an exception of __hash__ or __eq__
 * Escapes */
int dict_remove_if(PyObject *dict, PyObject *key, int (*may_go)(PyObject *value));

#endif /* BRAID_DICT_REMOVE_H */
