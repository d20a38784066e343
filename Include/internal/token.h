/* Tokens: what the tokenizer cuts the source into.
 *
 * A token refers to the parser's source buffer by byte offsets (the buffer of interactive input moves while it grows).
 * col is in bytes from the start of the line the token begins in; -1 for tokens without text (INDENT, DEDENT, ENDMARKER). */
#ifndef BRAID_INTERNAL_TOKEN_H
#define BRAID_INTERNAL_TOKEN_H

enum token_type {
#define TOKEN(name, text) TOK_##name,
#define KEYWORD(name, text) TOK_##name,
#include "token.def"
    TOKEN_COUNT
};

typedef struct {
    unsigned char type;         /* enum token_type */
    unsigned char level;        /* depth of brackets after it */
    int start, end;             /* byte offsets in the source */
    int lineno, col, end_lineno, end_col;
} token;

/* "(" for TOK_LPAR, "" for tokens without a fixed text */
extern const char *const token_texts[TOKEN_COUNT];

/* What a word means: a keyword's token, or TOK_NAME. */
enum token_type token_classify_word(const char *word, int length);

#endif
