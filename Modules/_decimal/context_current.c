/* The current context: a context variable, so that each thread and each task has its own. */
#include "decimal.h"

static PyObject *current_variable; /* made by the first import, as the next ones */
static PyObject *default_template, *basic_template, *extended_template;

/* ---- Getting and setting ---- */

static PyObject *set_current(PyObject *context)
{
    PyObject *token = PyContextVar_Set(current_variable, context);
    Py_XDECREF(token);
    return token == NULL ? NULL : context;
}

/* A copy of a template, without flags. */
static PyObject *copy_template(PyObject *context)
{
    settings_t s;
    context_get_settings(context, &s);
    return context_new(&s);
}

PyObject *context_current(void)
{
    PyObject *context;
    if (PyContextVar_Get(current_variable, NULL, &context) < 0)
        return NULL;
    if (context != NULL)
        return context;
    context = copy_template(default_template);
    if (context != NULL && set_current(context) == NULL)
        Py_CLEAR(context);
    return context;
}

PyObject *context_or_current(PyObject *arg)
{
    if (arg == NULL || arg == Py_None)
        return context_current();
    if (IS_CONTEXT(arg))
        return Py_NewRef(arg);
    PyErr_SetString(PyExc_TypeError, "optional argument must be a context");
    return NULL;
}

static PyObject *decimal_getcontext(PyObject *module, PyObject *unused)
{
    return context_current();
}

static PyObject *decimal_setcontext(PyObject *module, PyObject *arg)
{
    if (!IS_CONTEXT(arg)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a context");
        return NULL;
    }
    int is_template = arg == default_template || arg == basic_template || arg == extended_template;
    PyObject *context = is_template ? copy_template(arg) : Py_NewRef(arg), *done;
    if (context == NULL)
        return NULL;
    done = set_current(context);
    Py_DECREF(context);
    return done == NULL ? NULL : Py_NewRef(Py_None);
}

/* ---- localcontext ---- */

typedef struct {
    PyObject_HEAD
    PyObject *local, *global; /* [const] the context inside, and the one that comes back */
} manager_t;

static PyObject *decimal_localcontext(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *given = Py_None, *none, *more = kwargs != NULL ? PyDict_Copy(kwargs) : PyDict_New();
    manager_t *manager = NULL;
    if (more == NULL)
        return NULL;
    PyObject *by_name = NULL, *global = NULL, *local = NULL;
    if (!PyArg_ParseTuple(args, "|O", &given) || PyDict_GetItemStringRef(more, "ctx", &by_name) < 0)
        goto done;
    if (by_name != NULL) {
        given = by_name;
        if (PyDict_DelItemString(more, "ctx") < 0)
            goto done;
    }
    global = context_current();
    if (global == NULL)
        goto done;
    if (given != Py_None && !IS_CONTEXT(given)) {
        PyErr_SetString(PyExc_TypeError, "optional argument must be a context");
        goto done;
    }
    local = context_copy(given == Py_None ? global : given, NULL);
    if (local == NULL || (none = PyTuple_New(0)) == NULL)
        goto done;
    int failed = PyDict_GET_SIZE(more) > 0 && context_init_fields(local, none, more) < 0;
    Py_DECREF(none);
    if (!failed && (manager = PyObject_GC_New(manager_t, &manager_type)) != NULL) {
        manager->local = Py_NewRef(local);
        manager->global = Py_NewRef(global);
        PyObject_GC_Track(manager);
    }
done:
    Py_DECREF(more);
    Py_XDECREF(by_name);
    Py_XDECREF(global);
    Py_XDECREF(local);
    return (PyObject *)manager;
}

static PyObject *manager_enter(PyObject *op, PyObject *unused)
{
    PyObject *local = ((manager_t *)op)->local;
    return set_current(local) == NULL ? NULL : Py_NewRef(local);
}

static PyObject *manager_exit(PyObject *op, PyObject *args)
{
    return set_current(((manager_t *)op)->global) == NULL ? NULL : Py_NewRef(Py_False);
}

static int manager_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((manager_t *)op)->local);
    Py_VISIT(((manager_t *)op)->global);
    return 0;
}

static void manager_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((manager_t *)op)->local);
    Py_XDECREF(((manager_t *)op)->global);
    PyObject_GC_Del(op);
}

static PyMethodDef manager_methods[] = {
    {"__enter__", manager_enter, METH_NOARGS, NULL},
    {"__exit__", manager_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyTypeObject manager_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "decimal.ContextManager",
    .tp_basicsize = sizeof(manager_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = manager_methods,
    .tp_traverse = manager_traverse,
    .tp_dealloc = manager_dealloc,
};

/* ---- For the module ---- */

PyMethodDef current_functions[] = {
    {"getcontext", decimal_getcontext, METH_NOARGS, "getcontext($module, /)\n--\n\nThe current context."},
    {"setcontext", decimal_setcontext, METH_O,
     "setcontext($module, context, /)\n--\n\nMakes a context the current one."},
    MODULE_METHOD("localcontext", decimal_localcontext, METH_VARARGS | METH_KEYWORDS,
                  "localcontext($module, /, ctx=None, **kwargs)\n--\n\n"
                  "For with: makes a copy of the current context, or of ctx, current inside; kwargs are "
                  "fields to be set."),
    {NULL, NULL, 0, NULL},
};

static const settings_t default_settings = {
    .prec = 28,
    .emax = 999999,
    .emin = -999999,
    .rounding = ROUND_HALF_EVEN,
    .capitals = 1,
    .traps = STATUS_ANY_INVALID | STATUS_DIVISION_BY_ZERO | STATUS_OVERFLOW,
};
static const settings_t basic_settings = {
    .prec = 9,
    .emax = 999999,
    .emin = -999999,
    .rounding = ROUND_HALF_UP,
    .capitals = 1,
    .traps =
        STATUS_ANY_INVALID | STATUS_DIVISION_BY_ZERO | STATUS_OVERFLOW | STATUS_UNDERFLOW | STATUS_CLAMPED,
};
static const settings_t extended_settings = {
    .prec = 9,
    .emax = 999999,
    .emin = -999999,
    .rounding = ROUND_HALF_EVEN,
    .capitals = 1,
};

static int add_template(PyObject *module, const char *name, PyObject **template, const settings_t *s)
{
    if (*template == NULL && (*template = context_new(s)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, name, *template);
}

int current_add_to_module(PyObject *module)
{
    if (current_variable == NULL && (current_variable = PyContextVar_New("decimal_context", NULL)) == NULL)
        return -1;
    return add_template(module, "DefaultContext", &default_template, &default_settings) < 0 ||
                   add_template(module, "BasicContext", &basic_template, &basic_settings) < 0 ||
                   add_template(module, "ExtendedContext", &extended_template, &extended_settings) < 0
               ? -1
               : 0;
}
