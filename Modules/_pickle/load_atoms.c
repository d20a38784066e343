/* Loading what contains no other objects, and the memo and frame opcodes. */
#include "pickle_internal.h"

static int fail(const char *text)
{
    PyErr_SetString(pickle_state.unpickling_error, text);
    return -1;
}

LOADER(load_none)
{
    return stack_push_steal(u, Py_NewRef(Py_None));
}

LOADER(load_bool)
{
    return stack_push_steal(u, PyBool_FromLong(argument));
}

/* ---- Numbers ---- */

LOADER(load_binint)
{
    uint64_t n;
    if (in_read_number(u, argument, &n) < 0)
        return -1;
    return stack_push_steal(u, PyLong_FromLong(argument == 4 ? (int32_t)n : (long)n));
}

LOADER(load_int)
{
    char *line, *end;
    Py_ssize_t n;
    if (in_read_line(u, 2, &line, &n) < 0)
        return -1;
    errno = 0;
    long value = strtol(line, &end, 0);
    if (errno == 0 && (*end == '\n' || *end == 0)) {
        if (n == 3 && (value == 0 || value == 1))
            return stack_push_steal(u, PyBool_FromLong(value));     /* "00" and "01" */
        return stack_push_steal(u, PyLong_FromLong(value));
    }
    PyObject *result = PyLong_FromString(line, NULL, 0);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_ValueError))
        PyErr_SetString(PyExc_ValueError, "could not convert string to int");
    return stack_push_steal(u, result);
}

LOADER(load_long)
{
    char *line;
    Py_ssize_t n;
    if (in_read_line(u, 2, &line, &n) < 0)
        return -1;
    if (line[n - 2] == 'L')
        line[n - 2] = 0;
    return stack_push_steal(u, PyLong_FromString(line, NULL, 0));
}

LOADER(load_counted_long)
{
    uint64_t n;
    const char *data;
    if (in_read_number(u, argument, &n) < 0)
        return -1;
    if (n > INT32_MAX)
        return fail("LONG pickle has negative byte count");
    if (in_read(u, (Py_ssize_t)n, &data) < 0)
        return -1;
    return stack_push_steal(u, n == 0 ? PyLong_FromLong(0) : _PyLong_FromByteArray((const unsigned char *)data, n, 1, 1));
}

LOADER(load_float)
{
    char *line, *end;
    Py_ssize_t n;
    if (in_read_line(u, 2, &line, &n) < 0)
        return -1;
    double value = PyOS_string_to_double(line, &end, PyExc_OverflowError);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    if (*end != '\n' && *end != 0) {
        PyErr_SetString(PyExc_ValueError, "could not convert string to float");
        return -1;
    }
    return stack_push_steal(u, PyFloat_FromDouble(value));
}

LOADER(load_binfloat)
{
    const char *data;
    if (in_read(u, 8, &data) < 0)
        return -1;
    double value = PyFloat_Unpack8(data, 0);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    return stack_push_steal(u, PyFloat_FromDouble(value));
}

/* ---- Strings ---- */

/* The length in front of a string. */
static int read_size(unpickler_t *u, int width, const char *what, Py_ssize_t *size)
{
    uint64_t n;
    if (in_read_number(u, width, &n) < 0)
        return -1;
    if (n > PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s exceeds system's maximum size of %zd bytes", what, PY_SSIZE_T_MAX);
        return -1;
    }
    *size = (Py_ssize_t)n;
    return 0;
}

/* A str of Python 2, decoded as the program wants. */
static PyObject *decode_old(unpickler_t *u, const char *data, Py_ssize_t n)
{
    const char *encoding = PyUnicode_AsUTF8(u->encoding), *errors = PyUnicode_AsUTF8(u->errors);
    if (encoding == NULL || errors == NULL)
        return NULL;
    return strcmp(encoding, "bytes") == 0 ? PyBytes_FromStringAndSize(data, n) : PyUnicode_Decode(data, n, encoding, errors);
}

LOADER(load_string)
{
    char *line;
    Py_ssize_t n;
    if (in_read_line(u, 0, &line, &n) < 0)
        return -1;
    n--;        /* the line feed */
    if (n < 2 || line[0] != line[n - 1] || (line[0] != '"' && line[0] != '\''))
        return fail("the STRING opcode argument must be quoted");
    PyObject *bytes = PyBytes_DecodeEscape(line + 1, n - 2, NULL, 0, NULL);
    if (bytes == NULL)
        return -1;
    PyObject *value = decode_old(u, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return stack_push_steal(u, value);
}

LOADER(load_counted_string)
{
    Py_ssize_t n;
    const char *data;
    if (read_size(u, argument, "BINSTRING", &n) < 0 || in_read(u, n, &data) < 0)
        return -1;
    return stack_push_steal(u, decode_old(u, data, n));
}

LOADER(load_unicode)
{
    char *line;
    Py_ssize_t n;
    if (in_read_line(u, 1, &line, &n) < 0)
        return -1;
    return stack_push_steal(u, PyUnicode_DecodeRawUnicodeEscape(line, n - 1, NULL));
}

LOADER(load_counted_unicode)
{
    Py_ssize_t n;
    const char *data;
    if (read_size(u, argument, "BINUNICODE", &n) < 0 || in_read(u, n, &data) < 0)
        return -1;
    return stack_push_steal(u, PyUnicode_DecodeUTF8(data, n, "surrogatepass"));
}

/* Is it worth making the object before its content has come? Not if the length may be a lie: memory is taken as data
 * arrives for what is longer than this. */
enum { TRUSTED_SIZE = 1 << 20 };

LOADER(load_counted_bytes)
{
    Py_ssize_t n;
    const char *data;
    if (read_size(u, argument, "BINBYTES", &n) < 0)
        return -1;
    if (n > TRUSTED_SIZE && (u->read == NULL || u->readinto == NULL)) {
        if (in_read(u, n, &data) < 0)
            return -1;
        return stack_push_steal(u, PyBytes_FromStringAndSize(data, n));
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (bytes != NULL && n > 0 && in_read_into(u, PyBytes_AS_STRING(bytes), n) < 0)
        Py_CLEAR(bytes);
    return stack_push_steal(u, bytes);
}

LOADER(load_bytearray)
{
    Py_ssize_t n;
    const char *data;
    if (read_size(u, argument, "BYTEARRAY8", &n) < 0)
        return -1;
    if (n > TRUSTED_SIZE && (u->read == NULL || u->readinto == NULL)) {
        if (in_read(u, n, &data) < 0)
            return -1;
        return stack_push_steal(u, PyByteArray_FromStringAndSize(data, n));
    }
    PyObject *array = PyByteArray_FromStringAndSize(NULL, n);
    if (array != NULL && n > 0 && in_read_into(u, PyByteArray_AS_STRING(array), n) < 0)
        Py_CLEAR(array);
    return stack_push_steal(u, array);
}

/* ---- Buffers out of band ---- */

LOADER(load_next_buffer)
{
    if (u->buffers == NULL)
        return fail("pickle stream refers to out-of-band data but no *buffers* argument was given");
    PyObject *buffer = PyIter_Next(u->buffers);
    if (buffer == NULL && !PyErr_Occurred())
        return fail("not enough out-of-band buffers");
    return stack_push_steal(u, buffer);
}

LOADER(load_readonly_buffer)
{
    PyObject *buffer = stack_pop(u), *view;
    if (buffer == NULL)
        return -1;
    view = PyMemoryView_FromObject(buffer);
    if (view != NULL && PyMemoryView_GET_BUFFER(view)->readonly) {
        Py_DECREF(view);
        return stack_push_steal(u, buffer);
    }
    Py_DECREF(buffer);
    if (view != NULL)
        Py_SETREF(view, PyObject_CallMethod(view, "toreadonly", NULL));
    return stack_push_steal(u, view);
}

/* ---- Persistent ids ---- */

static int load_persistent(unpickler_t *u, PyObject *id)
{
    PyObject *value = NULL;
    if (id == NULL)
        return -1;
    if (u->persistent_load.function == NULL)
        fail("A load persistent id instruction was encountered,\nbut no persistent_load function was specified.");
    else
        value = hook_call(&u->persistent_load, (PyObject *)u, id);
    Py_DECREF(id);
    return stack_push_steal(u, value);
}

LOADER(load_persid)
{
    char *line;
    Py_ssize_t n;
    if (u->persistent_load.function == NULL)
        return load_persistent(u, Py_NewRef(Py_None));
    if (in_read_line(u, 1, &line, &n) < 0)
        return -1;
    PyObject *id = PyUnicode_DecodeASCII(line, n - 1, "strict");
    if (id == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return fail("persistent IDs in protocol 0 must be ASCII strings");
    return load_persistent(u, id);
}

LOADER(load_binpersid)
{
    if (u->persistent_load.function == NULL)
        return load_persistent(u, Py_NewRef(Py_None));
    return load_persistent(u, stack_pop(u));
}

/* ---- Memo ---- */

/* A line with a number; negative ones give -1 and no exception unless *failed is set. */
static Py_ssize_t read_index(unpickler_t *u, int *failed)
{
    char *line;
    Py_ssize_t n;
    *failed = 1;
    if (in_read_line(u, 2, &line, &n) < 0)
        return -1;
    PyObject *number = PyLong_FromString(line, NULL, 10);
    if (number == NULL)
        return -1;
    Py_ssize_t index = PyLong_AsSsize_t(number);
    Py_DECREF(number);
    *failed = index == -1 && PyErr_Occurred();
    return index;
}

LOADER(load_get)
{
    int failed;
    Py_ssize_t index = read_index(u, &failed);
    if (failed)
        return -1;
    return stack_push_steal(u, load_memo_get(u, (size_t)index));
}

LOADER(load_binget)
{
    uint64_t index;
    if (in_read_number(u, argument, &index) < 0)
        return -1;
    return stack_push_steal(u, load_memo_get(u, index));
}

/* The top of the stack goes into the memo. */
static int put(unpickler_t *u, size_t index)
{
    return u->depth <= u->fence ? stack_underflow(u) : load_memo_put(u, index, u->stack[u->depth - 1]);
}

LOADER(load_put)
{
    int failed;
    Py_ssize_t index;
    if (u->depth <= u->fence)
        return stack_underflow(u);
    index = read_index(u, &failed);
    if (failed)
        return -1;
    if (index < 0) {
        PyErr_SetString(PyExc_ValueError, "negative PUT argument");
        return -1;
    }
    return put(u, (size_t)index);
}

LOADER(load_binput)
{
    uint64_t index;
    return in_read_number(u, argument, &index) < 0 ? -1 : put(u, index);
}

LOADER(load_memoize)
{
    return put(u, u->memo_used);
}

/* ---- The stream ---- */

LOADER(load_proto)
{
    uint64_t n;
    if (in_read_number(u, 1, &n) < 0)
        return -1;
    if (n > HIGHEST_PROTOCOL) {
        PyErr_Format(PyExc_ValueError, "unsupported pickle protocol: %d", (int)n);
        return -1;
    }
    u->protocol = (int)n;
    return 0;
}

LOADER(load_frame)
{
    uint64_t n;
    const char *data;
    if (in_read_number(u, 8, &n) < 0)
        return -1;
    if (n > PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_OverflowError, "FRAME length exceeds system's maximum of %zu bytes", (size_t)PY_SSIZE_T_MAX);
        return -1;
    }
    /* the whole frame at once; it is taken apart afterwards */
    if (in_read(u, (Py_ssize_t)n, &data) < 0)
        return -1;
    u->in_position -= (Py_ssize_t)n;
    return 0;
}
