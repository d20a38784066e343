/* First walk of the symbol table: definitions and uses. (What they mean: symtable_analyze.c.) */
#include "Python.h"

#include "symtable_internal.h"
#include "well_known_strings.h"

/* ---- Errors ---- */

int syntax_error_at(PyObject *filename, int lineno, int col, int end_lineno, int end_col, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    if (message == NULL)
        return 0;
    PyErr_SetObject(PyExc_SyntaxError, message);        /* as in CPython the place is no part of its args */
    PyErr_RangedSyntaxLocationObject(filename, lineno, col + 1, end_lineno, end_col + 1);
    Py_DECREF(message);
    return 0;
}

#define ERROR_AT(st, node, ...) \
    syntax_error_at((st)->filename, (node)->lineno, (node)->col_offset, (node)->end_lineno, (node)->end_col_offset, __VA_ARGS__)

/* ---- Scopes and symbols ---- */

PyObject *symtable_mangle(PyObject *class_name, PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (class_name == NULL || n < 3 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_'
        || (PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_')
        || PyUnicode_FindChar(name, '.', 0, n, 1) >= 0)
        return Py_NewRef(name);
    Py_ssize_t first = 0, length = PyUnicode_GET_LENGTH(class_name);
    while (first < length && PyUnicode_READ_CHAR(class_name, first) == '_')
        first++;
    if (first == length)
        return Py_NewRef(name);
    PyObject *stripped = PyUnicode_Substring(class_name, first, length);
    PyObject *mangled = stripped != NULL ? PyUnicode_FromFormat("_%U%U", stripped, name) : NULL;
    Py_XDECREF(stripped);
    if (mangled != NULL)
        PyUnicode_InternInPlace(&mangled);
    return mangled;
}

static PyObject *keep(symtable_t *st, PyObject *op)
{
    return op != NULL && arena_keep_steal(st->arena, op) == 0 ? op : NULL;
}

static scope_t *enter_scope(symtable_t *st, scope_kind_t kind, PyObject *name, void *node, int lineno, int col, int end_lineno,
                            int end_col)
{
    scope_t *scope = arena_alloc(st->arena, sizeof(scope_t));
    if (scope == NULL)
        return NULL;
    memset(scope, 0, sizeof(*scope));
    scope->kind = kind;
    scope->name = name;
    scope->node = node;
    scope->parent = st->current;
    scope->lineno = lineno;
    scope->col_offset = col;
    scope->end_lineno = end_lineno;
    scope->end_col_offset = end_col;
    scope->class_name = st->class_name;
    scope->symbols = keep(st, PyDict_New());
    scope->varnames = keep(st, PyList_New(0));
    scope->directives = keep(st, PyList_New(0));
    PyObject *key = PyLong_FromVoidPtr(node), *value = PyLong_FromVoidPtr(scope);
    int status = scope->symbols != NULL && scope->varnames != NULL && scope->directives != NULL && key != NULL && value != NULL
                     ? PyDict_SetItem(st->by_node, key, value)
                     : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    if (status < 0)
        return NULL;
    if (scope->parent != NULL) {
        scope_t *parent = scope->parent;
        scope->comp_iter_expr = parent->comp_iter_expr;
    }
    if (scope->parent != NULL && kind != SCOPE_ANNOTATION) {
        scope_t *parent = scope->parent;
        scope->nested = parent->nested || parent->kind == SCOPE_FUNCTION;
        if (parent->last_child != NULL)
            parent->last_child->next_sibling = scope;
        else
            parent->first_child = scope;
        parent->last_child = scope;
    }
    st->current = scope;
    return scope;
}

static void leave_scope(symtable_t *st) { st->current = st->current->parent; }

scope_t *symtable_scope(symtable_t *st, void *node)
{
    PyObject *key = PyLong_FromVoidPtr(node), *value = NULL;
    if (key == NULL)
        return NULL;
    int found = PyDict_GetItemRef(st->by_node, key, &value);
    Py_DECREF(key);
    scope_t *scope = found > 0 ? PyLong_AsVoidPtr(value) : NULL;
    Py_XDECREF(value);
    if (scope == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "a scope is missing from the symbol table");
    return scope;
}

static long flags_of(PyObject *symbols, PyObject *name)
{
    PyObject *value;
    if (PyDict_GetItemRef(symbols, name, &value) <= 0)
        return 0;
    long flags = PyLong_AsLong(value);
    Py_DECREF(value);
    return flags;
}

long symbol_flags(scope_t *scope, PyObject *name) { return flags_of(scope->symbols, name); }

int symtable_set_flags(PyObject *symbols, PyObject *name, long flags)
{
    PyObject *value = PyLong_FromLong(flags);
    int status = value != NULL ? PyDict_SetItem(symbols, name, value) : -1;
    Py_XDECREF(value);
    return status == 0;
}

/* Adds flags to a name of a given scope. Returns 1, or 0 with an exception. */
static int add_to(symtable_t *st, scope_t *scope, PyObject *name, long flag, int lineno, int col, int end_lineno, int end_col)
{
    PyObject *mangled = symtable_mangle(st->class_name, name);
    int ok = 0;
    if (mangled == NULL)
        return 0;
    long flags = flags_of(scope->symbols, mangled);
    if ((flag & DEF_PARAM) && (flags & DEF_PARAM)) {
        syntax_error_at(st->filename, lineno, col, end_lineno, end_col, "duplicate argument '%U' in function definition", name);
        goto done;
    }
    flags |= flag;
    if (scope->comp_iter_target) {
        if (flags & (DEF_GLOBAL | DEF_NONLOCAL)) {
            syntax_error_at(st->filename, lineno, col, end_lineno, end_col,
                            "comprehension inner loop cannot rebind assignment expression target '%U'", name);
            goto done;
        }
        flags |= DEF_COMP_ITER;
    }
    ok = symtable_set_flags(scope->symbols, mangled, flags);
    if (ok && (flag & DEF_PARAM))
        ok = PyList_Append(scope->varnames, mangled) == 0;
    else if (ok && (flag & DEF_GLOBAL))
        ok = symtable_set_flags(st->global_names, mangled, flags_of(st->global_names, mangled) | flag);
done:
    Py_DECREF(mangled);
    return ok;
}

#define ADD(st, name, flag, node) \
    add_to((st), (st)->current, (name), (flag), (node)->lineno, (node)->col_offset, (node)->end_lineno, (node)->end_col_offset)

/* ---- Walk ---- */

#define VISIT(function, st, node) \
    do { \
        if (!function((st), (node))) \
            return 0; \
    } while (0)
#define VISIT_OPTIONAL(function, st, node) \
    do { \
        if ((node) != NULL && !function((st), (node))) \
            return 0; \
    } while (0)
#define VISIT_SEQ(function, st, seq) \
    do { \
        for (Py_ssize_t i_ = 0; i_ < ast_len(seq); i_++) \
            if ((seq)->elements[i_] != NULL && !function((st), (seq)->elements[i_])) \
                return 0; \
    } while (0)

static int visit_stmt(symtable_t *st, stmt_ty s);
static int visit_expr(symtable_t *st, expr_ty e);
static int visit_pattern(symtable_t *st, pattern_ty p);

static int visit_keyword(symtable_t *st, keyword_ty k) { return visit_expr(st, k->value); }

static int visit_annotation(symtable_t *st, expr_ty annotation)
{
    if (!st->future_annotations)
        return visit_expr(st, annotation);
    /* it will be a string: a scope of its own that nobody looks into keeps its names away, but mistakes are told */
    scope_t *around = st->current;
    scope_t *scope = enter_scope(st, SCOPE_ANNOTATION, STR(top), annotation, annotation->lineno, annotation->col_offset,
                                 annotation->end_lineno, annotation->end_col_offset);
    int ok = scope != NULL && visit_expr(st, annotation);
    st->current = around;
    return ok;
}

static int forbid_in_annotation(symtable_t *st, expr_ty e, const char *what)
{
    if (st->current->kind != SCOPE_ANNOTATION)
        return 1;
    return ERROR_AT(st, e, "'%s' can not be used within an annotation", what);
}

static int visit_arg_annotation(symtable_t *st, arg_ty a)
{
    return a->annotation != NULL ? visit_annotation(st, a->annotation) : 1;
}

static int visit_annotations(symtable_t *st, arguments_ty args, expr_ty returns)
{
    VISIT_SEQ(visit_arg_annotation, st, args->posonlyargs);
    VISIT_SEQ(visit_arg_annotation, st, args->args);
    VISIT_OPTIONAL(visit_arg_annotation, st, args->vararg);
    VISIT_OPTIONAL(visit_arg_annotation, st, args->kwarg);
    VISIT_SEQ(visit_arg_annotation, st, args->kwonlyargs);
    VISIT_OPTIONAL(visit_annotation, st, returns);
    return 1;
}

static int define_parameter(symtable_t *st, arg_ty a) { return ADD(st, a->arg, DEF_PARAM, a); }

static int define_parameters(symtable_t *st, arguments_ty args)
{
    VISIT_SEQ(define_parameter, st, args->posonlyargs);
    VISIT_SEQ(define_parameter, st, args->args);
    VISIT_SEQ(define_parameter, st, args->kwonlyargs);
    if (args->vararg != NULL) {
        VISIT(define_parameter, st, args->vararg);
        st->current->varargs = 1;
    }
    if (args->kwarg != NULL) {
        VISIT(define_parameter, st, args->kwarg);
        st->current->varkeywords = 1;
    }
    return 1;
}

static int visit_function(symtable_t *st, stmt_ty s, PyObject *name, arguments_ty args, ast_stmt_seq *body,
                          ast_expr_seq *decorators, expr_ty returns, int is_async)
{
    if (!ADD(st, name, DEF_LOCAL, s))
        return 0;
    VISIT_SEQ(visit_expr, st, args->defaults);
    VISIT_SEQ(visit_expr, st, args->kw_defaults);
    if (!visit_annotations(st, args, returns))
        return 0;
    VISIT_SEQ(visit_expr, st, decorators);
    if (enter_scope(st, SCOPE_FUNCTION, name, s, s->lineno, s->col_offset, s->end_lineno, s->end_col_offset) == NULL)
        return 0;
    st->current->coroutine = is_async;
    if (!define_parameters(st, args))
        return 0;
    VISIT_SEQ(visit_stmt, st, body);
    leave_scope(st);
    return 1;
}

static int visit_class(symtable_t *st, stmt_ty s)
{
    if (!ADD(st, s->v.ClassDef.name, DEF_LOCAL, s))
        return 0;
    VISIT_SEQ(visit_expr, st, s->v.ClassDef.bases);
    VISIT_SEQ(visit_keyword, st, s->v.ClassDef.keywords);
    VISIT_SEQ(visit_expr, st, s->v.ClassDef.decorator_list);
    PyObject *outer = st->class_name;
    if (enter_scope(st, SCOPE_CLASS, s->v.ClassDef.name, s, s->lineno, s->col_offset, s->end_lineno, s->end_col_offset) == NULL)
        return 0;
    st->class_name = s->v.ClassDef.name;
    st->current->class_name = st->class_name;
    VISIT_SEQ(visit_stmt, st, s->v.ClassDef.body);
    leave_scope(st);
    st->class_name = outer;
    return 1;
}

/* global and nonlocal */
static int visit_directive(symtable_t *st, stmt_ty s, ast_identifier_seq *names, int is_global)
{
    const char *what = is_global ? "global" : "nonlocal";
    for (Py_ssize_t i = 0; i < ast_len(names); i++) {
        PyObject *name = names->elements[i];
        PyObject *mangled = symtable_mangle(st->class_name, name);
        if (mangled == NULL)
            return 0;
        long flags = flags_of(st->current->symbols, mangled);
        Py_DECREF(mangled);
        if (flags & DEF_PARAM)
            return ERROR_AT(st, s, "name '%U' is parameter and %s", name, what);
        if (flags & USE)
            return ERROR_AT(st, s, "name '%U' is used prior to %s declaration", name, what);
        if (flags & DEF_ANNOT)
            return ERROR_AT(st, s, "annotated name '%U' can't be %s", name, what);
        if (flags & DEF_LOCAL)
            return ERROR_AT(st, s, "name '%U' is assigned to before %s declaration", name, what);
        if (!ADD(st, name, is_global ? DEF_GLOBAL : DEF_NONLOCAL, s))
            return 0;
        PyObject *entry = Py_BuildValue("(Oiiii)", name, s->lineno, s->col_offset, s->end_lineno, s->end_col_offset);
        int status = entry != NULL ? PyList_Append(st->current->directives, entry) : -1;
        Py_XDECREF(entry);
        if (status < 0)
            return 0;
    }
    return 1;
}

static int visit_alias(symtable_t *st, alias_ty a)
{
    PyObject *name = a->asname != NULL ? a->asname : a->name;
    if (PyUnicode_CompareWithASCIIString(name, "*") == 0) {
        if (st->current->kind != SCOPE_MODULE)
            return ERROR_AT(st, a, "import * only allowed at module level");
        return 1;
    }
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    if (dot < 0)
        return ADD(st, name, DEF_IMPORT, a);
    PyObject *first = PyUnicode_Substring(name, 0, dot);
    if (first == NULL)
        return 0;
    PyUnicode_InternInPlace(&first);
    if (arena_keep_steal(st->arena, first) < 0)
        return 0;
    return ADD(st, first, DEF_IMPORT, a);
}

static int visit_withitem(symtable_t *st, withitem_ty item)
{
    VISIT(visit_expr, st, item->context_expr);
    VISIT_OPTIONAL(visit_expr, st, item->optional_vars);
    return 1;
}

static int visit_handler(symtable_t *st, excepthandler_ty h)
{
    VISIT_OPTIONAL(visit_expr, st, h->v.ExceptHandler.type);
    if (h->v.ExceptHandler.name != NULL && !ADD(st, h->v.ExceptHandler.name, DEF_LOCAL, h))
        return 0;
    VISIT_SEQ(visit_stmt, st, h->v.ExceptHandler.body);
    return 1;
}

static int visit_match_case(symtable_t *st, match_case_ty c)
{
    VISIT(visit_pattern, st, c->pattern);
    VISIT_OPTIONAL(visit_expr, st, c->guard);
    VISIT_SEQ(visit_stmt, st, c->body);
    return 1;
}

static int visit_ann_assign(symtable_t *st, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target;
    if (target->kind == Name_kind) {
        PyObject *name = target->v.Name.id;
        PyObject *mangled = symtable_mangle(st->class_name, name);
        if (mangled == NULL)
            return 0;
        long flags = flags_of(st->current->symbols, mangled);
        Py_DECREF(mangled);
        if ((flags & (DEF_GLOBAL | DEF_NONLOCAL)) && st->current->symbols != st->global_names && s->v.AnnAssign.simple)
            return ERROR_AT(st, s, "annotated name '%U' can't be %s", name, flags & DEF_GLOBAL ? "global" : "nonlocal");
        if (s->v.AnnAssign.simple && !ADD(st, name, DEF_ANNOT | DEF_LOCAL, target))
            return 0;
        if (!s->v.AnnAssign.simple && s->v.AnnAssign.value != NULL && !ADD(st, name, DEF_LOCAL, target))
            return 0;
    }
    else
        VISIT(visit_expr, st, target);
    if (!visit_annotation(st, s->v.AnnAssign.annotation))
        return 0;
    VISIT_OPTIONAL(visit_expr, st, s->v.AnnAssign.value);
    return 1;
}

static int visit_simple_stmt(symtable_t *st, stmt_ty s)
{
    switch (s->kind) {
    case Return_kind:
        if (s->v.Return.value != NULL) {
            VISIT(visit_expr, st, s->v.Return.value);
            st->current->returns_value = 1;
        }
        return 1;
    case Delete_kind:
        VISIT_SEQ(visit_expr, st, s->v.Delete.targets);
        return 1;
    case Assign_kind:
        VISIT_SEQ(visit_expr, st, s->v.Assign.targets);
        VISIT(visit_expr, st, s->v.Assign.value);
        return 1;
    case AugAssign_kind:
        VISIT(visit_expr, st, s->v.AugAssign.target);
        VISIT(visit_expr, st, s->v.AugAssign.value);
        return 1;
    case AnnAssign_kind:
        return visit_ann_assign(st, s);
    case Raise_kind:
        VISIT_OPTIONAL(visit_expr, st, s->v.Raise.exc);
        VISIT_OPTIONAL(visit_expr, st, s->v.Raise.cause);
        return 1;
    case Assert_kind:
        VISIT(visit_expr, st, s->v.Assert.test);
        VISIT_OPTIONAL(visit_expr, st, s->v.Assert.msg);
        return 1;
    case Import_kind:
        VISIT_SEQ(visit_alias, st, s->v.Import.names);
        return 1;
    case ImportFrom_kind:
        VISIT_SEQ(visit_alias, st, s->v.ImportFrom.names);
        return 1;
    case Global_kind:
        return visit_directive(st, s, s->v.Global.names, 1);
    case Nonlocal_kind:
        return visit_directive(st, s, s->v.Nonlocal.names, 0);
    case Expr_kind:
        return visit_expr(st, s->v.Expr.value);
    default:
        return 1;
    }
}

static int visit_try(symtable_t *st, ast_stmt_seq *body, ast_excepthandler_seq *handlers, ast_stmt_seq *orelse, ast_stmt_seq *final)
{
    VISIT_SEQ(visit_stmt, st, body);
    VISIT_SEQ(visit_stmt, st, orelse);
    VISIT_SEQ(visit_handler, st, handlers);
    VISIT_SEQ(visit_stmt, st, final);
    return 1;
}

static int visit_stmt_body(symtable_t *st, stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
        return visit_function(st, s, s->v.FunctionDef.name, s->v.FunctionDef.args, s->v.FunctionDef.body,
                              s->v.FunctionDef.decorator_list, s->v.FunctionDef.returns, 0);
    case AsyncFunctionDef_kind:
        return visit_function(st, s, s->v.AsyncFunctionDef.name, s->v.AsyncFunctionDef.args, s->v.AsyncFunctionDef.body,
                              s->v.AsyncFunctionDef.decorator_list, s->v.AsyncFunctionDef.returns, 1);
    case ClassDef_kind:
        return visit_class(st, s);
    case For_kind:
    case AsyncFor_kind:         /* the same fields */
        if (s->kind == AsyncFor_kind)
            st->current->coroutine = 1;
        VISIT(visit_expr, st, s->v.For.target);
        VISIT(visit_expr, st, s->v.For.iter);
        VISIT_SEQ(visit_stmt, st, s->v.For.body);
        VISIT_SEQ(visit_stmt, st, s->v.For.orelse);
        return 1;
    case While_kind:
        VISIT(visit_expr, st, s->v.While.test);
        VISIT_SEQ(visit_stmt, st, s->v.While.body);
        VISIT_SEQ(visit_stmt, st, s->v.While.orelse);
        return 1;
    case If_kind:
        VISIT(visit_expr, st, s->v.If.test);
        VISIT_SEQ(visit_stmt, st, s->v.If.body);
        VISIT_SEQ(visit_stmt, st, s->v.If.orelse);
        return 1;
    case With_kind:
    case AsyncWith_kind:
        if (s->kind == AsyncWith_kind)
            st->current->coroutine = 1;
        VISIT_SEQ(visit_withitem, st, s->v.With.items);
        VISIT_SEQ(visit_stmt, st, s->v.With.body);
        return 1;
    case Match_kind:
        VISIT(visit_expr, st, s->v.Match.subject);
        VISIT_SEQ(visit_match_case, st, s->v.Match.cases);
        return 1;
    case Try_kind:
        return visit_try(st, s->v.Try.body, s->v.Try.handlers, s->v.Try.orelse, s->v.Try.finalbody);
    case TryStar_kind:
        return visit_try(st, s->v.TryStar.body, s->v.TryStar.handlers, s->v.TryStar.orelse, s->v.TryStar.finalbody);
    default:
        return visit_simple_stmt(st, s);
    }
}

static int visit_stmt(symtable_t *st, stmt_ty s)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = visit_stmt_body(st, s);
    Py_LeaveRecursiveCall();
    return ok;
}

/* ---- Expressions ---- */

static int visit_comprehension(symtable_t *st, expr_ty e, PyObject *name, comprehension_kind_t kind, ast_comprehension_seq *generators,
                               expr_ty element, expr_ty value)
{
    comprehension_ty outermost = generators->elements[0];
    /* the first iterable belongs to the scope around */
    st->current->comp_iter_expr++;
    VISIT(visit_expr, st, outermost->iter);
    st->current->comp_iter_expr--;
    if (enter_scope(st, SCOPE_FUNCTION, name, e, e->lineno, e->col_offset, e->end_lineno, e->end_col_offset) == NULL)
        return 0;
    scope_t *scope = st->current;
    scope->comprehension = kind;
    if (outermost->is_async)
        scope->coroutine = 1;
    if (!ADD(st, STR(dot_zero), DEF_PARAM, e))
        return 0;
    for (Py_ssize_t i = 0; i < ast_len(generators); i++) {
        comprehension_ty c = generators->elements[i];
        scope->comp_iter_target = 1;
        VISIT(visit_expr, st, c->target);
        scope->comp_iter_target = 0;
        if (i > 0) {
            scope->comp_iter_expr++;
            VISIT(visit_expr, st, c->iter);
            scope->comp_iter_expr--;
        }
        VISIT_SEQ(visit_expr, st, c->ifs);
        if (c->is_async)
            scope->coroutine = 1;
    }
    VISIT_OPTIONAL(visit_expr, st, value);
    VISIT(visit_expr, st, element);
    scope->generator = kind == GENERATOR_EXPRESSION;
    int is_async = scope->coroutine && kind != GENERATOR_EXPRESSION;
    leave_scope(st);
    if (is_async)
        st->current->coroutine = 1;
    return 1;
}

static const char *comprehension_text(scope_t *scope)
{
    switch (scope->comprehension) {
    case LIST_COMPREHENSION: return "list comprehension";
    case SET_COMPREHENSION: return "set comprehension";
    case DICT_COMPREHENSION: return "dict comprehension";
    default: return "generator expression";
    }
}

/* := inside comprehensions binds in the function or module around them. */
static int extend_named_expr(symtable_t *st, expr_ty target)
{
    PyObject *name = target->v.Name.id;
    for (scope_t *scope = st->current; scope != NULL; scope = scope->parent) {
        if (scope->comprehension != NOT_COMPREHENSION) {
            PyObject *mangled = symtable_mangle(st->class_name, name);
            if (mangled == NULL)
                return 0;
            long flags = flags_of(scope->symbols, mangled);
            Py_DECREF(mangled);
            if (flags & DEF_COMP_ITER)
                return ERROR_AT(st, target, "assignment expression cannot rebind comprehension iteration variable '%U'", name);
            continue;
        }
        int line = target->lineno, col = target->col_offset, end_line = target->end_lineno, end_col = target->end_col_offset;
        if (scope->kind == SCOPE_FUNCTION) {
            PyObject *mangled = symtable_mangle(st->class_name, name);
            if (mangled == NULL)
                return 0;
            long flags = flags_of(scope->symbols, mangled);
            Py_DECREF(mangled);
            return ADD(st, name, flags & DEF_GLOBAL ? DEF_GLOBAL : DEF_NONLOCAL, target)
                   && add_to(st, scope, name, DEF_LOCAL | DEF_NAMED, line, col, end_line, end_col);
        }
        if (scope->kind == SCOPE_MODULE)
            return ADD(st, name, DEF_GLOBAL, target) && add_to(st, scope, name, DEF_GLOBAL, line, col, end_line, end_col);
        return ERROR_AT(st, target, "assignment expression within a comprehension cannot be used in a class body");
    }
    return 1;
}

static int visit_named_expr(symtable_t *st, expr_ty e)
{
    if (!forbid_in_annotation(st, e, "named expression"))
        return 0;
    if (st->current->comp_iter_expr > 0)
        return ERROR_AT(st, e, "assignment expression cannot be used in a comprehension iterable expression");
    if (st->current->comprehension != NOT_COMPREHENSION && !extend_named_expr(st, e->v.NamedExpr.target))
        return 0;
    VISIT(visit_expr, st, e->v.NamedExpr.value);
    VISIT(visit_expr, st, e->v.NamedExpr.target);
    if (st->current->comprehension != NOT_COMPREHENSION)
        return 1;
    return ADD(st, e->v.NamedExpr.target->v.Name.id, DEF_NAMED, e->v.NamedExpr.target);
}

static int visit_lambda(symtable_t *st, expr_ty e)
{
    VISIT_SEQ(visit_expr, st, e->v.Lambda.args->defaults);
    VISIT_SEQ(visit_expr, st, e->v.Lambda.args->kw_defaults);
    if (enter_scope(st, SCOPE_FUNCTION, STR(anon_lambda), e, e->lineno, e->col_offset, e->end_lineno, e->end_col_offset) == NULL)
        return 0;
    if (!define_parameters(st, e->v.Lambda.args))
        return 0;
    VISIT(visit_expr, st, e->v.Lambda.body);
    leave_scope(st);
    return 1;
}

static int visit_yield(symtable_t *st, expr_ty e, expr_ty value)
{
    if (!forbid_in_annotation(st, e, "yield expression"))
        return 0;
    VISIT_OPTIONAL(visit_expr, st, value);
    st->current->generator = 1;
    if (st->current->comprehension != NOT_COMPREHENSION)
        return ERROR_AT(st, e, "'yield' inside %s", comprehension_text(st->current));
    return 1;
}

static int visit_name(symtable_t *st, expr_ty e)
{
    if (!ADD(st, e->v.Name.id, e->v.Name.ctx == Load ? USE : DEF_LOCAL, e))
        return 0;
    /* super() without arguments needs the cell of __class__ */
    if (e->v.Name.ctx == Load && st->current->kind == SCOPE_FUNCTION && e->v.Name.id == STR(super))
        return ADD(st, STR(__class__), USE, e);
    return 1;
}

static int visit_expr_body(symtable_t *st, expr_ty e)
{
    switch (e->kind) {
    case BoolOp_kind:
        VISIT_SEQ(visit_expr, st, e->v.BoolOp.values);
        return 1;
    case NamedExpr_kind: return visit_named_expr(st, e);
    case BinOp_kind:
        VISIT(visit_expr, st, e->v.BinOp.left);
        VISIT(visit_expr, st, e->v.BinOp.right);
        return 1;
    case UnaryOp_kind: return visit_expr(st, e->v.UnaryOp.operand);
    case Lambda_kind: return visit_lambda(st, e);
    case IfExp_kind:
        VISIT(visit_expr, st, e->v.IfExp.test);
        VISIT(visit_expr, st, e->v.IfExp.body);
        VISIT(visit_expr, st, e->v.IfExp.orelse);
        return 1;
    case Dict_kind:
        VISIT_SEQ(visit_expr, st, e->v.Dict.keys);
        VISIT_SEQ(visit_expr, st, e->v.Dict.values);
        return 1;
    case Set_kind:
        VISIT_SEQ(visit_expr, st, e->v.Set.elts);
        return 1;
    case ListComp_kind:
        return visit_comprehension(st, e, STR(anon_listcomp), LIST_COMPREHENSION, e->v.ListComp.generators, e->v.ListComp.elt, NULL);
    case SetComp_kind:
        return visit_comprehension(st, e, STR(anon_setcomp), SET_COMPREHENSION, e->v.SetComp.generators, e->v.SetComp.elt, NULL);
    case DictComp_kind:
        return visit_comprehension(st, e, STR(anon_dictcomp), DICT_COMPREHENSION, e->v.DictComp.generators, e->v.DictComp.key,
                                   e->v.DictComp.value);
    case GeneratorExp_kind:
        return visit_comprehension(st, e, STR(anon_genexpr), GENERATOR_EXPRESSION, e->v.GeneratorExp.generators,
                                   e->v.GeneratorExp.elt, NULL);
    case Await_kind:
        if (!forbid_in_annotation(st, e, "await expression"))
            return 0;
        VISIT(visit_expr, st, e->v.Await.value);
        st->current->coroutine = 1;
        return 1;
    case Yield_kind: return visit_yield(st, e, e->v.Yield.value);
    case YieldFrom_kind: return visit_yield(st, e, e->v.YieldFrom.value);
    case Compare_kind:
        VISIT(visit_expr, st, e->v.Compare.left);
        VISIT_SEQ(visit_expr, st, e->v.Compare.comparators);
        return 1;
    case Call_kind:
        VISIT(visit_expr, st, e->v.Call.func);
        VISIT_SEQ(visit_expr, st, e->v.Call.args);
        VISIT_SEQ(visit_keyword, st, e->v.Call.keywords);
        return 1;
    case FormattedValue_kind:
        VISIT(visit_expr, st, e->v.FormattedValue.value);
        VISIT_OPTIONAL(visit_expr, st, e->v.FormattedValue.format_spec);
        return 1;
    case JoinedStr_kind:
        VISIT_SEQ(visit_expr, st, e->v.JoinedStr.values);
        return 1;
    case Attribute_kind: return visit_expr(st, e->v.Attribute.value);
    case Subscript_kind:
        VISIT(visit_expr, st, e->v.Subscript.value);
        VISIT(visit_expr, st, e->v.Subscript.slice);
        return 1;
    case Starred_kind: return visit_expr(st, e->v.Starred.value);
    case Slice_kind:
        VISIT_OPTIONAL(visit_expr, st, e->v.Slice.lower);
        VISIT_OPTIONAL(visit_expr, st, e->v.Slice.upper);
        VISIT_OPTIONAL(visit_expr, st, e->v.Slice.step);
        return 1;
    case Name_kind: return visit_name(st, e);
    case List_kind:
        VISIT_SEQ(visit_expr, st, e->v.List.elts);
        return 1;
    case Tuple_kind:
        VISIT_SEQ(visit_expr, st, e->v.Tuple.elts);
        return 1;
    default: return 1;
    }
}

static int visit_expr(symtable_t *st, expr_ty e)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = visit_expr_body(st, e);
    Py_LeaveRecursiveCall();
    return ok;
}

static int visit_pattern(symtable_t *st, pattern_ty p)
{
    switch (p->kind) {
    case MatchValue_kind: return visit_expr(st, p->v.MatchValue.value);
    case MatchSequence_kind:
        VISIT_SEQ(visit_pattern, st, p->v.MatchSequence.patterns);
        return 1;
    case MatchMapping_kind:
        VISIT_SEQ(visit_expr, st, p->v.MatchMapping.keys);
        VISIT_SEQ(visit_pattern, st, p->v.MatchMapping.patterns);
        return p->v.MatchMapping.rest == NULL || ADD(st, p->v.MatchMapping.rest, DEF_LOCAL, p);
    case MatchClass_kind:
        VISIT(visit_expr, st, p->v.MatchClass.cls);
        VISIT_SEQ(visit_pattern, st, p->v.MatchClass.patterns);
        VISIT_SEQ(visit_pattern, st, p->v.MatchClass.kwd_patterns);
        return 1;
    case MatchStar_kind: return p->v.MatchStar.name == NULL || ADD(st, p->v.MatchStar.name, DEF_LOCAL, p);
    case MatchAs_kind:
        VISIT_OPTIONAL(visit_pattern, st, p->v.MatchAs.pattern);
        return p->v.MatchAs.name == NULL || ADD(st, p->v.MatchAs.name, DEF_LOCAL, p);
    case MatchOr_kind:
        VISIT_SEQ(visit_pattern, st, p->v.MatchOr.patterns);
        return 1;
    default: return 1;
    }
}

static int visit_module(symtable_t *st, mod_ty tree)
{
    switch (tree->kind) {
    case Module_kind:
        VISIT_SEQ(visit_stmt, st, tree->v.Module.body);
        return 1;
    case Interactive_kind:
        VISIT_SEQ(visit_stmt, st, tree->v.Interactive.body);
        return 1;
    case Expression_kind:
        return visit_expr(st, tree->v.Expression.body);
    default:
        PyErr_SetString(PyExc_RuntimeError, "this compiler does not handle FunctionTypes");
        return 0;
    }
}

symtable_t *symtable_build(mod_ty tree, PyObject *filename, int future_flags, arena *a)
{
    symtable_t *st = arena_alloc(a, sizeof(symtable_t));
    if (st == NULL)
        return NULL;
    memset(st, 0, sizeof(*st));
    st->arena = a;
    st->filename = filename;
    st->future_annotations = (future_flags & CO_FUTURE_ANNOTATIONS) != 0;
    st->by_node = keep(st, PyDict_New());
    if (st->by_node == NULL)
        return NULL;
    st->top = enter_scope(st, SCOPE_MODULE, STR(top), tree, 0, 0, 0, 0);
    if (st->top == NULL)
        return NULL;
    st->global_names = st->top->symbols;
    if (!visit_module(st, tree) || !symtable_analyze(st))
        return NULL;
    return st;
}
