/* The end of an object: _Py_Dealloc with its trashcan, and finalisers that may bring it back. */
#include "memory.h"
#include "allocator.h"

static int trashcan_put(struct thread_heap *heap, PyObject *op)
{
    if (heap->trashcan_count == heap->trashcan_capacity) {
        uint32_t capacity = heap->trashcan_capacity ? 2 * heap->trashcan_capacity : 64;
        PyObject **items = mi_realloc(heap->trashcan, capacity * sizeof(*items));
        if (items == NULL)
            return -1;
        heap->trashcan = items;
        heap->trashcan_capacity = capacity;
    }
    heap->trashcan[heap->trashcan_count++] = op;
    return 0;
}

static void empty_trashcan(struct thread_heap *heap)
{
    heap->dealloc_depth++;      /* what dies meanwhile is added here, not handled by a nested call */
    while (heap->trashcan_count != 0)
        _Py_Dealloc(heap->trashcan[--heap->trashcan_count]);
    heap->dealloc_depth--;
}

void dealloc_flush_trashcan(void)
{
    if (memory_heap->trashcan_count != 0)
        empty_trashcan(memory_heap);
}

/* op is dead: unpublished with both counts zero, or (tid 0, DEAD). */
void _Py_Dealloc(PyObject *op)
{
    struct thread_heap *heap = memory_heap;
    /* Without memory for the trashcan, go on nesting for a while; then the object leaks. */
    if (Py_UNLIKELY(heap->dealloc_depth >= DEALLOC_DEPTH_MAX)
        && (trashcan_put(heap, op) == 0 || heap->dealloc_depth >= 4 * DEALLOC_DEPTH_MAX))
        return;

    PyObject *outer = heap->dealloc_current;
    heap->dealloc_current = op->hdr_flags & OBJECT_PUBLISHED ? op : NULL;
    heap->dealloc_depth++;
    op->hdr_type->tp_dealloc(op);
    heap->dealloc_current = outer;
    if (--heap->dealloc_depth == 0 && Py_UNLIKELY(heap->trashcan_count != 0))
        empty_trashcan(heap);
}

void PyObject_CallFinalizer(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    destructor finalize = type_finalizer(type);
    if (finalize == NULL)
        return;
    if (PyType_IS_GC(type)) {
        /* At most once. A racing plain store of PUBLISHED may wipe the bit: then the finaliser runs twice, no more. */
        if (__atomic_fetch_or(&op->hdr_flags, OBJECT_FINALIZED, __ATOMIC_RELAXED) & OBJECT_FINALIZED)
            return;
    }
    finalize(op);
}

int PyObject_CallFinalizerFromDealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    destructor finalize = type_finalizer(type);
    if (finalize == NULL || (PyType_IS_GC(type) && (op->hdr_flags & OBJECT_FINALIZED)))
        return 0;
    if (PyType_IS_GC(type))     /* stale readers look at the flags in their try_incref; nobody else writes them now */
        __atomic_store_n(&op->hdr_flags, (uint8_t)(object_flags(op) | OBJECT_FINALIZED), __ATOMIC_RELAXED);

    /* Alive again, without an owner, on the reference that this function holds. A stale reader's try_incref now succeeds. */
    op->hdr_local = 0;
    __atomic_store_n(&op->hdr_tid, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&op->hdr_shared, SHARED_ONE | SHARED_MERGED, __ATOMIC_RELEASE);
    finalize(op);

    uint32_t old = __atomic_load_n(&op->hdr_shared, __ATOMIC_RELAXED), desired;
    do {
        if (shared_is_pinned(old))
            return -1;
        desired = old == (SHARED_ONE | SHARED_MERGED) ? SHARED_DEAD : old - SHARED_ONE;
    } while (!__atomic_compare_exchange_n(&op->hdr_shared, &old, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (desired != SHARED_DEAD)
        return -1;
    /* The finaliser may have published it; PyObject_Free has to know. */
    memory_heap->dealloc_current = op->hdr_flags & OBJECT_PUBLISHED ? op : NULL;
    return 0;
}
