/* Parses atoms and what may follow them: displays, comprehensions, groups; attributes, subscripts, calls. */
#include "parse.h"

/* ---- comprehensions ---- */

static comprehension_ty parse_for_if_clause(parser *p)
{
    int is_async = 0;
    if (cur(p) == TOK_ASYNC) {
        if (peek(p) != TOK_FOR)
            return NULL;
        p->t++;
        is_async = 1;
    }
    if (!accept(p, TOK_FOR))
        return NULL;
    int after = p->t;
    expr_ty target = parse_star_targets(p);
    if (target == NULL || cur(p) != TOK_IN) {
        if (p->diagnosing && !p->error) {
            p->t = after;
            expr_ty wrong = parse_star_expressions(p);
            if (wrong != NULL)
                parser_error_target(p, wrong, TARGET_FOR);
        }
        return NULL;
    }
    p->t++;
    expr_ty iter = parse_disjunction(p);
    if (iter == NULL)
        return NULL;
    int mark = p->stack_used;
    while (cur(p) == TOK_IF) {
        int before = p->t++;
        expr_ty test = parse_disjunction(p);
        if (test == NULL) {
            p->t = before;
            break;
        }
        if (!parser_push(p, test))
            return NULL;
    }
    if (p->error || (is_async && !parser_allows(p, 6, "Async comprehensions are")))
        return NULL;
    comprehension_ty c = arena_alloc(p->arena, sizeof *c);
    ast_expr_seq *ifs = parser_pop(p, mark);
    if (c == NULL || ifs == NULL)
        return parser_out_of_memory(p);
    *c = (struct comprehension){target, iter, ifs, is_async};
    return c;
}

ast_comprehension_seq *parse_for_if_clauses(parser *p)
{
    int mark = p->stack_used;
    do {
        int before = p->t;
        comprehension_ty c = parse_for_if_clause(p);
        if (c == NULL) {
            p->t = before;
            break;
        }
        if (!parser_push(p, c))
            return NULL;
    } while (cur(p) == TOK_FOR || cur(p) == TOK_ASYNC);
    if (p->error || p->stack_used == mark) {
        p->stack_used = mark;
        return NULL;
    }
    return parser_pop(p, mark);
}

static inline int at_for(parser *p)
{
    int type = cur(p);
    return type == TOK_FOR || type == TOK_ASYNC;
}

static expr_ty new_comprehension(parser *p, enum expr_kind kind, expr_ty elt, ast_comprehension_seq *generators, int lineno, int col)
{
    expr_ty e = parser_new_expr(p, kind, lineno, col);
    if (e != NULL) {        /* the three kinds have one layout */
        e->v.ListComp.elt = elt;
        e->v.ListComp.generators = generators;
    }
    return e;
}

/* ---- displays ---- */

/* After the first element: (',' element)* [','], pushed onto the stack from mark on. Returns 0 on an error. */
static int push_elements(parser *p, expr_ty first)
{
    if (!parser_push(p, first))
        return 0;
    while (accept(p, TOK_COMMA)) {
        int after = p->t;
        int type = cur(p);
        if (type == TOK_RPAR || type == TOK_RSQB || type == TOK_RBRACE)
            break;
        expr_ty next = parse_star_named_expression(p);
        if (next == NULL) {
            p->t = after;
            break;
        }
        if (!parser_push(p, next))
            return 0;
    }
    return !p->error;
}

/* '(': tuple, group or generator expression */
static expr_ty parse_paren(parser *p)
{
    const token *t = tok(p);
    int open = p->t, lineno = t->lineno, col = t->col, mark = p->stack_used;
    expr_ty e = NULL;
    p->t++;
    if (accept(p, TOK_RPAR)) {
        ast_expr_seq *none = parser_pop(p, mark);
        e = none == NULL ? NULL : parser_new_expr(p, Tuple_kind, lineno, col);
        if (e != NULL) {
            e->v.Tuple.elts = none;
            e->v.Tuple.ctx = Load;
        }
        return e;
    }
    if (cur(p) == TOK_YIELD) {
        e = parse_yield(p);
        if (e != NULL && accept(p, TOK_RPAR))
            return e;
    }
    else if ((e = parse_star_named_expression(p)) != NULL) {
        int type = cur(p);
        if (type == TOK_COMMA) {
            if (!push_elements(p, e))
                return NULL;
            ast_expr_seq *elts = parser_pop(p, mark);
            if (elts != NULL && accept(p, TOK_RPAR)) {
                e = parser_new_expr(p, Tuple_kind, lineno, col);
                if (e != NULL) {
                    e->v.Tuple.elts = elts;
                    e->v.Tuple.ctx = Load;
                }
                return e;
            }
        }
        else if (type == TOK_RPAR && e->kind != Starred_kind) {
            p->t++;
            return e;
        }
        else if (at_for(p) && e->kind != Starred_kind) {
            ast_comprehension_seq *generators = parse_for_if_clauses(p);
            if (generators != NULL && accept(p, TOK_RPAR))
                return new_comprehension(p, GeneratorExp_kind, e, generators, lineno, col);
        }
    }
    if (p->diagnosing && !p->error) {
        p->stack_used = mark;
        diagnose_group(p, open);
        if (!p->error)
            diagnose_comprehension(p, open);
    }
    return NULL;
}

/* '[': list or list comprehension */
static expr_ty parse_list(parser *p)
{
    const token *t = tok(p);
    int open = p->t, lineno = t->lineno, col = t->col, mark = p->stack_used;
    expr_ty e = NULL;
    p->t++;
    if (cur(p) != TOK_RSQB) {
        e = parse_star_named_expression(p);
        if (e == NULL)
            goto fail;
        if (e->kind != Starred_kind && at_for(p)) {
            ast_comprehension_seq *generators = parse_for_if_clauses(p);
            if (generators == NULL || !accept(p, TOK_RSQB))
                goto fail;
            return new_comprehension(p, ListComp_kind, e, generators, lineno, col);
        }
        if (!push_elements(p, e))
            return NULL;
    }
    ast_expr_seq *elts = parser_pop(p, mark);
    if (elts == NULL)
        return NULL;
    if (!accept(p, TOK_RSQB))
        goto fail;
    e = parser_new_expr(p, List_kind, lineno, col);
    if (e != NULL) {
        e->v.List.elts = elts;
        e->v.List.ctx = Load;
    }
    return e;
fail:
    if (p->diagnosing && !p->error) {
        p->stack_used = mark;
        diagnose_comprehension(p, open);
    }
    return NULL;
}

/* The rest of a dict display after its first key or value was read; keys and values alternate on the stack. */
static expr_ty finish_dict(parser *p, int mark, int lineno, int col)
{
    while (accept(p, TOK_COMMA) && cur(p) != TOK_RBRACE) {
        expr_ty key = NULL, value;
        if (accept(p, TOK_DOUBLESTAR))
            value = parse_bitwise_or(p);
        else {
            key = parse_expression(p);
            if (key == NULL || !accept(p, TOK_COLON))
                return NULL;
            value = parse_expression(p);
        }
        if (value == NULL || !parser_push(p, key) || !parser_push(p, value))
            return NULL;
    }
    if (!accept(p, TOK_RBRACE))
        return NULL;
    int n = (p->stack_used - mark) / 2;
    ast_expr_seq *keys = (ast_expr_seq *)ast_seq_new(n, p->arena), *values = (ast_expr_seq *)ast_seq_new(n, p->arena);
    if (keys == NULL || values == NULL)
        return parser_out_of_memory(p);
    for (int i = 0; i < n; i++) {
        keys->elements[i] = p->stack[mark + 2 * i];
        values->elements[i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_used = mark;
    expr_ty e = parser_new_expr(p, Dict_kind, lineno, col);
    if (e != NULL) {
        e->v.Dict.keys = keys;
        e->v.Dict.values = values;
    }
    return e;
}

static expr_ty parse_set(parser *p, expr_ty first, int lineno, int col)
{
    int mark = p->stack_used;
    if (first->kind != Starred_kind && at_for(p)) {
        ast_comprehension_seq *generators = parse_for_if_clauses(p);
        if (generators == NULL || !accept(p, TOK_RBRACE))
            return NULL;
        return new_comprehension(p, SetComp_kind, first, generators, lineno, col);
    }
    if (!push_elements(p, first))
        return NULL;
    ast_expr_seq *elts = parser_pop(p, mark);
    if (elts == NULL || !accept(p, TOK_RBRACE))
        return NULL;
    expr_ty e = parser_new_expr(p, Set_kind, lineno, col);
    if (e != NULL)
        e->v.Set.elts = elts;
    return e;
}

static expr_ty parse_brace_plain(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, mark = p->stack_used;
    p->t++;
    int type = cur(p);
    if (type == TOK_RBRACE)
        return finish_dict(p, mark, lineno, col);
    if (type == TOK_DOUBLESTAR) {
        p->t++;
        expr_ty value = parse_bitwise_or(p);
        if (value == NULL || !parser_push(p, NULL) || !parser_push(p, value))
            return NULL;
        return finish_dict(p, mark, lineno, col);
    }
    if (type == TOK_STAR || (type == TOK_NAME && peek(p) == TOK_COLONEQUAL)) {
        expr_ty first = parse_star_named_expression(p);
        return first == NULL ? NULL : parse_set(p, first, lineno, col);
    }
    int first_token = p->t;
    expr_ty first = parse_expression(p);
    if (first == NULL)
        return NULL;
    if (!accept(p, TOK_COLON)) {
        if (p->diagnosing) {        /* a set's element has mistakes of its own */
            p->t = first_token;
            first = parse_named_expression(p);
            if (first == NULL)
                return NULL;
        }
        return cur(p) == TOK_COLONEQUAL ? NULL : parse_set(p, first, lineno, col);
    }
    expr_ty value = parse_expression(p);
    if (value == NULL)
        return NULL;
    if (at_for(p)) {
        ast_comprehension_seq *generators = parse_for_if_clauses(p);
        if (generators == NULL || !accept(p, TOK_RBRACE))
            return NULL;
        expr_ty e = parser_new_expr(p, DictComp_kind, lineno, col);
        if (e != NULL) {
            e->v.DictComp.key = first;
            e->v.DictComp.value = value;
            e->v.DictComp.generators = generators;
        }
        return e;
    }
    if (!parser_push(p, first) || !parser_push(p, value))
        return NULL;
    return finish_dict(p, mark, lineno, col);
}

/* '{': dict, set or their comprehensions */
static expr_ty parse_brace(parser *p)
{
    (void)tok(p);
    int open = p->t, mark = p->stack_used;
    expr_ty e = parse_brace_plain(p);
    if (e == NULL && p->second_pass && !p->error) {
        p->stack_used = mark;
        diagnose_dict(p, open);
        if (p->diagnosing && !p->error)
            diagnose_comprehension(p, open);
    }
    return e;
}

/* ---- atoms ---- */

expr_ty parser_new_constant(parser *p, PyObject *value, int lineno, int col, int end_lineno, int end_col)
{
    if (arena_keep_steal(p->arena, value) < 0)
        return parser_out_of_memory(p);
    expr_ty e = arena_alloc(p->arena, sizeof(struct expr));
    if (e == NULL)
        return parser_out_of_memory(p);
    e->kind = Constant_kind;
    e->lineno = lineno;
    e->col_offset = col;
    e->end_lineno = end_lineno;
    e->end_col_offset = end_col;
    e->v.Constant.value = value;
    e->v.Constant.kind = NULL;
    return e;
}

static expr_ty parse_singleton(parser *p, PyObject *value)
{
    const token *t = tok(p);
    p->t++;
    expr_ty e = parser_new_expr(p, Constant_kind, t->lineno, t->col);
    if (e != NULL) {
        e->v.Constant.value = value;
        e->v.Constant.kind = NULL;
    }
    return e;
}

expr_ty parse_atom(parser *p)
{
    const token *t = tok(p);
    expr_ty e;
    switch (t->type) {
    case TOK_NAME: {
        PyObject *id = parser_identifier(p, t);
        if (id == NULL)
            return NULL;
        p->t++;
        e = parser_new_expr(p, Name_kind, t->lineno, t->col);
        if (e != NULL) {
            e->v.Name.id = id;
            e->v.Name.ctx = Load;
        }
        return e;
    }
    case TOK_NUMBER: return parse_number(p);
    case TOK_STRING: return parse_strings(p);
    case TOK_NONE: return parse_singleton(p, Py_None);
    case TOK_TRUE: return parse_singleton(p, Py_True);
    case TOK_FALSE: return parse_singleton(p, Py_False);
    case TOK_ELLIPSIS: return parse_singleton(p, Py_Ellipsis);
    case TOK_LPAR:
    case TOK_LSQB:
    case TOK_LBRACE: {
        int type = t->type;
        if (!parser_enter(p))
            return NULL;
        e = type == TOK_LPAR ? parse_paren(p) : type == TOK_LSQB ? parse_list(p) : parse_brace(p);
        parser_leave(p);
        return e;
    }
    default: return NULL;
    }
}

/* ---- calls ---- */

static keyword_ty new_keyword(parser *p, PyObject *arg, expr_ty value, int lineno, int col)
{
    keyword_ty k = arena_alloc(p->arena, sizeof *k);
    if (k == NULL)
        return parser_out_of_memory(p);
    const token *last = previous(p);
    *k = (struct keyword){lineno, col, last->end_lineno, last->end_col, arg, value};
    return k;
}

/* How far the arguments of a call have come. */
enum argument_state { ARGS_POSITIONAL, ARGS_KEYWORD, ARGS_DOUBLE_STAR };

/* One argument. Sets *is_keyword; NULL with no error: none parses here in this state. */
static void *parse_argument(parser *p, enum argument_state *state, int *is_keyword)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    *is_keyword = 0;
    if (t->type == TOK_DOUBLESTAR) {
        p->t++;
        expr_ty value = parse_expression(p);
        *is_keyword = 1;
        *state = ARGS_DOUBLE_STAR;
        return value == NULL ? NULL : new_keyword(p, NULL, value, lineno, col);
    }
    if (t->type == TOK_STAR) {
        if (*state == ARGS_DOUBLE_STAR)
            return NULL;
        return parse_starred_expression(p);
    }
    if (t->type == TOK_NAME && peek(p) == TOK_EQUAL) {
        t = tok(p);
        if (p->diagnosing) {
            diagnose_keyword_argument(p);
            if (p->error)
                return NULL;
        }
        PyObject *name = parser_identifier(p, t);
        if (name == NULL)
            return NULL;
        p->t += 2;
        expr_ty value = parse_expression(p);
        *is_keyword = 1;
        if (*state == ARGS_POSITIONAL)
            *state = ARGS_KEYWORD;
        return value == NULL ? NULL : new_keyword(p, name, value, lineno, col);
    }
    if (p->diagnosing) {
        int start = p->t;
        if (*state == ARGS_POSITIONAL) {
            expr_ty e = cur(p) == TOK_NAME && peek(p) == TOK_COLONEQUAL ? parse_named_expression(p) : parse_expression(p);
            if (e != NULL && cur(p) != TOK_COLONEQUAL && cur(p) != TOK_EQUAL)
                return e;
            if (p->error)
                return NULL;
            p->t = start;
        }
        diagnose_keyword_argument(p);
        return NULL;
    }
    if (*state != ARGS_POSITIONAL)
        return NULL;
    expr_ty e = parse_named_expression(p);
    return e != NULL && cur(p) == TOK_EQUAL ? NULL : e;
}

/* args [','] up to the closing parenthesis, which stays; `open` is the index of the opening one, or -1 where a
 * generator expression is not allowed.
 * Returns 1, or 0 if there is something else (or an error). */
static int parse_arguments_plain(parser *p, int open, ast_expr_seq **args_out, ast_keyword_seq **keywords_out)
{
    enum argument_state state = ARGS_POSITIONAL;
    int mark = p->stack_used, n_keywords = 0, n = 0;
    /* the low bit of a stack entry marks a keyword */
    while (cur(p) != TOK_RPAR) {
        int is_keyword;
        char *node = parse_argument(p, &state, &is_keyword);
        if (node == NULL)
            goto fail;
        if (n == 0 && open >= 0 && !is_keyword && at_for(p) && ((expr_ty)node)->kind != Starred_kind) {
            ast_comprehension_seq *generators = parse_for_if_clauses(p);
            if (generators == NULL || cur(p) != TOK_RPAR)
                goto fail;
            p->t++;
            const token *t = &p->tokens[open];
            node = (char *)new_comprehension(p, GeneratorExp_kind, (expr_ty)node, generators, t->lineno, t->col);
            p->t--;
            if (node == NULL || !parser_push(p, node))
                goto fail;
            break;
        }
        if (!parser_push(p, node + (is_keyword ? 1 : 0)))
            goto fail;
        n++;
        n_keywords += is_keyword;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (cur(p) != TOK_RPAR)
        goto fail;
    n = p->stack_used - mark;
    ast_expr_seq *args = (ast_expr_seq *)ast_seq_new(n - n_keywords, p->arena);
    ast_keyword_seq *keywords = (ast_keyword_seq *)ast_seq_new(n_keywords, p->arena);
    if (args == NULL || keywords == NULL) {
        parser_out_of_memory(p);
        goto fail;
    }
    Py_ssize_t a = 0, k = 0;
    for (int i = 0; i < n; i++) {
        char *node = p->stack[mark + i];
        if ((intptr_t)node & 1)
            keywords->elements[k++] = (keyword_ty)(node - 1);
        else
            args->elements[a++] = (expr_ty)node;
    }
    *args_out = args;
    *keywords_out = keywords;
    p->stack_used = mark;
    return 1;
fail:
    p->stack_used = mark;
    return 0;
}

int parse_call_arguments(parser *p, int open, ast_expr_seq **args, ast_keyword_seq **keywords)
{
    int start = p->t;
    if (parse_arguments_plain(p, open, args, keywords))
        return 1;
    if (p->diagnosing && !p->error) {
        p->t = start;
        diagnose_arguments(p);
    }
    return 0;
}

/* ---- primaries ---- */

static expr_ty parse_slice(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, start = p->t;
    expr_ty lower = NULL, upper = NULL, step = NULL;
    if (t->type == TOK_STAR)
        return parse_starred_expression(p);
    if (t->type != TOK_COLON) {
        lower = parse_named_expression(p);
        if (lower == NULL || cur(p) != TOK_COLON)
            return p->error ? NULL : lower;
        if (lower->kind == NamedExpr_kind && p->tokens[start].type == TOK_NAME)
            return lower;
    }
    p->t++;
    int type = cur(p);
    if (type != TOK_COLON && type != TOK_COMMA && type != TOK_RSQB) {
        upper = parse_expression(p);
        if (upper == NULL)
            return NULL;
    }
    if (accept(p, TOK_COLON)) {
        type = cur(p);
        if (type != TOK_COMMA && type != TOK_RSQB) {
            step = parse_expression(p);
            if (step == NULL)
                return NULL;
        }
    }
    expr_ty e = parser_new_expr(p, Slice_kind, lineno, col);
    if (e != NULL) {
        e->v.Slice.lower = lower;
        e->v.Slice.upper = upper;
        e->v.Slice.step = step;
    }
    return e;
}

/* What stands between the brackets of a subscript. */
static expr_ty parse_slices(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    expr_ty first = parse_slice(p);
    if (first == NULL || (cur(p) != TOK_COMMA && first->kind != Starred_kind))
        return p->error ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (accept(p, TOK_COMMA)) {
        if (cur(p) == TOK_RSQB)
            break;
        expr_ty next = parse_slice(p);
        if (next == NULL || !parser_push(p, next))
            return NULL;
    }
    ast_expr_seq *elts = parser_pop(p, mark);
    expr_ty e = elts == NULL ? NULL : parser_new_expr(p, Tuple_kind, lineno, col);
    if (e != NULL) {
        e->v.Tuple.elts = elts;
        e->v.Tuple.ctx = Load;
    }
    return e;
}

/* One trailer after `value`: the larger primary, or NULL (position restored unless there is an error). */
static expr_ty parse_trailer(parser *p, int first, expr_ty value)
{
    int start = p->t;
    expr_ty e;
    switch (cur(p)) {
    case TOK_DOT: {
        p->t++;
        const token *t = tok(p);
        if (t->type != TOK_NAME)
            break;
        PyObject *name = parser_identifier(p, t);
        if (name == NULL)
            return NULL;
        p->t++;
        e = parser_expr_from(p, Attribute_kind, first);
        if (e != NULL) {
            e->v.Attribute.value = value;
            e->v.Attribute.attr = name;
            e->v.Attribute.ctx = Load;
        }
        return e;
    }
    case TOK_LPAR: {
        ast_expr_seq *args;
        ast_keyword_seq *keywords;
        p->t++;
        if (!parse_call_arguments(p, start, &args, &keywords) || !accept(p, TOK_RPAR))
            break;
        e = parser_expr_from(p, Call_kind, first);
        if (e != NULL) {
            e->v.Call.func = value;
            e->v.Call.args = args;
            e->v.Call.keywords = keywords;
        }
        return e;
    }
    case TOK_LSQB: {
        p->t++;
        expr_ty slice = parse_slices(p);
        if (slice == NULL || !accept(p, TOK_RSQB))
            break;
        e = parser_expr_from(p, Subscript_kind, first);
        if (e != NULL) {
            e->v.Subscript.value = value;
            e->v.Subscript.slice = slice;
            e->v.Subscript.ctx = Load;
        }
        return e;
    }
    default: return NULL;
    }
    p->t = start;
    return NULL;
}

static expr_ty parse_plain_primary(parser *p)
{
    int start = p->t;
    expr_ty e = parse_atom(p);
    if (e == NULL)
        return NULL;
    for (;;) {
        int type = cur(p);
        if (type != TOK_DOT && type != TOK_LPAR && type != TOK_LSQB && !(type == TOK_LBRACE && p->diagnosing))
            return p->error ? NULL : e;
        int mark = p->stack_used;
        if (p->diagnosing && type != TOK_DOT) {
            int here = p->t;
            diagnose_comprehension(p, here);
            if (p->error)
                return NULL;
            p->t = here;
            p->stack_used = mark;
        }
        expr_ty longer = type == TOK_LBRACE ? NULL : parse_trailer(p, start, e);
        if (longer == NULL) {
            p->stack_used = mark;
            return p->error ? NULL : e;
        }
        e = longer;
    }
}

expr_ty parse_primary(parser *p)
{
    if (!p->second_pass)
        return parse_plain_primary(p);
    void *known;
    if (parser_recall(p, RULE_PRIMARY, &known))
        return known;
    int start = p->t;
    return parser_remember(p, RULE_PRIMARY, start, parse_plain_primary(p));
}
