/* Numbers and strings: from the text of tokens to constants. */
#include "parse.h"
#include "unicode.h"

/* ---- numbers ---- */

static PyObject *number_value(const char *s)
{
    size_t n = strlen(s);
    char last = s[n - 1];
    int hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    if (!hex && (last == 'j' || last == 'J')) {
        double imag = PyOS_string_to_double(s, (char **)&s, NULL);
        return imag == -1.0 && PyErr_Occurred() ? NULL : PyComplex_FromDoubles(0.0, imag);
    }
    if (!hex && strpbrk(s, ".eE") != NULL) {
        double d = PyOS_string_to_double(s, NULL, NULL);
        return d == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(d);
    }
    if (n < 18 && s[0] != '0') {
        long value = 0;
        for (; *s != '\0'; s++)
            value = value * 10 + (*s - '0');
        return PyLong_FromLong(value);
    }
    if (s[0] == '0' && n > 1 && s[1] >= '0' && s[1] <= '9' && strspn(s, "0") != n) {
        double d = PyOS_string_to_double(s, NULL, NULL);        /* what the tokenizer lets pass before a keyword: 0777else */
        return d == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(d);
    }
    return PyLong_FromString(s, NULL, 0);
}

expr_ty parse_number(parser *p)
{
    const token *t = tok(p);
    int n = t->end - t->start, k = 0;
    char small[64], *digits = n < (int)sizeof small ? small : PyMem_Malloc((size_t)n + 1);
    if (digits == NULL)
        return parser_out_of_memory(p);
    const char *s = token_text(p, t);
    for (int i = 0; i < n; i++)
        if (s[i] != '_')
            digits[k++] = s[i];
    digits[k] = '\0';
    PyObject *value = NULL;
    if (k == n || parser_allows(p, 6, "Underscores in numeric literals are"))
        value = number_value(digits);
    if (digits != small)
        PyMem_Free(digits);
    if (value == NULL) {
        PyObject *type, *error, *trace;
        p->error = 1;
        if (!PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_SyntaxError))
            return NULL;
        /* more digits than int() accepts */
        PyErr_Fetch(&type, &error, &trace);
        PyErr_NormalizeException(&type, &error, &trace);
        p->error = 0;
        parser_error_at(p, PyExc_SyntaxError, t->lineno, -1, t->lineno, -1,
                        "%S - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", error);
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
        return NULL;
    }
    int lineno = t->lineno, col = t->col, end_lineno = t->end_lineno, end_col = t->end_col;
    p->t++;
    return parser_new_constant(p, value, lineno, col, end_lineno, end_col);
}

/* ---- escapes ---- */

/* Deprecated escapes: \ and an unknown character, or an octal number above 0o377. Returns -1 with an error set. */
static int warn_escape(parser *p, const char *s, const token *t)
{
    if (p->second_pass)
        return 0;
    PyObject *message;
    if (*s >= '4' && *s <= '7')
        message = PyUnicode_FromFormat("invalid octal escape sequence '\\%.3s'", s);
    else
        message = PyUnicode_FromFormat("invalid escape sequence '\\%c'", (int)(unsigned char)*s);
    if (message == NULL) {
        p->error = 1;
        return -1;
    }
    int r = PyErr_WarnExplicitObject(PyExc_DeprecationWarning, message, p->filename, t->lineno, NULL, NULL);
    if (r < 0) {
        if (PyErr_ExceptionMatches(PyExc_DeprecationWarning)) {
            PyErr_Clear();
            parser_error_token(p, t, t, "%U", message);
        }
        p->error = 1;
    }
    Py_DECREF(message);
    return r;
}

/* Looks for escapes that deserve a warning. Returns -1 with an error set. */
static int check_escapes(parser *p, const char *s, int n, int bytes, const token *t)
{
    const char *end = s + n;
    while ((s = memchr(s, '\\', (size_t)(end - s))) != NULL && s + 1 < end) {
        s++;
        const char *known = bytes ? "\n\\'\"abfnrtvx01234567" : "\n\\'\"abfnrtvx01234567uUN";
        int octal = *s >= '4' && *s <= '7' && s + 2 < end && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
        if (octal || (unsigned char)*s >= 128 || *s == '\0' || strchr(known, *s) == NULL) {
            if ((unsigned char)*s < 128)
                return warn_escape(p, s, t);            /* one warning for a string */
        }
        s++;
    }
    return 0;
}

/* str from the inside of a literal with escapes: what is not ASCII becomes \U escapes, then the codec decodes all. */
static PyObject *decode_escapes(parser *p, const char *s, int n, const token *t)
{
    PyObject *result = NULL;
    for (int i = 0; i < n; i++) {
        if ((unsigned char)s[i] >= 128) {
            result = PyUnicode_DecodeUTF8(s, n, NULL);      /* is it UTF-8? */
            if (result == NULL)
                return NULL;
            Py_CLEAR(result);
            break;
        }
    }
    if (check_escapes(p, s, n, 0, t) < 0)
        return NULL;
    char *buffer = PyMem_Malloc((size_t)n * 6 + 1), *out = buffer;
    if (buffer == NULL)
        return parser_out_of_memory(p);
    const char *end = s + n;
    while (s < end) {
        if (*s == '\\') {
            *out++ = *s++;
            if (s >= end || (unsigned char)*s >= 128) {
                memcpy(out, "u005c", 5);                /* a backslash before a character that is not ASCII stands for itself */
                out += 5;
            }
            if (s >= end)
                break;
        }
        unsigned char c = (unsigned char)*s;
        if (c < 128) {
            *out++ = *s++;
            continue;
        }
        unsigned ch = c >= 0xF0 ? c & 7 : c >= 0xE0 ? c & 15 : c & 31;
        for (s++; s < end && ((unsigned char)*s & 0xC0) == 0x80; s++)
            ch = ch << 6 | ((unsigned char)*s & 63);
        out += snprintf(out, 11, "\\U%08x", ch);
    }
    /* check_escapes has warned */
    result = _PyUnicode_DecodeUnicodeEscapeInternal(buffer, out - buffer, NULL, NULL, NULL);
    PyMem_Free(buffer);
    return result;
}

PyObject *parser_decode_literal(parser *p, const char *s, int n, int raw, const token *t)
{
    PyObject *value;
    if (raw || memchr(s, '\\', (size_t)n) == NULL)
        value = PyUnicode_DecodeUTF8(s, n, NULL);
    else
        value = decode_escapes(p, s, n, t);
    return value != NULL || p->error ? value : parser_convert_error(p);
}

static PyObject *decode_bytes(parser *p, const char *s, int n, int raw, const token *t)
{
    for (int i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 128)
            return parser_error(p, PyExc_SyntaxError, "bytes can only contain ASCII literal characters");
    if (raw || memchr(s, '\\', (size_t)n) == NULL)
        return PyBytes_FromStringAndSize(s, n);
    if (check_escapes(p, s, n, 1, t) < 0)
        return NULL;
    PyObject *value = unicode_escape_decode_bytes(s, n, NULL, NULL);
    return value != NULL ? value : parser_convert_error(p);
}

/* ---- string atoms: one or more tokens ---- */

struct literal { const char *s; int n, raw, bytes, fstring; };

static struct literal split(parser *p, const token *t)
{
    struct literal l = {token_text(p, t), t->end - t->start, 0, 0, 0};
    for (; *l.s != '\'' && *l.s != '"'; l.s++, l.n--) {
        switch (*l.s) {
        case 'r': case 'R': l.raw = 1; break;
        case 'b': case 'B': l.bytes = 1; break;
        case 'f': case 'F': l.fstring = 1; break;
        default: break;
        }
    }
    int quotes = l.n >= 6 && l.s[1] == l.s[0] && l.s[2] == l.s[0] ? 3 : 1;
    l.s += quotes;
    l.n -= 2 * quotes;
    return l;
}

static expr_ty finish_bytes(parser *p, int first, int count)
{
    PyObject *value = NULL;
    for (int i = 0; i < count; i++) {
        const token *t = &p->tokens[first + i];
        struct literal l = split(p, t);
        PyObject *part = decode_bytes(p, l.s, l.n, l.raw, t);
        if (part == NULL) {
            Py_XDECREF(value);
            p->error = 1;
            return NULL;
        }
        if (value == NULL)
            value = part;
        else
            PyBytes_ConcatAndDel(&value, part);
        if (value == NULL) {
            p->error = 1;
            return NULL;
        }
    }
    const token *t = &p->tokens[first], *last = &p->tokens[first + count - 1];
    return parser_new_constant(p, value, t->lineno, t->col, last->end_lineno, last->end_col);
}

static expr_ty finish_string(parser *p, int first, int count, int fstring)
{
    PyObject *pending = NULL;           /* the literal text not yet in a node */
    int mark = p->stack_used;
    expr_ty e = NULL;
    for (int i = 0; i < count; i++) {
        const token *t = &p->tokens[first + i];
        struct literal l = split(p, t);
        if (l.fstring) {
            if (!parser_allows(p, 6, "Format strings are") || !parser_fstring_add(p, l.s, l.n, l.raw, first, first + i, first + count - 1, &pending))
                goto done;
            continue;
        }
        PyObject *part = parser_decode_literal(p, l.s, l.n, l.raw, t);
        if (part == NULL)
            goto done;
        if (pending == NULL)
            pending = part;
        else {
            PyUnicode_Append(&pending, part);
            Py_DECREF(part);
            if (pending == NULL)
                goto done;
        }
    }
    const token *t = &p->tokens[first], *last = &p->tokens[first + count - 1];
    if (!fstring) {
        e = parser_new_string(p, pending, t, last);
        pending = NULL;
        goto done;
    }
    if (pending != NULL && PyUnicode_GetLength(pending) > 0) {
        expr_ty text = parser_new_string(p, pending, t, last);
        pending = NULL;
        if (text == NULL || !parser_push(p, text))
            goto done;
    }
    ast_expr_seq *values = parser_pop(p, mark);
    e = values == NULL ? NULL : arena_alloc(p->arena, sizeof *e);
    if (e == NULL)
        goto done;
    *e = (struct expr){.kind = JoinedStr_kind, .lineno = t->lineno, .col_offset = t->col, .end_lineno = last->end_lineno,
                       .end_col_offset = last->end_col};
    e->v.JoinedStr.values = values;
done:
    Py_XDECREF(pending);
    if (e == NULL)
        p->error = 1;
    return e;
}

expr_ty parse_strings(parser *p)
{
    int first = p->t, count = 0, bytes = 0, fstring = 0;
    void *known;
    if (p->second_pass && parser_recall(p, RULE_STRINGS, &known))
        return known;
    while (cur(p) == TOK_STRING) {
        struct literal l = split(p, tok(p));
        if (count > 0 && l.bytes != bytes) {
            p->t++;
            while (cur(p) == TOK_STRING)
                p->t++;
            if (p->error)
                return NULL;
            return parser_error(p, PyExc_SyntaxError, "cannot mix bytes and nonbytes literals");
        }
        bytes = l.bytes;
        fstring |= l.fstring;
        count++;
        p->t++;
    }
    if (p->error)
        return NULL;
    expr_ty e = bytes ? finish_bytes(p, first, count) : finish_string(p, first, count, fstring);
    return p->second_pass ? parser_remember(p, RULE_STRINGS, first, e) : e;
}
