/* What the files of the _elementtree module share.
 *
 * An element's fields are read and exchanged within a critical section on it, as references of one's own. Its
 * children are a list, which locks itself and which no Python code sees; the field is set once, by the first
 * child, and cleared by clear(). Builders and parsers keep their state within a critical section on
 * themselves, which is suspended while factories and handlers run: what they need after that, they hold or
 * read again. */
#ifndef BRAID_ELEMENTTREE_H
#define BRAID_ELEMENTTREE_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <expat.h>

typedef struct {
    PyObject_HEAD
    PyObject *tag; /* [section], as the next ones; never NULL once made */
    PyObject *text, *tail;       /* never NULL once made */
    PyObject *attrib;            /* dict, or NULL: none yet */
    PyObject *children;          /* list of elements, or NULL: none yet */
    PyObject *weakrefs;
} element_t;

typedef struct {
    PyObject_HEAD
    PyObject *root; /* [section], as the next ones; or NULL */
    PyObject *current;            /* the open element, or NULL */
    PyObject *last;               /* the one that was opened or closed last, or NULL: gets the text to come */
    int in_tail;                  /* as its tail */
    PyObject *data;               /* that text: a str or other single piece, or a list, or NULL */
    PyObject *stack;              /* list: the elements around the current one */
    PyObject *element_factory, *comment_factory, *pi_factory; /* or NULL */
    int insert_comments, insert_pis;
    PyObject *append; /* of the queue of events, or NULL */
    PyObject *events; /* frozen set of the names of those that are wanted, or NULL */
} builder_t;

extern PyTypeObject element_type, element_iterator_type, builder_type, parser_type;
extern PyObject *parse_error; /* ParseError; made by the first import */

#define ELEMENT(op) ((element_t *)(op))
#define IS_ELEMENT(op) PyObject_TypeCheck((op), &element_type)

/* ---- Fields ---- */

/* What is in the field; a new reference, or NULL. */
static inline PyObject *field_get(PyObject *owner, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(owner);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}

/* Takes what is in the field out. */
static inline PyObject *field_exchange_steal(PyObject *owner, PyObject **field, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(owner);
    old = *field;
    *field = value;
    Py_END_CRITICAL_SECTION();
    return old;
}

static inline void field_set_steal(PyObject *owner, PyObject **field, PyObject *value)
{
    PyObject *old = field_exchange_steal(owner, field, value);
    Py_XDECREF(old);
}

/* Takes the value, unless there is one already; what is there then, a new reference. NULL if value is NULL
 * and none is. */
static inline PyObject *field_default_steal(PyObject *owner, PyObject **field, PyObject *value)
{
    PyObject *present, *spare = NULL;
    Py_BEGIN_CRITICAL_SECTION(owner);
    if (*field == NULL)
        *field = value;
    else
        spare = value;
    present = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(spare);
    return present;
}

/* ---- element.c ---- */

/* attrib: dict (not copied), or NULL. */
PyObject *element_new(PyObject *tag, PyObject *attrib);
/* A copy of base (or NULL) with what is in more (or NULL) beside it; NULL without an exception for nothing at
 * all. */
PyObject *element_merge_attributes(PyObject *base, PyObject *more);
/* The attributes of args and kwargs, which start after so many arguments; as above. *failed is set. */
PyObject *element_parse_attributes(PyObject *base, PyObject *kwargs, int *failed);

/* ---- element_children.c ---- */

int element_append_child(PyObject *op, PyObject *child);
/* The child at this index, or NULL: there is none there. */
PyObject *element_get_child(PyObject *op, Py_ssize_t index);
extern PyMappingMethods element_mapping;
extern PySequenceMethods element_sequence;
/* Raises TypeError unless child is an element. */
int element_check(PyObject *child);

/* Methods of elements. */
typedef PyObject *element_method(PyObject *op, PyObject *arg);
typedef PyObject *element_keyword_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
                                         PyObject *kwnames);
element_method element_append, element_extend, element_insert, element_remove;
/* element_find.c */
element_keyword_method element_find, element_findtext, element_findall, element_iterfind;

/* ---- element_iterator.c ---- */

PyObject *element_iterator_new(PyObject *root, PyObject *tag, int of_text);

/* ---- builder.c: the methods, as the parser calls them; new references ---- */

/* Sets the factory for "comment" or "pi" that builders use; *old is set to the last one, a new reference, or
 * NULL. */
int builder_set_default_factory(const char *name, PyObject *factory, PyObject **old);
PyObject *builder_start(PyObject *op, PyObject *tag, PyObject *attrib);
PyObject *builder_end(PyObject *op);
int builder_data(PyObject *op, PyObject *data);
PyObject *builder_comment(PyObject *op, PyObject *text),
    *builder_pi(PyObject *op, PyObject *target, PyObject *text);
PyObject *builder_close(PyObject *op);
/* Is the event wanted? */
int builder_wants(PyObject *op, const char *event);
/* Queues (event, value); value is stolen and may be NULL (failed already). */
int builder_queue_steal(PyObject *op, const char *event, PyObject *value);
int builder_set_events(PyObject *op, PyObject *queue, PyObject *events);

#endif /* BRAID_ELEMENTTREE_H */
