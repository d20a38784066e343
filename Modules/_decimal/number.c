/* Numbers: making them, counting digits, powers of ten, rounding. */
#include "number.h"

#include <stdlib.h>
#include <string.h>

const settings_t settings_widest = {
    .prec = NUMBER_MAX_PREC,
    .emax = NUMBER_MAX_EMAX,
    .emin = NUMBER_MIN_EMIN,
    .rounding = ROUND_HALF_EVEN,
    .capitals = 1,
};

/* ---- Powers of ten ---- */

enum { READY_POWERS = 160 };
static mpz_t powers[READY_POWERS]; /* [const] after number_setup */

void number_setup(void)
{
    if (powers[0]->_mp_alloc != 0)
        return;
    for (int i = 0; i < READY_POWERS; i++) {
        mpz_init(powers[i]);
        mpz_ui_pow_ui(powers[i], 10, (unsigned long)i);
    }
}

const __mpz_struct *number_power_of_ten(uint64_t n, mpz_ptr tmp)
{
    if (n < READY_POWERS)
        return powers[n];
    mpz_ui_pow_ui(tmp, 10, n);
    return tmp;
}

/* How many digits has c? */
static int64_t count_digits(const __mpz_struct *c)
{
    size_t bits = mpz_sgn(c) == 0 ? 1 : mpz_sizeinbase(c, 2);
    /* 2^(bits-1) <= c < 2^bits: at least this many digits, and one more at most */
    int64_t least = (int64_t)((double)(bits - 1) * 0.301029995663981195) + 1;
    if (bits > 1000000) {
        /* beyond that, a double may be off by one */
        least = (int64_t)mpz_sizeinbase(c, 10) - 1;
        least = least < 1 ? 1 : least;
    }
    mpz_t tmp;
    mpz_init(tmp);
    while (mpz_cmp(c, number_power_of_ten((uint64_t)least, tmp)) >= 0)
        least++;
    mpz_clear(tmp);
    return least;
}

void number_count(number_t *r)
{
    r->digits = count_digits(r->c);
}

/* ---- Making ---- */

void number_init(number_t *r)
{
    mpz_init(r->c);
    r->exp = 0;
    r->digits = 1;
    r->flags = 0;
}

void number_clear(number_t *r)
{
    mpz_clear(r->c);
}

void number_set(number_t *r, const number_t *a)
{
    if (r != a)
        mpz_set(r->c, a->c);
    r->exp = a->exp;
    r->digits = a->digits;
    r->flags = a->flags;
}

void number_set_small(number_t *r, uint64_t c, int64_t exp, unsigned flags)
{
    mpz_set_ui(r->c, c);
    r->exp = exp;
    r->flags = flags;
    number_count(r);
}

void number_set_special(number_t *r, unsigned flags)
{
    mpz_set_ui(r->c, 0);
    r->exp = 0;
    r->digits = 1;
    r->flags = flags;
}

void number_set_invalid(number_t *r, uint32_t why, uint32_t *status)
{
    number_set_special(r, NUMBER_NAN);
    *status |= why;
}

/* ---- Integers ---- */

int number_is_integer(const number_t *a)
{
    if (number_is_special(a))
        return 0;
    if (a->exp >= 0 || mpz_sgn(a->c) == 0)
        return 1;
    if (-a->exp >= a->digits)
        return 0;
    mpz_t tmp;
    mpz_init(tmp);
    int divides = mpz_divisible_p(a->c, number_power_of_ten((uint64_t)-a->exp, tmp));
    mpz_clear(tmp);
    return divides;
}

int number_get_int64(const number_t *a, int64_t *n)
{
    if (!number_is_integer(a))
        return 0;
    if (mpz_sgn(a->c) == 0) {
        *n = 0;
        return 1;
    }
    if (number_adjusted(a) > 18)
        return 0;
    mpz_t c, tmp;
    mpz_init(c);
    mpz_init(tmp);
    if (a->exp >= 0)
        mpz_mul(c, a->c, number_power_of_ten((uint64_t)a->exp, tmp));
    else
        mpz_divexact(c, a->c, number_power_of_ten((uint64_t)-a->exp, tmp));
    int fits = mpz_fits_slong_p(c);
    if (fits)
        *n = number_is_negative(a) ? -mpz_get_si(c) : mpz_get_si(c);
    mpz_clear(c);
    mpz_clear(tmp);
    return fits;
}

/* ---- Shifting ---- */

int number_scale_up(mpz_ptr c, int64_t n, uint32_t *status)
{
    if (n <= 0 || mpz_sgn(c) == 0)
        return 0;
    if (n > NUMBER_MAX_DIGITS || (int64_t)mpz_sizeinbase(c, 10) > NUMBER_MAX_DIGITS - n) {
        *status |= STATUS_MEMORY;
        return -1;
    }
    mpz_t tmp;
    mpz_init(tmp);
    mpz_mul(c, c, number_power_of_ten((uint64_t)n, tmp));
    mpz_clear(tmp);
    return 0;
}

int64_t number_strip_zeros(mpz_ptr c, int64_t limit)
{
    int64_t count = 0;
    mpz_t tmp;
    if (limit <= 0 || mpz_sgn(c) == 0)
        return 0;
    /* 10^n divides c only if 2^n does */
    int64_t twos = (int64_t)mpz_scan1(c, 0);
    limit = limit < twos ? limit : twos;
    mpz_init(tmp);
    for (int64_t step = 1;
         step <= limit - count && mpz_divisible_p(c, number_power_of_ten((uint64_t)step, tmp)); step *= 2) {
        mpz_divexact(c, c, number_power_of_ten((uint64_t)step, tmp));
        count += step;
    }
    for (int64_t step = 64; step > 0; step /= 2)
        while (step <= limit - count && mpz_divisible_p(c, number_power_of_ten((uint64_t)step, tmp))) {
            mpz_divexact(c, c, number_power_of_ten((uint64_t)step, tmp));
            count += step;
        }
    mpz_clear(tmp);
    return count;
}

/* ---- Rounding ---- */

/* Is the quotient to be increased? half: the remainder compared with one half (-1, 0, 1); it is not 0. */
static int rounds_up(int rounding, int negative, const __mpz_struct *quotient, int half)
{
    switch (rounding) {
    case ROUND_UP:
        return 1;
    case ROUND_DOWN:
        return 0;
    case ROUND_CEILING:
        return !negative;
    case ROUND_FLOOR:
        return negative;
    case ROUND_HALF_UP:
        return half >= 0;
    case ROUND_HALF_DOWN:
        return half > 0;
    case ROUND_HALF_EVEN:
        return half > 0 || (half == 0 && mpz_odd_p(quotient));
    default:
        return mpz_fdiv_ui(quotient, 5) == 0; /* 05UP: the last digit is 0 or 5 */
    }
}

int number_drop_digits(mpz_ptr c, int64_t n, int rounding, int negative)
{
    if (n <= 0 || mpz_sgn(c) == 0)
        return 0;
    if (n > (int64_t)mpz_sizeinbase(c, 10)) {
        /* less than a tenth */
        mpz_set_ui(c, 0);
        if (rounds_up(rounding, negative, c, -1))
            mpz_set_ui(c, 1);
        return 1;
    }
    mpz_t tmp, rest;
    mpz_init(tmp);
    mpz_init(rest);
    const __mpz_struct *power = number_power_of_ten((uint64_t)n, tmp);
    mpz_tdiv_qr(c, rest, c, power);
    int lost = mpz_sgn(rest) != 0;
    if (lost) {
        mpz_mul_2exp(rest, rest, 1);
        int half = mpz_cmp(rest, power);
        if (rounds_up(rounding, negative, c, (half > 0) - (half < 0)))
            mpz_add_ui(c, c, 1);
    }
    mpz_clear(tmp);
    mpz_clear(rest);
    return lost;
}

void number_make_sticky(mpz_ptr c)
{
    /* A last digit of 0 or 5 could look exact, or like one half. */
    if (mpz_fdiv_ui(c, 5) == 0)
        mpz_add_ui(c, c, 1);
}

/* ---- Fitting ---- */

static void overflow(number_t *r, const settings_t *s, uint32_t *status)
{
    unsigned sign = r->flags & NUMBER_NEGATIVE;
    int to_infinity;
    switch (s->rounding) {
    case ROUND_DOWN:
    case ROUND_05UP:
        to_infinity = 0;
        break;
    case ROUND_CEILING:
        to_infinity = !sign;
        break;
    case ROUND_FLOOR:
        to_infinity = sign != 0;
        break;
    default:
        to_infinity = 1;
    }
    *status |= STATUS_OVERFLOW | STATUS_INEXACT | STATUS_ROUNDED;
    if (to_infinity) {
        number_set_special(r, NUMBER_INFINITE | sign);
        return;
    }
    if (s->prec > NUMBER_MAX_DIGITS) {
        number_set_invalid(r, STATUS_MEMORY, status);
        return;
    }
    mpz_ui_pow_ui(r->c, 10, (unsigned long)s->prec);
    mpz_sub_ui(r->c, r->c, 1);
    r->digits = s->prec;
    r->exp = settings_etop(s);
    r->flags = sign;
}

static void finalize_zero(number_t *r, const settings_t *s, uint32_t *status)
{
    int64_t low = settings_etiny(s), high = s->clamp ? settings_etop(s) : s->emax;
    int64_t exp = r->exp < low ? low : r->exp > high ? high : r->exp;
    if (exp != r->exp)
        *status |= STATUS_CLAMPED;
    r->exp = exp;
    r->digits = 1;
}

static void finalize_nan(number_t *r, const settings_t *s)
{
    int64_t room = s->prec - s->clamp;
    if (mpz_sgn(r->c) == 0 || r->digits <= room)
        return;
    mpz_t tmp;
    mpz_init(tmp);
    mpz_tdiv_r(r->c, r->c, number_power_of_ten((uint64_t)room, tmp));
    mpz_clear(tmp);
    number_count(r);
}

/* Rounds so that the exponent becomes exp; it is the one for prec digits, or Etiny. */
static void round_to(number_t *r, int64_t exp, int is_subnormal, const settings_t *s, uint32_t *status)
{
    int lost = number_drop_digits(r->c, exp - r->exp, s->rounding, number_is_negative(r));
    r->exp = exp;
    number_count(r);
    if (r->digits > s->prec) {
        /* 99.9 has become 100 */
        mpz_tdiv_q_ui(r->c, r->c, 10);
        r->digits--;
        r->exp++;
    }
    if (r->exp > settings_etop(s) && mpz_sgn(r->c) != 0 && number_adjusted(r) > s->emax) {
        overflow(r, s, status);
        return;
    }
    *status |= STATUS_ROUNDED;
    if (lost)
        *status |= STATUS_INEXACT;
    if (is_subnormal) {
        *status |= STATUS_SUBNORMAL;
        if (lost)
            *status |= STATUS_UNDERFLOW;
        if (mpz_sgn(r->c) == 0)
            *status |= STATUS_CLAMPED;
    }
}

void number_finalize(number_t *r, const settings_t *s, uint32_t *status)
{
    if (number_is_special(r)) {
        if (number_is_nan(r))
            finalize_nan(r, s);
        return;
    }
    if (mpz_sgn(r->c) == 0) {
        finalize_zero(r, s, status);
        return;
    }
    int64_t etiny = settings_etiny(s), etop = settings_etop(s), exp = r->exp + r->digits - s->prec;
    if (number_adjusted(r) > s->emax) {
        overflow(r, s, status);
        return;
    }
    int is_subnormal = number_adjusted(r) < s->emin;
    if (exp < etiny)
        exp = etiny;
    if (r->exp < exp)
        round_to(r, exp, is_subnormal, s, status);
    else if (is_subnormal)
        *status |= STATUS_SUBNORMAL;
    if (s->clamp && !number_is_special(r) && r->exp > etop && mpz_sgn(r->c) != 0) {
        *status |= STATUS_CLAMPED;
        if (number_scale_up(r->c, r->exp - etop, status) < 0) {
            number_set_special(r, NUMBER_NAN);
            return;
        }
        r->digits += r->exp - etop;
        r->exp = etop;
    }
}

int number_check_nan(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    const number_t *nan = NULL;
    if (!number_is_nan(a) && (b == NULL || !number_is_nan(b)))
        return 0;
    if (a->flags & NUMBER_SNAN)
        nan = a;
    else if (b != NULL && b->flags & NUMBER_SNAN)
        nan = b;
    if (nan != NULL)
        *status |= STATUS_INVALID;
    else
        nan = number_is_nan(a) ? a : b;
    number_set(r, nan);
    r->flags = NUMBER_NAN | (nan->flags & NUMBER_NEGATIVE);
    finalize_nan(r, s);
    return 1;
}
