/* The pyexpat module itself, and its submodules errors and model. */
#include "pyexpat_internal.h"

PyObject *expat_error;

/* An argument that is a str (its UTF-8 form) or None. */
static int get_text(const char *name, PyObject *arg, const char **text)
{
    if (arg == Py_None)
        return 0;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "ParserCreate() argument '%s' must be str or None, not %.200s", name, Py_TYPE(arg)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    *text = PyUnicode_AsUTF8AndSize(arg, &n);
    if (*text != NULL && strlen(*text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        *text = NULL;
    }
    return *text == NULL ? -1 : 0;
}

static PyObject *pyexpat_parser_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"encoding", "namespace_separator", "intern", NULL};
    const char *encoding = NULL, *separator = NULL;
    PyObject *intern = NULL, *own = NULL, *encoding_arg = Py_None, *separator_arg = Py_None, *result;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:ParserCreate", keywords, &encoding_arg, &separator_arg, &intern)
        || get_text("encoding", encoding_arg, &encoding) < 0 || get_text("namespace_separator", separator_arg, &separator) < 0)
        return NULL;
    if (separator != NULL && strlen(separator) > 1) {
        PyErr_SetString(PyExc_ValueError, "namespace_separator must be at most one character, omitted, or None");
        return NULL;
    }
    if (intern == Py_None)
        intern = NULL;
    else if (intern == NULL)
        intern = own = PyDict_New();
    else if (!PyDict_Check(intern)) {
        PyErr_SetString(PyExc_TypeError, "intern must be a dictionary");
        return NULL;
    }
    result = intern == NULL && PyErr_Occurred() ? NULL : parser_new(encoding, separator, intern);
    Py_XDECREF(own);
    return result;
}

static PyObject *pyexpat_error_string(PyObject *module, PyObject *args)
{
    long code;
    if (!PyArg_ParseTuple(args, "l:ErrorString", &code))
        return NULL;
    const char *text = XML_ErrorString((enum XML_Error)code);
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
}

/* ---- Constants ---- */

typedef struct { const char *name; int value; } constant_t;

#define ERROR(name) {#name, name}
static const constant_t errors[] = {
    ERROR(XML_ERROR_NO_MEMORY), ERROR(XML_ERROR_SYNTAX), ERROR(XML_ERROR_NO_ELEMENTS), ERROR(XML_ERROR_INVALID_TOKEN),
    ERROR(XML_ERROR_UNCLOSED_TOKEN), ERROR(XML_ERROR_PARTIAL_CHAR), ERROR(XML_ERROR_TAG_MISMATCH),
    ERROR(XML_ERROR_DUPLICATE_ATTRIBUTE), ERROR(XML_ERROR_JUNK_AFTER_DOC_ELEMENT), ERROR(XML_ERROR_PARAM_ENTITY_REF),
    ERROR(XML_ERROR_UNDEFINED_ENTITY), ERROR(XML_ERROR_RECURSIVE_ENTITY_REF), ERROR(XML_ERROR_ASYNC_ENTITY),
    ERROR(XML_ERROR_BAD_CHAR_REF), ERROR(XML_ERROR_BINARY_ENTITY_REF), ERROR(XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF),
    ERROR(XML_ERROR_MISPLACED_XML_PI), ERROR(XML_ERROR_UNKNOWN_ENCODING), ERROR(XML_ERROR_INCORRECT_ENCODING),
    ERROR(XML_ERROR_UNCLOSED_CDATA_SECTION), ERROR(XML_ERROR_EXTERNAL_ENTITY_HANDLING), ERROR(XML_ERROR_NOT_STANDALONE),
    ERROR(XML_ERROR_UNEXPECTED_STATE), ERROR(XML_ERROR_ENTITY_DECLARED_IN_PE), ERROR(XML_ERROR_FEATURE_REQUIRES_XML_DTD),
    ERROR(XML_ERROR_CANT_CHANGE_FEATURE_ONCE_PARSING), ERROR(XML_ERROR_UNBOUND_PREFIX), ERROR(XML_ERROR_UNDECLARING_PREFIX),
    ERROR(XML_ERROR_INCOMPLETE_PE), ERROR(XML_ERROR_XML_DECL), ERROR(XML_ERROR_TEXT_DECL), ERROR(XML_ERROR_PUBLICID),
    ERROR(XML_ERROR_SUSPENDED), ERROR(XML_ERROR_NOT_SUSPENDED), ERROR(XML_ERROR_ABORTED), ERROR(XML_ERROR_FINISHED),
    ERROR(XML_ERROR_SUSPEND_PE), ERROR(XML_ERROR_RESERVED_PREFIX_XML), ERROR(XML_ERROR_RESERVED_PREFIX_XMLNS),
    ERROR(XML_ERROR_RESERVED_NAMESPACE_URI), ERROR(XML_ERROR_INVALID_ARGUMENT), ERROR(XML_ERROR_NO_BUFFER),
    ERROR(XML_ERROR_AMPLIFICATION_LIMIT_BREACH), {NULL, 0},
};
static const constant_t model[] = {
    {"XML_CTYPE_EMPTY", XML_CTYPE_EMPTY}, {"XML_CTYPE_ANY", XML_CTYPE_ANY}, {"XML_CTYPE_MIXED", XML_CTYPE_MIXED},
    {"XML_CTYPE_NAME", XML_CTYPE_NAME}, {"XML_CTYPE_CHOICE", XML_CTYPE_CHOICE}, {"XML_CTYPE_SEQ", XML_CTYPE_SEQ},
    {"XML_CQUANT_NONE", XML_CQUANT_NONE}, {"XML_CQUANT_OPT", XML_CQUANT_OPT}, {"XML_CQUANT_REP", XML_CQUANT_REP},
    {"XML_CQUANT_PLUS", XML_CQUANT_PLUS}, {NULL, 0},
};

/* The texts under the names, and dicts from text to number and back. */
static int add_errors(PyObject *module)
{
    PyObject *codes = PyDict_New(), *messages = PyDict_New();
    int failed = codes == NULL || messages == NULL;
    for (const constant_t *c = errors; c->name != NULL && !failed; c++) {
        PyObject *text = PyUnicode_FromString(XML_ErrorString((enum XML_Error)c->value)), *number = PyLong_FromLong(c->value);
        failed = text == NULL || PyModule_AddObjectRef(module, c->name, text) < 0 || PyDict_SetItem(codes, text, number) < 0
                 || PyDict_SetItem(messages, number, text) < 0;
        Py_XDECREF(text);
    }
    if (!failed)
        failed = PyModule_AddObjectRef(module, "codes", codes) < 0 || PyModule_AddObjectRef(module, "messages", messages) < 0;
    Py_XDECREF(codes);
    Py_XDECREF(messages);
    return failed ? -1 : 0;
}

static int add_model(PyObject *module)
{
    for (const constant_t *c = model; c->name != NULL; c++)
        if (PyModule_AddIntConstant(module, c->name, c->value) < 0)
            return -1;
    return 0;
}

static int add_submodule(PyObject *module, const char *full_name, const char *name, const char *doc, int (*fill)(PyObject *))
{
    PyObject *submodule = PyImport_AddModuleRef(full_name);
    if (submodule == NULL)
        return -1;
    int failed = PyModule_SetDocString(submodule, doc) < 0 || fill(submodule) < 0
                 || PyModule_AddObjectRef(module, name, submodule) < 0;
    Py_DECREF(submodule);
    return failed ? -1 : 0;
}

/* Features that expat was built with: a list of (name, value). */
static PyObject *features(void)
{
    PyObject *list = PyList_New(0);
    for (const XML_Feature *f = XML_GetFeatureList(); list != NULL && f->feature != XML_FEATURE_END; f++) {
        PyObject *pair = Py_BuildValue("(sl)", f->name, f->value);
        if (pair == NULL || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static int pyexpat_exec(PyObject *module)
{
    XML_Expat_Version version = XML_ExpatVersionInfo();
    if (PyType_Ready(&parser_type) < 0)
        return -1;
    if (expat_error == NULL && (expat_error = PyErr_NewException("xml.parsers.expat.ExpatError", NULL, NULL)) == NULL)
        return -1;
    if (PyModule_AddObjectRef(module, "error", expat_error) < 0 || PyModule_AddObjectRef(module, "ExpatError", expat_error) < 0
        || PyModule_AddObjectRef(module, "XMLParserType", (PyObject *)&parser_type) < 0
        || PyModule_AddStringConstant(module, "EXPAT_VERSION", XML_ExpatVersion()) < 0
        || PyModule_Add(module, "version_info", Py_BuildValue("(iii)", version.major, version.minor, version.micro)) < 0
        || PyModule_AddStringConstant(module, "native_encoding", "UTF-8") < 0 || PyModule_Add(module, "features", features()) < 0
        || PyModule_AddIntMacro(module, XML_PARAM_ENTITY_PARSING_NEVER) < 0
        || PyModule_AddIntMacro(module, XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE) < 0
        || PyModule_AddIntMacro(module, XML_PARAM_ENTITY_PARSING_ALWAYS) < 0)
        return -1;
    return add_submodule(module, "pyexpat.errors", "errors", "Constants used to describe error conditions.", add_errors) < 0
                   || add_submodule(module, "pyexpat.model", "model", "Constants used to interpret content model information.",
                                    add_model) < 0
               ? -1
               : 0;
}

static PyMethodDef pyexpat_methods[] = {
    MODULE_METHOD("ParserCreate", pyexpat_parser_create, METH_VARARGS | METH_KEYWORDS,
                  "ParserCreate($module, /, encoding=None, namespace_separator=None,\n             intern=<unrepresentable>)\n--\n\n"
                  "A new XML parser."),
    {"ErrorString", pyexpat_error_string, METH_VARARGS, "ErrorString($module, code, /)\n--\n\nThe text for an error number."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot pyexpat_slots[] = {
    {Py_mod_exec, (void *)pyexpat_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef pyexpat_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pyexpat",
    .m_doc = "XML parsers of the expat library.",
    .m_methods = pyexpat_methods,
    .m_slots = pyexpat_slots,
};

PyMODINIT_FUNC PyInit_pyexpat(void)
{
    return PyModuleDef_Init(&pyexpat_module);
}
