/* Making modules from definitions, filling them, and finding those of single-phase initialisation again. */
#include "Python.h"
#include "fork_mutex.h"

#include "internal/module.h"

/* ---- Adding names ---- */

int PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value)
{
    if (!PyModule_Check(module)) {
        PyErr_SetString(PyExc_TypeError, "PyModule_AddObjectRef() first argument must be a module");
        return -1;
    }
    if (value == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError,
                            "PyModule_AddObjectRef() must be called with an exception raised if value is NULL");
        return -1;
    }
    return PyDict_SetItemString(module_get_dict_borrowed(module), name, value);
}

int PyModule_Add(PyObject *module, const char *name, PyObject *value)
{
    int result = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return result;
}

int PyModule_AddObject(PyObject *module, const char *name, PyObject *value)
{
    int result = PyModule_AddObjectRef(module, name, value);
    if (result == 0)
        Py_DECREF(value);
    return result;
}

int PyModule_AddIntConstant(PyObject *module, const char *name, long value)
{
    return PyModule_Add(module, name, PyLong_FromLong(value));
}

int PyModule_AddStringConstant(PyObject *module, const char *name, const char *value)
{
    return PyModule_Add(module, name, PyUnicode_FromString(value));
}

int PyModule_AddType(PyObject *module, PyTypeObject *type)
{
    if (PyType_Ready(type) < 0)
        return -1;
    const char *dot = strrchr(type->tp_name, '.');
    return PyModule_AddObjectRef(module, dot == NULL ? type->tp_name : dot + 1, (PyObject *)type);
}

int PyModule_SetDocString(PyObject *module, const char *doc)
{
    PyObject *str = PyUnicode_FromString(doc);
    if (str == NULL)
        return -1;
    int result = PyObject_SetAttrString(module, "__doc__", str);
    Py_DECREF(str);
    return result;
}

/* Functions of a module are shared by all threads: frames do not count them. */
static int add_functions(PyObject *module, PyObject *name, PyMethodDef *functions)
{
    for (PyMethodDef *def = functions; def->ml_name != NULL; def++) {
        if (def->ml_flags & (METH_CLASS | METH_STATIC)) {
            PyErr_SetString(PyExc_ValueError, "module functions cannot set METH_CLASS or METH_STATIC");
            return -1;
        }
        PyObject *func = PyCMethod_New(def, module, name, NULL);
        if (func == NULL)
            return -1;
        object_set_deferred(func);
        int result = PyObject_SetAttrString(module, def->ml_name, func);
        Py_DECREF(func);
        if (result < 0)
            return -1;
    }
    return 0;
}

int PyModule_AddFunctions(PyObject *module, PyMethodDef *functions)
{
    PyObject *name = PyModule_GetNameObject(module);
    if (name == NULL)
        return -1;
    int result = add_functions(module, name, functions);
    Py_DECREF(name);
    return result;
}

/* ---- Modules from definitions ---- */

static Py_ssize_t last_index;           /* [atomic] */
BRAID_TLS const char *module_package_context;

PyObject *PyModuleDef_Init(PyModuleDef *def)
{
    if (PyType_Ready(&PyModuleDef_Type) < 0)
        return NULL;
    /* Other headers lay objects out in another way, and leave the type out here. */
    if (def->m_base.ob_base.hdr_type != &PyModuleDef_Type) {
        PyErr_SetString(PyExc_ImportError, "the extension module was compiled with the headers of another Python");
        return NULL;
    }
    if (__atomic_load_n(&def->m_base.m_index, __ATOMIC_RELAXED) == 0) {
        Py_ssize_t expected = 0, index = __atomic_add_fetch(&last_index, 1, __ATOMIC_RELAXED);
        (void)__atomic_compare_exchange_n(&def->m_base.m_index, &expected, index, 0, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED);
    }
    return (PyObject *)def;
}

static int check_api_version(const char *name, int version)
{
    if (version == PYTHON_API_VERSION || version == PYTHON_ABI_VERSION)
        return 1;
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                            "Python C API version mismatch for module %.100s: This Python has API version %d, "
                            "module %.100s has version %d.",
                            name, PYTHON_API_VERSION, name, version) == 0;
}

/* Zeroed module state, unless there is some already. */
static int allocate_state(PyModuleObject *m, PyModuleDef *def)
{
    if (def->m_size < 0 || __atomic_load_n(&m->md_state, __ATOMIC_ACQUIRE) != NULL)
        return 0;
    void *state = PyMem_Calloc(1, def->m_size > 0 ? (size_t)def->m_size : 1), *none = NULL;
    if (state == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (!__atomic_compare_exchange_n(&m->md_state, &none, state, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        PyMem_Free(state);          /* another thread executes the module, too */
    return 0;
}

PyObject *PyModule_Create2(PyModuleDef *def, int api_version)
{
    if (PyModuleDef_Init(def) == NULL)
        return NULL;
    const char *name = def->m_name;
    if (!check_api_version(name, api_version))
        return NULL;
    if (def->m_slots != NULL) {
        PyErr_Format(PyExc_SystemError, "module %s: PyModule_Create is incompatible with m_slots", name);
        return NULL;
    }
    if (module_package_context != NULL) {
        const char *dot = strrchr(module_package_context, '.');
        if (dot != NULL && strcmp(def->m_name, dot + 1) == 0) {
            name = module_package_context;
            module_package_context = NULL;
        }
    }
    PyModuleObject *m = (PyModuleObject *)PyModule_New(name);
    if (m == NULL)
        return NULL;
    if (def->m_size > 0 && allocate_state(m, def) < 0)
        goto error;
    if (def->m_methods != NULL && PyModule_AddFunctions((PyObject *)m, def->m_methods) < 0)
        goto error;
    if (def->m_doc != NULL && PyModule_SetDocString((PyObject *)m, def->m_doc) < 0)
        goto error;
    m->md_def = def;
    return (PyObject *)m;
error:
    Py_DECREF(m);
    return NULL;
}

struct def_slots {
    PyObject *(*create)(PyObject *, PyModuleDef *);
    int has_exec;
    void *gil;
};

/* Reads the slots. 0 or -1. */
static int scan_slots(PyModuleDef *def, const char *name, struct def_slots *out)
{
    int has_gil = 0, has_multiple = 0;
    *out = (struct def_slots){NULL, 0, Py_MOD_GIL_USED};
    for (PyModuleDef_Slot *slot = def->m_slots; slot != NULL && slot->slot != 0; slot++) {
        int repeated = 0;
        const char *what = "";
        switch (slot->slot) {
        case Py_mod_create:
            repeated = out->create != NULL;
            what = "create";
            out->create = (PyObject * (*)(PyObject *, PyModuleDef *)) slot->value;
            break;
        case Py_mod_exec:
            out->has_exec = 1;
            break;
        case Py_mod_multiple_interpreters:
            repeated = has_multiple;
            what = "multiple_interpreters";
            has_multiple = 1;
            break;
        case Py_mod_gil:
            repeated = has_gil;
            what = "gil";
            has_gil = 1;
            out->gil = slot->value;
            break;
        default:
            PyErr_Format(PyExc_SystemError, "module %s uses unknown slot ID %i", name, slot->slot);
            return -1;
        }
        if (repeated) {
            PyErr_Format(PyExc_SystemError, "module %s has multiple %s slots", name, what);
            return -1;
        }
    }
    return 0;
}

static PyObject *call_create(struct def_slots *slots, PyModuleDef *def, PyObject *spec, const char *name)
{
    PyObject *m = slots->create(spec, def);
    if (m == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_SystemError, "creation of module %s failed without setting an exception", name);
        return NULL;
    }
    if (PyErr_Occurred()) {
        _PyErr_FormatFromCause(PyExc_SystemError, "creation of module %s raised unreported exception", name);
        Py_DECREF(m);
        return NULL;
    }
    return m;
}

PyObject *PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int api_version)
{
    PyObject *name_obj = NULL, *m = NULL;
    struct def_slots slots;
    if (PyModuleDef_Init(def) == NULL)
        return NULL;
    name_obj = PyObject_GetAttrString(spec, "name");
    if (name_obj == NULL)
        return NULL;
    const char *name = PyUnicode_AsUTF8(name_obj);
    if (name == NULL || !check_api_version(name, api_version))
        goto error;
    if (def->m_size < 0) {
        PyErr_Format(PyExc_SystemError, "module %s: m_size may not be negative for multi-phase initialization", name);
        goto error;
    }
    if (scan_slots(def, name, &slots) < 0)
        goto error;
    m = slots.create != NULL ? call_create(&slots, def, spec, name) : PyModule_NewObject(name_obj);
    if (m == NULL)
        goto error;
    if (PyModule_Check(m)) {
        ((PyModuleObject *)m)->md_state = NULL;
        ((PyModuleObject *)m)->md_def = def;
        ((PyModuleObject *)m)->md_gil = slots.gil;
    }
    else {
        if (def->m_size > 0 || def->m_traverse != NULL || def->m_clear != NULL || def->m_free != NULL) {
            PyErr_Format(PyExc_SystemError, "module %s is not a module object, but requests module state", name);
            goto error;
        }
        if (slots.has_exec) {
            PyErr_Format(PyExc_SystemError,
                         "module %s specifies execution slots, but did not create a ModuleType instance", name);
            goto error;
        }
    }
    if (def->m_methods != NULL && add_functions(m, name_obj, def->m_methods) < 0)
        goto error;
    if (def->m_doc != NULL && PyModule_SetDocString(m, def->m_doc) < 0)
        goto error;
    Py_DECREF(name_obj);
    return m;
error:
    Py_DECREF(name_obj);
    Py_XDECREF(m);
    return NULL;
}

int PyModule_ExecDef(PyObject *module, PyModuleDef *def)
{
    const char *name = PyModule_GetName(module);
    if (name == NULL || allocate_state((PyModuleObject *)module, def) < 0)
        return -1;
    for (PyModuleDef_Slot *slot = def->m_slots; slot != NULL && slot->slot != 0; slot++) {
        if (slot->slot != Py_mod_exec)
            continue;
        int result = ((int (*)(PyObject *))slot->value)(module);
        if (result != 0) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_SystemError, "execution of module %s failed without setting an exception", name);
            return -1;
        }
        if (PyErr_Occurred()) {
            _PyErr_FormatFromCause(PyExc_SystemError, "execution of module %s raised unreported exception", name);
            return -1;
        }
    }
    return 0;
}

/* ---- Modules found by their definition ---- */

static PyMutex state_lock;
FORK_MUTEX(state_lock)
static PyObject **state_modules;        /* [state_lock] by m_index; counted */
static Py_ssize_t state_size;

/* A borrowed reference, which sys.modules or the table keeps alive. */
PyObject *PyState_FindModule(PyModuleDef *def)
{
    Py_ssize_t index = def->m_base.m_index;
    PyObject *result = NULL;
    if (def->m_slots != NULL || index == 0)
        return NULL;
    PyMutex_Lock(&state_lock);
    if (index < state_size)
        result = state_modules[index];
    PyMutex_Unlock(&state_lock);
    return result;
}

/* Puts module, which may be NULL, into the table. 0 or -1 with MemoryError. */
static int state_store(Py_ssize_t index, PyObject *module)
{
    PyObject *old = NULL;
    int result = -1;
    PyMutex_Lock(&state_lock);
    if (index >= state_size) {
        Py_ssize_t size = index + 32;
        PyObject **grown = PyMem_RawRealloc(state_modules, (size_t)size * sizeof(PyObject *));
        if (grown == NULL)
            goto done;
        memset(grown + state_size, 0, (size_t)(size - state_size) * sizeof(PyObject *));
        state_modules = grown;
        state_size = size;
    }
    old = state_modules[index];
    state_modules[index] = Py_XNewRef(module);
    result = 0;
done:
    PyMutex_Unlock(&state_lock);
    Py_XDECREF(old);
    if (result < 0)
        PyErr_NoMemory();
    return result;
}

int PyState_AddModule(PyObject *module, PyModuleDef *def)
{
    if (def == NULL || def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError, "PyState_AddModule called on module with slots");
        return -1;
    }
    if (PyModuleDef_Init(def) == NULL)
        return -1;
    return state_store(def->m_base.m_index, module);
}

int PyState_RemoveModule(PyModuleDef *def)
{
    if (def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError, "PyState_RemoveModule called on module with slots");
        return -1;
    }
    if (def->m_base.m_index == 0 || PyState_FindModule(def) == NULL) {
        PyErr_SetString(PyExc_SystemError, "module is not registered");
        return -1;
    }
    return state_store(def->m_base.m_index, NULL);
}
