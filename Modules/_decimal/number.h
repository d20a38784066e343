/* Decimal arithmetic on numbers of any size, after the General Decimal Arithmetic Specification, over GMP.
 * Knows nothing of Python objects; needs no locks: an operation reads its operands and a copy of the
 * settings, and writes its result.
 *
 * A finite number is (-1)^sign * c * 10^exp. All operations take settings, and add what happened to *status;
 * the result has been initialised by the caller and is none of the operands, unless said otherwise. NaNs keep
 * their payload in c. */
#ifndef BRAID_DECIMAL_NUMBER_H
#define BRAID_DECIMAL_NUMBER_H

#include <gmp.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_NEGATIVE = 1, NUMBER_INFINITE = 2, NUMBER_NAN = 4, NUMBER_SNAN = 8, NUMBER_SPECIAL = 14 };

typedef struct {
    mpz_t c;        /* coefficient or payload, >= 0 */
    int64_t exp;    /* 0 for special numbers */
    int64_t digits; /* of c; one for zero */
    unsigned flags;
} number_t;

#define NUMBER_MAX_PREC 999999999999999999
#define NUMBER_MAX_EMAX 999999999999999999
#define NUMBER_MIN_EMIN (-999999999999999999)
#define NUMBER_MIN_ETINY (-1999999999999999997)
/* No intermediate result gets longer: the operation reports STATUS_MEMORY instead. */
#define NUMBER_MAX_DIGITS 2000000000

/* What happened in an operation; the bits of *status. */
enum {
    STATUS_CLAMPED = 0x1,
    STATUS_CONVERSION_SYNTAX = 0x2,
    STATUS_DIVISION_BY_ZERO = 0x4,
    STATUS_DIVISION_IMPOSSIBLE = 0x8,
    STATUS_DIVISION_UNDEFINED = 0x10,
    STATUS_MEMORY = 0x20,
    STATUS_INEXACT = 0x40,
    STATUS_INVALID_CONTEXT = 0x80,
    STATUS_INVALID = 0x100,
    STATUS_OVERFLOW = 0x200,
    STATUS_ROUNDED = 0x400,
    STATUS_SUBNORMAL = 0x800,
    STATUS_UNDERFLOW = 0x1000,
    STATUS_FLOAT = 0x2000,
    /* what counts as an invalid operation */
    STATUS_ANY_INVALID = STATUS_CONVERSION_SYNTAX | STATUS_DIVISION_IMPOSSIBLE | STATUS_DIVISION_UNDEFINED |
                         STATUS_INVALID_CONTEXT | STATUS_INVALID,
    STATUS_ERRORS = STATUS_ANY_INVALID | STATUS_DIVISION_BY_ZERO | STATUS_MEMORY,
};

/* ROUNDING(NAME) */
#define ROUNDINGS(ROUNDING) \
    ROUNDING(UP) \
    ROUNDING(DOWN) \
    ROUNDING(CEILING) \
    ROUNDING(FLOOR) \
    ROUNDING(HALF_UP) \
    ROUNDING(HALF_DOWN) \
    ROUNDING(HALF_EVEN) \
    ROUNDING(05UP)

enum {
#define ROUNDING(name) ROUND_##name,
    ROUNDINGS(ROUNDING)
#undef ROUNDING
    ROUND_COUNT
};

typedef struct {
    int64_t prec, emax, emin;
    int rounding, clamp, capitals;
    uint32_t traps;
} settings_t;

/* The widest ones: in them conversions are exact. */
extern const settings_t settings_widest;
static inline int64_t settings_etiny(const settings_t *s)
{
    return s->emin - (s->prec - 1);
}
static inline int64_t settings_etop(const settings_t *s)
{
    return s->emax - (s->prec - 1);
}

/* ---- number.c: making, rounding ---- */

/* To be called once, before anything else. */
void number_setup(void);

void number_init(number_t *r);
void number_clear(number_t *r);
void number_set(number_t *r, const number_t *a);
void number_set_small(number_t *r, uint64_t c, int64_t exp, unsigned flags);
void number_set_special(number_t *r, unsigned flags);
/* NaN, and adds to the status. */
void number_set_invalid(number_t *r, uint32_t why, uint32_t *status);
/* Counts the digits, after c has been changed. */
void number_count(number_t *r);

static inline int number_is_special(const number_t *a)
{
    return (a->flags & NUMBER_SPECIAL) != 0;
}
static inline int number_is_nan(const number_t *a)
{
    return (a->flags & (NUMBER_NAN | NUMBER_SNAN)) != 0;
}
static inline int number_is_infinite(const number_t *a)
{
    return (a->flags & NUMBER_INFINITE) != 0;
}
static inline int number_is_negative(const number_t *a)
{
    return (a->flags & NUMBER_NEGATIVE) != 0;
}
static inline int number_is_zero(const number_t *a)
{
    return !number_is_special(a) && mpz_sgn(a->c) == 0;
}
static inline int64_t number_adjusted(const number_t *a)
{
    return a->exp + a->digits - 1;
}
int number_is_integer(const number_t *a);
/* The number as an int64 if it is an integer that fits. */
int number_get_int64(const number_t *a, int64_t *n);

/* 10^n; tmp is initialised, and used where there is no ready one. */
const __mpz_struct *number_power_of_ten(uint64_t n, mpz_ptr tmp);
/* c *= 10^n or /= 10^n (towards 0). 0, or -1 with STATUS_MEMORY. */
int number_scale_up(mpz_ptr c, int64_t n, uint32_t *status);
/* Drops the last n digits of c, rounded; is anything lost? */
int number_drop_digits(mpz_ptr c, int64_t n, int rounding, int negative);
/* How many zeros are at the end of c (not 0)? They are taken off, limit at most. */
int64_t number_strip_zeros(mpz_ptr c, int64_t limit);

/* Makes the number fit the settings: the last step of nearly every operation. */
void number_finalize(number_t *r, const settings_t *s, uint32_t *status);
/* Is an operand a NaN? Then the result is, too. b may be NULL. */
int number_check_nan(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                     uint32_t *status);
/* The same as a number to be rounded: c has lost digits that are not all zero. */
void number_make_sticky(mpz_ptr c);

/* ---- number_arithmetic.c ---- */

typedef void number_unary(number_t *r, const number_t *a, const settings_t *s, uint32_t *status);
typedef void number_binary(number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                           uint32_t *status);

typedef void number_ternary(number_t *r, const number_t *a, const number_t *b, const number_t *c,
                            const settings_t *s, uint32_t *status);
typedef void number_pair(number_t *q, number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                         uint32_t *status);

number_unary number_plus, number_minus, number_abs;
number_binary number_add, number_sub, number_mul, number_div, number_div_integer, number_rem, number_rem_near;
number_pair number_divmod;
number_ternary number_fma;
/* -1, 0 or 1; no NaNs. */
int number_cmp(const number_t *a, const number_t *b);
/* By the total order; with magnitudes only, if asked. */
int number_cmp_total(const number_t *a, const number_t *b, int magnitude);
number_binary number_compare, number_compare_signal;

/* ---- number_functions.c ---- */

number_unary number_sqrt, number_exp, number_ln, number_log10;
number_binary number_pow;
number_ternary number_powmod;

/* ---- number_misc.c ---- */

number_unary number_normalize, number_next_plus, number_next_minus, number_invert, number_logb;
number_unary number_to_integral, number_to_integral_exact;
number_binary number_next_toward, number_quantize, number_max, number_min, number_max_mag, number_min_mag;
number_binary number_and, number_or, number_xor, number_rotate, number_shift, number_scaleb;
/* Gives a the exponent exp; STATUS_INVALID if it does not fit. */
void number_rescale(number_t *r, const number_t *a, int64_t exp, const settings_t *s, uint32_t *status);
const char *number_class(const number_t *a, const settings_t *s);
int number_is_normal(const number_t *a, const settings_t *s),
    number_is_subnormal(const number_t *a, const settings_t *s);

/* ---- number_guard.c: where memory may run out ---- */

/* function(r, ...); STATUS_MEMORY and NaN where memory has run out. r is fresh from number_init. */
void number_call_unary(number_unary *function, number_t *r, const number_t *a, const settings_t *s, uint32_t *status);
void number_call_binary(number_binary *function, number_t *r, const number_t *a, const number_t *b,
                        const settings_t *s, uint32_t *status);
void number_call_ternary(number_ternary *function, number_t *r, const number_t *a, const number_t *b,
                         const number_t *c, const settings_t *s, uint32_t *status);
void number_call_pair(number_pair *function, number_t *q, number_t *r, const number_t *a, const number_t *b,
                      const settings_t *s, uint32_t *status);
/* *order = number_cmp(a, b). 0, or -1: no memory. */
int number_call_cmp(const number_t *a, const number_t *b, int *order);
/* The same for these functions. */
void number_call_rescale(number_t *r, const number_t *a, int64_t exp, const settings_t *s, uint32_t *status);
void number_copy(number_t *r, const number_t *a, uint32_t *status);
/* number_finalize for a number that exists. */
void number_finalize_in_place(number_t *r, const settings_t *s, uint32_t *status);
/* Sets the coefficient from n digits. */
void number_read_digits(number_t *r, const char *digits, size_t n, uint32_t *status);
/* The digits of the coefficient into text. 0, or -1: no memory. */
int number_write_digits(char *text, const number_t *a);

/* ---- number_text.c ---- */

/* Reads a numeral; STATUS_CONVERSION_SYNTAX if it is none. Exact, but for the exponent, which is kept in
 * bounds. */
void number_parse(number_t *r, const char *text, size_t n, uint32_t *status);
/* A numeral, to be freed by number_text_free; NULL: no memory. */
char *number_to_text(const number_t *a, int engineering, int capitals);
void number_text_free(char *text);

#endif /* BRAID_DECIMAL_NUMBER_H */
