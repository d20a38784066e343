/* The _string module: the parsers of str.format for string.Formatter. */
#include <Python.h>
#include "string_format.h"

static PyMethodDef functions[] = {
    {"formatter_parser", formatter_parser, METH_O,
     "Iterate over a format string: (literal text, field name, format spec, conversion)."},
    {"formatter_field_name_split", formatter_field_name_split, METH_O,
     "The first part of a field name, and an iterator over (is attribute, name) for the rest."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_string",
    .m_doc = "Helpers of the string module.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__string(void)
{
    return PyModuleDef_Init(&definition);
}
