/* The inside of bytearray: storage (Objects/bytearray_object.c) and the type (Objects/bytearray_type.c). */
#ifndef BRAID_BYTEARRAY_H
#define BRAID_BYTEARRAY_H

#include "Python.h"

/* Sets the size; new bytes are not initialised.
 * Returns  0, or -1 with BufferError (exports) or MemoryError
 * Locks    caller holds op's lock
 * Escapes  never */
int bytearray_resize_locked(PyObject *op, Py_ssize_t size);
/* Replaces [lo, hi) by n bytes of data, which is not inside op. Otherwise as above. */
int bytearray_splice_locked(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, const char *data, Py_ssize_t n);

void bytearray_dealloc(PyObject *op);
int bytearray_getbuffer(PyObject *op, Py_buffer *view, int flags);
void bytearray_releasebuffer(PyObject *op, Py_buffer *view);
Py_ssize_t bytearray_length(PyObject *op);
PyObject *bytearray_inplace_concat(PyObject *op, PyObject *other);
PyObject *bytearray_repeat(PyObject *op, Py_ssize_t count);
PyObject *bytearray_inplace_repeat(PyObject *op, Py_ssize_t count);
PyObject *bytearray_item(PyObject *op, Py_ssize_t i);
PyObject *bytearray_subscript(PyObject *op, PyObject *key);
int bytearray_ass_item(PyObject *op, Py_ssize_t i, PyObject *value);
int bytearray_ass_subscript(PyObject *op, PyObject *key, PyObject *value);
PyObject *bytearray_richcompare(PyObject *a, PyObject *b, int op);

#endif /* BRAID_BYTEARRAY_H */
