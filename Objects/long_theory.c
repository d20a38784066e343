/* int: what the math module needs of number theory. */
#include "long.h"

PyObject *_PyLong_SquareRoot(PyObject *op)
{
    long_view_t v;
    mpz_t room, z;
    long_view(op, &v);
    mpz_init(z);
    mpz_sqrt(z, long_view_mpz(&v, room));
    PyObject *result = long_from_mpz(z);
    mpz_clear(z);
    return result;
}

/* MemoryError if a product of `factors` numbers of so many bits cannot be represented. */
static int check_product(unsigned long factors, size_t bits)
{
    size_t total;
    if (__builtin_mul_overflow((size_t)factors, bits, &total)) {
        PyErr_NoMemory();
        return -1;
    }
    return long_check_room(total / 64 + 2);
}

PyObject *_PyLong_Factorial(unsigned long n)
{
    if (n <= 19) {
        int64_t product = 1;
        for (int64_t i = 2; i <= (int64_t)n; i++)
            product *= i;
        return PyLong_FromLong(product);
    }
    if (check_product(n, (size_t)(64 - __builtin_clzl(n))) < 0)
        return NULL;
    mpz_t z;
    mpz_init(z);
    mpz_fac_ui(z, n);
    PyObject *result = long_from_mpz(z);
    mpz_clear(z);
    return result;
}

/* first * (first - 1) * ... : count of them, multiplied in a balanced tree. */
static void falling_product(mpz_t out, mpz_srcptr first, unsigned long count)
{
    if (count <= 8) {
        mpz_t factor;
        mpz_init_set(factor, first);
        mpz_set_ui(out, 1);
        for (unsigned long i = 0; i < count; i++) {
            mpz_mul(out, out, factor);
            mpz_sub_ui(factor, factor, 1);
        }
        mpz_clear(factor);
        return;
    }
    mpz_t right, start;
    mpz_init(right);
    mpz_init(start);
    mpz_sub_ui(start, first, count / 2);
    falling_product(out, first, count / 2);
    falling_product(right, start, count - count / 2);
    mpz_mul(out, out, right);
    mpz_clear(right);
    mpz_clear(start);
}

PyObject *_PyLong_Permutations(PyObject *n, unsigned long k)
{
    long_view_t v;
    mpz_t room, z;
    if (check_product(k, _PyLong_NumBits(n)) < 0)
        return NULL;
    long_view(n, &v);
    mpz_init(z);
    falling_product(z, long_view_mpz(&v, room), k);
    PyObject *result = long_from_mpz(z);
    mpz_clear(z);
    return result;
}

PyObject *_PyLong_Binomial(PyObject *n, unsigned long k)
{
    long_view_t v;
    mpz_t room, z;
    if (check_product(k, _PyLong_NumBits(n)) < 0)
        return NULL;
    long_view(n, &v);
    mpz_init(z);
    if (v.size <= 1)
        mpz_bin_uiui(z, v.size == 0 ? 0 : v.limbs[0], k);
    else
        mpz_bin_ui(z, long_view_mpz(&v, room), k);
    PyObject *result = long_from_mpz(z);
    mpz_clear(z);
    return result;
}

PyObject *_PyLong_LCM(PyObject *a, PyObject *b)
{
    long_view_t x, y;
    mpz_t x_room, y_room, z;
    long_view(a, &x);
    long_view(b, &y);
    if (long_check_room((size_t)(x.size + y.size)) < 0)
        return NULL;
    mpz_init(z);
    mpz_lcm(z, long_view_mpz(&x, x_room), long_view_mpz(&y, y_room));
    PyObject *result = long_from_mpz(z);
    mpz_clear(z);
    return result;
}
