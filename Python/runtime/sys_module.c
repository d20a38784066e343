/* The module sys: making it, and its C API. */
#include "config.h"
#include "importer.h"
#include "lifecycle.h"
#include "sys_internal.h"
#include "well_known_strings.h"

#include <unistd.h>

/* ---- Attributes from C ---- */

int sys_set_steal(PyObject *dict, const char *name, PyObject *value)
{
    int status = value != NULL ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

int PySys_GetOptionalAttr(PyObject *name, PyObject **value)
{
    *value = NULL;
    return runtime_interp.sysdict == NULL ? 0 : PyDict_GetItemRef(runtime_interp.sysdict, name, value);
}

int PySys_GetOptionalAttrString(const char *name, PyObject **value)
{
    *value = NULL;
    return runtime_interp.sysdict == NULL ? 0 : PyDict_GetItemStringRef(runtime_interp.sysdict, name, value);
}

PyObject *sys_object_ref(const char *name)
{
    PyObject *type, *error, *tb, *value = NULL;
    if (runtime_interp.sysdict == NULL)
        return NULL;
    PyErr_Fetch(&type, &error, &tb);
    if (PyDict_GetItemStringRef(runtime_interp.sysdict, name, &value) < 0)
        PyErr_Clear();
    PyErr_Restore(type, error, tb);
    return value;
}

PyObject *PySys_GetObject(const char *name)
{
    PyObject *value = sys_object_ref(name);
    Py_XDECREF(value);          /* sys holds it */
    return value;
}

PyObject *_PySys_GetAttr(PyThreadState *ts, PyObject *name)
{
    PyObject *value = NULL;
    (void)ts;
    PySys_GetOptionalAttr(name, &value);
    Py_XDECREF(value);
    return value;
}

int PySys_SetObject(const char *name, PyObject *value)
{
    PyObject *dict = runtime_interp.sysdict;
    if (dict == NULL)
        return -1;
    if (value != NULL)
        return PyDict_SetItemString(dict, name, value);
    int has = PyDict_ContainsString(dict, name);
    return has <= 0 ? has : PyDict_DelItemString(dict, name);
}

size_t _PySys_GetSizeOf(PyObject *op)
{
    PyObject *method = _PyObject_LookupSpecial(op, STR(__sizeof__)), *result = NULL;
    if (method == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __sizeof__", Py_TYPE(op)->tp_name);
        return (size_t)-1;
    }
    result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result == NULL)
        return (size_t)-1;
    Py_ssize_t size = PyLong_AsSsize_t(result);
    Py_DECREF(result);
    if (size == -1 && PyErr_Occurred())
        return (size_t)-1;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "__sizeof__() should return >= 0");
        return (size_t)-1;
    }
    return (size_t)size;
}

/* ---- Writing to the streams ---- */

static void write_text(const char *stream, FILE *fallback, PyObject *text, const char *raw)
{
    PyObject *type, *error, *tb, *file = NULL;
    PyErr_Fetch(&type, &error, &tb);
    if (PySys_GetOptionalAttrString(stream, &file) < 0)
        PyErr_Clear();
    if (raw == NULL && text != NULL)
        raw = PyUnicode_AsUTF8(text);
    if (file == NULL || file == Py_None || (text != NULL ? PyFile_WriteObject(text, file, Py_PRINT_RAW) : PyFile_WriteString(raw, file)) < 0) {
        PyErr_Clear();
        fputs(raw != NULL ? raw : "", fallback);
        fflush(fallback);
    }
    Py_XDECREF(file);
    PyErr_Restore(type, error, tb);
}

static void write_va(const char *stream, FILE *fallback, const char *format, va_list va)
{
    char buffer[1001];
    int n = vsnprintf(buffer, sizeof(buffer), format, va);
    write_text(stream, fallback, NULL, buffer);
    if (n < 0 || (size_t)n >= sizeof(buffer))
        write_text(stream, fallback, NULL, "... truncated");
}

#define WRITER(name, stream, fallback, call) \
    void name(const char *format, ...) \
    { \
        va_list va; \
        va_start(va, format); \
        call(stream, fallback, format, va); \
        va_end(va); \
    }

static void format_va(const char *stream, FILE *fallback, const char *format, va_list va)
{
    PyObject *text = PyUnicode_FromFormatV(format, va);
    if (text != NULL)
        write_text(stream, fallback, text, NULL);
    else
        PyErr_Clear();
    Py_XDECREF(text);
}

WRITER(PySys_WriteStdout, "stdout", stdout, write_va)
WRITER(PySys_WriteStderr, "stderr", stderr, write_va)
WRITER(PySys_FormatStdout, "stdout", stdout, format_va)
WRITER(PySys_FormatStderr, "stderr", stderr, format_va)

/* ---- Options ---- */

static PyObject *option_container(const char *name, PyTypeObject *type)
{
    PyObject *value = PySys_GetObject(name);
    if (value != NULL && Py_IS_TYPE(value, type))
        return value;
    value = PyObject_CallNoArgs((PyObject *)type);
    if (value != NULL) {
        PySys_SetObject(name, value);
        Py_DECREF(value);
    }
    return value;
}

void PySys_ResetWarnOptions(void)
{
    PyObject *list = PySys_GetObject("warnoptions");
    if (list != NULL && PyList_Check(list))
        PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
}

void PySys_AddWarnOptionUnicode(PyObject *option)
{
    PyObject *list = option_container("warnoptions", &PyList_Type);
    if (list != NULL && PyList_Append(list, option) < 0)
        PyErr_Clear();
}

void PySys_AddWarnOption(const wchar_t *option)
{
    PyObject *text = PyUnicode_FromWideChar(option, -1);
    if (text != NULL)
        PySys_AddWarnOptionUnicode(text);
    Py_XDECREF(text);
}

int PySys_HasWarnOptions(void)
{
    PyObject *list = PySys_GetObject("warnoptions");
    return list != NULL && PyList_Check(list) && PyList_GET_SIZE(list) > 0;
}

PyObject *PySys_GetXOptions(void) { return option_container("_xoptions", &PyDict_Type); }

void PySys_AddXOption(const wchar_t *option)
{
    PyObject *dict = PySys_GetXOptions(), *text = PyUnicode_FromWideChar(option, -1), *name = NULL, *value = NULL;
    if (dict == NULL || text == NULL)
        goto done;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), equals = PyUnicode_FindChar(text, '=', 0, length, 1);
    name = PyUnicode_Substring(text, 0, equals < 0 ? length : equals);
    value = equals < 0 ? Py_NewRef(Py_True) : PyUnicode_Substring(text, equals + 1, length);
    if (name != NULL && value != NULL)
        PyDict_SetItem(dict, name, value);
done:
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(name);
    Py_XDECREF(value);
}

void PySys_SetPath(const wchar_t *path)
{
    PyObject *list = PyList_New(0), *text = PyUnicode_FromWideChar(path, -1), *parts = NULL, *colon = PyUnicode_FromString(":");
    if (list != NULL && text != NULL && colon != NULL)
        parts = PyUnicode_Split(text, colon, -1);
    if (parts != NULL)
        PySys_SetObject("path", parts);
    Py_XDECREF(parts);
    Py_XDECREF(list);
    Py_XDECREF(text);
    Py_XDECREF(colon);
}

void PySys_SetArgvEx(int argc, wchar_t **argv, int update_path)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < (argc > 0 ? argc : 1); i++) {
        PyObject *text = argc > 0 ? PyUnicode_FromWideChar(argv[i], -1) : PyUnicode_FromString("");
        if (text == NULL || PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
    }
    if (list == NULL || PySys_SetObject("argv", list) < 0)
        Py_FatalError("can't assign sys.argv");
    Py_DECREF(list);
    PyObject *path = PySys_GetObject("path"), *first = PyUnicode_FromString("");
    if (update_path && path != NULL && PyList_Check(path) && first != NULL)
        PyList_Insert(path, 0, first);
    Py_XDECREF(first);
    PyErr_Clear();
}

void PySys_SetArgv(int argc, wchar_t **argv) { PySys_SetArgvEx(argc, argv, !runtime_interp.config.isolated); }

/* ---- The module ---- */

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sys",
    .m_doc = PyDoc_STR("What the interpreter knows of itself, and what programs may set in it."),
    .m_size = -1,
};

int sys_create(void)
{
    PyMethodDef *tables[] = {sys_function_methods, sys_thread_methods, sys_hook_methods, sys_trace_methods, sys_audit_methods};
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return -1;
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
    runtime_interp.sys_module = module;
    PyObject *dict = PyModule_GetDict(module);
    runtime_interp.sysdict = Py_NewRef(dict);
    object_publish(dict);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            return -1;
    static const char *const kept[] = {"displayhook", "excepthook", "breakpointhook", "unraisablehook"};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(kept); i++) {
        char name[32];
        PyObject *hook = PyDict_GetItemString(dict, kept[i]);
        snprintf(name, sizeof(name), "__%s__", kept[i]);
        if (hook == NULL || PyDict_SetItemString(dict, name, hook) < 0)
            return -1;
    }
    if (PyDict_SetItemString(dict, "modules", runtime_interp.modules) < 0 || _PyImport_SetModule(STR(sys), module) < 0)
        return -1;
    return sys_threads_init() < 0 ? -1 : sys_add_info(dict);
}

static PyObject *list_of(const string_list_t *strings)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < strings->count; i++) {
        PyObject *text = PyUnicode_DecodeFSDefault(strings->items[i]);
        if (text == NULL || PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

static PyObject *xoptions_dict(void)
{
    PyObject *dict = PyDict_New();
    for (int i = 0; dict != NULL && i < startup.xoptions.count; i++) {
        const char *option = startup.xoptions.items[i], *equals = strchr(option, '=');
        PyObject *name = PyUnicode_DecodeFSDefaultAndSize(option, equals != NULL ? equals - option : (Py_ssize_t)strlen(option));
        PyObject *value = equals != NULL ? PyUnicode_DecodeFSDefault(equals + 1) : Py_NewRef(Py_True);
        if (name == NULL || value == NULL || PyDict_SetItem(dict, name, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return dict;
}

/* What a path file says; else PYTHONPATH, our own library, our shared objects, the standard library. */
static PyObject *make_path(void)
{
    string_list_t list = {NULL, 0, 0};
    const char *p = startup.python_path;
    if (startup.has_path_file)
        return list_of(&startup.path_lines);
    while (p != NULL && *p) {
        size_t n = strcspn(p, ":");
        char *one = strndup(p, n);
        if (one != NULL)
            string_list_add(&list, one);
        free(one);
        p += n + (p[n] == ':');
    }
    string_list_add(&list, startup.own_library);
    string_list_add(&list, startup.shared_modules);
    string_list_add(&list, startup.stdlib);
    PyObject *path = list_of(&list);
    for (int i = 0; i < list.count; i++)
        free(list.items[i]);
    free(list.items);
    return path;
}

int sys_fill_from_config(void)
{
    PyObject *dict = runtime_interp.sysdict;
    string_list_t original = {startup.orig_argv, startup.orig_argc, 0};
    const char *platlibdir = config_getenv("PYTHONPLATLIBDIR");
    static const char *const prefixes[] = {"prefix", "exec_prefix", "base_prefix", "base_exec_prefix"};
    int status = 0;
#define SET(name, value) \
    do { \
        if (status == 0) \
            status = sys_set_steal(dict, (name), (value)); \
    } while (0)
    SET("argv", list_of(&startup.argv));
    SET("orig_argv", list_of(&original));
    SET("warnoptions", list_of(&startup.warnoptions));
    SET("_xoptions", xoptions_dict());
    SET("path", make_path());
    SET("meta_path", PyList_New(0));
    SET("path_hooks", PyList_New(0));
    SET("path_importer_cache", PyDict_New());
    SET("executable", PyUnicode_DecodeFSDefault(startup.executable));
    SET("_base_executable", PyUnicode_DecodeFSDefault(startup.executable));
    for (size_t i = 0; i < Py_ARRAY_LENGTH(prefixes); i++)
        SET(prefixes[i], PyUnicode_DecodeFSDefault(startup.prefix));
    SET("platlibdir", PyUnicode_DecodeFSDefault(platlibdir != NULL ? platlibdir : "lib"));
    SET("_stdlib_dir", PyUnicode_DecodeFSDefault(startup.stdlib));
    SET("pycache_prefix", startup.pycache_prefix != NULL ? PyUnicode_DecodeFSDefault(startup.pycache_prefix) : Py_NewRef(Py_None));
    SET("dont_write_bytecode", PyBool_FromLong(!runtime_interp.config.write_bytecode));
#undef SET
    return status;
}
