/* What the files of the pyexpat module share.
 *
 * Every method holds a critical section on the outermost parser (`root`): a parser of an external entity may share its
 * document type with the parser it comes from. The section is suspended while handlers run; then the parser stands still,
 * so that the others may be used. `busy` keeps a second parse of the same parser out. */
#ifndef BRAID_PYEXPAT_INTERNAL_H
#define BRAID_PYEXPAT_INTERNAL_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <expat.h>

/* HANDLER(identifier, attribute) */
#define HANDLERS(HANDLER) \
    HANDLER(START_ELEMENT, StartElementHandler) \
    HANDLER(END_ELEMENT, EndElementHandler) \
    HANDLER(PROCESSING_INSTRUCTION, ProcessingInstructionHandler) \
    HANDLER(CHARACTER_DATA, CharacterDataHandler) \
    HANDLER(UNPARSED_ENTITY_DECL, UnparsedEntityDeclHandler) \
    HANDLER(NOTATION_DECL, NotationDeclHandler) \
    HANDLER(START_NAMESPACE_DECL, StartNamespaceDeclHandler) \
    HANDLER(END_NAMESPACE_DECL, EndNamespaceDeclHandler) \
    HANDLER(COMMENT, CommentHandler) \
    HANDLER(START_CDATA_SECTION, StartCdataSectionHandler) \
    HANDLER(END_CDATA_SECTION, EndCdataSectionHandler) \
    HANDLER(DEFAULT, DefaultHandler) \
    HANDLER(DEFAULT_EXPAND, DefaultHandlerExpand) \
    HANDLER(NOT_STANDALONE, NotStandaloneHandler) \
    HANDLER(EXTERNAL_ENTITY_REF, ExternalEntityRefHandler) \
    HANDLER(START_DOCTYPE_DECL, StartDoctypeDeclHandler) \
    HANDLER(END_DOCTYPE_DECL, EndDoctypeDeclHandler) \
    HANDLER(ENTITY_DECL, EntityDeclHandler) \
    HANDLER(XML_DECL, XmlDeclHandler) \
    HANDLER(ELEMENT_DECL, ElementDeclHandler) \
    HANDLER(ATTLIST_DECL, AttlistDeclHandler) \
    HANDLER(SKIPPED_ENTITY, SkippedEntityHandler)

enum {
#define HANDLER(identifier, attribute) H_##identifier,
    HANDLERS(HANDLER)
#undef HANDLER
    HANDLER_COUNT
};

typedef struct parser {
    PyObject_HEAD
    XML_Parser parser;              /* [lock] */
    struct parser *parent;          /* [const] counted: whose external entity it parses, or NULL */
    struct parser *root;            /* [const] the outermost one, itself perhaps; its lock guards all */
    PyObject *handlers[HANDLER_COUNT];  /* [lock] or NULL */
    PyObject *intern;               /* [const] dict of names, or NULL */
    char *buffer;                   /* [lock] character data to be handed over, or NULL */
    int buffer_size, buffer_used;   /* [lock; atomic] the attributes read them without: SET_INT */
    int ordered_attributes, specified_attributes, namespace_prefixes;      /* [lock] */
    int in_callback, busy;          /* [lock] */
} parser_t;

#define SET_INT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

extern PyTypeObject parser_type;
extern PyObject *expat_error;       /* ExpatError; made by the first import */
extern PyGetSetDef parser_getset[];

#define BEGIN_PARSER(p) Py_BEGIN_CRITICAL_SECTION((p)->root)
#define END_PARSER() Py_END_CRITICAL_SECTION()

/* handlers.c. All of this within the section. */

/* Hands the buffered character data over. 0 or -1. */
int parser_flush(parser_t *p);
/* Makes value (NULL: none) the handler. */
void parser_set_handler(parser_t *p, int index, PyObject *value);
/* Tells expat about all handlers that are set. */
void parser_install_handlers(parser_t *p);
void parser_clear_handlers(parser_t *p);

/* parser.c */
PyObject *parser_new(const char *encoding, const char *separator, PyObject *intern);
/* Raises ExpatError; NULL. */
PyObject *parser_error(parser_t *p, enum XML_Error code);

#endif /* BRAID_PYEXPAT_INTERNAL_H */
