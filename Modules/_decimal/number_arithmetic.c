/* Addition, multiplication, division, comparison. */
#include "number.h"

static unsigned sign_of(const number_t *a)
{
    return a->flags & NUMBER_NEGATIVE;
}

/* ---- One operand ---- */

void number_plus(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    number_set(r, a);
    if (number_is_zero(r) && s->rounding != ROUND_FLOOR)
        r->flags = 0; /* 0 + -0 */
    number_finalize(r, s, status);
}

void number_minus(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, NULL, s, status))
        return;
    number_set(r, a);
    r->flags ^= NUMBER_NEGATIVE;
    if (number_is_zero(r) && s->rounding != ROUND_FLOOR)
        r->flags = 0; /* 0 - 0 */
    number_finalize(r, s, status);
}

void number_abs(number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    (number_is_negative(a) ? number_minus : number_plus)(r, a, s, status);
}

/* ---- Addition ---- */

/* r = big * 10^shift + or - small (NULL: 1). 0, or -1 with STATUS_MEMORY. */
static int add_scaled(mpz_ptr r, const __mpz_struct *big, int64_t shift, const __mpz_struct *small,
                      int subtract, uint32_t *status)
{
    if (shift > 0) {
        mpz_set(r, big);
        if (number_scale_up(r, shift, status) < 0)
            return -1;
        big = r;
    }
    if (small == NULL)
        (subtract ? mpz_sub_ui : mpz_add_ui)(r, big, 1);
    else
        (subtract ? mpz_sub : mpz_add)(r, big, small);
    return 0;
}

/* The sum of two finite numbers, with the signs given, exact but for what rounding does not see. */
static void add_finite(number_t *r, const number_t *a, unsigned sign_a, const number_t *b, unsigned sign_b,
                       const settings_t *s, uint32_t *status)
{
    int64_t exp = a->exp < b->exp ? a->exp : b->exp;
    if (mpz_sgn(a->c) == 0 || mpz_sgn(b->c) == 0) {
        const number_t *other = mpz_sgn(a->c) == 0 ? b : a;
        unsigned sign = other == b ? sign_b : sign_a;
        if (mpz_sgn(other->c) == 0) {
            if (sign_a != sign_b)
                sign = s->rounding == ROUND_FLOOR ? NUMBER_NEGATIVE : 0;
            number_set_small(r, 0, exp, sign);
            return;
        }
        /* The exponent of the zero counts, as far as there is room for digits. */
        int64_t least = number_adjusted(other) - s->prec;
        int64_t digits = other->digits, old = other->exp;
        if (exp < least)
            exp = old < least ? old : least;
        number_set(r, other);
        r->flags = sign;
        if (exp < old && number_scale_up(r->c, old - exp, status) == 0) {
            r->exp = exp;
            r->digits = digits + (old - exp);
        }
        return;
    }
    /* big: the one with the larger exponent, small: the other */
    const number_t *big = a->exp >= b->exp ? a : b, *small = big == a ? b : a;
    unsigned sign_big = big == a ? sign_a : sign_b, sign_small = big == a ? sign_b : sign_a;
    /* A small number far below the last digit that counts may as well be a one there. */
    int64_t floor_exp = big->exp + (big->digits < s->prec + 2 ? big->digits - s->prec - 2 : 0) - 1;
    int is_tiny = small->exp < floor_exp && number_adjusted(small) < floor_exp;
    exp = is_tiny ? floor_exp : small->exp;
    if (add_scaled(r->c, big->c, big->exp - exp, is_tiny ? NULL : small->c, sign_big != sign_small, status) <
        0) {
        number_set_special(r, NUMBER_NAN);
        return;
    }
    r->exp = exp;
    r->flags = sign_big;
    if (mpz_sgn(r->c) < 0) {
        mpz_neg(r->c, r->c);
        r->flags = sign_small;
    } else if (mpz_sgn(r->c) == 0 && sign_big != sign_small)
        r->flags = s->rounding == ROUND_FLOOR ? NUMBER_NEGATIVE : 0;
    number_count(r);
}

static void add_signed(number_t *r, const number_t *a, const number_t *b, unsigned flip, const settings_t *s,
                       uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return;
    unsigned sign_a = sign_of(a), sign_b = sign_of(b) ^ flip;
    if (number_is_infinite(a)) {
        if (number_is_infinite(b) && sign_a != sign_b)
            number_set_invalid(r, STATUS_INVALID, status);
        else
            number_set_special(r, NUMBER_INFINITE | sign_a);
        return;
    }
    if (number_is_infinite(b)) {
        number_set_special(r, NUMBER_INFINITE | sign_b);
        return;
    }
    add_finite(r, a, sign_a, b, sign_b, s, status);
    number_finalize(r, s, status);
}

void number_add(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    add_signed(r, a, b, 0, s, status);
}

void number_sub(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    add_signed(r, a, b, NUMBER_NEGATIVE, s, status);
}

/* ---- Multiplication ---- */

/* The exact product, NaNs apart. */
static void multiply(number_t *r, const number_t *a, const number_t *b, uint32_t *status)
{
    unsigned sign = sign_of(a) ^ sign_of(b);
    if (number_is_infinite(a) || number_is_infinite(b)) {
        if (number_is_zero(a) || number_is_zero(b))
            number_set_invalid(r, STATUS_INVALID, status);
        else
            number_set_special(r, NUMBER_INFINITE | sign);
        return;
    }
    if (a->digits + b->digits > NUMBER_MAX_DIGITS) {
        number_set_invalid(r, STATUS_MEMORY, status);
        return;
    }
    mpz_mul(r->c, a->c, b->c);
    r->exp = a->exp + b->exp;
    r->flags = sign;
    number_count(r);
}

void number_mul(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return;
    multiply(r, a, b, status);
    number_finalize(r, s, status);
}

void number_fma(number_t *r, const number_t *a, const number_t *b, const number_t *c, const settings_t *s,
                uint32_t *status)
{
    if (number_is_nan(a) || number_is_nan(b)) {
        /* A signalling NaN, wherever it is, comes before quiet ones. */
        if (!((a->flags | b->flags) & NUMBER_SNAN) && c->flags & NUMBER_SNAN)
            (void)number_check_nan(r, c, NULL, s, status);
        else
            (void)number_check_nan(r, a, b, s, status);
        return;
    }
    number_t product;
    number_init(&product);
    uint32_t invalid = 0;
    multiply(&product, a, b, &invalid);
    *status |= invalid;
    if (invalid)
        number_set(r, &product);
    else
        add_signed(r, &product, c, 0, s, status);
    number_clear(&product);
}

/* ---- Division ---- */

/* What division of special numbers and by zero gives. Is the result set? */
static int divide_special(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                          uint32_t *status)
{
    unsigned sign = sign_of(a) ^ sign_of(b);
    if (number_check_nan(r, a, b, s, status))
        return 1;
    if (number_is_infinite(a)) {
        if (number_is_infinite(b))
            number_set_invalid(r, STATUS_INVALID, status);
        else
            number_set_special(r, NUMBER_INFINITE | sign);
        return 1;
    }
    if (number_is_infinite(b)) {
        number_set_small(r, 0, settings_etiny(s), sign);
        *status |= STATUS_CLAMPED;
        return 1;
    }
    if (mpz_sgn(b->c) != 0)
        return 0;
    if (mpz_sgn(a->c) == 0)
        number_set_invalid(r, STATUS_DIVISION_UNDEFINED, status);
    else {
        number_set_special(r, NUMBER_INFINITE | sign);
        *status |= STATUS_DIVISION_BY_ZERO;
    }
    return 1;
}

/* By how many digits must a be extended for an exact quotient? -1: there is none. */
static int64_t exact_shift(const __mpz_struct *a, const __mpz_struct *b)
{
    mpz_t rest, factor;
    int64_t shift = -1;
    mpz_init(rest);
    mpz_init_set_ui(factor, 2);
    mpz_gcd(rest, a, b);
    mpz_divexact(rest, b, rest);
    int64_t twos = (int64_t)mpz_remove(rest, rest, factor);
    mpz_set_ui(factor, 5);
    int64_t fives = (int64_t)mpz_remove(rest, rest, factor);
    if (mpz_cmp_ui(rest, 1) == 0)
        shift = twos > fives ? twos : fives;
    mpz_clear(rest);
    mpz_clear(factor);
    return shift;
}

void number_div(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (divide_special(r, a, b, s, status))
        return;
    unsigned sign = sign_of(a) ^ sign_of(b);
    int64_t ideal = a->exp - b->exp;
    if (mpz_sgn(a->c) == 0) {
        number_set_small(r, 0, ideal, sign);
        number_finalize(r, s, status);
        return;
    }
    enum { MANY_DIGITS = 20000 };
    int64_t shift = b->digits - a->digits + s->prec + 1;
    if (shift > MANY_DIGITS) {
        /* Such settings are for exact results. */
        int64_t needed = exact_shift(a->c, b->c);
        if (needed >= 0 && needed < shift)
            shift = needed;
    }
    mpz_t x, y, rest;
    mpz_init_set(x, a->c);
    mpz_init_set(y, b->c);
    mpz_init(rest);
    if ((shift >= 0 ? number_scale_up(x, shift, status) : number_scale_up(y, -shift, status)) < 0)
        number_set_special(r, NUMBER_NAN);
    else {
        mpz_tdiv_qr(r->c, rest, x, y);
        r->exp = ideal - shift;
        r->flags = sign;
        if (mpz_sgn(rest) != 0)
            number_make_sticky(r->c);
        else
            r->exp += number_strip_zeros(r->c, ideal - r->exp);
        number_count(r);
        number_finalize(r, s, status);
    }
    mpz_clear(x);
    mpz_clear(y);
    mpz_clear(rest);
}

/* Quotient (towards zero) and remainder of finite numbers, b not zero; 0, or -1 if the quotient has too many
 * digits. Their coefficients are for the smaller exponent. */
static int divide_integers(mpz_ptr q, mpz_ptr rest, const number_t *a, const number_t *b, const settings_t *s,
                           uint32_t *status)
{
    int64_t shift = a->exp - b->exp;
    if (mpz_sgn(a->c) == 0 || number_adjusted(a) < number_adjusted(b)) {
        /* the quotient is 0; the remainder is a */
        mpz_set_ui(q, 0);
        mpz_set(rest, a->c);
        return shift > 0 && mpz_sgn(a->c) != 0 ? number_scale_up(rest, shift, status) : 0;
    }
    if (number_adjusted(a) - number_adjusted(b) > s->prec) {
        *status |= STATUS_DIVISION_IMPOSSIBLE;
        return -1;
    }
    mpz_t x, y, tmp;
    mpz_init_set(x, a->c);
    mpz_init_set(y, b->c);
    mpz_init(tmp);
    int failed = (shift >= 0 ? number_scale_up(x, shift, status) : number_scale_up(y, -shift, status)) < 0;
    if (!failed) {
        mpz_tdiv_qr(q, rest, x, y);
        if (s->prec < NUMBER_MAX_DIGITS && mpz_sizeinbase(q, 10) >= (size_t)s->prec &&
            mpz_cmp(q, number_power_of_ten((uint64_t)s->prec, tmp)) >= 0) {
            *status |= STATUS_DIVISION_IMPOSSIBLE;
            failed = 1;
        }
    }
    mpz_clear(x);
    mpz_clear(y);
    mpz_clear(tmp);
    return failed ? -1 : 0;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Both results for finite numbers, b not zero. 0, or -1: NaN. */
static int divide_finite(number_t *q, number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                         uint32_t *status)
{
    if (divide_integers(q->c, r->c, a, b, s, status) < 0)
        return -1;
    q->exp = 0;
    q->flags = sign_of(a) ^ sign_of(b);
    number_count(q);
    r->exp = lesser(a->exp, b->exp);
    r->flags = sign_of(a);
    number_count(r);
    return 0;
}

void number_divmod(number_t *q, number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                   uint32_t *status)
{
    unsigned sign = sign_of(a) ^ sign_of(b);
    if (number_check_nan(q, a, b, s, status)) {
        number_set(r, q);
        return;
    }
    if (number_is_infinite(a)) {
        if (number_is_infinite(b))
            number_set_special(q, NUMBER_NAN);
        else
            number_set_special(q, NUMBER_INFINITE | sign);
        number_set_invalid(r, STATUS_INVALID, status);
        return;
    }
    if (number_is_infinite(b)) {
        number_set_small(q, 0, 0, sign);
        number_set(r, a);
        number_finalize(r, s, status);
        return;
    }
    if (mpz_sgn(b->c) == 0) {
        if (mpz_sgn(a->c) == 0) {
            number_set_special(q, NUMBER_NAN);
            number_set_invalid(r, STATUS_DIVISION_UNDEFINED, status);
        } else {
            number_set_special(q, NUMBER_INFINITE | sign);
            number_set_invalid(r, STATUS_DIVISION_BY_ZERO | STATUS_INVALID, status);
        }
        return;
    }
    if (divide_finite(q, r, a, b, s, status) < 0) {
        number_set_special(q, NUMBER_NAN);
        number_set_special(r, NUMBER_NAN);
        return;
    }
    number_finalize(q, s, status);
    number_finalize(r, s, status);
}

void number_div_integer(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                        uint32_t *status)
{
    if (!number_is_nan(a) && !number_is_infinite(a) && number_is_infinite(b) && !number_is_nan(b)) {
        number_set_small(r, 0, 0, sign_of(a) ^ sign_of(b));
        return;
    }
    if (divide_special(r, a, b, s, status))
        return;
    number_t rest;
    number_init(&rest);
    if (divide_finite(r, &rest, a, b, s, status) < 0)
        number_set_special(r, NUMBER_NAN);
    else
        number_finalize(r, s, status);
    number_clear(&rest);
}

/* Remainders: special cases. Is the result set? */
static int rem_special(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                       uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return 1;
    if (number_is_infinite(a))
        number_set_invalid(r, STATUS_INVALID, status);
    else if (number_is_infinite(b)) {
        number_set(r, a);
        number_finalize(r, s, status);
    } else if (mpz_sgn(b->c) == 0)
        number_set_invalid(r, mpz_sgn(a->c) == 0 ? STATUS_DIVISION_UNDEFINED : STATUS_INVALID, status);
    else
        return 0;
    return 1;
}

void number_rem(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (rem_special(r, a, b, s, status))
        return;
    number_t q;
    number_init(&q);
    if (divide_finite(&q, r, a, b, s, status) < 0)
        number_set_special(r, NUMBER_NAN);
    else
        number_finalize(r, s, status);
    number_clear(&q);
}

void number_rem_near(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    if (rem_special(r, a, b, s, status))
        return;
    number_t q;
    mpz_t divisor, twice, tmp;
    number_init(&q);
    mpz_init_set(divisor, b->c);
    mpz_init(twice);
    mpz_init(tmp);
    /* A divisor far above leaves a as it is; one that is needed is brought to the remainder's exponent. */
    int64_t gap = number_adjusted(b) - number_adjusted(a);
    if (mpz_sgn(a->c) != 0 && gap > 1) {
        number_set(r, a);
        if (b->exp < a->exp && number_scale_up(r->c, a->exp - b->exp, status) == 0)
            r->exp = b->exp;
        number_count(r);
        number_finalize(r, s, status);
    } else if (divide_finite(&q, r, a, b, s, status) < 0 ||
               number_scale_up(divisor, b->exp - r->exp, status) < 0)
        number_set_special(r, NUMBER_NAN);
    else {
        mpz_mul_2exp(twice, r->c, 1);
        int half = mpz_cmp(twice, divisor);
        if (half > 0 || (half == 0 && mpz_odd_p(q.c))) {
            mpz_sub(r->c, divisor, r->c);
            r->flags ^= NUMBER_NEGATIVE;
            mpz_add_ui(q.c, q.c, 1);
            number_count(r);
        }
        number_count(&q);
        if (q.digits > s->prec)
            number_set_invalid(r, STATUS_DIVISION_IMPOSSIBLE, status);
        else
            number_finalize(r, s, status);
    }
    number_clear(&q);
    mpz_clear(divisor);
    mpz_clear(twice);
    mpz_clear(tmp);
}

/* ---- Comparison ---- */

/* Compares the magnitudes of finite numbers. */
static int cmp_magnitude(const number_t *a, const number_t *b)
{
    if (mpz_sgn(a->c) == 0 || mpz_sgn(b->c) == 0)
        return (mpz_sgn(a->c) != 0) - (mpz_sgn(b->c) != 0);
    int64_t x = number_adjusted(a), y = number_adjusted(b);
    if (x != y)
        return x < y ? -1 : 1;
    if (a->exp == b->exp) {
        int order = mpz_cmp(a->c, b->c);
        return (order > 0) - (order < 0);
    }
    /* The same number of digits in front: the gap between the exponents is one between the sizes. */
    const number_t *big = a->exp > b->exp ? a : b, *small = big == a ? b : a;
    mpz_t scaled;
    uint32_t ignored = 0;
    mpz_init_set(scaled, big->c);
    (void)number_scale_up(scaled, big->exp - small->exp, &ignored);
    int order = mpz_cmp(scaled, small->c);
    mpz_clear(scaled);
    order = (order > 0) - (order < 0);
    return big == a ? order : -order;
}

int number_cmp(const number_t *a, const number_t *b)
{
    int zero_a = number_is_zero(a), zero_b = number_is_zero(b);
    if (zero_a && zero_b)
        return 0;
    if (zero_a)
        return number_is_negative(b) ? 1 : -1;
    if (zero_b)
        return number_is_negative(a) ? -1 : 1;
    if (sign_of(a) != sign_of(b))
        return number_is_negative(a) ? -1 : 1;
    int order;
    if (number_is_infinite(a) || number_is_infinite(b))
        order = number_is_infinite(a) - number_is_infinite(b);
    else
        order = cmp_magnitude(a, b);
    return number_is_negative(a) ? -order : order;
}

static int compare_with(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                        uint32_t *status)
{
    if (number_check_nan(r, a, b, s, status))
        return 0;
    int order = number_cmp(a, b);
    number_set_small(r, order != 0, 0, order < 0 ? NUMBER_NEGATIVE : 0);
    return 1;
}

void number_compare(number_t *r, const number_t *a, const number_t *b, const settings_t *s, uint32_t *status)
{
    (void)compare_with(r, a, b, s, status);
}

void number_compare_signal(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                           uint32_t *status)
{
    if (!compare_with(r, a, b, s, status))
        *status |= STATUS_INVALID;
}

int number_cmp_total(const number_t *a, const number_t *b, int magnitude)
{
    int negative = !magnitude && number_is_negative(a), order = 0;
    if (!magnitude && sign_of(a) != sign_of(b))
        return negative ? -1 : 1;
    /* finite < infinite < signalling < quiet */
    int rank_a = a->flags & NUMBER_NAN ? 3 : a->flags & NUMBER_SNAN ? 2 : number_is_infinite(a);
    int rank_b = b->flags & NUMBER_NAN ? 3 : b->flags & NUMBER_SNAN ? 2 : number_is_infinite(b);
    if (rank_a != rank_b)
        order = rank_a < rank_b ? -1 : 1;
    else if (rank_a > 1) {
        order = mpz_cmp(a->c, b->c);
        order = (order > 0) - (order < 0);
    } else if (rank_a == 0) {
        order = cmp_magnitude(a, b);
        if (order == 0)
            order = (a->exp > b->exp) - (a->exp < b->exp);
    }
    return negative ? -order : order;
}
