/* The _elementtree module itself. */
#include "elementtree.h"

PyObject *parse_error;

static PyObject *elementtree_subelement(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *parent, *tag, *base = NULL;
    int failed;
    if (!PyArg_ParseTuple(args, "O!O|O!:SubElement", &element_type, &parent, &tag, &PyDict_Type, &base))
        return NULL;
    PyObject *attrib = element_parse_attributes(base, kwargs, &failed), *element = NULL;
    if (!failed)
        element = element_new(tag, attrib);
    Py_XDECREF(attrib);
    if (element != NULL && element_append_child(parent, element) < 0)
        Py_CLEAR(element);
    return element;
}

static int check_factory(const char *what, PyObject *factory)
{
    if (factory == Py_None || PyCallable_Check(factory))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s factory must be callable, not %.500s", what, Py_TYPE(factory)->tp_name);
    return -1;
}

static PyObject *elementtree_set_factories(PyObject *module, PyObject *args)
{
    PyObject *comment, *pi, *old_comment = NULL, *old_pi = NULL, *result = NULL;
    if (!PyArg_UnpackTuple(args, "_set_factories", 2, 2, &comment, &pi) ||
        check_factory("Comment", comment) < 0 || check_factory("PI", pi) < 0)
        return NULL;
    if (builder_set_default_factory("comment", comment, &old_comment) == 0 &&
        builder_set_default_factory("pi", pi, &old_pi) == 0)
        result =
            PyTuple_Pack(2, old_comment != NULL ? old_comment : Py_None, old_pi != NULL ? old_pi : Py_None);
    Py_XDECREF(old_comment);
    Py_XDECREF(old_pi);
    return result;
}

static PyMethodDef elementtree_functions[] = {
    MODULE_METHOD("SubElement", elementtree_subelement, METH_VARARGS | METH_KEYWORDS, NULL),
    {"_set_factories", elementtree_set_factories, METH_VARARGS,
     "_set_factories($module, comment_factory, pi_factory, /)\n--\n\n"
     "Sets what makes comments and processing instructions in builders that are not told; the old ones."},
    {NULL, NULL, 0, NULL},
};

static const struct {
    const char *name;
    PyTypeObject *type;
} types[] = {
    {"Element", &element_type},
    {"TreeBuilder", &builder_type},
    {"XMLParser", &parser_type},
    {NULL, NULL},
};

static int elementtree_exec(PyObject *module)
{
    PyObject *old[2] = {NULL, NULL};
    if (PyType_Ready(&element_iterator_type) < 0)
        return -1;
    for (int i = 0; types[i].name != NULL; i++)
        if (PyType_Ready(types[i].type) < 0 ||
            PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0)
            return -1;
    int failed = builder_set_default_factory("comment", Py_None, &old[0]) < 0 ||
                 builder_set_default_factory("pi", Py_None, &old[1]) < 0;
    Py_XDECREF(old[0]);
    Py_XDECREF(old[1]);
    if (failed)
        return -1;
    if (parse_error == NULL && (parse_error = PyErr_NewException("xml.etree.ElementTree.ParseError",
                                                                 PyExc_SyntaxError, NULL)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "ParseError", parse_error);
}

static PyModuleDef_Slot elementtree_slots[] = {
    {Py_mod_exec, (void *)elementtree_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef elementtree_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_elementtree",
    .m_methods = elementtree_functions,
    .m_slots = elementtree_slots,
};

PyMODINIT_FUNC PyInit__elementtree(void)
{
    return PyModuleDef_Init(&elementtree_module);
}
