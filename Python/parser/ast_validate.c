#include "ast_types.h"
int ast_validate(mod_ty tree) { return tree != NULL; }
