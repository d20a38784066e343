/* classmethod and staticmethod. */
#include "Python.h"

#include "instance.h"
#include "memory.h"
#include "method_ref.h"
#include "type.h"
#include "unicode.h"
#include "wrappers.h"

typedef struct {
    PyObject_HEAD
    PyObject *callable;         /* [atomic] published; another __init__ may replace it */
    PyObject *dict;
} wrapper_object;

/* ---- Shared ---- */

static PyObject **callable_field(PyObject *op) { return &((wrapper_object *)op)->callable; }

static int wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((wrapper_object *)op)->callable);
    Py_VISIT(((wrapper_object *)op)->dict);
    return 0;
}

static int wrapper_clear(PyObject *op)
{
    Py_CLEAR(((wrapper_object *)op)->callable);
    Py_CLEAR(((wrapper_object *)op)->dict);
    return 0;
}

static void wrapper_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_XDECREF(((wrapper_object *)op)->callable);
    Py_XDECREF(((wrapper_object *)op)->dict);
    Py_TYPE(op)->tp_free(op);
}

PyObject *wrapper_callable_racy(PyObject *descr, int *is_class)
{
    *is_class = heap_is_type(descr, &PyClassMethod_Type);
    if (!*is_class && !heap_is_type(descr, &PyStaticMethod_Type))
        return NULL;
    return __atomic_load_n(callable_field(descr), __ATOMIC_ACQUIRE);
}

/* Takes over __module__, __name__, ... of the callable, as functools.wraps does. */
static int copy_attributes(PyObject *op, PyObject *callable)
{
    PyObject *const names[] = {STR(__module__), STR(__name__), STR(__qualname__), STR(__doc__), STR(__annotations__)};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        PyObject *value;
        if (PyObject_GetOptionalAttr(callable, names[i], &value) < 0)
            return -1;
        if (value == NULL)
            continue;
        int failed = PyObject_SetAttr(op, names[i], value);
        Py_DECREF(value);
        if (failed)
            return -1;
    }
    return 0;
}

static int wrapper_init(PyObject *op, PyObject *args, PyObject *kwds, const char *name)
{
    PyObject *callable;
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", name);
        return -1;
    }
    if (!PyArg_UnpackTuple(args, name, 1, 1, &callable))
        return -1;
    published_field_set(op, callable_field(op), callable);
    return copy_attributes(op, callable);
}

/* DEFERRED: threads that read the attribute do not count the wrapper. */
static PyObject *wrapper_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL)
        object_set_deferred(op);
    return op;
}

static PyObject *wrapper_new(PyTypeObject *type, PyObject *callable)
{
    PyObject *op = wrapper_tp_new(type, NULL, NULL);
    if (op == NULL)
        return NULL;
    ((wrapper_object *)op)->callable = Py_NewRef(callable);
    object_publish(callable);
    return op;
}

static PyObject *get_isabstract(PyObject *op, void *closure)
{
    PyObject *callable = published_field_ref(callable_field(op)), *flag;
    int truth = 0;
    if (callable == NULL)
        return PyBool_FromLong(0);
    /* A wrapper may wrap itself. */
    if (Py_EnterRecursiveCall(" while getting an attribute") == 0) {
        truth = PyObject_GetOptionalAttr(callable, STR(__isabstractmethod__), &flag);
        if (truth > 0) {
            truth = PyObject_IsTrue(flag);
            Py_DECREF(flag);
        }
        Py_LeaveRecursiveCall();
    }
    else
        truth = -1;
    Py_DECREF(callable);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyMemberDef wrapper_members[] = {
    {"__func__", T_OBJECT, offsetof(wrapper_object, callable), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__wrapped__", T_OBJECT, offsetof(wrapper_object, callable), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef wrapper_getset[] = {
    {"__isabstractmethod__", get_isabstract, NULL, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyObject *uninitialised(const char *name)
{
    PyErr_Format(PyExc_RuntimeError, "uninitialized %s object", name);
    return NULL;
}

/* ---- classmethod ---- */

static int classmethod_init(PyObject *op, PyObject *args, PyObject *kwds) { return wrapper_init(op, args, kwds, "classmethod"); }

static PyObject *classmethod_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    struct method_ref callable;
    if (!method_ref_take_field(&callable, callable_field(op)))
        return uninitialised("classmethod");
    if (type == NULL)
        type = (PyObject *)Py_TYPE(obj);
    descrgetfunc get = Py_TYPE(callable.func)->tp_descr_get;
    PyObject *result;
    if (get == NULL || PyFunction_Check(callable.func))
        result = PyMethod_New(callable.func, type);
    else if (Py_EnterRecursiveCall(" while getting an attribute"))      /* it may wrap itself */
        result = NULL;
    else {
        result = get(callable.func, type, type);
        Py_LeaveRecursiveCall();
    }
    method_ref_drop(&callable);
    return result;
}

/* "<classmethod(f)>" */
static PyObject *repr(PyObject *op, const char *name)
{
    PyObject *callable = published_field_ref(callable_field(op));
    PyObject *text = PyUnicode_FromFormat("<%s(%R)>", name, callable);
    Py_XDECREF(callable);
    return text;
}

static PyObject *classmethod_repr(PyObject *op) { return repr(op, "classmethod"); }

PyObject *PyClassMethod_New(PyObject *callable) { return wrapper_new(&PyClassMethod_Type, callable); }

PyTypeObject PyClassMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "classmethod",
    .tp_basicsize = sizeof(wrapper_object),
    .tp_dealloc = wrapper_dealloc,
    .tp_repr = classmethod_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "classmethod(function) -> method\n\nA method that gets the class, not the instance, as its first argument.",
    .tp_traverse = wrapper_traverse,
    .tp_clear = wrapper_clear,
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getset,
    .tp_descr_get = classmethod_descr_get,
    .tp_dictoffset = offsetof(wrapper_object, dict),
    .tp_init = classmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = wrapper_tp_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- staticmethod ---- */

static int staticmethod_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    return wrapper_init(op, args, kwds, "staticmethod");
}

static PyObject *staticmethod_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyObject *callable = published_field_ref(callable_field(op));
    return callable != NULL ? callable : uninitialised("staticmethod");
}

static PyObject *staticmethod_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    struct method_ref callable;
    if (!method_ref_take_field(&callable, callable_field(op)))
        return uninitialised("staticmethod");
    PyObject *result = PyObject_Call(callable.func, args, kwds);
    method_ref_drop(&callable);
    return result;
}

static PyObject *staticmethod_repr(PyObject *op) { return repr(op, "staticmethod"); }

PyObject *PyStaticMethod_New(PyObject *callable) { return wrapper_new(&PyStaticMethod_Type, callable); }

PyTypeObject PyStaticMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "staticmethod",
    .tp_basicsize = sizeof(wrapper_object),
    .tp_dealloc = wrapper_dealloc,
    .tp_repr = staticmethod_repr,
    .tp_call = staticmethod_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "staticmethod(function) -> method\n\nA method that gets neither the instance nor the class.",
    .tp_traverse = wrapper_traverse,
    .tp_clear = wrapper_clear,
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getset,
    .tp_descr_get = staticmethod_descr_get,
    .tp_dictoffset = offsetof(wrapper_object, dict),
    .tp_init = staticmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = wrapper_tp_new,
    .tp_free = PyObject_GC_Del,
};
