/* bytearray: mutable byte strings. Every access from Python takes the object's lock. */
#ifndef Py_BYTEARRAYOBJECT_H
#define Py_BYTEARRAYOBJECT_H

typedef struct {
    PyObject_VAR_HEAD
    Py_ssize_t ob_alloc;        /* [lock] size of ob_bytes */
    char *ob_bytes;             /* [lock] the block, or NULL */
    char *ob_start;             /* [lock] first byte in use; ob_start[ob_size] is 0 */
    Py_ssize_t ob_exports;      /* [lock] buffers handed out: while there are any, the size is fixed */
} PyByteArrayObject;

PyAPI_DATA(PyTypeObject) PyByteArray_Type;
PyAPI_DATA(PyTypeObject) PyByteArrayIter_Type;

#define PyByteArray_Check(op) PyObject_TypeCheck((op), &PyByteArray_Type)
#define PyByteArray_CheckExact(op) Py_IS_TYPE((op), &PyByteArray_Type)

PyAPI_DATA(char) _PyByteArray_empty_string[];

static inline Py_ssize_t PyByteArray_GET_SIZE_(PyObject *op)
{
    return __atomic_load_n(&((PyVarObject *)op)->ob_size, __ATOMIC_RELAXED);
}
#define PyByteArray_GET_SIZE(op) PyByteArray_GET_SIZE_(_PyObject_CAST(op))
/* The caller holds the lock or an export, or is the only one that knows the object. */
static inline char *PyByteArray_AS_STRING_(PyObject *op)
{
    return PyByteArray_GET_SIZE(op) ? ((PyByteArrayObject *)op)->ob_start : _PyByteArray_empty_string;
}
#define PyByteArray_AS_STRING(op) PyByteArray_AS_STRING_(_PyObject_CAST(op))

PyAPI_FUNC(PyObject *) PyByteArray_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyByteArray_Concat(PyObject *left, PyObject *right);
PyAPI_FUNC(PyObject *) PyByteArray_FromStringAndSize(const char *text, Py_ssize_t size);
PyAPI_FUNC(Py_ssize_t) PyByteArray_Size(PyObject *op);
PyAPI_FUNC(char *) PyByteArray_AsString(PyObject *op);
PyAPI_FUNC(int) PyByteArray_Resize(PyObject *op, Py_ssize_t size);

#endif /* Py_BYTEARRAYOBJECT_H */
