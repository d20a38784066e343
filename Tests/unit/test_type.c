/* Types: MRO, slots that follow special methods, versions and the method cache, bases, and threads racing on a class. */
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

static PyObject *new_class(const char *name, PyObject *bases)
{
    PyObject *ns = PyDict_New();
    PyObject *cls = bases != NULL ? PyObject_CallFunction((PyObject *)&PyType_Type, "sNO", name, bases, ns)
                                  : PyObject_CallFunction((PyObject *)&PyType_Type, "s()O", name, ns);
    Py_DECREF(ns);
    return cls;
}

static void assert_error(PyObject *type, const char *message)
{
    PyObject *t, *v, *tb;
    assert_true(PyErr_ExceptionMatches(type));
    PyErr_Fetch(&t, &v, &tb);
    PyErr_NormalizeException(&t, &v, &tb);
    PyObject *text = PyObject_Str(v);
    assert_string_equal(PyUnicode_AsUTF8(text), message);
    Py_DECREF(text);
    Py_XDECREF(t);
    Py_XDECREF(v);
    Py_XDECREF(tb);
}

static void test_mro(void **state)
{
    PyObject *a = new_class("A", NULL), *b = new_class("B", PyTuple_Pack(1, a)), *c = new_class("C", PyTuple_Pack(1, a));
    PyObject *d = new_class("D", PyTuple_Pack(2, b, c));
    PyObject *mro = ((PyTypeObject *)d)->tp_mro;
    PyObject *expected[] = {d, b, c, a, (PyObject *)&PyBaseObject_Type};
    assert_int_equal(PyTuple_GET_SIZE(mro), 5);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(PyTuple_GET_ITEM(mro, i), expected[i]);
    assert_null(new_class("E", PyTuple_Pack(2, a, b)));
    assert_error(PyExc_TypeError, "Cannot create a consistent method resolution\norder (MRO) for bases A, B");
    assert_null(new_class("E", PyTuple_Pack(2, a, a)));
    assert_error(PyExc_TypeError, "duplicate base class A");
    assert_null(new_class("E", PyTuple_Pack(2, &PyTuple_Type, &PyDict_Type)));
    assert_error(PyExc_TypeError, "multiple bases have instance lay-out conflict");
    assert_null(new_class("E", PyTuple_Pack(1, &_PyNone_Type)));
    assert_error(PyExc_TypeError, "type 'NoneType' is not an acceptable base type");
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(c);
    Py_DECREF(d);
}

static PyObject *shout(PyObject *self, PyObject *unused) { return PyUnicode_FromString("shouted"); }
static PyMethodDef shout_method = {"shout", shout, METH_O, NULL};

static void test_slots_follow(void **state)
{
    PyObject *a = new_class("A", NULL), *b = new_class("B", PyTuple_Pack(1, a)), *op = PyObject_CallNoArgs(b);
    PyTypeObject *type = (PyTypeObject *)b;
    reprfunc inherited = type->tp_repr;
    PyObject *func = PyCFunction_New(&shout_method, NULL), *bound, *text;
    assert_null(type->tp_iter);
    assert_int_equal(PyObject_SetAttr(a, STR(__iter__), func), 0);
    assert_non_null(type->tp_iter);
    assert_int_equal(PyObject_SetAttr(a, STR(__iter__), NULL), 0);
    assert_null(type->tp_iter);

    /* a method of C comes back as the slot that it wraps */
    assert_int_equal(PyObject_SetAttr(b, STR(__repr__), func), 0);
    assert_ptr_not_equal(type->tp_repr, inherited);
    bound = PyObject_GetAttr((PyObject *)&PyBaseObject_Type, STR(__repr__));
    assert_int_equal(PyObject_SetAttr(b, STR(__repr__), bound), 0);
    assert_ptr_equal(type->tp_repr, inherited);
    text = PyObject_Repr(op);
    assert_non_null(text);
    Py_DECREF(text);
    Py_DECREF(bound);
    Py_DECREF(func);
    Py_DECREF(op);
    Py_DECREF(b);
    Py_DECREF(a);
}

static void test_versions(void **state)
{
    PyObject *a = new_class("A", NULL), *b = new_class("B", PyTuple_Pack(1, a)), *value;
    PyObject *name = PyUnicode_InternFromString("attribute");
    PyTypeObject *type = (PyTypeObject *)b;
    uint64_t version, again;
    assert_int_equal(type_lookup_ref(type, name, &value, &version), 0);
    assert_int_not_equal(version, 0);
    assert_true(type_lookup_cached_racy(type, name, &value, &again));
    assert_null(value);
    assert_int_equal(again, version);
    assert_int_equal(PyObject_SetAttr(a, name, Py_None), 0);
    assert_int_equal(type_version(type), 0);
    assert_int_equal(type_lookup_ref(type, name, &value, &again), 1);
    assert_ptr_equal(value, Py_None);
    assert_int_not_equal(again, version);
    assert_int_equal(PyObject_SetAttr(a, name, NULL), 0);
    assert_int_equal(type_lookup_ref(type, name, &value, NULL), 0);
    Py_DECREF(b);
    Py_DECREF(a);
}

static void test_bases(void **state)
{
    PyObject *a = new_class("A", NULL), *b = new_class("B", NULL), *c = new_class("C", PyTuple_Pack(1, a));
    PyObject *name = PyUnicode_InternFromString("where"), *bases = PyTuple_Pack(1, b), *op = PyObject_CallNoArgs(c), *value;
    PyObject *empty = PyTuple_New(0), *cycle = PyTuple_Pack(1, c);
    assert_int_equal(PyObject_SetAttr(a, name, STR(add)), 0);
    assert_int_equal(PyObject_SetAttr(b, name, STR(append)), 0);
    value = PyObject_GetAttr(op, name);
    assert_ptr_equal(value, STR(add));
    assert_int_equal(PyObject_SetAttr(c, STR(__bases__), bases), 0);
    value = PyObject_GetAttr(op, name);
    assert_ptr_equal(value, STR(append));
    assert_false(PyType_IsSubtype((PyTypeObject *)c, (PyTypeObject *)a));
    assert_int_equal(PyObject_SetAttr(c, STR(__bases__), empty), -1);
    assert_error(PyExc_TypeError, "can only assign non-empty tuple to C.__bases__, not ()");
    assert_int_equal(PyObject_SetAttr(b, STR(__bases__), cycle), -1);
    assert_error(PyExc_TypeError, "a __bases__ item causes an inheritance cycle");
    /* and the class of an instance */
    assert_int_equal(PyObject_SetAttr(op, name, STR(args)), 0);
    assert_int_equal(PyObject_SetAttr(op, STR(__class__), a), 0);
    assert_true(Py_IS_TYPE(op, (PyTypeObject *)a));
    value = PyObject_GetAttr(op, name);
    assert_ptr_equal(value, STR(args));
    assert_int_equal(PyObject_SetAttr(op, STR(__class__), (PyObject *)&PyList_Type), -1);
    PyErr_Clear();
    Py_DECREF(op);
    Py_DECREF(bases);
    Py_DECREF(empty);
    Py_DECREF(cycle);
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(c);
}

/* ---- Races ---- */

enum { THREADS = 4, NAMES = 4 };
static int rounds = 10000;
static PyObject *base_class, *derived_class, *names[NAMES], *values[NAMES];

static void *race(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    unsigned seed = (unsigned)(uintptr_t)arg * 7919u + 1;
    for (int round = 0; round < rounds; round++) {
        seed = seed * 1103515245u + 12345u;
        unsigned what = seed >> 24, n = (seed >> 16) % NAMES;
        PyObject *value = NULL, *item, *op;
        if (what < 150) {
            op = PyObject_CallNoArgs(derived_class);
            if (PyObject_GetOptionalAttr(op, names[n], &value) > 0) {
                item = PyList_GetItemRef(value, 0);
                if (item != values[n])
                    abort();
                Py_DECREF(item);
            }
            Py_DECREF(op);
        }
        else if (what < 220) {
            value = PyList_New(0);
            PyList_Append(value, values[n]);
            if (PyObject_SetAttr(base_class, names[n], value) < 0)
                abort();
        }
        else if (what < 240) {
            if (PyObject_SetAttr(base_class, names[n], NULL) < 0)
                PyErr_Clear();
        }
        else if (what < 248) {
            value = new_class("Temporary", PyTuple_Pack(1, derived_class));
            if (value == NULL)
                abort();
        }
        else {
            value = type_get_subclasses((PyTypeObject *)derived_class);
            if (value == NULL)
                abort();
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
    base_class = new_class("Base", NULL);
    derived_class = new_class("Derived", PyTuple_Pack(1, base_class));
    for (int i = 0; i < NAMES; i++) {
        names[i] = PyUnicode_FromFormat("name%d", i);
        values[i] = PyUnicode_FromFormat("value%d", i);
        PyUnicode_InternInPlace(&names[i]);
        PyUnicode_InternInPlace(&values[i]);
    }
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mro),   cmocka_unit_test(test_slots_follow), cmocka_unit_test(test_versions),
        cmocka_unit_test(test_bases), cmocka_unit_test(test_race),
    };
    Py_InitializeEx(0);
    if (getenv("BRAID_TEST_ROUNDS") != NULL)
        rounds = atoi(getenv("BRAID_TEST_ROUNDS"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
