/* Expressions -> source text: annotations under from __future__ import annotations. */
#include "ast.h"

/* how tightly an expression binds; what binds less than its place wants gets parentheses */
enum { TUPLE, TEST, OR, AND, NOT, CMP, EXPR, BOR = EXPR, BXOR, BAND, SHIFT, ARITH, TERM, FACTOR, POWER, AWAIT, ATOM };

/* UTF-8 under construction; failed: an exception is set, all further writing is ignored */
struct text {
    char *s;
    size_t used, room;
    int failed;
};

static void put(struct text *t, const char *s, size_t n)
{
    if (t->failed)
        return;
    if (t->room - t->used < n) {
        size_t room = (t->used + n) * 2 + 64;
        char *bigger = n < PY_SSIZE_T_MAX / 4 && room < PY_SSIZE_T_MAX / 2 ? PyMem_Realloc(t->s, room) : NULL;
        if (bigger == NULL) {
            PyErr_NoMemory();
            t->failed = 1;
            return;
        }
        t->s = bigger;
        t->room = room;
    }
    memcpy(t->s + t->used, s, n);
    t->used += n;
}

static void put_text(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

static void put_if(struct text *t, int condition, const char *s)
{
    if (condition)
        put_text(t, s);
}

static void put_str(struct text *t, PyObject *o)
{
    Py_ssize_t n;
    const char *s = t->failed ? NULL : PyUnicode_AsUTF8AndSize(o, &n);
    if (s == NULL)
        t->failed = 1;
    else
        put(t, s, (size_t)n);
}

static void put_expr(struct text *t, expr_ty e, int level);

static void put_list(struct text *t, ast_expr_seq *seq, int level)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        put_if(t, i > 0, ", ");
        put_expr(t, seq->elements[i], level);
    }
}

/* ---- constants and formatted strings ---- */

static void put_repr(struct text *t, PyObject *v)
{
    if (t->failed)
        return;
    PyObject *repr = PyObject_Repr(v), *inf = NULL, *huge = NULL;
    if (repr != NULL && (PyFloat_CheckExact(v) || PyComplex_CheckExact(v))) {
        /* inf is no literal: a number too big to be finite stands for it */
        inf = PyUnicode_FromString("inf");
        huge = PyUnicode_FromString("1e309");
        PyObject *changed = inf == NULL || huge == NULL ? NULL : PyUnicode_Replace(repr, inf, huge, -1);
        Py_DECREF(repr);
        repr = changed;
    }
    if (repr == NULL)
        t->failed = 1;
    else
        put_str(t, repr);
    Py_XDECREF(repr);
    Py_XDECREF(inf);
    Py_XDECREF(huge);
}

static void put_constant(struct text *t, PyObject *v)
{
    if (v == Py_Ellipsis)
        put_text(t, "...");
    else if (PyTuple_CheckExact(v)) {
        Py_ssize_t n = PyTuple_Size(v);
        if (Py_EnterRecursiveCall(" during compilation")) {
            t->failed = 1;
            return;
        }
        put_text(t, "(");
        for (Py_ssize_t i = 0; i < n; i++) {
            put_if(t, i > 0, ", ");
            put_constant(t, PyTuple_GetItem(v, i));
        }
        put_text(t, n == 1 ? ",)" : ")");
        Py_LeaveRecursiveCall();
    }
    else
        put_repr(t, v);
}

static void put_fstring_part(struct text *t, expr_ty e);

static void put_fstring_parts(struct text *t, ast_expr_seq *values)
{
    for (Py_ssize_t i = 0; i < ast_len(values); i++)
        put_fstring_part(t, values->elements[i]);
}

static void put_field(struct text *t, expr_ty e)
{
    struct text inner = {0};
    put_expr(&inner, e->v.FormattedValue.value, TEST + 1);
    put_text(t, inner.used > 0 && inner.s[0] == '{' ? "{ " : "{");
    put(t, inner.s, inner.used);
    t->failed |= inner.failed;
    PyMem_Free(inner.s);
    if (e->v.FormattedValue.conversion > 0) {
        char mark[3] = {'!', (char)e->v.FormattedValue.conversion, '\0'};
        put_text(t, mark);
    }
    if (e->v.FormattedValue.format_spec != NULL) {
        put_text(t, ":");
        put_fstring_part(t, e->v.FormattedValue.format_spec);
    }
    put_text(t, "}");
}

/* One part of the text between the quotes; literal braces are doubled. */
static void put_fstring_part(struct text *t, expr_ty e)
{
    Py_ssize_t n;
    const char *s;
    if (e->kind == JoinedStr_kind)
        put_fstring_parts(t, e->v.JoinedStr.values);
    else if (e->kind == FormattedValue_kind)
        put_field(t, e);
    else if (e->kind == Constant_kind && PyUnicode_CheckExact(e->v.Constant.value)) {
        s = t->failed ? NULL : PyUnicode_AsUTF8AndSize(e->v.Constant.value, &n);
        if (s == NULL) {
            t->failed = 1;
            return;
        }
        for (; n > 0; s++, n--) {
            put(t, s, 1);
            if (*s == '{' || *s == '}')
                put(t, s, 1);
        }
    }
    else {
        PyErr_SetString(PyExc_SystemError, "unknown expression kind inside f-string");
        t->failed = 1;
    }
}

static void put_fstring(struct text *t, expr_ty e)
{
    struct text body = {0};
    put_fstring_part(&body, e);
    PyObject *str = body.failed ? NULL : PyUnicode_DecodeUTF8(body.s != NULL ? body.s : "", (Py_ssize_t)body.used, NULL);
    PyMem_Free(body.s);
    if (str == NULL) {
        t->failed = 1;
        return;
    }
    put_text(t, "f");
    put_repr(t, str);
    Py_DECREF(str);
}

/* ---- parts ---- */

static void put_arg(struct text *t, arg_ty a)
{
    put_str(t, a->arg);
    if (a->annotation != NULL) {
        put_text(t, ": ");
        put_expr(t, a->annotation, TEST);
    }
}

static void put_default(struct text *t, expr_ty value)
{
    if (value != NULL) {
        put_text(t, "=");
        put_expr(t, value, TEST);
    }
}

static void put_arguments(struct text *t, arguments_ty a)
{
    Py_ssize_t n_pos = ast_len(a->posonlyargs), n = n_pos + ast_len(a->args), first = n - ast_len(a->defaults);
    int some = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        put_if(t, some, ", ");
        some = 1;
        put_arg(t, i < n_pos ? a->posonlyargs->elements[i] : a->args->elements[i - n_pos]);
        if (i >= first)
            put_default(t, a->defaults->elements[i - first]);
        put_if(t, i + 1 == n_pos, ", /");
    }
    if (a->vararg != NULL || ast_len(a->kwonlyargs) > 0) {
        put_text(t, some ? ", *" : "*");
        some = 1;
        if (a->vararg != NULL)
            put_arg(t, a->vararg);
    }
    for (Py_ssize_t i = 0; i < ast_len(a->kwonlyargs); i++) {
        put_if(t, some, ", ");
        some = 1;
        put_arg(t, a->kwonlyargs->elements[i]);
        if (i < ast_len(a->kw_defaults))
            put_default(t, a->kw_defaults->elements[i]);
    }
    if (a->kwarg != NULL) {
        put_text(t, some ? ", **" : "**");
        put_arg(t, a->kwarg);
    }
}

static void put_generators(struct text *t, ast_comprehension_seq *seq)
{
    for (Py_ssize_t i = 0; i < ast_len(seq); i++) {
        comprehension_ty c = seq->elements[i];
        put_text(t, c->is_async ? " async for " : " for ");
        put_expr(t, c->target, TUPLE);
        put_text(t, " in ");
        put_expr(t, c->iter, TEST + 1);
        for (Py_ssize_t k = 0; k < ast_len(c->ifs); k++) {
            put_text(t, " if ");
            put_expr(t, c->ifs->elements[k], TEST + 1);
        }
    }
}

static void put_call(struct text *t, expr_ty e)
{
    ast_expr_seq *args = e->v.Call.args;
    ast_keyword_seq *keywords = e->v.Call.keywords;
    put_expr(t, e->v.Call.func, ATOM);
    if (ast_len(args) == 1 && ast_len(keywords) == 0 && args->elements[0]->kind == GeneratorExp_kind) {
        put_expr(t, args->elements[0], TUPLE);          /* brings its own parentheses */
        return;
    }
    put_text(t, "(");
    put_list(t, args, TEST);
    for (Py_ssize_t i = 0; i < ast_len(keywords); i++) {
        keyword_ty k = keywords->elements[i];
        put_if(t, i > 0 || ast_len(args) > 0, ", ");
        if (k->arg == NULL)
            put_text(t, "**");
        else {
            put_str(t, k->arg);
            put_text(t, "=");
        }
        put_expr(t, k->value, k->arg == NULL ? EXPR : TEST);
    }
    put_text(t, ")");
}

static void put_dict(struct text *t, expr_ty e)
{
    put_text(t, "{");
    for (Py_ssize_t i = 0; i < ast_len(e->v.Dict.values); i++) {
        expr_ty key = e->v.Dict.keys->elements[i];
        put_if(t, i > 0, ", ");
        if (key != NULL) {
            put_expr(t, key, TEST);
            put_text(t, ": ");
        }
        else
            put_text(t, "**");
        put_expr(t, e->v.Dict.values->elements[i], key != NULL ? TEST : EXPR);
    }
    put_text(t, "}");
}

static void put_compare(struct text *t, expr_ty e)
{
    static const char *const texts[] = {"", " == ", " != ", " < ", " <= ", " > ", " >= ", " is ", " is not ", " in ", " not in "};
    put_expr(t, e->v.Compare.left, CMP + 1);
    for (Py_ssize_t i = 0; i < ast_len(e->v.Compare.comparators); i++) {
        put_text(t, texts[e->v.Compare.ops->elements[i]]);
        put_expr(t, e->v.Compare.comparators->elements[i], CMP + 1);
    }
}

static void put_binary(struct text *t, expr_ty e, int level)
{
    static const struct { const char *text; int level; } ops[] = {
        [Add] = {" + ", ARITH}, [Sub] = {" - ", ARITH}, [Mult] = {" * ", TERM}, [MatMult] = {" @ ", TERM}, [Div] = {" / ", TERM},
        [Mod] = {" % ", TERM}, [Pow] = {" ** ", POWER}, [LShift] = {" << ", SHIFT}, [RShift] = {" >> ", SHIFT},
        [BitOr] = {" | ", BOR}, [BitXor] = {" ^ ", BXOR}, [BitAnd] = {" & ", BAND}, [FloorDiv] = {" // ", TERM},
    };
    operator_ty op = e->v.BinOp.op;
    int own = ops[op].level, right_first = op == Pow;
    put_if(t, level > own, "(");
    put_expr(t, e->v.BinOp.left, own + right_first);
    put_text(t, ops[op].text);
    put_expr(t, e->v.BinOp.right, own + !right_first);
    put_if(t, level > own, ")");
}

static void put_unary(struct text *t, expr_ty e, int level)
{
    static const char *const texts[] = {"", "~", "not ", "+", "-"};
    int own = e->v.UnaryOp.op == Not ? NOT : FACTOR;
    put_if(t, level > own, "(");
    put_text(t, texts[e->v.UnaryOp.op]);
    put_expr(t, e->v.UnaryOp.operand, own);
    put_if(t, level > own, ")");
}

static void put_boolean(struct text *t, expr_ty e, int level)
{
    int is_and = e->v.BoolOp.op == And, own = is_and ? AND : OR;
    put_if(t, level > own, "(");
    for (Py_ssize_t i = 0; i < ast_len(e->v.BoolOp.values); i++) {
        put_if(t, i > 0, is_and ? " and " : " or ");
        put_expr(t, e->v.BoolOp.values->elements[i], own + 1);
    }
    put_if(t, level > own, ")");
}

static void put_slice(struct text *t, expr_ty e)
{
    if (e->v.Slice.lower != NULL)
        put_expr(t, e->v.Slice.lower, TEST);
    put_text(t, ":");
    if (e->v.Slice.upper != NULL)
        put_expr(t, e->v.Slice.upper, TEST);
    if (e->v.Slice.step != NULL) {
        put_text(t, ":");
        put_expr(t, e->v.Slice.step, TEST);
    }
}

/* ---- expressions ---- */

static void put_any(struct text *t, expr_ty e, int level)
{
    switch (e->kind) {
    case BoolOp_kind: put_boolean(t, e, level); break;
    case BinOp_kind: put_binary(t, e, level); break;
    case UnaryOp_kind: put_unary(t, e, level); break;
    case NamedExpr_kind:
        put_if(t, level > TUPLE, "(");
        put_expr(t, e->v.NamedExpr.target, ATOM);
        put_text(t, " := ");
        put_expr(t, e->v.NamedExpr.value, ATOM);
        put_if(t, level > TUPLE, ")");
        break;
    case Lambda_kind: {
        arguments_ty a = e->v.Lambda.args;
        put_if(t, level > TEST, "(");
        put_text(t, ast_len(a->posonlyargs) + ast_len(a->args) > 0 ? "lambda " : "lambda");
        put_arguments(t, a);
        put_text(t, ": ");
        put_expr(t, e->v.Lambda.body, TEST);
        put_if(t, level > TEST, ")");
        break;
    }
    case IfExp_kind:
        put_if(t, level > TEST, "(");
        put_expr(t, e->v.IfExp.body, TEST + 1);
        put_text(t, " if ");
        put_expr(t, e->v.IfExp.test, TEST + 1);
        put_text(t, " else ");
        put_expr(t, e->v.IfExp.orelse, TEST);
        put_if(t, level > TEST, ")");
        break;
    case Dict_kind: put_dict(t, e); break;
    case Set_kind:
        put_text(t, "{");
        put_list(t, e->v.Set.elts, TEST);
        put_text(t, "}");
        break;
    case ListComp_kind:
    case SetComp_kind:
    case GeneratorExp_kind:         /* one layout */
        put_text(t, e->kind == ListComp_kind ? "[" : e->kind == SetComp_kind ? "{" : "(");
        put_expr(t, e->v.ListComp.elt, TEST);
        put_generators(t, e->v.ListComp.generators);
        put_text(t, e->kind == ListComp_kind ? "]" : e->kind == SetComp_kind ? "}" : ")");
        break;
    case DictComp_kind:
        put_text(t, "{");
        put_expr(t, e->v.DictComp.key, TEST);
        put_text(t, ": ");
        put_expr(t, e->v.DictComp.value, TEST);
        put_generators(t, e->v.DictComp.generators);
        put_text(t, "}");
        break;
    case Await_kind:
        put_if(t, level > AWAIT, "(");
        put_text(t, "await ");
        put_expr(t, e->v.Await.value, ATOM);
        put_if(t, level > AWAIT, ")");
        break;
    case Yield_kind:
        put_text(t, e->v.Yield.value == NULL ? "(yield" : "(yield ");
        if (e->v.Yield.value != NULL)
            put_expr(t, e->v.Yield.value, TUPLE);
        put_text(t, ")");
        break;
    case YieldFrom_kind:
        put_text(t, "(yield from ");
        put_expr(t, e->v.YieldFrom.value, TEST);
        put_text(t, ")");
        break;
    case Compare_kind:
        put_if(t, level > CMP, "(");
        put_compare(t, e);
        put_if(t, level > CMP, ")");
        break;
    case Call_kind: put_call(t, e); break;
    case JoinedStr_kind:
    case FormattedValue_kind: put_fstring(t, e); break;
    case Constant_kind:
        if (e->v.Constant.kind != NULL)
            put_str(t, e->v.Constant.kind);
        put_constant(t, e->v.Constant.value);
        break;
    case Attribute_kind:
        put_expr(t, e->v.Attribute.value, ATOM);
        /* 1.real would be read as a float */
        put_text(t, e->v.Attribute.value->kind == Constant_kind && PyLong_CheckExact(e->v.Attribute.value->v.Constant.value) ? " ." : ".");
        put_str(t, e->v.Attribute.attr);
        break;
    case Subscript_kind:
        put_expr(t, e->v.Subscript.value, ATOM);
        put_text(t, "[");
        put_expr(t, e->v.Subscript.slice, TUPLE);
        put_text(t, "]");
        break;
    case Starred_kind:
        put_text(t, "*");
        put_expr(t, e->v.Starred.value, EXPR);
        break;
    case Name_kind: put_str(t, e->v.Name.id); break;
    case List_kind:
        put_text(t, "[");
        put_list(t, e->v.List.elts, TEST);
        put_text(t, "]");
        break;
    case Tuple_kind: {
        Py_ssize_t n = ast_len(e->v.Tuple.elts);
        put_if(t, level > TUPLE || n == 0, "(");
        put_list(t, e->v.Tuple.elts, TEST);
        put_if(t, n == 1, ",");
        put_if(t, level > TUPLE || n == 0, ")");
        break;
    }
    case Slice_kind: put_slice(t, e); break;
    case expr_no_kind: break;
    }
}

static void put_expr(struct text *t, expr_ty e, int level)
{
    if (t->failed)
        return;
    if (Py_EnterRecursiveCall(" during compilation")) {
        t->failed = 1;
        return;
    }
    put_any(t, e, level);
    Py_LeaveRecursiveCall();
}

PyObject *ast_expr_as_text(expr_ty e)
{
    struct text t = {0};
    PyObject *r = NULL;
    put_expr(&t, e, TEST);
    if (!t.failed)
        r = PyUnicode_DecodeUTF8(t.s != NULL ? t.s : "", (Py_ssize_t)t.used, NULL);
    PyMem_Free(t.s);
    return r;
}
