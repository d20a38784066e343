/* Context variables (PEP 567), and the module _contextvars.
 *
 * The variables of a context are an immutable tuple (var, value, var, value, ...), sorted by the serial numbers of the variables:
 * a copy of a context shares it, a store replaces it.  Only the thread that has entered a context stores into it; so that thread
 * reads it without a lock, all others take a reference to the tuple under the context's lock. */
#include "Python.h"
#include "thread_state.h"
#include "module.h"
#include <stddef.h>

struct _pycontextobject {
    PyObject_HEAD
    PyObject *vars;             /* [lock; written by the thread that has entered the context] counted tuple */
    PyContext *previous;        /* [owner: the thread that has entered] counted; what was current before */
    int entered;                /* [lock] */
    PyObject *weaklist;
};

struct _pycontextvarobject {
    PyObject_HEAD
    PyObject *name;             /* [const] */
    PyObject *default_value;    /* [const] or NULL */
    uint64_t serial;            /* [const] order of creation */
};

struct _pycontexttokenobject {
    PyObject_HEAD
    PyObject *context;          /* [const] until cleared */
    PyObject *var;              /* [const] */
    PyObject *old_value;        /* [const] NULL: there was none */
    int used;                   /* [lock] */
};

/* ---- Tuples of variables ---- */

static uint64_t serial_at(PyObject *vars, Py_ssize_t i)
{
    return ((PyContextVar *)PyTuple_GET_ITEM(vars, i))->serial;
}

/* The index of var, or where it belongs; *found tells which. */
static Py_ssize_t vars_find(PyObject *vars, PyObject *var, int *found)
{
    uint64_t serial = ((PyContextVar *)var)->serial;
    Py_ssize_t low = 0, high = PyTuple_GET_SIZE(vars) / 2;
    *found = 0;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (PyTuple_GET_ITEM(vars, 2 * middle) == var) {
            *found = 1;
            return 2 * middle;
        }
        if (serial_at(vars, 2 * middle) < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return 2 * low;
}

/* Borrowed from vars; NULL: absent. */
static PyObject *vars_get_borrowed(PyObject *vars, PyObject *var)
{
    int found;
    Py_ssize_t i = vars_find(vars, var, &found);
    return found ? PyTuple_GET_ITEM(vars, i + 1) : NULL;
}

/* vars with var = value, or without var if value is NULL. */
static PyObject *vars_with(PyObject *vars, PyObject *var, PyObject *value)
{
    int found;
    Py_ssize_t n = PyTuple_GET_SIZE(vars), at = vars_find(vars, var, &found);
    Py_ssize_t skip = found ? 2 : 0, add = value != NULL ? 2 : 0;
    PyObject *result = PyTuple_New(n - skip + add);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < at; i++)
        PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(vars, i)));
    if (value != NULL) {
        PyTuple_SET_ITEM(result, at, Py_NewRef(var));
        PyTuple_SET_ITEM(result, at + 1, Py_NewRef(value));
    }
    for (Py_ssize_t i = at + skip; i < n; i++)
        PyTuple_SET_ITEM(result, i - skip + add, Py_NewRef(PyTuple_GET_ITEM(vars, i)));
    return result;
}

/* ---- Contexts ---- */

/* Steals vars, on failure too. */
static PyContext *context_new_steal(PyObject *vars)
{
    if (vars == NULL)
        return NULL;
    PyContext *self = PyObject_GC_New(PyContext, &PyContext_Type);
    if (self == NULL) {
        Py_DECREF(vars);
        return NULL;
    }
    object_publish(vars);
    self->vars = vars;
    self->previous = NULL;
    self->entered = 0;
    self->weaklist = NULL;
    PyObject_GC_Track(self);
    return self;
}

/* The tuple, for a thread that may not be the one that has entered the context. */
static PyObject *context_get_vars(PyContext *self)
{
    PyObject *vars;
    Py_BEGIN_CRITICAL_SECTION(self);
    vars = Py_NewRef(self->vars);
    Py_END_CRITICAL_SECTION();
    return vars;
}

/* The current thread's; borrowed from the thread. */
static PyContext *current_borrowed(void)
{
    PyThreadState *ts = thread_current();
    if (ts->context == NULL)
        ts->context = (PyObject *)context_new_steal(PyTuple_New(0));
    return (PyContext *)ts->context;
}

/* Stores into the current context.  Escapes */
static int context_store(PyContext *self, PyObject *var, PyObject *value)
{
    PyObject *old, *vars = vars_with(self->vars, var, value);
    if (vars == NULL)
        return -1;
    object_publish(vars);
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->vars;
    self->vars = vars;
    Py_END_CRITICAL_SECTION();
    thread_current()->context_ver++;
    Py_DECREF(old);
    return 0;
}

static int check_context(PyObject *op)
{
    if (PyContext_CheckExact(op))
        return 0;
    PyErr_SetString(PyExc_TypeError, "an instance of Context was expected");
    return -1;
}

PyObject *PyContext_New(void)
{
    return (PyObject *)context_new_steal(PyTuple_New(0));
}

PyObject *PyContext_Copy(PyObject *context)
{
    if (check_context(context) < 0)
        return NULL;
    return (PyObject *)context_new_steal(context_get_vars((PyContext *)context));
}

PyObject *PyContext_CopyCurrent(void)
{
    PyContext *current = current_borrowed();
    return current == NULL ? NULL : (PyObject *)context_new_steal(context_get_vars(current));
}

int PyContext_Enter(PyObject *context)
{
    PyContext *self = (PyContext *)context;
    PyThreadState *ts = thread_current();
    int was_entered;
    if (check_context(context) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(context);
    was_entered = self->entered;
    self->entered = 1;
    Py_END_CRITICAL_SECTION();
    if (was_entered) {
        PyErr_Format(PyExc_RuntimeError, "cannot enter context: %R is already entered", context);
        return -1;
    }
    self->previous = (PyContext *)ts->context;
    object_publish(context);
    ts->context = Py_NewRef(context);
    ts->context_ver++;
    return 0;
}

int PyContext_Exit(PyObject *context)
{
    PyContext *self = (PyContext *)context;
    PyThreadState *ts = thread_current();
    int entered;
    if (check_context(context) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(context);
    entered = self->entered;
    Py_END_CRITICAL_SECTION();
    if (!entered) {
        PyErr_Format(PyExc_RuntimeError, "cannot exit context: %R has not been entered", context);
        return -1;
    }
    if (ts->context != context) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot exit context: thread state references a different context object");
        return -1;
    }
    ts->context = (PyObject *)self->previous;
    ts->context_ver++;
    self->previous = NULL;
    Py_BEGIN_CRITICAL_SECTION(context);
    self->entered = 0;
    Py_END_CRITICAL_SECTION();
    Py_DECREF(context);
    return 0;
}

static PyObject *context_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) > 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_SetString(PyExc_TypeError, "Context() does not accept any arguments");
        return NULL;
    }
    return PyContext_New();
}

static int context_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyContext *)op)->vars);
    Py_VISIT(((PyContext *)op)->previous);
    return 0;
}

static int context_clear(PyObject *op)
{
    PyContext *self = (PyContext *)op;
    PyObject *empty = PyTuple_New(0);
    if (empty == NULL)
        PyErr_Clear();
    else
        Py_SETREF(self->vars, empty);
    Py_CLEAR(self->previous);
    return 0;
}

static void context_dealloc(PyObject *op)
{
    PyContext *self = (PyContext *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weaklist))
        PyObject_ClearWeakRefs(op);
    Py_CLEAR(self->vars);
    Py_CLEAR(self->previous);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Contexts as mappings ---- */

static int check_key(PyObject *key)
{
    if (PyContextVar_CheckExact(key))
        return 0;
    PyErr_Format(PyExc_TypeError, "a ContextVar key was expected, got %R", key);
    return -1;
}

/* New reference in *value, NULL if absent; -1 with an exception. */
static int context_find(PyObject *self, PyObject *key, PyObject **value)
{
    if (check_key(key) < 0)
        return -1;
    PyObject *vars = context_get_vars((PyContext *)self);
    *value = Py_XNewRef(vars_get_borrowed(vars, key));
    Py_DECREF(vars);
    return 0;
}

static PyObject *context_subscript(PyObject *self, PyObject *key)
{
    PyObject *value;
    if (context_find(self, key, &value) < 0)
        return NULL;
    if (value == NULL)
        PyErr_SetObject(PyExc_KeyError, key);
    return value;
}

static int context_contains(PyObject *self, PyObject *key)
{
    PyObject *value;
    if (context_find(self, key, &value) < 0)
        return -1;
    Py_XDECREF(value);
    return value != NULL;
}

static Py_ssize_t context_length(PyObject *self)
{
    PyObject *vars = context_get_vars((PyContext *)self);
    Py_ssize_t n = PyTuple_GET_SIZE(vars) / 2;
    Py_DECREF(vars);
    return n;
}

static PyObject *context_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("get", nargs, 1, 2) || context_find(self, args[0], &value) < 0)
        return NULL;
    return value != NULL ? value : Py_NewRef(nargs == 2 ? args[1] : Py_None);
}

enum { KEYS = 1, VALUES = 2, ITEMS = 3 };

/* An iterator over what is there now. */
static PyObject *iterate(PyObject *self, int what)
{
    PyObject *vars = context_get_vars((PyContext *)self), *iterator = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(vars) / 2;
    PyObject *all = PyTuple_New(n);
    if (all == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *var = PyTuple_GET_ITEM(vars, 2 * i), *value = PyTuple_GET_ITEM(vars, 2 * i + 1);
        PyObject *item = what == KEYS ? Py_NewRef(var) : what == VALUES ? Py_NewRef(value) : PyTuple_Pack(2, var, value);
        if (item == NULL)
            goto done;
        PyTuple_SET_ITEM(all, i, item);
    }
    iterator = PyObject_GetIter(all);
done:
    Py_XDECREF(all);
    Py_DECREF(vars);
    return iterator;
}

static PyObject *context_iter(PyObject *self) { return iterate(self, KEYS); }
static PyObject *context_keys(PyObject *self, PyObject *unused) { return iterate(self, KEYS); }
static PyObject *context_values(PyObject *self, PyObject *unused) { return iterate(self, VALUES); }
static PyObject *context_items(PyObject *self, PyObject *unused) { return iterate(self, ITEMS); }
static PyObject *context_copy(PyObject *self, PyObject *unused) { return PyContext_Copy(self); }

/* 1, 0, or -1 with an exception.  Escapes */
static int vars_equal(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyTuple_GET_SIZE(a);
    if (a == b)
        return 1;
    if (n != PyTuple_GET_SIZE(b))
        return 0;
    for (Py_ssize_t i = 0; i < n; i += 2)
        if (PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, i))
            return 0;
    for (Py_ssize_t i = 1; i < n; i += 2) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), Py_EQ);
        if (equal <= 0)
            return equal;
    }
    return 1;
}

static PyObject *context_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyContext_CheckExact(a) || !PyContext_CheckExact(b) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *left = context_get_vars((PyContext *)a), *right = context_get_vars((PyContext *)b);
    int equal = vars_equal(left, right);
    Py_DECREF(left);
    Py_DECREF(right);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *context_run(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError, "run() missing 1 required positional argument");
        return NULL;
    }
    if (PyContext_Enter(self) < 0)
        return NULL;
    PyObject *result = PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1), names);
    if (PyContext_Exit(self) < 0)
        Py_CLEAR(result);
    return result;
}

static PyMethodDef context_methods[] = {
    MODULE_METHOD("get", context_get, METH_FASTCALL,
                  "get($self, key, default=None, /)\n--\n\nThe value of the variable key, or default."),
    {"items", context_items, METH_NOARGS, "items($self, /)\n--\n\nThe variables with their values."},
    {"keys", context_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe variables."},
    {"values", context_values, METH_NOARGS, "values($self, /)\n--\n\nThe values."},
    {"copy", context_copy, METH_NOARGS, "copy($self, /)\n--\n\nA context with the same values."},
    MODULE_METHOD("run", context_run, METH_FASTCALL | METH_KEYWORDS,
                  "run(callable, *args, **kwargs): calls it with this context as the current one."),
    {NULL},
};

static PyMappingMethods context_as_mapping = {
    .mp_length = context_length,
    .mp_subscript = context_subscript,
};

static PySequenceMethods context_as_sequence = {
    .sq_contains = context_contains,
};

PyTypeObject PyContext_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_contextvars.Context",
    .tp_basicsize = sizeof(PyContext),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A mapping of context variables to values.",
    .tp_weaklistoffset = offsetof(PyContext, weaklist),
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = context_richcompare,
    .tp_as_mapping = &context_as_mapping,
    .tp_as_sequence = &context_as_sequence,
    .tp_iter = context_iter,
    .tp_methods = context_methods,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_new = context_tp_new,
    .tp_traverse = context_traverse,
    .tp_clear = context_clear,
    .tp_dealloc = context_dealloc,
};

/* ---- Tokens ---- */

static PyObject *token_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyErr_SetString(PyExc_RuntimeError, "Tokens can only be created by ContextVars");
    return NULL;
}

static PyObject *token_new(PyContext *context, PyObject *var, PyObject *old_value)
{
    PyContextToken *self = PyObject_GC_New(PyContextToken, &PyContextToken_Type);
    if (self == NULL)
        return NULL;
    self->context = Py_NewRef((PyObject *)context);
    self->var = Py_NewRef(var);
    self->old_value = Py_XNewRef(old_value);
    self->used = 0;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int token_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyContextToken *self = (PyContextToken *)op;
    Py_VISIT(self->context);
    Py_VISIT(self->var);
    Py_VISIT(self->old_value);
    return 0;
}

static void token_dealloc(PyObject *op)
{
    PyContextToken *self = (PyContextToken *)op;
    PyObject_GC_UnTrack(op);
    Py_CLEAR(self->context);
    Py_CLEAR(self->var);
    Py_CLEAR(self->old_value);
    Py_TYPE(op)->tp_free(op);
}

static int token_is_used(PyContextToken *self) { return __atomic_load_n(&self->used, __ATOMIC_RELAXED); }

static PyObject *token_repr(PyObject *op)
{
    PyContextToken *self = (PyContextToken *)op;
    return PyUnicode_FromFormat("<Token%s var=%R at %p>", token_is_used(self) ? " used" : "", self->var, self);
}

static PyObject *token_get_var(PyObject *op, void *unused) { return Py_NewRef(((PyContextToken *)op)->var); }

/* The object Token.MISSING. */
static PyObject *missing_repr(PyObject *self) { return PyUnicode_FromString("<Token.MISSING>"); }
static void missing_dealloc(PyObject *self) { }

static PyTypeObject missing_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "Token.MISSING",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_repr = missing_repr,
    .tp_dealloc = missing_dealloc,
};
static PyObject *missing;       /* made when the module is; never freed */

static PyObject *token_get_old_value(PyObject *op, void *unused)
{
    PyContextToken *self = (PyContextToken *)op;
    return Py_NewRef(self->old_value != NULL ? self->old_value : missing);
}

static PyGetSetDef token_getset[] = {
    {"var", token_get_var, NULL, "The variable that was set.", NULL},
    {"old_value", token_get_old_value, NULL, "The value before that, or Token.MISSING.", NULL},
    {NULL},
};

static PyMethodDef generic_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

PyTypeObject PyContextToken_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_contextvars.Token",
    .tp_basicsize = sizeof(PyContextToken),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "What ContextVar.set() returns and ContextVar.reset() takes.",
    .tp_repr = token_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_methods = generic_methods,
    .tp_getset = token_getset,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_new = token_tp_new,
    .tp_traverse = token_traverse,
    .tp_dealloc = token_dealloc,
};

/* ---- Variables ---- */

static PyObject *var_new(PyObject *name, PyObject *default_value)
{
    static uint64_t last_serial;
    PyContextVar *self = PyObject_GC_New(PyContextVar, &PyContextVar_Type);
    if (self == NULL)
        return NULL;
    self->name = Py_NewRef(name);
    self->default_value = Py_XNewRef(default_value);
    self->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int check_var(PyObject *op)
{
    if (PyContextVar_CheckExact(op))
        return 0;
    PyErr_SetString(PyExc_TypeError, "an instance of ContextVar was expected");
    return -1;
}

PyObject *PyContextVar_New(const char *name, PyObject *default_value)
{
    PyObject *text = PyUnicode_FromString(name);
    if (text == NULL)
        return NULL;
    PyObject *var = var_new(text, default_value);
    Py_DECREF(text);
    return var;
}

int PyContextVar_Get(PyObject *op, PyObject *default_value, PyObject **value)
{
    PyContext *context = (PyContext *)thread_current()->context;
    PyObject *found = NULL;
    *value = NULL;
    if (check_var(op) < 0)
        return -1;
    if (context != NULL)
        found = vars_get_borrowed(context->vars, op);
    if (found == NULL)
        found = default_value != NULL ? default_value : ((PyContextVar *)op)->default_value;
    *value = Py_XNewRef(found);
    return 0;
}

PyObject *PyContextVar_Set(PyObject *var, PyObject *value)
{
    PyContext *context = check_var(var) < 0 ? NULL : current_borrowed();
    if (context == NULL)
        return NULL;
    PyObject *token = token_new(context, var, vars_get_borrowed(context->vars, var));
    if (token != NULL && context_store(context, var, value) < 0)
        Py_CLEAR(token);
    return token;
}

int PyContextVar_Reset(PyObject *var, PyObject *op)
{
    PyContextToken *token = (PyContextToken *)op;
    if (check_var(var) < 0)
        return -1;
    if (!PyContextToken_CheckExact(op)) {
        PyErr_Format(PyExc_TypeError, "expected an instance of Token, got %R", op);
        return -1;
    }
    if (token_is_used(token)) {
        PyErr_Format(PyExc_RuntimeError, "%R has already been used once", op);
        return -1;
    }
    if (token->var != var) {
        PyErr_Format(PyExc_ValueError, "%R was created by a different ContextVar", op);
        return -1;
    }
    PyContext *context = current_borrowed();
    if (context == NULL)
        return -1;
    if (token->context != (PyObject *)context) {
        PyErr_Format(PyExc_ValueError, "%R was created in a different Context", op);
        return -1;
    }
    /* Nobody but this thread, which has entered the context, gets here. */
    __atomic_store_n(&token->used, 1, __ATOMIC_RELAXED);
    return context_store(context, var, token->old_value);
}

static PyObject *var_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "default", NULL};
    PyObject *name, *default_value = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:ContextVar", keywords, &name, &default_value))
        return NULL;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "context variable name must be a str");
        return NULL;
    }
    return var_new(name, default_value);
}

static int var_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyContextVar *)op)->name);
    Py_VISIT(((PyContextVar *)op)->default_value);
    return 0;
}

static void var_dealloc(PyObject *op)
{
    PyContextVar *self = (PyContextVar *)op;
    PyObject_GC_UnTrack(op);
    Py_CLEAR(self->name);
    Py_CLEAR(self->default_value);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *var_repr(PyObject *op)
{
    PyContextVar *self = (PyContextVar *)op;
    if (self->default_value == NULL)
        return PyUnicode_FromFormat("<ContextVar name=%R at %p>", self->name, self);
    /* A default that refers to the variable does so through a container, whose repr() stops there. */
    return PyUnicode_FromFormat("<ContextVar name=%R default=%R at %p>", self->name, self->default_value, self);
}

static PyObject *var_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("get", nargs, 0, 1) || PyContextVar_Get(self, nargs > 0 ? args[0] : NULL, &value) < 0)
        return NULL;
    if (value == NULL)
        PyErr_SetObject(PyExc_LookupError, self);
    return value;
}

static PyObject *var_reset(PyObject *self, PyObject *token)
{
    if (PyContextVar_Reset(self, token) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *var_get_name(PyObject *op, void *unused) { return Py_NewRef(((PyContextVar *)op)->name); }

static PyGetSetDef var_getset[] = {
    {"name", var_get_name, NULL, "The name of the variable.", NULL},
    {NULL},
};

static PyMethodDef var_methods[] = {
    MODULE_METHOD("get", var_get, METH_FASTCALL,
                  "get($self, default=None, /)\n--\n\nThe value in the current context.\n\n"
                  "If there is none: default, if given; else the default of the variable, if it has one; else LookupError."),
    {"set", PyContextVar_Set, METH_O,
     "set($self, value, /)\n--\n\nSets the value in the current context; returns a token for reset()."},
    {"reset", var_reset, METH_O, "reset($self, token, /)\n--\n\nGoes back to the value before the set() that gave the token."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585."},
    {NULL},
};

PyTypeObject PyContextVar_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_contextvars.ContextVar",
    .tp_basicsize = sizeof(PyContextVar),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "ContextVar(name, *, default) -> a variable whose value depends on the current context.",
    .tp_repr = var_repr,
    .tp_methods = var_methods,
    .tp_getset = var_getset,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_new = var_tp_new,
    .tp_traverse = var_traverse,
    .tp_dealloc = var_dealloc,
};

/* ---- The module ---- */

static PyObject *contextvars_copy_context(PyObject *module, PyObject *unused)
{
    return PyContext_CopyCurrent();
}

static PyMethodDef contextvars_methods[] = {
    {"copy_context", contextvars_copy_context, METH_NOARGS,
     "copy_context($module, /)\n--\n\nA copy of the current context."},
    {NULL},
};

static int contextvars_exec(PyObject *module)
{
    if (PyType_Ready(&missing_type) < 0)
        return -1;
    if (missing == NULL && (missing = PyObject_New(PyObject, &missing_type)) == NULL)
        return -1;
    if (PyModule_AddType(module, &PyContext_Type) < 0 || PyModule_AddType(module, &PyContextVar_Type) < 0
        || PyModule_AddType(module, &PyContextToken_Type) < 0)
        return -1;
    if (PyDict_SetItemString(PyContextToken_Type.tp_dict, "MISSING", missing) < 0)
        return -1;
    PyType_Modified(&PyContextToken_Type);
    return 0;
}

static PyModuleDef_Slot contextvars_slots[] = {
    {Py_mod_exec, (void *)contextvars_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef contextvars_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_contextvars",
    .m_doc = "Context variables: see the module contextvars.",
    .m_methods = contextvars_methods,
    .m_slots = contextvars_slots,
};

PyMODINIT_FUNC PyInit__contextvars(void)
{
    return PyModuleDef_Init(&contextvars_module);
}
