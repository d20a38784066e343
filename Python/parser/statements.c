/* Parses simple statements and modules. Compound statements are in compound.c. */
#include "parse.h"

/* ---- imports ---- */

/* a.b.c as one identifier */
static PyObject *parse_dotted_name(parser *p)
{
    const token *t = tok(p);
    if (t->type != TOK_NAME)
        return NULL;
    PyObject *name = parser_identifier(p, t);
    if (name == NULL)
        return NULL;
    p->t++;
    if (cur(p) != TOK_DOT)
        return name;
    PyObject *dot = PyUnicode_FromString("."), *whole = Py_NewRef(name);
    if (dot == NULL)
        goto fail;
    while (cur(p) == TOK_DOT && peek(p) == TOK_NAME) {
        p->t++;
        PyObject *part = parser_identifier(p, tok(p));
        if (part == NULL)
            goto fail;
        PyUnicode_Append(&whole, dot);
        if (whole != NULL)
            PyUnicode_Append(&whole, part);
        if (whole == NULL)
            goto fail;
        p->t++;
    }
    Py_DECREF(dot);
    PyUnicode_InternInPlace(&whole);
    if (arena_keep_steal(p->arena, whole) < 0)
        return parser_out_of_memory(p);
    return whole;
fail:
    Py_XDECREF(dot);
    Py_XDECREF(whole);
    p->error = 1;
    return NULL;
}

/* name ['as' NAME]; dotted says whether the name may have dots */
static alias_ty parse_alias(parser *p, int dotted)
{
    const token *t = tok(p);
    if (t->type != TOK_NAME)
        return NULL;
    int lineno = t->lineno, col = t->col;
    PyObject *name, *asname = NULL;
    if (dotted)
        name = parse_dotted_name(p);
    else {
        name = parser_identifier(p, t);
        p->t++;
    }
    if (name == NULL)
        return NULL;
    if (accept(p, TOK_AS)) {
        t = tok(p);
        if (t->type != TOK_NAME || (asname = parser_identifier(p, t)) == NULL)
            return NULL;
        p->t++;
    }
    alias_ty a = arena_alloc(p->arena, sizeof *a);
    if (a == NULL)
        return parser_out_of_memory(p);
    const token *last = previous(p);
    *a = (struct alias){lineno, col, last->end_lineno, last->end_col, name, asname};
    return a;
}

static stmt_ty parse_import(parser *p, int start)
{
    int mark = p->stack_used;
    p->t++;
    do {
        alias_ty a = parse_alias(p, 1);
        if (a == NULL || !parser_push(p, a))
            return NULL;
    } while (accept(p, TOK_COMMA));
    ast_alias_seq *names = parser_pop(p, mark);
    stmt_ty s = names == NULL ? NULL : parser_new_stmt(p, Import_kind, start);
    if (s != NULL)
        s->v.Import.names = names;
    return s;
}

static ast_alias_seq *parse_import_targets(parser *p)
{
    int mark = p->stack_used;
    const token *t = tok(p);
    if (t->type == TOK_STAR) {
        PyObject *star = parser_identifier(p, t);
        alias_ty a = arena_alloc(p->arena, sizeof *a);
        if (star == NULL || a == NULL)
            return parser_out_of_memory(p);
        *a = (struct alias){t->lineno, t->col, t->end_lineno, t->end_col, star, NULL};
        p->t++;
        return parser_singleton(p, a);
    }
    int paren = accept(p, TOK_LPAR);
    for (;;) {
        alias_ty a = parse_alias(p, 0);
        if (a == NULL || !parser_push(p, a))
            return NULL;
        if (cur(p) != TOK_COMMA)
            break;
        p->t++;
        if (cur(p) == TOK_RPAR && paren)
            break;
        if (cur(p) == TOK_NEWLINE && !paren && p->diagnosing)
            return parser_error(p, PyExc_SyntaxError, "trailing comma not allowed without surrounding parentheses");
    }
    if (paren && !accept(p, TOK_RPAR))
        return NULL;
    return parser_pop(p, mark);
}

static stmt_ty parse_import_from(parser *p, int start)
{
    int level = 0, type;
    PyObject *module = NULL;
    p->t++;
    for (; (type = cur(p)) == TOK_DOT || type == TOK_ELLIPSIS; p->t++)
        level += type == TOK_DOT ? 1 : 3;
    if (type == TOK_NAME || level == 0) {
        module = parse_dotted_name(p);
        if (module == NULL)
            return NULL;
    }
    if (!accept(p, TOK_IMPORT))
        return NULL;
    ast_alias_seq *names = parse_import_targets(p);
    if (names == NULL)
        return NULL;
    /* from __future__ import barry_as_FLUFL changes what follows */
    if (module != NULL && level == 0 && PyUnicode_CompareWithASCIIString(module, "__future__") == 0)
        for (Py_ssize_t i = 0; i < names->size; i++)
            if (PyUnicode_CompareWithASCIIString(names->elements[i]->name, "barry_as_FLUFL") == 0)
                p->flags |= PARSER_BARRY_AS_BDFL;
    stmt_ty s = parser_new_stmt(p, ImportFrom_kind, start);
    if (s != NULL) {
        s->v.ImportFrom.module = module;
        s->v.ImportFrom.names = names;
        s->v.ImportFrom.level = level;
    }
    return s;
}

/* ---- small statements ---- */

static stmt_ty parse_names(parser *p, int start, enum stmt_kind kind)
{
    int mark = p->stack_used;
    p->t++;
    do {
        const token *t = tok(p);
        if (t->type != TOK_NAME)
            return NULL;
        PyObject *name = parser_identifier(p, t);
        if (name == NULL || !parser_push(p, name))
            return NULL;
        p->t++;
    } while (accept(p, TOK_COMMA));
    ast_identifier_seq *names = parser_pop(p, mark);
    stmt_ty s = names == NULL ? NULL : parser_new_stmt(p, kind, start);
    if (s != NULL)
        s->v.Global.names = names;      /* Nonlocal has the same layout */
    return s;
}

static stmt_ty parse_del(parser *p, int start)
{
    int mark = p->stack_used;
    p->t++;
    for (;;) {
        expr_ty e = cur(p) == TOK_AWAIT ? NULL : parse_primary(p);
        if (e == NULL || parser_set_context(p, e, Del, TARGET_DEL) == NULL || !parser_push(p, e))
            goto fail;
        if (!accept(p, TOK_COMMA))
            break;
        int type = cur(p);
        if (type == TOK_SEMI || type == TOK_NEWLINE)
            break;
    }
    if (cur(p) != TOK_SEMI && cur(p) != TOK_NEWLINE)
        goto fail;
    ast_expr_seq *targets = parser_pop(p, mark);
    stmt_ty s = targets == NULL ? NULL : parser_new_stmt(p, Delete_kind, start);
    if (s != NULL)
        s->v.Delete.targets = targets;
    return s;
fail:
    if (p->diagnosing && !p->error) {
        p->t = start + 1;
        p->stack_used = mark;
        expr_ty wrong = parse_star_expressions(p);
        if (wrong != NULL)
            parser_error_target(p, wrong, TARGET_DEL);
    }
    return NULL;
}

static stmt_ty parse_return(parser *p, int start)
{
    p->t++;
    int type = cur(p), after = p->t;
    expr_ty value = NULL;
    if (type != TOK_NEWLINE && type != TOK_SEMI) {
        value = parse_star_expressions(p);
        if (value == NULL) {
            if (p->error)
                return NULL;
            p->t = after;
        }
    }
    stmt_ty s = parser_new_stmt(p, Return_kind, start);
    if (s != NULL)
        s->v.Return.value = value;
    return s;
}

static stmt_ty parse_raise(parser *p, int start)
{
    p->t++;
    int type = cur(p), after = p->t;
    expr_ty exc = NULL, cause = NULL;
    if (type != TOK_NEWLINE && type != TOK_SEMI) {
        exc = parse_expression(p);
        if (exc == NULL) {
            if (p->error)
                return NULL;
            p->t = after;
        }
        else if (cur(p) == TOK_FROM) {
            after = p->t++;
            cause = parse_expression(p);
            if (cause == NULL)
                p->t = after;
        }
    }
    if (p->error)
        return NULL;
    stmt_ty s = parser_new_stmt(p, Raise_kind, start);
    if (s != NULL) {
        s->v.Raise.exc = exc;
        s->v.Raise.cause = cause;
    }
    return s;
}

static stmt_ty parse_assert(parser *p, int start)
{
    p->t++;
    expr_ty test = parse_expression(p), msg = NULL;
    if (test == NULL)
        return NULL;
    if (accept(p, TOK_COMMA)) {
        msg = parse_expression(p);
        if (msg == NULL)
            return NULL;
    }
    stmt_ty s = parser_new_stmt(p, Assert_kind, start);
    if (s != NULL) {
        s->v.Assert.test = test;
        s->v.Assert.msg = msg;
    }
    return s;
}

/* ---- assignments and expressions ---- */

static const unsigned char augmented[TOKEN_COUNT] = {
    [TOK_PLUSEQUAL] = Add, [TOK_MINEQUAL] = Sub, [TOK_STAREQUAL] = Mult, [TOK_ATEQUAL] = MatMult, [TOK_SLASHEQUAL] = Div,
    [TOK_PERCENTEQUAL] = Mod, [TOK_AMPEREQUAL] = BitAnd, [TOK_VBAREQUAL] = BitOr, [TOK_CIRCUMFLEXEQUAL] = BitXor,
    [TOK_LEFTSHIFTEQUAL] = LShift, [TOK_RIGHTSHIFTEQUAL] = RShift, [TOK_DOUBLESTAREQUAL] = Pow, [TOK_DOUBLESLASHEQUAL] = FloorDiv,
};

static int is_single_target(expr_ty e)
{
    return e->kind == Name_kind || e->kind == Attribute_kind || e->kind == Subscript_kind;
}

/* target: annotation [= value], at the colon */
static stmt_ty parse_annotated(parser *p, int start, expr_ty target)
{
    if (!is_single_target(target))
        return NULL;
    p->t++;
    expr_ty annotation = parse_expression(p), value = NULL;
    if (annotation == NULL)
        return NULL;
    if (accept(p, TOK_EQUAL)) {
        value = parse_yield_or_star_expressions(p);
        if (value == NULL)
            return NULL;
    }
    if (!parser_allows(p, 6, target->kind == Name_kind ? "Variable annotation syntax is" : "Variable annotations syntax is"))
        return NULL;
    parser_set_context(p, target, Store, TARGET_STAR);
    stmt_ty s = parser_new_stmt(p, AnnAssign_kind, start);
    if (s != NULL) {
        s->v.AnnAssign.target = target;
        s->v.AnnAssign.annotation = annotation;
        s->v.AnnAssign.value = value;
        s->v.AnnAssign.simple = target->kind == Name_kind && p->tokens[start].type == TOK_NAME;
    }
    return s;
}

static stmt_ty parse_augmented(parser *p, int start, expr_ty target)
{
    int type = cur(p);
    if (!is_single_target(target))
        return NULL;
    p->t++;
    expr_ty value = parse_yield_or_star_expressions(p);
    if (value == NULL || (type == TOK_ATEQUAL && !parser_allows(p, 5, "The '@' operator is")))
        return NULL;
    parser_set_context(p, target, Store, TARGET_STAR);
    stmt_ty s = parser_new_stmt(p, AugAssign_kind, start);
    if (s != NULL) {
        s->v.AugAssign.target = target;
        s->v.AugAssign.op = (operator_ty)augmented[type];
        s->v.AugAssign.value = value;
    }
    return s;
}

/* target = ... = value [type comment], at the first '=' */
static stmt_ty parse_assign(parser *p, int start, expr_ty e)
{
    int mark = p->stack_used;
    PyObject *comment = NULL;
    while (accept(p, TOK_EQUAL)) {
        if (parser_set_context(p, e, Store, TARGET_STAR) == NULL || !parser_push(p, e))
            return NULL;
        e = parse_yield_or_star_expressions(p);
        if (e == NULL)
            return NULL;
    }
    if (cur(p) == TOK_TYPE_COMMENT) {
        comment = parser_type_comment(p, tok(p));
        if (comment == NULL)
            return NULL;
        p->t++;
    }
    ast_expr_seq *targets = parser_pop(p, mark);
    stmt_ty s = targets == NULL ? NULL : parser_new_stmt(p, Assign_kind, start);
    if (s != NULL) {
        s->v.Assign.targets = targets;
        s->v.Assign.value = e;
        s->v.Assign.type_comment = comment;
    }
    return s;
}

static stmt_ty parse_expression_statement(parser *p, int start)
{
    expr_ty e = parse_yield_or_star_expressions(p);
    if (e == NULL)
        return NULL;
    int type = cur(p);
    if (type == TOK_EQUAL)
        return parse_assign(p, start, e);
    if (type == TOK_COLON)
        return parse_annotated(p, start, e);
    if (augmented[type])
        return parse_augmented(p, start, e);
    stmt_ty s = p->error ? NULL : parser_new_stmt(p, Expr_kind, start);
    if (s != NULL)
        s->v.Expr.value = e;
    return s;
}

/* ---- simple statements ---- */

static stmt_ty parse_simple_statement(parser *p)
{
    int type = cur(p), start = p->t;
    switch (type) {
    case TOK_RETURN: return parse_return(p, start);
    case TOK_IMPORT: return parse_import(p, start);
    case TOK_FROM: return parse_import_from(p, start);
    case TOK_RAISE: return parse_raise(p, start);
    case TOK_PASS: p->t++; return parser_new_stmt(p, Pass_kind, start);
    case TOK_BREAK: p->t++; return parser_new_stmt(p, Break_kind, start);
    case TOK_CONTINUE: p->t++; return parser_new_stmt(p, Continue_kind, start);
    case TOK_DEL: return parse_del(p, start);
    case TOK_ASSERT: return parse_assert(p, start);
    case TOK_GLOBAL: return parse_names(p, start, Global_kind);
    case TOK_NONLOCAL: return parse_names(p, start, Nonlocal_kind);
    default:
        if (p->diagnosing)
            return diagnose_assignment(p);
        return parse_expression_statement(p, start);
    }
}

/* simple (';' simple)* [';'] NEWLINE, pushed onto the stack; 0: does not match */
int parse_simple_statements(parser *p)
{
    for (;;) {
        stmt_ty s = parse_simple_statement(p);
        if (s == NULL || !parser_push(p, s))
            return 0;
        int type = cur(p);
        if (type == TOK_NEWLINE) {
            p->t++;
            return 1;
        }
        if (type != TOK_SEMI)
            return 0;
        p->t++;
        if (cur(p) == TOK_NEWLINE) {
            p->t++;
            return 1;
        }
    }
}

/* One statement of a block, or a line of simple ones, pushed onto the stack; 0: does not match, position restored. */
int parse_statement(parser *p)
{
    int start, mark = p->stack_used;
    (void)tok(p);
    start = p->t;
    int matched = parse_compound_statement(p);
    if (matched == 0 && !p->error) {
        p->t = start;
        matched = parse_simple_statements(p) ? 1 : -1;
    }
    if (matched == 1 && !p->error)
        return 1;
    p->t = start;
    p->stack_used = mark;
    return 0;
}

/* ---- modules ---- */

static mod_ty new_mod(parser *p, enum mod_kind kind)
{
    mod_ty m = arena_alloc(p->arena, sizeof *m);
    if (m == NULL)
        return parser_out_of_memory(p);
    m->kind = kind;
    return m;
}

static ast_type_ignore_seq *take_ignores(parser *p)
{
    int mark = p->stack_used;
    for (int i = 0; i < p->ignores_used; i++) {
        type_ignore_ty t = arena_alloc(p->arena, sizeof *t);
        if (t == NULL)
            return parser_out_of_memory(p);
        t->kind = TypeIgnore_kind;
        t->v.TypeIgnore.lineno = p->ignores[i].lineno;
        t->v.TypeIgnore.tag = p->ignores[i].tag;
        if (!parser_push(p, t))
            return NULL;
    }
    return parser_pop(p, mark);
}

static mod_ty parse_file(parser *p)
{
    int mark = p->stack_used;
    while (cur(p) != TOK_ENDMARKER)
        if (!parse_statement(p))
            return NULL;
    ast_stmt_seq *body = parser_pop(p, mark);
    ast_type_ignore_seq *ignores = take_ignores(p);
    mod_ty m = new_mod(p, Module_kind);
    if (body == NULL || ignores == NULL || m == NULL)
        return NULL;
    m->v.Module.body = body;
    m->v.Module.type_ignores = ignores;
    return m;
}

/* Is there more than blank lines and comments after the statement? */
static int has_more(parser *p)
{
    const char *s = p->buffer + p->at;
    for (;;) {
        s += strspn(s, " \t\n\014");
        if (*s == '\0')
            return 0;
        if (*s != '#')
            return 1;
        s += strcspn(s, "\n");
    }
}

static mod_ty parse_single(parser *p)
{
    int mark = p->stack_used, type = cur(p), start = p->t;
    if (type == TOK_NEWLINE) {
        p->t++;
        stmt_ty s = parser_new_stmt(p, Pass_kind, start);
        if (s == NULL || !parser_push(p, s))
            return NULL;
    }
    else {
        int matched = parse_compound_statement(p);
        if (p->error)
            return NULL;
        if (matched == 1) {
            if (!accept(p, TOK_NEWLINE))
                return NULL;
        }
        else if (matched < 0)
            return NULL;
        else {
            p->t = start;
            p->stack_used = mark;
            if (!parse_simple_statements(p))
                return NULL;
        }
    }
    if (has_more(p) && !p->error)
        return parser_error(p, PyExc_SyntaxError, "multiple statements found while compiling a single statement");
    ast_stmt_seq *body = parser_pop(p, mark);
    mod_ty m = new_mod(p, Interactive_kind);
    if (body == NULL || m == NULL)
        return NULL;
    m->v.Interactive.body = body;
    return m;
}

static mod_ty parse_eval(parser *p)
{
    /* expressions NEWLINE* ENDMARKER: like star_expressions, but without starred elements */
    int mark = p->stack_used, start = p->t;
    expr_ty e = parse_expression(p);
    if (e == NULL)
        return NULL;
    if (cur(p) == TOK_COMMA) {
        if (!parser_push(p, e))
            return NULL;
        while (accept(p, TOK_COMMA)) {
            int type = cur(p), after = p->t;
            expr_ty next = type == TOK_NEWLINE || type == TOK_ENDMARKER ? NULL : parse_expression(p);
            if (next == NULL) {
                p->t = after;
                break;
            }
            if (!parser_push(p, next))
                return NULL;
        }
        ast_expr_seq *elts = parser_pop(p, mark);
        e = elts == NULL ? NULL : parser_expr_from(p, Tuple_kind, start);
        if (e == NULL)
            return NULL;
        e->v.Tuple.elts = elts;
        e->v.Tuple.ctx = Load;
    }
    while (accept(p, TOK_NEWLINE))
        ;
    if (cur(p) != TOK_ENDMARKER || p->error)
        return NULL;
    mod_ty m = new_mod(p, Expression_kind);
    if (m != NULL)
        m->v.Expression.body = e;
    return m;
}

/* the parenthesised text of a replacement field: star_expressions, which may be a yield inside the parentheses */
static mod_ty parse_field(parser *p)
{
    expr_ty e = parse_star_expressions(p);
    mod_ty m = e == NULL || p->error ? NULL : new_mod(p, Expression_kind);
    if (m != NULL)
        m->v.Expression.body = e;
    return m;
}

/* '(' [types] ')' '->' expression, for type comments of functions */
static mod_ty parse_function_type(parser *p)
{
    int mark = p->stack_used, stars = 0;
    if (!accept(p, TOK_LPAR))
        return NULL;
    while (cur(p) != TOK_RPAR) {
        int type = cur(p);
        if (type == TOK_STAR || type == TOK_DOUBLESTAR) {
            int rank = type == TOK_STAR ? 1 : 2;
            if (rank <= stars)
                return NULL;
            stars = rank;
            p->t++;
        }
        else if (stars > 0)
            return NULL;
        expr_ty e = parse_expression(p);
        if (e == NULL || !parser_push(p, e))
            return NULL;
        if (!accept(p, TOK_COMMA))
            break;
        if (cur(p) == TOK_RPAR)
            return NULL;
    }
    ast_expr_seq *argtypes = parser_pop(p, mark);
    if (argtypes == NULL || !accept(p, TOK_RPAR) || !accept(p, TOK_RARROW))
        return NULL;
    expr_ty returns = parse_expression(p);
    if (returns == NULL)
        return NULL;
    while (accept(p, TOK_NEWLINE))
        ;
    if (cur(p) != TOK_ENDMARKER || p->error)
        return NULL;
    mod_ty m = new_mod(p, FunctionType_kind);
    if (m != NULL) {
        m->v.FunctionType.argtypes = argtypes;
        m->v.FunctionType.returns = returns;
    }
    return m;
}

mod_ty parse_module(parser *p)
{
    switch ((int)p->mode) {
    case PARSER_FILE: return parse_file(p);
    case PARSER_SINGLE: return parse_single(p);
    case PARSER_EVAL: return parse_eval(p);
    case PARSER_FUNC_TYPE: return parse_function_type(p);
    default: return parse_field(p);
    }
}
