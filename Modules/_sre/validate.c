/* Refuses damaged code. What passes here can be run without any check of the code. */
#include "sre.h"

#define DEPTH_LIMIT 10000

typedef struct {
    const uint32_t *code;
    uint32_t groups;
} checker;

int sre_op_is_in(uint32_t op)
{
    return op == OP_IN || op == OP_IN_IGNORE || op == OP_IN_LOC_IGNORE || op == OP_IN_UNI_IGNORE;
}

static int is_literal(uint32_t op)
{
    switch (op) {
    case OP_LITERAL: case OP_NOT_LITERAL: case OP_LITERAL_IGNORE: case OP_NOT_LITERAL_IGNORE:
    case OP_LITERAL_LOC_IGNORE: case OP_NOT_LITERAL_LOC_IGNORE: case OP_LITERAL_UNI_IGNORE:
    case OP_NOT_LITERAL_UNI_IGNORE:
        return 1;
    default:
        return 0;
    }
}

int sre_op_is_item(uint32_t op)
{
    return op == OP_ANY || op == OP_ANY_ALL || op == OP_CATEGORY || is_literal(op) || sre_op_is_in(op);
}

/* The words [p, end) have to be a set, with its FAILURE last. */
static int check_set(checker *c, size_t p, size_t end)
{
    const uint32_t *code = c->code;
    if (p >= end || code[end - 1] != OP_FAILURE)
        return -1;
    end--;
    while (p < end) {
        uint32_t op = code[p++];
        size_t left = end - p;
        switch (op) {
        case OP_NEGATE:
            break;
        case OP_LITERAL:
            if (left < 1)
                return -1;
            p += 1;
            break;
        case OP_CATEGORY:
            if (left < 1 || code[p] >= CAT_COUNT)
                return -1;
            p += 1;
            break;
        case OP_RANGE: case OP_RANGE_UNI_IGNORE:
            if (left < 2)
                return -1;
            p += 2;
            break;
        case OP_CHARSET:
            if (left < 8)
                return -1;
            p += 8;
            break;
        case OP_BIGCHARSET: {
            if (left < 65 || code[p] > 256 || (size_t)code[p] * 8 + 65 > left)
                return -1;
            uint32_t blocks = code[p];
            const uint8_t *map = (const uint8_t *)(code + p + 1);
            for (int i = 0; i < 256; i++)
                if (map[i] >= blocks)
                    return -1;
            p += 65 + (size_t)blocks * 8;
            break;
        }
        default:
            return -1;
        }
    }
    return 0;
}

/* Reads the skip word at p: sets *target. The target has to leave at least least words after the skip word. */
static int read_skip(checker *c, size_t p, size_t end, size_t least, size_t *target)
{
    if (p >= end || c->code[p] > end - p || c->code[p] < least + 1)
        return -1;
    *target = p + c->code[p];
    return 0;
}

static int check_item(checker *c, size_t p, size_t end)
{
    if (p >= end)
        return -1;
    uint32_t op = c->code[p];
    size_t target;
    if (op == OP_ANY || op == OP_ANY_ALL)
        return p + 1 == end ? 0 : -1;
    if (op == OP_CATEGORY)
        return p + 2 == end && c->code[p + 1] < CAT_COUNT ? 0 : -1;
    if (is_literal(op))
        return p + 2 == end ? 0 : -1;
    if (!sre_op_is_in(op) || read_skip(c, p + 1, end, 1, &target) < 0 || target != end)
        return -1;
    return check_set(c, p + 2, end);
}

static int check_info(checker *c, size_t p, size_t target)
{
    const uint32_t *code = c->code;
    if (target - p < 4)
        return -1;
    uint32_t flags = code[p + 1];
    p += 4;
    if (flags & ~7u || ((flags & SRE_INFO_CHARSET) && (flags & SRE_INFO_PREFIX))
        || ((flags & SRE_INFO_LITERAL) && !(flags & SRE_INFO_PREFIX)))
        return -1;
    if (flags & SRE_INFO_PREFIX) {
        if (target - p < 2 || code[p] == 0 || code[p + 1] > code[p] || target - p != 2 + 2 * (size_t)code[p])
            return -1;
        for (size_t i = 0; i < code[p]; i++)
            if (code[p + 2 + code[p] + i] >= code[p])
                return -1;
        return 0;
    }
    if (flags & SRE_INFO_CHARSET)
        return check_set(c, p, target);
    return p == target ? 0 : -1;
}

static int check(checker *c, size_t p, size_t end, int depth);

/* After the BRANCH word. Answers where the code goes on; 0: damaged. */
static size_t check_branch(checker *c, size_t p, size_t end, int depth)
{
    const uint32_t *code = c->code;
    size_t out = 0;
    while (p < end && code[p] != 0) {
        size_t next;
        if (read_skip(c, p, end, 2, &next) < 0 || code[next - 2] != OP_JUMP || check(c, p + 1, next - 2, depth) < 0
            || code[next - 1] > end - (next - 1))
            return 0;
        size_t to = next - 1 + code[next - 1];
        if (out && out != to)
            return 0;
        out = to;
        p = next;
    }
    return p < end && (out == 0 || out == p + 1) ? p + 1 : 0;
}

/* p: the group number of a GROUPREF_EXISTS. Answers where the code goes on; 0: damaged. */
static size_t check_conditional(checker *c, size_t p, size_t end, int depth)
{
    const uint32_t *code = c->code;
    if (end - p < 2 || code[p] >= c->groups || code[p + 1] < 2 || code[p + 1] - 1 > end - (p + 1))
        return 0;
    size_t target = p + code[p + 1];
    size_t body = p + 2;
    if (target >= body + 2 && code[target - 2] == OP_JUMP && code[target - 1] <= end - (target - 1)
        && code[target - 1] >= 1) {
        size_t out = target - 1 + code[target - 1];
        if (check(c, body, target - 2, depth) == 0 && check(c, target, out, depth) == 0)
            return out;
    }
    /* what looked like a JUMP was an operand, or the code is damaged */
    return check(c, body, target, depth) == 0 ? target : 0;
}

/* p: the skip word of a repeat of one item or of a sub-pattern. */
static size_t check_repeat(checker *c, uint32_t op, size_t p, size_t end, int depth)
{
    const uint32_t *code = c->code;
    size_t target;
    int one = op != OP_REPEAT && op != OP_POSSESSIVE_REPEAT;
    if (read_skip(c, p, end, 2, &target) < 0 || code[p + 1] > code[p + 2])
        return 0;
    if (one) {
        if (target < p + 4 || code[target - 1] != OP_SUCCESS || check_item(c, p + 3, target - 1) < 0)
            return 0;
        return target;
    }
    if (target >= end || check(c, p + 3, target, depth) < 0)
        return 0;
    uint32_t last = code[target];
    if (op == OP_REPEAT ? last != OP_MAX_UNTIL && last != OP_MIN_UNTIL : last != OP_SUCCESS)
        return 0;
    return target + 1;
}

static int check(checker *c, size_t p, size_t end, int depth)
{
    const uint32_t *code = c->code;
    size_t target;
    if (p > end || ++depth > DEPTH_LIMIT)
        return -1;
    while (p < end) {
        uint32_t op = code[p++];
        switch (op) {
        case OP_SUCCESS: case OP_FAILURE: case OP_ANY: case OP_ANY_ALL:
            break;
        case OP_MARK:
            if (p >= end || code[p] / 2 >= c->groups)
                return -1;
            p++;
            break;
        case OP_AT:
            if (p >= end || code[p] > AT_UNI_NON_BOUNDARY)
                return -1;
            p++;
            break;
        case OP_CATEGORY:
            if (p >= end || code[p] >= CAT_COUNT)
                return -1;
            p++;
            break;
        case OP_IN: case OP_IN_IGNORE: case OP_IN_LOC_IGNORE: case OP_IN_UNI_IGNORE:
            if (read_skip(c, p, end, 1, &target) < 0 || check_set(c, p + 1, target) < 0)
                return -1;
            p = target;
            break;
        case OP_INFO:
            if (read_skip(c, p, end, 3, &target) < 0 || check_info(c, p, target) < 0)
                return -1;
            p = target;
            break;
        case OP_BRANCH:
            if (!(p = check_branch(c, p, end, depth)))
                return -1;
            break;
        case OP_REPEAT: case OP_POSSESSIVE_REPEAT:
        case OP_REPEAT_ONE: case OP_MIN_REPEAT_ONE: case OP_POSSESSIVE_REPEAT_ONE:
            if (!(p = check_repeat(c, op, p, end, depth)))
                return -1;
            break;
        case OP_ATOMIC_GROUP:
            if (read_skip(c, p, end, 1, &target) < 0 || code[target - 1] != OP_SUCCESS
                || check(c, p + 1, target - 1, depth) < 0)
                return -1;
            p = target;
            break;
        case OP_ASSERT: case OP_ASSERT_NOT:
            if (read_skip(c, p, end, 2, &target) < 0 || code[target - 1] != OP_SUCCESS || code[p + 1] & 0x80000000u
                || check(c, p + 2, target - 1, depth) < 0)
                return -1;
            p = target;
            break;
        case OP_GROUPREF: case OP_GROUPREF_IGNORE: case OP_GROUPREF_LOC_IGNORE: case OP_GROUPREF_UNI_IGNORE:
            if (p >= end || code[p] >= c->groups)
                return -1;
            p++;
            break;
        case OP_GROUPREF_EXISTS:
            if (!(p = check_conditional(c, p, end, depth)))
                return -1;
            break;
        default:
            if (!is_literal(op) || p >= end)
                return -1;
            p++;
            break;
        }
    }
    return 0;
}

int sre_validate(const uint32_t *code, Py_ssize_t size, Py_ssize_t groups)
{
    if (groups < 0 || groups > SRE_MAXGROUPS || size < 1 || code[size - 1] != OP_SUCCESS)
        return -1;
    checker c = {code, (uint32_t)groups};
    return check(&c, 0, (size_t)size - 1, 0);
}
