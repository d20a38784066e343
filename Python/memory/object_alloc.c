/* The public functions that make, resize and free objects. */
#include "memory.h"
#include "allocator.h"

PyObject *object_no_memory(void) { return PyErr_NoMemory(); }

/* ---- Does an instance count its type? (finding 22) ---- */

/* A tp_dealloc of an extension somewhere in the chain of bases drops a reference to the type (required since 3.8). */
static int has_foreign_dealloc(PyTypeObject *type)
{
    for (; type != NULL; type = type->tp_base)
        if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && type->tp_dealloc != NULL
            && !memory_is_own_code((const void *)(uintptr_t)type->tp_dealloc))
            return 1;
    return 0;
}

void object_count_type_slow(PyObject *op, PyTypeObject *type)
{
    unsigned long flags = __atomic_load_n(&type->tp_flags, __ATOMIC_RELAXED);
    if (!(flags & _Py_TPFLAGS_COUNTS_SETTLED)) {
        unsigned long add = _Py_TPFLAGS_COUNTS_SETTLED;
        if (!(flags & Py_TPFLAGS_HAVE_GC) || has_foreign_dealloc(type))
            add |= _Py_TPFLAGS_COUNTS_INSTANCES;
        flags = __atomic_or_fetch(&type->tp_flags, add, __ATOMIC_RELAXED);
    }
    if ((flags & _Py_TPFLAGS_COUNTS_INSTANCES) || !(op->hdr_flags & OBJECT_ON_PAGE)) {
        op->hdr_flags |= OBJECT_COUNTS_TYPE;
        Py_INCREF(type);
    }
}

/* ---- Objects without GC ---- */

PyObject *PyObject_Init(PyObject *op, PyTypeObject *type)
{
    if (op == NULL)
        return object_no_memory();
    object_header_init(op, type, PyType_IS_GC(type) ? OBJECT_ON_PAGE : 0);
    object_count_type(op, type);
    return op;
}

PyVarObject *PyObject_InitVar(PyVarObject *op, PyTypeObject *type, Py_ssize_t size)
{
    if (PyObject_Init((PyObject *)op, type) == NULL)
        return NULL;
    op->ob_size = size;
    return op;
}

PyObject *_PyObject_New(PyTypeObject *type)
{
    if (PyType_IS_GC(type))
        return _PyObject_GC_New(type);
    return PyObject_Init(PyObject_Malloc(_PyObject_SIZE(type)), type);
}

static int var_size(PyTypeObject *type, Py_ssize_t nitems, size_t *size)
{
    if (nitems < 0
        || (type->tp_itemsize != 0
            && nitems > (PY_SSIZE_T_MAX - 16 - type->tp_basicsize) / type->tp_itemsize))
        return -1;
    *size = _PyObject_VAR_SIZE(type, nitems);
    return 0;
}

PyVarObject *_PyObject_NewVar(PyTypeObject *type, Py_ssize_t nitems)
{
    size_t size;
    if (PyType_IS_GC(type))
        return _PyObject_GC_NewVar(type, nitems);
    if (var_size(type, nitems, &size) < 0)
        return (PyVarObject *)object_no_memory();
    return PyObject_InitVar(PyObject_Malloc(size), type, nitems);
}

/* ---- Objects with GC ---- */

PyObject *_PyObject_GC_New(PyTypeObject *type) { return object_new_gc(type, _PyObject_SIZE(type)); }

PyVarObject *_PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t nitems)
{
    size_t size;
    if (nitems < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (var_size(type, nitems, &size) < 0)
        return (PyVarObject *)object_no_memory();
    PyVarObject *op = (PyVarObject *)object_new_gc(type, size);
    if (op != NULL)
        op->ob_size = nitems;
    return op;
}

PyObject *PyUnstable_Object_GC_NewWithExtraData(PyTypeObject *type, size_t extra)
{
    size_t size = _PyObject_SIZE(type);
    if (extra > (size_t)PY_SSIZE_T_MAX - size)
        return object_no_memory();
    PyObject *op = object_new_gc(type, size + extra);
    if (op != NULL)
        memset((char *)op + sizeof(PyObject), 0, size + extra - sizeof(PyObject));
    return op;
}

PyVarObject *_PyObject_GC_Resize(PyVarObject *op, Py_ssize_t nitems)
{
    PyTypeObject *type = heap_type(op);
    size_t size, old_size = _PyObject_VAR_SIZE(type, op->ob_size);
    if (var_size(type, nitems, &size) < 0)
        return (PyVarObject *)object_no_memory();
    size_t room = object_page_of(op)->slot_size;
    if (size > room || room > OBJECT_PAGE_MAX_SLOT || (room > 64 && size <= room / 2)) {
        void *memory = object_page_alloc(size);
        if (memory == NULL)
            return (PyVarObject *)object_no_memory();
        memcpy(memory, op, size < old_size ? size : old_size);
        object_state_set(memory, object_state_get(op));
        object_free_gc((PyObject *)op);
        op = memory;
        ((PyObject *)op)->hdr_flags &= (uint8_t)~OBJECT_PUBLISHED;
    }
    op->ob_size = nitems;
    return op;
}

static void free_page_object(void *op) { object_page_free(op); }

void object_retire_slow(PyObject *op)
{
    if (!runtime_is_multi()) {
        object_page_free(op);
        return;
    }
    /* Live still for whoever looks for users of its type; tracked no more. */
    object_state_set(op, SLOT_LIVE | SLOT_LIMBO);
    qsbr_retire(op, object_page_of(op)->slot_size, free_page_object);
}

void PyObject_GC_Del(void *op)
{
    if (((PyObject *)op)->hdr_flags & OBJECT_ON_PAGE)
        object_free_gc(op);
    else
        PyObject_Free(op);
}

void PyObject_GC_Track(void *op)
{
    if (object_on_page(op))
        object_track(op);
}

void PyObject_GC_UnTrack(void *op)
{
    if (object_on_page(op))
        object_untrack(op);
}

int PyObject_GC_IsTracked(PyObject *op)
{
    return object_on_page(op) && (object_state_get(op) & SLOT_TRACKED) != 0;
}

int PyObject_GC_IsFinalized(PyObject *op) { return _PyGC_FINALIZED(op); }

int PyObject_IS_GC(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return PyType_IS_GC(type) && (type->tp_is_gc == NULL || type->tp_is_gc(op));
}
