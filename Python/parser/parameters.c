/* Parses the parameters of functions and lambdas. */
#include "parse.h"

/* The parameters read so far; sequences grow on the parser's stack one after the other, defaults beside them. */
struct parameters {
    arg_ty *list;
    expr_ty *defaults;          /* NULL: none */
    int used, room;
    int slash, star;            /* index of the first parameter after it, or -1 */
    arg_ty vararg, kwarg;
};

static arg_ty parse_one(parser *p, int lambda, int star)
{
    const token *t = tok(p);
    if (t->type != TOK_NAME)
        return NULL;
    int lineno = t->lineno, col = t->col;
    PyObject *name = parser_identifier(p, t);
    if (name == NULL)
        return NULL;
    p->t++;
    expr_ty annotation = NULL;
    if (!lambda && accept(p, TOK_COLON)) {
        annotation = star ? parse_star_expression(p) : parse_expression(p);
        if (annotation == NULL)
            return NULL;
    }
    arg_ty a = arena_alloc(p->arena, sizeof *a);
    if (a == NULL)
        return parser_out_of_memory(p);
    const token *last = previous(p);
    *a = (struct arg){lineno, col, last->end_lineno, last->end_col, name, annotation, NULL};
    return a;
}

static int add(parser *p, struct parameters *ps, arg_ty a, expr_ty def)
{
    if (ps->used == ps->room) {
        int room = ps->room * 2 + 8;
        arg_ty *list = arena_alloc(p->arena, (size_t)room * sizeof(arg_ty));
        expr_ty *defaults = arena_alloc(p->arena, (size_t)room * sizeof(expr_ty));
        if (list == NULL || defaults == NULL) {
            parser_out_of_memory(p);
            return 0;
        }
        if (ps->used > 0) {
            memcpy(list, ps->list, (size_t)ps->used * sizeof(arg_ty));
            memcpy(defaults, ps->defaults, (size_t)ps->used * sizeof(expr_ty));
        }
        ps->list = list;
        ps->defaults = defaults;
        ps->room = room;
    }
    ps->list[ps->used] = a;
    ps->defaults[ps->used++] = def;
    return 1;
}

/* After a parameter: a type comment may stand after the comma, or before the end. */
static int take_type_comment(parser *p, arg_ty a)
{
    const token *t = tok(p);
    if (t->type != TOK_TYPE_COMMENT)
        return 1;
    a->type_comment = parser_type_comment(p, t);
    p->t++;
    return a->type_comment != NULL;
}

/* '*' | '/' | '**' name | name; then a comma or the end. Returns 0 if it does not match. */
static int parse_item(parser *p, struct parameters *ps, int lambda, int end)
{
    int type = cur(p);
    arg_ty a = NULL;
    if (ps->kwarg != NULL)
        return 0;
    if (type == TOK_SLASH) {
        if (ps->slash >= 0 || ps->star >= 0 || ps->used == 0)
            return 0;
        p->t++;
        if (!parser_allows(p, 8, "Positional-only parameters are"))
            return 0;
        ps->slash = ps->used;
    }
    else if (type == TOK_STAR) {
        if (ps->star >= 0)
            return 0;
        p->t++;
        ps->star = ps->used;
        if (cur(p) == TOK_COMMA) {
            int next = peek(p);
            if (next == end || next == TOK_DOUBLESTAR || next == TOK_TYPE_COMMENT)
                return 0;
        }
        else {
            a = ps->vararg = parse_one(p, lambda, 1);
            if (a == NULL)
                return 0;
        }
    }
    else if (type == TOK_DOUBLESTAR) {
        p->t++;
        a = ps->kwarg = parse_one(p, lambda, 0);
        if (a == NULL)
            return 0;
    }
    else {
        expr_ty def = NULL;
        a = parse_one(p, lambda, 0);
        if (a == NULL)
            return 0;
        if (cur(p) == TOK_EQUAL) {
            p->t++;
            def = parse_expression(p);
            if (def == NULL)
                return 0;
        }
        else if (ps->star < 0 && ps->used > 0 && ps->defaults[ps->used - 1] != NULL)
            return 0;
        if (!add(p, ps, a, def))
            return 0;
    }
    if (accept(p, TOK_COMMA))
        return a == NULL || lambda || take_type_comment(p, a);
    if (a != NULL && !lambda && !take_type_comment(p, a))
        return 0;
    return cur(p) == end;
}

static ast_arg_seq *slice_args(parser *p, struct parameters *ps, int from, int to)
{
    ast_seq *seq = ast_seq_new(to - from, p->arena);
    if (seq == NULL)
        return parser_out_of_memory(p);
    if (to > from)
        memcpy(seq->elements, ps->list + from, (size_t)(to - from) * sizeof(void *));
    return (ast_arg_seq *)seq;
}

static arguments_ty finish(parser *p, struct parameters *ps)
{
    int slash = ps->slash < 0 ? 0 : ps->slash, positional = ps->star < 0 ? ps->used : ps->star, n = 0;
    arguments_ty args = arena_alloc(p->arena, sizeof *args);
    if (args == NULL)
        return parser_out_of_memory(p);
    args->posonlyargs = slice_args(p, ps, 0, slash);
    args->args = slice_args(p, ps, slash, positional);
    args->kwonlyargs = slice_args(p, ps, positional, ps->used);
    args->vararg = ps->vararg;
    args->kwarg = ps->kwarg;
    for (int i = 0; i < positional; i++)
        n += ps->defaults[i] != NULL;
    args->defaults = (ast_expr_seq *)ast_seq_new(n, p->arena);
    args->kw_defaults = (ast_expr_seq *)ast_seq_new(ps->used - positional, p->arena);
    if (args->posonlyargs == NULL || args->args == NULL || args->kwonlyargs == NULL || args->defaults == NULL ||
        args->kw_defaults == NULL)
        return parser_out_of_memory(p);
    for (int i = 0; i < n; i++)
        args->defaults->elements[i] = ps->defaults[positional - n + i];
    for (int i = positional; i < ps->used; i++)
        args->kw_defaults->elements[i - positional] = ps->defaults[i];
    return args;
}

arguments_ty parse_parameters(parser *p, int lambda)
{
    struct parameters ps = {.slash = -1, .star = -1};
    int end = lambda ? TOK_COLON : TOK_RPAR, start;
    (void)tok(p);
    start = p->t;
    while (cur(p) != end) {
        if (!parse_item(p, &ps, lambda, end)) {
            if (p->diagnosing && !p->error) {
                p->t = start;
                diagnose_parameters(p, lambda);
            }
            return NULL;
        }
    }
    return finish(p, &ps);
}
