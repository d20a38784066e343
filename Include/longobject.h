/* int. Values of at most 62 bits are immediates (object.h); PyLongObject holds bigger ones, bool, and instances of
 * subclasses. */
#ifndef Py_LONGOBJECT_H
#define Py_LONGOBJECT_H

typedef struct _longobject {
    PyObject_VAR_HEAD           /* ob_size: number of limbs, negative for a negative value, 0 for zero */
    uint64_t ob_limb[];         /* [const] magnitude, least significant first; the top limb is not zero */
} PyLongObject;

static inline Py_ALWAYS_INLINE int PyLong_Check_(const void *op)
{
    return value_is_int(op)
           || (value_is_heap(op) && PyType_FastSubclass(heap_type(op), Py_TPFLAGS_LONG_SUBCLASS));
}
static inline Py_ALWAYS_INLINE int PyLong_CheckExact_(const void *op)
{
    return value_is_int(op) || heap_is_type(op, &PyLong_Type);
}
#define PyLong_Check(op) PyLong_Check_(op)
#define PyLong_CheckExact(op) PyLong_CheckExact_(op)

/* ---- From C numbers ---- */

PyAPI_FUNC(PyObject *) PyLong_FromLong(long n);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLong(unsigned long n);
PyAPI_FUNC(PyObject *) PyLong_FromLongLong(long long n);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLongLong(unsigned long long n);
PyAPI_FUNC(PyObject *) PyLong_FromSsize_t(Py_ssize_t n);
PyAPI_FUNC(PyObject *) PyLong_FromSize_t(size_t n);
PyAPI_FUNC(PyObject *) PyLong_FromInt32(int32_t n);
PyAPI_FUNC(PyObject *) PyLong_FromUInt32(uint32_t n);
PyAPI_FUNC(PyObject *) PyLong_FromInt64(int64_t n);
PyAPI_FUNC(PyObject *) PyLong_FromUInt64(uint64_t n);
PyAPI_FUNC(PyObject *) PyLong_FromDouble(double d);
PyAPI_FUNC(PyObject *) PyLong_FromVoidPtr(void *p);

static inline Py_ALWAYS_INLINE PyObject *_PyLong_FromSigned(int64_t n)
{
    return Py_LIKELY(value_fits_int(n)) ? value_from_int(n) : PyLong_FromInt64(n);
}
static inline Py_ALWAYS_INLINE PyObject *_PyLong_FromUnsigned(uint64_t n)
{
    return Py_LIKELY(n < (uint64_t)IMMEDIATE_INT_MAX) ? value_from_int((int64_t)n) : PyLong_FromUInt64(n);
}
#define PyLong_FromLong(n) _PyLong_FromSigned(n)
#define PyLong_FromLongLong(n) _PyLong_FromSigned(n)
#define PyLong_FromSsize_t(n) _PyLong_FromSigned(n)
#define PyLong_FromInt32(n) _PyLong_FromSigned((int32_t)(n))
#define PyLong_FromUInt32(n) _PyLong_FromSigned((uint32_t)(n))
#define PyLong_FromUnsignedLong(n) _PyLong_FromUnsigned(n)
#define PyLong_FromUnsignedLongLong(n) _PyLong_FromUnsigned(n)
#define PyLong_FromSize_t(n) _PyLong_FromUnsigned(n)

/* ---- To C numbers; -1 with an exception ---- */

PyAPI_FUNC(long) PyLong_AsLong(PyObject *op);
PyAPI_FUNC(long) PyLong_AsLongAndOverflow(PyObject *op, int *overflow);
PyAPI_FUNC(long long) PyLong_AsLongLong(PyObject *op);
PyAPI_FUNC(long long) PyLong_AsLongLongAndOverflow(PyObject *op, int *overflow);
PyAPI_FUNC(Py_ssize_t) PyLong_AsSsize_t(PyObject *op);
PyAPI_FUNC(size_t) PyLong_AsSize_t(PyObject *op);
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLong(PyObject *op);
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLongMask(PyObject *op);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLong(PyObject *op);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLongMask(PyObject *op);
PyAPI_FUNC(int) PyLong_AsInt(PyObject *op);
PyAPI_FUNC(int) _PyLong_AsInt(PyObject *op);
PyAPI_FUNC(double) PyLong_AsDouble(PyObject *op);
PyAPI_FUNC(void *) PyLong_AsVoidPtr(PyObject *op);

static inline Py_ALWAYS_INLINE long _PyLong_AsLongFast(PyObject *op)
{
    return Py_LIKELY(value_is_int(op)) ? (long)value_get_int(op) : (PyLong_AsLong)(op);
}
static inline Py_ALWAYS_INLINE Py_ssize_t _PyLong_AsSsizeFast(PyObject *op)
{
    return Py_LIKELY(value_is_int(op)) ? (Py_ssize_t)value_get_int(op) : (PyLong_AsSsize_t)(op);
}
#define PyLong_AsLong(op) _PyLong_AsLongFast(op)
#define PyLong_AsSsize_t(op) _PyLong_AsSsizeFast(op)
#define PyLong_AS_LONG(op) PyLong_AsLong(op)

#define PyLong_FromPid PyLong_FromLong
#define PyLong_AsPid PyLong_AsInt
#define _Py_PARSE_PID "i"
#define _Py_PARSE_INTPTR "l"
#define _Py_PARSE_UINTPTR "k"

/* Values that fit one machine word. */
PyAPI_FUNC(int) PyUnstable_Long_IsCompact(const PyLongObject *op);
PyAPI_FUNC(Py_ssize_t) PyUnstable_Long_CompactValue(const PyLongObject *op);

/* ---- Text ---- */

PyAPI_FUNC(PyObject *) PyLong_FromString(const char *text, char **end, int base);
PyAPI_FUNC(PyObject *) PyLong_FromUnicodeObject(PyObject *str, int base);
PyAPI_FUNC(PyObject *) _PyLong_FromBytes(const char *text, Py_ssize_t length, int base);
/* With a prefix for bases 2, 8 and 16. */
PyAPI_FUNC(PyObject *) _PyLong_Format(PyObject *op, int base);
PyAPI_FUNC(unsigned long) PyOS_strtoul(const char *text, char **end, int base);
PyAPI_FUNC(long) PyOS_strtol(const char *text, char **end, int base);

/* ---- Bits, bytes, arithmetic ---- */

PyAPI_FUNC(PyObject *) PyLong_GetInfo(void);
/* -1, 0, 1 */
PyAPI_FUNC(int) _PyLong_Sign(PyObject *op);
/* Bits of the magnitude. */
PyAPI_FUNC(size_t) _PyLong_NumBits(PyObject *op);
PyAPI_FUNC(PyObject *) _PyLong_FromByteArray(const unsigned char *bytes, size_t n, int little_endian, int is_signed);
/* -1 with OverflowError if the value does not fit */
PyAPI_FUNC(int) _PyLong_AsByteArray(PyLongObject *op, unsigned char *bytes, size_t n, int little_endian, int is_signed);
/* op == x * 2**e, 0.5 <= |x| < 1; -1.0 with OverflowError if e does not fit */
PyAPI_FUNC(double) _PyLong_Frexp(PyLongObject *op, Py_ssize_t *e);
/* (q, r): a / b rounded to the nearest, ties to even */
PyAPI_FUNC(PyObject *) _PyLong_DivmodNear(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) _PyLong_GCD(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) _PyLong_Lshift(PyObject *op, size_t count);
PyAPI_FUNC(PyObject *) _PyLong_Rshift(PyObject *op, size_t count);
/* For math: the integer square root of op >= 0, n!, n (n-1) ... (n-k+1), n over k (n >= 0, k small), least common multiple. */
PyAPI_FUNC(PyObject *) _PyLong_SquareRoot(PyObject *op);
PyAPI_FUNC(PyObject *) _PyLong_Factorial(unsigned long n);
PyAPI_FUNC(PyObject *) _PyLong_Permutations(PyObject *n, unsigned long k);
PyAPI_FUNC(PyObject *) _PyLong_Binomial(PyObject *n, unsigned long k);
PyAPI_FUNC(PyObject *) _PyLong_LCM(PyObject *a, PyObject *b);
/* An exact int of the same value. */
PyAPI_FUNC(PyObject *) _PyLong_Copy(PyLongObject *op);

/* Converters for the O& format. */
PyAPI_FUNC(int) _PyLong_UnsignedShort_Converter(PyObject *op, void *p);
PyAPI_FUNC(int) _PyLong_UnsignedInt_Converter(PyObject *op, void *p);
PyAPI_FUNC(int) _PyLong_UnsignedLong_Converter(PyObject *op, void *p);
PyAPI_FUNC(int) _PyLong_UnsignedLongLong_Converter(PyObject *op, void *p);
PyAPI_FUNC(int) _PyLong_Size_t_Converter(PyObject *op, void *p);

#endif /* Py_LONGOBJECT_H */
