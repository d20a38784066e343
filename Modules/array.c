/* The array module: arrays of numbers of one C type.
 *
 * Storage is read and written inside critical sections on the array; values are converted to C before and to objects
 * behind them, so that nothing escapes inside. Functions with _locked in their name want the lock held. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#include "structmember.h"

typedef struct {
    char typecode;
    int itemsize;
    char is_integer, is_signed;
    const char *format;         /* for buffers */
} descr_t;

static const descr_t descriptors[] = {
    {'b', sizeof(char), 1, 1, "b"}, {'B', sizeof(char), 1, 0, "B"}, {'u', sizeof(wchar_t), 0, 0, "w"},
    {'h', sizeof(short), 1, 1, "h"}, {'H', sizeof(short), 1, 0, "H"}, {'i', sizeof(int), 1, 1, "i"},
    {'I', sizeof(int), 1, 0, "I"}, {'l', sizeof(long), 1, 1, "l"}, {'L', sizeof(long), 1, 0, "L"},
    {'q', sizeof(long long), 1, 1, "q"}, {'Q', sizeof(long long), 1, 0, "Q"},
    {'f', sizeof(float), 0, 0, "f"}, {'d', sizeof(double), 0, 0, "d"},
};

typedef struct {
    PyObject_VAR_HEAD
    char *ob_item;                  /* [lock] */
    Py_ssize_t allocated;           /* [lock] in items */
    const descr_t *ob_descr;        /* [const] */
    PyObject *weakreflist;
    Py_ssize_t ob_exports;          /* [lock] while there are any the size is fixed */
} arrayobject;

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;               /* [atomic] */
    PyObject *array;                /* [lock] counted; NULL: exhausted */
} iterobject;

static PyTypeObject array_type, iter_type;

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))
#define array_check(op) PyObject_TypeCheck((op), &array_type)

static arrayobject *as_array(PyObject *op)
{
    return (arrayobject *)op;
}

static const descr_t *find_descr(int typecode)
{
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++)
        if (descriptors[i].typecode == typecode)
            return &descriptors[i];
    return NULL;
}

static Py_ssize_t size_of(arrayobject *a)
{
    return __atomic_load_n(&((PyVarObject *)a)->ob_size, __ATOMIC_RELAXED);
}

static void set_size(arrayobject *a, Py_ssize_t n)
{
    __atomic_store_n(&((PyVarObject *)a)->ob_size, n, __ATOMIC_RELAXED);
}

/* ---- Items ---- */

#define LOAD(type) (*(const type *)memcpy(&(type){0}, p, sizeof(type)))

/* The item at p as an object. Never escapes. */
static PyObject *load_item(const descr_t *d, const char *p)
{
    switch (d->typecode) {
    case 'b': return PyLong_FromLong(LOAD(signed char));
    case 'B': return PyLong_FromLong(LOAD(unsigned char));
    case 'h': return PyLong_FromLong(LOAD(short));
    case 'H': return PyLong_FromLong(LOAD(unsigned short));
    case 'i': return PyLong_FromLong(LOAD(int));
    case 'I': return PyLong_FromUnsignedLong(LOAD(unsigned int));
    case 'l': return PyLong_FromLong(LOAD(long));
    case 'L': return PyLong_FromUnsignedLong(LOAD(unsigned long));
    case 'q': return PyLong_FromLongLong(LOAD(long long));
    case 'Q': return PyLong_FromUnsignedLongLong(LOAD(unsigned long long));
    case 'f': return PyFloat_FromDouble(LOAD(float));
    case 'd': return PyFloat_FromDouble(LOAD(double));
    default: {
        wchar_t c = LOAD(wchar_t);
        return PyUnicode_FromWideChar(&c, 1);
    }
    }
}

static int overflow(const char *what, int low)
{
    PyErr_Format(PyExc_OverflowError, "%s is %s than %s", what, low ? "less" : "greater", low ? "minimum" : "maximum");
    return -1;
}

static int pack_long(const descr_t *d, PyObject *value, char *p)
{
    long n = PyLong_AsLong(value);
    int bits = d->itemsize * 8;
    if (n == -1 && PyErr_Occurred())
        return -1;
    const char *what = d->typecode == 'b' ? "signed char" : d->typecode == 'B' ? "unsigned byte integer"
                       : d->typecode == 'h' ? "signed short integer" : d->typecode == 'H' ? "unsigned short"
                       : "signed integer";
    if (bits < 64) {
        long low = d->is_signed ? -(1L << (bits - 1)) : 0, high = d->is_signed ? (1L << (bits - 1)) - 1 : (1L << bits) - 1;
        if (n < low || n > high)
            return overflow(what, n < low);
    }
    memcpy(p, &n, (size_t)d->itemsize);     /* little-endian */
    return 0;
}

/* 'I' and 'L'. */
static int pack_unsigned(const descr_t *d, PyObject *value, char *p)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL)
        return -1;
    unsigned long n = PyLong_AsUnsignedLong(index);
    if (n == (unsigned long)-1 && PyErr_Occurred()) {
        int sign = PyObject_RichCompareBool(index, Py_False, Py_LT);
        Py_DECREF(index);
        if (sign > 0)
            PyErr_SetString(PyExc_OverflowError, "can't convert negative value to unsigned int");
        return -1;
    }
    Py_DECREF(index);
    if (d->itemsize < 8 && n > UINT_MAX)
        return overflow("unsigned int", 0);
    memcpy(p, &n, (size_t)d->itemsize);
    return 0;
}

/* value in C form into p (8 bytes). Escapes. */
static int pack_item(const descr_t *d, PyObject *value, char *p)
{
    switch (d->typecode) {
    case 'u': {
        wchar_t c;
        if (!PyUnicode_Check(value) || PyUnicode_GET_LENGTH(value) != 1) {
            PyErr_SetString(PyExc_TypeError, "array item must be unicode character");
            return -1;
        }
        c = (wchar_t)PyUnicode_READ_CHAR(value, 0);
        memcpy(p, &c, sizeof(c));
        return 0;
    }
    case 'f':
    case 'd': {
        double x = PyFloat_AsDouble(value);
        float f = (float)x;
        if (x == -1.0 && PyErr_Occurred())
            return -1;
        if (d->typecode == 'f')
            memcpy(p, &f, sizeof(f));
        else
            memcpy(p, &x, sizeof(x));
        return 0;
    }
    case 'I':
    case 'L':
        return pack_unsigned(d, value, p);
    case 'q':
    case 'Q': {
        PyObject *index = PyNumber_Index(value);
        if (index == NULL)
            return -1;
        unsigned long long n = d->is_signed ? (unsigned long long)PyLong_AsLongLong(index)
                                            : PyLong_AsUnsignedLongLong(index);
        Py_DECREF(index);
        if (n == (unsigned long long)-1 && PyErr_Occurred())
            return -1;
        memcpy(p, &n, sizeof(n));
        return 0;
    }
    default:
        /* no floats, not even with __int__ */
        return pack_long(d, value, p);
    }
}

/* ---- Storage ---- */

static int resize_locked(arrayobject *a, Py_ssize_t n)
{
    Py_ssize_t old = size_of(a);
    if (a->ob_exports > 0 && n != old) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (a->allocated >= n && old < n + 16 && a->ob_item != NULL) {
        set_size(a, n);
        return 0;
    }
    if (n == 0) {
        PyMem_Free(a->ob_item);
        a->ob_item = NULL;
        a->allocated = 0;
        set_size(a, 0);
        return 0;
    }
    /* room for some more: appending costs constant time */
    Py_ssize_t room = n;
    if (n > old && old > 0) {
        Py_ssize_t extra = (n >> 4) + (old < 8 ? 3 : 7);
        room = n <= PY_SSIZE_T_MAX - extra ? n + extra : n;
    }
    if (room > PY_SSIZE_T_MAX / a->ob_descr->itemsize) {
        PyErr_NoMemory();
        return -1;
    }
    char *items = PyMem_Realloc(a->ob_item, (size_t)room * (size_t)a->ob_descr->itemsize);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    a->ob_item = items;
    a->allocated = room;
    set_size(a, n);
    return 0;
}

static PyObject *new_array(PyTypeObject *type, Py_ssize_t n, const descr_t *d)
{
    if (n > PY_SSIZE_T_MAX / d->itemsize)
        return PyErr_NoMemory();
    arrayobject *a = (arrayobject *)type->tp_alloc(type, 0);
    if (a == NULL)
        return NULL;
    a->ob_descr = d;
    if (n > 0) {
        a->ob_item = PyMem_Malloc((size_t)(n * d->itemsize));
        if (a->ob_item == NULL) {
            Py_DECREF(a);
            return PyErr_NoMemory();
        }
        a->allocated = n;
        set_size(a, n);
    }
    return (PyObject *)a;
}

/* [lo, hi) is replaced by n items from data, which is not inside a. */
static int splice_locked(arrayobject *a, Py_ssize_t lo, Py_ssize_t hi, const char *data, Py_ssize_t n)
{
    Py_ssize_t old = size_of(a), growth = n - (hi - lo), size = a->ob_descr->itemsize;
    if (growth < 0) {
        if (a->ob_exports > 0) {
            PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
            return -1;
        }
        memmove(a->ob_item + (lo + n) * size, a->ob_item + hi * size, (size_t)((old - hi) * size));
        if (resize_locked(a, old + growth) < 0) {
            PyErr_Clear();      /* the block stays larger than needed */
            set_size(a, old + growth);
        }
    }
    else if (growth > 0) {
        if (old > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (resize_locked(a, old + growth) < 0)
            return -1;
        memmove(a->ob_item + (lo + n) * size, a->ob_item + hi * size, (size_t)((old - hi) * size));
    }
    if (n > 0)
        memcpy(a->ob_item + lo * size, data, (size_t)(n * size));
    return 0;
}

static void array_dealloc(PyObject *op)
{
    arrayobject *a = as_array(op);
    if (_PyObject_HAS_WEAKREFS(a->weakreflist))
        PyObject_ClearWeakRefs(op);
    PyMem_Free(a->ob_item);
    Py_TYPE(op)->tp_free(op);
}

/* The item as an object, or NULL without exception: out of range. */
static PyObject *item_or_null(arrayobject *a, Py_ssize_t i)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(a);
    if (i >= 0 && i < size_of(a))
        result = load_item(a->ob_descr, a->ob_item + i * a->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *array_item(PyObject *op, Py_ssize_t i)
{
    PyObject *result = item_or_null(as_array(op), i);
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_IndexError, "array index out of range");
    return result;
}

static int insert_item(arrayobject *a, Py_ssize_t where, PyObject *value)
{
    char packed[8];
    int result;
    if (pack_item(a->ob_descr, value, packed) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    if (where < 0)
        where = where + n < 0 ? 0 : where + n;
    if (where > n)
        where = n;
    result = splice_locked(a, where, where, packed, 1);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int append_item(arrayobject *a, PyObject *value)
{
    return insert_item(a, PY_SSIZE_T_MAX, value);
}

/* A copy of [start, start + step, ...), n items, as a new array. */
static PyObject *copy_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t size = a->ob_descr->itemsize;
    PyObject *result = new_array(&array_type, n < 0 ? 0 : n, a->ob_descr);
    if (result == NULL || n <= 0)
        return result;
    char *to = as_array(result)->ob_item;
    if (step == 1)
        memcpy(to, a->ob_item + start * size, (size_t)(n * size));
    else
        for (Py_ssize_t i = 0; i < n; i++, start += step, to += size)
            memcpy(to, a->ob_item + start * size, (size_t)size);
    return result;
}

static PyObject *array_copy(PyObject *op, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = copy_locked(as_array(op), 0, 1, size_of(as_array(op)));
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Extending ---- */

/* Appends the items of another array of the same kind. */
static int extend_array(arrayobject *a, PyObject *other)
{
    PyObject *copy = NULL;
    int result;
    if (a->ob_descr != as_array(other)->ob_descr) {
        PyErr_SetString(PyExc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    if (other != (PyObject *)a && size_of(as_array(other)) == 0)
        return 0;
    copy = array_copy(other, NULL);
    if (copy == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    result = splice_locked(a, n, n, as_array(copy)->ob_item, size_of(as_array(copy)));
    Py_END_CRITICAL_SECTION();
    Py_DECREF(copy);
    return result;
}

static int extend_iterable(arrayobject *a, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL)
        return -1;
    while ((item = PyIter_Next(iterator)) != NULL) {
        int failed = append_item(a, item);
        Py_DECREF(item);
        if (failed < 0)
            break;
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *array_extend(PyObject *op, PyObject *iterable)
{
    int failed = array_check(iterable) ? extend_array(as_array(op), iterable) : extend_iterable(as_array(op), iterable);
    if (failed < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int append_bytes(arrayobject *a, const char *data, Py_ssize_t length)
{
    Py_ssize_t size = a->ob_descr->itemsize;
    int result;
    if (length % size != 0) {
        PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(a);
    Py_ssize_t n = size_of(a);
    result = splice_locked(a, n, n, data, length / size);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *array_frombytes(PyObject *op, PyObject *source)
{
    Py_buffer view;
    int failed = -1;
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.itemsize != 1)
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
    else
        failed = append_bytes(as_array(op), view.buf, view.len);
    PyBuffer_Release(&view);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *array_fromlist(PyObject *op, PyObject *list)
{
    arrayobject *a = as_array(op);
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return NULL;
    }
    /* converted as a whole first: on an error nothing has been added */
    Py_ssize_t n = PyList_GET_SIZE(list), size = a->ob_descr->itemsize;
    PyObject *fresh = new_array(&array_type, n, a->ob_descr);
    if (fresh == NULL)
        return NULL;
    int failed = 0;
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        PyObject *item = PyList_GetItemRef(list, i);
        if (item == NULL || PyList_GET_SIZE(list) != n) {
            PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
            failed = 1;
        }
        else
            failed = pack_item(a->ob_descr, item, as_array(fresh)->ob_item + i * size) < 0;
        Py_XDECREF(item);
    }
    if (!failed)
        failed = extend_array(a, fresh) < 0;
    Py_DECREF(fresh);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static int append_text(arrayobject *a, PyObject *text)
{
    Py_ssize_t n;
    wchar_t *wide = PyUnicode_AsWideCharString(text, &n);
    if (wide == NULL)
        return -1;
    int result = append_bytes(a, (const char *)wide, n * (Py_ssize_t)sizeof(wchar_t));
    PyMem_Free(wide);
    return result;
}

static PyObject *array_fromunicode(PyObject *op, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "fromunicode() argument must be str, not %.200s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    if (as_array(op)->ob_descr->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError, "fromunicode() may only be called on unicode type arrays");
        return NULL;
    }
    if (append_text(as_array(op), text) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Construction ---- */

/* The items of a list or tuple: memory for all of them at once. */
static int fill_from_sequence(arrayobject *a, PyObject *sequence)
{
    PyObject *items = PySequence_Tuple(sequence), *fresh = NULL;
    int result = -1;
    if (items == NULL)
        return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items), size = a->ob_descr->itemsize;
    fresh = new_array(&array_type, n, a->ob_descr);
    if (fresh == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++)
        if (pack_item(a->ob_descr, PyTuple_GET_ITEM(items, i), as_array(fresh)->ob_item + i * size) < 0)
            goto done;
    result = extend_array(a, fresh);
done:
    Py_DECREF(items);
    Py_XDECREF(fresh);
    return result;
}

static int fill(arrayobject *a, PyObject *initial)
{
    char typecode = a->ob_descr->typecode;
    if (PyUnicode_Check(initial)) {
        if (typecode != 'u') {
            PyErr_Format(PyExc_TypeError, "cannot use a str to initialize an array with typecode '%c'", typecode);
            return -1;
        }
        return append_text(a, initial);
    }
    if (array_check(initial)) {
        if (as_array(initial)->ob_descr->typecode == 'u' && typecode != 'u') {
            PyErr_Format(PyExc_TypeError, "cannot use a unicode array to initialize an array with typecode '%c'",
                         typecode);
            return -1;
        }
        if (as_array(initial)->ob_descr == a->ob_descr)
            return extend_array(a, initial);
        return extend_iterable(a, initial);
    }
    if (PyBytes_Check(initial) || PyByteArray_Check(initial)) {
        PyObject *result = array_frombytes((PyObject *)a, initial);
        Py_XDECREF(result);
        return result == NULL ? -1 : 0;
    }
    if (PyList_CheckExact(initial) || PyTuple_CheckExact(initial))
        return fill_from_sequence(a, initial);
    return extend_iterable(a, initial);
}

static PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int typecode;
    PyObject *initial = NULL;
    if ((type == &array_type || type->tp_init == array_type.tp_init) && kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "array.array() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "C|O:array", &typecode, &initial))
        return NULL;
    if (PySys_Audit("array.__new__", "CO", typecode, initial ? initial : Py_None) < 0)
        return NULL;
    const descr_t *d = find_descr(typecode);
    if (d == NULL) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)");
        return NULL;
    }
    PyObject *self = new_array(type, 0, d);
    if (self != NULL && initial != NULL && fill(as_array(self), initial) < 0)
        Py_CLEAR(self);
    return self;
}

/* ---- Operators ---- */

static Py_ssize_t array_length(PyObject *op)
{
    return size_of(as_array(op));
}

static PyObject *array_concat(PyObject *op, PyObject *other)
{
    if (!array_check(other)) {
        PyErr_Format(PyExc_TypeError, "can only append array (not \"%.200s\") to array", Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (as_array(op)->ob_descr != as_array(other)->ob_descr) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *result = array_copy(op, NULL);
    if (result != NULL && extend_array(as_array(result), other) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *array_inplace_concat(PyObject *op, PyObject *other)
{
    if (!array_check(other)) {
        PyErr_Format(PyExc_TypeError, "can only extend array with array (not \"%.200s\")", Py_TYPE(other)->tp_name);
        return NULL;
    }
    return extend_array(as_array(op), other) < 0 ? NULL : Py_NewRef(op);
}

/* a becomes count copies of itself. */
static int repeat_locked(arrayobject *a, Py_ssize_t count)
{
    Py_ssize_t n = size_of(a), size = a->ob_descr->itemsize;
    if (count < 0)
        count = 0;
    if (n == 0 || count == 1)
        return 0;
    if (count > 0 && n > PY_SSIZE_T_MAX / count / size) {
        PyErr_NoMemory();
        return -1;
    }
    if (resize_locked(a, n * count) < 0)
        return -1;
    for (Py_ssize_t done = n * size, total = n * count * size; done < total;) {
        Py_ssize_t chunk = done < total - done ? done : total - done;
        memcpy(a->ob_item + done, a->ob_item, (size_t)chunk);
        done += chunk;
    }
    return 0;
}

static PyObject *array_inplace_repeat(PyObject *op, Py_ssize_t count)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = repeat_locked(as_array(op), count);
    Py_END_CRITICAL_SECTION();
    return failed < 0 ? NULL : Py_NewRef(op);
}

static PyObject *array_repeat(PyObject *op, Py_ssize_t count)
{
    PyObject *copy = array_copy(op, NULL), *result = NULL;
    if (copy != NULL)
        result = array_inplace_repeat(copy, count);
    Py_XDECREF(copy);
    return result;
}

static PyObject *array_subscript(PyObject *op, PyObject *key)
{
    arrayobject *a = as_array(op);
    PyObject *result;
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return array_item(op, i < 0 ? i + size_of(a) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PySlice_AdjustIndices(size_of(a), &start, &stop, step);
    result = copy_locked(a, start, step, n);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int set_item(arrayobject *a, Py_ssize_t i, PyObject *value)
{
    char packed[8];
    int result = -1;
    if (value != NULL && pack_item(a->ob_descr, value, packed) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(a);
    if (i < 0)
        i += size_of(a);
    if (i < 0 || i >= size_of(a))
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
    else if (value == NULL)
        result = splice_locked(a, i, i + 1, NULL, 0);
    else {
        memcpy(a->ob_item + i * a->ob_descr->itemsize, packed, (size_t)a->ob_descr->itemsize);
        result = 0;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static int array_ass_item(PyObject *op, Py_ssize_t i, PyObject *value)
{
    if (i < 0) {
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    return set_item(as_array(op), i, value);
}

static int delete_extended_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t size = a->ob_descr->itemsize, total = size_of(a);
    if (n == 0)
        return 0;
    if (a->ob_exports > 0) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    Py_ssize_t to = start;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t from = start + i * step + 1, end = i + 1 < n ? from + step - 1 : total;
        memmove(a->ob_item + to * size, a->ob_item + from * size, (size_t)((end - from) * size));
        to += end - from;
    }
    return resize_locked(a, total - n);
}

/* values: NULL or a private array of the same kind. */
static int set_slice_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step, PyObject *values)
{
    Py_ssize_t count = PySlice_AdjustIndices(size_of(a), &start, &stop, step), size = a->ob_descr->itemsize;
    Py_ssize_t n = values == NULL ? 0 : size_of(as_array(values));
    const char *data = values == NULL ? NULL : as_array(values)->ob_item;
    if ((step > 0 && stop < start) || (step < 0 && stop > start))
        stop = start;
    if (a->ob_exports > 0 && n != count) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step == 1)
        return splice_locked(a, start, stop, data, n);
    if (n == 0)
        return delete_extended_locked(a, start, step, count);
    if (n != count) {
        PyErr_Format(PyExc_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", n, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++, start += step)
        memcpy(a->ob_item + start * size, data + i * size, (size_t)size);
    return 0;
}

static int array_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    arrayobject *a = as_array(op);
    Py_ssize_t start, stop, step;
    PyObject *copy = NULL;
    int result;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return -1;
        return set_item(a, i, value);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return -1;
    }
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return -1;
    if (value != NULL && !array_check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (value != NULL && as_array(value)->ob_descr != a->ob_descr) {
        PyErr_BadArgument();
        return -1;
    }
    if (value != NULL && (copy = array_copy(value, NULL)) == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = set_slice_locked(a, start, stop, step, copy);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(copy);
    return result;
}

/* ---- Searching and comparing: by value, which may run code; items are fetched one at a time ---- */

/* The first position from start on (up to stop) of an item equal to value; -1 absent, -2 failed. */
static Py_ssize_t find(arrayobject *a, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    for (Py_ssize_t i = start; i < stop; i++) {
        PyObject *item = item_or_null(a, i);
        if (item == NULL)
            return PyErr_Occurred() ? -2 : -1;
        int equal = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (equal != 0)
            return equal < 0 ? -2 : i;
    }
    return -1;
}

static int array_contains(PyObject *op, PyObject *value)
{
    Py_ssize_t i = find(as_array(op), value, 0, PY_SSIZE_T_MAX);
    return i == -2 ? -1 : i >= 0;
}

static int slice_index(PyObject *op, Py_ssize_t *index)
{
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or have an __index__ method");
        return -1;
    }
    *index = PyNumber_AsSsize_t(op, NULL);
    return *index == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *array_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "index expected at %s %d argument%s, got %zd", nargs < 1 ? "least" : "most",
                     nargs < 1 ? 1 : 3, nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    if ((nargs > 1 && slice_index(args[1], &start) < 0) || (nargs > 2 && slice_index(args[2], &stop) < 0))
        return NULL;
    Py_ssize_t n = size_of(as_array(op));
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop += n;
    Py_ssize_t i = find(as_array(op), args[0], start, stop);
    if (i == -1)
        PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

static PyObject *array_count(PyObject *op, PyObject *value)
{
    Py_ssize_t count = 0, i = -1;
    while ((i = find(as_array(op), value, i + 1, PY_SSIZE_T_MAX)) >= 0)
        count++;
    return i == -2 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *array_remove(PyObject *op, PyObject *value)
{
    int failed = 0;
    Py_ssize_t i = find(as_array(op), value, 0, PY_SSIZE_T_MAX);
    if (i == -2)
        return NULL;
    if (i == -1) {
        PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    if (i < size_of(as_array(op)))
        failed = splice_locked(as_array(op), i, i + 1, NULL, 0);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* Both have the same integer type: compared in C. Items are integers of at most 64 bits. */
static int compare_items(const descr_t *d, const char *p, const char *q)
{
#define ORDER(type) ({ type x = LOAD(type), y; memcpy(&y, q, sizeof(y)); x < y ? -1 : x > y; })
    switch (d->typecode) {
    case 'b': return ORDER(signed char);
    case 'B': return ORDER(unsigned char);
    case 'h': return ORDER(short);
    case 'H': return ORDER(unsigned short);
    case 'i': return ORDER(int);
    case 'I': return ORDER(unsigned int);
    case 'l': return ORDER(long);
    case 'L': return ORDER(unsigned long);
    case 'q': return ORDER(long long);
    case 'Q': return ORDER(unsigned long long);
    default: return ORDER(wchar_t);
    }
}

/* order by size if all common items are equal */
static PyObject *by_length(Py_ssize_t n, Py_ssize_t m, int op)
{
    Py_RETURN_RICHCOMPARE(n, m, op);
}

static PyObject *compare_same(arrayobject *a, arrayobject *b, int op)
{
    Py_ssize_t n, m, i = 0, size = a->ob_descr->itemsize;
    int order = 0;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    n = size_of(a);
    m = size_of(b);
    for (; i < n && i < m && order == 0; i++)
        order = compare_items(a->ob_descr, a->ob_item + i * size, b->ob_item + i * size);
    Py_END_CRITICAL_SECTION2();
    return order == 0 ? by_length(n, m, op) : by_length(order, 0, op);
}

static PyObject *array_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!array_check(v) || !array_check(w))
        Py_RETURN_NOTIMPLEMENTED;
    arrayobject *a = as_array(v), *b = as_array(w);
    if ((op == Py_EQ || op == Py_NE) && size_of(a) != size_of(b))
        return PyBool_FromLong(op == Py_NE);
    char code = a->ob_descr->typecode;
    if (a->ob_descr == b->ob_descr && code != 'f' && code != 'd')
        return compare_same(a, b, op);
    for (Py_ssize_t i = 0;; i++) {
        PyObject *x = item_or_null(a, i), *y = x == NULL ? NULL : item_or_null(b, i);
        if (y == NULL) {
            Py_XDECREF(x);
            return PyErr_Occurred() ? NULL : by_length(size_of(a), size_of(b), op);
        }
        int equal = PyObject_RichCompareBool(x, y, Py_EQ);
        PyObject *result = NULL;
        if (equal == 0)
            result = op == Py_EQ ? Py_NewRef(Py_False) : op == Py_NE ? Py_NewRef(Py_True) : PyObject_RichCompare(x, y, op);
        Py_DECREF(x);
        Py_DECREF(y);
        if (equal <= 0)
            return result;
    }
}

/* ---- Buffers ---- */

static int array_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    arrayobject *a = as_array(op);
    static char empty[8];
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "array_buffer_getbuf: view==NULL argument is obsolete");
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    view->buf = a->ob_item == NULL ? empty : a->ob_item;
    view->len = size_of(a) * a->ob_descr->itemsize;
    view->itemsize = a->ob_descr->itemsize;
    a->ob_exports++;
    Py_END_CRITICAL_SECTION();
    view->obj = Py_NewRef(op);
    view->readonly = 0;
    view->ndim = 1;
    view->suboffsets = NULL;
    /* the length in items is fixed while there are exports */
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &((PyVarObject *)op)->ob_size : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)a->ob_descr->format : NULL;
    view->internal = NULL;
    return 0;
}

static void array_releasebuffer(PyObject *op, Py_buffer *view)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    as_array(op)->ob_exports--;
    Py_END_CRITICAL_SECTION();
}

/* ---- Methods ---- */

static PyObject *array_append(PyObject *op, PyObject *value)
{
    if (append_item(as_array(op), value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *array_insert(PyObject *op, PyObject *args)
{
    Py_ssize_t where;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "nO:insert", &where, &value) || insert_item(as_array(op), where, value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *array_pop(PyObject *op, PyObject *args)
{
    arrayobject *a = as_array(op);
    Py_ssize_t i = -1;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "|n:pop", &i))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = size_of(a);
    if (i < 0)
        i += n;
    if (n == 0)
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
    else if (i < 0 || i >= n)
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
    else {
        result = load_item(a->ob_descr, a->ob_item + i * a->ob_descr->itemsize);
        if (result != NULL && splice_locked(a, i, i + 1, NULL, 0) < 0)
            Py_CLEAR(result);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *array_reverse(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t size = a->ob_descr->itemsize, n = size_of(a);
    char saved[8], *p = a->ob_item, *q = n > 0 ? a->ob_item + (n - 1) * size : p;
    for (; p < q; p += size, q -= size) {
        memcpy(saved, p, (size_t)size);
        memcpy(p, q, (size_t)size);
        memcpy(q, saved, (size_t)size);
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static void swap_bytes(char *p, Py_ssize_t n, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < n; i++, p += size)
        for (Py_ssize_t j = 0; j < size / 2; j++) {
            char c = p[j];
            p[j] = p[size - 1 - j];
            p[size - 1 - j] = c;
        }
}

static PyObject *array_byteswap(PyObject *op, PyObject *unused)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    swap_bytes(as_array(op)->ob_item, size_of(as_array(op)), as_array(op)->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *array_buffer_info(PyObject *op, PyObject *unused)
{
    void *p;
    Py_ssize_t n;
    Py_BEGIN_CRITICAL_SECTION(op);
    p = as_array(op)->ob_item;
    n = size_of(as_array(op));
    Py_END_CRITICAL_SECTION();
    return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(p), n);
}

static PyObject *array_tolist(PyObject *op, PyObject *unused)
{
    PyObject *copy = array_copy(op, NULL), *list = NULL;
    if (copy == NULL)
        return NULL;
    Py_ssize_t n = size_of(as_array(copy));
    list = PyList_New(n);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyObject *item = item_or_null(as_array(copy), i);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    Py_DECREF(copy);
    return list;
}

static PyObject *array_tobytes(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = PyBytes_FromStringAndSize(a->ob_item, size_of(a) * a->ob_descr->itemsize);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *to_text(PyObject *op)
{
    PyObject *copy = array_copy(op, NULL), *result = NULL;
    if (copy != NULL)
        result = PyUnicode_FromWideChar((wchar_t *)as_array(copy)->ob_item, size_of(as_array(copy)));
    Py_XDECREF(copy);
    return result;
}

static PyObject *array_tounicode(PyObject *op, PyObject *unused)
{
    if (as_array(op)->ob_descr->typecode == 'u')
        return to_text(op);
    PyErr_SetString(PyExc_ValueError, "tounicode() may only be called on unicode type arrays");
    return NULL;
}

static PyObject *array_fromfile(PyObject *op, PyObject *args)
{
    PyObject *file, *data, *result;
    Py_ssize_t n, size = as_array(op)->ob_descr->itemsize;
    if (!PyArg_ParseTuple(args, "On:fromfile", &file, &n))
        return NULL;
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    if (n > PY_SSIZE_T_MAX / size)
        return PyErr_NoMemory();
    data = PyObject_CallMethod(file, "read", "n", n * size);
    if (data == NULL)
        return NULL;
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
        Py_DECREF(data);
        return NULL;
    }
    int too_short = PyBytes_GET_SIZE(data) != n * size;
    result = array_frombytes(op, data);
    Py_DECREF(data);
    if (result != NULL && too_short) {
        PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
        Py_CLEAR(result);
    }
    return result;
}

enum { FILE_BLOCK = 64 * 1024 };

static PyObject *array_tofile(PyObject *op, PyObject *file)
{
    PyObject *all = array_tobytes(op, NULL);
    if (all == NULL)
        return NULL;
    Py_ssize_t n = PyBytes_GET_SIZE(all);
    for (Py_ssize_t at = 0; at < n; at += FILE_BLOCK) {
        PyObject *result = NULL, *block = PyBytes_FromStringAndSize(PyBytes_AS_STRING(all) + at,
                                                                    n - at < FILE_BLOCK ? n - at : FILE_BLOCK);
        if (block != NULL)
            result = PyObject_CallMethod(file, "write", "O", block);
        Py_XDECREF(block);
        if (result == NULL) {
            Py_DECREF(all);
            return NULL;
        }
        Py_DECREF(result);
    }
    Py_DECREF(all);
    Py_RETURN_NONE;
}

static PyObject *array_repr(PyObject *op)
{
    PyObject *values, *result = NULL, *name;
    char typecode = as_array(op)->ob_descr->typecode;
    name = PyType_GetName(Py_TYPE(op));
    if (name == NULL)
        return NULL;
    if (size_of(as_array(op)) == 0)
        result = PyUnicode_FromFormat("%U('%c')", name, typecode);
    else {
        values = typecode == 'u' ? to_text(op) : array_tolist(op, NULL);
        if (values != NULL)
            result = PyUnicode_FromFormat("%U('%c', %R)", name, typecode, values);
        Py_XDECREF(values);
    }
    Py_DECREF(name);
    return result;
}

static PyObject *array_sizeof(PyObject *op, PyObject *unused)
{
    arrayobject *a = as_array(op);
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + a->allocated * a->ob_descr->itemsize);
}

static PyObject *get_typecode(PyObject *op, void *unused)
{
    return PyUnicode_FromFormat("%c", as_array(op)->ob_descr->typecode);
}

static PyObject *get_itemsize(PyObject *op, void *unused)
{
    return PyLong_FromLong(as_array(op)->ob_descr->itemsize);
}

/* ---- Pickling: items in a format that does not depend on the machine ---- */

/* Format codes: even numbers little-endian, the odd ones after them big-endian, but for single bytes. */
static const struct { char size, is_signed, kind, big; } machine_formats[] = {
    {1, 0, 'i', 0}, {1, 1, 'i', 0}, {2, 0, 'i', 0}, {2, 0, 'i', 1}, {2, 1, 'i', 0}, {2, 1, 'i', 1}, {4, 0, 'i', 0},
    {4, 0, 'i', 1}, {4, 1, 'i', 0}, {4, 1, 'i', 1}, {8, 0, 'i', 0}, {8, 0, 'i', 1}, {8, 1, 'i', 0}, {8, 1, 'i', 1},
    {4, 0, 'f', 0}, {4, 0, 'f', 1}, {8, 0, 'f', 0}, {8, 0, 'f', 1}, {2, 0, 'u', 0}, {2, 0, 'u', 1}, {4, 0, 'u', 0},
    {4, 0, 'u', 1},
};
enum { FORMAT_COUNT = sizeof(machine_formats) / sizeof(machine_formats[0]) };

static int machine_format(const descr_t *d)
{
    char kind = d->typecode == 'u' ? 'u' : d->is_integer ? 'i' : 'f';
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (machine_formats[i].size == d->itemsize && machine_formats[i].is_signed == d->is_signed
            && machine_formats[i].kind == kind && (machine_formats[i].big == PY_BIG_ENDIAN || d->itemsize == 1))
            return i;
    return -1;
}

/* Number in another format as an object. */
static PyObject *foreign_item(int code, const char *p)
{
    int size = machine_formats[code].size, big = machine_formats[code].big;
    if (machine_formats[code].kind == 'f') {
        double x = size == 4 ? PyFloat_Unpack4(p, !big) : PyFloat_Unpack8(p, !big);
        return x == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(x);
    }
    unsigned long long n = 0;
    for (int i = 0; i < size; i++)
        n = n << 8 | (unsigned char)p[big ? i : size - 1 - i];
    if (!machine_formats[code].is_signed)
        return PyLong_FromUnsignedLongLong(n);
    int shift = 64 - 8 * size;
    return PyLong_FromLongLong((long long)(n << shift) >> shift);
}

static PyObject *decode_text(int code, const char *p, Py_ssize_t n)
{
    int order = machine_formats[code].big ? 1 : -1;
    return machine_formats[code].size == 2 ? PyUnicode_DecodeUTF16(p, n, "strict", &order)
                                           : PyUnicode_DecodeUTF32(p, n, "strict", &order);
}

/* The items of the bytes as a list or str. */
static PyObject *foreign_items(int code, PyObject *bytes)
{
    const char *p = PyBytes_AS_STRING(bytes);
    Py_ssize_t size = machine_formats[code].size, n = PyBytes_GET_SIZE(bytes) / size;
    if (machine_formats[code].kind == 'u')
        return decode_text(code, p, PyBytes_GET_SIZE(bytes));
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; i < n && list != NULL; i++) {
        PyObject *item = foreign_item(code, p + i * size);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *reconstructor(PyObject *module, PyObject *args)
{
    PyObject *type, *bytes, *items, *result;
    int typecode, code;
    if (!PyArg_ParseTuple(args, "OCiO:_array_reconstructor", &type, &typecode, &code, &bytes))
        return NULL;
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a type object, not %.200s", Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, &array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s", ((PyTypeObject *)type)->tp_name,
                     array_type.tp_name);
        return NULL;
    }
    const descr_t *d = find_descr(typecode);
    if (d == NULL) {
        PyErr_SetString(PyExc_ValueError, "second argument must be a valid type code");
        return NULL;
    }
    if (code < 0 || code >= FORMAT_COUNT) {
        PyErr_SetString(PyExc_ValueError, "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "fourth argument should be bytes, not %.200s", Py_TYPE(bytes)->tp_name);
        return NULL;
    }
    if (PyBytes_GET_SIZE(bytes) % machine_formats[code].size != 0) {
        PyErr_SetString(PyExc_ValueError, "string length not a multiple of item size");
        return NULL;
    }
    items = code == machine_format(d) ? Py_NewRef(bytes) : foreign_items(code, bytes);
    if (items == NULL)
        return NULL;
    result = new_array((PyTypeObject *)type, 0, d);
    if (result != NULL && fill(as_array(result), items) < 0)
        Py_CLEAR(result);
    Py_DECREF(items);
    return result;
}

static PyObject *instance_dict(PyObject *op)
{
    PyObject *dict = PyObject_GetAttrString(op, "__dict__");
    if (dict != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return dict;
    PyErr_Clear();
    return Py_NewRef(Py_None);
}

static PyObject *array_reduce_ex(PyObject *op, PyObject *value)
{
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long protocol = PyLong_AsLong(value);
    if (protocol == -1 && PyErr_Occurred())
        return NULL;
    PyObject *dict = instance_dict(op), *result = NULL, *content = NULL, *module = NULL, *function = NULL;
    if (dict == NULL)
        return NULL;
    const descr_t *d = as_array(op)->ob_descr;
    if (protocol < 3) {
        content = array_tolist(op, NULL);
        if (content != NULL)
            result = Py_BuildValue("O(CO)O", Py_TYPE(op), d->typecode, content, dict);
    }
    else if ((content = array_tobytes(op, NULL)) != NULL && (module = PyImport_ImportModule("array")) != NULL
             && (function = PyObject_GetAttrString(module, "_array_reconstructor")) != NULL)
        result = Py_BuildValue("O(OCiO)O", function, Py_TYPE(op), d->typecode, machine_format(d), content, dict);
    Py_XDECREF(function);
    Py_XDECREF(module);
    Py_XDECREF(content);
    Py_DECREF(dict);
    return result;
}

/* ---- Iterator ---- */

static PyObject *array_iter(PyObject *op)
{
    iterobject *it = PyObject_GC_New(iterobject, &iter_type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->array = Py_NewRef(op);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((iterobject *)op)->array);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((iterobject *)op)->array);
    return 0;
}

static PyObject *iter_next(PyObject *op)
{
    iterobject *it = (iterobject *)op;
    PyObject *array, *result, *ended = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    array = Py_XNewRef(it->array);
    Py_END_CRITICAL_SECTION();
    if (array == NULL)
        return NULL;
    Py_ssize_t i = __atomic_fetch_add(&it->index, 1, __ATOMIC_RELAXED);
    result = item_or_null(as_array(array), i);
    if (result == NULL && !PyErr_Occurred()) {
        Py_BEGIN_CRITICAL_SECTION(op);
        ended = it->array;
        it->array = NULL;
        Py_END_CRITICAL_SECTION();
    }
    Py_DECREF(array);
    Py_XDECREF(ended);
    return result;
}

static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    iterobject *it = (iterobject *)op;
    PyObject *array, *builtins = PyEval_GetBuiltins(), *function = NULL;
    if (builtins != NULL)
        function = PyMapping_GetItemString(builtins, "iter");
    if (function == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    array = Py_XNewRef(it->array);
    Py_END_CRITICAL_SECTION();
    if (array == NULL)
        return Py_BuildValue("N(())", function);
    return Py_BuildValue("N(N)n", function, array, __atomic_load_n(&it->index, __ATOMIC_RELAXED));
}

static PyObject *iter_setstate(PyObject *op, PyObject *state)
{
    iterobject *it = (iterobject *)op;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (it->array != NULL) {
        Py_ssize_t n = size_of(as_array(it->array));
        __atomic_store_n(&it->index, i < 0 ? 0 : i > n ? n : i, __ATOMIC_RELAXED);
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Set the position."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "array.arrayiterator",
    .tp_basicsize = sizeof(iterobject),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/* ---- The type ---- */

static PyObject *array_deepcopy(PyObject *op, PyObject *memo)
{
    return array_copy(op, NULL);
}

static PyMethodDef array_methods[] = {
    {"__copy__", array_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nA copy."},
    {"__deepcopy__", array_deepcopy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nA copy."},
    {"__reduce_ex__", array_reduce_ex, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nState for pickling."},
    {"__sizeof__", array_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {"append", array_append, METH_O, "append($self, v, /)\n--\n\nAdd a value at the end."},
    {"buffer_info", array_buffer_info, METH_NOARGS, "buffer_info($self, /)\n--\n\nA tuple (address, number of items)."},
    {"byteswap", array_byteswap, METH_NOARGS, "byteswap($self, /)\n--\n\nReverse the order of the bytes of all items."},
    {"count", array_count, METH_O, "count($self, v, /)\n--\n\nHow often v occurs."},
    {"extend", array_extend, METH_O, "extend($self, bb, /)\n--\n\nAdd the items of an iterable at the end."},
    {"frombytes", array_frombytes, METH_O,
     "frombytes($self, buffer, /)\n--\n\nAdd items at the end that are given as bytes, in the form of the machine."},
    {"fromfile", array_fromfile, METH_VARARGS, "fromfile($self, f, n, /)\n--\n\nRead n items from a file and add them."},
    {"fromlist", array_fromlist, METH_O, "fromlist($self, list, /)\n--\n\nAdd the items of a list, all or none."},
    {"fromunicode", array_fromunicode, METH_O,
     "fromunicode($self, ustr, /)\n--\n\nAdd the characters of a str; the type code must be 'u'."},
    {"index", FUNCTION(array_index), METH_FASTCALL,
     "index($self, v, start=0, stop=sys.maxsize, /)\n--\n\nPosition of the first v; ValueError if there is none."},
    {"insert", array_insert, METH_VARARGS, "insert($self, i, v, /)\n--\n\nPut v before position i."},
    {"pop", array_pop, METH_VARARGS, "pop($self, i=-1, /)\n--\n\nRemove the item at position i and return it."},
    {"remove", array_remove, METH_O, "remove($self, v, /)\n--\n\nRemove the first v."},
    {"reverse", array_reverse, METH_NOARGS, "reverse($self, /)\n--\n\nReverse the order of the items."},
    {"tobytes", array_tobytes, METH_NOARGS, "tobytes($self, /)\n--\n\nThe items as bytes, in the form of the machine."},
    {"tofile", array_tofile, METH_O, "tofile($self, f, /)\n--\n\nWrite all items to a file."},
    {"tolist", array_tolist, METH_NOARGS, "tolist($self, /)\n--\n\nThe items as a list."},
    {"tounicode", array_tounicode, METH_NOARGS, "tounicode($self, /)\n--\n\nThe characters as a str; the type code must be 'u'."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef array_getset[] = {
    {"typecode", get_typecode, NULL, "The character that stands for the type of the items.", NULL},
    {"itemsize", get_itemsize, NULL, "Size of an item in bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods array_as_sequence = {
    .sq_length = array_length,
    .sq_concat = array_concat,
    .sq_repeat = array_repeat,
    .sq_item = array_item,
    .sq_ass_item = array_ass_item,
    .sq_contains = array_contains,
    .sq_inplace_concat = array_inplace_concat,
    .sq_inplace_repeat = array_inplace_repeat,
};
static PyMappingMethods array_as_mapping = {
    .mp_length = array_length,
    .mp_subscript = array_subscript,
    .mp_ass_subscript = array_ass_subscript,
};
static PyBufferProcs array_as_buffer = {array_getbuffer, array_releasebuffer};

static PyTypeObject array_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "array.array",
    .tp_doc = "array(typecode [, initializer]) -> array\n\nAn array of numbers of one C type, which the type code names:\n\n"
              "b B h H i I l L q Q  signed and unsigned integers of char, short, int, long, long long\n"
              "f d                  float and double\n"
              "u                    characters (wchar_t)\n\n"
              "The initializer is an iterable of items, bytes in the form of the machine, or a str for 'u'.",
    .tp_basicsize = sizeof(arrayobject),
    .tp_dealloc = array_dealloc,
    .tp_repr = array_repr,
    .tp_as_sequence = &array_as_sequence,
    .tp_as_mapping = &array_as_mapping,
    .tp_as_buffer = &array_as_buffer,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_SEQUENCE,
    .tp_richcompare = array_richcompare,
    .tp_weaklistoffset = offsetof(arrayobject, weakreflist),
    .tp_iter = array_iter,
    .tp_methods = array_methods,
    .tp_getset = array_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = array_new,
    .tp_free = PyObject_Free,
};

/* ---- The module ---- */

static PyMethodDef module_methods[] = {
    {"_array_reconstructor", reconstructor, METH_VARARGS,
     "_array_reconstructor($module, arraytype, typecode, mformat_code, items, /)\n--\n\nFor pickling."},
    {NULL, NULL, 0, NULL},
};

/* isinstance(array.array(...), collections.abc.MutableSequence) */
static int register_sequence(void)
{
    PyObject *module = PyImport_ImportModule("collections.abc"), *abc = NULL, *result = NULL;
    if (module != NULL)
        abc = PyObject_GetAttrString(module, "MutableSequence");
    if (abc != NULL)
        result = PyObject_CallMethod(abc, "register", "O", (PyObject *)&array_type);
    Py_XDECREF(module);
    Py_XDECREF(abc);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int module_exec(PyObject *module)
{
    char typecodes[sizeof(descriptors) / sizeof(descriptors[0]) + 1] = {0};
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++)
        typecodes[i] = descriptors[i].typecode;
    if (PyType_Ready(&iter_type) < 0 || PyModule_AddType(module, &array_type) < 0
        || PyModule_AddObjectRef(module, "ArrayType", (PyObject *)&array_type) < 0
        || PyModule_AddStringConstant(module, "typecodes", typecodes) < 0)
        return -1;
    return register_sequence();
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
    .m_name = "array",
    .m_doc = "Arrays of numbers of one C type: compact, and fast to hand to other libraries.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_array(void)
{
    return PyModuleDef_Init(&module_def);
}
