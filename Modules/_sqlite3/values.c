/* Values of the library and of Python: parameters, function arguments and results, columns. */
#include "sqlite_internal.h"

/* ---- From Python ---- */

static int get_int64(PyObject *value, sqlite3_int64 *result)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (overflow != 0) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to SQLite INTEGER");
        return -1;
    }
    *result = number;
    return 0;
}

static int check_size(Py_ssize_t n, const char *message)
{
    if (n <= INT_MAX)
        return 0;
    PyErr_SetString(PyExc_OverflowError, message);
    return -1;
}

static const char *get_text(PyObject *value, Py_ssize_t *n)
{
    const char *text = PyUnicode_AsUTF8AndSize(value, n);
    return text == NULL || check_size(*n, "string longer than INT_MAX bytes") < 0 ? NULL : text;
}

static int get_buffer(PyObject *value, Py_buffer *view)
{
    if (PyObject_GetBuffer(value, view, PyBUF_SIMPLE) < 0)
        return -1;
    if (check_size(view->len, "BLOB longer than INT_MAX bytes") == 0)
        return 0;
    PyBuffer_Release(view);
    return -1;
}

int value_bind(sqlite3_stmt *st, int index, PyObject *value)
{
    int rc = SQLITE_OK;
    if (value == Py_None)
        rc = sqlite3_bind_null(st, index);
    else if (PyLong_Check(value)) {
        sqlite3_int64 number;
        if (get_int64(value, &number) < 0)
            return -1;
        rc = sqlite3_bind_int64(st, index, number);
    } else if (PyFloat_Check(value))
        rc = sqlite3_bind_double(st, index, PyFloat_AS_DOUBLE(value));
    else if (PyUnicode_Check(value)) {
        Py_ssize_t n;
        const char *text = get_text(value, &n);
        if (text == NULL)
            return -1;
        rc = sqlite3_bind_text(st, index, text, (int)n, SQLITE_TRANSIENT);
    } else if (PyObject_CheckBuffer(value)) {
        Py_buffer view;
        if (get_buffer(value, &view) < 0)
            return -1;
        rc = sqlite3_bind_blob(st, index, view.buf, (int)view.len, SQLITE_TRANSIENT);
        PyBuffer_Release(&view);
    } else
        return 1;
    return rc == SQLITE_OK ? 0 : error_raise(sqlite3_db_handle(st));
}

int value_set_result(sqlite3_context *context, PyObject *value)
{
    if (value == Py_None)
        sqlite3_result_null(context);
    else if (PyLong_Check(value)) {
        sqlite3_int64 number;
        if (get_int64(value, &number) < 0)
            return -1;
        sqlite3_result_int64(context, number);
    } else if (PyFloat_Check(value))
        sqlite3_result_double(context, PyFloat_AS_DOUBLE(value));
    else if (PyUnicode_Check(value)) {
        Py_ssize_t n;
        const char *text = get_text(value, &n);
        if (text == NULL)
            return -1;
        sqlite3_result_text(context, text, (int)n, SQLITE_TRANSIENT);
    } else if (PyObject_CheckBuffer(value)) {
        Py_buffer view;
        if (get_buffer(value, &view) < 0)
            return -1;
        sqlite3_result_blob(context, view.buf, (int)view.len, SQLITE_TRANSIENT);
        PyBuffer_Release(&view);
    } else
        return -1;
    return 0;
}

/* ---- To Python ---- */

static PyObject *from_value(sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        return text == NULL ? PyErr_NoMemory()
                            : PyUnicode_FromStringAndSize(text, sqlite3_value_bytes(value));
    }
    case SQLITE_BLOB: {
        const char *data = sqlite3_value_blob(value);
        return PyBytes_FromStringAndSize(data, sqlite3_value_bytes(value));
    }
    default:
        return Py_NewRef(Py_None);
    }
}

PyObject *value_arguments(int count, sqlite3_value **values, PyObject *first)
{
    int skip = first != NULL;
    PyObject *args = PyTuple_New(count + skip);
    if (args != NULL && skip)
        PyTuple_SET_ITEM(args, 0, Py_NewRef(first));
    for (int i = 0; args != NULL && i < count; i++) {
        PyObject *value = from_value(values[i]);
        if (value == NULL)
            Py_CLEAR(args);
        else
            PyTuple_SET_ITEM(args, i + skip, value);
    }
    return args;
}

static PyObject *convert_column(sqlite3_stmt *st, int column, PyObject *converter)
{
    const char *data = sqlite3_column_blob(st, column);
    if (data == NULL)
        return sqlite3_errcode(sqlite3_db_handle(st)) == SQLITE_NOMEM ? PyErr_NoMemory() : Py_NewRef(Py_None);
    PyObject *bytes = PyBytes_FromStringAndSize(data, sqlite3_column_bytes(st, column)), *value = NULL;
    if (bytes != NULL)
        value = PyObject_CallOneArg(converter, bytes);
    Py_XDECREF(bytes);
    return value;
}

static PyObject *decode_column(sqlite3_stmt *st, int column, const char *text, Py_ssize_t n)
{
    PyObject *value = PyUnicode_FromStringAndSize(text, n);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return value;
    PyErr_Clear();
    PyObject *bytes = PyBytes_FromStringAndSize(text, n), *shown = NULL;
    if (bytes != NULL)
        shown = PyUnicode_FromEncodedObject(bytes, "ascii", "replace");
    if (shown != NULL)
        PyErr_Format(sqlite_class[E_OperationalError], "Could not decode to UTF-8 column '%s' with text '%U'",
                     sqlite3_column_name(st, column), shown);
    Py_XDECREF(bytes);
    Py_XDECREF(shown);
    return NULL;
}

static PyObject *text_column(sqlite3_stmt *st, int column, PyObject *factory)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    if (text == NULL)
        return PyErr_NoMemory();
    Py_ssize_t n = sqlite3_column_bytes(st, column);
    if (factory == (PyObject *)&PyUnicode_Type)
        return decode_column(st, column, text, n);
    if (factory == (PyObject *)&PyByteArray_Type)
        return PyByteArray_FromStringAndSize(text, n);
    PyObject *bytes = PyBytes_FromStringAndSize(text, n), *value;
    if (bytes == NULL || factory == (PyObject *)&PyBytes_Type)
        return bytes;
    value = PyObject_CallOneArg(factory, bytes);
    Py_DECREF(bytes);
    return value;
}

static PyObject *column_value(sqlite3_stmt *st, int column, PyObject *text_factory)
{
    switch (sqlite3_column_type(st, column)) {
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_column_int64(st, column));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_column_double(st, column));
    case SQLITE_TEXT:
        return text_column(st, column, text_factory);
    case SQLITE_BLOB: {
        const char *data = sqlite3_column_blob(st, column);
        return PyBytes_FromStringAndSize(data, sqlite3_column_bytes(st, column));
    }
    default:
        return Py_NewRef(Py_None);
    }
}

PyObject *value_row(sqlite3_stmt *st, PyObject *converters, PyObject *text_factory)
{
    int count = sqlite3_data_count(st);
    PyObject *row = PyTuple_New(count);
    for (int i = 0; row != NULL && i < count; i++) {
        PyObject *converter = converters != NULL && i < PyTuple_GET_SIZE(converters)
                                  ? PyTuple_GET_ITEM(converters, i)
                                  : Py_None;
        PyObject *value =
            converter != Py_None ? convert_column(st, i, converter) : column_value(st, i, text_factory);
        if (value == NULL)
            Py_CLEAR(row);
        else
            PyTuple_SET_ITEM(row, i, value);
    }
    return row;
}
