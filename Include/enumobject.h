/* The builtin iterator types enumerate, reversed, zip, map, filter. */
#ifndef Py_ENUMOBJECT_H
#define Py_ENUMOBJECT_H

PyAPI_DATA(PyTypeObject) PyEnum_Type;
PyAPI_DATA(PyTypeObject) PyReversed_Type;
PyAPI_DATA(PyTypeObject) PyZip_Type;
PyAPI_DATA(PyTypeObject) PyMap_Type;
PyAPI_DATA(PyTypeObject) PyFilter_Type;

#endif /* Py_ENUMOBJECT_H */
