/* Raises the parser's errors and warnings: positions in characters, the text of the line. */
#include "parse.h"

/* The text of an error: what the tokenizer is in (a line, or the lines of a token) if the error is not on an earlier line, else that
 * line without its end. */
static PyObject *error_line(parser *p, int lineno)
{
    int relative = p->parent != NULL ? lineno - p->start_lineno + 1 : lineno;
    const char *line = p->buffer, *nl;
    if (p->lineno <= relative && p->lineno > 0) {
        /* of a token of several lines, one that names a file, as a program's source does, shows the file's line */
        if (p->text_start != p->line_start && p->mode == PARSER_FILE) {
            PyObject *text = PyErr_ProgramTextObject(p->filename, lineno);
            if (text != NULL)
                return text;
        }
        line += p->text_start;
        nl = strchr(p->buffer + p->line_start, '\n');
        return PyUnicode_DecodeUTF8(line, nl == NULL ? (Py_ssize_t)strlen(line) : nl + 1 - line, "replace");
    }
    for (int i = 1; i < relative; i++) {
        nl = strchr(line, '\n');
        if (nl == NULL || nl + 1 - p->buffer > p->size)
            break;
        line = nl + 1;
    }
    nl = strchr(line, '\n');
    return PyUnicode_DecodeUTF8(line, nl == NULL ? (Py_ssize_t)strlen(line) : nl - line, "replace");
}

/* 1-based character column of the 1-based byte column col; clips at the end of the line. Where the source is not UTF-8 bytes are counted. */
static Py_ssize_t char_column(parser *p, PyObject *line, Py_ssize_t col)
{
    Py_ssize_t size;
    if (col <= 0 || (!(p->flags & PyCF_IGNORE_COOKIE) && PyUnicode_FindChar(line, 0xFFFD, 0, PyUnicode_GET_LENGTH(line), 1) >= 0))
        return col;
    const char *s = PyUnicode_AsUTF8AndSize(line, &size);
    if (s == NULL) {
        PyErr_Clear();
        return col;
    }
    if (col > size + 1)
        col = size + 1;
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < col; i++)
        if (i >= size || ((unsigned char)s[i] & 0xC0) != 0x80)
            n++;
    return n;
}

static void *raise_va(parser *p, PyObject *type, int lineno, Py_ssize_t col, int end_lineno, Py_ssize_t end_col,
                      const char *format, va_list va)
{
    PyObject *message = NULL, *line = NULL, *args = NULL;
    if (p->parent != NULL) {
        const char *prefix = "f-string: ";
        size_t n = strlen(format) + strlen(prefix) + 1;
        char *longer = PyMem_Malloc(n);
        if (longer == NULL)
            return parser_out_of_memory(p);
        snprintf(longer, n, "%s%s", prefix, format);
        message = PyUnicode_FromFormatV(longer, va);
        PyMem_Free(longer);
        col -= p->start_col;
        end_col -= p->start_col;
    }
    else
        message = PyUnicode_FromFormatV(format, va);
    if (message == NULL)
        goto done;
    line = error_line(p, lineno);
    if (line == NULL)
        goto done;
    PyObject *end_line = end_lineno == lineno ? Py_NewRef(line) : error_line(p, end_lineno);
    if (end_line == NULL)
        goto done;
    col = char_column(p, line, col);
    end_col = char_column(p, line, end_col);
    Py_DECREF(end_line);
    args = Py_BuildValue("(O(OinOin))", message, p->filename, lineno, col, line, end_lineno, end_col);
    if (args != NULL)
        PyErr_SetObject(type, args);
done:
    Py_XDECREF(args);
    Py_XDECREF(line);
    Py_XDECREF(message);
    p->error = 1;
    return NULL;
}

/* An error is already being reported: the first one stays. */
static int already(parser *p)
{
    return p->error && PyErr_Occurred();
}

void *parser_error_at(parser *p, PyObject *type, int lineno, int col, int end_lineno, int end_col, const char *format, ...)
{
    if (already(p))
        return NULL;
    va_list va;
    va_start(va, format);
    raise_va(p, type, lineno, (Py_ssize_t)col + 1, end_lineno, (Py_ssize_t)end_col + 1, format, va);
    va_end(va);
    return NULL;
}

void *parser_error(parser *p, PyObject *type, const char *format, ...)
{
    if (already(p))
        return NULL;
    va_list va;
    va_start(va, format);
    if (p->fill == 0)
        raise_va(p, type, 0, 0, 0, -1, format, va);
    else {
        const token *t = &p->tokens[p->fill - 1];
        Py_ssize_t col = t->col == -1 ? p->at - p->line_start : t->col + 1;
        Py_ssize_t end_col = t->end_col == -1 ? -1 : t->end_col + 1;
        raise_va(p, type, t->lineno, col, t->end_lineno, end_col, format, va);
    }
    va_end(va);
    return NULL;
}

void *parser_error_token(parser *p, const token *from, const token *to, const char *format, ...)
{
    if (already(p))
        return NULL;
    va_list va;
    va_start(va, format);
    raise_va(p, PyExc_SyntaxError, from->lineno, from->col + 1, to->end_lineno, to->end_col + 1, format, va);
    va_end(va);
    return NULL;
}

void *parser_error_range(parser *p, const void *from_expr, const void *to_expr, const char *format, ...)
{
    if (already(p))
        return NULL;
    const struct expr *from = from_expr, *to = to_expr;
    va_list va;
    va_start(va, format);
    raise_va(p, PyExc_SyntaxError, from->lineno, from->col_offset + 1, to->end_lineno, to->end_col_offset + 1, format, va);
    va_end(va);
    return NULL;
}

void *parser_error_from(parser *p, int lineno, int col, const char *format, ...)
{
    if (already(p))
        return NULL;
    va_list va;
    va_start(va, format);
    int shift = p->parent != NULL ? p->start_lineno - 1 : 0;
    raise_va(p, PyExc_SyntaxError, lineno, col + 1, p->lineno + shift, p->at - p->line_start, format, va);
    va_end(va);
    return NULL;
}

void *parser_error_unclosed(parser *p)
{
    struct paren *open = &p->parens[p->level - 1];
    return parser_error_at(p, PyExc_SyntaxError, open->lineno, open->col, open->lineno, -1, "'%c' was never closed", open->c);
}

void *parser_out_of_memory(parser *p)
{
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    p->error = 1;
    return NULL;
}

/* After a parser's error: a tokenizer error in the rest of the source, or an unclosed bracket before it, is more telling. */
void parser_check_rest(parser *p)
{
    PyObject *type, *value, *trace;
    int line = p->tokens[p->fill - 1].lineno, got;
    if (p->end == TOKENIZER_ERROR)
        return;
    PyErr_Fetch(&type, &value, &trace);
    p->error = 0;
    p->checking_rest = 1;
    do {
        p->fill--;              /* the tokens are not needed: one place is enough */
        parser_read_token(p);
        got = p->tokens[p->fill - 1].type;
    } while (got != TOK_ERRORTOKEN && got != TOK_ENDMARKER);
    if (got == TOK_ERRORTOKEN && !PyErr_Occurred() && p->level > 0 && line > p->parens[p->level - 1].lineno) {
        p->error = 0;
        parser_error_unclosed(p);
    }
    p->error = 1;
    if (PyErr_Occurred()) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(trace);
    }
    else
        PyErr_Restore(type, value, trace);
}

/* Neither pass found a better message; `last` is the furthest token of the first pass. */
void parser_set_generic_error(parser *p, int last)
{
    if (PyErr_Occurred()) {
        if (p->end != TOKENIZER_ERROR && PyErr_ExceptionMatches(PyExc_SyntaxError))
            parser_check_rest(p);
        return;
    }
    const token *t = &p->tokens[last];
    if (t->type == TOK_INDENT || t->type == TOK_DEDENT) {
        parser_error(p, PyExc_IndentationError, t->type == TOK_INDENT ? "unexpected indent" : "unexpected unindent");
        return;
    }
    parser_error_token(p, t, t, "invalid syntax");
    parser_check_rest(p);
}

/* A ValueError from a codec becomes a SyntaxError at the last token read. */
void *parser_convert_error(parser *p)
{
    PyObject *type, *error, *trace;
    p->error = 1;
    const char *kind = NULL;
    if (PyErr_ExceptionMatches(PyExc_UnicodeError))
        kind = "unicode error";
    else if (PyErr_ExceptionMatches(PyExc_ValueError))
        kind = "value error";
    if (kind == NULL)
        return NULL;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    p->error = 0;
    parser_error(p, PyExc_SyntaxError, "(%s) %S", kind, error);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return NULL;
}

/* How messages call an expression. */
const char *parser_expr_name(expr_ty e)
{
    switch (e->kind) {
    case Attribute_kind: return "attribute";
    case Subscript_kind: return "subscript";
    case Starred_kind: return "starred";
    case Name_kind: return "name";
    case List_kind: return "list";
    case Tuple_kind: return "tuple";
    case Lambda_kind: return "lambda";
    case Call_kind: return "function call";
    case BoolOp_kind:
    case BinOp_kind:
    case UnaryOp_kind: return "expression";
    case GeneratorExp_kind: return "generator expression";
    case Yield_kind:
    case YieldFrom_kind: return "yield expression";
    case Await_kind: return "await expression";
    case ListComp_kind: return "list comprehension";
    case SetComp_kind: return "set comprehension";
    case DictComp_kind: return "dict comprehension";
    case Dict_kind: return "dict literal";
    case Set_kind: return "set display";
    case JoinedStr_kind:
    case FormattedValue_kind: return "f-string expression";
    case Constant_kind: {
        PyObject *v = e->v.Constant.value;
        return v == Py_None ? "None" : v == Py_False ? "False" : v == Py_True ? "True" : v == Py_Ellipsis ? "ellipsis" : "literal";
    }
    case Compare_kind: return "comparison";
    case IfExp_kind: return "conditional expression";
    case NamedExpr_kind: return "named expression";
    default: return "expression";
    }
}
