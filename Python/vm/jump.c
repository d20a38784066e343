/* Setting f_lineno: a debugger moves the place where a frame goes on (trap 34).
 *
 * A frame may go on only at the start of a line where the temporaries that are expected to be live are: the iterators of the
 * for loops around, exit functions of with statements, exceptions being handled.  What is live where is found by abstract
 * interpretation of the code, once for each jump: for every instruction the *kind* of each temporary.  What is live here and not there is
 * released; what is wanted there and not here forbids the jump. */
#include "Python.h"

#include "positions.h"
#include "trace.h"
#include "vm_slow.h"

typedef enum { DEAD, OBJECT, ITERATOR, EXCEPTION, SAVED_EXCEPTION } temporary_kind_t;

/* What is known of a temporary: its kind, and of an exception the handler that caught it (its first word). What an except
 * clause handles is not what a finally block waits to raise again. */
typedef uint32_t known_t;
enum { KIND_BITS = 3 };

static temporary_kind_t kind_of(known_t known) { return (temporary_kind_t)(known & ((1u << KIND_BITS) - 1)); }
static known_t caught_by(uint32_t handler) { return handler << KIND_BITS | EXCEPTION; }

typedef struct {
    PyCodeObject *code;
    unsigned base, count;       /* of the temporaries among the slots */
    known_t *kinds;             /* co_ninstructions rows of `count` before the instruction */
    uint8_t *reached;           /* 1: seen, 2: to be looked at (again) */
    known_t *row;               /* the state that is being changed */
    int changed;
} analysis_t;

/* ---- What an instruction does to the temporaries ---- */

static void set_kind(analysis_t *a, unsigned slot, known_t kind)
{
    if (slot >= a->base && slot < a->base + a->count)
        a->row[slot - a->base] = kind;
}

static void set_range(analysis_t *a, unsigned slot, unsigned n, known_t kind)
{
    for (unsigned i = 0; i < n && i < a->count; i++)
        set_kind(a, slot + i, kind);
}

/* The operands that the table says are taken: written with a "!" in the effect. */
static void take_operands(analysis_t *a, const opcode_info_t *info, instruction_t word)
{
    const char *effect = info->effect;
    unsigned b = instruction_b(word), c = instruction_c(word);
    if (strstr(effect, "rA!") != NULL)
        set_kind(a, instruction_a(word), DEAD);
    if (info->format != F_ABC && info->format != F_ABJ)
        return;
    if (strstr(effect, "rB!") != NULL)
        set_kind(a, b, DEAD);
    if (strstr(effect, "rC!") != NULL)
        set_kind(a, c, DEAD);
    if (strstr(effect, "rB+1!") != NULL)
        set_kind(a, b + 1, DEAD);
    if (strstr(effect, "rB+2!") != NULL)
        set_kind(a, b + 2, DEAD);
    if (strstr(effect, "r[B..C]!") != NULL)
        set_range(a, b, c, DEAD);
    if (strstr(effect, "r[B..2C]!") != NULL)
        set_range(a, b, 2 * c, DEAD);
}

/* Instructions whose effect is not told by the rule alone; after it. */
static void special_effects(analysis_t *a, instruction_t word)
{
    unsigned ra = instruction_a(word), rb = instruction_b(word), c = instruction_c(word);
    switch (instruction_op(word)) {
    case OP_CALL:
    case OP_CALL_KW: set_range(a, rb, c + 1, DEAD); break;
    case OP_CALL_METHOD:
    case OP_CALL_METHOD_KW: set_range(a, rb, c + 2, DEAD); break;
    case OP_FORMAT_VALUE: set_kind(a, rb + 1, DEAD); break;
    case OP_MAKE_FUNCTION: set_range(a, rb, 1 + (unsigned)__builtin_popcount(c & 15), DEAD); break;
    case OP_TAKE: set_kind(a, rb, DEAD); break;
    case OP_DROP:
    case OP_JTRUE_KEEP:
    case OP_JFALSE_KEEP: set_kind(a, ra, DEAD); break;
    case OP_LEAVE_HANDLER: set_range(a, ra, 2, DEAD); break;
    default: break;
    }
}

static void results(analysis_t *a, const opcode_info_t *info, instruction_t word)
{
    unsigned ra = instruction_a(word), rb = instruction_b(word), c = instruction_c(word);
    if (info->flags & OPCODE_DST)
        set_kind(a, ra, OBJECT);
    switch (instruction_op(word)) {
    case OP_LOAD_METHOD:
    case OP_WITH_ENTER:
    case OP_ASYNC_WITH_ENTER: set_range(a, ra, 2, OBJECT); break;
    case OP_UNPACK_SEQUENCE: set_range(a, ra, c, OBJECT); break;
    case OP_UNPACK_EX: set_range(a, ra, (c & 0xff) + (c >> 8) + 1, OBJECT); break;
    case OP_GET_ITER:
    case OP_GET_AITER: set_kind(a, ra, ITERATOR); break;
    case OP_FOR_ITER:
    case OP_SEND:
    case OP_EXC_GROUP_MATCH: set_kind(a, rb, OBJECT); break;
    case OP_ENTER_HANDLER:      /* rA has the exception already */
        set_kind(a, ra + 1, SAVED_EXCEPTION);
        break;
    default: break;
    }
}

/* What differs where the jump is taken. */
static void effects_of_jump(analysis_t *a, instruction_t word)
{
    switch (instruction_op(word)) {
    case OP_FOR_ITER:
        set_kind(a, instruction_b(word), DEAD);
        set_kind(a, instruction_a(word), DEAD);
        break;
    case OP_SEND: set_kind(a, instruction_a(word), DEAD); break;
    case OP_JTRUE_KEEP:
    case OP_JFALSE_KEEP: set_kind(a, instruction_a(word), OBJECT); break;
    case OP_END_ASYNC_FOR: set_range(a, instruction_a(word), 2, DEAD); break;
    default: break;
    }
}

/* ---- The analysis ---- */

/* The state in a->row reaches word `at`. */
static void reach(analysis_t *a, int64_t at)
{
    if (at < 0 || at >= (int64_t)a->code->co_ninstructions)
        return;
    known_t *known = a->kinds + (size_t)at * a->count;
    int news = !a->reached[at];
    for (unsigned i = 0; i < a->count; i++) {
        known_t merged = news || known[i] == a->row[i] ? a->row[i] : known[i] == DEAD || a->row[i] == DEAD ? DEAD : OBJECT;
        if (merged != known[i]) {
            known[i] = merged;
            news = 1;
        }
    }
    if (news) {
        a->reached[at] = 2;
        a->changed = 1;
    }
}

static int has_jump(opcode_format_t format) { return format == F_J || format == F_AJ || format == F_ABJ; }

/* Carries the state before word `at` to what may run after it. */
static void step(analysis_t *a, uint32_t at)
{
    PyCodeObject *code = a->code;
    const known_t *before = a->kinds + (size_t)at * a->count;
    instruction_t word = code->co_instructions[at];
    const opcode_info_t *info = &opcode_table[instruction_op(word)];
    int64_t behind = (int64_t)at + 1 + info->caches;
    const exception_entry_t *handler = code_find_handler(code, at);
    if (handler != NULL) {
        memset(a->row, DEAD, a->count * sizeof a->row[0]);
        memcpy(a->row, before, (handler->depth < a->count ? handler->depth : a->count) * sizeof a->row[0]);
        set_kind(a, a->base + handler->depth, caught_by(handler->handler));
        reach(a, handler->handler);
    }
    memcpy(a->row, before, a->count * sizeof a->row[0]);
    take_operands(a, info, word);
    special_effects(a, word);
    results(a, info, word);
    if (!(info->flags & OPCODE_END))
        reach(a, behind);
    if (has_jump(info->format)) {
        effects_of_jump(a, word);
        reach(a, behind + (info->format == F_ABJ ? (int16_t)instruction_c(word) : instruction_x(word)));
    }
}

static void analysis_clear(analysis_t *a)
{
    PyMem_Free(a->kinds);
    PyMem_Free(a->reached);
    PyMem_Free(a->row);
}

/* 0, or -1 with MemoryError. */
static int analyse(analysis_t *a, PyCodeObject *code)
{
    size_t n = code->co_ninstructions;
    a->code = code;
    a->base = (unsigned)code->co_temp_base;
    a->count = (unsigned)(code->co_nslots - code->co_temp_base);
    a->kinds = PyMem_Calloc(n + 1, (a->count + 1) * sizeof a->kinds[0]);
    a->reached = PyMem_Calloc(n + 1, 1);
    a->row = PyMem_Calloc(a->count + 1, sizeof a->row[0]);
    if (a->kinds == NULL || a->reached == NULL || a->row == NULL) {
        analysis_clear(a);
        PyErr_NoMemory();
        return -1;
    }
    reach(a, 0);
    while (a->changed) {
        a->changed = 0;
        for (uint32_t at = 0; at < n; at++)
            if (a->reached[at] == 2) {
                a->reached[at] = 1;
                step(a, at);
            }
    }
    return 0;
}

/* ---- Choosing the place ---- */

/* May a frame in state `from` go on where `to` is expected? */
static int compatible(const analysis_t *a, const known_t *from, const known_t *to)
{
    for (unsigned i = 0; i < a->count; i++)
        if (to[i] != DEAD && (from[i] == DEAD || (to[i] != OBJECT && from[i] != to[i])))
            return 0;
    return 1;
}

static unsigned live_count(const analysis_t *a, const known_t *row)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->count; i++)
        n += row[i] != DEAD;
    return n;
}

/* Why a state cannot be entered from elsewhere. */
static const char *obstacle(const analysis_t *a, const known_t *to)
{
    for (unsigned i = a->count; i-- > 0;)
        switch (kind_of(to[i])) {
        case DEAD: break;
        case EXCEPTION:
        case SAVED_EXCEPTION: return "can't jump into an 'except' block as there's no exception";
        case ITERATOR: return "can't jump into the body of a for loop";
        default: return "incompatible stacks";
        }
    return "incompatible stacks";
}

/* The first line that has code which can be reached, not before `line`; -1 if there is none. */
static int next_line(const analysis_t *a, const int *lines, int line)
{
    int best = -1;
    for (uint32_t i = 0; i < a->code->co_ninstructions; i++)
        if (a->reached[i] && lines[i] >= line && (best < 0 || lines[i] < best))
            best = lines[i];
    return best;
}

/* The word to go on at; -1 with ValueError. */
static int64_t choose(const analysis_t *a, const int *lines, uint32_t now, int line)
{
    const known_t *from = a->kinds + (size_t)now * a->count;
    const char *why = "can't jump to unreachable code";
    int64_t best = -1;
    int before = -2;
    for (uint32_t at = 0; at < a->code->co_ninstructions; at += 1u + opcode_table[instruction_op(a->code->co_instructions[at])].caches) {
        int starts = lines[at] == line && before != line;
        before = lines[at];
        if (!starts || !a->reached[at])
            continue;
        const known_t *to = a->kinds + (size_t)at * a->count;
        if (!compatible(a, from, to))
            why = obstacle(a, to);
        else if (best < 0 || live_count(a, to) > live_count(a, a->kinds + (size_t)best * a->count))
            best = at;
    }
    if (best < 0)
        PyErr_SetString(PyExc_ValueError, why);
    return best;
}

/* ---- Moving ---- */

/* Locals that are not bound might be read unchecked by a person's eyes only; still they become None, with a warning. */
static int bind_locals(frame_t *f)
{
    PyCodeObject *code = f->code;
    int unbound = 0;
    for (int i = 0; i < code->co_nlocals; i++)
        unbound += f->slots[i] == NULL && !PySequence_Contains(code->co_cellvars, PyTuple_GET_ITEM(code->co_varnames, i));
    if (unbound == 0)
        return 0;
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, "assigning None to %d unbound local%s", unbound, unbound == 1 ? "" : "s") < 0)
        return -1;
    for (int i = 0; i < code->co_nlocals; i++)
        if (f->slots[i] == NULL && !PySequence_Contains(code->co_cellvars, PyTuple_GET_ITEM(code->co_varnames, i)))
            f->slots[i] = Py_None;      /* immortal */
    return 0;
}

/* Releases what is live now and not there, from the top down. */
static void release(const analysis_t *a, frame_t *f, PyThreadState *ts, const known_t *from, const known_t *to)
{
    for (unsigned i = a->count; i-- > 0;) {
        if (from[i] == DEAD || to[i] != DEAD)
            continue;
        PyObject *op = f->slots[a->base + i];
        f->slots[a->base + i] = NULL;
        if (from[i] == SAVED_EXCEPTION) {
            /* the exception handled before is the one handled again */
            PyObject *handled = ts->exc_info->exc_value, *saved = op != NULL ? slot_to_owned(op) : Py_None;
            ts->exc_info->exc_value = saved == Py_None ? NULL : saved;
            Py_XDECREF(handled);
        }
        else
            slot_xdecref(op);
    }
}

static int check_event(PyThreadState *ts, PyFrameObject *object)
{
    const char *why = NULL;
    if (ts->tracing == 0 || ts->tracing_what == PyTrace_CALL)
        why = "can't jump from the 'call' trace event of a new frame";
    else if (ts->tracing_what != PyTrace_LINE)
        why = "can only jump from a 'line' trace event";
    else if (__atomic_load_n(&object->f_trace, __ATOMIC_RELAXED) == NULL)
        why = "f_lineno can only be set by a trace function";
    else if (__atomic_load_n(&object->f_frame, __ATOMIC_ACQUIRE) != trace_event_frame())
        why = "can only jump from a 'line' trace event";    /* a caller in the middle of its call, a frame of another thread, a generator */
    if (why != NULL)
        PyErr_SetString(PyExc_ValueError, why);
    return why != NULL ? -1 : 0;
}

int trace_jump(PyFrameObject *object, PyObject *value)
{
    PyThreadState *ts = thread_current();
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_ValueError, "lineno must be an integer");
        return -1;
    }
    if (check_event(ts, object) < 0)
        return -1;
    frame_t *f = object->f_frame;
    PyCodeObject *code = f->code;
    int overflow, status = -1;
    long wanted = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow != 0 || wanted > INT_MAX || wanted < INT_MIN) {
        PyErr_SetString(PyExc_ValueError, "lineno out of range");
        return -1;
    }
    if (wanted < code->co_firstlineno) {
        PyErr_Format(PyExc_ValueError, "line %ld comes before the current code block", wanted);
        return -1;
    }
    const int *lines = trace_lines_of(code);
    if (lines == NULL)
        return -1;
    analysis_t a = {0};
    if (analyse(&a, code) < 0)
        return -1;
    uint32_t now = frame_word(f);
    int64_t target = -1;
    int line = next_line(&a, lines, (int)wanted);
    if (line < 0)
        PyErr_Format(PyExc_ValueError, "line %ld comes after the current code block", wanted);
    else
        target = choose(&a, lines, now, line);
    if (target >= 0 && bind_locals(f) == 0) {
        release(&a, f, ts, a.kinds + (size_t)now * a.count, a.kinds + (size_t)target * a.count);
        f->pc = code->co_instructions + target + 1;     /* trace_before goes on at the instruction before it */
        status = 0;
    }
    analysis_clear(&a);
    return status;
}
