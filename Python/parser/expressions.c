/* Parses expressions by precedence: from named expressions down to primaries. Displays and calls are in atoms.c. */
#include "parse.h"

/* The name at the current token as a Name node; moves on. */
static expr_ty take_name(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    PyObject *id = parser_identifier(p, t);
    if (id == NULL)
        return NULL;
    p->t++;
    expr_ty e = parser_new_expr(p, Name_kind, lineno, col);
    if (e != NULL) {
        e->v.Name.id = id;
        e->v.Name.ctx = Load;
    }
    return e;
}

/* ---- binary operators ---- */

/* binding strength of arithmetic operators; 0: not one */
static const unsigned char strengths[TOKEN_COUNT] = {
    [TOK_VBAR] = 1, [TOK_CIRCUMFLEX] = 2, [TOK_AMPER] = 3, [TOK_LEFTSHIFT] = 4, [TOK_RIGHTSHIFT] = 4,
    [TOK_PLUS] = 5, [TOK_MINUS] = 5, [TOK_STAR] = 6, [TOK_SLASH] = 6, [TOK_DOUBLESLASH] = 6, [TOK_PERCENT] = 6, [TOK_AT] = 6,
};

static const unsigned char operators[TOKEN_COUNT] = {
    [TOK_VBAR] = BitOr, [TOK_CIRCUMFLEX] = BitXor, [TOK_AMPER] = BitAnd, [TOK_LEFTSHIFT] = LShift, [TOK_RIGHTSHIFT] = RShift,
    [TOK_PLUS] = Add, [TOK_MINUS] = Sub, [TOK_STAR] = Mult, [TOK_SLASH] = Div, [TOK_DOUBLESLASH] = FloorDiv, [TOK_PERCENT] = Mod,
    [TOK_AT] = MatMult,
};

static expr_ty parse_factor(parser *p);

static expr_ty new_binary(parser *p, int start, expr_ty left, operator_ty op, expr_ty right)
{
    expr_ty e = parser_expr_from(p, BinOp_kind, start);
    if (e != NULL) {
        e->v.BinOp.left = left;
        e->v.BinOp.op = op;
        e->v.BinOp.right = right;
    }
    return e;
}

/* Operators at least as strong as min; a right operand that does not parse ends the expression before its operator. */
static expr_ty parse_binary(parser *p, int min)
{
    int start = p->t;
    expr_ty left = parse_factor(p);
    if (left == NULL)
        return NULL;
    for (;;) {
        int type = cur(p), strength = strengths[type];
        if (strength == 0 || strength < min)
            return p->error ? NULL : left;
        int before = p->t++;
        expr_ty right = parse_binary(p, strength + 1);
        if (right == NULL) {
            if (p->error)
                return NULL;
            p->t = before;
            return left;
        }
        if (type == TOK_AT && !parser_allows(p, 5, "The '@' operator is"))
            return NULL;
        left = new_binary(p, start, left, (operator_ty)operators[type], right);
        if (left == NULL)
            return NULL;
    }
}

expr_ty parse_bitwise_or(parser *p)
{
    if (!p->second_pass)
        return parse_binary(p, 1);
    void *known;
    if (parser_recall(p, RULE_BITWISE_OR, &known))
        return known;
    int start = p->t;
    return parser_remember(p, RULE_BITWISE_OR, start, parse_binary(p, 1));
}

/* await primary ['**' factor] */
static expr_ty parse_power(parser *p)
{
    const token *t = tok(p);
    int start = p->t;
    expr_ty base;
    if (t->type == TOK_AWAIT) {
        int lineno = t->lineno, col = t->col;
        p->t++;
        expr_ty value = parse_primary(p);
        if (value == NULL || !parser_allows(p, 5, "Await expressions are"))
            return NULL;
        base = parser_new_expr(p, Await_kind, lineno, col);
        if (base == NULL)
            return NULL;
        base->v.Await.value = value;
    }
    else
        base = parse_primary(p);
    if (base == NULL || cur(p) != TOK_DOUBLESTAR)
        return base;
    int before = p->t++;
    if (!parser_enter(p))
        return NULL;
    expr_ty right = parse_factor(p);
    parser_leave(p);
    if (right == NULL) {
        p->t = before;
        return p->error ? NULL : base;
    }
    return new_binary(p, start, base, Pow, right);
}

static expr_ty new_unary(parser *p, unaryop_ty op, expr_ty operand, int lineno, int col)
{
    if (operand == NULL)
        return NULL;
    expr_ty e = parser_new_expr(p, UnaryOp_kind, lineno, col);
    if (e != NULL) {
        e->v.UnaryOp.op = op;
        e->v.UnaryOp.operand = operand;
    }
    return e;
}

static expr_ty parse_factor(parser *p)
{
    const token *t = tok(p);
    unaryop_ty op;
    switch (t->type) {
    case TOK_MINUS: op = USub; break;
    case TOK_PLUS: op = UAdd; break;
    case TOK_TILDE: op = Invert; break;
    default: return parse_power(p);
    }
    int lineno = t->lineno, col = t->col;
    p->t++;
    if (!parser_enter(p))
        return NULL;
    expr_ty e = new_unary(p, op, parse_factor(p), lineno, col);
    parser_leave(p);
    return e;
}

/* ---- comparison, not, and, or ---- */

/* Moves over a comparison operator; 0: there is none. */
static cmpop_ty take_comparison(parser *p)
{
    const token *t = tok(p);
    cmpop_ty op;
    switch (t->type) {
    case TOK_EQEQUAL: op = Eq; break;
    case TOK_NOTEQUAL: {
        int bdfl = p->buffer[t->start] == '<';
        if (bdfl != ((p->flags & PARSER_BARRY_AS_BDFL) != 0)) {
            if (!bdfl)
                parser_error(p, PyExc_SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
            return 0;
        }
        op = NotEq;
        break;
    }
    case TOK_LESS: op = Lt; break;
    case TOK_LESSEQUAL: op = LtE; break;
    case TOK_GREATER: op = Gt; break;
    case TOK_GREATEREQUAL: op = GtE; break;
    case TOK_IN: op = In; break;
    case TOK_NOT:
        if (peek(p) != TOK_IN)
            return 0;
        p->t++;
        op = NotIn;
        break;
    case TOK_IS:
        op = Is;
        if (peek(p) == TOK_NOT) {
            p->t++;
            op = IsNot;
        }
        break;
    default: return 0;
    }
    p->t++;
    return op;
}

static expr_ty parse_comparison(parser *p)
{
    int start = p->t;
    expr_ty left = parse_bitwise_or(p);
    if (left == NULL)
        return NULL;
    int mark = p->stack_used, n = 0;
    for (;;) {
        int before = p->t;
        cmpop_ty op = take_comparison(p);
        if (op == 0) {
            p->t = before;
            break;
        }
        expr_ty right = parse_bitwise_or(p);
        if (right == NULL) {
            p->t = before;
            break;
        }
        if (!parser_push(p, (void *)(intptr_t)op) || !parser_push(p, right))
            return NULL;
        n++;
    }
    if (p->error)
        return NULL;
    if (n == 0)
        return left;
    ast_cmpop_seq *ops = arena_alloc(p->arena, sizeof(ast_cmpop_seq) + (size_t)n * sizeof(cmpop_ty));
    ast_expr_seq *comparators = arena_alloc(p->arena, sizeof(ast_expr_seq) + (size_t)n * sizeof(expr_ty));
    if (ops == NULL || comparators == NULL)
        return parser_out_of_memory(p);
    ops->size = comparators->size = n;
    for (int i = 0; i < n; i++) {
        ops->elements[i] = (cmpop_ty)(intptr_t)p->stack[mark + 2 * i];
        comparators->elements[i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_used = mark;
    expr_ty e = parser_expr_from(p, Compare_kind, start);
    if (e != NULL) {
        e->v.Compare.left = left;
        e->v.Compare.ops = ops;
        e->v.Compare.comparators = comparators;
    }
    return e;
}

static expr_ty parse_inversion(parser *p)
{
    const token *t = tok(p);
    if (t->type != TOK_NOT)
        return parse_comparison(p);
    int lineno = t->lineno, col = t->col;
    p->t++;
    if (!parser_enter(p))
        return NULL;
    expr_ty e = new_unary(p, Not, parse_inversion(p), lineno, col);
    parser_leave(p);
    return e;
}

/* operand (word operand)*, one node for the whole chain */
static expr_ty parse_chain(parser *p, int word, boolop_ty op, expr_ty operand(parser *))
{
    int start = p->t;
    expr_ty first = operand(p);
    if (first == NULL || cur(p) != word)
        return p->error ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (cur(p) == word) {
        int before = p->t++;
        expr_ty next = operand(p);
        if (next == NULL) {
            p->t = before;
            break;
        }
        if (!parser_push(p, next))
            return NULL;
    }
    if (p->error)
        return NULL;
    if (p->stack_used == mark + 1) {
        p->stack_used = mark;
        return first;
    }
    ast_expr_seq *values = parser_pop(p, mark);
    if (values == NULL)
        return NULL;
    expr_ty e = parser_expr_from(p, BoolOp_kind, start);
    if (e != NULL) {
        e->v.BoolOp.op = op;
        e->v.BoolOp.values = values;
    }
    return e;
}

static expr_ty parse_conjunction(parser *p)
{
    return parse_chain(p, TOK_AND, And, parse_inversion);
}

expr_ty parse_disjunction(parser *p)
{
    if (!p->second_pass)
        return parse_chain(p, TOK_OR, Or, parse_conjunction);
    void *known;
    if (parser_recall(p, RULE_DISJUNCTION, &known))
        return known;
    int start = p->t;
    return parser_remember(p, RULE_DISJUNCTION, start, parse_chain(p, TOK_OR, Or, parse_conjunction));
}

/* ---- conditional expression, lambda ---- */

static expr_ty parse_lambda(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    p->t++;
    arguments_ty args = parse_parameters(p, 1);
    if (args == NULL)
        return NULL;
    if (!accept(p, TOK_COLON) || !parser_enter(p))
        return NULL;
    expr_ty body = parse_expression(p);
    parser_leave(p);
    if (body == NULL)
        return NULL;
    expr_ty e = parser_new_expr(p, Lambda_kind, lineno, col);
    if (e != NULL) {
        e->v.Lambda.args = args;
        e->v.Lambda.body = body;
    }
    return e;
}

expr_ty parse_plain_expression(parser *p)
{
    if (cur(p) == TOK_LAMBDA)
        return parse_lambda(p);
    int start = p->t;
    expr_ty body = parse_disjunction(p);
    if (body == NULL || cur(p) != TOK_IF)
        return p->error ? NULL : body;
    /* in a comprehension the `if` may belong to the clause instead */
    int before = p->t++;
    expr_ty test = parse_disjunction(p), orelse = NULL;
    if (test != NULL && accept(p, TOK_ELSE)) {
        if (!parser_enter(p))
            return NULL;
        orelse = parse_expression(p);
        parser_leave(p);
    }
    if (p->error)
        return NULL;
    if (orelse == NULL) {
        p->t = before;
        return body;
    }
    expr_ty e = parser_expr_from(p, IfExp_kind, start);
    if (e != NULL) {
        e->v.IfExp.test = test;
        e->v.IfExp.body = body;
        e->v.IfExp.orelse = orelse;
    }
    return e;
}

expr_ty parse_expression(parser *p)
{
    if (!p->second_pass)
        return parse_plain_expression(p);
    void *known;
    if (parser_recall(p, RULE_EXPRESSION, &known))
        return known;
    int start = p->t;
    if (!parser_enter(p))
        return NULL;
    if (p->diagnosing)
        diagnose_expression(p);
    expr_ty e = p->error ? NULL : parse_plain_expression(p);
    parser_leave(p);
    return parser_remember(p, RULE_EXPRESSION, start, e);
}

/* ---- named, starred, yield ---- */

/* NAME ':=' expression; the caller saw both tokens. */
static expr_ty parse_assignment_expression(parser *p)
{
    expr_ty target = take_name(p);
    if (target == NULL)
        return NULL;
    p->t++;
    if (!parser_enter(p))
        return NULL;
    expr_ty value = parse_expression(p);
    parser_leave(p);
    if (value == NULL || !parser_allows(p, 8, "Assignment expressions are"))
        return NULL;
    target->v.Name.ctx = Store;
    expr_ty e = parser_new_expr(p, NamedExpr_kind, target->lineno, target->col_offset);
    if (e != NULL) {
        e->v.NamedExpr.target = target;
        e->v.NamedExpr.value = value;
    }
    return e;
}

expr_ty parse_named_expression(parser *p)
{
    void *known;
    int start = p->t;
    if (cur(p) == TOK_NAME && peek(p) == TOK_COLONEQUAL) {
        expr_ty e = parse_assignment_expression(p);
        if (e != NULL || p->error || !p->diagnosing)
            return e;
        p->t = start;
    }
    if (p->diagnosing) {
        if (parser_recall(p, RULE_NAMED, &known))
            return known;
        diagnose_named_expression(p);
        if (p->error)
            return NULL;
    }
    expr_ty e = parse_expression(p);
    if (e != NULL && cur(p) == TOK_COLONEQUAL)
        e = NULL;
    if (p->diagnosing)
        return parser_remember(p, RULE_NAMED, start, e);
    return e;
}

static expr_ty new_starred(parser *p, expr_ty value, int lineno, int col)
{
    if (value == NULL)
        return NULL;
    expr_ty e = parser_new_expr(p, Starred_kind, lineno, col);
    if (e != NULL) {
        e->v.Starred.value = value;
        e->v.Starred.ctx = Load;
    }
    return e;
}

/* '*' bitwise_or, the current token being the star */
static expr_ty parse_star_bitwise_or(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    p->t++;
    return new_starred(p, parse_bitwise_or(p), lineno, col);
}

expr_ty parse_starred_expression(parser *p)
{
    const token *t = tok(p);
    if (t->type != TOK_STAR)
        return NULL;
    int lineno = t->lineno, col = t->col;
    p->t++;
    return new_starred(p, parse_expression(p), lineno, col);
}

expr_ty parse_star_expression(parser *p)
{
    return cur(p) == TOK_STAR ? parse_star_bitwise_or(p) : parse_expression(p);
}

expr_ty parse_star_named_expression(parser *p)
{
    return cur(p) == TOK_STAR ? parse_star_bitwise_or(p) : parse_named_expression(p);
}

expr_ty parse_star_expressions(parser *p)
{
    int start = p->t;
    expr_ty first = parse_star_expression(p);
    if (first == NULL || cur(p) != TOK_COMMA)
        return p->error ? NULL : first;
    int mark = p->stack_used;
    if (!parser_push(p, first))
        return NULL;
    while (accept(p, TOK_COMMA)) {
        int after = p->t;
        expr_ty next = parse_star_expression(p);
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
        e->v.Tuple.ctx = Load;
    }
    return e;
}

expr_ty parse_yield(parser *p)
{
    const token *t = tok(p);
    int lineno = t->lineno, col = t->col;
    p->t++;
    if (accept(p, TOK_FROM)) {
        expr_ty value = parse_expression(p);
        if (value == NULL)
            return NULL;
        expr_ty e = parser_new_expr(p, YieldFrom_kind, lineno, col);
        if (e != NULL)
            e->v.YieldFrom.value = value;
        return e;
    }
    int after = p->t;
    expr_ty value = parse_star_expressions(p);
    if (value == NULL) {
        if (p->error)
            return NULL;
        p->t = after;
    }
    expr_ty e = parser_new_expr(p, Yield_kind, lineno, col);
    if (e != NULL)
        e->v.Yield.value = value;
    return e;
}

expr_ty parse_yield_or_star_expressions(parser *p)
{
    return cur(p) == TOK_YIELD ? parse_yield(p) : parse_star_expressions(p);
}
