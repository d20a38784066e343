/* The _json module itself. */
#include "json_internal.h"

static PyMethodDef json_methods[] = {
    {"scanstring", json_scanstring, METH_VARARGS,
     "scanstring(string, end, strict=True) -> (string, end)\n\nReads the JSON string of which end is the first index, behind\n"
     "the quote, and tells the index behind the closing one. Control characters are errors if strict is true."},
    {"encode_basestring", json_encode_basestring, METH_O, "encode_basestring(string) -> string\n\nThe JSON form of a str."},
    {"encode_basestring_ascii", json_encode_basestring_ascii, METH_O,
     "encode_basestring_ascii(string) -> string\n\nThe JSON form of a str, in ASCII only."},
    {NULL, NULL, 0, NULL},
};

static int json_exec(PyObject *module)
{
    if (PyType_Ready(&json_scanner_type) < 0 || PyType_Ready(&json_encoder_type) < 0)
        return -1;
    if (PyModule_AddObjectRef(module, "make_scanner", (PyObject *)&json_scanner_type) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "make_encoder", (PyObject *)&json_encoder_type);
}

static PyModuleDef_Slot json_slots[] = {
    {Py_mod_exec, (void *)json_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef json_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_json",
    .m_doc = "The fast half of the json package.",
    .m_methods = json_methods,
    .m_slots = json_slots,
};

PyMODINIT_FUNC PyInit__json(void)
{
    return PyModuleDef_Init(&json_module);
}
