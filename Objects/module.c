/* Module objects: the type, attribute access, and what depends on the module's own state.
 * (Making modules from definitions: Python/runtime/modsupport.c.) */
#include "Python.h"

#include "internal/module.h"
#include "internal/type.h"
#include "internal/well_known_strings.h"

/* ---- Making and asking ---- */

static PyModuleObject *module_alloc(PyTypeObject *type)
{
    PyModuleObject *m = (PyModuleObject *)type->tp_alloc(type, 0);
    if (m == NULL)
        return NULL;
    m->md_dict = PyDict_New();
    m->md_gil = Py_MOD_GIL_USED;
    if (m->md_dict == NULL) {
        Py_DECREF(m);
        return NULL;
    }
    object_publish(m->md_dict);
    object_set_deferred((PyObject *)m);
    return m;
}

static int set_initial(PyObject *dict, const char *key, PyObject *value)
{
    return PyDict_SetItemString(dict, key, value);
}

/* doc NULL stands for None. */
static int fill_dict(PyModuleObject *m, PyObject *name, PyObject *doc)
{
    PyObject *dict = m->md_dict;
    if (set_initial(dict, "__name__", name) < 0 || set_initial(dict, "__doc__", doc == NULL ? Py_None : doc) < 0
        || set_initial(dict, "__package__", Py_None) < 0 || set_initial(dict, "__loader__", Py_None) < 0
        || set_initial(dict, "__spec__", Py_None) < 0)
        return -1;
    if (PyUnicode_CheckExact(name)) {
        PyObject *old;
        Py_BEGIN_CRITICAL_SECTION(m);
        old = m->md_name;
        m->md_name = Py_NewRef(name);
        Py_END_CRITICAL_SECTION();
        Py_XDECREF(old);
    }
    return 0;
}

PyObject *PyModule_NewObject(PyObject *name)
{
    PyModuleObject *m = module_alloc(&PyModule_Type);
    if (m == NULL)
        return NULL;
    if (fill_dict(m, name, NULL) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return (PyObject *)m;
}

PyObject *PyModule_New(const char *name)
{
    PyObject *str = PyUnicode_FromString(name);
    if (str == NULL)
        return NULL;
    PyObject *m = PyModule_NewObject(str);
    Py_DECREF(str);
    return m;
}

PyObject *PyModule_GetDict(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return module_get_dict_borrowed(m);
}

PyModuleDef *PyModule_GetDef(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    return ((PyModuleObject *)m)->md_def;
}

void *PyModule_GetState(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    return ((PyModuleObject *)m)->md_state;
}

void *module_get_gil(PyObject *m)
{
    return PyModule_Check(m) ? ((PyModuleObject *)m)->md_gil : Py_MOD_GIL_USED;
}

int PyUnstable_Module_SetGIL(PyObject *m, void *gil)
{
    if (!PyModule_Check(m)) {
        PyErr_BadInternalCall();
        return -1;
    }
    ((PyModuleObject *)m)->md_gil = gil;
    return 0;
}

/* A str from the module's dict: a new reference, or NULL with SystemError(message). */
static PyObject *get_string(PyObject *m, const char *key, const char *message)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *value;
    if (PyMapping_GetOptionalItemString(module_get_dict_borrowed(m), key, &value) < 0)
        return NULL;
    if (value == NULL || !PyUnicode_Check(value)) {
        Py_XDECREF(value);
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, message);
        return NULL;
    }
    return value;
}

PyObject *PyModule_GetNameObject(PyObject *m)
{
    return get_string(m, "__name__", "nameless module");
}

PyObject *PyModule_GetFilenameObject(PyObject *m)
{
    return get_string(m, "__file__", "module filename missing");
}

/* The text lives as long as the str does, which the module's dict holds. */
const char *PyModule_GetName(PyObject *m)
{
    PyObject *name = PyModule_GetNameObject(m);
    if (name == NULL)
        return NULL;
    Py_DECREF(name);
    return PyUnicode_AsUTF8(name);
}

const char *PyModule_GetFilename(PyObject *m)
{
    PyObject *name = PyModule_GetFilenameObject(m);
    if (name == NULL)
        return NULL;
    const char *text = PyUnicode_AsUTF8(name);
    Py_DECREF(name);
    return text;
}

/* ---- Clearing at exit ---- */

void _PyModule_ClearDict(PyObject *dict)
{
    /* First the private names, so that finalisers still find what the public ones need. */
    for (int pass = 1; pass <= 2; pass++) {
        PyObject *keys = PyDict_Keys(dict);
        if (keys == NULL) {
            PyErr_WriteUnraisable(NULL);
            return;
        }
        for (Py_ssize_t i = 0, n = PyList_GET_SIZE(keys); i < n; i++) {
            PyObject *key = PyList_GET_ITEM(keys, i);       /* the list is our own */
            if (!PyUnicode_Check(key) || PyUnicode_GET_LENGTH(key) == 0)
                continue;
            Py_UCS4 first = PyUnicode_READ_CHAR(key, 0);
            int is_private = first == '_' && !(PyUnicode_GET_LENGTH(key) > 1 && PyUnicode_READ_CHAR(key, 1) == '_');
            if (pass == 1 ? !is_private : PyUnicode_CompareWithASCIIString(key, "__builtins__") == 0)
                continue;
            PyObject *value;
            int found = PyDict_GetItemRef(dict, key, &value);
            if (found < 0)
                PyErr_Clear();
            if (found > 0 && value != Py_None && PyDict_SetItem(dict, key, Py_None) < 0)
                PyErr_WriteUnraisable(NULL);
            Py_XDECREF(value);
        }
        Py_DECREF(keys);
    }
}

void _PyModule_Clear(PyObject *m)
{
    _PyModule_ClearDict(module_get_dict_borrowed(m));
}

/* ---- Attribute access ---- */

int _PyModuleSpec_IsInitializing(PyObject *spec)
{
    if (spec == NULL)
        return 0;
    PyObject *value;
    int result = 0;
    if (PyObject_GetOptionalAttrString(spec, "_initializing", &value) > 0) {
        result = PyObject_IsTrue(value);
        Py_DECREF(value);
    }
    if (result < 0 || PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return result;
}

/* Is m.name a submodule whose import has begun but not finished? */
static int is_uninitialized_submodule(PyObject *spec, PyObject *name)
{
    PyObject *list, *value = NULL;
    if (spec == NULL || PyObject_GetOptionalAttrString(spec, "_uninitialized_submodules", &list) <= 0) {
        PyErr_Clear();
        return 0;
    }
    value = list;
    int result = PySequence_Contains(value, name);
    Py_DECREF(value);
    if (result < 0) {
        PyErr_Clear();
        return 0;
    }
    return result;
}

PyObject *module_attribute_error(PyObject *m, PyObject *name)
{
    PyObject *dict = module_get_dict_borrowed(m), *mod_name, *spec = NULL;
    if (PyMapping_GetOptionalItemString(dict, "__name__", &mod_name) < 0)
        return NULL;
    if (mod_name == NULL || !PyUnicode_Check(mod_name)) {
        PyErr_Format(PyExc_AttributeError, "module has no attribute '%U'", name);
        Py_XDECREF(mod_name);
        return NULL;
    }
    if (PyMapping_GetOptionalItemString(dict, "__spec__", &spec) < 0)
        PyErr_Clear();
    if (_PyModuleSpec_IsInitializing(spec))
        PyErr_Format(PyExc_AttributeError,
                     "partially initialized module '%U' has no attribute '%U' (most likely due to a circular import)",
                     mod_name, name);
    else if (is_uninitialized_submodule(spec, name))
        PyErr_Format(PyExc_AttributeError,
                     "cannot access submodule '%U' of module '%U' (most likely due to a circular import)", name,
                     mod_name);
    else
        PyErr_Format(PyExc_AttributeError, "module '%U' has no attribute '%U'", mod_name, name);
    Py_XDECREF(spec);
    Py_DECREF(mod_name);
    return NULL;
}

/* The usual look-up, then the module's own __getattr__. */
static PyObject *module_getattro(PyObject *m, PyObject *name)
{
    PyObject *value = object_generic_getattr(m, name, NULL, 1);
    if (value != NULL || PyErr_Occurred())
        return value;
    PyObject *getattr;
    if (PyDict_GetItemRef(module_get_dict_borrowed(m), STR(__getattr__), &getattr) < 0)
        return NULL;
    if (getattr != NULL) {
        value = PyObject_CallOneArg(getattr, name);
        Py_DECREF(getattr);
        return value;
    }
    return module_attribute_error(m, name);
}

/* ---- repr ---- */

/* An attribute, or NULL if there is none or it fails. */
static PyObject *attribute_or_null(PyObject *op, const char *name)
{
    PyObject *value;
    if (PyObject_GetOptionalAttrString(op, name, &value) < 0)
        PyErr_Clear();
    return value;
}

static PyObject *repr_without_file(PyObject *name, PyObject *loader)
{
    if (loader == NULL || loader == Py_None)
        return PyUnicode_FromFormat("<module %R>", name);
    return PyUnicode_FromFormat("<module %R (%R)>", name, loader);
}

static PyObject *repr_from_spec(PyObject *spec)
{
    PyObject *name = PyObject_GetAttrString(spec, "name"), *origin = NULL, *loader = NULL, *located = NULL;
    PyObject *result = NULL;
    if (name == NULL)
        return NULL;
    if (name == Py_None)
        Py_SETREF(name, PyUnicode_FromString("?"));
    origin = PyObject_GetAttrString(spec, "origin");
    if (name == NULL || origin == NULL)
        goto done;
    if (origin == Py_None) {
        loader = PyObject_GetAttrString(spec, "loader");
        if (loader != NULL)
            result = repr_without_file(name, loader);
        goto done;
    }
    located = PyObject_GetAttrString(spec, "has_location");
    if (located == NULL)
        goto done;
    int has_location = PyObject_IsTrue(located);
    if (has_location > 0)
        result = PyUnicode_FromFormat("<module %R from %R>", name, origin);
    else if (has_location == 0)
        result = PyUnicode_FromFormat("<module %R (%S)>", name, origin);
done:
    Py_XDECREF(name);
    Py_XDECREF(origin);
    Py_XDECREF(loader);
    Py_XDECREF(located);
    return result;
}

/* What a loader from before PEP 451 says. */
static PyObject *repr_by_loader(PyObject *m, PyObject *loader)
{
    PyObject *method = loader != NULL ? attribute_or_null(loader, "module_repr") : NULL, *result = NULL;
    if (method != NULL) {
        result = PyObject_CallOneArg(method, m);
        if (result == NULL)
            PyErr_Clear();
        Py_DECREF(method);
    }
    return result;
}

static PyObject *module_repr(PyObject *m)
{
    PyObject *spec = attribute_or_null(m, "__spec__"), *result = NULL;
    if (spec != NULL && spec != Py_None) {
        result = repr_from_spec(spec);
        Py_DECREF(spec);
        return result;
    }
    Py_XDECREF(spec);
    PyObject *loader = attribute_or_null(m, "__loader__"), *name = attribute_or_null(m, "__name__");
    PyObject *file = attribute_or_null(m, "__file__");
    result = repr_by_loader(m, loader);
    if (result != NULL)
        goto done;
    if (name == NULL)
        name = PyUnicode_FromString("?");
    if (name == NULL)
        ;
    else if (file != NULL)
        result = PyUnicode_FromFormat("<module %R from %R>", name, file);
    else
        result = repr_without_file(name, loader);
done:
    Py_XDECREF(loader);
    Py_XDECREF(name);
    Py_XDECREF(file);
    return result;
}

/* ---- The type ---- */

static PyObject *module_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return (PyObject *)module_alloc(type);
}

static int module_init(PyObject *m, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "doc", NULL};
    PyObject *name, *doc = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|O:module", keywords, &name, &doc))
        return -1;
    return fill_dict((PyModuleObject *)m, name, doc);
}

/* Module state may be looked at by the definition's hooks only once it exists. */
static int has_live_state(PyModuleObject *m)
{
    return m->md_def != NULL && (m->md_def->m_size <= 0 || m->md_state != NULL);
}

static int module_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyModuleObject *m = (PyModuleObject *)op;
    if (has_live_state(m) && m->md_def->m_traverse != NULL) {
        int r = m->md_def->m_traverse(op, visit, arg);
        if (r != 0)
            return r;
    }
    Py_VISIT(m->md_dict);
    Py_VISIT(m->md_name);
    return 0;
}

static int module_clear(PyObject *op)
{
    PyModuleObject *m = (PyModuleObject *)op;
    if (has_live_state(m) && m->md_def->m_clear != NULL) {
        int r = m->md_def->m_clear(op);
        if (PyErr_Occurred())
            PyErr_WriteUnraisable(op);
        if (r != 0)
            return r;
    }
    /* md_dict stays: its own tp_clear breaks the cycles, and functions may still use it as their globals. */
    return 0;
}

static void module_dealloc(PyObject *op)
{
    PyModuleObject *m = (PyModuleObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(m->md_weaklist))
        PyObject_ClearWeakRefs(op);
    if (has_live_state(m) && m->md_def->m_free != NULL)
        m->md_def->m_free(op);
    Py_XDECREF(m->md_dict);
    Py_XDECREF(m->md_name);
    PyMem_Free(m->md_state);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *module_dir(PyObject *m, PyObject *unused)
{
    PyObject *dict = PyObject_GetAttrString(m, "__dict__"), *result = NULL, *custom;
    if (dict == NULL)
        return NULL;
    if (!PyDict_Check(dict))
        PyErr_Format(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
    else if (PyMapping_GetOptionalItemString(dict, "__dir__", &custom) < 0)
        ;
    else if (custom != NULL) {
        result = PyObject_CallNoArgs(custom);
        Py_DECREF(custom);
    }
    else
        result = PyMapping_Keys(dict);
    Py_DECREF(dict);
    return result;
}

static PyObject *module_get_dict(PyObject *m, void *closure)
{
    return Py_NewRef(module_get_dict_borrowed(m));
}

/* __annotations__ is made on demand. */
static PyObject *module_get_annotations(PyObject *m, void *closure)
{
    PyObject *dict = PyObject_GetAttrString(m, "__dict__"), *value = NULL;
    if (dict == NULL)
        return NULL;
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
    }
    else if (PyMapping_GetOptionalItemString(dict, "__annotations__", &value) == 0) {
        PyObject *empty = PyDict_New();
        if (empty != NULL)      /* value is another thread's, if that was faster */
            (void)PyDict_SetDefaultRef(dict, STR(__annotations__), empty, &value);
        Py_XDECREF(empty);
    }
    Py_DECREF(dict);
    return value;
}

static int module_set_annotations(PyObject *m, PyObject *value, void *closure)
{
    PyObject *dict = PyObject_GetAttrString(m, "__dict__");
    int result = -1;
    if (dict == NULL)
        return -1;
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
    }
    else if (value != NULL) {
        result = PyDict_SetItemString(dict, "__annotations__", value);
    }
    else {
        result = PyDict_DelItemString(dict, "__annotations__");
        if (result < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_AttributeError, "__annotations__");
        }
    }
    Py_DECREF(dict);
    return result;
}

static PyMethodDef module_methods[] = {
    {"__dir__", module_dir, METH_NOARGS, "__dir__() -> list\nthe names of the module's attributes"},
    {NULL},
};

static PyGetSetDef module_getset[] = {
    {"__dict__", module_get_dict, NULL, NULL, NULL},
    {"__annotations__", module_get_annotations, module_set_annotations, NULL, NULL},
    {NULL},
};

PyTypeObject PyModule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "module",
    .tp_basicsize = sizeof(PyModuleObject),
    .tp_dealloc = module_dealloc,
    .tp_repr = module_repr,
    .tp_getattro = module_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "module(name, doc=None)\n--\n\nCreate a module object with the given name (a str) and doc string.",
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_weaklistoffset = offsetof(PyModuleObject, md_weaklist),
    .tp_methods = module_methods,
    .tp_getset = module_getset,
    .tp_dictoffset = offsetof(PyModuleObject, md_dict),
    .tp_init = module_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = module_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyModuleDef_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "moduledef",
    .tp_basicsize = sizeof(PyModuleDef),
};
