/* What a module in Modules/ may know beyond the public API, and the layout of module objects for the interpreter. */
#ifndef BRAID_INTERNAL_MODULE_H
#define BRAID_INTERNAL_MODULE_H

#include "Python.h"

#include "internal/call.h"

/* The slots that every module of ours declares: MODULE_SLOTS_COMMON inside its PyModuleDef_Slot array. */
#ifdef Py_mod_gil
#define MODULE_SLOTS_COMMON \
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED}, {Py_mod_gil, Py_MOD_GIL_NOT_USED}
#endif

/* Method table entries whose C type is not PyCFunction. */
#define MODULE_METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), (doc)}

/* May a tuple that this thread made be filled again? True if no one else holds it or can find it. */
static inline int module_object_is_unique(PyObject *op) { return object_is_unique(op); }
/* To be called after that. */
static inline void module_tuple_refilled(PyObject *tuple)
{
    if (!PyObject_GC_IsTracked(tuple))
        PyObject_GC_Track(tuple);
}

/* Does this thread own the object? A plain field that is touched only while this holds belongs to one thread. */
static inline int module_object_is_mine(PyObject *op)
{
#ifdef Py_GIL_DISABLED
    return object_is_mine(op);
#else
    return 1;
#endif
}
/* A small number that differs between most threads that run at the same time. */
static inline unsigned module_thread_number(void) { return object_current_tid(); }

/* Exchanges two items of a list.  The caller is in a critical section on it and knows that it has them. */
static inline Py_ALWAYS_INLINE void module_list_swap(PyObject *list, Py_ssize_t i, Py_ssize_t j)
{
    PyObject **items = ((PyListObject *)list)->ob_item, *item = items[i];
    __atomic_store_n(&items[i], items[j], __ATOMIC_RELEASE);    /* pairs with the readers of lists, which take no lock */
    __atomic_store_n(&items[j], item, __ATOMIC_RELEASE);
}

/* The next item of an iterator from within another one: they may be nested as deep as the program likes. */
static inline PyObject *module_iternext(PyObject *iter) { return call_iternext(iter); }

typedef struct {
    PyObject_HEAD
    PyObject *md_dict;              /* [const] counted; never NULL after creation */
    struct PyModuleDef *md_def;     /* [const after creation] or NULL */
    void *md_state;                 /* or NULL */
    PyObject *md_weaklist;
    PyObject *md_name;              /* or NULL; for messages after the dict has been cleared */
    void *md_gil;                   /* Py_MOD_GIL_USED or Py_MOD_GIL_NOT_USED */
} PyModuleObject;

/* Borrowed; lives as long as the module. */
static inline PyObject *module_get_dict_borrowed(PyObject *module) { return ((PyModuleObject *)module)->md_dict; }

/* The full name ("pkg.mod") of the extension that this thread is importing by a single-phase init function, or NULL: set
 * by the importer around the call; PyModule_Create consumes it when its last part is the module's own name. */
extern BRAID_TLS const char *module_package_context;

/* What a module declared about the global lock: Py_MOD_GIL_USED unless it said otherwise. */
void *module_get_gil(PyObject *module);

/* The exception for a missing attribute, with the partially-initialised hint. name is a str. Always returns NULL. */
PyObject *module_attribute_error(PyObject *module, PyObject *name);

#endif /* BRAID_INTERNAL_MODULE_H */
