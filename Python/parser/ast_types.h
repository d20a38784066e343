/* The table of node classes and fields, derived from ast.def, shared by the conversion and the _ast module.
 *
 * Class codes run in the order of ast.def: the code of a kind is that of its family plus the kind's number
 * (AST_BinOp == AST_expr + BinOp_kind, AST_Add == AST_operator + Add). */
#ifndef BRAID_PARSER_AST_TYPES_H
#define BRAID_PARSER_AST_TYPES_H

#include "ast.h"

enum ast_code {
    AST_identifier, AST_string, AST_constant, AST_int, AST_node,
#define AST_SUM(sum, attrs) AST_##sum,
#define AST_ANY(name, fields) AST_##name,
#define AST_MOD AST_ANY
#define AST_STMT AST_ANY
#define AST_EXPR AST_ANY
#define AST_HANDLER AST_ANY
#define AST_PATTERN AST_ANY
#define AST_IGNORE AST_ANY
#define AST_PRODUCT(name, attrs, fields) AST_##name,
#define AST_CHOICE(family) AST_##family,
#define AST_VALUE(family, name) AST_##name,
#include "ast.def"
#undef AST_ANY
    AST_CODE_COUNT
};

enum ast_field_kind { AST_REQUIRED, AST_OPTIONAL, AST_SEQUENCE };

struct ast_field {
    const char *name, *type_name;
    short type;                         /* enum ast_code */
    short kind;
    int offset;                         /* from the start of the node */
};

enum ast_class_kind { AST_IS_SUM, AST_IS_NODE, AST_IS_PRODUCT, AST_IS_CHOICE, AST_IS_VALUE };

struct ast_class {
    const char *name;
    short base;                         /* AST_node for families and products */
    char kind;
    char located;                       /* has source positions */
    short n_fields;
    int size;                           /* of the C node */
    int position;                       /* offset of lineno in the C node */
    const struct ast_field *fields;
};

extern struct ast_class ast_classes[AST_CODE_COUNT];

/* [const] after ast_types_init: the class objects and the instances of choices */
extern PyObject *ast_class_objects[AST_CODE_COUNT];
extern PyObject *ast_value_objects[AST_CODE_COUNT];

/* Makes the classes once. Returns 0, or -1 with an exception set. Escapes yes. */
int ast_types_init(void);

#endif
