/* Calling a special method from C without counting it.
 *
 * Methods are mostly DEFERRED functions that all threads share: counting them would make threads contend.  A DEFERRED
 * function that C code is about to call is named by a word on the thread's stack instead, where the collector finds it.
 * Taken and dropped in the order of a stack. */
#ifndef BRAID_METHOD_REF_H
#define BRAID_METHOD_REF_H

#include "call.h"
#include "container.h"
#include "thread_state.h"
#include "type.h"

struct method_ref {
    PyObject *func;
    PyObject **root;            /* the word that names func; NULL: func is counted, or immortal */
    int self_needed;            /* func is unbound: the call passes the object first */
};

int method_ref_take_slow(PyObject *op, PyObject *name, struct method_ref *m);

/* Keeps func, which the caller has just found without a reference, alive. 1, or 0 if it is dead. */
static inline int method_ref_keep(struct method_ref *m, PyObject *func)
{
    m->func = func;
    m->root = NULL;
    if (value_is_heap(func) && (func->hdr_flags & OBJECT_DEFERRED)) {
        PyThreadState *ts = thread_current();
        if (Py_LIKELY(ts->stack_top < ts->stack_limit)) {
            m->root = ts->stack_top++;
            *m->root = func;
            return 1;
        }
    }
    return object_try_incref(func);
}

/* What a published field of an object holds, which other threads may replace at any time: a new reference, or NULL. */
static inline PyObject *published_field_ref(PyObject **field)
{
    for (;;) {
        PyObject *value = __atomic_load_n(field, __ATOMIC_ACQUIRE);     /* pairs with published_field_set */
        if (value == NULL || object_try_incref(value))
            return value;
        /* it died after we loaded it, so the field holds something else by now */
    }
}

/* Replaces it; value is borrowed, or NULL.  Under owner's lock, for who reads the field as a member.  Escapes */
static inline void published_field_set(PyObject *owner, PyObject **field, PyObject *value)
{
    if (value != NULL) {
        object_publish(value);
        Py_INCREF(value);
    }
    int locked = container_lock(owner);
    PyObject *old = __atomic_exchange_n(field, value, __ATOMIC_ACQ_REL);
    container_unlock(owner, locked);
    Py_XDECREF(old);
}

/* Keeps what a published field holds, which other threads may replace at any time.  0: it is NULL */
static inline int method_ref_take_field(struct method_ref *m, PyObject **field)
{
    for (;;) {
        PyObject *func = __atomic_load_n(field, __ATOMIC_ACQUIRE);
        if (func == NULL || method_ref_keep(m, func))
            return func != NULL;
    }
}

/* op's special method.  1; 0: there is none; -1: exception.  Escapes as type_lookup_ref, and by binding descriptors */
static inline int method_ref_take(PyObject *op, PyObject *name, struct method_ref *m)
{
    PyObject *found;
    if (Py_LIKELY(type_lookup_cached_racy(Py_TYPE(op), name, &found, NULL))) {
        if (found == NULL)
            return 0;
        if (Py_LIKELY(PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR) && method_ref_keep(m, found))) {
            m->self_needed = 1;
            return 1;
        }
    }
    return method_ref_take_slow(op, name, m);
}

static inline void method_ref_drop(struct method_ref *m)
{
    if (Py_LIKELY(m->root != NULL)) {
        *m->root = NULL;
        thread_current()->stack_top = m->root;
    }
    else
        Py_DECREF(m->func);
}

/* Calls it on args[0], args[1..n) follow; drops it. */
static inline PyObject *method_ref_call(struct method_ref *m, PyObject *const *args, Py_ssize_t n)
{
    PyObject *result = m->self_needed ? call_vectorcall(m->func, args, (size_t)n, NULL)
                                      : call_vectorcall(m->func, args + 1, (size_t)(n - 1), NULL);
    method_ref_drop(m);
    return result;
}

#endif /* BRAID_METHOD_REF_H */
