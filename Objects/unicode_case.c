/* Changing case: upper, lower, title, capitalize, swapcase, casefold; and the predicates over whole strings. */
#include <Python.h>
#include "unicode.h"
#include "unicode_data.h"
#include "unicode_methods.h"
#include "unicode_writer.h"

/* ---- Case conversion ---- */

/* Capital sigma becomes a final sigma after a cased letter that starts or continues a word ending here. */
static Py_UCS4 lower_sigma(int kind, const void *data, Py_ssize_t n, Py_ssize_t at)
{
    Py_ssize_t i = at - 1;
    while (i >= 0 && _PyUnicode_IsCaseIgnorable(PyUnicode_READ(kind, data, i)))
        i--;
    if (i < 0 || !_PyUnicode_IsCased(PyUnicode_READ(kind, data, i)))
        return 0x3c3;
    for (i = at + 1; i < n && _PyUnicode_IsCaseIgnorable(PyUnicode_READ(kind, data, i)); i++)
        ;
    return i < n && _PyUnicode_IsCased(PyUnicode_READ(kind, data, i)) ? 0x3c3 : 0x3c2;
}

static int lower_at(int kind, const void *data, Py_ssize_t n, Py_ssize_t i, Py_UCS4 *res)
{
    Py_UCS4 ch = PyUnicode_READ(kind, data, i);
    if (ch == 0x3a3) {
        res[0] = lower_sigma(kind, data, n, i);
        return 1;
    }
    return _PyUnicode_ToLowerFull(ch, res);
}

enum conversion { TO_UPPER, TO_LOWER, TO_TITLE, TO_CAPITALIZED, TO_SWAPPED, TO_FOLDED };

/* The full mapping of the character at i; *cased: the previous character was cased (title). */
static int convert_at(enum conversion how, int kind, const void *data, Py_ssize_t n, Py_ssize_t i, int *cased,
                      Py_UCS4 *res)
{
    Py_UCS4 ch = PyUnicode_READ(kind, data, i);
    switch (how) {
    case TO_UPPER:
        return _PyUnicode_ToUpperFull(ch, res);
    case TO_LOWER:
        return lower_at(kind, data, n, i, res);
    case TO_FOLDED:
        return _PyUnicode_ToFoldedFull(ch, res);
    case TO_CAPITALIZED:
        return i == 0 ? _PyUnicode_ToTitleFull(ch, res) : lower_at(kind, data, n, i, res);
    case TO_SWAPPED:
        if (_PyUnicode_IsUppercase(ch))
            return lower_at(kind, data, n, i, res);
        if (_PyUnicode_IsLowercase(ch))
            return _PyUnicode_ToUpperFull(ch, res);
        res[0] = ch;
        return 1;
    default: {
        int count = *cased ? lower_at(kind, data, n, i, res) : _PyUnicode_ToTitleFull(ch, res);
        *cased = _PyUnicode_IsCased(ch) || (unicode_record_of(ch)->flags & (UNICODE_LOWER | UNICODE_UPPER | UNICODE_TITLE));
        return count;
    }
    }
}

static inline int is_ascii_lower(Py_UCS1 c) { return (unsigned)c - 'a' < 26; }
static inline int is_ascii_upper(Py_UCS1 c) { return (unsigned)c - 'A' < 26; }

/* Flips the case of those of n ASCII characters that lie within first..first+25, eight at a time. */
static void flip_case(Py_UCS1 *to, const Py_UCS1 *from, Py_ssize_t n, char first)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t at_least = ones * (uint64_t)(128 - first), above = ones * (uint64_t)(128 - first - 26);
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, from + i, 8);
        w ^= (((w + at_least) ^ (w + above)) & (ones * 128)) >> 2;      /* no carries: all are below 128 */
        memcpy(to + i, &w, 8);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ (Py_UCS1)(((unsigned)from[i] - (unsigned)first < 26) << 5);
}

static PyObject *convert_ascii(PyObject *self, enum conversion how)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    PyObject *result = unicode_alloc(n, 127);
    if (result == NULL)
        return NULL;
    const Py_UCS1 *from = PyUnicode_1BYTE_DATA(self);
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(result);
    int cased = 0;
    switch (how) {
    case TO_UPPER:
        flip_case(to, from, n, 'a');
        break;
    case TO_LOWER: case TO_FOLDED:
        flip_case(to, from, n, 'A');
        break;
    case TO_SWAPPED:
        for (Py_ssize_t i = 0; i < n; i++)
            to[i] = from[i] ^ (Py_UCS1)((is_ascii_upper(from[i]) | is_ascii_lower(from[i])) << 5);
        break;
    case TO_CAPITALIZED:
        for (Py_ssize_t i = 0; i < n; i++)
            to[i] = from[i] ^ (Py_UCS1)((i == 0 ? is_ascii_lower(from[i]) : is_ascii_upper(from[i])) << 5);
        break;
    default:
        for (Py_ssize_t i = 0; i < n; i++) {
            to[i] = from[i] ^ (Py_UCS1)((cased ? is_ascii_upper(from[i]) : is_ascii_lower(from[i])) << 5);
            cased = is_ascii_upper(from[i]) | is_ascii_lower(from[i]);
        }
    }
    return result;
}

static PyObject *convert(PyObject *self, enum conversion how)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (n == 0)
        return unicode_empty();
    if (PyUnicode_IS_ASCII(self)) {
        if (n > 1)
            return convert_ascii(self, how);
    }
    int kind = PyUnicode_KIND(self), cased = 0;
    const void *data = PyUnicode_DATA(self);
    unicode_writer_t w;
    unicode_writer_init_sized(&w, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 res[4];
        int count = convert_at(how, kind, data, n, i, &cased, res);
        for (int j = 0; j < count; j++) {
            if (unicode_writer_write_char(&w, res[j]) < 0) {
                unicode_writer_dealloc(&w);
                return NULL;
            }
        }
    }
    return unicode_writer_finish(&w);
}

PyObject *unicode_upper(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_UPPER); }
PyObject *unicode_lower(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_LOWER); }
PyObject *unicode_title(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_TITLE); }
PyObject *unicode_capitalize(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_CAPITALIZED); }
PyObject *unicode_swapcase(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_SWAPPED); }
PyObject *unicode_casefold(PyObject *self, PyObject *Py_UNUSED(ignored)) { return convert(self, TO_FOLDED); }

/* ---- Predicates ---- */

/* Every character has one of the flags, and there is at least one character. */
static PyObject *all_have(PyObject *self, unsigned flags)
{
    int kind = PyUnicode_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(unicode_record_of(PyUnicode_READ(kind, data, i))->flags & flags))
            Py_RETURN_FALSE;
    return n > 0 ? Py_True : Py_False;
}

PyObject *unicode_isalpha(PyObject *self, PyObject *Py_UNUSED(ignored)) { return all_have(self, UNICODE_ALPHA); }
PyObject *unicode_isdecimal(PyObject *self, PyObject *Py_UNUSED(ignored)) { return all_have(self, UNICODE_DECIMAL); }
PyObject *unicode_isdigit(PyObject *self, PyObject *Py_UNUSED(ignored)) { return all_have(self, UNICODE_DIGIT); }
PyObject *unicode_isnumeric(PyObject *self, PyObject *Py_UNUSED(ignored)) { return all_have(self, UNICODE_NUMERIC); }
PyObject *unicode_isspace(PyObject *self, PyObject *Py_UNUSED(ignored)) { return all_have(self, UNICODE_SPACE); }
PyObject *unicode_isalnum(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return all_have(self, UNICODE_ALPHA | UNICODE_DECIMAL | UNICODE_DIGIT | UNICODE_NUMERIC);
}

PyObject *unicode_isprintable(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_GET_LENGTH(self) == 0 ? Py_True : all_have(self, UNICODE_PRINTABLE);
}

PyObject *unicode_isascii(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_IS_ASCII(self) ? Py_True : Py_False;
}

/* At least one character with flag wanted, none with a flag of refused. */
static PyObject *some_have(PyObject *self, unsigned wanted, unsigned refused)
{
    int kind = PyUnicode_KIND(self), found = 0;
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned flags = unicode_record_of(PyUnicode_READ(kind, data, i))->flags;
        if (flags & refused)
            Py_RETURN_FALSE;
        found |= (flags & wanted) != 0;
    }
    return found ? Py_True : Py_False;
}

PyObject *unicode_islower(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return some_have(self, UNICODE_LOWER, UNICODE_UPPER | UNICODE_TITLE);
}

PyObject *unicode_isupper(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return some_have(self, UNICODE_UPPER, UNICODE_LOWER | UNICODE_TITLE);
}

PyObject *unicode_istitle(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    int kind = PyUnicode_KIND(self), cased = 0, previous_cased = 0;
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned flags = unicode_record_of(PyUnicode_READ(kind, data, i))->flags;
        if (flags & (UNICODE_UPPER | UNICODE_TITLE)) {
            if (previous_cased)
                Py_RETURN_FALSE;
            previous_cased = cased = 1;
        }
        else if (flags & UNICODE_LOWER) {
            if (!previous_cased)
                Py_RETURN_FALSE;
            cased = 1;
        }
        else
            previous_cased = 0;
    }
    return cased ? Py_True : Py_False;
}

int PyUnicode_IsIdentifier(PyObject *self)
{
    int kind = PyUnicode_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    if (n == 0)
        return 0;
    Py_UCS4 first = PyUnicode_READ(kind, data, 0);
    if (first != '_' && !_PyUnicode_IsXidStart(first))
        return 0;
    for (Py_ssize_t i = 1; i < n; i++)
        if (!_PyUnicode_IsXidContinue(PyUnicode_READ(kind, data, i)))
            return 0;
    return 1;
}

PyObject *unicode_isidentifier(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_IsIdentifier(self) ? Py_True : Py_False;
}
