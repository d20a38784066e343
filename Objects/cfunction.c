/* The type builtin_function_or_method: functions written in C, bound to self or a module.
 *
 * Each METH_ kind has a vectorcall of its own, chosen when the function is made. */
#include "Python.h"

#include "internal/call.h"

/* ---- Vectorcalls ---- */

static inline PyCFunction function_of(PyObject *func)
{
    return ((PyCFunctionObject *)func)->m_ml->ml_meth;
}

static inline PyObject *self_of(PyObject *func)
{
    return PyCFunction_GET_SELF(func);
}

/* Raises TypeError with "name() <text>"; text may hold one %zd. Returns NULL. */
static Py_COLD PyObject *arguments_error(PyObject *func, const char *text, Py_ssize_t given)
{
    PyObject *name = _PyObject_FunctionStr(func);
    if (name != NULL) {
        char buf[80];
        snprintf(buf, sizeof(buf), text, given);
        PyErr_Format(PyExc_TypeError, "%U %s", name, buf);
        Py_DECREF(name);
    }
    return NULL;
}

static inline int refuse_keywords(PyObject *func, PyObject *kwnames)
{
    if (Py_LIKELY(kwnames == NULL) || PyTuple_GET_SIZE(kwnames) == 0)
        return 0;
    arguments_error(func, "takes no keyword arguments", 0);
    return -1;
}

static PyObject *call_noargs(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (refuse_keywords(func, kwnames) < 0)
        return NULL;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (Py_UNLIKELY(n != 0))
        return arguments_error(func, "takes no arguments (%zd given)", n);
    if (call_enter() < 0)
        return NULL;
    PyObject *result = function_of(func)(self_of(func), NULL);
    call_leave();
    return result;
}

static PyObject *call_o(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (refuse_keywords(func, kwnames) < 0)
        return NULL;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (Py_UNLIKELY(n != 1))
        return arguments_error(func, "takes exactly one argument (%zd given)", n);
    if (call_enter() < 0)
        return NULL;
    PyObject *result = function_of(func)(self_of(func), args[0]);
    call_leave();
    return result;
}

static PyObject *call_fast(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (refuse_keywords(func, kwnames) < 0)
        return NULL;
    if (call_enter() < 0)
        return NULL;
    PyObject *result = ((PyCFunctionFast)(void (*)(void))function_of(func))(self_of(func), args,
                                                                            PyVectorcall_NARGS(nargsf));
    call_leave();
    return result;
}

static PyObject *call_fast_keywords(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (call_enter() < 0)
        return NULL;
    PyObject *result = ((PyCFunctionFastWithKeywords)(void (*)(void))function_of(func))(
        self_of(func), args, PyVectorcall_NARGS(nargsf), kwnames);
    call_leave();
    return result;
}

static PyObject *call_method(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *cls = ((PyCMethodObject *)func)->mm_class;
    if (call_enter() < 0)
        return NULL;
    PyObject *result = ((PyCMethod)(void (*)(void))function_of(func))(self_of(func), cls, args,
                                                                      (size_t)PyVectorcall_NARGS(nargsf), kwnames);
    call_leave();
    return result;
}

static PyObject *tuple_of_args(PyObject *const *args, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *call_varargs(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (refuse_keywords(func, kwnames) < 0)
        return NULL;
    PyObject *tuple = tuple_of_args(args, PyVectorcall_NARGS(nargsf));
    if (tuple == NULL)
        return NULL;
    PyObject *result = NULL;
    if (call_enter() == 0) {
        result = function_of(func)(self_of(func), tuple);
        call_leave();
    }
    Py_DECREF(tuple);
    return result;
}

static PyObject *call_varargs_keywords(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    PyObject *result = NULL, *dict = NULL, *tuple = tuple_of_args(args, n);
    if (tuple == NULL)
        return NULL;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        dict = call_stack_as_dict(args + n, kwnames);
        if (dict == NULL)
            goto done;
    }
    if (call_enter() == 0) {
        result = ((PyCFunctionWithKeywords)(void (*)(void))function_of(func))(self_of(func), tuple, dict);
        call_leave();
    }
done:
    Py_DECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

/* tp_call: METH_VARARGS functions get the tuple and dict as they are, all others go through their vectorcall. */
static PyObject *cfunction_call(PyObject *func, PyObject *args, PyObject *kwargs)
{
    PyCFunctionObject *f = (PyCFunctionObject *)func;
    int flags = f->m_ml->ml_flags;
    if (!(flags & METH_VARARGS))
        return PyVectorcall_Call(func, args, kwargs);
    if (flags & METH_KEYWORDS)
        return ((PyCFunctionWithKeywords)(void (*)(void))function_of(func))(self_of(func), args, kwargs);
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)
        return arguments_error(func, "takes no keyword arguments", 0);
    return function_of(func)(self_of(func), args);
}

/* NULL if the combination of flags makes no sense. */
static vectorcallfunc vectorcall_for(int flags)
{
    switch (flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_NOARGS:
        return call_noargs;
    case METH_O:
        return call_o;
    case METH_FASTCALL:
        return call_fast;
    case METH_FASTCALL | METH_KEYWORDS:
        return call_fast_keywords;
    case METH_FASTCALL | METH_KEYWORDS | METH_METHOD:
        return call_method;
    case METH_VARARGS:
        return call_varargs;
    case METH_VARARGS | METH_KEYWORDS:
        return call_varargs_keywords;
    default:
        return NULL;
    }
}

/* ---- Making them ---- */

PyObject *PyCMethod_New(PyMethodDef *ml, PyObject *self, PyObject *module, PyTypeObject *cls)
{
    vectorcallfunc vectorcall = vectorcall_for(ml->ml_flags);
    if (vectorcall == NULL) {
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", ml->ml_name);
        return NULL;
    }
    PyCFunctionObject *op;
    if (ml->ml_flags & METH_METHOD) {
        if (cls == NULL) {
            PyErr_SetString(PyExc_SystemError,
                            "attempting to create PyCMethod with a METH_METHOD flag but no class");
            return NULL;
        }
        PyCMethodObject *m = PyObject_GC_New(PyCMethodObject, &PyCMethod_Type);
        if (m == NULL)
            return NULL;
        m->mm_class = (PyTypeObject *)Py_NewRef(cls);
        op = &m->func;
    }
    else {
        if (cls != NULL) {
            PyErr_SetString(PyExc_SystemError,
                            "attempting to create PyCFunction with class but no METH_METHOD flag");
            return NULL;
        }
        op = PyObject_GC_New(PyCFunctionObject, &PyCFunction_Type);
        if (op == NULL)
            return NULL;
    }
    op->m_ml = ml;
    op->m_self = Py_XNewRef(self);
    op->m_module = Py_XNewRef(module);
    op->m_weakreflist = NULL;
    op->vectorcall = vectorcall;
    PyObject_GC_Track(op);
    return (PyObject *)op;
}

#undef PyCFunction_New
#undef PyCFunction_NewEx
PyObject *PyCFunction_New(PyMethodDef *ml, PyObject *self)
{
    return PyCMethod_New(ml, self, NULL, NULL);
}

PyObject *PyCFunction_NewEx(PyMethodDef *ml, PyObject *self, PyObject *module)
{
    return PyCMethod_New(ml, self, module, NULL);
}

PyCFunction PyCFunction_GetFunction(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_FUNCTION(op);
}

PyObject *PyCFunction_GetSelf(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_SELF(op);
}

int PyCFunction_GetFlags(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyCFunction_GET_FLAGS(op);
}

/* ---- Docs ---- */

/* The '(' after the name at the start of doc, or NULL. */
static const char *find_signature(const char *name, const char *doc)
{
    if (doc == NULL)
        return NULL;
    const char *dot = strrchr(name, '.');
    if (dot != NULL)
        name = dot + 1;
    size_t n = strlen(name);
    if (strncmp(doc, name, n) != 0 || doc[n] != '(')
        return NULL;
    return doc + n;
}

#define SIGNATURE_END ")\n--\n\n"

/* What follows the signature's end mark; NULL if the text has a blank line before any mark. */
static const char *skip_signature(const char *signature)
{
    for (const char *p = signature; *p != '\0'; p++) {
        if (*p == *SIGNATURE_END && strncmp(p, SIGNATURE_END, sizeof(SIGNATURE_END) - 1) == 0)
            return p + sizeof(SIGNATURE_END) - 1;
        if (p[0] == '\n' && p[1] == '\n')
            return NULL;
    }
    return NULL;
}

PyObject *_PyType_GetDocFromInternalDoc(const char *name, const char *doc)
{
    const char *signature = find_signature(name, doc), *rest = NULL;
    if (signature != NULL)
        rest = skip_signature(signature);
    if (rest == NULL)
        rest = doc;
    if (rest == NULL || *rest == '\0')
        Py_RETURN_NONE;
    return PyUnicode_FromString(rest);
}

PyObject *_PyType_GetTextSignatureFromInternalDoc(const char *name, const char *doc)
{
    const char *signature = find_signature(name, doc), *rest = NULL;
    if (signature != NULL)
        rest = skip_signature(signature);
    if (rest == NULL)
        Py_RETURN_NONE;
    Py_ssize_t length = rest - signature - (Py_ssize_t)(sizeof(SIGNATURE_END) - 2);   /* keeps the ')' */
    return PyUnicode_FromStringAndSize(signature, length);
}

/* ---- The type ---- */

static void cfunction_dealloc(PyObject *self)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    PyObject_GC_UnTrack(self);
    if (_PyObject_HAS_WEAKREFS(f->m_weakreflist))
        PyObject_ClearWeakRefs(self);
    /* before m_ml may go with the object that holds it */
    PyObject *cls = (PyObject *)PyCFunction_GET_CLASS(self);
    Py_XDECREF(cls);
    Py_XDECREF(f->m_self);
    Py_XDECREF(f->m_module);
    PyObject_GC_Del(self);
}

static int cfunction_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    Py_VISIT(f->m_self);
    Py_VISIT(f->m_module);
    Py_VISIT((PyObject *)PyCFunction_GET_CLASS(self));
    return 0;
}

static PyObject *cfunction_get_name(PyObject *self, void *closure)
{
    return PyUnicode_FromString(((PyCFunctionObject *)self)->m_ml->ml_name);
}

static PyObject *cfunction_get_qualname(PyObject *self, void *closure)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    PyObject *owner = f->m_self;
    if (owner == NULL || (value_is_heap(owner) && PyModule_Check(owner)))
        return PyUnicode_FromString(f->m_ml->ml_name);
    PyObject *type = PyType_Check(owner) ? owner : (PyObject *)Py_TYPE(owner);
    PyObject *type_name = PyObject_GetAttrString(type, "__qualname__");
    if (type_name == NULL)
        return NULL;
    PyObject *result = NULL;
    if (!PyUnicode_Check(type_name))
        PyErr_SetString(PyExc_TypeError, "<method>.__class__.__qualname__ is not a unicode object");
    else
        result = PyUnicode_FromFormat("%S.%s", type_name, f->m_ml->ml_name);
    Py_DECREF(type_name);
    return result;
}

static PyObject *cfunction_get_self(PyObject *self, void *closure)
{
    PyObject *owner = PyCFunction_GET_SELF(self);
    return Py_NewRef(owner == NULL ? Py_None : owner);
}

static PyObject *cfunction_get_doc(PyObject *self, void *closure)
{
    PyMethodDef *ml = ((PyCFunctionObject *)self)->m_ml;
    return _PyType_GetDocFromInternalDoc(ml->ml_name, ml->ml_doc);
}

static PyObject *cfunction_get_text_signature(PyObject *self, void *closure)
{
    PyMethodDef *ml = ((PyCFunctionObject *)self)->m_ml;
    return _PyType_GetTextSignatureFromInternalDoc(ml->ml_name, ml->ml_doc);
}

static PyObject *cfunction_get_module(PyObject *self, void *closure)
{
    PyObject *module;
    Py_BEGIN_CRITICAL_SECTION(self);
    module = Py_XNewRef(((PyCFunctionObject *)self)->m_module);
    Py_END_CRITICAL_SECTION();
    return module == NULL ? Py_None : module;
}

/* As the type's members in CPython: __module__ can be set and deleted. */
static int cfunction_set_module(PyObject *self, PyObject *value, void *closure)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = f->m_module;
    f->m_module = Py_XNewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyObject *cfunction_reduce(PyObject *self, PyObject *unused)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    if (f->m_self == NULL || PyModule_Check(f->m_self))
        return PyUnicode_FromString(f->m_ml->ml_name);
    PyObject *builtins = PyEval_GetBuiltins();      /* borrowed */
    PyObject *getattr = PyMapping_GetItemString(builtins, "getattr");
    if (getattr == NULL)
        return NULL;
    return Py_BuildValue("N(Os)", getattr, f->m_self, f->m_ml->ml_name);
}

static PyObject *cfunction_repr(PyObject *self)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    if (f->m_self == NULL || PyModule_Check(f->m_self))
        return PyUnicode_FromFormat("<built-in function %s>", f->m_ml->ml_name);
    return PyUnicode_FromFormat("<built-in method %s of %s object at %p>", f->m_ml->ml_name,
                                Py_TYPE(f->m_self)->tp_name, f->m_self);
}

static PyObject *cfunction_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCFunction_Check(self) || !PyCFunction_Check(other))
        Py_RETURN_NOTIMPLEMENTED;
    PyCFunctionObject *a = (PyCFunctionObject *)self, *b = (PyCFunctionObject *)other;
    int eq = a->m_self == b->m_self && a->m_ml->ml_meth == b->m_ml->ml_meth;
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static Py_hash_t cfunction_hash(PyObject *self)
{
    PyCFunctionObject *f = (PyCFunctionObject *)self;
    Py_hash_t h = _Py_HashPointer(f->m_self) ^ _Py_HashPointer((void *)(uintptr_t)f->m_ml->ml_meth);
    return h == -1 ? -2 : h;
}

static PyMethodDef cfunction_methods[] = {
    {"__reduce__", cfunction_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef cfunction_getset[] = {
    {"__doc__", cfunction_get_doc, NULL, NULL, NULL},
    {"__name__", cfunction_get_name, NULL, NULL, NULL},
    {"__qualname__", cfunction_get_qualname, NULL, NULL, NULL},
    {"__self__", cfunction_get_self, NULL, NULL, NULL},
    {"__text_signature__", cfunction_get_text_signature, NULL, NULL, NULL},
    {"__module__", cfunction_get_module, cfunction_set_module, NULL, NULL},
    {NULL},
};

PyTypeObject PyCFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "builtin_function_or_method",
    .tp_basicsize = sizeof(PyCFunctionObject),
    .tp_dealloc = cfunction_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_repr = cfunction_repr,
    .tp_hash = cfunction_hash,
    .tp_call = cfunction_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = cfunction_traverse,
    .tp_richcompare = cfunction_richcompare,
    .tp_weaklistoffset = offsetof(PyCFunctionObject, m_weakreflist),
    .tp_methods = cfunction_methods,
    .tp_getset = cfunction_getset,
};

PyTypeObject PyCMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "builtin_method",
    .tp_basicsize = sizeof(PyCMethodObject),
    .tp_dealloc = cfunction_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_call = cfunction_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = cfunction_traverse,
    .tp_base = &PyCFunction_Type,
};
