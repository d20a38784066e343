/* Merge requests: objects on which a non-owner found nothing to take wait here for their owner (2.3).
 *
 * The table of queues is the table of heaps; a queue exists before any object can name its slot. */
#include "memory.h"
#include "allocator.h"
#include "merge_posts.h"
#include "thread_end.h"

#include <sched.h>

#define QUEUE_ROOM 8

struct merge_queue {
    struct leaf_lock lock;
    uint32_t count;             /* [lock; atomic read] */
    uint32_t capacity;          /* [lock] */
    PyObject **items;           /* [lock] each entry owns one reference; NULL, room or a block */
    PyObject *room[QUEUE_ROOM]; /* [lock] few at a time are usual */
    /* Objects of others that the slot's thread has found dead where it could not run their finalisers. */
    struct dead_list later;     /* [who is attached on the slot, or has it BORROWED] */
    int has_later;              /* [the same; atomic read] */
};

struct merge_queue *merge_queue_new(void) { return memory_alloc_for_ever(sizeof(struct merge_queue)); }

void merge_after_fork(void)
{
    for (uint32_t i = 0; i < heap_limit(); i++)
        if (heap_peek(i) != NULL)
            leaf_lock_release(&heap_peek(i)->merge->lock);
}

static int dead_add(struct dead_list *dead, PyObject *op)
{
    if (dead->items == NULL) {
        dead->items = dead->room;
        dead->capacity = Py_ARRAY_LENGTH(dead->room);
    }
    if (dead->count == dead->capacity) {
        PyObject **items = mi_malloc(2 * dead->capacity * sizeof(*items));
        if (items == NULL)
            return -1;
        memcpy(items, dead->items, dead->count * sizeof(*items));
        if (dead->items != dead->room)
            mi_free(dead->items);
        dead->items = items;
        dead->capacity *= 2;
    }
    dead->items[dead->count++] = op;
    return 0;
}

/* The request's reference goes, the owner's count moves to the shared word. Returns 1 if nothing is left. */
static int merge_one(PyObject *op)
{
    int64_t local = op->hdr_local;
    int pinned = (op->hdr_local >> 31) != 0;
    op->hdr_local = 0;
    /* tid before the CAS: whoever sees MERGED must not take itself for the owner. */
    __atomic_store_n(&op->hdr_tid, 0, __ATOMIC_RELAXED);
    uint32_t old = __atomic_load_n(&op->hdr_shared, __ATOMIC_RELAXED), desired;
    do {
        int64_t count = shared_count(old) + local - 1;
        if (pinned || shared_is_pinned(old) || count >= SHARED_PIN_LIMIT || count < -SHARED_PIN_LIMIT)
            desired = SHARED_PINNED | SHARED_MERGED;
        else if (count == 0)
            desired = SHARED_DEAD;
        else
            desired = ((uint32_t)count << 2) | SHARED_MERGED;
    } while (!__atomic_compare_exchange_n(&op->hdr_shared, &old, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return desired == SHARED_DEAD;
}

static void dead_list_free(struct dead_list *dead)
{
    if (dead->items != dead->room)
        mi_free(dead->items);
    dead->items = NULL;
    dead->count = dead->capacity = 0;
}

/* What is put off goes to *dead.  An object for which there is no memory leaks, dead. */
static void take_later(struct merge_queue *queue, struct dead_list *dead)
{
    for (uint32_t i = 0; i < queue->later.count; i++)
        (void)dead_add(dead, queue->later.items[i]);
    dead_list_free(&queue->later);
    __atomic_store_n(&queue->has_later, 0, __ATOMIC_RELAXED);
}

void merge_serve(uint16_t slot, struct dead_list *dead)
{
    struct thread_heap *heap = heap_peek(slot);
    if (heap == NULL)
        return;
    struct merge_queue *queue = heap->merge;
    if (Py_UNLIKELY(__atomic_load_n(&queue->has_later, __ATOMIC_RELAXED)))
        take_later(queue, dead);
    while (__atomic_load_n(&queue->count, __ATOMIC_RELAXED) != 0) {
        leaf_lock_acquire(&queue->lock);
        PyObject *few[QUEUE_ROOM], **items = queue->items;
        uint32_t count = queue->count;
        if (items == queue->room)
            items = memcpy(few, queue->room, sizeof(few));
        queue->items = NULL;
        queue->capacity = 0;
        __atomic_store_n(&queue->count, 0, __ATOMIC_RELAXED);
        leaf_lock_release(&queue->lock);
        for (uint32_t i = 0; i < count; i++)
            if (merge_one(items[i]))
                (void)dead_add(dead, items[i]);     /* without memory for the list the object leaks, dead */
        if (items != few)
            mi_free(items);
    }
}

void merge_bury_dead(struct dead_list *dead)
{
    for (uint32_t i = 0; i < dead->count; i++)
        _Py_Dealloc(dead->items[i]);
    dead_list_free(dead);
}

static int requests_wait(struct merge_queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);        /* push, fence, look at the state; or state, fence, look at the queue */
    return __atomic_load_n(&queue->count, __ATOMIC_RELAXED) != 0;
}

int merge_pending(uint16_t slot)
{
    struct thread_heap *heap = heap_peek(slot);
    return heap != NULL && (requests_wait(heap->merge) || __atomic_load_n(&heap->merge->has_later, __ATOMIC_RELAXED));
}

void merge_serve_all_stopped(struct dead_list *dead)
{
    for (uint32_t i = 0; i < heap_limit(); i++)
        merge_serve((uint16_t)i, dead);
    refcount_flush_deferred_stopped();
}

/* Room for one more. The caller holds the lock.  0: out of memory */
static int queue_reserve(struct merge_queue *queue)
{
    if (queue->items == NULL) {
        queue->items = queue->room;
        queue->capacity = QUEUE_ROOM;
    }
    if (queue->count < queue->capacity)
        return 1;
    uint32_t capacity = 4 * queue->capacity;
    PyObject **items = mi_realloc(queue->items != queue->room ? queue->items : NULL, capacity * sizeof(*items));
    if (items == NULL)
        return 0;
    if (queue->items == queue->room)
        memcpy(items, queue->room, sizeof(queue->room));
    queue->items = items;
    queue->capacity = capacity;
    return 1;
}

static int queue_push(struct merge_queue *queue, PyObject *op)
{
    leaf_lock_acquire(&queue->lock);
    int ok = queue_reserve(queue);
    if (ok) {
        queue->items[queue->count] = op;
        __atomic_store_n(&queue->count, queue->count + 1, __ATOMIC_RELAXED);
    }
    leaf_lock_release(&queue->lock);
    return ok;
}

/* ---- Telling the owner (merge_posts.h) ---- */

enum { WINDOW = 64, MANY = 32 };

static BRAID_TLS struct {
    uint16_t owner;             /* whom the window is for */
    uint16_t untold;            /* requests in its queue of which it has not been told */
    uint16_t left;              /* safe points until the window ends; 0: none is open */
} posts;

static void tell(uint16_t owner)
{
    slot_set_breaker(owner, BREAKER_MERGE);
    if (posts.left == 0 || posts.owner == owner) {
        posts.owner = owner;
        posts.untold = 0;
        posts.left = WINDOW;
    }
}

static void tell_soon(uint16_t owner)
{
    if (posts.left != 0 && posts.owner == owner && ++posts.untold < MANY)
        return;
    tell(owner);
    slot_set_breaker(memory_heap->slot, BREAKER_POSTS);
}

int merge_posts_count(void)
{
    if (posts.left > 1) {
        posts.left--;
        return 1;
    }
    posts.left = 0;
    if (posts.untold == 0)
        return 0;
    tell(posts.owner);
    return 1;
}

void merge_posts_flush(void)
{
    if (Py_UNLIKELY(posts.untold != 0))
        slot_set_breaker(posts.owner, BREAKER_MERGE);
    posts.untold = posts.left = 0;
}

/* ---- Posting ---- */

/* Returns  1 if op is among the dead: that one is not put off; op may be NULL */
static int put_off_others(PyObject *op, struct dead_list *dead)
{
    struct thread_heap *heap = memory_heap;
    int found = 0;
    for (uint32_t i = 0; i < dead->count; i++) {
        if (dead->items[i] == op)
            found = 1;
        else if (dead_add(&heap->merge->later, dead->items[i]) == 0)
            __atomic_store_n(&heap->merge->has_later, 1, __ATOMIC_RELAXED);
    }
    dead_list_free(dead);
    if (__atomic_load_n(&heap->merge->has_later, __ATOMIC_RELAXED))
        slot_set_breaker(heap->slot, BREAKER_MERGE);
    return found;
}

void merge_put_off_dead(struct dead_list *dead) { (void)put_off_others(NULL, dead); }

void merge_post(PyObject *op, uint16_t owner)
{
    if (owner == 0) {
        /* Merged meanwhile: what the request took over is an ordinary reference again. */
        _Py_DecRefShared(op);
        return;
    }
    struct thread_heap *heap = heap_peek(owner);
    /* Without memory for the queue the reference is never given back: a leak, not a crash. */
    if (heap == NULL || !queue_push(heap->merge, op))
        return;
    tell_soon(owner);
    struct dead_list dead = {0};
    slot_state_t previous;
    while (requests_wait(heap->merge)) {
        if (slot_borrow(owner, &previous)) {
            merge_serve(owner, &dead);
            slot_return(owner, previous);
        }
        else if (slot_is_leaving(owner))
            sched_yield();          /* it runs nothing any more, so it is gone in a moment */
        else
            break;
    }
    /* Others have posted the rest: they die at this thread's next safe point, for who drops what is not the last reference may hold locks
     * that finalisers take. */
    if (dead.count != 0 && put_off_others(op, &dead))
        _Py_Dealloc(op);
}

void memory_serve_merge_requests(struct _ts *ts)
{
    struct dead_list dead = {0};
    merge_serve(ts->slot, &dead);
    if (dead.count != 0)
        merge_bury_dead(&dead);
}
