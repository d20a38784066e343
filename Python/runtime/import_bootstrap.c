/* Bringing importlib up: from the file of frozen modules, else from its source in the standard library. */
#include "importer.h"
#include "builtins.h"
#include "config.h"
#include "opcode.h"
#include "well_known_strings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* To be raised when the meaning of instructions or the layout of marshalled code changes. */
#define BYTECODE_REVISION 2

uint32_t import_magic_number(void)
{
    uint32_t hash = 2166136261u ^ BYTECODE_REVISION;
    for (int op = 0; op < OPCODE_COUNT; op++) {
        for (const char *s = opcode_table[op].name; *s; s++)
            hash = (hash ^ (unsigned char)*s) * 16777619u;
        hash = (hash ^ (uint32_t)opcode_table[op].caches ^ ((uint32_t)opcode_table[op].format << 4)) * 16777619u;
    }
    return ((hash ^ (hash >> 16)) & 0xffff) | (uint32_t)'\r' << 16 | (uint32_t)'\n' << 24;
}

long PyImport_GetMagicNumber(void) { return (long)import_magic_number(); }
const char *PyImport_GetMagicTag(void) { return IMPORT_CACHE_TAG; }

PyObject *import_read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, st.st_size);
    ssize_t have = 0;
    while (bytes != NULL && have < st.st_size) {
        ssize_t n = read(fd, PyBytes_AS_STRING(bytes) + have, (size_t)(st.st_size - have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
            Py_CLEAR(bytes);
            break;
        }
        have += n;
    }
    close(fd);
    return bytes;
}

/* Executes one of the two halves of importlib, a frozen module. New reference. */
static PyObject *run_bootstrap(const char *name)
{
    PyObject *str = PyUnicode_InternFromString(name), *module = NULL;
    if (str != NULL && PyImport_ImportFrozenModuleObject(str) > 0)
        module = PyImport_AddModuleRef(name);
    Py_XDECREF(str);
    return module;
}

int import_bootstrap(void)
{
    PyObject *imp = NULL, *result = NULL;
    char path[4096];
    const char *option = config_xoption("frozen_modules");
    if (option == NULL || strcmp(option, "off") != 0) {
        snprintf(path, sizeof(path), "%s/frozen_modules.bin", startup.shared_modules);
        import_frozen_file_open(path);
    }
    PyObject *bootstrap = run_bootstrap("_frozen_importlib");
    if (bootstrap == NULL)
        return -1;
    runtime_interp.importlib = bootstrap;       /* kept */
    imp = import_early_builtin("_imp");
    if (imp != NULL)
        result = PyObject_CallMethod(bootstrap, "_install", "OO", runtime_interp.sys_module, imp);
    Py_XDECREF(imp);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* The bytecode's mark must be ours. */
static int set_magic(PyObject *external)
{
    uint32_t magic = import_magic_number();
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(magic >> (8 * i));
    PyObject *mark = PyBytes_FromStringAndSize((char *)bytes, 4);
    int status = mark != NULL ? PyObject_SetAttrString(external, "MAGIC_NUMBER", mark) : -1;
    Py_XDECREF(mark);
    PyObject *number = PyLong_FromUnsignedLong(magic);
    if (status == 0)
        status = number != NULL ? PyObject_SetAttrString(external, "_RAW_MAGIC_NUMBER", number) : -1;
    Py_XDECREF(number);
    return status;
}

/* Gives the module the __spec__ and so on that an import would have given it. 0 or -1. */
static int make_frozen_import(PyObject *bootstrap, PyObject *module)
{
    PyObject *importer = PyObject_GetAttrString(bootstrap, "FrozenImporter"), *spec = NULL, *result = NULL;
    if (importer != NULL)
        spec = PyObject_CallMethod(bootstrap, "_spec_from_module", "OO", module, importer);
    if (spec != NULL)
        result = PyObject_CallMethod(bootstrap, "_init_module_attrs", "OO", spec, module);
    if (result != NULL)
        Py_SETREF(result, PyObject_CallMethod(importer, "_fix_up_module", "O", module));
    Py_XDECREF(importer);
    Py_XDECREF(spec);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int import_bootstrap_external(void)
{
    PyObject *external = run_bootstrap("_frozen_importlib_external"), *bootstrap = runtime_interp.importlib;
    if (external == NULL)
        return -1;
    runtime_interp.importlib_external = external;       /* kept */
    if (make_frozen_import(bootstrap, external) < 0 || set_magic(external) < 0
        || PyObject_SetAttrString(external, "_bootstrap", bootstrap) < 0
        || PyObject_SetAttrString(bootstrap, "_bootstrap_external", external) < 0)
        return -1;
    PyObject *result = PyObject_CallMethod(external, "_install", "O", bootstrap);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Entries of sys.path that nobody could read so far may be zip files. */
static int forget_failures(void)
{
    PyObject *cache = NULL, *keys = NULL;
    int status = PySys_GetOptionalAttrString("path_importer_cache", &cache);
    if (status > 0)
        status = PyDict_Check(cache) && (keys = PyDict_Keys(cache)) != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && keys != NULL && i < PyList_GET_SIZE(keys); i++) {
        PyObject *value = PyDict_GetItemWithError(cache, PyList_GET_ITEM(keys, i));
        if (value == Py_None)
            status = PyDict_DelItem(cache, PyList_GET_ITEM(keys, i));
        else if (value == NULL && PyErr_Occurred())
            status = -1;
    }
    Py_XDECREF(keys);
    Py_XDECREF(cache);
    return status;
}

int import_install_zipimport(void)
{
    PyObject *zipimporter = _PyImport_GetModuleAttrString("zipimport", "zipimporter"), *path_hooks = NULL;
    if (zipimporter == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ImportError))
            return -1;
        PyErr_Clear();                  /* a library without it */
        return 0;
    }
    int status = PySys_GetOptionalAttrString("path_hooks", &path_hooks);
    if (status > 0)
        status = PyList_Insert(path_hooks, 0, zipimporter);
    Py_XDECREF(path_hooks);
    Py_DECREF(zipimporter);
    return status == 0 ? forget_failures() : status;
}
