/* Exceptions with fields of their own: StopIteration, SystemExit, ImportError, NameError, AttributeError, KeyError, SyntaxError,
 * and the Unicode errors. */
#include "exceptions_internal.h"

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
    {"value", T_OBJECT, offsetof(PyStopIterationObject, value), 0, "generator return value"},
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
    {"code", T_OBJECT, offsetof(PySystemExitObject, code), 0, "exception code"},
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
    if (self->msg != NULL && PyUnicode_CheckExact(self->msg))
        return Py_NewRef(self->msg);
    return base_exception_str(op);
}

static PyObject *import_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyImportErrorObject *self = (PyImportErrorObject *)op;
    if (self->name == NULL && self->path == NULL)
        return base_exception_reduce(op, NULL);
    PyObject *state = self->dict != NULL ? PyDict_Copy(self->dict) : PyDict_New();
    PyObject *result = NULL;
    if (state != NULL && (self->name == NULL || PyDict_SetItem(state, STR(name), self->name) == 0)
        && (self->path == NULL || PyDict_SetItem(state, STR(path), self->path) == 0))
        result = PyTuple_Pack(3, (PyObject *)Py_TYPE(op), self->args, state);
    Py_XDECREF(state);
    return result;
}

REFERENCES(import_references, offsetof(PyImportErrorObject, msg), offsetof(PyImportErrorObject, name),
           offsetof(PyImportErrorObject, path));
static PyMemberDef import_members[] = {
    {"msg", T_OBJECT, offsetof(PyImportErrorObject, msg), 0, "exception message"},
    {"name", T_OBJECT, offsetof(PyImportErrorObject, name), 0, "module name"},
    {"path", T_OBJECT, offsetof(PyImportErrorObject, path), 0, "module path"},
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
    {"name", T_OBJECT, offsetof(PyNameErrorObject, name), 0, "name"},
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
    {"name", T_OBJECT, offsetof(PyAttributeErrorObject, name), 0, "attribute name"},
    {"obj", T_OBJECT, offsetof(PyAttributeErrorObject, obj), 0, "object"},
    {NULL},
};
const exception_layout_t exception_layout_attribute = {sizeof(PyAttributeErrorObject), base_exception_new, attribute_init, NULL,
                                                       attribute_references, attribute_members, NULL, NULL};

/* ---- KeyError ---- */

static PyObject *key_str(PyObject *op)
{
    /* a lone key is shown by its repr: the empty string and the like would be hard to see */
    PyObject *args = ((PyBaseExceptionObject *)op)->args;
    if (PyTuple_GET_SIZE(args) == 1)
        return PyObject_Repr(PyTuple_GET_ITEM(args, 0));
    return base_exception_str(op);
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
    PyObject *msg = self->msg != NULL ? self->msg : Py_None, *filename = NULL, *result;
    int has_line = self->lineno != NULL && PyLong_CheckExact(self->lineno), overflow;
    long line = has_line ? PyLong_AsLongAndOverflow(self->lineno, &overflow) : 0;
    if (self->filename != NULL && PyUnicode_Check(self->filename)) {
        filename = base_name(self->filename);
        if (filename == NULL)
            return NULL;
    }
    if (filename != NULL && has_line)
        result = PyUnicode_FromFormat("%S (%U, line %ld)", msg, filename, line);
    else if (filename != NULL)
        result = PyUnicode_FromFormat("%S (%U)", msg, filename);
    else if (has_line)
        result = PyUnicode_FromFormat("%S (line %ld)", msg, line);
    else
        result = PyObject_Str(msg);
    Py_XDECREF(filename);
    return result;
}

#define SYNTAX(field) offsetof(PySyntaxErrorObject, field)
REFERENCES(syntax_references, SYNTAX(msg), SYNTAX(filename), SYNTAX(lineno), SYNTAX(offset), SYNTAX(end_lineno),
           SYNTAX(end_offset), SYNTAX(text), SYNTAX(print_file_and_line));
static PyMemberDef syntax_members[] = {
    {"msg", T_OBJECT, SYNTAX(msg), 0, "exception msg"},
    {"filename", T_OBJECT, SYNTAX(filename), 0, "exception filename"},
    {"lineno", T_OBJECT, SYNTAX(lineno), 0, "exception lineno"},
    {"offset", T_OBJECT, SYNTAX(offset), 0, "exception offset"},
    {"text", T_OBJECT, SYNTAX(text), 0, "exception text"},
    {"end_lineno", T_OBJECT, SYNTAX(end_lineno), 0, "exception end lineno"},
    {"end_offset", T_OBJECT, SYNTAX(end_offset), 0, "exception end offset"},
    {"print_file_and_line", T_OBJECT, SYNTAX(print_file_and_line), 0, "exception print_file_and_line"},
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
    UNICODE(op)->start = start;
    UNICODE(op)->end = end;
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
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (bytes == NULL)
        return -1;
    set_unicode_fields(op, encoding, bytes, start, end, reason);
    Py_DECREF(bytes);
    return 0;
}

/* The reason and encoding as str objects: set by a program to anything. 0 or -1. */
static int unicode_texts(PyObject *op, PyObject **reason, PyObject **encoding)
{
    *encoding = NULL;
    *reason = PyObject_Str(UNICODE(op)->reason);
    if (*reason == NULL)
        return -1;
    if (UNICODE(op)->encoding != NULL) {
        *encoding = PyObject_Str(UNICODE(op)->encoding);
        if (*encoding == NULL) {
            Py_CLEAR(*reason);
            return -1;
        }
    }
    return 0;
}

static const char *character_format(Py_UCS4 c) { return c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x"; }

static PyObject *unicode_encode_str(PyObject *op)
{
    PyUnicodeErrorObject *self = UNICODE(op);
    PyObject *reason, *encoding, *result;
    if (self->object == NULL)
        return PyUnicode_FromString("");
    if (unicode_texts(op, &reason, &encoding) < 0)
        return NULL;
    if (self->start >= 0 && self->start < PyUnicode_GET_LENGTH(self->object) && self->end == self->start + 1) {
        Py_UCS4 c = PyUnicode_ReadChar(self->object, self->start);
        char shown[16];
        PyOS_snprintf(shown, sizeof(shown), character_format(c), c);
        result = PyUnicode_FromFormat("'%U' codec can't encode character '%s' in position %zd: %U", encoding, shown,
                                      self->start, reason);
    }
    else
        result = PyUnicode_FromFormat("'%U' codec can't encode characters in position %zd-%zd: %U", encoding, self->start,
                                      self->end - 1, reason);
    Py_DECREF(reason);
    Py_XDECREF(encoding);
    return result;
}

static PyObject *unicode_decode_str(PyObject *op)
{
    PyUnicodeErrorObject *self = UNICODE(op);
    PyObject *reason, *encoding, *result;
    if (self->object == NULL)
        return PyUnicode_FromString("");
    if (unicode_texts(op, &reason, &encoding) < 0)
        return NULL;
    if (self->start >= 0 && self->start < PyBytes_GET_SIZE(self->object) && self->end == self->start + 1)
        result = PyUnicode_FromFormat("'%U' codec can't decode byte 0x%02x in position %zd: %U", encoding,
                                      (int)(unsigned char)PyBytes_AS_STRING(self->object)[self->start], self->start, reason);
    else
        result = PyUnicode_FromFormat("'%U' codec can't decode bytes in position %zd-%zd: %U", encoding, self->start,
                                      self->end - 1, reason);
    Py_DECREF(reason);
    Py_XDECREF(encoding);
    return result;
}

static PyObject *unicode_translate_str(PyObject *op)
{
    PyUnicodeErrorObject *self = UNICODE(op);
    PyObject *reason, *encoding, *result;
    if (self->object == NULL)
        return PyUnicode_FromString("");
    if (unicode_texts(op, &reason, &encoding) < 0)
        return NULL;
    if (self->start >= 0 && self->start < PyUnicode_GET_LENGTH(self->object) && self->end == self->start + 1) {
        Py_UCS4 c = PyUnicode_ReadChar(self->object, self->start);
        char shown[16];
        PyOS_snprintf(shown, sizeof(shown), character_format(c), c);
        result = PyUnicode_FromFormat("can't translate character '%s' in position %zd: %U", shown, self->start, reason);
    }
    else
        result = PyUnicode_FromFormat("can't translate characters in position %zd-%zd: %U", self->start, self->end - 1, reason);
    Py_DECREF(reason);
    Py_XDECREF(encoding);
    return result;
}

REFERENCES(unicode_references, offsetof(PyUnicodeErrorObject, encoding), offsetof(PyUnicodeErrorObject, object),
           offsetof(PyUnicodeErrorObject, reason));
static PyMemberDef unicode_members[] = {
    {"encoding", T_OBJECT, offsetof(PyUnicodeErrorObject, encoding), 0, "exception encoding"},
    {"object", T_OBJECT, offsetof(PyUnicodeErrorObject, object), 0, "exception object"},
    {"start", T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0, "exception start"},
    {"end", T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0, "exception end"},
    {"reason", T_OBJECT, offsetof(PyUnicodeErrorObject, reason), 0, "exception reason"},
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

static PyObject *checked_object(PyObject *value, const char *name, int bytes)
{
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (bytes ? !PyBytes_Check(value) : !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, bytes ? "%.200s attribute must be bytes" : "%.200s attribute must be unicode", name);
        return NULL;
    }
    return Py_NewRef(value);
}

static Py_ssize_t object_length(PyObject *exc, int bytes)
{
    PyObject *object = checked_object(UNICODE(exc)->object, "object", bytes);
    if (object == NULL)
        return -1;
    Py_ssize_t n = bytes ? PyBytes_GET_SIZE(object) : PyUnicode_GET_LENGTH(object);
    Py_DECREF(object);
    return n;
}

/* start and end as a codec may use them: inside the object, whatever a program has stored. */
static int get_start(PyObject *exc, Py_ssize_t *start, int bytes)
{
    Py_ssize_t n = object_length(exc, bytes), s = UNICODE(exc)->start;
    if (n < 0)
        return -1;
    *start = s < 0 ? 0 : s >= n ? (n > 0 ? n - 1 : 0) : s;
    return 0;
}

static int get_end(PyObject *exc, Py_ssize_t *end, int bytes)
{
    Py_ssize_t n = object_length(exc, bytes), e = UNICODE(exc)->end;
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
    Py_XSETREF(UNICODE(exc)->reason, text);
    return 0;
}

#define UNICODE_ACCESSORS(Kind, bytes) \
    PyObject *PyUnicode##Kind##Error_GetObject(PyObject *exc) { return checked_object(UNICODE(exc)->object, "object", bytes); } \
    int PyUnicode##Kind##Error_GetStart(PyObject *exc, Py_ssize_t *start) { return get_start(exc, start, bytes); } \
    int PyUnicode##Kind##Error_GetEnd(PyObject *exc, Py_ssize_t *end) { return get_end(exc, end, bytes); } \
    int PyUnicode##Kind##Error_SetStart(PyObject *exc, Py_ssize_t start) { UNICODE(exc)->start = start; return 0; } \
    int PyUnicode##Kind##Error_SetEnd(PyObject *exc, Py_ssize_t end) { UNICODE(exc)->end = end; return 0; } \
    PyObject *PyUnicode##Kind##Error_GetReason(PyObject *exc) { return checked_object(UNICODE(exc)->reason, "reason", 0); } \
    int PyUnicode##Kind##Error_SetReason(PyObject *exc, const char *reason) { return set_reason(exc, reason); }
UNICODE_ACCESSORS(Encode, 0)
UNICODE_ACCESSORS(Decode, 1)
UNICODE_ACCESSORS(Translate, 0)

PyObject *PyUnicodeEncodeError_GetEncoding(PyObject *exc) { return checked_object(UNICODE(exc)->encoding, "encoding", 0); }
PyObject *PyUnicodeDecodeError_GetEncoding(PyObject *exc) { return checked_object(UNICODE(exc)->encoding, "encoding", 0); }
