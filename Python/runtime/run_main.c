/* Running what the command line asked for, and the ways out. */
#include "config.h"
#include "lifecycle.h"
#include "well_known_strings.h"

#include <libgen.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

int runtime_unhandled_interrupt;

/* ---- sys.path[0] ---- */

static int insert_path(PyObject *entry)
{
    PyObject *path = NULL;
    int status = PySys_GetOptionalAttr(STR(path), &path);
    if (status > 0)
        status = PyList_Insert(path, 0, entry);
    else if (status == 0) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.path");
        status = -1;
    }
    Py_XDECREF(path);
    return status;
}

/* The directory of the script, links followed; for -m the current directory; for -c and the prompt "". New str. */
static PyObject *first_path_entry(void)
{
    char path[PATH_MAX];
    if (startup.module != NULL)
        return getcwd(path, sizeof(path)) != NULL ? PyUnicode_DecodeFSDefault(path) : PyUnicode_FromString("");
    if (startup.command != NULL || startup.filename == NULL)
        return PyUnicode_FromString("");
    char resolved[PATH_MAX], *copy;
    struct stat st;
    if (lstat(startup.filename, &st) == 0 && realpath(startup.filename, resolved) != NULL)
        copy = strdup(resolved);
    else
        copy = strdup(startup.filename);
    if (copy == NULL)
        return PyErr_NoMemory();
    char *slash = strrchr(copy, '/');
    PyObject *entry = slash == NULL ? PyUnicode_FromString("")
                                    : PyUnicode_DecodeFSDefaultAndSize(copy, slash == copy ? 1 : slash - copy);
    free(copy);
    return entry;
}

/* ---- The programs ---- */

static int run_module(const char *name, int set_argv0)
{
    PyObject *run = _PyImport_GetModuleAttrString("runpy", "_run_module_as_main");
    if (run == NULL) {
        fputs("Could not import runpy module\n", stderr);
        return run_exception_status();
    }
    PyObject *text = PyUnicode_DecodeFSDefault(name), *result = NULL;
    if (text != NULL)
        result = PyObject_CallFunctionObjArgs(run, text, set_argv0 ? Py_True : Py_False, NULL);
    Py_DECREF(run);
    Py_XDECREF(text);
    if (result == NULL)
        return run_exception_status();
    Py_DECREF(result);
    return 0;
}

static int run_command(PyCompilerFlags *flags)
{
    PyObject *text = PyUnicode_DecodeFSDefault(startup.command);
    PyObject *bytes = text != NULL ? _PyUnicode_AsUTF8String(text, "strict") : NULL;
    Py_XDECREF(text);
    if (bytes == NULL) {
        fputs("Unable to decode the command from the command line:\n", stderr);
        return run_exception_status();
    }
    if (PySys_Audit("cpython.run_command", "O", Py_None) < 0) {
        Py_DECREF(bytes);
        return run_exception_status();
    }
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    int status = PyRun_SimpleStringFlags(PyBytes_AS_STRING(bytes), flags);
    Py_DECREF(bytes);
    return status != 0;
}

static int run_file(PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(startup.filename);
    if (name == NULL || PySys_Audit("cpython.run_file", "O", name) < 0) {
        Py_XDECREF(name);
        return run_exception_status();
    }
    Py_DECREF(name);
    FILE *file = fopen(startup.filename, "rbe");
    if (file == NULL) {
        fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n", startup.program_name,
                startup.filename, errno, strerror(errno));
        return 2;
    }
    struct stat st;
    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        fprintf(stderr, "%s: '%s' is a directory, cannot continue\n", startup.program_name, startup.filename);
        fclose(file);
        return 1;
    }
    if (startup.skip_first_line)
        for (int c; (c = getc(file)) != EOF;)
            if (c == '\n') {
                ungetc(c, file);
                break;
            }
    if (Py_MakePendingCalls() < 0) {
        fclose(file);
        return run_exception_status();
    }
    return PyRun_AnyFileExFlags(file, startup.filename, 1, flags) != 0;
}

/* ---- The prompt ---- */

static int run_startup_file(PyCompilerFlags *flags)
{
    const char *name = config_getenv("PYTHONSTARTUP");
    if (name == NULL)
        return 0;
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        int error = errno;
        PySys_WriteStderr("Could not open PYTHONSTARTUP\n");
        errno = error;
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, name);
        PyErr_Print();
        return 0;
    }
    PyRun_SimpleFileExFlags(file, name, 1, flags);
    return 0;
}

static void run_interactive_hook(void)
{
    PyObject *hook = NULL, *result = NULL;
    if (PySys_GetOptionalAttrString("__interactivehook__", &hook) <= 0) {
        PyErr_Clear();
        return;
    }
    if (PySys_Audit("cpython.run_interactivehook", "O", hook) == 0)
        result = PyObject_CallNoArgs(hook);
    Py_DECREF(hook);
    if (result == NULL) {
        PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
        PyErr_Print();
    }
    Py_XDECREF(result);
}

static int stdin_is_interactive(void) { return isatty(0) || runtime_interp.config.interactive; }

static int run_stdin(PyCompilerFlags *flags)
{
    if (stdin_is_interactive()) {
        runtime_interp.config.inspect = Py_InspectFlag = 0;
        run_startup_file(flags);
        run_interactive_hook();
    }
    if (PySys_Audit("cpython.run_stdin", NULL) < 0)
        return run_exception_status();
    return PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags) != 0;
}

/* -i: the prompt after the program. */
static void run_prompt_after(PyCompilerFlags *flags, int *status)
{
    if (config_getenv("PYTHONINSPECT") != NULL)
        runtime_interp.config.inspect = 1;
    if (!runtime_interp.config.inspect || !stdin_is_interactive() || (startup.command == NULL && startup.filename == NULL && startup.module == NULL))
        return;
    runtime_interp.config.inspect = Py_InspectFlag = 0;
    run_interactive_hook();
    *status = PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags) != 0;
}

static void show_banner(void)
{
    struct interpreter_config *c = &runtime_interp.config;
    int plain = startup.command == NULL && startup.filename == NULL && startup.module == NULL;
    if (c->quiet || !(c->verbose || (plain && stdin_is_interactive())))
        return;
    fprintf(stderr, "Python %s on %s\n", Py_GetVersion(), Py_GetPlatform());
    if (c->site_import)
        fputs("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n", stderr);
}

/* ---- All of it ---- */

/* A directory or zip file with a __main__ module: is there an importer for it? 1, 0 or -1 */
static int script_has_importer(PyObject **entry)
{
    *entry = PyUnicode_DecodeFSDefault(startup.filename);
    if (*entry == NULL)
        return -1;
    PyObject *importer = PyImport_GetImporter(*entry);
    if (importer == NULL)
        return -1;
    int has = importer != Py_None;
    Py_DECREF(importer);
    return has;
}

/* The script's path, absolute: it shows in tracebacks, and the program may change its directory. */
static void make_script_absolute(void)
{
    static char absolute[2 * PATH_MAX];
    char directory[PATH_MAX];
    const char *name = startup.filename;
    if (name == NULL || name[0] == '/' || name[0] == '\0' || getcwd(directory, sizeof(directory)) == NULL)
        return;
    if (name[0] == '.' && name[1] == '/')
        name += 2;
    if (snprintf(absolute, sizeof(absolute), "%s%s%s", directory, strcmp(directory, "/") == 0 ? "" : "/", name)
        < (int)sizeof(absolute))
        startup.filename = absolute;
}

int run_main(void)
{
    PyCompilerFlags flags = {0, PY_MINOR_VERSION};
    make_script_absolute();
    PyObject *entry = NULL;
    int as_package = 0, status;
    if (startup.filename != NULL) {
        as_package = script_has_importer(&entry);
        if (as_package < 0) {
            PyErr_Print();
            as_package = 0;
        }
    }
    if (as_package) {
        if (insert_path(entry) < 0)
            return run_exception_status();
    }
    else if (!runtime_interp.config.safe_path) {
        Py_XSETREF(entry, first_path_entry());
        if (entry == NULL || insert_path(entry) < 0)
            return run_exception_status();
    }
    Py_CLEAR(entry);
    show_banner();
    if (startup.command != NULL)
        status = run_command(&flags);
    else if (startup.module != NULL)
        status = run_module(startup.module, 1);
    else if (as_package)
        status = run_module("__main__", 0);
    else if (startup.filename != NULL)
        status = run_file(&flags);
    else
        status = run_stdin(&flags);
    run_prompt_after(&flags, &status);
    return status;
}

/* Dies of SIGINT, so that the shell sees it. */
static int exit_by_interrupt(void)
{
    signal(SIGINT, SIG_DFL);
    kill(getpid(), SIGINT);
    return 128 + SIGINT;
}

int Py_BytesMain(int argc, char **argv)
{
    int status = config_from_command_line(argc, argv);
    if (status >= 0)
        return status;
    if (lifecycle_start() < 0) {
        if (PyErr_ExceptionMatches(PyExc_SystemExit) || Py_IsInitialized())
            status = run_exception_status();
        else {
            fputs("Fatal Python error: init: the interpreter cannot start\n", stderr);
            PyErr_Print();
            status = 1;
            _exit(status);
        }
    }
    else
        status = run_main();
    if (Py_FinalizeEx() < 0)
        status = 120;
    if (runtime_unhandled_interrupt)
        status = exit_by_interrupt();
    return status;
}

int Py_Main(int argc, wchar_t **argv)
{
    char **bytes = calloc((size_t)argc + 1, sizeof(*bytes));
    if (bytes == NULL)
        return 1;
    setlocale(LC_CTYPE, "");
    for (int i = 0; i < argc; i++) {
        size_t n = wcslen(argv[i]) * MB_CUR_MAX + 1;
        bytes[i] = malloc(n);
        if (bytes[i] == NULL || wcstombs(bytes[i], argv[i], n) == (size_t)-1) {
            fputs("Fatal Python error: cannot decode the command line\n", stderr);
            return 1;
        }
    }
    return Py_BytesMain(argc, bytes);
}
