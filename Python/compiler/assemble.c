/* From emitted instructions to a code object: jump forms, offsets, exception table, positions. */
#include "Python.h"

#include "compiler_internal.h"

/* Where a label stands, in words. Labels at the very end have none: every unit ends with a RETURN. */
static uint32_t label_offset(unit_t *u, label_t label, uint32_t end)
{
    int index = u->labels[label];
    return index < u->used ? u->code[index].offset : end;
}

static uint32_t size_in_words(const emitted_t *e) { return 1u + e->caches + (e->is_long ? 2u : 0u); }

static uint32_t assign_offsets(unit_t *u)
{
    uint32_t offset = 0;
    for (int i = 0; i < u->used; i++) {
        u->code[i].offset = offset;
        offset += size_in_words(&u->code[i]);
    }
    return offset;
}

static int has_short_offset(uint16_t op) { return opcode_table[op].format == F_ABJ; }

/* Jumps with 16 bits that reach too far take the long form: the short jump leads over one jump to another, `J +1; JUMP over; JUMP target`. */
static uint32_t relax(unit_t *u)
{
    for (;;) {
        uint32_t end = assign_offsets(u);
        int changed = 0;
        for (int i = 0; i < u->used; i++) {
            emitted_t *e = &u->code[i];
            if (e->target == NO_LABEL || e->is_long || !has_short_offset(e->op))
                continue;
            int64_t distance = (int64_t)label_offset(u, e->target, end) - (e->offset + 1 + e->caches);
            if (distance < -32000 || distance > 32000) {
                e->is_long = 1;
                changed = 1;
            }
        }
        if (!changed)
            return end;
    }
}

static instruction_t jump_word(int32_t distance)
{
    return instruction_ax(distance < 0 ? OP_JUMP_BACK : OP_JUMP, 0, distance);
}

static void write_instruction(unit_t *u, const emitted_t *e, instruction_t *words, uint32_t end)
{
    instruction_t *w = words + e->offset;
    uint32_t behind = e->offset + 1 + e->caches;
    opcode_format_t format = opcode_table[e->op].format;
    for (unsigned i = 0; i < e->caches; i++)
        w[1 + i] = i == 0 ? e->cache : 0;
    if (e->target == NO_LABEL) {
        w[0] = format == F_ABC || format == F_ABJ ? instruction_abc((opcode_t)e->op, e->a, e->b, e->c)
                                                  : instruction_ax((opcode_t)e->op, e->a, e->x);
        return;
    }
    int32_t distance = (int32_t)label_offset(u, e->target, end) - (int32_t)behind;
    if (format == F_J)
        w[0] = jump_word(distance);
    else if (format == F_AJ)
        w[0] = instruction_ax((opcode_t)e->op, e->a, distance);
    else if (!e->is_long)
        w[0] = instruction_abc((opcode_t)e->op, e->a, e->b, (unsigned)distance);
    else {
        w[0] = instruction_abc((opcode_t)e->op, e->a, e->b, 1);
        w[1 + e->caches] = jump_word(1);
        w[2 + e->caches] = jump_word(distance - 2);
    }
}

/* Runs of instructions under the same handler. */
static exception_entry_t *exception_table(unit_t *u, uint32_t end, uint32_t *count)
{
    exception_entry_t *table = PyMem_New(exception_entry_t, (size_t)u->used + 1);
    *count = 0;
    if (table == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i < u->used;) {
        int handler = u->code[i].handler, j = i;
        while (j < u->used && u->code[j].handler == handler)
            j++;
        if (handler >= 0) {
            handler_t *h = &u->handlers[handler];
            /* a handler that was never placed guards nothing that can raise */
            if (u->labels[h->label] >= 0) {
                exception_entry_t *entry = &table[(*count)++];
                entry->start = u->code[i].offset;
                entry->end = j < u->used ? u->code[j].offset : end;
                entry->handler = label_offset(u, h->label, end);
                entry->depth = (uint16_t)h->depth;
                entry->flags = h->flags;
            }
        }
        i = j;
    }
    return table;
}

static PyObject *position_table(unit_t *u)
{
    positions_writer_t w;
    positions_writer_init(&w, u->firstlineno);
    for (int i = 0; i < u->used; i++) {
        if (positions_writer_add(&w, size_in_words(&u->code[i]), u->code[i].position) < 0) {
            positions_writer_clear(&w);
            return NULL;
        }
    }
    return positions_writer_finish(&w);
}

static int code_flags(compiler_t *c, unit_t *u)
{
    scope_t *scope = u->scope;
    int flags = c->flags & (CO_FUTURE_BARRY_AS_BDFL | CO_FUTURE_ANNOTATIONS | CO_FUTURE_DIVISION | CO_FUTURE_ABSOLUTE_IMPORT
                            | CO_FUTURE_WITH_STATEMENT | CO_FUTURE_PRINT_FUNCTION | CO_FUTURE_UNICODE_LITERALS
                            | CO_FUTURE_GENERATOR_STOP);
    if (scope->kind == SCOPE_FUNCTION) {
        flags |= CO_NEWLOCALS | CO_OPTIMIZED;
        if (scope->nested)
            flags |= CO_NESTED;
        if (scope->generator && !scope->coroutine)
            flags |= CO_GENERATOR;
        if (!scope->generator && scope->coroutine)
            flags |= CO_COROUTINE;
        if (scope->generator && scope->coroutine)
            flags |= CO_ASYNC_GENERATOR;
        if (scope->varargs)
            flags |= CO_VARARGS;
        if (scope->varkeywords)
            flags |= CO_VARKEYWORDS;
    }
    else if (scope->kind == SCOPE_MODULE && scope->coroutine)
        flags |= CO_COROUTINE;      /* PyCF_ALLOW_TOP_LEVEL_AWAIT */
    return flags;
}

/* ---- Lines of instructions that have none ---- */

static int falls_through(const emitted_t *e) { return e->target != NO_LABEL ? e->op != OP_JUMP : !(opcode_table[e->op].flags & OPCODE_END); }

static int has_line(const emitted_t *e) { return e->position.line >= 0; }

/* For each instruction: the one that runs before it, -1 if there is none, -2 if there are several. */
static int *predecessors(unit_t *u)
{
    int *before = PyMem_New(int, (size_t)u->used + 1);
    if (before == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i <= u->used; i++)
        before[i] = i > 0 && falls_through(&u->code[i - 1]) ? i - 1 : -1;
    for (int i = 0; i < u->used; i++)
        if (u->code[i].target != NO_LABEL) {
            int *p = &before[u->labels[u->code[i].target]];
            *p = *p == -1 ? i : -2;
        }
    for (int i = 0; i < u->handler_count; i++)
        if (u->labels[u->handlers[i].label] >= 0)
            before[u->labels[u->handlers[i].label]] = -2;
    return before;
}

static void inherit_lines(unit_t *u, const int *before)
{
    for (int i = 0; i < u->used; i++)
        if (!has_line(&u->code[i]) && before[i] >= 0)
            u->code[i].position = u->code[before[i]].position;
}

/* A jump to a return without a line becomes one with the line of the jump: itself, or through a copy behind the code. */
static int copy_return(compiler_t *c, int jump)
{
    unit_t *u = c->unit;
    emitted_t copy = u->code[u->labels[u->code[jump].target]];
    copy.position = u->code[jump].position;
    if (u->code[jump].op == OP_JUMP) {
        u->code[jump] = copy;
        return 1;
    }
    label_t label = label_new(c);
    if (!label_here(c, label))
        return 0;
    u->code[jump].target = label;
    u->position = copy.position;
    if (!emit_ax(c, (opcode_t)copy.op, copy.a, copy.x))
        return 0;
    u->code[u->used - 1].handler = copy.handler;
    return 1;
}

/* A jump to a jump that stands for no statement goes where that leads, if it is forward. */
static void thread_jumps(unit_t *u)
{
    for (int i = 0; i < u->used; i++)
        for (int hops = 0; u->code[i].target != NO_LABEL && hops < 16; hops++) {
            int at = u->labels[u->code[i].target];
            if (at >= u->used || u->code[at].op != OP_JUMP || has_line(&u->code[at]) || u->labels[u->code[at].target] <= i)
                break;
            u->code[i].target = u->code[at].target;
        }
}

/* So that a debugger, asked at a place that stands for no statement (the end of a function), shows the line that led there. */
static int complete_lines(compiler_t *c)
{
    unit_t *u = c->unit;
    thread_jumps(u);
    int *before = predecessors(u);
    if (before == NULL)
        return 0;
    inherit_lines(u, before);
    int ok = 1;
    for (int i = 0, n = u->used; i < n && ok; i++) {
        if (u->code[i].target == NO_LABEL || u->labels[u->code[i].target] >= n)
            continue;
        emitted_t *target = &u->code[u->labels[u->code[i].target]];
        if (target->op == OP_RETURN_CONST && !has_line(target))
            ok = copy_return(c, i);
    }
    for (int i = 1; i < u->used && ok; i++)
        if (u->code[i].op == OP_RETURN_CONST && !has_line(&u->code[i]) && falls_through(&u->code[i - 1]))
            u->code[i].position = u->code[i - 1].position;
    /* nothing but a documentation string */
    if (u->used > 0 && !has_line(&u->code[u->used - 1]) && u->code[u->used - 1].op == OP_RETURN_CONST
        && (u->used == 1 || !has_line(&u->code[u->used - 2])))
        u->code[u->used - 1].position = (position_t){u->firstlineno, u->firstlineno, -1, -1};
    PyMem_Free(before);
    return ok;
}

PyObject *unit_assemble(compiler_t *c)
{
    unit_t *u = c->unit;
    if (!complete_lines(c))
        return NULL;
    PyObject *code = NULL;
    exception_entry_t *exceptions = NULL;
    code_init_t init = {0};
    uint32_t end = relax(u);
    instruction_t *words = PyMem_Calloc((size_t)end + 1, sizeof(instruction_t));
    if (words == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i < u->used; i++)
        write_instruction(u, &u->code[i], words, end);
    exceptions = exception_table(u, end, &init.nexceptions);
    init.consts = PyList_AsTuple(u->const_list);
    init.names = PySequence_Tuple(u->names);
    init.varnames = PySequence_Tuple(u->varnames);
    init.cellvars = PySequence_Tuple(u->cellvars);
    init.freevars = PySequence_Tuple(u->freevars);
    init.linetable = position_table(u);
    if (exceptions != NULL && init.consts != NULL && init.names != NULL && init.varnames != NULL && init.cellvars != NULL
        && init.freevars != NULL && init.linetable != NULL) {
        init.filename = c->filename;
        init.name = u->name;
        init.qualname = u->qualname;
        init.flags = code_flags(c, u);
        init.argcount = u->argcount;
        init.posonlyargcount = u->posonlyargcount;
        init.kwonlyargcount = u->kwonlyargcount;
        init.firstlineno = u->firstlineno;
        init.nslots = u->temp_base + u->max_depth + 1;
        init.instructions = words;
        init.ninstructions = end;
        init.exceptions = exceptions;
        if (init.nslots > 0xfff0)
            compile_error(c, "the function is too large: too many values at once");
        else
            code = (PyObject *)code_new(&init);
    }
    Py_XDECREF(init.consts);
    Py_XDECREF(init.names);
    Py_XDECREF(init.varnames);
    Py_XDECREF(init.cellvars);
    Py_XDECREF(init.freevars);
    Py_XDECREF(init.linetable);
    PyMem_Free(exceptions);
    PyMem_Free(words);
    return code;
}
