/* PyRun_*: running text, files, and the interactive loop. */
#include "Python.h"

#include <unistd.h>

#include "builtins.h"
#include "compiler.h"
#include "interpreter.h"
#include "lifecycle.h"
#include "parser.h"
#include "vm.h"
#include "well_known_strings.h"

/* ---- Text ---- */

static PyObject *run_code(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (code == NULL)
        return NULL;
    int has_builtins = PyDict_Contains(globals, STR(__builtins__));
    PyObject *result = NULL;
    if (has_builtins > 0 || (has_builtins == 0 && PyDict_SetItem(globals, STR(__builtins__), PyEval_GetBuiltins()) == 0))
        result = vm_eval_code(code, globals, locals, NULL);
    runtime_unhandled_interrupt = result == NULL && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    Py_DECREF(code);
    return result;
}

PyObject *PyRun_StringFlags(const char *source, int start, PyObject *globals, PyObject *locals, PyCompilerFlags *flags)
{
    return run_code(compile_source(source, (Py_ssize_t)strlen(source), STR(anon_string), start, flags, -1), globals, locals);
}

PyObject *PyRun_String(const char *source, int start, PyObject *globals, PyObject *locals)
{
    return PyRun_StringFlags(source, start, globals, locals, NULL);
}

/* __main__'s dict, borrowed. */
static PyObject *main_dict(void)
{
    PyObject *module = PyImport_AddModule("__main__");
    return module != NULL ? PyModule_GetDict(module) : NULL;
}

int PyRun_SimpleStringFlags(const char *source, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict();
    PyObject *result = dict != NULL ? PyRun_StringFlags(source, Py_file_input, dict, dict, flags) : NULL;
    if (result == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

int PyRun_SimpleString(const char *source) { return PyRun_SimpleStringFlags(source, NULL); }

/* ---- Files ---- */

PyObject *run_read_file(FILE *file)
{
    size_t size = 0, room = 1 << 16;
    char *text = PyMem_Malloc(room);
    while (text != NULL) {
        size_t n;
        Py_BEGIN_ALLOW_THREADS
        n = fread(text + size, 1, room - size, file);
        Py_END_ALLOW_THREADS
        size += n;
        if (size < room)
            break;
        char *more = PyMem_Realloc(text, room *= 2);
        if (more == NULL)
            PyMem_Free(text);
        text = more;
    }
    if (text == NULL)
        return PyErr_NoMemory();
    PyObject *bytes = ferror(file) ? PyErr_SetFromErrno(PyExc_OSError) : PyBytes_FromStringAndSize(text, (Py_ssize_t)size);
    PyMem_Free(text);
    return bytes;
}

PyObject *PyRun_FileExFlags(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals, int close_it,
                            PyCompilerFlags *flags)
{
    PyObject *source = run_read_file(file), *name = source != NULL ? PyUnicode_DecodeFSDefault(filename) : NULL, *code = NULL;
    if (close_it)
        fclose(file);
    if (name != NULL)
        code = compile_source(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), name, start, flags, -1);
    Py_XDECREF(source);
    Py_XDECREF(name);
    return run_code(code, globals, locals);
}

PyObject *PyRun_File(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals)
{
    return PyRun_FileExFlags(file, filename, start, globals, locals, 0, NULL);
}

int PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close_it, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict(), *name = PyUnicode_DecodeFSDefault(filename), *result = NULL;
    if (dict != NULL && name != NULL && PyDict_SetItemString(dict, "__file__", name) == 0)
        result = PyRun_FileExFlags(file, filename, Py_file_input, dict, dict, close_it, flags);
    Py_XDECREF(name);
    if (result == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

int PyRun_SimpleFile(FILE *file, const char *filename) { return PyRun_SimpleFileExFlags(file, filename, 0, NULL); }

/* ---- The interactive loop ---- */

typedef struct {
    FILE *file;
} console_t;

static void print_prompt(const char *name)
{
    PyObject *prompt = PySys_GetObject(name), *text = prompt != NULL ? PyObject_Str(prompt) : NULL;
    PyObject *out = PySys_GetObject("stdout");
    if (out != NULL && out != Py_None) {
        PyObject *result = PyObject_CallMethodNoArgs(out, STR(flush));
        Py_XDECREF(result);
    }
    PyErr_Clear();
    const char *utf8 = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    if (utf8 != NULL)
        fputs(utf8, stderr);
    fflush(stderr);
    PyErr_Clear();
    Py_XDECREF(text);
}

static char *read_console_line(void *context, int continued)
{
    console_t *console = context;
    size_t size = 0, room = 256;
    char *line = PyMem_Malloc(room);
    print_prompt(continued ? "ps2" : "ps1");
    while (line != NULL) {
        int c;
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        c = getc(console->file);
        Py_END_ALLOW_THREADS
        if (c == EOF && errno == EINTR) {
            clearerr(console->file);
            if (PyErr_CheckSignals() < 0) {
                PyMem_Free(line);
                return NULL;
            }
            continue;
        }
        if (c != EOF)
            line[size++] = (char)c;
        if (c == EOF || c == '\n')
            break;
        if (size + 1 == room) {
            char *more = PyMem_Realloc(line, room *= 2);
            if (more == NULL)
                PyMem_Free(line);
            line = more;
        }
    }
    if (line == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (size == 0) {
        PyMem_Free(line);
        return NULL;
    }
    line[size] = '\0';
    return line;
}

static int set_default_prompt(const char *name, const char *text)
{
    if (PySys_GetObject(name) != NULL)
        return 0;
    PyObject *prompt = PyUnicode_FromString(text);
    int status = prompt != NULL ? PySys_SetObject(name, prompt) : -1;
    Py_XDECREF(prompt);
    return status;
}

/* One statement: 1 at the end of the input, 0, -1 with an exception. */
static int run_one(console_t *console, PyObject *filename, PyCompilerFlags *flags)
{
    int at_end = 0, bits = flags->cf_flags;
    arena *a = arena_new();
    PyObject *code = NULL, *dict = main_dict(), *result;
    if (a == NULL || dict == NULL) {
        arena_free(a);
        return -1;
    }
    mod_ty tree = parser_parse_interactive(read_console_line, console, filename, bits, a, &at_end);
    if (tree != NULL)
        code = compile_tree(tree, filename, &bits, -1, a);
    arena_free(a);
    if (at_end && !PyErr_Occurred())
        return 1;
    if (code == NULL)
        return -1;
    flags->cf_flags |= bits & PyCF_MASK;
    result = run_code(code, dict, dict);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int PyRun_InteractiveLoopFlags(FILE *file, const char *filename, PyCompilerFlags *flags)
{
    PyCompilerFlags own = {0, 11};
    console_t console = {file};
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (name == NULL || set_default_prompt("ps1", ">>> ") < 0 || set_default_prompt("ps2", "... ") < 0) {
        PyErr_Print();
        Py_XDECREF(name);
        return -1;
    }
    if (flags == NULL)
        flags = &own;
    for (;;) {
        int status = run_one(&console, name, flags);
        if (status > 0)
            break;
        if (status < 0)
            PyErr_PrintEx(1);
    }
    fputc('\n', stderr);
    Py_DECREF(name);
    return 0;
}

int PyRun_InteractiveLoop(FILE *file, const char *filename) { return PyRun_InteractiveLoopFlags(file, filename, NULL); }

int PyRun_AnyFileExFlags(FILE *file, const char *filename, int close_it, PyCompilerFlags *flags)
{
    if (filename == NULL)
        filename = "???";
    if (!isatty(fileno(file)) && !runtime_interp.config.interactive)
        return PyRun_SimpleFileExFlags(file, filename, close_it, flags);
    int status = PyRun_InteractiveLoopFlags(file, filename, flags);
    if (close_it)
        fclose(file);
    return status;
}

int PyRun_AnyFile(FILE *file, const char *filename) { return PyRun_AnyFileExFlags(file, filename, 0, NULL); }
