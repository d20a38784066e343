/* Built-in functions on objects and namespaces: callable, dir, getattr, globals, id, isinstance, vars, ... */
#include "Python.h"

#include "builtins.h"
#include "sys_internal.h"
#include "thread_state.h"
#include "well_known_strings.h"

static PyObject *builtin_callable(PyObject *Py_UNUSED(module), PyObject *op) { return PyBool_FromLong(PyCallable_Check(op)); }

static PyObject *builtin_dir(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return _PyArg_CheckPositional("dir", nargs, 0, 1) ? PyObject_Dir(nargs > 0 ? args[0] : NULL) : NULL;
}

static PyObject *builtin_id(PyObject *Py_UNUSED(module), PyObject *op)
{
    PySys_Audit("builtins.id", "O", PyLong_FromVoidPtr(op));
    return PyLong_FromVoidPtr(op);
}

/* ---- Attributes ---- */

static PyObject *builtin_getattr(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("getattr", nargs, 2, 3))
        return NULL;
    if (!PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    if (nargs == 2)
        return PyObject_GetAttr(args[0], args[1]);
    PyObject *value;
    if (PyObject_GetOptionalAttr(args[0], args[1], &value) == 0)
        return Py_NewRef(args[2]);
    return value;
}

static PyObject *builtin_hasattr(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("hasattr", nargs, 2, 2))
        return NULL;
    if (!PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    int found = PyObject_GetOptionalAttr(args[0], args[1], &value);
    Py_XDECREF(value);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *builtin_setattr(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("setattr", nargs, 3, 3) || PyObject_SetAttr(args[0], args[1], args[2]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *builtin_delattr(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("delattr", nargs, 2, 2) || PyObject_SetAttr(args[0], args[1], NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Classes ---- */

static PyObject *builtin_isinstance(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("isinstance", nargs, 2, 2))
        return NULL;
    int result = PyObject_IsInstance(args[0], args[1]);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *builtin_issubclass(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("issubclass", nargs, 2, 2))
        return NULL;
    int result = PyObject_IsSubclass(args[0], args[1]);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* ---- Namespaces ---- */

static PyObject *builtin_globals(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return Py_XNewRef(PyEval_GetGlobals());
}

static PyObject *builtin_locals(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return Py_XNewRef(PyEval_GetLocals());
}

static PyObject *builtin_vars(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *dict;
    if (!_PyArg_CheckPositional("vars", nargs, 0, 1))
        return NULL;
    if (nargs == 0)
        return Py_XNewRef(PyEval_GetLocals());
    if (PyObject_GetOptionalAttr(args[0], STR(__dict__), &dict) == 0)
        PyErr_SetString(PyExc_TypeError, "vars() argument must have __dict__ attribute");
    return dict;
}

static PyObject *builtin_import(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "globals", "locals", "fromlist", "level", NULL};
    PyObject *name, *globals = NULL, *locals = NULL, *fromlist = NULL;
    int level = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|OOOi:__import__", keywords, &name, &globals, &locals, &fromlist, &level))
        return NULL;
    return PyImport_ImportModuleLevelObject(name, globals, locals, fromlist, level);
}

static PyObject *builtin_breakpoint(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *hook = sys_object_ref("breakpointhook");
    if (hook == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.breakpointhook");
        return NULL;
    }
    PyObject *result = PySys_Audit("builtins.breakpoint", "O", hook) < 0 ? NULL : PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_DECREF(hook);
    return result;
}

#define FAST(function) (PyCFunction)(void (*)(void))function

PyMethodDef builtin_object_methods[] = {
    {"__build_class__", FAST(builtin_build_class), METH_FASTCALL | METH_KEYWORDS,
     "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nUsed by the class statement."},
    {"__import__", FAST(builtin_import), METH_VARARGS | METH_KEYWORDS,
     "__import__($module, /, name, globals=None, locals=None, fromlist=(),\n           level=0)\n--\n\nUsed by the import statement."},
    {"breakpoint", FAST(builtin_breakpoint), METH_FASTCALL | METH_KEYWORDS,
     "breakpoint(*args, **kws)\n\nCall sys.breakpointhook(*args, **kws): by default, enter pdb."},
    {"callable", builtin_callable, METH_O, "callable($module, obj, /)\n--\n\nReturn whether the object is callable."},
    {"delattr", FAST(builtin_delattr), METH_FASTCALL, "delattr($module, obj, name, /)\n--\n\ndel obj.name for a name in a string."},
    {"dir", FAST(builtin_dir), METH_FASTCALL, "dir([object]) -> list of strings\n\nNames in the current scope, or attributes of an object."},
    {"getattr", FAST(builtin_getattr), METH_FASTCALL,
     "getattr(object, name[, default]) -> value\n\nobject.name for a name in a string; the default where there is no such attribute."},
    {"globals", builtin_globals, METH_NOARGS, "globals($module, /)\n--\n\nReturn the dictionary of the current module's variables."},
    {"hasattr", FAST(builtin_hasattr), METH_FASTCALL, "hasattr($module, obj, name, /)\n--\n\nReturn whether the object has an attribute of that name."},
    {"id", builtin_id, METH_O, "id($module, obj, /)\n--\n\nReturn the identity of an object: unique among objects alive at the same time."},
    {"isinstance", FAST(builtin_isinstance), METH_FASTCALL,
     "isinstance($module, obj, class_or_tuple, /)\n--\n\nReturn whether an object is an instance of a class or of one of a tuple's classes."},
    {"issubclass", FAST(builtin_issubclass), METH_FASTCALL,
     "issubclass($module, cls, class_or_tuple, /)\n--\n\nReturn whether a class derives from another class or is the same class."},
    {"locals", builtin_locals, METH_NOARGS, "locals($module, /)\n--\n\nReturn a dictionary of the current scope's local variables."},
    {"setattr", FAST(builtin_setattr), METH_FASTCALL, "setattr($module, obj, name, value, /)\n--\n\nobj.name = value for a name in a string."},
    {"vars", FAST(builtin_vars), METH_FASTCALL, "vars([object]) -> dictionary\n\nlocals(), or object.__dict__."},
    {NULL},
};
