/* bytes: immutable byte strings. The empty one and those of one byte are static. */
#ifndef Py_BYTESOBJECT_H
#define Py_BYTESOBJECT_H

typedef struct {
    PyObject_VAR_HEAD
    Py_hash_t ob_shash;         /* [atomic] -1: not computed yet */
    char ob_sval[1];            /* [const] ob_size bytes and a zero byte */
} PyBytesObject;

PyAPI_DATA(PyTypeObject) PyBytes_Type;
PyAPI_DATA(PyTypeObject) PyBytesIter_Type;

#define PyBytes_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_BYTES_SUBCLASS)
#define PyBytes_CheckExact(op) Py_IS_TYPE((op), &PyBytes_Type)

static inline char *PyBytes_AS_STRING_(PyObject *op) { return ((PyBytesObject *)op)->ob_sval; }
#define PyBytes_AS_STRING(op) PyBytes_AS_STRING_(_PyObject_CAST(op))
static inline Py_ssize_t PyBytes_GET_SIZE_(PyObject *op) { return ((PyVarObject *)op)->ob_size; }
#define PyBytes_GET_SIZE(op) PyBytes_GET_SIZE_(_PyObject_CAST(op))

/* text NULL: the content is not initialised and is to be filled in before anybody else sees the object. */
PyAPI_FUNC(PyObject *) PyBytes_FromStringAndSize(const char *text, Py_ssize_t size);
PyAPI_FUNC(PyObject *) PyBytes_FromString(const char *text);
PyAPI_FUNC(PyObject *) PyBytes_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyBytes_FromFormatV(const char *format, va_list va);
PyAPI_FUNC(PyObject *) PyBytes_FromFormat(const char *format, ...);
PyAPI_FUNC(Py_ssize_t) PyBytes_Size(PyObject *op);
PyAPI_FUNC(char *) PyBytes_AsString(PyObject *op);
PyAPI_FUNC(int) PyBytes_AsStringAndSize(PyObject *op, char **text, Py_ssize_t *size);
PyAPI_FUNC(PyObject *) PyBytes_Repr(PyObject *op, int smartquotes);
PyAPI_FUNC(void) PyBytes_Concat(PyObject **left, PyObject *right);
PyAPI_FUNC(void) PyBytes_ConcatAndDel(PyObject **left, PyObject *right);
PyAPI_FUNC(PyObject *) PyBytes_DecodeEscape(const char *text, Py_ssize_t size, const char *errors, Py_ssize_t unicode,
                                            const char *recode_encoding);
/* Changes the size of a bytes object that the caller alone holds; a shared one is replaced by a copy.
 * Returns  0, or -1 with MemoryError, *op released and NULL */
PyAPI_FUNC(int) _PyBytes_Resize(PyObject **op, Py_ssize_t size);
/* separator.join(iterable). */
PyAPI_FUNC(PyObject *) _PyBytes_Join(PyObject *separator, PyObject *iterable);
PyAPI_FUNC(PyObject *) _PyBytes_FormatEx(const char *format, Py_ssize_t size, PyObject *args, int use_bytearray);
PyAPI_FUNC(PyObject *) _PyBytes_FromHex(PyObject *text, int use_bytearray);

#define F_LJUST (1 << 0)
#define F_SIGN (1 << 1)
#define F_BLANK (1 << 2)
#define F_ALT (1 << 3)
#define F_ZERO (1 << 4)

#endif /* Py_BYTESOBJECT_H */
