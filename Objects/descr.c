/* Descriptors of C types: methods, class methods, members, getters and setters, slot wrappers. */
#include "Python.h"

#include "call.h"
#include "memory.h"
#include "tuple.h"
#include "type.h"
#include "unicode.h"

/* ---- Shared ---- */

static void descr_dealloc(PyObject *op)
{
    PyDescrObject *descr = (PyDescrObject *)op;
    object_untrack(op);
    Py_XDECREF(descr->d_type);
    Py_XDECREF(descr->d_name);
    Py_XDECREF(descr->d_qualname);
    PyObject_GC_Del(op);
}

static int descr_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyDescrObject *)op)->d_type);
    return 0;
}

/* Descriptors of static types live for ever; those of heap types die with the class. */
static PyDescrObject *descr_new(PyTypeObject *kind, PyTypeObject *type, const char *name)
{
    PyDescrObject *descr = (PyDescrObject *)object_new_gc(kind, (size_t)kind->tp_basicsize);
    if (descr == NULL)
        return NULL;
    memset((char *)descr + sizeof(PyObject), 0, (size_t)kind->tp_basicsize - sizeof(PyObject));
    descr->d_type = (PyTypeObject *)Py_XNewRef(type);
    descr->d_name = PyUnicode_InternFromString(name);
    if (descr->d_name == NULL) {
        Py_DECREF(descr);
        return NULL;
    }
    if (type != NULL && !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        object_set_immortal((PyObject *)descr);
    else {
        object_set_deferred((PyObject *)descr);
        object_track((PyObject *)descr);
    }
    return descr;
}

static PyObject *descr_name(PyDescrObject *descr) { return descr->d_name; }

static PyObject *descr_repr(PyDescrObject *descr, const char *format)
{
    return PyUnicode_FromFormat(format, descr->d_name, descr->d_type->tp_name);
}
static PyObject *method_repr(PyObject *op) { return descr_repr((PyDescrObject *)op, "<method '%U' of '%s' objects>"); }
static PyObject *member_repr(PyObject *op) { return descr_repr((PyDescrObject *)op, "<member '%U' of '%s' objects>"); }
static PyObject *getset_repr(PyObject *op) { return descr_repr((PyDescrObject *)op, "<attribute '%U' of '%s' objects>"); }
static PyObject *wrapper_repr(PyObject *op) { return descr_repr((PyDescrObject *)op, "<slot wrapper '%U' of '%s' objects>"); }

/* 1 if obj is one of the descriptor's class; else 0 with TypeError. */
static int check_object(PyDescrObject *descr, PyObject *obj)
{
    if (PyObject_TypeCheck(obj, descr->d_type))
        return 1;
    PyErr_Format(PyExc_TypeError, "descriptor '%U' for '%.100s' objects doesn't apply to a '%.100s' object",
                 descr_name(descr), descr->d_type->tp_name, Py_TYPE(obj)->tp_name);
    return 0;
}

static PyObject *descr_get_qualname(PyObject *op, void *closure)
{
    PyDescrObject *descr = (PyDescrObject *)op;
    PyObject *found = __atomic_load_n(&descr->d_qualname, __ATOMIC_ACQUIRE);
    if (found != NULL)
        return Py_NewRef(found);
    PyObject *type_name = PyObject_GetAttr((PyObject *)descr->d_type, STR(__qualname__));
    if (type_name == NULL)
        return NULL;
    if (!PyUnicode_Check(type_name)) {
        PyErr_SetString(PyExc_TypeError, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
        Py_DECREF(type_name);
        return NULL;
    }
    PyObject *name = PyUnicode_FromFormat("%S.%S", type_name, descr->d_name), *none = NULL;
    Py_DECREF(type_name);
    if (name == NULL)
        return NULL;
    object_publish(name);
    if (__atomic_compare_exchange_n(&descr->d_qualname, &none, name, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return Py_NewRef(name);
    Py_DECREF(name);
    return Py_NewRef(none);
}

static PyObject *descr_reduce(PyObject *op, PyObject *unused)
{
    PyDescrObject *descr = (PyDescrObject *)op;
    PyObject *getattr = object_get_builtin(STR(getattr));
    return getattr != NULL ? Py_BuildValue("N(OO)", getattr, descr->d_type, descr->d_name) : NULL;
}

static PyMethodDef descr_methods[] = {{"__reduce__", descr_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyMemberDef descr_members[] = {
    {"__objclass__", T_OBJECT, offsetof(PyDescrObject, d_type), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__name__", T_OBJECT, offsetof(PyDescrObject, d_name), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {NULL, 0, 0, 0, NULL}
};

static PyObject *doc_or_none(const char *doc) { return doc != NULL ? PyUnicode_FromString(doc) : Py_None; }

#define DESCR_TYPE_FIELDS(text, structure, show, methods, getsets) \
    .tp_name = text, .tp_basicsize = sizeof(structure), .tp_dealloc = descr_dealloc, .tp_repr = show, \
    .tp_getattro = PyObject_GenericGetAttr, .tp_traverse = descr_traverse, .tp_methods = methods, \
    .tp_members = descr_members, .tp_getset = getsets, .tp_free = PyObject_GC_Del

/* ---- Methods ---- */

static PyObject *method_get_doc(PyObject *op, void *closure)
{
    PyMethodDef *m = ((PyMethodDescrObject *)op)->d_method;
    return _PyType_GetDocFromInternalDoc(m->ml_name, m->ml_doc);
}
static PyObject *method_get_signature(PyObject *op, void *closure)
{
    PyMethodDef *m = ((PyMethodDescrObject *)op)->d_method;
    return _PyType_GetTextSignatureFromInternalDoc(m->ml_name, m->ml_doc);
}
static PyGetSetDef method_getset[] = {
    {"__doc__", method_get_doc, NULL, NULL, NULL},
    {"__qualname__", descr_get_qualname, NULL, NULL, NULL},
    {"__text_signature__", method_get_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyObject *method_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)op;
    if (obj == NULL)
        return Py_NewRef(op);
    if (!check_object((PyDescrObject *)op, obj))
        return NULL;
    if (descr->d_method->ml_flags & METH_METHOD)
        return PyCMethod_New(descr->d_method, obj, NULL, descr->d_common.d_type);
    return PyCFunction_NewEx(descr->d_method, obj, NULL);
}

/* Checks self (args[0]) and keywords; 1, or 0 with an exception. */
static int check_call(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *name;
    if (nargs < 1) {
        name = _PyObject_FunctionStr(op);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "unbound method %U needs an argument", name);
        Py_XDECREF(name);
        return 0;
    }
    if (!check_object((PyDescrObject *)op, args[0]))
        return 0;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        name = _PyObject_FunctionStr(op);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%U takes no keyword arguments", name);
        Py_XDECREF(name);
        return 0;
    }
    return 1;
}

static PyObject *wrong_count(PyObject *op, const char *format, Py_ssize_t n)
{
    PyObject *name = _PyObject_FunctionStr(op);
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, format, name, n);
    Py_XDECREF(name);
    return NULL;
}

#define FUNCTION(op) (((PyMethodDescrObject *)(op))->d_method->ml_meth)
#define GUARDED(call) \
    do { \
        if (Py_EnterRecursiveCall(" while calling a Python object")) \
            return NULL; \
        PyObject *result_ = (call); \
        Py_LeaveRecursiveCall(); \
        return result_; \
    } while (0)

static PyObject *call_noargs(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, kwnames))
        return NULL;
    if (nargs != 1)
        return wrong_count(op, "%U takes no arguments (%zd given)", nargs - 1);
    GUARDED(FUNCTION(op)(args[0], NULL));
}

static PyObject *call_o(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, kwnames))
        return NULL;
    if (nargs != 2)
        return wrong_count(op, "%U takes exactly one argument (%zd given)", nargs - 1);
    GUARDED(FUNCTION(op)(args[0], args[1]));
}

static PyObject *call_fast(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, kwnames))
        return NULL;
    GUARDED(((_PyCFunctionFast)(void (*)(void))FUNCTION(op))(args[0], args + 1, nargs - 1));
}

static PyObject *call_fast_keywords(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, NULL))
        return NULL;
    GUARDED(((_PyCFunctionFastWithKeywords)(void (*)(void))FUNCTION(op))(args[0], args + 1, nargs - 1, kwnames));
}

static PyObject *call_method(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, NULL))
        return NULL;
    GUARDED(((PyCMethod)(void (*)(void))FUNCTION(op))(args[0], ((PyDescrObject *)op)->d_type, args + 1,
                                                       (size_t)(nargs - 1), kwnames));
}

static PyObject *call_varargs(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, kwnames))
        return NULL;
    PyObject *tuple = tuple_from_array(args + 1, nargs - 1), *result = NULL;
    if (tuple == NULL)
        return NULL;
    if (Py_EnterRecursiveCall(" while calling a Python object") == 0) {
        result = FUNCTION(op)(args[0], tuple);
        Py_LeaveRecursiveCall();
    }
    Py_DECREF(tuple);
    return result;
}

static PyObject *call_varargs_keywords(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!check_call(op, args, nargs, NULL))
        return NULL;
    PyObject *tuple = tuple_from_array(args + 1, nargs - 1), *dict = NULL, *result = NULL;
    if (tuple == NULL)
        return NULL;
    if ((kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0 || (dict = call_stack_as_dict(args + nargs, kwnames)) != NULL)
        && Py_EnterRecursiveCall(" while calling a Python object") == 0) {
        result = ((PyCFunctionWithKeywords)(void (*)(void))FUNCTION(op))(args[0], tuple, dict);
        Py_LeaveRecursiveCall();
    }
    Py_DECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

static vectorcallfunc choose_call(int flags)
{
    switch (flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS: return call_varargs;
    case METH_VARARGS | METH_KEYWORDS: return call_varargs_keywords;
    case METH_FASTCALL: return call_fast;
    case METH_FASTCALL | METH_KEYWORDS: return call_fast_keywords;
    case METH_NOARGS: return call_noargs;
    case METH_O: return call_o;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS: return call_method;
    default: return NULL;
    }
}

PyObject *PyDescr_NewMethod(PyTypeObject *type, PyMethodDef *method)
{
    vectorcallfunc call = choose_call(method->ml_flags);
    if (call == NULL) {
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", method->ml_name);
        return NULL;
    }
    PyMethodDescrObject *descr = (PyMethodDescrObject *)descr_new(&PyMethodDescr_Type, type, method->ml_name);
    if (descr != NULL) {
        descr->d_method = method;
        descr->vectorcall = call;
    }
    return (PyObject *)descr;
}

PyTypeObject PyMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    DESCR_TYPE_FIELDS("method_descriptor", PyMethodDescrObject, method_repr, descr_methods, method_getset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_vectorcall_offset = offsetof(PyMethodDescrObject, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_descr_get = method_get,
};

/* ---- Class methods ---- */

static PyObject *classmethod_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)op;
    PyDescrObject *common = &descr->d_common;
    if (type == NULL) {
        if (obj != NULL)
            type = (PyObject *)Py_TYPE(obj);
        else {
            PyErr_Format(PyExc_TypeError, "descriptor '%U' for type '%.100s' needs either an object or a type",
                         common->d_name, common->d_type->tp_name);
            return NULL;
        }
    }
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' for type '%.100s' needs a type, not a '%.100s' as arg 2",
                     common->d_name, common->d_type->tp_name, Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, common->d_type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' requires a subtype of '%.100s' but received '%.100s'",
                     common->d_name, common->d_type->tp_name, ((PyTypeObject *)type)->tp_name);
        return NULL;
    }
    PyTypeObject *cls = descr->d_method->ml_flags & METH_METHOD ? common->d_type : NULL;
    return PyCMethod_New(descr->d_method, type, NULL, cls);
}

static PyObject *classmethod_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    PyDescrObject *common = (PyDescrObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument", common->d_name,
                     common->d_type->tp_name);
        return NULL;
    }
    PyObject *bound = classmethod_get(op, NULL, PyTuple_GET_ITEM(args, 0));
    if (bound == NULL)
        return NULL;
    PyObject *rest = PyTuple_GetSlice(args, 1, n);
    PyObject *result = rest != NULL ? PyObject_Call(bound, rest, kwds) : NULL;
    Py_XDECREF(rest);
    Py_DECREF(bound);
    return result;
}

PyObject *PyDescr_NewClassMethod(PyTypeObject *type, PyMethodDef *method)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)descr_new(&PyClassMethodDescr_Type, type, method->ml_name);
    if (descr != NULL)
        descr->d_method = method;
    return (PyObject *)descr;
}

PyTypeObject PyClassMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    DESCR_TYPE_FIELDS("classmethod_descriptor", PyMethodDescrObject, method_repr, NULL, method_getset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_call = classmethod_call,
    .tp_descr_get = classmethod_get,
};

/* ---- Members ---- */

static PyObject *member_get_doc(PyObject *op, void *closure)
{
    return doc_or_none(((PyMemberDescrObject *)op)->d_member->doc);
}
static PyGetSetDef member_getset[] = {
    {"__doc__", member_get_doc, NULL, NULL, NULL},
    {"__qualname__", descr_get_qualname, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyObject *member_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyMemberDescrObject *descr = (PyMemberDescrObject *)op;
    if (obj == NULL)
        return Py_NewRef(op);
    if (!check_object((PyDescrObject *)op, obj))
        return NULL;
    if ((descr->d_member->flags & READ_RESTRICTED)
        && PySys_Audit("object.__getattr__", "Os", obj, descr->d_member->name) < 0)
        return NULL;
    return PyMember_GetOne((const char *)obj, descr->d_member);
}

static int member_set(PyObject *op, PyObject *obj, PyObject *value)
{
    if (!check_object((PyDescrObject *)op, obj))
        return -1;
    return PyMember_SetOne((char *)obj, ((PyMemberDescrObject *)op)->d_member, value);
}

PyObject *PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member)
{
    PyMemberDescrObject *descr = (PyMemberDescrObject *)descr_new(&PyMemberDescr_Type, type, member->name);
    if (descr != NULL)
        descr->d_member = member;
    return (PyObject *)descr;
}

int descr_get_object_member(PyObject *descr, PyTypeObject *type, uint32_t *offset, int *read_only)
{
    if (!heap_is_type(descr, &PyMemberDescr_Type))
        return 0;
    PyMemberDef *member = ((PyMemberDescrObject *)descr)->d_member;
    PyTypeObject *owner = PyDescr_TYPE(descr);
    /* only members of __slots__: what C types store there need not be published */
    if (member->type != T_OBJECT_EX || owner->tp_private == NULL || owner->tp_private->member_count == 0
        || member < owner->tp_private->members || member >= owner->tp_private->members + owner->tp_private->member_count
        || !PyType_IsSubtype(type, owner))
        return 0;
    *offset = (uint32_t)member->offset;
    *read_only = (member->flags & READONLY) != 0;
    return 1;
}

PyTypeObject PyMemberDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    DESCR_TYPE_FIELDS("member_descriptor", PyMemberDescrObject, member_repr, descr_methods, member_getset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_descr_get = member_get,
    .tp_descr_set = member_set,
};

/* ---- Getters and setters ---- */

static PyObject *getset_get_doc(PyObject *op, void *closure)
{
    return doc_or_none(((PyGetSetDescrObject *)op)->d_getset->doc);
}
static PyGetSetDef getset_getset[] = {
    {"__doc__", getset_get_doc, NULL, NULL, NULL},
    {"__qualname__", descr_get_qualname, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyObject *getset_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyGetSetDescrObject *descr = (PyGetSetDescrObject *)op;
    if (obj == NULL)
        return Py_NewRef(op);
    if (!check_object((PyDescrObject *)op, obj))
        return NULL;
    if (descr->d_getset->get != NULL)
        return descr->d_getset->get(obj, descr->d_getset->closure);
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not readable", descr->d_common.d_name,
                 descr->d_common.d_type->tp_name);
    return NULL;
}

static int getset_set(PyObject *op, PyObject *obj, PyObject *value)
{
    PyGetSetDescrObject *descr = (PyGetSetDescrObject *)op;
    if (!check_object((PyDescrObject *)op, obj))
        return -1;
    if (descr->d_getset->set != NULL)
        return descr->d_getset->set(obj, value, descr->d_getset->closure);
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not writable", descr->d_common.d_name,
                 descr->d_common.d_type->tp_name);
    return -1;
}

PyObject *PyDescr_NewGetSet(PyTypeObject *type, PyGetSetDef *getset)
{
    PyGetSetDescrObject *descr = (PyGetSetDescrObject *)descr_new(&PyGetSetDescr_Type, type, getset->name);
    if (descr != NULL)
        descr->d_getset = getset;
    return (PyObject *)descr;
}

PyTypeObject PyGetSetDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    DESCR_TYPE_FIELDS("getset_descriptor", PyGetSetDescrObject, getset_repr, NULL, getset_getset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_descr_get = getset_get,
    .tp_descr_set = getset_set,
};

/* ---- Slot wrappers ---- */

static PyObject *wrapper_get_doc(PyObject *op, void *closure)
{
    struct wrapperbase *base = ((PyWrapperDescrObject *)op)->d_base;
    return _PyType_GetDocFromInternalDoc(base->name, base->doc);
}
static PyObject *wrapper_get_signature(PyObject *op, void *closure)
{
    struct wrapperbase *base = ((PyWrapperDescrObject *)op)->d_base;
    return _PyType_GetTextSignatureFromInternalDoc(base->name, base->doc);
}
static PyGetSetDef wrapper_getset[] = {
    {"__doc__", wrapper_get_doc, NULL, NULL, NULL},
    {"__qualname__", descr_get_qualname, NULL, NULL, NULL},
    {"__text_signature__", wrapper_get_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyObject *call_slot(PyWrapperDescrObject *descr, PyObject *self, PyObject *args, PyObject *kwds)
{
    if (descr->d_base->flags & PyWrapperFlag_KEYWORDS)
        return ((wrapperfunc_kwds)(void (*)(void))descr->d_base->wrapper)(self, args, descr->d_wrapped, kwds);
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_Format(PyExc_TypeError, "wrapper %s() takes no keyword arguments", descr->d_base->name);
        return NULL;
    }
    return descr->d_base->wrapper(self, args, descr->d_wrapped);
}

static PyObject *wrapper_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    PyWrapperDescrObject *descr = (PyWrapperDescrObject *)op;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument", descr->d_common.d_name,
                     descr->d_common.d_type->tp_name);
        return NULL;
    }
    PyObject *self = PyTuple_GET_ITEM(args, 0);
    if (!PyObject_TypeCheck(self, descr->d_common.d_type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' requires a '%.100s' object but received a '%.100s'",
                     descr->d_common.d_name, descr->d_common.d_type->tp_name, Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, n);
    if (rest == NULL)
        return NULL;
    PyObject *result = call_slot(descr, self, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyObject *wrapper_get(PyObject *op, PyObject *obj, PyObject *type)
{
    if (obj == NULL)
        return Py_NewRef(op);
    return check_object((PyDescrObject *)op, obj) ? PyWrapper_New(op, obj) : NULL;
}

PyObject *PyDescr_NewWrapper(PyTypeObject *type, struct wrapperbase *base, void *wrapped)
{
    PyWrapperDescrObject *descr = (PyWrapperDescrObject *)descr_new(&PyWrapperDescr_Type, type, base->name);
    if (descr != NULL) {
        descr->d_base = base;
        descr->d_wrapped = wrapped;
    }
    return (PyObject *)descr;
}

PyTypeObject PyWrapperDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    DESCR_TYPE_FIELDS("wrapper_descriptor", PyWrapperDescrObject, wrapper_repr, descr_methods, wrapper_getset),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_call = wrapper_call,
    .tp_descr_get = wrapper_get,
};

/* ---- A slot wrapper bound to an object ---- */

typedef struct {
    PyObject_HEAD
    PyWrapperDescrObject *descr;
    PyObject *self;
} bound_wrapper;

PyObject *PyWrapper_New(PyObject *descr, PyObject *self)
{
    bound_wrapper *bound = (bound_wrapper *)object_new_gc(&_PyMethodWrapper_Type, sizeof(*bound));
    if (bound == NULL)
        return NULL;
    bound->descr = (PyWrapperDescrObject *)Py_NewRef(descr);
    bound->self = Py_NewRef(self);
    object_track((PyObject *)bound);
    return (PyObject *)bound;
}

static void bound_dealloc(PyObject *op)
{
    object_untrack(op);
    Py_XDECREF(((bound_wrapper *)op)->descr);
    Py_XDECREF(((bound_wrapper *)op)->self);
    object_free_gc(op);
}

static int bound_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((bound_wrapper *)op)->descr);
    Py_VISIT(((bound_wrapper *)op)->self);
    return 0;
}

static PyObject *bound_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    return call_slot(((bound_wrapper *)op)->descr, ((bound_wrapper *)op)->self, args, kwds);
}

static PyObject *bound_repr(PyObject *op)
{
    bound_wrapper *bound = (bound_wrapper *)op;
    return PyUnicode_FromFormat("<method-wrapper '%s' of %s object at %p>", bound->descr->d_base->name,
                                Py_TYPE(bound->self)->tp_name, bound->self);
}

static PyObject *bound_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(a, &_PyMethodWrapper_Type) || !Py_IS_TYPE(b, &_PyMethodWrapper_Type))
        return Py_NotImplemented;
    bound_wrapper *x = (bound_wrapper *)a, *y = (bound_wrapper *)b;
    int equal = x->descr == y->descr && x->self == y->self;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t bound_hash(PyObject *op)
{
    Py_hash_t h = _Py_HashPointer(((bound_wrapper *)op)->self) ^ _Py_HashPointer(((bound_wrapper *)op)->descr);
    return h == -1 ? -2 : h;
}

static PyObject *bound_reduce(PyObject *op, PyObject *unused)
{
    bound_wrapper *bound = (bound_wrapper *)op;
    PyObject *getattr = object_get_builtin(STR(getattr));
    return getattr != NULL ? Py_BuildValue("N(OO)", getattr, bound->self, bound->descr->d_common.d_name) : NULL;
}

static PyObject *bound_get_objclass(PyObject *op, void *closure)
{
    return Py_NewRef(((bound_wrapper *)op)->descr->d_common.d_type);
}
static PyObject *bound_get_name(PyObject *op, void *closure)
{
    return PyUnicode_FromString(((bound_wrapper *)op)->descr->d_base->name);
}
static PyObject *bound_get_doc(PyObject *op, void *closure)
{
    return wrapper_get_doc((PyObject *)((bound_wrapper *)op)->descr, NULL);
}
static PyObject *bound_get_signature(PyObject *op, void *closure)
{
    return wrapper_get_signature((PyObject *)((bound_wrapper *)op)->descr, NULL);
}
static PyObject *bound_get_qualname(PyObject *op, void *closure)
{
    return descr_get_qualname((PyObject *)((bound_wrapper *)op)->descr, NULL);
}

static PyMethodDef bound_methods[] = {{"__reduce__", bound_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyMemberDef bound_members[] = {
    {"__self__", T_OBJECT, offsetof(bound_wrapper, self), READONLY | _Py_MEMBER_LOCK_FREE, NULL}, {NULL, 0, 0, 0, NULL}
};
static PyGetSetDef bound_getset[] = {
    {"__objclass__", bound_get_objclass, NULL, NULL, NULL},
    {"__name__", bound_get_name, NULL, NULL, NULL},
    {"__qualname__", bound_get_qualname, NULL, NULL, NULL},
    {"__doc__", bound_get_doc, NULL, NULL, NULL},
    {"__text_signature__", bound_get_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

PyTypeObject _PyMethodWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "method-wrapper",
    .tp_basicsize = sizeof(bound_wrapper),
    .tp_dealloc = bound_dealloc,
    .tp_repr = bound_repr,
    .tp_hash = bound_hash,
    .tp_call = bound_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = bound_traverse,
    .tp_richcompare = bound_richcompare,
    .tp_methods = bound_methods,
    .tp_members = bound_members,
    .tp_getset = bound_getset,
    .tp_free = PyObject_GC_Del,
};

int PyDescr_IsData(PyObject *op) { return Py_TYPE(op)->tp_descr_set != NULL; }
