/* The parser: source text -> syntax tree.
 *
 * The source is decoded to UTF-8 with \n line ends (source.c), cut into tokens on demand (tokenizer.c) and parsed by recursive
 * descent (expressions.c, statements.c, ...). A first pass assumes correct input; when it fails, a second pass runs the same
 * functions with diagnosis switched on, which looks for known mistakes and raises the SyntaxError. */
#ifndef BRAID_INTERNAL_PARSER_H
#define BRAID_INTERNAL_PARSER_H

#include <Python.h>
#include "arena.h"
#include "ast.h"

/* what to parse */
enum parser_mode { PARSER_FILE, PARSER_EVAL, PARSER_SINGLE, PARSER_FUNC_TYPE };

/* flags: the PyCF_ constants of compile() */
#ifndef PyCF_ONLY_AST
#define PyCF_SOURCE_IS_UTF8 0x0100
#define PyCF_DONT_IMPLY_DEDENT 0x0200
#define PyCF_ONLY_AST 0x0400
#define PyCF_IGNORE_COOKIE 0x0800
#define PyCF_TYPE_COMMENTS 0x1000
#define PyCF_ALLOW_TOP_LEVEL_AWAIT 0x2000
#endif
#ifndef PyCF_ALLOW_INCOMPLETE_INPUT
#define PyCF_ALLOW_INCOMPLETE_INPUT 0x4000
#endif
#define PARSER_BARRY_AS_BDFL 0x400000       /* CO_FUTURE_BARRY_AS_BDFL: <> instead of != */

#define PARSER_FROM_FILE 0x8000             /* a file run by the interpreter: bytes that are not UTF-8 are reported with the file's name */

/* Parses a whole source.
 * source   bytes of any encoding (a cookie or BOM is obeyed), or UTF-8 if flags has PyCF_IGNORE_COOKIE; need not end in a NUL
 * filename a str for messages
 * feature_version  the minor version of the grammar wanted, or -1 for all of 3.11
 * Returns  the tree, in arena a, or NULL with SyntaxError, MemoryError, ... set
 * Escapes  yes (warnings, codecs) */
mod_ty parser_parse_string(const char *source, Py_ssize_t size, PyObject *filename, enum parser_mode mode, int flags,
                           int feature_version, arena *a);

/* Gives the next line of interactive input as UTF-8 with its \n (a new PyMem_Malloc block); NULL without an exception set at the end of
 * the input, NULL with one set on failure. `continued` is 0 for the first line of a statement (ps1), 1 for the others (ps2). */
typedef char *(*parser_readline)(void *context, int continued);

/* Reads one interactive statement, taking as many lines as it needs, and parses it in the mode PARSER_SINGLE.
 * *at_end  set to 1 when the input ended before a statement began (the result is then NULL without an exception)
 * Returns  the tree, or NULL */
mod_ty parser_parse_interactive(parser_readline readline, void *context, PyObject *filename, int flags, arena *a, int *at_end);

/* A source as tokens, for programs that look at sources. Used by one thread at a time.
 * new    copies the source; the file's name (borrowed) must live as long as the stream
 * next   1, 0 at the end (also where the parser would complain of lines: of indentation, of brackets left open), -1 with SyntaxError, ... set
 * Escapes  next: yes (warnings) */
typedef struct token_stream token_stream_t;
typedef struct {
    int type;                       /* as in the token module */
    int lineno, col, end_lineno, end_col;
    const char *text, *line;        /* in the stream; line: the lines of the token */
    Py_ssize_t text_size, line_size;
} token_view_t;
token_stream_t *token_stream_new(const char *utf8, Py_ssize_t size, PyObject *filename);
int token_stream_next(token_stream_t *stream, token_view_t *view);
void token_stream_free(token_stream_t *stream);

/* Decodes a source to UTF-8: byte order mark, coding cookie, check of UTF-8. Line ends are left alone.
 * Returns  a new bytes object, or NULL with SyntaxError, LookupError, ... set
 * *encoding  if encoding is not NULL: a new str, the codec's name ("utf-8" by default)
 * Escapes  yes (codecs) */
PyObject *parser_decode_source(const char *source, Py_ssize_t size, PyObject *filename, int ignore_cookie, PyObject **encoding);

/* Line number `lineno` (from 1) of a source as a str with its line end, or an empty str when there is no such line. */
PyObject *parser_source_line(const char *utf8, Py_ssize_t size, int lineno);

#endif
