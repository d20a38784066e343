/* Weak references: sharing, callbacks, clearing, and racing dereference, creation and death. */
#include "memory_harness.h"

static void test_sharing(void **state)
{
    PyThreadState *ts = thread_begin(1);
    PyObject *op = node();
    PyObject *a = PyWeakref_NewRef(op, NULL), *b = PyWeakref_NewRef(op, Py_None), *target;
    assert_ptr_equal(a, b);
    assert_int_equal(Py_REFCNT(a), 2);
    PyObject *callback = node();
    PyObject *c = PyWeakref_NewRef(op, callback), *d = PyWeakref_NewRef(op, callback);
    assert_ptr_not_equal(c, d);
    assert_int_equal(weakref_count(op), 3);
    assert_int_equal(PyWeakref_GetRef(a, &target), 1);
    assert_ptr_equal(target, op);
    Py_DECREF(target);
    Py_DECREF(d);
    assert_int_equal(weakref_count(op), 2);
    callback_calls = 0;
    Py_DECREF(op);
    assert_int_equal(callback_calls, 1);
    assert_int_equal(PyWeakref_GetRef(a, &target), 0);
    assert_null(target);
    assert_int_equal(PyWeakref_IsDead(c), 1);
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(c);
    assert_int_equal(Py_REFCNT(callback), 1);
    Py_DECREF(callback);
    errors_set = 0;
    assert_null(PyWeakref_NewRef(value_from_int(3), NULL));
    assert_null(PyWeakref_NewRef(Py_None, NULL));
    assert_int_equal(errors_set, 2);
    thread_end(ts);
}

enum { TARGETS = 4, STEPS = 30000 };
static place_t targets[TARGETS], refs[TARGETS];

static void *racer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg * 104729;
    PyThreadState *ts = thread_begin((uint16_t)(uintptr_t)arg);
    PyObject *callback = node();
    for (int i = 0; i < STEPS; i++) {
        unsigned r = (unsigned)rand_r(&seed);
        int k = (int)(r >> 8) % TARGETS;
        PyObject *op, *ref;
        switch (r % 6) {
        case 0:
            place_store(&targets[k], node());
            break;
        case 1:
        case 2:
            if ((op = place_read(&targets[k])) != NULL) {
                ref = PyWeakref_NewRef(op, r & 0x10000 ? callback : NULL);
                check(ref != NULL);
                PyObject *same = weakref_target(ref);
                check(same == op);
                Py_DECREF(same);
                place_store(&refs[k], ref);
                Py_DECREF(op);
            }
            break;
        case 3:
        case 4:
            if ((ref = place_read(&refs[k])) != NULL) {
                if ((op = weakref_target(ref)) != NULL) {
                    check(((Node *)op)->canary == CANARY);
                    Py_DECREF(op);
                }
                Py_DECREF(ref);
            }
            break;
        case 5:
            place_store(r & 0x10000 ? &targets[k] : &refs[k], NULL);
            break;
        }
        safe_point(ts);
    }
    Py_DECREF(callback);
    thread_end(ts);
    return NULL;
}

static void test_races(void **state)
{
    reset_counts();
    runtime_multi = 1;
    pthread_t t[4];
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, racer, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    PyThreadState *ts = thread_begin(5);
    for (int k = 0; k < TARGETS; k++) {
        place_store(&targets[k], NULL);
        place_store(&refs[k], NULL);
    }
    assert_int_equal(nodes_freed, nodes_made);
    thread_end(ts);
    runtime_multi = 0;
}

int main(void)
{
    _PyWeakref_RefType.tp_alloc = PyType_GenericAlloc;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sharing), cmocka_unit_test(test_races)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
