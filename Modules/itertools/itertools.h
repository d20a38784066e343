/* What the files of the itertools module share.
 *
 * Iterators with state take their own lock around each step.  The lock is a critical section: it is let go while a
 * thread waits inside a callback, so whatever a callback may change is looked at again afterwards, and everything used
 * across a callback is held by a reference of its own.  Iterators without state of their own take no lock. */
#ifndef BRAID_ITERTOOLS_H
#define BRAID_ITERTOOLS_H

#include "Python.h"

#include "internal/module.h"

extern PyTypeObject accumulate_type, chain_type, combinations_type, cwr_type, compress_type, count_type, cycle_type,
    dropwhile_type, filterfalse_type, groupby_type, grouper_type, islice_type, pairwise_type, permutations_type,
    product_type, repeat_type, starmap_type, takewhile_type, tee_type, tee_data_type, zip_longest_type;

extern const char reduce_doc[], setstate_doc[], sizeof_doc[], length_hint_doc[];

/* tee(iterable, n=2) */
PyObject *itertools_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* Defines name_next, which runs name_step under the object's lock. */
#define LOCKED_NEXT(name) \
    static PyObject *name##_next(PyObject *op) \
    { \
        PyObject *result; \
        Py_BEGIN_CRITICAL_SECTION(op); \
        result = name##_step(op); \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }
/* Defines name, a method that runs name_locked under the object's lock. */
#define LOCKED_METHOD(name) \
    static PyObject *name(PyObject *op, PyObject *arg) \
    { \
        PyObject *result; \
        Py_BEGIN_CRITICAL_SECTION(op); \
        result = name##_locked(op, arg); \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }

static inline PyObject *next_of(PyObject *iter)
{
    return module_iternext(iter);
}

/* After an iterator gave NULL: 0 if it has ended (a StopIteration is cleared), -1 for another exception. */
static inline int check_end(void)
{
    if (!PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return -1;
    PyErr_Clear();
    return 0;
}

/* Only the exact type refuses keywords; a subclass with an __init__ of its own may take some. */
static inline int no_keywords(PyTypeObject *type, PyTypeObject *exact, const char *name, PyObject *kwargs)
{
    return !(type == exact || type->tp_init == exact->tp_init) || _PyArg_NoKeywords(name, kwargs);
}

#define ITERATOR_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE)

#endif /* BRAID_ITERTOOLS_H */
