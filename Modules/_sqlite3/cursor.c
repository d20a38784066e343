/* Cursors: running statements, and fetching rows.
 *
 * A method holds the lock of the connection's database, and of the statement's if that is another one,
 * because the connection was initialised again. `locked` says that the cursor's state is a method's: it keeps methods
 * out that adapters, converters and functions call meanwhile, and __init__, which any thread may call. */
#include "sqlite_internal.h"

#define CURSOR(op) ((cursor_t *)(op))

static void set_rowcount(cursor_t *self, long n)
{
    __atomic_store_n(&self->rowcount, n, __ATOMIC_RELAXED);
}
static long get_rowcount(cursor_t *self)
{
    return __atomic_load_n(&self->rowcount, __ATOMIC_RELAXED);
}

/* ---- Entering and leaving methods ---- */

/* Makes the cursor's state the caller's: 0, or -1 with an exception. */
static int claim(cursor_t *self)
{
    if (!__atomic_exchange_n(&self->locked, 1, __ATOMIC_ACQUIRE)) /* pairs with release */
        return 0;
    error_set(E_ProgrammingError, "Recursive use of cursors not allowed.");
    return -1;
}

static void release(cursor_t *self)
{
    __atomic_store_n(&self->locked, 0, __ATOMIC_RELEASE);
}

static void leave(cursor_t *self, database_t *d)
{
    release(self);
    connection_leave(d);
}

/* Claims the cursor and locks the database of its connection, which may be exchanged until that is done. NULL with an
 * exception. */
static database_t *lock_connection(cursor_t *self)
{
    for (;;) {
        connection_t *connection =
            (connection_t *)field_get((PyObject *)self, (PyObject **)&self->connection);
        if (connection == NULL) {
            error_set(E_ProgrammingError, "Base Cursor.__init__ not called.");
            return NULL;
        }
        database_t *d = connection_enter(connection, CHECK_THREAD);
        if (d != NULL && claim(self) < 0) {
            connection_leave(d);
            d = NULL;
        }
        int is_current = __atomic_load_n(&self->connection, __ATOMIC_RELAXED) == connection;
        Py_DECREF(connection);
        if (d == NULL || is_current)
            return d;
        leave(self, d);
    }
}

/* The same for what a closed cursor cannot do. */
static database_t *enter(cursor_t *self)
{
    database_t *d = lock_connection(self);
    if (d == NULL || !self->closed)
        return d;
    error_set(E_ProgrammingError, "Cannot operate on a closed cursor.");
    leave(self, d);
    return NULL;
}

/* Lets go of the statement; the next one to use it finds it reset. */
static void drop_statement_locked(cursor_t *self)
{
    statement_t *s = self->statement;
    if (s == NULL)
        return;
    self->statement = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    database_lock(s->database);
    statement_reset_locked(s);
    s->in_use = 0;
    database_unlock(s->database);
    Py_DECREF(s);
    PyErr_SetRaisedException(raised);
}

/* ---- What is known about columns ---- */

/* Where the name of column ends: in front of " [type]" if that means something. */
static Py_ssize_t name_size(const char *name, int detect_types)
{
    const char *bracket = detect_types & PARSE_COLNAMES ? strchr(name, '[') : NULL;
    if (bracket == NULL)
        return (Py_ssize_t)strlen(name);
    return bracket > name && bracket[-1] == ' ' ? bracket - 1 - name : bracket - name;
}

static PyObject *describe_column(const char *name, int detect_types)
{
    if (name == NULL)
        return PyErr_NoMemory();
    PyObject *text = PyUnicode_FromStringAndSize(name, name_size(name, detect_types));
    if (text == NULL)
        return NULL;
    PyObject *result = PyTuple_Pack(7, text, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None);
    Py_DECREF(text);
    return result;
}

static PyObject *describe(sqlite3_stmt *st, int detect_types)
{
    int count = sqlite3_column_count(st);
    PyObject *description = count > 0 ? PyTuple_New(count) : Py_NewRef(Py_None);
    for (int i = 0; description != NULL && i < count; i++) {
        PyObject *column = describe_column(sqlite3_column_name(st, i), detect_types);
        if (column == NULL)
            Py_CLEAR(description);
        else
            PyTuple_SET_ITEM(description, i, column);
    }
    return description;
}

/* The converter for a column: by the type in its name, or else by the type that was declared for it. */
static PyObject *column_converter(sqlite3_stmt *st, int column, int detect_types)
{
    PyObject *converter = Py_NewRef(Py_None);
    if (detect_types & PARSE_COLNAMES) {
        const char *name = sqlite3_column_name(st, column), *start = name != NULL ? strchr(name, '[') : NULL;
        const char *end = start != NULL ? strchr(start, ']') : NULL;
        if (end != NULL)
            Py_SETREF(converter, adapt_find_converter(start + 1, end - start - 1));
    }
    if (converter == Py_None && detect_types & PARSE_DECLTYPES) {
        const char *type = sqlite3_column_decltype(st, column);
        if (type != NULL)
            Py_SETREF(converter, adapt_find_converter(type, (Py_ssize_t)strcspn(type, " (")));
    }
    return converter;
}

/* Sets self->converters. */
static int find_converters(cursor_t *self, sqlite3_stmt *st, int detect_types)
{
    Py_CLEAR(self->converters);
    int count = detect_types != 0 ? sqlite3_column_count(st) : 0;
    if (count == 0)
        return 0;
    PyObject *converters = PyTuple_New(count);
    for (int i = 0; converters != NULL && i < count; i++) {
        PyObject *converter = column_converter(st, i, detect_types);
        if (converter == NULL)
            Py_CLEAR(converters);
        else
            PyTuple_SET_ITEM(converters, i, converter);
    }
    self->converters = converters;
    return converters == NULL ? -1 : 0;
}

/* ---- Executing ---- */

/* Begins a transaction for a statement that needs one. */
static int begin(database_t *d, statement_t *s)
{
    int isolation = __atomic_load_n(&d->isolation, __ATOMIC_RELAXED);
    if (isolation < 0 || !s->is_dml || !sqlite3_get_autocommit(d->db))
        return 0;
    return database_execute_locked(d, begin_statements[isolation]);
}

/* Runs the statement with one set of parameters up to its first row. */
static int run_once(cursor_t *self, database_t *d, statement_t *s, PyObject *parameters, int is_many)
{
    if (statement_bind_locked(s, parameters) < 0)
        return -1;
    int rc = statement_step_locked(s);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        return PyErr_Occurred() ? -1 : error_raise(d->db);
    if (!is_many && find_converters(self, s->st, d->detect_types) < 0)
        return -1;
    if (!is_many) {
        PyObject *description = describe(s->st, d->detect_types);
        if (description == NULL)
            return -1;
        field_set_steal((PyObject *)self, &self->description, description);
    }
    if (rc == SQLITE_DONE || is_many) {
        statement_reset_locked(s);
        if (s->is_dml)
            set_rowcount(self, get_rowcount(self) + sqlite3_changes(d->db));
    }
    if (rc == SQLITE_DONE && !is_many)
        drop_statement_locked(self);
    return 0;
}

static int run_many(cursor_t *self, database_t *d, statement_t *s, PyObject *parameters)
{
    if (s->st == NULL || sqlite3_stmt_readonly(s->st)) {
        error_set(E_ProgrammingError, "executemany() can only execute DML statements.");
        return -1;
    }
    PyObject *iter = PyObject_GetIter(parameters), *next;
    if (iter == NULL)
        return -1;
    int failed = begin(d, s) < 0;
    while (!failed && (next = PyIter_Next(iter)) != NULL) {
        failed = run_once(self, d, s, next, 1) < 0;
        Py_DECREF(next);
    }
    Py_DECREF(iter);
    drop_statement_locked(self);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static int run_locked(cursor_t *self, database_t *d, PyObject *sql, PyObject *parameters, int is_many)
{
    drop_statement_locked(self);
    field_set_steal((PyObject *)self, &self->description, Py_NewRef(Py_None));
    statement_t *s = statement_get_locked(d, sql);
    if (s == NULL)
        return -1;
    s->in_use = 1;
    self->statement = (statement_t *)Py_NewRef(s);
    set_rowcount(self, s->is_dml ? 0 : -1);
    int failed = is_many ? run_many(self, d, s, parameters) < 0
                         : begin(d, s) < 0 || run_once(self, d, s, parameters, 0) < 0;
    Py_DECREF(s);
    if (failed || is_many)
        return failed ? -1 : 0;
    PyObject *rowid = PyLong_FromLongLong(sqlite3_last_insert_rowid(d->db));
    if (rowid == NULL)
        return -1;
    field_set_steal((PyObject *)self, &self->lastrowid, rowid);
    return 0;
}

static PyObject *execute(cursor_t *self, PyObject *sql, PyObject *parameters, int is_many)
{
    database_t *d = enter(self);
    if (d == NULL)
        return NULL;
    int failed = run_locked(self, d, sql, parameters, is_many) < 0;
    if (failed) {
        drop_statement_locked(self);
        set_rowcount(self, -1);
    }
    leave(self, d);
    return failed ? NULL : Py_NewRef((PyObject *)self);
}

static int check_str(const char *name, PyObject *arg)
{
    if (PyUnicode_Check(arg))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.50s", name,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    return -1;
}

static PyObject *cursor_execute(PyObject *op, PyObject *args)
{
    PyObject *sql, *parameters = NULL;
    if (!PyArg_UnpackTuple(args, "execute", 1, 2, &sql, &parameters) ||
        check_str("execute() argument 1", sql) < 0)
        return NULL;
    if (parameters != NULL)
        return execute(CURSOR(op), sql, parameters, 0);
    PyObject *none = PyTuple_New(0), *result;
    if (none == NULL)
        return NULL;
    result = execute(CURSOR(op), sql, none, 0);
    Py_DECREF(none);
    return result;
}

static PyObject *cursor_executemany(PyObject *op, PyObject *args)
{
    PyObject *sql, *parameters;
    if (!PyArg_UnpackTuple(args, "executemany", 2, 2, &sql, &parameters) ||
        check_str("executemany() argument 1", sql) < 0)
        return NULL;
    return execute(CURSOR(op), sql, parameters, 1);
}

/* ---- Scripts ---- */

/* Runs the first statement of the script; what is left of it, or NULL with an exception. */
static const char *run_part(database_t *d, const char *script)
{
    sqlite3_stmt *st = NULL;
    const char *rest = script;
    int rc;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_prepare_v2(d->db, script, -1, &st, &rest);
    if (rc == SQLITE_OK) {
        do
            rc = sqlite3_step(st);
        while (rc == SQLITE_ROW);
        rc = sqlite3_finalize(st);
    }
    Py_END_ALLOW_THREADS;
    if (rc == SQLITE_OK)
        return rest;
    if (!PyErr_Occurred())
        error_raise(d->db);
    return NULL;
}

static PyObject *cursor_executescript(PyObject *op, PyObject *script)
{
    Py_ssize_t n;
    if (check_str("executescript() argument", script) < 0)
        return NULL;
    const char *text = PyUnicode_AsUTF8AndSize(script, &n);
    if (text == NULL)
        return NULL;
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    database_t *d = enter(CURSOR(op));
    if (d == NULL)
        return NULL;
    if (n > sqlite3_limit(d->db, SQLITE_LIMIT_SQL_LENGTH, -1)) {
        error_set(E_DataError, "query string is too large");
        text = NULL;
    } else if (!sqlite3_get_autocommit(d->db) && database_execute_locked(d, "COMMIT") < 0)
        text = NULL;
    while (text != NULL && *text != '\0')
        text = run_part(d, text);
    leave(CURSOR(op), d);
    return text == NULL ? NULL : Py_NewRef(op);
}

/* ---- Fetching ---- */

/* Of the connection, which another thread may be exchanging. */
static PyObject *get_text_factory(cursor_t *self)
{
    connection_t *connection = (connection_t *)field_get((PyObject *)self, (PyObject **)&self->connection);
    PyObject *factory =
        connection != NULL ? field_get((PyObject *)connection, &connection->text_factory) : NULL;
    Py_XDECREF(connection);
    return factory != NULL ? factory : Py_NewRef((PyObject *)&PyUnicode_Type);
}

/* The present row, and steps on to the next one. NULL without an exception: none is left. */
static PyObject *next_row_locked(cursor_t *self)
{
    statement_t *s = (statement_t *)Py_NewRef(self->statement);
    PyObject *text_factory = get_text_factory(self), *row = NULL;
    database_lock(s->database);
    if (s->st != NULL)
        row = value_row(s->st, self->converters, text_factory);
    int rc = row != NULL ? statement_step_locked(s) : SQLITE_ERROR;
    if (row != NULL && rc == SQLITE_DONE) {
        if (s->is_dml)
            set_rowcount(self, sqlite3_changes(s->database->db));
        drop_statement_locked(self);
    } else if (rc != SQLITE_ROW) {
        if (row != NULL && !PyErr_Occurred())
            error_raise(sqlite3_db_handle(s->st));
        Py_CLEAR(row);
        drop_statement_locked(self);
    }
    database_unlock(s->database);
    Py_DECREF(text_factory);
    Py_DECREF(s);
    return row;
}

static PyObject *cursor_iternext(PyObject *op)
{
    cursor_t *self = CURSOR(op);
    database_t *d = enter(self);
    if (d == NULL)
        return NULL;
    PyObject *row = self->statement != NULL ? next_row_locked(self) : NULL;
    leave(self, d);
    if (row == NULL)
        return NULL;
    PyObject *factory = field_get(op, &self->row_factory);
    if (factory != NULL && factory != Py_None)
        Py_SETREF(row, PyObject_CallFunctionObjArgs(factory, op, row, NULL));
    Py_XDECREF(factory);
    return row;
}

static PyObject *cursor_fetchone(PyObject *op, PyObject *unused)
{
    PyObject *row = cursor_iternext(op);
    return row != NULL || PyErr_Occurred() ? row : Py_NewRef(Py_None);
}

/* A list of n rows at most; negative: all. */
static PyObject *fetch(PyObject *op, Py_ssize_t n)
{
    PyObject *list = PyList_New(0), *row;
    while (list != NULL && n != 0 && (row = cursor_iternext(op)) != NULL) {
        if (PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_DECREF(row);
        n -= n > 0;
    }
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

static PyObject *cursor_fetchmany(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"size", NULL};
    int size = __atomic_load_n(&CURSOR(op)->arraysize, __ATOMIC_RELAXED);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i:fetchmany", keywords, &size))
        return NULL;
    return fetch(op, size == 0 ? -1 : size);
}

static PyObject *cursor_fetchall(PyObject *op, PyObject *unused)
{
    return fetch(op, -1);
}

/* ---- Other methods ---- */

static PyObject *cursor_close(PyObject *op, PyObject *unused)
{
    cursor_t *self = CURSOR(op);
    database_t *d = lock_connection(self);
    if (d == NULL)
        return NULL;
    drop_statement_locked(self);
    self->closed = 1;
    leave(self, d);
    Py_RETURN_NONE;
}

static PyObject *cursor_setinputsizes(PyObject *op, PyObject *sizes)
{
    Py_RETURN_NONE;
}

static PyObject *cursor_setoutputsize(PyObject *op, PyObject *args)
{
    PyObject *size, *column;
    if (!PyArg_UnpackTuple(args, "setoutputsize", 1, 2, &size, &column))
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Making and destroying ---- */

/* Gives a cursor, which may be initialised already, its connection. The one it has may be closed, or another thread's: so
 * the cursor is claimed without the lock of its database. */
static int exchange_connection(cursor_t *self, PyObject *connection)
{
    if (claim(self) < 0)
        return -1;
    database_t *d = self->statement != NULL ? self->statement->database : NULL;
    int failed = d != NULL && database_lock_or_raise(database_incref(d)) < 0;
    if (!failed) {
        drop_statement_locked(self);
        if (d != NULL)
            database_unlock(d);
        self->closed = 0;
        field_set_steal((PyObject *)self, (PyObject **)&self->connection, Py_NewRef(connection));
    }
    database_decref(d);
    release(self);
    return failed ? -1 : 0;
}

static int cursor_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    cursor_t *self = CURSOR(op);
    PyObject *connection;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Cursor() takes no keyword arguments");
        return -1;
    }
    if (!PyArg_UnpackTuple(args, "Cursor", 1, 1, &connection) ||
        !PyArg_ParseTuple(args, "O!:Cursor", &connection_type, &connection) || exchange_connection(self, connection) < 0)
        return -1;
    field_set_steal(op, &self->description, Py_NewRef(Py_None));
    field_set_steal(op, &self->lastrowid, Py_NewRef(Py_None));
    field_set_steal(op, &self->row_factory, Py_NewRef(Py_None));
    __atomic_store_n(&self->arraysize, 1, __ATOMIC_RELAXED);
    set_rowcount(self, -1);
    database_t *d = connection_enter((connection_t *)connection, CHECK_THREAD);
    if (d == NULL)
        return -1;
    connection_leave(d);
    return 0;
}

static int cursor_traverse(PyObject *op, visitproc visit, void *arg)
{
    cursor_t *self = CURSOR(op);
    Py_VISIT(self->connection);
    Py_VISIT(self->description);
    Py_VISIT(self->lastrowid);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->converters);
    return 0;
}

static int cursor_clear(PyObject *op)
{
    cursor_t *self = CURSOR(op);
    drop_statement_locked(self);
    Py_CLEAR(self->connection);
    Py_CLEAR(self->description);
    Py_CLEAR(self->lastrowid);
    Py_CLEAR(self->row_factory);
    Py_CLEAR(self->converters);
    return 0;
}

static void cursor_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(CURSOR(op)->weakrefs))
        PyObject_ClearWeakRefs(op);
    cursor_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef cursor_methods[] = {
    {"execute", cursor_execute, METH_VARARGS,
     "execute($self, sql, parameters=(), /)\n--\n\nExecutes one statement of SQL."},
    {"executemany", cursor_executemany, METH_VARARGS,
     "executemany($self, sql, seq_of_parameters, /)\n--\n\nExecutes a statement once for each set of "
     "parameters."},
    {"executescript", cursor_executescript, METH_O,
     "executescript($self, sql_script, /)\n--\n\nExecutes statements, after committing the open "
     "transaction."},
    {"fetchone", cursor_fetchone, METH_NOARGS, "fetchone($self, /)\n--\n\nThe next row, or None."},
    MODULE_METHOD("fetchmany", cursor_fetchmany, METH_VARARGS | METH_KEYWORDS,
                  "fetchmany($self, /, size=1)\n--\n\nA list of the next rows, arraysize of them unless told "
                  "otherwise."),
    {"fetchall", cursor_fetchall, METH_NOARGS, "fetchall($self, /)\n--\n\nA list of the rows that are left."},
    {"close", cursor_close, METH_NOARGS, "close($self, /)\n--\n\nCloses the cursor."},
    {"setinputsizes", cursor_setinputsizes, METH_O,
     "setinputsizes($self, sizes, /)\n--\n\nRequired by DB-API; does nothing."},
    {"setoutputsize", cursor_setoutputsize, METH_VARARGS,
     "setoutputsize($self, size, column=None, /)\n--\n\nRequired by DB-API; does nothing."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef cursor_members[] = {
    {"connection", T_OBJECT, offsetof(cursor_t, connection), READONLY, NULL},
    {"description", T_OBJECT, offsetof(cursor_t, description), READONLY, NULL},
    {"arraysize", T_INT, offsetof(cursor_t, arraysize), 0, NULL},
    {"lastrowid", T_OBJECT, offsetof(cursor_t, lastrowid), READONLY, NULL},
    {"rowcount", T_LONG, offsetof(cursor_t, rowcount), READONLY, NULL},
    {"row_factory", T_OBJECT, offsetof(cursor_t, row_factory), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject cursor_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.Cursor",
    .tp_basicsize = sizeof(cursor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Runs statements and fetches rows.",
    .tp_weaklistoffset = offsetof(cursor_t, weakrefs),
    .tp_methods = cursor_methods,
    .tp_members = cursor_members,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = cursor_iternext,
    .tp_init = cursor_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = cursor_traverse,
    .tp_clear = cursor_clear,
    .tp_dealloc = cursor_dealloc,
};
