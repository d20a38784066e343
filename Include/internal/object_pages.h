/* Object pages: memory of objects that can be part of cycles.
 *
 * A page is a 64 KiB-aligned chunk from mimalloc, carved into slots of one size class and owned by a thread slot's
 * heap; a larger object has a page to itself.  An object's page is found by masking its address:
 *
 *      +0            struct object_page: owner, free lists, links
 *      .state        one byte per 32 bytes of the page: SLOT_* of the slot that starts there
 *      .scratch      one int32 likewise: the collector's count, meaningful in a pause only
 *      PAGE_FIRST    the slots
 *
 * Slots are 16-aligned and at least 32 bytes apart, so (address & 0xFFFF) >> 5 names at most one slot.
 *
 * Who may touch what: the owner takes from `free` and puts back there; other threads push on `remote_free` (CAS) and the
 * owner fetches the lot when it runs dry.  A slot's state byte is written by whoever holds the object exclusively
 * (its creator, who deallocates it, or a pause).  SLOT_LIVE is set from allocation until the memory is reusable,
 * thus also for dying objects and those in limbo: the collector keeps their types (finding 8). */
#ifndef BRAID_OBJECT_PAGES_H
#define BRAID_OBJECT_PAGES_H

#include "Python.h"

#define OBJECT_PAGE_SIZE 65536u
#define OBJECT_PAGE_GRANULE_SHIFT 5
#define OBJECT_PAGE_GRANULES (OBJECT_PAGE_SIZE >> OBJECT_PAGE_GRANULE_SHIFT)
#define OBJECT_PAGE_MIN_SLOT 32u
#define OBJECT_PAGE_MAX_SLOT 8192u          /* larger objects have a page of their own */
#define OBJECT_PAGE_LINEAR_MAX 512u         /* size classes up to here are 16 bytes apart */
#define OBJECT_PAGE_CLASSES 50              /* 31 linear ones (32, 48 .. 512), then four per power of two, then large */
#define OBJECT_PAGE_CLASS_LARGE (OBJECT_PAGE_CLASSES - 1)

enum {
    SLOT_LIVE = 1,              /* allocated: header and type pointer are valid */
    SLOT_TRACKED = 2,           /* the collector looks at it */
    SLOT_FROZEN = 4,            /* gc.freeze: [stopped] */
    SLOT_LIMBO = 8,             /* deallocated; waits for a grace period */
    SLOT_MARK = 16,             /* [stopped] reached, in the collection under way */
    SLOT_GARBAGE = 32,          /* found unreachable; hidden from gc.get_objects. Without TRACKED: DEFERRED, cleared, kept
                                   until nothing names it (finding 8) */
    SLOT_NAMED = 64,            /* [stopped] scratch bit of the collector's queries */
    SLOT_CANDIDATE = 128,       /* [stopped] takes part in the trial under way */
};

/* Under AddressSanitizer free slots are poisoned, but for their link. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define OBJECT_PAGE_POISON(slot, size) __asan_poison_memory_region((char *)(slot) + 8, (size) - 8)
#define OBJECT_PAGE_UNPOISON(slot, size) __asan_unpoison_memory_region((slot), (size))
#else
#define OBJECT_PAGE_POISON(slot, size) ((void)0)
#define OBJECT_PAGE_UNPOISON(slot, size) ((void)0)
#endif

struct object_page {
    struct thread_heap *heap;           /* [const] owner; heaps live for ever */
    uint32_t slot_size;                 /* [const] */
    uint16_t size_class;                /* [const] */
    uint16_t has_room;                  /* [owner] 1: in the heap's with_room list */
    void *free;                         /* [owner] linked by the first word of free slots */
    uint32_t used;                      /* [owner] allocated slots, those on remote_free included */
    uint32_t slot_count;                /* [const] */
    uint32_t carved;                    /* [owner] slots ever handed to `free`; the rest is untouched */
    uint32_t page_index;                /* [owner] position in heap->pages */
    struct object_page *next, *prev;    /* [owner] with_room list of the class */
    void *remote_free;                  /* [atomic] freed by others; linked by the first word */
    struct object_page *remote_next;    /* [who pushes it on heap->remote_pages] */
    size_t bytes;                       /* [const] size of the whole chunk */
    uint8_t state[OBJECT_PAGE_GRANULES];
    int32_t scratch[OBJECT_PAGE_GRANULES];
};

#define OBJECT_PAGE_FIRST ((sizeof(struct object_page) + 31u) & ~(size_t)31)

/* What a thread slot owns; inherited by the next thread on the slot. */
struct thread_heap {
    struct object_page *current[OBJECT_PAGE_CLASSES];   /* [owner] never NULL: perhaps the empty page */
    struct object_page *with_room[OBJECT_PAGE_CLASSES]; /* [owner] others with free slots */
    struct object_page **pages;                         /* [owner; others in a pause] all of them */
    uint32_t page_count, page_capacity;
    struct object_page *remote_pages;   /* [atomic] pages whose remote_free has become non-empty */
    int64_t growth;                     /* [owner] objects allocated minus freed, not yet told to the collector */
    uint16_t slot;                      /* [const] */

    /* deallocation */
    int dealloc_depth;                  /* [owner] nesting of _Py_Dealloc */
    PyObject *dealloc_current;          /* [owner] object being torn down, if PUBLISHED (finding 26) */
    PyObject **trashcan;                /* [owner] dead objects whose deallocation was put off */
    uint32_t trashcan_count, trashcan_capacity;

    struct qsbr_thread *qsbr;           /* [const] */
    struct merge_queue *merge;          /* [const] */
};

/* The current thread's heap. A detached thread has `memory_no_heap`, whose pages are all full, so that the fast path needs
 * no test. */
extern BRAID_TLS struct thread_heap *memory_heap;
extern struct thread_heap memory_no_heap;

static inline Py_ALWAYS_INLINE struct object_page *object_page_of(const void *op)
{
    return (struct object_page *)((uintptr_t)op & ~(uintptr_t)(OBJECT_PAGE_SIZE - 1));
}
static inline Py_ALWAYS_INLINE uint32_t object_page_index(const void *op)
{
    return (uint32_t)((uintptr_t)op & (OBJECT_PAGE_SIZE - 1)) >> OBJECT_PAGE_GRANULE_SHIFT;
}
/* op must be on a page. */
static inline Py_ALWAYS_INLINE uint8_t *object_state(const void *op)
{
    return &object_page_of(op)->state[object_page_index(op)];
}
static inline Py_ALWAYS_INLINE int32_t *object_scratch(const void *op)
{
    return &object_page_of(op)->scratch[object_page_index(op)];
}
static inline Py_ALWAYS_INLINE int object_on_page(const PyObject *op)
{
    return value_is_heap(op) && (op->hdr_flags & OBJECT_ON_PAGE) != 0;
}
static inline Py_ALWAYS_INLINE uint8_t object_state_get(const void *op)
{
    return __atomic_load_n(object_state(op), __ATOMIC_RELAXED);
}
static inline Py_ALWAYS_INLINE void object_state_set(const void *op, uint8_t state)
{
    __atomic_store_n(object_state(op), state, __ATOMIC_RELAXED);
}

/* Size class of a size <= OBJECT_PAGE_MAX_SLOT; folds to a constant for constant sizes. */
static inline Py_ALWAYS_INLINE uint32_t object_page_class(size_t size)
{
    if (size <= OBJECT_PAGE_LINEAR_MAX)
        return size <= OBJECT_PAGE_MIN_SLOT ? 0 : (uint32_t)((size - 17) >> 4);
    uint32_t log = 63u - (uint32_t)__builtin_clzll(size - 1);       /* 9 for 513..1024 */
    return 31 + (log - 9) * 4 + (uint32_t)(((size - 1) >> (log - 2)) & 3);
}

/* The slow path: takes from another page, from remote frees, from mimalloc. Returns zero-initialised nothing: contents are
 * undefined. NULL when out of memory, without an exception.  Escapes never. */
void *object_page_alloc_slow(size_t size);

static inline Py_ALWAYS_INLINE void *object_page_alloc(size_t size)
{
    if (Py_LIKELY(size <= OBJECT_PAGE_MAX_SLOT)) {
        struct thread_heap *heap = memory_heap;
        struct object_page *page = heap->current[object_page_class(size)];
        void *slot = page->free;
        if (Py_LIKELY(slot != NULL)) {
            page->free = *(void **)slot;
            page->used++;
            heap->growth++;
            OBJECT_PAGE_UNPOISON(slot, page->slot_size);
            return slot;
        }
    }
    return object_page_alloc_slow(size);
}

void object_page_free_slow(void *slot);

/* Gives a slot back at once. Nobody else may be able to look at it. */
static inline Py_ALWAYS_INLINE void object_page_free(void *slot)
{
    struct object_page *page = object_page_of(slot);
    struct thread_heap *heap = memory_heap;
    object_state_set(slot, 0);
    if (Py_LIKELY(page->heap == heap && page == heap->current[page->size_class])) {
        *(void **)slot = page->free;
        page->free = slot;
        page->used--;
        heap->growth--;
        OBJECT_PAGE_POISON(slot, page->slot_size);
        return;
    }
    object_page_free_slow(slot);
}

/* A thread ends: pages without objects go back to the allocator. By the owner. */
void object_pages_release_empty(struct thread_heap *heap);
/* In a pause: gives every heap what others have freed on its pages. */
void object_pages_collect_remote_stopped(void);

/* Slot-owning heap of an index; created on first use. NULL when out of memory. */
struct thread_heap *heap_get(uint16_t slot);
/* NULL if no thread has ever had that index. */
struct thread_heap *heap_peek(uint32_t slot);
/* One more than the highest index that has a heap. */
uint32_t heap_limit(void);

/* Calls visit(op, state, arg) for every allocated slot of every heap until it returns non-zero, which is then returned.
 * The world is stopped. visit must not allocate on pages or free. */
static inline Py_ALWAYS_INLINE int object_pages_walk_stopped(int (*visit)(PyObject *op, uint8_t state, void *arg), void *arg)
{
    for (uint32_t h = 0, limit = heap_limit(); h < limit; h++) {
        struct thread_heap *heap = heap_peek(h);
        for (uint32_t p = 0; heap != NULL && p < heap->page_count; p++) {
            struct object_page *page = heap->pages[p];
            char *slot = (char *)page + OBJECT_PAGE_FIRST;
            for (uint32_t i = 0, n = page->used ? page->carved : 0; i < n; i++, slot += page->slot_size) {
                uint8_t state = object_state_get(slot);
                if (state & SLOT_LIVE) {
                    int stop = visit((PyObject *)slot, state, arg);
                    if (stop)
                        return stop;
                }
            }
        }
    }
    return 0;
}
/* Asserts the invariants of every page of one heap (tests, debug builds). */
void object_pages_check(struct thread_heap *heap);

/* fork, in the child. */
void object_pages_after_fork(void);
/* Bytes held in pages. */
size_t object_pages_bytes(void);

/* ---- Objects ---- */

/* Sets a fresh header: owned by this thread, one reference. `flags` are OBJECT_ON_PAGE or 0. */
static inline Py_ALWAYS_INLINE void object_header_init(PyObject *op, PyTypeObject *type, uint8_t flags)
{
    op->hdr_tid = object_current_tid();
    op->hdr_flags = flags;
    op->hdr_mutex.bits = 0;
    op->hdr_local = 1;
    op->hdr_shared = 0;
    op->hdr_shape = 0;
    op->hdr_type = type;
}

/* Makes op count its type if instances of it do. */
void object_count_type_slow(PyObject *op, PyTypeObject *type);
static inline Py_ALWAYS_INLINE void object_count_type(PyObject *op, PyTypeObject *type)
{
    unsigned long flags = __atomic_load_n(&type->tp_flags, __ATOMIC_RELAXED);
    if ((flags & Py_TPFLAGS_HEAPTYPE)
        && (flags & (_Py_TPFLAGS_COUNTS_SETTLED | _Py_TPFLAGS_COUNTS_INSTANCES)) != _Py_TPFLAGS_COUNTS_SETTLED)
        object_count_type_slow(op, type);
}

PyObject *object_no_memory(void);       /* sets MemoryError, returns NULL */

/* Allocates an object on a page with an initialised header; the rest is undefined. For types with Py_TPFLAGS_HAVE_GC.
 * size: bytes, header included; at least sizeof(PyObject)
 * Returns  a new reference, not tracked; NULL with MemoryError set
 * Escapes  never (a collection that becomes due runs at the next safe point) */
static inline Py_ALWAYS_INLINE PyObject *object_new_gc(PyTypeObject *type, size_t size)
{
    PyObject *op = (PyObject *)object_page_alloc(size);
    if (Py_UNLIKELY(op == NULL))
        return object_no_memory();
    object_header_init(op, type, OBJECT_ON_PAGE);
    object_state_set(op, SLOT_LIVE);
    object_count_type(op, type);
    return op;
}
/* The same, tracked from the start: every field that tp_traverse looks at must be set before the next safe point. */
static inline Py_ALWAYS_INLINE PyObject *object_new_gc_tracked(PyTypeObject *type, size_t size)
{
    PyObject *op = (PyObject *)object_page_alloc(size);
    if (Py_UNLIKELY(op == NULL))
        return object_no_memory();
    object_header_init(op, type, OBJECT_ON_PAGE);
    object_state_set(op, SLOT_LIVE | SLOT_TRACKED);
    object_count_type(op, type);
    return op;
}
/* For op known to be on a page and held by the caller alone. */
static inline Py_ALWAYS_INLINE void object_track(PyObject *op)
{
    object_state_set(op, (uint8_t)(object_state_get(op) | SLOT_TRACKED));
}
static inline Py_ALWAYS_INLINE void object_untrack(PyObject *op)
{
    object_state_set(op, (uint8_t)(object_state_get(op) & ~SLOT_TRACKED));
}
void object_retire_slow(PyObject *op);
/* Ends the life of the memory of a dead object on a page: what PyObject_GC_Del does, inline. */
static inline Py_ALWAYS_INLINE void object_free_gc(PyObject *op)
{
    if (Py_LIKELY(!(op->hdr_flags & OBJECT_PUBLISHED)))
        object_page_free(op);
    else
        object_retire_slow(op);
}

#endif /* BRAID_OBJECT_PAGES_H */
