/* The modules linked into the interpreter, and what all init functions return. */
#include "importer.h"
#include "fork_mutex.h"
#include "gil.h"
#include "module.h"
#include "well_known_strings.h"

#define MODULE(name) __attribute__((weak)) PyObject *PyInit_##name(void);
#include "builtin_modules.def"
#undef MODULE

static struct _inittab own_modules[] = {
#define MODULE(name) {#name, PyInit_##name},
#include "builtin_modules.def"
#undef MODULE
    {NULL, NULL},
};

/* [const] once the interpreter is up */
static struct _inittab *added;
static size_t added_count;
struct _inittab *PyImport_Inittab = own_modules;

int PyImport_ExtendInittab(struct _inittab *table)
{
    size_t n = 0;
    while (table[n].name != NULL)
        n++;
    struct _inittab *bigger = realloc(added, (added_count + n + 1) * sizeof(*added));
    if (bigger == NULL)
        return -1;
    memcpy(bigger + added_count, table, (n + 1) * sizeof(*table));
    added = bigger;
    added_count += n;
    return 0;
}

int PyImport_AppendInittab(const char *name, PyObject *(*init)(void))
{
    struct _inittab table[] = {{name, init}, {NULL, NULL}};
    return PyImport_ExtendInittab(table);
}

static const struct _inittab *find(const char *name)
{
    for (size_t i = 0; i < added_count; i++)
        if (strcmp(added[i].name, name) == 0)
            return &added[i];
    for (const struct _inittab *m = own_modules; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0 && m->initfunc != NULL)
            return m;
    return NULL;
}

int import_is_builtin(const char *name)
{
    if (strcmp(name, "sys") == 0 || strcmp(name, "builtins") == 0)
        return -1;              /* there, but not to be made again */
    return find(name) != NULL;
}

PyObject *import_builtin_names(void)
{
    PyObject *list = PyList_New(0), *tuple = NULL;
    int status = list == NULL ? -1 : 0;
    for (size_t i = 0; status == 0 && i < added_count + Py_ARRAY_LENGTH(own_modules) + 1; i++) {
        const char *name = "builtins";
        if (i < added_count)
            name = added[i].name;
        else if (i < added_count + Py_ARRAY_LENGTH(own_modules) - 1) {
            if (own_modules[i - added_count].initfunc == NULL)
                continue;
            name = own_modules[i - added_count].name;
        }
        else if (i == added_count + Py_ARRAY_LENGTH(own_modules))
            name = "sys";
        PyObject *str = PyUnicode_FromString(name);
        status = str != NULL ? PyList_Append(list, str) : -1;
        Py_XDECREF(str);
    }
    if (status == 0 && PyList_Sort(list) == 0)
        tuple = PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

/* ---- Modules of single-phase initialisation: remembered under (name, path) ---- */

struct extension {
    struct extension *next;
    PyObject *name, *path;              /* counted */
    PyModuleDef *def;
    PyObject *(*init)(void);
    PyObject *copy;                     /* of the dict, if the module cannot be made twice (m_size == -1) */
};
static struct extension *extensions;    /* [extensions_lock]; entries stay */
static PyMutex extensions_lock;
FORK_MUTEX(extensions_lock)

static struct extension *find_extension(PyObject *name, PyObject *path)
{
    PyMutex_Lock(&extensions_lock);
    struct extension *e = extensions;
    PyMutex_Unlock(&extensions_lock);
    for (; e != NULL; e = e->next)
        if (PyUnicode_Compare(e->name, name) == 0 && PyUnicode_Compare(e->path, path) == 0)
            return e;
    return NULL;
}

static int remember_extension(PyObject *module, PyModuleDef *def, PyObject *(*init)(void), PyObject *name, PyObject *path)
{
    if (find_extension(name, path) != NULL)
        return 0;
    struct extension *e = PyMem_RawCalloc(1, sizeof(*e));
    if (e == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (def->m_size == -1 && (e->copy = PyDict_Copy(PyModule_GetDict(module))) == NULL) {
        PyMem_RawFree(e);
        return -1;
    }
    e->name = Py_NewRef(name);
    e->path = Py_NewRef(path);
    object_publish(name);
    object_publish(path);
    if (e->copy != NULL)
        object_publish(e->copy);
    e->def = def;
    e->init = init;
    PyMutex_Lock(&extensions_lock);
    e->next = extensions;
    extensions = e;
    PyMutex_Unlock(&extensions_lock);
    return 0;
}

PyObject *import_find_extension(PyObject *name, PyObject *path)
{
    struct extension *e = find_extension(name, path);
    if (e == NULL)
        return NULL;
    PyObject *module;
    if (e->copy != NULL) {
        module = PyImport_GetModule(name);
        if (module == NULL && !PyErr_Occurred())
            module = PyModule_NewObject(name);
        if (module == NULL || PyDict_Update(PyModule_GetDict(module), e->copy) < 0) {
            Py_XDECREF(module);
            return NULL;
        }
    }
    else {
        module = e->init();
        if (module == NULL)
            return NULL;
    }
    if (_PyImport_SetModule(name, module) < 0 || PyState_AddModule(module, e->def) < 0)
        Py_CLEAR(module);
    return module;
}

/* ---- What an init function returned ---- */

/* A module that does not say that it can do without the global lock turns it on. */
static int check_gil(PyObject *module, PyObject *name)
{
    if (module_get_gil(module) == Py_MOD_GIL_NOT_USED)
        return 0;
    if (!gil_enable_at_runtime(thread_current()))
        return 0;
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                            "The global interpreter lock (GIL) has been enabled to load module '%U', which has not declared that it "
                            "can run safely without the GIL. To override this behavior and keep the GIL disabled (at your own risk), "
                            "run with PYTHONGIL=0 or -Xgil=0.",
                            name);
}

PyObject *import_finish_init(PyObject *result, PyObject *(*init)(void), PyObject *spec, PyObject *name, PyObject *path)
{
    if (result == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_SystemError, "initialization of %U failed without raising an exception", name);
        return NULL;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(result);
        return _PyErr_FormatFromCause(PyExc_SystemError, "initialization of %U raised unreported exception", name);
    }
    if (Py_TYPE(result) == NULL)
        return PyErr_Format(PyExc_SystemError, "init function of %U returned uninitialized object", name);
    if (Py_IS_TYPE(result, &PyModuleDef_Type)) {
        PyObject *module = PyModule_FromDefAndSpec((PyModuleDef *)result, spec);    /* the definition is static */
        if (module != NULL && PyModule_Check(module) && path != NULL && check_gil(module, name) < 0)
            Py_CLEAR(module);
        return module;
    }
    if (!PyModule_Check(result) || PyModule_GetDef(result) == NULL) {
        PyErr_Format(PyExc_SystemError, "initialization of %U did not return an extension module", name);
        Py_DECREF(result);
        return NULL;
    }
    PyModuleDef *def = PyModule_GetDef(result);
    def->m_base.m_init = init;
    if (path != NULL) {
        if (PyModule_AddObjectRef(result, "__file__", path) < 0)
            PyErr_Clear();
        if (check_gil(result, name) < 0)
            goto fail;
    }
    if (remember_extension(result, def, init, name, path != NULL ? path : name) < 0
        || _PyImport_SetModule(name, result) < 0 || PyState_AddModule(result, def) < 0)
        goto fail;
    return result;
fail:
    Py_DECREF(result);
    return NULL;
}

PyObject *import_create_builtin(const char *name, PyObject *spec)
{
    PyObject *str = PyUnicode_FromString(name), *module = NULL;
    if (str == NULL)
        return NULL;
    if (strcmp(name, "sys") == 0)
        module = Py_NewRef(runtime_interp.sys_module);
    else if (strcmp(name, "builtins") == 0)
        module = Py_NewRef(runtime_interp.builtins_module);
    else {
        const struct _inittab *entry = find(name);
        module = import_find_extension(str, str);
        if (module == NULL && !PyErr_Occurred() && entry != NULL)
            module = import_finish_init(entry->initfunc(), entry->initfunc, spec, str, NULL);
    }
    Py_DECREF(str);
    return module;
}

PyObject *import_early_builtin(const char *name)
{
    PyObject *keywords = Py_BuildValue("{s:s,s:O,s:O}", "name", name, "origin", Py_None, "loader", Py_None), *spec = NULL,
             *module = NULL;
    if (keywords == NULL)
        return NULL;
    spec = _PyNamespace_New(keywords);
    Py_DECREF(keywords);
    if (spec != NULL)
        module = import_create_builtin(name, spec);
    Py_XDECREF(spec);
    if (module == NULL)
        return NULL;
    PyModuleDef *def = PyModule_GetDef(module);
    PyObject *str = PyUnicode_FromString(name);
    if (str == NULL || _PyImport_SetModule(str, module) < 0
        || (def != NULL && def->m_slots != NULL && PyModule_ExecDef(module, def) < 0))
        Py_CLEAR(module);
    Py_XDECREF(str);
    return module;
}
