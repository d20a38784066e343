/* PyObject_GC_New, Track and UnTrack inline, for the files of types that are made and freed all the time. Included after Python.h, by .c files
 * only. */
#ifndef BRAID_OBJECT_GC_INLINE_H
#define BRAID_OBJECT_GC_INLINE_H

#include "object_pages.h"

static inline Py_ALWAYS_INLINE void gc_track_inline(PyObject *op)
{
    if (Py_LIKELY(op->hdr_flags & OBJECT_ON_PAGE))
        object_track(op);
}
static inline Py_ALWAYS_INLINE void gc_untrack_inline(PyObject *op)
{
    if (Py_LIKELY(op->hdr_flags & OBJECT_ON_PAGE))
        object_untrack(op);
}

#undef PyObject_GC_New
#define PyObject_GC_New(T, type) ((T *)object_new_gc((type), (size_t)(type)->tp_basicsize))
#define PyObject_GC_Track(op) gc_track_inline(_PyObject_CAST(op))
#define PyObject_GC_UnTrack(op) gc_untrack_inline(_PyObject_CAST(op))

#endif /* BRAID_OBJECT_GC_INLINE_H */
