/* The inside of memoryview.
 *
 * A view is fixed when it has been made; only release() takes its memory away. So whoever wants to touch the memory does
 * so inside LEAF_SECTION_BEGIN(self) after asking memoryview_is_released, without escaping; or keeps the view alive by
 * memoryview_acquire ... memoryview_drop, which counts as an exported buffer: release() fails meanwhile. */
#ifndef BRAID_MEMORYVIEW_H
#define BRAID_MEMORYVIEW_H

#include "Python.h"

/* ---- Life (Objects/memoryview_object.c) ---- */

/* _Py_MEMORYVIEW_*: RELEASED is set under self's lock, and looked at without. */
static inline int memoryview_flags(PyMemoryViewObject *self) { return __atomic_load_n(&self->flags, __ATOMIC_RELAXED); }

int memoryview_is_released(PyMemoryViewObject *self);
/* ValueError. Returns -1. */
int memoryview_released_error(void);
/* 0, or -1 with ValueError if it is released. */
int memoryview_acquire(PyMemoryViewObject *self);
void memoryview_drop(PyMemoryViewObject *self);
/* 0, or -1 with BufferError if there are exports. Escapes. */
int memoryview_release(PyMemoryViewObject *self);
/* A view of self's managed buffer with src's description; the caller may change the copy before showing it to others,
 * and then calls memoryview_init_flags. self is acquired. */
PyMemoryViewObject *memoryview_derive(PyMemoryViewObject *self, const Py_buffer *src, int ndim);
void memoryview_init_flags(PyMemoryViewObject *self);
PyObject *memoryview_iter(PyObject *self);
void memoryview_dealloc(PyObject *op);
int memoryview_traverse(PyObject *op, visitproc visit, void *arg);
int memoryview_clear(PyObject *op);
int memoryview_getbuffer(PyObject *op, Py_buffer *view, int flags);
void memoryview_releasebuffer(PyObject *op, Py_buffer *view);
extern PyTypeObject memoryview_iterator_type;

/* ---- Items (Objects/memoryview_format.c) ---- */

/* The character of a native single-character format ("B", "@B"), or 0. */
char memoryview_native_format(const char *format);
/* Size of a native format, or -1. */
Py_ssize_t memoryview_native_size(char format);
/* The same format as a static string. */
const char *memoryview_static_format(const char *format);
/* One item as an object; format is native. Never escapes. */
PyObject *memoryview_unpack(const char *item, char format);
/* value in C form into item (16 bytes). Escapes; errors name the format. */
int memoryview_pack(char *item, PyObject *value, char format);
/* v == w by value: 1, 0, -1. Escapes. */
int memoryview_equal(const Py_buffer *v, const Py_buffer *w);
/* NotImplementedError for a format that is not native. */
char memoryview_item_format(const Py_buffer *view);

/* ---- Indexing (Objects/memoryview_index.c) ---- */

PyObject *memoryview_item(PyObject *self, Py_ssize_t index);
PyObject *memoryview_subscript(PyObject *self, PyObject *key);
int memoryview_ass_subscript(PyObject *self, PyObject *key, PyObject *value);
PyObject *memoryview_tolist(PyObject *self, PyObject *unused);

#endif /* BRAID_MEMORYVIEW_H */
