/* Saving what contains no other objects: None, numbers, bytes, strings, buffers. */
#include "pickle_internal.h"

int save_none(pickler_t *p)
{
    return out_op(p, OP_NONE);
}

int save_bool(pickler_t *p, PyObject *op)
{
    if (p->protocol >= 2)
        return out_op(p, op == Py_True ? OP_NEWTRUE : OP_NEWFALSE);
    return out_write(p, op == Py_True ? "I01\n" : "I00\n", 4);
}

/* ---- Numbers ---- */

/* 'I' or 'L', the digits, `end`. */
static int save_digits(pickler_t *p, int opcode, PyObject *op, const char *end)
{
    PyObject *text = PyObject_Repr(op);
    if (text == NULL)
        return -1;
    Py_ssize_t n;
    const char *digits = PyUnicode_AsUTF8AndSize(text, &n);
    int failed = digits == NULL || out_op(p, opcode) < 0 || out_write(p, digits, n) < 0
                 || out_write(p, end, (Py_ssize_t)strlen(end)) < 0;
    Py_DECREF(text);
    return failed ? -1 : 0;
}

/* LONG1 or LONG4: two's complement, as short as possible. */
static int save_big_int(pickler_t *p, PyObject *op)
{
    size_t bits = _PyLong_NumBits(op);
    if (bits == (size_t)-1 && PyErr_Occurred())
        return -1;
    size_t n = bits / 8 + 1;
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int too large to pickle");
        return -1;
    }
    unsigned char *bytes = PyMem_Malloc(n);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int failed = _PyLong_AsByteArray((PyLongObject *)op, bytes, n, 1, 1);
    if (!failed) {
        if (n > 1 && bytes[n - 1] == 0xff && (bytes[n - 2] & 0x80))
            n--;
        failed = out_op_number(p, n < 256 ? OP_LONG1 : OP_LONG4, n, n < 256 ? 1 : 4);
        if (!failed)
            failed = out_write(p, bytes, (Py_ssize_t)n);
    }
    PyMem_Free(bytes);
    return failed;
}

int save_int(pickler_t *p, PyObject *op)
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(op, &overflow);
    if (n == -1 && PyErr_Occurred())
        return -1;
    if (!overflow && n <= INT32_MAX && n >= INT32_MIN) {
        if (!pickler_is_binary(p))
            return save_digits(p, OP_INT, op, "\n");
        if (n >= 0 && n <= 0xff)
            return out_op_number(p, OP_BININT1, (uint64_t)n, 1);
        if (n >= 0 && n <= 0xffff)
            return out_op_number(p, OP_BININT2, (uint64_t)n, 2);
        return out_op_number(p, OP_BININT, (uint64_t)n, 4);
    }
    return p->protocol >= 2 ? save_big_int(p, op) : save_digits(p, OP_LONG, op, "L\n");
}

int save_float(pickler_t *p, PyObject *op)
{
    char data[9] = {OP_BINFLOAT};
    if (!pickler_is_binary(p))
        return save_digits(p, OP_FLOAT, op, "\n");
    if (PyFloat_Pack8(PyFloat_AS_DOUBLE(op), data + 1, 0) < 0)
        return -1;
    return out_write(p, data, 9);
}

/* ---- Bytes ---- */

/* The opcode and length of a string of n bytes; returns the header's size. */
static Py_ssize_t make_header(char *header, Py_ssize_t n, int op1, int op4, int op8)
{
    int width = n <= 0xff && op1 ? 1 : (uint64_t)n <= 0xffffffff && op4 ? 4 : 8;
    header[0] = (char)(width == 1 ? op1 : width == 4 ? op4 : op8);
    for (int i = 0; i < width; i++)
        header[1 + i] = (char)((uint64_t)n >> 8 * i);
    return 1 + width;
}

static int save_bytes_data(pickler_t *p, PyObject *op, const char *data, Py_ssize_t n)
{
    char header[9];
    if (p->protocol < 4 && (uint64_t)n > 0xffffffff) {
        PyErr_SetString(PyExc_OverflowError, "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher");
        return -1;
    }
    Py_ssize_t size = make_header(header, n, OP_SHORT_BINBYTES, OP_BINBYTES, OP_BINBYTES8);
    if (out_large(p, header, size, data, n, PyBytes_CheckExact(op) ? op : NULL) < 0)
        return -1;
    return save_memoize(p, op);
}

static int save_bytearray_data(pickler_t *p, PyObject *op, const char *data, Py_ssize_t n)
{
    char header[9];
    Py_ssize_t size = make_header(header, n, 0, 0, OP_BYTEARRAY8);
    return out_large(p, header, size, data, n, NULL) < 0 ? -1 : save_memoize(p, op);
}

static int save_reduce_steal(pickler_t *p, PyObject *value, PyObject *op)
{
    if (value == NULL)
        return -1;
    int failed = save_reduce(p, value, op);
    Py_DECREF(value);
    return failed;
}

int save_bytes(pickler_t *p, PyObject *op)
{
    if (p->protocol >= 3)
        return save_bytes_data(p, op, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op));
    /* older protocols have no bytes: an expression that makes them from a str */
    if (PyBytes_GET_SIZE(op) == 0)
        return save_reduce_steal(p, Py_BuildValue("(O())", &PyBytes_Type), op);
    PyObject *text = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op), "strict");
    if (text == NULL)
        return -1;
    return save_reduce_steal(p, Py_BuildValue("(O(Ns))", pickle_state.codecs_encode, text, "latin1"), op);
}

int save_bytearray(pickler_t *p, PyObject *op)
{
    if (p->protocol < 5) {
        PyObject *bytes = PyBytes_FromObject(op);
        if (bytes == NULL)
            return -1;
        if (PyBytes_GET_SIZE(bytes) > 0)
            return save_reduce_steal(p, Py_BuildValue("(O(N))", &PyByteArray_Type, bytes), op);
        Py_DECREF(bytes);
        return save_reduce_steal(p, Py_BuildValue("(O())", &PyByteArray_Type), op);
    }
    Py_buffer view;     /* holds the size fixed */
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int failed = save_bytearray_data(p, op, view.buf, view.len);
    PyBuffer_Release(&view);
    return failed;
}

/* Is the buffer to go into the stream? -1 with an exception. */
static int is_in_band(pickler_t *p, PyObject *op)
{
    if (p->buffer_callback == NULL)
        return 1;
    PyObject *callback = Py_NewRef(p->buffer_callback), *answer = PyObject_CallOneArg(callback, op);
    Py_DECREF(callback);
    if (answer == NULL)
        return -1;
    int in_band = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return in_band;
}

int save_buffer(pickler_t *p, PyObject *op)
{
    Py_buffer view;
    int failed = -1, in_band;
    if (p->protocol < 5) {
        PyErr_SetString(pickle_state.pickling_error, "PickleBuffer can only pickled with protocol >= 5");
        return -1;
    }
    if (PyObject_GetBuffer(op, &view, PyBUF_FULL_RO) < 0)
        return -1;
    if (view.suboffsets != NULL || !PyBuffer_IsContiguous(&view, 'A'))
        PyErr_SetString(pickle_state.pickling_error,
                        "PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
    else {
        in_band = is_in_band(p, op);
        if (in_band > 0)
            failed = view.readonly ? save_bytes_data(p, op, view.buf, view.len) : save_bytearray_data(p, op, view.buf, view.len);
        else if (in_band == 0)
            failed = out_op(p, OP_NEXT_BUFFER) < 0 || (view.readonly && out_op(p, OP_READONLY_BUFFER) < 0) ? -1 : 0;
    }
    PyBuffer_Release(&view);
    return failed;
}

/* ---- Strings ---- */

/* Protocol 0: raw-unicode-escape, with what would end the line or start an escape escaped as well. */
static int save_str_text(pickler_t *p, PyObject *op)
{
    int kind = PyUnicode_KIND(op);
    const void *data = PyUnicode_DATA(op);
    if (out_op(p, OP_UNICODE) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(op); i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        char text[16];
        int n = 1;
        if (c >= 0x10000)
            n = snprintf(text, sizeof(text), "\\U%08x", (unsigned)c);
        else if (c >= 256 || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1a)
            n = snprintf(text, sizeof(text), "\\u%04x", (unsigned)c);
        else
            text[0] = (char)c;
        if (out_write(p, text, n) < 0)
            return -1;
    }
    return out_write(p, "\n", 1);
}

static int save_str_binary(pickler_t *p, PyObject *op)
{
    char header[9];
    PyObject *encoded = NULL;
    Py_ssize_t n;
    int failed;
    const char *data = PyUnicode_AsUTF8AndSize(op, &n);
    if (data == NULL) {
        /* surrogates */
        PyErr_Clear();
        encoded = PyUnicode_AsEncodedString(op, "utf-8", "surrogatepass");
        if (encoded == NULL)
            return -1;
        data = PyBytes_AS_STRING(encoded);
        n = PyBytes_GET_SIZE(encoded);
    }
    if (p->protocol < 4 && (uint64_t)n > 0xffffffff) {
        PyErr_SetString(PyExc_OverflowError, "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
        failed = -1;
    }
    else {
        Py_ssize_t size = make_header(header, n, p->protocol >= 4 ? OP_SHORT_BINUNICODE : 0, OP_BINUNICODE, OP_BINUNICODE8);
        failed = out_large(p, header, size, data, n, encoded);
    }
    Py_XDECREF(encoded);
    return failed;
}

int save_str(pickler_t *p, PyObject *op)
{
    if ((pickler_is_binary(p) ? save_str_binary(p, op) : save_str_text(p, op)) < 0)
        return -1;
    return save_memoize(p, op);
}
