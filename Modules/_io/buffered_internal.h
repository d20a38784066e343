/* Shared by the buffered_*.c files alone: the methods that the type tables name. */
#ifndef BRAID_MODULES_IO_BUFFERED_INTERNAL_H
#define BRAID_MODULES_IO_BUFFERED_INTERNAL_H

#include "io_internal.h"

/* Checks that self is usable and takes its lock. 0, or -1 with an exception set and no lock held. */
int buffered_enter(io_buffered *self);

/* A new reference to the raw stream, or NULL with ValueError set. Needs no lock. */
PyObject *buffered_raw_ref(io_buffered *self);

/* Calls raw.name(). */
PyObject *buffered_forward(io_buffered *self, PyObject *name);

PyObject *buffered_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
/* The common part of the three __init__: takes over raw with a fresh buffer. */
int buffered_setup(io_buffered *self, PyObject *raw, Py_ssize_t size, bool readable, bool writable);
int buffered_traverse(PyObject *op, visitproc visit, void *arg);
int buffered_clear(PyObject *op);
void buffered_dealloc(PyObject *op);

PyObject *buffered_flush(PyObject *op, PyObject *unused);
PyObject *buffered_flush_raw(PyObject *op, PyObject *unused);
PyObject *buffered_tell(PyObject *op, PyObject *unused);
PyObject *buffered_seek(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_truncate(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_close(PyObject *op, PyObject *unused);
PyObject *buffered_detach(PyObject *op, PyObject *unused);
PyObject *buffered_dealloc_warn(PyObject *op, PyObject *source);

#endif
