/* Slots, thread states, attach and detach. */
#include "sync_test.h"

static void test_main_thread(void **state)
{
    (void)state;
    PyThreadState *ts = thread_current();
    assert_non_null(ts);
    assert_true(thread_is_main());
    assert_int_equal(slot_get_state(ts->slot), SLOT_ATTACHED);
    slot_state_t previous;
    assert_false(slot_borrow(ts->slot, &previous));
    thread_detach(ts);
    assert_null(thread_current());
    assert_int_equal(slot_get_state(ts->slot), SLOT_DETACHED);
    assert_true(slot_borrow(ts->slot, &previous));
    assert_int_equal(previous, SLOT_DETACHED);
    slot_return(ts->slot, previous);
    errno = 33;
    thread_attach(ts);
    assert_int_equal(errno, 33);
    assert_ptr_equal(PyThreadState_Get(), ts);
    assert_true(ts->c_stack_limit < (char *)&previous);
}

static void test_slots_are_reused(void **state)
{
    (void)state;
    PyThreadState *one = PyThreadState_New(&runtime_interp);
    uint16_t slot = one->slot;
    uint64_t id = one->id;
    PyThreadState_Clear(one);
    PyThreadState_Delete(one);
    assert_int_equal(slot_get_state(slot), SLOT_VACANT);
    PyThreadState *two = PyThreadState_New(&runtime_interp);
    assert_int_equal(two->slot, slot);
    assert_true(two->id > id);
    PyThreadState_Clear(two);
    PyThreadState_Delete(two);
    assert_int_equal(thread_count(), 1);
}

/* Threads come and go, attach and detach, while others borrow their slots. */
static uint16_t known_slots[RACERS];
static int borrowed;

static void come_and_go(int index)
{
    for (int i = 0; i < 300; i++) {
        PyGILState_STATE g = PyGILState_Ensure();
        PyThreadState *ts = thread_current();
        atomic_store_relaxed_u16(&known_slots[index], ts->slot);
        CHECK(slot_get_state(ts->slot) == SLOT_ATTACHED);
        PyGILState_STATE inner = PyGILState_Ensure();
        CHECK(inner == PyGILState_LOCKED);
        PyGILState_Release(inner);
        Py_BEGIN_ALLOW_THREADS
        for (int j = 0; j < RACERS; j++) {
            slot_state_t previous;
            uint16_t slot = atomic_load_relaxed_u16(&known_slots[j]);
            if (slot != 0 && slot_borrow(slot, &previous)) {
                atomic_fetch_add_int(&borrowed, 1);
                slot_return(slot, previous);
            }
        }
        Py_END_ALLOW_THREADS
        CHECK(thread_current() == ts && PyGILState_Check());
        CHECK(thread_safe_point(ts) == 0);
        PyGILState_Release(g);
        CHECK(thread_current() == NULL);
    }
}

static void test_come_and_go(void **state)
{
    (void)state;
    race(come_and_go, 0);
    assert_int_equal(thread_count(), 1);
    assert_true(borrowed > 0);
}

static int set_flag(void *arg)
{
    ++*(int *)arg;
    return 0;
}

static int pending_calls;
static void add_calls(int index)
{
    (void)index;
    for (int i = 0; i < 8; i++)
        CHECK(Py_AddPendingCall(set_flag, &pending_calls) == 0);
}

static void test_pending_calls(void **state)
{
    (void)state;
    race(add_calls, 0);
    assert_int_equal(Py_AddPendingCall(set_flag, &pending_calls), -1);
    assert_int_equal(thread_safe_point(thread_current()), 0);
    assert_int_equal(pending_calls, 8 * RACERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main_thread),
        cmocka_unit_test(test_slots_are_reused),
        cmocka_unit_test(test_come_and_go),
        cmocka_unit_test(test_pending_calls),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
