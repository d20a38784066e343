/* What _dbm and _gdbm share: the type of their databases, which is a mapping from bytes to bytes. A str stands for its UTF-8.
 *
 * The file that includes this names the library and says how it does things, before it does:
 *     store_t              the library's handle, a pointer
 *     item_t               the library's datum: dptr, dsize; dptr NULL: there is none
 *     DBM_NAME             "dbm" or "gdbm", DBM_LABEL: the same in capitals
 *     DBM_KEYS, DBM_VALUES the messages about keys and values of other types
 *     default_value        what setdefault stores if it is not told, a function; new reference; DBM_DEFAULT: its text;
 *     DBM_GIVES_DEFAULT    1: setdefault returns the default as it is, 0: as bytes
 *     dbm_error_type       the module's exception, declared as a static PyObject *; filled in here
 *     store_close, store_fetch, store_contains, store_put, store_delete, store_first, store_next: called detached
 *     store_put_failed, store_delete_failed: set the exception, given the errno that the library left
 *     store_release        gives an item back that store_fetch, store_first or store_next returned; store_next takes its own
 *
 * Locks: the libraries know nothing of threads, and what they hand out is good until the next call. The database's mutex is
 * held around each use of the handle and until what came back is copied; nothing runs Python code meanwhile. The library
 * reads and writes files, so the thread is detached while it works. */
#ifndef BRAID_DBM_MAPPING_H
#define BRAID_DBM_MAPPING_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <errno.h>
#include <limits.h>

typedef struct {
    PyObject_HEAD
    PyMutex mutex;
    store_t store;              /* [mutex] NULL: closed */
    Py_ssize_t count;           /* [mutex] of the items, -1: not counted yet */
} database_t;

#define WITHOUT_GIL(statement) \
    do { \
        Py_BEGIN_ALLOW_THREADS \
        statement; \
        Py_END_ALLOW_THREADS \
    } while (0)

/* Locks an open database: 0, or -1 with an exception and not locked. */
static int database_enter(database_t *self)
{
    PyMutex_Lock(&self->mutex);
    if (self->store != NULL)
        return 0;
    PyMutex_Unlock(&self->mutex);
    PyErr_SetString(dbm_error_type, DBM_LABEL " object has already been closed");
    return -1;
}

static void database_leave(database_t *self) { PyMutex_Unlock(&self->mutex); }

/* ---- Keys and values ---- */

typedef struct {
    item_t item;
    Py_buffer buffer;           /* that item points into; obj NULL for a str */
    PyObject *text;             /* that item points into, or NULL; counted */
} bound_t;

static void bound_release(bound_t *bound)
{
    Py_CLEAR(bound->text);
    if (bound->buffer.obj != NULL)
        PyBuffer_Release(&bound->buffer);
}

/* 0, or -1 with an exception: message, or the one for what is no bytes-like object if that is NULL. Escapes: a class may
 * have a buffer of its own. */
static int bind(PyObject *object, const char *message, bound_t *bound)
{
    Py_ssize_t size;
    memset(bound, 0, sizeof *bound);
    if (PyUnicode_Check(object)) {
        const char *text = PyUnicode_AsUTF8AndSize(object, &size);
        if (text == NULL)
            return -1;
        bound->text = Py_NewRef(object);
        bound->item.dptr = (char *)text;
    }
    else {
        if (message != NULL && !PyObject_CheckBuffer(object)) {
            PyErr_SetString(PyExc_TypeError, message);
            return -1;
        }
        if (PyObject_GetBuffer(object, &bound->buffer, PyBUF_SIMPLE) < 0)
            return -1;
        bound->item.dptr = bound->buffer.buf;
        size = bound->buffer.len;
    }
    if (size > INT_MAX) {
        bound_release(bound);
        PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
        return -1;
    }
    bound->item.dsize = (int)size;
    return 0;
}

static PyObject *bytes_of(const item_t *item) { return PyBytes_FromStringAndSize(item->dptr, (Py_ssize_t)item->dsize); }

/* ---- One item ---- */

/* The value as new bytes; NULL without an exception: there is none. The database is locked. */
static PyObject *fetch_locked(database_t *self, item_t key)
{
    item_t value;
    PyObject *result = NULL;
    WITHOUT_GIL(value = store_fetch(self->store, key));
    if (value.dptr != NULL) {
        result = bytes_of(&value);
        store_release(&value);
    }
    return result;
}

/* The database is locked. */
static int put_locked(database_t *self, item_t key, item_t value)
{
    int rc, error;
    self->count = -1;
    WITHOUT_GIL(errno = 0; rc = store_put(self->store, key, value); error = errno);
    if (rc >= 0)
        return 0;
    store_put_failed(self->store, error);
    return -1;
}

/* The value for a key as new bytes, or NULL without an exception. */
static PyObject *look_up(database_t *self, PyObject *name)
{
    bound_t key;
    PyObject *value = NULL;
    if (bind(name, NULL, &key) < 0)
        return NULL;
    if (database_enter(self) == 0) {
        value = fetch_locked(self, key.item);
        database_leave(self);
    }
    bound_release(&key);
    return value;
}

static PyObject *database_subscript(PyObject *op, PyObject *name)
{
    PyObject *value = look_up((database_t *)op, name);
    if (value == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, name);
    return value;
}

static int delete_item(database_t *self, PyObject *name)
{
    bound_t key;
    int rc = -1, error;
    if (bind(name, DBM_KEYS, &key) < 0)
        return -1;
    if (database_enter(self) == 0) {
        self->count = -1;
        WITHOUT_GIL(errno = 0; rc = store_delete(self->store, key.item); error = errno);
        if (rc < 0)
            store_delete_failed(self->store, name, error);
        database_leave(self);
    }
    bound_release(&key);
    return rc < 0 ? -1 : 0;
}

static int database_ass_subscript(PyObject *op, PyObject *name, PyObject *object)
{
    database_t *self = (database_t *)op;
    bound_t key, value;
    int rc = -1;
    if (object == NULL)
        return delete_item(self, name);
    if (bind(name, DBM_KEYS, &key) < 0)
        return -1;
    if (bind(object, DBM_VALUES, &value) == 0) {
        if (database_enter(self) == 0) {
            rc = put_locked(self, key.item, value.item);
            database_leave(self);
        }
        bound_release(&value);
    }
    bound_release(&key);
    return rc;
}

static int database_contains(PyObject *op, PyObject *name)
{
    database_t *self = (database_t *)op;
    bound_t key;
    int found = -1;
    if (!PyUnicode_Check(name) && !PyBytes_Check(name)) {
        PyErr_Format(PyExc_TypeError, DBM_NAME " key must be bytes or string, not %.100s", Py_TYPE(name)->tp_name);
        return -1;
    }
    if (bind(name, NULL, &key) < 0)
        return -1;
    if (database_enter(self) == 0) {
        WITHOUT_GIL(found = store_contains(self->store, key.item));
        database_leave(self);
    }
    bound_release(&key);
    return found;
}

/* 0, or -1 with TypeError: name takes a key and maybe a default. */
static int check_count(const char *name, Py_ssize_t nargs)
{
    if (nargs >= 1 && nargs <= 2)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s expected at %s argument%s, got %zd", name, nargs < 1 ? "least 1" : "most 2",
                 nargs < 1 ? "" : "s", nargs);
    return -1;
}

static PyObject *database_get(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (check_count("get", nargs) < 0)
        return NULL;
    PyObject *value = look_up((database_t *)op, args[0]);
    if (value == NULL && !PyErr_Occurred())
        value = Py_NewRef(nargs > 1 ? args[1] : Py_None);
    return value;
}

/* In one step under the lock: of two threads that store a default, one finds the other's. A default of a wrong type is an
 * error only where it is needed. */
static PyObject *database_setdefault(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    database_t *self = (database_t *)op;
    bound_t key, value;
    PyObject *result = NULL, *fallback;
    if (check_count("setdefault", nargs) < 0)
        return NULL;
    result = look_up(self, args[0]);
    if (result != NULL || PyErr_Occurred())
        return result;
    fallback = nargs > 1 ? Py_NewRef(args[1]) : default_value();
    if (fallback == NULL || bind(fallback, DBM_VALUES, &value) < 0)
        goto done;
    if (bind(args[0], NULL, &key) == 0) {
        if (database_enter(self) == 0) {
            result = fetch_locked(self, key.item);
            if (result == NULL && !PyErr_Occurred() && put_locked(self, key.item, value.item) == 0)
                result = DBM_GIVES_DEFAULT ? Py_NewRef(fallback) : bytes_of(&value.item);
            database_leave(self);
        }
        bound_release(&key);
    }
    bound_release(&value);
done:
    Py_XDECREF(fallback);
    return result;
}

/* ---- All items ---- */

static PyObject *database_keys(PyObject *op, PyObject *unused)
{
    database_t *self = (database_t *)op;
    PyObject *keys = PyList_New(0);
    if (keys == NULL || database_enter(self) < 0) {
        Py_XDECREF(keys);
        return NULL;
    }
    item_t item;
    WITHOUT_GIL(item = store_first(self->store));
    while (item.dptr != NULL) {
        PyObject *key = bytes_of(&item);
        if (key == NULL || PyList_Append(keys, key) < 0)
            Py_CLEAR(keys);
        Py_XDECREF(key);
        if (keys == NULL) {
            store_release(&item);
            break;
        }
        WITHOUT_GIL(item = store_next(self->store, item));
    }
    database_leave(self);
    return keys;
}

static Py_ssize_t count_locked(store_t store)
{
    Py_ssize_t count = 0;
    for (item_t item = store_first(store); item.dptr != NULL; item = store_next(store, item))
        count++;
    return count;
}

static Py_ssize_t database_length(PyObject *op)
{
    database_t *self = (database_t *)op;
    if (database_enter(self) < 0)
        return -1;
    if (self->count < 0)
        WITHOUT_GIL(self->count = count_locked(self->store));
    Py_ssize_t count = self->count;
    database_leave(self);
    return count;
}

/* ---- Open and closed ---- */

/* Takes the store; on failure it is closed. */
static PyObject *database_new(PyTypeObject *type, store_t store)
{
    database_t *self = PyObject_New(database_t, type);
    if (self == NULL) {
        store_close(store);
        return NULL;
    }
    self->mutex = (PyMutex){0};
    self->store = store;
    self->count = -1;
    return (PyObject *)self;
}

static PyObject *database_close(PyObject *op, PyObject *unused)
{
    database_t *self = (database_t *)op;
    PyMutex_Lock(&self->mutex);
    store_t store = self->store;
    self->store = NULL;
    if (store != NULL)
        WITHOUT_GIL(store_close(store));
    PyMutex_Unlock(&self->mutex);
    Py_RETURN_NONE;
}

static void database_dealloc(PyObject *op)
{
    database_t *self = (database_t *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->store != NULL)
        store_close(self->store);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyObject *database_enter_block(PyObject *op, PyObject *unused) { return Py_NewRef(op); }
static PyObject *database_exit_block(PyObject *op, PyObject *args) { return database_close(op, NULL); }

#define DATABASE_METHODS \
    {"close", database_close, METH_NOARGS, "close($self, /)\n--\n\nClose the database; closing it again does nothing."}, \
    {"keys", database_keys, METH_NOARGS, "keys($self, /)\n--\n\nA list of all keys, as bytes."}, \
    MODULE_METHOD("get", database_get, METH_FASTCALL, \
                  "get($self, key, default=None, /)\n--\n\nThe value of the key, or the default."), \
    MODULE_METHOD("setdefault", database_setdefault, METH_FASTCALL, \
                  "setdefault($self, key, default=" DBM_DEFAULT ", /)\n--\n\nThe value of the key, stored from the default if missing."), \
    {"__enter__", database_enter_block, METH_NOARGS, NULL}, \
    {"__exit__", database_exit_block, METH_VARARGS, NULL}

#define DATABASE_SLOTS \
    {Py_tp_dealloc, (void *)database_dealloc}, \
    {Py_mp_length, (void *)database_length}, \
    {Py_mp_subscript, (void *)database_subscript}, \
    {Py_mp_ass_subscript, (void *)database_ass_subscript}, \
    {Py_sq_contains, (void *)database_contains}

/* ---- The module ---- */

/* The exception, once for all instances of the module. */
static int add_error(PyObject *module)
{
    if (dbm_error_type == NULL) {
        dbm_error_type = PyErr_NewException("_" DBM_NAME ".error", PyExc_OSError, NULL);
        if (dbm_error_type == NULL)
            return -1;
    }
    return PyModule_AddObjectRef(module, "error", dbm_error_type);
}

/* The arguments of open(): new bytes with the path, or NULL with an exception. *flags is borrowed from the arguments. */
static PyObject *parse_open(PyObject *args, const char **flags, int *mode)
{
    PyObject *path, *encoded = NULL, *text = NULL, *number = NULL;
    Py_ssize_t length;
    if (!PyArg_UnpackTuple(args, "open", 1, 3, &path, &text, &number))
        return NULL;
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "open() argument 2 must be str, not %.50s",
                     text == Py_None ? "None" : Py_TYPE(text)->tp_name);
        return NULL;
    }
    if (text != NULL) {
        *flags = PyUnicode_AsUTF8AndSize(text, &length);
        if (*flags == NULL)
            return NULL;
        if (strlen(*flags) != (size_t)length) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return NULL;
        }
    }
    if (number != NULL) {
        *mode = _PyLong_AsInt(number);
        if (*mode == -1 && PyErr_Occurred())
            return NULL;
    }
    return PyUnicode_FSConverter(path, &encoded) ? encoded : NULL;
}

#endif /* BRAID_DBM_MAPPING_H */
