/* Delayed frees: nothing is freed while an attached thread has not reported; batches are bounded; memory of ended threads
 * is reclaimed by others; readers under race never see freed memory. */
#include "memory_harness.h"

static long freed;
static void count_free(void *ptr)
{
    __atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
    PyMem_Free(ptr);
}

static void test_alone_is_immediate(void **state)
{
    PyThreadState *ts = thread_begin(1);
    freed = 0;
    qsbr_retire(PyMem_Malloc(10), 10, count_free);
    assert_int_equal(freed, 1);
    thread_end(ts);
}

/* ---- A second thread that reports when told to ---- */

static int command, done;

static void *follower(void *arg)
{
    PyThreadState *ts = thread_begin(2);
    for (int n = 0;;) {
        int c;
        while ((c = __atomic_load_n(&command, __ATOMIC_ACQUIRE)) == n)
            sched_yield();
        n = c;
        if (n == 2)
            qsbr_report();
        else if (n == 3)
            detach(ts);
        else if (n == 4)
            attach(ts);
        __atomic_store_n(&done, n, __ATOMIC_RELEASE);
        if (n == 5)
            break;
    }
    thread_end(ts);
    return NULL;
}

static void tell(int n)
{
    __atomic_store_n(&command, n, __ATOMIC_RELEASE);
    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) != n)
        sched_yield();
}

#define FIRST 28        /* blocks of a thread's first batch */

static void test_grace_period(void **state)
{
    runtime_multi = 1;
    PyThreadState *ts = thread_begin(1);
    pthread_t t;
    pthread_create(&t, NULL, follower, NULL);
    tell(1);
    freed = 0;
    for (int i = 0; i < FIRST + 256; i++)   /* two whole batches: closed */
        qsbr_retire(PyMem_Malloc(16), 16, count_free);
    qsbr_report();
    assert_int_equal(freed, 0);
    assert_true(slot_breakers[2] & BREAKER_QSBR);
    tell(2);
    qsbr_poll();
    assert_int_equal(freed, FIRST + 256);

    qsbr_retire(PyMem_Malloc(100000), 100000, count_free);      /* bytes close a batch, too */
    qsbr_report();
    assert_int_equal(freed, FIRST + 256);
    tell(3);                                                    /* a detached thread holds nothing up */
    qsbr_poll();
    assert_int_equal(freed, FIRST + 257);
    tell(4);
    qsbr_retire(PyMem_Malloc(1), 1, count_free);                /* an open batch: only a pause gets at it */
    stop_requested = 0;
    qsbr_reclaim_all_stopped();
    assert_int_equal(freed, FIRST + 258);
    tell(5);
    pthread_join(t, NULL);
    thread_end(ts);
    runtime_multi = 0;
}

static void *retire_and_end(void *arg)
{
    PyThreadState *ts = thread_begin(3);
    for (int i = 0; i < 300; i++)
        qsbr_retire(PyMem_Malloc(8), 8, count_free);
    thread_end(ts);
    return NULL;
}

static void test_orphans(void **state)
{
    runtime_multi = 1;
    PyThreadState *ts = thread_begin(1);
    freed = 0;
    pthread_t t;
    pthread_create(&t, NULL, retire_and_end, NULL);
    pthread_join(t, NULL);
    assert_true(freed < 300);
    qsbr_report();
    qsbr_poll();
    assert_int_equal(freed, 300);
    thread_end(ts);
    runtime_multi = 0;
}

/* ---- Arrays that are replaced under readers ---- */

struct array { uint64_t canary, values[6]; };
static struct array *current;
static int stop;

static void free_array(void *ptr)
{
    ((struct array *)ptr)->canary = 0;
    PyMem_Free(ptr);
}

static void *reader(void *arg)
{
    PyThreadState *ts = thread_begin((uint16_t)(uintptr_t)arg);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        struct array *a = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
        check(a->canary == CANARY && a->values[0] == a->values[5]);
        safe_point(ts);
    }
    thread_end(ts);
    return NULL;
}

static void test_readers(void **state)
{
    runtime_multi = 1;
    stop = 0;
    PyThreadState *ts = thread_begin(1);
    pthread_t t[3];
    current = PyMem_Calloc(1, sizeof(*current));
    current->canary = CANARY;
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, reader, (void *)(i + 2));
    for (uint64_t n = 0; n < 100000; n++) {
        struct array *a = PyMem_Malloc(sizeof(*a)), *old;
        a->canary = CANARY;
        a->values[0] = a->values[5] = n;
        old = __atomic_exchange_n(&current, a, __ATOMIC_ACQ_REL);
        qsbr_retire(old, sizeof(*old), free_array);
        safe_point(ts);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    PyMem_Free(current);
    thread_end(ts);
    struct qsbr_stats stats;
    qsbr_get_stats(&stats);
    assert_true(stats.reclaimed <= stats.retired + 256);
    runtime_multi = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_is_immediate),
        cmocka_unit_test(test_grace_period),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
