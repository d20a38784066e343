/* Elements: making them, their attributes, copies and pickles. */
#include "elementtree.h"

/* ---- Making ---- */

static PyObject *element_alloc(PyTypeObject *type)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op == NULL)
        return NULL;
    ELEMENT(op)->tag = Py_NewRef(Py_None);
    ELEMENT(op)->text = Py_NewRef(Py_None);
    ELEMENT(op)->tail = Py_NewRef(Py_None);
    return op;
}

static PyObject *element_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return element_alloc(type);
}

PyObject *element_new(PyObject *tag, PyObject *attrib)
{
    PyObject *op = element_alloc(&element_type);
    if (op != NULL) {
        Py_SETREF(ELEMENT(op)->tag, Py_NewRef(tag));
        ELEMENT(op)->attrib = Py_XNewRef(attrib);
    }
    return op;
}

PyObject *element_merge_attributes(PyObject *base, PyObject *more)
{
    if ((base == NULL || PyDict_GET_SIZE(base) == 0) && (more == NULL || PyDict_GET_SIZE(more) == 0))
        return NULL;
    PyObject *attrib = base != NULL ? PyDict_Copy(base) : PyDict_New();
    if (attrib != NULL && more != NULL && PyDict_Update(attrib, more) < 0)
        Py_CLEAR(attrib);
    return attrib;
}

PyObject *element_parse_attributes(PyObject *base, PyObject *kwargs, int *failed)
{
    PyObject *more = kwargs != NULL ? PyDict_Copy(kwargs) : NULL, *given = NULL, *attrib = NULL;
    if (kwargs != NULL && more == NULL)
        goto done;
    if (base == NULL && more != NULL) {
        if (PyDict_GetItemStringRef(more, "attrib", &given) < 0)
            goto done;
        if (given != NULL && !PyDict_Check(given)) {
            PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.100s", Py_TYPE(given)->tp_name);
            goto done;
        }
        if (given != NULL && PyDict_DelItemString(more, "attrib") < 0)
            goto done;
        base = given;
    }
    attrib = element_merge_attributes(base, more);
done:
    Py_XDECREF(more);
    Py_XDECREF(given);
    *failed = attrib == NULL && PyErr_Occurred();
    return attrib;
}

static int element_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *tag, *base = NULL;
    int failed;
    if (!PyArg_ParseTuple(args, "O|O!:Element", &tag, &PyDict_Type, &base))
        return -1;
    PyObject *attrib = element_parse_attributes(base, kwargs, &failed);
    if (failed)
        return -1;
    field_set_steal(op, &ELEMENT(op)->tag, Py_NewRef(tag));
    field_set_steal(op, &ELEMENT(op)->attrib, attrib);
    field_set_steal(op, &ELEMENT(op)->text, Py_NewRef(Py_None));
    field_set_steal(op, &ELEMENT(op)->tail, Py_NewRef(Py_None));
    return 0;
}

static PyObject *element_makeelement(PyObject *op, PyObject *args)
{
    PyObject *tag, *attrib;
    if (!PyArg_UnpackTuple(args, "makeelement", 2, 2, &tag, &attrib) ||
        !PyArg_ParseTuple(args, "OO!:makeelement", &tag, &PyDict_Type, &attrib))
        return NULL;
    attrib = PyDict_Copy(attrib);
    PyObject *element = attrib != NULL ? element_new(tag, attrib) : NULL;
    Py_XDECREF(attrib);
    return element;
}

/* ---- Destroying ---- */

static int element_traverse(PyObject *op, visitproc visit, void *arg)
{
    element_t *self = ELEMENT(op);
    Py_VISIT(self->tag);
    Py_VISIT(self->text);
    Py_VISIT(self->tail);
    Py_VISIT(self->attrib);
    Py_VISIT(self->children);
    return 0;
}

static int element_tp_clear(PyObject *op)
{
    element_t *self = ELEMENT(op);
    field_set_steal(op, &self->tag, Py_NewRef(Py_None));
    field_set_steal(op, &self->text, Py_NewRef(Py_None));
    field_set_steal(op, &self->tail, Py_NewRef(Py_None));
    field_set_steal(op, &self->attrib, NULL);
    field_set_steal(op, &self->children, NULL);
    return 0;
}

static void element_dealloc(PyObject *op)
{
    element_t *self = ELEMENT(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, element_dealloc);
    if (_PyObject_HAS_WEAKREFS(self->weakrefs))
        PyObject_ClearWeakRefs(op);
    Py_XDECREF(self->tag);
    Py_XDECREF(self->text);
    Py_XDECREF(self->tail);
    Py_XDECREF(self->attrib);
    Py_XDECREF(self->children);
    Py_TYPE(op)->tp_free(op);
    Py_TRASHCAN_END;
}

/* ---- Attributes of the element in XML ---- */

/* Raises TypeError unless attrib can be the dict of an element. */
static int check_attrib(PyObject *attrib)
{
    if (attrib == NULL || PyDict_Check(attrib))
        return 0;
    PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(attrib)->tp_name);
    return -1;
}

/* The dict, made if there is none. */
static PyObject *get_attrib(PyObject *op)
{
    PyObject *attrib = field_get(op, &ELEMENT(op)->attrib);
    if (attrib != NULL)
        return attrib;
    attrib = PyDict_New();
    return attrib != NULL ? field_default_steal(op, &ELEMENT(op)->attrib, attrib) : NULL;
}

static PyObject *element_get(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "default", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "O|O:get"};
    PyObject *key, *fallback = Py_None, *value = NULL;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &key, &fallback))
        return NULL;
    PyObject *attrib = field_get(op, &ELEMENT(op)->attrib);
    if (attrib == NULL)
        return Py_NewRef(fallback);
    int found = PyDict_GetItemRef(attrib, key, &value);
    Py_DECREF(attrib);
    return found == 0 ? Py_NewRef(fallback) : value;
}

static PyObject *element_set(PyObject *op, PyObject *args)
{
    PyObject *key, *value;
    if (!PyArg_UnpackTuple(args, "set", 2, 2, &key, &value))
        return NULL;
    PyObject *attrib = get_attrib(op);
    int failed = attrib == NULL || PyDict_SetItem(attrib, key, value) < 0;
    Py_XDECREF(attrib);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* What function makes of the dict; an empty list if there is none. */
static PyObject *list_attrib(PyObject *op, PyObject *(*function)(PyObject *))
{
    PyObject *attrib = field_get(op, &ELEMENT(op)->attrib), *list;
    list = attrib != NULL ? function(attrib) : PyList_New(0);
    Py_XDECREF(attrib);
    return list;
}

static PyObject *element_keys(PyObject *op, PyObject *unused)
{
    return list_attrib(op, PyDict_Keys);
}
static PyObject *element_items(PyObject *op, PyObject *unused)
{
    return list_attrib(op, PyDict_Items);
}

static PyObject *element_clear(PyObject *op, PyObject *unused)
{
    element_t *self = ELEMENT(op);
    field_set_steal(op, &self->attrib, NULL);
    field_set_steal(op, &self->children, NULL);
    field_set_steal(op, &self->text, Py_NewRef(Py_None));
    field_set_steal(op, &self->tail, Py_NewRef(Py_None));
    Py_RETURN_NONE;
}

/* ---- Copies ---- */

static PyObject *element_copy(PyObject *op, PyObject *unused)
{
    element_t *self = ELEMENT(op);
    PyObject *tag = field_get(op, &self->tag), *attrib = field_get(op, &self->attrib);
    PyObject *copy = element_new(tag, attrib), *children = NULL;
    if (copy != NULL) {
        field_set_steal(copy, &ELEMENT(copy)->text, field_get(op, &self->text));
        field_set_steal(copy, &ELEMENT(copy)->tail, field_get(op, &self->tail));
        children = field_get(op, &self->children);
        PyObject *own = children != NULL ? PyList_GetSlice(children, 0, PY_SSIZE_T_MAX) : NULL;
        if (own != NULL)
            field_set_steal(copy, &ELEMENT(copy)->children, own);
        else if (children != NULL)
            Py_CLEAR(copy);
    }
    Py_DECREF(tag);
    Py_XDECREF(attrib);
    Py_XDECREF(children);
    return copy;
}

static PyObject *deepcopy_element(PyObject *op, PyObject *memo);

/* A deep copy; what is frequent without the copy module. value is stolen, and may be NULL: nothing to copy.
 */
static PyObject *deepcopy_steal(PyObject *value, PyObject *memo)
{
    PyObject *copy = NULL;
    if (value == NULL || value == Py_None || PyUnicode_CheckExact(value))
        return value;
    if (Py_IS_TYPE(value, &element_type))
        copy = deepcopy_element(value, memo);
    else {
        PyObject *module = PyImport_ImportModule("copy");
        if (module != NULL)
            copy = PyObject_CallMethod(module, "deepcopy", "OO", value, memo);
        Py_XDECREF(module);
    }
    Py_DECREF(value);
    return copy;
}

/* A field of the original, copied into the copy, which gc.get_objects may have shown already. */
static int deepcopy_field(PyObject *op, PyObject **field, PyObject *target, PyObject **target_field, PyObject *memo)
{
    PyObject *value = field_get(op, field), *copy = deepcopy_steal(value, memo);
    if (value != NULL && copy == NULL)
        return -1;
    field_set_steal(target, target_field, copy);
    return 0;
}

static int deepcopy_children(PyObject *op, PyObject *copy, PyObject *memo)
{
    PyObject *child;
    for (Py_ssize_t i = 0; (child = element_get_child(op, i)) != NULL; i++) {
        child = deepcopy_steal(child, memo);
        if (child == NULL || element_check(child) < 0 || element_append_child(copy, child) < 0) {
            Py_XDECREF(child);
            return -1;
        }
        Py_DECREF(child);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int memorise(PyObject *op, PyObject *copy, PyObject *memo)
{
    PyObject *id = PyLong_FromVoidPtr(op);
    int failed = id == NULL || PyDict_SetItem(memo, id, copy) < 0;
    Py_XDECREF(id);
    return failed ? -1 : 0;
}

static PyObject *deepcopy_element(PyObject *op, PyObject *memo)
{
    element_t *self = ELEMENT(op), *copy;
    if (Py_EnterRecursiveCall(" in __deepcopy__"))
        return NULL;
    copy = ELEMENT(element_new(Py_None, NULL));
    if (copy != NULL &&
        (deepcopy_field(op, &self->tag, (PyObject *)copy, &copy->tag, memo) < 0 ||
         deepcopy_field(op, &self->attrib, (PyObject *)copy, &copy->attrib, memo) < 0 ||
         deepcopy_field(op, &self->text, (PyObject *)copy, &copy->text, memo) < 0 ||
         deepcopy_field(op, &self->tail, (PyObject *)copy, &copy->tail, memo) < 0 || check_attrib(copy->attrib) < 0 ||
         memorise(op, (PyObject *)copy, memo) < 0 || deepcopy_children(op, (PyObject *)copy, memo) < 0))
        Py_CLEAR(copy);
    Py_LeaveRecursiveCall();
    return (PyObject *)copy;
}

static PyObject *element_deepcopy(PyObject *op, PyObject *memo)
{
    if (PyDict_Check(memo))
        return deepcopy_element(op, memo);
    PyErr_Format(PyExc_TypeError, "__deepcopy__() argument must be dict, not %.50s",
                 memo == Py_None ? "None" : Py_TYPE(memo)->tp_name);
    return NULL;
}

/* ---- Pickles ---- */

static PyObject *element_getstate(PyObject *op, PyObject *unused)
{
    element_t *self = ELEMENT(op);
    PyObject *children = field_get(op, &self->children), *list, *attrib = get_attrib(op);
    list = children != NULL ? PyList_GetSlice(children, 0, PY_SSIZE_T_MAX) : PyList_New(0);
    Py_XDECREF(children);
    return Py_BuildValue("{sNsNsNsNsN}", "tag", field_get(op, &self->tag), "_children", list, "attrib",
                         attrib, "text", field_get(op, &self->text), "tail", field_get(op, &self->tail));
}

/* The list of children in a state, as one of our own; NULL without an exception: none. */
static PyObject *checked_children(PyObject *children)
{
    if (children == NULL)
        return NULL;
    if (!PyList_Check(children)) {
        PyErr_SetString(PyExc_TypeError, "'_children' is not a list");
        return NULL;
    }
    PyObject *list = PyList_GetSlice(children, 0, PY_SSIZE_T_MAX);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++)
        if (element_check(PyList_GET_ITEM(list, i)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *or_none(PyObject *value)
{
    return Py_NewRef(value != NULL ? value : Py_None);
}

static PyObject *element_setstate(PyObject *op, PyObject *state)
{
    static char *keywords[] = {"tag", "_children", "attrib", "text", "tail", NULL};
    element_t *self = ELEMENT(op);
    PyObject *tag = NULL, *children = NULL, *attrib = NULL, *text = NULL, *tail = NULL, *none;
    if (!PyDict_CheckExact(state)) {
        PyErr_Format(PyExc_TypeError, "Don't know how to unpickle \"%.200R\" as an Element", state);
        return NULL;
    }
    if ((none = PyTuple_New(0)) == NULL)
        return NULL;
    int parsed =
        PyArg_ParseTupleAndKeywords(none, state, "|$OOOOO", keywords, &tag, &children, &attrib, &text, &tail);
    Py_DECREF(none);
    if (!parsed)
        return NULL;
    if (tag == NULL) {
        PyErr_SetString(PyExc_TypeError, "tag may not be NULL");
        return NULL;
    }
    PyObject *list = checked_children(children);
    if (list == NULL && PyErr_Occurred())
        return NULL;
    field_set_steal(op, &self->tag, Py_NewRef(tag));
    field_set_steal(op, &self->text, or_none(text));
    field_set_steal(op, &self->tail, or_none(tail));
    field_set_steal(op, &self->attrib, attrib != NULL && PyDict_Check(attrib) ? Py_NewRef(attrib) : NULL);
    field_set_steal(op, &self->children, list);
    Py_RETURN_NONE;
}

static PyObject *element_sizeof(PyObject *op, PyObject *unused)
{
    PyObject *children = field_get(op, &ELEMENT(op)->children);
    size_t size = (size_t)Py_TYPE(op)->tp_basicsize;
    if (children != NULL)
        size += (size_t)PyList_Type.tp_basicsize + (size_t)PyList_GET_SIZE(children) * sizeof(PyObject *);
    Py_XDECREF(children);
    return PyLong_FromSize_t(size);
}

/* ---- Iteration ---- */

static PyObject *element_iter(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tag", NULL};
    PyObject *tag = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:iter", keywords, &tag))
        return NULL;
    if (PyUnicode_Check(tag) && PyUnicode_EqualToUTF8(tag, "*"))
        tag = Py_None;
    return element_iterator_new(op, tag, 0);
}

static PyObject *element_itertext(PyObject *op, PyObject *unused)
{
    return element_iterator_new(op, Py_None, 1);
}

/* ---- Attributes of the object ---- */

static PyObject *element_get_tag(PyObject *op, void *unused)
{
    return field_get(op, &ELEMENT(op)->tag);
}
static PyObject *element_get_text(PyObject *op, void *unused)
{
    return field_get(op, &ELEMENT(op)->text);
}
static PyObject *element_get_tail(PyObject *op, void *unused)
{
    return field_get(op, &ELEMENT(op)->tail);
}
static PyObject *element_get_attrib(PyObject *op, void *unused)
{
    return get_attrib(op);
}

static int set_field(PyObject *op, PyObject **field, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "can't delete element attribute");
        return -1;
    }
    field_set_steal(op, field, Py_NewRef(value));
    return 0;
}

static int element_set_tag(PyObject *op, PyObject *value, void *unused)
{
    return set_field(op, &ELEMENT(op)->tag, value);
}
static int element_set_text(PyObject *op, PyObject *value, void *unused)
{
    return set_field(op, &ELEMENT(op)->text, value);
}
static int element_set_tail(PyObject *op, PyObject *value, void *unused)
{
    return set_field(op, &ELEMENT(op)->tail, value);
}

static int element_set_attrib(PyObject *op, PyObject *value, void *unused)
{
    return check_attrib(value) < 0 ? -1 : set_field(op, &ELEMENT(op)->attrib, value);
}

static PyObject *element_repr(PyObject *op)
{
    PyObject *tag = field_get(op, &ELEMENT(op)->tag), *text = NULL;
    int state = Py_ReprEnter(op);
    if (state == 0) {
        text = PyUnicode_FromFormat("<Element %R at %p>", tag, op);
        Py_ReprLeave(op);
    } else if (state > 0)
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(op)->tp_name);
    Py_DECREF(tag);
    return text;
}

/* ---- The type ---- */

static PyMethodDef element_methods[] = {
    {"clear", element_clear, METH_NOARGS,
     "clear($self, /)\n--\n\nRemoves attributes, children, text and tail."},
    MODULE_METHOD("get", element_get, METH_FASTCALL | METH_KEYWORDS,
                  "get($self, /, key, default=None)\n--\n\nThe value of an attribute."),
    {"set", element_set, METH_VARARGS, "set($self, key, value, /)\n--\n\nSets an attribute."},
    {"keys", element_keys, METH_NOARGS, "keys($self, /)\n--\n\nA list of the attributes' names."},
    {"items", element_items, METH_NOARGS, "items($self, /)\n--\n\nA list of the attributes as pairs."},
    {"append", element_append, METH_O, "append($self, subelement, /)\n--\n\nAdds a child at the end."},
    {"extend", element_extend, METH_O, "extend($self, elements, /)\n--\n\nAdds children at the end."},
    {"insert", element_insert, METH_VARARGS,
     "insert($self, index, subelement, /)\n--\n\nInserts a child before the index."},
    {"remove", element_remove, METH_O, "remove($self, subelement, /)\n--\n\nRemoves a child."},
    MODULE_METHOD("find", element_find, METH_FASTCALL | METH_KEYWORDS,
                  "find($self, /, path, namespaces=None)\n--\n\nThe first element that matches, or None."),
    MODULE_METHOD("findtext", element_findtext, METH_FASTCALL | METH_KEYWORDS,
                  "findtext($self, /, path, default=None, namespaces=None)\n--\n\nThe text of the first "
                  "element that matches."),
    MODULE_METHOD("findall", element_findall, METH_FASTCALL | METH_KEYWORDS,
                  "findall($self, /, path, namespaces=None)\n--\n\nA list of the elements that match."),
    MODULE_METHOD("iterfind", element_iterfind, METH_FASTCALL | METH_KEYWORDS,
                  "iterfind($self, /, path, namespaces=None)\n--\n\nIterates over the elements that match."),
    {"makeelement", element_makeelement, METH_VARARGS,
     "makeelement($self, tag, attrib, /)\n--\n\nA new element; for SubElement."},
    MODULE_METHOD("iter", element_iter, METH_VARARGS | METH_KEYWORDS,
                  "iter($self, /, tag=None)\n--\n\nIterates over the elements of the tree, in the order of "
                  "the document."),
    {"itertext", element_itertext, METH_NOARGS,
     "itertext($self, /)\n--\n\nIterates over the texts inside the element."},
    {"__copy__", element_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nA copy with the same children."},
    {"__deepcopy__", element_deepcopy, METH_O,
     "__deepcopy__($self, memo, /)\n--\n\nA copy of the whole tree."},
    {"__getstate__", element_getstate, METH_NOARGS, "__getstate__($self, /)\n--\n\nThe state as a dict."},
    {"__setstate__", element_setstate, METH_O, "__setstate__($self, state, /)\n--\n\nSets the state."},
    {"__sizeof__", element_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nThe size in memory, without text and attributes."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef element_getset[] = {
    {"tag", element_get_tag, element_set_tag, "The name of the element.", NULL},
    {"text", element_get_text, element_set_text, "The text up to the first child, or None.", NULL},
    {"tail", element_get_tail, element_set_tail, "The text after the element, or None.", NULL},
    {"attrib", element_get_attrib, element_set_attrib, "A dict of the attributes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject element_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.Element",
    .tp_basicsize = sizeof(element_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_weaklistoffset = offsetof(element_t, weakrefs),
    .tp_as_mapping = &element_mapping,
    .tp_as_sequence = &element_sequence,
    .tp_methods = element_methods,
    .tp_getset = element_getset,
    .tp_repr = element_repr,
    .tp_init = element_init,
    .tp_new = element_tp_new,
    .tp_traverse = element_traverse,
    .tp_clear = element_tp_clear,
    .tp_dealloc = element_dealloc,
};
