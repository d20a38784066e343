/* Parses compound statements and their blocks. */
#include "parse.h"

/* After the colon: an indented block or a line of simple statements. `what` names the statement for the message about a missing
 * block, which began at line `lineno`. */
static ast_stmt_seq *parse_block_of(parser *p, const char *what, int lineno)
{
    int mark = p->stack_used;
    if (cur(p) != TOK_NEWLINE)
        return parse_simple_statements(p) ? parser_pop(p, mark) : NULL;
    p->t++;
    if (cur(p) != TOK_INDENT) {
        if (p->diagnosing && !p->error)
            parser_error(p, PyExc_IndentationError, "expected an indented block after %s on line %d", what, lineno);
        return NULL;
    }
    p->t++;
    if (!parser_enter(p))
        return NULL;
    int type;
    do {
        if (!parse_statement(p)) {
            parser_leave(p);
            return NULL;
        }
        type = cur(p);
    } while (type != TOK_DEDENT && type != TOK_ENDMARKER);
    parser_leave(p);
    if (type != TOK_DEDENT)         /* the input ended and blocks are to be closed by dedents only */
        return NULL;
    p->t++;
    return parser_pop(p, mark);
}

/* The colon that ends the head of a statement; at the end of the line its absence is told. */
static int accept_colon(parser *p)
{
    int type = cur(p);
    if (type == TOK_COLON) {
        p->t++;
        return 1;
    }
    if (type == TOK_NEWLINE && p->diagnosing && !p->error)
        parser_error(p, PyExc_SyntaxError, "expected ':'");
    return 0;
}

static PyObject *take_type_comment(parser *p)
{
    if (cur(p) != TOK_TYPE_COMMENT)
        return NULL;
    PyObject *text = parser_type_comment(p, tok(p));
    p->t++;
    return text;
}

/* ['else' ':' block] into *orelse. Returns 0 if it is malformed. */
static int parse_else(parser *p, ast_stmt_seq **orelse)
{
    const token *t = tok(p);
    if (t->type != TOK_ELSE) {
        *orelse = parser_pop(p, p->stack_used);
        return *orelse != NULL;
    }
    int lineno = t->lineno;
    p->t++;
    if (parser_expect_forced(p, TOK_COLON) == NULL)
        return 0;
    *orelse = parse_block_of(p, "'else' statement", lineno);
    return *orelse != NULL;
}

/* ---- if, while, for ---- */

/* if and elif; a chain is nested in orelse, filled from the outside in */
static stmt_ty parse_if(parser *p)
{
    stmt_ty outer = NULL, inner = NULL;
    int mark = p->stack_used, word = TOK_IF;
    do {
        const token *t = tok(p);
        int start = p->t, lineno = t->lineno;
        p->t++;
        expr_ty test = parse_named_expression(p);
        if (test == NULL || !accept_colon(p))
            return NULL;
        ast_stmt_seq *body = parse_block_of(p, word == TOK_IF ? "'if' statement" : "'elif' statement", lineno);
        stmt_ty s = body == NULL ? NULL : parser_new_stmt(p, If_kind, start);
        if (s == NULL)
            return NULL;
        s->v.If.test = test;
        s->v.If.body = body;
        s->v.If.orelse = NULL;
        if (inner != NULL && (inner->v.If.orelse = parser_singleton(p, s)) == NULL)
            return NULL;
        if (outer == NULL)
            outer = s;
        inner = s;
        if (!parser_push(p, s))
            return NULL;
        word = TOK_ELIF;
    } while (cur(p) == TOK_ELIF);
    if (!parse_else(p, &inner->v.If.orelse))
        return NULL;
    /* all of them end where the last one does */
    const token *last = parser_last_token(p);
    for (int i = mark; i < p->stack_used; i++) {
        stmt_ty s = p->stack[i];
        s->end_lineno = last->end_lineno;
        s->end_col_offset = last->end_col;
    }
    p->stack_used = mark;
    return outer;
}

static stmt_ty parse_while(parser *p, int start)
{
    int lineno = tok(p)->lineno;
    p->t++;
    expr_ty test = parse_named_expression(p);
    ast_stmt_seq *body, *orelse;
    if (test == NULL || !accept_colon(p))
        return NULL;
    body = parse_block_of(p, "'while' statement", lineno);
    if (body == NULL || !parse_else(p, &orelse))
        return NULL;
    stmt_ty s = parser_new_stmt(p, While_kind, start);
    if (s != NULL) {
        s->v.While.test = test;
        s->v.While.body = body;
        s->v.While.orelse = orelse;
    }
    return s;
}

static stmt_ty parse_for(parser *p, int start, int is_async)
{
    int lineno = tok(p)->lineno, after;
    p->t++;
    (void)tok(p);
    after = p->t;
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
    expr_ty iter = parse_star_expressions(p);
    if (iter == NULL || !accept_colon(p))
        return NULL;
    PyObject *comment = take_type_comment(p);
    ast_stmt_seq *body = parse_block_of(p, "'for' statement", lineno), *orelse;
    if (body == NULL || !parse_else(p, &orelse) || (is_async && !parser_allows(p, 5, "Async for loops are")))
        return NULL;
    stmt_ty s = parser_new_stmt(p, is_async ? AsyncFor_kind : For_kind, start);
    if (s != NULL) {        /* AsyncFor has the same layout */
        s->v.For.target = target;
        s->v.For.iter = iter;
        s->v.For.body = body;
        s->v.For.orelse = orelse;
        s->v.For.type_comment = comment;
    }
    return s;
}

/* ---- with ---- */

static withitem_ty parse_with_item(parser *p)
{
    expr_ty context = parse_expression(p), vars = NULL;
    if (context == NULL)
        return NULL;
    if (cur(p) == TOK_AS) {
        int before = p->t++;
        vars = parse_star_target(p);
        int type = vars == NULL ? TOK_ERRORTOKEN : cur(p);
        if (type != TOK_COMMA && type != TOK_RPAR && type != TOK_COLON && !(type == TOK_NEWLINE && p->diagnosing)) {
            if (p->error)
                return NULL;
            if (p->diagnosing) {
                p->t = before + 1;
                expr_ty wrong = parse_expression(p);
                type = wrong == NULL ? TOK_ERRORTOKEN : cur(p);
                if (!p->error && (type == TOK_COMMA || type == TOK_RPAR || type == TOK_COLON))
                    parser_error_target(p, wrong, TARGET_STAR);
                if (p->error)
                    return NULL;
            }
            p->t = before;
            vars = NULL;
        }
    }
    withitem_ty item = arena_alloc(p->arena, sizeof *item);
    if (item == NULL)
        return parser_out_of_memory(p);
    *item = (struct withitem){context, vars};
    return item;
}

/* '(' item, ... [','] ')' ':', or nothing with the position restored */
static ast_withitem_seq *parse_parenthesized_items(parser *p)
{
    int mark = p->stack_used, start = p->t;
    p->t++;
    for (;;) {
        withitem_ty item = parse_with_item(p);
        if (item == NULL || !parser_push(p, item))
            goto fail;
        if (!accept(p, TOK_COMMA) || cur(p) == TOK_RPAR)
            break;
    }
    if (!accept(p, TOK_RPAR))
        goto fail;
    if (cur(p) == TOK_NEWLINE && p->diagnosing && !p->error)
        parser_error(p, PyExc_SyntaxError, "expected ':'");
    if (cur(p) == TOK_COLON && peek(p) != TOK_TYPE_COMMENT)
        return parser_pop(p, mark);
fail:
    p->stack_used = mark;
    p->t = start;
    return NULL;
}

static stmt_ty parse_with(parser *p, int start, int is_async)
{
    int lineno = tok(p)->lineno, mark = p->stack_used;
    ast_withitem_seq *items = NULL;
    p->t++;
    if (cur(p) == TOK_LPAR)
        items = parse_parenthesized_items(p);
    if (p->error)
        return NULL;
    if (items == NULL) {
        do {
            withitem_ty item = parse_with_item(p);
            if (item == NULL || !parser_push(p, item))
                return NULL;
        } while (accept(p, TOK_COMMA));
        items = parser_pop(p, mark);
    }
    else if (!parser_allows(p, 9, "Parenthesized context managers are"))
        return NULL;
    if (items == NULL || !accept_colon(p))
        return NULL;
    PyObject *comment = take_type_comment(p);
    ast_stmt_seq *body = parse_block_of(p, "'with' statement", lineno);
    if (body == NULL || (is_async && !parser_allows(p, 5, "Async with statements are")))
        return NULL;
    stmt_ty s = parser_new_stmt(p, is_async ? AsyncWith_kind : With_kind, start);
    if (s != NULL) {
        s->v.With.items = items;
        s->v.With.body = body;
        s->v.With.type_comment = comment;
    }
    return s;
}

/* ---- try ---- */

static excepthandler_ty parse_handler(parser *p, int *star)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, start = p->t;
    expr_ty type = NULL;
    PyObject *name = NULL;
    p->t++;
    *star = accept(p, TOK_STAR);
    if (cur(p) != TOK_COLON || *star) {
        type = parse_expression(p);
        if (type == NULL)
            goto fail;
        if (accept(p, TOK_AS)) {
            t = tok(p);
            if (t->type != TOK_NAME || (name = parser_identifier(p, t)) == NULL)
                goto fail;
            p->t++;
        }
    }
    if (!accept(p, TOK_COLON))
        goto fail;
    ast_stmt_seq *body = parse_block_of(p, *star ? "'except*' statement" : "'except' statement", lineno);
    if (body == NULL)
        return NULL;
    excepthandler_ty h = arena_alloc(p->arena, sizeof *h);
    if (h == NULL)
        return parser_out_of_memory(p);
    const token *last = parser_last_token(p);
    h->kind = ExceptHandler_kind;
    h->lineno = lineno;
    h->col_offset = col;
    h->end_lineno = last->end_lineno;
    h->end_col_offset = last->end_col;
    h->v.ExceptHandler.type = type;
    h->v.ExceptHandler.name = name;
    h->v.ExceptHandler.body = body;
    return h;
fail:
    if (p->diagnosing && !p->error) {
        p->t = start;
        diagnose_except(p);
    }
    return NULL;
}

static stmt_ty parse_try(parser *p, int start)
{
    int lineno = tok(p)->lineno, mark = p->stack_used, star = 0, plain = 0;
    ast_stmt_seq *body, *orelse, *finalbody;
    p->t++;
    if (parser_expect_forced(p, TOK_COLON) == NULL)
        return NULL;
    int after = p->t;
    body = parse_block_of(p, "'try' statement", lineno);
    if (body == NULL) {
        if (p->diagnosing && !p->error) {       /* handlers right after the colon have their own mistakes */
            p->t = after;
            while (cur(p) == TOK_EXCEPT && parse_handler(p, &star) != NULL)
                ;
        }
        return NULL;
    }
    while (cur(p) == TOK_EXCEPT) {
        int this_star;
        if ((star && peek(p) != TOK_STAR) || (plain && peek(p) == TOK_STAR)) {
            if (p->diagnosing && !p->error)
                diagnose_except(p);
            if (p->diagnosing && !p->error)
                diagnose_mixed_handler(p);
            return NULL;
        }
        excepthandler_ty h = parse_handler(p, &this_star);
        if (h == NULL || !parser_push(p, h))
            return NULL;
        star |= this_star;
        plain |= !this_star;
        if (this_star && !parser_allows(p, 11, "Exception groups are"))
            return NULL;
    }
    ast_excepthandler_seq *handlers = parser_pop(p, mark);
    if (handlers == NULL)
        return NULL;
    if (handlers->size > 0) {
        if (!parse_else(p, &orelse))
            return NULL;
    }
    else {
        if (cur(p) != TOK_FINALLY) {
            if (p->diagnosing && !p->error)
                parser_error(p, PyExc_SyntaxError, "expected 'except' or 'finally' block");
            return NULL;
        }
        orelse = parser_pop(p, mark);
    }
    const token *t = tok(p);
    if (t->type == TOK_FINALLY) {
        lineno = t->lineno;
        p->t++;
        if (parser_expect_forced(p, TOK_COLON) == NULL)
            return NULL;
        finalbody = parse_block_of(p, "'finally' statement", lineno);
    }
    else
        finalbody = parser_pop(p, mark);
    if (orelse == NULL || finalbody == NULL)
        return NULL;
    stmt_ty s = parser_new_stmt(p, star ? TryStar_kind : Try_kind, start);
    if (s != NULL) {        /* TryStar has the same layout */
        s->v.Try.body = body;
        s->v.Try.handlers = handlers;
        s->v.Try.orelse = orelse;
        s->v.Try.finalbody = finalbody;
    }
    return s;
}

/* ---- definitions ---- */

/* The type comment of a function stands on the line of the colon or alone on the next one. */
static int take_function_comment(parser *p, PyObject **comment)
{
    *comment = NULL;
    if (!(p->flags & PyCF_TYPE_COMMENTS))
        return 1;
    if (cur(p) == TOK_TYPE_COMMENT) {
        *comment = take_type_comment(p);
        if (*comment == NULL)
            return 0;
        if (cur(p) == TOK_NEWLINE && peek(p) == TOK_TYPE_COMMENT) {
            p->t += 2;
            if (cur(p) == TOK_NEWLINE && peek(p) == TOK_INDENT)
                parser_error(p, PyExc_SyntaxError, "Cannot have two type comments on def");
            return 0;
        }
        return 1;
    }
    if (cur(p) == TOK_NEWLINE && peek(p) == TOK_TYPE_COMMENT) {
        int start = p->t++;
        *comment = take_type_comment(p);
        if (*comment == NULL)
            return 0;
        if (!(cur(p) == TOK_NEWLINE && peek(p) == TOK_INDENT)) {
            p->t = start;
            *comment = NULL;
        }
    }
    return 1;
}

static stmt_ty parse_function(parser *p, int start, int is_async, ast_expr_seq *decorators)
{
    int lineno = tok(p)->lineno;
    p->t++;
    const token *t = tok(p);
    PyObject *name, *comment = NULL;
    if (t->type != TOK_NAME || (name = parser_identifier(p, t)) == NULL)
        return NULL;
    p->t++;
    if (parser_expect_forced(p, TOK_LPAR) == NULL)
        return NULL;
    arguments_ty args = parse_parameters(p, 0);
    if (args == NULL || !accept(p, TOK_RPAR))
        return NULL;
    expr_ty returns = NULL;
    if (cur(p) == TOK_RARROW) {
        int before = p->t++;
        returns = parse_expression(p);
        if (returns == NULL)
            p->t = before;                  /* the colon is missed before the arrow */
    }
    if (parser_expect_forced(p, TOK_COLON) == NULL || !take_function_comment(p, &comment))
        return NULL;
    ast_stmt_seq *body = parse_block_of(p, "function definition", lineno);
    if (body == NULL || (is_async && !parser_allows(p, 5, "Async functions are")))
        return NULL;
    stmt_ty s = parser_new_stmt(p, is_async ? AsyncFunctionDef_kind : FunctionDef_kind, start);
    if (s != NULL) {        /* AsyncFunctionDef has the same layout */
        s->v.FunctionDef.name = name;
        s->v.FunctionDef.args = args;
        s->v.FunctionDef.body = body;
        s->v.FunctionDef.decorator_list = decorators;
        s->v.FunctionDef.returns = returns;
        s->v.FunctionDef.type_comment = comment;
    }
    return s;
}

static stmt_ty parse_class(parser *p, int start, ast_expr_seq *decorators)
{
    int lineno = tok(p)->lineno;
    p->t++;
    const token *t = tok(p);
    PyObject *name;
    ast_expr_seq *bases;
    ast_keyword_seq *keywords;
    if (t->type != TOK_NAME || (name = parser_identifier(p, t)) == NULL)
        return NULL;
    p->t++;
    if (accept(p, TOK_LPAR)) {
        if (!parse_call_arguments(p, -1, &bases, &keywords) || !accept(p, TOK_RPAR))
            return NULL;
    }
    else {
        bases = parser_pop(p, p->stack_used);
        keywords = parser_pop(p, p->stack_used);
    }
    if (bases == NULL || keywords == NULL || !accept_colon(p))
        return NULL;
    ast_stmt_seq *body = parse_block_of(p, "class definition", lineno);
    stmt_ty s = body == NULL ? NULL : parser_new_stmt(p, ClassDef_kind, start);
    if (s != NULL) {
        s->v.ClassDef.name = name;
        s->v.ClassDef.bases = bases;
        s->v.ClassDef.keywords = keywords;
        s->v.ClassDef.body = body;
        s->v.ClassDef.decorator_list = decorators;
    }
    return s;
}

/* decorators, then a class or function; its position is that of the word class, def or async */
static stmt_ty parse_definition(parser *p)
{
    int mark = p->stack_used;
    while (accept(p, TOK_AT)) {
        expr_ty e = parse_named_expression(p);
        if (e == NULL || !accept(p, TOK_NEWLINE) || !parser_push(p, e))
            return NULL;
    }
    ast_expr_seq *decorators = parser_pop(p, mark);
    if (decorators == NULL)
        return NULL;
    int type = cur(p), start = p->t;
    if (type == TOK_CLASS)
        return parse_class(p, start, decorators);
    if (type == TOK_DEF)
        return parse_function(p, start, 0, decorators);
    if (type == TOK_ASYNC && peek(p) == TOK_DEF) {
        p->t++;
        return parse_function(p, start, 1, decorators);
    }
    return NULL;
}

/* Pushes a compound statement: 1; 0: the current token begins none; -1: it begins one that does not match. */
int parse_compound_statement(parser *p)
{
    stmt_ty s;
    int type = cur(p), start = p->t;
    switch (type) {
    case TOK_NAME:
        if (!at_word(p, "match", 5))
            return 0;
        s = parse_match(p);
        if (s == NULL)
            return p->error ? -1 : 0;
        break;
    case TOK_IF: s = parse_if(p); break;
    case TOK_WHILE: s = parse_while(p, start); break;
    case TOK_FOR: s = parse_for(p, start, 0); break;
    case TOK_TRY: s = parse_try(p, start); break;
    case TOK_WITH: s = parse_with(p, start, 0); break;
    case TOK_DEF:
    case TOK_CLASS:
    case TOK_AT: s = parse_definition(p); break;
    case TOK_ASYNC:
        switch (peek(p)) {
        case TOK_DEF: s = parse_definition(p); break;
        case TOK_FOR: p->t++; s = parse_for(p, start, 1); break;
        case TOK_WITH: p->t++; s = parse_with(p, start, 1); break;
        default: return -1;
        }
        break;
    default: return 0;
    }
    if (s == NULL || p->error || !parser_push(p, s))
        return -1;
    return 1;
}

ast_stmt_seq *parse_case_block(parser *p, int lineno)
{
    return parse_block_of(p, "'case' statement", lineno);
}
