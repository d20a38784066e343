/* The slot dispatch behind the operators, for the interpreter loop and for slot wrappers. */
#ifndef BRAID_INTERNAL_ABSTRACT_H
#define BRAID_INTERNAL_ABSTRACT_H

#include "Python.h"

/* Binary operators, by the offset of their slot in PyNumberMethods. */
#define NUMBER_SLOT(name) offsetof(PyNumberMethods, name)

/* a OP b through the number slots alone. Returns a new reference, Py_NotImplemented, or NULL with an exception. */
PyObject *number_binary_slots(PyObject *a, PyObject *b, size_t slot);

/* _PyEval_SliceIndex: a slice bound as Py_ssize_t, clipped. None leaves *index alone. 1, or 0 with an exception. */
PyAPI_FUNC(int) _PyEval_SliceIndex(PyObject *op, Py_ssize_t *index);
PyAPI_FUNC(int) _PyEval_SliceIndexNotNone(PyObject *op, Py_ssize_t *index);

/* `for` and unpacking: the item, or NULL; a StopIteration is cleared. */
static inline PyObject *iter_next(PyObject *iter)
{
    return PyIter_Next(iter);
}

/* Moves a StopIteration out of the way: 0 if it was one (now cleared) or nothing was set; -1 for other exceptions. */
int iter_clear_stop(void);

#endif /* BRAID_INTERNAL_ABSTRACT_H */
