/* The functions of the module: sizes and addresses, shared libraries, and those that ctypes calls by address. */
#include "ctypes.h"
#include <dlfcn.h>

/* ---- Sizes, addresses ---- */

/* The info of a class or of an object's; NULL without an exception. */
static ctypes_info *info_of(PyObject *op)
{
    if (PyType_Check(op))
        return ctypes_info_of_class(op);
    return ctypes_is_data(op) ? ctypes_info_find(Py_TYPE(op)) : NULL;
}

static PyObject *size_of(PyObject *module, PyObject *op)
{
    ctypes_info *info = ctypes_info_of_class(op);
    if (info != NULL)
        return PyLong_FromSsize_t(info->size);
    if (!PyType_Check(op) && ctypes_is_data(op))
        return PyLong_FromSsize_t(ctypes_size(op));
    PyErr_SetString(PyExc_TypeError, "this type has no size");
    return NULL;
}

static PyObject *alignment(PyObject *module, PyObject *op)
{
    ctypes_info *info = info_of(op);
    if (info != NULL)
        return PyLong_FromSsize_t(info->align);
    PyErr_SetString(PyExc_TypeError, "no alignment info");
    return NULL;
}

static PyObject *byref(PyObject *module, PyObject *args)
{
    PyObject *op, *offset = NULL;
    if (!PyArg_UnpackTuple(args, "byref", 1, 2, &op, &offset))
        return NULL;
    Py_ssize_t n = offset != NULL ? PyNumber_AsSsize_t(offset, NULL) : 0;
    return n == -1 && PyErr_Occurred() ? NULL : ctypes_byref(op, n);
}

static PyObject *address_of(PyObject *module, PyObject *op)
{
    if (!ctypes_is_data(op)) {
        PyErr_SetString(PyExc_TypeError, "invalid type");
        return NULL;
    }
    return PySys_Audit("ctypes.addressof", "(O)", op) < 0 ? NULL : PyLong_FromVoidPtr(ctypes_address(op));
}

static PyObject *resize(PyObject *module, PyObject *args)
{
    PyObject *op;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "On:resize", &op, &size))
        return NULL;
    if (!ctypes_is_data(op)) {
        PyErr_SetString(PyExc_TypeError, "excepted ctypes instance");
        return NULL;
    }
    return ctypes_data_resize(op, size) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *pointer_class(PyObject *module, PyObject *type) { return ctypes_pointer_class(type); }
static PyObject *pointer_to(PyObject *module, PyObject *op) { return ctypes_pointer_to(op); }

static PyObject *unpickle(PyObject *module, PyObject *args)
{
    PyObject *type, *state, *done;
    if (!PyArg_ParseTuple(args, "OO!", &type, &PyTuple_Type, &state))
        return NULL;
    PyObject *op = PyObject_CallMethod(type, "__new__", "O", type);
    PyObject *set_state = op != NULL ? PyObject_GetAttrString(op, "__setstate__") : NULL;
    done = set_state != NULL ? PyObject_Call(set_state, state, NULL) : NULL;
    if (done == NULL)
        Py_CLEAR(op);
    Py_XDECREF(done);
    Py_XDECREF(set_state);
    return op;
}

static PyObject *buffer_info(PyObject *module, PyObject *op)
{
    ctypes_info *info = info_of(op);
    if (info == NULL) {
        PyErr_SetString(PyExc_TypeError, "not a ctypes type or object");
        return NULL;
    }
    PyObject *shape = PyTuple_New(info->ndim);
    for (int i = 0; shape != NULL && i < info->ndim; i++) {
        PyObject *n = PyLong_FromSsize_t(info->shape[i]);
        if (n == NULL)
            Py_CLEAR(shape);
        else
            PyTuple_SET_ITEM(shape, i, n);
    }
    return shape != NULL ? Py_BuildValue("siN", info->format != NULL ? info->format : "B", info->ndim, shape) : NULL;
}

/* ---- Objects by address ---- */

static int parse_object(PyObject *value, void *result)
{
    *(void **)result = PyLong_AsVoidPtr(value);
    if (*(void **)result == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "PyObject is NULL");
    return !PyErr_Occurred();
}

static PyObject *object_at(PyObject *module, PyObject *args)
{
    PyObject *op;
    if (!PyArg_ParseTuple(args, "O&:PyObj_FromPtr", parse_object, &op)
        || PySys_Audit("ctypes.PyObj_FromPtr", "(O)", op) < 0)
        return NULL;
    return Py_NewRef(op);
}

static PyObject *add_reference(PyObject *module, PyObject *op)
{
    Py_INCREF(op);
    return Py_NewRef(op);
}

static PyObject *drop_reference(PyObject *module, PyObject *op)
{
    Py_DECREF(op);
    return Py_NewRef(op);
}

/* ---- Shared libraries ---- */

static PyObject *raise_dlerror(PyObject *exception)
{
    const char *message = dlerror();
    PyErr_SetString(exception, message != NULL ? message : "dlerror() gives no reason");
    return NULL;
}

static PyObject *open_library(PyObject *module, PyObject *args)
{
    PyObject *name, *path = NULL;
    int mode = RTLD_NOW;
    if (!PyArg_ParseTuple(args, "O|i:dlopen", &name, &mode))
        return NULL;
    if (name != Py_None && !PyUnicode_FSConverter(name, &path))
        return NULL;
    if (PySys_Audit("ctypes.dlopen", "O", name) < 0) {
        Py_XDECREF(path);
        return NULL;
    }
    void *handle;
    Py_BEGIN_ALLOW_THREADS              /* constructors of the library may do anything */
    handle = dlopen(path != NULL ? PyBytes_AS_STRING(path) : NULL, mode | RTLD_NOW);
    Py_END_ALLOW_THREADS
    PyObject *result = handle != NULL ? PyLong_FromVoidPtr(handle) : raise_dlerror(PyExc_OSError);
    Py_XDECREF(path);
    return result;
}

static PyObject *close_library(PyObject *module, PyObject *args)
{
    void *handle;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "O!:dlclose", &PyLong_Type, &value))
        return NULL;
    handle = PyLong_AsVoidPtr(value);
    if (handle == NULL && PyErr_Occurred())
        return NULL;
    if (handle == NULL || dlclose(handle) != 0)
        return raise_dlerror(PyExc_OSError);
    return Py_NewRef(Py_None);
}

static PyObject *find_symbol(PyObject *module, PyObject *args)
{
    PyObject *value;
    const char *name;
    if (!PyArg_ParseTuple(args, "O!s:dlsym", &PyLong_Type, &value, &name))
        return NULL;
    void *handle = PyLong_AsVoidPtr(value);
    if ((handle == NULL && PyErr_Occurred()) || PySys_Audit("ctypes.dlsym/handle", "O", args) < 0)
        return NULL;
    void *address = dlsym(handle, name);
    return address != NULL ? PyLong_FromVoidPtr(address) : raise_dlerror(PyExc_OSError);
}

void *ctypes_find_symbol(PyObject *library, const char *name, PyObject *missing)
{
    PyObject *value = PyObject_GetAttrString(library, "_handle");
    if (value == NULL)
        return NULL;
    void *address = NULL;
    if (!PyLong_Check(value))
        PyErr_SetString(PyExc_TypeError, "the _handle attribute of the second argument must be an integer");
    else {
        void *handle = PyLong_AsVoidPtr(value);
        if ((handle != NULL || !PyErr_Occurred()) && (address = dlsym(handle, name)) == NULL)
            raise_dlerror(missing);
    }
    Py_DECREF(value);
    return address;
}

/* ---- Called by address ---- */

static PyObject *string_at(const char *address, int size)
{
    if (PySys_Audit("ctypes.string_at", "ni", (Py_ssize_t)address, size) < 0)
        return NULL;
    return size == -1 ? PyBytes_FromString(address) : PyBytes_FromStringAndSize(address, size);
}

static PyObject *wide_string_at(const wchar_t *address, int size)
{
    if (PySys_Audit("ctypes.wstring_at", "ni", (Py_ssize_t)address, size) < 0)
        return NULL;
    return ctypes_text(address, size == -1 ? (Py_ssize_t)wcslen(address) : size);
}

static bool is_pointer_class(PyObject *type)
{
    ctypes_info *info = ctypes_info_of_class(type);
    return info != NULL
           && (info->kind == KIND_POINTER || info->kind == KIND_FUNCTION
               || (info->kind == KIND_SIMPLE && strchr("PzZO", info->access.code->code) != NULL));
}

static PyObject *cast(void *address, PyObject *source, PyObject *type)
{
    if (!is_pointer_class(type)) {
        PyErr_Format(PyExc_TypeError, "cast() argument 2 must be a pointer type, not %s",
                     PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : Py_TYPE(type)->tp_name);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(type);
    if (result == NULL)
        return NULL;
    if (!ctypes_is_data(result) || (ctypes_is_data(source) && ctypes_share_kept(result, source) < 0))
        Py_CLEAR(result);
    else
        memcpy(ctypes_address(result), &address, sizeof(address));
    return result;
}

int ctypes_functions_init(PyObject *module)
{
    static const struct { const char *name; void *address; } addresses[] = {
        {"_cast_addr", (void *)cast}, {"_memmove_addr", (void *)memmove}, {"_memset_addr", (void *)memset},
        {"_string_at_addr", (void *)string_at}, {"_wstring_at_addr", (void *)wide_string_at},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(addresses); i++)
        if (PyModule_Add(module, addresses[i].name, PyLong_FromVoidPtr(addresses[i].address)) < 0)
            return -1;
    return 0;
}

PyMethodDef ctypes_functions[] = {
    {"sizeof", size_of, METH_O, "The size in bytes of a type or object."},
    {"alignment", alignment, METH_O, "The alignment in bytes of a type or object."},
    {"byref", byref, METH_VARARGS, "A pointer to an object, at an offset, that can only be passed to functions."},
    {"addressof", address_of, METH_O, "The address of an object's memory."},
    {"resize", resize, METH_VARARGS, "Gives an object at least so many bytes of memory."},
    {"POINTER", pointer_class, METH_O, "The class of pointers to a type."},
    {"pointer", pointer_to, METH_O, "A pointer to an object."},
    {"_unpickle", unpickle, METH_VARARGS, "Makes an object from its class and state."},
    {"buffer_info", buffer_info, METH_O, "Format, dimensions and shape of a type's buffers."},
    {"PyObj_FromPtr", object_at, METH_VARARGS, "The object at an address."},
    {"Py_INCREF", add_reference, METH_O, "Adds a reference to an object."},
    {"Py_DECREF", drop_reference, METH_O, "Drops a reference to an object."},
    {"dlopen", open_library, METH_VARARGS, "Opens a shared library; returns its handle."},
    {"dlclose", close_library, METH_VARARGS, "Closes a shared library."},
    {"dlsym", find_symbol, METH_VARARGS, "The address of a symbol in a shared library."},
    {NULL},
};
