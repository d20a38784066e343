/* float. Most values are immediates (object.h); PyFloatObject holds -0.0, infinities, NaNs, extreme exponents, and
 * instances of subclasses. */
#ifndef Py_FLOATOBJECT_H
#define Py_FLOATOBJECT_H

typedef struct {
    PyObject_HEAD
    double ob_fval;             /* [const] */
} PyFloatObject;

static inline Py_ALWAYS_INLINE int PyFloat_Check_(const void *op)
{
    return value_is_float(op) || (value_is_heap(op) && PyObject_TypeCheck(op, &PyFloat_Type));
}
static inline Py_ALWAYS_INLINE int PyFloat_CheckExact_(const void *op)
{
    return value_is_float(op) || heap_is_type(op, &PyFloat_Type);
}
#define PyFloat_Check(op) PyFloat_Check_(op)
#define PyFloat_CheckExact(op) PyFloat_CheckExact_(op)

/* op is a float. */
static inline Py_ALWAYS_INLINE double PyFloat_AS_DOUBLE_(const void *op)
{
    return Py_LIKELY(value_is_float(op)) ? value_get_float(op) : ((const PyFloatObject *)op)->ob_fval;
}
#define PyFloat_AS_DOUBLE(op) PyFloat_AS_DOUBLE_(op)

PyAPI_FUNC(PyObject *) PyFloat_FromDouble(double d);
static inline Py_ALWAYS_INLINE PyObject *_PyFloat_From(double d)
{
    PyObject *word = value_encode_float(d);
    return Py_LIKELY(value_is_float(word)) ? word : (PyFloat_FromDouble)(d);
}
#define PyFloat_FromDouble(d) _PyFloat_From(d)

PyAPI_FUNC(double) PyFloat_AsDouble(PyObject *op);
PyAPI_FUNC(PyObject *) PyFloat_FromString(PyObject *text);
PyAPI_FUNC(double) PyFloat_GetMax(void);
PyAPI_FUNC(double) PyFloat_GetMin(void);
PyAPI_FUNC(PyObject *) PyFloat_GetInfo(void);

#define Py_RETURN_NAN return PyFloat_FromDouble(Py_NAN)
#define Py_RETURN_INF(sign) return PyFloat_FromDouble(copysign(Py_INFINITY, (sign)))

/* IEEE 754 formats of 2, 4, 8 bytes; le: little endian. -1 with OverflowError / -1.0 with an exception. */
PyAPI_FUNC(int) PyFloat_Pack2(double x, char *p, int le);
PyAPI_FUNC(int) PyFloat_Pack4(double x, char *p, int le);
PyAPI_FUNC(int) PyFloat_Pack8(double x, char *p, int le);
PyAPI_FUNC(double) PyFloat_Unpack2(const char *p, int le);
PyAPI_FUNC(double) PyFloat_Unpack4(const char *p, int le);
PyAPI_FUNC(double) PyFloat_Unpack8(const char *p, int le);
#define _PyFloat_Pack2(x, p, le) PyFloat_Pack2((x), (char *)(p), (le))
#define _PyFloat_Pack4(x, p, le) PyFloat_Pack4((x), (char *)(p), (le))
#define _PyFloat_Pack8(x, p, le) PyFloat_Pack8((x), (char *)(p), (le))
#define _PyFloat_Unpack2(p, le) PyFloat_Unpack2((const char *)(p), (le))
#define _PyFloat_Unpack4(p, le) PyFloat_Unpack4((const char *)(p), (le))
#define _PyFloat_Unpack8(p, le) PyFloat_Unpack8((const char *)(p), (le))

#endif /* Py_FLOATOBJECT_H */
