/* Searching children: by a plain tag here, by a path in ElementPath. */
#include "elementtree.h"

/* May path be more than the tag of a child? What is in braces, the namespace, counts only if it stands for
 * any. */
static int is_path(PyObject *path)
{
    if (!PyUnicode_Check(path))
        return 1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(path);
    int in_braces = 0;
    if (n >= 2 && PyUnicode_READ_CHAR(path, 0) == '{' && PyUnicode_READ_CHAR(path, 1) == '}')
        return 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(path, i);
        if (c == '{' || c == '}')
            in_braces = c == '{';
        else if (c == '*' || (!in_braces && (c == '/' || c == '[' || c == '@' || c == '.')))
            return 1;
    }
    return 0;
}

/* Calls a function of ElementPath. */
static PyObject *search(const char *function, PyObject *args)
{
    PyObject *module = PyImport_ImportModule("xml.etree.ElementPath"), *callable = NULL, *result = NULL;
    if (module != NULL)
        callable = PyObject_GetAttrString(module, function);
    if (callable != NULL)
        result = PyObject_CallObject(callable, args);
    Py_XDECREF(module);
    Py_XDECREF(callable);
    return result;
}

/* The same with these arguments (stolen; NULL: failed already). */
static PyObject *search_steal(const char *function, PyObject *args)
{
    PyObject *result = args != NULL ? search(function, args) : NULL;
    Py_XDECREF(args);
    return result;
}

/* Has the child this tag? 1, 0 or -1. */
static int has_tag(PyObject *child, PyObject *tag)
{
    PyObject *own = field_get(child, &ELEMENT(child)->tag);
    int same = own == tag ? 1 : PyObject_RichCompareBool(own, tag, Py_EQ);
    Py_DECREF(own);
    return same;
}

/* The next child with this tag from *index on, or NULL. */
static PyObject *next_with_tag(PyObject *op, PyObject *tag, Py_ssize_t *index)
{
    PyObject *child;
    while ((child = element_get_child(op, (*index)++)) != NULL) {
        int same = IS_ELEMENT(child) ? has_tag(child, tag) : 0;
        if (same > 0)
            return child;
        Py_DECREF(child);
        if (same < 0)
            return NULL;
    }
    return NULL;
}

PyObject *element_find(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"path", "namespaces", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|O:find"};
    PyObject *path, *namespaces = Py_None;
    Py_ssize_t index = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &path, &namespaces))
        return NULL;
    if (namespaces != Py_None || is_path(path))
        return search_steal("find", PyTuple_Pack(3, op, path, namespaces));
    PyObject *child = next_with_tag(op, path, &index);
    return child != NULL || PyErr_Occurred() ? child : Py_NewRef(Py_None);
}

PyObject *element_findtext(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"path", "default", "namespaces", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|OO:findtext"};
    PyObject *path, *fallback = Py_None, *namespaces = Py_None;
    Py_ssize_t index = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &path, &fallback, &namespaces))
        return NULL;
    if (namespaces != Py_None || is_path(path))
        return search_steal("findtext", PyTuple_Pack(4, op, path, fallback, namespaces));
    PyObject *child = next_with_tag(op, path, &index);
    if (child == NULL)
        return PyErr_Occurred() ? NULL : Py_NewRef(fallback);
    PyObject *text = field_get(child, &ELEMENT(child)->text);
    Py_DECREF(child);
    if (text != Py_None)
        return text;
    Py_DECREF(text);
    return PyUnicode_FromStringAndSize(NULL, 0);
}

PyObject *element_findall(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"path", "namespaces", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|O:findall"};
    PyObject *path, *namespaces = Py_None, *child;
    Py_ssize_t index = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &path, &namespaces))
        return NULL;
    if (namespaces != Py_None || is_path(path))
        return search_steal("findall", PyTuple_Pack(3, op, path, namespaces));
    PyObject *list = PyList_New(0);
    while (list != NULL && (child = next_with_tag(op, path, &index)) != NULL) {
        if (PyList_Append(list, child) < 0)
            Py_CLEAR(list);
        Py_DECREF(child);
    }
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

PyObject *element_iterfind(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"path", "namespaces", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|O:iterfind"};
    PyObject *path, *namespaces = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &path, &namespaces))
        return NULL;
    return search_steal("iterfind", PyTuple_Pack(3, op, path, namespaces));
}
