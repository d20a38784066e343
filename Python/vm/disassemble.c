/* A listing of instructions, for debugging the compiler and the machine (from gdb: call vm_dump_code(code)). */
#include "Python.h"

#include "code_object.h"
#include "positions.h"
#include "vm.h"

static void print_name(FILE *out, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    fprintf(out, "  (%s)", text != NULL ? text : "?");
}

static void print_slot(FILE *out, PyCodeObject *code, unsigned slot)
{
    if (slot < (unsigned)code->co_nlocals)
        fprintf(out, " %s", PyUnicode_AsUTF8(PyTuple_GET_ITEM(code->co_varnames, slot)));
    else if (slot < (unsigned)code->co_temp_base)
        fprintf(out, " cell%u", slot - (unsigned)code->co_nlocals);
    else
        fprintf(out, " t%u", slot - (unsigned)code->co_temp_base);
}

static void print_instruction(FILE *out, PyCodeObject *code, uint32_t at)
{
    instruction_t word = code->co_instructions[at];
    const opcode_info_t *info = &opcode_table[instruction_op(word)];
    uint32_t behind = at + 1 + info->caches;
    fprintf(out, "%5d %5u  %-20s", positions_find(code, at).line, at, info->name);
    switch (info->format) {
    case F_ABC:
        print_slot(out, code, instruction_a(word));
        print_slot(out, code, instruction_b(word));
        fprintf(out, " %u", instruction_c(word));
        break;
    case F_ABJ:
        print_slot(out, code, instruction_a(word));
        fprintf(out, " %u -> %u", instruction_b(word), behind + (int16_t)instruction_c(word));
        break;
    case F_AX:
        print_slot(out, code, instruction_a(word));
        fprintf(out, " %d", instruction_x(word));
        if (strstr(info->effect, "N[X]") != NULL)
            print_name(out, code->co_names_items[instruction_x(word)]);
        break;
    case F_AJ:
        print_slot(out, code, instruction_a(word));
        fprintf(out, " -> %u", behind + (uint32_t)instruction_x(word));
        break;
    case F_J: fprintf(out, " -> %u", behind + (uint32_t)instruction_x(word)); break;
    }
    if (info->format == F_ABC && strstr(info->effect, "N[C]") != NULL)
        print_name(out, code->co_names_items[instruction_c(word)]);
    fprintf(out, "    %s\n", info->effect);
}

void vm_dump_code(PyCodeObject *code)
{
    FILE *out = stderr;
    fprintf(out, "%s: %d locals, %d cells, %d free, %d slots\n", PyUnicode_AsUTF8(code->co_qualname), code->co_nlocals,
            code->co_ncellvars, code->co_nfreevars, code->co_nslots);
    for (uint32_t at = 0; at < code->co_ninstructions; at += 1u + opcode_table[instruction_op(code->co_instructions[at])].caches)
        print_instruction(out, code, at);
    for (uint32_t i = 0; i < code->co_nexceptions; i++)
        fprintf(out, "  [%u, %u) -> %u, depth %u\n", code->co_exceptions[i].start, code->co_exceptions[i].end,
                code->co_exceptions[i].handler, code->co_exceptions[i].depth);
}
