/* Searching the characters of a str of any kind. */
#ifndef BRAID_MODULES_IO_TEXT_SEARCH_H
#define BRAID_MODULES_IO_TEXT_SEARCH_H

#include "io_internal.h"

/* Index of the first c (an ASCII character) in data[start, end), or -1. */
static inline Py_ssize_t text_find_char(int kind, const void *data, Py_ssize_t start, Py_ssize_t end, char c)
{
    if (start >= end)
        return -1;
    if (kind == 1) {
        const char *base = data;
        const char *found = memchr(base + start, c, (size_t)(end - start));
        return found == NULL ? -1 : found - base;
    }
    if (kind == 2) {
        const Py_UCS2 *chars = data;
        for (Py_ssize_t i = start; i < end; i++)
            if (chars[i] == (Py_UCS2)c)
                return i;
        return -1;
    }
    const Py_UCS4 *chars = data;
    for (Py_ssize_t i = start; i < end; i++)
        if (chars[i] == (Py_UCS4)c)
            return i;
    return -1;
}

/* Index of the first '\r' or '\n', or -1. */
static inline Py_ssize_t text_find_either(int kind, const void *data, Py_ssize_t start, Py_ssize_t end)
{
    /* In blocks, so that a text with one kind of line end is not searched to its end for the other. */
    while (kind == 1 && start < end) {
        Py_ssize_t stop = end - start > 512 ? start + 512 : end;
        Py_ssize_t lf = text_find_char(1, data, start, stop, '\n');
        Py_ssize_t cr = text_find_char(1, data, start, lf < 0 ? stop : lf, '\r');
        if (lf >= 0 || cr >= 0)
            return cr < 0 ? lf : cr;
        start = stop;
    }
    for (Py_ssize_t i = start; i < end; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '\n' || c == '\r')
            return i;
    }
    return -1;
}

#endif
