/* set: tables against a model, algebra, and readers racing with writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "set.h"
#include "thread_state.h"

#define INT(n) value_from_int(n)

static void set_check(PyObject *op)
{
    PySetObject *self = (PySetObject *)op;
    size_t fill = 0, used = 0;
    for (size_t i = 0; i <= self->table->mask; i++) {
        set_entry *entry = &set_entries(self->table)[i];
        fill += entry->key != NULL;
        if (!set_is_member(entry->key))
            continue;
        used++;
        assert_int_equal(set_contains_known_hash(self, entry->key, entry->hash), 1);
    }
    assert_int_equal(fill, self->table->fill);
    assert_int_equal(used, self->used);
    assert_true(fill <= self->table->mask);
}

static void test_against_model(void **state)
{
    enum { KEYS = 400 };
    char model[KEYS] = {0};
    PyObject *set = PySet_New(NULL);
    unsigned seed = 5;
    for (int round = 0; round < 30000; round++) {
        seed = seed * 1103515245u + 12345u;
        int key = (int)((seed >> 16) % KEYS) % (1 + (round / 1000) * 15 % KEYS);
        if ((seed >> 12) & 1) {
            assert_int_equal(PySet_Add(set, INT(key)), 0);
            model[key] = 1;
        }
        else {
            assert_int_equal(PySet_Discard(set, INT(key)), model[key]);
            model[key] = 0;
        }
        if (round % 500 == 0)
            set_check(set);
    }
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(PySet_Contains(set, INT(i)), model[i]);
    while (PySet_GET_SIZE(set) > 0) {
        PyObject *key = PySet_Pop(set);
        assert_int_equal(model[value_get_int(key)], 1);
        model[value_get_int(key)] = 0;
    }
    set_check(set);
    Py_DECREF(set);
}

static PyObject *range_set(int from, int to)
{
    PyObject *set = PySet_New(NULL);
    for (int i = from; i < to; i++)
        PySet_Add(set, INT(i));
    return set;
}

static void assert_equal_sets(PyObject *a, PyObject *b)
{
    PyObject *result = set_richcompare(a, b, Py_EQ);
    assert_ptr_equal(result, Py_True);
    set_check(a);
    Py_DECREF(a);
    Py_DECREF(b);
}

static void test_algebra(void **state)
{
    PyObject *a = range_set(0, 60), *b = range_set(40, 90), *both;
    assert_equal_sets(set_union((PySetObject *)a, b), range_set(0, 90));
    assert_equal_sets(set_intersection((PySetObject *)a, b), range_set(40, 60));
    assert_equal_sets(set_difference((PySetObject *)a, b), range_set(0, 40));
    both = range_set(0, 40);
    set_update((PySetObject *)both, range_set(60, 90));
    assert_equal_sets(set_symmetric_difference((PySetObject *)a, b), both);
    assert_int_equal(set_is_subset((PySetObject *)a, b), 0);
    assert_int_equal(set_is_disjoint((PySetObject *)a, b), 0);
    set_difference_update((PySetObject *)a, b);
    assert_int_equal(set_is_disjoint((PySetObject *)a, b), 1);
    assert_int_equal(PySet_GET_SIZE(a), 40);
    Py_DECREF(a);
    Py_DECREF(b);
}

/* ---- Races ---- */

#define THREADS 4
#define NAMES 40
static PyObject *shared, *names[NAMES];
static int rounds = 30000;

static void *race(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    for (int i = 0; i < rounds; i++) {
        seed = seed * 1103515245u + 12345u;
        int number = (int)((seed >> 16) % NAMES);
        PyObject *name = names[number], *key = NULL;
        switch ((seed >> 24) % 10) {
        case 0: case 1: case 2:
            key = PyUnicode_FromFormat("name %d", number);
            if (number != 0)
                PySet_Add(shared, key);
            break;
        case 3: case 4:
            if (number != 0)
                PySet_Discard(shared, name);
            break;
        case 5: {
            Py_ssize_t pos = 0;
            while (set_next_ref((PySetObject *)shared, &pos, &key, NULL)) {
                assert_true(PyUnicode_CheckExact(key));
                Py_DECREF(key);
            }
            key = NULL;
            break;
        }
        case 6:
            key = set_copy((PySetObject *)shared, &PyFrozenSet_Type);
            set_check(key);
            break;
        default:
            assert_true(PySet_Contains(shared, name) >= 0);
            assert_int_equal(PySet_Contains(shared, names[0]), 1);     /* never removed */
        }
        Py_XDECREF(key);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_race(void **state)
{
    pthread_t threads[THREADS];
    shared = PySet_New(NULL);
    for (int i = 0; i < NAMES; i++)
        names[i] = PyUnicode_FromFormat("name %d", i);
    PySet_Add(shared, names[0]);
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
    set_check(shared);
    Py_DECREF(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_algebra),
        cmocka_unit_test(test_race),
    };
    Py_InitializeEx(0);
    if (getenv("BRAID_TEST_ROUNDS") != NULL)
        rounds = atoi(getenv("BRAID_TEST_ROUNDS"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
