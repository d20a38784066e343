/* int: what the math module needs of number theory. */
#include "long.h"

/* A computation from one int, or from its value and a count. */
typedef struct {
    mpz_t result;
    mpz_srcptr n;
    unsigned long count;
} number_work_t;

static void compute_square_root(void *data)
{
    number_work_t *d = data;
    mpz_sqrt(d->result, d->n);
}

PyObject *_PyLong_SquareRoot(PyObject *op)
{
    long_view_t v;
    mpz_t room;
    long_view(op, &v);
    number_work_t work = {.n = long_view_mpz(&v, room)};
    return long_compute((size_t)v.size, compute_square_root, &work);
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

static void compute_factorial(void *data)
{
    number_work_t *d = data;
    mpz_fac_ui(d->result, d->count);
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
    number_work_t work = {.count = n};
    return long_compute(n / 8, compute_factorial, &work);
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

static void compute_permutations(void *data)
{
    number_work_t *d = data;
    falling_product(d->result, d->n, d->count);
}

static void compute_binomial(void *data)
{
    number_work_t *d = data;
    if (mpz_size(d->n) <= 1)
        mpz_bin_uiui(d->result, mpz_size(d->n) == 0 ? 0 : mpz_getlimbn(d->n, 0), d->count);
    else
        mpz_bin_ui(d->result, d->n, d->count);
}

/* From n and k, with a result of k factors at most. */
static PyObject *combine(PyObject *n, unsigned long k, void (*work)(void *data))
{
    long_view_t v;
    mpz_t room;
    size_t bits = _PyLong_NumBits(n);
    if (check_product(k, bits) < 0)
        return NULL;
    long_view(n, &v);
    number_work_t data = {.n = long_view_mpz(&v, room), .count = k};
    return long_compute(k * bits / 64 + k, work, &data);
}

PyObject *_PyLong_Permutations(PyObject *n, unsigned long k) { return combine(n, k, compute_permutations); }

PyObject *_PyLong_Binomial(PyObject *n, unsigned long k) { return combine(n, k, compute_binomial); }

PyObject *_PyLong_LCM(PyObject *a, PyObject *b) { return long_compute_pair(a, b, mpz_lcm); }
