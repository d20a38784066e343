/* Functions, aggregates and collations that programs write in Python. */
#include "sqlite_internal.h"

/* ---- Functions ---- */

/* Makes the statement fail because of the exception that is set, and reports that. */
static void fail(sqlite3_context *context, PyObject *callable, const char *message)
{
    if (PyErr_ExceptionMatches(PyExc_MemoryError))
        sqlite3_result_error_nomem(context);
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        sqlite3_result_error_toobig(context);
    else
        sqlite3_result_error(context, message, -1);
    callback_report(callable);
}

/* The callable of the function that is running; a new reference. */
static PyObject *get_callable(sqlite3_context *context)
{
    return Py_NewRef(((callback_t *)sqlite3_user_data(context))->callable);
}

static void call_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = get_callable(context), *args = value_arguments(count, values, NULL), *result = NULL;
    if (args != NULL)
        result = PyObject_CallObject(callable, args);
    if (result == NULL || value_set_result(context, result) < 0)
        fail(context, callable, "user-defined function raised exception");
    Py_XDECREF(args);
    Py_XDECREF(result);
    Py_DECREF(callable);
    callback_leave(&frame);
}

/* ---- Aggregates: the library keeps a pointer to the instance for each use ---- */

typedef struct {
    const char *name, *undefined, *raised;
} method_t;

#define METHOD(name) \
    { \
#name, "user-defined aggregate's '" #name "' method not defined", \
            "user-defined aggregate's '" #name "' method raised error" \
    }
static const method_t step_method = METHOD(step), inverse_method = METHOD(inverse),
                      value_method = METHOD(value);
static const method_t finalize_method = METHOD(finalize);

/* Calls a method of the instance with these arguments; its result, or NULL after making the statement fail.
 */
static PyObject *call_method(sqlite3_context *context, PyObject *callable, PyObject *instance,
                             const method_t *method, int count, sqlite3_value **values)
{
    PyObject *bound = PyObject_GetAttrString(instance, method->name), *args = NULL, *result = NULL;
    const char *message = bound == NULL ? method->undefined : method->raised;
    if (bound != NULL)
        args = value_arguments(count, values, NULL);
    if (args != NULL)
        result = PyObject_CallObject(bound, args);
    if (result == NULL)
        fail(context, callable, message);
    Py_XDECREF(bound);
    Py_XDECREF(args);
    return result;
}

static void call_step(sqlite3_context *context, int count, sqlite3_value **values, const method_t *method)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = get_callable(context),
             **place = sqlite3_aggregate_context(context, sizeof(PyObject *));
    PyObject *result = NULL;
    if (place == NULL)
        sqlite3_result_error_nomem(context);
    else if (*place == NULL && (*place = PyObject_CallNoArgs(callable)) == NULL)
        fail(context, callable, "user-defined aggregate's '__init__' method raised error");
    else
        result = call_method(context, callable, *place, method, count, values);
    Py_XDECREF(result);
    Py_DECREF(callable);
    callback_leave(&frame);
}

static void aggregate_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    call_step(context, count, values, &step_method);
}

static void aggregate_inverse(sqlite3_context *context, int count, sqlite3_value **values)
{
    call_step(context, count, values, &inverse_method);
}

static void set_method_result(sqlite3_context *context, PyObject *callable, PyObject *instance,
                              const method_t *method)
{
    PyObject *result = call_method(context, callable, instance, method, 0, NULL);
    if (result != NULL && value_set_result(context, result) < 0)
        fail(context, callable, method->raised);
    Py_XDECREF(result);
}

static void aggregate_value(sqlite3_context *context)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = get_callable(context),
             **place = sqlite3_aggregate_context(context, sizeof(PyObject *));
    if (place != NULL && *place != NULL)
        set_method_result(context, callable, *place, &value_method);
    Py_DECREF(callable);
    callback_leave(&frame);
}

static void aggregate_finalize(sqlite3_context *context)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = get_callable(context), **place = sqlite3_aggregate_context(context, 0);
    /* No instance: there were no rows, or it could not be made. */
    if (place != NULL && *place != NULL) {
        PyObject *instance = *place;
        *place = NULL;
        set_method_result(context, callable, instance, &finalize_method);
        Py_DECREF(instance);
    }
    Py_DECREF(callable);
    callback_leave(&frame);
}

/* ---- Creating them ---- */

enum { KIND_FUNCTION, KIND_AGGREGATE, KIND_WINDOW };

/* Makes callable (None: nothing) the function of this name; the library's code, or -1 with an exception. */
static int create(database_t *d, int kind, const char *name, int count, int flags, PyObject *callable)
{
    int rc = SQLITE_OK;
    callback_t *c = callable != Py_None ? callback_new_locked(d, callable) : NULL;
    if (callable != Py_None && c == NULL)
        return -1;
    void (*destroy)(void *) = c != NULL ? callback_free : NULL;
    flags |= SQLITE_UTF8;
    if (kind == KIND_FUNCTION)
        rc = sqlite3_create_function_v2(d->db, name, count, flags, c, c != NULL ? call_function : NULL, NULL,
                                        NULL, destroy);
    else if (kind == KIND_AGGREGATE)
        rc = sqlite3_create_function_v2(d->db, name, count, flags, c, NULL, c != NULL ? aggregate_step : NULL,
                                        c != NULL ? aggregate_finalize : NULL, destroy);
    else if (c != NULL)
        rc = sqlite3_create_window_function(d->db, name, count, flags, c, aggregate_step, aggregate_finalize,
                                            aggregate_value, aggregate_inverse, destroy);
    else
        rc = sqlite3_create_function_v2(d->db, name, count, flags, NULL, NULL, NULL, NULL, NULL);
    return rc;
}

PyObject *connection_create_function(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "narg", "func", "deterministic", NULL};
    const char *name;
    int count, is_deterministic = 0;
    PyObject *callable;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO|$p:create_function", keywords, &name, &count,
                                     &callable, &is_deterministic))
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int rc = create(d, KIND_FUNCTION, name, count, is_deterministic ? SQLITE_DETERMINISTIC : 0, callable);
    connection_leave(d);
    if (rc > 0)
        error_set(E_OperationalError, "Error creating function");
    return rc == SQLITE_OK ? Py_NewRef(Py_None) : NULL;
}

PyObject *connection_create_aggregate(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "n_arg", "aggregate_class", NULL};
    const char *name;
    int count;
    PyObject *callable;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO:create_aggregate", keywords, &name, &count,
                                     &callable))
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int rc = create(d, KIND_AGGREGATE, name, count, 0, callable);
    connection_leave(d);
    if (rc > 0)
        error_set(E_OperationalError, "Error creating aggregate");
    return rc == SQLITE_OK ? Py_NewRef(Py_None) : NULL;
}

PyObject *connection_create_window_function(PyObject *op, PyObject *args)
{
    const char *name;
    int count;
    PyObject *callable, *unused[3];
    if (!PyArg_UnpackTuple(args, "create_window_function", 3, 3, &unused[0], &unused[1], &unused[2]) ||
        !PyArg_ParseTuple(args, "siO:create_window_function", &name, &count, &callable))
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    int rc = create(d, KIND_WINDOW, name, count, 0, callable);
    connection_leave(d);
    if (rc > 0)
        error_set(E_ProgrammingError, sqlite3_errstr(rc));
    return rc == SQLITE_OK ? Py_NewRef(Py_None) : NULL;
}

/* ---- Collations ---- */

static int ask_collation(PyObject *callable, int size_a, const void *a, int size_b, const void *b)
{
    PyObject *text_a = PyUnicode_FromStringAndSize(a, size_a),
             *text_b = PyUnicode_FromStringAndSize(b, size_b);
    PyObject *result = NULL;
    int overflow = 0, sign = 0;
    if (text_a != NULL && text_b != NULL)
        result = PyObject_CallFunctionObjArgs(callable, text_a, text_b, NULL);
    if (result != NULL) {
        long n = PyLong_AsLongAndOverflow(result, &overflow);
        sign = overflow != 0 ? overflow : (n > 0) - (n < 0);
        if (n == -1 && PyErr_Occurred())
            sign = 0;
    }
    callback_report(callable);
    Py_XDECREF(text_a);
    Py_XDECREF(text_b);
    Py_XDECREF(result);
    return sign;
}

static int call_collation(void *callback, int size_a, const void *a, int size_b, const void *b)
{
    callback_frame frame;
    callback_enter(&frame);
    PyObject *callable = Py_NewRef(((callback_t *)callback)->callable);
    int sign = ask_collation(callable, size_a, a, size_b, b);
    Py_DECREF(callable);
    callback_leave(&frame);
    return sign;
}

PyObject *connection_create_collation(PyObject *op, PyObject *args)
{
    const char *name;
    PyObject *callable, *unused[2];
    if (!PyArg_UnpackTuple(args, "create_collation", 2, 2, &unused[0], &unused[1]) ||
        !PyArg_ParseTuple(args, "sO:create_collation", &name, &callable))
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    callback_t *c = NULL;
    PyObject *result = NULL;
    if (callable != Py_None && !PyCallable_Check(callable))
        PyErr_SetString(PyExc_TypeError, "parameter must be callable");
    else if (callable == Py_None || (c = callback_new_locked(d, callable)) != NULL) {
        int rc = sqlite3_create_collation_v2(d->db, name, SQLITE_UTF8, c, c != NULL ? call_collation : NULL,
                                             c != NULL ? callback_free : NULL);
        if (rc == SQLITE_OK)
            result = Py_NewRef(Py_None);
        else {
            callback_free(c); /* unlike functions, it is not freed by the library */
            error_raise(d->db);
        }
    }
    connection_leave(d);
    return result;
}
