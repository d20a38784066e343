/* The xxsubtype module: a list and a dict with one more field each, made in C, for test_descr. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <time.h>

typedef struct {
    PyListObject list;
    int state;                  /* [atomic] */
} spamlist_t;

typedef struct {
    PyDictObject dict;
    int state;                  /* [atomic] */
} spamdict_t;

/* ---- The state, wherever it lies ---- */

static PyObject *state_as_number(const int *state) { return PyLong_FromLong(__atomic_load_n(state, __ATOMIC_RELAXED)); }

static PyObject *set_state(int *state, PyObject *args)
{
    int value;
    if (!PyArg_ParseTuple(args, "i:setstate", &value))
        return NULL;
    __atomic_store_n(state, value, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

/* ---- spamlist ---- */

static PyObject *spamlist_getstate(PyObject *self, PyObject *args)
{
    return PyArg_ParseTuple(args, ":getstate") ? state_as_number(&((spamlist_t *)self)->state) : NULL;
}

static PyObject *spamlist_setstate(PyObject *self, PyObject *args) { return set_state(&((spamlist_t *)self)->state, args); }

static PyObject *spamlist_get_state_attribute(PyObject *self, void *unused)
{
    return state_as_number(&((spamlist_t *)self)->state);
}

/* (self or class or None, args, kwargs): what a method gets. */
static PyObject *what_came(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return PyTuple_Pack(3, self != NULL ? self : Py_None, args, kwargs != NULL ? kwargs : Py_None);
}

static PyMethodDef spamlist_methods[] = {
    {"getstate", spamlist_getstate, METH_VARARGS, "getstate() -> the number"},
    {"setstate", spamlist_setstate, METH_VARARGS, "setstate(number)"},
    MODULE_METHOD("classmeth", what_came, METH_VARARGS | METH_KEYWORDS | METH_CLASS, "classmeth(*args, **kwargs) -> what came"),
    MODULE_METHOD("staticmeth", what_came, METH_VARARGS | METH_KEYWORDS | METH_STATIC, "staticmeth(*args, **kwargs) -> what came"),
    {NULL},
};

static PyGetSetDef spamlist_attributes[] = {
    {"state", spamlist_get_state_attribute, NULL, "The number, to be read.", NULL},
    {NULL},
};

static PyType_Slot spamlist_slots[] = {
    {Py_tp_methods, spamlist_methods},
    {Py_tp_getset, spamlist_attributes},
    {0, NULL},
};

static PyType_Spec spamlist_spec = {
    .name = "xxsubtype.spamlist",
    .basicsize = sizeof(spamlist_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = spamlist_slots,
};

/* ---- spamdict ---- */

static PyObject *spamdict_getstate(PyObject *self, PyObject *args)
{
    return PyArg_ParseTuple(args, ":getstate") ? state_as_number(&((spamdict_t *)self)->state) : NULL;
}

static PyObject *spamdict_setstate(PyObject *self, PyObject *args) { return set_state(&((spamdict_t *)self)->state, args); }

static PyMethodDef spamdict_methods[] = {
    {"getstate", spamdict_getstate, METH_VARARGS, "getstate() -> the number"},
    {"setstate", spamdict_setstate, METH_VARARGS, "setstate(number)"},
    {NULL},
};

static PyMemberDef spamdict_members[] = {
    {"state", T_INT, offsetof(spamdict_t, state), READONLY, "The number, to be read."},
    {NULL},
};

static PyType_Slot spamdict_slots[] = {
    {Py_tp_methods, spamdict_methods},
    {Py_tp_members, spamdict_members},
    {0, NULL},
};

static PyType_Spec spamdict_spec = {
    .name = "xxsubtype.spamdict",
    .basicsize = sizeof(spamdict_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = spamdict_slots,
};

/* ---- The module ---- */

/* bench(obj, name[, times=1000]): seconds of processor time that it takes to read the attribute so often. */
static PyObject *bench(PyObject *module, PyObject *args)
{
    PyObject *op, *name;
    int times = 1000;
    if (!PyArg_ParseTuple(args, "OU|i", &op, &name, &times))
        return NULL;
    clock_t before = clock();
    while (times-- > 0) {
        PyObject *value = PyObject_GetAttr(op, name);
        if (value == NULL)
            return NULL;
        Py_DECREF(value);
    }
    return PyFloat_FromDouble((double)(clock() - before) / CLOCKS_PER_SEC);
}

static PyMethodDef module_methods[] = {
    {"bench", bench, METH_VARARGS, "bench(obj, name, times=1000) -> seconds for so many reads of the attribute"},
    {NULL},
};

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    int status = type != NULL ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return status;
}

static int module_exec(PyObject *module)
{
    return add_type(module, &spamlist_spec, &PyList_Type) < 0 || add_type(module, &spamdict_spec, &PyDict_Type) < 0 ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "xxsubtype",
    .m_doc = "Subtypes of list and dict made in C, for tests.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_xxsubtype(void)
{
    return PyModuleDef_Init(&module_definition);
}
