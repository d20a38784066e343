/* The interpreter state: what there is once per process. One interpreter only; it lives in static memory.
 *
 * Fields are grouped by the component that owns them. References are counted and, unless marked [const] (set during start-up, before a second
 * thread), read and replaced through interpreter_get / interpreter_set. */
#ifndef BRAID_INTERPRETER_H
#define BRAID_INTERPRETER_H

#include "thread_state.h"

#define INTERPRETER_MODULES_BY_INDEX 64

/* What the command line and the environment decide; sys.flags and PyConfig are made from it. [const] */
struct interpreter_config {
    int isolated, use_environment, dev_mode, inspect, interactive, optimization_level, verbose, quiet, bytes_warning;
    int write_bytecode, user_site, site_import, safe_path, utf8_mode, warn_default_encoding, int_max_str_digits;
    int use_hash_seed, install_signal_handlers, buffered_stdio, faulthandler, tracemalloc, import_time;
    int gil;                            /* -1 not said, 0 PYTHONGIL=0, 1 PYTHONGIL=1 */
    int gc_stats;
    int dlopen_flags;                   /* [atomic] 0: RTLD_NOW */
    unsigned long hash_seed;
};

struct pending_call {
    int (*func)(void *);
    void *arg;
};

struct _is {
    int64_t id;
    int initialized;                    /* [atomic] start-up is over */
    int finalizing;                     /* [atomic] */
    PyThreadState *finalizing_thread;   /* [atomic] */
    PyThreadState *main_thread;         /* [atomic] runs signal handlers; changes at fork */

    /* threads (Python/runtime/thread_state.c) */
    PyThreadState *threads;             /* [thread_list_lock] newest first */
    int thread_count;                   /* [thread_list_lock; atomic read] */
    uint64_t next_thread_id;            /* [thread_list_lock] */
    int recursion_limit;                /* [atomic] for new threads; Py_SetRecursionLimit changes all */
    int64_t thread_module_count;        /* [atomic] _thread._count() */

    /* modules and import (Python/runtime/import*.c) */
    PyObject *modules;                  /* [const] sys.modules */
    PyObject *modules_by_index;         /* list of modules with a PyModuleDef index, or NULL */
    PyObject *sysdict;                  /* [const] */
    PyObject *builtins;                 /* [const] the dict of builtins */
    PyObject *builtins_copy;            /* [const] */
    PyObject *builtins_module;          /* [const] */
    PyObject *sys_module;               /* [const] */
    PyObject *importlib;                /* [const] importlib._bootstrap */
    PyObject *importlib_external;       /* [const] */
    PyObject *import_func;              /* [const] builtins.__import__ as made */
    PyObject *extensions;               /* dict (name, path) -> definitions of single-phase modules, or NULL */
    PyMutex import_mutex;

    /* codecs (Python/runtime/codecs.c) */
    PyObject *codec_search_path;        /* list */
    PyObject *codec_search_cache;       /* dict */
    PyObject *codec_error_registry;     /* dict */
    int codecs_initialized;             /* [atomic] */
    char *fs_encoding, *fs_errors;      /* [const] of the file system */

    /* warnings */
    PyObject *warnings_filters;
    PyObject *warnings_once_registry;
    PyObject *warnings_default_action;
    long warnings_filters_version;      /* [atomic] */
    PyObject *warnings_context;

    /* atexit */
    PyObject *atexit_callbacks;         /* list of (function, args, kwargs) */

    /* calls for the main thread (Python/runtime/pending.c) */
    struct {
        PyMutex mutex;
        struct pending_call calls[32];  /* [mutex] a ring */
        unsigned first, count;          /* [mutex] */
        int running;                    /* [main thread] */
    } pending;

    /* fork hooks (os.register_at_fork) */
    PyObject *before_forkers, *after_forkers_parent, *after_forkers_child;     /* lists, or NULL */

    /* audit hooks, sys.* */
    PyObject *audit_hooks;              /* list, or NULL */
    PyObject *dict;                     /* PyInterpreterState_GetDict */

    /* owned by the component named; opaque here */
    void *gc;                           /* Python/memory/collector.c */
    void *import_state, *sys_state, *warnings_state, *codecs_state, *atexit_state, *signal_state, *type_state, *ast_state;
    void *spare[8];

    struct interpreter_config config;
};

extern struct _is runtime_interp;

static inline PyInterpreterState *interpreter_get_main(void) { return &runtime_interp; }

/* The dict of builtins, borrowed from the interpreter. */
static inline PyObject *interpreter_builtins(void) { return runtime_interp.builtins; }

/* A reference of the state, or NULL: new reference, safe against interpreter_set. */
PyObject *interpreter_get(PyObject **field);
/* The same; made first if there is none: all threads get the same one. New reference, or NULL with make's exception. */
PyObject *interpreter_get_or_make(PyObject **field, PyObject *(*make)(void));
/* Replaces it; value is borrowed, may be NULL.  Escapes (drops the old one) */
void interpreter_set(PyObject **field, PyObject *value);

static inline int runtime_is_finalizing(void) { return __atomic_load_n(&runtime_interp.finalizing, __ATOMIC_ACQUIRE); }

#endif /* BRAID_INTERPRETER_H */
