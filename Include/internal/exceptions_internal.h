/* What the files of the exception types share. */
#ifndef BRAID_EXCEPTIONS_INTERNAL_H
#define BRAID_EXCEPTIONS_INTERNAL_H

#include "Python.h"
#include "structmember.h"
#include "refcount.h"

/* How the instances of a family of exceptions differ from BaseException's. */
typedef struct {
    Py_ssize_t basicsize;
    newfunc tp_new;
    initproc tp_init;
    reprfunc tp_str;
    const Py_ssize_t *references;   /* offsets of the PyObject * fields behind the common ones, 0-terminated */
    PyMemberDef *members;
    PyMethodDef *methods;
    PyGetSetDef *getset;
} exception_layout_t;

extern const exception_layout_t exception_layout_base, exception_layout_group, exception_layout_system_exit,
    exception_layout_attribute, exception_layout_import, exception_layout_name, exception_layout_os, exception_layout_stop,
    exception_layout_syntax, exception_layout_key, exception_layout_unicode_decode, exception_layout_unicode_encode,
    exception_layout_unicode_translate;

extern PyTypeObject _PyExc_BaseException;

/* BaseException's own slots, for the layouts that add to them. */
PyObject *base_exception_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int base_exception_init(PyObject *op, PyObject *args, PyObject *kwargs);
PyObject *base_exception_str(PyObject *op);
PyObject *base_exception_reduce(PyObject *op, PyObject *ignored);

/* Threads may raise and look at the same exception: what a field holds is published, whoever replaces it exchanges it, and whoever reads it
 * takes a reference by published_field_ref. */

/* *field = value (may be NULL), the old value is dropped. Steals value */
static inline void exception_set_field_steal(PyObject **field, PyObject *value)
{
    if (value != NULL)
        object_publish(value);
    PyObject *old;
    if (runtime_is_multi())
        old = __atomic_exchange_n(field, value, __ATOMIC_ACQ_REL);      /* pairs with published_field_ref */
    else {
        old = *field;
        *field = value;
    }
    if (old != NULL) {
        object_publish(old);        /* somebody may just have loaded it: its memory must outlive that */
        Py_DECREF(old);
    }
}
/* The same; value is borrowed. */
static inline void exception_set_field(PyObject **field, PyObject *value) { exception_set_field_steal(field, Py_XNewRef(value)); }

/* errno -> subclass of OSError. */
int os_error_init_map(void);
/* ExceptionGroup(BaseExceptionGroup, Exception). */
int exception_group_init(void);

#endif /* BRAID_EXCEPTIONS_INTERNAL_H */
