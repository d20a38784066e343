/* Proxies: weak references that pass operations on to their target. */
#include "memory.h"
#include "weakref.h"

/* A new reference to what op stands for: the target of a proxy (NULL with ReferenceError if it is gone), else op. */
static PyObject *resolve(PyObject *op)
{
    if (op == NULL || !PyWeakref_CheckProxy(op))
        return Py_XNewRef(op);
    PyObject *target = weakref_target(op);
    if (target == NULL)
        PyErr_SetString(PyExc_ReferenceError, "weakly-referenced object no longer exists");
    return target;
}

#define PROXY_UNARY(name, call) \
    static PyObject *name(PyObject *self) \
    { \
        PyObject *target = resolve(self); \
        if (target == NULL) \
            return NULL; \
        PyObject *result = call(target); \
        Py_DECREF(target); \
        return result; \
    }

/* Either operand may be the proxy. */
#define PROXY_BINARY(name, call) \
    static PyObject *name(PyObject *a, PyObject *b) \
    { \
        PyObject *result = NULL, *x = resolve(a), *y = x ? resolve(b) : NULL; \
        if (y != NULL) \
            result = call(x, y); \
        Py_XDECREF(x); \
        Py_XDECREF(y); \
        return result; \
    }

/* The third operand of pow is None when absent. */
#define PROXY_TERNARY(name, call) \
    static PyObject *name(PyObject *a, PyObject *b, PyObject *c) \
    { \
        PyObject *result = NULL, *x = resolve(a), *y = x ? resolve(b) : NULL, *z = y ? resolve(c) : NULL; \
        if (y != NULL && (z != NULL || c == NULL)) \
            result = call(x, y, z); \
        Py_XDECREF(x); \
        Py_XDECREF(y); \
        Py_XDECREF(z); \
        return result; \
    }

#define PROXY_METHOD(name, special) \
    static PyObject *name(PyObject *self, PyObject *unused) \
    { \
        PyObject *target = resolve(self); \
        if (target == NULL) \
            return NULL; \
        PyObject *method = PyObject_GetAttrString(target, special), *result = NULL; \
        if (method != NULL) \
            result = PyObject_CallNoArgs(method); \
        Py_XDECREF(method); \
        Py_DECREF(target); \
        return result; \
    }

/* name, what is called */
#define UNARY_OPERATIONS(X) \
    X(proxy_str, PyObject_Str) \
    X(proxy_neg, PyNumber_Negative) X(proxy_pos, PyNumber_Positive) X(proxy_abs, PyNumber_Absolute) \
    X(proxy_invert, PyNumber_Invert) X(proxy_int, PyNumber_Long) X(proxy_float, PyNumber_Float) \
    X(proxy_index, PyNumber_Index) X(proxy_iter, PyObject_GetIter)

#define BINARY_OPERATIONS(X) \
    X(proxy_getattr, PyObject_GetAttr) X(proxy_getitem, PyObject_GetItem) \
    X(proxy_add, PyNumber_Add) X(proxy_sub, PyNumber_Subtract) X(proxy_mul, PyNumber_Multiply) \
    X(proxy_floor_div, PyNumber_FloorDivide) X(proxy_true_div, PyNumber_TrueDivide) \
    X(proxy_mod, PyNumber_Remainder) X(proxy_divmod, PyNumber_Divmod) X(proxy_lshift, PyNumber_Lshift) \
    X(proxy_rshift, PyNumber_Rshift) X(proxy_and, PyNumber_And) X(proxy_xor, PyNumber_Xor) \
    X(proxy_or, PyNumber_Or) X(proxy_matmul, PyNumber_MatrixMultiply) \
    X(proxy_iadd, PyNumber_InPlaceAdd) X(proxy_isub, PyNumber_InPlaceSubtract) \
    X(proxy_imul, PyNumber_InPlaceMultiply) X(proxy_ifloor_div, PyNumber_InPlaceFloorDivide) \
    X(proxy_itrue_div, PyNumber_InPlaceTrueDivide) X(proxy_imod, PyNumber_InPlaceRemainder) \
    X(proxy_ilshift, PyNumber_InPlaceLshift) X(proxy_irshift, PyNumber_InPlaceRshift) \
    X(proxy_iand, PyNumber_InPlaceAnd) X(proxy_ixor, PyNumber_InPlaceXor) X(proxy_ior, PyNumber_InPlaceOr) \
    X(proxy_imatmul, PyNumber_InPlaceMatrixMultiply)

UNARY_OPERATIONS(PROXY_UNARY)
BINARY_OPERATIONS(PROXY_BINARY)
PROXY_TERNARY(proxy_call, PyObject_Call)
PROXY_TERNARY(proxy_pow, PyNumber_Power)
PROXY_TERNARY(proxy_ipow, PyNumber_InPlacePower)
PROXY_METHOD(proxy_bytes, "__bytes__")
PROXY_METHOD(proxy_reversed, "__reversed__")

static PyObject *proxy_repr(PyObject *self)
{
    PyObject *target = weakref_target(self);
    PyObject *shown = target ? target : Py_None;
    PyObject *result = PyUnicode_FromFormat("<weakproxy at %p to %s at %p>", self, Py_TYPE(shown)->tp_name, shown);
    Py_XDECREF(target);
    return result;
}

static int proxy_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *target = resolve(self);
    if (target == NULL)
        return -1;
    int result = PyObject_SetAttr(target, name, value);
    Py_DECREF(target);
    return result;
}

static PyObject *proxy_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *result = NULL, *x = resolve(a), *y = x ? resolve(b) : NULL;
    if (y != NULL)
        result = PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static int proxy_bool(PyObject *self)
{
    PyObject *target = resolve(self);
    if (target == NULL)
        return -1;
    int result = PyObject_IsTrue(target);
    Py_DECREF(target);
    return result;
}

static int proxy_contains(PyObject *self, PyObject *value)
{
    PyObject *target = resolve(self);
    if (target == NULL)
        return -1;
    int result = PySequence_Contains(target, value);
    Py_DECREF(target);
    return result;
}

static Py_ssize_t proxy_length(PyObject *self)
{
    PyObject *target = resolve(self);
    if (target == NULL)
        return -1;
    Py_ssize_t result = PyObject_Size(target);
    Py_DECREF(target);
    return result;
}

static int proxy_setitem(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *target = resolve(self);
    if (target == NULL)
        return -1;
    int result = value == NULL ? PyObject_DelItem(target, key) : PyObject_SetItem(target, key, value);
    Py_DECREF(target);
    return result;
}

static PyObject *proxy_next(PyObject *self)
{
    PyObject *target = resolve(self), *result = NULL;
    if (target == NULL)
        return NULL;
    if (PyIter_Check(target))
        result = PyIter_Next(target);
    else
        PyErr_Format(PyExc_TypeError, "Weakref proxy referenced a non-iterator '%.200s' object",
                     Py_TYPE(target)->tp_name);
    Py_DECREF(target);
    return result;
}

static PyNumberMethods proxy_as_number = {
    .nb_add = proxy_add,
    .nb_subtract = proxy_sub,
    .nb_multiply = proxy_mul,
    .nb_remainder = proxy_mod,
    .nb_divmod = proxy_divmod,
    .nb_power = proxy_pow,
    .nb_negative = proxy_neg,
    .nb_positive = proxy_pos,
    .nb_absolute = proxy_abs,
    .nb_bool = proxy_bool,
    .nb_invert = proxy_invert,
    .nb_lshift = proxy_lshift,
    .nb_rshift = proxy_rshift,
    .nb_and = proxy_and,
    .nb_xor = proxy_xor,
    .nb_or = proxy_or,
    .nb_int = proxy_int,
    .nb_float = proxy_float,
    .nb_inplace_add = proxy_iadd,
    .nb_inplace_subtract = proxy_isub,
    .nb_inplace_multiply = proxy_imul,
    .nb_inplace_remainder = proxy_imod,
    .nb_inplace_power = proxy_ipow,
    .nb_inplace_lshift = proxy_ilshift,
    .nb_inplace_rshift = proxy_irshift,
    .nb_inplace_and = proxy_iand,
    .nb_inplace_xor = proxy_ixor,
    .nb_inplace_or = proxy_ior,
    .nb_floor_divide = proxy_floor_div,
    .nb_true_divide = proxy_true_div,
    .nb_inplace_floor_divide = proxy_ifloor_div,
    .nb_inplace_true_divide = proxy_itrue_div,
    .nb_index = proxy_index,
    .nb_matrix_multiply = proxy_matmul,
    .nb_inplace_matrix_multiply = proxy_imatmul,
};

static PySequenceMethods proxy_as_sequence = {
    .sq_length = proxy_length,
    .sq_contains = proxy_contains,
};

static PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_getitem,
    .mp_ass_subscript = proxy_setitem,
};

static PyMethodDef proxy_methods[] = {
    {"__bytes__", proxy_bytes, METH_NOARGS, NULL},
    {"__reversed__", proxy_reversed, METH_NOARGS, NULL},
    {NULL},
};

#define PROXY_SLOTS \
    .tp_basicsize = sizeof(PyWeakReference), \
    .tp_dealloc = weakref_dealloc, \
    .tp_repr = proxy_repr, \
    .tp_as_number = &proxy_as_number, \
    .tp_as_sequence = &proxy_as_sequence, \
    .tp_as_mapping = &proxy_as_mapping, \
    .tp_hash = PyObject_HashNotImplemented, \
    .tp_str = proxy_str, \
    .tp_getattro = proxy_getattr, \
    .tp_setattro = proxy_setattr, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, \
    .tp_traverse = weakref_traverse, \
    .tp_clear = weakref_clear, \
    .tp_richcompare = proxy_richcompare, \
    .tp_iter = proxy_iter, \
    .tp_iternext = proxy_next, \
    .tp_methods = proxy_methods, \
    .tp_free = PyObject_GC_Del

PyTypeObject _PyWeakref_ProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.ProxyType",
    PROXY_SLOTS,
};

PyTypeObject _PyWeakref_CallableProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.CallableProxyType",
    .tp_call = proxy_call,
    PROXY_SLOTS,
};
