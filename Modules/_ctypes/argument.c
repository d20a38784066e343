/* Arguments of calls: what byref() and from_param() make, and how data objects are passed. */
#include "ctypes.h"

#define SELF(op) ((ctypes_parameter *)(op))

PyObject *ctypes_parameter_new(char tag, ffi_type *ffi, PyObject *object)
{
    ctypes_parameter *self = PyObject_GC_New(ctypes_parameter, &ctypes_parameter_type);
    if (self == NULL)
        return NULL;
    self->tag = tag;
    self->object = Py_XNewRef(object);
    memset(&self->argument, 0, sizeof(self->argument));
    self->argument.ffi = ffi;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *ctypes_byref(PyObject *op, Py_ssize_t offset)
{
    if (!ctypes_is_data(op)) {
        PyErr_Format(PyExc_TypeError, "byref() argument must be a ctypes instance, not '%s'", Py_TYPE(op)->tp_name);
        return NULL;
    }
    PyObject *self = ctypes_parameter_new('P', &ffi_type_pointer, op);
    if (self != NULL)
        SELF(self)->argument.value.p = ctypes_address(op) + offset;
    return self;
}

PyObject *ctypes_parameter_by_code(const ctypes_access *access, PyObject *value)
{
    PyObject *self = ctypes_parameter_new(access->code->code, access->code->ffi, NULL);
    if (self == NULL)
        return NULL;
    SELF(self)->object = ctypes_code_set(access, SELF(self)->argument.value.bytes, value);
    if (SELF(self)->object == NULL)
        Py_CLEAR(self);
    return self;
}

void ctypes_argument_from_data(ctypes_argument *argument, PyObject *op)
{
    ctypes_info *info = ctypes_info_find(Py_TYPE(op));
    argument->keep = Py_NewRef(op);
    argument->ffi = info->ffi;
    argument->address = NULL;
    switch (info->kind) {
    case KIND_SIMPLE: case KIND_POINTER: case KIND_FUNCTION:
        memcpy(&argument->value, ctypes_address(op), (size_t)info->size);
        break;
    case KIND_ARRAY:
        argument->value.p = ctypes_address(op);
        break;
    default:
        argument->address = ctypes_address(op);
        break;
    }
}

/* ---- The type ---- */

static int parameter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(SELF(op)->object);
    return 0;
}

static void parameter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(SELF(op)->object);
    PyObject_GC_Del(op);
}

static PyObject *parameter_repr(PyObject *op)
{
    char tag = SELF(op)->tag;
    const union ctypes_value *value = &SELF(op)->argument.value;
    unsigned char c = (unsigned char)value->b;
    PyObject *number, *text;
    switch (tag) {
    case 'b': case 'B': return PyUnicode_FromFormat("<cparam '%c' (%d)>", tag, value->b);
    case 'h': case 'H': return PyUnicode_FromFormat("<cparam '%c' (%d)>", tag, value->h);
    case 'i': case 'I': return PyUnicode_FromFormat("<cparam '%c' (%d)>", tag, value->i);
    case 'l': case 'L': return PyUnicode_FromFormat("<cparam '%c' (%ld)>", tag, value->l);
    case 'q': case 'Q': return PyUnicode_FromFormat("<cparam '%c' (%lld)>", tag, value->q);
    case 'd': case 'f':
        number = PyFloat_FromDouble(tag == 'f' ? (double)value->f : value->d);
        text = number != NULL ? PyUnicode_FromFormat("<cparam '%c' (%R)>", tag, number) : NULL;
        Py_XDECREF(number);
        return text;
    case 'c':
        if (c < 127 && c >= ' ' && c != '\'' && c != '\\')
            return PyUnicode_FromFormat("<cparam '%c' ('%c')>", tag, c);
        return PyUnicode_FromFormat("<cparam '%c' ('\\x%02x')>", tag, c);
    case 'z': case 'Z': case 'P':
        return PyUnicode_FromFormat("<cparam '%c' (%p)>", tag, value->p);
    default:
        return PyUnicode_FromFormat("<cparam '%c' at %p>", tag, op);
    }
}

static PyMemberDef parameter_members[] = {
    {"_obj", T_OBJECT, offsetof(ctypes_parameter, object), READONLY, "The object that is passed."},
    {NULL},
};

PyTypeObject ctypes_parameter_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "CArgObject",
    .tp_basicsize = sizeof(ctypes_parameter),
    .tp_dealloc = parameter_dealloc,
    .tp_repr = parameter_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "An argument of a call.",
    .tp_traverse = parameter_traverse,
    .tp_members = parameter_members,
};
