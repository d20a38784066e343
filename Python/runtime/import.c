/* sys.modules and the C API of importing. */
#include "importer.h"
#include "well_known_strings.h"

PyObject *PyImport_GetModuleDict(void)
{
    return runtime_interp.modules;
}

PyObject *PyImport_GetModule(PyObject *name)
{
    PyObject *modules = runtime_interp.modules, *module = NULL;
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    if (PyDict_CheckExact(modules)) {
        PyDict_GetItemRef(modules, name, &module);
        return module;
    }
    module = PyObject_GetItem(modules, name);
    if (module == NULL && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Clear();
    return module;
}

int _PyImport_SetModule(PyObject *name, PyObject *module)
{
    return PyObject_SetItem(runtime_interp.modules, name, module);
}

/* The module of that name in sys.modules, made if need be. New reference. */
static PyObject *add_module(PyObject *name)
{
    PyObject *module = PyImport_GetModule(name);
    if (module != NULL && PyModule_Check(module))
        return module;
    Py_XDECREF(module);
    if (PyErr_Occurred())
        return NULL;
    module = PyModule_NewObject(name);
    if (module != NULL && _PyImport_SetModule(name, module) < 0)
        Py_CLEAR(module);
    return module;
}

PyObject *PyImport_AddModuleObject(PyObject *name)
{
    PyObject *module = add_module(name);
    Py_XDECREF(module);         /* sys.modules holds it */
    return module;
}

PyObject *PyImport_AddModuleRef(const char *name)
{
    PyObject *str = PyUnicode_FromString(name);
    PyObject *module = str != NULL ? add_module(str) : NULL;
    Py_XDECREF(str);
    return module;
}

PyObject *PyImport_AddModule(const char *name)
{
    PyObject *module = PyImport_AddModuleRef(name);
    Py_XDECREF(module);
    return module;
}

PyObject *PyImport_ImportModule(const char *name)
{
    PyObject *str = PyUnicode_FromString(name);
    PyObject *module = str != NULL ? PyImport_Import(str) : NULL;
    Py_XDECREF(str);
    return module;
}

PyObject *PyImport_ImportModuleNoBlock(const char *name) { return PyImport_ImportModule(name); }

PyObject *PyImport_ImportModuleLevel(const char *name, PyObject *globals, PyObject *locals, PyObject *fromlist, int level)
{
    PyObject *str = PyUnicode_FromString(name);
    PyObject *module = str != NULL ? PyImport_ImportModuleLevelObject(str, globals, locals, fromlist, level) : NULL;
    Py_XDECREF(str);
    return module;
}

/* The __import__ in force for the running code. New reference. */
static PyObject *import_function(PyObject **globals)
{
    PyObject *builtins = NULL, *function = NULL;
    *globals = PyEval_GetGlobals();
    if (*globals != NULL) {
        Py_INCREF(*globals);
        builtins = PyObject_GetItem(*globals, STR(__builtins__));
        if (builtins == NULL)
            PyErr_Clear();
    }
    if (builtins == NULL && (builtins = Py_XNewRef(runtime_interp.builtins)) == NULL) {
        PyErr_SetString(PyExc_SystemError, "there are no builtins yet");
        return NULL;
    }
    if (PyDict_Check(builtins)) {
        function = PyObject_GetItem(builtins, STR(__import__));
        if (function == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            PyErr_SetObject(PyExc_KeyError, STR(__import__));
        }
    }
    else
        function = PyObject_GetAttr(builtins, STR(__import__));
    Py_DECREF(builtins);
    return function;
}

PyObject *PyImport_Import(PyObject *name)
{
    PyObject *globals = NULL, *result = NULL, *list = NULL;
    PyObject *function = import_function(&globals);
    if (function == NULL)
        goto done;
    list = PyList_New(0);
    if (list == NULL)
        goto done;
    result = PyObject_CallFunction(function, "OOOOi", name, globals != NULL ? globals : Py_None,
                                   globals != NULL ? globals : Py_None, list, 0);
    if (result == NULL)
        goto done;
    Py_DECREF(result);
    result = PyImport_GetModule(name);
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, name);
done:
    Py_XDECREF(globals);
    Py_XDECREF(function);
    Py_XDECREF(list);
    return result;
}

PyObject *PyImport_ReloadModule(PyObject *module)
{
    PyObject *importlib = PyImport_ImportModule("importlib"), *result = NULL;
    if (importlib != NULL)
        result = PyObject_CallMethod(importlib, "reload", "O", module);
    Py_XDECREF(importlib);
    return result;
}

PyObject *_PyImport_GetModuleAttr(PyObject *module, PyObject *name)
{
    PyObject *m = PyImport_Import(module);
    PyObject *value = m != NULL ? PyObject_GetAttr(m, name) : NULL;
    Py_XDECREF(m);
    return value;
}

PyObject *_PyImport_GetModuleAttrString(const char *module, const char *name)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *value = m != NULL ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    return value;
}

/* ---- Path hooks ---- */

PyObject *PyImport_GetImporter(PyObject *path)
{
    PyObject *cache = NULL, *hooks = NULL, *importer = NULL;
    if (PySys_GetOptionalAttrString("path_importer_cache", &cache) < 0 || PySys_GetOptionalAttrString("path_hooks", &hooks) < 0)
        goto done;
    if (cache == NULL || hooks == NULL || !PyDict_Check(cache) || !PyList_Check(hooks)) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.path_hooks or sys.path_importer_cache");
        goto done;
    }
    if (PyDict_GetItemRef(cache, path, &importer) != 0)
        goto done;
    if (PyDict_SetItem(cache, path, Py_None) < 0)
        goto done;
    for (Py_ssize_t i = 0; importer == NULL; i++) {
        PyObject *hook = PyList_GetItemRef(hooks, i);
        if (hook == NULL) {
            PyErr_Clear();
            break;
        }
        importer = PyObject_CallOneArg(hook, path);
        Py_DECREF(hook);
        if (importer == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_ImportError))
                goto done;
            PyErr_Clear();
        }
    }
    if (importer == NULL)
        importer = Py_NewRef(Py_None);
    else if (PyDict_SetItem(cache, path, importer) < 0)
        Py_CLEAR(importer);
done:
    Py_XDECREF(cache);
    Py_XDECREF(hooks);
    return importer;
}

/* ---- Running code as a module ---- */

PyObject *PyImport_ExecCodeModule(const char *name, PyObject *code)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, NULL, NULL);
}

PyObject *PyImport_ExecCodeModuleEx(const char *name, PyObject *code, const char *path)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, path, NULL);
}

PyObject *PyImport_ExecCodeModuleWithPathnames(const char *name, PyObject *code, const char *path, const char *cpath)
{
    PyObject *name_object = PyUnicode_FromString(name), *path_object = NULL, *cpath_object = NULL, *result = NULL;
    if (name_object == NULL)
        return NULL;
    if (path != NULL && (path_object = PyUnicode_DecodeFSDefault(path)) == NULL)
        goto done;
    if (cpath != NULL && (cpath_object = PyUnicode_DecodeFSDefault(cpath)) == NULL)
        goto done;
    result = PyImport_ExecCodeModuleObject(name_object, code, path_object, cpath_object);
done:
    Py_DECREF(name_object);
    Py_XDECREF(path_object);
    Py_XDECREF(cpath_object);
    return result;
}

PyObject *PyImport_ExecCodeModuleObject(PyObject *name, PyObject *code, PyObject *path, PyObject *cpath)
{
    PyObject *module = add_module(name), *dict = NULL, *result = NULL;
    if (module == NULL)
        return NULL;
    dict = Py_NewRef(PyModule_GetDict(module));
    int has = PyDict_Contains(dict, STR(__builtins__));
    if (has < 0 || (has == 0 && PyDict_SetItem(dict, STR(__builtins__), runtime_interp.builtins) < 0))
        goto done;
    PyObject *file = path != NULL ? path : PyObject_GetAttrString(code, "co_filename");
    if (file == NULL)
        goto done;
    PyObject *fixed = PyObject_CallMethod(runtime_interp.importlib_external, "_fix_up_module", "OOOO", dict, name, file,
                                          cpath != NULL ? cpath : Py_None);
    if (file != path)
        Py_DECREF(file);
    if (fixed == NULL)
        goto done;
    Py_DECREF(fixed);
    PyObject *value = PyEval_EvalCode(code, dict, dict);
    if (value == NULL)
        goto done;
    Py_DECREF(value);
    result = PyImport_GetModule(name);
    if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_ImportError, "Loaded module %R not found in sys.modules", name);
done:
    if (result == NULL) {
        PyObject *type, *error, *tb;
        PyErr_Fetch(&type, &error, &tb);
        if (PyObject_DelItem(runtime_interp.modules, name) < 0)
            PyErr_Clear();
        PyErr_Restore(type, error, tb);
    }
    Py_DECREF(dict);
    Py_DECREF(module);
    return result;
}
