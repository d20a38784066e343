/* Exceptions with fields of their own: StopIteration, SystemExit, ImportError, NameError, AttributeError, KeyError, SyntaxError,
 * and the Unicode errors. */
#include "exceptions_internal.h"

#include "instance.h"
#include "method_ref.h"
#include "stable_buffer.h"
#include "well_known_strings.h"

#define REFERENCES(name, ...) static const Py_ssize_t name[] = {__VA_ARGS__, 0}

/* ---- StopIteration ---- */

static int stop_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (base_exception_init(op, args, kwargs) < 0)
        return -1;
    exception_set_field(&((PyStopIterationObject *)op)->value, PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : Py_None);
    return 0;
}

REFERENCES(stop_references, offsetof(PyStopIterationObject, value));
static PyMemberDef stop_members[] = {
    {"value", T_OBJECT, offsetof(PyStopIterationObject, value), _Py_MEMBER_LOCK_FREE, "generator return value"},
    {NULL},
};
const exception_layout_t exception_layout_stop = {sizeof(PyStopIterationObject), base_exception_new, stop_init, NULL,
                                                  stop_references, stop_members, NULL, NULL};

/* ---- SystemExit ---- */

static int system_exit_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (base_exception_init(op, args, kwargs) < 0)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 0)
        exception_set_field(&((PySystemExitObject *)op)->code, n == 1 ? PyTuple_GET_ITEM(args, 0) : args);
    return 0;
}

REFERENCES(system_exit_references, offsetof(PySystemExitObject, code));
static PyMemberDef system_exit_members[] = {
    {"code", T_OBJECT, offsetof(PySystemExitObject, code), _Py_MEMBER_LOCK_FREE, "exception code"},
    {NULL},
};
const exception_layout_t exception_layout_system_exit = {sizeof(PySystemExitObject), base_exception_new, system_exit_init, NULL,
                                                         system_exit_references, system_exit_members, NULL, NULL};

/* ---- Fields given by keyword: ImportError, NameError, AttributeError ---- */

/* Takes the keywords in names (at most two) out of kwargs into values; anything else is a TypeError. */
static int parse_keywords(PyObject *kwargs, const char *function, const char *const *names, PyObject **values)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (kwargs == NULL)
        return 0;
    while (PyDict_Next(kwargs, &position, &key, &value)) {
        int i;
        for (i = 0; names[i] != NULL; i++)
            if (PyUnicode_CompareWithASCIIString(key, names[i]) == 0)
                break;
        if (names[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for %s()", key, function);
            return -1;
        }
        values[i] = value;
    }
    return 0;
}

static int import_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"name", "path", NULL};
    PyImportErrorObject *self = (PyImportErrorObject *)op;
    PyObject *values[2] = {NULL, NULL};
    if (base_exception_init(op, args, NULL) < 0 || parse_keywords(kwargs, "ImportError", names, values) < 0)
        return -1;
    exception_set_field(&self->name, values[0]);
    exception_set_field(&self->path, values[1]);
    exception_set_field(&self->msg, PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : NULL);
    return 0;
}

static PyObject *import_str(PyObject *op)
{
    PyImportErrorObject *self = (PyImportErrorObject *)op;
    PyObject *msg = published_field_ref(&self->msg);
    if (msg != NULL && PyUnicode_CheckExact(msg))
        return msg;
    Py_XDECREF(msg);
    return base_exception_str(op);
}

static PyObject *import_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyImportErrorObject *self = (PyImportErrorObject *)op;
    PyObject *name = published_field_ref(&self->name), *path = published_field_ref(&self->path);
    if (name == NULL && path == NULL)
        return base_exception_reduce(op, NULL);
    PyObject *args = published_field_ref(&self->args), *dict = instance_peek_dict(op);
    PyObject *state = dict != NULL ? PyDict_Copy(dict) : PyDict_New();
    PyObject *result = NULL;
    if (state != NULL && (name == NULL || PyDict_SetItem(state, STR(name), name) == 0)
        && (path == NULL || PyDict_SetItem(state, STR(path), path) == 0))
        result = PyTuple_Pack(3, (PyObject *)Py_TYPE(op), args, state);
    Py_XDECREF(state);
    Py_XDECREF(dict);
    Py_XDECREF(args);
    Py_XDECREF(path);
    Py_XDECREF(name);
    return result;
}

REFERENCES(import_references, offsetof(PyImportErrorObject, msg), offsetof(PyImportErrorObject, name),
           offsetof(PyImportErrorObject, path));
static PyMemberDef import_members[] = {
    {"msg", T_OBJECT, offsetof(PyImportErrorObject, msg), _Py_MEMBER_LOCK_FREE, "exception message"},
    {"name", T_OBJECT, offsetof(PyImportErrorObject, name), _Py_MEMBER_LOCK_FREE, "module name"},
    {"path", T_OBJECT, offsetof(PyImportErrorObject, path), _Py_MEMBER_LOCK_FREE, "module path"},
    {NULL},
};
static PyMethodDef import_methods[] = {{"__reduce__", import_reduce, METH_NOARGS, NULL}, {NULL}};
const exception_layout_t exception_layout_import = {sizeof(PyImportErrorObject), base_exception_new, import_init, import_str,
                                                    import_references, import_members, import_methods, NULL};

static int name_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"name", NULL};
    PyObject *values[1] = {NULL};
    if (base_exception_init(op, args, NULL) < 0 || parse_keywords(kwargs, "NameError", names, values) < 0)
        return -1;
    exception_set_field(&((PyNameErrorObject *)op)->name, values[0]);
    return 0;
}

REFERENCES(name_references, offsetof(PyNameErrorObject, name));
static PyMemberDef name_members[] = {
    {"name", T_OBJECT, offsetof(PyNameErrorObject, name), _Py_MEMBER_LOCK_FREE, "name"},
    {NULL},
};
const exception_layout_t exception_layout_name = {sizeof(PyNameErrorObject), base_exception_new, name_init, NULL,
                                                  name_references, name_members, NULL, NULL};

static int attribute_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"name", "obj", NULL};
    PyObject *values[2] = {NULL, NULL};
    if (base_exception_init(op, args, NULL) < 0 || parse_keywords(kwargs, "AttributeError", names, values) < 0)
        return -1;
    exception_set_field(&((PyAttributeErrorObject *)op)->name, values[0]);
    exception_set_field(&((PyAttributeErrorObject *)op)->obj, values[1]);
    return 0;
}

REFERENCES(attribute_references, offsetof(PyAttributeErrorObject, obj), offsetof(PyAttributeErrorObject, name));
static PyMemberDef attribute_members[] = {
    {"name", T_OBJECT, offsetof(PyAttributeErrorObject, name), _Py_MEMBER_LOCK_FREE, "attribute name"},
    {"obj", T_OBJECT, offsetof(PyAttributeErrorObject, obj), _Py_MEMBER_LOCK_FREE, "object"},
    {NULL},
};
const exception_layout_t exception_layout_attribute = {sizeof(PyAttributeErrorObject), base_exception_new, attribute_init, NULL,
                                                       attribute_references, attribute_members, NULL, NULL};

/* ---- KeyError ---- */

static PyObject *key_str(PyObject *op)
{
    /* a lone key is shown by its repr: the empty string and the like would be hard to see */
    PyObject *args = published_field_ref(&((PyBaseExceptionObject *)op)->args);
    PyObject *text = PyTuple_GET_SIZE(args) == 1 ? PyObject_Repr(PyTuple_GET_ITEM(args, 0)) : base_exception_str(op);
    Py_DECREF(args);
    return text;
}

const exception_layout_t exception_layout_key = {sizeof(PyBaseExceptionObject), base_exception_new, base_exception_init, key_str,
                                                 NULL, NULL, NULL, NULL};

/* ---- SyntaxError ---- */

static int syntax_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PySyntaxErrorObject *self = (PySyntaxErrorObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (base_exception_init(op, args, kwargs) < 0)
        return -1;
    if (n >= 1)
        exception_set_field(&self->msg, PyTuple_GET_ITEM(args, 0));
    if (n != 2)
        return 0;
    PyObject *info = PySequence_Tuple(PyTuple_GET_ITEM(args, 1));
    if (info == NULL)
        return -1;
    PyObject *filename, *lineno, *offset, *text, *end_lineno = NULL, *end_offset = NULL;
    exception_set_field(&self->end_lineno, NULL);
    exception_set_field(&self->end_offset, NULL);
    if (!PyArg_ParseTuple(info, "OOOO|OO", &filename, &lineno, &offset, &text, &end_lineno, &end_offset)) {
        Py_DECREF(info);
        return -1;
    }
    exception_set_field(&self->filename, filename);
    exception_set_field(&self->lineno, lineno);
    exception_set_field(&self->offset, offset);
    exception_set_field(&self->text, text);
    exception_set_field(&self->end_lineno, end_lineno);
    exception_set_field(&self->end_offset, end_offset);
    Py_DECREF(info);
    if (end_lineno != NULL && end_offset == NULL) {
        PyErr_SetString(PyExc_TypeError, "end_offset must be provided when end_lineno is provided");
        return -1;
    }
    return 0;
}

static PyObject *base_name(PyObject *path)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(path);
    Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, n, -1);
    return slash >= 0 ? PyUnicode_Substring(path, slash + 1, n) : Py_NewRef(path);
}

static PyObject *syntax_str(PyObject *op)
{
    PySyntaxErrorObject *self = (PySyntaxErrorObject *)op;
    PyObject *msg = published_field_ref(&self->msg), *number = published_field_ref(&self->lineno);
    PyObject *path = published_field_ref(&self->filename), *filename = NULL, *result = NULL;
    int has_line = number != NULL && PyLong_CheckExact(number), overflow;
    long line = has_line ? PyLong_AsLongAndOverflow(number, &overflow) : 0;
    if (msg == NULL)
        msg = Py_NewRef(Py_None);
    if (path != NULL && PyUnicode_Check(path)) {
        filename = base_name(path);
        if (filename == NULL)
            goto done;
    }
    if (filename != NULL && has_line)
        result = PyUnicode_FromFormat("%S (%U, line %ld)", msg, filename, line);
    else if (filename != NULL)
        result = PyUnicode_FromFormat("%S (%U)", msg, filename);
    else if (has_line)
        result = PyUnicode_FromFormat("%S (line %ld)", msg, line);
    else
        result = PyObject_Str(msg);
done:
    Py_XDECREF(filename);
    Py_XDECREF(path);
    Py_XDECREF(number);
    Py_DECREF(msg);
    return result;
}

#define SYNTAX(field) offsetof(PySyntaxErrorObject, field)
REFERENCES(syntax_references, SYNTAX(msg), SYNTAX(filename), SYNTAX(lineno), SYNTAX(offset), SYNTAX(end_lineno),
           SYNTAX(end_offset), SYNTAX(text), SYNTAX(print_file_and_line));
static PyMemberDef syntax_members[] = {
    {"msg", T_OBJECT, SYNTAX(msg), _Py_MEMBER_LOCK_FREE, "exception msg"},
    {"filename", T_OBJECT, SYNTAX(filename), _Py_MEMBER_LOCK_FREE, "exception filename"},
    {"lineno", T_OBJECT, SYNTAX(lineno), _Py_MEMBER_LOCK_FREE, "exception lineno"},
    {"offset", T_OBJECT, SYNTAX(offset), _Py_MEMBER_LOCK_FREE, "exception offset"},
    {"text", T_OBJECT, SYNTAX(text), _Py_MEMBER_LOCK_FREE, "exception text"},
    {"end_lineno", T_OBJECT, SYNTAX(end_lineno), _Py_MEMBER_LOCK_FREE, "exception end lineno"},
    {"end_offset", T_OBJECT, SYNTAX(end_offset), _Py_MEMBER_LOCK_FREE, "exception end offset"},
    {"print_file_and_line", T_OBJECT, SYNTAX(print_file_and_line), _Py_MEMBER_LOCK_FREE, "exception print_file_and_line"},
    {NULL},
};
const exception_layout_t exception_layout_syntax = {sizeof(PySyntaxErrorObject), base_exception_new, syntax_init, syntax_str,
                                                    syntax_references, syntax_members, NULL, NULL};

/* ---- Unicode errors ---- */

#define UNICODE(op) ((PyUnicodeErrorObject *)(op))

static int set_unicode_fields(PyObject *op, PyObject *encoding, PyObject *object, Py_ssize_t start, Py_ssize_t end,
                              PyObject *reason)
{
    exception_set_field(&UNICODE(op)->encoding, encoding);
    exception_set_field(&UNICODE(op)->object, object);
    exception_set_field(&UNICODE(op)->reason, reason);
    __atomic_store_n(&UNICODE(op)->start, start, __ATOMIC_RELAXED);
    __atomic_store_n(&UNICODE(op)->end, end, __ATOMIC_RELAXED);
    return 0;
}

static int unicode_encode_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (base_exception_init(op, args, kwargs) < 0
        || !PyArg_ParseTuple(args, "UUnnU", &encoding, &object, &start, &end, &reason))
        return -1;
    return set_unicode_fields(op, encoding, object, start, end, reason);
}

static int unicode_translate_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *object, *reason;
    Py_ssize_t start, end;
    if (base_exception_init(op, args, kwargs) < 0 || !PyArg_ParseTuple(args, "UnnU", &object, &start, &end, &reason))
        return -1;
    return set_unicode_fields(op, NULL, object, start, end, reason);
}

static int unicode_decode_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (base_exception_init(op, args, kwargs) < 0
        || !PyArg_ParseTuple(args, "UOnnU", &encoding, &object, &start, &end, &reason))
        return -1;
    if (PyBytes_Check(object))
        return set_unicode_fields(op, encoding, object, start, end, reason);
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return -1;
    PyObject *bytes = stable_buffer_copy(&view);
    PyBuffer_Release(&view);
    if (bytes == NULL)
        return -1;
    set_unicode_fields(op, encoding, bytes, start, end, reason);
    Py_DECREF(bytes);
    return 0;
}

/* What __str__ shows of a Unicode error, taken once: other threads may be setting the attributes, to anything. */
typedef struct {
    PyObject *object;               /* or NULL */
    PyObject *reason, *encoding;    /* str */
    Py_ssize_t start, end;
} unicode_facts_t;

/* The field as a str object: "<NULL>" if it is unset. */
static PyObject *field_text(PyObject **field)
{
    PyObject *value = published_field_ref(field), *text = PyObject_Str(value);
    Py_XDECREF(value);
    return text;
}

static void drop_facts(unicode_facts_t *facts)
{
    Py_XDECREF(facts->object);
    Py_XDECREF(facts->reason);
    Py_XDECREF(facts->encoding);
}

/* 1; 0: there is no object, and nothing to be shown; -1. drop_facts in the first case. */
static int take_facts(PyObject *op, unicode_facts_t *facts)
{
    PyUnicodeErrorObject *self = UNICODE(op);
    *facts = (unicode_facts_t){.object = published_field_ref(&self->object)};
    if (facts->object == NULL)
        return 0;
    facts->start = __atomic_load_n(&self->start, __ATOMIC_RELAXED);
    facts->end = __atomic_load_n(&self->end, __ATOMIC_RELAXED);
    facts->reason = field_text(&self->reason);
    facts->encoding = facts->reason != NULL ? field_text(&self->encoding) : NULL;
    if (facts->encoding != NULL)
        return 1;
    drop_facts(facts);
    return -1;
}

/* Is it about one unit of an object of n? */
static int concerns_one(const unicode_facts_t *f, Py_ssize_t n) { return f->start >= 0 && f->start < n && f->end == f->start + 1; }

/* Shows the character of a str that the error is about as an escape.  0: it is about several */
static int show_character(const unicode_facts_t *f, char *shown, size_t size)
{
    if (!PyUnicode_Check(f->object) || !concerns_one(f, PyUnicode_GET_LENGTH(f->object)))
        return 0;
    Py_UCS4 c = PyUnicode_ReadChar(f->object, f->start);
    PyOS_snprintf(shown, size, c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x", c);
    return 1;
}

static PyObject *unicode_encode_str(PyObject *op)
{
    unicode_facts_t f;
    char shown[16];
    int found = take_facts(op, &f);
    if (found <= 0)
        return found == 0 ? PyUnicode_FromString("") : NULL;
    PyObject *result = show_character(&f, shown, sizeof(shown))
        ? PyUnicode_FromFormat("'%U' codec can't encode character '%s' in position %zd: %U", f.encoding, shown, f.start, f.reason)
        : PyUnicode_FromFormat("'%U' codec can't encode characters in position %zd-%zd: %U", f.encoding, f.start, f.end - 1, f.reason);
    drop_facts(&f);
    return result;
}

static PyObject *unicode_decode_str(PyObject *op)
{
    unicode_facts_t f;
    int found = take_facts(op, &f);
    if (found <= 0)
        return found == 0 ? PyUnicode_FromString("") : NULL;
    PyObject *result = PyBytes_Check(f.object) && concerns_one(&f, PyBytes_GET_SIZE(f.object))
        ? PyUnicode_FromFormat("'%U' codec can't decode byte 0x%02x in position %zd: %U", f.encoding,
                               (int)(unsigned char)PyBytes_AS_STRING(f.object)[f.start], f.start, f.reason)
        : PyUnicode_FromFormat("'%U' codec can't decode bytes in position %zd-%zd: %U", f.encoding, f.start, f.end - 1, f.reason);
    drop_facts(&f);
    return result;
}

static PyObject *unicode_translate_str(PyObject *op)
{
    unicode_facts_t f;
    char shown[16];
    int found = take_facts(op, &f);
    if (found <= 0)
        return found == 0 ? PyUnicode_FromString("") : NULL;
    PyObject *result = show_character(&f, shown, sizeof(shown))
        ? PyUnicode_FromFormat("can't translate character '%s' in position %zd: %U", shown, f.start, f.reason)
        : PyUnicode_FromFormat("can't translate characters in position %zd-%zd: %U", f.start, f.end - 1, f.reason);
    drop_facts(&f);
    return result;
}

REFERENCES(unicode_references, offsetof(PyUnicodeErrorObject, encoding), offsetof(PyUnicodeErrorObject, object),
           offsetof(PyUnicodeErrorObject, reason));
static PyMemberDef unicode_members[] = {
    {"encoding", T_OBJECT, offsetof(PyUnicodeErrorObject, encoding), _Py_MEMBER_LOCK_FREE, "exception encoding"},
    {"object", T_OBJECT, offsetof(PyUnicodeErrorObject, object), _Py_MEMBER_LOCK_FREE, "exception object"},
    {"start", T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0, "exception start"},
    {"end", T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0, "exception end"},
    {"reason", T_OBJECT, offsetof(PyUnicodeErrorObject, reason), _Py_MEMBER_LOCK_FREE, "exception reason"},
    {NULL},
};
#define UNICODE_LAYOUT(kind) \
    const exception_layout_t exception_layout_unicode_##kind = { \
        sizeof(PyUnicodeErrorObject), base_exception_new, unicode_##kind##_init, unicode_##kind##_str, \
        unicode_references, unicode_members, NULL, NULL}
UNICODE_LAYOUT(encode);
UNICODE_LAYOUT(decode);
UNICODE_LAYOUT(translate);

PyObject *PyUnicodeDecodeError_Create(const char *encoding, const char *object, Py_ssize_t length, Py_ssize_t start,
                                      Py_ssize_t end, const char *reason)
{
    return PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", encoding, object, length, start, end, reason);
}

/* What the field holds, of that type: a new reference. */
static PyObject *checked_object(PyObject **field, const char *name, int bytes)
{
    PyObject *value = published_field_ref(field);
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (bytes ? !PyBytes_Check(value) : !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, bytes ? "%.200s attribute must be bytes" : "%.200s attribute must be unicode", name);
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

static Py_ssize_t object_length(PyObject *exc, int bytes)
{
    PyObject *object = checked_object(&UNICODE(exc)->object, "object", bytes);
    if (object == NULL)
        return -1;
    Py_ssize_t n = bytes ? PyBytes_GET_SIZE(object) : PyUnicode_GET_LENGTH(object);
    Py_DECREF(object);
    return n;
}

/* start and end as a codec may use them: inside the object, whatever a program has stored. */
static int get_start(PyObject *exc, Py_ssize_t *start, int bytes)
{
    Py_ssize_t n = object_length(exc, bytes), s = __atomic_load_n(&UNICODE(exc)->start, __ATOMIC_RELAXED);
    if (n < 0)
        return -1;
    *start = s < 0 ? 0 : s >= n ? (n > 0 ? n - 1 : 0) : s;
    return 0;
}

static int get_end(PyObject *exc, Py_ssize_t *end, int bytes)
{
    Py_ssize_t n = object_length(exc, bytes), e = __atomic_load_n(&UNICODE(exc)->end, __ATOMIC_RELAXED);
    if (n < 0)
        return -1;
    *end = e < 1 ? 1 : e;
    if (*end > n)
        *end = n;
    return 0;
}

static int set_reason(PyObject *exc, const char *reason)
{
    PyObject *text = PyUnicode_FromString(reason);
    if (text == NULL)
        return -1;
    exception_set_field_steal(&UNICODE(exc)->reason, text);
    return 0;
}

static int set_position(Py_ssize_t *field, Py_ssize_t position)
{
    __atomic_store_n(field, position, __ATOMIC_RELAXED);
    return 0;
}

#define UNICODE_ACCESSORS(Kind, bytes) \
    PyObject *PyUnicode##Kind##Error_GetObject(PyObject *exc) { return checked_object(&UNICODE(exc)->object, "object", bytes); } \
    int PyUnicode##Kind##Error_GetStart(PyObject *exc, Py_ssize_t *start) { return get_start(exc, start, bytes); } \
    int PyUnicode##Kind##Error_GetEnd(PyObject *exc, Py_ssize_t *end) { return get_end(exc, end, bytes); } \
    int PyUnicode##Kind##Error_SetStart(PyObject *exc, Py_ssize_t start) { return set_position(&UNICODE(exc)->start, start); } \
    int PyUnicode##Kind##Error_SetEnd(PyObject *exc, Py_ssize_t end) { return set_position(&UNICODE(exc)->end, end); } \
    PyObject *PyUnicode##Kind##Error_GetReason(PyObject *exc) { return checked_object(&UNICODE(exc)->reason, "reason", 0); } \
    int PyUnicode##Kind##Error_SetReason(PyObject *exc, const char *reason) { return set_reason(exc, reason); }
UNICODE_ACCESSORS(Encode, 0)
UNICODE_ACCESSORS(Decode, 1)
UNICODE_ACCESSORS(Translate, 0)

PyObject *PyUnicodeEncodeError_GetEncoding(PyObject *exc) { return checked_object(&UNICODE(exc)->encoding, "encoding", 0); }
PyObject *PyUnicodeDecodeError_GetEncoding(PyObject *exc) { return checked_object(&UNICODE(exc)->encoding, "encoding", 0); }
