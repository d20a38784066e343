/* The module _thread: starting threads, and the objects that threading.py builds on. */
#include "thread_module.h"
#include "interpreter.h"
#include "atomics.h"
#include "sys_internal.h"
#include "thread_end.h"

#include <unistd.h>

#define TIMEOUT_MAX_SECONDS ((double)(PY_TIMEOUT_MAX / 1000000))

static PyStructSequence_Field hook_fields[] = {
    {"exc_type", "Type of the exception"},
    {"exc_value", "The exception, or None"},
    {"exc_traceback", "Its traceback, or None"},
    {"thread", "The Thread object, or None"},
    {NULL, NULL},
};

static PyStructSequence_Desc hook_desc = {
    .name = "_thread._ExceptHookArgs",
    .doc = "What threading.excepthook is called with.",
    .fields = hook_fields,
    .n_in_sequence = 4,
};

typedef struct {
    PyTypeObject *hook_args_type;
} module_state;

static module_state *state_of(PyObject *module) { return PyModule_GetState(module); }

/* ---- Starting a thread ---- */

struct start {
    PyThreadState *ts;
    PyObject *func, *args, *kwargs;
    PyObject *sentinel;
};

/* The lock that _set_sentinel will hand to this thread, or NULL. It comes from whoever started the thread: threading goes through the locks of all
 * living threads whenever another one begins, and those of one owner lie close together. */
static BRAID_TLS PyObject *reserved_sentinel;

/* In the new thread, attached. */
static void run_function(struct start *start)
{
    PyObject *result = PyObject_Call(start->func, start->args, start->kwargs);
    if (result == NULL) {
        if (PyErr_ExceptionMatches(PyExc_SystemExit))
            PyErr_Clear();
        else
            _PyErr_WriteUnraisableMsg("in thread started by", start->func);
    }
    else
        Py_DECREF(result);
    Py_DECREF(start->func);
    Py_DECREF(start->args);
    Py_XDECREF(start->kwargs);
    Py_CLEAR(reserved_sentinel);
}

static void thread_main(void *arg)
{
    struct start *start = arg;
    PyThreadState *ts = start->ts;
    thread_attach(ts);
    __atomic_fetch_add(&runtime_interp.thread_module_count, 1, __ATOMIC_RELAXED);
    reserved_sentinel = start->sentinel;
    run_function(start);
    PyMem_RawFree(start);
    __atomic_fetch_sub(&runtime_interp.thread_module_count, 1, __ATOMIC_RELAXED);
    thread_end_current(ts);
}

static PyObject *start_new_thread(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    if (nargs < 2 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "start_new_thread expected at %s %d arguments, got %zd", nargs < 2 ? "least" : "most",
                     nargs < 2 ? 2 : 3, nargs);
        return NULL;
    }
    PyObject *kwargs = nargs == 3 ? args[2] : NULL;
    if (!PyCallable_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "first arg must be callable");
        return NULL;
    }
    if (!PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "2nd arg must be a tuple");
        return NULL;
    }
    if (kwargs != NULL && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "optional 3rd arg must be a dictionary");
        return NULL;
    }
    if (PySys_Audit("_thread.start_new_thread", "OOO", args[0], args[1], kwargs != NULL ? kwargs : Py_None) < 0)
        return NULL;
    struct start *start = PyMem_RawMalloc(sizeof(*start));
    if (start == NULL)
        return PyErr_NoMemory();
    start->sentinel = thread_lock_new_sentinel();
    start->ts = start->sentinel != NULL ? PyThreadState_New(&runtime_interp) : NULL;
    unsigned long ident = PYTHREAD_INVALID_THREAD_ID;
    if (start->ts != NULL) {
        start->func = Py_NewRef(args[0]);
        start->args = Py_NewRef(args[1]);
        start->kwargs = Py_XNewRef(kwargs);
        ident = PyThread_start_new_thread(thread_main, start);
    }
    if (ident == PYTHREAD_INVALID_THREAD_ID) {
        if (start->ts != NULL) {
            PyThreadState_Clear(start->ts);
            PyThreadState_Delete(start->ts);
            Py_DECREF(start->func);
            Py_DECREF(start->args);
            Py_XDECREF(start->kwargs);
        }
        Py_XDECREF(start->sentinel);
        PyMem_RawFree(start);
        PyErr_SetString(PyExc_RuntimeError, "can't start new thread");
        return NULL;
    }
    return PyLong_FromUnsignedLong(ident);
}

/* ---- Small functions ---- */

static PyObject *exit_thread(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

static PyObject *interrupt_main(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    int signum = 2;     /* SIGINT */
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "interrupt_main expected at most 1 argument, got %zd", nargs);
        return NULL;
    }
    if (nargs == 1) {
        long n = PyLong_AsLong(args[0]);
        if (n == -1 && PyErr_Occurred())
            return NULL;
        signum = n > INT_MAX || n < 0 ? -1 : (int)n;
    }
    if (PyErr_SetInterruptEx(signum) < 0) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *allocate_lock(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return thread_lock_new();
}

static PyObject *get_ident(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromUnsignedLong(PyThread_get_thread_ident());
}

static PyObject *get_native_id(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromUnsignedLong(thread_current()->native_thread_id);
}

static PyObject *count_threads(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    return PyLong_FromLongLong(atomic_load_relaxed_i64(&runtime_interp.thread_module_count));
}

static PyObject *stack_size(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    Py_ssize_t size = 0;
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "stack_size expected at most 1 argument, got %zd", nargs);
        return NULL;
    }
    if (nargs == 1) {
        size = PyLong_AsSsize_t(args[0]);
        if (size == -1 && PyErr_Occurred())
            return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be 0 or a positive value");
        return NULL;
    }
    size_t old = PyThread_get_stacksize();
    if (nargs == 1 && PyThread_set_stacksize((size_t)size) < 0) {
        PyErr_Format(PyExc_ValueError, "size not valid: %zd bytes", size);
        return NULL;
    }
    return PyLong_FromSize_t(old);
}

/* ---- The end of a thread, for join ---- */

static PyObject *set_sentinel(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    PyThreadState *ts = thread_current();
    if (ts->on_delete != NULL) {
        /* Set by an earlier Thread object of this thread. */
        ts->on_delete = NULL;
        Py_DECREF((PyObject *)ts->on_delete_data);
    }
    PyObject *lock = reserved_sentinel != NULL ? reserved_sentinel : thread_lock_new_sentinel();
    reserved_sentinel = NULL;
    if (lock == NULL)
        return NULL;
    ts->on_delete_data = Py_NewRef(lock);
    ts->on_delete = thread_lock_end_sentinel;
    return lock;
}

/* ---- Uncaught exceptions ---- */

static int write_heading(PyObject *file, PyObject *thread)
{
    PyObject *name = NULL;
    if (thread != Py_None && PyObject_GetOptionalAttrString(thread, "name", &name) < 0)
        return -1;
    PyObject *text = name != NULL ? PyUnicode_FromFormat("Exception in thread %S:\n", name)
                                  : PyUnicode_FromFormat("Exception in thread %lu:\n", PyThread_get_thread_ident());
    Py_XDECREF(name);
    if (text == NULL)
        return -1;
    int result = PyFile_WriteObject(text, file, Py_PRINT_RAW);
    Py_DECREF(text);
    return result;
}

/* traceback.print_exception(type, value, tb, file=file) */
static int print_to(PyObject *file, PyObject *type, PyObject *value, PyObject *tb)
{
    int result = -1;
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *print = traceback != NULL ? PyObject_GetAttrString(traceback, "print_exception") : NULL;
    PyObject *args = print != NULL ? PyTuple_Pack(3, type, value, tb) : NULL;
    PyObject *kwargs = args != NULL ? Py_BuildValue("{s:O}", "file", file) : NULL;
    if (kwargs != NULL) {
        PyObject *printed = PyObject_Call(print, args, kwargs);
        result = printed != NULL ? 0 : -1;
        Py_XDECREF(printed);
    }
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(print);
    Py_XDECREF(traceback);
    return result;
}

static PyObject *excepthook(PyObject *module, PyObject *args)
{
    if (!Py_IS_TYPE(args, state_of(module)->hook_args_type)) {
        PyErr_SetString(PyExc_TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
        return NULL;
    }
    PyObject *type = PyStructSequence_GET_ITEM(args, 0), *value = PyStructSequence_GET_ITEM(args, 1);
    PyObject *tb = PyStructSequence_GET_ITEM(args, 2), *thread = PyStructSequence_GET_ITEM(args, 3);
    if (type == PyExc_SystemExit)
        Py_RETURN_NONE;
    int own_file = 0, result = 0;
    PyObject *file = sys_object_ref("stderr");
    if (file == NULL || file == Py_None) {
        Py_CLEAR(file);
        if (thread == Py_None)
            Py_RETURN_NONE;
        file = PyObject_GetAttrString(thread, "_stderr");
        if (file == NULL)
            return NULL;
        own_file = 1;
    }
    if (file != Py_None) {
        result = write_heading(file, thread);
        if (result == 0 && own_file)
            result = print_to(file, type, value, tb);
        else if (result == 0)
            PyErr_Display(type, value, tb == Py_None ? NULL : tb);
        if (result == 0) {
            PyObject *flushed = PyObject_CallMethod(file, "flush", NULL);
            if (flushed == NULL)
                PyErr_Clear();
            Py_XDECREF(flushed);
        }
    }
    Py_DECREF(file);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- The module ---- */

void thread_module_shutdown(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *threading = NULL;
    if (modules == NULL || PyDict_GetItemStringRef(modules, "threading", &threading) <= 0) {
        PyErr_Clear();
        return;
    }
    PyObject *result = PyObject_CallMethod(threading, "_shutdown", NULL);
    if (result == NULL)
        PyErr_WriteUnraisable(threading);
    Py_XDECREF(result);
    Py_DECREF(threading);
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), PyDoc_STR(doc)}

static PyMethodDef functions[] = {
    METHOD("start_new_thread", start_new_thread, METH_FASTCALL,
           "start_new_thread(function, args[, kwargs]) -> int\n\nRuns function(*args, **kwargs) in a new thread; returns its identifier."),
    METHOD("start_new", start_new_thread, METH_FASTCALL, "start_new(function, args[, kwargs])\n\nOlder name of start_new_thread."),
    METHOD("allocate_lock", allocate_lock, METH_NOARGS, "allocate_lock() -> lock\n\nA new lock, not taken."),
    METHOD("allocate", allocate_lock, METH_NOARGS, "allocate() -> lock\n\nOlder name of allocate_lock."),
    METHOD("exit", exit_thread, METH_NOARGS, "exit()\n\nRaises SystemExit: ends the thread silently unless it is caught."),
    METHOD("exit_thread", exit_thread, METH_NOARGS, "exit_thread()\n\nOlder name of exit."),
    METHOD("interrupt_main", interrupt_main, METH_FASTCALL,
           "interrupt_main(signum=signal.SIGINT)\n\nMakes the main thread run the handler of a signal, as if it had arrived."),
    METHOD("get_ident", get_ident, METH_NOARGS,
           "get_ident() -> int\n\nA number that no other running thread has; it may be used again later."),
    METHOD("get_native_id", get_native_id, METH_NOARGS, "get_native_id() -> int\n\nThe kernel's number of this thread."),
    METHOD("_count", count_threads, METH_NOARGS, "_count() -> int\n\nHow many threads started by this module are running."),
    METHOD("stack_size", stack_size, METH_FASTCALL,
           "stack_size([size]) -> int\n\nThe stack size of new threads in bytes, 0 for the default; sets it to size."),
    METHOD("_set_sentinel", set_sentinel, METH_NOARGS,
           "_set_sentinel() -> lock\n\nA lock that is released when the calling thread has ended."),
    METHOD("_excepthook", excepthook, METH_O, "_excepthook(args)\n\nReports an exception that ended a thread."),
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    module_state *state = state_of(module);
    if (PyType_Ready(&thread_lock_type) < 0 || PyModule_AddObjectRef(module, "LockType", (PyObject *)&thread_lock_type) < 0)
        return -1;
    if (PyModule_AddType(module, &thread_rlock_type) < 0 || PyModule_AddType(module, &thread_local_type) < 0)
        return -1;
    if (PyModule_AddObjectRef(module, "error", PyExc_RuntimeError) < 0)
        return -1;
    state->hook_args_type = PyStructSequence_NewType(&hook_desc);
    if (state->hook_args_type == NULL || PyModule_AddType(module, state->hook_args_type) < 0)
        return -1;
    PyObject *max = PyFloat_FromDouble(TIMEOUT_MAX_SECONDS);
    int failed = max == NULL || PyModule_AddObjectRef(module, "TIMEOUT_MAX", max) < 0;
    Py_XDECREF(max);
    return failed ? -1 : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    if (state_of(module) != NULL)
        Py_VISIT(state_of(module)->hook_args_type);
    return 0;
}

static int module_clear(PyObject *module)
{
    if (state_of(module) != NULL)
        Py_CLEAR(state_of(module)->hook_args_type);
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_thread",
    .m_doc = PyDoc_STR("Threads and locks, as the threading module needs them."),
    .m_size = sizeof(module_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__thread(void) { return PyModuleDef_Init(&module_def); }

/* sys.thread_info */
static PyStructSequence_Field info_fields[] = {
    {"name", "what threads are made of"},
    {"lock", "what locks are made of"},
    {"version", "of the thread library"},
    {NULL, NULL},
};
static PyStructSequence_Desc info_desc = {"sys.thread_info", "About the implementation of threads.", info_fields, 3};

PyObject *PyThread_GetInfo(void)
{
    static PyTypeObject *type;      /* [atomic] */
    PyTypeObject *t = atomic_load_acquire_ptr(&type);
    if (t == NULL) {
        t = PyStructSequence_NewType(&info_desc);
        if (t == NULL)
            return NULL;
        PyTypeObject *expected = NULL;
        if (!atomic_cas_ptr(&type, &expected, t)) {
            Py_DECREF(t);
            t = expected;
        }
    }
    char version[64];
    size_t n = confstr(_CS_GNU_LIBPTHREAD_VERSION, version, sizeof(version));
    PyObject *info = PyStructSequence_New(t);
    if (info == NULL)
        return NULL;
    PyObject *values[3] = {PyUnicode_FromString("pthread"), PyUnicode_FromString("semaphore"),
                           n > 0 && n < sizeof(version) ? PyUnicode_FromString(version) : Py_NewRef(Py_None)};
    for (int i = 0; i < 3; i++)
        PyStructSequence_SetItem(info, i, values[i]);
    if (PyErr_Occurred())
        Py_CLEAR(info);
    return info;
}
