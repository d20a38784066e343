/* PyOS_strtoul and PyOS_strtol: C integers from text with Python's prefixes (0x, 0o, 0b). */
#include "Python.h"

static int digit_value(char c)
{
    if (Py_ISDIGIT(c))
        return c - '0';
    if (Py_ISALPHA(c))
        return Py_TOLOWER(c) - 'a' + 10;
    return 99;
}

/* 0x, 0o, 0b at p, followed by a digit? Gives that base, else 0. */
static int prefix_base(const char *p)
{
    if (p[0] != '0')
        return 0;
    int base = p[1] == 'x' || p[1] == 'X' ? 16 : p[1] == 'o' || p[1] == 'O' ? 8 : p[1] == 'b' || p[1] == 'B' ? 2 : 0;
    return base;
}

/* With base 0 the prefix decides; a lone "0" is 0, other leading zeros end the number. On overflow the result is
 * ULONG_MAX and errno ERANGE; *end is behind the last digit anyway. */
unsigned long PyOS_strtoul(const char *text, char **end, int base)
{
    const char *p = text;
    while (Py_ISSPACE(*p))
        p++;
    int prefix = prefix_base(p);
    if (base == 0 && prefix == 0) {
        if (*p == '0') {
            while (*p == '0')
                p++;
            while (Py_ISSPACE(*p))
                p++;
            if (end != NULL)
                *end = (char *)p;
            return 0;
        }
        base = 10;
    }
    else if (prefix != 0 && (base == 0 || base == prefix)) {
        if (digit_value(p[2]) >= prefix) {      /* "0x" alone is a zero and an x */
            if (end != NULL)
                *end = (char *)(p + 1);
            return 0;
        }
        p += 2;
        base = prefix;
    }
    if (base < 2 || base > 36) {
        if (end != NULL)
            *end = (char *)p;
        return 0;
    }
    unsigned long value = 0;
    int overflow = 0;
    for (int d; (d = digit_value(*p)) < base; p++) {
        unsigned long next;
        if (__builtin_mul_overflow(value, (unsigned long)base, &next)
            || __builtin_add_overflow(next, (unsigned long)d, &next))
            overflow = 1;
        value = next;
    }
    if (end != NULL)
        *end = (char *)p;
    if (overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return value;
}

long PyOS_strtol(const char *text, char **end, int base)
{
    while (Py_ISSPACE(*text))
        text++;
    char sign = *text;
    if (sign == '+' || sign == '-')
        text++;
    unsigned long value = PyOS_strtoul(text, end, base);
    if (value <= LONG_MAX)
        return sign == '-' ? -(long)value : (long)value;
    if (sign == '-' && value == 0UL - (unsigned long)LONG_MIN)
        return LONG_MIN;
    errno = ERANGE;
    return LONG_MAX;
}
