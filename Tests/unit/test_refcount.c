/* Reference counts under racing threads: every row of the table of operations, merge requests, borrowing, index reuse,
 * finalisers, pinning, the trashcan. */
#include "memory_harness.h"

static void test_alone(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *op = node();
    assert_int_equal(Py_REFCNT(op), 1);
    assert_true(object_is_unique(op));
    Py_INCREF(op);
    assert_false(object_is_unique(op));
    Py_DECREF(op);
    object_publish(op);
    assert_false(object_is_unique(op));
    Py_DECREF(op);              /* alone: at once */
    assert_int_equal(nodes_freed, 1);
    thread_end(ts);
}

static void test_trashcan(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *head = NULL;
    for (int i = 0; i < 1000000; i++) {
        PyObject *op = node();
        ((Node *)op)->link[0] = head;
        head = op;
    }
    Py_DECREF(head);
    assert_int_equal(nodes_freed, 1000000);
    assert_int_equal(ts->heap->dealloc_depth, 0);
    thread_end(ts);
}

static void test_pinning(void **state)
{
    PyThreadState *ts = thread_begin(1);
    PyObject *op = node();
    object_incref_many(op, 1000);
    assert_int_equal(Py_REFCNT(op), 1001);
    object_incref_many(op, 600000000);
    for (int i = 0; i < 100000; i++)
        Py_DECREF(op);
    assert_true(Py_REFCNT(op) > 600000000);
    for (int i = 0; i < 100000; i++)
        Py_INCREF(op);
    assert_true(shared_is_pinned(op->hdr_shared));
    assert_int_equal(((Node *)op)->canary, CANARY);

    PyObject *other = node();   /* and by a non-owner, one at a time across the limit */
    other->hdr_tid = 9;
    object_incref_many(other, SHARED_PIN_LIMIT - 2);
    assert_false(shared_is_pinned(other->hdr_shared));
    Py_INCREF(other);
    Py_INCREF(other);
    assert_true(shared_is_pinned(other->hdr_shared));
    Py_DECREF(other);
    assert_int_equal(other->hdr_shared & ~3u, SHARED_PINNED);
    thread_end(ts);
}

static void test_deferred_and_immortal(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    PyObject *op = node();
    Py_INCREF(op);
    object_set_deferred(op);
    assert_int_equal(Py_REFCNT(op), 2);
    Py_DECREF(op);
    Py_DECREF(op);
    assert_int_equal(Py_REFCNT(op), 0);
    assert_int_equal(nodes_freed, 0);
    Py_INCREF(op);
    PyObject *stone = node();
    object_set_immortal(stone);
    for (int i = 0; i < 10; i++)
        Py_DECREF(stone);
    assert_int_equal(nodes_freed, 0);
    thread_end(ts);
}

static void test_resurrection(void **state)
{
    PyThreadState *ts = thread_begin(1);
    reset_counts();
    resurrect_into = Py_None;
    PyObject *op = node_of_type(&Finalising_Type);
    Py_DECREF(op);
    assert_int_equal(finaliser_calls, 1);
    assert_int_equal(nodes_freed, 0);
    assert_ptr_equal(resurrect_into, op);
    assert_int_equal(Py_REFCNT(op), 1);
    Py_DECREF(op);              /* the second time for good */
    assert_int_equal(finaliser_calls, 1);
    assert_int_equal(nodes_freed, 1);
    resurrect_into = NULL;
    thread_end(ts);
}

/* ---- Four threads ---- */

enum { PLACES = 6, STEPS = 40000 };
static place_t places[PLACES];
static struct { struct leaf_lock lock; PyObject *value; } mailboxes[4];     /* moves references without publishing */

static void step(PyThreadState *ts, unsigned *seed, PyObject **held, int n)
{
    unsigned r = (unsigned)rand_r(seed);
    int k = (int)(r >> 4) % n;
    place_t *place = &places[(r >> 10) % PLACES];
    PyObject *op, *old;
    switch (r % 9) {
    case 0:
        Py_XSETREF(held[k], node_of_type(r & 0x10000 ? &Finalising_Type : &Node_Type));
        break;
    case 1:
        if (held[k] != NULL)
            place_store(place, Py_NewRef(held[k]));
        break;
    case 2:
    case 3:
        op = place_read(place);
        check(op == NULL || ((Node *)op)->canary == CANARY);
        Py_XSETREF(held[k], op);
        break;
    case 4:
        place_store(place, NULL);
        break;
    case 5:
        Py_CLEAR(held[k]);
        break;
    case 6:
        op = held[k];
        held[k] = NULL;
        leaf_lock_acquire(&mailboxes[r % 4].lock);
        old = mailboxes[r % 4].value;
        mailboxes[r % 4].value = op;
        leaf_lock_release(&mailboxes[r % 4].lock);
        Py_XDECREF(held[k]);
        held[k] = old;
        break;
    case 7:
        if (held[k] != NULL) {
            Py_INCREF(held[k]);
            check(((Node *)held[k])->canary == CANARY);
            Py_DECREF(held[k]);
        }
        break;
    case 8:
        if ((r >> 12) % 8 == 0) {
            detach(ts);
            if (r & 0x100000)
                sched_yield();
            attach(ts);
        }
        break;
    }
    safe_point(ts);
}

/* Threads end and others take over their index with what they have left. */
static void *racer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg * 7919;
    uint16_t slot = (uint16_t)(uintptr_t)arg;
    for (int life = 0; life < 4; life++) {
        PyThreadState *ts = thread_begin(slot);
        PyObject *held[8] = {0};
        for (int i = 0; i < STEPS / 4; i++)
            step(ts, &seed, held, 8);
        for (int i = 0; i < 8; i++)
            Py_CLEAR(held[i]);
        thread_end(ts);
    }
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
    for (int i = 0; i < PLACES; i++)
        place_store(&places[i], NULL);
    for (int i = 0; i < 4; i++)
        Py_CLEAR(mailboxes[i].value);
    for (int i = 1; i <= 5; i++)
        assert_false(merge_pending((uint16_t)i));
    assert_true(nodes_made > STEPS / 8);
    assert_int_equal(nodes_freed, nodes_made);
    thread_end(ts);
    runtime_multi = 0;
}

/* Rule 27: the owner waits, detached, while others drop what it has made. */
static PyObject *made_by_main[64];

static void *dropper(void *arg)
{
    PyThreadState *ts = thread_begin(2);
    for (int i = 0; i < 64; i++)
        Py_DECREF(made_by_main[i]);
    thread_end(ts);
    return NULL;
}

static void test_detached_owner(void **state)
{
    reset_counts();
    runtime_multi = 1;
    PyThreadState *ts = thread_begin(1);
    for (int i = 0; i < 64; i++)
        made_by_main[i] = node();
    pthread_t t;
    detach(ts);
    pthread_create(&t, NULL, dropper, NULL);
    pthread_join(t, NULL);
    assert_int_equal(nodes_freed, 64);
    attach(ts);
    thread_end(ts);
    runtime_multi = 0;
}

static void *drop_one(void *op)
{
    PyThreadState *ts = thread_begin(3);
    Py_DECREF((PyObject *)op);
    thread_end(ts);
    return NULL;
}

/* Who drops what is not the last reference may hold a lock: it buries nothing of what others have queued. */
static void test_dead_of_others_wait(void **state)
{
    reset_counts();
    runtime_multi = 1;
    PyThreadState *owner = thread_begin(1);
    PyObject *kept[2], *dead[2];
    for (int i = 0; i < 2; i++) {
        kept[i] = node();
        dead[i] = node();
        Py_INCREF(kept[i]);
    }
    detach(owner);
    PyThreadState *ts = thread_begin(2);
    for (int i = 0; i < 2; i++) {
        slot_state_t previous;
        assert_true(slot_borrow(1, &previous));
        pthread_t t;
        pthread_create(&t, NULL, drop_one, dead[i]);        /* can only queue it */
        pthread_join(t, NULL);
        slot_return(1, previous);
        assert_true(merge_pending(1));
        Py_DECREF(kept[i]);
        assert_false(merge_pending(1));
        assert_true(merge_pending(2));
        assert_int_equal(nodes_freed, i);
        if (i == 0)
            safe_point(ts);
    }
    assert_int_equal(nodes_freed, 1);
    Py_DECREF(kept[0]);
    Py_DECREF(kept[1]);
    assert_int_equal(nodes_freed, 3);
    thread_end(ts);
    assert_int_equal(nodes_freed, 4);       /* with the thread that had put it off */
    attach(owner);
    thread_end(owner);
    runtime_multi = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_trashcan),
        cmocka_unit_test(test_pinning),
        cmocka_unit_test(test_deferred_and_immortal),
        cmocka_unit_test(test_resurrection),
        cmocka_unit_test(test_detached_owner),
        cmocka_unit_test(test_dead_of_others_wait),
        cmocka_unit_test(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
