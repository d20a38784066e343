/* sys: what happens with values at the prompt, with unhandled exceptions, and at breakpoint(). */
#include "config.h"
#include "sys_internal.h"
#include "well_known_strings.h"

/* Writes a repr that the stream's encoding does not have, with backslashes. */
static int write_escaped(PyObject *file, PyObject *repr)
{
    PyObject *encoding = PyObject_GetAttr(file, STR(encoding)), *bytes = NULL, *buffer = NULL, *result = NULL, *text = NULL;
    const char *name = encoding != NULL ? PyUnicode_AsUTF8(encoding) : NULL;
    if (name == NULL)
        goto done;
    bytes = PyUnicode_AsEncodedString(repr, name, "backslashreplace");
    if (bytes == NULL || PyObject_GetOptionalAttr(file, STR(buffer), &buffer) < 0)
        goto done;
    if (buffer != NULL)
        result = PyObject_CallMethodOneArg(buffer, STR(write), bytes);
    else {
        text = PyUnicode_FromEncodedObject(bytes, name, "strict");
        if (text != NULL && PyFile_WriteObject(text, file, Py_PRINT_RAW) == 0)
            result = Py_NewRef(Py_None);
    }
done:
    Py_XDECREF(encoding);
    Py_XDECREF(bytes);
    Py_XDECREF(buffer);
    Py_XDECREF(text);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *sys_displayhook(PyObject *module, PyObject *value)
{
    PyObject *builtins = PyImport_GetModule(STR(builtins)), *file = NULL, *repr = NULL, *result = NULL;
    if (builtins == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError, "lost builtins module");
        return NULL;
    }
    if (value == Py_None) {
        Py_DECREF(builtins);
        Py_RETURN_NONE;
    }
    /* Before the repr, so that a value that is shown cannot be seen half-way. */
    if (PyObject_SetAttrString(builtins, "_", Py_None) < 0 || PySys_GetOptionalAttr(STR(stdout), &file) < 0)
        goto done;
    if (file == NULL || file == Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        goto done;
    }
    repr = PyObject_Repr(value);
    if (repr == NULL)
        goto done;
    if (PyFile_WriteObject(repr, file, Py_PRINT_RAW) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            goto done;
        PyErr_Clear();
        if (write_escaped(file, repr) < 0)
            goto done;
    }
    if (PyFile_WriteString("\n", file) < 0 || PyObject_SetAttrString(builtins, "_", value) < 0)
        goto done;
    result = Py_NewRef(Py_None);
done:
    Py_DECREF(builtins);
    Py_XDECREF(file);
    Py_XDECREF(repr);
    return result;
}

static PyObject *sys_excepthook(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("excepthook", nargs, 3, 3))
        return NULL;
    PyErr_Display(args[0], args[1], args[2]);
    Py_RETURN_NONE;
}

/* ---- breakpoint() ---- */

static PyObject *no_breakpoint(const char *name)
{
    PyErr_Clear();
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", name) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sys_breakpointhook(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    const char *name = config_getenv("PYTHONBREAKPOINT");
    if (name == NULL)
        name = "pdb.set_trace";
    else if (strcmp(name, "0") == 0)
        Py_RETURN_NONE;
    const char *dot = strrchr(name, '.');
    PyObject *module_name = dot == NULL ? Py_NewRef(STR(builtins)) : PyUnicode_FromStringAndSize(name, dot == name ? 0 : dot - name);
    if (module_name == NULL)
        return NULL;
    PyObject *from = dot == name ? NULL : PyImport_Import(module_name), *hook = NULL;
    Py_DECREF(module_name);
    if (from == NULL) {
        if (dot != name && !PyErr_ExceptionMatches(PyExc_ImportError))
            return NULL;
        return no_breakpoint(name);
    }
    hook = PyObject_GetAttrString(from, dot != NULL ? dot + 1 : name);
    Py_DECREF(from);
    if (hook == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        return no_breakpoint(name);
    }
    PyObject *result = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_DECREF(hook);
    return result;
}

PyMethodDef sys_hook_methods[] = {
    SYS_METHOD("displayhook", sys_displayhook, METH_O,
               "displayhook(value)\n\nShows the value of an expression typed at the prompt, and keeps it in builtins._"),
    SYS_METHOD("excepthook", sys_excepthook, METH_FASTCALL,
               "excepthook(type, value, traceback)\n\nShows an exception that nobody handled on sys.stderr."),
    SYS_METHOD("unraisablehook", error_display_unraisable, METH_O,
               "unraisablehook(args)\n\nShows an exception that could not be raised on sys.stderr."),
    SYS_METHOD("breakpointhook", sys_breakpointhook, METH_FASTCALL | METH_KEYWORDS,
               "breakpointhook(*args, **kwargs)\n\nWhat breakpoint() does: enters the debugger, or what PYTHONBREAKPOINT names."),
    {NULL, NULL, 0, NULL},
};
