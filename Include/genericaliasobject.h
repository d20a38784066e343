/* list[int] and int | str. */
#ifndef Py_GENERICALIASOBJECT_H
#define Py_GENERICALIASOBJECT_H

PyAPI_FUNC(PyObject *) Py_GenericAlias(PyObject *origin, PyObject *args);
PyAPI_DATA(PyTypeObject) Py_GenericAliasType;
PyAPI_DATA(PyTypeObject) _Py_GenericAliasIterType;
PyAPI_DATA(PyTypeObject) _PyUnion_Type;
#define _PyGenericAlias_Check(op) PyObject_TypeCheck((op), &Py_GenericAliasType)
#define _PyUnion_Check(op) Py_IS_TYPE((op), &_PyUnion_Type)
/* a | b of types; Py_NotImplemented if one is none. */
PyAPI_FUNC(PyObject *) _Py_union_type_or(PyObject *a, PyObject *b);
/* Borrowed. */
PyAPI_FUNC(PyObject *) _Py_union_args(PyObject *self);

#endif /* Py_GENERICALIASOBJECT_H */
