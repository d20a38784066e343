/* PyMutex, events, recursive mutexes, once. */
#include "sync_test.h"

static PyMutex mutex;
static recursive_mutex_t recursive;
static long counter;

static void count(int index)
{
    for (int i = 0; i < 20000; i++) {
        PyMutex_Lock(&mutex);
        counter++;
        PyMutex_Unlock(&mutex);
        if ((i & 255) == index)
            usleep(1);
    }
}

static void test_mutex_excludes(void **state)
{
    (void)state;
    counter = 0;
    race(count, 0);
    assert_int_equal(counter, 20000 * RACERS);
    assert_int_equal(mutex.bits, 0);
    counter = 0;
    race(count, 1);
    assert_int_equal(counter, 20000 * RACERS);
    assert_int_equal(mutex.bits, 0);
}

/* Two locks used all the time, now and then by one that sits on it until the others park. */
static PyMutex other_mutex;
static long other_counter;
static void hammer(int index)
{
    for (int i = 0; i < 50000; i++) {
        int first = ((i >> 8) + index) & 1;
        PyMutex *m = first ? &mutex : &other_mutex;
        PyMutex_Lock(m);
        *(first ? &counter : &other_counter) += 1;
        if (i % 10000 == 7777)
            usleep(300);
        PyMutex_Unlock(m);
    }
}

static void test_busy_locks(void **state)
{
    (void)state;
    for (int attached = 0; attached <= 1; attached++) {
        counter = other_counter = 0;
        race(hammer, attached);
        assert_int_equal(counter + other_counter, 50000 * RACERS);
        assert_int_equal(mutex.bits, 0);
        assert_int_equal(other_mutex.bits, 0);
    }
}

static void test_try_and_timeout(void **state)
{
    (void)state;
    assert_true(mutex_try_lock(&mutex));
    assert_false(mutex_try_lock(&mutex));
    assert_int_equal(mutex_lock_timed(&mutex, 2000000, 0), LOCK_FAILED);
    assert_true(PyMutex_IsLocked(&mutex));
    PyMutex_Unlock(&mutex);
    assert_false(PyMutex_IsLocked(&mutex));
    assert_false(mutex_try_unlock(&mutex));
    mutex_reset(&mutex);
}

/* One thread grabs the lock again and again; the others still get it. */
static int stop_hog;
static void hog(int index)
{
    if (index == 0) {
        while (!atomic_load_acquire_int(&stop_hog)) {
            PyMutex_Lock(&mutex);
            usleep(100);
            PyMutex_Unlock(&mutex);
        }
        return;
    }
    for (int i = 0; i < 20; i++) {
        PyMutex_Lock(&mutex);
        counter++;
        PyMutex_Unlock(&mutex);
    }
    if (index == 1)
        atomic_store_release_int(&stop_hog, 1);
}

static void test_fairness(void **state)
{
    (void)state;
    stop_hog = 0;
    counter = 0;
    race(hog, 0);
    assert_true(counter == 20 * (RACERS - 1));
}

static event_t event;
static int payload;
static void wait_event(int index)
{
    if (index == 0) {
        usleep(10000);
        payload = 42;
        event_set(&event);
        return;
    }
    CHECK(event_wait(&event, -1, PARK_DETACH) == 1);
    CHECK(payload == 42);
}

static void test_event(void **state)
{
    (void)state;
    assert_int_equal(event_wait(&event, 1000000, 0), 0);
    race(wait_event, 0);
    assert_int_equal(event_wait(&event, -1, 0), 1);
    assert_true(event_is_set(&event));
}

static void nest(int index)
{
    (void)index;
    for (int i = 0; i < 5000; i++) {
        recursive_mutex_lock(&recursive);
        recursive_mutex_lock(&recursive);
        counter++;
        CHECK(recursive_mutex_is_mine(&recursive));
        CHECK(recursive_mutex_unlock(&recursive) == 0);
        counter++;
        CHECK(recursive_mutex_unlock(&recursive) == 0);
    }
}

static void test_recursive(void **state)
{
    (void)state;
    counter = 0;
    race(nest, 0);
    assert_int_equal(counter, 10000 * RACERS);
    assert_int_equal(recursive_mutex_unlock(&recursive), -1);
}

static once_t once;
static int calls, result_of_once;
static int initialise(void *arg)
{
    (void)arg;
    usleep(2000);
    calls++;
    if (calls < 3)
        return -1;
    result_of_once = 7;
    return 0;
}

static void call_once(int index)
{
    (void)index;
    while (once_call(&once, initialise, NULL) < 0)
        continue;
    CHECK(result_of_once == 7);
}

static void test_once(void **state)
{
    (void)state;
    race(call_once, 0);
    assert_int_equal(calls, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutex_excludes),
        cmocka_unit_test(test_busy_locks),
        cmocka_unit_test(test_try_and_timeout),
        cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_recursive),
        cmocka_unit_test(test_once),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
