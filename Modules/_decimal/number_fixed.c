/* The fixed-point approximations: constants, exponential and logarithm, and the way from them to decimal
 * results. */
#include "number_fixed.h"

#include <math.h>
#include <stdlib.h>

/* artanh(1/k) */
static void fixed_artanh_inverse(mpz_ptr r, unsigned long k, int64_t bits)
{
    mpz_t power, term;
    mpz_init_set_ui(power, 1);
    mpz_init(term);
    mpz_mul_2exp(power, power, (mp_bitcnt_t)bits);
    mpz_tdiv_q_ui(power, power, k);
    mpz_set(r, power);
    for (unsigned long i = 3; mpz_sgn(power) != 0; i += 2) {
        mpz_tdiv_q_ui(power, power, k * k);
        mpz_tdiv_q_ui(term, power, i);
        mpz_add(r, r, term);
    }
    mpz_clear(power);
    mpz_clear(term);
}

/* ln 10, by a formula of Machin's kind */
void fixed_ln10(mpz_ptr r, int64_t bits)
{
    static const unsigned long factors[][2] = {{46, 31}, {34, 49}, {20, 161}};
    int64_t guard = 16;
    mpz_t part;
    mpz_init(part);
    mpz_set_ui(r, 0);
    for (int i = 0; i < 3; i++) {
        fixed_artanh_inverse(part, factors[i][1], bits + guard);
        mpz_addmul_ui(r, part, factors[i][0]);
    }
    mpz_fdiv_q_2exp(r, r, (mp_bitcnt_t)guard);
    mpz_clear(part);
}

/* e^x for |x| < 4; x may be negative. The error is a few units of the last bit. */
static void fixed_exp(mpz_ptr r, const __mpz_struct *x, int64_t bits)
{
    int64_t halvings = (int64_t)sqrt((double)bits) / 2 + 6, guard = halvings + 16, wide = bits + guard;
    mpz_t z, term;
    mpz_init(z);
    mpz_init(term);
    mpz_mul_2exp(z, x, (mp_bitcnt_t)guard);
    mpz_fdiv_q_2exp(z, z, (mp_bitcnt_t)halvings);
    mpz_set_ui(r, 1);
    mpz_mul_2exp(r, r, (mp_bitcnt_t)wide);
    mpz_set(term, r);
    for (unsigned long i = 1; mpz_sgn(term) != 0 && mpz_cmp_si(term, -1) != 0; i++) {
        mpz_mul(term, term, z);
        mpz_fdiv_q_2exp(term, term, (mp_bitcnt_t)wide);
        mpz_fdiv_q_ui(term, term, i);
        mpz_add(r, r, term);
    }
    for (int64_t i = 0; i < halvings; i++) {
        mpz_mul(r, r, r);
        mpz_fdiv_q_2exp(r, r, (mp_bitcnt_t)wide);
    }
    mpz_fdiv_q_2exp(r, r, (mp_bitcnt_t)guard);
    mpz_clear(z);
    mpz_clear(term);
}

/* ln y for y between 1/4 and 4, by Halley's iteration: x + 2 (y - e^x) / (y + e^x), each time three times as
 * many bits. */
static void fixed_ln(mpz_ptr r, const __mpz_struct *y, int64_t bits)
{
    int64_t steps[40], guard = 16, wide = bits + guard;
    int count = 0;
    for (int64_t n = wide; n > 40; n = n / 3 + 8)
        steps[count++] = n;
    mpz_t e, z, top;
    mpz_init(e);
    mpz_init(z);
    mpz_init(top);
    long exponent;
    double value = mpz_get_d_2exp(&exponent, y);
    value = log(ldexp(value, (int)(exponent - bits)));
    int64_t have = 60;
    mpz_set_d(r, ldexp(value, 60));
    while (count > 0) {
        int64_t n = steps[--count] + 8;
        if (n >= have)
            mpz_mul_2exp(r, r, (mp_bitcnt_t)(n - have));
        else
            mpz_fdiv_q_2exp(r, r, (mp_bitcnt_t)(have - n));
        have = n;
        fixed_exp(e, r, n);
        if (n >= bits)
            mpz_mul_2exp(z, y, (mp_bitcnt_t)(n - bits));
        else
            mpz_fdiv_q_2exp(z, y, (mp_bitcnt_t)(bits - n));
        mpz_sub(top, z, e);
        mpz_mul_2exp(top, top, (mp_bitcnt_t)(n + 1));
        mpz_add(z, z, e);
        mpz_tdiv_q(top, top, z);
        mpz_add(r, r, top);
    }
    if (have >= bits)
        mpz_fdiv_q_2exp(r, r, (mp_bitcnt_t)(have - bits));
    else
        mpz_mul_2exp(r, r, (mp_bitcnt_t)(bits - have));
    mpz_clear(e);
    mpz_clear(z);
    mpz_clear(top);
}

/* c * 10^exp as a fixed-point number, rounded down. 0, or -1 with STATUS_MEMORY. */
int fixed_from_decimal(mpz_ptr r, const __mpz_struct *c, int64_t exp, int64_t bits, uint32_t *status)
{
    mpz_set(r, c);
    mpz_mul_2exp(r, r, (mp_bitcnt_t)bits);
    if (exp >= 0)
        return number_scale_up(r, exp, status);
    if (-exp > (int64_t)mpz_sizeinbase(r, 10) + 1) {
        mpz_set_ui(r, 0);
        return 0;
    }
    mpz_t tmp;
    mpz_init(tmp);
    mpz_fdiv_q(r, r, number_power_of_ten((uint64_t)-exp, tmp));
    mpz_clear(tmp);
    return 0;
}

/* ---- From fixed-point numbers to results ---- */

/* Do both ends of value +- error have the same first digits? Then *r is it (sticky), with sign and exponent,
 * and 1 is returned. digits: how many are needed. value > 0 */
int fixed_settle(number_t *r, const __mpz_struct *value, unsigned long error_bits, int64_t bits,
                 int64_t digits, int64_t exp, unsigned sign)
{
    mpz_t low, high, tmp, error;
    mpz_init(low);
    mpz_init(high);
    mpz_init(tmp);
    mpz_init_set_ui(error, 1);
    mpz_mul_2exp(error, error, error_bits);
    /* floor(value * 10^place / 2^bits) shall have that many digits, or a few more */
    int64_t whole_bits = (int64_t)mpz_sizeinbase(value, 2) - bits;
    int64_t place = digits - (int64_t)floor((double)(whole_bits - 1) * 0.30102999566398120);
    mpz_sub(low, value, error);
    mpz_add(high, value, error);
    if (place >= 0) {
        const __mpz_struct *power = number_power_of_ten((uint64_t)place, tmp);
        mpz_mul(low, low, power);
        mpz_mul(high, high, power);
        mpz_fdiv_q_2exp(low, low, (mp_bitcnt_t)bits);
        mpz_fdiv_q_2exp(high, high, (mp_bitcnt_t)bits);
    } else {
        mpz_fdiv_q_2exp(low, low, (mp_bitcnt_t)bits);
        mpz_fdiv_q_2exp(high, high, (mp_bitcnt_t)bits);
        const __mpz_struct *power = number_power_of_ten((uint64_t)-place, tmp);
        mpz_fdiv_q(low, low, power);
        mpz_fdiv_q(high, high, power);
    }
    int settled = mpz_sgn(low) > 0 && mpz_cmp(low, high) == 0;
    if (settled) {
        mpz_mul_ui(low, low, 10);
        mpz_add_ui(low, low, 1); /* more follows: the value is not exact */
        mpz_swap(r->c, low);
        r->exp = exp - place - 1;
        r->flags = sign;
        number_count(r);
    }
    mpz_clear(low);
    mpz_clear(high);
    mpz_clear(tmp);
    mpz_clear(error);
    return settled;
}

/* 1 + a little more, or a little less. */
void number_set_near_one(number_t *r, int less, const settings_t *s, uint32_t *status)
{
    number_set_small(r, 1, 0, 0);
    if (number_scale_up(r->c, s->prec + 2, status) < 0) {
        number_set_special(r, NUMBER_NAN);
        return;
    }
    if (less)
        mpz_sub_ui(r->c, r->c, 1);
    else
        mpz_add_ui(r->c, r->c, 1);
    r->exp = -(s->prec + 2);
    number_count(r);
}

/* Too great, or too small, for any settings. */
void number_set_out_of_range(number_t *r, int is_small, unsigned sign, const settings_t *s)
{
    number_set_small(r, 1, is_small ? settings_etiny(s) - s->prec - 10 : s->emax + 10, sign);
}

/* Could so many digits be worked with? */
int number_too_precise(number_t *r, int64_t digits, uint32_t *status)
{
    if (digits < NUMBER_MAX_DIGITS / 8)
        return 0;
    number_set_invalid(r, STATUS_MEMORY, status);
    return 1;
}

/* e^t for the fixed-point t (which is consumed), whose error is less than 2^error_bits units. Is the result
 * settled? */
int fixed_exp_result(number_t *r, mpz_ptr t, unsigned long error_bits, int64_t bits, unsigned sign,
                     const settings_t *s)
{
    mpz_t ln10, k;
    mpz_init(ln10);
    mpz_init(k);
    fixed_ln10(ln10, bits + 80);
    mpz_mul_2exp(t, t, 80);
    mpz_fdiv_qr(k, t, t, ln10); /* e^t = 10^k e^rest */
    mpz_fdiv_q_2exp(t, t, 80);
    mpz_fdiv_q_2exp(ln10, ln10, 80);
    int settled = 1;
    if (!mpz_fits_slong_p(k) || llabs((long long)mpz_get_si(k)) > 3000000000000000000)
        number_set_out_of_range(r, mpz_sgn(k) < 0, sign, s);
    else {
        /* e^rest < 10 multiplies the error */
        fixed_exp(ln10, t, bits);
        settled = fixed_settle(r, ln10, error_bits + 6, bits, s->prec + 2, mpz_get_si(k), sign);
    }
    mpz_clear(ln10);
    mpz_clear(k);
    return settled;
}

/* ln a for a finite a > 0, not 1, with so many bits that are right behind the first ones that are not 0.
 * Returns the bits behind the point. The error is less than 2^8 units. */
int64_t fixed_ln_of(mpz_ptr r, const number_t *a, int64_t precise_bits, uint32_t *status)
{
    /* a = y * 10^k with y about between 1/3 and 3 */
    int64_t k = number_adjusted(a), exp = -(a->digits - 1), lost = 0;
    mpz_t y, tmp, ln10;
    mpz_init(y);
    mpz_init(tmp);
    mpz_init(ln10);
    mpz_mul_ui(y, a->c, 3);
    if (mpz_cmp(y, number_power_of_ten((uint64_t)a->digits, tmp)) > 0) {
        k++;
        exp--;
    }
    if (k == 0) {
        /* near 1, ln is as small as the difference is */
        const __mpz_struct *one = number_power_of_ten((uint64_t)-exp, tmp);
        mpz_sub(y, a->c, one);
        lost = (int64_t)mpz_sizeinbase(one, 2) - (int64_t)mpz_sizeinbase(y, 2) + 2;
    }
    int64_t bits = precise_bits + (lost > 0 ? lost : 0) + 72;
    (void)fixed_from_decimal(y, a->c, exp, bits, status);
    fixed_ln(r, y, bits);
    if (k != 0) {
        fixed_ln10(ln10, bits + 64);
        mpz_set_si(tmp, (long)k);
        mpz_mul(ln10, ln10, tmp);
        mpz_fdiv_q_2exp(ln10, ln10, 64);
        mpz_add(r, r, ln10);
    }
    mpz_clear(y);
    mpz_clear(tmp);
    mpz_clear(ln10);
    return bits;
}
