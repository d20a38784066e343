/* Connections: making and closing them, transactions, and the methods that make cursors. */
#include "sqlite_internal.h"

#define CONNECTION(op) ((connection_t *)(op))

/* ---- Entering and leaving methods ---- */

static database_t *get_database(connection_t *self)
{
    database_t *d;
    Py_BEGIN_CRITICAL_SECTION(self);
    d = self->database != NULL ? database_incref(self->database) : NULL;
    Py_END_CRITICAL_SECTION();
    if (d == NULL)
        error_set(E_ProgrammingError, "Base Connection.__init__ not called.");
    return d;
}

static int check_thread(const database_t *d)
{
    unsigned long me = PyThread_get_thread_ident();
    if (!d->check_same_thread || d->thread == me)
        return 0;
    PyErr_Format(sqlite_class[E_ProgrammingError],
                 "SQLite objects created in a thread can only be used in that same thread. "
                 "The object was created in thread id %lu and this is thread id %lu.",
                 d->thread, me);
    return -1;
}

database_t *connection_enter(connection_t *self, int flags)
{
    database_t *d = get_database(self);
    if (d == NULL)
        return NULL;
    if (flags & CHECK_THREAD && check_thread(d) < 0) {
        database_decref(d);
        return NULL;
    }
    if (database_lock_or_raise(d) < 0) {
        database_decref(d);
        return NULL;
    }
    if (!d->closed)
        return d;
    error_set(E_ProgrammingError, "Cannot operate on a closed database.");
    connection_leave(d);
    return NULL;
}

void connection_leave(database_t *d)
{
    PyObject *raised = PyErr_GetRaisedException();
    database_unlock(d);
    database_decref(d);
    PyErr_SetRaisedException(raised);
}

/* ---- Isolation levels ---- */

/* The index of the level, or -1 for None; -2 with an exception. */
static int find_isolation(PyObject *level)
{
    Py_ssize_t n;
    if (level == Py_None)
        return -1;
    if (!PyUnicode_Check(level)) {
        PyErr_SetString(PyExc_TypeError, "isolation_level must be str or None");
        return -2;
    }
    const char *text = PyUnicode_AsUTF8AndSize(level, &n);
    if (text == NULL)
        return -2;
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -2;
    }
    for (int i = 0; isolation_levels[i] != NULL; i++)
        if (PyOS_stricmp(text, isolation_levels[i]) == 0)
            return i;
    PyErr_SetString(PyExc_ValueError,
                    "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'");
    return -2;
}

static PyObject *connection_get_isolation_level(PyObject *op, void *unused)
{
    database_t *d = connection_enter(CONNECTION(op), 0);
    if (d == NULL)
        return NULL;
    int index = __atomic_load_n(&d->isolation, __ATOMIC_RELAXED);
    connection_leave(d);
    return index < 0 ? Py_NewRef(Py_None) : PyUnicode_FromString(isolation_levels[index]);
}

static PyObject *end_transaction(PyObject *op, const char *sql);

static int connection_set_isolation_level(PyObject *op, PyObject *level, void *unused)
{
    if (level == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int index = find_isolation(level);
    if (index < -1)
        return -1;
    if (index < 0) {
        /* From now on the program commits: what is open is. */
        PyObject *done = end_transaction(op, "COMMIT");
        if (done == NULL)
            return -1;
        Py_DECREF(done);
    }
    database_t *d = get_database(CONNECTION(op));
    if (d == NULL)
        return -1;
    __atomic_store_n(&d->isolation, index, __ATOMIC_RELAXED);
    database_decref(d);
    return 0;
}

/* ---- Making and destroying ---- */

/* Exchanges the database (new: stolen, or NULL). */
static void exchange_database(connection_t *self, database_t *new)
{
    database_t *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->database;
    self->database = new;
    Py_END_CRITICAL_SECTION();
    if (old != NULL)
        database_clear_cache(old); /* its statements refer to the database */
    database_decref(old);
}

static int set_up(connection_t *self, database_t *d)
{
    PyObject *op = (PyObject *)self;
    field_set_steal(op, &self->row_factory, Py_NewRef(Py_None));
    field_set_steal(op, &self->text_factory, Py_NewRef((PyObject *)&PyUnicode_Type));
    for (int i = 0; i < ERROR_COUNT; i++)
        field_set_steal(op, &self->classes[i], Py_NewRef(sqlite_class[i]));
    exchange_database(self, d);
    return PySys_Audit("sqlite3.connect/handle", "O", op);
}

static int connection_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"database",
                               "timeout",
                               "detect_types",
                               "isolation_level",
                               "check_same_thread",
                               "factory",
                               "cached_statements",
                               "uri",
                               NULL};
    PyObject *name, *isolation_arg = NULL, *factory, *path = NULL;
    double timeout = 5.0;
    int detect_types = 0, check_same_thread = 1, cached_statements = 128, uri = 0, isolation = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|diOpOip:Connection", keywords, &name, &timeout,
                                     &detect_types, &isolation_arg, &check_same_thread, &factory,
                                     &cached_statements, &uri) ||
        !PyUnicode_FSConverter(name, &path))
        return -1;
    if (isolation_arg != NULL)
        isolation = find_isolation(isolation_arg);
    if (isolation < -1 || PySys_Audit("sqlite3.connect", "O", name) < 0) {
        Py_DECREF(path);
        return -1;
    }
    exchange_database(CONNECTION(op), NULL);
    database_t *d = database_open(PyBytes_AS_STRING(path), uri, timeout);
    Py_DECREF(path);
    if (d == NULL)
        return -1;
    d->detect_types = detect_types;
    d->check_same_thread = check_same_thread;
    d->thread = PyThread_get_thread_ident();
    d->isolation = isolation;
    d->cache_size = cached_statements;
    return set_up(CONNECTION(op), d);
}

static PyObject *connection_close(PyObject *op, PyObject *unused)
{
    database_t *d = get_database(CONNECTION(op));
    if (d == NULL)
        return NULL;
    if (check_thread(d) < 0) {
        database_decref(d);
        return NULL;
    }
    database_lock(d);
    if (!d->closed)
        database_close_locked(d);
    connection_leave(d);
    Py_RETURN_NONE;
}

static int connection_traverse(PyObject *op, visitproc visit, void *arg)
{
    connection_t *self = CONNECTION(op);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->text_factory);
    for (int i = 0; i < ERROR_COUNT; i++)
        Py_VISIT(self->classes[i]);
    if (self->database != NULL)
        for (callback_t *c = self->database->callbacks; c != NULL; c = c->next)
            Py_VISIT(c->callable);
    return 0;
}

static int connection_clear(PyObject *op)
{
    connection_t *self = CONNECTION(op);
    database_t *d = self->database;
    Py_CLEAR(self->row_factory);
    Py_CLEAR(self->text_factory);
    for (int i = 0; i < ERROR_COUNT; i++)
        Py_CLEAR(self->classes[i]);
    if (d != NULL) {
        /* Closed, not only released: functions may be what keeps the connection alive. */
        database_lock(d);
        database_close_locked(d);
        database_unlock(d);
    }
    return 0;
}

static void connection_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    PyObject *raised = PyErr_GetRaisedException();
    connection_clear(op);
    exchange_database(CONNECTION(op), NULL);
    PyErr_SetRaisedException(raised);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Transactions ---- */

static PyObject *end_transaction(PyObject *op, const char *sql)
{
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int failed = !sqlite3_get_autocommit(d->db) && database_execute_locked(d, sql) < 0;
    connection_leave(d);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *connection_commit(PyObject *op, PyObject *unused)
{
    return end_transaction(op, "COMMIT");
}
static PyObject *connection_rollback(PyObject *op, PyObject *unused)
{
    return end_transaction(op, "ROLLBACK");
}

static PyObject *connection_enter_with(PyObject *op, PyObject *unused)
{
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    connection_leave(d);
    return Py_NewRef(op);
}

static PyObject *connection_exit(PyObject *op, PyObject *args)
{
    PyObject *type, *value, *traceback, *done;
    if (!PyArg_UnpackTuple(args, "__exit__", 3, 3, &type, &value, &traceback))
        return NULL;
    if (type != Py_None)
        done = end_transaction(op, "ROLLBACK");
    else if ((done = end_transaction(op, "COMMIT")) == NULL) {
        /* What cannot be committed must not stay open. */
        PyObject *raised = PyErr_GetRaisedException();
        done = end_transaction(op, "ROLLBACK");
        if (done != NULL) {
            Py_CLEAR(done);
            PyErr_SetRaisedException(raised);
        } else {
            PyObject *second = PyErr_GetRaisedException();
            PyException_SetContext(second, raised);
            PyErr_SetRaisedException(second);
        }
    }
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    Py_RETURN_FALSE;
}

/* ---- Cursors ---- */

PyObject *connection_cursor(PyObject *op, PyObject *factory)
{
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    connection_leave(d);
    PyObject *cursor = PyObject_CallOneArg(factory != NULL ? factory : (PyObject *)&cursor_type, op);
    if (cursor == NULL)
        return NULL;
    if (!PyObject_TypeCheck(cursor, &cursor_type)) {
        PyErr_Format(PyExc_TypeError, "factory must return a cursor, not %.100s", Py_TYPE(cursor)->tp_name);
        Py_DECREF(cursor);
        return NULL;
    }
    PyObject *row_factory = field_get(op, &CONNECTION(op)->row_factory);
    if (row_factory != NULL && row_factory != Py_None)
        field_set_steal(cursor, &((cursor_t *)cursor)->row_factory, row_factory);
    else
        Py_XDECREF(row_factory);
    return cursor;
}

static PyObject *connection_make_cursor(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"factory", NULL};
    PyObject *factory = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cursor", keywords, &factory))
        return NULL;
    return connection_cursor(op, factory);
}

/* Calls a method of a new cursor with these arguments. */
static PyObject *call_cursor(PyObject *op, const char *name, PyObject *args)
{
    PyObject *cursor = PyObject_CallMethod(op, "cursor", NULL), *method = NULL, *result = NULL;
    if (cursor != NULL)
        method = PyObject_GetAttrString(cursor, name);
    if (method != NULL)
        result = PyObject_CallObject(method, args);
    Py_XDECREF(cursor);
    Py_XDECREF(method);
    return result;
}

static PyObject *connection_execute(PyObject *op, PyObject *args)
{
    PyObject *sql, *parameters;
    if (!PyArg_UnpackTuple(args, "execute", 1, 2, &sql, &parameters))
        return NULL;
    return call_cursor(op, "execute", args);
}

static PyObject *connection_executemany(PyObject *op, PyObject *args)
{
    PyObject *sql, *parameters;
    if (!PyArg_UnpackTuple(args, "executemany", 2, 2, &sql, &parameters))
        return NULL;
    return call_cursor(op, "executemany", args);
}

static PyObject *connection_executescript(PyObject *op, PyObject *script)
{
    PyObject *args = PyTuple_Pack(1, script), *result;
    if (args == NULL)
        return NULL;
    result = call_cursor(op, "executescript", args);
    Py_DECREF(args);
    return result;
}

/* Calling a connection: a statement. */
static PyObject *connection_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *sql;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Connection() takes no keyword arguments");
        return NULL;
    }
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    statement_t *s = PyArg_ParseTuple(args, "U", &sql) ? statement_new_locked(d, sql) : NULL;
    connection_leave(d);
    return (PyObject *)s;
}

static PyObject *connection_iterdump(PyObject *op, PyObject *unused)
{
    database_t *d = connection_enter(CONNECTION(op), 0);
    if (d == NULL)
        return NULL;
    connection_leave(d);
    PyObject *module = PyImport_ImportModule("sqlite3.dump"), *result = NULL;
    if (module != NULL)
        result = PyObject_CallMethod(module, "_iterdump", "O", op);
    Py_XDECREF(module);
    return result;
}

/* ---- State ---- */

static PyObject *connection_get_in_transaction(PyObject *op, void *unused)
{
    database_t *d = connection_enter(CONNECTION(op), 0);
    if (d == NULL)
        return NULL;
    int result = !sqlite3_get_autocommit(d->db);
    connection_leave(d);
    return PyBool_FromLong(result);
}

static PyObject *connection_get_total_changes(PyObject *op, void *unused)
{
    database_t *d = connection_enter(CONNECTION(op), 0);
    if (d == NULL)
        return NULL;
    int result = sqlite3_total_changes(d->db);
    connection_leave(d);
    return PyLong_FromLong(result);
}

/* Is for other threads than the one that is inside: takes the small lock only. */
static PyObject *connection_interrupt(PyObject *op, PyObject *unused)
{
    database_t *d = get_database(CONNECTION(op));
    if (d == NULL)
        return NULL;
    PyMutex_Lock(&d->handle_mutex);
    int is_open = d->db != NULL;
    if (is_open)
        sqlite3_interrupt(d->db);
    PyMutex_Unlock(&d->handle_mutex);
    database_decref(d);
    if (!is_open)
        return error_set(E_ProgrammingError, "Cannot operate on a closed database.");
    Py_RETURN_NONE;
}

static PyObject *set_limit(PyObject *op, int category, int limit)
{
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int old = sqlite3_limit(d->db, category, limit);
    connection_leave(d);
    return old < 0 ? error_set(E_ProgrammingError, "'category' is out of bounds") : PyLong_FromLong(old);
}

static PyObject *connection_setlimit(PyObject *op, PyObject *args)
{
    int category, limit;
    PyObject *unused[2];
    if (!PyArg_UnpackTuple(args, "setlimit", 2, 2, &unused[0], &unused[1]) ||
        !PyArg_ParseTuple(args, "ii:setlimit", &category, &limit))
        return NULL;
    return set_limit(op, category, limit);
}

static PyObject *connection_getlimit(PyObject *op, PyObject *arg)
{
    int category = _PyLong_AsInt(arg);
    return category == -1 && PyErr_Occurred() ? NULL : set_limit(op, category, -1);
}

/* ---- Extensions of the library ---- */

#ifndef SQLITE_OMIT_LOAD_EXTENSION
static PyObject *connection_enable_load_extension(PyObject *op, PyObject *arg)
{
    int enable = PyObject_IsTrue(arg);
    if (enable < 0 || PySys_Audit("sqlite3.enable_load_extension", "Oi", op, enable) < 0)
        return NULL;
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int rc = sqlite3_enable_load_extension(d->db, enable);
    connection_leave(d);
    return rc == SQLITE_OK ? Py_NewRef(Py_None)
                           : error_set(E_OperationalError, "Error enabling load extension");
}

static PyObject *connection_load_extension(PyObject *op, PyObject *arg)
{
    const char *name = PyUnicode_Check(arg) ? PyUnicode_AsUTF8(arg) : NULL;
    char *message = NULL;
    int rc;
    if (name == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "load_extension() argument must be str, not %.50s",
                         Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (PySys_Audit("sqlite3.load_extension", "Os", op, name) < 0)
        return NULL;
    database_t *d = connection_enter(CONNECTION(op), CHECK_THREAD);
    if (d == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_load_extension(d->db, name, NULL, &message);
    Py_END_ALLOW_THREADS;
    if (rc != SQLITE_OK)
        error_set(E_OperationalError, message != NULL ? message : "cannot load the extension");
    sqlite3_free(message);
    connection_leave(d);
    return rc == SQLITE_OK ? Py_NewRef(Py_None) : NULL;
}
#endif

/* ---- The type ---- */

static PyMethodDef connection_methods[] = {
    MODULE_METHOD(
        "backup", connection_backup, METH_VARARGS | METH_KEYWORDS,
        "backup($self, /, target, *, pages=-1, progress=None, name='main',\n       sleep=0.25)\n--\n\n"
        "Copies the database to another connection."),
    MODULE_METHOD("blobopen", connection_blobopen, METH_VARARGS | METH_KEYWORDS,
                  "blobopen($self, table, column, row, /, *, readonly=False, name='main')\n--\n\n"
                  "Opens a BLOB that is there, to be read and written in place."),
    {"close", connection_close, METH_NOARGS,
     "close($self, /)\n--\n\nCloses the connection; an open transaction is lost."},
    {"commit", connection_commit, METH_NOARGS,
     "commit($self, /)\n--\n\nCommits the open transaction, if there is one."},
    MODULE_METHOD("create_aggregate", connection_create_aggregate, METH_VARARGS | METH_KEYWORDS,
                  "create_aggregate($self, /, name, n_arg, aggregate_class)\n--\n\nMakes a class an "
                  "aggregate function of SQL."),
    {"create_collation", connection_create_collation, METH_VARARGS,
     "create_collation($self, name, callback, /)\n--\n\nMakes callback(a, b) an order for texts."},
    MODULE_METHOD("create_function", connection_create_function, METH_VARARGS | METH_KEYWORDS,
                  "create_function($self, /, name, narg, func, *, deterministic=False)\n--\n\nMakes func a "
                  "function of SQL."),
    {"create_window_function", connection_create_window_function, METH_VARARGS,
     "create_window_function($self, name, num_params, aggregate_class, /)\n--\n\nMakes a class a window "
     "function of SQL."},
    MODULE_METHOD("cursor", connection_make_cursor, METH_VARARGS | METH_KEYWORDS,
                  "cursor($self, /, factory=<unrepresentable>)\n--\n\nA new cursor."),
    MODULE_METHOD("deserialize", connection_deserialize, METH_VARARGS | METH_KEYWORDS,
                  "deserialize($self, data, /, *, name='main')\n--\n\nReplaces the database by what "
                  "serialize() returned."),
#ifndef SQLITE_OMIT_LOAD_EXTENSION
    {"enable_load_extension", connection_enable_load_extension, METH_O,
     "enable_load_extension($self, enable, /)\n--\n\nMay extensions of SQLite be loaded?"},
    {"load_extension", connection_load_extension, METH_O,
     "load_extension($self, name, /)\n--\n\nLoads an extension of SQLite, a shared library."},
#endif
    {"execute", connection_execute, METH_VARARGS,
     "execute($self, sql, parameters=<unrepresentable>, /)\n--\n\nExecutes a statement with a new cursor."},
    {"executemany", connection_executemany, METH_VARARGS,
     "executemany($self, sql, parameters, /)\n--\n\nExecutes a statement for each set of parameters with a "
     "new cursor."},
    {"executescript", connection_executescript, METH_O,
     "executescript($self, sql_script, /)\n--\n\nExecutes statements with a new cursor."},
    {"getlimit", connection_getlimit, METH_O,
     "getlimit($self, category, /)\n--\n\nA limit of the connection."},
    {"interrupt", connection_interrupt, METH_NOARGS,
     "interrupt($self, /)\n--\n\nMakes statements that are running fail."},
    {"iterdump", connection_iterdump, METH_NOARGS,
     "iterdump($self, /)\n--\n\nIterates over SQL that makes the database anew."},
    {"rollback", connection_rollback, METH_NOARGS,
     "rollback($self, /)\n--\n\nUndoes the open transaction, if there is one."},
    MODULE_METHOD("serialize", connection_serialize, METH_VARARGS | METH_KEYWORDS,
                  "serialize($self, /, *, name='main')\n--\n\nThe database as bytes."),
    MODULE_METHOD("set_authorizer", connection_set_authorizer, METH_VARARGS | METH_KEYWORDS,
                  "set_authorizer($self, /, authorizer_callback)\n--\n\nLets a callback decide which "
                  "accesses are allowed."),
    MODULE_METHOD("set_progress_handler", connection_set_progress_handler, METH_VARARGS | METH_KEYWORDS,
                  "set_progress_handler($self, /, progress_handler, n)\n--\n\n"
                  "Calls back about every n instructions; a true result interrupts."),
    MODULE_METHOD(
        "set_trace_callback", connection_set_trace_callback, METH_VARARGS | METH_KEYWORDS,
        "set_trace_callback($self, /, trace_callback)\n--\n\nCalls back with each statement that begins."),
    {"setlimit", connection_setlimit, METH_VARARGS,
     "setlimit($self, category, limit, /)\n--\n\nSets a limit of the connection; the old one."},
    {"__enter__", connection_enter_with, METH_NOARGS, "__enter__($self, /)\n--\n\nThe connection itself."},
    {"__exit__", connection_exit, METH_VARARGS,
     "__exit__($self, type, value, traceback, /)\n--\n\nCommits, or rolls back after an exception."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef connection_getset[] = {
    {"isolation_level", connection_get_isolation_level, connection_set_isolation_level, NULL, NULL},
    {"total_changes", connection_get_total_changes, NULL, NULL, NULL},
    {"in_transaction", connection_get_in_transaction, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef connection_members[] = {
#define CLASS(name, base) \
    {#name, T_OBJECT, offsetof(connection_t, classes) + E_##name * sizeof(PyObject *), READONLY, NULL},
    ERROR_CLASSES(CLASS)
#undef CLASS
        {"row_factory", T_OBJECT, offsetof(connection_t, row_factory), 0, NULL},
    {"text_factory", T_OBJECT, offsetof(connection_t, text_factory), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject connection_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.Connection",
    .tp_basicsize = sizeof(connection_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A connection to an SQLite database.",
    .tp_call = connection_call,
    .tp_methods = connection_methods,
    .tp_members = connection_members,
    .tp_getset = connection_getset,
    .tp_init = connection_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = connection_traverse,
    .tp_clear = connection_clear,
    .tp_dealloc = connection_dealloc,
};
