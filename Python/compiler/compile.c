/* Entry of the compiler: __future__ imports, the module's unit. */
#include "Python.h"

#include "compiler.h"
#include "compiler_internal.h"
#include "interpreter.h"
#include "statements.h"
#include "well_known_strings.h"

/* ---- __future__ ---- */

static const struct { const char *name; int flag; } features[] = {
    {"nested_scopes", 0}, {"generators", 0}, {"division", 0}, {"absolute_import", 0}, {"with_statement", 0},
    {"print_function", 0}, {"unicode_literals", 0}, {"barry_as_FLUFL", CO_FUTURE_BARRY_AS_BDFL}, {"generator_stop", 0},
    {"annotations", CO_FUTURE_ANNOTATIONS},
};

/* Only where the statement begins is told. Returns 0. */
static int error_at(PyObject *filename, int lineno, int column, const char *format, PyObject *name)
{
    PyErr_Format(PyExc_SyntaxError, format, name);
    PyErr_SyntaxLocationObject(filename, lineno, column);
    return 0;
}

static int check_feature(PyObject *filename, stmt_ty s, PyObject *name, int *flags)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(features); i++)
        if (PyUnicode_CompareWithASCIIString(name, features[i].name) == 0) {
            *flags |= features[i].flag;
            return 1;
        }
    if (PyUnicode_CompareWithASCIIString(name, "braces") == 0)
        return error_at(filename, s->lineno, s->col_offset + 1, "not a chance", NULL);
    return error_at(filename, s->lineno, s->col_offset + 1, "future feature %.100U is not defined", name);
}

int compile_is_future_import(stmt_ty s)
{
    return s->kind == ImportFrom_kind && s->v.ImportFrom.module != NULL && s->v.ImportFrom.level == 0
           && PyUnicode_CompareWithASCIIString(s->v.ImportFrom.module, "__future__") == 0;
}

/* They stand first, behind the documentation string. Those on later lines are for compile_import_from to find, after the other errors
 * of the symbol table. *last_line: of the last one. */
static int read_features(PyObject *filename, ast_stmt_seq *body, int *flags, int *last_line)
{
    int done = 0, line = 0;
    for (Py_ssize_t i = 0; i < ast_len(body); i++) {
        stmt_ty s = body->elements[i];
        if (done && s->lineno > line)
            return 1;
        line = s->lineno;
        if (compile_is_future_import(s)) {
            if (done)
                return error_at(filename, s->lineno, s->col_offset, LATE_FUTURE_IMPORT, NULL);
            for (Py_ssize_t k = 0; k < ast_len(s->v.ImportFrom.names); k++)
                if (!check_feature(filename, s, s->v.ImportFrom.names->elements[k]->name, flags))
                    return 0;
            *last_line = s->lineno;
        }
        else if (!(i == 0 && ast_docstring(body) != NULL))
            done = 1;
    }
    return 1;
}

static int read_tree_features(mod_ty tree, PyObject *filename, int *flags, int *last_line)
{
    return tree->kind == Module_kind        ? read_features(filename, tree->v.Module.body, flags, last_line)
           : tree->kind == Interactive_kind ? read_features(filename, tree->v.Interactive.body, flags, last_line)
                                            : 1;
}

int compile_read_features(mod_ty tree, PyObject *filename, int *flags)
{
    int last_line;
    return read_tree_features(tree, filename, flags, &last_line);
}

/* ---- The module ---- */

static int compile_module_body(compiler_t *c, mod_ty tree)
{
    if (!compile_prologue(c))
        return 0;
    if (tree->kind == Expression_kind) {
        int v = compile_to_temp(c, tree->v.Expression.body);
        UNSET_POSITION(c);
        return v >= 0 && emit_abc(c, OP_RETURN, (unsigned)v, 0, 0);
    }
    c->interactive = tree->kind == Interactive_kind;
    ast_stmt_seq *body = tree->kind == Interactive_kind ? tree->v.Interactive.body : tree->v.Module.body;
    if (!compile_body(c, body))
        return 0;
    UNSET_POSITION(c);
    return compile_return_none(c);
}

PyObject *compile_tree(mod_ty tree, PyObject *filename, int *flags, int optimize, arena *a)
{
    compiler_t c = {.filename = filename, .arena = a, .future_line = -1};
    PyObject *code = NULL;
    if (!read_tree_features(tree, filename, flags, &c.future_line))
        return NULL;
    c.flags = *flags;
    c.optimize = optimize >= 0 ? optimize : interpreter_get_main()->config.optimization_level;
    c.symtable = symtable_build(tree, filename, c.flags, a);
    if (c.symtable == NULL || !unit_enter(&c, UNIT_MODULE, STR(anon_module), tree, 1))
        return NULL;
    c.unit->position = (position_t){0, 1, 0, 0};
    if (compile_module_body(&c, tree))
        code = unit_assemble(&c);
    while (c.unit != NULL)
        unit_leave(&c);
    return code;
}
