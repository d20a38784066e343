/* Statements, but for try, with (try.c) and match (patterns.c). */
#include "Python.h"

#include "compiler_internal.h"
#include "expressions.h"
#include "statements.h"
#include "well_known_strings.h"

/* ---- Stores and deletes ---- */

static int store_sequence(compiler_t *c, expr_ty target, ast_expr_seq *elements, int src)
{
    Py_ssize_t n = ast_len(elements), star = -1;
    int depth = c->unit->depth, base = temp_at(c, depth);
    for (Py_ssize_t i = 0; i < n; i++)
        if (elements->elements[i]->kind == Starred_kind) {
            if (star >= 0)
                return compile_error(c, "multiple starred expressions in assignment");
            star = i;
        }
    if (star >= (1 << 8) || n >= (1 << 16))         /* CPython's limit for what stands before the star */
        return compile_error(c, "too many expressions in star-unpacking assignment");
    SET_POSITION(c, target);
    for (Py_ssize_t i = 0; i < n || i < 1; i++)
        temp(c);
    int ok;
    if (star < 0)
        ok = emit_abc(c, OP_UNPACK_SEQUENCE, (unsigned)base, (unsigned)src, (unsigned)n);
    else {
        Py_ssize_t after = n - star - 1;
        if (star < 256 && after < 256)
            ok = emit_abc(c, OP_UNPACK_EX, (unsigned)base, (unsigned)src, (unsigned)(star | after << 8));
        else
            ok = emit_cached(c, OP_UNPACK_EX_WIDE, (unsigned)base, (unsigned)src, (unsigned)star, (uint64_t)after);
    }
    for (Py_ssize_t i = 0; i < n && ok; i++) {
        expr_ty e = elements->elements[i];
        ok = compile_store(c, e->kind == Starred_kind ? e->v.Starred.value : e, base + (int)i);
    }
    set_depth(c, depth);
    return ok;
}

static int store(compiler_t *c, expr_ty target, int src)
{
    int depth = c->unit->depth, ok = 0, v, k;
    SET_POSITION(c, target);
    switch (target->kind) {
    case Name_kind: return compile_store_name(c, target->v.Name.id, src);
    case Attribute_kind:
        if (PyUnicode_CompareWithASCIIString(target->v.Attribute.attr, "__debug__") == 0)
            return compile_error(c, "cannot assign to __debug__");
        v = compile_operand(c, target->v.Attribute.value);
        k = name_index(c, target->v.Attribute.attr);
        set_attribute_position(c, target, target);
        ok = v >= 0 && k >= 0 && emit_abc(c, OP_STORE_ATTR, (unsigned)v, (unsigned)k, (unsigned)src);
        break;
    case Subscript_kind:
        v = compile_operand(c, target->v.Subscript.value);
        k = v >= 0 ? compile_slice_operand(c, target->v.Subscript.slice) : -1;
        SET_POSITION(c, target);
        ok = k >= 0 && emit_abc(c, OP_STORE_SUBSCR, (unsigned)v, (unsigned)k, (unsigned)src);
        break;
    case List_kind: return store_sequence(c, target, target->v.List.elts, src);
    case Tuple_kind: return store_sequence(c, target, target->v.Tuple.elts, src);
    case Starred_kind: return compile_error(c, "starred assignment target must be in a list or tuple");
    default:
        PyErr_SetString(PyExc_SystemError, "invalid target of an assignment");
    }
    set_depth(c, depth);
    return ok;
}

int compile_store(compiler_t *c, expr_ty target, int src)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = store(c, target, src);
    Py_LeaveRecursiveCall();
    return ok;
}

int compile_delete(compiler_t *c, expr_ty target)
{
    int depth = c->unit->depth, ok = 0, v, k;
    SET_POSITION(c, target);
    switch (target->kind) {
    case Name_kind: return compile_delete_name(c, target->v.Name.id);
    case Attribute_kind:
        if (PyUnicode_CompareWithASCIIString(target->v.Attribute.attr, "__debug__") == 0)
            return compile_error(c, "cannot delete __debug__");
        v = compile_operand(c, target->v.Attribute.value);
        k = name_index(c, target->v.Attribute.attr);
        set_attribute_position(c, target, target);
        ok = v >= 0 && k >= 0 && emit_abc(c, OP_DELETE_ATTR, (unsigned)v, (unsigned)k, 0);
        break;
    case Subscript_kind:
        v = compile_operand(c, target->v.Subscript.value);
        k = v >= 0 ? compile_slice_operand(c, target->v.Subscript.slice) : -1;
        SET_POSITION(c, target);
        ok = k >= 0 && emit_abc(c, OP_DELETE_SUBSCR, (unsigned)v, (unsigned)k, 0);
        break;
    case List_kind:
    case Tuple_kind: {
        ast_expr_seq *elements = target->kind == List_kind ? target->v.List.elts : target->v.Tuple.elts;
        for (Py_ssize_t i = 0; i < ast_len(elements); i++)
            if (!compile_delete(c, elements->elements[i]))
                return 0;
        return 1;
    }
    default:
        PyErr_SetString(PyExc_SystemError, "invalid target of del");
    }
    set_depth(c, depth);
    return ok;
}

/* ---- Assignment ---- */

/* a, b = x, y: no tuple is made. */
static int compile_parallel_assign(compiler_t *c, ast_expr_seq *targets, ast_expr_seq *values)
{
    Py_ssize_t n = ast_len(targets);
    int depth = c->unit->depth, base = temp_at(c, depth);
    for (Py_ssize_t i = 0; i < n; i++)
        if (compile_to_temp(c, values->elements[i]) < 0)
            return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!compile_store(c, targets->elements[i], base + (int)i))
            return 0;
    set_depth(c, depth);
    return 1;
}

static int is_plain_tuple(expr_ty e, ast_expr_seq **elements)
{
    if (e->kind != Tuple_kind && e->kind != List_kind)
        return 0;
    *elements = e->kind == Tuple_kind ? e->v.Tuple.elts : e->v.List.elts;
    Py_ssize_t n = ast_len(*elements);
    for (Py_ssize_t i = 0; i < n; i++)
        if ((*elements)->elements[i]->kind == Starred_kind)
            return 0;
    return n >= 2 && n <= 8;
}

static int compile_assign(compiler_t *c, stmt_ty s)
{
    ast_expr_seq *targets = s->v.Assign.targets, *left, *right;
    expr_ty value = s->v.Assign.value;
    Py_ssize_t n = ast_len(targets);
    int depth = c->unit->depth;
    if (n == 1) {
        expr_ty target = targets->elements[0];
        if (target->kind == Name_kind) {
            int slot = local_slot(c, target->v.Name.id);
            if (slot >= 0) {
                if (PyUnicode_CompareWithASCIIString(target->v.Name.id, "__debug__") == 0)
                    return compile_store_name(c, target->v.Name.id, slot);
                return compile_to(c, value, slot);
            }
        }
        if (target->kind == Tuple_kind && value->kind == Tuple_kind && is_plain_tuple(target, &left)
            && is_plain_tuple(value, &right) && ast_len(left) == ast_len(right))
            return compile_parallel_assign(c, left, right);
        /* a local may be stored as it is, unless unpacking could meet itself */
        int v = target->kind == Attribute_kind || target->kind == Subscript_kind ? compile_operand(c, value)
                                                                                : compile_to_temp(c, value);
        int ok = v >= 0 && compile_store(c, target, v);
        set_depth(c, depth);
        return ok;
    }
    int v = compile_to_temp(c, value);
    for (Py_ssize_t i = 0; i < n && v >= 0; i++) {
        int inner = c->unit->depth, src = v;
        SET_POSITION(c, s);
        if (i < n - 1) {
            src = temp(c);
            if (!emit_abc(c, OP_MOVE, (unsigned)src, (unsigned)v, 0))
                return 0;
        }
        if (!compile_store(c, targets->elements[i], src))
            return 0;
        set_depth(c, inner);
    }
    set_depth(c, depth);
    return v >= 0;
}

static int aug_name(compiler_t *c, stmt_ty s, expr_ty target, struct expr *whole)
{
    int slot = local_slot(c, target->v.Name.id), depth = c->unit->depth;
    int ok;
    if (slot >= 0)
        ok = compile_binary_right(c, s->v.AugAssign.op, 1, slot, s->v.AugAssign.value, slot, whole);
    else {
        int t = temp(c);
        SET_POSITION(c, target);
        ok = compile_load_name(c, target->v.Name.id, t)
             && compile_binary_right(c, s->v.AugAssign.op, 1, t, s->v.AugAssign.value, t, whole);
        SET_POSITION(c, s);
        ok = ok && compile_store_name(c, target->v.Name.id, t);
    }
    set_depth(c, depth);
    return ok;
}

static int aug_attribute(compiler_t *c, stmt_ty s, expr_ty target, struct expr *whole)
{
    int depth = c->unit->depth;
    int v = compile_operand(c, target->v.Attribute.value), k = name_index(c, target->v.Attribute.attr);
    if (v < 0 || k < 0)
        return 0;
    if (PyUnicode_CompareWithASCIIString(target->v.Attribute.attr, "__debug__") == 0)
        return compile_error(c, "cannot assign to __debug__");
    int t = temp(c);
    set_attribute_position(c, target, target);
    int ok = (is_temp(c, v) ? emit_abc(c, OP_MOVE, (unsigned)t, (unsigned)v, 0)
                                  && emit_abc(c, OP_LOAD_ATTR, (unsigned)t, (unsigned)t, (unsigned)k)
                            : emit_abc(c, OP_LOAD_ATTR, (unsigned)t, (unsigned)v, (unsigned)k))
             && compile_binary_right(c, s->v.AugAssign.op, 1, t, s->v.AugAssign.value, t, whole);
    set_attribute_position(c, target, target);
    ok = ok && emit_abc(c, OP_STORE_ATTR, (unsigned)v, (unsigned)k, (unsigned)t);
    set_depth(c, depth);
    return ok;
}

static int aug_subscript(compiler_t *c, stmt_ty s, expr_ty target, struct expr *whole)
{
    int depth = c->unit->depth;
    int v = compile_operand(c, target->v.Subscript.value);
    int k = v >= 0 ? compile_slice_operand(c, target->v.Subscript.slice) : -1;
    if (k < 0)
        return 0;
    int t = temp(c), t2 = temp(c);
    unsigned container = (unsigned)v, key = (unsigned)k;
    SET_POSITION(c, target);
    int ok = 1;
    if (is_temp(c, v)) {
        ok = emit_abc(c, OP_MOVE, (unsigned)t, (unsigned)v, 0);
        container = (unsigned)t;
    }
    if (ok && is_temp(c, k)) {
        ok = emit_abc(c, OP_MOVE, (unsigned)t2, (unsigned)k, 0);
        key = (unsigned)t2;
    }
    ok = ok && emit_abc(c, OP_SUBSCR, (unsigned)t, container, key);
    set_depth(c, t - c->unit->temp_base + 1);
    ok = ok && compile_binary_right(c, s->v.AugAssign.op, 1, t, s->v.AugAssign.value, t, whole);
    SET_POSITION(c, target);
    ok = ok && emit_abc(c, OP_STORE_SUBSCR, (unsigned)v, (unsigned)k, (unsigned)t);
    set_depth(c, depth);
    return ok;
}

static int compile_aug_assign(compiler_t *c, stmt_ty s)
{
    expr_ty target = s->v.AugAssign.target;
    struct expr whole = {0};
    whole.lineno = s->lineno;
    whole.col_offset = s->col_offset;
    whole.end_lineno = s->end_lineno;
    whole.end_col_offset = s->end_col_offset;
    switch (target->kind) {
    case Name_kind: return aug_name(c, s, target, &whole);
    case Attribute_kind: return aug_attribute(c, s, target, &whole);
    case Subscript_kind: return aug_subscript(c, s, target, &whole);
    default:
        PyErr_Format(PyExc_SystemError, "invalid node type (%d) for augmented assignment", target->kind);
        return 0;
    }
}

/* ---- Annotated assignment ---- */

/* Evaluates for its effects alone. */
static int compile_discarded(compiler_t *c, expr_ty e)
{
    int depth = c->unit->depth, t = temp(c);
    int ok = compile_to(c, e, t);
    UNSET_POSITION(c);
    ok = ok && emit_abc(c, OP_DROP, (unsigned)t, 0, 0);
    set_depth(c, depth);
    return ok;
}

static int compile_ann_assign(compiler_t *c, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target, annotation = s->v.AnnAssign.annotation;
    int depth = c->unit->depth, in_function = c->unit->scope->kind == SCOPE_FUNCTION;
    if (s->v.AnnAssign.value != NULL) {
        int v = compile_to_temp(c, s->v.AnnAssign.value);
        if (v < 0 || !compile_store(c, target, v))
            return 0;
        set_depth(c, depth);
    }
    SET_POSITION(c, s);
    if (target->kind == Name_kind) {
        if (PyUnicode_CompareWithASCIIString(target->v.Name.id, "__debug__") == 0)
            return compile_error(c, "cannot assign to __debug__");
        if (!s->v.AnnAssign.simple || in_function) {
            if (in_function || (c->flags & CO_FUTURE_ANNOTATIONS))
                return 1;
            return compile_discarded(c, annotation);
        }
        /* __annotations__[name] = annotation */
        int v = temp(c), dict = temp(c), k = temp(c);
        PyObject *mangled = symtable_mangle(c->unit->class_name, target->v.Name.id);
        int ok = compile_annotation_to(c, annotation, v) && compile_load_name(c, STR(__annotations__), dict)
                 && load_const(c, k, mangled != NULL ? mangled : Py_None)
                 && emit_abc(c, OP_STORE_SUBSCR, (unsigned)dict, (unsigned)k, (unsigned)v);
        Py_XDECREF(mangled);
        set_depth(c, depth);
        return ok && mangled != NULL;
    }
    if (s->v.AnnAssign.value == NULL) {
        /* the target is evaluated as far as it would be for a store */
        if (target->kind == Attribute_kind && PyUnicode_CompareWithASCIIString(target->v.Attribute.attr, "__debug__") == 0)
            return compile_error(c, "cannot assign to __debug__");
        if (target->kind == Attribute_kind && !compile_discarded(c, target->v.Attribute.value))
            return 0;
        if (target->kind == Subscript_kind
            && (!compile_discarded(c, target->v.Subscript.value) || !compile_discarded(c, target->v.Subscript.slice)))
            return 0;
    }
    if (!s->v.AnnAssign.simple && !in_function && !(c->flags & CO_FUTURE_ANNOTATIONS))
        return compile_discarded(c, annotation);
    return 1;
}

/* Does a body (of a module or class) annotate a name?  Nested statements count, nested scopes do not. */
static int has_annotations(ast_stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < ast_len(body); i++) {
        stmt_ty s = body->elements[i];
        switch (s->kind) {
        case AnnAssign_kind: return 1;
        case For_kind:
        case AsyncFor_kind:
            if (has_annotations(s->v.For.body) || has_annotations(s->v.For.orelse))
                return 1;
            break;
        case While_kind:
            if (has_annotations(s->v.While.body) || has_annotations(s->v.While.orelse))
                return 1;
            break;
        case If_kind:
            if (has_annotations(s->v.If.body) || has_annotations(s->v.If.orelse))
                return 1;
            break;
        case With_kind:
        case AsyncWith_kind:
            if (has_annotations(s->v.With.body))
                return 1;
            break;
        case Match_kind:
            for (Py_ssize_t k = 0; k < ast_len(s->v.Match.cases); k++)
                if (has_annotations(s->v.Match.cases->elements[k]->body))
                    return 1;
            break;
        case Try_kind:
        case TryStar_kind:
            if (has_annotations(s->v.Try.body) || has_annotations(s->v.Try.orelse) || has_annotations(s->v.Try.finalbody))
                return 1;
            for (Py_ssize_t k = 0; k < ast_len(s->v.Try.handlers); k++)
                if (has_annotations(s->v.Try.handlers->elements[k]->v.ExceptHandler.body))
                    return 1;
            break;
        default: break;
        }
    }
    return 0;
}

/* ---- Loops ---- */

/* The test of an if or while. A constant leaves an instruction too: its line is a place to stop at. */
static int compile_test(compiler_t *c, expr_ty test, label_t otherwise)
{
    int used = c->unit->used;
    if (!compile_jump_if(c, test, otherwise, 0))
        return 0;
    if (c->unit->used > used)
        return 1;
    SET_POSITION(c, test);
    return emit_abc(c, OP_NOP, 0, 0, 0);
}

static int compile_if(compiler_t *c, stmt_ty s)
{
    label_t end = label_new(c);
    ast_stmt_seq *orelse = s->v.If.orelse;
    label_t otherwise = ast_len(orelse) > 0 ? label_new(c) : end;
    if (!compile_test(c, s->v.If.test, otherwise) || !compile_stmts(c, s->v.If.body))
        return 0;
    if (ast_len(orelse) > 0) {
        UNSET_POSITION(c);
        if (!jump_to(c, end) || !label_here(c, otherwise) || !compile_stmts(c, orelse))
            return 0;
    }
    return label_here(c, end);
}

/* The test stands at the bottom, and once more at the top. */
static int compile_while(compiler_t *c, stmt_ty s)
{
    block_t block = {.kind = BLOCK_WHILE};
    label_t body = label_new(c), otherwise = label_new(c);
    block.continue_label = label_new(c);
    block.break_label = label_new(c);
    if (!compile_check_blocks(c, 1) || !compile_test(c, s->v.While.test, otherwise) || !label_here(c, body))
        return 0;
    push_block(c, &block);
    int ok = compile_stmts(c, s->v.While.body);
    pop_block(c);
    if (!ok || !label_here(c, block.continue_label))
        return 0;
    SET_POSITION(c, s->v.While.test);
    return compile_jump_if(c, s->v.While.test, body, 1) && label_here(c, otherwise) && compile_stmts(c, s->v.While.orelse)
           && label_here(c, block.break_label);
}

static int compile_for(compiler_t *c, stmt_ty s)
{
    block_t block = {.kind = BLOCK_FOR};
    int depth = c->unit->depth, it = temp(c);
    label_t end = label_new(c);
    block.continue_label = label_new(c);
    block.break_label = label_new(c);
    block.slot = it;
    compile_fold_iterable(c, s->v.For.iter);
    int v = compile_check_blocks(c, 1) ? compile_operand(c, s->v.For.iter) : -1;
    SET_POSITION(c, s->v.For.iter);
    if (v < 0 || !emit_abc(c, OP_GET_ITER, (unsigned)it, (unsigned)v, 0))
        return 0;
    set_depth(c, depth + 1);
    int item = compile_loop_slot(c, s->v.For.target);
    if (!label_here(c, block.continue_label) || !emit_jump(c, OP_FOR_ITER, (unsigned)it, (unsigned)item, end)
        || !compile_store(c, s->v.For.target, item))
        return 0;
    set_depth(c, depth + 1);
    push_block(c, &block);
    int ok = compile_stmts(c, s->v.For.body);
    pop_block(c);
    UNSET_POSITION(c);
    ok = ok && jump_to(c, block.continue_label) && label_here(c, end);
    set_depth(c, depth);
    return ok && compile_stmts(c, s->v.For.orelse) && label_here(c, block.break_label);
}

static int check_async(compiler_t *c, stmt_ty s, const char *what)
{
    SET_POSITION(c, s);
    if ((c->flags & 0x2000) && c->unit->kind == UNIT_MODULE)
        return 1;
    if (c->unit->kind == UNIT_ASYNC_FUNCTION)
        return 1;
    return compile_error(c, "'%s' outside async function", what);
}

static int compile_async_for(compiler_t *c, stmt_ty s)
{
    block_t block = {.kind = BLOCK_ASYNC_FOR};
    int depth = c->unit->depth, outer;
    if (!check_async(c, s, "async for"))
        return 0;
    int it = temp(c);
    label_t handler = label_new(c), end = label_new(c);
    block.continue_label = label_new(c);
    block.break_label = label_new(c);
    block.slot = it;
    int v = compile_check_blocks(c, 1) ? compile_operand(c, s->v.AsyncFor.iter) : -1;
    SET_POSITION(c, s->v.AsyncFor.iter);
    if (v < 0 || !emit_abc(c, OP_GET_AITER, (unsigned)it, (unsigned)v, 0))
        return 0;
    set_depth(c, depth + 1);
    if (!label_here(c, block.continue_label) || !handler_begin(c, handler, &outer))
        return 0;
    int next = temp(c);
    temp(c);
    if (!emit_abc(c, OP_GET_ANEXT, (unsigned)next, (unsigned)it, 0) || !compile_await(c, next))
        return 0;
    handler_end(c, outer);
    if (!compile_store(c, s->v.AsyncFor.target, next + 1))
        return 0;
    set_depth(c, depth + 1);
    push_block(c, &block);
    int ok = compile_stmts(c, s->v.AsyncFor.body);
    pop_block(c);
    UNSET_POSITION(c);
    ok = ok && jump_to(c, block.continue_label) && label_here(c, handler);
    SET_POSITION(c, s->v.AsyncFor.iter);
    ok = ok && emit_jump(c, OP_END_ASYNC_FOR, (unsigned)it, (unsigned)(it + 1), end) && label_here(c, end);
    set_depth(c, depth);
    return ok && compile_stmts(c, s->v.AsyncFor.orelse) && label_here(c, block.break_label);
}

/* ---- break, continue, return ---- */

static block_t *enclosing_loop(compiler_t *c)
{
    for (block_t *b = c->unit->block; b != NULL; b = b->outer) {
        if (b->kind == BLOCK_WHILE || b->kind == BLOCK_FOR || b->kind == BLOCK_ASYNC_FOR)
            return b;
    }
    return NULL;
}

static int in_star_handler(compiler_t *c, block_t *until)
{
    for (block_t *b = c->unit->block; b != until; b = b->outer)
        if (b->kind == BLOCK_STAR)
            return 1;
    return 0;
}

static int compile_break(compiler_t *c, stmt_ty s, int is_continue)
{
    SET_POSITION(c, s);
    block_t *loop = enclosing_loop(c);
    if (in_star_handler(c, loop))
        return compile_error(c, "'break', 'continue' and 'return' cannot appear in an except* block");
    if (loop == NULL)
        return compile_error(c, is_continue ? "'continue' not properly in loop" : "'break' outside loop");
    block_t *saved = c->unit->block;
    int handler = c->unit->handler;
    int ok = saved == loop || (emit_abc(c, OP_NOP, 0, 0, 0) && compile_unwind_for_jump(c, loop));
    if (saved != loop)
        UNSET_POSITION(c);
    if (ok && !is_continue && loop->kind != BLOCK_WHILE)
        ok = emit_abc(c, OP_DROP, (unsigned)loop->slot, 0, 0);
    ok = ok && jump_to(c, is_continue ? loop->continue_label : loop->break_label);
    c->unit->block = saved;
    c->unit->handler = handler;
    return ok;
}

static int compile_return(compiler_t *c, stmt_ty s)
{
    unit_t *u = c->unit;
    expr_ty value = s->v.Return.value;
    SET_POSITION(c, s);
    if (u->scope->kind != SCOPE_FUNCTION)
        return compile_error(c, "'return' outside function");
    if (in_star_handler(c, NULL))
        return compile_error(c, "'break', 'continue' and 'return' cannot appear in an except* block");
    if (value != NULL && u->scope->coroutine && u->scope->generator)
        return compile_error(c, "'return' with value in async generator");
    int depth = u->depth, v = -1;
    PyObject *constant = value != NULL ? fold_expr(c, value) : Py_None;
    if (constant == NULL) {
        if (PyErr_Occurred())
            return 0;
        /* what has to be left runs code that may rebind a local */
        v = u->block != NULL ? compile_to_temp(c, value) : compile_operand(c, value);
        if (v < 0)
            return 0;
    }
    block_t *saved = u->block;
    int handler = u->handler;
    int ok = 1;
    if (v < 0 && value != NULL && (saved != NULL || value->lineno != s->lineno)) {
        SET_POSITION(c, value);
        ok = emit_abc(c, OP_NOP, 0, 0, 0);
    }
    SET_POSITION(c, s);
    if (ok && saved != NULL) {
        if (value == NULL || value->lineno != s->lineno)
            ok = emit_abc(c, OP_NOP, 0, 0, 0);
        ok = ok && compile_unwind_for_jump(c, NULL);
        UNSET_POSITION(c);
    }
    if (ok && v >= 0)
        ok = emit_abc(c, OP_RETURN, (unsigned)v, 0, 0);
    else if (ok) {
        int index = const_index(c, constant);
        ok = index >= 0 && emit_ax(c, OP_RETURN_CONST, 0, index);
    }
    u->block = saved;
    u->handler = handler;
    set_depth(c, depth);
    return ok;
}

/* ---- Imports ---- */

static int import_name(compiler_t *c, int dst, PyObject *name, PyObject *fromlist, int level)
{
    int depth = c->unit->depth, base = temp(c), from = temp(c), index = name_index(c, name);
    int ok = index >= 0 && emit_ax(c, OP_LOAD_INT, (unsigned)base, level) && load_const(c, from, fromlist)
             && emit_abc(c, OP_IMPORT_NAME, (unsigned)dst, (unsigned)base, (unsigned)index);
    set_depth(c, depth);
    return ok;
}

static PyObject *name_part(PyObject *name, Py_ssize_t from, Py_ssize_t to)
{
    PyObject *part = PyUnicode_Substring(name, from, to);
    if (part != NULL)
        PyUnicode_InternInPlace(&part);
    return part;
}

/* import a.b.c as m: m is a.b.c, reached through the attributes of a. */
static int import_as(compiler_t *c, PyObject *name, PyObject *as_name, int module)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), dot = PyUnicode_FindChar(name, '.', 0, n, 1);
    while (dot >= 0) {
        Py_ssize_t start = dot + 1;
        dot = PyUnicode_FindChar(name, '.', start, n, 1);
        PyObject *part = name_part(name, start, dot >= 0 ? dot : n);
        int index = part != NULL ? name_index(c, part) : -1, next = temp(c);
        Py_XDECREF(part);
        if (index < 0 || !emit_abc(c, OP_IMPORT_FROM, (unsigned)next, (unsigned)module, (unsigned)index)
            || !emit_abc(c, OP_TAKE, (unsigned)module, (unsigned)next, 0))
            return 0;
        set_depth(c, c->unit->depth - 1);
    }
    return compile_store_name(c, as_name, module);
}

static int compile_import(compiler_t *c, stmt_ty s)
{
    ast_alias_seq *names = s->v.Import.names;
    for (Py_ssize_t i = 0; i < ast_len(names); i++) {
        alias_ty a = names->elements[i];
        int depth = c->unit->depth, t = temp(c), ok;
        SET_POSITION(c, s);
        if (!import_name(c, t, a->name, Py_None, 0))
            return 0;
        if (a->asname != NULL)
            ok = import_as(c, a->name, a->asname, t);
        else {
            Py_ssize_t n = PyUnicode_GET_LENGTH(a->name), dot = PyUnicode_FindChar(a->name, '.', 0, n, 1);
            PyObject *first = name_part(a->name, 0, dot >= 0 ? dot : n);
            ok = first != NULL && compile_store_name(c, first, t);
            Py_XDECREF(first);
        }
        set_depth(c, depth);
        if (!ok)
            return 0;
    }
    return 1;
}

static int compile_import_from(compiler_t *c, stmt_ty s)
{
    ast_alias_seq *names = s->v.ImportFrom.names;
    Py_ssize_t n = ast_len(names);
    SET_POSITION(c, s);
    if (s->lineno > c->future_line && compile_is_future_import(s))
        return compile_error(c, LATE_FUTURE_IMPORT);
    int depth = c->unit->depth, t = temp(c), ok;
    PyObject *fromlist = PyTuple_New(n), *empty = NULL;
    if (fromlist == NULL)
        return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(fromlist, i, Py_NewRef(names->elements[i]->name));
    SET_POSITION(c, s);
    PyObject *module = s->v.ImportFrom.module;
    if (module == NULL)
        module = empty = PyUnicode_InternFromString("");
    ok = module != NULL && import_name(c, t, module, fromlist, s->v.ImportFrom.level);
    Py_DECREF(fromlist);
    Py_XDECREF(empty);
    if (ok && n > 0 && PyUnicode_CompareWithASCIIString(names->elements[0]->name, "*") == 0) {
        set_depth(c, depth);
        return emit_abc(c, OP_IMPORT_STAR, (unsigned)t, 0, 0);
    }
    for (Py_ssize_t i = 0; i < n && ok; i++) {
        alias_ty a = names->elements[i];
        int v = temp(c), index = name_index(c, a->name);
        ok = index >= 0 && emit_abc(c, OP_IMPORT_FROM, (unsigned)v, (unsigned)t, (unsigned)index)
             && compile_store_name(c, a->asname != NULL ? a->asname : a->name, v);
        set_depth(c, depth + 1);
    }
    ok = ok && emit_abc(c, OP_DROP, (unsigned)t, 0, 0);
    set_depth(c, depth);
    return ok;
}

/* ---- Other simple statements ---- */

static int compile_raise(compiler_t *c, stmt_ty s)
{
    int depth = c->unit->depth, exc = 0, cause = 0;
    unsigned form = 0;
    if (s->v.Raise.exc != NULL) {
        form = 1;
        exc = compile_operand(c, s->v.Raise.exc);
        if (s->v.Raise.cause != NULL && exc >= 0) {
            form = 2;
            cause = compile_operand(c, s->v.Raise.cause);
        }
    }
    SET_POSITION(c, s);
    int ok = exc >= 0 && cause >= 0 && emit_abc(c, OP_RAISE, (unsigned)exc, (unsigned)cause, form);
    set_depth(c, depth);
    return ok;
}

static int compile_assert(compiler_t *c, stmt_ty s)
{
    expr_ty test = s->v.Assert.test;
    if (test->kind == Tuple_kind && ast_len(test->v.Tuple.elts) > 0) {
        SET_POSITION(c, s);
        if (!compile_warning(c, "assertion is always true, perhaps remove parentheses?"))
            return 0;
    }
    if (c->optimize > 0)
        return 1;
    label_t end = label_new(c);
    if (!compile_jump_if(c, test, end, 1))
        return 0;
    int depth = c->unit->depth, t = temp(c);
    SET_POSITION(c, s);
    if (!emit_abc(c, OP_LOAD_ASSERTION_ERROR, (unsigned)t, 0, 0))
        return 0;
    if (s->v.Assert.msg != NULL) {
        if (compile_to_temp(c, s->v.Assert.msg) < 0)
            return 0;
        SET_POSITION(c, s);
        if (!emit_abc(c, OP_CALL, (unsigned)t, (unsigned)t, 1))
            return 0;
    }
    SET_POSITION(c, test);
    int ok = emit_abc(c, OP_RAISE, (unsigned)t, 0, 1) && label_here(c, end);
    set_depth(c, depth);
    return ok;
}

static int compile_expr_stmt(compiler_t *c, stmt_ty s)
{
    expr_ty e = s->v.Expr.value;
    int depth = c->unit->depth, ok;
    if (c->interactive && c->unit->outer == NULL) {
        int t = compile_to_temp(c, e);
        SET_POSITION(c, s);
        ok = t >= 0 && emit_abc(c, OP_PRINT_EXPR, (unsigned)t, 0, 0);
    }
    else if (is_const_expr(e)) {
        SET_POSITION(c, s);
        ok = emit_abc(c, OP_NOP, 0, 0, 0);
    }
    else
        ok = compile_discarded(c, e);
    set_depth(c, depth);
    return ok;
}

static int compile_statement(compiler_t *c, stmt_ty s)
{
    SET_POSITION(c, s);
    switch (s->kind) {
    case FunctionDef_kind: return compile_function_def(c, s, 0);
    case AsyncFunctionDef_kind: return compile_function_def(c, s, 1);
    case ClassDef_kind: return compile_class_def(c, s);
    case Return_kind: return compile_return(c, s);
    case Delete_kind:
        for (Py_ssize_t i = 0; i < ast_len(s->v.Delete.targets); i++)
            if (!compile_delete(c, s->v.Delete.targets->elements[i]))
                return 0;
        return 1;
    case Assign_kind: return compile_assign(c, s);
    case AugAssign_kind: return compile_aug_assign(c, s);
    case AnnAssign_kind: return compile_ann_assign(c, s);
    case For_kind: return compile_for(c, s);
    case AsyncFor_kind: return compile_async_for(c, s);
    case While_kind: return compile_while(c, s);
    case If_kind: return compile_if(c, s);
    case With_kind: return compile_with(c, s, 0, 0);
    case AsyncWith_kind: return check_async(c, s, "async with") && compile_with(c, s, 0, 1);
    case Match_kind: return compile_match(c, s);
    case Raise_kind: return compile_raise(c, s);
    case Try_kind: return compile_try(c, s);
    case TryStar_kind: return compile_try_star(c, s);
    case Assert_kind: return compile_assert(c, s);
    case Import_kind: return compile_import(c, s);
    case ImportFrom_kind: return compile_import_from(c, s);
    case Expr_kind: return compile_expr_stmt(c, s);
    case Pass_kind: return emit_abc(c, OP_NOP, 0, 0, 0);
    case Break_kind: return compile_break(c, s, 0);
    case Continue_kind: return compile_break(c, s, 1);
    default: return 1;          /* global, nonlocal */
    }
}

int compile_stmt(compiler_t *c, stmt_ty s)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = compile_statement(c, s);
    Py_LeaveRecursiveCall();
    return ok;
}

int compile_stmts(compiler_t *c, ast_stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < ast_len(body); i++)
        if (!compile_stmt(c, body->elements[i]))
            return 0;
    return 1;
}

/* A function's, class's or module's body: the documentation string and the annotations dict come first. */
int compile_body(compiler_t *c, ast_stmt_seq *body)
{
    unit_t *u = c->unit;
    Py_ssize_t first = 0;
    int in_function = u->scope->kind == SCOPE_FUNCTION;
    if (!in_function && ast_len(body) > 0)
        SET_POSITION(c, body->elements[0]);
    if (!in_function && has_annotations(body) && !emit_abc(c, OP_SETUP_ANNOTATIONS, 0, 0, 0))
        return 0;
    expr_ty doc = ast_docstring(body);
    if (doc != NULL && !(c->interactive && u->outer == NULL)) {
        first = 1;
        if (!in_function && c->optimize < 2) {
            int t = temp(c);
            SET_POSITION(c, doc);
            if (!load_const(c, t, doc->v.Constant.value) || !compile_store_name(c, STR(__doc__), t))
                return 0;
            set_depth(c, 0);
        }
    }
    for (Py_ssize_t i = first; i < ast_len(body); i++)
        if (!compile_stmt(c, body->elements[i]))
            return 0;
    return 1;
}
