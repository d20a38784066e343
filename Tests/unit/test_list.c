/* list: the storage cores, sorting, and readers racing with writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "list.h"
#include "thread_state.h"
#include "gate_visitors.h"
#include "tuple.h"

#define INT(n) value_from_int(n)

static PyListObject *range_list(Py_ssize_t n)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; i < n; i++)
        assert_int_equal(list_append_steal((PyListObject *)list, INT(i)), 0);
    return (PyListObject *)list;
}

/* Slots at and above the size are NULL, capacity is what the list says. */
static void list_check(PyListObject *list)
{
    Py_ssize_t n = list->ob_base.ob_size;
    assert_true(n <= list->allocated);
    assert_int_equal((size_t)list->allocated, list_items_capacity(list->ob_item));
    for (Py_ssize_t i = 0; i < list->allocated; i++)
        assert_true((list->ob_item[i] != NULL) == (i < n));
    assert_int_equal(list_shift_counter(list) & 1, 0);
}

static void assert_items(PyListObject *list, Py_ssize_t n, const int *items)
{
    list_check(list);
    assert_int_equal(PyList_GET_SIZE(list), n);
    for (Py_ssize_t i = 0; i < n; i++)
        assert_ptr_equal(PyList_GET_ITEM(list, i), INT(items[i]));
}

static void test_append_pop(void **state)
{
    PyListObject *list = range_list(1000);
    list_check(list);
    for (int i = 999; i >= 500; i--)
        assert_ptr_equal(list_pop_item(list, -1), INT(i));
    list_check(list);
    assert_ptr_equal(list_pop_item(list, 0), INT(0));
    assert_ptr_equal(list_pop_item(list, 10), INT(11));
    assert_int_equal(PyList_GET_SIZE(list), 498);
    assert_null(list_pop_item(list, 498));
    assert_true(PyErr_ExceptionMatches(PyExc_IndexError));
    PyErr_Clear();
    list_check(list);
    Py_DECREF(list);
}

static void test_splice(void **state)
{
    PyListObject *list = range_list(6);
    PyObject *items[3] = {INT(10), INT(11), INT(12)}, *gone[8];
    assert_int_equal(list_splice_locked(list, 1, 3, items, 3, gone), 0);
    assert_items(list, 7, (int[]){0, 10, 11, 12, 3, 4, 5});
    assert_ptr_equal(gone[0], INT(1));
    assert_ptr_equal(gone[1], INT(2));
    assert_int_equal(list_splice_locked(list, 0, 5, NULL, 0, gone), 0);
    assert_items(list, 2, (int[]){4, 5});
    assert_int_equal(PyList_Insert((PyObject *)list, -100, INT(1)), 0);
    assert_int_equal(PyList_Insert((PyObject *)list, 100, INT(9)), 0);
    assert_items(list, 4, (int[]){1, 4, 5, 9});
    assert_int_equal(PyList_Reverse((PyObject *)list), 0);
    assert_items(list, 4, (int[]){9, 5, 4, 1});
    PyObject *twice = list_repeat(list, 2), *both = list_concat(list, list);
    assert_items((PyListObject *)twice, 8, (int[]){9, 5, 4, 1, 9, 5, 4, 1});
    assert_items((PyListObject *)both, 8, (int[]){9, 5, 4, 1, 9, 5, 4, 1});
    Py_DECREF(twice);
    Py_DECREF(both);
    Py_DECREF(list);
}

static void test_sort_is_stable(void **state)
{
    unsigned seed = 1;
    for (int n = 0; n < 700; n = n * 5 / 3 + 1) {
        PyObject *keys[700], *values[700];
        for (int shape = 0; shape < 5; shape++) {
            for (int i = 0; i < n; i++) {
                seed = seed * 1103515245u + 12345u;
                int key = (int)(seed >> 16) % 50;
                if (shape == 1)
                    key = i / 20;
                else if (shape == 2)
                    key = -i;
                else if (shape == 3)
                    key = i % (n / 3 + 1);
                else if (shape == 4)
                    key = i < n - 3 ? i : 5;
                keys[i] = INT(key);
                values[i] = INT(i);
            }
            assert_int_equal(list_sort_array(keys, values, n), 0);
            for (int i = 1; i < n; i++) {
                assert_true((intptr_t)keys[i - 1] <= (intptr_t)keys[i]);
                if (keys[i - 1] == keys[i])
                    assert_true((intptr_t)values[i - 1] < (intptr_t)values[i]);
            }
        }
    }
}

static void test_sort_strings_and_tuples(void **state)
{
    PyObject *list = PyList_New(0), *tuples = PyList_New(0);
    unsigned seed = 7;
    for (int i = 0; i < 500; i++) {
        seed = seed * 1103515245u + 12345u;
        PyObject *text = PyUnicode_FromFormat("k%d", (int)(seed >> 16) % 300);
        PyObject *pair[2] = {INT((seed >> 20) % 20), text};
        assert_int_equal(PyList_Append(list, text), 0);
        assert_int_equal(list_append_steal((PyListObject *)tuples, tuple_from_array(pair, 2)), 0);
        Py_DECREF(text);
    }
    assert_int_equal(list_sort((PyListObject *)list, NULL, 1), 0);
    for (int i = 1; i < 500; i++)
        assert_true(unicode_compare(PyList_GET_ITEM(list, i - 1), PyList_GET_ITEM(list, i)) >= 0);
    assert_int_equal(list_sort((PyListObject *)tuples, NULL, 0), 0);
    for (int i = 1; i < 500; i++) {
        PyObject *a = PyList_GET_ITEM(tuples, i - 1), *b = PyList_GET_ITEM(tuples, i);
        int64_t x = value_get_int(PyTuple_GET_ITEM(a, 0)), y = value_get_int(PyTuple_GET_ITEM(b, 0));
        assert_true(x < y || (x == y && unicode_compare(PyTuple_GET_ITEM(a, 1), PyTuple_GET_ITEM(b, 1)) <= 0));
    }
    Py_DECREF(list);
    Py_DECREF(tuples);
}

/* ---- Races ---- */

#define THREADS 4
static PyListObject *shared;
static int rounds = 20000;

static void *race(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    for (int i = 0; i < rounds; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned what = (seed >> 16) % 16, at = (seed >> 20) % 40;
        PyObject *item = PyUnicode_FromFormat("item %d", (int)(seed >> 24)), *old;
        switch (what) {
        case 0: case 1: case 2: case 3: PyList_Append((PyObject *)shared, item); break;
        case 4: PyList_Insert((PyObject *)shared, (Py_ssize_t)at, item); break;
        case 5: case 6: case 7:
            old = list_pop_item(shared, what == 5 ? 0 : -1);
            if (old == NULL)
                PyErr_Clear();
            Py_XDECREF(old);
            break;
        case 8:
            if (list_store_item(shared, (Py_ssize_t)at, Py_NewRef(item)) < 0)
                PyErr_Clear();
            break;
        case 9: assert_true(list_contains((PyObject *)shared, item) >= 0); break;
        case 10: old = list_get_slice(shared, 1, 20); Py_XDECREF(old); break;
        case 11: PyList_SetSlice((PyObject *)shared, 2, 5, NULL); break;
        case 12: if (at == 0) PyList_Clear((PyObject *)shared); break;
        case 13: if (at < 4) PyList_Sort((PyObject *)shared); else PyList_Reverse((PyObject *)shared); PyErr_Clear(); break;
        default:
            for (Py_ssize_t j = 0; j < 40; j++) {
                old = list_read_item_ref(shared, j);
                if (old == NULL)
                    break;
                assert_true(PyUnicode_CheckExact(old));
                assert_int_equal(PyUnicode_READ_CHAR(old, 0), 'i');
                Py_DECREF(old);
            }
        }
        Py_DECREF(item);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_race(void **state)
{
    pthread_t threads[THREADS];
    shared = range_list(0);
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
    list_check(shared);
    Py_DECREF(shared);
}

/* An item that is in the list all the time is found, though shifts move it to and fro. */
static int stop_shifting;

static void *shift(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    while (!__atomic_load_n(&stop_shifting, __ATOMIC_RELAXED)) {
        PyList_Insert((PyObject *)shared, 0, INT(1));
        list_pop_item(shared, 0);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_contains_during_shifts(void **state)
{
    pthread_t thread;
    shared = range_list(20);
    object_publish((PyObject *)shared);
    PyThreadState *ts = PyEval_SaveThread();
    pthread_create(&thread, NULL, shift, NULL);
    PyEval_RestoreThread(ts);
    for (int i = 0; i < rounds; i++) {
        assert_int_equal(list_contains((PyObject *)shared, INT(i % 20)), 1);
        thread_safe_point(thread_current());
    }
    __atomic_store_n(&stop_shifting, 1, __ATOMIC_RELAXED);
    ts = PyEval_SaveThread();
    pthread_join(thread, NULL);
    PyEval_RestoreThread(ts);
    Py_DECREF(shared);
}

/* ---- The gate ---- */

static void test_items_of_closed_lists_stay_unpublished(void **state)
{
    PyListObject *list = range_list(0);
    PyObject *item = PyUnicode_FromString("first item"), *outer = PyList_New(0);
    PyList_Append((PyObject *)list, item);
    PyList_Append(outer, (PyObject *)list);
    assert_false(object_is_published(item) || object_is_published((PyObject *)list));
    object_publish((PyObject *)list);           /* does not walk the items */
    assert_true(list_may_read(list) && !list_is_open(list) && !object_is_published(item));
    PyObject *slice = list_get_slice(list, 0, 1);
    assert_false(object_is_published(item));

    int locked = container_lock(list);
    list_open_locked(list);
    container_unlock(list, locked);
    assert_true(list_is_open(list) && object_is_published(item));
    uint32_t shifts = list_shift_counter(list);
    assert_int_equal(PyList_Reverse((PyObject *)list), 0);
    assert_true(list_is_open(list) && list_shift_counter(list) != shifts);
    PyObject *later = PyUnicode_FromString("later item");
    PyList_Append((PyObject *)list, later);
    assert_true(object_is_published(later));
    Py_DECREF(slice);
    Py_DECREF(later);
    Py_DECREF(item);
    Py_DECREF(outer);
    Py_DECREF(list);
}

static void step_through_gate(PyObject *op, unsigned random)
{
    PyListObject *list = (PyListObject *)op;
    PyObject *item = PyUnicode_FromFormat("item %d", (int)random % 1000), *old = NULL;
    Py_ssize_t at = (Py_ssize_t)(random % 8);
    switch (random / 8 % 10) {
    case 0: case 1: case 2: PyList_Append(op, item); break;
    case 3: old = list_pop_item(list, -1); break;
    case 4: old = list_pop_item(list, 0); break;
    case 5: list_store_item(list, at, Py_NewRef(item)); break;
    case 6: old = (PyObject *)list_get_slice(list, 0, at); break;
    case 7: list_contains(op, item); break;
    case 8: PyList_Sort(op); break;
    default:
        for (Py_ssize_t i = 0; (old = list_read_item_ref(list, i)) != NULL; i++) {
            assert_true(PyUnicode_CheckExact(old) && PyUnicode_READ_CHAR(old, 0) == 'i');
            Py_DECREF(old);
        }
    }
    PyErr_Clear();
    Py_XDECREF(old);
    Py_DECREF(item);
}

static PyObject *new_list(void) { return PyList_New(0); }

static void test_gate_opened_under_the_owner(void **state) { race_through_gate(rounds / 4, new_list, step_through_gate); }

/* What another thread does with our list in a critical section, as heapq does: the lock is had already, the gate is not open yet. */
static int visitor_was_alone;           /* there is a GIL */

static void *change_in_section(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    visitor_was_alone = !runtime_is_multi();
    PyObject *list = arg, *item = PyUnicode_FromString("made by the visitor");
    Py_BEGIN_CRITICAL_SECTION(list);
    PyList_Append(list, item);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(item);
    PyGILState_Release(gil);
    return NULL;
}

static void test_gate_in_a_critical_section(void **state)
{
    PyObject *list = PyList_New(0), *first = PyUnicode_FromString("made by the owner");
    pthread_t thread;
    PyList_Append(list, first);
    assert_false(list_is_open((PyListObject *)list) || object_is_published(first));
    PyThreadState *ts = PyEval_SaveThread();
    pthread_create(&thread, NULL, change_in_section, list);
    pthread_join(thread, NULL);
    PyEval_RestoreThread(ts);
    assert_int_equal(PyList_GET_SIZE(list), 2);
    if (!visitor_was_alone) {           /* we read items without the lock, and the visitor may take them out */
        assert_true(list_is_open((PyListObject *)list) && object_is_published(first));
        assert_true(object_is_published(PyList_GET_ITEM(list, 1)));
    }
    Py_DECREF(first);
    Py_DECREF(list);
}

/* Copies wait for the lock of their source, and a walk over all objects would find them meanwhile; they are tracked in the end. */
static void test_copies_are_tracked(void **state)
{
    PyListObject *list = range_list(5);
    PyObject *step = PySlice_New(NULL, NULL, NULL), *made[] = {
        list_get_slice(list, 1, 3), list_concat(list, list), list_repeat(list, 2), list_repeat(list, 0),
        list_subscript((PyObject *)list, step),
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(made); i++) {
        assert_true(made[i] != NULL && PyObject_GC_IsTracked(made[i]));
        Py_DECREF(made[i]);
    }
    PyListObject *unseen = list_new_unseen();
    assert_false(PyObject_GC_IsTracked((PyObject *)unseen));
    Py_DECREF(unseen);
    Py_DECREF(step);
    Py_DECREF(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_pop),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_sort_is_stable),
        cmocka_unit_test(test_sort_strings_and_tuples),
        cmocka_unit_test(test_items_of_closed_lists_stay_unpublished),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_contains_during_shifts),
        cmocka_unit_test(test_gate_opened_under_the_owner),
        cmocka_unit_test(test_gate_in_a_critical_section),
        cmocka_unit_test(test_copies_are_tracked),
    };
    Py_InitializeEx(0);
    if (getenv("BRAID_TEST_ROUNDS") != NULL)
        rounds = atoi(getenv("BRAID_TEST_ROUNDS"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
