/* PyRun_*: running text, files, and the interactive loop. */
#include "Python.h"

#include <unistd.h>

#include "builtins.h"
#include "compiler.h"
#include "importer.h"
#include "interpreter.h"
#include "lifecycle.h"
#include "parser.h"
#include "sys_internal.h"
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
    if (name != NULL) {
        PyCompilerFlags own = {PARSER_FROM_FILE, 11};
        if (flags != NULL) {
            own = *flags;
            own.cf_flags |= PARSER_FROM_FILE;
        }
        code = compile_source(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), name, start, &own, -1);
        if (flags != NULL)
            flags->cf_flags = own.cf_flags & ~PARSER_FROM_FILE;
    }
    Py_XDECREF(source);
    Py_XDECREF(name);
    return run_code(code, globals, locals);
}

PyObject *PyRun_File(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals)
{
    return PyRun_FileExFlags(file, filename, start, globals, locals, 0, NULL);
}

/* Does the file hold compiled code? By its name, or by its first bytes if it can be read again. */
static int is_compiled(FILE *file, const char *filename, int can_rewind)
{
    size_t n = strlen(filename);
    if (n >= 4 && strcmp(filename + n - 4, ".pyc") == 0)
        return 1;
    unsigned char mark[2];
    if (!can_rewind || ftell(file) != 0)
        return 0;
    uint32_t magic = import_magic_number();
    int is = fread(mark, 1, 2, file) == 2 && mark[0] == (magic & 0xff) && mark[1] == (magic >> 8 & 0xff);
    rewind(file);
    return is;
}

/* The code in a file of compiled code, which is closed. */
static PyObject *read_compiled(FILE *file)
{
    enum { HEADER = 16 };           /* mark, flags, and two words about the source */
    PyObject *bytes = run_read_file(file), *code = NULL;
    fclose(file);
    if (bytes == NULL)
        return NULL;
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(bytes);
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    uint32_t magic = size >= 4 ? data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24 : 0;
    if (magic != import_magic_number())
        PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
    else if (size < HEADER)
        PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
    else
        code = PyMarshal_ReadObjectFromString((const char *)data + HEADER, size - HEADER);
    if (code != NULL && !PyCode_Check(code)) {
        PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
        Py_CLEAR(code);
    }
    Py_DECREF(bytes);
    return code;
}

/* __main__.__loader__, as if the file had been imported. 0 or -1. */
static int set_main_loader(PyObject *dict, PyObject *filename, const char *type)
{
    PyObject *external = runtime_interp.importlib_external;
    PyObject *loader = external != NULL ? PyObject_CallMethod(external, type, "sO", "__main__", filename) : NULL;
    int status = loader != NULL ? PyDict_SetItemString(dict, "__loader__", loader) : -1;
    Py_XDECREF(loader);
    return status;
}

/* Runs the file, which is closed if close_it, in __main__: the result or NULL. */
static PyObject *run_as_main(FILE *file, const char *filename, PyObject *name, int close_it, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict();
    if (dict == NULL)
        return NULL;
    if (is_compiled(file, filename, close_it)) {
        if (!close_it && (file = fopen(filename, "rbe")) == NULL)
            return PyErr_SetFromErrnoWithFilename(PyExc_OSError, filename);
        PyObject *code = read_compiled(file);
        if (code != NULL && set_main_loader(dict, name, "SourcelessFileLoader") < 0)
            Py_CLEAR(code);
        return run_code(code, dict, dict);
    }
    if (strcmp(filename, "<stdin>") != 0 && set_main_loader(dict, name, "SourceFileLoader") < 0) {
        if (close_it)
            fclose(file);
        return NULL;
    }
    return PyRun_FileExFlags(file, filename, Py_file_input, dict, dict, close_it, flags);
}

int PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close_it, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict(), *name = PyUnicode_DecodeFSDefault(filename), *result = NULL;
    int has_file = dict != NULL ? PyDict_Contains(dict, STR(__file__)) : -1;
    if (name != NULL && has_file >= 0
        && (has_file || (PyDict_SetItem(dict, STR(__file__), name) == 0 && PyDict_SetItem(dict, STR(__cached__), Py_None) == 0)))
        result = run_as_main(file, filename, name, close_it, flags);
    Py_XDECREF(name);
    if (result == NULL)
        PyErr_Print();
    else
        Py_DECREF(result);
    if (has_file == 0 && (PyDict_DelItem(dict, STR(__file__)) < 0 || PyDict_DelItem(dict, STR(__cached__)) < 0))
        PyErr_Clear();
    return result != NULL ? 0 : -1;
}

int PyRun_SimpleFile(FILE *file, const char *filename) { return PyRun_SimpleFileExFlags(file, filename, 0, NULL); }

/* ---- The interactive loop ---- */

typedef struct {
    FILE *file;
} console_t;

static void flush_stdout(void)
{
    PyObject *out = sys_object_ref("stdout"), *result = NULL;
    if (out != NULL && out != Py_None)
        result = PyObject_CallMethodNoArgs(out, STR(flush));
    Py_XDECREF(out);
    if (result == NULL)
        PyErr_Clear();
    Py_XDECREF(result);
}

/* sys.ps1 or sys.ps2 as bytes for the terminal; NULL without an exception if it cannot be had. */
static PyObject *prompt_text(const char *name)
{
    PyObject *prompt = sys_object_ref(name), *text = NULL, *bytes = NULL;
    if (prompt != NULL)
        text = PyObject_Str(prompt);
    Py_XDECREF(prompt);
    if (text != NULL)
        bytes = PyUnicode_EncodeLocale(text, "surrogateescape");
    Py_XDECREF(text);
    PyErr_Clear();
    return bytes;
}

/* The encoding of sys.stdin if it is not UTF-8: a new str. NULL without an exception if it is, or is not known. */
static PyObject *other_encoding(void)
{
    PyObject *in = sys_object_ref("stdin"), *encoding = NULL;
    if (in != NULL && in != Py_None)
        encoding = PyObject_GetAttr(in, STR(encoding));
    Py_XDECREF(in);
    PyErr_Clear();
    if (encoding != NULL
        && (!PyUnicode_Check(encoding) || PyUnicode_CompareWithASCIIString(encoding, "utf-8") == 0
            || PyUnicode_CompareWithASCIIString(encoding, "UTF-8") == 0))
        Py_CLEAR(encoding);
    return encoding;
}

/* The line, which is taken over, as UTF-8. */
static char *line_to_utf8(char *line)
{
    PyObject *encoding = other_encoding();
    if (encoding == NULL)
        return line;
    const char *name = PyUnicode_AsUTF8(encoding), *utf8 = NULL;
    PyObject *text = name != NULL ? PyUnicode_Decode(line, (Py_ssize_t)strlen(line), name, NULL) : NULL;
    Py_ssize_t size = 0;
    PyMem_Free(line);
    line = NULL;
    if (text != NULL && (utf8 = PyUnicode_AsUTF8AndSize(text, &size)) != NULL) {
        line = PyMem_Malloc((size_t)size + 1);
        if (line != NULL)
            memcpy(line, utf8, (size_t)size + 1);
        else
            PyErr_NoMemory();
    }
    Py_XDECREF(text);
    Py_DECREF(encoding);
    return line;
}

/* For the parser: NULL at the end of the input, or with an exception. */
static char *read_console_line(void *context, int continued)
{
    console_t *console = context;
    flush_stdout();
    PyObject *prompt = prompt_text(continued ? "ps2" : "ps1");
    char *line = PyOS_Readline(console->file, stdout, prompt != NULL ? PyBytes_AS_STRING(prompt) : "");
    Py_XDECREF(prompt);
    if (line == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        return NULL;
    }
    if (*line == '\0') {
        PyMem_Free(line);
        return NULL;
    }
    return line_to_utf8(line);
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
