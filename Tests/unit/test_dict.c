/* dict: tables against a model, keys versions, moving entries, and readers racing with writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "dict.h"
#include "instance.h"
#include "thread_state.h"
#include "gate_visitors.h"

#define INT(n) value_from_int(n)

/* Every live entry is found by its key; counts agree; nothing lives outside first..top. */
static void dict_check(PyObject *op)
{
    PyDictObject *self = (PyDictObject *)op;
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t live = 0;
    assert_true(keys->gap <= keys->first && keys->first <= keys->top && keys->top <= keys->count);
    assert_true(keys->count <= keys->capacity);
    for (Py_ssize_t i = 0; i < keys->count; i++) {
        dict_entry *entry = &keys->entries[i];
        if (i < keys->gap || entry->value == NULL)
            continue;
        live++;
        assert_true(i >= keys->first && i < keys->top);
        int locked;
        assert_int_equal(dict_find_and_lock(self, entry->key, entry->hash, &locked), i);
        container_unlock(self, locked);
    }
    assert_int_equal(live, self->ma_used);
}

static void test_against_model(void **state)
{
    enum { KEYS = 300 };
    int64_t model[KEYS];
    PyObject *dict = PyDict_New();
    unsigned seed = 3;
    for (int i = 0; i < KEYS; i++)
        model[i] = -1;
    for (int round = 0; round < 30000; round++) {
        seed = seed * 1103515245u + 12345u;
        int key = (int)((seed >> 16) % KEYS), range = 1 + (round / 1000) * 10 % KEYS;
        key %= range;
        if ((seed >> 12) & 1) {
            assert_int_equal(PyDict_SetItem(dict, INT(key), INT(round)), 0);
            model[key] = round;
        }
        else {
            PyObject *value;
            int found = PyDict_Pop(dict, INT(key), &value);
            assert_int_equal(found, model[key] >= 0);
            if (found)
                assert_ptr_equal(value, INT(model[key]));
            model[key] = -1;
        }
        if (round % 500 == 0) {
            dict_check(dict);
            PyObject *copy = PyDict_Copy(dict);
            dict_check(copy);
            assert_int_equal(dict_equal(dict, copy), 1);
            Py_DECREF(copy);
        }
    }
    for (int i = 0; i < KEYS; i++) {
        PyObject *value;
        assert_int_equal(dict_get_ref(dict, INT(i), &value), model[i] >= 0);
        if (model[i] >= 0)
            assert_ptr_equal(value, INT(model[i]));
    }
    Py_DECREF(dict);
}

static void test_order_and_ends(void **state)
{
    PyObject *dict = PyDict_New();
    for (int i = 0; i < 100; i++)
        PyDict_SetItem(dict, INT(i), INT(i));
    for (int i = 0; i < 100; i += 2)
        assert_int_equal(PyDict_DelItem(dict, INT(i)), 0);
    PyDict_SetItem(dict, INT(0), INT(0));
    for (int i = 99; i > 50; i -= 2) {
        PyObject *pair = dict_pop_end((PyDictObject *)dict, i == 99 ? 1 : 1, "");
        int expected = i == 99 ? 0 : i + 2;
        assert_ptr_equal(PyTuple_GET_ITEM(pair, 0), INT(expected));
        Py_DECREF(pair);
    }
    for (int i = 1; i < 40; i += 2) {
        PyObject *pair = dict_pop_end((PyDictObject *)dict, 0, "");
        assert_ptr_equal(PyTuple_GET_ITEM(pair, 0), INT(i));
        Py_DECREF(pair);
    }
    dict_check(dict);
    PyDict_Clear(dict);
    assert_null(dict_pop_end((PyDictObject *)dict, 1, "empty"));
    assert_true(PyErr_ExceptionMatches(PyExc_KeyError));
    PyErr_Clear();
    Py_DECREF(dict);
}

static void move(PyObject *dict, int key, int last)
{
    int locked;
    PyDictObject *self = (PyDictObject *)dict;
    Py_ssize_t i = dict_find_and_lock(self, INT(key), key, &locked);
    assert_true(i >= 0);
    assert_int_equal(dict_move_entry_locked(self, i, last), 0);
    assert_ptr_equal(self->ma_keys->entries[last ? dict_last_entry_locked(self) : dict_first_entry_locked(self)].key, INT(key));
    container_unlock(self, locked);
}

static void test_move(void **state)
{
    enum { N = 50 };
    PyObject *dict = PyDict_New();
    int order[N];
    unsigned seed = 11;
    for (int i = 0; i < N; i++) {
        PyDict_SetItem(dict, INT(i), INT(-i));
        order[i] = i;
    }
    for (int round = 0; round < 3000; round++) {
        seed = seed * 1103515245u + 12345u;
        int at = (int)((seed >> 16) % N), last = (seed >> 25) & 1, key = order[at];
        move(dict, key, last);
        if (last) {
            memmove(order + at, order + at + 1, (size_t)(N - 1 - at) * sizeof(int));
            order[N - 1] = key;
        }
        else {
            memmove(order + 1, order, (size_t)at * sizeof(int));
            order[0] = key;
        }
        if (round % 100 == 0)
            dict_check(dict);
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    for (int i = 0; i < N; i++) {
        assert_int_equal(PyDict_Next(dict, &pos, &key, &value), 1);
        assert_ptr_equal(key, INT(order[i]));
        assert_ptr_equal(value, INT(-order[i]));
    }
    assert_int_equal(PyDict_Next(dict, &pos, &key, &value), 0);
    Py_DECREF(dict);
}

static void test_versions(void **state)
{
    PyObject *dict = PyDict_New(), *a = PyUnicode_InternFromString("alpha"), *b = PyUnicode_InternFromString("beta");
    uint64_t version, other;
    PyObject **slot, **absent;
    PyDict_SetItem(dict, a, INT(1));
    assert_int_equal(dict_version_racy(dict), 0);
    assert_int_equal(dict_cache_slot(dict, a, &version, &slot), 0);
    assert_int_equal(dict_cache_slot(dict, b, &other, &absent), 0);
    assert_non_null(slot);
    assert_null(absent);
    assert_true(version != 0 && version == other && dict_keys_version(dict) == version);
    PyDict_SetItem(dict, a, INT(2));
    assert_true(dict_version_racy(dict) == version);
    assert_ptr_equal(dict_slot_read_ref(slot), INT(2));
    PyDict_SetItem(dict, b, INT(3));
    assert_true(dict_version_racy(dict) != version);
    version = dict_keys_version(dict);
    PyDict_DelItem(dict, b);
    assert_true(dict_version_racy(dict) != version);
    version = dict_keys_version(dict);
    PyDict_Clear(dict);
    assert_true(dict_version_racy(dict) != version);
    Py_DECREF(dict);
}

/* ---- Races ---- */

#define THREADS 4
#define NAMES 24
static PyObject *shared, *names[NAMES];
static int rounds = 30000;

/* Values are tuples (name, number): a reader checks that it got a value of the key it asked for. */
static void check_value(PyObject *name, PyObject *value)
{
    assert_true(PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 2);
    assert_int_equal(unicode_equal(PyTuple_GET_ITEM(value, 0), name), 1);
}

static void *race(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    uint64_t version = 0;
    PyObject **slot = NULL;
    for (int i = 0; i < rounds; i++) {
        seed = seed * 1103515245u + 12345u;
        PyObject *name = names[(seed >> 16) % NAMES], *value = NULL, *key;
        switch ((seed >> 24) % 12) {
        case 0: case 1: case 2:
            value = PyTuple_Pack(2, name, INT(i));
            PyDict_SetItem(shared, name, value);
            break;
        case 3:
            if (PyDict_Pop(shared, name, &value) > 0)
                check_value(name, value);
            break;
        case 4:
            value = PyTuple_Pack(2, name, INT(i));
            PyDict_SetDefaultRef(shared, name, value, &key);
            check_value(name, key);
            Py_DECREF(key);
            break;
        case 5:
            if ((seed >> 20) % 64 == 0)
                PyDict_Clear(shared);
            value = PyDict_Copy(shared);
            break;
        case 6: {
            Py_ssize_t pos = 0;
            while (dict_next_ref(shared, &pos, &key, &value, NULL)) {
                check_value(key, value);
                Py_DECREF(key);
                Py_DECREF(value);
            }
            value = NULL;
            break;
        }
        case 7: {
            int locked;
            PyDictObject *self = (PyDictObject *)shared;
            Py_ssize_t at = dict_find_and_lock(self, name, unicode_hash(name), &locked);
            if (at >= 0)
                dict_move_entry_locked(self, at, (int)(seed >> 22) & 1);
            container_unlock(self, locked);
            break;
        }
        case 8:
            if (slot != NULL && dict_version_racy(shared) == version) {
                value = dict_slot_read_ref(slot);
                if (value != NULL)
                    check_value(names[0], value);
            }
            else if (dict_cache_slot(shared, names[0], &version, &slot) < 0)
                slot = NULL;
            break;
        default:
            if (dict_get_str_ref(shared, name, &value))
                check_value(name, value);
        }
        Py_XDECREF(value);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_race(void **state)
{
    pthread_t threads[THREADS];
    shared = PyDict_New();
    for (int i = 0; i < NAMES; i++)
        names[i] = PyUnicode_FromFormat("name %d", i);
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
    dict_check(shared);
    Py_DECREF(shared);
}

/* ---- The gate ---- */

static void test_contents_of_closed_dicts_stay_unpublished(void **state)
{
    PyObject *dict = PyDict_New(), *other = PyDict_New(), *fresh = PyDict_New();
    PyObject *key = PyUnicode_FromString("a key"), *value = PyUnicode_FromString("a value");
    PyDictObject *self = (PyDictObject *)dict;
    PyDict_SetItem(dict, key, value);
    object_publish(dict);                   /* does not walk the contents */
    assert_true(dict_may_read(self) && !dict_is_open(self));
    assert_false(object_is_published(key) || object_is_published(value));
    assert_true(dict_keys_version(fresh) > DICT_OPEN && dict_is_open((PyDictObject *)fresh));
    PyDict_SetItem(fresh, INT(1), INT(1));
    assert_true(dict_is_open((PyDictObject *)fresh) && dict_version_racy(fresh) == DICT_OPEN);
    PyDict_Clear(fresh);
    assert_int_equal(PyDict_Update(other, dict), 0);
    assert_false(object_is_published(key) || object_is_published(value));
    assert_int_equal(PyDict_Update(fresh, dict), 0);        /* an open dict takes over a closed one's table */
    assert_true(object_is_published(key) && object_is_published(value) && !dict_is_open(self));

    int locked = container_lock(self);
    dict_open_locked(self);
    container_unlock(self, locked);
    PyObject *later = PyUnicode_FromString("later value");
    PyDict_SetItem(dict, key, later);
    assert_true(dict_is_open(self) && object_is_published(later));
    Py_DECREF(later);
    Py_DECREF(value);
    Py_DECREF(key);
    Py_DECREF(fresh);
    Py_DECREF(other);
    Py_DECREF(dict);
}

static void step_through_gate(PyObject *dict, unsigned random)
{
    PyObject *name = PyUnicode_FromFormat("name %d", (int)random % 8), *value = NULL, *key;
    Py_ssize_t pos = 0;
    switch (random / 8 % 8) {
    case 0: case 1: case 2:
        value = PyTuple_Pack(2, name, INT(random));
        PyDict_SetItem(dict, name, value);
        break;
    case 3:
        if (PyDict_Pop(dict, name, &value) > 0)
            check_value(name, value);
        break;
    case 4:
        value = PyDict_Copy(dict);
        PyErr_Clear();      /* visitors hold no reference: what seems private is walked while they change it */
        break;
    case 5:
        while (dict_next_ref(dict, &pos, &key, &value, NULL)) {
            check_value(key, value);
            Py_DECREF(key);
            Py_CLEAR(value);
        }
        break;
    case 6:
        if (random % 31 == 0)
            PyDict_Clear(dict);
        break;
    default:
        if (dict_get_str_ref(dict, name, &value))
            check_value(name, value);
    }
    Py_XDECREF(value);
    Py_DECREF(name);
}

static void test_gate_opened_under_the_owner(void **state) { race_through_gate(rounds / 6, PyDict_New, step_through_gate); }

/* What another thread does with our dict in a critical section: the lock is had already, the gate is not open yet. */
static int visitor_was_alone;           /* there is a GIL */

static void *change_in_section(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    visitor_was_alone = !runtime_is_multi();
    PyObject *dict = arg, *key = PyUnicode_FromString("key of the visitor"), *value = PyUnicode_FromString("made by the visitor");
    Py_BEGIN_CRITICAL_SECTION(dict);
    PyDict_SetItem(dict, key, value);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(value);
    Py_DECREF(key);
    PyGILState_Release(gil);
    return NULL;
}

static void *walk_borrowing(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(arg, &pos, &key, &value))
        assert_true(PyUnicode_Check(key) && PyUnicode_Check(value));
    PyGILState_Release(gil);
    return NULL;
}

static void visit(void *(*function)(void *), PyObject *dict)
{
    pthread_t thread;
    PyThreadState *ts = PyEval_SaveThread();
    pthread_create(&thread, NULL, function, dict);
    pthread_join(thread, NULL);
    PyEval_RestoreThread(ts);
}

static void test_gate_in_a_critical_section(void **state)
{
    void *(*const visitors[])(void *) = {change_in_section, walk_borrowing};
    for (int i = 0; i < 2; i++) {
        PyObject *dict = PyDict_New(), *key = PyUnicode_FromString("key of the owner"), *value = PyUnicode_FromString("made by the owner");
        PyDict_SetItem(dict, key, value);
        assert_false(dict_is_open((PyDictObject *)dict) || object_is_published(key) || object_is_published(value));
        visit(visitors[i], dict);
        assert_int_equal(PyDict_GET_SIZE(dict), i == 0 ? 2 : 1);
        if (!visitor_was_alone) {       /* we read without the lock, and the visitor may take out what is there */
            PyObject *k, *v;
            Py_ssize_t pos = 0;
            assert_true(dict_is_open((PyDictObject *)dict));
            while (PyDict_Next(dict, &pos, &k, &v))
                assert_true(object_is_published(k) && object_is_published(v));
        }
        Py_DECREF(value);
        Py_DECREF(key);
        Py_DECREF(dict);
    }
}

static void test_unseen_dicts(void **state)
{
    PyDictObject *unseen = dict_new_unseen(3);
    assert_false(PyObject_GC_IsTracked((PyObject *)unseen));
    assert_false(dict_is_open(unseen));
    Py_DECREF(unseen);
    PyObject *namespace = PyDict_New(), *main = PyImport_AddModule("__main__"), *copy, *kept;
    assert_non_null(PyRun_String("class C: pass\nc = C(); c.x = c.y = 'a value'", Py_file_input, PyModule_GetDict(main), namespace));
    PyObject *thing = PyDict_GetItemString(namespace, "c");
    copy = instance_copy_attrs(thing);
    kept = instance_get_dict(thing);
    assert_true(PyObject_GC_IsTracked(copy) && PyObject_GC_IsTracked(kept) && object_is_published(kept));
    assert_int_equal(PyDict_GET_SIZE(copy), 2);
    assert_int_equal(PyDict_GET_SIZE(kept), 2);
    Py_DECREF(copy);
    Py_DECREF(kept);
    Py_DECREF(namespace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_order_and_ends),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_contents_of_closed_dicts_stay_unpublished),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_gate_opened_under_the_owner),
        cmocka_unit_test(test_gate_in_a_critical_section),
        cmocka_unit_test(test_unseen_dicts),
    };
    Py_InitializeEx(0);
    if (getenv("BRAID_TEST_ROUNDS") != NULL)
        rounds = atoi(getenv("BRAID_TEST_ROUNDS"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
