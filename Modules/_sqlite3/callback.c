/* Callables that the library knows: their lives, and what all calls of Python by the library have in common.
 */
#include "sqlite_internal.h"

int callback_tracebacks;

callback_t *callback_new_locked(database_t *d, PyObject *callable)
{
    callback_t *c = PyMem_Malloc(sizeof(*c));
    if (c == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    c->callable = Py_NewRef(callable);
    c->next = d->callbacks;
    c->link = &d->callbacks;
    if (c->next != NULL)
        c->next->link = &c->next;
    d->callbacks = c;
    return c;
}

void callback_free(void *callback)
{
    callback_t *c = callback;
    callback_frame frame;
    if (c == NULL)
        return;
    callback_enter(&frame);
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    PyObject *callable = c->callable;
    PyMem_Free(c);
    Py_DECREF(callable);
    callback_leave(&frame);
}

void callback_enter(callback_frame *frame)
{
    frame->state = PyGILState_Ensure();
    frame->raised = PyErr_GetRaisedException();
}

void callback_leave(callback_frame *frame)
{
    PyErr_SetRaisedException(frame->raised);
    PyGILState_Release(frame->state);
}

void callback_report(PyObject *callable)
{
    if (!PyErr_Occurred())
        return;
    if (__atomic_load_n(&callback_tracebacks, __ATOMIC_RELAXED))
        PyErr_WriteUnraisable(callable);
    else
        PyErr_Clear();
}
