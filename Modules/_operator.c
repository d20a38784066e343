/* The _operator module: the operators as functions, and itemgetter, attrgetter, methodcaller. */
#include "Python.h"

#include <stddef.h>

#include "internal/module.h"

/* ---- Functions of one argument ---- */

#define UNARY(name, expression) \
    static PyObject *op_##name(PyObject *module, PyObject *a) { return expression; }

static PyObject *from_truth(int truth)
{
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

UNARY(neg, PyNumber_Negative(a))
UNARY(pos, PyNumber_Positive(a))
UNARY(abs, PyNumber_Absolute(a))
UNARY(invert, PyNumber_Invert(a))
UNARY(index, PyNumber_Index(a))
UNARY(truth, from_truth(PyObject_IsTrue(a)))
UNARY(not, from_truth(PyObject_Not(a)))

/* ---- Functions of two and three ---- */

#define BINARY(name, expression) \
    static PyObject *op_##name(PyObject *module, PyObject *const *args, Py_ssize_t nargs) \
    { \
        if (!_PyArg_CheckPositional(#name, nargs, 2, 2)) \
            return NULL; \
        PyObject *a = args[0], *b = args[1]; \
        return expression; \
    }

static PyObject *concat(PyObject *a, PyObject *b, int inplace)
{
    return inplace ? PySequence_InPlaceConcat(a, b) : PySequence_Concat(a, b);
}

static PyObject *from_count(Py_ssize_t n)
{
    return n == -1 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *delete_item(PyObject *a, PyObject *b)
{
    return PyObject_DelItem(a, b) < 0 ? NULL : Py_NewRef(Py_None);
}

BINARY(add, PyNumber_Add(a, b))
BINARY(sub, PyNumber_Subtract(a, b))
BINARY(mul, PyNumber_Multiply(a, b))
BINARY(matmul, PyNumber_MatrixMultiply(a, b))
BINARY(floordiv, PyNumber_FloorDivide(a, b))
BINARY(truediv, PyNumber_TrueDivide(a, b))
BINARY(mod, PyNumber_Remainder(a, b))
BINARY(pow, PyNumber_Power(a, b, Py_None))
BINARY(lshift, PyNumber_Lshift(a, b))
BINARY(rshift, PyNumber_Rshift(a, b))
BINARY(and_, PyNumber_And(a, b))
BINARY(xor, PyNumber_Xor(a, b))
BINARY(or_, PyNumber_Or(a, b))
BINARY(iadd, PyNumber_InPlaceAdd(a, b))
BINARY(isub, PyNumber_InPlaceSubtract(a, b))
BINARY(imul, PyNumber_InPlaceMultiply(a, b))
BINARY(imatmul, PyNumber_InPlaceMatrixMultiply(a, b))
BINARY(ifloordiv, PyNumber_InPlaceFloorDivide(a, b))
BINARY(itruediv, PyNumber_InPlaceTrueDivide(a, b))
BINARY(imod, PyNumber_InPlaceRemainder(a, b))
BINARY(ipow, PyNumber_InPlacePower(a, b, Py_None))
BINARY(ilshift, PyNumber_InPlaceLshift(a, b))
BINARY(irshift, PyNumber_InPlaceRshift(a, b))
BINARY(iand, PyNumber_InPlaceAnd(a, b))
BINARY(ixor, PyNumber_InPlaceXor(a, b))
BINARY(ior, PyNumber_InPlaceOr(a, b))
BINARY(concat, concat(a, b, 0))
BINARY(iconcat, concat(a, b, 1))
BINARY(getitem, PyObject_GetItem(a, b))
BINARY(delitem, delete_item(a, b))
BINARY(contains, from_truth(PySequence_Contains(a, b)))
BINARY(indexOf, from_count(PySequence_Index(a, b)))
BINARY(countOf, from_count(PySequence_Count(a, b)))
BINARY(is_, PyBool_FromLong(Py_Is(a, b)))
BINARY(is_not, PyBool_FromLong(!Py_Is(a, b)))
BINARY(eq, PyObject_RichCompare(a, b, Py_EQ))
BINARY(ne, PyObject_RichCompare(a, b, Py_NE))
BINARY(lt, PyObject_RichCompare(a, b, Py_LT))
BINARY(le, PyObject_RichCompare(a, b, Py_LE))
BINARY(gt, PyObject_RichCompare(a, b, Py_GT))
BINARY(ge, PyObject_RichCompare(a, b, Py_GE))

static PyObject *op_setitem(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("setitem", nargs, 3, 3))
        return NULL;
    return PyObject_SetItem(args[0], args[1], args[2]) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *op_length_hint(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t fallback = 0, hint;
    if (!_PyArg_CheckPositional("length_hint", nargs, 1, 2))
        return NULL;
    if (nargs == 2) {
        PyObject *index = PyNumber_Index(args[1]);
        if (index == NULL)
            return NULL;
        fallback = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (fallback == -1 && PyErr_Occurred())
            return NULL;
    }
    hint = PyObject_LengthHint(args[0], fallback);
    if (hint == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromSsize_t(hint);
}

static PyObject *op_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (!_PyArg_CheckPositional("call", nargs, 1, PY_SSIZE_T_MAX))
        return NULL;
    return PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1), kwnames);
}

/* ---- Comparison in constant time ---- */

/* The time depends on the length of b alone. */
static int equal_bytes(const volatile unsigned char *a, const volatile unsigned char *b, Py_ssize_t len_a,
                       Py_ssize_t len_b)
{
    volatile unsigned char difference = len_a == len_b ? 0 : 1;
    const volatile unsigned char *left = len_a == len_b ? a : b;
    for (Py_ssize_t i = 0; i < len_b; i++)
        difference |= left[i] ^ b[i];
    return difference == 0;
}

static PyObject *op_compare_digest(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_compare_digest", nargs, 2, 2))
        return NULL;
    PyObject *a = args[0], *b = args[1];
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
            PyErr_SetString(PyExc_TypeError, "comparing strings with non-ASCII characters is not supported");
            return NULL;
        }
        return PyBool_FromLong(equal_bytes(PyUnicode_DATA(a), PyUnicode_DATA(b), PyUnicode_GET_LENGTH(a),
                                           PyUnicode_GET_LENGTH(b)));
    }
    Py_buffer view_a, view_b;
    PyObject *result = NULL;
    if (!PyObject_CheckBuffer(a) || !PyObject_CheckBuffer(b)) {
        PyErr_Format(PyExc_TypeError, "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (PyObject_GetBuffer(a, &view_a, PyBUF_SIMPLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(b, &view_b, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&view_a);
        return NULL;
    }
    if (view_a.ndim > 1 || view_b.ndim > 1)
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
    else
        result = PyBool_FromLong(equal_bytes(view_a.buf, view_b.buf, view_a.len, view_b.len));
    PyBuffer_Release(&view_a);
    PyBuffer_Release(&view_b);
    return result;
}

/* ---- The getters: immutable, called with one object ---- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;           /* [const] */
    PyObject *items;            /* [const] itemgetter: the keys; attrgetter: str, or a tuple of str for a dotted name */
    PyObject *names;            /* [const] attrgetter: the names as given */
    vectorcallfunc vectorcall;  /* [const] */
} GetterObject;

static PyTypeObject itemgetter_type, attrgetter_type;

static void getter_dealloc(PyObject *op)
{
    GetterObject *g = (GetterObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(g->items);
    Py_XDECREF(g->names);
    Py_TYPE(op)->tp_free(op);
}

static int getter_traverse(PyObject *op, visitproc visit, void *arg)
{
    GetterObject *g = (GetterObject *)op;
    Py_VISIT(g->items);
    Py_VISIT(g->names);
    return 0;
}

typedef PyObject *(*get_function)(PyObject *, PyObject *);

/* One result, or a tuple of them. */
static PyObject *get_all(GetterObject *g, PyObject *from, get_function get)
{
    if (g->count == 1)
        return get(from, PyTuple_GET_ITEM(g->items, 0));
    PyObject *result = PyTuple_New(g->count);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < g->count; i++) {
        PyObject *value = get(from, PyTuple_GET_ITEM(g->items, i));
        if (value == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, i, value);
    }
    return result;
}

static PyObject *itemgetter_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyErr_SetString(PyExc_TypeError, "itemgetter() takes no keyword arguments");
        return NULL;
    }
    if (!_PyArg_CheckPositional("itemgetter", PyVectorcall_NARGS(nargsf), 1, 1))
        return NULL;
    return get_all((GetterObject *)op, args[0], PyObject_GetItem);
}

static PyObject *get_attribute(PyObject *from, PyObject *name)
{
    if (!PyTuple_CheckExact(name))
        return PyObject_GetAttr(from, name);
    Py_INCREF(from);
    for (Py_ssize_t i = 0; from != NULL && i < PyTuple_GET_SIZE(name); i++) {
        PyObject *next = PyObject_GetAttr(from, PyTuple_GET_ITEM(name, i));
        Py_DECREF(from);
        from = next;
    }
    return from;
}

static PyObject *attrgetter_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyErr_SetString(PyExc_TypeError, "attrgetter() takes no keyword arguments");
        return NULL;
    }
    if (!_PyArg_CheckPositional("attrgetter", PyVectorcall_NARGS(nargsf), 1, 1))
        return NULL;
    return get_all((GetterObject *)op, args[0], get_attribute);
}

/* Takes over items and names (which may be NULL for itemgetter). */
static PyObject *getter_make(PyTypeObject *type, PyObject *items, PyObject *names, vectorcallfunc vectorcall)
{
    GetterObject *g = PyObject_GC_New(GetterObject, type);
    if (g == NULL) {
        Py_DECREF(items);
        Py_XDECREF(names);
        return NULL;
    }
    g->items = items;
    g->names = names;
    g->count = PyTuple_GET_SIZE(items);
    g->vectorcall = vectorcall;
    PyObject_GC_Track(g);
    return (PyObject *)g;
}

static PyObject *itemgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!_PyArg_NoKeywords("itemgetter", kwargs)
        || !_PyArg_CheckPositional("itemgetter", PyTuple_GET_SIZE(args), 1, PY_SSIZE_T_MAX))
        return NULL;
    PyObject *items = PyTuple_GetSlice(args, 0, PyTuple_GET_SIZE(args));
    return items == NULL ? NULL : getter_make(type, items, NULL, itemgetter_vectorcall);
}

/* The interned name, or for a dotted one the tuple of its parts. */
static PyObject *split_name(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), dots = 0, start = 0, part = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        dots += PyUnicode_READ_CHAR(name, i) == '.';
    if (dots == 0) {
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        return name;
    }
    PyObject *parts = PyTuple_New(dots + 1);
    if (parts == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i <= n; i++) {
        if (i < n && PyUnicode_READ_CHAR(name, i) != '.')
            continue;
        PyObject *text = PyUnicode_Substring(name, start, i);
        if (text == NULL) {
            Py_DECREF(parts);
            return NULL;
        }
        PyUnicode_InternInPlace(&text);
        PyTuple_SET_ITEM(parts, part++, text);
        start = i + 1;
    }
    return parts;
}

static PyObject *attrgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (!_PyArg_NoKeywords("attrgetter", kwargs) || !_PyArg_CheckPositional("attrgetter", n, 1, PY_SSIZE_T_MAX))
        return NULL;
    PyObject *items = PyTuple_New(n), *names;
    if (items == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(args, i), *item = NULL;
        if (!PyUnicode_Check(name))
            PyErr_SetString(PyExc_TypeError, "attribute name must be a string");
        else
            item = split_name(name);
        if (item == NULL) {
            Py_DECREF(items);
            return NULL;
        }
        PyTuple_SET_ITEM(items, i, item);
    }
    names = PyTuple_GetSlice(args, 0, n);
    if (names == NULL) {
        Py_DECREF(items);
        return NULL;
    }
    return getter_make(type, items, names, attrgetter_vectorcall);
}

/* What the constructor was called with. */
static PyObject *getter_arguments(PyObject *op)
{
    GetterObject *g = (GetterObject *)op;
    return g->names != NULL ? g->names : g->items;
}

static PyObject *getter_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0)
        return entered < 0 ? NULL : PyUnicode_FromFormat("%s(...)", Py_TYPE(op)->tp_name);
    PyObject *args = getter_arguments(op), *result;
    if (PyTuple_GET_SIZE(args) == 1)
        result = PyUnicode_FromFormat("%s(%R)", Py_TYPE(op)->tp_name, PyTuple_GET_ITEM(args, 0));
    else
        result = PyUnicode_FromFormat("%s%R", Py_TYPE(op)->tp_name, args);
    Py_ReprLeave(op);
    return result;
}

static PyObject *getter_reduce(PyObject *op, PyObject *unused)
{
    return PyTuple_Pack(2, Py_TYPE(op), getter_arguments(op));
}

static PyMethodDef getter_methods[] = {
    {"__reduce__", getter_reduce, METH_NOARGS, "Return state information for pickling"},
    {NULL},
};

#define GETTER_TYPE(name, doc) \
    PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = "operator." #name, \
    .tp_basicsize = sizeof(GetterObject), \
    .tp_dealloc = getter_dealloc, \
    .tp_vectorcall_offset = offsetof(GetterObject, vectorcall), \
    .tp_repr = getter_repr, \
    .tp_call = PyVectorcall_Call, \
    .tp_getattro = PyObject_GenericGetAttr, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, \
    .tp_doc = doc, \
    .tp_traverse = getter_traverse, \
    .tp_methods = getter_methods, \
    .tp_new = name##_new, \
    .tp_free = PyObject_GC_Del,

static PyTypeObject itemgetter_type = {GETTER_TYPE(
    itemgetter, "itemgetter(item, ...) --> itemgetter object\n\n"
                "A callable that takes the item, or a tuple of the items, out of its argument.\n"
                "After f = itemgetter(2), f(r) is r[2]; after g = itemgetter(2, 5), g(r) is (r[2], r[5]).")};

static PyTypeObject attrgetter_type = {GETTER_TYPE(
    attrgetter, "attrgetter(attr, ...) --> attrgetter object\n\n"
                "A callable that takes the attribute, or a tuple of the attributes, of its argument.\n"
                "After f = attrgetter('name'), f(r) is r.name; names may have dots.")};

/* ---- methodcaller ---- */

typedef struct {
    PyObject_HEAD
    PyObject *name;             /* [const] interned */
    PyObject *args;             /* [const] tuple */
    PyObject *kwargs;           /* [const] dict that nobody else sees, or NULL */
} CallerObject;

static PyObject *methodcaller_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "methodcaller needs at least one argument, the method name");
        return NULL;
    }
    PyObject *name = PyTuple_GET_ITEM(args, 0);
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "method name must be a string");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)), *named = NULL;
    if (rest == NULL)
        return NULL;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        named = PyDict_Copy(kwargs);
        if (named == NULL) {
            Py_DECREF(rest);
            return NULL;
        }
    }
    CallerObject *c = PyObject_GC_New(CallerObject, type);
    if (c == NULL) {
        Py_DECREF(rest);
        Py_XDECREF(named);
        return NULL;
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    c->name = name;
    c->args = rest;
    c->kwargs = named;
    PyObject_GC_Track(c);
    return (PyObject *)c;
}

static void methodcaller_dealloc(PyObject *op)
{
    CallerObject *c = (CallerObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(c->name);
    Py_XDECREF(c->args);
    Py_XDECREF(c->kwargs);
    Py_TYPE(op)->tp_free(op);
}

static int methodcaller_traverse(PyObject *op, visitproc visit, void *arg)
{
    CallerObject *c = (CallerObject *)op;
    Py_VISIT(c->args);
    Py_VISIT(c->kwargs);
    return 0;
}

#define SMALL_STACK 6

static PyObject *methodcaller_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    CallerObject *c = (CallerObject *)op;
    if (!_PyArg_NoKeywords("methodcaller", kwargs)
        || !_PyArg_CheckPositional("methodcaller", PyTuple_GET_SIZE(args), 1, 1))
        return NULL;
    PyObject *target = PyTuple_GET_ITEM(args, 0);
    Py_ssize_t n = PyTuple_GET_SIZE(c->args);
    if (c->kwargs == NULL && n < SMALL_STACK) {
        PyObject *stack[SMALL_STACK + 1] = {NULL, target};
        for (Py_ssize_t i = 0; i < n; i++)
            stack[i + 2] = PyTuple_GET_ITEM(c->args, i);
        return PyObject_VectorcallMethod(c->name, stack + 1, (size_t)(n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    PyObject *method = PyObject_GetAttr(target, c->name);
    if (method == NULL)
        return NULL;
    PyObject *result = PyObject_Call(method, c->args, c->kwargs);
    Py_DECREF(method);
    return result;
}

static PyObject *methodcaller_repr(PyObject *op)
{
    CallerObject *c = (CallerObject *)op;
    int entered = Py_ReprEnter(op);
    if (entered != 0)
        return entered < 0 ? NULL : PyUnicode_FromFormat("%s(...)", Py_TYPE(op)->tp_name);
    PyObject *text = PyUnicode_FromFormat("%s(%R", Py_TYPE(op)->tp_name, c->name), *key, *value, *next;
    Py_ssize_t pos = 0;
    for (Py_ssize_t i = 0; text != NULL && i < PyTuple_GET_SIZE(c->args); i++) {
        next = PyUnicode_FromFormat("%U, %R", text, PyTuple_GET_ITEM(c->args, i));
        Py_DECREF(text);
        text = next;
    }
    while (text != NULL && c->kwargs != NULL && PyDict_Next(c->kwargs, &pos, &key, &value)) {
        next = PyUnicode_FromFormat("%U, %U=%R", text, key, value);
        Py_DECREF(text);
        text = next;
    }
    if (text != NULL) {
        next = PyUnicode_FromFormat("%U)", text);
        Py_DECREF(text);
        text = next;
    }
    Py_ReprLeave(op);
    return text;
}

/* Keywords go through functools.partial, since arguments of __reduce__ have no names. */
static PyObject *methodcaller_reduce(PyObject *op, PyObject *unused)
{
    CallerObject *c = (CallerObject *)op;
    if (c->kwargs == NULL) {
        Py_ssize_t n = PyTuple_GET_SIZE(c->args);
        PyObject *args = PyTuple_New(n + 1);
        if (args == NULL)
            return NULL;
        PyTuple_SET_ITEM(args, 0, Py_NewRef(c->name));
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(args, i + 1, Py_NewRef(PyTuple_GET_ITEM(c->args, i)));
        return Py_BuildValue("ON", Py_TYPE(op), args);
    }
    PyObject *module = PyImport_ImportModule("functools"), *partial = NULL, *constructor = NULL;
    if (module != NULL)
        partial = PyObject_GetAttrString(module, "partial");
    Py_XDECREF(module);
    if (partial != NULL) {
        PyObject *head = PyTuple_Pack(2, Py_TYPE(op), c->name);
        if (head != NULL) {
            constructor = PyObject_Call(partial, head, c->kwargs);
            Py_DECREF(head);
        }
        Py_DECREF(partial);
    }
    return constructor == NULL ? NULL : Py_BuildValue("NO", constructor, c->args);
}

static PyMethodDef methodcaller_methods[] = {
    {"__reduce__", methodcaller_reduce, METH_NOARGS, "Return state information for pickling"},
    {NULL},
};

static PyTypeObject methodcaller_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "operator.methodcaller",
    .tp_basicsize = sizeof(CallerObject),
    .tp_dealloc = methodcaller_dealloc,
    .tp_repr = methodcaller_repr,
    .tp_call = methodcaller_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "methodcaller(name, ...) --> methodcaller object\n\n"
              "A callable that calls a method of its argument.\n"
              "After f = methodcaller('name', 'foo', bar=1), f(r) is r.name('foo', bar=1).",
    .tp_traverse = methodcaller_traverse,
    .tp_methods = methodcaller_methods,
    .tp_new = methodcaller_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- The module ---- */

#define ONE(name, function, text) {name, op_##function, METH_O, name "($module, a, /)\n--\n\nSame as " text "."}
#define TWO(name, text) \
    MODULE_METHOD(#name, op_##name, METH_FASTCALL, #name "($module, a, b, /)\n--\n\nSame as " text ".")

static PyMethodDef operator_methods[] = {
    {"truth", op_truth, METH_O, "truth($module, a, /)\n--\n\nReturn True if a is true, False otherwise."},
    ONE("not_", not, "not a"),
    ONE("neg", neg, "-a"),
    ONE("pos", pos, "+a"),
    ONE("abs", abs, "abs(a)"),
    ONE("inv", invert, "~a"),
    ONE("invert", invert, "~a"),
    ONE("index", index, "a.__index__()"),
    TWO(add, "a + b"),
    TWO(sub, "a - b"),
    TWO(mul, "a * b"),
    TWO(matmul, "a @ b"),
    TWO(floordiv, "a // b"),
    TWO(truediv, "a / b"),
    TWO(mod, "a % b"),
    TWO(pow, "a ** b"),
    TWO(lshift, "a << b"),
    TWO(rshift, "a >> b"),
    TWO(and_, "a & b"),
    TWO(xor, "a ^ b"),
    TWO(or_, "a | b"),
    TWO(iadd, "a += b"),
    TWO(isub, "a -= b"),
    TWO(imul, "a *= b"),
    TWO(imatmul, "a @= b"),
    TWO(ifloordiv, "a //= b"),
    TWO(itruediv, "a /= b"),
    TWO(imod, "a %= b"),
    TWO(ipow, "a **= b"),
    TWO(ilshift, "a <<= b"),
    TWO(irshift, "a >>= b"),
    TWO(iand, "a &= b"),
    TWO(ixor, "a ^= b"),
    TWO(ior, "a |= b"),
    TWO(concat, "a + b, for a and b sequences"),
    TWO(iconcat, "a += b, for a and b sequences"),
    TWO(getitem, "a[b]"),
    TWO(delitem, "del a[b]"),
    TWO(contains, "b in a (note reversed operands)"),
    TWO(is_, "a is b"),
    TWO(is_not, "a is not b"),
    TWO(eq, "a == b"),
    TWO(ne, "a != b"),
    TWO(lt, "a < b"),
    TWO(le, "a <= b"),
    TWO(gt, "a > b"),
    TWO(ge, "a >= b"),
    MODULE_METHOD("indexOf", op_indexOf, METH_FASTCALL,
                  "indexOf($module, a, b, /)\n--\n\nThe position of the first b in a."),
    MODULE_METHOD("countOf", op_countOf, METH_FASTCALL, "countOf($module, a, b, /)\n--\n\nHow often b is in a."),
    MODULE_METHOD("setitem", op_setitem, METH_FASTCALL, "setitem($module, a, b, c, /)\n--\n\nSame as a[b] = c."),
    MODULE_METHOD("length_hint", op_length_hint, METH_FASTCALL,
                  "length_hint($module, obj, default=0, /)\n--\n\n"
                  "The length of obj, or its own estimate of it, or the default."),
    MODULE_METHOD("call", op_call, METH_FASTCALL | METH_KEYWORDS,
                  "call($module, obj, /, *args, **kwargs)\n--\n\nSame as obj(*args, **kwargs)."),
    MODULE_METHOD("_compare_digest", op_compare_digest, METH_FASTCALL,
                  "_compare_digest($module, a, b, /)\n--\n\n"
                  "Compares two ASCII strings or bytes-like objects in a time that does not tell where they differ."),
    {NULL},
};

static int operator_exec(PyObject *module)
{
    if (PyModule_AddType(module, &itemgetter_type) < 0 || PyModule_AddType(module, &attrgetter_type) < 0
        || PyModule_AddType(module, &methodcaller_type) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot operator_slots[] = {
    {Py_mod_exec, (void *)operator_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef operator_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_operator",
    .m_doc = "The operators as functions.\n\nFor example, operator.add(x, y) is the same as x+y.",
    .m_methods = operator_methods,
    .m_slots = operator_slots,
};

PyMODINIT_FUNC PyInit__operator(void)
{
    return PyModuleDef_Init(&operator_module);
}
