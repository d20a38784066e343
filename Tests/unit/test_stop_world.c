/* Pauses: nobody runs; requesters take turns; threads that come, go or sleep take part. */
#include "sync_test.h"

static int running;         /* threads inside their attached work */
static long unguarded;      /* written in pauses only */

static void worker(int index)
{
    PyThreadState *ts = thread_current();
    for (int i = 0; i < 3000; i++) {
        atomic_fetch_add_int(&running, 1);
        atomic_fetch_add_int(&running, -1);
        CHECK(thread_safe_point(ts) == 0);
        if (i % 100 == index) {
            thread_detach(ts);
            usleep(5);
            thread_attach(ts);
        }
        if (i % 50 == index) {
            stop_world_begin(ts);
            CHECK(world_is_stopped());
            CHECK(atomic_load_relaxed_int(&running) == 0);
            stop_world_begin(ts);       /* nests */
            unguarded++;
            stop_world_end(ts);
            CHECK(atomic_load_relaxed_int(&running) == 0);
            stop_world_end(ts);
            CHECK(!world_is_stopped());
        }
    }
}

static void test_pauses(void **state)
{
    (void)state;
    struct pause_stats stats;
    stop_world_get_stats(&stats);
    uint64_t before = stats.count;
    unguarded = 0;
    race(worker, 1);
    assert_int_equal(unguarded, 60 * RACERS);
    stop_world_get_stats(&stats);
    assert_true(stats.count - before >= 60 * RACERS);
    assert_true(stats.longest_ns >= stats.last_ns);
}

static void comers(int index)
{
    if (index == 0) {
        for (int i = 0; i < 200; i++) {
            stop_world_begin(NULL);     /* a thread without a state may stop the world too */
            CHECK(atomic_load_relaxed_int(&running) == 0);
            stop_world_end(NULL);
            usleep(20);
        }
        return;
    }
    for (int i = 0; i < 200; i++) {
        PyThreadState *ts = PyThreadState_New(&runtime_interp);
        CHECK(ts != NULL);
        thread_attach(ts);
        for (int j = 0; j < 20; j++) {
            atomic_fetch_add_int(&running, 1);
            atomic_fetch_add_int(&running, -1);
            CHECK(thread_safe_point(ts) == 0);
        }
        PyThreadState_Clear(ts);
        PyThreadState_DeleteCurrent();
    }
}

static void test_comers(void **state)
{
    (void)state;
    race(comers, 0);
    assert_int_equal(thread_count(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_comers),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
