/* The `atexit` module: functions to be called when the interpreter ends, the last registered first. */
#include "Python.h"

#include "interpreter.h"
#include "module.h"

/* [lock: the list's own] (function, args, kwargs or None), in the order of registration. */
static PyObject *new_list(void) { return PyList_New(0); }
static PyObject *callbacks(void) { return interpreter_get_or_make(&interpreter_get_main()->atexit_callbacks, new_list); }

static PyObject *atexit_register(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError, "register() takes at least 1 argument (0 given)");
        return NULL;
    }
    PyObject *function = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)), *list = callbacks();
    PyObject *entry = rest != NULL ? PyTuple_Pack(3, function, rest, kwargs != NULL ? kwargs : Py_None) : NULL;
    int status = entry != NULL && list != NULL ? PyList_Append(list, entry) : -1;
    Py_XDECREF(rest);
    Py_XDECREF(entry);
    Py_XDECREF(list);
    return status < 0 ? NULL : Py_NewRef(function);
}

/* Takes entry i, or what is left of it: None. New reference; NULL without an exception behind the end. Entries keep their places, so that
 * nothing is missed, or met twice, while other threads register and unregister. */
static PyObject *take(PyObject *list, Py_ssize_t i)
{
    PyObject *entry = NULL;
    Py_BEGIN_CRITICAL_SECTION(list);
    if (i < PyList_GET_SIZE(list)) {
        entry = Py_NewRef(PyList_GET_ITEM(list, i));
        (void)PyList_SetItem(list, i, Py_NewRef(Py_None));
    }
    Py_END_CRITICAL_SECTION();
    return entry;
}

void atexit_run(void);
void atexit_run(void)
{
    PyObject *list = callbacks(), *entry;
    if (list == NULL) {
        PyErr_Clear();
        return;
    }
    /* What threads register from now on is forgotten: they might go on for ever. */
    for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;) {
        if ((entry = take(list, i)) == NULL || entry == Py_None)
            continue;
        PyObject *kwargs = PyTuple_GET_ITEM(entry, 2);
        PyObject *result = PyObject_Call(PyTuple_GET_ITEM(entry, 0), PyTuple_GET_ITEM(entry, 1), kwargs == Py_None ? NULL : kwargs);
        if (result == NULL)
            _PyErr_WriteUnraisableMsg("in atexit callback", PyTuple_GET_ITEM(entry, 0));
        Py_XDECREF(result);
        Py_DECREF(entry);
    }
    interpreter_set(&interpreter_get_main()->atexit_callbacks, NULL);
    Py_DECREF(list);
}

static PyObject *run_exitfuncs(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    atexit_run();
    Py_RETURN_NONE;
}

static PyObject *clear(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    interpreter_set(&interpreter_get_main()->atexit_callbacks, NULL);
    Py_RETURN_NONE;
}

static PyObject *ncallbacks(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyObject *list = callbacks();
    if (list == NULL)
        return NULL;
    Py_ssize_t n = 0;
    PyObject *entry;
    for (Py_ssize_t i = 0; (entry = PyList_GetItemRef(list, i)) != NULL; i++) {
        n += entry != Py_None;
        Py_DECREF(entry);
    }
    PyErr_Clear();
    Py_DECREF(list);
    return PyLong_FromSsize_t(n);
}

static PyObject *unregister(PyObject *Py_UNUSED(module), PyObject *function)
{
    PyObject *list = callbacks();
    if (list == NULL)
        return NULL;
    PyObject *entry;
    for (Py_ssize_t i = 0; (entry = PyList_GetItemRef(list, i)) != NULL; i++) {
        int same = entry != Py_None ? PyObject_RichCompareBool(PyTuple_GET_ITEM(entry, 0), function, Py_EQ) : 0;
        if (same > 0)
            Py_XDECREF(take(list, i));
        Py_DECREF(entry);
        if (same < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    PyErr_Clear();
    Py_DECREF(list);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"register", (PyCFunction)(void (*)(void))atexit_register, METH_VARARGS | METH_KEYWORDS,
     "register(func, *args, **kwargs) -> func\n\nCall func(*args, **kwargs) when the interpreter ends."},
    {"_clear", clear, METH_NOARGS, "Forget all registered functions."},
    {"unregister", unregister, METH_O, "unregister(func) -> None\n\nForget what was registered with func."},
    {"_run_exitfuncs", run_exitfuncs, METH_NOARGS, "Call and forget all registered functions."},
    {"_ncallbacks", ncallbacks, METH_NOARGS, "Number of registered functions."},
    {NULL},
};

static PyModuleDef_Slot slots[] = {MODULE_SLOTS_COMMON, {0, NULL}};
static struct PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "atexit",
    .m_doc = "Functions to be called at the end of the interpreter..",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_atexit(void);
PyMODINIT_FUNC PyInit_atexit(void) { return PyModuleDef_Init(&def); }
