/* sys: frames, recursion, switching of threads, hooks of coroutines and asynchronous generators. */
#include "Python.h"

#include "frame.h"
#include "gil.h"
#include "stop_world.h"
#include "sys_internal.h"

/* ---- Frames ---- */

static PyObject *sys_getframe(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int depth = 0;
    if (!_PyArg_CheckPositional("_getframe", nargs, 0, 1))
        return NULL;
    if (nargs > 0 && (depth = PyLong_AsInt(args[0])) == -1 && PyErr_Occurred())
        return NULL;
    PyThreadState *ts = thread_current();
    frame_t *f = frame_first_complete(ts->frame);
    while (f != NULL && depth-- > 0)
        f = frame_first_complete(f->previous);
    if (f == NULL) {
        PyErr_SetString(PyExc_ValueError, "call stack is not deep enough");
        return NULL;
    }
    PyObject *frame = Py_XNewRef((PyObject *)frame_get_object(f));
    if (frame != NULL && PySys_Audit("sys._getframe", "O", frame) < 0)
        Py_CLEAR(frame);
    return frame;
}

/* {thread id: make(ts)}, taken while the world is stopped: make must not escape. */
static PyObject *by_thread(PyObject *(*make)(PyThreadState *))
{
    PyObject *dict = PyDict_New();
    int count = 0, max = thread_count() + 64;       /* some may be starting */
    PyObject **values = PyMem_Calloc((size_t)max, sizeof(*values));
    unsigned long *ids = PyMem_Calloc((size_t)max, sizeof(*ids));
    if (dict == NULL || values == NULL || ids == NULL) {
        PyErr_NoMemory();
        Py_CLEAR(dict);
        goto done;
    }
    PyThreadState *me = thread_current();
    stop_world_begin(me);
    thread_list_lock();         /* threads that end leave the list during the pause, too */
    for (PyThreadState *ts = thread_first(); ts != NULL && count < max; ts = ts->next) {
        PyObject *value = make(ts);
        if (value != NULL) {
            ids[count] = __atomic_load_n(&ts->thread_id, __ATOMIC_RELAXED);
            values[count++] = value;
        }
    }
    thread_list_unlock();
    stop_world_end(me);
    if (PyErr_Occurred())
        Py_CLEAR(dict);
    for (int i = 0; i < count; i++) {
        PyObject *key = PyLong_FromUnsignedLong(ids[i]);
        if (dict != NULL && (key == NULL || PyDict_SetItem(dict, key, values[i]) < 0))
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_DECREF(values[i]);
    }
done:
    PyMem_Free(values);
    PyMem_Free(ids);
    return dict;
}

static PyObject *frame_of(PyThreadState *ts)
{
    frame_t *f = frame_first_complete(ts->frame);
    return f != NULL ? Py_XNewRef((PyObject *)frame_get_object(f)) : NULL;
}

static PyObject *exception_of(PyThreadState *ts)
{
    for (_PyErr_StackItem *item = ts->exc_info; item != NULL; item = item->previous_item)
        if (item->exc_value != NULL && item->exc_value != Py_None)
            return Py_NewRef(item->exc_value);
    return Py_NewRef(Py_None);
}

static PyObject *sys_current_frames(PyObject *module, PyObject *unused)
{
    return PySys_Audit("sys._current_frames", NULL) < 0 ? NULL : by_thread(frame_of);
}

static PyObject *exc_info_tuple(PyObject *exc)
{
    if (exc == Py_None)
        return PyTuple_Pack(3, Py_None, Py_None, Py_None);
    PyObject *tb = PyException_GetTraceback(exc);
    PyObject *result = PyTuple_Pack(3, (PyObject *)Py_TYPE(exc), exc, tb != NULL ? tb : Py_None);
    Py_XDECREF(tb);
    return result;
}

static PyObject *sys_current_exceptions(PyObject *module, PyObject *unused)
{
    if (PySys_Audit("sys._current_exceptions", NULL) < 0)
        return NULL;
    PyObject *dict = by_thread(exception_of), *items = dict != NULL ? PyDict_Items(dict) : NULL;
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i), *info = exc_info_tuple(PyTuple_GET_ITEM(pair, 1));
        if (info == NULL || PyDict_SetItem(dict, PyTuple_GET_ITEM(pair, 0), info) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(info);
        if (dict == NULL)
            break;
    }
    Py_XDECREF(items);
    return dict;
}

/* ---- Recursion ---- */

static PyObject *sys_getrecursionlimit(PyObject *module, PyObject *unused) { return PyLong_FromLong(Py_GetRecursionLimit()); }

static PyObject *sys_setrecursionlimit(PyObject *module, PyObject *arg)
{
    int limit = PyLong_AsInt(arg);
    if (limit == -1 && PyErr_Occurred())
        return NULL;
    if (limit < 1) {
        PyErr_SetString(PyExc_ValueError, "recursion limit must be greater or equal than 1");
        return NULL;
    }
    PyThreadState *ts = thread_current();
    int depth = ts->py_recursion_limit - ts->py_recursion_remaining;
    if (depth >= limit) {
        PyErr_Format(PyExc_RecursionError, "cannot set the recursion limit to %i at the recursion depth %i: the limit is too low",
                     limit, depth);
        return NULL;
    }
    Py_SetRecursionLimit(limit);
    Py_RETURN_NONE;
}

/* ---- Switching ---- */

static PyObject *sys_setswitchinterval(PyObject *module, PyObject *arg)
{
    double seconds = PyFloat_AsDouble(arg);
    if (seconds == -1.0 && PyErr_Occurred())
        return NULL;
    if (!(seconds > 0.0)) {
        PyErr_SetString(PyExc_ValueError, "switch interval must be strictly positive");
        return NULL;
    }
    gil_set_switch_interval(seconds > 1e9 ? (uint64_t)1e15 : (uint64_t)(seconds * 1e6));
    Py_RETURN_NONE;
}

static PyObject *sys_getswitchinterval(PyObject *module, PyObject *unused)
{
    return PyFloat_FromDouble(1e-6 * (double)gil_get_switch_interval());
}

static PyObject *sys_is_gil_enabled(PyObject *module, PyObject *unused) { return PyBool_FromLong(gil_is_enabled()); }

/* ---- Coroutines and asynchronous generators ---- */

static PyObject *sys_set_origin_depth(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"depth", NULL};
    int depth;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:set_coroutine_origin_tracking_depth", keywords, &depth))
        return NULL;
    if (depth < 0) {
        PyErr_SetString(PyExc_ValueError, "depth must be >= 0");
        return NULL;
    }
    thread_current()->coroutine_origin_tracking_depth = depth;
    Py_RETURN_NONE;
}

static PyObject *sys_get_origin_depth(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(thread_current()->coroutine_origin_tracking_depth);
}

static PyStructSequence_Field hooks_fields[] = {
    {"firstiter", "called when an asynchronous generator is iterated for the first time"},
    {"finalizer", "called when it is about to be collected"},
    {NULL, NULL},
};
static PyStructSequence_Desc hooks_desc = {"asyncgen_hooks", "The hooks of asynchronous generators of this thread.", hooks_fields, 2};
static PyTypeObject *hooks_type;        /* [const] after start-up */

static int check_hook(PyObject *hook, const char *name)
{
    if (hook != NULL && hook != Py_None && !PyCallable_Check(hook)) {
        PyErr_Format(PyExc_TypeError, "callable %s expected, got %.50s", name, Py_TYPE(hook)->tp_name);
        return -1;
    }
    return 0;
}

static PyObject *sys_set_asyncgen_hooks(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"firstiter", "finalizer", NULL};
    PyObject *first = NULL, *final = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", keywords, &first, &final))
        return NULL;
    if (check_hook(final, "finalizer") < 0 || check_hook(first, "firstiter") < 0)
        return NULL;
    PyThreadState *ts = thread_current();
    if (final != NULL && PySys_Audit("sys.set_asyncgen_hook_finalizer", NULL) < 0)
        return NULL;
    if (first != NULL && PySys_Audit("sys.set_asyncgen_hook_firstiter", NULL) < 0)
        return NULL;
    if (final != NULL)
        Py_XSETREF(ts->async_gen_finalizer, final == Py_None ? NULL : Py_NewRef(final));
    if (first != NULL)
        Py_XSETREF(ts->async_gen_firstiter, first == Py_None ? NULL : Py_NewRef(first));
    Py_RETURN_NONE;
}

int sys_threads_init(void)
{
    hooks_type = PyStructSequence_NewType(&hooks_desc);
    return hooks_type != NULL ? 0 : -1;
}

static PyObject *sys_get_asyncgen_hooks(PyObject *module, PyObject *unused)
{
    PyObject *result = PyStructSequence_New(hooks_type);
    PyThreadState *ts = thread_current();
    if (result != NULL) {
        PyStructSequence_SET_ITEM(result, 0, Py_NewRef(ts->async_gen_firstiter != NULL ? ts->async_gen_firstiter : Py_None));
        PyStructSequence_SET_ITEM(result, 1, Py_NewRef(ts->async_gen_finalizer != NULL ? ts->async_gen_finalizer : Py_None));
    }
    return result;
}

PyMethodDef sys_thread_methods[] = {
    SYS_METHOD("_getframe", sys_getframe, METH_FASTCALL, "_getframe([depth])\n\nThe frame object of the caller, or of a caller of that."),
    SYS_METHOD("_current_frames", sys_current_frames, METH_NOARGS, "_current_frames()\n\nThe innermost frame of each thread, by thread id."),
    SYS_METHOD("_current_exceptions", sys_current_exceptions, METH_NOARGS,
               "_current_exceptions()\n\nThe exception that each thread handles, by thread id."),
    SYS_METHOD("getrecursionlimit", sys_getrecursionlimit, METH_NOARGS, "getrecursionlimit()\n\nThe deepest nesting of Python calls."),
    SYS_METHOD("setrecursionlimit", sys_setrecursionlimit, METH_O, "setrecursionlimit(n)\n\nSets the deepest nesting of Python calls."),
    SYS_METHOD("setswitchinterval", sys_setswitchinterval, METH_O,
               "setswitchinterval(seconds)\n\nHow long a thread may keep the global lock, where there is one, while others wait."),
    SYS_METHOD("getswitchinterval", sys_getswitchinterval, METH_NOARGS, "getswitchinterval()\n\nSee setswitchinterval()."),
    SYS_METHOD("_is_gil_enabled", sys_is_gil_enabled, METH_NOARGS, "_is_gil_enabled()\n\nIs the global interpreter lock in use?"),
    SYS_METHOD("set_coroutine_origin_tracking_depth", sys_set_origin_depth, METH_VARARGS | METH_KEYWORDS,
               "set_coroutine_origin_tracking_depth(depth)\n\nHow many frames new coroutines remember of where they were made."),
    SYS_METHOD("get_coroutine_origin_tracking_depth", sys_get_origin_depth, METH_NOARGS, "See set_coroutine_origin_tracking_depth()."),
    SYS_METHOD("set_asyncgen_hooks", sys_set_asyncgen_hooks, METH_VARARGS | METH_KEYWORDS,
               "set_asyncgen_hooks([firstiter] [, finalizer])\n\nSets the hooks of asynchronous generators of this thread."),
    SYS_METHOD("get_asyncgen_hooks", sys_get_asyncgen_hooks, METH_NOARGS, "get_asyncgen_hooks()\n\nThe hooks of this thread."),
    {NULL, NULL, 0, NULL},
};
