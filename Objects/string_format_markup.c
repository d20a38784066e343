/* str.format: replacement fields, and the parsers behind string.Formatter.
 *
 *      {field_name!conversion:spec}      field_name: first (.attribute | [item])*
 *
 * A spec may itself hold fields, one level deep. */
#include <Python.h>
#include "string_format.h"
#include "unicode.h"

/* A part of a string. */
typedef struct {
    PyObject *str;              /* [borrowed] */
    Py_ssize_t start, end;
} span_t;

static PyObject *span_object(const span_t *s)
{
    return s->str == NULL ? unicode_empty() : PyUnicode_Substring(s->str, s->start, s->end);
}

static Py_UCS4 span_char(const span_t *s, Py_ssize_t i)
{
    return PyUnicode_READ_CHAR(s->str, i);
}

static int value_error(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

/* ---- Parsing: literal text and fields ---- */

/* One step: literal text, then perhaps a field. */
typedef struct {
    span_t literal;
    int has_field;
    span_t name, spec;
    Py_UCS4 conversion;         /* 0: none */
    int spec_has_fields;
} chunk_t;

/* Literal text up to a field or the end; a doubled brace ends it too, with one brace in it. */
static int parse_literal(span_t *rest, chunk_t *chunk)
{
    Py_ssize_t i = rest->start;
    Py_UCS4 ch = 0;
    while (i < rest->end) {
        ch = span_char(rest, i);
        if (ch == '{' || ch == '}')
            break;
        i++;
    }
    chunk->literal = (span_t){rest->str, rest->start, i};
    if (i == rest->end) {
        rest->start = i;
        return 0;
    }
    i++;
    int at_end = i >= rest->end;
    if (ch == '}' && (at_end || span_char(rest, i) != '}'))
        return value_error("Single '}' encountered in format string");
    if (at_end)
        return value_error("Single '{' encountered in format string");
    if (span_char(rest, i) == ch) {
        chunk->literal.end = i;
        rest->start = i + 1;
        return 0;
    }
    chunk->has_field = 1;
    rest->start = i;
    return 0;
}

/* The field's name: up to '}', ':' or '!' outside brackets. *stop is the character that ended it, 0 at the end. */
static int parse_name(span_t *rest, chunk_t *chunk, Py_UCS4 *stop)
{
    Py_ssize_t i = rest->start;
    *stop = 0;
    chunk->name = (span_t){rest->str, rest->start, rest->end};
    while (i < rest->end && *stop == 0) {
        Py_UCS4 ch = span_char(rest, i++);
        if (ch == '{')
            return value_error("unexpected '{' in field name");
        if (ch == '[')
            while (i < rest->end && span_char(rest, i) != ']')
                i++;
        if (ch == '}' || ch == ':' || ch == '!') {
            *stop = ch;
            chunk->name.end = i - 1;
        }
    }
    rest->start = i;
    return 0;
}

static int parse_field(span_t *rest, chunk_t *chunk)
{
    Py_UCS4 stop;
    if (parse_name(rest, chunk, &stop) < 0)
        return -1;
    if (stop == '}')
        return 0;
    if (stop == 0)
        return value_error("expected '}' before end of string");
    if (stop == '!') {
        if (rest->start >= rest->end)
            return value_error("end of string while looking for conversion specifier");
        chunk->conversion = span_char(rest, rest->start++);
        if (rest->start < rest->end) {
            Py_UCS4 ch = span_char(rest, rest->start++);
            if (ch == '}')
                return 0;
            if (ch != ':')
                return value_error("expected ':' after conversion specifier");
        }
    }
    chunk->spec = (span_t){rest->str, rest->start, rest->end};
    for (int depth = 1; rest->start < rest->end;) {
        Py_UCS4 ch = span_char(rest, rest->start++);
        if (ch == '{') {
            chunk->spec_has_fields = 1;
            depth++;
        }
        else if (ch == '}' && --depth == 0) {
            chunk->spec.end = rest->start - 1;
            return 0;
        }
    }
    return value_error("unmatched '{' in format spec");
}

/* 1: a chunk, 0: the end, -1: ValueError. */
static int next_chunk(span_t *rest, chunk_t *chunk)
{
    *chunk = (chunk_t){0};
    if (rest->start >= rest->end)
        return 0;
    if (parse_literal(rest, chunk) < 0)
        return -1;
    if (chunk->has_field && parse_field(rest, chunk) < 0)
        return -1;
    return 1;
}

/* ---- Field names ---- */

/* The number that s is, -1 if it is none, -2 with ValueError if it is too big. */
static Py_ssize_t span_number(const span_t *s)
{
    if (s->start >= s->end)
        return -1;
    Py_ssize_t value = 0;
    for (Py_ssize_t i = s->start; i < s->end; i++) {
        int digit = Py_UNICODE_TODECIMAL(span_char(s, i));
        if (digit < 0)
            return -1;
        if (value > (PY_SSIZE_T_MAX - digit) / 10) {
            value_error("Too many decimal digits in format string");
            return -2;
        }
        value = value * 10 + digit;
    }
    return value;
}

/* Splits off what stands before the first '.' or '['. */
static void split_first(const span_t *name, span_t *first, span_t *rest)
{
    Py_ssize_t i = name->start;
    while (i < name->end && span_char(name, i) != '.' && span_char(name, i) != '[')
        i++;
    *first = (span_t){name->str, name->start, i};
    *rest = (span_t){name->str, i, name->end};
}

/* The next .attribute or [item] of rest. 1, 0 at the end, -1 with an exception. */
static int next_access(span_t *rest, int *is_attribute, span_t *name)
{
    if (rest->start >= rest->end)
        return 0;
    Py_UCS4 ch = span_char(rest, rest->start++);
    Py_ssize_t i = rest->start;
    if (ch == '.') {
        *is_attribute = 1;
        while (i < rest->end && span_char(rest, i) != '.' && span_char(rest, i) != '[')
            i++;
        *name = (span_t){rest->str, rest->start, i};
        rest->start = i;
    }
    else if (ch == '[') {
        *is_attribute = 0;
        while (i < rest->end && span_char(rest, i) != ']')
            i++;
        if (i >= rest->end)
            return value_error("Missing ']' in format string");
        *name = (span_t){rest->str, rest->start, i};
        rest->start = i + 1;
    }
    else
        return value_error("Only '.' or '[' may follow ']' in format field specifier");
    if (name->start == name->end)
        return value_error("Empty attribute in format string");
    return 1;
}

/* ---- Formatting ---- */

typedef struct {
    PyObject *const *args;      /* [borrowed]; NULL for format_map */
    Py_ssize_t nargs;
    PyObject *kwargs;           /* [borrowed] or NULL */
    enum { NUMBERING_UNKNOWN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL } numbering;
    Py_ssize_t next_index;
} markup_t;

/* Fields are numbered by the text or by us, not both. */
static int check_numbering(markup_t *m, int automatic)
{
    if (m->numbering == NUMBERING_UNKNOWN)
        m->numbering = automatic ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
    if (m->numbering == NUMBERING_MANUAL && automatic)
        return value_error("cannot switch from manual field specification to automatic field numbering");
    if (m->numbering == NUMBERING_AUTOMATIC && !automatic)
        return value_error("cannot switch from automatic field numbering to manual field specification");
    return 0;
}

/* The argument that a field's name starts with (new reference). */
static PyObject *first_argument(markup_t *m, const span_t *first)
{
    Py_ssize_t index = span_number(first);
    int is_empty = first->start == first->end;
    if (index == -2)
        return NULL;
    if ((is_empty || index >= 0) && check_numbering(m, is_empty) < 0)
        return NULL;
    if (is_empty)
        index = m->next_index++;
    if (index < 0) {
        PyObject *key = span_object(first), *value = NULL;
        if (key == NULL)
            return NULL;
        if (m->kwargs == NULL)
            PyErr_SetObject(PyExc_KeyError, key);
        else
            value = PyObject_GetItem(m->kwargs, key);
        Py_DECREF(key);
        return value;
    }
    if (m->nargs < 0) {
        value_error("Format string contains positional fields");
        return NULL;
    }
    if (index >= m->nargs) {
        PyErr_Format(PyExc_IndexError, "Replacement index %zd out of range for positional args tuple", index);
        return NULL;
    }
    return Py_NewRef(m->args[index]);
}

static PyObject *access_item(PyObject *obj, const span_t *name)
{
    Py_ssize_t index = span_number(name);
    if (index == -2)
        return NULL;
    PyObject *key = index >= 0 ? PyLong_FromSsize_t(index) : span_object(name);
    if (key == NULL)
        return NULL;
    PyObject *result = PyObject_GetItem(obj, key);
    Py_DECREF(key);
    return result;
}

static PyObject *access_attribute(PyObject *obj, const span_t *name)
{
    PyObject *key = span_object(name);
    if (key == NULL)
        return NULL;
    PyObject *result = PyObject_GetAttr(obj, key);
    Py_DECREF(key);
    return result;
}

static PyObject *field_value(markup_t *m, const span_t *name)
{
    span_t first, rest, part;
    split_first(name, &first, &rest);
    PyObject *obj = first_argument(m, &first);
    int more = 0, is_attribute;
    while (obj != NULL && (more = next_access(&rest, &is_attribute, &part)) > 0)
        Py_SETREF(obj, is_attribute ? access_attribute(obj, &part) : access_item(obj, &part));
    if (more < 0)
        Py_CLEAR(obj);
    return obj;
}

static PyObject *convert(PyObject *obj, Py_UCS4 conversion)
{
    switch (conversion) {
    case 'r': return PyObject_Repr(obj);
    case 's': return PyObject_Str(obj);
    case 'a': return PyObject_ASCII(obj);
    default: break;
    }
    if (conversion > 32 && conversion < 127)
        PyErr_Format(PyExc_ValueError, "Unknown conversion specifier %c", (int)conversion);
    else
        PyErr_Format(PyExc_ValueError, "Unknown conversion specifier \\x%x", (unsigned)conversion);
    return NULL;
}

/* Writes obj formatted by spec[start:end] (spec NULL: empty). */
static int write_formatted(unicode_writer_t *w, PyObject *obj, const span_t *spec)
{
    Py_ssize_t start = spec->str == NULL ? 0 : spec->start, end = spec->str == NULL ? 0 : spec->end;
    if (PyUnicode_CheckExact(obj))
        return format_str_write(w, obj, spec->str, start, end);
    if (PyLong_CheckExact(obj))
        return format_int_write(w, obj, spec->str, start, end);
    if (PyFloat_CheckExact(obj))
        return format_float_write(w, obj, spec->str, start, end);
    PyObject *text = start == end ? NULL : span_object(spec);
    if (text == NULL && start != end)
        return -1;
    PyObject *result = PyObject_Format(obj, text);
    Py_XDECREF(text);
    if (result == NULL)
        return -1;
    int rc = unicode_writer_write_str(w, result);
    Py_DECREF(result);
    return rc;
}

static PyObject *build(markup_t *m, span_t text, int depth);

static int write_field(markup_t *m, unicode_writer_t *w, const chunk_t *chunk, int depth)
{
    PyObject *obj = field_value(m, &chunk->name), *expanded = NULL;
    int rc = -1;
    if (obj == NULL)
        return -1;
    if (chunk->conversion != 0) {
        Py_SETREF(obj, convert(obj, chunk->conversion));
        if (obj == NULL)
            return -1;
    }
    span_t spec = chunk->spec;
    if (chunk->spec_has_fields) {
        expanded = build(m, spec, depth - 1);
        if (expanded == NULL)
            goto done;
        spec = (span_t){expanded, 0, PyUnicode_GET_LENGTH(expanded)};
    }
    rc = write_formatted(w, obj, &spec);
done:
    Py_DECREF(obj);
    Py_XDECREF(expanded);
    return rc;
}

static PyObject *build(markup_t *m, span_t text, int depth)
{
    if (depth <= 0) {
        value_error("Max string recursion exceeded");
        return NULL;
    }
    unicode_writer_t w;
    unicode_writer_init_sized(&w, text.end - text.start + 100);
    chunk_t chunk;
    int more;
    while ((more = next_chunk(&text, &chunk)) > 0) {
        if (unicode_writer_write_substring(&w, chunk.literal.str, chunk.literal.start, chunk.literal.end) < 0
            || (chunk.has_field && write_field(m, &w, &chunk, depth) < 0)) {
            more = -1;
            break;
        }
    }
    if (more < 0) {
        unicode_writer_dealloc(&w);
        return NULL;
    }
    return unicode_writer_finish(&w);
}

PyObject *format_markup(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs)
{
    markup_t m = {.args = args, .nargs = nargs, .kwargs = kwargs};
    return build(&m, (span_t){self, 0, PyUnicode_GET_LENGTH(self)}, 2);
}

/* ---- string.Formatter's iterators: (literal, name, spec, conversion) and (is_attribute, name) ---- */

typedef struct {
    PyObject_HEAD
    PyObject *str;              /* [const] counted */
    span_t rest;                /* [lock: object] */
} span_iter_t;

static void span_iter_dealloc(PyObject *self)
{
    Py_DECREF(((span_iter_t *)self)->str);
    PyObject_Free(self);
}

static PyObject *chunk_tuple(const chunk_t *chunk)
{
    PyObject *literal = span_object(&chunk->literal), *name = NULL, *spec = NULL, *conversion = NULL, *result = NULL;
    if (chunk->has_field) {
        name = span_object(&chunk->name);
        spec = span_object(&chunk->spec);
        conversion = chunk->conversion != 0 ? unicode_from_char(chunk->conversion) : Py_None;
    }
    else
        name = spec = conversion = Py_None;
    if (literal != NULL && name != NULL && spec != NULL && conversion != NULL)
        result = PyTuple_Pack(4, literal, name, spec, conversion);
    Py_XDECREF(literal);
    Py_XDECREF(name);
    Py_XDECREF(spec);
    Py_XDECREF(conversion);
    return result;
}

static PyObject *formatter_iter_next(PyObject *self)
{
    chunk_t chunk;
    int more;
    Py_BEGIN_CRITICAL_SECTION(self);
    more = next_chunk(&((span_iter_t *)self)->rest, &chunk);
    Py_END_CRITICAL_SECTION();
    return more > 0 ? chunk_tuple(&chunk) : NULL;
}

static PyObject *field_iter_next(PyObject *self)
{
    span_t name;
    int more, is_attribute;
    Py_BEGIN_CRITICAL_SECTION(self);
    more = next_access(&((span_iter_t *)self)->rest, &is_attribute, &name);
    Py_END_CRITICAL_SECTION();
    if (more <= 0)
        return NULL;
    Py_ssize_t index = is_attribute ? -1 : span_number(&name);
    if (index == -2)
        return NULL;
    PyObject *key = index >= 0 ? PyLong_FromSsize_t(index) : span_object(&name);
    if (key == NULL)
        return NULL;
    PyObject *result = PyTuple_Pack(2, is_attribute ? Py_True : Py_False, key);
    Py_DECREF(key);
    return result;
}

PyTypeObject unicode_formatter_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "formatteriterator",
    .tp_basicsize = sizeof(span_iter_t),
    .tp_dealloc = span_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = formatter_iter_next,
};

PyTypeObject unicode_field_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "fieldnameiterator",
    .tp_basicsize = sizeof(span_iter_t),
    .tp_dealloc = span_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = field_iter_next,
};

static PyObject *new_span_iter(PyTypeObject *type, PyObject *str, span_t rest)
{
    span_iter_t *it = PyObject_New(span_iter_t, type);
    if (it == NULL)
        return NULL;
    it->str = Py_NewRef(str);
    it->rest = rest;
    return (PyObject *)it;
}

static int check_str(PyObject *arg)
{
    if (PyUnicode_Check(arg))
        return 0;
    PyErr_Format(PyExc_TypeError, "expected str, got %s", Py_TYPE(arg)->tp_name);
    return -1;
}

PyObject *formatter_parser(PyObject *Py_UNUSED(module), PyObject *str)
{
    if (check_str(str) < 0)
        return NULL;
    return new_span_iter(&unicode_formatter_iter_type, str, (span_t){str, 0, PyUnicode_GET_LENGTH(str)});
}

PyObject *formatter_field_name_split(PyObject *Py_UNUSED(module), PyObject *str)
{
    if (check_str(str) < 0)
        return NULL;
    span_t first, rest;
    split_first(&(span_t){str, 0, PyUnicode_GET_LENGTH(str)}, &first, &rest);
    Py_ssize_t index = span_number(&first);
    if (index == -2)
        return NULL;
    PyObject *result = NULL, *head = index >= 0 ? PyLong_FromSsize_t(index) : span_object(&first);
    PyObject *it = new_span_iter(&unicode_field_iter_type, str, rest);
    if (head != NULL && it != NULL)
        result = PyTuple_Pack(2, head, it);
    Py_XDECREF(head);
    Py_XDECREF(it);
    return result;
}
