/* What the parts of the _asyncio module share.
 *
 * Futures and tasks belong to an event loop, which runs on one thread; other threads should not touch them, but may. So
 * each field is read and written inside a critical section on the object, which no code of Python runs in: readers take a
 * reference of their own, and what is displaced is dropped afterwards. The state changes once, from PENDING; whoever
 * changes it takes the list of callbacks with it. */
#ifndef BRAID_ASYNCIO_H
#define BRAID_ASYNCIO_H

#include "module.h"
#include "structmember.h"
#include <stddef.h>

enum future_state { PENDING, CANCELLED, FINISHED };

typedef struct {
    PyObject_HEAD
    PyObject *loop;                     /* [lock] or NULL: not initialised; counted, as all others */
    PyObject *callbacks;                /* [lock] list of (callback, context), or NULL */
    PyObject *result, *exception;       /* [lock] or NULL */
    PyObject *traceback;                /* [lock] of exception when it was set, or NULL */
    PyObject *source_traceback;         /* [lock] where it was made, for debugging; or NULL */
    PyObject *cancel_message;           /* [lock] or NULL */
    PyObject *cancelled_error;          /* [lock] the exception that ended a cancelled task, until it is raised; or NULL */
    PyObject *dict, *weaklist;
    unsigned char state;                /* [lock] enum future_state */
    unsigned char log_traceback;        /* [lock] nobody has looked at the exception yet */
    unsigned char blocking;             /* [lock] handed out by await, to be waited for */
} future_object;

typedef struct {
    future_object future;
    PyObject *coroutine;                /* [lock] or NULL; counted, as the next ones */
    PyObject *name;                     /* [lock] str or NULL */
    PyObject *context;                  /* [lock] or NULL */
    PyObject *waiter;                   /* [lock] the future it waits for, or NULL */
    int cancel_requests;                /* [lock] */
    unsigned char must_cancel;          /* [lock] */
    unsigned char log_destroy_pending;  /* [lock] */
} task_object;

#define FUTURE(op) ((future_object *)(op))
#define TASK(op) ((task_object *)(op))

extern PyTypeObject asyncio_future_type, asyncio_task_type, asyncio_iter_type, asyncio_step_type;

/* Of these types themselves, whose methods nobody has overridden. */
static inline int asyncio_is_plain(PyObject *op)
{
    return Py_IS_TYPE(op, &asyncio_future_type) || Py_IS_TYPE(op, &asyncio_task_type);
}

/* ---- Fields: a new reference or NULL; replacing (steals value, drops what was there) ---- */

static inline PyObject *asyncio_field_get(PyObject *op, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}

static inline PyObject *asyncio_field_take(PyObject *op, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = *field;
    *field = NULL;
    Py_END_CRITICAL_SECTION();
    return value;
}

static inline void asyncio_field_set_steal(PyObject *op, PyObject **field, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = *field;
    *field = value;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

static inline int asyncio_flag_get(PyObject *op, const unsigned char *flag)
{
    int value;
    Py_BEGIN_CRITICAL_SECTION(op);
    value = *flag;
    Py_END_CRITICAL_SECTION();
    return value;
}

/* Sets it and tells what it was. */
static inline int asyncio_flag_exchange(PyObject *op, unsigned char *flag, int value)
{
    int old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = *flag;
    *flag = (unsigned char)value;
    Py_END_CRITICAL_SECTION();
    return old;
}

/* ---- asynciomodule.c ---- */

/* An attribute of a Python module, imported when it is first needed; borrowed, kept for ever. NULL with an exception. */
typedef struct {
    const char *module, *name;
    PyObject *value;                    /* [atomic] or NULL */
} asyncio_import;
PyObject *asyncio_import_borrowed(asyncio_import *import);
/* Calls what is imported with the arguments that the format describes (NULL: none). */
PyObject *asyncio_import_call(asyncio_import *import, const char *format, ...);
extern asyncio_import asyncio_cancelled_error, asyncio_invalid_state_error;
/* An attribute, or NULL; 0, or -1 with an exception. */
int asyncio_lookup(PyObject *op, const char *name, PyObject **value);
/* Raises InvalidStateError; NULL. */
PyObject *asyncio_invalid_state(const char *message);

/* ---- future.c ---- */

/* 0, or -1 with an exception. loop: None or NULL: the thread's. */
int asyncio_future_init(PyObject *op, PyObject *loop);
/* Is it initialised? 0, or -1 with RuntimeError. */
int asyncio_future_check(PyObject *op);
PyObject *asyncio_future_result(PyObject *op);                          /* as result() */
PyObject *asyncio_future_set_result(PyObject *op, PyObject *result);    /* None, or NULL with an exception */
PyObject *asyncio_future_set_exception(PyObject *op, PyObject *exception);
PyObject *asyncio_future_cancel(PyObject *op, PyObject *message);       /* a bool, or NULL with an exception */
PyObject *asyncio_future_make_cancelled_error(PyObject *op);
/* context: NULL: the current one. */
PyObject *asyncio_future_add_callback(PyObject *op, PyObject *callback, PyObject *context);
/* loop.call_soon(callback, [argument,] context=context). 0, or -1 with an exception. */
int asyncio_call_soon(PyObject *loop, PyObject *callback, PyObject *argument, PyObject *context);
int asyncio_future_traverse(PyObject *op, visitproc visit, void *arg), asyncio_future_clear(PyObject *op);
void asyncio_future_finalize(PyObject *op);
/* tp_dealloc of both types; clear: of that type itself, not of a subclass. */
void asyncio_dealloc(PyObject *op, inquiry clear);
extern PyMethodDef asyncio_future_methods[];
extern PyGetSetDef asyncio_future_getset[];

/* ---- future_iter.c ---- */

PyObject *asyncio_future_iter(PyObject *op);

/* ---- task_step.c ---- */

/* Lets the loop run the next step. exception: NULL, or what the coroutine is to raise. 0, or -1 with an exception. */
int asyncio_task_schedule(PyObject *task, PyObject *exception);

/* ---- running.c ---- */

/* The loop that runs on this thread, a new reference; NULL without an exception: none. */
PyObject *asyncio_running_loop(void);
/* That, or the one of the policy. */
PyObject *asyncio_event_loop(void);
int asyncio_enter_task(PyObject *loop, PyObject *task), asyncio_leave_task(PyObject *loop, PyObject *task);
int asyncio_register_task(PyObject *task);
int asyncio_running_init(PyObject *module);
extern PyMethodDef asyncio_running_functions[];

#endif /* BRAID_ASYNCIO_H */
