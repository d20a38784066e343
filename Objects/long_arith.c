/* int: addition, multiplication, division, powers. */
#include "long.h"

#define CHECK_INTS(a, b) \
    if (!PyLong_Check(a) || !PyLong_Check(b)) \
        Py_RETURN_NOTIMPLEMENTED

/* ---- Two limbs ---- */

/* Most big ints are little more than a word: magnitudes of at most two limbs are handled without calls. */
typedef unsigned __int128 pair_t;

static inline Py_ALWAYS_INLINE pair_t pair_of(const long_view_t *v)
{
    return v->size == 0 ? 0 : v->size == 1 ? v->limbs[0] : (pair_t)v->limbs[1] << 64 | v->limbs[0];
}

/* The int of a magnitude of three limbs, the highest in `carry`. */
static inline PyObject *from_pair(pair_t n, mp_limb_t carry, int negative)
{
    mp_limb_t low = (mp_limb_t)n, high = (mp_limb_t)(n >> 64);
    mp_size_t size = carry != 0 ? 3 : high != 0 ? 2 : 1;
    if (size == 1 && low <= (uint64_t)IMMEDIATE_INT_MAX - !negative)
        return value_from_int(negative ? (int64_t)(0 - low) : (int64_t)low);
    PyLongObject *x = long_alloc(size);
    if (x == NULL)
        return NULL;
    x->ob_limb[0] = low;
    if (size > 1)
        x->ob_limb[1] = high;
    if (size > 2)
        x->ob_limb[2] = carry;
    Py_SET_SIZE(x, negative ? -size : size);
    return (PyObject *)x;
}

/* x + y with the signs given. */
static inline PyObject *add_pairs(pair_t x, int x_negative, pair_t y, int y_negative)
{
    if (x_negative == y_negative)
        return from_pair(x + y, x + y < x, x_negative);
    return x >= y ? from_pair(x - y, 0, x_negative) : from_pair(y - x, 0, y_negative);
}

static inline PyObject *multiply_pairs(pair_t x, pair_t y, int negative)
{
    mp_limb_t x0 = (mp_limb_t)x, x1 = (mp_limb_t)(x >> 64), y0 = (mp_limb_t)y, y1 = (mp_limb_t)(y >> 64);
    pair_t low = (pair_t)x0 * y0;
    if (x1 == 0 && y1 == 0)
        return from_pair(low, 0, negative);
    pair_t middle = (pair_t)x0 * y1, other = (pair_t)x1 * y0, high = (pair_t)x1 * y1;
    pair_t second = (low >> 64) + (mp_limb_t)middle + (mp_limb_t)other;
    high += (middle >> 64) + (other >> 64) + (second >> 64);
    low = second << 64 | (mp_limb_t)low;
    if (high >> 64 == 0)
        return from_pair(low, (mp_limb_t)high, negative);
    PyLongObject *z = long_alloc(4);
    if (z == NULL)
        return NULL;
    z->ob_limb[0] = (mp_limb_t)low;
    z->ob_limb[1] = (mp_limb_t)(low >> 64);
    z->ob_limb[2] = (mp_limb_t)high;
    z->ob_limb[3] = (mp_limb_t)(high >> 64);
    Py_SET_SIZE(z, negative ? -4 : 4);
    return (PyObject *)z;
}

/* ---- Addition ---- */

/* a + b, or with the sign of b flipped. */
static PyObject *add_views(const long_view_t *a, const long_view_t *b, int flip)
{
    int b_negative = b->negative ^ flip;
    if (Py_LIKELY(a->size <= 2 && b->size <= 2))
        return add_pairs(pair_of(a), a->negative, pair_of(b), b_negative);
    if (a->size < b->size) {
        long_view_t const *t = a;
        int t_negative = a->negative;
        a = b;
        b = t;
        if (b_negative == t_negative) {
            PyLongObject *x = long_alloc(a->size + 1);
            if (x == NULL)
                return NULL;
            x->ob_limb[a->size] = mpn_add((mp_limb_t *)x->ob_limb, a->limbs, a->size, b->limbs, b->size);
            return long_normalise(x, a->size + 1, t_negative);
        }
        PyLongObject *x = long_alloc(a->size);
        if (x == NULL)
            return NULL;
        mpn_sub((mp_limb_t *)x->ob_limb, a->limbs, a->size, b->limbs, b->size);
        return long_normalise(x, a->size, b_negative);
    }
    if (b_negative == a->negative) {
        PyLongObject *x = long_alloc(a->size + 1);
        if (x == NULL)
            return NULL;
        x->ob_limb[a->size] = a->size == 0 ? 0 : mpn_add((mp_limb_t *)x->ob_limb, a->limbs, a->size, b->limbs, b->size);
        return long_normalise(x, a->size + 1, a->negative);
    }
    int order = a->size > b->size ? 1 : a->size == 0 ? 0 : mpn_cmp(a->limbs, b->limbs, a->size);
    if (order == 0)
        return value_from_int(0);
    PyLongObject *x = long_alloc(a->size);
    if (x == NULL)
        return NULL;
    if (order > 0) {
        mpn_sub((mp_limb_t *)x->ob_limb, a->limbs, a->size, b->limbs, b->size);
        return long_normalise(x, a->size, a->negative);
    }
    mpn_sub_n((mp_limb_t *)x->ob_limb, b->limbs, a->limbs, a->size);
    return long_normalise(x, a->size, b_negative);
}

PyObject *long_add(PyObject *a, PyObject *b)
{
    if (Py_LIKELY(value_both_ints(a, b)))
        return PyLong_FromLong(value_get_int(a) + value_get_int(b));
    CHECK_INTS(a, b);
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    return add_views(&x, &y, 0);
}

PyObject *long_subtract(PyObject *a, PyObject *b)
{
    if (Py_LIKELY(value_both_ints(a, b)))
        return PyLong_FromLong(value_get_int(a) - value_get_int(b));
    CHECK_INTS(a, b);
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    return add_views(&x, &y, 1);
}

PyObject *long_negative(PyObject *op)
{
    if (value_is_int(op))
        return PyLong_FromLong(-value_get_int(op));
    long_view_t v;
    long_view(op, &v);
    return long_from_limbs(v.limbs, v.size, !v.negative);
}

PyObject *long_absolute(PyObject *op) { return long_is_negative(op) ? long_negative(op) : long_exact(op); }

/* ---- Multiplication ---- */

typedef struct {
    mp_limb_t *out;
    const long_view_t *x, *y;
} product_t;

static void compute_product(void *data)
{
    product_t *p = data;
    if (p->x->limbs == p->y->limbs)
        mpn_sqr(p->out, p->x->limbs, p->x->size);
    else if (p->x->size >= p->y->size)
        mpn_mul(p->out, p->x->limbs, p->x->size, p->y->limbs, p->y->size);
    else
        mpn_mul(p->out, p->y->limbs, p->y->size, p->x->limbs, p->x->size);
}

PyObject *long_multiply(PyObject *a, PyObject *b)
{
    if (Py_LIKELY(value_both_ints(a, b))) {
        int64_t product;
        if (!__builtin_mul_overflow(value_get_int(a), value_get_int(b), &product))
            return PyLong_FromLong(product);
    }
    CHECK_INTS(a, b);
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    if (Py_LIKELY(x.size <= 2 && y.size <= 2))
        return multiply_pairs(pair_of(&x), pair_of(&y), x.negative ^ y.negative);
    if (x.size == 0 || y.size == 0)
        return value_from_int(0);
    PyLongObject *z = long_alloc(x.size + y.size);
    if (z == NULL)
        return NULL;
    product_t product = {(mp_limb_t *)z->ob_limb, &x, &y};
    if (long_guarded((size_t)(x.size + y.size), compute_product, &product) < 0) {
        Py_DECREF(z);
        return NULL;
    }
    return long_normalise(z, x.size + y.size, x.negative ^ y.negative);
}

/* ---- Division ---- */

static int divide_by_zero(int modulo_only)
{
    PyErr_SetString(PyExc_ZeroDivisionError,
                    modulo_only ? "integer modulo by zero" : "integer division or modulo by zero");
    return -1;
}

/* Rounding to the floor: when the signs differ and the division leaves a rest, the quotient is one less and the rest is
 * b - rest. */

/* y has one limb. */
static int divmod_limb(const long_view_t *x, const long_view_t *y, PyObject **quotient, PyObject **remainder)
{
    mp_limb_t d = y->limbs[0], rest;
    int negative = x->negative ^ y->negative;
    if (quotient == NULL)
        rest = x->size == 2 ? (mp_limb_t)(pair_of(x) % d) : mpn_mod_1(x->limbs, x->size, d);
    else if (x->size <= 2) {
        pair_t n = pair_of(x), q = n / d;
        rest = (mp_limb_t)n - (mp_limb_t)q * d;
        *quotient = from_pair(q + (negative && rest != 0), 0, negative);
    }
    else {
        PyLongObject *q = long_alloc(x->size);
        if (q == NULL)
            return -1;
        rest = mpn_divrem_1((mp_limb_t *)q->ob_limb, 0, x->limbs, x->size, d);
        if (negative && rest != 0)      /* d > 1 then, so that there is room */
            mpn_add_1((mp_limb_t *)q->ob_limb, (mp_limb_t *)q->ob_limb, x->size, 1);
        *quotient = long_normalise(q, x->size, negative);
    }
    if (quotient != NULL && *quotient == NULL)
        return -1;
    if (remainder == NULL)
        return 0;
    *remainder = from_pair(negative && rest != 0 ? d - rest : rest, 0, y->negative);
    if (*remainder != NULL)
        return 0;
    if (quotient != NULL)
        Py_CLEAR(*quotient);
    return -1;
}

typedef struct {
    mp_limb_t *quotient, *rest;
    const long_view_t *x, *y;
} division_t;

static void compute_division(void *data)
{
    division_t *d = data;
    mpn_tdiv_qr(d->quotient, d->rest, 0, d->x->limbs, d->x->size, d->y->limbs, d->y->size);
}

static int divmod_views(const long_view_t *x, const long_view_t *y, PyObject **quotient, PyObject **remainder)
{
    if (y->size == 1)
        return divmod_limb(x, y, quotient, remainder);
    mp_size_t nq = x->size - y->size + 1;
    PyLongObject *q = long_alloc(nq + 1), *r = long_alloc(y->size);
    division_t division = {NULL, NULL, x, y};
    if (q != NULL && r != NULL) {
        division.quotient = (mp_limb_t *)q->ob_limb;
        division.rest = (mp_limb_t *)r->ob_limb;
    }
    if (q == NULL || r == NULL || long_guarded((size_t)x->size, compute_division, &division) < 0) {
        Py_XDECREF(q);
        Py_XDECREF(r);
        return -1;
    }
    mp_limb_t *qp = division.quotient, *rp = division.rest;
    qp[nq] = 0;
    if (x->negative != y->negative && !mpn_zero_p(rp, y->size)) {
        mpn_add_1(qp, qp, nq + 1, 1);
        mpn_sub_n(rp, y->limbs, rp, y->size);
    }
    PyObject *quot = long_normalise(q, nq + 1, x->negative ^ y->negative);
    PyObject *rest = long_normalise(r, y->size, y->negative);
    if (quotient != NULL)
        *quotient = quot;
    else
        Py_DECREF(quot);
    if (remainder != NULL)
        *remainder = rest;
    else
        Py_DECREF(rest);
    return 0;
}

int long_divmod(PyObject *a, PyObject *b, PyObject **quotient, PyObject **remainder)
{
    long_view_t x, y;
    if (long_is_zero(b))
        return divide_by_zero(quotient == NULL);
    if (value_both_ints(a, b)) {
        int64_t n = value_get_int(a), d = value_get_int(b), q = n / d, r = n % d;
        if (r != 0 && (r ^ d) < 0) {
            q--;
            r += d;
        }
        if (remainder != NULL)
            *remainder = value_from_int(r);
        if (quotient != NULL)
            *quotient = PyLong_FromLong(q);
        return quotient != NULL && *quotient == NULL ? -1 : 0;
    }
    long_view(a, &x);
    long_view(b, &y);
    if (x.size >= y.size)
        return divmod_views(&x, &y, quotient, remainder);
    /* |a| < |b| */
    int up = x.size != 0 && x.negative != y.negative;
    if (remainder != NULL) {
        *remainder = up ? add_views(&x, &y, 0) : long_exact(a);
        if (*remainder == NULL)
            return -1;
    }
    if (quotient != NULL)
        *quotient = value_from_int(up ? -1 : 0);
    return 0;
}

PyObject *long_floor_divide(PyObject *a, PyObject *b)
{
    CHECK_INTS(a, b);
    PyObject *result;
    return long_divmod(a, b, &result, NULL) < 0 ? NULL : result;
}

PyObject *long_remainder(PyObject *a, PyObject *b)
{
    CHECK_INTS(a, b);
    PyObject *result;
    return long_divmod(a, b, NULL, &result) < 0 ? NULL : result;
}

/* ---- True division ---- */

static PyObject *float_too_large(void)
{
    PyErr_SetString(PyExc_OverflowError, "integer division result too large for a float");
    return NULL;
}

typedef struct {
    mpz_srcptr a, b;
    Py_ssize_t shift;
    uint64_t bits;          /* the result */
} quotient_bits_t;

/* |a / b| shifted right by `shift`, which 64 bits hold; the lowest bit is set if anything is lost. */
static void compute_quotient_bits(void *data)
{
    quotient_bits_t *d = data;
    mpz_t q, r;
    mpz_init(q);
    mpz_init(r);
    if (d->shift <= 0) {
        mpz_mul_2exp(q, d->a, (mp_bitcnt_t)-d->shift);
        mpz_tdiv_qr(q, r, q, d->b);
    }
    else {
        mpz_mul_2exp(r, d->b, (mp_bitcnt_t)d->shift);
        mpz_tdiv_qr(q, r, d->a, r);
    }
    d->bits = mpz_size(q) == 0 ? 0 : mpz_getlimbn(q, 0);
    if (mpz_sgn(r) != 0)
        d->bits |= 1;
    mpz_clear(q);
    mpz_clear(r);
}

/* The quotient of two magnitudes, neither of them 0, correctly rounded: so many bits of it are computed that at least two
 * lie beyond the precision of the result; a remainder sets the lowest one. */
static PyObject *divide_views(const long_view_t *x, const long_view_t *y)
{
    mpz_t a_room, b_room;
    mpz_srcptr a = long_view_mpz(x, a_room), b = long_view_mpz(y, b_room);
    Py_ssize_t difference = (Py_ssize_t)mpz_sizeinbase(a, 2) - (Py_ssize_t)mpz_sizeinbase(b, 2);
    if (difference > 1024)
        return float_too_large();
    if (difference < -1076)
        return PyFloat_FromDouble(x->negative != y->negative ? -0.0 : 0.0);
    Py_ssize_t shift = Py_MAX(difference, -1021) - 55;   /* the quotient, shifted right by shift, has 55 or 56 bits at most */
    quotient_bits_t work = {a, b, shift, 0};
    if (long_guarded((size_t)(x->size + y->size), compute_quotient_bits, &work) < 0)
        return NULL;
    uint64_t bits = work.bits;
    int length = bits == 0 ? 0 : 64 - __builtin_clzll(bits);
    /* Bits to drop: to 53, or more when the result is subnormal (least bit 2^-1074). */
    Py_ssize_t drop = Py_MAX(length - 53, -1074 - shift);
    uint64_t half = (uint64_t)1 << (drop - 1), low = bits & ((half << 1) - 1);
    bits >>= drop;
    if (low > half || (low == half && (bits & 1)))
        bits++;
    double result = ldexp((double)bits, (int)(shift + drop));
    if (isinf(result))
        return float_too_large();
    return PyFloat_FromDouble(x->negative != y->negative ? -result : result);
}

PyObject *long_true_divide(PyObject *a, PyObject *b)
{
    CHECK_INTS(a, b);
    const int64_t exact = (int64_t)1 << 53;
    int64_t n, d;
    if (long_is_zero(b)) {
        PyErr_SetString(PyExc_ZeroDivisionError, "division by zero");
        return NULL;
    }
    if (long_get_int64(a, &n) && long_get_int64(b, &d) && n <= exact && n >= -exact && d <= exact && d >= -exact)
        return PyFloat_FromDouble(n == 0 ? (d < 0 ? -0.0 : 0.0) : (double)n / (double)d);
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    if (x.size == 0)
        return PyFloat_FromDouble(y.negative ? -0.0 : 0.0);
    return divide_views(&x, &y);
}

/* ---- Powers ---- */

/* base ** exponent in 64 bits.  Returns 0 on overflow. */
static int power_small(int64_t base, uint64_t exponent, int64_t *result)
{
    int64_t r = 1;
    for (;;) {
        if ((exponent & 1) && __builtin_mul_overflow(r, base, &r))
            return 0;
        exponent >>= 1;
        if (exponent == 0)
            break;
        if (__builtin_mul_overflow(base, base, &base))
            return 0;
    }
    *result = r;
    return 1;
}

typedef struct {
    mpz_t result;
    mpz_srcptr base;
    unsigned long exponent;
} power_t;

static void compute_power(void *data)
{
    power_t *d = data;
    mpz_pow_ui(d->result, d->base, d->exponent);
}

static PyObject *power_plain(PyObject *a, PyObject *b)
{
    int64_t base, exponent = 0, small;
    int have_exponent = long_get_int64(b, &exponent);
    if (long_get_int64(a, &base)) {
        if (have_exponent && power_small(base, (uint64_t)exponent, &small))
            return PyLong_FromLong(small);
        if (base == 0 || base == 1)
            return value_from_int(base);
        if (base == -1) {
            long_view_t e;
            long_view(b, &e);
            return value_from_int(e.limbs[0] & 1 ? -1 : 1);
        }
    }
    size_t bits = _PyLong_NumBits(a), total;
    if (!have_exponent || __builtin_mul_overflow(bits, (size_t)exponent, &total)) {
        PyErr_NoMemory();
        return NULL;
    }
    if (long_check_room(total / 64 + 2) < 0)
        return NULL;
    long_view_t x;
    mpz_t room;
    long_view(a, &x);
    power_t power = {.base = long_view_mpz(&x, room), .exponent = (unsigned long)exponent};
    return long_compute(total / 64, compute_power, &power);
}

typedef struct {
    mpz_t result;
    mpz_srcptr base, exponent, modulus;     /* the latter two as magnitudes */
    int exponent_negative, modulus_negative;
    int not_invertible;                     /* set where it is so */
} power_modulo_t;

static void compute_power_modulo(void *data)
{
    power_modulo_t *d = data;
    mpz_srcptr base = d->base;
    mpz_t inverse;
    mpz_init(inverse);
    if (d->exponent_negative) {
        d->not_invertible = !mpz_invert(inverse, base, d->modulus);
        base = inverse;
    }
    if (!d->not_invertible) {
        mpz_powm(d->result, base, d->exponent, d->modulus);
        if (d->modulus_negative && mpz_sgn(d->result) != 0)
            mpz_sub(d->result, d->result, d->modulus);
    }
    mpz_clear(inverse);
}

/* The result has the sign of the modulus. */
static PyObject *power_modulo(PyObject *a, PyObject *b, PyObject *c)
{
    if (long_is_zero(c)) {
        PyErr_SetString(PyExc_ValueError, "pow() 3rd argument cannot be 0");
        return NULL;
    }
    long_view_t base, exponent, modulus;
    mpz_t base_room, exponent_room, modulus_room;
    long_view(a, &base);
    long_view(b, &exponent);
    long_view(c, &modulus);
    power_modulo_t power = {.exponent_negative = exponent.negative, .modulus_negative = modulus.negative};
    modulus.negative = exponent.negative = 0;
    power.base = long_view_mpz(&base, base_room);
    power.exponent = long_view_mpz(&exponent, exponent_room);
    power.modulus = long_view_mpz(&modulus, modulus_room);
    if (mpz_cmp_ui(power.modulus, 1) == 0)
        return value_from_int(0);
    /* A table of powers of the base grows with the exponent. */
    size_t limbs = exponent.size > 8 ? SIZE_MAX : (size_t)(base.size + 16 * modulus.size);
    PyObject *result = long_compute(limbs, compute_power_modulo, &power);
    if (result != NULL && power.not_invertible) {
        Py_CLEAR(result);
        PyErr_SetString(PyExc_ValueError, "base is not invertible for the given modulus");
    }
    return result;
}

/* The same for immediate ints, the exponent and the modulus positive: in two machine words. */
static PyObject *power_modulo_immediate(int64_t base, uint64_t exponent, uint64_t modulus)
{
    int64_t rest = base % (int64_t)modulus;
    uint64_t factor = (uint64_t)(rest < 0 ? rest + (int64_t)modulus : rest), power = 1 % modulus;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            power = (uint64_t)((unsigned __int128)power * factor % modulus);
        factor = (uint64_t)((unsigned __int128)factor * factor % modulus);
    }
    return value_from_int((int64_t)power);
}

PyObject *long_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (value_both_ints(a, b) && value_is_int(modulus) && value_get_int(b) >= 0 && value_get_int(modulus) > 0)
        return power_modulo_immediate(value_get_int(a), (uint64_t)value_get_int(b), (uint64_t)value_get_int(modulus));
    CHECK_INTS(a, b);
    if (modulus != Py_None) {
        if (!PyLong_Check(modulus))
            Py_RETURN_NOTIMPLEMENTED;
        return power_modulo(a, b, modulus);
    }
    if (!long_is_negative(b))
        return power_plain(a, b);
    double x = PyLong_AsDouble(a), y;
    if (x == -1.0 && PyErr_Occurred())
        return NULL;
    y = PyLong_AsDouble(b);
    if (y == -1.0 && PyErr_Occurred())
        return NULL;
    PyObject *left = PyFloat_FromDouble(x), *right = PyFloat_FromDouble(y), *result = NULL;
    if (left != NULL && right != NULL)
        result = PyFloat_Type.tp_as_number->nb_power(left, right, Py_None);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

/* ---- Division to the nearest ---- */

PyObject *_PyLong_DivmodNear(PyObject *a, PyObject *b)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        PyErr_SetString(PyExc_TypeError, "non-integer arguments in division");
        return NULL;
    }
    PyObject *q = NULL, *r = NULL, *twice = NULL, *result = NULL;
    if (long_divmod(a, b, &q, &r) < 0)
        return NULL;
    twice = long_add(r, r);
    if (twice == NULL)
        goto done;
    int order = long_compare(twice, b);
    if (long_is_negative(b))
        order = -order;
    long_view_t v;
    long_view(q, &v);
    if (order > 0 || (order == 0 && v.size > 0 && (v.limbs[0] & 1))) {
        PyObject *more = long_add(q, value_from_int(1)), *less = long_subtract(r, b);
        Py_SETREF(q, more);
        Py_SETREF(r, less);
        if (q == NULL || r == NULL)
            goto done;
    }
    result = PyTuple_Pack(2, q, r);
done:
    Py_XDECREF(q);
    Py_XDECREF(r);
    Py_XDECREF(twice);
    return result;
}

typedef struct {
    mpz_t result;
    mpz_srcptr a, b;
    mpz_binary_t *function;
} pair_work_t;

static void compute_pair(void *data)
{
    pair_work_t *d = data;
    d->function(d->result, d->a, d->b);
}

PyObject *long_compute_pair(PyObject *a, PyObject *b, mpz_binary_t *function)
{
    long_view_t x, y;
    mpz_t x_room, y_room;
    long_view(a, &x);
    long_view(b, &y);
    pair_work_t work = {.a = long_view_mpz(&x, x_room), .b = long_view_mpz(&y, y_room), .function = function};
    return long_compute((size_t)(x.size + y.size), compute_pair, &work);
}

PyObject *_PyLong_GCD(PyObject *a, PyObject *b)
{
    int64_t m, n;
    if (long_get_int64(a, &m) && long_get_int64(b, &n)) {
        uint64_t x = m < 0 ? 0 - (uint64_t)m : (uint64_t)m, y = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
        while (y != 0) {
            uint64_t t = x % y;
            x = y;
            y = t;
        }
        return PyLong_FromUnsignedLong(x);
    }
    return long_compute_pair(a, b, mpz_gcd);
}
