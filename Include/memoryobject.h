/* memoryview: a Python view of another object's buffer. */
#ifndef Py_MEMORYOBJECT_H
#define Py_MEMORYOBJECT_H

PyAPI_DATA(PyTypeObject) _PyManagedBuffer_Type;
PyAPI_DATA(PyTypeObject) PyMemoryView_Type;

#define PyMemoryView_Check(op) Py_IS_TYPE((op), &PyMemoryView_Type)
#define PyMemoryView_GET_BUFFER(op) (&((PyMemoryViewObject *)(op))->view)
#define PyMemoryView_GET_BASE(op) (((PyMemoryViewObject *)(op))->view.obj)

PyAPI_FUNC(PyObject *) PyMemoryView_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyMemoryView_FromMemory(char *mem, Py_ssize_t size, int flags);
PyAPI_FUNC(PyObject *) PyMemoryView_FromBuffer(const Py_buffer *info);
PyAPI_FUNC(PyObject *) PyMemoryView_GetContiguous(PyObject *op, int flags, char order);

/* A buffer acquired once and shared by the views of it. */
typedef struct {
    PyObject_HEAD
    int flags;                  /* [lock] _Py_MANAGED_BUFFER_* */
    Py_ssize_t exports;         /* [lock] views that are not released */
    Py_buffer master;           /* [const] until released */
} _PyManagedBufferObject;

#define _Py_MANAGED_BUFFER_RELEASED 0x001
#define _Py_MANAGED_BUFFER_FREE_FORMAT 0x002

#define _Py_MEMORYVIEW_RELEASED 0x001
#define _Py_MEMORYVIEW_C 0x002
#define _Py_MEMORYVIEW_FORTRAN 0x004
#define _Py_MEMORYVIEW_SCALAR 0x008
#define _Py_MEMORYVIEW_PIL 0x010

typedef struct {
    PyObject_VAR_HEAD           /* ob_size: 3 * ndim words of ob_array */
    _PyManagedBufferObject *mbuf;   /* [const] counted */
    Py_hash_t hash;             /* [atomic] -1: not computed yet */
    int flags;                  /* [lock] _Py_MEMORYVIEW_* */
    Py_ssize_t exports;         /* [lock] buffers handed out by this view */
    Py_buffer view;             /* [const] shape, strides and suboffsets point into ob_array */
    PyObject *weakreflist;
    Py_ssize_t ob_array[1];
} PyMemoryViewObject;

#endif /* Py_MEMORYOBJECT_H */
