/* The library that the tests of ctypes load: exported functions that take and return values of every kind, and
 * variables. Nothing but the module's init function knows Python. The variables are for one test at a time. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXPORT(type) __attribute__((visibility("default"))) type

/* ---- One value in, a third of it out ---- */

EXPORT(long long) last_tf_arg_s;
EXPORT(unsigned long long) last_tf_arg_u;

/* tf_X takes a value, tf_bX one more in front of it; both leave it in a variable. */
#define THIRD(code, type, last, wide) \
    EXPORT(type) tf_##code(type value); \
    EXPORT(type) tf_b##code(signed char ignored, type value); \
    type tf_##code(type value) \
    { \
        last = (wide)value; \
        return value / 3; \
    } \
    type tf_b##code(signed char ignored, type value) \
    { \
        last = (wide)value; \
        return value / 3; \
    }
#define SIGNED(code, type) THIRD(code, type, last_tf_arg_s, long long)
#define UNSIGNED(code, type) THIRD(code, type, last_tf_arg_u, unsigned long long)

SIGNED(b, signed char)
SIGNED(h, short)
SIGNED(i, int)
SIGNED(l, long)
SIGNED(q, long long)
SIGNED(f, float)
SIGNED(d, double)
SIGNED(D, long double)
UNSIGNED(B, unsigned char)
UNSIGNED(H, unsigned short)
UNSIGNED(I, unsigned)
UNSIGNED(L, unsigned long)
UNSIGNED(Q, unsigned long long)

EXPORT(void) tv_i(int value) { last_tf_arg_s = value; }

/* ---- Many values ---- */

#define SUM(name, type, last_type) \
    EXPORT(type) name(signed char b, short h, int i, long l, float f, last_type d); \
    type name(signed char b, short h, int i, long l, float f, last_type d) { return (type)(b + h + i + l + f + d); }

SUM(_testfunc_i_bhilfd, int, double)
SUM(_testfunc_f_bhilfd, float, double)
SUM(_testfunc_d_bhilfd, double, double)
SUM(_testfunc_D_bhilfD, long double, long double)
SUM(_testfunc_q_bhilfd, long long, double)

EXPORT(long long) _testfunc_q_bhilfdq(signed char b, short h, int i, long l, float f, double d, long long q)
{
    return (long long)(b + h + i + l + f + d + (double)q);
}

EXPORT(void) _testfunc_v(int a, int b, int *sum) { *sum = a + b; }

/* ---- Pointers ---- */

EXPORT(void *) _testfunc_p_p(void *p) { return p; }
EXPORT(void *) _testfunc_c_p_p(int *count, char **strings) { return strings[*count - 1]; }
EXPORT(int *) _testfunc_ai8(int numbers[8]) { return numbers; }

EXPORT(char *) my_strtok(char *text, const char *delimiters) { return strtok(text, delimiters); }
EXPORT(char *) my_strchr(const char *text, int c) { return strchr(text, c); }
EXPORT(void *) get_strchr(void) { return (void *)strchr; }
EXPORT(char *) my_strdup(const char *text) { return strdup(text); }
EXPORT(wchar_t *) my_wcsdup(const wchar_t *text) { return wcsdup(text); }
EXPORT(size_t) my_wcslen(const wchar_t *text) { return wcslen(text); }
EXPORT(void) my_free(void *p) { free(p); }
EXPORT(double) my_sqrt(double x) { return sqrt(x); }

EXPORT(void) my_qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    qsort(base, count, size, compare);
}

EXPORT(int) an_integer = 42;
EXPORT(int) get_an_integer(void) { return an_integer; }

/* ---- Callbacks ---- */

/* Sums the answers for value, value / 2, ... down to 1. */
#define HALVE(name, type) \
    EXPORT(type) name(type value, type (*function)(type)); \
    type name(type value, type (*function)(type)) \
    { \
        type sum = 0; \
        for (; value != 0; value /= 2) \
            sum += function(value); \
        return sum; \
    }

HALVE(_testfunc_callback_i_if, int)
HALVE(_testfunc_callback_q_qf, long long)

EXPORT(int) _testfunc_callback_with_pointer(int (*function)(int *))
{
    static int table[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    return function(table);
}

/* The area under a curve, by the middles of strips. */
EXPORT(double) integrate(double from, double to, double (*function)(double), long strips)
{
    double sum = 0, width = (to - from) / (double)strips;
    for (long i = 0; i < strips; i++)
        sum += function(from + ((double)i + 0.5) * width);
    return sum * width;
}

#define SQUARES(name, type) \
    EXPORT(type) name(type a, type b, type c, type d, type e, type (*function)(type, type, type, type, type)); \
    type name(type a, type b, type c, type d, type e, type (*function)(type, type, type, type, type)) \
    { \
        return function(a * a, b * b, c * c, d * d, e * e); \
    }

SQUARES(_testfunc_cbk_reg_int, int)
SQUARES(_testfunc_cbk_reg_double, double)

/* ---- Structures by value ---- */

typedef struct { unsigned long first, second, third; } large;

EXPORT(void) _testfunc_cbk_large_struct(large in, void (*function)(large)) { function(in); }

EXPORT(void) _testfunc_large_struct_update_value(large in)
{
    volatile large *own = &in;          /* the caller must not see this */
    own->first = own->second = own->third = 0x0badf00d;
}

typedef struct { unsigned first, second; } small;
EXPORT(small) last_tfrsuv_arg;

EXPORT(void) _testfunc_reg_struct_update_value(small in)
{
    last_tfrsuv_arg = in;
    volatile small *own = &in;
    own->first = own->second = 0x0badf00d;
}

typedef struct { int x, y; } point;

EXPORT(int) _testfunc_byval(point in, point *out)
{
    if (out != NULL)
        *out = in;
    return in.x + in.y;
}

typedef struct { short x, y; } two_shorts;
typedef struct { int a, b, c, d, e, f, g, h; } eight_ints;

EXPORT(two_shorts) ret_2h_func(two_shorts in)
{
    in.x = (short)(in.x * 2);
    in.y = (short)(in.y * 3);
    return in;
}

EXPORT(eight_ints) ret_8i_func(eight_ints in)
{
    return (eight_ints){in.a * 2, in.b * 3, in.c * 4, in.d * 5, in.e * 6, in.f * 7, in.g * 8, in.h * 9};
}

typedef struct { unsigned char data[16]; } bytes16;
typedef struct { double data[2]; } two_doubles;
typedef struct { float data[2], more_data[2]; } four_floats;

EXPORT(int) _testfunc_array_in_struct1(bytes16 in)
{
    int sum = 0;
    for (int i = 0; i < 16; i++)
        sum += in.data[i];
    return sum;
}

EXPORT(double) _testfunc_array_in_struct2(two_doubles in) { return in.data[0] + in.data[1]; }

EXPORT(double) _testfunc_array_in_struct2a(four_floats in)
{
    return in.data[0] + in.data[1] + in.more_data[0] + in.more_data[1];
}

typedef struct { long x, y; } place;
typedef struct { long left, top, right, bottom; } rectangle;
EXPORT(long) left = 10;
EXPORT(long) top = 20;
EXPORT(long) right = 30;
EXPORT(long) bottom = 40;

EXPORT(int) PointInRect(const rectangle *r, place p)
{
    return p.x >= r->left && p.x <= r->right && p.y >= r->top && p.y <= r->bottom;
}

static int is_the_rectangle(const rectangle *r)
{
    return r->left == left && r->top == top && r->right == right && r->bottom == bottom;
}

/* One of the rectangles, if all arguments came as the test gives them. */
EXPORT(rectangle) ReturnRect(int which, rectangle a, const rectangle *b, place c, rectangle d, const rectangle *e,
                             place f, rectangle g)
{
    rectangle wrong = {-1, -1, -1, -1};
    if (!is_the_rectangle(&a) || !is_the_rectangle(b) || !is_the_rectangle(&d) || !is_the_rectangle(e)
        || !is_the_rectangle(&g) || !PointInRect(b, c) || !PointInRect(e, f))
        return wrong;
    switch (which) {
    case 0: return a;
    case 1: return d;
    case 2: return g;
    default: return *e;
    }
}

/* ---- Unions ---- */

typedef union {
    long a_long;
    struct { int an_int, another_int; } a_struct;
} number_union;
typedef struct {
    int an_int;
    struct { int an_int; number_union a_union; } nested;
    int another_int;
} nested_union;
typedef union { double d; struct { float a, b; } f; } float_union;

EXPORT(long) _testfunc_union_by_value1(number_union in) { return in.a_long; }
EXPORT(long) _testfunc_union_by_value2(nested_union in) { return in.an_int + in.nested.an_int + in.another_int; }
EXPORT(double) _testfunc_union_by_value3(float_union in) { return in.d; }
EXPORT(float_union) _testfunc_union_by_value4(float a, float b) { return (float_union){.f = {a, b}}; }

EXPORT(long) _testfunc_union_by_reference1(number_union *in)
{
    long result = in->a_long;
    memset(in, 0, sizeof(*in));
    return result;
}

EXPORT(long) _testfunc_union_by_reference2(number_union *in)
{
    long result = in->a_struct.an_int + in->a_struct.another_int;
    memset(in, 0, sizeof(*in));
    return result;
}

EXPORT(long) _testfunc_union_by_reference3(nested_union *in)
{
    long result = in->an_int + in->nested.an_int + in->another_int;
    memset(in, 0, sizeof(*in));
    return result;
}

/* ---- Bit fields ---- */

typedef struct {
    int A : 1, B : 2, C : 3, D : 4, E : 5, F : 6, G : 7, H : 8, I : 9;
    signed short M : 1, N : 2, O : 3, P : 4, Q : 5, R : 6, S : 7;
} bits;

EXPORT(int) unpack_bitfields(bits *in, char name)
{
    switch (name) {
#define FIELD(n, c) case c: return in->n;
    FIELD(A, 'A') FIELD(B, 'B') FIELD(C, 'C') FIELD(D, 'D') FIELD(E, 'E') FIELD(F, 'F') FIELD(G, 'G') FIELD(H, 'H')
    FIELD(I, 'I') FIELD(M, 'M') FIELD(N, 'N') FIELD(O, 'O') FIELD(P, 'P') FIELD(Q, 'Q') FIELD(R, 'R') FIELD(S, 'S')
#undef FIELD
    default: return 0;
    }
}

typedef struct { int A : 1, B : 2, C : 3, D : 2; } signed_bits;
typedef struct { unsigned A : 1, B : 2, C : 3, D : 2; } unsigned_bits;
typedef union { int A : 1, B : 2, C : 3, D : 2; } union_bits;

EXPORT(long) _testfunc_bitfield_by_value1(signed_bits in) { return in.A + in.B + in.C + in.D; }
EXPORT(long) _testfunc_bitfield_by_value2(union_bits in) { return in.A + in.B + in.C + in.D; }

EXPORT(long) _testfunc_bitfield_by_reference1(signed_bits *in)
{
    long result = in->A + in->B + in->C + in->D;
    memset(in, 0, sizeof(*in));
    return result;
}

EXPORT(long) _testfunc_bitfield_by_reference2(unsigned_bits *in)
{
    long result = (long)(in->A + in->B + in->C + in->D);
    memset(in, 0, sizeof(*in));
    return result;
}

/* ---- Objects ---- */

EXPORT(int) _testfunc_pylist_append(PyObject *list, PyObject *item) { return PyList_Append(list, item); }

/* ---- Other threads ---- */

#include <pthread.h>

typedef struct { int (*function)(int); int argument, result; } errand;

static void *run_errand(void *op)
{
    errand *e = op;
    e->result = e->function(e->argument);
    return NULL;
}

/* Calls the function in a thread that Python knows nothing of. */
EXPORT(int) _testfunc_callback_in_thread(int (*function)(int), int argument)
{
    errand e = {.function = function, .argument = argument};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_errand, &e) != 0)
        return -1;
    pthread_join(thread, NULL);
    return e.result;
}

/* ---- The module ---- */

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ctypes_test",
    .m_doc = "A library for the tests of ctypes.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__ctypes_test(void)
{
    return PyModuleDef_Init(&definition);
}
