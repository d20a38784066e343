/* Simple types: _SimpleCData, whose subclasses stand for one value of a code, and their metaclass. */
#include "ctypes.h"

/* ---- The metaclass ---- */

/* The _type_ of a class that is being made. NULL with an exception. */
static const ctypes_code *code_of(PyObject *type)
{
    PyObject *text;
    int found = ctypes_find_attribute(type, "_type_", &text);
    const ctypes_code *code = NULL;
    if (found < 0)
        return NULL;
    if (found == 0) {
        PyErr_SetString(PyExc_AttributeError, "class must define a '_type_' attribute");
        return NULL;
    }
    Py_ssize_t length;
    const char *utf8 = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    if (!PyUnicode_Check(text))
        PyErr_SetString(PyExc_TypeError, "class must define a '_type_' string attribute");
    else if (utf8 != NULL && length != 1)
        PyErr_SetString(PyExc_ValueError, "class must define a '_type_' attribute which must be a string of length 1");
    else if (utf8 != NULL && (*utf8 == 0 || strchr(ctypes_all_codes, *utf8) == NULL))
        PyErr_Format(PyExc_AttributeError,
                     "class must define a '_type_' attribute which must be\n"
                     "a single character string containing one of '%s'.",
                     ctypes_all_codes);
    else if (utf8 != NULL && (code = ctypes_code_find(*utf8)) == NULL)
        PyErr_Format(PyExc_ValueError, "_type_ '%s' not supported", utf8);
    Py_DECREF(text);
    return code;
}

static ctypes_info *describe(PyTypeObject *type, bool swapped)
{
    const ctypes_code *code = code_of((PyObject *)type);
    ctypes_info *info = code != NULL ? ctypes_info_new(KIND_SIMPLE) : NULL;
    if (info == NULL)
        return NULL;
    info->access = (ctypes_access){.code = code, .swapped = swapped, .size = code->size};
    info->size = code->size;
    info->align = code->align;
    info->ffi = code->ffi;
    info->has_pointers = code->kind == CODE_STRING || code->kind == CODE_WSTRING || code->kind == CODE_POINTER
                         || code->kind == CODE_OBJECT;
    info->direct = type->tp_base == &ctypes_simple_type;
    char format[3] = {swapped == PY_LITTLE_ENDIAN ? '>' : '<', code->format, 0};
    info->format = ctypes_format_join(format, "");
    if (info->format == NULL) {
        ctypes_info_free(info);
        return NULL;
    }
    return info;
}

/* type.__new__ and the info. */
static PyObject *make_class(PyTypeObject *meta, PyObject *args, PyObject *kwargs, bool swapped)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwargs);
    if (type == NULL)
        return NULL;
    ctypes_info *info = describe((PyTypeObject *)type, swapped);
    if (info == NULL || !ctypes_info_publish((PyTypeObject *)type, NULL, info)) {
        ctypes_info_free(info);
        Py_CLEAR(type);
    }
    return type;
}

/* The twin of a class in the other byte order, with the same bases and namespace. */
static PyObject *make_twin(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *name, *bases, *namespace, *twin_args = NULL, *twin = NULL;
    if (!PyArg_ParseTuple(args, "UOO", &name, &bases, &namespace))
        return NULL;
    PyObject *twin_name = PyUnicode_FromFormat(PY_LITTLE_ENDIAN ? "%U_be" : "%U_le", name);
    if (twin_name != NULL)
        twin_args = PyTuple_Pack(3, twin_name, bases, namespace);
    if (twin_args != NULL)
        twin = make_class(meta, twin_args, kwargs, true);
    Py_XDECREF(twin_name);
    Py_XDECREF(twin_args);
    return twin;
}

/* Each of the two classes knows both. */
static int link_twins(PyObject *type, PyObject *twin)
{
    PyObject *little = PY_LITTLE_ENDIAN ? type : twin, *big = PY_LITTLE_ENDIAN ? twin : type;
    PyObject *both[2] = {type, twin};
    for (int i = 0; i < 2; i++)
        if (PyObject_SetAttrString(both[i], "__ctype_le__", little) < 0
            || PyObject_SetAttrString(both[i], "__ctype_be__", big) < 0)
            return -1;
    return 0;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    PyObject *type = make_class(meta, args, kwargs, false);
    ctypes_info *info = type != NULL ? ctypes_info_of_class(type) : NULL;
    if (type == NULL || meta != &ctypes_simple_meta || !info->direct || !ctypes_code_is_swappable(info->access.code))
        return type;
    PyObject *twin = make_twin(meta, args, kwargs);
    if (twin == NULL || link_twins(type, twin) < 0)
        Py_CLEAR(type);
    Py_XDECREF(twin);
    return type;
}

PyTypeObject ctypes_simple_meta = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.PyCSimpleType",
    .tp_basicsize = sizeof(ctypes_class),
    .tp_dealloc = ctypes_class_dealloc,
    .tp_as_sequence = &ctypes_class_as_sequence,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The class of simple types of C.",
    .tp_traverse = ctypes_class_traverse,
    .tp_clear = ctypes_class_clear,
    .tp_methods = ctypes_class_methods,
    .tp_base = &PyType_Type,
    .tp_new = meta_new,
};

/* ---- As parameters ---- */

/* Something whose memory holds characters of this code: an array of them, or a pointer to them. */
static bool refers_to(ctypes_info *info, char code)
{
    if (info == NULL || (info->kind != KIND_ARRAY && info->kind != KIND_POINTER))
        return false;
    ctypes_info *item = info->item != NULL ? ctypes_info_find(info->item) : NULL;
    return item != NULL && item->kind == KIND_SIMPLE && item->access.code->code == code;
}

/* Which parameters do char * and wchar_t * take beside str and bytes? */
static bool is_text_argument(PyObject *value, char code)
{
    if (ctypes_is_data(value))
        return refers_to(ctypes_info_find(Py_TYPE(value)), code);
    if (!Py_IS_TYPE(value, &ctypes_parameter_type))
        return false;
    PyObject *object = ((ctypes_parameter *)value)->object;
    ctypes_info *info = object != NULL ? ctypes_info_find(Py_TYPE(object)) : NULL;
    return info != NULL && info->kind == KIND_SIMPLE && info->access.code->code == code;
}

static PyObject *pointer_value(void *address, char tag, PyObject *object)
{
    PyObject *parameter = ctypes_parameter_new(tag, &ffi_type_pointer, object);
    if (parameter != NULL)
        ((ctypes_parameter *)parameter)->argument.value.p = address;
    return parameter;
}

/* Parameters for void * beside integers: text, and all that is an address. NULL without an exception: none. */
static PyObject *void_from_param(const ctypes_access *access, PyObject *value)
{
    if (PyBytes_Check(value) || PyUnicode_Check(value)) {
        ctypes_access text = {.code = ctypes_code_find(PyBytes_Check(value) ? 'z' : 'Z')};
        return ctypes_parameter_by_code(&text, value);
    }
    if (PyLong_Check(value))
        return ctypes_parameter_by_code(access, value);
    if (Py_IS_TYPE(value, &ctypes_parameter_type))
        return ((ctypes_parameter *)value)->tag == 'P' ? Py_NewRef(value) : NULL;
    if (!ctypes_is_data(value))
        return NULL;
    ctypes_info *info = ctypes_info_find(Py_TYPE(value));
    void *address;
    switch (info->kind) {
    case KIND_ARRAY: case KIND_POINTER:
        return Py_NewRef(value);
    case KIND_FUNCTION:
        memcpy(&address, ctypes_address(value), sizeof(address));
        return pointer_value(address, 'P', value);
    case KIND_SIMPLE:
        if (info->access.code->kind != CODE_STRING && info->access.code->kind != CODE_WSTRING)
            return NULL;
        memcpy(&address, ctypes_address(value), sizeof(address));
        return pointer_value(address, 'Z', value);
    default:
        return NULL;
    }
}

/* By the rules of the type itself. NULL without an exception if it has none for the value. */
static PyObject *own_rules(const ctypes_info *info, PyObject *value)
{
    PyObject *parameter = NULL;
    const ctypes_code *code = info->access.code;
    bool is_text = code->kind == CODE_STRING || code->kind == CODE_WSTRING;
    if ((is_text || code->kind == CODE_POINTER) && value == Py_None)
        return Py_NewRef(value);
    if (code->kind == CODE_POINTER)
        return void_from_param(&info->access, value);
    if (is_text && is_text_argument(value, code->kind == CODE_STRING ? 'c' : 'u'))
        return Py_NewRef(value);
    if (!is_text || (code->kind == CODE_STRING ? PyBytes_Check(value) : PyUnicode_Check(value)))
        parameter = ctypes_parameter_by_code(&info->access, value);
    if (parameter == NULL && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_MemoryError))
        PyErr_Clear();
    return parameter;
}

PyObject *ctypes_simple_from_param(PyTypeObject *type, const ctypes_info *info, PyObject *value)
{
    PyObject *substitute, *parameter = own_rules(info, value);
    if (parameter != NULL || PyErr_Occurred())
        return parameter;
    int found = ctypes_find_attribute(value, "_as_parameter_", &substitute);
    if (found == 0)
        PyErr_SetString(PyExc_TypeError, "wrong type");
    if (found <= 0)
        return NULL;
    if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
        parameter = ctypes_class_from_param((PyObject *)type, substitute);
        Py_LeaveRecursiveCall();
    }
    Py_DECREF(substitute);
    return parameter;
}

/* ---- _SimpleCData ---- */

static PyObject *get_value(PyObject *op, void *unused)
{
    return ctypes_get(Py_TYPE(op), &ctypes_info_find(Py_TYPE(op))->access, op, 0, ctypes_address(op));
}

static int set_value(PyObject *op, PyObject *value, void *unused)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    return ctypes_set(Py_TYPE(op), &ctypes_info_find(Py_TYPE(op))->access, op, value, 0, ctypes_address(op));
}

static int simple_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    if (!PyArg_UnpackTuple(args, "__init__", 0, 1, &value))
        return -1;
    return value != NULL ? set_value(op, value, NULL) : 0;
}

static int simple_bool(PyObject *op)
{
    const char *bytes = ctypes_address(op);
    for (Py_ssize_t i = 0, size = ctypes_info_find(Py_TYPE(op))->size; i < size; i++)
        if (bytes[i] != 0)
            return 1;
    return 0;
}

static PyObject *simple_repr(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!ctypes_info_find(type)->direct)
        return PyUnicode_FromFormat("<%s object at %p>", type->tp_name, op);
    PyObject *value = get_value(op, NULL), *name = NULL, *repr = NULL;
    if (value == NULL && PyErr_ExceptionMatches(PyExc_ValueError)
        && ctypes_info_find(type)->access.code->kind == CODE_OBJECT) {
        PyErr_Clear();
        return PyUnicode_FromFormat("%s(<NULL>)", type->tp_name);
    }
    if (value != NULL)
        name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (name != NULL)
        repr = PyUnicode_FromFormat("%S(%R)", name, value);
    Py_XDECREF(value);
    Py_XDECREF(name);
    return repr;
}

static PyNumberMethods simple_as_number = {.nb_bool = simple_bool};

static PyGetSetDef simple_getset[] = {
    {"value", get_value, set_value, "The value in Python.", NULL},
    {NULL},
};

PyTypeObject ctypes_simple_type = {
    PyVarObject_HEAD_INIT(&ctypes_simple_meta, 0)
    .tp_name = "_ctypes._SimpleCData",
    .tp_basicsize = sizeof(ctypes_data),
    .tp_dealloc = ctypes_data_dealloc,
    .tp_repr = simple_repr,
    .tp_as_number = &simple_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "A single value of C.",
    .tp_traverse = ctypes_data_traverse,
    .tp_clear = ctypes_data_clear,
    .tp_getset = simple_getset,
    .tp_base = &ctypes_data_type,
    .tp_init = simple_init,
    .tp_new = ctypes_data_new,
};
