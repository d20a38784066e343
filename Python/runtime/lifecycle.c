/* Start-up and end of the interpreter. */
#include "lifecycle.h"

#include "builtins.h"
#include "collector.h"
#include "config.h"
#include "gil.h"
#include "gmp_guard.h"
#include "importer.h"
#include "memory.h"
#include "memoryview.h"
#include "type.h"
#include "unicode.h"
#include "unicode_methods.h"
#include "vm.h"
#include "well_known_strings.h"

#include <signal.h>

void atexit_run(void);
int error_display_init(void);

const unsigned long Py_Version = PY_VERSION_HEX;

int Py_IsInitialized(void) { return __atomic_load_n(&runtime_interp.initialized, __ATOMIC_ACQUIRE); }
int Py_IsFinalizing(void) { return runtime_is_finalizing(); }
int _Py_IsFinalizing(void) { return runtime_is_finalizing(); }

/* ---- Start ---- */

static int ready_types(void)
{
    static PyTypeObject *const types[] = {
#define TYPE(name) &name,
#include "static_types.def"
#undef TYPE
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (types[i] != NULL && PyType_Ready(types[i]) < 0)
            return -1;
    return 0;
}

static int create_builtins(void)
{
    PyObject *module = builtins_create();
    if (module == NULL)
        return -1;
    runtime_interp.builtins_module = module;
    runtime_interp.builtins = Py_NewRef(PyModule_GetDict(module));
    object_publish(runtime_interp.builtins);
    runtime_interp.import_func = PyDict_GetItemString(runtime_interp.builtins, "__import__");
    Py_XINCREF(runtime_interp.import_func);
    runtime_interp.builtins_copy = PyDict_Copy(runtime_interp.builtins);
    return runtime_interp.builtins_copy == NULL ? -1 : _PyImport_SetModule(STR(builtins), module);
}

/* The namespace of __main__, before anything runs in it. */
static int create_main_module(void)
{
    PyObject *module = PyImport_AddModuleRef("__main__");
    if (module == NULL)
        return -1;
    PyObject *dict = PyModule_GetDict(module), *annotations = PyDict_New(), *loader = NULL;
    int status = -1;
    if (annotations == NULL || PyDict_SetItem(dict, STR(__annotations__), annotations) < 0
        || PyDict_SetItem(dict, STR(__builtins__), runtime_interp.builtins_module) < 0)
        goto done;
    loader = PyObject_GetAttrString(runtime_interp.importlib, "BuiltinImporter");
    if (loader != NULL)
        status = PyDict_SetItem(dict, STR(__loader__), loader);
done:
    Py_XDECREF(annotations);
    Py_XDECREF(loader);
    Py_DECREF(module);
    return status;
}

static int import_and_drop(const char *name)
{
    PyObject *module = PyImport_ImportModule(name);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

/* The file system's encoding, once the codecs are there. */
static void choose_file_system_encoding(void)
{
    runtime_interp.fs_encoding = (char *)Py_FileSystemDefaultEncoding;
    runtime_interp.fs_errors = (char *)Py_FileSystemDefaultEncodeErrors;
}

static void install_signal_handling(void)
{
    signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN);
#endif
}

/* Signals are handled by the module _signal, which installs the handler of SIGINT when it is made. */
static int start_signals(void)
{
    if (!runtime_interp.config.install_signal_handlers)
        return 0;
    install_signal_handling();
    if (import_is_builtin("_signal") && import_and_drop("_signal") < 0)
        return -1;
    return 0;
}

static int start_warnings(void)
{
    PyObject *options = NULL;
    if (PySys_GetOptionalAttrString("warnoptions", &options) < 0)
        return -1;
    int wanted = options != NULL && PyList_Check(options) && PyList_GET_SIZE(options) > 0;
    Py_XDECREF(options);
    if (wanted && import_and_drop("warnings") < 0) {
        fputs("'import warnings' failed; traceback:\n", stderr);
        PyErr_Print();
    }
    return 0;
}

static int start_extras(void)
{
    if (runtime_interp.config.faulthandler && import_is_builtin("faulthandler")) {
        PyObject *module = PyImport_ImportModule("faulthandler"), *result = NULL;
        if (module != NULL)
            result = PyObject_CallMethod(module, "enable", NULL);
        Py_XDECREF(module);
        Py_XDECREF(result);
        if (result == NULL)
            return -1;
    }
    if (runtime_interp.config.tracemalloc && import_is_builtin("_tracemalloc")) {
        PyObject *module = PyImport_ImportModule("_tracemalloc"), *result = NULL;
        if (module != NULL)
            result = PyObject_CallMethod(module, "start", "i", runtime_interp.config.tracemalloc);
        Py_XDECREF(module);
        Py_XDECREF(result);
        if (result == NULL)
            return -1;
    }
    return 0;
}

static int start_core(void)
{
    memory_setup();
    gmp_guard_setup();
    if (unicode_init() < 0)
        return -1;
    vm_init();
    if (ready_types() < 0 || exceptions_init() < 0 || error_display_init() < 0)
        return -1;
    runtime_interp.modules = PyDict_New();
    if (runtime_interp.modules == NULL)
        return -1;
    object_publish(runtime_interp.modules);
    if (sys_create() < 0 || create_builtins() < 0)
        return -1;
    return 0;
}

int lifecycle_start(void)
{
    struct interpreter_config *config = &runtime_interp.config;
    hash_secret_init(config->use_hash_seed, config->hash_seed);
#ifdef Py_GIL_DISABLED
    gil_configure(config->gil == 1);
    if (config->gil == 0)
        gil_forbid();
#endif
    if (thread_init_main() == NULL)
        Py_FatalError("can't make the main thread state");
    if (start_core() < 0)
        return -1;
    PyObject *stderr_printer = PyFile_NewStdPrinter(2);
    if (stderr_printer != NULL) {
        PySys_SetObject("stderr", stderr_printer);
        PySys_SetObject("__stderr__", stderr_printer);
        Py_DECREF(stderr_printer);
    }
    else
        PyErr_Clear();
    if (sys_fill_from_config() < 0 || import_bootstrap() < 0 || import_bootstrap_external() < 0)
        return -1;
    choose_file_system_encoding();
    if (import_and_drop("encodings") < 0)
        return -1;
    PyObject *codec = _PyCodec_Lookup(Py_FileSystemDefaultEncoding);
    if (codec == NULL)
        return -1;
    Py_DECREF(codec);
    if (start_signals() < 0 || import_install_zipimport() < 0 || create_main_module() < 0 || lifecycle_open_streams() < 0)
        return -1;
    __atomic_store_n(&runtime_interp.initialized, 1, __ATOMIC_RELEASE);
    if (start_extras() < 0 || start_warnings() < 0)
        return -1;
    if (config->site_import && import_and_drop("site") < 0)
        return -1;
    return 0;
}

void Py_InitializeEx(int install_signal_handlers)
{
    if (Py_IsInitialized())
        return;
    if (startup.stdlib == NULL) {
        config_init(1);
        string_list_add(&startup.argv, "");
        config_find_paths();
    }
    runtime_interp.config.install_signal_handlers = install_signal_handlers;
    if (lifecycle_start() < 0) {
        PyErr_Print();
        Py_FatalError("the interpreter cannot start");
    }
}

void Py_Initialize(void) { Py_InitializeEx(1); }

/* ---- End ---- */

#define EXIT_FUNCTIONS 32
static void (*exit_functions[EXIT_FUNCTIONS])(void);
static int exit_function_count;

int Py_AtExit(void (*func)(void))
{
    if (exit_function_count >= EXIT_FUNCTIONS)
        return -1;
    exit_functions[exit_function_count++] = func;
    return 0;
}

static void run_exit_functions(void)
{
    while (exit_function_count > 0)
        exit_functions[--exit_function_count]();
    fflush(stdout);
    fflush(stderr);
}

/* What sys and builtins keep from user code alive: hooks, the last exception, the last value. */
static void clear_sys_names(void)
{
    static const char *const to_none[] = {"path", "argv", "ps1", "ps2", "last_type", "last_value", "last_traceback",
                                          "path_hooks", "path_importer_cache", "meta_path", "__interactivehook__"};
    static const char *const streams[] = {"stdin", "__stdin__", "stdout", "__stdout__", "stderr", "__stderr__"};
    if (PyDict_SetItemString(runtime_interp.builtins, "_", Py_None) < 0)
        PyErr_Clear();
    for (size_t i = 0; i < Py_ARRAY_LENGTH(to_none); i++)
        if (PyDict_SetItemString(runtime_interp.sysdict, to_none[i], Py_None) < 0)
            PyErr_Clear();
    for (size_t i = 0; i < Py_ARRAY_LENGTH(streams); i += 2) {
        PyObject *value = NULL;
        if (PyDict_GetItemStringRef(runtime_interp.sysdict, streams[i + 1], &value) < 0)
            PyErr_Clear();
        if (PyDict_SetItemString(runtime_interp.sysdict, streams[i], value != NULL ? value : Py_None) < 0)
            PyErr_Clear();
        Py_XDECREF(value);
    }
}

/* Empties sys.modules; the modules that live on are named, with a weak reference, in the list returned. */
static PyObject *drop_modules(void)
{
    PyObject *modules = runtime_interp.modules, *list = PyList_New(0), *key, *value;
    Py_ssize_t pos = 0;
    if (list == NULL)
        return NULL;
    while (PyDict_Next(modules, &pos, &key, &value)) {
        if (!PyModule_Check(value))
            continue;
        PyObject *weak = PyWeakref_NewRef(value, NULL);
        PyObject *pair = weak != NULL ? PyTuple_Pack(2, key, weak) : NULL;
        if (pair == NULL || PyList_Append(list, pair) < 0)
            PyErr_Clear();
        Py_XDECREF(weak);
        Py_XDECREF(pair);
    }
    PyDict_Clear(modules);
    return list;
}

static void clear_modules(PyObject *list)
{
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        PyObject *module = NULL;
        if (PyWeakref_GetRef(PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 1), &module) < 0)
            PyErr_Clear();
        if (module != NULL && module != runtime_interp.sys_module && module != runtime_interp.builtins_module)
            _PyModule_Clear(module);
        Py_XDECREF(module);
    }
}

static void finalize_modules(void)
{
    clear_sys_names();
    PyObject *list = drop_modules();
    collector_finalize();
    if (list != NULL) {
        clear_modules(list);
        Py_DECREF(list);
    }
    /* Finalisers of what only cycles hold now would find their modules emptied: what they raise is nobody's mistake, so sys
     * goes first, and with it the stream that it would be reported to. */
    lifecycle_flush_streams();
    _PyModule_ClearDict(runtime_interp.sysdict);
    collector_finalize();
}

int Py_FinalizeEx(void)
{
    if (!Py_IsInitialized())
        return 0;
    int status = 0;
    thread_module_shutdown();
    Py_MakePendingCalls();
    atexit_run();
    if (lifecycle_flush_streams() < 0)
        status = -1;
    if (runtime_interp.config.gc_stats)
        collector_print_stats();
    types_lock();           /* a daemon thread that waits in the middle of a change would keep it for ever */
    thread_begin_finalization();
    types_unlock();
    __atomic_store_n(&runtime_interp.initialized, 0, __ATOMIC_RELEASE);
    finalize_modules();
    run_exit_functions();
    return status;
}

void Py_Finalize(void) { Py_FinalizeEx(); }

void Py_Exit(int status)
{
    if (Py_FinalizeEx() < 0)
        status = 120;
    exit(status);
}

PyThreadState *Py_NewInterpreter(void) { return NULL; }
void Py_EndInterpreter(PyThreadState *ts) { (void)ts; }

/* ---- Signals of the C level ---- */

PyOS_sighandler_t PyOS_getsig(int sig)
{
    struct sigaction action;
    return sigaction(sig, NULL, &action) < 0 ? SIG_ERR : action.sa_handler;
}

PyOS_sighandler_t PyOS_setsig(int sig, PyOS_sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler}, old;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_ONSTACK;
    return sigaction(sig, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}
