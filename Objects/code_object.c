/* Code objects: making, checking, comparing. (Their Python attributes: code_attributes.c.) */
#include "Python.h"

#include "code_object.h"
#include "code_internal.h"
#include "memory.h"
#include "vm_cache.h"

/* ---- Checking: code may come from a damaged cache or from code.replace() ---- */

static int bad(const char *what)
{
    PyErr_Format(PyExc_ValueError, "code: %s", what);
    return -1;
}

static int check_names(PyObject *tuple, const char *what)
{
    if (!PyTuple_Check(tuple))
        return bad(what);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (!PyUnicode_Check(PyTuple_GET_ITEM(tuple, i))) {
            PyErr_Format(PyExc_TypeError, "name tuples must contain only strings, not '%.500s'",
                         Py_TYPE(PyTuple_GET_ITEM(tuple, i))->tp_name);
            return -1;
        }
    return 0;
}

/* What the operands of an opcode are, read off the effects in opcodes.def once. */
enum { X_CONST = 1, X_NAME = 2, B_SLOT = 4, C_SLOT = 8, B_NAME = 16, C_NAME = 32, B_CONST = 64, C_CONST = 128 };
static uint8_t operand_kinds[OPCODE_COUNT];        /* [const] filled at start-up */

void code_init(void)
{
    for (int op = 0; op < OPCODE_COUNT; op++) {
        const char *e = opcode_table[op].effect;
        int format = opcode_table[op].format;
        unsigned kinds = 0;
        if (strstr(e, "K[X]") != NULL)
            kinds |= X_CONST;
        if (strstr(e, "N[X]") != NULL)
            kinds |= X_NAME;
        if (strstr(e, "rB") != NULL || strstr(e, "r[B") != NULL || strstr(e, "slot B") != NULL)
            kinds |= B_SLOT;
        if (format == F_ABC && strstr(e, "rC") != NULL)
            kinds |= C_SLOT;
        if (strstr(e, "N[B]") != NULL)
            kinds |= B_NAME;
        if (strstr(e, "N[C]") != NULL)
            kinds |= C_NAME;
        if (strstr(e, "K[B]") != NULL)
            kinds |= B_CONST;
        if (strstr(e, "K[C]") != NULL)
            kinds |= C_CONST;
        operand_kinds[op] = (uint8_t)kinds;
    }
}

/* What the slots of an instruction may be: every operand that names a slot is inside the window. `starts`: where instructions begin. */
static int check_instruction(const code_init_t *init, uint32_t at, const uint8_t *starts)
{
    instruction_t word = init->instructions[at];
    unsigned op = instruction_op(word), a = instruction_a(word), b = instruction_b(word), c = instruction_c(word);
    const opcode_info_t *info = &opcode_table[op];
    unsigned nslots = (unsigned)init->nslots;
    unsigned nconsts = (unsigned)PyTuple_GET_SIZE(init->consts), nnames = (unsigned)PyTuple_GET_SIZE(init->names);
    int64_t behind = (int64_t)at + 1 + info->caches, target = behind;
    unsigned kinds = operand_kinds[op];
    if (info->format != F_J && a >= nslots)
        return bad("slot out of range");
    switch (info->format) {
    case F_J:
    case F_AJ: target += instruction_x(word); break;
    case F_ABJ:
        target += (int16_t)c;
        break;
    default: break;
    }
    if (target < 0 || target > (int64_t)init->ninstructions || (target != behind && (target == (int64_t)init->ninstructions || !starts[target])))
        return bad("jump out of range");
    if (info->format == F_AX) {
        unsigned x = (unsigned)instruction_x(word);
        if (((kinds & X_CONST) && x >= nconsts) || ((kinds & X_NAME) && x >= nnames))
            return bad("index out of range");
        if (op == OP_COPY_FREE_VARS && a + x > nslots)
            return bad("slot out of range");
        return 0;
    }
    if (info->format == F_ABC || info->format == F_ABJ) {
        if (((kinds & C_NAME) && c >= nnames) || ((kinds & B_NAME) && b >= nnames) || ((kinds & C_CONST) && c >= nconsts)
            || ((kinds & B_CONST) && b >= nconsts))
            return bad("index out of range");
        if (((kinds & B_SLOT) && b >= nslots && !(op == OP_MAKE_CELL && b == SLOT_NONE)) || ((kinds & C_SLOT) && c >= nslots))
            return bad("slot out of range");
    }
    switch (op) {
    case OP_CALL:
    case OP_CALL_METHOD:
    case OP_CALL_KW:
    case OP_CALL_METHOD_KW:
        if (b + c + 2 > nslots)
            return bad("slot out of range");
        if ((op == OP_CALL_KW || op == OP_CALL_METHOD_KW)
            && (init->instructions[at + 1] >= nconsts
                || !PyTuple_CheckExact(PyTuple_GET_ITEM(init->consts, (Py_ssize_t)init->instructions[at + 1]))))
            return bad("keyword names");
        break;
    case OP_BUILD_TUPLE:
    case OP_BUILD_LIST:
    case OP_BUILD_SET:
    case OP_BUILD_STRING:
    case OP_BUILD_SLICE: if (b + c > nslots) return bad("slot out of range"); break;
    case OP_BUILD_MAP: if (b + 2 * c > nslots) return bad("slot out of range"); break;
    case OP_UNPACK_SEQUENCE: if (a + c > nslots) return bad("slot out of range"); break;
    case OP_UNPACK_EX: if (a + (c & 0xff) + (c >> 8) + 1 > nslots) return bad("slot out of range"); break;
    case OP_UNPACK_EX_WIDE:
        if (init->instructions[at + 1] > nslots || a + c + 1 + init->instructions[at + 1] > nslots)
            return bad("slot out of range");
        break;
    case OP_LOAD_METHOD:
    case OP_ENTER_HANDLER:
    case OP_LEAVE_HANDLER:
    case OP_WITH_ENTER:
    case OP_ASYNC_WITH_ENTER: if (a + 2 > nslots) return bad("slot out of range"); break;
    case OP_RERAISE: if (b != 0 && a + 3 > nslots) return bad("slot out of range"); break;
    case OP_CALL_EX: if (b + 3 > nslots) return bad("slot out of range"); break;
    case OP_MAKE_FUNCTION: if (b + 1 + (unsigned)__builtin_popcount(c & 15) > nslots) return bad("slot out of range"); break;
    case OP_IMPORT_NAME:
    case OP_COMPARE_PEEK: if (b + 2 > nslots) return bad("slot out of range"); break;
    case OP_MATCH_CLASS:
        if ((uint32_t)init->instructions[at + 1] >= nconsts
            || !PyTuple_CheckExact(PyTuple_GET_ITEM(init->consts, (uint32_t)init->instructions[at + 1])))
            return bad("keyword names");
        break;
    default: break;
    }
    return 0;
}

static int check_instructions(const code_init_t *init)
{
    uint32_t n = init->ninstructions, at;
    int status = 0;
    if (n == 0)
        return 0;               /* a husk: a name and a position only */
    uint8_t *starts = PyMem_Calloc(n + 1, 1);
    if (starts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    unsigned last = 0;
    for (at = 0; at < n; at += 1u + opcode_table[last].caches) {
        last = instruction_op(init->instructions[at]);
        if (last >= OPCODE_COUNT || at + opcode_table[last].caches >= n) {
            status = bad("unknown instruction");
            goto done;
        }
        starts[at] = 1;
    }
    if (!(opcode_table[last].flags & OPCODE_END)) {
        status = bad("control runs off the end");
        goto done;
    }
    for (at = 0; at < n && status == 0; at += 1u + opcode_table[instruction_op(init->instructions[at])].caches)
        status = check_instruction(init, at, starts);
    int base = (int)(PyTuple_GET_SIZE(init->varnames) + PyTuple_GET_SIZE(init->cellvars) + PyTuple_GET_SIZE(init->freevars));
    for (uint32_t i = 0; i < init->nexceptions && status == 0; i++) {
        const exception_entry_t *e = &init->exceptions[i];
        if (e->start > e->end || e->end > n || e->handler >= n || !starts[e->handler] || base + e->depth >= init->nslots
            || ((e->flags & EXCEPTION_KEEPS_POSITION) && base + e->depth + 2 >= init->nslots)
            || (i > 0 && e->start < init->exceptions[i - 1].end))
            status = bad("exception table");
    }
done:
    PyMem_Free(starts);
    return status;
}

static int check_init(const code_init_t *init)
{
    if (check_names(init->names, "names") < 0 || check_names(init->varnames, "varnames") < 0
        || check_names(init->cellvars, "cellvars") < 0 || check_names(init->freevars, "freevars") < 0)
        return -1;
    if (!PyTuple_Check(init->consts) || !PyUnicode_Check(init->filename) || !PyUnicode_Check(init->name)
        || !PyUnicode_Check(init->qualname) || !PyBytes_Check(init->linetable)) {
        PyErr_BadInternalCall();
        return -1;
    }
    int64_t parameters = (int64_t)init->argcount + init->kwonlyargcount + ((init->flags & CO_VARARGS) != 0)
                         + ((init->flags & CO_VARKEYWORDS) != 0);
    if (init->argcount < 0 || init->posonlyargcount < 0 || init->kwonlyargcount < 0 || init->posonlyargcount > init->argcount)
        return bad("argument counts");
    if (parameters > PyTuple_GET_SIZE(init->varnames))
        return bad("varnames is too small");
    int64_t base = PyTuple_GET_SIZE(init->varnames) + PyTuple_GET_SIZE(init->cellvars) + PyTuple_GET_SIZE(init->freevars);
    if (init->nslots < base || init->nslots > 0xffff)
        return bad("window size");
    return check_instructions(init);
}

/* ---- Making ---- */

/* All names interned, so that they compare by identity. The tuple itself if they are, else a new one. */
static PyObject *interned_names(PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple), known = 0;
    while (known < n && unicode_is_interned(PyTuple_GET_ITEM(tuple, known)))
        known++;
    if (known == n && PyTuple_CheckExact(tuple))
        return Py_NewRef(tuple);
    PyObject *result = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && result != NULL; i++) {
        PyObject *name = Py_NewRef(PyTuple_GET_ITEM(tuple, i));
        if (PyUnicode_CheckExact(name))
            PyUnicode_InternInPlace(&name);
        PyTuple_SET_ITEM(result, i, name);
    }
    return result;
}

static int looks_like_name(PyObject *op)
{
    if (!PyUnicode_CheckExact(op) || !PyUnicode_IS_ASCII(op))
        return 0;
    const char *s = PyUnicode_DATA(op);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(op); i++)
        if (!Py_ISALNUM(s[i]) && s[i] != '_')
            return 0;
    return 1;
}

/* Is there no constant, also inside tuples, that is to be interned? */
static int constants_are_interned(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *op = PyTuple_GET_ITEM(tuple, i);
        if (PyTuple_CheckExact(op) ? !constants_are_interned(op)
                                   : PyUnicode_CheckExact(op) && !unicode_is_interned(op) && looks_like_name(op))
            return 0;
    }
    return 1;
}

/* Constants that look like names are interned, also inside tuples: they serve as attribute names and keys. The tuple itself if they
 * are, else a new one; all published. */
static PyObject *interned_constants(PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    if (PyTuple_CheckExact(tuple) && constants_are_interned(tuple)) {
        for (Py_ssize_t i = 0; i < n; i++)
            object_publish(PyTuple_GET_ITEM(tuple, i));
        return Py_NewRef(tuple);
    }
    PyObject *result = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && result != NULL; i++) {
        PyObject *op = Py_NewRef(PyTuple_GET_ITEM(tuple, i));
        if (looks_like_name(op))
            PyUnicode_InternInPlace(&op);
        else if (PyTuple_CheckExact(op) && PyTuple_GET_SIZE(op) > 0) {
            PyObject *inner = interned_constants(op);
            if (inner == NULL)
                Py_CLEAR(result);
            else
                Py_SETREF(op, inner);
        }
        if (result == NULL)
            Py_DECREF(op);
        else {
            object_publish(op);
            PyTuple_SET_ITEM(result, i, op);
        }
    }
    return result;
}

/* Instructions as the compiler makes them: run-time caches are left out, operand words behind an instruction are kept. */
static void copy_clean(instruction_t *to, const instruction_t *from, uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        instruction_t word = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        unsigned op = opcode_base(instruction_op(word)), caches = opcode_table[op].caches;
        word = (word & ~(instruction_t)0xffff) | op;
        memcpy(&to[i], &word, sizeof(word));
        int is_operand = op == OP_CALL_KW || op == OP_CALL_METHOD_KW || op == OP_MATCH_CLASS || op == OP_UNPACK_EX_WIDE;
        for (unsigned k = 1; k <= caches; k++) {
            instruction_t cache = is_operand ? from[i + k] : 0;
            memcpy(&to[i + k], &cache, sizeof(cache));
        }
        i += 1 + caches;
    }
}

/* The run-time form of an instruction: opcodes.def. */
static unsigned run_time_form(PyCodeObject *code, instruction_t word)
{
    unsigned op = instruction_op(word);
    if (instruction_a(word) < (unsigned)code->co_temp_base)
        return op;
    switch (op) {
    case OP_MOVE: return OP_MOVE_T;
    case OP_LOAD_INT: return OP_LOAD_INT_T;
    case OP_LOAD_GLOBAL: return OP_LOAD_GLOBAL_T;
    case OP_LOAD_DEREF: return OP_LOAD_DEREF_T;
    case OP_LOAD_ATTR: return instruction_b(word) < (unsigned)code->co_temp_base ? OP_LOAD_ATTR_T : op;
    case OP_LOAD_CONST:
        return object_is_immortal(code->co_consts_items[instruction_x(word)]) ? OP_LOAD_CONST_UNCOUNTED : OP_LOAD_CONST_T;
    default: return op;
    }
}

static void choose_forms(PyCodeObject *code)
{
    for (uint32_t i = 0; i < code->co_ninstructions;) {
        instruction_t *word = &code->co_instructions[i];
        *word = (*word & ~(instruction_t)0xffff) | run_time_form(code, *word);
        i += 1u + opcode_table[instruction_op(*word)].caches;
    }
}

static int copy_tables(PyCodeObject *code, const code_init_t *init)
{
    code->co_instructions = PyMem_Malloc(((size_t)init->ninstructions + 1) * sizeof(instruction_t));
    code->co_exceptions = PyMem_Malloc(((size_t)init->nexceptions + 1) * sizeof(exception_entry_t));
    code->co_cell_is_param = PyMem_Calloc((size_t)code->co_ncellvars + 1, 1);
    if (code->co_instructions == NULL || code->co_exceptions == NULL || code->co_cell_is_param == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (init->trusted)
        memcpy(code->co_instructions, init->instructions, init->ninstructions * sizeof(instruction_t));
    else
        copy_clean(code->co_instructions, init->instructions, init->ninstructions);     /* a damaged file may have what looks like caches */
    if (init->nexceptions > 0)
        memcpy(code->co_exceptions, init->exceptions, init->nexceptions * sizeof(exception_entry_t));
    code->co_ninstructions = init->ninstructions;
    code->co_nexceptions = init->nexceptions;
    for (int i = 0; i < code->co_ncellvars; i++)
        for (int k = 0; k < code->co_nlocals; k++)
            if (PyTuple_GET_ITEM(code->co_cellvars, i) == PyTuple_GET_ITEM(code->co_varnames, k))
                code->co_cell_is_param[i] = 1;
    return 0;
}

PyCodeObject *code_new(const code_init_t *init)
{
    static uint64_t next_version = 1;
    if (!init->trusted && check_init(init) < 0)
        return NULL;
    PyCodeObject *code = PyObject_GC_New(PyCodeObject, &PyCode_Type);
    if (code == NULL)
        return NULL;
    memset((char *)code + sizeof(PyObject), 0, sizeof(*code) - sizeof(PyObject));
    code->co_argcount = init->argcount;
    code->co_posonlyargcount = init->posonlyargcount;
    code->co_kwonlyargcount = init->kwonlyargcount;
    code->co_flags = init->flags;
    code->co_firstlineno = init->firstlineno;
    code->co_nlocals = (int)PyTuple_GET_SIZE(init->varnames);
    code->co_ncellvars = (int)PyTuple_GET_SIZE(init->cellvars);
    code->co_nfreevars = (int)PyTuple_GET_SIZE(init->freevars);
    code->co_temp_base = code->co_nlocals + code->co_ncellvars + code->co_nfreevars;
    code->co_nslots = init->nslots;
    code->co_fast_argcount = init->kwonlyargcount == 0 && !(init->flags & (CO_VARARGS | CO_VARKEYWORDS)) && init->ninstructions > 0
                                 ? init->argcount
                                 : -1;
    code->co_filename = Py_NewRef(init->filename);
    code->co_name = Py_NewRef(init->name);
    code->co_qualname = Py_NewRef(init->qualname);
    PyUnicode_InternInPlace(&code->co_name);
    PyUnicode_InternInPlace(&code->co_qualname);
    code->co_linetable = Py_NewRef(init->linetable);
    code->co_consts = interned_constants(init->consts);
    code->co_names = interned_names(init->names);
    code->co_varnames = interned_names(init->varnames);
    code->co_cellvars = interned_names(init->cellvars);
    code->co_freevars = interned_names(init->freevars);
    code->co_version = __atomic_fetch_add(&next_version, 1, __ATOMIC_RELAXED);
    if (code->co_consts == NULL || code->co_names == NULL || code->co_varnames == NULL || code->co_cellvars == NULL
        || code->co_freevars == NULL || copy_tables(code, init) < 0) {
        PyObject_GC_Track(code);
        Py_DECREF((PyObject *)code);
        return NULL;
    }
    code->co_consts_items = &PyTuple_GET_ITEM(code->co_consts, 0);
    code->co_names_items = &PyTuple_GET_ITEM(code->co_names, 0);
    choose_forms(code);
    object_set_deferred((PyObject *)code);
    PyObject_GC_Track(code);
    return code;
}

PyObject *code_get_clean_instructions(PyCodeObject *code)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(code->co_ninstructions * sizeof(instruction_t)));
    if (bytes != NULL)
        copy_clean((instruction_t *)(void *)PyBytes_AS_STRING(bytes), code->co_instructions, code->co_ninstructions);
    return bytes;
}

void code_dealloc(PyObject *op)
{
    PyCodeObject *code = (PyCodeObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(code->co_weakreflist))
        PyObject_ClearWeakRefs(op);
    if (code->co_instructions != NULL)
        cache_clear_code(code);
    PyMem_Free(code->co_instructions);
    PyMem_Free(code->co_exceptions);
    PyMem_Free(code->co_cell_is_param);
    PyMem_Free(code->co_traced_lines);
    PyObject **fields[] = {&code->co_consts, &code->co_names, &code->co_varnames, &code->co_cellvars, &code->co_freevars,
                           &code->co_filename, &code->co_name, &code->co_qualname, &code->co_linetable,
                           &code->co_filenames_before};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(fields); i++)
        Py_CLEAR(*fields[i]);
    PyObject_GC_Del(op);
}

int code_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyCodeObject *)op)->co_consts);
    return 0;
}

PyCodeObject *PyCode_NewEmpty(const char *filename, const char *funcname, int firstlineno)
{
    code_init_t init = {.firstlineno = firstlineno, .nslots = 1, .flags = CO_OPTIMIZED | CO_NEWLOCALS};
    PyObject *file = PyUnicode_DecodeFSDefault(filename), *name = PyUnicode_FromString(funcname), *empty = PyTuple_New(0),
             *table = PyBytes_FromStringAndSize(NULL, 0);
    PyCodeObject *code = NULL;
    if (file != NULL && name != NULL && empty != NULL && table != NULL) {
        init.filename = file;
        init.name = init.qualname = name;
        init.consts = init.names = init.varnames = init.cellvars = init.freevars = empty;
        init.linetable = table;
        code = code_new(&init);
    }
    Py_XDECREF(file);
    Py_XDECREF(name);
    Py_XDECREF(empty);
    Py_XDECREF(table);
    return code;
}
