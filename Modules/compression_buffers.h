/* What zlib, _bz2 and _lzma share: output that grows, input that has not been used up, a lock around a stream.
 *
 * A stream of a compression library is used by one thread at a time: its object has a mutex, which is held while the
 * library works (detached). Nothing that may run Python code happens under it. */
#ifndef BRAID_COMPRESSION_BUFFERS_H
#define BRAID_COMPRESSION_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

/* For the library's use while the thread is detached. NULL: no memory. */
static inline void *compression_allocate(size_t items, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(items, size, &total) ? NULL : PyMem_RawMalloc(total);
}

/* ---- Output ---- */

typedef struct {
    PyObject *bytes;            /* under construction; NULL after a failure */
    Py_ssize_t used, size;
    Py_ssize_t limit;           /* of the size; < 0: none */
} output_t;

/* 0, or -1 with MemoryError. */
static inline int output_init(output_t *out, Py_ssize_t first_size, Py_ssize_t limit)
{
    out->size = limit >= 0 && limit < first_size ? limit : first_size;
    out->used = 0;
    out->limit = limit;
    out->bytes = PyBytes_FromStringAndSize(NULL, out->size);
    return out->bytes == NULL ? -1 : 0;
}
static inline char *output_at(output_t *out) { return PyBytes_AS_STRING(out->bytes) + out->used; }
static inline Py_ssize_t output_room(const output_t *out) { return out->size - out->used; }
/* Is there room now? 1; 0: the limit is reached; -1 with MemoryError. */
static inline int output_grow(output_t *out)
{
    if (output_room(out) > 0)
        return 1;
    Py_ssize_t size = out->size < 32 ? 64 : out->size > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX : out->size * 2;
    if (out->limit >= 0 && size > out->limit)
        size = out->limit;
    if (size == out->size)
        return 0;
    if (out->size == 0) {       /* the empty bytes object is shared */
        Py_SETREF(out->bytes, PyBytes_FromStringAndSize(NULL, size));
        if (out->bytes == NULL)
            return -1;
    }
    else if (_PyBytes_Resize(&out->bytes, size) < 0)
        return -1;
    out->size = size;
    return 1;
}
static inline PyObject *output_finish(output_t *out)
{
    PyObject *result;
    if (out->used == 0) {
        Py_CLEAR(out->bytes);
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    if (out->used < out->size)
        _PyBytes_Resize(&out->bytes, out->used);
    result = out->bytes;
    out->bytes = NULL;
    return result;
}
static inline void output_drop(output_t *out) { Py_CLEAR(out->bytes); }

/* ---- Input that is left over from one call to the next ---- */

typedef struct {
    char *data;                 /* or NULL */
    size_t size, start, length;
} pending_t;

static inline void pending_free(pending_t *p)
{
    PyMem_Free(p->data);
    *p = (pending_t){NULL, 0, 0, 0};
}
/* Adds new input. 0, or -1 with MemoryError. */
static inline int pending_add(pending_t *p, const void *data, size_t n)
{
    if (p->start > 0) {
        memmove(p->data, p->data + p->start, p->length);
        p->start = 0;
    }
    if (p->size - p->length < n) {
        char *grown = PyMem_Realloc(p->data, p->length + n);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        p->data = grown;
        p->size = p->length + n;
    }
    if (n > 0)
        memcpy(p->data + p->length, data, n);
    p->length += n;
    return 0;
}
/* Keeps the rest of what was given to the library: the end of the pending input itself, or of a caller's buffer. */
static inline int pending_keep(pending_t *p, const void *rest, size_t n)
{
    if (n > 0 && p->data != NULL && (const char *)rest >= p->data && (const char *)rest < p->data + p->size) {
        p->start = (size_t)((const char *)rest - p->data);
        p->length = n;
        return 0;
    }
    p->start = p->length = 0;
    return n == 0 ? 0 : pending_add(p, rest, n);
}

/* Replaces a bytes attribute, which other threads may be reading; steals value. */
static inline void set_bytes_attribute(PyObject *self, PyObject **field, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = *field;
    *field = value;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

#endif /* BRAID_COMPRESSION_BUFFERS_H */
