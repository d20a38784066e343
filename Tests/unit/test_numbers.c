/* int and float: immediates and heap objects, limits of conversions, shortest digits.
 * What Python code can see is compared with another interpreter by Tests/python/number_cases.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "Python.h"

#include "internal/float_internal.h"
#include "internal/long.h"

/* ---- Help ---- */

/* The value is in its canonical form: immediate if it fits, else with a top limb that is not 0. */
static PyObject *long_check(PyObject *op)
{
    assert_non_null(op);
    assert_true(PyLong_CheckExact(op));
    if (!value_is_int(op)) {
        long_view_t v;
        long_view(op, &v);
        assert_true(v.size > 0);
        assert_true(v.limbs[v.size - 1] != 0);
        assert_true(v.size > 1 || v.limbs[0] > (uint64_t)IMMEDIATE_INT_MAX - !v.negative);
    }
    return op;
}

static void assert_long(PyObject *op, const char *text)
{
    PyObject *str = PyObject_Str(long_check(op));
    assert_string_equal(PyUnicode_AsUTF8(str), text);
    Py_DECREF(str);
    Py_DECREF(op);
}

static void assert_error(PyObject *type, const char *text)
{
    PyObject *t, *value, *traceback;
    assert_true(PyErr_ExceptionMatches(type));
    PyErr_Fetch(&t, &value, &traceback);
    PyErr_NormalizeException(&t, &value, &traceback);
    PyObject *str = PyObject_Str(value);
    assert_string_equal(PyUnicode_AsUTF8(str), text);
    Py_DECREF(str);
    Py_XDECREF(t);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

/* An int of up to 200 bits; often near a power of two. */
static PyObject *random_long(void)
{
    mp_limb_t limbs[4] = {next_random(), next_random(), next_random(), next_random()};
    mp_size_t n = (mp_size_t)(next_random() % 4);
    if (n > 0 && next_random() % 3 == 0) {
        memset(limbs, next_random() % 2 ? 0xff : 0, sizeof(limbs));
        limbs[n - 1] = ((uint64_t)1 << next_random() % 64) + next_random() % 3 - 1;
    }
    else if (n > 0)
        limbs[n - 1] >>= next_random() % 64;
    return long_from_limbs(limbs, n, next_random() % 2 && n > 0);
}

/* ---- int ---- */

static void test_limits_of_immediates(void **state)
{
    assert_true(value_is_int(PyLong_FromLong(IMMEDIATE_INT_MAX - 1)));
    assert_true(value_is_int(PyLong_FromLong(-IMMEDIATE_INT_MAX)));
    PyObject *above = long_check(PyLong_FromLong(IMMEDIATE_INT_MAX)), *below = long_check(PyLong_FromLong(-IMMEDIATE_INT_MAX - 1));
    assert_false(value_is_int(above));
    assert_false(value_is_int(below));
    assert_ptr_equal(long_check(long_subtract(above, value_from_int(1))), value_from_int(IMMEDIATE_INT_MAX - 1));
    assert_ptr_equal(long_check(long_add(below, value_from_int(1))), value_from_int(-IMMEDIATE_INT_MAX));
    assert_ptr_equal(long_check(long_negative(above)), value_from_int(-IMMEDIATE_INT_MAX));
    Py_DECREF(above);
    Py_DECREF(below);
    assert_long(long_multiply(value_from_int(-IMMEDIATE_INT_MAX), value_from_int(-1)), "2305843009213693952");
    assert_long(PyLong_FromUnsignedLong(ULONG_MAX), "18446744073709551615");
    assert_long(PyLong_FromLong(LONG_MIN), "-9223372036854775808");
}

/* a == (a // b) * b + a % b; shifts undo each other; bit operations agree with arithmetic. */
static void test_laws(void **state)
{
    for (int i = 0; i < 20000; i++) {
        PyObject *a = long_check(random_long()), *b = long_check(random_long()), *q, *r;
        if (!long_is_zero(b)) {
            assert_int_equal(long_divmod(a, b, &q, &r), 0);
            PyObject *product = long_check(long_multiply(long_check(q), b)), *sum = long_check(long_add(product, long_check(r)));
            assert_int_equal(long_compare(sum, a), 0);
            assert_true(long_is_zero(r) || long_is_negative(r) == long_is_negative(b));
            Py_DECREF(q);
            Py_DECREF(r);
            Py_DECREF(product);
            Py_DECREF(sum);
        }
        size_t count = next_random() % 150;
        PyObject *up = long_check(long_shift_left(a, count)), *down = long_check(long_shift_right(up, count));
        assert_int_equal(long_compare(a, down), 0);
        PyObject *and = long_check(long_and(a, b)), *or = long_check(long_or(a, b)), *xor = long_check(long_xor(a, b));
        PyObject *sum = long_add(a, b), *parts = long_add(and, or), *both = long_add(xor, and);
        assert_int_equal(long_compare(sum, parts), 0);
        assert_int_equal(long_compare(both, or), 0);
        PyObject *objects[] = {a, b, up, down, and, or, xor, sum, parts, both};
        for (size_t j = 0; j < Py_ARRAY_LENGTH(objects); j++)
            Py_DECREF(objects[j]);
    }
}

static void test_bytes_round_trip(void **state)
{
    unsigned char bytes[40];
    for (int i = 0; i < 5000; i++) {
        PyObject *a = random_long();
        int little = i & 1;
        assert_int_equal(_PyLong_AsByteArray((PyLongObject *)a, bytes, sizeof(bytes), little, 1), 0);
        PyObject *back = long_check(_PyLong_FromByteArray(bytes, sizeof(bytes), little, 1));
        assert_int_equal(long_compare(a, back), 0);
        assert_int_equal(long_hash(a), long_hash(back));
        Py_DECREF(a);
        Py_DECREF(back);
    }
    assert_int_equal(_PyLong_AsByteArray((PyLongObject *)value_from_int(128), bytes, 1, 1, 1), -1);
    assert_error(PyExc_OverflowError, "int too big to convert");
    assert_int_equal(_PyLong_AsByteArray((PyLongObject *)value_from_int(-128), bytes, 1, 1, 1), 0);
    assert_int_equal(_PyLong_AsByteArray((PyLongObject *)value_from_int(-1), bytes, 1, 1, 0), -1);
    assert_error(PyExc_OverflowError, "can't convert negative int to unsigned");
}

static void test_conversion_errors(void **state)
{
    PyObject *big = PyLong_FromString("123456789012345678901234567890", NULL, 10);
    assert_int_equal(PyLong_AsLong(big), -1);
    assert_error(PyExc_OverflowError, "Python int too large to convert to C long");
    assert_int_equal(PyLong_AsSsize_t(big), -1);
    assert_error(PyExc_OverflowError, "Python int too large to convert to C ssize_t");
    assert_int_equal(PyLong_AsInt(value_from_int((int64_t)1 << 31)), -1);
    assert_error(PyExc_OverflowError, "Python int too large to convert to C int");
    assert_true(PyLong_AsUnsignedLong(value_from_int(-1)) == (unsigned long)-1);
    assert_error(PyExc_OverflowError, "can't convert negative value to unsigned int");
    assert_true(PyLong_AsSize_t(Py_None) == (size_t)-1);
    assert_error(PyExc_TypeError, "an integer is required");
    int overflow;
    assert_int_equal(PyLong_AsLongAndOverflow(big, &overflow), -1);
    assert_int_equal(overflow, 1);
    assert_true(PyLong_AsUnsignedLongMask(value_from_int(-1)) == ULONG_MAX);
    Py_DECREF(big);
    assert_null(PyLong_FromString("12x", NULL, 10));
    assert_error(PyExc_ValueError, "invalid literal for int() with base 10: '12x'");
}

static void test_bool(void **state)
{
    assert_ptr_equal(PyBool_FromLong(7), Py_True);
    assert_true(PyLong_Check(Py_True) && !PyLong_CheckExact(Py_True));
    assert_int_equal(PyLong_AsLong(Py_True), 1);
    assert_ptr_equal(long_add(Py_True, Py_True), value_from_int(2));
    assert_ptr_equal(long_and(Py_False, value_from_int(3)), value_from_int(0));
    assert_int_equal(long_compare(Py_True, value_from_int(1)), 0);
}

/* ---- float ---- */

static void test_float_words(void **state)
{
    static const double values[] = {0.0, -0.0, 1.0, -1.5, 1e300, 1e-300, 5e-324, __builtin_inf(), 0x1p-511, 0x1p513, 0x1.8p514};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(values); i++) {
        PyObject *x = PyFloat_FromDouble(values[i]);
        double back = PyFloat_AS_DOUBLE(x);
        assert_true(PyFloat_CheckExact(x));
        assert_memory_equal(&back, &values[i], 8);
        Py_DECREF(x);
    }
    assert_true(value_is_float(PyFloat_FromDouble(0.0)));
}

/* The digits read back, and one digit less does not. */
static void test_shortest_digits(void **state)
{
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random() & ~((uint64_t)1 << 63);
        if (i % 5 == 0)
            bits &= (uint64_t)0x7ff << 52;          /* a power of two: the interval is not symmetric */
        double value, back;
        memcpy(&value, &bits, 8);
        if (!isfinite(value) || value == 0)
            continue;
        char digits[FLOAT_SHORTEST_DIGITS], text[64];
        int point, n = float_shortest_digits(value, digits, &point);
        snprintf(text, sizeof(text), "0.%.*se%d", n, digits, point);
        back = float_strtod(text, NULL);
        assert_true(back == value);
        if (n > 1) {
            snprintf(text, sizeof(text), "%.*e", n - 2, value);
            assert_true(float_strtod(text, NULL) != value);
        }
    }
}

static void test_double_to_string(void **state)
{
    static const struct { double value; char code; int precision, flags; const char *text; } cases[] = {
        {1.0, 'r', 0, Py_DTSF_ADD_DOT_0, "1.0"}, {1e16, 'r', 0, Py_DTSF_ADD_DOT_0, "1e+16"},
        {1e-5, 'r', 0, 0, "1e-05"}, {0.0001, 'r', 0, 0, "0.0001"}, {-0.0, 'r', 0, Py_DTSF_ADD_DOT_0, "-0.0"},
        {-0.001, 'f', 2, Py_DTSF_NO_NEG_0, "0.00"}, {2.5, 'f', 0, 0, "2"}, {2.5, 'f', 0, Py_DTSF_ALT, "2."},
        {1234.5, 'e', 2, Py_DTSF_SIGN, "+1.23e+03"}, {1234.5, 'G', 2, 0, "1.2E+03"}, {100.0, 'g', 5, Py_DTSF_ALT, "100.00"},
        {__builtin_inf(), 'F', 1, Py_DTSF_SIGN, "+INF"}, {0.0, 'g', 1, Py_DTSF_ADD_DOT_0, "0e+00"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(cases); i++) {
        char *text = PyOS_double_to_string(cases[i].value, cases[i].code, cases[i].precision, cases[i].flags, NULL);
        assert_string_equal(text, cases[i].text);
        PyMem_Free(text);
    }
}

static void test_pack(void **state)
{
    char bytes[8];
    for (int i = 0; i < 0x10000; i++) {
        char half[2] = {(char)i, (char)(i >> 8)};
        double x = PyFloat_Unpack2(half, 1);
        if (isnan(x))
            continue;
        assert_int_equal(PyFloat_Pack2(x, bytes, 1), 0);
        assert_memory_equal(bytes, half, 2);
    }
    assert_int_equal(PyFloat_Pack2(65520.0, bytes, 1), -1);
    assert_error(PyExc_OverflowError, "float too large to pack with e format");
    assert_int_equal(PyFloat_Pack4(1e39, bytes, 0), -1);
    assert_error(PyExc_OverflowError, "float too large to pack with f format");
    assert_int_equal(PyFloat_Pack8(-2.5, bytes, 0), 0);
    assert_true(PyFloat_Unpack8(bytes, 0) == -2.5);
}

static void test_compare_with_ints(void **state)
{
    int unordered;
    PyObject *big = PyLong_FromDouble(1e300);
    assert_int_equal(float_compare_long(1e300, big, &unordered), 0);
    PyObject *more = long_add(big, value_from_int(1));
    assert_int_equal(float_compare_long(1e300, more, &unordered), -1);
    assert_int_equal(float_compare_long(9007199254740992.0, value_from_int(9007199254740993), &unordered), -1);
    assert_int_equal(float_compare_long(0.5, value_from_int(0), &unordered), 1);
    assert_int_equal(float_compare_long(-__builtin_inf(), big, &unordered), -1);
    assert_int_equal(_Py_HashDouble(NULL, 1e300), long_hash(big));
    Py_DECREF(big);
    Py_DECREF(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_of_immediates),
        cmocka_unit_test(test_laws),
        cmocka_unit_test(test_bytes_round_trip),
        cmocka_unit_test(test_conversion_errors),
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_float_words),
        cmocka_unit_test(test_shortest_digits),
        cmocka_unit_test(test_double_to_string),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_compare_with_ints),
    };
    Py_InitializeEx(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
