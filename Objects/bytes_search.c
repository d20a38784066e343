/* Searching byte strings. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1     /* memmem, memrchr */
#endif
#include "bytes.h"

Py_ssize_t bytes_find_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m)
{
    if (m > n)
        return -1;
    if (m == 0)
        return 0;
    const char *p = m == 1 ? memchr(s, sub[0], (size_t)n) : memmem(s, (size_t)n, sub, (size_t)m);
    return p == NULL ? -1 : p - s;
}

/* Backwards: candidates are the occurrences of the first byte; bytes that do not occur in sub at all let the search
 * jump over a whole length. */
Py_ssize_t bytes_rfind_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m)
{
    if (m > n)
        return -1;
    if (m == 0)
        return n;
    if (m == 1) {
        const char *p = memrchr(s, sub[0], (size_t)n);
        return p == NULL ? -1 : p - s;
    }
    unsigned char occurs[256] = {0};
    for (Py_ssize_t i = 0; i < m; i++)
        occurs[(unsigned char)sub[i]] = 1;
    for (Py_ssize_t i = n - m; i >= 0; i--) {
        if (s[i] == sub[0] && memcmp(s + i, sub, (size_t)m) == 0)
            return i;
        if (i > 0 && !occurs[(unsigned char)s[i - 1]])
            i -= m;
    }
    return -1;
}

Py_ssize_t bytes_count_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m, Py_ssize_t max)
{
    Py_ssize_t count = 0, pos = 0;
    if (m > n || max <= 0)
        return 0;
    if (m == 0)
        return n < max ? n + 1 : max;
    while (count < max) {
        Py_ssize_t i = bytes_find_data(s + pos, n - pos, sub, m);
        if (i < 0)
            break;
        count++;
        pos += i + m;
    }
    return count;
}
