/* Database handles: opening, sharing, locking and closing them. */
#include "sqlite_internal.h"

#include "wait_circle.h"

const char *const isolation_levels[] = {"", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", NULL};
const char *const begin_statements[] = {"BEGIN ", "BEGIN DEFERRED", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"};

static void close_handle(database_t *d);

/* ---- Locking ---- */

/* Threads that have one database, because they are in a callback of it, and wait for another. */
WAIT_CIRCLE(waits)
static _Thread_local int held;      /* [owner] databases that the thread has locked */

static int is_mine(database_t *d)
{
    /* Only this thread can have stored its own identifier. */
    return __atomic_load_n(&d->lock.owner, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

static void lock_first(database_t *d)
{
    PyMutex_Lock(&d->lock.mutex);
    __atomic_store_n(&d->lock.owner, PyThread_get_thread_ident(), __ATOMIC_RELAXED);
    held++;
}

void database_lock(database_t *d)
{
    if (!is_mine(d))
        lock_first(d);
    d->lock.depth++;
}

int database_lock_or_raise(database_t *d)
{
    if (held == 0 || is_mine(d)) {
        database_lock(d);
        return 0;
    }
    struct circle_note note;
    if (!wait_circle_enter(&waits, &note, &d->lock.owner)) {
        error_set(E_OperationalError, "the database is in use by a thread that waits for this one");
        return -1;
    }
    database_lock(d);
    wait_circle_leave(&waits, &note);
    return 0;
}

void database_unlock(database_t *d)
{
    if (d->lock.depth == 1 && d->closed && d->db != NULL && d->pins == 0)
        close_handle(d);
    if (--d->lock.depth > 0)
        return;
    held--;
    __atomic_store_n(&d->lock.owner, 0, __ATOMIC_RELAXED);
    PyMutex_Unlock(&d->lock.mutex);
}

/* ---- Closing ---- */

/* Caller holds the lock, or is the only one who knows the database. What the library destroys may run Python
 * code. */
static void close_handle(database_t *d)
{
    while (d->blobs != NULL)
        blob_close_locked(d->blobs);
    while (d->statements != NULL)
        statement_finalize_locked(d->statements);
    sqlite3 *db = d->db;
    PyMutex_Lock(&d->handle_mutex);
    d->db = NULL;
    PyMutex_Unlock(&d->handle_mutex);
    Py_BEGIN_ALLOW_THREADS;
    (void)sqlite3_close_v2(db);
    Py_END_ALLOW_THREADS;
}

void database_close_locked(database_t *d)
{
    d->closed = 1;
    database_clear_cache(d);
}

void database_clear_cache(database_t *d)
{
    database_lock(d);
    PyObject *cache = d->cache;
    for (statement_t *s = d->newest; s != NULL; s = s->older)
        s->sql = NULL;
    d->cache = NULL;
    d->newest = d->oldest = NULL;
    database_unlock(d);
    Py_XDECREF(cache);
}

database_t *database_incref(database_t *d)
{
    __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
    return d;
}

void database_decref(database_t *d)
{
    if (d == NULL || __atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    if (d->db != NULL)
        close_handle(d);
    PyMem_Free(d);
}

/* ---- Opening ---- */

database_t *database_open(const char *name, int uri, double timeout)
{
    database_t *d = PyMem_Calloc(1, sizeof(*d));
    int rc, flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX |
                    (uri ? SQLITE_OPEN_URI : 0);
    if (d == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    d->refs = 1;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_open_v2(name, &d->db, flags, NULL);
    if (rc == SQLITE_OK)
        (void)sqlite3_busy_timeout(d->db, (int)(timeout * 1000));
    Py_END_ALLOW_THREADS;
    if (rc == SQLITE_OK)
        return d;
    if (d->db != NULL)
        error_raise(d->db);
    else
        PyErr_NoMemory();
    database_decref(d);
    return NULL;
}

int database_execute_locked(database_t *d, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int rc;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_prepare_v2(d->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_step(st);
        rc = sqlite3_finalize(st);
    }
    Py_END_ALLOW_THREADS;
    return rc == SQLITE_OK ? 0 : error_raise(d->db);
}

/* ---- Fields that Python sees ---- */

void field_set_steal(PyObject *owner, PyObject **field, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(owner);
    old = *field;
    __atomic_store_n(field, value, __ATOMIC_RELEASE);       /* read by who has not the owner's lock, too */
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

PyObject *field_get(PyObject *owner, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(owner);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}
