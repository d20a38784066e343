/* Deadlocks: cycles in graphs of threads, and what a look makes of waits that can and cannot end. */
#include "sync_test.h"
#include "deadlock.h"

static void expect_cycles(const int *next, int n, int cycles, const int *members)
{
    int cycle_of[16];
    assert_int_equal(deadlock_find_cycles(next, n, cycle_of), cycles);
    for (int i = 0; i < n; i++)
        assert_int_equal(cycle_of[i] != 0, members[i]);
}

static void test_cycles(void **state)
{
    (void)state;
    expect_cycles(NULL, 0, 0, NULL);
    expect_cycles((int[]){-1, -1}, 2, 0, (int[]){0, 0});
    expect_cycles((int[]){1, 2, -1}, 3, 0, (int[]){0, 0, 0});
    expect_cycles((int[]){1, 0}, 2, 1, (int[]){1, 1});
    /* 0 -> 1 -> 2 -> 3 -> 1, and 5 <-> 6 with 4 behind it, and 7 behind nobody */
    expect_cycles((int[]){1, 2, 3, 1, 5, 6, 5, -1}, 8, 2, (int[]){0, 1, 1, 1, 0, 1, 1, 0});
    /* the tail is walked first, and last */
    expect_cycles((int[]){2, 3, 1, 2}, 4, 1, (int[]){0, 1, 1, 1} );
}

/* Waiters of two mutexes, each with the owner's identity beside it. */
static struct {
    PyMutex mutex;
    unsigned long owner;
} locks[2];
static int holding;
static int raised;

static void take_both(int first)
{
    PyObject *lock = Py_None;
    PyMutex_Lock(&locks[first].mutex);
    locks[first].owner = PyThread_get_thread_ident();
    atomic_fetch_add_int(&holding, 1);
    while (atomic_load_acquire_int(&holding) < 2)
        thread_safe_point(thread_current());
    struct deadlock_wait w = {.lock = lock, .mutex = &locks[!first].mutex, .kind = DEADLOCK_BY_OWNER, .owner = &locks[!first].owner, .can_raise = 1};
    deadlock_wait_begin(&w);
    lock_result_t result;
    int failed = 0;
    do {
        result = mutex_lock_timed(&locks[!first].mutex, 50000000, PARK_DETACH | PARK_INTERRUPTIBLE);
        failed = result == LOCK_FAILED ? deadlock_look(&w) : result == LOCK_INTERRUPTED ? deadlock_verdict(&w) : 0;
    } while (result != LOCK_ACQUIRED && !failed);
    deadlock_wait_end(&w);
    if (failed) {
        CHECK(PyErr_ExceptionMatches(PyExc_RuntimeError));
        PyErr_Clear();
        atomic_fetch_add_int(&raised, 1);
    }
    else {
        PyMutex_Unlock(&locks[!first].mutex);
    }
    locks[first].owner = 0;
    PyMutex_Unlock(&locks[first].mutex);
}

static void two_of_them(int index)
{
    if (index < 2)
        take_both(index);
}

static void test_one_raises(void **state)
{
    (void)state;
    deadlock_configure(DEADLOCK_RAISE);
    for (int i = 0; i < 5; i++) {
        holding = raised = 0;
        race(two_of_them, 1);
        assert_int_equal(raised, 1);
    }
}

static void test_no_cycle(void **state)
{
    (void)state;
    PyMutex mutex = {0};
    unsigned long owner = PyThread_get_thread_ident();
    uint64_t taker = thread_current()->id;
    PyMutex_Lock(&mutex);
    struct deadlock_wait w = {.lock = Py_None, .mutex = &mutex, .kind = DEADLOCK_BY_OWNER, .owner = &owner, .can_raise = 1};
    deadlock_wait_begin(&w);
    assert_int_equal(deadlock_look(&w), 0);     /* owned by the waiter itself */
    owner = 12345;
    assert_int_equal(deadlock_look(&w), 0);     /* by a thread that there is not */
    deadlock_wait_end(&w);
    w = (struct deadlock_wait){.lock = Py_None, .mutex = &mutex, .kind = DEADLOCK_BY_ANYBODY, .taker = &taker, .can_raise = 1};
    deadlock_wait_begin(&w);
    assert_int_equal(deadlock_look(&w), 0);
    deadlock_wait_end(&w);
    PyMutex_Unlock(&mutex);
    deadlock_configure(DEADLOCK_OFF);
    assert_int_equal(deadlock_time_to_look(&w), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_one_raises),
        cmocka_unit_test(test_no_cycle),
    };
    Py_InitializeEx(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
