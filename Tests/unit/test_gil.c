/* The global lock: exclusion, forced switches, turning it on in a running process. */
#include "sync_test.h"

static long counter;
static int in_it;

static void busy(int index)
{
    (void)index;
    PyThreadState *ts = thread_current();
    for (int i = 0; i < 20000; i++) {
        CHECK(atomic_exchange_int(&in_it, 1) == 0);
        counter++;
        atomic_store_relaxed_int(&in_it, 0);
        CHECK(thread_safe_point(ts) == 0);
        if (i % 1000 == 0) {
            thread_detach(ts);
            thread_attach(ts);
        }
    }
}

static void test_exclusion(void **state)
{
    (void)state;
    counter = 0;
    gil_set_switch_interval(100);
    race(busy, 1);
    assert_int_equal(counter, 20000 * RACERS);
    gil_set_switch_interval(5000);
    assert_int_equal(gil_get_switch_interval(), 5000);
}

/* Threads that never block each get their turn. */
static int turns[RACERS], finished;
static void hungry(int index)
{
    PyThreadState *ts = thread_current();
    while (!atomic_load_relaxed_int(&finished)) {
        atomic_fetch_add_int(&turns[index], 1);
        CHECK(thread_safe_point(ts) == 0);
        int all = 1;
        for (int i = 0; i < RACERS; i++)
            all &= atomic_load_relaxed_int(&turns[i]) > 0;
        if (all)
            atomic_store_relaxed_int(&finished, 1);
    }
}

static void test_forced_switch(void **state)
{
    (void)state;
    race(hungry, 1);
    for (int i = 0; i < RACERS; i++)
        assert_true(turns[i] > 0);
}

static void test_shares_tid(void **state)
{
    (void)state;
    PyThreadState *second = PyThreadState_New(&runtime_interp);
    assert_int_equal(thread_current()->tid, 1);
    assert_int_equal(second->tid, 1);
    assert_true(second->slot != thread_current()->slot);
#ifdef Py_GIL_DISABLED
    assert_false(runtime_multi);
#endif
    PyThreadState_Clear(second);
    PyThreadState_Delete(second);
}

#if defined(Py_GIL_DISABLED) && !defined(GIL_FROM_START)
#define GIL_COMES_LATER 1
static int switched_on;
static void turn_on(int index)
{
    PyThreadState *ts = thread_current();
    if (index == 0) {
        usleep(1000);
        CHECK(gil_enable_at_runtime(ts) == 1);
        CHECK(gil_is_enabled() && ts->holds_gil);
        atomic_store_release_int(&switched_on, 1);
    }
    else {
        while (!atomic_load_acquire_int(&switched_on)) {
            CHECK(thread_safe_point(ts) == 0);
            if (!atomic_load_acquire_int(&switched_on)) {
                thread_detach(ts);
                usleep(10);
                thread_attach(ts);
            }
        }
    }
    CHECK(ts->holds_gil);
    busy(index);
}

static void test_turn_on(void **state)
{
    (void)state;
    counter = 0;
    assert_false(gil_is_enabled());
    race(turn_on, 1);
    assert_int_equal(counter, 20000 * RACERS);
    assert_int_equal(gil_enable_at_runtime(thread_current()), 0);
}
#endif

int main(void)
{
#ifdef GIL_FROM_START
    gil_configure(1);
#endif
    const struct CMUnitTest tests[] = {
#ifdef GIL_COMES_LATER
        cmocka_unit_test(test_turn_on),
#else
        cmocka_unit_test(test_shares_tid),
#endif
        cmocka_unit_test(test_exclusion),
        cmocka_unit_test(test_forced_switch),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
