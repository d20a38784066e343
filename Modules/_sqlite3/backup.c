/* Copies of whole databases: to another connection, to bytes, from bytes. */
#include "sqlite_internal.h"

/* ---- Backup ---- */

typedef struct {
    database_t *source, *target;
    sqlite3_backup *handle;
    const char *name;
    int pages, sleep_ms;
    PyObject *progress; /* or None */
} backup_t;

/* Both locks, always in the same order. */
static void lock_both(backup_t *b)
{
    database_lock(b->source < b->target ? b->source : b->target);
    database_lock(b->source < b->target ? b->target : b->source);
}

static void unlock_both(backup_t *b)
{
    database_unlock(b->source);
    database_unlock(b->target);
}

/* Is to be called with both locks, and leaves with both handles pinned. */
static int begin(backup_t *b)
{
    b->source->pins++;
    b->target->pins++;
    Py_BEGIN_ALLOW_THREADS;
    b->handle = sqlite3_backup_init(b->target->db, "main", b->source->db, b->name);
    Py_END_ALLOW_THREADS;
    return b->handle == NULL ? error_raise(b->target->db) : 0;
}

/* Copies some pages; the library's code. *left and *total are set. */
static int step(backup_t *b, int *left, int *total)
{
    int rc;
    lock_both(b);
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_backup_step(b->handle, b->pages);
    Py_END_ALLOW_THREADS;
    *left = sqlite3_backup_remaining(b->handle);
    *total = sqlite3_backup_pagecount(b->handle);
    unlock_both(b);
    return rc;
}

/* Copies all of it, without locks while the progress callback runs and while it sleeps. */
static int copy(backup_t *b)
{
    int rc, left, total;
    do {
        rc = step(b, &left, &total);
        if (b->progress != Py_None) {
            PyObject *answer = PyObject_CallFunction(b->progress, "iii", rc, left, total);
            if (answer == NULL)
                return -1;
            Py_DECREF(answer);
        }
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
            Py_BEGIN_ALLOW_THREADS;
            (void)sqlite3_sleep(b->sleep_ms);
            Py_END_ALLOW_THREADS;
            if (PyErr_CheckSignals() < 0)
                return -1;
        }
    } while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
    return 0;
}

/* Ends the backup and unpins the handles; -1 if that failed, or failed already. */
static int finish(backup_t *b, int failed)
{
    PyObject *raised = PyErr_GetRaisedException();
    int rc = SQLITE_OK;
    lock_both(b);
    if (b->handle != NULL) {
        Py_BEGIN_ALLOW_THREADS;
        rc = sqlite3_backup_finish(b->handle);
        Py_END_ALLOW_THREADS;
    }
    if (rc != SQLITE_OK && !failed)
        failed = error_raise(b->target->db);
    else
        PyErr_SetRaisedException(raised);
    raised = PyErr_GetRaisedException();
    b->source->pins--;
    b->target->pins--;
    unlock_both(b);
    PyErr_SetRaisedException(raised);
    return failed;
}

static PyObject *run_backup(backup_t *b)
{
    lock_both(b);
    int failed = begin(b);
    unlock_both(b);
    if (failed == 0)
        failed = copy(b);
    return finish(b, failed) < 0 ? NULL : Py_NewRef(Py_None);
}

/* A reference to the database of a connection that is fit for use. */
static database_t *get_database(PyObject *connection)
{
    database_t *d = connection_enter((connection_t *)connection, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    database_incref(d);
    connection_leave(d);
    return d;
}

PyObject *connection_backup(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"target", "pages", "progress", "name", "sleep", NULL};
    PyObject *target, *result = NULL;
    double sleep = 0.25;
    backup_t b = {.pages = -1, .progress = Py_None, .name = "main"};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$iOsd:backup", keywords, &target, &b.pages, &b.progress,
                                     &b.name, &sleep))
        return NULL;
    if (!PyObject_TypeCheck(target, &connection_type)) {
        PyErr_Format(PyExc_TypeError, "backup() argument 'target' must be sqlite3.Connection, not %.50s",
                     target == Py_None ? "None" : Py_TYPE(target)->tp_name);
        return NULL;
    }
    if (target == op) {
        PyErr_SetString(PyExc_ValueError, "target cannot be the same connection instance");
        return NULL;
    }
    if (b.progress != Py_None && !PyCallable_Check(b.progress)) {
        PyErr_SetString(PyExc_TypeError, "progress argument must be a callable");
        return NULL;
    }
    b.pages = b.pages == 0 ? -1 : b.pages;
    b.sleep_ms = (int)(sleep * 1000.0);
    if ((b.source = get_database(op)) == NULL)
        return NULL;
    if ((b.target = get_database(target)) != NULL)
        result = run_backup(&b);
    database_decref(b.source);
    database_decref(b.target);
    return result;
}

/* ---- Bytes ---- */

/* Caller holds the lock. */
static PyObject *serialize(database_t *d, const char *name)
{
    sqlite3_int64 n;
    unsigned char *data, *copy = NULL;
    data = sqlite3_serialize(d->db, name, &n, SQLITE_SERIALIZE_NOCOPY);
    if (data == NULL) {
        Py_BEGIN_ALLOW_THREADS;
        data = copy = sqlite3_serialize(d->db, name, &n, 0);
        Py_END_ALLOW_THREADS;
    }
    PyObject *result = NULL;
    if (data == NULL)
        PyErr_Format(sqlite_class[E_OperationalError], "unable to serialize '%s'", name);
    else
        result = PyBytes_FromStringAndSize((char *)data, (Py_ssize_t)n);
    sqlite3_free(copy);
    return result;
}

PyObject *connection_serialize(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", NULL};
    const char *name = "main";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$s:serialize", keywords, &name))
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    PyObject *result = serialize(d, name);
    connection_leave(d);
    return result;
}

/* Caller holds the lock. The library takes the copy, on failure too. */
static PyObject *deserialize(database_t *d, const char *name, const Py_buffer *view)
{
    unsigned flags = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE;
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)view->len);
    int rc;
    if (copy == NULL)
        return PyErr_NoMemory();
    memcpy(copy, view->buf, (size_t)view->len);
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_deserialize(d->db, name, copy, view->len, view->len, flags);
    Py_END_ALLOW_THREADS;
    if (rc == SQLITE_OK)
        Py_RETURN_NONE;
    error_raise(d->db);
    return NULL;
}

PyObject *connection_deserialize(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "name", NULL};
    PyObject *data, *result = NULL;
    Py_buffer view;
    const char *name = "main";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$s:deserialize", keywords, &data, &name))
        return NULL;
    /* A str counts as its UTF-8 form. */
    if (PyUnicode_Check(data)) {
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(data, &n);
        if (text == NULL || PyBuffer_FillInfo(&view, data, (void *)text, n, 1, PyBUF_SIMPLE) < 0)
            return NULL;
    } else if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d != NULL) {
        result = deserialize(d, name, &view);
        connection_leave(d);
    }
    PyBuffer_Release(&view);
    return result;
}
