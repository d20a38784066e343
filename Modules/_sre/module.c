/* The _sre module: what re/_compiler.py needs. */
#include "sre.h"

static int character(PyObject *arg, uint32_t *ch)
{
    long value = PyLong_AsLong(arg);
    if (value == -1 && PyErr_Occurred())
        return -1;
    if (value != (int32_t)value) {
        PyErr_SetString(PyExc_OverflowError, value < 0 ? "signed integer is less than minimum"
                                                       : "signed integer is greater than maximum");
        return -1;
    }
    *ch = (uint32_t)value;
    return 0;
}

static PyObject *getcodesize(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(sizeof(uint32_t));
}

static PyObject *ascii_iscased(PyObject *Py_UNUSED(module), PyObject *arg)
{
    uint32_t ch;
    return character(arg, &ch) < 0 ? NULL : PyBool_FromLong((ch | 32) - 'a' < 26);
}

static PyObject *unicode_iscased(PyObject *Py_UNUSED(module), PyObject *arg)
{
    uint32_t ch;
    if (character(arg, &ch) < 0)
        return NULL;
    return PyBool_FromLong(Py_UNICODE_TOLOWER(ch) != ch || Py_UNICODE_TOUPPER(ch) != ch);
}

static PyObject *ascii_tolower(PyObject *Py_UNUSED(module), PyObject *arg)
{
    uint32_t ch;
    return character(arg, &ch) < 0 ? NULL : PyLong_FromLong((int32_t)sre_lower_ascii(ch));
}

static PyObject *unicode_tolower(PyObject *Py_UNUSED(module), PyObject *arg)
{
    uint32_t ch;
    return character(arg, &ch) < 0 ? NULL : PyLong_FromLong((int32_t)sre_lower_unicode(ch));
}

static PyMethodDef sre_methods[] = {
    MODULE_METHOD("compile", sre_compile, METH_VARARGS | METH_KEYWORDS,
                  "compile($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)\n--\n\n"
                  "Makes a pattern object of code words."),
    MODULE_METHOD("getcodesize", getcodesize, METH_NOARGS, "getcodesize($module, /)\n--\n\nBytes in a code word."),
    MODULE_METHOD("ascii_iscased", ascii_iscased, METH_O,
                  "ascii_iscased($module, character, /)\n--\n\nIs it an ASCII letter?"),
    MODULE_METHOD("unicode_iscased", unicode_iscased, METH_O,
                  "unicode_iscased($module, character, /)\n--\n\nHas it another case?"),
    MODULE_METHOD("ascii_tolower", ascii_tolower, METH_O,
                  "ascii_tolower($module, character, /)\n--\n\nThe character in lower case, if it is an ASCII letter."),
    MODULE_METHOD("unicode_tolower", unicode_tolower, METH_O,
                  "unicode_tolower($module, character, /)\n--\n\nThe character in lower case."),
    {NULL},
};

static int add_number(PyObject *module, const char *name, unsigned long value)
{
    PyObject *number = PyLong_FromUnsignedLong(value);
    int result = number ? PyModule_AddObjectRef(module, name, number) : -1;
    Py_XDECREF(number);
    return result;
}

static int sre_exec(PyObject *module)
{
    if (PyType_Ready(&sre_pattern_type) < 0 || PyType_Ready(&sre_match_type) < 0 || PyType_Ready(&sre_scanner_type) < 0)
        return -1;
    if (add_number(module, "MAGIC", SRE_MAGIC) < 0 || add_number(module, "CODESIZE", sizeof(uint32_t)) < 0
        || add_number(module, "MAXREPEAT", SRE_MAXREPEAT) < 0 || add_number(module, "MAXGROUPS", SRE_MAXGROUPS) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot sre_slots[] = {
    {Py_mod_exec, (void *)sre_exec},
#ifdef MODULE_SLOTS_COMMON
    MODULE_SLOTS_COMMON,
#endif
    {0, NULL},
};

static struct PyModuleDef sre_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sre",
    .m_doc = "The engine behind re.",
    .m_methods = sre_methods,
    .m_slots = sre_slots,
};

PyMODINIT_FUNC PyInit__sre(void)
{
    return PyModuleDef_Init(&sre_module);
}
