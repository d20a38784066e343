/* Constant folding: the values of constant expressions, within limits on size. */
#include "Python.h"

#include "compiler_internal.h"

#define MAX_INT_BITS 128
#define MAX_STRING 4096
#define MAX_TUPLE 256

int is_const_expr(expr_ty e) { return e->kind == Constant_kind; }

/* The node becomes a constant for good. Steals value; borrowed result, NULL without an exception if it could not be computed. */
static PyObject *become_constant(compiler_t *c, expr_ty e, PyObject *value)
{
    if (value == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
            return NULL;
        PyErr_Clear();
        return NULL;
    }
    if (arena_keep_steal(c->arena, value) < 0)
        return NULL;
    e->kind = Constant_kind;
    e->v.Constant.value = value;
    e->v.Constant.kind = NULL;
    return value;
}

static int64_t int_bits(PyObject *op)
{
    size_t bits = _PyLong_NumBits(op);
    return bits > (1u << 30) ? 1 << 30 : (int64_t)bits;
}

/* Would the result be unreasonably large to keep in the code? */
static int too_large(operator_ty op, PyObject *l, PyObject *r)
{
    switch (op) {
    case Pow:
        if (!PyLong_Check(l) || !PyLong_Check(r))
            return 0;
        if (!value_is_int(r) || value_get_int(r) < 0)
            return 1;
        return int_bits(l) * value_get_int(r) > MAX_INT_BITS || value_get_int(r) > MAX_INT_BITS * 8;
    case LShift:
        if (!PyLong_Check(l) || !PyLong_Check(r))
            return 0;
        return !value_is_int(r) || value_get_int(r) < 0 || value_get_int(r) > MAX_INT_BITS
               || int_bits(l) + value_get_int(r) > MAX_INT_BITS;
    case Mult: {
        if (PyLong_Check(l) && PyLong_Check(r))
            return int_bits(l) + int_bits(r) > MAX_INT_BITS;
        PyObject *sequence = PyLong_Check(l) ? r : l, *count = PyLong_Check(l) ? l : r;
        if (!PyLong_Check(count) || PyLong_Check(sequence) || PyFloat_Check(sequence) || PyComplex_Check(sequence))
            return 0;
        Py_ssize_t n = PyObject_Length(sequence);
        Py_ssize_t limit = PyTuple_Check(sequence) ? MAX_TUPLE : MAX_STRING;
        return n > 0 && (!value_is_int(count) || value_get_int(count) < 0 || value_get_int(count) > limit / n);
    }
    case Mod:
        return PyUnicode_Check(l) || PyBytes_Check(l);     /* formatting is left to run time */
    default:
        return 0;
    }
}

static PyObject *fold_binary(compiler_t *c, expr_ty e)
{
    PyObject *l = fold_expr(c, e->v.BinOp.left);
    PyObject *r = l != NULL ? fold_expr(c, e->v.BinOp.right) : NULL;
    if (r == NULL || too_large(e->v.BinOp.op, l, r))
        return NULL;
    PyObject *result = NULL;
    switch (e->v.BinOp.op) {
    case Add: result = PyNumber_Add(l, r); break;
    case Sub: result = PyNumber_Subtract(l, r); break;
    case Mult: result = PyNumber_Multiply(l, r); break;
    case Div: result = PyNumber_TrueDivide(l, r); break;
    case FloorDiv: result = PyNumber_FloorDivide(l, r); break;
    case Mod: result = PyNumber_Remainder(l, r); break;
    case Pow: result = PyNumber_Power(l, r, Py_None); break;
    case LShift: result = PyNumber_Lshift(l, r); break;
    case RShift: result = PyNumber_Rshift(l, r); break;
    case BitOr: result = PyNumber_Or(l, r); break;
    case BitXor: result = PyNumber_Xor(l, r); break;
    case BitAnd: result = PyNumber_And(l, r); break;
    case MatMult: return NULL;
    }
    return become_constant(c, e, result);
}

static PyObject *fold_unary(compiler_t *c, expr_ty e)
{
    PyObject *v = fold_expr(c, e->v.UnaryOp.operand);
    if (v == NULL)
        return NULL;
    PyObject *result = NULL;
    switch (e->v.UnaryOp.op) {
    case USub: result = PyNumber_Negative(v); break;
    case UAdd: result = PyNumber_Positive(v); break;
    case Invert: result = PyNumber_Invert(v); break;
    case Not: {
        int truth = PyObject_IsTrue(v);
        result = truth < 0 ? NULL : PyBool_FromLong(!truth);
        break;
    }
    }
    return become_constant(c, e, result);
}

static PyObject *fold_tuple(compiler_t *c, expr_ty e)
{
    Py_ssize_t n = ast_len(e->v.Tuple.elts);
    if (e->v.Tuple.ctx != Load)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        if (fold_expr(c, e->v.Tuple.elts->elements[i]) == NULL)
            return NULL;
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; i < n && tuple != NULL; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(e->v.Tuple.elts->elements[i]->v.Constant.value));
    return become_constant(c, e, tuple);
}

static PyObject *fold_subscript(compiler_t *c, expr_ty e)
{
    PyObject *v = e->v.Subscript.ctx == Load ? fold_expr(c, e->v.Subscript.value) : NULL;
    PyObject *key = v != NULL ? fold_expr(c, e->v.Subscript.slice) : NULL;
    return key != NULL ? become_constant(c, e, PyObject_GetItem(v, key)) : NULL;
}

PyObject *fold_expr(compiler_t *c, expr_ty e)
{
    PyObject *result = NULL;
    switch (e->kind) {
    case Constant_kind: return e->v.Constant.value;
    case Name_kind:
        if (e->v.Name.ctx == Load && PyUnicode_CompareWithASCIIString(e->v.Name.id, "__debug__") == 0)
            return become_constant(c, e, PyBool_FromLong(c->optimize == 0));
        return NULL;
    case BinOp_kind:
    case UnaryOp_kind:
    case Tuple_kind:
    case Subscript_kind: break;
    default: return NULL;
    }
    if (Py_EnterRecursiveCall(" during compilation"))
        return NULL;
    if (e->kind == BinOp_kind)
        result = fold_binary(c, e);
    else if (e->kind == UnaryOp_kind)
        result = fold_unary(c, e);
    else if (e->kind == Tuple_kind)
        result = fold_tuple(c, e);
    else
        result = fold_subscript(c, e);
    Py_LeaveRecursiveCall();
    return result;
}
