/* Frozen modules: those whose code comes with the program and not from a file of their own.
 *
 * An embedding program gives marshalled code (PyImport_FrozenModules). Parts of the library are in a file made with the interpreter
 * (import_frozen_file.c). Others are given as source, compiled when they are asked for: the two halves of importlib where that file
 * does not serve, which are read before there is an import system, and small modules that tests import. */
#include "importer.h"
#include "builtins.h"
#include "config.h"
#include "fork_mutex.h"
#include "opcode.h"
#include "well_known_strings.h"

const struct _frozen *PyImport_FrozenModules;

static const char hello[] =
    "initialized = True\n\n\n"
    "def main():\n"
    "    print('Hello world!')\n\n\n"
    "if __name__ == '__main__':\n"
    "    main()\n";

/* origname: where the module would be in the standard library; "<name": the __init__ file of package name; NULL: nowhere. */
static const struct {
    const char *name, *origname;
    int is_package, essential;
    const char *source;                 /* NULL: the file origname of the standard library */
} own_modules[] = {
    {"_frozen_importlib", "importlib._bootstrap", 0, 1, NULL},
    {"_frozen_importlib_external", "importlib._bootstrap_external", 0, 1, NULL},
    {"__hello__", "__hello__", 0, 0, hello},
    {"__hello_alias__", "__hello__", 0, 0, hello},
    {"__phello_alias__", "__hello__", 1, 0, hello},
    {"__phello_alias__.spam", "__hello__", 0, 0, hello},
    {"__phello__", "__phello__", 1, 0, hello},
    {"__phello__.__init__", "<__phello__", 0, 0, hello},
    {"__phello__.ham", "__phello__.ham", 1, 0, ""},
    {"__phello__.ham.__init__", "<__phello__.ham", 0, 0, ""},
    {"__phello__.ham.eggs", "__phello__.ham.eggs", 0, 0, ""},
    {"__phello__.spam", "__phello__.spam", 0, 0, hello},
    {"__hello_only__", NULL, 0, 0, hello},
};

static int override;                    /* [atomic] > 0: frozen modules are on, < 0: off, 0: as the command line says */
static PyObject *data_cache[Py_ARRAY_LENGTH(own_modules)];      /* [data_lock] marshalled code */
static PyMutex data_lock;
FORK_MUTEX(data_lock)

void import_frozen_override(int value) { __atomic_store_n(&override, value, __ATOMIC_RELAXED); }

static int enabled(void)
{
    int forced = __atomic_load_n(&override, __ATOMIC_RELAXED);
    if (forced != 0)
        return forced > 0;
    const char *option = config_xoption("frozen_modules");
    return option == NULL || strcmp(option, "off") != 0;
}

frozen_status_t import_frozen_find(const char *name, frozen_module_t *m)
{
    *m = (frozen_module_t){.own = -1};
    for (const struct _frozen *f = PyImport_FrozenModules; f != NULL && f->name != NULL; f++)
        if (strcmp(f->name, name) == 0) {
            m->foreign = f;
            m->is_package = f->is_package || f->size < 0;
            m->origname = f->name;
            return f->code == NULL && f->get_code == NULL ? FROZEN_EXCLUDED : f->size == 0 ? FROZEN_INVALID : FROZEN_OKAY;
        }
    if (enabled() && import_frozen_file_find(name, m))
        return FROZEN_OKAY;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(own_modules); i++)
        if (strcmp(own_modules[i].name, name) == 0) {
            m->own = (int)i;
            m->is_package = own_modules[i].is_package;
            m->origname = own_modules[i].origname;
            return own_modules[i].essential || enabled() ? FROZEN_OKAY : FROZEN_DISABLED;
        }
    return FROZEN_NOT_FOUND;
}

static int is_own(const char *name)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(own_modules); i++)
        if (strcmp(own_modules[i].name, name) == 0)
            return 1;
    return 0;
}

/* 0 or -1. */
static int append_name(PyObject *list, const char *text)
{
    PyObject *name = PyUnicode_FromString(text);
    int status = name != NULL ? PyList_Append(list, name) : -1;
    Py_XDECREF(name);
    return status;
}

PyObject *import_frozen_names(void)
{
    PyObject *list = PyList_New(0);
    int status = list != NULL ? 0 : -1;
    for (const struct _frozen *f = PyImport_FrozenModules; status == 0 && f != NULL && f->name != NULL; f++)
        status = append_name(list, f->name);
    for (size_t i = 0; status == 0 && i < Py_ARRAY_LENGTH(own_modules); i++)
        status = append_name(list, own_modules[i].name);
    for (int i = 0; status == 0 && i < import_frozen_file_count(); i++)
        if (!is_own(import_frozen_file_name(i)))
            status = append_name(list, import_frozen_file_name(i));
    if (status < 0)
        Py_CLEAR(list);
    return list;
}

/* ---- Code ---- */

/* The source of one of our modules: new bytes. */
static PyObject *own_source(int i)
{
    if (own_modules[i].source != NULL)
        return PyBytes_FromString(own_modules[i].source);
    PyObject *path = PyBytes_FromFormat("%s/importlib/%s.py", config_stdlib(), strchr(own_modules[i].origname, '.') + 1);
    PyObject *source = path != NULL ? import_read_file(PyBytes_AS_STRING(path)) : NULL;
    Py_XDECREF(path);
    return source;
}

static PyObject *compile_own(int i)
{
    const char *origname = own_modules[i].origname;
    if (origname == NULL)
        origname = own_modules[i].name;
    PyObject *source = own_source(i), *filename = PyUnicode_FromFormat("<frozen %s>", origname + (*origname == '<')), *code = NULL;
    PyCompilerFlags flags = {PyCF_SOURCE_IS_UTF8 | PyCF_IGNORE_COOKIE, PY_MINOR_VERSION};
    if (source != NULL && filename != NULL)
        code = compile_source(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), filename, Py_file_input, &flags, 0);
    Py_XDECREF(source);
    Py_XDECREF(filename);
    return code;
}

PyObject *import_frozen_data(const frozen_module_t *m)
{
    if (m->foreign != NULL)
        return PyBytes_FromStringAndSize((const char *)m->foreign->code, Py_ABS((Py_ssize_t)m->foreign->size));
    if (m->code != NULL)
        return PyBytes_FromStringAndSize(m->code, m->code_size);
    PyMutex_Lock(&data_lock);
    PyObject *data = Py_XNewRef(data_cache[m->own]);
    PyMutex_Unlock(&data_lock);
    if (data != NULL)
        return data;
    PyObject *code = compile_own(m->own), *extra = NULL;
    data = code != NULL ? PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION) : NULL;
    Py_XDECREF(code);
    if (data == NULL)
        return NULL;
    object_publish(data);
    PyMutex_Lock(&data_lock);
    if (data_cache[m->own] == NULL)
        data_cache[m->own] = Py_NewRef(data);
    else {
        extra = data;                   /* another thread was faster */
        data = Py_NewRef(data_cache[m->own]);
    }
    PyMutex_Unlock(&data_lock);
    Py_XDECREF(extra);
    return data;
}

/* trusted: from the file of library modules. */
static PyObject *read_code(PyObject *name, const char *data, Py_ssize_t size, int trusted)
{
    PyObject *code = trusted ? marshal_read_trusted(data, (size_t)size) : PyMarshal_ReadObjectFromString(data, size);
    if (code == NULL)
        return import_frozen_error(FROZEN_INVALID, name);
    if (!PyCode_Check(code)) {
        PyErr_Format(PyExc_TypeError, "frozen object %R is not a code object", name);
        Py_CLEAR(code);
    }
    return code;
}

PyObject *import_frozen_code(PyObject *name, const char *data, Py_ssize_t size) { return read_code(name, data, size, 0); }

PyObject *import_frozen_load(const frozen_module_t *m, PyObject *name)
{
    if (m->code != NULL)
        return read_code(name, m->code, m->code_size, 1);
    PyObject *data = import_frozen_data(m);
    PyObject *code = data != NULL ? import_frozen_code(name, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)) : NULL;
    Py_XDECREF(data);
    return code;
}

PyObject *import_frozen_error(frozen_status_t status, PyObject *name)
{
    static const char *const texts[] = {
        [FROZEN_NOT_FOUND] = "No such frozen object named %R",
        [FROZEN_DISABLED] = "No such frozen object named %R",
        [FROZEN_EXCLUDED] = "Excluded frozen object named %R",
        [FROZEN_INVALID] = "Frozen object named %R is invalid",
    };
    PyErr_Clear();
    PyObject *message = PyUnicode_FromFormat(texts[status], name);
    if (message != NULL) {
        PyErr_SetImportError(message, name, NULL);
        Py_DECREF(message);
    }
    return NULL;
}

/* ---- Importing by C code ---- */

/* 0, or -1 with an exception. */
static int set_attributes(PyObject *dict, const frozen_module_t *m)
{
    PyObject *origname = m->origname != NULL ? PyUnicode_FromString(m->origname) : Py_NewRef(Py_None), *path = NULL;
    int status = origname != NULL ? PyDict_SetItemString(dict, "__origname__", origname) : -1;
    if (status == 0 && m->is_package)
        status = (path = PyList_New(0)) != NULL ? PyDict_SetItemString(dict, "__path__", path) : -1;
    if (status == 0 && PyDict_GetItemWithError(dict, STR(__builtins__)) == NULL)
        status = PyErr_Occurred() ? -1 : PyDict_SetItem(dict, STR(__builtins__), runtime_interp.builtins);
    Py_XDECREF(origname);
    Py_XDECREF(path);
    return status;
}

/* 1; 0: there is no such frozen module; -1 with an exception. */
int PyImport_ImportFrozenModuleObject(PyObject *name)
{
    frozen_module_t m;
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL)
        return -1;
    frozen_status_t status = import_frozen_find(text, &m);
    if (status == FROZEN_NOT_FOUND || status == FROZEN_DISABLED)
        return 0;
    if (status != FROZEN_OKAY) {
        import_frozen_error(status, name);
        return -1;
    }
    PyObject *code = import_frozen_load(&m, name), *module = NULL, *result = NULL;
    if (code != NULL && (module = PyImport_AddModuleRef(text)) != NULL) {
        PyObject *dict = PyModule_GetDict(module);
        if (set_attributes(dict, &m) == 0)
            result = PyEval_EvalCode(code, dict, dict);
    }
    Py_XDECREF(code);
    Py_XDECREF(module);
    Py_XDECREF(result);
    return result != NULL ? 1 : -1;
}

int PyImport_ImportFrozenModule(const char *name)
{
    PyObject *str = PyUnicode_InternFromString(name);
    int status = str != NULL ? PyImport_ImportFrozenModuleObject(str) : -1;
    Py_XDECREF(str);
    return status;
}
