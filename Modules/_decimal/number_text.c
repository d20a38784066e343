/* Numbers as text. */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Reading ---- */

/* Beyond this an exponent is the same as infinite, and sums still fit. */
static const int64_t exponent_bound = 4000000000000000000;

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the digits of a NaN's payload, all of the rest. 0 or -1. */
static int parse_payload(number_t *r, const char *text, const char *end, uint32_t *status)
{
    const char *p = text;
    while (p < end && is_digit(*p))
        p++;
    if (p != end)
        return -1;
    if (p > text)
        number_read_digits(r, text, (size_t)(end - text), status);
    return 0;
}

/* infinity, nan or snan. 0 or -1. */
static int parse_special(number_t *r, const char *text, const char *end, unsigned sign, uint32_t *status)
{
    size_t n = (size_t)(end - text);
    number_set_special(r, sign);
    if ((n == 3 && strncasecmp(text, "inf", 3) == 0) || (n == 8 && strncasecmp(text, "infinity", 8) == 0)) {
        r->flags |= NUMBER_INFINITE;
        return 0;
    }
    int signalling = n > 0 && (*text == 's' || *text == 'S');
    if (n < 3u + (unsigned)signalling || strncasecmp(text + signalling, "nan", 3) != 0)
        return -1;
    r->flags |= signalling ? NUMBER_SNAN : NUMBER_NAN;
    return parse_payload(r, text + signalling + 3, end, status);
}

/* The exponent behind an e, all of the rest; kept in bounds. 0 or -1. */
static int parse_exponent(const char *p, const char *end, int64_t *exp)
{
    int negative = 0;
    int64_t n = 0;
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    if (p == end)
        return -1;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return -1;
        n = n > exponent_bound / 10 ? exponent_bound : n * 10 + (*p - '0');
        n = n > exponent_bound ? exponent_bound : n;
    }
    *exp = negative ? -n : n;
    return 0;
}

/* Reads digits with a point among them into a buffer of the same size; how many came after the point. -1:
 * none at all. */
static int64_t parse_digits(const char **place, const char *end, char *digits)
{
    const char *p = *place;
    int64_t count = 0, fraction = 0;
    int seen_point = 0;
    for (; p < end && (is_digit(*p) || (*p == '.' && !seen_point)); p++) {
        if (*p == '.') {
            seen_point = 1;
            continue;
        }
        digits[count++] = *p;
        fraction += seen_point;
    }
    digits[count] = '\0';
    *place = p;
    return count > 0 ? fraction : -1;
}

void number_parse(number_t *r, const char *text, size_t n, uint32_t *status)
{
    const char *p = text, *end = text + n;
    unsigned sign = 0;
    int64_t exp = 0, fraction;
    int failed = 0;
    if (p < end && (*p == '+' || *p == '-'))
        sign = *p++ == '-' ? NUMBER_NEGATIVE : 0;
    if (p < end && !is_digit(*p) && *p != '.') {
        if (parse_special(r, p, end, sign, status) < 0)
            number_set_invalid(r, STATUS_CONVERSION_SYNTAX, status);
        return;
    }
    char small[64], *digits = n < sizeof(small) ? small : malloc(n + 1);
    if (digits == NULL) {
        number_set_invalid(r, STATUS_MEMORY, status);
        return;
    }
    fraction = parse_digits(&p, end, digits);
    failed = fraction < 0;
    if (!failed && p < end)
        failed = (*p != 'e' && *p != 'E') || parse_exponent(p + 1, end, &exp) < 0;
    if (failed)
        number_set_invalid(r, STATUS_CONVERSION_SYNTAX, status);
    else {
        r->exp = exp - fraction;
        r->flags = sign;
        number_read_digits(r, digits, strlen(digits), status);
    }
    if (digits != small)
        free(digits);
}

/* ---- Writing ---- */

static const char *special_name(const number_t *a)
{
    if (number_is_infinite(a))
        return "Infinity";
    return a->flags & NUMBER_SNAN ? "sNaN" : "NaN";
}

/* Where does the point stand among the digits, in scientific or engineering notation? */
static int64_t point_place(const number_t *a, int engineering)
{
    int64_t left = a->exp + a->digits;
    if (a->exp <= 0 && left > -6)
        return left; /* no exponent */
    if (!engineering)
        return 1;
    if (mpz_sgn(a->c) == 0)
        return ((left + 1) % 3 + 3) % 3 - 1;
    return ((left - 1) % 3 + 3) % 3 + 1;
}

char *number_to_text(const number_t *a, int engineering, int capitals)
{
    size_t room = mpz_sizeinbase(a->c, 10) + 48;
    char *text = malloc(room), *digits = text != NULL ? malloc(room) : NULL, *p = text;
    if (digits == NULL) {
        free(text);
        return NULL;
    }
    if (number_is_negative(a))
        *p++ = '-';
    if (number_write_digits(digits, a) < 0) {
        free(digits);
        free(text);
        return NULL;
    }
    if (number_is_special(a)) {
        p += sprintf(p, "%s", special_name(a));
        if (number_is_nan(a) && mpz_sgn(a->c) != 0)
            strcpy(p, digits);
        free(digits);
        return text;
    }
    int64_t n = a->digits, left = a->exp + n, point = point_place(a, engineering);
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-point);
        p += -point;
        memcpy(p, digits, (size_t)n);
        p += n;
    } else if (point >= n) {
        memcpy(p, digits, (size_t)n);
        p += n;
        memset(p, '0', (size_t)(point - n));
        p += point - n;
    } else {
        memcpy(p, digits, (size_t)point);
        p += point;
        *p++ = '.';
        memcpy(p, digits + point, (size_t)(n - point));
        p += n - point;
    }
    *p = '\0';
    if (left != point)
        sprintf(p, "%c%+lld", capitals ? 'E' : 'e', (long long)(left - point));
    free(digits);
    return text;
}

void number_text_free(char *text)
{
    free(text);
}
