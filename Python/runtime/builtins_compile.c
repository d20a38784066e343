/* compile, eval, exec. */
#include "Python.h"

#include "builtins.h"
#include "code_object.h"
#include "compiler.h"
#include "interpreter.h"
#include "parser.h"
#include "stable_buffer.h"
#include "thread_state.h"
#include "vm.h"
#include "well_known_strings.h"

/* ---- Depth ---- */

/* As in CPython, sources and trees may nest three times as deep as calls (the C stack is watched besides). Returns what to give back. */
static int deepen(void)
{
    PyThreadState *ts = thread_current();
    int extra = ts->py_recursion_remaining > 0 && ts->py_recursion_remaining < INT_MAX / 4 ? 2 * ts->py_recursion_remaining : 0;
    ts->py_recursion_remaining += extra;
    return extra;
}

static void give_back(int extra) { thread_current()->py_recursion_remaining -= extra; }

/* ---- From C ---- */

PyObject *compile_source(const char *source, Py_ssize_t size, PyObject *filename, int start, PyCompilerFlags *flags, int optimize)
{
    enum parser_mode mode = start == Py_eval_input        ? PARSER_EVAL
                            : start == Py_single_input    ? PARSER_SINGLE
                            : start == Py_func_type_input ? PARSER_FUNC_TYPE
                                                          : PARSER_FILE;
    if (PySys_Audit("compile", "y#O", source, size, filename) < 0)
        return NULL;
    arena *a = arena_new();
    PyObject *result = NULL;
    if (a == NULL)
        return NULL;
    int feature_version = flags != NULL && (flags->cf_flags & PyCF_ONLY_AST) ? flags->cf_feature_version : -1;
    int bits = flags != NULL ? flags->cf_flags : 0;
    int extra = deepen();
    mod_ty tree = parser_parse_string(source, size, filename, mode, bits, feature_version, a);
    if (tree != NULL) {
        if (bits & PyCF_ONLY_AST)
            result = ast_to_object(tree);
        else {
            result = compile_tree(tree, filename, &bits, optimize, a);
            if (flags != NULL)
                flags->cf_flags |= bits & PyCF_MASK;
        }
    }
    give_back(extra);
    arena_free(a);
    return result;
}

PyObject *Py_CompileStringObject(const char *source, PyObject *filename, int start, PyCompilerFlags *flags, int optimize)
{
    return compile_source(source, (Py_ssize_t)strlen(source), filename, start, flags, optimize);
}

PyObject *Py_CompileStringExFlags(const char *source, const char *filename, int start, PyCompilerFlags *flags, int optimize)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    PyObject *code = name != NULL ? Py_CompileStringObject(source, name, start, flags, optimize) : NULL;
    Py_XDECREF(name);
    return code;
}

PyObject *Py_CompileStringFlags(const char *source, const char *filename, int start, PyCompilerFlags *flags)
{
    return Py_CompileStringExFlags(source, filename, start, flags, -1);
}

PyObject *Py_CompileString(const char *source, const char *filename, int start)
{
    return Py_CompileStringExFlags(source, filename, start, NULL, -1);
}

/* ---- Sources ---- */

const char *builtins_source_text(PyObject *source, const char *function, const char *what, int *flags, Py_ssize_t *size, PyObject **owner)
{
    const char *text;
    *owner = NULL;
    if (PyUnicode_Check(source)) {
        *flags |= PyCF_IGNORE_COOKIE;
        text = PyUnicode_AsUTF8AndSize(source, size);
        *owner = Py_NewRef(source);
    }
    else if (PyBytes_Check(source)) {
        text = PyBytes_AS_STRING(source);
        *size = PyBytes_GET_SIZE(source);
        *owner = Py_NewRef(source);
    }
    else {
        Py_buffer view;
        if (!PyObject_CheckBuffer(source)) {
            PyErr_Format(PyExc_TypeError, "%s() arg 1 must be a %s object", function, what);
            return NULL;
        }
        if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        *owner = stable_buffer_copy(&view);
        PyBuffer_Release(&view);
        if (*owner == NULL)
            return NULL;
        text = PyBytes_AS_STRING(*owner);
        *size = PyBytes_GET_SIZE(*owner);
    }
    if (text != NULL && strlen(text) != (size_t)*size) {
        PyErr_SetString(PyExc_ValueError, "source code string cannot contain null bytes");
        text = NULL;
    }
    if (text == NULL)
        Py_CLEAR(*owner);
    return text;
}

/* ---- compile ---- */

static PyObject *compile_ast_object(PyObject *source, PyObject *filename, int mode, PyCompilerFlags *flags, int optimize)
{
    if (flags->cf_flags & PyCF_ONLY_AST)
        return Py_NewRef(source);
    arena *a = arena_new();
    PyObject *code = NULL;
    if (a == NULL)
        return NULL;
    int extra = deepen();
    mod_ty tree = ast_from_object(source, a, mode);
    if (tree != NULL && ast_validate(tree)) {
        int bits = flags->cf_flags;
        code = compile_tree(tree, filename, &bits, optimize, a);
    }
    give_back(extra);
    arena_free(a);
    return code;
}

static PyObject *builtin_compile(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", "filename", "mode", "flags", "dont_inherit", "optimize", "_feature_version", NULL};
    static const int starts[] = {Py_file_input, Py_eval_input, Py_single_input, Py_func_type_input};
    PyObject *source, *filename, *owner, *result = NULL;
    const char *mode_name;
    int bits = 0, dont_inherit = 0, optimize = -1, feature_version = -1, mode;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO&s|iii$i:compile", keywords, &source, PyUnicode_FSDecoder, &filename,
                                     &mode_name, &bits, &dont_inherit, &optimize, &feature_version))
        return NULL;
    PyCompilerFlags flags = {bits | PyCF_SOURCE_IS_UTF8, 11};
    if (feature_version >= 0 && (bits & PyCF_ONLY_AST))
        flags.cf_feature_version = feature_version;
    if (bits & ~(PyCF_MASK | PyCF_MASK_OBSOLETE | PyCF_COMPILE_MASK)) {
        PyErr_SetString(PyExc_ValueError, "compile(): unrecognised flags");
        goto done;
    }
    if (optimize < -1 || optimize > 2) {
        PyErr_SetString(PyExc_ValueError, "compile(): invalid optimize value");
        goto done;
    }
    if (!dont_inherit)
        PyEval_MergeCompilerFlags(&flags);
    if (strcmp(mode_name, "exec") == 0)
        mode = 0;
    else if (strcmp(mode_name, "eval") == 0)
        mode = 1;
    else if (strcmp(mode_name, "single") == 0)
        mode = 2;
    else if (strcmp(mode_name, "func_type") == 0) {
        if (!(bits & PyCF_ONLY_AST)) {
            PyErr_SetString(PyExc_ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
            goto done;
        }
        mode = 3;
    }
    else {
        PyErr_SetString(PyExc_ValueError, bits & PyCF_ONLY_AST ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                                                               : "compile() mode must be 'exec', 'eval' or 'single'");
        goto done;
    }
    int is_ast = ast_object_check(source);
    if (is_ast < 0)
        goto done;
    if (is_ast) {
        if (PySys_Audit("compile", "OO", source, Py_None) == 0)
            result = compile_ast_object(source, filename, mode, &flags, optimize);
        goto done;
    }
    Py_ssize_t size;
    const char *text = builtins_source_text(source, "compile", "string, bytes or AST", &flags.cf_flags, &size, &owner);
    if (text != NULL) {
        result = compile_source(text, size, filename, starts[mode], &flags, optimize);
        Py_DECREF(owner);
    }
done:
    Py_DECREF(filename);
    return result;
}

/* ---- eval and exec ---- */

/* Fills in the namespaces that were not given; new references. 0 or -1. */
static int find_namespaces(const char *function, PyObject **globals, PyObject **locals)
{
    if (*locals != Py_None && !PyMapping_Check(*locals)) {
        PyErr_Format(PyExc_TypeError, strcmp(function, "exec") == 0 ? "locals must be a mapping or None, not %.100s"
                                                                    : "locals must be a mapping",
                     Py_TYPE(*locals)->tp_name);
        return -1;
    }
    if (*globals != Py_None && !PyDict_Check(*globals)) {
        if (strcmp(function, "exec") == 0)
            PyErr_Format(PyExc_TypeError, "exec() globals must be a dict, not %.100s", Py_TYPE(*globals)->tp_name);
        else
            PyErr_SetString(PyExc_TypeError, PyMapping_Check(*globals) ? "globals must be a real dict; try eval(code, {}, mapping)"
                                                                       : "globals must be a dict");
        return -1;
    }
    if (*globals == Py_None) {
        *globals = PyEval_GetGlobals();
        if (*locals == Py_None) {
            *locals = *globals != NULL ? PyEval_GetLocals() : NULL;
            if (*locals == NULL && PyErr_Occurred() && *globals != NULL)
                return -1;
        }
        if (*globals == NULL || *locals == NULL) {
            PyErr_Format(PyExc_SystemError, "globals and locals cannot be NULL");
            return -1;
        }
    }
    else if (*locals == Py_None)
        *locals = *globals;
    int has_builtins = PyDict_Contains(*globals, STR(__builtins__));
    if (has_builtins == 0)
        has_builtins = PyDict_SetItem(*globals, STR(__builtins__), PyEval_GetBuiltins());
    if (has_builtins < 0)
        return -1;
    Py_INCREF(*globals);
    Py_INCREF(*locals);
    return 0;
}

static PyObject *run_text(PyObject *source, const char *function, int start, PyObject *globals, PyObject *locals)
{
    PyCompilerFlags flags = {PyCF_SOURCE_IS_UTF8, 11};
    PyObject *owner, *filename, *code, *result = NULL;
    Py_ssize_t size;
    PyEval_MergeCompilerFlags(&flags);
    const char *text = builtins_source_text(source, function, "string, bytes or code", &flags.cf_flags, &size, &owner);
    if (text == NULL)
        return NULL;
    if (start == Py_eval_input)
        while (*text == ' ' || *text == '\t') {
            text++;
            size--;
        }
    filename = STR(anon_string);
    code = compile_source(text, size, filename, start, &flags, -1);
    Py_DECREF(owner);
    if (code != NULL) {
        if (PySys_Audit("exec", "O", code) == 0)
            result = vm_eval_code(code, globals, locals, NULL);
        Py_DECREF(code);
    }
    return result;
}

static PyObject *builtin_eval(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("eval", nargs, 1, 3))
        return NULL;
    PyObject *globals = nargs > 1 ? args[1] : Py_None, *locals = nargs > 2 ? args[2] : Py_None, *result = NULL;
    if (find_namespaces("eval", &globals, &locals) < 0)
        return NULL;
    if (PyCode_Check(args[0])) {
        if (PyCode_GetNumFree((PyCodeObject *)args[0]) > 0)
            PyErr_SetString(PyExc_TypeError, "code object passed to eval() may not contain free variables");
        else if (PySys_Audit("exec", "O", args[0]) == 0)
            result = vm_eval_code(args[0], globals, locals, NULL);
    }
    else
        result = run_text(args[0], "eval", Py_eval_input, globals, locals);
    Py_DECREF(globals);
    Py_DECREF(locals);
    return result;
}

/* The closure given for a code object with free variables: 0 or -1. */
static int check_exec_closure(PyObject *code, PyObject *closure)
{
    Py_ssize_t nfree = PyCode_GetNumFree((PyCodeObject *)code);
    if (nfree == 0) {
        if (closure != NULL) {
            PyErr_SetString(PyExc_TypeError, "cannot use a closure with this code object");
            return -1;
        }
        return 0;
    }
    int ok = closure != NULL && PyTuple_CheckExact(closure) && PyTuple_GET_SIZE(closure) == nfree;
    for (Py_ssize_t i = 0; ok && i < nfree; i++)
        ok = PyCell_Check(PyTuple_GET_ITEM(closure, i));
    if (!ok)
        PyErr_Format(PyExc_TypeError, "code object requires a closure of exactly length %zd", nfree);
    return ok ? 0 : -1;
}

static PyObject *builtin_exec(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "", "", "closure", NULL};
    PyObject *source, *globals = Py_None, *locals = Py_None, *closure = Py_None, *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO$O:exec", keywords, &source, &globals, &locals, &closure))
        return NULL;
    if (closure == Py_None)
        closure = NULL;
    if (find_namespaces("exec", &globals, &locals) < 0)
        return NULL;
    if (PyCode_Check(source)) {
        if (PySys_Audit("exec", "O", source) == 0 && check_exec_closure(source, closure) == 0)
            result = vm_eval_code(source, globals, locals, closure);
    }
    else if (closure != NULL)
        PyErr_SetString(PyExc_TypeError, "closure can only be used when source is a code object");
    else
        result = run_text(source, "exec", Py_file_input, globals, locals);
    Py_DECREF(globals);
    Py_DECREF(locals);
    if (result == NULL)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

PyMethodDef builtin_compile_methods[] = {
    {"compile", (PyCFunction)(void (*)(void))builtin_compile, METH_VARARGS | METH_KEYWORDS,
     "compile($module, /, source, filename, mode, flags=0,\n        dont_inherit=False, optimize=-1, *, _feature_version=-1)\n--\n\n"
     "Compile source (str, bytes or AST) into a code object for exec or eval.\n\n"
     "mode is 'exec', 'eval' or 'single'; flags are __future__ and PyCF_ bits."},
    {"eval", (PyCFunction)(void (*)(void))builtin_eval, METH_FASTCALL,
     "eval($module, source, globals=None, locals=None, /)\n--\n\nEvaluate an expression, given as text or code object."},
    {"exec", (PyCFunction)(void (*)(void))builtin_exec, METH_VARARGS | METH_KEYWORDS,
     "exec($module, source, globals=None, locals=None, /, *, closure=None)\n--\n\nRun statements, given as text or code object."},
    {NULL},
};
