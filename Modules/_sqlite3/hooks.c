/* Callbacks about what the library does: the authorizer, the progress handler, the trace callback. */
#include "sqlite_internal.h"

/* ---- Calling ---- */

static int ask_authorizer(PyObject *callable, int action, const char *const *details)
{
    PyObject *answer =
        PyObject_CallFunction(callable, "izzzz", action, details[0], details[1], details[2], details[3]);
    int rc = SQLITE_DENY;
    if (answer != NULL && PyLong_Check(answer)) {
        rc = _PyLong_AsInt(answer);
        if (rc == -1 && PyErr_Occurred())
            rc = SQLITE_DENY;
    }
    callback_report(callable);
    Py_XDECREF(answer);
    return rc;
}

static int call_authorizer(void *callback, int action, const char *a, const char *b, const char *database,
                           const char *source)
{
    const char *const details[] = {a, b, database, source};
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = Py_NewRef(((callback_t *)callback)->callable);
    int rc = ask_authorizer(callable, action, details);
    Py_DECREF(callable);
    callback_leave(&frame);
    return rc;
}

static int call_progress(void *callback)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = Py_NewRef(((callback_t *)callback)->callable),
             *answer = PyObject_CallNoArgs(callable);
    int is_true = answer != NULL ? PyObject_IsTrue(answer) : -1;
    callback_report(callable);
    Py_XDECREF(answer);
    Py_DECREF(callable);
    callback_leave(&frame);
    return is_true; /* -1 interrupts too */
}

/* The statement with its parameters filled in, or sql itself if that is too long. */
static PyObject *trace_text(PyObject *callable, sqlite3_stmt *st, const char *sql)
{
    char *expanded = sqlite3_expanded_sql(st);
    if (expanded == NULL) {
        if (sqlite3_errcode(sqlite3_db_handle(st)) == SQLITE_NOMEM)
            PyErr_NoMemory();
        else
            error_set(E_DataError, "Expanded SQL string exceeds the maximum string length");
        callback_report(callable);
    }
    PyObject *text = PyUnicode_FromString(expanded != NULL ? expanded : sql);
    sqlite3_free(expanded);
    return text;
}

static int call_trace(unsigned event, void *callback, void *st, void *sql)
{
    callback_frame frame;
    if (event != SQLITE_TRACE_STMT)
        return 0;
    callback_enter(&frame);
    PyObject *callable = Py_NewRef(((callback_t *)callback)->callable), *text = trace_text(callable, st, sql),
             *answer = NULL;
    if (text != NULL)
        answer = PyObject_CallOneArg(callable, text);
    callback_report(callable);
    Py_XDECREF(text);
    Py_XDECREF(answer);
    Py_DECREF(callable);
    callback_leave(&frame);
    return 0;
}

/* ---- Setting ---- */

/* Tells the library about a callback (NULL: none). */
static int install(sqlite3 *db, int hook, callback_t *c, int n)
{
    switch (hook) {
    case HOOK_AUTHORIZER:
        return sqlite3_set_authorizer(db, c != NULL ? call_authorizer : NULL, c);
    case HOOK_PROGRESS:
        sqlite3_progress_handler(db, c != NULL ? n : 0, c != NULL ? call_progress : NULL, c);
        return SQLITE_OK;
    default:
        return sqlite3_trace_v2(db, c != NULL ? SQLITE_TRACE_STMT : 0, c != NULL ? call_trace : NULL, c);
    }
}

static PyObject *set_hook(PyObject *op, int hook, PyObject *callable, int n)
{
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    callback_t *c = NULL, *old = NULL;
    if (d == NULL)
        return NULL;
    int failed = callable != Py_None && (c = callback_new_locked(d, callable)) == NULL;
    if (!failed && install(d->db, hook, c, n) != SQLITE_OK) {
        error_set(E_OperationalError, "Error setting authorizer callback");
        old = c;
        failed = 1;
    } else if (!failed) {
        old = d->hooks[hook];
        d->hooks[hook] = c;
    }
    callback_free(old);
    connection_leave(d);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyObject *connection_set_authorizer(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"authorizer_callback", NULL};
    PyObject *callable;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:set_authorizer", keywords, &callable))
        return NULL;
    return set_hook(op, HOOK_AUTHORIZER, callable, 0);
}

PyObject *connection_set_progress_handler(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"progress_handler", "n", NULL};
    PyObject *callable;
    int n;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Oi:set_progress_handler", keywords, &callable, &n))
        return NULL;
    return set_hook(op, HOOK_PROGRESS, callable, n);
}

PyObject *connection_set_trace_callback(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"trace_callback", NULL};
    PyObject *callable;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:set_trace_callback", keywords, &callable))
        return NULL;
    return set_hook(op, HOOK_TRACE, callable, 0);
}
