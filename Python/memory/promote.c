/* Promotion of contended objects: sampling, the list of candidates, the pause.
 *
 * The table of samples is written by all threads without a lock: a lost sample costs nothing. Candidates are handed over by CAS. */
#include "memory.h"
#include "object_pages.h"
#include "promote.h"
#include "stop_world.h"

#include <time.h>

#define SAMPLE_SHIFT 24             /* 32 less the bits of an index */
#define SAMPLE_SLOTS (1 << (32 - SAMPLE_SHIFT))
#define CANDIDATES 64
#define HITS_OF_MANY 24             /* samples of at least two threads */
#define HITS_OF_ONE 200             /* samples of a single thread that does not own the object */
#define IMMORTAL_BYTES_MAX ((size_t)8 << 20)
#define PAUSE_SHARE 50              /* the time between pauses is at least so many times that of the last one, */
#define PAUSE_GAP_NS 2000000        /* and this */

struct sample {
    PyObject *op;                   /* [atomic] an address to compare, nothing more: it may be dead */
    uint16_t hits;                  /* [atomic] */
    uint16_t tid;                   /* [atomic] of the first sample */
    uint8_t many;                   /* [atomic] other threads have sampled it too */
};
static struct sample samples[SAMPLE_SLOTS];
static PyObject *candidates[CANDIDATES];    /* [atomic] counted references */
static int64_t next_pause_ns;               /* [atomic] */
static size_t immortal_bytes;               /* [stopped] */

void (*promote_walk_slots)(visitproc visit, void *arg);

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int is_plain_value(PyObject *op)
{
    PyTypeObject *type = heap_type(op);
    return type == &PyUnicode_Type || type == &PyBytes_Type || type == &PyLong_Type || type == &PyFloat_Type
           || type == &PyBaseObject_Type;
}

/* Stands for an object that is about to be put there: counting comes after the place is sure, since dropping a reference again
 * could run finalisers, in the middle of whatever counts op. */
#define PLACE_TAKEN ((PyObject *)candidates)

static void put_candidate(PyObject *op)
{
    for (int i = 0; i < CANDIDATES; i++) {
        PyObject *there = __atomic_load_n(&candidates[i], __ATOMIC_RELAXED);
        if (there == op)
            return;
        if (there == NULL && __atomic_compare_exchange_n(&candidates[i], &there, PLACE_TAKEN, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            __atomic_store_n(&candidates[i], Py_NewRef(op), __ATOMIC_RELEASE);
            thread_set_breaker(thread_current(), BREAKER_PROMOTE);
            return;
        }
    }
}

/* Where op is counted or may be: two places, so that two objects which are always counted together don't drive each other out. */
static struct sample *sample_find(PyObject *op)
{
    uint32_t place = (uint32_t)((uintptr_t)op >> 4) * 2654435761u >> SAMPLE_SHIFT;     /* Fibonacci hashing */
    struct sample *first = &samples[place], *second = &samples[place ^ 1];
    if (__atomic_load_n(&first->op, __ATOMIC_RELAXED) == op)
        return first;
    if (__atomic_load_n(&second->op, __ATOMIC_RELAXED) == op)
        return second;
    return __atomic_load_n(&second->hits, __ATOMIC_RELAXED) < __atomic_load_n(&first->hits, __ATOMIC_RELAXED) ? second : first;
}

void promote_sample(PyObject *op)
{
    uint16_t tid = object_current_tid();
    struct sample *s = sample_find(op);
    uint16_t hits = __atomic_load_n(&s->hits, __ATOMIC_RELAXED);
    if (__atomic_load_n(&s->op, __ATOMIC_RELAXED) != op) {
        if (hits > 1) {
            __atomic_store_n(&s->hits, hits / 2, __ATOMIC_RELAXED);
            return;
        }
        __atomic_store_n(&s->op, op, __ATOMIC_RELAXED);
        __atomic_store_n(&s->hits, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&s->tid, tid, __ATOMIC_RELAXED);
        __atomic_store_n(&s->many, 0, __ATOMIC_RELAXED);
        return;
    }
    if (__atomic_load_n(&s->tid, __ATOMIC_RELAXED) != tid)
        __atomic_store_n(&s->many, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&s->hits, hits + 1, __ATOMIC_RELAXED);
    if (hits < (__atomic_load_n(&s->many, __ATOMIC_RELAXED) ? HITS_OF_MANY : HITS_OF_ONE))
        return;
    __atomic_store_n(&s->hits, 1, __ATOMIC_RELAXED);
    if ((object_flags(op) & OBJECT_ON_PAGE) || is_plain_value(op))
        put_candidate(op);
}

/* ---- In a pause ---- */

static int forget_slot_reference(PyObject *op, void *Py_UNUSED(arg))
{
    if (object_on_page(op) && (object_state_get(op) & SLOT_NAMED))
        op->hdr_shared -= SHARED_ONE;
    return 0;
}

/* 1 if op was made DEFERRED. The list's reference is dropped later. */
static int promote_one(PyObject *op)
{
    if (object_flags(op) & (OBJECT_DEFERRED | OBJECT_IMMORTAL))
        return 0;
    if (!(object_flags(op) & OBJECT_ON_PAGE)) {
        size_t bytes = (size_t)_PyObject_VAR_SIZE(heap_type(op), 0) + 64;
        if (heap_type(op) == &PyUnicode_Type)
            bytes += (size_t)PyUnicode_GET_LENGTH(op) * 4;
        else if (heap_type(op) == &PyBytes_Type)
            bytes += (size_t)PyBytes_GET_SIZE(op);
        if (immortal_bytes + bytes <= IMMORTAL_BYTES_MAX) {
            immortal_bytes += bytes;
            object_set_immortal(op);
        }
        return 0;
    }
    uint8_t state = object_state_get(op);
    if (object_count_stopped(op) <= 1)      /* only the list has it */
        return 0;
    if ((state & (SLOT_LIMBO | SLOT_GARBAGE)) || !(state & SLOT_LIVE) || shared_is_pinned(op->hdr_shared))
        return 0;
    object_publish(op);
    object_set_deferred_stopped(op);
    object_state_set(op, state | SLOT_TRACKED | SLOT_NAMED);
    return 1;
}

static int take_candidates(PyObject **taken)
{
    int n = 0;
    for (int i = 0; i < CANDIDATES; i++) {
        PyObject *op = __atomic_load_n(&candidates[i], __ATOMIC_RELAXED);
        if (op != NULL && op != PLACE_TAKEN && __atomic_compare_exchange_n(&candidates[i], &op, NULL, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            taken[n++] = op;
    }
    return n;
}

void promote_run(PyThreadState *ts)
{
    PyObject *taken[CANDIDATES];
    if (now_ns() < __atomic_load_n(&next_pause_ns, __ATOMIC_RELAXED)) {
        /* Too early. Nothing is kept alive meanwhile: if it goes on, the samples will ask again. */
        for (int n = take_candidates(taken); n > 0; n--)
            Py_DECREF(taken[n - 1]);
        return;
    }
    struct dead_list dead = {0};
    stop_world_begin(ts);
    int64_t begin = now_ns();
    merge_serve_all_stopped(&dead);
    int n = take_candidates(taken), deferred = 0;
    for (int i = 0; i < n; i++)
        deferred += promote_one(taken[i]);
    if (deferred != 0 && promote_walk_slots != NULL)
        promote_walk_slots(forget_slot_reference, NULL);
    for (int i = 0; i < n; i++)
        if (object_on_page(taken[i]))
            object_state_set(taken[i], object_state_get(taken[i]) & (uint8_t)~SLOT_NAMED);
    int64_t end = now_ns();
    __atomic_store_n(&next_pause_ns, end + PAUSE_SHARE * (end - begin) + PAUSE_GAP_NS, __ATOMIC_RELAXED);
    stop_world_end(ts);
    merge_bury_dead(&dead);
    for (int i = 0; i < n; i++)
        Py_DECREF(taken[i]);
}
