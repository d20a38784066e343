/* _testcapi: the limits of the C types. */
#include "testcapi.h"
#include <float.h>
#include <limits.h>
#include <sys/wait.h>
#include <time.h>

static const struct {
    const char *name;
    long long value;
} signed_limits[] = {
    {"CHAR_MAX", CHAR_MAX},   {"CHAR_MIN", CHAR_MIN},   {"SHRT_MAX", SHRT_MAX},   {"SHRT_MIN", SHRT_MIN},
    {"INT_MAX", INT_MAX},     {"INT_MIN", INT_MIN},     {"LONG_MAX", LONG_MAX},   {"LONG_MIN", LONG_MIN},
    {"LLONG_MAX", LLONG_MAX}, {"LLONG_MIN", LLONG_MIN}, {"UCHAR_MAX", UCHAR_MAX}, {"USHRT_MAX", USHRT_MAX},
    {"PY_SSIZE_T_MAX", PY_SSIZE_T_MAX},                 {"PY_SSIZE_T_MIN", PY_SSIZE_T_MIN},
    {"UINT_MAX", UINT_MAX},   {"SIZEOF_TIME_T", sizeof(time_t)},
};

static const struct {
    const char *name;
    unsigned long long value;
} unsigned_limits[] = {
    {"ULONG_MAX", ULONG_MAX},
    {"ULLONG_MAX", ULLONG_MAX},
};

static const struct {
    const char *name;
    double value;
} float_limits[] = {
    {"FLT_MAX", FLT_MAX},
    {"FLT_MIN", FLT_MIN},
    {"DBL_MAX", DBL_MAX},
    {"DBL_MIN", DBL_MIN},
};

/* Adds value under name, and drops it. 0, or -1 (also if value is NULL). */
static int add_value(PyObject *module, const char *name, PyObject *value)
{
    int status = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return status;
}

/* The wait status of a process that signal `number` has stopped. */
static PyObject *testcapi_w_stopcode(PyObject *module, PyObject *args)
{
    int number;
    if (!PyArg_ParseTuple(args, "i", &number))
        return NULL;
    return PyLong_FromLong(W_STOPCODE(number));
}

static PyMethodDef constants_methods[] = {
    {"W_STOPCODE", testcapi_w_stopcode, METH_VARARGS, NULL},
    {NULL},
};

int testcapi_add_constants(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(signed_limits); i++) {
        if (add_value(module, signed_limits[i].name, PyLong_FromLongLong(signed_limits[i].value)) < 0)
            return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(unsigned_limits); i++) {
        if (add_value(module, unsigned_limits[i].name, PyLong_FromUnsignedLongLong(unsigned_limits[i].value)) < 0)
            return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(float_limits); i++) {
        if (add_value(module, float_limits[i].name, PyFloat_FromDouble(float_limits[i].value)) < 0)
            return -1;
    }
    if (PyModule_AddIntConstant(module, "the_number_three", 3) < 0 ||
        add_value(module, "WITH_PYMALLOC", PyBool_FromLong(0)) < 0)
        return -1;
    return PyModule_AddFunctions(module, constants_methods);
}
