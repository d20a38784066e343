/* set and frozenset. Membership tests take no lock, changes take the object's lock (Include/internal/set.h). */
#ifndef Py_SETOBJECT_H
#define Py_SETOBJECT_H

typedef struct {
    PyObject_HEAD
    Py_ssize_t used;                /* [atomic; written under the lock] number of members */
    struct set_table *table;        /* [lock;retire] never NULL */
    Py_hash_t hash;                 /* [atomic] of a frozenset; -1: not computed */
    size_t finger;                  /* [lock] where set.pop() goes on searching */
    PyObject *weakreflist;
} PySetObject;

PyAPI_DATA(PyTypeObject) PySet_Type;
PyAPI_DATA(PyTypeObject) PyFrozenSet_Type;
PyAPI_DATA(PyTypeObject) PySetIter_Type;

#define PyFrozenSet_CheckExact(op) heap_is_type((op), &PyFrozenSet_Type)
#define PyFrozenSet_Check(op) PyObject_TypeCheck((op), &PyFrozenSet_Type)
#define PySet_CheckExact(op) heap_is_type((op), &PySet_Type)
#define PySet_Check(op) PyObject_TypeCheck((op), &PySet_Type)
#define PyAnySet_CheckExact(op) (PySet_CheckExact(op) || PyFrozenSet_CheckExact(op))
#define PyAnySet_Check(op) \
    (PyAnySet_CheckExact(op) || PyType_IsSubtype(Py_TYPE(op), &PySet_Type) \
     || PyType_IsSubtype(Py_TYPE(op), &PyFrozenSet_Type))

/* iterable may be NULL. */
PyAPI_FUNC(PyObject *) PySet_New(PyObject *iterable);
PyAPI_FUNC(PyObject *) PyFrozenSet_New(PyObject *iterable);
/* Also fills a fresh frozenset. */
PyAPI_FUNC(int) PySet_Add(PyObject *set, PyObject *key);
PyAPI_FUNC(int) PySet_Contains(PyObject *set, PyObject *key);
PyAPI_FUNC(int) PySet_Discard(PyObject *set, PyObject *key);     /* 1: was there; 0: was not */
PyAPI_FUNC(PyObject *) PySet_Pop(PyObject *set);
PyAPI_FUNC(int) PySet_Clear(PyObject *set);
PyAPI_FUNC(Py_ssize_t) PySet_Size(PyObject *set);
PyAPI_FUNC(int) _PySet_Update(PyObject *set, PyObject *iterable);
/* Borrowed results; as for PyDict_Next. */
PyAPI_FUNC(int) _PySet_NextEntry(PyObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash);

static inline Py_ssize_t PySet_GET_SIZE_(const void *op)
{
    return __atomic_load_n(&((const PySetObject *)op)->used, __ATOMIC_RELAXED);
}
#define PySet_GET_SIZE(op) PySet_GET_SIZE_(op)

#endif /* Py_SETOBJECT_H */
