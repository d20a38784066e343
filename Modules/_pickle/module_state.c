/* The state of the module, and what picklers and unpicklers share: names, hooks. */
#include "pickle_internal.h"

pickle_state_t pickle_state;

static int fetch(PyObject **target, const char *module, const char *name, int is_dict)
{
    PyObject *value = _PyImport_GetModuleAttrString(module, name);
    if (value == NULL)
        return -1;
    if (is_dict && !PyDict_CheckExact(value)) {
        PyErr_Format(PyExc_RuntimeError, "%s.%s should be a dict, not %.200s", module, name, Py_TYPE(value)->tp_name);
        Py_DECREF(value);
        return -1;
    }
    Py_XSETREF(*target, value);
    return 0;
}

static int make_exception(PyObject **target, const char *name, PyObject *base)
{
    if (*target == NULL)
        *target = PyErr_NewException(name, base, NULL);
    return *target == NULL ? -1 : 0;
}

int pickle_state_init(void)
{
    pickle_state_t *s = &pickle_state;
    if (make_exception(&s->pickle_error, "_pickle.PickleError", NULL) < 0
        || make_exception(&s->pickling_error, "_pickle.PicklingError", s->pickle_error) < 0
        || make_exception(&s->unpickling_error, "_pickle.UnpicklingError", s->pickle_error) < 0)
        return -1;
    if (fetch(&s->dispatch_table, "copyreg", "dispatch_table", 1) < 0
        || fetch(&s->extension_registry, "copyreg", "_extension_registry", 1) < 0
        || fetch(&s->inverted_registry, "copyreg", "_inverted_registry", 1) < 0
        || fetch(&s->extension_cache, "copyreg", "_extension_cache", 1) < 0
        || fetch(&s->name_mapping, "_compat_pickle", "NAME_MAPPING", 1) < 0
        || fetch(&s->import_mapping, "_compat_pickle", "IMPORT_MAPPING", 1) < 0
        || fetch(&s->reverse_name_mapping, "_compat_pickle", "REVERSE_NAME_MAPPING", 1) < 0
        || fetch(&s->reverse_import_mapping, "_compat_pickle", "REVERSE_IMPORT_MAPPING", 1) < 0)
        return -1;
    return fetch(&s->codecs_encode, "codecs", "encode", 0) < 0 || fetch(&s->getattr, "builtins", "getattr", 0) < 0
                   || fetch(&s->partial, "functools", "partial", 0) < 0
               ? -1
               : 0;
}

/* ---- Names ---- */

PyObject *pickle_split_name(PyObject *obj, PyObject *name)
{
    PyObject *dot = PyUnicode_FromString("."), *path;
    if (dot == NULL)
        return NULL;
    path = PyUnicode_Split(name, dot, -1);
    Py_DECREF(dot);
    if (path == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        if (!_PyUnicode_EqualToASCIIString(PyList_GET_ITEM(path, i), "<locals>"))
            continue;
        if (obj == NULL)
            PyErr_Format(PyExc_AttributeError, "Can't pickle local object %R", name);
        else
            PyErr_Format(PyExc_AttributeError, "Can't pickle local attribute %R on %R", name, obj);
        Py_CLEAR(path);
        break;
    }
    return path;
}

PyObject *pickle_get_deep(PyObject *obj, PyObject *path, PyObject **parent)
{
    PyObject *holder = NULL;
    Py_INCREF(obj);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        Py_XSETREF(holder, obj);
        obj = PyObject_GetAttr(holder, PyList_GET_ITEM(path, i));
        if (obj == NULL) {
            Py_DECREF(holder);
            return NULL;
        }
    }
    if (parent != NULL)
        *parent = holder;
    else
        Py_XDECREF(holder);
    return obj;
}

PyObject *pickle_import(PyObject *name)
{
    PyObject *package = PyImport_ImportModuleLevelObject(name, NULL, NULL, NULL, 0);
    if (package == NULL)
        return NULL;
    PyObject *module = PyImport_GetModule(name);
    if (module == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_ModuleNotFoundError, "No module named %R", name);
    Py_DECREF(package);
    return module;
}

/* ---- Hooks ---- */

int hook_find(hook_t *hook, PyObject *self, PyObject *name)
{
    PyObject *method;
    if (PyObject_GetOptionalAttr(self, name, &method) < 0)
        return -1;
    hook->takes_self = 0;
    if (method != NULL && PyMethod_Check(method) && PyMethod_GET_SELF(method) == self) {
        PyObject *function = Py_NewRef(PyMethod_GET_FUNCTION(method));
        Py_SETREF(method, function);
        hook->takes_self = 1;
    }
    hook->function = method;
    return 0;
}

void hook_swap(hook_t *a, hook_t *b)
{
    hook_t hook = *a;
    *a = *b;
    *b = hook;
}

PyObject *hook_call(hook_t *hook, PyObject *self, PyObject *arg)
{
    PyObject *function = Py_NewRef(hook->function), *args[2] = {self, arg};
    PyObject *result = hook->takes_self ? PyObject_Vectorcall(function, args, 2, NULL) : PyObject_CallOneArg(function, arg);
    Py_DECREF(function);
    return result;
}

PyObject *hook_get(hook_t *hook, PyObject *self, const char *name)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (hook->function == NULL)
        PyErr_SetString(PyExc_AttributeError, name);
    else if (hook->takes_self)
        result = PyMethod_New(hook->function, self);
    else
        result = Py_NewRef(hook->function);
    Py_END_CRITICAL_SECTION();
    return result;
}

int hook_set(hook_t *hook, PyObject *value, const char *name)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
        return -1;
    }
    if (!PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be a callable taking one argument", name);
        return -1;
    }
    hook->takes_self = 0;
    Py_XSETREF(hook->function, Py_NewRef(value));
    return 0;
}
