/* The _testinternalcapi module: what tests ask about the inside of the interpreter.
 *
 * Only what has a meaning here: objects have no header of the collector in front of them, so its size is 0; the
 * configuration is what sys.flags says. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <stdlib.h>

/* The number of Python frames on this thread's stack. */
static PyObject *internal_recursion_depth(PyObject *module, PyObject *unused)
{
    Py_ssize_t depth = 0;
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    while (frame != NULL) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
        depth++;
    }
    return PyErr_Occurred() ? NULL : PyLong_FromSsize_t(depth);
}

/* Copies the value of sys.flags.name to the dict under key. 0, or -1. */
static int copy_flag(PyObject *config, const char *key, PyObject *flags, const char *name)
{
    PyObject *value = PyObject_GetAttrString(flags, name);
    int status = value != NULL ? PyDict_SetItemString(config, key, value) : -1;
    Py_XDECREF(value);
    return status;
}

/* Has the compiler not been told to leave columns out? */
static int keeps_columns(PyObject *flags)
{
    PyObject *options = PySys_GetXOptions();
    if (options != NULL && PyDict_GetItemString(options, "no_debug_ranges") != NULL)
        return 0;
    PyObject *ignored = PyObject_GetAttrString(flags, "ignore_environment");
    int use_environment = ignored != NULL && PyObject_IsTrue(ignored) == 0;
    Py_XDECREF(ignored);
    PyErr_Clear();
    const char *variable = use_environment ? getenv("PYTHONNODEBUGRANGES") : NULL;
    return variable == NULL || *variable == '\0';
}

static PyObject *internal_get_config(PyObject *module, PyObject *unused)
{
    static const char *const names[][2] = {
        {"isolated", "isolated"},           {"dev_mode", "dev_mode"},
        {"interactive", "interactive"},     {"optimization_level", "optimize"},
        {"inspect", "inspect"},             {"verbose", "verbose"},
        {"quiet", "quiet"},                 {"bytes_warning", "bytes_warning"},
        {"safe_path", "safe_path"},         {"warn_default_encoding", "warn_default_encoding"},
    };
    PyObject *flags = PySys_GetObject("flags");
    if (flags == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.flags");
        return NULL;
    }
    Py_INCREF(flags);
    PyObject *config = PyDict_New();
    int status = config != NULL ? 0 : -1;
    for (size_t i = 0; status == 0 && i < Py_ARRAY_LENGTH(names); i++)
        status = copy_flag(config, names[i][0], flags, names[i][1]);
    if (status == 0)
        status = PyDict_SetItemString(config, "code_debug_ranges", keeps_columns(flags) ? Py_True : Py_False);
    Py_DECREF(flags);
    if (status < 0)
        Py_CLEAR(config);
    return config;
}

/* ---- Text of the locale, which is UTF-8 always ---- */

static int knows_handler(const char *errors)
{
    static const char *const handlers[] = {"strict", "surrogateescape", "surrogatepass"};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(handlers); i++)
        if (errors == NULL || strcmp(errors, handlers[i]) == 0)
            return 1;
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
    return 0;
}

/* Turns the UnicodeError that is set to a RuntimeError which tells where it was and why. */
static void retell_error(const char *what, PyObject *kind)
{
    if (!PyErr_ExceptionMatches(kind))
        return;
    PyObject *error = PyErr_GetRaisedException();
    PyObject *start = PyObject_GetAttrString(error, "start"), *reason = PyObject_GetAttrString(error, "reason");
    if (start != NULL && reason != NULL)
        PyErr_Format(PyExc_RuntimeError, "%s error: pos=%S, reason=%S", what, start, reason);
    Py_XDECREF(start);
    Py_XDECREF(reason);
    Py_DECREF(error);
}

static PyObject *internal_encode_locale(PyObject *module, PyObject *args)
{
    PyObject *text;
    int current_locale = 0;
    const char *errors = NULL;
    if (!PyArg_ParseTuple(args, "U|is:EncodeLocaleEx", &text, &current_locale, &errors) || !knows_handler(errors))
        return NULL;
    PyObject *bytes = PyUnicode_EncodeLocale(text, errors);
    if (bytes == NULL)
        retell_error("encode", PyExc_UnicodeEncodeError);
    return bytes;
}

static PyObject *internal_decode_locale(PyObject *module, PyObject *args)
{
    const char *bytes, *errors = NULL;
    Py_ssize_t size;
    int current_locale = 0;
    if (!PyArg_ParseTuple(args, "y#|is:DecodeLocaleEx", &bytes, &size, &current_locale, &errors) || !knows_handler(errors))
        return NULL;
    PyObject *text = PyUnicode_DecodeLocaleAndSize(bytes, size, errors);
    if (text == NULL)
        retell_error("decode", PyExc_UnicodeDecodeError);
    return text;
}

static PyMethodDef internal_methods[] = {
    {"get_recursion_depth", internal_recursion_depth, METH_NOARGS, "The number of frames on the stack."},
    {"get_config", internal_get_config, METH_NOARGS, "The configuration, as far as sys.flags tells it."},
    {"EncodeLocaleEx", internal_encode_locale, METH_VARARGS, "EncodeLocaleEx(text, current_locale=0, errors='strict') -> bytes"},
    {"DecodeLocaleEx", internal_decode_locale, METH_VARARGS, "DecodeLocaleEx(bytes, current_locale=0, errors='strict') -> str"},
    {NULL},
};

static int internal_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "SIZEOF_PYGC_HEAD", 0);
}

static PyModuleDef_Slot internal_slots[] = {
    {Py_mod_exec, (void *)internal_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef internal_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testinternalcapi",
    .m_doc = "Questions about the inside of the interpreter, for tests.",
    .m_methods = internal_methods,
    .m_slots = internal_slots,
};

PyMODINIT_FUNC PyInit__testinternalcapi(void)
{
    return PyModuleDef_Init(&internal_module);
}
