/* Plain functions of sys. */
#include "sys_internal.h"
#include "config.h"
#include "memory_stats.h"
#include "long.h"
#include "well_known_strings.h"

#include <dlfcn.h>

static PyObject *sys_exit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("exit", nargs, 0, 1))
        return NULL;
    PyErr_SetObject(PyExc_SystemExit, nargs > 0 ? args[0] : Py_None);
    return NULL;
}

static PyObject *sys_exc_info(PyObject *module, PyObject *unused)
{
    PyObject *exc = PyErr_GetHandledException();
    if (exc == NULL || exc == Py_None) {
        Py_XDECREF(exc);
        return PyTuple_Pack(3, Py_None, Py_None, Py_None);
    }
    PyObject *tb = PyException_GetTraceback(exc);
    PyObject *result = PyTuple_Pack(3, (PyObject *)Py_TYPE(exc), exc, tb != NULL ? tb : Py_None);
    Py_XDECREF(tb);
    Py_DECREF(exc);
    return result;
}

static PyObject *sys_exception(PyObject *module, PyObject *unused)
{
    PyObject *exc = PyErr_GetHandledException();
    return exc != NULL ? exc : Py_NewRef(Py_None);
}

static PyObject *sys_getdefaultencoding(PyObject *module, PyObject *unused) { return Py_NewRef(STR(utf_8_dash)); }

static PyObject *sys_getfilesystemencoding(PyObject *module, PyObject *unused)
{
    return PyUnicode_FromString(Py_FileSystemDefaultEncoding);
}

static PyObject *sys_getfilesystemencodeerrors(PyObject *module, PyObject *unused)
{
    return PyUnicode_FromString(Py_FileSystemDefaultEncodeErrors);
}

static PyObject *sys_intern(PyObject *module, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        _PyArg_BadArgument("intern", "argument", "str", text);
        return NULL;
    }
    if (!PyUnicode_CheckExact(text)) {
        PyErr_Format(PyExc_TypeError, "can't intern %.400s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    Py_INCREF(text);
    PyUnicode_InternInPlace(&text);
    return text;
}

static PyObject *sys_getrefcount(PyObject *module, PyObject *op) { return PyLong_FromSsize_t(Py_REFCNT(op)); }

static PyObject *sys_getsizeof(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"object", "default", NULL};
    PyObject *op, *fallback = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:getsizeof", keywords, &op, &fallback))
        return NULL;
    size_t size = _PySys_GetSizeOf(op);
    if (size == (size_t)-1 && PyErr_Occurred()) {
        if (fallback == NULL || !PyErr_ExceptionMatches(PyExc_TypeError))
            return NULL;
        PyErr_Clear();
        return Py_NewRef(fallback);
    }
    return PyLong_FromSize_t(size);
}

static PyObject *sys_getallocatedblocks(PyObject *module, PyObject *unused)
{
    return PyLong_FromSize_t(memory_count_objects());
}

static PyObject *sys_is_finalizing(PyObject *module, PyObject *unused) { return PyBool_FromLong(runtime_is_finalizing()); }

static PyObject *sys_clear_type_cache(PyObject *module, PyObject *unused)
{
    PyType_ClearCache();
    Py_RETURN_NONE;
}

static PyObject *sys_debugmallocstats(PyObject *module, PyObject *unused)
{
    memory_print_stats(stderr);
    Py_RETURN_NONE;
}

/* ---- dlopen ---- */

static PyObject *sys_setdlopenflags(PyObject *module, PyObject *arg)
{
    int flags = PyLong_AsInt(arg);
    if (flags == -1 && PyErr_Occurred())
        return NULL;
    __atomic_store_n(&runtime_interp.config.dlopen_flags, flags, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *sys_getdlopenflags(PyObject *module, PyObject *unused)
{
    int flags = __atomic_load_n(&runtime_interp.config.dlopen_flags, __ATOMIC_RELAXED);
    return PyLong_FromLong(flags != 0 ? flags : RTLD_NOW);
}

/* ---- Limit of digits ---- */

static PyObject *sys_get_int_max_str_digits(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(__atomic_load_n(&long_max_str_digits, __ATOMIC_RELAXED));
}

static PyObject *sys_set_int_max_str_digits(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"maxdigits", NULL};
    int digits;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:set_int_max_str_digits", keywords, &digits))
        return NULL;
    if (digits != 0 && digits < 640) {
        PyErr_Format(PyExc_ValueError, "maxdigits must be 0 or larger than %d", 640);
        return NULL;
    }
    __atomic_store_n(&long_max_str_digits, digits, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

PyMethodDef sys_function_methods[] = {
    SYS_METHOD("exit", sys_exit, METH_FASTCALL,
               "exit([status])\n\nRaises SystemExit(status): ends the program unless somebody catches it."),
    SYS_METHOD("exc_info", sys_exc_info, METH_NOARGS, "exc_info() -> (type, value, traceback)\n\nThe exception that is being handled."),
    SYS_METHOD("exception", sys_exception, METH_NOARGS, "exception()\n\nThe exception that is being handled, or None."),
    SYS_METHOD("getdefaultencoding", sys_getdefaultencoding, METH_NOARGS, "getdefaultencoding()\n\n'utf-8'."),
    SYS_METHOD("getfilesystemencoding", sys_getfilesystemencoding, METH_NOARGS,
               "getfilesystemencoding()\n\nThe encoding of file names."),
    SYS_METHOD("getfilesystemencodeerrors", sys_getfilesystemencodeerrors, METH_NOARGS,
               "getfilesystemencodeerrors()\n\nThe error handler used with file names."),
    SYS_METHOD("intern", sys_intern, METH_O, "intern(string)\n\nThe one string of that text that all interned strings share."),
    SYS_METHOD("getrefcount", sys_getrefcount, METH_O,
               "getrefcount(object)\n\nThe reference count; references held by running frames may not be counted."),
    SYS_METHOD("getsizeof", sys_getsizeof, METH_VARARGS | METH_KEYWORDS,
               "getsizeof(object[, default])\n\nThe size of an object in bytes, without what it refers to."),
    SYS_METHOD("getallocatedblocks", sys_getallocatedblocks, METH_NOARGS, 
               "getallocatedblocks()\n\nThe number of objects that can be part of cycles; other memory is not counted."),
    SYS_METHOD("is_finalizing", sys_is_finalizing, METH_NOARGS, "is_finalizing()\n\nIs the interpreter shutting down?"),
    SYS_METHOD("_clear_type_cache", sys_clear_type_cache, METH_NOARGS, "_clear_type_cache()\n\nEmpties the cache of methods."),
    SYS_METHOD("_debugmallocstats", sys_debugmallocstats, METH_NOARGS,
               "_debugmallocstats()\n\nWrites what memory is held for to stderr, cause by cause."),
    SYS_METHOD("setdlopenflags", sys_setdlopenflags, METH_O, "setdlopenflags(flags)\n\nFlags of dlopen() for extension modules."),
    SYS_METHOD("getdlopenflags", sys_getdlopenflags, METH_NOARGS, "getdlopenflags()\n\nFlags of dlopen() for extension modules."),
    SYS_METHOD("get_int_max_str_digits", sys_get_int_max_str_digits, METH_NOARGS,
               "get_int_max_str_digits()\n\nMost digits in conversions between int and str; 0: no limit."),
    SYS_METHOD("set_int_max_str_digits", sys_set_int_max_str_digits, METH_VARARGS | METH_KEYWORDS,
               "set_int_max_str_digits(maxdigits)\n\nSets the limit; 0: none."),
    {NULL, NULL, 0, NULL},
};
