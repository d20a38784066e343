/* repr() of strings. */
#include <Python.h>
#include "unicode.h"
#include "unicode_data.h"
#include "unicode_methods.h"
#include "unicode_writer.h"

static const char hex_digits[] = "0123456789abcdef";

/* Writes ch as an escape of the shortest form that fits. */
static int write_escape(unicode_writer_t *w, Py_UCS4 ch)
{
    char text[12];
    int digits = ch < 0x100 ? 2 : ch < 0x10000 ? 4 : 8;
    text[0] = '\\';
    text[1] = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
    for (int i = 0; i < digits; i++)
        text[2 + i] = hex_digits[(ch >> (4 * (digits - 1 - i))) & 15];
    return unicode_writer_write_ascii(w, text, 2 + digits);
}

static int write_char(unicode_writer_t *w, Py_UCS4 ch, Py_UCS4 quote)
{
    if (ch == quote || ch == '\\')
        return unicode_writer_write_char(w, '\\') < 0 ? -1 : unicode_writer_write_char(w, ch);
    if (ch == '\n')
        return unicode_writer_write_ascii(w, "\\n", 2);
    if (ch == '\t')
        return unicode_writer_write_ascii(w, "\\t", 2);
    if (ch == '\r')
        return unicode_writer_write_ascii(w, "\\r", 2);
    if (ch < ' ' || ch == 0x7f || (ch > 0x7f && !_PyUnicode_IsPrintable(ch)))
        return write_escape(w, ch);
    return unicode_writer_write_char(w, ch);
}

/* Is there nothing to escape but perhaps quotes? Tells which quotes there are. */
static int is_plain(int kind, const void *data, Py_ssize_t n, int *has_single, int *has_double)
{
    int plain = 1;
    *has_single = *has_double = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        *has_single |= ch == '\'';
        *has_double |= ch == '"';
        plain &= ch >= ' ' && ch < 0x7f && ch != '\\';
    }
    return plain;
}

PyObject *unicode_repr(PyObject *self)
{
    int kind = PyUnicode_KIND(self), has_single, has_double;
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    int plain = is_plain(kind, data, n, &has_single, &has_double);
    Py_UCS4 quote = has_single && !has_double ? '"' : '\'';
    if (plain && !(has_single && has_double) && n <= PY_SSIZE_T_MAX - 2) {
        PyObject *str = PyUnicode_New(n + 2, 127);
        if (str == NULL)
            return NULL;
        Py_UCS1 *to = PyUnicode_1BYTE_DATA(str);
        to[0] = to[n + 1] = (Py_UCS1)quote;
        unicode_convert(1, to + 1, kind, data, n);
        return str;
    }
    unicode_writer_t w;
    unicode_writer_init_sized(&w, n);
    if (unicode_writer_write_char(&w, quote) < 0)
        goto failed;
    for (Py_ssize_t i = 0; i < n; i++)
        if (write_char(&w, PyUnicode_READ(kind, data, i), quote) < 0)
            goto failed;
    if (unicode_writer_write_char(&w, quote) < 0)
        goto failed;
    return unicode_writer_finish(&w);
failed:
    unicode_writer_dealloc(&w);
    return NULL;
}
