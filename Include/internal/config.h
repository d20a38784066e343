/* What the command line and the environment ask for, beyond interpreter_config: strings and lists.
 * Filled by command_line.c before the interpreter exists; [const] afterwards. Strings live as long as the process. */
#ifndef BRAID_CONFIG_H
#define BRAID_CONFIG_H

#include "Python.h"
#include "interpreter.h"

typedef struct {
    char **items;
    int count, capacity;
} string_list_t;

void string_list_add(string_list_t *list, const char *text);

struct startup_config {
    int orig_argc;
    char **orig_argv;
    string_list_t argv;             /* sys.argv */
    const char *command;            /* -c: with a newline at the end */
    const char *module;             /* -m */
    const char *filename;           /* the script, or NULL: standard input */
    int skip_first_line;            /* -x */
    int randomize_hash;             /* -R */
    string_list_t xoptions;         /* "name" or "name=value" */
    string_list_t warnoptions;
    const char *pycache_prefix;     /* or NULL */
    const char *check_hash_pycs;    /* -,-check-hash-based-pycs */
    const char *home;               /* PYTHONHOME or Py_SetPythonHome */
    const char *python_path;        /* PYTHONPATH */
    const char *program_name;
    const char *executable;         /* absolute, or "" */
    const char *prefix;
    const char *stdlib;             /* the directory of the pure-Python library */
    const char *own_library;        /* the directory of our own modules in Python */
    const char *shared_modules;     /* the directory of our own modules that are shared objects */
    int has_path_file;              /* there is an EXECUTABLE._pth: sys.path is path_lines */
    string_list_t path_lines;
    const char *stdio_encoding, *stdio_errors;  /* PYTHONIOENCODING; NULL: by locale */
    const char *locale_encoding;    /* of LC_CTYPE: "utf-8", ... */
    const char *invocation_error;   /* not used by Python code */
};
extern struct startup_config startup;

static inline const char *config_stdlib(void) { return startup.stdlib; }

/* Defaults, and what the environment says. Called by config_from_command_line, or by Py_Initialize of an embedding program. */
void config_init(int use_environment);
/* Reads the command line.  Returns -1 to go on, or the exit status after --version, a mistake, ... */
int config_from_command_line(int argc, char **argv);
/* Reads EXECUTABLE._pth if there is one (path_file.c). */
void config_read_path_file(void);
/* Finds the executable, the prefix and the library; chooses the locale's encoding. */
void config_find_paths(void);
/* The value of the -X option, "" if it has none, NULL if it was not given. The last one counts. */
const char *config_xoption(const char *name);
/* An environment variable that is not empty, unless -E or -I. */
const char *config_getenv(const char *name);

/* Reports "Fatal Python error: <function>: <message>" and ends the process with status 1. */
void config_fatal(const char *function, const char *message) __attribute__((noreturn));

#endif /* BRAID_CONFIG_H */
