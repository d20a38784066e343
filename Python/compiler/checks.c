/* SyntaxWarnings about expressions that can only be mistakes: calling or subscripting a literal, comparing identity with one. */
#include "Python.h"

#include "expressions.h"

/* The type that a literal or display has for certain, or NULL. */
static PyTypeObject *known_type(expr_ty e)
{
    switch (e->kind) {
    case Constant_kind: return Py_TYPE(e->v.Constant.value);
    case Tuple_kind: return &PyTuple_Type;
    case List_kind:
    case ListComp_kind: return &PyList_Type;
    case Dict_kind:
    case DictComp_kind: return &PyDict_Type;
    case Set_kind:
    case SetComp_kind: return &PySet_Type;
    case GeneratorExp_kind: return &PyGen_Type;
    case Lambda_kind: return &PyFunction_Type;
    case JoinedStr_kind:
    case FormattedValue_kind: return &PyUnicode_Type;
    default: return NULL;
    }
}

int compile_check_call(compiler_t *c, expr_ty e)
{
    PyTypeObject *type = known_type(e->v.Call.func);
    if (type == NULL || type == &PyFunction_Type)
        return 1;
    SET_POSITION(c, e);
    return compile_warning(c, "'%.200s' object is not callable; perhaps you missed a comma?", type->tp_name);
}

static int is_subscriptable(expr_ty e, PyTypeObject *type)
{
    if (e->kind != Constant_kind)
        return type != &PySet_Type && type != &PyGen_Type && type != &PyFunction_Type;
    return type == &PyUnicode_Type || type == &PyBytes_Type || type == &PyTuple_Type;
}

int compile_check_subscript(compiler_t *c, expr_ty e)
{
    expr_ty value = e->v.Subscript.value, slice = e->v.Subscript.slice;
    PyTypeObject *type = known_type(value);
    if (type == NULL)
        return 1;
    if (!is_subscriptable(value, type)) {
        SET_POSITION(c, e);
        return compile_warning(c, "'%.200s' object is not subscriptable; perhaps you missed a comma?", type->tp_name);
    }
    if (type == &PyDict_Type)
        return 1;
    if (fold_expr(c, slice) == NULL && PyErr_Occurred())
        return 0;
    PyTypeObject *index = known_type(slice);
    if (index == NULL || PyType_IsSubtype(index, &PyLong_Type) || index == &PySlice_Type)
        return 1;
    SET_POSITION(c, e);
    return compile_warning(c, "%.200s indices must be integers or slices, not %.200s; perhaps you missed a comma?", type->tp_name,
                           index->tp_name);
}

/* Is the identity of its value an accident? -1 with an exception. */
static int is_literal(compiler_t *c, expr_ty e)
{
    PyObject *v = fold_expr(c, e);
    if (v == NULL)
        return PyErr_Occurred() ? -1 : 0;
    return v != Py_None && v != Py_Ellipsis && !PyBool_Check(v);
}

int compile_check_comparison(compiler_t *c, expr_ty e)
{
    expr_ty left = e->v.Compare.left;
    for (Py_ssize_t i = 0; i < e->v.Compare.ops->size; i++) {
        cmpop_ty op = e->v.Compare.ops->elements[i];
        expr_ty right = e->v.Compare.comparators->elements[i];
        if (op == Is || op == IsNot) {
            int l = is_literal(c, left), r = is_literal(c, right);
            if (l < 0 || r < 0)
                return 0;
            if (l || r) {
                SET_POSITION(c, e);
                return compile_warning(c, op == Is ? "\"is\" with a literal. Did you mean \"==\"?"
                                                   : "\"is not\" with a literal. Did you mean \"!=\"?");
            }
        }
        left = right;
    }
    return 1;
}
