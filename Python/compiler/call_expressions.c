/* Calls, displays, formatted strings. */
#include "Python.h"

#include "compiler_internal.h"
#include "expressions.h"
#include "well_known_strings.h"

/* Displays and calls with more values than this are built piece by piece, so that windows stay small. */
#define BATCH 30
#define CALL_LIMIT 200

/* ---- Displays ---- */

static int has_starred(ast_expr_seq *elements)
{
    for (Py_ssize_t i = 0; i < ast_len(elements); i++)
        if (elements->elements[i]->kind == Starred_kind)
            return 1;
    return 0;
}

static int compile_run(compiler_t *c, ast_expr_seq *elements, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (compile_to_temp(c, elements->elements[i]) < 0)
            return 0;
    return 1;
}

/* Adds elements to the list or set in slot container. */
static int compile_extend(compiler_t *c, ast_expr_seq *elements, int container, int is_set)
{
    int depth = c->unit->depth;
    for (Py_ssize_t i = 0; i < ast_len(elements); i++) {
        expr_ty e = elements->elements[i];
        int starred = e->kind == Starred_kind;
        int v = compile_operand(c, starred ? e->v.Starred.value : e);
        opcode_t op = is_set ? (starred ? OP_SET_UPDATE : OP_SET_ADD) : (starred ? OP_LIST_EXTEND : OP_LIST_APPEND);
        if (v < 0 || !emit_abc(c, op, (unsigned)container, (unsigned)v, 0))
            return 0;
        set_depth(c, depth);
    }
    return 1;
}

int compile_sequence(compiler_t *c, expr_ty e, ast_expr_seq *elements, int dst)
{
    int depth = c->unit->depth, is_set = e->kind == Set_kind;
    Py_ssize_t n = ast_len(elements);
    if (n <= BATCH && !has_starred(elements)) {
        opcode_t op = is_set ? OP_BUILD_SET : e->kind == List_kind ? OP_BUILD_LIST : OP_BUILD_TUPLE;
        int base = temp_at(c, depth);
        if (!compile_run(c, elements, n))
            return 0;
        SET_POSITION(c, e);
        int ok = emit_abc(c, op, (unsigned)dst, (unsigned)base, (unsigned)n);
        set_depth(c, depth);
        return ok;
    }
    int container = temp(c);
    int ok = emit_abc(c, is_set ? OP_BUILD_SET : OP_BUILD_LIST, (unsigned)container, (unsigned)container, 0)
             && compile_extend(c, elements, container, is_set);
    SET_POSITION(c, e);
    if (ok)
        ok = e->kind == Tuple_kind ? emit_abc(c, OP_LIST_TO_TUPLE, (unsigned)dst, (unsigned)container, 0)
                                   : emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)container, 0);
    set_depth(c, depth);
    return ok;
}

int compile_dict(compiler_t *c, expr_ty e, int dst)
{
    ast_expr_seq *keys = e->v.Dict.keys, *values = e->v.Dict.values;
    Py_ssize_t n = ast_len(values);
    int depth = c->unit->depth, unpacks = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        unpacks |= keys->elements[i] == NULL;
    int container = temp(c);
    if (n <= BATCH / 2 && !unpacks) {
        set_depth(c, depth);
        for (Py_ssize_t i = 0; i < n; i++)
            if (compile_to_temp(c, keys->elements[i]) < 0 || compile_to_temp(c, values->elements[i]) < 0)
                return 0;
        SET_POSITION(c, e);
        int ok = emit_abc(c, OP_BUILD_MAP, (unsigned)dst, (unsigned)container, (unsigned)n);
        set_depth(c, depth);
        return ok;
    }
    if (!emit_abc(c, OP_BUILD_MAP, (unsigned)container, (unsigned)container, 0))
        return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        int inner = c->unit->depth, ok;
        if (keys->elements[i] == NULL) {
            int v = compile_operand(c, values->elements[i]);
            SET_POSITION(c, e);
            ok = v >= 0 && emit_abc(c, OP_DICT_UPDATE, (unsigned)container, (unsigned)v, 0);
        }
        else {
            int k = compile_operand(c, keys->elements[i]);
            int v = k >= 0 ? compile_operand(c, values->elements[i]) : -1;
            ok = v >= 0 && emit_abc(c, OP_MAP_ADD, (unsigned)container, (unsigned)k, (unsigned)v);
        }
        if (!ok)
            return 0;
        set_depth(c, inner);
    }
    set_depth(c, depth);
    return emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)container, 0);
}

/* ---- Calls ---- */

static int has_double_starred(ast_keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < ast_len(keywords); i++)
        if (keywords->elements[i]->arg == NULL)
            return 1;
    return 0;
}

static int check_keywords(compiler_t *c, ast_keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < ast_len(keywords); i++) {
        keyword_ty k = keywords->elements[i];
        if (k->arg == NULL)
            continue;
        if (PyUnicode_CompareWithASCIIString(k->arg, "__debug__") == 0) {
            SET_POSITION(c, k);
            return compile_error(c, "cannot assign to __debug__");
        }
        for (Py_ssize_t j = i + 1; j < ast_len(keywords); j++)
            if (keywords->elements[j]->arg != NULL && PyUnicode_Compare(k->arg, keywords->elements[j]->arg) == 0) {
                SET_POSITION(c, keywords->elements[j]);
                return compile_error(c, "keyword argument repeated: %U", k->arg);
            }
    }
    return 1;
}

/* The tuple of keyword names as the index of a constant, or -1. */
static int keyword_names(compiler_t *c, ast_keyword_seq *keywords)
{
    Py_ssize_t n = ast_len(keywords);
    PyObject *names = PyTuple_New(n);
    if (names == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(names, i, Py_NewRef(keywords->elements[i]->arg));
    int index = const_index(c, names);
    Py_DECREF(names);
    return index;
}

/* The positional arguments of a call with * or **, as something that is iterable, to register `to`. given: values already in to.. */
static int compile_positional(compiler_t *c, int to, int given, ast_expr_seq *args)
{
    int depth = to - c->unit->temp_base + 1;
    int nothing = given == 0 && ast_len(args) == 0;
    int whole = given == 0 && ast_len(args) == 1 && args->elements[0]->kind == Starred_kind;
    if (!nothing && !whole && !emit_abc(c, OP_BUILD_LIST, (unsigned)to, (unsigned)to, (unsigned)given))
        return 0;
    set_depth(c, depth);
    if (depth > c->unit->max_depth)
        c->unit->max_depth = depth;
    if (nothing)
        return load_const_steal(c, to, PyTuple_New(0));
    if (whole)      /* f(*x): x itself, if it is a tuple, is passed on */
        return compile_to(c, args->elements[0]->v.Starred.value, to);
    return compile_extend(c, args, to, 0) && emit_abc(c, OP_LIST_TO_TUPLE, (unsigned)to, (unsigned)to, 0);
}

/* The callee is in base; positional arguments go to a tuple, keywords to a dict. given: values already in base+1.. */
static int compile_call_ex(compiler_t *c, int base, int dst, int given, ast_expr_seq *args, ast_keyword_seq *keywords)
{
    if (!compile_positional(c, base + 1, given, args))
        return 0;
    int has_keywords = ast_len(keywords) > 0;
    if (has_keywords) {
        int dict = temp(c);
        if (!emit_abc(c, OP_BUILD_MAP, (unsigned)dict, (unsigned)dict, 0))
            return 0;
        for (Py_ssize_t i = 0; i < ast_len(keywords); i++) {
            keyword_ty k = keywords->elements[i];
            int depth = c->unit->depth, ok;
            if (k->arg == NULL) {
                int v = compile_operand(c, k->value);
                ok = v >= 0 && emit_abc(c, OP_DICT_MERGE, (unsigned)dict, (unsigned)v, (unsigned)base);
            }
            else {
                /* through DICT_MERGE, too, where a ** before it may have given the same name */
                int t = temp(c), v = temp(c);
                ok = load_const(c, t, k->arg) && compile_to(c, k->value, v)
                     && emit_abc(c, OP_BUILD_MAP, (unsigned)t, (unsigned)t, 1)
                     && emit_abc(c, OP_DICT_MERGE, (unsigned)dict, (unsigned)t, (unsigned)base);
            }
            if (!ok)
                return 0;
            set_depth(c, depth);
        }
    }
    return emit_abc(c, OP_CALL_EX, (unsigned)dst, (unsigned)base, (unsigned)has_keywords);
}

int compile_call_args(compiler_t *c, int base, int dst, int nargs, ast_expr_seq *args, ast_keyword_seq *keywords)
{
    int depth = c->unit->depth;
    Py_ssize_t n = ast_len(args), nkw = ast_len(keywords);
    if (!check_keywords(c, keywords))
        return 0;
    if (has_starred(args) || has_double_starred(keywords) || n + nkw + nargs > CALL_LIMIT) {
        int ok = compile_call_ex(c, base, dst, nargs, args, keywords);
        set_depth(c, depth);
        return ok;
    }
    if (!compile_run(c, args, n))
        return 0;
    for (Py_ssize_t i = 0; i < nkw; i++)
        if (compile_to_temp(c, keywords->elements[i]->value) < 0)
            return 0;
    int ok;
    if (nkw > 0) {
        int names = keyword_names(c, keywords);
        ok = names >= 0 && emit_cached(c, OP_CALL_KW, (unsigned)dst, (unsigned)base, (unsigned)(nargs + n), (uint64_t)names);
    }
    else
        ok = emit_abc(c, OP_CALL, (unsigned)dst, (unsigned)base, (unsigned)(nargs + n));
    set_depth(c, depth);
    return ok;
}

/* o.m(...): the method is not bound when it is called at once. 1, 0, or -1 if the general way has to be taken. */
static int compile_method_call(compiler_t *c, expr_ty e, int dst)
{
    expr_ty func = e->v.Call.func;
    ast_expr_seq *args = e->v.Call.args;
    ast_keyword_seq *keywords = e->v.Call.keywords;
    Py_ssize_t n = ast_len(args), nkw = ast_len(keywords);
    if (func->kind != Attribute_kind || has_starred(args) || has_double_starred(keywords) || n + nkw > CALL_LIMIT)
        return -1;
    if (!check_keywords(c, keywords))
        return 0;
    int depth = c->unit->depth;
    int base = temp(c);
    int v = -1, slot = func->v.Attribute.value->kind == Name_kind ? local_slot(c, func->v.Attribute.value->v.Name.id) : -1;
    if (slot >= 0)
        v = slot;
    else if (compile_to(c, func->v.Attribute.value, base))
        v = base;
    int index = name_index(c, func->v.Attribute.attr);
    temp(c);
    set_attribute_position(c, func, func);
    if (v < 0 || index < 0 || !emit_abc(c, OP_LOAD_METHOD, (unsigned)base, (unsigned)v, (unsigned)index))
        return 0;
    if (!compile_run(c, args, n))
        return 0;
    for (Py_ssize_t i = 0; i < nkw; i++)
        if (compile_to_temp(c, keywords->elements[i]->value) < 0)
            return 0;
    set_attribute_position(c, e, func);
    int ok;
    if (nkw > 0) {
        int names = keyword_names(c, keywords);
        ok = names >= 0 && emit_cached(c, OP_CALL_METHOD_KW, (unsigned)dst, (unsigned)base, (unsigned)n, (uint64_t)names);
    }
    else
        ok = emit_abc(c, OP_CALL_METHOD, (unsigned)dst, (unsigned)base, (unsigned)n);
    set_depth(c, depth);
    return ok;
}

int compile_call(compiler_t *c, expr_ty e, int dst)
{
    if (!compile_check_call(c, e))
        return 0;
    /* the result may not go to a temporary above the callee's; there is none in use, so dst <= base always holds for temporaries */
    int done = compile_method_call(c, e, dst);
    if (done >= 0)
        return done;
    int depth = c->unit->depth;
    int base = compile_to_temp(c, e->v.Call.func);
    SET_POSITION(c, e);
    int ok = base >= 0 && compile_call_args(c, base, dst, 0, e->v.Call.args, e->v.Call.keywords);
    set_depth(c, depth);
    return ok;
}

/* ---- Formatted strings ---- */

int compile_formatted_value(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth, v;
    unsigned mode = 0;
    switch (e->v.FormattedValue.conversion) {
    case 's': mode = 1; break;
    case 'r': mode = 2; break;
    case 'a': mode = 3; break;
    default: break;
    }
    if (e->v.FormattedValue.format_spec != NULL) {
        v = compile_to_temp(c, e->v.FormattedValue.value);
        if (v < 0 || compile_to_temp(c, e->v.FormattedValue.format_spec) < 0)
            return 0;
        mode |= 4;
    }
    else
        v = compile_operand(c, e->v.FormattedValue.value);
    SET_POSITION(c, e);
    int ok = v >= 0 && emit_abc(c, OP_FORMAT_VALUE, (unsigned)dst, (unsigned)v, mode);
    set_depth(c, depth);
    return ok;
}

int compile_joined_str(compiler_t *c, expr_ty e, int dst)
{
    ast_expr_seq *parts = e->v.JoinedStr.values;
    Py_ssize_t n = ast_len(parts);
    int depth = c->unit->depth, ok;
    if (n <= BATCH) {
        int base = temp_at(c, depth);
        if (!compile_run(c, parts, n))
            return 0;
        SET_POSITION(c, e);
        ok = emit_abc(c, OP_BUILD_STRING, (unsigned)dst, (unsigned)base, (unsigned)n);
    }
    else {
        /* ''.join(list) */
        int base = temp(c);
        PyObject *empty = PyUnicode_FromString(""), *join = PyUnicode_InternFromString("join");
        int index = join != NULL ? name_index(c, join) : -1;
        temp(c);
        int list = temp(c);
        ok = empty != NULL && index >= 0 && load_const(c, base, empty)
             && emit_abc(c, OP_LOAD_METHOD, (unsigned)base, (unsigned)base, (unsigned)index)
             && emit_abc(c, OP_BUILD_LIST, (unsigned)list, (unsigned)list, 0) && compile_extend(c, parts, list, 0);
        SET_POSITION(c, e);
        ok = ok && emit_abc(c, OP_CALL_METHOD, (unsigned)dst, (unsigned)base, 1);
        Py_XDECREF(empty);
        Py_XDECREF(join);
    }
    set_depth(c, depth);
    return ok;
}
