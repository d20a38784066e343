/* Parsers: making them, and parsing. */
#include "pyexpat_internal.h"

#include "../expat_encoding.h"

#include <sys/random.h>

enum { READ_SIZE = 2048, CHUNK_SIZE = 1 << 20, BUFFER_SIZE = 8192 };

/* ---- Errors ---- */

static int set_int(PyObject *exc, const char *name, long long value)
{
    PyObject *number = PyLong_FromLongLong(value);
    int failed = number == NULL || PyObject_SetAttrString(exc, name, number) < 0;
    Py_XDECREF(number);
    return failed;
}

PyObject *parser_error(parser_t *p, enum XML_Error code)
{
    int line = (int)XML_GetErrorLineNumber(p->parser), column = (int)XML_GetErrorColumnNumber(p->parser);
    PyObject *text = PyUnicode_FromFormat("%s: line %i, column %i", XML_ErrorString(code), line, column), *exc = NULL;
    if (text != NULL)
        exc = PyObject_CallOneArg(expat_error, text);
    if (exc != NULL && !set_int(exc, "code", code) && !set_int(exc, "offset", column) && !set_int(exc, "lineno", line))
        PyErr_SetObject(expat_error, exc);
    Py_XDECREF(text);
    Py_XDECREF(exc);
    return NULL;
}

/* ---- Parsing ---- */

static int begin(parser_t *p)
{
    if (p->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the parser is already parsing");
        return -1;
    }
    p->busy = 1;
    return 0;
}

/* What a method returns after expat has returned status. */
static PyObject *finish(parser_t *p, int status)
{
    p->busy = 0;
    if (PyErr_Occurred())
        return NULL;
    if (status == 0)
        return parser_error(p, XML_GetErrorCode(p->parser));
    return parser_flush(p) < 0 ? NULL : PyLong_FromLong(status);
}

static int parse(parser_t *p, const char *data, Py_ssize_t n, int is_final)
{
    while (n > CHUNK_SIZE) {
        int status = XML_Parse(p->parser, data, CHUNK_SIZE, 0);
        if (status == 0 || PyErr_Occurred())
            return status;
        data += CHUNK_SIZE;
        n -= CHUNK_SIZE;
    }
    return XML_Parse(p->parser, data, (int)n, is_final);
}

static PyObject *parse_locked(parser_t *p, const char *data, Py_ssize_t n, int is_final, int is_text)
{
    if (begin(p) < 0)
        return NULL;
    if (is_text)
        (void)XML_SetEncoding(p->parser, "utf-8");
    return finish(p, parse(p, data, n, is_final));
}

static PyObject *parser_parse(PyObject *op, PyObject *args)
{
    parser_t *p = (parser_t *)op;
    PyObject *data, *result;
    int is_final = 0;
    Py_buffer view = {.obj = NULL};
    Py_ssize_t n;
    const char *chars;
    if (!PyArg_ParseTuple(args, "O|p:Parse", &data, &is_final))
        return NULL;
    if (PyUnicode_Check(data)) {
        chars = PyUnicode_AsUTF8AndSize(data, &n);
        if (chars == NULL)
            return NULL;
    }
    else {
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        chars = view.buf;
        n = view.len;
    }
    BEGIN_PARSER(p);
    result = parse_locked(p, chars, n, is_final, view.obj == NULL);
    END_PARSER();
    if (view.obj != NULL)
        PyBuffer_Release(&view);
    return result;
}

/* Reads into buf; the number of bytes, or -1. */
static int read_some(PyObject *read, char *buf)
{
    PyObject *data = PyObject_CallFunction(read, "i", READ_SIZE);
    if (data == NULL)
        return -1;
    Py_ssize_t n = -1;
    Py_buffer view;             /* while it is there, a bytearray is not resized */
    if (!PyBytes_Check(data) && !PyByteArray_Check(data))
        PyErr_Format(PyExc_TypeError, "read() did not return a bytes object (type=%.400s)", Py_TYPE(data)->tp_name);
    else if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) == 0) {
        n = view.len;
        if (n > READ_SIZE) {
            PyErr_Format(PyExc_ValueError, "read() returned too much data: %i bytes requested, %zd returned", READ_SIZE, n);
            n = -1;
        }
        if (n > 0)
            memcpy(buf, view.buf, (size_t)n);
        PyBuffer_Release(&view);
    }
    Py_DECREF(data);
    return (int)n;
}

static PyObject *parse_file_locked(parser_t *p, PyObject *read)
{
    char data[READ_SIZE];
    int status = 1;
    if (begin(p) < 0)
        return NULL;
    for (;;) {
        int n = read_some(read, data);
        if (n < 0) {
            p->busy = 0;
            return NULL;
        }
        status = XML_Parse(p->parser, data, n, n == 0);
        if (status == 0 || n == 0 || PyErr_Occurred())
            return finish(p, status);
    }
}

static PyObject *parser_parse_file(PyObject *op, PyObject *file)
{
    parser_t *p = (parser_t *)op;
    PyObject *read, *result;
    if (PyObject_GetOptionalAttrString(file, "read", &read) < 0)
        return NULL;
    if (read == NULL) {
        PyErr_SetString(PyExc_TypeError, "argument must have 'read' attribute");
        return NULL;
    }
    BEGIN_PARSER(p);
    result = parse_file_locked(p, read);
    END_PARSER();
    Py_DECREF(read);
    return result;
}

/* ---- Other methods ---- */

static PyObject *parser_set_base(PyObject *op, PyObject *args)
{
    parser_t *p = (parser_t *)op;
    const char *base;
    int done;
    if (!PyArg_ParseTuple(args, "s:SetBase", &base))
        return NULL;
    BEGIN_PARSER(p);
    done = XML_SetBase(p->parser, base);
    END_PARSER();
    if (!done)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *parser_get_base(PyObject *op, PyObject *unused)
{
    parser_t *p = (parser_t *)op;
    PyObject *result;
    BEGIN_PARSER(p);
    const char *base = XML_GetBase(p->parser);
    result = base == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(base);
    END_PARSER();
    return result;
}

static PyObject *parser_get_input_context(PyObject *op, PyObject *unused)
{
    parser_t *p = (parser_t *)op;
    PyObject *result = NULL;
    BEGIN_PARSER(p);
    if (p->in_callback) {
        int offset, size;
        const char *buffer = XML_GetInputContext(p->parser, &offset, &size);
        if (buffer != NULL)
            result = PyBytes_FromStringAndSize(buffer + offset, size - offset);
        else
            result = Py_NewRef(Py_None);
    }
    else
        result = Py_NewRef(Py_None);
    END_PARSER();
    return result;
}

static PyObject *parser_set_param_entity_parsing(PyObject *op, PyObject *args)
{
    parser_t *p = (parser_t *)op;
    int flag;
    if (!PyArg_ParseTuple(args, "i:SetParamEntityParsing", &flag))
        return NULL;
    BEGIN_PARSER(p);
    flag = XML_SetParamEntityParsing(p->parser, (enum XML_ParamEntityParsing)flag);
    END_PARSER();
    return PyLong_FromLong(flag);
}

static PyObject *parser_use_foreign_dtd(PyObject *op, PyObject *args)
{
    parser_t *p = (parser_t *)op;
    int flag = 1;
    enum XML_Error code;
    PyObject *result;
    if (!PyArg_ParseTuple(args, "|p:UseForeignDTD", &flag))
        return NULL;
    BEGIN_PARSER(p);
    code = XML_UseForeignDTD(p->parser, flag ? XML_TRUE : XML_FALSE);
    result = code == XML_ERROR_NONE ? Py_NewRef(Py_None) : parser_error(p, code);
    END_PARSER();
    return result;
}

/* ---- Making parsers ---- */

static const XML_Memory_Handling_Suite memory = {PyMem_Malloc, PyMem_Realloc, PyMem_Free};

/* Without an expat parser. */
static parser_t *new_object(PyObject *intern)
{
    parser_t *p = (parser_t *)parser_type.tp_alloc(&parser_type, 0);
    if (p != NULL) {
        p->root = p;
        p->buffer_size = BUFFER_SIZE;
        p->intern = Py_XNewRef(intern);
    }
    return p;
}

PyObject *parser_new(const char *encoding, const char *separator, PyObject *intern)
{
    parser_t *p = new_object(intern);
    if (p == NULL)
        return NULL;
    p->parser = XML_ParserCreate_MM(encoding, &memory, separator);
    if (p->parser == NULL) {
        Py_DECREF(p);
        return PyErr_NoMemory();
    }
    unsigned long salt;
    if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) == sizeof(salt))
        XML_SetHashSalt(p->parser, salt);
    XML_SetUserData(p->parser, p);
    XML_SetUnknownEncodingHandler(p->parser, expat_unknown_encoding, NULL);
    return (PyObject *)p;
}

static PyObject *new_entity_parser(parser_t *parent, const char *context, const char *encoding)
{
    parser_t *p = new_object(parent->intern);
    if (p == NULL)
        return NULL;
    p->parent = (parser_t *)Py_NewRef(parent);
    p->root = parent->root;
    p->buffer_size = parent->buffer_size;
    p->ordered_attributes = parent->ordered_attributes;
    p->specified_attributes = parent->specified_attributes;
    p->namespace_prefixes = parent->namespace_prefixes;
    if (parent->buffer != NULL && (p->buffer = PyMem_Malloc((size_t)p->buffer_size)) == NULL)
        goto no_memory;
    p->parser = XML_ExternalEntityParserCreate(parent->parser, context, encoding);
    if (p->parser == NULL)
        goto no_memory;
    XML_SetUserData(p->parser, p);
    for (int i = 0; i < HANDLER_COUNT; i++)
        p->handlers[i] = Py_XNewRef(parent->handlers[i]);
    parser_install_handlers(p);
    return (PyObject *)p;

no_memory:
    Py_DECREF(p);
    return PyErr_NoMemory();
}

static PyObject *parser_external_entity_parser_create(PyObject *op, PyObject *args)
{
    parser_t *p = (parser_t *)op;
    const char *context, *encoding = NULL;
    PyObject *result;
    if (!PyArg_ParseTuple(args, "z|s:ExternalEntityParserCreate", &context, &encoding))
        return NULL;
    BEGIN_PARSER(p);
    result = new_entity_parser(p, context, encoding);
    END_PARSER();
    return result;
}

/* ---- The type ---- */

static int parser_traverse(PyObject *op, visitproc visit, void *arg)
{
    parser_t *p = (parser_t *)op;
    for (int i = 0; i < HANDLER_COUNT; i++)
        Py_VISIT(p->handlers[i]);
    Py_VISIT(p->intern);
    Py_VISIT(p->parent);
    return 0;
}

static int parser_clear(PyObject *op)
{
    parser_t *p = (parser_t *)op;
    parser_clear_handlers(p);
    Py_CLEAR(p->intern);
    return 0;
}

static void parser_dealloc(PyObject *op)
{
    parser_t *p = (parser_t *)op;
    PyObject_GC_UnTrack(op);
    parser_clear(op);
    if (p->parser != NULL)
        XML_ParserFree(p->parser);
    PyMem_Free(p->buffer);
    Py_XDECREF(p->parent);      /* last: the document type may be its */
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef parser_methods[] = {
    {"Parse", parser_parse, METH_VARARGS,
     "Parse($self, data, isfinal=False, /)\n--\n\nParses a piece of the document. isfinal: it is the last one."},
    {"ParseFile", parser_parse_file, METH_O, "ParseFile($self, file, /)\n--\n\nParses what read() of file gives."},
    {"SetBase", parser_set_base, METH_VARARGS, "SetBase($self, base, /)\n--\n\nSets what relative system identifiers start from."},
    {"GetBase", parser_get_base, METH_NOARGS, "GetBase($self, /)\n--\n\nWhat relative system identifiers start from."},
    {"GetInputContext", parser_get_input_context, METH_NOARGS,
     "GetInputContext($self, /)\n--\n\nThe text that the present handler is called for, as bytes of the input."},
    {"ExternalEntityParserCreate", parser_external_entity_parser_create, METH_VARARGS,
     "ExternalEntityParserCreate($self, context, encoding=<unrepresentable>,\n                           /)\n--\n\n"
     "A parser for an external entity, made by ExternalEntityRefHandler."},
    {"SetParamEntityParsing", parser_set_param_entity_parsing, METH_VARARGS,
     "SetParamEntityParsing($self, flag, /)\n--\n\nControls the parsing of parameter entities, the external part of the document\n"
     "type included: one of the XML_PARAM_ENTITY_PARSING_ constants. Has it worked?"},
    {"UseForeignDTD", parser_use_foreign_dtd, METH_VARARGS,
     "UseForeignDTD($self, flag=True, /)\n--\n\nLets the program provide an external part of the document type for documents\n"
     "without one."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef parser_members[] = {
    {"intern", T_OBJECT, offsetof(parser_t, intern), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject parser_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "pyexpat.xmlparser",
    .tp_basicsize = sizeof(parser_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "XML parser",
    .tp_methods = parser_methods,
    .tp_members = parser_members,
    .tp_getset = parser_getset,
    .tp_traverse = parser_traverse,
    .tp_clear = parser_clear,
    .tp_dealloc = parser_dealloc,
};
