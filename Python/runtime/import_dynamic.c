/* Extension modules in shared objects. */
#include "importer.h"
#include "module.h"

#include <dlfcn.h>
#include <sys/stat.h>

typedef PyObject *(*init_function)(void);

/* "PyInit_" and the last part of the name; "PyInitU_" and its punycode if it is not ASCII. New bytes. */
static PyObject *init_name(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name), dot = PyUnicode_FindChar(name, '.', 0, length, -1);
    if (dot == -2)
        return NULL;
    PyObject *last = PyUnicode_Substring(name, dot + 1, length), *encoded = NULL, *result = NULL;
    if (last == NULL)
        return NULL;
    int ascii = PyUnicode_IS_ASCII(last);
    encoded = PyUnicode_AsEncodedString(last, ascii ? "ascii" : "punycode", NULL);
    if (encoded != NULL)
        result = PyBytes_FromFormat("%s_%s", ascii ? "PyInit" : "PyInitU", PyBytes_AS_STRING(encoded));
    for (Py_ssize_t i = 0; result != NULL && i < PyBytes_GET_SIZE(result); i++)
        if (PyBytes_AS_STRING(result)[i] == '-')
            PyBytes_AS_STRING(result)[i] = '_';
    Py_DECREF(last);
    Py_XDECREF(encoded);
    return result;
}

static int dlopen_flags(void)
{
    int flags = __atomic_load_n(&runtime_interp.config.dlopen_flags, __ATOMIC_RELAXED);
    return flags != 0 ? flags : RTLD_NOW;
}

/* The init function of the shared object at path, or NULL with ImportError. */
static init_function load(PyObject *name, PyObject *path, const char *symbol)
{
    PyObject *file = PyUnicode_EncodeFSDefault(path);
    init_function init = NULL;
    if (file == NULL)
        return NULL;
    const char *text = PyBytes_AS_STRING(file);
    PyObject *with_slash = NULL;
    if (strchr(text, '/') == NULL) {
        with_slash = PyBytes_FromFormat("./%s", text);
        if (with_slash == NULL)
            goto done;
        text = PyBytes_AS_STRING(with_slash);
    }
    void *handle = dlopen(text, dlopen_flags());
    if (handle == NULL) {
        const char *why = dlerror();
        PyObject *message = PyUnicode_DecodeLocale(why != NULL ? why : "unknown dlopen() error", "surrogateescape");
        if (message != NULL) {
            PyErr_SetImportError(message, name, path);
            Py_DECREF(message);
        }
        goto done;
    }
    init = (init_function)dlsym(handle, symbol);
    if (init == NULL) {
        PyObject *message = PyUnicode_FromFormat("dynamic module does not define module export function (%s)", symbol);
        if (message != NULL) {
            PyErr_SetImportError(message, name, path);
            Py_DECREF(message);
        }
    }
done:
    Py_DECREF(file);
    Py_XDECREF(with_slash);
    return init;
}

PyObject *import_create_dynamic(PyObject *spec)
{
    PyObject *name = PyObject_GetAttrString(spec, "name"), *path = NULL, *symbol = NULL, *module = NULL;
    if (name == NULL || (path = PyObject_GetAttrString(spec, "origin")) == NULL)
        goto done;
    if (!PyUnicode_Check(name) || !PyUnicode_Check(path)) {
        PyErr_SetString(PyExc_TypeError, "name and origin of the module's spec must be strings");
        goto done;
    }
    module = import_find_extension(name, path);
    if (module != NULL || PyErr_Occurred())
        goto done;
    if (PySys_Audit("import", "OOOOO", name, path, Py_None, Py_None, Py_None) < 0 || (symbol = init_name(name)) == NULL)
        goto done;
    init_function init = load(name, path, PyBytes_AS_STRING(symbol));
    const char *full_name = PyUnicode_AsUTF8(name);
    if (init == NULL || full_name == NULL)
        goto done;
    const char *outer = module_package_context;
    module_package_context = full_name;
    PyObject *result = init();
    module_package_context = outer;
    module = import_finish_init(result, init, spec, name, path);
done:
    Py_XDECREF(name);
    Py_XDECREF(path);
    Py_XDECREF(symbol);
    return module;
}
