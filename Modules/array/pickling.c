/* Pickling of arrays: items in a format that does not depend on the machine. */
#include "array_internal.h"

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

PyObject *array_reconstructor(PyObject *module, PyObject *args)
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
    const descr_t *d = array_find_descr(typecode);
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
    result = array_new_array((PyTypeObject *)type, 0, d);
    if (result != NULL && array_fill(as_array(result), items) < 0)
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

PyObject *array_reduce_ex(PyObject *op, PyObject *value)
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
