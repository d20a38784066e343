/* str: storage, interning, hashing, in-place appending, the writer, searching, UTF-8 and its cache.
 * What Python code can see is compared with another interpreter by Tests/python/str_cases.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "Python.h"

#include "internal/string_format.h"
#include "internal/unicode.h"
#include "internal/unicode_writer.h"

/* ---- Help ---- */

/* The string is in its canonical form and ends with a zero. */
static void unicode_check(PyObject *str)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    Py_UCS4 max = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        max = Py_MAX(max, PyUnicode_READ(kind, data, i));
    assert_int_equal(kind, max < 256 ? 1 : max < 65536 ? 2 : 4);
    assert_int_equal(PyUnicode_IS_ASCII(str), max < 128);
    assert_int_equal(PyUnicode_READ(kind, data, n), 0);
    assert_int_equal((uintptr_t)data % (unsigned)kind, 0);
}

static void assert_text(PyObject *str, const char *utf8)
{
    assert_non_null(str);
    unicode_check(str);
    assert_string_equal(PyUnicode_AsUTF8(str), utf8);
    Py_DECREF(str);
}

static void assert_error(PyObject *type)
{
    assert_non_null(PyErr_Occurred());
    assert_true(PyErr_ExceptionMatches(type));
    PyErr_Clear();
}

/* ---- Hashing ---- */

static void test_siphash(void **state)
{
    /* SipHash-1-3 with the key 0 of 00 01 02 .. (n - 1), as CPython with PYTHONHASHSEED=0 has it. */
    static const struct { int n; uint64_t hash; } vectors[] = {
        {1, 0x68a914128e01e473u}, {2, 0x010bac45c41e3669u}, {3, 0x4d4c9a4a8ef6e0adu}, {7, 0x2f098ab0c751325au},
        {8, 0xead411e67ebe2eeau}, {9, 0x75927f9d95124362u}, {15, 0xf30eb725bb91c9eau}, {16, 0x8972188433a5c5b7u},
    };
    unsigned char data[16];
    for (int i = 0; i < 16; i++)
        data[i] = (unsigned char)i;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(vectors); i++)
        assert_int_equal(hash_siphash13(0, 0, data, vectors[i].n), vectors[i].hash);
}

static void test_hash_of_equal_strings(void **state)
{
    PyObject *a = PyUnicode_FromString("some text"), *b = PyUnicode_FromString("some text");
    PyObject *bytes = PyBytes_FromStringAndSize("some text", 9);
    assert_int_equal(PyObject_Hash(a), PyObject_Hash(b));
    assert_int_equal(PyObject_Hash(a), PyObject_Hash(bytes));
    assert_true(unicode_equal(a, b));
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(bytes);
    assert_int_equal(unicode_hash(unicode_empty()), 0);
}

/* ---- Storage ---- */

static void test_kinds(void **state)
{
    static const Py_UCS4 widest[] = {'a', 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(widest); i++) {
        Py_UCS4 text[3] = {'x', widest[i], 'y'};
        PyObject *str = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, text, 3);
        unicode_check(str);
        assert_int_equal(PyUnicode_ReadChar(str, 1), widest[i]);
        PyObject *part = PyUnicode_Substring(str, 0, 1);
        assert_ptr_equal(part, unicode_latin1('x'));
        PyObject *twice = PyUnicode_Concat(str, str);
        unicode_check(twice);
        assert_int_equal(PyUnicode_Find(twice, str, 1, 100, 1), 3);
        assert_int_equal(PyUnicode_Find(twice, str, 0, 100, -1), 3);
        assert_int_equal(PyUnicode_Count(twice, str, 0, 100), 2);
        Py_DECREF(twice);
        Py_DECREF(str);
    }
    assert_null(PyUnicode_FromOrdinal(0x110000));
    assert_error(PyExc_ValueError);
}

static void test_small_strings_are_static(void **state)
{
    for (int c = 0; c < 256; c++) {
        PyObject *one = PyUnicode_FromOrdinal(c);
        assert_ptr_equal(one, unicode_latin1((unsigned char)c));
        unicode_check(one);
    }
    assert_ptr_equal(PyUnicode_FromString(""), unicode_empty());
    assert_ptr_equal(PyUnicode_New(0, 127), unicode_empty());
}

/* ---- Interning ---- */

static void test_interning(void **state)
{
    PyObject *a = PyUnicode_FromFormat("intern-%d", 4711), *b = PyUnicode_FromFormat("intern-%d", 4711);
    PyObject *kept = Py_NewRef(a);
    assert_ptr_not_equal(a, b);
    PyUnicode_InternInPlace(&a);        /* a has a second reference: a copy is interned */
    PyUnicode_InternInPlace(&b);
    assert_ptr_equal(a, b);
    assert_true(object_is_immortal(a));
    assert_false(unicode_is_interned(kept));
    assert_true(unicode_equal(a, kept));
    Py_DECREF(kept);
    PyObject *init = PyUnicode_InternFromString("__init__");
    assert_ptr_equal(init, STR(__init__));
    PyObject *single = PyUnicode_InternFromString("q");
    assert_ptr_equal(single, unicode_latin1('q'));
}

enum { THREADS = 4, NAMES = 2000 };
static PyObject *interned[THREADS][NAMES];

static void *intern_names(void *arg)
{
    int me = (int)(intptr_t)arg;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "racing_name_%d", (i * 7 + me * 13) % NAMES);
        interned[me][(i * 7 + me * 13) % NAMES] = PyUnicode_InternFromString(name);
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_racing_interning(void **state)
{
    pthread_t threads[THREADS];
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, intern_names, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    Py_END_ALLOW_THREADS
    for (int i = 0; i < NAMES; i++)
        for (int t = 1; t < THREADS; t++)
            assert_ptr_equal(interned[t][i], interned[0][i]);
}

/* ---- Building ---- */

static void test_append(void **state)
{
    PyObject *str = PyUnicode_FromString("ab");
    PyObject *piece = PyUnicode_FromString("xyz");
    for (int i = 0; i < 20000; i++)
        PyUnicode_Append(&str, piece);
    unicode_check(str);
    assert_int_equal(PyUnicode_GET_LENGTH(str), 60002);
    assert_int_equal(PyUnicode_READ_CHAR(str, 60001), 'z');
    PyObject *shared = Py_NewRef(str);
    PyUnicode_Append(&str, piece);
    assert_ptr_not_equal(str, shared);
    assert_int_equal(PyUnicode_GET_LENGTH(shared), 60002);
    Py_DECREF(shared);
    Py_DECREF(piece);
    piece = PyUnicode_FromString("\xe2\x82\xac");
    PyUnicode_Append(&str, piece);
    unicode_check(str);
    PyUnicode_Append(&str, str);
    assert_int_equal(PyUnicode_GET_LENGTH(str), 2 * 60006);
    Py_DECREF(piece);
    Py_DECREF(str);
}

static void test_append_forgets_hash(void **state)
{
    PyObject *str = PyUnicode_FromString("\xc3\xa9" "ab"), *more = PyUnicode_FromString("cd");
    unicode_hash(str);
    assert_string_equal(PyUnicode_AsUTF8(str), "\xc3\xa9" "ab");
    PyUnicode_Append(&str, more);
    PyObject *same = PyUnicode_FromString("\xc3\xa9" "abcd");
    assert_int_equal(unicode_hash(str), unicode_hash(same));
    assert_string_equal(PyUnicode_AsUTF8(str), "\xc3\xa9" "abcd");
    Py_DECREF(str);
    Py_DECREF(same);
    Py_DECREF(more);
}

static void test_writer(void **state)
{
    unicode_writer_t w;
    unicode_writer_init(&w);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(unicode_writer_write_char(&w, 'a'), 0);
    assert_int_equal(unicode_writer_write_char(&w, 0xe9), 0);
    assert_int_equal(unicode_writer_write_char(&w, 0x20ac), 0);
    assert_int_equal(unicode_writer_fill(&w, 0x1f600, 3), 0);
    assert_int_equal(unicode_writer_write_ascii(&w, "end", -1), 0);
    PyObject *str = unicode_writer_finish(&w);
    unicode_check(str);
    assert_int_equal(PyUnicode_GET_LENGTH(str), 1008);
    assert_int_equal(PyUnicode_READ_CHAR(str, 1000), 0xe9);
    assert_int_equal(PyUnicode_READ_CHAR(str, 1004), 0x1f600);
    Py_DECREF(str);
    unicode_writer_init(&w);
    assert_ptr_equal(unicode_writer_finish(&w), unicode_empty());
}

static void test_join_array(void **state)
{
    PyObject *items[3] = {PyUnicode_FromString("a"), PyUnicode_FromString("\xe2\x82\xac"), PyUnicode_FromString("bc")};
    assert_text(unicode_join_array(items, 3), "a\xe2\x82\xac" "bc");
    assert_text(unicode_join_array(items, 0), "");
    assert_text(_PyUnicode_JoinArray(items[2], items, 3), "abc\xe2\x82\xac" "bcbc");
    Py_DECREF(items[1]);
    Py_DECREF(items[2]);
}

static void test_from_format(void **state)
{
    PyObject *str = PyUnicode_FromString("\xc3\xa9t\xc3\xa9");
    assert_text(PyUnicode_FromFormat("%d|%5d|%-5d|%05d|%.4d", 1, 2, 3, -4, 5), "1|    2|3    |-0004|0005");
    assert_text(PyUnicode_FromFormat("%zd %lu %llx %i", (Py_ssize_t)-1, 2ul, 255ull, 3), "-1 2 ff 3");
    assert_text(PyUnicode_FromFormat("%s %.2s %5s|%-5s|", "abc", "abc", "abc", "abc"), "abc ab   abc|abc  |");
    assert_text(PyUnicode_FromFormat("%U %R %A %S %V %V", str, str, str, str, NULL, "x", str, "y"),
                "\xc3\xa9t\xc3\xa9 '\xc3\xa9t\xc3\xa9' '\\xe9t\\xe9' \xc3\xa9t\xc3\xa9 x \xc3\xa9t\xc3\xa9");
    assert_text(PyUnicode_FromFormat("%c%c%%", 'a', 0x20ac), "a\xe2\x82\xac%");
    assert_text(PyUnicode_FromFormat("%s", "\xff"), "\xef\xbf\xbd");
    assert_text(PyUnicode_FromFormat("%p", (void *)0x1234), "0x1234");
    assert_null(PyUnicode_FromFormat("%y", 1));
    assert_error(PyExc_SystemError);
    Py_DECREF(str);
}

/* ---- Searching ---- */

static void test_search_against_model(void **state)
{
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        Py_UCS4 text[64], sub[4], base = round % 3 == 0 ? 'a' : round % 3 == 1 ? 0x101 : 0x10101;
        int n, m;
        seed = seed * 1103515245u + 12345u;
        n = (int)(seed >> 16) % 64;
        m = 1 + (int)(seed >> 24) % 3;
        for (int i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = (seed >> 20) & 1 ? base : base & 0xff;
        }
        for (int i = 0; i < m; i++) {
            seed = seed * 1103515245u + 12345u;
            sub[i] = (seed >> 20) & 1 ? base : base & 0xff;
        }
        int first = -1, last = -1, count = 0, next = 0;
        for (int i = 0; i + m <= n; i++) {
            if (memcmp(text + i, sub, (size_t)m * sizeof(Py_UCS4)) != 0)
                continue;
            first = first < 0 ? i : first;
            last = i;
            if (i >= next) {
                count++;
                next = i + m;
            }
        }
        PyObject *str = PyUnicode_FromKindAndData(4, text, n), *part = PyUnicode_FromKindAndData(4, sub, m);
        assert_int_equal(PyUnicode_Find(str, part, 0, n, 1), first);
        assert_int_equal(PyUnicode_Find(str, part, 0, n, -1), last);
        assert_int_equal(PyUnicode_Count(str, part, 0, n), count);
        Py_DECREF(str);
        Py_DECREF(part);
    }
}

/* ---- UTF-8 ---- */

static PyObject *shared_text;

static void *read_utf8(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < 1000; i++) {
        Py_ssize_t size;
        const char *utf8 = PyUnicode_AsUTF8AndSize(shared_text, &size);
        if (utf8 == NULL || size != 6 || strcmp(utf8, "\xe2\x82\xac\xc3\xa9x") != 0)
            abort();
    }
    PyGILState_Release(gil);
    return NULL;
}

static void test_racing_utf8_cache(void **state)
{
    for (int round = 0; round < 50; round++) {
        shared_text = PyUnicode_FromString("\xe2\x82\xac\xc3\xa9x");
        object_publish(shared_text);
        pthread_t threads[THREADS];
        Py_BEGIN_ALLOW_THREADS
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, read_utf8, NULL);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        Py_END_ALLOW_THREADS
        Py_DECREF(shared_text);
    }
}

static void test_utf8_round_trip(void **state)
{
    for (Py_UCS4 ch = 1; ch < 0x110000; ch += ch < 0x3000 ? 1 : 97) {
        if (Py_UNICODE_IS_SURROGATE(ch))
            continue;
        Py_UCS4 text[2] = {ch, 'a'};
        PyObject *str = PyUnicode_FromKindAndData(4, text, 2);
        PyObject *bytes = PyUnicode_AsUTF8String(str);
        PyObject *back = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), NULL);
        unicode_check(back);
        assert_true(unicode_equal(str, back));
        Py_DECREF(str);
        Py_DECREF(bytes);
        Py_DECREF(back);
    }
    assert_null(PyUnicode_DecodeUTF8("a\xff", 2, NULL));
    assert_error(PyExc_UnicodeDecodeError);
    Py_ssize_t consumed;
    assert_text(PyUnicode_DecodeUTF8Stateful("a\xe2\x82", 3, NULL, &consumed), "a");
    assert_int_equal(consumed, 1);
}

static void test_well_known_strings(void **state)
{
    PyObject *strings[] = {
#define S(name) (PyObject *)&well_known_strings.name_##name,
#define T(name, text) (PyObject *)&well_known_strings.name_##name,
#include "../../Objects/well_known_strings.def"
#undef S
#undef T
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(strings); i++) {
        unicode_check(strings[i]);
        PyObject *interned_string = PyUnicode_InternFromString(PyUnicode_AsUTF8(strings[i]));
        assert_ptr_equal(interned_string, strings[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_hash_of_equal_strings),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_small_strings_are_static),
        cmocka_unit_test(test_interning),
        cmocka_unit_test(test_racing_interning),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_append_forgets_hash),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_join_array),
        cmocka_unit_test(test_from_format),
        cmocka_unit_test(test_search_against_model),
        cmocka_unit_test(test_racing_utf8_cache),
        cmocka_unit_test(test_utf8_round_trip),
        cmocka_unit_test(test_well_known_strings),
    };
    Py_InitializeEx(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
