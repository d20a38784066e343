/* property: an attribute computed by functions. */
#include "Python.h"

#include "memory.h"
#include "method_ref.h"
#include "type.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    /* [atomic] all of them, published: another __init__ may replace them at any time. Or NULL */
    PyObject *get, *set, *del;
    PyObject *doc;
    PyObject *name;             /* from __set_name__, for messages */
    int getter_doc;             /* doc was taken from the getter */
} property_object;

PyObject *property_getter_racy(PyObject *descr)
{
    return heap_is_type(descr, &PyProperty_Type) ? __atomic_load_n(&((property_object *)descr)->get, __ATOMIC_ACQUIRE) : NULL;
}

/* ---- The descriptor ---- */

static int no_function(property_object *self, PyObject *obj, const char *what)
{
    PyObject *type_name = PyType_GetQualName(Py_TYPE(obj));
    if (type_name == NULL)
        return -1;
    PyObject *name = published_field_ref(&self->name);
    if (name != NULL)
        PyErr_Format(PyExc_AttributeError, "property %R of %R object has no %s", name, type_name, what);
    else
        PyErr_Format(PyExc_AttributeError, "property of %R object has no %s", type_name, what);
    Py_XDECREF(name);
    Py_DECREF(type_name);
    return -1;
}

static PyObject *property_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    property_object *self = (property_object *)op;
    struct method_ref getter;
    if (obj == NULL || obj == Py_None)
        return Py_NewRef(op);
    if (!method_ref_take_field(&getter, &self->get)) {
        no_function(self, obj, "getter");
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(getter.func, obj);
    method_ref_drop(&getter);
    return result;
}

static int property_descr_set(PyObject *op, PyObject *obj, PyObject *value)
{
    property_object *self = (property_object *)op;
    PyObject *args[2] = {obj, value};
    struct method_ref func;
    if (!method_ref_take_field(&func, value != NULL ? &self->set : &self->del))
        return no_function(self, obj, value != NULL ? "setter" : "deleter");
    PyObject *result = PyObject_Vectorcall(func.func, args, value != NULL ? 2 : 1, NULL);
    method_ref_drop(&func);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* ---- Making ---- */

static PyObject *none_to_null(PyObject *op) { return op == Py_None ? NULL : op; }

/* DEFERRED: threads that read the attribute do not count the property. */
static PyObject *property_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL)
        object_set_deferred(op);
    return op;
}

static int property_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"fget", "fset", "fdel", "doc", NULL};
    property_object *self = (property_object *)op;
    PyObject *get = NULL, *set = NULL, *del = NULL, *doc = NULL, *getter_doc = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OOOO:property", names, &get, &set, &del, &doc))
        return -1;
    get = none_to_null(get);
    published_field_set(op, &self->get, get);
    published_field_set(op, &self->set, none_to_null(set));
    published_field_set(op, &self->del, none_to_null(del));
    published_field_set(op, &self->doc, doc);
    __atomic_store_n(&self->getter_doc, 0, __ATOMIC_RELAXED);
    /* without a docstring of its own: the getter's */
    if ((doc == NULL || doc == Py_None) && get != NULL) {
        if (PyObject_GetOptionalAttr(get, STR(__doc__), &getter_doc) < 0)
            return -1;
        if (getter_doc != NULL) {
            int failed = 0;
            if (Py_IS_TYPE(op, &PyProperty_Type))
                published_field_set(op, &self->doc, getter_doc);
            else        /* a subclass has a __doc__ of its own in the way */
                failed = PyObject_SetAttr(op, STR(__doc__), getter_doc);
            __atomic_store_n(&self->getter_doc, 1, __ATOMIC_RELAXED);
            Py_DECREF(getter_doc);
            return failed;
        }
    }
    else if (doc != NULL && doc != Py_None && !Py_IS_TYPE(op, &PyProperty_Type))
        return PyObject_SetAttr(op, STR(__doc__), doc);
    return 0;
}

/* The argument, or what the field holds if there is none: a new reference. */
static PyObject *given_or_field(PyObject *given, PyObject **field)
{
    if (given != NULL && given != Py_None)
        return Py_NewRef(given);
    PyObject *value = published_field_ref(field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *copy_with(PyObject *op, PyObject *get, PyObject *set, PyObject *del)
{
    property_object *self = (property_object *)op;
    get = given_or_field(get, &self->get);
    set = given_or_field(set, &self->set);
    del = given_or_field(del, &self->del);
    int getter_doc = __atomic_load_n(&self->getter_doc, __ATOMIC_RELAXED) && get != Py_None;
    PyObject *doc = getter_doc ? Py_NewRef(Py_None) : given_or_field(NULL, &self->doc);
    PyObject *copy = PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(op), get, set, del, doc, NULL);
    if (copy != NULL && PyObject_TypeCheck(copy, &PyProperty_Type)) {
        PyObject *name = published_field_ref(&self->name);
        published_field_set(copy, &((property_object *)copy)->name, name);
        Py_XDECREF(name);
    }
    Py_DECREF(get);
    Py_DECREF(set);
    Py_DECREF(del);
    Py_DECREF(doc);
    return copy;
}

static PyObject *property_getter(PyObject *op, PyObject *f) { return copy_with(op, f, NULL, NULL); }
static PyObject *property_setter(PyObject *op, PyObject *f) { return copy_with(op, NULL, f, NULL); }
static PyObject *property_deleter(PyObject *op, PyObject *f) { return copy_with(op, NULL, NULL, f); }

static PyObject *property_set_name(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "__set_name__() takes 2 positional arguments but %zd were given", nargs);
        return NULL;
    }
    published_field_set(op, &((property_object *)op)->name, args[1]);
    return Py_None;
}

/* Is what the field holds abstract? -1: exception */
static int field_is_abstract(PyObject **field)
{
    PyObject *function = published_field_ref(field), *flag;
    if (function == NULL)
        return 0;
    int truth = PyObject_GetOptionalAttr(function, STR(__isabstractmethod__), &flag);
    if (truth > 0) {
        truth = PyObject_IsTrue(flag);
        Py_DECREF(flag);
    }
    Py_DECREF(function);
    return truth;
}

static PyObject *get_isabstract(PyObject *op, void *closure)
{
    property_object *self = (property_object *)op;
    PyObject **fields[3] = {&self->get, &self->set, &self->del};
    /* A property may be its own getter. */
    if (Py_EnterRecursiveCall(" while getting an attribute"))
        return NULL;
    int truth = 0;
    for (int i = 0; i < 3 && truth == 0; i++)
        truth = field_is_abstract(fields[i]);
    Py_LeaveRecursiveCall();
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

/* ---- Life ---- */

static void property_dealloc(PyObject *op)
{
    property_object *self = (property_object *)op;
    object_untrack(op);
    Py_XDECREF(self->get);
    Py_XDECREF(self->set);
    Py_XDECREF(self->del);
    Py_XDECREF(self->doc);
    Py_XDECREF(self->name);
    Py_TYPE(op)->tp_free(op);
}

static int property_traverse(PyObject *op, visitproc visit, void *arg)
{
    property_object *self = (property_object *)op;
    Py_VISIT(self->get);
    Py_VISIT(self->set);
    Py_VISIT(self->del);
    Py_VISIT(self->doc);
    Py_VISIT(self->name);
    return 0;
}

static int property_clear(PyObject *op)
{
    Py_CLEAR(((property_object *)op)->doc);
    return 0;
}

static PyMethodDef property_methods[] = {
    {"getter", property_getter, METH_O, "A copy with another getter."},
    {"setter", property_setter, METH_O, "A copy with another setter."},
    {"deleter", property_deleter, METH_O, "A copy with another deleter."},
    {"__set_name__", _PyCFunction_CAST(property_set_name), METH_FASTCALL, "Tells the name that the property has in its class."},
    {NULL, NULL, 0, NULL}
};
static PyMemberDef property_members[] = {
    {"fget", T_OBJECT, offsetof(property_object, get), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"fset", T_OBJECT, offsetof(property_object, set), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"fdel", T_OBJECT, offsetof(property_object, del), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__doc__", T_OBJECT, offsetof(property_object, doc), _Py_MEMBER_LOCK_FREE, NULL},
    {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef property_getset[] = {
    {"__isabstractmethod__", get_isabstract, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}
};

PyTypeObject PyProperty_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "property",
    .tp_basicsize = sizeof(property_object),
    .tp_dealloc = property_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\n"
              "An attribute whose reading, setting and deleting call functions.",
    .tp_traverse = property_traverse,
    .tp_clear = property_clear,
    .tp_methods = property_methods,
    .tp_members = property_members,
    .tp_getset = property_getset,
    .tp_descr_get = property_descr_get,
    .tp_descr_set = property_descr_set,
    .tp_init = property_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = property_new,
    .tp_free = PyObject_GC_Del,
};
