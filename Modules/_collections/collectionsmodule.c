/* The _collections module. */
#include "collections.h"

/* ---- _count_elements ---- */

/* Is the method of that name what dict itself has? 1, 0 or -1. */
static int has_dict_method(PyObject *mapping, const char *name)
{
    PyObject *own, *plain;
    if (PyObject_GetOptionalAttrString((PyObject *)Py_TYPE(mapping), name, &own) < 0)
        return -1;
    plain = PyObject_GetAttrString((PyObject *)&PyDict_Type, name);
    int same = plain == NULL ? -1 : own == plain;
    Py_XDECREF(own);
    Py_XDECREF(plain);
    return same;
}

/* dict[key] += 1 */
static int count_in_dict(PyObject *dict, PyObject *key, PyObject *one)
{
    PyObject *old, *sum;
    int found = PyDict_GetItemRef(dict, key, &old);
    if (found < 0)
        return -1;
    sum = found ? PyNumber_Add(old, one) : Py_NewRef(one);
    Py_XDECREF(old);
    if (sum == NULL)
        return -1;
    int result = PyDict_SetItem(dict, key, sum);
    Py_DECREF(sum);
    return result;
}

/* mapping[key] = get(key, 0) + 1 */
static int count_in_mapping(PyObject *mapping, PyObject *get, PyObject *key, PyObject *zero, PyObject *one)
{
    PyObject *old = PyObject_CallFunctionObjArgs(get, key, zero, NULL), *sum;
    if (old == NULL)
        return -1;
    sum = PyNumber_Add(old, one);
    Py_DECREF(old);
    if (sum == NULL)
        return -1;
    int result = PyObject_SetItem(mapping, key, sum);
    Py_DECREF(sum);
    return result;
}

PyObject *collections_count_elements(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_count_elements", nargs, 2, 2))
        return NULL;
    PyObject *mapping = args[0], *get = NULL, *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1), *result = NULL;
    PyObject *it = PyObject_GetIter(args[1]), *key;
    int plain = 0;
    if (it == NULL || zero == NULL || one == NULL)
        goto done;
    if (PyDict_Check(mapping)) {
        plain = has_dict_method(mapping, "get");
        if (plain > 0)
            plain = has_dict_method(mapping, "__setitem__");
        if (plain < 0)
            goto done;
    }
    if (!plain) {
        get = PyObject_GetAttrString(mapping, "get");
        if (get == NULL)
            goto done;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        int r = plain ? count_in_dict(mapping, key, one) : count_in_mapping(mapping, get, key, zero, one);
        Py_DECREF(key);
        if (r < 0)
            goto done;
    }
    if (!PyErr_Occurred())
        result = Py_NewRef(Py_None);
done:
    Py_XDECREF(it);
    Py_XDECREF(get);
    Py_XDECREF(zero);
    Py_XDECREF(one);
    return result;
}

/* ---- The module ---- */

static int collections_exec(PyObject *module)
{
    defaultdict_type.tp_base = &PyDict_Type;
    if (PyModule_AddType(module, &deque_type) < 0 || PyModule_AddType(module, &defaultdict_type) < 0
        || PyModule_AddType(module, &PyODict_Type) < 0 || PyModule_AddType(module, &deque_iter_type) < 0
        || PyModule_AddType(module, &deque_reverse_iter_type) < 0 || PyModule_AddType(module, &tuplegetter_type) < 0)
        return -1;
    return 0;
}

static PyMethodDef collections_methods[] = {
    MODULE_METHOD("_count_elements", collections_count_elements, METH_FASTCALL,
                  "_count_elements($module, mapping, iterable, /)\n--\n\nCount the items of the iterable in the mapping."),
    {NULL},
};

static PyModuleDef_Slot collections_slots[] = {
    {Py_mod_exec, (void *)collections_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef collections_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_collections",
    .m_doc = "Containers: deque, defaultdict, OrderedDict, and helpers of the collections module.",
    .m_methods = collections_methods,
    .m_slots = collections_slots,
};

PyMODINIT_FUNC PyInit__collections(void)
{
    return PyModuleDef_Init(&collections_module);
}
