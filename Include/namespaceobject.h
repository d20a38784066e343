/* types.SimpleNamespace. */
#ifndef Py_NAMESPACEOBJECT_H
#define Py_NAMESPACEOBJECT_H

PyAPI_DATA(PyTypeObject) _PyNamespace_Type;
/* kwds: a dict, or NULL. */
PyAPI_FUNC(PyObject *) _PyNamespace_New(PyObject *kwds);

#endif /* Py_NAMESPACEOBJECT_H */
