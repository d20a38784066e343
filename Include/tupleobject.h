/* tuple: an immutable array of references, inline in the object. */
#ifndef Py_TUPLEOBJECT_H
#define Py_TUPLEOBJECT_H

typedef struct {
    PyObject_VAR_HEAD
    PyObject *ob_item[1];       /* [const] once another thread can see the tuple; ob_size of them */
} PyTupleObject;

PyAPI_DATA(PyTypeObject) PyTuple_Type;
PyAPI_DATA(PyTypeObject) PyTupleIter_Type;

#define PyTuple_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TUPLE_SUBCLASS)
#define PyTuple_CheckExact(op) heap_is_type((op), &PyTuple_Type)

/* n items, all NULL: fill them with PyTuple_SET_ITEM. n == 0: the empty tuple (immortal). */
PyAPI_FUNC(PyObject *) PyTuple_New(Py_ssize_t n);
PyAPI_FUNC(Py_ssize_t) PyTuple_Size(PyObject *tuple);
PyAPI_FUNC(PyObject *) PyTuple_GetItem(PyObject *tuple, Py_ssize_t i);      /* borrowed */
/* Steals item, on failure too. Only for a tuple that nobody else can reach. */
PyAPI_FUNC(int) PyTuple_SetItem(PyObject *tuple, Py_ssize_t i, PyObject *item);
PyAPI_FUNC(PyObject *) PyTuple_GetSlice(PyObject *tuple, Py_ssize_t low, Py_ssize_t high);
PyAPI_FUNC(int) _PyTuple_Resize(PyObject **tuple, Py_ssize_t size);
PyAPI_FUNC(PyObject *) PyTuple_Pack(Py_ssize_t n, ...);
PyAPI_FUNC(void) _PyTuple_MaybeUntrack(PyObject *tuple);
PyAPI_FUNC(void) _PyTuple_DebugMallocStats(FILE *out);
PyAPI_FUNC(PyObject *) _PyTuple_FromArray(PyObject *const *items, Py_ssize_t n);
PyAPI_FUNC(PyObject *) _PyTuple_FromArraySteal(PyObject *const *items, Py_ssize_t n);

#define _PyTuple_CAST(op) ((PyTupleObject *)(op))
#define PyTuple_GET_SIZE(op) (_PyTuple_CAST(op)->ob_base.ob_size)
#define PyTuple_GET_ITEM(op, i) (_PyTuple_CAST(op)->ob_item[(i)])
#define PyTuple_SET_ITEM(op, i, v) ((void)(_PyTuple_CAST(op)->ob_item[(i)] = (PyObject *)(v)))

#endif /* Py_TUPLEOBJECT_H */
