/* Buffers whose content stays as it is, for who goes over the bytes more than once.
 *
 * An export fixes where the bytes are and how many, not what they are: a store through a memoryview, recv_into() and readinto() take no
 * lock of the bytearray or array that has the memory.  Who first measures and then writes by the measure would write behind the
 * end.  So: who goes over a buffer twice works on a copy, unless it is of an exact bytes or str.  (A read-only view may show writable
 * memory: that flag says nothing.)  A copy of a bytearray is made under its lock and shows one moment of it. */
#ifndef BRAID_STABLE_BUFFER_H
#define BRAID_STABLE_BUFFER_H

#include "Python.h"

/* True if nobody can change the bytes: of bytes, str, a memoryview of bytes, or memory that the caller answers for (no obj). */
static inline int buffer_is_stable(const Py_buffer *view)
{
    PyObject *owner = view->obj;
    if (owner != NULL && PyMemoryView_Check(owner))
        owner = PyMemoryView_GET_BASE(owner);       /* stays, since view is an export of it */
    return view->obj == NULL || (owner != NULL && (PyBytes_Check(owner) || PyUnicode_Check(owner)));
}

/* Copies the contiguous bytes of view.
 * Locks    takes view->obj's, if it is a bytearray: what other critical sections guard may change meanwhile
 * Escapes  while it waits for that lock */
static inline void stable_buffer_read(char *to, const Py_buffer *view)
{
    if (view->obj == NULL || !PyByteArray_Check(view->obj)) {
        memcpy(to, view->buf, (size_t)view->len);
        return;
    }
    Py_BEGIN_CRITICAL_SECTION(view->obj);
    memcpy(to, view->buf, (size_t)view->len);
    Py_END_CRITICAL_SECTION();
}

/* The same, as a new bytes. NULL with MemoryError. */
static inline PyObject *stable_buffer_copy(const Py_buffer *view)
{
    PyObject *copy = PyBytes_FromStringAndSize(NULL, view->len);
    if (copy != NULL && view->len > 0)
        stable_buffer_read(PyBytes_AS_STRING(copy), view);
    return copy;
}

/* Makes a view, as PyBUF_SIMPLE gives one, a view of a private copy, unless it is stable.
 * Returns  0; or -1 with an exception, view is released then
 * Escapes  yes: the exporter is let go */
static inline int stable_buffer_own(Py_buffer *view)
{
    if (buffer_is_stable(view))
        return 0;
    PyObject *copy = stable_buffer_copy(view);
    PyBuffer_Release(view);
    int failed = copy == NULL || PyObject_GetBuffer(copy, view, PyBUF_SIMPLE) < 0;
    Py_XDECREF(copy);
    return failed ? -1 : 0;
}

/* PyObject_GetBuffer(op, view, PyBUF_SIMPLE), of bytes that nobody changes. Of an exact bytes, which the caller holds as long as the view,
 * only buf, len and obj are set. Errors and escapes as PyObject_GetBuffer and stable_buffer_own. */
static inline int stable_buffer_get(PyObject *op, Py_buffer *view)
{
    if (PyBytes_CheckExact(op)) {
        view->obj = NULL;
        view->buf = PyBytes_AS_STRING(op);
        view->len = PyBytes_GET_SIZE(op);
        return 0;
    }
    return PyObject_GetBuffer(op, view, PyBUF_SIMPLE) < 0 ? -1 : stable_buffer_own(view);
}

#endif /* BRAID_STABLE_BUFFER_H */
