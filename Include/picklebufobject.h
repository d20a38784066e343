/* PickleBuffer: a buffer that pickle may transmit out of band (PEP 574). */
#ifndef Py_PICKLEBUFOBJECT_H
#define Py_PICKLEBUFOBJECT_H

PyAPI_DATA(PyTypeObject) PyPickleBuffer_Type;
#define PyPickleBuffer_Check(op) Py_IS_TYPE((op), &PyPickleBuffer_Type)

PyAPI_FUNC(PyObject *) PyPickleBuffer_FromObject(PyObject *op);
/* The wrapped buffer, valid until the object is released; NULL with ValueError if it has been. */
PyAPI_FUNC(const Py_buffer *) PyPickleBuffer_GetBuffer(PyObject *op);
/* 0 or -1; nothing happens the second time. */
PyAPI_FUNC(int) PyPickleBuffer_Release(PyObject *op);

#endif /* Py_PICKLEBUFOBJECT_H */
