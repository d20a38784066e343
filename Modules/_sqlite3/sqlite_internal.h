/* What the files of the _sqlite3 module share.
 *
 * A database handle of the library belongs to a database_t, which a Connection, its statements and its blobs
 * share by counted references. Its lock protects the handle, everything that hangs on it, and the state of
 * the cursors that work on it. The lock knows its owner: the library calls Python back, whose callbacks may
 * use the same connection again. It is held while the library works, detached from the interpreter, and while
 * callbacks, adapters and converters run. A connection that is closed is `closed` at once, but its handle
 * stays until nobody is inside and nobody has it pinned: a callback may close the connection that calls it.
 * Fields that Python reads as attributes are changed within a critical section on their object. */
#ifndef BRAID_SQLITE_INTERNAL_H
#define BRAID_SQLITE_INTERNAL_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <limits.h>
#include <string.h>

#include <sqlite3.h>

/* ---- The database ---- */

typedef struct statement statement_t;
typedef struct blob blob_t;
typedef struct callback callback_t;

typedef struct {
    PyMutex mutex;
    unsigned long owner; /* [atomic] thread identifier; 0: free */
    int depth;           /* [lock] */
} owned_lock;

enum { HOOK_AUTHORIZER, HOOK_PROGRESS, HOOK_TRACE, HOOK_COUNT };

typedef struct {
    Py_ssize_t refs; /* [atomic] */
    owned_lock lock;
    PyMutex handle_mutex;  /* keeps db open while another thread interrupts it; taken after the lock */
    sqlite3 *db;           /* [lock] or NULL: closed */
    int closed;            /* [lock] no more use from Python; the handle may still be there */
    int pins;              /* [lock] who needs the handle without holding the lock */
    int detect_types;      /* [const] */
    int check_same_thread; /* [const] */
    unsigned long thread;  /* [const] who made it */
    int isolation;         /* [atomic] index into isolation_levels, or -1: the program begins transactions */
    statement_t *statements;       /* [lock] all of them, linked */
    blob_t *blobs;                 /* [lock] the open ones, linked */
    callback_t *callbacks;         /* [lock] all that the handle knows, linked */
    callback_t *hooks[HOOK_COUNT]; /* [lock] those among them that are no functions, or NULL */
    PyObject *cache;               /* [lock] dict from SQL to statement, or NULL */
    statement_t *newest, *oldest;  /* [lock] of the cache */
    Py_ssize_t cache_size;         /* [const] */
} database_t;

extern const char *const isolation_levels[], *const begin_statements[];

/* Opens a file. Returns a new reference, or NULL with an exception. */
database_t *database_open(const char *name, int uri, double timeout);
database_t *database_incref(database_t *d);
void database_decref(database_t *d);
void database_lock(database_t *d), database_unlock(database_t *d);
/* The same for what a program asks for, which may be within a callback of another database: 0, or -1 with OperationalError
 * where the thread that has this database waits, itself or through others, for one that the caller has. */
int database_lock_or_raise(database_t *d);
/* Caller holds the lock. The handle goes when the lock does, or with the last pin. */
void database_close_locked(database_t *d);
void database_clear_cache(database_t *d);
/* 0, or -1 with the library's error raised. Caller holds the lock. */
int database_execute_locked(database_t *d, const char *sql);

/* ---- Errors ---- */

/* CLASS(name, base) */
#define ERROR_CLASSES(CLASS) \
    CLASS(Warning, PyExc_Exception) \
    CLASS(Error, PyExc_Exception) \
    CLASS(InterfaceError, sqlite_class[E_Error]) \
    CLASS(DatabaseError, sqlite_class[E_Error]) \
    CLASS(DataError, sqlite_class[E_DatabaseError]) \
    CLASS(OperationalError, sqlite_class[E_DatabaseError]) \
    CLASS(IntegrityError, sqlite_class[E_DatabaseError]) \
    CLASS(InternalError, sqlite_class[E_DatabaseError]) \
    CLASS(ProgrammingError, sqlite_class[E_DatabaseError]) \
    CLASS(NotSupportedError, sqlite_class[E_DatabaseError])

enum {
#define CLASS(name, base) E_##name,
    ERROR_CLASSES(CLASS)
#undef CLASS
    ERROR_COUNT
};

extern PyObject *sqlite_class[ERROR_COUNT]; /* made by the first import */

/* Raises the last error of the handle. Returns -1. */
int error_raise(sqlite3 *db);
/* Raises this class with a message. Returns NULL. */
PyObject *error_set(int class, const char *message);
int error_add_to_module(PyObject *module);

/* ---- Callbacks ---- */

/* A callable that the library knows. It may be freed while it is called: who calls takes what it needs out
 * first. */
struct callback {
    PyObject *callable;       /* [const] */
    callback_t *next, **link; /* [lock] */
};

/* Caller holds the lock. */
callback_t *callback_new_locked(database_t *d, PyObject *callable);
/* As the library calls it when it forgets a callable. */
void callback_free(void *callback);
extern int callback_tracebacks; /* [atomic] report exceptions in callbacks */

/* What a callback of the library opens and closes with: an exception that is on its way waits. */
typedef struct {
    PyGILState_STATE state;
    PyObject *raised;
} callback_frame;
void callback_enter(callback_frame *frame), callback_leave(callback_frame *frame);
/* Reports the exception that callable raised, or drops it. */
void callback_report(PyObject *callable);

/* ---- Objects ---- */

typedef struct {
    PyObject_HEAD
    database_t *database;   /* [section] or NULL: __init__ not called */
    PyObject *row_factory, *text_factory; /* [section] */
    PyObject *classes[ERROR_COUNT]; /* [section] the error classes as attributes; NULL before __init__ */
} connection_t;

struct statement {
    PyObject_HEAD
    database_t *database; /* [const] counted */
    sqlite3_stmt *st;                   /* [lock] or NULL: empty, or the database is closed */
    int is_dml;                         /* [const] */
    int in_use;                         /* [lock] by a cursor */
    statement_t *next, **link;          /* [lock] all of the database */
    PyObject *sql;                      /* [lock] the key in the cache, or NULL */
    statement_t *newer, *older;         /* [lock] in the cache */
};

typedef struct {
    PyObject_HEAD
    connection_t *connection;          /* [claim;section] */
    PyObject *description, *lastrowid, *row_factory; /* [section] */
    long rowcount;                                   /* [atomic] */
    int arraysize;                                   /* [atomic] */
    int locked;                                      /* [atomic] a method has claimed the cursor */
    int closed;                                      /* [claim] */
    statement_t *statement;                          /* [claim] whose row is to be fetched, or NULL */
    PyObject *converters;                            /* [claim] tuple, for the columns, or NULL */
    PyObject *weakrefs;
} cursor_t;

struct blob {
    PyObject_HEAD
    connection_t *connection; /* [const] counted */
    database_t *database;                   /* [const] counted */
    sqlite3_blob *blob;                     /* [lock] or NULL: closed */
    int offset;                             /* [lock] */
    blob_t *next, **link;                   /* [lock] */
    PyObject *weakrefs;
};

extern PyTypeObject connection_type, statement_type, cursor_type, row_type, blob_type, protocol_type;

/* Stores value (stolen) in a field that Python can see. */
void field_set_steal(PyObject *owner, PyObject **field, PyObject *value);
/* A new reference to what is in it, or NULL. */
PyObject *field_get(PyObject *owner, PyObject **field);

/* ---- connection.c, and the methods of connections elsewhere ---- */

enum { CHECK_THREAD = 1 };

/* Locks the database of a connection that can be used. Returns it, to be given to connection_leave, or NULL
 * with an exception. */
database_t *connection_enter(connection_t *self, int flags);
void connection_leave(database_t *d);
/* Calls method of a new cursor; args as given to the connection's method. */
PyObject *connection_cursor(PyObject *self, PyObject *factory);

typedef PyObject *connection_method(PyObject *self, PyObject *args);
typedef PyObject *connection_keyword_method(PyObject *self, PyObject *args, PyObject *kwargs);
connection_keyword_method connection_create_function, connection_create_aggregate, connection_set_authorizer;
connection_keyword_method connection_set_progress_handler, connection_set_trace_callback, connection_backup;
connection_keyword_method connection_serialize, connection_deserialize, connection_blobopen;
connection_method connection_create_window_function, connection_create_collation;

/* ---- statement.c ---- */

/* A statement for sql, from the cache perhaps; not in use. Caller holds the lock. New reference or NULL. */
statement_t *statement_get_locked(database_t *d, PyObject *sql);
statement_t *statement_new_locked(database_t *d, PyObject *sql);
/* One step, detached; the library's code. */
int statement_step_locked(statement_t *s);
void statement_reset_locked(statement_t *s);
void statement_finalize_locked(statement_t *s);
/* Gives the parameters to the statement. 0 or -1. Escapes: adapters run. */
int statement_bind_locked(statement_t *s, PyObject *parameters);

/* ---- values.c ---- */

/* Binds a value that needs no adapting; 0: done, 1: its type is not supported, -1: exception. */
int value_bind(sqlite3_stmt *st, int index, PyObject *value);
/* Sets the result of a function. 0, or -1 (with an exception, unless the type is not supported). */
int value_set_result(sqlite3_context *context, PyObject *value);
/* The arguments of a function as a tuple. */
PyObject *value_arguments(int count, sqlite3_value **values, PyObject *first);
/* The present row as a tuple. converters: or NULL. */
PyObject *value_row(sqlite3_stmt *st, PyObject *converters, PyObject *text_factory);

/* ---- adapt.c ---- */

extern PyObject *adapt_converters; /* dict, made by the first import */
enum { PARSE_DECLTYPES = 1, PARSE_COLNAMES = 2 };
/* Adapts a value to be bound; itself if nothing adapts it. New reference or NULL. */
PyObject *adapt_value(PyObject *value);
/* The converter for the name of size n, None if there is none. New reference or NULL. */
PyObject *adapt_find_converter(const char *name, Py_ssize_t n);
extern PyMethodDef adapt_functions[];
int adapt_add_to_module(PyObject *module);

/* ---- blob.c ---- */

void blob_close_locked(blob_t *b);

#endif /* BRAID_SQLITE_INTERNAL_H */
