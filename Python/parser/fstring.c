/* Formatted strings: splits the text of an f-string literal into literal parts and replacement fields. */
#include "parse.h"

struct fstring {
    const char *at, *end;
    int raw;
    int first, last;            /* token indexes of the whole string atom: the position of all parts */
    int token;                  /* of this literal */
    const char *counted, *line; /* up to here lines are counted; the line end before, or the start of the token */
    int lines;
};

static const token *token_of(parser *p, int index)
{
    return &p->tokens[index];
}

static int add_expr(parser *p, struct fstring *f, expr_ty e)
{
    if (e == NULL)
        return 0;
    const token *first = token_of(p, f->first), *last = token_of(p, f->last);
    e->lineno = first->lineno;
    e->col_offset = first->col;
    e->end_lineno = last->end_lineno;
    e->end_col_offset = last->end_col;
    return parser_push(p, e);
}

expr_ty parser_new_string(parser *p, PyObject *value, const token *first, const token *last)
{
    int unicode = p->buffer[first->start] == 'u';
    expr_ty e = parser_new_constant(p, value, first->lineno, first->col, last->end_lineno, last->end_col);
    if (e != NULL && unicode) {
        e->v.Constant.kind = PyUnicode_InternFromString("u");
        if (arena_keep_steal(p->arena, e->v.Constant.kind) < 0)
            return parser_out_of_memory(p);
    }
    return e;
}

/* Appends text to *pending, which may be NULL. Steals text; empty text leaves NULL. */
static int append(parser *p, PyObject **pending, PyObject *text)
{
    if (text == NULL) {
        p->error = 1;
        return 0;
    }
    if (PyUnicode_GetLength(text) == 0)
        Py_DECREF(text);
    else if (*pending == NULL)
        *pending = text;
    else {
        PyUnicode_Append(pending, text);
        Py_DECREF(text);
        if (*pending == NULL) {
            p->error = 1;
            return 0;
        }
    }
    return 1;
}

/* Makes a node of the pending text. */
static int flush(parser *p, struct fstring *f, PyObject **pending)
{
    if (*pending == NULL)
        return 1;
    PyObject *text = *pending;
    *pending = NULL;
    if (PyUnicode_GetLength(text) == 0) {
        Py_DECREF(text);
        return 1;
    }
    expr_ty e = parser_new_string(p, text, token_of(p, f->first), token_of(p, f->last));
    return e != NULL && parser_push(p, e);
}

/* Literal text up to a field or the end. Returns 1 if more literal text follows (after a doubled brace), 0 if not, -1 on an error. */
static int read_literal(parser *p, struct fstring *f, int depth, PyObject **pending)
{
    const char *start = f->at, *s = start;
    int more = 0;
    while (s < f->end) {
        char c = *s++;
        if (c == '\\' && !f->raw && s < f->end) {
            c = *s++;
            if (c == 'N') {                     /* the braces of \N{name} are not ours */
                if (s < f->end && *s++ == '{')
                    while (s < f->end && *s++ != '}')
                        ;
                continue;
            }
            if (c == '{' && !p->second_pass) {
                const token *t = token_of(p, f->token);
                PyObject *message = PyUnicode_FromString("invalid escape sequence '\\{'");
                int r = message == NULL ? -1 :
                    PyErr_WarnExplicitObject(PyExc_DeprecationWarning, message, p->filename, t->lineno, NULL, NULL);
                Py_XDECREF(message);
                if (r < 0) {
                    if (PyErr_ExceptionMatches(PyExc_DeprecationWarning)) {
                        PyErr_Clear();
                        parser_error_token(p, t, t, "invalid escape sequence '\\{'");
                    }
                    p->error = 1;
                    return -1;
                }
            }
        }
        if (c != '{' && c != '}')
            continue;
        if (depth == 0) {
            if (s < f->end && *s == c) {
                f->at = s + 1;
                more = 1;
                goto decode;
            }
            if (c == '}') {
                parser_error(p, PyExc_SyntaxError, "f-string: single '}' is not allowed");
                return -1;
            }
        }
        s--;
        break;
    }
    f->at = s;
decode:
    if (s > start && !append(p, pending, parser_decode_literal(p, start, (int)(s - start), f->raw, token_of(p, f->token))))
        return -1;
    return more;
}

/* The start of the text of a field in the file: line, and the column that its opening brace has. */
static void locate(parser *p, struct fstring *f, const char *brace, int *lineno, int *col)
{
    const token *t = token_of(p, f->token);
    const char *s;
    if (f->counted == NULL)
        f->counted = f->line = token_text(p, t);
    /* the braces come in the order of the text */
    for (; f->counted < brace; f->counted++)
        if (*f->counted == '\n') {
            f->lines++;
            f->line = f->counted;
        }
    *lineno = t->lineno + f->lines;
    s = brace + 1 + strspn(brace + 1, " \t\f");
    int newline_follows = s >= f->end || *s == '\n' || *s == '}';
    int column = newline_follows ? 0 : (int)(brace - f->line) - (*f->line == '\n');
    *col = *lineno != t->lineno ? column : t->col + column;
}

static expr_ty compile_field(parser *p, struct fstring *f, const char *start, const char *end)
{
    const char *s = start + strspn(start, " \t\n\f");
    int lineno, col;
    if (s >= end) {
        if (*end == '!' || *end == ':' || *end == '=')
            return parser_error(p, PyExc_SyntaxError, "f-string: expression required before '%c'", *end);
        return parser_error(p, PyExc_SyntaxError, "f-string: empty expression not allowed");
    }
    locate(p, f, start - 1, &lineno, &col);
    return parser_parse_replacement_field(p, start, (int)(end - start), lineno, col);
}

/* From after the opening brace to what ends the expression. Returns 0 with an error raised. */
static int find_field_end(parser *p, struct fstring *f)
{
    char quote = 0, open[PARSER_MAX_PARENS];
    int triple = 0, depth = 0;
    for (; f->at < f->end; f->at++) {
        const char *s = f->at;
        char c = *s, d = s + 1 < f->end ? s[1] : '\0', e = s + 2 < f->end ? s[2] : '\0';
        if (c == '\\')
            return parser_error(p, PyExc_SyntaxError, "f-string expression part cannot include a backslash"), 0;
        if (quote) {
            if (c == quote && triple && d == c && e == c) {
                f->at += 2;
                quote = 0;
            }
            else if (c == quote && !triple)
                quote = 0;
            continue;
        }
        if (c == '\'' || c == '"') {
            quote = c;
            triple = d == c && e == c;
            if (triple)
                f->at += 2;
            continue;
        }
        if (c == '(' || c == '[' || c == '{') {
            if (depth >= PARSER_MAX_PARENS)
                return parser_error(p, PyExc_SyntaxError, "f-string: too many nested parenthesis"), 0;
            open[depth++] = c;
            continue;
        }
        if (c == '#')
            return parser_error(p, PyExc_SyntaxError, "f-string expression part cannot include '#'"), 0;
        if (depth == 0 && (c == '!' || c == ':' || c == '}' || c == '=' || c == '>' || c == '<')) {
            if (d == '=' && (c == '!' || c == '=' || c == '<' || c == '>')) {
                f->at++;
                continue;
            }
            if (c == '>' || c == '<')
                continue;
            break;
        }
        if (c == ')' || c == ']' || c == '}') {
            if (depth == 0)
                return parser_error(p, PyExc_SyntaxError, "f-string: unmatched '%c'", c), 0;
            char o = open[--depth];
            if (!((o == '(' && c == ')') || (o == '[' && c == ']') || (o == '{' && c == '}')))
                return parser_error(p, PyExc_SyntaxError,
                                    "f-string: closing parenthesis '%c' does not match opening parenthesis '%c'", c, o), 0;
        }
    }
    if (quote)
        return parser_error(p, PyExc_SyntaxError, "f-string: unterminated string"), 0;
    if (depth > 0)
        return parser_error(p, PyExc_SyntaxError, "f-string: unmatched '%c'", open[depth - 1]), 0;
    return 1;
}

static int read_parts(parser *p, struct fstring *f, int depth, PyObject **pending);

/* The nested format specification of a field: a JoinedStr. */
static expr_ty read_spec(parser *p, struct fstring *f, int depth)
{
    PyObject *pending = NULL;
    int mark = p->stack_used;
    int ok = read_parts(p, f, depth, &pending);
    /* the last text and the whole have the position of this literal, not of the whole string atom */
    struct fstring own = {.first = f->token, .last = f->token};
    if (!ok || !flush(p, &own, &pending)) {
        Py_XDECREF(pending);
        return NULL;
    }
    ast_expr_seq *values = parser_pop(p, mark);
    expr_ty e = values == NULL ? NULL : parser_new_expr(p, JoinedStr_kind, 0, 0);
    if (e != NULL) {
        e->v.JoinedStr.values = values;
        if (!add_expr(p, &own, e))
            return NULL;
        p->stack_used = mark;
    }
    return e;
}

static int fail_expecting(parser *p)
{
    parser_error(p, PyExc_SyntaxError, "f-string: expecting '}'");
    return 0;
}

/* A replacement field, at its opening brace: pushes a FormattedValue. */
static int read_field(parser *p, struct fstring *f, int depth, PyObject **pending)
{
    int conversion = -1, documenting = 0;
    expr_ty spec = NULL;
    if (depth >= 2)
        return parser_error(p, PyExc_SyntaxError, "f-string: expressions nested too deeply"), 0;
    const char *start = ++f->at;
    if (!find_field_end(p, f))
        return 0;
    if (f->at >= f->end)
        return fail_expecting(p);
    expr_ty value = compile_field(p, f, start, f->at);
    if (value == NULL)
        return 0;
    if (*f->at == '=') {
        if (p->feature_version < 8)
            return parser_error(p, PyExc_SyntaxError,
                                "f-string: self documenting expressions are only supported in Python 3.8 and greater"), 0;
        f->at++;
        while (f->at < f->end && strchr(" \t\n\r\f\v", *f->at) != NULL)
            f->at++;
        if (f->at >= f->end)
            return fail_expecting(p);
        documenting = 1;
        if (!append(p, pending, PyUnicode_DecodeUTF8(start, f->at - start, NULL)))
            return 0;
    }
    if (*f->at == '!') {
        if (++f->at >= f->end)
            return fail_expecting(p);
        conversion = (unsigned char)*f->at++;
        if (conversion != 's' && conversion != 'r' && conversion != 'a')
            return parser_error(p, PyExc_SyntaxError,
                                "f-string: invalid conversion character: expected 's', 'r', or 'a'"), 0;
        if (f->at >= f->end)
            return fail_expecting(p);
    }
    if (!flush(p, f, pending))
        return 0;
    if (*f->at == ':') {
        if (++f->at >= f->end)
            return fail_expecting(p);
        spec = read_spec(p, f, depth + 1);
        if (spec == NULL)
            return 0;
    }
    if (f->at >= f->end || *f->at != '}')
        return fail_expecting(p);
    f->at++;
    if (documenting && spec == NULL && conversion == -1)
        conversion = 'r';
    expr_ty e = parser_new_expr(p, FormattedValue_kind, 0, 0);
    if (e == NULL)
        return 0;
    e->v.FormattedValue.value = value;
    e->v.FormattedValue.conversion = conversion;
    e->v.FormattedValue.format_spec = spec;
    return add_expr(p, f, e);
}

/* Literal text and fields in turn up to the end, or the closing brace of the field that this is the specification of. */
static int read_parts(parser *p, struct fstring *f, int depth, PyObject **pending)
{
    for (;;) {
        int more = read_literal(p, f, depth, pending);
        if (more < 0)
            return 0;
        if (more)
            continue;
        if (f->at >= f->end || *f->at == '}')
            break;
        if (!read_field(p, f, depth, pending))
            return 0;
    }
    if (depth > 0 && f->at >= f->end)
        return fail_expecting(p);
    return 1;
}

int parser_fstring_add(parser *p, const char *s, int length, int raw, int first, int index, int last, PyObject **pending)
{
    struct fstring f = {s, s + length, raw, first, last, index};
    return read_parts(p, &f, 0, pending);
}
