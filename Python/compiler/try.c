/* try, with, and leaving them by break, continue and return. */
#include "Python.h"

#include "compiler_internal.h"
#include "expressions.h"
#include "statements.h"

#define MAX_BLOCKS 20

int compile_check_blocks(compiler_t *c, int more)
{
    for (block_t *b = c->unit->block; b != NULL; b = b->outer)
        more += b->kind == BLOCK_HANDLER || b->kind == BLOCK_STAR ? 2 : 1;      /* CPython has two for a handler: itself and its clean-up */
    return more <= MAX_BLOCKS ? 1 : compile_error(c, "too many statically nested blocks");
}

/* ---- Leaving blocks ---- */

static int call_exit(compiler_t *c, int exit, int is_async)
{
    /* exit(None, None, None): the function is copied, so that its slot need not lie right below the arguments */
    int depth = c->unit->depth, base = temp(c);
    if (!emit_abc(c, OP_TAKE, (unsigned)base, (unsigned)exit, 0))
        return 0;
    for (int i = 0; i < 3; i++)
        if (!load_const(c, temp(c), Py_None))
            return 0;
    int ok = emit_abc(c, OP_CALL, (unsigned)base, (unsigned)base, 3);
    if (ok && is_async)
        ok = emit_abc(c, OP_GET_AWAITABLE, (unsigned)base, (unsigned)base, 2) && compile_await(c, base)
             && emit_abc(c, OP_DROP, (unsigned)(base + 1), 0, 0);
    else
        ok = ok && emit_abc(c, OP_DROP, (unsigned)base, 0, 0);
    set_depth(c, depth);
    return ok;
}

static int unwind_block(compiler_t *c, block_t *b)
{
    switch (b->kind) {
    case BLOCK_FOR:
    case BLOCK_ASYNC_FOR: return emit_abc(c, OP_DROP, (unsigned)b->slot, 0, 0);
    case BLOCK_FINALLY: return compile_stmts(c, b->final);
    case BLOCK_FINALLY_END: return emit_abc(c, OP_LEAVE_HANDLER, (unsigned)b->slot, 0, 0);
    case BLOCK_WITH:
    case BLOCK_ASYNC_WITH:
        SET_POSITION(c, b->statement);
        return call_exit(c, b->slot, b->kind == BLOCK_ASYNC_WITH);
    case BLOCK_HANDLER:
        return emit_abc(c, OP_LEAVE_HANDLER, (unsigned)b->slot, 0, 0) && (b->name == NULL || compile_unbind_name(c, b->name));
    default: return 1;
    }
}

/* Emits what leaving all blocks inside `until` does; the unit's block and handler are left as they are outside of them. The caller restores both. */
int compile_unwind_for_jump(compiler_t *c, block_t *until)
{
    unit_t *u = c->unit;
    while (u->block != until) {
        block_t *b = u->block;
        u->block = b->outer;
        if (b->kind != BLOCK_WHILE && b->kind != BLOCK_FOR && b->kind != BLOCK_ASYNC_FOR)
            u->handler = b->outer_handler;
        if (!unwind_block(c, b))
            return 0;
    }
    return 1;
}

/* ---- Handlers ---- */

/* At `label` the exception is in temporary `depth`: makes it the handled one, under a handler that restores the state if anything is raised.
 * Two temporaries are in use afterwards. */
static int enter_handler(compiler_t *c, label_t label, int depth, label_t cleanup)
{
    int ignored;
    if (!label_here(c, label))
        return 0;
    set_depth(c, depth);
    int exc = temp(c);
    temp(c);
    if (!emit_abc(c, OP_ENTER_HANDLER, (unsigned)exc, 0, 0))
        return 0;
    if (!handler_begin(c, cleanup, &ignored))
        return 0;
    handler_keep_position(c);
    return 1;
}

/* The handler of handlers: restores the state, raises on. */
static int emit_cleanup(compiler_t *c, label_t cleanup, int depth)
{
    unsigned exc = (unsigned)temp_at(c, depth);
    if (!label_here(c, cleanup))
        return 0;
    UNSET_POSITION(c);
    set_depth(c, depth + 3);
    int ok = emit_abc(c, OP_LEAVE_HANDLER, exc, 0, 0) && emit_abc(c, OP_RERAISE, exc + 2, 1, 0);
    set_depth(c, depth);
    return ok;
}

/* ---- try/finally ---- */

static int compile_try_except(compiler_t *c, stmt_ty s);
static int compile_star_handlers(compiler_t *c, stmt_ty s);

static int compile_try_finally(compiler_t *c, stmt_ty s, int is_star)
{
    block_t block = {.kind = BLOCK_FINALLY, .final = s->v.Try.finalbody};
    int depth = c->unit->depth, outer;
    label_t handler = label_new(c), cleanup = label_new(c), end = label_new(c);
    if (!compile_check_blocks(c, 1) || !handler_begin(c, handler, &outer))
        return 0;
    block.outer_handler = outer;
    push_block(c, &block);
    int ok = ast_len(s->v.Try.handlers) == 0 ? compile_stmts(c, s->v.Try.body)
             : is_star                       ? compile_star_handlers(c, s)
                                             : compile_try_except(c, s);
    pop_block(c);
    handler_end(c, outer);
    if (!ok || !compile_stmts(c, s->v.Try.finalbody))
        return 0;
    UNSET_POSITION(c);
    if (!jump_to(c, end) || !enter_handler(c, handler, depth, cleanup))
        return 0;
    block_t in_final = {.kind = BLOCK_FINALLY_END, .slot = temp_at(c, depth), .outer_handler = outer};
    push_block(c, &in_final);
    ok = compile_stmts(c, s->v.Try.finalbody);
    pop_block(c);
    UNSET_POSITION(c);
    ok = ok && emit_abc(c, OP_RERAISE, (unsigned)temp_at(c, depth), 0, 0);
    handler_end(c, outer);
    return ok && emit_cleanup(c, cleanup, depth) && label_here(c, end);
}

/* ---- try/except ---- */

static int compile_handler_body(compiler_t *c, excepthandler_ty h, int exc, int outer, label_t end)
{
    PyObject *name = h->v.ExceptHandler.name;
    int inner_outer, depth = c->unit->depth;
    block_t block = {.kind = BLOCK_HANDLER, .slot = exc, .name = name, .outer_handler = outer};
    if (!compile_check_blocks(c, 2))
        return 0;
    if (name == NULL) {
        push_block(c, &block);
        int ok = compile_stmts(c, h->v.ExceptHandler.body);
        pop_block(c);
        UNSET_POSITION(c);
        int handler = c->unit->handler;
        handler_end(c, outer);
        ok = ok && emit_abc(c, OP_LEAVE_HANDLER, (unsigned)exc, 0, 0) && jump_to(c, end);
        c->unit->handler = handler;
        return ok;
    }
    int copy = temp(c);
    if (!emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)exc, 0) || !compile_store_name(c, name, copy))
        return 0;
    set_depth(c, depth);
    /* whatever happens in the body, the name is unbound behind it */
    label_t unbind = label_new(c);
    if (!handler_begin(c, unbind, &inner_outer))
        return 0;
    handler_keep_position(c);
    push_block(c, &block);
    int ok = compile_stmts(c, h->v.ExceptHandler.body);
    pop_block(c);
    UNSET_POSITION(c);
    handler_end(c, outer);
    ok = ok && emit_abc(c, OP_LEAVE_HANDLER, (unsigned)exc, 0, 0) && compile_unbind_name(c, name) && jump_to(c, end);
    handler_end(c, inner_outer);
    if (!ok || !label_here(c, unbind))
        return 0;
    int raised = temp(c);
    temp(c);
    temp(c);        /* the position kept */
    ok = compile_unbind_name(c, name) && emit_abc(c, OP_RERAISE, (unsigned)raised, 1, 0);
    set_depth(c, depth);
    return ok;
}

static int compile_try_except(compiler_t *c, stmt_ty s)
{
    int depth = c->unit->depth, outer, exc = temp_at(c, depth);
    block_t block = {.kind = BLOCK_TRY};
    label_t handler = label_new(c), cleanup = label_new(c), end = label_new(c);
    if (!compile_check_blocks(c, 1) || !handler_begin(c, handler, &outer))
        return 0;
    block.outer_handler = outer;
    push_block(c, &block);
    int ok = compile_stmts(c, s->v.Try.body);
    pop_block(c);
    handler_end(c, outer);
    ok = ok && compile_stmts(c, s->v.Try.orelse);
    UNSET_POSITION(c);
    if (!ok || !jump_to(c, end) || !enter_handler(c, handler, depth, cleanup))
        return 0;
    ast_excepthandler_seq *handlers = s->v.Try.handlers;
    for (Py_ssize_t i = 0; i < ast_len(handlers); i++) {
        excepthandler_ty h = handlers->elements[i];
        SET_POSITION(c, h);
        if (h->v.ExceptHandler.type == NULL && i < ast_len(handlers) - 1)
            return compile_error(c, "default 'except:' must be last");
        if (h->v.ExceptHandler.type == NULL && !emit_abc(c, OP_NOP, 0, 0, 0))
            return 0;
        label_t next = label_new(c);
        int inner = c->unit->depth;
        if (h->v.ExceptHandler.type != NULL) {
            int t = compile_operand(c, h->v.ExceptHandler.type);
            if (t < 0 || !emit_jump(c, OP_JNOT_EXC_MATCH, (unsigned)exc, (unsigned)t, next))
                return 0;
            set_depth(c, inner);
        }
        if (!compile_handler_body(c, h, exc, outer, end) || !label_here(c, next))
            return 0;
        c->unit->unreachable = h->v.ExceptHandler.type == NULL;
    }
    UNSET_POSITION(c);
    ok = emit_abc(c, OP_RERAISE, (unsigned)exc, 0, 0);
    handler_end(c, outer);
    return ok && emit_cleanup(c, cleanup, depth) && label_here(c, end);
}

/* The line of the `try` itself is a place to stop at. */
static int mark_line(compiler_t *c, stmt_ty s)
{
    SET_POSITION(c, s);
    return emit_abc(c, OP_NOP, 0, 0, 0);
}

int compile_try(compiler_t *c, stmt_ty s)
{
    if (!mark_line(c, s))
        return 0;
    return ast_len(s->v.Try.finalbody) > 0 ? compile_try_finally(c, s, 0) : compile_try_except(c, s);
}

/* ---- try/except* ---- */

/* One clause: what of the group matches is handled; what its body raises is collected in list. */
static int compile_star_clause(compiler_t *c, excepthandler_ty h, int list, int rest, int match)
{
    PyObject *name = h->v.ExceptHandler.name;
    int depth = c->unit->depth, outer;
    label_t next = label_new(c), raised = label_new(c);
    block_t block = {.kind = BLOCK_STAR};
    if (!compile_check_blocks(c, 2))
        return 0;
    int t = compile_operand(c, h->v.ExceptHandler.type);
    SET_POSITION(c, h);
    if (t < 0 || !emit_abc(c, OP_EXC_GROUP_MATCH, (unsigned)rest, (unsigned)match, (unsigned)t))
        return 0;
    set_depth(c, depth);
    int copy = temp(c);
    if (!emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)match, 0) || !emit_jump(c, OP_JNONE, (unsigned)copy, 0, next))
        return 0;
    if (name != NULL && (!emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)match, 0) || !compile_store_name(c, name, copy)))
        return 0;
    set_depth(c, depth);
    if (!handler_begin(c, raised, &outer))
        return 0;
    block.outer_handler = outer;
    push_block(c, &block);
    int ok = compile_stmts(c, h->v.ExceptHandler.body);
    pop_block(c);
    handler_end(c, outer);
    UNSET_POSITION(c);
    ok = ok && (name == NULL || compile_unbind_name(c, name)) && jump_to(c, next) && label_here(c, raised);
    if (!ok)
        return 0;
    int exc = temp(c);
    ok = (name == NULL || compile_unbind_name(c, name)) && emit_abc(c, OP_LIST_APPEND, (unsigned)list, (unsigned)exc, 0)
         && label_here(c, next);
    set_depth(c, depth);
    return ok;
}

static int compile_star_handlers(compiler_t *c, stmt_ty s)
{
    int depth = c->unit->depth, outer, exc = temp_at(c, depth);
    block_t block = {.kind = BLOCK_TRY};
    label_t handler = label_new(c), cleanup = label_new(c), end = label_new(c), done = label_new(c);
    if (!compile_check_blocks(c, 1) || !handler_begin(c, handler, &outer))
        return 0;
    block.outer_handler = outer;
    push_block(c, &block);
    int ok = compile_stmts(c, s->v.TryStar.body);
    pop_block(c);
    handler_end(c, outer);
    ok = ok && compile_stmts(c, s->v.TryStar.orelse);
    UNSET_POSITION(c);
    if (!ok || !jump_to(c, end) || !enter_handler(c, handler, depth, cleanup))
        return 0;
    int original = temp(c), list = temp(c), rest = temp(c), match = temp(c);
    if (!emit_abc(c, OP_MOVE, (unsigned)original, (unsigned)exc, 0) || !emit_abc(c, OP_BUILD_LIST, (unsigned)list, (unsigned)list, 0)
        || !emit_abc(c, OP_MOVE, (unsigned)rest, (unsigned)exc, 0) || !load_const(c, match, Py_None))
        return 0;
    ast_excepthandler_seq *handlers = s->v.TryStar.handlers;
    for (Py_ssize_t i = 0; i < ast_len(handlers); i++) {
        SET_POSITION(c, handlers->elements[i]);
        if (!compile_star_clause(c, handlers->elements[i], list, rest, match))
            return 0;
    }
    UNSET_POSITION(c);
    ok = emit_abc(c, OP_LIST_APPEND, (unsigned)list, (unsigned)rest, 0)
         && emit_abc(c, OP_PREP_RERAISE_STAR, (unsigned)rest, (unsigned)original, (unsigned)list)
         && emit_abc(c, OP_DROP, (unsigned)match, 0, 0) && emit_abc(c, OP_MOVE, (unsigned)match, (unsigned)rest, 0)
         && emit_jump(c, OP_JNONE, (unsigned)match, 0, done) && emit_abc(c, OP_RERAISE, (unsigned)rest, 0, 0)
         && label_here(c, done) && emit_abc(c, OP_DROP, (unsigned)rest, 0, 0);
    handler_end(c, outer);
    set_depth(c, depth + 2);
    ok = ok && emit_abc(c, OP_LEAVE_HANDLER, (unsigned)exc, 0, 0) && jump_to(c, end);
    return ok && emit_cleanup(c, cleanup, depth) && label_here(c, end);
}

int compile_try_star(compiler_t *c, stmt_ty s)
{
    if (!mark_line(c, s))
        return 0;
    return ast_len(s->v.TryStar.finalbody) > 0 ? compile_try_finally(c, s, 1) : compile_star_handlers(c, s);
}

/* ---- with ---- */

int compile_with(compiler_t *c, stmt_ty s, Py_ssize_t item, int is_async)
{
    withitem_ty with = s->v.With.items->elements[item];
    int depth = c->unit->depth, outer;
    block_t block = {.kind = is_async ? BLOCK_ASYNC_WITH : BLOCK_WITH, .statement = s};
    label_t handler = label_new(c), cleanup = label_new(c), suppress = label_new(c), end = label_new(c);
    if (!compile_check_blocks(c, 1))
        return 0;
    int exit = compile_to_temp(c, with->context_expr);
    if (exit < 0)
        return 0;
    int value = temp(c);
    SET_POSITION(c, with->context_expr);
    if (!emit_abc(c, is_async ? OP_ASYNC_WITH_ENTER : OP_WITH_ENTER, (unsigned)exit, (unsigned)exit, 0))
        return 0;
    if (is_async) {
        temp(c);
        if (!emit_abc(c, OP_GET_AWAITABLE, (unsigned)value, (unsigned)value, 1) || !compile_await(c, value)
            || !emit_abc(c, OP_TAKE, (unsigned)value, (unsigned)(value + 1), 0))
            return 0;
    }
    set_depth(c, depth + 1);
    if (!handler_begin(c, handler, &outer))
        return 0;
    handler_keep_position(c);
    block.outer_handler = outer;
    block.slot = exit;
    push_block(c, &block);
    set_depth(c, depth + 2);
    int ok;
    if (with->optional_vars != NULL)
        ok = compile_store(c, with->optional_vars, value);
    else
        ok = emit_abc(c, OP_DROP, (unsigned)value, 0, 0);
    set_depth(c, depth + 1);
    ok = ok && (item + 1 < ast_len(s->v.With.items) ? compile_with(c, s, item + 1, is_async) : compile_stmts(c, s->v.With.body));
    pop_block(c);
    handler_end(c, outer);
    SET_POSITION(c, s);
    ok = ok && call_exit(c, exit, is_async) && jump_to(c, end) && enter_handler(c, handler, depth + 1, cleanup);
    if (!ok)
        return 0;
    temp(c);        /* the position kept */
    int result = temp(c);
    SET_POSITION(c, s);
    if (!emit_abc(c, OP_WITH_EXCEPT, (unsigned)result, (unsigned)exit, (unsigned)(exit + 1)))
        return 0;
    if (is_async) {
        temp(c);
        if (!emit_abc(c, OP_GET_AWAITABLE, (unsigned)result, (unsigned)result, 2) || !compile_await(c, result)
            || !emit_abc(c, OP_TAKE, (unsigned)result, (unsigned)(result + 1), 0))
            return 0;
        set_depth(c, c->unit->depth - 1);
    }
    ok = emit_jump(c, OP_JTRUE, (unsigned)result, 0, suppress) && emit_abc(c, OP_RERAISE, (unsigned)(exit + 1), 1, 0)
         && label_here(c, suppress);
    handler_end(c, outer);
    set_depth(c, depth + 3);
    ok = ok && emit_abc(c, OP_LEAVE_HANDLER, (unsigned)(exit + 1), 0, 0) && emit_abc(c, OP_DROP, (unsigned)exit, 0, 0)
         && jump_to(c, end) && emit_cleanup(c, cleanup, depth + 1) && label_here(c, end);
    set_depth(c, depth);
    return ok;
}
