/* Binary fixed-point numbers, integers that stand for themselves over 2^bits, in which the transcendental
 * functions are computed. A result is rounded correctly: an approximation is good enough if both ends of the
 * interval that it stands for begin with the same digits; otherwise it is made again with more bits. */
#ifndef BRAID_DECIMAL_NUMBER_FIXED_H
#define BRAID_DECIMAL_NUMBER_FIXED_H

#include "number.h"

/* Bits enough for so many decimal digits. */
static inline int64_t fixed_bits_for(int64_t digits)
{
    return (int64_t)((double)digits * 3.3219280948873626) + 2;
}

/* ln 10 */
void fixed_ln10(mpz_ptr r, int64_t bits);
/* c * 10^exp, rounded down. 0, or -1 with STATUS_MEMORY. */
int fixed_from_decimal(mpz_ptr r, const __mpz_struct *c, int64_t exp, int64_t bits, uint32_t *status);
/* Have both ends of value +- 2^error_bits units the same first digits, so many as asked? Then *r is it, with
 * sign and exponent and a digit that says that more follows, and 1 is returned. value > 0 */
int fixed_settle(number_t *r, const __mpz_struct *value, unsigned long error_bits, int64_t bits,
                 int64_t digits, int64_t exp, unsigned sign);
/* e^t, rounded enough for the settings; t is consumed, its error is less than 2^error_bits units. Is the
 * result settled? */
int fixed_exp_result(number_t *r, mpz_ptr t, unsigned long error_bits, int64_t bits, unsigned sign,
                     const settings_t *s);
/* ln a for a finite a > 0, not 1, with so many good bits behind the first ones that are not 0. Returns the
 * bits behind the point. The error is less than 2^8 units. */
int64_t fixed_ln_of(mpz_ptr r, const number_t *a, int64_t precise_bits, uint32_t *status);

/* 1 + a little more, or a little less. */
void number_set_near_one(number_t *r, int less, const settings_t *s, uint32_t *status);
/* Too great, or too small, for the settings. */
void number_set_out_of_range(number_t *r, int is_small, unsigned sign, const settings_t *s);
/* Are so many digits too many to work with? Then r is NaN. */
int number_too_precise(number_t *r, int64_t digits, uint32_t *status);

#endif /* BRAID_DECIMAL_NUMBER_FIXED_H */
