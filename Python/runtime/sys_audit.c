/* Audit hooks. */
#include "sys_internal.h"
#include "fork_mutex.h"

struct c_hook {
    struct c_hook *next;
    Py_AuditHookFunction function;
    void *data;
};
static struct c_hook *c_hooks;          /* [atomic] pushed at the front; stay */
static PyMutex hooks_mutex;             /* additions to interp->audit_hooks */
FORK_MUTEX(hooks_mutex)

/* Does the hook ask to be traced, as other functions are? 1, 0, or -1. */
static int may_trace(PyObject *hook)
{
    PyObject *wish;
    int found = PyObject_GetOptionalAttrString(hook, "__cantrace__", &wish);
    if (found > 0) {
        found = PyObject_IsTrue(wish);
        Py_DECREF(wish);
    }
    return found;
}

static int call_hook(PyThreadState *ts, PyObject *hook, PyObject *name, PyObject *args)
{
    PyObject *argv[] = {name, args}, *result = NULL;
    int traced = may_trace(hook);
    if (traced > 0)
        PyThreadState_LeaveTracing(ts);
    if (traced >= 0)
        result = PyObject_Vectorcall(hook, argv, 2, NULL);
    if (traced > 0)
        PyThreadState_EnterTracing(ts);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int call_python_hooks(PyObject *hooks, const char *event, PyObject *args)
{
    PyObject *name = PyUnicode_FromString(event);
    int status = name == NULL ? -1 : 0;
    PyThreadState *ts = thread_current();
    PyThreadState_EnterTracing(ts);     /* hooks are not traced */
    for (Py_ssize_t i = 0; status == 0; i++) {
        PyObject *hook = PyList_GetItemRef(hooks, i);
        if (hook == NULL) {
            PyErr_Clear();
            break;
        }
        status = call_hook(ts, hook, name, args);
        Py_DECREF(hook);
    }
    PyThreadState_LeaveTracing(ts);
    Py_XDECREF(name);
    return status;
}

static int run_hooks(const char *event, PyObject *args)
{
    for (struct c_hook *h = __atomic_load_n(&c_hooks, __ATOMIC_ACQUIRE); h != NULL; h = h->next)
        if (h->function(event, args, h->data) < 0)
            return -1;
    PyObject *hooks = __atomic_load_n(&runtime_interp.audit_hooks, __ATOMIC_ACQUIRE);
    return hooks != NULL ? call_python_hooks(hooks, event, args) : 0;
}

static int any_hooks(void)
{
    return __atomic_load_n(&runtime_interp.audit_hooks, __ATOMIC_ACQUIRE) != NULL || __atomic_load_n(&c_hooks, __ATOMIC_ACQUIRE) != NULL;
}

int PySys_Audit(const char *event, const char *format, ...)
{
    if (Py_LIKELY(!any_hooks()) || thread_current() == NULL)
        return 0;
    PyObject *type, *value, *tb, *args;
    PyErr_Fetch(&type, &value, &tb);
    if (format != NULL && format[0]) {
        va_list va;
        va_start(va, format);
        args = Py_VaBuildValue(format, va);
        va_end(va);
        if (args != NULL && !PyTuple_Check(args))
            Py_SETREF(args, PyTuple_Pack(1, args));
    }
    else
        args = PyTuple_New(0);
    int status = args != NULL ? run_hooks(event, args) : -1;
    Py_XDECREF(args);
    if (status == 0)
        PyErr_Restore(type, value, tb);
    else {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(tb);
    }
    return status;
}

int PySys_AddAuditHook(Py_AuditHookFunction function, void *data)
{
    if (Py_IsInitialized() && PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_RuntimeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    struct c_hook *h = malloc(sizeof(*h));
    if (h == NULL) {
        if (Py_IsInitialized())
            PyErr_NoMemory();
        return -1;
    }
    h->function = function;
    h->data = data;
    h->next = __atomic_load_n(&c_hooks, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&c_hooks, &h->next, h, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    return 0;
}

static PyObject *sys_addaudithook(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hook", NULL};
    PyObject *hook;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:addaudithook", keywords, &hook))
        return NULL;
    if (PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    PyObject *list = NULL, *made = PyList_New(0);
    if (made == NULL)
        return NULL;
    PyObject_GC_UnTrack(made);      /* not to be found by gc.get_objects */
    PyMutex_Lock(&hooks_mutex);
    list = runtime_interp.audit_hooks;
    if (list == NULL) {
        object_publish(made);
        list = Py_NewRef(made);
        __atomic_store_n(&runtime_interp.audit_hooks, list, __ATOMIC_RELEASE);
    }
    PyMutex_Unlock(&hooks_mutex);
    Py_DECREF(made);
    if (PyList_Append(list, hook) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sys_audit(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "audit() missing 1 required positional argument: 'event'");
        return NULL;
    }
    if (!any_hooks())
        Py_RETURN_NONE;
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "expected str for argument 'event', not %.200s", Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    const char *event = PyUnicode_AsUTF8(args[0]);
    PyObject *rest = PyTuple_New(nargs - 1);
    for (Py_ssize_t i = 1; rest != NULL && i < nargs; i++)
        PyTuple_SET_ITEM(rest, i - 1, Py_NewRef(args[i]));
    int status = event != NULL && rest != NULL ? run_hooks(event, rest) : -1;
    Py_XDECREF(rest);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

PyMethodDef sys_audit_methods[] = {
    SYS_METHOD("addaudithook", sys_addaudithook, METH_VARARGS | METH_KEYWORDS,
               "addaudithook(hook)\n\nAdds a function that is told of every audit event; it cannot be removed."),
    SYS_METHOD("audit", sys_audit, METH_FASTCALL, "audit(event, *args)\n\nTells all audit hooks of an event."),
    {NULL, NULL, 0, NULL},
};
