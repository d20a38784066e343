/* Calls, operators, argument parsing, slices and ranges, through the C API of a running interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "Python.h"

#include "internal/call.h"
#include "internal/range.h"

/* ---- Help ---- */

static void assert_error(PyObject *type, const char *message)
{
    assert_non_null(PyErr_Occurred());
    assert_true(PyErr_ExceptionMatches(type));
    PyObject *t, *v, *tb;
    PyErr_Fetch(&t, &v, &tb);
    PyErr_NormalizeException(&t, &v, &tb);
    PyObject *text = PyObject_Str(v);
    assert_non_null(text);
    assert_string_equal(PyUnicode_AsUTF8(text), message);
    Py_DECREF(text);
    Py_XDECREF(t);
    Py_XDECREF(v);
    Py_XDECREF(tb);
}

static void assert_repr(PyObject *op, const char *text)
{
    assert_non_null(op);
    PyObject *repr = PyObject_Repr(op);
    assert_non_null(repr);
    assert_string_equal(PyUnicode_AsUTF8(repr), text);
    Py_DECREF(repr);
    Py_DECREF(op);
}

/* ---- One C function of each kind: each describes what it was called with ---- */

static PyObject *f_noargs(PyObject *self, PyObject *unused) { return Py_BuildValue("(sO)", "noargs", self); }
static PyObject *f_o(PyObject *self, PyObject *arg) { return Py_BuildValue("(sO)", "o", arg); }
static PyObject *f_varargs(PyObject *self, PyObject *args) { return Py_BuildValue("(sO)", "varargs", args); }
static PyObject *f_keywords(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return Py_BuildValue("(sOO)", "keywords", args, kwargs == NULL ? Py_None : kwargs);
}
static PyObject *f_fast(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return Py_BuildValue("(sn)", "fast", n);
}
static PyObject *f_fast_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    return Py_BuildValue("(snO)", "fast keywords", n, kwnames == NULL ? Py_None : kwnames);
}
static PyObject *f_method(PyObject *self, PyTypeObject *cls, PyObject *const *args, size_t n, PyObject *kwnames)
{
    return Py_BuildValue("(ssn)", "method", cls->tp_name, (Py_ssize_t)n);
}
static PyObject *f_null(PyObject *self, PyObject *unused) { return NULL; }
static PyObject *f_both(PyObject *self, PyObject *unused)
{
    PyErr_SetString(PyExc_KeyError, "k");
    Py_RETURN_NONE;
}
static PyObject *f_offset(PyObject *self, PyObject *const *args, Py_ssize_t n) { return PyLong_FromSsize_t(n); }

#define CAST(f) ((PyCFunction)(void (*)(void))(f))
static PyMethodDef defs[] = {
    {"noargs", f_noargs, METH_NOARGS, "noargs($module)\n--\n\nText."},
    {"o", f_o, METH_O, NULL},
    {"varargs", f_varargs, METH_VARARGS, NULL},
    {"keywords", CAST(f_keywords), METH_VARARGS | METH_KEYWORDS, NULL},
    {"fast", CAST(f_fast), METH_FASTCALL, NULL},
    {"fast_keywords", CAST(f_fast_keywords), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"method", CAST(f_method), METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL},
    {"null", f_null, METH_NOARGS, NULL},
    {"both", f_both, METH_NOARGS, NULL},
    {"offset", CAST(f_offset), METH_FASTCALL, NULL},
    {"bad", f_o, METH_O | METH_NOARGS, NULL},
};
enum { NOARGS, O, VARARGS, KEYWORDS, FAST, FAST_KEYWORDS, METHOD, NULL_RESULT, BOTH, OFFSET, BAD };

static PyObject *function(int i)
{
    PyObject *f = PyCFunction_New(&defs[i], NULL);
    assert_non_null(f);
    return f;
}

/* ---- Tests ---- */

static void test_kinds(void **state)
{
    (void)state;
    PyObject *f[BAD], *one = value_from_int(1), *two = value_from_int(2), *args[4] = {NULL, one, two, one};
    for (int i = 0; i < BAD; i++)
        f[i] = i == METHOD ? PyCMethod_New(&defs[i], NULL, NULL, &PyList_Type) : function(i);
    PyObject *names = Py_BuildValue("(s)", "k"), *kwargs = Py_BuildValue("{s:i}", "k", 2), *pair = Py_BuildValue("(ii)", 1, 2);

    assert_repr(PyObject_CallOneArg(f[O], two), "('o', 2)");
    assert_repr(PyObject_Vectorcall(f[VARARGS], args + 1, 2, NULL), "('varargs', (1, 2))");
    assert_repr(PyObject_Vectorcall(f[KEYWORDS], args + 1, 1, names), "('keywords', (1,), {'k': 2})");
    assert_repr(PyObject_Call(f[KEYWORDS], pair, kwargs), "('keywords', (1, 2), {'k': 2})");
    assert_repr(PyObject_Call(f[KEYWORDS], pair, NULL), "('keywords', (1, 2), None)");
    assert_repr(PyObject_Call(f[FAST], pair, NULL), "('fast', 2)");
    assert_repr(PyObject_Call(f[FAST_KEYWORDS], pair, kwargs), "('fast keywords', 2, ('k',))");
    assert_repr(PyObject_VectorcallDict(f[FAST_KEYWORDS], args + 1, 1, kwargs), "('fast keywords', 1, ('k',))");
    assert_repr(PyObject_Vectorcall(f[METHOD], args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL),
                "('method', 'list', 3)");
    assert_repr(PyObject_CallFunction(f[FAST], "ii", 1, 2), "('fast', 2)");
    assert_repr(PyObject_CallFunction(f[FAST], "(iii)", 1, 2, 3), "('fast', 3)");
    assert_repr(PyObject_CallFunction(f[FAST], NULL), "('fast', 0)");
    assert_repr(PyObject_CallFunctionObjArgs(f[FAST], one, two, one, two, one, two, one, two, NULL), "('fast', 8)");

    assert_null(PyObject_CallNoArgs(f[O]));
    assert_error(PyExc_TypeError, "o() takes exactly one argument (0 given)");
    assert_null(PyObject_CallOneArg(f[NOARGS], one));
    assert_error(PyExc_TypeError, "noargs() takes no arguments (1 given)");
    assert_null(PyObject_Call(f[FAST], pair, kwargs));
    assert_error(PyExc_TypeError, "fast() takes no keyword arguments");
    assert_null(PyObject_Call(f[VARARGS], pair, kwargs));
    assert_error(PyExc_TypeError, "varargs() takes no keyword arguments");
    assert_null(PyObject_CallNoArgs(f[NULL_RESULT]));
    assert_error(PyExc_SystemError, "<built-in function null> returned NULL without setting an exception");
    assert_null(PyObject_CallNoArgs(f[BOTH]));
    assert_error(PyExc_SystemError, "<built-in function both> returned a result with an exception set");
    assert_null(PyCFunction_New(&defs[BAD], NULL));
    assert_error(PyExc_SystemError, "bad() method: bad call flags");
    assert_null(PyObject_CallNoArgs(one));
    assert_error(PyExc_TypeError, "'int' object is not callable");

    PyObject *signature = PyObject_GetAttrString(f[NOARGS], "__text_signature__");
    assert_repr(signature, "'($module)'");
    assert_repr(PyObject_GetAttrString(f[NOARGS], "__doc__"), "'Text.'");
    for (int i = 0; i < BAD; i++)
        Py_DECREF(f[i]);
    Py_DECREF(names);
    Py_DECREF(kwargs);
    Py_DECREF(pair);
}

static void test_methods(void **state)
{
    (void)state;
    PyObject *list = PyList_New(0);
    PyObject *result = PyObject_CallMethod(list, "append", "i", 5);
    assert_ptr_equal(result, Py_None);
    PyObject *name = PyUnicode_FromString("append");
    assert_ptr_equal(PyObject_CallMethodOneArg(list, name, value_from_int(6)), Py_None);
    assert_ptr_equal(PyObject_CallMethodObjArgs(list, name, value_from_int(7), NULL), Py_None);
    PyObject *method;
    assert_int_equal(_PyObject_GetMethod(list, name, &method), 1);
    Py_DECREF(method);
    Py_DECREF(name);
    assert_null(PyObject_CallMethod(list, "nothing", NULL));
    assert_error(PyExc_AttributeError, "'list' object has no attribute 'nothing'");
    assert_repr(list, "[5, 6, 7]");
    assert_repr(PyObject_CallMethod(value_from_int(5), "bit_length", NULL), "3");
}

static void test_operators(void **state)
{
    (void)state;
    PyObject *one = value_from_int(1), *text = PyUnicode_FromString("a"), *pair = Py_BuildValue("(ii)", 1, 2);
    assert_null(PyNumber_Add(one, text));
    assert_error(PyExc_TypeError, "unsupported operand type(s) for +: 'int' and 'str'");
    assert_null(PyNumber_InPlaceSubtract(text, one));
    assert_error(PyExc_TypeError, "unsupported operand type(s) for -=: 'str' and 'int'");
    assert_null(PyNumber_Power(text, one, Py_None));
    assert_error(PyExc_TypeError, "unsupported operand type(s) for ** or pow(): 'str' and 'int'");
    assert_null(PyNumber_Negative(text));
    assert_error(PyExc_TypeError, "bad operand type for unary -: 'str'");
    assert_null(PyNumber_Multiply(pair, text));
    assert_error(PyExc_TypeError, "can't multiply sequence by non-int of type 'str'");
    assert_null(PyNumber_Index(text));
    assert_error(PyExc_TypeError, "'str' object cannot be interpreted as an integer");
    assert_null(PyObject_GetItem(one, one));
    assert_error(PyExc_TypeError, "'int' object is not subscriptable");
    assert_int_equal(PyObject_SetItem(pair, one, one), -1);
    assert_error(PyExc_TypeError, "'tuple' object does not support item assignment");
    assert_int_equal(PyObject_Size(one), -1);
    assert_error(PyExc_TypeError, "object of type 'int' has no len()");
    assert_null(PyObject_GetIter(one));
    assert_error(PyExc_TypeError, "'int' object is not iterable");
    assert_repr(PyNumber_Multiply(value_from_int(2), pair), "(1, 2, 1, 2)");
    assert_repr(PyNumber_Add(value_from_int(IMMEDIATE_INT_MAX - 1), one), "2305843009213693952");
    assert_repr(PySequence_Concat(pair, pair), "(1, 2, 1, 2)");
    assert_int_equal(PySequence_Contains(pair, one), 1);
    assert_int_equal(PySequence_Index(pair, value_from_int(2)), 1);
    assert_int_equal(PyObject_IsInstance(one, (PyObject *)&PyLong_Type), 1);
    assert_int_equal(PyObject_IsSubclass((PyObject *)&PyBool_Type, (PyObject *)&PyLong_Type), 1);
    Py_DECREF(text);
    Py_DECREF(pair);
}

static void test_slices(void **state)
{
    (void)state;
    /* against the definition, for all small bounds */
    for (Py_ssize_t length = 0; length < 5; length++) {
        for (Py_ssize_t a = -7; a < 8; a++) {
            for (Py_ssize_t b = -7; b < 8; b++) {
                for (Py_ssize_t step = -3; step <= 3; step++) {
                    if (step == 0)
                        continue;
                    Py_ssize_t start = a, stop = b, n = 0;
                    Py_ssize_t count = PySlice_AdjustIndices(length, &start, &stop, step);
                    for (Py_ssize_t i = start; step > 0 ? i < stop : i > stop; i += step, n++)
                        assert_true(i >= 0 && i < length);
                    assert_int_equal(count, n);
                }
            }
        }
    }
    PyObject *s = PySlice_New(NULL, value_from_int(5), value_from_int(-1));
    Py_ssize_t start, stop, step, n;
    assert_int_equal(PySlice_GetIndicesEx(s, 10, &start, &stop, &step, &n), 0);
    assert_int_equal(start, 9);
    assert_int_equal(n, 4);
    assert_repr(s, "slice(None, 5, -1)");
    s = PySlice_New(NULL, NULL, value_from_int(0));
    assert_int_equal(PySlice_Unpack(s, &start, &stop, &step), -1);
    assert_error(PyExc_ValueError, "slice step cannot be zero");
    Py_DECREF(s);
}

static void test_ranges(void **state)
{
    (void)state;
    static const int64_t bounds[][4] = {
        {0, 10, 1, 10}, {0, 10, 3, 4}, {10, 0, -3, 4}, {0, 0, 1, 0}, {5, 0, 1, 0},
        {IMMEDIATE_INT_MAX - 3, IMMEDIATE_INT_MAX - 1, 1, 2},
        {-IMMEDIATE_INT_MAX, IMMEDIATE_INT_MAX - 1, IMMEDIATE_INT_MAX - 1, 3},
        {0, 10, IMMEDIATE_INT_MAX - 1, 1},
    };
    for (size_t k = 0; k < Py_ARRAY_LENGTH(bounds); k++) {
        int64_t start = bounds[k][0], end, step;
        PyObject *r = range_new_from_ints(start, bounds[k][1], bounds[k][2]);
        assert_non_null(r);
        assert_int_equal(PyObject_Size(r), bounds[k][3]);
        assert_true(range_get_small(r, &start, &end, &step));
        PyObject *it = PyObject_GetIter(r), *item;
        int64_t n = 0;
        while ((item = PyIter_Next(it)) != NULL) {
            assert_true(value_is_int(item));
            assert_int_equal(value_get_int(item), start + n * step);
            assert_int_equal(PySequence_Contains(r, item), 1);
            n++;
        }
        assert_int_equal(n, bounds[k][3]);
        assert_null(PyIter_Next(it));
        Py_DECREF(it);
        Py_DECREF(r);
    }
    PyObject *big = PyObject_CallFunction((PyObject *)&PyRange_Type, "LLL", (long long)1 << 62,
                                          ((long long)1 << 62) + 3, 2LL);
    assert_repr(PySequence_List(big), "[4611686018427387904, 4611686018427387906]");
    Py_DECREF(big);
}

static void test_arguments(void **state)
{
    (void)state;
    PyObject *args = Py_BuildValue("(isd)", 3, "text", 2.5), *out = NULL;
    int i;
    double d;
    const char *s;
    Py_ssize_t n;
    assert_true(PyArg_ParseTuple(args, "isd", &i, &s, &d));
    assert_int_equal(i, 3);
    assert_string_equal(s, "text");
    assert_true(d == 2.5);
    assert_true(PyArg_ParseTuple(args, "OO!d", &out, &PyUnicode_Type, &out, &d));
    assert_true(PyArg_ParseTuple(args, "Os#|dO", &out, &s, &n, &d, &out));
    assert_int_equal(n, 4);
    assert_false(PyArg_ParseTuple(args, "ii:name", &i, &i));
    assert_error(PyExc_TypeError, "name() takes exactly 2 arguments (3 given)");
    assert_false(PyArg_ParseTuple(args, "iid:name", &i, &i, &d));
    assert_error(PyExc_TypeError, "'str' object cannot be interpreted as an integer");

    static char *keywords[] = {"", "b", "c", NULL};
    PyObject *one = Py_BuildValue("(i)", 1), *kwargs = Py_BuildValue("{s:i}", "c", 7), *wrong = Py_BuildValue("{s:i}", "x", 7);
    int a = 0, b = 0, c = 0;
    assert_true(PyArg_ParseTupleAndKeywords(one, kwargs, "i|ii:f", keywords, &a, &b, &c));
    assert_int_equal(a, 1);
    assert_int_equal(b, 0);
    assert_int_equal(c, 7);
    assert_false(PyArg_ParseTupleAndKeywords(one, wrong, "i|ii:f", keywords, &a, &b, &c));
    assert_error(PyExc_TypeError, "'x' is an invalid keyword argument for f()");
    assert_false(PyArg_ParseTupleAndKeywords(one, kwargs, "iii:f", keywords, &a, &b, &c));
    assert_error(PyExc_TypeError, "f() missing required argument 'b' (pos 2)");
    Py_DECREF(args);
    Py_DECREF(one);
    Py_DECREF(kwargs);
    Py_DECREF(wrong);
}

static void test_c_numbers(void **state)
{
    (void)state;
    char *end;
    assert_int_equal(PyOS_strtoul("0x1fz", &end, 0), 0x1f);
    assert_string_equal(end, "z");
    assert_int_equal(PyOS_strtoul("0b101", &end, 0), 5);
    assert_int_equal(PyOS_strtoul("0x", &end, 0), 0);
    assert_string_equal(end, "x");
    assert_int_equal(PyOS_strtol("-9223372036854775808", &end, 10), LONG_MIN);
    errno = 0;
    assert_int_equal(PyOS_strtol("9223372036854775808", &end, 10), LONG_MAX);
    assert_int_equal(errno, ERANGE);
    for (int ch = 0; ch < 128; ch++) {
        assert_int_equal(Py_TOLOWER(ch), ch >= 'A' && ch <= 'Z' ? ch + 32 : ch);
        assert_int_equal(Py_TOUPPER(ch), ch >= 'a' && ch <= 'z' ? ch - 32 : ch);
        assert_int_equal(!Py_ISXDIGIT(ch), !isxdigit(ch));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),     cmocka_unit_test(test_methods),   cmocka_unit_test(test_operators),
        cmocka_unit_test(test_slices),    cmocka_unit_test(test_ranges),    cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_c_numbers),
    };
    Py_InitializeEx(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
