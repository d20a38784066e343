/* Tables of ASCII character classes, and comparison without regard to ASCII case. */
#include "Python.h"

#define DIGIT (PY_CTF_DIGIT | PY_CTF_XDIGIT)
#define UPPER_HEX (PY_CTF_UPPER | PY_CTF_XDIGIT)
#define LOWER_HEX (PY_CTF_LOWER | PY_CTF_XDIGIT)

const unsigned int _Py_ctype_table[256] = {
    ['\t' ... '\r'] = PY_CTF_SPACE,
    [' '] = PY_CTF_SPACE,
    ['0' ... '9'] = DIGIT,
    ['A' ... 'F'] = UPPER_HEX,
    ['G' ... 'Z'] = PY_CTF_UPPER,
    ['a' ... 'f'] = LOWER_HEX,
    ['g' ... 'z'] = PY_CTF_LOWER,
};

#define SAME4(n) (n), (n) + 1, (n) + 2, (n) + 3
#define SAME16(n) SAME4(n), SAME4((n) + 4), SAME4((n) + 8), SAME4((n) + 12)
#define SAME32(n) SAME16(n), SAME16((n) + 16)
#define SAME64(n) SAME32(n), SAME32((n) + 32)
/* A run of 32 codes that starts at '@' or '`', with the 26 letters in it moved by `by`. */
#define LETTERS(n, by) \
    (n), SAME16((n) + 1 + (by)), SAME4((n) + 17 + (by)), SAME4((n) + 21 + (by)), (n) + 25 + (by), (n) + 26 + (by), \
        (n) + 27, SAME4((n) + 28)

const unsigned char _Py_ctype_tolower[256] = {SAME64(0), LETTERS(64, 32), SAME32(96), SAME64(128), SAME64(192)};
const unsigned char _Py_ctype_toupper[256] = {SAME64(0), SAME32(64), LETTERS(96, -32), SAME64(128), SAME64(192)};

int PyOS_mystrnicmp(const char *a, const char *b, Py_ssize_t n)
{
    for (; n > 0; n--, a++, b++) {
        int d = Py_TOLOWER(*a) - Py_TOLOWER(*b);
        if (d != 0 || *a == '\0')
            return d;
    }
    return 0;
}

int PyOS_mystricmp(const char *a, const char *b)
{
    return PyOS_mystrnicmp(a, b, PY_SSIZE_T_MAX);
}

int PyOS_vsnprintf(char *out, size_t size, const char *format, va_list va)
{
    if (size > INT_MAX - 512)
        return -666;
    int n = vsnprintf(out, size, format, va);
    if (size > 0)
        out[size - 1] = '\0';
    return n;
}

int PyOS_snprintf(char *out, size_t size, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int n = PyOS_vsnprintf(out, size, format, va);
    va_end(va);
    return n;
}
