/* PyUnicode_FromFormat: C's printf with conversions for objects.
 *
 *      % [flags - 0 #] [width] [.precision] [hh h l ll z t j] conversion
 *      d i u o x X   integers          c  code point       p  pointer        s  UTF-8 text
 *      U  str   V  str or else text    S  str(obj)         R  repr(obj)      A  ascii(obj) */
#define _GNU_SOURCE
#include <Python.h>
#include "unicode.h"
#include "unicode_writer.h"

typedef struct {
    int left, zero, alternate;
    Py_ssize_t width, precision;
    int size;                   /* 0 int, 'l', 'L' long long, 'z', 't', 'j' */
} directive_t;

/* A va_list that can be handed on by address. */
typedef struct { va_list ap; } arguments_t;

static int write_padded(unicode_writer_t *w, PyObject *str, const directive_t *d)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    if (d->precision >= 0 && d->precision < n)
        n = d->precision;
    Py_ssize_t pad = d->width > n ? d->width - n : 0;
    if (!d->left && unicode_writer_fill(w, ' ', pad) < 0)
        return -1;
    if (unicode_writer_write_substring(w, str, 0, n) < 0)
        return -1;
    return d->left ? unicode_writer_fill(w, ' ', pad) : 0;
}

static int write_padded_steal(unicode_writer_t *w, PyObject *str, const directive_t *d)
{
    if (str == NULL)
        return -1;
    int rc = write_padded(w, str, d);
    Py_DECREF(str);
    return rc;
}

static int write_text(unicode_writer_t *w, const char *text, directive_t d)
{
    size_t n = d.precision < 0 ? strlen(text) : strnlen(text, (size_t)d.precision);
    d.precision = -1;           /* counts bytes */
    if (d.width <= 0 && unicode_max_char(1, text, (Py_ssize_t)n) < 128)
        return unicode_writer_write_ascii(w, text, (Py_ssize_t)n);
    return write_padded_steal(w, PyUnicode_DecodeUTF8Stateful(text, (Py_ssize_t)n, "replace", NULL), &d);
}

/* Digits of value, right-aligned in buffer's end; returns the first. */
static char *digits_of(uint64_t value, char type, char *end)
{
    unsigned base = type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
    const char *alphabet = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    do {
        *--end = alphabet[value % base];
        value /= base;
    } while (value != 0);
    return end;
}

static int write_integer(unicode_writer_t *w, uint64_t value, int negative, char type, const directive_t *d)
{
    char buffer[32], *end = buffer + sizeof(buffer), *first = digits_of(value, type, end);
    Py_ssize_t digits = end - first, zeros = d->precision > digits ? d->precision - digits : 0;
    const char *prefix = d->alternate && type == 'x' ? "0x" : d->alternate && type == 'X' ? "0X" : "";
    Py_ssize_t total = digits + zeros + negative + (Py_ssize_t)strlen(prefix);
    Py_ssize_t pad = d->width > total ? d->width - total : 0;
    if (d->zero && !d->left && d->precision < 0) {
        zeros = pad;
        pad = 0;
    }
    if (!d->left && unicode_writer_fill(w, ' ', pad) < 0)
        return -1;
    if (negative && unicode_writer_write_char(w, '-') < 0)
        return -1;
    if (unicode_writer_write_ascii(w, prefix, -1) < 0 || unicode_writer_fill(w, '0', zeros) < 0
        || unicode_writer_write_ascii(w, first, digits) < 0)
        return -1;
    return d->left ? unicode_writer_fill(w, ' ', pad) : 0;
}

static int64_t next_signed(arguments_t *args, int size)
{
    switch (size) {
    case 'l': return va_arg(args->ap, long);
    case 'L': return va_arg(args->ap, long long);
    case 'z': return va_arg(args->ap, Py_ssize_t);
    case 't': return va_arg(args->ap, ptrdiff_t);
    case 'j': return va_arg(args->ap, intmax_t);
    default: return va_arg(args->ap, int);
    }
}

static uint64_t next_unsigned(arguments_t *args, int size)
{
    return size == 0 ? va_arg(args->ap, unsigned) : (uint64_t)next_signed(args, size);
}

static int parse_number(const char **p, Py_ssize_t *number)
{
    Py_ssize_t n = 0;
    while (**p >= '0' && **p <= '9') {
        if (n > (INT_MAX - 9) / 10)
            return -1;
        n = n * 10 + (*(*p)++ - '0');
    }
    *number = n;
    return 0;
}

static int write_pointer(unicode_writer_t *w, const void *pointer, const directive_t *d)
{
    directive_t plain = *d;
    plain.alternate = 1;
    plain.precision = -1;
    return write_integer(w, (uint64_t)(uintptr_t)pointer, 0, 'x', &plain);
}

static int write_char(unicode_writer_t *w, int ch)
{
    if (ch < 0 || ch > 0x10ffff) {
        PyErr_SetString(PyExc_OverflowError, "character argument not in range(0x110000)");
        return -1;
    }
    return unicode_writer_write_char(w, (Py_UCS4)ch);
}

/* One conversion; *p is behind the '%' and moves behind the conversion. */
static int write_directive(unicode_writer_t *w, const char **p, arguments_t *args)
{
    const char *start = *p;
    directive_t d = {.precision = -1};
    for (;; (*p)++) {
        if (**p == '-')
            d.left = 1;
        else if (**p == '0')
            d.zero = 1;
        else if (**p == '#')
            d.alternate = 1;
        else
            break;
    }
    if (**p == '*') {
        int width = va_arg(args->ap, int);
        d.left |= width < 0;
        d.width = width < 0 ? -(Py_ssize_t)width : width;
        (*p)++;
    }
    else if (parse_number(p, &d.width) < 0) {
        PyErr_SetString(PyExc_ValueError, "width too big");
        return -1;
    }
    if (**p == '.') {
        (*p)++;
        if (**p == '*') {
            int precision = va_arg(args->ap, int);
            d.precision = precision < 0 ? -2 : precision;
            (*p)++;
        }
        else if (parse_number(p, &d.precision) < 0) {
            PyErr_SetString(PyExc_ValueError, "precision too big");
            return -1;
        }
    }
    while (**p == 'h')
        (*p)++;
    if (**p == 'l' || **p == 'z' || **p == 't' || **p == 'j') {
        d.size = *(*p)++;
        if (d.size == 'l' && **p == 'l') {
            d.size = 'L';
            (*p)++;
        }
    }
    switch (*(*p)++) {
    case '%':
        return unicode_writer_write_char(w, '%');
    case 'c':
        return write_char(w, va_arg(args->ap, int));
    case 'd': case 'i': {
        int64_t value = next_signed(args, d.size);
        return write_integer(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, 'd', &d);
    }
    case 'u': case 'o': case 'x': case 'X':
        return write_integer(w, next_unsigned(args, d.size), 0, (*p)[-1], &d);
    case 'p':
        return write_pointer(w, va_arg(args->ap, void *), &d);
    case 's':
        if (d.size == 'l') {
            const wchar_t *text = va_arg(args->ap, const wchar_t *);
            size_t n = d.precision < 0 ? wcslen(text) : wcsnlen(text, (size_t)d.precision);
            return write_padded_steal(w, PyUnicode_FromWideChar(text, (Py_ssize_t)n), &d);
        }
        return write_text(w, va_arg(args->ap, const char *), d);
    case 'U':
        return write_padded(w, va_arg(args->ap, PyObject *), &d);
    case 'V': {
        PyObject *str = va_arg(args->ap, PyObject *);
        const char *text = va_arg(args->ap, const char *);
        return str != NULL ? write_padded(w, str, &d) : write_text(w, text, d);
    }
    case 'S':
        return write_padded_steal(w, PyObject_Str(va_arg(args->ap, PyObject *)), &d);
    case 'R':
        return write_padded_steal(w, PyObject_Repr(va_arg(args->ap, PyObject *)), &d);
    case 'A':
        return write_padded_steal(w, PyObject_ASCII(va_arg(args->ap, PyObject *)), &d);
    default:
        PyErr_Format(PyExc_SystemError, "invalid format string: %%%s", start);
        return -1;
    }
}

PyObject *PyUnicode_FromFormatV(const char *format, va_list vargs)
{
    arguments_t args;
    va_copy(args.ap, vargs);
    unicode_writer_t w;
    unicode_writer_init(&w);
    PyObject *result = NULL;
    const char *p = format;
    while (*p != '\0') {
        if (*p == '%') {
            p++;
            if (write_directive(&w, &p, &args) < 0)
                goto done;
            continue;
        }
        const char *end = strchrnul(p, '%');
        for (const char *q = p; q < end; q++) {
            if ((unsigned char)*q > 127) {
                PyErr_Format(PyExc_ValueError,
                             "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: "
                             "0x%02x", (unsigned char)*q);
                goto done;
            }
        }
        if (unicode_writer_write_ascii(&w, p, end - p) < 0)
            goto done;
        p = end;
    }
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    va_end(args.ap);
    return result;
}

PyObject *PyUnicode_FromFormat(const char *format, ...)
{
    va_list vargs;
    va_start(vargs, format);
    PyObject *result = PyUnicode_FromFormatV(format, vargs);
    va_end(vargs);
    return result;
}
