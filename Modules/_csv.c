/* The _csv module: reading and writing rows of separated values. Readers and writers work inside a critical section. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#include "structmember.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))
#define NOT_SET ((Py_UCS4)-1)

enum { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE };

/* Made by the first import and then left alone: static types have no module state. */
static PyObject *csv_error;
static PyObject *csv_dialects;          /* dict: name -> Dialect */
static long csv_field_limit = 128 * 1024;       /* [atomic] */

/* ---- Dialects ---- */

typedef struct {
    PyObject_HEAD
    char doublequote, skipinitialspace, strict;     /* [const] all */
    int quoting;
    Py_UCS4 delimiter, quotechar, escapechar;       /* NOT_SET: none */
    PyObject *lineterminator;                       /* counted */
} dialect_t;

static PyTypeObject dialect_type, reader_type, writer_type;

static int set_bool(const char *name, char *target, PyObject *value, int fallback)
{
    if (value == NULL) {
        *target = (char)fallback;
        return 0;
    }
    int truth = PyObject_IsTrue(value);
    if (truth < 0)
        return -1;
    *target = (char)truth;
    return 0;
}

static int set_quoting(int *target, PyObject *value)
{
    *target = QUOTE_MINIMAL;
    if (value == NULL)
        return 0;
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_TypeError, "\"quoting\" must be an integer");
        return -1;
    }
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return -1;
        PyErr_Clear();
    }
    if (n < QUOTE_MINIMAL || n > QUOTE_NONE) {
        PyErr_SetString(PyExc_TypeError, "bad \"quoting\" value");
        return -1;
    }
    *target = (int)n;
    return 0;
}

/* One character; optional: None and (for quotechar and escapechar) absence are allowed. */
static int set_char(const char *name, Py_UCS4 *target, PyObject *value, Py_UCS4 fallback, int optional)
{
    if (value == NULL) {
        *target = fallback;
        return 0;
    }
    *target = NOT_SET;
    if (optional && value == Py_None)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, optional ? "\"%s\" must be string or None, not %.200s"
                                               : "\"%s\" must be string, not %.200s", name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(value);
    if (n > 1 || (n == 0 && !optional)) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a 1-character string", name);
        return -1;
    }
    if (n == 0) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a 1-character string", name);
        return -1;
    }
    *target = PyUnicode_READ_CHAR(value, 0);
    return 0;
}

static int set_text(const char *name, PyObject **target, PyObject *value, const char *fallback)
{
    if (value == NULL) {
        *target = PyUnicode_FromString(fallback);
        return *target == NULL ? -1 : 0;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a string", name);
        return -1;
    }
    *target = Py_NewRef(value);
    return 0;
}

static PyObject *get_dialect(PyObject *name)
{
    PyObject *dialect;
    int found = PyDict_GetItemRef(csv_dialects, name, &dialect);
    if (found == 0)
        PyErr_SetString(csv_error, "unknown dialect");
    return found == 1 ? dialect : NULL;
}

enum { DIALECT, DELIMITER, DOUBLEQUOTE, ESCAPECHAR, LINETERMINATOR, QUOTECHAR, QUOTING, SKIPINITIALSPACE, STRICT, PARAMETERS };
static char *dialect_keywords[] = {"dialect", "delimiter", "doublequote", "escapechar", "lineterminator", "quotechar",
                                   "quoting", "skipinitialspace", "strict", NULL};

/* Parameters that were not given are taken from attributes of the dialect. v holds new references afterwards. */
static int complete_from_dialect(PyObject **v)
{
    for (int i = DELIMITER; i < PARAMETERS; i++) {
        Py_XINCREF(v[i]);
        if (v[i] != NULL || v[DIALECT] == NULL)
            continue;
        v[i] = PyObject_GetAttrString(v[DIALECT], dialect_keywords[i]);
        if (v[i] == NULL)
            PyErr_Clear();
    }
    return 0;
}

static int set_parameters(dialect_t *d, PyObject **v)
{
    if (set_char("delimiter", &d->delimiter, v[DELIMITER], ',', 0) < 0
        || set_bool("doublequote", &d->doublequote, v[DOUBLEQUOTE], 1) < 0
        || set_char("escapechar", &d->escapechar, v[ESCAPECHAR], NOT_SET, 1) < 0
        || set_text("lineterminator", &d->lineterminator, v[LINETERMINATOR], "\r\n") < 0
        || set_char("quotechar", &d->quotechar, v[QUOTECHAR], '"', 1) < 0 || set_quoting(&d->quoting, v[QUOTING]) < 0
        || set_bool("skipinitialspace", &d->skipinitialspace, v[SKIPINITIALSPACE], 0) < 0
        || set_bool("strict", &d->strict, v[STRICT], 0) < 0)
        return -1;
    if (v[QUOTECHAR] == Py_None && v[QUOTING] == NULL)
        d->quoting = QUOTE_NONE;
    if (d->quoting != QUOTE_NONE && d->quotechar == NOT_SET) {
        PyErr_SetString(PyExc_TypeError, "quotechar must be set if quoting enabled");
        return -1;
    }
    return 0;
}

static PyObject *dialect_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *v[PARAMETERS] = {NULL}, *self = NULL;
    int alone = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOOOO", dialect_keywords, &v[0], &v[1], &v[2], &v[3], &v[4],
                                     &v[5], &v[6], &v[7], &v[8]))
        return NULL;
    Py_XINCREF(v[DIALECT]);
    if (v[DIALECT] != NULL && PyUnicode_Check(v[DIALECT])) {
        Py_SETREF(v[DIALECT], get_dialect(v[DIALECT]));
        if (v[DIALECT] == NULL)
            return NULL;
    }
    for (int i = DELIMITER; i < PARAMETERS; i++)
        alone &= v[i] == NULL;
    if (v[DIALECT] != NULL && alone && PyObject_TypeCheck(v[DIALECT], &dialect_type))
        return v[DIALECT];
    complete_from_dialect(v);
    self = type->tp_alloc(type, 0);
    if (self != NULL && set_parameters((dialect_t *)self, v) < 0)
        Py_CLEAR(self);
    for (int i = 0; i < PARAMETERS; i++)
        Py_XDECREF(v[i]);
    return self;
}

static void dialect_dealloc(PyObject *op)
{
    Py_XDECREF(((dialect_t *)op)->lineterminator);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *char_or_none(Py_UCS4 c)
{
    return c == NOT_SET ? Py_NewRef(Py_None) : PyUnicode_FromOrdinal((int)c);
}

static PyObject *get_delimiter(PyObject *op, void *unused)
{
    return char_or_none(((dialect_t *)op)->delimiter);
}

static PyObject *get_escapechar(PyObject *op, void *unused)
{
    return char_or_none(((dialect_t *)op)->escapechar);
}

static PyObject *get_quotechar(PyObject *op, void *unused)
{
    return char_or_none(((dialect_t *)op)->quotechar);
}

static PyObject *get_lineterminator(PyObject *op, void *unused)
{
    return Py_NewRef(((dialect_t *)op)->lineterminator);
}

static PyObject *get_quoting(PyObject *op, void *unused)
{
    return PyLong_FromLong(((dialect_t *)op)->quoting);
}

static PyGetSetDef dialect_getset[] = {
    {"delimiter", get_delimiter, NULL, "What separates fields.", NULL},
    {"escapechar", get_escapechar, NULL, "What takes away the meaning of the next character, or None.", NULL},
    {"lineterminator", get_lineterminator, NULL, "What a writer ends rows with.", NULL},
    {"quotechar", get_quotechar, NULL, "What fields are quoted with, or None.", NULL},
    {"quoting", get_quoting, NULL, "When a writer quotes fields: one of the QUOTE_ constants.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef dialect_members[] = {
    {"skipinitialspace", T_BOOL, offsetof(dialect_t, skipinitialspace), READONLY, "Whether blanks behind delimiters are skipped."},
    {"doublequote", T_BOOL, offsetof(dialect_t, doublequote), READONLY, "Whether quotes in fields are doubled."},
    {"strict", T_BOOL, offsetof(dialect_t, strict), READONLY, "Whether bad input is an error."},
    {NULL, 0, 0, 0, NULL},
};

static PyObject *cannot_pickle(PyObject *op, PyObject *unused)
{
    PyErr_Format(PyExc_TypeError, "cannot pickle %.100s instances", Py_TYPE(op)->tp_name);
    return NULL;
}

static PyMethodDef dialect_methods[] = {
    {"__reduce__", cannot_pickle, METH_VARARGS, "Raises an exception: dialects are not pickled."},
    {"__reduce_ex__", cannot_pickle, METH_VARARGS, "Raises an exception: dialects are not pickled."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject dialect_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_csv.Dialect",
    .tp_doc = "The description of a dialect of separated values.",
    .tp_basicsize = sizeof(dialect_t),
    .tp_dealloc = dialect_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = dialect_methods,
    .tp_members = dialect_members,
    .tp_getset = dialect_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dialect_new,
    .tp_free = PyObject_Free,
};

/* The Dialect for a dialect argument (or NULL) and keyword arguments; a new reference. */
static dialect_t *make_dialect(PyObject *dialect, PyObject *kwargs)
{
    PyObject *args = dialect == NULL ? PyTuple_New(0) : PyTuple_Pack(1, dialect), *result = NULL;
    if (args != NULL)
        result = PyObject_Call((PyObject *)&dialect_type, args, kwargs);
    Py_XDECREF(args);
    return (dialect_t *)result;
}

/* ---- Text under construction ---- */

typedef struct { Py_UCS4 *data; Py_ssize_t used, size; } text_t;

static int text_add(text_t *t, Py_UCS4 c)
{
    if (t->used == t->size) {
        Py_ssize_t size = t->size == 0 ? 256 : t->size * 2;
        Py_UCS4 *grown = size > PY_SSIZE_T_MAX / 8 ? NULL : PyMem_Realloc(t->data, (size_t)size * sizeof(Py_UCS4));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        t->data = grown;
        t->size = size;
    }
    t->data[t->used++] = c;
    return 0;
}

static PyObject *text_take(text_t *t)
{
    PyObject *result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, t->data, t->used);
    t->used = 0;
    return result;
}

/* ---- Reader ---- */

typedef enum { START_RECORD, START_FIELD, ESCAPED, IN_FIELD, IN_QUOTED, ESCAPE_IN_QUOTED, QUOTE_IN_QUOTED, EAT_CRNL,
               AFTER_ESCAPED_CRNL } parse_state_t;

typedef struct {
    PyObject_HEAD
    PyObject *lines;            /* [const] counted: iterator */
    dialect_t *dialect;         /* [const] counted */
    PyObject *fields;           /* [lock] counted: list of the current record */
    text_t field;               /* [lock] */
    parse_state_t state;        /* [lock] */
    int numeric;                /* [lock] the field was not quoted and is to be a number */
    unsigned long line_num;     /* [lock; atomic] */
} reader_t;

#define END_OF_LINE ((Py_UCS4)-2)

static int reader_fail(const char *text)
{
    PyErr_SetString(csv_error, text);
    return -1;
}

static int save_field(reader_t *r)
{
    PyObject *field = text_take(&r->field);
    if (field == NULL)
        return -1;
    if (r->numeric) {
        r->numeric = 0;
        Py_SETREF(field, PyNumber_Float(field));
        if (field == NULL)
            return -1;
    }
    /* what read the line may have used this reader, and taken the list */
    if (r->fields == NULL)
        r->fields = PyList_New(0);
    PyObject *fields = Py_XNewRef(r->fields);
    int result = fields != NULL ? PyList_Append(fields, field) : -1;
    Py_XDECREF(fields);
    Py_DECREF(field);
    return result;
}

static int add_char(reader_t *r, Py_UCS4 c)
{
    long limit = __atomic_load_n(&csv_field_limit, __ATOMIC_RELAXED);
    if (r->field.used >= limit) {
        PyErr_Format(csv_error, "field larger than field limit (%ld)", limit);
        return -1;
    }
    return text_add(&r->field, c);
}

static int is_newline(Py_UCS4 c)
{
    return c == '\n' || c == '\r';
}

/* After a record has ended with c. */
static parse_state_t after_end(Py_UCS4 c)
{
    return c == END_OF_LINE ? START_RECORD : EAT_CRNL;
}

static int start_field(reader_t *r, Py_UCS4 c)
{
    const dialect_t *d = r->dialect;
    if (is_newline(c) || c == END_OF_LINE) {
        r->state = after_end(c);
        return save_field(r);
    }
    if (c == d->quotechar && d->quoting != QUOTE_NONE)
        r->state = IN_QUOTED;
    else if (c == d->escapechar)
        r->state = ESCAPED;
    else if (c == ' ' && d->skipinitialspace)
        ;
    else if (c == d->delimiter)
        return save_field(r);
    else {
        r->numeric = d->quoting == QUOTE_NONNUMERIC;
        r->state = IN_FIELD;
        return add_char(r, c);
    }
    return 0;
}

static int in_field(reader_t *r, Py_UCS4 c)
{
    const dialect_t *d = r->dialect;
    if (is_newline(c) || c == END_OF_LINE) {
        r->state = after_end(c);
        return save_field(r);
    }
    if (c == d->escapechar) {
        r->state = ESCAPED;
        return 0;
    }
    if (c == d->delimiter) {
        r->state = START_FIELD;
        return save_field(r);
    }
    return add_char(r, c);
}

static int in_quoted(reader_t *r, Py_UCS4 c)
{
    const dialect_t *d = r->dialect;
    if (c == END_OF_LINE)
        return 0;
    if (c == d->escapechar) {
        r->state = ESCAPE_IN_QUOTED;
        return 0;
    }
    if (c == d->quotechar && d->quoting != QUOTE_NONE) {
        r->state = d->doublequote ? QUOTE_IN_QUOTED : IN_FIELD;
        return 0;
    }
    return add_char(r, c);
}

static int quote_in_quoted(reader_t *r, Py_UCS4 c)
{
    const dialect_t *d = r->dialect;
    if (d->quoting != QUOTE_NONE && c == d->quotechar) {
        r->state = IN_QUOTED;
        return add_char(r, c);
    }
    if (c == d->delimiter) {
        r->state = START_FIELD;
        return save_field(r);
    }
    if (is_newline(c) || c == END_OF_LINE) {
        r->state = after_end(c);
        return save_field(r);
    }
    if (d->strict) {
        PyErr_Format(csv_error, "'%c' expected after '%c'", (int)d->delimiter, (int)d->quotechar);
        return -1;
    }
    r->state = IN_FIELD;
    return add_char(r, c);
}

static int process(reader_t *r, Py_UCS4 c)
{
    switch (r->state) {
    case START_RECORD:
        if (c == END_OF_LINE)
            return 0;           /* an empty line */
        if (is_newline(c)) {
            r->state = EAT_CRNL;
            return 0;
        }
        r->state = START_FIELD;
        return start_field(r, c);
    case START_FIELD:
        return start_field(r, c);
    case ESCAPED:
        if (is_newline(c)) {
            r->state = AFTER_ESCAPED_CRNL;
            return add_char(r, c);
        }
        r->state = IN_FIELD;
        return add_char(r, c == END_OF_LINE ? '\n' : c);
    case AFTER_ESCAPED_CRNL:
        if (c == END_OF_LINE)
            return 0;
        r->state = IN_FIELD;
        return in_field(r, c);
    case IN_FIELD:
        return in_field(r, c);
    case IN_QUOTED:
        return in_quoted(r, c);
    case ESCAPE_IN_QUOTED:
        r->state = IN_QUOTED;
        return add_char(r, c == END_OF_LINE ? '\n' : c);
    case QUOTE_IN_QUOTED:
        return quote_in_quoted(r, c);
    default:    /* EAT_CRNL */
        if (is_newline(c))
            return 0;
        if (c == END_OF_LINE) {
            r->state = START_RECORD;
            return 0;
        }
        return reader_fail("new-line character seen in unquoted field - do you need to open the file in "
                           "universal-newline mode?");
    }
}

static int reset(reader_t *r)
{
    PyObject *fields = PyList_New(0);
    if (fields == NULL)
        return -1;
    Py_XSETREF(r->fields, fields);
    r->field.used = 0;
    r->state = START_RECORD;
    r->numeric = 0;
    return 0;
}

/* All characters of a line, and its end. */
static int process_line(reader_t *r, PyObject *line)
{
    if (PyUnicode_READY(line) < 0)
        return -1;
    int kind = PyUnicode_KIND(line);
    const void *data = PyUnicode_DATA(line);
    Py_ssize_t n = PyUnicode_GET_LENGTH(line);
    for (Py_ssize_t i = 0; i < n; i++)
        if (process(r, PyUnicode_READ(kind, data, i)) < 0)
            return -1;
    return process(r, END_OF_LINE);
}

/* The next line: 1, 0 at the end of input, -1. */
static int read_line(reader_t *r, PyObject **line)
{
    *line = PyIter_Next(r->lines);
    if (*line == NULL) {
        if (PyErr_Occurred())
            return -1;
        return 0;
    }
    if (!PyUnicode_Check(*line)) {
        PyErr_Format(csv_error, "iterator should return strings, not %.200s (the file should be opened in text mode)",
                     Py_TYPE(*line)->tp_name);
        Py_CLEAR(*line);
        return -1;
    }
    return 1;
}

static PyObject *next_record(reader_t *r)
{
    if (reset(r) < 0)
        return NULL;
    do {
        PyObject *line;
        int more = read_line(r, &line);
        if (more < 0)
            return NULL;
        if (more == 0) {
            if (r->field.used != 0 || r->state == IN_QUOTED) {
                if (r->dialect->strict)
                    reader_fail("unexpected end of data");
                else if (save_field(r) == 0)
                    break;
            }
            return NULL;
        }
        __atomic_store_n(&r->line_num, r->line_num + 1, __ATOMIC_RELAXED);
        int failed = process_line(r, line);
        Py_DECREF(line);
        if (failed < 0)
            return NULL;
    } while (r->state != START_RECORD);
    PyObject *fields = r->fields;
    r->fields = NULL;
    return fields != NULL ? fields : PyList_New(0);
}

static PyObject *reader_next(PyObject *op)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = next_record((reader_t *)op);
    Py_END_CRITICAL_SECTION();
    return result;
}

static void reader_dealloc(PyObject *op)
{
    reader_t *r = (reader_t *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(r->lines);
    Py_XDECREF(r->dialect);
    Py_XDECREF(r->fields);
    PyMem_Free(r->field.data);
    PyObject_GC_Del(op);
}

static int reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    reader_t *r = (reader_t *)op;
    Py_VISIT(r->lines);
    Py_VISIT(r->fields);
    return 0;
}

static PyMemberDef reader_members[] = {
    {"dialect", T_OBJECT, offsetof(reader_t, dialect), READONLY, "The dialect."},
    {"line_num", T_ULONG, offsetof(reader_t, line_num), READONLY, "Number of lines read."},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject reader_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_csv.reader",
    .tp_doc = "An iterator over the records of an iterator of lines.",
    .tp_basicsize = sizeof(reader_t),
    .tp_dealloc = reader_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = reader_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reader_next,
    .tp_members = reader_members,
};

static PyObject *csv_reader(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *lines, *dialect = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &lines, &dialect))
        return NULL;
    reader_t *r = PyObject_GC_New(reader_t, &reader_type);
    if (r == NULL)
        return NULL;
    r->lines = r->fields = NULL;
    r->dialect = NULL;
    r->field = (text_t){NULL, 0, 0};
    r->state = START_RECORD;
    r->numeric = 0;
    r->line_num = 0;
    r->lines = PyObject_GetIter(lines);
    if (r->lines == NULL || (r->dialect = make_dialect(dialect, kwargs)) == NULL) {
        Py_DECREF(r);
        return NULL;
    }
    PyObject_GC_Track(r);
    return (PyObject *)r;
}

/* ---- Writer ---- */

typedef struct {
    PyObject_HEAD
    PyObject *write;            /* [const] counted: bound method */
    dialect_t *dialect;         /* [const] counted */
} writer_t;

/* What has to be quoted or escaped. */
static int is_special(const dialect_t *d, Py_UCS4 c)
{
    if (c == d->delimiter || c == d->escapechar || c == d->quotechar)
        return 1;
    return PyUnicode_FindChar(d->lineterminator, c, 0, PyUnicode_GET_LENGTH(d->lineterminator), 1) >= 0;
}

/* Appends the characters of a field, escaped; *quoted is set if it has to be quoted. */
static int put_escaped(const dialect_t *d, text_t *row, PyObject *field, int *quoted)
{
    if (PyUnicode_READY(field) < 0)
        return -1;
    int kind = PyUnicode_KIND(field);
    const void *data = PyUnicode_DATA(field);
    Py_ssize_t n = PyUnicode_GET_LENGTH(field);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i), escape = NOT_SET;
        if (is_special(d, c)) {
            int wants_escape = 0;
            if (d->quoting == QUOTE_NONE)
                wants_escape = 1;
            else if (c == d->quotechar) {
                if (d->doublequote)
                    escape = d->quotechar;
                else
                    wants_escape = 1;
            }
            else if (c == d->escapechar)
                wants_escape = 1;
            if (wants_escape) {
                if (d->escapechar == NOT_SET) {
                    PyErr_SetString(csv_error, "need to escape, but no escapechar set");
                    return -1;
                }
                escape = d->escapechar;
            }
            else
                *quoted = 1;
        }
        if (escape != NOT_SET && text_add(row, escape) < 0)
            return -1;
        if (text_add(row, c) < 0)
            return -1;
    }
    return 0;
}

/* One field behind the others. */
static int put_field(const dialect_t *d, text_t *row, PyObject *field, int first, int quoted)
{
    if (!first && text_add(row, d->delimiter) < 0)
        return -1;
    Py_ssize_t start = row->used;
    if (field != NULL && put_escaped(d, row, field, &quoted) < 0)
        return -1;
    if (!quoted)
        return 0;
    /* room for the quotes: the field moves by one */
    if (text_add(row, 0) < 0 || text_add(row, d->quotechar) < 0)
        return -1;
    memmove(row->data + start + 1, row->data + start, (size_t)(row->used - 2 - start) * sizeof(Py_UCS4));
    row->data[start] = d->quotechar;
    return 0;
}

static int put_object(const dialect_t *d, text_t *row, PyObject *value, int first)
{
    int quoted = d->quoting == QUOTE_ALL || (d->quoting == QUOTE_NONNUMERIC && !PyNumber_Check(value));
    if (PyUnicode_Check(value))
        return put_field(d, row, value, first, quoted);
    if (value == Py_None)
        return put_field(d, row, NULL, first, quoted);
    PyObject *text = PyObject_Str(value);
    if (text == NULL)
        return -1;
    int result = put_field(d, row, text, first, quoted);
    Py_DECREF(text);
    return result;
}

/* All fields and the line terminator. */
static int put_row(const dialect_t *d, text_t *row, PyObject *iterator)
{
    PyObject *value;
    Py_ssize_t count = 0, empty_first = 0;
    while ((value = PyIter_Next(iterator)) != NULL) {
        int failed = put_object(d, row, value, count == 0);
        Py_DECREF(value);
        if (failed < 0)
            return -1;
        if (count++ == 0)
            empty_first = row->used == 0;
    }
    if (PyErr_Occurred())
        return -1;
    if (count == 1 && empty_first) {
        /* an empty line would be no record at all */
        if (d->quoting == QUOTE_NONE) {
            PyErr_SetString(csv_error, "single empty field record must be quoted");
            return -1;
        }
        if (put_field(d, row, NULL, 1, 1) < 0)
            return -1;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(d->lineterminator);
    for (Py_ssize_t i = 0; i < n; i++)
        if (text_add(row, PyUnicode_READ_CHAR(d->lineterminator, i)) < 0)
            return -1;
    return 0;
}

static PyObject *writer_writerow(PyObject *op, PyObject *fields)
{
    writer_t *w = (writer_t *)op;
    text_t row = {NULL, 0, 0};
    PyObject *iterator = PyObject_GetIter(fields), *line = NULL, *result = NULL;
    if (iterator == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(csv_error, "iterable expected, not %.200s", Py_TYPE(fields)->tp_name);
        return NULL;
    }
    if (put_row(w->dialect, &row, iterator) == 0)
        line = text_take(&row);
    if (line != NULL)
        result = PyObject_CallOneArg(w->write, line);
    PyMem_Free(row.data);
    Py_XDECREF(line);
    Py_DECREF(iterator);
    return result;
}

static PyObject *writer_writerows(PyObject *op, PyObject *rows)
{
    PyObject *iterator = PyObject_GetIter(rows), *row;
    if (iterator == NULL)
        return NULL;
    while ((row = PyIter_Next(iterator)) != NULL) {
        PyObject *result = writer_writerow(op, row);
        Py_DECREF(row);
        if (result == NULL)
            break;
        Py_DECREF(result);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static void writer_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((writer_t *)op)->write);
    Py_XDECREF(((writer_t *)op)->dialect);
    PyObject_GC_Del(op);
}

static int writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((writer_t *)op)->write);
    return 0;
}

static PyMethodDef writer_methods[] = {
    {"writerow", writer_writerow, METH_O, "writerow(iterable)\n\nWrite the fields of one row; they are converted to str."},
    {"writerows", writer_writerows, METH_O, "writerows(iterable of iterables)\n\nWrite several rows."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef writer_members[] = {
    {"dialect", T_OBJECT, offsetof(writer_t, dialect), READONLY, "The dialect."},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject writer_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_csv.writer",
    .tp_doc = "Writes rows to an object with a write method.",
    .tp_basicsize = sizeof(writer_t),
    .tp_dealloc = writer_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = writer_traverse,
    .tp_methods = writer_methods,
    .tp_members = writer_members,
};

static PyObject *csv_writer(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *file, *dialect = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &file, &dialect))
        return NULL;
    writer_t *w = PyObject_GC_New(writer_t, &writer_type);
    if (w == NULL)
        return NULL;
    w->write = NULL;
    w->dialect = make_dialect(dialect, kwargs);
    if (w->dialect != NULL) {
        w->write = PyObject_GetAttrString(file, "write");
        if (w->write == NULL || !PyCallable_Check(w->write)) {
            if (w->write != NULL || PyErr_ExceptionMatches(PyExc_AttributeError))
                PyErr_SetString(PyExc_TypeError, "argument 1 must have a \"write\" method");
            Py_CLEAR(w->write);
        }
    }
    if (w->write == NULL) {
        Py_DECREF(w);
        return NULL;
    }
    PyObject_GC_Track(w);
    return (PyObject *)w;
}

/* ---- Module functions ---- */

static PyObject *list_dialects(PyObject *module, PyObject *unused)
{
    return PyDict_Keys(csv_dialects);
}

static PyObject *register_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *name, *dialect = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &name, &dialect))
        return NULL;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "dialect name must be a string");
        return NULL;
    }
    PyObject *made = (PyObject *)make_dialect(dialect, kwargs);
    if (made == NULL)
        return NULL;
    int failed = PyDict_SetItem(csv_dialects, name, made);
    Py_DECREF(made);
    if (failed < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *unregister_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", NULL};
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:unregister_dialect", keywords, &name))
        return NULL;
    if (PyDict_DelItem(csv_dialects, name) < 0) {
        if (PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_SetString(csv_error, "unknown dialect");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *csv_get_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", NULL};
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:get_dialect", keywords, &name))
        return NULL;
    return get_dialect(name);
}

static PyObject *field_size_limit(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"limit", NULL};
    PyObject *limit = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:field_size_limit", keywords, &limit))
        return NULL;
    long old = __atomic_load_n(&csv_field_limit, __ATOMIC_RELAXED);
    if (limit != NULL) {
        if (!PyLong_CheckExact(limit)) {
            PyErr_SetString(PyExc_TypeError, "limit must be an integer");
            return NULL;
        }
        long n = PyLong_AsLong(limit);
        if (n == -1 && PyErr_Occurred())
            return NULL;
        __atomic_store_n(&csv_field_limit, n, __ATOMIC_RELAXED);
    }
    return PyLong_FromLong(old);
}

static PyMethodDef module_methods[] = {
    {"reader", FUNCTION(csv_reader), METH_VARARGS | METH_KEYWORDS,
     "reader(iterable [, dialect='excel'] [optional keyword args]) -> iterator over rows\n\n"
     "Each row is a list of str, read from one or more lines of the iterable."},
    {"writer", FUNCTION(csv_writer), METH_VARARGS | METH_KEYWORDS,
     "writer(fileobj [, dialect='excel'] [optional keyword args]) -> writer\n\nfileobj is any object with a write method."},
    {"list_dialects", list_dialects, METH_NOARGS, "list_dialects($module, /)\n--\n\nThe names of the registered dialects."},
    {"register_dialect", FUNCTION(register_dialect), METH_VARARGS | METH_KEYWORDS,
     "register_dialect(name [, dialect] [, **fmtparams])\n\nGive a dialect a name."},
    {"unregister_dialect", FUNCTION(unregister_dialect), METH_VARARGS | METH_KEYWORDS,
     "unregister_dialect($module, /, name)\n--\n\nForget a dialect."},
    {"get_dialect", FUNCTION(csv_get_dialect), METH_VARARGS | METH_KEYWORDS,
     "get_dialect($module, /, name)\n--\n\nThe dialect of that name."},
    {"field_size_limit", FUNCTION(field_size_limit), METH_VARARGS | METH_KEYWORDS,
     "field_size_limit($module, /, new_limit=<unrepresentable>)\n--\n\nThe limit on the length of fields; sets a new one if given."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    if (PyType_Ready(&reader_type) < 0 || PyType_Ready(&writer_type) < 0 || PyModule_AddType(module, &dialect_type) < 0)
        return -1;
    if (csv_error == NULL)
        csv_error = PyErr_NewException("_csv.Error", NULL, NULL);
    if (csv_dialects == NULL)
        csv_dialects = PyDict_New();
    if (csv_error == NULL || csv_dialects == NULL || PyModule_AddObjectRef(module, "Error", csv_error) < 0
        || PyModule_AddObjectRef(module, "_dialects", csv_dialects) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "QUOTE_MINIMAL", QUOTE_MINIMAL) < 0
        || PyModule_AddIntConstant(module, "QUOTE_ALL", QUOTE_ALL) < 0
        || PyModule_AddIntConstant(module, "QUOTE_NONNUMERIC", QUOTE_NONNUMERIC) < 0
        || PyModule_AddIntConstant(module, "QUOTE_NONE", QUOTE_NONE) < 0
        || PyModule_AddObjectRef(module, "Reader", (PyObject *)&reader_type) < 0
        || PyModule_AddObjectRef(module, "Writer", (PyObject *)&writer_type) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "__version__", "1.0");
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_csv",
    .m_doc = "Reading and writing rows of separated values.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__csv(void)
{
    return PyModuleDef_Init(&module_def);
}
