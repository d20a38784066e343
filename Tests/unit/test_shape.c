/* Shapes and instances: inline slots, growth, dict mode, retired trees, and threads racing on one instance's attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "instance.h"
#include "thread_state.h"
#include "type.h"
#include "unicode.h"

static PyObject *new_class(const char *name, PyObject *base)
{
    PyObject *ns = PyDict_New();
    PyObject *cls = base != NULL ? PyObject_CallFunction((PyObject *)&PyType_Type, "s(O)O", name, base, ns)
                                 : PyObject_CallFunction((PyObject *)&PyType_Type, "s()O", name, ns);
    Py_DECREF(ns);
    assert_non_null(cls);
    return cls;
}

static PyObject *nth_name(const char *stem, int i)
{
    char text[32];
    snprintf(text, sizeof(text), "%s%d", stem, i);
    return PyUnicode_InternFromString(text);
}

static void test_inline_attributes(void **state)
{
    PyObject *cls = new_class("A", NULL), *op = PyObject_CallNoArgs(cls), *value;
    assert_true(instance_shape(op) & SHAPE_ID_TAG);
    for (int i = 0; i < 5; i++)
        assert_int_equal(instance_set_attr(op, nth_name("a", i), unicode_latin1((unsigned char)('0' + i))), 0);
    shape_t *shape = shape_from_id(instance_shape(op));
    assert_int_equal(shape->count, 5);
    assert_ptr_equal(shape->type, cls);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(shape_find(shape, nth_name("a", i)), i);
        assert_int_equal(instance_get_attr(op, nth_name("a", i), &value), 1);
        assert_ptr_equal(value, unicode_latin1((unsigned char)('0' + i)));
    }
    assert_int_equal(shape_find(shape, STR(__init__)), -1);
    assert_int_equal(instance_get_attr(op, STR(__init__), &value), 0);

    /* deleting keeps the shape; another instance follows the same path */
    assert_int_equal(instance_set_attr(op, nth_name("a", 2), NULL), 0);
    assert_int_equal(instance_set_attr(op, nth_name("a", 2), NULL), 1);
    assert_int_equal(instance_get_attr(op, nth_name("a", 2), &value), 0);
    assert_ptr_equal(shape_from_id(instance_shape(op)), shape);
    PyObject *other = PyObject_CallNoArgs(cls);
    for (int i = 0; i < 5; i++)
        assert_int_equal(instance_set_attr(other, nth_name("a", i), Py_None), 0);
    assert_int_equal(instance_shape(other), shape->id);
    Py_DECREF(op);
    Py_DECREF(other);
    Py_DECREF(cls);
}

static void test_dict_mode(void **state)
{
    PyObject *cls = new_class("A", NULL), *op = PyObject_CallNoArgs(cls), *value;
    for (int i = 0; i < 4; i++)
        assert_int_equal(instance_set_attr(op, nth_name("a", i), Py_None), 0);
    PyObject *copy = instance_copy_attrs(op);
    assert_int_equal(PyDict_Size(copy), 4);
    assert_true(instance_shape(op) & SHAPE_ID_TAG);
    uint32_t offset = shape_slot_offset(shape_from_id(instance_shape(op)), 0);
    PyObject *dict = instance_get_dict(op);
    assert_int_equal(instance_shape(op), 0);
    assert_int_equal(PyDict_Size(dict), 4);
    assert_ptr_equal(*instance_slot(op, offset), SHAPE_TOMBSTONE);
    assert_false(instance_overwrite_slot(op, offset, Py_True, &value));
    assert_int_equal(PyObject_RichCompareBool(dict, copy, Py_EQ), 1);
    assert_int_equal(PyDict_SetItem(dict, nth_name("b", 0), Py_Ellipsis), 0);
    assert_int_equal(instance_get_attr(op, nth_name("b", 0), &value), 1);
    assert_ptr_equal(value, Py_Ellipsis);
    int64_t hint = instance_dict_hint(op, nth_name("b", 0));
    assert_int_equal(hint, 4);
    uint32_t dict_offset = (uint32_t)((PyTypeObject *)cls)->tp_dictoffset;
    assert_ptr_equal(instance_dict_read_hint_racy(op, dict_offset, nth_name("b", 0), (uint32_t)hint), Py_Ellipsis);
    assert_null(instance_dict_read_hint_racy(op, dict_offset, nth_name("b", 1), (uint32_t)hint));
    PyObject *again = instance_get_dict(op);
    assert_ptr_equal(again, dict);
    Py_DECREF(again);
    Py_DECREF(dict);
    Py_DECREF(copy);
    Py_DECREF(op);
    Py_DECREF(cls);
}

static void test_size_is_learned(void **state)
{
    PyObject *cls = new_class("A", NULL);
    uint32_t first = ((PyTypeObject *)cls)->tp_root_shape;
    for (int n = 0; n < 20; n++) {
        PyObject *op = PyObject_CallNoArgs(cls);
        for (int i = 0; i < 3; i++)
            assert_int_equal(instance_set_attr(op, nth_name("a", i), Py_None), 0);
        Py_DECREF(op);
    }
    shape_t *root = shape_root((PyTypeObject *)cls);
    assert_int_not_equal(root->id, first);
    assert_false(root->provisional);
    assert_in_range(root->capacity, 3, 6);

    /* one that needs more goes to dict mode, and makes room for those to come */
    PyObject *large = PyObject_CallNoArgs(cls);
    for (int i = 0; i < 12; i++)
        assert_int_equal(instance_set_attr(large, nth_name("a", i), Py_None), 0);
    assert_int_equal(instance_shape(large), 0);
    int inlined = 0;
    for (int n = 0; n < 4; n++) {
        PyObject *op = PyObject_CallNoArgs(cls);
        for (int i = 0; i < 12; i++)
            assert_int_equal(instance_set_attr(op, nth_name("a", i), Py_None), 0);
        inlined += (instance_shape(op) & SHAPE_ID_TAG) != 0;
        Py_DECREF(op);
    }
    assert_true(inlined > 0);
    Py_DECREF(large);
    Py_DECREF(cls);
}

static void test_data_descriptor_retires_shapes(void **state)
{
    PyObject *base = new_class("A", NULL), *cls = new_class("B", base), *op = PyObject_CallNoArgs(cls), *value;
    PyObject *name = nth_name("v", 0);
    assert_int_equal(PyObject_SetAttr(op, name, Py_None), 0);
    assert_int_equal(PyObject_SetAttr(op, nth_name("w", 0), Py_None), 0);
    uint32_t id = instance_shape(op);
    shape_t *shape = shape_from_id(id);
    /* neither a plain value nor a descriptor of another name */
    assert_int_equal(PyObject_SetAttr(base, name, Py_Ellipsis), 0);
    PyObject *property = PyObject_CallNoArgs((PyObject *)&PyProperty_Type);
    assert_int_equal(PyObject_SetAttr(base, nth_name("u", 0), property), 0);
    assert_int_equal(instance_shape(op), id);
    assert_int_equal(PyObject_SetAttr(base, name, property), 0);
    assert_int_not_equal(instance_shape(op), id);
    assert_ptr_equal(shape_from_id(instance_shape(op)), shape);
    assert_null(PyObject_GetAttr(op, name));
    assert_true(PyErr_ExceptionMatches(PyExc_AttributeError));
    PyErr_Clear();
    assert_int_equal(PyObject_SetAttr(base, name, NULL), 0);
    value = PyObject_GetAttr(op, name);
    assert_ptr_equal(value, Py_None);
    Py_DECREF(property);
    Py_DECREF(op);
    Py_DECREF(cls);
    Py_DECREF(base);
}

/* ---- Races ---- */

enum { THREADS = 4, NAMES = 6, OBJECTS = 3 };
static int rounds = 20000;
static PyObject *names[NAMES], *values[NAMES], *shared_class;
static PyObject *objects[OBJECTS];      /* replaced under the mutex */
static PyMutex objects_mutex;

static PyObject *pick(unsigned i)
{
    PyMutex_Lock(&objects_mutex);
    PyObject *op = Py_NewRef(objects[i % OBJECTS]);
    PyMutex_Unlock(&objects_mutex);
    return op;
}

static void put_new(unsigned i)
{
    PyObject *op = PyObject_CallNoArgs(shared_class);
    PyMutex_Lock(&objects_mutex);
    PyObject *old = objects[i % OBJECTS];
    objects[i % OBJECTS] = op;
    PyMutex_Unlock(&objects_mutex);
    Py_DECREF(old);
}

/* Values are fresh lists whose first item tells the name that they were stored under. */
static PyObject *make_value(int n)
{
    PyObject *list = PyList_New(0);
    PyList_Append(list, values[n]);
    return list;
}

static int is_value_of(PyObject *value, int n)
{
    PyObject *item = PyList_GetItemRef(value, 0);
    int good = item == values[n];
    Py_XDECREF(item);
    return good;
}

static void *race(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    for (int round = 0; round < rounds; round++) {
        seed = seed * 1103515245u + 12345u;
        unsigned what = seed >> 24, n = (seed >> 16) % NAMES;
        PyObject *op = pick(seed >> 12), *value = NULL;
        if (what < 120) {
            if (PyObject_GetOptionalAttr(op, names[n], &value) > 0 && !is_value_of(value, (int)n))
                abort();
        }
        else if (what < 220) {
            value = make_value((int)n);
            if (PyObject_SetAttr(op, names[n], value) < 0)
                abort();
        }
        else if (what < 240) {
            if (PyObject_SetAttr(op, names[n], NULL) < 0)
                PyErr_Clear();
        }
        else if (what < 243)
            value = instance_get_dict(op);
        else if (what < 246)
            value = instance_copy_attrs(op);
        else if (what < 248)
            PyObject_SetAttr(shared_class, STR(name), Py_None);
        else
            put_new(seed >> 12);
        Py_XDECREF(value);
        Py_DECREF(op);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_race(void **state)
{
    pthread_t threads[THREADS];
    shared_class = new_class("Shared", NULL);
    for (int i = 0; i < NAMES; i++) {
        names[i] = nth_name("attribute", i);
        values[i] = nth_name("value", i);
    }
    for (int i = 0; i < OBJECTS; i++)
        objects[i] = PyObject_CallNoArgs(shared_class);
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
    for (int i = 0; i < OBJECTS; i++)
        Py_DECREF(objects[i]);
    Py_DECREF(shared_class);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inline_attributes),
        cmocka_unit_test(test_dict_mode),
        cmocka_unit_test(test_size_is_learned),
        cmocka_unit_test(test_data_descriptor_retires_shapes),
        cmocka_unit_test(test_race),
    };
    Py_InitializeEx(0);
    if (getenv("BRAID_TEST_ROUNDS") != NULL)
        rounds = atoi(getenv("BRAID_TEST_ROUNDS"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
