/* Powers: exact ones first, then those that need logarithms. */
#include "number_fixed.h"

#include <stdlib.h>

/* ---- Exact powers ---- */

/* A positive number as u * 2^twos * 5^fives with u prime to 10. */
typedef struct {
    mpz_t u;
    int64_t twos, fives;
} factors_t;

static void factor(factors_t *f, const number_t *a)
{
    mpz_t p;
    mpz_init_set_ui(p, 2);
    f->twos = a->exp + (int64_t)mpz_remove(f->u, a->c, p);
    mpz_set_ui(p, 5);
    f->fives = a->exp + (int64_t)mpz_remove(f->u, f->u, p);
    mpz_clear(p);
}

/* Takes the n-th root; 0: there is none that is exact. n > 0 */
static int take_root(factors_t *f, const __mpz_struct *n)
{
    if (mpz_cmp_ui(n, 1) == 0)
        return 1;
    int is_one = mpz_cmp_ui(f->u, 1) == 0;
    if (!mpz_fits_slong_p(n))
        return is_one && f->twos == 0 && f->fives == 0;
    long k = mpz_get_si(n);
    if (f->twos % k != 0 || f->fives % k != 0)
        return 0;
    f->twos /= k;
    f->fives /= k;
    if (is_one)
        return 1;
    return k < (long)mpz_sizeinbase(f->u, 2) && mpz_root(f->u, f->u, (unsigned long)k);
}

/* Sets r to the n-th power of the factors, if that has no more digits than asked. Is it set? */
static int raise(number_t *r, const factors_t *f, int64_t n, int64_t max_digits)
{
    int64_t m = llabs(n), most = fixed_bits_for(max_digits) + 64;
    int is_one = mpz_cmp_ui(f->u, 1) == 0;
    if (n < 0 && !is_one)
        return 0;
    if (m > 4000000000000000000 / (llabs(f->twos) + 1) || m > 4000000000000000000 / (llabs(f->fives) + 1))
        return 0;
    if (!is_one && ((int64_t)mpz_sizeinbase(f->u, 2) - 1) * (__int128)m > most)
        return 0;
    int64_t twos = f->twos * n, fives = f->fives * n, exp = twos < fives ? twos : fives;
    if ((__int128)(twos - exp) + (fives - exp) * (__int128)2 > most)
        return 0;
    mpz_t part;
    mpz_init(part);
    mpz_pow_ui(r->c, f->u, is_one ? 1 : (unsigned long)m);
    mpz_mul_2exp(r->c, r->c, (mp_bitcnt_t)(twos - exp));
    mpz_ui_pow_ui(part, 5, (unsigned long)(fives - exp));
    mpz_mul(r->c, r->c, part);
    mpz_clear(part);
    r->exp = exp;
    number_count(r);
    return r->digits <= max_digits;
}

/* Brings an exact result as near to the exponent that it should have as the digits allow, by zeros at its
 * end. */
static void extend(number_t *r, int64_t ideal, const settings_t *s, uint32_t *status)
{
    int64_t room = s->prec - r->digits, wanted = r->exp - ideal;
    if (wanted > 0 && room < wanted)
        *status |= STATUS_ROUNDED;
    int64_t zeros = wanted < room ? wanted : room;
    if (zeros > 0 && number_scale_up(r->c, zeros, status) == 0) {
        r->exp -= zeros;
        r->digits += zeros;
    }
}

static int64_t saturated_product(int64_t a, int64_t b)
{
    __int128 product = (__int128)a * b;
    int64_t bound = 4000000000000000000;
    return product > bound ? bound : product < -bound ? -bound : (int64_t)product;
}

/* |a|^n, if that is exact and short. Is it set? */
static int exact_integer_power(number_t *r, const number_t *a, int64_t n, const settings_t *s,
                               uint32_t *status)
{
    factors_t f;
    mpz_init(f.u);
    factor(&f, a);
    /* a few digits more than fit, so that what is left for approximations is no tie */
    int done = raise(r, &f, n, s->prec < NUMBER_MAX_DIGITS ? s->prec + 6 : NUMBER_MAX_DIGITS);
    mpz_clear(f.u);
    if (!done)
        return 0;
    if (r->digits <= s->prec)
        extend(r, saturated_product(a->exp, n), s, status);
    return 1;
}

/* a^b for b that is no integer: with the denominator of b a root, with the numerator a power. Is it exact,
 * and set? */
static int exact_real_power(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                            uint32_t *status)
{
    factors_t f;
    mpz_t top, bottom, common;
    int done = 0;
    if (-b->exp > 400)
        return 0; /* the root would be of a higher order than any number has that is not one itself */
    mpz_init(f.u);
    mpz_init_set(top, b->c);
    mpz_init(bottom);
    mpz_init(common);
    mpz_ui_pow_ui(bottom, 10, (unsigned long)-b->exp);
    mpz_gcd(common, top, bottom);
    mpz_divexact(top, top, common);
    mpz_divexact(bottom, bottom, common);
    factor(&f, a);
    if (take_root(&f, bottom) && mpz_fits_slong_p(top)) {
        long n = mpz_get_si(top);
        done = raise(r, &f, number_is_negative(b) ? -n : n,
                     s->prec < NUMBER_MAX_DIGITS ? s->prec + 6 : NUMBER_MAX_DIGITS);
    }
    mpz_clear(f.u);
    mpz_clear(top);
    mpz_clear(bottom);
    mpz_clear(common);
    if (done) {
        /* counts as inexact all the same, with all the digits */
        if (r->digits <= s->prec)
            extend(r, r->exp - s->prec, s, status);
        *status |= STATUS_INEXACT | STATUS_ROUNDED;
    }
    return done;
}

/* ---- Others ---- */

/* |a|^b by e^(b ln a); it is not exact. */
static void approximate(number_t *r, const number_t *a, const number_t *b, unsigned sign, const settings_t *s,
                        uint32_t *status)
{
    mpz_t t, tmp;
    int64_t whole = number_adjusted(b) > 0 ? number_adjusted(b) : 0;
    if (whole > a->digits + 40) {
        /* b ln a is out of all bounds, for |ln a| is more than 10^-digits */
        int is_less = number_adjusted(a) < 0;
        number_set_out_of_range(r, is_less != (number_is_negative(b) != 0), sign, s);
        return;
    }
    if (number_too_precise(r, s->prec + a->digits, status))
        return;
    mpz_init(t);
    mpz_init(tmp);
    for (int64_t more = 64;; more *= 2) {
        int64_t wanted = fixed_bits_for(s->prec + 4) + more + fixed_bits_for(whole + 1),
                bits = fixed_ln_of(t, a, wanted, status);
        mpz_mul(t, t, b->c);
        if (b->exp >= 0)
            mpz_mul(t, t, number_power_of_ten((uint64_t)b->exp, tmp));
        else if (-b->exp > (int64_t)mpz_sizeinbase(t, 10) + 1)
            mpz_set_si(t, mpz_sgn(t));
        else
            mpz_fdiv_q(t, t, number_power_of_ten((uint64_t)-b->exp, tmp));
        if (number_is_negative(b))
            mpz_neg(t, t);
        /* next to nothing: 1 and a little */
        int64_t size = (int64_t)mpz_sizeinbase(t, 2) - bits;
        if (size < -(fixed_bits_for(s->prec + 3)) - 8) {
            number_set_near_one(r, mpz_sgn(t) < 0, s, status);
            r->flags |= sign;
            break;
        }
        if (fixed_exp_result(r, t, (unsigned long)(12 + fixed_bits_for(whole + 1)), bits, sign, s))
            break;
    }
    mpz_clear(t);
    mpz_clear(tmp);
}

/* 1 with as many zeros as fit. */
static void set_long_one(number_t *r, unsigned sign, const settings_t *s, uint32_t *status)
{
    number_set_small(r, 1, 0, sign);
    extend(r, -s->prec, s, status);
    *status |= STATUS_INEXACT | STATUS_ROUNDED;
}

/* A zero or an infinity, raised. */
static void power_of_extreme(number_t *r, const number_t *a, const number_t *b, unsigned sign)
{
    if (number_is_infinite(a) == number_is_negative(b))
        number_set_small(r, 0, 0, sign);
    else
        number_set_special(r, NUMBER_INFINITE | sign);
}

/* a >= 0 to an infinite power. */
static void infinite_power(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                           uint32_t *status)
{
    number_t one;
    number_init(&one);
    number_set_small(&one, 1, 0, 0);
    int order = number_is_infinite(a) ? 1 : number_cmp(a, &one);
    number_clear(&one);
    if (order == 0)
        set_long_one(r, 0, s, status);
    else if ((order < 0) == number_is_negative(b))
        number_set_special(r, NUMBER_INFINITE);
    else
        number_set_small(r, 0, 0, 0);
}

static int is_odd(const number_t *a)
{
    mpz_t c, tmp;
    if (!number_is_integer(a) || a->exp > 0 || mpz_sgn(a->c) == 0)
        return 0;
    mpz_init_set(c, a->c);
    mpz_init(tmp);
    if (a->exp < 0)
        mpz_divexact(c, c, number_power_of_ten((uint64_t)-a->exp, tmp));
    int odd = mpz_odd_p(c) != 0;
    mpz_clear(c);
    mpz_clear(tmp);
    return odd;
}

/* |a|^b for finite a and b that are not 0. */
static void finite_power(number_t *r, const number_t *a, const number_t *b, unsigned sign,
                         const settings_t *s, uint32_t *status)
{
    number_t magnitude = *a, one; /* a view */
    int64_t n;
    magnitude.flags = 0;
    number_init(&one);
    number_set_small(&one, 1, 0, 0);
    int is_one = number_cmp(&magnitude, &one) == 0, is_integer = number_is_integer(b);
    number_clear(&one);
    if (is_one && !is_integer)
        set_long_one(r, sign, s, status);
    else if (is_one && !number_get_int64(b, &n)) {
        number_set_small(r, 1, 0, sign);
        if (a->exp < 0) {
            extend(r, -s->prec, s, status);
            *status |= STATUS_ROUNDED;
        }
    } else if (is_integer ? number_get_int64(b, &n) && exact_integer_power(r, &magnitude, n, s, status)
                          : exact_real_power(r, &magnitude, b, s, status))
        r->flags = sign;
    else
        approximate(r, &magnitude, b, sign, s, status);
}

void number_pow(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return;
    if (number_is_zero(b)) {
        if (number_is_zero(a))
            number_set_invalid(r, STATUS_INVALID, status);
        else
            number_set_small(r, 1, 0, 0);
        return;
    }
    unsigned sign = number_is_negative(a) && is_odd(b) ? NUMBER_NEGATIVE : 0;
    if (number_is_negative(a) && !number_is_zero(a) && !number_is_integer(b)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if (number_is_zero(a) || number_is_infinite(a))
        power_of_extreme(r, a, b, sign);
    else if (number_is_infinite(b))
        infinite_power(r, a, b, s, status);
    else {
        uint32_t own = 0;
        finite_power(r, a, b, sign, s, &own);
        number_finalize(r, s, &own);
        /* an exact result that counts as inexact underflows, too */
        if (own & STATUS_INEXACT && own & STATUS_SUBNORMAL)
            own |= STATUS_UNDERFLOW;
        *status |= own;
    }
}

/* ---- Modular powers ---- */

/* The value of an integer with its sign; 0, or -1 if it is too long. */
static int get_integer(mpz_ptr r, const number_t *a, uint32_t *status)
{
    mpz_t tmp;
    mpz_set(r, a->c);
    if (a->exp > 0 && number_scale_up(r, a->exp, status) < 0)
        return -1;
    if (a->exp < 0) {
        mpz_init(tmp);
        mpz_divexact(r, r, number_power_of_ten((uint64_t)-a->exp, tmp));
        mpz_clear(tmp);
    }
    if (number_is_negative(a))
        mpz_neg(r, r);
    return 0;
}

void number_powmod(number_t *r, const number_t *a, const number_t *b, const number_t *m, const settings_t *s,
                   uint32_t *status)
{
    if (number_is_nan(a) || number_is_nan(b) || number_is_nan(m)) {
        const number_t *first = number_is_nan(a) || number_is_nan(b) ? NULL : m;
        if (first == NULL && !((a->flags | b->flags) & NUMBER_SNAN) && m->flags & NUMBER_SNAN)
            first = m;
        (void)(first != NULL ? number_check_nan(r, first, NULL, s, status)
                             : number_check_nan(r, a, b, s, status));
        return;
    }
    if (!number_is_integer(a) || !number_is_integer(b) || !number_is_integer(m) ||
        (number_is_negative(b) && !number_is_zero(b)) || number_is_zero(m) || number_adjusted(m) >= s->prec ||
        (number_is_zero(a) && number_is_zero(b))) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    unsigned sign = number_is_negative(a) && is_odd(b) ? NUMBER_NEGATIVE : 0;
    mpz_t x, y, z, ten, power;
    mpz_init(x);
    mpz_init(y);
    mpz_init(z);
    mpz_init_set_ui(ten, 10);
    mpz_init_set_si(power, 0);
    if (get_integer(z, m, status) < 0)
        number_set_special(r, NUMBER_NAN);
    else {
        mpz_abs(z, z);
        /* |a| mod m without writing a out */
        mpz_set(x, a->c);
        if (a->exp >= 0) {
            mpz_set_si(power, (long)a->exp);
            mpz_powm(ten, ten, power, z);
            mpz_mul(x, x, ten);
        } else
            (void)get_integer(x, a, status);
        mpz_abs(x, x);
        mpz_mod(x, x, z);
        if (b->exp > 0) {
            /* a^(c 10^e) = (a^c)^(10^e) */
            mpz_powm(x, x, b->c, z);
            mpz_set_ui(y, 10);
            for (int64_t i = 0; i < b->exp && mpz_cmp_ui(x, 1) > 0 && i < NUMBER_MAX_DIGITS; i++)
                mpz_powm(x, x, y, z);
        } else {
            (void)get_integer(y, b, status);
            mpz_powm(x, x, y, z);
        }
        mpz_swap(r->c, x);
        r->exp = 0;
        r->flags = sign;
        number_count(r);
        number_finalize(r, s, status);
    }
    mpz_clear(x);
    mpz_clear(y);
    mpz_clear(z);
    mpz_clear(ten);
    mpz_clear(power);
}
