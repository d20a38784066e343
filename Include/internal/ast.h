/* The syntax tree as C structs, derived from ast.def.
 *
 *   expr_ty e;  e->kind == BinOp_kind;  e->v.BinOp.left;  e->lineno
 *   arg_ty a;   a->arg;  a->annotation                      (products have no kind and no v)
 *   operator_ty op == Add                                    (choices are enums; 0 is no value)
 *   ast_expr_seq *s;  ast_len(s);  s->elements[i]            (a sequence field may be NULL: the same as empty)
 *
 * lineno counts from 1, col_offset counts UTF-8 bytes from 0; the end is exclusive.
 * Nodes, sequences and the objects they refer to belong to an arena. identifier fields are interned exact str.
 * None occurs as a NULL element in Dict.keys (a ** entry) and arguments.kw_defaults (no default) only. */
#ifndef BRAID_INTERNAL_AST_H
#define BRAID_INTERNAL_AST_H

#include <Python.h>
#include "arena.h"

typedef struct mod *mod_ty;
typedef struct stmt *stmt_ty;
typedef struct expr *expr_ty;
typedef struct excepthandler *excepthandler_ty;
typedef struct pattern *pattern_ty;
typedef struct type_ignore *type_ignore_ty;
typedef struct comprehension *comprehension_ty;
typedef struct arguments *arguments_ty;
typedef struct arg *arg_ty;
typedef struct keyword *keyword_ty;
typedef struct alias *alias_ty;
typedef struct withitem *withitem_ty;
typedef struct match_case *match_case_ty;
typedef PyObject *identifier_ty;
typedef PyObject *string_ty;
typedef PyObject *constant_ty;
typedef int int_ty;

typedef enum { Load = 1, Store, Del } expr_context_ty;
typedef enum { And = 1, Or } boolop_ty;
typedef enum {
    Add = 1, Sub, Mult, MatMult, Div, Mod, Pow, LShift, RShift, BitOr, BitXor, BitAnd, FloorDiv
} operator_ty;
typedef enum { Invert = 1, Not, UAdd, USub } unaryop_ty;
typedef enum { Eq = 1, NotEq, Lt, LtE, Gt, GtE, Is, IsNot, In, NotIn } cmpop_ty;

/* All sequences have one layout, so that ast_seq stands for any of them. */
#define AST_DEFINE_SEQ(type) typedef struct { Py_ssize_t size; type##_ty elements[]; } ast_##type##_seq;
typedef struct { Py_ssize_t size; void *elements[]; } ast_seq;
AST_DEFINE_SEQ(stmt)
AST_DEFINE_SEQ(expr)
AST_DEFINE_SEQ(excepthandler)
AST_DEFINE_SEQ(pattern)
AST_DEFINE_SEQ(type_ignore)
AST_DEFINE_SEQ(comprehension)
AST_DEFINE_SEQ(arg)
AST_DEFINE_SEQ(keyword)
AST_DEFINE_SEQ(alias)
AST_DEFINE_SEQ(withitem)
AST_DEFINE_SEQ(match_case)
AST_DEFINE_SEQ(identifier)
typedef struct { Py_ssize_t size; cmpop_ty elements[]; } ast_cmpop_seq;     /* elements of 4 bytes */

#define ast_len(seq) ((seq) == NULL ? 0 : (seq)->size)

#define REQ(type, name) type##_ty name;
#define OPT(type, name) type##_ty name;
#define SEQ(type, name) ast_##type##_seq *name;

/* payload structs, one per kind: struct ast_BinOp */
#define AST_PAYLOAD(name, fields) struct ast_##name { fields };
#define AST_MOD AST_PAYLOAD
#define AST_STMT AST_PAYLOAD
#define AST_EXPR AST_PAYLOAD
#define AST_HANDLER AST_PAYLOAD
#define AST_PATTERN AST_PAYLOAD
#define AST_IGNORE AST_PAYLOAD
#include "ast.def"

/* kind enums: mod_kind, stmt_kind, ... with BinOp_kind, ... counted from 1 within their sum */
#define AST_KIND(name, fields) name##_kind,
enum mod_kind { mod_no_kind,
#define AST_MOD AST_KIND
#include "ast.def"
};
enum stmt_kind { stmt_no_kind,
#define AST_STMT AST_KIND
#include "ast.def"
};
enum expr_kind { expr_no_kind,
#define AST_EXPR AST_KIND
#include "ast.def"
};
enum excepthandler_kind { excepthandler_no_kind,
#define AST_HANDLER AST_KIND
#include "ast.def"
};
enum pattern_kind { pattern_no_kind,
#define AST_PATTERN AST_KIND
#include "ast.def"
};
enum type_ignore_kind { type_ignore_no_kind,
#define AST_IGNORE AST_KIND
#include "ast.def"
};

#define AST_POSITIONS int lineno, col_offset, end_lineno, end_col_offset;
#define AST_MEMBER(name, fields) struct ast_##name name;

struct mod {
    enum mod_kind kind;
    union {
#define AST_MOD AST_MEMBER
#include "ast.def"
    } v;
};
struct stmt {
    enum stmt_kind kind;
    AST_POSITIONS
    union {
#define AST_STMT AST_MEMBER
#include "ast.def"
    } v;
};
struct expr {
    enum expr_kind kind;
    AST_POSITIONS
    union {
#define AST_EXPR AST_MEMBER
#include "ast.def"
    } v;
};
struct excepthandler {
    enum excepthandler_kind kind;
    AST_POSITIONS
    union {
#define AST_HANDLER AST_MEMBER
#include "ast.def"
    } v;
};
struct pattern {
    enum pattern_kind kind;
    AST_POSITIONS
    union {
#define AST_PATTERN AST_MEMBER
#include "ast.def"
    } v;
};
struct type_ignore {
    enum type_ignore_kind kind;
    union {
#define AST_IGNORE AST_MEMBER
#include "ast.def"
    } v;
};

#define AST_LOCATED AST_POSITIONS
#define AST_BARE
#define AST_PRODUCT(name, attrs, fields) struct name { attrs fields };
#include "ast.def"
#undef AST_LOCATED
#undef AST_BARE
#undef REQ
#undef OPT
#undef SEQ
#undef AST_PAYLOAD
#undef AST_KIND
#undef AST_MEMBER

/* Allocates a sequence of size elements, all NULL; cast to the type of sequence wanted. Size 0 gives an empty sequence.
 * Returns  the sequence, or NULL with MemoryError set */
ast_seq *ast_seq_new(Py_ssize_t size, arena *a);
ast_cmpop_seq *ast_cmpop_seq_new(Py_ssize_t size, arena *a);

/* Tree -> objects of the _ast classes.
 * Returns  a new reference, or NULL with an exception set
 * Escapes  yes */
PyObject *ast_to_object(mod_ty tree);

/* Objects -> tree, checked: what it returns is as well-formed as what the parser makes.
 * mode     0 exec (Module), 1 eval (Expression), 2 single (Interactive); TypeError when object is of another kind
 * Returns  the tree in the arena, or NULL with TypeError, ValueError, ... set
 * Escapes  yes (attribute look-ups) */
mod_ty ast_from_object(PyObject *object, arena *a, int mode);

/* Returns  1 or 0: is it an instance of _ast.AST?, or -1 with an exception set */
int ast_object_check(PyObject *object);

/* Checks the well-formedness that the parser guarantees (contexts, empty bodies, forbidden names, ...).
 * Returns  1, or 0 with ValueError, TypeError, ... set */
int ast_validate(mod_ty tree);

/* The text of the docstring that starts a body: its Constant expression, or NULL. */
static inline expr_ty ast_docstring(ast_stmt_seq *body)
{
    if (ast_len(body) == 0 || body->elements[0]->kind != Expr_kind)
        return NULL;
    expr_ty e = body->elements[0]->v.Expr.value;
    return e->kind == Constant_kind && PyUnicode_CheckExact(e->v.Constant.value) ? e : NULL;
}

/* Expression -> source text (annotations under from __future__ import annotations, ast.unparse style).
 * Returns  a new str, or NULL with an exception set */
PyObject *ast_expr_as_text(expr_ty e);

#endif
