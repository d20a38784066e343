/* Importing: what the files of import, sys and start-up share.
 *
 * import.c            sys.modules and the C API
 * import_level.c      the import statement: resolving names, finding and loading through importlib
 * import_builtin.c    the modules linked into the interpreter
 * import_dynamic.c    extension modules in shared objects
 * import_frozen.c     frozen modules
 * import_frozen_file.c    those of the library, compiled when the interpreter was built
 * import_bootstrap.c  bringing importlib up
 * imp_module.c        the module _imp */
#ifndef BRAID_IMPORT_H
#define BRAID_IMPORT_H

#include "Python.h"
#include "interpreter.h"

#define IMPORT_CACHE_TAG "braid-311"
#define IMPORT_EXTENSION_SUFFIX ".braid-311-x86_64-linux-gnu.so"

/* The mark of our bytecode files: bytes 2 and 3 are CR LF. It follows the table of instructions. */
uint32_t import_magic_number(void);

/* ---- Modules linked in ---- */

int import_is_builtin(const char *name);
/* Makes the module `name` for spec. New reference; NULL without exception: there is no such module. */
PyObject *import_create_builtin(const char *name, PyObject *spec);
/* Makes, registers and executes a module before importlib is there. New reference. */
PyObject *import_early_builtin(const char *name);
/* New tuple, sorted. */
PyObject *import_builtin_names(void);

/* ---- Extension modules ---- */

/* Loads the shared object of spec and makes its module. New reference. */
PyObject *import_create_dynamic(PyObject *spec);
/* Takes what an init function returned: a definition (multi-phase) or a module (single-phase, which is registered).
 * Steals result; key is (name, path) of the module.  New reference. */
PyObject *import_finish_init(PyObject *result, PyObject *(*init)(void), PyObject *spec, PyObject *name, PyObject *path);
/* A single-phase module that was loaded before under the same name and path, made again. New reference; NULL, maybe without exception. */
PyObject *import_find_extension(PyObject *name, PyObject *path);

/* ---- Frozen modules ---- */

typedef enum { FROZEN_OKAY, FROZEN_NOT_FOUND, FROZEN_DISABLED, FROZEN_EXCLUDED, FROZEN_INVALID } frozen_status_t;

typedef struct {
    const char *origname;               /* or NULL */
    int is_package;
    const struct _frozen *foreign;      /* in PyImport_FrozenModules, or NULL and */
    const char *code;                   /* marshalled, in the file of library modules, or NULL and */
    uint32_t code_size;
    int own;                            /* an index */
} frozen_module_t;

frozen_status_t import_frozen_find(const char *name, frozen_module_t *m);
/* The marshalled code of what was found: new bytes. */
PyObject *import_frozen_data(const frozen_module_t *m);
/* Its code: new reference; name is for messages. */
PyObject *import_frozen_load(const frozen_module_t *m, PyObject *name);
/* The code in marshalled data: new reference; NULL with ImportError or TypeError, which name the module. */
PyObject *import_frozen_code(PyObject *name, const char *data, Py_ssize_t size);
/* ImportError for a status; always NULL. */
PyObject *import_frozen_error(frozen_status_t status, PyObject *name);
/* New list of str. */
PyObject *import_frozen_names(void);
void import_frozen_override(int value);

/* Maps the file of library modules, if it is there and fits. Before there are threads. */
void import_frozen_file_open(const char *path);
int import_frozen_file_count(void);
const char *import_frozen_file_name(int i);
/* 1 with *m filled, or 0: the file has no such module, or its source has changed. */
int import_frozen_file_find(const char *name, frozen_module_t *m);

/* Reads what PyMarshal_WriteObjectToString wrote when this interpreter was built; code in it is not checked (marshal.c). */
PyObject *marshal_read_trusted(const char *data, size_t size);

/* ---- importlib ---- */

/* A whole file. New bytes, or NULL with OSError. */
PyObject *import_read_file(const char *path);

/* Runs importlib._bootstrap and installs it with sys and _imp. / The same for _bootstrap_external. 0 or -1. */
int import_bootstrap(void);
int import_bootstrap_external(void);
/* Puts zipimport.zipimporter first on sys.path_hooks. 0 or -1. */
int import_install_zipimport(void);

/* Removes the frames of importlib from the traceback of the exception that is set. */
void import_trim_traceback(void);

PyMODINIT_FUNC PyInit__imp(void);

/* Around fork, in the parent and in the child: the forking thread holds the import lock (imp_module.c). */
void import_lock_before_fork(void);
void import_lock_after_fork(void);

#endif /* BRAID_IMPORT_H */
