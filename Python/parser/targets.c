/* Assignment targets: which expressions can be one, and parsing them where an expression would swallow too much. */
#include "parse.h"

/* Turns a parsed expression into a target in place. NULL: it cannot be one. */
expr_ty parser_set_context(parser *p, expr_ty e, expr_context_ty ctx, enum target_use use)
{
    ast_expr_seq *elts;
    switch (e->kind) {
    case Name_kind: e->v.Name.ctx = ctx; return e;
    case Attribute_kind: e->v.Attribute.ctx = ctx; return e;
    case Subscript_kind: e->v.Subscript.ctx = ctx; return e;
    case Starred_kind:
        if (use == TARGET_DEL || e->v.Starred.value->kind == Starred_kind)
            return NULL;
        e->v.Starred.ctx = ctx;
        return parser_set_context(p, e->v.Starred.value, ctx, use) == NULL ? NULL : e;
    case Tuple_kind:
        e->v.Tuple.ctx = ctx;
        elts = e->v.Tuple.elts;
        break;
    case List_kind:
        e->v.List.ctx = ctx;
        elts = e->v.List.elts;
        break;
    default: return NULL;
    }
    for (Py_ssize_t i = 0; i < ast_len(elts); i++)
        if (parser_set_context(p, elts->elements[i], ctx, use) == NULL)
            return NULL;
    return e;
}

/* ['*'] primary that can be assigned to; the position after it. await and names of keywords do not start one. */
expr_ty parse_star_target(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    if (t->type == TOK_STAR) {
        p->t++;
        if (cur(p) == TOK_STAR)
            return NULL;
        expr_ty value = parse_star_target(p);
        if (value == NULL)
            return NULL;
        expr_ty e = parser_new_expr(p, Starred_kind, lineno, col);
        if (e != NULL) {
            e->v.Starred.value = value;
            e->v.Starred.ctx = Store;
        }
        return e;
    }
    int type = t->type;
    if (type != TOK_NAME && type != TOK_LPAR && type != TOK_LSQB && type != TOK_STRING && type != TOK_NUMBER &&
        type != TOK_LBRACE && type != TOK_ELLIPSIS && type != TOK_NONE && type != TOK_TRUE && type != TOK_FALSE)
        return NULL;
    expr_ty e = parse_primary(p);
    if (e == NULL)
        return NULL;
    if (p->diagnosing) {            /* the same node may be wanted as a value later: change a copy */
        if (e->kind == Name_kind || e->kind == Attribute_kind || e->kind == Subscript_kind) {
            expr_ty copy = arena_alloc(p->arena, sizeof *copy);
            if (copy == NULL)
                return parser_out_of_memory(p);
            *copy = *e;
            e = copy;
        }
    }
    return parser_set_context(p, e, Store, TARGET_STAR);
}

expr_ty parse_star_targets(parser *p)
{
    int start = p->t;
    expr_ty first = parse_star_target(p);
    if (first == NULL || cur(p) != TOK_COMMA)
        return p->error ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (accept(p, TOK_COMMA)) {
        int after = p->t;
        expr_ty next = parse_star_target(p);
        if (next == NULL) {
            p->t = after;
            break;
        }
        if (!parser_push(p, next))
            return NULL;
    }
    if (p->error)
        return NULL;
    ast_expr_seq *elts = parser_pop(p, mark);
    expr_ty e = elts == NULL ? NULL : parser_expr_from(p, Tuple_kind, start);
    if (e != NULL) {
        e->v.Tuple.elts = elts;
        e->v.Tuple.ctx = Store;
    }
    return e;
}

/* The first part of an expression that cannot be a target, or NULL. */
expr_ty parser_find_invalid_target(expr_ty e, enum target_use use)
{
    ast_expr_seq *elts;
    switch (e->kind) {
    case Name_kind:
    case Attribute_kind:
    case Subscript_kind: return NULL;
    case Starred_kind: return use == TARGET_DEL ? e : parser_find_invalid_target(e->v.Starred.value, use);
    case Compare_kind:              /* `for f() in x`: the part before in */
        if (use == TARGET_FOR)
            return e->v.Compare.ops->elements[0] == In ? parser_find_invalid_target(e->v.Compare.left, use) : NULL;
        return e;
    case List_kind: elts = e->v.List.elts; break;
    case Tuple_kind: elts = e->v.Tuple.elts; break;
    default: return e;
    }
    for (Py_ssize_t i = 0; i < ast_len(elts); i++) {
        expr_ty bad = parser_find_invalid_target(elts->elements[i], use);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

void *parser_error_target(parser *p, expr_ty e, enum target_use use)
{
    expr_ty bad = parser_find_invalid_target(e, use);
    if (bad == NULL)
        return NULL;
    if (use == TARGET_STAR || use == TARGET_FOR)
        return parser_error_range(p, bad, bad, "cannot assign to %s", parser_expr_name(bad));
    return parser_error_range(p, bad, bad, "cannot delete %s", parser_expr_name(bad));
}
