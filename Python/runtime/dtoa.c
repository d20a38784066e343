/* Shortest decimal digits of a double, and reading doubles in the C locale.
 *
 * The method is Schubfach (R. Giulietti, "The Schubfach way to render doubles"): the value and the bounds of its rounding
 * interval are scaled by a power of ten known to 128 bits, rounding to odd, so that they can be compared exactly with
 * the two or four candidates.  The table of powers is computed with GMP when it is first needed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1       /* strtod_l */
#endif
#include <gmp.h>
#include <locale.h>
#include "float_internal.h"

/* ---- Powers of ten ---- */

enum { POWER_MIN = -292, POWER_MAX = 326 };

typedef struct {
    uint64_t high, low;
} power_t;

/* 10^k scaled to 128 bits, rounded up. [atomic] made by whoever comes first */
static power_t *power_table;

static int floor_log2_pow10(int k) { return (k * 1741647) >> 19; }
static int floor_log10_pow2(int e) { return (e * 1262611) >> 22; }
/* floor(log10(3/4 * 2^e)) */
static int floor_log10_three_quarters_pow2(int e) { return (e * 1262611 - 524031) >> 22; }

static void compute_power(int k, power_t *out)
{
    mpz_t p, q;
    int shift = 127 - floor_log2_pow10(k);
    mpz_init(p);
    mpz_init(q);
    mpz_ui_pow_ui(p, 10, (unsigned long)(k < 0 ? -k : k));
    if (k >= 0) {
        if (shift >= 0)
            mpz_mul_2exp(q, p, (mp_bitcnt_t)shift);
        else
            mpz_cdiv_q_2exp(q, p, (mp_bitcnt_t)-shift);
    }
    else {
        mpz_set_ui(q, 1);
        mpz_mul_2exp(q, q, (mp_bitcnt_t)shift);
        mpz_cdiv_q(q, q, p);
    }
    out->low = mpz_getlimbn(q, 0);
    out->high = mpz_getlimbn(q, 1);
    mpz_clear(p);
    mpz_clear(q);
}

static const power_t *power_of_ten(int k)
{
    power_t *table = __atomic_load_n(&power_table, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY(table == NULL)) {
        power_t *fresh = malloc((POWER_MAX - POWER_MIN + 1) * sizeof(power_t));
        if (fresh == NULL)
            return NULL;
        for (int i = POWER_MIN; i <= POWER_MAX; i++)
            compute_power(i, &fresh[i - POWER_MIN]);
        if (__atomic_compare_exchange_n(&power_table, &table, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            table = fresh;
        else
            free(fresh);
    }
    return &table[k - POWER_MIN];
}

/* ---- Shortest digits ---- */

/* floor(g * c / 2^128), its last bit set if the division was not exact. */
static uint64_t scale_to_odd(const power_t *g, uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g->low * c, high = (unsigned __int128)g->high * c;
    high += (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The shortest decimal in the rounding interval of c * 2^q: *decimal * 10^(result).
 * Returns  INT_MAX without memory */
static int shortest_decimal(uint64_t c, int q, int narrow_below, uint64_t *decimal)
{
    int k = narrow_below ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1, odd = c & 1;
    const power_t *g = power_of_ten(-k);
    if (g == NULL)
        return INT_MAX;
    /* Four times the value and its neighbours' midpoints; the ends belong to the interval if c is even. */
    uint64_t lower = scale_to_odd(g, (4 * c - 2 + (uint64_t)narrow_below) << h) + (uint64_t)odd;
    uint64_t value = scale_to_odd(g, (4 * c) << h);
    uint64_t upper = scale_to_odd(g, (4 * c + 2) << h) - (uint64_t)odd;
    uint64_t s = value / 4;
    if (s >= 10) {          /* one digit less? */
        uint64_t tens = s / 10;
        int down_in = lower <= 40 * tens, up_in = 40 * tens + 40 <= upper;
        if (down_in != up_in) {
            *decimal = tens + (uint64_t)up_in;
            return k + 1;
        }
    }
    int down_in = lower <= 4 * s, up_in = 4 * s + 4 <= upper;
    if (down_in != up_in) {
        *decimal = s + (uint64_t)up_in;
        return k;
    }
    uint64_t middle = 4 * s + 2;
    *decimal = s + (value > middle || (value == middle && (s & 1)));
    return k;
}

static int digits_of(uint64_t n, char *digits)
{
    char buffer[24], *end = buffer + sizeof(buffer), *p = end;
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    memcpy(digits, p, (size_t)(end - p));
    return (int)(end - p);
}

/* Seventeen digits always read back: for lack of memory. */
static int fallback_digits(double value, char *digits, int *point)
{
    char buffer[40];
    snprintf(buffer, sizeof(buffer), "%.16e", value);
    int n = 0;
    const char *p = buffer;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    *point = atoi(p + 1) + 1;
    return n;
}

int float_shortest_digits(double value, char digits[FLOAT_SHORTEST_DIGITS], int *point)
{
    uint64_t bits, decimal;
    memcpy(&bits, &value, 8);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff), scale, n;
    if (value == 0) {
        digits[0] = '0';
        *point = 1;
        return 1;
    }
    if (value < 9007199254740992.0 && value == (double)(uint64_t)value) {
        decimal = (uint64_t)value;
        scale = 0;
    }
    else {
        uint64_t c = exponent != 0 ? fraction | (uint64_t)1 << 52 : fraction;
        int q = (exponent != 0 ? exponent : 1) - 1075;
        scale = shortest_decimal(c, q, fraction == 0 && exponent > 1, &decimal);
        if (scale == INT_MAX)
            return fallback_digits(value, digits, point);
    }
    n = digits_of(decimal, digits);
    *point = n + scale;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

/* ---- Reading ---- */

static locale_t c_locale;       /* [atomic] */

double float_strtod(const char *text, char **end)
{
    locale_t locale = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY(locale == (locale_t)0)) {
        locale_t fresh = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (fresh == (locale_t)0)
            return strtod(text, end);
        if (__atomic_compare_exchange_n(&c_locale, &locale, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            locale = fresh;
        else
            freelocale(fresh);
    }
    return strtod_l(text, end, locale);
}
