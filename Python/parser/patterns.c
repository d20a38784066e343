/* Parses match statements and their patterns. */
#include "parse.h"

static pattern_ty parse_pattern(parser *p);
static pattern_ty parse_or_pattern(parser *p);

static pattern_ty new_pattern(parser *p, enum pattern_kind kind, int lineno, int col)
{
    pattern_ty n = arena_alloc(p->arena, sizeof *n);
    if (n == NULL)
        return parser_out_of_memory(p);
    const token *last = previous(p);
    *n = (struct pattern){.kind = kind, .lineno = lineno, .col_offset = col, .end_lineno = last->end_lineno,
                          .end_col_offset = last->end_col};
    return n;
}

/* A name that captures: not _, and not the start of a dotted name, call or keyword. Its identifier, or NULL with nothing read. */
static PyObject *take_capture(parser *p)
{
    if (cur(p) != TOK_NAME || at_word(p, "_", 1))
        return NULL;
    int next = peek(p);
    if (next == TOK_DOT || next == TOK_LPAR || next == TOK_EQUAL)
        return NULL;
    PyObject *name = parser_identifier(p, tok(p));
    if (name != NULL)
        p->t++;
    return name;
}

/* ---- literals ---- */

static expr_ty parse_signed_number(parser *p)
{
    const token *t = tok(p);
    if (t->type != TOK_MINUS)
        return t->type == TOK_NUMBER ? parse_number(p) : NULL;
    int lineno = t->lineno, col = t->col;
    p->t++;
    if (cur(p) != TOK_NUMBER)
        return NULL;
    expr_ty operand = parse_number(p);
    expr_ty e = operand == NULL ? NULL : parser_new_expr(p, UnaryOp_kind, lineno, col);
    if (e != NULL) {
        e->v.UnaryOp.op = USub;
        e->v.UnaryOp.operand = operand;
    }
    return e;
}

/* number | real (+|-) imaginary */
static expr_ty parse_number_pattern(parser *p)
{
    expr_ty left = parse_signed_number(p);
    if (left == NULL)
        return NULL;
    int type = cur(p);
    if (type != TOK_PLUS && type != TOK_MINUS)
        return left;
    p->t++;
    expr_ty real = left->kind == UnaryOp_kind ? left->v.UnaryOp.operand : left;
    if (PyComplex_CheckExact(real->v.Constant.value))
        return parser_error_range(p, real, real, "real number required in complex literal");
    expr_ty right = cur(p) == TOK_NUMBER ? parse_number(p) : NULL;
    if (right == NULL)
        return NULL;
    if (!PyComplex_CheckExact(right->v.Constant.value))
        return parser_error_range(p, right, right, "imaginary number required in complex literal");
    expr_ty e = parser_new_expr(p, BinOp_kind, left->lineno, left->col_offset);
    if (e != NULL) {
        e->v.BinOp.left = left;
        e->v.BinOp.op = type == TOK_PLUS ? Add : Sub;
        e->v.BinOp.right = right;
    }
    return e;
}

/* a.b.c as an expression; *dotted: it has a dot */
static expr_ty parse_name_or_attribute(parser *p, int *dotted)
{
    expr_ty e = parse_atom(p);
    *dotted = 0;
    while (e != NULL && cur(p) == TOK_DOT && peek(p) == TOK_NAME) {
        p->t++;
        PyObject *name = parser_identifier(p, tok(p));
        p->t++;
        expr_ty longer = name == NULL ? NULL : parser_new_expr(p, Attribute_kind, e->lineno, e->col_offset);
        if (longer == NULL)
            return NULL;
        longer->v.Attribute.value = e;
        longer->v.Attribute.attr = name;
        longer->v.Attribute.ctx = Load;
        e = longer;
        *dotted = 1;
    }
    return e;
}

static pattern_ty new_value_pattern(parser *p, expr_ty value)
{
    pattern_ty n = value == NULL ? NULL : new_pattern(p, MatchValue_kind, value->lineno, value->col_offset);
    if (n != NULL)
        n->v.MatchValue.value = value;
    return n;
}

static pattern_ty parse_singleton_pattern(parser *p, PyObject *value)
{
    const token *t = tok(p);
    p->t++;
    pattern_ty n = new_pattern(p, MatchSingleton_kind, t->lineno, t->col);
    if (n != NULL)
        n->v.MatchSingleton.value = value;
    return n;
}

/* ---- classes and mappings ---- */

/* cls '(' patterns, name=patterns ')', at the parenthesis */
static pattern_ty parse_class_pattern(parser *p, expr_ty cls)
{
    int mark = p->stack_used, n_keywords = 0, n = 0;
    pattern_ty first_wrong = NULL, last_wrong = NULL;
    p->t++;
    while (cur(p) != TOK_RPAR) {
        PyObject *name = NULL;
        if (cur(p) == TOK_NAME && peek(p) == TOK_EQUAL) {
            if (first_wrong != NULL)
                break;
            name = parser_identifier(p, tok(p));
            if (name == NULL)
                return NULL;
            p->t += 2;
            n_keywords++;
        }
        pattern_ty item = parse_pattern(p);
        if (item == NULL && first_wrong != NULL)
            break;
        if (item == NULL || !parser_push(p, name) || !parser_push(p, item))
            return NULL;
        n++;
        if (name == NULL && n_keywords > 0) {
            if (!p->diagnosing)
                return NULL;
            if (first_wrong == NULL)
                first_wrong = item;
            last_wrong = item;
        }
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (first_wrong != NULL) {
        if (p->error)
            return NULL;
        return parser_error_range(p, (char *)first_wrong, (char *)last_wrong, "positional patterns follow keyword patterns");
    }
    if (!accept(p, TOK_RPAR))
        return NULL;
    ast_pattern_seq *patterns = (ast_pattern_seq *)ast_seq_new(n - n_keywords, p->arena);
    ast_identifier_seq *names = (ast_identifier_seq *)ast_seq_new(n_keywords, p->arena);
    ast_pattern_seq *values = (ast_pattern_seq *)ast_seq_new(n_keywords, p->arena);
    if (patterns == NULL || names == NULL || values == NULL)
        return parser_out_of_memory(p);
    for (int i = 0, a = 0, k = 0; i < n; i++) {
        PyObject *name = p->stack[mark + 2 * i];
        pattern_ty item = p->stack[mark + 2 * i + 1];
        if (name == NULL)
            patterns->elements[a++] = item;
        else {
            names->elements[k] = name;
            values->elements[k++] = item;
        }
    }
    p->stack_used = mark;
    pattern_ty r = new_pattern(p, MatchClass_kind, cls->lineno, cls->col_offset);
    if (r != NULL) {
        r->v.MatchClass.cls = cls;
        r->v.MatchClass.patterns = patterns;
        r->v.MatchClass.kwd_attrs = names;
        r->v.MatchClass.kwd_patterns = values;
    }
    return r;
}

/* a key of a mapping pattern: literal or dotted name */
static expr_ty parse_key(parser *p)
{
    int type = cur(p), dotted;
    expr_ty e;
    switch (type) {
    case TOK_NUMBER:
    case TOK_MINUS: return parse_number_pattern(p);
    case TOK_STRING:
    case TOK_NONE:
    case TOK_TRUE:
    case TOK_FALSE: return parse_atom(p);
    case TOK_NAME:
        e = parse_name_or_attribute(p, &dotted);
        return dotted ? e : NULL;
    default: return NULL;
    }
}

static pattern_ty parse_mapping_pattern(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, mark = p->stack_used;
    PyObject *rest = NULL;
    p->t++;
    while (cur(p) != TOK_RBRACE) {
        if (accept(p, TOK_DOUBLESTAR)) {
            rest = take_capture(p);
            if (rest == NULL)
                return NULL;
            accept(p, TOK_COMMA);
            break;
        }
        expr_ty key = parse_key(p);
        if (key == NULL || !accept(p, TOK_COLON))
            return NULL;
        pattern_ty value = parse_pattern(p);
        if (value == NULL || !parser_push(p, key) || !parser_push(p, value))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (!accept(p, TOK_RBRACE))
        return NULL;
    int n = (p->stack_used - mark) / 2;
    ast_expr_seq *keys = (ast_expr_seq *)ast_seq_new(n, p->arena);
    ast_pattern_seq *patterns = (ast_pattern_seq *)ast_seq_new(n, p->arena);
    pattern_ty r = new_pattern(p, MatchMapping_kind, lineno, col);
    if (keys == NULL || patterns == NULL || r == NULL)
        return parser_out_of_memory(p);
    for (int i = 0; i < n; i++) {
        keys->elements[i] = p->stack[mark + 2 * i];
        patterns->elements[i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_used = mark;
    r->v.MatchMapping.keys = keys;
    r->v.MatchMapping.patterns = patterns;
    r->v.MatchMapping.rest = rest;
    return r;
}

/* ---- sequences, groups, alternatives ---- */

/* '*' name or '*' '_' or a pattern */
static pattern_ty parse_maybe_star_pattern(parser *p)
{
    const token *t = tok(p);
    if (t->type != TOK_STAR)
        return parse_pattern(p);
    int lineno = t->lineno, col = t->col;
    PyObject *name = NULL;
    p->t++;
    if (at_word(p, "_", 1))
        p->t++;
    else if ((name = take_capture(p)) == NULL)
        return NULL;
    pattern_ty n = new_pattern(p, MatchStar_kind, lineno, col);
    if (n != NULL)
        n->v.MatchStar.name = name;
    return n;
}

/* item (',' item)* [','] up to a closing token; *comma: there was one. NULL: does not match. */
static ast_pattern_seq *parse_items(parser *p, int close, int *comma)
{
    int mark = p->stack_used;
    *comma = 0;
    while (cur(p) != close) {
        int start = p->t;
        pattern_ty item = parse_maybe_star_pattern(p);
        if (item == NULL && close == TOK_COLON && !p->error) {      /* an open sequence ends where no item is */
            p->t = start;
            break;
        }
        if (item == NULL || !parser_push(p, item))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
        *comma = 1;
    }
    return parser_pop(p, mark);
}

static pattern_ty parse_bracketed(parser *p, int close)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, comma;
    p->t++;
    if (!parser_enter(p))
        return NULL;
    ast_pattern_seq *items = parse_items(p, close, &comma);
    parser_leave(p);
    if (items == NULL || !accept(p, close))
        return NULL;
    if (close == TOK_RPAR && items->size == 1 && !comma)
        return items->elements[0]->kind == MatchStar_kind ? NULL : items->elements[0];
    pattern_ty n = new_pattern(p, MatchSequence_kind, lineno, col);
    if (n != NULL)
        n->v.MatchSequence.patterns = items;
    return n;
}

static pattern_ty new_as_pattern(parser *p, pattern_ty inner, PyObject *name, int lineno, int col)
{
    pattern_ty n = new_pattern(p, MatchAs_kind, lineno, col);
    if (n != NULL) {
        n->v.MatchAs.pattern = inner;
        n->v.MatchAs.name = name;
    }
    return n;
}

static pattern_ty parse_name_pattern(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, dotted;
    PyObject *name = take_capture(p);
    if (name != NULL)
        return new_as_pattern(p, NULL, name, lineno, col);
    if (p->error)
        return NULL;
    int next = peek(p);
    if (at_word(p, "_", 1) && next != TOK_DOT && next != TOK_LPAR) {
        p->t++;
        return new_as_pattern(p, NULL, NULL, lineno, col);
    }
    expr_ty e = parse_name_or_attribute(p, &dotted);
    if (e == NULL)
        return NULL;
    int type = cur(p);
    if (type == TOK_LPAR) {
        if (!parser_enter(p))
            return NULL;
        pattern_ty n = parse_class_pattern(p, e);
        parser_leave(p);
        return n;
    }
    return dotted && type != TOK_DOT && type != TOK_EQUAL ? new_value_pattern(p, e) : NULL;
}

static pattern_ty parse_closed_pattern(parser *p)
{
    switch (cur(p)) {
    case TOK_NUMBER:
    case TOK_MINUS: return new_value_pattern(p, parse_number_pattern(p));
    case TOK_STRING: return new_value_pattern(p, parse_strings(p));
    case TOK_NONE: return parse_singleton_pattern(p, Py_None);
    case TOK_TRUE: return parse_singleton_pattern(p, Py_True);
    case TOK_FALSE: return parse_singleton_pattern(p, Py_False);
    case TOK_NAME: return parse_name_pattern(p);
    case TOK_LPAR: return parse_bracketed(p, TOK_RPAR);
    case TOK_LSQB: return parse_bracketed(p, TOK_RSQB);
    case TOK_LBRACE: {
        if (!parser_enter(p))
            return NULL;
        pattern_ty n = parse_mapping_pattern(p);
        parser_leave(p);
        return n;
    }
    default: return NULL;
    }
}

static pattern_ty parse_or_pattern(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    pattern_ty first = parse_closed_pattern(p);
    if (first == NULL || cur(p) != TOK_VBAR)
        return p->error ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (accept(p, TOK_VBAR)) {
        pattern_ty next = parse_closed_pattern(p);
        if (next == NULL || !parser_push(p, next))
            return NULL;
    }
    ast_pattern_seq *patterns = parser_pop(p, mark);
    pattern_ty n = patterns == NULL ? NULL : new_pattern(p, MatchOr_kind, lineno, col);
    if (n != NULL)
        n->v.MatchOr.patterns = patterns;
    return n;
}

static pattern_ty parse_pattern(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    pattern_ty inner = parse_or_pattern(p);
    if (inner == NULL || !accept(p, TOK_AS))
        return p->error ? NULL : inner;
    PyObject *name = take_capture(p);
    if (name == NULL) {
        if (p->diagnosing && !p->error) {
            t = tok(p);
            if (at_word(p, "_", 1))
                return parser_error_token(p, t, t, "cannot use '_' as a target");
            if (t->type != TOK_NAME) {
                expr_ty wrong = parse_expression(p);
                if (wrong != NULL)
                    parser_error_range(p, wrong, wrong, "invalid pattern target");
            }
        }
        return NULL;
    }
    return new_as_pattern(p, inner, name, lineno, col);
}

/* The pattern of a case: an open sequence or one pattern. */
static pattern_ty parse_patterns(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col, mark = p->stack_used, comma;
    pattern_ty first = parse_maybe_star_pattern(p);
    if (first == NULL)
        return NULL;
    if (!accept(p, TOK_COMMA))
        return first->kind == MatchStar_kind ? NULL : first;
    if (!parser_push(p, first))
        return NULL;
    ast_pattern_seq *more = cur(p) == TOK_IF ? parser_pop(p, p->stack_used) : parse_items(p, TOK_COLON, &comma);
    if (more == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < more->size; i++)
        if (!parser_push(p, more->elements[i]))
            return NULL;
    ast_pattern_seq *patterns = parser_pop(p, mark);
    pattern_ty n = patterns == NULL ? NULL : new_pattern(p, MatchSequence_kind, lineno, col);
    if (n != NULL)
        n->v.MatchSequence.patterns = patterns;
    return n;
}

/* ---- match statements ---- */

static match_case_ty parse_case(parser *p)
{
    int lineno = tok(p)->lineno;
    if (!at_word(p, "case", 4))
        return NULL;
    p->t++;
    pattern_ty pattern = parse_patterns(p);
    expr_ty guard = NULL;
    if (pattern == NULL)
        return NULL;
    if (accept(p, TOK_IF)) {
        guard = parse_named_expression(p);
        if (guard == NULL)
            return NULL;
    }
    if (!accept(p, TOK_COLON)) {
        if (cur(p) == TOK_NEWLINE && p->diagnosing && !p->error)
            parser_error(p, PyExc_SyntaxError, "expected ':'");
        return NULL;
    }
    ast_stmt_seq *body = parse_case_block(p, lineno);
    match_case_ty c = body == NULL ? NULL : arena_alloc(p->arena, sizeof *c);
    if (c != NULL)
        *c = (struct match_case){pattern, guard, body};
    return c;
}

/* subject [',' ...] */
static expr_ty parse_subject(parser *p)
{
    int start = p->t;
    expr_ty first = parse_star_named_expression(p);
    if (first == NULL || p->error)
        return NULL;
    if (cur(p) != TOK_COMMA)
        return first->kind == Starred_kind ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (accept(p, TOK_COMMA)) {
        int after = p->t;
        if (cur(p) == TOK_COLON)
            break;
        expr_ty next = parse_star_named_expression(p);
        if (next == NULL) {
            p->t = after;
            break;
        }
        if (!parser_push(p, next))
            return NULL;
    }
    ast_expr_seq *elts = p->error ? NULL : parser_pop(p, mark);
    expr_ty e = elts == NULL ? NULL : parser_expr_from(p, Tuple_kind, start);
    if (e != NULL) {
        e->v.Tuple.elts = elts;
        e->v.Tuple.ctx = Load;
    }
    return e;
}

/* Can a subject start with this token? Those that continue an expression or a statement cannot. */
static int may_start_subject(int type)
{
    switch (type) {
    case TOK_EQUAL:
    case TOK_DOT:
    case TOK_COMMA:
    case TOK_COLON:
    case TOK_NEWLINE:
    case TOK_SEMI:
    case TOK_RPAR: return 0;
    default: return 1;
    }
}

stmt_ty parse_match(parser *p)
{
    int start = p->t, mark = p->stack_used, lineno = tok(p)->lineno;
    if (!may_start_subject(peek(p)))
        return NULL;
    p->t++;
    expr_ty subject = parse_subject(p);
    if (subject == NULL)
        goto no_match;
    if (!accept(p, TOK_COLON)) {
        if (cur(p) == TOK_NEWLINE && p->diagnosing && !p->error && parser_allows(p, 10, "Pattern matching is"))
            parser_error(p, PyExc_SyntaxError, "expected ':'");
        goto no_match;
    }
    if (!accept(p, TOK_NEWLINE))
        goto no_match;
    if (!accept(p, TOK_INDENT)) {
        if (p->diagnosing && !p->error)
            parser_error(p, PyExc_IndentationError, "expected an indented block after 'match' statement on line %d", lineno);
        goto no_match;
    }
    if (!parser_enter(p))
        return NULL;
    do {
        match_case_ty c = parse_case(p);
        if (c == NULL || !parser_push(p, c)) {
            parser_leave(p);
            goto no_match;
        }
    } while (cur(p) != TOK_DEDENT);
    parser_leave(p);
    p->t++;
    ast_match_case_seq *cases = parser_pop(p, mark);
    if (cases == NULL || !parser_allows(p, 10, "Pattern matching is"))
        return NULL;
    stmt_ty s = parser_new_stmt(p, Match_kind, start);
    if (s != NULL) {
        s->v.Match.subject = subject;
        s->v.Match.cases = cases;
    }
    return s;
no_match:
    p->stack_used = mark;
    p->t = start;
    return NULL;
}
