/* Roots, exponentials and logarithms; the approximations are those of number_fixed.h. Exact results, for
 * which asking for more digits would not end, are found beforehand. */
#include "number_fixed.h"

#include <stdlib.h>

static unsigned sign_of(const number_t *a)
{
    return a->flags & NUMBER_NEGATIVE;
}

/* ---- Square roots ---- */

/* The root of an exact square; is it one? */
static int exact_root(number_t *r, const __mpz_struct *c, int64_t exp)
{
    if (!mpz_perfect_square_p(c))
        return 0;
    mpz_sqrt(r->c, c);
    r->exp = exp / 2;
    r->flags = 0;
    number_count(r);
    return 1;
}

void number_sqrt(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    settings_t even = *s;
    even.rounding = ROUND_HALF_EVEN;
    int64_t half = a->exp >= 0 ? a->exp / 2 : -((1 - a->exp) / 2);
    if (number_is_zero(a)) {
        number_set_small(r, 0, half, sign_of(a));
        number_finalize(r, &even, status);
        return;
    }
    if (number_is_negative(a)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if (number_is_infinite(a)) {
        number_set(r, a);
        return;
    }
    mpz_t c, rest;
    mpz_init_set(c, a->c);
    mpz_init(rest);
    if (a->exp != 2 * half)
        mpz_mul_ui(c, c, 10);
    if (!exact_root(r, c, 2 * half)) {
        /* 2 * (prec + 1) digits at least, an even shift */
        int64_t shift = s->prec + 1 - ((int64_t)mpz_sizeinbase(c, 10) - 1) / 2;
        if (shift < 0) {
            mpz_sqrtrem(r->c, rest, c);
            shift = 0;
        } else if (number_scale_up(c, 2 * shift, status) == 0)
            mpz_sqrtrem(r->c, rest, c);
        r->exp = half - shift;
        r->flags = *status & STATUS_MEMORY ? NUMBER_NAN : 0;
        if (mpz_sgn(rest) != 0)
            number_make_sticky(r->c);
        else
            r->exp += number_strip_zeros(r->c, shift);
        number_count(r);
    }
    number_finalize(r, &even, status);
    mpz_clear(c);
    mpz_clear(rest);
}

/* ---- Exponential ---- */

void number_exp(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    settings_t even = *s;
    even.rounding = ROUND_HALF_EVEN;
    if (number_check_nan(r, a, NULL, s, status))
        return;
    if (number_is_infinite(a)) {
        if (number_is_negative(a))
            number_set_small(r, 0, 0, 0);
        else
            number_set(r, a);
        return;
    }
    if (mpz_sgn(a->c) == 0) {
        number_set_small(r, 1, 0, 0);
        return;
    }
    int64_t size = number_adjusted(a);
    if (size > 19)
        number_set_out_of_range(r, number_is_negative(a), 0, s);
    else if (size < -(s->prec + 2))
        number_set_near_one(r, number_is_negative(a), s, status);
    else if (!number_too_precise(r, s->prec, status)) {
        mpz_t t;
        mpz_init(t);
        for (int64_t more = 40; !number_is_nan(r); more *= 2) {
            int64_t bits = fixed_bits_for(s->prec + 3) + more;
            if (fixed_from_decimal(t, a->c, a->exp, bits, status) < 0) {
                number_set_special(r, NUMBER_NAN);
                break;
            }
            if (number_is_negative(a))
                mpz_neg(t, t);
            if (fixed_exp_result(r, t, 2, bits, 0, s))
                break;
        }
        mpz_clear(t);
    }
    number_finalize(r, &even, status);
}

/* ---- Logarithms ---- */

/* Is it 10^n? */
static int is_power_of_ten(const number_t *a, int64_t *n)
{
    mpz_t tmp;
    mpz_init(tmp);
    int is_power = mpz_cmp(a->c, number_power_of_ten((uint64_t)(a->digits - 1), tmp)) == 0;
    mpz_clear(tmp);
    *n = number_adjusted(a);
    return is_power;
}

/* Special cases of both logarithms. Is the result set? */
static int log_special(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return 1;
    if (number_is_zero(a))
        number_set_special(r, NUMBER_INFINITE | NUMBER_NEGATIVE);
    else if (number_is_negative(a))
        number_set_invalid(r, STATUS_INVALID, status);
    else if (number_is_infinite(a))
        number_set(r, a);
    else
        return 0;
    return 1;
}

static void logarithm(number_t *r, const number_t *a, int is_decimal, const settings_t *s, uint32_t *status)
{
    mpz_t value, ln10;
    mpz_init(value);
    mpz_init(ln10);
    for (int64_t more = 40;; more *= 2) {
        int64_t bits = fixed_ln_of(value, a, fixed_bits_for(s->prec + 3) + more, status);
        unsigned sign = mpz_sgn(value) < 0 ? NUMBER_NEGATIVE : 0;
        mpz_abs(value, value);
        if (is_decimal) {
            fixed_ln10(ln10, bits);
            mpz_mul_2exp(value, value, (mp_bitcnt_t)bits);
            mpz_fdiv_q(value, value, ln10);
        }
        /* for the decimal one the error of ln 10 counts as often as the value is long */
        unsigned long error_bits = 12 + (is_decimal ? 64 : 0);
        if (mpz_sgn(value) > 0 && (int64_t)mpz_sizeinbase(value, 2) > (int64_t)error_bits &&
            fixed_settle(r, value, error_bits, bits, s->prec + 2, 0, sign))
            break;
    }
    mpz_clear(value);
    mpz_clear(ln10);
}

void number_ln(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    settings_t even = *s;
    int64_t n;
    even.rounding = ROUND_HALF_EVEN;
    if (log_special(r, a, s, status))
        return;
    if (is_power_of_ten(a, &n) && n == 0)
        number_set_small(r, 0, 0, 0);
    else if (!number_too_precise(r, s->prec + a->digits, status)) {
        logarithm(r, a, 0, s, status);
        number_finalize(r, &even, status);
    }
}

void number_log10(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    settings_t even = *s;
    int64_t n;
    even.rounding = ROUND_HALF_EVEN;
    if (log_special(r, a, s, status))
        return;
    if (is_power_of_ten(a, &n)) {
        number_set_small(r, (uint64_t)llabs(n), 0, n < 0 ? NUMBER_NEGATIVE : 0);
        number_finalize(r, &even, status);
    } else if (!number_too_precise(r, s->prec + a->digits, status)) {
        logarithm(r, a, 1, s, status);
        number_finalize(r, &even, status);
    }
}
