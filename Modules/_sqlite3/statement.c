/* Statements: preparing them, the cache of them, parameters, and steps. */
#include "sqlite_internal.h"

/* ---- Reading SQL ---- */

/* Skips white space and comments; one that nothing closes reaches to the end. */
static const char *skip_blanks(const char *sql)
{
    for (;;) {
        if (*sql == ' ' || (*sql >= '\t' && *sql <= '\r'))
            sql++;
        else if (sql[0] == '-' && sql[1] == '-')
            sql += strcspn(sql, "\n");
        else if (sql[0] == '/' && sql[1] == '*') {
            const char *end = strstr(sql + 2, "*/");
            sql = end != NULL ? end + 2 : sql + strlen(sql);
        } else
            return sql;
    }
}

/* Does the statement change rows, so that it is to run in a transaction? */
static int changes_rows(const char *sql)
{
    static const char *const words[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", NULL};
    sql = skip_blanks(sql);
    for (int i = 0; words[i] != NULL; i++)
        if (PyOS_strnicmp(sql, words[i], (Py_ssize_t)strlen(words[i])) == 0)
            return 1;
    return 0;
}

/* ---- Making them ---- */

/* The SQL as the library wants it, or NULL with an exception. */
static const char *check_sql(sqlite3 *db, PyObject *sql, Py_ssize_t *n)
{
    const char *text = PyUnicode_AsUTF8AndSize(sql, n);
    if (text == NULL)
        return NULL;
    if (*n > sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1))
        error_set(E_DataError, "query string is too large");
    else if (strlen(text) != (size_t)*n)
        error_set(E_ProgrammingError, "the query contains a null character");
    else
        return text;
    return NULL;
}

statement_t *statement_new_locked(database_t *d, PyObject *sql)
{
    Py_ssize_t n;
    const char *text = check_sql(d->db, sql, &n), *rest = NULL;
    sqlite3_stmt *st = NULL;
    int rc;
    if (text == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_prepare_v2(d->db, text, (int)n + 1, &st, &rest);
    Py_END_ALLOW_THREADS;
    if (rc != SQLITE_OK) {
        error_raise(d->db);
        return NULL;
    }
    statement_t *s = NULL;
    if (rest != NULL && *skip_blanks(rest) != '\0')
        error_set(E_ProgrammingError, "You can only execute one statement at a time.");
    else
        s = PyObject_New(statement_t, &statement_type);
    if (s == NULL) {
        (void)sqlite3_finalize(st);
        return NULL;
    }
    s->database = database_incref(d);
    s->st = st;
    s->is_dml = changes_rows(text);
    s->in_use = 0;
    s->sql = NULL;
    s->newer = s->older = NULL;
    s->next = d->statements;
    s->link = &d->statements;
    if (s->next != NULL)
        s->next->link = &s->next;
    d->statements = s;
    return s;
}

void statement_finalize_locked(statement_t *s)
{
    if (s->link == NULL)
        return;
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    s->link = NULL;
    sqlite3_stmt *st = s->st;
    s->st = NULL;
    Py_BEGIN_ALLOW_THREADS;
    (void)sqlite3_finalize(st);
    Py_END_ALLOW_THREADS;
}

static void statement_dealloc(PyObject *op)
{
    statement_t *s = (statement_t *)op;
    database_t *d = s->database;
    PyObject *raised = PyErr_GetRaisedException();
    database_lock(d);
    statement_finalize_locked(s);
    database_unlock(d);
    PyErr_SetRaisedException(raised);
    PyObject_Free(op);
    database_decref(d);
}

/* ---- The cache: a dict, and a list from the newest to the oldest one used ---- */

static void cache_unlink(database_t *d, statement_t *s)
{
    *(s->newer != NULL ? &s->newer->older : &d->newest) = s->older;
    *(s->older != NULL ? &s->older->newer : &d->oldest) = s->newer;
    s->newer = s->older = NULL;
}

static void cache_link(database_t *d, statement_t *s)
{
    s->older = d->newest;
    s->newer = NULL;
    *(d->newest != NULL ? &d->newest->newer : &d->oldest) = s;
    d->newest = s;
}

/* Drops the statements that have not been used for longest. */
static int cache_shrink(database_t *d, Py_ssize_t size)
{
    while (d->oldest != NULL && PyDict_GET_SIZE(d->cache) > size) {
        statement_t *s = (statement_t *)Py_NewRef(d->oldest);
        PyObject *sql = Py_NewRef(s->sql);
        cache_unlink(d, s);
        s->sql = NULL;
        int failed = PyDict_DelItem(d->cache, sql);
        Py_DECREF(sql);
        Py_DECREF(s);
        if (failed)
            return -1;
    }
    return 0;
}

static int cache_add(database_t *d, PyObject *sql, statement_t *s)
{
    if (d->closed || d->cache_size <= 0)
        return 0;
    if (d->cache == NULL && (d->cache = PyDict_New()) == NULL)
        return -1;
    if (PyDict_SetItem(d->cache, sql, (PyObject *)s) < 0)
        return -1;
    s->sql = sql; /* the dict keeps it */
    cache_link(d, s);
    return cache_shrink(d, d->cache_size);
}

statement_t *statement_get_locked(database_t *d, PyObject *sql)
{
    /* A subclass of str might compare as it likes. */
    if (!PyUnicode_CheckExact(sql))
        return statement_new_locked(d, sql);
    PyObject *found = NULL;
    if (d->cache != NULL && PyDict_GetItemRef(d->cache, sql, &found) < 0)
        return NULL;
    statement_t *s = (statement_t *)found;
    if (s != NULL && !s->in_use) {
        if (s != d->newest) {
            cache_unlink(d, s);
            cache_link(d, s);
        }
        return s;
    }
    int is_known = s != NULL;
    Py_XDECREF(found);
    s = statement_new_locked(d, sql);
    if (s != NULL && !is_known && cache_add(d, sql, s) < 0)
        Py_CLEAR(s);
    return s;
}

/* ---- Running them ---- */

int statement_step_locked(statement_t *s)
{
    int rc;
    if (s->st == NULL)
        return SQLITE_DONE;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_step(s->st);
    Py_END_ALLOW_THREADS;
    return rc;
}

void statement_reset_locked(statement_t *s)
{
    if (s->st == NULL)
        return;
    Py_BEGIN_ALLOW_THREADS;
    (void)sqlite3_reset(s->st);
    Py_END_ALLOW_THREADS;
}

/* ---- Parameters ---- */

/* Adapts and binds one value (stolen). */
static int bind_one_steal(statement_t *s, int index, PyObject *value)
{
    PyObject *adapted = adapt_value(value);
    int answer = adapted != NULL ? value_bind(s->st, index, adapted) : -1;
    if (answer > 0)
        PyErr_Format(sqlite_class[E_ProgrammingError],
                     "Error binding parameter %d: type '%s' is not supported", index,
                     Py_TYPE(adapted)->tp_name);
    Py_XDECREF(adapted);
    Py_DECREF(value);
    return answer == 0 ? 0 : -1;
}

static int bind_sequence(statement_t *s, PyObject *parameters, int needed)
{
    Py_ssize_t n = PySequence_Size(parameters);
    if (n < 0)
        return -1;
    if (n != needed) {
        PyErr_Format(sqlite_class[E_ProgrammingError],
                     "Incorrect number of bindings supplied. The current statement uses %d, and there are "
                     "%zd supplied.",
                     needed, n);
        return -1;
    }
    int is_tuple = PyTuple_CheckExact(parameters);
    for (int i = 0; i < needed; i++) {
        PyObject *value =
            is_tuple ? Py_NewRef(PyTuple_GET_ITEM(parameters, i)) : PySequence_GetItem(parameters, i);
        if (value == NULL || bind_one_steal(s, i + 1, value) < 0)
            return -1;
    }
    return 0;
}

static int bind_mapping(statement_t *s, PyObject *parameters, int needed)
{
    for (int i = 1; i <= needed; i++) {
        const char *name = sqlite3_bind_parameter_name(s->st, i);
        if (name == NULL) {
            PyErr_Format(sqlite_class[E_ProgrammingError],
                         "Binding %d has no name, but you supplied a dictionary (which has only names).", i);
            return -1;
        }
        PyObject *key = PyUnicode_FromString(name + 1), *value = NULL; /* without the sign in front */
        if (key == NULL)
            return -1;
        value = PyObject_GetItem(parameters, key);
        if (value == NULL && PyErr_ExceptionMatches(PyExc_LookupError))
            PyErr_Format(sqlite_class[E_ProgrammingError],
                         "You did not supply a value for binding parameter :%U.", key);
        Py_DECREF(key);
        if (value == NULL || bind_one_steal(s, i, value) < 0)
            return -1;
    }
    return 0;
}

int statement_bind_locked(statement_t *s, PyObject *parameters)
{
    int needed = sqlite3_bind_parameter_count(s->st);
    if (PyTuple_CheckExact(parameters) || PyList_CheckExact(parameters) ||
        (!PyDict_Check(parameters) && PySequence_Check(parameters)))
        return bind_sequence(s, parameters, needed);
    if (PyMapping_Check(parameters))
        return bind_mapping(s, parameters, needed);
    error_set(E_ProgrammingError, "parameters are of unsupported type");
    return -1;
}

PyTypeObject statement_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.Statement",
    .tp_basicsize = sizeof(statement_t),
    .tp_dealloc = statement_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A prepared statement.",
};
