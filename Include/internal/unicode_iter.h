/* Iterators over strings, for the interpreter loop. (Rules of sharing: Objects/unicode_iter.c.) */
#ifndef BRAID_UNICODE_ITER_H
#define BRAID_UNICODE_ITER_H

#include "unicode.h"

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;           /* [atomic] next character; may run beyond the length */
    PyObject *str;              /* [const, but see above] counted */
} unicode_iter_t;

extern PyTypeObject unicode_ascii_iter_type;

/* One step of an iterator over an ASCII string that no other thread uses: an immortal string; NULL: the general path (also at the end). */
static inline Py_ALWAYS_INLINE PyObject *unicode_ascii_iterator_step(PyObject *op)
{
    unicode_iter_t *it = (unicode_iter_t *)op;
    Py_ssize_t index = __atomic_load_n(&it->index, __ATOMIC_RELAXED);
    if (object_is_published(op) || index >= PyUnicode_GET_LENGTH(it->str))
        return NULL;
    __atomic_store_n(&it->index, index + 1, __ATOMIC_RELAXED);
    return (PyObject *)&unicode_ascii_chars[PyUnicode_1BYTE_DATA(it->str)[index]];
}

#endif /* BRAID_UNICODE_ITER_H */
