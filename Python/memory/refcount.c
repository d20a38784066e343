/* Slow paths of reference counting: one function per row of the table of operations (2.2). */
#include "memory.h"
#include "collector.h"
#include "object_pages.h"
#include "promote.h"

static inline uint32_t load_shared(PyObject *op, int order) { return __atomic_load_n(&op->hdr_shared, order); }

static inline int cas_shared(PyObject *op, uint32_t *expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(&op->hdr_shared, expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void store_tid(PyObject *op, uint16_t tid) { __atomic_store_n(&op->hdr_tid, tid, __ATOMIC_RELAXED); }

static inline int is_mine(PyObject *op)
{
    return __atomic_load_n(&op->hdr_tid, __ATOMIC_RELAXED) == object_current_tid();
}

/* A count has passed the limit: drive it so far beyond that operations under way cannot bring it back. */
static Py_COLD void pin_shared(PyObject *op)
{
    uint32_t old = load_shared(op, __ATOMIC_RELAXED);
    while ((old & ~(uint32_t)SHARED_STATE_MASK) != SHARED_PINNED)
        if (cas_shared(op, &old, SHARED_PINNED | (old & SHARED_STATE_MASK)))
            break;
}

/* ---- Counts of DEFERRED objects, by thread ---- */

/* A DEFERRED object's count matters to the collector only. Threads therefore note what they add and take off in tables of their own, by
 * slot; entries go to the object when another one takes their place, and all of them at the beginning of every pause. Between two pauses
 * no DEFERRED object is freed that another thread could have noted. */

#define DELTA_SETS 32
#define DELTA_WAYS 4

struct delta_entry {
    PyObject *op;
    int32_t n;
};
struct delta_table {                /* [owner of the slot; others in a pause] */
    int direct;                     /* counts go to the objects: the collector is freeing DEFERRED ones */
    struct delta_entry entries[DELTA_SETS * DELTA_WAYS];    /* an object's is in its set, the last one used in front */
};
static struct delta_table *delta_tables[1 << 16];   /* [atomic] made at first use, kept for ever */

static void delta_apply(PyObject *op, int32_t n)
{
    if (n != 0 && !shared_is_pinned(load_shared(op, __ATOMIC_RELAXED)))
        __atomic_fetch_add(&op->hdr_shared, (uint32_t)n * SHARED_ONE, __ATOMIC_RELAXED);
}

static void delta_flush(struct delta_table *table)
{
    for (int i = 0; i < DELTA_SETS * DELTA_WAYS; i++)
        if (table->entries[i].op != NULL) {
            delta_apply(table->entries[i].op, table->entries[i].n);
            table->entries[i] = (struct delta_entry){NULL, 0};
        }
}

/* The current thread's table, or NULL. */
static struct delta_table *delta_table(void)
{
    struct delta_table **place = &delta_tables[object_current_tid()];
    if (Py_UNLIKELY(*place == NULL) && object_current_tid() != 0)
        __atomic_store_n(place, memory_alloc_for_ever(sizeof(struct delta_table)), __ATOMIC_RELEASE);
    return *place;
}

static struct delta_entry *delta_set(struct delta_table *table, PyObject *op)
{
    return &table->entries[((uintptr_t)op >> 4 ^ (uintptr_t)op >> 10) % DELTA_SETS * DELTA_WAYS];
}

/* op has no entry, or not the first one of its set: it has afterwards. An entry of 0 gives way without a write to the object that it was
 * for, which other threads' caches hold too. */
static Py_NO_INLINE void delta_to_front(struct delta_entry *set, PyObject *op)
{
    int i = 1, unused = DELTA_WAYS - 1;
    for (; i < DELTA_WAYS && set[i].op != op; i++)
        if (set[i].n == 0)
            unused = i;
    struct delta_entry found = {op, 0};
    if (i < DELTA_WAYS)
        found = set[i];
    else {
        i = unused;
        if (set[i].op != NULL)
            delta_apply(set[i].op, set[i].n);
    }
    set[i] = set[0];
    set[0] = found;
}

/* Counts a DEFERRED object. 0: not possible, count it directly. */
static int delta_count(PyObject *op, int32_t n)
{
    struct delta_table *table = delta_table();
    if (Py_UNLIKELY(table == NULL || table->direct))
        return 0;
    struct delta_entry *set = delta_set(table, op);
    if (Py_UNLIKELY(set->op != op))
        delta_to_front(set, op);
    set->n += n;
    return 1;
}

void refcount_flush_deferred_stopped(void)
{
    for (uint32_t i = 0; i < heap_limit(); i++) {
        struct delta_table *table = __atomic_load_n(&delta_tables[i], __ATOMIC_ACQUIRE);
        if (table != NULL)
            delta_flush(table);
    }
}

void refcount_set_direct(int on)
{
    struct delta_table *table = delta_table();
    if (table != NULL) {
        delta_flush(table);
        table->direct = on;
    }
}

/* ---- Contention ---- */

static BRAID_TLS uint32_t until_sample = PROMOTE_INTERVAL;

static inline void note_contention(PyObject *op)
{
    if (Py_UNLIKELY(--until_sample == 0)) {
        until_sample = PROMOTE_INTERVAL;
        promote_sample(op);
    }
}

/* ---- incref ---- */

/* While this thread is alone (2.6) nobody else touches counts: the usual cases then need no atomic operation. */

void _Py_IncRefShared(PyObject *op)
{
    uint32_t seen = load_shared(op, __ATOMIC_RELAXED);
    if (shared_is_pinned(seen))
        return;
    if (!runtime_is_multi() && !shared_is_pinned(seen + SHARED_ONE)) {
        op->hdr_shared = seen + SHARED_ONE;
        return;
    }
    if (object_flags(op) & OBJECT_DEFERRED) {
        if (Py_LIKELY(delta_count(op, 1)))
            return;
    }
    else
        note_contention(op);
    uint32_t old = __atomic_fetch_add(&op->hdr_shared, SHARED_ONE, __ATOMIC_RELAXED);
    if (Py_UNLIKELY(shared_is_pinned(old + SHARED_ONE)))
        pin_shared(op);
}

int _Py_TryIncRefShared(PyObject *op)
{
    uint32_t seen = load_shared(op, __ATOMIC_RELAXED);
    if (shared_is_pinned(seen))
        return (seen & SHARED_STATE_MASK) != SHARED_DEAD;
    if (!runtime_is_multi() && (seen & SHARED_STATE_MASK) != SHARED_DEAD && !shared_is_pinned(seen + SHARED_ONE)) {
        op->hdr_shared = seen + SHARED_ONE;
        return 1;
    }
    int deferred = object_flags(op) & OBJECT_DEFERRED;
    if (deferred && (seen & SHARED_STATE_MASK) != SHARED_DEAD && delta_count(op, 1))
        return 1;
    /* On a dead object this leaves junk in the count, which nobody reads. */
    uint32_t old = __atomic_fetch_add(&op->hdr_shared, SHARED_ONE, __ATOMIC_RELAXED);
    if ((old & SHARED_STATE_MASK) == SHARED_DEAD)
        return 0;
    if (Py_UNLIKELY(shared_is_pinned(old + SHARED_ONE)))
        pin_shared(op);
    if (!deferred)
        note_contention(op);
    return 1;
}

void object_incref_many(PyObject *op, Py_ssize_t n)
{
    if (n <= 0 || object_is_immortal(op))
        return;
    if (is_mine(op)) {
        if ((int64_t)op->hdr_local + n < SHARED_PIN_LIMIT) {
            op->hdr_local += (uint32_t)n;
            return;
        }
        /* Too many: pinned for good, and without an owner, so that the owner's plain decrements cannot wear it down. */
        store_tid(op, 0);
        op->hdr_local = 0;
        uint32_t old = load_shared(op, __ATOMIC_RELAXED);
        while (!cas_shared(op, &old, SHARED_PINNED | SHARED_MERGED))
            continue;
        return;
    }
    uint32_t old = load_shared(op, __ATOMIC_RELAXED);
    for (;;) {
        if (shared_is_pinned(old))
            return;
        int64_t count = (int64_t)shared_count(old) + n;
        uint32_t state = old & SHARED_STATE_MASK;
        uint32_t desired = count >= SHARED_PIN_LIMIT ? SHARED_PINNED | state : ((uint32_t)count << 2) | state;
        if (cas_shared(op, &old, desired))
            return;
    }
}

/* ---- decref ---- */

void _Py_DecRefShared(PyObject *op)
{
    uint32_t old = load_shared(op, __ATOMIC_RELAXED);
    if (!runtime_is_multi() && shared_count(old) > 1 && !shared_is_pinned(old) && !shared_is_pinned(old - SHARED_ONE)) {
        op->hdr_shared = old - SHARED_ONE;
        return;
    }
    if ((object_flags(op) & OBJECT_DEFERRED) && !shared_is_pinned(old) && delta_count(op, -1))
        return;
    for (;;) {
        if (shared_is_pinned(old))
            return;
        uint32_t desired;
        if (old == (0u | SHARED_INIT))
            desired = SHARED_QUEUED;
        else if (old == (SHARED_ONE | SHARED_MERGED))
            desired = SHARED_DEAD;
        else
            desired = old - SHARED_ONE;
        if (cas_shared(op, &old, desired)) {
            if (desired == SHARED_DEAD)
                _Py_Dealloc(op);
            else if (old == (0u | SHARED_INIT))     /* the request owns the reference now */
                merge_post(op, __atomic_load_n(&op->hdr_tid, __ATOMIC_RELAXED));
            else if (Py_UNLIKELY(shared_is_pinned(desired)))
                pin_shared(op);
            return;
        }
    }
}

/* _Py_Dealloc without the rarer cases. Only a published object need be announced in dealloc_current; what has no GC holds no chain
 * that the depth would have to bound. */
static inline Py_ALWAYS_INLINE void dealloc_inline(PyObject *op, uint8_t flags, const int published)
{
    struct thread_heap *heap = memory_heap;
    PyObject *outer = heap->dealloc_current;        /* a finaliser may publish op and announce it */
    if (!(flags & OBJECT_ON_PAGE)) {
        if (published)
            heap->dealloc_current = op;
        op->hdr_type->tp_dealloc(op);
        heap->dealloc_current = outer;
    }
    else if (Py_LIKELY(heap->dealloc_depth < DEALLOC_DEPTH_MAX)) {
        if (published)
            heap->dealloc_current = op;
        heap->dealloc_depth++;
        op->hdr_type->tp_dealloc(op);
        heap->dealloc_current = outer;
        if (--heap->dealloc_depth == 0 && Py_UNLIKELY(heap->trashcan_count != 0))
            dealloc_flush_trashcan();
    }
    else
        _Py_Dealloc(op);
}

void _Py_DecRefZero(PyObject *op)
{
    uint32_t shared = load_shared(op, __ATOMIC_ACQUIRE);
    /* The flags after the count (finding 3): who published op did so before dropping what it held. */
    uint8_t flags = __atomic_load_n(&op->hdr_flags, __ATOMIC_RELAXED);
    if (Py_LIKELY(shared == 0)) {
        if (!(flags & OBJECT_PUBLISHED)) {
            dealloc_inline(op, flags, 0);
            return;
        }
        if (!runtime_is_multi()) {
            store_tid(op, 0);
            op->hdr_shared = SHARED_DEAD;
            dealloc_inline(op, flags, 1);
            return;
        }
    }
    store_tid(op, 0);
    for (;;) {
        if (shared_is_pinned(shared)) {
            if (cas_shared(op, &shared, SHARED_PINNED | SHARED_MERGED))
                return;
        }
        else if (shared_count(shared) == 0) {
            if (cas_shared(op, &shared, SHARED_DEAD)) {
                _Py_Dealloc(op);
                return;
            }
        }
        else if (cas_shared(op, &shared, shared | SHARED_MERGED))
            return;
    }
}

/* ---- The rest of the API ---- */

void Py_IncRef(PyObject *op) { Py_XINCREF(op); }
void Py_DecRef(PyObject *op) { Py_XDECREF(op); }

#define COUNT_OF_IMMORTALS ((Py_ssize_t)0x3fffffff)

/* The owner counts plainly: what others see of that is a guess, which ThreadSanitizer need not hear of. */
__attribute__((no_sanitize("thread"))) static Py_ssize_t guess_local_count(PyObject *op) { return (Py_ssize_t)op->hdr_local; }

Py_ssize_t _Py_RefCount(PyObject *op)
{
    if (value_is_immediate(op) || (object_flags(op) & OBJECT_IMMORTAL))
        return COUNT_OF_IMMORTALS;
    uint32_t shared = load_shared(op, __ATOMIC_RELAXED);
    if (shared_is_pinned(shared))
        return COUNT_OF_IMMORTALS;
    Py_ssize_t count = shared_count(shared);
    if (object_flags(op) & OBJECT_DEFERRED) {
        struct delta_table *table = delta_tables[object_current_tid()];
        count -= DEFERRED_BIAS;
        struct delta_entry *set = table != NULL ? delta_set(table, op) : NULL;
        for (int i = 0; set != NULL && i < DELTA_WAYS; i++)
            if (set[i].op == op)
                count += set[i].n;
    }
    if ((shared & SHARED_STATE_MASK) == SHARED_DEAD)
        return 0;
    return count + guess_local_count(op);
}

void _Py_SetRefCount(PyObject *op, Py_ssize_t count)
{
    if (value_is_immediate(op) || (op->hdr_flags & OBJECT_IMMORTAL))
        return;
    if (op->hdr_flags & OBJECT_DEFERRED)
        count += DEFERRED_BIAS;
    uint32_t state = op->hdr_flags & OBJECT_DEFERRED ? SHARED_MERGED : SHARED_INIT;
    if (state == SHARED_INIT && count > 0 && count < SHARED_PIN_LIMIT && (is_mine(op) || !object_is_published(op))) {
        op->hdr_local = (uint32_t)count;
        __atomic_store_n(&op->hdr_shared, 0, __ATOMIC_RELEASE);
        store_tid(op, object_current_tid());
        return;
    }
    store_tid(op, 0);
    op->hdr_local = 0;
    uint32_t shared = count == 0                    ? SHARED_DEAD
                      : count >= SHARED_PIN_LIMIT   ? SHARED_PINNED | SHARED_MERGED
                                                    : ((uint32_t)count << 2) | SHARED_MERGED;
    __atomic_store_n(&op->hdr_shared, shared, __ATOMIC_RELEASE);
}

void _Py_NewReference(PyObject *op)
{
    op->hdr_tid = object_current_tid();
    op->hdr_flags &= OBJECT_ON_PAGE | OBJECT_COUNTS_TYPE;
    op->hdr_mutex.bits = 0;
    op->hdr_local = 1;
    op->hdr_shared = 0;
}

void object_set_immortal(PyObject *op)
{
    if (value_is_immediate(op))
        return;
    op->hdr_flags = (uint8_t)(op->hdr_flags | OBJECT_IMMORTAL | OBJECT_PUBLISHED) & (uint8_t)~OBJECT_DEFERRED;
    op->hdr_tid = 0;
    op->hdr_local = 0;
    op->hdr_shared = SHARED_PINNED | SHARED_MERGED;
}

static uint32_t merged_word(int64_t count)
{
    return count >= SHARED_PIN_LIMIT || count < -SHARED_PIN_LIMIT ? SHARED_PINNED | SHARED_MERGED
                                                                  : ((uint32_t)count << 2) | SHARED_MERGED;
}

static int64_t total(PyObject *op)
{
    uint32_t shared = load_shared(op, __ATOMIC_RELAXED);
    if (shared_is_pinned(shared) || op->hdr_local >> 31)
        return SHARED_PIN_LIMIT;
    return (int64_t)op->hdr_local + shared_count(shared);
}

void object_set_deferred(PyObject *op)
{
    if (object_is_immortal(op) || (op->hdr_flags & OBJECT_DEFERRED))
        return;
    assert(object_on_page(op));             /* nobody else would ever free it */
    int64_t count = total(op);
    op->hdr_flags |= OBJECT_DEFERRED;
    op->hdr_local = 0;
    op->hdr_shared = merged_word(count >= SHARED_PIN_LIMIT ? count : count + DEFERRED_BIAS);
    store_tid(op, 0);
}

/* ---- In a pause ---- */

int64_t object_count_stopped(PyObject *op)
{
    uint32_t shared = op->hdr_shared;
    if ((op->hdr_flags & OBJECT_IMMORTAL) || shared_is_pinned(shared) || op->hdr_local >> 31)
        return SHARED_PIN_LIMIT;
    if ((shared & SHARED_STATE_MASK) == SHARED_DEAD)
        return 0;
    int64_t count = (int64_t)op->hdr_local + shared_count(shared);
    if (op->hdr_flags & OBJECT_DEFERRED)
        count -= DEFERRED_BIAS;
    return count;
}

int object_is_dying_stopped(PyObject *op)
{
    return (op->hdr_shared & SHARED_STATE_MASK) == SHARED_DEAD
           || (!(op->hdr_flags & OBJECT_DEFERRED) && object_count_stopped(op) == 0);
}

void object_merge_stopped(PyObject *op, int extra)
{
    if (op->hdr_flags & OBJECT_IMMORTAL)
        return;
    int64_t count = total(op);
    op->hdr_tid = 0;
    op->hdr_local = 0;
    op->hdr_shared = merged_word(count >= SHARED_PIN_LIMIT ? count : count + extra);
}

void object_incref_stopped(PyObject *op)
{
    if (op->hdr_flags & OBJECT_IMMORTAL)
        return;
    if (op->hdr_tid != 0)
        op->hdr_local++;
    else if (!shared_is_pinned(op->hdr_shared))
        op->hdr_shared += SHARED_ONE;
}

void object_set_deferred_stopped(PyObject *op) { object_set_deferred(op); }

void object_clear_deferred_stopped(PyObject *op)
{
    if (!(op->hdr_flags & OBJECT_DEFERRED))
        return;
    int64_t count = total(op);
    op->hdr_flags &= (uint8_t)~OBJECT_DEFERRED;
    op->hdr_shared = merged_word(count >= SHARED_PIN_LIMIT ? count : count - DEFERRED_BIAS);
}
