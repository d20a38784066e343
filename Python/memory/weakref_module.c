/* The `_weakref` module. */
#include "Python.h"
#include "dict_remove.h"
#include "memory.h"
#include "weakref.h"

static PyObject *getweakrefcount(PyObject *module, PyObject *target)
{
    return PyLong_FromSsize_t(weakref_count(target));
}

static PyObject *getweakrefs(PyObject *module, PyObject *target) { return weakref_list(target); }

static PyObject *make_proxy(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "proxy expected at %s %d argument%s, got %zd", nargs < 1 ? "least" : "most",
                     nargs < 1 ? 1 : 2, nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    return PyWeakref_NewProxy(args[0], nargs == 2 ? args[1] : NULL);
}

static int is_dead_reference(PyObject *value) { return PyWeakref_Check(value) && PyWeakref_GET_OBJECT(value) == Py_None; }

/* For WeakValueDictionary: the entry may have been replaced by a living one since the caller looked. */
static PyObject *remove_dead_weakref(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "_remove_dead_weakref expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    if (!PyDict_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "_remove_dead_weakref() argument 1 must be dict, not %.50s",
                     Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    PyObject *value;
    int found = PyDict_GetItemRef(args[0], args[1], &value);
    if (found > 0 && !PyWeakref_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "not a weakref");
        found = -1;
    }
    Py_XDECREF(value);
    return found < 0 || (found > 0 && dict_remove_if(args[0], args[1], is_dead_reference) < 0) ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef weakref_methods[] = {
    {"getweakrefcount", getweakrefcount, METH_O, "Number of weak references to the object."},
    {"getweakrefs", getweakrefs, METH_O, "List of the weak references to the object."},
    {"proxy", (PyCFunction)(void (*)(void))make_proxy, METH_FASTCALL,
     "proxy(object[, callback]) -> a stand-in that refers to the object weakly."},
    {"_remove_dead_weakref", (PyCFunction)(void (*)(void))remove_dead_weakref, METH_FASTCALL,
     "Delete the key from the dict if its value is a dead weak reference."},
    {NULL},
};

static int weakref_exec(PyObject *module)
{
    if (PyModule_AddObjectRef(module, "ref", (PyObject *)&_PyWeakref_RefType) < 0
        || PyModule_AddObjectRef(module, "ReferenceType", (PyObject *)&_PyWeakref_RefType) < 0
        || PyModule_AddObjectRef(module, "ProxyType", (PyObject *)&_PyWeakref_ProxyType) < 0
        || PyModule_AddObjectRef(module, "CallableProxyType", (PyObject *)&_PyWeakref_CallableProxyType) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot weakref_slots[] = {
    {Py_mod_exec, weakref_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef weakref_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_weakref",
    .m_doc = "Weak-reference support module.",
    .m_methods = weakref_methods,
    .m_slots = weakref_slots,
};

PyMODINIT_FUNC PyInit__weakref(void) { return PyModuleDef_Init(&weakref_module); }
