/* Items of arrays between C and Python. */
#include "array_internal.h"

const descr_t array_descriptors[ARRAY_DESCRIPTORS] = {
    {'b', sizeof(char), 1, 1, "b"}, {'B', sizeof(char), 1, 0, "B"}, {'u', sizeof(wchar_t), 0, 0, "w"},
    {'h', sizeof(short), 1, 1, "h"}, {'H', sizeof(short), 1, 0, "H"}, {'i', sizeof(int), 1, 1, "i"},
    {'I', sizeof(int), 1, 0, "I"}, {'l', sizeof(long), 1, 1, "l"}, {'L', sizeof(long), 1, 0, "L"},
    {'q', sizeof(long long), 1, 1, "q"}, {'Q', sizeof(long long), 1, 0, "Q"},
    {'f', sizeof(float), 0, 0, "f"}, {'d', sizeof(double), 0, 0, "d"},
};

const descr_t *array_find_descr(int typecode)
{
    for (size_t i = 0; i < ARRAY_DESCRIPTORS; i++)
        if (array_descriptors[i].typecode == typecode)
            return &array_descriptors[i];
    return NULL;
}

/* The item at p as an object. Never escapes. */
PyObject *array_load_item(const descr_t *d, const char *p)
{
    switch (d->typecode) {
    case 'b': return PyLong_FromLong(ARRAY_LOAD(signed char));
    case 'B': return PyLong_FromLong(ARRAY_LOAD(unsigned char));
    case 'h': return PyLong_FromLong(ARRAY_LOAD(short));
    case 'H': return PyLong_FromLong(ARRAY_LOAD(unsigned short));
    case 'i': return PyLong_FromLong(ARRAY_LOAD(int));
    case 'I': return PyLong_FromUnsignedLong(ARRAY_LOAD(unsigned int));
    case 'l': return PyLong_FromLong(ARRAY_LOAD(long));
    case 'L': return PyLong_FromUnsignedLong(ARRAY_LOAD(unsigned long));
    case 'q': return PyLong_FromLongLong(ARRAY_LOAD(long long));
    case 'Q': return PyLong_FromUnsignedLongLong(ARRAY_LOAD(unsigned long long));
    case 'f': return PyFloat_FromDouble(ARRAY_LOAD(float));
    case 'd': return PyFloat_FromDouble(ARRAY_LOAD(double));
    default: {
        wchar_t c = ARRAY_LOAD(wchar_t);
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
int array_pack_item(const descr_t *d, PyObject *value, char *p)
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
