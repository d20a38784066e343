/* Critical sections: exclusion, nesting, suspension, no deadlock, elision. */
#include "sync_test.h"
#include "atomics.h"

#ifdef Py_GIL_DISABLED

static PyMutex a, b;
static long counter_a, counter_b;

static void test_elided_while_alone(void **state)
{
    (void)state;
    PyThreadState *ts = thread_current();
    assert_false(runtime_multi);
    Py_BEGIN_CRITICAL_SECTION_MUT(&a);
    assert_false(PyMutex_IsLocked(&a));
    assert_non_null(ts->critical_sections);
    Py_END_CRITICAL_SECTION_MUT();
    assert_null(ts->critical_sections);
    assert_int_equal(leaf_lock_mutex(&a), 0);
}

/* The step to many threads takes the locks of the innermost section. */
static void test_flip_inside(void **state)
{
    (void)state;
    PyThreadState *ts = thread_current(), *second;
    Py_BEGIN_CRITICAL_SECTION_MUT(&b);
    Py_BEGIN_CRITICAL_SECTION_MUT(&a);
    second = PyThreadState_New(&runtime_interp);
    assert_non_null(second);
    assert_true(runtime_multi);
    assert_true(PyMutex_IsLocked(&a));
    assert_false(PyMutex_IsLocked(&b));
    Py_END_CRITICAL_SECTION_MUT();
    assert_true(PyMutex_IsLocked(&b));
    assert_false(PyMutex_IsLocked(&a));
    Py_END_CRITICAL_SECTION_MUT();
    assert_false(PyMutex_IsLocked(&b));

    /* nested on the same mutex; suspended by a detach */
    Py_BEGIN_CRITICAL_SECTION_MUT(&a);
    Py_BEGIN_CRITICAL_SECTION_MUT(&a);
    assert_int_equal(leaf_lock_mutex(&a), 0);
    thread_detach(ts);
    assert_false(PyMutex_IsLocked(&a));
    thread_attach(ts);
    assert_true(PyMutex_IsLocked(&a));
    Py_END_CRITICAL_SECTION_MUT();
    assert_true(PyMutex_IsLocked(&a));
    Py_END_CRITICAL_SECTION_MUT();
    assert_false(PyMutex_IsLocked(&a));

    PyThreadState_Clear(second);
    PyThreadState_Delete(second);
    assert_int_equal(thread_handle_breaker(ts), 0);
    assert_false(runtime_multi);
}

static void mixed(int index)
{
    for (int i = 0; i < 10000; i++) {
        int how = (i + index) % 5;
        if (how == 0) {
            Py_BEGIN_CRITICAL_SECTION2_MUT(&a, &b);
            counter_a++;
            counter_b++;
            Py_END_CRITICAL_SECTION2_MUT();
        }
        else if (how == 1) {
            Py_BEGIN_CRITICAL_SECTION_MUT(&a);
            counter_a++;
            Py_BEGIN_CRITICAL_SECTION_MUT(&b);      /* may suspend the outer one */
            counter_b++;
            Py_END_CRITICAL_SECTION_MUT();
            Py_END_CRITICAL_SECTION_MUT();
        }
        else if (how == 2) {
            Py_BEGIN_CRITICAL_SECTION_MUT(&b);
            counter_b++;
            int locked = leaf_lock_mutex(&a);
            counter_a++;
            leaf_unlock_mutex(&a, locked);
            Py_END_CRITICAL_SECTION_MUT();
        }
        else if (how == 3) {
            Py_BEGIN_CRITICAL_SECTION_MUT(&a);
            counter_a++;
            CHECK(thread_safe_point(thread_current()) == 0);
            Py_BEGIN_CRITICAL_SECTION2_MUT(&b, &a);
            counter_b++;
            Py_END_CRITICAL_SECTION2_MUT();
            Py_END_CRITICAL_SECTION_MUT();
        }
        else {
            int locked = leaf_lock_mutex(&a);
            counter_a++;
            leaf_unlock_mutex(&a, locked);
            Py_BEGIN_CRITICAL_SECTION2_MUT(&b, &a);
            Py_BEGIN_CRITICAL_SECTION_MUT(&b);
            counter_b++;
            Py_END_CRITICAL_SECTION_MUT();
            if (i % 64 == 0)
                runtime_become_multi(thread_current());
            Py_END_CRITICAL_SECTION2_MUT();
        }
    }
    CHECK(thread_current()->critical_sections == NULL);
}

static void test_race(void **state)
{
    (void)state;
    counter_a = counter_b = 0;
    race(mixed, 1);
    assert_int_equal(counter_a, 10000 * RACERS);
    assert_int_equal(counter_b, 10000 * RACERS);
    assert_int_equal(a.bits, 0);
    assert_int_equal(b.bits, 0);
}

static void pauses(int index)
{
    if (index != 0) {
        mixed(index);
        return;
    }
    for (int i = 0; i < 200; i++) {
        stop_world_begin(thread_current());
        long in_a = counter_a, in_b = counter_b;    /* the locks may be held: a thread that waits for one is handed it while it is detached */
        usleep(20);
        CHECK(counter_a == in_a && counter_b == in_b);
        stop_world_end(thread_current());
        usleep(50);
    }
}

/* Whoever meets the lock of a leaf section comes by it, seen to have parked or overlooked. */
static void leaf_held_for_long(int index)
{
    for (int i = 0; i < 20; i++) {
        if (index == 0) {
            int locked = leaf_lock_mutex(&a);
            usleep(1000);
            CHECK(locked != LEAF_BRIEF || (atomic_load_relaxed_u8(&a.bits) & ~_PyMutex_PARKED) == LEAF_BRIEF);
            counter_a++;
            leaf_unlock_mutex(&a, locked);
            usleep(100);
        }
        else if (index == 1) {
            PyMutex_Lock(&a);
            CHECK(!(atomic_load_relaxed_u8(&a.bits) & _PyMutex_BRIEF));
            counter_a++;
            PyMutex_Unlock(&a);
        }
        else
            mixed(index);
        CHECK(thread_safe_point(thread_current()) == 0);
    }
}

static void test_leaf_held_for_long(void **state)
{
    (void)state;
    counter_a = 0;
    race(leaf_held_for_long, 1);
    assert_int_equal(counter_a, 40 + 20 * 10000 * (RACERS - 2));
    assert_int_equal(a.bits, 0);
}

/* A leaf section that is entered again and again, and long each time: free for an instant between. The others get the lock all the same. */
static int hogs_left, hog_turns;
static void leaf_hog(int index)
{
    if (index > 0) {
        for (int i = 0; i < 5; i++) {
            PyMutex_Lock(&b);
            counter_b++;
            PyMutex_Unlock(&b);
            CHECK(thread_safe_point(thread_current()) == 0);
        }
        __atomic_fetch_sub(&hogs_left, 1, __ATOMIC_RELAXED);
    }
    else
        for (; atomic_load_relaxed_int(&hogs_left) > 0; hog_turns++) {
            int locked = leaf_lock_mutex(&b);
            usleep(300);
            leaf_unlock_mutex(&b, locked);
            CHECK(thread_safe_point(thread_current()) == 0);
        }
}

static void test_leaf_hog(void **state)
{
    (void)state;
    counter_b = 0;
    hogs_left = RACERS - 1;
    race(leaf_hog, 1);
    assert_int_equal(counter_b, 5 * (RACERS - 1));
    assert_true(hog_turns < 2000);
}

static void test_pause_finds_nobody_inside(void **state)
{
    (void)state;
    race(pauses, 1);
    assert_int_equal(a.bits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elided_while_alone),
        cmocka_unit_test(test_flip_inside),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_leaf_held_for_long),
        cmocka_unit_test(test_leaf_hog),
        cmocka_unit_test(test_pause_finds_nobody_inside),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}

#else
int main(void) { return 77; }      /* nothing to test in a build with the GIL: skipped */
#endif
