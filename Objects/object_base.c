/* The type `object`, base of all. */
#include "Python.h"

#include "instance.h"
#include "type.h"
#include "unicode.h"

/* ---- Construction ---- */

static int excess_args(PyObject *args, PyObject *kwds)
{
    return PyTuple_GET_SIZE(args) != 0 || (kwds != NULL && PyDict_Check(kwds) && PyDict_GET_SIZE(kwds) != 0);
}

int object_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = Py_TYPE(self);
    if (excess_args(args, kwds)) {
        if (type->tp_init != object_init) {
            PyErr_SetString(PyExc_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
            return -1;
        }
        if (type->tp_new == object_new) {
            PyErr_Format(PyExc_TypeError, "%.200s.__init__() takes exactly one argument (the instance to initialize)",
                         type->tp_name);
            return -1;
        }
    }
    return 0;
}

static PyObject *abstract_error(PyTypeObject *type)
{
    PyObject *names = NULL, *sorted = NULL, *joined = NULL, *separator = NULL;
    if (PyObject_GetOptionalAttr((PyObject *)type, STR(__abstractmethods__), &names) < 0)
        return NULL;
    sorted = names != NULL ? PySequence_List(names) : NULL;
    if (sorted == NULL || PyList_Sort(sorted) < 0)
        goto done;
    separator = PyUnicode_FromString(", ");
    joined = separator != NULL ? PyUnicode_Join(separator, sorted) : NULL;
    if (joined != NULL)
        PyErr_Format(PyExc_TypeError, "Can't instantiate abstract class %s with abstract method%s %U", type->tp_name,
                     PyList_GET_SIZE(sorted) > 1 ? "s" : "", joined);
done:
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "Can't instantiate abstract class %s", type->tp_name);
    Py_XDECREF(names);
    Py_XDECREF(sorted);
    Py_XDECREF(separator);
    Py_XDECREF(joined);
    return NULL;
}

PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (excess_args(args, kwds)) {
        if (type->tp_new != object_new) {
            PyErr_SetString(PyExc_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
            return NULL;
        }
        if (type->tp_init == object_init) {
            PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments", type->tp_name);
            return NULL;
        }
    }
    if (PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT))
        return abstract_error(type);
    return type->tp_alloc(type, 0);
}

/* subtype_dealloc looks after the reference to a heap type. */
static void object_dealloc(PyObject *self) { heap_type(self)->tp_free(self); }

/* ---- Slots ---- */

PyObject *object_repr(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *module = type_get_module_name(type), *name = PyType_GetQualName(type), *result = NULL;
    if (name != NULL) {
        if (module != NULL && PyUnicode_Check(module) && !unicode_equal(module, STR(builtins)))
            result = PyUnicode_FromFormat("<%U.%U object at %p>", module, name, self);
        else
            result = PyUnicode_FromFormat("<%s object at %p>", type->tp_name, self);
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

static PyObject *object_str(PyObject *self)
{
    reprfunc repr = Py_TYPE(self)->tp_repr;
    return repr != NULL ? repr(self) : object_repr(self);
}

static Py_hash_t object_hash(PyObject *self) { return _Py_HashPointer(self); }

PyObject *object_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *result;
    int equal;
    switch (op) {
    case Py_EQ:
        return self == other ? Py_True : Py_NotImplemented;
    case Py_NE:
        /* by the class's own __eq__ */
        if (Py_TYPE(self)->tp_richcompare == NULL)
            return Py_NotImplemented;
        result = Py_TYPE(self)->tp_richcompare(self, other, Py_EQ);
        if (result == NULL || result == Py_NotImplemented)
            return result;
        equal = PyObject_IsTrue(result);
        Py_DECREF(result);
        return equal < 0 ? NULL : PyBool_FromLong(!equal);
    default:
        return Py_NotImplemented;
    }
}

/* ---- Attributes ---- */

static PyObject *get_class(PyObject *self, void *closure) { return Py_NewRef(Py_TYPE(self)); }
static int set_class(PyObject *self, PyObject *value, void *closure)
{
    if (value_is_immediate(self)) {
        PyErr_SetString(PyExc_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses");
        return -1;
    }
    return object_set_class(self, value);
}

/* ---- Methods ---- */

static PyObject *object_format(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %.50s", Py_TYPE(spec)->tp_name);
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(spec) > 0) {
        PyErr_Format(PyExc_TypeError, "unsupported format string passed to %.200s.__format__", Py_TYPE(self)->tp_name);
        return NULL;
    }
    return PyObject_Str(self);
}

static PyObject *object_sizeof(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t size = type->tp_basicsize;
    if (value_is_immediate(self))
        return PyLong_FromSsize_t(sizeof(void *));
    if (type->tp_itemsize > 0) {
        Py_ssize_t n = Py_SIZE(self);
        size += (n < 0 ? -n : n) * type->tp_itemsize;
    }
    uint32_t id = instance_shape(self);
    if (type_has_inline_attrs(type) && (id & SHAPE_ID_TAG))
        size += 8 * (Py_ssize_t)shape_from_id(id)->capacity;
    return PyLong_FromSsize_t(size);
}

/* What __dict__ says, without making the dict of an instance that keeps its attributes inline. */
static PyObject *copy_of_dict(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (value_is_heap(self) && type_has_inline_attrs(type) && type->tp_getattro == PyObject_GenericGetAttr)
        return instance_copy_attrs(self);
    PyObject *dict;
    if (PyObject_GetOptionalAttr(self, STR(__dict__), &dict) < 0)
        return NULL;
    if (dict == NULL)
        return PyDict_New();
    if (!PyDict_Check(dict)) {
        Py_DECREF(dict);
        return PyDict_New();
    }
    Py_SETREF(dict, PyDict_Copy(dict));
    return dict;
}

static PyObject *object_dir(PyObject *self, PyObject *unused)
{
    PyObject *names = copy_of_dict(self), *cls, *keys = NULL;
    if (names == NULL)
        return NULL;
    if (PyObject_GetOptionalAttr(self, STR(__class__), &cls) < 0)
        goto done;
    if (cls == NULL || type_merge_class_names(names, cls) == 0)
        keys = PyDict_Keys(names);
    Py_XDECREF(cls);
done:
    Py_DECREF(names);
    return keys;
}

static PyObject *object_init_subclass(PyObject *cls, PyObject *unused) { return Py_None; }
static PyObject *object_subclasshook(PyObject *cls, PyObject *args) { return Py_NotImplemented; }

static PyMethodDef object_methods[] = {
    {"__reduce_ex__", object_reduce_ex, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nWhat pickle needs to rebuild the object."},
    {"__reduce__", object_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nWhat pickle needs to rebuild the object."},
    {"__getstate__", object_getstate, METH_NOARGS, "__getstate__($self, /)\n--\n\nThe state that pickle and copy keep."},
    {"__subclasshook__", object_subclasshook, METH_CLASS | METH_VARARGS,
     "Abstract classes answer issubclass() here: True, False, or NotImplemented to ask the usual way."},
    {"__init_subclass__", object_init_subclass, METH_CLASS | METH_NOARGS, "Called when a class gets a subclass."},
    {"__format__", object_format, METH_O, "__format__($self, format_spec, /)\n--\n\nstr(self), if format_spec is empty."},
    {"__sizeof__", object_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes used by the object."},
    {"__dir__", object_dir, METH_NOARGS, "__dir__($self, /)\n--\n\nNames of attributes."},
    {NULL, NULL, 0, NULL}
};
static PyGetSetDef object_getset[] = {
    {"__class__", get_class, set_class, "The object's class.", NULL}, {NULL, NULL, NULL, NULL, NULL}
};

PyTypeObject PyBaseObject_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "object",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = object_dealloc,
    .tp_repr = object_repr,
    .tp_hash = object_hash,
    .tp_str = object_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "object()\n--\n\nThe base of all classes; its instances have no attributes of their own.",
    .tp_richcompare = object_richcompare,
    .tp_methods = object_methods,
    .tp_getset = object_getset,
    .tp_init = object_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = object_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = type_vectorcall,
};
