/* bool: the two immortal objects. */
#ifndef Py_BOOLOBJECT_H
#define Py_BOOLOBJECT_H

PyAPI_DATA(PyLongObject) _Py_FalseStruct;
PyAPI_DATA(PyLongObject) _Py_TrueStruct;
#define Py_False ((PyObject *)&_Py_FalseStruct)
#define Py_True ((PyObject *)&_Py_TrueStruct)
#define Py_IsTrue(x) Py_Is((x), Py_True)
#define Py_IsFalse(x) Py_Is((x), Py_False)
#define Py_RETURN_TRUE return Py_True
#define Py_RETURN_FALSE return Py_False
#define PyBool_Check(op) heap_is_type((op), &PyBool_Type)

PyAPI_FUNC(PyObject *) PyBool_FromLong(long n);
static inline Py_ALWAYS_INLINE PyObject *_PyBool_From(int truth) { return truth ? Py_True : Py_False; }
#define PyBool_FromLong(n) _PyBool_From((n) != 0)

#endif /* Py_BOOLOBJECT_H */
