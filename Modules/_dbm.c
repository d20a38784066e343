/* The _dbm module: databases of the ndbm interface, as Berkeley DB has it. dbm_mapping.h has their type and says how they
 * are locked. */
#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <fcntl.h>

#define DB_DBM_HSEARCH 1        /* db.h declares the interface only if asked */
#include <db.h>

typedef DBM *store_t;
typedef datum item_t;

#define DBM_NAME "dbm"
#define DBM_LABEL "DBM"
#define DBM_KEYS "dbm mappings have bytes or string keys only"
#define DBM_VALUES "dbm mappings have bytes or string elements only"
#define DBM_DEFAULT "b''"
#define DBM_GIVES_DEFAULT 1

static PyObject *dbm_error_type; /* [const] after the first import */

/* ---- How the library does it; items are in memory of its own ---- */

static void store_close(store_t handle) { dbm_close(handle); }
static item_t store_fetch(store_t handle, item_t key) { return dbm_fetch(handle, key); }
static int store_contains(store_t handle, item_t key) { return dbm_fetch(handle, key).dptr != NULL; }
static int store_put(store_t handle, item_t key, item_t value) { return dbm_store(handle, key, value, DBM_REPLACE); }
static int store_delete(store_t handle, item_t key) { return dbm_delete(handle, key); }
static item_t store_first(store_t handle) { return dbm_firstkey(handle); }
static item_t store_next(store_t handle, item_t item) { return dbm_nextkey(handle); }
static void store_release(item_t *item) { }
static PyObject *default_value(void) { return PyBytes_FromStringAndSize(NULL, 0); }

static void store_put_failed(store_t handle, int error)
{
    dbm_clearerr(handle);
    PyErr_SetString(dbm_error_type, "cannot add item to database");
}

static void store_delete_failed(store_t handle, PyObject *key, int error)
{
    if (dbm_error(handle)) {
        dbm_clearerr(handle);
        PyErr_SetString(dbm_error_type, "cannot delete item from database");
    }
    else
        PyErr_SetObject(PyExc_KeyError, key);
}

#include "dbm_mapping.h"

static PyMethodDef database_methods[] = {
    DATABASE_METHODS,
    {NULL},
};

static PyType_Slot database_slots[] = {
    DATABASE_SLOTS,
    {Py_tp_methods, database_methods},
    {0, NULL},
};

static PyType_Spec database_spec = {
    .name = "_dbm.dbm",
    .basicsize = sizeof(database_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = database_slots,
};

static PyTypeObject *database_type;     /* [const] after the first import */

/* O_... for the flags of open(), or -1 with an exception. */
static int open_flags(const char *flags)
{
    if (strcmp(flags, "r") == 0)
        return O_RDONLY;
    if (strcmp(flags, "w") == 0)
        return O_RDWR;
    if (strcmp(flags, "rw") == 0 || strcmp(flags, "c") == 0)
        return O_RDWR | O_CREAT;
    if (strcmp(flags, "n") == 0)
        return O_RDWR | O_CREAT | O_TRUNC;
    PyErr_SetString(dbm_error_type, "arg 2 to open should be 'r', 'w', 'c', or 'n'");
    return -1;
}

static PyObject *open_database(PyObject *module, PyObject *args)
{
    const char *flags = "r";
    int mode = 0666, error;
    store_t handle = NULL;
    PyObject *path = parse_open(args, &flags, &mode);
    if (path == NULL)
        return NULL;
    int how = open_flags(flags);
    if (how >= 0) {
        WITHOUT_GIL(handle = dbm_open(PyBytes_AS_STRING(path), how, mode); error = errno);
        if (handle == NULL) {
            errno = error;
            PyErr_SetFromErrnoWithFilename(dbm_error_type, PyBytes_AS_STRING(path));
        }
    }
    Py_DECREF(path);
    return handle != NULL ? database_new(database_type, handle) : NULL;
}

static PyMethodDef dbm_methods[] = {
    {"open", open_database, METH_VARARGS,
     "open($module, filename, flags='r', mode=0o666, /)\n--\n\nOpen a database: 'r' to read, 'w' to read and write, 'c' to create it "
     "if it is\nmissing, 'n' to make it new. mode has the permission bits of a new file."},
    {NULL},
};

static int dbm_exec(PyObject *module)
{
    if (database_type == NULL)
        database_type = (PyTypeObject *)PyType_FromSpec(&database_spec);
    if (database_type == NULL || add_error(module) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "library", "Berkeley DB");
}

static PyModuleDef_Slot dbm_slots[] = {
    {Py_mod_exec, (void *)dbm_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef dbm_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_dbm",
    .m_doc = "Databases in files: see the module dbm.ndbm.",
    .m_methods = dbm_methods,
    .m_slots = dbm_slots,
};

PyMODINIT_FUNC PyInit__dbm(void)
{
    return PyModuleDef_Init(&dbm_module);
}
