/* BaseException. Threads may share an instance: see exception_set_field_steal. */
#include "exceptions_internal.h"

#include "dict.h"
#include "instance.h"
#include "memory.h"
#include "method_ref.h"
#include "type.h"
#include "well_known_strings.h"
#include "object_gc_inline.h"

#define EXC(op) ((PyBaseExceptionObject *)(op))

PyObject *base_exception_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyBaseExceptionObject *self = (PyBaseExceptionObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->args = args != NULL ? Py_NewRef(args) : PyTuple_New(0);
    if (self->args == NULL) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    return (PyObject *)self;
}

static int no_keywords(PyObject *op, PyObject *kwargs)
{
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", Py_TYPE(op)->tp_name);
    return -1;
}

int base_exception_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (no_keywords(op, kwargs) < 0)
        return -1;
    exception_set_field(&EXC(op)->args, args);
    return 0;
}

/* The layout's fields: the nearest base that has one of the static types. */
static const Py_ssize_t *extra_references(PyTypeObject *type);

static int exception_clear(PyObject *op)
{
    PyBaseExceptionObject *self = EXC(op);
    Py_CLEAR(self->dict);
    Py_CLEAR(self->args);
    Py_CLEAR(self->notes);
    Py_CLEAR(self->traceback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->cause);
    for (const Py_ssize_t *offset = extra_references(Py_TYPE(op)); *offset != 0; offset++)
        Py_CLEAR(*(PyObject **)((char *)op + *offset));
    return 0;
}

static void exception_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    exception_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static int exception_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyBaseExceptionObject *self = EXC(op);
    Py_VISIT(self->dict);
    Py_VISIT(self->args);
    Py_VISIT(self->notes);
    Py_VISIT(self->traceback);
    Py_VISIT(self->context);
    Py_VISIT(self->cause);
    for (const Py_ssize_t *offset = extra_references(Py_TYPE(op)); *offset != 0; offset++)
        Py_VISIT(*(PyObject **)((char *)op + *offset));
    return 0;
}

PyObject *base_exception_str(PyObject *op)
{
    PyObject *args = published_field_ref(&EXC(op)->args), *text;
    switch (PyTuple_GET_SIZE(args)) {
    case 0: text = PyUnicode_FromString(""); break;
    case 1: text = PyObject_Str(PyTuple_GET_ITEM(args, 0)); break;
    default: text = PyObject_Str(args); break;
    }
    Py_DECREF(args);
    return text;
}

/* The call of a class that BaseException's own __new__ and __init__ make. */
static PyObject *exception_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0)
        return type_vectorcall(type, args, nargsf, kwnames);
    PyBaseExceptionObject *self = (PyBaseExceptionObject *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (self == NULL)
        return NULL;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    object_publish(tuple);
    self->args = tuple;
    return (PyObject *)self;
}

static PyObject *exception_repr(PyObject *op)
{
    const char *name = strrchr(Py_TYPE(op)->tp_name, '.');
    name = name != NULL ? name + 1 : Py_TYPE(op)->tp_name;
    PyObject *args = published_field_ref(&EXC(op)->args);
    PyObject *text = PyTuple_GET_SIZE(args) == 1 ? PyUnicode_FromFormat("%s(%R)", name, PyTuple_GET_ITEM(args, 0))
                                                 : PyUnicode_FromFormat("%s%R", name, args);
    Py_DECREF(args);
    return text;
}

/* ---- Methods ---- */

PyObject *base_exception_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *args = published_field_ref(&EXC(op)->args), *dict = instance_peek_dict(op);
    PyObject *result = dict != NULL ? PyTuple_Pack(3, (PyObject *)Py_TYPE(op), args, dict)
                                    : PyTuple_Pack(2, (PyObject *)Py_TYPE(op), args);
    Py_DECREF(args);
    Py_XDECREF(dict);
    return result;
}

static PyObject *exception_setstate(PyObject *op, PyObject *state)
{
    if (state == Py_None)
        Py_RETURN_NONE;
    if (!PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a dictionary");
        return NULL;
    }
    struct dict_snapshot items;
    if (dict_snapshot_take(state, &items) < 0)
        return NULL;
    int failed = 0;
    for (Py_ssize_t i = 0; i < items.count && !failed; i++)
        failed = PyObject_SetAttr(op, items.pairs[2 * i], items.pairs[2 * i + 1]) < 0;
    dict_snapshot_free(&items);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *exception_with_traceback(PyObject *op, PyObject *traceback)
{
    if (PyException_SetTraceback(op, traceback) < 0)
        return NULL;
    return Py_NewRef(op);
}

/* Sets __notes__, which is absent, to an empty list, unless another thread has just done so. The list, or NULL. */
static PyObject *make_notes(PyObject *op)
{
    PyObject *notes = PyList_New(0), *in_class = NULL, *dict, *result = NULL;
    if (notes == NULL || type_lookup_ref(Py_TYPE(op), STR(__notes__), &in_class, NULL) < 0)
        goto done;
    if (in_class != NULL || Py_TYPE(op)->tp_setattro != PyObject_GenericSetAttr) {      /* assignment is what the class makes of it */
        if (PyObject_SetAttr(op, STR(__notes__), notes) == 0)
            result = Py_NewRef(notes);
    }
    else if ((dict = PyObject_GenericGetDict(op, NULL)) != NULL) {
        (void)PyDict_SetDefaultRef(dict, STR(__notes__), notes, &result);
        Py_DECREF(dict);
    }
done:
    Py_XDECREF(in_class);
    Py_XDECREF(notes);
    return result;
}

static PyObject *exception_add_note(PyObject *op, PyObject *note)
{
    if (!PyUnicode_Check(note)) {
        PyErr_Format(PyExc_TypeError, "note must be a str, not '%s'", Py_TYPE(note)->tp_name);
        return NULL;
    }
    PyObject *notes;
    if (PyObject_GetOptionalAttr(op, STR(__notes__), &notes) < 0)
        return NULL;
    if (notes == NULL && (notes = make_notes(op)) == NULL)
        return NULL;
    if (!PyList_Check(notes)) {
        Py_DECREF(notes);
        PyErr_SetString(PyExc_TypeError, "Cannot add note: __notes__ is not a list");
        return NULL;
    }
    int status = PyList_Append(notes, note);
    Py_DECREF(notes);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *_PyException_AddNote(PyObject *exc, PyObject *note) { return exception_add_note(exc, note); }

static PyMethodDef exception_methods[] = {
    {"__reduce__", base_exception_reduce, METH_NOARGS, NULL},
    {"__setstate__", exception_setstate, METH_O, NULL},
    {"with_traceback", exception_with_traceback, METH_O,
     "Exception.with_traceback(tb) --\n    set self.__traceback__ to tb and return self."},
    {"add_note", exception_add_note, METH_O, "Exception.add_note(note) --\n    add a note to the exception"},
    {NULL},
};

static PyObject *field_or_none(PyObject **field)
{
    PyObject *value = published_field_ref(field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *get_args(PyObject *op, void *Py_UNUSED(c)) { return field_or_none(&EXC(op)->args); }

static int set_args(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "args may not be deleted");
        return -1;
    }
    PyObject *args = PySequence_Tuple(value);
    if (args == NULL)
        return -1;
    exception_set_field_steal(&EXC(op)->args, args);
    return 0;
}

static PyObject *get_traceback(PyObject *op, void *Py_UNUSED(c)) { return field_or_none(&EXC(op)->traceback); }

static int set_traceback(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "__traceback__ may not be deleted");
        return -1;
    }
    return PyException_SetTraceback(op, value);
}

static PyObject *get_context(PyObject *op, void *Py_UNUSED(c)) { return field_or_none(&EXC(op)->context); }

static int set_context(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "__context__ may not be deleted");
        return -1;
    }
    if (value != Py_None && !PyExceptionInstance_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "exception context must be None or derive from BaseException");
        return -1;
    }
    PyException_SetContext(op, value == Py_None ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *get_cause(PyObject *op, void *Py_UNUSED(c)) { return field_or_none(&EXC(op)->cause); }

static int set_cause(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "__cause__ may not be deleted");
        return -1;
    }
    if (value != Py_None && !PyExceptionInstance_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "exception cause must be None or derive from BaseException");
        return -1;
    }
    PyException_SetCause(op, value == Py_None ? NULL : Py_NewRef(value));
    return 0;
}

static PyGetSetDef exception_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"args", get_args, set_args, NULL, NULL},
    {"__traceback__", get_traceback, set_traceback, NULL, NULL},
    {"__context__", get_context, set_context, "exception context", NULL},
    {"__cause__", get_cause, set_cause, "exception cause", NULL},
    {NULL},
};

static PyMemberDef exception_members[] = {
    {"__suppress_context__", T_BOOL, offsetof(PyBaseExceptionObject, suppress_context), 0, NULL},
    {NULL},
};

/* ---- C API ---- */

PyObject *PyException_GetTraceback(PyObject *exc) { return published_field_ref(&EXC(exc)->traceback); }

int PyException_SetTraceback(PyObject *exc, PyObject *traceback)
{
    if (traceback != NULL && traceback != Py_None && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "__traceback__ must be a traceback or None");
        return -1;
    }
    exception_set_field(&EXC(exc)->traceback, traceback == Py_None ? NULL : traceback);
    return 0;
}

PyObject *PyException_GetCause(PyObject *exc) { return published_field_ref(&EXC(exc)->cause); }

void PyException_SetCause(PyObject *exc, PyObject *cause)
{
    __atomic_store_n(&EXC(exc)->suppress_context, 1, __ATOMIC_RELAXED);
    exception_set_field_steal(&EXC(exc)->cause, cause);
}

PyObject *PyException_GetContext(PyObject *exc) { return published_field_ref(&EXC(exc)->context); }
void PyException_SetContext(PyObject *exc, PyObject *context) { exception_set_field_steal(&EXC(exc)->context, context); }
PyObject *PyException_GetArgs(PyObject *exc) { return published_field_ref(&EXC(exc)->args); }
void PyException_SetArgs(PyObject *exc, PyObject *args) { exception_set_field(&EXC(exc)->args, args); }
const char *PyExceptionClass_Name(PyObject *cls) { return ((PyTypeObject *)cls)->tp_name; }

/* ---- The types ---- */

const exception_layout_t exception_layout_base = {sizeof(PyBaseExceptionObject), base_exception_new, base_exception_init,
                                                  NULL, NULL, NULL, NULL, NULL};

PyTypeObject _PyExc_BaseException = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "BaseException",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = exception_dealloc,
    .tp_repr = exception_repr,
    .tp_str = base_exception_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASE_EXC_SUBCLASS,
    .tp_doc = "Common base class for all exceptions",
    .tp_traverse = exception_traverse,
    .tp_clear = exception_clear,
    .tp_methods = exception_methods,
    .tp_members = exception_members,
    .tp_getset = exception_getset,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = base_exception_init,
    .tp_new = base_exception_new,
    .tp_vectorcall = exception_vectorcall,
};
PyObject *PyExc_BaseException = (PyObject *)&_PyExc_BaseException;

#define EXCEPTION(Name, Base, layout, doc) \
    static PyTypeObject _PyExc_##Name; \
    PyObject *PyExc_##Name = (PyObject *)&_PyExc_##Name;
#include "exceptions.inc"
#undef EXCEPTION

PyObject *PyExc_EnvironmentError = (PyObject *)&_PyExc_OSError;
PyObject *PyExc_IOError = (PyObject *)&_PyExc_OSError;

static const struct {
    PyTypeObject *type, *base;
    const char *name, *doc;
    const exception_layout_t *layout;
} table[] = {
#define EXCEPTION(Name, Base, layout, doc) {&_PyExc_##Name, &_PyExc_##Base, #Name, doc, &exception_layout_##layout},
#include "exceptions.inc"
#undef EXCEPTION
};

static const Py_ssize_t *extra_references(PyTypeObject *type)
{
    static const Py_ssize_t none[] = {0};
    while (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        type = type->tp_base;
    if (type->tp_basicsize == sizeof(PyBaseExceptionObject))
        return none;
    for (; type != NULL && type != &_PyExc_BaseException; type = type->tp_base)
        for (size_t i = 0; i < Py_ARRAY_LENGTH(table); i++)
            if (table[i].type == type)
                return table[i].layout->references != NULL ? table[i].layout->references : none;
    return none;
}

static int ready_type(size_t i)
{
    PyTypeObject *type = table[i].type;
    const exception_layout_t *layout = table[i].layout;
    *type = _PyExc_BaseException;
    type->tp_dict = type->tp_bases = type->tp_mro = type->tp_cache = type->tp_weaklist = NULL;
    type->tp_subclasses = NULL;
    type->tp_private = NULL;
    type->tp_version = 0;
    type->tp_root_shape = type->tp_inline_offset = 0;
    type->tp_flags &= ~(Py_TPFLAGS_READY | Py_TPFLAGS_READYING | Py_TPFLAGS_VALID_VERSION_TAG);
    type->tp_name = table[i].name;
    type->tp_doc = table[i].doc;
    type->tp_base = table[i].base;
    type->tp_basicsize = layout->basicsize;
    type->tp_new = layout->tp_new;
    type->tp_init = layout->tp_init;
    type->tp_str = layout->tp_str;
    type->tp_repr = NULL;
    type->tp_vectorcall = layout->tp_new == base_exception_new && layout->tp_init == base_exception_init ? exception_vectorcall : NULL;
    type->tp_members = layout->members;
    type->tp_methods = layout->methods;
    type->tp_getset = layout->getset;
    return PyType_Ready(type);
}

int exceptions_init(void)
{
    if (PyType_Ready(&_PyExc_BaseException) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(table); i++)
        if (ready_type(i) < 0)
            return -1;
    return os_error_init_map() < 0 || exception_group_init() < 0 ? -1 : 0;
}

int exceptions_add_to(PyObject *module)
{
    if (PyModule_AddObjectRef(module, "BaseException", PyExc_BaseException) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(table); i++)
        if (PyModule_AddObjectRef(module, table[i].name, (PyObject *)table[i].type) < 0)
            return -1;
    if (PyModule_AddObjectRef(module, "ExceptionGroup", PyExc_ExceptionGroup) < 0
        || PyModule_AddObjectRef(module, "EnvironmentError", PyExc_OSError) < 0
        || PyModule_AddObjectRef(module, "IOError", PyExc_OSError) < 0)
        return -1;
    return 0;
}

/* ---- MemoryError, which must not need memory ---- */

PyObject *PyErr_NoMemory(void)
{
    static PyObject *spare;     /* [atomic] one instance kept for when none can be made */
    if (!PyType_HasFeature(&_PyExc_MemoryError, Py_TPFLAGS_READY))
        Py_FatalError("out of memory while the interpreter starts");
    PyObject *exc = base_exception_new(&_PyExc_MemoryError, NULL, NULL);
    if (exc == NULL) {
        exc = __atomic_load_n(&spare, __ATOMIC_ACQUIRE);
        if (exc == NULL)
            Py_FatalError("out of memory");
        Py_INCREF(exc);
    }
    else if (__atomic_load_n(&spare, __ATOMIC_RELAXED) == NULL) {
        PyObject *kept = base_exception_new(&_PyExc_MemoryError, NULL, NULL), *expected = NULL;
        if (kept != NULL) {
            object_publish(kept);
            if (!__atomic_compare_exchange_n(&spare, &expected, kept, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                Py_DECREF(kept);
        }
    }
    PyErr_SetObject(PyExc_MemoryError, exc);
    Py_DECREF(exc);
    return NULL;
}
