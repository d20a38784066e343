/* Calling foreign functions: arguments to C, the call, the result to Python; and the errno that calls leave behind.
 *
 * Nothing here is shared but what a caller passes in. The copy of errno is one per thread. */
#include "ctypes.h"
#include <errno.h>

enum { FEW = 8 };

static __thread int own_errno;

void ctypes_swap_errno(void)
{
    int kept = own_errno;
    own_errno = errno;
    errno = kept;
}

/* ---- Arguments ---- */

static int int_argument(ctypes_argument *argument, PyObject *value)
{
    argument->ffi = &ffi_type_sint;
    argument->value.i = (int)PyLong_AsUnsignedLong(value);
    if (argument->value.i != -1 || !PyErr_Occurred())
        return 0;
    PyErr_Clear();
    argument->value.i = (int)PyLong_AsLong(value);
    if (argument->value.i != -1 || !PyErr_Occurred())
        return 0;
    PyErr_SetString(PyExc_OverflowError, "int too long to convert");
    return -1;
}

/* What an argument is passed as when its type is not declared. */
static int convert(ctypes_argument *argument, PyObject *value, Py_ssize_t index)
{
    argument->keep = NULL;
    argument->address = NULL;
    if (ctypes_is_data(value)) {
        ctypes_argument_from_data(argument, value);
        return 0;
    }
    if (Py_IS_TYPE(value, &ctypes_parameter_type)) {
        *argument = ((ctypes_parameter *)value)->argument;
        argument->keep = Py_NewRef(value);
        return 0;
    }
    if (PyLong_Check(value))
        return int_argument(argument, value);
    if (value == Py_None || PyBytes_Check(value) || PyUnicode_Check(value)) {
        ctypes_access text = {.code = ctypes_code_find(PyUnicode_Check(value) ? 'Z' : 'z')};
        argument->ffi = &ffi_type_pointer;
        argument->keep = ctypes_code_set(&text, argument->value.bytes, value);
        return argument->keep != NULL ? 0 : -1;
    }
    PyObject *substitute;
    int found = ctypes_find_attribute(value, "_as_parameter_", &substitute), result = -1;
    if (found > 0) {
        if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
            result = convert(argument, substitute, index);
            Py_LeaveRecursiveCall();
        }
        if (result == 0 && argument->keep == NULL)
            argument->keep = substitute;
        else
            Py_DECREF(substitute);
    }
    else if (found == 0)
        PyErr_Format(PyExc_TypeError, "Don't know how to convert parameter %zd", index);
    return result;
}

/* The exception says which argument. */
static void name_argument(Py_ssize_t index)
{
    PyObject *exc = PyErr_GetRaisedException();
    const char *name = PyExceptionClass_Name((PyObject *)Py_TYPE(exc)), *dot = strrchr(name, '.');
    PyErr_Format(ctypes_argument_error, "argument %zd: %s: %S", index, dot != NULL ? dot + 1 : name, exc);
    Py_DECREF(exc);
}

/* Plain numbers and strings for the simple types that stand for them need no parameter object. */
static bool is_plain(const ctypes_info *info, PyObject *value)
{
    if (info->kind != KIND_SIMPLE)
        return false;
    switch (info->access.code->kind) {
    case CODE_SIGNED: case CODE_UNSIGNED: return PyLong_CheckExact(value);
    case CODE_FLOAT: case CODE_DOUBLE: return PyFloat_CheckExact(value);
    case CODE_STRING: return PyBytes_CheckExact(value);
    case CODE_WSTRING: return PyUnicode_CheckExact(value);
    default: return false;
    }
}

/* An argument whose type is declared: as the from_param of the type says. */
static int convert_declared(ctypes_argument *argument, PyObject *converter, PyObject *value, Py_ssize_t index)
{
    PyObject *converted;
    if (PyCFunction_CheckExact(converter) && PyCFunction_GET_FUNCTION(converter) == ctypes_class_from_param) {
        PyObject *type = PyCFunction_GET_SELF(converter);
        ctypes_info *info = ctypes_info_of_class(type);
        if (info != NULL && is_plain(info, value)) {
            argument->ffi = info->ffi;
            argument->keep = ctypes_code_set(&info->access, argument->value.bytes, value);
            return argument->keep != NULL ? 0 : -1;
        }
        converted = ctypes_class_from_param(type, value);
    }
    else
        converted = PyObject_CallOneArg(converter, value);
    int result = converted != NULL ? convert(argument, converted, index) : -1;
    if (result == 0 && argument->keep == NULL)
        argument->keep = Py_NewRef(converted);
    Py_XDECREF(converted);
    return result;
}

static int convert_all(ctypes_argument *arguments, PyObject *args, PyObject *converters)
{
    Py_ssize_t declared = converters != NULL ? PyTuple_GET_SIZE(converters) : 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *value = PyTuple_GET_ITEM(args, i);
        int result = i < declared ? convert_declared(&arguments[i], PyTuple_GET_ITEM(converters, i), value, i + 1)
                                  : convert(&arguments[i], value, i + 1);
        if (result < 0) {
            name_argument(i + 1);
            return -1;
        }
    }
    return 0;
}

/* ---- The call ---- */

static ffi_type *result_type(PyObject *restype)
{
    if (restype == NULL)
        return &ffi_type_sint;
    if (restype == Py_None)
        return &ffi_type_void;
    ctypes_info *info = ctypes_info_of_class(restype);
    if (info == NULL)
        return &ffi_type_sint;
    return info->kind == KIND_ARRAY ? &ffi_type_pointer : info->ffi;
}

static int prepare(ffi_cif *cif, const ctypes_target *target, unsigned count, ffi_type *result, ffi_type **types)
{
    unsigned fixed = target->converters != NULL ? (unsigned)PyTuple_GET_SIZE(target->converters) : 0;
    ffi_status status = FFI_BAD_ARGTYPE;
    if (fixed != 0 && fixed < count)
        status = ffi_prep_cif_var(cif, FFI_DEFAULT_ABI, fixed, count, result, types);
    /* libffi refuses variable arguments that C would widen; the program gets what it asked for. */
    if (status == FFI_BAD_ARGTYPE)
        status = ffi_prep_cif(cif, FFI_DEFAULT_ABI, count, result, types);
    if (status == FFI_OK)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "ffi_prep_cif failed");
    return -1;
}

static int call_function(const ctypes_target *target, ctypes_argument *arguments, unsigned count, ffi_type *result,
                         void *value)
{
    ffi_type *few_types[FEW], **types = few_types;
    void *few_values[FEW], **values = few_values;
    ffi_cif cif;
    if (count > FEW) {
        types = PyMem_Malloc(count * (sizeof(*types) + sizeof(*values)));
        if (types == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        values = (void **)(types + count);
    }
    for (unsigned i = 0; i < count; i++) {
        types[i] = arguments[i].ffi;
        values[i] = arguments[i].address != NULL ? arguments[i].address : &arguments[i].value;
    }
    int done = prepare(&cif, target, count, result, types);
    if (done == 0) {
        PyThreadState *ts = target->flags & FUNCFLAG_PYTHONAPI ? NULL : PyEval_SaveThread();
        if (target->flags & FUNCFLAG_USE_ERRNO)
            ctypes_swap_errno();
        ffi_call(&cif, FFI_FN(target->function), value, values);
        if (target->flags & FUNCFLAG_USE_ERRNO)
            ctypes_swap_errno();
        if (ts != NULL)
            PyEval_RestoreThread(ts);
        if ((target->flags & FUNCFLAG_PYTHONAPI) && PyErr_Occurred())
            done = -1;
    }
    if (types != few_types)
        PyMem_Free(types);
    return done;
}

/* ---- The result ---- */

static PyObject *convert_result(const ctypes_target *target, char *value)
{
    PyObject *restype = target->restype, *result;
    if (restype == NULL)
        return PyLong_FromLong(*(int *)value);
    if (restype == Py_None)
        return Py_NewRef(Py_None);
    ctypes_info *info = ctypes_info_of_class(restype);
    if (info == NULL)
        return PyObject_CallFunction(restype, "i", *(int *)value);
    /* libffi widens small results to a register. */
    if (PY_BIG_ENDIAN && info->kind == KIND_SIMPLE && (size_t)info->size < sizeof(ffi_arg)
        && info->access.code->kind != CODE_FLOAT)
        value += sizeof(ffi_arg) - (size_t)info->size;
    /* C cannot return an array: it returns where one is. */
    if (info->kind == KIND_ARRAY) {
        memcpy(&value, value, sizeof(char *));
        if (value == NULL) {
            PyErr_SetString(PyExc_ValueError, "NULL pointer access");
            return NULL;
        }
    }
    if (info->direct) {
        result = ctypes_code_get(&info->access, value);
        /* A function that returns an object gives its reference away. */
        if (result != NULL && info->access.code->kind == CODE_OBJECT)
            Py_DECREF(result);
    }
    else
        result = ctypes_data_in((PyTypeObject *)restype, NULL, 0, value);
    if (result != NULL && target->checker != NULL)
        Py_SETREF(result, PyObject_CallOneArg(target->checker, result));
    return result;
}

PyObject *ctypes_call(const ctypes_target *target, PyObject *args)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count > CTYPES_MAX_ARGUMENTS) {
        PyErr_Format(ctypes_argument_error, "too many arguments (%zi), maximum is %i", count, CTYPES_MAX_ARGUMENTS);
        return NULL;
    }
    ctypes_argument few[FEW] = {{0}}, *arguments = few;
    ffi_type *type = result_type(target->restype);
    size_t room = type->size > sizeof(ffi_arg) ? type->size : sizeof(ffi_arg);
    _Alignas(16) char small_value[64] = {0};
    char *value = small_value;
    PyObject *result = NULL;
    if (count > FEW)
        arguments = PyMem_Calloc((size_t)count, sizeof(*arguments));
    if (room > sizeof(small_value))
        value = PyMem_Calloc(1, room);
    if (arguments == NULL || value == NULL)
        PyErr_NoMemory();
    else if (convert_all(arguments, args, target->converters) == 0
             && call_function(target, arguments, (unsigned)count, type, value) == 0)
        result = convert_result(target, value);
    for (Py_ssize_t i = 0; arguments != NULL && i < count; i++)
        Py_XDECREF(arguments[i].keep);
    if (arguments != few)
        PyMem_Free(arguments);
    if (value != small_value)
        PyMem_Free(value);
    return result;
}

/* ---- errno ---- */

static PyObject *get_errno(PyObject *module, PyObject *unused)
{
    return PySys_Audit("ctypes.get_errno", NULL) < 0 ? NULL : PyLong_FromLong(own_errno);
}

static PyObject *set_errno(PyObject *module, PyObject *args)
{
    int value, old = own_errno;
    if (PySys_Audit("ctypes.set_errno", "O", args) < 0 || !PyArg_ParseTuple(args, "i", &value))
        return NULL;
    own_errno = value;
    return PyLong_FromLong(old);
}

/* ---- Calls by address ---- */

static PyObject *call_address(PyObject *args, int flags)
{
    PyObject *function, *arguments;
    if (!PyArg_ParseTuple(args, "OO!", &function, &PyTuple_Type, &arguments))
        return NULL;
    void *address = PyLong_AsVoidPtr(function);
    if (address == NULL && PyErr_Occurred())
        return NULL;
    if (PySys_Audit("ctypes.call_function", "nO", (Py_ssize_t)address, arguments) < 0)
        return NULL;
    ctypes_target target = {.function = address, .flags = flags};
    return ctypes_call(&target, arguments);
}

static PyObject *call_plain(PyObject *module, PyObject *args) { return call_address(args, FUNCFLAG_STDCALL); }
static PyObject *call_cdecl(PyObject *module, PyObject *args) { return call_address(args, FUNCFLAG_CDECL); }

PyMethodDef ctypes_call_functions[] = {
    {"get_errno", get_errno, METH_NOARGS, "The calling thread's copy of errno."},
    {"set_errno", set_errno, METH_VARARGS, "Sets the calling thread's copy of errno; returns the old one."},
    {"call_function", call_plain, METH_VARARGS, "Calls the function at an address with a tuple of arguments."},
    {"call_cdeclfunction", call_cdecl, METH_VARARGS, "Calls the function at an address with a tuple of arguments."},
    {NULL},
};
