/* The `_warnings` module: filters, and the issuing of warnings from C and Python.
 *
 * The filters are the list that `warnings.filters` shows; the `warnings` module may replace its own attributes, which are looked up
 * there first, as tests and users expect. The filters version is an atomic counter: registries of older versions are cleared. */
#include "Python.h"

#include "frame.h"
#include "interpreter.h"
#include "module.h"
#include "sys_internal.h"
#include "thread_state.h"
#include "well_known_strings.h"

static struct _is *state(void) { return interpreter_get_main(); }

/* ---- Attributes of the `warnings` module ---- */

/* warnings.<name>: a new reference, or NULL without an exception if the module is not there (or not to be imported now). */
static PyObject *warnings_attribute(const char *name, int import)
{
    PyObject *module_name = PyUnicode_InternFromString("warnings"), *module, *value = NULL;
    if (module_name == NULL)
        return NULL;
    module = PyImport_GetModule(module_name);
    if (module == NULL && import && !PyErr_Occurred() && !runtime_is_finalizing())
        module = PyImport_Import(module_name);
    Py_DECREF(module_name);
    if (module == NULL) {
        PyErr_Clear();
        return NULL;
    }
    if (PyObject_GetOptionalAttrString(module, name, &value) < 0)
        PyErr_Clear();
    Py_DECREF(module);
    return value;
}

static PyObject *from_module_or(const char *name, PyObject **own)
{
    PyObject *value = warnings_attribute(name, 0);
    if (value != NULL) {
        interpreter_set(own, value);
        return value;
    }
    return interpreter_get(own);
}

/* ---- Filters ---- */

static PyObject *make_filter(PyObject *category, const char *action, const char *module)
{
    PyObject *text = module != NULL ? PyUnicode_FromString(module) : Py_None;
    return text != NULL ? Py_BuildValue("(sOONi)", action, Py_None, category, text, 0) : NULL;
}

static PyObject *default_filters(void)
{
    const struct { PyObject *category; const char *action, *module; } filters[] = {
        {PyExc_DeprecationWarning, "default", "__main__"}, {PyExc_DeprecationWarning, "ignore", NULL},
        {PyExc_PendingDeprecationWarning, "ignore", NULL}, {PyExc_ImportWarning, "ignore", NULL},
        {PyExc_ResourceWarning, "ignore", NULL},
    };
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < Py_ARRAY_LENGTH(filters); i++) {
        PyObject *filter = make_filter(filters[i].category, filters[i].action, filters[i].module);
        if (filter == NULL || PyList_Append(list, filter) < 0)
            Py_CLEAR(list);
        Py_XDECREF(filter);
    }
    return list;
}

/* Does the filter's pattern match? pattern: None, a str (equal), or an object with match(). */
static int pattern_matches(PyObject *pattern, PyObject *text)
{
    if (pattern == Py_None)
        return 1;
    if (PyUnicode_CheckExact(pattern))
        return PyUnicode_Compare(pattern, text) == 0;
    PyObject *result = PyObject_CallMethod(pattern, "match", "(O)", text);
    int truth = result != NULL ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    return truth;
}

/* The action for a warning: new reference; *item is the filter or None. */
static PyObject *find_action(PyObject *category, PyObject *text, Py_ssize_t lineno, PyObject *module, PyObject **item)
{
    PyObject *filters = from_module_or("filters", &state()->warnings_filters);
    if (filters == NULL || !PyList_Check(filters)) {
        Py_XDECREF(filters);
        PyErr_SetString(PyExc_ValueError, "_warnings.filters must be a list");
        return NULL;
    }
    for (Py_ssize_t i = 0;; i++) {
        PyObject *filter = PyList_GetItemRef(filters, i);
        if (filter == NULL) {
            PyErr_Clear();
            break;
        }
        if (!PyTuple_Check(filter) || PyTuple_GET_SIZE(filter) != 5) {
            PyErr_Format(PyExc_ValueError, "_warnings.filters item %zd isn't a 5-tuple", i);
            goto fail_filter;
        }
        PyObject *action = PyTuple_GET_ITEM(filter, 0);
        if (!PyUnicode_Check(action)) {
            PyErr_Format(PyExc_TypeError, "action must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
            goto fail_filter;
        }
        Py_ssize_t line = PyLong_AsSsize_t(PyTuple_GET_ITEM(filter, 4));
        if (line == -1 && PyErr_Occurred())
            goto fail_filter;
        int good = pattern_matches(PyTuple_GET_ITEM(filter, 1), text);
        if (good > 0)
            good = PyObject_IsSubclass(category, PyTuple_GET_ITEM(filter, 2));
        if (good > 0)
            good = pattern_matches(PyTuple_GET_ITEM(filter, 3), module);
        if (good < 0)
            goto fail_filter;
        if (good && (line == 0 || line == lineno)) {
            *item = filter;
            action = Py_NewRef(action);
            Py_DECREF(filters);
            return action;
        }
        Py_DECREF(filter);
        continue;
    fail_filter:
        Py_DECREF(filter);
        Py_DECREF(filters);
        return NULL;
    }
    Py_DECREF(filters);
    *item = Py_None;
    PyObject *action = from_module_or("defaultaction", &state()->warnings_default_action);
    if (action == NULL)
        action = PyUnicode_FromString("default");
    else if (!PyUnicode_Check(action)) {
        PyErr_Format(PyExc_TypeError, "_warnings.defaultaction must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
        Py_CLEAR(action);
    }
    return action;
}

/* ---- Registries ---- */

/* Seen before, under the present version of the filters?  Marks it as seen if should_set. 1, 0, -1. */
static int already_warned(PyObject *registry, PyObject *key, int should_set)
{
    PyObject *version, *value;
    long current = __atomic_load_n(&state()->warnings_filters_version, __ATOMIC_ACQUIRE);
    if (PyDict_GetItemStringRef(registry, "version", &version) < 0)
        return -1;
    int same = version != NULL && PyLong_CheckExact(version) && PyLong_AsLong(version) == current;
    PyErr_Clear();
    Py_XDECREF(version);
    if (!same) {
        PyDict_Clear(registry);
        PyObject *number = PyLong_FromLong(current);
        int status = number != NULL ? PyDict_SetItemString(registry, "version", number) : -1;
        Py_XDECREF(number);
        if (status < 0)
            return -1;
    }
    else {
        if (PyDict_GetItemRef(registry, key, &value) < 0)
            return -1;
        if (value != NULL) {
            int truth = PyObject_IsTrue(value);
            Py_DECREF(value);
            if (truth != 0)
                return truth;
        }
    }
    return should_set ? PyDict_SetItem(registry, key, Py_True) : 0;
}

static int warned_once(PyObject *registry, PyObject *text, PyObject *category, int with_zero)
{
    PyObject *key = with_zero ? PyTuple_Pack(3, text, category, value_from_int(0)) : PyTuple_Pack(2, text, category);
    int result = key != NULL ? already_warned(registry, key, 1) : -1;
    Py_XDECREF(key);
    return result;
}

/* ---- Showing ---- */

static int show_plainly(PyObject *filename, int lineno, PyObject *text, PyObject *category, PyObject *source_line)
{
    PyObject *file = sys_object_ref("stderr");
    if (file == NULL || file == Py_None) {
        Py_XDECREF(file);
        return 0;
    }
    PyObject *name = PyObject_GetAttr(category, STR(__name__));
    PyObject *line = name != NULL ? PyUnicode_FromFormat("%U:%d: %U: %S\n", filename, lineno, name, text) : NULL;
    int status = line != NULL ? PyFile_WriteObject(line, file, Py_PRINT_RAW) : -1;
    (void)source_line;
    Py_XDECREF(name);
    Py_XDECREF(line);
    Py_DECREF(file);
    if (status < 0)
        PyErr_Clear();
    return 0;
}

static int show(PyObject *category, PyObject *text, PyObject *message, PyObject *filename, int lineno, PyObject *source)
{
    PyObject *show_function = warnings_attribute("_showwarnmsg", source != NULL || state()->initialized);
    if (show_function == NULL)
        return show_plainly(filename, lineno, text, category, NULL);
    if (!PyCallable_Check(show_function)) {
        PyErr_SetString(PyExc_TypeError, "warnings._showwarnmsg() must be set to a callable");
        Py_DECREF(show_function);
        return -1;
    }
    PyObject *class_ = warnings_attribute("WarningMessage", 0), *arg = NULL, *result = NULL;
    if (class_ == NULL)
        PyErr_SetString(PyExc_RuntimeError, "unable to get warnings.WarningMessage");
    else
        arg = PyObject_CallFunction(class_, "OOOiOOO", message, category, filename, lineno, Py_None, Py_None,
                                    source != NULL ? source : Py_None);
    if (arg != NULL)
        result = PyObject_CallOneArg(show_function, arg);
    Py_XDECREF(class_);
    Py_XDECREF(arg);
    Py_XDECREF(result);
    Py_DECREF(show_function);
    return result != NULL ? 0 : -1;
}

/* ---- Issuing ---- */

static PyObject *module_of_filename(PyObject *filename)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(filename);
    if (n == 0)
        return PyUnicode_FromString("<unknown>");
    if (n >= 3 && PyUnicode_READ_CHAR(filename, n - 3) == '.' && PyUnicode_READ_CHAR(filename, n - 2) == 'p'
        && PyUnicode_READ_CHAR(filename, n - 1) == 'y')
        return PyUnicode_Substring(filename, 0, n - 3);
    return Py_NewRef(filename);
}

static int matches_text(PyObject *action, const char *text) { return PyUnicode_CompareWithASCIIString(action, text) == 0; }

/* What to do about one warning, decided: 1 show it, 0 nothing, -1 raise (exception set). */
static int decide(PyObject *action, PyObject *registry, PyObject *key, PyObject *text, PyObject *category, PyObject *message,
                  PyObject *item)
{
    int seen = 0;
    if (matches_text(action, "error")) {
        PyErr_SetObject(category, message);
        return -1;
    }
    if (matches_text(action, "ignore"))
        return 0;
    if (matches_text(action, "always"))
        return 1;
    if (matches_text(action, "once")) {
        PyObject *once = from_module_or("onceregistry", &state()->warnings_once_registry);
        if (once == NULL || !PyDict_Check(once)) {
            PyErr_SetString(PyExc_TypeError, "_warnings.onceregistry must be a dict");
            seen = -1;
        }
        else
            seen = warned_once(once, text, category, 0);
        Py_XDECREF(once);
    }
    else if (matches_text(action, "module"))
        seen = registry != NULL && registry != Py_None ? warned_once(registry, text, category, 1) : 0;
    else if (!matches_text(action, "default")) {
        PyErr_Format(PyExc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action, item);
        return -1;
    }
    (void)key;
    return seen < 0 ? -1 : !seen;
}

static int warn_explicit(PyObject *category, PyObject *message, PyObject *filename, int lineno, PyObject *module, PyObject *registry,
                         PyObject *source)
{
    PyObject *text = NULL, *key = NULL, *action = NULL, *item = NULL, *own_module = NULL;
    int status = -1;
    if (module == Py_None)
        return 0;
    if (registry != NULL && registry != Py_None && !PyDict_Check(registry)) {
        PyErr_Format(PyExc_TypeError, "'registry' must be a dict or None, not '%.200s'", Py_TYPE(registry)->tp_name);
        return -1;
    }
    if (module == NULL) {
        module = own_module = module_of_filename(filename);
        if (module == NULL)
            return -1;
    }
    Py_INCREF(message);
    int is_warning = PyObject_IsInstance(message, PyExc_Warning);
    if (is_warning < 0)
        goto done;
    if (is_warning) {
        text = PyObject_Str(message);
        category = (PyObject *)Py_TYPE(message);
    }
    else {
        text = Py_NewRef(message);
        Py_SETREF(message, PyObject_CallOneArg(category, text));
        if (message == NULL)
            goto done;
    }
    if (text == NULL)
        goto done;
    key = Py_BuildValue("(OOi)", text, category, lineno);
    if (key == NULL)
        goto done;
    if (registry != NULL && registry != Py_None) {
        int seen = already_warned(registry, key, 0);
        if (seen != 0) {
            status = seen < 0 ? -1 : 0;
            goto done;
        }
    }
    action = find_action(category, text, lineno, module, &item);
    if (action == NULL)
        goto done;
    status = 0;
    if (!matches_text(action, "error") && !matches_text(action, "ignore") && !matches_text(action, "always") && registry != NULL
        && registry != Py_None && PyDict_SetItem(registry, key, Py_True) < 0) {
        status = -1;
        goto done;
    }
    int decision = decide(action, registry, key, text, category, message, item);
    status = decision <= 0 ? decision : show(category, text, message, filename, lineno, source);
done:
    Py_XDECREF(text);
    Py_XDECREF(key);
    Py_XDECREF(action);
    Py_XDECREF(item);
    Py_XDECREF(own_module);
    Py_XDECREF(message);
    return status;
}

static int is_internal_frame(frame_t *f)
{
    PyObject *filename = f->code->co_filename;
    PyObject *importlib = PyUnicode_FromString("importlib"), *bootstrap = PyUnicode_FromString("_bootstrap");
    int result = importlib != NULL && bootstrap != NULL && PyUnicode_Contains(filename, importlib) > 0
                 && PyUnicode_Contains(filename, bootstrap) > 0;
    Py_XDECREF(importlib);
    Py_XDECREF(bootstrap);
    PyErr_Clear();
    return result;
}

static frame_t *next_external(frame_t *f)
{
    do
        f = frame_first_complete(f->previous);
    while (f != NULL && is_internal_frame(f));
    return f;
}

/* Where a warning of this stack level comes from. New references. 0, 1 if it is too early to warn, or -1. */
static int find_context(Py_ssize_t stack_level, PyObject **filename, int *lineno, PyObject **module, PyObject **registry)
{
    frame_t *f = frame_first_complete(thread_current()->frame);
    PyObject *globals;
    if (stack_level <= 0 || (f != NULL && is_internal_frame(f)))
        while (--stack_level > 0 && f != NULL)
            f = frame_first_complete(f->previous);
    else
        while (--stack_level > 0 && f != NULL)
            f = next_external(f);
    *registry = *module = NULL;
    if (f == NULL) {
        globals = state()->sysdict;
        if (globals == NULL) {          /* before there is a sys: nobody to warn */
            *filename = NULL;
            return 1;
        }
        *filename = PyUnicode_FromString("sys");
        *lineno = 1;
    }
    else {
        globals = f->globals;
        *filename = Py_NewRef(f->code->co_filename);
        *lineno = frame_line_number(f);
    }
    if (*filename == NULL || PyDict_GetItemStringRef(globals, "__warningregistry__", registry) < 0)
        goto fail;
    if (*registry == NULL) {
        *registry = PyDict_New();
        if (*registry == NULL || PyDict_SetItemString(globals, "__warningregistry__", *registry) < 0)
            goto fail;
    }
    if (PyDict_GetItemRef(globals, STR(__name__), module) < 0)
        goto fail;
    if (*module == NULL || (*module != Py_None && !PyUnicode_Check(*module))) {
        Py_XDECREF(*module);
        *module = PyUnicode_FromString("<string>");
        if (*module == NULL)
            goto fail;
    }
    return 0;
fail:
    Py_XDECREF(*filename);
    Py_XDECREF(*registry);
    return -1;
}

static int warn(PyObject *message, PyObject *category, Py_ssize_t stack_level, PyObject *source)
{
    PyObject *filename, *module, *registry;
    int lineno;
    int found = find_context(stack_level, &filename, &lineno, &module, &registry);
    if (found != 0)
        return found < 0 ? -1 : 0;
    int status = warn_explicit(category, message, filename, lineno, module, registry, source);
    Py_DECREF(filename);
    Py_DECREF(module);
    Py_DECREF(registry);
    return status;
}

/* ---- C API ---- */

static int warn_text(PyObject *category, PyObject *text, Py_ssize_t stack_level, PyObject *source)
{
    if (text == NULL)
        return -1;
    int status = warn(text, category != NULL ? category : PyExc_RuntimeWarning, stack_level, source);
    Py_DECREF(text);
    return status;
}

int PyErr_WarnEx(PyObject *category, const char *message, Py_ssize_t stack_level)
{
    return warn_text(category, PyUnicode_FromString(message), stack_level, NULL);
}

int PyErr_WarnFormat(PyObject *category, Py_ssize_t stack_level, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    return warn_text(category, text, stack_level, NULL);
}

int PyErr_ResourceWarning(PyObject *source, Py_ssize_t stack_level, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    return warn_text(PyExc_ResourceWarning, text, stack_level, source);
}

int PyErr_WarnExplicitObject(PyObject *category, PyObject *message, PyObject *filename, int lineno, PyObject *module, PyObject *registry)
{
    return warn_explicit(category != NULL ? category : PyExc_RuntimeWarning, message, filename, lineno, module, registry, NULL);
}

int PyErr_WarnExplicit(PyObject *category, const char *text, const char *filename_text, int lineno, const char *module_text,
                       PyObject *registry)
{
    PyObject *message = PyUnicode_FromString(text), *filename = PyUnicode_DecodeFSDefault(filename_text);
    PyObject *module = module_text != NULL ? PyUnicode_FromString(module_text) : NULL;
    int status = -1;
    if (message != NULL && filename != NULL && (module_text == NULL || module != NULL))
        status = PyErr_WarnExplicitObject(category, message, filename, lineno, module, registry);
    Py_XDECREF(message);
    Py_XDECREF(filename);
    Py_XDECREF(module);
    return status;
}

int PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno, const char *module, PyObject *registry,
                             const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    const char *utf8 = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    int status = utf8 != NULL ? PyErr_WarnExplicit(category, utf8, filename, lineno, module, registry) : -1;
    Py_XDECREF(text);
    return status;
}

/* ---- The module ---- */

/* The category given or implied. New reference. */
static PyObject *check_category(PyObject *message, PyObject *category)
{
    int is_warning = PyObject_IsInstance(message, PyExc_Warning);
    if (is_warning < 0)
        return NULL;
    if (is_warning)
        category = (PyObject *)Py_TYPE(message);
    else if (category == NULL || category == Py_None)
        category = PyExc_UserWarning;
    int ok = PyType_Check(category) ? PyObject_IsSubclass(category, PyExc_Warning) : 0;
    if (ok <= 0) {
        if (ok == 0)
            PyErr_Format(PyExc_TypeError, "category must be a Warning subclass, not '%s'", Py_TYPE(category)->tp_name);
        return NULL;
    }
    return Py_NewRef(category);
}

static PyObject *warnings_warn(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"message", "category", "stacklevel", "source", NULL};
    PyObject *message, *category = NULL, *source = NULL;
    Py_ssize_t stack_level = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OnO:warn", keywords, &message, &category, &stack_level, &source))
        return NULL;
    category = check_category(message, category);
    if (category == NULL)
        return NULL;
    int status = warn(message, category, stack_level, source == Py_None ? NULL : source);
    Py_DECREF(category);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *warnings_warn_explicit(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"message", "category", "filename", "lineno", "module", "registry", "module_globals", "source", NULL};
    PyObject *message, *category, *filename, *name = NULL, *registry = NULL, *globals = NULL, *source = NULL;
    int lineno;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOUi|OOOO:warn_explicit", keywords, &message, &category, &filename, &lineno,
                                     &name, &registry, &globals, &source))
        return NULL;
    if (globals != NULL && globals != Py_None && !PyDict_Check(globals)) {
        PyErr_Format(PyExc_TypeError, "module_globals must be a dict, not '%.200s'", Py_TYPE(globals)->tp_name);
        return NULL;
    }
    if (warn_explicit(category, message, filename, lineno, name, registry, source == Py_None ? NULL : source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *filters_mutated(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    __atomic_fetch_add(&state()->warnings_filters_version, 1, __ATOMIC_ACQ_REL);
    Py_RETURN_NONE;
}

static PyMethodDef warnings_methods[] = {
    {"warn", (PyCFunction)(void (*)(void))warnings_warn, METH_VARARGS | METH_KEYWORDS,
     "warn($module, /, message, category=None, stacklevel=1, source=None)\n--\n\nIssue a warning, or maybe ignore it or raise an exception."},
    {"warn_explicit", (PyCFunction)(void (*)(void))warnings_warn_explicit, METH_VARARGS | METH_KEYWORDS,
     "warn_explicit(message, category, filename, lineno, ...)\n\nwarn() with the place given."},
    {"_filters_mutated", filters_mutated, METH_NOARGS, "To be called when the filters have been changed."},
    {NULL},
};

static PyObject *make_once_registry(void) { return PyDict_New(); }
static PyObject *make_default_action(void) { return PyUnicode_InternFromString("default"); }

/* Puts a field of the interpreter, made when it is first asked for, into the module. */
static int add_field(PyObject *module, const char *name, PyObject **field, PyObject *(*make)(void))
{
    PyObject *value = interpreter_get_or_make(field, make);
    int status = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static int warnings_exec(PyObject *module)
{
    struct _is *s = state();
    return add_field(module, "filters", &s->warnings_filters, default_filters) < 0
                   || add_field(module, "_onceregistry", &s->warnings_once_registry, make_once_registry) < 0
                   || add_field(module, "_defaultaction", &s->warnings_default_action, make_default_action) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot warnings_slots[] = {{Py_mod_exec, warnings_exec}, MODULE_SLOTS_COMMON, {0, NULL}};
static struct PyModuleDef warnings_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_warnings",
    .m_doc = "The part of the warnings module that the interpreter itself needs.",
    .m_methods = warnings_methods,
    .m_slots = warnings_slots,
};

PyObject *PyInit__warnings(void) { return PyModuleDef_Init(&warnings_def); }
