/* Checks trees that programs made for what the parser guarantees. All functions return 1, or 0 with an exception set. */
#include "ast_types.h"

static int check_stmt(stmt_ty s);
static int check_expr(expr_ty e, expr_context_ty ctx);
static int check_pattern(pattern_ty n, int star_allowed);

static int fail(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return 0;
}

static const char *context_name(expr_context_ty ctx)
{
    return ctx == Load ? "Load" : ctx == Store ? "Store" : "Del";
}

static int check_positions(int lineno, int col, int end_lineno, int end_col)
{
    if (lineno > end_lineno) {
        PyErr_Format(PyExc_ValueError, "AST node line range (%d, %d) is not valid", lineno, end_lineno);
        return 0;
    }
    if ((lineno < 0 && end_lineno != lineno) || (col < 0 && col != end_col)) {
        PyErr_Format(PyExc_ValueError, "AST node column range (%d, %d) for line range (%d, %d) is not valid", col, end_col, lineno,
                     end_lineno);
        return 0;
    }
    if (lineno == end_lineno && col > end_col) {
        PyErr_Format(PyExc_ValueError, "line %d, column %d-%d is not a valid range", lineno, col, end_col);
        return 0;
    }
    return 1;
}

#define POSITIONS(node) check_positions((node)->lineno, (node)->col_offset, (node)->end_lineno, (node)->end_col_offset)

/* None, True and False are no names. */
static int check_name(PyObject *name)
{
    static const char *const words[] = {"None", "True", "False"};
    for (int i = 0; i < 3; i++) {
        if (PyUnicode_CompareWithASCIIString(name, words[i]) == 0) {
            PyErr_Format(PyExc_ValueError, "identifier field can't represent '%s' constant", words[i]);
            return 0;
        }
    }
    return 1;
}

static int check_capture(PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "_") == 0)
        return fail("can't capture name '_' in patterns");
    return check_name(name);
}

static int check_not_empty(const void *seq, const char *what, const char *owner)
{
    if (ast_len((const ast_seq *)seq) > 0)
        return 1;
    PyErr_Format(PyExc_ValueError, "empty %s on %s", what, owner);
    return 0;
}

static int check_exprs(ast_expr_seq *seq, expr_context_ty ctx, int null_allowed)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        expr_ty e = seq->elements[i];
        if (e == NULL) {
            if (!null_allowed)
                return fail("None disallowed in expression list");
        }
        else if (!check_expr(e, ctx))
            return 0;
    }
    return 1;
}

static int check_stmts(ast_stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        if (seq->elements[i] == NULL)
            return fail("None disallowed in statement list");
        if (!check_stmt(seq->elements[i]))
            return 0;
    }
    return 1;
}

static int check_body(ast_stmt_seq *body, const char *owner)
{
    return check_not_empty(body, "body", owner) && check_stmts(body);
}

static int check_keywords(ast_keyword_seq *seq)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++)
        if (!check_expr(seq->elements[i]->value, Load))
            return 0;
    return 1;
}

/* ---- constants, parameters, comprehensions ---- */

static int check_constant(PyObject *v)
{
    if (v == Py_None || v == Py_Ellipsis || PyLong_CheckExact(v) || PyFloat_CheckExact(v) || PyComplex_CheckExact(v) ||
        PyBool_Check(v) || PyUnicode_CheckExact(v) || PyBytes_CheckExact(v))
        return 1;
    if (PyTuple_CheckExact(v) || PyFrozenSet_CheckExact(v)) {
        if (Py_EnterRecursiveCall(" during compilation"))
            return 0;
        PyObject *it = PyObject_GetIter(v), *item;
        int ok = it != NULL;
        while (ok && (item = PyIter_Next(it)) != NULL) {
            ok = check_constant(item);
            Py_DECREF(item);
        }
        Py_XDECREF(it);
        Py_LeaveRecursiveCall();
        return ok && !PyErr_Occurred();
    }
    PyErr_Format(PyExc_TypeError, "got an invalid type in Constant: %s", Py_TYPE(v)->tp_name);
    return 0;
}

static int check_arg(arg_ty a)
{
    return a == NULL || (POSITIONS(a) && (a->annotation == NULL || check_expr(a->annotation, Load)));
}

static int check_args(ast_arg_seq *seq)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++)
        if (!check_arg(seq->elements[i]))
            return 0;
    return 1;
}

static int check_arguments(arguments_ty a)
{
    if (!check_args(a->posonlyargs) || !check_args(a->args) || !check_arg(a->vararg) || !check_args(a->kwonlyargs) ||
        !check_arg(a->kwarg))
        return 0;
    if (ast_len(a->defaults) > ast_len(a->posonlyargs) + ast_len(a->args))
        return fail("more positional defaults than args on arguments");
    if (ast_len(a->kw_defaults) != ast_len(a->kwonlyargs))
        return fail("length of kwonlyargs is not the same as kw_defaults on arguments");
    return check_exprs(a->defaults, Load, 0) && check_exprs(a->kw_defaults, Load, 1);
}

static int check_generators(ast_comprehension_seq *seq)
{
    if (ast_len(seq) == 0)
        return fail("comprehension with no generators");
    for (Py_ssize_t i = 0; i < seq->size; i++) {
        comprehension_ty c = seq->elements[i];
        if (!check_expr(c->target, Store) || !check_expr(c->iter, Load) || !check_exprs(c->ifs, Load, 0))
            return 0;
    }
    return 1;
}

/* ---- expressions ---- */

/* Has the expression the context it should have? */
static int check_context(expr_ty e, expr_context_ty ctx)
{
    expr_context_ty actual;
    switch (e->kind) {
    case Attribute_kind: actual = e->v.Attribute.ctx; break;
    case Subscript_kind: actual = e->v.Subscript.ctx; break;
    case Starred_kind: actual = e->v.Starred.ctx; break;
    case Name_kind:
        if (!check_name(e->v.Name.id))
            return 0;
        actual = e->v.Name.ctx;
        break;
    case List_kind: actual = e->v.List.ctx; break;
    case Tuple_kind: actual = e->v.Tuple.ctx; break;
    default:
        if (ctx == Load)
            return 1;
        PyErr_Format(PyExc_ValueError, "expression which can't be assigned to in %s context", context_name(ctx));
        return 0;
    }
    if (actual == ctx)
        return 1;
    PyErr_Format(PyExc_ValueError, "expression must have %s context but has %s instead", context_name(ctx), context_name(actual));
    return 0;
}

static int check_optional(expr_ty e)
{
    return e == NULL || check_expr(e, Load);
}

static int check_expr_fields(expr_ty e, expr_context_ty ctx)
{
    switch (e->kind) {
    case BoolOp_kind:
        if (ast_len(e->v.BoolOp.values) < 2)
            return fail("BoolOp with less than 2 values");
        return check_exprs(e->v.BoolOp.values, Load, 0);
    case NamedExpr_kind: return check_expr(e->v.NamedExpr.value, Load);
    case BinOp_kind: return check_expr(e->v.BinOp.left, Load) && check_expr(e->v.BinOp.right, Load);
    case UnaryOp_kind: return check_expr(e->v.UnaryOp.operand, Load);
    case Lambda_kind: return check_arguments(e->v.Lambda.args) && check_expr(e->v.Lambda.body, Load);
    case IfExp_kind:
        return check_expr(e->v.IfExp.test, Load) && check_expr(e->v.IfExp.body, Load) && check_expr(e->v.IfExp.orelse, Load);
    case Dict_kind:
        if (ast_len(e->v.Dict.keys) != ast_len(e->v.Dict.values))
            return fail("Dict doesn't have the same number of keys as values");
        return check_exprs(e->v.Dict.keys, Load, 1) && check_exprs(e->v.Dict.values, Load, 0);
    case Set_kind: return check_exprs(e->v.Set.elts, Load, 0);
    case ListComp_kind: return check_generators(e->v.ListComp.generators) && check_expr(e->v.ListComp.elt, Load);
    case SetComp_kind: return check_generators(e->v.SetComp.generators) && check_expr(e->v.SetComp.elt, Load);
    case GeneratorExp_kind: return check_generators(e->v.GeneratorExp.generators) && check_expr(e->v.GeneratorExp.elt, Load);
    case DictComp_kind:
        return check_generators(e->v.DictComp.generators) && check_expr(e->v.DictComp.key, Load) &&
               check_expr(e->v.DictComp.value, Load);
    case Await_kind: return check_expr(e->v.Await.value, Load);
    case Yield_kind: return check_optional(e->v.Yield.value);
    case YieldFrom_kind: return check_expr(e->v.YieldFrom.value, Load);
    case Compare_kind:
        if (ast_len(e->v.Compare.comparators) == 0)
            return fail("Compare with no comparators");
        if (ast_len(e->v.Compare.comparators) != ast_len(e->v.Compare.ops))
            return fail("Compare has a different number of comparators and operands");
        return check_exprs(e->v.Compare.comparators, Load, 0) && check_expr(e->v.Compare.left, Load);
    case Call_kind:
        return check_expr(e->v.Call.func, Load) && check_exprs(e->v.Call.args, Load, 0) && check_keywords(e->v.Call.keywords);
    case FormattedValue_kind: return check_expr(e->v.FormattedValue.value, Load) && check_optional(e->v.FormattedValue.format_spec);
    case JoinedStr_kind: return check_exprs(e->v.JoinedStr.values, Load, 0);
    case Constant_kind: return check_constant(e->v.Constant.value);
    case Attribute_kind: return check_expr(e->v.Attribute.value, Load);
    case Subscript_kind: return check_expr(e->v.Subscript.slice, Load) && check_expr(e->v.Subscript.value, Load);
    case Starred_kind: return check_expr(e->v.Starred.value, ctx);
    case List_kind: return check_exprs(e->v.List.elts, ctx, 0);
    case Tuple_kind: return check_exprs(e->v.Tuple.elts, ctx, 0);
    case Slice_kind:
        return check_optional(e->v.Slice.lower) && check_optional(e->v.Slice.upper) && check_optional(e->v.Slice.step);
    case Name_kind:
    case expr_no_kind: return 1;
    }
    return 1;
}

static int check_expr(expr_ty e, expr_context_ty ctx)
{
    if (!POSITIONS(e))
        return 0;
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = check_context(e, ctx) && check_expr_fields(e, ctx);
    Py_LeaveRecursiveCall();
    return ok;
}

/* ---- patterns ---- */

/* A number, negative or not; which of real and imaginary are wanted? */
static int is_number(expr_ty e, int real, int imaginary, int negative_allowed)
{
    if (negative_allowed && e->kind == UnaryOp_kind && e->v.UnaryOp.op == USub)
        e = e->v.UnaryOp.operand;
    if (e->kind != Constant_kind)
        return 0;
    PyObject *v = e->v.Constant.value;
    return (real && (PyLong_CheckExact(v) || PyFloat_CheckExact(v))) || (imaginary && PyComplex_CheckExact(v));
}

static int check_pattern_value(expr_ty e)
{
    if (!check_expr(e, Load))
        return 0;
    PyObject *v;
    switch (e->kind) {
    case Constant_kind:
        v = e->v.Constant.value;
        if (PyLong_CheckExact(v) || PyFloat_CheckExact(v) || PyBytes_CheckExact(v) || PyComplex_CheckExact(v) ||
            PyUnicode_CheckExact(v))
            return 1;
        return fail("unexpected constant inside of a literal pattern");
    case Attribute_kind:
    case JoinedStr_kind: return 1;          /* f-strings are rejected by the compiler */
    case UnaryOp_kind:
        if (is_number(e, 1, 1, 1))
            return 1;
        break;
    case BinOp_kind:
        if ((e->v.BinOp.op == Add || e->v.BinOp.op == Sub) && is_number(e->v.BinOp.left, 1, 0, 1) &&
            is_number(e->v.BinOp.right, 0, 1, 0))
            return 1;
        break;
    default: break;
    }
    return fail("patterns may only match literals and attribute lookups");
}

static int check_patterns(ast_pattern_seq *seq, int star_allowed)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        if (seq->elements[i] == NULL)
            return fail("None disallowed in pattern list");
        if (!check_pattern(seq->elements[i], star_allowed))
            return 0;
    }
    return 1;
}

static int check_mapping(pattern_ty n)
{
    ast_expr_seq *keys = n->v.MatchMapping.keys;
    if (ast_len(keys) != ast_len(n->v.MatchMapping.patterns))
        return fail("MatchMapping doesn't have the same number of keys as patterns");
    if (n->v.MatchMapping.rest != NULL && !check_capture(n->v.MatchMapping.rest))
        return 0;
    for (Py_ssize_t i = 0; i < ast_len(keys); i++) {
        expr_ty key = keys->elements[i];
        if (key == NULL)
            return fail("None disallowed in expression list");
        if (key->kind == Constant_kind) {
            PyObject *v = key->v.Constant.value;
            if (v == Py_None || v == Py_True || v == Py_False)
                continue;
        }
        if (!check_pattern_value(key))
            return 0;
    }
    return check_patterns(n->v.MatchMapping.patterns, 0);
}

static int check_class(pattern_ty n)
{
    ast_identifier_seq *names = n->v.MatchClass.kwd_attrs;
    if (ast_len(names) != ast_len(n->v.MatchClass.kwd_patterns))
        return fail("MatchClass doesn't have the same number of keyword attributes as patterns");
    expr_ty cls = n->v.MatchClass.cls;
    if (!check_expr(cls, Load))
        return 0;
    while (cls->kind == Attribute_kind)
        cls = cls->v.Attribute.value;
    if (cls->kind != Name_kind)
        return fail("MatchClass cls field can only contain Name or Attribute nodes.");
    for (Py_ssize_t i = 0; i < ast_len(names); i++) {
        if (names->elements[i] == NULL)
            return fail("None disallowed in identifier list");
        if (!check_name(names->elements[i]))
            return 0;
    }
    return check_patterns(n->v.MatchClass.patterns, 0) && check_patterns(n->v.MatchClass.kwd_patterns, 0);
}

static int check_pattern_fields(pattern_ty n, int star_allowed)
{
    PyObject *v;
    switch (n->kind) {
    case MatchValue_kind: return check_pattern_value(n->v.MatchValue.value);
    case MatchSingleton_kind:
        v = n->v.MatchSingleton.value;
        return v == Py_None || v == Py_True || v == Py_False || fail("MatchSingleton can only contain True, False and None");
    case MatchSequence_kind: return check_patterns(n->v.MatchSequence.patterns, 1);
    case MatchMapping_kind: return check_mapping(n);
    case MatchClass_kind: return check_class(n);
    case MatchStar_kind:
        if (!star_allowed)
            return fail("can't use MatchStar here");
        return n->v.MatchStar.name == NULL || check_capture(n->v.MatchStar.name);
    case MatchAs_kind:
        if (n->v.MatchAs.name != NULL && !check_capture(n->v.MatchAs.name))
            return 0;
        if (n->v.MatchAs.pattern == NULL)
            return 1;
        if (n->v.MatchAs.name == NULL)
            return fail("MatchAs must specify a target name if a pattern is given");
        return check_pattern(n->v.MatchAs.pattern, 0);
    case MatchOr_kind:
        if (ast_len(n->v.MatchOr.patterns) < 2)
            return fail("MatchOr requires at least 2 patterns");
        return check_patterns(n->v.MatchOr.patterns, 0);
    case pattern_no_kind: return 1;
    }
    return 1;
}

static int check_pattern(pattern_ty n, int star_allowed)
{
    if (!POSITIONS(n) || Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = check_pattern_fields(n, star_allowed);
    Py_LeaveRecursiveCall();
    return ok;
}

/* ---- statements ---- */

static int check_handlers(ast_excepthandler_seq *seq)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        excepthandler_ty h = seq->elements[i];
        if (h == NULL)
            return fail("None disallowed in handler list");
        if (!POSITIONS(h) || !check_optional(h->v.ExceptHandler.type) || !check_body(h->v.ExceptHandler.body, "ExceptHandler"))
            return 0;
    }
    return 1;
}

/* Try and TryStar have one layout. */
static int check_try(stmt_ty s, const char *owner)
{
    if (!check_body(s->v.Try.body, owner))
        return 0;
    if (ast_len(s->v.Try.handlers) == 0 && ast_len(s->v.Try.finalbody) == 0) {
        PyErr_Format(PyExc_ValueError, "%s has neither except handlers nor finalbody", owner);
        return 0;
    }
    if (ast_len(s->v.Try.handlers) == 0 && ast_len(s->v.Try.orelse) > 0) {
        PyErr_Format(PyExc_ValueError, "%s has orelse but no except handlers", owner);
        return 0;
    }
    return check_handlers(s->v.Try.handlers) && check_stmts(s->v.Try.finalbody) && check_stmts(s->v.Try.orelse);
}

static int check_with(stmt_ty s, const char *owner)
{
    if (!check_not_empty(s->v.With.items, "items", owner))
        return 0;
    for (Py_ssize_t i = 0; i < s->v.With.items->size; i++) {
        withitem_ty item = s->v.With.items->elements[i];
        if (!check_expr(item->context_expr, Load) || (item->optional_vars != NULL && !check_expr(item->optional_vars, Store)))
            return 0;
    }
    return check_body(s->v.With.body, owner);
}

static int check_for(stmt_ty s, const char *owner)
{
    return check_expr(s->v.For.target, Store) && check_expr(s->v.For.iter, Load) && check_body(s->v.For.body, owner) &&
           check_stmts(s->v.For.orelse);
}

static int check_function(stmt_ty s, const char *owner)
{
    return check_body(s->v.FunctionDef.body, owner) && check_arguments(s->v.FunctionDef.args) &&
           check_exprs(s->v.FunctionDef.decorator_list, Load, 0) && check_optional(s->v.FunctionDef.returns);
}

static int check_match(stmt_ty s)
{
    if (!check_expr(s->v.Match.subject, Load) || !check_not_empty(s->v.Match.cases, "cases", "Match"))
        return 0;
    for (Py_ssize_t i = 0; i < s->v.Match.cases->size; i++) {
        match_case_ty c = s->v.Match.cases->elements[i];
        if (!check_pattern(c->pattern, 0) || !check_optional(c->guard) || !check_body(c->body, "match_case"))
            return 0;
    }
    return 1;
}

static int check_stmt_fields(stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind: return check_function(s, "FunctionDef");
    case AsyncFunctionDef_kind: return check_function(s, "AsyncFunctionDef");
    case ClassDef_kind:
        return check_body(s->v.ClassDef.body, "ClassDef") && check_exprs(s->v.ClassDef.bases, Load, 0) &&
               check_keywords(s->v.ClassDef.keywords) && check_exprs(s->v.ClassDef.decorator_list, Load, 0);
    case Return_kind: return check_optional(s->v.Return.value);
    case Delete_kind: return check_not_empty(s->v.Delete.targets, "targets", "Delete") && check_exprs(s->v.Delete.targets, Del, 0);
    case Assign_kind:
        return check_not_empty(s->v.Assign.targets, "targets", "Assign") && check_exprs(s->v.Assign.targets, Store, 0) &&
               check_expr(s->v.Assign.value, Load);
    case AugAssign_kind: return check_expr(s->v.AugAssign.target, Store) && check_expr(s->v.AugAssign.value, Load);
    case AnnAssign_kind:
        if (s->v.AnnAssign.target->kind != Name_kind && s->v.AnnAssign.simple) {
            PyErr_SetString(PyExc_TypeError, "AnnAssign with simple non-Name target");
            return 0;
        }
        return check_expr(s->v.AnnAssign.target, Store) && check_optional(s->v.AnnAssign.value) &&
               check_expr(s->v.AnnAssign.annotation, Load);
    case For_kind: return check_for(s, "For");
    case AsyncFor_kind: return check_for(s, "AsyncFor");
    case While_kind:
        return check_expr(s->v.While.test, Load) && check_body(s->v.While.body, "While") && check_stmts(s->v.While.orelse);
    case If_kind: return check_expr(s->v.If.test, Load) && check_body(s->v.If.body, "If") && check_stmts(s->v.If.orelse);
    case With_kind: return check_with(s, "With");
    case AsyncWith_kind: return check_with(s, "AsyncWith");
    case Match_kind: return check_match(s);
    case Raise_kind:
        if (s->v.Raise.exc == NULL && s->v.Raise.cause != NULL)
            return fail("Raise with cause but no exception");
        return check_optional(s->v.Raise.exc) && check_optional(s->v.Raise.cause);
    case Try_kind: return check_try(s, "Try");
    case TryStar_kind: return check_try(s, "TryStar");
    case Assert_kind: return check_expr(s->v.Assert.test, Load) && check_optional(s->v.Assert.msg);
    case Import_kind: return check_not_empty(s->v.Import.names, "names", "Import");
    case ImportFrom_kind:
        if (s->v.ImportFrom.level < 0)
            return fail("Negative ImportFrom level");
        return check_not_empty(s->v.ImportFrom.names, "names", "ImportFrom");
    case Global_kind: return check_not_empty(s->v.Global.names, "names", "Global");
    case Nonlocal_kind: return check_not_empty(s->v.Nonlocal.names, "names", "Nonlocal");
    case Expr_kind: return check_expr(s->v.Expr.value, Load);
    case Pass_kind:
    case Break_kind:
    case Continue_kind:
    case stmt_no_kind: return 1;
    }
    return 1;
}

static int check_stmt(stmt_ty s)
{
    if (!POSITIONS(s) || Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = check_stmt_fields(s);
    Py_LeaveRecursiveCall();
    return ok;
}

int ast_validate(mod_ty tree)
{
    switch (tree->kind) {
    case Module_kind: return check_stmts(tree->v.Module.body);
    case Interactive_kind: return check_stmts(tree->v.Interactive.body);
    case Expression_kind: return check_expr(tree->v.Expression.body, Load);
    case FunctionType_kind: return check_exprs(tree->v.FunctionType.argtypes, Load, 0) && check_expr(tree->v.FunctionType.returns, Load);
    case mod_no_kind: break;
    }
    return 1;
}
