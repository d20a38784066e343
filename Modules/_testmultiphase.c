/* The _testmultiphase module: extension modules with multi-phase initialisation (PEP 489), good and bad, for test_importlib.
 *
 * One shared object has many init functions: the importer picks that of the name it is asked for. */
#include "module.h"

#define EXPORT(name) PyMODINIT_FUNC PyInit__testmultiphase_##name(void); \
    PyMODINIT_FUNC PyInit__testmultiphase_##name(void)

/* ---- The class Example: attributes of its own, and a method ---- */

typedef struct {
    PyObject_HEAD
    PyObject *attributes;               /* [const] dict */
} example_t;

static PyObject *example_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    example_t *self = (example_t *)type->tp_alloc(type, 0);
    if (self != NULL && (self->attributes = PyDict_New()) == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int example_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((example_t *)op)->attributes);
    return 0;
}

static int example_clear(PyObject *op)
{
    Py_CLEAR(((example_t *)op)->attributes);
    return 0;
}

static void example_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    example_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *example_getattr(PyObject *op, PyObject *name)
{
    PyObject *value = NULL;
    if (PyDict_GetItemRef(((example_t *)op)->attributes, name, &value) != 0)
        return value;
    return PyObject_GenericGetAttr(op, name);
}

static int example_setattr(PyObject *op, PyObject *name, PyObject *value)
{
    PyObject *attributes = ((example_t *)op)->attributes;
    if (value != NULL)
        return PyDict_SetItem(attributes, name, value);
    int status = PyDict_DelItem(attributes, name);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_SetString(PyExc_AttributeError, "there is no such attribute to delete");
    return status;
}

static PyObject *example_demo(PyObject *self, PyObject *args)
{
    PyObject *value = Py_None;
    if (!PyArg_ParseTuple(args, "|O:demo", &value))
        return NULL;
    return Py_NewRef(PyUnicode_Check(value) ? value : Py_None);
}

static PyMethodDef example_methods[] = {
    {"demo", example_demo, METH_VARARGS, "demo(value=None): value if it is a str, else None."},
    {NULL},
};

static PyType_Slot example_slots[] = {
    {Py_tp_doc, "A class of an extension module."},
    {Py_tp_new, (void *)example_new},
    {Py_tp_traverse, (void *)example_traverse},
    {Py_tp_clear, (void *)example_clear},
    {Py_tp_dealloc, (void *)example_dealloc},
    {Py_tp_getattro, (void *)example_getattr},
    {Py_tp_setattro, (void *)example_setattr},
    {Py_tp_methods, example_methods},
    {0, NULL},
};

static PyType_Spec example_spec = {"_testimportexec.Example", sizeof(example_t), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                   example_slots};

static PyType_Slot str_slots[] = {{0, NULL}};
static PyType_Spec str_spec = {"_testimportexec.Str", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, str_slots};

/* ---- The main module ---- */

static PyObject *foo(PyObject *module, PyObject *args)
{
    long a, b;
    if (!PyArg_ParseTuple(args, "ll:foo", &a, &b))
        return NULL;
    return PyLong_FromLong(a + b);
}

static PyModuleDef main_definition;

/* What PyState_*Module say of a module of this kind: 0 find, 1 add, 2 remove. */
static PyObject *call_state_registration_func(PyObject *module, PyObject *args)
{
    int what, status = 0;
    if (!PyArg_ParseTuple(args, "i:call_state_registration_func", &what))
        return NULL;
    PyModuleDef *definition = PyModule_GetDef(module);
    if (definition == NULL)
        return NULL;
    if (what == 0) {
        PyObject *found = PyState_FindModule(definition);
        return Py_NewRef(found != NULL ? found : Py_None);
    }
    if (what == 1)
        status = PyState_AddModule(module, definition);
    else if (what == 2)
        status = PyState_RemoveModule(definition);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef main_methods[] = {
    {"foo", foo, METH_VARARGS, "foo(i, j): the sum."},
    {"call_state_registration_func", call_state_registration_func, METH_VARARGS,
     "call_state_registration_func(what): calls PyState_FindModule (0), AddModule (1) or RemoveModule (2)."},
    {NULL},
};

static int add_steal(PyObject *module, const char *name, PyObject *value)
{
    int status = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static int execute(PyObject *module)
{
    PyObject *bases = PyTuple_Pack(1, (PyObject *)&PyUnicode_Type);
    int status = bases != NULL ? add_steal(module, "Str", PyType_FromSpecWithBases(&str_spec, bases)) : -1;
    Py_XDECREF(bases);
    if (status < 0 || add_steal(module, "Example", PyType_FromSpec(&example_spec)) < 0
        || add_steal(module, "error", PyErr_NewException("_testimportexec.error", NULL, NULL)) < 0
        || PyModule_AddIntConstant(module, "int_const", 1969) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "str_const", "something different");
}

static PyModuleDef_Slot main_slots[] = {
    {Py_mod_exec, (void *)execute},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static PyModuleDef main_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testmultiphase",
    .m_doc = "Modules with multi-phase initialisation, for tests.",
    .m_methods = main_methods,
    .m_slots = main_slots,
};

PyMODINIT_FUNC PyInit__testmultiphase(void)
{
    return PyModuleDef_Init(&main_definition);
}

/* ---- A short name, and names outside ASCII ---- */

#define NAMED(symbol, name, doc) \
    static PyModuleDef symbol##_definition = {PyModuleDef_HEAD_INIT, .m_name = (name), .m_doc = (doc), .m_slots = main_slots, \
                                              .m_methods = main_methods}; \
    PyMODINIT_FUNC symbol(void); \
    PyMODINIT_FUNC symbol(void) { return PyModuleDef_Init(&symbol##_definition); }

NAMED(PyInit_x, "x", "Module with a short name")
NAMED(PyInitU__testmultiphase_zkouka_naten_evc07gi8e, "_testmultiphase_zkou\xc5\xa1ka_na\xc4\x8dten\xc3\xad", "Module named in Czech")
NAMED(PyInitU_eckzbwbhc6jpgzcx415x,
      "\xef\xbc\xbf\xe3\x82\xa4\xe3\x83\xb3\xe3\x83\x9d\xe3\x83\xbc\xe3\x83\x88\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
      "Module named in Japanese")

/* ---- Modules that are no modules ---- */

/* An object with the attribute three. */
static PyObject *create_nonmodule(PyObject *spec, PyModuleDef *definition)
{
    PyObject *namespace = PyImport_ImportModule("types"), *result = NULL, *three = PyLong_FromLong(3);
    if (namespace != NULL)
        result = PyObject_CallMethod(namespace, "SimpleNamespace", NULL);
    if (result != NULL && (three == NULL || PyObject_SetAttrString(result, "three", three) < 0))
        Py_CLEAR(result);
    Py_XDECREF(namespace);
    Py_XDECREF(three);
    return result;
}

static PyObject *bar(PyObject *self, PyObject *args)
{
    long a, b;
    if (!PyArg_ParseTuple(args, "ll:bar", &a, &b))
        return NULL;
    return PyLong_FromLong(a - b);
}

static PyMethodDef nonmodule_methods[] = {{"bar", bar, METH_VARARGS, "bar(i, j): the difference."}, {NULL}};

static PyObject *create_null(PyObject *spec, PyModuleDef *definition)
{
    return NULL;
}

static PyObject *create_raise(PyObject *spec, PyModuleDef *definition)
{
    PyErr_SetString(PyExc_SystemError, "bad create function");
    return NULL;
}

static PyObject *create_unreported_exception(PyObject *spec, PyModuleDef *definition)
{
    PyErr_SetString(PyExc_SystemError, "bad create function");
    return PyModule_New("foo");
}

static PyObject *create_int(PyObject *spec, PyModuleDef *definition)
{
    return PyLong_FromLong(0);
}

/* ---- Modules that fail when they are executed ---- */

static int exec_err(PyObject *module)
{
    return -1;
}

static int exec_raise(PyObject *module)
{
    PyErr_SetString(PyExc_SystemError, "bad exec function");
    return -1;
}

static int exec_unreported_exception(PyObject *module)
{
    PyErr_SetString(PyExc_SystemError, "bad exec function");
    return 0;
}

/* ---- Definitions: those whose one slot says it all ---- */

#define MODULE_WITH(symbol, slot, value, ...) \
    static PyModuleDef_Slot symbol##_slots[] = {{(slot), (void *)(value)}, MODULE_SLOTS_COMMON, {0, NULL}}; \
    static PyModuleDef symbol##_definition = {PyModuleDef_HEAD_INIT, .m_name = "_testmultiphase_" #symbol, \
                                              .m_slots = symbol##_slots, __VA_ARGS__}; \
    EXPORT(symbol) { return PyModuleDef_Init(&symbol##_definition); }

MODULE_WITH(nonmodule, Py_mod_create, create_nonmodule, .m_doc = "No module")
MODULE_WITH(nonmodule_with_methods, Py_mod_create, create_nonmodule, .m_methods = nonmodule_methods)
MODULE_WITH(bad_slot_large, Py_mod_gil + 1000, NULL, .m_doc = NULL)
MODULE_WITH(bad_slot_negative, -1, NULL, .m_doc = NULL)
MODULE_WITH(create_int_with_state, Py_mod_create, create_int, .m_size = 10)
MODULE_WITH(negative_size, Py_mod_create, create_nonmodule, .m_size = -1)
MODULE_WITH(create_null, Py_mod_create, create_null, .m_doc = NULL)
MODULE_WITH(create_raise, Py_mod_create, create_raise, .m_doc = NULL)
MODULE_WITH(create_unreported_exception, Py_mod_create, create_unreported_exception, .m_doc = NULL)
MODULE_WITH(exec_err, Py_mod_exec, exec_err, .m_doc = NULL)
MODULE_WITH(exec_raise, Py_mod_exec, exec_raise, .m_doc = NULL)
MODULE_WITH(exec_unreported_exception, Py_mod_exec, exec_unreported_exception, .m_doc = NULL)

static PyModuleDef_Slot nonmodule_with_exec_slots_slots[] = {
    {Py_mod_create, (void *)create_nonmodule},
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};
static PyModuleDef nonmodule_with_exec_slots_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testmultiphase_nonmodule_with_exec_slots",
    .m_slots = nonmodule_with_exec_slots_slots,
};
EXPORT(nonmodule_with_exec_slots) { return PyModuleDef_Init(&nonmodule_with_exec_slots_definition); }

static PyModuleDef null_slots_definition = {PyModuleDef_HEAD_INIT, .m_name = "_testmultiphase_null_slots"};
EXPORT(null_slots) { return PyModuleDef_Init(&null_slots_definition); }

/* ---- Init functions that misbehave ---- */

EXPORT(export_null) { return NULL; }

EXPORT(export_uninitialized)
{
    static PyModuleDef never_initialized;       /* without a type, even */
    return (PyObject *)&never_initialized;
}

EXPORT(export_raise)
{
    PyErr_SetString(PyExc_SystemError, "bad export function");
    return NULL;
}

EXPORT(export_unreported_exception)
{
    PyErr_SetString(PyExc_SystemError, "bad export function");
    return PyModuleDef_Init(&main_definition);
}
