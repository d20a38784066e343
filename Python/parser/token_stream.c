/* A source as a stream of tokens, without parsing it. */
#include "parse.h"

struct token_stream {
    arena *arena;
    parser parser;
};

token_stream_t *token_stream_new(const char *utf8, Py_ssize_t size, PyObject *filename)
{
    token_stream_t *stream = PyMem_Malloc(sizeof *stream);
    if (stream == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    stream->arena = arena_new();
    parser_init(&stream->parser, filename, PARSER_FILE, PyCF_IGNORE_COOKIE, -1, stream->arena);
    stream->parser.checking_rest = 1;
    if (stream->arena == NULL || parser_take_source(&stream->parser, utf8, size, 1) < 0) {
        token_stream_free(stream);
        return NULL;
    }
    return stream;
}

void token_stream_free(token_stream_t *stream)
{
    parser_clean(&stream->parser);
    if (stream->arena != NULL)
        arena_free(stream->arena);
    PyMem_Free(stream);
}

int token_stream_next(token_stream_t *stream, token_view_t *view)
{
    parser *p = &stream->parser;
    p->fill = 0;                    /* one place is enough */
    parser_read_token(p);
    const token *t = &p->tokens[0];
    if (p->error)
        return PyErr_Occurred() ? -1 : 0;
    if (t->type == TOK_ERRORTOKEN || t->type == TOK_ENDMARKER)
        return 0;
    const char *line = p->buffer + p->text_start, *nl = strchr(p->buffer + p->line_start, '\n');
    *view = (token_view_t){
        .type = t->type >= TOK_FALSE ? TOK_NAME : t->type,
        .lineno = t->lineno, .col = t->col, .end_lineno = t->end_lineno, .end_col = t->end_col,
        .text = p->buffer + t->start, .text_size = t->col >= 0 ? t->end - t->start : 0,
        .line = line, .line_size = nl != NULL ? nl + 1 - line : (Py_ssize_t)strlen(line),
    };
    return 1;
}
