/* The _asyncio module. */
#include "asyncio.h"
#include <stdarg.h>

asyncio_import asyncio_cancelled_error = {"asyncio.exceptions", "CancelledError", NULL};
asyncio_import asyncio_invalid_state_error = {"asyncio.exceptions", "InvalidStateError", NULL};

PyObject *asyncio_import_borrowed(asyncio_import *import)
{
    PyObject *value = __atomic_load_n(&import->value, __ATOMIC_ACQUIRE), *none = NULL;    /* pairs with the exchange */
    if (value != NULL)
        return value;
    PyObject *module = PyImport_ImportModule(import->module);
    value = module != NULL ? PyObject_GetAttrString(module, import->name) : NULL;
    Py_XDECREF(module);
    if (value != NULL && !__atomic_compare_exchange_n(&import->value, &none, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        Py_DECREF(value);
        value = none;
    }
    return value;
}

PyObject *asyncio_import_call(asyncio_import *import, const char *format, ...)
{
    PyObject *function = asyncio_import_borrowed(import);
    if (function == NULL)
        return NULL;
    if (format == NULL)
        return PyObject_CallNoArgs(function);
    va_list va;
    va_start(va, format);
    PyObject *args = Py_VaBuildValue(format, va);
    va_end(va);
    PyObject *result = args != NULL ? PyObject_CallObject(function, args) : NULL;
    Py_XDECREF(args);
    return result;
}

int asyncio_lookup(PyObject *op, const char *name, PyObject **value)
{
    PyObject *text = PyUnicode_InternFromString(name);
    *value = NULL;
    int rc = text != NULL && _PyObject_LookupAttr(op, text, value) >= 0 ? 0 : -1;
    Py_XDECREF(text);
    return rc;
}

PyObject *asyncio_invalid_state(const char *message)
{
    PyObject *type = asyncio_import_borrowed(&asyncio_invalid_state_error);
    if (type != NULL)
        PyErr_SetString(type, message);
    return NULL;
}

static int asyncio_exec(PyObject *module)
{
    asyncio_task_type.tp_base = &asyncio_future_type;
    if (PyModule_AddType(module, &asyncio_future_type) < 0 || PyModule_AddType(module, &asyncio_task_type) < 0
        || PyType_Ready(&asyncio_iter_type) < 0 || PyType_Ready(&asyncio_step_type) < 0)
        return -1;
    return asyncio_running_init(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)asyncio_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_asyncio",
    .m_doc = "The fast parts of asyncio.",
    .m_methods = asyncio_running_functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__asyncio(void)
{
    return PyModuleDef_Init(&definition);
}
