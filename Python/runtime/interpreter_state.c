/* The interpreter state and its part of the C API. */
#include "interpreter.h"
#include "fork_mutex.h"
#include "atomics.h"

struct _is runtime_interp;

static PyMutex fields_mutex;
FORK_MUTEX(fields_mutex)

PyObject *interpreter_get(PyObject **field)
{
    PyMutex_Lock(&fields_mutex);
    PyObject *value = Py_XNewRef(*field);
    PyMutex_Unlock(&fields_mutex);
    return value;
}

void interpreter_set(PyObject **field, PyObject *value)
{
    Py_XINCREF(value);
    if (value != NULL)
        object_publish(value);
    PyMutex_Lock(&fields_mutex);
    PyObject *old = *field;
    *field = value;
    PyMutex_Unlock(&fields_mutex);
    Py_XDECREF(old);
}

PyObject *interpreter_get_or_make(PyObject **field, PyObject *(*make)(void))
{
    PyObject *value = interpreter_get(field);
    if (value != NULL)
        return value;
    PyObject *made = make();
    if (made == NULL)
        return NULL;
    object_publish(made);
    PyMutex_Lock(&fields_mutex);
    if (*field == NULL)
        *field = Py_NewRef(made);
    value = Py_NewRef(*field);
    PyMutex_Unlock(&fields_mutex);
    Py_DECREF(made);
    return value;
}

PyInterpreterState *PyInterpreterState_Get(void)
{
    if (thread_current() == NULL)
        Py_FatalError("the thread is not attached");
    return &runtime_interp;
}

PyInterpreterState *PyInterpreterState_Main(void) { return &runtime_interp; }
PyInterpreterState *PyInterpreterState_Head(void) { return &runtime_interp; }
PyInterpreterState *PyInterpreterState_New(void) { return NULL; }      /* there is one */
PyInterpreterState *PyInterpreterState_Next(PyInterpreterState *interp) { (void)interp; return NULL; }
void PyInterpreterState_Clear(PyInterpreterState *interp) { (void)interp; }
void PyInterpreterState_Delete(PyInterpreterState *interp) { (void)interp; }
PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interp) { return interp->threads; }
int64_t PyInterpreterState_GetID(PyInterpreterState *interp) { return interp != NULL ? interp->id : -1; }

PyObject *PyInterpreterState_GetDict(PyInterpreterState *interp)
{
    PyObject *dict = atomic_load_acquire_ptr(&interp->dict);
    if (dict != NULL)
        return dict;
    dict = PyDict_New();
    if (dict == NULL) {
        PyErr_Clear();
        return NULL;
    }
    object_publish(dict);
    PyObject *expected = NULL;
    if (!atomic_cas_ptr(&interp->dict, &expected, dict)) {
        Py_DECREF(dict);
        dict = expected;
    }
    return dict;
}
