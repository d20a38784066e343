/* Binding the arguments of a call to the parameters of a Python function. */
#include "Python.h"

#include "dict.h"
#include "function.h"
#include "method_ref.h"
#include "thread_state.h"
#include "vm_slow.h"
#include "well_known_strings.h"

/* One call being bound.  While it is, values in the window are slot references, all others counted ones. */
typedef struct {
    PyFunctionObject *func;
    PyCodeObject *code;
    PyObject **window;
    PyObject **args;            /* scratch: positional arguments, then keyword values; NULL once moved */
    Py_ssize_t nargs, nkw;
    PyObject *kwnames;
    PyObject *kwdict;           /* **kwargs, counted, or NULL */
    PyObject *name;             /* counted, or NULL so far */
} binding_t;

static PyObject *parameter_name(binding_t *b, Py_ssize_t i) { return PyTuple_GET_ITEM(b->code->co_varnames, i); }
/* For messages. Another thread may rename the function. */
static PyObject *function_name(binding_t *b)
{
    if (b->name == NULL)
        b->name = published_field_ref(&b->func->func_qualname);
    return b->name;
}

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
        b->window[i] = owned_to_slot(b->args[b->nargs + k]);
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
            b->window[i] = slot_copy(PyTuple_GET_ITEM(defaults, i - first));
    return 0;
}

static int fill_keyword_only(binding_t *b)
{
    PyCodeObject *code = b->code;
    int total = code->co_argcount + code->co_kwonlyargcount, missing = 0;
    PyObject *kwdefaults = published_field_ref(&b->func->func_kwdefaults);
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
            b->window[i] = owned_to_slot(value);
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
        b->window[i] = owned_to_slot(b->args[i]);
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
    PyObject *defaults = published_field_ref(&b->func->func_defaults);
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

/* ---- The usual calls, bound in place ---- */

/* Arguments are moved about as slot references; no safe point comes between, so those that are in no window for a moment need not be
 * counted. Whatever is unusual (errors above all) is left to the general way, before anything has been changed. */

#define QUICK_MAX 16

typedef struct {
    PyObject *kwvalues[QUICK_MAX];      /* slot references, to go to kwtarget[] */
    uint8_t kwtarget[QUICK_MAX];        /* parameter, or QUICK_MAX * 2: to **kwargs */
    PyObject *defaults;                 /* counted, or NULL */
    PyObject *kwonly[QUICK_MAX];        /* counted defaults of keyword-only parameters that are not given, or NULL */
    uint32_t given;                     /* parameters that are passed, as bits */
} quick_t;

/* Which parameter does each keyword name? 0: something is unusual. */
static int quick_match_keywords(quick_t *q, PyCodeObject *code, PyObject *kwnames, Py_ssize_t nkw)
{
    int total = code->co_argcount + code->co_kwonlyargcount;
    PyObject **names = &PyTuple_GET_ITEM(code->co_varnames, 0);
    for (Py_ssize_t k = 0; k < nkw; k++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, k);
        int i = code->co_posonlyargcount;
        while (i < total && names[i] != keyword)
            i++;
        if (i < total) {
            if (q->given >> i & 1)
                return 0;
            q->given |= 1u << i;
            q->kwtarget[k] = (uint8_t)i;
        }
        else if ((code->co_flags & CO_VARKEYWORDS) && code->co_posonlyargcount == 0 && heap_is_type(keyword, &PyUnicode_Type)
                 && unicode_is_interned(keyword))   /* names of parameters are interned: it is none of them */
            q->kwtarget[k] = 2 * QUICK_MAX;
        else
            return 0;
    }
    return 1;
}

/* Are there defaults for what is not given? References are taken. */
static int quick_find_defaults(quick_t *q, PyFunctionObject *func, PyCodeObject *code)
{
    int total = code->co_argcount + code->co_kwonlyargcount;
    uint32_t missing = (uint32_t)((1ull << total) - 1) & ~q->given;
    if (missing == 0)
        return 1;
    if (missing & ((1u << code->co_argcount) - 1)) {
        PyObject *defaults = __atomic_load_n(&func->func_defaults, __ATOMIC_ACQUIRE);
        if (defaults == NULL || !object_try_incref(defaults))
            return 0;
        q->defaults = defaults;
        Py_ssize_t required = code->co_argcount - PyTuple_GET_SIZE(defaults);
        if (required > 0 && (missing & ((1u << required) - 1)))
            return 0;
    }
    for (int i = code->co_argcount; i < total; i++) {
        PyObject *kwdefaults;
        if (!(missing >> i & 1))
            continue;
        kwdefaults = __atomic_load_n(&func->func_kwdefaults, __ATOMIC_ACQUIRE);
        if (kwdefaults == NULL || !object_try_incref(kwdefaults))
            return 0;
        int found = PyDict_CheckExact(kwdefaults)
                        ? dict_get_str_ref(kwdefaults, PyTuple_GET_ITEM(code->co_varnames, i), &q->kwonly[i]) : 0;
        Py_DECREF(kwdefaults);
        if (found <= 0) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}

static void quick_drop(quick_t *q, int from, int to)
{
    for (int i = from; i < to; i++)
        Py_XDECREF(q->kwonly[i]);
    Py_XDECREF(q->defaults);
}

/* 1 bound; 0 nothing has changed: the general way; -1 MemoryError, args released. */
static int bind_quickly(PyFunctionObject *func, PyCodeObject *code, PyObject **window, Py_ssize_t nargs, PyObject *kwnames,
                        Py_ssize_t nkw)
{
    int argcount = code->co_argcount, total = argcount + code->co_kwonlyargcount, flags = code->co_flags;
    Py_ssize_t positional = nargs < argcount ? nargs : argcount;
    if (total > QUICK_MAX || nkw > QUICK_MAX || (nargs > argcount && !(flags & CO_VARARGS)))
        return 0;
    quick_t q;
    q.given = (1u << positional) - 1;
    q.defaults = NULL;
    for (int i = argcount; i < total; i++)
        q.kwonly[i] = NULL;
    PyObject *rest = NULL, *kwdict = NULL;
    if (!quick_match_keywords(&q, code, kwnames, nkw) || !quick_find_defaults(&q, func, code)
        || ((flags & CO_VARARGS) && (rest = PyTuple_New(nargs - positional)) == NULL)
        || ((flags & CO_VARKEYWORDS) && (kwdict = PyDict_New()) == NULL)) {
        quick_drop(&q, argcount, total);
        Py_XDECREF(rest);
        PyErr_Clear();      /* out of memory: the general way finds out again */
        return 0;
    }
    for (Py_ssize_t i = positional; i < nargs; i++)
        PyTuple_SET_ITEM(rest, i - positional, slot_to_owned(window[i]));
    for (Py_ssize_t k = 0; k < nkw; k++)
        q.kwvalues[k] = window[nargs + k];
    Py_ssize_t used = nargs + nkw > code->co_temp_base ? nargs + nkw : code->co_temp_base;
    for (Py_ssize_t i = positional; i < used; i++)
        window[i] = NULL;
    int status = 1;
    for (Py_ssize_t k = 0; k < nkw; k++) {
        if (q.kwtarget[k] < QUICK_MAX)
            window[q.kwtarget[k]] = q.kwvalues[k];
        else if (dict_set_str_steal(kwdict, PyTuple_GET_ITEM(kwnames, k), slot_to_owned(q.kwvalues[k])) < 0)
            status = -1;
    }
    Py_ssize_t first = q.defaults != NULL ? argcount - PyTuple_GET_SIZE(q.defaults) : 0;
    for (Py_ssize_t i = positional; i < argcount; i++)
        if (!(q.given >> i & 1))
            window[i] = slot_copy(PyTuple_GET_ITEM(q.defaults, i - first));
    for (int i = argcount; i < total; i++)
        if (q.kwonly[i] != NULL) {
            window[i] = owned_to_slot(q.kwonly[i]);
            q.kwonly[i] = NULL;
        }
    if (rest != NULL)
        window[total] = rest;
    if (kwdict != NULL)
        window[total + (rest != NULL)] = kwdict;
    Py_XDECREF(q.defaults);
    if (status < 0)
        for (int i = 0; i < code->co_temp_base; i++)
            slot_clear(window, (unsigned)i);
    return status;
}

/* Only trailing defaults are missing. */
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

int function_bind(PyThreadState *ts, PyFunctionObject *func, PyCodeObject *code, PyObject **args, Py_ssize_t nargs, PyObject *kwnames,
                  PyObject **window)
{
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    (void)ts;
    if (nkw == 0 && code->co_fast_argcount >= 0 && nargs < code->co_argcount && args == window
        && bind_simple_defaults(func, code, window, nargs))
        return 0;
    if (args == window) {
        int bound = bind_quickly(func, code, window, nargs, kwnames, nkw);
        if (bound != 0)
            return bound < 0 ? -1 : 0;
    }

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
    binding_t b = {func, code, window, scratch, nargs, nkw, kwnames, NULL, NULL};
    status = bind(&b);
    for (Py_ssize_t i = 0; i < nargs + nkw; i++)
        Py_XDECREF(scratch[i]);
    if (status < 0)
        for (int i = 0; i < code->co_temp_base; i++)
            slot_clear(window, (unsigned)i);
    Py_XDECREF(b.kwdict);
    Py_XDECREF(b.name);
    if (scratch != small)
        PyMem_Free(scratch);
    return status;
}
