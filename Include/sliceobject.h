/* Slice objects, and the arithmetic of slice bounds. (Ellipsis is declared in object.h.) */
#ifndef Py_SLICEOBJECT_H
#define Py_SLICEOBJECT_H

typedef struct {
    PyObject_HEAD
    PyObject *start, *stop, *step;      /* [const] never NULL */
} PySliceObject;

PyAPI_DATA(PyTypeObject) PySlice_Type;
#define PySlice_Check(op) Py_IS_TYPE((op), &PySlice_Type)

/* NULL arguments stand for None. */
PyAPI_FUNC(PyObject *) PySlice_New(PyObject *start, PyObject *stop, PyObject *step);
PyAPI_FUNC(PyObject *) _PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop);
/* start, stop and step as Python ints, clipped to length (an int object); new references. */
PyAPI_FUNC(int) _PySlice_GetLongIndices(PySliceObject *self, PyObject *length, PyObject **start, PyObject **stop,
                                        PyObject **step);
PyAPI_FUNC(int) PySlice_GetIndices(PyObject *slice, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                                   Py_ssize_t *step);
PyAPI_FUNC(int) PySlice_GetIndicesEx(PyObject *slice, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                                     Py_ssize_t *step, Py_ssize_t *slicelength);
/* The bounds as C integers, not yet fitted to a length. Escapes (__index__). */
PyAPI_FUNC(int) PySlice_Unpack(PyObject *slice, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step);
/* Fits the bounds to length; returns the number of items. */
PyAPI_FUNC(Py_ssize_t) PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step);
/* Length and bounds are read in the order that is safe when __index__ resizes the object. */
#define PySlice_GetIndicesEx(slice, length, start, stop, step, slicelen) \
    (PySlice_Unpack((slice), (start), (stop), (step)) < 0 \
         ? ((*(slicelen) = 0), -1) \
         : ((*(slicelen) = PySlice_AdjustIndices((length), (start), (stop), *(step))), 0))

#endif /* Py_SLICEOBJECT_H */
