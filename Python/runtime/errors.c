/* The error indicator: three fields of the thread state, so only ever touched by its own thread. */
#include "Python.h"

#include "interpreter.h"
#include "thread_state.h"
#include "well_known_strings.h"

/* ---- Set, fetch, clear ---- */

void PyErr_Restore(PyObject *type, PyObject *value, PyObject *traceback)
{
    PyThreadState *ts = thread_current();
    PyObject *old_type = ts->curexc_type, *old_value = ts->curexc_value, *old_traceback = ts->curexc_traceback;
    ts->curexc_type = type;
    ts->curexc_value = value;
    ts->curexc_traceback = traceback;
    Py_XDECREF(old_type);
    Py_XDECREF(old_value);
    Py_XDECREF(old_traceback);
}

void PyErr_Fetch(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyThreadState *ts = thread_current();
    *type = ts->curexc_type;
    *value = ts->curexc_value;
    *traceback = ts->curexc_traceback;
    ts->curexc_type = ts->curexc_value = ts->curexc_traceback = NULL;
}

void PyErr_Clear(void)
{
    if (thread_current()->curexc_type != NULL)
        PyErr_Restore(NULL, NULL, NULL);
}

PyObject *PyErr_Occurred(void) { return thread_current()->curexc_type; }

PyObject *PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL)
        return NULL;
    if (value == NULL || !PyExceptionInstance_Check(value) || type != (PyObject *)Py_TYPE(value))
        PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
        Py_DECREF(traceback);
    }
    Py_DECREF(type);
    return value;
}

void PyErr_SetRaisedException(PyObject *exc)
{
    if (exc == NULL) {
        PyErr_Clear();
        return;
    }
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exc)), exc, PyException_GetTraceback(exc));
}

/* ---- Setting with context ---- */

static _PyErr_StackItem *topmost_handled(PyThreadState *ts)
{
    _PyErr_StackItem *item = ts->exc_info;
    while ((item->exc_value == NULL || item->exc_value == Py_None) && item->previous_item != NULL)
        item = item->previous_item;
    return item;
}

/* Breaks a cycle that making `handled` the context of value would close: a later link back to value is cut. */
static void cut_context_cycle(PyObject *handled, PyObject *value)
{
    PyObject *o = Py_NewRef(handled), *slow = Py_NewRef(handled), *context;
    for (int toggle = 0; (context = PyException_GetContext(o)) != NULL; toggle = !toggle) {
        if (context == value) {
            PyException_SetContext(o, NULL);
            Py_DECREF(context);
            break;
        }
        Py_SETREF(o, context);
        if (o == slow)
            break;                      /* a cycle made by the program: leave it */
        if (toggle) {
            PyObject *next = PyException_GetContext(slow);
            if (next == NULL)
                break;
            Py_SETREF(slow, next);
        }
    }
    Py_DECREF(o);
    Py_DECREF(slow);
}

/* An instance of type made from value (as `raise type(value)` would). New reference or NULL with another exception set. */
static PyObject *create_exception(PyObject *type, PyObject *value)
{
    PyObject *exc;
    if (value == NULL || value == Py_None)
        exc = PyObject_CallNoArgs(type);
    else if (PyTuple_Check(value))
        exc = PyObject_Call(type, value, NULL);
    else
        exc = PyObject_CallOneArg(type, value);
    if (exc != NULL && !PyExceptionInstance_Check(exc)) {
        PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %s", type,
                     Py_TYPE(exc)->tp_name);
        Py_CLEAR(exc);
    }
    return exc;
}

void PyErr_SetObject(PyObject *type, PyObject *value)
{
    PyThreadState *ts = thread_current();
    if (type != NULL && !PyExceptionClass_Check(type)) {
        PyErr_Format(PyExc_SystemError, "_PyErr_SetObject: exception %R is not a BaseException subclass", type);
        return;
    }
    Py_XINCREF(value);
    PyObject *handled = topmost_handled(ts)->exc_value;
    if (handled != NULL && handled != Py_None) {
        Py_INCREF(handled);
        PyErr_Clear();
        int is_instance = value != NULL && PyExceptionInstance_Check(value)
                          && PyObject_TypeCheck(value, (PyTypeObject *)type);
        if (!is_instance) {
            PyObject *fixed = create_exception(type, value);
            Py_XDECREF(value);
            if (fixed == NULL) {
                Py_DECREF(handled);
                return;
            }
            value = fixed;
        }
        if (handled != value) {
            cut_context_cycle(handled, value);
            PyException_SetContext(value, handled);
        }
        else
            Py_DECREF(handled);
    }
    PyObject *traceback = NULL;
    if (value != NULL && PyExceptionInstance_Check(value))
        traceback = PyException_GetTraceback(value);
    PyErr_Restore(Py_XNewRef(type), value, traceback);
}

void PyErr_SetNone(PyObject *type) { PyErr_SetObject(type, NULL); }

void PyErr_SetString(PyObject *type, const char *message)
{
    PyObject *text = PyUnicode_FromString(message);
    if (text != NULL) {
        PyErr_SetObject(type, text);
        Py_DECREF(text);
    }
}

PyObject *PyErr_FormatV(PyObject *type, const char *format, va_list args)
{
    PyErr_Clear();              /* formatting may run code, which must not see it */
    PyObject *text = PyUnicode_FromFormatV(format, args);
    if (text != NULL) {
        PyErr_SetObject(type, text);
        Py_DECREF(text);
    }
    return NULL;
}

PyObject *PyErr_Format(PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(type, format, args);
    va_end(args);
    return NULL;
}

void _PyErr_SetKeyError(PyObject *key)
{
    /* a tuple would be taken for the arguments */
    PyObject *exc = PyObject_CallOneArg(PyExc_KeyError, key);
    if (exc != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        Py_DECREF(exc);
    }
}

/* ---- Matching and normalising ---- */

int PyErr_GivenExceptionMatches(PyObject *err, PyObject *exc)
{
    if (err == NULL || exc == NULL)
        return 0;
    if (PyTuple_Check(exc)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exc); i++)
            if (PyErr_GivenExceptionMatches(err, PyTuple_GET_ITEM(exc, i)))
                return 1;
        return 0;
    }
    if (PyExceptionInstance_Check(err))
        err = (PyObject *)Py_TYPE(err);
    if (PyExceptionClass_Check(err) && PyExceptionClass_Check(exc))
        return PyType_IsSubtype((PyTypeObject *)err, (PyTypeObject *)exc);
    return err == exc;
}

int PyErr_ExceptionMatches(PyObject *exc) { return PyErr_GivenExceptionMatches(PyErr_Occurred(), exc); }

/* One attempt: *type and *value become class and instance. 0, or -1 with another exception set. */
static int normalize_once(PyObject **type, PyObject **value)
{
    if (!PyExceptionClass_Check(*type))
        return 0;
    PyObject *v = *value;
    if (v != NULL && PyExceptionInstance_Check(v)) {
        PyObject *cls = (PyObject *)Py_TYPE(v);
        if (cls == *type)
            return 0;
        if (PyType_IsSubtype((PyTypeObject *)cls, (PyTypeObject *)*type)) {
            Py_SETREF(*type, Py_NewRef(cls));
            return 0;
        }
    }
    PyObject *fixed = create_exception(*type, v);
    if (fixed == NULL)
        return -1;
    Py_XSETREF(*value, fixed);
    if ((PyObject *)Py_TYPE(fixed) != *type)
        Py_SETREF(*type, Py_NewRef((PyObject *)Py_TYPE(fixed)));
    return 0;
}

void PyErr_NormalizeException(PyObject **type, PyObject **value, PyObject **traceback)
{
    for (int depth = 0; *type != NULL; depth++) {
        if (*value == NULL)
            *value = Py_None;
        if (normalize_once(type, value) == 0)
            return;
        /* making the instance raised: that exception takes its place */
        PyObject *new_type, *new_value, *new_traceback;
        PyErr_Fetch(&new_type, &new_value, &new_traceback);
        if (depth >= 32) {
            /* even the replacement cannot be made */
            if (PyErr_GivenExceptionMatches(new_type, PyExc_MemoryError))
                Py_FatalError("Cannot recover from MemoryErrors while normalizing exceptions.");
            Py_FatalError("Cannot recover from the recursive normalization of an exception.");
        }
        Py_SETREF(*type, new_type);
        Py_XSETREF(*value, new_value);
        if (new_traceback != NULL)
            Py_XSETREF(*traceback, new_traceback);
    }
}

void _PyErr_ChainExceptions(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (type == NULL)
        return;
    if (PyErr_Occurred() == NULL) {
        PyErr_Restore(type, value, traceback);
        return;
    }
    PyObject *current = PyErr_GetRaisedException();
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
        Py_DECREF(traceback);
    }
    Py_DECREF(type);
    PyException_SetContext(current, value);
    PyErr_SetRaisedException(current);
}

PyObject *_PyErr_FormatFromCause(PyObject *type, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list args;
    va_start(args, format);
    PyErr_FormatV(type, format, args);
    va_end(args);
    PyObject *exc = PyErr_GetRaisedException();
    if (exc != NULL && cause != NULL) {
        PyException_SetCause(exc, Py_NewRef(cause));
        PyException_SetContext(exc, cause);
    }
    else
        Py_XDECREF(cause);
    PyErr_SetRaisedException(exc);
    return NULL;
}

/* ---- The exception being handled ---- */

PyObject *PyErr_GetHandledException(void)
{
    PyObject *exc = topmost_handled(thread_current())->exc_value;
    return exc == NULL || exc == Py_None ? NULL : Py_NewRef(exc);
}

void PyErr_SetHandledException(PyObject *exc)
{
    Py_XSETREF(thread_current()->exc_info->exc_value, Py_XNewRef(exc == Py_None ? NULL : exc));
}

void PyErr_GetExcInfo(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyObject *exc = topmost_handled(thread_current())->exc_value;
    if (exc == NULL || exc == Py_None) {
        *type = *value = *traceback = Py_None;
        return;
    }
    *type = Py_NewRef((PyObject *)Py_TYPE(exc));
    *value = Py_NewRef(exc);
    *traceback = PyException_GetTraceback(exc);
    if (*traceback == NULL)
        *traceback = Py_None;
}

void PyErr_SetExcInfo(PyObject *type, PyObject *value, PyObject *traceback)
{
    PyErr_SetHandledException(value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* ---- Usual errors ---- */

int PyErr_BadArgument(void)
{
    PyErr_SetString(PyExc_TypeError, "bad argument type for built-in operation");
    return 0;
}

void _PyErr_BadInternalCall(const char *file, int line)
{
    PyErr_Format(PyExc_SystemError, "%s:%d: bad argument to internal function", file, line);
}

PyObject *PyErr_SetFromErrnoWithFilenameObjects(PyObject *type, PyObject *filename, PyObject *filename2)
{
    int code = errno;
    if (code == EINTR && PyErr_CheckSignals())
        return NULL;
    PyObject *message = code == 0 ? PyUnicode_FromString("Error") : PyUnicode_DecodeLocale(strerror(code), "surrogateescape");
    PyObject *args = NULL;
    if (message == NULL)
        return NULL;
    if (filename2 != NULL)
        args = Py_BuildValue("(iOOiO)", code, message, filename, 0, filename2);
    else if (filename != NULL)
        args = Py_BuildValue("(iOO)", code, message, filename);
    else
        args = Py_BuildValue("(iO)", code, message);
    Py_DECREF(message);
    if (args != NULL) {
        PyObject *exc = PyObject_Call(type, args, NULL);
        Py_DECREF(args);
        if (exc != NULL) {
            PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
            Py_DECREF(exc);
        }
    }
    return NULL;
}

PyObject *PyErr_SetFromErrnoWithFilenameObject(PyObject *type, PyObject *filename)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, filename, NULL);
}

PyObject *PyErr_SetFromErrno(PyObject *type) { return PyErr_SetFromErrnoWithFilenameObjects(type, NULL, NULL); }

PyObject *PyErr_SetFromErrnoWithFilename(PyObject *type, const char *filename)
{
    int code = errno;
    PyObject *name = filename != NULL ? PyUnicode_DecodeFSDefault(filename) : NULL;
    if (filename != NULL && name == NULL)
        return NULL;
    errno = code;
    PyErr_SetFromErrnoWithFilenameObjects(type, name, NULL);
    Py_XDECREF(name);
    return NULL;
}

PyObject *PyErr_SetImportErrorSubclass(PyObject *type, PyObject *message, PyObject *name, PyObject *path)
{
    int is_import_error = PyObject_IsSubclass(type, PyExc_ImportError);
    if (is_import_error <= 0) {
        if (is_import_error == 0)
            PyErr_SetString(PyExc_TypeError, "expected a subclass of ImportError");
        return NULL;
    }
    if (message == NULL) {
        PyErr_SetString(PyExc_TypeError, "expected a message argument");
        return NULL;
    }
    PyObject *kwargs = Py_BuildValue("{sOsO}", "name", name != NULL ? name : Py_None, "path", path != NULL ? path : Py_None);
    PyObject *args = PyTuple_Pack(1, message);
    PyObject *exc = kwargs != NULL && args != NULL ? PyObject_Call(type, args, kwargs) : NULL;
    if (exc != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        Py_DECREF(exc);
    }
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return NULL;
}

PyObject *PyErr_SetImportError(PyObject *message, PyObject *name, PyObject *path)
{
    return PyErr_SetImportErrorSubclass(PyExc_ImportError, message, name, path);
}

PyObject *PyErr_NewException(const char *name, PyObject *base, PyObject *dict)
{
    const char *dot = strrchr(name, '.');
    PyObject *own_dict = NULL, *bases = NULL, *module = NULL, *result = NULL;
    if (dot == NULL) {
        PyErr_SetString(PyExc_SystemError, "PyErr_NewException: name must be module.class");
        return NULL;
    }
    if (base == NULL)
        base = PyExc_Exception;
    if (dict == NULL)
        dict = own_dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    int has_module = PyDict_Contains(dict, STR(__module__));
    if (has_module < 0)
        goto done;
    if (!has_module) {
        module = PyUnicode_FromStringAndSize(name, dot - name);
        if (module == NULL || PyDict_SetItem(dict, STR(__module__), module) < 0)
            goto done;
    }
    bases = PyTuple_Check(base) ? Py_NewRef(base) : PyTuple_Pack(1, base);
    if (bases != NULL)
        result = PyObject_CallFunction((PyObject *)&PyType_Type, "sOO", dot + 1, bases, dict);
done:
    Py_XDECREF(own_dict);
    Py_XDECREF(bases);
    Py_XDECREF(module);
    return result;
}

PyObject *PyErr_NewExceptionWithDoc(const char *name, const char *doc, PyObject *base, PyObject *dict)
{
    PyObject *own_dict = NULL, *result = NULL;
    if (dict == NULL) {
        dict = own_dict = PyDict_New();
        if (dict == NULL)
            return NULL;
    }
    if (doc != NULL) {
        PyObject *text = PyUnicode_FromString(doc);
        int status = text != NULL ? PyDict_SetItemString(dict, "__doc__", text) : -1;
        Py_XDECREF(text);
        if (status < 0)
            goto done;
    }
    result = PyErr_NewException(name, base, dict);
done:
    Py_XDECREF(own_dict);
    return result;
}

/* ---- Syntax errors ---- */

static void set_attribute(PyObject *exc, const char *name, PyObject *value)
{
    if (value == NULL || PyObject_SetAttrString(exc, name, value) < 0)
        PyErr_Clear();
    Py_XDECREF(value);
}

/* Columns count from 1; negative ones are unknown. */
void PyErr_RangedSyntaxLocationObject(PyObject *filename, int lineno, int column, int end_lineno, int end_column)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (exc == NULL)
        return;
    set_attribute(exc, "lineno", PyLong_FromLong(lineno));
    set_attribute(exc, "offset", column >= 0 ? PyLong_FromLong(column) : Py_NewRef(Py_None));
    set_attribute(exc, "end_lineno", end_lineno > 0 ? PyLong_FromLong(end_lineno) : Py_NewRef(Py_None));
    set_attribute(exc, "end_offset", end_column >= 0 ? PyLong_FromLong(end_column) : Py_NewRef(Py_None));
    if (filename != NULL) {
        set_attribute(exc, "filename", Py_NewRef(filename));
        PyObject *text = PyErr_ProgramTextObject(filename, lineno);
        set_attribute(exc, "text", text != NULL ? text : Py_NewRef(Py_None));
    }
    if ((PyObject *)Py_TYPE(exc) != PyExc_SyntaxError) {
        if (PyObject_HasAttrString(exc, "msg") == 0)
            set_attribute(exc, "msg", PyObject_Str(exc));
        if (PyObject_HasAttrString(exc, "print_file_and_line") == 0)
            set_attribute(exc, "print_file_and_line", Py_NewRef(Py_None));
    }
    PyErr_SetRaisedException(exc);
}

void PyErr_SyntaxLocationObject(PyObject *filename, int lineno, int column)
{
    PyErr_RangedSyntaxLocationObject(filename, lineno, column, lineno, -1);
}

void PyErr_SyntaxLocationEx(const char *filename, int lineno, int column)
{
    PyObject *name = filename != NULL ? PyUnicode_DecodeFSDefault(filename) : NULL;
    if (name == NULL)
        PyErr_Clear();
    PyErr_SyntaxLocationObject(name, lineno, column);
    Py_XDECREF(name);
}

void PyErr_SyntaxLocation(const char *filename, int lineno) { PyErr_SyntaxLocationEx(filename, lineno, -1); }

static PyObject *read_line(FILE *file, int lineno)
{
    char buffer[1000], *line = NULL;
    PyObject *result = NULL;
    for (int i = 0; i < lineno;) {
        line = fgets(buffer, sizeof(buffer), file);
        if (line == NULL)
            break;
        i += strchr(line, '\n') != NULL || strlen(line) < sizeof(buffer) - 1;
    }
    if (line != NULL) {
        result = PyUnicode_DecodeUTF8(line, (Py_ssize_t)strlen(line), "replace");
        if (result == NULL)
            PyErr_Clear();
    }
    fclose(file);
    return result;
}

PyObject *PyErr_ProgramText(const char *filename, int lineno)
{
    FILE *file = filename != NULL && *filename != '\0' && lineno > 0 ? fopen(filename, "rb") : NULL;
    return file != NULL ? read_line(file, lineno) : NULL;
}

PyObject *PyErr_ProgramTextObject(PyObject *filename, int lineno)
{
    PyObject *path = NULL;
    if (filename == NULL || lineno <= 0 || !PyUnicode_FSConverter(filename, &path)) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *text = PyErr_ProgramText(PyBytes_AS_STRING(path), lineno);
    Py_DECREF(path);
    return text;
}

