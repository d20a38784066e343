/* Signals: their exceptions, and the dicts that are views of flags and traps. */
#include "decimal.h"

/* ---- The exceptions ---- */

typedef struct {
    const char *name;
    uint32_t bits;   /* what sets it */
    PyObject *class; /* made by the first import */
} signal_t;

enum {
    S_INVALID,
    S_FLOAT,
    S_DIVISION,
    S_OVERFLOW,
    S_UNDERFLOW,
    S_SUBNORMAL,
    S_INEXACT,
    S_ROUNDED,
    S_CLAMPED,
    S_COUNT
};

/* In the order of precedence, in which they are also listed. */
static signal_t signals[] = {
    {"InvalidOperation", STATUS_ANY_INVALID, NULL},
    {"FloatOperation", STATUS_FLOAT, NULL},
    {"DivisionByZero", STATUS_DIVISION_BY_ZERO, NULL},
    {"Overflow", STATUS_OVERFLOW, NULL},
    {"Underflow", STATUS_UNDERFLOW, NULL},
    {"Subnormal", STATUS_SUBNORMAL, NULL},
    {"Inexact", STATUS_INEXACT, NULL},
    {"Rounded", STATUS_ROUNDED, NULL},
    {"Clamped", STATUS_CLAMPED, NULL},
    {NULL, 0, NULL},
};

/* The kinds of invalid operations; the first one is the signal itself. */
static signal_t conditions[] = {
    {"InvalidOperation", STATUS_INVALID, NULL},
    {"ConversionSyntax", STATUS_CONVERSION_SYNTAX, NULL},
    {"DivisionImpossible", STATUS_DIVISION_IMPOSSIBLE, NULL},
    {"DivisionUndefined", STATUS_DIVISION_UNDEFINED, NULL},
    {"InvalidContext", STATUS_INVALID_CONTEXT, NULL},
    {NULL, 0, NULL},
};

static PyObject *base_class; /* DecimalException */
static PyObject *dict_class; /* SignalDict */

static const char unknown_signal[] = "valid values for signals are:\n"
                                     "  [InvalidOperation, FloatOperation, DivisionByZero,\n"
                                     "   Overflow, Underflow, Subnormal, Inexact, Rounded,\n"
                                     "   Clamped]";

static int append_classes(PyObject *list, const signal_t *table, uint32_t bits)
{
    for (; table->name != NULL; table++)
        if (bits & table->bits && PyList_Append(list, table->class) < 0)
            return -1;
    return 0;
}

PyObject *signals_to_list(uint32_t bits)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && append_classes(list, signals, bits) < 0)
        Py_CLEAR(list);
    return list;
}

void signals_raise(uint32_t trapped)
{
    const signal_t *signal = signals;
    PyObject *list = PyList_New(0);
    while (signal->name != NULL && !(trapped & signal->bits))
        signal++;
    if (list != NULL && append_classes(list, conditions, trapped) == 0 &&
        append_classes(list, signals + 1, trapped) == 0)
        PyErr_SetObject(signal->class, list);
    Py_XDECREF(list);
}

PyObject *signals_to_str(uint32_t bits)
{
    PyObject *text = PyUnicode_FromString("[");
    const char *separator = "";
    /* in another order than elsewhere, and without the prefix of the module */
    static const int order[] = {S_CLAMPED,  S_INVALID, S_DIVISION,  S_INEXACT,  S_FLOAT,
                                S_OVERFLOW, S_ROUNDED, S_SUBNORMAL, S_UNDERFLOW};
    for (int i = 0; i < S_COUNT && text != NULL; i++)
        if (bits & signals[order[i]].bits) {
            Py_SETREF(text, PyUnicode_FromFormat("%U%s%s", text, separator, signals[order[i]].name));
            separator = ", ";
        }
    if (text != NULL)
        Py_SETREF(text, PyUnicode_FromFormat("%U]", text));
    return text;
}

/* The bits that a signal stands for; 0 with KeyError. */
static uint32_t find_bits(PyObject *class)
{
    for (const signal_t *signal = signals; signal->name != NULL; signal++)
        if (signal->class == class)
            return signal->bits;
    PyErr_SetString(PyExc_KeyError, unknown_signal);
    return 0;
}

/* ---- Parsing ---- */

int signals_parse_list(PyObject *value, uint32_t *bits)
{
    if (!PyList_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a signal dict");
        return -1;
    }
    PyObject *list = PyList_GetSlice(value, 0, PY_SSIZE_T_MAX);
    *bits = 0;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        uint32_t more = find_bits(PyList_GET_ITEM(list, i));
        if (more == 0)
            Py_CLEAR(list);
        *bits |= more;
    }
    Py_XDECREF(list);
    return list == NULL ? -1 : 0;
}

int signals_parse_dict(PyObject *value, uint32_t *bits)
{
    if (signals_check(value)) {
        *bits = signals_get((signals_t *)value);
        return 0;
    }
    if (!PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a signal dict");
        return -1;
    }
    *bits = 0;
    if (PyDict_GET_SIZE(value) != S_COUNT) {
        PyErr_SetString(PyExc_KeyError, "invalid signal dict");
        return -1;
    }
    for (const signal_t *signal = signals; signal->name != NULL; signal++) {
        PyObject *item;
        int found = PyDict_GetItemRef(value, signal->class, &item);
        if (found == 0)
            PyErr_SetString(PyExc_KeyError, "invalid signal dict");
        int is_set = found > 0 ? PyObject_IsTrue(item) : -1;
        if (found > 0)
            Py_DECREF(item);
        if (is_set < 0)
            return -1;
        if (is_set)
            *bits |= signal->bits;
    }
    return 0;
}

/* ---- Signal dicts ---- */

uint32_t signals_get(const signals_t *self)
{
    return __atomic_load_n(&self->bits, __ATOMIC_RELAXED);
}
void signals_set(signals_t *self, uint32_t bits)
{
    __atomic_store_n(&self->bits, bits, __ATOMIC_RELAXED);
}
int signals_check(PyObject *op)
{
    return PyObject_TypeCheck(op, &signals_mixin_type);
}

signals_t *signals_new(uint32_t bits)
{
    signals_t *self = (signals_t *)PyObject_CallNoArgs(dict_class);
    if (self != NULL && !signals_check((PyObject *)self)) {         /* the class is written in Python: a __new__ can be set */
        PyErr_SetString(PyExc_TypeError, "SignalDict() did not return a SignalDict");
        Py_CLEAR(self);
    }
    if (self != NULL)
        signals_set(self, bits);
    return self;
}

static Py_ssize_t signals_length(PyObject *op)
{
    return S_COUNT;
}

static PyObject *signals_subscript(PyObject *op, PyObject *key)
{
    uint32_t bits = find_bits(key);
    return bits == 0 ? NULL : PyBool_FromLong((signals_get((signals_t *)op) & bits) != 0);
}

static int signals_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    signals_t *self = (signals_t *)op;
    if (value == NULL) {
        PyErr_SetString(PyExc_ValueError, "signal keys cannot be deleted");
        return -1;
    }
    uint32_t bits = find_bits(key);
    int is_set = bits != 0 ? PyObject_IsTrue(value) : -1;
    if (is_set < 0)
        return -1;
    if (is_set)
        __atomic_fetch_or(&self->bits, bits, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&self->bits, ~bits, __ATOMIC_RELAXED);
    return 0;
}

static PyObject *signals_iter(PyObject *op)
{
    PyObject *list = signals_to_list(~(uint32_t)0), *iter;
    if (list == NULL)
        return NULL;
    iter = PyObject_GetIter(list);
    Py_DECREF(list);
    return iter;
}

/* An ordinary dict with the same items. */
static PyObject *signals_copy(PyObject *op, PyObject *unused)
{
    uint32_t bits = signals_get((signals_t *)op);
    PyObject *dict = PyDict_New();
    for (const signal_t *signal = signals; dict != NULL && signal->name != NULL; signal++)
        if (PyDict_SetItem(dict, signal->class, bits & signal->bits ? Py_True : Py_False) < 0)
            Py_CLEAR(dict);
    return dict;
}

static PyObject *signals_repr(PyObject *op)
{
    uint32_t bits = signals_get((signals_t *)op);
    PyObject *text = PyUnicode_FromString("{");
    for (int i = 0; i < S_COUNT && text != NULL; i++)
        Py_SETREF(text, PyUnicode_FromFormat("%U%s<class 'decimal.%s'>:%s", text, i > 0 ? ", " : "",
                                             signals[i].name, bits & signals[i].bits ? "True" : "False"));
    if (text != NULL)
        Py_SETREF(text, PyUnicode_FromFormat("%U}", text));
    return text;
}

static PyObject *signals_richcompare(PyObject *a, PyObject *b, int op)
{
    uint32_t bits;
    if ((op != Py_EQ && op != Py_NE) || !signals_check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (!signals_check(b) && !PyDict_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (signals_parse_dict(b, &bits) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    /* each kind of invalid operation is the same signal */
    uint32_t own = signals_get((signals_t *)a);
    if (own & STATUS_ANY_INVALID)
        own |= STATUS_ANY_INVALID;
    if (bits & STATUS_ANY_INVALID)
        bits |= STATUS_ANY_INVALID;
    return PyBool_FromLong((own == bits) == (op == Py_EQ));
}

static PyMethodDef signals_methods[] = {
    {"copy", signals_copy, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMappingMethods signals_mapping = {
    .mp_length = signals_length,
    .mp_subscript = signals_subscript,
    .mp_ass_subscript = signals_ass_subscript,
};

PyTypeObject signals_mixin_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "decimal.SignalDictMixin",
    .tp_basicsize = sizeof(signals_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_as_mapping = &signals_mapping,
    .tp_methods = signals_methods,
    .tp_repr = signals_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = signals_richcompare,
    .tp_iter = signals_iter,
    .tp_new = PyType_GenericNew,
};

/* ---- Making them known ---- */

/* Makes the exception decimal.name with these bases (stolen, may be NULL). */
static int make_class(PyObject **class, const char *name, PyObject *bases)
{
    char full[64];
    snprintf(full, sizeof(full), "decimal.%s", name);
    if (bases != NULL && *class == NULL)
        *class = PyErr_NewException(full, bases, NULL);
    Py_XDECREF(bases);
    return *class == NULL ? -1 : 0;
}

static int make_signals(void)
{
    /* those that are bases come first */
    static const int order[] = {S_CLAMPED,  S_INVALID, S_INEXACT,  S_ROUNDED,  S_SUBNORMAL,
                                S_DIVISION, S_FLOAT,   S_OVERFLOW, S_UNDERFLOW};
    for (int i = 0; i < S_COUNT; i++) {
        PyObject *bases;
        switch (order[i]) {
        case S_DIVISION:
            bases = PyTuple_Pack(2, base_class, PyExc_ZeroDivisionError);
            break;
        case S_FLOAT:
            bases = PyTuple_Pack(2, base_class, PyExc_TypeError);
            break;
        case S_OVERFLOW:
            bases = PyTuple_Pack(2, signals[S_INEXACT].class, signals[S_ROUNDED].class);
            break;
        case S_UNDERFLOW:
            bases = PyTuple_Pack(3, signals[S_INEXACT].class, signals[S_ROUNDED].class,
                                 signals[S_SUBNORMAL].class);
            break;
        default:
            bases = PyTuple_Pack(1, base_class);
        }
        if (make_class(&signals[order[i]].class, signals[order[i]].name, bases) < 0)
            return -1;
    }
    conditions[0].class = signals[S_INVALID].class;
    for (signal_t *condition = conditions + 1; condition->name != NULL; condition++) {
        int is_undefined = condition->bits == STATUS_DIVISION_UNDEFINED;
        PyObject *bases = is_undefined ? PyTuple_Pack(2, signals[S_INVALID].class, PyExc_ZeroDivisionError)
                                       : PyTuple_Pack(1, signals[S_INVALID].class);
        if (make_class(&condition->class, condition->name, bases) < 0)
            return -1;
    }
    return 0;
}

/* SignalDict: the mixin and MutableMapping. */
static int make_dict_class(void)
{
    if (dict_class != NULL)
        return 0;
    PyObject *abc = PyImport_ImportModule("collections.abc"), *mapping = NULL;
    if (abc != NULL)
        mapping = PyObject_GetAttrString(abc, "MutableMapping");
    if (mapping != NULL)
        dict_class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){}", "SignalDict",
                                           &signals_mixin_type, mapping);
    Py_XDECREF(abc);
    Py_XDECREF(mapping);
    return dict_class == NULL ? -1 : 0;
}

int signals_add_to_module(PyObject *module)
{
    if (PyType_Ready(&signals_mixin_type) < 0 ||
        make_class(&base_class, "DecimalException", PyTuple_Pack(1, PyExc_ArithmeticError)) < 0 ||
        make_signals() < 0 || make_dict_class() < 0 ||
        PyModule_AddObjectRef(module, "DecimalException", base_class) < 0)
        return -1;
    for (const signal_t *signal = signals; signal->name != NULL; signal++)
        if (PyModule_AddObjectRef(module, signal->name, signal->class) < 0)
            return -1;
    for (const signal_t *condition = conditions + 1; condition->name != NULL; condition++)
        if (PyModule_AddObjectRef(module, condition->name, condition->class) < 0)
            return -1;
    return 0;
}
