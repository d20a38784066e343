/* Function pointers: CFuncPtr and its metaclass. Objects that can be called from Python, and passed to C.
 *
 * Locks: what may be assigned to a function object is in a signature of its own, which is replaced as a whole under the
 * object's lock. A call reads it without the lock and keeps a reference to it. */
#include "ctypes.h"

/* What the program has set on a function. Never changes once it is published: a change makes another one. */
typedef struct {
    PyObject_HEAD
    PyObject *argtypes, *converters;    /* tuples; NULL: as the class says */
    PyObject *restype, *checker;        /* NULL: as the class says */
    PyObject *errcheck;                 /* or NULL */
} signature;

typedef struct {
    ctypes_data data;
    PyObject *callback;                 /* [const] the C code for a Python callable, or NULL */
    PyObject *callable;                 /* [const] that callable, or NULL */
    PyObject *paramflags;               /* [const] tuple or NULL */
    signature *signature;               /* [lock;atomic] counted; NULL: all as the class says */
} function;

#define SELF(op) ((function *)(op))

/* ---- Signatures ---- */

static int signature_traverse(PyObject *op, visitproc visit, void *arg)
{
    signature *self = (signature *)op;
    Py_VISIT(self->argtypes);
    Py_VISIT(self->converters);
    Py_VISIT(self->restype);
    Py_VISIT(self->checker);
    Py_VISIT(self->errcheck);
    return 0;
}

static void signature_dealloc(PyObject *op)
{
    signature *self = (signature *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->argtypes);
    Py_XDECREF(self->converters);
    Py_XDECREF(self->restype);
    Py_XDECREF(self->checker);
    Py_XDECREF(self->errcheck);
    PyObject_GC_Del(op);
}

PyTypeObject ctypes_signature_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.signature",
    .tp_basicsize = sizeof(signature),
    .tp_dealloc = signature_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "What was set on a function pointer.",
    .tp_traverse = signature_traverse,
};

/* The function's signature, a new reference, or NULL. Takes no lock: many threads call one function. */
static signature *take_signature(PyObject *op)
{
    for (;;) {
        signature *self = __atomic_load_n(&SELF(op)->signature, __ATOMIC_ACQUIRE);      /* pairs with change */
        /* If it is dead, another thread has put a new one there. */
        if (self == NULL || object_try_incref((PyObject *)self))
            return self;
    }
}

enum { SET_ARGTYPES = 1, SET_RESTYPE = 2, SET_ERRCHECK = 4 };

/* Replaces a part of the signature by that of `with`, whose references are stolen, on failure too. 0, or -1. */
static int change(PyObject *op, int part, const signature *with)
{
    signature *fresh = PyObject_GC_New(signature, &ctypes_signature_type), *old = NULL;
    if (fresh == NULL) {
        Py_XDECREF(with->argtypes);
        Py_XDECREF(with->converters);
        Py_XDECREF(with->restype);
        Py_XDECREF(with->checker);
        Py_XDECREF(with->errcheck);
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    old = SELF(op)->signature;
    fresh->argtypes = part == SET_ARGTYPES ? with->argtypes : Py_XNewRef(old != NULL ? old->argtypes : NULL);
    fresh->converters = part == SET_ARGTYPES ? with->converters : Py_XNewRef(old != NULL ? old->converters : NULL);
    fresh->restype = part == SET_RESTYPE ? with->restype : Py_XNewRef(old != NULL ? old->restype : NULL);
    fresh->checker = part == SET_RESTYPE ? with->checker : Py_XNewRef(old != NULL ? old->checker : NULL);
    fresh->errcheck = part == SET_ERRCHECK ? with->errcheck : Py_XNewRef(old != NULL ? old->errcheck : NULL);
    PyObject_GC_Track(fresh);
    object_publish((PyObject *)fresh);
    __atomic_store_n(&SELF(op)->signature, fresh, __ATOMIC_RELEASE);    /* pairs with take_signature */
    Py_END_CRITICAL_SECTION();
    Py_XDECREF((PyObject *)old);
    return 0;
}

/* ---- Types of arguments and of the result ---- */

/* The from_param methods of a sequence of types, a new tuple. */
static PyObject *converters_of(PyObject *types)
{
    Py_ssize_t count = PyTuple_GET_SIZE(types);
    PyObject *converters = PyTuple_New(count);
    for (Py_ssize_t i = 0; converters != NULL && i < count; i++) {
        PyObject *converter;
        int found = ctypes_find_attribute(PyTuple_GET_ITEM(types, i), "from_param", &converter);
        if (found > 0) {
            PyTuple_SET_ITEM(converters, i, converter);
            continue;
        }
        if (found == 0)
            PyErr_Format(PyExc_TypeError, "item %zd in _argtypes_ has no from_param method", i + 1);
        Py_CLEAR(converters);
    }
    return converters;
}

/* A sequence of types as a tuple with their converters; NULL for None. 0, or -1 with an exception. */
static int take_argtypes(PyObject *value, PyObject **argtypes, PyObject **converters)
{
    *argtypes = *converters = NULL;
    if (!PySequence_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "_argtypes_ must be a sequence of types");
        return -1;
    }
    *argtypes = PySequence_Tuple(value);
    if (*argtypes != NULL && PyTuple_GET_SIZE(*argtypes) > CTYPES_MAX_ARGUMENTS) {
        PyErr_Format(ctypes_argument_error, "_argtypes_ has too many arguments (%zi), maximum is %i",
                     PyTuple_GET_SIZE(*argtypes), CTYPES_MAX_ARGUMENTS);
        Py_CLEAR(*argtypes);
    }
    *converters = *argtypes != NULL ? converters_of(*argtypes) : NULL;
    if (*converters == NULL)
        Py_CLEAR(*argtypes);
    return *argtypes != NULL ? 0 : -1;
}

/* Checks a type of result and finds its own check of results. 0, or -1 with an exception. */
static int take_restype(PyObject *value, PyObject **checker, const char *message)
{
    *checker = NULL;
    if (value != Py_None && ctypes_info_of_class(value) == NULL && !PyCallable_Check(value)) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    if (value == Py_None)
        return 0;
    return ctypes_find_attribute(value, "_check_retval_", checker) < 0 ? -1 : 0;
}

/* ---- The metaclass ---- */

static int describe_flags(PyObject *type, ctypes_info *info)
{
    PyObject *flags;
    int found = ctypes_find_attribute(type, "_flags_", &flags);
    if (found < 0)
        return -1;
    if (found > 0 && PyLong_Check(flags))
        info->flags = (int)PyLong_AsUnsignedLongMask(flags);
    else
        PyErr_SetString(PyExc_TypeError, "class must define _flags_ which must be an integer");
    if (found > 0)
        Py_DECREF(flags);
    return PyErr_Occurred() ? -1 : 0;
}

static int describe(PyObject *type, ctypes_info *info)
{
    PyObject *value;
    info->size = sizeof(void *);
    info->align = _Alignof(void *);
    info->length = 1;
    info->has_pointers = true;
    info->format = ctypes_format_join("X{}", "");
    if (info->format == NULL || describe_flags(type, info) < 0)
        return -1;
    int found = ctypes_find_attribute(type, "_argtypes_", &value);
    if (found > 0) {
        found = take_argtypes(value, &info->argtypes, &info->converters);
        Py_DECREF(value);
    }
    if (found < 0)
        return -1;
    found = ctypes_find_attribute(type, "_restype_", &value);
    if (found > 0) {
        found = take_restype(value, &info->checker, "_restype_ must be a type, a callable, or None");
        info->restype = value;
    }
    return found < 0 ? -1 : 0;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwargs);
    if (type == NULL)
        return NULL;
    ctypes_info *info = ctypes_info_new(KIND_FUNCTION);
    if (info == NULL || describe(type, info) < 0 || !ctypes_info_publish((PyTypeObject *)type, NULL, info)) {
        ctypes_info_free(info);
        Py_CLEAR(type);
    }
    return type;
}

PyTypeObject ctypes_function_meta = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.PyCFuncPtrType",
    .tp_basicsize = sizeof(ctypes_class),
    .tp_dealloc = ctypes_class_dealloc,
    .tp_as_sequence = &ctypes_class_as_sequence,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The class of function pointer types of C.",
    .tp_traverse = ctypes_class_traverse,
    .tp_clear = ctypes_class_clear,
    .tp_methods = ctypes_class_methods,
    .tp_base = &PyType_Type,
    .tp_new = meta_new,
};

/* ---- Making functions ---- */

static void set_address(PyObject *op, void *address) { memcpy(ctypes_address(op), &address, sizeof(address)); }

/* ("name", library): a function of a shared library. */
static PyObject *new_from_library(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *pair, *paramflags = Py_None, *name, *library, *bytes = NULL, *op = NULL;
    if (!PyArg_ParseTuple(args, "O|O", &pair, &paramflags))
        return NULL;
    if (PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "illegal func_spec argument");
        return NULL;
    }
    name = PyTuple_GET_ITEM(pair, 0);
    library = PyTuple_GET_ITEM(pair, 1);
    if (PyUnicode_Check(name))
        bytes = PyUnicode_AsUTF8String(name);
    else if (PyBytes_Check(name))
        bytes = Py_NewRef(name);
    else if (!PyLong_Check(name))
        PyErr_SetString(PyExc_TypeError, "function name must be string, bytes object or integer");
    if (PyLong_Check(name))
        PyErr_SetString(PyExc_TypeError, "function name must be string, bytes object or integer");
    if (bytes == NULL)
        return NULL;
    if (PySys_Audit("ctypes.dlsym", "O", pair) == 0) {
        void *address = ctypes_find_symbol(library, PyBytes_AS_STRING(bytes), PyExc_AttributeError);
        if (address != NULL && ctypes_paramflags_check(type, paramflags) == 0)
            op = ctypes_data_new(type, args, kwargs);
        if (op != NULL) {
            set_address(op, address);
            if (PyTuple_Check(paramflags))
                SELF(op)->paramflags = Py_NewRef(paramflags);
            /* The library must not go before its functions. */
            if (ctypes_keep(op, 0, Py_NewRef(library)) < 0)
                Py_CLEAR(op);
        }
    }
    Py_DECREF(bytes);
    return op;
}

/* A callable of Python: C code that calls it. */
static PyObject *new_callback(PyTypeObject *type, PyObject *callable, PyObject *args, PyObject *kwargs)
{
    ctypes_info *info = ctypes_info_find(type);
    if (info == NULL || info->argtypes == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot construct instance of this class: no argtypes");
        return NULL;
    }
    PyObject *callback = ctypes_callback_new(callable, info->argtypes, info->restype, info->flags), *op;
    if (callback == NULL)
        return NULL;
    op = ctypes_data_new(type, args, kwargs);
    if (op == NULL) {
        Py_DECREF(callback);
        return NULL;
    }
    SELF(op)->callback = callback;
    SELF(op)->callable = Py_NewRef(callable);
    set_address(op, ctypes_callback_code(callback));
    if (ctypes_keep(op, 0, Py_NewRef(callback)) < 0)
        Py_CLEAR(op);
    return op;
}

static PyObject *function_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0)
        return ctypes_data_new(type, args, kwargs);
    PyObject *first = PyTuple_GET_ITEM(args, 0);
    if (PyTuple_Check(first)) {
        if (ctypes_info_find(type) == NULL) {
            PyErr_SetString(PyExc_TypeError, "abstract class");
            return NULL;
        }
        return new_from_library(type, args, kwargs);
    }
    if (!PyArg_UnpackTuple(args, "function", 1, 1, &first)) {
        PyErr_Format(PyExc_TypeError, "function takes exactly 1 argument (%zd given)", PyTuple_GET_SIZE(args));
        return NULL;
    }
    if (PyLong_Check(first)) {
        void *address = (void *)(uintptr_t)PyLong_AsUnsignedLongLongMask(first);
        PyObject *op = PyErr_Occurred() ? NULL : ctypes_data_new(type, args, kwargs);
        if (op != NULL)
            set_address(op, address);
        return op;
    }
    if (!PyCallable_Check(first)) {
        PyErr_SetString(PyExc_TypeError, "argument must be callable or integer function address");
        return NULL;
    }
    return new_callback(type, first, args, kwargs);
}

/* ---- Calling ---- */

/* What a call needs: borrowed from the signature, which is kept, and from the class. */
typedef struct {
    PyTypeObject *type;                 /* counted: a call may outlive its being the function's class */
    signature *own;                     /* counted, or NULL */
    ctypes_target target;
    PyObject *argtypes, *errcheck;
} call_state;

static void take_state(PyObject *op, call_state *state)
{
    state->type = (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(op));
    ctypes_info *info = ctypes_info_find(state->type);
    signature *own = take_signature(op);
    bool has_argtypes = own != NULL && own->argtypes != NULL, has_restype = own != NULL && own->restype != NULL;
    state->own = own;
    state->argtypes = has_argtypes ? own->argtypes : info->argtypes;
    state->target.converters = has_argtypes ? own->converters : info->converters;
    state->target.restype = has_restype ? own->restype : info->restype;
    state->target.checker = has_restype ? own->checker : info->checker;
    state->errcheck = own != NULL ? own->errcheck : NULL;
    state->target.flags = info->flags;
    memcpy(&state->target.function, ctypes_address(op), sizeof(void *));
}

static void drop_state(call_state *state)
{
    Py_XDECREF((PyObject *)state->own);
    Py_DECREF((PyObject *)state->type);
}

/* More arguments than declared are for functions that take any number; fewer are an error. */
static int check_count(const call_state *state, Py_ssize_t given)
{
    Py_ssize_t required = state->target.converters != NULL ? PyTuple_GET_SIZE(state->target.converters) : 0;
    if (given >= required)
        return 0;
    PyErr_Format(PyExc_TypeError, "this function takes at least %zd argument%s (%zd given)", required,
                 required == 1 ? "" : "s", given);
    return -1;
}

static PyObject *function_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    call_state state;
    ctypes_prepared prepared;
    PyObject *result = NULL;
    take_state(op, &state);
    if (ctypes_prototype_prepare(&prepared, state.argtypes, SELF(op)->paramflags, args, kwargs) == 0) {
        if (state.target.function == NULL)
            PyErr_SetString(PyExc_ValueError, "attempt to call a NULL function pointer");
        else if (check_count(&state, PyTuple_GET_SIZE(prepared.args)) == 0)
            result = ctypes_call(&state.target, prepared.args);
        /* errcheck sees the result and may replace it; if it gives the arguments back, the outputs are the result. */
        if (result != NULL && state.errcheck != NULL) {
            PyObject *checked = PyObject_CallFunctionObjArgs(state.errcheck, result, op, prepared.args, NULL);
            Py_DECREF(result);
            if (checked == NULL || checked != prepared.args)
                prepared.result_count = 0;
            result = checked;
        }
        result = ctypes_prototype_result(&prepared, result);
        Py_DECREF(prepared.args);
    }
    drop_state(&state);
    return result;
}

/* ---- Attributes ---- */

/* A new reference; None for NULL. */
static PyObject *or_none(PyObject *value) { return Py_NewRef(value != NULL ? value : Py_None); }

static PyObject *get_errcheck(PyObject *op, void *unused)
{
    call_state state;
    take_state(op, &state);
    PyObject *value = or_none(state.errcheck);
    drop_state(&state);
    return value;
}

static int set_errcheck(PyObject *op, PyObject *value, void *unused)
{
    if (value != NULL && !PyCallable_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "the errcheck attribute must be callable");
        return -1;
    }
    return change(op, SET_ERRCHECK, &(signature){.errcheck = Py_XNewRef(value)});
}

static PyObject *get_restype(PyObject *op, void *unused)
{
    call_state state;
    take_state(op, &state);
    PyObject *value = or_none(state.target.restype);
    drop_state(&state);
    return value;
}

static int set_restype(PyObject *op, PyObject *value, void *unused)
{
    PyObject *checker = NULL;
    if (value != NULL && take_restype(value, &checker, "restype must be a type, a callable, or None") < 0)
        return -1;
    return change(op, SET_RESTYPE, &(signature){.restype = Py_XNewRef(value), .checker = checker});
}

static PyObject *get_argtypes(PyObject *op, void *unused)
{
    call_state state;
    take_state(op, &state);
    PyObject *value = or_none(state.argtypes);
    drop_state(&state);
    return value;
}

static int set_argtypes(PyObject *op, PyObject *value, void *unused)
{
    PyObject *argtypes = NULL, *converters = NULL;
    if (value != NULL && value != Py_None && take_argtypes(value, &argtypes, &converters) < 0)
        return -1;
    return change(op, SET_ARGTYPES, &(signature){.argtypes = argtypes, .converters = converters});
}

static int function_bool(PyObject *op)
{
    void *address;
    memcpy(&address, ctypes_address(op), sizeof(address));
    return address != NULL;
}

static PyObject *function_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(op)->tp_name, op);
}

/* ---- The type ---- */

static int function_traverse(PyObject *op, visitproc visit, void *arg)
{
    function *self = SELF(op);
    Py_VISIT(self->callback);
    Py_VISIT(self->callable);
    Py_VISIT(self->paramflags);
    Py_VISIT((PyObject *)self->signature);
    return ctypes_data_traverse(op, visit, arg);
}

static int function_clear(PyObject *op)
{
    function *self = SELF(op);
    signature *own = __atomic_exchange_n(&self->signature, NULL, __ATOMIC_ACQ_REL);
    Py_XDECREF((PyObject *)own);
    Py_CLEAR(self->callback);
    Py_CLEAR(self->callable);
    Py_CLEAR(self->paramflags);
    return ctypes_data_clear(op);
}

static void function_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    (void)function_clear(op);
    ctypes_data_dealloc(op);
}

static PyNumberMethods function_as_number = {.nb_bool = function_bool};

static PyGetSetDef function_getset[] = {
    {"errcheck", get_errcheck, set_errcheck, "Called with each result; what it returns is the result.", NULL},
    {"restype", get_restype, set_restype, "The type of the result.", NULL},
    {"argtypes", get_argtypes, set_argtypes, "The types of the arguments.", NULL},
    {NULL},
};

PyTypeObject ctypes_function_type = {
    PyVarObject_HEAD_INIT(&ctypes_function_meta, 0)
    .tp_name = "_ctypes.CFuncPtr",
    .tp_basicsize = sizeof(function),
    .tp_dealloc = function_dealloc,
    .tp_repr = function_repr,
    .tp_as_number = &function_as_number,
    .tp_call = function_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A function pointer of C.",
    .tp_traverse = function_traverse,
    .tp_clear = function_clear,
    .tp_getset = function_getset,
    .tp_base = &ctypes_data_type,
    .tp_new = function_new,
};
