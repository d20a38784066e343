/* Small helpers used by the whole _io module: look-ups, argument checks, exceptions put away and chained. */
#include "io_internal.h"

#include <errno.h>

io_names io_str;
PyObject *io_unsupported_operation;

int io_lookup_attr(PyObject *obj, PyObject *name, PyObject **result)
{
    *result = PyObject_GetAttr(obj, name);
    if (*result != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

PyObject *io_unsupported(const char *message)
{
    PyErr_SetString(io_unsupported_operation, message);
    return NULL;
}

int io_check_nargs(const char *name, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max)
{
    if (nargs >= min && nargs <= max)
        return 0;
    Py_ssize_t wanted = nargs < min ? min : max;
    PyErr_Format(PyExc_TypeError, "%s expected %s%zd argument%s, got %zd", name,
                 min == max ? "" : (nargs < min ? "at least " : "at most "), wanted, wanted == 1 ? "" : "s", nargs);
    return -1;
}

int io_size(PyObject *arg, Py_ssize_t *result)
{
    Py_ssize_t value = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (value == -1 && PyErr_Occurred())
        return -1;
    *result = value;
    return 0;
}

int io_size_or_none(PyObject *arg, Py_ssize_t *result)
{
    if (arg == Py_None)
        return 0;
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(arg)->tp_name);
        return -1;
    }
    return io_size(arg, result);
}

int io_int(PyObject *arg, int *result)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL)
        return -1;
    int overflow;
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred())
        return -1;
    if (overflow != 0 || value > INT_MAX || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    *result = (int)value;
    return 0;
}

int io_writable_buffer(const char *method, PyObject *arg, Py_buffer *view)
{
    if (PyObject_GetBuffer(arg, view, PyBUF_WRITABLE) == 0) {
        if (PyBuffer_IsContiguous(view, 'C'))
            return 0;
        PyBuffer_Release(view);
        PyErr_Format(PyExc_TypeError, "%s() argument must be a contiguous buffer, not %.50s", method,
                     Py_TYPE(arg)->tp_name);
        return -1;
    }
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "%s() argument must be read-write bytes-like object, not %.50s", method,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    return -1;
}

void io_error_save(io_saved_error *saved)
{
    PyErr_Fetch(&saved->type, &saved->value, &saved->traceback);
}

void io_error_restore(io_saved_error *saved)
{
    PyErr_Restore(saved->type, saved->value, saved->traceback);
    saved->type = saved->value = saved->traceback = NULL;
}

void io_error_chain(io_saved_error *saved)
{
    if (saved->type == NULL)
        return;
    if (!PyErr_Occurred()) {
        io_error_restore(saved);
        return;
    }
    io_saved_error newer;
    io_error_save(&newer);
    PyErr_NormalizeException(&saved->type, &saved->value, &saved->traceback);
    if (saved->traceback != NULL)
        PyException_SetTraceback(saved->value, saved->traceback);
    PyErr_NormalizeException(&newer.type, &newer.value, &newer.traceback);
    if (newer.value != saved->value)
        PyException_SetContext(newer.value, Py_NewRef(saved->value));
    Py_CLEAR(saved->type);
    Py_CLEAR(saved->value);
    Py_CLEAR(saved->traceback);
    io_error_restore(&newer);
}

bool io_trap_eintr(void)
{
    if (!PyErr_ExceptionMatches(PyExc_OSError))
        return false;
    io_saved_error saved;
    io_error_save(&saved);
    PyErr_NormalizeException(&saved.type, &saved.value, &saved.traceback);
    long code = 0;
    PyObject *number = saved.value == NULL ? NULL : PyObject_GetAttrString(saved.value, "errno");
    if (number != NULL && PyLong_Check(number))
        code = PyLong_AsLong(number);
    Py_XDECREF(number);
    PyErr_Clear();
    if (code == EINTR) {
        Py_XDECREF(saved.type);
        Py_XDECREF(saved.value);
        Py_XDECREF(saved.traceback);
        return true;
    }
    io_error_restore(&saved);
    return false;
}

PyObject *io_forward_attribute(PyObject *inner, PyObject *name)
{
    if (Py_EnterRecursiveCall(" while getting an attribute of an inner stream"))
        return NULL;
    PyObject *value = PyObject_GetAttr(inner, name);
    Py_LeaveRecursiveCall();
    return value;
}

int io_call_bool(PyObject *obj, PyObject *name)
{
    PyObject *value = PyObject_CallMethodNoArgs(obj, name);
    if (value == NULL)
        return -1;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

int io_is_closed(PyObject *obj)
{
    PyObject *closed = PyObject_GetAttr(obj, io_str.closed);
    if (closed == NULL)
        return -1;
    int truth = PyObject_IsTrue(closed);
    Py_DECREF(closed);
    return truth;
}

int io_check_closed(PyObject *obj)
{
    PyObject *closed;
    int found = io_lookup_attr(obj, io_str.closed, &closed);
    if (found <= 0)
        return found;
    int truth = PyObject_IsTrue(closed);
    Py_DECREF(closed);
    if (truth > 0)
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    return truth == 0 ? 0 : -1;
}

static int check_ability(PyObject *obj, PyObject *name, const char *message)
{
    PyObject *able = PyObject_CallMethodNoArgs(obj, name);
    if (able == NULL)
        return -1;
    /* Only a real True counts, as for everybody who tests these answers. */
    bool yes = able == Py_True;
    Py_DECREF(able);
    if (yes)
        return 0;
    io_unsupported(message);
    return -1;
}

int io_check_readable(PyObject *obj)
{
    return check_ability(obj, io_str.readable, "File or stream is not readable.");
}

int io_check_writable(PyObject *obj)
{
    return check_ability(obj, io_str.writable, "File or stream is not writable.");
}

int io_check_seekable(PyObject *obj)
{
    return check_ability(obj, io_str.seekable, "File or stream is not seekable.");
}

bool io_method_is_plain(PyObject *obj, PyObject *name)
{
    /* Once there, the dict stays as long as the object. Pairs with its creation by the first attribute set. */
    PyObject *dict = __atomic_load_n(&((io_base *)obj)->dict, __ATOMIC_ACQUIRE);
    if (dict == NULL)
        return true;
    int found = PyDict_Contains(dict, name);
    if (found < 0)
        PyErr_Clear();
    return found == 0;
}

long io_sys_flag(const char *name)
{
    io_saved_error saved;
    long value = 0;
    io_error_save(&saved);
    PyObject *flags, *flag = NULL;
    if (PySys_GetOptionalAttrString("flags", &flags) > 0)
        flag = PyObject_GetAttrString(flags, name);
    Py_XDECREF(flags);
    if (flag != NULL && PyLong_Check(flag))
        value = PyLong_AsLong(flag);
    Py_XDECREF(flag);
    PyErr_Clear();
    io_error_restore(&saved);
    return value;
}
