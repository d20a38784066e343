/* _testcapi: incremental codecs, and files of marshalled values. */
#include "testcapi.h"
#include <stdio.h>

static PyObject *testcapi_incrementalencoder(PyObject *module, PyObject *args)
{
    const char *encoding, *errors = NULL;
    if (!PyArg_ParseTuple(args, "s|s:codec_incrementalencoder", &encoding, &errors))
        return NULL;
    return PyCodec_IncrementalEncoder(encoding, errors);
}

static PyObject *testcapi_incrementaldecoder(PyObject *module, PyObject *args)
{
    const char *encoding, *errors = NULL;
    if (!PyArg_ParseTuple(args, "s|s:codec_incrementaldecoder", &encoding, &errors))
        return NULL;
    return PyCodec_IncrementalDecoder(encoding, errors);
}

/* ---- Marshalled values in files ---- */

/* Opens the file of this name; NULL with OSError set if that fails. */
static FILE *open_file(PyObject *name, const char *mode)
{
    PyObject *path;
    if (!PyUnicode_FSConverter(name, &path))
        return NULL;
    FILE *file = fopen(PyBytes_AS_STRING(path), mode);
    Py_DECREF(path);
    if (file == NULL)
        PyErr_SetFromErrno(PyExc_OSError);
    return file;
}

/* Closes a file that was written to. None, or NULL. */
static PyObject *finish_writing(FILE *file)
{
    if (fclose(file) != 0 && !PyErr_Occurred())
        PyErr_SetFromErrno(PyExc_OSError);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *testcapi_write_long(PyObject *module, PyObject *args)
{
    long value;
    PyObject *name;
    int version;
    if (!PyArg_ParseTuple(args, "lOi:pymarshal_write_long_to_file", &value, &name, &version))
        return NULL;
    FILE *file = open_file(name, "wb");
    if (file == NULL)
        return NULL;
    PyMarshal_WriteLongToFile(value, file, version);
    return finish_writing(file);
}

static PyObject *testcapi_write_object(PyObject *module, PyObject *args)
{
    PyObject *value, *name;
    int version;
    if (!PyArg_ParseTuple(args, "OOi:pymarshal_write_object_to_file", &value, &name, &version))
        return NULL;
    FILE *file = open_file(name, "wb");
    if (file == NULL)
        return NULL;
    PyMarshal_WriteObjectToFile(value, file, version);
    return finish_writing(file);
}

static PyObject *number_or_null(long number)
{
    return PyErr_Occurred() ? NULL : PyLong_FromLong(number);
}

static PyObject *read_short(FILE *file) { return number_or_null(PyMarshal_ReadShortFromFile(file)); }
static PyObject *read_long(FILE *file) { return number_or_null(PyMarshal_ReadLongFromFile(file)); }

/* Reads one value from the file of this name. Returns it with the position behind it. */
static PyObject *read_from(PyObject *name, PyObject *(*reader)(FILE *file))
{
    FILE *file = open_file(name, "rb");
    if (file == NULL)
        return NULL;
    PyObject *value = reader(file);
    long position = ftell(file);
    fclose(file);
    return value != NULL ? Py_BuildValue("Nl", value, position) : NULL;
}

static PyObject *testcapi_read_short(PyObject *module, PyObject *name) { return read_from(name, read_short); }
static PyObject *testcapi_read_long(PyObject *module, PyObject *name) { return read_from(name, read_long); }
static PyObject *testcapi_read_object(PyObject *module, PyObject *name)
{
    return read_from(name, PyMarshal_ReadObjectFromFile);
}
static PyObject *testcapi_read_last_object(PyObject *module, PyObject *name)
{
    return read_from(name, PyMarshal_ReadLastObjectFromFile);
}

static PyMethodDef codecs_methods[] = {
    {"codec_incrementalencoder", testcapi_incrementalencoder, METH_VARARGS, NULL},
    {"codec_incrementaldecoder", testcapi_incrementaldecoder, METH_VARARGS, NULL},
    {"pymarshal_write_long_to_file", testcapi_write_long, METH_VARARGS, NULL},
    {"pymarshal_write_object_to_file", testcapi_write_object, METH_VARARGS, NULL},
    {"pymarshal_read_short_from_file", testcapi_read_short, METH_O, NULL},
    {"pymarshal_read_long_from_file", testcapi_read_long, METH_O, NULL},
    {"pymarshal_read_last_object_from_file", testcapi_read_last_object, METH_O, NULL},
    {"pymarshal_read_object_from_file", testcapi_read_object, METH_O, NULL},
    {NULL},
};

int testcapi_add_codecs(PyObject *module)
{
    return PyModule_AddFunctions(module, codecs_methods);
}
