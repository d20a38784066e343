/* Which loop runs on a thread, which task runs in a loop, and which tasks there are. */
#include "asyncio.h"
#include <unistd.h>

static PyObject *loop_key;              /* of the thread's dict; set once */
static PyObject *all_tasks;             /* WeakSet; set once */
static PyObject *current_tasks;         /* dict: loop, task; set once */

static asyncio_import get_policy = {"asyncio.events", "get_event_loop_policy", NULL};

/* ---- Running loops: (loop, process) in the dict of the thread, since a child process does not run the loop ---- */

PyObject *asyncio_running_loop(void)
{
    PyObject *dict = PyThreadState_GetDict(), *entry;
    if (dict == NULL || PyDict_GetItemRef(dict, loop_key, &entry) <= 0)
        return NULL;
    PyObject *loop = PyTuple_GET_ITEM(entry, 0);
    loop = loop != Py_None && PyLong_AsLong(PyTuple_GET_ITEM(entry, 1)) == getpid() ? Py_NewRef(loop) : NULL;
    Py_DECREF(entry);
    return loop;
}

static int set_running_loop(PyObject *loop)
{
    PyObject *dict = PyThreadState_GetDict();
    if (dict == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "thread-local storage is not available");
        return -1;
    }
    PyObject *entry = Py_BuildValue("Ol", loop, (long)getpid());
    int rc = entry != NULL ? PyDict_SetItem(dict, loop_key, entry) : -1;
    Py_XDECREF(entry);
    return rc;
}

PyObject *asyncio_event_loop(void)
{
    PyObject *loop = asyncio_running_loop();
    if (loop != NULL || PyErr_Occurred())
        return loop;
    PyObject *policy = asyncio_import_call(&get_policy, NULL);
    loop = policy != NULL ? PyObject_CallMethod(policy, "get_event_loop", NULL) : NULL;
    Py_XDECREF(policy);
    return loop;
}

static PyObject *get_running_loop(PyObject *module, PyObject *unused)
{
    PyObject *loop = asyncio_running_loop();
    if (loop == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "no running event loop");
    return loop;
}

static PyObject *get_running_loop_or_none(PyObject *module, PyObject *unused)
{
    PyObject *loop = asyncio_running_loop();
    return loop == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : loop;
}

static PyObject *set_running_loop_(PyObject *module, PyObject *loop)
{
    return set_running_loop(loop) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *get_event_loop(PyObject *module, PyObject *unused) { return asyncio_event_loop(); }

static PyObject *get_event_loop_at(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"stacklevel", NULL};
    int level;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|i:_get_event_loop", names, &level) ? asyncio_event_loop() : NULL;
}

/* ---- Tasks ---- */

int asyncio_enter_task(PyObject *loop, PyObject *task)
{
    PyObject *other;
    int found = PyDict_SetDefaultRef(current_tasks, loop, task, &other);
    if (found < 0)
        return -1;
    if (found)
        PyErr_Format(PyExc_RuntimeError, "Cannot enter into task %R while another task %R is being executed.", task, other);
    Py_DECREF(other);
    return found ? -1 : 0;
}

int asyncio_leave_task(PyObject *loop, PyObject *task)
{
    PyObject *current;
    int rc = -1;
    Py_BEGIN_CRITICAL_SECTION(current_tasks);       /* one step, but for loops whose __eq__ is in Python */
    if (PyDict_GetItemRef(current_tasks, loop, &current) >= 0 && current == task)
        rc = PyDict_DelItem(current_tasks, loop);
    Py_END_CRITICAL_SECTION();
    if (rc < 0 && !PyErr_Occurred())
        PyErr_Format(PyExc_RuntimeError, "Leaving task %R does not match the current task %R.", task,
                     current != NULL ? current : Py_None);
    Py_XDECREF(current);
    return rc;
}

static int call_set(const char *method, PyObject *task)
{
    PyObject *result = PyObject_CallMethod(all_tasks, method, "O", task);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int asyncio_register_task(PyObject *task) { return call_set("add", task); }

static PyObject *register_task(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"task", NULL};
    PyObject *task;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O:_register_task", names, &task) && asyncio_register_task(task) == 0
               ? Py_NewRef(Py_None) : NULL;
}

static PyObject *unregister_task(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"task", NULL};
    PyObject *task;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O:_unregister_task", names, &task) && call_set("discard", task) == 0
               ? Py_NewRef(Py_None) : NULL;
}

static PyObject *enter_task(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"loop", "task", NULL};
    PyObject *loop, *task;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "OO:_enter_task", names, &loop, &task)
                   && asyncio_enter_task(loop, task) == 0
               ? Py_NewRef(Py_None) : NULL;
}

static PyObject *leave_task(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"loop", "task", NULL};
    PyObject *loop, *task;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "OO:_leave_task", names, &loop, &task)
                   && asyncio_leave_task(loop, task) == 0
               ? Py_NewRef(Py_None) : NULL;
}

PyMethodDef asyncio_running_functions[] = {
    {"get_running_loop", get_running_loop, METH_NOARGS,
     "get_running_loop($module, /)\n--\n\nThe event loop that runs on this thread; RuntimeError if none does."},
    {"_get_running_loop", get_running_loop_or_none, METH_NOARGS,
     "_get_running_loop($module, /)\n--\n\nThe event loop that runs on this thread, or None."},
    {"_set_running_loop", set_running_loop_, METH_O,
     "_set_running_loop($module, loop, /)\n--\n\nSets the event loop that runs on this thread; for event loops."},
    {"get_event_loop", get_event_loop, METH_NOARGS,
     "get_event_loop($module, /)\n--\n\nThe event loop that runs on this thread, or that of the policy."},
    MODULE_METHOD("_get_event_loop", get_event_loop_at, METH_VARARGS | METH_KEYWORDS,
                  "_get_event_loop($module, /, stacklevel=3)\n--\n\n"),
    MODULE_METHOD("_register_task", register_task, METH_VARARGS | METH_KEYWORDS,
                  "_register_task($module, /, task)\n--\n\nLets all_tasks() know a task."),
    MODULE_METHOD("_unregister_task", unregister_task, METH_VARARGS | METH_KEYWORDS,
                  "_unregister_task($module, /, task)\n--\n\nLets all_tasks() forget a task."),
    MODULE_METHOD("_enter_task", enter_task, METH_VARARGS | METH_KEYWORDS,
                  "_enter_task($module, /, loop, task)\n--\n\nThe task runs in the loop from now on."),
    MODULE_METHOD("_leave_task", leave_task, METH_VARARGS | METH_KEYWORDS,
                  "_leave_task($module, /, loop, task)\n--\n\nThe task does not run any more."),
    {NULL},
};

int asyncio_running_init(PyObject *module)
{
    static asyncio_import weak_set = {"weakref", "WeakSet", NULL};
    if (loop_key == NULL)
        loop_key = PyUnicode_InternFromString("__asyncio_running_event_loop__");
    if (all_tasks == NULL)
        all_tasks = asyncio_import_call(&weak_set, NULL);
    if (current_tasks == NULL)
        current_tasks = PyDict_New();
    if (loop_key == NULL || all_tasks == NULL || current_tasks == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "_all_tasks", all_tasks) < 0
               ? -1 : PyModule_AddObjectRef(module, "_current_tasks", current_tasks);
}
