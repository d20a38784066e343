/* tuple: making, slicing, hashing, comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tuple.h"

#define INT(n) value_from_int(n)

static void test_empty_is_one_object(void **state)
{
    assert_ptr_equal(PyTuple_New(0), tuple_empty());
    assert_ptr_equal(tuple_from_array(NULL, 0), tuple_empty());
    assert_int_equal(PyTuple_Size(tuple_empty()), 0);
}

static void test_slices(void **state)
{
    PyObject *items[5] = {INT(0), INT(1), INT(2), INT(3), INT(4)};
    PyObject *all = tuple_from_array(items, 5), *part = PyTuple_GetSlice(all, 1, 3), *same = PyTuple_GetSlice(all, -5, 99);
    assert_int_equal(PyTuple_Size(part), 2);
    assert_ptr_equal(PyTuple_GetItem(part, 1), INT(2));
    assert_ptr_equal(same, all);
    assert_null(PyTuple_GetItem(all, 5));
    assert_true(PyErr_ExceptionMatches(PyExc_IndexError));
    PyErr_Clear();
    Py_DECREF(same);
    Py_DECREF(part);
    Py_DECREF(all);
}

static void test_hash_spreads(void **state)
{
    enum { SIDE = 60 };
    char seen[1 << 16] = {0};
    int collisions = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            PyObject *items[2] = {INT(i), INT(j)};
            Py_hash_t hash = tuple_hash_items(items, 2);
            assert_true(hash != -1);
            collisions += seen[hash & 0xFFFF]++ != 0;
        }
    assert_true(collisions < 200);      /* about 97 are expected of a random function */
    PyObject *nested = PyTuple_Pack(1, tuple_empty());
    assert_true(PyObject_Hash(nested) != PyObject_Hash(tuple_empty()));
    Py_DECREF(nested);
}

static void test_resize(void **state)
{
    PyObject *items[3] = {INT(1), INT(2), INT(3)}, *tuple = tuple_from_array(items, 3);
    assert_int_equal(_PyTuple_Resize(&tuple, 2), 0);
    assert_int_equal(PyTuple_GET_SIZE(tuple), 2);
    assert_int_equal(_PyTuple_Resize(&tuple, 4), 0);
    assert_ptr_equal(PyTuple_GET_ITEM(tuple, 1), INT(2));
    assert_null(PyTuple_GET_ITEM(tuple, 3));
    Py_DECREF(tuple);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_is_one_object),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_hash_spreads),
        cmocka_unit_test(test_resize),
    };
    Py_InitializeEx(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
