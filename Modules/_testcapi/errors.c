/* _testcapi: raising, displaying and normalising exceptions. */
#include "testcapi.h"
#include <errno.h>

/* Raises a class with a tuple of as many numbers as argument, which is left to be normalised. */
static PyObject *testcapi_raise_exception(PyObject *module, PyObject *args)
{
    PyObject *type;
    int count;
    if (!PyArg_ParseTuple(args, "Oi:raise_exception", &type, &count))
        return NULL;
    PyObject *values = PyTuple_New(count);
    if (values == NULL)
        return NULL;
    for (int i = 0; i < count; i++)
        PyTuple_SET_ITEM(values, i, PyLong_FromLong(i));
    PyErr_SetObject(type, values);
    Py_DECREF(values);
    return NULL;
}

static PyObject *testcapi_raise_memoryerror(PyObject *module, PyObject *unused)
{
    return PyErr_NoMemory();
}

static PyObject *testcapi_make_exception_with_doc(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "doc", "base", "dict", NULL};
    const char *name, *doc = NULL;
    PyObject *base = NULL, *dict = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|sOO:make_exception_with_doc", keywords, &name, &doc, &base, &dict))
        return NULL;
    return PyErr_NewExceptionWithDoc(name, doc, base, dict);
}

static PyObject *testcapi_exception_print(PyObject *module, PyObject *exc)
{
    if (!PyExceptionInstance_Check(exc)) {
        PyErr_Format(PyExc_TypeError, "an exception instance is required");
        return NULL;
    }
    PyObject *traceback = PyException_GetTraceback(exc);
    PyErr_Display((PyObject *)Py_TYPE(exc), exc, traceback);
    Py_XDECREF(traceback);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *testcapi_traceback_print(PyObject *module, PyObject *args)
{
    PyObject *traceback, *file;
    if (!PyArg_ParseTuple(args, "OO:traceback_print", &traceback, &file) || PyTraceBack_Print(traceback, file) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *testcapi_write_unraisable(PyObject *module, PyObject *args)
{
    PyObject *exc, *text, *object;
    const char *message = NULL;
    if (!PyArg_ParseTuple(args, "OOO:write_unraisable_exc", &exc, &text, &object))
        return NULL;
    if (text != Py_None && (message = PyUnicode_AsUTF8(text)) == NULL)
        return NULL;
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exc)), Py_NewRef(exc), PyException_GetTraceback(exc));
    _PyErr_WriteUnraisableMsg(message, object);
    Py_RETURN_NONE;
}

static PyObject *test_fatal_error(PyObject *module, PyObject *args)
{
    const char *message;
    int detached = 0;
    if (!PyArg_ParseTuple(args, "y|i:fatal_error", &message, &detached))
        return NULL;
    if (detached) {
        Py_BEGIN_ALLOW_THREADS
        Py_FatalError(message);
        Py_END_ALLOW_THREADS
    } else {
        Py_FatalError(message);
    }
    Py_UNREACHABLE();
}

static PyObject *testcapi_set_errno(PyObject *module, PyObject *args)
{
    int number;
    if (!PyArg_ParseTuple(args, "i:set_errno", &number))
        return NULL;
    errno = number;
    Py_RETURN_NONE;
}

static PyObject *testcapi_set_exc_info(PyObject *module, PyObject *args)
{
    PyObject *type, *value, *traceback, *old_type, *old_value, *old_traceback;
    if (!PyArg_ParseTuple(args, "OOO:set_exc_info", &type, &value, &traceback))
        return NULL;
    PyErr_GetExcInfo(&old_type, &old_value, &old_traceback);
    PyErr_SetExcInfo(Py_NewRef(type), Py_NewRef(value), Py_NewRef(traceback));
    return Py_BuildValue("NNN", old_type != NULL ? old_type : Py_NewRef(Py_None),
                         old_value != NULL ? old_value : Py_NewRef(Py_None),
                         old_traceback != NULL ? old_traceback : Py_NewRef(Py_None));
}

/* An exception whose creation raises itself, for ever. */
static PyObject *recursing_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);

static PyTypeObject recursing_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_testcapi.RecursingInfinitelyError",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Creating an instance raises this class again.",
    .tp_new = recursing_new,
};

static PyObject *recursing_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyErr_SetNone((PyObject *)&recursing_type);
    return NULL;
}

static PyMethodDef errors_methods[] = {
    {"raise_exception", testcapi_raise_exception, METH_VARARGS, NULL},
    {"raise_memoryerror", testcapi_raise_memoryerror, METH_NOARGS, NULL},
    MODULE_METHOD("make_exception_with_doc", testcapi_make_exception_with_doc, METH_VARARGS | METH_KEYWORDS, NULL),
    {"exception_print", testcapi_exception_print, METH_O, NULL},
    {"traceback_print", testcapi_traceback_print, METH_VARARGS, NULL},
    {"write_unraisable_exc", testcapi_write_unraisable, METH_VARARGS, NULL},
    {"fatal_error", test_fatal_error, METH_VARARGS, NULL},
    {"set_errno", testcapi_set_errno, METH_VARARGS, NULL},
    {"set_exc_info", testcapi_set_exc_info, METH_VARARGS, NULL},
    {NULL},
};

int testcapi_add_errors(PyObject *module)
{
    recursing_type.tp_base = (PyTypeObject *)PyExc_Exception;
    PyObject *error = PyErr_NewException("_testcapi.error", NULL, NULL);
    int status = PyModule_AddObjectRef(module, "error", error);
    Py_XDECREF(error);
    if (status < 0 || PyModule_AddType(module, &recursing_type) < 0)
        return -1;
    return PyModule_AddFunctions(module, errors_methods);
}
