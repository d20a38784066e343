/* What the files of the compiler share: one unit per code object under construction.
 *
 * Registers.  A unit's window is [locals | cells | temporaries]; temporaries are a stack: unit->depth of them are in use, `temp(c)` takes
 * the next one, and whoever takes some gives them back by setting the depth.  Expressions are compiled *to* a slot (compile_to), or as an
 * *operand*: a local name is used where it stands, anything else goes to a new temporary.
 *
 * All int functions return 1, or 0 with an exception set. */
#ifndef BRAID_COMPILER_INTERNAL_H
#define BRAID_COMPILER_INTERNAL_H

#include "code_object.h"
#include "positions.h"
#include "symtable.h"

typedef int label_t;
#define NO_LABEL (-1)

typedef struct {
    uint16_t op;
    uint8_t caches;
    unsigned a, b, c;
    int32_t x;
    label_t target;         /* of jumps */
    int handler;            /* index into unit->handlers, or -1 */
    uint64_t cache;         /* content of the first cache word */
    position_t position;
    uint32_t offset;        /* assembler: first word */
    uint8_t is_long;        /* assembler: the jump takes the long form */
} emitted_t;

typedef struct {
    label_t label;
    int depth;              /* temporaries that stay */
    uint16_t flags;         /* as in exception_entry_t */
} handler_t;

/* What break, continue and return have to leave. */
typedef enum {
    BLOCK_WHILE, BLOCK_FOR, BLOCK_ASYNC_FOR, BLOCK_TRY, BLOCK_FINALLY, BLOCK_FINALLY_END, BLOCK_WITH, BLOCK_ASYNC_WITH, BLOCK_HANDLER,
    BLOCK_STAR,
} block_kind_t;

typedef struct block {
    block_kind_t kind;
    struct block *outer;
    label_t continue_label, break_label;
    int slot;               /* iterator, exit function, or exception */
    int outer_handler;      /* in force outside the block */
    PyObject *name;         /* of `except E as name` */
    ast_stmt_seq *final;
    stmt_ty statement;      /* for positions */
} block_t;

typedef enum { UNIT_MODULE, UNIT_CLASS, UNIT_FUNCTION, UNIT_ASYNC_FUNCTION, UNIT_LAMBDA, UNIT_COMPREHENSION } unit_kind_t;

typedef struct unit {
    struct unit *outer;
    unit_kind_t kind;
    scope_t *scope;
    PyObject *name, *qualname, *class_name;
    PyObject *varnames, *cellvars, *freevars;       /* dicts name -> slot number */
    PyObject *names;                                /* dict name -> index */
    PyObject *consts;                               /* dict key -> (index, constant) */
    PyObject *const_list;
    int nlocals, temp_base, depth, max_depth;
    int argcount, posonlyargcount, kwonlyargcount, firstlineno;
    emitted_t *code;
    int used, room;
    int *labels;                                    /* label -> index of instruction */
    int label_count, label_room;
    handler_t *handlers;
    int handler_count, handler_room, handler;       /* in force */
    block_t *block;
    position_t position;
    int unreachable;                                /* what follows cannot run */
} unit_t;

typedef struct compiler {
    PyObject *filename;
    symtable_t *symtable;
    arena *arena;
    int flags, optimize, interactive, nested_annotations;
    int future_line;                                /* of the last proper __future__ import, or -1 */
    unit_t *unit;
} compiler_t;

/* ---- unit.c ---- */

int unit_enter(compiler_t *c, unit_kind_t kind, PyObject *name, void *node, int firstlineno);
void unit_leave(compiler_t *c);
/* Assembles the current unit: a new code object. */
PyObject *unit_assemble(compiler_t *c);

int emit_abc(compiler_t *c, opcode_t op, unsigned a, unsigned b, unsigned cc);
int emit_cached(compiler_t *c, opcode_t op, unsigned a, unsigned b, unsigned cc, uint64_t cache);
int emit_ax(compiler_t *c, opcode_t op, unsigned a, int32_t x);
int emit_jump(compiler_t *c, opcode_t op, unsigned a, unsigned b, label_t target);
label_t label_new(compiler_t *c);
int label_here(compiler_t *c, label_t label);
static inline int jump_to(compiler_t *c, label_t target) { return emit_jump(c, OP_JUMP, 0, 0, target); }

/* A handler region: exceptions in what is emitted until handler_end go to label, with the present depth kept. *outer: to be restored. */
int handler_begin(compiler_t *c, label_t label, int *outer);
/* The handler region just begun keeps the position of what raised, for a RERAISE with B = 1. */
void handler_keep_position(compiler_t *c);
static inline void handler_end(compiler_t *c, int outer) { c->unit->handler = outer; }

/* Takes a temporary. */
int temp(compiler_t *c);
static inline void set_depth(compiler_t *c, int depth) { c->unit->depth = depth; }
static inline int is_temp(compiler_t *c, int slot) { return slot >= c->unit->temp_base; }
/* The slot of the temporary that depth d takes. */
static inline int temp_at(compiler_t *c, int d) { return c->unit->temp_base + d; }

int const_index(compiler_t *c, PyObject *value);        /* borrows; -1 on failure */
int name_index(compiler_t *c, PyObject *name);          /* mangled; -1 on failure */
int load_const(compiler_t *c, int dst, PyObject *value);
int load_const_steal(compiler_t *c, int dst, PyObject *value);

#define SET_POSITION(c, node) \
    ((c)->unit->position = (position_t){(node)->lineno, (node)->end_lineno, (node)->col_offset, (node)->end_col_offset})

/* What follows has no line of its own: the assembler lets it take the line of what runs before it where there is just one such. */
#define UNSET_POSITION(c) ((c)->unit->position = (position_t){-1, -1, -1, -1})

/* The position of whole, an access to an attribute or a call of one; of several lines, from the name of the attribute on. */
void set_attribute_position(compiler_t *c, expr_ty whole, expr_ty attribute);

int compile_error(compiler_t *c, const char *format, ...);      /* SyntaxError at the present position; 0 */
int compile_warning(compiler_t *c, const char *format, ...);    /* SyntaxWarning */

/* ---- names ---- */

typedef enum { NAME_FAST, NAME_DEREF, NAME_CLASSDEREF, NAME_GLOBAL, NAME_NAME } name_kind_t;
/* How the current unit reaches a name; *slot for FAST and DEREF kinds; *index of names for the others. Mangles. */
int name_resolve(compiler_t *c, PyObject *name, name_kind_t *kind, int *slot, int *index);
int compile_load_name(compiler_t *c, PyObject *name, int dst);
int compile_store_name(compiler_t *c, PyObject *name, int src);
int compile_delete_name(compiler_t *c, PyObject *name);
/* The slot of a plain local, or -1. */
int local_slot(compiler_t *c, PyObject *name);
/* name = None; del name */
int compile_unbind_name(compiler_t *c, PyObject *name);
/* The cell slot of a cell or free variable of the current unit. */
int cell_slot(compiler_t *c, PyObject *name);

/* ---- expressions ---- */

int compile_to(compiler_t *c, expr_ty e, int dst);
/* A slot that holds the value: a local, or a new temporary. -1 on failure. later: expressions evaluated before the operand is read. */
int compile_operand(compiler_t *c, expr_ty e);
int compile_to_temp(compiler_t *c, expr_ty e);          /* always a new temporary; -1 on failure */
int compile_jump_if(compiler_t *c, expr_ty e, label_t target, int sense);
int compile_store(compiler_t *c, expr_ty target, int src);      /* src: slot; a temporary is consumed */
int compile_delete(compiler_t *c, expr_ty target);
int compile_call_args(compiler_t *c, int base, int dst, int nargs, ast_expr_seq *args, ast_keyword_seq *keywords);
int compile_await(compiler_t *c, int iterator);         /* SEND loop: iterator at temp, result into temp+1 */
int compile_slice_operand(compiler_t *c, expr_ty e);
opcode_t binary_opcode(operator_ty op, int inplace);
PyObject *fold_expr(compiler_t *c, expr_ty e);           /* borrowed constant, or NULL (maybe with an exception) */
int is_const_expr(expr_ty e);

/* ---- functions and statements ---- */

int compile_body(compiler_t *c, ast_stmt_seq *body);
int compile_stmt(compiler_t *c, stmt_ty s);
int compile_lambda(compiler_t *c, expr_ty e, int dst);
int compile_comprehension(compiler_t *c, expr_ty e, int dst);
int compile_function_def(compiler_t *c, stmt_ty s, int is_async);
int compile_class_def(compiler_t *c, stmt_ty s);
int compile_match(compiler_t *c, stmt_ty s);
int compile_try(compiler_t *c, stmt_ty s);
int compile_try_star(compiler_t *c, stmt_ty s);
int compile_with(compiler_t *c, stmt_ty s, Py_ssize_t item, int is_async);
int compile_unwind_for_jump(compiler_t *c, block_t *until);
int compile_annotation_to(compiler_t *c, expr_ty annotation, int dst);

#define LATE_FUTURE_IMPORT "from __future__ imports must occur at the beginning of the file"
int compile_is_future_import(stmt_ty s);                /* of an ImportFrom or any other statement */

static inline void push_block(compiler_t *c, block_t *b)
{
    b->outer = c->unit->block;
    c->unit->block = b;
}
/* Are there at most as many blocks within each other as CPython allows, with `more` further ones? If not, SyntaxError. */
int compile_check_blocks(compiler_t *c, int more);
static inline void pop_block(compiler_t *c) { c->unit->block = c->unit->block->outer; }

#endif /* BRAID_COMPILER_INTERNAL_H */
