/* Instruction words and the table of opcodes (Python/vm/opcodes.def is the source). */
#ifndef BRAID_OPCODE_H
#define BRAID_OPCODE_H

#include <stdint.h>

typedef enum { F_ABC, F_AX, F_AJ, F_ABJ, F_J } opcode_format_t;

enum { OPCODE_DST = 1, OPCODE_ESC = 2, OPCODE_END = 4 };

typedef enum {
#define OP(NAME, FORMAT, CACHES, FLAGS, EFFECT) OP_##NAME,
#include "../../Python/vm/opcodes.def"
#undef OP
    OPCODE_COUNT
} opcode_t;

typedef struct {
    const char *name;
    opcode_format_t format;
    uint8_t caches;             /* words behind the instruction */
    uint8_t flags;
    const char *effect;
} opcode_info_t;

extern const opcode_info_t opcode_table[OPCODE_COUNT];

/* Instructions have run-time forms, which code_new chooses where what the loop need not test is known. */
static inline opcode_t opcode_base(unsigned op)
{
    switch (op) {
    case OP_MOVE_T: return OP_MOVE;
    case OP_LOAD_CONST_T:
    case OP_LOAD_CONST_UNCOUNTED: return OP_LOAD_CONST;
    case OP_LOAD_INT_T: return OP_LOAD_INT;
    case OP_LOAD_GLOBAL_T: return OP_LOAD_GLOBAL;
    case OP_LOAD_DEREF_T: return OP_LOAD_DEREF;
    case OP_LOAD_ATTR_T: return OP_LOAD_ATTR;
    default: return (opcode_t)op;
    }
}

typedef uint64_t instruction_t;

#define SLOT_NONE 0xffffu

static inline instruction_t instruction_abc(opcode_t op, unsigned a, unsigned b, unsigned c)
{
    return (uint64_t)op | (uint64_t)(a & 0xffff) << 16 | (uint64_t)(b & 0xffff) << 32 | (uint64_t)(c & 0xffff) << 48;
}
static inline instruction_t instruction_ax(opcode_t op, unsigned a, int32_t x)
{
    return (uint64_t)op | (uint64_t)(a & 0xffff) << 16 | (uint64_t)(uint32_t)x << 32;
}
static inline unsigned instruction_op(instruction_t i) { return i & 0xffff; }
static inline unsigned instruction_a(instruction_t i) { return (i >> 16) & 0xffff; }
static inline unsigned instruction_b(instruction_t i) { return (i >> 32) & 0xffff; }
static inline unsigned instruction_c(instruction_t i) { return (unsigned)(i >> 48); }
static inline int32_t instruction_x(instruction_t i) { return (int32_t)(uint32_t)(i >> 32); }

#endif /* BRAID_OPCODE_H */
