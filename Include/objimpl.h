/* Making objects: memory for them, initialising headers, and the cycle collector's interface. */
#ifndef Py_OBJIMPL_H
#define Py_OBJIMPL_H

PyAPI_FUNC(void *) PyObject_Malloc(size_t size);
PyAPI_FUNC(void *) PyObject_Calloc(size_t count, size_t size);
PyAPI_FUNC(void *) PyObject_Realloc(void *ptr, size_t size);
/* For objects without GC and for buffers. Memory of a published object that is being deallocated is kept until no
 * other thread can look at it. */
PyAPI_FUNC(void) PyObject_Free(void *ptr);

#define PyObject_MALLOC PyObject_Malloc
#define PyObject_REALLOC PyObject_Realloc
#define PyObject_FREE PyObject_Free
#define PyObject_Del PyObject_Free
#define PyObject_DEL PyObject_Free

PyAPI_FUNC(PyObject *) PyObject_Init(PyObject *op, PyTypeObject *type);
PyAPI_FUNC(PyVarObject *) PyObject_InitVar(PyVarObject *op, PyTypeObject *type, Py_ssize_t size);
#define PyObject_INIT(op, type) PyObject_Init(_PyObject_CAST(op), (type))
#define PyObject_INIT_VAR(op, type, size) PyObject_InitVar(_PyVarObject_CAST(op), (type), (size))

PyAPI_FUNC(PyObject *) _PyObject_New(PyTypeObject *type);
PyAPI_FUNC(PyVarObject *) _PyObject_NewVar(PyTypeObject *type, Py_ssize_t nitems);
#define PyObject_New(type, typeobj) ((type *)_PyObject_New(typeobj))
#define PyObject_NEW(type, typeobj) PyObject_New(type, typeobj)
#define PyObject_NewVar(type, typeobj, n) ((type *)_PyObject_NewVar((typeobj), (n)))
#define PyObject_NEW_VAR(type, typeobj, n) PyObject_NewVar(type, typeobj, n)

static inline size_t _PyObject_SIZE(PyTypeObject *type) { return (size_t)type->tp_basicsize; }
/* Rounded up to a multiple of 8; the caller has checked that it does not overflow. */
static inline size_t _PyObject_VAR_SIZE(PyTypeObject *type, Py_ssize_t nitems)
{
    return _Py_SIZE_ROUND_UP((size_t)type->tp_basicsize + (size_t)nitems * (size_t)type->tp_itemsize, 8);
}

/* ---- Objects that can be part of cycles: they live on object pages ---- */

PyAPI_FUNC(PyObject *) _PyObject_GC_New(PyTypeObject *type);
PyAPI_FUNC(PyVarObject *) _PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t nitems);
/* Like PyObject_GC_New, with extra zeroed bytes behind tp_basicsize. */
PyAPI_FUNC(PyObject *) PyUnstable_Object_GC_NewWithExtraData(PyTypeObject *type, size_t extra);
/* op must be reached by the caller alone, and untracked. The old memory is gone on success, op is unchanged on failure. */
PyAPI_FUNC(PyVarObject *) _PyObject_GC_Resize(PyVarObject *op, Py_ssize_t nitems);
PyAPI_FUNC(void) PyObject_GC_Del(void *op);
PyAPI_FUNC(void) PyObject_GC_Track(void *op);
/* Does nothing to an object that is not tracked. */
PyAPI_FUNC(void) PyObject_GC_UnTrack(void *op);
PyAPI_FUNC(int) PyObject_GC_IsTracked(PyObject *op);
PyAPI_FUNC(int) PyObject_GC_IsFinalized(PyObject *op);
#define PyObject_GC_New(type, typeobj) ((type *)_PyObject_GC_New(typeobj))
#define PyObject_GC_NewVar(type, typeobj, n) ((type *)_PyObject_GC_NewVar((typeobj), (n)))
#define PyObject_GC_Resize(type, op, n) ((type *)_PyObject_GC_Resize(_PyVarObject_CAST(op), (n)))
#define _PyObject_GC_TRACK(op) PyObject_GC_Track(op)
#define _PyObject_GC_UNTRACK(op) PyObject_GC_UnTrack(op)
#define _PyObject_GC_IS_TRACKED(op) PyObject_GC_IsTracked(_PyObject_CAST(op))
#define _PyObject_GC_MAY_BE_TRACKED(op) (PyObject_IS_GC(op) && PyObject_GC_IsTracked(_PyObject_CAST(op)))

/* tp_finalize has run (PEP 442). */
static inline int _PyGC_FINALIZED_(PyObject *op)
{
    return value_is_heap(op) && (op->hdr_flags & OBJECT_FINALIZED) != 0;
}
#define _PyGC_FINALIZED(op) _PyGC_FINALIZED_(_PyObject_CAST(op))

#define PyType_IS_GC(type) PyType_HasFeature((type), Py_TPFLAGS_HAVE_GC)
PyAPI_FUNC(int) PyObject_IS_GC(PyObject *op);
#define _PyObject_IS_GC(op) PyObject_IS_GC(_PyObject_CAST(op))

PyAPI_FUNC(Py_ssize_t) PyGC_Collect(void);
PyAPI_FUNC(int) PyGC_Enable(void);
PyAPI_FUNC(int) PyGC_Disable(void);
PyAPI_FUNC(int) PyGC_IsEnabled(void);

/* Returns 1 to go on, 0 to stop. Must not allocate, run code or drop references: the world is stopped. */
typedef int (*gcvisitobjects_t)(PyObject *op, void *arg);
PyAPI_FUNC(void) PyUnstable_GC_VisitObjects(gcvisitobjects_t callback, void *arg);

/* ---- For tp_traverse: `visit` and `arg` are its parameters ----
 *
 * Py_VISIT             a counted reference (immediates and NULL are skipped)
 * Py_VISIT_UNCOUNTED   a reference that holds no count, to a DEFERRED object: the collector follows it, and does not
 *                      subtract it
 * Py_VISIT_SLOT        the content of a frame or generator slot: uncounted if the object is DEFERRED
 *
 * tp_traverse of Braid's own types does not visit Py_TYPE(self): the collector knows that edge (finding 22). An
 * extension's tp_traverse may. DEFERRED objects have to be tracked, and need a tp_clear that drops all they hold. */
#define Py_VISIT(op) \
    do { \
        if ((op) != NULL && value_is_heap(op)) { \
            int _py_vret = visit(_PyObject_CAST(op), arg); \
            if (_py_vret) \
                return _py_vret; \
        } \
    } while (0)

/* The collector's visitor that takes counted edges away from the count of their target. */
PyAPI_FUNC(int) _PyGC_VisitSubtract(PyObject *op, void *arg);

#define Py_VISIT_UNCOUNTED(op) \
    do { \
        if (visit != _PyGC_VisitSubtract) \
            Py_VISIT(op); \
    } while (0)
#define Py_VISIT_SLOT(op) \
    do { \
        if (visit != _PyGC_VisitSubtract || ((op) != NULL && !object_is_deferred(_PyObject_CAST(op)))) \
            Py_VISIT(op); \
    } while (0)

/* ---- Types ---- */

/* Instances hold a counted reference to their type: they are not on object pages, or a tp_dealloc in the base chain is
 * an extension's and drops that reference. Settled at the first allocation. Bits of tp_flags that 3.11 leaves free. */
#define _Py_TPFLAGS_COUNTS_INSTANCES (1UL << 2)
#define _Py_TPFLAGS_COUNTS_SETTLED (1UL << 3)

/* For a tp_dealloc of ours that has just freed an instance of a heap type: drops the reference that the instance held,
 * if it held one. Read `counts` with object_counts_type before freeing. */
static inline int object_counts_type(PyObject *op)
{
    return value_is_heap(op) && (op->hdr_flags & OBJECT_COUNTS_TYPE) != 0;
}

#endif /* Py_OBJIMPL_H */
