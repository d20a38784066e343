/* Properties of single characters, read from the generated tables. */
#include <Python.h>
#include "unicode_data.h"
#include "unicode_tables.h"

const unsigned char _Py_ascii_whitespace[128] = {
    [9] = 1, [10] = 1, [11] = 1, [12] = 1, [13] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1, [32] = 1,
};

static inline const struct unicode_record *record_of(Py_UCS4 ch)
{
    if (ch > 0x10ffff)
        return &unicode_records[unicode_index2[0]];
    unsigned block = unicode_index1[ch >> unicode_SHIFT];
    return &unicode_records[unicode_index2[(block << unicode_SHIFT) + (ch & ((1u << unicode_SHIFT) - 1))]];
}

const struct unicode_record *unicode_record_of(Py_UCS4 ch)
{
    return record_of(ch);
}

static inline int has(Py_UCS4 ch, unsigned flag)
{
    return (record_of(ch)->flags & flag) != 0;
}

int _PyUnicode_IsLowercase(Py_UCS4 ch) { return has(ch, UNICODE_LOWER); }
int _PyUnicode_IsUppercase(Py_UCS4 ch) { return has(ch, UNICODE_UPPER); }
int _PyUnicode_IsTitlecase(Py_UCS4 ch) { return has(ch, UNICODE_TITLE); }
int _PyUnicode_IsXidStart(Py_UCS4 ch) { return has(ch, UNICODE_XID_START); }
int _PyUnicode_IsXidContinue(Py_UCS4 ch) { return has(ch, UNICODE_XID_CONTINUE); }
int _PyUnicode_IsWhitespace(const Py_UCS4 ch) { return has(ch, UNICODE_SPACE); }
int _PyUnicode_IsPrintable(Py_UCS4 ch) { return has(ch, UNICODE_PRINTABLE); }
int _PyUnicode_IsAlpha(Py_UCS4 ch) { return has(ch, UNICODE_ALPHA); }
int _PyUnicode_IsCaseIgnorable(Py_UCS4 ch) { return has(ch, UNICODE_CASE_IGNORABLE); }
int _PyUnicode_IsCased(Py_UCS4 ch) { return has(ch, UNICODE_CASED); }
int _PyUnicode_IsDecimalDigit(Py_UCS4 ch) { return has(ch, UNICODE_DECIMAL); }
int _PyUnicode_IsDigit(Py_UCS4 ch) { return has(ch, UNICODE_DIGIT); }
int _PyUnicode_IsNumeric(Py_UCS4 ch) { return has(ch, UNICODE_NUMERIC); }

int _PyUnicode_IsLinebreak(const Py_UCS4 ch)
{
    if (ch < 128)
        return ch - 10u <= 3 || ch - 28u <= 2;
    return has(ch, UNICODE_LINEBREAK);
}

int _PyUnicode_ToDecimalDigit(Py_UCS4 ch) { return record_of(ch)->decimal; }
int _PyUnicode_ToDigit(Py_UCS4 ch) { return record_of(ch)->digit; }

double _PyUnicode_ToNumeric(Py_UCS4 ch)
{
    size_t low = 0, high = Py_ARRAY_LENGTH(unicode_numeric);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (unicode_numeric[middle].ch == ch)
            return unicode_numeric[middle].value;
        if (unicode_numeric[middle].ch < ch)
            low = middle + 1;
        else
            high = middle;
    }
    return -1.0;
}

/* ---- Case ---- */

static inline Py_UCS4 simple(Py_UCS4 ch, const struct unicode_record *r, int32_t mapping)
{
    if (r->flags & UNICODE_SPECIAL_CASE)
        return unicode_extended_case[mapping >> 3];
    return ch + (Py_UCS4)mapping;
}

static inline int full(Py_UCS4 ch, const struct unicode_record *r, int32_t mapping, Py_UCS4 *res)
{
    if (!(r->flags & UNICODE_SPECIAL_CASE)) {
        res[0] = ch + (Py_UCS4)mapping;
        return 1;
    }
    int n = mapping & 7;
    for (int i = 0; i < n; i++)
        res[i] = unicode_extended_case[(mapping >> 3) + i];
    return n;
}

Py_UCS4 _PyUnicode_ToUppercase(Py_UCS4 ch)
{
    const struct unicode_record *r = record_of(ch);
    return simple(ch, r, r->upper);
}

Py_UCS4 _PyUnicode_ToLowercase(Py_UCS4 ch)
{
    const struct unicode_record *r = record_of(ch);
    return simple(ch, r, r->lower);
}

Py_UCS4 _PyUnicode_ToTitlecase(Py_UCS4 ch)
{
    const struct unicode_record *r = record_of(ch);
    return simple(ch, r, r->title);
}

int _PyUnicode_ToUpperFull(Py_UCS4 ch, Py_UCS4 *res)
{
    const struct unicode_record *r = record_of(ch);
    return full(ch, r, r->upper, res);
}

int _PyUnicode_ToLowerFull(Py_UCS4 ch, Py_UCS4 *res)
{
    const struct unicode_record *r = record_of(ch);
    return full(ch, r, r->lower, res);
}

int _PyUnicode_ToTitleFull(Py_UCS4 ch, Py_UCS4 *res)
{
    const struct unicode_record *r = record_of(ch);
    return full(ch, r, r->title, res);
}

int _PyUnicode_ToFoldedFull(Py_UCS4 ch, Py_UCS4 *res)
{
    const struct unicode_record *r = record_of(ch);
    return full(ch, r, r->flags & UNICODE_SPECIAL_CASE ? r->fold : r->lower, res);
}
