/* The parking lot: a hash table of waiting threads, keyed by the address they wait on. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "parking_lot.h"
#include "atomics.h"
#include "thread_state.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#define BUCKETS 1021    /* prime: locks lie at regular distances; enough for thousands that wait */

struct waiter {
    struct waiter *next, *prev;         /* [bucket] */
    uintptr_t address;
    void *arg;
    int queued;                         /* [bucket] still in the list: nobody has woken it */
    int interrupted;                    /* [bucket] by parking_lot_interrupt */
    uint32_t woken;                     /* [atomic] released by the waker after it has let go of everything else */
    sem_t semaphore;
};

/* The list is circular through head. */
struct bucket {
    pthread_mutex_t lock;
    struct waiter *first, *last;        /* [lock] */
} __attribute__((aligned(64)));

static struct bucket buckets[BUCKETS] = {[0 ... BUCKETS - 1] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL}};

static struct bucket *bucket_of(const void *address)
{
    uintptr_t a = (uintptr_t)address;
    return &buckets[(a ^ (a >> 20)) % BUCKETS];
}

static void enqueue(struct bucket *b, struct waiter *w)
{
    w->next = NULL;
    w->prev = b->last;
    if (b->last != NULL)
        b->last->next = w;
    else
        b->first = w;
    b->last = w;
    w->queued = 1;
}

static void dequeue(struct bucket *b, struct waiter *w)
{
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        b->first = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    else
        b->last = w->prev;
    w->queued = 0;
}

static struct waiter *find(struct waiter *w, uintptr_t address)
{
    while (w != NULL && w->address != address)
        w = w->next;
    return w;
}

int64_t sync_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int has_value(const void *address, const void *expected, size_t size)
{
    switch (size) {
    case 1: return atomic_load_relaxed_u8(address) == *(const uint8_t *)expected;
    case 4: return atomic_load_relaxed_u32(address) == *(const uint32_t *)expected;
    default: return atomic_load_relaxed_u64(address) == *(const uint64_t *)expected;
    }
}

/* Waits for the waker. 0, or ETIMEDOUT, EINTR. */
static int semaphore_wait(struct waiter *w, int64_t deadline, int flags)
{
    struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    for (;;) {
        int failed = deadline < 0 ? sem_wait(&w->semaphore) : sem_clockwait(&w->semaphore, CLOCK_MONOTONIC, &until);
        if (!failed)
            return 0;
        if (errno != EINTR || (flags & PARK_INTERRUPTIBLE))
            return errno;
    }
}

/* Leaves the queue, if nobody has woken the waiter yet: then the result is `reason`. */
static park_result_t give_up(struct bucket *b, struct waiter *w, park_result_t reason)
{
    pthread_mutex_lock(&b->lock);
    int queued = w->queued;
    if (queued)
        dequeue(b, w);
    pthread_mutex_unlock(&b->lock);
    if (queued)
        return reason;
    semaphore_wait(w, -1, 0);       /* woken at the last moment: the waker still uses the semaphore */
    return PARK_OK;
}

static park_result_t wait_in_queue(struct bucket *b, struct waiter *w, int64_t timeout_ns, int flags, PyThreadState *ts)
{
    int64_t deadline = -1;
    if (timeout_ns > 0) {
        int64_t now = sync_now_ns();
        deadline = timeout_ns < INT64_MAX - now ? now + timeout_ns : -1;
    }
    park_result_t result = PARK_OK;
    if (ts != NULL && (flags & PARK_SERVE) && thread_has_requests(ts))
        result = give_up(b, w, PARK_AGAIN);     /* nobody else serves them for certain; not while we may be handed a lock */
    else {
        int failed = semaphore_wait(w, deadline, flags);
        if (failed)
            result = give_up(b, w, failed == EINTR ? PARK_INTERRUPTED : PARK_TIMEOUT);
    }
    if (result != PARK_OK)
        return result;
    while (!atomic_load_acquire_u32(&w->woken))     /* pairs with wake */
        atomic_spin_hint();
    return w->interrupted ? PARK_INTERRUPTED : PARK_OK;
}

park_result_t parking_lot_park(const void *address, const void *expected, size_t size, int64_t timeout_ns, void *arg, int flags)
{
    struct bucket *b = bucket_of(address);
    struct waiter w = {.address = (uintptr_t)address, .arg = arg};
    int saved_errno = errno;

    pthread_mutex_lock(&b->lock);
    if (!has_value(address, expected, size)) {
        pthread_mutex_unlock(&b->lock);
        return PARK_AGAIN;
    }
    if (timeout_ns == 0) {
        pthread_mutex_unlock(&b->lock);
        return PARK_TIMEOUT;
    }
    sem_init(&w.semaphore, 0, 0);
    enqueue(b, &w);
    pthread_mutex_unlock(&b->lock);

    PyThreadState *ts = flags & PARK_DETACH ? thread_current() : NULL;
    if (ts != NULL)
        thread_detach_brief(ts);
    park_result_t result = wait_in_queue(b, &w, timeout_ns, flags, ts);
    sem_destroy(&w.semaphore);
    if (ts != NULL) {
        if (flags & PARK_KEEP_SUSPENDED)
            thread_attach_suspended(ts);
        else
            thread_attach(ts);
        if (result == PARK_AGAIN)
            thread_serve_requests(ts);
    }
    errno = saved_errno;
    return result;
}

static void wake(struct waiter *w)
{
    /* The flag first: once the semaphore is posted, w may be gone. */
    atomic_store_release_u32(&w->woken, 1);
    sem_post(&w->semaphore);
}

void parking_lot_unpark(const void *address, parking_lot_func func, void *context)
{
    struct bucket *b = bucket_of(address);
    pthread_mutex_lock(&b->lock);
    struct waiter *w = find(b->first, (uintptr_t)address);
    if (w != NULL) {
        struct waiter *more = find(w->next, (uintptr_t)address);
        dequeue(b, w);
        func(context, w->arg, more != NULL);
    }
    else
        func(context, NULL, 0);
    pthread_mutex_unlock(&b->lock);
    if (w != NULL)
        wake(w);
}

void parking_lot_unpark_all(const void *address)
{
    struct bucket *b = bucket_of(address);
    struct waiter *woken = NULL;
    pthread_mutex_lock(&b->lock);
    struct waiter *w = b->first;
    while ((w = find(w, (uintptr_t)address)) != NULL) {
        struct waiter *next = w->next;
        dequeue(b, w);
        w->next = woken;
        woken = w;
        w = next;
    }
    pthread_mutex_unlock(&b->lock);
    while (woken != NULL) {
        struct waiter *next = woken->next;
        wake(woken);
        woken = next;
    }
}

static struct waiter *find_arg(struct bucket *b, const void *address, const void *arg)
{
    struct waiter *w = find(b->first, (uintptr_t)address);
    while (w != NULL && w->arg != arg)
        w = find(w->next, (uintptr_t)address);
    return w;
}

int parking_lot_is_queued(const void *address, const void *arg)
{
    struct bucket *b = bucket_of(address);
    pthread_mutex_lock(&b->lock);
    int queued = find_arg(b, address, arg) != NULL;
    pthread_mutex_unlock(&b->lock);
    return queued;
}

int parking_lot_interrupt(const void *address, const void *arg)
{
    struct bucket *b = bucket_of(address);
    pthread_mutex_lock(&b->lock);
    struct waiter *w = find_arg(b, address, arg);
    if (w != NULL) {
        dequeue(b, w);
        w->interrupted = 1;
    }
    pthread_mutex_unlock(&b->lock);
    if (w != NULL)
        wake(w);
    return w != NULL;
}

void parking_lot_after_fork(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        pthread_mutex_init(&buckets[i].lock, NULL);
        buckets[i].first = buckets[i].last = NULL;
    }
}
