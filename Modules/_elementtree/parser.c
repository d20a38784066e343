/* XMLParser: feeds a target with what expat reads; a plain TreeBuilder directly.
 *
 * A method holds the parser's critical section, which is suspended while the target's methods run. `busy`
 * keeps a second parse of the same parser out meanwhile. */
#include "elementtree.h"

#include <limits.h>
#include <sys/random.h>

#include "../expat_encoding.h"

/* HANDLER(name): what a target may have */
#define HANDLERS(HANDLER) \
    HANDLER(start_ns) \
    HANDLER(end_ns) \
    HANDLER(start) \
    HANDLER(data) \
    HANDLER(end) \
    HANDLER(comment) \
    HANDLER(pi) \
    HANDLER(close) \
    HANDLER(doctype)

enum {
#define HANDLER(name) H_##name,
    HANDLERS(HANDLER)
#undef HANDLER
    HANDLER_COUNT
};

typedef struct {
    PyObject_HEAD
    XML_Parser parser;   /* [section] or NULL: __init__ not called */
    PyObject *target, *entity;         /* [section] */
    PyObject *names;                   /* [section] dict from expat's names to ours */
    PyObject *handlers[HANDLER_COUNT]; /* [section] methods of the target, or NULL */
    int busy;                          /* [section] */
} parser_t;

#define PARSER(op) ((parser_t *)(op))

/* A target that is known so well that its methods need not be looked up; borrowed, as long as the parser is
 * busy. */
static PyObject *plain_builder(parser_t *p)
{
    return Py_IS_TYPE(p->target, &builder_type) ? p->target : NULL;
}

/* ---- Errors ---- */

static void raise_parse_error(enum XML_Error code, XML_Size line, XML_Size column, const char *message)
{
    PyObject *text, *exc = NULL, *number = NULL, *position = NULL;
    text = PyUnicode_FromFormat("%s: line %zu, column %zu", message != NULL ? message : XML_ErrorString(code),
                                (size_t)line, (size_t)column);
    if (text != NULL)
        exc = PyObject_CallOneArg(parse_error, text);
    if (exc != NULL && (number = PyLong_FromLong(code)) != NULL &&
        PyObject_SetAttrString(exc, "code", number) == 0 &&
        (position = Py_BuildValue("(nn)", (Py_ssize_t)line, (Py_ssize_t)column)) != NULL &&
        PyObject_SetAttrString(exc, "position", position) == 0)
        PyErr_SetObject(parse_error, exc);
    Py_XDECREF(text);
    Py_XDECREF(exc);
    Py_XDECREF(number);
    Py_XDECREF(position);
}

/* ---- Names ---- */

/* "uri}name" becomes "{uri}name"; names are shared. */
static PyObject *universal_name(parser_t *p, const XML_Char *chars)
{
    PyObject *key = PyUnicode_DecodeUTF8(chars, (Py_ssize_t)strlen(chars), "strict"), *names = p->names,
             *name = NULL;
    if (key == NULL || PyDict_GetItemRef(names, key, &name) != 0) {
        Py_XDECREF(key);
        return name;
    }
    name = strchr(chars, '}') != NULL ? PyUnicode_FromFormat("{%U", key) : Py_NewRef(key);
    if (name != NULL && PyDict_SetItem(names, key, name) < 0)
        Py_CLEAR(name);
    Py_DECREF(key);
    return name;
}

static PyObject *text_of(const XML_Char *chars, size_t n)
{
    return PyUnicode_DecodeUTF8(chars, (Py_ssize_t)n, "strict");
}

/* A str; none for NULL. */
static PyObject *text_or(const XML_Char *chars, PyObject *none)
{
    return chars != NULL ? text_of(chars, strlen(chars)) : Py_NewRef(none);
}

static PyObject *text_or_empty(const XML_Char *chars)
{
    return text_of(chars != NULL ? chars : "", chars != NULL ? strlen(chars) : 0);
}

/* ---- Calling the target ---- */

/* Calls a handler with a tuple (stolen, may be NULL); the result, or NULL with an exception. None without a
 * handler. */
static PyObject *call_steal(parser_t *p, int index, PyObject *args)
{
    PyObject *handler = Py_XNewRef(p->handlers[index]), *result = NULL;
    if (args != NULL)
        result = handler != NULL ? PyObject_CallObject(handler, args) : Py_NewRef(Py_None);
    Py_XDECREF(handler);
    Py_XDECREF(args);
    return result;
}

static void on_start(void *data, const XML_Char *chars, const XML_Char **pairs)
{
    parser_t *p = data;
    PyObject *tag, *attrib = NULL, *result = NULL, *builder = plain_builder(p);
    if (PyErr_Occurred() || (tag = universal_name(p, chars)) == NULL)
        return;
    int failed = (pairs[0] != NULL || builder == NULL) && (attrib = PyDict_New()) == NULL;
    for (; !failed && *pairs != NULL; pairs += 2) {
        PyObject *key = universal_name(p, pairs[0]),
                 *value = key != NULL ? text_of(pairs[1], strlen(pairs[1])) : NULL;
        failed = value == NULL || PyDict_SetItem(attrib, key, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    if (!failed && builder != NULL)
        result = builder_start(builder, tag, attrib);
    else if (!failed && p->handlers[H_start] != NULL)
        result = call_steal(p, H_start, PyTuple_Pack(2, tag, attrib));
    Py_DECREF(tag);
    Py_XDECREF(attrib);
    Py_XDECREF(result);
}

static void on_end(void *data, const XML_Char *chars)
{
    parser_t *p = data;
    PyObject *result = NULL, *tag, *builder = plain_builder(p);
    if (PyErr_Occurred())
        return;
    if (builder != NULL)
        result = builder_end(builder);
    else if (p->handlers[H_end] != NULL && (tag = universal_name(p, chars)) != NULL)
        result = call_steal(p, H_end, Py_BuildValue("(N)", tag));
    Py_XDECREF(result);
}

/* Hands a text over. text is stolen and may be NULL. */
static void hand_over_steal(parser_t *p, PyObject *text)
{
    PyObject *builder = plain_builder(p);
    if (text != NULL && builder != NULL)
        (void)builder_data(builder, text);
    else if (text != NULL && p->handlers[H_data] != NULL)
        Py_XDECREF(call_steal(p, H_data, PyTuple_Pack(1, text)));
    Py_XDECREF(text);
}

static void on_data(void *data, const XML_Char *chars, int n)
{
    if (!PyErr_Occurred())
        hand_over_steal(data, text_of(chars, (size_t)n));
}

/* What nothing else is for. Only references to unknown entities matter. */
static void on_default(void *data, const XML_Char *chars, int n)
{
    parser_t *p = data;
    PyObject *name, *value = NULL;
    if (n < 2 || chars[0] != '&' || PyErr_Occurred() || (name = text_of(chars + 1, (size_t)n - 2)) == NULL)
        return;
    int found = PyDict_GetItemRef(p->entity, name, &value);
    if (found > 0)
        hand_over_steal(p, value);
    else if (found == 0) {
        char message[128];
        snprintf(message, sizeof(message), "undefined entity &%.100s;", PyUnicode_AsUTF8(name));
        raise_parse_error(XML_ERROR_UNDEFINED_ENTITY, XML_GetErrorLineNumber(p->parser),
                          XML_GetErrorColumnNumber(p->parser), message);
    }
    Py_DECREF(name);
}

static void on_start_ns(void *data, const XML_Char *prefix, const XML_Char *uri)
{
    parser_t *p = data;
    PyObject *builder = plain_builder(p);
    if (PyErr_Occurred())
        return;
    if (builder == NULL)
        Py_XDECREF(
            call_steal(p, H_start_ns, Py_BuildValue("(NN)", text_or_empty(prefix), text_or_empty(uri))));
    else if (builder_wants(builder, "start-ns") > 0)
        (void)builder_queue_steal(builder, "start-ns",
                                  Py_BuildValue("(NN)", text_or_empty(prefix), text_or_empty(uri)));
}

static void on_end_ns(void *data, const XML_Char *prefix)
{
    parser_t *p = data;
    PyObject *builder = plain_builder(p);
    if (PyErr_Occurred())
        return;
    if (builder == NULL)
        Py_XDECREF(call_steal(p, H_end_ns, Py_BuildValue("(N)", text_or_empty(prefix))));
    else if (builder_wants(builder, "end-ns") > 0)
        (void)builder_queue_steal(builder, "end-ns", Py_NewRef(Py_None));
}

static void on_comment(void *data, const XML_Char *chars)
{
    parser_t *p = data;
    PyObject *builder = plain_builder(p), *text;
    if (PyErr_Occurred() || (text = text_of(chars, strlen(chars))) == NULL)
        return;
    Py_XDECREF(builder != NULL ? builder_comment(builder, text)
                               : call_steal(p, H_comment, PyTuple_Pack(1, text)));
    Py_DECREF(text);
}

static void on_pi(void *data, const XML_Char *target, const XML_Char *content)
{
    parser_t *p = data;
    PyObject *builder = plain_builder(p), *name, *text;
    if (PyErr_Occurred() || (name = text_of(target, strlen(target))) == NULL)
        return;
    text = text_or(content, Py_None);
    if (text != NULL)
        Py_XDECREF(builder != NULL ? builder_pi(builder, name, text)
                                   : call_steal(p, H_pi, PyTuple_Pack(2, name, text)));
    Py_DECREF(name);
    Py_XDECREF(text);
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                       int has_subset)
{
    parser_t *p = data;
    PyObject *method;
    if (PyErr_Occurred())
        return;
    if (p->handlers[H_doctype] != NULL) {
        PyObject *args = Py_BuildValue("(NNN)", text_or(name, Py_None), text_or(public_id, Py_None),
                                       text_or(system_id, Py_None));
        Py_XDECREF(call_steal(p, H_doctype, args));
    } else if (PyObject_GetOptionalAttrString((PyObject *)p, "doctype", &method) > 0) {
        Py_DECREF(method);
        (void)PyErr_WarnEx(PyExc_RuntimeWarning,
                           "The doctype() method of XMLParser is ignored.  "
                           "Define doctype() method on the TreeBuilder target.",
                           1);
    }
}

static void install(parser_t *p)
{
    XML_Parser x = p->parser;
    int is_plain = plain_builder(p) != NULL;
    XML_SetUserData(x, p);
    XML_SetElementHandler(x, on_start, on_end);
    XML_SetCharacterDataHandler(x, on_data);
    XML_SetDefaultHandlerExpand(x, on_default);
    XML_SetStartDoctypeDeclHandler(x, on_doctype);
    XML_SetUnknownEncodingHandler(x, expat_unknown_encoding, NULL);
    if (is_plain || p->handlers[H_start_ns] != NULL)
        XML_SetStartNamespaceDeclHandler(x, on_start_ns);
    if (is_plain || p->handlers[H_end_ns] != NULL)
        XML_SetEndNamespaceDeclHandler(x, on_end_ns);
    /* A plain builder's comments matter only if they are inserted or reported: _setevents may come later. */
    if (is_plain ? ((builder_t *)p->target)->insert_comments : p->handlers[H_comment] != NULL)
        XML_SetCommentHandler(x, on_comment);
    if (is_plain ? ((builder_t *)p->target)->insert_pis : p->handlers[H_pi] != NULL)
        XML_SetProcessingInstructionHandler(x, on_pi);
}

/* ---- Parsing; callers hold the section ---- */

static int begin(parser_t *p)
{
    if (p->parser == NULL) {
        PyErr_SetString(PyExc_ValueError, "XMLParser.__init__() wasn't called");
        return -1;
    }
    if (p->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the parser is already parsing");
        return -1;
    }
    p->busy = 1;
    return 0;
}

static int parse(parser_t *p, const char *data, Py_ssize_t n, int is_final)
{
    int status = XML_Parse(p->parser, data, (int)n, is_final);
    if (PyErr_Occurred())
        return -1;
    if (status != 0)
        return 0;
    raise_parse_error(XML_GetErrorCode(p->parser), XML_GetErrorLineNumber(p->parser),
                      XML_GetErrorColumnNumber(p->parser), NULL);
    return -1;
}

static PyObject *feed_locked(parser_t *p, PyObject *data)
{
    Py_buffer view = {.obj = NULL};
    const char *chars;
    Py_ssize_t n;
    if (PyUnicode_Check(data)) {
        if ((chars = PyUnicode_AsUTF8AndSize(data, &n)) == NULL)
            return NULL;
        (void)XML_SetEncoding(p->parser, "utf-8");
    } else {
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        chars = view.buf;
        n = view.len;
    }
    int failed = n > INT_MAX;
    if (failed)
        PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
    else
        failed = parse(p, chars, n, 0) < 0;
    PyBuffer_Release(&view);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* Ends the document; what the target makes of it. */
static PyObject *close_locked(parser_t *p)
{
    if (parse(p, "", 0, 1) < 0)
        return NULL;
    return plain_builder(p) != NULL ? builder_close(p->target) : call_steal(p, H_close, PyTuple_New(0));
}

/* Parses one piece of what a file gave. 0: that was the end, 1: go on, -1: failed. */
static int parse_piece(parser_t *p, PyObject *piece)
{
    PyObject *bytes;
    if (PyUnicode_Check(piece)) {
        bytes = PyUnicode_AsEncodedString(piece, "utf-8", "surrogatepass");
        if (bytes != NULL)
            (void)XML_SetEncoding(p->parser, "utf-8");
    } else
        bytes = PyBytes_Check(piece) ? Py_NewRef(piece) : PyBytes_FromStringAndSize(NULL, 0);
    if (bytes == NULL)
        return -1;
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    int answer = n > 0;
    if (n > INT_MAX)
        PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
    if (n > INT_MAX || (n > 0 && parse(p, PyBytes_AS_STRING(bytes), n, 0) < 0))
        answer = -1;
    Py_DECREF(bytes);
    return answer;
}

static PyObject *parse_whole_locked(parser_t *p, PyObject *read)
{
    int more = 1;
    while (more > 0) {
        PyObject *piece = PyObject_CallFunction(read, "i", 64 * 1024);
        if (piece == NULL)
            return NULL;
        more = parse_piece(p, piece);
        Py_DECREF(piece);
    }
    if (more < 0 || parse(p, "", 0, 1) < 0)
        return NULL;
    return plain_builder(p) != NULL ? builder_close(p->target) : Py_NewRef(Py_None);
}

/* ---- Methods ---- */

static PyObject *parser_feed(PyObject *op, PyObject *data)
{
    parser_t *p = PARSER(op);
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (begin(p) == 0) {
        result = feed_locked(p, data);
        p->busy = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *parser_close(PyObject *op, PyObject *unused)
{
    parser_t *p = PARSER(op);
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (begin(p) == 0) {
        result = close_locked(p);
        p->busy = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *parser_parse_whole(PyObject *op, PyObject *file)
{
    parser_t *p = PARSER(op);
    PyObject *result = NULL, *read;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (begin(p) == 0) {
        read = PyObject_GetAttrString(file, "read");
        if (read != NULL)
            result = parse_whole_locked(p, read);
        Py_XDECREF(read);
        p->busy = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *set_events_locked(parser_t *p, PyObject *queue, PyObject *events)
{
    PyObject *builder = plain_builder(p);
    if (builder == NULL) {
        PyErr_SetString(PyExc_TypeError, "event handling only supported for ElementTree.TreeBuilder targets");
        return NULL;
    }
    if (builder_set_events(builder, queue, events) < 0)
        return NULL;
    if (builder_wants(builder, "comment") > 0)
        XML_SetCommentHandler(p->parser, on_comment);
    if (builder_wants(builder, "pi") > 0)
        XML_SetProcessingInstructionHandler(p->parser, on_pi);
    Py_RETURN_NONE;
}

static PyObject *parser_set_events(PyObject *op, PyObject *args)
{
    parser_t *p = PARSER(op);
    PyObject *queue, *events = Py_None, *result = NULL;
    if (!PyArg_UnpackTuple(args, "_setevents", 1, 2, &queue, &events))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (begin(p) == 0) {
        result = set_events_locked(p, queue, events);
        p->busy = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *parser_get_version(PyObject *op, void *unused)
{
    XML_Expat_Version version = XML_ExpatVersionInfo();
    return PyUnicode_FromFormat("Expat %d.%d.%d", version.major, version.minor, version.micro);
}

/* ---- Making and destroying ---- */

static const XML_Memory_Handling_Suite memory = {PyMem_Malloc, PyMem_Realloc, PyMem_Free};

static const char *const handler_names[] = {
#define HANDLER(name) #name,
    HANDLERS(HANDLER)
#undef HANDLER
};

/* What __init__ gives a parser. */
typedef struct {
    XML_Parser parser;
    PyObject *target, *entity, *names, *handlers[HANDLER_COUNT];
} parts_t;

static void parts_drop(parts_t *parts)
{
    if (parts->parser != NULL)
        XML_ParserFree(parts->parser);
    Py_XDECREF(parts->target);
    Py_XDECREF(parts->entity);
    Py_XDECREF(parts->names);
    for (int i = 0; i < HANDLER_COUNT; i++)
        Py_XDECREF(parts->handlers[i]);
}

static void swap(PyObject **a, PyObject **b)
{
    PyObject *value = *a;
    *a = *b;
    *b = value;
}

/* Gives the parser these parts, and takes those that it has. */
static void parts_exchange_locked(parser_t *p, parts_t *parts)
{
    XML_Parser old = p->parser;
    p->parser = parts->parser;
    parts->parser = old;
    swap(&p->target, &parts->target);
    swap(&p->entity, &parts->entity);
    swap(&p->names, &parts->names);
    for (int i = 0; i < HANDLER_COUNT; i++)
        swap(&p->handlers[i], &parts->handlers[i]);
}

static XML_Parser new_expat(const char *encoding)
{
    XML_Parser x = XML_ParserCreate_MM(encoding, &memory, "}");
    unsigned long salt;
    if (x == NULL)
        PyErr_NoMemory();
    else if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) == sizeof(salt))
        XML_SetHashSalt(x, salt);
    return x;
}

/* Makes the parts, looking the target's methods up; target is stolen. What is there after a failure is to be dropped. */
static int parts_make(parts_t *parts, PyObject *target, const char *encoding)
{
    *parts = (parts_t){.target = target};
    parts->parser = new_expat(encoding);
    if (parts->parser == NULL || (parts->entity = PyDict_New()) == NULL || (parts->names = PyDict_New()) == NULL)
        return -1;
    for (int i = 0; i < HANDLER_COUNT; i++)
        if (PyObject_GetOptionalAttrString(target, handler_names[i], &parts->handlers[i]) < 0)
            return -1;
    return 0;
}

/* target is stolen. Nothing is called between the look at `busy` and the end of the exchange. */
static int set_up(parser_t *p, PyObject *target, const char *encoding)
{
    parts_t parts;
    int failed = parts_make(&parts, target, encoding);
    if (failed == 0) {
        Py_BEGIN_CRITICAL_SECTION(p);
        if (p->busy) {
            PyErr_SetString(PyExc_RuntimeError, "the parser is already parsing");
            failed = -1;
        }
        else {
            parts_exchange_locked(p, &parts);
            install(p);
        }
        Py_END_CRITICAL_SECTION();
    }
    parts_drop(&parts);
    return failed;
}

static int parser_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"target", "encoding", NULL};
    PyObject *target = Py_None, *encoding_arg = Py_None;
    const char *encoding = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OO:XMLParser", keywords, &target, &encoding_arg))
        return -1;
    if (encoding_arg != Py_None && !PyUnicode_Check(encoding_arg)) {
        PyErr_Format(PyExc_TypeError, "XMLParser() argument 'encoding' must be str or None, not %.50s",
                     Py_TYPE(encoding_arg)->tp_name);
        return -1;
    }
    if (encoding_arg != Py_None && (encoding = PyUnicode_AsUTF8(encoding_arg)) == NULL)
        return -1;
    target = target == Py_None ? PyObject_CallNoArgs((PyObject *)&builder_type) : Py_NewRef(target);
    if (target == NULL)
        return -1;
    return set_up(PARSER(op), target, encoding);
}

static int parser_traverse(PyObject *op, visitproc visit, void *arg)
{
    parser_t *p = PARSER(op);
    Py_VISIT(p->target);
    Py_VISIT(p->entity);
    Py_VISIT(p->names);
    for (int i = 0; i < HANDLER_COUNT; i++)
        Py_VISIT(p->handlers[i]);
    return 0;
}

static int parser_tp_clear(PyObject *op)
{
    parser_t *p = PARSER(op);
    XML_Parser x = p->parser;
    p->parser = NULL; /* as if __init__ had not been called */
    if (x != NULL)
        XML_ParserFree(x);
    Py_CLEAR(p->target);
    Py_CLEAR(p->entity);
    Py_CLEAR(p->names);
    for (int i = 0; i < HANDLER_COUNT; i++)
        Py_CLEAR(p->handlers[i]);
    return 0;
}

static void parser_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    (void)parser_tp_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef parser_methods[] = {
    {"feed", parser_feed, METH_O, "feed($self, data, /)\n--\n\nParses a piece of the document."},
    {"close", parser_close, METH_NOARGS,
     "close($self, /)\n--\n\nEnds the document; what close() of the target returns."},
    {"_parse_whole", parser_parse_whole, METH_O,
     "_parse_whole($self, file, /)\n--\n\nParses all that read() of file gives."},
    {"_setevents", parser_set_events, METH_VARARGS,
     "_setevents($self, events_queue, events_to_report=None, /)\n--\n\nLets the builder queue what happens."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef parser_members[] = {
    {"entity", T_OBJECT, offsetof(parser_t, entity), READONLY, NULL},
    {"target", T_OBJECT, offsetof(parser_t, target), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef parser_getset[] = {
    {"version", parser_get_version, NULL, "The version of expat.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject parser_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.XMLParser",
    .tp_basicsize = sizeof(parser_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_methods = parser_methods,
    .tp_members = parser_members,
    .tp_getset = parser_getset,
    .tp_init = parser_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = parser_traverse,
    .tp_clear = parser_tp_clear,
    .tp_dealloc = parser_dealloc,
};
