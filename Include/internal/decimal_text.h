/* Machine integers in decimal, two digits at a time. */
#ifndef BRAID_DECIMAL_TEXT_H
#define BRAID_DECIMAL_TEXT_H

#include <stdint.h>
#include <string.h>

extern const char decimal_pairs[201];       /* "00", "01" .. "99" */

static inline unsigned decimal_digits(uint64_t n)
{
    unsigned digits = 1;
    for (;;) {
        if (n < 10)
            return digits;
        if (n < 100)
            return digits + 1;
        if (n < 1000)
            return digits + 2;
        if (n < 10000)
            return digits + 3;
        n /= 10000;
        digits += 4;
    }
}

/* Writes n so that its last digit stands before end; returns where the first one stands. */
static inline char *decimal_write(char *end, uint64_t n)
{
    while (n >= 100) {
        unsigned pair = (unsigned)(n % 100);
        n /= 100;
        end -= 2;
        memcpy(end, decimal_pairs + 2 * pair, 2);
    }
    if (n >= 10) {
        end -= 2;
        memcpy(end, decimal_pairs + 2 * n, 2);
        return end;
    }
    *--end = (char)('0' + n);
    return end;
}

#endif /* BRAID_DECIMAL_TEXT_H */
