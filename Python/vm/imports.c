/* `from m import name` and `from m import *`. */
#include "Python.h"

#include "interpreter_imports.h"
#include "well_known_strings.h"

/* "a.b" of a module and a name, if sys.modules has it: new reference or NULL without an exception. */
static PyObject *module_in_progress(PyObject *package, PyObject *name)
{
    PyObject *full_name = PyUnicode_FromFormat("%U.%U", package, name);
    if (full_name == NULL)
        return NULL;
    PyObject *module = PyImport_GetModule(full_name);
    Py_DECREF(full_name);
    return module;
}

static int is_initializing(PyObject *module)
{
    PyObject *spec = NULL, *value = NULL;
    int result = 0;
    if (PyObject_GetOptionalAttr(module, STR(__spec__), &spec) > 0
        && PyObject_GetOptionalAttr(spec, STR(_initializing), &value) > 0)
        result = PyObject_IsTrue(value) > 0;
    Py_XDECREF(spec);
    Py_XDECREF(value);
    PyErr_Clear();
    return result;
}

PyObject *import_from_module(PyObject *module, PyObject *name)
{
    PyObject *value = NULL;
    if (PyObject_GetOptionalAttr(module, name, &value) != 0)
        return value;
    PyObject *package = NULL, *path = NULL, *shown = NULL;
    if (PyObject_GetOptionalAttr(module, STR(__name__), &package) < 0)
        return NULL;
    if (package != NULL && PyUnicode_Check(package)) {
        value = module_in_progress(package, name);
        if (value != NULL || PyErr_Occurred())
            goto done;
        shown = Py_NewRef(package);
    }
    else {
        shown = PyUnicode_FromString("<unknown module name>");
        if (shown == NULL)
            goto done;
    }
    if (PyModule_Check(module))
        path = PyModule_GetFilenameObject(module);
    if (path == NULL)
        PyErr_Clear();
    PyObject *message;
    if (path == NULL || !PyUnicode_Check(path))
        message = PyUnicode_FromFormat("cannot import name %R from %R (unknown location)", name, shown);
    else if (is_initializing(module))
        message = PyUnicode_FromFormat("cannot import name %R from partially initialized module %R "
                                       "(most likely due to a circular import) (%S)",
                                       name, shown, path);
    else
        message = PyUnicode_FromFormat("cannot import name %R from %R (%S)", name, shown, path);
    if (message != NULL) {
        PyErr_SetImportError(message, shown, path);
        Py_DECREF(message);
    }
done:
    Py_XDECREF(package);
    Py_XDECREF(path);
    Py_XDECREF(shown);
    return value;
}

/* The names to import, a sequence: __all__, or the keys of __dict__ (then *skip_private). */
static PyObject *names_to_import(PyObject *module, int *skip_private)
{
    PyObject *all = NULL, *dict = NULL;
    *skip_private = 0;
    if (PyObject_GetOptionalAttr(module, STR(__all__), &all) != 0) {
        return all;
    }
    if (PyObject_GetOptionalAttr(module, STR(__dict__), &dict) < 0)
        return NULL;
    if (dict == NULL) {
        PyErr_SetString(PyExc_ImportError, "from-import-* object has no __dict__ and no __all__");
        return NULL;
    }
    *skip_private = 1;
    PyObject *keys = PyMapping_Keys(dict);
    Py_DECREF(dict);
    return keys;
}

static int check_name(PyObject *module, PyObject *name, int from_dict)
{
    if (PyUnicode_Check(name))
        return 0;
    PyObject *module_name = PyObject_GetAttr(module, STR(__name__));
    if (module_name == NULL)
        return -1;
    if (!PyUnicode_Check(module_name))
        PyErr_Format(PyExc_TypeError, "module __name__ must be a string, not %.100s", Py_TYPE(module_name)->tp_name);
    else
        PyErr_Format(PyExc_TypeError, "%s in %U.%s must be str, not %.100s", from_dict ? "Key" : "Item", module_name,
                     from_dict ? "__dict__" : "__all__", Py_TYPE(name)->tp_name);
    Py_DECREF(module_name);
    return -1;
}

static int import_name(PyObject *locals, PyObject *module, PyObject *name, int skip_private)
{
    if (check_name(module, name, skip_private) < 0)
        return -1;
    if (skip_private && PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_')
        return 0;
    PyObject *value = PyObject_GetAttr(module, name);
    if (value == NULL)
        return -1;
    int status = PyDict_CheckExact(locals) ? PyDict_SetItem(locals, name, value) : PyObject_SetItem(locals, name, value);
    Py_DECREF(value);
    return status;
}

int import_all_names(PyObject *locals, PyObject *module)
{
    int skip_private, status = 0;
    PyObject *names = names_to_import(module, &skip_private);
    if (names == NULL)
        return -1;
    for (Py_ssize_t i = 0; status == 0; i++) {
        PyObject *name = PySequence_GetItem(names, i);
        if (name == NULL) {
            if (PyErr_ExceptionMatches(PyExc_IndexError))
                PyErr_Clear();
            else
                status = -1;
            break;
        }
        status = import_name(locals, module, name, skip_private);
        Py_DECREF(name);
    }
    Py_DECREF(names);
    return status;
}
