/* Weak references and proxies. */
#ifndef Py_WEAKREFOBJECT_H
#define Py_WEAKREFOBJECT_H

typedef struct _PyWeakReference PyWeakReference;

/* Fields are in the order that extensions know from 3.11. */
struct _PyWeakReference {
    PyObject_HEAD
    PyObject *wr_object;        /* [atomic] the target, uncounted; Py_None once it is gone */
    PyObject *wr_callback;      /* [lock] owned, or NULL */
    Py_hash_t hash;             /* [atomic] of the target; -1 until asked for */
    PyWeakReference *wr_prev;   /* [lock] list of the target's weak references; the lock is striped by target */
    PyWeakReference *wr_next;
    vectorcallfunc vectorcall;
    uint32_t stripe;            /* [const] which lock */
};

PyAPI_DATA(PyTypeObject) _PyWeakref_RefType;
PyAPI_DATA(PyTypeObject) _PyWeakref_ProxyType;
PyAPI_DATA(PyTypeObject) _PyWeakref_CallableProxyType;

/* Has the object whose list of weak references begins in this field any? Another thread may be taking one off the list: what is gone is
 * gone for good, and PyObject_ClearWeakRefs waits for one that is still there. */
#define _PyObject_HAS_WEAKREFS(head) (__atomic_load_n(&(head), __ATOMIC_ACQUIRE) != NULL)

#define PyWeakref_CheckRef(op) PyObject_TypeCheck((op), &_PyWeakref_RefType)
#define PyWeakref_CheckRefExact(op) Py_IS_TYPE((op), &_PyWeakref_RefType)
#define PyWeakref_CheckProxy(op) \
    (Py_IS_TYPE((op), &_PyWeakref_ProxyType) || Py_IS_TYPE((op), &_PyWeakref_CallableProxyType))
#define PyWeakref_Check(op) (PyWeakref_CheckRef(op) || PyWeakref_CheckProxy(op))

PyAPI_FUNC(PyObject *) PyWeakref_NewRef(PyObject *target, PyObject *callback);
PyAPI_FUNC(PyObject *) PyWeakref_NewProxy(PyObject *target, PyObject *callback);
/* *result: a new reference to the target and 1, or NULL and 0 if it is gone, or -1 with an exception. */
PyAPI_FUNC(int) PyWeakref_GetRef(PyObject *ref, PyObject **result);
/* Borrowed; Py_None if the target is gone. Only safe while the caller knows that something else holds the target. */
PyAPI_FUNC(PyObject *) PyWeakref_GetObject(PyObject *ref);
PyAPI_FUNC(int) PyWeakref_IsDead(PyObject *ref);
PyAPI_FUNC(Py_ssize_t) _PyWeakref_GetWeakrefCount(PyWeakReference *head);
PyAPI_FUNC(void) _PyWeakref_ClearRef(PyWeakReference *self);
/* Borrowed, as PyWeakref_GetObject, without checks. */
static inline PyObject *PyWeakref_GET_OBJECT_(PyObject *ref)
{
    return __atomic_load_n(&((PyWeakReference *)ref)->wr_object, __ATOMIC_ACQUIRE);
}
#define PyWeakref_GET_OBJECT(ref) PyWeakref_GET_OBJECT_(_PyObject_CAST(ref))

#define PyType_SUPPORTS_WEAKREFS(t) ((t)->tp_weaklistoffset > 0)
/* Where op keeps the head of its list. */
#define _PyObject_GET_WEAKREFS_LISTPTR(op) ((PyObject **)((char *)(op) + heap_type(op)->tp_weaklistoffset))

#endif /* Py_WEAKREFOBJECT_H */
