/* Small decimals: coefficients of two machine words. */
#include "number_small.h"

#include <string.h>

/* ---- Powers of ten and digits ---- */

#define TEN_19 10000000000000000000u

/* 10^n for n from 0 to 19 */
static const uint64_t narrow_powers[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
    1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
    1000000000000000000u, TEN_19,
};

/* 10^n for n from 0 to 38 */
static wide_t power_of_ten(int64_t n)
{
    return n < 20 ? narrow_powers[n] : (wide_t)TEN_19 * narrow_powers[n - 19];
}

/* How many digits has c? One for zero. */
static int64_t count_digits(wide_t c)
{
    uint64_t high = (uint64_t)(c >> 64), low = (uint64_t)c;
    int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low | 1);
    int64_t least = ((bits - 1) * 1233 >> 12) + 1; /* 1233/4096 is close enough to log10 2 for so few bits */
    if (least > SMALL_DIGITS)
        return least; /* 10^38 or more: 39 digits */
    return c >= power_of_ten(least) ? least + 1 : least;
}

/* c = c / d; the remainder. Mostly both are single words. */
static wide_t divide(wide_t *c, wide_t d)
{
    if ((*c | d) >> 64 == 0) {
        uint64_t n = (uint64_t)*c, m = (uint64_t)d;
        *c = n / m;
        return n % m;
    }
    wide_t n = *c;
    *c = n / d;
    return n - *c * d;
}

/* The digits of c; how many. */
static int write_digits(wide_t c, char *text)
{
    char reversed[SMALL_DIGITS + 1];
    int n = 0;
    uint64_t low = (uint64_t)c;
    if (c >= TEN_19) {
        wide_t rest = c;
        low = (uint64_t)divide(&rest, TEN_19);
        uint64_t high = (uint64_t)rest;
        for (; n < 19; low /= 10)
            reversed[n++] = (char)('0' + low % 10);
        low = high;
    }
    do
        reversed[n++] = (char)('0' + low % 10);
    while ((low /= 10) != 0);
    for (int i = 0; i < n; i++)
        text[i] = reversed[n - 1 - i];
    return n;
}

int small_write_plain(const small_t *a, char *text)
{
    char digits[SMALL_DIGITS + 1], *p = text;
    int n = write_digits(a->c, digits), left = n + (int)a->exp;
    if (a->flags != 0)
        *p++ = '-';
    if (left <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-left);
        p += -left;
        left = 0;
    } else {
        memcpy(p, digits, (size_t)left);
        p += left;
        if (left < n)
            *p++ = '.';
    }
    memcpy(p, digits + left, (size_t)(n - left));
    return (int)(p - text) + n - left;
}

int small_parse(small_t *r, const char *text, size_t n)
{
    const char *p = text, *end = text + n, *point = NULL;
    char digits[SMALL_DIGITS];
    int count = 0;
    r->flags = 0;
    if (p < end && (*p == '+' || *p == '-'))
        r->flags = *p++ == '-' ? NUMBER_NEGATIVE : 0;
    for (; p < end; p++) {
        if (*p == '.' && point == NULL)
            point = p;
        else if (*p >= '0' && *p <= '9' && count < SMALL_DIGITS)
            digits[count++] = *p;
        else
            return 0;
    }
    int first = count > 19 ? count - 19 : 0;
    uint64_t high = 0, low = 0;
    for (int i = 0; i < first; i++)
        high = high * 10 + (uint64_t)(digits[i] - '0');
    for (int i = first; i < count; i++)
        low = low * 10 + (uint64_t)(digits[i] - '0');
    r->c = (wide_t)high * TEN_19 + low;
    r->exp = point != NULL ? -(int64_t)(end - point - 1) : 0;
    r->digits = count_digits(r->c);
    return count > 0;
}

void small_set_integer(small_t *r, int64_t n)
{
    r->c = n < 0 ? -(uint64_t)n : (uint64_t)n;
    r->exp = 0;
    r->flags = n < 0 ? NUMBER_NEGATIVE : 0;
    r->digits = count_digits(r->c);
}

/* ---- Rounding ---- */

/* c without its last n digits (fewer than all 38), rounded; *lost: were they not all zero? */
static wide_t drop_digits(wide_t c, int64_t n, int rounding, unsigned negative, int *lost)
{
    wide_t power = power_of_ten(n), rest = divide(&c, power);
    *lost = rest != 0;
    if (rest == 0)
        return c;
    int half = rest > power / 2 ? 1 : rest == power / 2 ? 0 : -1, up; /* the power is even: n > 0 */
    switch (rounding) {
    case ROUND_UP:
        up = 1;
        break;
    case ROUND_DOWN:
        up = 0;
        break;
    case ROUND_CEILING:
        up = !negative;
        break;
    case ROUND_FLOOR:
        up = negative != 0;
        break;
    case ROUND_HALF_UP:
        up = half >= 0;
        break;
    case ROUND_HALF_DOWN:
        up = half > 0;
        break;
    case ROUND_HALF_EVEN:
        up = half > 0 || (half == 0 && ((uint64_t)c & 1));
        break;
    default:
        up = c % 5 == 0; /* 05UP: the last digit is 0 or 5 */
    }
    return c + (wide_t)up;
}

/* Does a number that has been rounded lie within the bounds, subnormal ones apart? */
static int is_ordinary(const small_t *r, const settings_t *s)
{
    int64_t high = s->clamp ? settings_etop(s) : s->emax;
    if (r->c == 0)
        return r->exp >= settings_etiny(s) && r->exp <= high;
    int64_t adjusted = r->exp + r->digits - 1;
    return adjusted >= s->emin && adjusted <= s->emax && r->exp <= high;
}

/* Counts the digits and rounds to the precision. */
static int finish(small_t *r, const settings_t *s, uint32_t *status)
{
    uint32_t happened = 0;
    r->digits = count_digits(r->c);
    if (r->digits > s->prec) {
        int64_t gone = r->digits - s->prec;
        int lost;
        if (gone > SMALL_DIGITS)
            return 0;
        r->c = drop_digits(r->c, gone, s->rounding, r->flags, &lost);
        r->exp += gone;
        r->digits = s->prec;
        if (r->c == power_of_ten(s->prec)) {
            /* 99.9 has become 100 */
            r->c /= 10;
            r->exp++;
        }
        happened = STATUS_ROUNDED | (lost ? STATUS_INEXACT : 0);
    }
    if (!is_ordinary(r, s))
        return 0;
    *status |= happened;
    return 1;
}

int small_minus(small_t *r, const small_t *a, const settings_t *s, uint32_t *status)
{
    if (a->c == 0)
        return 0;
    *r = *a;
    r->flags ^= NUMBER_NEGATIVE;
    return finish(r, s, status);
}

int small_rescale(small_t *r, const small_t *a, int64_t exp, const settings_t *s, uint32_t *status)
{
    int64_t more = a->exp - exp;
    int lost = 0;
    *r = *a;
    if (a->c == 0 || more > SMALL_DIGITS || more < -SMALL_DIGITS)
        return 0;
    if (more > 0) {
        if (a->digits + more > SMALL_DIGITS)
            return 0;
        r->c *= power_of_ten(more);
    } else if (more < 0)
        r->c = drop_digits(a->c, -more, s->rounding, a->flags, &lost);
    r->exp = exp;
    r->digits = count_digits(r->c);
    if (r->digits > s->prec || r->c == 0 || !is_ordinary(r, s))
        return 0;
    if (more < 0)
        *status |= STATUS_ROUNDED | (lost ? STATUS_INEXACT : 0);
    return 1;
}

/* ---- Operations ---- */

/* Both coefficients for the smaller exponent, which is the result. 0: too many digits. */
static int align(const small_t *a, const small_t *b, wide_t *x, wide_t *y, int64_t *exp)
{
    int64_t shift = a->exp - b->exp;
    *x = a->c;
    *y = b->c;
    *exp = shift > 0 ? b->exp : a->exp;
    if (shift > SMALL_DIGITS || shift < -SMALL_DIGITS)
        return 0;
    if (shift > 0) {
        if (a->digits + shift > SMALL_DIGITS)
            return 0;
        *x *= power_of_ten(shift);
    } else if (shift < 0) {
        if (b->digits - shift > SMALL_DIGITS)
            return 0;
        *y *= power_of_ten(-shift);
    }
    return 1;
}

static int add_signed(small_t *r, const small_t *a, const small_t *b, unsigned sign_b, const settings_t *s,
                      uint32_t *status)
{
    wide_t x, y;
    if (a->c == 0 || b->c == 0 || !align(a, b, &x, &y, &r->exp))
        return 0;
    r->flags = a->flags;
    if (a->flags == sign_b)
        r->c = x + y; /* less than 2 * 10^38 */
    else if (x >= y) {
        r->c = x - y;
        if (x == y)
            r->flags = s->rounding == ROUND_FLOOR ? NUMBER_NEGATIVE : 0;
    } else {
        r->c = y - x;
        r->flags = sign_b;
    }
    return finish(r, s, status);
}

int small_add(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    return add_signed(r, a, b, b->flags, s, status);
}

int small_sub(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    return add_signed(r, a, b, b->flags ^ NUMBER_NEGATIVE, s, status);
}

int small_mul(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    if (a->digits + b->digits > SMALL_DIGITS)
        return 0;
    r->c = a->c * b->c;
    r->exp = a->exp + b->exp;
    r->flags = a->flags ^ b->flags;
    return finish(r, s, status);
}

/* Takes zeros off the end, limit at most; how many? */
static int64_t strip_zeros(wide_t *c, int64_t limit)
{
    int64_t count = 0;
    for (int64_t step = 16; step > 0; step /= 2)
        while (step <= limit - count) {
            wide_t quotient = *c;
            if (divide(&quotient, narrow_powers[step]) != 0)
                break;
            *c = quotient;
            count += step;
        }
    return count;
}

int small_div(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    int64_t shift = b->digits - a->digits + s->prec + 1, ideal = a->exp - b->exp;
    if (a->c == 0 || b->c == 0 || shift < 0 || shift > SMALL_DIGITS || a->digits + shift > SMALL_DIGITS)
        return 0;
    r->c = a->c * power_of_ten(shift);
    r->exp = ideal - shift;
    r->flags = a->flags ^ b->flags;
    if (divide(&r->c, b->c) != 0) {
        /* a last digit of 0 or 5 could look exact, or like one half */
        if (r->c % 5 == 0)
            r->c++;
    } else
        r->exp += strip_zeros(&r->c, shift);
    return finish(r, s, status);
}

/* The integer quotient and the remainder. 0: not done, also if the quotient is too long. */
static int divide_integers(const small_t *a, const small_t *b, const settings_t *s, wide_t *q, wide_t *rest,
                           int64_t *exp)
{
    wide_t y;
    if (a->c == 0 || b->c == 0 || !align(a, b, q, &y, exp))
        return 0;
    *rest = divide(q, y);
    return count_digits(*q) <= s->prec;
}

int small_div_integer(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    wide_t rest;
    int64_t exp;
    r->exp = 0;
    r->flags = a->flags ^ b->flags;
    return divide_integers(a, b, s, &r->c, &rest, &exp) && finish(r, s, status);
}

int small_rem(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status)
{
    wide_t q;
    r->flags = a->flags;
    return divide_integers(a, b, s, &q, &r->c, &r->exp) && finish(r, s, status);
}
