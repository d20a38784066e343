/* Exceptions as text: type, message, notes, the place of syntax errors, causes and contexts, groups. */
#include "display.h"

#include "well_known_strings.h"

#define GROUP_DEPTH_SHOWN 10
#define GROUP_WIDTH_SHOWN 15

/* ---- The line with type and message ---- */

static int write_type(display_t *d, PyTypeObject *type)
{
    PyObject *module = PyObject_GetAttr((PyObject *)type, STR(__module__)), *name = PyType_GetQualName(type);
    int status;
    PyErr_Clear();
    if (module == NULL || !PyUnicode_Check(module))
        status = display_format(d, "<unknown>.");
    else if (PyUnicode_CompareWithASCIIString(module, "builtins") == 0 || PyUnicode_CompareWithASCIIString(module, "__main__") == 0)
        status = 0;
    else
        status = display_format(d, "%U.", module);
    if (status == 0)
        status = name != NULL && PyUnicode_Check(name) ? display_write(d, name) : display_format(d, "<unknown>");
    Py_XDECREF(module);
    Py_XDECREF(name);
    return status;
}

static int write_text(display_t *d, PyObject *value)
{
    PyObject *text = PyObject_Str(value);
    int status = 0;
    if (text == NULL) {
        PyErr_Clear();
        return display_format(d, ": <exception str() failed>");
    }
    if (PyUnicode_GET_LENGTH(text) > 0)
        status = display_format(d, ": %U", text);
    Py_DECREF(text);
    return status;
}

static int write_suggestion(display_t *d, PyObject *value)
{
    PyObject *suggestion = suggestion_for(value);
    int status = suggestion != NULL ? display_format(d, ". Did you mean: '%U'?", suggestion) : 0;
    Py_XDECREF(suggestion);
    return status;
}

static int write_note(display_t *d, PyObject *note)
{
    PyObject *text = PyUnicode_Check(note) ? Py_NewRef(note) : PyObject_Str(note), *lines;
    if (text == NULL) {
        PyErr_Clear();
        return display_format(d, "<note str() failed>\n");
    }
    lines = PyUnicode_Splitlines(text, 0);
    int status = lines != NULL ? 0 : -1;
    if (lines != NULL && PyList_GET_SIZE(lines) == 0)
        status = display_format(d, "\n");
    for (Py_ssize_t i = 0; lines != NULL && i < PyList_GET_SIZE(lines) && status == 0; i++)
        status = display_format(d, "%U\n", PyList_GET_ITEM(lines, i));
    Py_XDECREF(lines);
    Py_DECREF(text);
    return status;
}

static int write_notes(display_t *d, PyObject *value)
{
    PyObject *notes = NULL, *items = NULL;
    int status = 0;
    if (PyObject_GetOptionalAttr(value, STR(__notes__), &notes) < 0)
        PyErr_Clear();
    if (notes == NULL)
        return 0;
    if (!PySequence_Check(notes)) {
        PyObject *repr = PyObject_Repr(notes);
        PyErr_Clear();
        status = repr != NULL ? display_write(d, repr) : display_format(d, "<__notes__ repr() failed>");
        Py_XDECREF(repr);
        Py_DECREF(notes);
        return status;
    }
    items = PySequence_List(notes);
    if (items == NULL)
        PyErr_Clear();
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items) && status == 0; i++)
        status = write_note(d, PyList_GET_ITEM(items, i));
    Py_XDECREF(items);
    Py_DECREF(notes);
    return status;
}

int display_message(display_t *d, PyObject *value)
{
    return write_type(d, Py_TYPE(value)) < 0 || write_text(d, value) < 0 || write_suggestion(d, value) < 0
                   || display_format(d, "\n") < 0 || write_notes(d, value) < 0
               ? -1
               : 0;
}

/* ---- Syntax errors ---- */

typedef struct {
    PyObject *message, *filename, *text;        /* owned; text may be NULL */
    Py_ssize_t lineno, offset, end_lineno, end_offset;
} place_t;

static void place_fini(place_t *p)
{
    Py_CLEAR(p->message);
    Py_CLEAR(p->filename);
    Py_CLEAR(p->text);
}

/* An integer attribute; -1 for None. 0 if it is neither. */
static int get_number(PyObject *value, const char *name, Py_ssize_t *number)
{
    PyObject *v = PyObject_GetAttrString(value, name);
    int ok = v != NULL && (v == Py_None || PyLong_Check(v));
    *number = -1;
    if (ok && v != Py_None) {
        *number = PyLong_AsSsize_t(v);
        ok = !PyErr_Occurred();
    }
    Py_XDECREF(v);
    return ok;
}

/* Has value the attributes of a syntax error, and of the right types? 1 or 0. */
static int read_place(PyObject *value, place_t *p)
{
    *p = (place_t){.end_offset = -1};
    p->message = PyObject_GetAttrString(value, "msg");
    p->filename = PyObject_GetAttrString(value, "filename");
    p->text = PyObject_GetAttrString(value, "text");
    int ok = p->message != NULL && p->filename != NULL && p->text != NULL && get_number(value, "lineno", &p->lineno)
             && p->lineno >= 0 && get_number(value, "offset", &p->offset);
    if (ok && Py_IS_TYPE(value, (PyTypeObject *)PyExc_SyntaxError)) {
        ok = get_number(value, "end_lineno", &p->end_lineno) && get_number(value, "end_offset", &p->end_offset);
        if (p->end_lineno < 0)
            p->end_lineno = p->lineno;
    }
    if (ok && p->filename == Py_None) {
        Py_SETREF(p->filename, PyUnicode_FromString("<string>"));
        ok = p->filename != NULL;
    }
    if (ok && !PyUnicode_Check(p->text))
        Py_CLEAR(p->text);
    PyErr_Clear();
    if (!ok)
        place_fini(p);
    return ok;
}

static int is_blank(Py_UCS4 c) { return c == ' ' || c == '\t' || c == '\f'; }

/* The line of an error with carets. Of several lines, that of the offset. */
static int write_error_line(display_t *d, PyObject *text, Py_ssize_t offset, Py_ssize_t end_offset)
{
    Py_ssize_t carets = end_offset > 0 && end_offset > offset ? end_offset - offset : 1;
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(text), nl;
    while (start < end && is_blank(PyUnicode_READ_CHAR(text, start)))
        start++;
    if (end > start && PyUnicode_READ_CHAR(text, end - 1) == '\n')
        end--;
    offset = Py_MIN(offset - 1 - start, end - start);
    while ((nl = PyUnicode_FindChar(text, '\n', start, end, 1)) >= 0 && nl - start < offset) {
        offset -= nl + 1 - start;
        start = nl + 1;
    }
    PyObject *line = PyUnicode_Substring(text, start, end), *marks = NULL;
    int status = line != NULL ? display_format(d, "    %U\n", line) : -1;
    if (status == 0 && offset >= 0) {
        marks = PyUnicode_New(offset + carets, 127);
        status = marks != NULL && (offset == 0 || PyUnicode_Fill(marks, 0, offset, ' ') >= 0)
                         && PyUnicode_Fill(marks, offset, carets, '^') >= 0
                     ? display_format(d, "    %U\n", marks)
                     : -1;
    }
    Py_XDECREF(marks);
    Py_XDECREF(line);
    return status;
}

static int write_place(display_t *d, const place_t *p)
{
    if (display_format(d, "  File \"%S\", line %zd\n", p->filename, p->lineno) < 0)
        return -1;
    if (p->text == NULL)
        return 0;
    Py_ssize_t size = PyUnicode_GET_LENGTH(p->text), end_offset = p->end_offset;
    if (p->end_lineno > p->lineno)
        end_offset = size;
    if (end_offset > size + 1)
        end_offset = size + 1;
    return write_error_line(d, p->text, p->offset, end_offset);
}

/* type and msg in place of str(value), which would tell the place again */
static int write_syntax_error(display_t *d, PyObject *value, const place_t *p)
{
    PyObject *text = PyObject_Str(p->message);
    PyErr_Clear();
    int status = write_place(d, p);
    if (status == 0)
        status = write_type(d, Py_TYPE(value));
    if (status == 0)
        status = text == NULL ? display_format(d, ": <exception str() failed>") : display_format(d, ": %U", text);
    Py_XDECREF(text);
    return status < 0 || display_format(d, "\n") < 0 || write_notes(d, value) < 0 ? -1 : 0;
}

/* ---- One exception ---- */

static int show_one(display_t *d, PyObject *value, int is_group, int outermost)
{
    PyObject *traceback = PyException_GetTraceback(value), *marker = NULL;
    place_t place;
    int status = 0;
    if (traceback != NULL && PyTraceBack_Check(traceback))
        status = display_traceback(d, traceback, is_group ? GROUP_TRACEBACK_HEADER : TRACEBACK_HEADER, is_group && outermost ? '+' : 0);
    Py_XDECREF(traceback);
    if (status < 0)
        return -1;
    if (PyObject_GetOptionalAttrString(value, "print_file_and_line", &marker) < 0)
        PyErr_Clear();
    if (marker == NULL || !read_place(value, &place))
        status = display_message(d, value);
    else {
        status = write_syntax_error(d, value, &place);
        place_fini(&place);
    }
    Py_XDECREF(marker);
    return status;
}

/* ---- Groups ---- */

static int show_chain(display_t *d, PyObject *value);

/* A line of the frame around the members of a group. */
static int write_rule(display_t *d, const char *format, ...)
{
    int depth = d->depth;
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    d->depth = 0;
    int status = text != NULL ? display_format(d, "%*s%U\n", 2 * depth, "", text) : -1;
    d->depth = depth;
    Py_XDECREF(text);
    return status;
}

static int show_members(display_t *d, PyObject *members)
{
    Py_ssize_t count = PyTuple_GET_SIZE(members), shown = Py_MIN(count, GROUP_WIDTH_SHOWN + 1);
    int status = 0;
    for (Py_ssize_t i = 0; i < shown && status == 0; i++) {
        int is_last = i == shown - 1, is_rest = i == GROUP_WIDTH_SHOWN;
        const char *joint = i == 0 ? "+-" : "  ";
        if (is_last)
            d->close_group = 1;
        status = is_rest ? write_rule(d, "%s+---------------- ... ----------------", joint)
                         : write_rule(d, "%s+---------------- %zd ----------------", joint, i + 1);
        d->depth++;
        if (status == 0 && is_rest)
            status = display_format(d, "and %zd more exception%s\n", count - i, count - i > 1 ? "s" : "");
        else if (status == 0)
            status = show_chain(d, PyTuple_GET_ITEM(members, i));
        if (status == 0 && is_last && d->close_group) {
            status = write_rule(d, "+------------------------------------");
            d->close_group = 0;
        }
        d->depth--;
    }
    return status;
}

static int show_group(display_t *d, PyObject *value)
{
    int outermost = d->depth == 0;
    if (d->depth > GROUP_DEPTH_SHOWN)
        return display_format(d, "... (max_group_depth is %d)\n", GROUP_DEPTH_SHOWN);
    d->depth += outermost;
    int status = show_one(d, value, 1, outermost);
    if (status == 0)
        status = show_members(d, ((PyBaseExceptionGroupObject *)value)->excs);
    d->depth -= outermost;
    return status;
}

static int show_alone(display_t *d, PyObject *value)
{
    if (PyObject_TypeCheck(value, (PyTypeObject *)PyExc_BaseExceptionGroup))
        return show_group(d, value);
    return show_one(d, value, 0, 0);
}

/* ---- Causes and contexts ---- */

static const char cause_text[] = "\nThe above exception was the direct cause of the following exception:\n\n";
static const char context_text[] = "\nDuring handling of the above exception, another exception occurred:\n\n";

/* Marks an exception as shown: 1 if it is new, 0, -1. */
static int is_new(display_t *d, PyObject *value)
{
    PyObject *address = PyLong_FromVoidPtr(value);
    int known = address != NULL ? PySet_Contains(d->seen, address) : -1;
    if (known == 0 && PySet_Add(d->seen, address) < 0)
        known = -1;
    Py_XDECREF(address);
    return known < 0 ? -1 : !known;
}

/* What led to value, if it is to be shown: *earlier is a new reference or NULL. 0 or -1. */
static int find_earlier(display_t *d, PyObject *value, PyObject **earlier, const char **text)
{
    *text = cause_text;
    *earlier = PyException_GetCause(value);
    if (*earlier == NULL && !__atomic_load_n(&((PyBaseExceptionObject *)value)->suppress_context, __ATOMIC_RELAXED)) {
        *text = context_text;
        *earlier = PyException_GetContext(value);
    }
    if (*earlier == NULL)
        return 0;
    int fresh = is_new(d, *earlier);
    if (fresh <= 0)
        Py_CLEAR(*earlier);
    return fresh < 0 ? -1 : 0;
}

/* The oldest first; without recursion, since chains can be long. */
static int show_chain(display_t *d, PyObject *value)
{
    PyObject *chain = PyList_New(0), *links = PyList_New(0), *next = Py_NewRef(value);
    int status = chain != NULL && links != NULL && is_new(d, value) >= 0 ? 0 : -1, close_group = d->close_group;
    while (next != NULL && status == 0) {
        const char *text;
        status = PyList_Append(chain, next);
        if (status < 0 || find_earlier(d, next, &value, &text) < 0) {
            status = -1;
            break;
        }
        Py_SETREF(next, value);
        if (next != NULL)
            status = PyList_Append(links, text == cause_text ? Py_True : Py_False);
    }
    Py_XDECREF(next);
    for (Py_ssize_t i = status == 0 ? PyList_GET_SIZE(chain) - 1 : -1; i >= 0 && status == 0; i--) {
        d->close_group = i > 0 ? 0 : close_group;
        status = show_alone(d, PyList_GET_ITEM(chain, i));
        if (status == 0 && i > 0)
            status = display_format(d, PyList_GET_ITEM(links, i - 1) == Py_True ? cause_text : context_text);
    }
    Py_XDECREF(chain);
    Py_XDECREF(links);
    return status;
}

int display_exception(display_t *d, PyObject *value) { return show_chain(d, value); }
