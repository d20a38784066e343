/* Classes of data types: their infos, and what all their metaclasses have in common.
 *
 * Locks: infos are published, and made final, under the lock of the class, and read without it. */
#include "ctypes.h"

#define CLASS(op) ((ctypes_class *)(op))

/* ---- Infos ---- */

/* Has the class the layout of ctypes_class? The abstract classes of the module itself are plain static types. */
static bool is_ctypes_class(PyTypeObject *type)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
        return false;
    PyTypeObject *meta = Py_TYPE(type);
    while (PyType_HasFeature(meta, Py_TPFLAGS_HEAPTYPE))
        meta = meta->tp_base;
    return meta->tp_dealloc == ctypes_class_dealloc;
}

ctypes_info *ctypes_info_find(PyTypeObject *type)
{
    /* pairs with ctypes_info_publish */
    return is_ctypes_class(type) ? __atomic_load_n(&CLASS(type)->info, __ATOMIC_ACQUIRE) : NULL;
}

ctypes_info *ctypes_info_new(enum ctypes_kind kind)
{
    ctypes_info *info = PyMem_Calloc(1, sizeof(*info));
    if (info == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    info->kind = (uint8_t)kind;
    info->align = 1;
    info->ffi = &ffi_type_pointer;
    return info;
}

static void free_one(ctypes_info *info)
{
    for (Py_ssize_t i = 0; info->members != NULL && i < info->length; i++) {
        Py_DECREF(info->members[i].name);
        Py_DECREF(info->members[i].type);
    }
    PyMem_Free(info->members);
    PyMem_Free(info->format);
    PyMem_Free(info->shape);
    PyMem_Free(info->ffi_elements);
    Py_XDECREF(info->item);
    Py_XDECREF(info->argtypes);
    Py_XDECREF(info->converters);
    Py_XDECREF(info->restype);
    Py_XDECREF(info->checker);
    PyMem_Free(info);
}

void ctypes_info_free(ctypes_info *info)
{
    while (info != NULL) {
        ctypes_info *previous = info->previous;
        free_one(info);
        info = previous;
    }
}

int ctypes_info_publish(PyTypeObject *type, ctypes_info *expected, ctypes_info *info)
{
    int done = 0;
    info->makes_data = PyType_IsSubtype(type, &ctypes_data_type);
    Py_BEGIN_CRITICAL_SECTION(type);
    if (CLASS(type)->info == expected && (expected == NULL || !expected->final)) {
        info->previous = expected;
        __atomic_store_n(&CLASS(type)->info, info, __ATOMIC_RELEASE);       /* pairs with ctypes_info_find */
        done = 1;
    }
    Py_END_CRITICAL_SECTION();
    return done;
}

ctypes_info *ctypes_info_finish(PyTypeObject *type)
{
    ctypes_info *info = ctypes_info_find(type);
    if (info == NULL || info->kind == KIND_POINTER || __atomic_load_n(&info->final, __ATOMIC_RELAXED))
        return info;
    Py_BEGIN_CRITICAL_SECTION(type);
    info = CLASS(type)->info;
    __atomic_store_n(&info->final, 1, __ATOMIC_RELAXED);
    Py_END_CRITICAL_SECTION();
    return info;
}

char *ctypes_format_join(const char *prefix, const char *text)
{
    size_t prefix_size = strlen(prefix), size = strlen(text);
    char *joined = PyMem_Malloc(prefix_size + size + 1);
    if (joined == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(joined, prefix, prefix_size);
    memcpy(joined + prefix_size, text, size + 1);
    return joined;
}

/* ---- Life of a class ---- */

static int traverse_info(ctypes_info *info, visitproc visit, void *arg)
{
    for (; info != NULL; info = info->previous) {
        Py_VISIT((PyObject *)info->item);
        Py_VISIT(info->argtypes);
        Py_VISIT(info->converters);
        Py_VISIT(info->restype);
        Py_VISIT(info->checker);
        for (Py_ssize_t i = 0; info->members != NULL && i < info->length; i++)
            Py_VISIT((PyObject *)info->members[i].type);
    }
    return 0;
}

int ctypes_class_traverse(PyObject *op, visitproc visit, void *arg)
{
    if (is_ctypes_class((PyTypeObject *)op)) {
        int result = traverse_info(CLASS(op)->info, visit, arg);
        if (result != 0)
            return result;
        Py_VISIT(CLASS(op)->arrays);
    }
    return PyType_Type.tp_traverse(op, visit, arg);
}

/* The infos stay: objects of the class may still be around, and finalisers use them. A class goes when nothing reaches
 * it, not when its count is 0, so what the infos refer to is no hindrance. */
int ctypes_class_clear(PyObject *op)
{
    if (is_ctypes_class((PyTypeObject *)op))
        Py_CLEAR(CLASS(op)->arrays);
    return PyType_Type.tp_clear(op);
}

void ctypes_class_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    ctypes_info_free(CLASS(op)->info);
    CLASS(op)->info = NULL;
    Py_CLEAR(CLASS(op)->arrays);
    PyType_Type.tp_dealloc(op);
}

/* ---- Attributes ---- */

int ctypes_class_set_attribute(PyTypeObject *type, PyObject *name, PyObject *value)
{
    return PyType_Type.tp_setattro((PyObject *)type, name, value);
}

int ctypes_find_attribute(PyObject *obj, const char *name, PyObject **result)
{
    *result = PyObject_GetAttrString(obj, name);
    if (*result != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

/* ---- Methods of classes ---- */

static ctypes_info *concrete(PyObject *type)
{
    ctypes_info *info = ctypes_info_of_class(type);
    if (info == NULL)
        PyErr_SetString(PyExc_TypeError, "abstract class");
    return info;
}

PyObject *ctypes_class_from_address(PyObject *type, PyObject *value)
{
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "integer expected");
        return NULL;
    }
    void *address = PyLong_AsVoidPtr(value);
    if ((address == NULL && PyErr_Occurred()) || concrete(type) == NULL)
        return NULL;
    return ctypes_data_at((PyTypeObject *)type, address);
}

/* Do size bytes at offset lie in a buffer of this length? 0, or -1 with an exception. */
static int check_range(Py_ssize_t length, Py_ssize_t size, Py_ssize_t offset)
{
    if (offset < 0)
        PyErr_SetString(PyExc_ValueError, "offset cannot be negative");
    else if (size > length - offset)
        PyErr_Format(PyExc_ValueError, "Buffer size too small (%zd instead of at least %zd bytes)", length,
                     size + offset);
    else
        return 0;
    return -1;
}

PyObject *ctypes_class_from_buffer(PyObject *type, PyObject *args)
{
    PyObject *source, *view = NULL, *result = NULL;
    Py_ssize_t offset = 0;
    ctypes_info *info = concrete(type);
    if (info == NULL || !PyArg_ParseTuple(args, "O|n:from_buffer", &source, &offset))
        return NULL;
    view = PyMemoryView_FromObject(source);
    if (view == NULL)
        return NULL;
    Py_buffer *buffer = PyMemoryView_GET_BUFFER(view);
    if (buffer->readonly)
        PyErr_SetString(PyExc_TypeError, "underlying buffer is not writable");
    else if (!PyBuffer_IsContiguous(buffer, 'C'))
        PyErr_SetString(PyExc_TypeError, "underlying buffer is not C contiguous");
    else if (check_range(buffer->len, info->size, offset) == 0
             && PySys_Audit("ctypes.cdata/buffer", "nnn", (Py_ssize_t)buffer->buf, buffer->len, offset) == 0)
        result = ctypes_data_at((PyTypeObject *)type, (char *)buffer->buf + offset);
    if (result != NULL) {
        ctypes_as_data(result)->memory = Py_NewRef(view);       /* what `objects` keeps may be replaced */
        if (ctypes_keep(result, -1, Py_NewRef(view)) < 0)
            Py_CLEAR(result);
    }
    Py_DECREF(view);
    return result;
}

PyObject *ctypes_class_from_buffer_copy(PyObject *type, PyObject *args)
{
    Py_buffer buffer = {0};
    Py_ssize_t offset = 0;
    PyObject *result = NULL;
    ctypes_info *info = concrete(type);
    if (info == NULL || !PyArg_ParseTuple(args, "y*|n:from_buffer_copy", &buffer, &offset))
        return NULL;
    if (check_range(buffer.len, info->size, offset) == 0
        && PySys_Audit("ctypes.cdata/buffer", "nnn", (Py_ssize_t)buffer.buf, buffer.len, offset) == 0)
        result = ctypes_data_new((PyTypeObject *)type, NULL, NULL);
    if (result != NULL)
        memcpy(ctypes_address(result), (char *)buffer.buf + offset, (size_t)info->size);
    PyBuffer_Release(&buffer);
    return result;
}

PyObject *ctypes_class_in_dll(PyObject *type, PyObject *args)
{
    PyObject *library;
    const char *name;
    if (!PyArg_ParseTuple(args, "Os:in_dll", &library, &name))
        return NULL;
    if (PySys_Audit("ctypes.dlsym", "O", args) < 0 || concrete(type) == NULL)
        return NULL;
    void *address = ctypes_find_symbol(library, name, PyExc_ValueError);
    return address != NULL ? ctypes_data_at((PyTypeObject *)type, address) : NULL;
}

/* The plain rule: a parameter that points to the right type, or what stands for an object of the class. */
static PyObject *plain_from_param(PyTypeObject *type, PyObject *value)
{
    PyObject *substitute;
    if (Py_IS_TYPE(value, &ctypes_parameter_type)) {
        /* byref(x) is a pointer to the type of x, and may be passed where an array of it is expected. */
        PyObject *object = ((ctypes_parameter *)value)->object, *item = (PyObject *)ctypes_info_find(type)->item;
        int fits = object != NULL && item != NULL ? PyObject_IsInstance(object, item) : 0;
        if (fits != 0)
            return fits < 0 ? NULL : Py_NewRef(value);
        PyErr_Format(PyExc_TypeError, "expected %s instance instead of pointer to %s", type->tp_name,
                     object != NULL ? Py_TYPE(object)->tp_name : "???");
        return NULL;
    }
    int found = ctypes_find_attribute(value, "_as_parameter_", &substitute);
    if (found > 0) {
        PyObject *result = NULL;
        if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
            result = ctypes_class_from_param((PyObject *)type, substitute);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(substitute);
        return result;
    }
    if (found == 0)
        PyErr_Format(PyExc_TypeError, "expected %s instance instead of %s", type->tp_name, Py_TYPE(value)->tp_name);
    return NULL;
}

PyObject *ctypes_class_from_param(PyObject *op, PyObject *value)
{
    PyTypeObject *type = (PyTypeObject *)op;
    ctypes_info *info = concrete(op);
    if (info == NULL)
        return NULL;
    if (info->kind == KIND_POINTER && value == Py_None)
        return Py_NewRef(value);
    int is_instance = PyObject_IsInstance(value, op);
    if (is_instance != 0)
        return is_instance < 0 ? NULL : Py_NewRef(value);
    if (info->kind == KIND_SIMPLE)
        return ctypes_simple_from_param(type, info, value);
    if (info->kind == KIND_POINTER) {
        PyObject *result = ctypes_pointer_from_param(type, info, value);
        if (result != NULL || PyErr_Occurred())
            return result;
    }
    return plain_from_param(type, value);
}

PyMethodDef ctypes_class_methods[] = {CTYPES_CLASS_METHODS, {NULL}};
PySequenceMethods ctypes_class_as_sequence = {.sq_repeat = ctypes_array_class};
