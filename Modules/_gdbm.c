/* The _gdbm module: databases of GNU dbm. dbm_mapping.h has the most of their type and says how they are locked. */
#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <errno.h>
#include <gdbm.h>
#include <stdlib.h>

typedef GDBM_FILE store_t;
typedef datum item_t;

#define DBM_NAME "gdbm"
#define DBM_LABEL "GDBM"
#define DBM_KEYS "gdbm mappings have bytes or string indices only"
#define DBM_VALUES DBM_KEYS
#define DBM_DEFAULT "None"
#define DBM_GIVES_DEFAULT 0

static PyObject *dbm_error_type;        /* [const] after the first import */

/* ---- How the library does it; items are in memory of malloc() that we free ---- */

static void store_close(store_t handle) { gdbm_close(handle); }
static item_t store_fetch(store_t handle, item_t key) { return gdbm_fetch(handle, key); }
static int store_contains(store_t handle, item_t key) { return gdbm_exists(handle, key) != 0; }
static int store_put(store_t handle, item_t key, item_t value) { return gdbm_store(handle, key, value, GDBM_REPLACE); }
static int store_delete(store_t handle, item_t key) { return gdbm_delete(handle, key); }
static item_t store_first(store_t handle) { return gdbm_firstkey(handle); }
static void store_release(item_t *item) { free(item->dptr); }
static PyObject *default_value(void) { return Py_NewRef(Py_None); }

static item_t store_next(store_t handle, item_t item)
{
    item_t next = gdbm_nextkey(handle, item);
    free(item.dptr);
    return next;
}

/* The library's error: that of the system if it was one. */
static void set_error(gdbm_error code, int error)
{
    if (error != 0 && gdbm_check_syserr(code)) {
        errno = error;
        PyErr_SetFromErrno(dbm_error_type);
    }
    else
        PyErr_SetString(dbm_error_type, gdbm_strerror(code));
}

static void store_put_failed(store_t handle, int error) { set_error(gdbm_last_errno(handle), error); }

static void store_delete_failed(store_t handle, PyObject *key, int error)
{
    if (gdbm_last_errno(handle) == GDBM_ITEM_NOT_FOUND)
        PyErr_SetObject(PyExc_KeyError, key);
    else
        set_error(gdbm_last_errno(handle), error);
}

#include "dbm_mapping.h"

/* ---- What GNU dbm has beyond the common ---- */

/* New bytes of a key that the library returned, or None at the end. The database is locked. */
static PyObject *key_or_none(item_t *item)
{
    if (item->dptr == NULL)
        return Py_NewRef(Py_None);
    PyObject *key = bytes_of(item);
    store_release(item);
    return key;
}

static PyObject *database_firstkey(PyObject *op, PyObject *unused)
{
    database_t *self = (database_t *)op;
    item_t item;
    if (database_enter(self) < 0)
        return NULL;
    WITHOUT_GIL(item = gdbm_firstkey(self->store));
    PyObject *key = key_or_none(&item);
    database_leave(self);
    return key;
}

static PyObject *database_nextkey(PyObject *op, PyObject *name)
{
    database_t *self = (database_t *)op;
    bound_t bound;
    PyObject *key = NULL;
    if (bind(name, NULL, &bound) < 0)
        return NULL;
    if (database_enter(self) == 0) {
        item_t item;
        WITHOUT_GIL(item = gdbm_nextkey(self->store, bound.item));
        key = key_or_none(&item);
        database_leave(self);
    }
    bound_release(&bound);
    return key;
}

/* Runs something on the whole file that is 0 if it succeeds. */
static PyObject *run_on_file(database_t *self, int (*function)(GDBM_FILE))
{
    int rc, error;
    if (database_enter(self) < 0)
        return NULL;
    WITHOUT_GIL(errno = 0; rc = function(self->store); error = errno);
    if (rc < 0)
        set_error(gdbm_last_errno(self->store), error);
    database_leave(self);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *database_reorganize(PyObject *op, PyObject *unused) { return run_on_file((database_t *)op, gdbm_reorganize); }
static PyObject *database_sync(PyObject *op, PyObject *unused) { return run_on_file((database_t *)op, gdbm_sync); }

static PyMethodDef database_methods[] = {
    DATABASE_METHODS,
    {"firstkey", database_firstkey, METH_NOARGS,
     "firstkey($self, /)\n--\n\nThe first key in the order of the file, which is none that means anything, or None."},
    {"nextkey", database_nextkey, METH_O, "nextkey($self, key, /)\n--\n\nThe key that follows key in the order of the file, or None."},
    {"reorganize", database_reorganize, METH_NOARGS,
     "reorganize($self, /)\n--\n\nWrite the file anew, without the room that deleted items have left."},
    {"sync", database_sync, METH_NOARGS, "sync($self, /)\n--\n\nReturn when all changes are on the disk."},
    {NULL},
};

static PyType_Slot database_slots[] = {
    DATABASE_SLOTS,
    {Py_tp_methods, database_methods},
    {0, NULL},
};

static PyType_Spec database_spec = {
    .name = "_gdbm.gdbm",
    .basicsize = sizeof(database_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = database_slots,
};

static PyTypeObject *database_type;     /* [const] after the first import */

/* The library's flags for those of open(), or -1 with an exception. */
static int open_flags(const char *flags)
{
    int how;
    switch (flags[0]) {
    case 'r': how = GDBM_READER; break;
    case 'w': how = GDBM_WRITER; break;
    case 'c': how = GDBM_WRCREAT; break;
    case 'n': how = GDBM_NEWDB; break;
    default:
        PyErr_SetString(dbm_error_type, "First flag must be one of 'r', 'w', 'c' or 'n'");
        return -1;
    }
    for (const char *flag = flags + 1; *flag != '\0'; flag++) {
        if (*flag == 'f')
            how |= GDBM_FAST;
        else if (*flag == 's')
            how |= GDBM_SYNC;
        else if (*flag == 'u')
            how |= GDBM_NOLOCK;
        else {
            PyErr_Format(dbm_error_type, "Flag '%c' is not supported.", (unsigned char)*flag);
            return -1;
        }
    }
    return how;
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
        WITHOUT_GIL(errno = 0; handle = gdbm_open(PyBytes_AS_STRING(path), 0, how, mode, NULL); error = errno);
        if (handle == NULL && error != 0) {
            errno = error;
            PyErr_SetFromErrnoWithFilename(dbm_error_type, PyBytes_AS_STRING(path));
        }
        else if (handle == NULL)
            PyErr_SetString(dbm_error_type, gdbm_strerror(gdbm_errno));
    }
    Py_DECREF(path);
    return handle != NULL ? database_new(database_type, handle) : NULL;
}

static PyMethodDef gdbm_methods[] = {
    {"open", open_database, METH_VARARGS,
     "open($module, filename, flags='r', mode=0o666, /)\n--\n\nOpen a database: 'r' to read, 'w' to read and write, 'c' to create it "
     "if it is\nmissing, 'n' to make it new; after that, 'f' for writes that nobody waits for,\n's' for those that are on the disk at "
     "once, 'u' for no lock on the file. mode has\nthe permission bits of a new file."},
    {NULL},
};

static int gdbm_exec(PyObject *module)
{
    if (database_type == NULL)
        database_type = (PyTypeObject *)PyType_FromSpec(&database_spec);
    if (database_type == NULL || add_error(module) < 0)
        return -1;
    PyObject *version = Py_BuildValue("iii", GDBM_VERSION_MAJOR, GDBM_VERSION_MINOR, GDBM_VERSION_PATCH);
    if (PyModule_Add(module, "_GDBM_VERSION", version) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "open_flags", "rwcnfsu");
}

static PyModuleDef_Slot gdbm_slots[] = {
    {Py_mod_exec, (void *)gdbm_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef gdbm_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_gdbm",
    .m_doc = "Databases in files: see the module dbm.gnu.",
    .m_methods = gdbm_methods,
    .m_slots = gdbm_slots,
};

PyMODINIT_FUNC PyInit__gdbm(void)
{
    return PyModuleDef_Init(&gdbm_module);
}
