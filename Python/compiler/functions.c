/* Functions, lambdas, comprehensions, classes: units inside units. */
#include "Python.h"

#include "compiler_internal.h"
#include "expressions.h"
#include "statements.h"
#include "well_known_strings.h"

/* ---- Units ---- */

/* Cells and the generator object are made before anything else runs. */
static int emit_prologue(compiler_t *c)
{
    unit_t *u = c->unit;
    int nfree = (int)PyDict_GET_SIZE(u->freevars), first_free = u->temp_base - nfree;
    if (nfree > 0 && !emit_ax(c, OP_COPY_FREE_VARS, (unsigned)first_free, nfree))
        return 0;
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(u->cellvars, &position, &name, &value)) {
        PyObject *parameter;
        int found = PyDict_GetItemRef(u->varnames, name, &parameter);
        if (found < 0)
            return 0;
        unsigned slot = found ? (unsigned)PyLong_AsLong(parameter) : SLOT_NONE;
        Py_XDECREF(parameter);
        if (!emit_abc(c, OP_MAKE_CELL, (unsigned)PyLong_AsLong(value), slot, 0))
            return 0;
    }
    scope_t *scope = u->scope;
    if ((scope->generator || scope->coroutine) && (scope->kind == SCOPE_FUNCTION || scope->kind == SCOPE_MODULE))
        return emit_abc(c, OP_RETURN_GENERATOR, 0, 0, 0);
    return 1;
}

int compile_prologue(compiler_t *c) { return emit_prologue(c); }

static int return_none(compiler_t *c)
{
    int index = const_index(c, Py_None);
    return index >= 0 && emit_ax(c, OP_RETURN_CONST, 0, index);
}

int compile_return_none(compiler_t *c) { return return_none(c); }

/* base+... : closure cells of a unit as a tuple in a new temporary. flags |= 8. The current unit is the one around. */
static int compile_closure(compiler_t *c, PyObject *code, unsigned *flags)
{
    PyObject *freevars = ((PyCodeObject *)code)->co_freevars;
    Py_ssize_t n = PyTuple_GET_SIZE(freevars);
    if (n == 0)
        return 1;
    int depth = c->unit->depth, base = temp_at(c, depth);
    for (Py_ssize_t i = 0; i < n; i++) {
        int slot = cell_slot(c, PyTuple_GET_ITEM(freevars, i)), t = temp(c);
        if (slot < 0 || !emit_abc(c, OP_LOAD_CELL, (unsigned)t, (unsigned)slot, 0))
            return 0;
    }
    if (!emit_abc(c, OP_BUILD_TUPLE, (unsigned)base, (unsigned)base, (unsigned)n))
        return 0;
    set_depth(c, depth + 1);
    *flags |= 8;
    return 1;
}

/* The code object goes to base, what belongs to the function behind it (flags), the function to dst. Steals code. */
static int emit_function(compiler_t *c, PyObject *code, int base, int dst, unsigned flags)
{
    int ok = code != NULL && compile_closure(c, code, &flags);
    int index = ok ? const_index(c, code) : -1;
    ok = index >= 0 && emit_ax(c, OP_LOAD_CONST, (unsigned)base, index)
         && emit_abc(c, OP_MAKE_FUNCTION, (unsigned)dst, (unsigned)base, flags);
    Py_XDECREF(code);
    return ok;
}

/* ---- Defaults and annotations ---- */

static int compile_defaults(compiler_t *c, arguments_ty args, unsigned *flags)
{
    Py_ssize_t n = ast_len(args->defaults);
    int depth = c->unit->depth;
    if (n > 0) {
        struct expr tuple = {0};
        tuple.kind = Tuple_kind;
        tuple.v.Tuple.elts = args->defaults;
        tuple.v.Tuple.ctx = Load;
        tuple.lineno = args->defaults->elements[0]->lineno;
        tuple.end_lineno = args->defaults->elements[n - 1]->end_lineno;
        tuple.col_offset = args->defaults->elements[0]->col_offset;
        tuple.end_col_offset = args->defaults->elements[n - 1]->end_col_offset;
        if (compile_to_temp(c, &tuple) < 0)
            return 0;
        *flags |= 1;
        depth = c->unit->depth;
    }
    int dict = -1;
    for (Py_ssize_t i = 0; i < ast_len(args->kwonlyargs); i++) {
        expr_ty value = args->kw_defaults->elements[i];
        if (value == NULL)
            continue;
        if (dict < 0) {
            dict = temp(c);
            if (!emit_abc(c, OP_BUILD_MAP, (unsigned)dict, (unsigned)dict, 0))
                return 0;
            *flags |= 2;
            depth = c->unit->depth;
        }
        int k = temp(c);
        PyObject *mangled = symtable_mangle(c->unit->class_name, args->kwonlyargs->elements[i]->arg);
        int v = load_const_steal(c, k, mangled) ? compile_operand(c, value) : -1;
        if (v < 0 || !emit_abc(c, OP_MAP_ADD, (unsigned)dict, (unsigned)k, (unsigned)v))
            return 0;
        set_depth(c, depth);
    }
    return 1;
}

int compile_annotation_to(compiler_t *c, expr_ty annotation, int dst)
{
    if (c->flags & CO_FUTURE_ANNOTATIONS)
        return load_const_steal(c, dst, ast_expr_as_text(annotation));
    if (annotation->kind == Starred_kind) {
        /* *args: *Ts */
        int t = temp(c), ok = compile_to(c, annotation->v.Starred.value, t)
                              && emit_abc(c, OP_UNPACK_SEQUENCE, (unsigned)t, (unsigned)t, 1)
                              && emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)t, 0);
        set_depth(c, c->unit->depth - 1);
        return ok;
    }
    return compile_to(c, annotation, dst);
}


/* Pairs name, value: gathered in a list, since there may be many. */
static int compile_one_annotation(compiler_t *c, PyObject *name, expr_ty annotation, int *list)
{
    if (annotation == NULL)
        return 1;
    if (*list < 0) {
        *list = temp(c);
        if (!emit_abc(c, OP_BUILD_LIST, (unsigned)*list, (unsigned)*list, 0))
            return 0;
    }
    int depth = c->unit->depth, t = temp(c);
    PyObject *mangled = symtable_mangle(c->unit->class_name, name);
    int ok = load_const_steal(c, t, mangled) && emit_abc(c, OP_LIST_APPEND, (unsigned)*list, (unsigned)t, 0)
             && compile_annotation_to(c, annotation, t) && emit_abc(c, OP_LIST_APPEND, (unsigned)*list, (unsigned)t, 0);
    set_depth(c, depth);
    return ok;
}

static int compile_arg_annotations(compiler_t *c, ast_arg_seq *args, int *list)
{
    for (Py_ssize_t i = 0; i < ast_len(args); i++)
        if (!compile_one_annotation(c, args->elements[i]->arg, args->elements[i]->annotation, list))
            return 0;
    return 1;
}

static int compile_annotations(compiler_t *c, arguments_ty args, expr_ty returns, unsigned *flags)
{
    int list = -1;
    if (!compile_arg_annotations(c, args->args, &list) || !compile_arg_annotations(c, args->posonlyargs, &list)
        || (args->vararg != NULL && !compile_one_annotation(c, args->vararg->arg, args->vararg->annotation, &list))
        || !compile_arg_annotations(c, args->kwonlyargs, &list)
        || (args->kwarg != NULL && !compile_one_annotation(c, args->kwarg->arg, args->kwarg->annotation, &list))
        || (returns != NULL && !compile_one_annotation(c, STR(word_return), returns, &list)))
        return 0;
    if (list < 0)
        return 1;
    *flags |= 4;
    return emit_abc(c, OP_LIST_TO_TUPLE, (unsigned)list, (unsigned)list, 0);
}

static int check_parameter(compiler_t *c, arg_ty a)
{
    if (a == NULL || PyUnicode_CompareWithASCIIString(a->arg, "__debug__") != 0)
        return 1;
    SET_POSITION(c, a);
    return compile_error(c, "cannot assign to __debug__");
}

static int check_parameters(compiler_t *c, arguments_ty args)
{
    ast_arg_seq *lists[] = {args->posonlyargs, args->args, args->kwonlyargs};
    for (int k = 0; k < 3; k++)
        for (Py_ssize_t i = 0; i < ast_len(lists[k]); i++)
            if (!check_parameter(c, lists[k]->elements[i]))
                return 0;
    return check_parameter(c, args->vararg) && check_parameter(c, args->kwarg);
}

static void set_counts(unit_t *u, arguments_ty args)
{
    u->posonlyargcount = (int)ast_len(args->posonlyargs);
    u->argcount = u->posonlyargcount + (int)ast_len(args->args);
    u->kwonlyargcount = (int)ast_len(args->kwonlyargs);
}

/* ---- Functions ---- */

static PyObject *function_code(compiler_t *c, stmt_ty s, PyObject *name, arguments_ty args, ast_stmt_seq *body, int is_async,
                               int firstlineno)
{
    PyObject *code = NULL;
    if (!unit_enter(c, is_async ? UNIT_ASYNC_FUNCTION : UNIT_FUNCTION, name, s, firstlineno))
        return NULL;
    set_counts(c->unit, args);
    expr_ty doc = ast_docstring(body);
    /* the first constant is the documentation string or None */
    int first = const_index(c, doc != NULL && c->optimize < 2 ? doc->v.Constant.value : Py_None);
    c->unit->position = (position_t){firstlineno, firstlineno, -1, -1};
    if (first == 0 && emit_prologue(c) && compile_body(c, body)) {
        UNSET_POSITION(c);
        if (return_none(c))
            code = unit_assemble(c);
    }
    unit_leave(c);
    return code;
}

static int compile_decorators(compiler_t *c, ast_expr_seq *decorators)
{
    for (Py_ssize_t i = 0; i < ast_len(decorators); i++)
        if (compile_to_temp(c, decorators->elements[i]) < 0)
            return 0;
    return 1;
}

/* Each decorator stands right before what it is applied to. */
static int apply_decorators(compiler_t *c, ast_expr_seq *decorators, int depth)
{
    for (Py_ssize_t i = ast_len(decorators); i-- > 0;) {
        unsigned t = (unsigned)temp_at(c, depth + (int)i);
        SET_POSITION(c, decorators->elements[i]);
        if (!emit_abc(c, OP_CALL, t, t, 1))
            return 0;
    }
    return 1;
}

int compile_function_def(compiler_t *c, stmt_ty s, int is_async)
{
    PyObject *name = s->v.FunctionDef.name;
    arguments_ty args = s->v.FunctionDef.args;
    ast_expr_seq *decorators = s->v.FunctionDef.decorator_list;
    int depth = c->unit->depth, firstlineno = s->lineno;
    unsigned flags = 0;
    if (!check_parameters(c, args) || !compile_decorators(c, decorators))
        return 0;
    if (ast_len(decorators) > 0)
        firstlineno = decorators->elements[0]->lineno;
    int base = temp(c);
    SET_POSITION(c, s);
    if (!compile_defaults(c, args, &flags) || !compile_annotations(c, args, s->v.FunctionDef.returns, &flags))
        return 0;
    PyObject *code = function_code(c, s, name, args, s->v.FunctionDef.body, is_async, firstlineno);
    SET_POSITION(c, s);
    if (!emit_function(c, code, base, base, flags))
        return 0;
    set_depth(c, base - c->unit->temp_base + 1);
    if (!apply_decorators(c, decorators, depth))
        return 0;
    SET_POSITION(c, s);
    int ok = compile_store_name(c, name, temp_at(c, depth));
    set_depth(c, depth);
    return ok;
}

int compile_lambda(compiler_t *c, expr_ty e, int dst)
{
    arguments_ty args = e->v.Lambda.args;
    int depth = c->unit->depth;
    unsigned flags = 0;
    PyObject *code = NULL;
    if (!check_parameters(c, args))
        return 0;
    int base = temp(c);
    if (!compile_defaults(c, args, &flags) || !unit_enter(c, UNIT_LAMBDA, STR(anon_lambda), e, e->lineno))
        return 0;
    set_counts(c->unit, args);
    if (const_index(c, Py_None) == 0 && emit_prologue(c)) {
        int v = compile_operand(c, e->v.Lambda.body);
        SET_POSITION(c, e->v.Lambda.body);
        if (v >= 0) {
            if (emit_abc(c, OP_RETURN, (unsigned)v, 0, 0))
                code = unit_assemble(c);
        }
    }
    unit_leave(c);
    SET_POSITION(c, e);
    int ok = emit_function(c, code, base, dst, flags);
    set_depth(c, depth);
    return ok;
}

/* ---- Comprehensions ---- */

typedef struct {
    expr_ty whole, element, value;
    ast_comprehension_seq *generators;
    int container;              /* slot, or -1 for a generator expression */
} comprehension_info_t;

static int compile_comprehension_element(compiler_t *c, comprehension_info_t *info)
{
    int depth = c->unit->depth, ok = 0, v;
    switch (info->whole->kind) {
    case GeneratorExp_kind:
        v = compile_to_temp(c, info->element);
        SET_POSITION(c, info->element);
        ok = v >= 0 && (!c->unit->scope->coroutine || emit_abc(c, OP_ASYNC_GEN_WRAP, (unsigned)v, (unsigned)v, 0))
             && emit_abc(c, OP_YIELD_VALUE, (unsigned)v, (unsigned)v, 0) && emit_abc(c, OP_DROP, (unsigned)v, 0, 0);
        break;
    case ListComp_kind:
        v = compile_operand(c, info->element);
        SET_POSITION(c, info->element);
        ok = v >= 0 && emit_abc(c, OP_LIST_APPEND, (unsigned)info->container, (unsigned)v, 0);
        break;
    case SetComp_kind:
        v = compile_operand(c, info->element);
        SET_POSITION(c, info->element);
        ok = v >= 0 && emit_abc(c, OP_SET_ADD, (unsigned)info->container, (unsigned)v, 0);
        break;
    default: {
        int k = compile_operand(c, info->element);
        v = k >= 0 ? compile_operand(c, info->value) : -1;
        SET_POSITION(c, info->element);
        ok = v >= 0 && emit_abc(c, OP_MAP_ADD, (unsigned)info->container, (unsigned)k, (unsigned)v);
    }
    }
    set_depth(c, depth);
    return ok;
}

static int compile_generator_clause(compiler_t *c, comprehension_info_t *info, Py_ssize_t i);

/* The conditions and what is inside one clause. */
static int compile_clause_body(compiler_t *c, comprehension_info_t *info, Py_ssize_t i, label_t again)
{
    comprehension_ty g = info->generators->elements[i];
    for (Py_ssize_t k = 0; k < ast_len(g->ifs); k++)
        if (!compile_jump_if(c, g->ifs->elements[k], again, 0))
            return 0;
    if (i + 1 < ast_len(info->generators))
        return compile_generator_clause(c, info, i + 1);
    return compile_comprehension_element(c, info);
}

/* Where a loop's item goes: straight into a plain local, else into a temporary behind the iterator. */
int compile_loop_slot(compiler_t *c, expr_ty target)
{
    if (target->kind == Name_kind) {
        int slot = local_slot(c, target->v.Name.id);
        if (slot >= 0)
            return slot;
    }
    return temp(c);
}

static int compile_sync_clause(compiler_t *c, comprehension_info_t *info, Py_ssize_t i)
{
    comprehension_ty g = info->generators->elements[i];
    int depth = c->unit->depth, it = temp(c);
    label_t start = label_new(c), end = label_new(c);
    if (i == 0) {
        /* the iterator is the parameter .0 */
        if (!emit_abc(c, OP_TAKE, (unsigned)it, 0, 0))
            return 0;
    }
    else {
        compile_fold_iterable(c, g->iter);
        int v = compile_operand(c, g->iter);
        SET_POSITION(c, g->iter);
        if (v < 0 || !emit_abc(c, OP_GET_ITER, (unsigned)it, (unsigned)v, 0))
            return 0;
    }
    set_depth(c, depth + 1);
    int item = compile_loop_slot(c, g->target);
    SET_POSITION(c, g->target);
    if (!label_here(c, start) || !emit_jump(c, OP_FOR_ITER, (unsigned)it, (unsigned)item, end) || !compile_store(c, g->target, item))
        return 0;
    set_depth(c, depth + 1);
    int ok = compile_clause_body(c, info, i, start) && jump_to(c, start) && label_here(c, end);
    set_depth(c, depth);
    return ok;
}

static int compile_async_clause(compiler_t *c, comprehension_info_t *info, Py_ssize_t i)
{
    comprehension_ty g = info->generators->elements[i];
    int depth = c->unit->depth, it = temp(c), outer;
    label_t start = label_new(c), handler = label_new(c), end = label_new(c);
    if (i == 0) {
        if (!emit_abc(c, OP_TAKE, (unsigned)it, 0, 0))
            return 0;
    }
    else {
        int v = compile_operand(c, g->iter);
        SET_POSITION(c, g->iter);
        if (v < 0 || !emit_abc(c, OP_GET_AITER, (unsigned)it, (unsigned)v, 0))
            return 0;
        set_depth(c, depth + 1);
    }
    if (!label_here(c, start) || !handler_begin(c, handler, &outer))
        return 0;
    int next = temp(c);
    temp(c);
    SET_POSITION(c, g->target);
    if (!emit_abc(c, OP_GET_ANEXT, (unsigned)next, (unsigned)it, 0) || !compile_await(c, next))
        return 0;
    handler_end(c, outer);
    if (!compile_store(c, g->target, next + 1))
        return 0;
    set_depth(c, depth + 1);
    if (!compile_clause_body(c, info, i, start) || !jump_to(c, start) || !label_here(c, handler))
        return 0;
    SET_POSITION(c, g->iter);
    int ok = emit_jump(c, OP_END_ASYNC_FOR, (unsigned)it, (unsigned)(it + 1), end) && label_here(c, end);
    set_depth(c, depth);
    return ok;
}

static int compile_generator_clause(compiler_t *c, comprehension_info_t *info, Py_ssize_t i)
{
    return info->generators->elements[i]->is_async ? compile_async_clause(c, info, i) : compile_sync_clause(c, info, i);
}

static PyObject *comprehension_code(compiler_t *c, comprehension_info_t *info, PyObject *name)
{
    PyObject *code = NULL;
    expr_ty e = info->whole;
    if (!unit_enter(c, UNIT_COMPREHENSION, name, e, e->lineno))
        return NULL;
    c->unit->argcount = 1;
    SET_POSITION(c, e);
    int ok = emit_prologue(c);
    info->container = -1;
    if (ok && e->kind != GeneratorExp_kind) {
        opcode_t op = e->kind == ListComp_kind ? OP_BUILD_LIST : e->kind == SetComp_kind ? OP_BUILD_SET : OP_BUILD_MAP;
        info->container = temp(c);
        ok = emit_abc(c, op, (unsigned)info->container, (unsigned)info->container, 0);
    }
    ok = ok && compile_generator_clause(c, info, 0);
    SET_POSITION(c, e);
    if (ok)
        ok = info->container >= 0 ? emit_abc(c, OP_RETURN, (unsigned)info->container, 0, 0) : return_none(c);
    if (ok)
        code = unit_assemble(c);
    unit_leave(c);
    return code;
}

static int is_async_comprehension(compiler_t *c, expr_ty e)
{
    scope_t *scope = symtable_scope(c->symtable, e);
    return scope == NULL ? -1 : scope->coroutine;
}

int compile_comprehension(compiler_t *c, expr_ty e, int dst)
{
    comprehension_info_t info = {.whole = e};
    PyObject *name;
    switch (e->kind) {
    case ListComp_kind:
        name = STR(anon_listcomp);
        info.element = e->v.ListComp.elt;
        info.generators = e->v.ListComp.generators;
        break;
    case SetComp_kind:
        name = STR(anon_setcomp);
        info.element = e->v.SetComp.elt;
        info.generators = e->v.SetComp.generators;
        break;
    case DictComp_kind:
        name = STR(anon_dictcomp);
        info.element = e->v.DictComp.key;
        info.value = e->v.DictComp.value;
        info.generators = e->v.DictComp.generators;
        break;
    default:
        name = STR(anon_genexpr);
        info.element = e->v.GeneratorExp.elt;
        info.generators = e->v.GeneratorExp.generators;
    }
    int is_async = is_async_comprehension(c, e);
    if (is_async < 0)
        return 0;
    is_async = is_async && e->kind != GeneratorExp_kind;
    if (is_async && c->unit->kind != UNIT_ASYNC_FUNCTION && c->unit->kind != UNIT_COMPREHENSION
        && !((c->flags & 0x2000) && c->unit->kind == UNIT_MODULE))
        return compile_error(c, "asynchronous comprehension outside of an asynchronous function");
    int depth = c->unit->depth, base = temp(c);
    PyObject *code = comprehension_code(c, &info, name);
    SET_POSITION(c, e);
    if (!emit_function(c, code, base, base, 0))
        return 0;
    set_depth(c, depth + 1);
    comprehension_ty first = info.generators->elements[0];
    if (!first->is_async)
        compile_fold_iterable(c, first->iter);
    int arg = compile_to_temp(c, first->iter);
    SET_POSITION(c, e);
    int ok = arg >= 0 && emit_abc(c, first->is_async ? OP_GET_AITER : OP_GET_ITER, (unsigned)arg, (unsigned)arg, 0);
    if (ok && is_async) {
        ok = emit_abc(c, OP_CALL, (unsigned)base, (unsigned)base, 1)
             && emit_abc(c, OP_GET_AWAITABLE, (unsigned)base, (unsigned)base, 0) && compile_await(c, base)
             && emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)(base + 1), 0);
    }
    else
        ok = ok && emit_abc(c, OP_CALL, (unsigned)dst, (unsigned)base, 1);
    set_depth(c, depth);
    return ok;
}

/* ---- Classes ---- */

static PyObject *class_code(compiler_t *c, stmt_ty s, int firstlineno)
{
    PyObject *code = NULL;
    if (!unit_enter(c, UNIT_CLASS, s->v.ClassDef.name, s, firstlineno))
        return NULL;
    unit_t *u = c->unit;
    u->position = (position_t){firstlineno, firstlineno, -1, -1};
    int t = temp(c);
    int ok = emit_prologue(c) && compile_load_name(c, STR(__name__), t) && compile_store_name(c, STR(__module__), t)
             && load_const(c, t, u->qualname) && compile_store_name(c, STR(__qualname__), t);
    set_depth(c, 0);
    ok = ok && compile_body(c, s->v.ClassDef.body);
    UNSET_POSITION(c);
    if (ok && u->scope->needs_class_closure) {
        int slot = cell_slot(c, STR(__class__));
        t = temp(c);
        int copy = temp(c);
        ok = slot >= 0 && emit_abc(c, OP_LOAD_CELL, (unsigned)t, (unsigned)slot, 0)
             && emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)t, 0) && compile_store_name(c, STR(__classcell__), copy)
             && emit_abc(c, OP_RETURN, (unsigned)t, 0, 0);
    }
    else
        ok = ok && return_none(c);
    if (ok)
        code = unit_assemble(c);
    unit_leave(c);
    return code;
}

int compile_class_def(compiler_t *c, stmt_ty s)
{
    ast_expr_seq *decorators = s->v.ClassDef.decorator_list;
    int depth = c->unit->depth, firstlineno = s->lineno;
    if (!compile_decorators(c, decorators))
        return 0;
    if (ast_len(decorators) > 0)
        firstlineno = decorators->elements[0]->lineno;
    int base = temp(c), func = temp(c);
    SET_POSITION(c, s);
    PyObject *code = class_code(c, s, firstlineno);
    SET_POSITION(c, s);
    if (code == NULL || !emit_abc(c, OP_LOAD_BUILD_CLASS, (unsigned)base, 0, 0) || !emit_function(c, code, func, func, 0))
        return 0;
    set_depth(c, func - c->unit->temp_base + 1);
    int name = temp(c);
    if (!load_const(c, name, s->v.ClassDef.name)
        || !compile_call_args(c, base, base, 2, s->v.ClassDef.bases, s->v.ClassDef.keywords))
        return 0;
    set_depth(c, base - c->unit->temp_base + 1);
    if (!apply_decorators(c, decorators, depth))
        return 0;
    SET_POSITION(c, s);
    int ok = compile_store_name(c, s->v.ClassDef.name, temp_at(c, depth));
    set_depth(c, depth);
    return ok;
}
