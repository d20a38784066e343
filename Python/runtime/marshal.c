/* Marshalling: writing and reading values, and the module marshal.
 *
 * The format is CPython's version 4 (types one letter, 0x80: keep for later references), but for code objects: theirs is the
 * form of code_init_t, so bytecode files carry a mark of our own. */
#include "Python.h"
#include "code_object.h"
#include "importer.h"
#include "positions.h"
#include "stable_buffer.h"
#include "unicode.h"
#include "well_known_strings.h"

#define FLAG_REF 0x80
#define MAX_DEPTH 2000
#define DIGIT_BITS 15

/* ---- Writing ---- */

enum { WRITE_OK, WRITE_UNMARSHALLABLE, WRITE_NESTED, WRITE_ERROR };

typedef struct {
    char *data;
    size_t size, capacity;
    int status;                 /* WRITE_* */
    int depth, version;
    PyObject *refs;             /* dict: id -> index; NULL below version 3 */
    PyObject *keep;             /* list: temporaries whose ids are in refs */
} writer_t;

static void write_bytes(writer_t *w, const void *data, size_t n)
{
    if (w->size + n > w->capacity) {
        size_t capacity = w->capacity * 2 + n + 256;
        char *bigger = PyMem_Realloc(w->data, capacity);
        if (bigger == NULL) {
            PyErr_NoMemory();
            w->status = WRITE_ERROR;
            return;
        }
        w->data = bigger;
        w->capacity = capacity;
    }
    if (n > 0)
        memcpy(w->data + w->size, data, n);
    w->size += n;
}

static void write_byte(writer_t *w, int byte)
{
    char c = (char)byte;
    write_bytes(w, &c, 1);
}

static void write_short(writer_t *w, int n)
{
    unsigned char b[2] = {(unsigned char)n, (unsigned char)(n >> 8)};
    write_bytes(w, b, 2);
}

static void write_long(writer_t *w, int64_t n)
{
    unsigned char b[4] = {(unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16), (unsigned char)(n >> 24)};
    write_bytes(w, b, 4);
}

static int write_size(writer_t *w, Py_ssize_t n)
{
    if (n > INT32_MAX) {
        w->depth--;
        w->status = WRITE_UNMARSHALLABLE;
        return -1;
    }
    write_long(w, n);
    return 0;
}

static void write_string(writer_t *w, const char *s, Py_ssize_t n)
{
    if (write_size(w, n) == 0)
        write_bytes(w, s, (size_t)n);
}

static void write_big_int(writer_t *w, PyObject *op, int flag)
{
    size_t bits = _PyLong_NumBits(op), n = bits / 8 + 2;
    if (bits == (size_t)-1 && PyErr_Occurred()) {
        w->status = WRITE_ERROR;
        return;
    }
    int sign = _PyLong_Sign(op);
    PyObject *magnitude = sign < 0 ? PyNumber_Negative(op) : Py_NewRef(op);
    unsigned char *bytes = PyMem_Calloc(n + 4, 1);
    if (magnitude == NULL || bytes == NULL
        || (value_is_int(magnitude) ? (memcpy(bytes, &(int64_t){value_get_int(magnitude)}, 8), 0)
                                    : _PyLong_AsByteArray((PyLongObject *)magnitude, bytes, n, 1, 0)) < 0) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        w->status = WRITE_ERROR;
        goto done;
    }
    size_t digits = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
    write_byte(w, 'l' | flag);
    if (write_size(w, sign < 0 ? -(Py_ssize_t)digits : (Py_ssize_t)digits) < 0)
        goto done;
    for (size_t i = 0; i < digits; i++) {
        size_t bit = i * DIGIT_BITS, at = bit / 8;
        uint32_t v = bytes[at] | (uint32_t)bytes[at + 1] << 8 | (uint32_t)bytes[at + 2] << 16;
        write_short(w, (int)((v >> (bit % 8)) & 0x7fff));
    }
done:
    PyMem_Free(bytes);
    Py_XDECREF(magnitude);
}

static void write_double(writer_t *w, double d)
{
    if (w->version > 1) {
        write_bytes(w, &d, 8);      /* little-endian machines only */
        return;
    }
    char *text = PyOS_double_to_string(d, 'g', 17, 0, NULL);
    if (text == NULL) {
        w->status = WRITE_ERROR;
        return;
    }
    write_byte(w, (int)strlen(text));
    write_bytes(w, text, strlen(text));
    PyMem_Free(text);
}

/* Writes a reference if the object was written before; 1 if so. Otherwise *flag tells to mark it. */
static int write_ref(writer_t *w, PyObject *op, int *flag)
{
    if (w->refs == NULL || value_is_immediate(op))
        return 0;
    if (Py_REFCNT(op) == 1 && !PyUnicode_CheckExact(op))
        return 0;                   /* cannot come again */
    PyObject *key = PyLong_FromVoidPtr(op), *index = NULL;
    int found = key != NULL ? PyDict_GetItemRef(w->refs, key, &index) : -1;
    if (found > 0) {
        write_byte(w, 'r');
        write_long(w, PyLong_AsLong(index));
    }
    else if (found == 0) {
        index = PyLong_FromSsize_t(PyDict_GET_SIZE(w->refs));
        if (index == NULL || PyDict_SetItem(w->refs, key, index) < 0)
            found = -1;
        *flag = FLAG_REF;
    }
    if (found < 0)
        w->status = WRITE_ERROR;
    Py_XDECREF(key);
    Py_XDECREF(index);
    return found != 0;
}

static void write_value(writer_t *w, PyObject *op);

static void write_str(writer_t *w, PyObject *op, int flag)
{
    int interned = PyUnicode_CHECK_INTERNED(op) && w->version >= 1;
    if (w->version >= 4 && PyUnicode_IS_ASCII(op)) {
        Py_ssize_t n = PyUnicode_GET_LENGTH(op);
        if (n < 256) {
            write_byte(w, (interned ? 'Z' : 'z') | flag);
            write_byte(w, (int)n);
            write_bytes(w, PyUnicode_1BYTE_DATA(op), (size_t)n);
        }
        else {
            write_byte(w, (interned ? 'A' : 'a') | flag);
            write_string(w, (char *)PyUnicode_1BYTE_DATA(op), n);
        }
        return;
    }
    PyObject *utf8 = _PyUnicode_AsUTF8String(op, "surrogatepass");
    if (utf8 == NULL) {
        w->status = WRITE_ERROR;
        return;
    }
    write_byte(w, (interned ? 't' : 'u') | flag);
    write_string(w, PyBytes_AS_STRING(utf8), PyBytes_GET_SIZE(utf8));
    Py_DECREF(utf8);
}

static void write_code(writer_t *w, PyCodeObject *code, int flag)
{
    PyObject *instructions = code_get_clean_instructions(code);
    PyObject *exceptions = PyBytes_FromStringAndSize((char *)code->co_exceptions,
                                                     (Py_ssize_t)(code->co_nexceptions * sizeof(exception_entry_t)));
    if (instructions == NULL || exceptions == NULL)
        w->status = WRITE_ERROR;
    else {
        write_byte(w, 'c' | flag);
        write_long(w, code->co_argcount);
        write_long(w, code->co_posonlyargcount);
        write_long(w, code->co_kwonlyargcount);
        write_long(w, code->co_flags);
        write_long(w, code->co_firstlineno);
        write_long(w, code->co_nslots);
        write_byte(w, 's');
        write_string(w, PyBytes_AS_STRING(instructions), PyBytes_GET_SIZE(instructions));
        write_byte(w, 's');
        write_string(w, PyBytes_AS_STRING(exceptions), PyBytes_GET_SIZE(exceptions));
        PyObject *parts[] = {code->co_consts, code->co_names, code->co_varnames, code->co_cellvars, code->co_freevars,
                             code->co_filename, code->co_name, code->co_qualname, code->co_linetable};
        for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++)
            write_value(w, parts[i]);
    }
    Py_XDECREF(instructions);
    Py_XDECREF(exceptions);
}

/* What has been written is known by its address until the end: it has to stay, though other threads may take it out of its container. */
static void keep(writer_t *w, PyObject *items)
{
    if (w->keep != NULL && PyList_Append(w->keep, items) < 0)
        w->status = WRITE_ERROR;
}

static void write_list(writer_t *w, PyObject *op, int flag)
{
    PyObject *items = PySequence_Tuple(op);
    if (items == NULL) {
        w->status = WRITE_ERROR;
        return;
    }
    keep(w, items);
    write_byte(w, '[' | flag);
    if (write_size(w, PyTuple_GET_SIZE(items)) == 0)
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++)
            write_value(w, PyTuple_GET_ITEM(items, i));
    Py_DECREF(items);
}

static void write_dict(writer_t *w, PyObject *op, int flag)
{
    PyObject *list = PyDict_Items(op), *items = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    if (items == NULL) {
        w->status = WRITE_ERROR;
        return;
    }
    keep(w, items);
    write_byte(w, '{' | flag);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++) {
        PyObject *pair = PyTuple_GET_ITEM(items, i);
        write_value(w, PyTuple_GET_ITEM(pair, 0));
        write_value(w, PyTuple_GET_ITEM(pair, 1));
    }
    write_byte(w, '0');
    Py_DECREF(items);
}

/* Sets are written in the order of their items' marshalled forms, so that equal sets give equal bytes. */
static void write_set(writer_t *w, PyObject *op, int flag)
{
    PyObject *items = PySequence_List(op), *pairs = PyList_New(0);
    if (items == NULL || pairs == NULL)
        goto fail;
    write_byte(w, (PyFrozenSet_CheckExact(op) ? '>' : '<') | flag);
    if (write_size(w, PyList_GET_SIZE(items)) < 0)
        goto done;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        PyObject *text = PyMarshal_WriteObjectToString(item, w->version);
        if (text == NULL) {
            if (PyErr_ExceptionMatches(PyExc_ValueError)) {
                PyErr_Clear();
                w->status = WRITE_UNMARSHALLABLE;
                goto done;
            }
            goto fail;
        }
        PyObject *pair = PyTuple_Pack(2, text, item);
        Py_DECREF(text);
        int status = pair != NULL ? PyList_Append(pairs, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0)
            goto fail;
    }
    if (PyList_Sort(pairs) < 0)
        goto fail;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); i++)
        write_value(w, PyTuple_GET_ITEM(PyList_GET_ITEM(pairs, i), 1));
    if (w->keep != NULL && PyList_Append(w->keep, pairs) < 0)
        goto fail;
    goto done;
fail:
    w->status = WRITE_ERROR;
done:
    Py_XDECREF(items);
    Py_XDECREF(pairs);
}

static void write_buffer(writer_t *w, PyObject *op, int flag)
{
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        write_byte(w, '?');
        w->status = WRITE_UNMARSHALLABLE;
        return;
    }
    write_byte(w, 's' | flag);
    write_string(w, view.buf, view.len);
    PyBuffer_Release(&view);
}

static void write_complex_value(writer_t *w, PyObject *op, int flag)
{
    if (PyLong_CheckExact(op)) {
        int overflow;
        long n = PyLong_AsLongAndOverflow(op, &overflow);
        if (!overflow && n >= INT32_MIN && n <= INT32_MAX) {
            write_byte(w, 'i' | flag);
            write_long(w, n);
        }
        else
            write_big_int(w, op, flag);
    }
    else if (PyFloat_CheckExact(op)) {
        write_byte(w, (w->version > 1 ? 'g' : 'f') | flag);
        write_double(w, PyFloat_AS_DOUBLE(op));
    }
    else if (PyComplex_CheckExact(op)) {
        write_byte(w, (w->version > 1 ? 'y' : 'x') | flag);
        write_double(w, PyComplex_RealAsDouble(op));
        write_double(w, PyComplex_ImagAsDouble(op));
    }
    else if (PyBytes_CheckExact(op)) {
        write_byte(w, 's' | flag);
        write_string(w, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op));
    }
    else if (PyUnicode_CheckExact(op))
        write_str(w, op, flag);
    else if (PyTuple_CheckExact(op)) {
        Py_ssize_t n = PyTuple_GET_SIZE(op);
        if (w->version >= 4 && n < 256) {
            write_byte(w, ')' | flag);
            write_byte(w, (int)n);
        }
        else {
            write_byte(w, '(' | flag);
            if (write_size(w, n) < 0)
                return;
        }
        for (Py_ssize_t i = 0; i < n; i++)
            write_value(w, PyTuple_GET_ITEM(op, i));
    }
    else if (PyList_CheckExact(op))
        write_list(w, op, flag);
    else if (PyDict_CheckExact(op))
        write_dict(w, op, flag);
    else if (PyAnySet_CheckExact(op))
        write_set(w, op, flag);
    else if (PyCode_Check(op))
        write_code(w, (PyCodeObject *)op, flag);
    else if (PyObject_CheckBuffer(op))
        write_buffer(w, op, flag);
    else {
        write_byte(w, '?');
        w->status = WRITE_UNMARSHALLABLE;
    }
}

static void write_value(writer_t *w, PyObject *op)
{
    int flag = 0;
    if (w->status != WRITE_OK)
        return;
    if (++w->depth > MAX_DEPTH)
        w->status = WRITE_NESTED;
    else if (op == NULL)
        write_byte(w, '0');
    else if (op == Py_None)
        write_byte(w, 'N');
    else if (op == PyExc_StopIteration)
        write_byte(w, 'S');
    else if (op == Py_Ellipsis)
        write_byte(w, '.');
    else if (op == Py_False)
        write_byte(w, 'F');
    else if (op == Py_True)
        write_byte(w, 'T');
    else if (!write_ref(w, op, &flag))
        write_complex_value(w, op, flag);
    w->depth--;
}

PyObject *PyMarshal_WriteObjectToString(PyObject *value, int version)
{
    if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0)
        return NULL;
    writer_t w = {.version = version};
    PyObject *result = NULL;
    if (version >= 3 && ((w.refs = PyDict_New()) == NULL || (w.keep = PyList_New(0)) == NULL))
        goto done;
    write_value(&w, value);
    if (w.status == WRITE_OK)
        result = PyBytes_FromStringAndSize(w.data, (Py_ssize_t)w.size);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError,
                        w.status == WRITE_UNMARSHALLABLE ? "unmarshallable object" : "object too deeply nested to marshal");
done:
    PyMem_Free(w.data);
    Py_XDECREF(w.refs);
    Py_XDECREF(w.keep);
    return result;
}

/* ---- Reading ---- */

typedef struct {
    const char *at, *end;       /* what is in memory */
    PyObject *readable;         /* a Python file, or NULL */
    PyObject *chunk;            /* bytes: what was read from it last */
    PyObject **refs;            /* counted; NULL: a value that is not complete yet */
    Py_ssize_t nrefs, refs_capacity;
    int depth;
    int trusted;                /* written by the build of this interpreter */
} reader_t;

/* file.readinto() of n bytes to room: what it says that it has read, or -1 with an exception. It gets a view of a bytearray, which it may
 * keep. */
static Py_ssize_t read_into(PyObject *file, char *room, Py_ssize_t n)
{
    PyObject *space = PyByteArray_FromStringAndSize(NULL, n), *view = NULL, *answer = NULL;
    Py_ssize_t count = -1;
    if (space == NULL)
        return -1;
    memset(PyByteArray_AS_STRING(space), 0, (size_t)n);
    view = PyMemoryView_FromObject(space);
    if (view != NULL)
        answer = PyObject_CallMethod(file, "readinto", "O", view);
    if (answer != NULL)
        count = PyNumber_AsSsize_t(answer, PyExc_ValueError);
    if (count == n) {
        Py_BEGIN_CRITICAL_SECTION(space);
        /* released, the view lets others make it shorter */
        if (PyByteArray_GET_SIZE(space) >= n)
            memcpy(room, PyByteArray_AS_STRING(space), (size_t)n);
        else
            count = PyByteArray_GET_SIZE(space);
        Py_END_CRITICAL_SECTION();
    }
    Py_XDECREF(answer);
    Py_XDECREF(view);
    Py_DECREF(space);
    return count;
}

/* n bytes that stay until the next call, or NULL with EOFError. */
static const char *read_bytes(reader_t *r, Py_ssize_t n)
{
    if (r->readable == NULL) {
        if (n > r->end - r->at) {
            PyErr_SetString(PyExc_EOFError, "marshal data too short");
            return NULL;
        }
        const char *result = r->at;
        r->at += n;
        return result;
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, n);
    Py_ssize_t count = data != NULL ? read_into(r->readable, PyBytes_AS_STRING(data), n) : -1;
    if (count != n && !PyErr_Occurred()) {
        if (count > n)
            PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", n, count);
        else
            PyErr_SetString(PyExc_EOFError, "EOF read where not expected");
    }
    if (count != n) {
        Py_XDECREF(data);
        return NULL;
    }
    Py_XSETREF(r->chunk, data);
    return PyBytes_AS_STRING(data);
}

static int read_byte(reader_t *r)
{
    if (r->readable == NULL)
        return r->at < r->end ? (unsigned char)*r->at++ : -1;
    const char *p = read_bytes(r, 1);
    return p != NULL ? (unsigned char)*p : -1;
}

static int read_short(reader_t *r)
{
    const char *p = read_bytes(r, 2);
    return p != NULL ? (int16_t)((unsigned char)p[0] | (unsigned char)p[1] << 8) : -1;
}

static int32_t read_long(reader_t *r)
{
    const unsigned char *p = (const unsigned char *)read_bytes(r, 4);
    return p != NULL ? (int32_t)(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24) : -1;
}

/* A size, or -1 with an exception. */
static Py_ssize_t read_size(reader_t *r, const char *what)
{
    int32_t n = read_long(r);
    if (n < 0 && !PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "bad marshal data (%s size out of range)", what);
    return n < 0 ? -1 : n;
}

static PyObject *read_big_int(reader_t *r)
{
    int32_t n = read_long(r);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (n < -INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data (long size out of range)");
        return NULL;
    }
    size_t digits = (size_t)(n < 0 ? -n : n), size = (digits * DIGIT_BITS) / 8 + 4;
    if (r->readable == NULL && (Py_ssize_t)digits > (r->end - r->at) / 2) {
        PyErr_SetString(PyExc_EOFError, "marshal data too short");
        return NULL;
    }
    unsigned char *bytes = PyMem_Calloc(size, 1);
    PyObject *result = NULL;
    if (bytes == NULL)
        return PyErr_NoMemory();
    for (size_t i = 0; i < digits; i++) {
        int d = read_short(r);
        if (PyErr_Occurred())
            goto done;
        if (d < 0 || (i == digits - 1 && d == 0)) {
            PyErr_SetString(PyExc_ValueError, d < 0 ? "bad marshal data (digit out of range in long)"
                                                    : "bad marshal data (unnormalized long data)");
            goto done;
        }
        size_t bit = i * DIGIT_BITS, at = bit / 8;
        uint32_t v = (uint32_t)d << (bit % 8);
        bytes[at] |= (unsigned char)v;
        bytes[at + 1] |= (unsigned char)(v >> 8);
        bytes[at + 2] |= (unsigned char)(v >> 16);
    }
    result = _PyLong_FromByteArray(bytes, size, 1, 0);
    if (result != NULL && n < 0)
        Py_SETREF(result, PyNumber_Negative(result));
done:
    PyMem_Free(bytes);
    return result;
}

static double read_text_double(reader_t *r)
{
    char text[256];
    int n = read_byte(r);
    const char *p = n >= 0 ? read_bytes(r, n) : NULL;
    if (p == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return -1;
    }
    memcpy(text, p, (size_t)n);
    text[n] = 0;
    return PyOS_string_to_double(text, NULL, NULL);
}

static double read_double(reader_t *r)
{
    const char *p = read_bytes(r, 8);
    double d = -1;
    if (p != NULL)
        memcpy(&d, p, 8);
    return d;
}

/* ---- References: an index is taken before the value is complete ---- */

static Py_ssize_t ref_reserve(reader_t *r, int flag)
{
    if (!flag)
        return 0;
    if (r->nrefs == r->refs_capacity) {
        Py_ssize_t capacity = 2 * r->refs_capacity + 64;
        PyObject **bigger = PyMem_Realloc(r->refs, (size_t)capacity * sizeof(*bigger));
        if (bigger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        r->refs = bigger;
        r->refs_capacity = capacity;
    }
    r->refs[r->nrefs] = NULL;
    return r->nrefs++;
}

static PyObject *ref_set(reader_t *r, PyObject *op, Py_ssize_t index, int flag)
{
    if (op != NULL && flag)
        r->refs[index] = Py_NewRef(op);
    return op;
}

static PyObject *ref_add(reader_t *r, PyObject *op, int flag)
{
    if (op == NULL || !flag)
        return op;
    Py_ssize_t index = ref_reserve(r, flag);
    if (index < 0) {
        Py_DECREF(op);
        return NULL;
    }
    return ref_set(r, op, index, flag);
}

static PyObject *read_value(reader_t *r);

/* A value that must be there. */
static PyObject *read_item(reader_t *r, const char *where)
{
    PyObject *v = read_value(r);
    if (v == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "NULL object in marshal data for %s", where);
    return v;
}

static PyObject *read_str(reader_t *r, int type, int flag)
{
    Py_ssize_t n;
    PyObject *s = NULL;
    int is_short = type == 'z' || type == 'Z', interned = type == 't' || type == 'A' || type == 'Z';
    if (is_short)
        n = read_byte(r);
    else
        n = read_size(r, "string");
    if (n < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return NULL;
    }
    const char *p = n > 0 ? read_bytes(r, n) : "";
    if (p == NULL)
        return NULL;
    if ((type == 'A' || type == 'Z') && unicode_max_char(PyUnicode_1BYTE_KIND, p, n) < 128)
        return ref_add(r, unicode_intern_ascii(p, n), flag);
    if (type == 'u' || type == 't')
        s = PyUnicode_DecodeUTF8(p, n, "surrogatepass");
    else
        s = PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, p, n);
    if (s != NULL && interned)
        PyUnicode_InternInPlace(&s);
    return ref_add(r, s, flag);
}

static PyObject *read_tuple(reader_t *r, Py_ssize_t n, int flag)
{
    if (n < 0)
        return NULL;
    if (r->readable == NULL && n > r->end - r->at) {
        PyErr_SetString(PyExc_EOFError, "marshal data too short");
        return NULL;
    }
    PyObject *tuple = PyTuple_New(n);
    Py_ssize_t index = -1;
    if (tuple == NULL || (index = ref_reserve(r, flag)) < 0) {
        Py_XDECREF(tuple);
        return NULL;
    }
    /* It becomes known when it is complete; a tuple cannot contain itself. */
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = read_item(r, "tuple");
        if (item == NULL) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, item);
    }
    return ref_set(r, tuple, index, flag);
}

static PyObject *read_list(reader_t *r, int flag)
{
    Py_ssize_t n = read_size(r, "list");
    PyObject *list = n < 0 ? NULL : ref_add(r, PyList_New(0), flag);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyObject *item = read_item(r, "list");
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *read_dict(reader_t *r, int flag)
{
    PyObject *dict = ref_add(r, PyDict_New(), flag);
    while (dict != NULL) {
        PyObject *key = read_value(r), *value = NULL;
        if (key == NULL)
            break;
        value = read_value(r);
        int stop = value == NULL;
        if (value != NULL && PyDict_SetItem(dict, key, value) < 0)
            stop = 1;
        Py_DECREF(key);
        Py_XDECREF(value);
        if (stop)
            break;
    }
    if (dict != NULL && PyErr_Occurred())
        Py_CLEAR(dict);
    return dict;
}

static PyObject *read_set(reader_t *r, int type, int flag)
{
    Py_ssize_t n = read_size(r, "set"), index = 0;
    if (n < 0)
        return NULL;
    PyObject *set;
    if (type == '<')
        set = ref_add(r, PySet_New(NULL), flag);
    else {
        if ((index = ref_reserve(r, flag)) < 0)
            return NULL;
        set = PyFrozenSet_New(NULL);
    }
    for (Py_ssize_t i = 0; i < n && set != NULL; i++) {
        PyObject *item = read_item(r, "set");
        if (item == NULL || PySet_Add(set, item) < 0)
            Py_CLEAR(set);
        Py_XDECREF(item);
    }
    return type == '<' ? set : ref_set(r, set, index, flag);
}

static PyObject *read_raw_bytes(reader_t *r)
{
    Py_ssize_t n = read_size(r, "bytes object");
    const char *p = n > 0 ? read_bytes(r, n) : "";
    return n < 0 || p == NULL ? NULL : PyBytes_FromStringAndSize(p, n);
}

/* A table of a code object: bytes, in *holder, or in place where they can be trusted to stay and need no checks. 0 or -1. */
static int read_table(reader_t *r, size_t item_size, const void **table, uint32_t *count, PyObject **holder)
{
    Py_ssize_t size;
    if (r->trusted && r->end - r->at >= 5 && *r->at == 's') {
        r->at++;
        size = read_size(r, "code object");
        if (size < 0 || (*table = read_bytes(r, size)) == NULL)
            return -1;
    }
    else {
        if ((*holder = read_item(r, "code object")) == NULL)
            return -1;
        size = PyBytes_CheckExact(*holder) ? PyBytes_GET_SIZE(*holder) : -1;
        *table = size >= 0 ? PyBytes_AS_STRING(*holder) : NULL;
    }
    if (size < 0 || (size_t)size % item_size != 0) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data (code object)");
        return -1;
    }
    *count = (uint32_t)((size_t)size / item_size);
    return 0;
}

static PyObject *read_code(reader_t *r, int flag)
{
    Py_ssize_t index = ref_reserve(r, flag);
    if (index < 0)
        return NULL;
    int32_t numbers[6];
    PyObject *tables[2] = {NULL}, *parts[9] = {NULL}, *result = NULL;
    const void *instructions, *exceptions;
    code_init_t init = {.trusted = r->trusted};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(numbers); i++) {
        numbers[i] = read_long(r);
        if (numbers[i] == -1 && PyErr_Occurred())
            return NULL;
    }
    if (read_table(r, sizeof(instruction_t), &instructions, &init.ninstructions, &tables[0]) < 0
        || read_table(r, sizeof(exception_entry_t), &exceptions, &init.nexceptions, &tables[1]) < 0)
        goto done;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++)
        if ((parts[i] = read_item(r, "code object")) == NULL)
            goto done;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++) {
        int right = i < 5 ? PyTuple_CheckExact(parts[i]) : i < 8 ? PyUnicode_CheckExact(parts[i]) : PyBytes_CheckExact(parts[i]);
        if (!right || init.ninstructions == 0) {
            PyErr_SetString(PyExc_ValueError, "bad marshal data (code object)");
            goto done;
        }
    }
    Py_SETREF(parts[8], positions_as_configured(parts[8], numbers[4]));
    if (parts[8] == NULL)
        goto done;
    init.argcount = numbers[0], init.posonlyargcount = numbers[1], init.kwonlyargcount = numbers[2], init.flags = numbers[3];
    init.firstlineno = numbers[4], init.nslots = numbers[5];
    init.instructions = instructions, init.exceptions = exceptions;
    init.consts = parts[0], init.names = parts[1], init.varnames = parts[2], init.cellvars = parts[3], init.freevars = parts[4];
    init.filename = parts[5], init.name = parts[6], init.qualname = parts[7], init.linetable = parts[8];
    result = ref_set(r, (PyObject *)code_new(&init), index, flag);
done:
    Py_XDECREF(tables[0]);
    Py_XDECREF(tables[1]);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++)
        Py_XDECREF(parts[i]);
    return result;
}

static PyObject *read_reference(reader_t *r)
{
    int32_t n = read_long(r);
    if (n < 0 || n >= r->nrefs || r->refs[n] == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "bad marshal data (invalid reference)");
        return NULL;
    }
    return Py_NewRef(r->refs[n]);
}

static PyObject *read_number(reader_t *r, int type)
{
    PyObject *result = NULL;
    if (type == 'i') {
        int32_t n = read_long(r);
        return PyErr_Occurred() ? NULL : PyLong_FromLong(n);
    }
    if (type == 'I') {
        const char *p = read_bytes(r, 8);
        int64_t n = 0;
        if (p != NULL)
            memcpy(&n, p, 8);
        return p != NULL ? PyLong_FromInt64(n) : NULL;
    }
    double a = type == 'g' || type == 'y' ? read_double(r) : read_text_double(r), b = 0;
    if (a == -1.0 && PyErr_Occurred())
        return NULL;
    if (type == 'g' || type == 'f')
        result = PyFloat_FromDouble(a);
    else {
        b = type == 'y' ? read_double(r) : read_text_double(r);
        if (b == -1.0 && PyErr_Occurred())
            return NULL;
        result = PyComplex_FromDoubles(a, b);
    }
    return result;
}

/* New reference; NULL with an exception, or without one for the type '0'. */
static PyObject *read_typed(reader_t *r, int code)
{
    int type = code & ~FLAG_REF, flag = code & FLAG_REF;
    switch (type) {
    case '0': return NULL;
    case 'N': return Py_NewRef(Py_None);
    case 'F': return Py_NewRef(Py_False);
    case 'T': return Py_NewRef(Py_True);
    case 'S': return Py_NewRef(PyExc_StopIteration);
    case '.': return Py_NewRef(Py_Ellipsis);
    case 'i':
    case 'I':
    case 'f':
    case 'g':
    case 'x':
    case 'y': return ref_add(r, read_number(r, type), flag);
    case 'l': return ref_add(r, read_big_int(r), flag);
    case 's': return ref_add(r, read_raw_bytes(r), flag);
    case 'u':
    case 't':
    case 'a':
    case 'A':
    case 'z':
    case 'Z': return read_str(r, type, flag);
    case ')': {
        int n = read_byte(r);
        if (n < 0 && !PyErr_Occurred())
            PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return read_tuple(r, n, flag);
    }
    case '(': return read_tuple(r, read_size(r, "tuple"), flag);
    case '[': return read_list(r, flag);
    case '{': return read_dict(r, flag);
    case '<':
    case '>': return read_set(r, type, flag);
    case 'c': return read_code(r, flag);
    case 'r': return read_reference(r);
    default: PyErr_SetString(PyExc_ValueError, "bad marshal data (unknown type code)"); return NULL;
    }
}

static PyObject *read_value(reader_t *r)
{
    int code = read_byte(r);
    if (code < 0) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_EOFError))
            PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return NULL;
    }
    if (++r->depth > MAX_DEPTH) {
        r->depth--;
        PyErr_SetString(PyExc_ValueError, "recursion limit exceeded");
        return NULL;
    }
    PyObject *result = read_typed(r, code);
    r->depth--;
    return result;
}

static PyObject *read_all(reader_t *r)
{
    PyObject *result = read_item(r, "object");
    for (Py_ssize_t i = 0; i < r->nrefs; i++)
        Py_XDECREF(r->refs[i]);
    PyMem_Free(r->refs);
    Py_XDECREF(r->chunk);
    return result;
}

PyObject *PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    reader_t r = {.at = data, .end = data + size};
    return read_all(&r);
}

PyObject *marshal_read_trusted(const char *data, size_t size)
{
    reader_t r = {.at = data, .end = data + size, .trusted = 1};
    return read_all(&r);
}

/* ---- C files ---- */

PyObject *PyMarshal_ReadLastObjectFromFile(FILE *file)
{
    char *data = NULL;
    size_t size = 0, capacity = 0, n;
    do {
        if (size == capacity) {
            char *bigger = PyMem_Realloc(data, capacity = capacity * 2 + 4096);
            if (bigger == NULL) {
                PyMem_Free(data);
                return PyErr_NoMemory();
            }
            data = bigger;
        }
        n = fread(data + size, 1, capacity - size, file);
        size += n;
    } while (n > 0);
    PyObject *result = PyMarshal_ReadObjectFromString(data, (Py_ssize_t)size);
    PyMem_Free(data);
    return result;
}

/* Reads on to the end of the value only: byte-wise through a small window would need a second reader; the position is set instead. */
PyObject *PyMarshal_ReadObjectFromFile(FILE *file)
{
    long start = ftell(file);
    if (start < 0)
        return PyMarshal_ReadLastObjectFromFile(file);
    if (fseek(file, 0, SEEK_END) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    long end = ftell(file);
    fseek(file, start, SEEK_SET);
    char *data = PyMem_Malloc((size_t)(end - start) + 1);
    if (data == NULL)
        return PyErr_NoMemory();
    size_t n = fread(data, 1, (size_t)(end - start), file);
    reader_t r = {.at = data, .end = data + n};
    PyObject *result = read_all(&r);
    fseek(file, start + (long)(r.at - data), SEEK_SET);
    PyMem_Free(data);
    return result;
}

long PyMarshal_ReadLongFromFile(FILE *file)
{
    unsigned char b[4];
    if (fread(b, 1, 4, file) != 4) {
        PyErr_SetString(PyExc_EOFError, "EOF read where data expected");
        return -1;
    }
    return (int32_t)(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
}

int PyMarshal_ReadShortFromFile(FILE *file)
{
    unsigned char b[2];
    if (fread(b, 1, 2, file) != 2) {
        PyErr_SetString(PyExc_EOFError, "EOF read where data expected");
        return -1;
    }
    return (int16_t)(b[0] | b[1] << 8);
}

void PyMarshal_WriteLongToFile(long value, FILE *file, int version)
{
    (void)version;
    unsigned char b[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16), (unsigned char)(value >> 24)};
    fwrite(b, 1, 4, file);
}

void PyMarshal_WriteObjectToFile(PyObject *value, FILE *file, int version)
{
    PyObject *bytes = PyMarshal_WriteObjectToString(value, version);
    if (bytes != NULL)
        fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), file);
    Py_XDECREF(bytes);
}

/* ---- The module ---- */

static int version_argument(PyObject *const *args, Py_ssize_t nargs, Py_ssize_t i, int *version)
{
    *version = Py_MARSHAL_VERSION;
    if (nargs > i) {
        *version = PyLong_AsInt(args[i]);
        if (*version == -1 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

static PyObject *marshal_dump(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int version;
    if (!_PyArg_CheckPositional("dump", nargs, 2, 3) || version_argument(args, nargs, 2, &version) < 0)
        return NULL;
    PyObject *bytes = PyMarshal_WriteObjectToString(args[0], version), *result = NULL;
    if (bytes != NULL)
        result = PyObject_CallMethod(args[1], "write", "O", bytes);
    Py_XDECREF(bytes);
    return result;
}

static PyObject *marshal_dumps(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int version;
    if (!_PyArg_CheckPositional("dumps", nargs, 1, 2) || version_argument(args, nargs, 1, &version) < 0)
        return NULL;
    return PyMarshal_WriteObjectToString(args[0], version);
}

static PyObject *marshal_load(PyObject *module, PyObject *file)
{
    if (PySys_Audit("marshal.load", NULL) < 0)
        return NULL;
    PyObject *data = PyObject_CallMethod(file, "read", "i", 0);
    if (data == NULL)
        return NULL;
    if (!PyBytes_Check(data)) {
        PyErr_Format(PyExc_TypeError, "file.read() returned not bytes but %.100s", Py_TYPE(data)->tp_name);
        Py_DECREF(data);
        return NULL;
    }
    Py_DECREF(data);
    reader_t r = {.readable = file};
    return read_all(&r);
}

static PyObject *marshal_loads(PyObject *module, PyObject *arg)
{
    Py_buffer view;
    if (stable_buffer_get(arg, &view) < 0)
        return NULL;
    PyObject *result = PySys_Audit("marshal.loads", "y#", view.buf, view.len) < 0
                           ? NULL
                           : PyMarshal_ReadObjectFromString(view.buf, view.len);
    PyBuffer_Release(&view);
    return result;
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), PyDoc_STR(doc)}

static PyMethodDef methods[] = {
    METHOD("dump", marshal_dump, METH_FASTCALL, "dump(value, file[, version])\n\nWrites a value to a binary file."),
    METHOD("load", marshal_load, METH_O, "load(file)\n\nReads one value from a binary file."),
    METHOD("dumps", marshal_dumps, METH_FASTCALL, "dumps(value[, version]) -> bytes\n\nThe bytes that stand for a value."),
    METHOD("loads", marshal_loads, METH_O, "loads(bytes)\n\nThe value that bytes stand for; what follows is ignored."),
    {NULL, NULL, 0, NULL},
};

static int exec(PyObject *module) { return PyModule_AddIntConstant(module, "version", Py_MARSHAL_VERSION); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "marshal",
    .m_doc = PyDoc_STR("Values to bytes and back, in a format private to this version: for bytecode files."),
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_marshal(void) { return PyModuleDef_Init(&definition); }
