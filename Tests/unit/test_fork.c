/* fork with running, waiting and sleeping threads: the child works. */
#include "sync_test.h"

#include <sys/wait.h>

static PyMutex object_lock, plain;
static int stop;
static long counter;

static void in_child(void)
{
    PyThreadState *ts = thread_current();
    CHECK(thread_count() == 1 && thread_is_main());
    CHECK(thread_safe_point(ts) == 0);
    CHECK(!PyMutex_IsLocked(&object_lock) && !PyMutex_IsLocked(&plain));
    stop_world_begin(ts);
    stop_world_end(ts);
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    PyThreadState *second = PyThreadState_New(&runtime_interp);
    CHECK(second != NULL);
    Py_BEGIN_CRITICAL_SECTION_MUT(&object_lock);
    counter++;
    Py_END_CRITICAL_SECTION_MUT();
    PyThreadState_Clear(second);
    PyThreadState_Delete(second);
}

static void forker(int index)
{
    PyThreadState *ts = thread_current();
    if (index != 0) {
        while (!atomic_load_relaxed_int(&stop)) {
            Py_BEGIN_CRITICAL_SECTION_MUT(&object_lock);
            counter++;
            CHECK(thread_safe_point(ts) == 0);
            Py_END_CRITICAL_SECTION_MUT();
            PyMutex_Lock(&plain);
            PyMutex_Unlock(&plain);
            if (index == 1) {
                thread_detach(ts);
                usleep(1);
                thread_attach(ts);
            }
        }
        return;
    }
    for (int i = 0; i < 30; i++) {
        fork_prepare(ts);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(20);
            fork_child(ts);
            in_child();
            _exit(7);
        }
        fork_parent(ts);
        int status;
        Py_BEGIN_ALLOW_THREADS
        CHECK(waitpid(child, &status, 0) == child);
        Py_END_ALLOW_THREADS
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    atomic_store_relaxed_int(&stop, 1);
}

static void test_fork(void **state)
{
    (void)state;
    fork_register_mutex(&plain);
    race(forker, 1);
    assert_int_equal(object_lock.bits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fork)};
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
