/* Delayed frees. The protocol is in qsbr.h and in sections 2.4 and finding 14 of Doc/concurrency.md. */
#include "memory.h"
#include "allocator.h"

#define BATCH_BLOCKS 256
#define FIRST_BATCH_BLOCKS 28       /* of a thread: many live too briefly to need more */
#define BATCH_BYTES 65536

struct retired {
    void *ptr;
    qsbr_free_func free_func;
};

struct batch {
    struct batch *next;         /* older first */
    uint64_t goal;              /* 0 while open */
    size_t bytes;
    uint32_t count, capacity;
    struct retired blocks[];
};

/* One cache line per slot: everybody scans all words. */
struct qsbr_thread {
    uint64_t seen;              /* [atomic] epoch last reported; 0: offline */
    struct batch *open;         /* [owner; others in a pause] */
    struct batch *first, *last; /* [owner; others in a pause] closed, oldest first */
    struct batch *spare;        /* [owner] an empty one */
    size_t waiting_bytes;       /* [owner; atomic read] */
    int seasoned;               /* [owner] has had its first batch */
    uint64_t pad;
} __attribute__((aligned(64)));

/* The table never moves; untouched pages of it cost nothing. */
static struct qsbr_thread threads[65536];

uint64_t qsbr_epoch __attribute__((aligned(64))) = 1;

static struct leaf_lock orphan_lock __attribute__((aligned(64)));
static struct batch *orphans;               /* [orphan_lock] closed batches of threads that have ended */
/* [atomic] Each in a cache line of its own: every poll reads `orphans`, and these change all the time. */
static uint64_t retired_count __attribute__((aligned(64))), reclaimed_count __attribute__((aligned(64)));
static char end_of_counts[64] __attribute__((aligned(64), unused));

struct qsbr_thread *qsbr_thread_of(uint16_t slot) { return &threads[slot]; }

/* ---- Reporting ---- */

void qsbr_online(struct qsbr_thread *self)
{
    /* Release: who reads this value must have what this thread did before it went offline behind him too, and a plain
     * store would end the release sequence of the store in qsbr_offline. */
    __atomic_store_n(&self->seen, __atomic_load_n(&qsbr_epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    /* Before any shared pointer is read (finding 15). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* pairs with lowest_seen */
}

void qsbr_offline(struct qsbr_thread *self)
{
    __atomic_store_n(&self->seen, 0, __ATOMIC_RELEASE);     /* pairs with lowest_seen */
}

void qsbr_report(void)
{
    struct qsbr_thread *self = memory_heap->qsbr;
    uint64_t epoch = __atomic_load_n(&qsbr_epoch, __ATOMIC_ACQUIRE);
    if (self == NULL || self->seen == epoch)
        return;
    __atomic_store_n(&self->seen, epoch, __ATOMIC_RELEASE);  /* pairs with lowest_seen */
    if (self->first != NULL)
        qsbr_poll();
}

/* The epoch that every attached thread has reported at least. */
static uint64_t lowest_seen(void)
{
    uint64_t low = UINT64_MAX;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* pairs with qsbr_online */
    /* A slot taken after this fence goes online after it, too: its thread sees what has been unlinked. */
    for (uint32_t i = 0, limit = slots_limit(); i < limit; i++) {
        uint64_t seen = __atomic_load_n(&threads[i].seen, __ATOMIC_ACQUIRE);
        if (seen != 0 && seen < low)
            low = seen;
    }
    return low;
}

/* ---- Retiring ---- */

static void set_waiting(struct qsbr_thread *self, size_t bytes)
{
    __atomic_store_n(&self->waiting_bytes, bytes, __ATOMIC_RELAXED);
}

static void batch_free_blocks(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        batch->blocks[i].free_func(batch->blocks[i].ptr);
    __atomic_fetch_add(&reclaimed_count, batch->count, __ATOMIC_RELAXED);
}

/* Frees the batches at the front of the list whose goal is reached; returns the rest. */
static struct batch *reclaim_list(struct batch *list, uint64_t low, struct qsbr_thread *self)
{
    while (list != NULL && list->goal <= low) {
        struct batch *next = list->next;
        batch_free_blocks(list);
        if (self != NULL) {
            set_waiting(self, self->waiting_bytes - list->bytes);
            if (self->spare == NULL && list->capacity == BATCH_BLOCKS) {
                self->spare = list;
                list = NULL;
            }
        }
        mi_free(list);
        list = next;
    }
    return list;
}

static void poll_orphans(uint64_t low)
{
    if (__atomic_load_n(&orphans, __ATOMIC_RELAXED) == NULL)
        return;
    /* Taken out as a whole, so that nothing is freed under the lock; what has to wait longer is put back. */
    leaf_lock_acquire(&orphan_lock);
    struct batch *list = orphans, *rest = NULL;
    __atomic_store_n(&orphans, NULL, __ATOMIC_RELAXED);
    leaf_lock_release(&orphan_lock);
    while (list != NULL) {
        struct batch *next = list->next;
        if (list->goal <= low) {
            batch_free_blocks(list);
            mi_free(list);
        }
        else {
            list->next = rest;
            rest = list;
        }
        list = next;
    }
    while (rest != NULL) {
        struct batch *next = rest->next;
        leaf_lock_acquire(&orphan_lock);
        rest->next = orphans;
        __atomic_store_n(&orphans, rest, __ATOMIC_RELAXED);
        leaf_lock_release(&orphan_lock);
        rest = next;
    }
}

/* Asks those who have not reported `goal` yet to do so soon. */
static void ask_for_reports(uint64_t goal)
{
    for (uint32_t i = 1, limit = slots_limit(); i < limit; i++) {
        uint64_t seen = __atomic_load_n(&threads[i].seen, __ATOMIC_RELAXED);
        if (seen != 0 && seen < goal)
            slot_set_breaker((uint16_t)i, BREAKER_QSBR);
    }
}

static void close_batch(struct qsbr_thread *self)
{
    struct batch *batch = self->open;
    if (batch == NULL || batch->count == 0)
        return;
    /* An RMW, so that all unlinking stores of this thread are visible to whoever reports the new epoch (finding 14). */
    batch->goal = __atomic_fetch_add(&qsbr_epoch, 1, __ATOMIC_ACQ_REL) + 1;
    batch->next = NULL;
    if (self->first == NULL)
        self->first = batch;
    else
        self->last->next = batch;
    self->last = batch;
    self->open = NULL;
    ask_for_reports(batch->goal);
}

void qsbr_poll(void)
{
    struct qsbr_thread *self = memory_heap->qsbr;
    if (self == NULL)
        return;
    uint64_t low = lowest_seen();
    self->first = reclaim_list(self->first, low, self);
    if (self->first == NULL)
        self->last = NULL;
    poll_orphans(low);
}

static struct batch *open_batch(struct qsbr_thread *self)
{
    struct batch *batch = self->spare;
    self->spare = NULL;
    if (batch == NULL) {
        uint32_t capacity = self->seasoned ? BATCH_BLOCKS : FIRST_BATCH_BLOCKS;
        self->seasoned = 1;
        batch = mi_malloc(sizeof(*batch) + capacity * sizeof(batch->blocks[0]));
        if (batch != NULL)
            batch->capacity = capacity;
    }
    if (batch != NULL) {
        batch->goal = 0;
        batch->bytes = 0;
        batch->count = 0;
        self->open = batch;
    }
    return batch;
}

void qsbr_retire(void *ptr, size_t bytes, qsbr_free_func free_func)
{
    struct qsbr_thread *self = memory_heap->qsbr;
    if (!runtime_is_multi() || self == NULL) {
        free_func(ptr);
        return;
    }
    struct batch *batch = self->open;
    /* Without memory for a batch the block leaks: it may not be freed now, and nobody can wait here. */
    if (batch == NULL && (batch = open_batch(self)) == NULL)
        return;
    batch->blocks[batch->count++] = (struct retired){ptr, free_func};
    batch->bytes += bytes;
    set_waiting(self, self->waiting_bytes + bytes);
    if (batch->count == batch->capacity || batch->bytes >= BATCH_BYTES) {
        __atomic_fetch_add(&retired_count, batch->count, __ATOMIC_RELAXED);
        close_batch(self);
        qsbr_poll();
    }
}

/* ---- Leaving, pauses, fork ---- */

void qsbr_exit(struct qsbr_thread *self)
{
    if (self->open != NULL)
        __atomic_fetch_add(&retired_count, self->open->count, __ATOMIC_RELAXED);
    close_batch(self);
    if (self->first != NULL) {      /* often nobody else is online, and nothing need be left to others */
        if (self->seen != 0)
            __atomic_store_n(&self->seen, __atomic_load_n(&qsbr_epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
        self->first = reclaim_list(self->first, lowest_seen(), self);
    }
    struct batch *list = self->first, *spare = self->spare, *open = self->open;
    self->first = self->last = self->spare = self->open = NULL;
    self->seasoned = 0;
    set_waiting(self, 0);
    mi_free(spare);
    mi_free(open);
    while (list != NULL) {
        struct batch *next = list->next;
        leaf_lock_acquire(&orphan_lock);
        list->next = orphans;
        __atomic_store_n(&orphans, list, __ATOMIC_RELAXED);
        leaf_lock_release(&orphan_lock);
        list = next;
    }
}

void qsbr_reclaim_all_stopped(void)
{
    for (uint32_t i = 0, limit = heap_limit(); i < limit; i++) {
        struct qsbr_thread *thread = &threads[i];
        if (thread->open != NULL && thread->open->count != 0) {
            __atomic_fetch_add(&retired_count, thread->open->count, __ATOMIC_RELAXED);
            batch_free_blocks(thread->open);
            thread->open->count = 0;
            thread->open->bytes = 0;
        }
        thread->first = reclaim_list(thread->first, UINT64_MAX, thread);
        thread->last = NULL;
        set_waiting(thread, 0);
    }
    poll_orphans(UINT64_MAX);
}

void qsbr_after_fork(uint16_t own_slot)
{
    leaf_lock_release(&orphan_lock);
    for (uint32_t i = 0, limit = heap_limit(); i < limit; i++)
        if (i != own_slot)
            threads[i].seen = 0;
    qsbr_reclaim_all_stopped();
}

void qsbr_get_stats(struct qsbr_stats *stats)
{
    stats->retired = __atomic_load_n(&retired_count, __ATOMIC_RELAXED);
    stats->reclaimed = __atomic_load_n(&reclaimed_count, __ATOMIC_RELAXED);
    stats->epoch = __atomic_load_n(&qsbr_epoch, __ATOMIC_RELAXED);
    stats->waiting = stats->retired - stats->reclaimed;
    stats->waiting_bytes = 0;
    for (uint32_t i = 0, limit = heap_limit(); i < limit; i++)
        stats->waiting_bytes += __atomic_load_n(&threads[i].waiting_bytes, __ATOMIC_RELAXED);
}
