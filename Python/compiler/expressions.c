/* Expressions. (Calls, displays and strings: calls.c; lambdas and comprehensions: functions.c.) */
#include "Python.h"

#include "compiler_internal.h"
#include "expressions.h"
#include "well_known_strings.h"

/* ---- Operands ---- */

/* Does := bind this local anywhere in the scope?  Then its slot may change between an operand's turn and its instruction. */
static int is_rebound_by_walrus(compiler_t *c, PyObject *name)
{
    PyObject *mangled = symtable_mangle(c->unit->class_name, name);
    long flags = mangled != NULL ? symbol_flags(c->unit->scope, mangled) : DEF_NAMED;
    Py_XDECREF(mangled);
    return (flags & DEF_NAMED) != 0;
}

int compile_to_temp(compiler_t *c, expr_ty e)
{
    int t = temp(c);
    return compile_to(c, e, t) ? t : -1;
}

/* The slot of a local that serves as an operand where it stands, or -1. */
static int standing_slot(compiler_t *c, expr_ty e)
{
    int slot = e->kind == Name_kind ? local_slot(c, e->v.Name.id) : -1;
    return slot >= 0 && !is_rebound_by_walrus(c, e->v.Name.id) ? slot : -1;
}

int compile_operand(compiler_t *c, expr_ty e)
{
    int slot = standing_slot(c, e);
    return slot >= 0 ? slot : compile_to_temp(c, e);
}

/* The first operand of what goes to dst: if that is a temporary nothing lives there yet, so a long chain needs no more of them. */
static int first_operand(compiler_t *c, expr_ty e, int dst)
{
    int slot = standing_slot(c, e);
    if (slot >= 0 || !is_temp(c, dst))
        return slot >= 0 ? slot : compile_to_temp(c, e);
    return compile_to(c, e, dst) ? dst : -1;
}

/* ---- Operators ---- */

opcode_t binary_opcode(operator_ty op, int inplace)
{
    static const opcode_t plain[] = {
        [Add] = OP_ADD, [Sub] = OP_SUBTRACT, [Mult] = OP_MULTIPLY, [MatMult] = OP_MATRIX_MULTIPLY, [Div] = OP_TRUE_DIVIDE,
        [Mod] = OP_REMAINDER, [Pow] = OP_POWER, [LShift] = OP_LSHIFT, [RShift] = OP_RSHIFT, [BitOr] = OP_OR,
        [BitXor] = OP_XOR, [BitAnd] = OP_AND, [FloorDiv] = OP_FLOOR_DIVIDE,
    };
    return plain[op] + (inplace ? OP_INPLACE_ADD - OP_ADD : 0);
}

/* dst = left op right, left in a slot. */
int compile_binary_right(compiler_t *c, operator_ty op, int inplace, int left, expr_ty right, int dst, expr_ty whole)
{
    opcode_t opcode = binary_opcode(op, inplace);
    PyObject *value = fold_expr(c, right);
    if (value == NULL && PyErr_Occurred())
        return 0;
    if (value != NULL) {
        SET_POSITION(c, whole);
        if ((op == Add || op == Sub) && value_is_int(value) && value_get_int(value) == (int16_t)value_get_int(value)) {
            opcode_t small = op == Add ? (inplace ? OP_INPLACE_ADD_I : OP_ADD_I) : (inplace ? OP_INPLACE_SUBTRACT_I : OP_SUBTRACT_I);
            return emit_abc(c, small, (unsigned)dst, (unsigned)left, (uint16_t)value_get_int(value));
        }
        int index = const_index(c, value);
        if (index < 0)
            return 0;
        if (index <= 0xffff)
            return emit_abc(c, opcode + (OP_ADD_K - OP_ADD), (unsigned)dst, (unsigned)left, (unsigned)index);
    }
    int r = compile_operand(c, right);
    SET_POSITION(c, whole);
    return r >= 0 && emit_abc(c, opcode, (unsigned)dst, (unsigned)left, (unsigned)r);
}

static int compile_binary(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    int l = first_operand(c, e->v.BinOp.left, dst);
    int ok = l >= 0 && compile_binary_right(c, e->v.BinOp.op, 0, l, e->v.BinOp.right, dst, e);
    set_depth(c, depth);
    return ok;
}

static int compile_unary(compiler_t *c, expr_ty e, int dst)
{
    static const opcode_t opcodes[] = {[Invert] = OP_INVERT, [Not] = OP_NOT, [UAdd] = OP_POSITIVE, [USub] = OP_NEGATIVE};
    int depth = c->unit->depth;
    int v = first_operand(c, e->v.UnaryOp.operand, dst);
    SET_POSITION(c, e);
    int ok = v >= 0 && emit_abc(c, opcodes[e->v.UnaryOp.op], (unsigned)dst, (unsigned)v, 0);
    set_depth(c, depth);
    return ok;
}

/* a and b, a or b: the value stays in a temporary when it decides. */
static int compile_bool_op(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    /* dst itself may serve if it is a temporary: nothing else lives there */
    int t = is_temp(c, dst) ? dst : temp(c);
    opcode_t jump = e->v.BoolOp.op == And ? OP_JFALSE_KEEP : OP_JTRUE_KEEP;
    label_t end = label_new(c);
    Py_ssize_t n = ast_len(e->v.BoolOp.values);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!compile_to(c, e->v.BoolOp.values->elements[i], t))
            return 0;
        SET_POSITION(c, e);
        if (i < n - 1 && !emit_jump(c, jump, (unsigned)t, 0, end))
            return 0;
    }
    if (!label_here(c, end))
        return 0;
    set_depth(c, depth);
    return t == dst || emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)t, 0);
}

static int compile_if_exp(compiler_t *c, expr_ty e, int dst)
{
    label_t otherwise = label_new(c), end = label_new(c);
    return compile_jump_if(c, e->v.IfExp.test, otherwise, 0) && compile_to(c, e->v.IfExp.body, dst) && jump_to(c, end)
           && label_here(c, otherwise) && compile_to(c, e->v.IfExp.orelse, dst) && label_here(c, end);
}

/* ---- Comparison ---- */

/* Displays of constants on the right of `in` need not be built each time. */
static void fold_container(compiler_t *c, expr_ty e)
{
    if (e->kind != List_kind && e->kind != Set_kind)
        return;
    ast_expr_seq *elements = e->kind == List_kind ? e->v.List.elts : e->v.Set.elts;
    Py_ssize_t n = ast_len(elements);
    for (Py_ssize_t i = 0; i < n; i++)
        if (fold_expr(c, elements->elements[i]) == NULL) {
            PyErr_Clear();
            return;
        }
    PyObject *value = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && value != NULL; i++)
        PyTuple_SET_ITEM(value, i, Py_NewRef(elements->elements[i]->v.Constant.value));
    if (value != NULL && e->kind == Set_kind)
        Py_SETREF(value, PyFrozenSet_New(value));
    if (value == NULL || arena_keep_steal(c->arena, value) < 0) {
        PyErr_Clear();
        return;
    }
    e->kind = Constant_kind;
    e->v.Constant.value = value;
    e->v.Constant.kind = NULL;
}

void compile_fold_iterable(compiler_t *c, expr_ty e) { fold_container(c, e); }

static opcode_t compare_opcode(cmpop_ty op)
{
    static const opcode_t opcodes[] = {
        [Eq] = OP_EQ, [NotEq] = OP_NE, [Lt] = OP_LT, [LtE] = OP_LE, [Gt] = OP_GT, [GtE] = OP_GE,
        [Is] = OP_IS, [IsNot] = OP_IS_NOT, [In] = OP_IN, [NotIn] = OP_NOT_IN,
    };
    return opcodes[op];
}

static int compare_code(cmpop_ty op)
{
    static const int codes[] = {[Eq] = Py_EQ, [NotEq] = Py_NE, [Lt] = Py_LT, [LtE] = Py_LE, [Gt] = Py_GT, [GtE] = Py_GE,
                                [In] = 6, [NotIn] = 7, [Is] = 8, [IsNot] = 9};
    return codes[op];
}

/* a < b < c: each middle operand is a temporary that stays for the next comparison. Ends with the result in dst. */
static int compile_chained(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    Py_ssize_t n = e->v.Compare.ops->size;
    int result = is_temp(c, dst) ? dst : temp(c);
    label_t stop = label_new(c), end = label_new(c);
    int l = compile_to_temp(c, e->v.Compare.left), r = -1;
    for (Py_ssize_t i = 0; i < n && l >= 0; i++) {
        expr_ty right = e->v.Compare.comparators->elements[i];
        cmpop_ty op = e->v.Compare.ops->elements[i];
        if (op == In || op == NotIn)
            fold_container(c, right);
        r = compile_to_temp(c, right);
        if (r < 0)
            return 0;
        SET_POSITION(c, e);
        if (i == n - 1) {
            if (!emit_abc(c, compare_opcode(op), (unsigned)result, (unsigned)l, (unsigned)r))
                return 0;
            break;
        }
        if (!emit_abc(c, OP_COMPARE_PEEK, (unsigned)result, (unsigned)l, (unsigned)compare_code(op))
            || !emit_jump(c, OP_JFALSE_KEEP, (unsigned)result, 0, stop))
            return 0;
        /* the middle operand becomes the left one */
        if (!emit_abc(c, OP_TAKE, (unsigned)l, (unsigned)r, 0))
            return 0;
        set_depth(c, l - c->unit->temp_base + 1);
    }
    if (l < 0 || !jump_to(c, end) || !label_here(c, stop) || !emit_abc(c, OP_DROP, (unsigned)(l + 1), 0, 0) || !label_here(c, end))
        return 0;
    set_depth(c, depth);
    return result == dst || emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)result, 0);
}

static int compile_compare(compiler_t *c, expr_ty e, int dst)
{
    if (!compile_check_comparison(c, e))
        return 0;
    if (e->v.Compare.ops->size > 1)
        return compile_chained(c, e, dst);
    int depth = c->unit->depth;
    cmpop_ty op = e->v.Compare.ops->elements[0];
    expr_ty right = e->v.Compare.comparators->elements[0];
    if (op == In || op == NotIn)
        fold_container(c, right);
    int l = compile_operand(c, e->v.Compare.left);
    int r = l >= 0 ? compile_operand(c, right) : -1;
    SET_POSITION(c, e);
    int ok = r >= 0 && emit_abc(c, compare_opcode(op), (unsigned)dst, (unsigned)l, (unsigned)r);
    set_depth(c, depth);
    return ok;
}

/* ---- Conditional jumps ---- */

/* Jumps if left op right, a part of e, comes out as sense. */
static int jump_if_pair(compiler_t *c, expr_ty e, expr_ty left, cmpop_ty op, expr_ty right, label_t target, int sense)
{
    static const opcode_t jumps[] = {[Eq] = OP_JEQ, [NotEq] = OP_JNE, [Lt] = OP_JLT, [LtE] = OP_JLE, [Gt] = OP_JGT, [GtE] = OP_JGE};
    int depth = c->unit->depth, ok;
    int l = compile_operand(c, left);
    if (l < 0)
        return 0;
    if (op == Is || op == IsNot) {
        int jump_when_same = (op == Is) == sense;
        if (right->kind == Constant_kind && right->v.Constant.value == Py_None) {
            SET_POSITION(c, e);
            ok = emit_jump(c, jump_when_same ? OP_JNONE : OP_JNOT_NONE, (unsigned)l, 0, target);
        }
        else {
            int r = compile_operand(c, right);
            SET_POSITION(c, e);
            ok = r >= 0 && emit_jump(c, jump_when_same ? OP_JIS : OP_JIS_NOT, (unsigned)l, (unsigned)r, target);
        }
        set_depth(c, depth);
        return ok;
    }
    /* the order of the table: J<op>, J<op>_K, JN<op>, JN<op>_K */
    opcode_t jump = jumps[op] + (sense ? 0 : OP_JNLT - OP_JLT);
    PyObject *value = fold_expr(c, right);
    if (value == NULL && PyErr_Occurred())
        return 0;
    int index = value != NULL ? const_index(c, value) : -1;
    if (value != NULL && index < 0)
        return 0;
    if (value != NULL && index <= 0xffff) {
        SET_POSITION(c, e);
        ok = emit_jump(c, jump + 1, (unsigned)l, (unsigned)index, target);
    }
    else {
        int r = compile_operand(c, right);
        SET_POSITION(c, e);
        ok = r >= 0 && emit_jump(c, jump, (unsigned)l, (unsigned)r, target);
    }
    set_depth(c, depth);
    return ok;
}

/* Can the comparison be tested pair by pair? So it can if what stands in the middle need not be kept: plain locals. */
static int is_simple_comparison(compiler_t *c, expr_ty e)
{
    Py_ssize_t n = e->v.Compare.ops->size;
    for (Py_ssize_t i = 0; i < n; i++)
        if (e->v.Compare.ops->elements[i] == In || e->v.Compare.ops->elements[i] == NotIn
            || (i < n - 1 && standing_slot(c, e->v.Compare.comparators->elements[i]) < 0))
            return 0;
    return 1;
}

static int jump_if_compare(compiler_t *c, expr_ty e, label_t target, int sense)
{
    Py_ssize_t n = e->v.Compare.ops->size;
    label_t over = sense == 0 || n == 1 ? target : label_new(c);
    expr_ty left = e->v.Compare.left;
    if (!compile_check_comparison(c, e))
        return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        expr_ty right = e->v.Compare.comparators->elements[i];
        int last = i == n - 1;
        if (!jump_if_pair(c, e, left, e->v.Compare.ops->elements[i], right, last ? target : over, last ? sense : 0))
            return 0;
        left = right;
    }
    return over == target || label_here(c, over);
}

static int jump_if_bool_op(compiler_t *c, expr_ty e, label_t target, int sense)
{
    Py_ssize_t n = ast_len(e->v.BoolOp.values);
    int deciding = e->v.BoolOp.op == Or;        /* the truth of an operand that decides at once */
    label_t over = deciding == sense ? target : label_new(c);
    for (Py_ssize_t i = 0; i < n - 1; i++)
        if (!compile_jump_if(c, e->v.BoolOp.values->elements[i], over, deciding))
            return 0;
    if (!compile_jump_if(c, e->v.BoolOp.values->elements[n - 1], target, sense))
        return 0;
    return over == target || label_here(c, over);
}

static int jump_if(compiler_t *c, expr_ty e, label_t target, int sense)
{
    switch (e->kind) {
    case UnaryOp_kind:
        if (e->v.UnaryOp.op == Not)
            return compile_jump_if(c, e->v.UnaryOp.operand, target, !sense);
        break;
    case BoolOp_kind: return jump_if_bool_op(c, e, target, sense);
    case IfExp_kind: {
        label_t otherwise = label_new(c), end = label_new(c);
        return compile_jump_if(c, e->v.IfExp.test, otherwise, 0) && compile_jump_if(c, e->v.IfExp.body, target, sense)
               && jump_to(c, end) && label_here(c, otherwise) && compile_jump_if(c, e->v.IfExp.orelse, target, sense)
               && label_here(c, end);
    }
    case Compare_kind:
        if (is_simple_comparison(c, e))
            return jump_if_compare(c, e, target, sense);
        break;
    default: break;
    }
    PyObject *value = fold_expr(c, e);
    if (value == NULL && PyErr_Occurred())
        return 0;
    if (value != NULL) {
        int truth = PyObject_IsTrue(value);
        if (truth < 0)
            return 0;
        SET_POSITION(c, e);
        return truth == sense ? jump_to(c, target) : 1;
    }
    int depth = c->unit->depth;
    int v = compile_operand(c, e);
    SET_POSITION(c, e);
    int ok = v >= 0 && emit_jump(c, sense ? OP_JTRUE : OP_JFALSE, (unsigned)v, 0, target);
    set_depth(c, depth);
    return ok;
}

int compile_jump_if(compiler_t *c, expr_ty e, label_t target, int sense)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = jump_if(c, e, target, sense);
    Py_LeaveRecursiveCall();
    return ok;
}

/* ---- Attributes, subscripts ---- */

static int compile_attribute(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    int v = first_operand(c, e->v.Attribute.value, dst), index = name_index(c, e->v.Attribute.attr);
    set_attribute_position(c, e, e);
    int ok = v >= 0 && index >= 0 && emit_abc(c, OP_LOAD_ATTR, (unsigned)dst, (unsigned)v, (unsigned)index);
    set_depth(c, depth);
    return ok;
}

int compile_slice_operand(compiler_t *c, expr_ty e)
{
    if (e->kind != Slice_kind)
        return compile_operand(c, e);
    int depth = c->unit->depth, base = -1;
    expr_ty parts[] = {e->v.Slice.lower, e->v.Slice.upper, e->v.Slice.step};
    int n = parts[2] != NULL ? 3 : 2;
    for (int i = 0; i < n; i++) {
        int t = temp(c);
        if (i == 0)
            base = t;
        if (parts[i] != NULL ? !compile_to(c, parts[i], t) : !load_const(c, t, Py_None))
            return -1;
    }
    SET_POSITION(c, e);
    if (!emit_abc(c, OP_BUILD_SLICE, (unsigned)base, (unsigned)base, (unsigned)n))
        return -1;
    set_depth(c, depth + 1);
    return base;
}

static int compile_subscript(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth, ok;
    if (!compile_check_subscript(c, e))
        return 0;
    int v = first_operand(c, e->v.Subscript.value, dst);
    if (v < 0)
        return 0;
    PyObject *key = e->v.Subscript.slice->kind != Slice_kind ? fold_expr(c, e->v.Subscript.slice) : NULL;
    if (key == NULL && PyErr_Occurred())
        return 0;
    int index = key != NULL ? const_index(c, key) : -1;
    if (key != NULL && index < 0)
        return 0;
    if (key != NULL && index <= 0xffff) {
        SET_POSITION(c, e);
        ok = emit_abc(c, OP_SUBSCR_K, (unsigned)dst, (unsigned)v, (unsigned)index);
    }
    else {
        int k = compile_slice_operand(c, e->v.Subscript.slice);
        SET_POSITION(c, e);
        ok = k >= 0 && emit_abc(c, OP_SUBSCR, (unsigned)dst, (unsigned)v, (unsigned)k);
    }
    set_depth(c, depth);
    return ok;
}

/* ---- Generators and coroutines ---- */

int compile_await(compiler_t *c, int iterator)
{
    unsigned it = (unsigned)iterator, value = it + 1;
    label_t loop = label_new(c), end = label_new(c);
    return load_const(c, (int)value, Py_None) && label_here(c, loop) && emit_jump(c, OP_SEND, it, value, end)
           && emit_abc(c, OP_YIELD_VALUE, value, value, it + 1) && jump_to(c, loop) && label_here(c, end);
}

/* await, yield from: an iterator made by opcode is run to its end. */
static int compile_delegation(compiler_t *c, expr_ty e, expr_ty value, opcode_t opcode, int dst)
{
    int depth = c->unit->depth;
    int it = compile_to_temp(c, value);
    if (it < 0)
        return 0;
    temp(c);
    SET_POSITION(c, e);
    int ok = emit_abc(c, opcode, (unsigned)it, (unsigned)it, 0) && compile_await(c, it)
             && emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)(it + 1), 0);
    set_depth(c, depth);
    return ok;
}

static int in_function(compiler_t *c) { return c->unit->scope->kind == SCOPE_FUNCTION; }

static int compile_yield(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    SET_POSITION(c, e);
    if (!in_function(c))
        return compile_error(c, "'yield' outside function");
    int v;
    if (e->v.Yield.value != NULL)
        v = compile_to_temp(c, e->v.Yield.value);
    else {
        v = temp(c);
        if (!load_const(c, v, Py_None))
            return 0;
    }
    SET_POSITION(c, e);
    int is_async = c->unit->scope->coroutine;
    int ok = v >= 0 && (!is_async || emit_abc(c, OP_ASYNC_GEN_WRAP, (unsigned)v, (unsigned)v, 0))
             && emit_abc(c, OP_YIELD_VALUE, (unsigned)dst, (unsigned)v, 0);
    set_depth(c, depth);
    return ok;
}

static int compile_yield_from(compiler_t *c, expr_ty e, int dst)
{
    SET_POSITION(c, e);
    if (!in_function(c))
        return compile_error(c, "'yield' outside function");
    if (c->unit->kind == UNIT_ASYNC_FUNCTION)
        return compile_error(c, "'yield from' inside async function");
    return compile_delegation(c, e, e->v.YieldFrom.value, OP_GET_YIELD_FROM_ITER, dst);
}

static int top_level_await(compiler_t *c)
{
    return (c->flags & 0x2000 /* PyCF_ALLOW_TOP_LEVEL_AWAIT */) && c->unit->kind == UNIT_MODULE;
}

static int compile_await_expr(compiler_t *c, expr_ty e, int dst)
{
    SET_POSITION(c, e);
    if (!top_level_await(c)) {
        if (!in_function(c))
            return compile_error(c, "'await' outside function");
        if (c->unit->kind != UNIT_ASYNC_FUNCTION && c->unit->kind != UNIT_COMPREHENSION)
            return compile_error(c, "'await' outside async function");
    }
    return compile_delegation(c, e, e->v.Await.value, OP_GET_AWAITABLE, dst);
}

/* ---- The dispatch ---- */

static int compile_named(compiler_t *c, expr_ty e, int dst)
{
    int depth = c->unit->depth;
    int t = is_temp(c, dst) ? dst : temp(c);
    if (!compile_to(c, e->v.NamedExpr.value, t))
        return 0;
    int copy = temp(c);
    int ok = emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)t, 0) && compile_store_name(c, e->v.NamedExpr.target->v.Name.id, copy)
             && (t == dst || emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)t, 0));
    set_depth(c, depth);
    return ok;
}

static int compile_expr(compiler_t *c, expr_ty e, int dst)
{
    PyObject *value = fold_expr(c, e);
    if (value == NULL && PyErr_Occurred())
        return 0;
    SET_POSITION(c, e);
    if (value != NULL)
        return load_const(c, dst, value);
    switch (e->kind) {
    case BoolOp_kind: return compile_bool_op(c, e, dst);
    case NamedExpr_kind: return compile_named(c, e, dst);
    case BinOp_kind: return compile_binary(c, e, dst);
    case UnaryOp_kind: return compile_unary(c, e, dst);
    case Lambda_kind: return compile_lambda(c, e, dst);
    case IfExp_kind: return compile_if_exp(c, e, dst);
    case Dict_kind: return compile_dict(c, e, dst);
    case Set_kind: return compile_sequence(c, e, e->v.Set.elts, dst);
    case ListComp_kind:
    case SetComp_kind:
    case DictComp_kind:
    case GeneratorExp_kind: return compile_comprehension(c, e, dst);
    case Await_kind: return compile_await_expr(c, e, dst);
    case Yield_kind: return compile_yield(c, e, dst);
    case YieldFrom_kind: return compile_yield_from(c, e, dst);
    case Compare_kind: return compile_compare(c, e, dst);
    case Call_kind: return compile_call(c, e, dst);
    case FormattedValue_kind: return compile_formatted_value(c, e, dst);
    case JoinedStr_kind: return compile_joined_str(c, e, dst);
    case Attribute_kind: return compile_attribute(c, e, dst);
    case Subscript_kind: return compile_subscript(c, e, dst);
    case Starred_kind: return compile_error(c, e->v.Starred.ctx == Store ? "starred assignment target must be in a list or tuple"
                                                                         : "can't use starred expression here");
    case Name_kind: return compile_load_name(c, e->v.Name.id, dst);
    case List_kind: return compile_sequence(c, e, e->v.List.elts, dst);
    case Tuple_kind: return compile_sequence(c, e, e->v.Tuple.elts, dst);
    case Slice_kind: {
        int depth = c->unit->depth, t = compile_slice_operand(c, e);
        int ok = t >= 0 && (t == dst || emit_abc(c, OP_TAKE, (unsigned)dst, (unsigned)t, 0));
        set_depth(c, depth);
        return ok;
    }
    default:
        PyErr_SetString(PyExc_SystemError, "unknown kind of expression");
        return 0;
    }
}

int compile_to(compiler_t *c, expr_ty e, int dst)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    position_t outer = c->unit->position;
    int ok = compile_expr(c, e, dst);
    Py_LeaveRecursiveCall();
    if (ok)
        c->unit->position = outer;
    return ok;
}
