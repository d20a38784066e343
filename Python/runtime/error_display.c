/* Reporting of exceptions nobody handles: sys.excepthook, sys.unraisablehook, and what they do by default. */
#include "display.h"

#include "interpreter.h"
#include "lifecycle.h"
#include "method_ref.h"
#include "sys_internal.h"
#include "thread_state.h"
#include "traceback_dump.h"
#include "well_known_strings.h"

#include <signal.h>

/* ---- The default display ---- */

static PyObject *standard_error(void)
{
    PyObject *file = sys_object_ref("stderr");
    return file != Py_None ? file : NULL;
}

static int flush_stream(const char *name)
{
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *file = sys_object_ref(name);
    if (file != NULL && file != Py_None) {
        PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
        if (result == NULL)
            PyErr_Clear();
        Py_XDECREF(result);
        Py_DECREF(file);
    }
    PyErr_SetRaisedException(saved);
    return 0;
}

/* value, in a way that needs as little memory as can be: what is left when the text could not be put together. */
static void display_plainly(PyObject *value, PyObject *file)
{
    PyErr_Clear();
    if (PyFile_WriteString(Py_TYPE(value)->tp_name, file) < 0 || PyFile_WriteString("\n", file) < 0)
        PyErr_Clear();
}

void PyErr_Display(PyObject *Py_UNUSED(type), PyObject *value, PyObject *traceback)
{
    PyObject *file = standard_error();
    if (file == NULL || value == NULL) {
        Py_XDECREF(file);
        return;
    }
    if (!PyExceptionInstance_Check(value)) {
        PyObject *text = PyUnicode_FromFormat("TypeError: print_exception(): Exception expected for value, %s found\n",
                                              Py_TYPE(value)->tp_name);
        if (text == NULL || PyFile_WriteObject(text, file, Py_PRINT_RAW) < 0)
            PyErr_Clear();
        Py_XDECREF(text);
        Py_DECREF(file);
        return;
    }
    if (traceback != NULL && traceback != Py_None && PyTraceBack_Check(traceback)) {
        PyObject *own = PyException_GetTraceback(value);
        if (own == NULL)
            PyException_SetTraceback(value, traceback);
        Py_XDECREF(own);
    }
    display_t d;
    if (display_init(&d) < 0 || display_exception(&d, value) < 0)
        display_plainly(value, file);
    else if (display_flush_to(&d, file) < 0)
        PyErr_Clear();
    display_fini(&d);
    Py_DECREF(file);
    flush_stream("stderr");
}

/* ---- sys.excepthook ---- */

int run_exception_status(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    int status = 1;
    if (exception == NULL)
        return 0;
    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit) && !runtime_interp.config.inspect) {
        PyObject *code = published_field_ref(&((PySystemExitObject *)exception)->code);
        if (code == NULL)
            code = Py_None;
        flush_stream("stdout");
        if (code == Py_None)
            status = 0;
        else if (PyLong_Check(code)) {
            status = (int)PyLong_AsLong(code);
            PyErr_Clear();
        }
        else {
            PyObject *file = standard_error();
            if (file == NULL || PyFile_WriteObject(code, file, Py_PRINT_RAW) < 0 || PyFile_WriteString("\n", file) < 0)
                PyErr_Clear();
            Py_XDECREF(file);
            status = 1;
        }
        Py_DECREF(code);
        Py_DECREF(exception);
        return status;
    }
    if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt)) {
        runtime_unhandled_interrupt = 1;
        status = 128 + 2;
    }
    PyErr_SetRaisedException(exception);
    PyErr_PrintEx(1);
    return status;
}

static void set_last(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (PySys_SetObject("last_type", type) < 0 || PySys_SetObject("last_value", value) < 0
        || PySys_SetObject("last_traceback", traceback) < 0)
        PyErr_Clear();
}

void PyErr_PrintEx(int set_sys_last_vars)
{
    if (PyErr_ExceptionMatches(PyExc_SystemExit) && !runtime_interp.config.inspect) {
        int status = run_exception_status();
        Py_Exit(status);
    }
    PyObject *value = PyErr_GetRaisedException();
    if (value == NULL)
        return;
    PyObject *type = (PyObject *)Py_TYPE(value), *traceback = PyException_GetTraceback(value);
    if (traceback == NULL)
        traceback = Py_None;
    if (set_sys_last_vars)
        set_last(type, value, traceback);
    PyObject *hook = sys_object_ref("excepthook");
    if (PySys_Audit("sys.excepthook", "OOOO", hook != NULL ? hook : Py_None, type, value, traceback) < 0)
        PyErr_Clear();
    if (hook == NULL) {
        PyObject *file = standard_error();
        if (file != NULL && PyFile_WriteString("sys.excepthook is missing\n", file) < 0)
            PyErr_Clear();
        Py_XDECREF(file);
        PyErr_Display(type, value, traceback);
    }
    else {
        PyObject *args[] = {NULL, type, value, traceback};
        PyObject *result = PyObject_Vectorcall(hook, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        if (result == NULL) {
            if (PyErr_ExceptionMatches(PyExc_SystemExit) && !runtime_interp.config.inspect) {
                int status = run_exception_status();
                Py_Exit(status);
            }
            PyObject *second = PyErr_GetRaisedException();
            flush_stream("stdout");
            PyObject *file = standard_error();
            if (file != NULL) {
                if (PyFile_WriteString("Error in sys.excepthook:\n", file) < 0)
                    PyErr_Clear();
                PyErr_Display((PyObject *)Py_TYPE(second), second, NULL);
                if (PyFile_WriteString("\nOriginal exception was:\n", file) < 0)
                    PyErr_Clear();
                PyErr_Display(type, value, traceback);
                Py_DECREF(file);
            }
            Py_XDECREF(second);
        }
        Py_XDECREF(result);
    }
    Py_XDECREF(hook);
    Py_DECREF(traceback);
    Py_DECREF(value);
    flush_stream("stdout");
}

void PyErr_Print(void) { PyErr_PrintEx(1); }

/* ---- sys.unraisablehook ---- */

static PyStructSequence_Field unraisable_fields[] = {
    {"exc_type", "Exception type"}, {"exc_value", "Exception value"}, {"exc_traceback", "Exception traceback"},
    {"err_msg", "Error message"},   {"object", "Object causing the exception"},
    {NULL, NULL},
};
static PyStructSequence_Desc unraisable_desc = {
    "UnraisableHookArgs", "What sys.unraisablehook is given: an exception that nobody can handle.", unraisable_fields, 5};
static PyTypeObject *unraisable_type;      /* [const] set at start-up */

int error_display_init(void);
int error_display_init(void)
{
    unraisable_type = PyStructSequence_NewType(&unraisable_desc);
    return unraisable_type != NULL ? 0 : -1;
}

/* The exception alone, without causes and contexts. */
static void display_unraisable(PyObject *value, PyObject *traceback, PyObject *file)
{
    display_t d;
    int status = display_init(&d);
    if (status == 0 && PyTraceBack_Check(traceback))
        status = display_traceback(&d, traceback, TRACEBACK_HEADER, 0);
    if (status == 0 && value != Py_None)
        status = display_message(&d, value);
    if (status < 0 || display_flush_to(&d, file) < 0)
        PyErr_Clear();
    display_fini(&d);
}

/* sys.unraisablehook(args), the default. */
PyObject *error_display_unraisable(PyObject *module, PyObject *args);
PyObject *error_display_unraisable(PyObject *Py_UNUSED(module), PyObject *args)
{
    if (!Py_IS_TYPE(args, unraisable_type)) {
        PyErr_SetString(PyExc_TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
        return NULL;
    }
    PyObject *value = PyStructSequence_GET_ITEM(args, 1), *message = PyStructSequence_GET_ITEM(args, 3),
             *op = PyStructSequence_GET_ITEM(args, 4), *line = NULL;
    PyObject *file = standard_error();
    if (file == NULL)
        Py_RETURN_NONE;
    PyObject *shown = op != Py_None ? PyObject_Repr(op) : NULL;
    if (op != Py_None && shown == NULL) {
        PyErr_Clear();
        shown = PyUnicode_FromString("<object repr() failed>");
    }
    if (message != Py_None)
        line = shown != NULL ? PyUnicode_FromFormat("%S: %U\n", message, shown) : PyUnicode_FromFormat("%S:\n", message);
    else if (shown != NULL)
        line = PyUnicode_FromFormat("Exception ignored in: %U\n", shown);
    if (line != NULL && PyFile_WriteObject(line, file, Py_PRINT_RAW) < 0)
        PyErr_Clear();
    Py_XDECREF(line);
    Py_XDECREF(shown);
    display_unraisable(value, PyStructSequence_GET_ITEM(args, 2), file);
    Py_DECREF(file);
    flush_stream("stderr");
    Py_RETURN_NONE;
}

void _PyErr_WriteUnraisableMsg(const char *what, PyObject *op)
{
    PyObject *value = PyErr_GetRaisedException();
    if (value == NULL)
        return;
    PyObject *traceback = PyException_GetTraceback(value);
    PyFrameObject *frame = traceback == NULL ? PyEval_GetFrame() : NULL;
    if (frame != NULL) {
        /* raised by C code: the place is where Python code called it */
        PyErr_SetRaisedException(value);
        PyTraceBack_Here(frame);
        value = PyErr_GetRaisedException();
        traceback = PyException_GetTraceback(value);
    }
    PyObject *message = what != NULL ? PyUnicode_FromFormat("Exception ignored %s", what) : Py_None;
    PyObject *args = unraisable_type != NULL && message != NULL ? PyStructSequence_New(unraisable_type) : NULL;
    PyObject *hook = sys_object_ref("unraisablehook");
    if (args != NULL) {
        PyStructSequence_SET_ITEM(args, 0, Py_NewRef((PyObject *)Py_TYPE(value)));
        PyStructSequence_SET_ITEM(args, 1, Py_NewRef(value));
        PyStructSequence_SET_ITEM(args, 2, Py_NewRef(traceback != NULL ? traceback : Py_None));
        PyStructSequence_SET_ITEM(args, 3, Py_NewRef(message));
        PyStructSequence_SET_ITEM(args, 4, Py_NewRef(op != NULL ? op : Py_None));
        PyObject *result = NULL;
        if (PySys_Audit("sys.unraisablehook", "OO", hook != NULL ? hook : Py_None, args) == 0)
            result = hook != NULL ? PyObject_CallOneArg(hook, args) : error_display_unraisable(NULL, args);
        if (result == NULL) {
            /* the hook itself failed: report that, by the default way */
            PyObject *second = PyErr_GetRaisedException();
            PyObject *file = standard_error();
            if (file != NULL && PyFile_WriteString("Exception ignored in sys.unraisablehook: ", file) == 0 && hook != NULL
                && PyFile_WriteObject(hook, file, 0) == 0)
                PyFile_WriteString("\n", file);
            PyErr_Clear();
            PyErr_Display(NULL, second, NULL);
            Py_XDECREF(file);
            Py_XDECREF(second);
        }
        Py_XDECREF(result);
    }
    else
        PyErr_Clear();
    Py_XDECREF(hook);
    Py_XDECREF(args);
    Py_XDECREF(message);
    Py_XDECREF(traceback);
    Py_DECREF(value);
    PyErr_Clear();
}

void PyErr_WriteUnraisable(PyObject *op) { _PyErr_WriteUnraisableMsg(NULL, op); }

void _PyErr_WarnUnawaitedCoroutine(PyObject *coroutine)
{
    PyObject *module = PyImport_ImportModule("warnings"), *warn = NULL, *result = NULL;
    int done = 0;
    if (module != NULL && PyObject_GetOptionalAttrString(module, "_warn_unawaited_coroutine", &warn) > 0) {
        result = PyObject_CallOneArg(warn, coroutine);
        done = result != NULL || PyErr_ExceptionMatches(PyExc_RuntimeWarning);
        if (result == NULL)
            PyErr_WriteUnraisable(coroutine);
    }
    PyErr_Clear();
    Py_XDECREF(module);
    Py_XDECREF(warn);
    Py_XDECREF(result);
    if (done)
        return;
    PyObject *name = PyObject_GetAttr(coroutine, STR(__qualname__));
    if (name == NULL || PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%S' was never awaited", name) < 0)
        PyErr_WriteUnraisable(coroutine);
    Py_XDECREF(name);
}

void traceback_dump_fatal_error(const char *func, const char *message)
{
    const int fd = STDERR_FILENO;
    traceback_dump_text(fd, "Fatal Python error: ");
    if (func != NULL) {
        traceback_dump_text(fd, func);
        traceback_dump_text(fd, ": ");
    }
    traceback_dump_text(fd, message != NULL ? message : "<message not set>");
    int initialized = __atomic_load_n(&runtime_interp.initialized, __ATOMIC_RELAXED);
    traceback_dump_text(fd, "\nPython runtime state: ");
    traceback_dump_text(fd, runtime_is_finalizing() ? "finalizing" : initialized ? "initialized" : "preinitialized");
    traceback_dump_text(fd, "\n\n");
    if (initialized) {
        traceback_dump_threads(fd, gilstate_get_bound());
        traceback_dump_extension_modules(fd);
    }
    signal(SIGABRT, SIG_DFL);       /* the handler of faulthandler would say it all again */
    abort();
}

void _Py_FatalErrorFunc(const char *func, const char *message) { traceback_dump_fatal_error(func, message); }
#undef Py_FatalError
void Py_FatalError(const char *message) { traceback_dump_fatal_error(NULL, message); }

/* ---- Tracebacks alone ---- */

int PyTraceBack_Print(PyObject *traceback, PyObject *file)
{
    display_t d;
    if (traceback == NULL)
        return 0;
    if (!PyTraceBack_Check(traceback)) {
        PyErr_BadInternalCall();
        return -1;
    }
    int status = display_init(&d);
    if (status == 0)
        status = display_traceback(&d, traceback, TRACEBACK_HEADER, 0);
    if (status == 0)
        status = display_flush_to(&d, file);
    display_fini(&d);
    return status;
}
