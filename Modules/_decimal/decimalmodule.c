/* The _decimal module itself. */
#include "decimal.h"

PyObject *decimal_tuple_class;

/* The named tuple that as_tuple() returns. */
static int make_tuple_class(void)
{
    if (decimal_tuple_class != NULL)
        return 0;
    PyObject *collections = PyImport_ImportModule("collections"), *name = NULL;
    if (collections != NULL)
        decimal_tuple_class =
            PyObject_CallMethod(collections, "namedtuple", "ss", "DecimalTuple", "sign digits exponent");
    Py_XDECREF(collections);
    if (decimal_tuple_class == NULL || (name = PyUnicode_FromString("decimal")) == NULL)
        return -1;
    int failed = PyObject_SetAttrString(decimal_tuple_class, "__module__", name);
    Py_DECREF(name);
    return failed;
}

/* Decimals are numbers. */
static int register_number(void)
{
    PyObject *numbers = PyImport_ImportModule("numbers"), *class = NULL, *done = NULL;
    if (numbers != NULL)
        class = PyObject_GetAttrString(numbers, "Number");
    if (class != NULL)
        done = PyObject_CallMethod(class, "register", "O", &decimal_type);
    Py_XDECREF(numbers);
    Py_XDECREF(class);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int add_constants(PyObject *module)
{
#define ROUNDING(name) \
    if (PyModule_Add(module, "ROUND_" #name, PyUnicode_InternFromString("ROUND_" #name)) < 0) \
        return -1;
    ROUNDINGS(ROUNDING)
#undef ROUNDING
    return PyModule_Add(module, "MAX_PREC", PyLong_FromLongLong(NUMBER_MAX_PREC)) < 0 ||
                   PyModule_Add(module, "MAX_EMAX", PyLong_FromLongLong(NUMBER_MAX_EMAX)) < 0 ||
                   PyModule_Add(module, "MIN_EMIN", PyLong_FromLongLong(NUMBER_MIN_EMIN)) < 0 ||
                   PyModule_Add(module, "MIN_ETINY", PyLong_FromLongLong(NUMBER_MIN_ETINY)) < 0 ||
                   PyModule_AddObjectRef(module, "HAVE_THREADS", Py_True) < 0 ||
                   PyModule_AddObjectRef(module, "HAVE_CONTEXTVAR", Py_True) < 0 ||
                   PyModule_AddStringConstant(module, "__version__", "1.70") < 0 ||
                   PyModule_AddStringConstant(module, "__libmpdec_version__", "2.4.2") < 0
               ? -1
               : 0;
}

static int decimal_exec(PyObject *module)
{
    number_setup();
    if (PyType_Ready(&decimal_type) < 0 || PyType_Ready(&context_type) < 0 ||
        PyType_Ready(&manager_type) < 0 || signals_add_to_module(module) < 0 ||
        current_add_to_module(module) < 0 || make_tuple_class() < 0 || register_number() < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Decimal", (PyObject *)&decimal_type) < 0 ||
                   PyModule_AddObjectRef(module, "Context", (PyObject *)&context_type) < 0 ||
                   PyModule_AddObjectRef(module, "DecimalTuple", decimal_tuple_class) < 0 ||
                   PyModule_AddFunctions(module, current_functions) < 0
               ? -1
               : add_constants(module);
}

static PyModuleDef_Slot decimal_slots[] = {
    {Py_mod_exec, (void *)decimal_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef decimal_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "decimal",
    .m_doc = "Decimal arithmetic, in C over GMP.",
    .m_slots = decimal_slots,
};

PyMODINIT_FUNC PyInit__decimal(void)
{
    return PyModuleDef_Init(&decimal_module);
}
