/* Values, the object header, reference counts, and the type object.
 *
 * A PyObject * is one 64-bit word:
 *
 *      low bits   meaning
 *      000        pointer to a heap object
 *      ..11       immediate int, 62 bits signed: (n << 2) | 3
 *      ..01 ..10  immediate float: rotl(bits, 3) ^ 4
 *      word 4     +0.0 (the same formula)
 *
 * An exact int of at most 62 bits and an exact float whose exponent is in 2^-511..2^513 are always immediate when
 * Braid makes them.  Immediates are never allocated, counted, locked, published or traversed.
 *
 * A heap object starts with 24 bytes:
 *
 *      offset 0  uint16  hdr_tid     owning thread's slot; 0: no owner (merged, immortal, deferred)
 *             2  uint8   hdr_flags   OBJECT_* below
 *             3  uint8   hdr_mutex   the object's lock (a PyMutex)
 *             4  uint32  hdr_local   the owner's count, plain; top bit: pinned
 *             8  uint32  hdr_shared  signed count << 2 | SHARED_INIT/DEAD/QUEUED/MERGED; |count| >= 2^28: pinned
 *            12  uint32  hdr_shape   shape of an instance with inline attributes (lists: shift counter); else 0
 *            16  type *  hdr_type
 *
 * Only the inline functions of this header and of Include/internal/refcount.h, and the files of Python/memory, touch
 * these fields.  The rules that the count and PUBLISHED obey are those of Doc/concurrency.md (section 2). */
#ifndef Py_OBJECT_H
#define Py_OBJECT_H

typedef struct _typeobject PyTypeObject;

typedef struct PyMutex {
    uint8_t bits;       /* [atomic] 0 free, 1 locked, 2 threads are parked, 3 both */
} PyMutex;

typedef struct _object {
    uint16_t hdr_tid;
    uint8_t hdr_flags;
    PyMutex hdr_mutex;
    uint32_t hdr_local;
    uint32_t hdr_shared;
    uint32_t hdr_shape;
    PyTypeObject *hdr_type;
} PyObject;

typedef struct {
    PyObject ob_base;
    Py_ssize_t ob_size;
} PyVarObject;

#define PyObject_HEAD PyObject ob_base;
#define PyObject_VAR_HEAD PyVarObject ob_base;
#define _PyObject_CAST(op) ((PyObject *)(op))
#define _PyObject_CAST_CONST(op) ((const PyObject *)(op))
#define _PyVarObject_CAST(op) ((PyVarObject *)(op))

enum {
    OBJECT_PUBLISHED = 1,       /* may be reached without a counted path; set by object_publish, never cleared */
    OBJECT_DEFERRED = 2,        /* references from interpreter frames are not counted; the collector alone frees it */
    OBJECT_IMMORTAL = 4,        /* never counted, never freed */
    OBJECT_FINALIZED = 8,       /* tp_finalize has been called (PEP 442); set in dealloc or in a pause */
    OBJECT_ON_PAGE = 16,        /* lives on an object page: has a slot that the collector walks */
    OBJECT_COUNTS_TYPE = 32,    /* holds a counted reference to its type (types whose dealloc is an extension's) */
    OBJECT_PREHEADER = 64,      /* reserved */
};

enum { SHARED_INIT = 0, SHARED_DEAD = 1, SHARED_QUEUED = 2, SHARED_MERGED = 3, SHARED_STATE_MASK = 3 };
#define SHARED_ONE 4u                                   /* one reference in hdr_shared */
#define SHARED_PINNED ((uint32_t)(1u << 29) << 2)       /* a count that is far beyond the pin limit */
#define LOCAL_PINNED 0xC0000000u

/* Static objects and types: immortal, born published. */
#define PyObject_HEAD_INIT(type) \
    {0, OBJECT_PUBLISHED | OBJECT_IMMORTAL, {0}, 0, SHARED_PINNED | SHARED_MERGED, 0, (type)},
#define PyVarObject_HEAD_INIT(type, size) {PyObject_HEAD_INIT(type) (size)},

/* ---- Tags ---- */

#define TAG_MASK ((uintptr_t)7)
#define TAG_INT ((uintptr_t)3)
#define IMMEDIATE_INT_MAX ((int64_t)1 << 61)            /* exclusive upper bound; the lower one is -IMMEDIATE_INT_MAX */
#define WORD_ZERO_FLOAT ((uintptr_t)4)

static inline Py_ALWAYS_INLINE uintptr_t value_word(const void *op) { return (uintptr_t)op; }
static inline Py_ALWAYS_INLINE int value_is_heap(const void *op) { return (value_word(op) & TAG_MASK) == 0; }
static inline Py_ALWAYS_INLINE int value_is_immediate(const void *op) { return (value_word(op) & TAG_MASK) != 0; }
static inline Py_ALWAYS_INLINE int value_is_int(const void *op) { return (value_word(op) & 3) == TAG_INT; }
static inline Py_ALWAYS_INLINE int value_is_float(const void *op)
{
    return (((value_word(op) + 1) & 2) != 0) || value_word(op) == WORD_ZERO_FLOAT;
}
static inline Py_ALWAYS_INLINE int value_both_ints(const void *a, const void *b)
{
    return (value_word(a) & value_word(b) & 3) == TAG_INT;
}
static inline Py_ALWAYS_INLINE int64_t value_get_int(const void *op) { return (int64_t)value_word(op) >> 2; }
static inline Py_ALWAYS_INLINE int value_fits_int(int64_t n)
{
    return (uint64_t)n + (uint64_t)IMMEDIATE_INT_MAX < 2 * (uint64_t)IMMEDIATE_INT_MAX;
}
/* n must fit 62 bits. */
static inline Py_ALWAYS_INLINE PyObject *value_from_int(int64_t n)
{
    return (PyObject *)(((uintptr_t)n << 2) | TAG_INT);
}
static inline Py_ALWAYS_INLINE double value_get_float(const void *op)
{
    uint64_t w = value_word(op) ^ 4;
    w = (w >> 3) | (w << 61);
    double d;
    __builtin_memcpy(&d, &w, 8);
    return d;
}
/* The word that d would have; it is an immediate float only if value_is_float says so. */
static inline Py_ALWAYS_INLINE PyObject *value_encode_float(double d)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &d, 8);
    return (PyObject *)(((bits << 3) | (bits >> 61)) ^ 4);
}

/* ---- Types ---- */

#include "typeslots_types.h"

PyAPI_DATA(PyTypeObject) PyType_Type;
PyAPI_DATA(PyTypeObject) PyBaseObject_Type;
PyAPI_DATA(PyTypeObject) PySuper_Type;
PyAPI_DATA(PyTypeObject) PyLong_Type;
PyAPI_DATA(PyTypeObject) PyFloat_Type;
PyAPI_DATA(PyTypeObject) PyBool_Type;

static inline Py_ALWAYS_INLINE PyTypeObject *_Py_TYPE(const PyObject *op)
{
    if (Py_LIKELY(value_is_heap(op)))
        return op->hdr_type;
    return value_is_int(op) ? &PyLong_Type : &PyFloat_Type;
}
#define Py_TYPE(op) _Py_TYPE(_PyObject_CAST(op))

static inline Py_ALWAYS_INLINE int _Py_IS_TYPE(const PyObject *op, const PyTypeObject *type)
{
    return _Py_TYPE(op) == type;
}
#define Py_IS_TYPE(op, type) _Py_IS_TYPE(_PyObject_CAST(op), (type))
/* Heap objects known to be heap objects (never an int or a float): no tag test. */
static inline Py_ALWAYS_INLINE PyTypeObject *heap_type(const void *op) { return ((const PyObject *)op)->hdr_type; }
static inline Py_ALWAYS_INLINE int heap_is_type(const void *op, const PyTypeObject *type)
{
    return value_is_heap(op) && ((const PyObject *)op)->hdr_type == type;
}

static inline Py_ssize_t _Py_SIZE(const PyVarObject *op) { return op->ob_size; }
#define Py_SIZE(op) _Py_SIZE(_PyVarObject_CAST(op))
static inline void _Py_SET_SIZE(PyVarObject *op, Py_ssize_t size) { op->ob_size = size; }
#define Py_SET_SIZE(op, size) _Py_SET_SIZE(_PyVarObject_CAST(op), (size))
PyAPI_FUNC(void) _Py_SetType(PyObject *op, PyTypeObject *type);
#define Py_SET_TYPE(op, type) _Py_SetType(_PyObject_CAST(op), (type))

#define Py_Is(x, y) ((PyObject *)(x) == (PyObject *)(y))

/* ---- Reference counts ---- */

/* The variables are the program's own: it finds them at constant offsets from the thread pointer, shared modules load the offsets. */
#if defined(__PIC__) && !defined(__PIE__)
#define BRAID_TLS __thread __attribute__((tls_model("initial-exec")))
#else
#define BRAID_TLS __thread __attribute__((tls_model("local-exec")))
#endif
#ifdef Py_GIL_DISABLED
/* Slot index of the current thread; with the GIL on from start-up all threads share one. 0 while detached. */
PyAPI_DATA(BRAID_TLS uint16_t) _Py_current_tid;
#define object_current_tid() _Py_current_tid
#else
#define object_current_tid() ((uint16_t)1)
#endif

PyAPI_FUNC(void) _Py_IncRefShared(PyObject *op);
PyAPI_FUNC(void) _Py_DecRefShared(PyObject *op);
/* The owner's count has reached zero. */
PyAPI_FUNC(void) _Py_DecRefZero(PyObject *op);
PyAPI_FUNC(Py_ssize_t) _Py_RefCount(PyObject *op);
PyAPI_FUNC(void) _Py_SetRefCount(PyObject *op, Py_ssize_t count);
PyAPI_FUNC(void) _Py_NewReference(PyObject *op);
PyAPI_FUNC(void) _Py_Dealloc(PyObject *op);

/* Other threads may clear hdr_tid and set PUBLISHED meanwhile. */
static inline Py_ALWAYS_INLINE int object_is_mine(const PyObject *op)
{
    return __atomic_load_n(&op->hdr_tid, __ATOMIC_RELAXED) == object_current_tid();
}
static inline Py_ALWAYS_INLINE uint8_t object_flags(const PyObject *op)
{
    return __atomic_load_n(&op->hdr_flags, __ATOMIC_RELAXED);
}

static inline Py_ALWAYS_INLINE void Py_INCREF_(PyObject *op)
{
    if (value_is_immediate(op))
        return;
    if (Py_LIKELY(object_is_mine(op)))
        op->hdr_local++;
    else if (!(object_flags(op) & OBJECT_IMMORTAL))
        _Py_IncRefShared(op);
}
#define Py_INCREF(op) Py_INCREF_(_PyObject_CAST(op))

static inline Py_ALWAYS_INLINE void Py_DECREF_(PyObject *op)
{
    if (value_is_immediate(op))
        return;
    if (Py_LIKELY(object_is_mine(op))) {
        if (--op->hdr_local == 0)
            _Py_DecRefZero(op);
    }
    else if (!(object_flags(op) & OBJECT_IMMORTAL))
        _Py_DecRefShared(op);
}
#define Py_DECREF(op) Py_DECREF_(_PyObject_CAST(op))

static inline void Py_XINCREF_(PyObject *op)
{
    if (op != NULL)
        Py_INCREF(op);
}
#define Py_XINCREF(op) Py_XINCREF_(_PyObject_CAST(op))
static inline void Py_XDECREF_(PyObject *op)
{
    if (op != NULL)
        Py_DECREF(op);
}
#define Py_XDECREF(op) Py_XDECREF_(_PyObject_CAST(op))

static inline PyObject *Py_NewRef_(PyObject *op)
{
    Py_INCREF(op);
    return op;
}
#define Py_NewRef(op) Py_NewRef_(_PyObject_CAST(op))
static inline PyObject *Py_XNewRef_(PyObject *op)
{
    Py_XINCREF(op);
    return op;
}
#define Py_XNewRef(op) Py_XNewRef_(_PyObject_CAST(op))
#define _Py_NewRef Py_NewRef_
#define _Py_XNewRef Py_XNewRef_

/* Local plus shared count; a huge number for immediates, immortal, deferred and pinned objects. */
#define Py_REFCNT(op) _Py_RefCount(_PyObject_CAST(op))
#define Py_SET_REFCNT(op, n) _Py_SetRefCount(_PyObject_CAST(op), (n))

#define Py_CLEAR(op) \
    do { \
        PyObject *_py_tmp = _PyObject_CAST(op); \
        if (_py_tmp != NULL) { \
            (op) = NULL; \
            Py_DECREF(_py_tmp); \
        } \
    } while (0)
#define Py_SETREF(op, op2) \
    do { \
        PyObject *_py_tmp = _PyObject_CAST(op); \
        (op) = (op2); \
        Py_DECREF(_py_tmp); \
    } while (0)
#define Py_XSETREF(op, op2) \
    do { \
        PyObject *_py_tmp = _PyObject_CAST(op); \
        (op) = (op2); \
        Py_XDECREF(_py_tmp); \
    } while (0)

PyAPI_FUNC(void) Py_IncRef(PyObject *op);
PyAPI_FUNC(void) Py_DecRef(PyObject *op);

/* ---- Publication (rules 2.2 and 2.4) ---- */

/* To be called before a reference is stored where others read without a lock: list items, dict and set entries,
 * inline attributes, cells, caches, weak references. */
static inline Py_ALWAYS_INLINE void object_publish(PyObject *op)
{
    if (value_is_heap(op) && !(object_flags(op) & OBJECT_PUBLISHED))
        __atomic_store_n(&op->hdr_flags, (uint8_t)(object_flags(op) | OBJECT_PUBLISHED), __ATOMIC_RELEASE);
}
static inline int object_is_published(PyObject *op)
{
    return value_is_immediate(op) || (__atomic_load_n(&op->hdr_flags, __ATOMIC_ACQUIRE) & OBJECT_PUBLISHED) != 0;
}
/* The gate (rule 1): may this thread read the container without its lock?  If not: lock, object_publish, go on. */
static inline Py_ALWAYS_INLINE int object_may_read(PyObject *container)
{
    return object_is_mine(container) || object_is_published(container);
}

PyAPI_FUNC(int) _Py_TryIncRefShared(PyObject *op);

/* Takes a reference to an object whose pointer was loaded (acquire) from a published slot, with no quiescent point
 * since.  Returns 1, or 0 if the object is dead: then take the container's lock and look again. */
static inline Py_ALWAYS_INLINE int object_try_incref(PyObject *op)
{
    if (value_is_immediate(op))
        return 1;
    if (Py_LIKELY(object_is_mine(op))) {
        op->hdr_local++;
        return 1;
    }
    if (object_flags(op) & OBJECT_IMMORTAL)
        return 1;
    return _Py_TryIncRefShared(op);
}

/* True if the caller holds the only reference and nobody can find the object otherwise: it may be changed in place. */
static inline int object_is_unique(PyObject *op)
{
    return value_is_heap(op) && object_is_mine(op) && op->hdr_local == 1
           && __atomic_load_n(&op->hdr_shared, __ATOMIC_ACQUIRE) == 0
           && !(__atomic_load_n(&op->hdr_flags, __ATOMIC_RELAXED) & OBJECT_PUBLISHED);
}

static inline int object_is_immortal(PyObject *op)
{
    return value_is_immediate(op) || (object_flags(op) & OBJECT_IMMORTAL) != 0;
}
static inline int object_is_deferred(PyObject *op)
{
    return value_is_heap(op) && (object_flags(op) & OBJECT_DEFERRED) != 0;
}

/* Turns a fresh object, still reached by its creator alone, into an immortal one / one with deferred counts.
 * object_set_deferred: the caller keeps its (counted) reference. */
PyAPI_FUNC(void) object_set_immortal(PyObject *op);
PyAPI_FUNC(void) object_set_deferred(PyObject *op);

/* ---- Generic operations ---- */

#define Py_PRINT_RAW 1
#define Py_LT 0
#define Py_LE 1
#define Py_EQ 2
#define Py_NE 3
#define Py_GT 4
#define Py_GE 5

#define Py_RETURN_RICHCOMPARE(val1, val2, op) \
    do { \
        switch (op) { \
        case Py_EQ: if ((val1) == (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        case Py_NE: if ((val1) != (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        case Py_LT: if ((val1) < (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        case Py_GT: if ((val1) > (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        case Py_LE: if ((val1) <= (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        case Py_GE: if ((val1) >= (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE; \
        default: Py_UNREACHABLE(); \
        } \
    } while (0)

PyAPI_DATA(PyObject) _Py_NoneStruct;
PyAPI_DATA(PyObject) _Py_NotImplementedStruct;
PyAPI_DATA(PyObject) _Py_EllipsisObject;
#define Py_None (&_Py_NoneStruct)
#define Py_NotImplemented (&_Py_NotImplementedStruct)
#define Py_Ellipsis (&_Py_EllipsisObject)
#define Py_IsNone(x) Py_Is((x), Py_None)
#define Py_RETURN_NONE return Py_None
#define Py_RETURN_NOTIMPLEMENTED return Py_NotImplemented
PyAPI_DATA(PyTypeObject) _PyNone_Type;
PyAPI_DATA(PyTypeObject) _PyNotImplemented_Type;
PyAPI_DATA(PyTypeObject) PyEllipsis_Type;

PyAPI_FUNC(int) PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b);
static inline int _PyObject_TypeCheck(PyObject *op, PyTypeObject *type)
{
    return Py_TYPE(op) == type || PyType_IsSubtype(Py_TYPE(op), type);
}
#define PyObject_TypeCheck(op, type) _PyObject_TypeCheck(_PyObject_CAST(op), (type))

static inline int _PyType_HasFeature(PyTypeObject *type, unsigned long feature)
{
    return (__atomic_load_n(&type->tp_flags, __ATOMIC_RELAXED) & feature) != 0;
}
#define PyType_HasFeature(type, feature) _PyType_HasFeature((type), (feature))
#define PyType_FastSubclass(type, flag) _PyType_HasFeature((type), (flag))
#define PyType_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TYPE_SUBCLASS)
#define PyType_CheckExact(op) Py_IS_TYPE(op, &PyType_Type)

PyAPI_FUNC(unsigned long) PyType_GetFlags(PyTypeObject *type);
PyAPI_FUNC(int) PyType_Ready(PyTypeObject *type);
PyAPI_FUNC(void) PyType_Modified(PyTypeObject *type);
PyAPI_FUNC(PyObject *) PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems);
PyAPI_FUNC(PyObject *) PyType_GenericNew(PyTypeObject *type, PyObject *args, PyObject *kwds);
PyAPI_FUNC(unsigned int) PyType_ClearCache(void);
PyAPI_FUNC(PyObject *) PyType_FromSpec(PyType_Spec *spec);
PyAPI_FUNC(PyObject *) PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases);
PyAPI_FUNC(PyObject *) PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec, PyObject *bases);
PyAPI_FUNC(void *) PyType_GetSlot(PyTypeObject *type, int slot);
PyAPI_FUNC(PyObject *) PyType_GetModule(PyTypeObject *type);
PyAPI_FUNC(void *) PyType_GetModuleState(PyTypeObject *type);
PyAPI_FUNC(PyObject *) PyType_GetModuleByDef(PyTypeObject *type, struct PyModuleDef *def);
PyAPI_FUNC(PyObject *) PyType_GetName(PyTypeObject *type);
PyAPI_FUNC(PyObject *) PyType_GetQualName(PyTypeObject *type);
/* Looks name up along the MRO. Borrowed reference; in a free-threaded build prefer type_lookup_ref. */
PyAPI_FUNC(PyObject *) _PyType_Lookup(PyTypeObject *type, PyObject *name);

PyAPI_FUNC(PyObject *) PyObject_Repr(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Str(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_ASCII(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Bytes(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_RichCompare(PyObject *a, PyObject *b, int op);
PyAPI_FUNC(int) PyObject_RichCompareBool(PyObject *a, PyObject *b, int op);
PyAPI_FUNC(PyObject *) PyObject_GetAttrString(PyObject *op, const char *name);
PyAPI_FUNC(int) PyObject_SetAttrString(PyObject *op, const char *name, PyObject *value);
PyAPI_FUNC(int) PyObject_HasAttrString(PyObject *op, const char *name);
PyAPI_FUNC(PyObject *) PyObject_GetAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_GetOptionalAttr(PyObject *op, PyObject *name, PyObject **result);
PyAPI_FUNC(int) PyObject_GetOptionalAttrString(PyObject *op, const char *name, PyObject **result);
PyAPI_FUNC(int) _PyObject_LookupAttr(PyObject *op, PyObject *name, PyObject **result);
PyAPI_FUNC(int) PyObject_SetAttr(PyObject *op, PyObject *name, PyObject *value);
PyAPI_FUNC(int) PyObject_HasAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_HasAttrWithError(PyObject *op, PyObject *name);
PyAPI_FUNC(PyObject *) PyObject_SelfIter(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_GenericGetAttr(PyObject *op, PyObject *name);
PyAPI_FUNC(int) PyObject_GenericSetAttr(PyObject *op, PyObject *name, PyObject *value);
PyAPI_FUNC(PyObject *) PyObject_GenericGetDict(PyObject *op, void *context);
PyAPI_FUNC(int) PyObject_GenericSetDict(PyObject *op, PyObject *value, void *context);
PyAPI_FUNC(Py_hash_t) PyObject_Hash(PyObject *op);
PyAPI_FUNC(Py_hash_t) PyObject_HashNotImplemented(PyObject *op);
PyAPI_FUNC(int) PyObject_IsTrue(PyObject *op);
PyAPI_FUNC(int) PyObject_Not(PyObject *op);
PyAPI_FUNC(int) PyCallable_Check(PyObject *op);
PyAPI_FUNC(void) PyObject_ClearWeakRefs(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_Dir(PyObject *op);
PyAPI_FUNC(int) PyObject_Print(PyObject *op, FILE *file, int flags);
PyAPI_FUNC(void) PyObject_CallFinalizer(PyObject *op);
PyAPI_FUNC(int) PyObject_CallFinalizerFromDealloc(PyObject *op);
PyAPI_FUNC(PyObject *) _PyObject_NextNotImplemented(PyObject *op);
PyAPI_FUNC(int) Py_ReprEnter(PyObject *op);
PyAPI_FUNC(void) Py_ReprLeave(PyObject *op);
PyAPI_FUNC(PyObject **) _PyObject_GetDictPtr(PyObject *op);
PyAPI_FUNC(PyObject *) _PyObject_GetState(PyObject *op);
PyAPI_FUNC(Py_hash_t) _Py_HashDouble(PyObject *inst, double v);
PyAPI_FUNC(Py_hash_t) _Py_HashPointer(const void *p);
PyAPI_FUNC(Py_hash_t) _Py_HashBytes(const void *src, Py_ssize_t len);

/* Deep chains of deallocations are bounded inside _Py_Dealloc; these are for sources that name them. */
#define Py_TRASHCAN_BEGIN(op, dealloc) do {
#define Py_TRASHCAN_END } while (0)
#define Py_TRASHCAN_SAFE_BEGIN(op) do {
#define Py_TRASHCAN_SAFE_END(op) } while (0)

#endif /* Py_OBJECT_H */
