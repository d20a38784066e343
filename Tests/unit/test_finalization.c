/* The end: from then on other threads neither run nor hold anything up. */
#include "sync_test.h"

static PyMutex object_lock;
static long turns[RACERS];      /* [atomic] */
static int started;

static void *daemon_thread(void *arg)
{
    int index = (int)(intptr_t)arg;
    PyGILState_Ensure();
    PyThreadState *ts = thread_current();
    atomic_fetch_add_int(&started, 1);
    for (;;) {
        Py_BEGIN_CRITICAL_SECTION_MUT(&object_lock);
        __atomic_fetch_add(&turns[index], 1, __ATOMIC_RELAXED);
        CHECK(thread_safe_point(ts) == 0);
        Py_END_CRITICAL_SECTION_MUT();
        if (index == 0) {
            Py_BEGIN_ALLOW_THREADS
            usleep(10);
            Py_END_ALLOW_THREADS
        }
    }
    return NULL;
}

static long total(void)
{
    long sum = 0;
    for (int i = 0; i < RACERS; i++)
        sum += __atomic_load_n(&turns[i], __ATOMIC_RELAXED);
    return sum;
}

static void test_daemons_hang(void **state)
{
    (void)state;
    PyThreadState *ts = thread_current();
    for (int i = 0; i < RACERS; i++) {
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, daemon_thread, (void *)(intptr_t)i), 0);
        pthread_detach(t);
    }
    Py_BEGIN_ALLOW_THREADS
    while (atomic_load_relaxed_int(&started) < RACERS)
        usleep(100);
    usleep(5000);
    Py_END_ALLOW_THREADS
    thread_begin_finalization();
    assert_true(runtime_is_finalizing());
    long before = total();
    assert_true(before > 0);
    Py_BEGIN_ALLOW_THREADS
    usleep(20000);
    Py_END_ALLOW_THREADS
    assert_int_equal(total(), before);
    for (int i = 0; i < 100; i++) {
        stop_world_begin(ts);
        stop_world_end(ts);
        assert_int_equal(thread_safe_point(ts), 0);
        Py_BEGIN_CRITICAL_SECTION_MUT(&object_lock);
        Py_END_CRITICAL_SECTION_MUT();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_daemons_hang)};
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
