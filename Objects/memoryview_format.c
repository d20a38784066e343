/* Items of memoryviews: between memory and objects, and comparing by value. */
#include "memoryview.h"

/* ---- Formats ---- */

/* Rows: format character, C type. */
#define NATIVE_FORMATS(F) \
    F('c', char) F('b', signed char) F('B', unsigned char) F('h', short) F('H', unsigned short) F('i', int) \
    F('I', unsigned int) F('l', long) F('L', unsigned long) F('q', long long) F('Q', unsigned long long) \
    F('n', Py_ssize_t) F('N', size_t) F('f', float) F('d', double) F('?', _Bool) F('P', void *)

Py_ssize_t memoryview_native_size(char format)
{
    switch (format) {
#define ROW(c, type) case c: return (Py_ssize_t)sizeof(type);
        NATIVE_FORMATS(ROW)
#undef ROW
    default:
        return -1;
    }
}

char memoryview_native_format(const char *format)
{
    if (format == NULL)
        return 'B';
    if (format[0] == '@')
        format++;
    return format[0] != 0 && format[1] == 0 && memoryview_native_size(format[0]) > 0 ? format[0] : 0;
}

const char *memoryview_static_format(const char *format)
{
    static const char texts[][3] = {"@c", "@b", "@B", "@h", "@H", "@i", "@I", "@l", "@L", "@q", "@Q", "@n", "@N", "@f",
                                    "@d", "@?", "@P"};
    int at = format[0] == '@';
    for (size_t i = 0; i < Py_ARRAY_LENGTH(texts); i++)
        if (texts[i][1] == format[at])
            return at ? texts[i] : texts[i] + 1;
    return NULL;
}

char memoryview_item_format(const Py_buffer *view)
{
    char format = memoryview_native_format(view->format);
    if (format == 0)
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported", view->format);
    return format;
}

/* ---- Items to objects ---- */

#define LOAD(type) ({ type value; memcpy(&value, item, sizeof(value)); value; })

PyObject *memoryview_unpack(const char *item, char format)
{
    switch (format) {
    case 'B': return value_from_int((unsigned char)item[0]);
    case 'b': return value_from_int((signed char)item[0]);
    case 'h': return value_from_int(LOAD(short));
    case 'H': return value_from_int(LOAD(unsigned short));
    case 'i': return value_from_int(LOAD(int));
    case 'I': return value_from_int(LOAD(unsigned int));
    case 'l': return PyLong_FromLong(LOAD(long));
    case 'L': return PyLong_FromUnsignedLong(LOAD(unsigned long));
    case 'q': return PyLong_FromLongLong(LOAD(long long));
    case 'Q': return PyLong_FromUnsignedLongLong(LOAD(unsigned long long));
    case 'n': return PyLong_FromSsize_t(LOAD(Py_ssize_t));
    case 'N': return PyLong_FromSize_t(LOAD(size_t));
    case 'f': return PyFloat_FromDouble(LOAD(float));
    case 'd': return PyFloat_FromDouble(LOAD(double));
    case '?': return item[0] != 0 ? Py_True : Py_False;
    case 'P': return PyLong_FromVoidPtr(LOAD(void *));
    default: return PyBytes_FromStringAndSize(item, 1);
    }
}

/* ---- Objects to items ---- */

static int bad_type(char format)
{
    PyErr_Format(PyExc_TypeError, "memoryview: invalid type for format '%c'", format);
    return -1;
}

static int bad_value(char format)
{
    PyErr_Format(PyExc_ValueError, "memoryview: invalid value for format '%c'", format);
    return -1;
}

/* Rewords the errors of conversions; others stay. */
static int conversion_failed(char format)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        return bad_type(format);
    if (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_ValueError))
        return bad_value(format);
    return -1;
}

static int pack_signed(char *item, PyObject *index, char format)
{
    Py_ssize_t size = memoryview_native_size(format);
    long long n = PyLong_AsLongLong(index);
    if (n == -1 && PyErr_Occurred())
        return conversion_failed(format);
    int bits = (int)size * 8;
    if (bits < 64 && (n < -(1LL << (bits - 1)) || n >= 1LL << (bits - 1)))
        return bad_value(format);
    memcpy(item, &n, (size_t)size);         /* little-endian */
    return 0;
}

static int pack_unsigned(char *item, PyObject *index, char format)
{
    Py_ssize_t size = memoryview_native_size(format);
    unsigned long long n = PyLong_AsUnsignedLongLong(index);
    if (n == (unsigned long long)-1 && PyErr_Occurred())
        return conversion_failed(format);
    if (size < 8 && n >> (8 * size) != 0)
        return bad_value(format);
    memcpy(item, &n, (size_t)size);
    return 0;
}

static int pack_integer(char *item, PyObject *value, char format)
{
    PyObject *index = PyNumber_Index(value);
    int result;
    if (index == NULL)
        return conversion_failed(format);
    if (format == 'P') {
        void *p = PyLong_AsVoidPtr(index);
        result = p == NULL && PyErr_Occurred() ? conversion_failed(format) : 0;
        memcpy(item, &p, sizeof(p));
    }
    else if (strchr("bhilqn", format) != NULL)
        result = pack_signed(item, index, format);
    else
        result = pack_unsigned(item, index, format);
    Py_DECREF(index);
    return result;
}

int memoryview_pack(char *item, PyObject *value, char format)
{
    switch (format) {
    case 'f':
    case 'd': {
        double d = PyFloat_AsDouble(value);
        if (d == -1.0 && PyErr_Occurred())
            return conversion_failed(format);
        float f = (float)d;
        if (format == 'f')
            memcpy(item, &f, sizeof(f));
        else
            memcpy(item, &d, sizeof(d));
        return 0;
    }
    case '?': {
        int truth = PyObject_IsTrue(value);
        if (truth < 0)
            return -1;
        item[0] = (char)truth;
        return 0;
    }
    case 'c':
        if (!PyBytes_Check(value))
            return bad_type(format);
        if (PyBytes_GET_SIZE(value) != 1)
            return bad_value(format);
        item[0] = PyBytes_AS_STRING(value)[0];
        return 0;
    default:
        return pack_integer(item, value, format);
    }
}

/* ---- Comparison ---- */

/* How to read items of one side: natively, or by struct.Struct(format).unpack_from. */
typedef struct {
    char native;                /* 0: through struct */
    PyObject *unpack;           /* counted: bound unpack */
    Py_ssize_t itemsize;
} reader_t;

static void reader_fini(reader_t *r)
{
    Py_CLEAR(r->unpack);
}

/* 1, 0 if the format is unknown, -1 */
static int reader_init(reader_t *r, const Py_buffer *view)
{
    PyObject *module, *object = NULL;
    r->unpack = NULL;
    r->itemsize = view->itemsize;
    r->native = memoryview_native_format(view->format);
    if (r->native != 0)
        return 1;
    module = PyImport_ImportModule("struct");
    if (module == NULL)
        return -1;
    object = PyObject_CallMethod(module, "Struct", "s", view->format);
    if (object != NULL)
        r->unpack = PyObject_GetAttrString(object, "unpack");
    Py_DECREF(module);
    Py_XDECREF(object);
    if (r->unpack != NULL)
        return 1;
    if (PyErr_ExceptionMatches(PyExc_ImportError) || PyErr_ExceptionMatches(PyExc_MemoryError))
        return -1;
    PyErr_Clear();
    return 0;
}

static PyObject *read_item(const reader_t *r, const char *item)
{
    if (r->native != 0)
        return memoryview_unpack(item, r->native);
    PyObject *bytes = PyBytes_FromStringAndSize(item, r->itemsize);
    if (bytes == NULL)
        return NULL;
    PyObject *values = PyObject_CallOneArg(r->unpack, bytes);
    Py_DECREF(bytes);
    if (values != NULL && PyTuple_Check(values) && PyTuple_GET_SIZE(values) == 1)
        Py_SETREF(values, Py_NewRef(PyTuple_GET_ITEM(values, 0)));
    return values;
}

static int items_equal(const reader_t *v, const char *p, const reader_t *w, const char *q)
{
    if (v->native != 0 && v->native == w->native) {
        if (v->native == 'f')
            return ({ float a, b; memcpy(&a, p, 4); memcpy(&b, q, 4); a == b; });
        if (v->native == 'd')
            return ({ double a, b; memcpy(&a, p, 8); memcpy(&b, q, 8); a == b; });
        if (v->native == '?')
            return (p[0] != 0) == (q[0] != 0);
        return memcmp(p, q, (size_t)v->itemsize) == 0;
    }
    PyObject *a = read_item(v, p), *b = a == NULL ? NULL : read_item(w, q);
    int result = b == NULL ? -1 : PyObject_RichCompareBool(a, b, Py_EQ);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static const char *follow(const char *p, const Py_buffer *view, int dim)
{
    if (view->suboffsets != NULL && view->suboffsets[dim] >= 0)
        return *(const char *const *)p + view->suboffsets[dim];
    return p;
}

static int dimensions_equal(const reader_t *rv, const char *p, const Py_buffer *v, const reader_t *rw, const char *q,
                            const Py_buffer *w, int dim)
{
    if (dim == v->ndim)
        return items_equal(rv, p, rw, q);
    int result = 1;
    for (Py_ssize_t i = 0; i < v->shape[dim] && result == 1; i++)
        result = dimensions_equal(rv, follow(p + i * v->strides[dim], v, dim), v, rw,
                                  follow(q + i * w->strides[dim], w, dim), w, dim + 1);
    return result;
}

static int shapes_equal(const Py_buffer *v, const Py_buffer *w)
{
    if (v->ndim != w->ndim)
        return 0;
    for (int i = 0; i < v->ndim; i++) {
        if (v->shape[i] != w->shape[i])
            return 0;
        if (v->shape[i] == 0)
            break;
    }
    return 1;
}

/* Fills in shape and strides that an exporter left out. */
static Py_buffer complete(const Py_buffer *view, Py_ssize_t *shape, Py_ssize_t *strides)
{
    Py_buffer full = *view;
    if (full.ndim > 0 && full.shape == NULL) {
        full.ndim = 1;
        shape[0] = full.itemsize > 0 ? full.len / full.itemsize : full.len;
        full.shape = shape;
        full.strides = NULL;
    }
    if (full.ndim > 0 && full.strides == NULL) {
        PyBuffer_FillContiguousStrides(full.ndim, full.shape, strides, (int)full.itemsize, 'C');
        full.strides = strides;
    }
    return full;
}

int memoryview_equal(const Py_buffer *v_given, const Py_buffer *w_given)
{
    Py_ssize_t v_shape[1], w_shape[1], v_strides[PyBUF_MAX_NDIM], w_strides[PyBUF_MAX_NDIM];
    Py_buffer v = complete(v_given, v_shape, v_strides), w = complete(w_given, w_shape, w_strides);
    reader_t rv = {.unpack = NULL}, rw = {.unpack = NULL};
    if (!shapes_equal(&v, &w))
        return 0;
    int result = reader_init(&rv, &v);
    if (result == 1)
        result = reader_init(&rw, &w);
    if (result == 1)
        result = dimensions_equal(&rv, v.buf, &v, &rw, w.buf, &w, 0);
    reader_fini(&rv);
    reader_fini(&rw);
    return result;
}
