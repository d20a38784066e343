/* The smaller operations: quantizing, neighbours, extremes, logical and digit-wise ones. */
#include "number.h"

#include <stdlib.h>
#include <string.h>

static unsigned sign_of(const number_t *a)
{
    return a->flags & NUMBER_NEGATIVE;
}

/* ---- Classes ---- */

int number_is_normal(const number_t *a, const settings_t *s)
{
    return !number_is_special(a) && mpz_sgn(a->c) != 0 && number_adjusted(a) >= s->emin;
}

int number_is_subnormal(const number_t *a, const settings_t *s)
{
    return !number_is_special(a) && mpz_sgn(a->c) != 0 && number_adjusted(a) < s->emin;
}

const char *number_class(const number_t *a, const settings_t *s)
{
    int negative = number_is_negative(a);
    if (number_is_nan(a))
        return a->flags & NUMBER_SNAN ? "sNaN" : "NaN";
    if (number_is_infinite(a))
        return negative ? "-Infinity" : "+Infinity";
    if (number_is_zero(a))
        return negative ? "-Zero" : "+Zero";
    if (number_is_subnormal(a, s))
        return negative ? "-Subnormal" : "+Subnormal";
    return negative ? "-Normal" : "+Normal";
}

/* ---- Exponents ---- */

void number_rescale(number_t *r, const number_t *a, int64_t exp, const settings_t *s, uint32_t *status)
{
    unsigned sign = sign_of(a);
    if (exp > s->emax || exp < settings_etiny(s)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if (mpz_sgn(a->c) == 0) {
        number_set_small(r, 0, exp, sign);
        number_finalize(r, s, status);
        return;
    }
    if (number_adjusted(a) > s->emax || number_adjusted(a) - exp + 1 > s->prec) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    int lost = 0;
    number_set(r, a);
    if (a->exp >= exp) {
        if (number_scale_up(r->c, a->exp - exp, status) < 0) {
            number_set_special(r, NUMBER_NAN);
            return;
        }
    } else
        lost = number_drop_digits(r->c, exp - a->exp, s->rounding, sign != 0);
    r->exp = exp;
    number_count(r);
    if (r->digits > s->prec || (mpz_sgn(r->c) != 0 && number_adjusted(r) > s->emax)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if (a->exp < exp)
        *status |= STATUS_ROUNDED;
    if (lost)
        *status |= STATUS_INEXACT;
    if (number_is_subnormal(r, s))
        *status |= STATUS_SUBNORMAL;
    number_finalize(r, s, status);
}

void number_quantize(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return;
    if (number_is_infinite(a) && number_is_infinite(b))
        number_set(r, a);
    else if (number_is_infinite(a) || number_is_infinite(b))
        number_set_invalid(r, STATUS_INVALID, status);
    else
        number_rescale(r, a, b->exp, s, status);
}

void number_normalize(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    number_set(r, a);
    number_finalize(r, s, status);
    if (number_is_special(r))
        return;
    if (mpz_sgn(r->c) == 0) {
        r->exp = 0;
        return;
    }
    int64_t room = (s->clamp ? settings_etop(s) : s->emax) - r->exp, gone = number_strip_zeros(r->c, room);
    r->exp += gone;
    r->digits -= gone;
}

/* As an integer, rounded; with flags if asked. */
static void to_integral(number_t *r, const number_t *a, const settings_t *s, int with_flags, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    number_set(r, a);
    if (number_is_special(a) || a->exp >= 0)
        return;
    if (mpz_sgn(a->c) == 0) {
        r->exp = 0;
        return;
    }
    int lost = number_drop_digits(r->c, -a->exp, s->rounding, number_is_negative(a));
    r->exp = 0;
    number_count(r);
    if (with_flags)
        *status |= STATUS_ROUNDED | (lost ? STATUS_INEXACT : 0);
}

void number_to_integral(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    to_integral(r, a, s, 0, status);
}

void number_to_integral_exact(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    to_integral(r, a, s, 1, status);
}

void number_logb(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    if (number_is_infinite(a))
        number_set_special(r, NUMBER_INFINITE);
    else if (mpz_sgn(a->c) == 0) {
        number_set_special(r, NUMBER_INFINITE | NUMBER_NEGATIVE);
        *status |= STATUS_DIVISION_BY_ZERO;
    } else {
        int64_t n = number_adjusted(a);
        number_set_small(r, (uint64_t)llabs(n), 0, n < 0 ? NUMBER_NEGATIVE : 0);
        number_finalize(r, s, status);
    }
}

void number_scaleb(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    int64_t n, limit = 2 * (s->emax + s->prec);
    if (number_check_nan(r, a, b, s, status))
        return;
    if (number_is_special(b) || b->exp != 0 || !number_get_int64(b, &n) || n > limit || n < -limit) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    number_set(r, a);
    if (number_is_infinite(a))
        return;
    r->exp += n;
    number_finalize(r, s, status);
}

/* ---- Neighbours ---- */

/* The greatest or least finite number. */
static void set_extreme(number_t *r, unsigned sign, const settings_t *s, uint32_t *status)
{
    settings_t down = *s;
    down.rounding = ROUND_DOWN;
    uint32_t ignored = 0;
    number_set_small(r, 1, s->emax + 1, sign);
    number_finalize(r, &down, &ignored);
    *status |= ignored & STATUS_MEMORY;
}

/* The next number in a direction (ROUND_CEILING or ROUND_FLOOR), NaNs apart. */
static void next_in(number_t *r, const number_t *a, int direction, const settings_t *s, uint32_t *status)
{
    unsigned against = direction == ROUND_CEILING ? NUMBER_NEGATIVE : 0;
    if (number_is_infinite(a)) {
        if (sign_of(a) == against)
            set_extreme(r, against, s, status);
        else
            number_set(r, a);
        return;
    }
    settings_t directed = *s;
    directed.rounding = direction;
    uint32_t ignored = 0;
    number_t step;
    number_init(&step);
    /* Rounded in that direction: the neighbour, if a had more digits than fit. */
    number_set(r, a);
    number_finalize(r, &directed, &ignored);
    if (number_cmp(r, a) == 0) {
        number_set_small(&step, 1, settings_etiny(s) - 1, against ? 0 : NUMBER_NEGATIVE);
        ignored = 0;
        number_add(r, a, &step, &directed, &ignored);
    }
    number_clear(&step);
    *status |= ignored & STATUS_MEMORY;
}

void number_next_plus(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (!number_check_nan(r, a, NULL, s, status))
        next_in(r, a, ROUND_CEILING, s, status);
}

void number_next_minus(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (!number_check_nan(r, a, NULL, s, status))
        next_in(r, a, ROUND_FLOOR, s, status);
}

void number_next_toward(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                        uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return;
    int order = number_cmp(a, b);
    if (order == 0) {
        number_set(r, a);
        r->flags = (a->flags & ~(unsigned)NUMBER_NEGATIVE) | sign_of(b);
        return;
    }
    next_in(r, a, order < 0 ? ROUND_CEILING : ROUND_FLOOR, s, status);
    if (number_is_infinite(r)) {
        if (!number_is_infinite(a))
            *status |= STATUS_OVERFLOW | STATUS_ROUNDED | STATUS_INEXACT;
    } else if (number_is_zero(r) || number_adjusted(r) < s->emin) {
        *status |= STATUS_UNDERFLOW | STATUS_SUBNORMAL | STATUS_ROUNDED | STATUS_INEXACT;
        if (number_is_zero(r))
            *status |= STATUS_CLAMPED;
    }
}

/* ---- Extremes ---- */

/* by_magnitude: the absolute values decide first. sign: 1 for the greater one, -1 for the lesser one. */
static void choose(number_t *r, const number_t *a, const number_t *b, int by_magnitude, int sign,
                   const settings_t *s, uint32_t *status)
{
    if (number_is_nan(a) || number_is_nan(b)) {
        /* a number is preferred to a quiet NaN */
        int is_quiet = !((a->flags | b->flags) & NUMBER_SNAN);
        if (is_quiet && number_is_nan(a) != number_is_nan(b)) {
            number_set(r, number_is_nan(a) ? b : a);
            number_finalize(r, s, status);
        } else
            (void)number_check_nan(r, a, b, s, status);
        return;
    }
    int order = 0;
    if (by_magnitude) {
        number_t x = *a, y = *b; /* views with other signs */
        x.flags &= ~(unsigned)NUMBER_NEGATIVE;
        y.flags &= ~(unsigned)NUMBER_NEGATIVE;
        order = number_cmp(&x, &y);
    }
    if (order == 0)
        order = number_cmp(a, b);
    if (order == 0)
        order = number_cmp_total(a, b, 0);
    number_set(r, order * sign >= 0 ? a : b);
    number_finalize(r, s, status);
}

void number_max(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    choose(r, a, b, 0, 1, s, status);
}

void number_min(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    choose(r, a, b, 0, -1, s, status);
}

void number_max_mag(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    choose(r, a, b, 1, 1, s, status);
}

void number_min_mag(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    choose(r, a, b, 1, -1, s, status);
}

/* ---- Digit strings ---- */

/* The digits of c, filled up with zeros or cut to n, the last ones; NULL: no memory. */
static char *digits_of(const __mpz_struct *c, int64_t n, uint32_t *status)
{
    char *all = n <= NUMBER_MAX_DIGITS ? malloc(mpz_sizeinbase(c, 10) + 2) : NULL;
    char *digits = n <= NUMBER_MAX_DIGITS ? malloc((size_t)n + 1) : NULL;
    if (all == NULL || digits == NULL) {
        free(all);
        free(digits);
        *status |= STATUS_MEMORY;
        return NULL;
    }
    mpz_get_str(all, 10, c);
    int64_t have = (int64_t)strlen(all), take = have < n ? have : n;
    memset(digits, '0', (size_t)n);
    memcpy(digits + (n - take), all + (have - take), (size_t)take);
    digits[n] = '\0';
    free(all);
    return digits;
}

/* Is it a finite number >= 0 with exponent 0 and no digits but 0 and 1? */
static int is_logical(const number_t *a)
{
    uint32_t ignored = 0;
    if (number_is_special(a) || a->exp != 0 || number_is_negative(a))
        return 0;
    char *digits = digits_of(a->c, a->digits, &ignored);
    int good = digits != NULL && strspn(digits, "01") == (size_t)a->digits;
    free(digits);
    return good;
}

enum { LOGICAL_AND, LOGICAL_OR, LOGICAL_XOR };

static void combine(number_t *r, const number_t *a, const number_t *b, int how, const settings_t *s,
                    uint32_t *status)
{
    if (!is_logical(a) || !is_logical(b)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    int64_t n = a->digits > b->digits ? a->digits : b->digits;
    n = n < s->prec ? n : s->prec;
    char *x = digits_of(a->c, n, status), *y = x != NULL ? digits_of(b->c, n, status) : NULL;
    if (y == NULL)
        number_set_special(r, NUMBER_NAN);
    else {
        for (int64_t i = 0; i < n; i++) {
            int p = x[i] == '1', q = y[i] == '1';
            x[i] = (how == LOGICAL_AND ? p && q : how == LOGICAL_OR ? p || q : p != q) ? '1' : '0';
        }
        mpz_set_str(r->c, x, 10);
        r->exp = 0;
        r->flags = 0;
        number_count(r);
    }
    free(x);
    free(y);
}

void number_and(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    combine(r, a, b, LOGICAL_AND, s, status);
}

void number_or(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    combine(r, a, b, LOGICAL_OR, s, status);
}

void number_xor(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    combine(r, a, b, LOGICAL_XOR, s, status);
}

void number_invert(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    char *digits;
    if (!is_logical(a)) {
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if ((digits = digits_of(a->c, s->prec, status)) == NULL) {
        number_set_special(r, NUMBER_NAN);
        return;
    }
    for (int64_t i = 0; i < s->prec; i++)
        digits[i] = digits[i] == '0' ? '1' : '0';
    mpz_set_str(r->c, digits, 10);
    r->exp = 0;
    r->flags = 0;
    number_count(r);
    free(digits);
}

/* Checks the count of a rotation or shift. Is the result set already? */
static int digit_move_special(number_t *r, const number_t *a, const number_t *b, int64_t *n,
                              const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return 1;
    if (number_is_special(b) || b->exp != 0 || !number_get_int64(b, n) || *n > s->prec || *n < -s->prec) {
        number_set_invalid(r, STATUS_INVALID, status);
        return 1;
    }
    if (number_is_infinite(a)) {
        number_set(r, a);
        return 1;
    }
    return 0;
}

/* What the digits in text are, with sign and exponent of a. */
static void set_digits(number_t *r, const number_t *a, const char *digits)
{
    mpz_set_str(r->c, digits, 10);
    r->exp = a->exp;
    r->flags = sign_of(a);
    number_count(r);
}

void number_rotate(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    int64_t n;
    char *digits, *turned;
    if (digit_move_special(r, a, b, &n, s, status))
        return;
    digits = digits_of(a->c, s->prec, status);
    turned = digits != NULL ? malloc((size_t)s->prec + 1) : NULL;
    if (turned == NULL) {
        free(digits);
        number_set_invalid(r, STATUS_MEMORY, status);
        return;
    }
    int64_t left = n < 0 ? n + s->prec : n;
    memcpy(turned, digits + left, (size_t)(s->prec - left));
    memcpy(turned + (s->prec - left), digits, (size_t)left);
    turned[s->prec] = '\0';
    set_digits(r, a, turned);
    free(digits);
    free(turned);
}

void number_shift(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    int64_t n;
    mpz_t tmp;
    if (digit_move_special(r, a, b, &n, s, status))
        return;
    number_set(r, a);
    mpz_init(tmp);
    if (a->digits > s->prec)
        mpz_tdiv_r(r->c, r->c, number_power_of_ten((uint64_t)s->prec, tmp));
    if (n < 0)
        (void)number_drop_digits(r->c, -n, ROUND_DOWN, 0);
    else if (number_scale_up(r->c, n, status) < 0)
        number_set_special(r, NUMBER_NAN);
    if (!number_is_special(r)) {
        number_count(r);
        if (r->digits > s->prec)
            mpz_tdiv_r(r->c, r->c, number_power_of_ten((uint64_t)s->prec, tmp));
        number_count(r);
    }
    mpz_clear(tmp);
}
