/* Bringing importlib up from its source in the standard library. */
#include "importer.h"
#include "builtins.h"
#include "config.h"
#include "opcode.h"
#include "well_known_strings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* To be raised when the meaning of instructions or the layout of marshalled code changes. */
#define BYTECODE_REVISION 1

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

/* A whole file. New bytes, or NULL with OSError. */
static PyObject *read_file(const char *path)
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

/* Executes importlib/<file> of the standard library as the module `name`. New reference. */
static PyObject *run_bootstrap(const char *name, const char *file)
{
    char path[4096], filename[64];
    snprintf(path, sizeof(path), "%s/importlib/%s.py", config_stdlib(), file);
    snprintf(filename, sizeof(filename), "<frozen importlib.%s>", file);
    PyObject *source = read_file(path), *module = NULL, *code = NULL, *str = PyUnicode_FromString(filename);
    PyCompilerFlags flags = {PyCF_SOURCE_IS_UTF8 | PyCF_IGNORE_COOKIE, PY_MINOR_VERSION};
    if (source == NULL || str == NULL)
        goto done;
    code = compile_source(PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), str, Py_file_input, &flags, 0);
    if (code == NULL)
        goto done;
    module = PyImport_AddModuleRef(name);
    if (module == NULL)
        goto done;
    PyObject *dict = PyModule_GetDict(module);
    PyObject *result = NULL;
    if (PyDict_SetItem(dict, STR(__builtins__), runtime_interp.builtins) == 0)
        result = PyEval_EvalCode(code, dict, dict);
    if (result == NULL)
        Py_CLEAR(module);
    Py_XDECREF(result);
done:
    Py_XDECREF(source);
    Py_XDECREF(str);
    Py_XDECREF(code);
    return module;
}

int import_bootstrap(void)
{
    PyObject *imp = NULL, *result = NULL;
    PyObject *bootstrap = run_bootstrap("_frozen_importlib", "_bootstrap");
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

int import_bootstrap_external(void)
{
    PyObject *external = run_bootstrap("_frozen_importlib_external", "_bootstrap_external"), *bootstrap = runtime_interp.importlib;
    if (external == NULL)
        return -1;
    runtime_interp.importlib_external = external;       /* kept */
    if (set_magic(external) < 0 || PyObject_SetAttrString(external, "_bootstrap", bootstrap) < 0
        || PyObject_SetAttrString(bootstrap, "_bootstrap_external", external) < 0)
        return -1;
    PyObject *result = PyObject_CallMethod(external, "_install", "O", bootstrap);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}
