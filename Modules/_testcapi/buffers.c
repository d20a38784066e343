/* _testcapi: buffers, sequences, dicts and floats as C code uses them. */
#include "testcapi.h"

static PyObject *testcapi_sequence_getitem(PyObject *module, PyObject *args)
{
    PyObject *sequence;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "On", &sequence, &index))
        return NULL;
    return PySequence_GetItem(sequence, index);
}

static PyObject *testcapi_sequence_setitem(PyObject *module, PyObject *args)
{
    PyObject *sequence, *value;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "OnO", &sequence, &index, &value) || PySequence_SetItem(sequence, index, value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *testcapi_getbuffer_with_null_view(PyObject *module, PyObject *object)
{
    if (PyObject_GetBuffer(object, NULL, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *testcapi_size_from_format(PyObject *module, PyObject *args)
{
    const char *format;
    if (!PyArg_ParseTuple(args, "s:PyBuffer_SizeFromFormat", &format))
        return NULL;
    Py_ssize_t size = PyBuffer_SizeFromFormat(format);
    return size == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *testcapi_dict_getitem_knownhash(PyObject *module, PyObject *args)
{
    PyObject *dict, *key;
    Py_ssize_t hash;
    if (!PyArg_ParseTuple(args, "OOn:dict_getitem_knownhash", &dict, &key, &hash))
        return NULL;
    PyObject *value = _PyDict_GetItem_KnownHash(dict, key, (Py_hash_t)hash);
    if (value == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, key);
    return Py_XNewRef(value);
}

/* float_pack(size, number, little_endian) */
static PyObject *testcapi_float_pack(PyObject *module, PyObject *args)
{
    int size, little, status;
    double number;
    char data[8];
    if (!PyArg_ParseTuple(args, "idi", &size, &number, &little))
        return NULL;
    switch (size) {
    case 2: status = PyFloat_Pack2(number, data, little); break;
    case 4: status = PyFloat_Pack4(number, data, little); break;
    case 8: status = PyFloat_Pack8(number, data, little); break;
    default:
        PyErr_SetString(PyExc_ValueError, "size must 2, 4 or 8");
        return NULL;
    }
    return status < 0 ? NULL : PyBytes_FromStringAndSize(data, size);
}

/* float_unpack(data, little_endian) */
static PyObject *testcapi_float_unpack(PyObject *module, PyObject *args)
{
    const char *data;
    Py_ssize_t size;
    int little;
    double number;
    if (!PyArg_ParseTuple(args, "y#i", &data, &size, &little))
        return NULL;
    switch (size) {
    case 2: number = PyFloat_Unpack2(data, little); break;
    case 4: number = PyFloat_Unpack4(data, little); break;
    case 8: number = PyFloat_Unpack8(data, little); break;
    default:
        PyErr_SetString(PyExc_ValueError, "data length must 2, 4 or 8 bytes");
        return NULL;
    }
    return number == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(number);
}

static PyMethodDef buffers_methods[] = {
    {"sequence_getitem", testcapi_sequence_getitem, METH_VARARGS, NULL},
    {"sequence_setitem", testcapi_sequence_setitem, METH_VARARGS, NULL},
    {"getbuffer_with_null_view", testcapi_getbuffer_with_null_view, METH_O, NULL},
    {"PyBuffer_SizeFromFormat", testcapi_size_from_format, METH_VARARGS, NULL},
    {"dict_getitem_knownhash", testcapi_dict_getitem_knownhash, METH_VARARGS, NULL},
    {"float_pack", testcapi_float_pack, METH_VARARGS, NULL},
    {"float_unpack", testcapi_float_unpack, METH_VARARGS, NULL},
    {NULL},
};

int testcapi_add_buffers(PyObject *module)
{
    return PyModule_AddFunctions(module, buffers_methods);
}
