/* Shared by the files of the parser alone: its state, the primitives that look at tokens, and the entry points of each file.
 *
 * A parse function returns a node, or NULL: either "does not match" (no exception) or an error (p->error, exception set).
 * After a NULL the position is undefined unless the function says otherwise; who wants to try something else restores it.
 * In the second pass (p->diagnosing) the same functions also look for known mistakes and raise the error found. */
#ifndef BRAID_PARSER_PARSE_H
#define BRAID_PARSER_PARSE_H

#include "parser.h"
#include "token.h"

#define PARSER_MAX_PARENS 200
#define PARSER_MAX_INDENT 100
#define PARSER_SPARE_TOKENS 2
#define PARSER_MAX_DEPTH 6000           /* nested parse functions that recurse through source nesting */

enum { PARSER_FSTRING = 100 };          /* an additional parser_mode: the expression of a replacement field */

struct name_entry {
    unsigned hash;
    int length;
    const char *text;                   /* in the arena */
    PyObject *name;                     /* interned; owned by the arena */
};

/* identifiers seen, shared with the parsers of replacement fields */
struct name_table {
    struct name_entry *entries;         /* a power of two of them */
    unsigned used, room;
};

enum tokenizer_end { TOKENIZER_OK, TOKENIZER_EOF, TOKENIZER_ERROR };

struct paren { char c; int lineno, col; };

struct memo { struct memo *next; int rule, start, end; void *node; };

typedef struct parser {
    /* source */
    char *buffer;                       /* NUL-terminated UTF-8 with \n line ends */
    int size;
    parser_readline readline;           /* interactive input, or NULL */
    void *readline_context;

    /* tokenizer */
    int at;                             /* offset of the next byte to read */
    int line_start, lineno;
    int text_start;                     /* start of the text shown with errors: line_start, or the first line of a token */
    int unterminated;                   /* the source ended within a string */
    int checking_rest;                  /* looking for errors of tokens alone: those about lines are not raised */
    int token_line_start;               /* start of the line in which the current (multi-line) token began */
    int first_lineno;
    int at_line_start;                  /* a new line begins at `at` */
    int pending_dedents;                /* > 0: INDENT tokens to hand out, < 0: DEDENT tokens */
    int level;
    int indent_depth;
    enum tokenizer_end end;
    int single_started;                 /* in `single` mode: something was read */
    int async_def, async_def_indent, async_def_newline, async_hacks;   /* feature_version < 7: async is no keyword outside of async def */
    struct paren parens[PARSER_MAX_PARENS];
    int indents[PARSER_MAX_INDENT], alt_indents[PARSER_MAX_INDENT];

    /* tokens */
    token *tokens;                      /* room, and PARSER_SPARE_TOKENS more for the error when there is no memory */
    int fill, room;
    token first_tokens[2 * PARSER_SPARE_TOKENS];        /* tokens, until they need more room */
    int t;                              /* index of the current token; may equal fill (not read yet) */

    /* parser */
    arena *arena;
    PyObject *filename;                 /* borrowed */
    enum parser_mode mode;
    int flags, feature_version;
    int error;                          /* an exception is set */
    int second_pass;                    /* results are remembered */
    int diagnosing;                     /* second pass, looking for mistakes here */
    int depth;
    int start_lineno, start_col;        /* for a replacement field: where its text is in the file */
    struct parser *parent;
    struct name_table *names;
    void **stack;                       /* nodes of sequences under construction */
    int stack_used, stack_room;
    struct memo **memos;                /* per token; diagnosing only */
    int memo_room;
    struct { int lineno; PyObject *tag; } *ignores;
    int ignores_used, ignores_room;
} parser;

/* ---- tokenizer.c ---- */

/* Reads one more token into p->tokens. On an error the token is an ERRORTOKEN, p->error is set and an exception too. */
void parser_read_token(parser *p);

/* ---- source.c ---- */

/* Like parser_decode_source, but bytes that are not UTF-8 stay, to be reported by what contains them. */
PyObject *parser_decode_bytes(const char *source, Py_ssize_t size, PyObject *filename);

/* ---- errors.c: all raise and return NULL ---- */

/* Lines count from 1, columns in bytes from 0; end_col -1: unknown. */
void *parser_error_at(parser *p, PyObject *type, int lineno, int col, int end_lineno, int end_col, const char *format, ...);
void *parser_error(parser *p, PyObject *type, const char *format, ...);     /* at the last token read */
void *parser_error_token(parser *p, const token *from, const token *to, const char *format, ...);
void *parser_error_range(parser *p, const void *from, const void *to, const char *format, ...);    /* of two expr */
void *parser_error_from(parser *p, int lineno, int col, const char *format, ...);                  /* up to what was read */
void *parser_error_unclosed(parser *p);
void *parser_convert_error(parser *p);      /* a codec's exception becomes a SyntaxError at the last token read */
void *parser_out_of_memory(parser *p);
void parser_set_generic_error(parser *p, int last);
void parser_check_rest(parser *p);
const char *parser_expr_name(expr_ty e);

/* ---- primitives ---- */

static inline const token *tok(parser *p)
{
    if (p->t >= p->fill)
        parser_read_token(p);
    return &p->tokens[p->t];
}

static inline int cur(parser *p)
{
    return tok(p)->type;
}

/* the type of the token after the current one; the current one must not be the last of the input */
static inline int peek(parser *p)
{
    if (p->t + 1 >= p->fill) {
        (void)tok(p);
        if (p->error)
            return TOK_ERRORTOKEN;
        if (p->t + 1 >= p->fill)
            parser_read_token(p);
    }
    return p->tokens[p->t + 1].type;
}

static inline int accept(parser *p, int type)
{
    if (cur(p) != type)
        return 0;
    p->t++;
    return 1;
}

static inline const token *previous(parser *p)
{
    return &p->tokens[p->t - 1];
}

static inline const char *token_text(parser *p, const token *t)
{
    return p->buffer + t->start;
}

/* is the current token this soft keyword? */
static inline int at_word(parser *p, const char *word, int length)
{
    const token *t = tok(p);
    return t->type == TOK_NAME && t->end - t->start == length && memcmp(p->buffer + t->start, word, (size_t)length) == 0;
}

void *parser_expect_forced(parser *p, int type);        /* raises "expected ':'" in either pass */

/* Sequences under construction: mark = p->stack_used; push...; seq = parser_pop(p, mark). */
int parser_push(parser *p, void *node);
void *parser_pop(parser *p, int mark);
void *parser_singleton(parser *p, void *node);

/* Nodes: the start is that of token `start`, the end that of the token before the current one. */
expr_ty parser_new_expr(parser *p, enum expr_kind kind, int lineno, int col);
const token *parser_last_token(parser *p);     /* the last one read that has text: where a statement ends */
static inline expr_ty parser_expr_from(parser *p, enum expr_kind kind, int start)
{
    return parser_new_expr(p, kind, p->tokens[start].lineno, p->tokens[start].col);
}
stmt_ty parser_new_stmt(parser *p, enum stmt_kind kind, int start);

PyObject *parser_identifier(parser *p, const token *t);     /* borrowed from the arena */
PyObject *parser_type_comment(parser *p, const token *t);

int parser_enter(parser *p);        /* 0 with MemoryError set if too deep */
static inline void parser_leave(parser *p) { p->depth--; }

/* Memo of the second pass, shared by what is parsed with and without diagnosis: a place is diagnosed when it is first visited.
 * Returns 1 if known (position moved on a match). */
int parser_recall(parser *p, int rule, void **node);
void *parser_remember(parser *p, int rule, int start, void *node);

enum { RULE_EXPRESSION = 1, RULE_NAMED, RULE_DISJUNCTION, RULE_BITWISE_OR, RULE_PRIMARY,
       RULE_STRINGS };

/* Is a feature of 3.minor allowed? Raises "... only supported in Python 3.x and greater" and returns 0 if not. */
int parser_allows(parser *p, int minor, const char *feature);

/* ---- expressions.c ---- */
expr_ty parse_expression(parser *p);
expr_ty parse_plain_expression(parser *p);             /* not remembered, not looked into */
expr_ty parse_named_expression(parser *p);
expr_ty parse_disjunction(parser *p);
expr_ty parse_bitwise_or(parser *p);
expr_ty parse_star_expressions(parser *p);
expr_ty parse_star_expression(parser *p);
expr_ty parse_star_named_expression(parser *p);
expr_ty parse_yield_or_star_expressions(parser *p);
expr_ty parse_yield(parser *p);
expr_ty parse_primary(parser *p);
expr_ty parse_atom(parser *p);
expr_ty parse_starred_expression(parser *p);           /* '*' expression */
ast_comprehension_seq *parse_for_if_clauses(parser *p);
int parse_call_arguments(parser *p, int open, ast_expr_seq **args, ast_keyword_seq **keywords);

/* ---- parameters.c ---- */
arguments_ty parse_parameters(parser *p, int lambda);      /* up to, not including, ')' or ':' */

/* ---- targets.c ---- */
enum target_use { TARGET_STAR, TARGET_DEL, TARGET_FOR };
expr_ty parser_set_context(parser *p, expr_ty e, expr_context_ty ctx, enum target_use use);    /* NULL: not a target */
expr_ty parse_star_targets(parser *p);
expr_ty parse_star_target(parser *p);
expr_ty parser_find_invalid_target(expr_ty e, enum target_use use);
void *parser_error_target(parser *p, expr_ty e, enum target_use use);

/* ---- literals.c, fstring.c ---- */
expr_ty parse_strings(parser *p);
expr_ty parse_number(parser *p);
PyObject *parser_decode_literal(parser *p, const char *s, int length, int raw, const token *t);
/* Adds the parts of an f-string literal: complete nodes on the stack, text not yet in a node in *pending. first, index, last are the
 * tokens of the string atom. Returns 0 on an error. */
int parser_fstring_add(parser *p, const char *s, int length, int raw, int first, int index, int last, PyObject **pending);
expr_ty parser_new_string(parser *p, PyObject *value_stolen, const token *first, const token *last);
expr_ty parser_new_constant(parser *p, PyObject *value_stolen, int lineno, int col, int end_lineno, int end_col);

/* ---- statements.c, compound.c, patterns.c ---- */
mod_ty parse_module(parser *p);
int parse_statement(parser *p);
int parse_simple_statements(parser *p);
int parse_compound_statement(parser *p);
ast_stmt_seq *parse_case_block(parser *p, int lineno);
stmt_ty parse_match(parser *p);        /* the current token is the name match; NULL without error: not a match statement, position restored */

/* ---- diagnosis.c: known mistakes; raise, or return leaving position alone ---- */
void diagnose_expression(parser *p);
void diagnose_named_expression(parser *p);
void diagnose_group(parser *p, int open);
void diagnose_comprehension(parser *p, int open);
void diagnose_arguments(parser *p);
void diagnose_keyword_argument(parser *p);
void diagnose_dict(parser *p, int open);
void diagnose_parameters(parser *p, int lambda);
stmt_ty diagnose_assignment(parser *p);
void diagnose_except(parser *p);
void diagnose_mixed_handler(parser *p);

/* ---- parser.c ---- */
void parser_init(parser *p, PyObject *filename, enum parser_mode mode, int flags, int feature_version, arena *a);
void parser_clean(parser *p);
/* Copies the source with \n line ends and, when wanted, a \n at its end. 0, or -1 with an exception set. */
int parser_take_source(parser *p, const char *s, Py_ssize_t n, int end_line);
expr_ty parser_parse_replacement_field(parser *outer, const char *text, int length, int lineno, int col);

#endif
