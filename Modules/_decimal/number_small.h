/* Arithmetic on decimals of up to 38 digits: in two machine words, without memory to manage. An operation does the
 * common cases and answers 0 for whatever is out of the ordinary (special numbers, zeros as operands of sums, more
 * digits, exponents near the bounds): nothing has been done then, and number.h does it. */
#ifndef BRAID_DECIMAL_NUMBER_SMALL_H
#define BRAID_DECIMAL_NUMBER_SMALL_H

#include "number.h"

enum { SMALL_DIGITS = 38 };
typedef unsigned __int128 wide_t;

typedef struct {
    wide_t c;
    int64_t exp, digits; /* as in number_t */
    unsigned flags;      /* NUMBER_NEGATIVE or 0 */
} small_t;

/* 1: *r is the result, and what happened has been added to *status; 0: not done. r is none of the operands. */
typedef int small_binary(small_t *r, const small_t *a, const small_t *b, const settings_t *s, uint32_t *status);
small_binary small_add, small_sub, small_mul, small_div, small_div_integer, small_rem;
/* -a */
int small_minus(small_t *r, const small_t *a, const settings_t *s, uint32_t *status);
/* a with the exponent exp */
int small_rescale(small_t *r, const small_t *a, int64_t exp, const settings_t *s, uint32_t *status);

/* Writes a number that is shown without an exponent: its own is at most 0, and few zeros follow the point. Returns the length;
 * text has room for two times SMALL_DIGITS, and does not end with a null. */
int small_write_plain(const small_t *a, char *text);
/* Reads a plain numeral: a sign, digits, a point among them. 0: it is something else, or has too many digits. */
int small_parse(small_t *r, const char *text, size_t n);
void small_set_integer(small_t *r, int64_t n);

#endif /* BRAID_DECIMAL_NUMBER_SMALL_H */
