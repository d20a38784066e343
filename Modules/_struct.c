/* The _struct module: values packed into bytes as C structs.
 *
 * A Struct holds a program: one row per run of equal items, with offsets worked out beforehand.  Programs are immutable;
 * a Struct that is initialised again gets a new one and keeps the old ones for threads that still use them. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#include "structmember.h"

/* ---- Formats ---- */

typedef enum { KIND_PAD, KIND_CHAR, KIND_BOOL, KIND_SIGNED, KIND_UNSIGNED, KIND_POINTER, KIND_HALF, KIND_FLOAT,
               KIND_DOUBLE, KIND_STRING, KIND_PASCAL } kind_t;

typedef struct {
    char letter;
    kind_t kind;
    char native_size, alignment, standard_size;     /* standard_size 0: native mode only */
} format_t;

#define NATIVE(type) sizeof(type), _Alignof(type)
static const format_t formats[] = {
    {'x', KIND_PAD, 1, 1, 1}, {'c', KIND_CHAR, 1, 1, 1}, {'?', KIND_BOOL, NATIVE(_Bool), 1},
    {'b', KIND_SIGNED, 1, 1, 1}, {'B', KIND_UNSIGNED, 1, 1, 1},
    {'h', KIND_SIGNED, NATIVE(short), 2}, {'H', KIND_UNSIGNED, NATIVE(unsigned short), 2},
    {'i', KIND_SIGNED, NATIVE(int), 4}, {'I', KIND_UNSIGNED, NATIVE(unsigned int), 4},
    {'l', KIND_SIGNED, NATIVE(long), 4}, {'L', KIND_UNSIGNED, NATIVE(unsigned long), 4},
    {'q', KIND_SIGNED, NATIVE(long long), 8}, {'Q', KIND_UNSIGNED, NATIVE(unsigned long long), 8},
    {'n', KIND_SIGNED, NATIVE(ssize_t), 0}, {'N', KIND_UNSIGNED, NATIVE(size_t), 0},
    {'P', KIND_POINTER, NATIVE(void *), 0}, {'e', KIND_HALF, 2, _Alignof(short), 2},
    {'f', KIND_FLOAT, NATIVE(float), 4}, {'d', KIND_DOUBLE, NATIVE(double), 8},
    {'s', KIND_STRING, 1, 1, 1}, {'p', KIND_PASCAL, 1, 1, 1},
};

static const format_t *find_format(char letter)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(formats); i++)
        if (formats[i].letter == letter)
            return &formats[i];
    return NULL;
}

/* ---- Programs ---- */

typedef struct {
    const format_t *format;
    Py_ssize_t offset;
    Py_ssize_t size;            /* of one item; of the whole string for 's' and 'p' */
    Py_ssize_t repeat;          /* number of items; 1 for 's' and 'p' */
} row_t;

typedef struct program {
    struct program *previous;   /* replaced by this one; freed with the Struct */
    Py_ssize_t size;            /* of the packed data */
    Py_ssize_t items;           /* number of values */
    int little;                 /* byte order */
    int native;                 /* native sizes, alignment and float conversion */
    Py_ssize_t rows;
    row_t row[];
} program_t;

typedef struct {
    PyObject_HEAD
    program_t *program;         /* [atomic] NULL before __init__ */
    PyObject *format;           /* counted: bytes */
    PyObject *weakreflist;
} StructObject;

typedef struct {
    PyObject_HEAD
    StructObject *owner;        /* counted */
    const program_t *program;   /* of owner */
    Py_buffer buffer;           /* [lock] obj NULL: exhausted */
    Py_ssize_t index;           /* [lock] */
} IterObject;

static PyTypeObject Struct_type, unpack_iterator_type;

/* Made by the first import and then left alone: static types have no module state. */
static PyObject *struct_error;

static int fail(const char *text)
{
    PyErr_SetString(struct_error, text);
    return -1;
}

/* Reads one item of the format text: *count is -1 if none is given. Returns the format, or NULL at the end or on error. */
static const format_t *read_item(const char **text, int native, Py_ssize_t *count)
{
    const char *p = *text;
    *count = -1;
    while (Py_ISSPACE(*p))
        p++;
    if (*p == 0) {
        *text = p;
        return NULL;
    }
    if (Py_ISDIGIT(*p)) {
        *count = 0;
        for (; Py_ISDIGIT(*p); p++) {
            if (*count > (PY_SSIZE_T_MAX - (*p - '0')) / 10) {
                fail("overflow in item count");
                return NULL;
            }
            *count = *count * 10 + (*p - '0');
        }
        if (*p == 0) {
            fail("repeat count given without format specifier");
            return NULL;
        }
    }
    const format_t *format = find_format(*p);
    if (format == NULL || (!native && format->standard_size == 0)) {
        fail("bad char in struct format");
        return NULL;
    }
    *text = p + 1;
    return format;
}

/* One pass over the format: counts (program NULL), or fills program in. */
static int scan(const char *text, int native, program_t *program, Py_ssize_t *size, Py_ssize_t *items, Py_ssize_t *rows)
{
    const format_t *format;
    Py_ssize_t count;
    *size = *items = *rows = 0;
    while ((format = read_item(&text, native, &count)) != NULL) {
        Py_ssize_t itemsize = native ? format->native_size : format->standard_size;
        Py_ssize_t repeat = count < 0 ? 1 : count, align = native ? format->alignment : 1;
        if (align > 1) {
            if (*size > PY_SSIZE_T_MAX - align)
                return fail("total struct size too long");
            *size = (*size + align - 1) / align * align;
        }
        if (repeat > (PY_SSIZE_T_MAX - *size) / itemsize)
            return fail("total struct size too long");
        if (format->kind == KIND_STRING || format->kind == KIND_PASCAL) {
            if (program != NULL)
                program->row[*rows] = (row_t){format, *size, repeat, 1};
            ++*rows;
            ++*items;
        }
        else if (format->kind != KIND_PAD && repeat > 0) {
            if (program != NULL)
                program->row[*rows] = (row_t){format, *size, itemsize, repeat};
            ++*rows;
            *items += repeat;
        }
        *size += repeat * itemsize;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static program_t *compile(const char *text)
{
    int native = 1, little = PY_LITTLE_ENDIAN;
    Py_ssize_t size, items, rows;
    switch (text[0]) {
    case '<': native = 0; little = 1; text++; break;
    case '>': case '!': native = 0; little = 0; text++; break;
    case '=': native = 0; text++; break;
    case '@': text++; break;
    }
    if (scan(text, native, NULL, &size, &items, &rows) < 0)
        return NULL;
    if ((size_t)rows > (PY_SSIZE_T_MAX - sizeof(program_t)) / sizeof(row_t)) {
        PyErr_NoMemory();
        return NULL;
    }
    program_t *program = PyMem_Malloc(sizeof(program_t) + (size_t)rows * sizeof(row_t));
    if (program == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    (void)scan(text, native, program, &size, &items, &rows);
    program->previous = NULL;
    program->size = size;
    program->items = items;
    program->rows = rows;
    program->little = little;
    program->native = native;
    return program;
}

/* ---- Unpacking ---- */

/* The unsigned number of size bytes at p. */
static unsigned long long load(const unsigned char *p, Py_ssize_t size, int little)
{
    unsigned long long value = 0;
    if (little && PY_LITTLE_ENDIAN) {
        switch (size) {
        case 1: return p[0];
        case 2: { uint16_t v; memcpy(&v, p, 2); return v; }
        case 4: { uint32_t v; memcpy(&v, p, 4); return v; }
        default: { uint64_t v; memcpy(&v, p, 8); return v; }
        }
    }
    for (Py_ssize_t i = 0; i < size; i++)
        value = value << 8 | p[little ? size - 1 - i : i];
    return value;
}

static void save(unsigned char *p, Py_ssize_t size, int little, unsigned long long value)
{
    for (Py_ssize_t i = 0; i < size; i++)
        p[little ? i : size - 1 - i] = (unsigned char)(value >> (8 * i));
}

static PyObject *unpack_float(double value)
{
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

static PyObject *unpack_item(const program_t *program, const row_t *row, const char *p)
{
    const unsigned char *bytes = (const unsigned char *)p;
    int little = program->little;
    switch (row->format->kind) {
    case KIND_CHAR:
        return PyBytes_FromStringAndSize(p, 1);
    case KIND_BOOL:
        return PyBool_FromLong(*p != 0);
    case KIND_SIGNED: {
        int shift = 64 - 8 * (int)row->size;
        return PyLong_FromLongLong((long long)(load(bytes, row->size, little) << shift) >> shift);
    }
    case KIND_UNSIGNED:
        return PyLong_FromUnsignedLongLong(load(bytes, row->size, little));
    case KIND_POINTER:
        return PyLong_FromVoidPtr((void *)(uintptr_t)load(bytes, row->size, little));
    case KIND_HALF:
        return unpack_float(PyFloat_Unpack2(p, little));
    case KIND_FLOAT:
        return unpack_float(PyFloat_Unpack4(p, little));
    case KIND_DOUBLE:
        return unpack_float(PyFloat_Unpack8(p, little));
    case KIND_STRING:
        return PyBytes_FromStringAndSize(p, row->size);
    default: {      /* KIND_PASCAL: one byte with the length in front */
        Py_ssize_t n = row->size > 0 ? bytes[0] : 0;
        if (n >= row->size)
            n = row->size > 0 ? row->size - 1 : 0;
        return PyBytes_FromStringAndSize(p + (row->size > 0), n);
    }
    }
}

static PyObject *unpack_all(const program_t *program, const char *data)
{
    PyObject *tuple = PyTuple_New(program->items);
    Py_ssize_t index = 0;
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t r = 0; r < program->rows; r++) {
        const row_t *row = &program->row[r];
        const char *p = data + row->offset;
        for (Py_ssize_t i = 0; i < row->repeat; i++, p += row->size) {
            PyObject *item = unpack_item(program, row, p);
            if (item == NULL) {
                Py_DECREF(tuple);
                return NULL;
            }
            PyTuple_SET_ITEM(tuple, index++, item);
        }
    }
    return tuple;
}

/* ---- Packing ---- */

static int range_error(const row_t *row)
{
    char letter = row->format->letter;
    int bits = 8 * (int)row->size, is_signed = row->format->kind == KIND_SIGNED;
    unsigned long long high = ~0ULL >> (64 - bits + is_signed);
    const char *names = "bBhH", *at = strchr(names, letter);
    if (at != NULL) {
        static const char *const words[] = {"byte", "ubyte", "short", "ushort"};
        PyErr_Format(struct_error, "%s format requires %lld <= number <= %llu", words[at - names],
                     is_signed ? -(long long)high - 1 : 0, high);
    }
    else if (is_signed)
        PyErr_Format(struct_error, "'%c' format requires %lld <= number <= %llu", letter, -(long long)high - 1, high);
    else
        PyErr_Format(struct_error, "'%c' format requires 0 <= number <= %llu", letter, high);
    return -1;
}

/* value as an int, or a struct.error. A new reference. */
static PyObject *integer_of(PyObject *value)
{
    if (PyLong_Check(value))
        return Py_NewRef(value);
    if (!PyIndex_Check(value)) {
        fail("required argument is not an integer");
        return NULL;
    }
    return PyNumber_Index(value);
}

static int out_of_range(void)
{
    if (PyErr_ExceptionMatches(PyExc_OverflowError))
        fail("argument out of range");
    return -1;
}

/* An integer in two's complement. */
static int pack_integer(const row_t *row, PyObject *value, unsigned long long *number)
{
    PyObject *integer = integer_of(value);
    int bits = 8 * (int)row->size, result = 0;
    char letter = row->format->letter;
    if (integer == NULL)
        return -1;
    if (row->format->kind == KIND_POINTER) {
        *number = (unsigned long long)(uintptr_t)PyLong_AsVoidPtr(integer);
        if (PyErr_Occurred()) {
            fail("int too large to convert");
            result = -1;
        }
    }
    else if (row->format->kind == KIND_SIGNED || letter == 'B' || letter == 'H') {
        long long n = PyLong_AsLongLong(integer);
        *number = (unsigned long long)n;
        if (n == -1 && PyErr_Occurred())
            result = out_of_range();
        else if (row->format->kind == KIND_SIGNED) {
            if (bits < 64 && (n < -(1LL << (bits - 1)) || n >= 1LL << (bits - 1)))
                result = range_error(row);
        }
        else if (n < 0 || n >= 1LL << bits)
            result = range_error(row);
    }
    else {
        *number = PyLong_AsUnsignedLongLong(integer);
        if (*number == ~0ULL && PyErr_Occurred())
            result = out_of_range();
        else if (bits < 64 && *number >> bits != 0)
            result = range_error(row);
    }
    Py_DECREF(integer);
    return result;
}

static int pack_float(const program_t *program, const row_t *row, PyObject *value, char *p)
{
    double d = PyFloat_AsDouble(value);
    if (d == -1.0 && PyErr_Occurred())
        return fail("required argument is not a float");
    switch (row->format->kind) {
    case KIND_HALF:
        return PyFloat_Pack2(d, p, program->little);
    case KIND_FLOAT:
        if (program->native) {
            float f = (float)d;
            memcpy(p, &f, sizeof(f));
            return 0;
        }
        return PyFloat_Pack4(d, p, program->little);
    default:
        return PyFloat_Pack8(d, p, program->little);
    }
}

/* 's' and 'p'. The value's bytes are looked at without running code. */
static int pack_string(const row_t *row, PyObject *value, char *p)
{
    Py_buffer view;
    int pascal = row->format->kind == KIND_PASCAL;
    if (!PyBytes_Check(value) && !PyByteArray_Check(value)) {
        PyErr_Format(struct_error, "argument for '%c' must be a bytes object", row->format->letter);
        return -1;
    }
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    Py_ssize_t room = row->size - pascal, n = view.len < room ? view.len : room;
    if (n > 0)
        memcpy(p + pascal, view.buf, (size_t)n);
    if (pascal && row->size > 0)
        *p = (char)(n > 255 ? 255 : n < 0 ? 0 : n);
    PyBuffer_Release(&view);
    return 0;
}

static int pack_item(const program_t *program, const row_t *row, PyObject *value, char *p)
{
    unsigned long long number = 0;
    switch (row->format->kind) {
    case KIND_CHAR:
        if (!PyBytes_Check(value) || PyBytes_GET_SIZE(value) != 1)
            return fail("char format requires a bytes object of length 1");
        *p = PyBytes_AS_STRING(value)[0];
        return 0;
    case KIND_BOOL: {
        int truth = PyObject_IsTrue(value);
        if (truth < 0)
            return -1;
        *p = (char)truth;
        return 0;
    }
    case KIND_HALF:
    case KIND_FLOAT:
    case KIND_DOUBLE:
        return pack_float(program, row, value, p);
    case KIND_STRING:
    case KIND_PASCAL:
        return pack_string(row, value, p);
    default:
        if (pack_integer(row, value, &number) < 0)
            return -1;
        save((unsigned char *)p, row->size, program->little, number);
        return 0;
    }
}

/* data: program->size bytes of memory that cannot go away. */
static int pack_all(const program_t *program, PyObject *const *values, char *data)
{
    memset(data, 0, (size_t)program->size);
    for (Py_ssize_t r = 0; r < program->rows; r++) {
        const row_t *row = &program->row[r];
        char *p = data + row->offset;
        for (Py_ssize_t i = 0; i < row->repeat; i++, p += row->size)
            if (pack_item(program, row, *values++, p) < 0)
                return -1;
    }
    return 0;
}

/* ---- Struct ---- */

static const program_t *program_of(PyObject *op)
{
    return __atomic_load_n(&((StructObject *)op)->program, __ATOMIC_ACQUIRE);
}

static PyObject *not_initialized(void)
{
    PyErr_SetString(PyExc_RuntimeError, "Struct object is not initialized");
    return NULL;
}

static PyObject *struct_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return type->tp_alloc(type, 0);
}

/* The format as bytes; a new reference. */
static PyObject *format_bytes(PyObject *format)
{
    if (PyUnicode_Check(format))
        return PyUnicode_AsASCIIString(format);
    if (PyBytes_Check(format))
        return Py_NewRef(format);
    PyErr_Format(PyExc_TypeError, "Struct() argument 1 must be a str or bytes object, not %.200s",
                 Py_TYPE(format)->tp_name);
    return NULL;
}

static int init_format(StructObject *self, PyObject *format)
{
    PyObject *bytes = format_bytes(format), *old;
    if (bytes == NULL)
        return -1;
    if (strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        Py_DECREF(bytes);
        return fail("embedded null character");
    }
    program_t *program = compile(PyBytes_AS_STRING(bytes));
    if (program == NULL) {
        Py_DECREF(bytes);
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    program->previous = self->program;
    __atomic_store_n(&self->program, program, __ATOMIC_RELEASE);
    old = self->format;
    self->format = bytes;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static int struct_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", NULL};
    PyObject *format;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Struct", keywords, &format))
        return -1;
    return init_format((StructObject *)op, format);
}

static void struct_dealloc(PyObject *op)
{
    StructObject *self = (StructObject *)op;
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    for (program_t *program = self->program, *previous; program != NULL; program = previous) {
        previous = program->previous;
        PyMem_Free(program);
    }
    Py_XDECREF(self->format);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *unpack_exact(const program_t *program, PyObject *source)
{
    Py_buffer view;
    PyObject *result = NULL;
    if (program == NULL)
        return not_initialized();
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.len != program->size)
        PyErr_Format(struct_error, "unpack requires a buffer of %zd bytes", program->size);
    else
        result = unpack_all(program, view.buf);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *struct_unpack(PyObject *op, PyObject *source)
{
    return unpack_exact(program_of(op), source);
}

static PyObject *unpack_at(const program_t *program, PyObject *source, Py_ssize_t offset)
{
    Py_buffer view;
    PyObject *result = NULL;
    if (program == NULL)
        return not_initialized();
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_ssize_t size = program->size, from = offset;
    if (from < 0) {
        if (from + size > 0) {
            PyErr_Format(struct_error, "not enough data to unpack %zd bytes at offset %zd", size, offset);
            goto done;
        }
        if (from + view.len < 0) {
            PyErr_Format(struct_error, "offset %zd out of range for %zd-byte buffer", offset, view.len);
            goto done;
        }
        from += view.len;
    }
    if (view.len - from < size)
        PyErr_Format(struct_error, "unpack_from requires a buffer of at least %zu bytes for unpacking %zd bytes at "
                     "offset %zd (actual buffer size is %zd)", (size_t)size + (size_t)from, size, from, view.len);
    else
        result = unpack_all(program, (char *)view.buf + from);
done:
    PyBuffer_Release(&view);
    return result;
}

static PyObject *struct_unpack_from(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"buffer", "offset", NULL};
    PyObject *source;
    Py_ssize_t offset = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|n:unpack_from", keywords, &source, &offset))
        return NULL;
    return unpack_at(program_of(op), source, offset);
}

static PyObject *pack_new(const program_t *program, PyObject *const *values, Py_ssize_t count)
{
    if (program == NULL)
        return not_initialized();
    if (count != program->items) {
        PyErr_Format(struct_error, "pack expected %zd items for packing (got %zd)", program->items, count);
        return NULL;
    }
    char room[64];
    if (program->size <= (Py_ssize_t)sizeof(room))
        return pack_all(program, values, room) < 0 ? NULL : PyBytes_FromStringAndSize(room, program->size);
    PyObject *result = PyBytes_FromStringAndSize(NULL, program->size);
    if (result != NULL && pack_all(program, values, PyBytes_AS_STRING(result)) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *struct_pack(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return pack_new(program_of(op), args, nargs);
}

/* args: buffer, offset, values. */
static PyObject *pack_into(const program_t *program, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer view;
    PyObject *result = NULL;
    if (program == NULL)
        return not_initialized();
    if (nargs != program->items + 2) {
        if (nargs < 2)
            PyErr_Format(struct_error, nargs == 0 ? "pack_into expected buffer argument"
                                                  : "pack_into expected offset argument");
        else
            PyErr_Format(struct_error, "pack_into expected %zd items for packing (got %zd)", program->items, nargs - 2);
        return NULL;
    }
    if (PyObject_GetBuffer(args[0], &view, PyBUF_WRITABLE) < 0) {
        PyErr_Format(PyExc_TypeError, "argument must be read-write bytes-like object, not %.200s",
                     Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    Py_ssize_t size = program->size, offset = PyNumber_AsSsize_t(args[1], PyExc_IndexError);
    if (offset == -1 && PyErr_Occurred())
        goto done;
    if (offset < 0) {
        if (offset + size > 0) {
            PyErr_Format(struct_error, "no space to pack %zd bytes at offset %zd", size, offset);
            goto done;
        }
        if (offset + view.len < 0) {
            PyErr_Format(struct_error, "offset %zd out of range for %zd-byte buffer", offset, view.len);
            goto done;
        }
        offset += view.len;
    }
    if (view.len - offset < size)
        PyErr_Format(struct_error, "pack_into requires a buffer of at least %zu bytes for packing %zd bytes at offset "
                     "%zd (actual buffer size is %zd)", (size_t)size + (size_t)offset, size, offset, view.len);
    else if (pack_all(program, args + 2, (char *)view.buf + offset) == 0)
        result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&view);
    return result;
}

static PyObject *struct_pack_into(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    return pack_into(program_of(op), args, nargs);
}

/* ---- iter_unpack ---- */

static PyObject *struct_iter_unpack(PyObject *op, PyObject *source)
{
    const program_t *program = program_of(op);
    if (program == NULL)
        return not_initialized();
    if (program->size == 0) {
        fail("cannot iteratively unpack with a struct of length 0");
        return NULL;
    }
    IterObject *it = PyObject_GC_New(IterObject, &unpack_iterator_type);
    if (it == NULL)
        return NULL;
    it->owner = NULL;
    it->index = 0;
    it->program = program;
    if (PyObject_GetBuffer(source, &it->buffer, PyBUF_SIMPLE) < 0) {
        it->buffer.obj = NULL;
        Py_DECREF(it);
        return NULL;
    }
    it->owner = (StructObject *)Py_NewRef(op);
    PyObject_GC_Track(it);
    if (it->buffer.len % program->size != 0) {
        PyErr_Format(struct_error, "iterative unpacking requires a buffer of a multiple of %zd bytes", program->size);
        Py_DECREF(it);
        return NULL;
    }
    return (PyObject *)it;
}

static void iter_dealloc(PyObject *op)
{
    IterObject *it = (IterObject *)op;
    PyObject_GC_UnTrack(op);
    if (it->buffer.obj != NULL)
        PyBuffer_Release(&it->buffer);
    Py_XDECREF(it->owner);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    IterObject *it = (IterObject *)op;
    Py_VISIT(it->owner);
    Py_VISIT(it->buffer.obj);
    return 0;
}

static PyObject *iter_next(PyObject *op)
{
    IterObject *it = (IterObject *)op;
    PyObject *result = NULL;
    Py_buffer used = {.obj = NULL};
    Py_BEGIN_CRITICAL_SECTION(op);
    if (it->buffer.obj != NULL) {
        if (it->index >= it->buffer.len) {
            used = it->buffer;
            it->buffer.obj = NULL;
        }
        else {
            result = unpack_all(it->program, (char *)it->buffer.buf + it->index);
            it->index += it->program->size;
        }
    }
    Py_END_CRITICAL_SECTION();
    if (used.obj != NULL)
        PyBuffer_Release(&used);
    return result;
}

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    IterObject *it = (IterObject *)op;
    Py_ssize_t left;
    Py_BEGIN_CRITICAL_SECTION(op);
    left = it->buffer.obj == NULL ? 0 : (it->buffer.len - it->index) / it->program->size;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(left);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of tuples that are still to come."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject unpack_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_struct.unpack_iterator",
    .tp_basicsize = sizeof(IterObject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/* ---- The type Struct ---- */

static PyObject *get_format(PyObject *op, void *unused)
{
    PyObject *format;
    Py_BEGIN_CRITICAL_SECTION(op);
    format = Py_XNewRef(((StructObject *)op)->format);
    Py_END_CRITICAL_SECTION();
    if (format == NULL)
        return not_initialized();
    PyObject *result = PyUnicode_DecodeASCII(PyBytes_AS_STRING(format), PyBytes_GET_SIZE(format), "surrogateescape");
    Py_DECREF(format);
    return result;
}

static PyObject *get_size(PyObject *op, void *unused)
{
    const program_t *program = program_of(op);
    return PyLong_FromSsize_t(program == NULL ? -1 : program->size);
}

static PyObject *struct_sizeof(PyObject *op, PyObject *unused)
{
    size_t size = (size_t)Py_TYPE(op)->tp_basicsize;
    const program_t *program = program_of(op);
    if (program != NULL)
        size += sizeof(program_t) + (size_t)program->rows * sizeof(row_t);
    return PyLong_FromSize_t(size);
}

static PyGetSetDef struct_getset[] = {
    {"format", get_format, NULL, "The format string.", NULL},
    {"size", get_size, NULL, "Size of the packed data in bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

static PyMethodDef struct_methods[] = {
    {"pack", FUNCTION(struct_pack), METH_FASTCALL, "S.pack(v1, v2, ...) -> bytes\n\nThe values packed as the format says."},
    {"pack_into", FUNCTION(struct_pack_into), METH_FASTCALL,
     "S.pack_into(buffer, offset, v1, v2, ...)\n\nPack the values into a writable buffer."},
    {"unpack", struct_unpack, METH_O, "unpack($self, buffer, /)\n--\n\nA tuple of the values packed in a buffer of the right size."},
    {"unpack_from", FUNCTION(struct_unpack_from), METH_VARARGS | METH_KEYWORDS,
     "unpack_from($self, /, buffer, offset=0)\n--\n\nA tuple of the values packed in a buffer from the offset on."},
    {"iter_unpack", struct_iter_unpack, METH_O,
     "iter_unpack($self, buffer, /)\n--\n\nAn iterator over the structs that fill the buffer."},
    {"__sizeof__", struct_sizeof, METH_NOARGS, "S.__sizeof__() -> size of S in memory, in bytes"},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject Struct_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_struct.Struct",
    .tp_doc = "Struct(format)\n--\n\nA compiled format.",
    .tp_basicsize = sizeof(StructObject),
    .tp_dealloc = struct_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_weaklistoffset = offsetof(StructObject, weakreflist),
    .tp_methods = struct_methods,
    .tp_getset = struct_getset,
    .tp_init = struct_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = struct_new,
    .tp_free = PyObject_Free,
};

/* ---- Module functions ---- */

enum { CACHE_LIMIT = 100 };

typedef struct { PyObject *cache; } state_t;        /* dict: format -> Struct */

static state_t *state_of(PyObject *module)
{
    return (state_t *)PyModule_GetState(module);
}

/* The Struct of a format; a new reference. */
static PyObject *cached(PyObject *module, PyObject *format)
{
    PyObject *cache = state_of(module)->cache, *result;
    if (PyDict_GetItemRef(cache, format, &result) != 0)
        return result;
    result = PyObject_CallOneArg((PyObject *)&Struct_type, format);
    if (result == NULL)
        return NULL;
    if (PyDict_GET_SIZE(cache) >= CACHE_LIMIT)
        PyDict_Clear(cache);
    if (PyDict_SetItem(cache, format, result) < 0)
        PyErr_Clear();          /* it works without the cache */
    return result;
}

static PyObject *module_calcsize(PyObject *module, PyObject *format)
{
    PyObject *s = cached(module, format);
    if (s == NULL)
        return NULL;
    Py_ssize_t size = program_of(s)->size;
    Py_DECREF(s);
    return PyLong_FromSsize_t(size);
}

static PyObject *module_pack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    PyObject *s = cached(module, args[0]), *result = NULL;
    if (s != NULL)
        result = pack_new(program_of(s), args + 1, nargs - 1);
    Py_XDECREF(s);
    return result;
}

static PyObject *module_pack_into(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    PyObject *s = cached(module, args[0]), *result = NULL;
    if (s != NULL)
        result = pack_into(program_of(s), args + 1, nargs - 1);
    Py_XDECREF(s);
    return result;
}

static int two_arguments(const char *name, Py_ssize_t nargs)
{
    if (nargs == 2)
        return 1;
    PyErr_Format(PyExc_TypeError, "%s expected 2 arguments, got %zd", name, nargs);
    return 0;
}

static PyObject *module_unpack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!two_arguments("unpack", nargs))
        return NULL;
    PyObject *s = cached(module, args[0]), *result = NULL;
    if (s != NULL)
        result = unpack_exact(program_of(s), args[1]);
    Py_XDECREF(s);
    return result;
}

static PyObject *module_unpack_from(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "buffer", "offset", NULL};
    PyObject *format, *source;
    Py_ssize_t offset = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|n:unpack_from", keywords, &format, &source, &offset))
        return NULL;
    PyObject *s = cached(module, format), *result = NULL;
    if (s != NULL)
        result = unpack_at(program_of(s), source, offset);
    Py_XDECREF(s);
    return result;
}

static PyObject *module_iter_unpack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!two_arguments("iter_unpack", nargs))
        return NULL;
    PyObject *s = cached(module, args[0]), *result = NULL;
    if (s != NULL)
        result = struct_iter_unpack(s, args[1]);
    Py_XDECREF(s);
    return result;
}

static PyObject *module_clearcache(PyObject *module, PyObject *unused)
{
    PyDict_Clear(state_of(module)->cache);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"_clearcache", module_clearcache, METH_NOARGS, "_clearcache($module, /)\n--\n\nForget the compiled formats."},
    {"calcsize", module_calcsize, METH_O, "calcsize($module, format, /)\n--\n\nSize of the packed data in bytes."},
    {"iter_unpack", FUNCTION(module_iter_unpack), METH_FASTCALL,
     "iter_unpack($module, format, buffer, /)\n--\n\nAn iterator over the structs that fill the buffer."},
    {"pack", FUNCTION(module_pack), METH_FASTCALL, "pack(format, v1, v2, ...) -> bytes\n\nThe values packed as the format says."},
    {"pack_into", FUNCTION(module_pack_into), METH_FASTCALL,
     "pack_into(format, buffer, offset, v1, v2, ...)\n\nPack the values into a writable buffer."},
    {"unpack", FUNCTION(module_unpack), METH_FASTCALL,
     "unpack($module, format, buffer, /)\n--\n\nA tuple of the values packed in a buffer of the right size."},
    {"unpack_from", FUNCTION(module_unpack_from), METH_VARARGS | METH_KEYWORDS,
     "unpack_from($module, format, /, buffer, offset=0)\n--\n\nA tuple of the values packed in a buffer from the offset on."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    if (struct_error == NULL)
        struct_error = PyErr_NewException("struct.error", NULL, NULL);
    if (struct_error == NULL || PyModule_AddObjectRef(module, "error", struct_error) < 0)
        return -1;
    state_of(module)->cache = PyDict_New();
    if (state_of(module)->cache == NULL)
        return -1;
    return PyType_Ready(&unpack_iterator_type) < 0 ? -1 : PyModule_AddType(module, &Struct_type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    state_t *state = state_of(module);
    if (state != NULL)
        Py_VISIT(state->cache);
    return 0;
}

static int module_clear(PyObject *module)
{
    state_t *state = state_of(module);
    if (state != NULL)
        Py_CLEAR(state->cache);
    return 0;
}

static void module_free(void *module)
{
    (void)module_clear((PyObject *)module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_struct",
    .m_doc = "Values packed into bytes as C structs, and back.",
    .m_size = sizeof(state_t),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__struct(void)
{
    return PyModuleDef_Init(&module_def);
}
