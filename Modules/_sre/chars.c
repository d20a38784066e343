/* Characters: case, categories, sets. */
#include "sre.h"

#include <ctype.h>

uint32_t sre_lower_ascii(uint32_t ch) { return ch - 'A' < 26 ? ch + 32 : ch; }
uint32_t sre_lower_locale(uint32_t ch) { return ch < 256 ? (uint32_t)tolower((int)ch) : ch; }
uint32_t sre_lower_unicode(uint32_t ch) { return ch < 128 ? sre_lower_ascii(ch) : Py_UNICODE_TOLOWER(ch); }
static uint32_t upper_locale(uint32_t ch) { return ch < 256 ? (uint32_t)toupper((int)ch) : ch; }

static int is_word_ascii(uint32_t ch)
{
    return (ch | 32) - 'a' < 26 || ch - '0' < 10 || ch == '_';
}

int sre_category(uint32_t category, uint32_t ch)
{
    int is;
    switch (category & ~1u) {
    case CAT_DIGIT: is = ch - '0' < 10; break;
    case CAT_SPACE: is = ch == ' ' || ch - 9 < 5; break;
    case CAT_WORD: is = is_word_ascii(ch); break;
    case CAT_LINEBREAK: is = ch == '\n'; break;
    case CAT_LOC_WORD: is = ch < 256 && (isalnum((int)ch) || ch == '_'); break;
    case CAT_UNI_DIGIT: is = Py_UNICODE_ISDECIMAL(ch); break;
    case CAT_UNI_SPACE: is = Py_UNICODE_ISSPACE(ch); break;
    case CAT_UNI_WORD: is = ch < 128 ? is_word_ascii(ch) : Py_UNICODE_ISALNUM(ch); break;
    default: is = Py_UNICODE_ISLINEBREAK(ch); break;
    }
    return (is != 0) ^ (int)(category & 1);
}

static int bit(const uint32_t *words, uint32_t n) { return words[n >> 5] >> (n & 31) & 1; }

int sre_set_contains(const uint32_t *set, uint32_t ch)
{
    int found = 1;
    for (;;) {
        switch (*set++) {
        case OP_FAILURE:
            return !found;
        case OP_NEGATE:
            found = !found;
            break;
        case OP_LITERAL:
            if (ch == set[0])
                return found;
            set++;
            break;
        case OP_CATEGORY:
            if (sre_category(set[0], ch))
                return found;
            set++;
            break;
        case OP_CHARSET:
            if (ch < 256 && bit(set, ch))
                return found;
            set += 8;
            break;
        case OP_RANGE:
            if (set[0] <= ch && ch <= set[1])
                return found;
            set += 2;
            break;
        case OP_RANGE_UNI_IGNORE:
            /* ch is in lower case; the range may hold its upper case only */
            if (set[0] <= ch && ch <= set[1])
                return found;
            uint32_t upper = Py_UNICODE_TOUPPER(ch);
            if (set[0] <= upper && upper <= set[1])
                return found;
            set += 2;
            break;
        case OP_BIGCHARSET: {
            uint32_t blocks = *set++;
            if (ch < 65536) {
                uint32_t block = ((const uint8_t *)set)[ch >> 8];
                if (bit(set + 64, block * 256 + (ch & 255)))
                    return found;
            }
            set += 64 + blocks * 8;
            break;
        }
        default:
            Py_UNREACHABLE();
        }
    }
}

static int loc_same(uint32_t literal, uint32_t ch)
{
    return ch == literal || sre_lower_locale(ch) == literal || upper_locale(ch) == literal;
}

int sre_item_takes(const uint32_t *op, uint32_t ch)
{
    switch (op[0]) {
    case OP_ANY: return ch != '\n';
    case OP_ANY_ALL: return 1;
    case OP_CATEGORY: return sre_category(op[1], ch);
    case OP_LITERAL: return ch == op[1];
    case OP_NOT_LITERAL: return ch != op[1];
    case OP_LITERAL_IGNORE: return sre_lower_ascii(ch) == op[1];
    case OP_NOT_LITERAL_IGNORE: return sre_lower_ascii(ch) != op[1];
    case OP_LITERAL_UNI_IGNORE: return sre_lower_unicode(ch) == op[1];
    case OP_NOT_LITERAL_UNI_IGNORE: return sre_lower_unicode(ch) != op[1];
    case OP_LITERAL_LOC_IGNORE: return loc_same(op[1], ch);
    case OP_NOT_LITERAL_LOC_IGNORE: return !loc_same(op[1], ch);
    case OP_IN: return sre_set_contains(op + 2, ch);
    case OP_IN_IGNORE: return sre_set_contains(op + 2, sre_lower_ascii(ch));
    case OP_IN_UNI_IGNORE: return sre_set_contains(op + 2, sre_lower_unicode(ch));
    case OP_IN_LOC_IGNORE: {
        uint32_t lower = sre_lower_locale(ch), upper = upper_locale(ch);
        return sre_set_contains(op + 2, lower) || (upper != lower && sre_set_contains(op + 2, upper));
    }
    default: Py_UNREACHABLE();
    }
}
