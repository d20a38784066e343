/* sys.settrace, sys.setprofile, and the C API below them. */
#include "sys_internal.h"
#include "trace.h"
#include "well_known_strings.h"

static PyObject *event_name(int what)
{
    static const char *const names[] = {"call", "exception", "line", "return", "c_call", "c_exception", "c_return", "opcode"};
    return PyUnicode_InternFromString(names[what]);
}

/* Calls a Python trace or profile function. Changes to f_locals take effect: if the snapshot exists, it is brought up to date before the
 * call, so that what is written back after it is what the function changed. New reference, or NULL. */
static PyObject *call_trampoline(PyObject *callback, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *event = event_name(what), *result = NULL;
    if (event == NULL || (__atomic_load_n(&frame->f_locals_dict, __ATOMIC_ACQUIRE) != NULL && PyFrame_FastToLocalsWithError(frame) < 0)) {
        Py_XDECREF(event);
        return NULL;
    }
    PyObject *args[] = {(PyObject *)frame, event, arg != NULL ? arg : Py_None};
    result = PyObject_Vectorcall(callback, args, 3, NULL);
    PyFrame_LocalsToFast(frame, 1);
    if (result == NULL)
        PyTraceBack_Here(frame);
    Py_DECREF(event);
    return result;
}

static int profile_trampoline(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *result = call_trampoline(self, frame, what, arg);
    if (result == NULL) {
        PyEval_SetProfile(NULL, NULL);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

static int trace_trampoline(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *trace = NULL, *callback = self;
    if (what != PyTrace_CALL) {
        trace = PyObject_GetAttrString((PyObject *)frame, "f_trace");
        if (trace == NULL)
            return -1;
        callback = trace;
    }
    if (callback == NULL || callback == Py_None) {
        Py_XDECREF(trace);
        return 0;
    }
    PyObject *result = call_trampoline(callback, frame, what, arg);
    Py_XDECREF(trace);
    if (result == NULL) {
        PyEval_SetTrace(NULL, NULL);
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyObject_SetAttrString((PyObject *)frame, "f_trace", Py_None);
        PyErr_Restore(type, value, tb);
        return -1;
    }
    int status = result != Py_None ? PyObject_SetAttrString((PyObject *)frame, "f_trace", result) : 0;
    Py_DECREF(result);
    return status;
}

/* Installs a function of either kind. The old object is dropped first, with no function installed: that may run code, which may not
 * install another. 0, or -1 with an exception set. */
static int install(const char *audit_event, Py_tracefunc *func_field, PyObject **object_field, Py_tracefunc func, PyObject *object)
{
    static BRAID_TLS Py_tracefunc *installing;      /* the field that this thread is about to set, or NULL */
    PyThreadState *ts = thread_current();
    if (PySys_Audit(audit_event, NULL) < 0)
        return -1;
    if (installing == func_field) {
        PyErr_Format(PyExc_RuntimeError, "Cannot install a %s function while another %s function is being installed",
                     func_field == &ts->c_tracefunc ? "trace" : "profile", func_field == &ts->c_tracefunc ? "trace" : "profile");
        return -1;
    }
    Py_XINCREF(object);
    PyObject *old = *object_field;
    *func_field = NULL;
    *object_field = NULL;
    thread_update_tracing(ts);
    if (old != NULL) {
        Py_tracefunc *before = installing;
        installing = func_field;
        Py_DECREF(old);
        installing = before;
    }
    if (ts->c_tracefunc == NULL && ts->c_profilefunc == NULL)
        trace_mark_running(ts);
    *func_field = func;
    *object_field = object;
    thread_update_tracing(ts);
    return 0;
}

static int set_trace(Py_tracefunc func, PyObject *object)
{
    PyThreadState *ts = thread_current();
    return install("sys.settrace", &ts->c_tracefunc, &ts->c_traceobj, func, object);
}

static int set_profile(Py_tracefunc func, PyObject *object)
{
    PyThreadState *ts = thread_current();
    return install("sys.setprofile", &ts->c_profilefunc, &ts->c_profileobj, func, object);
}

void PyEval_SetTrace(Py_tracefunc func, PyObject *arg)
{
    if (set_trace(func, arg) < 0)
        PyErr_WriteUnraisable(NULL);
}

void PyEval_SetProfile(Py_tracefunc func, PyObject *arg)
{
    if (set_profile(func, arg) < 0)
        PyErr_WriteUnraisable(NULL);
}

static PyObject *sys_settrace(PyObject *module, PyObject *function)
{
    if (set_trace(function != Py_None ? trace_trampoline : NULL, function != Py_None ? function : NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sys_gettrace(PyObject *module, PyObject *unused)
{
    PyObject *function = thread_current()->c_traceobj;
    return Py_NewRef(function != NULL ? function : Py_None);
}

static PyObject *sys_setprofile(PyObject *module, PyObject *function)
{
    if (set_profile(function != Py_None ? profile_trampoline : NULL, function != Py_None ? function : NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sys_getprofile(PyObject *module, PyObject *unused)
{
    PyObject *function = thread_current()->c_profileobj;
    return Py_NewRef(function != NULL ? function : Py_None);
}

static PyObject *sys_call_tracing(PyObject *module, PyObject *args)
{
    PyObject *function, *arguments;
    if (!PyArg_ParseTuple(args, "OO!:call_tracing", &function, &PyTuple_Type, &arguments))
        return NULL;
    PyThreadState *ts = thread_current();
    int saved = ts->tracing;
    ts->tracing = 0;
    thread_update_tracing(ts);
    PyObject *result = PyObject_Call(function, arguments, NULL);
    ts->tracing = saved;
    thread_update_tracing(ts);
    return result;
}

PyMethodDef sys_trace_methods[] = {
    SYS_METHOD("settrace", sys_settrace, METH_O, "settrace(function)\n\nSets the trace function of this thread."),
    SYS_METHOD("gettrace", sys_gettrace, METH_NOARGS, "gettrace()\n\nThe trace function of this thread."),
    SYS_METHOD("setprofile", sys_setprofile, METH_O, "setprofile(function)\n\nSets the profile function of this thread."),
    SYS_METHOD("getprofile", sys_getprofile, METH_NOARGS, "getprofile()\n\nThe profile function of this thread."),
    SYS_METHOD("call_tracing", sys_call_tracing, METH_VARARGS, "call_tracing(function, args)\n\nCalls with tracing on, from a trace function."),
    {NULL, NULL, 0, NULL},
};
