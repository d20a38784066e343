/* Properties of characters: the generated tables of Tools/generate_unicode_tables.py, read by Objects/unicode_ctype.c.
 *
 * Two-level tables: index1[ch >> UNICODE_SHIFT] picks a block of index2, index2[...] picks a record. */
#ifndef BRAID_UNICODE_DATA_H
#define BRAID_UNICODE_DATA_H

enum {
    UNICODE_ALPHA = 1, UNICODE_DECIMAL = 2, UNICODE_DIGIT = 4, UNICODE_LOWER = 8, UNICODE_LINEBREAK = 16,
    UNICODE_SPACE = 32, UNICODE_TITLE = 64, UNICODE_UPPER = 128, UNICODE_XID_START = 256,
    UNICODE_XID_CONTINUE = 512, UNICODE_PRINTABLE = 1024, UNICODE_NUMERIC = 2048,
    UNICODE_CASE_IGNORABLE = 4096, UNICODE_CASED = 8192,
    UNICODE_SPECIAL_CASE = 16384,       /* mappings are indexes into unicode_extended_case */
};

/* Without SPECIAL_CASE: upper, lower, title are differences to the character, fold is the same as lower.
 * With: index into unicode_extended_case << 3 | n: there stand the n code points of the full mapping, of which the first
 * is the simple one. */
struct unicode_record {
    int32_t upper, lower, title, fold;
    int8_t decimal, digit;
    uint16_t flags;
};

const struct unicode_record *unicode_record_of(Py_UCS4 ch);

static inline int unicode_is_space(Py_UCS4 ch) { return Py_UNICODE_ISSPACE(ch); }

#endif /* BRAID_UNICODE_DATA_H */
