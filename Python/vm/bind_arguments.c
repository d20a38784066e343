/* Binding the arguments of a call to the parameters of a Python function. */
#include "Python.h"

#include "function.h"
#include "thread_state.h"
#include "vm_slow.h"
#include "well_known_strings.h"

/* One call being bound.  While it is, all values (also those already in the window) are counted references. */
typedef struct {
    PyFunctionObject *func;
    PyCodeObject *code;
    PyObject **window;
    PyObject **args;            /* scratch: positional arguments, then keyword values; NULL once moved */
    Py_ssize_t nargs, nkw;
    PyObject *kwnames;
    PyObject *kwdict;           /* **kwargs, counted, or NULL */
} binding_t;

static PyObject *parameter_name(binding_t *b, Py_ssize_t i) { return PyTuple_GET_ITEM(b->code->co_varnames, i); }
static PyObject *function_name(binding_t *b) { return b->func->func_qualname; }

/* "'a', 'b', and 'c'" as in the messages about missing arguments. */
static PyObject *join_names(PyObject *names)
{
    Py_ssize_t n = PyList_GET_SIZE(names);
    if (n == 1)
        return Py_NewRef(PyList_GET_ITEM(names, 0));
    if (n == 2)
        return PyUnicode_FromFormat("%U and %U", PyList_GET_ITEM(names, 0), PyList_GET_ITEM(names, 1));
    PyObject *result = NULL, *head = NULL, *joined = NULL;
    PyObject *comma = PyUnicode_FromString(", ");
    if (comma != NULL && (head = PyList_GetSlice(names, 0, n - 1)) != NULL
        && (joined = PyUnicode_Join(comma, head)) != NULL)
        result = PyUnicode_FromFormat("%U, and %U", joined, PyList_GET_ITEM(names, n - 1));
    Py_XDECREF(comma);
    Py_XDECREF(head);
    Py_XDECREF(joined);
    return result;
}

static int missing_error(binding_t *b, Py_ssize_t from, Py_ssize_t to, const char *kind)
{
    PyObject *names = PyList_New(0);
    if (names == NULL)
        return -1;
    for (Py_ssize_t i = from; i < to; i++) {
        if (b->window[i] != NULL)
            continue;
        PyObject *quoted = PyObject_Repr(parameter_name(b, i));
        if (quoted == NULL || PyList_Append(names, quoted) < 0) {
            Py_XDECREF(quoted);
            Py_DECREF(names);
            return -1;
        }
        Py_DECREF(quoted);
    }
    Py_ssize_t n = PyList_GET_SIZE(names);
    PyObject *joined = join_names(names);
    if (joined != NULL)
        PyErr_Format(PyExc_TypeError, "%U() missing %zd required %s argument%s: %U", function_name(b), n, kind,
                     n == 1 ? "" : "s", joined);
    Py_XDECREF(joined);
    Py_DECREF(names);
    return -1;
}

static int too_many_error(binding_t *b, PyObject *defaults)
{
    PyCodeObject *code = b->code;
    Py_ssize_t ndefaults = defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0;
    Py_ssize_t kwonly_given = 0;
    for (Py_ssize_t i = code->co_argcount; i < code->co_argcount + code->co_kwonlyargcount; i++)
        kwonly_given += b->window[i] != NULL;
    PyObject *takes, *and_keyword_only;
    int plural;
    if (ndefaults > 0) {
        plural = 1;
        takes = PyUnicode_FromFormat("from %zd to %d", code->co_argcount - ndefaults, code->co_argcount);
    }
    else {
        plural = code->co_argcount != 1;
        takes = PyUnicode_FromFormat("%d", code->co_argcount);
    }
    if (kwonly_given > 0)
        and_keyword_only = PyUnicode_FromFormat(" positional argument%s (and %zd keyword-only argument%s)",
                                                b->nargs != 1 ? "s" : "", kwonly_given, kwonly_given != 1 ? "s" : "");
    else
        and_keyword_only = PyUnicode_FromString("");
    if (takes != NULL && and_keyword_only != NULL)
        PyErr_Format(PyExc_TypeError, "%U() takes %U positional argument%s but %zd%U %s given", function_name(b), takes,
                     plural ? "s" : "", b->nargs, and_keyword_only, b->nargs == 1 && !kwonly_given ? "was" : "were");
    Py_XDECREF(takes);
    Py_XDECREF(and_keyword_only);
    return -1;
}

/* Names of positional-only parameters that were passed by keyword: raises and returns 1, or 0, or -1. */
static int positional_only_error(binding_t *b)
{
    PyObject *found = NULL;
    for (int i = 0; i < b->code->co_posonlyargcount; i++) {
        PyObject *name = parameter_name(b, i);
        for (Py_ssize_t k = 0; k < b->nkw; k++) {
            int same = PyUnicode_Compare(name, PyTuple_GET_ITEM(b->kwnames, k)) == 0;
            if (!same)
                continue;
            PyObject *list = found == NULL ? Py_NewRef(name) : PyUnicode_FromFormat("%U, %U", found, name);
            Py_XDECREF(found);
            found = list;
            if (found == NULL)
                return -1;
            break;
        }
    }
    if (found == NULL)
        return 0;
    PyErr_Format(PyExc_TypeError, "%U() got some positional-only arguments passed as keyword arguments: '%U'",
                 function_name(b), found);
    Py_DECREF(found);
    return 1;
}

/* The parameter that a keyword names, or -1. */
static Py_ssize_t find_parameter(binding_t *b, PyObject *keyword)
{
    PyCodeObject *code = b->code;
    Py_ssize_t total = code->co_argcount + code->co_kwonlyargcount;
    for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++)
        if (parameter_name(b, i) == keyword)
            return i;
    for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++)
        if (PyUnicode_Compare(parameter_name(b, i), keyword) == 0)
            return i;
    return -1;
}

static int bind_keyword(binding_t *b, Py_ssize_t k)
{
    PyObject *keyword = PyTuple_GET_ITEM(b->kwnames, k);
    if (!PyUnicode_Check(keyword)) {
        PyErr_Format(PyExc_TypeError, "%U() keywords must be strings", function_name(b));
        return -1;
    }
    Py_ssize_t i = find_parameter(b, keyword);
    if (i >= 0) {
        if (b->window[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%S'", function_name(b), keyword);
            return -1;
        }
        b->window[i] = b->args[b->nargs + k];
        b->args[b->nargs + k] = NULL;
        return 0;
    }
    if (b->kwdict == NULL) {
        if (b->code->co_posonlyargcount > 0 && positional_only_error(b) != 0)
            return -1;
        PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%S'", function_name(b), keyword);
        return -1;
    }
    return PyDict_SetItem(b->kwdict, keyword, b->args[b->nargs + k]);
}

static int fill_defaults(binding_t *b, PyObject *defaults)
{
    PyCodeObject *code = b->code;
    Py_ssize_t ndefaults = defaults != NULL ? PyTuple_GET_SIZE(defaults) : 0;
    Py_ssize_t first = code->co_argcount - ndefaults;
    for (Py_ssize_t i = b->nargs; i < first; i++)
        if (b->window[i] == NULL)
            return missing_error(b, 0, first, "positional");
    for (Py_ssize_t i = first > b->nargs ? first : b->nargs; i < code->co_argcount; i++)
        if (b->window[i] == NULL)
            b->window[i] = Py_NewRef(PyTuple_GET_ITEM(defaults, i - first));
    return 0;
}

static int fill_keyword_only(binding_t *b)
{
    PyCodeObject *code = b->code;
    int total = code->co_argcount + code->co_kwonlyargcount, missing = 0;
    PyObject *kwdefaults = __atomic_load_n(&b->func->func_kwdefaults, __ATOMIC_ACQUIRE);
    kwdefaults = Py_XNewRef(kwdefaults);
    for (int i = code->co_argcount; i < total; i++) {
        if (b->window[i] != NULL)
            continue;
        PyObject *value = NULL;
        if (kwdefaults != NULL && PyDict_GetItemRef(kwdefaults, parameter_name(b, i), &value) < 0) {
            Py_DECREF(kwdefaults);
            return -1;
        }
        if (value == NULL)
            missing = 1;
        else
            b->window[i] = value;
    }
    Py_XDECREF(kwdefaults);
    return missing ? missing_error(b, code->co_argcount, total, "keyword-only") : 0;
}

static int bind(binding_t *b)
{
    PyCodeObject *code = b->code;
    Py_ssize_t positional = b->nargs < code->co_argcount ? b->nargs : code->co_argcount;
    int rest = code->co_argcount + code->co_kwonlyargcount;
    if (code->co_flags & CO_VARKEYWORDS) {
        b->kwdict = PyDict_New();
        if (b->kwdict == NULL)
            return -1;
        b->window[rest + ((code->co_flags & CO_VARARGS) != 0)] = Py_NewRef(b->kwdict);
    }
    for (Py_ssize_t i = 0; i < positional; i++) {
        b->window[i] = b->args[i];
        b->args[i] = NULL;
    }
    if (code->co_flags & CO_VARARGS) {
        PyObject *tuple = PyTuple_New(b->nargs - positional);
        if (tuple == NULL)
            return -1;
        for (Py_ssize_t i = positional; i < b->nargs; i++) {
            PyTuple_SET_ITEM(tuple, i - positional, b->args[i]);
            b->args[i] = NULL;
        }
        b->window[rest] = tuple;
    }
    for (Py_ssize_t k = 0; k < b->nkw; k++)
        if (bind_keyword(b, k) < 0)
            return -1;
    PyObject *defaults = Py_XNewRef(__atomic_load_n(&b->func->func_defaults, __ATOMIC_ACQUIRE));
    int status = 0;
    if (b->nargs > code->co_argcount && !(code->co_flags & CO_VARARGS))
        status = too_many_error(b, defaults);
    else if (b->nargs < code->co_argcount)
        status = fill_defaults(b, defaults);
    Py_XDECREF(defaults);
    if (status == 0 && code->co_kwonlyargcount > 0)
        status = fill_keyword_only(b);
    return status;
}

/* Only trailing defaults are missing: bound in place. */
static int bind_simple_defaults(PyFunctionObject *func, PyCodeObject *code, PyObject **window, Py_ssize_t nargs)
{
    PyObject *defaults = __atomic_load_n(&func->func_defaults, __ATOMIC_ACQUIRE);
    if (defaults == NULL || !object_try_incref(defaults))
        return 0;
    Py_ssize_t first = code->co_argcount - PyTuple_GET_SIZE(defaults);
    int fits = nargs >= first;
    for (Py_ssize_t i = nargs; fits && i < code->co_argcount; i++)
        window[i] = slot_copy(PyTuple_GET_ITEM(defaults, i - first));
    Py_DECREF(defaults);
    if (fits)
        for (int i = code->co_argcount; i < code->co_temp_base; i++)
            window[i] = NULL;
    return fits;
}

int function_bind(PyThreadState *ts, PyFunctionObject *func, PyObject **args, Py_ssize_t nargs, PyObject *kwnames,
                  PyObject **window)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    (void)ts;
    if (nkw == 0 && code->co_fast_argcount >= 0 && nargs < code->co_argcount && args == window
        && bind_simple_defaults(func, code, window, nargs))
        return 0;

    PyObject *small[12];
    PyObject **scratch = nargs + nkw <= (Py_ssize_t)Py_ARRAY_LENGTH(small) ? small : PyMem_New(PyObject *, nargs + nkw);
    int status = -1;
    if (scratch == NULL) {
        PyErr_NoMemory();
        for (Py_ssize_t i = 0; i < nargs + nkw; i++)
            slot_clear(args, (unsigned)i);
        return -1;
    }
    /* counted while they are in no window */
    for (Py_ssize_t i = 0; i < nargs + nkw; i++) {
        scratch[i] = slot_to_owned(args[i]);
        args[i] = NULL;
    }
    for (int i = 0; i < code->co_temp_base; i++)
        window[i] = NULL;
    binding_t b = {func, code, window, scratch, nargs, nkw, kwnames, NULL};
    status = bind(&b);
    for (Py_ssize_t i = 0; i < nargs + nkw; i++)
        Py_XDECREF(scratch[i]);
    /* bind moved counted references into the window */
    for (int i = 0; i < code->co_temp_base; i++)
        if (window[i] != NULL)
            owned_to_slot(window[i]);
    if (status < 0)
        for (int i = 0; i < code->co_temp_base; i++)
            slot_clear(window, (unsigned)i);
    Py_XDECREF(b.kwdict);
    if (scratch != small)
        PyMem_Free(scratch);
    return status;
}
