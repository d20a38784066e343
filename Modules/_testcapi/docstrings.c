/* _testcapi: functions with and without a signature in their docstring. */
#include "testcapi.h"

static PyObject *nothing(PyObject *module, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyMethodDef docstrings_methods[] = {
    {"no_docstring", nothing, METH_NOARGS, NULL},
    {"docstring_empty", nothing, METH_NOARGS, ""},
    {"test_with_docstring", nothing, METH_NOARGS, "A docstring like any other."},
    {"docstring_no_signature", nothing, METH_VARARGS, "Has no signature."},
    {"docstring_with_signature", nothing, METH_VARARGS,
     "docstring_with_signature($module, /, sig)\n--\n\nHas a signature."},
    {"docstring_with_signature_but_no_doc", nothing, METH_VARARGS,
     "docstring_with_signature_but_no_doc($module, /, sig)\n--\n\n"},
    {"docstring_with_signature_with_defaults", nothing, METH_VARARGS,
     "docstring_with_signature_with_defaults(module, s='avocado', b=b'bytes', d=3.14, i=35, n=None, t=True, f=False, "
     "local=the_number_three, sys=sys.maxsize, exp=sys.maxsize - 1)\n--\n\n"
     "Has a signature with defaults of many kinds."},
    {NULL},
};

int testcapi_add_docstrings(PyObject *module)
{
    return PyModule_AddFunctions(module, docstrings_methods);
}
