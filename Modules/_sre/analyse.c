/* What is worked out once per pattern so that matching is fast. */
#include "sre.h"

#include <string.h>

/* The length in words of the instruction at op, without what it spans; sets are skipped whole. */
static size_t step(const uint32_t *op)
{
    switch (op[0]) {
    case OP_SUCCESS: case OP_FAILURE: case OP_ANY: case OP_ANY_ALL: case OP_MAX_UNTIL: case OP_MIN_UNTIL:
        return 1;
    case OP_INFO: case OP_IN: case OP_IN_IGNORE: case OP_IN_LOC_IGNORE: case OP_IN_UNI_IGNORE:
        return 1 + op[1];
    case OP_REPEAT: case OP_POSSESSIVE_REPEAT: case OP_REPEAT_ONE: case OP_MIN_REPEAT_ONE:
    case OP_POSSESSIVE_REPEAT_ONE:
        return 4;
    case OP_ASSERT: case OP_ASSERT_NOT: case OP_GROUPREF_EXISTS:
        return 3;
    default:
        return 2;           /* one operand, or a skip word: BRANCH, JUMP, ATOMIC_GROUP */
    }
}

/* Does what the set contains depend on the locale of the day? */
static int is_locale_set(const uint32_t *op)
{
    if (op[0] == OP_IN_LOC_IGNORE)
        return 1;
    for (const uint32_t *set = op + 2; *set != OP_FAILURE;) {
        switch (*set++) {
        case OP_NEGATE: break;
        case OP_CATEGORY:
            if ((*set++ & ~1u) == CAT_LOC_WORD)
                return 1;
            break;
        case OP_LITERAL: set++; break;
        case OP_RANGE: case OP_RANGE_UNI_IGNORE: set += 2; break;
        case OP_CHARSET: set += 8; break;
        default: set += 65 + set[0] * 8; break;
        }
    }
    return 0;
}

/* Walks [p, end) and gives every set a number; counts only while tables is NULL.
 * Recursion is as deep as validation's, which is limited. */
static void number_sets(PatternObject *self, size_t p, size_t end, uint32_t *count)
{
    const uint32_t *code = self->code;
    while (p < end) {
        const uint32_t *op = code + p;
        if (op[0] == OP_BRANCH) {
            p++;
            while (code[p]) {
                size_t next = p + code[p];
                number_sets(self, p + 1, next, count);
                p = next;
            }
            p++;
            continue;
        }
        if (sre_op_is_in(op[0]) && !is_locale_set(op)) {
            uint32_t number = (*count)++;
            if (self->tables) {
                uint8_t *table = self->tables + (size_t)number * 256;
                self->table_of[p] = number + 1;
                for (uint32_t ch = 0; ch < 256; ch++)
                    table[ch] = (uint8_t)sre_item_takes(op, ch);
            }
        }
        p += step(op);
    }
}

static int make_tables(PatternObject *self)
{
    uint32_t count = 0;
    size_t size = (size_t)Py_SIZE(self);
    number_sets(self, 0, size, &count);
    if (!count)
        return 0;
    self->table_of = PyMem_Calloc(size, sizeof(uint32_t));
    self->tables = PyMem_Malloc((size_t)count * 256);
    if (!self->table_of || !self->tables) {
        PyErr_NoMemory();
        return -1;
    }
    count = 0;
    number_sets(self, 0, size, &count);
    return 0;
}

/* Adds the characters that the code at p can start with. 1: it has to take one of them; 0: not known. */
static int first_of(PatternObject *self, size_t p, int depth)
{
    const uint32_t *code = self->code;
    if (depth > 16)
        return 0;
    for (;;) {
        const uint32_t *op = code + p;
        switch (op[0]) {
        case OP_MARK: case OP_AT:
            p += 2;
            break;
        case OP_INFO: case OP_ASSERT: case OP_ASSERT_NOT:
            p += 1 + op[1];
            break;
        case OP_ATOMIC_GROUP:
            p += 2;
            break;
        case OP_BRANCH:
            for (p++; code[p]; p += code[p])
                if (!first_of(self, p + 1, depth + 1))
                    return 0;
            return 1;
        case OP_REPEAT_ONE: case OP_MIN_REPEAT_ONE: case OP_POSSESSIVE_REPEAT_ONE:
        case OP_REPEAT: case OP_POSSESSIVE_REPEAT:
            if (!first_of(self, p + 4, depth + 1))
                return 0;
            if (op[2] > 0)
                return 1;
            p += 1 + op[1] + (op[0] == OP_REPEAT || op[0] == OP_POSSESSIVE_REPEAT);
            break;
        default:
            if (!sre_op_is_item(op[0]) || op[0] == OP_IN_LOC_IGNORE || op[0] == OP_LITERAL_LOC_IGNORE
                || op[0] == OP_NOT_LITERAL_LOC_IGNORE || (op[0] == OP_CATEGORY && (op[1] & ~1u) == CAT_LOC_WORD)
                || (op[0] == OP_IN && is_locale_set(op)))
                return 0;
            if (op[0] != OP_LITERAL || op[1] > 255)
                self->first_wide = 1;
            for (uint32_t ch = 0; ch < 256; ch++)
                self->first[ch] |= (uint8_t)sre_item_takes(op, ch);
            return 1;
        }
    }
}

static int read_info(PatternObject *self)
{
    const uint32_t *info = self->code;
    self->min_width = info[3];
    if (!(info[2] & SRE_INFO_PREFIX))
        return 0;
    self->prefix_length = info[5];
    self->prefix = info + 7;
    self->prefix_is_all = (info[2] & SRE_INFO_LITERAL) != 0;
    for (Py_ssize_t i = 0; i < self->prefix_length; i++)
        if (self->prefix[i] > 255)
            return 0;
    self->prefix_bytes = PyMem_Malloc((size_t)self->prefix_length);
    if (!self->prefix_bytes) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->prefix_length; i++)
        self->prefix_bytes[i] = (uint8_t)self->prefix[i];
    return 0;
}

int sre_analyse(PatternObject *self)
{
    const uint32_t *code = self->code;
    size_t p = 0;
    if (make_tables(self) < 0)
        return -1;
    if (code[0] == OP_INFO) {
        if (read_info(self) < 0)
            return -1;
        p = 1 + code[1];
    }
    self->anchored = code[p] == OP_AT && (code[p + 1] == AT_BEGINNING || code[p + 1] == AT_BEGINNING_STRING);
    self->has_first = first_of(self, p, 0);
    return 0;
}
