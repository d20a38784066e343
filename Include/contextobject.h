/* Context variables (PEP 567): mappings from variables to values that run() makes current in a thread. */
#ifndef Py_CONTEXTOBJECT_H
#define Py_CONTEXTOBJECT_H

PyAPI_DATA(PyTypeObject) PyContext_Type;
PyAPI_DATA(PyTypeObject) PyContextVar_Type;
PyAPI_DATA(PyTypeObject) PyContextToken_Type;
typedef struct _pycontextobject PyContext;
typedef struct _pycontextvarobject PyContextVar;
typedef struct _pycontexttokenobject PyContextToken;

#define PyContext_CheckExact(op) Py_IS_TYPE((op), &PyContext_Type)
#define PyContextVar_CheckExact(op) Py_IS_TYPE((op), &PyContextVar_Type)
#define PyContextToken_CheckExact(op) Py_IS_TYPE((op), &PyContextToken_Type)

PyAPI_FUNC(PyObject *) PyContext_New(void);
PyAPI_FUNC(PyObject *) PyContext_Copy(PyObject *context);
PyAPI_FUNC(PyObject *) PyContext_CopyCurrent(void);
PyAPI_FUNC(int) PyContext_Enter(PyObject *context);
PyAPI_FUNC(int) PyContext_Exit(PyObject *context);

PyAPI_FUNC(PyObject *) PyContextVar_New(const char *name, PyObject *default_value);     /* default_value may be NULL */
/* The value in the current context, else default_value, else the variable's own default, else NULL.
 * Returns 0, or -1 with an exception. */
PyAPI_FUNC(int) PyContextVar_Get(PyObject *var, PyObject *default_value, PyObject **value);
PyAPI_FUNC(PyObject *) PyContextVar_Set(PyObject *var, PyObject *value);                /* a token for PyContextVar_Reset */
PyAPI_FUNC(int) PyContextVar_Reset(PyObject *var, PyObject *token);

#endif /* Py_CONTEXTOBJECT_H */
