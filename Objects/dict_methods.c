/* What Python code sees of dict: construction, methods, operators, the type object. */
#include "dict.h"
#include "call.h"
#include "unicode_writer.h"

/* ---- Construction and update ---- */

PyObject *dict_new_of_type(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (type == &PyDict_Type)
        return PyDict_New();
    PyDictObject *self = (PyDictObject *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->ma_keys = DICT_EMPTY_KEYS;
    return (PyObject *)self;
}

/* self.update(arg) */
static int update_from(PyObject *self, PyObject *arg)
{
    PyObject *keys;
    if (PyDict_CheckExact(arg))
        return dict_merge(self, arg, 1);
    if (_PyObject_LookupAttr(arg, STR(keys), &keys) < 0)
        return -1;
    if (keys == NULL)
        return PyDict_MergeFromSeq2(self, arg, 1);
    Py_DECREF(keys);
    return dict_merge(self, arg, 1);
}

int dict_update_common(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, const char *name)
{
    if (!_PyArg_CheckPositional(name, nargs, 0, 1))
        return -1;
    if (nargs == 1 && update_from(self, args[0]) < 0)
        return -1;
    if (kwnames != NULL)
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(self, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0)
                return -1;
    return 0;
}

static int dict_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *arg = NULL;
    if (!PyArg_UnpackTuple(args, "dict", 0, 1, &arg))
        return -1;
    if (arg != NULL && update_from(self, arg) < 0)
        return -1;
    if (kwds == NULL)
        return 0;
    return PyArg_ValidateKeywordArguments(kwds) ? dict_merge(self, kwds, 1) : -1;
}

static PyObject *dict_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *self = dict_new_of_type((PyTypeObject *)type, NULL, NULL);
    if (self != NULL && dict_update_common(self, args, PyVectorcall_NARGS(nargsf), kwnames, "dict") < 0)
        Py_CLEAR(self);
    return self;
}

static PyObject *dict_method_update(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (dict_update_common(self, args, nargs, kwnames, "update") < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *dict_method_fromkeys(PyObject *cls, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("fromkeys", nargs, 1, 2))
        return NULL;
    return _PyDict_FromKeys(cls, args[0], nargs == 2 ? args[1] : Py_None);
}

/* ---- Items ---- */

static PyObject *call_missing(PyObject *self, PyObject *key)
{
    PyObject *missing = _PyObject_LookupSpecial(self, STR(__missing__));
    if (missing == NULL) {
        if (!PyErr_Occurred())
            dict_set_key_error(key);
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(missing, key);
    Py_DECREF(missing);
    return result;
}

PyObject *dict_subscript(PyObject *self, PyObject *key)
{
    PyObject *value;
    Py_hash_t hash = container_key_hash(key);
    if (hash == -1)
        return NULL;
    int found = dict_lookup_ref(self, key, hash, &value);
    if (Py_LIKELY(found != 0))
        return value;
    if (PyDict_CheckExact(self)) {
        dict_set_key_error(key);
        return NULL;
    }
    return call_missing(self, key);
}

int dict_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    return value == NULL ? PyDict_DelItem(self, key) : PyDict_SetItem(self, key, value);
}

static PyObject *dict_method_getitem(PyObject *self, PyObject *key)
{
    return dict_subscript(self, key);
}

static PyObject *dict_method_contains(PyObject *self, PyObject *key)
{
    int found = PyDict_Contains(self, key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *dict_method_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("get", nargs, 1, 2))
        return NULL;
    if (dict_get_ref(self, args[0], &value) == 0)
        return nargs == 2 ? Py_NewRef(args[1]) : Py_NewRef(Py_None);
    return value;
}

static PyObject *dict_method_setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("setdefault", nargs, 1, 2))
        return NULL;
    PyDict_SetDefaultRef(self, args[0], nargs == 2 ? args[1] : Py_None, &value);
    return value;
}

static PyObject *dict_method_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("pop", nargs, 1, 2))
        return NULL;
    return _PyDict_Pop(self, args[0], nargs == 2 ? args[1] : NULL);
}

static PyObject *dict_method_popitem(PyObject *self, PyObject *unused)
{
    return dict_pop_end((PyDictObject *)self, 1, "popitem(): dictionary is empty");
}

static PyObject *dict_method_clear(PyObject *self, PyObject *unused)
{
    PyDict_Clear(self);
    Py_RETURN_NONE;
}

static PyObject *dict_method_copy(PyObject *self, PyObject *unused)
{
    return PyDict_Copy(self);
}

static PyObject *dict_method_sizeof(PyObject *self, PyObject *unused)
{
    return PyLong_FromSsize_t(_PyDict_SizeOf((PyDictObject *)self));
}

/* ---- Operators ---- */

static Py_ssize_t dict_length(PyObject *self)
{
    return PyDict_GET_SIZE(self);
}

static PyObject *dict_or(PyObject *a, PyObject *b)
{
    if (!PyDict_Check(a) || !PyDict_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = PyDict_Copy(a);
    if (result != NULL && update_from(result, b) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *dict_ior(PyObject *self, PyObject *other)
{
    return update_from(self, other) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *repr_items(PyObject *self)
{
    unicode_writer_t writer;
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    int first = 1;
    unicode_writer_init(&writer);
    if (unicode_writer_write_char(&writer, '{') < 0)
        goto failed;
    while (dict_next_ref(self, &pos, &key, &value, NULL)) {
        int failed = (!first && unicode_writer_write_ascii(&writer, ", ", 2) < 0)
                     || unicode_writer_write_object_repr(&writer, key) < 0
                     || unicode_writer_write_ascii(&writer, ": ", 2) < 0
                     || unicode_writer_write_object_repr(&writer, value) < 0;
        first = 0;
        Py_DECREF(key);
        Py_DECREF(value);
        if (failed)
            goto failed;
    }
    if (unicode_writer_write_char(&writer, '}') < 0)
        goto failed;
    return unicode_writer_finish(&writer);
failed:
    unicode_writer_dealloc(&writer);
    return NULL;
}

PyObject *dict_repr(PyObject *self)
{
    int recursion = Py_ReprEnter(self);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromString("{...}") : NULL;
    PyObject *result = NULL;
    if (!runtime_is_multi() || object_is_private(self))
        result = repr_items(self);
    else {
        PyObject *copy = PyDict_Copy(self);
        if (copy != NULL) {
            result = repr_items(copy);
            Py_DECREF(copy);
        }
    }
    Py_ReprLeave(self);
    return result;
}

/* ---- The type ---- */

static const char dict_doc[] =
"dict() -> an empty dict\n"
"dict(mapping) -> a dict with the mapping's items\n"
"dict(iterable) -> a dict with the (key, value) pairs of the iterable\n"
"dict(**kwargs) -> a dict with the keyword arguments\n"
"    as its items; may follow one of the other arguments";

static PyMethodDef dict_methods[] = {
    {"__contains__", dict_method_contains, METH_O | METH_COEXIST,
     "__contains__($self, key, /)\n--\n\nIs there an item with that key?"},
    {"__getitem__", dict_method_getitem, METH_O | METH_COEXIST, "__getitem__($self, key, /)\n--\n\nReturn self[key]."},
    {"__sizeof__", dict_method_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nReturn the memory used, in bytes."},
    {"get", _PyCFunction_CAST(dict_method_get), METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\nReturn the value under key, or default if there is none."},
    {"setdefault", _PyCFunction_CAST(dict_method_setdefault), METH_FASTCALL,
     "setdefault($self, key, default=None, /)\n--\n\n"
     "Return the value under key; if there is none, store default and return it."},
    {"pop", _PyCFunction_CAST(dict_method_pop), METH_FASTCALL,
     "pop($self, key, default=<unrepresentable>, /)\n--\n\n"
     "Remove the item with that key and return its value.\n\n"
     "If there is none, return default if it is given, else raise KeyError."},
    {"popitem", dict_method_popitem, METH_NOARGS,
     "popitem($self, /)\n--\n\nRemove the item added last and return it as (key, value); KeyError if there is none."},
    {"keys", dict_method_keys, METH_NOARGS, "A set-like view of the keys."},
    {"items", dict_method_items, METH_NOARGS, "A set-like view of the (key, value) pairs."},
    {"values", dict_method_values, METH_NOARGS, "A view of the values."},
    {"update", _PyCFunction_CAST(dict_method_update), METH_FASTCALL | METH_KEYWORDS,
     "Add the items of a mapping, or of an iterable of (key, value) pairs, then the keyword arguments."},
    {"fromkeys", _PyCFunction_CAST(dict_method_fromkeys), METH_FASTCALL | METH_CLASS,
     "fromkeys($type, iterable, value=None, /)\n--\n\nMake a dict with the keys of an iterable, all with the same value."},
    {"clear", dict_method_clear, METH_NOARGS, "Remove all items."},
    {"copy", dict_method_copy, METH_NOARGS, "Return a new dict with the same items."},
    {"__reversed__", dict_reversed, METH_NOARGS, "__reversed__($self, /)\n--\n\nReturn an iterator over the keys, last one first."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Make a generic alias (PEP 585)."},
    {NULL, NULL, 0, NULL},
};

static PyNumberMethods dict_as_number = {
    .nb_or = dict_or,
    .nb_inplace_or = dict_ior,
};

static PySequenceMethods dict_as_sequence = {
    .sq_contains = PyDict_Contains,
};

static PyMappingMethods dict_as_mapping = {
    .mp_length = dict_length,
    .mp_subscript = dict_subscript,
    .mp_ass_subscript = dict_ass_subscript,
};

PyTypeObject PyDict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "dict",
    .tp_basicsize = sizeof(PyDictObject),
    .tp_dealloc = dict_dealloc,
    .tp_repr = dict_repr,
    .tp_as_number = &dict_as_number,
    .tp_as_sequence = &dict_as_sequence,
    .tp_as_mapping = &dict_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DICT_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_MAPPING,
    .tp_doc = dict_doc,
    .tp_traverse = dict_traverse,
    .tp_clear = dict_tp_clear,
    .tp_richcompare = dict_richcompare,
    .tp_iter = dict_iter,
    .tp_methods = dict_methods,
    .tp_init = dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dict_new_of_type,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = dict_vectorcall,
};
