/* The cycle collector: cycles, roots, finalisers and resurrection, weak references, DEFERRED objects, frozen objects,
 * automatic triggering, and collections under racing threads. */
#include "memory_harness.h"

static PyObject *cycle(PyTypeObject *type, int n)
{
    PyObject *first = node_of_type(type), *last = first;
    for (int i = 1; i < n; i++) {
        PyObject *op = node_of_type(type);
        node_link(op, 0, last);
        Py_DECREF(last);
        last = op;
    }
    node_link(first, 0, last);
    Py_DECREF(last);
    return first;       /* borrowed */
}

static void test_cycles(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *kept = node(), *inside = node();
    node_link(kept, 0, inside);
    node_link(inside, 0, kept);
    Py_DECREF(inside);
    for (int i = 1; i < 100; i++)
        cycle(&Node_Type, i);
    assert_int_equal(collector_collect(2), 99 * 100 / 2);
    assert_int_equal(nodes_made - nodes_freed, 2);
    assert_int_equal(collector_collect(2), 0);
    assert_ptr_equal(((Node *)((Node *)kept)->link[0])->link[0], kept);
    Py_DECREF(kept);
    assert_int_equal(collector_collect(2), 2);
    assert_int_equal(nodes_made, nodes_freed);
    thread_end(ts);
}

static void test_untracked_is_a_root(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *a = cycle(&Node_Type, 3), *holder = node();
    node_link(holder, 0, a);
    PyObject_GC_UnTrack(holder);
    Py_DECREF(((Node *)holder)->link[0]);
    ((Node *)holder)->link[0] = NULL;
    Py_INCREF(a);
    ((Node *)holder)->link[0] = a;
    assert_int_equal(collector_collect(2), 0);
    Py_DECREF(holder);
    assert_int_equal(collector_collect(2), 3);
    assert_int_equal(nodes_made, nodes_freed);
    thread_end(ts);
}

static void test_finalisers(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    cycle(&Finalising_Type, 5);
    assert_int_equal(collector_collect(2), 5);
    assert_int_equal(finaliser_calls, 5);
    assert_int_equal(nodes_freed, 5);

    reset_counts();
    cycle(&Finalising_Type, 4);
    cycle(&Node_Type, 3);
    resurrect_into = Py_None;
    assert_int_equal(collector_collect(2), 3);      /* the cycle of four came back to life */
    assert_int_equal(finaliser_calls, 4);
    assert_int_equal(nodes_freed, 3);
    assert_int_equal(collector_collect(2), 0);
    Py_CLEAR(resurrect_into);
    assert_int_equal(collector_collect(2), 4);
    assert_int_equal(finaliser_calls, 4);
    assert_int_equal(nodes_freed, 7);
    thread_end(ts);
}

static void test_weak_references(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *op = cycle(&Node_Type, 2), *callback = node();
    PyObject *plain = PyWeakref_NewRef(op, NULL), *with_callback = PyWeakref_NewRef(op, callback);
    PyObject *inner = PyWeakref_NewRef(op, callback);
    node_link(op, 1, inner);        /* part of the garbage itself: its callback is not called */
    Py_DECREF(inner);
    assert_int_equal(collector_collect(2), 3);
    assert_int_equal(callback_calls, 1);
    assert_int_equal(PyWeakref_IsDead(plain), 1);
    assert_int_equal(PyWeakref_IsDead(with_callback), 1);
    Py_DECREF(plain);
    Py_DECREF(with_callback);
    assert_int_equal(Py_REFCNT(callback), 1);
    Py_DECREF(callback);
    assert_int_equal(nodes_made, nodes_freed);
    thread_end(ts);
}

/* ---- DEFERRED: frames are roots, generators' slots are uncounted edges ---- */

static PyObject *frame_slot;

static int visit_frames(visitproc visit, void *arg)
{
    Py_VISIT(frame_slot);
    return 0;
}

static void test_deferred(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    collector_visit_frame_roots = visit_frames;
    PyObject *op = node(), *held = node(), *generator = node();
    node_link(op, 0, held);
    Py_DECREF(held);
    object_set_deferred(op);
    ((Node *)generator)->slot_link = op;        /* uncounted */
    frame_slot = op;                            /* uncounted */
    Py_DECREF(op);
    assert_int_equal(Py_REFCNT(op), 0);
    assert_int_equal(collector_collect(2), 0);
    frame_slot = NULL;
    assert_int_equal(collector_collect(2), 0);
    assert_int_equal(((Node *)op)->canary, CANARY);
    Py_DECREF(generator);
    assert_int_equal(collector_collect(2), 2);
    assert_int_equal(nodes_freed, 3);           /* cleared, and freed by the second round of the same call: nothing names it */

    /* In a cycle with what names it in its slots. */
    reset_counts();
    op = node();
    object_set_deferred(op);
    generator = node();
    ((Node *)generator)->slot_link = op;
    node_link(op, 0, generator);
    Py_DECREF(generator);
    Py_DECREF(op);
    assert_int_equal(collector_collect(2), 2);
    collector_collect(2);
    assert_int_equal(nodes_freed, 2);
    collector_visit_frame_roots = NULL;
    thread_end(ts);
}

static int count_visible(PyObject *op, void *arg)
{
    ++*(int *)arg;
    return 1;
}

static void test_visit_objects(void **state)
{
    PyThreadState *ts = thread_begin(1);
    int before = 0, after = 0;
    PyUnstable_GC_VisitObjects(count_visible, &before);
    PyObject *op = node(), *untracked = node();
    PyObject_GC_UnTrack(untracked);
    PyUnstable_GC_VisitObjects(count_visible, &after);
    assert_int_equal(after, before + 1);
    Py_DECREF(op);
    Py_DECREF(untracked);
    thread_end(ts);
}

static void test_automatic(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    for (int i = 0; i < 200000; i++) {
        cycle(&Node_Type, 2);
        safe_point(ts);
        assert_true(nodes_made - nodes_freed < 100000);
    }
    collector_collect(2);
    assert_int_equal(nodes_made, nodes_freed);
    assert_true(collector.pauses > 5);
    thread_end(ts);
}

/* ---- Four threads make and drop cycles over shared places, and collections happen ---- */

static place_t places[4];

static void *racer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg * 31337;
    PyThreadState *ts = thread_begin((uint16_t)(uintptr_t)arg);
    for (int i = 0; i < 12000; i++) {
        unsigned r = (unsigned)rand_r(&seed);
        PyTypeObject *type = r & 0x40000 ? &Finalising_Type : &Node_Type;
        PyObject *a = node_of_type(type), *b = node_of_type(&Node_Type), *shared = place_read(&places[r % 4]);
        node_link(a, 0, b);
        node_link(b, 0, a);
        if (shared != NULL) {
            check(((Node *)shared)->canary == CANARY);
            PyObject *ref = r & 0x80000 ? PyWeakref_NewRef(shared, NULL) : NULL;
            if (((Node *)b)->link[1] == NULL)
                node_link(b, 1, ref ? ref : shared);
            Py_XDECREF(ref);
            Py_DECREF(shared);
        }
        if (r & 0x100000)
            place_store(&places[(r >> 4) % 4], Py_NewRef(a));
        if ((r & 0xf00000) == 0)
            place_store(&places[(r >> 4) % 4], NULL);
        Py_DECREF(a);
        Py_DECREF(b);
        if (r % 3000 == 0)
            collector_collect(2);
        safe_point(ts);
    }
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
    for (int i = 0; i < 4; i++)
        place_store(&places[i], NULL);
    collector_collect(2);
    collector_collect(2);
    assert_int_equal(nodes_made, nodes_freed);
    for (uint32_t i = 1; i <= 5; i++)
        object_pages_check(heap_peek(i));
    thread_end(ts);
    runtime_multi = 0;
}

int main(void)
{
    _PyWeakref_RefType.tp_alloc = PyType_GenericAlloc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycles),          cmocka_unit_test(test_untracked_is_a_root),
        cmocka_unit_test(test_finalisers),      cmocka_unit_test(test_weak_references),
        cmocka_unit_test(test_deferred),        cmocka_unit_test(test_visit_objects),
        cmocka_unit_test(test_automatic),       cmocka_unit_test(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
