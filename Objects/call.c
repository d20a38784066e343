/* Calling objects: vectorcall, tp_call, and the convenience functions of the C API. */
#include "Python.h"

#include "internal/call.h"
#include "internal/instance.h"
#include "internal/type.h"
#include "internal/well_known_strings.h"

#define SMALL_STACK 6

/* ---- Results ---- */

PyObject *call_check_result_slow(PyObject *callable, PyObject *result, const char *where)
{
    if (result == NULL) {
        if (PyErr_Occurred())
            return NULL;
        if (callable != NULL)
            PyErr_Format(PyExc_SystemError, "%R returned NULL without setting an exception", callable);
        else
            PyErr_Format(PyExc_SystemError, "%s returned NULL without setting an exception", where);
        return NULL;
    }
    Py_DECREF(result);
    if (callable != NULL)
        _PyErr_FormatFromCause(PyExc_SystemError, "%R returned a result with an exception set", callable);
    else
        _PyErr_FormatFromCause(PyExc_SystemError, "%s returned a result with an exception set", where);
    return NULL;
}

PyObject *_PyObject_FunctionStr(PyObject *callable)
{
    PyObject *qualname = NULL, *module = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(callable, STR(__qualname__), &qualname) < 0)
        return NULL;
    if (qualname == NULL)
        return PyObject_Str(callable);
    if (PyObject_GetOptionalAttr(callable, STR(__module__), &module) < 0)
        goto done;
    if (module != NULL && module != Py_None
        && !(PyUnicode_Check(module) && PyUnicode_CompareWithASCIIString(module, "builtins") == 0))
        result = PyUnicode_FromFormat("%S.%S()", module, qualname);
    else
        result = PyUnicode_FromFormat("%S()", qualname);
done:
    Py_DECREF(qualname);
    Py_XDECREF(module);
    return result;
}

/* ---- The two protocols ---- */

vectorcallfunc PyVectorcall_Function(PyObject *callable)
{
    return _PyVectorcall_FunctionInline(callable);
}

/* A new tuple of new references. */
static PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    return tuple;
}

PyObject *call_stack_as_dict(PyObject *const *values, PyObject *kwnames)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(kwnames); i < n; i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), values[i]) < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

PyObject *const *call_stack_from_dict(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject **kwnames)
{
    /* A snapshot: another thread may change the dict meanwhile. */
    PyObject *copy = PyDict_Copy(kwargs), *names = NULL, **stack = NULL;
    if (copy == NULL)
        return NULL;
    Py_ssize_t nkw = PyDict_GET_SIZE(copy), pos = 0, k = 0;
    PyObject *key, *value;
    if ((size_t)nargs > PY_SSIZE_T_MAX / sizeof(PyObject *) - (size_t)nkw - 1) {
        PyErr_NoMemory();
        goto done;
    }
    names = PyTuple_New(nkw);
    if (names == NULL)
        goto done;
    stack = PyMem_Malloc((size_t)(1 + nargs + nkw) * sizeof(PyObject *));
    if (stack == NULL) {
        Py_DECREF(names);
        PyErr_NoMemory();
        goto done;
    }
    stack++;
    int all_strings = 1;
    for (Py_ssize_t i = 0; i < nargs; i++)
        stack[i] = Py_NewRef(args[i]);
    while (PyDict_Next(copy, &pos, &key, &value)) {
        all_strings &= PyUnicode_Check(key);
        PyTuple_SET_ITEM(names, k, Py_NewRef(key));
        stack[nargs + k] = Py_NewRef(value);
        k++;
    }
    *kwnames = names;
    if (!all_strings) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        call_stack_free(stack, nargs, names);
        stack = NULL;
    }
done:
    Py_DECREF(copy);
    return stack;
}

void call_stack_free(PyObject *const *stack, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t n = nargs + PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(stack[i]);
    PyMem_Free((PyObject **)stack - 1);
    Py_DECREF(kwnames);
}

/* keywords is a tuple of names, a dict or NULL. */
PyObject *call_tp_call(PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (call == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(callable)->tp_name);
        return NULL;
    }
    PyObject *result = NULL, *kwdict = NULL;
    PyObject *tuple = tuple_from_array(args, nargs);
    if (tuple == NULL)
        return NULL;
    if (keywords == NULL)
        ;
    else if (PyDict_Check(keywords))
        kwdict = Py_NewRef(keywords);
    else if (PyTuple_GET_SIZE(keywords) > 0) {
        kwdict = call_stack_as_dict(args + nargs, keywords);
        if (kwdict == NULL)
            goto done;
    }
    if (call_enter() == 0) {
        result = call(callable, tuple, kwdict);
        call_leave();
        result = call_check_result(callable, result, NULL);
    }
done:
    Py_DECREF(tuple);
    Py_XDECREF(kwdict);
    return result;
}

PyObject *_PyObject_MakeTpCall(PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return call_tp_call(callable, args, nargs, keywords);
}

PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    return call_vectorcall(callable, args, nargsf, kwnames);
}

/* Calls func with the arguments and a non-empty dict of keywords. */
static PyObject *vectorcall_with_dict(vectorcallfunc func, PyObject *callable, PyObject *const *args,
                                      Py_ssize_t nargs, PyObject *kwargs)
{
    PyObject *kwnames;
    PyObject *const *stack = call_stack_from_dict(args, nargs, kwargs, &kwnames);
    if (stack == NULL)
        return NULL;
    PyObject *result = func(callable, stack, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    call_stack_free(stack, nargs, kwnames);
    return result;
}

PyObject *PyObject_VectorcallDict(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwargs)
{
    assert(kwargs == NULL || PyDict_Check(kwargs));
    vectorcallfunc func = _PyVectorcall_FunctionInline(callable);
    if (func == NULL)
        return call_tp_call(callable, args, PyVectorcall_NARGS(nargsf), kwargs);
    PyObject *result;
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)
        result = func(callable, args, nargsf, NULL);
    else
        result = vectorcall_with_dict(func, callable, args, PyVectorcall_NARGS(nargsf), kwargs);
    return call_check_result(callable, result, NULL);
}

/* A vectorcall with the arguments of tp_call. */
static PyObject *vectorcall_from_tuple(vectorcallfunc func, PyObject *callable, PyObject *tuple, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(tuple);
    PyObject *const *items = ((PyTupleObject *)tuple)->ob_item;
    PyObject *result;
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)
        result = func(callable, items, (size_t)nargs, NULL);
    else
        result = vectorcall_with_dict(func, callable, items, nargs, kwargs);
    return call_check_result(callable, result, NULL);
}

PyObject *PyVectorcall_Call(PyObject *callable, PyObject *tuple, PyObject *kwargs)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (value_is_immediate(callable) || type->tp_vectorcall_offset <= 0) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support vectorcall", type->tp_name);
        return NULL;
    }
    vectorcallfunc func;
    memcpy(&func, (char *)callable + type->tp_vectorcall_offset, sizeof(func));
    if (func == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support vectorcall", type->tp_name);
        return NULL;
    }
    return vectorcall_from_tuple(func, callable, tuple, kwargs);
}

PyObject *PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    assert(PyTuple_Check(args));
    vectorcallfunc func = _PyVectorcall_FunctionInline(callable);
    if (func != NULL)
        return vectorcall_from_tuple(func, callable, args, kwargs);
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (call == NULL) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(callable)->tp_name);
        return NULL;
    }
    if (call_enter() < 0)
        return NULL;
    PyObject *result = call(callable, args, kwargs);
    call_leave();
    return call_check_result(callable, result, NULL);
}

PyObject *PyCFunction_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    return PyObject_Call(callable, args, kwargs);
}

/* ---- Fixed numbers of arguments ---- */

static PyObject *null_error(void)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

PyObject *PyObject_CallNoArgs(PyObject *callable)
{
    PyObject *stack[1] = {NULL};
    return call_vectorcall(callable, stack + 1, PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *PyObject_CallOneArg(PyObject *callable, PyObject *arg)
{
    PyObject *stack[2] = {NULL, arg};
    return call_vectorcall(callable, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *PyObject_CallObject(PyObject *callable, PyObject *args)
{
    if (args == NULL)
        return PyObject_CallNoArgs(callable);
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    return PyObject_Call(callable, args, NULL);
}

PyObject *_PyObject_Call_Prepend(PyObject *callable, PyObject *obj, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *small[SMALL_STACK];
    PyObject **stack = small;
    if (n + 1 > SMALL_STACK) {
        stack = PyMem_Malloc((size_t)(n + 1) * sizeof(PyObject *));
        if (stack == NULL)
            return PyErr_NoMemory();
    }
    stack[0] = obj;
    for (Py_ssize_t i = 0; i < n; i++)
        stack[i + 1] = PyTuple_GET_ITEM(args, i);
    PyObject *result = PyObject_VectorcallDict(callable, stack, (size_t)n + 1, kwargs);
    if (stack != small)
        PyMem_Free(stack);
    return result;
}

/* ---- Methods ---- */

int _PyObject_GetMethod(PyObject *obj, PyObject *name, PyObject **method)
{
    PyTypeObject *type = Py_TYPE(obj);
    PyObject *found = NULL;
    if (type->tp_getattro == PyObject_GenericGetAttr && PyUnicode_CheckExact(name)) {
        if (type_lookup_ref(type, name, &found, NULL) < 0) {
            *method = NULL;
            return 0;
        }
        if (found != NULL && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
            PyObject *own = NULL;       /* an attribute of the instance hides the method */
            int hidden = value_is_immediate(obj) ? 0 : instance_get_attr(obj, name, &own);
            if (hidden == 0) {
                *method = found;
                return 1;
            }
            Py_DECREF(found);
            *method = hidden > 0 ? own : NULL;
            return 0;
        }
        Py_XDECREF(found);
    }
    *method = PyObject_GetAttr(obj, name);
    return 0;
}

PyObject *PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    assert(PyVectorcall_NARGS(nargsf) >= 1);
    PyObject *method;
    if (_PyObject_GetMethod(args[0], name, &method)) {
        /* args[-1] must not be changed on the caller's word for args[0] */
        nargsf &= ~PY_VECTORCALL_ARGUMENTS_OFFSET;
    }
    else {
        if (method == NULL)
            return NULL;
        args++;
        nargsf--;
    }
    PyObject *result = call_vectorcall(method, args, nargsf, kwnames);
    Py_DECREF(method);
    return result;
}

/* The arguments up to a NULL, behind an optional first one. Steals nothing. */
static PyObject *call_object_list(PyObject *base, PyObject *callable, va_list va)
{
    PyObject *small[SMALL_STACK];
    PyObject **stack = small;
    Py_ssize_t n = base != NULL;
    va_list count;
    va_copy(count, va);
    while (va_arg(count, PyObject *) != NULL)
        n++;
    va_end(count);
    if (n > SMALL_STACK) {
        stack = PyMem_Malloc((size_t)n * sizeof(PyObject *));
        if (stack == NULL)
            return PyErr_NoMemory();
    }
    Py_ssize_t i = 0;
    if (base != NULL)
        stack[i++] = base;
    for (; i < n; i++)
        stack[i] = va_arg(va, PyObject *);
    PyObject *result = call_vectorcall(callable, stack, (size_t)n, NULL);
    if (stack != small)
        PyMem_Free(stack);
    return result;
}

PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    if (callable == NULL)
        return null_error();
    va_list va;
    va_start(va, callable);
    PyObject *result = call_object_list(NULL, callable, va);
    va_end(va);
    return result;
}

static PyObject *call_method_list(PyObject *obj, PyObject *name, va_list va)
{
    PyObject *method;
    int unbound = _PyObject_GetMethod(obj, name, &method);
    if (method == NULL)
        return NULL;
    PyObject *result = call_object_list(unbound ? obj : NULL, method, va);
    Py_DECREF(method);
    return result;
}

PyObject *PyObject_CallMethodObjArgs(PyObject *obj, PyObject *name, ...)
{
    if (obj == NULL || name == NULL)
        return null_error();
    va_list va;
    va_start(va, name);
    PyObject *result = call_method_list(obj, name, va);
    va_end(va);
    return result;
}

/* A new reference to the interned string of a static identifier. */
static PyObject *identifier_str(struct _Py_Identifier *id)
{
    return PyUnicode_InternFromString(*(const char **)id);      /* the name is the first member */
}

PyObject *_PyObject_CallMethodIdObjArgs(PyObject *obj, struct _Py_Identifier *id, ...)
{
    if (obj == NULL || id == NULL)
        return null_error();
    PyObject *name = identifier_str(id);
    if (name == NULL)
        return NULL;
    va_list va;
    va_start(va, id);
    PyObject *result = call_method_list(obj, name, va);
    va_end(va);
    Py_DECREF(name);
    return result;
}

PyObject *_PyObject_CallMethodIdNoArgs(PyObject *obj, struct _Py_Identifier *id)
{
    return _PyObject_CallMethodIdObjArgs(obj, id, NULL);
}

PyObject *_PyObject_CallMethodIdOneArg(PyObject *obj, struct _Py_Identifier *id, PyObject *arg)
{
    return _PyObject_CallMethodIdObjArgs(obj, id, arg, NULL);
}

/* ---- Formats ---- */

static PyObject *call_format(PyObject *callable, const char *format, va_list va)
{
    if (callable == NULL)
        return null_error();
    if (format == NULL || *format == '\0')
        return PyObject_CallNoArgs(callable);
    PyObject *small[SMALL_STACK];
    Py_ssize_t n;
    PyObject **stack = _Py_VaBuildStack(small, SMALL_STACK, format, va, &n);
    if (stack == NULL)
        return NULL;
    PyObject *result;
    if (n == 1 && PyTuple_Check(stack[0])) {
        /* "(OO)" and one tuple for "O" both mean the arguments themselves */
        PyObject *args = stack[0];
        result = call_vectorcall(callable, ((PyTupleObject *)args)->ob_item, (size_t)PyTuple_GET_SIZE(args), NULL);
    }
    else {
        result = call_vectorcall(callable, stack, (size_t)n, NULL);
    }
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(stack[i]);
    if (stack != small)
        PyMem_Free(stack);
    return result;
}

PyObject *PyObject_CallFunction(PyObject *callable, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = call_format(callable, format, va);
    va_end(va);
    return result;
}

/* Steals callable, which may be NULL with an exception set. */
static PyObject *call_attribute_steal(PyObject *callable, const char *format, va_list va)
{
    if (callable == NULL)
        return NULL;
    PyObject *result = NULL;
    if (!PyCallable_Check(callable))
        PyErr_Format(PyExc_TypeError, "attribute of type '%.200s' is not callable", Py_TYPE(callable)->tp_name);
    else
        result = call_format(callable, format, va);
    Py_DECREF(callable);
    return result;
}

PyObject *PyObject_CallMethod(PyObject *obj, const char *name, const char *format, ...)
{
    if (obj == NULL || name == NULL)
        return null_error();
    va_list va;
    va_start(va, format);
    PyObject *result = call_attribute_steal(PyObject_GetAttrString(obj, name), format, va);
    va_end(va);
    return result;
}

PyObject *_PyObject_CallMethod(PyObject *obj, PyObject *name, const char *format, ...)
{
    if (obj == NULL || name == NULL)
        return null_error();
    va_list va;
    va_start(va, format);
    PyObject *result = call_attribute_steal(PyObject_GetAttr(obj, name), format, va);
    va_end(va);
    return result;
}

PyObject *_PyObject_CallMethodId(PyObject *obj, struct _Py_Identifier *id, const char *format, ...)
{
    if (obj == NULL || id == NULL)
        return null_error();
    PyObject *name = identifier_str(id);
    if (name == NULL)
        return NULL;
    va_list va;
    va_start(va, format);
    PyObject *result = call_attribute_steal(PyObject_GetAttr(obj, name), format, va);
    va_end(va);
    Py_DECREF(name);
    return result;
}
