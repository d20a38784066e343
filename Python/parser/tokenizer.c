/* Cuts source text into tokens, one at a time: words, numbers, strings, operators, line structure. */
#include "parse.h"

const char *const token_texts[TOKEN_COUNT] = {
#define TOKEN(name, text) text,
#define KEYWORD(name, text) text,
#include "token.def"
};

enum { IDENT_START = 1, IDENT = 2, DIGIT = 4, HEX = 8 };

static const unsigned char char_class[256] = {
    ['0' ... '9'] = IDENT | DIGIT | HEX,
    ['a' ... 'f'] = IDENT_START | IDENT | HEX,
    ['A' ... 'F'] = IDENT_START | IDENT | HEX,
    ['g' ... 'z'] = IDENT_START | IDENT,
    ['G' ... 'Z'] = IDENT_START | IDENT,
    ['_'] = IDENT_START | IDENT,
    [128 ... 255] = IDENT_START | IDENT,
};

#define IS(c, what) (char_class[(unsigned char)(c)] & (what))

/* ---- words ---- */

enum token_type token_classify_word(const char *w, int n)
{
#define WORD(text, type) (n == (int)sizeof(text) - 1 && memcmp(w, text, sizeof(text) - 1) == 0) ? TOK_##type :
    if (n < 2 || n > 8)
        return TOK_NAME;
    switch (w[0]) {
    case 'F': return WORD("False", FALSE) TOK_NAME;
    case 'N': return WORD("None", NONE) TOK_NAME;
    case 'T': return WORD("True", TRUE) TOK_NAME;
    case 'a':
        return WORD("and", AND) WORD("as", AS) WORD("assert", ASSERT) WORD("async", ASYNC) WORD("await", AWAIT) TOK_NAME;
    case 'b': return WORD("break", BREAK) TOK_NAME;
    case 'c': return WORD("class", CLASS) WORD("continue", CONTINUE) TOK_NAME;
    case 'd': return WORD("def", DEF) WORD("del", DEL) TOK_NAME;
    case 'e': return WORD("elif", ELIF) WORD("else", ELSE) WORD("except", EXCEPT) TOK_NAME;
    case 'f': return WORD("for", FOR) WORD("from", FROM) WORD("finally", FINALLY) TOK_NAME;
    case 'g': return WORD("global", GLOBAL) TOK_NAME;
    case 'i': return WORD("if", IF) WORD("in", IN) WORD("is", IS) WORD("import", IMPORT) TOK_NAME;
    case 'l': return WORD("lambda", LAMBDA) TOK_NAME;
    case 'n': return WORD("not", NOT) WORD("nonlocal", NONLOCAL) TOK_NAME;
    case 'o': return WORD("or", OR) TOK_NAME;
    case 'p': return WORD("pass", PASS) TOK_NAME;
    case 'r': return WORD("return", RETURN) WORD("raise", RAISE) TOK_NAME;
    case 't': return WORD("try", TRY) TOK_NAME;
    case 'w': return WORD("with", WITH) WORD("while", WHILE) TOK_NAME;
    case 'y': return WORD("yield", YIELD) TOK_NAME;
    default: return TOK_NAME;
    }
#undef WORD
}

/* ---- errors: positions count characters from the start of the line up to p->at ---- */

static PyObject *decode(const char *s, Py_ssize_t n)
{
    return PyUnicode_DecodeUTF8(s, n, "replace");
}

/* The number of the current line in the file. */
static int file_line(parser *p)
{
    return p->parent != NULL ? p->lineno + p->start_lineno - 1 : p->lineno;
}

static void raise_in_line(parser *p, PyObject *type, int col, int end_col, PyObject *message)
{
    PyObject *text = NULL, *before = NULL, *args = NULL;
    if (message == NULL)
        goto done;
    const char *line = p->buffer + p->line_start;
    text = decode(line, (Py_ssize_t)strcspn(line, "\n"));
    if (text == NULL)
        goto done;
    if (col < 0) {
        before = decode(line, p->at - p->line_start);
        if (before == NULL)
            goto done;
        col = (int)PyUnicode_GetLength(before);
    }
    if (end_col < 0)
        end_col = col;
    args = Py_BuildValue("(O(OiiOii))", message, p->filename, file_line(p), col, text, file_line(p), end_col);
    if (args != NULL)
        PyErr_SetObject(type, args);
done:
    Py_XDECREF(args);
    Py_XDECREF(before);
    Py_XDECREF(text);
    Py_XDECREF(message);
    p->error = 1;
    p->end = TOKENIZER_ERROR;
}

static int fail_between(parser *p, int col, int end_col, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    raise_in_line(p, PyExc_SyntaxError, col, end_col, message);
    return TOK_ERRORTOKEN;
}

#define fail(p, ...) fail_between(p, -1, -1, __VA_ARGS__)

/* A SyntaxWarning at the current place; an error there if warnings are errors. Returns 1, or 0 with an exception. */
static int warn_in_line(parser *p, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    int status = message == NULL ? -1 : PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message, p->filename, file_line(p), NULL, NULL);
    if (status < 0 && message != NULL && PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
        PyErr_Clear();
        raise_in_line(p, PyExc_SyntaxError, -1, -1, Py_NewRef(message));
    }
    Py_XDECREF(message);
    if (status < 0) {
        p->error = 1;
        p->end = TOKENIZER_ERROR;
    }
    return status == 0;
}

/* Moves to the end of the line, where errors about the whole line are reported. */
static void skip_line(parser *p)
{
    const char *nl = strchr(p->buffer + p->at, '\n');
    p->at = nl != NULL ? (int)(nl + 1 - p->buffer) : p->size;
}

/* An error about the structure of lines. */
static int fail_line(parser *p, PyObject *type, int col, int end_col, const char *message)
{
    p->end = TOKENIZER_ERROR;
    if (!p->checking_rest)
        parser_error_at(p, type, file_line(p), col, file_line(p), end_col, "%s", message);
    return TOK_ERRORTOKEN;
}

static int fail_tabs(parser *p)
{
    skip_line(p);
    return fail_line(p, PyExc_TabError, 0, -1, "inconsistent use of tabs and spaces in indentation");
}

/* ---- input ---- */

/* At the end of the buffer: gets another line of interactive input. Returns 0 at the end of the input. */
static int more(parser *p)
{
    if (p->readline == NULL || p->diagnosing || p->end != TOKENIZER_OK)
        return 0;
    char *line = p->readline(p->readline_context, p->fill > 0 || p->size > 0);
    if (line == NULL) {
        if (PyErr_Occurred())
            p->error = 1;
        return 0;
    }
    size_t n = strlen(line);
    int add_newline = n == 0 || line[n - 1] != '\n';
    char *bigger = n < (size_t)(INT_MAX - p->size - 2) ? PyMem_Realloc(p->buffer, (size_t)p->size + n + 2) : NULL;
    if (bigger == NULL) {
        PyMem_Free(line);
        parser_out_of_memory(p);
        return 0;
    }
    p->buffer = bigger;
    memcpy(bigger + p->size, line, n);
    p->size += (int)n;
    if (add_newline)
        bigger[p->size++] = '\n';
    bigger[p->size] = '\0';
    PyMem_Free(line);
    return 1;
}

/* Is the input at its end? Reads on if it is interactive. */
static inline int at_end(parser *p)
{
    return p->buffer[p->at] == '\0' && p->at >= p->size && !more(p);
}

/* After a \n was consumed: counts the new line if there is one. Returns 0 at the end of the input. */
static int begin_line(parser *p, int within_token)
{
    if (at_end(p)) {
        if (!p->error && p->end == TOKENIZER_OK)
            p->end = TOKENIZER_EOF;
        return 0;
    }
    p->lineno++;
    p->line_start = p->at;
    if (!within_token)
        p->text_start = p->at;
    return 1;
}

/* ---- numbers ---- */

/* The characters after a number: an identifier character there is an error, unless a keyword starts with it (deprecated).
 * Returns 0 if an error was raised. */
static int check_number_end(parser *p, const char *s, const char *kind)
{
    static const char *const words[] = {"and", "else", "for", "or", "not", "if", "in", "is"};
    if (!IS(*s, IDENT))
        return 1;
    p->at = (int)(s - p->buffer);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);
        if (strncmp(s, words[i], n) == 0 && (n == 2 && *s == 'i' ? 1 : !IS(s[n], IDENT))) {
            return warn_in_line(p, "invalid %s literal", kind);
        }
    }
    fail(p, "invalid %s literal", kind);
    return 0;
}

/* Digits of a class with single underscores between them; s is at a digit. NULL: error raised. */
static const char *skip_decimal(parser *p, const char *s)
{
    for (;;) {
        while (IS(*s, DIGIT))
            s++;
        if (*s != '_')
            return s;
        if (!IS(s[1], DIGIT)) {
            p->at = (int)(s + 1 - p->buffer);
            fail(p, "invalid decimal literal");
            return NULL;
        }
        s++;
    }
}

static int finish_number(parser *p, const char *s, const char *kind)
{
    if (!check_number_end(p, s, kind))
        return TOK_ERRORTOKEN;
    p->at = (int)(s - p->buffer);
    return TOK_NUMBER;
}

static int read_based(parser *p, const char *s, const char *kind, int base)
{
    do {
        if (*s == '_')
            s++;
        int ok = base == 16 ? IS(*s, HEX) != 0 : *s >= '0' && *s < '0' + base;
        if (!ok) {
            p->at = (int)(s - p->buffer);
            if (base < 16 && IS(*s, DIGIT)) {
                p->at++;
                return fail(p, "invalid digit '%c' in %s literal", *s, kind);
            }
            return fail(p, "invalid %s literal", kind);
        }
        while (base == 16 ? IS(*s, HEX) != 0 : *s >= '0' && *s < '0' + base)
            s++;
    } while (*s == '_');
    if (base < 16 && IS(*s, DIGIT)) {
        p->at = (int)(s + 1 - p->buffer);
        return fail(p, "invalid digit '%c' in %s literal", *s, kind);
    }
    return finish_number(p, s, kind);
}

/* After the integral part: fraction, exponent, j. */
static int read_fraction(parser *p, const char *s)
{
    if (*s == '.') {
        s++;
        if (IS(*s, DIGIT) && (s = skip_decimal(p, s)) == NULL)
            return TOK_ERRORTOKEN;
    }
    if (*s == 'e' || *s == 'E') {
        const char *e = s++;
        if (*s == '+' || *s == '-') {
            s++;
            if (!IS(*s, DIGIT)) {
                p->at = (int)(s - p->buffer);
                return fail(p, "invalid decimal literal");
            }
        }
        else if (!IS(*s, DIGIT))
            return finish_number(p, e, "decimal");
        if ((s = skip_decimal(p, s)) == NULL)
            return TOK_ERRORTOKEN;
    }
    if (*s == 'j' || *s == 'J')
        return finish_number(p, s + 1, "imaginary");
    return finish_number(p, s, "decimal");
}

static int read_number(parser *p)
{
    const char *start = p->buffer + p->at, *s = start;
    if (*s == '0') {
        s++;
        if (*s == 'x' || *s == 'X')
            return read_based(p, s + 1, "hexadecimal", 16);
        if (*s == 'o' || *s == 'O')
            return read_based(p, s + 1, "octal", 8);
        if (*s == 'b' || *s == 'B')
            return read_based(p, s + 1, "binary", 2);
        for (;;) {
            if (*s == '_') {
                s++;
                if (!IS(*s, DIGIT)) {
                    p->at = (int)(s - p->buffer);
                    return fail(p, "invalid decimal literal");
                }
            }
            if (*s != '0')
                break;
            s++;
        }
        const char *zeros_end = s;
        if (IS(*s, DIGIT)) {
            if ((s = skip_decimal(p, s)) == NULL)
                return TOK_ERRORTOKEN;
            if (*s != '.' && *s != 'e' && *s != 'E' && *s != 'j' && *s != 'J') {
                const char *line = p->buffer + p->line_start;
                p->at = (int)(s - p->buffer);
                return fail_between(p, (int)(start + 1 - line), (int)(zeros_end + 1 - line),
                                    "leading zeros in decimal integer literals are not permitted; "
                                    "use an 0o prefix for octal integers");
            }
        }
        return read_fraction(p, s);
    }
    if (*s != '.' && (s = skip_decimal(p, s)) == NULL)
        return TOK_ERRORTOKEN;
    return read_fraction(p, s);
}

/* ---- strings ---- */

static int fail_unterminated(parser *p, int triple, int start)
{
    int detected = p->lineno;
    p->unterminated = p->at >= p->size;
    p->at = start + 1;
    p->line_start = p->token_line_start;
    p->lineno = p->first_lineno;
    if (triple)
        return fail(p, "unterminated triple-quoted string literal (detected at line %d)", detected);
    return fail(p, "unterminated string literal (detected at line %d)", detected);
}

/* p->at is at the opening quote, the token began at offset start. */
static int read_string(parser *p, int start)
{
    char quote = p->buffer[p->at];
    int triple = 0;
    p->at++;
    if (p->buffer[p->at] == quote) {
        if (p->buffer[p->at + 1] != quote) {
            p->at++;
            return TOK_STRING;
        }
        triple = 1;
        p->at += 2;
    }
    for (;;) {
        const char *s = p->buffer + p->at;
        while (*s != quote && *s != '\n' && *s != '\\' && *s != '\0')
            s++;
        p->at = (int)(s - p->buffer);
        if (*s == quote) {
            if (!triple) {
                p->at++;
                return TOK_STRING;
            }
            if (s[1] == quote && s[2] == quote) {
                p->at += 3;
                return TOK_STRING;
            }
            p->at++;
            continue;
        }
        if (*s == '\\') {
            s++;
            p->at++;
            if (*s != '\0' && *s != '\n') {
                p->at++;
                continue;
            }
            if (*s == '\0')
                return fail_unterminated(p, triple, start);
        }
        else if (*s == '\n' && !triple)
            return fail_unterminated(p, 0, start);
        else if (*s == '\0') {
            return p->error ? TOK_ERRORTOKEN : fail_unterminated(p, triple, start);
        }
        p->at++;            /* the \n */
        if (!begin_line(p, 1))
            return p->error ? TOK_ERRORTOKEN : fail_unterminated(p, triple, start);
    }
}

/* ---- names ---- */

static int is_printable(PyObject *text)
{
    PyObject *r = PyObject_CallMethod(text, "isprintable", NULL);
    int yes = r == Py_True;
    Py_XDECREF(r);
    return yes;
}

/* Returns 0 with SyntaxError set if the word with non-ASCII characters is no identifier. */
static int check_identifier(parser *p, int start)
{
    PyObject *word = PyUnicode_DecodeUTF8(p->buffer + start, p->at - start, NULL);
    if (word == NULL) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeError)) {
            /* at the end of what was read: this token is not yet there */
            token *t = p->fill < p->room ? &p->tokens[p->fill++] : &p->tokens[p->fill - 1];
            *t = (token){.type = TOK_ERRORTOKEN, .lineno = p->lineno, .col = -1, .end_lineno = p->lineno, .end_col = -1};
            parser_convert_error(p);
            p->fill--;
        }
        p->error = 1;
        p->end = TOKENIZER_ERROR;
        return 0;
    }
    if (PyUnicode_IsIdentifier(word)) {
        Py_DECREF(word);
        return 1;
    }
    Py_ssize_t n = PyUnicode_GetLength(word), i = 0;
    for (; i < n; i++) {
        PyObject *prefix = PyUnicode_Substring(word, 0, i + 1);
        if (prefix == NULL)
            break;
        int good = PyUnicode_IsIdentifier(prefix);
        Py_DECREF(prefix);
        if (!good)
            break;
    }
    Py_UCS4 ch = i < n ? PyUnicode_ReadChar(word, i) : 0;
    Py_DECREF(word);
    if (PyErr_Occurred()) {
        p->error = 1;
        p->end = TOKENIZER_ERROR;
        return 0;
    }
    /* the error is at the offending character */
    p->at = start;
    for (Py_ssize_t k = 0; k <= i; k++) {
        p->at++;
        while (((unsigned char)p->buffer[p->at] & 0xC0) == 0x80)
            p->at++;
    }
    char hex[12];
    snprintf(hex, sizeof hex, "%04X", (unsigned)ch);
    PyObject *one = PyUnicode_FromOrdinal((int)ch);
    int printable = 0;
    if (one != NULL) {
        printable = is_printable(one);
        Py_DECREF(one);
    }
    if (printable)
        fail(p, "invalid character '%c' (U+%s)", (int)ch, hex);
    else
        fail(p, "invalid non-printable character U+%s", hex);
    return 0;
}

/* feature_version < 7: async and await are words of their own only in and before async functions. */
static int classify_async(parser *p, int type)
{
    if (!p->async_hacks || p->async_def)
        return type;
    if (type == TOK_ASYNC) {
        const char *s = p->buffer + p->at;
        while (*s == ' ' || *s == '\t')
            s++;
        if (strncmp(s, "def", 3) == 0 && !IS(s[3], IDENT)) {
            p->async_def = 1;
            p->async_def_indent = p->indent_depth;
            p->async_def_newline = 0;
            return TOK_ASYNC;
        }
    }
    return TOK_NAME;
}

/* A word: identifier, keyword, or the prefix of a string. */
static int read_word(parser *p, int start)
{
    const char *s = p->buffer + start;
    int b = 0, u = 0, r = 0, f = 0;
    for (;; s++) {
        char c = *s;
        if (!(b || u || f) && (c == 'b' || c == 'B'))
            b = 1;
        else if (!(b || u || r || f) && (c == 'u' || c == 'U'))
            u = 1;
        else if (!(r || u) && (c == 'r' || c == 'R'))
            r = 1;
        else if (!(f || b || u) && (c == 'f' || c == 'F'))
            f = 1;
        else
            break;
    }
    if (s > p->buffer + start && (*s == '"' || *s == '\'')) {
        p->at = (int)(s - p->buffer);
        return read_string(p, start);
    }
    unsigned char seen = 0;
    while (IS(*s, IDENT))
        seen |= (unsigned char)*s++;
    p->at = (int)(s - p->buffer);
    if (seen >= 128)
        return check_identifier(p, start) ? TOK_NAME : TOK_ERRORTOKEN;
    int type = token_classify_word(p->buffer + start, p->at - start);
    if (type == TOK_ASYNC || type == TOK_AWAIT)
        return classify_async(p, type);
    return type;
}

/* ---- operators ---- */

static int open_paren(parser *p, char c, int type)
{
    if (p->level >= PARSER_MAX_PARENS)
        return fail(p, "too many nested parentheses");
    p->parens[p->level++] = (struct paren){c, p->lineno, p->at - 1 - p->line_start};
    return type;
}

static int close_paren(parser *p, char c, int type)
{
    if (p->level == 0)
        return fail(p, "unmatched '%c'", c);
    p->level--;
    struct paren *open = &p->parens[p->level];
    if ((open->c == '(' && c == ')') || (open->c == '[' && c == ']') || (open->c == '{' && c == '}'))
        return type;
    if (open->lineno != p->lineno)
        return fail(p, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, open->c, open->lineno);
    return fail(p, "closing parenthesis '%c' does not match opening parenthesis '%c'", c, open->c);
}

static int read_operator(parser *p)
{
    const char *s = p->buffer + p->at;
    char c = s[0], d = s[1], e = d != '\0' ? s[2] : '\0';
#define ONE(type) return p->at += 1, TOK_##type
#define TWO(type) return p->at += 2, TOK_##type
#define THREE(type) return p->at += 3, TOK_##type
    switch (c) {
    case '(': p->at++; return open_paren(p, c, TOK_LPAR);
    case '[': p->at++; return open_paren(p, c, TOK_LSQB);
    case '{': p->at++; return open_paren(p, c, TOK_LBRACE);
    case ')': p->at++; return close_paren(p, c, TOK_RPAR);
    case ']': p->at++; return close_paren(p, c, TOK_RSQB);
    case '}': p->at++; return close_paren(p, c, TOK_RBRACE);
    case ',': ONE(COMMA);
    case ':': if (d == '=') TWO(COLONEQUAL); ONE(COLON);
    case ';': ONE(SEMI);
    case '~': ONE(TILDE);
    case '.': if (d == '.' && e == '.') THREE(ELLIPSIS); ONE(DOT);
    case '=': if (d == '=') TWO(EQEQUAL); ONE(EQUAL);
    case '!': if (d == '=') TWO(NOTEQUAL); ONE(OP);
    case '+': if (d == '=') TWO(PLUSEQUAL); ONE(PLUS);
    case '-': if (d == '=') TWO(MINEQUAL); if (d == '>') TWO(RARROW); ONE(MINUS);
    case '*':
        if (d == '*') { if (e == '=') THREE(DOUBLESTAREQUAL); TWO(DOUBLESTAR); }
        if (d == '=') TWO(STAREQUAL);
        ONE(STAR);
    case '/':
        if (d == '/') { if (e == '=') THREE(DOUBLESLASHEQUAL); TWO(DOUBLESLASH); }
        if (d == '=') TWO(SLASHEQUAL);
        ONE(SLASH);
    case '%': if (d == '=') TWO(PERCENTEQUAL); ONE(PERCENT);
    case '@': if (d == '=') TWO(ATEQUAL); ONE(AT);
    case '&': if (d == '=') TWO(AMPEREQUAL); ONE(AMPER);
    case '|': if (d == '=') TWO(VBAREQUAL); ONE(VBAR);
    case '^': if (d == '=') TWO(CIRCUMFLEXEQUAL); ONE(CIRCUMFLEX);
    case '<':
        if (d == '<') { if (e == '=') THREE(LEFTSHIFTEQUAL); TWO(LEFTSHIFT); }
        if (d == '=') TWO(LESSEQUAL);
        if (d == '>') TWO(NOTEQUAL);
        ONE(LESS);
    case '>':
        if (d == '>') { if (e == '=') THREE(RIGHTSHIFTEQUAL); TWO(RIGHTSHIFT); }
        if (d == '=') TWO(GREATEREQUAL);
        ONE(GREATER);
    }
#undef ONE
#undef TWO
#undef THREE
    p->at++;
    if ((unsigned char)c < 32 || c == 127) {
        char hex[8];
        snprintf(hex, sizeof hex, "%04X", (unsigned)(unsigned char)c);
        return fail(p, "invalid non-printable character U+%s", hex);
    }
    return TOK_OP;
}

/* ---- lines and indentation ---- */

/* After a backslash: its line end and the start of the next line. Returns 0 on an error (raised). */
static int continue_line(parser *p, int within_token)
{
    p->at++;
    if (p->buffer[p->at] != '\n') {
        int col = p->at - p->text_start - (p->buffer[p->at] == '\0');
        fail_line(p, PyExc_SyntaxError, col, -1, "unexpected character after line continuation character");
        return 0;
    }
    p->at++;
    if (!begin_line(p, within_token)) {
        p->end = TOKENIZER_EOF;
        return -1;
    }
    return 1;
}

/* Measures the indentation of a new line and compares it with the stack.
 * Returns 0 to go on, TOK_ERRORTOKEN with an exception set, or -1 at an end of input after a backslash. */
static int read_indentation(parser *p, int *blank)
{
    int col = 0, alt = 0, continued_col = 0;
    const char *s;
    p->at_line_start = 0;
    for (;;) {
        s = p->buffer + p->at;
        if (*s == ' ')
            col++, alt++;
        else if (*s == '\t') {
            col = (col / 8 + 1) * 8;
            alt = alt + 1;
        }
        else if (*s == '\014')
            col = alt = 0;
        else if (*s == '\\') {
            /* the indentation before the first backslash is what counts */
            continued_col = continued_col ? continued_col : col;
            int ok = continue_line(p, 0);
            if (ok <= 0)
                return ok < 0 ? -1 : TOK_ERRORTOKEN;
            continue;
        }
        else
            break;
        p->at++;
    }
    *blank = 0;
    if (*s == '#' || *s == '\n') {
        if (col == 0 && *s == '\n' && p->readline != NULL)
            *blank = 0;                         /* an empty line ends an interactive statement */
        else if (p->readline != NULL && p->lineno == 1)
            col = alt = 0;
        else
            *blank = 1;
    }
    if (*blank || p->level > 0)
        return 0;
    if (continued_col)
        col = alt = continued_col;
    int *depth = &p->indent_depth;
    if (col == p->indents[*depth])
        return alt == p->alt_indents[*depth] ? 0 : fail_tabs(p);
    if (col > p->indents[*depth]) {
        if (*depth + 1 >= PARSER_MAX_INDENT) {
            skip_line(p);
            return fail_line(p, PyExc_IndentationError, 0, -1, "too many levels of indentation");
        }
        if (alt <= p->alt_indents[*depth])
            return fail_tabs(p);
        p->pending_dedents++;
        ++*depth;
        p->indents[*depth] = col;
        p->alt_indents[*depth] = alt;
        return 0;
    }
    while (*depth > 0 && col < p->indents[*depth]) {
        p->pending_dedents--;
        --*depth;
    }
    if (col != p->indents[*depth]) {
        skip_line(p);
        return fail_line(p, PyExc_IndentationError, p->at - p->line_start - 1, -2,
                         "unindent does not match any outer indentation level");
    }
    return alt == p->alt_indents[*depth] ? 0 : fail_tabs(p);
}

/* At a '#': skips the comment. Returns TOK_TYPE_COMMENT or TOK_TYPE_IGNORE with *start, or 0. */
static int read_comment(parser *p, int blank, int *start)
{
    const char *s = p->buffer + p->at, *e = s + strcspn(s, "\n");
    p->at = (int)(e - p->buffer);
    if (!(p->flags & PyCF_TYPE_COMMENTS))
        return 0;
    const char *want = "# type: ";
    for (; *want != '\0' && s < e; want++) {
        if (*want == ' ')
            while (*s == ' ' || *s == '\t')
                s++;
        else if (*want == *s)
            s++;
        else
            break;
    }
    if (*want != '\0')
        return 0;
    if (e - s >= 6 && memcmp(s, "ignore", 6) == 0 &&
        !(e - s > 6 && ((unsigned char)s[6] >= 128 || (IS(s[6], IDENT) && s[6] != '_')))) {
        *start = (int)(s + 6 - p->buffer);
        if (blank && *e == '\n') {
            p->at++;
            p->at_line_start = 1;
        }
        return TOK_TYPE_IGNORE;
    }
    *start = (int)(s - p->buffer);
    return TOK_TYPE_COMMENT;
}

/* Reads one token. start < 0: it has no text. */
static int read_token(parser *p, int *start, int *end)
{
    int blank = 0;
    *start = *end = -1;
nextline:
    if (p->at_line_start) {
        if (!begin_line(p, 0)) {
            if (p->error)
                return TOK_ERRORTOKEN;
            p->at_line_start = 0;
            if (p->level == 0) {
                p->pending_dedents -= p->indent_depth;
                p->indent_depth = 0;
            }
        }
        else {
            int r = read_indentation(p, &blank);
            if (r != 0)
                return TOK_ERRORTOKEN;
        }
    }
    if (p->pending_dedents < 0) {
        p->pending_dedents++;
        return TOK_DEDENT;
    }
    if (p->pending_dedents > 0) {
        p->pending_dedents--;
        return TOK_INDENT;
    }
    if (p->async_def && !blank && p->buffer[p->at] != '\n' && p->level == 0 && p->async_def_newline && p->async_def_indent >= p->indent_depth)
        p->async_def = 0;
    p->token_line_start = p->line_start;
again:;
    const char *s = p->buffer + p->at;
    while (*s == ' ' || *s == '\t' || *s == '\014')
        s++;
    p->at = (int)(s - p->buffer);
    int comment = -1;
    if (*s == '#') {
        comment = p->at;
        int type = read_comment(p, blank, start);
        if (type != 0) {
            *end = type == TOK_TYPE_IGNORE && p->at_line_start ? p->at - 1 : p->at;
            return type;
        }
        s = p->buffer + p->at;
    }
    int from = *start = p->at;
    p->first_lineno = p->lineno;
    p->token_line_start = p->line_start;
    int type;
    if (IS(*s, IDENT_START))
        type = read_word(p, from);
    else if (*s == '\n') {
        p->at++;
        p->at_line_start = 1;
        if (blank || p->level > 0) {
            blank = 0;
            goto nextline;
        }
        *end = p->at - 1;
        if (comment >= 0)
            *start = comment;               /* the token includes the comment */
        if (p->async_def)
            p->async_def_newline = 1;
        return TOK_NEWLINE;
    }
    else if (IS(*s, DIGIT) || (*s == '.' && IS(s[1], DIGIT)))
        type = read_number(p);
    else if (*s == '"' || *s == '\'')
        type = read_string(p, from);
    else if (*s == '\\') {
        int ok = continue_line(p, 1);
        if (ok > 0)
            goto again;
        *start = -1;
        return TOK_ERRORTOKEN;
    }
    else if (*s == '\0' && p->at >= p->size) {
        *start = -1;
        if (p->end == TOKENIZER_OK)
            p->end = TOKENIZER_EOF;
        return p->level > 0 ? TOK_ERRORTOKEN : TOK_ENDMARKER;
    }
    else
        type = read_operator(p);
    *end = p->at;
    return type;
}

static int grow_tokens(parser *p)
{
    int is_first = p->tokens == p->first_tokens;
    int room = is_first ? (p->parent != NULL ? 32 : 256) : p->room * 2;
    size_t size = (size_t)(room + PARSER_SPARE_TOKENS) * sizeof(token);
    token *bigger = NULL;
    if (room < INT_MAX / (int)sizeof(token) / 2)
        bigger = is_first ? PyMem_Malloc(size) : PyMem_Realloc(p->tokens, size);
    if (bigger == NULL)
        return -1;
    if (is_first)
        memcpy(bigger, p->first_tokens, (size_t)p->room * sizeof(token));
    p->tokens = bigger;
    p->room = room;
    return 0;
}

static int add_ignore(parser *p, int start, int end)
{
    if (p->ignores_used == p->ignores_room) {
        int room = p->ignores_room * 2 + 8;
        void *bigger = PyMem_Realloc(p->ignores, (size_t)room * sizeof(p->ignores[0]));
        if (bigger == NULL)
            return -1;
        p->ignores = bigger;
        p->ignores_room = room;
    }
    PyObject *tag = decode(p->buffer + start, end - start);
    if (tag == NULL || arena_keep_steal(p->arena, tag) < 0)
        return -1;
    p->ignores[p->ignores_used].lineno = p->lineno;
    p->ignores[p->ignores_used++].tag = tag;
    return 0;
}

/* The end of the input in single mode stands for a NEWLINE first, and closes the blocks. */
static int adjust_single(parser *p, int type)
{
    if (type == TOK_ENDMARKER && p->single_started) {
        p->single_started = 0;
        if (p->indent_depth > 0 && !(p->flags & PyCF_DONT_IMPLY_DEDENT)) {
            p->pending_dedents = -p->indent_depth;
            p->indent_depth = 0;
        }
        return TOK_NEWLINE;
    }
    p->single_started = 1;
    return type;
}

void parser_read_token(parser *p)
{
    if (p->fill >= p->room && grow_tokens(p) < 0) {
        parser_out_of_memory(p);
        p->fill = p->room;              /* the first spare token takes the error, again and again */
    }
    token *t = &p->tokens[p->fill];
    int start = -1, end = -1, type;
    if (p->error)
        type = TOK_ERRORTOKEN;
    else {
        type = read_token(p, &start, &end);
        while (type == TOK_TYPE_IGNORE) {
            if (add_ignore(p, start, end) < 0) {
                p->error = 1;
                type = TOK_ERRORTOKEN;
                break;
            }
            type = read_token(p, &start, &end);
        }
        if (p->mode == PARSER_SINGLE)
            type = adjust_single(p, type);
    }
    t->type = (unsigned char)type;
    t->level = (unsigned char)p->level;
    t->start = start < 0 ? p->at : start;
    t->end = end < 0 ? p->at : end;
    if (type == TOK_ERRORTOKEN)
        start = end = -1;
    t->lineno = type == TOK_STRING ? p->first_lineno : p->lineno;
    int line_start = type == TOK_STRING ? p->token_line_start : p->line_start;
    t->col = start >= line_start ? start - line_start : -1;
    t->end_lineno = p->lineno;
    t->end_col = end >= p->line_start ? end - p->line_start : -1;
    if (p->parent != NULL) {                    /* replacement field: positions in the file */
        if (p->lineno == 1) {
            t->col += p->start_col;
            t->end_col += p->start_col;
        }
        t->lineno += p->start_lineno - 1;
        t->end_lineno += p->start_lineno - 1;
    }
    p->fill++;
    if (type == TOK_ERRORTOKEN && !p->error && !p->checking_rest) {  /* the input ended inside brackets or after a backslash */
        if (p->level > 0)
            parser_error_unclosed(p);
        else
            parser_error(p, PyExc_SyntaxError, "unexpected EOF while parsing");
    }
}
