/* Known mistakes: run in the second pass, on input that is known to be wrong. Each function looks at one place for the mistakes that
 * are usual there and raises the error for the first one that fits; the order in which places are visited decides which mistake
 * of several is told, and is the order in which CPython tells them. */
#include "parse.h"

/* Runs a parse function with diagnosis off: what it does not match is not looked into. */
static expr_ty quietly(parser *p, expr_ty parse(parser *))
{
    p->diagnosing = 0;
    expr_ty e = parse(p);
    p->diagnosing = 1;
    return e;
}

static int is_legacy_statement(expr_ty e)
{
    return e->kind == Name_kind && (PyUnicode_CompareWithASCIIString(e->v.Name.id, "print") == 0 ||
                                    PyUnicode_CompareWithASCIIString(e->v.Name.id, "exec") == 0);
}

/* Is the current token the beginning of a soft keyword? (A prefix counts, as in CPython.) */
static int at_soft_keyword(parser *p)
{
    const token *t = tok(p);
    size_t n = (size_t)(t->end - t->start);
    const char *s = token_text(p, t);
    return t->type == TOK_NAME && (strncmp("match", s, n) == 0 || strncmp("case", s, n) == 0 || strncmp("_", s, n) == 0);
}

/* Could the token begin an expression? */
static int starts_expression(int type)
{
    switch (type) {
    case TOK_NAME: case TOK_NUMBER: case TOK_STRING: case TOK_LPAR: case TOK_LSQB: case TOK_LBRACE: case TOK_PLUS: case TOK_MINUS:
    case TOK_TILDE: case TOK_NOT: case TOK_LAMBDA: case TOK_AWAIT: case TOK_ELLIPSIS: case TOK_NONE: case TOK_TRUE: case TOK_FALSE:
        return 1;
    default: return 0;
    }
}

/* ---- expressions ---- */

/* two expressions in a row; a conditional expression without else */
static void diagnose_neighbours(parser *p)
{
    int start = p->t;
    if (!(cur(p) == TOK_NAME && peek(p) == TOK_STRING) && !at_soft_keyword(p) && !p->error) {
        expr_ty a = parse_disjunction(p);
        if (p->error)
            return;
        if (a != NULL && starts_expression(cur(p))) {
            expr_ty b = quietly(p, parse_plain_expression);
            if (p->error)
                return;
            if (b != NULL && !is_legacy_statement(a) && previous(p)->level != 0) {
                parser_error_range(p, a, b, "invalid syntax. Perhaps you forgot a comma?");
                return;
            }
        }
        p->t = start;
    }
    expr_ty a = parse_disjunction(p);
    if (a != NULL && accept(p, TOK_IF)) {
        expr_ty b = parse_disjunction(p);
        if (b != NULL && cur(p) != TOK_ELSE && cur(p) != TOK_COLON && !p->error)
            parser_error_range(p, a, b, "expected 'else' after 'if' expression");
    }
}

/* print and exec as statements */
static void diagnose_legacy(parser *p)
{
    if (cur(p) != TOK_NAME || !(starts_expression(peek(p)) || peek(p) == TOK_STAR) || peek(p) == TOK_LPAR || p->error)
        return;
    expr_ty a = parse_atom(p);
    if (a == NULL)
        return;
    /* what follows is looked into after any name: its own mistakes come first */
    expr_ty b = parse_star_expressions(p);
    if (b != NULL && !p->error && is_legacy_statement(a))
        parser_error_range(p, a, b, "Missing parentheses in call to '%U'. Did you mean %U(...)?", a->v.Name.id, a->v.Name.id);
}

void diagnose_expression(parser *p)
{
    int start = p->t;
    diagnose_neighbours(p);
    if (!p->error) {
        p->t = start;
        diagnose_legacy(p);
    }
    p->t = start;
}

/* '=' or ':=' where a value is wanted */
void diagnose_named_expression(parser *p)
{
    int start = p->t;
    expr_ty a = parse_expression(p), b;
    if (p->error)
        return;
    if (a != NULL && accept(p, TOK_COLONEQUAL)) {
        b = parse_expression(p);
        if (b != NULL && !p->error) {
            parser_error_range(p, a, a, "cannot use assignment expressions with %s", parser_expr_name(a));
            return;
        }
    }
    p->t = start;
    if (cur(p) == TOK_NAME && peek(p) == TOK_EQUAL) {
        a = parse_atom(p);
        p->t++;
        b = parse_bitwise_or(p);
        if (p->error)
            return;
        if (a != NULL && b != NULL && cur(p) != TOK_EQUAL && cur(p) != TOK_COLONEQUAL) {
            parser_error_range(p, a, b, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
            return;
        }
        p->t = start;
    }
    int type = cur(p);
    if (type == TOK_TRUE || type == TOK_FALSE || type == TOK_NONE)
        return;
    if (type == TOK_LPAR || type == TOK_LSQB) {
        a = parse_atom(p);
        if (p->error)
            return;
        p->t = start;
        if (a != NULL && (a->kind == List_kind || a->kind == GeneratorExp_kind || (a->kind == Tuple_kind && type == TOK_LPAR)) &&
            a->col_offset == p->tokens[start].col && a->lineno == p->tokens[start].lineno)
            return;
    }
    a = parse_bitwise_or(p);
    if (p->error)
        return;
    if (a != NULL && accept(p, TOK_EQUAL)) {
        b = parse_bitwise_or(p);
        if (p->error)
            return;
        if (b != NULL && cur(p) != TOK_EQUAL && cur(p) != TOK_COLONEQUAL) {
            parser_error_range(p, a, a, "cannot assign to %s here. Maybe you meant '==' instead of '='?", parser_expr_name(a));
            return;
        }
    }
    p->t = start;
}

/* a starred expression in parentheses */
void diagnose_group(parser *p, int open)
{
    p->t = open + 1;
    if (cur(p) == TOK_STAR) {
        expr_ty a = parse_starred_expression(p);
        if (a != NULL && cur(p) == TOK_RPAR && !p->error)
            parser_error_range(p, a, a, "cannot use starred expression here");
    }
    else if (cur(p) == TOK_DOUBLESTAR) {
        p->t++;
        expr_ty a = parse_expression(p);
        if (a != NULL && cur(p) == TOK_RPAR && !p->error)
            parser_error_token(p, &p->tokens[open + 1], &p->tokens[open + 1], "cannot use double starred expression here");
    }
}

/* for after something that is no element of a comprehension */
void diagnose_comprehension(parser *p, int open)
{
    int type = p->tokens[open].type;
    p->t = open + 1;
    if (cur(p) == TOK_STAR) {
        expr_ty a = parse_starred_expression(p);
        if (a != NULL && parse_for_if_clauses(p) != NULL && !p->error)
            parser_error_range(p, a, a, "iterable unpacking cannot be used in comprehension");
        if (p->error)
            return;
        p->t = open + 1;
    }
    if (type == TOK_LPAR)
        return;
    expr_ty a = parse_star_named_expression(p);
    if (a == NULL || !accept(p, TOK_COMMA))
        return;
    int comma = p->t - 1;
    expr_ty last = NULL;
    for (;;) {
        int before = p->t;
        expr_ty next = parse_star_named_expression(p);
        if (p->error)
            return;
        if (next == NULL) {
            p->t = before;
            break;
        }
        last = next;
        if (!accept(p, TOK_COMMA))
            break;
    }
    if (parse_for_if_clauses(p) == NULL || p->error)
        return;
    if (last != NULL)
        parser_error_range(p, a, last, "did you forget parentheses around the comprehension target?");
    else {
        const token *t = &p->tokens[comma];
        parser_error_at(p, PyExc_SyntaxError, a->lineno, a->col_offset, t->end_lineno, t->end_col,
                        "did you forget parentheses around the comprehension target?");
    }
}

/* ---- dict displays ---- */

void diagnose_dict(parser *p, int open)
{
    p->t = open + 1;
    if (p->diagnosing && cur(p) == TOK_DOUBLESTAR) {
        const token *stars = tok(p);
        int lineno = stars->lineno, col = stars->col, end_col = stars->end_col;
        p->t++;
        if (parse_bitwise_or(p) != NULL && parse_for_if_clauses(p) != NULL && cur(p) == TOK_RBRACE && !p->error)
            parser_error_at(p, PyExc_SyntaxError, lineno, col, lineno, end_col,
                            "dict unpacking cannot be used in dict comprehension");
        if (p->error)
            return;
        p->t = open + 1;
    }
    /* pairs that are well-formed, then one that is not */
    for (int first = 1;; first = 0) {
        if (accept(p, TOK_DOUBLESTAR)) {
            if (parse_bitwise_or(p) == NULL)
                return;
        }
        else {
            int start = p->t;
            expr_ty key = parse_expression(p);
            if (key == NULL || p->error)
                return;
            if (cur(p) != TOK_COLON) {
                if (!first)
                    parser_error_at(p, PyExc_SyntaxError, key->lineno, key->end_col_offset - 1, key->end_lineno, -1,
                                    "':' expected after dictionary key");
                return;
            }
            int colon = p->t++;
            int type = cur(p);
            if (type == TOK_STAR) {
                const token *t = tok(p);
                int lineno = t->lineno, col = t->col;
                p->t++;
                if (parse_bitwise_or(p) != NULL && !p->error)
                    parser_error_from(p, lineno, col, "cannot use a starred expression in a dictionary value");
                return;
            }
            if (type == TOK_RBRACE || type == TOK_COMMA) {
                parser_error_token(p, &p->tokens[colon], &p->tokens[colon], "expression expected after dictionary key and ':'");
                return;
            }
            if (parse_expression(p) == NULL)
                return;
            (void)start;
        }
        if (p->error || !accept(p, TOK_COMMA) || cur(p) == TOK_RBRACE)
            return;
    }
}

/* ---- calls ---- */

/* One argument of any kind without looking at the order. Returns its kind: 0 none, 1 positional, 2 keyword, 3 star, 4 double star. */
static int skip_argument(parser *p, expr_ty *value)
{
    int type = cur(p), start = p->t;
    *value = NULL;
    if (type == TOK_STAR) {
        *value = parse_starred_expression(p);
        return *value == NULL ? 0 : 3;
    }
    if (type == TOK_DOUBLESTAR) {
        p->t++;
        *value = parse_expression(p);
        return *value == NULL ? 0 : 4;
    }
    if (type == TOK_NAME && peek(p) == TOK_EQUAL) {
        p->t += 2;
        *value = parse_expression(p);
        return *value == NULL ? 0 : 2;
    }
    if (type == TOK_NAME && peek(p) == TOK_COLONEQUAL)
        *value = parse_named_expression(p);
    else
        *value = parse_expression(p);
    if (*value == NULL || p->error || cur(p) == TOK_COLONEQUAL || cur(p) == TOK_EQUAL) {
        p->t = start;
        if (!p->error)
            diagnose_keyword_argument(p);
        return 0;
    }
    return 1;
}

/* Well-ordered arguments from the current token on. Returns how many there are; the position is after the last, at what follows.
 * *last: the last one, *last_start: its first token, *unpacked: a ** was among them. */
static int skip_arguments(parser *p, expr_ty *last, int *kinds_seen)
{
    int n = 0, after = p->t;
    *kinds_seen = 0;
    for (;;) {
        expr_ty value;
        int start = p->t;
        int kind = skip_argument(p, &value);
        if (p->error)
            return 0;
        int late = (kind == 1 && (*kinds_seen & (1 << 2 | 1 << 4))) || (kind == 3 && (*kinds_seen & 1 << 4));
        if (kind == 0 || late) {
            p->t = n > 0 ? after : start;
            return n;
        }
        *kinds_seen |= 1 << kind;
        *last = value;
        n++;
        after = p->t;
        if (!accept(p, TOK_COMMA))
            return n;
    }
}

static comprehension_ty last_clause(ast_comprehension_seq *clauses)
{
    return clauses->elements[clauses->size - 1];
}

/* From an expression to the end of the comprehension clauses after it. */
static void error_generator(parser *p, expr_ty from, ast_comprehension_seq *clauses)
{
    comprehension_ty c = last_clause(clauses);
    expr_ty to = c->ifs->size == 0 ? c->iter : c->ifs->elements[c->ifs->size - 1];
    parser_error_range(p, from, to, "Generator expression must be parenthesized");
}

void diagnose_arguments(parser *p)
{
    int start = p->t, kinds, again;
    expr_ty last = NULL, a;
    ast_comprehension_seq *clauses;

    /* f(**a, *b) */
    int n = skip_arguments(p, &last, &kinds), after = p->t;
    if (p->error)
        return;
    if (n > 0 && cur(p) == TOK_COMMA && peek(p) == TOK_STAR) {
        parser_error_token(p, &p->tokens[start], &p->tokens[after - 1],
                           "iterable argument unpacking follows keyword argument unpacking");
        return;
    }
    /* f(x for x in y, ...) */
    p->t = start;
    if (cur(p) != TOK_STAR && cur(p) != TOK_DOUBLESTAR) {
        a = parse_expression(p);
        if (a != NULL && (clauses = parse_for_if_clauses(p)) != NULL && cur(p) == TOK_COMMA && !p->error) {
            p->t++;
            int type = cur(p), fits = 1;
            if (type != TOK_RPAR) {
                expr_ty ignored;
                int before = p->t;
                if (skip_arguments(p, &ignored, &again) == 0) {
                    p->t = before;
                    fits = 1;
                }
            }
            if (fits && !p->error) {
                error_generator(p, a, clauses);
                return;
            }
        }
        if (p->error)
            return;
        p->t = start;
        /* f(a = x for x in y) */
        if (cur(p) == TOK_NAME && peek(p) == TOK_EQUAL) {
            const token *name = tok(p);
            int name_index = p->t;
            (void)name;
            p->t += 2;
            if (parse_expression(p) != NULL && parse_for_if_clauses(p) != NULL && !p->error) {
                parser_error_token(p, &p->tokens[name_index], &p->tokens[name_index + 1],
                                   "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
                return;
            }
            if (p->error)
                return;
        }
    }
    /* f(1, x for x in y) */
    if (n > 0) {
        p->t = after;
        if ((cur(p) == TOK_FOR || cur(p) == TOK_ASYNC) && (clauses = parse_for_if_clauses(p)) != NULL && !p->error) {
            if (n > 1) {
                error_generator(p, last, clauses);
                return;
            }
        }
        if (p->error)
            return;
        p->t = after;
        if (accept(p, TOK_COMMA)) {
            int next = p->t;
            if (cur(p) != TOK_STAR && cur(p) != TOK_DOUBLESTAR && cur(p) != TOK_RPAR) {
                a = parse_expression(p);
                if (a != NULL && (clauses = parse_for_if_clauses(p)) != NULL && !p->error) {
                    error_generator(p, a, clauses);
                    return;
                }
                if (p->error)
                    return;
            }
            p->t = next;
            expr_ty ignored;
            int more = cur(p) == TOK_RPAR ? 0 : skip_arguments(p, &ignored, &again);
            if (more > 0 && !p->error) {
                parser_error(p, PyExc_SyntaxError, kinds & 1 << 4 ? "positional argument follows keyword argument unpacking"
                                                                   : "positional argument follows keyword argument");
                return;
            }
        }
    }
    p->t = start;
}

/* name=value arguments whose name is none */
void diagnose_keyword_argument(parser *p)
{
    int start = p->t, type = cur(p);
    if ((type == TOK_TRUE || type == TOK_FALSE || type == TOK_NONE) && peek(p) == TOK_EQUAL) {
        parser_error_token(p, &p->tokens[start], &p->tokens[start + 1], "cannot assign to %s", token_texts[type]);
        return;
    }
    if (type == TOK_NAME && peek(p) == TOK_EQUAL) {
        p->t += 2;
        if (parse_expression(p) != NULL && parse_for_if_clauses(p) != NULL && !p->error)
            parser_error_token(p, &p->tokens[start], &p->tokens[start + 1],
                               "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    else {
        expr_ty a = parse_expression(p);
        if (a != NULL && cur(p) == TOK_EQUAL && !p->error) {
            const token *t = tok(p);
            parser_error_at(p, PyExc_SyntaxError, a->lineno, a->col_offset, t->end_lineno, t->end_col,
                            "expression cannot contain assignment, perhaps you meant \"==\"?");
        }
    }
    p->t = start;
}

/* ---- parameters ---- */

/* NAME [':' annotation]; 0: none here */
static int skip_parameter(parser *p, int lambda)
{
    if (!accept(p, TOK_NAME))
        return 0;
    if (!lambda && accept(p, TOK_COLON)) {
        expr_ty e = parse_expression(p);
        return e != NULL && !p->error;
    }
    return !p->error;
}

/* What follows '*': its own mistakes, then parameters up to **. Returns 0 if an error was raised or nothing more can be told. */
static int diagnose_star(parser *p, int lambda, int end)
{
    int star = p->t++;
    int type = cur(p);
    if (type == end || (type == TOK_COMMA && (peek(p) == end || peek(p) == TOK_DOUBLESTAR))) {
        if (p->error)
            return 0;
        if (lambda)
            parser_error(p, PyExc_SyntaxError, "named arguments must follow bare *");
        else
            parser_error_token(p, &p->tokens[star], &p->tokens[star], "named arguments must follow bare *");
        return 0;
    }
    if (type == TOK_COMMA && peek(p) == TOK_TYPE_COMMENT) {
        parser_error(p, PyExc_SyntaxError, "bare * has associated type comment");
        return 0;
    }
    if (type == TOK_COMMA) {
        p->t++;
        return 1;
    }
    if (!accept(p, TOK_NAME))
        return 0;
    if (!lambda && accept(p, TOK_COLON) && parse_star_expression(p) == NULL)
        return 0;
    if (cur(p) == TOK_EQUAL && !p->error) {
        parser_error_token(p, tok(p), tok(p), "var-positional argument cannot have default value");
        return 0;
    }
    return accept(p, TOK_COMMA) && !p->error;
}

static void diagnose_double_star(parser *p, int lambda)
{
    p->t++;
    if (!skip_parameter(p, lambda))
        return;
    if (cur(p) == TOK_EQUAL) {
        parser_error_token(p, tok(p), tok(p), "var-keyword argument cannot have default value");
        return;
    }
    if (!accept(p, TOK_COMMA))
        return;
    int first = p->t, type = cur(p);
    if (type == TOK_STAR || type == TOK_DOUBLESTAR || type == TOK_SLASH ||
        (type == TOK_NAME && skip_parameter(p, lambda)))
        parser_error_token(p, &p->tokens[first], &p->tokens[type == TOK_NAME ? p->t - 1 : first],
                           "arguments cannot follow var-keyword argument");
}

void diagnose_parameters(parser *p, int lambda)
{
    int end = lambda ? TOK_COLON : TOK_RPAR, defaults = 0, slash = 0, star = 0, n = 0;
    int told = 0;       /* a parameter without default here follows one with: told unless a slash stands between, but not directly */
    for (;;) {
        int type = cur(p), index = p->t;
        if (p->error || type == end)
            return;
        if (type == TOK_SLASH) {
            const char *message = slash ? "/ may appear only once" : star ? "/ must be ahead of *"
                                  : n == 0 && peek(p) == TOK_COMMA ? "at least one argument must precede /" : NULL;
            if (message != NULL) {
                parser_error_token(p, &p->tokens[index], &p->tokens[index], "%s", message);
                return;
            }
            slash = 1;
            told = defaults ? 1 : -1;
            p->t++;
            if (n > 0 && cur(p) == TOK_STAR) {
                parser_error_token(p, tok(p), tok(p), "expected comma between / and *");
                return;
            }
        }
        else if (type == TOK_STAR) {
            if (star) {
                p->t++;
                if (cur(p) == TOK_COMMA || (skip_parameter(p, lambda) && (cur(p) == TOK_COMMA || cur(p) == end)))
                    parser_error_token(p, &p->tokens[index], &p->tokens[index], "* argument may appear only once");
                return;
            }
            star = 1;
            if (!diagnose_star(p, lambda, end))
                return;
            continue;
        }
        else if (type == TOK_DOUBLESTAR) {
            diagnose_double_star(p, lambda);
            return;
        }
        else if (type == TOK_LPAR && !star && !defaults) {
            int names = 0;
            p->t++;
            while (skip_parameter(p, lambda)) {
                names++;
                if (!accept(p, TOK_COMMA))
                    break;
            }
            if (names > 0 && cur(p) == TOK_RPAR && !p->error)
                parser_error_token(p, &p->tokens[index], tok(p), lambda ? "Lambda expression parameters cannot be parenthesized"
                                                                         : "Function parameters cannot be parenthesized");
            return;
        }
        else {
            if (!skip_parameter(p, lambda))
                return;
            int last = p->t - 1;
            if (accept(p, TOK_EQUAL)) {
                int after = cur(p);
                if (after == TOK_RPAR || after == TOK_COMMA) {
                    parser_error_token(p, previous(p), previous(p), "expected default value expression");
                    return;
                }
                if (parse_expression(p) == NULL)
                    return;
                defaults = 1;
            }
            else if (defaults && !star && told >= 0 && (cur(p) == TOK_COMMA || cur(p) == end)) {
                if (!lambda && cur(p) == TOK_COMMA)
                    (void)peek(p);          /* a type comment might follow: the next token is read */
                parser_error_token(p, &p->tokens[index], &p->tokens[last], "non-default argument follows default argument");
                return;
            }
            n++;
            if (slash)
                told = -1;
        }
        if (!accept(p, TOK_COMMA))
            return;
    }
}

/* ---- assignments ---- */

/* Is there one of these at the start: name : expression, target = ... = value, target op= value? Then it is the statement. */
static stmt_ty try_assignment(parser *p, int start)
{
    stmt_ty s = NULL;
    expr_ty e;
    int mark = p->stack_used;
    if (cur(p) == TOK_YIELD)
        return NULL;
    /* targets before values: mistakes inside them are told in that order */
    int n = 0;
    for (;;) {
        int before = p->t;
        e = parse_star_targets(p);
        if (p->error)
            return NULL;
        if (e == NULL || cur(p) != TOK_EQUAL) {
            p->t = before;
            break;
        }
        p->t++;
        n++;
    }
    if (n > 0) {
        e = parse_yield_or_star_expressions(p);
        if (p->error)
            return NULL;
        if (e != NULL && cur(p) != TOK_EQUAL) {
            accept(p, TOK_TYPE_COMMENT);
            s = parser_new_stmt(p, Pass_kind, start);
        }
    }
    else {
        int before = p->t;
        e = cur(p) == TOK_STAR ? NULL : parse_star_target(p);
        if (e != NULL && (e->kind == Name_kind || e->kind == Attribute_kind || e->kind == Subscript_kind)) {
            int type = cur(p);
            if (type == TOK_COLON) {
                p->t++;
                if (parse_expression(p) != NULL) {
                    int after = p->t;
                    if (!p->error && accept(p, TOK_EQUAL) && parse_yield_or_star_expressions(p) == NULL)
                        p->t = after;
                    s = p->error ? NULL : parser_new_stmt(p, Pass_kind, start);
                }
            }
            else if (type >= TOK_PLUSEQUAL && type <= TOK_ATEQUAL && type != TOK_DOUBLESLASH && type != TOK_AT) {
                p->t++;
                if (parse_yield_or_star_expressions(p) != NULL && !p->error)
                    s = parser_new_stmt(p, Pass_kind, start);
                else {
                    p->stack_used = mark;
                    return NULL;
                }
            }
        }
        if (s == NULL)
            p->t = before;
    }
    p->stack_used = mark;
    return s;
}

static int is_augmented(int type)
{
    return (type >= TOK_PLUSEQUAL && type <= TOK_DOUBLESTAREQUAL) || type == TOK_DOUBLESLASHEQUAL || type == TOK_ATEQUAL;
}

static void diagnose_targets(parser *p, int start)
{
    expr_ty a;
    p->t = start;
    /* (a, b): int */
    if (cur(p) == TOK_LPAR || cur(p) == TOK_LSQB) {
        a = parse_atom(p);
        if (p->error)
            return;
        if (a != NULL && accept(p, TOK_COLON) && (a->kind == Tuple_kind || a->kind == List_kind) && parse_expression(p) != NULL &&
            !p->error) {
            parser_error_range(p, a, a, "only single target (not %s) can be annotated", parser_expr_name(a));
            return;
        }
    }
    /* a, b: int */
    p->t = start;
    a = parse_star_named_expression(p);
    if (p->error)
        return;
    if (a != NULL && accept(p, TOK_COMMA)) {
        while (!p->error) {
            int before = p->t;
            if (parse_star_named_expression(p) == NULL) {
                p->t = before;
                break;
            }
            accept(p, TOK_COMMA);       /* more of them may follow without a comma */
        }
        if (!p->error && accept(p, TOK_COLON) && parse_expression(p) != NULL && !p->error) {
            parser_error_range(p, a, a, "only single target (not tuple) can be annotated");
            return;
        }
    }
    /* f(): int */
    p->t = start;
    a = p->error ? NULL : parse_expression(p);
    if (a != NULL && accept(p, TOK_COLON) && parse_expression(p) != NULL && !p->error) {
        parser_error_range(p, a, a, "illegal target for annotation");
        return;
    }
    if (p->error)
        return;
    /* a = f() = 1 */
    p->t = start;
    for (;;) {
        int before = p->t;
        expr_ty e = parse_star_targets(p);
        if (p->error)
            return;
        if (e == NULL || !accept(p, TOK_EQUAL)) {
            p->t = before;
            break;
        }
    }
    int rest = p->t;
    a = cur(p) == TOK_YIELD ? parse_yield(p) : parse_star_expressions(p);
    if (p->error)
        return;
    if (a != NULL && cur(p) == TOK_EQUAL) {
        if (p->tokens[rest].type == TOK_YIELD)
            parser_error_range(p, a, a, "assignment to yield expression not possible");
        else
            parser_error_target(p, a, TARGET_STAR);
        if (p->error)
            return;
    }
    /* f() += 1 */
    p->t = start;
    a = parse_star_expressions(p);
    if (a != NULL && is_augmented(cur(p)) && !p->error) {
        p->t++;
        if (parse_yield_or_star_expressions(p) != NULL && !p->error)
            parser_error_range(p, a, a, "'%s' is an illegal expression for augmented assignment", parser_expr_name(a));
    }
}

/* An expression statement or assignment in the second pass. */
stmt_ty diagnose_assignment(parser *p)
{
    (void)tok(p);
    int start = p->t, mark = p->stack_used;
    stmt_ty s = try_assignment(p, start);
    if (s != NULL || p->error)
        return s;
    diagnose_targets(p, start);
    p->stack_used = mark;
    if (p->error)
        return NULL;
    p->t = start;
    expr_ty e = parse_yield_or_star_expressions(p);
    if (e == NULL || p->error)
        return NULL;
    s = parser_new_stmt(p, Expr_kind, start);
    if (s != NULL)
        s->v.Expr.value = e;
    return s;
}

/* ---- except ---- */

/* The head of a handler that did not parse, from the word except on. */
void diagnose_except(parser *p)
{
    int start = p->t;
    p->t++;
    int star = accept(p, TOK_STAR), after = p->t;
    expr_ty a = parse_expression(p);
    if (p->error)
        return;
    if (a != NULL && accept(p, TOK_COMMA)) {
        /* except A, B: */
        expr_ty more = parse_expression(p);
        while (more != NULL && accept(p, TOK_COMMA) && cur(p) != TOK_COLON)
            more = parse_expression(p);
        if (more != NULL && accept(p, TOK_AS))
            accept(p, TOK_NAME);
        if (more != NULL && accept(p, TOK_COLON) && !p->error)
            parser_error_from(p, a->lineno, a->col_offset, "multiple exception types must be parenthesized");
        if (p->error)
            return;
    }
    p->t = after;
    a = parse_expression(p);
    if (a != NULL && !p->error) {
        if (cur(p) == TOK_AS && peek(p) == TOK_NAME)
            p->t += 2;
        if (cur(p) == TOK_NEWLINE && !p->error)
            parser_error(p, PyExc_SyntaxError, "expected ':'");
    }
    else if (!p->error) {
        p->t = after;
        int type = cur(p);
        if (star && (type == TOK_NEWLINE || type == TOK_COLON))
            parser_error(p, PyExc_SyntaxError, "expected one or more exception types");
        else if (type == TOK_NEWLINE)
            parser_error(p, PyExc_SyntaxError, "expected ':'");
    }
    p->t = start;
}

/* A handler of the other kind than those before it, told if its head is well-formed. */
void diagnose_mixed_handler(parser *p)
{
    int start = p->t++, star = accept(p, TOK_STAR);
    expr_ty type = star || cur(p) != TOK_COLON ? parse_expression(p) : NULL;
    if (type != NULL && accept(p, TOK_AS))
        accept(p, TOK_NAME);
    if (!p->error && cur(p) == TOK_COLON && (type != NULL || !star))
        parser_error_token(p, &p->tokens[start], &p->tokens[start + star],
                           "cannot have both 'except' and 'except*' on the same 'try'");
    p->t = start;
}
