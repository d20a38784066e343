/* Bound methods, instance methods, classmethod and staticmethod. */
#ifndef Py_CLASSOBJECT_H
#define Py_CLASSOBJECT_H

/* im_func and im_self are held uncounted if they are DEFERRED when the method is made. */
typedef struct {
    PyObject_HEAD
    PyObject *im_func;          /* [const] */
    PyObject *im_self;          /* [const] */
    PyObject *im_weakreflist;
    vectorcallfunc vectorcall;
    bool im_func_uncounted, im_self_uncounted;      /* [const] */
} PyMethodObject;

PyAPI_DATA(PyTypeObject) PyMethod_Type;
#define PyMethod_Check(op) Py_IS_TYPE((op), &PyMethod_Type)
PyAPI_FUNC(PyObject *) PyMethod_New(PyObject *func, PyObject *self);
PyAPI_FUNC(PyObject *) PyMethod_Function(PyObject *method);     /* borrowed */
PyAPI_FUNC(PyObject *) PyMethod_Self(PyObject *method);         /* borrowed */
#define PyMethod_GET_FUNCTION(op) (((PyMethodObject *)(op))->im_func)
#define PyMethod_GET_SELF(op) (((PyMethodObject *)(op))->im_self)

typedef struct {
    PyObject_HEAD
    PyObject *func;
} PyInstanceMethodObject;

PyAPI_DATA(PyTypeObject) PyInstanceMethod_Type;
#define PyInstanceMethod_Check(op) Py_IS_TYPE((op), &PyInstanceMethod_Type)
PyAPI_FUNC(PyObject *) PyInstanceMethod_New(PyObject *func);
PyAPI_FUNC(PyObject *) PyInstanceMethod_Function(PyObject *method);
#define PyInstanceMethod_GET_FUNCTION(op) (((PyInstanceMethodObject *)(op))->func)

PyAPI_DATA(PyTypeObject) PyClassMethod_Type;
PyAPI_DATA(PyTypeObject) PyStaticMethod_Type;
PyAPI_FUNC(PyObject *) PyClassMethod_New(PyObject *callable);
PyAPI_FUNC(PyObject *) PyStaticMethod_New(PyObject *callable);

#endif /* Py_CLASSOBJECT_H */
