/* The symbol table: which names of each scope are local, global, free or cells.
 *
 * A first walk over the tree collects definitions and uses per scope; a second one, from the module inwards, decides. Scopes and what
 * they hold belong to the arena of the tree. One thread. */
#ifndef BRAID_SYMTABLE_H
#define BRAID_SYMTABLE_H

#include "ast.h"

enum {
    DEF_GLOBAL = 1,         /* global statement */
    DEF_LOCAL = 2,          /* assigned */
    DEF_PARAM = 4,
    DEF_NONLOCAL = 8,
    USE = 16,
    DEF_FREE = 32,          /* used by an inner scope, free here */
    DEF_FREE_CLASS = 64,    /* free variable from a class's method (also known in the class by another meaning) */
    DEF_IMPORT = 128,
    DEF_ANNOT = 256,
    DEF_COMP_ITER = 512,    /* iteration variable of a comprehension */
    DEF_NAMED = 1024,       /* target of := */
    DEF_BOUND = DEF_LOCAL | DEF_PARAM | DEF_IMPORT,
    SCOPE_SHIFT = 12,
};

typedef enum { SCOPE_UNKNOWN, SCOPE_LOCAL, SCOPE_GLOBAL_EXPLICIT, SCOPE_GLOBAL_IMPLICIT, SCOPE_FREE, SCOPE_CELL } symbol_scope_t;

typedef enum { SCOPE_FUNCTION, SCOPE_CLASS, SCOPE_MODULE, SCOPE_ANNOTATION } scope_kind_t;
typedef enum { NOT_COMPREHENSION, LIST_COMPREHENSION, SET_COMPREHENSION, DICT_COMPREHENSION, GENERATOR_EXPRESSION } comprehension_kind_t;

typedef struct scope {
    scope_kind_t kind;
    comprehension_kind_t comprehension;
    PyObject *name;             /* borrowed: the arena keeps it */
    void *node;                 /* the tree node that opens it */
    struct scope *parent, *first_child, *last_child, *next_sibling;
    PyObject *symbols;          /* dict name -> flags | scope << SCOPE_SHIFT; owned by the arena */
    PyObject *varnames;         /* list: parameters in order */
    PyObject *class_name;       /* of the class around it, for private names; or NULL */
    PyObject *directives;       /* list of (name, lineno, column, end...) of global and nonlocal, for messages */
    unsigned nested : 1, generator : 1, coroutine : 1, varargs : 1, varkeywords : 1, returns_value : 1, needs_class_closure : 1,
        child_free : 1, free : 1, comp_iter_target : 1, has_await : 1;
    int comp_iter_expr;
    int lineno, col_offset, end_lineno, end_col_offset;
} scope_t;

typedef struct symtable {
    arena *arena;
    PyObject *filename;
    scope_t *top, *current;
    PyObject *by_node;          /* dict address -> address of scope; owned by the arena */
    PyObject *global_names;     /* symbols of the module scope */
    PyObject *class_name;
    int future_annotations;
} symtable_t;

/* Builds the table. Returns it, in the tree's arena, or NULL with SyntaxError, ... set. */
symtable_t *symtable_build(mod_ty tree, PyObject *filename, int future_flags, arena *a);

scope_t *symtable_scope(symtable_t *st, void *node);
long symbol_flags(scope_t *scope, PyObject *name);
static inline symbol_scope_t symbol_scope(long flags) { return (symbol_scope_t)(flags >> SCOPE_SHIFT); }

/* name as mangled inside class_name (which may be NULL). New reference. */
PyObject *symtable_mangle(PyObject *class_name, PyObject *name);

/* SyntaxError at a position (columns from 0), told by the symbol table or by a __future__ import. Returns 0. */
int syntax_error_at(PyObject *filename, int lineno, int col, int end_lineno, int end_col, const char *format, ...);

#endif /* BRAID_SYMTABLE_H */
