/* The traces of memory blocks: shards of hash tables by address, and the switch. The contract is in block_trace.h. */
#include "block_trace.h"
#include "allocator.h"
#include "block_tracebacks.h"
#include "memory.h"
#include "stop_world.h"

#include <pthread.h>

#define SHARD_BITS 5                        /* a fork holds all the locks, and ThreadSanitizer follows 64 at most */
#define SHARDS (1 << SHARD_BITS)
#define SMALLEST_TABLE 64

typedef struct {
    uintptr_t block;
    size_t size;
    const block_traceback_t *traceback;     /* NULL: the place is free */
    unsigned domain;
} trace_t;

/* Everything but the lock: [lock] */
static struct shard {
    pthread_mutex_t lock;
    trace_t *traces;                        /* open addressing, linear probing; at most half full */
    size_t room, count;                     /* room is a power of two, or 0 */
    block_trace_place_t *places;            /* where the frames of the block that is being traced are written */
    int places_room;
} __attribute__((aligned(64))) shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

static traceback_store_t *store;            /* [all shards to change it, one to use it] of the traces that there are */
static int max_frames = 1;                  /* [likewise] */
static size_t traced_now, traced_peak;      /* [atomic] bytes */
static size_t table_bytes;                  /* [atomic] of shards */

static int nobody(block_trace_place_t *places, int room) { return 0; }
int (*block_trace_walk)(block_trace_place_t *places, int room) = nobody;

/* What this thread is at: taking a block, or turning traces into objects; or, in that, holding a shard's lock. */
enum { INSIDE = 1, UNDER_LOCK = 2 };
static BRAID_TLS int inside;

/* ---- One shard ---- */

static inline uint64_t hash_block(unsigned domain, uintptr_t block)
{
    return ((uint64_t)(block >> 3) ^ (uint64_t)domain << 48) * 0x9E3779B97F4A7C15u;
}

static inline struct shard *shard_of(uint64_t hash) { return &shards[hash >> (64 - SHARD_BITS)]; }

static inline size_t home_of(const struct shard *shard, uint64_t hash) { return (size_t)(hash >> 24) & (shard->room - 1); }

/* Where the trace is, or the free place where it would go. The table is not empty. */
static trace_t *probe_locked(struct shard *shard, uint64_t hash, unsigned domain, uintptr_t block)
{
    size_t i = home_of(shard, hash);
    while (shard->traces[i].traceback != NULL && (shard->traces[i].block != block || shard->traces[i].domain != domain))
        i = (i + 1) & (shard->room - 1);
    return &shard->traces[i];
}

static trace_t *find_locked(struct shard *shard, uint64_t hash, unsigned domain, uintptr_t block)
{
    if (shard->count == 0)
        return NULL;
    trace_t *trace = probe_locked(shard, hash, domain, block);
    return trace->traceback != NULL ? trace : NULL;
}

static int grow_locked(struct shard *shard)
{
    size_t old_room = shard->room, room = old_room != 0 ? 2 * old_room : SMALLEST_TABLE;
    trace_t *old = shard->traces, *traces = mi_zalloc(room * sizeof(*traces));
    if (traces == NULL)
        return -1;
    shard->traces = traces;
    shard->room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].traceback != NULL)
            *probe_locked(shard, hash_block(old[i].domain, old[i].block), old[i].domain, old[i].block) = old[i];
    __atomic_fetch_add(&table_bytes, (room - old_room) * sizeof(*traces), __ATOMIC_RELAXED);
    mi_free(old);
    return 0;
}

static void count_bytes(size_t size)
{
    size_t now = __atomic_add_fetch(&traced_now, size, __ATOMIC_RELAXED);
    size_t peak = __atomic_load_n(&traced_peak, __ATOMIC_RELAXED);
    while (now > peak
           && !__atomic_compare_exchange_n(&traced_peak, &peak, now, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void remove_locked(struct shard *shard, trace_t *trace)
{
    __atomic_fetch_sub(&traced_now, trace->size, __ATOMIC_RELAXED);
    shard->count--;
    /* Close the gap: what follows and could not be nearer to its home moves up. */
    size_t mask = shard->room - 1, gap = (size_t)(trace - shard->traces);
    for (size_t i = (gap + 1) & mask; shard->traces[i].traceback != NULL; i = (i + 1) & mask) {
        size_t home = home_of(shard, hash_block(shard->traces[i].domain, shard->traces[i].block));
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            shard->traces[gap] = shard->traces[i];
            gap = i;
        }
    }
    shard->traces[gap].traceback = NULL;
}

static int put_locked(struct shard *shard, uint64_t hash, const trace_t *trace)
{
    if (2 * (shard->count + 1) > shard->room && grow_locked(shard) < 0)
        return -1;
    *probe_locked(shard, hash, trace->domain, trace->block) = *trace;
    shard->count++;
    count_bytes(trace->size);
    return 0;
}

/* The traceback of the calling thread. */
static const block_traceback_t *look_around_locked(struct shard *shard)
{
    int total = block_trace_walk(shard->places, shard->places_room);
    int wanted = total < max_frames ? total : max_frames;
    if (wanted > shard->places_room) {
        int room = wanted < max_frames / 2 ? 2 * wanted : max_frames;
        block_trace_place_t *places = mi_realloc(shard->places, (size_t)room * sizeof(*places));
        if (places == NULL)
            return NULL;
        __atomic_fetch_add(&table_bytes, (size_t)(room - shard->places_room) * sizeof(*places), __ATOMIC_RELAXED);
        shard->places = places;
        shard->places_room = room;
        block_trace_walk(places, room);
    }
    return traceback_store_add(store, shard->places, wanted, total < BLOCK_TRACE_MAX_FRAMES ? total : BLOCK_TRACE_MAX_FRAMES);
}

/* Returns 0, -1: out of memory, -2: tracing is off. `inside` is set. */
static int trace_block(unsigned domain, uintptr_t block, size_t size)
{
    uint64_t hash = hash_block(domain, block);
    struct shard *shard = shard_of(hash);
    int status = -2;
    pthread_mutex_lock(&shard->lock);
    inside = UNDER_LOCK;
    if (block_trace_is_on()) {
        trace_t *old = find_locked(shard, hash, domain, block);
        if (old != NULL)
            remove_locked(shard, old);
        trace_t trace = {block, size, look_around_locked(shard), domain};
        status = trace.traceback == NULL ? -1 : put_locked(shard, hash, &trace);
    }
    inside = INSIDE;
    pthread_mutex_unlock(&shard->lock);
    return status;
}

/* Takes the trace out. Returns 1 if there was one, which is then in *trace. */
static int forget(unsigned domain, uintptr_t block, trace_t *trace)
{
    if (inside == UNDER_LOCK)
        return 0;                   /* what is freed here was taken here */
    uint64_t hash = hash_block(domain, block);
    struct shard *shard = shard_of(hash);
    pthread_mutex_lock(&shard->lock);
    trace_t *found = find_locked(shard, hash, domain, block);
    if (found != NULL) {
        *trace = *found;
        remove_locked(shard, found);
    }
    pthread_mutex_unlock(&shard->lock);
    return found != NULL;
}

/* ---- For allocators ---- */

int block_trace_enter(void)
{
    if (inside || !block_trace_is_on())
        return 0;
    inside = 1;
    return 1;
}

int block_trace_leave(void *block, size_t size)
{
    int status = block != NULL ? trace_block(0, (uintptr_t)block, size) : 0;
    inside = 0;
    return status == -1 ? -1 : 0;
}

void block_trace_forget(void *block)
{
    trace_t trace;
    if (block != NULL)
        forget(0, (uintptr_t)block, &trace);
}

void *block_trace_realloc(void *(*resize)(void *context, void *block, size_t size), void *context, void *block, size_t size)
{
    int outermost = block_trace_enter();
    trace_t trace;
    int known = block != NULL && forget(0, (uintptr_t)block, &trace);
    void *moved = resize(context, block, size);
    /* Where that fails the block is still there, traced anew. Without memory for the trace it becomes one that we do not know. */
    if (outermost && moved == NULL && known)
        block_trace_leave(block, trace.size);
    else if (outermost)
        block_trace_leave(moved, size);
    return moved;
}

void *block_malloc_traced(size_t size)
{
    int outermost = block_trace_enter();
    void *block = mi_malloc(size);
    if (outermost && block_trace_leave(block, size) < 0) {
        mi_free(block);
        return NULL;
    }
    return block;
}

void *block_zalloc_traced(size_t size)
{
    void *block = block_malloc_traced(size);
    return block != NULL ? memset(block, 0, size) : NULL;
}

static void *resize_block(void *unused, void *block, size_t size) { return mi_realloc(block, size); }

void *block_realloc_traced(void *block, size_t size) { return block_trace_realloc(resize_block, NULL, block, size); }

void block_free_traced(void *block)
{
    block_trace_forget(block);
    mi_free(block);
}

/* ---- The switch ---- */

static void lock_all(void)
{
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_lock(&shards[i].lock);
}

static void unlock_all(void)
{
    for (int i = SHARDS; i-- > 0;)
        pthread_mutex_unlock(&shards[i].lock);
}

void block_trace_before_fork(void) { lock_all(); }
void block_trace_after_fork(void) { unlock_all(); }

static void empty_all_locked(void)
{
    for (struct shard *shard = shards; shard < shards + SHARDS; shard++) {
        mi_free(shard->traces);
        mi_free(shard->places);
        shard->traces = NULL;
        shard->places = NULL;
        shard->room = shard->count = 0;
        shard->places_room = 0;
    }
    __atomic_store_n(&table_bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&traced_now, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&traced_peak, 0, __ATOMIC_RELAXED);
}

/* All traces go; with a new store tracing is on from now, without one it is off. */
static void replace_store_stopped(traceback_store_t *with, int frames)
{
    lock_all();
    empty_all_locked();
    traceback_store_t *old = store;
    store = with;
    max_frames = frames;
    if (with != NULL)
        __atomic_fetch_or(&memory_hooked, MEMORY_HOOK_TRACE, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&memory_hooked, ~MEMORY_HOOK_TRACE, __ATOMIC_RELEASE);
    unlock_all();
    traceback_store_drop(old);
}

int block_trace_start(int frames)
{
    traceback_store_t *fresh = traceback_store_new();
    if (fresh == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    stop_world_begin(thread_current());
    int was_on = block_trace_is_on();
    if (!was_on) {
        object_pages_leave_fast_path_stopped();
        replace_store_stopped(fresh, frames);
    }
    stop_world_end(thread_current());
    if (was_on)
        traceback_store_drop(fresh);
    return 0;
}

void block_trace_stop(void)
{
    stop_world_begin(thread_current());
    replace_store_stopped(NULL, max_frames);
    stop_world_end(thread_current());
}

void block_trace_clear(void)
{
    traceback_store_t *fresh = traceback_store_new();       /* without memory for it the old one stays */
    lock_all();
    empty_all_locked();
    traceback_store_t *old = NULL;
    if (store != NULL && fresh != NULL) {
        old = store;
        store = fresh;
        fresh = NULL;
    }
    unlock_all();
    traceback_store_drop(old);
    traceback_store_drop(fresh);
}

int block_trace_max_frames(void) { return max_frames; }

void block_trace_get_totals(size_t *now, size_t *peak)
{
    *now = __atomic_load_n(&traced_now, __ATOMIC_RELAXED);
    *peak = __atomic_load_n(&traced_peak, __ATOMIC_RELAXED);
    if (*peak < *now)
        *peak = *now;
}

void block_trace_reset_peak(void)
{
    __atomic_store_n(&traced_peak, __atomic_load_n(&traced_now, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

size_t block_trace_own_bytes(void) { return __atomic_load_n(&table_bytes, __ATOMIC_RELAXED) + traceback_stores_bytes(); }

/* ---- Traces as Python objects ---- */

/* A copy of all traces and a use of their store.  Returns 0, or -1 without an exception: out of memory. */
static int copy_traces(trace_t **copy, size_t *count, traceback_store_t **their_store)
{
    *copy = NULL;
    *their_store = NULL;
    lock_all();
    *count = 0;
    for (int i = 0; i < SHARDS; i++)
        *count += shards[i].count;
    if (*count != 0 && (*copy = mi_malloc(*count * sizeof(trace_t))) != NULL) {
        size_t n = 0;
        for (int i = 0; i < SHARDS; i++)
            for (size_t k = 0; k < shards[i].room; k++)
                if (shards[i].traces[k].traceback != NULL)
                    (*copy)[n++] = shards[i].traces[k];
        *their_store = traceback_store_take(store);
    }
    unlock_all();
    return *count != 0 && *copy == NULL ? -1 : 0;
}

static int by_traceback(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const trace_t *)a)->traceback, y = (uintptr_t)((const trace_t *)b)->traceback;
    return x < y ? -1 : x > y;
}

static PyObject *list_of(trace_t *traces, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count), *tuple = NULL;
    if (list != NULL)
        PyObject_GC_UnTrack(list);      /* no other thread finds it half filled */
    qsort(traces, count, sizeof(*traces), by_traceback);
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (i == 0 || traces[i].traceback != traces[i - 1].traceback)
            Py_XSETREF(tuple, block_traceback_as_tuple(traces[i].traceback));
        PyObject *row = tuple == NULL ? NULL
                                      : Py_BuildValue("(InOi)", traces[i].domain, (Py_ssize_t)traces[i].size, tuple,
                                                      traces[i].traceback->total);
        if (row == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, row);
    }
    if (list != NULL)
        PyObject_GC_Track(list);
    Py_XDECREF(tuple);
    return list;
}

PyObject *block_trace_list(void)
{
    trace_t *traces;
    size_t count;
    traceback_store_t *their_store;
    if (copy_traces(&traces, &count, &their_store) < 0)
        return PyErr_NoMemory();
    int outermost = block_trace_enter();    /* what the list takes is not in it the next time */
    PyObject *list = list_of(traces, count);
    if (outermost)
        block_trace_leave(NULL, 0);
    mi_free(traces);
    traceback_store_drop(their_store);
    return list;
}

PyObject *block_trace_find(unsigned domain, uintptr_t block)
{
    uint64_t hash = hash_block(domain, block);
    struct shard *shard = shard_of(hash);
    pthread_mutex_lock(&shard->lock);
    trace_t *trace = find_locked(shard, hash, domain, block);
    const block_traceback_t *traceback = trace != NULL ? trace->traceback : NULL;
    traceback_store_t *their_store = trace != NULL ? traceback_store_take(store) : NULL;
    pthread_mutex_unlock(&shard->lock);
    if (traceback == NULL)
        Py_RETURN_NONE;
    PyObject *tuple = block_traceback_as_tuple(traceback);
    traceback_store_drop(their_store);
    return tuple;
}

/* ---- Blocks of other allocators ---- */

int PyTraceMalloc_Track(unsigned int domain, uintptr_t ptr, size_t size)
{
    if (!block_trace_is_on())
        return -2;
    int before = inside;
    inside = 1;
    int status = trace_block(domain, ptr, size);
    inside = before;
    return status;
}

int PyTraceMalloc_Untrack(unsigned int domain, uintptr_t ptr)
{
    trace_t trace;
    if (!block_trace_is_on())
        return -2;
    forget(domain, ptr, &trace);
    return 0;
}

PyObject *_PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t ptr) { return block_trace_find(domain, ptr); }
