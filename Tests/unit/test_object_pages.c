/* Object pages: size classes, reuse, remote frees, large objects, adoption of a slot's pages by its next thread. */
#include "memory_harness.h"

static void test_size_classes(void **state)
{
    uint32_t last = 0;
    for (size_t size = 1; size <= OBJECT_PAGE_MAX_SLOT; size++) {
        uint32_t c = object_page_class(size);
        assert_true(c == last || c == last + 1);
        assert_true(c < OBJECT_PAGE_CLASS_LARGE);
        last = c;
    }
    PyThreadState *ts = thread_begin(1);
    for (size_t size = 24; size <= OBJECT_PAGE_MAX_SLOT; size += 8) {
        void *slot = object_page_alloc(size);
        assert_true(object_page_of(slot)->slot_size >= size);
        assert_true(object_page_of(slot)->slot_size < size + size / 4 + 32);
        assert_int_equal((uintptr_t)slot & 15, 0);
        object_state_set(slot, SLOT_LIVE);
        memset(slot, 0xA5, size);
        object_page_free(slot);
    }
    object_pages_check(ts->heap);
    thread_end(ts);
}

static void test_random_allocation(void **state)
{
    PyThreadState *ts = thread_begin(1);
    enum { N = 3000 };
    static unsigned char *held[N];
    static size_t sizes[N];
    unsigned seed = 12345;
    for (int i = 0; i < 200000; i++) {
        int k = rand_r(&seed) % N;
        if (held[k] != NULL) {
            for (size_t j = sizeof(PyObject); j < sizes[k]; j += 61)
                assert_int_equal(held[k][j], (unsigned char)k);
            object_page_free(held[k]);
            held[k] = NULL;
        }
        else {
            sizes[k] = 24 + (size_t)rand_r(&seed) % (i % 50 ? 300 : 20000);
            held[k] = object_page_alloc(sizes[k]);
            object_state_set(held[k], SLOT_LIVE);
            memset(held[k], k, sizes[k]);
        }
    }
    object_pages_check(ts->heap);
    for (int k = 0; k < N; k++)
        if (held[k] != NULL)
            object_page_free(held[k]);
    object_pages_check(ts->heap);
    assert_true(object_pages_bytes() < 64 * 65536);
    thread_end(ts);
}

static PyObject *handed_over[20000];

static void *free_handed_over(void *arg)
{
    PyThreadState *ts = thread_begin(2);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(handed_over); i++)
        object_page_free(handed_over[i]);
    thread_end(ts);
    return NULL;
}

static void test_remote_free(void **state)
{
    PyThreadState *ts = thread_begin(1);
    size_t before = 0;
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < Py_ARRAY_LENGTH(handed_over); i++)
            handed_over[i] = node();
        size_t bytes = object_pages_bytes();
        assert_true(before == 0 || bytes <= before + 4 * OBJECT_PAGE_SIZE);     /* memory is reused */
        before = bytes;
        pthread_t t;
        pthread_create(&t, NULL, free_handed_over, NULL);
        pthread_join(t, NULL);
    }
    thread_end(ts);
    ts = thread_begin(1);       /* the next thread on the slot finds the pages */
    stop_world_begin(ts);
    object_pages_collect_remote_stopped();
    stop_world_end(ts);
    object_pages_check(ts->heap);
    assert_true(object_pages_bytes() + 15 * OBJECT_PAGE_SIZE < before);
    thread_end(ts);
}

/* Everybody frees what the neighbour has made, all the time. */
static PyObject *ring[4][256];

static void *ring_thread(void *arg)
{
    uint16_t me = (uint16_t)(intptr_t)arg;
    PyThreadState *ts = thread_begin((uint16_t)(me + 1));
    for (int i = 0; i < 60000; i++) {
        PyObject *mine = node();
        PyObject *old = __atomic_exchange_n(&ring[(me + 1) % 4][i % 256], mine, __ATOMIC_ACQ_REL);
        if (old != NULL)
            object_page_free(old);
        old = __atomic_exchange_n(&ring[me][i % 256], NULL, __ATOMIC_ACQ_REL);
        if (old != NULL)
            object_page_free(old);
    }
    thread_end(ts);
    return NULL;
}

static void test_ring(void **state)
{
    pthread_t t[4];
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, ring_thread, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    PyThreadState *ts = thread_begin(1);
    stop_world_begin(ts);
    object_pages_collect_remote_stopped();
    for (uint32_t i = 1; i <= 4; i++)
        object_pages_check(heap_peek(i));
    stop_world_end(ts);
    thread_end(ts);
}

static void test_resize(void **state)
{
    static PyTypeObject Var_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "var",
                                    .tp_basicsize = sizeof(PyVarObject), .tp_itemsize = 8,
                                    .tp_flags = Py_TPFLAGS_HAVE_GC};
    PyThreadState *ts = thread_begin(1);
    PyVarObject *op = PyObject_GC_NewVar(PyVarObject, &Var_Type, 3);
    uint64_t *items = (uint64_t *)(op + 1);
    items[0] = 11, items[2] = 33;
    static const int sizes[] = {3, 5, 40, 2000, 100000, 50000, 3, 0, 9};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(sizes); i++) {
        op = PyObject_GC_Resize(PyVarObject, op, sizes[i]);
        assert_int_equal(op->ob_size, sizes[i]);
        if (i < 7) {
            assert_int_equal(((uint64_t *)(op + 1))[0], 11);
            assert_int_equal(((uint64_t *)(op + 1))[2], 33);
        }
    }
    assert_null(PyObject_GC_NewVar(PyVarObject, &Var_Type, PY_SSIZE_T_MAX / 4));
    PyObject_GC_Del(op);
    object_pages_check(ts->heap);
    thread_end(ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_classes), cmocka_unit_test(test_random_allocation), cmocka_unit_test(test_remote_free),
        cmocka_unit_test(test_ring),         cmocka_unit_test(test_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
