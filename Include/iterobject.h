/* Iterators over the sequence protocol, and over repeated calls of a function. */
#ifndef Py_ITEROBJECT_H
#define Py_ITEROBJECT_H

PyAPI_DATA(PyTypeObject) PySeqIter_Type;
PyAPI_DATA(PyTypeObject) PyCallIter_Type;
PyAPI_DATA(PyTypeObject) _PyAnextAwaitable_Type;
#define PySeqIter_Check(op) Py_IS_TYPE((op), &PySeqIter_Type)
#define PyCallIter_Check(op) Py_IS_TYPE((op), &PyCallIter_Type)

PyAPI_FUNC(PyObject *) PySeqIter_New(PyObject *seq);
PyAPI_FUNC(PyObject *) PyCallIter_New(PyObject *callable, PyObject *sentinel);
/* The awaitable of anext(iterator, default). */
PyAPI_FUNC(PyObject *) PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value);

#endif /* Py_ITEROBJECT_H */
