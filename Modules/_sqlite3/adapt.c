/* Adapters, which make values of any class ones that the library knows, and converters, which do the
 * opposite.
 *
 * Both are looked up in dicts that programs may change at any time; the dicts lock themselves. */
#include "sqlite_internal.h"

static PyObject *adapters;     /* dict from (class, protocol) to callable; made by the first import */
PyObject *adapt_converters;    /* dict from upper-case name to callable */
static int has_basic_adapters; /* [atomic] for classes that need none: all values are looked up then */

static int protocol_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return 0; /* takes any arguments */
}

PyTypeObject protocol_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sqlite3.PrepareProtocol",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Stands for what adapts values to the database.",
    .tp_init = protocol_init,
    .tp_new = PyType_GenericNew,
};

/* ---- Adapting ---- */

/* Calls method name of target with arg. 1: *result is set, 0: no method, or it returned None, or raised
 * TypeError. */
static int ask(PyObject *target, const char *name, PyObject *arg, PyObject **result)
{
    PyObject *method, *answer;
    if (PyObject_GetOptionalAttrString(target, name, &method) < 0)
        return -1;
    if (method == NULL)
        return 0;
    answer = PyObject_CallOneArg(method, arg);
    Py_DECREF(method);
    if (answer == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    if (answer == Py_None) {
        Py_DECREF(answer);
        return 0;
    }
    *result = answer;
    return 1;
}

/* Adapts value; fallback (or NULL: an exception) is for what nothing adapts. */
static PyObject *adapt(PyObject *value, PyObject *protocol, PyObject *fallback)
{
    PyObject *key = PyTuple_Pack(2, (PyObject *)Py_TYPE(value), protocol), *adapter = NULL, *result = NULL;
    int found = key == NULL ? -1 : PyDict_GetItemRef(adapters, key, &adapter);
    Py_XDECREF(key);
    if (found > 0) {
        result = PyObject_CallOneArg(adapter, value);
        Py_DECREF(adapter);
        return result;
    }
    if (found == 0)
        found = ask(protocol, "__adapt__", value, &result);
    if (found == 0)
        found = ask(value, "__conform__", protocol, &result);
    if (found != 0)
        return result;
    return fallback != NULL ? Py_NewRef(fallback) : error_set(E_ProgrammingError, "can't adapt");
}

static int is_basic(PyTypeObject *type)
{
    return type == &PyLong_Type || type == &PyFloat_Type || type == &PyUnicode_Type ||
           type == &PyByteArray_Type;
}

PyObject *adapt_value(PyObject *value)
{
    if ((is_basic(Py_TYPE(value)) || value == Py_None || PyBytes_CheckExact(value)) &&
        !__atomic_load_n(&has_basic_adapters, __ATOMIC_ACQUIRE))
        return Py_NewRef(value);
    return adapt(value, (PyObject *)&protocol_type, value);
}

/* ---- Converters ---- */

PyObject *adapt_find_converter(const char *name, Py_ssize_t n)
{
    PyObject *key = PyUnicode_FromStringAndSize(name, n), *upper = NULL, *converter = NULL;
    if (key == NULL)
        return NULL;
    upper = PyObject_CallMethod(key, "upper", NULL);
    Py_DECREF(key);
    if (upper == NULL)
        return NULL;
    int found = PyDict_GetItemRef(adapt_converters, upper, &converter);
    Py_DECREF(upper);
    return found == 0 ? Py_NewRef(Py_None) : converter;
}

/* ---- Functions of the module ---- */

static PyObject *module_adapt(PyObject *module, PyObject *args)
{
    PyObject *value, *protocol = (PyObject *)&protocol_type, *fallback = NULL;
    if (!PyArg_UnpackTuple(args, "adapt", 1, 3, &value, &protocol, &fallback))
        return NULL;
    return adapt(value, protocol, fallback);
}

static PyObject *module_register_adapter(PyObject *module, PyObject *args)
{
    PyObject *type, *adapter;
    if (!PyArg_UnpackTuple(args, "register_adapter", 2, 2, &type, &adapter))
        return NULL;
    PyObject *key = PyTuple_Pack(2, type, (PyObject *)&protocol_type);
    int failed = key == NULL || PyDict_SetItem(adapters, key, adapter) < 0;
    Py_XDECREF(key);
    if (failed)
        return NULL;
    if (PyType_Check(type) && (is_basic((PyTypeObject *)type) || type == (PyObject *)&PyBytes_Type))
        __atomic_store_n(&has_basic_adapters, 1, __ATOMIC_RELEASE); /* pairs with adapt_value */
    Py_RETURN_NONE;
}

static PyObject *module_register_converter(PyObject *module, PyObject *args)
{
    PyObject *name, *converter;
    if (!PyArg_UnpackTuple(args, "register_converter", 2, 2, &name, &converter) ||
        !PyArg_ParseTuple(args, "UO:register_converter", &name, &converter))
        return NULL;
    PyObject *upper = PyObject_CallMethod(name, "upper", NULL);
    int failed = upper == NULL || PyDict_SetItem(adapt_converters, upper, converter) < 0;
    Py_XDECREF(upper);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef adapt_functions[] = {
    {"adapt", module_adapt, METH_VARARGS,
     "adapt($module, obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)\n--\n\n"
     "What obj is to the database. alt: the result if nothing adapts it."},
    {"register_adapter", module_register_adapter, METH_VARARGS,
     "register_adapter($module, type, adapter, /)\n--\n\nLets adapter(value) make values of this type ones "
     "to be stored."},
    {"register_converter", module_register_converter, METH_VARARGS,
     "register_converter($module, typename, converter, /)\n--\n\nLets converter(bytes) make values of "
     "columns of this type."},
    {NULL, NULL, 0, NULL},
};

int adapt_add_to_module(PyObject *module)
{
    if (PyType_Ready(&protocol_type) < 0 || (adapters == NULL && (adapters = PyDict_New()) == NULL) ||
        (adapt_converters == NULL && (adapt_converters = PyDict_New()) == NULL))
        return -1;
    return PyModule_AddObjectRef(module, "PrepareProtocol", (PyObject *)&protocol_type) < 0 ||
                   PyModule_AddObjectRef(module, "adapters", adapters) < 0 ||
                   PyModule_AddObjectRef(module, "converters", adapt_converters) < 0
               ? -1
               : 0;
}
