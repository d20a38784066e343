/* Elements as lists of their children. The list inside does the work; here the children are checked. */
#include "elementtree.h"

int element_check(PyObject *child)
{
    if (IS_ELEMENT(child))
        return 0;
    PyErr_Format(PyExc_TypeError, "expected an Element, not \"%.200s\"", Py_TYPE(child)->tp_name);
    return -1;
}

static int check_argument(const char *name, PyObject *child)
{
    if (IS_ELEMENT(child))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s must be xml.etree.ElementTree.Element, not %.50s", name,
                 child == Py_None ? "None" : Py_TYPE(child)->tp_name);
    return -1;
}

/* The list; NULL if there is none yet. */
static PyObject *get_list(PyObject *op)
{
    return field_get(op, &ELEMENT(op)->children);
}

/* The list, made if there is none. */
static PyObject *need_list(PyObject *op)
{
    PyObject *list = get_list(op);
    if (list == NULL && (list = PyList_New(0)) != NULL)
        list = field_default_steal(op, &ELEMENT(op)->children, list);
    return list;
}

int element_append_child(PyObject *op, PyObject *child)
{
    PyObject *list = need_list(op);
    int failed = list == NULL || PyList_Append(list, child) < 0;
    Py_XDECREF(list);
    return failed ? -1 : 0;
}

PyObject *element_get_child(PyObject *op, Py_ssize_t index)
{
    PyObject *list = get_list(op), *child = NULL;
    if (list == NULL)
        return NULL;
    if (index < PyList_GET_SIZE(list) && (child = PyList_GetItemRef(list, index)) == NULL)
        PyErr_Clear(); /* it has become shorter */
    Py_DECREF(list);
    return child;
}

/* ---- Methods ---- */

PyObject *element_append(PyObject *op, PyObject *child)
{
    return check_argument("append() argument", child) < 0 || element_append_child(op, child) < 0
               ? NULL
               : Py_NewRef(Py_None);
}

/* The elements of a sequence as a list of our own. */
static PyObject *checked_list(PyObject *elements)
{
    PyObject *list;
    if (!PySequence_Check(elements) && Py_TYPE(elements)->tp_iter == NULL) {
        PyErr_Format(PyExc_TypeError, "expected sequence, not \"%.200s\"", Py_TYPE(elements)->tp_name);
        return NULL;
    }
    list = PySequence_List(elements);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++)
        if (element_check(PyList_GET_ITEM(list, i)) < 0)
            Py_CLEAR(list);
    return list;
}

PyObject *element_extend(PyObject *op, PyObject *elements)
{
    PyObject *more = checked_list(elements), *list = NULL;
    int failed = more == NULL;
    if (!failed && PyList_GET_SIZE(more) > 0)
        failed =
            (list = need_list(op)) == NULL || PyList_SetSlice(list, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, more) < 0;
    Py_XDECREF(more);
    Py_XDECREF(list);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyObject *element_insert(PyObject *op, PyObject *args)
{
    PyObject *child, *where, *list;
    Py_ssize_t index;
    if (!PyArg_UnpackTuple(args, "insert", 2, 2, &where, &child) ||
        !PyArg_ParseTuple(args, "nO:insert", &index, &child) ||
        check_argument("insert() argument 2", child) < 0 || (list = need_list(op)) == NULL)
        return NULL;
    if (index < 0 && (index += PyList_GET_SIZE(list)) < 0)
        index = 0;
    int failed = PyList_Insert(list, index, child);
    Py_DECREF(list);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyObject *element_remove(PyObject *op, PyObject *child)
{
    PyObject *list, *result;
    if (check_argument("remove() argument", child) < 0)
        return NULL;
    if ((list = get_list(op)) == NULL) {
        PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
        return NULL;
    }
    result = PyObject_CallMethod(list, "remove", "O", child);
    Py_DECREF(list);
    return result;
}

/* ---- Length, items and slices ---- */

static Py_ssize_t element_length(PyObject *op)
{
    PyObject *list = get_list(op);
    Py_ssize_t n = list != NULL ? PyList_GET_SIZE(list) : 0;
    Py_XDECREF(list);
    return n;
}

static PyObject *element_item(PyObject *op, Py_ssize_t index)
{
    PyObject *child = index >= 0 ? element_get_child(op, index) : NULL;
    if (child == NULL)
        PyErr_SetString(PyExc_IndexError, "child index out of range");
    return child;
}

/* Replaces the child, or removes it (NULL). */
static int element_ass_item(PyObject *op, Py_ssize_t index, PyObject *child)
{
    if (child != NULL && element_check(child) < 0)
        return -1;
    PyObject *list = get_list(op), *number;
    if (list == NULL || index < 0 || index >= PyList_GET_SIZE(list)) {
        PyErr_SetString(PyExc_IndexError, "child assignment index out of range");
        Py_XDECREF(list);
        return -1;
    }
    int failed = -1;
    if ((number = PyLong_FromSsize_t(index)) != NULL)
        failed = child != NULL ? PyObject_SetItem(list, number, child) : PyObject_DelItem(list, number);
    Py_XDECREF(number);
    Py_DECREF(list);
    return failed;
}

/* The index that key stands for. -1 with an exception. */
static int get_index(PyObject *op, PyObject *key, Py_ssize_t *index)
{
    *index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (*index == -1 && PyErr_Occurred())
        return -1;
    if (*index < 0)
        *index += element_length(op);
    return 0;
}

static PyObject *element_subscript(PyObject *op, PyObject *key)
{
    Py_ssize_t index;
    if (PyIndex_Check(key))
        return get_index(op, key, &index) < 0 ? NULL : element_item(op, index);
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "element indices must be integers");
        return NULL;
    }
    PyObject *list = need_list(op), *result;
    if (list == NULL)
        return NULL;
    result = PyObject_GetItem(list, key);
    Py_DECREF(list);
    return result;
}

static int assign_slice(PyObject *op, PyObject *slice, PyObject *value)
{
    PyObject *list, *elements = value != NULL ? checked_list(value) : NULL;
    int failed = -1;
    if (value != NULL && elements == NULL)
        return -1;
    if ((list = need_list(op)) != NULL)
        failed = elements != NULL ? PyObject_SetItem(list, slice, elements) : PyObject_DelItem(list, slice);
    Py_XDECREF(list);
    Py_XDECREF(elements);
    return failed;
}

static int element_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    Py_ssize_t index;
    if (PyIndex_Check(key))
        return get_index(op, key, &index) < 0 ? -1 : element_ass_item(op, index, value);
    if (PySlice_Check(key))
        return assign_slice(op, key, value);
    PyErr_SetString(PyExc_TypeError, "element indices must be integers");
    return -1;
}

PyMappingMethods element_mapping = {
    .mp_length = element_length,
    .mp_subscript = element_subscript,
    .mp_ass_subscript = element_ass_subscript,
};

PySequenceMethods element_sequence = {
    .sq_length = element_length,
    .sq_item = element_item,
    .sq_ass_item = element_ass_item,
};
