/* Path objects from C. */
#ifndef Py_OSMODULE_H
#define Py_OSMODULE_H

/* The str or bytes of a path-like object. */
PyAPI_FUNC(PyObject *) PyOS_FSPath(PyObject *path);

#endif /* Py_OSMODULE_H */
