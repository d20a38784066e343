/* The command line and the environment: what the user wants, before there is an interpreter. */
#include "compiler.h"
#include "config.h"
#include "command_line_text.h"
#include "deadlock.h"
#include "library_paths.h"
#include "long.h"
#include "unicode_codec.h"

#include <langinfo.h>
#include <locale.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

struct startup_config startup;

int Py_DebugFlag, Py_VerboseFlag, Py_QuietFlag, Py_InteractiveFlag, Py_InspectFlag, Py_OptimizeFlag, Py_NoSiteFlag, Py_BytesWarningFlag,
    Py_FrozenFlag, Py_IgnoreEnvironmentFlag, Py_DontWriteBytecodeFlag, Py_NoUserSiteDirectory, Py_UnbufferedStdioFlag,
    Py_HashRandomizationFlag = 1, Py_IsolatedFlag;

#define CONFIG (&runtime_interp.config)

void config_fatal(const char *function, const char *message)
{
    fprintf(stderr, "Fatal Python error: %s: %s\nPython runtime state: preinitialized\n\nCurrent thread 0x%016lx (most recent call first):\n"
                    "  <no Python frame>\n",
            function, message, (unsigned long)PyThread_get_thread_ident());
    exit(1);
}

void string_list_add(string_list_t *list, const char *text)
{
    if (list->count == list->capacity) {
        int capacity = list->capacity * 2 + 8;
        char **items = realloc(list->items, (size_t)capacity * sizeof(*items));
        if (items == NULL)
            config_fatal("config", "memory allocation failed");
        list->items = items;
        list->capacity = capacity;
    }
    char *copy = strdup(text);
    if (copy == NULL)
        config_fatal("config", "memory allocation failed");
    list->items[list->count++] = copy;
}

const char *config_getenv(const char *name)
{
    if (!CONFIG->use_environment)
        return NULL;
    const char *value = getenv(name);
    return value != NULL && *value ? value : NULL;
}

const char *config_xoption(const char *name)
{
    size_t n = strlen(name);
    for (int i = startup.xoptions.count - 1; i >= 0; i--) {
        const char *option = startup.xoptions.items[i];
        if (strncmp(option, name, n) == 0 && (option[n] == 0 || option[n] == '='))
            return option[n] == '=' ? option + n + 1 : "";
    }
    return NULL;
}

/* ---- The environment ---- */

/* A flag of the environment: its number, or 1 for other text; never less than what is set already. */
static void env_flag(int *flag, const char *name)
{
    const char *text = config_getenv(name);
    if (text == NULL)
        return;
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != 0 || value < 0 || value > INT_MAX)
        value = 1;
    if (value > *flag)
        *flag = (int)value;
}

static int gil_setting(const char *text, const char *what)
{
    if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0) {
        int enabled = text[0] == '1';
#ifndef Py_GIL_DISABLED
        if (!enabled) {
            char message[128];
            snprintf(message, sizeof(message), "Disabling the GIL is not supported by this build");
            config_fatal("config_read_gil", message);
        }
#endif
        return enabled;
    }
    char message[128];
    snprintf(message, sizeof(message), "%s must be \"0\" or \"1\"", what);
    config_fatal("config_read_gil", message);
}

static void read_gil(void)
{
    const char *option = config_xoption("gil");
    if (option != NULL) {
        CONFIG->gil = gil_setting(option, "PYTHON_GIL / -X gil");
        return;
    }
    const char *text = config_getenv("PYTHON_GIL");
    if (text == NULL)
        text = config_getenv("PYTHONGIL");
    if (text != NULL)
        CONFIG->gil = gil_setting(text, "PYTHON_GIL / -X gil");
}

static void read_hash_seed(void)
{
    const char *text = config_getenv("PYTHONHASHSEED");
    if (startup.randomize_hash || text == NULL || strcmp(text, "random") == 0)
        return;
    char *end;
    errno = 0;
    unsigned long seed = strtoul(text, &end, 10);
    if (*end != 0 || seed > 4294967295UL || errno == ERANGE)
        config_fatal("config_init_hash_seed", "PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]");
    CONFIG->use_hash_seed = 1;
    CONFIG->hash_seed = seed;
}

static void read_utf8_mode(void)
{
    const char *option = config_xoption("utf8"), *env = config_getenv("PYTHONUTF8");
    if (option != NULL) {
        if (strcmp(option, "0") != 0 && strcmp(option, "1") != 0 && *option)
            config_fatal("preconfig_init_utf8_mode", "invalid -X utf8 option value");
        CONFIG->utf8_mode = strcmp(option, "0") != 0;
    }
    else if (env != NULL) {
        if (strcmp(env, "0") != 0 && strcmp(env, "1") != 0)
            config_fatal("preconfig_init_utf8_mode", "invalid PYTHONUTF8 environment variable value");
        CONFIG->utf8_mode = *env == '1';
    }
}

static void read_int_max_str_digits(void)
{
    const char *option = config_xoption("int_max_str_digits"), *text = option;
    if (text == NULL)
        text = config_getenv("PYTHONINTMAXSTRDIGITS");
    if (text == NULL)
        return;
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < 0 || value > INT_MAX || (value != 0 && value < 640))
        config_fatal("config_init_int_max_str_digits",
                     option != NULL ? "-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited."
                                    : "PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.");
    CONFIG->int_max_str_digits = (int)value;
}

static void read_deadlock(void)
{
    static const char *const names[] = {"off", "report", "raise"};
    const char *option = config_xoption("deadlock"), *text = option != NULL ? option : config_getenv("PYTHONDEADLOCK");
    if (text == NULL)
        return;
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0 || (*text == 0 && i == DEADLOCK_REPORT)) {
            deadlock_configure(i);
            return;
        }
    }
    config_fatal("config_read_deadlock", option != NULL ? "-X deadlock must be \"off\", \"report\" or \"raise\""
                                                        : "PYTHONDEADLOCK must be \"off\", \"report\" or \"raise\"");
}

static void check_frozen_modules(void)
{
    const char *option = config_xoption("frozen_modules");
    if (option != NULL && *option != 0 && strcmp(option, "on") != 0 && strcmp(option, "off") != 0)
        config_fatal("config_init_import", "bad value for option -X frozen_modules (expected \"on\" or \"off\")");
}

static void read_tracemalloc(void)
{
    const char *option = config_xoption("tracemalloc"), *text = option;
    if (text == NULL)
        text = config_getenv("PYTHONTRACEMALLOC");
    if (text == NULL)
        return;
    char *end;
    long value = *text ? strtol(text, &end, 10) : (end = (char *)text, 1);
    if (*end != 0 || value < 0 || value > INT_MAX)
        config_fatal("config_init_tracemalloc", option != NULL ? "-X tracemalloc=NFRAME: invalid number of frames"
                                                               : "PYTHONTRACEMALLOC: invalid number of frames");
    CONFIG->tracemalloc = (int)value;
}

static void read_stdio_encoding(void)
{
    const char *text = config_getenv("PYTHONIOENCODING");
    if (text == NULL)
        return;
    char *copy = strdup(text), *colon = copy != NULL ? strchr(copy, ':') : NULL;
    if (copy == NULL)
        return;
    if (colon != NULL) {
        *colon = 0;
        if (colon[1])
            startup.stdio_errors = colon + 1;
    }
    if (*copy)
        startup.stdio_encoding = copy;
    if (startup.stdio_errors == NULL && *copy)
        startup.stdio_errors = "strict";
}

/* "a,b" of PYTHONWARNINGS come before the options -W. */
static void read_warnings(void)
{
    string_list_t options = startup.warnoptions;
    startup.warnoptions = (string_list_t){NULL, 0, 0};
    if (CONFIG->dev_mode)
        string_list_add(&startup.warnoptions, "default");
    const char *text = config_getenv("PYTHONWARNINGS");
    if (text != NULL) {
        char *copy = strdup(text), *save = NULL;
        for (char *one = copy != NULL ? strtok_r(copy, ",", &save) : NULL; one != NULL; one = strtok_r(NULL, ",", &save))
            string_list_add(&startup.warnoptions, one);
        free(copy);
    }
    for (int i = 0; i < options.count; i++)
        string_list_add(&startup.warnoptions, options.items[i]);
    if (CONFIG->bytes_warning)
        string_list_add(&startup.warnoptions, CONFIG->bytes_warning > 1 ? "error::BytesWarning" : "default::BytesWarning");
}

/* After the options are known: everything the environment and -X add. */
static void read_environment(void)
{
    int no_write = 0, no_user_site = 0, unbuffered = 0, bare = 0;
    env_flag(&Py_DebugFlag, "PYTHONDEBUG");
    env_flag(&CONFIG->verbose, "PYTHONVERBOSE");
    env_flag(&CONFIG->optimization_level, "PYTHONOPTIMIZE");
    env_flag(&CONFIG->inspect, "PYTHONINSPECT");
    env_flag(&no_write, "PYTHONDONTWRITEBYTECODE");
    env_flag(&no_user_site, "PYTHONNOUSERSITE");
    env_flag(&unbuffered, "PYTHONUNBUFFERED");
    env_flag(&CONFIG->safe_path, "PYTHONSAFEPATH");
    env_flag(&CONFIG->dev_mode, "PYTHONDEVMODE");
    env_flag(&CONFIG->faulthandler, "PYTHONFAULTHANDLER");
    env_flag(&CONFIG->import_time, "PYTHONPROFILEIMPORTTIME");
    env_flag(&CONFIG->warn_default_encoding, "PYTHONWARNDEFAULTENCODING");
    env_flag(&bare, "PYTHONGCSTATS");
    CONFIG->gc_stats |= bare;
    if (no_write)
        CONFIG->write_bytecode = 0;
    if (no_user_site)
        CONFIG->user_site = 0;
    if (unbuffered)
        CONFIG->buffered_stdio = 0;
    if (config_xoption("dev") != NULL)
        CONFIG->dev_mode = 1;
    if (config_xoption("importtime") != NULL)
        CONFIG->import_time = 1;
    if (config_xoption("faulthandler") != NULL || CONFIG->dev_mode)
        CONFIG->faulthandler = 1;
    if (config_xoption("no_debug_ranges") != NULL || config_getenv("PYTHONNODEBUGRANGES") != NULL)
        compile_without_columns = 1;
    if (config_xoption("warn_default_encoding") != NULL)
        CONFIG->warn_default_encoding = 1;
    if (config_xoption("gcstats") != NULL)
        CONFIG->gc_stats = 1;
    startup.pycache_prefix = config_xoption("pycache_prefix");
    if (startup.pycache_prefix == NULL)
        startup.pycache_prefix = config_getenv("PYTHONPYCACHEPREFIX");
    else if (*startup.pycache_prefix == 0)
        startup.pycache_prefix = NULL;
    startup.python_path = config_getenv("PYTHONPATH");
    if (startup.home == NULL)
        startup.home = config_getenv("PYTHONHOME");
    read_gil();
    read_hash_seed();
    read_utf8_mode();
    read_int_max_str_digits();
    check_frozen_modules();
    read_tracemalloc();
    read_deadlock();
    read_stdio_encoding();
    read_warnings();
}

static void set_public_flags(void)
{
    Py_VerboseFlag = CONFIG->verbose;
    Py_QuietFlag = CONFIG->quiet;
    Py_InteractiveFlag = CONFIG->interactive;
    Py_InspectFlag = CONFIG->inspect;
    Py_OptimizeFlag = CONFIG->optimization_level;
    Py_NoSiteFlag = !CONFIG->site_import;
    Py_BytesWarningFlag = CONFIG->bytes_warning;
    Py_IgnoreEnvironmentFlag = !CONFIG->use_environment;
    Py_DontWriteBytecodeFlag = !CONFIG->write_bytecode;
    Py_NoUserSiteDirectory = !CONFIG->user_site;
    Py_UnbufferedStdioFlag = !CONFIG->buffered_stdio;
    Py_IsolatedFlag = CONFIG->isolated;
    Py_HashRandomizationFlag = !(CONFIG->use_hash_seed && CONFIG->hash_seed == 0);
    Py_UTF8Mode = CONFIG->utf8_mode;
    long_max_str_digits = CONFIG->int_max_str_digits >= 0 ? CONFIG->int_max_str_digits : 4300;
    unicode_checks_codec_names = CONFIG->dev_mode;
}

void config_init(int use_environment)
{
    CONFIG->use_environment = use_environment;
    CONFIG->write_bytecode = CONFIG->user_site = CONFIG->site_import = CONFIG->buffered_stdio = 1;
    CONFIG->install_signal_handlers = 1;
    CONFIG->int_max_str_digits = -1;            /* not said */
    CONFIG->gil = -1;
    if (use_environment) {
        read_environment();
        set_public_flags();
    }
}

/* ---- Options ---- */

static int usage_error(const char *program)
{
    fprintf(stderr, USAGE_LINE "Try `python -h' for more information.\n", program);
    return 2;
}

static int show_help(const char *program)
{
    printf(USAGE_LINE, program);
    fputs(HELP_OPTIONS, stdout);
    return 0;
}

static void show_version(int twice)
{
    if (twice > 1)
        printf("Python %s\n", Py_GetVersion());
    else
        printf("Python %s\n", PY_VERSION);
}

/* Effect of an option without an argument. Returns 0 if there is none of that name. */
static int plain_option(int c, int *versions, int *help)
{
    switch (c) {
    case 'b': CONFIG->bytes_warning++; break;
    case 'd': Py_DebugFlag++; break;
    case 'i': CONFIG->inspect++; CONFIG->interactive++; break;
    case 'E': CONFIG->use_environment = 0; break;
    case 'I':
        CONFIG->isolated++;
        CONFIG->use_environment = CONFIG->user_site = 0;
        CONFIG->safe_path = 1;
        break;
    case 'O': CONFIG->optimization_level++; break;
    case 'P': CONFIG->safe_path = 1; break;
    case 'B': CONFIG->write_bytecode = 0; break;
    case 's': CONFIG->user_site = 0; break;
    case 'S': CONFIG->site_import = 0; break;
    case 't': break;
    case 'u': CONFIG->buffered_stdio = 0; break;
    case 'v': CONFIG->verbose++; break;
    case 'x': startup.skip_first_line = 1; break;
    case 'h':
    case '?': *help = 1; break;
    case 'V': ++*versions; break;
    case 'q': CONFIG->quiet++; break;
    case 'R': startup.randomize_hash = 1; break;
    default: return 0;
    }
    return 1;
}

/* --name. Returns -1 to go on, or an exit status. */
static int long_option(char **argv, int argc, int *at, int *versions, int *help)
{
    const char *name = argv[*at] + 2;
    if (strcmp(name, "help") == 0)
        *help = 1;
    else if (strcmp(name, "version") == 0)
        *versions = 1;
    else if (strcmp(name, "help-env") == 0)
        *help = 2;
    else if (strcmp(name, "help-xoptions") == 0)
        *help = 3;
    else if (strcmp(name, "help-all") == 0)
        *help = 4;
    else if (strcmp(name, "check-hash-based-pycs") == 0) {
        if (*at + 1 >= argc) {
            fprintf(stderr, "Argument expected for the --%s option\n", name);
            return usage_error(argv[0]);
        }
        startup.check_hash_pycs = argv[++*at];
        if (strcmp(startup.check_hash_pycs, "always") != 0 && strcmp(startup.check_hash_pycs, "never") != 0
            && strcmp(startup.check_hash_pycs, "default") != 0) {
            fputs("--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n", stderr);
            return usage_error(argv[0]);
        }
    }
    else {
        fprintf(stderr, "unknown option --%s\n", name);
        return usage_error(argv[0]);
    }
    return -1;
}

/* A group -abc. Sets *done when the rest is the program's. Returns -1 to go on, or an exit status. */
static int short_options(char **argv, int argc, int *at, int *versions, int *help, int *done)
{
    for (const char *p = argv[*at] + 1; *p; p++) {
        if (strchr("cmWX", *p) != NULL) {
            int c = *p;
            const char *value = p[1] ? p + 1 : *at + 1 < argc ? argv[++*at] : NULL;
            if (value == NULL) {
                fprintf(stderr, "Argument expected for the -%c option\n", c);
                return usage_error(argv[0]);
            }
            if (c == 'W')
                string_list_add(&startup.warnoptions, value);
            else if (c == 'X')
                string_list_add(&startup.xoptions, value);
            else {
                if (c == 'm')
                    startup.module = value;
                else {
                    char *command = malloc(strlen(value) + 2);
                    if (command == NULL)
                        config_fatal("config", "memory allocation failed");
                    sprintf(command, "%s\n", value);
                    startup.command = command;
                }
                *done = 1;
            }
            return -1;
        }
        if (*p == 'J') {
            fputs("-J is reserved for Jython\n", stderr);
            return usage_error(argv[0]);
        }
        if (!plain_option(*p, versions, help)) {
            fprintf(stderr, "Unknown option: -%c\n", *p);
            return usage_error(argv[0]);
        }
    }
    return -1;
}

static const char *find_executable(void);

int config_from_command_line(int argc, char **argv)
{
    config_init(0);
    CONFIG->use_environment = 1;
    startup.orig_argc = argc;
    startup.orig_argv = argv;
    startup.program_name = argc > 0 && *argv[0] ? argv[0] : "python3";
    int at = 1, done = 0, versions = 0, help = 0;
    for (; at < argc && !done; at++) {
        const char *arg = argv[at];
        if (arg[0] != '-' || arg[1] == 0)
            break;
        if (strcmp(arg, "--") == 0) {
            at++;
            break;
        }
        int status = arg[1] == '-' ? long_option(argv, argc, &at, &versions, &help)
                                   : short_options(argv, argc, &at, &versions, &help, &done);
        if (status >= 0)
            return status;
    }
    if (help) {
        if (help == 1 || help == 4)
            show_help(startup.program_name);
        if (help == 2 || help == 4)
            fputs(HELP_ENVIRONMENT, stdout);
        if (help == 3 || help == 4)
            fputs(HELP_XOPTIONS, stdout);
        return 0;
    }
    if (versions) {
        show_version(versions);
        return 0;
    }
    if (startup.command != NULL)
        string_list_add(&startup.argv, "-c");
    else if (startup.module != NULL)
        string_list_add(&startup.argv, "-m");
    else if (at < argc) {
        if (strcmp(argv[at], "-") != 0)
            startup.filename = argv[at];
        string_list_add(&startup.argv, argv[at++]);
    }
    else
        string_list_add(&startup.argv, "");
    for (; at < argc; at++)
        string_list_add(&startup.argv, argv[at]);
    startup.executable = find_executable();
    config_read_path_file();
    read_environment();
    set_public_flags();
    config_find_paths();
    return -1;
}

/* ---- Paths ---- */

static const char *copy_path(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        config_fatal("config", "memory allocation failed");
    return copy;
}

static int is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static const char *find_executable(void)
{
    char path[PATH_MAX * 2], cwd[PATH_MAX];
    const char *name = startup.program_name, *search = getenv("PATH");
    if (name == NULL || *name == 0)
        return "";
    if (name[0] == '/')
        return name;
    if (strchr(name, '/') != NULL) {
        if (getcwd(cwd, sizeof(cwd)) == NULL)
            return name;
        snprintf(path, sizeof(path), "%s/%s", cwd, name[0] == '.' && name[1] == '/' ? name + 2 : name);
        return copy_path(path);
    }
    while (search != NULL && *search) {
        size_t n = strcspn(search, ":");
        snprintf(path, sizeof(path), "%.*s/%s", (int)n, search, name);
        if (n > 0 && is_program(path))
            return copy_path(path);
        search += n + (search[n] == ':');
    }
    return "";
}

static void choose_locale(void)
{
    const char *codeset;
    setlocale(LC_CTYPE, "");
    const char *current = setlocale(LC_CTYPE, NULL);
    if (current != NULL && (strcmp(current, "C") == 0 || strcmp(current, "POSIX") == 0)) {
        /* PEP 538: the C locale means nobody chose one. */
        const char *all = getenv("LC_ALL"), *coerce = config_getenv("PYTHONCOERCECLOCALE");
        if ((all == NULL || *all == 0) && (coerce == NULL || strcmp(coerce, "0") != 0)
            && setlocale(LC_CTYPE, "C.UTF-8") != NULL)
            setenv("LC_CTYPE", "C.UTF-8", 1);
        else if (config_xoption("utf8") == NULL && config_getenv("PYTHONUTF8") == NULL)
            CONFIG->utf8_mode = Py_UTF8Mode = 1;
    }
    codeset = nl_langinfo(CODESET);
    int is_utf8 = CONFIG->utf8_mode || codeset == NULL || *codeset == 0 || strcasecmp(codeset, "utf-8") == 0
                  || strcmp(codeset, "ANSI_X3.4-1968") == 0;
    startup.locale_encoding = is_utf8 ? "utf-8" : copy_path(codeset);
}

#define LIBRARY_TAIL "/lib/python3.11"

/* Where an installed directory is now, if the whole tree has been moved: beside the directory of the executable. NULL if
 * there is nothing. */
static const char *find_moved(const char *executable, const char *installed)
{
    char path[PATH_MAX + 1];
    size_t prefix = strlen(BRAID_PREFIX);
    const char *slash = strrchr(executable, '/');
    while (slash != NULL && slash > executable && slash[-1] != '/')
        slash--;
    if (slash == NULL || slash == executable || strncmp(installed, BRAID_PREFIX "/", prefix + 1) != 0)
        return NULL;
    int n = snprintf(path, sizeof(path), "%.*s%s", (int)(slash - executable), executable, installed + prefix + 1);
    return n < (int)sizeof(path) && access(path, X_OK) == 0 ? copy_path(path) : NULL;
}

/* The library of our own: that of the source tree for the interpreter in its build directory (and wherever nothing is
 * installed); else the installed one, near the executable or where it was meant to be. */
static void find_own_library(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    size_t build = strlen(BRAID_BUILD_DIR);
    path[length > 0 ? length : 0] = 0;
    int in_build_tree = length > (ssize_t)build && memcmp(path, BRAID_BUILD_DIR "/", build + 1) == 0;
    const char *moved = in_build_tree ? NULL : find_moved(path, BRAID_INSTALLED_LIB_DIR);
    if (moved != NULL) {
        startup.own_library = moved;
        startup.shared_modules = find_moved(path, BRAID_INSTALLED_DYNLOAD_DIR);
        if (startup.shared_modules == NULL)
            startup.shared_modules = BRAID_INSTALLED_DYNLOAD_DIR;
    }
    else if (!in_build_tree && access(BRAID_INSTALLED_LIB_DIR, X_OK) == 0) {
        startup.own_library = BRAID_INSTALLED_LIB_DIR;
        startup.shared_modules = BRAID_INSTALLED_DYNLOAD_DIR;
    }
    else {
        startup.own_library = BRAID_SOURCE_LIB_DIR;
        startup.shared_modules = BRAID_BUILD_DIR "/dynload";
    }
}

/* PREFIX of a library in PREFIX/lib/python3.11: sysconfig and site put paths together from it. */
static const char *library_prefix(const char *stdlib)
{
    char path[PATH_MAX];
    size_t length = strlen(stdlib), tail = strlen(LIBRARY_TAIL);
    if (length <= tail || length >= sizeof(path) || strcmp(stdlib + length - tail, LIBRARY_TAIL) != 0)
        return BRAID_PREFIX;
    memcpy(path, stdlib, length - tail);
    path[length - tail] = 0;
    return copy_path(path);
}

void config_find_paths(void)
{
    char path[PATH_MAX];
    choose_locale();
    if (startup.executable == NULL)
        startup.executable = find_executable();
    startup.stdlib = BRAID_STDLIB_DIR;
    startup.prefix = library_prefix(BRAID_STDLIB_DIR);
    find_own_library();
    if (startup.home != NULL) {
        startup.prefix = startup.home;
        snprintf(path, sizeof(path), "%.*s/lib/python3.11", (int)strcspn(startup.home, ":"), startup.home);
        startup.stdlib = copy_path(path);
    }
    if (startup.check_hash_pycs != NULL)
        runtime_interp.import_state = (void *)startup.check_hash_pycs;
}
