/* Python functions. */
#include "Python.h"

#include "function.h"
#include "memory.h"
#include "structmember.h"
#include "thread_state.h"
#include "well_known_strings.h"

/* The documentation string: the first constant, if it is one. */
static PyObject *doc_of_code(PyCodeObject *code)
{
    PyObject *first = PyTuple_GET_SIZE(code->co_consts) > 0 ? PyTuple_GET_ITEM(code->co_consts, 0) : Py_None;
    return Py_NewRef(PyUnicode_Check(first) ? first : Py_None);
}

PyObject *function_new(PyCodeObject *code, PyObject *globals, PyObject *builtins, PyObject *qualname, int deferred)
{
    PyObject *module = NULL;
    if (PyDict_GetItemRef(globals, STR(__name__), &module) < 0)
        return NULL;
    PyFunctionObject *func = PyObject_GC_New(PyFunctionObject, &PyFunction_Type);
    if (func == NULL) {
        Py_XDECREF(module);
        return NULL;
    }
    func->func_globals = Py_NewRef(globals);
    func->func_builtins = Py_NewRef(builtins);
    func->func_name = Py_NewRef(code->co_name);
    func->func_qualname = Py_NewRef(qualname != NULL ? qualname : code->co_qualname);
    func->func_code = Py_NewRef((PyObject *)code);
    func->func_defaults = NULL;
    func->func_kwdefaults = NULL;
    func->func_closure = NULL;
    func->func_doc = doc_of_code(code);
    func->func_dict = NULL;
    func->func_weakreflist = NULL;
    func->func_module = module;
    func->func_annotations = NULL;
    func->vectorcall = function_vectorcall;
    if (deferred)
        object_set_deferred((PyObject *)func);
    PyObject_GC_Track(func);
    return (PyObject *)func;
}

PyObject *PyFunction_NewWithQualName(PyObject *code, PyObject *globals, PyObject *qualname)
{
    PyObject *builtins = eval_builtins_of_globals(thread_current(), globals);
    PyObject *func = builtins != NULL ? function_new((PyCodeObject *)code, globals, builtins, qualname, 0) : NULL;
    Py_XDECREF(builtins);
    return func;
}

PyObject *PyFunction_New(PyObject *code, PyObject *globals)
{
    return PyFunction_NewWithQualName(code, globals, NULL);
}

/* ---- Fields: replaced under the function's lock, old values retired by their counts ---- */

static PyObject *read_field(PyObject *op, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}

/* Steals value. */
static void write_field(PyObject *op, PyObject **field, PyObject *value)
{
    PyObject *old;
    if (value != NULL)
        object_publish(value);
    Py_BEGIN_CRITICAL_SECTION(op);
    old = *field;
    if (old != NULL)
        object_publish(old);        /* so that who has just loaded it may still try to take a reference */
    __atomic_store_n(field, value, __ATOMIC_RELEASE);       /* pairs with call_push and function_bind */
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

#define FUNC(op) ((PyFunctionObject *)(op))

static PyObject *none_if_null(PyObject *value) { return value != NULL ? value : Py_None; }

static int bad_call(PyObject *op)
{
    if (PyFunction_Check(op))
        return 0;
    PyErr_BadInternalCall();
    return -1;
}

PyObject *PyFunction_GetCode(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_code; }
PyObject *PyFunction_GetGlobals(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_globals; }
PyObject *PyFunction_GetModule(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_module; }
PyObject *PyFunction_GetDefaults(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_defaults; }
PyObject *PyFunction_GetKwDefaults(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_kwdefaults; }
PyObject *PyFunction_GetClosure(PyObject *op) { return bad_call(op) < 0 ? NULL : FUNC(op)->func_closure; }

/* value: NULL or None empties the field; otherwise checked to be of the given type. */
static int set_checked(PyObject *op, PyObject **field, PyObject *value, PyTypeObject *type, const char *message)
{
    if (bad_call(op) < 0)
        return -1;
    if (value == Py_None)
        value = NULL;
    if (value != NULL && !PyObject_TypeCheck(value, type)) {
        PyErr_SetString(PyExc_SystemError, message);
        return -1;
    }
    write_field(op, field, Py_XNewRef(value));
    return 0;
}

int PyFunction_SetDefaults(PyObject *op, PyObject *value)
{
    return set_checked(op, &FUNC(op)->func_defaults, value, &PyTuple_Type, "non-tuple default args");
}

int PyFunction_SetKwDefaults(PyObject *op, PyObject *value)
{
    return set_checked(op, &FUNC(op)->func_kwdefaults, value, &PyDict_Type, "non-dict keyword only default args");
}

int PyFunction_SetClosure(PyObject *op, PyObject *value)
{
    return set_checked(op, &FUNC(op)->func_closure, value, &PyTuple_Type, "expected tuple for closure");
}

int PyFunction_SetAnnotations(PyObject *op, PyObject *value)
{
    return set_checked(op, &FUNC(op)->func_annotations, value, &PyDict_Type, "non-dict annotations");
}

/* The annotations as a dict; the compiler leaves a tuple name, value, ... New reference. */
static PyObject *annotations_dict(PyObject *op)
{
    PyObject *current = read_field(op, &FUNC(op)->func_annotations), *dict;
    if (current != NULL && PyDict_Check(current))
        return current;
    dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && current != NULL && i + 1 < PyTuple_GET_SIZE(current); i += 2)
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(current, i), PyTuple_GET_ITEM(current, i + 1)) < 0)
            Py_CLEAR(dict);
    if (dict == NULL) {
        Py_XDECREF(current);
        return NULL;
    }
    PyObject *result = dict, *displaced = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (FUNC(op)->func_annotations == current) {
        displaced = current;
        if (current != NULL)
            object_publish(current);
        object_publish(dict);
        __atomic_store_n(&FUNC(op)->func_annotations, Py_NewRef(dict), __ATOMIC_RELEASE);
    }
    else
        result = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(displaced);
    Py_XDECREF(current);
    if (result == NULL) {       /* another thread was faster */
        Py_DECREF(dict);
        return annotations_dict(op);
    }
    return result;
}

PyObject *PyFunction_GetAnnotations(PyObject *op)
{
    if (bad_call(op) < 0)
        return NULL;
    PyObject *dict = annotations_dict(op);
    Py_XDECREF(dict);           /* the function holds it */
    return dict;
}

/* ---- Attributes ---- */

static PyObject *get_code(PyObject *op, void *Py_UNUSED(c))
{
    if (PySys_Audit("object.__getattr__", "Os", op, "__code__") < 0)
        return NULL;
    return read_field(op, &FUNC(op)->func_code);
}

static int set_code(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL || !PyCode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__code__ must be set to a code object");
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", op, "__code__", value) < 0)
        return -1;
    PyObject *closure = read_field(op, &FUNC(op)->func_closure);
    Py_ssize_t nclosure = closure != NULL ? PyTuple_GET_SIZE(closure) : 0, nfree = PyCode_GetNumFree((PyCodeObject *)value);
    Py_XDECREF(closure);
    if (nclosure != nfree) {
        PyObject *name = read_field(op, &FUNC(op)->func_name);
        PyErr_Format(PyExc_ValueError, "%U() requires a code object with %zd free vars, not %zd", name, nclosure, nfree);
        Py_DECREF(name);
        return -1;
    }
    write_field(op, &FUNC(op)->func_code, Py_NewRef(value));
    return 0;
}

static PyObject *get_name(PyObject *op, void *Py_UNUSED(c)) { return read_field(op, &FUNC(op)->func_name); }
static PyObject *get_qualname(PyObject *op, void *Py_UNUSED(c)) { return read_field(op, &FUNC(op)->func_qualname); }

static int set_string(PyObject *op, PyObject **field, PyObject *value, const char *attribute)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be set to a string object", attribute);
        return -1;
    }
    write_field(op, field, Py_NewRef(value));
    return 0;
}

static int set_name(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    return set_string(op, &FUNC(op)->func_name, value, "__name__");
}

static int set_qualname(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    return set_string(op, &FUNC(op)->func_qualname, value, "__qualname__");
}

static PyObject *get_defaults(PyObject *op, void *Py_UNUSED(c))
{
    return none_if_null(read_field(op, &FUNC(op)->func_defaults));
}

/* Tells audit hooks that an attribute which decides what the function does is about to change. */
static int audit_change(PyObject *op, PyObject *value, const char *attribute)
{
    if (value == NULL || value == Py_None)
        return PySys_Audit("object.__delattr__", "Os", op, attribute);
    return PySys_Audit("object.__setattr__", "OsO", op, attribute, value);
}

static int set_optional(PyObject *op, PyObject **field, PyObject *value, PyTypeObject *type, const char *message)
{
    if (value == Py_None)
        value = NULL;
    if (value != NULL && !PyObject_TypeCheck(value, type)) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    write_field(op, field, Py_XNewRef(value));
    return 0;
}

static int set_defaults(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (audit_change(op, value, "__defaults__") < 0)
        return -1;
    return set_optional(op, &FUNC(op)->func_defaults, value, &PyTuple_Type, "__defaults__ must be set to a tuple object");
}

static PyObject *get_kwdefaults(PyObject *op, void *Py_UNUSED(c))
{
    return none_if_null(read_field(op, &FUNC(op)->func_kwdefaults));
}

static int set_kwdefaults(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (audit_change(op, value, "__kwdefaults__") < 0)
        return -1;
    return set_optional(op, &FUNC(op)->func_kwdefaults, value, &PyDict_Type, "__kwdefaults__ must be set to a dict object");
}

static PyObject *get_annotations(PyObject *op, void *Py_UNUSED(c)) { return annotations_dict(op); }

static int set_annotations(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    return set_optional(op, &FUNC(op)->func_annotations, value, &PyDict_Type, "__annotations__ must be set to a dict object");
}

static PyGetSetDef function_getset[] = {
    {"__code__", get_code, set_code, NULL, NULL},
    {"__name__", get_name, set_name, NULL, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL, NULL},
    {"__defaults__", get_defaults, set_defaults, NULL, NULL},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

#define OFFSET(field) offsetof(PyFunctionObject, field)

static PyMemberDef function_members[] = {
    {"__closure__", T_OBJECT, OFFSET(func_closure), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__doc__", T_OBJECT, OFFSET(func_doc), _Py_MEMBER_LOCK_FREE, NULL},
    {"__globals__", T_OBJECT, OFFSET(func_globals), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"__module__", T_OBJECT, OFFSET(func_module), _Py_MEMBER_LOCK_FREE, NULL},
    {"__builtins__", T_OBJECT, OFFSET(func_builtins), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {NULL},
};

/* ---- Type ---- */

static int check_closure(PyCodeObject *code, PyObject *closure)
{
    Py_ssize_t nfree = PyCode_GetNumFree(code);
    if (!PyTuple_Check(closure)) {
        if (nfree > 0 && closure == Py_None) {
            PyErr_SetString(PyExc_TypeError, "arg 5 (closure) must be tuple");
            return -1;
        }
        if (closure != Py_None) {
            PyErr_SetString(PyExc_TypeError, "arg 5 (closure) must be None or tuple");
            return -1;
        }
    }
    Py_ssize_t n = closure == Py_None ? 0 : PyTuple_GET_SIZE(closure);
    if (n != nfree) {
        PyErr_Format(PyExc_ValueError, "%U requires closure of length %zd, not %zd", code->co_name, nfree, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!PyCell_Check(PyTuple_GET_ITEM(closure, i))) {
            PyErr_Format(PyExc_TypeError, "arg 5 (closure) expected cell, found %s",
                         Py_TYPE(PyTuple_GET_ITEM(closure, i))->tp_name);
            return -1;
        }
    return 0;
}

static PyObject *function_new_from_args(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"code", "globals", "name", "argdefs", "closure", NULL};
    PyObject *code, *globals, *name = Py_None, *defaults = Py_None, *closure = Py_None;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!|OOO:function", keywords, &PyCode_Type, &code, &PyDict_Type,
                                     &globals, &name, &defaults, &closure))
        return NULL;
    if (name != Py_None && !PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "arg 3 (name) must be None or string");
        return NULL;
    }
    if (defaults != Py_None && !PyTuple_Check(defaults)) {
        PyErr_SetString(PyExc_TypeError, "arg 4 (defaults) must be None or tuple");
        return NULL;
    }
    if (PySys_Audit("function.__new__", "O", code) < 0)
        return NULL;
    if (check_closure((PyCodeObject *)code, closure) < 0)
        return NULL;
    PyObject *op = PyFunction_New(code, globals);
    if (op == NULL)
        return NULL;
    if (name != Py_None)
        write_field(op, &FUNC(op)->func_name, Py_NewRef(name));
    if (defaults != Py_None)
        write_field(op, &FUNC(op)->func_defaults, Py_NewRef(defaults));
    if (closure != Py_None)
        write_field(op, &FUNC(op)->func_closure, Py_NewRef(closure));
    return op;
}

static int function_clear(PyObject *op)
{
    PyFunctionObject *f = FUNC(op);
    Py_CLEAR(f->func_module);
    Py_CLEAR(f->func_defaults);
    Py_CLEAR(f->func_kwdefaults);
    Py_CLEAR(f->func_doc);
    Py_CLEAR(f->func_dict);
    Py_CLEAR(f->func_closure);
    Py_CLEAR(f->func_annotations);
    /* globals, builtins, code and names stay: the function may still be called by a finaliser */
    return 0;
}

static void function_dealloc(PyObject *op)
{
    PyFunctionObject *f = FUNC(op);
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(f->func_weakreflist))
        PyObject_ClearWeakRefs(op);
    function_clear(op);
    Py_CLEAR(f->func_globals);
    Py_CLEAR(f->func_builtins);
    Py_CLEAR(f->func_code);
    Py_CLEAR(f->func_name);
    Py_CLEAR(f->func_qualname);
    PyObject_GC_Del(op);
}

static int function_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyFunctionObject *f = FUNC(op);
    Py_VISIT(f->func_code);
    Py_VISIT(f->func_globals);
    Py_VISIT(f->func_builtins);
    Py_VISIT(f->func_module);
    Py_VISIT(f->func_defaults);
    Py_VISIT(f->func_kwdefaults);
    Py_VISIT(f->func_doc);
    Py_VISIT(f->func_name);
    Py_VISIT(f->func_qualname);
    Py_VISIT(f->func_dict);
    Py_VISIT(f->func_closure);
    Py_VISIT(f->func_annotations);
    return 0;
}

static PyObject *function_repr(PyObject *op)
{
    PyObject *name = read_field(op, &FUNC(op)->func_qualname);
    PyObject *text = PyUnicode_FromFormat("<function %U at %p>", name, op);
    Py_XDECREF(name);
    return text;
}

static PyObject *function_descr_get(PyObject *func, PyObject *instance, PyObject *Py_UNUSED(type))
{
    if (instance == NULL || instance == Py_None)
        return Py_NewRef(func);
    return PyMethod_New(func, instance);
}

PyTypeObject PyFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "function",
    .tp_basicsize = sizeof(PyFunctionObject),
    .tp_dealloc = function_dealloc,
    .tp_vectorcall_offset = offsetof(PyFunctionObject, vectorcall),
    .tp_repr = function_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = "function(code, globals, name=None, argdefs=None, closure=None)\n--\n\n"
              "Create a function from a code object.\n\n"
              "  globals  the dict of its global names\n"
              "  name     overrides the name in the code object\n"
              "  argdefs  tuple of the defaults of the last positional parameters\n"
              "  closure  tuple of cells for the free variables",
    .tp_traverse = function_traverse,
    .tp_clear = function_clear,
    .tp_weaklistoffset = offsetof(PyFunctionObject, func_weakreflist),
    .tp_members = function_members,
    .tp_getset = function_getset,
    .tp_descr_get = function_descr_get,
    .tp_dictoffset = offsetof(PyFunctionObject, func_dict),
    .tp_new = function_new_from_args,
};
