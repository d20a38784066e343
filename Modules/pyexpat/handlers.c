/* From expat's callbacks to the program's handlers. */
#include "pyexpat_internal.h"

/* ---- Values ---- */

/* A str, or None for NULL. */
static PyObject *text(const XML_Char *chars)
{
    return chars == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(chars, (Py_ssize_t)strlen(chars), "strict");
}

static PyObject *text_of(const XML_Char *chars, int n)
{
    return chars == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(chars, n, "strict");
}

/* The same, through the dict of names. */
static PyObject *name(parser_t *p, const XML_Char *chars)
{
    PyObject *result = text(chars), *shared;
    if (result == NULL || p->intern == NULL || chars == NULL)
        return result;
    if (PyDict_SetDefaultRef(p->intern, result, result, &shared) < 0)
        shared = NULL;
    Py_DECREF(result);
    return shared;
}

/* ---- Calls ---- */

static int refuse_entity(XML_Parser parser, const XML_Char *context, const XML_Char *base, const XML_Char *system_id,
                         const XML_Char *public_id)
{
    return 0;
}

/* A handler has failed: the rest of the input is skipped. */
static void fail(parser_t *p)
{
    parser_clear_handlers(p);
    XML_SetExternalEntityRefHandler(p->parser, refuse_entity);
}

/* The traceback of a handler's exception tells on whose behalf it was called. */
static void add_to_traceback(int index)
{
    static const char *const names[] = {
#define HANDLER(identifier, attribute) #attribute,
        HANDLERS(HANDLER)
#undef HANDLER
    };
    char text[64];
    const char *end = strstr(names[index], "Handler");
    snprintf(text, sizeof(text), "%.*s", (int)(end - names[index]), names[index]);
    _PyTraceback_Add(text, "pyexpat.c", 0);
}

/* Calls a handler with a tuple, which is stolen and may be NULL. NULL: it has failed. */
static PyObject *call_steal(parser_t *p, int index, PyObject *args)
{
    PyObject *handler = Py_XNewRef(p->handlers[index]), *result = NULL;
    if (args != NULL && handler != NULL) {
        p->in_callback++;
        result = PyObject_Call(handler, args, NULL);
        p->in_callback--;
        if (result == NULL)
            add_to_traceback(index);
    }
    else if (args != NULL)
        result = Py_NewRef(Py_None);
    Py_XDECREF(args);
    Py_XDECREF(handler);
    if (result == NULL)
        fail(p);
    return result;
}

static void call_and_drop(parser_t *p, int index, PyObject *args)
{
    Py_XDECREF(call_steal(p, index, args));
}

/* The truth that a handler answers as an int; 0 on failure. */
static int call_for_int(parser_t *p, int index, PyObject *args)
{
    PyObject *result = call_steal(p, index, args);
    if (result == NULL)
        return 0;
    long answer = PyLong_AsLong(result);
    Py_DECREF(result);
    if (answer == -1 && PyErr_Occurred()) {
        fail(p);
        return 0;
    }
    return (int)answer;
}

/* ---- Character data ---- */

static int hand_over(parser_t *p, const XML_Char *chars, int n)
{
    PyObject *result = call_steal(p, H_CHARACTER_DATA, Py_BuildValue("(N)", text_of(chars, n)));
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int parser_flush(parser_t *p)
{
    int n = p->buffer_used;
    if (p->buffer == NULL || n == 0)
        return 0;
    SET_INT(p->buffer_used, 0);
    return p->handlers[H_CHARACTER_DATA] == NULL ? 0 : hand_over(p, p->buffer, n);
}

/* May the handler be called now? Buffered character data goes first. */
static int ready(parser_t *p, int index)
{
    return p->handlers[index] != NULL && !PyErr_Occurred() && parser_flush(p) == 0 && p->handlers[index] != NULL;
}

static void on_character_data(void *data, const XML_Char *chars, int n)
{
    parser_t *p = data;
    if (PyErr_Occurred())
        return;
    if (p->buffer == NULL) {
        hand_over(p, chars, n);
        return;
    }
    if (n > p->buffer_size - p->buffer_used && parser_flush(p) < 0)
        return;
    /* the handler may have changed things */
    if (p->handlers[H_CHARACTER_DATA] == NULL)
        return;
    if (p->buffer == NULL || n > p->buffer_size)
        hand_over(p, chars, n);
    else {
        memcpy(p->buffer + p->buffer_used, chars, (size_t)n);
        SET_INT(p->buffer_used, p->buffer_used + n);
    }
}

/* ---- Elements ---- */

/* The attributes as a list or dict. */
static PyObject *attributes(parser_t *p, const XML_Char **pairs)
{
    int limit = p->specified_attributes ? XML_GetSpecifiedAttributeCount(p->parser) : INT_MAX, failed = 0;
    PyObject *result = p->ordered_attributes ? PyList_New(0) : PyDict_New();
    for (int i = 0; result != NULL && i < limit && pairs[i] != NULL && !failed; i += 2) {
        PyObject *key = name(p, pairs[i]), *value = key == NULL ? NULL : text(pairs[i + 1]);
        if (value == NULL)
            failed = 1;
        else if (p->ordered_attributes)
            failed = PyList_Append(result, key) < 0 || PyList_Append(result, value) < 0;
        else
            failed = PyDict_SetItem(result, key, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    if (failed)
        Py_CLEAR(result);
    return result;
}

static void on_start_element(void *data, const XML_Char *element, const XML_Char **pairs)
{
    parser_t *p = data;
    if (ready(p, H_START_ELEMENT))
        call_and_drop(p, H_START_ELEMENT, Py_BuildValue("(NN)", name(p, element), attributes(p, pairs)));
}

static void on_end_element(void *data, const XML_Char *element)
{
    parser_t *p = data;
    if (ready(p, H_END_ELEMENT))
        call_and_drop(p, H_END_ELEMENT, Py_BuildValue("(N)", name(p, element)));
}

static void on_processing_instruction(void *data, const XML_Char *target, const XML_Char *content)
{
    parser_t *p = data;
    if (ready(p, H_PROCESSING_INSTRUCTION))
        call_and_drop(p, H_PROCESSING_INSTRUCTION, Py_BuildValue("(NN)", name(p, target), text(content)));
}

static void on_comment(void *data, const XML_Char *content)
{
    parser_t *p = data;
    if (ready(p, H_COMMENT))
        call_and_drop(p, H_COMMENT, Py_BuildValue("(N)", text(content)));
}

static void on_start_cdata(void *data)
{
    if (ready(data, H_START_CDATA_SECTION))
        call_and_drop(data, H_START_CDATA_SECTION, PyTuple_New(0));
}

static void on_end_cdata(void *data)
{
    if (ready(data, H_END_CDATA_SECTION))
        call_and_drop(data, H_END_CDATA_SECTION, PyTuple_New(0));
}

static void on_start_namespace(void *data, const XML_Char *prefix, const XML_Char *uri)
{
    parser_t *p = data;
    if (ready(p, H_START_NAMESPACE_DECL))
        call_and_drop(p, H_START_NAMESPACE_DECL, Py_BuildValue("(NN)", name(p, prefix), name(p, uri)));
}

static void on_end_namespace(void *data, const XML_Char *prefix)
{
    parser_t *p = data;
    if (ready(p, H_END_NAMESPACE_DECL))
        call_and_drop(p, H_END_NAMESPACE_DECL, Py_BuildValue("(N)", name(p, prefix)));
}

static void on_default(void *data, const XML_Char *chars, int n)
{
    if (ready(data, H_DEFAULT))
        call_and_drop(data, H_DEFAULT, Py_BuildValue("(N)", text_of(chars, n)));
}

static void on_default_expand(void *data, const XML_Char *chars, int n)
{
    if (ready(data, H_DEFAULT_EXPAND))
        call_and_drop(data, H_DEFAULT_EXPAND, Py_BuildValue("(N)", text_of(chars, n)));
}

/* ---- Declarations ---- */

static void on_unparsed_entity(void *data, const XML_Char *entity, const XML_Char *base, const XML_Char *system_id,
                               const XML_Char *public_id, const XML_Char *notation)
{
    parser_t *p = data;
    if (ready(p, H_UNPARSED_ENTITY_DECL))
        call_and_drop(p, H_UNPARSED_ENTITY_DECL, Py_BuildValue("(NNNNN)", name(p, entity), name(p, base), name(p, system_id),
                                                               name(p, public_id), name(p, notation)));
}

static void on_notation(void *data, const XML_Char *notation, const XML_Char *base, const XML_Char *system_id,
                        const XML_Char *public_id)
{
    parser_t *p = data;
    if (ready(p, H_NOTATION_DECL))
        call_and_drop(p, H_NOTATION_DECL, Py_BuildValue("(NNNN)", name(p, notation), name(p, base), name(p, system_id),
                                                        name(p, public_id)));
}

static void on_entity(void *data, const XML_Char *entity, int is_parameter, const XML_Char *value, int n, const XML_Char *base,
                      const XML_Char *system_id, const XML_Char *public_id, const XML_Char *notation)
{
    parser_t *p = data;
    if (ready(p, H_ENTITY_DECL))
        call_and_drop(p, H_ENTITY_DECL, Py_BuildValue("(NiNNNNN)", name(p, entity), is_parameter, text_of(value, n), name(p, base),
                                                      name(p, system_id), name(p, public_id), name(p, notation)));
}

static void on_xml_declaration(void *data, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    parser_t *p = data;
    if (ready(p, H_XML_DECL))
        call_and_drop(p, H_XML_DECL, Py_BuildValue("(NNi)", text(version), text(encoding), standalone));
}

/* (type, quantifier, name, children) */
static PyObject *content_model(parser_t *p, const XML_Content *model)
{
    if (Py_EnterRecursiveCall(" in a content model"))
        return NULL;
    PyObject *children = PyTuple_New(model->numchildren), *result = NULL;
    for (unsigned i = 0; children != NULL && i < model->numchildren; i++) {
        PyObject *child = content_model(p, &model->children[i]);
        if (child == NULL)
            Py_CLEAR(children);
        else
            PyTuple_SET_ITEM(children, i, child);
    }
    if (children != NULL)
        result = Py_BuildValue("(iiNN)", model->type, model->quant, name(p, model->name), children);
    Py_LeaveRecursiveCall();
    return result;
}

static void on_element_declaration(void *data, const XML_Char *element, XML_Content *model)
{
    parser_t *p = data;
    if (ready(p, H_ELEMENT_DECL))
        call_and_drop(p, H_ELEMENT_DECL, Py_BuildValue("(NN)", name(p, element), content_model(p, model)));
    XML_FreeContentModel(p->parser, model);
}

static void on_attlist(void *data, const XML_Char *element, const XML_Char *attribute, const XML_Char *type, const XML_Char *value,
                       int is_required)
{
    parser_t *p = data;
    if (ready(p, H_ATTLIST_DECL))
        call_and_drop(p, H_ATTLIST_DECL, Py_BuildValue("(NNNNi)", name(p, element), name(p, attribute), text(type), text(value),
                                                       is_required));
}

static void on_skipped_entity(void *data, const XML_Char *entity, int is_parameter)
{
    parser_t *p = data;
    if (ready(p, H_SKIPPED_ENTITY))
        call_and_drop(p, H_SKIPPED_ENTITY, Py_BuildValue("(Ni)", name(p, entity), is_parameter));
}

static void on_start_doctype(void *data, const XML_Char *doctype, const XML_Char *system_id, const XML_Char *public_id,
                             int has_subset)
{
    parser_t *p = data;
    if (ready(p, H_START_DOCTYPE_DECL))
        call_and_drop(p, H_START_DOCTYPE_DECL, Py_BuildValue("(NNNi)", name(p, doctype), name(p, system_id), name(p, public_id),
                                                             has_subset));
}

static void on_end_doctype(void *data)
{
    if (ready(data, H_END_DOCTYPE_DECL))
        call_and_drop(data, H_END_DOCTYPE_DECL, PyTuple_New(0));
}

static int on_not_standalone(void *data)
{
    return ready(data, H_NOT_STANDALONE) ? call_for_int(data, H_NOT_STANDALONE, PyTuple_New(0)) : 0;
}

static int on_external_entity(XML_Parser parser, const XML_Char *context, const XML_Char *base, const XML_Char *system_id,
                              const XML_Char *public_id)
{
    parser_t *p = XML_GetUserData(parser);
    if (!ready(p, H_EXTERNAL_ENTITY_REF))
        return 0;
    return call_for_int(p, H_EXTERNAL_ENTITY_REF, Py_BuildValue("(NNNN)", text(context), name(p, base), name(p, system_id),
                                                                name(p, public_id)));
}

/* ---- Installing ---- */

/* Stands in for the handler of character data that is taken away while one runs: expat goes on with the old pointer. */
static void ignore_character_data(void *data, const XML_Char *chars, int n)
{
}

static void install(parser_t *p, int index, int on)
{
    XML_Parser x = p->parser;
    switch (index) {
    case H_START_ELEMENT: XML_SetStartElementHandler(x, on ? on_start_element : NULL); break;
    case H_END_ELEMENT: XML_SetEndElementHandler(x, on ? on_end_element : NULL); break;
    case H_PROCESSING_INSTRUCTION: XML_SetProcessingInstructionHandler(x, on ? on_processing_instruction : NULL); break;
    case H_CHARACTER_DATA:
        XML_SetCharacterDataHandler(x, on ? on_character_data : p->in_callback ? ignore_character_data : NULL);
        break;
    case H_UNPARSED_ENTITY_DECL: XML_SetUnparsedEntityDeclHandler(x, on ? on_unparsed_entity : NULL); break;
    case H_NOTATION_DECL: XML_SetNotationDeclHandler(x, on ? on_notation : NULL); break;
    case H_START_NAMESPACE_DECL: XML_SetStartNamespaceDeclHandler(x, on ? on_start_namespace : NULL); break;
    case H_END_NAMESPACE_DECL: XML_SetEndNamespaceDeclHandler(x, on ? on_end_namespace : NULL); break;
    case H_COMMENT: XML_SetCommentHandler(x, on ? on_comment : NULL); break;
    case H_START_CDATA_SECTION: XML_SetStartCdataSectionHandler(x, on ? on_start_cdata : NULL); break;
    case H_END_CDATA_SECTION: XML_SetEndCdataSectionHandler(x, on ? on_end_cdata : NULL); break;
    case H_DEFAULT: XML_SetDefaultHandler(x, on ? on_default : NULL); break;
    case H_DEFAULT_EXPAND: XML_SetDefaultHandlerExpand(x, on ? on_default_expand : NULL); break;
    case H_NOT_STANDALONE: XML_SetNotStandaloneHandler(x, on ? on_not_standalone : NULL); break;
    case H_EXTERNAL_ENTITY_REF: XML_SetExternalEntityRefHandler(x, on ? on_external_entity : NULL); break;
    case H_START_DOCTYPE_DECL: XML_SetStartDoctypeDeclHandler(x, on ? on_start_doctype : NULL); break;
    case H_END_DOCTYPE_DECL: XML_SetEndDoctypeDeclHandler(x, on ? on_end_doctype : NULL); break;
    case H_ENTITY_DECL: XML_SetEntityDeclHandler(x, on ? on_entity : NULL); break;
    case H_XML_DECL: XML_SetXmlDeclHandler(x, on ? on_xml_declaration : NULL); break;
    case H_ELEMENT_DECL: XML_SetElementDeclHandler(x, on ? on_element_declaration : NULL); break;
    case H_ATTLIST_DECL: XML_SetAttlistDeclHandler(x, on ? on_attlist : NULL); break;
    case H_SKIPPED_ENTITY: XML_SetSkippedEntityHandler(x, on ? on_skipped_entity : NULL); break;
    }
}

void parser_set_handler(parser_t *p, int index, PyObject *value)
{
    PyObject *old = p->handlers[index];
    p->handlers[index] = Py_XNewRef(value);
    if (p->parser != NULL)
        install(p, index, value != NULL);
    Py_XDECREF(old);
}

void parser_install_handlers(parser_t *p)
{
    for (int i = 0; i < HANDLER_COUNT; i++)
        if (p->handlers[i] != NULL)
            install(p, i, 1);
}

void parser_clear_handlers(parser_t *p)
{
    for (int i = 0; i < HANDLER_COUNT; i++)
        if (p->handlers[i] != NULL)
            parser_set_handler(p, i, NULL);
}
