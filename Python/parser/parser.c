/* The parser's state and entry points: set up, two passes, clean up. */
#include <stddef.h>

#include "parse.h"
#ifndef BRAID_HOSTED
#include "thread_state.h"
#endif

/* ---- sequences, nodes, names ---- */

int parser_push(parser *p, void *node)
{
    if (p->stack_used == p->stack_room) {
        int room = p->stack_room * 2 + 64;
        void **bigger = PyMem_Realloc(p->stack, (size_t)room * sizeof(void *));
        if (bigger == NULL) {
            parser_out_of_memory(p);
            return 0;
        }
        p->stack = bigger;
        p->stack_room = room;
    }
    p->stack[p->stack_used++] = node;
    return 1;
}

void *parser_pop(parser *p, int mark)
{
    int n = p->stack_used - mark;
    ast_seq *seq = arena_alloc(p->arena, sizeof(ast_seq) + (size_t)n * sizeof(void *));
    if (seq == NULL)
        return parser_out_of_memory(p);
    seq->size = n;
    if (n > 0)
        memcpy(seq->elements, p->stack + mark, (size_t)n * sizeof(void *));
    p->stack_used = mark;
    return seq;
}

void *parser_singleton(parser *p, void *node)
{
    int mark = p->stack_used;
    return parser_push(p, node) ? parser_pop(p, mark) : NULL;
}

expr_ty parser_new_expr(parser *p, enum expr_kind kind, int lineno, int col)
{
    expr_ty e = arena_alloc(p->arena, sizeof(struct expr));
    if (e == NULL)
        return parser_out_of_memory(p);
    const token *last = &p->tokens[p->t - 1];
    e->kind = kind;
    e->lineno = lineno;
    e->col_offset = col;
    e->end_lineno = last->end_lineno;
    e->end_col_offset = last->end_col;
    return e;
}

const token *parser_last_token(parser *p)
{
    const token *last = &p->tokens[p->t - 1];
    while (last > p->tokens && (last->type == TOK_NEWLINE || last->type == TOK_DEDENT || last->type == TOK_INDENT ||
                                last->type == TOK_ENDMARKER))
        last--;
    return last;
}

stmt_ty parser_new_stmt(parser *p, enum stmt_kind kind, int start)
{
    stmt_ty s = arena_alloc(p->arena, sizeof(struct stmt));
    if (s == NULL)
        return parser_out_of_memory(p);
    const token *first = &p->tokens[start];
    const token *last = parser_last_token(p);
    s->kind = kind;
    s->lineno = first->lineno;
    s->col_offset = first->col;
    s->end_lineno = last->end_lineno;
    s->end_col_offset = last->end_col;
    return s;
}

static int grow_names(struct name_table *names)
{
    unsigned room = names->room == 0 ? 256 : names->room * 2;
    struct name_entry *bigger = PyMem_Calloc(room, sizeof(struct name_entry));
    if (bigger == NULL)
        return -1;
    for (unsigned i = 0; i < names->room; i++) {
        if (names->entries[i].name == NULL)
            continue;
        unsigned k = names->entries[i].hash & (room - 1);
        while (bigger[k].name != NULL)
            k = (k + 1) & (room - 1);
        bigger[k] = names->entries[i];
    }
    PyMem_Free(names->entries);
    names->entries = bigger;
    names->room = room;
    return 0;
}

/* A new interned str; non-ASCII names are normalised (NFKC). */
static PyObject *make_name(const char *s, int n)
{
    PyObject *name = PyUnicode_DecodeUTF8(s, n, NULL);
    if (name == NULL)
        return NULL;
    int ascii = 1;
    for (int i = 0; i < n; i++)
        ascii &= (unsigned char)s[i] < 128;
    if (!ascii) {
        PyObject *module = PyImport_ImportModule("unicodedata");
        PyObject *normal = module != NULL ? PyObject_CallMethod(module, "normalize", "sO", "NFKC", name) : NULL;
        Py_XDECREF(module);
        Py_DECREF(name);
        if (normal == NULL)
            return NULL;
        if (!PyUnicode_Check(normal)) {
            PyErr_Format(PyExc_TypeError, "unicodedata.normalize() must return a string, not %.200s", Py_TYPE(normal)->tp_name);
            Py_DECREF(normal);
            return NULL;
        }
        name = normal;
    }
    PyUnicode_InternInPlace(&name);
    return name;
}

PyObject *parser_identifier(parser *p, const token *t)
{
    struct name_table *names = p->names;
    const char *s = p->buffer + t->start;
    int n = t->end - t->start;
    unsigned hash = 2166136261u;
    for (int i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)s[i]) * 16777619u;
    if (names->used * 2 >= names->room && grow_names(names) < 0)
        return parser_out_of_memory(p);
    unsigned k = hash & (names->room - 1);
    for (; names->entries[k].name != NULL; k = (k + 1) & (names->room - 1)) {
        struct name_entry *e = &names->entries[k];
        if (e->hash == hash && e->length == n && memcmp(e->text, s, (size_t)n) == 0)
            return e->name;
    }
    PyObject *name = make_name(s, n);
    char *copy = arena_alloc(p->arena, (size_t)n);
    if (arena_keep_steal(p->arena, name) < 0 || copy == NULL) {
        p->error = 1;
        return NULL;
    }
    memcpy(copy, s, (size_t)n);
    names->entries[k] = (struct name_entry){hash, n, copy, name};
    names->used++;
    return name;
}

PyObject *parser_type_comment(parser *p, const token *t)
{
    PyObject *text = PyUnicode_DecodeUTF8(p->buffer + t->start, t->end - t->start, "replace");
    if (arena_keep_steal(p->arena, text) < 0) {
        p->error = 1;
        return NULL;
    }
    return text;
}

ast_seq *ast_seq_new(Py_ssize_t size, arena *a)
{
    if (size < 0 || (size_t)size > (PY_SSIZE_T_MAX - sizeof(ast_seq)) / sizeof(void *)) {
        PyErr_NoMemory();
        return NULL;
    }
    ast_seq *seq = arena_alloc(a, sizeof(ast_seq) + (size_t)size * sizeof(void *));
    if (seq != NULL) {
        seq->size = size;
        memset(seq->elements, 0, (size_t)size * sizeof(void *));
    }
    return seq;
}

ast_cmpop_seq *ast_cmpop_seq_new(Py_ssize_t size, arena *a)
{
    if (size < 0 || (size_t)size > (PY_SSIZE_T_MAX - sizeof(ast_seq)) / sizeof(void *)) {
        PyErr_NoMemory();
        return NULL;
    }
    ast_cmpop_seq *seq = arena_alloc(a, sizeof(ast_cmpop_seq) + (size_t)size * sizeof(cmpop_ty));
    if (seq != NULL) {
        seq->size = size;
        memset(seq->elements, 0, (size_t)size * sizeof(cmpop_ty));
    }
    return seq;
}

/* ---- depth, memo, checks ---- */

/* Is there room on the C stack? */
static int has_stack(void)
{
#ifdef BRAID_HOSTED
    return 1;
#else
    return (char *)__builtin_frame_address(0) >= thread_current()->c_stack_soft_limit;
#endif
}

int parser_enter(parser *p)
{
    if (++p->depth > PARSER_MAX_DEPTH || !has_stack()) {
        if (!p->error)
            PyErr_NoMemory();
        p->error = 1;
        p->depth--;
        return 0;
    }
    return 1;
}

int parser_recall(parser *p, int rule, void **node)
{
    (void)tok(p);
    if (p->t >= p->memo_room)
        return 0;
    for (struct memo *m = p->memos[p->t]; m != NULL; m = m->next) {
        if (m->rule == rule) {
            *node = m->node;
            if (m->node != NULL)
                p->t = m->end;
            return 1;
        }
    }
    return 0;
}

void *parser_remember(parser *p, int rule, int start, void *node)
{
    if (p->error)
        return NULL;
    if (start >= p->memo_room) {
        int room = p->fill > start ? p->fill + 64 : start + 64;
        struct memo **bigger = PyMem_Realloc(p->memos, (size_t)room * sizeof(struct memo *));
        if (bigger == NULL)
            return parser_out_of_memory(p);
        memset(bigger + p->memo_room, 0, (size_t)(room - p->memo_room) * sizeof(struct memo *));
        p->memos = bigger;
        p->memo_room = room;
    }
    struct memo *m = arena_alloc(p->arena, sizeof *m);
    if (m == NULL)
        return parser_out_of_memory(p);
    *m = (struct memo){p->memos[start], rule, start, p->t, node};
    p->memos[start] = m;
    return node;
}

int parser_allows(parser *p, int minor, const char *feature)
{
    if (p->feature_version >= minor)
        return 1;
    parser_error(p, PyExc_SyntaxError, "%s only supported in Python 3.%i and greater", feature, minor);
    return 0;
}

void *parser_expect_forced(parser *p, int type)
{
    const token *t = tok(p);
    if (t->type == type) {
        p->t++;
        return (void *)&p->tokens[p->t - 1];
    }
    if (!p->error)
        parser_error_token(p, t, t, "expected '%s'", token_texts[type]);
    return NULL;
}

/* ---- entry points ---- */

void parser_clean(parser *p)
{
    PyMem_Free(p->buffer);
    if (p->tokens != p->first_tokens)
        PyMem_Free(p->tokens);
    PyMem_Free(p->stack);
    PyMem_Free(p->memos);
    PyMem_Free(p->ignores);
}

int parser_take_source(parser *p, const char *s, Py_ssize_t n, int end_line)
{
    if (n > INT_MAX / 2) {
        PyErr_SetString(PyExc_OverflowError, "source code is too large");
        return -1;
    }
    char *out = p->buffer = PyMem_Malloc((size_t)n + 2);
    if (out == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    const char *end = s + n, *cr;
    while ((cr = memchr(s, '\r', (size_t)(end - s))) != NULL) {
        memcpy(out, s, (size_t)(cr - s));
        out += cr - s;
        *out++ = '\n';
        s = cr + 1;
        if (s < end && *s == '\n')
            s++;
    }
    memcpy(out, s, (size_t)(end - s));
    out += end - s;
    if (end_line && (out == p->buffer || out[-1] != '\n')) {
        *out++ = '\n';
    }
    *out = '\0';
    p->size = (int)(out - p->buffer);
    return 0;
}

/* Has the tokenizer looked beyond the end of the source? Then more input might have made it right. */
static int at_end_of_source(parser *p)
{
    if (p->fill == 0 || p->end == TOKENIZER_EOF || p->unterminated)
        return p->fill > 0;
    const token *last = &p->tokens[p->fill - 1];
    /* after a line end or a string nothing is looked at */
    return p->end == TOKENIZER_OK && p->at >= p->size && last->type != TOK_NEWLINE && last->type != TOK_STRING;
}

/* Parses what did not parse once more, remembering results: first looking for mistakes in dict displays alone, which are told before
 * all others, then for all kinds. */
static void parse_again(parser *p, int diagnosing)
{
    p->t = 0;
    p->depth = 0;
    p->stack_used = 0;
    p->second_pass = 1;
    p->diagnosing = diagnosing;
    if (p->memo_room > 0)
        memset(p->memos, 0, (size_t)p->memo_room * sizeof(struct memo *));
    parse_module(p);
}

static mod_ty run(parser *p)
{
    mod_ty tree = parse_module(p);
    if (tree != NULL && !p->error)
        return tree;
    if ((p->flags & PyCF_ALLOW_INCOMPLETE_INPUT) && at_end_of_source(p)) {
        PyErr_Clear();
        p->error = 0;
        return parser_error(p, PyExc_SyntaxError, "incomplete input");
    }
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_SyntaxError))
        return NULL;
    int last = p->fill - 1;
    if (!p->error)
        parse_again(p, 0);
    if (!p->error)
        parse_again(p, 1);
    parser_set_generic_error(p, last);
    return NULL;
}

void parser_init(parser *p, PyObject *filename, enum parser_mode mode, int flags, int feature_version, arena *a)
{
    memset(p, 0, offsetof(parser, parens));
    memset(&p->tokens, 0, sizeof(parser) - offsetof(parser, tokens));
    p->tokens = p->first_tokens;
    p->room = PARSER_SPARE_TOKENS;
    p->indents[0] = p->alt_indents[0] = 0;
    p->at_line_start = 1;
    p->arena = a;
    p->filename = filename;
    p->mode = mode;
    p->flags = flags;
    p->feature_version = feature_version < 0 ? 11 : feature_version;
    p->async_hacks = p->feature_version < 7;
}

mod_ty parser_parse_string(const char *source, Py_ssize_t size, PyObject *filename, enum parser_mode mode, int flags,
                           int feature_version, arena *a)
{
    mod_ty tree = NULL;
    PyObject *decoded = NULL;
    struct name_table names = {0};
    parser p;
    parser_init(&p, filename, mode, flags, feature_version, a);
    p.names = &names;
    if (!(flags & PyCF_IGNORE_COOKIE)) {
        decoded = flags & PARSER_FROM_FILE ? parser_decode_source(source, size, filename, 0, NULL)
                                           : parser_decode_bytes(source, size, filename);
        if (decoded == NULL)
            goto done;
        source = PyBytes_AsString(decoded);
        size = PyBytes_Size(decoded);
    }
    if (memchr(source, '\0', (size_t)size) != NULL) {
        PyErr_SetString(PyExc_ValueError, "source code string cannot contain null bytes");
        goto done;
    }
    if (parser_take_source(&p, source, size, mode == PARSER_FILE) < 0)
        goto done;
    tree = run(&p);
done:
    parser_clean(&p);
    PyMem_Free(names.entries);
    Py_XDECREF(decoded);
    return tree;
}

mod_ty parser_parse_interactive(parser_readline readline, void *context, PyObject *filename, int flags, arena *a, int *at_end)
{
    mod_ty tree = NULL;
    struct name_table names = {0};
    parser p;
    *at_end = 0;
    parser_init(&p, filename, PARSER_SINGLE, flags, -1, a);
    p.names = &names;
    p.readline = readline;
    p.readline_context = context;
    p.buffer = PyMem_Calloc(1, 1);
    if (p.buffer == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    (void)tok(&p);
    if (p.tokens[0].type == TOK_ENDMARKER && !p.error) {
        *at_end = 1;
        goto done;
    }
    tree = run(&p);
done:
    parser_clean(&p);
    PyMem_Free(names.entries);
    return tree;
}

expr_ty parser_parse_replacement_field(parser *outer, const char *text, int length, int lineno, int col)
{
    expr_ty e = NULL;
    parser *p = PyMem_Malloc(sizeof(parser));
    if (p == NULL)
        return parser_out_of_memory(outer);
    parser_init(p, outer->filename, (enum parser_mode)PARSER_FSTRING, outer->flags, outer->feature_version, outer->arena);
    p->names = outer->names;
    p->parent = outer;
    p->start_lineno = lineno;
    p->start_col = col;
    p->depth = outer->depth;
    p->async_hacks = 0;
    p->buffer = PyMem_Malloc((size_t)length + 4);
    if (p->buffer == NULL) {
        parser_out_of_memory(p);
        goto done;
    }
    p->buffer[0] = '(';
    memcpy(p->buffer + 1, text, (size_t)length);
    memcpy(p->buffer + length + 1, ")\n", 3);
    p->size = length + 3;
    mod_ty tree = run(p);
    if (tree != NULL)
        e = tree->v.Expression.body;
done:
    if (e == NULL)
        outer->error = 1;
    parser_clean(p);
    PyMem_Free(p);
    return e;
}
