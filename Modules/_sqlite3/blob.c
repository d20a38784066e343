/* BLOBs that are read and written in place. */
#include "sqlite_internal.h"

#define BLOB(op) ((blob_t *)(op))

/* ---- Opening and closing ---- */

static void unlink_blob(blob_t *b)
{
    if (b->link == NULL)
        return;
    *b->link = b->next;
    if (b->next != NULL)
        b->next->link = b->link;
    b->link = NULL;
}

void blob_close_locked(blob_t *b)
{
    sqlite3_blob *handle = b->blob;
    unlink_blob(b);
    b->blob = NULL;
    if (handle == NULL)
        return;
    Py_BEGIN_ALLOW_THREADS;
    (void)sqlite3_blob_close(handle);
    Py_END_ALLOW_THREADS;
}

/* Caller holds the lock. */
static PyObject *open_blob(PyObject *connection, database_t *d, const char *database, const char *table,
                           const char *column, sqlite3_int64 row, int readonly)
{
    blob_t *b = PyObject_GC_New(blob_t, &blob_type);
    int rc;
    if (b == NULL)
        return NULL;
    b->connection = (connection_t *)Py_NewRef(connection);
    b->database = database_incref(d);
    b->blob = NULL;
    b->offset = 0;
    b->link = NULL;
    b->weakrefs = NULL;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_blob_open(d->db, database, table, column, row, !readonly, &b->blob);
    Py_END_ALLOW_THREADS;
    if (rc != SQLITE_OK) {
        error_raise(d->db);
        Py_DECREF(b);
        return NULL;
    }
    b->next = d->blobs;
    b->link = &d->blobs;
    if (b->next != NULL)
        b->next->link = &b->next;
    d->blobs = b;
    PyObject_GC_Track(b);
    return (PyObject *)b;
}

PyObject *connection_blobopen(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "", "", "readonly", "name", NULL};
    const char *table, *column, *database = "main";
    PyObject *row_arg;
    int readonly = 0, overflow;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ssO|$ps:blobopen", keywords, &table, &column, &row_arg,
                                     &readonly, &database))
        return NULL;
    PyObject *index = PyNumber_Index(row_arg);
    if (index == NULL)
        return NULL;
    long long row = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0)
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to SQLite INTEGER");
    if (row == -1 && PyErr_Occurred())
        return NULL;
    database_t *d = connection_enter((connection_t *)op, CHECK_THREAD);
    if (d == NULL)
        return NULL;
    PyObject *b = open_blob(op, d, database, table, column, row, readonly);
    connection_leave(d);
    return b;
}

static void blob_dealloc(PyObject *op)
{
    blob_t *b = BLOB(op);
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(b->weakrefs))
        PyObject_ClearWeakRefs(op);
    PyObject *raised = PyErr_GetRaisedException();
    database_lock(b->database);
    blob_close_locked(b);
    database_unlock(b->database);
    database_decref(b->database);
    Py_XDECREF(b->connection);
    PyErr_SetRaisedException(raised);
    PyObject_GC_Del(op);
}

static int blob_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(BLOB(op)->connection);
    return 0;
}

/* ---- Entering and leaving methods ---- */

/* Locks the database; 0, or -1 with an exception. needs_blob: an open one. */
static int enter(blob_t *b, int needs_blob)
{
    database_t *d = connection_enter(b->connection, CHECK_THREAD);
    if (d == NULL)
        return -1;
    database_lock(b->database); /* another one, if the connection was initialised again */
    connection_leave(d);
    if (b->blob != NULL || !needs_blob)
        return 0;
    error_set(E_ProgrammingError, "Cannot operate on a closed blob.");
    database_unlock(b->database);
    return -1;
}

static void leave(blob_t *b)
{
    PyObject *raised = PyErr_GetRaisedException();
    database_unlock(b->database);
    PyErr_SetRaisedException(raised);
}

/* ---- Transfer; the caller holds the lock and has checked the range ---- */

static PyObject *read_range(blob_t *b, int start, int n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    int rc;
    if (bytes == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_blob_read(b->blob, PyBytes_AS_STRING(bytes), n, start);
    Py_END_ALLOW_THREADS;
    if (rc != SQLITE_OK) {
        Py_DECREF(bytes);
        error_raise(b->database->db);
        return NULL;
    }
    return bytes;
}

static int write_range(blob_t *b, const void *data, int start, Py_ssize_t n)
{
    int rc;
    if (n > sqlite3_blob_bytes(b->blob) - start) {
        PyErr_SetString(PyExc_ValueError, "data longer than blob length");
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS;
    rc = sqlite3_blob_write(b->blob, data, (int)n, start);
    Py_END_ALLOW_THREADS;
    return rc == SQLITE_OK ? 0 : error_raise(b->database->db);
}

/* ---- Methods ---- */

static PyObject *blob_close(PyObject *op, PyObject *unused)
{
    if (enter(BLOB(op), 0) < 0)
        return NULL;
    blob_close_locked(BLOB(op));
    leave(BLOB(op));
    Py_RETURN_NONE;
}

static PyObject *blob_read(PyObject *op, PyObject *args)
{
    blob_t *b = BLOB(op);
    int n = -1;
    if (!PyArg_ParseTuple(args, "|i:read", &n) || enter(b, 1) < 0)
        return NULL;
    int left = sqlite3_blob_bytes(b->blob) - b->offset;
    if (n < 0 || n > left)
        n = left;
    PyObject *bytes = n == 0 ? PyBytes_FromStringAndSize(NULL, 0) : read_range(b, b->offset, n);
    if (bytes != NULL)
        b->offset += n;
    leave(b);
    return bytes;
}

static PyObject *blob_write(PyObject *op, PyObject *data)
{
    blob_t *b = BLOB(op);
    Py_buffer view;
    int failed = 1;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (enter(b, 1) == 0) {
        failed = write_range(b, view.buf, b->offset, view.len) < 0;
        if (!failed)
            b->offset += (int)view.len;
        leave(b);
    }
    PyBuffer_Release(&view);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* The new place; -1 with an exception. */
static int find_offset(blob_t *b, int offset, int origin)
{
    int size = sqlite3_blob_bytes(b->blob), base;
    switch (origin) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = b->offset;
        break;
    case SEEK_END:
        base = size;
        break;
    default:
        PyErr_SetString(PyExc_ValueError, "'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END");
        return -1;
    }
    if (offset > INT_MAX - base) {
        PyErr_SetString(PyExc_OverflowError, "seek offset results in overflow");
        return -1;
    }
    offset += base;
    if (offset >= 0 && offset <= size)
        return offset;
    PyErr_SetString(PyExc_ValueError, "offset out of blob range");
    return -1;
}

static PyObject *blob_seek(PyObject *op, PyObject *args)
{
    blob_t *b = BLOB(op);
    int offset, origin = SEEK_SET;
    if (!PyArg_ParseTuple(args, "i|i:seek", &offset, &origin) || enter(b, 1) < 0)
        return NULL;
    int place = find_offset(b, offset, origin);
    if (place >= 0)
        b->offset = place;
    leave(b);
    return place < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *blob_tell(PyObject *op, PyObject *unused)
{
    if (enter(BLOB(op), 1) < 0)
        return NULL;
    int offset = BLOB(op)->offset;
    leave(BLOB(op));
    return PyLong_FromLong(offset);
}

static PyObject *blob_enter_with(PyObject *op, PyObject *unused)
{
    if (enter(BLOB(op), 1) < 0)
        return NULL;
    leave(BLOB(op));
    return Py_NewRef(op);
}

static PyObject *blob_exit(PyObject *op, PyObject *args)
{
    if (enter(BLOB(op), 1) < 0)
        return NULL;
    blob_close_locked(BLOB(op));
    leave(BLOB(op));
    Py_RETURN_FALSE;
}

/* ---- Items and slices ---- */

static Py_ssize_t blob_length(PyObject *op)
{
    if (enter(BLOB(op), 1) < 0)
        return -1;
    int n = sqlite3_blob_bytes(BLOB(op)->blob);
    leave(BLOB(op));
    return n;
}

/* Checks an index; the place, or -1 with an exception. Caller holds the lock. */
static int find_index(blob_t *b, PyObject *key)
{
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred())
        return -1;
    int n = b->blob != NULL ? sqlite3_blob_bytes(b->blob) : 0; /* __index__ may have closed it */
    if (i < 0)
        i += n;
    if (i >= 0 && i < n)
        return (int)i;
    PyErr_SetString(PyExc_IndexError, "Blob index out of range");
    return -1;
}

/* The parts of a slice for the blob's size; how many items, or -1. Caller holds the lock. */
static Py_ssize_t find_slice(blob_t *b, PyObject *slice, Py_ssize_t *start, Py_ssize_t *step)
{
    Py_ssize_t stop;
    if (PySlice_Unpack(slice, start, &stop, step) < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "Blob indices must be integers");
        return -1;
    }
    return PySlice_AdjustIndices(b->blob != NULL ? sqlite3_blob_bytes(b->blob) : 0, start, &stop, *step);
}

static PyObject *get_item(blob_t *b, PyObject *key)
{
    int i = find_index(b, key);
    PyObject *bytes = i >= 0 ? read_range(b, i, 1) : NULL, *result = NULL;
    if (bytes != NULL)
        result = PyLong_FromLong((unsigned char)PyBytes_AS_STRING(bytes)[0]);
    Py_XDECREF(bytes);
    return result;
}

static PyObject *get_slice(blob_t *b, PyObject *slice)
{
    Py_ssize_t start, step, n = find_slice(b, slice, &start, &step);
    if (n < 0)
        return NULL;
    if (n == 0)
        return PyBytes_FromStringAndSize(NULL, 0);
    if (step == 1)
        return read_range(b, (int)start, (int)n);
    Py_ssize_t last = start + (n - 1) * step, low = Py_MIN(start, last);
    PyObject *all = read_range(b, (int)low, (int)(Py_MAX(start, last) - low + 1));
    PyObject *result = all != NULL ? PyBytes_FromStringAndSize(NULL, n) : NULL;
    for (Py_ssize_t i = 0; result != NULL && i < n; i++)
        PyBytes_AS_STRING(result)[i] = PyBytes_AS_STRING(all)[start + i * step - low];
    Py_XDECREF(all);
    return result;
}

static PyObject *blob_subscript(PyObject *op, PyObject *key)
{
    blob_t *b = BLOB(op);
    PyObject *result = NULL;
    if (enter(b, 1) < 0)
        return NULL;
    if (PyIndex_Check(key))
        result = get_item(b, key);
    else if (PySlice_Check(key))
        result = get_slice(b, key);
    else
        PyErr_SetString(PyExc_TypeError, "Blob indices must be integers");
    leave(b);
    return result;
}

static int set_item(blob_t *b, PyObject *key, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "Blob doesn't support item deletion");
        return -1;
    }
    int i = find_index(b, key);
    if (i < 0)
        return -1;
    PyObject *index = PyNumber_Index(value);
    if (index == NULL)
        return -1;
    int overflow;
    long byte = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0 || byte < 0 || byte > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    unsigned char data = (unsigned char)byte;
    return b->blob != NULL ? write_range(b, &data, i, 1)
                           : (error_set(E_ProgrammingError, "Cannot operate on a closed blob."), -1);
}

/* Writes n bytes into every step-th place. */
static int write_spread(blob_t *b, const char *data, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t last = start + (n - 1) * step, low = Py_MIN(start, last);
    PyObject *all = read_range(b, (int)low, (int)(Py_MAX(start, last) - low + 1));
    if (all == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        PyBytes_AS_STRING(all)[start + i * step - low] = data[i];
    int failed = write_range(b, PyBytes_AS_STRING(all), (int)low, PyBytes_GET_SIZE(all));
    Py_DECREF(all);
    return failed;
}

static int set_slice(blob_t *b, PyObject *slice, PyObject *value)
{
    Py_ssize_t start, step, n;
    Py_buffer view;
    int failed = -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "Blob doesn't support slice deletion");
        return -1;
    }
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    n = find_slice(b, slice, &start, &step);
    if (n >= 0 && n != view.len)
        PyErr_SetString(PyExc_IndexError, "Blob slice assignment is wrong size");
    else if (n == 0)
        failed = 0;
    else if (n > 0)
        failed =
            step == 1 ? write_range(b, view.buf, (int)start, n) : write_spread(b, view.buf, start, step, n);
    PyBuffer_Release(&view);
    return failed;
}

static int blob_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    blob_t *b = BLOB(op);
    int failed = -1;
    if (enter(b, 1) < 0)
        return -1;
    if (PyIndex_Check(key))
        failed = set_item(b, key, value);
    else if (PySlice_Check(key))
        failed = set_slice(b, key, value);
    else
        PyErr_SetString(PyExc_TypeError, "Blob indices must be integers");
    leave(b);
    return failed;
}

/* ---- The type ---- */

static PyMethodDef blob_methods[] = {
    {"close", blob_close, METH_NOARGS, "close($self, /)\n--\n\nCloses the blob."},
    {"read", blob_read, METH_VARARGS,
     "read($self, length=-1, /)\n--\n\nReads from the present place on; all unless told how much."},
    {"write", blob_write, METH_O,
     "write($self, data, /)\n--\n\nWrites at the present place; the size cannot change."},
    {"seek", blob_seek, METH_VARARGS, "seek($self, offset, origin=0, /)\n--\n\nGoes to another place."},
    {"tell", blob_tell, METH_NOARGS, "tell($self, /)\n--\n\nThe present place."},
    {"__enter__", blob_enter_with, METH_NOARGS, "__enter__($self, /)\n--\n\nThe blob itself."},
    {"__exit__", blob_exit, METH_VARARGS, "__exit__($self, type, val, tb, /)\n--\n\nCloses the blob."},
    {NULL, NULL, 0, NULL},
};

static PyMappingMethods blob_mapping = {
    .mp_length = blob_length,
    .mp_subscript = blob_subscript,
    .mp_ass_subscript = blob_ass_subscript,
};

PyTypeObject blob_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.Blob",
    .tp_basicsize = sizeof(blob_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A BLOB that is read and written in place.",
    .tp_weaklistoffset = offsetof(blob_t, weakrefs),
    .tp_as_mapping = &blob_mapping,
    .tp_methods = blob_methods,
    .tp_traverse = blob_traverse,
    .tp_dealloc = blob_dealloc,
};
