/* Arguments by position and by name: PyArg_ParseTupleAndKeywords, prepared parsers, and _PyArg_UnpackKeywords. */
#include "getargs.h"
#include "fork_mutex.h"

/* ---- Keyword arguments ---- */

/* Steps over one unit without a value. NULL, or a message about the format. */
static const char *skip_item(const char **format, va_list *va)
{
    const char *f = *format;
    char c = *f++;
    switch (c) {
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l': case 'k': case 'L': case 'K': case 'n':
    case 'f': case 'd': case 'D': case 'c': case 'C': case 'p': case 'S': case 'Y': case 'U':
        (void)va_arg(*va, void *);
        break;
    case 'e':
        (void)va_arg(*va, const char *);
        if (*f != 's' && *f != 't')
            return "impossible<bad format char>";
        f++;
        /* fall through */
    case 's': case 'z': case 'y': case 'w':
        (void)va_arg(*va, char **);
        if (*f == '#') {
            (void)va_arg(*va, Py_ssize_t *);
            f++;
        }
        else if ((c == 's' || c == 'z' || c == 'y' || c == 'w') && *f == '*') {
            f++;
        }
        break;
    case 'O':
        if (*f == '!' || *f == '&') {
            f++;
            (void)va_arg(*va, void *);
        }
        (void)va_arg(*va, PyObject **);
        break;
    case '(':
        for (;;) {
            if (*f == ')') {
                f++;
                break;
            }
            if (*f == '\0' || *f == ':' || *f == ';')
                return "unmatched left paren in format string";
            const char *msg = skip_item(&f, va);
            if (msg != NULL)
                return msg;
        }
        break;
    case ')':
        return "unmatched right paren in format string";
    default:
        return "impossible<bad format char>";
    }
    *format = f;
    return NULL;
}

/* The arguments of a call, in either form. */
typedef struct {
    PyObject *const *args;
    Py_ssize_t nargs;
    PyObject *kwargs;           /* dict or NULL */
    PyObject *kwnames;          /* tuple or NULL: values are args[nargs...] */
} CallArgs;

static Py_ssize_t keyword_count(const CallArgs *call)
{
    if (call->kwargs != NULL)
        return PyDict_GET_SIZE(call->kwargs);
    return call->kwnames != NULL ? PyTuple_GET_SIZE(call->kwnames) : 0;
}

/* The keyword argument of that name, or NULL. Borrowed: the caller of the C function holds its arguments. */
static PyObject *find_keyword(const CallArgs *call, PyObject *name)
{
    if (call->kwargs != NULL)
        return PyDict_GetItemWithError(call->kwargs, name);
    if (call->kwnames == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(call->kwnames);
    for (Py_ssize_t i = 0; i < n; i++)
        if (PyTuple_GET_ITEM(call->kwnames, i) == name)
            return call->args[call->nargs + i];
    for (Py_ssize_t i = 0; i < n; i++)
        if (_PyUnicode_EQ(PyTuple_GET_ITEM(call->kwnames, i), name))
            return call->args[call->nargs + i];
    return NULL;
}

/* Is key one of the n names? */
static int is_parameter(PyObject *key, PyObject *const *names, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (names[i] == key || _PyUnicode_EQ(names[i], key))
            return 1;
    return 0;
}

/* Some keyword does not belong to the function, or repeats a positional argument: says which. names are those of the
 * parameters behind `pos` positional-only ones. */
static void set_keyword_error(const CallArgs *call, const char *fname, PyObject *const *names, Py_ssize_t count, int pos)
{
    for (Py_ssize_t i = pos; i < call->nargs && i - pos < count; i++) {
        PyObject *name = names[i - pos], *value = find_keyword(call, name);
        if (value != NULL) {
            PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%U') and position (%zd)",
                         fname == NULL ? "function" : fname, fname == NULL ? "" : "()", name, i + 1);
            return;
        }
        if (PyErr_Occurred())
            return;
    }
    Py_ssize_t i = 0, iter = 0;
    for (;;) {
        PyObject *key, *value;
        if (call->kwargs != NULL) {
            if (!PyDict_Next(call->kwargs, &iter, &key, &value))
                break;
        }
        else {
            if (call->kwnames == NULL || i >= PyTuple_GET_SIZE(call->kwnames))
                break;
            key = PyTuple_GET_ITEM(call->kwnames, i++);
        }
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return;
        }
        if (!is_parameter(key, names, count)) {
            PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for %.200s%s", key,
                         fname == NULL ? "this function" : fname, fname == NULL ? "" : "()");
            return;
        }
    }
}

static void missing_argument(const char *fname, PyObject *name, Py_ssize_t i)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%U' (pos %zd)",
                 fname == NULL ? "function" : fname, fname == NULL ? "" : "()", name, i + 1);
}

/* The same for a name in C. */
static void missing_argument_utf8(const char *fname, const char *name, Py_ssize_t i)
{
    PyObject *text = PyUnicode_FromString(name);
    if (text != NULL)
        missing_argument(fname, text, i);
    Py_XDECREF(text);
}

/* What stands in the format behind the mark: ':' the function's name, ';' a message of its own.  NULL: nothing. */
static const char *behind(const char *format, char mark)
{
    const char *name = strchr(format, ':'), *place = mark == ':' || name == NULL ? strchr(format, mark) : NULL;
    return place != NULL ? place + 1 : NULL;
}
static const char *shown_name(const char *format)
{
    const char *name = behind(format, ':');
    return name != NULL ? name : "function";
}
static const char *shown_call(const char *format) { return behind(format, ':') != NULL ? "()" : ""; }

/* Converts the arguments by a format with '|' and '$'.
 * names: those of the parameters that may be given by name, i.e. names[k] belongs to parameter pos + k; NULL if nothing is
 * given by name: then keywords has them for messages, all len of them. */
static int parse_with_names(const CallArgs *call, const char *format, PyObject *const *names, char **keywords, int pos, int len,
                            va_list va)
{
    Py_ssize_t nkw = keyword_count(call);
    if (call->nargs + nkw > len) {
        /* "keyword" only if nothing was given by position, so as not to mislead */
        PyErr_Format(PyExc_TypeError, "%.200s%s takes at most %d %sargument%s (%zd given)",
                     shown_name(format), shown_call(format), len,
                     call->nargs == 0 ? "keyword " : "", len == 1 ? "" : "s", call->nargs + nkw);
        return 0;
    }
    Cleanups cleanups;
    CLEANUPS_INIT(cleanups);
    Parser p;                   /* the buffer for messages is filled when there is one */
    p.format = format;
    p.cleanups = &cleanups;
    va_copy(p.va, va);
    int min = INT_MAX, max = INT_MAX, ok = 0, missing_positional = 0, levels[32];
    Py_ssize_t left = nkw;
    for (int i = 0; i < len; i++) {
        if (*p.format == '|') {
            if (min != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string (| specified twice)");
                goto done;
            }
            min = i;
            p.format++;
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ before |)");
                goto done;
            }
        }
        if (*p.format == '$') {
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ specified twice)");
                goto done;
            }
            max = i;
            p.format++;
            if (max < pos) {
                PyErr_SetString(PyExc_SystemError, "Empty parameter name after $");
                goto done;
            }
            if (max < call->nargs) {
                if (max == 0)
                    PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments",
                                 shown_name(format), shown_call(format));
                else
                    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                             shown_name(format), shown_call(format),
                             min != INT_MAX ? "at most" : "exactly", max, max == 1 ? "" : "s", call->nargs);
                goto done;
            }
        }
        if (*p.format == '\0' || *p.format == ':' || *p.format == ';') {
            PyErr_Format(PyExc_SystemError, "More keyword list entries (%d) than format specifiers (%d)", len, i);
            goto done;
        }
        if (!missing_positional) {
            PyObject *value = NULL;
            if (i < call->nargs) {
                value = call->args[i];
            }
            else if (left > 0 && i >= pos) {
                value = find_keyword(call, names[i - pos]);
                if (value != NULL)
                    left--;
                else if (PyErr_Occurred())
                    goto done;
            }
            if (value != NULL && getargs_take_plain(&p, value))
                continue;
            if (value != NULL) {
                levels[0] = 0;
                const char *msg = getargs_convert_item(&p, value, levels, 0);
                if (msg != NULL) {
                    getargs_set_error(i + 1, msg, levels, behind(format, ':'), behind(format, ';'));
                    goto done;
                }
                continue;
            }
            if (i < min) {
                if (i >= pos) {
                    if (names != NULL)
                        missing_argument(behind(format, ':'), names[i - pos], i);
                    else
                        missing_argument_utf8(behind(format, ':'), keywords[i], i);
                    goto done;
                }
                missing_positional = 1;     /* how many are required is known only when '|' has been passed */
            }
            /* nothing more is given: done, without a further look at the format */
            if (left == 0 && !missing_positional) {
                ok = 1;
                goto done;
            }
        }
        const char *msg = skip_item(&p.format, &p.va);
        if (msg != NULL) {
            PyErr_Format(PyExc_SystemError, "%s: '%s'", msg, format);
            goto done;
        }
    }
    if (missing_positional) {
        int required = pos < min ? pos : min, most = max < len ? max : len;
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                     shown_name(format), shown_call(format),
                     required < most ? "at least" : "exactly", required, required == 1 ? "" : "s", call->nargs);
        goto done;
    }
    if (*p.format != '\0' && *p.format != ';' && *p.format != ':' && *p.format != '|' && *p.format != '$') {
        PyErr_Format(PyExc_SystemError, "more argument specifiers than keyword list entries (remaining format:'%s')",
                     p.format);
        goto done;
    }
    if (left > 0) {
        set_keyword_error(call, behind(format, ':'), names, len - pos, pos);
        if (PyErr_Occurred())
            goto done;
    }
    ok = 1;
done:
    va_end(p.va);
    return getargs_finish_cleanups(&cleanups, ok);
}

#define SMALL_NAMES 16

static int va_parse_keywords(const CallArgs *call, const char *format, char **keywords, va_list va)
{
    int pos = 0, len = 0, ok = 0, made = 0;
    while (keywords[pos] != NULL && keywords[pos][0] == '\0')
        pos++;
    for (len = pos; keywords[len] != NULL; len++) {
        if (keywords[len][0] == '\0') {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return 0;
        }
    }
    if (keyword_count(call) == 0)
        return parse_with_names(call, format, NULL, keywords, pos, len, va);
    PyObject *small[SMALL_NAMES], **names = small;
    if (len - pos > SMALL_NAMES) {
        names = PyMem_Malloc((size_t)(len - pos) * sizeof(PyObject *));
        if (names == NULL) {
            PyErr_NoMemory();
            return 0;
        }
    }
    for (; made < len - pos; made++) {
        names[made] = PyUnicode_InternFromString(keywords[pos + made]);
        if (names[made] == NULL)
            goto done;
    }
    ok = parse_with_names(call, format, names, keywords, pos, len, va);
done:
    for (int i = 0; i < made; i++)
        Py_DECREF(names[i]);
    if (names != small)
        PyMem_Free(names);
    return ok;
}

int PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char **keywords, va_list va)
{
    if (args == NULL || !PyTuple_Check(args) || (kwargs != NULL && !PyDict_Check(kwargs)) || format == NULL
        || keywords == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    CallArgs call = {((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL};
    return va_parse_keywords(&call, format, keywords, va);
}

int PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char **keywords, ...)
{
    va_list va;
    va_start(va, keywords);
    int ok = PyArg_VaParseTupleAndKeywords(args, kwargs, format, keywords, va);
    va_end(va);
    return ok;
}

int PyArg_ValidateKeywordArguments(PyObject *kwargs)
{
    if (!PyDict_Check(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(kwargs, &pos, &key, &value)) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
    }
    return 1;
}

/* ---- Parsers: descriptions that are prepared once ---- */

static PyMutex parser_lock;
FORK_MUTEX(parser_lock)

/* Fills in the parser at its first use. The tuple of names is published last. 1, or 0 with an exception. */
static int parser_prepare(_PyArg_Parser *parser)
{
    if (__atomic_load_n(&parser->kwtuple, __ATOMIC_ACQUIRE) != NULL)    /* pairs with the store below */
        return 1;
    int pos = 0, len = 0;
    while (parser->keywords[pos] != NULL && parser->keywords[pos][0] == '\0')
        pos++;
    for (len = pos; parser->keywords[len] != NULL; len++) {
        if (parser->keywords[len][0] == '\0') {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return 0;
        }
    }
    PyObject *names = PyTuple_New(len - pos);
    if (names == NULL)
        return 0;
    for (int i = pos; i < len; i++) {
        PyObject *name = PyUnicode_InternFromString(parser->keywords[i]);
        if (name == NULL) {
            Py_DECREF(names);
            return 0;
        }
        PyTuple_SET_ITEM(names, i - pos, name);
    }
    object_set_immortal(names);
    PyMutex_Lock(&parser_lock);
    if (parser->kwtuple == NULL) {
        if (parser->format != NULL) {
            const char *colon = strchr(parser->format, ':'), *semicolon = strchr(parser->format, ';');
            if (colon != NULL)
                parser->fname = colon + 1;
            else if (semicolon != NULL)
                parser->custom_msg = semicolon + 1;
        }
        parser->pos = pos;
        __atomic_store_n(&parser->kwtuple, names, __ATOMIC_RELEASE);
    }
    PyMutex_Unlock(&parser_lock);
    return 1;
}

static int parse_prepared(const CallArgs *call, _PyArg_Parser *parser, va_list va)
{
    if (!parser_prepare(parser))
        return 0;
    PyObject *names = parser->kwtuple;
    int pos = parser->pos;
    return parse_with_names(call, parser->format, ((PyTupleObject *)names)->ob_item, NULL, pos,
                            pos + (int)PyTuple_GET_SIZE(names), va);
}

int _PyArg_VaParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, _PyArg_Parser *parser, va_list va)
{
    if (args == NULL || !PyTuple_Check(args) || (kwargs != NULL && !PyDict_Check(kwargs)) || parser == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    CallArgs call = {((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL};
    return parse_prepared(&call, parser, va);
}

int _PyArg_ParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    int ok = _PyArg_VaParseTupleAndKeywordsFast(args, kwargs, parser, va);
    va_end(va);
    return ok;
}

int _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    CallArgs call = {args, nargs, NULL, kwnames};
    int ok = parse_prepared(&call, parser, va);
    va_end(va);
    return ok;
}

/* The common part of the two _PyArg_UnpackKeywords; vararg < 0: none, else its place among the parameters. */
static PyObject *const *unpack_keywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                        _PyArg_Parser *parser, int minpos, int maxpos, int minkw, int vararg,
                                        PyObject **buf)
{
    if (!parser_prepare(parser))
        return NULL;
    PyObject *names = parser->kwtuple;
    const char *fname = parser->fname;
    int pos = parser->pos, posonly = pos < minpos ? pos : minpos;
    int nkwparams = (int)PyTuple_GET_SIZE(names), total = pos + nkwparams;
    int minposonly = posonly;
    CallArgs call = {args, nargs, kwargs, kwnames};
    Py_ssize_t nkw = keyword_count(&call);
    if (args == NULL) {
        assert(nargs == 0);
        args = buf;
        call.args = buf;
    }
    if (vararg < 0 && nkw == 0 && minkw == 0 && minpos <= nargs && nargs <= maxpos) {
        if (args != buf)
            for (Py_ssize_t i = 0; i < nargs; i++)
                buf[i] = args[i];
        for (Py_ssize_t i = nargs; i < total; i++)
            buf[i] = NULL;
        return buf;
    }
    if (vararg < 0 && nargs + nkw > total) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d %sargument%s (%zd given)",
                     fname == NULL ? "function" : fname, fname == NULL ? "" : "()", "at most", total,
                     nargs == 0 ? "keyword " : "", total == 1 ? "" : "s", nargs + nkw);
        return NULL;
    }
    if (vararg < 0 && nargs > maxpos) {
        if (maxpos == 0)
            PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", fname == NULL ? "function" : fname,
                         fname == NULL ? "" : "()");
        else
            PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %zd positional argument%s (%zd given)",
                         fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                         minpos < maxpos ? "at most" : "exactly", (Py_ssize_t)maxpos, maxpos == 1 ? "" : "s", nargs);
        return NULL;
    }
    if (nargs < minposonly || (vararg >= 0 && nargs < minposonly)) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                     fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                     vararg >= 0 || minposonly < maxpos ? "at least" : "exactly", minposonly,
                     minposonly == 1 ? "" : "s", nargs);
        return NULL;
    }
    /* Positional ones first. With a vararg the extra ones make a tuple at its place, and parameters behind it move up. */
    Py_ssize_t direct = vararg >= 0 && nargs > vararg ? vararg : nargs;
    Py_ssize_t width = vararg >= 0 ? total + 1 : total;
    PyObject *extra = NULL;
    if (vararg >= 0) {
        Py_ssize_t n = nargs > vararg ? nargs - vararg : 0;
        extra = PyTuple_New(n);
        if (extra == NULL)
            return NULL;
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(extra, i, Py_NewRef(args[vararg + i]));
    }
    for (Py_ssize_t i = 0; i < direct; i++)
        buf[i] = args[i];
    for (Py_ssize_t i = direct; i < width; i++)
        buf[i] = NULL;
    if (vararg >= 0)
        buf[vararg] = extra;
    int required = minkw > 0 ? maxpos + minkw : minpos;
    for (int i = (int)direct > pos ? (int)direct : pos; i < total; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i - pos), *value = NULL;
        if (nkw > 0) {
            value = find_keyword(&call, name);
            if (value == NULL && PyErr_Occurred())
                goto error;
        }
        buf[vararg >= 0 && i >= vararg ? i + 1 : i] = value;
        if (value != NULL) {
            nkw--;
        }
        else if (i < minpos || (i >= maxpos && i < required)) {
            missing_argument(fname, name, i);
            goto error;
        }
    }
    if (nkw > 0) {
        set_keyword_error(&call, fname, ((PyTupleObject *)names)->ob_item, nkwparams, pos);
        if (PyErr_Occurred())
            goto error;
    }
    return buf;
error:
    Py_XDECREF(extra);
    if (vararg >= 0)
        buf[vararg] = NULL;
    return NULL;
}

#undef _PyArg_UnpackKeywords
PyObject *const *_PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                       _PyArg_Parser *parser, int minpos, int maxpos, int minkw, PyObject **buf)
{
    return unpack_keywords(args, nargs, kwargs, kwnames, parser, minpos, maxpos, minkw, -1, buf);
}

PyObject *const *_PyArg_UnpackKeywordsWithVararg(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                                                 PyObject *kwnames, _PyArg_Parser *parser, int minpos, int maxpos,
                                                 int minkw, int vararg, PyObject **buf)
{
    return unpack_keywords(args, nargs, kwargs, kwnames, parser, minpos, maxpos, minkw, vararg, buf);
}
