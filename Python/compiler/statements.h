/* Statements: between statements.c, try.c and patterns.c. */
#ifndef BRAID_COMPILER_STATEMENTS_H
#define BRAID_COMPILER_STATEMENTS_H

#include "compiler_internal.h"

int compile_stmts(compiler_t *c, ast_stmt_seq *body);
/* Where a loop's item goes: a plain local's slot, or a new temporary. */
int compile_loop_slot(compiler_t *c, expr_ty target);
int compile_prologue(compiler_t *c);
int compile_return_none(compiler_t *c);

#endif /* BRAID_COMPILER_STATEMENTS_H */
