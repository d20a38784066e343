/* Bound methods, and instance methods (a callable of C that binds like a function). */
#include "Python.h"

#include "call.h"
#include "instance.h"
#include "memory.h"
#include "type.h"
#include "unicode.h"

/* ---- Calling ---- */

static PyObject *method_vectorcall(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *func = PyMethod_GET_FUNCTION(method), *self = PyMethod_GET_SELF(method);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        PyObject **shifted = (PyObject **)args - 1, *saved = shifted[0];
        shifted[0] = self;
        PyObject *result = call_vectorcall(func, shifted, (size_t)nargs + 1, kwnames);
        shifted[0] = saved;
        return result;
    }
    Py_ssize_t total = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    PyObject *room[8], **stack = room;
    if (total + 1 > 8 && (stack = PyMem_Malloc(((size_t)total + 1) * sizeof(*stack))) == NULL)
        return PyErr_NoMemory();
    stack[0] = self;
    if (total > 0)
        memcpy(stack + 1, args, (size_t)total * sizeof(*stack));
    PyObject *result = call_vectorcall(func, stack, (size_t)nargs + 1, kwnames);
    if (stack != room)
        PyMem_Free(stack);
    return result;
}

PyObject *PyMethod_New(PyObject *func, PyObject *self)
{
    if (self == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyMethodObject *method = (PyMethodObject *)object_new_gc(&PyMethod_Type, sizeof(*method));
    if (method == NULL)
        return NULL;
    method->im_func_uncounted = object_is_deferred(func);
    method->im_func = method->im_func_uncounted ? func : Py_NewRef(func);
    method->im_self_uncounted = object_is_deferred(self);
    method->im_self = method->im_self_uncounted ? self : Py_NewRef(self);
    method->im_weakreflist = NULL;
    method->vectorcall = method_vectorcall;
    object_track((PyObject *)method);
    return (PyObject *)method;
}

PyObject *PyMethod_Function(PyObject *method)
{
    if (!PyMethod_Check(method)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_FUNCTION(method);
}

PyObject *PyMethod_Self(PyObject *method)
{
    if (!PyMethod_Check(method)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_SELF(method);
}

/* ---- Life ---- */

static PyObject *method_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func, *self;
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "method() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "method", 2, 2, &func, &self))
        return NULL;
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return NULL;
    }
    if (self == Py_None) {
        PyErr_SetString(PyExc_TypeError, "instance must not be None");
        return NULL;
    }
    return PyMethod_New(func, self);
}

static void method_dealloc(PyObject *op)
{
    PyMethodObject *method = (PyMethodObject *)op;
    object_untrack(op);
    if (_PyObject_HAS_WEAKREFS(method->im_weakreflist))
        PyObject_ClearWeakRefs(op);
    if (!method->im_func_uncounted)
        Py_DECREF(method->im_func);
    if (!method->im_self_uncounted)
        Py_DECREF(method->im_self);
    object_free_gc(op);
}

static int method_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyMethodObject *method = (PyMethodObject *)op;
    if (method->im_func_uncounted)
        Py_VISIT_UNCOUNTED(method->im_func);
    else
        Py_VISIT(method->im_func);
    if (method->im_self_uncounted)
        Py_VISIT_UNCOUNTED(method->im_self);
    else
        Py_VISIT(method->im_self);
    return 0;
}

/* ---- Attributes ---- */

/* What the type method does not have is looked up on the function. */
static PyObject *method_getattro(PyObject *op, PyObject *name)
{
    PyObject *descr;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (type_lookup_ref(Py_TYPE(op), name, &descr, NULL) < 0)
        return NULL;
    if (descr == NULL)
        return PyObject_GetAttr(PyMethod_GET_FUNCTION(op), name);
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (get != NULL)
        Py_SETREF(descr, get(descr, op, (PyObject *)Py_TYPE(op)));
    return descr;
}

static PyObject *method_get_doc(PyObject *op, void *closure)
{
    return PyObject_GetAttr(PyMethod_GET_FUNCTION(op), STR(__doc__));
}

static PyObject *method_reduce(PyObject *op, PyObject *unused)
{
    PyObject *name = PyObject_GetAttr(PyMethod_GET_FUNCTION(op), STR(__name__));
    PyObject *getattr = name != NULL ? object_get_builtin(STR(getattr)) : NULL;
    PyObject *result = getattr != NULL ? Py_BuildValue("N(ON)", getattr, PyMethod_GET_SELF(op), name) : NULL;
    if (getattr == NULL)
        Py_XDECREF(name);
    return result;
}

static PyMethodDef method_methods[] = {
    {"__reduce__", method_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}
};
static PyMemberDef method_members[] = {
    {"__func__", T_OBJECT, offsetof(PyMethodObject, im_func), READONLY | _Py_MEMBER_LOCK_FREE, "The function or other callable."},
    {"__self__", T_OBJECT, offsetof(PyMethodObject, im_self), READONLY | _Py_MEMBER_LOCK_FREE, "The object it is bound to."},
    {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef method_getset[] = {{"__doc__", method_get_doc, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};

static PyObject *method_repr(PyObject *op)
{
    PyObject *func = PyMethod_GET_FUNCTION(op), *name, *result;
    if (PyObject_GetOptionalAttr(func, STR(__qualname__), &name) < 0
        || (name == NULL && PyObject_GetOptionalAttr(func, STR(__name__), &name) < 0))
        return NULL;
    if (name != NULL && !PyUnicode_Check(name))
        Py_CLEAR(name);
    if (name != NULL)
        result = PyUnicode_FromFormat("<bound method %U of %R>", name, PyMethod_GET_SELF(op));
    else
        result = PyUnicode_FromFormat("<bound method ? of %R>", PyMethod_GET_SELF(op));
    Py_XDECREF(name);
    return result;
}

static PyObject *method_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMethod_Check(a) || !PyMethod_Check(b))
        return Py_NotImplemented;
    int equal = PyObject_RichCompareBool(PyMethod_GET_FUNCTION(a), PyMethod_GET_FUNCTION(b), Py_EQ);
    if (equal < 0)
        return NULL;
    equal = equal && PyMethod_GET_SELF(a) == PyMethod_GET_SELF(b);
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t method_hash(PyObject *op)
{
    if (call_check_stack(" while hashing a method"))
        return -1;
    Py_hash_t x = _Py_HashPointer(PyMethod_GET_SELF(op)), y = PyObject_Hash(PyMethod_GET_FUNCTION(op));
    if (y == -1)
        return -1;
    x ^= y;
    return x == -1 ? -2 : x;
}


PyTypeObject PyMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "method",
    .tp_basicsize = sizeof(PyMethodObject),
    .tp_dealloc = method_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodObject, vectorcall),
    .tp_repr = method_repr,
    .tp_hash = method_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = method_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "method(function, instance)\n--\n\nA method bound to an instance.",
    .tp_traverse = method_traverse,
    .tp_richcompare = method_richcompare,
    .tp_weaklistoffset = offsetof(PyMethodObject, im_weakreflist),
    .tp_methods = method_methods,
    .tp_members = method_members,
    .tp_getset = method_getset,
    .tp_new = method_new,
};

/* ---- instancemethod ---- */

PyObject *PyInstanceMethod_New(PyObject *func)
{
    PyInstanceMethodObject *method = (PyInstanceMethodObject *)object_new_gc(&PyInstanceMethod_Type, sizeof(*method));
    if (method == NULL)
        return NULL;
    method->func = Py_NewRef(func);
    object_track((PyObject *)method);
    return (PyObject *)method;
}

PyObject *PyInstanceMethod_Function(PyObject *method)
{
    if (!PyInstanceMethod_Check(method)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyInstanceMethod_GET_FUNCTION(method);
}

static PyObject *instancemethod_getattro(PyObject *op, PyObject *name)
{
    PyObject *descr;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (type_lookup_ref(Py_TYPE(op), name, &descr, NULL) < 0)
        return NULL;
    if (descr == NULL)
        return PyObject_GetAttr(PyInstanceMethod_GET_FUNCTION(op), name);
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (get != NULL)
        Py_SETREF(descr, get(descr, op, (PyObject *)Py_TYPE(op)));
    return descr;
}

static void instancemethod_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_DECREF(PyInstanceMethod_GET_FUNCTION(op));
    object_free_gc(op);
}

static int instancemethod_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(PyInstanceMethod_GET_FUNCTION(op));
    return 0;
}

static PyObject *instancemethod_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    return PyObject_Call(PyInstanceMethod_GET_FUNCTION(op), args, kwds);
}

static PyObject *instancemethod_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyObject *func = PyInstanceMethod_GET_FUNCTION(op);
    return obj == NULL ? Py_NewRef(func) : PyMethod_New(func, obj);
}

static PyObject *instancemethod_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyInstanceMethod_Check(a) || !PyInstanceMethod_Check(b))
        return Py_NotImplemented;
    int equal = PyObject_RichCompareBool(PyInstanceMethod_GET_FUNCTION(a), PyInstanceMethod_GET_FUNCTION(b), Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *instancemethod_repr(PyObject *op)
{
    PyObject *func = PyInstanceMethod_GET_FUNCTION(op), *name;
    if (PyObject_GetOptionalAttr(func, STR(__name__), &name) < 0)
        return NULL;
    if (name != NULL && !PyUnicode_Check(name))
        Py_CLEAR(name);
    PyObject *result = name != NULL ? PyUnicode_FromFormat("<instancemethod %U at %p>", name, op)
                                    : PyUnicode_FromFormat("<instancemethod ? at %p>", op);
    Py_XDECREF(name);
    return result;
}

static PyObject *instancemethod_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func;
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "instancemethod() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "instancemethod", 1, 1, &func))
        return NULL;
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return NULL;
    }
    return PyInstanceMethod_New(func);
}

static PyObject *instancemethod_get_doc(PyObject *op, void *closure)
{
    return PyObject_GetAttr(PyInstanceMethod_GET_FUNCTION(op), STR(__doc__));
}

static PyMemberDef instancemethod_members[] = {
    {"__func__", T_OBJECT, offsetof(PyInstanceMethodObject, func), READONLY | _Py_MEMBER_LOCK_FREE, "The callable."}, {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef instancemethod_getset[] = {
    {"__doc__", instancemethod_get_doc, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}
};

PyTypeObject PyInstanceMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "instancemethod",
    .tp_basicsize = sizeof(PyInstanceMethodObject),
    .tp_dealloc = instancemethod_dealloc,
    .tp_repr = instancemethod_repr,
    .tp_call = instancemethod_call,
    .tp_getattro = instancemethod_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "instancemethod(function)\n--\n\nBinds any callable to the instance that it is read from.",
    .tp_traverse = instancemethod_traverse,
    .tp_richcompare = instancemethod_richcompare,
    .tp_members = instancemethod_members,
    .tp_getset = instancemethod_getset,
    .tp_descr_get = instancemethod_descr_get,
    .tp_new = instancemethod_new,
};
