/* Saving functions and classes: by the name under which a module has them. */
#include "pickle_internal.h"

/* ---- Which module ---- */

/* Does the module have `op` at the path? 1, 0, -1. */
static int module_has(PyObject *name, PyObject *module, PyObject *op, PyObject *path)
{
    if (module == Py_None || (PyUnicode_Check(name) && _PyUnicode_EqualToASCIIString(name, "__main__")))
        return 0;
    PyObject *candidate = pickle_get_deep(module, path, NULL);
    if (candidate == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    int same = candidate == op;
    Py_DECREF(candidate);
    return same;
}

static PyObject *search_modules(PyObject *op, PyObject *path)
{
    PyObject *modules, *items, *result = NULL;
    if (PySys_GetOptionalAttrString("modules", &modules) < 0)
        return NULL;
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    items = PyMapping_Items(modules);
    Py_DECREF(modules);
    if (items == NULL)
        return NULL;
    PyObject_GC_UnTrack(items);         /* not to be found by gc.get_objects */
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        int has = module_has(PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1), op, path);
        if (has != 0) {
            result = has > 0 ? Py_NewRef(PyTuple_GET_ITEM(item, 0)) : NULL;
            Py_DECREF(items);
            return result;
        }
    }
    Py_DECREF(items);
    return PyUnicode_FromString("__main__");
}

/* The name of the module that op belongs to. */
static PyObject *which_module(PyObject *op, PyObject *path)
{
    PyObject *name;
    if (PyObject_GetOptionalAttrString(op, "__module__", &name) < 0)
        return NULL;
    if (name != NULL && name != Py_None) {
        if (PyUnicode_CheckExact(name))
            PyUnicode_InternInPlace(&name);     /* so that the memo finds it again */
        return name;
    }
    Py_XDECREF(name);
    return search_modules(op, path);
}

/* ---- Names of Python 2, for protocols below 3 ---- */

static int bad_mapping(const char *name, const char *expected, PyObject *value)
{
    PyErr_Format(PyExc_RuntimeError, "_compat_pickle.%s %s, not %.200s", name, expected, Py_TYPE(value)->tp_name);
    return -1;
}

/* Replaces the names. 0 or -1. */
static int fix_names(PyObject **module, PyObject **name)
{
    PyObject *key = PyTuple_Pack(2, *module, *name), *value;
    if (key == NULL)
        return -1;
    int found = PyDict_GetItemRef(pickle_state.reverse_name_mapping, key, &value);
    Py_DECREF(key);
    if (found < 0)
        return -1;
    if (found) {
        if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(value, 0))
            || !PyUnicode_Check(PyTuple_GET_ITEM(value, 1))) {
            bad_mapping("REVERSE_NAME_MAPPING", "values should be pairs of str", value);
            Py_DECREF(value);
            return -1;
        }
        Py_SETREF(*module, Py_NewRef(PyTuple_GET_ITEM(value, 0)));
        Py_SETREF(*name, Py_NewRef(PyTuple_GET_ITEM(value, 1)));
        Py_DECREF(value);
        return 0;
    }
    found = PyDict_GetItemRef(pickle_state.reverse_import_mapping, *module, &value);
    if (found <= 0)
        return found;
    if (!PyUnicode_Check(value)) {
        bad_mapping("REVERSE_IMPORT_MAPPING", "values should be strings", value);
        Py_DECREF(value);
        return -1;
    }
    Py_SETREF(*module, value);
    return 0;
}

/* ---- The forms ---- */

/* The extension registry has a number for it: 1 and saved, 0, -1. */
static int save_extension(pickler_t *p, PyObject *op, PyObject *module, PyObject *name)
{
    PyObject *key = PyTuple_Pack(2, module, name), *value;
    if (key == NULL)
        return -1;
    int found = PyDict_GetItemRef(pickle_state.extension_registry, key, &value);
    Py_DECREF(key);
    if (found <= 0)
        return found;
    if (!PyLong_Check(value)) {
        PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: extension code %R isn't an integer", op, value);
        Py_DECREF(value);
        return -1;
    }
    long code = PyLong_AsLong(value);
    Py_DECREF(value);
    if (code <= 0 || code > 0x7fffffffL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_RuntimeError, "extension code %ld is out of range", code);
        return -1;
    }
    int width = code <= 0xff ? 1 : code <= 0xffff ? 2 : 4;
    return out_op_number(p, width == 1 ? OP_EXT1 : width == 2 ? OP_EXT2 : OP_EXT4, (uint64_t)code, width) < 0 ? -1 : 1;
}

/* A line with a name, in ASCII, or UTF-8 in protocol 3. */
static int write_name(pickler_t *p, PyObject *name, const char *what)
{
    PyObject *encoded = p->protocol >= 3 ? PyUnicode_AsUTF8String(name) : PyUnicode_AsASCIIString(name);
    if (encoded == NULL) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            PyErr_Format(pickle_state.pickling_error, "can't pickle %s identifier '%S' using pickle protocol %i", what, name,
                         p->protocol);
        return -1;
    }
    int failed = out_write(p, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded)) < 0 || out_write(p, "\n", 1) < 0;
    Py_DECREF(encoded);
    return failed ? -1 : 0;
}

static int save_by_lines(pickler_t *p, PyObject *op, PyObject *module, PyObject *name)
{
    int failed = -1;
    Py_INCREF(module);
    Py_INCREF(name);
    if (p->protocol >= 3 || !p->fix_imports || fix_names(&module, &name) == 0)
        if (out_op(p, OP_GLOBAL) == 0 && write_name(p, module, "module") == 0 && write_name(p, name, "global") == 0)
            failed = save_memoize(p, op);
    Py_DECREF(module);
    Py_DECREF(name);
    return failed;
}

/* A name within a class, for protocols that have only names of modules: getattr(parent, name). */
static int save_nested(pickler_t *p, PyObject *op, PyObject *parent, PyObject *name)
{
    PyObject *value = Py_BuildValue("(O(OO))", pickle_state.getattr, parent, name);
    if (value == NULL)
        return -1;
    int failed = save_reduce(p, value, op);
    Py_DECREF(value);
    return failed;
}

/* parent: the class or other object that has it under its last name, or NULL if that is the module. */
static int save_found(pickler_t *p, PyObject *op, PyObject *module_name, PyObject *name, PyObject *parent, PyObject *last)
{
    if (p->protocol >= 2) {
        int done = save_extension(p, op, module_name, name);
        if (done != 0)
            return done < 0 ? -1 : 0;
    }
    if (p->protocol >= 4) {
        if (save(p, module_name) < 0 || save(p, name) < 0 || out_op(p, OP_STACK_GLOBAL) < 0)
            return -1;
        return save_memoize(p, op);
    }
    return parent != NULL ? save_nested(p, op, parent, last) : save_by_lines(p, op, module_name, last);
}

/* What the module has at the path, which has to be op. *parent: what holds it, a new reference, or NULL if that is the
 * module. 0 or -1. */
static int verify(PyObject *op, PyObject *module_name, PyObject *name, PyObject *path, PyObject **parent)
{
    int is_module;
    PyObject *module = pickle_import(module_name), *found;
    if (module == NULL) {
        if (PyErr_ExceptionMatches(PyExc_Exception))
            PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: import of module %R failed", op, module_name);
        return -1;
    }
    found = pickle_get_deep(module, path, parent);
    is_module = *parent == module;
    Py_DECREF(module);
    if (found == NULL) {
        if (PyErr_ExceptionMatches(PyExc_Exception))
            PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: attribute lookup %S on %S failed", op, name,
                         module_name);
        return -1;
    }
    Py_DECREF(found);
    if (found != op || is_module)
        Py_CLEAR(*parent);
    if (found == op)
        return 0;
    PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: it's not the same object as %S.%S", op, module_name, name);
    return -1;
}

int save_global(pickler_t *p, PyObject *op, PyObject *name)
{
    PyObject *path = NULL, *module_name = NULL, *parent = NULL;
    int failed = -1;
    if (name != NULL)
        Py_INCREF(name);
    else {
        if (PyObject_GetOptionalAttrString(op, "__qualname__", &name) < 0)
            return -1;
        if (name == NULL && (name = PyObject_GetAttrString(op, "__name__")) == NULL)
            return -1;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: its name is not a string", op);
        goto done;
    }
    path = pickle_split_name(NULL, name);
    if (path == NULL || (module_name = which_module(op, path)) == NULL)
        goto done;
    if (!PyUnicode_Check(module_name)) {
        PyErr_Format(pickle_state.pickling_error, "Can't pickle %R: import of module %R failed", op, module_name);
        goto done;
    }
    if (verify(op, module_name, name, path, &parent) < 0)
        goto done;
    failed = save_found(p, op, module_name, name, parent, PyList_GET_ITEM(path, PyList_GET_SIZE(path) - 1));
done:
    Py_XDECREF(name);
    Py_XDECREF(path);
    Py_XDECREF(module_name);
    Py_XDECREF(parent);
    return failed;
}

int save_type(pickler_t *p, PyObject *op)
{
    PyObject *single = op == (PyObject *)&_PyNone_Type             ? Py_None
                       : op == (PyObject *)&PyEllipsis_Type        ? Py_Ellipsis
                       : op == (PyObject *)&_PyNotImplemented_Type ? Py_NotImplemented
                                                                   : NULL;
    if (single == NULL)
        return save_global(p, op, NULL);
    /* these types have no global name: type(None) and so on */
    PyObject *value = Py_BuildValue("(O(O))", &PyType_Type, single);
    if (value == NULL)
        return -1;
    int failed = save_reduce(p, value, op);
    Py_DECREF(value);
    return failed;
}
