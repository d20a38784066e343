/* Tracebacks as text: the entries with their source lines, and marks under the part of the line that was running. */
#include "display.h"

#include "code_object.h"
#include "parser.h"
#include "sys_internal.h"

#define REPETITIONS_SHOWN 3     /* of the same entry in a row */
#define DEFAULT_LIMIT 1000
#define INDENT 4                /* of source lines */

/* ---- Source lines ---- */

/* A file of the same name in a folder of sys.path: the program may run from elsewhere than it was compiled. New reference or NULL. */
static FILE *search_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *tail = slash != NULL ? slash + 1 : path;
    PyObject *folders = sys_object_ref("path");
    FILE *file = NULL;
    if (folders == NULL || !PyList_Check(folders)) {
        Py_XDECREF(folders);
        return NULL;
    }
    for (Py_ssize_t i = 0; file == NULL; i++) {
        PyObject *folder = PyList_GetItemRef(folders, i), *encoded = NULL, *full = NULL;
        if (folder == NULL)
            break;
        if (PyUnicode_Check(folder) && PyUnicode_FSConverter(folder, &encoded)) {
            const char *text = PyBytes_AS_STRING(encoded);
            size_t n = strlen(text);
            full = PyBytes_FromFormat("%s%s%s", text, n > 0 && text[n - 1] != '/' ? "/" : "", tail);
            if (full != NULL)
                file = fopen(PyBytes_AS_STRING(full), "rb");
        }
        PyErr_Clear();
        Py_XDECREF(full);
        Py_XDECREF(encoded);
        Py_DECREF(folder);
    }
    PyErr_Clear();
    Py_DECREF(folders);
    return file;
}

/* The text of a source file as UTF-8 bytes; NULL without an exception if it cannot be had. */
static PyObject *read_source(PyObject *filename)
{
    PyObject *path = NULL, *bytes = NULL, *text = NULL;
    if (PyUnicode_FSConverter(filename, &path)) {
        FILE *file = fopen(PyBytes_AS_STRING(path), "rb");
        if (file == NULL)
            file = search_path(PyBytes_AS_STRING(path));
        if (file != NULL) {
            bytes = run_read_file(file);
            fclose(file);
        }
    }
    if (bytes != NULL)
        text = parser_decode_source(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), filename, 0, NULL);
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(path);
    return text;
}

/* A line of a file without its end, as a str: a new reference; NULL without an exception if there is none. */
static PyObject *source_line(display_t *d, PyObject *filename, int lineno)
{
    if (d->file_name == NULL || PyUnicode_Compare(d->file_name, filename) != 0) {
        Py_XSETREF(d->file_text, read_source(filename));
        Py_XSETREF(d->file_name, Py_NewRef(filename));
    }
    if (d->file_text == NULL || lineno < 1)
        return NULL;
    const char *line = PyBytes_AS_STRING(d->file_text), *end = line + PyBytes_GET_SIZE(d->file_text);
    for (int i = 1; i < lineno && line < end; i++) {
        size_t n = (size_t)(end - line);
        const char *nl = memchr(line, '\n', n), *cr = memchr(line, '\r', nl != NULL ? (size_t)(nl - line) : n);
        line = cr != NULL && cr + 1 != nl ? cr + 1 : nl != NULL ? nl + 1 : end;
    }
    if (line >= end)
        return NULL;
    size_t n = 0;
    while (line + n < end && line[n] != '\n' && line[n] != '\r')
        n++;
    PyObject *text = PyUnicode_DecodeUTF8(line, (Py_ssize_t)n, "replace");
    if (text == NULL)
        PyErr_Clear();
    return text;
}

/* ---- Marks ---- */

/* Columns in characters, of a line of source. What lies in [left, right) is marked by ^ and the rest by ~, if left >= 0. */
typedef struct { Py_ssize_t start, end, left, right; } marks_t;

static Py_ssize_t characters(const char *text, Py_ssize_t size, Py_ssize_t bytes)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < bytes && i < size; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

/* The operator of a binary operation, the brackets of a subscript: byte offsets into text. 0 if e is neither. */
static int find_anchors(expr_ty e, const char *text, Py_ssize_t *left, Py_ssize_t *right)
{
    if (e->kind == Subscript_kind) {
        *left = e->v.Subscript.value->end_col_offset;
        *right = e->v.Subscript.slice->end_col_offset + 1;
        return 1;
    }
    if (e->kind != BinOp_kind)
        return 0;
    Py_ssize_t i = e->v.BinOp.left->end_col_offset, stop = e->v.BinOp.right->col_offset;
    while (i < stop && is_blank(text[i]))
        i++;
    if (i >= stop)
        return 0;
    *left = i;
    *right = i + 1 < stop && !is_blank(text[i + 1]) ? i + 2 : i + 1;
    return 1;
}

/* What was running is parsed again: if it is one expression of a kind with an operator, that is marked in particular. */
static void split_marks(PyObject *filename, PyObject *line, marks_t *m)
{
    PyObject *segment = PyUnicode_Substring(line, m->start, m->end);
    Py_ssize_t size, left, right;
    const char *text = segment != NULL ? PyUnicode_AsUTF8AndSize(segment, &size) : NULL;
    arena *a = text != NULL ? arena_new() : NULL;
    mod_ty tree = a != NULL ? parser_parse_string(text, size, filename, PARSER_FILE, PyCF_IGNORE_COOKIE, -1, a) : NULL;
    if (tree != NULL && tree->v.Module.body->size == 1 && tree->v.Module.body->elements[0]->kind == Expr_kind
        && find_anchors(tree->v.Module.body->elements[0]->v.Expr.value, text, &left, &right)) {
        m->left = m->start + characters(text, size, left);
        m->right = m->start + characters(text, size, right);
    }
    PyErr_Clear();
    if (a != NULL)
        arena_free(a);
    Py_XDECREF(segment);
}

/* Which part of the line was running. 0: unknown, or all of it. */
static int find_marks(PyCodeObject *code, int lasti, PyObject *line, Py_ssize_t stripped, marks_t *m)
{
    int lineno, column, end_lineno, end_column;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(line, &size);
    if (text == NULL || !PyCode_Addr2Location(code, lasti, &lineno, &column, &end_lineno, &end_column) || lineno < 0 || end_lineno < 0
        || column < 0 || end_column < 0) {
        PyErr_Clear();
        return 0;
    }
    *m = (marks_t){characters(text, size, column), characters(text, size, end_column), -1, -1};
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    while (length > 0 && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(line, length - 1)))
        length--;
    if (lineno != end_lineno)
        m->end = length;
    else
        split_marks(code->co_filename, line, m);
    return m->left >= 0 || m->end - m->start != length - stripped;
}

static int write_marks(display_t *d, const marks_t *m, Py_ssize_t stripped)
{
    if (m->end <= stripped)
        return display_format(d, "%*s\n", INDENT, "");
    Py_ssize_t n = m->end - stripped + INDENT;
    char *marks = PyMem_Malloc((size_t)n + 1);
    if (marks == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t at = i - INDENT + stripped;
        marks[i] = i < INDENT || at < m->start ? ' ' : m->left >= 0 && !(at >= m->left && at < m->right) ? '~' : '^';
    }
    marks[n] = '\0';
    int status = display_format(d, "%s\n", marks);
    PyMem_Free(marks);
    return status;
}

/* ---- Entries ---- */

static int show_line(display_t *d, PyCodeObject *code, int lasti, int lineno)
{
    PyObject *line = source_line(d, code->co_filename, lineno), *shown = NULL;
    marks_t marks;
    if (line == NULL)
        return 0;
    Py_ssize_t stripped = 0, length = PyUnicode_GET_LENGTH(line);
    while (stripped < length && PyUnicode_READ_CHAR(line, stripped) < 128 && is_blank((char)PyUnicode_READ_CHAR(line, stripped)))
        stripped++;
    shown = PyUnicode_Substring(line, stripped, length);
    int status = shown != NULL ? display_format(d, "%*s%U\n", INDENT, "", shown) : -1;
    if (status == 0 && find_marks(code, lasti, line, stripped, &marks))
        status = write_marks(d, &marks, stripped);
    Py_XDECREF(shown);
    Py_DECREF(line);
    return status;
}

static int show_repetitions(display_t *d, Py_ssize_t count)
{
    count -= REPETITIONS_SHOWN;
    return count <= 0 ? 0 : display_format(d, "  [Previous line repeated %zd more time%s]\n", count, count > 1 ? "s" : "");
}

/* The entry after tb: a new reference or NULL. */
static PyObject *next_entry(PyObject *tb)
{
    PyObject *next = PyObject_GetAttrString(tb, "tb_next");
    if (next == NULL)
        PyErr_Clear();
    else if (!PyTraceBack_Check(next))
        Py_CLEAR(next);
    return next;
}

static int line_of(PyTracebackObject *tb, PyCodeObject *code)
{
    return tb->tb_lineno == -1 ? PyCode_Addr2Line(code, tb->tb_lasti) : tb->tb_lineno;
}

/* The last `limit` entries. */
static int show_entries(display_t *d, PyObject *traceback, Py_ssize_t limit)
{
    PyObject *tb = Py_NewRef(traceback), *next;
    PyCodeObject *last = NULL, *code;
    Py_ssize_t count = 0;
    int last_line = -1, status = 0;
    for (next = Py_NewRef(tb); next != NULL; count++)
        Py_SETREF(next, next_entry(next));
    for (; count > limit && tb != NULL; count--)
        Py_SETREF(tb, next_entry(tb));
    count = 0;
    while (tb != NULL && status == 0) {
        PyTracebackObject *entry = (PyTracebackObject *)tb;
        code = PyFrame_GetCode(entry->tb_frame);
        int line = line_of(entry, code);
        if (last == NULL || last_line == -1 || line != last_line || code->co_filename != last->co_filename
            || code->co_name != last->co_name) {
            status = show_repetitions(d, count);
            count = 0;
        }
        Py_XSETREF(last, code);
        last_line = line;
        if (++count <= REPETITIONS_SHOWN && status == 0) {
            status = display_format(d, "  File \"%U\", line %d, in %U\n", code->co_filename, line, code->co_name);
            if (status == 0)
                status = show_line(d, code, entry->tb_lasti, line);
        }
        Py_SETREF(tb, next_entry(tb));
    }
    if (status == 0)
        status = show_repetitions(d, count);
    Py_XDECREF((PyObject *)last);
    Py_XDECREF(tb);
    return status;
}

static Py_ssize_t entry_limit(void)
{
    PyObject *limit = sys_object_ref("tracebacklimit");
    Py_ssize_t n = DEFAULT_LIMIT;
    if (limit != NULL && PyLong_Check(limit)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(limit, &overflow);
        n = overflow > 0 ? LONG_MAX : overflow < 0 ? 0 : value;
        PyErr_Clear();
    }
    Py_XDECREF(limit);
    return n;
}

int display_traceback(display_t *d, PyObject *traceback, const char *header, char mark)
{
    Py_ssize_t limit = entry_limit();
    if (limit <= 0)
        return 0;
    int depth = d->depth, status;
    if (mark != 0) {
        d->depth = 0;
        status = display_format(d, "%*s%c %s", 2 * depth, "", mark, header);
        d->depth = depth;
    }
    else
        status = display_format(d, "%s", header);
    return status < 0 ? -1 : show_entries(d, traceback, limit);
}
