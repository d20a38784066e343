/* Expressions: between expressions.c, calls.c and statements.c. */
#ifndef BRAID_COMPILER_EXPRESSIONS_H
#define BRAID_COMPILER_EXPRESSIONS_H

#include "compiler_internal.h"

int compile_binary_right(compiler_t *c, operator_ty op, int inplace, int left, expr_ty right, int dst, expr_ty whole);
int compile_call(compiler_t *c, expr_ty e, int dst);
int compile_dict(compiler_t *c, expr_ty e, int dst);
int compile_sequence(compiler_t *c, expr_ty e, ast_expr_seq *elements, int dst);
int compile_formatted_value(compiler_t *c, expr_ty e, int dst);
int compile_joined_str(compiler_t *c, expr_ty e, int dst);
/* A list or set display of constants that is only looked through becomes a constant. */
void compile_fold_iterable(compiler_t *c, expr_ty e);

/* ---- checks.c: warn of what cannot be meant; 1, or 0 when the warning became an exception ---- */
int compile_check_call(compiler_t *c, expr_ty e);
int compile_check_subscript(compiler_t *c, expr_ty e);      /* of one that is read; folds the index */
int compile_check_comparison(compiler_t *c, expr_ty e);     /* folds the operands of `is` */

#endif /* BRAID_COMPILER_EXPRESSIONS_H */
